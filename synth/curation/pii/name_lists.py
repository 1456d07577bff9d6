"""Given names and surnames of the US, the UK and India, in Latin and in Devanagari letters: Faker's lists (MIT)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal

WORDS = frozenset(
    "Amber Angel April Art Ash August Austin Autumn Baker Banks Best Bill Black Bond Brown Bush Carolina "
    "Carpenter Chance Chand Charlotte Chase Chelsea Christian Cook Crystal Dakota Dale Dallas Dawn Day Destiny "
    "Dev Drew Early Earth Faith Fields Florence Fox Frank Gene Georgia Good Grace Grant Gray Green Guy Harmony "
    "Heather Holiday Hope Houston Hunter Ivy Jack Jackson Jasmine Jordan Joy June King Lane Lily Lincoln London "
    "Long Love Madison Man Mark Marsh Mason May Melody Mercy Miles Miller Moon More Nath Neel Om Page Paris Parks "
    "Pearl Penny Person Pitt Pope Price Ram Ray Reed Rice Rich Rob Robin Rod Rose Ruby Shah Sharp Small Stone "
    "Street Sue Summer Sunny Sydney Terry Trinity Victory Violet Virginia Wade Ward Washington Ways West White "
    "Will Winter Wise Wood Woods Young".split()
)
"""Names that are words, places or months too: alone they say nothing."""

Gender = Literal["female", "male"]

_CONSONANTS = dict(
    zip(
        "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह",
        "k kh g gh n ch chh j jh n t th d dh n t th d dh n p ph b bh m y r l v sh sh s h".split(),
        strict=True,
    )
)
_VOWELS = dict(zip("अआइईउऊएऐओऔऋ", "a a i i u u e ai o au ri".split(), strict=True))
_SIGNS = dict(zip("ािीुूेैोौृंँः", "a i i u u e ai o au ri n n h".split(), strict=True))
_NO_VOWEL, _DOT = "्", "़"


@dataclass(frozen=True, slots=True)
class NameLists:
    """``given`` and ``surnames`` are of all three countries; what is ``indian`` is no English name or word."""

    given: frozenset[str]
    surnames: frozenset[str]
    indian: frozenset[str]
    indian_surnames: frozenset[str]
    hindi: frozenset[str]
    hindi_surnames: frozenset[str]
    genders: dict[str, Gender]
    """Of given names that are one gender's only, in lower case."""


@cache
def name_lists() -> NameLists:
    """Faker's lists, read once. Given names in Devanagari are there in Latin letters too."""
    western, western_last = set[str](), set[str]()
    genders: dict[str, set[Gender]] = {}
    lists = {}
    for locale in ("en_US", "en_GB", "en_IN", "hi_IN"):
        provider = import_module(f"faker.providers.person.{locale}").Provider
        given = {str(name) for name in getattr(provider, "first_names", ())}
        both: tuple[Gender, Gender] = ("female", "male")
        for gender in both:
            for name in getattr(provider, f"first_names_{gender}", ()):
                given.add(str(name))
                for written in {str(name), romanize(str(name))}:
                    genders.setdefault(written.casefold(), set()).add(gender)
        lists[locale] = given, {str(name) for name in provider.last_names}
        if locale in {"en_US", "en_GB"}:
            western |= given
            western_last |= lists[locale][1]
    (indian, indian_last), (hindi, hindi_last) = lists["en_IN"], lists["hi_IN"]
    indian |= {romanize(name) for name in hindi}
    return NameLists(
        given=frozenset(western | indian),
        surnames=frozenset(western_last | indian_last),
        indian=frozenset(name for name in indian - WORDS - western if len(name) > 3),
        indian_surnames=frozenset(name for name in indian_last - western_last - western - WORDS if len(name) > 2),
        hindi=frozenset(hindi),
        hindi_surnames=frozenset(hindi_last),
        genders={name: next(iter(found)) for name, found in genders.items() if len(found) == 1},
    )


def romanize(word: str) -> str:
    """A Devanagari word as it is commonly written in Latin letters, without the vowel that nobody says at its end."""
    made = []
    for place, letter in enumerate(word):
        after = word[place + 1 : place + 2]
        if letter in _CONSONANTS:
            made.append(_CONSONANTS[letter])
            if after and after != _NO_VOWEL and after != _DOT and (after not in _SIGNS or after in "ंँ"):
                made.append("a")
        else:
            made.append(_VOWELS.get(letter) or _SIGNS.get(letter) or ("" if letter in (_NO_VOWEL, _DOT) else letter))
    return "".join(made).capitalize()
