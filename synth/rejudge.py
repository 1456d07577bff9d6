"""Judges rows that are there already: those of a run folder or of a file, by a rubric, beside labels where there are
some. Answers are kept in the user's cache, so that a second time, or after a kill, nothing is paid for twice."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from synth.agents.context import UnitContext
from synth.agents.together import together
from synth.curation.reading import read_rows
from synth.errors import RunError, TransientError, UsageError
from synth.events import Listener
from synth.example import WorkUnit
from synth.export.exporting import dataset_rows
from synth.fingerprint import derive_seed
from synth.judging.calibration import calibrate, read_labels
from synth.judging.panel import Assessment, Panel, Subject
from synth.judging.report import report_judges, warnings
from synth.messages import Json, Message
from synth.models.cache import open_cache
from synth.models.caller import CallRecord
from synth.models.client import Request
from synth.models.embedded.pull import is_path
from synth.models.embedded.registry import DEFAULT, MODELS
from synth.models.journaled import JournaledCaller
from synth.models.open import open_models
from synth.reader import RunReader
from synth.recipe.base import Spec
from synth.recipe.ensemble import AgentSpec
from synth.recipe.environment import substitute
from synth.recipe.gates import JudgeSpec
from synth.recipe.lock import NOT_KEPT, read_lock
from synth.recipe.models import ModelSpec
from synth.recipe.problems import Problems, did_you_mean
from synth.recipe.rubric import Rubric, load_rubric

_AT_ONCE = 2
"""Rows in the making per request that a model takes at once."""
_DEFAULT_MIN = 0.6

_Read = TypeVar("_Read", bound=Spec)


@dataclass(frozen=True, slots=True)
class Judging:
    """Who judges, by what. ``agents`` are the judges, of ``models``; ``least`` is the score that counts as good;
    ``base`` is what the models' own paths are relative to. ``gate`` is the run's judge gate where it has judged in just
    this way, so that its verdicts count."""

    rubric: Rubric
    models: Mapping[str, ModelSpec]
    agents: Sequence[AgentSpec]
    least: float
    base: Path
    gate: str | None


def plan_judging(
    path: Path, *, rubric: str | None = None, judges: Sequence[str] = (), least: float | None = None
) -> Judging:
    """What is asked for, and where it is not said what the run in ``path`` has: the rubric, judges and score of its
    first judge gate, else its first model and ``helpfulness``.

    A judge is a model of the run's recipe, a name of ``synth models list``, or the path of a ``.gguf``. Raises
    ``UsageError``.
    """
    if not path.is_file():
        dataset_rows(path)
    recipe = read_lock(lock).recipe if (lock := path / "recipe.lock.yaml").exists() else {}
    written: Json | None = next((one for one in recipe.get("gates", ()) if one["gate"] == "judge"), None)
    gate = _of_run(JudgeSpec, written or {"gate": "judge"}, "gates.judge", lock)
    known: Json = recipe.get("models", {})
    embedded = [model.name for model in MODELS]
    base = _recipe_folder(path)
    chosen: dict[str, ModelSpec] = {}
    agents: list[AgentSpec] = []
    for judge in judges or gate.agents or [next(iter(known), DEFAULT)]:
        name = judge if isinstance(judge, str) else judge.model
        if name in known:
            spec = _model_of_run(name, known[name], lock)
        elif name in embedded or is_path(name):
            spec = ModelSpec(provider="embedded", model=str(Path(name).absolute()) if is_path(name) else name)
            name = re.sub(r"^\W+|[^\w.-]", "-", Path(name).name)
        else:
            hint = did_you_mean(name, [*known, *embedded], "models")
            raise UsageError(f"there is no model {name!r}", hint=hint)
        if chosen.setdefault(name, spec) != spec:
            raise UsageError(f"two of the judges would be called {name!r}", hint="give one of the files another name")
        agents.append(AgentSpec(model=name) if isinstance(judge, str) else _without_defaults(judge))
    given = gate.min if isinstance(gate.min, float) else _DEFAULT_MIN
    return Judging(
        load_rubric(rubric, Path()) if rubric else load_rubric(gate.rubric, base),
        chosen,
        agents,
        least if least is not None else given,
        base,
        gate.id if written and not judges and rubric in (None, gate.rubric) else None,
    )


def judge_rows(
    path: Path, judging: Judging, *, against: Path | None = None, limit: int | None = None, listener: Listener
) -> Json:
    """Judge the rows of ``path``: with ``against`` only those that have a label there, else the first ``limit``.

    Gives ``rubric``, ``judges``, ``rows`` (``id``, ``score``, ``judgement``), ``report``, ``warnings``, and with labels
    ``against`` and ``unknown``: labelled ids that are no rows. Raises ``UsageError`` and ``RunError``.
    """
    labels = read_labels(_labelled(against), judging.rubric) if against is not None else None
    chosen: dict[str, Json] = {}
    for identifier, row in _rows(path, rejected=labels is not None):
        if (labels is None or identifier in labels) and (limit is None or len(chosen) < limit):
            if identifier in chosen:
                raise UsageError(
                    f"two rows of {path} have the id {identifier!r}", hint="give every row an id of its own"
                )
            chosen[identifier] = row
    if not chosen:
        hint = "a label's id is a row's id" if labels is not None else ""
        raise UsageError(f"{path} has no row {'that is labelled' if labels is not None else 'to judge'}", hint=hint)
    panel = Panel(judging.rubric, judging.models, judging.agents)
    kept = {identifier: found for identifier, row in chosen.items() if (found := _kept(row, panel, judging.gate))}
    open_ones = {identifier: _messages(row) for identifier, row in chosen.items() if identifier not in kept}
    asked = asyncio.run(_judge(open_ones, panel, judging, listener)) if open_ones else {}
    assessments = {identifier: kept.get(identifier) or asked[identifier] for identifier in chosen}
    judgements = [found.to_dict() for found in assessments.values()]
    report = report_judges(judgements)
    result: Json = {
        "rubric": judging.rubric.name,
        "judges": [agent.model for agent in judging.agents],
        "rows": [
            {"id": identifier, "score": None if found.score is None else round(found.score, 4), "judgement": judgement}
            for (identifier, found), judgement in zip(assessments.items(), judgements, strict=True)
        ],
        "report": report,
        "warnings": list(warnings(report)),
    }
    if labels is not None:
        result["against"] = {"min": judging.least, **calibrate(assessments, labels, judging.least)}
        result["unknown"] = [identifier for identifier in labels if identifier not in chosen]
    return result


def _kept(row: Json, panel: Panel, gate: str | None) -> Assessment | None:
    """What the run's own judge gate said of a row, if it asked with the same prompts and rubric."""
    judgement = (row.get("judgements") or {}).get(gate)
    prompts = row["lineage"]["prompts"] if judgement else {}
    if not judgement or prompts.get(panel.rubric.name) != panel.prompts[panel.rubric.name]:
        return None
    return Assessment.from_dict(judgement, panel.rubric)


