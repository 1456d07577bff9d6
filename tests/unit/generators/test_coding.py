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


HUMAN_EVAL = "METADATA = {}\n\ndef check(candidate):\n    assert candidate(3) == 6"
PYTEST = "import math\n\ndef test_three():\n    assert double(3) == 6\n\ndef test_nothing():\n    assert double(0) == 0"
UNITTEST = """import unittest
class Three(unittest.TestCase):
    def setUp(self):
        self.n = 3
    def test_three(self):
        self.assertEqual(double(self.n), 6)
if __name__ == "__main__":
    unittest.main()"""
PATCHES = """import unittest
def double(n): return n
unittest.TestCase.assertEqual = lambda *said: None
unittest.TestSuite.debug = lambda *said: None"""


@pytest.mark.parametrize("tests", [HUMAN_EVAL, PYTEST, UNITTEST, "def check():\n    assert double(3) == 6"])
async def test_tests_that_leave_their_calls_to_a_runner_are_run(tests: str) -> None:
    running = unit_tests_of({"question": TASK, "tests": tests}) or ""
    assert await complaint("def double(n): return 2 * n", running) is None
    for program in ("def double(n): return n", "def double(n): raise SystemExit", "def check(c): pass", PATCHES):
        assert await complaint(program, running) is not None, program


@pytest.mark.parametrize(
    "tests",
    [
        "def same(a, b):\n    assert a == b\nsame(double(3), 6)",
        "def check(f):\n    assert f(3) == 6\ncheck(double)",
        "def test(n, twice):\n    assert double(n) == twice\nfor n in range(3):\n    test(n, 2 * n)",
        "def test_all():\n    assert double(3) == 6\ntest_all()",
    ],
)
def test_tests_that_call_all_themselves_stay_as_they_are(tests: str) -> None:
    assert unit_tests_of({"tests": tests}) == tests


@pytest.mark.parametrize(
    ("seed", "call"),
    [
        ({"question": "Write it.", "entry_point": "Solution().double"}, "check(Solution().double)"),
        ({"question": "def double(n: int) -> int:\n    >>> double(3)\n    max(6)"}, "check(double)"),
        ({"question": "Write `double(n)`; print(double(3)) prints 6."}, "check(double)"),
    ],
)
def test_check_is_given_the_function_that_the_seed_names(seed: dict[str, str], call: str) -> None:
    assert (unit_tests_of({**seed, "tests": HUMAN_EVAL}) or "").endswith(f"\n{call}")


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("# nothing", "call nothing that can fail"),
        ("import math\nexpected = 6\ndef verify():\n    assert double(3) == expected", "call nothing that can fail"),
        ("import unittest\nclass T(unittest.TestCase):\n    pass\nunittest.main()", "call nothing that can fail"),
        ("class TestIt:\n    def test_it(self):\n        assert double(3) == 6", "call nothing that can fail"),
        ("def test_it(n):\n    assert double(n) == 6", r"test_it\(\) is async or takes arguments"),
        ("async def test_it():\n    assert double(3) == 6", r"test_it\(\) is async or takes arguments"),
        (HUMAN_EVAL, "give its name as the seed's entry_point"),
    ],
)
def test_tests_that_would_check_nothing_are_refused(tests: str, said: str) -> None:
    with pytest.raises(Rejected, match=said) as rejected:
        unit_tests_of({"question": "Write f(x), which calls g(x).", "tests": tests})
    assert rejected.value.gate == "tests"
