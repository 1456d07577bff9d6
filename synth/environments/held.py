"""The state of one conversation in the worker, and what a call has done to it.

What a call changed is found by writing each top-level part of the state as JSON and comparing it with what it was: for
states of this size that costs less than keeping watch over every object. Within a part that is another one its records
are compared in the same way, so only those that changed are read again, told apart and hashed. States that begin alike
share what is known of their beginning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
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


class Records:
    """What is known of one part of a state: its text, the texts of its records, where it is a table, and digests.

    ``beginning`` is the same part as conversations begin with it; most records are still the same.
    """

    def __init__(self, part: bytes, value: Any, beginning: Records | None = None) -> None:
        self.part = part
        self.texts: Parts | None = None
        if isinstance(value, dict):
            self.texts = {key: orjson.dumps(inner, option=_PLAIN) for key, inner in value.items()}
        self._beginning = beginning
        self._digests: dict[bytes, str] = {}
        self._digest = ""

    def digest(self) -> str:
        """32 hex digits; equal parts have equal digests."""
        if not self._digest:
            if self.texts is None:
                self._digest = _digest(self.part)
            else:
                self._digest = fingerprint({key: self._digest_of(text) for key, text in self.texts.items()})
        return self._digest

    def changes(self, after: Records, path: str) -> Iterator[Change]:
        """What is other in ``after``, which holds the part as it is now."""
        if self.texts is None or after.texts is None:
            yield from diff(orjson.loads(self.part), orjson.loads(after.part), path)
            return
        before = {key: orjson.loads(text) for key, text in self.texts.items() if after.texts.get(key) != text}
        now = {key: orjson.loads(text) for key, text in after.texts.items() if self.texts.get(key) != text}
        yield from diff(before, now, path)

    def _digest_of(self, text: bytes) -> str:
        known = self._digests if self._beginning is None else self._beginning._digests
        found = known.get(text)
        if found is None:
            found = _digest(text)
            if self._beginning is None:  # what only one conversation has seen ends with it
                known[text] = found
        return found


class Beginning:
    """A state that conversations begin with. Raises ``NotPlain``."""

    def __init__(self, state: Json) -> None:
        self.parts = to_parts(state)
        self.text = _joined(self.parts)
        self._records: dict[str, Records] = {}

    def records(self, key: str) -> Records:
        """What is known of a part."""
        if key not in self._records:
            self._records[key] = Records(self.parts[key], orjson.loads(self.parts[key]))
        return self._records[key]


class Held:
    """One conversation's state. ``parts`` is its text by top-level key, as it was after the last call."""

    def __init__(self, beginning: Beginning) -> None:
        self._beginning = beginning
        self._state: Json | None = None
        self._records: dict[str, Records] = {}
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
        changes: list[Change] = []
        for key in {**self.parts, **parts}:
            if self.parts.get(key) != parts.get(key):
                changes += self._note_part(key, parts)
        self.parts = parts
        return changes

    def digest(self) -> str:
        """32 hex digits; equal states have equal digests, in whatever order their keys stand."""
        return fingerprint({key: self._known(key).digest() for key in self.parts})

    def _note_part(self, key: str, parts: Parts) -> list[Change]:
        if key not in parts:
            before = self._records.pop(key, None)
            return list(diff({key: orjson.loads(before.part if before else self.parts[key])}, {}))
        known = self._known(key) if key in self.parts else None
        first = self._beginning.records(key) if key in self._beginning.parts else None
        self._records[key] = now = Records(parts[key], self.state[key], first)
        if known is None:
            return list(diff({}, {key: orjson.loads(parts[key])}))
        return list(known.changes(now, f"/{key.replace('~', '~0').replace('/', '~1')}"))

    def _known(self, key: str) -> Records:
        return self._records.get(key) or self._beginning.records(key)


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


def _digest(text: bytes) -> str:
    """Of what a JSON text says, in whatever order its keys stand."""
    return hashlib.blake2b(canonical_json(orjson.loads(text)), digest_size=16).hexdigest()


def _joined(parts: Parts) -> bytes:
    return b"{" + b",".join(orjson.dumps(key) + b":" + part for key, part in parts.items()) + b"}"
