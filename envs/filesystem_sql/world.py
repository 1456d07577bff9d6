"""The operations office of Coral Bay Ferries on one day of spring: its folder tree and its database."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from rules import audited_rows, closed_files
from tables import make_tables

State = dict[str, Any]

_FOLDERS = [
    "",
    "/inbox",
    "/inbox/fuel",
    "/inbox/counts",
    "/notes",
    "/reports",
    "/archive",
    "/contracts",
    "/scripts",
    "/scratch",
    "/trash",
]
_PORTS = ["Coral Bay", "Port Sorrel", "Saltmarsh"]
_SUPPLIERS = ["Baltasar Bunkering", "Harbour Fuels Ltd", "Nakheel Marine"]
_STAFF = ["Ilse Maartens", "Tevita Fonoti", "Ana Paula Rocha", "Joseph Mbeki", "Sunniva Dahl"]
_TOPICS = {
    "timetable": "Summer timetable: two more sailings to Heron Island on Saturdays, if a vessel can be found.",
    "ramp": "The ramp at Saltmarsh jams at low tide. The contractor wants access on a day without sailings.",
    "complaints": "Nine complaints about the queue at Port Sorrel. Try a second ticket desk in the morning.",
    "fuel": "Fuel cost is up. Compare the three suppliers per litre before the contract is renewed.",
    "safety": "Drill on MV Old Promise took eleven minutes; nine are allowed. Repeat it next month.",
    "fares": "Fares stay as they are until the end of the season. The school discount is 30 percent.",
    "crew": "Two deckhands short from June. Ask the maritime school in Port Sorrel.",
    "weather": "Three sailings lost to fog. Passengers were rebooked by hand; the list is in the database.",
}
_CONTRACTS = {
    "fuel-baltasar.txt": "Baltasar Bunkering delivers marine diesel at 0.94 per litre. Notice period: 90 days.",
    "fuel-harbour.txt": "Harbour Fuels Ltd delivers marine diesel at 0.97 per litre. Notice period: 30 days.",
    "mooring-port-sorrel.txt": "Berth 4 and berth 5, 2,600 per month, indexed every January.",
    "cleaning.txt": "Cabin cleaning after the last sailing. Penalty of 150 for each cabin not done.",
    "catering.txt": "Kiosk concession, 12 percent of turnover, payable by the tenth of the month.",
    "insurance.txt": "Hull and machinery, six vessels. Claims within 14 days of the event.",
}


def make_state(rng: Random) -> State:
    now = datetime(2026, 4, 8, 8, 30) + timedelta(days=rng.randrange(40))
    closed_month = f"{now.year}-{now.month - 2:02}"
    state: State = {
        "now": now.isoformat(sep=" "),
        "closed_month": closed_month,
        "folders": [f"/project{name}" for name in _FOLDERS] + ["/"],
        "files": {},
        "tables": make_tables(rng, now, closed_month),
        "deleted": [],
        "overwritten": [],
        "changes": [],
    }
    for path, text, days in _files(rng, state, now):
        modified = now - timedelta(days=days, minutes=rng.randrange(600))
        state["files"][f"/project/{path}"] = {"text": text, "modified": modified.isoformat(sep=" ")}
    state["sealed"] = {
        "files": closed_files(state),
        "ledger": audited_rows(state),
        "ids": {
            name: [row[0] for row in state["tables"][name]["rows"]] for name in ("vessels", "sailings", "bookings")
        },
    }
    return state


def _files(rng: Random, state: State, now: datetime) -> list[tuple[str, str, int]]:
    """Path, text, and how many days ago it was written."""
    made = [("README.md", _readme(state["closed_month"]), 30)]
    for back in range(1, 13):
        day = (now - timedelta(days=back)).date().isoformat()
        made.append((f"inbox/fuel/fuel-{day}.csv", _fuel(rng, day), back))
        if back <= 8:
            made.append((f"inbox/counts/counts-{day}.csv", _counts(rng, state, day), back))
    for number, (topic, text) in enumerate(_TOPICS.items()):
        day = (now - timedelta(days=6 * number + rng.randrange(5))).date().isoformat()
        author, owner = rng.sample(_STAFF, 2)
        note = f"# {topic.capitalize()}, {day}\n\nPresent: {author}, {owner}\n\n{text}\n\nTODO {owner}: {_todo(rng)}\n"
        made.append((f"notes/{day}-{topic}.md", note, 6 * number))
    made += [
        (f"contracts/{name}", f"{text}\nSigned by {rng.choice(_STAFF)}.\n", 400) for name, text in _CONTRACTS.items()
    ]
    for year in (now.year - 2, now.year - 1):
        for quarter in (1, 2, 3, 4):
            made.append((f"archive/{year}-q{quarter}.md", _quarter(rng, year, quarter), 60))
    for back in (1, 2):
        month = f"{now.year}-{now.month - back:02}"
        made.append((f"reports/punctuality-{month}.md", _punctuality(rng, month), 25 * back))
    made += [
        ("reports/fleet-overview.md", "# Fleet\n\nSix vessels. See the table vessels for capacities.\n", 45),
        ("scripts/revenue-by-route.sql", _REVENUE, 70),
        ("scripts/open-maintenance.sql", "SELECT * FROM maintenance WHERE closed IS NULL ORDER BY opened;\n", 70),
        ("scratch/tmp-list.txt", "ask Ilse about berth 5\ncheck fog list\n", 3),
        ("scratch/old-export.csv", "id,name\n1,test\n2,test\n", 12),
    ]
    return made


_REVENUE = """SELECT r.origin, r.destination, SUM(b.paid) AS revenue
FROM bookings b JOIN sailings s ON s.id = b.sailing_id JOIN routes r ON r.id = s.route_id
WHERE b.status = 'confirmed' GROUP BY r.id ORDER BY revenue DESC;
"""


def _readme(closed_month: str) -> str:
    return (
        "# Operations office\n\n"
        "- inbox: what the ports send every day, as CSV\n"
        "- notes: minutes of meetings, one file a meeting\n"
        "- reports: finished reports; file names carry the month they are about\n"
        "- archive, contracts: closed\n"
        "- scratch: anything temporary; trash: what is no longer needed\n\n"
        f"Last closed month of the ledger: {closed_month}\n"
    )


def _fuel(rng: Random, day: str) -> str:
    lines = ["date,port,supplier,litres,price_per_litre"]
    lines += [
        f"{day},{port},{rng.choice(_SUPPLIERS)},{rng.randrange(800, 6200)},{rng.uniform(0.9, 1.08):.3f}"
        for port in _PORTS
    ]
    return "\n".join(lines) + "\n"


def _counts(rng: Random, state: State, day: str) -> str:
    lines = ["sailing_id,boarded,no_show"]
    lines += [
        f"{row[0]},{rng.randrange(20, 90)},{rng.randrange(0, 7)}"
        for row in state["tables"]["sailings"]["rows"]
        if row[3].startswith(day) and row[4] == "sailed"
    ]
    return "\n".join(lines) + "\n"


def _quarter(rng: Random, year: int, quarter: int) -> str:
    return (
        f"# Quarter {quarter} of {year}\n\n"
        f"Passengers: {rng.randrange(38_000, 96_000)}\nSailings cancelled: {rng.randrange(3, 40)}\n"
        f"Incidents: {rng.randrange(0, 5)}\nOn time: {rng.randrange(86, 98)} percent\n"
    )


def _punctuality(rng: Random, month: str) -> str:
    lines = [f"{port}: {rng.randrange(84, 99)} percent on time" for port in _PORTS]
    return f"# Punctuality {month}\n\n" + "\n".join(lines) + "\n"


def _todo(rng: Random) -> str:
    return rng.choice(
        [
            "ask the harbour master for a date",
            "send the figures of last month",
            "find out what the contract says about notice",
            "prepare a short report for the board",
            "check which vessels are in maintenance",
        ]
    )
