"""The tools of the shop's service desk.

They hold to what a shop's systems hold to (an order that is shipped cannot be cancelled, a gift card cannot be
overdrawn). What only the policy forbids they let pass, and the invariants in ``rules.py`` find it.
"""

from __future__ import annotations

from typing import Any, Literal

import rules
from world import State, ordered_item

from synth.environments import ToolError, tool

Category = Literal["lighting", "kitchen", "textiles", "outdoor", "clothing", "desk", "hobby", "garden"]
Status = Literal["pending", "shipped", "delivered", "cancelled"]


@tool
def find_customer(
    state: State,
    email: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    postal_code: str | None = None,
) -> dict[str, str]:
    """Find a customer by e-mail address, or by first name, last name and postal code together.

    Args:
        email: The e-mail address of the account.
        first_name: First name, as in the account.
        last_name: Last name, as in the account.
        postal_code: Postal code of the account's address.

    Returns:
        The customer's id and name.
    """
    if email is None and None in (first_name, last_name, postal_code):
        raise ToolError("give an e-mail address, or first name, last name and postal code together")
    for customer in state["customers"].values():
        by_mail = email is not None and customer["email"].casefold() == email.strip().casefold()
        by_name = email is None and (
            _same(customer["first_name"], first_name)
            and _same(customer["last_name"], last_name)
            and _same(customer["address"]["postal_code"], postal_code)
        )
        if by_mail or by_name:
            return {key: customer[key] for key in ("customer_id", "first_name", "last_name")}
    raise ToolError("no customer found with these details")


@tool
def get_customer(state: State, customer_id: str) -> dict[str, Any]:
    """Look up a customer's account: tier, address, payment methods with gift card balances, and order ids.

    Args:
        customer_id: Such as "cus_482193".
    """
    customer = _customer(state, customer_id)
    orders = [key for key, order in state["orders"].items() if order["customer_id"] == customer_id]
    return {**customer, "order_ids": orders}


@tool
def list_orders(state: State, customer_id: str, status: Status | None = None) -> list[dict[str, Any]]:
    """List a customer's orders, newest first: id, status, dates, items by name, and what was paid.

    Args:
        customer_id: Such as "cus_482193".
        status: Only orders in this status.
    """
    _customer(state, customer_id)
    orders = [
        order
        for order in state["orders"].values()
        if order["customer_id"] == customer_id and status in (None, order["status"])
    ]
    return [
        {
            "order_id": order["order_id"],
            "status": order["status"],
            "placed_on": order["placed_on"],
            "delivered_on": order["delivered_on"],
            "items": [item["name"] for item in order["items"]],
            "paid": rules.net_paid(order),
        }
        for order in sorted(orders, key=lambda order: (order["placed_on"], order["order_id"]), reverse=True)
    ]


@tool
def get_order(state: State, order_id: str) -> dict[str, Any]:
    """Look up an order in full: status, dates, address, items with options and prices, payments, returns.

    Args:
        order_id: Such as "W2378156".
    """
    order = _order(state, order_id)
    returns = [made for made in state["returns"].values() if made["order_id"] == order["order_id"]]
    return {**order, "returns": returns, "today": state["now"][:10]}


@tool
def search_products(
    state: State, text: str = "", category: Category | None = None, max_price: float | None = None
) -> list[dict[str, Any]]:
    """Search the shop's products by a word of their name, a category or a price.

    Args:
        text: A word or part of the name; empty for all.
        category: Only products of this category.
        max_price: Only products with a variant that costs at most this many dollars.

    Returns:
        Product ids with name, category, lowest price, and whether any variant is in stock.
    """
    found = []
    for product in state["products"].values():
        prices = [variant["price"] for variant in product["variants"].values()]
        if text.casefold() not in product["name"].casefold() or category not in (None, product["category"]):
            continue
        if max_price is not None and min(prices) > max_price:
            continue
        found.append(
            {
                "product_id": product["product_id"],
                "name": product["name"],
                "category": product["category"],
                "price_from": min(prices),
                "in_stock": any(variant["stock"] for variant in product["variants"].values()),
            }
        )
    return found


