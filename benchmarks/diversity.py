"""Self-BLEU, labels and a student's accuracy of ways to write varied texts, with a real model in vLLM.

    python benchmarks/diversity.py banking77_train.csv --out FOLDER --vllm VENV --model FOLDER

The test rows are read from banking77_test.csv beside the train file. Eight intents (drawn by chance, or with
``--intents`` eight that are easily mistaken for each other), three seeds of each in the prompt; every method has the
same prompts, min_p and token ceiling, and differs only as the table says. Each method is a whole run of synth whose
folder stays in FOLDER, so the same command goes on where it was ended; ``--minutes`` ends it between two methods.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import yaml

from benchmarks.banking77 import ALIKE, Banking77
from benchmarks.common import show
from benchmarks.vllm_server import serving_vllm
from synth import load_recipe, run
from synth.diversity.measures import self_bleu, tokens
from synth.diversity.spread import vendi_score

SEEDS = 3
MAX_TOKENS = 40
GROUP = 32
PROMPT = """\
{% block system %}You write as customers of a bank do.{% endblock %}
{% block user_1 %}{{ ask }}{% endblock %}
{% block assistant_1 %}{{ seed.first }}{% endblock %}
{% block user_2 %}{{ ask }}{% endblock %}
{% block assistant_2 %}{{ seed.second }}{% endblock %}
{% block user_3 %}{{ ask }}{% endblock %}
{% block assistant_3 %}{{ seed.third }}{% endblock %}
{% block user %}{{ ask }}{% if guidance %}

