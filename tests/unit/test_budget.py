from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.budget import Budget, require_prices
from synth.errors import BudgetSpent, UsageError
from synth.messages import Usage
from synth.models.caller import Amount
from synth.recipe.schema import BudgetSpec, Recipe
from tests.virtual_time import run_virtually


async def spend(
    budget: Budget, calls: list[tuple[int, float, float]], rng: random.Random
) -> tuple[float, float, float]:
    """Reserve and settle concurrently in a random order; what was spent, tokens and USD, and the most ever reserved."""
    spent_tokens, spent_usd, worst = 0, 0.0, 0.0
    open_usd = 0.0

    async def call(most: int, share: float, price: float) -> None:
        nonlocal spent_tokens, spent_usd, worst, open_usd
        reserved = Amount(most, most * price)
        await asyncio.sleep(rng.random())
        try:
            await budget.reserve(reserved)
        except BudgetSpent:
            return
        open_usd += reserved.usd
        worst = max(worst, spent_usd + open_usd)
        await asyncio.sleep(rng.random())
        used = int(most * share)
        spent_tokens += used
        spent_usd += used * price
        open_usd -= reserved.usd
        budget.settle(reserved, Amount(used, used * price))

    await asyncio.gather(*(call(*each) for each in calls))
    return spent_tokens, spent_usd, worst


CALLS = st.lists(
    st.tuples(st.integers(1, 2000), st.floats(0, 1), st.sampled_from([1e-7, 6e-7, 1.5e-5])), min_size=1, max_size=60
)


@settings(deadline=None)
@given(calls=CALLS, tokens=st.integers(1, 20_000), usd=st.floats(1e-5, 0.05), seed=st.integers(0, 9))
def test_no_interleaving_passes_a_limit(
    calls: list[tuple[int, float, float]], tokens: int, usd: float, seed: int
) -> None:
    async def main() -> tuple[float, float, float]:
        budget = Budget(BudgetSpec(tokens=tokens, usd=usd), clock=asyncio.get_running_loop().time)
        return await spend(budget, calls, random.Random(seed))

    spent_tokens, spent_usd, worst = run_virtually(main())
    assert spent_tokens <= tokens
    assert spent_usd <= usd
    assert worst <= usd * (1 + 1e-9)  # the sums of this test are floats


def test_nearly_all_of_a_budget_is_spent() -> None:
    async def main() -> float:
        rng = random.Random(1)
        budget = Budget(BudgetSpec(usd=1.0), clock=asyncio.get_running_loop().time)
        spent = 0.0

        async def worker() -> None:
            nonlocal spent
            while True:
                try:
                    await budget.reserve(Amount(2000, 0.003))
                except BudgetSpent:
                    return
                await asyncio.sleep(0.05 * rng.random())
                cost = rng.uniform(0.0001, 0.003)
                spent += cost
                budget.settle(Amount(2000, 0.003), Amount(500, cost))

        await asyncio.gather(*(worker() for _ in range(128)))
        return spent

    assert 0.99 <= run_virtually(main()) <= 1.0


async def test_a_call_that_does_not_fit_waits_for_what_others_give_back() -> None:
    budget = Budget(BudgetSpec(tokens=100))
    await budget.reserve(Amount(80, 0))
    waiting = asyncio.create_task(budget.reserve(Amount(50, 0)))
    behind = asyncio.create_task(budget.reserve(Amount(10, 0)))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert not behind.done()
    budget.settle(Amount(80, 0), Amount(20, 0))
    await asyncio.gather(waiting, behind)


async def test_a_call_that_never_fits_ends_the_budget() -> None:
    budget = Budget(BudgetSpec(tokens=100), usage=Usage(60, 20))
    with pytest.raises(
        BudgetSpent, match=r"budget\.tokens is spent: 80 of 100 used, and the next call may use 50"
    ) as caught:
        await budget.reserve(Amount(50, 0))
    assert (caught.value.limit, caught.value.exit_code) == ("tokens", 3)
    await budget.reserve(Amount(20, 0))


async def test_what_earlier_invocations_spent_counts() -> None:
    budget = Budget(BudgetSpec(usd=0.5), usd=0.4999)
    with pytest.raises(BudgetSpent, match=r"0\.4999 of 0\.5 USD used"):
        await budget.reserve(Amount(10, 0.001))


async def test_a_cancelled_call_gives_its_place_up() -> None:
    budget = Budget(BudgetSpec(tokens=100))
    await budget.reserve(Amount(100, 0))
    first, second = (asyncio.create_task(budget.reserve(Amount(100, 0))) for _ in range(2))
    await asyncio.sleep(0)
    budget.settle(Amount(100, 0), Amount(0, 0))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second


def test_minutes_count_from_the_beginning() -> None:
    async def main() -> None:
        budget = Budget(BudgetSpec(minutes=1), clock=asyncio.get_running_loop().time)
        await asyncio.sleep(59)
        await budget.reserve(Amount(0, 0))
        await asyncio.sleep(1)
        with pytest.raises(BudgetSpent, match="minutes"):
            await budget.reserve(Amount(0, 0))

    run_virtually(main())


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ({"provider": "scripted"}, True),
        ({"provider": "embedded"}, True),
        ({"provider": "openai", "model": "gpt-4o-mini"}, True),
        ({"provider": "openai", "model": "gpt-4o-mini", "base_url": "http://gateway.example/v1"}, True),
        ({"provider": "openai", "model": "our-own"}, False),
        ({"provider": "openai", "model": "our-own", "price": {"input": 1, "output": 2}}, True),
    ],
)
def test_a_budget_in_usd_needs_every_price(model: dict[str, object], known: bool) -> None:
    step = {"as": "a", "prompt": "p"}
    custom = {
        "id": "c",
        "kind": "custom",
        "count": 1,
        "steps": [step],
        "output": {"messages": [{"role": "user", "content": "x"}]},
    }
    recipe = Recipe.model_validate({"name": "r", "models": {"m": model}, "generate": [custom], "budget": {"usd": 1}})
    if known:
        require_prices(recipe)
    else:
        with pytest.raises(UsageError, match=r"budget\.usd needs a price for models\.m"):
            require_prices(recipe)
    require_prices(recipe.model_copy(update={"budget": BudgetSpec(tokens=5)}))
