"""What sources state, and what becomes of it: facts hold as long as one source states them so."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Source, Triple, Value
from sibu.graph import KnowledgeBase, KnowledgeError
from tests.graph.shared import AGE, BASE, CHART, NOTES, TAKES, e, t


def timeless(sources: list[Source]) -> list[Source]:
    from dataclasses import replace

    return [replace(each, time="") for each in sources]


def test_a_fact_has_its_sources(kb: KnowledgeBase) -> None:
    sure = Source("notes.txt", 4, 19, extractor="ner", version="a1", confidence=0.87, time="2026-01-31T12:00:00Z")
    version = kb.add([(TAKES, sure), (TAKES, CHART), (AGE, CHART)], "first")
    assert (version.number, version.message, version.added, version.facts, version.statements) == (1, "first", 2, 2, 3)
    assert kb.holds(TAKES)
    assert not kb.holds(t("anna", "takes", "warfarin"))
    assert kb.sources(TAKES)[0] == sure
    assert timeless(kb.sources(TAKES)[1:]) == [CHART]
    assert kb.sources(AGE)[0].time == version.time
    assert set(kb.triples()) == {TAKES, AGE}
    assert list(kb.triples(e("anna"), e("age"))) == list(kb.triples(object=Value.of(70))) == [AGE]


def test_saying_it_again_changes_nothing(kb: KnowledgeBase) -> None:
    version = kb.add([(TAKES, NOTES)])
    assert kb.add([(TAKES, NOTES), (TAKES, NOTES)]) == version
    assert kb.add([(TAKES, kb.sources(TAKES)[0])]) == version  # as it was read, with its time
    assert kb.add([]) == version
    assert kb.add([(TAKES, CHART)]).added == 0
    assert len(kb.versions()) == 3


def test_a_fact_with_two_sources_survives_the_loss_of_one(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, NOTES), (TAKES, CHART)])
    assert kb.retract([TAKES], "misread", "notes.txt").removed == 0
    assert kb.holds(TAKES)
    assert timeless(kb.sources(TAKES)) == [CHART]
    assert kb.retract([TAKES], "wrong chart", CHART).removed == 1
    assert not kb.holds(TAKES)
    assert kb.sources(TAKES) == []


def test_what_is_retracted_is_kept_with_the_reason(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, NOTES)])
    (before,) = kb.records(TAKES)
    (graph,) = {quad.graph_name.value for quad in statements(kb)}
    version = kb.retract([TAKES], "misread")
    (after,) = kb.records(TAKES)
    assert (after.why, after.ended, after.source.status) == ("misread", version.time, "retracted")
    assert (after.source.document, after.source.start, after.source.time) == ("notes.txt", 4, before.source.time)
    assert after.former == graph
    assert kb.sources(TAKES, "retracted") == [after.source]
    assert list(kb.triples(status="retracted")) == [TAKES]
    kb.add([(TAKES, NOTES)])
    assert kb.holds(TAKES)
    assert [record.source.status for record in kb.records(TAKES)] == ["asserted", "retracted"]


def test_hypotheses_do_not_hold(kb: KnowledgeBase) -> None:
    guess = Source("link model", confidence=0.4, status="hypothesis")
    version = kb.add([(TAKES, guess)])
    assert (version.added, version.statements) == (0, 1)
    assert not kb.holds(TAKES)
    assert list(kb.triples()) == []
    assert list(kb.triples(status="hypothesis")) == [TAKES]
    kb.add([(TAKES, NOTES)])
    assert kb.holds(TAKES)
    kb.retract([TAKES], "disproved", "link model")
    assert kb.holds(TAKES)


def test_what_is_derived_holds_and_leaves_no_trace(kb: KnowledgeBase) -> None:
    rule = Source("rules", extractor="r1", status="derived")
    with kb.change("inferred") as change:
        change.state([(TAKES, rule), (AGE, NOTES), (AGE, rule)])
    assert kb.holds(TAKES)
    assert list(kb.triples(status="asserted")) == [AGE]
    assert set(kb.triples(status="derived")) == {TAKES, AGE}
    with pytest.raises(DataError, match=r"1 fact only derived, so nothing was retracted: takes\(anna, ibuprofen\)\."):
        kb.retract([TAKES], "no")
    with kb.change("inferred anew") as change:
        assert change.drop([TAKES, AGE]) == 2
    assert kb.records(TAKES) == []
    assert list(kb.triples()) == [AGE]


def test_statuses_with_one_record_and_with_many(kb: KnowledgeBase) -> None:
    one, two = (Source(name, status="derived") for name in ("r1", "r2"))
    asserted, derived, both = t("a", "p", "1"), t("a", "p", "2"), t("a", "p", "3")
    kb.add([(asserted, NOTES), (both, NOTES), (derived, one), (both, one)])
    for _ in range(2):
        assert set(kb.triples(status="asserted")) == {asserted, both}
        assert set(kb.triples(status="derived")) == {derived, both}
        assert set(kb.triples(e("a"), e("p"), e("2"), status="derived")) == {derived}
        kb.add([(fact, source) for fact in (asserted, both) for source in (CHART, Source("b", row=1))])
        kb.add([(fact, two) for fact in (derived, both)])
    kb.add([(derived, Source(f"r{n}", status="derived")) for n in range(9)])
    assert set(kb.triples(status="asserted")) == {asserted, both}


def test_each_fact_comes_once_however_many_state_it(kb: KnowledgeBase) -> None:
    guesses = [Source(f"model {n}", status="hypothesis") for n in range(3)]
    rule = Source("rules", status="derived")
    kb.add([(TAKES, each) for each in (NOTES, CHART, *guesses)] + [(AGE, rule)])
    for status in ("asserted", "hypothesis", "holds"):
        assert list(kb.triples(predicate=e("takes"), status=status)) == [TAKES]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Source(" "), "its source names no document"),
        (Source("a", confidence=1.5), "its source has the confidence 1.5; it lies from 0 to 1"),
        (Source("a", 9, 3), "its source ends at 3, before it starts at 9"),
        (Source("a", row=-1), "its source has a place below 0"),
        (Source("a", status="retracted"), "state it, then retract it with a reason"),
        (Source("a", status="true"), "has the status 'true'; allowed: asserted, derived"),  # type: ignore[arg-type]
        (Source("\ud800"), "half a character"),
    ],
)
def test_a_faulty_source_stops_the_whole_change(source: Source, said: str, kb: KnowledgeBase) -> None:
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        kb.add([(AGE, NOTES), (TAKES, source)])
    assert "Fact 2 (takes(anna, ibuprofen))" in str(caught.value)
    assert kb.version.number == 0
    assert not kb.holds(AGE)
    assert kb.add([(AGE, NOTES)]).number == 1


def test_a_fact_that_rdf_does_not_allow(kb: KnowledgeBase) -> None:
    with pytest.raises(DataError, match="Fact 1: '_:x' is a predicate without a name of its own"):
        kb.add([(Triple(e("a"), Entity("_:x"), e("b")), NOTES)])


def test_retracting_what_nobody_says(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, NOTES)])
    said = "1 fact not stated by chart.csv, so nothing was retracted: takes(anna, ibuprofen)."
    with pytest.raises(DataError, match=re.escape(said)):
        kb.retract([TAKES], "no", "chart.csv")
    with pytest.raises(DataError, match=re.escape("2 facts not stated, so nothing was retracted: age(anna, 70); ")):
        kb.retract([TAKES, AGE, t("b", "age", Value("x"))], "no")
    for why in (" ", "\ud800"):
        with pytest.raises(DataError, match=r"Say why, in words|half a character"):
            kb.retract([TAKES], why)
    assert kb.holds(TAKES)


def test_a_document_is_retracted_whole(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, NOTES), (TAKES, CHART), (AGE, NOTES), (t("x", "y", "z"), Source("notes.txt", status="hypothesis"))])
    with kb.change("bad scan") as change:
        assert change.retract_document("notes.txt", "bad scan") == 3
    assert list(kb.triples()) == [TAKES]
    assert list(kb.triples(status="hypothesis")) == []
    with (
        pytest.raises(DataError, match=r"No document 'notes\.txt' states anything here"),
        kb.change("again") as change,
    ):
        change.retract_document("notes.txt", "again")


def test_texts_of_documents_show_the_passage_as_it_was(kb: KnowledgeBase) -> None:
    with kb.change("read") as change:
        change.document("notes.txt", "安娜服用布洛芬。\r\n")
        change.state([(TAKES, Source("notes.txt", 4, 7))])
    (record,) = kb.records(TAKES)
    assert kb.passage(record) == "布洛芬"
    assert kb.document("notes.txt") == "安娜服用布洛芬。\r\n"
    with (
        pytest.raises(
            DataError, match=r"There is a document 'notes\.txt' with another text .* say that it is an update"
        ),
        kb.change("other") as change,
    ):
        change.document("notes.txt", "other")
    with kb.change("other") as change:
        change.document("notes.txt", "other", update=True)
    assert kb.document("notes.txt") == "other"
    assert kb.passage(record) == "布洛芬"
    kb.rollback(1)
    assert kb.document("notes.txt") == "安娜服用布洛芬。\r\n"
    with pytest.raises(DataError, match="No text of a document 'x' is kept"):
        kb.document("x")


def test_a_change_that_fails_leaves_nothing(kb: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sibu.graph.draft.MOST_PENDING", 2)  # so that half of it is in the store already
    kb.add([(AGE, NOTES)])
    with pytest.raises(RuntimeError, match="stop"), kb.change("half") as change:
        change.state([(t("a", "b", str(n)), NOTES) for n in range(9)])
        change.retract([AGE], "no")
        raise RuntimeError("stop")
    assert list(kb.triples()) == [AGE]
    assert kb.add([(TAKES, NOTES)]).number == 2
    assert [path.name for path in (kb.folder / "versions").iterdir() if path.name.startswith(".")] == []


def test_one_change_at_a_time(kb: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sibu.graph.draft.MOST_PENDING", 1)
    kb.add([(AGE, NOTES)])
    with kb.change("outer") as change:
        change.state([(TAKES, NOTES)])
        for refused in (lambda: kb.add([(AGE, CHART)]), kb.publish, kb.close, lambda: kb.query("ASK { ?s ?p ?o }")):
            with pytest.raises(KnowledgeError, match=r"A change of .* is being made"):
                refused()
        assert kb.query("ASK { :anna :takes ?o }", seconds=None) is True
    assert kb.version.number == 2
    assert kb.query("ASK { :anna :takes ?o }") is True


# ---- laws -----------------------------------------------------------------------------------------------------------

FACTS = [t(f"s{n % 2}", "p", f"o{n}") for n in range(4)]
SOURCES = [
    Source("a"),
    Source("a", row=1),
    Source("b", 0, 3),
    Source("r", status="derived"),
    Source("g", status="hypothesis"),
]
steps = st.lists(
    st.tuples(st.sampled_from(["state", "retract", "drop"]), st.sampled_from(FACTS), st.sampled_from(SOURCES)),
    min_size=1,
    max_size=14,
)


class Model:
    """What must come out, by the plainest means."""

    def __init__(self) -> None:
        self.stated: set[tuple[Triple, Source]] = set()

    def do(self, change: Any, what: str, fact: Triple, source: Source) -> None:
        if what == "state":
            change.state([(fact, source)])
            self.stated.add((fact, source))
        elif what == "drop":
            change.drop([fact])
            self.stated = {(f, s) for f, s in self.stated if f != fact or s.status != "derived"}
        elif source.status != "derived" and (fact, source) in self.stated:
            change.retract([fact], "no", source)
            self.stated.discard((fact, source))

    @property
    def holds(self) -> set[Triple]:
        return {fact for fact, source in self.stated if source.status != "hypothesis"}


@settings(max_examples=12)
@given(changes=st.lists(steps, min_size=1, max_size=4))
def test_whatever_is_done_what_holds_follows_from_what_is_stated(
    changes: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("law") / "kb"
    model, held, whole = Model(), [set[Triple]()], []
    with KnowledgeBase.create(folder, base=BASE) as kb:
        whole.append({tuple(map(str, quad)) for quad in kb.store})
        for change in changes:
            with kb.change("change") as now:
                for step in change:
                    model.do(now, *step)
            assert set(kb.triples()) == model.holds
            for fact in FACTS:
                assert set(timeless(kb.sources(fact))) == {source for f, source in model.stated if f == fact}
            if kb.version.number == len(held):
                held.append(model.holds)
                whole.append({tuple(map(str, quad)) for quad in kb.store})
            assert kb.version.facts == len(held[-1])
            assert kb.version.statements == sum(1 for _ in statements(kb))
        for number, facts in enumerate(held):
            found = kb.diff(number, len(held) - 1)
            assert (set(found.added), set(found.removed)) == (held[-1] - facts, facts - held[-1])
            turned = kb.diff(len(held) - 1, number)
            assert (turned.added, turned.removed) == (found.removed, found.added)
        last = kb.version.number
        kb.rollback(0)
        assert {tuple(map(str, quad)) for quad in kb.store} == whole[0]
        for number in (last, len(held) // 2):
            kb.rollback(number)
            assert {tuple(map(str, quad)) for quad in kb.store} == whole[number]
            assert not [*kb.diff(number, kb.version.number).added, *kb.diff(number, kb.version.number).removed]
        assert sorted(map(str, kb.store.named_graphs())) == sorted(
            {row[3] for row in whole[len(held) // 2]} - {"DEFAULT"}
        )


def statements(kb: KnowledgeBase) -> Any:
    return (quad for quad in kb.store if str(quad.graph_name).startswith("<urn:sibu:source:"))
