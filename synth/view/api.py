"""What the page asks for, as JSON: each function runs in a thread, with its own look at the run and at the index."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from synth.errors import UsageError
from synth.messages import Json
from synth.reader import RunReader
from synth.report.data_map import map_choices
from synth.report.facts import collect
from synth.report.marks import MARKS
from synth.report.pictures import draw_all
from synth.view.follower import Follower
from synth.view.neighbours import Neighbours
from synth.view.overview import overview
from synth.view.query import MOST_ROWS, IndexReader, Listed, Query
from synth.view.words import excerpt

_MOST_SIBLINGS = 60
_MOST_NEAR = 6


class Api:
    """The questions and their answers. Raises ``UsageError`` for what cannot be answered."""

    def __init__(self, folder: Path, index: Path, follower: Follower) -> None:
        self._folder = folder
        self._index_path = index
        self._follower = follower
        self._neighbours = Neighbours()
        self._own = threading.local()
        self._pictures: tuple[object, Json] | None = None

    def overview(self) -> Json:
        return overview(self._follower, self._index())

    def facets(self) -> Json:
        return self._index().facets()

    def examples(self, asked: Mapping[str, str], attributes: list[str]) -> Json:
        """A page of the list: ``first`` and ``most`` say which; ``around`` asks where an example stands in it."""
        query, index = Query.parse(asked, attributes), self._index()
        first, most = _whole(asked, "first", 0), min(_whole(asked, "most", 100), MOST_ROWS)
        total, listed = index.page(query, first, most)
        with RunReader(self._folder) as reader:
            rows = [self._line(reader, one, query.search) for one in listed]
        around = asked.get("around")
        place = index.place_of(query, around) if around else None
        return {"total": total, "first": first, "rows": rows, "place": place}

    def example(self, unit: str) -> Json:
        """One attempt with its seed, and what else was made from that seed."""
        index = self._index()
        with RunReader(self._folder) as reader:
            attempt = reader.attempt(unit)
            if attempt is None:
                raise UsageError(f"there is no example {unit!r}")
            seed = attempt.row.get("seed_id")
            siblings = [one for one in index.of_seed(seed, _MOST_SIBLINGS) if one.unit != unit] if seed else []
            return {
                "id": unit,
                "gate": attempt.gate,
                "row": attempt.row,
                "mark": self._follower.marks.get(unit),
                "seed": index.seed(seed) if seed else None,
                "siblings": [self._line(reader, one, "") for one in siblings],
            }

    def calls(self, unit: str) -> Json:
        """Every call behind an attempt."""
        with RunReader(self._folder) as reader:
            return {"calls": reader.calls(unit)}

    def neighbours(self, unit: str) -> Json:
        """The attempts most like one, whole."""
        index = self._index()
        with RunReader(self._folder) as reader:
            by, near = self._neighbours.find(reader, index, unit, _MOST_NEAR)
            found = [(one, reader.attempt(one.unit)) for one in near]
        return {
            "by": by,
            "near": [
                {"id": one.unit, "similarity": one.similarity, "gate": attempt.gate, "row": attempt.row}
                for one, attempt in found
                if attempt is not None
            ],
        }

    def pictures(self, map_by: str) -> Json:
        """All pictures as SVG; they are drawn anew when the run has gone on."""
        state = (map_by, self._follower.snapshot, dict(self._follower.marks))
        kept = self._pictures
        if kept is not None and kept[0] == state:
            return kept[1]
        with RunReader(self._folder) as reader:
            facts = collect(reader, self._follower.marks)
        choices = map_choices(facts)
        drawn = [
            {"name": one.name, "title": one.title, "caption": one.caption, "svg": one.drawing.inline()}
            for one in draw_all(facts, map_by if map_by in choices else "generator")
        ]
        answer: Json = {"pictures": drawn, "map_by": choices}
        self._pictures = (state, answer)
        return answer

    def set_mark(self, data: object) -> Json:
        """Keep a mark: ``{"id": …, "mark": "good" | "bad" | "unsure" | null}``."""
        if not isinstance(data, dict) or set(data) != {"id", "mark"} or data["mark"] not in (*MARKS, None):
            raise UsageError("a mark is {id, mark}, where mark is good, bad, unsure or null")
        with RunReader(self._folder) as reader:
            if not isinstance(data["id"], str) or reader.attempt(data["id"]) is None:
                raise UsageError(f"there is no example {data['id']!r}")
        self._follower.mark(data["id"], data["mark"])
        return {"id": data["id"], "mark": data["mark"]}

    def _line(self, reader: RunReader, one: Listed, search: str) -> Json:
        attempt = reader.attempt(one.unit)
        return {
            "id": one.unit,
            "generator": one.generator,
            "gate": one.gate,
            "seed": one.seed,
            "length": one.length,
            "mark": self._follower.marks.get(one.unit),
            "score": one.score,
            "excerpt": excerpt(attempt.row, search) if attempt is not None else "",
            "reason": attempt.row.get("reason", "") if attempt is not None else "",
        }

    def _index(self) -> IndexReader:
        own: IndexReader | None = getattr(self._own, "index", None)
        if own is None:
            own = self._own.index = IndexReader(self._index_path)
        return own


def _whole(asked: Mapping[str, str], name: str, default: int) -> int:
    text = asked.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 12:
        raise UsageError(f"{name} must be a whole number, got {text!r}")
    return int(text)
