"""The sorts of personal data that are looked for."""

from __future__ import annotations

from dataclasses import dataclass

from synth.recipe.cleaning import PiiKind

ENTITIES: dict[PiiKind, tuple[str, ...]] = {
    "person": ("PERSON",),
    "email": ("EMAIL_ADDRESS",),
    "phone": ("PHONE_NUMBER",),
    "credit_card": ("CREDIT_CARD",),
    "iban": ("IBAN_CODE",),
    "ip": ("IP_ADDRESS",),
    "us_ssn": ("US_SSN",),
    "aadhaar": ("IN_AADHAAR",),
    "pan": ("IN_PAN",),
    "passport": ("US_PASSPORT", "IN_PASSPORT"),
    "address": ("STREET_ADDRESS",),
    "birth_date": ("BIRTH_DATE",),
}
"""What Presidio calls them."""


@dataclass(frozen=True, slots=True)
class Found:
    """``text[start:end]`` is personal data of this kind; ``score`` is how sure that is, 0 to 1."""

    kind: PiiKind
    start: int
    end: int
    score: float
