"""A bundle's answers as names and relations: by a stand-in of a bundle here, by a trained one in test_trained."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sibu.core.errors import DataError, RecipeError
from sibu.core.extraction import Seen, Spot, Text
from sibu.extractors import EXTRACTORS
from tests.extractors.told import Answers, Told


def answers(task: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Words in capitals are names; the first of a passage is tied to each other one."""
    text = row["text"]
    if task == "find":
        words = [word.strip(".") for word in text.split() if word[0].isupper()]
        return [{"start": text.index(word), "end": text.index(word) + len(word), "label": "Name", "score": 0.8}
                for word in words]  # fmt: skip
    return [{"head": 0, "tail": other, "label": "knows", "score": 0.7} for other in range(1, len(row["entities"]))]


def built(**options: Any) -> tuple[Any, Answers]:
    bundle = Answers(answers, {"find": "tag", "tie": "relate", "say": "classify"})
    spec = EXTRACTORS.spec({"name": "bundle", "bundle": "b", **options})
    return EXTRACTORS.of(spec).build(spec, Told(Path(), bundles={"b": bundle})), bundle


def test_names_and_relations_within_sentences() -> None:
    extractor, bundle = built()
    text = "Anna met Bob.\nCarl met Dora and Eve."
    (seen,) = extractor.extract([Text("d", text)], [Seen()])
    assert [(text[each.start : each.end], each.label, each.score) for each in seen.spots] == [
        (name, "Name", 0.8) for name in ("Anna", "Bob", "Carl", "Dora", "Eve")
    ]
    said = [(text[each.head.start : each.head.end], text[each.tail.start : each.tail.end]) for each in seen.ties]
    assert said == [("Anna", "Bob"), ("Carl", "Dora"), ("Carl", "Eve")]
    assert {text[each.start : each.end] for each in seen.ties} == {
        "Anna met Bob",
        "Carl met Dora",
        "Carl met Dora and Eve",
    }
    assert extractor.version == "v1"
    assert [len(row["entities"]) for row in bundle.asked if "entities" in row] == [2, 3]


def test_within_documents() -> None:
    extractor, bundle = built(within="document")
    extractor.extract([Text("d", "Anna came. Bob went."), Text("e", " ")], [Seen(), Seen()])
    assert [row["text"] for row in bundle.asked] == ["Anna came. Bob went."] * 2


def test_the_surest_names_are_related() -> None:
    extractor, bundle = built(most=2, over="all")
    known = Seen((Spot(5, 8, "met", score=0.1), Spot(0, 4, "Other", score=0.99)))
    extractor.extract([Text("d", "Anna met Bob")], [known])
    (row,) = [row for row in bundle.asked if "entities" in row]
    assert row["entities"] == [{"start": 0, "end": 4, "label": "Name"}, {"start": 9, "end": 12, "label": "Name"}]


def test_relations_between_names_of_others() -> None:
    bundle = Answers(answers, {"tie": "relate"})
    spec = EXTRACTORS.spec({"name": "bundle", "bundle": "b", "classes": {"Peop": "Person"}})
    extractor = EXTRACTORS.of(spec).build(spec, Told(Path(), bundles={"b": bundle}))
    known = Seen((Spot(0, 4, "Person"), Spot(9, 12)))
    (seen,) = extractor.extract([Text("d", "anna met bob")], [known])
    assert seen.spots == ()
    assert [(each.head, each.tail) for each in seen.ties] == [known.spots]
    assert bundle.asked[0]["entities"] == [{"start": 0, "end": 4, "label": "Peop"}, {"start": 9, "end": 12}]


def test_what_is_chosen_must_be_there() -> None:
    with pytest.raises(RecipeError, match=r"has no task `tag` named 'fnd'. Did you mean 'find'"):
        built(tag="fnd")
    bundle = Answers(answers, {"say": "classify"})
    spec = EXTRACTORS.spec({"name": "bundle", "bundle": "b"})
    with pytest.raises(RecipeError, match=r"no task of type `tag` or `relate`. It has: say \(classify\)"):
        EXTRACTORS.of(spec).build(spec, Told(Path(), bundles={"b": bundle}))
    bundle = Answers(answers, {"one": "tag", "two": "tag"})
    with pytest.raises(RecipeError, match=r"several tasks `tag`. Name one as `tag`: one, two"):
        EXTRACTORS.of(spec).build(spec, Told(Path(), bundles={"b": bundle}))


def test_an_answer_that_is_a_fault_names_the_document() -> None:
    bundle = Answers(lambda task, row: DataError("too odd"), {"find": "tag"})
    spec = EXTRACTORS.spec({"name": "bundle", "bundle": "b"})
    extractor = EXTRACTORS.of(spec).build(spec, Told(Path(), bundles={"b": bundle}))
    with pytest.raises(DataError, match="notes, from character 2 on: too odd"):
        extractor.extract([Text("notes", "  text")], [Seen()])
