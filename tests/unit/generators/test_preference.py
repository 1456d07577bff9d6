"""Preference data of kinds that no ensemble solves: what is chosen, what is rejected, and what separates the two."""

import json
from typing import Any

import pytest

from synth.errors import Rejected, UsageError
from synth.example import Draft, Seed, WorkUnit
from synth.generators.classify import Classify
from synth.generators.custom import Custom
from synth.generators.rephrase import Rephrase
from synth.messages import Json
from synth.models.client import Request
from synth.outline import outline
from synth.recipe.kinds.classify import ClassifySpec
from synth.recipe.kinds.custom import CustomSpec
from synth.recipe.kinds.solved import RephraseSpec
from tests.unit.generators.scripted_unit import Answers, ScriptedCaller, make_context, make_setup

HELPFUL = ("helpful", "correct", "clear")


def verdict(level: str) -> str:
    return json.dumps({name: {"reason": f"it is {level}", "level": level} for name in HELPFUL})


def custom(*steps: Json, accept: str | None = None, answer: str = "{{ reply }}", **prefer: Any) -> CustomSpec:
    messages = [{"role": "user", "content": "{{ ask }}"}, {"role": "assistant", "content": answer}]
    made = {"kind": "custom", "count": 1, "steps": list(steps), "output": {"messages": messages}}
    return CustomSpec.model_validate(made | {"preference": True, "prefer": prefer, "accept": accept})


ASK, REPLY = {"as": "ask", "prompt": "ask"}, {"as": "reply", "prompt": "{{ ask }}"}


async def make(spec: CustomSpec, answers: Answers) -> tuple[Draft, ScriptedCaller]:
    context, caller = make_context(answers, {})
    return await Custom(make_setup(spec), spec).make(context), caller


