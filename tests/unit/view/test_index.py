"""The index of a run: what it finds, and how it follows."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.errors import UsageError
from synth.reader import RunReader
from synth.view.index import IndexWriter
from synth.view.query import IndexReader, Query
from synth.view.words import spaced


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[IndexWriter]:
    writer = IndexWriter(tmp_path / "index.sqlite")
    yield writer
    writer.close()


@pytest.fixture
def index(finished: Path, writer: IndexWriter, tmp_path: Path) -> Iterator[IndexReader]:
    with RunReader(finished) as reader:
        writer.catch_up(reader, lambda: True)
    reader_of_index = IndexReader(tmp_path / "index.sqlite")
    yield reader_of_index
    reader_of_index.close()


def found(index: IndexReader, **asked: str) -> list[str]:
    attributes = [asked.pop("attribute")] if "attribute" in asked else []
    _, rows = index.page(Query.parse(asked, attributes), 0, 100)
    return [row.unit for row in rows]


def test_everything_is_there_in_plan_order(index: IndexReader) -> None:
    total, rows = index.page(Query(), 0, 5)
    assert total == 20
    assert [row.unit for row in rows] == [f"raw-00000{n}" for n in range(5)]
    assert [row.gate for row in rows] == ["accept", None, None, None, "accept"]
    assert index.page(Query(), 18, 5)[1][-1].unit == "other-000003"


def test_filters_hold_together(index: IndexReader) -> None:
    assert found(index, generator="raw", verdict="rejected") == [f"raw-{n:06d}" for n in (0, 4, 8, 12)]
    assert found(index, gate="accept") == found(index, verdict="rejected")
    with_seed = found(index, seed="s1")
    assert found(index, seed="s1", generator="other") == [unit for unit in with_seed if unit.startswith("other")] != []
    calm, angry = found(index, attribute="mood=calm"), found(index, attribute="mood=angry")
    assert len(calm) + len(angry) == 20
    assert not set(calm) & set(angry)


def test_search_is_full_text_and_combines_with_filters(index: IndexReader) -> None:
    assert len(found(index, q="wombat")) == len(found(index, q="wom")) > 0
    assert found(index, q="wombat", generator="other") == []
    assert len(found(index, q="marchen")) == 4  # without its umlaut
    assert len(found(index, q="漢字")) == 4
    assert found(index, q='"nowhere to be found"') == found(index, q="***") == []


def test_search_takes_words_of_every_script_whole(index: IndexReader, tmp_path: Path) -> None:
    texts = {"th": "เขาพูดภาษาไทยที่นี่", "hi": "वह हिन्दी बोलता है", "ko": "중학교에서"}
    db = sqlite3.connect(tmp_path / "index.sqlite")
    with db:
        for n, (name, text) in enumerate(texts.items(), 1000):
            db.execute("INSERT INTO rows VALUES (?, ?, 'x', ?, NULL, NULL, 1)", (n, name, n))
            db.execute("INSERT INTO text (rowid, body) VALUES (?, ?)", (n, spaced(text)))
    db.close()
    assert found(index, q="ภาษา") == found(index, q="ไทยที่") == ["th"]
    assert found(index, q="ภาษี") == []
    assert found(index, q="हिन्दी") == found(index, q="हि") == ["hi"]
    assert found(index, q="हिना") == []
    assert found(index, q="학교") == ["ko"]


def test_an_order_and_a_place(index: IndexReader) -> None:
    lengths = [row.length for row in index.page(Query(order="longest"), 0, 100)[1]]
    assert lengths == sorted(lengths, reverse=True)
    assert found(index, order="newest") == found(index)[::-1]
    assert index.place_of(Query(), "raw-000003") == 3
    assert index.place_of(Query(verdict="rejected"), "raw-000004") == 1
    assert index.place_of(Query(verdict="rejected"), "raw-000003") is None
    with pytest.raises(UsageError, match="no order"):
        Query.parse({"order": "random(); DROP TABLE rows"}, [])
    with pytest.raises(UsageError, match="no number"):
        Query.parse({"score": "x", "least": "many"}, [])


def test_facets_and_counts_are_those_of_the_run(index: IndexReader, finished: Path) -> None:
    facets = index.facets()
    assert facets["gates"] == [("accept", 4)]
    assert sum(count for _, count in facets["attributes"]["mood"]) == 20
    assert index.tally() == {"raw": {None: 12, "accept": 4}, "other": {None: 4}}
    assert index.seed("s2") == {"id": "s2", "question": "What are 2 apples and a wombat?"}
    with RunReader(finished) as reader:
        assert sum(row["calls"] for row in index.spent()) == len(reader.call_costs()) == 20


def test_marks_are_a_filter(index: IndexReader, writer: IndexWriter) -> None:
    writer.set_marks({"raw-000001": "good", "raw-000002": "bad"})
    assert found(index, mark="good") == ["raw-000001"]
    assert found(index, mark="any") == ["raw-000001", "raw-000002"]
    assert len(found(index, mark="none")) == 18
    writer.set_marks({})
    assert found(index, mark="any") == []


def test_alike_are_those_with_rare_words_in_common(index: IndexReader) -> None:
    rare = index.rarest(["say", "wombat", "unheardof"], 1)
    assert rare == ["wombat"]
    assert set(index.alike(rare, 100)) == set(found(index, q="wombat"))


def test_it_follows_a_run_and_forgets_what_was_provisional(finished: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "copy"
    run_dir.mkdir()
    for name in ("run.sqlite", "recipe.lock.yaml"):
        (run_dir / name).write_bytes((finished / name).read_bytes())

    def write(*statements: str) -> None:
        db = sqlite3.connect(run_dir / "run.sqlite")
        with db:
            for statement in statements:
                db.execute(statement)
        db.close()

    write(
        "CREATE TABLE kept AS SELECT * FROM attempts WHERE generator = 'raw' AND place >= 10",
        "DELETE FROM attempts WHERE generator = 'raw' AND place >= 10",
        "INSERT INTO attempts SELECT generator, place, unit, gate, row, text, 1 FROM kept WHERE place = 12",
    )
    writer = IndexWriter(tmp_path / "other.sqlite")
    index = IndexReader(tmp_path / "other.sqlite")

    def look() -> list[str]:
        with RunReader(run_dir) as reader:
            writer.catch_up(reader, lambda: True)
        return sorted(found(index, generator="raw"))

    assert look() == [f"raw-{n:06d}" for n in (*range(10), 12)]
    assert found(index, q="12", generator="raw") == ["raw-000012"]
    write("DELETE FROM attempts WHERE provisional = 1", "INSERT INTO attempts SELECT * FROM kept")
    assert look() == [f"raw-{n:06d}" for n in range(16)]
    assert found(index, q="12", generator="raw") == ["raw-000012"]
    index.close()
    writer.close()
