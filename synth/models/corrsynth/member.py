"""One text of a CorrSynth group, and how a request says so: in ``vllm_xargs``, which vLLM passes to its plugins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Contrast = Literal["cross", "intra", "hybrid"]

XARGS = "vllm_xargs"
_PREFIX = "corrsynth_"


@dataclass(frozen=True, slots=True)
class Member:
    """``group`` names the texts that are generated together, ``size`` of them; ``label`` is this one's.

    ``gamma`` is how much the own distribution counts, ``delta`` how much of it is left when all say the same
    (0 <= delta <= gamma), ``alpha`` the plausibility cut.
    """

    group: str
    size: int
    label: str
    contrast: Contrast
    gamma: float
    delta: float
    alpha: float

    def to_xargs(self) -> dict[str, str | int | float]:
        """What goes into a request's ``vllm_xargs``."""
        names = ("group", "size", "label", "contrast", "gamma", "delta", "alpha")
        return {_PREFIX + name: getattr(self, name) for name in names}


def read_member(xargs: Mapping[str, Any] | None) -> Member | None:
    """The member that a request is; None where it is of no group. Raises ``ValueError`` for what cannot be."""
    if not xargs or _PREFIX + "group" not in xargs:
        return None
    contrast = str(xargs.get(_PREFIX + "contrast", "hybrid"))
    if contrast not in ("cross", "intra", "hybrid"):
        raise ValueError(f"corrsynth_contrast must be cross, intra or hybrid, not {contrast!r}")
    member = Member(
        group=str(xargs[_PREFIX + "group"]),
        size=int(_number(xargs, "size", 2)),
        label=str(xargs.get(_PREFIX + "label", "")),
        contrast=contrast,  # type: ignore[arg-type]
        gamma=_number(xargs, "gamma", 1.0),
        delta=_number(xargs, "delta", 0.5),
        alpha=_number(xargs, "alpha", 1e-3),
    )
    if not 0 <= member.delta <= member.gamma or member.gamma == 0:
        raise ValueError(f"corrsynth_delta must lie between 0 and gamma, not {member.delta} with {member.gamma}")
    if not 0 <= member.alpha <= 1:
        raise ValueError(f"corrsynth_alpha must lie between 0 and 1, not {member.alpha}")
    return member


def _number(xargs: Mapping[str, Any], name: str, default: float) -> float:
    value = xargs.get(_PREFIX + name, default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"corrsynth_{name} must be a finite number, not {value!r}")
    return number
