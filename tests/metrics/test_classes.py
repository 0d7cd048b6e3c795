"""Classification metrics equal scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    matthews_corrcoef,
    precision_recall_fscore_support,
)

from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.classes import MultiLabel, SingleLabel, by_class, confusion

CLASSES = 4
PAIRS = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=40)
STRANGE_PAIRS = st.lists(st.tuples(st.integers(-1, CLASSES + 2), st.integers(0, CLASSES - 1)), min_size=1, max_size=40)


def sklearn_single(gold, predicted):
    return {
        "accuracy": accuracy_score(gold, predicted),
        "macro_f1": f1_score(gold, predicted, average="macro", zero_division=0),
        "weighted_f1": f1_score(gold, predicted, average="weighted", zero_division=0),
        "mcc": matthews_corrcoef(gold, predicted) if len({*gold, *predicted}) > 1 else 0.0,
    }


@settings(deadline=None, max_examples=150)
@given(STRANGE_PAIRS, st.data())
def test_single_label_equals_sklearn_on_all_rows_and_on_resamples(pairs, data):
    """Numbers that training never saw are labels like others to scikit-learn."""
    gold, predicted = np.array(pairs).T
    measure = SingleLabel(gold, predicted, CLASSES)
    assert measure(np.arange(len(gold))) == pytest.approx(sklearn_single(gold, predicted))
    rows = np.array(data.draw(st.lists(st.integers(0, len(gold) - 1), min_size=1, max_size=30)))
    assert measure(rows) == pytest.approx(sklearn_single(gold[rows], predicted[rows]))


@settings(deadline=None)
@given(PAIRS)
def test_scores_do_not_depend_on_the_order_and_stay_in_range(pairs):
    gold, predicted = np.array(pairs).T
    measure = SingleLabel(gold, predicted, CLASSES)
    rows = np.arange(len(gold))
    assert measure(rows) == pytest.approx(measure(rows[::-1]))
    for name, value in measure(rows).items():
        assert (-1 if name == "mcc" else 0) - 1e-12 <= value <= 1 + 1e-12
    perfect = SingleLabel(gold, gold, CLASSES)(rows)
    assert perfect["accuracy"] == perfect["macro_f1"] == perfect["weighted_f1"] == 1


def test_positive_class_of_two():
    gold, predicted = [0, 1, 1, 0, 1, 1], [0, 1, 0, 1, 1, 1]
    found = values(SingleLabel(gold, predicted, 2, positive=1))
    assert found["f1"] == pytest.approx(f1_score(gold, predicted))
    assert values(SingleLabel(gold, predicted, 2, positive=0))["f1"] == pytest.approx(
        f1_score(gold, predicted, pos_label=0)
    )
    assert "f1" not in values(SingleLabel(gold, predicted, 2))


def test_positive_class_that_never_occurs_is_undefined():
    measure = SingleLabel([0, 0], [0, 0], 2, positive=1)
    assert np.isnan(measure(np.arange(2))["f1"])
    assert values(measure)["f1"] == 0.0


def test_unseen_labels_count_as_wrong_and_as_labels():
    # classes 0 and 1 are all right; -1 stands for one more label, 2 and 3 for one each
    together = values(SingleLabel([0, 1, -1, -1], [0, 1, 0, 1], 2))
    apart = values(SingleLabel([0, 1, 2, 3], [0, 1, 0, 1], 2))
    assert together["accuracy"] == apart["accuracy"] == 0.5
    assert together["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert apart["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 0 + 0) / 4)


def test_a_class_that_is_in_neither_is_not_in_the_mean():
    assert values(SingleLabel([0, 1], [0, 1], 10))["macro_f1"] == 1.0


def test_a_rare_class_does_not_push_the_interval_below_the_value():
    gold = np.array([0] * 99 + [1])
    score = bootstrap(SingleLabel(gold, gold, 2))["macro_f1"]
    assert (score.low, score.value, score.high) == (1, 1, 1)


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([0, 1], [0], r"must both be \(n,\)"),
        ([[0], [1]], [[0], [1]], r"must both be \(n,\)"),
        ([0, 1], [0, 2], r"predicted must be in 0 \.\. 1"),
        ([0, -1], [0, -1], r"predicted must be in 0 \.\. 1"),
        ([0.5, 1.0], [0, 1], "whole numbers"),
    ],
)
def test_faulty_numbers(gold, predicted, message):
    for function in (SingleLabel, confusion):
        with pytest.raises(ValueError, match=message):
            function(gold, predicted, 2)
    with pytest.raises(ValueError, match=message):
        by_class(gold, predicted, ["a", "b"])


@settings(deadline=None)
@given(STRANGE_PAIRS)
def test_confusion_equals_sklearn(pairs):
    gold, predicted = np.array(pairs).T
    found = np.array(confusion(gold, predicted, CLASSES))
    known = np.where((gold >= 0) & (gold < CLASSES), gold, CLASSES)
    expected = confusion_matrix(known, predicted, labels=range(CLASSES + 1))[:, :CLASSES]
    strange = bool((known == CLASSES).any())
    assert found.shape == (CLASSES + strange, CLASSES)
    assert (found == expected[: CLASSES + strange]).all()


@settings(deadline=None)
@given(STRANGE_PAIRS)
def test_by_class_equals_sklearn(pairs):
    gold, predicted = np.array(pairs).T
    names = ["a", "b", "c", "d"]
    found = by_class(gold, predicted, names)
    known = np.where((gold >= 0) & (gold < CLASSES), gold, CLASSES)
    expected = precision_recall_fscore_support(known, predicted, labels=range(CLASSES + 1), zero_division=0)
    assert list(found) == ([*names, "(unseen)"] if (known == CLASSES).any() else names)
    for row, *figures in zip(found.values(), *expected, strict=False):
        assert [row["precision"], row["recall"], row["f1"], row["support"]] == pytest.approx(figures)


def test_nothing_at_all():
    assert confusion([], [], 2) == [[0, 0], [0, 0]]
    assert by_class([], [], ["a"])["a"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0, "predicted": 0}


TABLES = st.integers(1, 12).flatmap(
    lambda n: st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=2 * n, max_size=2 * n)
)


@settings(deadline=None, max_examples=150)
@given(TABLES, st.data())
def test_multi_label_equals_sklearn(table, data):
    gold, predicted = np.array(table).reshape(2, -1, 3)
    measure = MultiLabel(gold, predicted)
    rows = np.array(data.draw(st.lists(st.integers(0, len(gold) - 1), min_size=1, max_size=20)))
    found, gold, predicted = measure(rows), gold[rows], predicted[rows]
    assert found["exact_match"] == pytest.approx(accuracy_score(gold, predicted))
    occurs = np.flatnonzero((gold | predicted).any(0))
    if not occurs.size:
        assert np.isnan(found["micro_f1"])
        assert np.isnan(found["macro_f1"])
        return
    assert found["micro_f1"] == pytest.approx(f1_score(gold, predicted, average="micro", zero_division=0))
    by_label = f1_score(gold, predicted, average=None, zero_division=0)
    assert found["macro_f1"] == pytest.approx(by_label[occurs].mean())


def test_multi_label_by_label():
    gold = np.array([[1, 0], [1, 1], [0, 0]], dtype=bool)
    predicted = np.array([[1, 1], [0, 1], [0, 0]], dtype=bool)
    assert MultiLabel(gold, predicted).by_label(["a", "b"]) == {
        "a": {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2, "predicted": 1},
        "b": {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1, "predicted": 2},
    }


def test_multi_label_needs_two_bool_tables():
    with pytest.raises(ValueError, match=r"must both be \(n, C\)"):
        MultiLabel(np.zeros((2, 3), bool), np.zeros((2, 2), bool))
    with pytest.raises(ValueError, match="must be bool"):
        MultiLabel(np.zeros((2, 3), bool), np.full((2, 3), 0.2))
