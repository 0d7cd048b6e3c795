"""Attention of a step in bfloat16: single precision on short rows, untouched elsewhere, the same function."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sibu.train import fit, processes
from sibu.train.attention import LONGEST, SingleAttention


def attended(places: int, *, single: bool, gradients: bool = True) -> tuple[torch.Tensor, torch.Tensor | None]:
    draws = torch.Generator().manual_seed(places)
    query, key, value = (torch.randn(2, 3, places, 8, generator=draws).bfloat16() for _ in range(3))
    query.requires_grad_(gradients)
    mask = torch.zeros(2, 1, places, places, dtype=torch.bfloat16)
    mask[:, :, :, 3:5] = -1e4
    with torch.autocast("cpu", torch.bfloat16):
        if single:
            with SingleAttention():
                found = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        else:
            found = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    if gradients:
        found.float().square().sum().backward()
    return found.detach(), query.grad


@pytest.mark.parametrize("places", [6, LONGEST])
def test_short_rows_are_attended_to_in_single_precision(places: int) -> None:
    (found, gradient), (half, half_gradient) = attended(places, single=True), attended(places, single=False)
    assert (found.dtype, half.dtype) == (torch.float32, torch.bfloat16)
    assert gradient is not None and half_gradient is not None
    torch.testing.assert_close(found, half.float(), rtol=0.02, atol=0.02)
    torch.testing.assert_close(gradient, half_gradient, rtol=0.05, atol=0.05)


def test_long_rows_are_left_to_autocast() -> None:
    assert attended(LONGEST + 1, single=True)[0].dtype == torch.bfloat16


@pytest.mark.parametrize("kind", ["no", "bf16"])
def test_a_step_takes_it_where_it_is_in_bfloat16(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Attending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(8, 8))

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            vectors = given @ self.weight
            return F.scaled_dot_product_attention(vectors, vectors, vectors)

    kinds = []

    def loss(found: torch.Tensor, batch: object) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        kinds.append(found.dtype)
        return found.float().mean(), {}

    model = Attending()
    accelerator = processes.accelerator(kind)
    fit.backward(model, torch.randn(1, 4, 8), loss, accelerator, 1)
    assert kinds == [torch.float32]
    monkeypatch.setattr(fit, "SingleAttention", lambda: torch.autocast("cpu", torch.bfloat16, enabled=kind == "bf16"))
    fit.backward(model, torch.randn(1, 4, 8), loss, accelerator, 1)
    assert kinds[1] == (torch.bfloat16 if kind == "bf16" else torch.float32)
