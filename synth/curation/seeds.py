"""The seeds of a recipe made clean before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from synth.errors import Problem, RecipeError, UsageError
from synth.example import Seed
from synth.messages import Json
from synth.recipe.load import LoadedRecipe
from synth.recipe.load_seeds import seed_needs

if TYPE_CHECKING:
    from synth.curation.row_cleaning import Tally


@dataclass(frozen=True, slots=True)
class CleanedSeeds:
    """What ``seeds.clean`` did. ``dropped`` are the seeds that are left out: id, line, and why."""

    read: int
    kept: int
    tally: Tally
    dropped: tuple[tuple[str, int, str], ...]

    def __str__(self) -> str:
        """``3 of 22 seeds dropped (2 near-duplicate, 1 no text), 5 changed (space 5)``, or nothing."""
        said = []
        if self.dropped:
            reasons = ", ".join(f"{count:,} {why}" for why, count in self.tally.dropped.most_common())
            said.append(f"{len(self.dropped):,} of {self.read:,} seeds dropped ({reasons})")
        if self.tally.changed:
            steps = ", ".join(f"{count:,} by {step}" for step, count in self.tally.changed.most_common())
            said.append(f"seeds changed: {steps}")
        return "; ".join(said)

    def to_dict(self) -> Json:
        """For ``summary.json``."""
        examples = {
            what: [{"line": one.line, "before": one.before, "after": one.after} for one in shown]
            for what, shown in self.tally.examples.items()
        }
        return {
            "read": self.read,
            "kept": self.kept,
            "changed": dict(self.tally.changed),
            "dropped": dict(self.tally.dropped),
            "dropped_seeds": [{"id": name, "line": line, "reason": why} for name, line, why in self.dropped],
            "examples": examples,
        }


def clean_seeds(loaded: LoadedRecipe, seeds: tuple[Seed, ...]) -> tuple[tuple[Seed, ...], CleanedSeeds | None]:
    """The seeds that ``seeds.clean`` leaves, ids as they were, and what it did; all of them where it is unset.

    A seed that loses a field that some generator needs is dropped too. Raises ``UsageError`` for extras and files that
    are not there, ``RecipeError`` where no seed is left.
    """
    recipe, base = loaded.recipe, loaded.base
    if recipe.seeds is None or recipe.seeds.clean is None:
        return seeds, None
    try:
        from synth.curation.row_cleaning import Tally
    except ModuleNotFoundError as error:
        raise UsageError("seeds.clean needs numpy", hint="pip install 'synth[clean]'") from error
    tally = Tally()
    kept: list[Seed] = []
    dropped: list[tuple[str, int, str]] = []
    for seed, reason in _cleaned(loaded, seeds, tally):
        if reason:
            dropped.append((seed.id, seed.line, reason))
        else:
            kept.append(seed)
    if not kept:
        reasons = ", ".join(f"{count:,} {why}" for why, count in tally.dropped.most_common())
        raise RecipeError([Problem(str(base / recipe.seeds.path), 0, 0, f"seeds.clean drops every seed: {reasons}")])
    return tuple(kept), CleanedSeeds(len(seeds), len(kept), tally, tuple(dropped))


def _cleaned(loaded: LoadedRecipe, seeds: tuple[Seed, ...], tally: Tally) -> Iterator[tuple[Seed, str]]:
    """Each seed, clean, and why it is dropped; one by one, for so the reason is known of each."""
    from synth.curation.band_table import BandTable
    from synth.curation.dedup import Banded
    from synth.curation.minhash import Banding, Signer
    from synth.curation.reading import Row
    from synth.curation.row_cleaning import RowCleaner

    recipe, base = loaded.recipe, loaded.base
    assert recipe.seeds is not None
    assert recipe.seeds.clean is not None
    columns = dict.fromkeys(name for seed in seeds for name in seed.fields if name != "id")
    _check_fields(recipe.seeds.clean.fields, columns, base / recipe.seeds.path)
    spec = recipe.seeds.clean.model_copy(update={"fields": recipe.seeds.clean.fields or list(columns)})
    needed = {need.field for need in seed_needs(recipe, base) if not need.may_be_empty}
    cleaner = RowCleaner(spec, base)
    near = Banded(Signer(Banding.choose(spec.dedup)), BandTable()) if spec.dedup is not None else None
    for seed in seeds:
        batch = cleaner.clean([Row(seed.line, dict(seed.fields))])
        tally.add(batch.tally)
        if not batch.rows:
            yield seed, next(iter(batch.tally.dropped))
            continue
        clean = replace(seed, fields=batch.rows[0].data)
        text = " ".join(str(value) for value in seed.fields.values())
        emptied = next((name for name in needed if clean.fields.get(name) == "" != seed.fields.get(name)), None)
        reason = f"nothing left in {emptied!r}" if emptied is not None else ""
        if not reason and near is not None and batch.bands is not None and near.decide(*batch.bands)[0]:
            reason = "near-duplicate"
        if reason:
            tally.drop(reason, seed.line, text)
        yield clean, reason


def _check_fields(fields: list[str], columns: dict[str, None], file: Path) -> None:
    for name in fields:
        if name not in columns:
            hint = f"the columns are {', '.join(columns)}, after seeds.fields has renamed them"
            raise RecipeError([Problem(str(file), 0, 0, f"no seed has the field {name!r} of seeds.clean.fields", hint)])
