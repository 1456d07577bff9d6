"""The worker process: it imports a user's ``tools.py`` and holds the states of all conversations with it.

It is started as ``python -m synth.environments.worker FD`` and answers one request at a time on that socket: a frame is
four bytes of length (big endian) and JSON. Whatever the user's code prints is caught; a request that takes longer
than its time ends the process with SIGALRM, whether or not anyone still listens.

Every request is ``{"op": …}`` and every reply ``{"fault": …}`` or what the operation says below; ``"ends"`` in a reply
says that it is the last one of this process.
"""

from __future__ import annotations

import io
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from synth.environments.authoring import ToolError
from synth.environments.diff import diff
from synth.environments.framing import read_frame, write_frame
from synth.environments.toolbox import LoadError, Toolbox
from synth.fingerprint import canonical_json, derive_rng
from synth.messages import Json

MAX_STATE_BYTES = 16 << 20
MAX_RESULT_BYTES = 1 << 20
WORLDS = 64
"""How many different states a generator is asked for; the conversation's seed picks one. Making a state costs more than
a whole conversation does, so each is made once."""
_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


class Fault(Exception):
    """The environment's own code failed; ``str()`` says how."""


class Held:
    """One conversation's state. ``seen`` is its top-level parts as bytes, as they were after the last call."""

    def __init__(self, made: bytes) -> None:
        self.state: Json = orjson.loads(made)
        self.seen = _parts(self.state)

    def restore(self) -> None:
        self.state = {key: orjson.loads(part) for key, part in self.seen.items()}


class Worker:
    """Carries out the operations. ``config`` is what :mod:`synth.environments.python` sends first."""

    def __init__(self, config: Json) -> None:
        self.toolbox = Toolbox(Path(config["tools"]), config["invariants"])
        self._file: str | None = config["state_file"]
        self._function: str | None = config["state_function"]
        if self._function is not None and not callable(self.toolbox.get(self._function)):
            raise LoadError(f"there is no function {self._function!r}, which is to make the state")
        self._made: dict[int, bytes] = {}
        self._held: dict[int, Held] = {}

    def start(self, request: Json) -> Json:
        self._held[request["session"]] = Held(self._initial(request["seed"]))
        return {}

    def end(self, request: Json) -> Json:
        self._held.pop(request["session"], None)
        return {}

    def call(self, request: Json) -> Json:
        held = self._held[request["session"]]
        name = request["tool"]
        entry = self.toolbox.tools[name]
        try:
            result = entry.function(held.state, **entry.signature.bind(request["arguments"]))
        except ToolError as error:
            if _parts(held.state) != held.seen:
                held.restore()
            return {"content": orjson.dumps({"error": str(error)}).decode(), "error": True}
        try:
            content = orjson.dumps(result)
        except TypeError as error:
            raise Fault(f"tool {name!r} returned what is not JSON: {error}") from error
        if len(content) > MAX_RESULT_BYTES:
            raise Fault(f"tool {name!r} returned {len(content):,} bytes; at most {MAX_RESULT_BYTES:,} are taken")
        reply: Json = {"content": content.decode()}
        parts = _parts(held.state)
        if parts != held.seen:
            changes = [change for key in {**held.seen, **parts} for change in _part_changes(held, parts, key)]
            if changes and not entry.writes:
                raise Fault(
                    f"tool {name!r} changed {changes[0].path} but is not marked as writing; mark it @tool(writes=True)"
                )
            reply["changes"] = [[change.path, change.kind, change.before, change.after] for change in changes]
            held.seen = parts
        return reply

    def violations(self, request: Json) -> Json:
        held = self._held[request["session"]]
        found = self.toolbox.violations(held.state)
        if _parts(held.state) != held.seen:
            raise Fault("an invariant changed the state")
        return {"violations": found}

    def state(self, request: Json) -> bytes:
        return canonical_json(self._held[request["session"]].state)

    def _initial(self, seed: int) -> bytes:
        number = seed % WORLDS if self._function is not None else 0
        if number not in self._made:
            self._made[number] = self._make(number)
        return self._made[number]

    def _make(self, number: int) -> bytes:
        if self._function is None:
            return Path(self._file).read_bytes() if self._file is not None else b"{}"
        state = self.toolbox.get(self._function)(derive_rng(number, "state"))
        if not isinstance(state, dict):
            raise Fault(f"{self._function} returned no dictionary but {type(state).__name__}")
        return b"".join(_whole(_parts(state)))


