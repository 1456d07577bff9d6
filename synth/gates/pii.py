"""No personal data: said no to, marked, or replaced by somebody who is nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from synth.curation.pii.finder import PiiFinder
from synth.curation.pii.removing import Removed, mark, remove, stand_ins
from synth.curation.texts import Change, map_arguments, map_texts
from synth.example import Draft, Verdict
from synth.messages import Message, ToolCall
from synth.recipe.gates import PiiSpec


class Pii:
    """Looks at all that a draft holds: messages, reasoning, arguments of tool calls, and further columns.

    Score: how many pieces of personal data were found. See :class:`synth.curation.pii.finder.PiiFinder` for what is
    missed.
    """

    def __init__(self, spec: PiiSpec) -> None:
        self.name = spec.id
        self._rejects = spec.action == "reject"
        self._finder = PiiFinder(spec.kinds, spec.min_score)
        self._write = stand_ins(spec.seed) if spec.action == "replace" else mark

    def judge(self, draft: Draft) -> Verdict:
        return self.mend(draft)[1]

    def mend(self, draft: Draft) -> tuple[Draft, Verdict]:
        removed = remove(self._finder, self._write, list(_Texts(draft)))
        if not removed.count:
            return draft, Verdict(self.name, True, score=0)
        if self._rejects:
            return draft, Verdict(self.name, False, f"it holds {_counted(removed)}", removed.count)
        return _Texts(draft).written(iter(removed.texts)), Verdict(self.name, True, score=removed.count)


def _counted(removed: Removed) -> str:
    """``2 × person, 1 × email``: what was found is not repeated."""
    counts = Counter(one.kind for here in removed.found for one in here)
    return ", ".join(f"{count} × {kind}" for kind, count in counts.most_common())


class _Texts:
    """All texts of a draft in a fixed order, and the same draft with others in their places."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def __iter__(self) -> Iterator[str]:
        collected: list[str] = []

        def collect(text: str) -> str:
            collected.append(text)
            return text

        self._map(collect)
        return iter(collected)

    def written(self, texts: Iterator[str]) -> Draft:
        return self._map(lambda _: next(texts))

    def _map(self, change: Change) -> Draft:
        draft = self._draft
        return replace(
            draft,
            messages=tuple(_message(message, change) for message in draft.messages),
            text=change(draft.text),
            extra=map_texts(dict(draft.extra), change),
        )


def _message(message: Message, change: Change) -> Message:
    return replace(
        message,
        content=map_texts(message.content, change),
        reasoning=map_texts(message.reasoning, change),
        tool_calls=tuple(_call(call, change) for call in message.tool_calls),
    )


def _call(call: ToolCall, change: Change) -> ToolCall:
    return replace(call, arguments=map_arguments(call.arguments, change))
