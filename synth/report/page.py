"""``synth report``: a run as one HTML file that needs nothing else, holds no script and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import zip_longest
from typing import Any

from synth.example import generator_of
from synth.messages import Json
from synth.progress.words import format_count, format_duration, format_usd
from synth.reader import AttemptLine, RunReader
from synth.report.facts import collect
from synth.report.markup import Html, join, tag
from synth.report.pictures import Picture, draw_all
from synth.report.talk import talk

_MOST_EXAMPLES = 20
_REJECTED = 6
"""Of those, so that one sees what was refused too."""


def report_page(reader: RunReader, marks: Mapping[str, str]) -> str:
    """The whole file. ``marks`` are what reviewers think of examples."""
    facts = collect(reader, dict(marks))
    recipe, summary = reader.lock.recipe, reader.summary
    body = join(
        _opening(recipe, facts.tally, summary, reader.running),
        tag("div", _generators(recipe, facts.tally), _rejections(facts.tally), _made_by(recipe), class_="tables"),
        _pictures(draw_all(facts)),
        _examples(choose_examples(reader), marks),
        tag("footer", f"Written by synth report on {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}."),
    )
    style = "".join(
        (files("synth.report") / "assets" / name).read_text("utf-8") for name in ("theme.css", "report.css")
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag(
            "meta",
            http_equiv="Content-Security-Policy",
            content=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        ),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{recipe['name']} · synth report"),
        tag("style", Html(style)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', tag('main', body, class_='wrap')), lang='en')}\n"


def choose_examples(reader: RunReader, most: int = _MOST_EXAMPLES) -> list[AttemptLine]:
    """Accepted ones from all over each generator's plan, then some rejected ones by different gates."""
    accepted: dict[str, list[AttemptLine]] = {}
    rejected: dict[str, list[AttemptLine]] = {}
    for generator in reader.generators:
        for attempt in reader.sample(most * 20, generators=[generator]):
            group = (
                accepted.setdefault(generator, []) if attempt.gate is None else rejected.setdefault(attempt.gate, [])
            )
            group.append(attempt)
    refused = _take_turns(list(rejected.values()), _REJECTED)
    chosen = _take_turns([_spread(own, most) for own in accepted.values()], most - len(refused))
    return sorted(chosen, key=lambda one: list(accepted).index(generator_of(one.unit))) + refused


