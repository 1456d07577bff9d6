"""Stand-ins for personal data: the same for the same value, of the same form, and nobody's."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from random import Random
from typing import Any, Literal

from synth.curation.pii.name_lists import name_lists
from synth.errors import UsageError
from synth.recipe.cleaning import PiiKind

_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = re.compile(r"[A-Za-z]{3,9}|[\u0900-\u097f]{2,}")
_HINDI_MONTHS = "जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर".split()
_TOKEN = re.compile(r"[^\W\d_]+|\d+")

NamePart = Literal["first", "last"]


class Fakes:
    """Made by Faker for names and addresses, by form for numbers; ``seed`` decides which.

    A stand-in depends on the seed and the value alone, so a person has the same one in every row and every run: given
    name by given name, surname by surname, in e-mail addresses too. Numbers are of the same form, and such as are
    never given out (a card whose check digit is wrong, an SSN with group 00, an IP address for documentation).
    """

    def __init__(self, seed: int) -> None:
        self._key = str(seed).encode()
        self._makers: dict[PiiKind, Callable[[str, Random], str]] = {
            "email": self._email,
            "phone": _phone,
            "credit_card": _credit_card,
            "iban": lambda value, rng: value[:2] + "00" + _same_form(value[4:], rng),
            "ip": _ip,
            "us_ssn": lambda value, rng: _with_digits(_same_form(value, rng), {3: "0", 4: "0"}),
            "aadhaar": lambda value, rng: _with_digits(_same_form(value, rng), {0: "0"}),
            "pan": lambda value, rng: _same_form(value[:3], rng) + "X" + _same_form(value[4:], rng),
            "passport": lambda value, rng: _with_digits(_same_form(value, rng), {0: "0", 1: "0"}),
            "address": self._address,
            "birth_date": _date,
        }

    def fake(self, kind: PiiKind, value: str, part: NamePart | None = None) -> str:
        """The stand-in for ``value``. ``part``: which part of a name one word is, where that is known."""
        if kind == "person":
            return self._person(value, part)
        made = self._makers[kind](value, self._random(kind, value))
        return made if made != value else self._makers[kind](value, self._random(kind, f"{value} "))

    def _random(self, kind: str, value: str) -> Random:
        digest = blake2b(f"{kind}\0{' '.join(value.split()).casefold()}".encode(), key=self._key, digest_size=8)
        return Random(digest.digest())

    def _person(self, value: str, part: NamePart | None) -> str:
        words = [word for word in value.split() if len(word.strip(".")) > 1] or [value]
        if len(words) == 1:
            lists = name_lists()
            surname = words[0] in lists.surnames and words[0] not in lists.given
            return self._name(words[0], part or ("last" if surname else "first"))
        return f"{self._name(words[0], 'first')} {self._name(words[-1], 'last')}"

    def _name(self, word: str, part: NamePart) -> str:
        """Decided by the word alone, so that "Ramesh Kumar" and "Ramesh" agree; of the gender that the name is of."""
        rng, faker = self._random(part, word), _faker(_locale(word))
        gender = name_lists().genders.get(word.casefold())
        while True:
            faker.seed_instance(rng.getrandbits(64))
            if part == "last":
                made = str(faker.last_name())
            else:
                made = str(getattr(faker, f"first_name_{gender}" if gender else "first_name")())
            if made.casefold() != word.casefold():
                return made

    def _email(self, value: str, rng: Random) -> str:
        local = value.rpartition("@")[0]
        words = [word for word in _TOKEN.findall(local) if word.isalpha()]

        def stand_in(match: re.Match[str]) -> str:
            word = match.group()
            if not word.isalpha():
                return _same_form(word, rng)
            part: NamePart = "last" if len(words) > 1 and word == words[-1] else "first"
            return self._name(word.capitalize(), part).lower() if word.isascii() else "name"

        return f"{_TOKEN.sub(stand_in, local)}@example.{rng.choice(['com', 'net', 'org'])}"

    def _address(self, value: str, rng: Random) -> str:
        indian = re.search(r"\b[1-9]\d{2} ?\d{3}$|Nagar|Marg|Chowk|Colony|Vihar", value) is not None
        faker = _faker("en_IN" if indian else "en_US")
        faker.seed_instance(rng.getrandbits(64))
        lines = str(faker.address()).splitlines()
        return ", ".join(lines) if "," in value or "\n" in value else lines[0]


@cache
def _faker(locale: str) -> Any:
    try:
        from faker import Faker
    except ImportError as error:
        raise UsageError("replacing personal data needs Faker", hint="pip install 'synth[pii]'") from error
    return Faker(locale)


def _locale(name: str) -> str:
    if re.search(r"[\u0900-\u097f]", name):
        return "hi_IN"
    lists = name_lists()
    return "en_IN" if name in lists.indian or name in lists.indian_surnames else "en_US"


def _same_form(value: str, rng: Random) -> str:
    def other(character: str) -> str:
        if character.isdecimal():
            return str(rng.randrange(10))
        if character.isascii() and character.isalpha():
            made = rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ")
            return made if character.isupper() else made.lower()
        return character

    return "".join(map(other, value))


def _with_digits(value: str, fixed: dict[int, str]) -> str:
    """``value`` with some digits (counted from 0; negative from the end) set."""
    places = [place for place, character in enumerate(value) if character.isdecimal()]
    made = list(value)
    for number, digit in fixed.items():
        if -len(places) <= number < len(places):
            made[places[number]] = digit
    return "".join(made)


def _credit_card(value: str, rng: Random) -> str:
    """The last digit is not the one that Luhn's algorithm asks for."""
    made = _with_digits(_same_form(value, rng), {0: value[0]})
    digits = [int(character) for character in made if character.isdecimal()]
    doubled = [digit if place % 2 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits[:-1]))]
    right = -sum(doubled) % 10
    return _with_digits(made, {-1: str((right + rng.randrange(1, 10)) % 10)})


