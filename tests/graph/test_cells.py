"""What people write in a cell as a term."""

import re

import pytest
from hypothesis import assume, given

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Term, Value
from sibu.core.names import RDF, XSD
from sibu.graph._rdf import to_rdf
from sibu.graph.cells import entity_of, local_name, local_part, term_of, value_of
from tests.graph.shared import BASE, NAMES, texts, values


@given(texts)
def test_every_text_makes_a_name_that_rdf_allows(text: str) -> None:
    assume(text.strip())
    entity, label = entity_of(text, NAMES)
    to_rdf(entity)
    assert label in ("", text.strip())


@given(texts, texts)
def test_two_texts_have_one_name_only_where_they_differ_in_blanks(one: str, two: str) -> None:
    from unicodedata import normalize

    def bare(text: str) -> str:
        blank = re.compile("[ \u3000\xa0]")
        return blank.sub("_", normalize("NFC", text.strip()))

    assert (local_name(one) == local_name(two)) == (bare(one) == bare(two))


@pytest.mark.parametrize(
    ("given", "iri", "label"),
    [
        ("anna", BASE + "anna", ""),
        ("安娜", BASE + "安娜", ""),
        ("Heart attack", BASE + "Heart_attack", "Heart attack"),
        ("A+", BASE + "A+", ""),
        ("a|b", BASE + "a%7Cb", "a|b"),
        ("😀", BASE + "😀", ""),
        ("👩‍⚕️", BASE + "👩‍⚕️", ""),
        ("हिन्दी", BASE + "हिन्दी", ""),
        ("สวัสดี", BASE + "สวัสดี", ""),
        ("می‌خواهم", BASE + "می‌خواهم", ""),
        ("a→b", BASE + "a%E2%86%92b", "a→b"),
        ("\ufffc", BASE + "%EF%BF%BC", "\ufffc"),
        ("/people/person", BASE + "/people/person", ""),
        ("note: x", BASE + "note:_x", "note: x"),
        ("ex:x", "https://example.org/x", ""),
        ("rdfs:label", "http://www.w3.org/2000/01/rdf-schema#label", ""),
        ("<urn:a:b>", "urn:a:b", ""),
        ("https://a.org/é", "https://a.org/é", ""),
        ("_:b1", "_:b1", ""),
    ],
)
def test_names(given: str, iri: str, label: str) -> None:
    assert entity_of(given, NAMES) == (Entity(iri), label)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("  ", "is empty"),
        ("<no iri>", "is no absolute IRI"),
        ("https://a/%zz", "no name that RDF"),
        ("\udc80", "half a"),
    ],
)
def test_what_is_no_name(given: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        entity_of(given, NAMES)


@given(values)
def test_a_value_is_read_as_n_triples_writes_it(value: Value) -> None:
    assert value_of(str(to_rdf(value)), NAMES) == value


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ('"x"', Value("x")),
        ('"a\\"b\\u00e9\\U0001F600\\n"', Value('a"bé😀\n')),
        ('"布洛芬"@ZH-Hans', Value("布洛芬", RDF + "langString", "zh-hans")),
        ('"2020-01-01"^^xsd:date', Value("2020-01-01", XSD + "date")),
        (f'"7"^^<{XSD}integer>', Value("7", XSD + "integer")),
        ('"Weird Al" Yankovic', Entity(BASE + "%22Weird_Al%22_Yankovic")),
    ],
)
def test_values_and_what_only_looks_like_one(given: str, found: Term) -> None:
    assert term_of(given, NAMES)[0] == found


def test_a_type_of_an_unknown_prefix() -> None:
    with pytest.raises(DataError, match="has a type with the prefix 'foo', which is not known"):
        value_of('"x"^^foo:bar', NAMES)


@pytest.mark.parametrize(
    ("iri", "said"),
    [
        ("https://a/b#Heart_attack", "Heart attack"),
        ("urn:x:y", "y"),
        ("https://a/b/", "b"),
        ("https://a/%E5%AE%89", "安"),
    ],
)
def test_what_a_name_says_by_itself(iri: str, said: str) -> None:
    assert local_part(iri) == said
