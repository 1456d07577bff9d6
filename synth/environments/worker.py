"""The worker process: it imports a user's ``tools.py`` and holds the states of all conversations with it.

It is started as ``python -m synth.environments.worker FD`` and answers requests on that socket: a frame is four bytes
of length (big endian) and a JSON list of requests, answered by the list of their replies, one after the other up to
the first fault. Whatever the user's code prints is caught; a request that takes longer than its time ends the process
with SIGALRM, whether or not anyone still listens.

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

import orjson

from synth.environments.authoring import ToolError
from synth.environments.framing import read_frame, write_frame
from synth.environments.held import Beginning, Held, NotPlain
from synth.environments.toolbox import LoadError, Toolbox
from synth.fingerprint import derive_rng
from synth.messages import Json

MAX_RESULT_BYTES = 1 << 20


class Fault(Exception):
    """The environment's own code failed; ``str()`` says how."""


class Worker:
    """Carries out the operations. ``config`` is what :mod:`synth.environments.python` sends first."""

    def __init__(self, config: Json) -> None:
        self.toolbox = Toolbox(Path(config["tools"]), config["invariants"])
        self._file: str | None = config["state_file"]
        self._function: str | None = config["state_function"]
        if self._function is not None and not callable(self.toolbox.get(self._function)):
            raise LoadError(f"there is no function {self._function!r}, which is to make the state")
        self._made: dict[int, Beginning] = {}
        self._held: dict[int, Held] = {}

    def start(self, request: Json) -> Json:
        self._held[request["session"]] = Held(self._beginning(request["world"]))
        return {}

    def end(self, request: Json) -> Json:
        for session in request["sessions"]:
            self._held.pop(session, None)
        return {}

    def call(self, request: Json) -> Json:
        held = self._held[request["session"]]
        name = request["tool"]
        entry = self.toolbox.tools[name]
        try:
            result = entry.function(held.state, **entry.signature.bind(request["arguments"]))
        except ToolError as error:
            if held.is_changed():
                held.restore()
            return {"content": orjson.dumps({"error": str(error)}).decode(), "error": True}
        try:
            content = orjson.dumps(result)
        except TypeError as error:
            raise Fault(f"tool {name!r} returned what is not JSON: {error}") from error
        if len(content) > MAX_RESULT_BYTES:
            raise Fault(f"tool {name!r} returned {len(content):,} bytes; at most {MAX_RESULT_BYTES:,} are taken")
        reply: Json = {"content": content.decode()}
        if changes := held.note_changes():
            if not entry.writes:
                raise Fault(
                    f"tool {name!r} changed {changes[0].path} but is not marked as writing; mark it @tool(writes=True)"
                )
            reply["changes"] = [[change.path, change.kind, change.before, change.after] for change in changes]
        return reply

    def violations(self, request: Json) -> Json:
        held = self._held[request["session"]]
        found = [_whole(one) for one in self.toolbox.violations(held.state)]
        if held.is_changed():
            raise Fault("an invariant changed the state")
        return {"violations": found}

    def state(self, request: Json) -> Json:
        return {"state": self._held[request["session"]].state}

    def digest(self, request: Json) -> Json:
        return {"digest": self._held[request["session"]].digest()}

    def _beginning(self, world: int) -> Beginning:
        number = world if self._function is not None else 0
        if number not in self._made:
            self._made[number] = Beginning(self._make(number))
        return self._made[number]

    def _make(self, number: int) -> Json:
        if self._function is None:
            state: Json = orjson.loads(Path(self._file).read_bytes()) if self._file is not None else {}
            return state
        made = self.toolbox.get(self._function)(derive_rng(number, "state"))
        if not isinstance(made, dict):
            raise Fault(f"{self._function} returned no dictionary but {type(made).__name__}")
        return made


def _answer(operation: Callable[[Json], Json], request: Json) -> tuple[Json, bool]:
    """The reply, and whether this process may go on."""
    try:
        return operation(request), True
    except (Fault, NotPlain) as fault:
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


def _whole(text: str) -> str:
    """Text that can be written as JSON: half a character (``"\\ud800"``) cannot."""
    return text.encode("utf-8", "replace").decode()


def _short(text: str) -> str:
    text = _whole(text)
    return text if len(text) <= 300 else f"{text[:300]}…"


def _limit_memory(megabytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) if sys.platform == "linux" else 0
    limit = pages * resource.getpagesize() + megabytes * (1 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


class _Caught(io.TextIOWrapper):
    """What the user's code prints. It is a stream like the real ones, for code that sets its encoding."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, "utf-8", "replace", write_through=True)

    def take(self) -> str:
        """What was printed since the last time."""
        printed = self._bytes.getvalue().decode("utf-8", "replace")
        self._bytes.seek(0)
        self._bytes.truncate()
        return printed


def _catch_output() -> _Caught:
    """Nothing the tools print may reach the terminal: Python's output is caught, that of child processes dropped."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    caught = _Caught()
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
    write_frame(channel, orjson.dumps({"tools": worker.toolbox.describe(), "printed": _short(caught.take())}))
    operations: dict[str, Callable[[Json], Json]] = {
        "start": worker.start,
        "call": worker.call,
        "state": worker.state,
        "digest": worker.digest,
        "violations": worker.violations,
        "end": worker.end,
    }
    may_go_on = True
    while may_go_on and (frame := read_frame(channel)) is not None:
        replies: list[bytes] = []
        for request in orjson.loads(frame):
            signal.setitimer(signal.ITIMER_REAL, settings["seconds"])
            reply, may_go_on = _answer(operations[request["op"]], request)
            signal.setitimer(signal.ITIMER_REAL, 0)
            if printed := caught.take():
                reply["printed"] = _short(printed)
            if not may_go_on:
                reply["ends"] = True
            replies.append(orjson.dumps(reply))  # now: it may hold parts of a state that the next request changes
            if "fault" in reply:
                break
        write_frame(channel, b"[" + b",".join(replies) + b"]")


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        serve(channel)