def _phone(value: str, rng: Random) -> str:
    """555-01XX, which North America keeps for fiction; where that means nothing, a number that begins with 1."""
    digits = "".join(character for character in value if character.isdecimal())
    national = digits[-10:]
    made = _same_form(value, rng)
    country = dict(enumerate(digits[:-10]))
    if value.lstrip().startswith("+") and not digits.startswith("1"):
        country = dict(enumerate(digits[:2]))
        return _with_digits(made, country | {2: "1"})
    if len(digits) == 10 and national[0] in "6789" and "-" not in value and "(" not in value:
        return _with_digits(made, {0: "1"})
    return _with_digits(made, country | {-7: "5", -6: "5", -5: "5", -4: "0", -3: "1", -10: str(rng.randrange(2, 10))})


def _ip(value: str, rng: Random) -> str:
    if ":" in value:
        return f"2001:db8::{rng.randrange(1, 1 << 16):x}:{rng.randrange(1, 1 << 16):x}"
    return f"{rng.choice(['192.0.2', '198.51.100', '203.0.113'])}.{rng.randrange(1, 255)}"


def _date(value: str, rng: Random) -> str:
    """Another day of another year, written alike."""

    def number(match: re.Match[str]) -> str:
        digits = match.group()
        if len(digits) == 4:
            return str(int(digits) + rng.choice([-4, -3, -2, -1, 1, 2, 3, 4]))
        return str(rng.randrange(1, 13)).zfill(len(digits)) if len(digits) == 2 else str(rng.randrange(1, 10))

    def month(match: re.Match[str]) -> str:
        word = match.group()
        if word.lower() in {"st", "nd", "rd", "th", "of"}:
            return word
        if not word.isascii():
            return rng.choice(_HINDI_MONTHS)
        made = rng.choice(_MONTHS)
        return made if len(word) > 3 else made[:3]

    made = re.sub(r"(\d{1,2})(?:st|nd|rd|th)\b", r"\1", value)
    return _MONTH.sub(month, re.sub(r"\d+", number, made))
