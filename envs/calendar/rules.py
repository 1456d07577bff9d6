"""What must hold after every conversation: the calendars fit together, and the policy was kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from times import fixed_part, occurrences, on_leave, within_working_hours

from synth.environments import invariant

State = dict[str, Any]

MOST_WEEKS = 26


@invariant
def meetings_have_a_sensible_length(state: State) -> Iterator[str]:
    yield from _of_all(state, length_problems)


@invariant
def recurring_meetings_end_in_time(state: State) -> Iterator[str]:
    yield from _of_all(state, recurrence_problems)


@invariant
def rooms_hold_who_is_invited(state: State) -> Iterator[str]:
    yield from _of_all(state, room_problems)


@invariant
def meetings_are_within_working_hours(state: State) -> Iterator[str]:
    yield from _of_all(state, hours_problems)


@invariant
def nobody_on_leave_is_invited(state: State) -> Iterator[str]:
    yield from _of_all(state, leave_problems)


@invariant
def no_room_is_booked_twice(state: State) -> Iterator[str]:
    booked: dict[str, list[Any]] = {}
    for event in state["events"].values():
        if event["room_id"] is not None:
            booked.setdefault(event["room_id"], []).extend(
                (span.start, span.end, event["event_id"]) for _, span in occurrences(event)
            )
    for room_id, spans in booked.items():
        spans.sort()
        for (_, end, first), (start, _, second) in pairwise(spans):
            if start < end and first != second:
                yield f"{room_id} by {first} and {second} on {start.date()}"


@invariant
def company_events_are_fixed(state: State) -> Iterator[str]:
    for event in state["events"].values():
        if event["kind"] == "company" and fixed_part(event) != event["fixed"]:
            yield f"{event['title']} was changed"
    for title in state.get("cancelled_company_events", []):
        yield f"{title} was cancelled"


@invariant
def focus_time_of_others_is_not_overbooked(state: State) -> Iterator[str]:
    """Only events made or moved in this conversation are looked at: they carry ``touched``."""
    focus = [event for event in state["events"].values() if event["kind"] == "focus"]
    for event in state["events"].values():
        if not event.get("touched"):
            continue
        spans = [span for _, span in occurrences(event)]
        for block in focus:
            owner = block["organizer"]
            if owner == event["organizer"] or event["attendees"].get(owner, "declined") == "declined":
                continue
            if any(span.overlaps(other) for span in spans for _, other in occurrences(block)):
                yield f"{event['title']} lies on focus time of {state['people'][owner]['name']}"


@invariant
def organisers_take_part(state: State) -> Iterator[str]:
    for event in state["events"].values():
        if event["organizer"] not in event["attendees"]:
            yield event["event_id"]


def problems_of(state: State, event: State) -> Iterator[str]:
    """What the policy has against an event as it stands."""
    for rule in (length_problems, recurrence_problems, room_problems, hours_problems, leave_problems):
        yield from rule(state, event)


def length_problems(state: State, event: State) -> Iterator[str]:
    if not 15 <= event["minutes"] <= 240:
        yield f"{_name(event)} lasts {event['minutes']} minutes"


def recurrence_problems(state: State, event: State) -> Iterator[str]:
    first = datetime.fromisoformat(event["start"]).date()
    repeat = event["repeat"]
    if repeat is not None and date.fromisoformat(repeat["until"]) > first + timedelta(weeks=MOST_WEEKS):
        yield f"{_name(event)} recurs for more than {MOST_WEEKS} weeks"


def room_problems(state: State, event: State) -> Iterator[str]:
    if event["room_id"] is None:
        return
    room = state["rooms"][event["room_id"]]
    there = sum(state["people"][person_id]["office"] == room["office"] for person_id in event["attendees"])
    if there > room["seats"]:
        yield f"{_name(event)} has {there} people in {room['name']}, which holds {room['seats']}"


def hours_problems(state: State, event: State) -> Iterator[str]:
    spans = [span for _, span in occurrences(event)]
    for person in _expected(state, event):
        outside = next((span for span in spans if not within_working_hours(person, span)), None)
        if outside is not None:
            yield f"{_name(event)} on {outside.start.date()} is outside the working hours of {person['name']}"


def leave_problems(state: State, event: State) -> Iterator[str]:
    if event["repeat"] is not None or event["kind"] == "company":
        return
    for person in _expected(state, event):
        for day, span in occurrences(event):
            if on_leave(state, person["person_id"], span):
                yield f"{_name(event)}: {person['name']} is on leave on {day}"


def _of_all(state: State, rule: Callable[[State, State], Iterator[str]]) -> Iterator[str]:
    for event in state["events"].values():
        yield from rule(state, event)


def _expected(state: State, event: State) -> Iterator[State]:
    """Those who have not declined."""
    for person_id, answer in event["attendees"].items():
        if answer != "declined":
            yield state["people"][person_id]


def _name(event: State) -> str:
    return f"{event['title']} ({event['event_id']})"
