"""One vector a text."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import normalize

from sibu.core.tensors import Encoded, Output
from sibu.nn.pooling import pool


class VectorHead(nn.Module):
    """Pool, and bring to length one; no weights.

    Args:
        pooling: ``mean``, ``first`` or ``max``.
    """

    def __init__(self, *, pooling: str) -> None:
        super().__init__()
        self.pooling = pooling

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:  # noqa: ARG002
        """Unit vectors, ``(B, T, D)`` to ``(B, D)``."""
        return Output(normalize(pool(encoded.vectors, encoded.mask, self.pooling).float(), dim=-1))
