"""Which training rows are shown before a question."""

import random

from sklearn.feature_extraction.text import TfidfVectorizer

from sibu.tasks._examples import MOST, Examples, kept_of, terms

WORDS = [*"card bank late fee pay lost stolen abroad euro limit".split(), *"丢卡银行付款"]  # noqa: SIM905


def texts(count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(2, 9))) + f" x{number}" for number in range(count)]


def test_likeness_is_scikit_learns_tf_idf() -> None:
    kept, asked = texts(40, 1), texts(10, 2)
    known = TfidfVectorizer(analyzer=lambda text: list(terms(text)), sublinear_tf=True)
    rows = known.fit_transform(kept)
    examples = Examples([(text, "a") for text in kept])
    for text in asked:
        alike = (rows @ known.transform([text]).T).toarray()[:, 0]
        found = [kept.index(question) for question, _ in examples.near(text, 5)]
        wanted = sorted(alike, reverse=True)[:5][::-1]
        assert [round(alike[place], 9) for place in found] == [round(each, 9) for each in wanted]


def test_a_question_is_never_its_own_example() -> None:
    examples = Examples([("my card is lost", "lost"), ("my card is late", "late"), ("what is a euro", "euro")])
    assert examples.near("my card is lost", 2) == [("what is a euro", "euro"), ("my card is late", "late")]
    assert examples.near("my card is lost", 9) == examples.near("my card is lost", 2)


def test_chinese_is_compared_by_characters_and_their_pairs() -> None:
    assert list(terms("银行卡 lost")) == ["银", "行", "银行", "卡", "行卡", "lost"]
    examples = Examples([("我的银行卡丢了", "丢失"), ("转账什么时候到", "转账")])
    assert examples.near("银行卡不见了", 1) == [("我的银行卡丢了", "丢失")]


def test_of_many_rows_every_nth_is_kept() -> None:
    kept = kept_of((str(number), "a") for number in range(2 * MOST + 1))
    assert [question for question, _ in kept[:3]] == ["0", "3", "6"]
    assert len(kept) <= MOST
    assert kept_of([]) == []
