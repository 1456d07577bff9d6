"""CorrSynth's equation is what the paper says, on a tiny random model where the maths is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `transformers`")
transformers = pytest.importorskip("transformers", reason="needs the extra `transformers`")

from synth.models.corrsynth.equation import contrast_logits, contrast_weights  # noqa: E402
from synth.models.corrsynth.member import Member  # noqa: E402
from synth.models.transformers_decoding import Writing, draw_token, write_together  # noqa: E402

VOCABULARY = 50
MEMBER = Member("g", 4, "a", "hybrid", 1.0, 0.5, 0.0)


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.6,
        max_position_embeddings=128,
    )
    return transformers.LlamaForCausalLM(config).eval()


def next_log_p(model: Any, tokens: Sequence[int]) -> Any:
    with torch.inference_mode():
        return torch.log_softmax(model(torch.tensor([list(tokens)])).logits[0, -1].float(), -1)


def write(model: Any, *writings: Writing, ends: frozenset[int] = frozenset(), context: int = 128) -> list[list[int]]:
    write_together(model, writings, ends=ends, context=context, decode=lambda tokens: " ".join(map(str, tokens)))
    return [one.tokens for one in writings]


def of(label: str, **changes: Any) -> Member:
    return replace(MEMBER, label=label, **changes)


def test_gamma_and_delta_of_one_are_plain_few_shot_generation_token_for_token(model: Any) -> None:
    prompts = [[1, 2, 3], [4, 5], [6, 7, 8, 9]]
    plain = write(model, *(Writing(prompt, 20, seed=n) for n, prompt in enumerate(prompts)))
    contrasted = write(
        model, *(Writing(prompt, 20, seed=n, member=of("a", delta=1.0)) for n, prompt in enumerate(prompts))
    )
    assert contrasted == plain
    alone = [write(model, Writing(prompt, 20, seed=n))[0] for n, prompt in enumerate(prompts)]
    assert plain == alone


def test_identical_texts_leave_p_to_the_delta(model: Any) -> None:
    log_p = next_log_p(model, [1, 2, 3])
    for contrast in ("intra", "hybrid"):
        members = [of("a", contrast=contrast, delta=0.3)] * 3
        found = contrast_logits(log_p.expand(3, -1), members, contrast_weights(members))
        expected = torch.softmax(0.3 * log_p, -1)
        assert torch.allclose(torch.softmax(found, -1), expected.expand(3, -1), atol=1e-5)


def test_with_the_others_prefix_set_to_ones_own_it_is_classifier_free_guidance(model: Any) -> None:
    prefix, scale = [7, 8, 9], 1.8
    conditional, unconditional = next_log_p(model, [1, 2, *prefix]), next_log_p(model, prefix)
    members = [of("a", contrast="cross", gamma=scale, delta=1.0), of("b", contrast="cross", gamma=scale, delta=1.0)]
    found = contrast_logits(torch.stack([conditional, unconditional]), members, contrast_weights(members))
    guided = unconditional + scale * (conditional - unconditional)
    assert torch.allclose(torch.softmax(found[0], -1), torch.softmax(guided, -1), atol=1e-5)


def test_nothing_below_the_cut_is_ever_sampled(model: Any) -> None:
    log_p = torch.stack([next_log_p(model, [n, n + 1]) for n in range(4)])
    members = [of(label, alpha=0.1, delta=0.0) for label in "aabb"]
    logits = contrast_logits(log_p, members, contrast_weights(members))
    allowed = log_p.exp() >= 0.1 * log_p.exp().max(-1, keepdim=True).values
    draw = torch.Generator().manual_seed(1)
    for row in range(4):
        assert 0 < int(allowed[row].sum()) < VOCABULARY
        for _ in range(300):
            assert allowed[row, draw_token(logits[row], Writing([], 1), draw)]


def test_weights_follow_the_contrast_and_add_up_to_gamma_minus_delta() -> None:
    labels = "aaabb"
    expected = {
        "cross": [0, 0, 0, 0.25, 0.25],
        "intra": [0, 0.25, 0.25, 0, 0],
        "hybrid": [0, 0.125, 0.125, 0.125, 0.125],
    }
    for contrast, first in expected.items():
        weights = contrast_weights([of(label, contrast=contrast) for label in labels])
        assert torch.allclose(weights[0], torch.tensor(first))
        assert torch.allclose(weights.sum(1), torch.full((5,), 0.5))


def test_other_groups_and_a_group_of_one_change_nothing(model: Any) -> None:
    log_p = torch.stack([next_log_p(model, [n, n + 1]) for n in range(2)])
    members = [of("a"), of("b", group="other")]
    found = contrast_logits(log_p, members, contrast_weights(members))
    assert torch.allclose(torch.log_softmax(found, -1), log_p, atol=1e-5)


def test_texts_that_have_ended_leave_the_contrast(model: Any) -> None:
    first, second, brief = [1, 2, 3], [9, 8], [5, 5]
    strong = of("a", delta=0.1)
    together = write(
        model,
        Writing(first, 12, temperature=0, member=strong),
        Writing(second, 12, temperature=0, member=strong),
        Writing(brief, 1, temperature=0, member=strong),
    )
    assert [len(tokens) for tokens in together] == [12, 12, 1]
    one, other = list(first), list(second)
    third = [next_log_p(model, brief)]
    for step in range(12):
        logs = torch.stack([next_log_p(model, one), next_log_p(model, other), *(third if step == 0 else [])])
        members = [strong] * len(logs)
        chosen = contrast_logits(logs, members, contrast_weights(members)).argmax(-1)
        one.append(int(chosen[0]))
        other.append(int(chosen[1]))
    assert together[:2] == [one[3:], other[2:]]


def test_a_text_that_ends_at_once(model: Any) -> None:
    prompts = [[1, 2, 3], [9, 8], [5, 5]]
    members = [of("a", delta=0.1)] * 3
    logs = torch.stack([next_log_p(model, prompt) for prompt in prompts])
    *others, end = contrast_logits(logs, members, contrast_weights(members)).argmax(-1).tolist()
    writings = [
        Writing(prompt, 6, temperature=0, member=member) for prompt, member in zip(prompts, members, strict=True)
    ]
    tokens = write(model, *writings, ends=frozenset([end]))
    assert (tokens[2], writings[2].ended) == ([], "stop")
    assert [one[:1] for one in tokens[:2]] == [[] if first == end else [first] for first in others]
    assert all(one.ended for one in writings)


def test_how_texts_end(model: Any) -> None:
    writings = [Writing([1, 2], 30, seed=4, member=of("a")), Writing([3], 30, seed=5), Writing([1] * 40, 9)]
    free = [list(tokens) for tokens in write(model, *(replace(one, tokens=[], ended="") for one in writings[:2]))]
    stop = str(free[1][3])
    first = next(place for place, token in enumerate(free[1]) if str(token) == stop or stop in str(token))
    writings[1].stops = (stop,)
    write(model, *writings, context=40)
    assert [one.ended for one in writings] == ["length", "stop", "length"]
    assert len(writings[1].tokens) == first + 1
    assert writings[2].tokens == []
    assert len(writings[0].tokens) == 30


def test_a_token_that_is_impossible_elsewhere_breaks_nothing() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, -torch.inf]])
    members = [of("a"), of("a")]
    found = contrast_logits(logits, members, contrast_weights(members))
    assert not torch.isnan(found).any()
    assert torch.isfinite(torch.softmax(found, -1)).all()
