"""Which facts are told of a text, and in which language."""

from sibu.knowledge.facts.context import Facts, language_of
from sibu.phrases import Lexicon, Name

X = "https://x.org/"


def fact(subject: str, verb: str, object_: str) -> dict:
    words = {"en": f"{subject} {verb} {object_}", "zh": f"{subject} 与 {object_}"}
    return {"words": words, "ends": [X + subject, X + object_], "fact": f"{verb}({subject}, {object_})", "sources": []}


KEPT, EATEN, BOTH = (
    fact("aspirin", "kept in", "box"),
    fact("aspirin", "eaten by", "cat"),
    fact("aspirin", "hurts", "dog"),
)
LEXICON = Lexicon([Name(name, ("x",), X + name) for name in ("aspirin", "dog")])
FACTS = Facts(LEXICON, {X + "aspirin": [KEPT, EATEN, BOTH], X + "dog": [BOTH]}, budget=9)


def told(text: str) -> list[str]:
    return [each.words for each in FACTS.about(list(LEXICON.every(text)), text)]


def test_facts_of_two_named_things_come_first_then_those_that_share_words() -> None:
    assert told("aspirin") == ["aspirin kept in box", "aspirin eaten by cat", "aspirin hurts dog"]
    assert told("which dog has aspirin") == ["aspirin hurts dog", "aspirin kept in box", "aspirin eaten by cat"]
    assert told("aspirin eaten by a cat")[0] == "aspirin eaten by cat"
    assert told("nothing") == []


def test_they_are_told_in_the_language_of_the_text() -> None:
    assert told("我的aspirin在哪里呢我要吃药")[0] == "aspirin 与 box"
    assert [language_of(text) for text in ("", "the 药 of the doctor", "吃药 ok")] == ["en", "en", "zh"]
