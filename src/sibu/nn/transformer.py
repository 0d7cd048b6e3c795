"""A layer of a transformer whose vectors read each other, or those of another sequence.

Source: Vaswani et al., 2017, arXiv:1706.03762; norms before each part as in Xiong et al., 2020, arXiv:2002.04745.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TransformerLayer(nn.Module):
    """Attention and a feed-forward part, each added to what it reads.

    Args:
        width: D.
        heads: Heads of attention; D is a multiple of it.
        dropout: Of what each part adds, in [0, 1).
        factor: Width of the feed-forward part, relative to D.
    """

    def __init__(self, *, width: int, heads: int, dropout: float, factor: float = 2.0) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"a width of {width} cannot be shared by {heads} heads; it must be a multiple of them")
        self.heads = heads
        hidden = round(width * factor)
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # the same for all keys would change no share
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.norm_forward = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, vectors: Tensor, mask: Tensor, context: Tensor | None = None) -> Tensor:
        """New vectors of the same shape.

        Args:
            vectors: What reads. Shape ``(B, T, D)``.
            mask: True where what is read is real: ``(B, T)``, of another sequence ``(B, S)``; or what each vector may
                read, ``(B, T, S)``; bool. One that may read nothing reads nothing.
            context: What is read; None: the vectors themselves. Shape ``(B, S, D)``.
        """
        reading = self.norm(vectors)
        read = reading if context is None else self.norm(context)
        vectors = vectors + self.dropout(self._attended(reading, read, mask))
        hidden = F.gelu(self.up(self.norm_forward(vectors)))
        found: Tensor = vectors + self.dropout(self.down(hidden))
        return found

    def _attended(self, reading: Tensor, read: Tensor, mask: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(reading), self.key(read), self.value(read))
        )
        if bool(mask.all()):
            found = F.scaled_dot_product_attention(query, key, value)
        else:
            allowed = (mask if mask.ndim == 3 else mask.unsqueeze(1)).unsqueeze(1)
            some = allowed.any(-1, keepdim=True)
            allowed = allowed | ~some  # a softmax over nothing would be no number
            found = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
            found = torch.where(some, found, 0.0)
        joined: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return joined
