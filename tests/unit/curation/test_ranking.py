"""The best rows are those with the highest scores, in their own order."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.curation.ranking import best_rows
from synth.errors import UsageError
from tests.unit.cli.conftest import Synth
from tests.unit.cli.conftest import folder as folder
from tests.unit.cli.conftest import synth as synth


@given(st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 40))
def test_nothing_better_is_left_out(scores: list[float | None], count: int) -> None:
    rows = [{"id": place, "scores": {"q": score}} for place, score in enumerate(scores)]
    known = [score for score in scores if score is not None]
    if not known:
        with pytest.raises(UsageError, match="no row has the score 'q'"):
            best_rows(rows, count, "q")
        return
    found = best_rows(rows, count, "q")
    kept = [row["id"] for row in found.best]
    assert kept == sorted(kept)
    assert sorted((scores[place] for place in kept), key=float) == sorted(known)[-count:]
    assert (found.cut, found.without) == (min(sorted(known)[-count:]), len(scores) - len(known))


def test_of_equal_rows_the_first_stays() -> None:
    rows = [{"id": place, "scores": {"q": 0.5}} for place in range(5)]
    assert [row["id"] for row in best_rows(rows, 2, "q").best] == [0, 1]


def test_a_file_with_scores_is_ranked_and_a_score_that_is_not_there_named(synth: Synth) -> None:
    rows = [{"id": place, "scores": {"quality": place / 4}} for place in (2, 4, 1, 3)]
    Path("a.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in [*rows, {"id": 9}]))
    done = synth("best", "a.jsonl", "-n", "2", "--to", "b.jsonl")
    assert done.code == 0
    assert [orjson.loads(line)["id"] for line in Path("b.jsonl").read_bytes().splitlines()] == [4, 3]
    assert "2 rows in b.jsonl: quality from 0.75, 0.88 on average; 0.62 over all rows" in done.err
    assert "1 rows have no score 'quality'" in done.err
    done = synth("best", "a.jsonl", "-n", "2", "--by", "judge", "--to", "c.jsonl")
    assert (done.code, Path("c.jsonl").exists()) == (2, False)
    assert "the scores are quality" in done.err
