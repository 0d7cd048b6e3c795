"""Names joined to things: candidates, their scores, and nothing where nothing fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sibu
from sibu.core.errors import DataError, RecipeError
from sibu.core.linking import Link, Mention
from sibu.core.logic import TYPE, Entity, Triple, Value
from sibu.core.names import RDF, RDFS, SKOS
from sibu.curation.linking.linker import KnowledgeLinker
from sibu.curation.linking.meaning import Alike
from sibu.curation.linking.near import Near
from sibu.curation.linking.spelling import name_key
from sibu.graph import KnowledgeBase
from tests.curation.clinic import BASE, NOTES, e

LABEL, OTHER = Entity(RDFS + "label"), Entity(SKOS + "altLabel")


@pytest.fixture(scope="module")
def open_kb(inferred: Path) -> Iterator[KnowledgeBase]:
    with KnowledgeBase.open(inferred) as kb:
        yield kb


@pytest.fixture(scope="module")
def linker(open_kb: KnowledgeBase) -> KnowledgeLinker:
    return KnowledgeLinker(open_kb)


def mention(text: str, **more: object) -> Mention:
    return Mention(text, 0, len(text), **more)  # type: ignore[arg-type]


def one(linker: KnowledgeLinker, text: str, **more: object) -> Link:
    return linker.link([mention(text, **more)])[0]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Lunarin", "lunarin"),
        ("LUNARIN", "lunarin"),
        ("Ｌｕｎａｒｉｎ", "lunarin"),
        ("Lunarim", "lunarin"),
        ("Lunrain", "lunarin"),
        ("月宁", "lunarin"),
        ("月 宁", "lunarin"),
        ("Berg, Anna", "anna"),
        ("安娜", "anna"),
        ("anna", "anna"),
        ("Room 3", "room3"),
        ("the Houses", "house"),
    ],
)
def test_a_name_however_it_is_written(linker: KnowledgeLinker, text: str, name: str) -> None:
    assert one(linker, text).entity == e(name)


@pytest.mark.parametrize("text", ["aspirin", "阿司匹林", "", "!?", "😀", "x" * 10_000, "月" * 3_000])
def test_what_means_nothing_here(linker: KnowledgeLinker, text: str) -> None:
    found = one(linker, text)
    assert found.entity is None
    assert found.score < 0.6


def test_a_better_name_has_a_better_score(linker: KnowledgeLinker) -> None:
    scores = [one(linker, text).score for text in ("Lunarin", "Lunarim", "Lunarxy")]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_the_names_in_a_text_the_longest_first(linker: KnowledgeLinker) -> None:
    text = "Anna Berg 服用月宁，lies in the North ward."
    found = linker.find(text)
    assert [text[each.start : each.end] for each in found] == ["Anna Berg", "月宁", "North ward"]
    assert [each.entity for each in linker.link(found)] == [e("anna"), e("lunarin"), e("north")]


@given(st.text(max_size=30))
def test_any_text_is_linked_to_something_or_nothing(linker: KnowledgeLinker, text: str) -> None:
    found = one(linker, text)
    assert 0 <= found.score <= 1
    assert [score for _, score in found.candidates] == sorted((s for _, s in found.candidates), reverse=True)


# ---- two things of one name -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def doubles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """A planet and a metal of one name, and a doctor with an alias."""
    home = tmp_path_factory.mktemp("doubles") / "kb"
    named = [("planet", "Mercury", LABEL), ("metal", "Mercury", LABEL), ("sun", "Sun", LABEL), ("fish", "tuna", LABEL)]
    named += [("doctor", "Dr. Quick", LABEL), ("doctor", "Silver", OTHER)]
    facts = [Triple(e(name), how, Value(text, RDF + "langString", "en")) for name, text, how in named]
    facts += [Triple(e("planet"), TYPE, e("Planet")), Triple(e("metal"), TYPE, e("Metal"))]
    facts += [Triple(e("Planet"), Entity(RDFS + "subClassOf"), e("Body"))]
    facts += [Triple(e("planet"), e("orbits"), e("sun")), Triple(e("fish"), e("contains"), e("metal"))]
    with KnowledgeBase.create(home, base=BASE) as kb:
        kb.add((each, NOTES) for each in facts)
    with KnowledgeBase.open(home) as kb:
        yield kb


def test_the_class_that_is_expected_decides(doubles: KnowledgeBase) -> None:
    linker = KnowledgeLinker(doubles)
    assert one(linker, "Mercury", kinds=(e("Metal"),)).entity == e("metal")
    assert one(linker, "Mercury", kinds=(e("Body"),)).entity == e("planet"), "by the class above"
    both = one(linker, "Mercury")
    assert {each for each, _ in both.candidates} == {e("planet"), e("metal")}
    assert one(linker, "Mercury", kinds=(e("Person"),)).entity is None


def test_the_context_decides(doubles: KnowledgeBase) -> None:
    linker = KnowledgeLinker(doubles)
    assert one(linker, "Mercury", context="Mercury goes round the Sun").entity == e("planet")
    assert one(linker, "Mercury", context="Mercury in the tuna").entity == e("metal")


def test_an_alias_is_worth_a_little_less(doubles: KnowledgeBase) -> None:
    linker = KnowledgeLinker(doubles)
    assert one(linker, "silver").entity == one(linker, "dr quick").entity == e("doctor")
    assert one(linker, "Silver").score < one(linker, "Dr. Quick").score


def test_the_threshold_is_the_users(doubles: KnowledgeBase) -> None:
    assert one(KnowledgeLinker(doubles, threshold=0.9), "Mercuri").entity is None
    assert one(KnowledgeLinker(doubles, threshold=0.5), "Mercuri").entity is not None


# ---- by meaning -----------------------------------------------------------------------------------------------------

VECTORS = {"tuna": (1.0, 0.0), "fish": (1.0, 0.0), "albacore": (0.9, 0.1)}


def encode(texts: Sequence[str]) -> np.ndarray:
    """Vectors that know a few words."""
    found = np.array([VECTORS.get(each, (0.0, 1.0)) for each in texts], np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_a_name_of_the_same_meaning(doubles: KnowledgeBase) -> None:
    assert one(KnowledgeLinker(doubles), "albacore").entity is None
    assert one(KnowledgeLinker(doubles, encode=encode), "albacore").entity == e("fish")


def test_meaning_is_from_0_to_1() -> None:
    found = Alike(["tuna", "sun", "stone"], encode).find(["albacore", "sun"])
    assert found[0][0][0] == "tuna"
    assert all(0 <= worth <= 1 for row in found for _, worth in row)
    assert Alike([], encode).find(["sun"]) == [[]]


def test_an_encoder_of_a_folder(doubles: KnowledgeBase, tiny_model: Path) -> None:
    from sibu.curation.linking.meaning import encoder

    vectors = encoder(str(tiny_model))([f"a name {number}" for number in range(20)])
    assert vectors.shape == (20, 32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert one(KnowledgeLinker(doubles, encode=encoder(str(tiny_model))), "tuna").entity == e("fish")
    with pytest.raises(RecipeError, match="No model is named 'mni'"):
        encoder("mni")


# ---- near names ------------------------------------------------------------------------------------------------------


def test_near_names_are_those_that_a_search_of_all_finds() -> None:
    names = [name_key(f"{first} {second}") for first in ("heart", "lung", "liver", "brain") for second in
             ("failure", "attack", "disease", "cancer", "pain")]  # fmt: skip
    near = Near(names)
    assert near.find("hart attack")[0][0] == "heart attack"
    assert near.find("livre disease")[0][0] == "liver disease"
    assert near.find("zzz") == [] == Near([]).find("heart")
    for name in names:
        assert near.find(name, most=1) == [(name, 1.0)]


# ---- as users call it ------------------------------------------------------------------------------------------------


def test_as_a_function(inferred: Path) -> None:
    rows = [{"id": 7, "text": "Lunarin", "kinds": ["drug"]}, {"text": "Lunarin", "kinds": ["Symptom"]}]
    found = sibu.kb.link(inferred, mentions=rows)
    assert (found[0]["id"], found[0]["label"], found[1]["value"]) == (7, "Lunarin", None)
    assert found[1]["candidates"][0]["score"] < found[0]["candidates"][0]["score"]
    assert sibu.kb.link(inferred, "月宁", language="zh")[0]["label"] == "月宁"


def test_every_fault_of_mentions_is_told(inferred: Path) -> None:
    rows = [
        {"txt": "a"},
        {"text": "a", "kinds": "drug"},
        {"text": "a", "kind": []},
        {"text": "a", "start": 3, "end": 1},
    ]
    with pytest.raises(DataError) as told:
        sibu.kb.link(inferred, mentions=rows)
    lines = str(told.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [f"mention {number}" for number in (1, 2, 3, 4)]
    assert "known are id, text, start" in lines[2]
    with pytest.raises(DataError, match="threshold is from 0 to 1"):
        sibu.kb.link(inferred, "a", threshold=2)


def test_what_an_encoder_cannot_read_is_like_nothing(tiny_model: Path) -> None:
    from sibu.curation.linking.meaning import encoder

    vectors = encoder(str(tiny_model))(["head", "𐎀𐎁", "𐎂"])  # Ugaritic: no piece of the model's
    assert [round(float(each @ each), 3) for each in vectors] == [1, 0, 0]
