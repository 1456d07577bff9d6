# ruff: noqa: E501 - lists of names and sentences read better in long lines
"""Personal data: recall and precision per sort on texts with planted values, and what redaction leaves of them.

    python benchmarks/pii.py [texts]

Names are written here by hand, English and Indian, in Latin and in Devanagari letters; numbers are drawn with their
check digits. One text in five holds none, but numbers and capital letters that look like it.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.common import show
from synth.curation.pii.finder import PiiFinder
from synth.curation.pii.removing import mark, remove
from synth.recipe.cleaning import PII_KINDS, PiiKind

ENGLISH = """Olivia Bennett; Marcus Thornton; Grace Okafor; Liam Fitzgerald; Hannah Whitmore; Declan Murphy; Sophie Turner;
Nathaniel Brooks; Isabel Moreno; Tobias Lindqvist; Rebecca Sinclair; Owen Gallagher; Caroline Hughes; Dominic Frost;
Amelia Hartley; Victor Petrov; Josephine Carver; Callum Reid; Penelope Marsh; Elliot Granger; Fiona MacLeod; Simon Ashworth;
Naomi Feldman; Gareth Powell; Tamsin Doyle; Leonard Vance; Beatrice Holloway; Curtis Whitfield; Maureen O'Brien; Felix Drummond;
Rosalind Peake; Adrian Castellano; Imogen Baxter; Russell Pemberton; Yvonne Archer; Desmond Clarke; Harriet Lawson;
Quentin Barlow; Miriam Goldstein; Stuart Kilpatrick""".replace("\n", " ").split("; ")
INDIAN = """Ramesh Kumar; Sunita Sharma; Anil Kapoor Verma; Kavita Deshmukh; Suresh Iyer; Meenakshi Subramanian; Rajendra Prasad Yadav;
Lakshmi Narayanan; Vikram Singh Rathore; Pooja Bhatt; Manoj Tiwari; Deepika Chauhan; Arvind Kulkarni; Nandini Rao; Harpreet Kaur;
Gurpreet Singh; Abdul Rahman Khan; Farida Begum; Sanjay Mishra; Rekha Joshi; Venkatesh Reddy; Padma Krishnan; Ashok Pillai;
Shalini Menon; Rohit Agarwal; Sneha Patil; Mahesh Choudhary; Usha Nair; Prakash Jha; Jyoti Saxena; Kiran Bedekar; Dinesh Gowda;
Swati Mukherjee; Subhash Banerjee; Anjali Ghosh; Naveen Shetty; Geeta Rawat; Omprakash Dubey; Savitri Pandey; Imran Qureshi"""
INDIAN = INDIAN.replace("\n", " ").split("; ")  # type: ignore[assignment]
HINDI = """रमेश कुमार; सुनीता शर्मा; अनिल वर्मा; कविता देशमुख; सुरेश यादव; लक्ष्मी नारायण; विक्रम सिंह; पूजा भट्ट; मनोज तिवारी; दीपिका चौहान;
अरविंद कुलकर्णी; नंदिनी राव; हरप्रीत कौर; संजय मिश्रा; रेखा जोशी; अशोक पिल्लई; रोहित अग्रवाल; महेश चौधरी; ज्योति सक्सेना; गीता रावत"""
HINDI = HINDI.replace("\n", " ").split("; ")  # type: ignore[assignment]

SAYS: dict[PiiKind, list[str]] = {
    "person": [
        "{} asked us to cancel the order.", "I spoke to {} on Monday and nothing has changed.", "The account belongs to {}.",
        "Our nurse, {}, will see you at nine.", "{} and two others were on the call.", "Could you forward this to {}?",
        "The complaint was signed by {}.", "According to {}, the refund was approved.",
        "The contract between the company and {} ended in June.", "Yesterday {} moved to another team.",
    ],
    "email": ["You can write to {}.", "My address is {}, as before.", "Contact: {}", "It bounced from <{}>."],
    "phone": ["My number is {}.", "Call {} after six.", "Tel. {}", "You can reach her on {} in the evening."],
    "credit_card": ["Please charge {}.", "The card {} was declined.", "Card number: {}", "I paid with {} last week."],
    "iban": ["Transfer it to {}.", "IBAN: {}", "The salary goes to {} each month."],
    "ip": ["The login came from {}.", "Host {} does not answer.", "IP: {}"],
    "us_ssn": ["My social security number is {}.", "SSN: {}", "The form asks for the SSN, it is {}."],
    "aadhaar": ["Aadhaar number {} is linked.", "My Aadhaar is {}.", "UIDAI says that {} is valid."],
    "pan": ["PAN: {}", "Please update my PAN to {}.", "The permanent account number {} is on the form."],
    "passport": ["Passport number {}.", "My passport is {}.", "He travels on the passport {}."],
    "address": ["Send it to {}.", "We moved to {} in May.", "The courier went to {} twice.", "Address: {}"],
    "birth_date": ["Date of birth: {}", "She was born on {}.", "DOB {}.", "My date of birth is {}."],
}  # fmt: skip
SAYS_HINDI = ["मेरा नाम {} है।", "{} ने शिकायत की है।", "कृपया {} से बात करें।", "श्री {} का खाता बंद है।", "यह पत्र {} के लिए है।"]
HARMLESS = [
    "Order 402-5518827-99 was sent on 14 March 2024 and costs $1,249.00.", "Version 4.12.3 fixes issue 88213.",
    "The meeting is at 10:30 in Room 12, on the third floor.", "ISBN 978-3-16-148410-0 is out of print.",
    "Chapter 7 begins on page 214 and ends on page 260.", "Monday is a holiday in Germany, Tuesday is not.",
    "Use the Python function and read the documentation of the API.", "The invoice total is 98,765.43 euros.",
    "We sold 1,234,567 units in 2023, up from 987,654.", "Please restart the router and wait for two minutes.",
    "Flight LH 441 leaves at 18:05 from Terminal 1.", "The temperature was 21.5 degrees at 06:00.",
    "What is your refund policy for damaged goods?", "The Great Wall of China is a popular place to visit.",
    "Tracking number 1Z999AA10123456784 shows no movement.", "कृपया मुझे बताइए कि मेरा पार्सल कब आएगा।",
]  # fmt: skip


@dataclass(frozen=True)
class Planted:
    kind: PiiKind
    value: str
    start: int


def text(rng: random.Random) -> tuple[str, list[Planted]]:
    """A few sentences; each text has one to four values of different sorts, or none."""
    parts, planted, length = [], [], 0
    kinds = rng.sample(PII_KINDS, rng.randint(1, 4)) if rng.random() < 0.8 else []
    for kind in [*kinds, None]:
        if kind is None or rng.random() < 0.4:
            sentence, value = rng.choice(HARMLESS), ""
        else:
            value = make(kind, rng)
            hindi = not value.isascii() and kind == "person"
            sentence = rng.choice(SAYS_HINDI if hindi else SAYS[kind])
        if kind is not None and not value:
            parts.append(sentence)
            length += len(sentence) + 1
            value = make(kind, rng)
            hindi = not value.isascii() and kind == "person"
            sentence = rng.choice(SAYS_HINDI if hindi else SAYS[kind])
        if value and kind is not None:
            planted.append(Planted(kind, value, length + sentence.index("{}")))
        parts.append(sentence.format(value) if value else sentence)
        length += len(parts[-1]) + 1
    return " ".join(parts), planted


def make(kind: PiiKind, rng: random.Random) -> str:
    def digits(count: int) -> str:
        return "".join(str(rng.randrange(10)) for _ in range(count))

    match kind:
        case "person":
            return rng.choice(rng.choice([ENGLISH, INDIAN, HINDI]))
        case "email":
            user = rng.choice([*ENGLISH, *INDIAN]).lower().replace("'", "").split()
            user_name = rng.choice([f"{user[0]}.{user[-1]}", f"{user[0][0]}{user[-1]}", f"{user[0]}{digits(2)}"])
            return f"{user_name}@{rng.choice(['gmail.com', 'yahoo.co.in', 'mail.fenwick.org', 'outlook.com'])}"
        case "phone":
            us = f"{rng.choice(['212', '415', '312', '646'])}", f"{rng.randint(220, 989)}", digits(4)
            india = rng.choice("6789") + digits(9)
            return rng.choice([
                f"({us[0]}) {us[1]}-{us[2]}", f"+1 {us[0]}-{us[1]}-{us[2]}", f"{us[0]}-{us[1]}-{us[2]}", f"+91 {india[:5]} {india[5:]}",
                f"+91-{india}", india, f"+44 20 7946 0{digits(3)}", f"+49 30 {digits(7)}",
            ])  # fmt: skip
        case "credit_card":
            number = luhn(rng.choice(["4", "51", "55"]) + digits(15), 16)
            return rng.choice([number, " ".join(number[n : n + 4] for n in range(0, 16, 4))])
        case "iban":
            country, body = rng.choice(
                [("DE", digits(18)), ("GB", "WEST" + digits(14)), ("FR", digits(23)), ("NL", "ABNA" + digits(10))]
            )
            number = country + iban_check(country, body) + body
            return rng.choice([number, " ".join(number[n : n + 4] for n in range(0, len(number), 4))])
        case "ip":
            four = ".".join(str(rng.randint(11, 223)) for _ in range(4))
            return rng.choice([four, four, f"2001:db8:{rng.randrange(1 << 16):x}::{rng.randrange(1 << 16):x}"])
        case "us_ssn":
            return f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"
        case "aadhaar":
            number = verhoeff(rng.choice("23456789") + digits(10))
            return rng.choice([number, f"{number[:4]} {number[4:8]} {number[8:]}"])
        case "pan":
            letters = "".join(rng.choices("ABCDEFGHJKLMNPRSTUVW", k=3))
            return f"{letters}{rng.choice('PCHF')}{rng.choice('ABDEKMRS')}{rng.randint(1000, 9999)}{rng.choice('ABCDEFGHK')}"
        case "passport":
            return rng.choice(
                [
                    rng.choice("ABJKLMNPRST") + rng.choice("123456789") + digits(5) + rng.choice("123456789"),
                    rng.choice("4567") + digits(8),
                ]
            )
        case "address":
            return rng.choice(ADDRESSES)(rng)
        case "birth_date":
            day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1940, 2006)
            name = "January February March April May June July August September October November December".split()[
                month - 1
            ]
            return rng.choice([f"{day} {name} {year}", f"{name} {day}, {year}", f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}"])  # fmt: skip


ADDRESSES = [
    lambda r: f"{r.randint(2, 9999)} {r.choice(['Maple', 'Old Mill', 'Kingston', 'West Lake'])} {r.choice(['Street', 'Ave', 'Road', 'Drive', 'Lane'])}, "
    f"{r.choice(['Austin, TX 78701', 'Portland, OR 97205', 'Madison, WI 53703', 'Baton Rouge, LA 70801'])}",
    lambda r: f"{r.randint(2, 300)} {r.choice(['High Street', 'Church Lane', 'Victoria Road'])}, {r.choice(['Leeds LS1 4AP', 'Bristol BS1 5TR', 'London SE1 9GF'])}",
    lambda r: f"Flat {r.randint(1, 40)}{r.choice('ABC')}, {r.choice(['Lotus Residency', 'Sai Krupa Apartments', 'Green Park'])}, "
    f"{r.choice(['Andheri West', 'Koramangala', 'Salt Lake'])}, {r.choice(['Mumbai 400053', 'Bengaluru 560034', 'Kolkata 700091'])}",
    lambda r: f"{r.randint(1, 99)}/{r.randint(1, 20)}, {r.choice(['Civil Lines', 'Shastri Nagar', 'Model Town'])}, {r.choice(['Kanpur - 208001', 'Jaipur 302016', 'Ludhiana-141002'])}",
    lambda r: f"House No. {r.randint(1, 900)}, Sector {r.randint(1, 60)}, {r.choice(['Chandigarh 160022', 'Noida 201301'])}",
]  # fmt: skip


def luhn(number: str, length: int) -> str:
    body = number[: length - 1]
    doubled = [int(d) if n % 2 else sum(divmod(2 * int(d), 10)) for n, d in enumerate(reversed(body))]
    return body + str(-sum(doubled) % 10)


def iban_check(country: str, body: str) -> str:
    number = int("".join(str(int(character, 36)) for character in f"{body}{country}00"))
    return f"{98 - number % 97:02}"


def verhoeff(body: str) -> str:
    """``body`` with its check digit; multiplication in the dihedral group of the pentagon."""

    def times(a: int, b: int) -> int:
        if a < 5:
            return (a + b) % 5 + (5 if b >= 5 else 0)
        return (a - b) % 5 + (5 if b < 5 else 0)

    def permuted(digit: int, turns: int) -> int:
        for _ in range(turns % 8):
            digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
        return digit

    check = 0
    for place, digit in enumerate(reversed(body), 1):
        check = times(check, permuted(int(digit), place))
    inverse = next(d for d in range(10) if times(check, d) == 0)
    return body + str(inverse)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng, finder = random.Random(5), PiiFinder()
    planted, right, near, found = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    names, left, wrong, spent, misses = Counter[str](), list[str](), Counter[str](), 0.0, list[str]()
    for _ in range(count):
        content, values = text(rng)
        began = time.process_time()
        removed = remove(finder, mark, [content])
        spent += time.process_time() - began
        for value in values:
            end = value.start + len(value.value)
            inside = [one for one in removed.found[0] if one.start < end and one.end > value.start]
            covered = any(one.start <= value.start and one.end >= end for one in inside)
            planted[value.kind] += 1
            right[value.kind] += covered and any(one.kind == value.kind for one in inside)
            near[value.kind] += covered
            if value.kind == "person":
                script = (
                    "Devanagari" if not value.value.isascii() else "English" if value.value in ENGLISH else "Indian"
                )
                names[f"{script} planted"] += 1
                names[f"{script} found"] += covered
            if value.value in removed.texts[0]:
                left.append(f"{value.kind}: {value.value}")
            if not covered:
                misses.append(f"{value.kind} {value.value!r} in {content!r}")
        for one in removed.found[0]:
            hits = [v for v in values if one.start < v.start + len(v.value) and one.end > v.start]
            found[one.kind] += 1
            wrong[one.kind] += not any(v.kind == one.kind for v in hits)
            if not hits:
                misses.append(f"  false {one.kind} {content[one.start : one.end]!r} in {content!r}")
    rows = [
        [
            kind,
            str(planted[kind]),
            f"{right[kind] / planted[kind]:.3f}",
            f"{near[kind] / planted[kind]:.3f}",
            f"{1 - wrong[kind] / max(found[kind], 1):.3f}",
        ]
        for kind in PII_KINDS
    ]
    everything = sum(planted.values())
    total = f"{sum(right.values()) / everything:.3f}", f"{sum(near.values()) / everything:.3f}"
    rows.append(["all", str(everything), *total, f"{1 - sum(wrong.values()) / sum(found.values()):.3f}"])
    show(f"{count} texts", ["sort", "planted", "recall", "covered", "precision"], rows)
    for script in ("English", "Indian", "Devanagari"):
        print(f"{script} names: {names[f'{script} found']} of {names[f'{script} planted']} covered")
    print(
        f"{1000 * spent / count:.1f} ms CPU a text; after redaction {len(left)} of {everything} planted strings are left whole"
    )
    if "-v" in sys.argv:
        print("\n".join([*left, *misses]))


if __name__ == "__main__":
    main()
