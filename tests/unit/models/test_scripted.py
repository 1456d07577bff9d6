from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import FatalModelError, RecipeError, TransientError, UsageError
from synth.messages import Message, StopReason, Tool
from synth.models.client import Request, Sampling
from synth.models.scripted import ScriptedModel, echo_rules, load_rules


def ask(text: str, *, sample: str = "0", system: str | None = None, **fields: object) -> Request:
    first = (Message("system", system),) if system is not None else ()
    return Request((*first, Message("user", text)), Sampling(), sample=sample, **fields)  # type: ignore[arg-type]


def model(tmp_path: Path, rules: str) -> ScriptedModel:
    path = tmp_path / "answers.yaml"
    path.write_text(rules, encoding="utf-8")
    return ScriptedModel(load_rules(path), name="script")


async def test_the_first_rule_whose_conditions_hold_answers(tmp_path: Path) -> None:
    client = model(
        tmp_path,
        r"""
        - {match: apples, system: critic, answer: a critic on apples}
        - {match: apples, schema: true, json: {fruit: apple}}
        - {match: apples, answer: apples}
        - {rule: echo}
        """,
    )
    assert (await client.complete(ask("apples?", system="You are a critic"))).message.content == "a critic on apples"
    assert (await client.complete(ask("apples?", schema={"type": "object"}))).message.content == '{"fruit":"apple"}'
    assert (await client.complete(ask("apples?"))).message.content == "apples"
    assert (await client.complete(ask("pears?"))).message.content == "pears?"


async def test_groups_of_the_match_are_filled_in_and_other_backslashes_stay(tmp_path: Path) -> None:
    client = model(
        tmp_path,
        r"""
        - match: '(\d+) \+ (?P<b>\d+)'
          answer: '\1 plus \g<b>: \boxed{?}'
        - match: 'weather in (\w+)'
          tool_calls: [{name: weather, arguments: {city: '\1'}}]
        """,
    )
    assert (await client.complete(ask("2 + 3"))).message.content == r"2 plus 3: \boxed{?}"
    response = await client.complete(ask("weather in Oslo", tools=(Tool("weather", "", {}),)))
    assert response.stop is StopReason.TOOL_CALLS
    assert [(call.name, call.arguments) for call in response.message.tool_calls] == [("weather", '{"city":"Oslo"}')]


async def test_a_list_of_answers_depends_on_the_sample_and_on_nothing_that_changes_between_runs(tmp_path: Path) -> None:
    rules = "- {match: '.', answer: [a, b, c, d]}"
    first, second = model(tmp_path, rules), model(tmp_path, rules)
    answers = [(await first.complete(ask("x", sample=str(n)))).message.content for n in range(40)]
    assert answers == [(await second.complete(ask("x", sample=str(n)))).message.content for n in range(40)]
    assert set(answers) == {"a", "b", "c", "d"}


async def test_errors_come_as_often_as_written(tmp_path: Path) -> None:
    client = model(
        tmp_path,
        "[{match: busy, error: {kind: rate_limited, times: 2, retry_after: 3}, answer: ok}, "
        "{match: dead, error: {kind: fatal}}]",
    )
    for _ in range(2):
        with pytest.raises(TransientError) as caught:
            await client.complete(ask("busy"))
        assert (caught.value.kind, caught.value.retry_after) == ("rate_limited", 3)
    assert (await client.complete(ask("busy"))).message.content == "ok"
    with pytest.raises(FatalModelError):
        await client.complete(ask("dead"))


async def test_a_request_without_a_rule_says_so(tmp_path: Path) -> None:
    with pytest.raises(FatalModelError, match="no rule of the scripted model 'script' answers 'hello'"):
        await model(tmp_path, "[{match: bye, answer: bye}]").complete(ask("hello"))


async def test_echo_makes_an_instance_of_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 3}, "why": {"type": "string"}, "ok": {"type": "boolean"}},
        "required": ["n", "why", "ok"],
    }
    response = await ScriptedModel(echo_rules(), name="echo").complete(ask("because", schema=schema))
    assert response.message.content == '{"n":3,"why":"because","ok":true}'


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("- answer: a\n- anwser: b\n", ":2:3: anwser: Extra inputs"),
        ("- answer: a\n- match: '('\n  answer: b\n", ":2:3: match: Input should be a valid regular expression"),
        ("- answer: a\n- match: b\n", ":2:3: Value error, give an answer"),
        ("- answer: [a\n", ":2:1: expected ',' or ']'"),
        ("answer: a\n", ":1:1: Input should be a valid list"),
        ("- answer: a\n  error: {kind: odd}\n", ":2:11: error.kind: Input should be"),
        ("- answer: a\n  usage: {input: 9223372036854775808, output: 1}\n", ":2:11: usage.input: Input should be less"),
    ],
)
def test_a_wrong_file_is_named_with_line_and_column(tmp_path: Path, text: str, where: str) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_rules(path)
    assert str(caught.value).startswith(f"{path}{where}")


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_rules(tmp_path / "nothing.yaml")
