"""Faults that are injected into tool calls, so that a model learns to recover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from synth.recipe.base import Number, Spec

FaultKind = Literal["timeout", "rate_limited", "not_found", "malformed", "partial"]
FaultRates = Mapping[FaultKind, float]
"""For each kind, the share of calls that it befalls."""


class FaultsSpec(Spec):
    """For each kind of fault, the share of calls that it befalls."""

    timeout: Number = Field(0, ge=0, le=1)
    """No answer in time; nothing was done."""
    rate_limited: Number = Field(0, ge=0, le=1)
    """Too many calls; nothing was done."""
    not_found: Number = Field(0, ge=0, le=1)
    """The service does not find what is there, this once; nothing was done."""
    malformed: Number = Field(0, ge=0, le=1)
    """It was done, and the answer arrives cut off."""
    partial: Number = Field(0, ge=0, le=1)
    """It was done, and the answer holds only a part."""

    @model_validator(mode="after")
    def _is_a_distribution(self) -> FaultsSpec:
        total = sum(self.rates().values())
        if total > 1:
            raise ValueError(f"the shares add up to {total:g}; they may be 1 at most")
        return self

    def rates(self) -> FaultRates:
        """Those above 0."""
        shares: dict[FaultKind, float] = {
            "timeout": self.timeout,
            "rate_limited": self.rate_limited,
            "not_found": self.not_found,
            "malformed": self.malformed,
            "partial": self.partial,
        }
        return {kind: share for kind, share in shares.items() if share > 0}
