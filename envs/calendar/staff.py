"""Who works at Meridian Instruments, and where."""

from __future__ import annotations

import unicodedata
from random import Random
from typing import Any, NamedTuple


class Office(NamedTuple):
    city: str
    time_zone: str
    opens: str
    closes: str
    rooms: list[tuple[str, int, list[str]]]
    people: list[str]


OFFICES = [
    Office(
        "Toronto", "America/Toronto", "09:00", "17:00",
        [("Humber", 4, []), ("Don Valley", 8, ["screen"]), ("Escarpment", 16, ["screen", "video"])],
        ["Claire Bouchard", "Dmitri Sokolov", "Hana Abebe", "Marcus Thibodeau", "Priya Raman", "Ewan McLeod"],
    ),
    Office(
        "São Paulo", "America/Sao_Paulo", "09:00", "18:00",
        [("Ibirapuera", 6, ["screen"]), ("Jaraguá", 12, ["screen", "video"])],
        ["Luana Prado", "Otávio Siqueira", "Renata Moraes", "Thiago Bastos", "Yumi Kobayashi"],
    ),
    Office(
        "Dublin", "Europe/Dublin", "08:30", "16:30",
        [("Liffey", 4, ["video"]), ("Howth", 8, ["screen", "video"]), ("Wicklow", 20, ["video", "whiteboard"])],
        ["Aoife Brennan", "Conor Gallagher", "Emeka Obi", "Niamh Doyle", "Piotr Zieliński", "Sinéad Walsh"],
    ),
    Office(
        "Nairobi", "Africa/Nairobi", "08:00", "17:00",
        [("Karura", 6, ["screen", "video"]), ("Longonot", 10, ["screen", "whiteboard"])],
        ["Brian Mutiso", "Faith Njeri", "Hassan Abdi", "Joyce Wambui", "Kevin Otieno"],
    ),
    Office(
        "Pune", "Asia/Kolkata", "10:00", "18:30",
        [("Sinhagad", 6, ["screen"]), ("Rajgad", 8, ["video"]), ("Torna", 14, ["screen", "video"])],
        ["Aditi Kulkarni", "Farhan Shaikh", "Gauri Joshi", "Nikhil Deshpande", "Revathi Menon", "Sameer Patil"],
    ),
    Office(
        "Osaka", "Asia/Tokyo", "09:00", "17:30",
        [("Yodo", 4, ["screen"]), ("Ikoma", 10, ["screen", "video"])],
        ["Ayumi Morita", "Daisuke Hirano", "Kaori Sugimoto", "Ren Matsuda", "Li Wei"],
    ),
]  # fmt: skip

_TEAMS = ["optics", "firmware", "quality", "sales", "finance", "people"]
_ROLES = {
    "optics": ["optical engineer", "laboratory technician", "head of optics"],
    "firmware": ["firmware engineer", "test engineer", "head of firmware"],
    "quality": ["quality engineer", "auditor", "head of quality"],
    "sales": ["account manager", "sales engineer", "head of sales"],
    "finance": ["controller", "accountant", "head of finance"],
    "people": ["recruiter", "people partner", "head of people"],
}


def make_people(rng: Random) -> dict[str, dict[str, Any]]:
    """Everyone, by id; each team has one head."""
    everyone = [(office, name) for office in OFFICES for name in office.people]
    rng.shuffle(everyone)
    people: dict[str, dict[str, Any]] = {}
    for number, (office, name) in enumerate(everyone):
        team = _TEAMS[number % len(_TEAMS)]
        person_id = f"p{rng.randrange(100, 999)}{number:02}"
        people[person_id] = {
            "person_id": person_id,
            "name": name,
            "email": f"{_ascii(name)}@meridian-instruments.com",
            "team": team,
            "role": _ROLES[team][2 if number < len(_TEAMS) else number % 2],
            "office": office.city,
            "time_zone": office.time_zone,
            "works_from": office.opens,
            "works_until": office.closes,
        }
    return people


def make_rooms() -> dict[str, dict[str, Any]]:
    rooms: dict[str, dict[str, Any]] = {}
    for office in OFFICES:
        for name, seats, equipment in office.rooms:
            room_id = f"{_ascii(office.city)[:3]}-{_ascii(name).split('.')[0]}"
            rooms[room_id] = {
                "room_id": room_id,
                "name": name,
                "office": office.city,
                "time_zone": office.time_zone,
                "seats": seats,
                "equipment": equipment,
            }
    return rooms


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.replace("ł", "l")).lower().replace(" ", ".")
    return "".join(letter for letter in folded if letter.isascii() and (letter.isalnum() or letter == "."))
