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
"""So far below the likeliest a token is as good as impossible: masked ones have -inf, which no difference can be
taken of."""


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
    """The contrasted logits of ``members``, from and to shape (m, vocabulary); ``weights`` are theirs.

    Up to a constant for each text, which no sampler sees, so that logits stand for log P. Of the vocabulary only the
    tokens are looked at that are plausible in some text: a pass over all of it costs more than the equation.
    """
    own = logits.float()
    gamma = own.new_tensor([member.gamma for member in members])
    alpha = own.new_tensor([member.alpha for member in members])[:, None]
    highest = own.amax(dim=-1, keepdim=True)
    # Without a cut (alpha = 0) all are plausible but those that a grammar has ruled out.
    plausible = own >= (highest + torch.log(alpha)).clamp_min(torch.finfo(own.dtype).min)
    tokens = plausible.any(dim=0).nonzero().squeeze(1)
    log_p = (own[:, tokens] - highest).clamp_min(_IMPOSSIBLE)
    mixed = (torch.diag(gamma) - weights.to(own)) @ log_p
    contrasted = torch.full_like(own, -torch.inf)
    contrasted[:, tokens] = mixed.masked_fill_(~plausible[:, tokens], -torch.inf)
    return contrasted
