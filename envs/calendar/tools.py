"""The tools of the calendar assistant.

They hold to what a calendar system holds to (times that exist, rooms that are free, ids that are known). What only the
policy forbids they let pass, and the invariants in ``rules.py`` find it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfoNotFoundError

import times
from times import Span, State
from world import new_event_id

from synth.environments import ToolError, tool

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
City = Literal["Toronto", "São Paulo", "Dublin", "Nairobi", "Pune", "Osaka"]
MOST_DAYS = 31


@dataclass(frozen=True)
class Repeat:
    every_weeks: int
    weekdays: list[Weekday]
    until: date


@tool
def find_people(
    state: State, text: str = "", office: City | None = None, team: str | None = None
) -> list[dict[str, Any]]:
    """Find employees by name, e-mail address, office or team.

    Args:
        text: A part of the name or e-mail address; empty for all.
        office: Only people at this office.
        team: Only this team: optics, firmware, quality, sales, finance or people.

    Returns:
        Person ids with name, role, team, office, time zone and working hours.
    """
    wanted = text.casefold().strip()
    found = [
        person
        for person in state["people"].values()
        if (wanted in person["name"].casefold() or wanted in person["email"])
        and office in (None, person["office"])
        and (team is None or team.casefold() == person["team"])
    ]
    return found[:20]


@tool
def list_rooms(state: State, office: City, min_seats: int = 1, equipment: str | None = None) -> list[dict[str, Any]]:
    """List the meeting rooms of an office.

    Args:
        office: The city of the office.
        min_seats: Only rooms with at least this many seats.
        equipment: Only rooms with this: screen, video or whiteboard.
    """
    return [
        room
        for room in state["rooms"].values()
        if room["office"] == office and room["seats"] >= min_seats and equipment in (None, *room["equipment"])
    ]


@tool
def list_events(state: State, person_id: str, from_date: date, to_date: date) -> list[dict[str, Any]]:
    """List what a person has in their calendar, in their own time zone, leave included; at most 31 days at a time.

    Args:
        person_id: Such as "p48207"; find_people tells it.
        from_date: First day.
        to_date: Last day.
    """
    person = _person(state, person_id)
    window = _window(from_date, to_date, person["time_zone"])
    listed = [
        {
            "event_id": event["event_id"],
            "title": event["title"],
            "kind": event["kind"],
            "private": event["private"],
            "start": _shown(span.start, person["time_zone"]),
            "end": _shown(span.end, person["time_zone"]),
            "organizer": state["people"][event["organizer"]]["name"],
            "recurring": event["repeat"] is not None,
            "answer": event["attendees"][person_id],
        }
        for span, event in times.busy(state, person_id, window)
    ]
    leave = [
        {"leave": entry["kind"], "from": entry["from"], "to": entry["to"]}
        for entry in state["leave"]
        if entry["person_id"] == person_id
        and entry["from"] <= to_date.isoformat()
        and from_date.isoformat() <= entry["to"]
    ]
    return leave + listed


@tool
def get_event(state: State, event_id: str) -> dict[str, Any]:
    """Look up an event: title, organiser, who is invited and what they answered, time, room, recurrence.

    Args:
        event_id: Such as "ev4017".
    """
    event = _event(state, event_id)
    names = {person_id: state["people"][person_id]["name"] for person_id in event["attendees"]}
    return {**event, "names": names, "next_dates": [day.isoformat() for day in list(times.days(event))[:8]]}


@tool
def find_free_times(
    state: State,
    person_ids: list[str],
    from_date: date,
    to_date: date,
    minutes: int,
    room_id: str | None = None,
    time_zone: str = "UTC",
) -> list[dict[str, str]]:
    """Find times within everyone's working hours at which all of them, and a room if one is given, are free.

    Args:
        person_ids: Everyone who has to be there.
        from_date: First day to look at.
        to_date: Last day to look at, at most 31 days later.
        minutes: How long the meeting lasts.
        room_id: A room that has to be free too.
        time_zone: The zone to show the times in, such as "Europe/Dublin".

    Returns:
        Up to 10 possible starts, half hours only, the earliest first.
    """
    people = [_person(state, person_id) for person_id in person_ids]
    if not people:
        raise ToolError("give at least one person id")
    if not 5 <= minutes <= 600:
        raise ToolError("minutes must be between 5 and 600")
    _zone(time_zone)
    window = _window(from_date, to_date, "UTC")
    window = Span(window.start - timedelta(hours=14), window.end + timedelta(hours=14))
    taken = [span for person in people for span, _ in times.busy(state, person["person_id"], window)]
    if room_id is not None:
        _room(state, room_id)
        taken += [
            span
            for event in state["events"].values()
            if event["room_id"] == room_id
            for _, span in times.occurrences(event, window)
        ]
    found: list[dict[str, str]] = []
    day = from_date
    while day <= to_date and len(found) < 10:
        for start in _common_starts(people, day, minutes):
            span = Span(start, start + timedelta(minutes=minutes))
            away = any(times.on_leave(state, person["person_id"], span) for person in people)
            if start >= _now(state) and not away and not any(span.overlaps(other) for other in taken):
                found.append({"start": _shown(start, time_zone), "time_zone": time_zone})
        day += timedelta(days=1)
    return found[:10]


@tool
def check_room(state: State, room_id: str, start: datetime, time_zone: str, minutes: int) -> dict[str, Any]:
    """Say whether a room is free at a time.

    Args:
        room_id: Such as "dub-howth"; list_rooms tells it.
        start: Local date and time, such as "2026-03-12T09:30".
        time_zone: The zone of that time, such as "Europe/Dublin".
        minutes: For how long.
    """
    room = _room(state, room_id)
    if not 5 <= minutes <= 1440:
        raise ToolError("minutes must be between 5 and 1440")
    begin = times.to_utc(_local(start), _zone(time_zone))
    taken = times.room_taken(state, room_id, Span(begin, begin + timedelta(minutes=minutes)))
    return {"room": room["name"], "seats": room["seats"], "free": taken is None}


@tool
def convert_time(state: State, start: datetime, from_zone: str, to_zone: str) -> dict[str, str]:
    """Convert a local date and time to another time zone.

    Args:
        start: Local date and time, such as "2026-03-12T09:30".
        from_zone: Its time zone, such as "Asia/Kolkata".
        to_zone: The time zone to convert to.
    """
    moment = times.to_utc(_local(start), _zone(from_zone))
    return {"time": _shown(moment, _zone(to_zone)), "time_zone": to_zone}


@tool(writes=True)
def create_event(
    state: State,
    title: str,
    organizer_id: str,
    attendee_ids: list[str],
    start: datetime,
    minutes: int,
    time_zone: str,
    room_id: str | None = None,
    repeat: Repeat | None = None,
    private: bool = False,
) -> dict[str, Any]:
    """Create a meeting and invite people.

    Args:
        title: What it is about.
        organizer_id: The person id of the employee you act for.
        attendee_ids: Everyone else who is invited.
        start: Local date and time of the (first) meeting, such as "2026-03-12T09:30".
        minutes: How long it lasts.
        time_zone: The zone of that time, such as "Europe/Dublin".
        room_id: A room to book.
        repeat: For a recurring meeting: every how many weeks, on which weekdays, and until which date.
        private: Show others only that the time is taken.
    """
    people = [_person(state, person_id)["person_id"] for person_id in (organizer_id, *attendee_ids)]
    if not title.strip():
        raise ToolError("the title is empty")
    if not 5 <= minutes <= 1440:
        raise ToolError("minutes must be between 5 and 1440")
    event: State = {
        "event_id": new_event_id(state),
        "title": title.strip(),
        "kind": "meeting",
        "private": private,
        "organizer": organizer_id,
        "attendees": dict.fromkeys(people, "invited") | {organizer_id: "accepted"},
        "start": _local(start).isoformat(timespec="minutes"),
        "minutes": minutes,
        "time_zone": _zone(time_zone),
        "room_id": None,
        "repeat": _repeat(repeat, _local(start).date()),
        "touched": True,
    }
    _refuse_past(state, event)
    _book(state, event, room_id)
    state["events"][event["event_id"]] = event
    state["last_event"] = int(event["event_id"].removeprefix("ev"))
    return _confirmation(state, event)


@tool(writes=True)
def move_event(
    state: State,
    event_id: str,
    start: datetime,
    time_zone: str,
    minutes: int | None = None,
    only_on: date | None = None,
) -> dict[str, Any]:
    """Move an event to another time; a room that is booked moves with it and must be free then.

    Args:
        event_id: Such as "ev4017".
        start: New local date and time, such as "2026-03-12T09:30"; of a recurring event, that of its first date.
        time_zone: The zone of that time.
        minutes: A new length, if it changes.
        only_on: Of a recurring event, move only the meeting of this date; it becomes an event of its own.
    """
    event = _event(state, event_id)
    moved = {
        **event,
        "start": _local(start).isoformat(timespec="minutes"),
        "time_zone": _zone(time_zone),
        "touched": True,
    }
    if minutes is not None:
        if not 5 <= minutes <= 1440:
            raise ToolError("minutes must be between 5 and 1440")
        moved["minutes"] = minutes
    if only_on is not None:
        _skip(event, only_on)
        moved |= {"event_id": new_event_id(state), "repeat": None, "attendees": dict(event["attendees"])}
        state["last_event"] = int(moved["event_id"].removeprefix("ev"))
    elif event["repeat"] is not None:
        moved["repeat"] = _shifted(event, _local(start).date())
    _refuse_past(state, moved)
    moved["room_id"] = None
    _book(state, moved, event["room_id"])
    for person_id in moved["attendees"]:
        if person_id != moved["organizer"]:
            moved["attendees"] = moved["attendees"] | {person_id: "invited"}
    state["events"][moved["event_id"]] = moved
    return _confirmation(state, moved)


@tool(writes=True)
def cancel_event(state: State, event_id: str, only_on: date | None = None) -> dict[str, Any]:
    """Cancel an event, or one date of a recurring one.

    Args:
        event_id: Such as "ev4017".
        only_on: Of a recurring event, cancel only the meeting of this date.
    """
    event = _event(state, event_id)
    if only_on is not None:
        _skip(event, only_on)
        return {"event_id": event_id, "cancelled_on": only_on.isoformat()}
    if event["kind"] == "company":
        state.setdefault("cancelled_company_events", []).append(event["title"])
    del state["events"][event_id]
    state["last_event"] = max(state.get("last_event", 0), int(event_id.removeprefix("ev")))
    return {"event_id": event_id, "cancelled": event["title"]}


@tool(writes=True)
def invite(state: State, event_id: str, person_ids: list[str]) -> dict[str, Any]:
    """Invite further people to an event.

    Args:
        event_id: Such as "ev4017".
        person_ids: Who is invited.
    """
    event = _event(state, event_id)
    for person_id in person_ids:
        _person(state, person_id)
        if person_id in event["attendees"]:
            raise ToolError(f"{person_id} is invited already")
        event["attendees"][person_id] = "invited"
    event["touched"] = True
    return {"event_id": event_id, "attendees": event["attendees"]}


@tool(writes=True)
def uninvite(state: State, event_id: str, person_ids: list[str]) -> dict[str, Any]:
    """Take people off the list of an event's participants.

    Args:
        event_id: Such as "ev4017".
        person_ids: Who is taken off.
    """
    event = _event(state, event_id)
    for person_id in person_ids:
        if person_id not in event["attendees"]:
            raise ToolError(f"{person_id} is not invited")
        del event["attendees"][person_id]
    return {"event_id": event_id, "attendees": event["attendees"]}


@tool(writes=True)
def answer_invitation(
    state: State, event_id: str, person_id: str, answer: Literal["accepted", "tentative", "declined"]
) -> dict[str, Any]:
    """Answer an invitation for the employee you act for.

    Args:
        event_id: Such as "ev4017".
        person_id: The employee.
        answer: Their answer.
    """
    event = _event(state, event_id)
    if person_id not in event["attendees"]:
        raise ToolError(f"{_person(state, person_id)['name']} is not invited to {event_id}")
    event["attendees"][person_id] = answer
    return {"event_id": event_id, "answer": answer}


@tool(writes=True)
def set_room(state: State, event_id: str, room_id: str | None) -> dict[str, Any]:
    """Book a room for an event, in place of the one it has; null gives the room back.

    Args:
        event_id: Such as "ev4017".
        room_id: Such as "dub-howth", or null.
    """
    event = _event(state, event_id)
    event["room_id"] = None
    _book(state, event, room_id)
    return {"event_id": event_id, "room_id": room_id}


def _common_starts(people: list[State], day: date, minutes: int) -> list[datetime]:
    """Half hours of a day in UTC at which everyone is at work for long enough."""
    spans = []
    for person in people:
        nearby = [times.working_span(person, day + timedelta(days=shift)) for shift in (-1, 0, 1)]
        spans.append([span for span in nearby if span is not None])
    starts = []
    start = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
    for _ in range(48):
        end = start + timedelta(minutes=minutes)
        if all(any(span.start <= start and end <= span.end for span in hours) for hours in spans):
            starts.append(start)
        start += timedelta(minutes=30)
    return starts


def _book(state: State, event: State, room_id: str | None) -> None:
    if room_id is None:
        return
    _room(state, room_id)
    for day, span in times.occurrences(event):
        taken = times.room_taken(state, room_id, span, but=event["event_id"])
        if taken is not None:
            what = "a private event" if taken["private"] else repr(taken["title"])
            raise ToolError(f"room {room_id} is taken by {what} on {day.isoformat()} at that time")
    event["room_id"] = room_id


def _skip(event: State, day: date) -> None:
    if event["repeat"] is None:
        raise ToolError(f"{event['event_id']} is not recurring: leave only_on out")
    if day not in set(times.days(event)):
        raise ToolError(f"{event['event_id']} does not take place on {day.isoformat()}")
    event["repeat"]["except"].append(day.isoformat())


def _shifted(event: State, first: date) -> State:
    """The recurrence from a new first date on: another weekday, as many days as before."""
    old = event["repeat"]
    before = datetime.fromisoformat(event["start"]).date()
    weekdays = old["weekdays"] if len(old["weekdays"]) > 1 else [times.WEEKDAYS[first.weekday()]]
    until = date.fromisoformat(old["until"]) + (first - before)
    return {**old, "weekdays": weekdays, "until": until.isoformat(), "except": []}


def _repeat(repeat: Repeat | None, first: date) -> State | None:
    if repeat is None:
        return None
    if not 1 <= repeat.every_weeks <= 52:
        raise ToolError("every_weeks must be between 1 and 52")
    if not repeat.weekdays:
        raise ToolError("weekdays is empty")
    if times.WEEKDAYS[first.weekday()] not in repeat.weekdays:
        raise ToolError(f"the first meeting is on a {times.WEEKDAYS[first.weekday()]}, which is none of the weekdays")
    if not first <= repeat.until <= first + timedelta(days=5 * 366):
        raise ToolError("until must lie after the first meeting, and within five years")
    return {
        "every_weeks": repeat.every_weeks,
        "weekdays": [str(day) for day in repeat.weekdays],
        "until": repeat.until.isoformat(),
        "except": [],
    }


def _confirmation(state: State, event: State) -> dict[str, Any]:
    """The event, and its first time as each participant's clock shows it."""
    day = next(times.days(event), None)
    local = {}
    if day is not None:
        span = times.span_on(event, day)
        local = {
            state["people"][person_id]["name"]: _shown(span.start, state["people"][person_id]["time_zone"])
            for person_id in event["attendees"]
        }
    return {"event_id": event["event_id"], "room_id": event["room_id"], "local_times": local}


