"""Runs in events, as a runner would tell them."""

from pathlib import Path

from synth.events import CallFinished, RunFinished, RunStarted, UnitDecided
from synth.messages import Usage


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def started(*, accepted: int = 0, attempts: int = 0, requested: int = 10) -> RunStarted:
    return RunStarted(
        "t", Path("runs/t"), {"g": requested}, {"g": accepted}, {"g": attempts}, Usage(accepted, accepted), 0.0
    )


def call(output: int = 10, cost: float | None = 0.01, source: str = "sent") -> CallFinished:
    return CallFinished("g", "m", Usage(5, output), cost, 0.1, source)


def decided(gate: str | None = None) -> UnitDecided:
    return UnitDecided("g", "g-000000", gate)


def finished(status: str = "complete", message: str = "", hint: str = "", *, final: bool = False) -> RunFinished:
    row = {
        "id": "g-000000",
        "kind": "cot",
        "generator": "g",
        "seed_id": "bakery",
        "messages": [{"role": "user", "content": "How many?"}, {"role": "assistant", "content": "Answer: [22]"}],
        "scores": {"vote": 2 / 3},
        "attributes": {"mood": "calm"},
    }
    generator = {
        "requested": 10,
        "accepted": 4,
        "attempts": 7,
        "rejected": {"answer": 2, "copy": 1},
        "tokens": {"input": 50, "output": 100},
        "cost_usd": 0.25,
    }
    estimate = {"calls": 20, "tokens": {"input": 90, "output": 210}, "cost_usd": None, "seconds": 30}
    summary = generator | {
        "status": status,
        "seconds": 12.5,
        "calls": {"sent": 14, "unpriced": 0},
        "generators": {"g": generator},
        "estimate": estimate,
    }
    return RunFinished(Path("runs/t"), summary, row, message, hint, final)
