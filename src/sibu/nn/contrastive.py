"""Losses over pairs of a batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def pair_loss(vectors: Tensor, alike: Tensor, *, temperature: float) -> Tensor:
    """Supervised contrastive loss over all pairs of a batch.

    For each text, the log probability of picking one that is alike among all others by their similarity, averaged over
    those that are. A text without any counts nothing. Source: Khosla et al., 2020, arXiv:2004.11362 (equation 2).

    Args:
        vectors: Unit vectors. Shape ``(B, D)``.
        alike: How alike two texts' labels are, in [0, 1]. Shape ``(B, B)``.
        temperature: Divides the similarities; above 0.

    Returns:
        A scalar; 0 where no two texts are alike.
    """
    own = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    similar = (vectors @ vectors.T / temperature).masked_fill(own, float("-inf"))
    log_chance = (similar - similar.logsumexp(1, keepdim=True)).masked_fill(own, 0.0)
    weights = alike.to(vectors.dtype).masked_fill(own, 0.0)
    found = weights.sum(1)
    by_text = -(weights * log_chance).sum(1) / found.clamp_min(1e-12)
    counted = found > 0
    return by_text[counted].mean() if bool(counted.any()) else (vectors * 0).sum()


def cosine_loss(vectors: Tensor, alike: Tensor) -> Tensor:
    """Squared distance of each two texts' cosine from how alike their labels are.

    Pairs that are alike and pairs that are not count half each, however many there are. Keeps what a contrastive loss
    alone does away with: texts of different labels are to be at right angles, not as far apart as can be. Source:
    Reimers and Gurevych, 2019, arXiv:1908.10084 (regression objective), as Tunstall et al., 2022, arXiv:2209.11055.

    Args:
        vectors: Unit vectors. Shape ``(B, D)``.
        alike: How alike two texts' labels are, in [0, 1]. Shape ``(B, B)``.

    Returns:
        A scalar; 0 of a single text.
    """
    first, second = torch.triu_indices(len(vectors), len(vectors), 1, device=vectors.device)
    wanted = alike.to(vectors.dtype)[first, second]
    fault = ((vectors @ vectors.T)[first, second] - wanted).square()
    parts = [own.mean() for own in (fault[wanted > 0], fault[wanted == 0]) if len(own)]
    return torch.stack(parts).mean() if parts else (vectors * 0).sum()


def matching_loss(vectors: Tensor, numbers: Tensor, *, temperature: float, symmetric: bool) -> Tensor:
    """InfoNCE with the other pairs of a batch as negatives: a text is to find its own pair among all.

    Equal texts are never each other's negatives: another pair counts only where none of its texts stands in both pairs.
    Source: van den Oord et al., 2018, arXiv:1807.03748; within the batch: Henderson et al., 2017, arXiv:1705.00652;
    temperature on cosines: Gao et al., 2021, arXiv:2104.08821 (equation 1).

    Args:
        vectors: Unit vectors; rows 0, 2, ... are texts, 1, 3, ... their pairs. Shape ``(2P, D)``.
        numbers: Equal for equal texts. Shape ``(2P,)``, int64.
        temperature: Divides the similarities; above 0.
        symmetric: Whether a pair is to find its text too; the loss is the mean of both ways.

    Returns:
        A scalar; 0 where the batch has nothing to be told from.
    """
    scores = vectors[0::2] @ vectors[1::2].T / temperature
    scores = scores.masked_fill(same_pairs(numbers[0::2], numbers[1::2]), float("-inf"))
    own = torch.arange(len(scores), device=scores.device)
    found = F.cross_entropy(scores, own)
    return (found + F.cross_entropy(scores.T, own)) / 2 if symmetric else found


def same_pairs(texts: Tensor, pairs: Tensor) -> Tensor:
    """Where a pair is no wrong answer to another text, though not its own: ``(P, P)``, False on the diagonal.

    Args:
        texts: A number for each text. Shape ``(P,)``.
        pairs: For the pair of each. Shape ``(P,)``.
    """
    text, pair = texts.unsqueeze(1), pairs.unsqueeze(1)
    return ((text == texts) | (pair == pairs) | (text == pairs)).fill_diagonal_(False)


def episode_loss(vectors: Tensor, labels: Tensor, *, temperature: float) -> Tensor:
    """How badly texts are told by the means of others of their label in the batch.

    Of each label the first half of its rows make the mean, and the others are to be told. A label of one row is there
    to be mistaken for. Source: Snell et al., 2017, arXiv:1703.05175, with cosines.

    Args:
        vectors: Unit vectors. Shape ``(B, D)``.
        labels: Class numbers. Shape ``(B,)``.
        temperature: Divides the similarities; above 0.

    Returns:
        A scalar; 0 where no label has two rows.
    """
    there, own = torch.unique(labels, return_inverse=True)
    among = torch.nn.functional.one_hot(own, len(there))
    place = (among.cumsum(0) - 1).gather(1, own[:, None])[:, 0]
    first = place < (among.sum(0)[own] + 1) // 2
    sums = among[first].to(vectors.dtype).T @ vectors[first]
    asked = ~first
    if not bool(asked.any()):
        return (vectors * 0).sum()
    scores = vectors[asked] @ torch.nn.functional.normalize(sums, dim=-1).T / temperature
    return torch.nn.functional.cross_entropy(scores, own[asked])
