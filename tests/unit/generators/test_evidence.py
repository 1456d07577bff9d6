"""What is believed of chains and programs that do not all agree."""

from hypothesis import given
from hypothesis import strategies as st

from synth.generators.evidence import Candidate, Evidence
from synth.generators.programs import Computed
from synth.generators.solving import Chain

ANSWERS = st.lists(st.sampled_from(["1", "2", "3", None]), max_size=6)


def evidence(chains: list[str | None], programs: list[str | None]) -> Evidence:
    return Evidence(tuple(Chain("", None, one) for one in chains), tuple(Computed("", one) for one in programs))


def test_a_program_weighs_twice_what_a_chain_does() -> None:
    found = evidence(["1", "2", "2", "3", None], ["1", "1", "2", None])
    assert found.winner() == Candidate("1", 1, 2)
    assert found.support(Candidate("1", 1, 2)) == 0.4  # (1/5 + 2 * 2/4) / 3


def test_an_answer_of_one_kind_alone_does_not_win() -> None:
    assert evidence(["1", "1", "2"], ["3", "3", "2"]).winner() == Candidate("2", 1, 1)
    assert evidence(["1", "1"], ["3", "3"]).winner() is None
    assert evidence(["1", "1"], []).winner() == Candidate("1", 2, 0)
    assert evidence([], ["1", "1", "2"]).winner() == Candidate("1", 0, 2)


def test_a_tie_has_no_winner() -> None:
    assert evidence(["1", "2"], ["1", "2"]).winner() is None
    assert evidence([None], [None]).winner() is None


@given(ANSWERS, ANSWERS)
def test_the_winner_is_the_best_supported_of_those_that_every_kind_gives(
    chains: list[str | None], programs: list[str | None]
) -> None:
    found = evidence(chains, programs)
    winner = found.winner()
    supports = {one: found.support(one) for one in found.candidates()}
    assert all(0 < support <= 1 for support in supports.values())
    if winner is not None:
        assert winner.chains > 0 or not chains
        assert winner.programs > 0 or not programs
        rivals = [
            one for one in supports if one != winner and (one.chains or not chains) and (one.programs or not programs)
        ]
        assert all(supports[one] < supports[winner] for one in rivals)
