"""What a unit asks twice."""

import asyncio

import pytest

from synth.agents.context import UnitContext
from synth.errors import TransientError
from synth.example import WorkUnit
from synth.messages import Message, StopReason, Usage
from synth.models.caller import CallRecord, UnusableAnswer
from synth.models.client import Request, Response, Sampling

REQUEST = Request((Message("user", "well?"),), Sampling())


class Numbering:
    """Numbers its answers; those of ``failing`` are none."""

    def __init__(self, *failing: int) -> None:
        self.asked = 0
        self._failing = failing

    async def call(self, model: str, request: Request, *, unit: str, key: str) -> CallRecord:
        self.asked += 1
        number = self.asked
        await asyncio.sleep(0)
        if number in self._failing:
            raise TransientError("busy", kind="overloaded")
        answer = Response(Message("assistant", f"answer {number}"), Usage(3, 2), StopReason.STOP, model)
        fingerprint = request.fingerprint(model)
        record = CallRecord(f"{unit}/{key}", unit, model, fingerprint, request, answer, 0.0, 0.1, 1, "sent")
        if key == "cut":
            raise UnusableAnswer("cut off", kind="length", record=record)
        return record


def context_of(caller: Numbering) -> UnitContext:
    return UnitContext(WorkUnit("g", "own", 0, 0, None, {}, 7), caller)


def said(record: CallRecord) -> str | None:
    return record.response.message.content


async def test_the_same_is_asked_once() -> None:
    caller = Numbering()
    context = context_of(caller)
    both = await asyncio.gather(context.call("m", REQUEST, "a"), context.call("m", REQUEST, "a"))
    again = await context.call("m", REQUEST, "a")
    assert [said(record) for record in (*both, again)] == ["answer 1"] * 3
    assert (len(context.records), context.lineage().usage) == (1, Usage(3, 2))


async def test_another_key_model_or_request_is_asked() -> None:
    context = context_of(Numbering())
    other = Request((Message("user", "well!"),), Sampling())
    answers = [
        await context.call(model, request, key)
        for model, request, key in [("m", REQUEST, "a"), ("m", REQUEST, "b"), ("n", REQUEST, "a"), ("m", other, "a")]
    ]
    assert [said(record) for record in answers] == [f"answer {number}" for number in range(1, 5)]


async def test_what_got_no_answer_may_be_asked_again() -> None:
    context = context_of(Numbering(1))
    with pytest.raises(TransientError):
        await context.call("m", REQUEST, "a")
    assert said(await context.call("m", REQUEST, "a")) == "answer 2"


async def test_an_answer_that_cannot_be_used_stays_so() -> None:
    caller = Numbering()
    context = context_of(caller)
    for _ in range(2):
        with pytest.raises(UnusableAnswer):
            await context.call("m", REQUEST, "cut")
    assert (caller.asked, len(context.records)) == (1, 1)
