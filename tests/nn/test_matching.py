"""Losses that put two modalities into one space, against their formulas; ranks against a plain count."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from sibu.metrics.retrieval import Recalls
from sibu.nn.matching import infonce, siglip


def _unit(seed: int, count: int = 6) -> torch.Tensor:
    return F.normalize(torch.randn(count, 8, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_infonce_is_that_of_clip() -> None:
    one, two, scale = _unit(0), _unit(1), torch.tensor(14.0)
    numbers = [torch.arange(6), torch.arange(6)]
    logits = scale * one @ two.T
    wanted = (F.cross_entropy(logits, torch.arange(6)) + F.cross_entropy(logits.T, torch.arange(6))) / 2
    assert infonce(one, two, numbers, scale=scale, hard=0.0) == pytest.approx(float(wanted), abs=1e-5)


def test_hard_partners_count_more_and_all_alike_change_nothing() -> None:
    one, two, scale = _unit(0), _unit(1), torch.tensor(14.0)
    numbers = [torch.arange(6), torch.arange(6)]
    plain = float(infonce(one, two, numbers, scale=scale, hard=0.0))
    assert float(infonce(one, two, numbers, scale=scale, hard=2.0)) > plain
    same = two[:1].expand(6, 8)
    alike = [float(infonce(one, same, numbers, scale=scale, hard=hard)) for hard in (0.0, 2.0)]
    ways = [float(infonce(same, same, numbers, scale=scale, hard=hard)) for hard in (0.0, 2.0)]
    assert ways[0] == pytest.approx(ways[1], abs=1e-5)
    assert alike[0] <= alike[1] + 1e-5


def test_equal_values_are_no_wrong_partners() -> None:
    one, two, scale = _unit(0, 2), _unit(1, 2), torch.tensor(14.0)
    numbers = [torch.tensor([7, 7]), torch.arange(2)]
    assert float(infonce(one, two, numbers, scale=scale, hard=0.0)) == pytest.approx(0.0, abs=1e-6)


def test_siglip_is_that_of_its_paper() -> None:
    one, two, scale, bias = _unit(0), _unit(1), torch.tensor(10.0), torch.tensor(-10.0)
    labels = 2 * torch.eye(6) - 1
    wanted = -F.logsigmoid(labels * (scale * one @ two.T + bias)).sum() / 6
    found = siglip(one, two, [torch.arange(6), torch.arange(6)], scale=scale, bias=bias)
    assert float(found) == pytest.approx(float(wanted), abs=1e-5)


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 4))
def test_ranks_are_counted(seed: int, count: int, kinds: int) -> None:
    draw = np.random.default_rng(seed)
    second = draw.integers(kinds, size=count)
    table = draw.integers(-2, 3, (kinds, 3)).astype(float)  # equal values have equal vectors; many ties
    one, two = draw.integers(-2, 3, (count, 3)).astype(float), table[second]
    found = Recalls(one, two, np.arange(count), second)
    for row in range(count):
        scores = {int(kind): float(one[row] @ table[kind]) for kind in set(second.tolist())}
        own = scores.pop(int(second[row]))
        rank = 1 + sum(each > own for each in scores.values()) + sum(each == own for each in scores.values()) / 2
        assert found.ranks[0, row] == rank
    whole = found(np.arange(count))
    ways = found.by_way()
    assert whole["mrr"] == pytest.approx((ways[0]["mrr"] + ways[1]["mrr"]) / 2)
