"""The ensemble against models whose every answer is known beforehand."""

import pytest
from pydantic import ValidationError

from synth.errors import Rejected
from synth.example import Draft
from synth.generators.cot import Cot
from synth.generators.programs import compute, extract_program
from synth.messages import Json
from synth.models.client import Request
from synth.recipe.ensemble import DifficultySpec, EnsembleSpec
from synth.recipe.kinds.solved import CotSpec
from synth.recipe.models import SamplingSpec
from tests.unit.generators.scripted_unit import Answers, ScriptedCaller, make_context, make_setup

QUESTION = "There are 3 bags with 4 apples each. 5 apples are eaten. How many are left?"
RIGHT = "There are 3 * 4 = 12 apples.\n12 - 5 = 7 are left.\nAnswer: 7"
LONGER = "At first there are 3 * 4 = 12 apples in the bags.\nThen 12 - 5 = 7 of them are left.\nAnswer: 7"
WRONG = "There are 3 + 4 = 7 apples.\n7 - 5 = 2 are left.\nAnswer: 2"
FALSE_STEP = "There are 3 * 4 = 13 apples.\n13 - 5 = 7 are left.\nAnswer: 7"
GOOD_PROGRAM = "```python\ndef solution():\n    return 3 * 4 - 5.0\n```"
BAD_PROGRAM = "```python\nprint(3 + 4 - 5)\n```"


def says(solver: list[str], programmer: list[str] | None = None, **others: str) -> Answers:
    def answers(role: str, sample: int, request: Request) -> str:
        if role.startswith("solver"):
            return solver[sample]
        if role == "programmer":
            assert programmer is not None
            return programmer[sample]
        return others[role]

    return answers


async def make(answers: Answers, spec: CotSpec, *, answer: str | None = None) -> tuple[Draft, ScriptedCaller]:
    fields: Json = {"question": QUESTION} | ({"answer": answer} if answer is not None else {})
    context, caller = make_context(answers, fields)
    return await Cot(make_setup(spec), spec).make(context), caller


def cot(*, preference: bool = False, difficulty: DifficultySpec | None = None, **ensemble: object) -> CotSpec:
    return CotSpec(
        kind="cot",
        count=1,
        preference=preference,
        difficulty=difficulty or DifficultySpec(),
        ensemble=EnsembleSpec.model_validate(ensemble),
    )


async def test_a_known_answer_needs_no_program_and_the_shortest_sound_chain_is_kept() -> None:
    draft, caller = await make(says([LONGER, FALSE_STEP, RIGHT]), cot(samples=3), answer="7")
    assert draft.messages[1].content == RIGHT
    assert draft.scores["pass_rate"] == 1.0
    assert draft.extra["decided_by"] == "seed"
    assert caller.asked == ["solver.0", "solver.1", "solver.2"]


async def test_a_whole_solution_in_the_seed_counts_by_its_end() -> None:
    draft, _ = await make(says([RIGHT]), cot(samples=1), answer="3*4=<<3*4=12>>12 nuts\n12-5=7\n#### 7")
    assert (draft.extra["answer"], draft.messages[1].content) == ("7", RIGHT)


async def test_a_chain_that_ends_as_it_was_asked_to_goes_before_a_shorter_one() -> None:
    boxed = "3 + 4 = \\boxed{7}"
    draft, _ = await make(says([boxed, RIGHT, boxed]), cot(samples=3), answer="7")
    assert len(boxed) < len(RIGHT)
    assert draft.messages[1].content == RIGHT


@pytest.mark.parametrize(("verdict", "kept"), [('{"solution": 2}', LONGER), ('{"solution": 9}', RIGHT), ("no", RIGHT)])
async def test_the_picker_may_keep_another_right_chain_than_the_shortest(verdict: str, kept: str) -> None:
    answers = says([LONGER, RIGHT, FALSE_STEP, RIGHT], picker=verdict)
    draft, caller = await make(answers, cot(samples=4, keep="judge"), answer="7")
    assert draft.messages[1].content == kept
    assert "picker.0" in caller.asked


async def test_a_program_decides_between_chains() -> None:
    answers = says([WRONG, WRONG, RIGHT], [GOOD_PROGRAM, GOOD_PROGRAM])
    draft, _ = await make(answers, cot(samples=3, programs=2, vote=0.5))
    assert draft.extra["answer"] == "7"
    assert draft.extra["decided_by"] == "program"
    assert draft.scores["support"] == pytest.approx(0.7778)
    assert draft.scores["difficulty"] == pytest.approx(0.6667)


@pytest.mark.parametrize(
    ("printed", "answer"),
    [
        ("1 / 3", "1/3"),
        ("-2 / 3", "-2/3"),
        ("0.333", "0.333"),
        ("0.1 + 0.2", "0.3"),
        ("12.5", "12.5"),
        ("1e16", "10000000000000000"),
        ("2 ** 0.5", "1.414214"),
        ("'1.5e6000000'", "1.5e6000000"),  # half a minute, and all memory, where it is computed
    ],
)
async def test_a_float_that_a_program_prints_is_read_as_the_number_that_was_meant(printed: str, answer: str) -> None:
    context, _ = make_context(says([], [f"```python\nprint({printed})\n```"]), {"question": QUESTION})
    programmer = make_setup(cot()).agent("programmer", sampling=SamplingSpec(), template="cot/programmer")
    [computed] = await compute(programmer, context, QUESTION, 1)
    assert computed.answer == answer


