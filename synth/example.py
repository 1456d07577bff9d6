"""The nouns of a run: a seed becomes work units, a unit an attempt, an attempt an example or a rejection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synth.messages import Json, Message, Tool, Usage


@dataclass(frozen=True, slots=True)
class Seed:
    """One curated example of the user's: its fields after renaming, and its id (given, or its row number).

    ``line`` is where it stands in the seeds file, from 1, for messages; 0 where nobody knows. ``ancestors`` are, of one
    that was itself made, the ids of what it was made from, the curated seed first.
    """

    id: str
    fields: Mapping[str, Any]
    line: int = field(default=0, compare=False)
    ancestors: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """The id of the curated seed that it comes from; its own where it is one."""
        return self.ancestors[0] if self.ancestors else self.id


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """One place in a generator's endless plan.

    ``index`` is the place, from 0. ``cycle`` is how many times the plan has been through all seeds before.
    ``rng_seed`` is the only source of randomness for whoever carries the unit out. ``persona`` is who speaks,
    ``long_tail`` names features such as ``typos``, ``avoid`` are texts that earlier tries were too close to.
    ``echo`` marks one that only shows what the teacher says greedily.
    """

    generator: str
    kind: str
    index: int
    cycle: int
    seed: Seed | None
    attributes: Mapping[str, Any]
    rng_seed: int
    persona: Mapping[str, Any] | None = None
    long_tail: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    echo: bool = False

    @property
    def id(self) -> str:
        return f"{self.generator}-{'echo.' if self.echo else ''}{self.index:06d}"


def generator_of(unit_id: str) -> str:
    """The generator whose unit has this id."""
    return unit_id.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate says of one example. ``near`` names what it is too close to, the nearest first; ``judgement`` is
    what judges said of it, as the row keeps it."""

    gate: str
    passed: bool
    reason: str = ""
    score: float | None = None
    near: tuple[str, ...] = ()
    judgement: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a generator made of a unit, before any gate has looked at it.

    ``text`` is what makes this example different from others: the novelty filter compares it. ``fields`` are
    named values that further generations and templates may use. ``extra`` are further columns of the row.
    """

    messages: tuple[Message, ...]
    text: str
    tools: tuple[Tool, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where an example comes from, and what it cost in all, the calls that led nowhere included.

    ``seeds`` are the ids of all curated examples that some prompt showed, ``ancestors`` of what the unit's own seed
    comes from, itself last: one for each generation.
    """

    seeds: tuple[str, ...]
    models: Mapping[str, str]
    prompts: Mapping[str, str]
    calls: tuple[str, ...]
    usage: Usage
    cost_usd: float | None
    ancestors: tuple[str, ...] = ()

    def to_dict(self) -> Json:
        return {
            "seeds": list(self.seeds),
            "generation": len(self.ancestors),
            "ancestors": list(self.ancestors),
            "models": dict(self.models),
            "prompts": dict(self.prompts),
            "calls": list(self.calls),
            "tokens": {"input": self.usage.input, "output": self.usage.output},
            "cost_usd": self.cost_usd,
        }


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a unit: a draft that passed its own checks, or the verdict that ended it."""

    unit: WorkUnit
    lineage: Lineage
    draft: Draft | None
    verdicts: tuple[Verdict, ...]
    text: str = ""

    @property
    def rejection(self) -> Verdict | None:
        """The verdict that said no, or None while nothing has."""
        return next((verdict for verdict in self.verdicts if not verdict.passed), None)
