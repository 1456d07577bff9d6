"""When things happen: occurrences of events in UTC, across time zones and changes of the clock.

An event has a local ``start`` (``2026-03-12T09:30``), a ``time_zone``, ``minutes``, and where it recurs a ``repeat``:
``{"every_weeks": 1, "weekdays": ["monday"], "until": "2026-06-30", "except": ["2026-04-06"]}``. A recurring event
keeps its local time when the clocks change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

State = dict[str, Any]

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Span(NamedTuple):
    """From and until, aware datetimes in UTC."""

    start: datetime
    end: datetime

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def to_utc(local: datetime, time_zone: str) -> datetime:
    return local.replace(tzinfo=zone(time_zone)).astimezone(UTC)


def to_local(moment: datetime, time_zone: str) -> datetime:
    """The wall clock's time there, without a zone."""
    return moment.astimezone(zone(time_zone)).replace(tzinfo=None)


def span_on(event: State, day: date) -> Span:
    """The occurrence that starts on ``day`` of the event's own zone."""
    at = datetime.combine(day, datetime.fromisoformat(event["start"]).time())
    start = to_utc(at, event["time_zone"])
    return Span(start, start + timedelta(minutes=event["minutes"]))


def fixed_part(event: State) -> list[Any]:
    """What nobody may change about a company event: when, how long, where and who. Answers may change."""
    start = span_on(event, datetime.fromisoformat(event["start"]).date()).start.isoformat()
    return [start, event["minutes"], event["room_id"], sorted(event["attendees"])]


def days(event: State) -> Iterator[date]:
    """The days, in the event's own zone, on which it takes place."""
    first = datetime.fromisoformat(event["start"]).date()
    repeat = event["repeat"]
    if repeat is None:
        yield first
        return
    weekdays = sorted(WEEKDAYS.index(name) for name in repeat["weekdays"])
    until = date.fromisoformat(repeat["until"])
    monday = first - timedelta(days=first.weekday())
    while monday <= until:
        for weekday in weekdays:
            day = monday + timedelta(days=weekday)
            if first <= day <= until and day.isoformat() not in repeat["except"]:
                yield day
        monday += timedelta(weeks=repeat["every_weeks"])


def occurrences(event: State, window: Span | None = None) -> Iterator[tuple[date, Span]]:
    """Every occurrence, or those that overlap ``window``, in order."""
    if window is not None:
        earliest, latest = window.start.date() - timedelta(days=2), window.end.date() + timedelta(days=2)
    for day in days(event):
        if window is not None and not earliest <= day <= latest:
            continue
        span = span_on(event, day)
        if window is None or span.overlaps(window):
            yield day, span


def working_span(person: State, day: date) -> Span | None:
    """A person's working hours on a day of their own zone; None on Saturday and Sunday."""
    return _hours(person["works_from"], person["works_until"], person["time_zone"], day)


@lru_cache(maxsize=4096)
def _hours(opens: str, closes: str, time_zone: str, day: date) -> Span | None:
    if day.weekday() > 4:
        return None
    start, end = (to_utc(datetime.combine(day, time.fromisoformat(at)), time_zone) for at in (opens, closes))
    return Span(start, end)


def within_working_hours(person: State, span: Span) -> bool:
    hours = working_span(person, to_local(span.start, person["time_zone"]).date())
    return hours is not None and hours.start <= span.start and span.end <= hours.end


def on_leave(state: State, person_id: str, span: Span) -> bool:
    leave = [entry for entry in state["leave"] if entry["person_id"] == person_id]
    if not leave:
        return False
    zone_name = state["people"][person_id]["time_zone"]
    first = to_local(span.start, zone_name).date().isoformat()
    last = to_local(span.end - timedelta(seconds=1), zone_name).date().isoformat()
    return any(entry["from"] <= last and first <= entry["to"] for entry in leave)


def busy(state: State, person_id: str, window: Span, *, but: str | None = None) -> list[tuple[Span, State]]:
    """What a person has accepted or not yet answered in a window, in order; ``but``: without this event."""
    found = [
        (span, event)
        for event in state["events"].values()
        if event["event_id"] != but and event["attendees"].get(person_id, "declined") != "declined"
        for _, span in occurrences(event, window)
    ]
    return sorted(found, key=lambda pair: (pair[0], pair[1]["event_id"]))


def room_taken(state: State, room_id: str, window: Span, *, but: str | None = None) -> State | None:
    """The event that has the room at some time of the window."""
    for event in state["events"].values():
        if (
            event["room_id"] == room_id
            and event["event_id"] != but
            and next(occurrences(event, window), None) is not None
        ):
            found: State = event
            return found
    return None
