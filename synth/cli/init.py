"""``synth init``."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from synth.cli.terminal import Terminal, pass_terminal
from synth.errors import UsageError


@dataclass(frozen=True, slots=True)
class _Starter:
    """A shipped recipe to begin from: ``recipes/starters/<name>.yaml``, the seeds it names, if any, and their fields
    that it uses."""

    name: str
    says: str
    seeds: str | None
    fields: tuple[str, ...] = ()


_STARTERS = (
    _Starter("wordings", "new wordings of questions whose answers you know", "questions.jsonl", ("question", "answer")),
    _Starter("reasoning", "worked solutions of questions, kept when they are right", "questions.jsonl", ("question",)),
    _Starter("tools", "conversations that use tools, in an environment with state", None),
    _Starter("steps", "your own steps of agents and prompts, no Python", "topics.jsonl", ("topic", "rule")),
)
_MODELS = {
    "embedded": "a small model that synth runs itself: no key, no server",
    "openai": "any endpoint that speaks the OpenAI protocol",
    "vllm": "vLLM, started by synth",
}
_SEEDS = (".jsonl", ".json", ".csv", ".parquet")
_MODEL_LINES = {
    "openai": """\
    provider: openai
    base_url: https://api.openai.com/v1     # or http://127.0.0.1:8000/v1, or any other such endpoint
    model: gpt-4o-mini
    api_key: ${OPENAI_API_KEY}    # read from the environment, never stored; leave it out where none is needed
    # price: {input: 0.15, output: 0.60}    # USD per million tokens; known models need none""",
    "vllm": """\
    provider: vllm                # started and stopped by synth; with a base_url, one that runs already
    model: Qwen/Qwen3-8B""",
}


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--make", type=click.Choice([starter.name for starter in _STARTERS]), help="What to make.")
@click.option("--model", type=click.Choice(list(_MODELS)), help="What makes it.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="How many examples.")
@click.option(
    "--seeds",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Your own seeds (.jsonl .json .csv .parquet), copied to DIR instead of the shipped ones.",
)
@pass_terminal
def command(
    terminal: Terminal, folder: Path, make: str | None, model: str | None, count: int | None, seeds: Path | None
) -> None:
    """Write a commented recipe that runs, and seeds for it, to DIR.

    Asks what is not given by an option: what to make, by which model, and how many examples. Where nobody can be asked,
    the first of each is taken.
    """
    recipe = folder / "recipe.yaml"
    if recipe.exists():
        raise UsageError(f"{recipe} is there already", hint="name another folder, or remove it")
    if seeds is not None and seeds.suffix not in _SEEDS:
        raise UsageError(f"{seeds} is no file of seeds", hint=f"seeds end in {' '.join(_SEEDS)}")
    make = make or _ask(terminal, "What do you want to make?", {one.name: one.says for one in _STARTERS})
    model = model or _ask(terminal, "Which model makes it?", _MODELS)
    if count is None:
        asked = click.prompt("How many examples?", default=8, type=click.IntRange(1), err=True) if _can_ask() else 8
        count = int(asked)
    starter = next(one for one in _STARTERS if one.name == make)
    if seeds is not None and starter.seeds is None:
        raise UsageError(f"{starter.name} takes no seeds", hint="leave --seeds out, or make something else")
    fields = _fields(starter, seeds) if seeds is not None else ""
    written = _write(folder, starter, model, count, seeds, fields)
    beside = f", with {written}. Both are" if written else ". It is"
    terminal.say(f"{recipe}: {count} examples of {make} by {model}{beside} yours to change. What next:")
    if fields:
        terminal.say(f"  In the recipe, say which columns of {seeds} are meant: fields: {fields}")
    if model == "openai" and not os.environ.get("OPENAI_API_KEY"):
        terminal.say("  Set OPENAI_API_KEY in the environment, or change api_key in the recipe")
    for verb, says in (("plan", "what it will take, and its first prompts"), ("run", "make it")):
        words = shlex.join(["synth", verb, str(recipe)])
        terminal.say(f"  {words}   {says}")


def _ask(terminal: Terminal, question: str, choices: dict[str, str]) -> str:
    """The user's choice, or the first where nobody can be asked."""
    first = next(iter(choices))
    if not _can_ask():
        return first
    terminal.say(question)
    for number, (name, says) in enumerate(choices.items(), 1):
        terminal.say(f"  {number} {name:<10} {says}")
    names = list(choices)
    either = click.Choice([*names, *map(str, range(1, len(names) + 1))])
    chosen: str = click.prompt(">", default=first, type=either, show_choices=False, prompt_suffix=" ", err=True)
    return names[int(chosen) - 1] if chosen.isdigit() else chosen


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _fields(starter: _Starter, seeds: Path) -> str:
    """``seeds.fields`` for what the recipe needs and no seed has: the column that looks like it, else a question mark.

    Raises ``RecipeError`` for seeds that cannot be read.
    """
    from synth.recipe.problems import nearest
    from synth.recipe.schema import SeedsSpec
    from synth.seeds import read_seeds

    columns = {column for seed in read_seeds(SeedsSpec(path=str(seeds)), Path()) for column in seed.fields}
    others = sorted(columns - {*starter.fields})
    lacking = {name: nearest(name, others) or "?" for name in starter.fields if name not in columns}
    pairs = (f"{name}: {json.dumps(column, ensure_ascii=False)}" for name, column in lacking.items())
    return f"{{{', '.join(pairs)}}}" if lacking else ""


def _write(folder: Path, starter: _Starter, model: str, count: int, seeds: Path | None, fields: str) -> Path | None:
    """Write the recipe, with ``fields`` of the seeds, and these; where they are, if there are any."""
    from synth.files import write_atomically
    from synth.shipped import shipped

    source = shipped("recipes") / "starters"
    text = (source / f"{starter.name}.yaml").read_text(encoding="utf-8")
    target = folder / f"seeds{seeds.suffix if seeds else '.jsonl'}"
    if starter.seeds is not None:
        text = text.replace(f"path: {starter.seeds}", f"{f'path: {target.name}':<{len('path: ') + len(starter.seeds)}}")
    if fields:
        text = re.sub(r"(?m)^  # fields: .*\n", "", text)
        line = f"  fields: {fields}        # name synth uses: column in the file\n"
        text = re.sub(r"(?m)^  path: .*\n", lambda found: found[0] + line, text)
    text = re.sub(r"(?m)^(    count: )\d+", rf"\g<1>{count}", text)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.resolve().name).strip("-._")
    text = re.sub(r"(?m)^name: .*$", f"name: {name or starter.name}", text)
    if model in _MODEL_LINES:
        text = re.sub(r"(?m)^    provider: embedded.*$", lambda _: _MODEL_LINES[model], text)
    write_atomically(folder / "recipe.yaml", [text.encode()])
    if starter.seeds is None:
        return None
    given = seeds or source / starter.seeds
    if not (target.exists() and given.samefile(target)):
        write_atomically(target, [given.read_bytes()])
    return target
