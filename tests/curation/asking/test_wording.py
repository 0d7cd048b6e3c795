"""What words of questions do, and which are one."""

import pytest

from sibu.curation.asking.wording import groups, marks, phrase_of, stem, stems, wordings


@pytest.mark.parametrize(
    "words",
    [
        "interacts interaction interacting interacted interactions",
        "causes caused causing cause",
        "takes taking took taken take",
        "treats treated treating treatment",
        "lies lie lying",
        "diagnoses diagnosed diagnosis diagnosing",
        "prevents prevention prevented",
        "carries carry carried",
        "stops stopped stopping",
        "located location locates",
        "fungi fungus",
    ],
)
def test_forms_of_a_word_are_one(words: str) -> None:
    assert len({stems(word) for word in words.split()}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("age", "aged care"), ("ward", "war"), ("cause", "cash"), ("part", "party")]
)
def test_other_words_are_not(one: str, other: str) -> None:
    assert stems(one) != stems(other)


def test_a_stem_has_something_left() -> None:
    assert [stem(key) for key in ("ing", "ed", "is", "sing", "药", "")] == ["ing", "ed", "is", "sing", "药", ""]


def test_each_phrase_does_one_thing() -> None:
    assert marks()[phrase_of("how many")].kind == "count"
    assert marks()[phrase_of("older than")].sign == ">"
    assert marks()[phrase_of("哪些")].kind == "which"
    assert marks()[phrase_of("不超过")].sign == "<=", "and not `超过`"
    assert {each.language for each in wordings()} == {"en", "zh"}


def test_what_is_alike_is_so_both_ways() -> None:
    for phrase, others in groups().items():
        assert all(phrase in groups()[other] for other in others)
