"""Terms go to the store and come back; what it cannot hold is told."""

import builtins
import re
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import example, given

from sibu.core.errors import DataError, MissingExtra
from sibu.core.logic import Entity, Term, Triple, Value
from sibu.core.names import RDF, XSD
from sibu.graph._rdf import Blanks, kept, named, oxigraph, to_core, to_rdf, to_triple
from tests.graph.shared import ODD, entities, triples, values


def through_a_store(triple: Triple) -> Triple:
    store = ox.Store()
    store.add(ox.Quad(*(to_rdf(each) for each in (triple.subject, triple.predicate, triple.object))))
    (quad,) = store
    return to_triple(quad)


@given(triples)
def test_a_fact_comes_back_as_it_went_in(triple: Triple) -> None:
    assert through_a_store(triple) == triple


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_come_back(text: str) -> None:
    name = Entity("https://example.org/a")
    assert through_a_store(Triple(name, name, Value(text))).object == Value(text)


@given(values)
@example(Value("01", XSD + "integer"))
@example(Value("1.50", XSD + "decimal"))
def test_kept_is_what_the_store_gives(value: Value) -> None:
    name = Entity("https://example.org/a")
    assert kept(value) == through_a_store(Triple(name, name, value)).object
    assert kept(kept(value)) == kept(value)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (Value("01", XSD + "integer"), Value("1", XSD + "integer")),
        (Value("1", XSD + "int"), Value("1", XSD + "integer")),
        (Value("1", XSD + "boolean"), Value("true", XSD + "boolean")),
        (Value("1e2", XSD + "double"), Value("100.0", XSD + "double")),
        (Value("2020-01-01T00:00:00.000Z", XSD + "dateTime"), Value("2020-01-01T00:00:00Z", XSD + "dateTime")),
        (Value("x", RDF + "langString", "zh-hans"), Value("x", RDF + "langString", "zh-hans")),
        (Value("INF", XSD + "double"), Value("INF", XSD + "double")),
        (Value("no number", XSD + "integer"), Value("no number", XSD + "integer")),
    ],
)
def test_values_are_kept_by_what_they_are_worth(given: Value, found: Value) -> None:
    assert kept(given) == found


@given(entities)
def test_names_of_every_script_come_back(entity: Entity) -> None:
    assert to_core(to_rdf(entity)) == entity


@pytest.mark.parametrize(
    ("term", "said"),
    [
        (Entity("http://[x"), "'http://[x' is no name that RDF allows: Invalid character '[' in host."),
        (Entity("http://a/%zz"), "is no name that RDF allows: Invalid IRI percent encoding '%zz'."),
        (Entity("_:a b"), "'_:a b' is no name that RDF allows"),
        (Value("x", RDF + "langString", "english_"), "has the language 'english_', which RDF does not allow"),
        (Value("x", "no type"), "has the type 'no type', which RDF does not allow"),
        (Value("half \ud800"), "has half a character (a lone surrogate), which is no text."),
    ],
)
def test_what_rdf_does_not_allow_is_told(term: Term, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        to_rdf(term)


@pytest.mark.parametrize("text", ["<< ( <urn:a> <urn:b> <urn:c> ) >>", '"x"@en--ltr'])
def test_what_is_of_rdf_1_2_is_refused(text: str) -> None:
    text = text.replace("<< (", "<<(").replace(") >>", ")>>")
    quads = ox.parse(f"<urn:s:s> <urn:p:p> {text} .".encode(), ox.RdfFormat.TURTLE)
    with pytest.raises(DataError, match=r"is of RDF 1\.2; RDF 1\.1 is read"):
        list(named(quads, Blanks("a")))


def test_a_name_with_nothing_behind_its_scheme_is_told() -> None:
    for text in ("<urn:s:s> <urn:p:p> <x:> .", "<x:> <urn:p:p> 1 .", "<urn:s:s> <x:> 1 ."):
        with pytest.raises(DataError, match="'x:' is no name of a thing: behind its colon stands nothing"):
            list(named(ox.parse(text.encode(), ox.RdfFormat.TURTLE), Blanks("a")))


def test_blank_nodes_have_a_name_by_file_and_order() -> None:
    def read(text: str, mark: str) -> list[Any]:
        return list(named(ox.parse(text.encode(), ox.RdfFormat.TURTLE), Blanks(mark)))

    text = "_:x <urn:p:p> [ <urn:q:q> _:y ] ."
    assert read(text, "a") == read(text, "a")
    names = [{str(term) for quad in read(text, mark) for term in quad if str(term).startswith("_:")} for mark in "ab"]
    assert len(names[0]) == 3
    assert not names[0] & names[1]


def test_without_the_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name == "pyoxigraph":
            raise ImportError(name)
        return real(name, *rest, **named)

    oxigraph.cache_clear()
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtra, match=re.escape("A knowledge base needs the package 'pyoxigraph'")) as caught:
        oxigraph()
    assert "pip install 'sibu[kg]'" in str(caught.value)
