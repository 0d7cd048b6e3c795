"""Vectors of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sibu.core.example import is_cjk
from sibu.core.protocols import HeadPlace
from sibu.core.tensors import Encoded, Output
from sibu.nn.pooling import pool

ENGLISH = ("{}", "This text is about {}.", "The topic is {}.", "{}: what this is about.")
CHINESE = ("{}", "这段文字是关于{}的。", "主题是{}。", "{}方面的内容。")


class LabelVectors(nn.Module):
    """A trained unit vector a label, begun from words.

    Args:
        place: What it answers for.
        templates: Ways of saying a label; None: our own.
        scale: Times the similarities.
    """

    def __init__(self, place: HeadPlace, *, templates: Sequence[str] | None, scale: float) -> None:
        super().__init__()
        self.pooling = place.pooling
        self.templates = templates
        self.dropout = nn.Dropout(place.dropout)
        self.weight = nn.Parameter(torch.zeros(place.outputs, place.width))
        self.log_scale = nn.Parameter(torch.tensor(scale).log())

    def wordings(self, words: Sequence[str]) -> list[str]:
        """The texts that say one label, given its name or its descriptions."""
        own = CHINESE if any(map(is_cjk, "".join(words))) else ENGLISH
        return [template.replace("{}", each) for each in words for template in self.templates or own]

    def start(self, vectors: Sequence[Tensor]) -> None:
        """Begin from the encoder's vectors of each label's wordings, ``(W, D)`` each: the mean of unit vectors."""
        with torch.no_grad():
            for row, own in zip(self.weight, vectors, strict=True):
                row.copy_(normalize(normalize(own, dim=-1).mean(0), dim=-1))

    def reduce(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Encoded:  # noqa: ARG002
        """The pooled vector as a sequence of one, ``(B, 1, D)``."""
        pooled = pool(encoded.vectors, encoded.mask, self.pooling).unsqueeze(1)
        return Encoded(pooled, torch.ones_like(encoded.mask[:, :1]))

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:
        """Scores ``(B, C)``: scaled cosines between text and labels."""
        vectors = normalize(self.dropout(self.reduce(encoded, features).vectors[:, 0]), dim=-1)
        return Output(self.log_scale.exp() * vectors @ normalize(self.weight, dim=-1).T)
