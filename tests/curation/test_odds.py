"""The curve from scores to probabilities, against scikit-learn's and by its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.curation.odds import Odds, fit_odds


def test_it_is_weighted_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    draw = np.random.default_rng(0)
    facts, others = draw.normal(3, 2, 4000), draw.normal(0, 1, 9000)
    found = fit_odds(facts, others)
    scores = np.concatenate([facts, others])[:, None]
    labels = np.repeat([1, 0], [len(facts), len(others)])
    wanted = LogisticRegression(C=np.inf, class_weight="balanced", tol=1e-10).fit(scores, labels)
    assert found.slope == pytest.approx(wanted.coef_[0, 0], rel=0.01)  # Platt's targets are a little off 0 and 1
    assert found.intercept == pytest.approx(wanted.intercept_[0], rel=0.01)
    assert (found.facts, found.others) == (4000, 9000)


def test_apart_facts_are_sure_but_not_beyond_all_doubt() -> None:
    found = fit_odds(np.array([5.0, 6.0, 7.0]), np.array([1.0, 2.0]))
    chances = found.probability(np.array([6.0, 1.5]))
    assert chances.tolist() == pytest.approx([4 / 5, 1 / 4], abs=0.06)


@pytest.mark.parametrize(
    ("facts", "others"), [([1.0, 2.0], [3.0, 4.0]), ([2.0, 2.0], [2.0]), ([1.0], [1.0]), ([0.0, 1.0], [0.0, 1.0])]
)
def test_a_score_that_says_nothing_gives_even_odds(facts: list[float], others: list[float]) -> None:
    found = fit_odds(np.array(facts), np.array(others))
    assert found.slope >= 0
    assert found.probability(np.array([-9.0, 0.0, 9.0])).tolist() == pytest.approx([0.5] * 3, abs=1e-4)


@given(st.floats(0.001, 50), st.floats(-20, 20), st.floats(0.001, 0.999))
def test_the_score_of_a_probability(slope: float, intercept: float, chance: float) -> None:
    odds = Odds(slope, intercept, 1, 1)
    assert odds.probability(np.array([odds.score(chance)]))[0] == pytest.approx(chance, rel=1e-6)


def test_scores_beyond_all() -> None:
    flat = Odds(0.0, 0.0, 1, 1)
    assert [flat.score(chance) for chance in (0.0, 0.5, 0.6)] == [-np.inf, -np.inf, np.inf]
    assert Odds(1.0, 0.0, 1, 1).score(0.0) == -np.inf
    assert Odds(1.0, 0.0, 1, 1).probability(np.array([-1e6, 1e6])).tolist() == pytest.approx([0, 1])
