import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.diversity.vectors import VectorIndex, Vectors, cosine


def unit_rows(count: int, dimension: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def filled(rows: Vectors) -> VectorIndex:
    index = VectorIndex(rows.shape[1])
    for row in rows:
        index.add(row)
    return index


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9000), st.integers(1, 40), st.integers(0, 99), st.sampled_from([-1.0, 0.5, 0.8, 0.95]))
def test_finds_what_comparing_with_each_finds(count: int, asked: int, seed: int, above: float) -> None:
    rows, block = unit_rows(count, 16, seed), unit_rows(asked, 16, seed + 1)
    index = filled(rows)
    for vector, found in zip(block, index.nearest(block, above), strict=True):
        similar = rows.astype(np.float64) @ vector.astype(np.float64)
        if found is None:
            assert not (similar > above + 1e-4).any()
        else:
            assert abs(found.similarity - similar.max()) < 1e-4
            assert similar[found.row] > similar.max() - 1e-4


def test_hidden_rows_do_not_count() -> None:
    rows = unit_rows(6000, 8, 1)
    index = filled(rows)
    first, second = index.nearest(rows[[5, 5000]], 0.5, [[5], [5000, 17]])
    assert first is not None
    assert second is not None
    assert first.row != 5
    assert second.row not in (5000, 17)


def test_equal_rows_are_found_by_the_earliest() -> None:
    row = unit_rows(1, 8, 2)[0]
    index = filled(np.repeat(row[None, :], 5000, axis=0))
    (found,) = index.nearest(row[None, :], 0.5)
    assert found is not None
    assert (found.row, found.similarity) == (0, 1.0)
    assert index.closest(row, 3) == [0, 1, 2]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_a_similarity_does_not_depend_on_the_block_it_was_computed_in(seed: int) -> None:
    rows = unit_rows(300, 48, seed)
    index = filled(rows[:200])
    alone = [index.nearest(row[None, :], 0.1)[0] for row in rows[200:]]
    assert index.nearest(rows[200:], 0.1) == alone


def test_cosine_is_at_most_one() -> None:
    row = unit_rows(1, 384, 3)[0] * np.float32(1.0000001)
    assert cosine(row, row) == 1.0
