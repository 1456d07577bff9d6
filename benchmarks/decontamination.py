# ruff: noqa: E501 - a table of words reads better in long lines
"""Benchmark items in a data set: 100 GSM8K test items, reworded by rules, among 10,000 texts.

    python benchmarks/decontamination.py gsm8k_test.jsonl gsm8k_train.jsonl banking77_train.csv [--count 10000]

Each planted item has other names, some 40 common words replaced by synonyms, and is asked with other words: no run of
13 words stays in most of them. The others are customers' questions, and problems of GSM8K's own train split, which are
the hard ones: of the same sort, and not in the benchmark. Found by 13-grams, and by meaning at several thresholds.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import time
from pathlib import Path

import orjson

from benchmarks.common import show
from synth.curation.benchmarks import Benchmarks
from synth.recipe.cleaning import DecontaminateOptions

NAMES = "Ava Noor Diego Mei Kofi Lena Omar Freya Tariq Yuki".split()
SYNONYMS = {
    "how many": "what number of", "how much": "what amount of", "buys": "purchases", "buy": "purchase", "bought": "purchased",
    "sells": "is selling", "sold": "has sold", "each": "every", "wants": "would like", "needs": "requires", "has": "owns",
    "gives": "hands", "gave": "handed", "gets": "receives", "got": "received", "makes": "earns", "total": "overall sum",
    "every day": "daily", "per week": "a week", "per day": "a day", "per hour": "an hour", "if": "suppose", "then": "after that",
    "also": "in addition", "costs": "is priced at", "cost": "price", "pays": "spends", "friends": "pals", "big": "large",
    "kids": "children", "children": "kids", "store": "shop", "dollars": "bucks", "uses": "takes", "lives": "dwells",
    "takes": "needs", "house": "home", "car": "vehicle", "trip": "journey", "altogether": "in all", "half": "one half", "first": "initial",
}  # fmt: skip
_WORDS = re.compile(rf"\b({'|'.join(sorted(map(re.escape, SYNONYMS), key=len, reverse=True))})\b", re.IGNORECASE)
_NAME = re.compile(
    r"\b(?!The|She|He|His|Her|They|How|If|When|What|Each|On|In|At|For|A|It|After|There|This|Then|An|As|By)[A-Z][a-z]{2,}\b"
)
THRESHOLDS = (0.75, 0.8, 0.85, 0.9)


def reword(question: str, rng: random.Random) -> str:
    names: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        return names.setdefault(match.group(), NAMES[(len(names) + rng.randrange(3)) % len(NAMES)])

    return _WORDS.sub(lambda match: SYNONYMS[match.group().lower()], _NAME.sub(name, question))


def questions(path: Path) -> list[str]:
    return [orjson.loads(line)["question"] for line in path.read_bytes().splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", type=Path)
    parser.add_argument("train", type=Path)
    parser.add_argument("others", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    options = parser.parse_args()
    rng = random.Random(4)
    planted = [reword(question, rng) for question in rng.sample(questions(options.test), 100)]
    hard = questions(options.train)
    with options.others.open(newline="") as file:
        others = [row["text"] for row in csv.DictReader(file)][: options.count - 100 - len(hard)]
    spec = DecontaminateOptions(files=[str(options.test.absolute())], fields=["question"], max_similarity=1.0)
    benchmarks = Benchmarks(spec, Path())
    found: dict[str, list[tuple[bool, float]]] = {}
    began = time.process_time()
    for sort, texts in (("planted", planted), ("GSM8K train", hard), ("customers' questions", others)):
        results = [benchmarks.compare([text]) for text in texts]
        found[sort] = [(one.share > 0, one.similarity) for one in results]
    spent = time.process_time() - began
    header = ["", "texts", "13-grams", *(f"or meaning > {most}" for most in THRESHOLDS)]
    rows = []
    for sort, results in found.items():
        either = [sum(words or similarity > most for words, similarity in results) for most in THRESHOLDS]
        rows.append([sort, str(len(results)), str(sum(words for words, _ in results)), *map(str, either)])
    show("flagged", header, rows)
    print(f"for example: {planted[0]}")
    print(f"{sum(map(len, found.values())) / spent:,.0f} texts a CPU second, the vectors of the benchmark included")


if __name__ == "__main__":
    main()
