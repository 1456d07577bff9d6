"""The kinds of picture: stacked bars, histograms, lines over time, a grid of counts, points in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from synth.report.scales import Format, Frame, bin_edges, count_in, plain
from synth.report.svg import PALETTE, Drawing, shorten

WIDTH = 440
_ROW = 26
_MOST_LETTERS = 34
_FAR = 0.005
"""Of the points, at each edge of a map: those farther out are drawn at the edge, and do not press the rest together."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar, or an entry of a legend: what it is, how much, and the class of its colour."""

    name: str
    value: float
    look: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of :func:`stacked_bars`; ``note`` stands at its end."""

    name: str
    parts: Sequence[Part]
    note: str = ""
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one line, or values of one histogram."""

    name: str
    look: str
    values: Sequence[float] = ()
    points: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of :func:`scatter`; ``key`` is what opens when it is clicked."""

    x: float
    y: float
    look: str
    tip: str
    key: str = ""
    seed: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Counts by two axes; None is a combination that cannot be."""

    across: str
    down: str
    columns: Sequence[str]
    rows: Sequence[str]
    counts: Sequence[Sequence[int | None]] = field(default_factory=list)


def colour(number: int) -> str:
    """The class of the colour with this number; the last is for all that come after."""
    return f"c{min(number, len(PALETTE) - 1)}"


def legend(drawing: Drawing, entries: Sequence[tuple[str, str]], y: float, left: float = 0.0) -> float:
    """Names with their colours, in lines as wide as the drawing; where the next thing below may begin."""
    x = left
    for name, look in entries:
        words = shorten(name, _MOST_LETTERS)
        width = 18 + 6.6 * len(words)
        if x > left and x + width > drawing.width:
            x, y = left, y + 18
        drawing.rect(x, y + 2, 10, 10, look)
        drawing.text(x + 15, y + 11, words, "muted small")
        x += width + 8
    return y + 22


def stacked_bars(label: str, bars: Sequence[Bar], *, number: Format = plain) -> Drawing:
    """Bars on one scale, with what each piece is named below; a target is a line across its bar."""
    names = {part.look: part.name for bar in bars for part in bar.parts}
    lines = 1 + sum(18 + 6.6 * min(len(name), _MOST_LETTERS) + 8 for name in names.values()) // WIDTH
    drawing = Drawing(WIDTH, len(bars) * (_ROW + 16) + 22 + lines * 18, label)
    most = max([bar.target or 0 for bar in bars] + [sum(part.value for part in bar.parts) for bar in bars]) or 1.0
    y = 0.0
    for bar in bars:
        drawing.text(0, y + 12, shorten(bar.name, 34), "strong")
        drawing.text(WIDTH, y + 12, bar.note, "muted small end")
        x = 0.0
        for part in bar.parts:
            width = part.value / most * WIDTH
            drawing.rect(x, y + 18, max(width - 1, 0.5), 13, part.look, f"{part.name}: {number(part.value)}")
            x += width
        if bar.target is not None:
            at = min(bar.target / most * WIDTH, WIDTH - 1)
            drawing.line(at, y + 15, at, y + 34, "mark")
        y += _ROW + 16
    legend(drawing, [(name, look) for look, name in names.items()], y + 4)
    return drawing


def histogram(
    label: str,
    series: Sequence[Series],
    *,
    x_label: str,
    bounds: tuple[float, float] | None = None,
    threshold: tuple[float, str] | None = None,
) -> Drawing:
    """Counts in equal bins, the series on top of each other; ``threshold`` is a line with its name."""
    values = [value for one in series for value in one.values]
    edges = bin_edges(values, bounds=bounds)
    counts = [count_in(one.values, edges) for one in series]
    most = max(map(sum, zip(*counts, strict=True)), default=1) or 1
    drawing = Drawing(WIDTH, 212, label)
    frame = Frame(38, 26, WIDTH - 8, 160, (edges[0], edges[-1]), (0, most))
    frame.draw(drawing, x_label=x_label)
    for place in range(len(edges) - 1):
        below = 0
        for one, of_bin in zip(series, counts, strict=True):
            if of_bin[place]:
                top, bottom = frame.at_y(below + of_bin[place]), frame.at_y(below)
                x = frame.at_x(edges[place])
                tip = f"{plain(edges[place])} to {plain(edges[place + 1])}: {of_bin[place]:,} {one.name}"
                drawing.rect(x + 0.5, top, frame.at_x(edges[place + 1]) - x - 1, bottom - top, one.look, tip)
                below += of_bin[place]
    if threshold is not None:
        x = frame.at_x(threshold[0])
        drawing.line(x, frame.top - 4, x, frame.bottom, "mark")
        over = x > WIDTH / 2
        drawing.text(x + (-4 if over else 4), frame.top - 8, threshold[1], "small end" if over else "small")
    legend(drawing, [(one.name, one.look) for one in series], 190)
    return drawing


