"""Ranks against a brute force that asks one triple at a time, ties and all."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.metrics import ranking
from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.ranking import Answers, Ranked, both_ways, ranks

ENTITIES, RELATIONS = 7, 2
TRIPLES = st.lists(
    st.tuples(st.integers(0, ENTITIES - 1), st.integers(0, RELATIONS - 1), st.integers(0, ENTITIES - 1)),
    min_size=1,
    max_size=25,
)


def table(seed: int, levels: int) -> np.ndarray:
    """Scores of (relation or inverse, subject, object), few of them different."""
    draw = np.random.default_rng(seed)
    return draw.integers(0, levels, (2 * RELATIONS, ENTITIES, ENTITIES)).astype(np.float32)


def scoring(scores: np.ndarray):
    return lambda subjects, relations: scores[relations, subjects]


def one_rank(scores: np.ndarray, right: int, others_right: set[int]) -> float:
    """Mean of the place before all equals and the place behind them."""
    rivals = [score for entity, score in enumerate(scores.tolist()) if entity not in others_right - {right}]
    own = scores[right]
    first = 1 + sum(score > own for score in rivals)
    last = sum(score >= own for score in rivals)
    return (first + last) / 2


@given(TRIPLES, TRIPLES, st.integers(0, 99), st.integers(1, 6), st.integers(1, 30))
def test_filtered_realistic_ranks_as_one_by_one(asked, more, seed, levels, cells) -> None:
    known, scores = set(asked) | set(more), table(seed, levels)
    wanted = []
    for s, r, o in asked:
        objects = {c for a, b, c in known if (a, b) == (s, r)}
        subjects = {a for a, b, c in known if (b, c) == (r, o)}
        wanted.append((one_rank(scores[r, s], o, objects), one_rank(scores[r + RELATIONS, o], s, subjects)))
    right = Answers(both_ways(np.array(sorted(known)), RELATIONS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "CELLS", cells)  # however few are held at a time
        found = ranks(scoring(scores), np.array(asked), right, relations=RELATIONS, entities=ENTITIES)
    assert found.tolist() == [list(pair) for pair in wanted]


def test_who_says_the_same_of_all_stands_in_the_middle() -> None:
    asked = np.array([(0, 0, 1), (2, 1, 3)])
    right = Answers(both_ways(asked, RELATIONS))
    found = ranks(scoring(table(0, 1)), asked, right, relations=RELATIONS, entities=ENTITIES)
    assert (found == (1 + ENTITIES) / 2).all()


def test_what_is_no_number_ranks_last() -> None:
    """A broken scorer would look perfect where nothing is greater than NaN."""
    asked, scores = np.array([(0, 0, 1)]), table(3, 100)
    right = Answers(both_ways(np.array([(0, 0, 1), (0, 0, 2)]), RELATIONS))

    def rank(changed: np.ndarray) -> float:
        return float(ranks(scoring(changed), asked, right, relations=RELATIONS, entities=ENTITIES)[0, 0])

    assert rank(np.full_like(scores, math.nan)) == ENTITIES - 1  # 2 is right too and does not count
    one = scores.copy()
    one[0, 0, 5] = math.nan
    one[0, 0, 1] = 1000
    assert rank(one) == 2


def test_equal_questions_are_scored_once_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "CELLS", 3 * ENTITIES)
    asked = np.array([(0, 0, each) for each in range(5)])
    sizes = []

    def counted(subjects: np.ndarray, relations: np.ndarray) -> np.ndarray:
        sizes.append(len(subjects))
        return table(0, 9)[relations, subjects]

    ranks(counted, asked, Answers(both_ways(asked, RELATIONS)), relations=RELATIONS, entities=ENTITIES)
    assert sizes == [1, 2, 3, 1]  # three and two times the same question, then five different ones


@given(TRIPLES, TRIPLES)
def test_answers_are_those_of_a_dictionary(triples, asked) -> None:
    answers = Answers(np.array(triples))
    by_question: dict[tuple[int, int], set[int]] = {}
    for s, r, o in triples:
        by_question.setdefault((s, r), set()).add(o)
    assert len(answers) == len(by_question)
    assert sum(map(len, by_question.values())) == len(answers.objects)
    given_ = np.array(asked)
    questions = answers.find(given_[:, 0], given_[:, 1])
    rows, objects = answers.of(questions)
    assert (np.diff(rows) >= 0).all()
    for place, (s, r, o) in enumerate(asked):
        assert (questions[place] >= 0) == ((s, r) in by_question)
        assert objects[rows == place].tolist() == sorted(by_question.get((s, r), set()))
        assert answers.hold(given_)[place] == (o in by_question.get((s, r), set()))
    for number, (s, r) in enumerate(zip(answers.subjects.tolist(), answers.relations.tolist(), strict=True)):
        assert answers.of(np.array([number]))[1].tolist() == sorted(by_question[s, r])


def test_no_answers_answer_nothing() -> None:
    empty = Answers(np.zeros((0, 3), np.int64))
    assert len(empty) == 0
    assert empty.find(np.array([0, 3]), np.array([0, 0])).tolist() == [-1, -1]
    assert [each.tolist() for each in empty.of(np.array([-1, -1]))] == [[], []]
    one = Answers(np.array([(1, 0, 2)]))
    assert one.find(np.array([3]), np.array([-1])).tolist() == [-1]  # not taken for (1, 0)


def test_both_ways() -> None:
    assert both_ways(np.array([(0, 1, 2), (3, 0, 3)]), 5).tolist() == [[0, 1, 2], [3, 0, 3], [2, 6, 0], [3, 5, 3]]


def test_metrics_by_hand() -> None:
    measure = Ranked(np.array([[1.0, 2.5], [4.0, 20.0]]))
    assert values(measure) == pytest.approx(
        {"mrr": (1 + 0.4 + 0.25 + 0.05) / 4, "hits_at_1": 0.25, "hits_at_3": 0.5, "hits_at_10": 0.75}
    )
    score = bootstrap(measure, resamples=200)["mrr"]
    assert score.low == pytest.approx(0.15)
    assert score.high == pytest.approx(0.7)
    assert score.n == 2
