"""A small decoder that sees one vector of a text and nothing else of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from sibu.core.tensors import Encoded, Output
from sibu.nn.likelihood import IGNORED
from sibu.nn.pooling import pool

HEAD_WIDTH = 64
"""About what an attention head is wide."""
CELLS = 1 << 25
"""Scores in memory at a time: each place has as many as the vocabulary has pieces, and every place is written."""


class DenoisingHead(nn.Module):
    """Pool, and write the whole text from that vector alone, each piece after those before it.

    The pieces' vectors on both sides are the encoder's own table, whose weights stay the encoder's; see ``tie``.

    Args:
        width: D.
        layers: Transformer layers: attention to the pieces before, then to the vector.
        pooling: ``mean``, ``first`` or ``max``.
        dropout: Inside, in [0, 1).
    """

    def __init__(self, *, width: int, layers: int, pooling: str, dropout: float) -> None:
        super().__init__()
        self.pooling = pooling
        self.width = width
        heads = next(count for count in range(max(width // HEAD_WIDTH, 1), 0, -1) if width % count == 0)
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(
                width, heads, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def tie(self, embeddings: nn.Embedding) -> None:
        """Told the table ``(V, E)``; the layers between its width and D are made for it."""
        self._of = [embeddings]  # in a list: its weights are not this module's
        inner = embeddings.embedding_dim
        self.enter_norm = nn.LayerNorm(inner)
        self.enter = nn.Identity() if inner == self.width else nn.Linear(inner, self.width)
        self.leave = nn.Linear(self.width, inner)
        self.leave_norm = nn.LayerNorm(inner)
        self.bias = nn.Parameter(torch.zeros(embeddings.num_embeddings))
        size = float(embeddings.weight.detach().float().square().mean().sqrt())
        nn.init.constant_(self.leave_norm.weight, 1 / max(size * math.sqrt(inner), 1e-6))  # scores of about one

    @property
    def embeddings(self) -> nn.Embedding:
        """The encoder's table of pieces."""
        return self._of[0]

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:
        """What is told of whole texts.

        Args:
            encoded: Vectors of what is left of the texts.
            features: ``labels`` (B, T): the pieces of the whole texts, -100 behind them; none where vectors are asked
                for. The first piece is given.

        Returns:
            In training the vectors ``(N, E)`` of all N places to be written, which ``loss`` turns into scores.
            Otherwise for each row the sum of the pieces' negative log probabilities, their number, and how many are the
            likeliest ``(B, 3)``; without labels the unit vector ``(B, 1, D)``.
        """
        vector = pool(encoded.vectors, encoded.mask, self.pooling)
        if "labels" not in features:
            return Output(F.normalize(vector.float(), dim=-1).unsqueeze(1))
        labels = features["labels"]
        wanted = labels[:, 1:] != IGNORED
        places = self._leave(self._decoded(vector, labels[:, :-1])[wanted])
        return Output(places) if self.training else Output(self._told(places, labels[:, 1:], wanted))

    def _decoded(self, vector: Tensor, before: Tensor) -> Tensor:
        """The vector at each place, which knows the text's one and the pieces up to its own. Shape ``(B, T, D)``."""
        length = before.shape[1]
        shown = self.embeddings(before.clamp(min=0))  # what stands behind a text is seen by none of its places
        found = self.enter(self.enter_norm(shown)) + positions(length, self.width, vector)
        found = self.dropout(found)
        later = torch.ones(length, length, dtype=torch.bool, device=before.device).triu(1)
        for layer in self.layers:
            found = layer(found, vector.unsqueeze(1), tgt_mask=later, tgt_is_causal=True)
        return self.norm(found)  # type: ignore[no-any-return]

    def _leave(self, places: Tensor) -> Tensor:
        return self.leave_norm(F.gelu(self.leave(places)))  # type: ignore[no-any-return]

    def _scores(self, places: Tensor) -> Tensor:
        return F.linear(places, self.embeddings.weight, self.bias).float()

    def _parts(self, places: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Places with their pieces, as many at a time as their scores may take."""
        step = max(CELLS // self.embeddings.num_embeddings, 1)
        return zip(torch.split(places, step), torch.split(labels, step), strict=True)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy of the texts' pieces, mean over the batch's.

        Scores are made for some places at a time, and again for the gradients: with 250,000 pieces those of a batch of
        2,048 would take 2 GB, twice.
        """
        labels = targets["labels"][:, 1:]
        labels = labels[labels != IGNORED]
        parts = list(self._parts(output.logits, labels))
        if len(parts) == 1:
            sums = [self._sum(*parts[0])]
        else:
            sums = [checkpoint(self._sum, *part, use_reentrant=False, preserve_rng_state=False) for part in parts]
        return torch.stack(sums).sum() / max(len(labels), 1)

    def _sum(self, places: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self._scores(places), labels, reduction="sum")

    def _told(self, places: Tensor, labels: Tensor, wanted: Tensor) -> Tensor:
        rows = wanted.nonzero()[:, 0]
        losses, rights = [], []
        for part, own in self._parts(places, labels[wanted]):
            scores = self._scores(part)
            losses.append(F.cross_entropy(scores, own, reduction="none"))
            rights.append((scores.argmax(-1) == own).to(scores.dtype))
        loss, right = torch.cat(losses), torch.cat(rights)
        zeros = loss.new_zeros(len(labels))
        columns = [zeros.index_add(0, rows, each) for each in (loss, torch.ones_like(loss), right)]
        return torch.stack(columns, 1)


def positions(length: int, width: int, like: Tensor) -> Tensor:
    """A vector for each place, of sines and cosines: any text is short enough. Shape ``(length, width)``.

    Source: Vaswani et al., 2017, arXiv:1706.03762 (section 3.5).
    """
    places = torch.arange(length, device=like.device, dtype=torch.float32).unsqueeze(1)
    rates = torch.exp(torch.arange(0, width, 2, device=like.device, dtype=torch.float32) * (-math.log(1e4) / width))
    found = torch.zeros(length, width, device=like.device)
    found[:, 0::2] = torch.sin(places * rates)
    found[:, 1::2] = torch.cos(places * rates[: width // 2])
    return found.to(like.dtype)
