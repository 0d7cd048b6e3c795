"""A batch by parts of like length is what it is as a whole, with less to compute."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sibu.modalities.text import lengths
from sibu.modalities.text.encoder import TextEncoder


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts small enough for tests."""
    monkeypatch.setattr(lengths, "PART", 24)


def batch(sizes: list[int], *, seed: int = 0) -> dict[str, Tensor]:
    """Pieces of texts of these lengths."""
    drawn = torch.randint(5, 40, (len(sizes), max(sizes)), generator=torch.Generator().manual_seed(seed))
    return {"input_ids": drawn, "mask": torch.arange(max(sizes)) < torch.tensor(sizes).unsqueeze(1)}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_rows_stay_where_they_are_and_padding_is_left_out(sizes: list[int]) -> None:
    given, computed = batch(sizes), []

    def encode(inputs: Mapping[str, Tensor]) -> Tensor:
        computed.append(inputs["mask"].numel())
        assert not inputs["mask"][:, -1].logical_not().all()
        return inputs["input_ids"].unsqueeze(-1).float()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lengths, "PART", 24)
        found = lengths.by_length(encode, given)
    mask = given["mask"]
    assert found.shape == (*mask.shape, 1)
    assert torch.equal(found[mask][:, 0], given["input_ids"][mask].float())
    assert sum(computed) <= mask.numel()
    assert len(computed) == 1 or sum(computed) <= 0.9 * mask.numel()


def test_what_is_small_or_of_one_length_is_computed_as_it_is() -> None:
    seen = []

    def encode(inputs: Mapping[str, Tensor]) -> Tensor:
        seen.append(inputs["mask"].shape)
        return inputs["input_ids"].unsqueeze(-1).float()

    for sizes in ([3, 1, 2], [50] * 40, [50, *[48] * 39]):
        lengths.by_length(encode, batch(sizes))
    assert seen == [(3, 3), (40, 50), (40, 50)]


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("shapes", [False, True])
def test_vectors_and_gradients_are_those_of_the_whole_batch(tiny_model: Path, shapes: bool) -> None:
    encoder = TextEncoder(tiny_model, shapes=shapes, dropout=0.0)
    inputs = batch([9, 1, 14, 5, 2, 3, 3, 11, 1])
    if shapes:
        torch.nn.init.normal_(encoder.shapes.weight)
        inputs["shapes"] = torch.randint(0, 4, inputs["mask"].shape)
    weights = [weight for weight in encoder.parameters() if weight.requires_grad]
    told = []
    for vectors in (encoder(inputs).vectors, encoder._vectors(inputs)):
        kept = vectors * inputs["mask"].unsqueeze(-1)
        told.append([kept, *torch.autograd.grad(kept.square().sum(), weights, allow_unused=True)])
    for ours, whole in zip(*told, strict=True):
        assert (ours is None) == (whole is None)
        assert ours is None or torch.allclose(ours, whole, atol=1e-5)


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_upper_layers_too(tiny_model: Path, frozen: int) -> None:
    encoder = TextEncoder(tiny_model, shapes=False, dropout=0.0).eval()
    encoder.frozen_layers = frozen
    inputs = batch([9, 1, 14, 5, 2, 3, 3, 11, 1])
    mask = inputs["mask"]
    hidden = encoder.lower(inputs)
    assert hidden.shape[:2] == mask.shape
    found = encoder({"hidden": hidden, "mask": mask}).vectors
    assert torch.allclose(found[mask], encoder._vectors(inputs)[mask], atol=1e-5)
