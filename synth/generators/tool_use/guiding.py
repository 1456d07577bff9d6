"""Tells an assistant the next step of a task's workflow. It knows the way, and no value that nobody has said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from synth.agents.guide import Hint
from synth.environments.vocabulary import RecordedCall
from synth.generators.tool_use.workflow import Step, Workflow
from synth.messages import Message

_YES = re.compile(r"\b(yes|yeah|yep|sure|please do|go ahead|correct|right|ok|okay|fine|do it|agree|confirm\w*)\b", re.I)
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
            return Hint("Note: the user has changed their mind. Say in one friendly sentence that nothing was changed.")
        self.step = step = self._pending()
        if step is None:
            return Hint("Note: all is done. Tell the user in one or two sentences what was done. Ask nothing.")
        said = "\n".join(message.content or "" for message in conversation if message.role == "user")
        for name in step.needs:
            if not self._workflow.facts[name].told_in(said) and self._asked[name] < _MOST_QUESTIONS:
                self._asked[name] += 1
                self.fact = name
                return Hint(f"Note: ask the user for the {name} now, in one short friendly question. Call no tool.")
        if step.writes and self._forbidden:
            return Hint(
                f"Note: the policy forbids this: {self._forbidden}. Tell the user kindly, in one or two sentences, "
                "that you cannot do it and why. Call no tool and offer nothing else."
            )
        if step.writes and not self._agreed(step, conversation):
            self._proposed = step
            facts = ", ".join(f"{name} {self._workflow.facts[name].text}" for name in step.needs)
            return Hint(
                f"Note: before you {step.tool.replace('_', ' ')}, say in one or two sentences what you are going to do"
                f"{f' ({facts})' if facts else ''}, and ask the user for a yes. Call no tool yet."
            )
        names = ", ".join(step.arguments)
        return Hint(f"Note: call the tool {step.tool} now, with {names} as the conversation gives them.", step.tool)

    def _pending(self) -> Step | None:
        calls = self._calls()
        return next((step for step in self._workflow.steps if not any(step.done_by(call) for call in calls)), None)

    def _agreed(self, step: Step, conversation: Sequence[Message]) -> bool:
        if self._proposed is not step:
            return False
        last = next(message.content or "" for message in reversed(conversation) if message.role == "user")
        return bool(_YES.search(last))
