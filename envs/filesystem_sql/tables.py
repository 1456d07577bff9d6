"""The ferry company's database: vessels, routes, sailings, bookings, maintenance and the ledger."""

from __future__ import annotations

import sqlite3
import unicodedata
from contextlib import closing
from datetime import datetime, timedelta
from random import Random
from typing import Any

Table = dict[str, Any]

_VESSELS = [
    ("MV Frangipani", 180, 2009, "Coral Bay"),
    ("MV Kittiwake", 120, 2014, "Port Sorrel"),
    ("MV Lantern Fish", 240, 2018, "Coral Bay"),
    ("MV Old Promise", 90, 1996, "Saltmarsh"),
    ("MV Terezinha", 150, 2011, "Port Sorrel"),
    ("MV Umi-no-Hana", 200, 2021, "Coral Bay"),
]
_ROUTES = [
    ("Coral Bay", "Port Sorrel", 55, 18.5),
    ("Port Sorrel", "Coral Bay", 55, 18.5),
    ("Coral Bay", "Heron Island", 35, 12.0),
    ("Heron Island", "Coral Bay", 35, 12.0),
    ("Coral Bay", "Saltmarsh", 80, 24.0),
    ("Saltmarsh", "Coral Bay", 80, 24.0),
    ("Port Sorrel", "Lighthouse Point", 25, 9.0),
    ("Lighthouse Point", "Port Sorrel", 25, 9.0),
]
_FIRST = (
    "Amina Bruno Chidi Dagny Esra Farouk Greta Hemi Ioana Jamal Keiko Leilani Mbali Nils Oksana Pablo Quyen Rafiq Sefa"
)
_LAST = "Abara Bergström Castillo Demir Eriksen Fonoti Grigore Haddad Ibrahim Jovanović Kahale Lopes Mwale Novák Petit"
_WORK = [
    ("hull cleaning", 8200), ("engine overhaul", 31500), ("life rafts inspected", 2400), ("radar replaced", 12900),
    ("deck repainted", 6100), ("fire pumps tested", 1350), ("bow thruster bearing", 9800), ("navigation lights", 760),
    ("ramp hydraulics", 5400), ("galley refit", 14200),
]  # fmt: skip
_ACCOUNTS = [
    ("fares", 61000, 1),
    ("fuel", 24500, -1),
    ("crew", 19800, -1),
    ("port dues", 5200, -1),
    ("maintenance", 7400, -1),
]


def make_tables(rng: Random, now: datetime, closed_month: str) -> dict[str, Table]:
    vessels = [[number, *vessel] for number, vessel in enumerate(_VESSELS, 1)]
    routes = [[number, *route] for number, route in enumerate(_ROUTES, 1)]
    sailings = _sailings(rng, now)
    return {
        "vessels": _table(
            "vessels",
            "id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, capacity INTEGER NOT NULL, built INTEGER, "
            "home_port TEXT",
            vessels,
        ),
        "routes": _table(
            "routes",
            "id INTEGER PRIMARY KEY, origin TEXT NOT NULL, destination TEXT NOT NULL, minutes INTEGER, "
            "fare REAL NOT NULL",
            routes,
        ),
        "sailings": _table(
            "sailings",
            "id INTEGER PRIMARY KEY, route_id INTEGER NOT NULL REFERENCES routes(id), "
            "vessel_id INTEGER NOT NULL REFERENCES vessels(id), departs TEXT NOT NULL, "
            "status TEXT NOT NULL CHECK (status IN ('planned', 'boarding', 'sailed', 'cancelled'))",
            sailings,
        ),
        "bookings": _table(
            "bookings",
            "id INTEGER PRIMARY KEY, sailing_id INTEGER NOT NULL REFERENCES sailings(id), passenger TEXT NOT NULL, "
            "email TEXT NOT NULL, seats INTEGER NOT NULL CHECK (seats > 0), paid REAL NOT NULL, "
            "status TEXT NOT NULL CHECK (status IN ('confirmed', 'cancelled', 'refunded'))",
            _bookings(rng, sailings, vessels, routes),
        ),
        "maintenance": _table(
            "maintenance",
            "id INTEGER PRIMARY KEY, vessel_id INTEGER NOT NULL REFERENCES vessels(id), opened TEXT NOT NULL, "
            "closed TEXT, work TEXT NOT NULL, cost REAL",
            _maintenance(rng, now),
        ),
        "ledger": _table(
            "ledger",
            "id INTEGER PRIMARY KEY, month TEXT NOT NULL, account TEXT NOT NULL, amount REAL NOT NULL, note TEXT",
            _ledger(rng, now, closed_month),
        ),
        "counts": _table(
            "counts",
            "sailing_id INTEGER PRIMARY KEY REFERENCES sailings(id), boarded INTEGER NOT NULL, "
            "no_show INTEGER NOT NULL",
            [[row[0], rng.randrange(20, 90), rng.randrange(0, 7)] for row in sailings[:8] if row[4] == "sailed"],
        ),
        "fuel": _table(
            "fuel",
            "date TEXT NOT NULL, port TEXT NOT NULL, supplier TEXT NOT NULL, litres INTEGER NOT NULL, "
            "price_per_litre REAL NOT NULL, UNIQUE (date, port)",
            [],
        ),
    }


