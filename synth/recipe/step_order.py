"""In which order the steps of a ``custom`` ensemble are taken, how often, and which of them for every response."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synth.errors import UsageError
from synth.recipe.kinds.custom import CustomSpec, StepSpec
from synth.recipe.yaml import KeyPath


class NotApart(UsageError):
    """Prompt and answer cannot be told apart; ``at`` is the place in the generator that says so."""

    def __init__(self, at: KeyPath, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.at = at


def rounds_of(step: StepSpec) -> int:
    """How often a step is taken in a row at most."""
    return step.rounds if step.until is not None or step.check is not None else 1


def goes_back_to(steps: Sequence[StepSpec]) -> list[int]:
    """For every step the place of the one that it goes back to while it is not satisfied."""
    names = [step.name for step in steps]
    return [names.index(step.again_from) if step.again_from else place for place, step in enumerate(steps)]


def most_takes(steps: Sequence[StepSpec]) -> list[int]:
    """How often every step may be taken: all its rounds, once more for every time that a loop around it goes back."""
    back = goes_back_to(steps)
    takes, returns = [0] * len(steps), [0] * len(steps)
    for place in reversed(range(len(steps))):
        passes = 1 + sum(returns[end] for end in range(place + 1, len(steps)) if back[end] <= place)
        takes[place] = passes * rounds_of(steps[place])
        returns[place] = takes[place] - passes
    return takes


def first_of_answer(spec: CustomSpec, base: Path) -> int:
    """The place of the first step that is taken for every response: of those after the prompt's, the first that the
    answer is made of, or that is gone back to from there. Raises ``NotApart``.
    """
    names = [step.name for step in spec.steps]
    *before, last = spec.output.messages
    if not before or last.role != "assistant":
        raise NotApart(
            ("output", "messages"),
            "preference needs a prompt and an answer: the last of several messages is the assistant's",
            hint="output.messages: first the prompt, last {role: assistant, content: …} with what is compared",
        )
    prompt = _made_of(spec, base, [message.content for message in before])
    own = [place for place, name in enumerate(names) if name in _named(base, last.content) - prompt]
    written = max((place for place, name in enumerate(names) if name in prompt), default=-1)
    if not own or own[0] < written:
        raise NotApart(
            ("output", "messages", len(before), "content"),
            "preference needs an answer by a step of its own, which the prompt is not made of and which comes after it",
            hint="the steps that write the prompt come first, then those that write the answer",
        )
    back = goes_back_to(spec.steps)
    for end, start in enumerate(back):
        if start <= written < end:
            if end >= own[0]:
                raise NotApart(
                    ("steps", end, "again_from"),
                    f"going back to {names[start]!r} makes another prompt, and preference compares answers to the same",
                    hint=f"go back to {names[own[0]]!r}, or to another step after {names[written]!r}",
                )
            written = end
    answer = _made_of(spec, base, [last.content])
    first = next(place for place, name in enumerate(names) if name in answer and place > written)
    while (start := min(back[first:])) < first:
        first = start
    return first


def _made_of(spec: CustomSpec, base: Path, texts: Sequence[str]) -> set[str]:
    """The steps that ``texts`` name, those that these are made of, and so on."""
    steps = {step.name: step for step in spec.steps}
    found: set[str] = set()
    waiting = list(_named(base, *texts))
    while waiting:
        step = steps.get(name := waiting.pop())
        if step is not None and name not in found:
            found.add(name)
            waiting += _named(base, *(text for text in (step.prompt, step.system, step.when) if text is not None))
    return found


def _named(base: Path, *texts: str) -> set[str]:
    from synth.prompts import names_in, template_from_recipe

    return {name for text in texts for name in names_in(template_from_recipe(text, base, text))}
