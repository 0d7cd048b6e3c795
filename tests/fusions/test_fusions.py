"""What each fusion computes, held against its formula."""

import math
from typing import Any, Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sibu.core.errors import RecipeError
from sibu.core.tensors import Encoded
from sibu.fusions import FUSIONS
from sibu.nn.transformer import TransformerLayer


def made(name: str, widths: dict[str, int], **options: Any) -> Any:
    torch.manual_seed(3)
    spec = FUSIONS.spec({"name": name} | options)
    return FUSIONS.of(spec).build(spec, widths=widths).eval()


def one(vectors: Tensor, there: list[bool] | None = None) -> Encoded:
    """Vectors ``(B, D)`` as sequences of one."""
    mask = torch.ones(len(vectors), 1, dtype=torch.bool) if there is None else torch.tensor(there).unsqueeze(1)
    return Encoded(vectors.unsqueeze(1), mask)


def test_widths() -> None:
    widths = {"text": 384, "image": 1280, "table": 64}
    assert made("concat", widths).width == 256
    assert made("weighted", {"text": 30, "table": 20}).width == 30
    assert made("bottleneck", {"text": 30, "table": 20}).width == 28
    assert made("cross_attention", widths, width=96, heads=8).width == 96
    with pytest.raises(RecipeError, match="`width` is 30, which is no multiple of `heads`"):
        FUSIONS.spec({"name": "bottleneck", "width": 30})
    with pytest.raises(ValueError, match="a width of 10 cannot be shared by 4 heads"):
        TransformerLayer(width=10, heads=4, dropout=0.0)


def test_weighted_is_a_mean_by_its_weights() -> None:
    fusion = made("weighted", {"a": 4, "b": 6})
    fusion.log_weights.data = torch.tensor([1.0, 3.0]).log()
    assert fusion.weights() == pytest.approx({"a": 0.25, "b": 0.75})
    a, b = torch.randn(3, 4), torch.randn(3, 6)
    own = [
        F.layer_norm(project(norm(x)), (6,))
        for norm, project, x in zip(fusion.inputs.norms, fusion.inputs.projections, (a, b), strict=True)
    ]
    found = fusion({"a": one(a, [True, True, False]), "b": one(b, [True, False, False])}).vectors[:, 0]
    torch.testing.assert_close(found[0], 0.25 * own[0][0] + 0.75 * own[1][0])
    torch.testing.assert_close(found[1], own[0][1])
    torch.testing.assert_close(found[2], fusion.absent)


def test_gated_of_two_is_the_unit_of_the_paper() -> None:
    """h = z * tanh(Wv v) + (1 - z) * tanh(Wt t), z a sigmoid of both."""
    fusion = made("gated", {"t": 4, "v": 6}, width=5)
    t, v = torch.randn(3, 4), torch.randn(3, 6)
    found = fusion({"t": one(t), "v": one(v)}).vectors[:, 0]
    project = fusion.inputs.projections
    own = [project[0](fusion.inputs.norms[0](t)), project[1](fusion.inputs.norms[1](v))]
    of_t, of_v = fusion.gate(torch.cat(own, 1)).chunk(2, 1)
    z = torch.sigmoid(of_v - of_t)
    torch.testing.assert_close(found, z * own[1].tanh() + (1 - z) * own[0].tanh())
    assert torch.allclose(fusion.gates["v"][:, 0], z.mean(1))
    fusion({"t": one(t, [True, False, False]), "v": one(v, [False, True, False])})
    assert fusion.gates["t"].flatten().tolist() == [1, 0, 0]
    assert fusion.gates["v"].flatten().tolist() == [0, 1, 0]


