"""The kinds that multiply seeds, against models whose every answer is known beforehand."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import Rejected
from synth.example import Draft, Seed
from synth.generators.backward import hide_number, split_question
from synth.generators.quantities import quantities
from synth.generators.registry import build_generator
from synth.generators.writing import is_harder, is_new_problem, keeps_numbers
from synth.messages import Json
from synth.models.client import Request
from synth.recipe.ensemble import AgreementSpec, EnsembleSpec
from synth.recipe.kinds.base import GeneratorSpec
from synth.recipe.kinds.classify import ClassifySpec
from synth.recipe.kinds.solved import AnswerSpec, BackwardSpec, EvolveSpec, PersonaSpec, QuestionSpec, RephraseSpec
from tests.unit.generators.scripted_unit import Answers, make_context, make_setup

SEED: Json = {"question": "There are 3 bags with 4 apples each. 5 apples are eaten. How many are left?", "answer": "7"}
CHAIN = "There are 3 * 4 = 12 apples.\n12 - 5 = 7 are left.\nAnswer: 7"
ONE = EnsembleSpec(samples=1, programs=1)


async def make(spec: GeneratorSpec, answers: Answers, fields: Json = SEED, seeds: tuple[Seed, ...] = ()) -> Draft:
    context, _ = make_context(answers, fields)
    return await build_generator(make_setup(spec, seeds)).make(context)


def writes(question: str, chain: str, program: str, **more: str) -> Answers:
    def answers(role: str, sample: int, request: Request) -> str:
        return {"writer": json.dumps({**more, "question": question}), "solver": chain, "programmer": program}[role]

    return answers


async def test_answer_keeps_the_question() -> None:
    draft = await make(AnswerSpec(kind="answer", count=1, ensemble=ONE), writes("", CHAIN, ""))
    assert (draft.messages[0].content, draft.messages[1].content) == (SEED["question"], CHAIN)
    solution = {**SEED, "answer": f"{CHAIN}\n#### {SEED['answer']}"}  # as GSM8K has it
    draft = await make(AnswerSpec(kind="answer", count=1, ensemble=ONE), writes("", CHAIN, ""), solution)
    assert draft.extra["answer"] == SEED["answer"]


async def test_question_is_solved_by_chain_and_program() -> None:
    question = "A train has 6 cars with 8 seats each. 10 seats are taken. How many seats are free?"
    answers = writes(question, "There are 6 * 8 = 48 seats.\n48 - 10 = 38 are free.\nAnswer: 38", "print(6 * 8 - 10)")
    draft = await make(QuestionSpec(kind="question", count=1, ensemble=ONE), answers)
    assert draft.messages[0].content == question
    assert (draft.extra["answer"], draft.extra["decided_by"]) == ("38", "program")


async def test_evolve_needs_one_more_number() -> None:
    spec = EvolveSpec(kind="evolve", count=1, ensemble=ONE)
    same = "There are 9 bags with 4 apples each. How many apples are left?"
    with pytest.raises(Rejected) as rejected:
        await make(spec, writes(same, CHAIN, "print(7)", added="They are red."))
    assert rejected.value.gate == "form"
    harder = "There are 3 bags with 4 apples each. 5 apples are eaten and 2 are bought. How many are there?"
    chain = "There are 3 * 4 = 12 apples.\n12 - 5 = 7 are left.\n7 + 2 = 9.\nAnswer: 9"
    draft = await make(spec, writes(harder, chain, "print(9)", added="2 are bought."))
    assert (draft.messages[0].content, draft.extra["answer"]) == (harder, "9")


async def test_persona_keeps_numbers_and_answer() -> None:
    question = "On a ward there are 3 trolleys with 4 blankets each. 5 blankets go to the laundry. How many stay?"
    spec = PersonaSpec(kind="persona", count=1, personas=["a nurse"], ensemble=ONE)
    draft = await make(spec, writes(question, CHAIN, ""))
    assert (draft.extra["persona"], draft.extra["answer"]) == ("a nurse", "7")


async def test_persona_is_rejected_where_too_few_chains_reach_the_answer() -> None:
    def answers(role: str, sample: int, request: Request) -> str:
        question = "On a ward are 3 trolleys with 4 blankets. 5 blankets go to the laundry. How many stay?"
        return json.dumps({"question": question}) if role == "writer" else CHAIN if sample == 0 else "Answer: 2"

    spec = PersonaSpec(kind="persona", count=1, personas=["a nurse"], ensemble=EnsembleSpec(samples=3))
    with pytest.raises(Rejected, match="33% of the chains reach the seed's answer 7; 50% must"):
        await make(spec, answers)


async def test_persona_and_rephrase_of_a_task_that_is_no_question() -> None:
    fields = {"question": "Ann has 3 bags with 4 nuts each and eats 5. Find how many nuts are left.", "answer": "7"}
    wording = (
        "On a shelf lie 3 sacks, 4 nuts in every sack, and 5 get cracked by Ann. Work out the number that remains."
    )

    def answers(role: str, sample: int, request: Request) -> str:
        return CHAIN if role == "solver" else json.dumps({"question": wording})

    persona = PersonaSpec(kind="persona", count=1, personas=["a nurse"], ensemble=ONE)
    for spec in (persona, RephraseSpec(kind="rephrase", count=1)):
        assert (await make(spec, answers, fields)).messages[0].content == wording
        with pytest.raises(Rejected, match="did not end in a question mark"):
            await make(spec, answers, fields | {"question": fields["question"] + " How many?"})


@pytest.mark.parametrize(("vote", "samples", "needed"), [(0.28, 25, 7), (0.56, 25, 14), (0.5, 3, 2), (0.01, 3, 1)])
async def test_rephrase_asks_for_as_many_chains_as_the_vote_needs(vote: float, samples: int, needed: int) -> None:
    wording = "On a shelf lie 3 sacks, 4 apples in every sack, and 5 get eaten by Ann. What number remains?"
    ensemble = AgreementSpec(samples=samples, vote=vote)
    spec = RephraseSpec(kind="rephrase", count=1, ensemble=ensemble)
    context, caller = make_context(
        lambda role, sample, request: CHAIN if role == "solver" else json.dumps({"question": wording}), SEED
    )
    await build_generator(make_setup(spec)).make(context)
    assert sum(key.startswith("solver") for key in caller.asked) == needed


async def test_question_is_rejected_where_it_is_the_example_of_the_prompt() -> None:
    question = "A store has 3 boxes with 4 pens each. Then 5 pens are sold. How many pens are left?"
    fields = {"question": "Ann has 20 hats and sells 8. How many are left?", "answer": "12"}
    with pytest.raises(Rejected) as rejected:
        await make(QuestionSpec(kind="question", count=1, ensemble=ONE), writes(question, CHAIN, "print(7)"), fields)
    assert rejected.value.gate == "form"


async def test_persona_without_anybody_is_rejected() -> None:
    with pytest.raises(Rejected) as rejected:
        await make(PersonaSpec(kind="persona", count=1, ensemble=ONE), writes("", CHAIN, ""))
    assert rejected.value.gate == "persona"


async def test_backward_asks_for_a_number_of_the_seed() -> None:
    def answers(role: str, sample: int, request: Request) -> str:
        question = (request.messages[-1].content or "").partition("\n\n")[0]
        hidden = ({"3", "4", "5"} - set(re.findall(r"\d+", question))).pop()
        steps = {"3": "7 + 5 = 12.\n12 / 4 = 3", "4": "7 + 5 = 12.\n12 / 3 = 4", "5": "3 * 4 = 12.\n12 - 7 = 5"}
        return f"{steps[hidden]}, so x is {hidden}.\nAnswer: {hidden}"

    draft = await make(BackwardSpec(kind="backward", count=1, ensemble=ONE), answers)
    assert "the answer to this question is 7, what is the value of x?" in (draft.messages[0].content or "")
    assert draft.extra["answer"] in {"3", "4", "5"}


async def test_backward_by_self_verification_states_the_answer_as_a_claim() -> None:
    claims = ["How many are left? 7.", "Some are left.", "7 are left."]

    def answers(role: str, sample: int, request: Request) -> str:
        if role == "writer":
            return json.dumps({"statement": claims[sample]})
        asked = request.messages[-1].content or ""
        hidden = next(number for number in "345" if number not in asked[asked.rindex("There are") :].split("7 are")[0])
        steps = {"3": "7 + 5 = 12.\n12 / 4 = 3", "4": "7 + 5 = 12.\n12 / 3 = 4", "5": "3 * 4 = 12.\n12 - 7 = 5"}
        return f"{steps[hidden]}, so x is {hidden}.\nAnswer: {hidden}"

    draft = await make(BackwardSpec(kind="backward", count=1, form="self_verification", ensemble=ONE), answers)
    assert (draft.messages[0].content or "").endswith("7 are left. What is the value of x?")
    assert "How many" not in (draft.messages[0].content or "")


def test_a_question_that_is_no_sentence_of_its_own_is_not_restated() -> None:
    with pytest.raises(Rejected):
        split_question("How many are 3 bags of 4?")
    assert split_question("There are 3 bags. Each has 4. How many?") == ("There are 3 bags. Each has 4.", "How many?")


@given(st.lists(st.integers(2, 9999), min_size=1, max_size=6, unique=True), st.floats(0, 0.999))
def test_hides_one_number_and_only_that(numbers: list[int], draw: float) -> None:
    question = f"It is {' and '.join(map(str, numbers))}. How many?"
    backward, hidden = hide_number(question, draw)
    assert int(hidden) in numbers
    left = quantities(backward).keys()
    assert left == set(numbers) - {int(hidden)}


@pytest.mark.parametrize("again", ["3 pens", "three pens", "the three pens"])
def test_hides_nothing_where_every_number_stands_twice(again: str) -> None:
    with pytest.raises(Rejected, match="no number stands just once"):
        hide_number(f"3 pens and {again}. How many?", 0.5)


def test_a_number_is_hidden_without_the_comma_behind_it() -> None:
    said = "Of the nuts, which are {}, Ann eats five. How many are left?"
    for number in ("12", "1", "12,500"):
        assert hide_number(said.format(number), 0) == (said.format("x"), number)


def test_hides_nothing_where_an_x_stands_already() -> None:
    with pytest.raises(Rejected, match="an x of its own"):
        hide_number("Ann has x pens and buys 3. How many has she?", 0)
    assert hide_number("Max has 3 boxes. How many?", 0) == ("Max has x boxes. How many?", "3")


def test_a_decimal_or_a_fraction_is_hidden_whole() -> None:
    assert hide_number("It costs 2.50 dollars. How much?", 0)[1] == "2.50"
    with pytest.raises(Rejected):
        hide_number("He eats 1/2 of it. How much?", 0)


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ("Tom has 3 pens and buys 4.", "question mark"),
        ("Tom has 3 pens? He buys 4. How many?", "more than one question"),
        ("Tom has some pens. How many does he have?", "fewer than two numbers"),
        (str(SEED["question"]), "nearly the same"),
        ("A farmer has 5 fields and ploughs 4 of them in 3 days. How many lie fallow?", "the numbers of the problem"),
        ("Tom has 3 pens and buys 4. The answer is 7, right?", "gave the answer away"),
    ],
)
def test_what_is_wrong_with_a_new_question_is_said(question: str, complaint: str) -> None:
    assert complaint in (is_new_problem(str(SEED["question"]))(question) or "")


def test_checks_pass_what_is_right() -> None:
    assert is_new_problem(str(SEED["question"]))("Tom has 3 pens and buys 4 pens. How many pens has he?") is None
    assert is_harder("Tom has 3 pens. How many?")("Tom has 3 pens and Ann has 4 pens. How many have both?") is None
    assert keeps_numbers("Tom has 3 pens and 4 caps. How many?")("In a shop lie 4 hats and 3 coats. How many?") is None


LABELLED = tuple(
    Seed(str(number), {"text": f"{label} text {number}", "label": label})
    for number, label in enumerate(["card", "card", "cash", "cash"])
)


async def test_classify_keeps_a_text_with_the_label_it_was_written_for() -> None:
    def answers(role: str, sample: int, request: Request) -> str:
        return '{"text": "My card is gone"}' if role == "writer" else '{"label": "card"}'

    spec = ClassifySpec(kind="classify", count=1)
    draft = await make(spec, answers, dict(LABELLED[0].fields), LABELLED)
    assert [message.content for message in draft.messages] == ["My card is gone", "card"]
    with pytest.raises(Rejected) as rejected:
        await make(spec, answers, dict(LABELLED[2].fields), LABELLED)
    assert rejected.value.gate == "label"


@pytest.mark.parametrize(
    ("label", "text", "said"),
    [
        ("ham", "Shamrocks for the champion", False),
        ("ham", "This mail is Ham, see below", True),
        ("1", "It took 10 dollars", False),
        ("1", "It took 1 dollar", True),
        ("lost card", "They lost cardboard boxes", False),
        ("lost card", "About my lost card: help", True),
        ("体育", "我喜欢体育新闻", True),
        ("👍", "fine👍", True),
        ("C++", "I take vitamin C", False),
    ],
)
async def test_a_text_may_not_say_its_label_in_whole_words(label: str, text: str, said: bool) -> None:
    seeds = tuple(
        Seed(str(number), {"text": "some champagne and a text of ten words, all in all", "label": one})
        for number, one in enumerate([label, "other"])
    )

    def answers(role: str, sample: int, request: Request) -> str:
        return json.dumps({"text": text} if role == "writer" else {"label": label})

    making = make(ClassifySpec(kind="classify", count=1), answers, dict(seeds[0].fields), seeds)
    if said:
        with pytest.raises(Rejected, match="it said"):
            await making
    else:
        assert (await making).text == text


async def test_a_label_that_does_not_exist_is_asked_again_and_then_rejected() -> None:
    def answers(role: str, sample: int, request: Request) -> str:
        return '{"text": "My card is gone"}' if role == "writer" else '{"label": "shoes"}'

    with pytest.raises(Rejected) as rejected:
        await make(ClassifySpec(kind="classify", count=1), answers, dict(LABELLED[0].fields), LABELLED)
    assert rejected.value.gate == "schema"
