"""``custom``: the user's own ensemble, in order: each step is one agent that answers one prompt."""

from __future__ import annotations

from typing import Any

from synth.agents.agent import Agent
from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.messages import Message
from synth.prompts import PromptError, Template, template_from_recipe
from synth.recipe.schema import CustomSpec, StepSpec

_FALSE = {"", "false", "0", "no", "none"}


class Custom:
    def __init__(self, setup: Setup, spec: CustomSpec) -> None:
        self._steps = [self._agent(setup, step) for step in spec.steps]
        self._accept = _template(setup, spec.accept, f"{spec.id}.accept") if spec.accept is not None else None
        self._messages = [
            (message.role, _template(setup, message.content, f"{spec.id}.output.messages.{index}"))
            for index, message in enumerate(spec.output.messages)
        ]
        text = spec.output.text
        self._text = _template(setup, text, f"{spec.id}.output.text") if text is not None else None

    async def make(self, context: UnitContext) -> Draft:
        results: dict[str, Any] = {}
        for agent in self._steps:
            results[agent.role] = (await agent.ask(context, results)).value
        visible = {**context.variables, **results}
        try:
            if self._accept is not None:
                verdict = self._accept.render(visible)
                if verdict.lower() in _FALSE:
                    raise Rejected("accept", f"accept rendered to {verdict!r}", text=str(results))
            messages = tuple(Message(role, template.render(visible)) for role, template in self._messages)
            text = self._text.render(visible) if self._text is not None else _last_answer(messages)
        except PromptError as error:
            raise Rejected("template", error.message, text=str(results)) from error
        return Draft(messages=messages, text=text)

    @staticmethod
    def _agent(setup: Setup, step: StepSpec) -> Agent:
        return setup.agent_from(
            step.agent,
            step.name,
            _template(setup, step.prompt, f"{setup.spec.id}.{step.name}"),
            schema=step.schema_,
            system=_template(setup, step.system, f"{setup.spec.id}.{step.name}.system") if step.system else None,
            repairs=step.repairs,
        )


def _template(setup: Setup, text: str, name: str) -> Template:
    return template_from_recipe(text, setup.base, name)


def _last_answer(messages: tuple[Message, ...]) -> str:
    said = [message for message in messages if message.role == "assistant"] or list(messages)
    return said[-1].content or ""
