"""What is typed into the search field."""

from synth.view.words import excerpt, match_expression, spaced, texts_of


def test_words_are_prefixes_and_quotes_are_phrases() -> None:
    assert match_expression("red car") == '"red"* "car"*'
    assert match_expression('"red car" now') == '"red car" "now"*'


def test_nothing_typed_can_break_the_expression() -> None:
    assert match_expression('x") OR body MATCH ("y') == '"x"* "OR"* "body"* "MATCH"* "y"*'
    assert match_expression('"unclosed NEAR(') == '"unclosed"* "NEAR"*'
    assert match_expression("*** ---") is None


def test_scripts_without_spaces_are_searched_by_character() -> None:
    assert spaced("漢字kana").split() == ["漢", "字", "kana"]
    assert match_expression("漢字") == '"漢 字"*'
    assert spaced("พูดภาษาไทยที่นี่").split() == ["พู", "ด", "ภ", "า", "ษ", "า", "ไ", "ท", "ย", "ที่", "นี่"]
    assert match_expression("학교") == '"학 교"*'
    assert match_expression("हिन्दी का") == '"हिन्दी"* "का"*'


def test_signs_are_no_words() -> None:
    assert match_expression('"') is match_expression("\U0001f600 ☕\ufe0f") is None
    assert match_expression('"a ☕\ufe0f b"') == '"a b"'
    assert spaced("a ☕\ufe0f b").split() == ["a", "☕", "b"]


def test_everything_in_a_row_can_be_searched() -> None:
    def said(text: str) -> list[dict[str, str]]:
        return [{"role": "assistant", "content": text}]

    row = {
        "id": "a-0",
        "messages": said("kept"),
        "prompt": said("asked"),
        "chosen": said("better"),
        "rejected": said("worse"),
        "separates": "because",
        "responses": [{"content": "third", "score": 0.5, "reason": "meh"}],
        "solutions": [{"reward": 0.0, "messages": said("failed")}],
    }
    assert [*texts_of(row)] == [*"a-0 because kept asked better worse third meh failed".split()]


def test_an_excerpt_is_about_what_was_searched() -> None:
    row = {"messages": [{"role": "system", "content": "rules"}, {"role": "user", "content": "a " * 200 + "needle end"}]}
    assert "needle end" in excerpt(row, "NEEDLE")
    assert excerpt(row, "needle").startswith("…")
    assert excerpt(row).startswith("a a")
    assert excerpt({"reason": "too long"}) == "too long"
