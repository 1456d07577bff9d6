"""The pictures of a run, in the order in which one reads them; those that it has nothing to show for are left out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from synth.progress.words import format_count, format_duration, format_usd
from synth.recipe.diversity import DiversitySpec
from synth.recipe.space import Bin, Space
from synth.report.charts import Bar, Grid, Part, Series, colour, grids, histogram, lines, stacked_bars
from synth.report.data_map import data_map
from synth.report.facts import Facts, Sampled
from synth.report.likeness import nearest_before
from synth.report.scales import plain
from synth.report.svg import Drawing

_MOST_GRIDS = 6
_MOST_COLUMNS = 12
_MOST_LINES = 16
_MOST_SCORES = 4
_FEWEST_MARKS = 8
_POINTS = 100


@dataclass(frozen=True, slots=True)
class Picture:
    """``name`` is for file names; ``caption`` says what to see, and what it was made from."""

    name: str
    title: str
    caption: str
    drawing: Drawing


def draw_all(facts: Facts, map_by: str = "generator") -> list[Picture]:
    """Every picture that there is something for; ``map_by`` is what the map's colours say."""
    drawn = [
        accepted(facts),
        pace(facts),
        data_map(facts, map_by),
        coverage(facts),
        similarity(facts),
        lengths(facts),
        *scores(facts),
        precision(facts),
        cost(facts),
    ]
    return [Picture(*picture) for picture in drawn if picture is not None]


Drawn = tuple[str, str, str, Drawing]


def accepted(facts: Facts) -> Drawn | None:
    """What each generator accepted of what was asked, and which gate said no to the rest."""
    gates = list(dict.fromkeys(gate for row in facts.tally.values() for gate in sorted(row["rejected"])))
    bars = []
    for name, row in facts.tally.items():
        parts = [Part("accepted", row["accepted"], "good")]
        parts += [
            Part(f"rejected: {gate}", row["rejected"][gate], colour(n + (n >= 2)))
            for n, gate in enumerate(gates)
            if gate in row["rejected"]
        ]
        share = f", {row['accepted'] / row['attempts']:.0%} of attempts" if row["attempts"] else ""
        bars.append(Bar(name, parts, f"{row['accepted']:,} of {row['requested']:,}{share}", row["requested"]))
    drawing = stacked_bars("Accepted and rejected attempts by generator", bars, number=lambda n: f"{n:,.0f}")
    return "accepted", "What came of the attempts", "The line is what was asked for.", drawing


