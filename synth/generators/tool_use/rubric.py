"""The rubric of SYNTHAGENT (arXiv 2601.22511) by a judge: what no program can see of policy, sub-goals, interaction.

Deviations: the program's criteria stay, and a verdict that cannot be read counts as none. P is the lower of both, for a
policy is kept or it is not; S and U are the mean of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synth.agents.context import UnitContext
from synth.agents.tool_loop import Conversation, shown
from synth.errors import Rejected
from synth.generators.base import Setup
from synth.generators.tool_use.reward import Criteria
from synth.generators.tool_use.task import Task
from synth.generators.tool_use.verify import LEAST_REWARD
from synth.judging.panel import Panel, Subject
from synth.messages import Json, Message
from synth.recipe.rubric import load_rubric

_ENDINGS = {
    "done": "All of it had to be done.",
    "refused": "The policy forbids it, so it had to be refused, and nothing changed: {forbidden}",
    "withdrawn": "The user takes it back on the way, so nothing had to be changed.",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """The criteria of program and judge together, what the judge said, and its first reason where it found fault."""

    criteria: Criteria
    verdict: Json
    reason: str


class RubricJudge:
    """The panel of the recipe's role ``judge``."""

    def __init__(self, setup: Setup, base: Path) -> None:
        self._panel = Panel(load_rubric("conversation", base), setup.models, [setup.spec.agents["judge"]])
        setup.prompts.update(self._panel.prompts)

    async def uphold(
        self, context: UnitContext, task: Task, talk: Conversation, criteria: Criteria, *, policy: str, sample: int
    ) -> Judged:
        """:meth:`assess`, for a conversation that may go out. Raises ``Rejected`` where too little is left of it."""
        judged = await self.assess(context, task, talk.messages, criteria, policy=policy, sample=sample)
        if judged.criteria.reward < LEAST_REWARD:
            reason = f"{judged.reason} (reward {judged.criteria.reward:.2f})"
            raise Rejected("judge", reason, text=shown(talk.messages))
        return judged

    async def assess(
        self,
        context: UnitContext,
        task: Task,
        messages: Sequence[Message],
        criteria: Criteria,
        *,
        policy: str,
        sample: int,
    ) -> Judged:
        """What becomes of the program's ``criteria`` when the judge has read the conversation."""
        subgoals = "\n".join(f"- {step.tool}" for step in task.workflow.steps)
        ending = _ENDINGS[task.ending].format(forbidden=task.blueprint.forbidden)
        notes = {"The policy": policy or "none", "What the user wanted": f"{task.goal}\n{ending}", "One way": subgoals}
        found = await self._panel.assess(context, Subject(messages, notes), sample=sample)
        scores = found.scores
        if not scores:
            return Judged(criteria, found.to_dict(), "")
        together = Criteria(
            policy=min(criteria.policy, scores["policy"]),
            subgoals=(criteria.subgoals + scores["subgoals"]) / 2,
            interaction=(criteria.interaction + scores["interaction"]) / 2,
        )
        worst = min(scores, key=lambda name: scores[name])
        return Judged(together, found.to_dict(), found.reason(worst) if scores[worst] < 1 else "")
