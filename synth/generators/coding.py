"""Solutions that are programs: a seed's ``tests`` decide which are right, run with the program in the sandbox."""

from __future__ import annotations

import ast
from collections.abc import Mapping
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
    """The seed's unit tests as one text, or None where it has none; a list holds one statement each.

    Raises ``Rejected`` (gate ``tests``) for tests that are no Python, which every program would fail.
    """
    tests = seed.get("tests")
    lines = tests if isinstance(tests, list) else [] if tests is None else [tests]
    if not all(isinstance(line, str) for line in lines):
        raise Rejected("tests", f"the seed's tests are a text or a list of texts, not {tests!r}")
    text = "\n".join(lines).strip()
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise Rejected("tests", f"the seed's tests are no Python: {error}") from error
    return text or None
