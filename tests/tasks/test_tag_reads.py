"""Tags of an evaluation file are read by what they show, however the training data was written."""

import random

import pytest
from seqeval.metrics import f1_score

from sibu.core.result import Prediction
from sibu.tasks import tag

TRAINED_ON = {
    "spans": [{"text": "took aspirin", "entities": [{"start": 5, "end": 12, "label": "A"}]}],
    "IO": [{"tokens": ["a", "b"], "tags": ["I-A", "O"]}, {"tokens": ["a"], "tags": ["I-B"]}],
    "BIO": [{"tokens": ["a", "b"], "tags": ["B-A", "I-A"]}, {"tokens": ["a"], "tags": ["B-B"]}],
    "BIOES": [{"tokens": ["a", "b"], "tags": ["B-A", "E-A"]}, {"tokens": ["a"], "tags": ["S-B"]}],
}
WRITTEN = {"IO": ("I-",), "BIO": ("B-", "I-"), "BIOES": ("B-", "I-", "E-", "S-")}


@pytest.mark.parametrize("trained", TRAINED_ON)
@pytest.mark.parametrize("written", WRITTEN)
def test_span_f1_is_seqevals(trained: str, written: str) -> None:
    task = tag.build(tag.TagSpec(labels=("A", "B")), None)
    task.learn(TRAINED_ON[trained])
    draw = random.Random(f"{trained} {written}")
    tags = ["O", *(prefix + label for prefix in WRITTEN[written] for label in "AB")]
    rows, predictions, golds, guesses = [], [], [], []
    for _ in range(200):
        gold, guess = ([draw.choice(tags) for _ in range(9)] for _ in range(2))
        guess = [own if draw.random() < 0.7 else other for own, other in zip(gold, guess, strict=True)]
        rows.append({"tokens": list("abcdefghi"), "tags": gold})
        spans = task.gold({"tokens": list("abcdefghi"), "tags": guess})
        found = [{"label": label, "token_start": start, "token_end": end} for label, start, end in spans]
        predictions.append(Prediction(found))
        golds.append(gold)
        guesses.append(guess)
    judged = task.judge(rows, predictions)
    assert judged.measure(range(200))["f1"] == pytest.approx(f1_score(golds, guesses))


def test_broken_tags_are_told_in_their_own_scheme() -> None:
    task = tag.build(tag.TagSpec(), None)
    task.learn(TRAINED_ON["spans"])

    def kinds(*tags: str) -> list[str]:
        return [kind for kind, *_ in task.check({"tokens": list("abc")[: len(tags)], "tags": list(tags)}, ())]

    assert kinds("I-A", "I-A") == []
    assert kinds("B-A", "I-A") == []
    assert kinds("B-A", "O", "I-A") == ["broken BIO sequence"]
    assert kinds("B-A", "O", "S-A") == ["broken BIOES sequence"]