def _whole(parts: dict[str, bytes]) -> list[bytes]:
    chunks = [b"{"]
    for number, (key, part) in enumerate(parts.items()):
        chunks += [b"," if number else b"", orjson.dumps(key), b":", part]
    return [*chunks, b"}"]


def _parts(state: Json) -> dict[str, bytes]:
    if type(state) is not dict:
        raise Fault("the state is no dictionary any more")
    try:
        parts = {key: orjson.dumps(value, option=_PLAIN) for key, value in state.items()}
    except TypeError as error:
        raise Fault(f"the state is not plain JSON data: {error}") from error
    size = sum(map(len, parts.values()))
    if size > MAX_STATE_BYTES:
        raise Fault(f"the state has grown to {size:,} bytes; at most {MAX_STATE_BYTES:,} are kept")
    return parts


def _part_changes(held: Held, parts: dict[str, bytes], key: str) -> list[Any]:
    if held.seen.get(key) == parts.get(key):
        return []
    before = {key: orjson.loads(held.seen[key])} if key in held.seen else {}
    after = {key: held.state[key]} if key in parts else {}
    return list(diff(before, after))


def _answer(operation: Callable[[Json], Json | bytes], request: Json) -> tuple[Json | bytes, bool]:
    """The reply, and whether this process may go on."""
    try:
        return operation(request), True
    except Fault as fault:
        return {"fault": str(fault)}, True
    except MemoryError:
        # What filled the memory may still hold it, so nothing else is served from here.
        return {"fault": f"{_culprit(request)} used more memory than its limit"}, False
    except BaseException as error:  # noqa: BLE001  the user's code may raise anything, SystemExit included
        return {"fault": f"{_culprit(request)} raised {type(error).__name__}: {_short(str(error))}"}, True


def _culprit(request: Json) -> str:
    if request["op"] == "call":
        return f"tool {request['tool']!r}"
    return "an invariant" if request["op"] == "violations" else "making the state"


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"


def _limit_memory(megabytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) if sys.platform == "linux" else 0
    limit = pages * resource.getpagesize() + megabytes * (1 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _catch_output() -> io.StringIO:
    """Nothing the tools print may reach the terminal: Python's output is caught, that of child processes dropped."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    caught = io.StringIO()
    sys.stdout = sys.stderr = caught
    return caught


def serve(channel: socket.socket) -> None:
    """Answer requests until the other side hangs up."""
    config = read_frame(channel)
    if config is None:
        return
    caught = _catch_output()
    settings: Json = orjson.loads(config)
    _limit_memory(settings["memory_mb"])
    signal.setitimer(signal.ITIMER_REAL, settings["import_seconds"])
    try:
        worker = Worker(settings)
    except LoadError as error:
        write_frame(channel, orjson.dumps({"problem": [error.line, str(error), error.hint]}))
        return
    signal.setitimer(signal.ITIMER_REAL, 0)
    write_frame(channel, orjson.dumps({"tools": worker.toolbox.describe(), "printed": _short(caught.getvalue())}))
    operations: dict[str, Callable[[Json], Json | bytes]] = {
        "start": worker.start,
        "call": worker.call,
        "state": worker.state,
        "violations": worker.violations,
        "end": worker.end,
    }
    while (frame := read_frame(channel)) is not None:
        request: Json = orjson.loads(frame)
        signal.setitimer(signal.ITIMER_REAL, settings["seconds"])
        reply, may_go_on = _answer(operations[request["op"]], request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if isinstance(reply, dict):
            if caught.tell():
                reply["printed"] = _short(caught.getvalue())
                caught.seek(0)
                caught.truncate()
            if not may_go_on:
                reply["ends"] = True
        write_frame(channel, reply if isinstance(reply, bytes) else orjson.dumps(reply))
        if not may_go_on:
            return


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        serve(channel)
