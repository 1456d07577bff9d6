"""CorrSynth (Divekar and Durrett, EMNLP 2024, arXiv 2411.08553): texts generated together, each pushed off the others.

With P_n the next-token distribution of text n given its own prompt and prefix:

    logit_m = gamma * log P_m  -  sum over n != m of gamma_mn * log P_n,     sum over n of gamma_mn = gamma - delta

``cross`` contrasts with texts of other labels, ``intra`` with those of the same label, ``hybrid`` with both, half of
gamma - delta each, shared equally within. A token stays possible only where P_m(v) >= alpha * max P_m. The equation is
reconstructed from the paper's description; deviations: where one half of ``hybrid`` has no text the other gets all of
it, and a text with nobody to be contrasted with is sampled from gamma * log P_m.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from synth.models.corrsynth.member import Member

_IMPOSSIBLE = -100.0
"""The log of a probability that is as good as none: masked tokens have -inf, which no difference can be taken of."""


def contrast_weights(members: Sequence[Member]) -> torch.Tensor:
    """gamma_mn for texts that are still being written, shape (m, m); the diagonal and other groups are 0."""
    weights = torch.zeros(len(members), len(members))
    for m, member in enumerate(members):
        others = [n for n, other in enumerate(members) if n != m and other.group == member.group]
        same = [n for n in others if members[n].label == member.label]
        different = [n for n in others if members[n].label != member.label]
        sides = {"cross": [different], "intra": [same], "hybrid": [same, different]}[member.contrast]
        sides = [side for side in sides if side]
        for side in sides:
            weights[m, side] = (member.gamma - member.delta) / len(sides) / len(side)
    return weights


def contrast_logits(logits: torch.Tensor, members: Sequence[Member], weights: torch.Tensor) -> torch.Tensor:
    """The contrasted logits of ``members``, from and to shape (m, vocabulary); ``weights`` are theirs."""
    log_p = torch.log_softmax(logits.float(), dim=-1)
    gamma = log_p.new_tensor([member.gamma for member in members])[:, None]
    alpha = log_p.new_tensor([member.alpha for member in members])[:, None]
    cut = log_p.max(dim=-1, keepdim=True).values + torch.log(alpha)
    others = log_p.clamp_min(_IMPOSSIBLE)
    contrasted = gamma * log_p - weights.to(log_p) @ others
    return contrasted.masked_fill(log_p < cut, -torch.inf)
