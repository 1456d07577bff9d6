"""A lock keeps no secret, and tells which edits of a recipe may be resumed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import UsageError
from synth.recipe.load import load_recipe
from synth.recipe.lock import Lock, differences, make_lock, read_lock
from synth.seeds import read_seeds

RECIPE = """\
name: x
seed: 17
models:
  m: {provider: openai, model: "${NAME:-big}", base_url: http://127.0.0.1:1/v1, api_key: "${KEY}", timeout: 60}
  n:
    provider: scripted
    answers: a.yaml
seeds: {path: s.jsonl}
generate:
  - kind: cot
    count: 5
    ensemble: {samples: 3}
  - kind: custom
    count: 5
    steps: [{as: draft, prompt: judge.md.j2}]
    output: {messages: [{role: assistant, content: "{{ draft }}"}]}
axes: {mood: [calm, angry], channel: [chat]}
budget: {usd: 1}
"""


@pytest.fixture(autouse=True)
def _files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "s.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n')
    (folder / "a.yaml").write_text("- {rule: echo}\n")
    (folder / "judge.md.j2").write_text("Judge {{ seed.question }}")
    monkeypatch.setenv("KEY", "sk-secret")


def lock(recipe: str = RECIPE, *, prompts: dict[str, str] | None = None) -> Lock:
    path = Path("r.yaml")
    path.write_text(recipe)
    loaded = load_recipe(path)
    assert loaded.recipe.seeds is not None
    made = make_lock(loaded, read_seeds(loaded.recipe.seeds, loaded.base), prompts or {"cot/solver": "1"})
    kept = Path("recipe.lock.yaml")
    kept.write_text(made.to_yaml())
    again = read_lock(kept)
    assert again == made
    return again


@pytest.mark.parametrize(
    "url", ["http://me:sk-plain@h/v1", "http://h/v1?key=sk-plain&v=1", "http://h/v1?key=sk-plain${KEY}"]
)
def test_a_lock_keeps_no_secret_of_a_url(url: str) -> None:
    embedder = f"{{provider: openai, model: e, base_url: '{url}'}}"
    recipe = RECIPE.replace("http://127.0.0.1:1/v1", f'"{url}"') + f"diversity: {{embedder: {embedder}}}\n"
    text = lock(recipe).to_yaml()
    assert text.count("<not kept>") == 2
    assert "sk-plain" not in text
    assert "sk-secret" not in text


def changed(old: str, new: str) -> list[str]:
    assert old in RECIPE
    return differences(lock(), lock(RECIPE.replace(old, new)))


def test_a_lock_keeps_what_was_written_and_no_secret() -> None:
    text = lock().to_yaml()
    assert "sk-secret" not in text
    assert "api_key: ${KEY}" in text
    literal = lock(RECIPE.replace("${KEY}", "sk-literal").replace("http://", "http://me:sk-literal@")).to_yaml()
    assert "sk-literal" not in literal


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("count: 5\n    ensemble", "count: 50\n    ensemble"),
        ("usd: 1", "usd: 2"),
        ("timeout: 60", "timeout: 90"),
        ("127.0.0.1:1", "127.0.0.1:2"),
        ("axes:", "  - {id: more, kind: cot, count: 1}\naxes:"),
        ("seeds:", "  o: {provider: scripted}\nseeds:"),
        ("${KEY}", "${HOME}"),
    ],
)
def test_what_a_run_may_be_resumed_with(old: str, new: str) -> None:
    assert changed(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("samples: 3", "samples: 5", "generate.0.ensemble.samples: 3 -> 5"),
        ("seed: 17", "seed: 18", "seed: 17 -> 18"),
        ("kind: cot\n", "kind: cot\n    id: other\n", "generate.0 was 'cot' and is 'other'"),
        ("provider: scripted\n    answers: a.yaml", "provider: scripted", "models.n.answers: 'a.yaml' -> unset"),
        ("prompt: judge.md.j2", "prompt: Judge!", "generate.1.steps.0.prompt: 'judge.md.j2' -> 'Judge!'"),
        ("mood: [calm, angry], channel: [chat]", "channel: [chat], mood: [calm, angry]", "axes: their order"),
        ("[calm, angry]", "[calm]", "axes.mood: ['calm', 'angry'] -> ['calm']"),
        ("{path: s.jsonl}", "{path: s.jsonl, limit: 1}", "seeds.limit: unset -> 1"),
        ("${NAME:-big}", "small", "models.m.model: '${NAME:-big}' -> 'small'"),
    ],
)
def test_what_alters_what_was_made_is_named(old: str, new: str, expected: str) -> None:
    assert changed(old, new) == [expected]


def test_a_generator_that_is_gone_or_moved_is_named() -> None:
    first, rest = RECIPE.split("  - kind: custom")
    assert differences(lock(), lock(first + "axes:" + rest.split("axes:")[1])) == ["generate.1 (custom) is gone"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("s.jsonl", '{"question": "1+2?", "answer": "3"}\n', "seeds (content of s.jsonl)"),
        ("judge.md.j2", "Judge hard: {{ seed.question }}", "content of judge.md.j2"),
        ("a.yaml", "- {answer: no}\n", "content of a.yaml"),
    ],
)
def test_a_changed_file_is_named(folder: Path, name: str, content: str, expected: str) -> None:
    before = lock()
    (folder / name).write_text(content)
    assert differences(before, lock()) == [expected]


def test_a_changed_variable_or_shipped_prompt_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    before = lock()
    monkeypatch.setenv("NAME", "small")
    assert differences(before, lock(prompts={"cot/solver": "2"})) == [
        "prompt cot/solver",
        "models.m.model (what the environment gives)",
    ]


@pytest.mark.parametrize("content", ["", "a: [", "synth: 1", "\x00", "[1]", "{1: 2}"])
def test_a_broken_lock_is_one_message(folder: Path, content: str) -> None:
    (folder / "l.yaml").write_text(content)
    with pytest.raises(UsageError, match=r"^l\.yaml is not a lock that this synth can read$"):
        read_lock(Path("l.yaml"))
