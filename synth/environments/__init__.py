"""What the ``tools.py`` of an environment is written with.

A tool is a typed function whose first parameter is the state: plain JSON data, a dictionary at the top. The JSON Schema
that a model sees comes from the signature and the docstring; what the function returns goes to the model as JSON::

    from random import Random
    from typing import Literal

    from synth.environments import ToolError, invariant, tool

    @tool
    def get_order(state, order_id: str) -> dict:
        \"""Look up an order.

        Args:
            order_id: The order's number, such as "W2378156".
        \"""
        if order_id not in state["orders"]:
            raise ToolError(f"there is no order {order_id}")      # goes to the agent, the state stays as it was
        return state["orders"][order_id]

    @tool(writes=True)
    def cancel_order(state, order_id: str, reason: Literal["no longer needed", "ordered by mistake"]) -> dict:
        \"""Cancel an order that has not been sent.\"""
        ...

    @invariant
    def every_order_has_a_customer(state):
        for order in state["orders"].values():
            if order["customer_id"] not in state["customers"]:
                yield f"order {order['order_id']} belongs to nobody"

    def make_state(rng: Random) -> dict:                          # where ``env.yaml`` says ``state: make_state``
        return {"orders": {}, "customers": {}}

Types: ``str int float bool None Any``, ``Literal``, enums, dates, ``list dict tuple``, unions, dataclasses, pydantic
models and ``typing_extensions.TypedDict``. A parameter with a default is optional.

Rules, all checked by ``synth envs check``: a tool depends on nothing but its state and its arguments (no clock, no
random numbers, no network); only a tool marked ``writes=True`` changes the state; a tool that raises ``ToolError`` has
changed nothing (what it had changed is taken back). Any other exception is a fault of the environment and ends the
conversation.
"""

from synth.environments.authoring import ToolError, invariant, tool

__all__ = ["ToolError", "invariant", "tool"]
