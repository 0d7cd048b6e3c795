"""A knowledge base as a whole: what it is made with, its versions, its numbers, its rules."""

import re
from pathlib import Path

import pytest

from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Entity, Source, Triple
from sibu.graph import KnowledgeBase, KnowledgeError
from tests.graph.shared import AGE, BASE, CHART, NOTES, ODD, TAKES, e, t


def test_what_it_is_made_with(tmp_path: Path) -> None:
    prefixes = {"药": "https://example.org/drugs#"}
    with KnowledgeBase.create(tmp_path / "kb", base=BASE, prefixes=prefixes, languages=("ZH", "en", "zh")) as kb:
        assert kb.version.number == kb.version.facts == 0
    with KnowledgeBase.open(tmp_path / "kb") as kb:
        assert (kb.about.base, dict(kb.about.prefixes), kb.about.languages) == (BASE, prefixes, ("zh", "en"))
        assert kb.names.short("https://example.org/drugs#布洛芬") == "药:布洛芬"
        assert list(kb.triples()) == []
        assert kb.query("SELECT * { ?s ?p ?o }").rows == []  # type: ignore[union-attr]


def test_a_folder_by_whose_name_things_are_named(tmp_path: Path) -> None:
    with KnowledgeBase.create(tmp_path / "诊所 1") as kb:
        assert kb.names.base == "https://example.org/%E8%AF%8A%E6%89%80%201/"
        kb.add([(Triple(Entity(kb.names.long("安娜")), TYPE, TYPE), NOTES)])
        assert [fact.subject.iri for fact in kb.triples()] == [f"{kb.names.base}安娜"]


def test_every_fault_of_what_it_is_made_with_at_once(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError) as caught:
        KnowledgeBase.create(
            tmp_path / "kb",
            base="https://example.org/clinic",
            prefixes={"1x": "https://a/", "rdf": "https://b/", "y": "no iri"},
            languages=["englisch", "zh_CN"],
        )
    assert str(caught.value).splitlines() == [
        "base: 'https://example.org/clinic' must end in / or # (or :), as names are put right behind it. "
        "Give one such as https://example.org/clinic/.",
        "prefix: '1x' is no prefix; it begins with a letter, and has letters, digits, `_` and `-` only.",
        "prefix: 'rdf' always stands for <http://www.w3.org/1999/02/22-rdf-syntax-ns#>. Choose another one.",
        "prefix y: 'no iri' is no absolute IRI (Invalid IRI code point ' '). Give one such as https://example.org/.",
        "language: 'englisch' is no language tag. Give one such as en or zh-hans.",
        "language: 'zh_CN' is no language tag. Give one such as en or zh-hans.",
    ]
    assert not (tmp_path / "kb").exists()


def test_where_something_is_already(tmp_path: Path) -> None:
    KnowledgeBase.create(tmp_path / "kb").close()
    with pytest.raises(KnowledgeError, match=r"is there already, and is a knowledge base. Choose another place"):
        KnowledgeBase.create(tmp_path / "kb")
    (tmp_path / "file").write_text("")
    with pytest.raises(KnowledgeError, match="is there already, and is something else"):
        KnowledgeBase.create(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    KnowledgeBase.create(tmp_path / "empty").close()


def test_versions_have_numbers_and_names(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, NOTES)], "one")
    kb.add([(AGE, NOTES)], "two")
    assert [(each.number, each.message, each.facts) for each in kb.versions()] == [
        (0, "created", 0), (1, "one", 1), (2, "two", 2)
    ]  # fmt: skip
    assert kb.name_version(1, "released").name == "released"
    kb.name_version(2, "第二版")
    assert [each.name for each in kb.versions()] == ["", "released", "第二版"]
    found = kb.diff("released", "第二版")
    assert (found.added, found.removed, found.before.number) == ([AGE], [], 1)
    assert kb.rollback("released").message == "back to version 1"
    assert list(kb.triples()) == [TAKES]
    kb.name_version("released", "first")  # a version has one name
    with pytest.raises(
        DataError, match=r"There is no version 'released'\. Give a number from 0 to 3, or a name: first"
    ):
        kb.diff("released", 2)
    with pytest.raises(DataError, match="Version 2 is named '第二版' already"):
        kb.name_version(1, "第二版")
    with pytest.raises(DataError, match="'3' names no version: give a word that is no number"):
        kb.name_version(1, "3")
    for wrong in (4, -1, "x"):
        with pytest.raises(DataError, match=f"There is no version {wrong!r}"):
            kb.rollback(wrong)


def test_a_rollback_counts_what_it_changes_on_balance(kb: KnowledgeBase) -> None:
    kb.add([(TAKES, NOTES)])
    kb.add([(AGE, NOTES)])
    with kb.change("away") as change:
        change.retract([AGE, TAKES], "no", None)
    kb.add([(AGE, NOTES)])
    version = kb.rollback(1)
    assert (version.added, version.removed) == (1, 1)
    assert list(kb.triples()) == [TAKES]


