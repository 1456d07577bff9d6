"""``synth init``."""

from __future__ import annotations

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
    """A shipped recipe to begin from: ``recipes/starters/<name>.yaml``, and the seeds it names."""

    name: str
    says: str
    seeds: str


_STARTERS = (
    _Starter("wordings", "new wordings of questions whose answers you know", "questions.jsonl"),
    _Starter("reasoning", "worked solutions of questions, kept when they are right", "questions.jsonl"),
    _Starter("steps", "your own steps of agents and prompts, no Python", "topics.jsonl"),
)
_MODELS = {
    "embedded": "a small model that synth runs itself: no key, no server",
    "openai": "any endpoint that speaks the OpenAI protocol",
    "vllm": "vLLM, started by synth",
}
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
@pass_terminal
def command(terminal: Terminal, folder: Path, make: str | None, model: str | None, count: int | None) -> None:
    """Write a commented recipe that runs, and seeds for it, to DIR.

    Asks what is not given by an option: what to make, by which model, and how many examples. Where nobody can be asked,
    the first of each is taken.
    """
    recipe = folder / "recipe.yaml"
    if recipe.exists():
        raise UsageError(f"{recipe} is there already", hint="name another folder, or remove it")
    make = make or _ask(terminal, "What do you want to make?", {one.name: one.says for one in _STARTERS})
    model = model or _ask(terminal, "Which model makes it?", _MODELS)
    if count is None:
        asked = click.prompt("How many examples?", default=8, type=click.IntRange(1), err=True) if _can_ask() else 8
        count = int(asked)
    starter = next(one for one in _STARTERS if one.name == make)
    _write(folder, starter, model, count)
    terminal.say(f"{recipe}: written, with {folder / 'seeds.jsonl'}. Both are yours to change. What next:")
    for verb, says in (("plan", "what it will take, and its first prompts"), ("run", "make it")):
        words = shlex.join(["synth", verb, str(recipe)])
        terminal.say(f"  {words}   {says}")


def _ask(terminal: Terminal, question: str, choices: dict[str, str]) -> str:
    """The user's choice, or the first where nobody can be asked."""
    first = next(iter(choices))
    if not _can_ask():
        return first
    terminal.say(question)
    for name, says in choices.items():
        terminal.say(f"  {name:<10} {says}")
    chosen: str = click.prompt(
        ">", default=first, type=click.Choice(list(choices)), show_choices=False, prompt_suffix=" ", err=True
    )
    return chosen


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _write(folder: Path, starter: _Starter, model: str, count: int) -> None:
    from synth.files import write_atomically
    from synth.shipped import shipped

    source = shipped("recipes") / "starters"
    text = (source / f"{starter.name}.yaml").read_text(encoding="utf-8")
    text = text.replace(f"path: {starter.seeds}", f"{'path: seeds.jsonl':<{len('path: ') + len(starter.seeds)}}")
    text = re.sub(r"(?m)^(    count: )\d+", rf"\g<1>{count}", text)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.resolve().name).strip("-._")
    text = re.sub(r"(?m)^name: .*$", f"name: {name or starter.name}", text)
    if model in _MODEL_LINES:
        text = re.sub(r"(?m)^    provider: embedded.*$", lambda _: _MODEL_LINES[model], text)
    write_atomically(folder / "recipe.yaml", [text.encode()])
    write_atomically(folder / "seeds.jsonl", [(source / starter.seeds).read_bytes()])
