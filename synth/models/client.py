"""The one protocol every model is spoken to by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from synth.errors import TransientError
from synth.fingerprint import fingerprint
from synth.messages import Json, Message, StopReason, Tool, Usage


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters in the OpenAI API's words; None leaves the choice to the server.

    ``max_tokens`` is always set: budgets reserve by it. ``extra`` goes into the request body as it is.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that an answer depends on, but for the model.

    ``schema`` is a JSON Schema that the answer's text should be an instance of. ``sample`` numbers otherwise equal
    requests. ``seed`` is sent to servers that take one, and follows from the unit, so it is no part of the fingerprint.
    """

    messages: tuple[Message, ...]
    sampling: Sampling
    tools: tuple[Tool, ...] = ()
    tool_choice: str | Json | None = None
    schema: Json | None = None
    top_logprobs: int | None = None
    sample: str = "0"
    seed: int | None = None

    def fingerprint(self, model: str) -> str:
        """Equal for requests that may share an answer: model, messages, sampling, tools, schema and sample."""
        sampling = self.sampling
        return fingerprint(
            [
                model,
                [message.to_dict() for message in self.messages],
                [
                    sampling.temperature,
                    sampling.top_p,
                    sampling.max_tokens,
                    list(sampling.stop),
                    dict(sampling.extra),
                ],
                [tool.to_dict() for tool in self.tools],
                self.tool_choice,
                self.schema,
                self.top_logprobs,
                self.sample,
            ]
        )


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. ``model`` is the server's own name for what answered; ``logprobs`` the API's block as it came.

    ``usage_estimated`` marks an answer whose server counted no tokens, so that ``usage`` is our guess.
    """

    message: Message
    usage: Usage
    stop: StopReason
    model: str
    logprobs: Json | None = None
    usage_estimated: bool = False

    def to_dict(self) -> Json:
        return {
            "message": self.message.to_dict(),
            "usage": {"input": self.usage.input, "output": self.usage.output},
            "stop": self.stop.value,
            "model": self.model,
            "logprobs": self.logprobs,
            "usage_estimated": self.usage_estimated,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Response:
        return cls(
            message=Message.from_dict(data["message"]),
            usage=Usage(**data["usage"]),
            stop=StopReason(data["stop"]),
            model=data["model"],
            logprobs=data.get("logprobs"),
            usage_estimated=data.get("usage_estimated", False),
        )


class UselessAnswer(TransientError):
    """An answer came, holds nothing that can be used, and is paid for all the same: ``usage`` is the server's count."""

    def __init__(self, message: str, usage: Usage) -> None:
        super().__init__(message, kind="malformed")
        self.usage = usage


class ModelClient(Protocol):
    """Speaks to one model at one endpoint: one try, no retry, no limit, no journal.

    ``complete`` raises ``TransientError`` where a retry may help (``UselessAnswer`` where the try cost something),
    ``ResponseError`` where the server refuses this very request and will again, and ``FatalModelError`` where no
    request can work. Whatever arrived in full is returned, also when it was cut off or filtered: the caller journals it
    before judging it.
    """

    async def complete(self, request: Request) -> Response: ...

    async def aclose(self) -> None: ...
