"""Every fusion with every pattern of missing modalities, mixed in one batch: eight rows, one for each pattern."""

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.fusions import FUSIONS

WIDTHS = {"note": 24, "图": 40, "x.y": 16}
"""Names as fields of users may be."""
LENGTHS = {"note": 6, "图": 9, "x.y": 4}
PATTERNS = torch.tensor(list(product([True, False], repeat=3)))
SEVERAL = [name for name in FUSIONS if name != "identity"]
KEEPS = [None, "note", "x.y"]


def fused(name: str, **options: Any) -> Any:
    torch.manual_seed(4)
    spec = FUSIONS.spec({"name": name} | options)
    return FUSIONS.of(spec).build(spec, widths=WIDTHS)


def parts(*, filler: float = 0.0, longer: int = 0, seed: int = 0) -> dict[str, Encoded]:
    """A batch of eight rows of unequal lengths; what is not real is ``filler`` times noise."""
    draw = torch.Generator().manual_seed(seed)
    found = {}
    for number, (name, width) in enumerate(WIDTHS.items()):
        length = LENGTHS[name]
        lengths = torch.arange(8) % length + 1
        mask = (torch.arange(length + longer) < lengths[:, None]) & PATTERNS[:, number, None]
        vectors = torch.randn(8, length, width, generator=draw)
        vectors = torch.cat([vectors, torch.zeros(8, longer, width)], 1)
        noise = torch.randn(vectors.shape, generator=torch.Generator().manual_seed(99))
        found[name] = Encoded(torch.where(mask.unsqueeze(-1), vectors, filler * noise), mask)
    return found


def row(given: dict[str, Encoded], number: int) -> dict[str, Encoded]:
    """One row alone, without padding."""
    found = {}
    for name, part in given.items():
        length = max(int(part.mask[number].sum()), 1)
        found[name] = Encoded(part.vectors[number : number + 1, :length], part.mask[number : number + 1, :length])
    return found


def said(fusion: nn.Module, given: dict[str, Encoded], keep: str | None) -> Tensor:
    """What is real of the answer, zeros elsewhere."""
    answer = fusion(given, keep=keep)
    return answer.vectors.masked_fill(~answer.mask.unsqueeze(-1), 0.0)


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("name", SEVERAL)
def test_it_answers_for_every_pattern(name: str, keep: str | None) -> None:
    fusion = fused(name)
    answer = fusion(parts(), keep=keep)
    assert answer.vectors.shape[-1] == fusion.width
    assert answer.vectors.isfinite().all()
    if keep is None:
        assert answer.mask.all()
    else:
        assert torch.equal(answer.mask, parts()[keep].mask)
    said(fusion, parts(), keep).square().sum().backward()
    for weight in fusion.parameters():
        assert weight.grad is None or weight.grad.isfinite().all()


@pytest.mark.parametrize("name", SEVERAL)
def test_each_modality_and_weight_takes_part(name: str) -> None:
    """The answer of the row that has everything depends on each modality; and every weight is learned."""
    fusion = fused(name).eval()
    given = parts()
    leaves = {each: part.vectors.detach().requires_grad_() for each, part in given.items()}
    inputs = {each: Encoded(leaves[each], part.mask) for each, part in given.items()}
    answer = said(fusion, inputs, None)
    (answer * torch.randn(answer.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    for each, leaf in leaves.items():
        assert leaf.grad is not None
        real = given[each].mask
        assert leaf.grad[0][real[0]].abs().sum() > 0
        assert (leaf.grad[~real] == 0).all()
    for weight in fusion.parameters():
        assert weight.grad is not None
        assert weight.grad.abs().sum() > 0


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("name", SEVERAL)
def test_what_is_not_real_has_no_say(name: str, keep: str | None) -> None:
    fusion = fused(name).eval()
    known = said(fusion, parts(), keep)
    assert torch.equal(said(fusion, parts(filler=100.0), keep), known)
    assert torch.equal(said(fusion, parts(filler=float("nan")), keep), known)
    longer = said(fusion, parts(longer=3, filler=5.0), keep)
    torch.testing.assert_close(longer[:, : known.shape[1]], known, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("name", SEVERAL)
def test_a_row_is_answered_as_it_is_alone(name: str, keep: str | None) -> None:
    fusion = fused(name).eval()
    known = said(fusion, parts(), keep)
    for number in range(8):
        alone = said(fusion, row(parts(), number), keep)[0]
        torch.testing.assert_close(alone, known[number, : len(alone)], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SEVERAL)
def test_a_missing_modality_is_not_one_of_zeros(name: str) -> None:
    fusion = fused(name).eval()
    given = parts()
    known = said(fusion, given, None)
    there = {each: Encoded(part.vectors, torch.ones_like(part.mask)) for each, part in given.items()}
    assert (said(fusion, there, None)[1:] - known[1:]).abs().amax((1, 2)).min() > 1e-4


@pytest.mark.parametrize("name", SEVERAL)
def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    one, other = fused(name), fused(name)
    torch.manual_seed(7)
    first = said(one, parts(), None)
    torch.manual_seed(7)
    assert torch.equal(said(other, parts(), None), first)
    turned = dict(reversed(parts().items()))
    assert torch.equal(said(one.eval(), turned, None), said(one, parts(), None))


@pytest.mark.parametrize("name", SEVERAL)
def test_weights_go_to_disk_and_back(name: str, tmp_path: Any) -> None:
    from safetensors.torch import load_file, save_file

    one = fused(name).eval()
    save_file(one.state_dict(), tmp_path / "fusion.safetensors")
    torch.manual_seed(99)
    spec = FUSIONS.spec(name)
    other = FUSIONS.of(spec).build(spec, widths=dict(reversed(WIDTHS.items()))).eval()
    other.load_state_dict(load_file(tmp_path / "fusion.safetensors"))
    assert torch.equal(said(other, parts(), None), said(one, parts(), None))


@pytest.mark.parametrize("name", SEVERAL)
def test_one_modality_alone_is_joined_too(name: str) -> None:
    spec = FUSIONS.spec({"name": name, "width": 8})
    fusion = FUSIONS.of(spec).build(spec, widths={"note": 24})
    for keep in (None, "note"):
        answer = fusion({"note": parts()["note"]}, keep=keep)
        assert answer.vectors.shape[-1] == fusion.width == 8
        assert answer.vectors.isfinite().all()


@pytest.mark.parametrize("name", SEVERAL)
def test_other_modalities_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"the fusion joins note, x.y, 图; given note, x.y"):
        fused(name)({each: part for each, part in parts().items() if each != "图"})
    with pytest.raises(ValueError, match="to be kept: sound"):
        fused(name)(parts(), keep="sound")


@pytest.mark.parametrize("name", list(FUSIONS))
def test_it_says_whether_it_votes(name: str) -> None:
    spec = FUSIONS.spec(name)
    assert FUSIONS.of(spec).build(spec, widths=WIDTHS).votes == (name == "late")
