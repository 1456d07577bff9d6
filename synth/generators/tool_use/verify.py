"""What has to hold of a conversation for it to be kept, checked by program."""

from __future__ import annotations

import re
from collections.abc import Sequence

from synth.agents.tool_loop import Conversation, shown
from synth.environments.environment import Environment
from synth.errors import Rejected
from synth.generators.tool_use.reward import Criteria, judge
from synth.generators.tool_use.task import Task
from synth.messages import Message

LEAST_REWARD = 0.9
"""The target state reached (0.7), and at least two thirds of what was used told before it was used."""
_NO = re.compile(
    r"\b(can't|cannot|can not|unable|not able|not allowed|not permitted|not possible|may not|must not|won't be able"
    r"|isn't possible|not eligible|don't allow|doesn't allow|do not allow|does not allow|against (our|the) policy"
    r"|policy forbids|forbidden|couldn't|could not|not covered)\b",
    re.IGNORECASE,
)


_SEARCHES = re.compile(
    r"\W*(?:\w+\W+){0,2}?(find|locate|look\w* up|see|access|verify|understand|tell|recognise|recognize)\b",
    re.IGNORECASE,
)
"""After the no, what an assistant may be unable to do without refusing anything."""


def says_no(text: str) -> bool:
    """Whether a line tells that something cannot be done. A question, or that nothing was found, does not."""
    sentences = re.split(r"(?<=[.!?])\s+", text.replace("’", "'"))
    found = ((one, _NO.search(one)) for one in sentences if "?" not in one)
    return any(no is not None and not _SEARCHES.match(one, no.end()) for one, no in found)


def require_withdrawal(task: Task, talk: Conversation, *, gave_up: bool) -> None:
    """Raises ``Rejected`` (gate ``user``) where the user was to take everything back and never did."""
    if task.ending == "withdrawn" and not gave_up:
        raise Rejected("user", "the user was to take it back, and did not", text=shown(talk.messages))


async def verify(environment: Environment, task: Task, talk: Conversation) -> Criteria:
    """The criteria of a conversation that stands.

    Raises ``Rejected``: ``replay`` where the calls give other results on a fresh environment, ``policy`` where an
    invariant is broken, ``state`` where the end state is not the task's, ``refusal`` where what may not be done was
    not refused, or refused unseen, ``interaction`` where the assistant acted on what nobody had told it.
    """
    text = shown(talk.messages)
    if differences := await environment.replay():
        raise Rejected("replay", differences[0], text=text)
    violations = await environment.violations()
    end = await environment.state_hash()
    criteria = judge(task, talk.messages, environment.calls, end_hash=end, violations=violations)
    if violations:
        raise Rejected("policy", violations[0], text=text)
    if end != task.target_hash:
        what = "nothing was changed" if end == task.blueprint.start_hash else "something else was changed"
        raise Rejected("state", f"the end state is not the target: {what}", text=text)
    if task.blueprint.forbidden and not any(says_no(line) for line in _spoken(talk.messages)):
        raise Rejected("refusal", f"nobody said that it may not be done: {task.blueprint.forbidden}", text=text)
    looked_up = any(not call.result.error for call in environment.calls)
    if task.ending == "refused" and not looked_up and not all(step.writes for step in task.workflow.steps):
        raise Rejected("refusal", "it was refused before anything was looked up", text=text)
    if criteria.reward < LEAST_REWARD:
        raise Rejected("interaction", f"acted on what nobody had told it (reward {criteria.reward:.2f})", text=text)
    return criteria


def _spoken(messages: Sequence[Message]) -> list[str]:
    return [message.content or "" for message in messages if message.role == "assistant"]
