"""Facts go to files of every format and come back; other readers read them too."""

import re
from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Triple, Value
from sibu.core.names import STANDARD
from sibu.graph._rdf import to_terms, to_triple
from sibu.graph.cells import term_of
from sibu.graph.formats import FORMATS, Parsed
from sibu.graph.writing import HEADER, write
from tests.graph.shared import BASE, NAMES, ODD, e, t, triples

PREFIXES = {"": BASE, **STANDARD}
RDF_FORMATS = [name for name, form in FORMATS.items() if form.rdf]
KEPT_BY_XML = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
"""What XML can hold of a text."""


def written(path: Path, form: str, facts: Iterable[Triple]) -> int:
    return write(path, FORMATS[form], [ox.Quad(*to_terms(fact)) for fact in facts], PREFIXES, graphs=False)


def xml_takes(fact: Triple) -> bool:
    texts = fact.object.text if isinstance(fact.object, Value) else ""
    return bool(KEPT_BY_XML.fullmatch(texts)) and bool(re.search(r"[^\W\d][\w.\-·]*\Z", fact.predicate.iri))


@pytest.mark.parametrize("form", RDF_FORMATS)
@settings(max_examples=60)
@given(facts=st.lists(triples, max_size=6, unique=True))
def test_facts_come_back_from_every_format(
    form: str, facts: list[Triple], tmp_path_factory: pytest.TempPathFactory
) -> None:
    if form == "rdfxml":
        facts = [fact for fact in facts if xml_takes(fact)]
    path = tmp_path_factory.getbasetemp() / f"facts.{form}"
    assert written(path, form, facts) == len(facts)
    assert sorted(map(str, map(to_triple, Parsed(path, FORMATS[form], BASE)))) == sorted(map(str, facts))


@pytest.mark.parametrize("form", ["tsv", "csv"])
@settings(max_examples=60)
@given(facts=st.lists(triples, min_size=1, max_size=6, unique=True))
def test_tables_of_triples_come_back(form: str, facts: list[Triple], tmp_path_factory: pytest.TempPathFactory) -> None:
    from sibu.core.example import Faults
    from sibu.readers import READERS

    path = tmp_path_factory.getbasetemp() / f"facts.{form}"
    written(path, form, facts)
    faults = Faults()
    rows = [row for _, row in READERS.of(READERS.spec(form)).build(READERS.spec(form))(str(path), faults)]
    assert not faults.examples
    found = [tuple(term_of(row[name], NAMES)[0] for name in HEADER) for row in rows]
    assert found == [(fact.subject, fact.predicate, fact.object) for fact in facts]


ODD_FACTS = [t("a", f"p{n}", Value(text)) for n, text in enumerate(ODD)]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("form", "other"), [("turtle", "turtle"), ("ntriples", "nt"), ("rdfxml", "xml"), ("jsonld", "json-ld")]
)
def test_rdflib_reads_the_same(form: str, other: str, tmp_path: Path) -> None:
    facts = [
        *ODD_FACTS,
        t("安娜", "服用", "布洛芬"),
        t("a", "q", Value("x", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "zh")),
    ]
    written(tmp_path / "facts", form, facts)
    graph = rdflib.Graph().parse(tmp_path / "facts", format=other)
    found = {tuple(map(str, triple)) for triple in graph}
    expected = {
        (f.subject.iri, f.predicate.iri, f.object.iri if isinstance(f.object, Entity) else f.object.text) for f in facts
    }
    assert found == expected


def test_turtle_has_short_names(tmp_path: Path) -> None:
    written(tmp_path / "a.ttl", "turtle", [t("anna", "takes", "ibuprofen")])
    assert ":anna :takes :ibuprofen ." in (tmp_path / "a.ttl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (t("a", "p", Value("a\x01b")), "A text of <https://example.org/clinic/a> has the character '\\x01', which XML"),
        (Triple(e("a"), Entity("https://a/1"), Value("x")), "The property https://a/1 has no name that XML allows"),
    ],
)
def test_what_xml_cannot_hold_is_told(fact: Triple, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        written(tmp_path / "a.rdf", "rdfxml", [fact])
    assert not list(tmp_path.iterdir())


def test_formats_that_cannot_hold_it(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"turtle has no place for where facts come from. Choose nquads, trig or jsonld"
    ):
        write(tmp_path / "a", FORMATS["turtle"], [], {}, graphs=True)
    with pytest.raises(DataError, match="Facts are not written as parquet"):
        write(tmp_path / "a", FORMATS["parquet"], [], {}, graphs=False)
