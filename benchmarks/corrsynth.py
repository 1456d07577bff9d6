"""Self-BLEU and seconds a token of CorrSynth beside plain sampling, in the transformers provider's lockstep.

    python benchmarks/corrsynth.py MODEL banking77_train.csv [--texts 8] [--tokens 24]

MODEL is a folder or a .gguf. Four intents, three seeds each in the prompt; a small trial, no student is trained.
"""

from __future__ import annotations

import argparse
import csv
import random
import time
from collections import defaultdict

from synth.diversity.measures import self_bleu, tokens
from synth.messages import Message
from synth.models.client import Request, Sampling
from synth.models.corrsynth.member import Contrast, Member
from synth.models.transformers_decoding import write_together
from synth.models.transformers_model import _load

METHODS: dict[str, tuple[Contrast, float] | None] = {
    "plain": None,
    "intra, delta .5": ("intra", 0.5),
    "cross, delta .5": ("cross", 0.5),
    "hybrid, delta .5": ("hybrid", 0.5),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--texts", type=int, default=8, help="for each of four intents")
    parser.add_argument("--tokens", type=int, default=24)
    arguments = parser.parse_args()
    loaded = _load(arguments.model, 2048)
    rng = random.Random(3)
    by_label: dict[str, list[str]] = defaultdict(list)
    with open(arguments.data, newline="") as file:
        for row in csv.DictReader(file):
            by_label[row.get("label") or row.get("category") or ""].append(row["text"])
    labels = rng.sample(sorted(by_label), 4)
    for name, method in METHODS.items():
        writings, owners = [], []
        for label in labels:
            shown = "\n".join(f"- {text}" for text in by_label[label][:3])
            asked = (
                f"Messages to a bank about {label.replace('_', ' ')}:\n{shown}\nWrite one more. Answer with it alone."
            )
            for number in range(arguments.texts):
                member = Member("g", 1, label, method[0], 1.0, method[1], 1e-3) if method is not None else None
                sampling = Sampling(1.0, 0.9, arguments.tokens)
                request = Request((Message("user", asked),), sampling, seed=1000 * number + labels.index(label))
                writings.append(loaded.writing(request, member))
                owners.append(label)
        started = time.perf_counter()
        write_together(loaded.model, writings, ends=loaded.ends, context=loaded.context, decode=loaded.tokenizer.decode)
        seconds = time.perf_counter() - started
        texts = [loaded.tokenizer.decode(one.tokens, skip_special_tokens=True) for one in writings]
        count = sum(len(one.tokens) for one in writings)
        score = self_bleu([tokens(text) for text in texts])
        print(f"{name:18} self-BLEU {score:5.1f}   {seconds / count:.4f} s/token   {texts[0]!r}", flush=True)


if __name__ == "__main__":
    main()
