"""Tells an assistant the next step of a task's workflow. It knows the way, and no value that nobody has said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import orjson

from synth.agents.context import UnitContext
from synth.agents.guide import Coached, Hint
from synth.environments.vocabulary import RecordedCall
from synth.generators.base import Setup
from synth.generators.tool_use.describing import describe
from synth.generators.tool_use.workflow import Fact, Step, Workflow
from synth.messages import Message, Tool
from synth.recipe.models import SamplingSpec

_YES = re.compile(r"\b(yes|yeah|yep|sure|please do|go ahead|correct|right|ok|okay|fine|do it|agree|confirm\w*)\b", re.I)
_WHICH = ("Which {} would you like?", "Could you tell me which {} you mean?")
_QUESTIONS = (
    "Could you tell me your {}, please?",
    "May I have your {}?",
    "Sure, what is your {}?",
    "I can help with that. Could you give me your {}?",
)
# A question is not yet a proposal: small models skip ahead.
_NO_PROPOSAL = r"^(?!.*\b(i will|i'll|i'm going to|is that (right|correct)|shall i|should i)\b)"
_PROPOSALS = (
    "I will {}. Is that right?",
    "I'm going to {}. Shall I go ahead?",
    "So that I get it right: I will {}. Is that what you want?",
    "I would now {}. May I go ahead?",
)
_MOST_QUESTIONS = 2
"""What the user does not tell when asked so often is left to the assistant."""


class WorkflowGuide:
    """One conversation's guide. ``calls`` tells what the environment has recorded so far.

    ``forbidden`` says why the last step may not be done; ``withdrawn`` whether the user has taken it back.
    """

    def __init__(
        self,
        workflow: Workflow,
        calls: Callable[[], Sequence[RecordedCall]],
        *,
        forbidden: str = "",
        withdrawn: Callable[[], bool] = lambda: False,
    ) -> None:
        self._workflow = workflow
        self._calls = calls
        self._forbidden = forbidden
        self._withdrawn = withdrawn
        self._asked: Counter[str] = Counter()
        self._proposed: Step | None = None
        self.step: Step | None = None
        """What the last hint leads to; None once all is done."""
        self.fact = ""
        """The name of the fact that the last hint asks for."""

    def next(self, conversation: Sequence[Message]) -> Hint:
        """The first step that is not done yet: what to ask for it, or to make its call; then the end."""
        self.step, self.fact = None, ""
        if self._withdrawn():
            return Hint(
                "The customer has changed their mind. Say in one friendly sentence that nothing was changed, such as: "
                "No problem, I have left everything as it was.",
                expects=r"^(?!you\b).*(nothing|unchanged|\bas (it|they) (is|was|are|were)|left)",
            )
        self.step = step = self._pending()
        if step is None:
            done = " ".join(in_past(one.tool) for one in self._workflow.steps if one.writes)
            return Hint(
                f"All is done. Tell the customer so in one sentence, such as: {done}",
                expects=r"^(?!.*(\?|\bwill\b)).*(has been|have been|\bis now\b|\bdone\b|i have|i've)",
            )
        said = "\n".join(message.content or "" for message in conversation if message.role == "user")
        for name in step.needs:
            if not self._workflow.facts[name].told_in(said) and self._asked[name] < _MOST_QUESTIONS:
                self._asked[name] += 1
                self.fact = name
                example = self._question(name, conversation)
                return Hint(
                    f"Ask the customer for their {name} now, in one short question, such as: {example}",
                    expects=_NO_PROPOSAL
                    + rf"(.*\b{re.escape(name.split()[-1])}.*\?|.*\?.*{re.escape(name.split()[-1])})",
                )
        if step.writes and self._forbidden:
            rule = self._forbidden.partition(":")[0]  # its name says it, without the ids that a customer never sees
            return Hint(
                f"This is against a rule: {rule}. Tell the customer so kindly in one sentence, such as: "
                f"I'm sorry, but I can't {in_short(step.tool, 'your')}. Our rule is that {rule}.",
                expects=r"^(?!.*\?).*\b(can't|cannot|not (allowed|possible|able)|unable|don't|doesn't)\b",
            )
        if step.writes and not self._agreed(step, conversation):
            self._proposed = step
            needed = [self._workflow.facts[name] for name in step.needs]
            facts = ", ".join(f"{fact.name}: {fact.text}" for fact in needed)
            form = _PROPOSALS[len(conversation[0].content or "") % len(_PROPOSALS)]
            return Hint(
                "Say in one sentence what you are going to do, with all that it is about, and ask whether that is "
                f"right, such as: {form.format(in_short(step.tool, 'your') + (f' ({facts})' if facts else ''))}",
                expects=r"^(?!.*\bmy\b)"
                + "".join(rf"(?=.*{re.escape(fact.text)})" for fact in needed if fact.exact)
                + r".*\?",
            )
        told = tuple(f"{fact.name}: {fact.text}" for fact in self._workflow.facts.values() if fact.told_in(said))
        choices = {name: choices_of(value, conversation) for name, value in step.arguments.items()}
        if len(choices) == 1:
            choices = {name: self._untried(step, found) for name, found in choices.items()}
        return Hint(f"Use the tool {step.tool} now.", step.tool, tuple(step.arguments), told=told, choices=choices)

    def _untried(self, step: Step, choices: tuple[str, ...]) -> tuple[str, ...]:
        """Of what the one argument of a step may be, what it was not yet when the step's tool was called well."""
        called = [call for call in self._calls() if call.name == step.tool and not call.result.error]
        tried = {orjson.dumps(value) for call in called for value in orjson.loads(call.arguments or "{}").values()}
        return tuple(value for value in choices if orjson.dumps(value) not in tried) or choices

    def _question(self, name: str, conversation: Sequence[Message]) -> str:
        """One of a few ways to ask, another one in each conversation and for each fact."""
        forms = _QUESTIONS if self._workflow.facts[name].exact or name.startswith("new ") else _WHICH
        opening = len(conversation[0].content or "")
        return forms[(opening + sum(self._asked.values())) % len(forms)].format(name)

    def _pending(self) -> Step | None:
        calls = self._calls()
        return next((step for step in self._workflow.steps if not any(step.done_by(call) for call in calls)), None)

    def _agreed(self, step: Step, conversation: Sequence[Message]) -> bool:
        if self._proposed is not step:
            return False
        last = next(message.content or "" for message in reversed(conversation) if message.role == "user")
        return bool(_YES.search(last))


