"""The plugin in a real vLLM against the transformers processor, on a tiny random model.

Runs in vLLM's own virtual environment, which ``tests/live/vllm/run`` makes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synth.models.corrsynth.member import Member

vllm = pytest.importorskip("vllm", reason="needs vLLM")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = [pytest.mark.vllm, pytest.mark.filterwarnings("default")]

PROMPTS = [[5, 6, 7], [8, 9], [10, 11, 12, 13]]
MEMBERS = [Member("g", 3, label, "hybrid", 1.0, 0.5, 0.001) for label in "aab"]
STEPS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(5)
    config = transformers.LlamaConfig(
        vocab_size=64, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, head_dim=32, initializer_range=0.4, max_position_embeddings=64,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def engine(folder: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        patch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield vllm.LLM(
            model=str(folder), enforce_eager=True, dtype="float32", max_model_len=64, skip_tokenizer_init=True,
            max_num_seqs=8, max_logprobs=-1, logprobs_mode="processed_logprobs",
            logits_processors=["synth.models.corrsynth.vllm_plugin:CorrSynth"],
        )  # fmt: skip


def generate(engine: Any, members: list[Member | None]) -> tuple[list[list[int]], list[Any]]:
    params = [
        vllm.SamplingParams(
            temperature=0,
            max_tokens=STEPS,
            detokenize=False,
            ignore_eos=True,
            logprobs=-1,
            extra_args=member.to_xargs() if member else None,
        )
        for member in members
    ]
    outputs = engine.generate([{"prompt_token_ids": prompt} for prompt in PROMPTS], params, use_tqdm=False)
    return [list(one.outputs[0].token_ids) for one in outputs], [one.outputs[0].logprobs for one in outputs]


def test_the_plugin_gives_the_processors_distributions(engine: Any, folder: Path) -> None:
    from synth.models.corrsynth.equation import contrast_logits, contrast_weights

    chosen, logprobs = generate(engine, list(MEMBERS))
    model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    prefixes = [list(prompt) for prompt in PROMPTS]
    for step in range(STEPS):
        with torch.inference_mode():
            logits = torch.stack([model(torch.tensor([prefix])).logits[0, -1].float() for prefix in prefixes])
        expected = torch.softmax(contrast_logits(logits, MEMBERS, contrast_weights(MEMBERS)), -1)
        for row in range(len(PROMPTS)):
            found = torch.zeros(expected.shape[1])
            for token, entry in logprobs[row][step].items():
                found[token] = torch.tensor(entry.logprob).exp()
            assert float((expected[row] - found).abs().sum()) / 2 <= 0.02
            prefixes[row].append(chosen[row][step])


def test_requests_of_no_group_are_left_alone(engine: Any) -> None:
    plain, _ = generate(engine, [None] * 3)
    mixed, _ = generate(engine, [MEMBERS[0], None, MEMBERS[2]])
    neutral, _ = generate(engine, [replace(member, delta=1.0, alpha=0.0) for member in MEMBERS])
    assert mixed[1] == plain[1]
    assert neutral == plain


def test_bad_arguments_are_refused(engine: Any) -> None:
    bad = vllm.SamplingParams(extra_args={**MEMBERS[0].to_xargs(), "corrsynth_delta": 3})
    with pytest.raises(Exception, match="between 0 and gamma"):
        engine.generate([{"prompt_token_ids": [5]}], [bad], use_tqdm=False)
