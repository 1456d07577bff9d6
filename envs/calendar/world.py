"""Six offices on a Monday morning: everyone's meetings, focus blocks and leave for the weeks to come."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from rules import problems_of
from staff import make_people, make_rooms
from times import Span, busy, fixed_part, occurrences, room_taken

State = dict[str, Any]

_TITLES = [
    "Lens coating review", "Calibration backlog", "Firmware 4.2 sign-off", "Supplier call: Brandt Optik",
    "Quarterly forecast", "Field returns triage", "Interview debrief", "Certification audit prep", "Budget check",
    "Customer visit: Port of Mombasa", "Spectrometer design review", "Release notes", "Safety walk", "Tender answers",
    "Price list update", "Handbook chapter 3", "Noise floor investigation", "Onboarding", "Warehouse move",
    "Trade fair planning", "Service contract renewal",
]  # fmt: skip
_SERIES = ["one to one", "weekly", "standup", "planning", "reading group", "lab meeting"]


def make_state(rng: Random) -> State:
    monday = date(2026, 1, 12) + timedelta(weeks=rng.randrange(40))
    state: State = {
        "now": f"{monday.isoformat()}T06:00:00Z",
        "people": make_people(rng),
        "rooms": make_rooms(),
        "events": {},
        "leave": [],
    }
    _add_leave(rng, state, monday)
    _add_company_events(rng, state, monday)
    for person in state["people"].values():
        _try_event(rng, state, _focus_block(rng, person, monday))
    wanted = 46
    for _ in range(400):
        if len(state["events"]) >= wanted + len(state["people"]):
            break
        _try_event(rng, state, _meeting(rng, state, monday))
    return state


def new_event_id(state: State) -> str:
    """The next free number, whatever has been cancelled."""
    last = max((int(key.removeprefix("ev")) for key in state["events"]), default=4000)
    return f"ev{max(last, state.get('last_event', 0)) + 1}"


def _add_leave(rng: Random, state: State, monday: date) -> None:
    for person_id in rng.sample(list(state["people"]), 9):
        first = monday + timedelta(days=rng.randrange(0, 24))
        last = first + timedelta(days=rng.choice([0, 1, 4, 9]))
        kind = rng.choice(["holiday", "holiday", "training", "parental leave"])
        state["leave"].append({"person_id": person_id, "from": first.isoformat(), "to": last.isoformat(), "kind": kind})


def _add_company_events(rng: Random, state: State, monday: date) -> None:
    for office in sorted({person["office"] for person in state["people"].values()}):
        there = [person for person in state["people"].values() if person["office"] == office]
        day = monday + timedelta(days=7 + rng.randrange(5))
        host = rng.choice(there)
        room = max(
            (room for room in state["rooms"].values() if room["office"] == office), key=lambda room: room["seats"]
        )
        _try_event(
            rng,
            state,
            _event(
                host, [host, *there], f"Town hall {office}", day, "11:00", 60, kind="company", room_id=room["room_id"]
            ),
        )


def _focus_block(rng: Random, person: State, monday: date) -> State:
    weekday = rng.randrange(5)
    repeat = {"every_weeks": 1, "weekdays": [_weekday(weekday)], "until": _iso(monday, 62), "except": []}
    at = f"{int(person['works_from'][:2]) + rng.choice([1, 2, 5]):02}:00"
    day = monday + timedelta(days=weekday)
    return _event(person, [person], "Focus time", day, at, rng.choice([90, 120]), kind="focus", repeat=repeat)


def _meeting(rng: Random, state: State, monday: date) -> State:
    organizer = rng.choice(list(state["people"].values()))
    near = [person for person in state["people"].values() if _near(organizer, person)]
    others = rng.sample(near, min(len(near), rng.choice([1, 1, 2, 2, 3, 4])))
    day = monday + timedelta(days=rng.choice([0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18]))
    at = f"{rng.randrange(8, 17):02}:{rng.choice(['00', '00', '30'])}"
    minutes = rng.choice([30, 30, 45, 60, 60, 90])
    repeat = None
    title = rng.choice(_TITLES)
    if rng.random() < 0.3:
        every = rng.choice([1, 1, 2])
        repeat = {"every_weeks": every, "weekdays": [_weekday(day.weekday())], "until": _iso(day, 70), "except": []}
        title = f"{organizer['team'].capitalize()} {rng.choice(_SERIES)}"
    event = _event(organizer, [organizer, *others], title, day, at, minutes, repeat=repeat)
    event["private"] = rng.random() < 0.12
    if rng.random() < 0.6:
        rooms = [room for room in state["rooms"].values() if room["office"] == organizer["office"]]
        event["room_id"] = rng.choice(rooms)["room_id"]
    return event


def _event(
    organizer: State,
    attendees: list[State],
    title: str,
    day: date,
    at: str,
    minutes: int,
    *,
    kind: str = "meeting",
    room_id: str | None = None,
    repeat: State | None = None,
) -> State:
    return {
        "title": title,
        "kind": kind,
        "private": False,
        "organizer": organizer["person_id"],
        "attendees": {person["person_id"]: "accepted" for person in attendees},
        "start": f"{day.isoformat()}T{at}",
        "minutes": minutes,
        "time_zone": organizer["time_zone"],
        "room_id": room_id,
        "repeat": repeat,
    }


def _try_event(rng: Random, state: State, event: State) -> None:
    """Keep the event if it breaks no rule, and nobody and no room is taken at its time."""
    event = {"event_id": new_event_id(state), **event}
    first, spans = None, []
    for day, span in occurrences(event):
        first = first or day
        spans.append(span)
    if first is None or next(problems_of(state, event), None) is not None:
        return
    whole = Span(spans[0].start, spans[-1].end)
    taken = [span for person_id in event["attendees"] for span, _ in busy(state, person_id, whole)]
    if any(span.overlaps(other) for span in spans for other in taken):
        return
    if event["room_id"] is not None and any(room_taken(state, event["room_id"], span) for span in spans):
        return
    for person_id in event["attendees"]:
        if person_id != event["organizer"]:
            event["attendees"][person_id] = rng.choice(["accepted", "accepted", "accepted", "tentative", "declined"])
    if event["kind"] == "company":
        event["fixed"] = fixed_part(event)
    state["events"][event["event_id"]] = event


def _near(organizer: State, person: State) -> bool:
    return person is not organizer and (person["office"] == organizer["office"] or person["team"] == organizer["team"])


def _weekday(number: int) -> str:
    return ["monday", "tuesday", "wednesday", "thursday", "friday"][number]


def _iso(day: date, later: int) -> str:
    return (day + timedelta(days=later)).isoformat()
