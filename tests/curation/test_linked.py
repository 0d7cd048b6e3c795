"""Which facts are links between things, and that their numbers depend on the facts alone."""

from pathlib import Path

import numpy as np
import pytest

from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Entity, Source, Triple, Value
from sibu.core.names import OWL, RDFS
from sibu.curation.linked import Linked, check_some, links_of
from sibu.curation.numbered import Numbered
from sibu.graph import KnowledgeBase
from tests.curation.clinic import BASE, e, fact, make

FACTS = [fact("安娜", "takes", "warfarin"), fact("ben", "服用", "安娜"), fact("ben", "takes", "aspirin")]
OTHERS = [
    fact("安娜", "age", 70),
    Triple(e("Drug"), Entity(RDFS + "subClassOf"), e("Thing")),
    Triple(e("Drug"), TYPE, Entity(OWL + "Class")),
    Triple(e("ben"), Entity(OWL + "sameAs"), e("ben")),
]
CLASS = Triple(e("aspirin"), TYPE, e("Drug"))


def triples(found: Linked) -> set[Triple]:
    return {Triple(found.terms[s], found.relations[p], found.terms[o]) for s, p, o in found.triples.tolist()}


def test_schema_and_values_are_left_out(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", [*FACTS, *OTHERS, CLASS])
    with KnowledgeBase.open(folder) as kb:
        found, wider = links_of(kb), links_of(kb, values=True)
    assert triples(found) == {*FACTS, CLASS}, "a thing's own class is a link"
    assert (found.values, found.schema) == (1, 3)
    assert triples(wider) == {*FACTS, CLASS, OTHERS[0]}
    assert isinstance(wider.terms[-1], Value), "values come last"
    graph = found.numbered()
    assert (graph.left_out, graph.relations) == (1, tuple(each.iri for each in found.relations))
    assert sum(len(pair[0]) for pair in found.graph().values()) == 4


def test_numbers_depend_on_the_facts_alone(tmp_path: Path) -> None:
    one, other = make(tmp_path / "a", FACTS), make(tmp_path / "b", [*OTHERS, *FACTS[::-1]])
    with KnowledgeBase.open(other, write=True) as kb:
        kb.add([(FACTS[0], Source("said twice"))])
    with KnowledgeBase.open(one) as first, KnowledgeBase.open(other) as second:
        a, b = links_of(first), links_of(second)
    assert (a.terms, a.relations, a.triples.tolist()) == (b.terms, b.relations, b.triples.tolist())


def test_only_some_statuses(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", FACTS)
    with KnowledgeBase.open(folder, write=True) as kb:
        kb.retract(FACTS[:1], "misread")
        kb.add([(FACTS[0], Source("vectors", status="hypothesis"))])
    with KnowledgeBase.open(folder) as kb:
        assert triples(links_of(kb)) == set(FACTS[1:])
        assert triples(links_of(kb, ["retracted"])) == {FACTS[0]}
        assert triples(links_of(kb, ["derived"])) == set()


def test_facts_that_another_graph_knows(tmp_path: Path) -> None:
    names = tuple(BASE + each for each in ("warfarin", "ben", "安娜"))
    graph = Numbered(names, (BASE + "takes", BASE + "knows"), np.array([[0, 1, 1]]))
    folder = make(tmp_path / "kb", FACTS)
    with KnowledgeBase.open(folder) as kb:
        found = links_of(kb)
        assert found.known_to(graph).tolist() == [[2, 0, 0]]
        assert links_of(kb, ["derived"]).known_to(graph).shape == (0, 3)


def test_none_at_all(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", OTHERS)
    with (
        KnowledgeBase.open(folder) as kb,
        pytest.raises(DataError, match=r"Of 4 facts: 1 with a value .*, 3 of classes"),
    ):
        check_some(kb, links_of(kb), "to learn from")
