"""Code seeds: the tests of a seed decide, in the sandbox."""

import pytest

from synth.errors import Rejected
from synth.generators.coding import complaint, unit_tests_of
from synth.generators.cot import Cot
from synth.recipe.ensemble import EnsembleSpec
from synth.recipe.kinds.solved import CotSpec
from tests.unit.generators.scripted_unit import make_context, make_setup

TASK = "Write a function double(n) that returns twice n."
TESTS = "assert double(3) == 6\nassert double(0) == 0"
GOOD = "It adds n to itself.\n```python\ndef double(n):\n    return n + n\n```"
LONG = "It multiplies by two, which is the same as adding it.\n```python\ndef double(n):\n    return 2 * n\n```"
BAD = "```python\ndef double(n):\n    return n ** 2\n```"
LEAVES = "```python\nimport os\ndef double(n):\n    os._exit(0)\n```"


async def test_the_shortest_program_that_passes_goes_out() -> None:
    spec = CotSpec(kind="cot", count=1, preference=True, ensemble=EnsembleSpec(samples=4))
    said = [BAD, LONG, GOOD, LEAVES]
    context, caller = make_context(lambda role, sample, request: said[sample], {"question": TASK, "tests": TESTS})
    draft = await Cot(make_setup(spec), spec).make(context)
    assert draft.messages[1].content == GOOD
    assert draft.extra["answer"] == "def double(n):\n    return n + n\n"
    assert draft.extra["decided_by"] == "tests"
    assert (draft.scores["pass_rate"], draft.scores["difficulty"]) == (0.5, 0.5)
    assert draft.extra["separates"].startswith("tests: AssertionError")
    assert caller.asked == [f"coder.{number}" for number in range(4)]


async def test_no_program_that_passes_is_a_rejection_with_the_complaint() -> None:
    spec = CotSpec(kind="cot", count=1, ensemble=EnsembleSpec(samples=1))
    context, _ = make_context(lambda role, sample, request: "I cannot.", {"question": TASK, "tests": TESTS})
    with pytest.raises(Rejected, match=r"SyntaxError|NameError") as rejected:
        await Cot(make_setup(spec), spec).make(context)
    assert rejected.value.gate == "tests"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("def double(n): return 2 * n", None),
        ("def double(n): return n", "AssertionError"),
        ("import os\nos._exit(0)", "it ends before its last line"),
        ("raise SystemExit(0)", "it ends before its last line"),
        ("import socket\nsocket.socket()", "PermissionError: the sandbox does not allow socket.__new__"),
    ],
)
async def test_what_is_wrong_with_a_program_is_said(program: str, said: str | None) -> None:
    assert await complaint(program, TESTS) == said


def test_tests_are_a_text_or_a_list_of_statements() -> None:
    assert unit_tests_of({"tests": "assert True"}) == "assert True"
    assert unit_tests_of({"tests": ["a = 1", "assert a"]}) == "a = 1\nassert a"
    assert (
        unit_tests_of({"tests": ""})
        is unit_tests_of({"tests": None})
        is unit_tests_of({})
        is unit_tests_of({"tests": []})
        is None
    )


@pytest.mark.parametrize("tests", ["assert double(3) ==", 5, True, ["assert True", 3], "x = \x00"])
def test_tests_that_are_no_python_are_said_to_be_none(tests: object) -> None:
    with pytest.raises(Rejected, match="the seed's tests are") as rejected:
        unit_tests_of({"tests": tests})
    assert rejected.value.gate == "tests"
