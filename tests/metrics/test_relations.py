"""Relations are counted as sets of triples, and as the SemEval-2010 scorer counts them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.result import Prediction
from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.relations import RelationMatch, undirected
from sibu.tasks import relate

NAMES = [
    "Cause-Effect",
    "Component-Whole",
    "Content-Container",
    "Entity-Destination",
    "Entity-Origin",
    "Instrument-Agency",
    "Member-Collection",
    "Message-Topic",
    "Product-Producer",
    "Other",
]
# What the official scorer v1.2 printed for one system on the test set of 2 717 examples: rows are true, columns are
# predicted, the last figure of a row counts right relations in the wrong direction.
PRINTED = """
    296 0 0 0 9 1 0 1 2 15 4
    2 209 5 3 1 9 13 5 2 32 31
    0 4 160 10 2 0 0 1 0 11 4
    0 2 10 260 0 0 0 2 1 16 1
    2 1 0 12 221 1 0 1 3 16 1
    0 4 1 2 2 101 1 3 9 31 2
    0 6 0 0 2 3 195 4 2 20 1
    1 2 0 2 0 0 3 228 3 19 3
    4 4 2 1 9 10 0 5 167 24 5
    20 25 25 25 32 20 39 39 26 203 0
"""
PRINTED_F1 = [90.11, 69.67, 80.20, 85.53, 82.31, 66.67, 80.41, 82.46, 74.06]
PRINTED_MICRO = {"precision": 78.84, "recall": 81.18, "f1": 79.99}
PRINTED_MACRO = {"macro_precision": 77.93, "macro_recall": 80.37, "macro_f1": 79.05}


def scored_examples():
    """Pairs of a true and a predicted (relation, direction) that give the printed table."""
    pairs = []
    for true, line in zip(NAMES, PRINTED.split("\n")[1:-1], strict=True):
        *row, turned = map(int, line.split())
        for said, count in zip(NAMES, row, strict=True):
            pairs += [((true, 0), (said, 0 if true == said else 1))] * count
        pairs += [((true, 0), (true, 1))] * turned
    return pairs


def check_printed(measure):
    found = values(measure)
    for name, figure in (PRINTED_MICRO | PRINTED_MACRO).items():
        assert 100 * found[name] == pytest.approx(figure, abs=0.0051)
    by_label = measure.by_label()
    assert list(by_label) == sorted(NAMES[:-1])
    assert [100 * by_label[name]["f1"] for name in NAMES[:-1]] == pytest.approx(PRINTED_F1, abs=0.0051)


def test_semeval_with_directed_labels():
    def relations(relation, direction):
        suffix = "" if relation == "Other" else ("(e1,e2)", "(e2,e1)")[direction]
        return [(0, 1, relation + suffix)]

    pairs = scored_examples()
    assert len(pairs) == 2717
    gold, predicted = ([relations(*pair[side]) for pair in pairs] for side in (0, 1))
    check_printed(RelationMatch(gold, predicted, without={"Other"}, group=undirected))


def test_semeval_with_directed_pairs():
    def relations(relation, direction):
        return [] if relation == "Other" else [(direction, 1 - direction, relation)]

    gold, predicted = ([relations(*pair[side]) for pair in scored_examples()] for side in (0, 1))
    check_printed(RelationMatch(gold, predicted))


def test_wrong_direction_is_one_false_and_one_missed():
    gold = [[(0, 1, "A(e1,e2)")], [(0, 1, "A(e1,e2)")], [(0, 1, "B(e2,e1)")], [(0, 1, "Other")]]
    predicted = [[(0, 1, "A(e1,e2)")], [(0, 1, "A(e2,e1)")], [(0, 1, "B(e2,e1)")], [(0, 1, "B(e1,e2)")]]
    found = values(RelationMatch(gold, predicted, without={"Other"}, group=undirected))
    # A: 1 right of 2 predicted and 2 true; B: 1 right of 2 predicted and 1 true
    assert found["macro_f1"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found["macro_precision"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert found["macro_recall"] == pytest.approx((1 / 2 + 1) / 2)
    assert (found["precision"], found["recall"]) == (pytest.approx(2 / 4), pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("label", "bare"),
    [
        ("Cause-Effect(e1,e2)", "Cause-Effect"),
        ("Cause-Effect(e2, e1)", "Cause-Effect"),
        ("Other", "Other"),
        ("f(x)",) * 2,
    ],
)
def test_undirected(label, bare):
    assert undirected(label) == bare


def test_several_relations_an_example():
    gold = [[("a", "b", "works"), ("b", "c", "lives"), ("b", "c", "lives")], []]
    predicted = [[("a", "b", "works"), ("c", "b", "lives")], [("a", "b", "works")]]
    measure = RelationMatch(gold, predicted)
    found = values(measure)
    assert (found["precision"], found["recall"]) == (pytest.approx(1 / 3), 0.5)
    assert found["f1"] == pytest.approx(2 * 1 / (3 + 2))
    assert measure.by_label()["works"]["support"] == 1
    assert measure(np.array([0, 0]))["precision"] == 0.5


def test_nothing_to_find_is_undefined_and_zero_in_a_score():
    measure = RelationMatch([[(0, 1, "Other")]], [[]], without={"Other"})
    assert all(np.isnan(value) for value in measure(np.arange(1)).values())
    assert bootstrap(measure)["macro_f1"].value == 0.0


CLASSES = st.tuples(st.sampled_from(NAMES), st.integers(0, 1))


def scorer_macro(pairs):
    """The scorer's figure: the mean F1 over the nine relations; a relation in the wrong direction is no hit."""
    f1s = []
    for name in NAMES[:-1]:
        hits = sum(true[0] == name and true == said for true, said in pairs)
        predicted = sum(said[0] == name for _, said in pairs)
        gold = sum(true[0] == name for true, _ in pairs)
        precision, recall = hits / predicted if predicted else 0, hits / gold
        f1s.append(2 * precision * recall / (precision + recall) if hits else 0)
    return sum(f1s) / 9


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(CLASSES, CLASSES), max_size=30), st.lists(CLASSES, min_size=9, max_size=9))
def test_macro_f1_is_the_scorers_by_metric_and_by_task(pairs, first):
    pairs = [*pairs, *(((name, 0), said) for name, said in zip(NAMES[:-1], first, strict=True))]
    gold, predicted = (
        [[(0, 1, f"{name}(e1,e2)" if way == 0 else f"{name}(e2,e1)")] for name, way in side]
        for side in zip(*pairs, strict=True)
    )
    found = RelationMatch(gold, predicted, without={"Other"}, group=undirected)
    assert values(found)["macro_f1"] == pytest.approx(scorer_macro(pairs))

    def listed(name, way):
        return [{"head": way, "tail": 1 - way, "label": name}]

    rows = [{"relations": listed(*true)} for true, _ in pairs]
    answers = [Prediction([] if said[0] == "Other" else listed(*said)) for _, said in pairs]
    task = relate.build(relate.RelateSpec(none_label="Other"))
    assert values(task.judge(rows, answers).measure)["macro_f1"] == pytest.approx(scorer_macro(pairs))