@tool
def get_product(state: State, product_id: str) -> dict[str, Any]:
    """Look up a product with all its variants: item id, options, price and stock.

    Args:
        product_id: Such as "P4821"; search_products and get_order tell it.
    """
    return _product(state, product_id)


@tool(writes=True)
def cancel_order(
    state: State, order_id: str, reason: Literal["no longer needed", "ordered by mistake", "other"]
) -> dict[str, Any]:
    """Cancel a pending order. Everything paid, the shipping fee included, goes back to where it came from.

    Args:
        order_id: Such as "W2378156".
        reason: Why the customer cancels.
    """
    order = _order(state, order_id, "pending")
    for method, amount in rules.paid_by_method(order).items():
        if amount > 0:
            _refund(state, order, amount, method)
    for item in order["items"]:
        _restock(state, item)
    order["status"] = "cancelled"
    order["cancel_reason"] = reason
    return {"order_id": order["order_id"], "status": "cancelled", "payments": order["payments"]}


@tool(writes=True)
def change_order_address(
    state: State,
    order_id: str,
    line1: str,
    city: str,
    postal_code: str,
    country: str,
    line2: str = "",
    region: str = "",
) -> dict[str, Any]:
    """Send a pending order to another address.

    Args:
        order_id: Such as "W2378156".
        line1: Street and number.
        city: City or town.
        postal_code: Postal code.
        country: Country, in English.
        line2: Apartment or floor.
        region: State, province or county.
    """
    order = _order(state, order_id, "pending")
    order["address"] = _address(line1, line2, city, region, postal_code, country)
    return {"order_id": order["order_id"], "address": order["address"]}


@tool(writes=True)
def change_order_items(
    state: State, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
) -> dict[str, Any]:
    """Replace items of a pending order. This can be done once for an order, so ask for all changes first.

    Args:
        order_id: Such as "W2378156".
        item_ids: Item ids in the order that are to be replaced.
        new_item_ids: Item ids that replace them, in the same order.
        payment_method_id: Where a price difference is charged, or paid back to.
    """
    order = _order(state, order_id, "pending")
    if order["item_changes"]:
        raise ToolError(f"the items of order {order['order_id']} have been changed before; that can be done only once")
    difference = _replace(state, order, item_ids, new_item_ids, payment_method_id, "replaced")
    order["item_changes"] += 1
    return {"order_id": order["order_id"], "price_difference": difference, "items": rules.kept(order)}


@tool(writes=True)
def change_order_payment(state: State, order_id: str, payment_method_id: str) -> dict[str, Any]:
    """Charge a pending order to another payment method of the customer; the earlier charge is paid back.

    Args:
        order_id: Such as "W2378156".
        payment_method_id: Such as "card_4821"; get_customer tells the customer's methods.
    """
    order = _order(state, order_id, "pending")
    paid = {method: amount for method, amount in rules.paid_by_method(order).items() if amount > 0}
    if set(paid) == {payment_method_id}:
        raise ToolError(f"order {order['order_id']} is paid with {payment_method_id} already")
    _charge(state, order, round(sum(paid.values()), 2), payment_method_id)
    for method, amount in paid.items():
        _refund(state, order, amount, method)
    return {"order_id": order["order_id"], "payments": order["payments"]}


@tool(writes=True)
def return_items(state: State, order_id: str, item_ids: list[str], payment_method_id: str) -> dict[str, Any]:
    """Take back items of a delivered order and refund their price. The shipping fee is not refunded.

    Args:
        order_id: Such as "W2378156".
        item_ids: Item ids in the order that come back.
        payment_method_id: The customer's payment method that gets the refund, such as "card_4821".
    """
    order = _order(state, order_id, "delivered")
    items = _kept_items(order, item_ids)
    amount = round(sum(item["price"] for item in items), 2)
    _refund(state, order, amount, payment_method_id)
    for item in items:
        item["status"] = "returned"
    return _record_return(state, order, "return", item_ids, [], amount, payment_method_id)


