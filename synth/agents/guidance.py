"""What steers a unit besides its seed, in words: attributes, persona, the long tail, and what to differ from."""

from __future__ import annotations

from functools import cache

from synth.example import WorkUnit
from synth.prompts import Template, shipped_template

LONG_TAIL = {
    "dialect": "It is worded in everyday regional speech, as people talk at home.",
    "contradiction": "The person says one thing and later takes part of it back.",
    "emoji": "It has one to three fitting emoji.",
}
"""Typos are missing: a program makes them (:mod:`synth.diversity.long_tail`)."""
_MOST_CHARACTERS = 400


def guidance(unit: WorkUnit) -> str:
    """Lines for a prompt, from ``prompts/guidance.md.j2``; empty where nothing steers the unit."""
    if not (unit.attributes or unit.persona or unit.long_tail or unit.avoid):
        return ""
    asked = [LONG_TAIL[name] for name in unit.long_tail if name in LONG_TAIL]
    avoid = [text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…" for text in unit.avoid]
    return _template().render(
        {"attributes": unit.attributes, "persona": unit.persona, "long_tail": asked, "avoid": avoid}
    )


@cache
def _template() -> Template:
    return shipped_template("guidance")
