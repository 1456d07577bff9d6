"""Cleaning: what each step does to a text, and that every change and every dropped row is told."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.curation.band_table import BandTable
from synth.curation.cleaned import clean_file
from synth.curation.cleaning import (
    Step,
    invisible_step,
    language_step,
    length_step,
    markup_step,
    space_step,
    unicode_step,
)
from synth.curation.dedup import Banded
from synth.curation.minhash import Banding, Signer
from synth.errors import UsageError


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (unicode_step(), "cafÃ© â€œyesâ€\x9d", "café “yes”"),
        (unicode_step(), "e\u0301", "é"),
        (markup_step(), "<p>Hello <b>w</b>orld &amp; you</p><script>x()</script>", "\nHello world & you\n"),
        (markup_step(), "one<br>two", "one\ntwo"),
        (markup_step(), "if a < b and c > d", "if a < b and c > d"),
        (markup_step(), "x &lt; y", "x < y"),
        (invisible_step(), "a\u200bb\ufeffc\x00d\u202ee", "abcde"),
        (invisible_step(), "👩\u200d👧 na\tb\n", "👩\u200d👧 na\tb\n"),
        (space_step(), " a  b\u00a0\u2003c \r\n\n\n\n  d ", "a b c\n\n  d"),
    ],
)
def test_what_a_step_does(step: Step, before: str, after: str) -> None:
    assert step(before) == after


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    for step in (invisible_step(), space_step()):
        assert step(step(text)) == step(text)


ROWS = [
    {"id": "a ", "text": "The  parcel arrives tomorrow in the morning."},
    {"id": "b", "text": "<b>The parcel arrives tomorrow in the morning</b>"},
    {"id": "c", "text": "Das Paket kommt morgen früh an, denke ich."},
    {"id": "d", "text": "short"},
    {"id": "e", "text": "\u200b"},
    {"id": "f", "text": "Nothing is wrong with this line of text at all."},
]


def test_every_change_and_every_dropped_row_is_told(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in ROWS) + b"broken\n")
    steps = {
        "markup": markup_step(),
        "invisible": invisible_step(),
        "space": space_step(),
        "length": length_step(1, 20),
        "language": language_step(["en"]),
    }
    near = Banded(Signer(Banding.choose(0.7)), BandTable())
    steps["length"] = length_step(2, 20)
    done = clean_file(source, target, steps, fields=["text"], deduplicator=near)
    assert done.changed == {"markup": 1, "space": 1, "invisible": 1}
    assert done.dropped == {"near-duplicate": 1, "in the language 'de'": 1, "fewer than 2 words": 2}
    assert done.examples["space"] == [(1, ROWS[0]["text"], "The parcel arrives tomorrow in the morning.")]
    assert (done.read, done.kept, done.unreadable) == (6, 2, 1)
    rows = [orjson.loads(line) for line in target.read_bytes().splitlines()]
    assert [row["id"] for row in rows] == ["a ", "f"]


def test_of_a_message_only_what_was_said_is_cleaned(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    messages = [{"role": "user ", "content": "hello  there", "name": "x  y"}]
    source.write_bytes(orjson.dumps({"messages": messages, "n": 3, "none": None}) + b"\n")
    clean_file(source, target, {"space": space_step()})
    expected = [{"role": "user ", "content": "hello there", "name": "x  y"}]
    assert orjson.loads(target.read_bytes()) == {"messages": expected, "n": 3, "none": None}


def test_a_field_that_no_row_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"q": "x"}\n')
    with pytest.raises(UsageError, match="has no field 'text'"):
        clean_file(tmp_path / "a.jsonl", tmp_path / "b.jsonl", {}, fields=["text"])
    assert not (tmp_path / "b.jsonl").exists()
