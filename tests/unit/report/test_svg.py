"""Drawings hold any data, and nothing in them is markup."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.report.charts import Bar, Dot, Grid, Part, Series, grids, histogram, lines, scatter, stacked_bars
from synth.report.scales import bin_edges, count_in, plain, ticks
from synth.report.svg import Drawing

HOSTILE = "</title><script>alert(1)</script>\"' onload=alert(2) &amp; \x00\x1b \ud800"
PLAIN = {"svg", "g", "rect", "circle", "path", "text", "title", "style"}


def elements(drawing: Drawing) -> list[ElementTree.Element]:
    for markup in (drawing.inline(), drawing.standalone()):
        parsed = list(ElementTree.fromstring(markup).iter())
        for element in parsed:
            assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in PLAIN
            assert not [name for name in element.attrib if name.startswith("on") or name.endswith("href")]
    return parsed


def test_hostile_names_stay_names() -> None:
    bars = [Bar(HOSTILE, [Part(HOSTILE, 3, "good")], HOSTILE, 5)]
    grid = Grid(HOSTILE, HOSTILE, [HOSTILE], [HOSTILE], [[0]])
    dot = Dot(0, 0, "c0", HOSTILE, key=HOSTILE)
    for drawing in (
        stacked_bars(HOSTILE, bars),
        grids(HOSTILE, [grid]),
        scatter(HOSTILE, [dot], [(HOSTILE, "c0")], seeds=True),
        histogram(HOSTILE, [Series(HOSTILE, "c0", [1.0])], x_label=HOSTILE, threshold=(1.0, HOSTILE)),
        lines(HOSTILE, [Series(HOSTILE, "c0", points=[(0, 1), (1, 2)])], x_label=HOSTILE),
    ):
        assert elements(drawing)


@given(text=st.text())
def test_any_text_makes_well_formed_xml(text: str) -> None:
    drawing = Drawing(10, 10, text)
    drawing.text(0, 0, text, text)
    drawing.circle(0, 0, 1, "c0", text, key=text)
    assert len(elements(drawing)) == 5


def test_a_file_of_its_own_tells_nothing_by_its_tips() -> None:
    drawing = Drawing(10, 10, "label")
    drawing.circle(0, 0, 1, "c0", "what a seed says", key="maths-000001")
    assert "what a seed says" in drawing.inline()
    assert "what a seed says" not in drawing.standalone()
    assert "maths-000001" not in drawing.standalone()


@given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e6), values=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_bins_and_ticks_cover_their_range(low: float, width: float, values: list[float]) -> None:
    numbers = [low + width * value for value in values]
    edges = bin_edges(numbers)
    assert edges[0] <= min(numbers) + 1e-6 * width
    assert edges[-1] >= max(numbers) - 1e-6 * width
    assert sum(count_in(numbers, edges)) == len(numbers)
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in ticks(low, low + width))


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0"), (0.25, "0.25"), (1200, "1,200"), (12_000, "12k"), (2.5e6, "2.5M")]
)
def test_numbers_are_short(number: float, said: str) -> None:
    assert plain(number) == said