@tool(writes=True)
def exchange_items(
    state: State, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
) -> dict[str, Any]:
    """Exchange items of a delivered order for others.

    Args:
        order_id: Such as "W2378156".
        item_ids: Item ids in the order that come back.
        new_item_ids: Item ids that are sent instead, in the same order.
        payment_method_id: Where a price difference is charged, or paid back to.
    """
    order = _order(state, order_id, "delivered")
    difference = _replace(state, order, item_ids, new_item_ids, payment_method_id, "exchanged")
    return _record_return(state, order, "exchange", item_ids, new_item_ids, -difference, payment_method_id)


@tool(writes=True)
def change_customer_address(
    state: State,
    customer_id: str,
    line1: str,
    city: str,
    postal_code: str,
    country: str,
    line2: str = "",
    region: str = "",
) -> dict[str, Any]:
    """Change the address of a customer's account. Orders already placed keep theirs.

    Args:
        customer_id: Such as "cus_482193".
        line1: Street and number.
        city: City or town.
        postal_code: Postal code.
        country: Country, in English.
        line2: Apartment or floor.
        region: State, province or county.
    """
    customer = _customer(state, customer_id)
    customer["address"] = _address(line1, line2, city, region, postal_code, country)
    return {"customer_id": customer_id, "address": customer["address"]}


@tool(writes=True)
def give_store_credit(state: State, order_id: str, amount: float, reason: str) -> dict[str, Any]:
    """Give the customer of an order a gesture, as balance on a gift card; a card is made if they have none.

    Args:
        order_id: The order that something went wrong with.
        amount: Dollars.
        reason: What went wrong.
    """
    order = _order(state, order_id)
    if not 0 < amount <= 500 or round(amount, 2) != amount:
        raise ToolError("the amount must be between 0.01 and 500 dollars, with no more than two decimals")
    methods = state["customers"][order["customer_id"]]["payment_methods"]
    card = next((key for key, method in methods.items() if method["kind"] == "gift_card"), None)
    if card is None:
        card = f"gift_{order['order_id'][-4:]}"
        methods[card] = {"kind": "gift_card", "balance": 0.0}
    methods[card]["balance"] = round(methods[card]["balance"] + amount, 2)
    state["credits"].append({"order_id": order["order_id"], "amount": amount, "gift_card": card, "reason": reason})
    return {"gift_card": card, "balance": methods[card]["balance"]}


@tool(writes=True)
def hand_over_to_human(state: State, customer_id: str, summary: str) -> dict[str, Any]:
    """Hand the conversation to a human colleague, for what you are not allowed or not able to do.

    Args:
        customer_id: Such as "cus_482193".
        summary: What the customer wants and what has been done, in a sentence or two.
    """
    _customer(state, customer_id)
    if not summary.strip():
        raise ToolError("the summary is empty")
    state["handovers"].append({"customer_id": customer_id, "summary": summary})
    return {"position_in_queue": len(state["handovers"])}


def _replace(
    state: State, order: State, item_ids: list[str], new_item_ids: list[str], method: str, old_status: str
) -> float:
    """Swap items for others of the catalogue and settle the difference, which is returned: positive is charged."""
    if len(item_ids) != len(new_item_ids):
        raise ToolError(f"{len(item_ids)} item ids and {len(new_item_ids)} new ones: give one new id for each")
    old = _kept_items(order, item_ids)
    new = []
    for item_id in new_item_ids:
        product = _product_of(state, item_id)
        variant = product["variants"][item_id]
        if variant["stock"] < 1:
            raise ToolError(f"item {item_id} ({product['name']}) is out of stock")
        variant["stock"] -= 1
        new.append(ordered_item(product, item_id))
    difference: float = round(sum(item["price"] for item in new) - sum(item["price"] for item in old), 2)
    if difference > 0:
        _charge(state, order, difference, method)
    elif difference < 0:
        _refund(state, order, -difference, method)
    else:
        _method(state, order, method)
    for item, replacement in zip(old, new, strict=True):
        item["status"] = old_status
        replacement["instead_of"] = item["item_id"]
        if old_status == "replaced":
            _restock(state, item)
    order["items"] += new
    return difference