def choices_of(value: object, conversation: Sequence[Message]) -> tuple[str, ...]:
    """What an argument whose right value is ``value`` may be, or each of its items: what the user has said, to the
    letter or in the words of a tool's result, is that; else everything in the results that has its form (``R-104`` and
    ``R-98``)."""
    wanted = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
    said = "\n".join(message.content or "" for message in conversation if message.role == "user")
    results = [message.content or "" for message in conversation if message.role == "tool"]
    if wanted and all(_said(text, said) or _described(text, said, results) for text in wanted):
        return tuple(wanted)
    forms = {_form(text) for text in wanted if re.search(r"\d", text)}
    shown = re.findall(r'"([^"\s]{2,60})"', "\n".join(results))
    return tuple(dict.fromkeys(text for text in shown if _form(text) in forms))


def _said(text: str, said: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", said, re.IGNORECASE) is not None


def _described(wanted: str, said: str, results: Sequence[str]) -> bool:
    """Whether the user has said what a result calls the thing with this id."""
    for result in results:
        with suppress(orjson.JSONDecodeError):  # a malformed result is one of the faults
            words = describe(orjson.loads(result), wanted)
            if words and Fact("", words, exact=False).told_in(said):
                return True
    return False


def _form(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def in_short(tool: str, whose: str) -> str:
    """What a tool does, by its name: ``cancel_order`` is ``cancel your order``."""
    verb, _, rest = tool.replace("_", " ").partition(" ")
    return f"{verb} {whose} {rest.removeprefix('customer ')}" if rest else f"{verb} them"


def in_past(tool: str) -> str:
    """That a tool has done it: ``Your order has been canceled.``"""
    verb, _, rest = tool.replace("_", " ").partition(" ")
    past, thing = past_of(verb), rest.removeprefix("customer ")
    return (
        f"Your {thing} {'have' if re.search('[^s]s$', thing) else 'has'} been {past}."
        if thing
        else f"That has been {past}."
    )


_PAST = {"set": "set", "give": "given", "send": "sent", "write": "written", "make": "made", "lend": "lent"}
_PAST |= {
    "pay": "paid",
    "put": "put",
    "take": "taken",
    "sell": "sold",
    "buy": "bought",
    "hold": "held",
    "leave": "left",
}


def past_of(verb: str) -> str:
    """``cancel`` is ``canceled``."""
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return f"{verb[:-1]}ied"
    return _PAST.get(verb) or f"{verb}d" * verb.endswith("e") or f"{verb}ed"


class Coach:
    """The role ``assistant`` by the prompt for an assistant that is told each step."""

    def __init__(self, setup: Setup) -> None:
        template = "tool_use/guided"
        self._words = setup.agent(
            "assistant", sampling=SamplingSpec(temperature=0.7, max_tokens=150), template=template
        )
        self._calls = replace(
            setup.agent("assistant", sampling=SamplingSpec(temperature=0.0, max_tokens=300), template=template),
            role="assistant-call",
        )

    def at(self, place: str) -> Coached:
        """For the conversations in one place."""
        return Coached(self._words, self._calls, place)

    async def rehearse(
        self, context: UnitContext, place: str, tools: Sequence[Tool], talk: Sequence[Message], hint: Hint, number: int
    ) -> None:
        """Ask for a turn, whatever the answer."""
        coached = self.at(place)
        if hint.tool is None:
            await coached.say(context, talk, hint, "", number * 10)
            return
        due = next(tool for tool in tools if tool.name == hint.tool)
        await coached.call(context, talk, hint, due, "", number * 10)