def _window(from_date: date, to_date: date, time_zone: str) -> Span:
    if not timedelta(0) <= to_date - from_date <= timedelta(days=MOST_DAYS):
        raise ToolError(f"to_date must lie 0 to {MOST_DAYS} days after from_date")
    if not 2000 <= from_date.year <= 2100:
        raise ToolError("from_date must lie between the years 2000 and 2100")
    begin, end = (datetime.combine(day, datetime.min.time()) for day in (from_date, to_date + timedelta(days=1)))
    return Span(times.to_utc(begin, time_zone), times.to_utc(end, time_zone))


def _refuse_past(state: State, event: State) -> None:
    first = times.span_on(event, datetime.fromisoformat(event["start"]).date())
    if first.start < _now(state):
        raise ToolError(f"{event['start']} is in the past; it is {state['now']} now")


def _now(state: State) -> datetime:
    return datetime.fromisoformat(state["now"])


def _local(start: datetime) -> datetime:
    if start.tzinfo is not None:
        raise ToolError("start is a local time without an offset; name the zone in time_zone")
    if not 2000 <= start.year <= 2100:
        raise ToolError("start must lie between the years 2000 and 2100")
    return start.replace(second=0, microsecond=0)


def _shown(moment: datetime, time_zone: str) -> str:
    return times.to_local(moment, time_zone).isoformat(timespec="minutes")


def _zone(name: str) -> str:
    try:
        times.zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ToolError(f"there is no time zone {name!r}; names look like 'Europe/Dublin'") from error
    return name


def _person(state: State, person_id: str) -> State:
    if person_id not in state["people"]:
        raise ToolError(f"there is no person {person_id!r}; find_people tells the ids")
    found: State = state["people"][person_id]
    return found


def _room(state: State, room_id: str) -> State:
    if room_id not in state["rooms"]:
        raise ToolError(f"there is no room {room_id!r}; list_rooms tells the ids")
    found: State = state["rooms"][room_id]
    return found


def _event(state: State, event_id: str) -> State:
    if event_id not in state["events"]:
        raise ToolError(f"there is no event {event_id!r}; list_events tells the ids")
    found: State = state["events"][event_id]
    return found
