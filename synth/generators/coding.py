"""Solutions that are programs: a seed's ``tests`` decide which are right, run with the program in the sandbox."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from synth.agents.context import UnitContext
from synth.agents.together import together
from synth.errors import Rejected
from synth.generators.base import Setup
from synth.generators.ensemble import Solved
from synth.generators.evidence import Evidence
from synth.generators.programs import extract_program
from synth.generators.solving import Chain, solve
from synth.recipe.ensemble import EnsembleSpec
from synth.recipe.models import SamplingSpec
from synth.sandbox.program import Limits, run_program

_LIMITS = Limits(seconds=5.0, output_bytes=20_000)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)
_CAN_FAIL = (ast.Assert, ast.Raise, ast.Call)
# A program may have changed the unittest that it imported.
_FRESH_UNITTEST = """\
import sys
for _name in [name for name in sys.modules if name.partition(".")[0] == "unittest"]:
    del sys.modules[_name]
import unittest"""


class Coder:
    """``samples`` programs for a task; the shortest answer whose program passes all tests is kept. The tests are shown
    to nobody."""

    def __init__(self, setup: Setup, spec: EnsembleSpec) -> None:
        self._samples = spec.samples
        sampling = SamplingSpec(temperature=0.7, top_p=0.95, max_tokens=800)
        self._coder = setup.agent("coder", sampling=sampling, template="cot/coder")

    async def gather(self, context: UnitContext, task: str) -> list[Chain]:
        """The programs with what is said about them, in order; a chain's answer is its program."""
        chains = await solve(self._coder, context, {"question": task}, self._samples)
        return [replace(chain, answer=extract_program(chain.text)) for chain in chains]

    async def solve(self, context: UnitContext, task: str, tests: str) -> Solved:
        """Raises ``Rejected`` (gate ``tests``) with the last complaint when no program passes."""
        chains = await self.gather(context, task)
        complaints = await together(complaint(chain.answer or "", tests) for chain in chains)
        right = [chain for chain, said in zip(chains, complaints, strict=True) if said is None]
        if not right:
            raise Rejected("tests", f"no program passes; the last: {complaints[-1]}", text=chains[-1].text)
        kept = min(right, key=lambda chain: len(chain.text))
        share = len(right) / len(chains)
        wrong = next(
            ((chain, f"tests: {said}") for chain, said in zip(chains, complaints, strict=True) if said is not None),
            None,
        )
        return Solved(kept.answer or "", kept, "tests", share, share, 0, Evidence(tuple(chains)), wrong)


async def complaint(program: str, tests: str) -> str | None:
    """Why ``program`` does not pass ``tests`` (Python that raises), in one line; None where it does."""
    result = await run_program(f"{program}\n{tests}\n", limits=_LIMITS)
    return None if result.finished else result.complaint


def unit_tests_of(seed: Mapping[str, Any]) -> str | None:
    """The seed's unit tests as one text that runs them, or None where it has none; a list holds one statement each.

    Raises ``Rejected`` (gate ``tests``) for tests that are no Python, which every program would fail, and for tests
    that check nothing, which every program would pass.
    """
    tests = seed.get("tests")
    lines = tests if isinstance(tests, list) else [] if tests is None else [tests]
    if not all(isinstance(line, str) for line in lines):
        raise Rejected("tests", f"the seed's tests are a text or a list of texts, not {tests!r}")
    text = "\n".join(lines).strip()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise Rejected("tests", f"the seed's tests are no Python: {error}") from error
    return _running(text, tree, seed) if text else None


def _running(text: str, tree: ast.Module, seed: Mapping[str, Any]) -> str:
    """``text`` with the calls that it leaves to a test runner."""
    body = [statement for statement in tree.body if not _is_runner(statement)]
    if len(body) < len(tree.body):
        text = ast.unparse(ast.Module(body, []))
    doing = [statement for statement in body if not isinstance(statement, _DEFINITIONS)]
    called, named = _names(doing), _names(body)
    calls = [
        _call_of(function, named, seed)
        for function in body
        if isinstance(function, _FUNCTIONS) and function.name not in called
    ]
    classes = _test_cases(body)
    if not any(calls) and not classes and not any(isinstance(node, _CAN_FAIL) for node in _nodes(doing)):
        reason = "call nothing that can fail: write asserts, check(candidate), test functions, or a unittest.TestCase"
        raise Rejected("tests", f"the seed's tests {reason}")
    head = [_FRESH_UNITTEST] if classes else []
    cases = [f"unittest.defaultTestLoader.loadTestsFromTestCase({name}).debug()" for name in classes]
    return "\n".join([*head, text, *filter(None, calls), *cases])


def _call_of(function: ast.FunctionDef | ast.AsyncFunctionDef, named: set[str], seed: Mapping[str, Any]) -> str | None:
    """The call of a test that nothing calls; None for what is no test."""
    name, needs = function.name, _needed_arguments(function.args)
    if name == "check" and needs == 1 and name not in named:
        return f"check({_entry_point(seed)})"
    if not name.startswith("test") and name != "check":
        return None
    if isinstance(function, ast.FunctionDef) and needs == 0:
        return f"{name}()"
    if name in named:
        return None
    raise Rejected("tests", f"the seed's {name}() is async or takes arguments: write it as a plain def without any")


def _entry_point(seed: Mapping[str, Any]) -> str:
    """What ``check(candidate)`` is to check."""
    if isinstance(seed.get("entry_point"), str):
        return str(seed["entry_point"])
    question = str(seed.get("question"))
    names: set[str] = set(re.findall(r"\bdef\s+(\w+)\s*\(", question))
    names = names or set(re.findall(r"\b([A-Za-z_]\w*)\(", question)) - set(dir(builtins))
    if len(names) != 1:
        reason = "the seed's tests are a check(candidate), and its question does not name one function"
        raise Rejected("tests", f"{reason}: give its name as the seed's entry_point")
    return names.pop()


def _test_cases(body: list[ast.stmt]) -> list[str]:
    """The classes that unittest would run; none where none of them has a test."""
    found: list[str] = []
    methods: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            bases = [ast.unparse(base) for base in statement.bases]
            if any(base in found or base.endswith("TestCase") for base in bases):
                found.append(statement.name)
                methods += statement.body
    tests = [
        each for each in methods if isinstance(each, ast.FunctionDef) and each.name.startswith(("test", "runTest"))
    ]
    return found if tests else []


def _is_runner(statement: ast.stmt) -> bool:
    """Whether it starts a test runner, which would end the program before its last line."""
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return not isinstance(statement, _DEFINITIONS) and any(
        ast.unparse(call.func) in ("unittest.main", "pytest.main") for call in calls
    )


def _needed_arguments(arguments: ast.arguments) -> int:
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional + arguments.kw_defaults.count(None)


def _nodes(statements: list[ast.stmt]) -> Iterator[ast.AST]:
    return (node for statement in statements for node in ast.walk(statement))


def _names(statements: list[ast.stmt]) -> set[str]:
    return {node.id for node in _nodes(statements) if isinstance(node, ast.Name)}
