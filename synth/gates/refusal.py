"""Refusals, and what a model says of itself: the teacher's voice that no student should learn."""

from __future__ import annotations

import re

from synth.example import Draft, Verdict
from synth.gates.base import texts
from synth.recipe.gates import RefusalSpec

_CANNOT = (
    r"(?:can(?:no|['’]?)t|could ?n['’]?t|am (?:not able|unable) to|won['’]t|will not"
    r"|['’]m (?:not able|unable|afraid i can(?:no|['’])t) ?(?:to)?)"
)
_HELP = (
    r"(?:help(?! but\b)|assist|provide|fulfill?|comply|generate|create|engage|answer|discuss|support|do that"
    r"|(?:write|share|continue)(?= *$| *[.,;!]| (?:with|this|that|these|those|such|your|you|any|an?|about)\b))"
    r"(?! (?:every|each|all|both)\b)"
)
"""What is also said of what one goes on to do counts with what it is said of."""
_MODEL = r"an? (?:(?:ai|artificial intelligence)(?: language)?(?: model| assistant)?|(?:large )?language model)\b"
_ANYWHERE = (
    rf"\bas {_MODEL}",
    rf"\bi(?:['’]m| am) (?:just |only |merely )?{_MODEL}",
    r"\bmy (?:knowledge cut-?off|last knowledge update|training data (?:cut-?off|includes?|goes? up to|ends?))\b",
    r"\bas of my (?:last|latest) (?:knowledge |training )?update\b",
    r"\bi (?:do not|don['’]t) have (?:personal (?:opinions|beliefs|feelings|experiences)|access to real-?time)\b",
    r"\b(?:openai|anthropic)['’]?s? (?:content |usage )?polic(?:y|ies)\b",
    r"\bsorry,? but (?:i|as an)\b[^.\n]{0,80}?\b(?:can(?:no|['’])t|unable|not able|won['’]t)\b",
)
_OPENING = (
    rf"i(?: {_CANNOT}|{_CANNOT}) (?:to )?{_HELP}\b",
    r"(?:i['’]?m |i am |i |my )?(?:sorry|apologi[sz]e|apologies)\b[^.\n]{0,60}?\b(?:can(?:no|['’])t|unable|not able)\b",
    r"(?:unfortunately,? )i(?: | ?['’]m | am )(?:can(?:no|['’])t|unable|not able)\b",
    r"i must (?:decline|refuse)\b|i (?:have to|need to) decline\b",
)


class Refusal:
    """Refusals are looked for where a message opens, a model's talk of itself anywhere. Score: phrases found.

    English phrases come with it; ``phrases`` adds your own. A user's refusal in a story does not open a message.
    """

    def __init__(self, spec: RefusalSpec) -> None:
        self.name = spec.id
        self._roles = spec.roles
        own = [re.escape(phrase) for phrase in spec.phrases if phrase]
        self._anywhere = re.compile("|".join([*_ANYWHERE, *own]), re.IGNORECASE)
        self._opening = re.compile(rf"[\W_]*(?:{'|'.join(_OPENING)})", re.IGNORECASE)

    def judge(self, draft: Draft) -> Verdict:
        found: list[tuple[str, str]] = []
        for role, text in texts(draft, self._roles):
            opening = self._opening.match(text)
            found += [(role, match.group()) for match in ([opening] if opening else [])]
            found += [(role, match.group()) for match in self._anywhere.finditer(text)]
        if found:
            role, phrase = found[0]
            return Verdict(self.name, False, f"the {role} says {' '.join(phrase.split())!r}", len(found))
        return Verdict(self.name, True, score=0)
