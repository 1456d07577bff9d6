"""What has to hold of a conversation for it to be kept, checked by program."""

from __future__ import annotations

import re
from collections.abc import Sequence

from synth.agents.tool_loop import Conversation, shown
from synth.environments.environment import Environment
from synth.errors import Rejected
from synth.generators.tool_use.guiding import past_of
from synth.generators.tool_use.reward import Criteria, judge
from synth.generators.tool_use.task import Task
from synth.messages import Message

LEAST_REWARD = 0.9
"""The target state reached (0.7), and at least two thirds of what was used told before it was used."""
_NO = re.compile(
    r"\b(can't|cannot|can not|unable|not able|not allowed|not permitted|not authori[sz]ed|not possible|may not|must not"
    r"|won't be able|isn't possible|not eligible|don't allow|doesn't allow|do not allow|does not allow"
    r"|(I|we) (won't|will not)|(must|have to|need to|I|we) decline|against (our|the) (policy|rules?)|prohibit(s|ed)?"
    r"|polic(y|ies) forbids?|forbid(s|den)?|only (allows?|permits?)|exceeds?|(may|can)\b[^.!?;]*\bat most"
    r"|you already ha(ve|d)|couldn't|could not|not covered)\b",
    re.IGNORECASE,
)
_NO_REFUSAL = re.compile(
    r"\W*(?:\w+\W+){0,2}?(find|locate|look\w* up|see|access|verify|understand|tell|recognise|recognize)\b"
    r"|[^.!?;]*\b(until|unless|without|before)\b[^.!?;]*"
    r"\b(tell|telling|give|giving|know|knowing|say|confirm|provide|share|let|check|look|number|name|e-?mail|id|details)",
    re.IGNORECASE,
)
"""After the no: what an assistant may be unable to do without refusing anything, and what it needs to be told first."""


def says_no(text: str) -> bool:
    """Whether a line tells that something cannot be done. A question, that nothing was found, or what has to be told
    first, does not."""
    sentences = (one for one in _sentences(text) if "?" not in one)
    return any(not _NO_REFUSAL.match(one, no.end()) for one in sentences for no in _NO.finditer(one))


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text.replace("’", "'"))


def require_true_ending(task: Task, talk: Conversation) -> None:
    """Raises ``Rejected`` (gate ``ending``) where the assistant's last words plainly say the opposite of what happened.

    That what is done cannot be undone, or that nothing else was done, is not the opposite.
    """
    last = _spoken(talk.messages)[-1]
    tools = [step.tool for step in task.workflow.steps if step.writes]
    if task.ending == "done" and tools and _denies(last, tools):
        raise Rejected("ending", "it was done, and the assistant says that it was not", text=shown(talk.messages))
    if task.ending == "withdrawn" and _claims(last, tools):
        raise Rejected("ending", "nothing was done, and the assistant says that it was", text=shown(talk.messages))


def _denies(line: str, tools: Sequence[str]) -> bool:
    """Whether a line says that what these tools do was not done, and nowhere that it was."""
    does, done = _words_for(tools)
    no = re.compile(
        rf"\bnothing (was|has been|is|got) {done}|\b(was|were|is|are|has|have)( not|n't) (been )?{done}"
        rf"|\b(can't|cannot|can not|couldn't|could not) be {done}(?! (again|twice|later|after|any))"
        rf"|\bI( was| am|'m)? (can't|cannot|can not|couldn't|could not|won't|will not|unable to|not able to"
        rf"|didn't|did not) ({does}|do (that|this|it|so)|help)\b",
        re.IGNORECASE,
    )
    parts = [part for one in _sentences(line) for part in re.split(r"[;,] (?:but|so) |; | but ", one)]
    return any(no.search(part) for part in parts) and not any(_claims(part, tools) for part in parts)


def _claims(line: str, tools: Sequence[str]) -> bool:
    """Whether a line says that what these tools do was done."""
    _, done = _words_for(tools)
    yes = re.compile(
        rf"\b((has|have|is|are|was|were)( now| just| already)?( been)?|(it|that|all)'s( all)?"
        rf"|I('ve)?( now| just| already)?) {done}(?!.* as (it|they) )",
        re.IGNORECASE,
    )
    unsaid = re.compile(
        r"\b(nothing|no(?! (problem|worr))|not|never|none|(your|the) (\w+ )?(request|wish))\b|n't",
        re.IGNORECASE,
    )
    found = ((one, yes.search(one)) for one in _sentences(line) if "?" not in one)
    return any(said is not None and not unsaid.search(one[: said.start()][-40:]) for one, said in found)


def _words_for(tools: Sequence[str]) -> tuple[str, str]:
    """What these tools do, and that it is done, as patterns: ``cancel_order`` cancels, and something is cancelled."""
    words = (re.findall(r"[^\W_]+?(?=[A-Z_\W]|$)", tool) for tool in tools)
    verbs = [found[0].lower() for found in words if found]
    past = [re.sub("([^aeiou])ed$", r"\1{1,2}ed", past_of(verb)) for verb in verbs]
    return f"(?:{'|'.join(verbs)})", f"(?:{'|'.join(['done', 'carried out', 'completed', 'processed', *past])})\\b"


def require_withdrawal(task: Task, talk: Conversation, *, gave_up: bool) -> None:
    """Raises ``Rejected`` (gate ``user``) where the user was to take everything back and never did."""
    if task.ending == "withdrawn" and not gave_up:
        raise Rejected("user", "the user was to take it back, and did not", text=shown(talk.messages))


async def verify(environment: Environment, task: Task, talk: Conversation) -> Criteria:
    """The criteria of a conversation that stands.

    Raises ``Rejected``: ``replay`` where the calls give other results on a fresh environment, ``policy`` where an
    invariant is broken, ``state`` where the end state is not the task's, ``refusal`` where what may not be done was
    not refused, or refused unseen, ``ending`` where the assistant's last words are not true, ``interaction`` where it
    acted on what nobody had told it.
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
    require_true_ending(task, talk)
    if criteria.reward < LEAST_REWARD:
        raise Rejected("interaction", f"acted on what nobody had told it (reward {criteria.reward:.2f})", text=text)
    return criteria


def _spoken(messages: Sequence[Message]) -> list[str]:
    return [message.content or "" for message in messages if message.role == "assistant"]
