"""Numbers that have the form of a telephone's or an address in a network, and are of a sum, a program, a version."""

from __future__ import annotations

import re

from synth.recipe.cleaning import PiiKind

_AROUND = 60
"""Characters before and after a number that are looked at."""

_WRITTEN_AS_PHONE = re.compile(
    r"(?:\+|00)\d|\(\+?\d+\)|0\d{1,5}[ /-]+\d"
    r"|(?:1[-. ])?\d{3}([-. ])\d{3}\1\d{4}$|\(?\d{3}\) ?\d{3}[-. ]\d{4}$|[6-9]\d{4}[ -]\d{5}$"
)
"""As nobody writes another number: with a country's or an area's code, or in the groups of a country."""
_SAYS_PHONE = re.compile(
    r"\b(?:phone|telephone|telefon|tele?|ph|mob|mobile|cell ?phone|handy|rufnummer|fax|sms|whatsapp|hotline|helpline"
    r"|dial|contact)(?:\b|(?=_))|\b(?:my|your|his|her|our|their) (?:\w+ )?number\b|\b(?:numbers?|no\.?|nr\.?)\s*:\s*$"
    r"|\breach (?:me|us|him|her|them)\b"
    r"|\b(?:call|calling|called|ring|text|cell)(?: (?:me|us|him|her|them|back|at|on|under|now|the|number|office|home))*"
    r"[\s:]*$"
    r"|फ़ोन|फोन|मोबाइल|नंबर|नम्बर|कॉल|संपर्क",
    re.IGNORECASE,
)
_SUM_BEFORE = re.compile(r"(?:[*=^%×÷·]|<<|>>|[\d)]\s*[+x<>])\s*[$€£₹]?\s*$|\w[(\[]$", re.IGNORECASE)
_SUM_AFTER = re.compile(r"\s*(?:[*=^%×÷·]|<<|>>|[+x<>]\s*[$€£₹]?\s*\d)", re.IGNORECASE)
_GIVEN_TO_PHONE = re.compile(r"(?:phone|tel|mobile|fax)\w*[\"']?\s*[=:]\s*$", re.IGNORECASE)
_DECIMALS = re.compile(r"\d\.$"), re.compile(r"\.\d")
_VERSION = (
    re.compile(
        r"(?:\bv|\b(?:versions?|ver|release|build|section|chapter)\b[.:]?(?: is| number)?|[=<>~!]=)\s*$", re.IGNORECASE
    ),
    re.compile(r"\s*(?:version|release|build|[Ss]ection)\b(?! \d)"),
)


def plausible(kind: PiiKind, text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]``, which has the form of its ``kind``, is one by what is written around it."""
    value, before, after = text[start:end], text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    match kind:
        case "phone":
            return _is_phone(value, before, after)
        case "ip":
            return _is_address(value, before, after)
        case _:
            return True


def _is_phone(value: str, before: str, after: str) -> bool:
    if re.fullmatch(r"\d+\.\d+", value) or _DECIMALS[0].search(before) or _DECIMALS[1].match(after):
        return False
    if value.startswith("(") and ")" not in value:
        value, before = value[1:], f"{before}("
    if _WRITTEN_AS_PHONE.match(value):
        return not (value[0] == "+" and re.search(r"[\w)]\s*$", before) and _SUM_AFTER.match(after))
    if not before.strip() and not after.strip():
        return True  # a text, or a column, of its own
    if _GIVEN_TO_PHONE.search(before):
        return True
    if _SUM_BEFORE.search(before) or _SUM_AFTER.match(after):
        return False
    return bool(_SAYS_PHONE.search(before) or _SAYS_PHONE.search(after))


def _is_address(value: str, before: str, after: str) -> bool:
    if ":" in value:
        if "::" in value and len(re.findall(r"[^:]+", value)) < 3:
            return False  # this machine, a slice, a name within a name
        return not re.search(r"\w$", before) and not re.match(r"\w", after)
    return not _VERSION[0].search(before) and not _VERSION[1].match(after)