def lines(
    label: str,
    series: Sequence[Series],
    *,
    x_label: str,
    x_format: Format = plain,
    y_format: Format = plain,
    y_bounds: tuple[float, float] | None = None,
) -> Drawing:
    """One line for each series, over one scale from zero."""
    points = [point for one in series for point in one.points]
    drawing = Drawing(WIDTH, 212, label)
    xs = [x for x, _ in points]
    bounds = y_bounds or (0.0, max(y for _, y in points) or 1.0)
    frame = Frame(46, 12, WIDTH - 8, 160, (min(xs), max(xs)), bounds)
    frame.draw(drawing, x_format=x_format, y_format=y_format, x_label=x_label)
    for one in series:
        drawing.polyline([(frame.at_x(x), frame.at_y(y)) for x, y in one.points], one.look, one.name)
    legend(drawing, [(one.name, one.look) for one in series], 190)
    return drawing


def grids(label: str, shown: Sequence[Grid]) -> Drawing:
    """Tables of counts, the more the darker; what has none is outlined, what cannot be is left blank."""
    places: list[tuple[float, float]] = []
    y = 0.0
    for grid in shown:
        cell_width = min(64.0, (WIDTH - 110) / max(len(grid.columns), 1))
        places.append((y, cell_width))
        y += 44 + 22 * len(grid.rows)
    drawing = Drawing(WIDTH, max(y, 1), label)
    for grid, (top, width) in zip(shown, places, strict=True):
        drawing.text(0, top + 12, f"{shorten(grid.down, 24)} × {shorten(grid.across, 24)}", "strong")
        letters = max(int(width / 6.4), 2)
        for column, name in enumerate(grid.columns):
            drawing.text(110 + (column + 0.5) * width, top + 28, shorten(name, letters), "muted small mid")
        most = max((count or 0 for row in grid.counts for count in row), default=0) or 1
        for row, name in enumerate(grid.rows):
            at = top + 34 + row * 22
            drawing.text(104, at + 15, shorten(name, 16), "muted small end")
            for column, count in enumerate(grid.counts[row]):
                tip = f"{grid.down} {name}, {grid.across} {grid.columns[column]}: "
                _cell(drawing, (110 + column * width, at, width), count, most, tip)
    return drawing


def _cell(drawing: Drawing, place: tuple[float, float, float], count: int | None, most: int, tip: str) -> None:
    x, y, width = place
    if count is None:
        drawing.text(x + width / 2, y + 15, "·", "muted small mid")
        return
    if count == 0:
        drawing.rect(x + 1.5, y + 1.5, width - 3, 19, "outline", tip + "missing")
        drawing.text(x + width / 2, y + 15, "0", "bad small mid")
        return
    shade = 1 + int(3.999 * count / most)
    drawing.rect(x + 1, y + 1, width - 2, 20, f"heat{min(shade, 4)}", tip + f"{count:,}")
    if width >= 24:
        drawing.text(x + width / 2, y + 15, plain(count), "small mid" + (" onheat" if shade > 2 else ""))


def scatter(label: str, dots: Sequence[Dot], entries: Sequence[tuple[str, str]], *, seeds: bool) -> Drawing:
    """Points in a square plane whose scales say nothing; seeds are diamonds on top."""
    size = WIDTH
    below = 24 + 18 * (sum(18 + 6.6 * min(len(name), _MOST_LETTERS) + 8 for name, _ in entries) // WIDTH + 1)
    drawing = Drawing(size, size * 0.72 + below, label)
    height = size * 0.72
    xs, ys = [dot.x for dot in dots] or [0.0], [dot.y for dot in dots] or [0.0]
    frame = Frame(8, 8, size - 8, height - 8, _middle(xs), _middle(ys))
    radius = 2.2 if len(dots) > 800 else 3.2 if len(dots) > 150 else 4.2
    seed_radius = 3.2 if sum(dot.seed for dot in dots) > 60 else 5
    for dot in sorted(dots, key=lambda dot: dot.seed):
        draw = drawing.diamond if dot.seed else drawing.circle
        key = {"key": dot.key} if dot.key else {}
        x = min(max(frame.at_x(dot.x), frame.left), frame.right)
        y = min(max(frame.at_y(dot.y), frame.top), frame.bottom)
        draw(x, y, seed_radius if dot.seed else radius, dot.look, dot.tip, **key)
    left = 0.0
    if seeds:
        drawing.diamond(6, height + 6, 5, "seed")
        drawing.text(16, height + 15, "a seed", "muted small")
        left = 64.0
    legend(drawing, entries, height + 4, left)
    return drawing


def _middle(values: list[float]) -> tuple[float, float]:
    ranked = sorted(values)
    out = int(len(ranked) * _FAR)
    return ranked[out], ranked[-1 - out]
