"""The dataset card: what a run made, how, from what, and what it rejected, as Markdown with the hub's front matter."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from synth.messages import Json
from synth.recipe.lock import Lock
from synth.report.pictures import Picture
from synth.store import Store


def dataset_card(lock: Lock, store: Store, summary: Json, pictures: Sequence[tuple[Picture, str]] = ()) -> str:
    """The text of the run folder's ``README.md``; ``pictures`` are with their paths from there."""
    recipe = lock.recipe
    parts = [_front_matter(recipe), f"# {recipe['name']}", _opening(summary), _generators(summary)]
    if summary["rejected"]:
        parts.append(_rejected(summary))
    if summary.get("exports"):
        parts.append(_exports(summary["exports"]))
    if recipe["gates"]:
        names = ", ".join(f"`{gate['id']}`" for gate in recipe["gates"])
        parts.append(f"Gates that every example passed, in order: {names}.")
    parts += [f"## {one.title}\n\n![{one.title}]({path})\n\n{one.caption}" for one, path in pictures]
    parts += [_models(recipe), _limits(recipe), *_examples(recipe, store)]
    return "\n\n".join(parts) + "\n"


def _front_matter(recipe: Json) -> str:
    ids = [spec["id"] for spec in recipe["generate"]]
    configs = "\n".join(f"- config_name: {name}\n  data_files: dataset/{name}.jsonl" for name in ids)
    given = recipe["output"]["license"]
    license_ = "" if given is None else f"license: {'other' if '://' in given else given.lower()}\n"
    return f"---\npretty_name: {recipe['name']}\n{license_}tags:\n- synthetic\n- synth\nconfigs:\n{configs}\n---"


def _opening(summary: Json) -> str:
    tokens = summary["tokens"]
    return (
        f"Synthetic data made by synth from a curated set of seeds: {summary['accepted']} of {summary['requested']} "
        f"requested examples (status: {summary['status']}). It took {summary['calls']['sent']} model calls, "
        f"{tokens['input']:,} input and {tokens['output']:,} output tokens, {summary['cost_usd']:.4f} USD and "
        f"{summary['seconds']:.0f} seconds. Every row names its seed, prompts, models, calls and cost under `lineage`."
    )


def _generators(summary: Json) -> str:
    rows = [
        f"| {name} | {entry['accepted']} | {entry['requested']} | {entry['attempts']} |"
        for name, entry in summary["generators"].items()
    ]
    return "\n".join(["| generator | accepted | requested | attempts |", "|---|---|---|---|", *rows])


def _rejected(summary: Json) -> str:
    rows = [f"| {gate} | {count} |" for gate, count in summary["rejected"].items()]
    return "\n".join(["Rejected attempts by the gate that said no:", "", "| gate | attempts |", "|---|---|", *rows])


def _exports(exports: Json) -> str:
    rows = []
    for name, told in exports.items():
        rows.append(f"- `dataset/{name}/`: {told['written']} rows")
        rows += [f"  - {count} rows left out: {reason}" for reason, count in told["left_out"].items()]
    return "\n".join(["The same rows in other formats:", "", *rows])


def _models(recipe: Json) -> str:
    models = recipe["models"].items()
    rows = [f"- `{name}`: {spec['model'] or 'default'} ({spec['provider']})" for name, spec in models]
    return "\n".join(["Models:", "", *rows])


def _limits(recipe: Json) -> str:
    licence = recipe["output"]["license"] or "not stated; add `output: {license: …}` to the recipe"
    return (
        f"Licence: {licence}. The terms of the models above may say more.\n\n"
        "Limits: the texts are a model's. Gates and checks saw every row, people did not; what the seeds lack, or the "
        "models believe wrongly, the rows may lack or repeat."
    )


def _examples(recipe: Json, store: Store) -> list[str]:
    """One example a generator, in a fence that its text cannot close."""
    shown = []
    for spec in recipe["generate"]:
        row = next(store.accepted_rows(spec["id"]), None)
        if row is not None:
            text = orjson.dumps(orjson.loads(row)["messages"], option=orjson.OPT_INDENT_2).decode()
            shown.append(f"An example of `{spec['id']}`:\n\n~~~~~json\n{text}\n~~~~~")
    return shown
