"""Given names and surnames of the US, the UK and India, in Latin and in Devanagari letters: Faker's lists (MIT)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal

WORDS = frozenset(
    "Agate Amber Amble Angel April Art Ash August Aurora Austin Autumn Badal Bail Baker Bal Banks Bath Best Bill "
    "Bir Black Bond Brown Bush Carolina Carpenter Chance Chand Char Charlotte Chase Chelsea Christian Comar Cook "
    "Crystal Dada Dakota Dale Dallas Dar Dash Date Dawn Day Deep Deo Destiny Dev Dey Din Divan Doctor Drew Dua "
    "Early Earth Faith Fields Florence Forum Fox Frank Gala Gene Georgia Good Grace Grant Gray Green Guy Hans "
    "Harmony Heather Holiday Hope Houston Hunter Ivy Jack Jackson Jasmine Jordan Joy June Kale Kant Kar Kata King "
    "Kota Lad Lane Lanka Lily Lincoln Loke London Long Love Loyal Lucky Madison Mall Man Mand Mander Mane Mark "
    "Marsh Mason Master May Melody Mercy Miles Miller Moon More Mutti Nagar Nath Natt Neel Oak Om Page Pal Palan "
    "Pall Pant Paris Parks Pau Pearl Penny Peri Person Pitt Pope Price Raja Ram Rattan Ravel Ray Reed Rice Rich "
    "Rob Robin Rod Rose Rout Ruby Sama Sandal Sane Sant Sem Sen Sha Shah Shan Sharp Shere Small Som Soman Stone "
    "Street Sue Summer Sunny Sur Sura Sydney Tailor Tak Tank Tata Tel Tella Terry Toor Trinity Umang Vala Veda "
    "Victory Violet Virginia Wade Walla Ward Washington Ways West White Will Winter Wise Wood Woods Young".split()
)
"""Names that are words, places or months too: alone they say nothing."""

_HINDI_SURNAMES = frozenset(
    "अंसारी अग्रवाल अय्यर कुरैशी कुलकर्णी कौर खान गायकवाड़ गुप्ता घोष चटर्जी चौधरी चौहान जाधव जोशी झा ठाकुर तिवारी त्रिपाठी दास दुबे "
    "देशपांडे देशमुख नायर नायडू पटेल पवार पाटिल पांडे पिल्लई प्रसाद बनर्जी बेगम बोस मिश्रा मुखर्जी मेनन यादव राजपूत राठौर राव रावत रेड्डी "
    "शर्मा शाह शिंदे शुक्ला शेख श्रीवास्तव सक्सेना सिंह सेन".split()
)
"""The most common ones, of which Faker's list lacks many."""
_INDIAN_GIVEN = frozenset(
    "Aamir Abdul Afzal Aslam Ayesha Danish Farah Farhan Faisal Fatima Imran Irfan Javed Kabir Mehmood Mohammad "
    "Mohammed Mumtaz Nadeem Nasreen Parveen Rehana Rizwan Rukhsana Saeed Salman Sameena Shabana Shahid Tabassum Wasim "
    "Yusuf Zainab Gurpreet Harpreet Jaspreet Manpreet Navjot Sukhdev Joseph Mary Thomas".split()
)
_INDIAN_SURNAMES = frozenset(
    "Ansari Azmi Farooqui Hashmi Hussain Kazmi Khan Mirza Naqvi Pathan Qureshi Rizvi Shaikh Sheikh Siddiqui Usmani "
    "Bedi Dhillon Gill Grewal Sandhu Sidhu Fernandes Pereira Thomas".split()
)
"""Muslim, Sikh and Christian names, of which Faker's lists have few."""

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
    known: frozenset[str]
    """All names of any sort in Latin letters, and some thousands more given names: what one word alone may be."""
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
        given, surnames = _lists(locale)
        both: tuple[Gender, Gender] = ("female", "male")
        for gender in both:
            for name in getattr(provider, f"first_names_{gender}", ()):
                for written in {str(name), romanize(str(name))}:
                    genders.setdefault(written.casefold(), set()).add(gender)
        lists[locale] = given, surnames
        if locale in {"en_US", "en_GB"}:
            western |= given
            western_last |= surnames
    (indian, indian_last), (hindi, hindi_last) = lists["en_IN"], lists["hi_IN"]
    indian |= {romanize(name) for name in hindi} | _INDIAN_GIVEN
    indian_last |= _INDIAN_SURNAMES
    return NameLists(
        given=frozenset(western | indian),
        surnames=frozenset(western_last | indian_last),
        indian=frozenset(name for name in indian - WORDS - western if len(name) > 3),
        indian_surnames=frozenset(name for name in indian_last - western_last - western - WORDS if len(name) > 2),
        hindi=frozenset(hindi),
        known=frozenset(western | western_last | indian | indian_last | _lists("en")[0]) - WORDS,
        hindi_surnames=frozenset(hindi_last) | _HINDI_SURNAMES,
        genders={name: next(iter(found)) for name, found in genders.items() if len(found) == 1},
    )


def _lists(locale: str) -> tuple[set[str], set[str]]:
    """Given names and surnames."""
    provider = import_module(f"faker.providers.person.{locale}").Provider
    parts = [getattr(provider, name, ()) for name in ("first_names", "first_names_male", "first_names_female")]
    return {str(name) for part in parts for name in part}, {str(name) for name in provider.last_names}


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
