"""HTML from data: every text and attribute is escaped here, and only here is anything put together."""

from __future__ import annotations

from html import escape

_VOID = {"meta", "link", "br"}


class Html(str):
    """Markup that was made by this module; any other text is text."""

    __slots__ = ()


def tag(name: str, /, *children: str | Html | None, **attributes: str | bool | None) -> Html:
    """An element. ``class_`` is ``class``; an attribute that is None or False is left out."""
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    inside = join(*children)
    return Html(f"<{name}{given}>" if name in _VOID else f"<{name}{given}>{inside}</{name}>")


def join(*parts: str | Html | None) -> Html:
    """Parts one after the other."""
    return Html("".join(part if isinstance(part, Html) else escape(clean(part)) for part in parts if part is not None))


def clean(text: str) -> str:
    """``text`` as UTF-8 can hold it."""
    return text.encode("utf-8", "replace").decode()
