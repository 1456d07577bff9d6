"""Deletion by lineage: a seed, and all that was made of it, leaves a run folder.

What came of a seed is found by what the rows say (``lineage.seeds``), and by what the prompts said: an example that was
shown in the prompt of another one, such as a neighbour to differ from, takes that one along.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from synth.curation.reading import read_rows
from synth.errors import UsageError
from synth.export.dataset import write_run_folder
from synth.files import write_atomically
from synth.fingerprint import fingerprint
from synth.messages import Json
from synth.reader import RunReader
from synth.recipe.lock import Lock
from synth.recipe.problems import did_you_mean
from synth.recipe.schema import SeedsSpec
from synth.run_lock import only_run_in
from synth.seeds import read_seeds
from synth.store import Store

FORGOTTEN = "forgotten"
"""The gate that stands beside a place in the plan whose row was removed, and in ``meta`` the hashed ids of seeds."""
_UNKNOWN = "a seed was forgotten, and the others could not be read"
"""In a lock where the hash of the seeds would be: no seeds have it, so the run is not gone on with."""
_SHORTEST = 24
"""Characters of a text by which a prompt is known to have held it; shorter ones stand in many."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What left: ids of accepted examples and of rejected attempts, and the number of calls behind them.

    ``elsewhere`` are files of the run folder that still hold one of the texts, such as the log of a server, or may.
    ``resumable``: the run goes on from seeds without this one, and makes others in place of what left.
    """

    accepted: tuple[str, ...]
    rejected: tuple[str, ...]
    calls: int
    resumable: bool
    elsewhere: tuple[Path, ...] = field(default=())


def forget(run_dir: Path, seed: str) -> Forgotten:
    """Remove the seed with the id ``seed`` from a run, and bring every file of the folder up to date.

    Places in the plan stay, empty. The lock is then that of a recipe whose seeds file does not have the seed: a run
    resumes with such a file only. Raises ``UsageError`` where the run knows no such seed.
    """
    with RunReader(run_dir) as reader:
        lock, summary, folder = reader.lock, reader.summary, reader.recipe_folder
    if summary is None:
        raise UsageError(
            f"{run_dir} has not ended yet", hint="run its recipe again: it resumes, and then forget the seed"
        )
    with only_run_in(run_dir):
        store = Store.open(run_dir / "run.sqlite")
        try:
            rows, beside, texts = _derived(store, seed, {spec["id"] for spec in lock.recipe["generate"]})
            accepted = tuple(unit for unit, row in rows.items() if "gate" not in row)
            rejected = tuple(unit for unit, row in rows.items() if "gate" in row)
            left = {unit: _left_of(row) for unit, row in rows.items()}
            made = any(unit == seed for unit, _, _ in store.all_rows())  # a seed of a later generation
            if not made:
                forgotten = [*orjson.loads(store.meta().get(FORGOTTEN, "[]")), fingerprint(seed)]
                lock = replace(lock, seeds=dict.fromkeys(lock.seeds, _hash_without(forgotten, lock, folder)))
                store.set_meta({FORGOTTEN: orjson.dumps(forgotten).decode()})
            write_atomically(run_dir / "recipe.lock.yaml", [lock.to_yaml().encode()])
            calls = store.forget(left | dict.fromkeys(beside, b""), FORGOTTEN)
            summary = _without(summary, store)
            store.set_meta({"summary": orjson.dumps(summary).decode()})
            write_run_folder(run_dir, lock, store, summary)
        finally:
            store.close()
    resumable = _UNKNOWN not in lock.seeds.values()
    return Forgotten(accepted, rejected, calls, resumable, tuple(_holding(run_dir, texts)))


def _hash_without(forgotten: Sequence[str], lock: Lock, folder: Path | None) -> str:
    """What the hash of the seeds is once those forgotten, the newest last, have been taken out of their file. Where ids
    are numbers of rows the others would then be called otherwise, so nobody can tell."""
    try:
        seeds = read_seeds(SeedsSpec(**lock.recipe["seeds"]), folder or Path())
    except (UsageError, OSError):
        return _UNKNOWN
    before = [[one.id, one.fields] for one in seeds if fingerprint(one.id) not in forgotten[:-1]]
    if fingerprint(before) not in lock.seeds.values() or "id" not in seeds[0].fields:
        return _UNKNOWN
    return fingerprint([one for one in before if fingerprint(one[0]) != forgotten[-1]])


def _derived(store: Store, seed: str, generators: set[str]) -> tuple[dict[str, Json], set[str], set[str]]:
    """The units to forget with their rows; those without a row whose calls go too, namely the teacher's echoes, and
    what was in the making when the run was stopped (nothing says for which seed); and the texts made in the units.
    """
    rows = {unit: orjson.loads(row) for unit, gate, row in store.all_rows() if gate != FORGOTTEN}
    known = sorted({name for row in rows.values() for name in _seeds(row)})
    if seed not in known:
        raise UsageError(f"{store.path.parent} has nothing of a seed {seed!r}", hint=did_you_mean(seed, known, "seeds"))
    found = {unit for unit, row in rows.items() if seed in _seeds(row)}
    texts: set[str] = set()
    new = set(found)
    while new:
        # What was asked in a unit that was only shown a text is its own seed's, where it stands in all its prompts.
        shown = _prompts_of(store, {unit for unit in new if not ({seed} | found) & set(_seeds(rows[unit]))})
        fresh = {
            text
            for unit in new
            for text in _said(rows[unit], "user")
            if unit not in shown or not all(text in prompt for prompt in shown[unit])
        }
        # What is asked in other rows too is the recipe's.
        fresh -= {text for unit in rows.keys() - found for text in _said(rows[unit], "user")}
        fresh |= {text for unit in new for text in _said(rows[unit], "assistant")}
        fresh -= texts
        texts |= fresh
        new = {
            unit for unit, prompt in store.prompts() if unit in rows and any(text in prompt for text in fresh)
        } - found
        # A row made from a seed that a forgotten row had become (a later generation).
        new |= {unit for unit, row in rows.items() if found & set(_seeds(row))}
        new -= found
        found |= new
    echoes = {"{0}-echo.{2}".format(*unit.rpartition("-")) for unit in found}
    beside = {
        unit
        for unit, prompt in store.prompts()
        if unit not in rows
        and (unit in echoes or unit.rstrip("0123456789")[:-1] in generators or any(text in prompt for text in texts))
    }
    return {unit: row for unit, row in rows.items() if unit in found}, beside, texts


def _prompts_of(store: Store, units: set[str]) -> dict[str, list[str]]:
    prompts: dict[str, list[str]] = {unit: [] for unit in units}
    for unit, prompt in store.prompts() if units else ():
        if unit in prompts:
            prompts[unit].append(prompt)
    return prompts


def _left_of(row: Json) -> bytes:
    """The line that stays in ``rejected.jsonl``, without a word of what it was."""
    kept = {name: row[name] for name in ("id", "kind", "generator")}
    gone = {"seed_id": None, "gate": FORGOTTEN, "reason": "removed by synth forget", "score": None, "text": ""}
    return orjson.dumps(kept | gone | {"attributes": {}, "lineage": {}})


def _seeds(row: Json) -> list[str]:
    seeds: list[str] = row["lineage"]["seeds"]
    return seeds


def _said(row: Json, role: str) -> Iterator[str]:
    """What is long enough to be known by, of the messages of ``role``; a rejected attempt's text is the assistant's."""
    said = [message.get("content") for message in row.get("messages", ()) if message["role"] == role]
    said += [row.get("text")] if role == "assistant" else []
    return (text for text in said if isinstance(text, str) and len(text) >= _SHORTEST)


def _without(summary: Json, store: Store) -> Json:
    """The summary with the counts as they are now, and without texts of seeds; a run that was complete is short."""
    rejections = store.rejections()
    generators = {name: dict(entry) for name, entry in summary["generators"].items()}
    for name, entry in generators.items():
        entry["attempts"], entry["accepted"] = store.tally(name)
        entry["rejected"] = rejections.get(name, {})
    total: Counter[str] = Counter()
    for gates in rejections.values():
        total.update(gates)
    accepted = sum(entry["accepted"] for entry in generators.values())
    if summary.get("seeds"):
        summary = summary | {"seeds": summary["seeds"] | {"examples": {}}}
    if summary["status"] == "complete" and accepted < summary["requested"]:
        summary = summary | {"status": "short", "message": "examples were removed by synth forget"}
    return summary | {"accepted": accepted, "rejected": dict(total.most_common()), "generators": generators}


def _holding(run_dir: Path, texts: set[str]) -> Iterable[Path]:
    """Files with one of the texts, as it is or as JSON writes it, and those that cannot be looked into."""
    wanted = {form for text in texts for form in (text.encode(), orjson.dumps(text)[1:-1])}
    for path in sorted(run_dir.rglob("*")):
        if path.is_file() and path.name != "run.sqlite":
            try:
                found = any(text in content for content in _contents(path) for text in wanted)
            except UsageError:  # nobody can look into it here
                found = True
            if found:
                yield path


def _contents(path: Path) -> Iterator[bytes]:
    """The file in parts, unpacked where it is packed."""
    if path.suffix.lower() not in {".gz", ".parquet", ".pq"}:
        yield path.read_bytes()
        return
    for row in read_rows(path, lambda line, fault: None):
        yield orjson.dumps(row.data, default=str)
