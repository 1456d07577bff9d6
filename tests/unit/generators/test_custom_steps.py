"""What a step of a custom ensemble may do besides asking once."""

import json
from typing import Any

import pytest

from synth.errors import Rejected
from synth.example import Draft
from synth.generators.custom import Custom
from synth.generators.steps import is_true, vote
from synth.messages import Json
from synth.models.client import Request
from synth.prompts import compile_template
from synth.recipe.kinds.custom import CustomSpec
from tests.unit.generators.scripted_unit import ScriptedCaller, make_context, make_setup

VERDICT: Json = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


def custom(*steps: Json, answer: str = "{{ draft }}") -> CustomSpec:
    output = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": answer}]}
    return CustomSpec.model_validate({"kind": "custom", "count": 1, "steps": list(steps), "output": output})


async def make(spec: CustomSpec, said: dict[str, list[str]]) -> tuple[Draft, ScriptedCaller, list[str]]:
    prompts: list[str] = []

    def answers(role: str, sample: int, request: Request) -> str:
        prompts.append(request.messages[-1].content or "")
        return said[role][sample]

    context, caller = make_context(answers, {"question": "What?"})
    return await Custom(make_setup(spec), spec).make(context), caller, prompts


async def test_samples_make_a_list() -> None:
    spec = custom({"as": "drafts", "prompt": "go", "samples": 3}, answer="{{ drafts | join('/') }}")
    draft, _, _ = await make(spec, {"drafts": ["a", "b", "c"]})
    assert draft.messages[1].content == "a/b/c"


async def test_a_vote_picks_the_answer_that_most_agree_on() -> None:
    spec = custom({"as": "draft", "prompt": "go", "samples": 3, "vote": 0.6})
    draft, _, _ = await make(spec, {"draft": ["Hm. Answer: 7", "Answer: 8", "So it is.\nAnswer: 7 apples"]})
    assert draft.messages[1].content == "Hm. Answer: 7"


