"""Metrics of written texts against sacreBLEU and rouge-score."""

import random

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

from sibu.metrics import goodness
from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.writing import Written, rouge

WORDS = "the a dog cat runs sleeps on under red table 12 quick-witted don't".split()  # noqa: SIM905


def texts(count: int, *, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, 14))) for _ in range(count)]


def test_bleu_and_chrf_are_sacrebleus_on_any_rows() -> None:
    golds, own = texts(30, seed=1), texts(30, seed=2)
    measure = Written([[gold] for gold in golds], own)
    rows = np.array([3, 3, 7, 0, 29, 12, 13, 14])
    picked, right = [own[row] for row in rows], [golds[row] for row in rows]
    found = measure(rows)
    assert found["bleu"] == pytest.approx(BLEU().corpus_score(picked, [right]).score / 100)
    assert found["chrf"] == pytest.approx(CHRF().corpus_score(picked, [right]).score / 100)


def test_several_right_answers() -> None:
    golds = [
        [a, b] if number % 2 else [a]
        for number, (a, b) in enumerate(zip(texts(9, seed=1), texts(9, seed=3), strict=True))
    ]
    own = texts(9, seed=2)
    found = values(Written(golds, own))
    streams = [[each[0] for each in golds], [each[1] if len(each) > 1 else None for each in golds]]
    assert found["bleu"] == pytest.approx(BLEU().corpus_score(own, streams).score / 100)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    for name in ("rouge1", "rouge2", "rougeL"):
        best = [
            max(scorer.score(gold, text)[name].fmeasure for gold in each) for each, text in zip(golds, own, strict=True)
        ]
        assert found[name] == pytest.approx(np.mean(best))


def test_rouge_is_rouge_scores() -> None:
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    for gold, own in zip(texts(200, seed=5), texts(200, seed=6), strict=True):
        wanted = scorer.score(gold, own)
        found = values(Written([[gold]], [own]))
        assert [found[n] for n in wanted] == pytest.approx([each.fmeasure for each in wanted.values()])


def test_chinese_is_counted_by_characters() -> None:
    found = values(Written([["我头痛，想预约医生"]], ["我头痛想看医生"]))
    assert found["rouge1"] == pytest.approx(2 * 6 / (8 + 7))
    assert found["bleu"] == pytest.approx(
        BLEU(tokenize="zh").corpus_score(["我头痛想看医生"], [["我头痛，想预约医生"]]).score / 100
    )
    assert rouge("abc", "abc") == (1, 1, 1)


def test_letters_beyond_english_are_words() -> None:
    assert values(Written([["für größere Häuser"]], ["für größere Häuser"]))["rouge2"] == 1


def test_perplexity_is_of_all_pieces_together() -> None:
    losses = np.array([[2.0, 1], [9.0, 9]])
    measure = Written([["a"], ["b"]], None, losses)
    assert values(measure) == {"perplexity": pytest.approx(np.exp(11 / 10))}
    score = bootstrap(measure)["perplexity"]
    assert score.low < score.value < score.high
    assert goodness("perplexity", 4.0) == 0.25


def test_length_repetition_and_exact_match() -> None:
    found = values(Written([["a b c d"], ["x  y"]], ["a b c d a b c d a b c d", " x y"]))
    assert found["length_ratio"] == pytest.approx(14 / 6)
    assert found["repetition"] == pytest.approx(5 / 9)
    assert found["exact_match"] == 0.5


def test_nothing_written_is_worth_nothing() -> None:
    found = values(Written([["a b"]], [""]))
    assert (found["bleu"], found["chrf"], found["rougeL"], found["length_ratio"]) == (0, 0, 0, 0)
