from pathlib import Path

from synth.cli.excerpt import excerpts
from synth.errors import Problem


def excerpt_of(tmp_path: Path, text: str, line: int, column: int) -> list[str]:
    file = tmp_path / "recipe.yaml"
    file.write_text(text, encoding="utf-8")
    found = excerpts([Problem(str(file), line, column, "wrong")])[0]
    return [] if found is None else [found.source, found.caret]


def test_the_caret_stands_under_the_word(tmp_path: Path) -> None:
    assert excerpt_of(tmp_path, "name: t\nmodles: {a: b}\n", 2, 1) == [
        "    2 | modles: {a: b}",
        "      | ^^^^^^",
    ]
    assert excerpt_of(tmp_path, "a: {kind: 'two words'}", 1, 11)[1] == "      |           ^^^^^^^^^^^"


def test_tabs_and_wide_characters_keep_the_caret_in_place(tmp_path: Path) -> None:
    assert excerpt_of(tmp_path, "\tname: 変換 x\n", 1, 11) == ["    1 |  name: 変換 x", "      |             ^"]


def test_of_a_long_line_the_part_around_the_place_is_shown(tmp_path: Path) -> None:
    source, caret = excerpt_of(tmp_path, "x" * 500 + " here " + "y" * 500, 1, 502)
    assert len(source) < 130
    at = caret.index("^")
    assert source[at : at + 4] == "here"
    assert source.count("…") == 2


def test_credentials_are_not_shown(tmp_path: Path) -> None:
    for line in ("    api_key: sk-12345678", "  {api_key: sk-12345678, x: 1}", "  Authorization: Bearer sk-12345678"):
        assert "sk-12345678" not in excerpt_of(tmp_path, line, 1, 5)[0]
    assert "oops" in excerpt_of(tmp_path, "  max_tokens: oops", 1, 15)[0]


def test_without_a_line_or_a_file_there_is_no_excerpt(tmp_path: Path) -> None:
    assert excerpt_of(tmp_path, "name: t\n", 0, 0) == []
    assert excerpt_of(tmp_path, "name: t\n", 9, 1) == []
    assert excerpts([Problem("--set a=b", 3, 1, "wrong")]) == [None]
