"""A planner, a simulated user and an assistant with no model behind them, for ``tool_use`` in any environment of code.

They are stateless, as models are: whatever one of them knows stands in the request. So a run that was killed goes on
with another process's cast, and the same one serves tests, benchmarks and a local HTTP server::

    prompts = write_prompts(folder)               # for the recipe's generator: templates that say who is asked for what
    Cast(reads=[("get_order", {"order_id": "order_id"})]).answer(messages, tools)

The assistant asks ``QUESTIONS`` times, makes the calls in ``reads`` and then the planned one, which the user's answers
hold: what they know in words, and the call in letters that no audit takes for a value.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from synth.fingerprint import canonical_json, fingerprint
from synth.messages import Json, Message, StopReason, ToolCall, Usage
from synth.models.client import Request, Response
from tests.servers import ChatServer, Faults

QUESTIONS = 3
_PLANNER = """{% block system %}PLANNER{% endblock %}{% block user %}
[{% for one in actions %}{{ {"tool": one.tool, "arguments": one.arguments} | tojson }}{{ "," if not loop.last }}
{% endfor %}]{% endblock %}
"""
_USER = """{% block system %}USER{% endblock %}{% block user %}
{{ {"facts": facts.values() | list, "goal": goal, "lines": conversation | length} | tojson }}{% endblock %}
"""
_LETTERS = "abcdefghijklmnop"


def write_prompts(folder: Path) -> dict[str, str]:
    """Templates by which the cast knows its parts; what to put under ``prompts`` of the generator."""
    (folder / "planner.md.j2").write_text(_PLANNER, encoding="utf-8")
    (folder / "user.md.j2").write_text(_USER, encoding="utf-8")
    return {"planner": "planner.md.j2", "user": "user.md.j2"}


@dataclass(frozen=True, slots=True)
class Cast:
    """``reads`` are calls to make before the planned one: a tool, and by parameter the value to give, or the name of
    the planned argument that it is."""

    reads: Sequence[tuple[str, Mapping[str, Any]]] = ()

    async def complete(self, request: Request) -> Response:
        """As a model client."""
        message = self.answer(request.messages, bool(request.tools))
        return Response(message, Usage(100, 20), StopReason.STOP, "cast")

    async def aclose(self) -> None:
        """Nothing is open."""

    def answer_body(self, body: Json) -> Json:
        """As a server of the chat API: an answer's message for a request's body."""
        messages = [Message.from_dict(message) for message in body["messages"]]
        return self.answer(messages, "tools" in body).to_dict()

    def answer(self, messages: Sequence[Message], with_tools: bool) -> Message:
        if with_tools:
            return self._assist(messages)
        told: Any = orjson.loads(messages[-1].content or "")
        if messages[0].content == "PLANNER":
            return _json({"goal": f"I want {_encode(told)} done.", "opening": "Hello, I have a wish, as always."})
        number = told["lines"] // 2 - 1  # of the question
        share = told["facts"] if number == 0 else []
        line = " | ".join(share) if share else told["goal"] if number == QUESTIONS - 1 else "Go on"
        return _json({"say": line, "done": number >= QUESTIONS})

    def _assist(self, messages: Sequence[Message]) -> Message:
        lines = [message.content or "" for message in messages if message.role == "user"]
        if len(lines) <= QUESTIONS:
            return Message(
                "assistant", f"Please tell me more, for the {'first second third'.split()[len(lines) - 1]} time"
            )
        coded = re.search(r"I want ([a-p]+) done", lines[QUESTIONS])
        assert coded is not None
        (planned,) = _decode(coded[1])
        done = sum(message.role == "tool" for message in messages)
        if done < len(self.reads):
            name, given = self.reads[done]
            arguments = {key: planned["arguments"].get(value, value) for key, value in given.items()}
            return _call(name, arguments, done)
        if done == len(self.reads):
            return _call(planned["tool"], planned["arguments"], done)
        return Message("assistant", "It is done, all of it")


class CountingServer(ChatServer):
    """Plays the cast over HTTP, and counts equal requests in ``received``: where the recipe's model has ``send_seed``,
    each call has a seed of its own, so a count above one is a call that was sent again."""

    def __init__(self, cast: Cast, *, latency: float = 0.0) -> None:
        super().__init__(Faults(latency=latency), answer=self._count, keep_bodies=False)
        self.received: Counter[bytes] = Counter()
        self._cast = cast

    def _count(self, body: Json) -> Json:
        self.received[canonical_json(body)] += 1
        return self._cast.answer_body(body)


def _encode(value: Any) -> str:
    return "".join(_LETTERS[byte >> 4] + _LETTERS[byte & 15] for byte in zlib.compress(orjson.dumps(value), 9))


def _decode(text: str) -> Any:
    numbers = [_LETTERS.index(letter) for letter in text]
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return orjson.loads(zlib.decompress(bytes(high << 4 | low for high, low in pairs)))


def _call(name: str, arguments: Json, number: int) -> Message:
    text = orjson.dumps(arguments).decode()
    return Message("assistant", None, (ToolCall(f"call_{fingerprint([name, text, number])[:12]}", name, text),))


def _json(value: Json) -> Message:
    return Message("assistant", orjson.dumps(value).decode())
