"""The state of one conversation in the worker, and what a call has done to it.

What a call changed is found by writing each top-level part of the state as JSON and comparing it with what it was: for
states of this size that costs less than keeping watch over every object. States that begin alike share what is known of
their beginning, and a part's digest is computed again only when its text is another one.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from synth.environments.diff import diff
from synth.environments.vocabulary import Change
from synth.fingerprint import canonical_json, fingerprint
from synth.messages import Json

MAX_STATE_BYTES = 16 << 20
_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS

Parts = dict[str, bytes]


class NotPlain(Exception):
    """The state is no plain JSON data any more, or too much of it; ``str()`` says how."""


class Beginning:
    """A state that conversations begin with. Raises ``NotPlain``."""

    def __init__(self, state: Json) -> None:
        self.parts = to_parts(state)
        self.text = _joined(self.parts)
        self.digests: dict[str, str] = {}


class Held:
    """One conversation's state. ``parts`` is its text by top-level key, as it was after the last call."""

    def __init__(self, beginning: Beginning) -> None:
        self._beginning = beginning
        self._state: Json | None = None
        self.parts = beginning.parts

    @property
    def state(self) -> Json:
        if self._state is None:  # a conversation that never looks costs nothing
            self._state = orjson.loads(self._beginning.text)
        return self._state

    def restore(self) -> None:
        """Take back what was done since the last call."""
        self._state = {key: orjson.loads(part) for key, part in self.parts.items()}

    def is_changed(self) -> bool:
        """Whether anything was done since the last call. Raises ``NotPlain``."""
        return to_parts(self.state) != self.parts

    def note_changes(self) -> list[Change]:
        """What was done since the last call; from here on it counts as done. Raises ``NotPlain``."""
        parts = to_parts(self.state)
        if parts == self.parts:
            return []
        changes = [change for key in {**self.parts, **parts} for change in self._part_changes(parts, key)]
        self.parts = parts
        return changes

    def digest(self) -> str:
        """32 hex digits; equal states have equal digests, in whatever order their keys stand."""
        return fingerprint({key: self._part_digest(key, part) for key, part in self.parts.items()})

    def _part_digest(self, key: str, part: bytes) -> str:
        if part is not self._beginning.parts.get(key):
            return _digest(self.state[key])
        if key not in self._beginning.digests:
            self._beginning.digests[key] = _digest(orjson.loads(part))
        return self._beginning.digests[key]

    def _part_changes(self, parts: Parts, key: str) -> list[Change]:
        if self.parts.get(key) == parts.get(key):
            if key in parts:
                parts[key] = self.parts[key]  # the very object, by which an unchanged beginning is known
            return []
        before = {key: orjson.loads(self.parts[key])} if key in self.parts else {}
        after = {key: self.state[key]} if key in parts else {}
        return list(diff(before, after))


def to_parts(state: Any) -> Parts:
    """The text of every top-level part. Raises ``NotPlain``."""
    if type(state) is not dict:
        raise NotPlain("the state is no dictionary any more")
    if not all(type(key) is str for key in state):
        raise NotPlain("the state is not plain JSON data: its keys must be texts")
    try:
        parts = {key: orjson.dumps(value, option=_PLAIN) for key, value in state.items()}
    except TypeError as error:
        raise NotPlain(f"the state is not plain JSON data: {error}") from error
    size = sum(map(len, parts.values()))
    if size > MAX_STATE_BYTES:
        raise NotPlain(f"the state has grown to {size:,} bytes; at most {MAX_STATE_BYTES:,} are kept")
    return parts


def _digest(part: Any) -> str:
    return hashlib.blake2b(canonical_json(part), digest_size=16).hexdigest()


def _joined(parts: Parts) -> bytes:
    return b"{" + b",".join(orjson.dumps(key) + b":" + part for key, part in parts.items()) + b"}"
