"""How much of a budget is spent, and that it is never passed.

    python -m benchmarks.budget [--rounds 3]

A budget of 1.00 USD on a fake price list, 128 requests in flight at a server whose answers take 50 ms on average and
cost half a cent, half of what is reserved for them. What the server would bill is counted by the server.
"""

from __future__ import annotations

import argparse

from benchmarks.common import IN_FLIGHT, run_synth, serving, show

PRICE = {"input": 10.0, "output": 30.0}
BUDGET = 1.0
WORDS = 120
"""Words of an answer: some 150 tokens of the 300 that a call may use."""


def measure() -> tuple[int, float, float]:
    """Calls that were answered, USD spent by the run's own account, and by the server's."""
    with serving(latency=0.05, jitter=0.5, answer="word " * WORDS) as server:
        summary = run_synth(server.url, 10_000, budget={"usd": BUDGET}, price=PRICE, sampling={"max_tokens": 300})
        bill = server.stats()
    billed = (bill["prompt_tokens"] * PRICE["input"] + bill["completion_tokens"] * PRICE["output"]) / 1e6
    return bill["ok"], summary["cost_usd"], billed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rows = []
    for _ in range(given.rounds):
        calls, spent, billed = measure()
        rows.append([f"{spent:.4f}", f"{billed:.4f}", f"{calls:,}", "yes" if max(spent, billed) > BUDGET else "no"])
    title = f"a budget of {BUDGET:.2f} USD, {IN_FLIGHT} in flight, {given.rounds} rounds"
    show(title, ["USD spent", "billed by the server", "calls", "passed"], rows)


if __name__ == "__main__":
    main()
