"""The worlds that come with synth: fit for use, full enough, and their invariants find what the policy forbids."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from synth.environments.check import check_environment
from synth.environments.environment import Environment
from synth.environments.spec import find_environment, load_environment
from synth.environments.vocabulary import ToolResult
from synth.environments.world import open_environment
from synth.messages import Json
from synth.shipped import shipped

NAMES = sorted(path.parent.name for path in shipped("envs").glob("*/env.yaml"))


@asynccontextmanager
async def started(name: str, seed: int = 3) -> AsyncIterator[Environment]:
    spec = load_environment(find_environment(name, Path("/")))
    async with open_environment(spec) as world, world.start(seed, faults={}) as environment:
        yield environment


async def call(environment: Environment, tool: str, **arguments: Any) -> ToolResult:
    result = await environment.call(tool, orjson.dumps(arguments).decode())
    assert not result.error, result.content
    return result


def test_three_worlds_are_shipped() -> None:
    assert NAMES == ["calendar", "filesystem_sql", "retail"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_shipped_world_is_fit_for_use(name: str) -> None:
    check = await check_environment(load_environment(find_environment(name, Path("/"))), calls=150)
    assert check.problems == []
    assert not [note for note in check.notes if "never" not in note]
    assert check.calls == 150
    assert sum(count.succeeded for count in check.tools.values()) > 45
    assert sum(count.wrote for count in check.tools.values()) > 8


@pytest.mark.parametrize("name", NAMES)
async def test_a_shipped_world_is_full(name: str) -> None:
    async with started(name) as environment:
        state = await environment.state()
        tools = environment.tools()
        assert len(tools) >= 10
        assert sum(environment.writes(tool.name) for tool in tools) >= 5
        assert sum(not environment.writes(tool.name) for tool in tools) >= 5
        assert len(environment.policy) > 800
        assert sum(len(value) for value in state.values() if isinstance(value, dict | list)) >= 50
        # What is not ASCII is there: names and places come from many languages.
        assert any(ord(letter) > 127 for letter in orjson.dumps(state).decode())


Action = Callable[[Environment, Json], Awaitable[object]]
WRONG: list[tuple[str, str, Action]] = []


def breaks(name: str, invariant: str) -> Callable[[Action], Action]:
    def add(action: Action) -> Action:
        WRONG.append((name, invariant, action))
        return action

    return add


def _order(state: Json, status: str, **wanted: Any) -> Json:
    for order in state["orders"].values():
        tier = state["customers"][order["customer_id"]]["tier"]
        days = _days(order["delivered_on"], state["now"]) if order["delivered_on"] else -1
        if order["status"] != status or ("tier" in wanted and tier != wanted["tier"]):
            continue
        if "most_days" in wanted and days > wanted["most_days"]:
            continue
        if "least_days" in wanted and days < wanted["least_days"]:
            continue
        if "final_sale" in wanted and any(item["final_sale"] for item in order["items"]) != wanted["final_sale"]:
            continue
        found: Json = order
        return found
    pytest.fail(f"no order that is {status} and {wanted}")


def _days(first: str, last: str) -> int:
    from datetime import date

    return (date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days


@breaks("retail", "orders are cancelled only when no longer needed or ordered by mistake")
async def _(environment: Environment, state: Json) -> None:
    await call(environment, "cancel_order", order_id=_order(state, "pending")["order_id"], reason="other")


@breaks("retail", "pending orders stay in their country")
async def _(environment: Environment, state: Json) -> None:
    order = _order(state, "pending")
    address = {"line1": "1 Rue Verte", "city": "Dakar", "postal_code": "11000", "country": "Senegal"}
    await call(environment, "change_order_address", order_id=order["order_id"], **address)


@breaks("retail", "final sale items cannot be returned or exchanged")
async def _(environment: Environment, state: Json) -> None:
    order = _order(state, "delivered", final_sale=True)
    item = next(item for item in order["items"] if item["final_sale"])
    method = order["payments"][0]["method"]
    await call(
        environment,
        "return_items",
        order_id=order["order_id"],
        item_ids=[item["item_id"]],
        payment_method_id=method,
    )


@breaks("retail", "items come back within the return period")
async def _(environment: Environment, state: Json) -> None:
    order = _order(state, "delivered", least_days=61, final_sale=False)
    arguments = {"item_ids": [order["items"][0]["item_id"]], "payment_method_id": order["payments"][0]["method"]}
    await call(environment, "return_items", order_id=order["order_id"], **arguments)


@breaks("retail", "refunds go to a method the order was paid with or a gift card")
async def _(environment: Environment, state: Json) -> None:
    for order in state["orders"].values():
        methods = state["customers"][order["customer_id"]]["payment_methods"]
        used = {payment["method"] for payment in order["payments"]}
        other = [key for key, method in methods.items() if key not in used and method["kind"] != "gift_card"]
        if order["status"] == "delivered" and other:
            item_ids = [order["items"][0]["item_id"]]
            arguments = {"item_ids": item_ids, "payment_method_id": other[0]}
            await call(environment, "return_items", order_id=order["order_id"], **arguments)
            return
    pytest.fail("nobody with two ways to pay")


@breaks("retail", "items are swapped for another variant of the same product")
async def _(environment: Environment, state: Json) -> None:
    order = _order(state, "delivered", most_days=25, final_sale=False)
    item = order["items"][0]
    other = next(
        key
        for product in state["products"].values()
        if product["product_id"] != item["product_id"]
        for key, variant in product["variants"].items()
        if variant["stock"] > 0
    )
    method = next(key for key in state["customers"][order["customer_id"]]["payment_methods"] if key.startswith("card"))
    await call(
        environment,
        "exchange_items",
        order_id=order["order_id"],
        item_ids=[item["item_id"]],
        new_item_ids=[other],
        payment_method_id=method,
    )


@breaks("retail", "store credit is small and given once for a delivered order")
async def _(environment: Environment, state: Json) -> None:
    order = _order(state, "delivered")
    await call(environment, "give_store_credit", order_id=order["order_id"], amount=40, reason="late")


@breaks("retail", "store credit is small and given once for a delivered order")
async def _(environment: Environment, state: Json) -> None:
    order = _order(state, "delivered")
    for _ in range(2):
        await call(environment, "give_store_credit", order_id=order["order_id"], amount=10, reason="late")


def _meeting(state: Json, *, kind: str = "meeting") -> Json:
    found: Json = next(event for event in state["events"].values() if event["kind"] == kind and event["repeat"] is None)
    return found


def _next_week(state: Json, weekday: int) -> str:
    from datetime import date, timedelta

    return (date.fromisoformat(state["now"][:10]) + timedelta(days=21 + weekday)).isoformat()


@breaks("calendar", "company events are fixed")
async def _(environment: Environment, state: Json) -> None:
    event = _meeting(state, kind="company")
    arguments = {"start": f"{_next_week(state, 1)}T11:00", "time_zone": event["time_zone"]}
    await call(environment, "move_event", event_id=event["event_id"], **arguments)


@breaks("calendar", "company events are fixed")
async def _(environment: Environment, state: Json) -> None:  # longer, at its old time
    event = _meeting(state, kind="company")
    arguments = {"start": event["start"], "time_zone": event["time_zone"], "minutes": event["minutes"] + 15}
    await call(environment, "move_event", event_id=event["event_id"], **arguments)


@breaks("calendar", "company events are fixed")
async def _(environment: Environment, state: Json) -> None:
    event = _meeting(state, kind="company")
    guest = next(person for person in event["attendees"] if person != event["organizer"])
    await call(environment, "uninvite", event_id=event["event_id"], person_ids=[guest])


@breaks("calendar", "company events are fixed")
async def _(environment: Environment, state: Json) -> None:
    await call(environment, "cancel_event", event_id=_meeting(state, kind="company")["event_id"])


@breaks("calendar", "meetings are within working hours")
async def _(environment: Environment, state: Json) -> None:  # on a Saturday
    event = _meeting(state)
    arguments = {"start": f"{_next_week(state, 5)}T11:00", "time_zone": event["time_zone"]}
    await call(environment, "move_event", event_id=event["event_id"], **arguments)


async def _create(environment: Environment, state: Json, **arguments: Any) -> None:
    organizer = next(iter(state["people"].values()))
    given = {
        "title": "Plans",
        "organizer_id": organizer["person_id"],
        "attendee_ids": [],
        "start": f"{_next_week(state, 1)}T{organizer['works_from']}",
        "minutes": 30,
        "time_zone": organizer["time_zone"],
    }
    await call(environment, "create_event", **{**given, **arguments})


@breaks("calendar", "meetings have a sensible length")
async def _(environment: Environment, state: Json) -> None:
    await _create(environment, state, minutes=300)


@breaks("calendar", "recurring meetings end in time")
async def _(environment: Environment, state: Json) -> None:
    day = _next_week(state, 1)
    until = f"{int(day[:4]) + 1}{day[4:]}"
    await _create(environment, state, repeat={"every_weeks": 1, "weekdays": ["tuesday"], "until": until})


@breaks("calendar", "rooms hold who is invited")
async def _(environment: Environment, state: Json) -> None:  # more people than seats
    room = min(state["rooms"].values(), key=lambda room: room["seats"])
    there = [key for key, person in state["people"].items() if person["office"] == room["office"]]
    await _create(
        environment,
        state,
        organizer_id=there[0],
        attendee_ids=there[1:],
        room_id=room["room_id"],
        time_zone=room["time_zone"],
        start=f"{_next_week(state, 1)}T12:00",
    )


@breaks("calendar", "nobody on leave is invited")
async def _(environment: Environment, state: Json) -> None:  # on leave
    leave = max(state["leave"], key=lambda entry: str(entry["to"]))
    person = state["people"][leave["person_id"]]
    start = f"{leave['to']}T{person['works_from']}"
    await _create(environment, state, organizer_id=person["person_id"], start=start, time_zone=person["time_zone"])


@breaks("calendar", "focus time of others is not overbooked")
async def _(environment: Environment, state: Json) -> None:
    block = next(event for event in state["events"].values() if event["kind"] == "focus")
    organizer = next(key for key in state["people"] if key != block["organizer"])
    day = _next_week(
        state, ["monday", "tuesday", "wednesday", "thursday", "friday"].index(block["repeat"]["weekdays"][0])
    )
    await _create(
        environment,
        state,
        organizer_id=organizer,
        attendee_ids=[block["organizer"]],
        start=f"{day}T{block['start'][11:]}",
        time_zone=block["time_zone"],
    )


@breaks("calendar", "organisers take part")
async def _(environment: Environment, state: Json) -> None:
    event = _meeting(state)
    await call(environment, "uninvite", event_id=event["event_id"], person_ids=[event["organizer"]])


@breaks("filesystem_sql", "closed folders are untouched")
async def _(environment: Environment, state: Json) -> None:
    path = next(path for path in state["files"] if path.startswith("/project/contracts"))
    await call(environment, "append_to_file", path=path, text="Agreed.")


@breaks("filesystem_sql", "audited months are untouched")
async def _(environment: Environment, state: Json) -> None:
    sql = f"UPDATE ledger SET amount = 1 WHERE month = '{state['closed_month']}' AND account = 'fuel'"
    await call(environment, "change_rows", sql=sql)


@breaks("filesystem_sql", "only scratch files are deleted")
async def _(environment: Environment, state: Json) -> None:
    path = next(path for path in state["files"] if path.startswith("/project/notes"))
    await call(environment, "delete_file", path=path)


@breaks("filesystem_sql", "finished reports are not overwritten")
async def _(environment: Environment, state: Json) -> None:
    await call(environment, "append_to_file", path="/project/reports/fleet-overview.md", text="Seven, soon.")


@breaks("filesystem_sql", "no passenger address is in a file")
async def _(environment: Environment, state: Json) -> None:
    path = "/project/reports/passengers.csv"
    await call(environment, "export_query", sql="SELECT passenger, email FROM bookings", path=path)


@breaks("filesystem_sql", "changes are small")
async def _(environment: Environment, state: Json) -> None:
    await call(environment, "change_rows", sql="UPDATE bookings SET paid = paid + 1")


@breaks("filesystem_sql", "no sailing is overbooked")
async def _(environment: Environment, state: Json) -> None:
    sql = "UPDATE bookings SET seats = 500 WHERE id = (SELECT MIN(id) FROM bookings WHERE status = 'confirmed')"
    await call(environment, "change_rows", sql=sql)


@breaks("filesystem_sql", "no sailing is overbooked")
async def _(environment: Environment, state: Json) -> None:
    sql = (
        "UPDATE sailings SET status = 'cancelled' "
        "WHERE id = (SELECT MIN(sailing_id) FROM bookings WHERE status = 'confirmed')"
    )
    await call(environment, "change_rows", sql=sql)


@breaks("filesystem_sql", "master rows are kept")
async def _(environment: Environment, state: Json) -> None:
    await call(environment, "change_rows", sql="DELETE FROM bookings WHERE id = 1001")


@breaks("filesystem_sql", "references hold")
async def _(environment: Environment, state: Json) -> None:
    await call(environment, "change_rows", sql="UPDATE sailings SET vessel_id = 77 WHERE id = 1")


@pytest.mark.parametrize(("name", "invariant", "action"), WRONG)
async def test_a_wrong_action_breaks_its_invariant(name: str, invariant: str, action: Action) -> None:
    async with started(name) as environment:
        await action(environment, await environment.state())
        broken = {violation.partition(":")[0] for violation in await environment.violations()}
        assert invariant in broken
        assert await environment.replay() == []


@pytest.mark.parametrize("name", NAMES)
def test_each_world_has_five_invariants_that_wrong_actions_break(name: str) -> None:
    assert len({invariant for world, invariant, _ in WRONG if world == name}) >= 5