def test_low_rank_is_tensor_fusion_with_factored_weights() -> None:
    fusion = made("low_rank", {"a": 3, "b": 4, "c": 2}, width=5, rank=2, dropout=0.0)
    draw = {"a": torch.randn(4, 3), "b": torch.randn(4, 4), "c": torch.randn(4, 2)}
    there = {"a": [True, False, True, False], "b": [True, True, True, False], "c": [True, True, False, False]}
    given = {name: one(x, there[name]) for name, x in draw.items()}
    own, _ = fusion.inputs.pooled(given, None)
    ones = torch.cat([own[:, 0], torch.ones(4, 3, 1)], -1)
    factors = torch.cat([fusion.factors, fusion.constants.unsqueeze(2)], 2)
    weights = torch.einsum("r,riw,rjw,rkw->ijkw", fusion.sums, *factors)
    outer = torch.einsum("bi,bj,bk->bijk", ones[:, 0], ones[:, 1], ones[:, 2])
    full = torch.einsum("bijk,ijkw->bw", outer, weights) + fusion.bias
    torch.testing.assert_close(fusion(given).vectors[:, 0], full)
    constant = (fusion.sums[:, None] * fusion.constants.prod(0)).sum(0) + fusion.bias
    torch.testing.assert_close(full[3], constant)
    assert constant.abs().max() < 1e-6  # it begins as no constant at all


def test_low_rank_of_enough_products_is_any_tensor_fusion() -> None:
    """Of two modalities, weights of any kind: their singular vectors, number by number of the answer."""
    fusion = made("low_rank", {"a": 3, "b": 3}, width=3, rank=4, dropout=0.0)
    weights = torch.randn(4, 4, 3)  # [a; 1] by [b; 1] by what is answered
    left, sizes, right = torch.linalg.svd(weights.permute(2, 0, 1))
    left, right = (left * sizes.unsqueeze(1)).permute(2, 1, 0), right.permute(1, 2, 0)
    fusion.factors.data = torch.stack([left[:, :3], right[:, :3]])
    fusion.constants.data = torch.stack([left[:, 3], right[:, 3]])
    fusion.sums.data.fill_(1.0)
    given = {"a": one(torch.randn(5, 3)), "b": one(torch.randn(5, 3))}
    own = torch.cat([fusion.inputs.pooled(given, None)[0][:, 0], torch.ones(5, 2, 1)], -1)
    full = torch.einsum("bi,bj,ijw->bw", own[:, 0], own[:, 1], weights) + fusion.bias
    torch.testing.assert_close(fusion(given).vectors[:, 0], full, atol=1e-5, rtol=1e-5)


def test_places_read_other_modalities_only() -> None:
    fusion = made("cross_attention", {"a": 8, "b": 8}, layers=1, width=8, heads=2)
    a, b = torch.randn(1, 3, 8), torch.randn(1, 4, 8)
    every = torch.ones(1, 4, dtype=torch.bool)
    known = fusion({"a": Encoded(a, every[:, :3]), "b": Encoded(b, every)}, keep="a").vectors
    other = a.clone()
    other[0, 2] = torch.randn(8)
    own = fusion({"a": Encoded(other, every[:, :3]), "b": Encoded(b, every)}, keep="a").vectors
    torch.testing.assert_close(own[:, :2], known[:, :2])
    swapped = fusion({"a": Encoded(a, every[:, :3]), "b": Encoded(torch.randn(1, 4, 8), every)}, keep="a").vectors
    assert (swapped - known).abs().amax(-1).min() > 1e-4


def test_shared_vectors_count_each_modality_alike() -> None:
    """A modality of many places does not outweigh one of few: the same place given ten times tells nothing more."""
    fusion = made("bottleneck", {"a": 8, "b": 8}, width=8, heads=2)
    a, b = torch.randn(1, 1, 8), torch.randn(1, 1, 8)
    once = fusion({"a": one(a[:, 0]), "b": one(b[:, 0])}).vectors
    nothing = {"a": one(a[:, 0]), "b": one(b[:, 0], [False])}
    assert once.shape == (1, 8, 8)
    torch.testing.assert_close(
        fusion(nothing).vectors, made("bottleneck", {"a": 8, "b": 8}, width=8, heads=2)(nothing).vectors
    )
    assert (fusion(nothing).vectors - once).abs().max() > 1e-4
    layer = fusion.layers[0]
    latents = fusion.latents.expand(1, -1, -1)
    read = []
    for number, x in enumerate((a, b)):
        place = fusion.inputs.projections[number](fusion.inputs.norms[number](x)) + fusion.kinds[number]
        read.append(layer(latents, torch.ones(1, 9, dtype=torch.bool), torch.cat([latents, place], 1)))
    single = made("bottleneck", {"a": 8, "b": 8}, width=8, heads=2, layers=1)
    torch.testing.assert_close(
        single({"a": one(a[:, 0]), "b": one(b[:, 0])}).vectors, single.norm((read[0] + read[1]) / 2)
    )