def _record_return(
    state: State, order: State, kind: str, item_ids: list[str], new_item_ids: list[str], amount: float, method: str
) -> dict[str, Any]:
    number = sum(made["order_id"] == order["order_id"] for made in state["returns"].values()) + 1
    made = {
        "return_id": f"R{order['order_id'][1:]}-{number}",
        "kind": kind,
        "order_id": order["order_id"],
        "item_ids": item_ids,
        "new_item_ids": new_item_ids,
        "refund": amount,
        "payment_method": method,
        "requested_on": state["now"][:10],
    }
    state["returns"][made["return_id"]] = made
    return {**made, "next_step": "a return label is sent by e-mail; the items must be sent within 14 days"}


def _charge(state: State, order: State, amount: float, method_id: str) -> None:
    method = _method(state, order, method_id)
    if method["kind"] == "gift_card":
        if method["balance"] < amount:
            raise ToolError(f"gift card {method_id} has {method['balance']:.2f} dollars; {amount:.2f} are needed")
        method["balance"] = round(method["balance"] - amount, 2)
    order["payments"].append({"kind": "charge", "amount": amount, "method": method_id})


def _refund(state: State, order: State, amount: float, method_id: str) -> None:
    method = _method(state, order, method_id)
    if method["kind"] == "gift_card":
        method["balance"] = round(method["balance"] + amount, 2)
    order["payments"].append({"kind": "refund", "amount": amount, "method": method_id})


def _restock(state: State, item: State) -> None:
    state["products"][item["product_id"]]["variants"][item["item_id"]]["stock"] += 1


def _method(state: State, order: State, method_id: str) -> dict[str, Any]:
    methods: dict[str, dict[str, Any]] = state["customers"][order["customer_id"]]["payment_methods"]
    if method_id not in methods:
        raise ToolError(f"the customer of order {order['order_id']} has no payment method {method_id!r}")
    return methods[method_id]


def _kept_items(order: State, item_ids: list[str]) -> list[dict[str, Any]]:
    if not item_ids:
        raise ToolError("give at least one item id")
    if len(set(item_ids)) != len(item_ids):
        raise ToolError("an item id is given twice")
    kept = {item["item_id"]: item for item in rules.kept(order)}
    for item_id in item_ids:
        if item_id not in kept:
            known = ", ".join(f"{key} ({item['name']})" for key, item in kept.items()) or "none"
            raise ToolError(f"order {order['order_id']} has no item {item_id!r}; its items: {known}")
    return [kept[item_id] for item_id in item_ids]


def _customer(state: State, customer_id: str) -> dict[str, Any]:
    if customer_id not in state["customers"]:
        raise ToolError(f"there is no customer {customer_id!r}; find_customer tells the id")
    found: dict[str, Any] = state["customers"][customer_id]
    return found


def _order(state: State, order_id: str, status: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] | None = state["orders"].get(order_id.strip().lstrip("#"))
    if found is None:
        raise ToolError(f"there is no order {order_id!r}; list_orders tells a customer's orders")
    if status is not None and found["status"] != status:
        raise ToolError(f"order {found['order_id']} is {found['status']}; this can be done only while it is {status}")
    return found


def _product(state: State, product_id: str) -> dict[str, Any]:
    if product_id not in state["products"]:
        raise ToolError(f"there is no product {product_id!r}; search_products tells the ids")
    found: dict[str, Any] = state["products"][product_id]
    return found


def _product_of(state: State, item_id: str) -> dict[str, Any]:
    for product in state["products"].values():
        if item_id in product["variants"]:
            found: dict[str, Any] = product
            return found
    raise ToolError(f"there is no item {item_id!r}; get_product tells the item ids of a product's variants")


def _address(line1: str, line2: str, city: str, region: str, postal_code: str, country: str) -> dict[str, str]:
    made = {
        "line1": line1.strip(),
        "line2": line2.strip(),
        "city": city.strip(),
        "region": region.strip(),
        "postal_code": postal_code.strip(),
        "country": country.strip(),
    }
    for key in ("line1", "city", "postal_code", "country"):
        if not made[key]:
            raise ToolError(f"{key} is empty")
    return made


def _same(value: str, given: str | None) -> bool:
    return given is not None and value.casefold() == given.strip().casefold()
