"""Rows until every pair of values is covered, beside the two libraries for that and the smallest known array.

pip install allpairspy covertable; python benchmarks/covering.py
"""

from __future__ import annotations

import time
from itertools import combinations

from synth.diversity.axes import AxisPlan
from synth.diversity.covering import possible
from synth.recipe.space import build_space

SMALLEST = {(6, 5): 25, (4, 3): 9, (13, 3): 15, (10, 10): None, (3, 20): 400}


def ours(factors: int, values: int) -> int:
    space = build_space({f"a{f}": list(range(values)) for f in range(factors)}, [])
    plan, missing, place = AxisPlan(space, 2, 1), set(possible(space, 2)), 0
    while missing:
        missing -= set(combinations(enumerate(plan.attributes(place).values()), 2))
        place += 1
    return place


def allpairspy(factors: int, values: int) -> int:
    from allpairspy import AllPairs

    return len(list(AllPairs([list(range(values)) for _ in range(factors)])))


def covertable(factors: int, values: int) -> int:
    import covertable as library

    return len(library.make([list(range(values)) for _ in range(factors)]))


def main() -> None:
    print("axes x values   synth        allpairspy   covertable   smallest known")
    for (factors, values), smallest in SMALLEST.items():
        cells = []
        for count in (ours, allpairspy, covertable):
            started = time.perf_counter()
            cells.append(f"{count(factors, values)} ({time.perf_counter() - started:.2f} s)")
        print(f"{factors:4} x {values:<8} {cells[0]:12} {cells[1]:12} {cells[2]:12} {smallest or '-'}")


if __name__ == "__main__":
    main()
