"""The shop on one morning: customers, products, and orders of the last months in every stage."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from catalogue import make_products
from people import make_customers

State = dict[str, Any]

CUSTOMERS = 42
SHIPPING_FEE = 6.9
FREE_SHIPPING_FROM = 50


def make_state(rng: Random) -> State:
    now = datetime(2026, 3, 2, 9, 15) + timedelta(days=rng.randrange(60), minutes=rng.randrange(240))
    state: State = {
        "now": now.isoformat(),
        "customers": make_customers(rng, CUSTOMERS),
        "products": make_products(rng),
        "orders": {},
        "returns": {},
        "credits": [],
        "handovers": [],
    }
    for customer in state["customers"].values():
        for _ in range(rng.choice([1, 1, 2, 2, 3])):
            order = _make_order(rng, state, customer, now)
            state["orders"][order["order_id"]] = order
    return state


def _make_order(rng: Random, state: State, customer: State, now: datetime) -> State:
    products = rng.sample(list(state["products"].values()), rng.choice([1, 1, 2, 3]))
    items = [_make_item(rng, product) for product in products]
    worth = round(sum(item["price"] for item in items), 2)
    fee = 0.0 if worth >= FREE_SHIPPING_FROM else SHIPPING_FEE
    status = rng.choices(["pending", "shipped", "delivered", "cancelled"], [30, 15, 50, 5])[0]
    age = {"pending": 1, "shipped": 5, "delivered": rng.randrange(8, 100), "cancelled": 20}[status]
    placed = now - timedelta(days=age, minutes=rng.randrange(600))
    methods = [key for key, method in customer["payment_methods"].items() if method["kind"] != "gift_card"]
    method = rng.choice(methods)
    payments = [{"kind": "charge", "amount": round(worth + fee, 2), "method": method}]
    if status == "cancelled":
        payments.append({"kind": "refund", "amount": round(worth + fee, 2), "method": method})
    delivered = placed + timedelta(days=rng.randrange(3, 8))
    order_id = f"W{rng.randrange(1_000_000, 9_999_999)}"
    while order_id in state["orders"]:
        order_id = f"W{rng.randrange(1_000_000, 9_999_999)}"
    return {
        "order_id": order_id,
        "customer_id": customer["customer_id"],
        "status": status,
        "placed_on": placed.date().isoformat(),
        "delivered_on": delivered.date().isoformat() if status == "delivered" else None,
        "tracking": f"HH{rng.randrange(10**9, 10**10)}" if status in {"shipped", "delivered"} else None,
        "address": dict(customer["address"]),
        "ships_to": customer["address"]["country"],
        "items": items,
        "shipping_fee": fee,
        "payments": payments,
        "item_changes": 0,
        "cancel_reason": "ordered by mistake" if status == "cancelled" else None,
    }


def _make_item(rng: Random, product: State) -> State:
    item_id = rng.choice(list(product["variants"]))
    return ordered_item(product, item_id)


def ordered_item(product: State, item_id: str) -> State:
    """A variant as it stands in an order; it keeps the price it was bought at."""
    variant = product["variants"][item_id]
    return {
        "item_id": item_id,
        "product_id": product["product_id"],
        "name": product["name"],
        "options": dict(variant["options"]),
        "price": variant["price"],
        "final_sale": product["final_sale"],
        "status": "ordered",
    }