def test_a_rollback_to_where_it_is_changes_nothing(kb: KnowledgeBase) -> None:
    version = kb.add([(TAKES, NOTES)])
    assert kb.rollback(1) == version
    assert kb.rollback(0).number == 2
    assert kb.rollback(0).number == 2


def test_a_value_that_is_written_in_two_ways_is_one(kb: KnowledgeBase, tmp_path: Path) -> None:
    (tmp_path / "a.nt").write_text(
        "".join(f'<urn:a:a> <urn:p:p> "{n}"^^<http://www.w3.org/2001/XMLSchema#integer> .\n' for n in ("1", "01", "+1"))
    )
    assert kb.load(tmp_path / "a.nt").facts == 1
    assert len(kb.diff(0, 1).added) == 1


def test_numbers(kb: KnowledgeBase) -> None:
    with kb.change("all sorts") as change:
        change.document("notes.txt", "text")
        change.state([(TAKES, NOTES), (AGE, CHART), (TAKES, CHART), (Triple(e("anna"), TYPE, e("Patient")), NOTES)])
        change.state([(t("x", "y", "z"), Source("g", status="hypothesis"))])
        change.retract([AGE], "no")
    kb.rules.write("basic", "a(X) :- b(X).")
    found = kb.stats()
    assert (found["facts"], found["things"], found["texts"], found["rules"]) == (2, 1, 1, ["basic"])
    assert found["statements"] == {"asserted": 3, "hypothesis": 1, "retracted": 1}
    assert found["documents"] == {"chart.csv": 1, "g": 1, "notes.txt": 2}
    assert (found["classes"], found["properties"]) == ({"Patient": 1}, {"rdf:type": 1, "takes": 1})
    assert found["bytes"]["documents"] == 4
    assert found["version"]["number"] == 1


def test_rule_files(kb: KnowledgeBase) -> None:
    text = "\ufeff禁忌(?病人, ?药) :- 服用(?病人, ?药).\r\n"
    kb.rules.write("禁忌", text)
    kb.rules.write("basic", "a(X) :- b(X).")
    assert kb.rules.all() == {"basic": "a(X) :- b(X).", "禁忌": text.removeprefix("\ufeff")}
    kb.rules.remove("basic")
    with pytest.raises(DataError, match=r"There are no rules named 'basic'\. There are: 禁忌\."):
        kb.rules.read("basic")
    for wrong in ("../x", "", ".x", "a/b"):
        with pytest.raises(DataError, match=re.escape(f"{wrong!r} names no rules")):
            kb.rules.write(wrong, "")


@pytest.mark.parametrize(
    "text", [each for each in ODD if each.strip()], ids=range(sum(bool(each.strip()) for each in ODD))
)
def test_names_of_every_kind(text: str, kb: KnowledgeBase) -> None:
    from sibu.core.logic import Value
    from sibu.graph.cells import entity_of

    thing, _ = entity_of(text[:200], kb.names)
    source = Source(text[:200], table=text[:50], extractor=text[:50])
    fact = Triple(thing, e("says"), Value(text))
    with kb.change(text[:200]) as change:
        change.document(text[:200], text)
        change.state([(fact, source)])
    kb.close()
    with KnowledgeBase.open(kb.folder) as again:
        assert list(again.triples(thing)) == [fact]
        (found,) = again.sources(fact)
        assert (found.document, found.table, found.extractor) == (source.document, source.table, source.extractor)
        assert again.document(text[:200]) == text
        assert again.version.message == text[:200]


def test_the_library_names_what_is_public() -> None:
    import sibu.graph

    assert all(getattr(sibu.graph, name) for name in sibu.graph.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = sibu.graph.nothing


@pytest.mark.parametrize("few", [0, 2_000])
def test_what_was_retracted_and_holds_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Looked up fact by fact, and among all that were retracted."""
    monkeypatch.setattr("sibu.graph.searching._FEW_FACTS", few)
    one, two, other = (t("anna", "takes", what) for what in ("a", "b", "c"))
    with KnowledgeBase.create(tmp_path / "kb", base=BASE) as kb:
        kb.add([(one, NOTES), (two, NOTES)])
        assert kb.returned(0) == []
        kb.retract([one], "first")
        kb.retract([two], "unsure")
        kb.add([(one, CHART)])
        kb.retract([one], "second")
        before = kb.version.number
        kb.add([(one, CHART), (other, NOTES)])
        assert [(fact, record.why) for fact, record in kb.returned(before)] == [(one, "second")]
        assert [fact for fact, _ in kb.returned(before - 3)] == [one]
        assert kb.returned(kb.version.number) == []
        kb.add([(one, NOTES)])
        assert kb.returned(kb.version.number - 1) == [], "it held before"
