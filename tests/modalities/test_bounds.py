"""Answers within bounds: whatever the model wants, what it writes keeps to the grammar and comes to its end."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import validate
from pydantic import ValidationError
from torch import nn

from sibu.constraints import CONSTRAINTS
from sibu.constraints.choice import ChoiceSpec
from sibu.constraints.json import JsonSpec
from sibu.constraints.regex import RegexSpec
from sibu.core.grammar import either, part_of
from sibu.core.protocols import Terms
from sibu.decoders import DECODERS
from sibu.decoders.beam import BeamSpec
from sibu.decoders.contrastive import ContrastiveSpec
from sibu.decoders.greedy import GreedySpec
from sibu.decoders.sample import SampleSpec
from sibu.modalities.text.encoder import TextEncoder
from sibu.modalities.text.prepare import TextPreparer
from sibu.modalities.text.writer import Written, _trimmed, _within, write

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "kind": {"enum": ["head pain", "北京", 'a "b"']},
        "list": {"type": "array", "items": {"type": "number"}},
    },
    "required": ["name", "age", "kind"],
    "additionalProperties": False,
}
DECODING = [GreedySpec(), SampleSpec(temperature=3.0, top_p=1.0), BeamSpec(beams=3), ContrastiveSpec()]


@pytest.fixture(scope="module", params=["causal", "encoder-decoder"])
def model(request: pytest.FixtureRequest, tiny_writer: Path, tiny_translator: Path) -> tuple[TextEncoder, TextPreparer]:
    folder = tiny_writer if request.param == "causal" else tiny_translator
    preparer = TextPreparer(folder, max_length=256, overlap=0, shapes=False, writes=True)
    return TextEncoder(folder, shapes=False, dropout=None, writes=True).eval(), preparer


def written(
    model: tuple[TextEncoder, TextPreparer], grammars: list[str], spec: object, limit: int = 90
) -> list[Written]:
    encoder, preparer = model
    bounds = preparer.bounds(None)
    assert [bounds.fault(grammar) for grammar in grammars] == [""] * len(grammars)
    prompts = [[60 + n, *range(70, 70 + n)] for n in range(len(grammars))]
    named = {"limit": limit, "ends": bounds.ends, "decoder": DECODERS.of(spec).build(spec)}
    found = write(encoder, preparer.vocabulary, prompts, bounds=bounds, grammars=grammars, **named)
    return [first for first, *_ in found]


def grammar(spec: object) -> str:
    return str(CONSTRAINTS.of(spec).build(spec))


@pytest.mark.parametrize("spec", DECODING, ids=lambda spec: spec.name)
def test_each_row_keeps_to_its_own(model, spec) -> None:
    if spec.name == "contrastive" and model[0].writes != "causal":
        pytest.skip("contrastive search is for causal models")
    names, pattern = ("head", "头痛", "a b c d e f g h"), r"[A-Z]{2}-\d{4}(,[a-z]+)*"
    grammars = [
        grammar(ChoiceSpec(among=names)),
        grammar(RegexSpec(pattern=pattern)),
        grammar(JsonSpec(json_schema=SCHEMA)),
    ]
    found = written(model, [*grammars, *grammars], spec)
    assert all(each.finished for each in found)
    for choice, matched, value in (found[:3], found[3:]):
        assert choice.text in names
        assert re.fullmatch(pattern, matched.text)
        validate(json.loads(value.text), SCHEMA)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40))
def test_stretches_of_any_text(model, text: str) -> None:
    if not text.strip() or not any(line for line in text.split("\n")):
        return
    lines = f'start: "none" | line ("\\n" line)*\nline: {either(["a", "b: c"])} ": " PART\n{part_of(text)}'
    (found,) = written(model, [lines], SampleSpec(temperature=5.0, top_p=1.0, seed=len(text)), limit=60)
    if found.text != "none" and found.finished:
        for line in found.text.split("\n"):
            label = "b: c" if line.startswith("b: c: ") else "a"
            assert line[len(label) + 2 :] in text


def test_no_more_is_told_than_asked(model) -> None:
    """A value that could go on is led to its end before the limit."""
    schema = {"type": "array", "items": {"type": "string"}}
    (found,) = written(model, [grammar(JsonSpec(json_schema=schema))], GreedySpec(), limit=40)
    assert found.finished
    validate(json.loads(found.text), schema)


class _Wants(nn.Module):
    """A stand-in for a model that wants to write a text, whatever it has read."""

    def __init__(self, ids: list[int], size: int) -> None:
        super().__init__()
        self.config = SimpleNamespace(is_encoder_decoder=False)
        self.weight = nn.Parameter(torch.zeros(1))
        self.ids, self.size, self.step = ids, size, 0

    def forward(self, input_ids: torch.Tensor, **_: object) -> SimpleNamespace:
        scores = torch.zeros(len(input_ids), 1, self.size)
        scores[:, -1, self.ids[min(self.step, len(self.ids) - 1)]] = 9.0
        self.step += 1
        return SimpleNamespace(logits=scores)


def wanted(folder: Path, text: str, spec: object, *, limit: int) -> Written:
    """What comes of a text that a model wants to write within a bound."""
    preparer = TextPreparer(folder, max_length=256, overlap=0, shapes=False, writes=True)
    bounds, vocabulary = preparer.bounds(None), preparer.vocabulary
    ids = [*vocabulary.tokenizer.encode(text, add_special_tokens=False).ids, bounds.ends[0]]
    terms = Terms(limit, bounds.ends, vocabulary.pad_id, [bounds.of([grammar(spec)], begun=1, limit=limit)], [], None)
    inputs = {"input_ids": torch.tensor([[5]]), "attention_mask": torch.ones(1, 1, dtype=torch.long)}
    with patch("sibu.decoders._steps._cache", lambda _: None):
        (found,) = DECODERS.of(GreedySpec()).build(GreedySpec())(_Wants(ids, bounds.size), inputs, terms).tolist()
    return _within(_trimmed(found[1:], set(bounds.ends), vocabulary, ()), grammar(spec), bounds, vocabulary)


@pytest.mark.parametrize("text", ["take", "take aspirin", "good, bad", "good day", "[good]", "吃药", "吃药。"])
@pytest.mark.parametrize("limit", [12, 16, 90])
def test_any_choice_can_be_made_whatever_the_limit(text: str, limit: int, tiny_writer: Path) -> None:
    """Near its limit too an answer that could end may go on: `take` is no better than `take aspirin`."""
    among = ("take", "take aspirin", "good, bad", "good day", "good", "[good]", "吃药", "吃药。")
    found = wanted(tiny_writer, text, ChoiceSpec(among=among), limit=limit)
    assert (found.text, found.finished) == (text, True)


@pytest.mark.parametrize(
    ("pattern", "text", "limit", "is_"),
    [
        ("[a-z ]*", "my head has pain", 20, "my head has pain"),
        ("[a-z ]*", "pain " * 40, 20, None),
        (r"([a-z ]+\.)+", "pain. my head has pain and fever and cough", 8, None),
        ("[a-z, ]+[.]", "pain, " * 40, 12, None),
    ],
)
def test_an_expression_is_kept_to_as_far_as_the_limit(
    pattern: str, text: str, limit: int, is_: str | None, tiny_writer: Path
) -> None:
    """What would go beyond the limit is led to its end there, not long before; or loses what was only begun."""
    found = wanted(tiny_writer, text, RegexSpec(pattern=pattern), limit=limit)
    assert found.finished
    assert re.fullmatch(pattern, found.text)
    assert len(found.ids) >= 3
    assert is_ is None or found.text == is_


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (JsonSpec(json_schema={"type": "string", "minLength": 5, "maxLength": 2}), "minLength (5) is greater than"),
        (JsonSpec(json_schema={"type": "nope"}), "Invalid type: nope"),
        (JsonSpec(json_schema={"allOf": [{"type": "string"}, {"type": "null"}]}), "incompatible types"),
        (RegexSpec(pattern="a(b"), "unclosed group"),
    ],
)
def test_what_no_answer_can_meet_is_said(model, spec, why: str) -> None:
    assert why in model[1].bounds(None).fault(grammar(spec))


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "object", "propertis": {"a": {}}}, "no keyword 'propertis': Did you mean 'properties'"),
        (
            {"properties": {"propertis": {"typ": "string"}}},
            "no keyword 'properties.propertis.typ': Did you mean 'type'",
        ),
        ({"anyOf": [{"maxLenght": 3}]}, "no keyword 'anyOf.maxLenght': Did you mean 'maxLength'"),
    ],
)
def test_a_misspelt_keyword_is_told(schema: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        JsonSpec(json_schema=schema)
    JsonSpec(json_schema={"x-own": 1, "enum": [{"typ": 1}], "properties": {"items": {"const": {"require": 1}}}})


NODE = {"type": "object", "properties": {"on": {"$ref": "#/$defs/node"}}, "required": ["on"]}


@pytest.mark.parametrize(
    ("schema", "fits"),
    [
        ({"$ref": "#/$defs/node", "$defs": {"node": NODE}}, False),
        ({"type": "array", "minItems": 1, "items": {"$ref": "#"}}, False),
        ({"anyOf": [{"$ref": "#"}]}, False),
        ({"type": "array", "items": {"$ref": "#"}}, True),
        ({"$ref": "#/$defs/node", "$defs": {"node": NODE | {"required": []}}}, True),
        ({"anyOf": [{"type": "null"}, {"type": "array", "minItems": 1, "items": {"$ref": "#"}}]}, True),
        ({"$ref": "#/$defs/一", "$defs": {"一": {"type": "array", "minItems": 2, "items": {"enum": ["二"]}}}}, True),
        ({"type": "object", "properties": {"$ref": {"type": "string"}}, "required": ["$ref"]}, True),
    ],
)
def test_a_schema_that_requires_itself_is_refused(schema: dict, fits: bool) -> None:
    if fits:
        assert JsonSpec(json_schema=schema).json_schema == schema
    else:
        with pytest.raises(ValidationError, match="has no end: what it requires requires itself"):
            JsonSpec(json_schema=schema)


def test_scores_for_no_piece_are_ruled_out(model) -> None:
    """Models often have more scores than their tokenizer has pieces."""
    _, preparer = model
    bounded = preparer.bounds(None).of([grammar(ChoiceSpec(among=("head",)))], begun=1, limit=9)
    scores = bounded(torch.tensor([[5]]), torch.zeros(1, preparer.vocabulary.size + 7))
    assert (scores == -torch.inf).sum() > preparer.vocabulary.size
    assert (scores == 0).any()
