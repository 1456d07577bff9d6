"""Verdicts by criterion, verdicts that cannot be read, and pairs in both orders."""

import json
from pathlib import Path

import pytest

from synth.agents.context import UnitContext
from synth.judging.panel import Panel, Subject, render_conversation
from synth.judging.report import report_judges, warnings
from synth.messages import Json, Message, ToolCall
from synth.models.client import Request
from synth.recipe.models import ModelSpec
from synth.recipe.rubric import load_rubric
from tests.unit.generators.scripted_unit import Answers, ScriptedCaller, make_context

RUBRIC = """\
about: An answer.
criteria:
  right:
    asks: Is it right?
    weight: 3
    scale: {no: wrong, yes: right}
  clear:
    asks: Is it clear?
    scale: {1: murky, 2: readable, 3: plain}
"""
SUBJECT = Subject([Message("user", "What is 2 + 2?"), Message("assistant", "4.")], {"Policy": "Be brief."})


def verdict(right: str, clear: str, why: str = "so it is") -> str:
    return json.dumps({"right": {"reason": why, "level": right}, "clear": {"reason": why, "level": clear}})


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "r.yaml").write_text(RUBRIC)
    return tmp_path


def panel(base: Path, *judges: str) -> Panel:
    models = {name: ModelSpec(provider="scripted") for name in ("one", "two", "three")}
    return Panel(load_rubric("r.yaml", base), models, judges)


def ask(answers: Answers) -> tuple[UnitContext, ScriptedCaller]:
    return make_context(answers, {})


async def test_scores_go_by_place_on_the_scale_and_by_weight(base: Path) -> None:
    context, _ = ask(lambda role, sample, request: verdict("yes", "2"))
    found = await panel(base).assess(context, SUBJECT)
    assert found.scores == {"right": 1.0, "clear": 0.5}
    assert found.score == pytest.approx((3 * 1.0 + 0.5) / 4)
    assert found.to_dict()["verdicts"][0]["levels"] == {"right": "yes", "clear": "2"}


async def test_a_judge_reads_the_rubric_the_notes_and_the_conversation(base: Path) -> None:
    prompts: list[str] = []

    def answers(role: str, sample: int, request: Request) -> str:
        prompts.append(request.messages[-1].content or "")
        return verdict("yes", "3")

    context, _ = ask(answers)
    await panel(base).assess(context, SUBJECT)
    for part in ("An answer.", "Policy:\nBe brief.", "User: What is 2 + 2?", "Assistant: 4.", '"2": readable'):
        assert part in prompts[0]
    assert context.lineage().prompts.keys() == {"r.yaml"}


async def test_several_judges_give_the_mean_and_the_strictest_reason(base: Path) -> None:
    said = {0: verdict("yes", "3"), 2: verdict("no", "3", "it is five"), 4: verdict("no", "1")}
    context, caller = ask(lambda role, sample, request: said[sample])
    found = await panel(base, "one", "two", "three").assess(context, SUBJECT)
    assert found.scores == {"right": pytest.approx(1 / 3), "clear": pytest.approx(2 / 3)}
    assert found.reason("right") == "it is five"
    assert len(caller.asked) == 3


async def test_a_verdict_that_cannot_be_read_is_asked_again_with_what_was_wrong(base: Path) -> None:
    prompts: list[str] = []

    def answers(role: str, sample: int, request: Request) -> str:
        prompts.append(request.messages[-1].content or "")
        return verdict("yes", "3") if sample % 2 else "Five stars!"

    context, _ = ask(answers)
    found = await panel(base).assess(context, SUBJECT)
    assert found.score == 1.0
    assert "could not be used: judge: the answer is not JSON" in prompts[1]


async def test_and_then_it_counts_as_none_and_never_as_a_score(base: Path) -> None:
    context, caller = ask(lambda role, sample, request: verdict("perhaps", "3") if sample < 2 else verdict("no", "1"))
    found = await panel(base, "one", "two").assess(context, SUBJECT)
    assert found.judgements[0] is None
    assert found.score == 0.0
    assert len(caller.asked) == 3
    context, _ = ask(lambda role, sample, request: "no")
    nothing = await panel(base, "one").assess(context, SUBJECT)
    assert (nothing.score, nothing.scores, nothing.reason("right")) == (None, {}, "")


def better(first: str, second: str) -> Answers:
    """A judge that says ``first`` when asked in the plain order and ``second`` when the answers are swapped."""
    return lambda role, sample, request: json.dumps({"reason": "it is", "better": (first, second)[sample // 2 % 2]})


@pytest.mark.parametrize(
    ("plain", "swapped", "expected"),
    [("A", "B", "first"), ("B", "A", "second"), ("A", "A", None), ("B", "B", None), ("equal", "A", None)],
)
async def test_a_preference_counts_only_in_both_orders(
    base: Path, plain: str, swapped: str, expected: str | None
) -> None:
    context, caller = ask(better(plain, swapped))
    found = await panel(base).compare(context, SUBJECT, "4.", "It is four.")
    assert found.better == expected
    assert len(caller.asked) == 2


async def test_the_swapped_order_shows_the_second_answer_first(base: Path) -> None:
    shown: list[str] = []

    def answers(role: str, sample: int, request: Request) -> str:
        shown.append((request.messages[-1].content or "").split("Answer A:\n")[1].split("\n")[0])
        return json.dumps({"reason": "", "better": "equal"})

    context, _ = ask(answers)
    await panel(base).compare(context, SUBJECT, "4.", "It is four.")
    assert shown == ["4.", "It is four."]


def test_tool_calls_and_their_results_are_shown() -> None:
    call = ToolCall("c1", "find", '{"id": 7}')
    talk = [Message("assistant", None, (call,)), Message("tool", "found", tool_call_id="c1")]
    assert render_conversation(talk) == 'Assistant calls find({"id": 7})\n\nTool answers: found'


def judged(*levels: str | None) -> Json:
    return {"verdicts": [{"judge": "m", "levels": level and {"right": level}} for level in levels]}


def test_a_judge_that_always_says_the_same_is_noticed() -> None:
    report = report_judges([judged("yes", "yes" if n % 2 else "no") for n in range(12)])
    assert report["criteria"]["right"]["levels"]["m"] == {"yes": 12}
    assert report["criteria"]["right"]["agreement"]["kappa"] == 0
    (warning,) = warnings(report)
    assert warning.startswith("judge 'm' said 'yes' of 'right' in all of 12 verdicts: it tells nothing apart")


def test_agreement_leaves_out_what_not_every_judge_could_judge() -> None:
    report = report_judges([judged("yes", "yes"), judged("no", "no"), judged(None, "yes")])
    assert report["none"] == {"m": 1, "m #2": 0}
    assert report["criteria"]["right"]["agreement"] == {
        "statistic": "cohen",
        "items": 2,
        "observed": 1.0,
        "kappa": 1.0,
    }
    assert list(warnings(report)) == []


def test_judges_without_verdicts_are_noticed() -> None:
    report = report_judges([judged(None) for _ in range(10)])
    assert list(warnings(report)) == ["judge 'm' gave no verdict that can be read on 10 of 10"]
    assert report_judges([]) == {"judged": 0, "none": {}, "criteria": {}}
