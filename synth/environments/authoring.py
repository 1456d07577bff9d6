"""The marks on the functions of a ``tools.py``. They change nothing: the functions stay plain functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

Function = TypeVar("Function", bound=Callable[..., Any])

TOOL_MARK = "__synth_tool__"
INVARIANT_MARK = "__synth_invariant__"


class ToolError(Exception):
    """What the agent asked for cannot be done; ``str()`` tells it why, and what it could do instead."""


@dataclass(frozen=True, slots=True)
class ToolMark:
    writes: bool
    name: str | None


@overload
def tool(function: Function, /) -> Function: ...
@overload
def tool(*, writes: bool = False, name: str | None = None) -> Callable[[Function], Function]: ...
def tool(
    function: Function | None = None, /, *, writes: bool = False, name: str | None = None
) -> Function | Callable[[Function], Function]:
    """Offer a function to the agent. ``writes``: it may change the state. ``name``: if not the function's own."""

    def mark(marked: Function) -> Function:
        setattr(marked, TOOL_MARK, ToolMark(writes, name))
        return marked

    return mark if function is None else mark(function)


def invariant(function: Function, /) -> Function:
    """Declare what must hold after every conversation.

    The function takes the state, and returns True or nothing where it holds; False, a text or several texts
    (a generator will do) say what is wrong.
    """
    setattr(function, INVARIANT_MARK, True)
    return function
