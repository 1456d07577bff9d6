"""``custom``: the user's own ensemble, in order: each step is one agent that answers one prompt."""

from __future__ import annotations

from typing import Any

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.steps import Step, is_true
from synth.messages import Message
from synth.prompts import PromptError, Template, template_from_recipe
from synth.recipe.kinds.custom import CustomSpec


class Custom:
    def __init__(self, setup: Setup, spec: CustomSpec) -> None:
        names = [step.name for step in spec.steps]
        self._steps = [
            Step(setup, step, again_from=names.index(step.again_from) if step.again_from else place)
            for place, step in enumerate(spec.steps)
        ]
        self._accept = _template(setup, spec.accept, f"{spec.id}.accept") if spec.accept is not None else None
        self._messages = [
            (message.role, _template(setup, message.content, f"{spec.id}.output.messages.{index}"))
            for index, message in enumerate(spec.output.messages)
        ]
        text = spec.output.text
        self._text = _template(setup, text, f"{spec.id}.output.text") if text is not None else None

    async def make(self, context: UnitContext) -> Draft:
        results = await self._take_steps(context)
        visible = {**context.variables, **results}
        try:
            if self._accept is not None:
                verdict = self._accept.render(visible)
                if not is_true(self._accept, visible):
                    raise Rejected("accept", f"accept rendered to {verdict!r}", text=str(results))
            messages = tuple(Message(role, template.render(visible)) for role, template in self._messages)
            text = self._text.render(visible) if self._text is not None else _last_answer(messages)
        except PromptError as error:
            raise Rejected("template", error.message, text=str(results)) from error
        return Draft(messages=messages, text=text)

    async def _take_steps(self, context: UnitContext) -> dict[str, Any]:
        """All steps in order; one that is not satisfied goes back as often as it may. What a loop has not made yet is
        None."""
        results: dict[str, Any] = {}
        for place, step in enumerate(self._steps):
            results |= dict.fromkeys((other.name for other in self._steps[step.again_from : place + 1]), None)
        taken = [0] * len(self._steps)
        place = 0
        while place < len(self._steps):
            step = self._steps[place]
            results[step.name] = await step.take(context, results, taken[place])
            taken[place] += 1
            complaint = await step.complaint(context, results)
            if complaint is None:
                place += 1
            elif taken[place] >= step.rounds:
                raise complaint
            else:
                place = step.again_from
        return results


def _template(setup: Setup, text: str, name: str) -> Template:
    return template_from_recipe(text, setup.base, name)


def _last_answer(messages: tuple[Message, ...]) -> str:
    said = [message for message in messages if message.role == "assistant"] or list(messages)
    return said[-1].content or ""
