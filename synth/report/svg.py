"""A little SVG: shapes with classes for colours, so that the same drawing follows a page's theme or stands alone.

Every text and attribute is escaped here, and there is no way to add markup, so a drawing can hold any data.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

PALETTE = ("#2b6cb0", "#c05621", "#2f855a", "#7c56c8", "#a16a10", "#0e7c86", "#b83280", "#4a5568")
"""Colours of classes ``c0`` to ``c7``; they differ in lightness too, for readers who see few hues."""

_STYLE = (
    "text{font-family:'Inter','Segoe UI','DejaVu Sans',sans-serif;font-size:12px;fill:#1d1c1a}"
    ".muted{fill:#6b6862}.small{font-size:11px}.strong{font-weight:600}.end{text-anchor:end}.mid{text-anchor:middle}"
    ".axis{stroke:#b9b4ab;fill:none}.grid{stroke:#e7e3dc;fill:none}.good{fill:#2f855a}.bad{fill:#c05621}"
    ".quiet{fill:#e7e3dc}.faded{opacity:.38}.mark{stroke:#b83280;fill:none;stroke-width:1.5}.outline{fill:none;stroke:#c05621}"
    ".seed{fill:none;stroke:#1d1c1a;stroke-width:1.3}.line{fill:none;stroke-width:1.8}"
    ".heat1{fill:#dbe7f3}.heat2{fill:#a9c8e6}.heat3{fill:#5b94cc}.heat4{fill:#2b6cb0}.onheat{fill:#ffffff}"
    + "".join(f".c{n}{{fill:{c}}}.line.c{n}{{fill:none;stroke:{c}}}" for n, c in enumerate(PALETTE))
)

_CONTROL = {number: None for number in range(32) if number not in {9, 10, 13}} | {0xFFFE: None, 0xFFFF: None}


class Drawing:
    """A drawing in user units, about a pixel each; ``label`` says in words what it shows."""

    def __init__(self, width: float, height: float, label: str) -> None:
        self.width = width
        self.height = height
        self._label = label
        self._parts: list[str] = []
        self._bare: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, look: str, tip: str = "", **data: str) -> None:
        at = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
        self._shape("rect", at, look, tip, data)

    def circle(self, x: float, y: float, radius: float, look: str, tip: str = "", **data: str) -> None:
        self._shape("circle", f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"', look, tip, data)

    def diamond(self, x: float, y: float, radius: float, look: str, tip: str = "", **data: str) -> None:
        path = f"M{x:.1f} {y - radius:.1f}l{radius} {radius} {-radius} {radius} {-radius} {-radius}z"
        self._shape("path", f'd="{path}"', look, tip, data)

    def line(self, x1: float, y1: float, x2: float, y2: float, look: str = "axis") -> None:
        self._shape("path", f'd="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"', look, "", {})

    def polyline(self, points: list[tuple[float, float]], look: str, tip: str = "") -> None:
        if points:
            path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            self._shape("path", f'd="{path}"', f"line {look}", tip, {})

    def text(self, x: float, y: float, text: str, look: str = "") -> None:
        markup = f'<text x="{x:.1f}" y="{y:.1f}" class={_quoted(look)}>{_escaped(text)}</text>'
        self._parts.append(markup)
        self._bare.append(markup)

    def _shape(self, name: str, at: str, look: str, tip: str, data: dict[str, str]) -> None:
        extra = "".join(f" data-{key}={_quoted(value)}" for key, value in data.items())
        inside = f"><title>{_escaped(tip)}</title></{name}>" if tip else "/>"
        self._parts.append(f"<{name} {at} class={_quoted(look)}{extra}{inside}")
        self._bare.append(f"<{name} {at} class={_quoted(look)}/>")

    def inline(self) -> str:
        """For a page whose style sheet knows the classes."""
        return self._markup("", self._parts)

    def standalone(self) -> str:
        """For a file of its own, on white, that may be published: without tips, which tell what seeds and rejected
        attempts said."""
        background = f'<rect width="{self.width:g}" height="{self.height:g}" fill="#ffffff"/>'
        return self._markup(f"<style>{_STYLE}</style>{background}", self._bare)

    def _markup(self, before: str, parts: list[str]) -> str:
        size = f'viewBox="0 0 {self.width:g} {self.height:g}"'
        if before:
            size += f' width="{self.width:g}" height="{self.height:g}"'
        label = _quoted(self._label)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={label}>'
            + before
            + "".join(parts)
            + "</svg>"
        )


def shorten(text: str, most: int) -> str:
    """``text`` in one line of at most ``most`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _escaped(text: str) -> str:
    return escape(text.translate(_CONTROL).encode("utf-8", "replace").decode())


def _quoted(text: str) -> str:
    return quoteattr(text.translate(_CONTROL).encode("utf-8", "replace").decode())
