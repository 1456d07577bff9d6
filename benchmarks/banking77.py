"""Banking77 as the benchmarks use it: seeds and real rows, an oracle that knows the labels, and a student to be taught.

Both are MiniLM with a logistic regression. The oracle is trained on the whole real train split (77 intents, about
10,000 rows) and says which label a text has; the student is trained on what a method wrote and tested on real test
rows of the chosen intents.
"""

from __future__ import annotations

import csv
import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from synth.diversity.embedders import SentenceTransformersEmbedder, open_embedder

ALIKE = {
    "transfers": [
        "balance_not_updated_after_bank_transfer",
        "beneficiary_not_allowed",
        "cancel_transfer",
        "declined_transfer",
        "failed_transfer",
        "pending_transfer",
        "transfer_not_received_by_recipient",
        "transfer_timing",
    ],
    "topping up": [
        "pending_top_up",
        "top_up_by_bank_transfer_charge",
        "top_up_by_card_charge",
        "top_up_by_cash_or_cheque",
        "top_up_failed",
        "top_up_limits",
        "top_up_reverted",
        "verify_top_up",
    ],
}
"""Eight intents each that are easily mistaken for each other."""


class Banking77:
    """``train`` and ``test`` are CSV files with the columns text and category; vectors are kept under ``cache``."""

    def __init__(self, train: Path, test: Path, cache: Path) -> None:
        self.train, self.test = _read(train), _read(test)
        self.drawn = random.Random(1).sample(sorted(self.train), 8)
        """Eight intents of all, as chance has it."""
        self._cache = cache
        self._embedder: SentenceTransformersEmbedder | None = None
        self._oracle: LogisticRegression | None = None

    def vectors(self, texts: Sequence[str]) -> Any:
        """Unit vectors, shape (n, 384)."""
        digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
        path = self._cache / f"vectors-{digest}.npy"
        if not path.exists():
            if self._embedder is None:
                embedder = open_embedder("minilm", Path())
                assert isinstance(embedder, SentenceTransformersEmbedder)
                self._embedder = embedder
            self._cache.mkdir(parents=True, exist_ok=True)
            np.save(path, self._embedder.encode(texts))
        return np.load(path)

    def right_labels(self, texts: Sequence[str], labels: Sequence[str]) -> float:
        """The share of texts to which the oracle gives the label that they were written for."""
        if self._oracle is None:
            self._oracle = self._fit(*_flat(self.train))
        return float(np.mean(self._oracle.predict(self.vectors(texts)) == np.array(labels)))

    def student_accuracy(self, texts: Sequence[str], labels: Sequence[str], intents: Sequence[str]) -> float:
        """The accuracy on real test rows of ``intents`` of a student trained on ``texts``."""
        student = self._fit(list(texts), list(labels))
        real, right = _flat({label: self.test[label] for label in intents})
        return float(np.mean(student.predict(self.vectors(real)) == np.array(right)))

    def _fit(self, texts: list[str], labels: list[str]) -> LogisticRegression:
        # C as for other few-shot probes of sentence embeddings: unit vectors need a weak penalty.
        with threadpool_limits(1):  # beside other work, threads that wait for each other make it thirty times slower
            return LogisticRegression(C=10.0, max_iter=2000).fit(self.vectors(texts), np.array(labels))


def _read(path: Path) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            rows[row["category"]].append(" ".join(row["text"].split()))
    return dict(rows)


def _flat(rows: dict[str, list[str]]) -> tuple[list[str], list[str]]:
    texts = [text for texts in rows.values() for text in texts]
    return texts, [label for label, of_label in rows.items() for _ in of_label]
