"""The pictures of a dataset card, as files beside it: PNG where the extra ``pictures`` is installed, else SVG."""

from __future__ import annotations

from pathlib import Path

from synth.files import write_atomically
from synth.reader import RunReader
from synth.report.facts import collect
from synth.report.pictures import Picture, draw_all
from synth.report.png import can_png, to_png

_IN_CARD = ("accepted", "map", "coverage", "similarity")
_FEWEST_ATTEMPTS = 10
_MOST_SAMPLED = 1000


def write_pictures(run_dir: Path) -> list[tuple[Picture, str]]:
    """Draw the run in ``run_dir`` anew; each picture with its path from there. None while there is little to see."""
    folder, written = run_dir / "pictures", []
    for old in (folder / f"{name}{suffix}" for name in _IN_CARD for suffix in (".png", ".svg")):
        old.unlink(missing_ok=True)
    with RunReader(run_dir) as reader:
        if sum(reader.attempts_made().values()) < _FEWEST_ATTEMPTS:
            return []
        drawn = [one for one in draw_all(collect(reader, most=_MOST_SAMPLED)) if one.name in _IN_CARD]
    for picture in drawn:
        suffix, content = (
            (".png", to_png(picture.drawing)) if can_png() else (".svg", picture.drawing.standalone().encode())
        )
        write_atomically(folder / (picture.name + suffix), [content])
        written.append((picture, f"pictures/{picture.name}{suffix}"))
    return written
