"""What is typed into the search field."""

from synth.view.words import excerpt, match_expression, spaced


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


def test_an_excerpt_is_about_what_was_searched() -> None:
    row = {"messages": [{"role": "system", "content": "rules"}, {"role": "user", "content": "a " * 200 + "needle end"}]}
    assert "needle end" in excerpt(row, "NEEDLE")
    assert excerpt(row, "needle").startswith("…")
    assert excerpt(row).startswith("a a")
    assert excerpt({"reason": "too long"}) == "too long"