async def test_chains_that_no_program_confirms_are_not_believed() -> None:
    with pytest.raises(Rejected) as rejected:
        await make(says([RIGHT, RIGHT, RIGHT], [BAD_PROGRAM, "no code"]), cot(samples=3, programs=2, vote=0.5))
    assert rejected.value.gate == "program"
    assert "7 (3 chains, 0 programs)" in rejected.value.reason


async def test_answers_that_never_parse_are_a_rejection() -> None:
    with pytest.raises(Rejected, match="no chain has an answer") as rejected:
        await make(says(["It is hard to say."] * 2, ["```python\nprint()\n```"]), cot(samples=2, programs=1))
    assert rejected.value.gate == "vote"


@pytest.mark.parametrize("samples", [0, 1000])
def test_as_many_chains_as_make_sense(samples: int) -> None:
    with pytest.raises(ValidationError):
        cot(samples=samples)


async def test_what_was_agreed_on_goes_out_as_the_chain_wrote_it() -> None:
    chain = "There are 3 * 4 = 12 apples.\n12 - 5 = 7 are left.\nAnswer: 7 Granny Smiths"
    spec = CotSpec(kind="cot", count=1, chain="reasoning_content", ensemble=EnsembleSpec(samples=1, programs=1))
    draft, _ = await make(says([chain], [GOOD_PROGRAM]), spec)
    assert (draft.extra["answer"], draft.messages[1].content) == ("7 Granny Smiths", "7 Granny Smiths")


async def test_a_tie_is_no_decision() -> None:
    with pytest.raises(Rejected) as rejected:
        await make(says([RIGHT, WRONG]), cot(samples=2, programs=0))
    assert rejected.value.gate == "vote"


async def test_the_judge_decides_a_tie() -> None:
    answers = says([RIGHT, WRONG], judge='{"solution": 2}')
    draft, caller = await make(answers, cot(samples=2, programs=0, critic="other"))
    assert (draft.extra["answer"], draft.extra["decided_by"]) == ("7", "judge")
    assert caller.asked[-1] == "judge.0"


async def test_a_judge_who_finds_none_right_ends_it() -> None:
    with pytest.raises(Rejected) as rejected:
        await make(says([RIGHT, WRONG], judge='{"solution": 0}'), cot(samples=2, programs=0, critic="other"))
    assert rejected.value.gate == "judge"


async def test_an_unsound_chain_is_revised_and_verified_again() -> None:
    answers = says([FALSE_STEP], critic="3 * 4 is 12.", reviser=RIGHT)
    draft, caller = await make(answers, cot(samples=1, revise=1), answer="7")
    assert draft.messages[1].content == RIGHT
    assert draft.extra["revised"] == 1
    assert caller.asked == ["solver.0", "critic.0", "reviser.0"]


async def test_a_revision_that_is_no_better_is_rejected() -> None:
    with pytest.raises(Rejected) as rejected:
        await make(says([WRONG], critic="wrong", reviser=WRONG), cot(samples=1, revise=2), answer="7")
    assert rejected.value.gate == "answer"


async def test_what_is_too_easy_does_not_teach() -> None:
    spec = cot(samples=2, difficulty=DifficultySpec(min=0.2))
    with pytest.raises(Rejected) as rejected:
        await make(says([RIGHT, LONGER]), spec, answer="7")
    assert rejected.value.gate == "difficulty"


async def test_preference_data_says_what_separates_the_two() -> None:
    draft, _ = await make(says([WRONG, RIGHT]), cot(samples=2, preference=True), answer="7")
    assert draft.extra["prompt"] == [{"role": "user", "content": QUESTION}]
    assert draft.extra["chosen"] == [{"role": "assistant", "content": RIGHT}]
    assert draft.extra["rejected"] == [{"role": "assistant", "content": WRONG}]
    assert draft.extra["separates"] == "wrong answer: 2 instead of 7"


async def test_nothing_worse_means_no_preference() -> None:
    with pytest.raises(Rejected) as rejected:
        await make(says([RIGHT, LONGER]), cot(samples=2, preference=True), answer="7")
    assert rejected.value.gate == "preference"


async def test_the_chain_can_go_out_as_reasoning() -> None:
    spec = CotSpec(kind="cot", count=1, chain="reasoning_content", ensemble=EnsembleSpec(samples=1))
    draft, _ = await make(says([RIGHT]), spec, answer="7")
    assert draft.messages[1].content == "7"
    assert draft.messages[1].reasoning == "There are 3 * 4 = 12 apples.\n12 - 5 = 7 are left."


async def test_several_solvers_share_the_samples() -> None:
    spec = cot(samples=3, solvers=[{"model": "m"}, {"model": "other"}])
    _, caller = await make(says([RIGHT, LONGER]), spec, answer="7")
    assert sorted(caller.asked) == ["solver0.0", "solver0.1", "solver1.0"]


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("```python\nprint(1)\n```", "print(1)\n"),
        ("First ```python\nprint(1)\n``` then\n```py\nprint(2)\n``` done", "print(2)\n"),
        ("```\nprint(3)", "print(3)\n"),
        ("```python\nprint(3)\n```\n```output\n3\n```\nSo it is 3.", "print(3)\n"),
        ("print(4)", "print(4)\n"),
        ("print(5)\n```", "print(5)\n"),
        ("print(6)\n```\nIt prints 6.", "print(6)\n"),
    ],
)
def test_finds_the_program_in_an_answer(text: str, program: str) -> None:
    assert extract_program(text) == program
