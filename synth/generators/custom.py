"""``custom``: the user's own ensemble, in order: each step is one agent that answers one prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synth.agents.context import UnitContext
from synth.errors import Rejected
from synth.example import Draft
from synth.generators.base import Setup
from synth.generators.responses import SAYS_NO, Try, prefer
from synth.generators.steps import Step, as_read, is_true
from synth.judging.panel import Panel, Subject
from synth.messages import Message
from synth.prompts import PromptError, Template, names_in, template_from_recipe
from synth.recipe.kinds.custom import CustomSpec
from synth.recipe.rubric import load_rubric
from synth.recipe.step_order import first_of_answer, goes_back_to, most_takes


class Custom:
    def __init__(self, setup: Setup, spec: CustomSpec) -> None:
        self._names = [step.name for step in spec.steps]
        self._steps = [
            Step(setup, step, again_from=place)
            for step, place in zip(spec.steps, goes_back_to(spec.steps), strict=True)
        ]
        self._most_takes = most_takes(spec.steps)
        self._accept = _template(setup, spec.accept, f"{spec.id}.accept") if spec.accept is not None else None
        self._messages = [
            (message.role, _template(setup, message.content, f"{spec.id}.output.messages.{index}"))
            for index, message in enumerate(spec.output.messages)
        ]
        text = spec.output.text
        self._text = _template(setup, text, f"{spec.id}.output.text") if text is not None else None
        self._prefer = spec.prefer
        self._panel: Panel | None = None
        if spec.preference:
            rubric = load_rubric(spec.prefer.rubric, setup.base)
            self._panel = Panel(rubric, setup.models, spec.prefer.judges, role="prefer")
            setup.prompts.update(self._panel.prompts)
            self._answered_from = first_of_answer(spec, setup.base)
            self._answer = names_in(self._messages[-1][1]) & {*self._names[self._answered_from :]}

    async def make(self, context: UnitContext) -> Draft:
        if self._panel is not None:
            return await self._make_preference(context, self._panel)
        results = await self._take_steps(context, {}, 0)
        self._accepted(context, results)
        return self._draft(context, results)

    async def outline(self, context: UnitContext) -> None:
        """All steps; with ``preference`` as many responses as there may be, with their judges."""
        if self._panel is None:
            await self.make(context)
            return
        shared = await self._take_steps(context, {}, 0, until=self._answered_from)
        said: tuple[Message, ...] = ()
        for number in range(self._prefer.responses):
            results = dict(shared)
            await self._take_steps(context, results, self._answered_from, repeat=number)
            said = self._render(context, results)
            await self._panel.assess(context, Subject(said), sample=number)
        if self._prefer.confirm:
            await self._panel.compare(context, Subject(said[:-1]), said[-1].content or "", said[-1].content or "")

    async def _make_preference(self, context: UnitContext, panel: Panel) -> Draft:
        """The steps before the answer once, those from there on for every response."""
        first = self._answered_from
        shared = await self._take_steps(context, {}, 0, until=first)
        tries: list[tuple[Try, dict[str, Any]]] = []
        complaint: Rejected | None = None
        for number in range(self._prefer.responses):
            results = dict(shared)
            try:
                await self._take_steps(context, results, first, repeat=number)
                self._accepted(context, results)
            except Rejected as rejected:
                complaint = rejected
                if rejected.gate not in SAYS_NO or not self._is_answered(results):
                    continue  # no response to reject, or nobody who rejects it
                one = Try(self._render(context, results), rejected)
            else:
                one = Try(self._render(context, results), None)
            if one.text not in {"", "None"}:
                tries.append((one, results))
        if not tries:
            raise complaint or Rejected("preference", "no response came of it")
        chosen, columns = await prefer(context, [one for one, _ in tries], panel, confirm=self._prefer.confirm)
        results = next(results for one, results in tries if one.messages[-1] == chosen)
        draft = self._draft(context, results)
        scores = {"chosen": columns["responses"][0]["score"], "rejected": columns["responses"][1]["score"]}
        return Draft(messages=draft.messages, text=draft.text, scores=scores, extra=columns)

    async def _take_steps(
        self, context: UnitContext, results: dict[str, Any], first: int, *, until: int | None = None, repeat: int = 0
    ) -> dict[str, Any]:
        """The steps from ``first`` to before ``until``, into ``results``; one that is not satisfied goes back as often
        as it may, and what it goes over has all its rounds again. What a loop has not made yet is None; after a step
        that gives up there are no results. ``repeat`` numbers independent goes at the same steps."""
        steps = self._steps[:until]
        results |= dict.fromkeys(self._names[first : len(steps)], None)
        rounds = [0] * len(steps)
        numbers = [repeat * takes for takes in self._most_takes]
        place = first
        while place < len(steps):
            step = steps[place]
            wanted = step.is_wanted(context, results)
            results[step.name] = await step.take(context, results, numbers[place]) if wanted else None
            rounds[place] += 1
            numbers[place] += 1
            complaint = await step.complaint(context, results) if wanted else None
            if complaint is None:
                place += 1
            elif rounds[place] >= step.rounds:
                for later in self._names[place + 1 :]:
                    results.pop(later, None)  # of an earlier round, if at all
                raise complaint
            else:
                rounds[step.again_from : place] = [0] * (place - step.again_from)
                place = step.again_from
        return results

    def _is_answered(self, results: Mapping[str, Any]) -> bool:
        """Whether every step that the answer names had its turn, and one of them a result."""
        return self._answer <= results.keys() and any(results[name] is not None for name in self._answer)

    def _accepted(self, context: UnitContext, results: Mapping[str, Any]) -> None:
        """Raises ``Rejected`` (gate ``accept``) where the recipe's ``accept`` renders to false."""
        visible = {**context.variables, **results}
        if self._accept is not None and not is_true(self._accept, visible):
            said = self._accept.render(visible)
            raise Rejected("accept", f"accept rendered to {said!r}", text=_written(results))

    def _render(self, context: UnitContext, results: Mapping[str, Any]) -> tuple[Message, ...]:
        visible = {**context.variables, **results}
        try:
            return tuple(Message(role, template.render(visible)) for role, template in self._messages)
        except PromptError as error:
            raise Rejected("template", error.message, text=_written(results)) from error

    def _draft(self, context: UnitContext, results: Mapping[str, Any]) -> Draft:
        messages = self._render(context, results)
        try:
            text = self._text.render({**context.variables, **results}) if self._text is not None else None
        except PromptError as error:
            raise Rejected("template", error.message, text=_written(results)) from error
        return Draft(messages=messages, text=_last_answer(messages) if text is None else text)


def _template(setup: Setup, text: str, name: str) -> Template:
    return template_from_recipe(text, setup.base, name)


def _written(results: Mapping[str, Any]) -> str:
    """What the steps came to, as people read it."""
    return "\n".join(f"{name}: {as_read(result)}" for name, result in results.items() if result is not None)


def _last_answer(messages: tuple[Message, ...]) -> str:
    said = [message for message in messages if message.role == "assistant"] or list(messages)
    return said[-1].content or ""
