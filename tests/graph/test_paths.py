"""Property paths lead where rdflib's do, and read as SPARQL reads them."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Graph
from rdflib.plugins.sparql import prepareQuery

from sibu.core.logic import Entity, Triple, Value
from sibu.core.names import RDF, SHACL, XSD
from sibu.graph import _paths as paths_of
from sibu.graph._paths import Alternative, Inverse, Path, Repeat, Sequence, outward, read, text_of, walk, written
from sibu.graph._pyshacl import Held, ours, theirs

BASE = "https://example.org/"
PROPERTIES = [Entity(BASE + name) for name in ("p", "q", "住址")]
NODES = [Entity(BASE + name) for name in "abcd"]


def paths() -> st.SearchStrategy[Path]:
    def deeper(inner: st.SearchStrategy[Path]) -> st.SearchStrategy[Path]:
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        repeats = st.builds(Repeat, inner, st.sampled_from(["*", "+", "?"]))
        return st.one_of(
            st.builds(Inverse, inner), repeats, st.builds(Sequence, several), st.builds(Alternative, several)
        )

    return st.recursive(st.sampled_from(PROPERTIES), deeper, max_leaves=4)


facts = st.lists(
    st.builds(Triple, st.sampled_from(NODES), st.sampled_from(PROPERTIES), st.sampled_from(NODES)), max_size=8
)


@given(paths(), facts)
def test_a_path_leads_where_rdflib_leads(path: Path, known: list[Triple]) -> None:
    held = Held(known)
    query = prepareQuery(f"SELECT DISTINCT ?end WHERE {{ ?start {text_of(path)} ?end }}")
    for start in NODES:
        expected = {ours(row[0]) for row in held.graph.query(query, initBindings={"start": theirs(start)})}
        assert walk(path, start, held.find).keys() == expected


@given(paths(), facts)
def test_the_way_is_made_of_facts_that_hang_together(path: Path, known: list[Triple]) -> None:
    for end, way in walk(path, NODES[0], Held(known).find).items():
        here = NODES[0]
        for fact in way:
            assert fact in known
            assert here in (fact.subject, fact.object)
            here = fact.object if here == fact.subject else fact.subject
        assert here == end


@given(paths(), facts)
def test_outward_leads_to_the_same_ends(path: Path, known: list[Triple]) -> None:
    held = Held(known)
    for start in NODES:
        assert walk(path, start, held.find).keys() == walk(outward(path), start, held.find).keys()


@given(paths())
def test_written_and_read_again(path: Path) -> None:
    numbers = count()
    node, triples = written(path, lambda: Entity(f"_:n{next(numbers)}"))
    assert read(node, Held(triples).find) == path


def test_inverse_of_a_sequence_turns_it_round() -> None:
    p, q, _ = PROPERTIES
    assert text_of(outward(Inverse(Sequence((p, Repeat(q, "*")))))) == f"(^<{q.iri}>)*/^<{p.iri}>"


def test_the_shortest_way() -> None:
    a, b, c, _ = NODES
    p = PROPERTIES[0]
    straight, first, second = Triple(a, p, c), Triple(a, p, b), Triple(b, p, c)
    assert walk(Repeat(p, "+"), a, Held([first, second, straight]).find)[c] == (straight,)


def of(*parts: tuple[str, Entity, Entity | Value]) -> tuple[Entity, Held]:
    return Entity("_:path"), Held([Triple(Entity(subject), predicate, thing) for subject, predicate, thing in parts])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "is neither a property, nor a list"),
        (
            [("_:path", paths_of.FIRST, PROPERTIES[0]), ("_:path", paths_of.REST, paths_of.NIL)],
            "a list of fewer than two members",
        ),
        (
            [("_:path", paths_of.FIRST, PROPERTIES[0]), ("_:path", paths_of.REST, Entity("_:path"))],
            "broken off or runs in a circle",
        ),
        ([("_:path", paths_of.FIRST, PROPERTIES[0])], "broken off or runs in a circle"),
        ([("_:path", Entity(SHACL + "inversePath"), Entity("_:path"))], "leads back into itself"),
        ([("_:path", Entity(SHACL + "inversePath"), Value("p"))], "is a value, and no property"),
    ],
)
def test_what_is_no_path(parts: list[tuple[str, Entity, Entity | Value]], message: str) -> None:
    node, held = of(*parts)
    with pytest.raises(ValueError, match=message):
        read(node, held.find)


def test_values_keep_their_text() -> None:
    known = [
        Value("01", XSD + "integer"), Value("x", XSD + "integer"), Value("重", RDF + "langString", "zh"), Value("a"),
        Entity("_:b"), Entity(BASE + "é😀"),
    ]  # fmt: skip
    assert [ours(theirs(term)) for term in known] == known
    graph = Graph().parse(data=f'<{BASE}a> <{BASE}p> "a"^^<http://www.w3.org/2001/XMLSchema#string> .')
    assert ours(next(graph.objects())) == Value("a")
