"""What the heads that are fitted to vectors share: pairs to learn from, and a fit at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sibu.core.protocols import HeadPlace
from sibu.core.tensors import Encoded, Output
from sibu.nn.contrastive import cosine_loss, episode_loss, pair_loss
from sibu.nn.pooling import pool


class Fitted(nn.Module):
    """Unit vectors while the encoder trains, scores by label once something was fitted to them.

    Args:
        inner: Has ``fit(vectors, targets)`` and ``forward(vectors) -> scores``; no weight of it trains.
        place: What it answers for.
        temperature: Of the similarities.
        episodes: Whether rows are told by the means of others of their label in the batch, not by pairs.
        unit: Whether what is fitted reads unit vectors; else vectors as they are.
        cosine: Weight of ``cosine_loss``.
        contrast: Weight of the contrastive loss beside it.
    """

    fits = True

    def __init__(
        self,
        inner: Any,
        place: HeadPlace,
        *,
        temperature: float,
        episodes: bool = False,
        unit: bool = True,
        cosine: float = 0.0,
        contrast: float = 1.0,
    ) -> None:
        super().__init__()
        self.cosine = cosine
        self.contrast = contrast
        self.unit = unit
        self.inner = inner
        self.pooling = place.pooling
        self.temperature = temperature
        self.episodes = episodes
        self.multi_label = place.multi_label

    def reduce(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Encoded:  # noqa: ARG002
        """The pooled vector, of unit length unless told otherwise, as a sequence of one, ``(B, 1, D)``."""
        pooled = pool(encoded.vectors, encoded.mask, self.pooling).unsqueeze(1)
        return Encoded(normalize(pooled, dim=-1) if self.unit else pooled, torch.ones_like(encoded.mask[:, :1]))

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:
        """In training the unit vectors ``(B, D)``, in answering the scores ``(B, C)``."""
        vectors = self.reduce(encoded, features).vectors[:, 0]
        if self.training:
            return Output(vectors if self.unit else normalize(vectors, dim=-1))
        return Output(self.inner(vectors))

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """How far texts of one label are from each other, against texts of others."""
        if self.episodes:
            return episode_loss(output.logits, targets["label"], temperature=self.temperature)
        pairs = alike(targets["label"], self.multi_label)
        found = output.logits.new_zeros(())
        if self.contrast:
            found = found + self.contrast * pair_loss(output.logits, pairs, temperature=self.temperature)
        return found + self.cosine * cosine_loss(output.logits, pairs) if self.cosine else found

    def fit(self, vectors: Tensor, targets: Tensor) -> None:
        """Fit to the training rows.

        Args:
            vectors: As ``reduce`` gives them. Shape ``(N, D)``.
            targets: Class numbers ``(N,)``, or 0/1 vectors ``(N, C)`` for several labels.
        """
        self.inner.fit(vectors, targets)


def alike(targets: Tensor, multi_label: bool) -> Tensor:
    """How alike each two rows' labels are, in [0, 1]: equal, or by the share of the labels of both. ``(B, B)``."""
    if not multi_label:
        return (targets[:, None] == targets[None, :]).float()
    both = targets @ targets.T
    counts = targets.sum(1)
    either = counts[:, None] + counts[None, :] - both
    return torch.where(either > 0, both / either.clamp_min(1), torch.ones_like(both))
