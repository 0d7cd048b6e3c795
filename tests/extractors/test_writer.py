"""What a model writes, as names and relations."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sibu.core.errors import DataError, RecipeError
from sibu.core.extraction import Seen, Text, Vocabulary
from sibu.extractors import EXTRACTORS
from sibu.extractors.writer.ask import schema_of
from tests.extractors.told import Answers, Told

WRITTEN = {
    "names": [{"text": "aspirin", "class": "Drug"}, {"text": "not there", "class": "Drug"}],
    "relations": [
        {"head": "aspirin", "relation": "treats", "tail": "fever"},
        {"head": "aspirin", "relation": "treats", "tail": "nothing"},
    ],
}


def built(by: Any, words: Vocabulary | None = None, **options: Any) -> tuple[Any, Answers]:
    bundle = Answers(by, {"write": "generate"})
    told = Told(Path(), bundles={"b": bundle}, words=words or Vocabulary(("Drug",), ("treats",)))
    spec = EXTRACTORS.spec({"name": "writer", "bundle": "b", **options})
    extractor = EXTRACTORS.of(spec).build(spec, told)
    return extractor, extractor._bundle


def test_names_are_placed_in_the_text() -> None:
    text = "First.\nWith fever take aspirin."
    extractor, bundle = built(lambda task, row: json.dumps(WRITTEN if "fever" in row["text"] else {"names": []}))
    (seen,) = extractor.extract([Text("d", text)], [Seen()])
    assert [(text[each.start : each.end], each.label, each.score) for each in seen.spots] == [("aspirin", "Drug", 0.6)]
    (tie,) = seen.ties
    assert (tie.label, text[tie.tail.start : tie.tail.end], text[tie.start : tie.end]) == (
        "treats",
        "fever",
        "With fever take aspirin.",
    )
    assert bundle.overrides[1] == "max_new_tokens=256"


def test_what_may_be_written_is_in_the_schema() -> None:
    schema = schema_of(Vocabulary(("Drug",), ("treats",)))
    jsonschema.validate(WRITTEN, schema)
    wrong = {"names": [{"text": "x", "class": "Dog"}], "relations": []}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)
    assert "relations" not in schema_of(Vocabulary(("Drug",), ()))["properties"]


def test_answers_that_did_not_end_are_left_out() -> None:
    for answer in (DataError("did not end"), "{broken"):
        extractor, _ = built(lambda task, row, answer=answer: answer)
        assert extractor.extract([Text("d", "aspirin")], [Seen()]) == [Seen()]


def test_what_cannot_write() -> None:
    with pytest.raises(RecipeError, match="has no class and no property"):
        built(None, Vocabulary((), ()))
    with pytest.raises(RecipeError, match="no task `generate` named 'x'"):
        built(None, task="x")
    told = Told(Path(), bundles={"b": Answers(print, {"find": "tag"})})
    spec = EXTRACTORS.spec({"name": "writer", "bundle": "b"})
    with pytest.raises(RecipeError, match="has 0 tasks `generate`"):
        EXTRACTORS.of(spec).build(spec, told)
