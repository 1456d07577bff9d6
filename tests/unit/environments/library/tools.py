"""A lending desk: small enough to read at a glance, with everything an environment may have."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from random import Random
from typing import Any

from synth.environments import ToolError, invariant, tool

State = dict[str, Any]

_TITLES = ["The Sea Road", "A Grammar of Bees", "Salt and Iron", "Night Trains", "The Glass Orchard", "On Walking"]
_NAMES = ["Amara Nwosu", "Jonas Lindqvist", "Mei Tanaka", "Rosa Quispe", "Tariq Haddad"]


class Condition(StrEnum):
    GOOD = "good"
    DAMAGED = "damaged"


def make_state(rng: Random) -> State:
    books = {
        f"B{number}": {"title": title, "copies": rng.randint(1, 3), "reserved_by": None}
        for number, title in enumerate(_TITLES, 101)
    }
    expired = rng.randrange(len(_NAMES))
    members = {
        f"M{rng.randint(1000, 9999)}{number}": {"name": name, "valid": number != expired, "loans": []}
        for number, name in enumerate(_NAMES)
    }
    return {"books": books, "members": members}


@tool
def find_books(state: State, text: str, limit: int = 10) -> list[dict[str, Any]]:
    """Find books by a part of their title.

    Args:
        text: A part of the title; case does not matter.
        limit: Most books to return.
    """
    found = [{"book_id": key, **book} for key, book in state["books"].items() if text.lower() in book["title"].lower()]
    return found[:limit]


@tool
def get_member(state: State, member_id: str) -> dict[str, Any]:
    """Look up a member: name, whether the card is valid, and the books that are lent to them."""
    return {"member_id": member_id, **_member(state, member_id)}


@tool(writes=True)
def lend_book(state: State, member_id: str, book_id: str) -> dict[str, Any]:
    """Lend one copy of a book to a member."""
    book, member = _book(state, book_id), _member(state, member_id)
    if book["copies"] == 0:
        raise ToolError(f"all copies of {book['title']!r} are lent")
    if book_id in member["loans"]:
        raise ToolError(f"{member['name']} has {book['title']!r} already")
    book["copies"] -= 1
    member["loans"].append(book_id)
    return {"member_id": member_id, "loans": member["loans"]}


@tool(writes=True)
def return_book(state: State, member_id: str, book_id: str, condition: Condition = Condition.GOOD) -> dict[str, Any]:
    """Take a book back.

    Args:
        member_id: Who brings it.
        book_id: Which book.
        condition: In what condition it is; damaged copies are not lent again.
    """
    book, member = _book(state, book_id), _member(state, member_id)
    if book_id not in member["loans"]:
        raise ToolError(f"{member['name']} does not have {book['title']!r}")
    member["loans"].remove(book_id)
    if condition is Condition.GOOD:
        book["copies"] += 1
    return {"member_id": member_id, "loans": member["loans"]}


@invariant
def every_lent_book_exists(state: State) -> Iterator[str]:
    for member in state["members"].values():
        for book_id in member["loans"]:
            if book_id not in state["books"]:
                yield f"{member['name']} has {book_id}"


@invariant
def nobody_without_a_valid_card_has_books(state: State) -> bool:
    return all(member["valid"] or not member["loans"] for member in state["members"].values())


def _book(state: State, book_id: str) -> dict[str, Any]:
    if book_id not in state["books"]:
        raise ToolError(f"there is no book {book_id}; find_books tells the ids")
    found: dict[str, Any] = state["books"][book_id]
    return found


def _member(state: State, member_id: str) -> dict[str, Any]:
    if member_id not in state["members"]:
        raise ToolError(f"there is no member {member_id}")
    found: dict[str, Any] = state["members"][member_id]
    return found
