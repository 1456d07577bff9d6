"""A panel of judges: each says a level and a reason for every criterion of a rubric; pairs are shown in both orders.

Models as judges are swayed by position (arXiv 2306.05685), so a preference counts only where it is the same with the
answers swapped. A verdict that cannot be read is asked for again, with what was wrong, and then counts as none: it is
never taken for a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from synth.agents.agent import Agent, Answer, resolve_sampling
from synth.agents.context import UnitContext
from synth.agents.together import together
from synth.errors import Rejected
from synth.fingerprint import fingerprint
from synth.messages import Json, Message
from synth.prompts import Template, shipped_template
from synth.recipe.ensemble import AgentRef, AgentSpec
from synth.recipe.models import ModelSpec, SamplingSpec
from synth.recipe.rubric import Rubric

_TRIES = 2
_TOKENS = 150
"""For one reason and level, as JSON."""
_REASON: Json = {"type": "string", "maxLength": 400}

Better = Literal["first", "second"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: a conversation, and by title what a judge has to know besides, such as the policy."""

    messages: Sequence[Message]
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judge's verdict, by criterion. ``judge`` is the name of its model in the recipe."""

    judge: str
    levels: Mapping[str, str]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a panel says of one subject. ``judgements`` are in the panel's order, None where a judge gave no verdict."""

    rubric: Rubric
    judges: tuple[str, ...]
    judgements: tuple[Judgement | None, ...]

    @property
    def scores(self) -> dict[str, float]:
        """By criterion, from 0 to 1: the mean over the judges that gave a verdict; empty where none did."""
        given = [judgement for judgement in self.judgements if judgement is not None]
        if not given:
            return {}
        return {
            name: sum(criterion.score(one.levels[name]) for one in given) / len(given)
            for name, criterion in self.rubric.criteria.items()
        }

    @property
    def score(self) -> float | None:
        """From 0 to 1, by the criteria's weights; None where no judge gave a verdict."""
        scores = self.scores
        return self.rubric.score(scores) if scores else None

    def reason(self, criterion: str) -> str:
        """Why the strictest judge gave the level that it gave, or nothing."""
        scale = self.rubric.criteria[criterion]
        given = [judgement for judgement in self.judgements if judgement is not None]
        strictest = min(given, key=lambda one: scale.score(one.levels[criterion]), default=None)
        return strictest.reasons[criterion] if strictest is not None else ""

    def to_dict(self) -> Json:
        """As a row keeps it; ``levels`` is null for a judge that gave no verdict."""
        return {
            "rubric": self.rubric.name,
            "scores": {name: round(score, 4) for name, score in self.scores.items()},
            "verdicts": [
                {"judge": judge, "levels": dict(one.levels), "reasons": dict(one.reasons)}
                if one is not None
                else {"judge": judge, "levels": None}
                for judge, one in zip(self.judges, self.judgements, strict=True)
            ],
        }

    @classmethod
    def from_dict(cls, data: Json, rubric: Rubric) -> Assessment:
        """What :meth:`to_dict` has kept, by the same ``rubric``."""
        verdicts = data["verdicts"]
        return cls(
            rubric,
            tuple(one["judge"] for one in verdicts),
            tuple(
                Judgement(one["judge"], one["levels"], one["reasons"]) if one["levels"] is not None else None
                for one in verdicts
            ),
        )


@dataclass(frozen=True, slots=True)
class Preference:
    """What a panel says of two answers. ``better`` is None on a tie; ``votes`` are the judges' in the panel's order,
    each None where that judge finds them equal, changes its mind when they are swapped, or gives no verdict."""

    better: Better | None
    votes: tuple[Better | None, ...]
    reason: str


def reaches(score: float, least: float) -> bool:
    """Whether ``score`` is at least ``least``: the mean of three times 0.7 is, though its float is a little below."""
    return round(score - least, 9) >= 0


