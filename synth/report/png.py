"""Drawings as PNG, for cards that are shown where SVG is not; with letters even where no font is installed."""

from __future__ import annotations

import importlib.util
from importlib.resources import as_file, files

from synth.report.svg import Drawing

_ZOOM = 2
_FONTS = ("DejaVuSans.subset.ttf", "DejaVuSans-Bold.subset.ttf")


def can_png() -> bool:
    """Whether the extra ``pictures`` is installed."""
    return importlib.util.find_spec("resvg_py") is not None


def to_png(drawing: Drawing) -> bytes:
    """The drawing on white, two pixels for one of its units."""
    import resvg_py

    with as_file(files("synth.report") / "assets") as folder:
        fonts = [str(folder / name) for name in _FONTS]
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=drawing.standalone(), zoom=_ZOOM, font_files=fonts, sans_serif_family="DejaVu Sans"
            )
        )
