"""Statements in bulk are those that are asked for one by one, from versions and from the store, of any terms."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Source, Triple, Value
from sibu.graph import KnowledgeBase
from sibu.graph.columns import Columns
from sibu.graph.statements import Statements
from tests.graph.shared import BASE, CHART, NOTES, ODD, TAKES, e, t, triples

DERIVED = Source("reasoning", extractor="sibu infer", version="0" * 16, status="derived")


def columns(facts: list[Triple]) -> Columns:
    terms = list(dict.fromkeys(term for each in facts for term in (each.subject, each.predicate, each.object)))
    place = {term: number for number, term in enumerate(terms)}
    rows = [[place[each.subject], place[each.predicate], place[each.object]] for each in facts]
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Columns(terms, table[:, 0], table[:, 1], table[:, 2])


def asserted(source: Source) -> bool:
    return source.status == "asserted"


def net(kb: KnowledgeBase, after: int = 0) -> dict[Triple, int]:
    """Facts that are asserted more often, or less, than in a version before."""
    found, more = kb.statements(after).net(asserted)
    return dict(zip(found.triples(), more.tolist(), strict=True))


@settings(max_examples=12)
@given(
    st.lists(triples, max_size=6),
    st.lists(triples.map(lambda each: Triple(each.subject, each.predicate, each.subject)), max_size=3),
)
def test_versions_and_store_say_the_same(facts: list[Triple], more: list[Triple]) -> None:
    with TemporaryDirectory() as place, KnowledgeBase.create(Path(place) / "kb", base=BASE) as kb:
        kb.add((each, NOTES) for each in facts)
        kb.add((each, CHART) for each in [*facts[:2], *more])
        wanted = set(kb.triples(status="asserted"))
        assert set(net(kb)) == wanted
        store = Statements(kb._opened.records)
        store.take_all(kb.store)
        own, counts = store.net(asserted)
        assert dict(zip(own.triples(), counts.tolist(), strict=True)) == net(kb)
        assert set(kb.stated(asserted).triples()) == wanted


@pytest.mark.parametrize("text", [each for each in ODD if len(each) < 100])
def test_odd_texts(text: str, tmp_path: Path) -> None:
    facts = [t("a", "b", Value(text)), t("a", "b", Value(text + '> .\n"'))]
    with KnowledgeBase.create(tmp_path / "kb", base=BASE) as kb:
        kb.add((each, NOTES) for each in facts)
        assert set(net(kb)) == set(facts)


def test_what_came_and_went_since_a_version(tmp_path: Path) -> None:
    one, two, three = t("a", "b", "c"), t("a", "b", "d"), t("a", "b", "e")
    with KnowledgeBase.create(tmp_path / "kb", base=BASE) as kb:
        kb.add([(one, NOTES), (two, NOTES)])
        kb.add([(one, CHART), (three, NOTES)])
        kb.retract([two], "wrong")
        assert net(kb, 1) == {one: 1, two: -1, three: 1}
        assert net(kb, 2) == {two: -1}
        assert net(kb, 3) == {}
        kb.rollback(1)
        assert net(kb, 1) == {}
        assert net(kb, 3) == {one: -1, two: 1, three: -1}
        assert net(kb) == {one: 1, two: 1}


def test_only_those_that_are_wanted(tmp_path: Path) -> None:
    with KnowledgeBase.create(tmp_path / "kb", base=BASE) as kb:
        kb.add([(TAKES, NOTES), (t("a", "b", "c"), Source("guess", status="hypothesis", confidence=0.4))])
        found, _ = kb.statements().net(lambda source: source.status == "hypothesis")
        assert list(found.triples()) == [t("a", "b", "c")]
        assert len(kb.statements().net(lambda _: False)[0]) == 0


# Columns.


def test_columns_are_stated_moved_and_dropped_in_bulk(tmp_path: Path) -> None:
    facts = [t("a", "b", "c"), t("药", "b", Value.of(3)), t("हिन्दी", "b", Value('say "hi"\n'))]
    with KnowledgeBase.create(tmp_path / "kb", base=BASE) as kb:
        with kb.change("derived") as change:
            assert change.state_all(columns(facts), DERIVED, new=True) == 3
        assert set(kb.triples(status="derived")) == set(facts)
        with kb.change("again") as change:
            assert change.state_all(columns(facts), DERIVED) == 0
            assert change.drop_all(columns(facts[:1]), DERIVED) == 1
        assert set(kb.triples()) == set(facts[1:])
        other = Source("reasoning", extractor="sibu infer", version="1" * 16, status="derived")
        with kb.change("by other rules") as change:
            change.move_all(columns(facts[1:]), DERIVED, other)
        assert {each.version for each in kb.sources(facts[1])} == {"1" * 16}
        assert kb.version.facts == 2


def test_picked() -> None:
    facts = [t("a", "b", "c"), t("d", "b", "e"), t("f", "g", Value.of(1))]
    own = columns(facts)
    assert list(own.picked(np.array([2, 0])).triples()) == [facts[2], facts[0]]
    assert list(own.picked(np.array([False, True, False])).triples()) == [facts[1]]
    assert len(own.picked(np.zeros(0, np.int64))) == 0


def test_the_lines_are_n_triples() -> None:
    (line,) = columns([t("安娜", "b", Value('x\n"'))]).lines()
    assert b" ".join(line).decode() == f'<{BASE}安娜> <{BASE}b> "x\\n\\""'


def test_a_term_that_rdf_does_not_allow() -> None:
    bad = columns([Triple(Entity("urn:a"), e("b"), Value("\ud800"))])
    with pytest.raises(DataError):
        list(bad.nodes())
    with pytest.raises(DataError):
        list(bad.lines())
