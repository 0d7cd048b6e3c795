"""A document that is read again: what it states in place of what it stated."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sibu.core.logic import Source, Status, Triple
from sibu.graph import KnowledgeBase
from tests.graph.shared import AGE, TAKES, t

OTHER = t("anna", "takes", "warfarin")


def own(status: Status = "asserted", start: int = 0, document: str = "a") -> Source:
    return Source(document, start, start + 4, extractor="eye", version="1", confidence=0.5, status=status)


def is_own(source: Source) -> bool:
    return source.extractor == "eye"


def restate(kb: KnowledgeBase, *facts: tuple[Triple, Source]) -> tuple[int, int, int]:
    with kb.change("read") as change:
        found = change.restate("a", facts, is_own, "no longer in a")
    return found.came, found.kept, found.went


def test_what_stays_comes_and_goes(kb: KnowledgeBase) -> None:
    assert restate(kb, (TAKES, own()), (AGE, own("hypothesis"))) == (2, 0, 0)
    version = kb.version
    assert restate(kb, (TAKES, own()), (AGE, own("hypothesis"))) == (0, 2, 0)
    assert kb.version == version, "nothing was changed, so there is no version"
    assert restate(kb, (OTHER, own())) == (1, 0, 2)
    assert set(kb.triples()) == {OTHER}
    assert [each.why for each in kb.records(TAKES)] == ["no longer in a"]
    assert kb.records(AGE) == [], "a hypothesis leaves no trace"


def test_another_passage_or_status_of_the_same_fact(kb: KnowledgeBase) -> None:
    restate(kb, (TAKES, own()))
    restate(kb, (TAKES, own(start=9)))
    assert [each.source.start for each in kb.records(TAKES)] == [9], "no trace of the former place"
    restate(kb, (TAKES, own("hypothesis", 9)))
    assert not kb.holds(TAKES)
    assert [each.source.status for each in kb.records(TAKES)] == ["hypothesis"]


def test_what_others_state_stays(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, Source("a")), (TAKES, own(document="b"))])
    restate(kb, (TAKES, own()))
    restate(kb)
    assert {(each.document, each.extractor) for each in kb.sources(TAKES)} == {("a", ""), ("b", "eye")}


def test_a_new_text_makes_all_anew(kb: KnowledgeBase) -> None:
    for text in ("Anna took it.", "She took it too."):
        with kb.change("read") as change:
            change.keep_texts([text])
            change.document("a", text, update=True)
            change.restate("a", [(TAKES, own())], is_own, "no longer in a")
            change.mark_read("a", "by x")
    assert [kb.passage(each) for each in kb.records(TAKES)] == ["She "]
    assert kb.text_of(kb.records(TAKES)[0]) == "She took it too."
    assert kb.read_by("a")[1] == "by x"
    with kb.change("another text") as change:
        change.document("a", "x", update=True)
    assert kb.read_by("a")[1] == "", "a text that was not read"
    with kb.change("gone") as change:
        change.forget_document("a")
    assert (kb.documents(), kb.read_by("a")) == ({}, ("", ""))
    kb.rollback(1)
    assert (kb.read_by("a")[1], list(kb.documents())) == ("by x", ["a"])


FACTS = st.lists(
    st.tuples(st.sampled_from((TAKES, AGE, OTHER)), st.sampled_from(("asserted", "hypothesis"))), max_size=4
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FACTS, min_size=1, max_size=4))
def test_the_last_reading_counts(kb: KnowledgeBase, readings: list[list[tuple[Triple, Status]]]) -> None:
    for reading in readings:
        restate(kb, *((fact, own(status)) for fact, status in reading))
    asserted = {fact for fact, status in readings[-1] if status == "asserted"}
    assert set(kb.triples()) == asserted
    stated = {(fact, record.source.status) for fact, record in kb.told_by("a") if record.source.status != "retracted"}
    assert stated == set(readings[-1])
    assert kb.version.facts == len(asserted)
