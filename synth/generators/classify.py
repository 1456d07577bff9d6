"""``classify``: texts for a classifier, written for a label from examples of it; the label is checked by a judge.

The judge sees the text without its label, and must choose the label that the text was written for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from synth.agents.context import UnitContext
from synth.diversity.lexical import overlap
from synth.diversity.words import WORD
from synth.errors import Rejected
from synth.example import Draft, Seed
from synth.generators.base import Setup
from synth.generators.preference import Response, preference_columns
from synth.messages import Json, Message
from synth.recipe.kinds.classify import ClassifySpec
from synth.recipe.models import SamplingSpec

_SCHEMA: Json = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 3}},
    "required": ["text"],
    "additionalProperties": False,
}
_MOST_LABELS_SHOWN = 12
"""Of examples with their labels, in the judge's prompt."""
_TRIES = 2
"""Texts written before a unit is given up."""
_MOST_OVERLAP = 0.6
"""Of three-word shingles with one of the examples: more is a copy with a word changed."""


class Classify:
    def __init__(self, setup: Setup, spec: ClassifySpec) -> None:
        self._spec = spec
        self._by_label: dict[str, list[Seed]] = defaultdict(list)
        for seed in setup.seeds:
            self._by_label[_label(seed)].append(seed)
        self._labels = sorted(self._by_label)
        sampling = SamplingSpec(temperature=0.9, top_p=0.9, max_tokens=200)
        self._writer = setup.agent("writer", sampling=sampling, schema=_SCHEMA)
        choosing = SamplingSpec(temperature=0, max_tokens=60)
        self._judge = setup.agent("judge", sampling=choosing, schema=_choice(self._labels))

    async def make(self, context: UnitContext) -> Draft:
        assert context.unit.seed is not None
        label = _label(context.unit.seed)
        shown = self._examples(context, context.unit.seed)
        text = await self._write(context, label, shown)
        visible = {"text": text, "labels": self._labels, "examples": self._labelled(context)}
        found = (await self._judge.ask(context, visible)).value["label"]
        if found != label:
            raise Rejected("label", f"written as {label!r}, judged to be {found!r}", text=text)
        asked, said = Message("user", text), Message("assistant", label)
        extra: Json = {"text": text, "label": label}
        if self._spec.preference:
            rival = await self._rival(context, visible, label)
            separates = f"wrong label: {rival} instead of {label}"
            rejected = Response(Message("assistant", rival), 0.0, separates)
            extra |= preference_columns((asked,), Response(said, 1.0, "right label"), rejected, separates)
        return Draft(messages=(asked, said), text=text, extra=extra)

    async def _write(self, context: UnitContext, label: str, shown: Sequence[str]) -> str:
        """A text that has the form of ``shown``. Raises ``Rejected`` (gate ``form``) where the second is not better."""
        complaint, said = "", any(_says(example, label) for example in shown)
        for sample in range(_TRIES):
            visible = {"label": label, "examples": shown, "label_is_said": said, "complaint": complaint}
            reply = await self._writer.ask(context, visible, sample=sample)
            text = str(reply.value["text"]).strip()
            complaint = _complaint(text, label, shown)
            if not complaint:
                return text
        raise Rejected("form", complaint, text=text)

    async def _rival(self, context: UnitContext, visible: Json, label: str) -> str:
        """The label that the text is most easily taken for besides its own."""
        others = [one for one in self._labels if one != label]
        if len(others) == 1:
            return others[0]
        judge = replace(self._judge, schema=_choice(others))
        return str((await judge.ask(context, {**visible, "labels": others}, sample=1)).value["label"])

    def _examples(self, context: UnitContext, seed: Seed) -> Sequence[str]:
        others = [other for other in self._by_label[_label(seed)] if _text(other) != _text(seed)]
        shown = context.rng.sample(others, min(len(others), self._spec.examples - 1))
        for other in shown:
            context.showed(other)
        return [_text(seed), *map(_text, shown)]

    def _labelled(self, context: UnitContext) -> list[tuple[str, str]]:
        labels = context.rng.sample(self._labels, min(len(self._labels), _MOST_LABELS_SHOWN))
        chosen = [(context.rng.choice(self._by_label[label]), label) for label in labels]
        for seed, _ in chosen:
            context.showed(seed)
        return [(_text(seed), label) for seed, label in chosen]


def _complaint(text: str, label: str, examples: Sequence[str]) -> str:
    """What a program can see wrong with a text that should be one more of ``examples``; empty where nothing is."""
    words, longest = len(text.split()), max(len(example.split()) for example in examples)
    if words > 1.5 * longest + 5:
        return "it was much longer than the texts given"
    if _says(text, label) and not any(_says(example, label) for example in examples):
        return f"it said {label!r}"
    if any(overlap(example, text) > _MOST_OVERLAP for example in examples):
        return "it was nearly the same as a text given"
    return ""


def _says(text: str, label: str) -> bool:
    """Whether ``label`` stands in ``text`` in whole words: `ham` is not in `shamrock`."""
    text, label = text.lower(), label.lower()
    words, sought = re.findall(WORD, text), re.findall(WORD, label)
    starts = range(len(words) - len(sought) + 1)
    return label in text and any(words[start : start + len(sought)] == sought for start in starts)


def _text(seed: Seed) -> str:
    return str(seed.fields["text"])


def _choice(labels: Sequence[str]) -> Json:
    return {
        "type": "object",
        "properties": {"label": {"enum": list(labels)}},
        "required": ["label"],
        "additionalProperties": False,
    }


def _label(seed: Seed) -> str:
    return str(seed.fields["label"]).strip()