def _table(name: str, definition: str, rows: list[list[Any]]) -> Table:
    sql = f"CREATE TABLE {name} ({definition})"
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(sql)
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
    return {"sql": sql, "columns": columns, "rows": rows}


def _sailings(rng: Random, now: datetime) -> list[list[Any]]:
    rows = []
    day = now.replace(hour=0, minute=0) - timedelta(days=5)
    for number in range(1, 57):
        departs = day + timedelta(
            days=(number - 1) // 5, hours=rng.randrange(6, 20), minutes=rng.choice([0, 15, 30, 45])
        )
        status = "sailed" if departs < now else "planned"
        if rng.random() < 0.06:
            status = "cancelled"
        rows.append([number, rng.randrange(1, 9), rng.randrange(1, 7), departs.isoformat(" ", "minutes"), status])
    return rows


def _bookings(
    rng: Random, sailings: list[list[Any]], vessels: list[list[Any]], routes: list[list[Any]]
) -> list[list[Any]]:
    rows: list[list[Any]] = []
    first, last = _FIRST.split(), _LAST.split()
    for sailing in sailings:
        left = vessels[sailing[2] - 1][2]
        for _ in range(rng.choice([1, 1, 2, 2, 3])):
            name = f"{rng.choice(first)} {rng.choice(last)}"
            seats = rng.choice([1, 1, 2, 2, 3, 4, 24, 40])
            if seats > left:
                continue
            left -= seats
            status = "refunded" if sailing[4] == "cancelled" else rng.choices(["confirmed", "cancelled"], [9, 1])[0]
            paid = round(routes[sailing[1] - 1][4] * seats, 2)
            email = f"{_ascii(name)}{rng.randrange(100)}@seamail.example"
            rows.append([1000 + len(rows), sailing[0], name, email, seats, paid, status])
    return rows


def _maintenance(rng: Random, now: datetime) -> list[list[Any]]:
    rows = []
    for number in range(1, 25):
        opened = now - timedelta(days=rng.randrange(3, 420))
        closed = opened + timedelta(days=rng.randrange(1, 40))
        work, cost = rng.choice(_WORK)
        done = closed < now
        rows.append(
            [
                number,
                rng.randrange(1, 7),
                opened.date().isoformat(),
                closed.date().isoformat() if done else None,
                work,
                round(cost * rng.uniform(0.8, 1.3), 2) if done else None,
            ]
        )
    return rows


def _ledger(rng: Random, now: datetime, closed_month: str) -> list[list[Any]]:
    rows: list[list[Any]] = []
    months = [f"{now.year - 1}-{month:02}" for month in range(7, 13)] + [
        f"{now.year}-{m:02}" for m in range(1, now.month + 1)
    ]
    for month in months:
        for account, amount, sign in _ACCOUNTS:
            value = round(sign * amount * rng.uniform(0.85, 1.15), 2)
            note = None if month > closed_month else "audited"
            rows.append([len(rows) + 1, month, account, value, note])
    return rows


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).lower().replace(" ", ".")
    return "".join(letter for letter in folded if letter.isascii() and (letter.isalnum() or letter == "."))
