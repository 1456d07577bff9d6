from hypothesis import given
from hypothesis import strategies as st

from synth.fingerprint import derive_seed, fingerprint

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_fingerprint_does_not_depend_on_key_order(value: dict[str, object]) -> None:
    assert fingerprint(value) == fingerprint(dict(reversed(list(value.items()))))


def test_derived_seeds_depend_on_every_part_and_their_order() -> None:
    seeds = [derive_seed(17, "a", 1), derive_seed(17, 1, "a"), derive_seed(17, "a", 2), derive_seed(18, "a", 1)]
    assert len(set(seeds)) == 4
