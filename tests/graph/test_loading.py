"""Files come into a version whole, or not at all; a new text of a document takes the old one's place."""

import re
from pathlib import Path

import pytest

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Source, Triple, Value
from sibu.core.names import RDFS
from sibu.graph import KnowledgeBase
from tests.graph.shared import BASE, NAMES, e, state, t

PREFIX = f"@prefix : <{BASE}> .\n"
LABEL = Entity(RDFS + "label")


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_file_is_a_source(kb: KnowledgeBase, tmp_path: Path) -> None:
    file = write(tmp_path, "facts.ttl", f"{PREFIX}:anna :takes :ibuprofen, :ibuprofen ; :age 070 .")
    version = kb.load(file)
    assert (version.number, version.message, version.facts, version.statements) == (1, "facts.ttl loaded", 2, 2)
    assert set(kb.triples()) == {t("anna", "takes", "ibuprofen"), t("anna", "age", Value.of(70))}
    (record,) = kb.records(t("anna", "age", Value.of(70)))
    assert (record.source.document, record.source.row, record.source.time) == ("facts.ttl", None, version.time)
    assert len(record.text) == 64


def test_a_malformed_file_loads_nothing(kb: KnowledgeBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sibu.graph.draft.MOST_PENDING", 10)
    lines = "".join(f":a :b :c{n} .\n" for n in range(50))
    file = write(tmp_path, "facts.ttl", f"{PREFIX}{lines}:a :b :c\n:d :e :f .\n")
    with pytest.raises(DataError, match=rf"^{re.escape(str(file))}:53:1: .*Nothing was loaded\.$"):
        kb.load(file)
    assert (kb.version.number, list(kb.triples()), list(kb.store)) == (0, [], [])


@pytest.mark.parametrize(("name", "text"), [("a.ttl", ""), ("a.nt", "\n"), ("a.ttl", PREFIX), ("a.jsonld", "{}")])
def test_a_file_without_facts(name: str, text: str, kb: KnowledgeBase, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"{name} states no fact\. Nothing was loaded\."):
        kb.load(write(tmp_path, name, text))


def test_blank_nodes_of_two_files_are_two(kb: KnowledgeBase, tmp_path: Path) -> None:
    one = write(tmp_path, "one.ttl", f"{PREFIX}_:x :p [] .")
    two = write(tmp_path, "two.ttl", f"{PREFIX}_:x :p [] . _:x :q 1 .")
    kb.load(one)
    kb.load(two)
    assert len(set(kb.triples(predicate=e("p")))) == 2
    before = kb.version
    assert kb.load(one) == before  # its blank nodes have the names that they had
    (subject,) = {fact.subject for fact in kb.triples(predicate=e("q"))}
    assert len(list(kb.triples(subject))) == 2


def test_two_texts_of_one_document(kb: KnowledgeBase, tmp_path: Path) -> None:
    kb.load(write(tmp_path, "facts.ttl", f"{PREFIX}:anna :takes :ibuprofen, :warfarin ."))
    (tmp_path / "new").mkdir()
    new = write(tmp_path / "new", "facts.ttl", f"{PREFIX}:anna :takes :ibuprofen, :aspirin .")
    said = r"facts\.ttl was loaded with other content \(.*\)\. Give this one another name as its document, or say that"
    with pytest.raises(DataError, match=said):
        kb.load(new)
    assert kb.version.number == 1
    version = kb.load(new, update=True)
    assert (version.added, version.removed) == (1, 1)
    assert {fact.object for fact in kb.triples()} == {e("ibuprofen"), e("aspirin")}
    gone = t("anna", "takes", "warfarin")
    assert [(record.source.status, record.why) for record in kb.records(gone)] == [
        ("retracted", "no longer in facts.ttl")
    ]
    assert len(kb.records(t("anna", "takes", "ibuprofen"))) == 1
    with pytest.raises(DataError, match="was loaded with other content"):
        kb.load(tmp_path / "facts.ttl")
    kb.load(tmp_path / "facts.ttl", update=True)
    assert {fact.object for fact in kb.triples()} == {e("ibuprofen"), e("warfarin")}
    kb.load(new, source=Source("new facts"))
    assert {fact.object for fact in kb.triples()} == {e("ibuprofen"), e("warfarin"), e("aspirin")}


def test_what_another_document_says_too_holds_on(kb: KnowledgeBase, tmp_path: Path) -> None:
    kb.load(write(tmp_path, "a.ttl", f"{PREFIX}:anna :takes :warfarin ."))
    kb.load(write(tmp_path, "b.ttl", f"{PREFIX}:anna :takes :warfarin ."))
    version = kb.load(write(tmp_path, "a.ttl", f"{PREFIX}:anna :takes :aspirin ."), update=True)
    assert (version.added, version.removed) == (1, 0)
    assert [source.document for source in kb.sources(t("anna", "takes", "warfarin"))] == ["b.ttl"]


def test_rows_that_moved_are_where_they_are_now(kb: KnowledgeBase, tmp_path: Path) -> None:
    def load(rows: list[tuple[Triple, int]], text: str) -> None:
        with kb.loading("rows") as loader:
            loader(write(tmp_path, "a.csv", text), facts=rows, update=True)

    fact, other = t("anna", "takes", "aspirin"), t("bob", "takes", "aspirin")
    load([(fact, 2), (other, 3)], "one")
    load([(other, 2), (fact, 3)], "two")
    assert [source.row for source in kb.sources(fact)] == [3]
    assert [source.row for source in kb.sources(other)] == [2]
    assert len(list(kb.triples(status="retracted"))) == 0
    links = [quad for quad in kb.store if quad.predicate.value == "urn:sibu:of"]
    assert len(links) == 2
    load([(fact, 2)], "three")
    assert not kb.holds(other)
    assert [record.source.row for record in kb.records(other)] == [2]


def test_a_hypothesis_from_a_file(kb: KnowledgeBase, tmp_path: Path) -> None:
    source = Source("guesses", confidence=0.3, status="hypothesis", extractor="links", version="1")
    kb.load(write(tmp_path, "a.ttl", f"{PREFIX}:anna :takes :aspirin ."), source=source)
    assert list(kb.triples()) == []
    (found,) = kb.sources(t("anna", "takes", "aspirin"))
    assert (found.document, found.confidence, found.extractor, found.status) == ("guesses", 0.3, "links", "hypothesis")


def test_named_graphs_are_tables_of_the_file(kb: KnowledgeBase, tmp_path: Path) -> None:
    kb.load(write(tmp_path, "a.trig", f"{PREFIX}:a :b :c . <urn:g:g> {{ :a :b :c, :d }}"))
    assert sorted(source.table for source in kb.sources(t("a", "b", "c"))) == ["", "urn:g:g"]
    assert [source.table for source in kb.sources(t("a", "b", "d"))] == ["urn:g:g"]


def test_prefixes_of_a_file_are_known(kb: KnowledgeBase, tmp_path: Path) -> None:
    kb.load(
        write(
            tmp_path, "a.ttl", "@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix ex: <urn:x:> . foaf:a foaf:b 1 ."
        )
    )
    assert kb.names.short("http://xmlns.com/foaf/0.1/a") == "foaf:a"
    assert kb.names.prefixes["ex"] == "https://example.org/"  # what stood for something goes on to
    with KnowledgeBase.open(kb.folder) as again:
        assert again.names == kb.names != NAMES
    head = '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ub="urn:ub:">'
    kb.load(write(tmp_path, "a.rdf", f'{head}<ub:C r:about="urn:c:c"/></r:RDF>'))
    assert kb.names.short("urn:ub:C") == "ub:C"


def test_several_files_are_one_version_or_none(kb: KnowledgeBase, tmp_path: Path) -> None:
    good, bad = write(tmp_path, "a.ttl", f"{PREFIX}:a :b :c ."), write(tmp_path, "b.ttl", ":a")
    with pytest.raises(DataError, match=r"b\.ttl:1:1"), kb.loading("both") as load:
        load(good)
        load(bad)
    assert (kb.version.number, list(kb.triples())) == (0, [])


def test_a_table_is_no_rdf(kb: KnowledgeBase, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a table"):
        kb.load(write(tmp_path, "a.csv", "x"))


@pytest.mark.parametrize("form", ["nquads", "trig", "jsonld"])
def test_an_export_with_all_its_records_comes_back(form: str, kb: KnowledgeBase, tmp_path: Path) -> None:
    from dataclasses import replace

    fact, gone = t("安娜", "服用", "布洛芬"), t("a", "b", Value('say "hi"\n😀'))
    found = Source("notes.txt", 4, 19, table="t", extractor="ner", version="1", confidence=0.5)
    with kb.change("all sorts") as change:
        change.document("notes.txt", "some text")
        guess = replace(found, status="hypothesis")
        change.state([(fact, found), (fact, Source("b", row=7)), (gone, found), (t("x", "y", "z"), guess)])
        change.retract([gone], "wrong")
        change.state([(t("d", "e", "f"), Source("rules", status="derived"))])
    kb.load(write(tmp_path, "blank.ttl", f"{PREFIX}[] :p :q ."))
    count = kb.export(tmp_path / "all", form, all=True)
    kb.close()
    with KnowledgeBase.create(tmp_path / "other", base=BASE) as other:
        other.load(tmp_path / "all", form)
        assert other.records(fact) and other.records(gone)
        assert other.version.facts == 3

    def named(folder: Path) -> set[tuple[str, ...]]:
        return {tuple("_:" if term.startswith("_:") else term for term in quad) for quad in state(folder)}

    assert len(named(kb.folder)) == count
    assert named(tmp_path / "other") == named(kb.folder)


def test_an_export_whose_records_are_missing(kb: KnowledgeBase, tmp_path: Path) -> None:
    kb.add([(t("a", "b", "c"), Source("x")), (t("a", "b", "d"), Source("y"))])
    kb.export(tmp_path / "all.nq", all=True)
    text = (tmp_path / "all.nq").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines(keepends=True) if '"x"' not in line]
    with KnowledgeBase.create(tmp_path / "other", base=BASE) as other:
        for change, said in (
            ("".join(lines), "is no record"),
            (text.replace('"asserted"', '"true"'), "has the status 'true'; allowed"),
        ):
            with pytest.raises(DataError, match=said):
                other.load(write(tmp_path, "broken.nq", change))
        assert list(other.store) == []