class Panel:
    """Judges by one rubric; keeps nothing between units. ``role`` names their calls within a unit."""

    def __init__(
        self, rubric: Rubric, models: Mapping[str, ModelSpec], refs: Sequence[AgentRef] = (), *, role: str = "judge"
    ) -> None:
        """``refs`` are the judges; without any, the first of ``models`` is the one."""
        self.rubric = rubric
        chosen = [ref if isinstance(ref, AgentSpec) else AgentSpec(model=ref) for ref in refs]
        chosen = chosen or [AgentSpec(model=next(iter(models)))]
        alone, pair = _prompt(rubric, "judge"), _prompt(rubric, "pair")
        self.prompts = {prompt.name: prompt.hash for prompt in (alone, pair)}
        """Name and hash of every template that its agents use; the hash is of the rubric too."""
        self._agents: list[Agent] = []
        self._comparing: list[Agent] = []
        own = SamplingSpec(temperature=0, max_tokens=_TOKENS * (len(rubric.criteria) + 1))
        for one in chosen:
            sampling = resolve_sampling(own, models[one.model].sampling, one.sampling)
            self._agents.append(Agent(role, one.model, alone, sampling, _levels_schema(rubric), repairs=0))
            self._comparing.append(Agent(f"{role}-pair", one.model, pair, sampling, _PAIR, repairs=0))

    async def assess(self, context: UnitContext, subject: Subject, *, sample: int = 0) -> Assessment:
        """Every judge's verdict. ``sample`` numbers the subjects that are judged within one unit."""
        visible = {**self._visible(subject), "material": render_conversation(subject.messages)}
        first = sample * len(self._agents)
        answers = await together(
            _ask(agent, context, visible, first + place) for place, agent in enumerate(self._agents)
        )
        return Assessment(
            self.rubric,
            tuple(agent.model for agent in self._agents),
            tuple(
                None if answer is None else _judgement(agent.model, answer)
                for agent, answer in zip(self._agents, answers, strict=True)
            ),
        )

    async def compare(
        self, context: UnitContext, subject: Subject, first: str, second: str, *, sample: int = 0
    ) -> Preference:
        """Which of two answers to ``subject`` is better, by most of the judges that say the same in both orders."""
        shown = {**self._visible(subject), "material": render_conversation(subject.messages)}
        orders = ({**shown, "first": first, "second": second}, {**shown, "first": second, "second": first})
        start = sample * 2 * len(self._comparing)
        answers = await together(
            _ask(agent, context, visible, start + 2 * place + order)
            for place, agent in enumerate(self._comparing)
            for order, visible in enumerate(orders)
        )
        votes: list[Better | None] = []
        reasons: dict[Better, str] = {}
        for plain, swapped in zip(answers[::2], answers[1::2], strict=True):
            vote = _same_in_both_orders(plain, swapped)
            votes.append(vote)
            if vote is not None and plain is not None:
                reasons.setdefault(vote, str(plain.value["reason"]))
        ahead = votes.count("first") - votes.count("second")
        better: Better | None = "first" if ahead > 0 else "second" if ahead < 0 else None
        return Preference(better, tuple(votes), reasons.get(better, "") if better else "")

    def _visible(self, subject: Subject) -> Json:
        return {"about": self.rubric.about, "criteria": self.rubric.criteria, "notes": subject.notes}


_PAIR: Json = {
    "type": "object",
    "properties": {"reason": _REASON, "better": {"enum": ["A", "B", "equal"]}},
    "required": ["reason", "better"],
    "additionalProperties": False,
}


def _levels_schema(rubric: Rubric) -> Json:
    """The reason comes before the level, so that it can lead to it."""
    verdicts = {
        name: {
            "type": "object",
            "properties": {"reason": _REASON, "level": {"enum": list(criterion.scale)}},
            "required": ["reason", "level"],
            "additionalProperties": False,
        }
        for name, criterion in rubric.criteria.items()
    }
    return {"type": "object", "properties": verdicts, "required": list(verdicts), "additionalProperties": False}


def _prompt(rubric: Rubric, way: str) -> Template:
    """The shipped template under the rubric's name: lineage and lock then change with the one and with the other."""
    template = shipped_template(f"rubrics/{way}")
    name = rubric.name if way == "judge" else f"{rubric.name} ({way})"
    return replace(template, name=name, hash=fingerprint([template.hash, rubric.hash]))


async def _ask(agent: Agent, context: UnitContext, visible: Json, number: int) -> Answer | None:
    complaint = ""
    for attempt in range(_TRIES):
        try:
            return await agent.ask(context, {**visible, "complaint": complaint}, sample=number * _TRIES + attempt)
        except Rejected as rejected:
            if rejected.gate == "template":
                raise
            complaint = rejected.reason
    return None


def _judgement(judge: str, answer: Answer) -> Judgement:
    levels = {name: str(said["level"]) for name, said in answer.value.items()}
    return Judgement(judge, levels, {name: str(said["reason"]) for name, said in answer.value.items()})


def _same_in_both_orders(plain: Answer | None, swapped: Answer | None) -> Better | None:
    if plain is None or swapped is None:
        return None
    match plain.value["better"], swapped.value["better"]:
        case ("A", "B"):
            return "first"
        case ("B", "A"):
            return "second"
    return None


def render_conversation(messages: Sequence[Message]) -> str:
    """A conversation as a judge reads it: who says what, which tools are called with what, and what they answer."""
    lines: list[str] = []
    for message in messages:
        if message.reasoning:
            lines.append(f"{message.role.capitalize()} thinks: {message.reasoning}")
        if message.role == "tool":
            lines.append(f"Tool answers: {message.content or ''}")
        elif message.content:
            lines.append(f"{message.role.capitalize()}: {message.content}")
        lines += [f"{message.role.capitalize()} calls {call.name}({call.arguments})" for call in message.tool_calls]
    return "\n\n".join(lines)
