"""Cleaning: what each step does to a text, and that every change and every dropped row is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import resource_tracker
from pathlib import Path

import ftfy
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.curation.cleaned import clean_file
from synth.curation.cleaning import (
    Clean,
    Dropped,
    invisible_cleaner,
    markup_cleaner,
    quality_cleaner,
    space_cleaner,
    unicode_cleaner,
)
from synth.curation.texts import all_texts, map_texts, texts_of, with_texts
from synth.errors import UsageError
from synth.messages import Json
from synth.recipe.cleaning import CleanSpec


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (unicode_cleaner(), "cafÃ© â€œyesâ€\x9d", "café “yes”"),
        (unicode_cleaner(), "e\u0301", "é"),
        (unicode_cleaner(), "你好，世界！（是的）ＡＺａｚ０９ｶﾅ", "你好，世界！（是的）AZaz09ｶﾅ"),
        (markup_cleaner(), "<p>Hello <b>w</b>orld &amp; you</p><script>x()</script>", "\nHello world & you\n"),
        (markup_cleaner(), "one<br>two", "one\ntwo"),
        (markup_cleaner(), "if a < b and c > d", "if a < b and c > d"),
        (markup_cleaner(), "x &lt; y", "x < y"),
        (markup_cleaner(), "List<String> x = f(a<b, c>d);", "List<String> x = f(a<b, c>d);"),
        (markup_cleaner(), "<p>List<String> <think>so</think></p>", "\nList<String> <think>so</think>\n"),
        (markup_cleaner(), "<b>Use</b> `<b>` or\n```\n<p>x</p>\n```", "Use `<b>` or\n```\n<p>x</p>\n```"),
        (markup_cleaner(), "![a cat](c.png) and [](#top) [this](u)", "a cat and  [this](u)"),
        (
            markup_cleaner(),
            "<div data-x hidden><a href=x.org/?b=c>a</a><br clear=all/><img alt src='>'id=i>b</div >",
            "\na\nb\n",
        ),
        (markup_cleaner(), '<svg a="b"><svg><path d=""/></svg><g/></svg><style>p{}</style><!-- <p> -->x', "x"),
        (markup_cleaner(), "<!DOCTYPE html><title>t</title><p>x</p>", "\nx\n"),
        (invisible_cleaner(), "a\u200bb\ufeffc\x00d\u202ee", "abcde"),
        (invisible_cleaner(), "👩\u200d👧 na\tb\n", "👩\u200d👧 na\tb\n"),
        (space_cleaner(), " a  b\u00a0\u2003c \r\n\n\n\n  d ", "a b c\n\n  d"),
    ],
)
def test_what_a_step_does(step: Clean, before: str, after: str) -> None:
    assert step(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "What does the <script> tag do in HTML? Please explain.",
        "How is <style> different from <svg>, <template> and <noscript>? And </iframe>?",
        "Use <!-- to begin a comment; the rest stays.",
        "<title> and <!DOCTYPE are for pages",
        "if a <b and c> d then",
        "http://x.org/?q=1&section=2&copy=3&notit;",
    ],
)
def test_what_is_no_markup_stays(text: str) -> None:
    assert markup_cleaner()(text) == text
    assert markup_cleaner()(f"so <b>is</b> {text}") == f"so is {text}"


LATIN = st.text(st.sampled_from("ab .'\n\réàÃÂ ñüœ“”’–…€™©½şžЖяΩé漢अı\xa0\u0301ﬁａ\ufeff"), max_size=12)


@given(LATIN, st.sampled_from(["latin-1", "cp1252", "cp1251", "mac-roman", "cp437", "iso-8859-2", "utf-8"]))
def test_the_short_cut_past_ftfy_changes_nothing(text: str, wrongly: str) -> None:
    broken = text.encode().decode(wrongly, "replace")
    config = ftfy.TextFixerConfig(
        unescape_html=False, uncurl_quotes=False, fix_character_width=False, normalization="NFC"
    )
    clean = unicode_cleaner()
    for given_text in (broken, f"so {text} {broken} it is"):
        expected = ftfy.fix_text(given_text, config).replace("ａ", "a")
        assert space_cleaner()(clean(given_text)) == space_cleaner()(expected)


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    for step in (invisible_cleaner(), space_cleaner()):
        assert step(step(text)) == step(text)


ROWS = [
    {"id": "a ", "text": "The  parcel arrives tomorrow in the morning."},
    {"id": "b", "text": "<b>The parcel arrives tomorrow in the morning</b>"},
    {"id": "c", "text": "Das Paket kommt morgen früh an, denke ich."},
    {"id": "d", "text": "short"},
    {"id": "e", "text": "\u200b"},
    {"id": "f", "text": "Nothing is wrong with this line of text at all."},
]


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def read(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_every_change_and_every_dropped_row_is_told(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write(source, ROWS)
    source.write_bytes(source.read_bytes() + b"broken\n")
    spec = CleanSpec(skip=["unicode"], min_words=2, max_words=20, languages=["en"], fields=["text"], dedup=0.7)
    done = clean_file(source, target, spec)
    assert done.tally.changed == {"markup": 1, "space": 1, "invisible": 1}
    assert done.tally.dropped == {"near-duplicate": 1, "in the language 'de'": 1, "fewer than 2 words": 2}
    (space,) = done.tally.examples["space"]
    assert (space.line, space.before, space.after) == (
        1,
        ROWS[0]["text"],
        "The parcel arrives tomorrow in the morning.",
    )
    assert (done.read, done.kept, done.unreadable) == (6, 2, 1)
    assert [row["id"] for row in read(target)] == ["a ", "f"]


def test_a_row_without_an_allowed_licence_is_dropped(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write(source, [{"text": "a", "license": name} for name in ("MIT", "cc-by-nc-4.0", None)])
    done = clean_file(source, target, CleanSpec.model_validate({"license": {"allow": ["mit"]}}))
    assert done.tally.dropped == {"of the licence 'cc-by-nc-4.0'": 1, "without a licence": 1}
    assert [row["license"] for row in read(target)] == ["MIT"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("the parcel that I sent last week has not arrived yet, so where is it now?", ""),
        ("短い文章ですが、これは良い文章です。" * 3, ""),
        ("too short # # #", ""),
        ("a b c d e f g h i j k l m n o p q", "words too short or too long to be a text"),
        ("1234 5512 1934 7712 2478 12345 9912 the 1277 5551 1936", "numbers and symbols instead of words"),
        ("#one #two #three #four #five #six #seven #eight #nine #ten", "more than one # or … to ten words"),
        ("buy this now " * 12, "the same again and again"),
    ],
)
def test_what_hardly_is_a_text_is_dropped_and_said_why(text: str, reason: str) -> None:
    try:
        assert quality_cleaner()(text) == text
        found = ""
    except Dropped as dropped:
        found = dropped.message
    assert found == reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc content role value".split()), inner)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "messages"]), JSON))
def test_texts_go_back_to_where_they_were(data: dict[str, object]) -> None:
    texts = texts_of(data)
    assert with_texts(data, texts) == data
    marked = [f"{number}" for number in range(len(texts))]
    assert texts_of(with_texts(data, marked)) == marked


@pytest.fixture
def no_process_left() -> Iterator[None]:
    """Python keeps a process that tracks what others share until it ends itself; other tests count processes."""
    yield
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("no_process_left")
def test_many_processes_write_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.curation.cleaned._WORTH_WORKERS", 1)
    source, one, two = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "c.jsonl"
    write(source, [{"text": f"<b>Row</b>  {n} {' '.join(f'w{n % 700}.{m}' for m in range(20))}"} for n in range(1500)])
    spec = CleanSpec(dedup=0.7)
    first, second = clean_file(source, one, spec), clean_file(source, two, spec, workers=2)
    assert one.read_bytes() == two.read_bytes()
    assert first.tally == second.tally
    assert (first.kept, first.tally.dropped) == (700, {"near-duplicate": 800})


def test_of_a_message_only_what_was_said_is_cleaned(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    messages = [{"role": "user ", "content": "hello  there", "name": "x  y"}]
    source.write_bytes(orjson.dumps({"messages": messages, "n": 3, "none": None}) + b"\n")
    clean_file(source, target, CleanSpec())
    expected = [{"role": "user ", "content": "hello there", "name": "x  y"}]
    assert orjson.loads(target.read_bytes()) == {"messages": expected, "n": 3, "none": None}


def test_a_field_that_no_row_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"q": "x"}\n')
    with pytest.raises(UsageError, match="no row has the field 'text'"):
        clean_file(tmp_path / "a.jsonl", tmp_path / "b.jsonl", CleanSpec(fields=["text"]))
    assert not (tmp_path / "b.jsonl").exists()


@given(st.dictionaries(st.sampled_from(["a", "id", "messages", "arguments", "function"]), JSON | st.integers()))
def test_what_may_tell_of_somebody_goes_back_to_where_it_was(data: dict[str, object]) -> None:
    assert map_texts(data, lambda text: text) == data
    marked = map_texts(data, lambda _: "x")
    assert all_texts(marked) == ["x"] * len(all_texts(data))


def test_links_between_calls_stay_and_arguments_stay_json() -> None:
    function = {"name": "mail", "arguments": '{"to": "a \\"b\\"", "n": 1, "card": 4111111111111111}'}
    call = {"id": "c1", "type": "function", "function": function}
    messages: list[Json] = [
        {"role": "assistant", "content": None, "reasoning_content": "r", "tool_calls": [call]},
        {"role": "tool", "name": "mail", "tool_call_id": "c1", "content": [{"text": "t"}]},
    ]
    row = {"from": "somebody", "messages": messages, "n": 12345678.0, "seed": 2**63, "share": 12345678.5, "yes": True}
    assert all_texts(row) == ["somebody", "r", 'a "b"', "4111111111111111", "t", "12345678"]
    changed = map_texts(row, lambda text: "9" * len(text) if text.isdecimal() else text.upper())
    assert orjson.loads(changed["messages"][0]["tool_calls"][0]["function"].pop("arguments")) == {
        "to": 'A "B"',
        "n": 1,
        "card": 9999999999999999,
    }
    assert changed["messages"][0]["tool_calls"] == [{"id": "c1", "type": "function", "function": {"name": "mail"}}]
    assert changed["messages"][1] == messages[1] | {"content": [{"text": "T"}]}
    assert (changed["from"], changed["n"], changed["seed"]) == ("SOMEBODY", 99999999, 2**63)


def test_what_was_thought_is_cleaned_too(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    message = {"role": "assistant", "content": "ok", "reasoning_content": "so  it is", "name": "x  y"}
    write(source, [{"messages": [message]}])
    clean_file(source, target, CleanSpec())
    assert read(target) == [{"messages": [message | {"reasoning_content": "so it is"}]}]
