"""IRIs and their short forms, in every script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.core.logic import Entity
from sibu.core.names import OWL, STANDARD, Names, iri_of, is_iri
from sibu.graph._rdf import to_rdf
from sibu.graph.cells import entity_of
from sibu.logic.text import parse_atom

BASE = "https://example.org/clinic/"
WORDS = (
    "anna", "安娜", "имя", "ليلى", "हिन्दी", "सरिता", "สวัสดี", "မြန်မာ", "தமிழ்", "می‌خواهم",
    "ngữ", "ngu\u031b\u0303", "😀", "👩‍⚕️", "❤️", "a-b", "a.b", "5-fu",
)  # fmt: skip
"""Hindi, Thai, Burmese, Tamil: words whose vowels are marks; Persian with a joiner; accents composed and not; emoji."""

spaces = st.sampled_from([BASE, "https://example.org/", "urn:x:", "https://example.org/clinic/drug/"])
signs = st.text(st.sampled_from("ab1_-.·安ि्दीั่\u200d\u200c😀️/#:%<→ "), min_size=1, max_size=8)
names = st.builds(Names, spaces, st.dictionaries(st.sampled_from(["", "ex", "药", "हि", "owl"]), spaces, max_size=3))


@given(names, spaces, st.one_of(signs, st.sampled_from(WORDS)))
def test_a_short_form_is_read_as_what_it_stands_for(own: Names, space: str, local: str) -> None:
    iri = space + local
    if is_iri(iri):
        assert own.long(own.short(iri)) == iri


@pytest.mark.parametrize("word", WORDS)
def test_words_of_every_script_are_short(word: str) -> None:
    own = Names(BASE, {"ex": "https://example.org/other#"})
    assert own.short(BASE + word) == word
    assert own.short("https://example.org/other#" + word) == f"ex:{word}"


@pytest.mark.parametrize("word", [each for each in WORDS if each[0] not in "5"])
def test_rules_and_tables_read_a_word_as_the_same_name(word: str) -> None:
    from unicodedata import normalize

    composed = normalize("NFC", word)
    entity, label = entity_of(word, Names(BASE))
    assert (entity, label) == (Entity(BASE + composed), "" if composed == word else word)
    assert parse_atom(f"takes({composed}, x)", Names(BASE)).terms[0] == entity
    to_rdf(entity)


def test_a_mark_alone_is_no_name() -> None:
    mark = BASE + "\u093f"
    assert Names(BASE).short(mark) == f"<{mark}>"


def test_an_empty_prefix_is_not_the_base() -> None:
    own = Names(BASE, {"": "https://example.org/other/"})
    assert own.short("https://example.org/other/x") == ":x"
    assert own.long(":x") == "https://example.org/other/x"
    assert own.short(BASE + "x") == "x"


def test_other_forms() -> None:
    own = Names(BASE)
    assert own.short(OWL + "sameAs") == "owl:sameAs"
    assert own.short(BASE) == f"<{BASE}>"
    assert own.short("_:b1") == "_:b1"
    assert own.short("https://elsewhere.org/a/b") == "<https://elsewhere.org/a/b>"
    with pytest.raises(KeyError, match="ex"):
        own.long("ex:a")
    with pytest.raises(ValueError, match="is no namespace: give an absolute IRI"):
        Names("clinic/")
    assert all(own.long(f"{prefix}:x") == iri + "x" for prefix, iri in STANDARD.items())


@pytest.mark.parametrize(
    ("label", "local"),
    [
        ("Heart attack", "Heart_attack"),
        ("हिन्दी भाषा", "हिन्दी_भाषा"),
        ("ภาษาไทย (ไทย)", "ภาษาไทย_ไทย"),
        ("می‌خواهم", "می‌خواهم"),
        ("心肌梗死（急性）", "心肌梗死_急性"),
        ("  --a / b--  ", "a_b"),
        ("_x_", "x"),
        ("❤️", "u2764_ufe0f"),
        ("\u093f", "u93f"),
        ("", "_"),
    ],
)
def test_an_iri_for_a_label(label: str, local: str) -> None:
    assert iri_of(BASE, label) == BASE + local


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_every_label_has_an_iri(label: str) -> None:
    found = iri_of(BASE, label)
    assert is_iri(found)
    assert found.startswith(BASE)
