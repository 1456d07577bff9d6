"""Hard limits of a run: what could pass one is not sent.

Each call reserves the most that it may cost and settles what it did cost. So what is spent and what is reserved never
pass the limit together, whatever order calls end in. A call that does not fit waits while others may still give back
what they do not use; when none is left to wait for, the budget is spent.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from synth.diversity.endpoint_embedder import embedder_price
from synth.errors import BudgetSpent, UsageError
from synth.messages import Usage
from synth.models.caller import Amount
from synth.models.prices import find_price
from synth.recipe.diversity import EmbedderSpec
from synth.recipe.schema import BudgetSpec, Recipe

_NANO = 1_000_000_000  # whole nanodollars: sums of floats drift, and drift would pass the limit


class Budget:
    """The budget of one invocation. ``usage`` and ``usd`` are what earlier invocations of the run have spent.

    ``minutes`` count from when this is made.
    """

    def __init__(
        self,
        spec: BudgetSpec,
        *,
        usage: Usage = Usage(),  # noqa: B008 - frozen
        usd: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec = spec
        self._most_tokens = math.inf if spec.tokens is None else spec.tokens
        self._most_nano = math.inf if spec.usd is None else math.floor(spec.usd * _NANO)
        self._tokens = usage.total
        self._nano = _to_nano(usd)
        self._clock = clock
        self._deadline = math.inf if spec.minutes is None else clock() + 60 * spec.minutes
        self._outstanding = 0
        self._waiting: deque[tuple[asyncio.Future[None], Amount]] = deque()
        self.counts_tokens = spec.tokens is not None or spec.usd is not None

    def seconds_left(self) -> float:
        """Seconds until ``budget.minutes`` is over; infinite without that limit."""
        return self._deadline - self._clock()

    async def reserve(self, most: Amount) -> None:
        """Count ``most`` as spent until it is settled; waits its turn. Raises ``BudgetSpent``."""
        if self.seconds_left() <= 0:
            raise BudgetSpent("minutes", f"budget.minutes ({self._spec.minutes:g}) is over")
        if not self._waiting:
            if self._fits(most):
                self._take(most)
                return
            if not self._outstanding:
                raise self._spent(most)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, most))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.settle(most, Amount(0, 0.0))
            else:
                self._let_in()
            raise

    def settle(self, reserved: Amount, spent: Amount) -> None:
        """Give back what was reserved, and count what was spent."""
        self._outstanding -= 1
        self._tokens += spent.tokens - reserved.tokens
        self._nano += _to_nano(spent.usd) - _to_nano(reserved.usd)
        if self._waiting:
            self._let_in()

    def _let_in(self) -> None:
        """First come, first served, so that a large call is not passed over for ever by small ones."""
        while self._waiting:
            future, most = self._waiting[0]
            if not future.done():
                if self._fits(most):
                    self._take(most)
                    future.set_result(None)
                elif self._outstanding:
                    return
                else:
                    future.set_exception(self._spent(most))
            self._waiting.popleft()

    def _fits(self, most: Amount) -> bool:
        return self._tokens + most.tokens <= self._most_tokens and self._nano + _to_nano(most.usd) <= self._most_nano

    def _take(self, most: Amount) -> None:
        self._outstanding += 1
        self._tokens += most.tokens
        self._nano += _to_nano(most.usd)

    def _spent(self, most: Amount) -> BudgetSpent:
        if self._tokens + most.tokens > self._most_tokens:
            return BudgetSpent(
                "tokens",
                f"budget.tokens is spent: {self._tokens:,} of {self._spec.tokens:,} used, "
                f"and the next call may use {most.tokens:,}",
            )
        return BudgetSpent(
            "usd",
            f"budget.usd is spent: {self._nano / _NANO:.4f} of {self._spec.usd:g} USD used, "
            f"and the next call may cost {most.usd:.4f}",
        )


def require_prices(recipe: Recipe) -> None:
    """Raise ``UsageError`` where ``budget.usd`` could not be held, because nobody knows what a model costs."""
    if recipe.budget.usd is None:
        return
    unknown = [name for name, spec in recipe.models.items() if find_price(spec, spec.base_url) is None]
    if unknown:
        raise UsageError(
            f"budget.usd needs a price for {', '.join(f'models.{name}' for name in unknown)}",
            hint="give `price: {input: ..., output: ...}` in USD per million tokens; 0 for what costs nothing",
        )
    embedder = recipe.diversity.embedder if recipe.diversity != "off" else None
    if isinstance(embedder, EmbedderSpec) and embedder_price(embedder) is None:
        raise UsageError(
            "budget.usd needs a price for diversity.embedder",
            hint="give `price: ...` in USD per million tokens; 0 for what costs nothing",
        )


def _to_nano(usd: float) -> int:
    return math.ceil(usd * _NANO)
