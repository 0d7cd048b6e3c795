"""One vector a sequence from one vector a token."""

import torch
from torch import Tensor


def mean_pool(vectors: Tensor, mask: Tensor) -> Tensor:
    """Average the token vectors that the mask keeps.

    Args:
        vectors: One vector a token. Shape ``(B, T, D)``.
        mask: True where a token is real. Shape ``(B, T)``, bool.

    Returns:
        One vector a sequence, zeros where no token is real. Shape ``(B, D)``.

    Raises:
        ValueError: If ``mask`` is not boolean, with the dtype that was given.
    """
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must be bool, was: {mask.dtype}")
    weights = mask.unsqueeze(-1).to(vectors.dtype)
    return (vectors * weights).sum(1) / weights.sum(1).clamp_min(1)


def max_pool(vectors: Tensor, mask: Tensor) -> Tensor:
    """The largest value of each component over the tokens that the mask keeps. Shapes as in ``mean_pool``."""
    return vectors.masked_fill(~mask.unsqueeze(-1), torch.finfo(vectors.dtype).min).amax(1)


def pool(vectors: Tensor, mask: Tensor, how: str) -> Tensor:
    """Pool by name: ``mean``, ``max`` or ``first`` (the first token, BERT's ``[CLS]``). Shapes as in ``mean_pool``.

    Raises:
        ValueError: If ``how`` is none of the three.
    """
    if how == "mean":
        return mean_pool(vectors, mask)
    if how == "max":
        return max_pool(vectors, mask)
    if how == "first":
        return vectors[:, 0]
    raise ValueError(f"pooling must be mean, max or first, was: {how}")