LOGITS = {"a": torch.tensor([[2.0, 0.0, -1.0]] * 4), "b": torch.tensor([[-1.0, 3.0, 0.5]] * 4)}
PRESENT = {"a": torch.tensor([True, True, False, False]), "b": torch.tensor([True, False, True, False])}


def voters() -> Any:
    fusion = made("late", {"a": 4, "b": 6})
    fusion.log_weights.data = torch.tensor([1.0, 3.0]).log()
    return fusion


def test_a_vote_on_classes_is_the_weighted_mean_of_probabilities() -> None:
    found = voters().vote(LOGITS, PRESENT, "classes").exp()
    a, b = (LOGITS[name][0].softmax(0) for name in "ab")
    expected = torch.stack([0.25 * a + 0.75 * b, a, b, torch.full((3,), 1 / 3)])
    torch.testing.assert_close(found, expected)


def test_a_vote_on_several_labels_is_one_for_each() -> None:
    found = voters().vote(LOGITS, PRESENT, "several").sigmoid()
    a, b = (LOGITS[name][0].sigmoid() for name in "ab")
    torch.testing.assert_close(found, torch.stack([0.25 * a + 0.75 * b, a, b, torch.full((3,), 0.5)]))


def test_a_vote_on_numbers_is_their_weighted_mean() -> None:
    logits = {name: said[:, :1] for name, said in LOGITS.items()}
    found = voters().vote(logits, PRESENT, "number")
    assert found.flatten().tolist() == pytest.approx([0.25 * 2 - 0.75, 2, -1, 0])


@pytest.mark.parametrize("kind", ["classes", "several", "number"])
def test_who_is_missing_has_no_vote(kind: Literal["classes", "several", "number"]) -> None:
    fusion = voters()
    known = fusion.vote(LOGITS, PRESENT, kind)
    noise = {
        name: torch.where(PRESENT[name].unsqueeze(1), said, torch.full((4, 3), math.nan)).requires_grad_()
        for name, said in LOGITS.items()
    }
    found = fusion.vote(noise, PRESENT, kind)
    assert torch.equal(found, known)
    found.square().sum().backward()
    for name, said in noise.items():
        assert said.grad is not None
        assert said.grad.isfinite().all()
        assert (said.grad[~PRESENT[name]] == 0).all()
        assert said.grad[PRESENT[name]].abs().sum() > 0
    assert fusion.log_weights.grad.isfinite().all()


def test_votes_are_sure_where_voters_are() -> None:
    sure = {name: 300 * said for name, said in LOGITS.items()}
    for kind in ("classes", "several"):
        assert voters().vote(sure, PRESENT, kind).isfinite().all()


def test_late_gives_each_modality_to_a_head_of_its_own() -> None:
    fusion = made("late", {"a": 4, "b": 6}, width=5)
    given = {"a": one(torch.randn(3, 4)), "b": one(torch.randn(3, 6), [True, False, True])}
    parts = fusion.parts(given)
    assert {name: tuple(part.vectors.shape) for name, part in parts.items()} == {"a": (3, 1, 5), "b": (3, 1, 5)}
    assert torch.equal(parts["b"].mask, given["b"].mask)
    assert torch.equal(fusion(given, keep="b").vectors, parts["b"].vectors)


@pytest.mark.parametrize("name", ["concat", "gated", "low_rank", "cross_attention", "bottleneck"])
def test_it_learns_what_only_two_tell_together(name: str) -> None:
    """Whether two signs agree: neither tells it alone."""
    draw = torch.Generator().manual_seed(0)
    a, b = torch.randn(96, 12, generator=draw), torch.randn(96, 16, generator=draw)
    labels = ((a[:, 0] > 0) == (b[:, 0] > 0)).float()
    options = {"latents": 2} if name == "bottleneck" else {}
    fusion = made(name, {"a": 12, "b": 16}, width=16, dropout=0.0, **options).train()
    torch.manual_seed(0)
    head = torch.nn.Linear(16, 1)
    optimizer = torch.optim.AdamW([*fusion.parameters(), *head.parameters()], lr=1e-2)
    for _ in range(100):
        said = head(fusion({"a": one(a), "b": one(b)}).vectors.mean(1)).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(said, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.2:
            break
    assert ((said > 0) == labels.bool()).float().mean() > 0.9
