from typing import Any

import pytest

from synth.models.corrsynth.member import Member, read_member

MEMBER = Member("g/0/write.0", 4, "refund", "hybrid", 1.0, 0.5, 0.001)


def test_a_member_is_read_as_it_was_written() -> None:
    assert read_member(MEMBER.to_xargs()) == MEMBER


def test_requests_of_no_group_are_no_members() -> None:
    assert read_member(None) is None
    assert read_member({"other": 1}) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corrsynth_delta": 2}, "between 0 and gamma"),
        ({"corrsynth_delta": -0.1}, "between 0 and gamma"),
        ({"corrsynth_gamma": 0, "corrsynth_delta": 0}, "between 0 and gamma"),
        ({"corrsynth_alpha": 2}, "alpha must lie"),
        ({"corrsynth_contrast": "both"}, "cross, intra or hybrid"),
        ({"corrsynth_gamma": "much"}, "finite number"),
        ({"corrsynth_gamma": float("nan")}, "finite number"),
    ],
)
def test_arguments_that_cannot_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_member(MEMBER.to_xargs() | change)