def script(replies: list[str], levels: dict[str, str], better: tuple[str, str] = ("A", "B")) -> Answers:
    """Replies in order, a level for each, and what is said side by side in both orders."""

    def answers(role: str, sample: int, request: Request) -> str:
        said = request.messages[-1].content or ""
        match role:
            case "ask":
                return "What now?"
            case "reply":
                return replies[sample]
            case "prefer":
                return verdict(next(level for reply, level in levels.items() if f"Assistant: {reply}" in said))
        return json.dumps({"reason": "it helps", "better": better[sample // 2]})

    return answers


async def test_the_higher_score_is_chosen_and_what_separates_them_is_said() -> None:
    spec = custom(ASK, REPLY, responses=3)
    draft, caller = await make(spec, script(["bad", "good", "fair"], {"bad": "no", "good": "yes", "fair": "partly"}))
    extra = draft.extra
    assert [message.content for message in draft.messages] == ["What now?", "good"]
    assert extra["prompt"] == [{"role": "user", "content": "What now?"}]
    assert extra["chosen"] == [{"role": "assistant", "content": "good"}]
    assert extra["rejected"] == [{"role": "assistant", "content": "bad"}]
    assert extra["separates"] == "lower score: 0.00 instead of 1.00: helpful: it is no (it helps)"
    assert [(one["content"], one["score"]) for one in extra["responses"]] == [
        ("good", 1.0),
        ("bad", 0.0),
        ("fair", 0.5),
    ]
    assert caller.asked.count("ask.0") == 1
    assert [key for key in caller.asked if key.startswith("reply")] == ["reply.0", "reply.1", "reply.2"]
    assert draft.scores == {"chosen": 1.0, "rejected": 0.0}


@pytest.mark.parametrize(
    ("levels", "better", "reason"),
    [
        ({"one": "yes", "two": "yes"}, ("A", "B"), "all 2 responses are equally good: 1.00"),
        ({"one": "yes", "two": "no"}, ("A", "A"), "shown side by side in both orders"),
        ({"one": "yes", "two": "no"}, ("B", "A"), "shown side by side in both orders"),
        ({"one": "strange", "two": "no"}, ("A", "B"), "no judge gave verdicts that can be read"),
    ],
)
async def test_no_pair_where_nothing_is_better(levels: dict[str, str], better: tuple[str, str], reason: str) -> None:
    with pytest.raises(Rejected, match=reason) as rejected:
        await make(custom(ASK, REPLY), script(["one", "two"], levels, better))
    assert rejected.value.gate == "preference"


async def test_equal_responses_are_one() -> None:
    with pytest.raises(Rejected, match="all responses are the same"):
        await make(custom(ASK, REPLY, responses=4), script(["one"] * 4, {}))


async def test_what_accept_says_no_to_is_rejected_without_a_judge() -> None:
    spec = custom(ASK, REPLY, accept="{{ reply != 'rude' }}")
    draft, caller = await make(spec, script(["rude", "kind"], {}))
    assert draft.messages[-1].content == "kind"
    assert draft.extra["rejected"] == [{"role": "assistant", "content": "rude"}]
    assert draft.extra["separates"] == "accept: accept rendered to 'False'"
    assert not [key for key in caller.asked if key.startswith("prefer")]


async def test_a_check_that_fails_makes_the_rejected_side() -> None:
    checked = REPLY | {"check": "assert 'x' not in reply, 'there is an x'", "rounds": 1}
    draft, _ = await make(custom(ASK, checked), script(["fine", "with x"], {}))
    assert draft.extra["separates"] == "check: reply: AssertionError: there is an x"


async def test_a_verdict_that_cannot_be_read_makes_no_rejected_side() -> None:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    critic = {"as": "verdict", "prompt": "{{ reply }}", "schema": schema, "until": "{{ verdict.ok }}", "rounds": 1}
    judged = script(["good", "excellent"], {})

    def answers(role: str, sample: int, request: Request) -> str:
        if role != "verdict":
            return judged(role, sample, request)
        return "Well, ..." if "excellent" in (request.messages[0].content or "") else '{"ok": true}'

    with pytest.raises(Rejected, match="all responses are the same"):
        await make(custom(ASK, REPLY, critic | {"repairs": 0}), answers)


async def test_responses_stay_independent_where_a_loop_goes_back() -> None:
    replies = ["a", "b", "c", "d"]
    loop = {
        "as": "verdict",
        "prompt": "{{ reply }}",
        "until": "{{ verdict == 'yes' }}",
        "again_from": "reply",
        "rounds": 2,
    }
    judged = script(replies, {"b": "yes", "d": "no"})

    def answers(role: str, sample: int, request: Request) -> str:
        if role != "verdict":
            return judged(role, sample, request)
        return "no" if (request.messages[0].content or "") in {"a", "c"} else "yes"

    draft, caller = await make(custom(ASK, REPLY, loop), answers)
    asked = [key for key in caller.asked if key.startswith("reply")]
    assert asked == ["reply.0", "reply.1", "reply.2", "reply.3"]
    assert (draft.messages[-1].content, draft.extra["rejected"][0]["content"]) == ("b", "d")


async def test_without_one_that_passes_there_is_no_example() -> None:
    with pytest.raises(Rejected, match="accept rendered to 'False'") as caught:
        await make(custom(ASK, REPLY, accept="{{ reply == 'never' }}"), script(["one", "two"], {}))
    assert caught.value.text.splitlines()[-1] == "reply: one"


async def test_a_prompt_that_depends_on_the_answer_is_refused() -> None:
    spec = custom(REPLY | {"prompt": "go"}, {"as": "ask", "prompt": "{{ reply }}"})
    with pytest.raises(UsageError, match="preference needs an answer by a step of its own"):
        Custom(make_setup(spec), spec)


DRAFT = {"as": "draft", "prompt": "{{ ask }}"}
MADE_OF_DRAFT = REPLY | {"prompt": "{{ draft }}"}


async def pair(drafts: list[str], answer: str, *steps: Json) -> tuple[Draft, list[str]]:
    """An example of responses ``answer``, where a reply is its prompt, and all that was asked."""

    def answers(role: str, sample: int, request: Request) -> str:
        return drafts[sample] if role == "draft" else request.messages[-1].content or ""

    draft, caller = await make(custom(ASK, *steps, answer=answer), answers)
    return draft, caller.asked


async def test_every_response_has_a_draft_of_its_own_and_a_loop_goes_back_to_it() -> None:
    again = MADE_OF_DRAFT | {"until": "{{ 'good' in reply }}", "again_from": "draft", "rounds": 2}
    draft, asked = await pair(["bad one", "good two", "bad three", "bad four"], "{{ reply }}", DRAFT, again)
    assert asked == ["ask.0", "draft.0", "reply.0", "draft.1", "reply.1", "draft.2", "reply.2", "draft.3", "reply.3"]
    assert draft.messages[-1].content == "good two"
    assert draft.extra["rejected"] == [{"role": "assistant", "content": "bad four"}]


@pytest.mark.parametrize("answer", ["{{ reply }}", "Here: {{ draft }} / {{ reply }}"])
async def test_a_response_that_was_given_up_half_way_is_none(answer: str) -> None:
    checked = DRAFT | {"check": "assert 'good' in draft", "rounds": 1}
    with pytest.raises(Rejected, match="all responses are the same"):
        await pair(["good", "bad"], answer, checked, MADE_OF_DRAFT)


async def test_what_an_earlier_round_made_is_no_part_of_a_response_that_is_given_up() -> None:
    checked = DRAFT | {"check": "assert draft != 'bad'", "rounds": 1}
    again = {"as": "verdict", "prompt": "v", "until": "{{ 'fine' in reply }}", "again_from": "draft", "rounds": 2}
    with pytest.raises(Rejected, match="all responses are the same"):
        await pair(["fine", "", "so so", "bad"], "{{ reply }}", checked, MADE_OF_DRAFT, again)


async def test_a_response_whose_steps_were_left_out_is_none() -> None:
    left_out = REPLY | {"when": "{{ draft != 'bad' }}"}
    spec = custom(ASK, DRAFT, left_out, accept="{{ draft != 'bad' }}", answer="Here: {{ reply }}")
    drafts = ["good", "bad"]
    with pytest.raises(Rejected, match="all responses are the same"):
        await make(spec, lambda role, sample, request: drafts[sample] if role == "draft" else "x")


async def test_classify_rejects_the_label_that_is_nearest() -> None:
    seeds = tuple(Seed(label, {"text": f"a text of {label}", "label": label}) for label in ("cards", "loans", "fees"))
    spec = ClassifySpec.model_validate({"kind": "classify", "count": 1, "preference": True})

    def answers(role: str, sample: int, request: Request) -> str:
        if role == "writer":
            return json.dumps({"text": "My card was charged twice."})
        assert request.schema is not None
        allowed = request.schema["properties"]["label"]["enum"]
        return json.dumps({"label": "cards" if "cards" in allowed else "fees"})

    context, caller = make_context(answers, dict(seeds[0].fields))
    draft = await Classify(make_setup(spec, seeds), spec).make(context)
    assert draft.extra["chosen"] == [{"role": "assistant", "content": "cards"}]
    assert draft.extra["rejected"] == [{"role": "assistant", "content": "fees"}]
    assert draft.extra["separates"] == "wrong label: fees instead of cards"
    assert caller.asked == ["writer.0", "judge.0", "judge.1"]


QUESTION = "Ann has 3 bags with 4 nuts each. How many nuts does Ann have?"
WORDING = "If each of 3 bags that Ann owns contains 4 nuts, what number of nuts is that?"


async def test_rephrase_goes_on_until_a_chain_is_wrong() -> None:
    spec = RephraseSpec.model_validate(
        {"kind": "rephrase", "count": 1, "preference": True, "ensemble": {"samples": 4, "vote": 0.5}}
    )

    def answers(role: str, sample: int, request: Request) -> str:
        if role == "rephraser":
            return json.dumps({"question": WORDING})
        return "3 * 4 = 12.\nAnswer: 12" if sample < 3 else "3 + 4 = 7.\nAnswer: 7"

    context, caller = make_context(answers, {"question": QUESTION, "answer": "12"})
    draft = await Rephrase(make_setup(spec), spec).make(context)
    assert draft.extra["prompt"] == [{"role": "user", "content": WORDING}]
    assert draft.extra["separates"] == "wrong answer: 7 instead of 12"
    assert len([key for key in caller.asked if key.startswith("solver")]) == 4


async def test_the_estimate_counts_every_response_and_its_judges() -> None:
    spec = custom(ASK, REPLY, responses=3)
    asked = await outline(spec, Custom(make_setup(spec), spec), WorkUnit("g", "custom", 0, 0, None, {}, 1))
    assert asked is not None
    assert [call.role for call in asked] == ["ask", *["reply", "prefer"] * 3, "prefer-pair", "prefer-pair"]