def _spread(attempts: list[AttemptLine], most: int) -> list[AttemptLine]:
    """At most ``most`` of them, from all over: as far apart as can be at first, then those between."""
    step = 1 << max(len(attempts) // most, 1).bit_length()
    order = [place for start in (0, *range(1, step)) for place in range(start, len(attempts), step)]
    return [attempts[place] for place in order[:most]]


def _take_turns(groups: list[list[AttemptLine]], most: int) -> list[AttemptLine]:
    taken = [one for turn in zip_longest(*groups) for one in turn if one is not None]
    return taken[:most]


def _opening(recipe: Json, tally: Mapping[str, Json], summary: Json | None, process: int | None) -> Html:
    accepted, requested = (sum(row[name] for row in tally.values()) for name in ("accepted", "requested"))
    attempts = sum(row["attempts"] for row in tally.values())
    sent, received = (sum(row["tokens"][name] for row in tally.values()) for name in ("input", "output"))
    cost = sum(row["cost_usd"] for row in tally.values())
    status = "running" if process is not None else summary["status"] if summary else "unfinished"
    figures = [
        ("accepted", f"{accepted:,}", f"of {requested:,}"),
        ("attempts", f"{attempts:,}", f"{accepted / attempts:.0%} accepted" if attempts else ""),
        ("tokens", format_count(sent + received), f"{format_count(sent)} in, {format_count(received)} out"),
        ("cost", format_usd(cost), f"{format_usd(cost / accepted)} each" if accepted and cost else ""),
    ]
    if summary is not None:
        figures.append(("time", format_duration(summary["seconds"]), ""))
    shown = [tag("div", tag("dt", name), tag("dd", value, tag("small", f" {more}"))) for name, value, more in figures]
    note = summary.get("message") if summary is not None and process is None else None
    return tag(
        "header",
        tag("h1", recipe["name"]),
        tag("p", f"Synthetic data made by synth; status: {status}.", class_="sub"),
        tag("p", str(note), class_="note") if note else None,
        tag("dl", *shown, class_="figures"),
    )


def _generators(recipe: Json, tally: Mapping[str, Json]) -> Html:
    rows = []
    for spec in recipe["generate"]:
        row = tally[spec["id"]]
        rate = f"{row['accepted'] / row['attempts']:.0%}" if row["attempts"] else "–"
        rows.append([spec["id"], spec["kind"], f"{row['accepted']:,}", f"{row['requested']:,}", rate])
    return _table("Generators", ["id", "kind", "accepted", "asked", "rate"], rows, numbers=3)


def _rejections(tally: Mapping[str, Json]) -> Html:
    counts: dict[str, int] = {}
    for row in tally.values():
        for gate, count in row["rejected"].items():
            counts[gate] = counts.get(gate, 0) + count
    rows = [[gate, f"{count:,}"] for gate, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    return _table("Why attempts were rejected", ["gate", "attempts"], rows or [["none was", ""]], numbers=1)


def _made_by(recipe: Json) -> Html:
    rows = [
        [f"model {name}", f"{one.get('model') or 'default'} ({one['provider']})"]
        for name, one in recipe["models"].items()
    ]
    rows += [[f"gate {gate['id']}", str(gate.get("kind", ""))] for gate in recipe.get("gates") or ()]
    if recipe.get("seeds"):
        rows.append(["seeds", str(recipe["seeds"]["path"])])
    return _table("Made by", ["what", "which"], rows, numbers=0)


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int) -> Html:
    first = len(head) - numbers
    cells = [
        tag("tr", *(tag("td", cell, class_="n" if place >= first else None) for place, cell in enumerate(row)))
        for row in rows
    ]
    names = [tag("th", name, scope="col", class_="n" if place >= first else None) for place, name in enumerate(head)]
    return tag("section", tag("h2", title), tag("table", tag("thead", tag("tr", *names)), tag("tbody", *cells)))


def _pictures(pictures: Sequence[Picture]) -> Html:
    shown = [
        tag("figure", tag("h3", p.title), tag("figcaption", p.caption), Html(p.drawing.inline()), class_="picture")
        for p in pictures
    ]
    return tag("section", tag("h2", "Pictures"), tag("div", *shown, class_="pictures"))


def _examples(chosen: Sequence[AttemptLine], marks: Mapping[str, str]) -> Html:
    shown = [_example(attempt, marks.get(attempt.unit)) for attempt in chosen]
    return tag("section", tag("h2", f"{len(chosen)} of the attempts"), *shown)


def _example(attempt: AttemptLine, mark: str | None) -> Html:
    row = attempt.row
    verdict = "accepted" if attempt.gate is None else f"rejected: {attempt.gate}"
    kept = tag(
        "div", tag("div", "what was kept of it", class_="who"), tag("div", str(row.get("text") or ""), class_="said")
    )
    return tag(
        "article",
        tag(
            "h3",
            attempt.unit,
            tag("span", verdict, class_=f"badge {'accepted' if attempt.gate is None else 'rejected'}"),
            tag("span", mark, class_=f"badge {mark}") if mark else None,
        ),
        tag("p", " · ".join(_described(row)), class_="facts"),
        tag("p", str(row.get("reason") or ""), class_="reason") if attempt.gate is not None else None,
        talk(row["messages"]) if row.get("messages") else tag("div", kept, class_="turn") if row.get("text") else None,
        class_="example",
    )


def _described(row: Mapping[str, Any]) -> list[str]:
    words = [str(row["kind"])]
    if row.get("seed_id") is not None:
        words.append(f"seed {row['seed_id']}")
    words += [f"{name} {value}" for name, value in (row.get("attributes") or {}).items()]
    words += [
        f"{name} {value:g}" for name, value in (row.get("scores") or {}).items() if isinstance(value, int | float)
    ]
    return words
