"""The plugin in a real vLLM gives the distributions of the transformers processor, on a real model's weights.

Both compute in single precision, so that what differs is the plugin and not the rounding of two engines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from synth.models.corrsynth.member import Member

vllm = pytest.importorskip("vllm", reason="needs vLLM")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

MODEL = os.environ.get("SYNTH_VLLM_MODEL", "")
DTYPE = os.environ.get("SYNTH_VLLM_DTYPE", "float32")
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(not MODEL, reason="needs SYNTH_VLLM_MODEL, a model folder"),
]

TOPICS = ["a lost card", "a lost card", "a failed transfer", "an exchange rate"]
STEPS = 8
MOST_LIKELY = 2000
"""Tokens of which vLLM tells: with alpha = 0.001 no more than 1,000 are possible."""


def members(delta: float) -> list[Member]:
    return [Member("g", len(TOPICS), topic, "hybrid", 1.0, delta, 0.001) for topic in TOPICS]


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(MODEL)
    asked = [[{"role": "user", "content": f"Write a customer's message to a bank about {topic}."}] for topic in TOPICS]
    texts = [tokenizer.apply_chat_template(one, add_generation_prompt=True, tokenize=False) for one in asked]
    return [tokenizer.encode(text, add_special_tokens=False) for text in texts]


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        patch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield vllm.LLM(
            model=MODEL, enforce_eager=True, dtype=DTYPE, max_model_len=256, max_num_seqs=8, max_logprobs=MOST_LIKELY,
            logprobs_mode="processed_logprobs", logits_processors=["synth.models.corrsynth.vllm_plugin:CorrSynth"],
        )  # fmt: skip


@pytest.mark.parametrize("delta", [0.5, 1.0], ids=["contrast", "none, so the engines alone"])
def test_next_token_distributions_are_those_of_the_transformers_processor(
    prompts: list[list[int]], engine: Any, delta: float
) -> None:
    chosen, found = generate(engine, prompts, members(delta))
    distances = compare(prompts, members(delta), chosen, found)
    mean, most = sum(distances) / len(distances), max(distances)
    print(f"\ntotal variation, {DTYPE}, delta {delta}: mean {mean:.5f}, most {most:.5f}")
    assert most <= 0.02


def generate(engine: Any, prompts: list[list[int]], group: list[Member]) -> tuple[list[list[int]], list[Any]]:
    """Tokens drawn by vLLM, and the logarithms of what each was drawn from, by text and step."""
    params = [
        vllm.SamplingParams(
            temperature=1.0, max_tokens=STEPS, detokenize=False, ignore_eos=True, logprobs=MOST_LIKELY,
            extra_args=member.to_xargs(),
        )
        for member in group
    ]  # fmt: skip
    asked = [{"prompt_token_ids": prompt} for prompt in prompts]
    outputs = [one.outputs[0] for one in engine.generate(asked, params, use_tqdm=False)]
    return [list(one.token_ids) for one in outputs], [one.logprobs for one in outputs]


def compare(prompts: list[list[int]], group: list[Member], chosen: list[list[int]], found: list[Any]) -> list[float]:
    """The total variation between vLLM's distributions and those of transformers, given the same prefixes."""
    from synth.models.corrsynth.equation import contrast_logits, contrast_weights

    model = transformers.AutoModelForCausalLM.from_pretrained(MODEL, dtype=getattr(torch, DTYPE)).eval()
    prefixes = [list(prompt) for prompt in prompts]
    distances = []
    for step in range(STEPS):
        with torch.inference_mode():
            logits = torch.stack([model(torch.tensor([prefix])).logits[0, -1].float() for prefix in prefixes])
        expected = torch.softmax(contrast_logits(logits, group, contrast_weights(group)), -1)
        for row, prefix in enumerate(prefixes):
            given = torch.zeros(expected.shape[1])
            for token, entry in found[row][step].items():
                given[token] = torch.tensor(entry.logprob).exp()
            distances.append(float((expected[row] - given).abs().sum()) / 2)
            prefix.append(chosen[row][step])
    return distances
