"""What must hold after every conversation: the books balance, and the policy was kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from synth.environments import invariant

State = dict[str, Any]

RETURN_DAYS = {"standard": 30, "plus": 60}
MOST_CREDIT = 25


@invariant
def money_and_goods_match(state: State) -> Iterator[str]:
    for order in state["orders"].values():
        goods = 0.0 if order["status"] == "cancelled" else order["shipping_fee"]
        if order["status"] != "cancelled":
            goods += sum(item["price"] for item in kept(order))
        if abs(net_paid(order) - goods) > 0.005:
            yield f"order {order['order_id']} has {net_paid(order):.2f} paid for {goods:.2f}"


@invariant
def nothing_is_below_zero(state: State) -> Iterator[str]:
    for product in state["products"].values():
        for item_id, variant in product["variants"].items():
            if variant["stock"] < 0:
                yield f"stock of {item_id}"
    for customer in state["customers"].values():
        for method_id, method in customer["payment_methods"].items():
            if method.get("balance", 0) < 0:
                yield f"balance of {method_id}"


@invariant
def orders_are_cancelled_only_when_no_longer_needed_or_ordered_by_mistake(state: State) -> Iterator[str]:
    for order in state["orders"].values():
        if order["status"] == "cancelled" and order["cancel_reason"] not in {"no longer needed", "ordered by mistake"}:
            yield f"order {order['order_id']}"


@invariant
def pending_orders_stay_in_their_country(state: State) -> Iterator[str]:
    """The account may have moved; what was ordered has not, so an order's first country is kept beside it."""
    for order in state["orders"].values():
        if order["address"]["country"].casefold() != order["ships_to"].casefold():
            yield f"order {order['order_id']} was to go to {order['ships_to']}, not {order['address']['country']}"


@invariant
def final_sale_items_cannot_be_returned_or_exchanged(state: State) -> Iterator[str]:
    for order in state["orders"].values():
        for item in order["items"]:
            if item["final_sale"] and item["status"] in {"returned", "exchanged"}:
                yield f"{item['name']} of order {order['order_id']}"


@invariant
def items_come_back_within_the_return_period(state: State) -> Iterator[str]:
    for made in state["returns"].values():
        order = state["orders"][made["order_id"]]
        days = (date.fromisoformat(made["requested_on"]) - date.fromisoformat(order["delivered_on"])).days
        allowed = RETURN_DAYS[state["customers"][order["customer_id"]]["tier"]]
        if days > allowed:
            yield f"{made['return_id']} came {days} days after delivery, {allowed} are allowed"


@invariant
def refunds_go_to_a_method_the_order_was_paid_with_or_a_gift_card(state: State) -> Iterator[str]:
    for made in state["returns"].values():
        if made["kind"] != "return":
            continue
        order = state["orders"][made["order_id"]]
        used = {payment["method"] for payment in order["payments"] if payment["kind"] == "charge"}
        method = state["customers"][order["customer_id"]]["payment_methods"][made["payment_method"]]
        if made["payment_method"] not in used and method["kind"] != "gift_card":
            yield f"{made['return_id']} was refunded to {made['payment_method']}"


@invariant
def items_are_swapped_for_another_variant_of_the_same_product(state: State) -> Iterator[str]:
    for order in state["orders"].values():
        products = {item["item_id"]: item["product_id"] for item in order["items"]}
        for item in order["items"]:
            if "instead_of" in item and products[item["instead_of"]] != item["product_id"]:
                yield f"{item['name']} in order {order['order_id']}"


@invariant
def store_credit_is_small_and_given_once_for_a_delivered_order(state: State) -> Iterator[str]:
    seen = set()
    for credit in state["credits"]:
        if credit["amount"] > MOST_CREDIT:
            yield f"{credit['amount']:.2f} dollars for order {credit['order_id']}"
        if credit["order_id"] in seen:
            yield f"a second gesture for order {credit['order_id']}"
        if state["orders"][credit["order_id"]]["status"] != "delivered":
            yield f"order {credit['order_id']} is not delivered"
        seen.add(credit["order_id"])


def kept(order: State) -> list[dict[str, Any]]:
    """The items that the customer has or is going to have."""
    return [item for item in order["items"] if item["status"] == "ordered"]


def paid_by_method(order: State) -> dict[str, float]:
    paid: dict[str, float] = {}
    for payment in order["payments"]:
        sign = 1 if payment["kind"] == "charge" else -1
        paid[payment["method"]] = round(paid.get(payment["method"], 0.0) + sign * payment["amount"], 2)
    return paid


def net_paid(order: State) -> float:
    return round(sum(paid_by_method(order).values()), 2)
