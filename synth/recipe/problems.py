"""Collects what is wrong with a recipe, each thing where the user wrote it: in the file or on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from synth.errors import Problem, RecipeError
from synth.recipe.yaml import KeyPath, Span


@dataclass(slots=True)
class Problems:
    """Problems of one recipe. ``origins`` says which values came from the command line, and by which words;
    ``blamed`` are the paths of values that something is wrong with.
    """

    file: str
    keys: dict[KeyPath, Span] = field(default_factory=dict)
    values: dict[KeyPath, Span] = field(default_factory=dict)
    lines: Sequence[str] = ()
    origins: dict[KeyPath, str] = field(default_factory=dict)
    found: list[Problem] = field(default_factory=list)
    blamed: set[KeyPath] = field(default_factory=set)

    def at(self, path: KeyPath, message: str, hint: str = "") -> None:
        """A problem with the value at ``path``, or with the nearest thing around it that was written."""
        self.blamed.add(path)
        self._add(path, self.values, message, hint)

    def at_key(self, path: KeyPath, message: str, hint: str = "") -> None:
        """A problem with the key that ends ``path``."""
        self._add(path, self.keys, message, hint)

    def at_text(self, path: KeyPath, line: int, word: str, message: str, hint: str = "") -> None:
        """A problem with ``word`` on the given line of the template that stands at ``path``."""
        span = self.values.get(path)
        if span is None or self._origin(path):
            self.at(path, message, hint)
            return
        first, column = (span.line + line, 1) if span.block else (span.line, span.column)
        place = locate(self.lines, word, first, span.end_line, column) or (first, self._indented(first, column))
        self.add(Problem(self.file, *place, message, hint))

    def add(self, problem: Problem) -> None:
        if problem not in self.found:  # an alias repeats its problems
            self.found.append(problem)

    def raise_if_any(self) -> None:
        """Raises ``RecipeError`` with everything found, the recipe's own first, in the order of position."""
        if self.found:
            order = sorted(
                self.found, key=lambda found: (found.file != self.file, found.file, found.line, found.column)
            )
            raise RecipeError(order)

    def _indented(self, line: int, column: int) -> int:
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return max(column, len(text) - len(text.lstrip()) + 1)

    def _origin(self, path: KeyPath) -> str | None:
        """The words on the command line that a value, or all that was written of it, came from."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.origins:
                return self.origins[path[:end]]
        if path in self.values:
            return None
        return next((words for given, words in self.origins.items() if given[: len(path)] == path), None)

    def _add(self, path: KeyPath, spans: dict[KeyPath, Span], message: str, hint: str) -> None:
        if origin := self._origin(path):
            self.add(Problem(origin, 0, 0, message, hint))
            return
        span = spans.get(path)
        while span is None and path:
            path = path[:-1]
            span = self.values.get(path)
        self.add(Problem(self.file, span.line if span else 0, span.column if span else 0, message, hint))


def locate(lines: Sequence[str], word: str, first: int, last: int, column: int = 1) -> tuple[int, int] | None:
    """Line and column of the first ``word`` in a template's ``{{ }}`` or ``{% %}``.

    The template stands in ``lines`` from line ``first``, column ``column``, to line ``last``.
    """
    for number in range(first, min(last, len(lines)) + 1):
        text = lines[number - 1]
        start = column - 1 if number == first else 0
        for match in re.compile(rf"\b{re.escape(word)}\b").finditer(text, start) if word else ():
            before = text[start : match.start()]
            if max(before.rfind("{{"), before.rfind("{%")) > max(before.rfind("}}"), before.rfind("%}")):
                return number, match.start() + 1
    return None


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, if there is one."""
    names = list(known)
    by_folded = {name.casefold(): name for name in reversed(names)}
    close = get_close_matches(wrong.casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else None


def did_you_mean(wrong: str, known: Iterable[str], what: str) -> str:
    """A hint for a name that is not known: the one that was probably meant, else all of them."""
    names = list(known)
    if close := nearest(wrong, names):
        return f"did you mean {close!r}?"
    return f"{what}: {', '.join(names)}" if names else ""
