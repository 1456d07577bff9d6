"""How far a run has come, as the page tells it."""

from __future__ import annotations

from synth.messages import Json
from synth.reader import UNFINISHED
from synth.view.follower import Follower
from synth.view.query import IndexReader


def overview(follower: Follower, index: IndexReader) -> Json:
    """Counts by generator, gates, tokens, cost and time. Where the run has ended, they are those of its summary; while
    it is at work, those of what the index has seen."""
    now, tally = follower.snapshot, index.tally()
    seen, made = sum(sum(gates.values()) for gates in tally.values()), sum(now.made.values())
    summary = _ended(now.summary, now.made) if now.process is None else None
    generators = [
        _generator(spec, tally.get(spec["id"], {}), (summary or {}).get("generators", {}).get(spec["id"]))
        for spec in now.recipe["generate"]
    ]
    rejected: dict[str, int] = {}
    for generator in generators:
        for gate, count in generator["rejected"].items():
            rejected[gate] = rejected.get(gate, 0) + count
    roles = index.spent()
    ending = summary or ({"status": "running"} if now.process is not None else {"status": "unfinished", **UNFINISHED})
    return {
        "name": now.recipe["name"],
        "status": ending["status"],
        "process": now.process,
        "message": ending.get("message", ""),
        "hint": ending.get("hint", ""),
        "trouble": follower.trouble,
        "reading": None if follower.level or seen >= made else {"done": seen, "of": made},
        "requested": sum(generator["requested"] for generator in generators),
        "accepted": sum(generator["accepted"] for generator in generators),
        "attempts": sum(generator["attempts"] for generator in generators),
        "rejected": dict(sorted(rejected.items(), key=lambda one: -one[1])),
        "calls": summary["calls"]["sent"] if summary else sum(role["calls"] for role in roles),
        "tokens": summary["tokens"]
        if summary
        else {name: sum(role[name] for role in roles) for name in ("input", "output")},
        "cost_usd": summary["cost_usd"] if summary else sum(role["cost_usd"] for role in roles),
        "seconds": summary["seconds"] if summary else None,
        "estimate": (now.summary or {}).get("estimate"),
        "generators": generators,
        "models": {name: spec.get("model") or spec["provider"] for name, spec in now.recipe["models"].items()},
        "marks": dict(sorted(_count(follower.marks).items())),
    }


def _ended(summary: Json | None, made: dict[str, int]) -> Json | None:
    """The summary, where nothing has been made since it was written."""
    if summary is None:
        return None
    told = summary["generators"]
    return summary if all(told.get(name, {}).get("attempts") == count for name, count in made.items()) else None


def _generator(spec: Json, gates: dict[str | None, int], told: Json | None) -> Json:
    head = {"id": spec["id"], "kind": spec["kind"], "requested": spec["count"]}
    if told is not None:
        return head | {name: told[name] for name in ("accepted", "attempts", "rejected")}
    rejected = {gate: count for gate, count in gates.items() if gate is not None}
    return head | {"accepted": gates.get(None, 0), "attempts": sum(gates.values()), "rejected": rejected}


def _count(marks: dict[str, str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for mark in marks.values():
        counts[mark] = counts.get(mark, 0) + 1
    return counts
