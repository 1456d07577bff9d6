"""Benchmark texts are found, whole or in part, and nothing else is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from synth.diversity.vectors import Vectors
from synth.errors import UsageError

from .helpers import make_gate, says

ITEM = (
    "Natalia sold clips to forty eight of her friends in April, and then she sold half as many clips in May. "
    "How many clips did she sell altogether in April and May?"
)


def benchmark(folder: Path, *rows: dict[str, object], name: str = "b.jsonl") -> Path:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder


@pytest.mark.parametrize("name", ["b.jsonl", "b.jsonl.gz"])
def test_a_benchmark_item_is_found_with_its_place(tmp_path: Path, name: str) -> None:
    benchmark(tmp_path, {"question": "another one"}, {"question": ITEM}, name=name)
    gate = make_gate({"gate": "decontaminate", "files": [name]}, tmp_path)
    verdict = gate.judge(says("144", question=f"Please solve: {ITEM.upper()}"))
    assert not verdict.passed
    assert f"{name}:2 has 'natalia sold clips to forty eight" in verdict.reason
    assert verdict.score == pytest.approx(20 / 22, abs=0.1)


def test_thirteen_words_are_enough_and_twelve_are_not(tmp_path: Path) -> None:
    benchmark(tmp_path, {"q": ITEM})
    gate = make_gate({"gate": "decontaminate", "files": ["b.jsonl"]}, tmp_path)
    words = ITEM.split()
    assert not gate.judge(says("x " + " ".join(words[3:16]) + " y")).passed
    assert gate.judge(says("x " + " ".join(words[3:15]) + " y")).passed


def test_a_short_item_counts_as_a_whole_and_a_label_not_at_all(tmp_path: Path) -> None:
    benchmark(tmp_path, {"q": "What is the capital of France?", "a": "Paris"})
    gate = make_gate({"gate": "decontaminate", "files": ["b.jsonl"]}, tmp_path)
    assert not gate.judge(says("Tell me: what is the capital of France?")).passed
    assert gate.judge(says("Paris is where it is. What is the capital of Spain?")).passed


@pytest.mark.parametrize(
    ("item", "label"),
    [
        ("中国的首都是哪个城市？请选择正确的答案。", "中华人民共和国"),
        ("富士山の標高は何メートルですか", "富士山"),
        ("เมืองหลวงของประเทศไทยคือเมืองใด", "กรุงเทพ"),
    ],
)
def test_scripts_without_spaces_are_compared_too(tmp_path: Path, item: str, label: str) -> None:
    benchmark(tmp_path, {"q": item, "a": label})
    gate = make_gate({"gate": "decontaminate", "files": ["b.jsonl"]}, tmp_path)
    assert "b.jsonl:1 has" in gate.judge(says(label, question=f"问题：{item}")).reason
    assert gate.judge(says(f"{label}。", question=item[: len(item) // 3])).passed


def test_fields_and_share(tmp_path: Path) -> None:
    benchmark(tmp_path, {"q": ITEM, "note": "this note stands in every row of this file and says nothing of it at all"})
    note = "This note stands in every row of this file and says nothing of it at all."
    assert not make_gate({"gate": "decontaminate", "files": ["b.jsonl"]}, tmp_path).judge(says(note)).passed
    only = make_gate({"gate": "decontaminate", "files": ["b.jsonl"], "fields": ["q"]}, tmp_path)
    assert only.judge(says(note)).passed
    lenient = make_gate({"gate": "decontaminate", "files": ["b.jsonl"], "max_share": 0.9}, tmp_path)
    assert lenient.judge(says(" ".join(f"w{i}" for i in range(40)) + " " + ITEM)).score


@pytest.mark.parametrize(
    ("content", "says_so"),
    [
        (b"", "holds no text"),
        (b'{"q": 1}\n', "holds no text"),
        (b'{"q": "a"}\n{"q": \n', r"b\.jsonl:2: broken JSON"),
    ],
)
def test_a_benchmark_that_cannot_be_compared_with_is_refused(tmp_path: Path, content: bytes, says_so: str) -> None:
    (tmp_path / "b.jsonl").write_bytes(content)
    with pytest.raises(UsageError, match=says_so):
        make_gate({"gate": "decontaminate", "files": ["b.jsonl"]}, tmp_path)


class FakeEmbedder:
    """Vectors by which topics a text names: enough to be near or far."""

    TOPICS = ("clips", "friends", "train", "hours", "pizza")

    def encode(self, texts: list[str]) -> Vectors:
        counts = np.array([[text.lower().count(topic) + 1e-3 for topic in self.TOPICS] for text in texts])
        vectors: Vectors = (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)
        return vectors


def test_a_reworded_item_is_found_by_its_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.diversity.embedders.open_sentence_embedder", lambda name, base: FakeEmbedder())
    benchmark(tmp_path, {"q": "A train needs three hours for the whole way there."}, {"q": ITEM})
    by_words = make_gate({"gate": "decontaminate", "files": ["b.jsonl"]}, tmp_path)
    by_meaning = make_gate({"gate": "decontaminate", "files": ["b.jsonl"], "max_similarity": 0.85}, tmp_path)
    reworded = says(
        "144", question="How many clips did Ava hand to friends, when clips went to half as many and clips were 48?"
    )
    assert by_words.judge(reworded).passed
    verdict = by_meaning.judge(reworded)
    assert not verdict.passed
    assert verdict.reason.startswith("it means what b.jsonl:2 does (")
    assert verdict.score is not None
    assert verdict.score > 0.85
    assert by_meaning.judge(says("12", question="How many slices of pizza are left on the table tonight?")).passed
