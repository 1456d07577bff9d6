"""CorrSynth in vLLM (V1): ``--logits-processors synth.models.corrsynth.vllm_plugin:CorrSynth``.

Requests join a group by ``vllm_xargs`` (see :class:`~synth.models.corrsynth.member.Member`); requests of none are left
alone. In each step a text is contrasted with those of its group that are in the batch: the scheduler admits and ends
them, so members may be some tokens apart (one, where they arrive together and prompts fit one step), and one that has
ended counts no more. Needs nothing of synth but this folder, so a server's environment only needs it on its path.
"""

from __future__ import annotations

from typing import Any

import torch
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor, MoveDirectionality

from synth.models.corrsynth.equation import contrast_logits, contrast_weights
from synth.models.corrsynth.member import Member, read_member


class CorrSynth(LogitsProcessor):  # type: ignore[misc]  # vLLM is in no environment that is type-checked
    """Keeps who is in the batch; plans are made anew only when that changes."""

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Raises ``ValueError``, which the server answers with 400."""
        read_member(sampling_params.extra_args)

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        self._members: dict[int, Member] = {}
        self._device = device
        self._plan()

    def is_argmax_invariant(self) -> bool:
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        if batch_update is None:
            return
        for index in batch_update.removed:
            self._members.pop(index, None)
        for index, params, _, _ in batch_update.added:
            member = read_member(params.extra_args)
            self._members.pop(index, None)
            if member is not None:
                self._members[index] = member
        for source, target, direction in batch_update.moved:
            moved, replaced = self._members.pop(source, None), self._members.pop(target, None)
            if moved is not None:
                self._members[target] = moved
            if direction == MoveDirectionality.SWAP and replaced is not None:
                self._members[source] = replaced
        self._plan()

    def _plan(self) -> None:
        """One product for all groups of the batch: texts of other groups have no weight."""
        self._rows = torch.tensor(sorted(self._members), device=self._device)
        self._ordered = [self._members[row] for row in sorted(self._members)]
        self._weights = contrast_weights(self._ordered).to(self._device)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        if not self._ordered:
            return logits
        if len(self._ordered) == len(logits):
            return contrast_logits(logits, self._ordered, self._weights).to(logits.dtype)
        logits[self._rows] = contrast_logits(logits[self._rows], self._ordered, self._weights).to(logits.dtype)
        return logits
