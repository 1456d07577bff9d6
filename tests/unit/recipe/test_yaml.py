"""YAML is read with the place of every part, by both of PyYAML's parsers, and hostile text is refused quickly."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from synth.recipe.yaml import MAX_NODES, Document, YamlProblem, parse_value, parse_yaml


@pytest.fixture(params=["libyaml", "pure Python"], autouse=True)
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure Python":
        monkeypatch.delattr(yaml, "CSafeLoader")


def problem(text: str) -> tuple[str, str]:
    with pytest.raises(YamlProblem) as caught:
        parse_yaml(text)
    found = caught.value
    return f"{found.line}:{found.column}: {found.message}", found.hint


def reported(document: Document) -> list[str]:
    return [f"{found.line}:{found.column}: {found.message}" for found in document.problems]


def test_every_key_and_value_has_its_place() -> None:
    document = parse_yaml('a: 1\né𝄞: {b: "x", c: [1, yes]}\nd: |\n  two\n  lines\ne:\n- x\n')
    assert document.data == {"a": 1, "é𝄞": {"b": "x", "c": [1, "yes"]}, "d": "two\nlines\n", "e": ["x"]}
    assert {path: span[:2] for path, span in document.keys.items()} == {
        ("a",): (1, 1),
        ("é𝄞",): (2, 1),
        ("é𝄞", "b"): (2, 6),
        ("é𝄞", "c"): (2, 14),
        ("d",): (3, 1),
        ("e",): (6, 1),
    }
    assert document.values["é𝄞", "c", 1][:2] == (2, 21)
    assert document.values["d",] == (3, 4, 5, True)
    assert document.values["e", 0][:2] == (7, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("0777", 777),
        ("0x1F", 31),
        ("1e-3", 0.001),
        (".5", 0.5),
        (".inf", ".inf"),
        ("TRUE", True),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ("!!float 1", 1.0),
        ("[a, {b: c}]", ["a", {"b": "c"}]),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_merged_keys_yield_to_keys_of_the_mapping_itself() -> None:
    document = parse_yaml("base: &base {a: 1, b: 2}\nuse:\n  <<: *base\n  b: 3\nboth: {<<: [*base, {a: 9, c: 4}]}\n")
    assert document.data["use"] == {"a": 1, "b": 3}
    assert document.data["both"] == {"a": 1, "b": 2, "c": 4}
    assert document.values["use", "a"][:2] == (1, 17)
    assert document.problems == ()


def test_what_leaves_the_rest_readable_is_reported_with_it() -> None:
    document = parse_yaml(
        "a: 1\na: 2\nb: !!python/name:os.system\nc: !!set {}\n? [x]\n: 1\nd: {{ x }}\ne: !!int z\n<<: [1]\n"
    )
    assert document.data["a"] == 1
    assert reported(document) == [
        "2:1: the key 'a' is given twice: first on line 1",
        "5:3: a key must be text, not a mapping or a list",
        "9:6: '<<' merges mappings: it needs an alias of one, such as '<<: *defaults'",
        "3:4: the tag '!!python/name:os.system' is not allowed in a recipe: it is data only",
        "4:4: the tag '!!set' is not allowed in a recipe: it is data only",
        "7:5: a key must be text, not a mapping or a list",
        "8:4: z is not a number that can be used here",
    ]
    assert document.problems[5].hint == 'text that starts with {{ must be in quotes: "{{ … }}"'


@pytest.mark.parametrize(
    ("text", "expected", "hint"),
    [
        (
            "a: b: c\n",
            "1:5: a ': ' stands where no key can be",
            "put a value that contains ': ' in quotes, or mend the indentation",
        ),
        ("a:\n\tb: 1\n", "2:1: a tab is used for indentation, and YAML allows only spaces", "replace it by two spaces"),
        (
            "a:\n  b: 1\n \tc: 2\n",
            "3:2: a tab is used for indentation, and YAML allows only spaces",
            "replace it by two spaces",
        ),
        ("a: 'x\nb: 1\n", "1:4: the quoted text that starts here never ends", "add the closing quote"),
        ("a: [1,\n  2\nb: 3\n", "3:2: a ',' or ']' is missing: the '[' of line 1, column 4 is still open", ""),
        (
            "a: {k: ${V}}\n",
            "1:9: a ',' or '}' is missing: the '{' of line 1, column 4 is still open",
            'inside { } and [ ], put "${VAR}" in quotes',
        ),
        (
            "a: [{b: Say: c}]\n",
            "1:12: a ',' or '}' is missing: the '{' of line 1, column 5 is still open",
            "put a value that contains ': ' in quotes",
        ),
        ("a: @b\n", "1:4: a value cannot start with '@'", "put the value in quotes"),
        ("a:\n  b: 1\n c: 2\n", "3:2: the indentation fits nothing above", "line it up with its neighbours"),
        ("a: *x\n", "1:4: the alias '*x' names nothing: no '&x' stands before it", ""),
        ("a: &x [*x]\n", "1:8: the alias '*x' stands inside what it names, so it would never end", ""),
        ("a: 1\n---\nb: 2\n", "2:1: a second YAML document starts here; a recipe is one document", "remove the '---'"),
        ("a: 1\nb: \x07\n", "2:4: the character U+0007 is not allowed in YAML", ""),
        ("a: [\n", "2:1: a value is missing here, or an earlier '[' or '{' is not closed", ""),
    ],
)
def test_a_syntax_error_is_named_in_plain_words(text: str, expected: str, hint: str) -> None:
    assert problem(text) == (expected, hint)


def _bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


def _merge_bomb(levels: int) -> str:
    lines = ["a0: &a0 {k: x}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_bomb(9), f"the aliases expand to more than {MAX_NODES:,} values: this is no recipe"),
        (_merge_bomb(9), f"the aliases expand to more than {MAX_NODES:,} values: this is no recipe"),
        ("a: " + "[" * 500_000, "nested more than 50 levels deep"),
        ("a: " + "{a: " * 100_000, "nested more than 50 levels deep"),
        (
            "\n".join(["a: &a0 x"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 80)]),
            "nested more than 50 levels deep",
        ),
        ("- a\n" * (MAX_NODES + 1), f"more than {MAX_NODES:,} values: this is no recipe"),
    ],
    ids=["aliases", "merges", "lists", "mappings", "chain", "many"],
)
def test_a_bomb_is_refused(text: str, expected: str) -> None:
    assert problem(text)[0].partition(": ")[2] == expected