async def _judge(
    rows: Mapping[str, list[Message]], panel: Panel, judging: Judging, listener: Listener
) -> dict[str, Assessment]:
    places = asyncio.Semaphore(_AT_ONCE * sum(spec.concurrency for spec in judging.models.values()))
    async with (
        open_models(judging.models, base=judging.base, report=listener) as models,
        open_cache(True, report=listener) as cache,
    ):
        caller = JournaledCaller(models, _Unkept(), cache=cache)

        async def judge(index: int, messages: list[Message]) -> Assessment:
            unit = WorkUnit("judge", "judge", index, 0, None, {}, derive_seed("judge", index))
            async with places:
                return await panel.assess(UnitContext(unit, caller), Subject(messages))

        try:
            found = await together(judge(*one) for one in enumerate(rows.values()))
        except TransientError as error:
            raise RunError(
                f"a judge does not answer: {error.message}", hint="run the same command again: it goes on"
            ) from error
    return dict(zip(rows, found, strict=True))


class _Unkept:
    """No journal: the cache remembers."""

    async def find_call(self, call_id: str, fingerprint: str, request: Request) -> CallRecord | None:
        return None

    async def record_call(self, record: CallRecord) -> None:
        pass


def _rows(path: Path, *, rejected: bool) -> Iterator[tuple[str, Json]]:
    """Every row by its id; of a run folder also the rejected ones where they are asked for."""
    yield from _file_rows(path) if path.is_file() else ((str(row.get("id")), row) for row in dataset_rows(path)())
    others = path / "rejected.jsonl"
    if rejected and others.exists():
        yield from ((name, row) for name, row in _file_rows(others) if row.get("messages"))


def _file_rows(path: Path) -> Iterator[tuple[str, Json]]:
    for row in read_rows(path, _refuse(path)):
        if not isinstance(row.data.get("messages"), list) and path.name != "rejected.jsonl":
            raise UsageError(f"{path}:{row.line}: a row to judge has a list of messages")
        yield str(row.data.get("id", row.line)), row.data


def _labelled(path: Path) -> Iterator[tuple[str, Json]]:
    if not path.is_file():
        raise UsageError(f"there is no file of labels {str(path)!r}")
    return ((f"{path}:{row.line}", row.data) for row in read_rows(path, _refuse(path)))


def _refuse(path: Path) -> Any:
    def refuse(line: int, fault: str) -> None:
        raise UsageError(f"{path}:{line}: {fault}")

    return refuse


def _messages(row: Json) -> list[Message]:
    try:
        return [Message.from_dict(message) for message in row["messages"]]
    except (KeyError, TypeError) as error:
        raise UsageError(f"row {row.get('id')!r} holds messages that are not of the OpenAI chat format") from error


def _recipe_folder(path: Path) -> Path:
    """What paths in the recipe of the run in ``path`` are relative to; the current folder where that has gone."""
    if not (path / "run.sqlite").exists():
        return Path()
    with RunReader(path) as reader:
        return reader.recipe_folder or Path()


def _without_defaults(judge: AgentSpec) -> AgentSpec:
    """As the recipe had it: the defaults that a lock fills in would overrule the model's own sampling."""
    return AgentSpec.model_validate(judge.model_dump(exclude_defaults=True))


def _model_of_run(name: str, written: Json, lock: Path) -> ModelSpec:
    """A model of the run's recipe; its key comes from the environment, as it did then."""
    spec = _of_run(ModelSpec, written, f"models.{name}", lock)
    spec = spec.model_copy(update={"batch": False})  # nobody waits hours for a verdict
    if NOT_KEPT in spec.model_dump_json():
        raise UsageError(
            f"a secret of model {name!r} stood in the recipe itself, and is not kept",
            hint="write ${VAR} there: then it is read from the environment, here too",
        )
    return spec


def _of_run(kind: type[_Read], written: Json, place: str, lock: Path) -> _Read:
    """A part of the run's recipe, with what the environment holds now."""
    problems = Problems(str(lock))
    filled = substitute(written, os.environ, problems, {})
    problems.raise_if_any()
    try:
        return kind.model_validate(filled)
    except ValidationError as error:
        raise UsageError(f"{lock}: {place} cannot be used: {error.errors()[0]['msg']}") from error
