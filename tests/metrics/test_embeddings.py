"""Figures of vectors against their definitions, written out pair by pair."""

import math

import numpy as np
import pytest

from sibu.metrics import LOWER_IS_BETTER, embeddings, goodness
from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.embeddings import Embedded, found_pairs


def units(count: int, width: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def uniformity(vectors: np.ndarray) -> float:
    """Wang and Isola, 2020, section 4.1.2, t = 2."""
    pairs = [(a, b) for a in range(len(vectors)) for b in range(a)]
    return math.log(sum(math.exp(-2 * float(((vectors[a] - vectors[b]) ** 2).sum())) for a, b in pairs) / len(pairs))


def test_uniformity_as_its_formula() -> None:
    vectors = units(30, 4, 0)
    found = values(Embedded(vectors, np.arange(30), None))
    assert found == {"uniformity": pytest.approx(uniformity(vectors), rel=1e-5)}


def test_one_text_twice_counts_once() -> None:
    vectors = units(6, 4, 1)
    twice = np.concatenate([vectors, vectors[:2]])
    found = values(Embedded(twice, np.array([0, 1, 2, 3, 4, 5, 0, 1]), None))["uniformity"]
    assert found == pytest.approx(uniformity(vectors), rel=1e-5)


def test_a_resample_counts_no_text_with_itself() -> None:
    vectors = units(5, 4, 2)
    found = Embedded(vectors, np.arange(5), None)(np.array([0, 0, 3]))["uniformity"]
    assert found == pytest.approx(uniformity(vectors[[0, 3]]), rel=1e-5)
    assert math.isnan(Embedded(vectors, np.arange(5), None)(np.array([1, 1]))["uniformity"])


def test_all_in_one_place_is_the_worst() -> None:
    one = values(Embedded(np.repeat(units(1, 8, 3), 9, 0), np.arange(9), None))["uniformity"]
    spread = values(Embedded(units(200, 64, 3), np.arange(200), None))["uniformity"]
    assert one == pytest.approx(0, abs=1e-6)
    assert -4 <= spread < -3.5
    assert "uniformity" in LOWER_IS_BETTER
    assert 0 <= goodness("uniformity", one) < goodness("uniformity", spread) <= 1


def test_of_many_texts_every_nth_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "MOST", 10)
    vectors = units(25, 4, 4)
    measure = Embedded(vectors, np.arange(25), None)
    assert measure.n == 25
    assert values(measure)["uniformity"] == pytest.approx(uniformity(vectors[::3]), rel=1e-5)


@pytest.mark.parametrize("cells", [1, 1 << 24])
def test_pairs_found_as_one_by_one(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "CELLS", cells)
    pairs = units(40, 6, 5)
    texts = pairs + np.random.default_rng(6).normal(size=pairs.shape).astype(np.float32) * 0.4
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    found = found_pairs(texts, pairs, np.arange(40), np.arange(40, 80))
    assert found.tolist() == [int(np.argmax(pairs @ text)) == place for place, text in enumerate(texts)]
    assert 0 < found.mean() < 1


def test_what_is_no_wrong_answer_does_not_compete() -> None:
    """The second pair is nearest to the first text; it may be only where it stands for the same."""
    texts = np.array([[1, 0], [0, 1]], np.float32)
    pairs = np.array([[0.6, 0.8], [0.8, 0.6]], np.float32)
    assert found_pairs(texts, pairs, np.array([0, 1]), np.array([2, 3])).tolist() == [False, False]
    assert found_pairs(texts, pairs, np.array([0, 1]), np.array([2, 2])).tolist() == [True, True]
    assert found_pairs(texts, pairs, np.array([0, 0]), np.array([2, 3])).tolist() == [True, True]
    assert found_pairs(texts, pairs, np.array([0, 1]), np.array([2, 0])).tolist() == [True, False]


def test_a_draw_is_not_found() -> None:
    same = np.repeat(units(1, 3, 7), 4, 0)
    assert not found_pairs(same, same, np.arange(4), np.arange(4, 8)).any()


def test_recall_with_its_interval() -> None:
    found = np.array([1, 0, np.nan, 1])
    scores = bootstrap(Embedded(units(4, 3, 8), np.arange(4), found), resamples=100)
    assert scores["recall_at_1"].value == pytest.approx(2 / 3)
    assert scores["recall_at_1"].low < scores["recall_at_1"].value < scores["recall_at_1"].high
    assert math.isnan(Embedded(units(4, 3, 8), np.arange(4), found)(np.array([2]))["recall_at_1"])
