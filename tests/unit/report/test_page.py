"""The report and its pictures, on a run whose data is out to break them."""

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from synth.export.pictures import write_pictures
from synth.reader import RunReader
from synth.recipe.space import Factor, Space
from synth.report.data_map import map_choices
from synth.report.facts import collect
from synth.report.page import report_page
from synth.report.pictures import coverage, draw_all
from synth.report.png import to_png
from synth.report.projection import project, word_vectors


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page(finished: Path) -> str:
    with RunReader(finished) as reader:
        return report_page(reader, {"raw-000001": "good"})


def test_nothing_in_the_report_runs_or_loads(page: str) -> None:
    assert "alert(1)" in page  # the hostile seed is there, as text
    for tag, attributes in Elements(page).found:
        assert tag not in {"script", "img", "iframe", "link", "object", "embed", "form", "a"}
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "href", "style"}]


def test_its_policy_allows_its_own_style_and_nothing_else(page: str) -> None:
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(a["content"] for t, a in Elements(page).found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_it_shows_twenty_attempts_some_of_them_rejected(page: str) -> None:
    shown = re.findall(r'<article class="example"><h3>([^<]+)<', page)
    assert len(shown) == len(set(shown)) == 20
    assert {"raw-000000", "raw-000001", "other-000000"} <= set(shown)
    assert "rejected: accept" in page


def test_pictures_are_drawn_the_same_each_time(finished: Path) -> None:
    def drawn(by: str = "generator") -> dict[str, str]:
        with RunReader(finished) as reader:
            return {one.name: one.drawing.inline() for one in draw_all(collect(reader), by)}

    first = drawn()
    assert {"accepted", "map", "coverage", "lengths", "similarity", "cost"} <= set(first)
    assert first == drawn()
    with RunReader(finished) as reader:
        choices = map_choices(collect(reader))
    assert choices == ["generator", "verdict", "attribute:mood", "attribute:channel"]
    assert len({drawn(by)["map"] for by in choices}) == len(choices)


def test_coverage_counts_every_accepted_row(finished: Path) -> None:
    with RunReader(finished) as reader:
        facts = collect(reader, most=3)  # a small sample changes nothing about counts
        assert sum(facts.combinations.values()) == 16
    assert len(facts.sample) <= 4


def test_coverage_counts_what_is_not_drawn(finished: Path) -> None:
    with RunReader(finished) as reader:
        facts = collect(reader)
    factors = [Factor("mood", (*"abcdefghijklmn",), ((1.0,) * 14,)), Factor("size", (1, 2), ((1.0, 1.0),))]
    made = Counter({(one, other): 1 for one in range(14) for other in range(2) if (one, other) != (13, 1)})
    picture = coverage(replace(facts, space=Space(factors[::-1]), combinations=Counter({k[::-1]: 1 for k in made})))
    assert picture is not None
    assert picture[2] == (
        "Combinations of two values. 1 of 28 are missing (outlined). Of mood the first 12 of 14 values are drawn."
    )
    whole = coverage(replace(facts, space=Space(factors), combinations=made))  # there is more room downwards
    assert whole is not None
    assert whole[2] == "Combinations of two values. 1 of 28 are missing (outlined)."


def test_precision_needs_marks_and_scores(finished: Path) -> None:
    with RunReader(finished) as reader:
        assert "precision" not in {one.name for one in draw_all(collect(reader, {"raw-000001": "good"}))}


def test_the_card_gets_png(finished: Path, tmp_path: Path) -> None:
    for name in ("run.sqlite", "recipe.lock.yaml"):
        (tmp_path / name).write_bytes((finished / name).read_bytes())
    written = write_pictures(tmp_path)
    assert [path for _, path in written] == [f"pictures/{n}.png" for n in ("accepted", "map", "coverage", "similarity")]
    for _, path in written:
        assert (tmp_path / path).read_bytes().startswith(b"\x89PNG")
    assert to_png(written[0][0].drawing) == (tmp_path / written[0][1]).read_bytes()


def test_nothing_in_the_card_is_markup(finished: Path) -> None:
    card = (finished / "README.md").read_text("utf-8")
    assert "alert(1)" in card  # an example is shown
    outside = re.sub(r"(?ms)^~~~~~json$.*?^~~~~~$", "", card)
    assert "alert(" not in outside
    assert not re.search(r"<\w", outside)


def test_a_projection_keeps_what_differs_most_apart() -> None:
    texts = [f"apples and pears {n}" for n in range(5)] + [f"engines with wheels {n}" for n in range(5)]
    xs = [x for x, _ in project(word_vectors(texts))]
    assert max(xs[:5]) < min(xs[5:]) or min(xs[:5]) > max(xs[5:])
    assert project(word_vectors(["alone"])) == [(0.0, 0.0)]
    one, other = word_vectors(["हिन्दी", "हाना"])  # they begin with the same letter, and have no word in common
    assert one @ other == 0
