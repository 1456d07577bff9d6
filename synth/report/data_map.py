"""The map of a run's data: a point for each attempt, near those that say the like, in colours that say what it is."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable

from synth.report.charts import Dot, colour, scatter
from synth.report.facts import Facts, Sampled, seed_texts, stack
from synth.report.svg import PALETTE, Drawing, shorten

_FEWEST = 5
_LEAST_KNOWN = 0.5
_MOST_NAMED = len(PALETTE) - 1

Look = Callable[[Sampled], str]
Legend = list[tuple[str, str]]


def data_map(facts: Facts, by: str = "generator") -> tuple[str, str, str, Drawing] | None:
    """``by`` is ``generator``, ``verdict``, ``attribute:NAME`` or ``score:NAME``; None without numpy or texts."""
    if len(facts.sample) < _FEWEST or importlib.util.find_spec("numpy") is None:
        return None
    from synth.report.projection import project, word_vectors

    seeds = [(seed.id, "\n".join(seed_texts(seed))) for seed in facts.seeds]
    attempts = facts.sample
    meanings = sum(one.text in facts.vectors for one in attempts) >= _LEAST_KNOWN * len(attempts)
    if meanings:
        attempts = [one for one in attempts if one.text in facts.vectors]
        known = [(s.id, t) for s in facts.seeds for t in seed_texts(s)[:1] if t in facts.vectors]
        seeds = known
        points = project(stack([facts.vectors[text] for text in [*(one.text for one in attempts), *_texts(known)]]))
    else:
        points = project(word_vectors([*(one.text for one in attempts), *_texts(seeds)]))
    look, legend = _looks(facts, attempts, by)
    dots = [
        Dot(
            x,
            y,
            look(one) + (" faded" if one.gate is not None and by != "verdict" else ""),
            f"{one.unit} ({one.gate or 'accepted'}): {shorten(one.text, 120)}",
            key=one.unit,
        )
        for one, (x, y) in zip(attempts, points, strict=False)
    ]
    dots += [
        Dot(x, y, "seed", f"seed {name}: {shorten(text, 120)}", seed=True)
        for (name, text), (x, y) in zip(seeds, points[len(attempts) :], strict=True)
    ]
    drawing = scatter("Map of the data", dots, legend, seeds=bool(seeds))
    how = "meanings, by embeddings" if meanings else "words, by TF-IDF"
    caption = (
        f"{len(attempts):,} attempts"
        + (f" and {len(seeds)} seeds" if seeds else "")
        + f"; those near each other are alike in their {how} (first two principal components)."
        + (" Paler ones were rejected." if by != "verdict" and any(one.gate for one in attempts) else "")
    )
    return "map", "Map of the data", caption, drawing


def map_choices(facts: Facts) -> list[str]:
    """What the map's colours can say of this run."""
    attributes = dict.fromkeys(name for one in facts.sample for name in one.attributes)
    scores = dict.fromkeys(name for one in facts.sample for name in one.scores)
    return [
        "generator",
        "verdict",
        *(f"attribute:{name}" for name in attributes),
        *(f"score:{name}" for name in scores),
    ]


def _texts(seeds: list[tuple[str, str]]) -> list[str]:
    return [text for _, text in seeds]


def _looks(facts: Facts, attempts: list[Sampled], by: str) -> tuple[Look, Legend]:
    kind, _, name = by.partition(":")
    if kind == "score":
        return _by_score(attempts, name)
    if kind == "verdict":
        return _by_value(attempts, lambda one: one.gate or "accepted", first="accepted")
    if kind == "attribute":
        return _by_value(attempts, lambda one: str(one.attributes.get(name, "none")))
    order = list(facts.tally)
    return (lambda one: colour(order.index(one.generator))), [(g, colour(n)) for n, g in enumerate(order)]


def _by_value(
    attempts: list[Sampled], value: Callable[[Sampled], str], first: str | None = None
) -> tuple[Look, Legend]:
    counts = Counter(map(value, attempts))
    ranked = sorted(counts, key=lambda one: (one != first, -counts[one], one))
    looks = {one: colour(n) for n, one in enumerate(ranked[:_MOST_NAMED])}
    if first in looks:
        looks = {one: "good" if one == first else colour(n + (n >= 2)) for n, one in enumerate(ranked[:_MOST_NAMED])}
    other = colour(_MOST_NAMED)
    legend = list(looks.items()) + ([("others", other)] if len(ranked) > _MOST_NAMED else [])
    return (lambda one: looks.get(value(one), other)), legend


def _by_score(attempts: list[Sampled], name: str) -> tuple[Look, Legend]:
    values = [one.scores[name] for one in attempts if name in one.scores]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    width = (high - low) / 4 or 1.0

    def look(one: Sampled) -> str:
        if name not in one.scores:
            return "quiet"
        return f"heat{1 + min(3, int((one.scores[name] - low) / width))}"

    legend = [(f"from {low + n * width:.2g}", f"heat{n + 1}") for n in range(4)]
    return look, [*legend, (f"no {name}", "quiet")]