{{ guidance }}{% endif %}{% endblock %}""".replace("{{ ask }}", "Write to the bank about: {{ seed.topic }}.")
"""The three seeds as turns, which small models follow better than a list."""


@dataclass(frozen=True)
class Method:
    """What of a recipe a method changes."""

    sampling: dict[str, Any] = field(default_factory=dict)
    decode: dict[str, Any] | None = None
    novelty: bool = False


def corrsynth(contrast: str, delta: float) -> dict[str, Any]:
    return {"method": "corrsynth", "contrast": contrast, "delta": delta, "group": GROUP, "alpha": 0.001}


METHODS = {
    "plain": Method(),
    "temperature 1.3": Method(sampling={"temperature": 1.3}),
    "plain + novelty": Method(novelty=True),
    "corrsynth cross": Method(decode=corrsynth("cross", 0.5)),
    "corrsynth intra": Method(decode=corrsynth("intra", 0.6)),
    "corrsynth hybrid": Method(decode=corrsynth("hybrid", 0.5)),
    "corrsynth + novelty": Method(decode=corrsynth("hybrid", 0.5), novelty=True),
}
REAL = "real data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="where runs are kept")
    parser.add_argument("--vllm", type=Path, help="a virtual environment with vLLM; without, what is there is shown")
    parser.add_argument("--model", type=Path, help="a model folder")
    parser.add_argument("--texts", type=int, default=400, help="for each method and seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--minutes", type=float, default=14)
    parser.add_argument("--intents", choices=["drawn", *ALIKE], default="drawn")
    arguments = parser.parse_args()
    data = Banking77(arguments.train, arguments.train.with_name("banking77_test.csv"), arguments.out / "cache")
    bench = Bench(data, arguments.out, arguments.texts, ALIKE.get(arguments.intents, data.drawn))
    left = [(seed, name) for seed in arguments.seeds for name in arguments.methods if not bench.done(name, seed)]
    if arguments.vllm is not None and left:
        deadline = time.monotonic() + 60 * arguments.minutes
        with serving_vllm(arguments.vllm, arguments.model, arguments.out / "vllm.log") as url:
            bench.run_all(left, url, arguments.model.name, deadline)
    bench.report(arguments.methods, arguments.seeds)


class Bench:
    def __init__(self, data: Banking77, out: Path, texts: int, intents: list[str]) -> None:
        self._data = data
        self._out = out
        self._texts = texts
        self._intents = intents

    def run_all(self, left: list[tuple[int, str]], url: str, model: str, deadline: float) -> None:
        """Carry out these runs, until the minutes are over."""
        for seed, name in left:
            if time.monotonic() > deadline:
                print("the minutes are over; run the same command again to go on", flush=True)
                return
            started = time.monotonic()
            summary = self._run(METHODS[name], name, seed, url, model)
            print(f"{name}, seed {seed}: {summary['accepted']} texts, {time.monotonic() - started:.0f} s", flush=True)

    def _folder(self, name: str, seed: int) -> Path:
        return self._out / f"{self._intents[0]}-{self._texts}-{seed}-{name.replace(' ', '-')}"

    def done(self, name: str, seed: int) -> bool:
        summary = self._folder(name, seed) / "summary.json"
        return summary.exists() and json.loads(summary.read_text())["status"] == "complete"

    def _run(self, method: Method, name: str, seed: int, url: str, model: str) -> dict[str, Any]:
        folder = self._folder(name, seed)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in self._seed_rows(seed)))
        generator: dict[str, Any] = {
            "id": "texts",
            "kind": "custom",
            "count": self._texts,
            "steps": [{"as": "draft", "prompt": PROMPT}],
            "accept": "{{ draft.split() | length > 2 }}",
            "output": {
                "messages": [
                    {"role": "user", "content": "{{ draft }}"},
                    {"role": "assistant", "content": "{{ seed.label }}"},
                ],
                "text": "{{ draft }}",
            },
        }
        if method.decode is not None:
            generator["decode"] = method.decode
        sampling = {"temperature": 1.0, "max_tokens": MAX_TOKENS, "stop": ["\n"], "extra_body": {"min_p": 0.05}}
        recipe = {
            "name": "bench",
            "seed": seed,
            "models": {
                "m": {
                    "provider": "vllm",
                    "model": model,
                    "base_url": url,
                    "concurrency": 2 * GROUP,
                    "sampling": sampling | method.sampling,
                }
            },
            "seeds": {"path": "seeds.jsonl"},
            "generate": [generator],
            "diversity": {"teacher_echo": True} if method.novelty else "off",
            "budget": {"attempts": 20},
        }
        (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
        result = run(load_recipe(folder / "recipe.yaml"), run_dir=folder)
        if result.ending.status in ("failed", "interrupted"):
            raise SystemExit(f"{name}: {result.ending.message}")
        return dict(result.summary)

    def _seed_rows(self, seed: int) -> Iterator[dict[str, str]]:
        rng = random.Random(seed)
        for label in self._intents:
            shown = rng.sample(self._data.train[label], SEEDS)
            topic = label.replace("_", " ").lower()
            yield {"label": label, "topic": topic, **dict(zip(("first", "second", "third"), shown, strict=True))}

    def report(self, methods: list[str], seeds: list[int]) -> None:
        rows = []
        for name in [*methods, REAL]:
            found = [one for seed in seeds if (one := self.measure(name, seed)) is not None]
            if found:
                rows.append([name, str(len(found)), *(_spread([one[key] for one in found]) for key in found[0])])
        header = ["method", "seeds", "self-BLEU", "Vendi", "right label %", "student %", "tokens/text", "s/text"]
        show(f"{self._texts} texts a seed; intents: {', '.join(self._intents)}", header, rows)

    def measure(self, name: str, seed: int) -> dict[str, float] | None:
        if name == REAL:
            rng = random.Random(seed)
            drawn = [(text, label) for label in self._intents for text in self._draw_real(rng, label)]
            texts, labels = [text for text, _ in drawn], [label for _, label in drawn]
            cost = seconds = float("nan")
        else:
            if not self.done(name, seed):
                return None
            folder = self._folder(name, seed)
            made = [json.loads(line) for line in (folder / "dataset" / "texts.jsonl").read_text().splitlines()]
            texts = [row["messages"][0]["content"] for row in made]
            labels = [row["messages"][1]["content"] for row in made]
            summary = json.loads((folder / "summary.json").read_text())
            cost, seconds = summary["tokens"]["output"] / len(texts), summary["seconds"] / len(texts)
        return {
            "self_bleu": self_bleu([tokens(text) for text in texts]),
            "vendi": vendi_score(self._data.vectors(texts)),
            "right": 100 * self._data.right_labels(texts, labels),
            "student": 100 * self._data.student_accuracy(texts, labels, self._intents),
            "tokens": cost,
            "seconds": seconds,
        }

    def _draw_real(self, rng: random.Random, label: str) -> list[str]:
        rows = self._data.train[label]
        return rng.sample(rows, min(len(rows), self._texts // len(self._intents)))  # the smallest intent has 35


def _spread(values: list[float]) -> str:
    if any(map(isnan, values)):
        return ""
    return f"{mean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{mean(values):.1f}"


if __name__ == "__main__":
    main()