@pytest.mark.parametrize(
    ("values", "reason"), [(["a", "b"], "a tie between A and B"), (["a", "a", "b", "c"], "only 2 of 4 agree")]
)
def test_a_tie_and_too_few_are_rejected(values: list[Any], reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        vote(values, 0.6, "draft")


def test_objects_vote_whatever_the_order_of_their_keys() -> None:
    assert vote([{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 3}], 0.5, "v") == {"a": 1, "b": 2}


async def test_when_leaves_a_step_out() -> None:
    spec = custom(
        {"as": "draft", "prompt": "go"},
        {"as": "more", "prompt": "more", "when": "{{ draft | length > 5 }}"},
        answer="{{ draft }} {{ more }}",
    )
    draft, caller, _ = await make(spec, {"draft": ["short"], "more": ["never"]})
    assert (draft.messages[1].content, caller.asked) == ("short None", ["draft.0"])


async def test_a_loop_goes_back_with_what_was_said_and_ends_when_satisfied() -> None:
    spec = custom(
        {"as": "draft", "prompt": "go{% if verdict %} again, not like {{ draft }}{% endif %}"},
        {"as": "verdict", "prompt": "judge", "schema": VERDICT, "until": "{{ verdict.ok }}", "again_from": "draft"},
    )
    verdicts = [json.dumps({"ok": False}), json.dumps({"ok": True})]
    draft, caller, prompts = await make(spec, {"draft": ["one", "two"], "verdict": verdicts})
    assert draft.messages[1].content == "two"
    assert caller.asked == ["draft.0", "verdict.0", "draft.1", "verdict.1"]
    assert prompts[2] == "go again, not like one"


async def test_a_loop_is_bounded() -> None:
    spec = custom({"as": "draft", "prompt": "go", "until": "{{ draft == 'never' }}", "rounds": 4})
    with pytest.raises(Rejected) as rejected:
        await make(spec, {"draft": list("abcd")})
    assert (rejected.value.gate, rejected.value.text) == ("until", "d")


async def test_a_check_in_python_sees_seed_and_results() -> None:
    check = "assert seed['question'] == 'What?'\nassert len(draft) > 3, 'too short'"
    draft, caller, _ = await make(custom({"as": "draft", "prompt": "go", "check": check}), {"draft": ["ab", "abcd"]})
    assert (draft.messages[1].content, len(caller.asked)) == ("abcd", 2)


@pytest.mark.parametrize("check", ["import socket\nsocket.socket()", "open('/etc/passwd')", "while True: pass"])
async def test_a_check_cannot_leave_the_sandbox(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from synth.generators import steps
    from synth.sandbox.program import Limits

    monkeypatch.setattr(steps, "_LIMITS", Limits(seconds=0.5))
    with pytest.raises(Rejected) as rejected:
        await make(custom({"as": "draft", "prompt": "go", "check": check, "rounds": 1}), {"draft": ["x"]})
    assert rejected.value.gate == "check"


async def test_several_models_share_the_samples() -> None:
    spec = custom({"as": "draft", "prompt": "go", "agent": ["m", "other"], "samples": 4, "vote": 0.5})
    draft, caller, _ = await make(spec, {"draft": ["x", "x", "x", "y"]})
    assert draft.messages[1].content == "x"
    assert sorted(caller.asked) == ["draft.0", "draft.1", "draft.2", "draft.3"]


@pytest.mark.parametrize("until", ["{{ verdict.ok }}", "{{ 'ok' in verdict }}", "{{ verdict == 'yes' }}"])
async def test_a_step_that_was_left_out_has_nothing_to_satisfy(until: str) -> None:
    verdict = {
        "as": "verdict",
        "prompt": "judge",
        "when": "{{ draft == 'bad' }}",
        "until": until,
        "again_from": "draft",
    }
    spec = custom({"as": "draft", "prompt": "go"}, verdict)
    draft, caller, _ = await make(spec, {"draft": ["good"], "verdict": []})
    assert (draft.messages[1].content, caller.asked) == ("good", ["draft.0"])


@pytest.mark.parametrize("leave", ["raise SystemExit", "import os\nos._exit(0)"])
async def test_a_check_that_is_left_early_is_no_yes(leave: str) -> None:
    spec = custom({"as": "draft", "prompt": "go", "check": "exec(draft)\nassert False", "rounds": 1})
    with pytest.raises(Rejected, match="it ends before its last line"):
        await make(spec, {"draft": [leave]})


async def test_a_sample_that_cannot_be_used_has_no_vote() -> None:
    spec = custom({"as": "draft", "prompt": "go", "samples": 4, "vote": 0.5, "schema": VERDICT, "repairs": 0})
    said = ['{"ok": true}', "hm", '{"ok": true}', '{"ok": false}']
    draft, _, _ = await make(spec, {"draft": said})
    assert draft.messages[1].content == "{'ok': True}"
    with pytest.raises(Rejected, match="only 1 of 4 agree"):
        await make(spec, {"draft": [said[0], "hm", "hm", "hm"]})
    with pytest.raises(Rejected) as rejected:
        await make(spec, {"draft": ["hm"] * 4})
    assert rejected.value.gate == "schema"


def test_sentences_with_the_same_number_are_not_the_same_answer() -> None:
    with pytest.raises(Rejected, match="a tie"):
        vote(["Ship it on day 3", "Refund it after 3 visits"], 0.5, "reply")
    assert vote(["3 visits", "3.0 visits", "4"], 0.5, "reply") == "3 visits"


async def test_a_loop_that_goes_back_gives_what_it_goes_over_all_its_rounds_again() -> None:
    spec = custom(
        {"as": "draft", "prompt": "go", "check": "assert draft not in 'AC'", "rounds": 2},
        {"as": "verdict", "prompt": "judge", "until": "{{ verdict == 'yes' }}", "again_from": "draft", "rounds": 2},
    )
    draft, caller, _ = await make(spec, {"draft": list("ABCD"), "verdict": ["no", "yes"]})
    assert draft.messages[1].content == "D"
    assert caller.asked == ["draft.0", "draft.1", "verdict.0", "draft.2", "draft.3", "verdict.1"]
    with pytest.raises(Rejected, match="verdict: not satisfied after 2 rounds"):
        await make(spec, {"draft": list("ABCD"), "verdict": ["no", "no"]})


@pytest.mark.parametrize("samples", [1, 2, 3])
async def test_later_rounds_go_on_through_the_agents(samples: int) -> None:
    step = {"as": "draft", "prompt": "go", "agent": ["m", "other"], "samples": samples, "until": "{{ 'c' in draft }}"}
    spec = custom(step)
    context, _ = make_context(lambda role, sample, request: "abc"[sample // samples], {})
    await Custom(make_setup(spec), spec).make(context)
    models = {record.id.partition(".")[2]: record.model for record in context.records}
    assert models == {str(number): ["m", "other"][number % 2] for number in range(3 * samples)}


@pytest.mark.parametrize("said", ["", "0", "0.0", "-0", "0e3", "no", "None", "null", "False"])
def test_what_counts_as_no(said: str) -> None:
    template = compile_template("{{ said }}", "accept")
    assert not is_true(template, {"said": said})
    assert is_true(template, {"said": f"{said}x"})
