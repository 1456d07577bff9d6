"""Collects what is wrong with a recipe, each thing where the user wrote it: in the file or on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from synth.errors import Problem, RecipeError
from synth.recipe.yaml import KeyPath, Span


@dataclass(slots=True)
class Problems:
    """Problems of one recipe. ``origins`` says which values came from the command line, and by which words."""

    file: str
    keys: dict[KeyPath, Span] = field(default_factory=dict)
    values: dict[KeyPath, Span] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)
    found: list[Problem] = field(default_factory=list)

    def at(self, path: KeyPath, message: str, hint: str = "") -> None:
        """A problem with the value at ``path``, or with the nearest thing around it that was written."""
        self._add(path, self.values, message, hint)

    def at_key(self, path: KeyPath, message: str, hint: str = "") -> None:
        """A problem with the key that ends ``path``."""
        self._add(path, self.keys, message, hint)

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

    def _add(self, path: KeyPath, spans: dict[KeyPath, Span], message: str, hint: str) -> None:
        for end in range(len(path), -1, -1):
            if path[:end] in self.origins:
                self.add(Problem(self.origins[path[:end]], 0, 0, message, hint))
                return
        span = spans.get(path)
        while span is None and path:
            path = path[:-1]
            span = self.values.get(path)
        self.add(Problem(self.file, span.line if span else 0, span.column if span else 0, message, hint))


def did_you_mean(wrong: str, known: Iterable[str], what: str) -> str:
    """A hint for a name that is not known: the nearest one that is, else all of them."""
    names = list(known)
    close = get_close_matches(wrong, names, n=1, cutoff=0.6) or [
        name for name in names if name.lower() == wrong.lower()
    ]
    if close:
        return f"did you mean {close[0]!r}?"
    return f"{what}: {', '.join(names)}" if names else ""