def pace(facts: Facts) -> Drawn | None:
    """Accepted examples over time, and how fast tokens came."""
    if len(facts.pace) < 3:
        return None
    first, last = facts.pace[0].at, facts.pace[-1].at
    width = max(5, -(-(last - first + 5) // _POINTS // 5) * 5)
    buckets = [0.0] * ((last - first) // width + 1)
    made = [0] * len(buckets)
    for row in facts.pace:
        buckets[(row.at - first) // width] += row.output / width
        made[(row.at - first) // width] += row.accepted
    total = 0
    points = [(0.0, 0.0)]
    for place, count in enumerate(made):
        total += count
        points.append(((place + 1) * width, float(total)))
    speed = [((place + 0.5) * width, value) for place, value in enumerate(buckets)]
    most = max(value for _, value in speed) or 1.0
    scaled = [(x, y / most * (total or 1)) for x, y in speed]
    drawing = lines(
        "Accepted examples over time, and output tokens per second",
        [
            Series("accepted so far", "c2", points=points),
            Series(f"tokens per second, at most {most:,.0f}", "c0", points=scaled),
        ],
        x_label="since the run began",
        x_format=lambda x: format_duration(x) if x else "0",
    )
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(first))
    return "pace", "Over time", f"Began {began}; a pause between two invocations shows as a flat line.", drawing


def coverage(facts: Facts) -> Drawn | None:
    """Each two axes: how many accepted examples have each two values, and which have none."""
    space = facts.space
    if space is None or len(space.factors) < 2:
        return None
    pairs = [_grid(facts, space, one, other) for one, other in combinations(range(len(space.factors)), 2)]
    missing = sum(count == 0 for grid in pairs for row in grid.counts for count in row)
    possible = sum(count is not None for grid in pairs for row in grid.counts for count in row)
    told = "None is missing" if not missing else f"{missing:,} of {possible:,} are missing (outlined)"
    shown = [_cut(grid) for grid in pairs[:_MOST_GRIDS]]
    drawing = grids("Accepted examples by two axes each", shown)
    more = f" The first {_MOST_GRIDS} of {len(pairs)} pairs are drawn." if len(pairs) > _MOST_GRIDS else ""
    for name, (drawn, of) in _drawn_values(pairs, shown).items():
        more += f" Of {name} the first {drawn} of {of} values are drawn." if drawn < of else ""
    return "coverage", "Coverage of the axes", f"Combinations of two values. {told}.{more}", drawing


def _grid(facts: Facts, space: Space, down: int, across: int) -> Grid:
    rows, columns = space.factors[down], space.factors[across]
    counts: dict[tuple[int, int], int] = {}
    for values, count in facts.combinations.items():
        one, other = values[down], values[across]
        if one is not None and other is not None:
            counts[one, other] = counts.get((one, other), 0) + count
    return Grid(
        columns.name,
        rows.name,
        [_label(value) for value in columns.values],
        [_label(value) for value in rows.values],
        [
            [
                counts.get((row, column)) or (0 if space.feasible({down: row, across: column}) else None)
                for column in range(len(columns.values))
            ]
            for row in range(len(rows.values))
        ],
    )


def _cut(grid: Grid) -> Grid:
    """As much of it as there is room for."""
    counts = [row[:_MOST_COLUMNS] for row in grid.counts[:_MOST_LINES]]
    return replace(grid, columns=grid.columns[:_MOST_COLUMNS], rows=grid.rows[:_MOST_LINES], counts=counts)


def _drawn_values(pairs: list[Grid], shown: list[Grid]) -> dict[str, tuple[int, int]]:
    """By axis, how many of its values each picture has at least, and of how many."""
    found: dict[str, tuple[int, int]] = {}
    for grid, drawn in zip(pairs, shown, strict=False):
        for name, part, whole in ((grid.across, drawn.columns, grid.columns), (grid.down, drawn.rows, grid.rows)):
            found[name] = min(found.get(name, (len(part), len(whole))), (len(part), len(whole)))
    return found


def _label(value: object) -> str:
    return str(value) if isinstance(value, Bin) else value if isinstance(value, str) else plain_value(value)


def plain_value(value: object) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return str(value).lower()
    return plain(value) if isinstance(value, int | float) else str(value)


def similarity(facts: Facts) -> Drawn | None:
    """How near each accepted or too near example is to the nearest that its generator had accepted before."""
    near = nearest_before(facts)
    if near is None:
        return None
    threshold = _threshold(facts.diversity, meanings=near.meanings) if facts.diversity is not None else None
    series = [Series("accepted", "good", near.accepted), Series("rejected as too near", "bad", near.rejected)]
    what = "cosine of embeddings" if near.meanings else "share of three-word shingles in common"
    drawing = histogram(
        "Similarity to the nearest example accepted before",
        [one for one in series if one.values],
        x_label=what,
        bounds=(0.0, 1.0),
        threshold=threshold,
    )
    return (
        "similarity",
        "Nearest neighbours",
        f"How near each example is to the nearest that its generator had accepted before, by the {what}; "
        f"{len(near.accepted) + len(near.rejected):,} were looked at.",
        drawing,
    )


def _threshold(spec: DiversitySpec, *, meanings: bool) -> tuple[float, str] | None:
    if not meanings:
        return spec.max_overlap, f"max_overlap {spec.max_overlap:g}"
    if spec.max_similarity == "auto":
        return None
    return spec.max_similarity, f"max_similarity {spec.max_similarity:g}"


def lengths(facts: Facts) -> Drawn | None:
    """How long accepted and rejected attempts are."""
    series = [
        Series("accepted", "good", [one.length for one in facts.sample if one.gate is None]),
        Series("rejected", "bad", [one.length for one in facts.sample if one.gate is not None]),
    ]
    series = [one for one in series if one.values]
    if not series:
        return None
    drawing = histogram("Lengths of attempts", series, x_label="characters")
    return "lengths", "Lengths", f"All that is said in it; {_looked_at(facts.sample)}.", drawing


def scores(facts: Facts) -> Iterator[Drawn]:
    """How each score is spread: pass rates, votes, judges' grades."""
    names = list(dict.fromkeys(name for one in facts.sample for name in one.scores))
    for name in names[:_MOST_SCORES]:
        by_generator: dict[str, list[float]] = {}
        for one in facts.sample:
            if name in one.scores and one.gate is None:
                by_generator.setdefault(one.generator, []).append(one.scores[name])
        values = [value for of_one in by_generator.values() for value in of_one]
        if not values:
            continue
        generators = list(facts.tally)
        series = [Series(g, colour(generators.index(g)), of_one) for g, of_one in by_generator.items()]
        bounds = (0.0, 1.0) if min(values) >= 0 and max(values) <= 1 else None
        drawing = histogram(f"Score {name} of accepted examples", series, x_label=name, bounds=bounds)
        mean = sum(values) / len(values)
        yield f"score-{name}", f"Score: {name}", f"Accepted examples; {mean:.3g} on average.", drawing


def precision(facts: Facts) -> Drawn | None:
    """How right one is when one keeps only the highest scores, by the marks of whoever reviewed."""
    judged = [(one, facts.marks[one.unit]) for one in facts.sample if facts.marks.get(one.unit) in {"good", "bad"}]
    series = []
    for number, name in enumerate(dict.fromkeys(name for one, _ in judged for name in one.scores)):
        ranked = sorted(
            ((one.scores[name], mark == "good") for one, mark in judged if name in one.scores), key=lambda p: -p[0]
        )
        if len(ranked) >= _FEWEST_MARKS:
            series.append(Series(name, colour(number), points=_precision_points(ranked)))
    if not series:
        return None
    drawing = lines(
        "Precision against coverage",
        series,
        x_label="share kept, the highest scores first",
        x_format=lambda x: f"{x:.0%}",
        y_format=lambda y: f"{y:.0%}",
        y_bounds=(0.0, 1.0),
    )
    caption = f"The share marked good among those kept, of {len(judged)} examples marked good or bad."
    return "precision", "Precision and coverage", caption, drawing


def _precision_points(ranked: list[tuple[float, bool]]) -> list[tuple[float, float]]:
    """One point for each different score: equal scores cannot be told apart, so they are kept or dropped together."""
    points, good = [], 0
    for place, (score, right) in enumerate(ranked, 1):
        good += right
        if place == len(ranked) or ranked[place][0] != score:
            points.append((place / len(ranked), good / place))
    return [(0.0, points[0][1]), *points]


def cost(facts: Facts) -> Drawn | None:
    """What an accepted example cost, and which role's calls it went to."""
    bars = []
    roles = list(dict.fromkeys(one.role for one in sorted(facts.spent, key=lambda one: -one.tokens)))
    for name, row in facts.tally.items():
        of_one = [one for one in facts.spent if one.generator == name]
        made = row["accepted"]
        if not made or not of_one:
            continue
        parts = [
            Part(one.role, one.tokens / made, colour(roles.index(one.role)))
            for one in sorted(of_one, key=lambda one: roles.index(one.role))
        ]
        usd, seconds = sum(one.cost_usd for one in of_one) / made, sum(one.seconds for one in of_one) / made
        note = f"{format_count(sum(part.value for part in parts))} tokens"
        note += f", {format_duration(seconds)} of answering" if seconds >= 0.1 else ""
        bars.append(Bar(name, parts, note + (f", {format_usd(usd)}" if usd else "")))
    if not bars:
        return None
    drawing = stacked_bars("Tokens per accepted example by role", bars, number=lambda n: f"{n:,.0f} tokens")
    caption = "Tokens in and out for each accepted example, those of rejected attempts included, by who was asked."
    return "cost", "Cost of an accepted example", caption, drawing


def _looked_at(sample: list[Sampled]) -> str:
    return f"{len(sample):,} attempts were looked at"
