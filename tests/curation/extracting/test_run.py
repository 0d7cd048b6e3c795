"""Documents read into a knowledge base: what is asserted, what waits, what is refused, and what a second run does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sibu import kb
from sibu.core.errors import DataError, RecipeError, SibuError
from sibu.core.logic import Source
from sibu.graph import KnowledgeBase


def read(texts: Mapping[str, str], plan: Any = "extract.yaml", **options: Any) -> dict[str, Any]:
    """Read documents by name."""
    rows = [json.dumps({"id": name, "text": text}) for name, text in texts.items()]
    Path("docs.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return kb.extract("kb", "docs.jsonl", plan, **options)


def facts(status: str = "holds") -> set[str]:
    """Facts that come from documents that were read, but for labels and classes."""
    with kb.open("kb") as base:
        return {
            f"{base.label(each.subject)} {base.label(each.predicate)} "
            f"{getattr(each.object, 'text', None) or base.label(each.object)}"  # type: ignore[arg-type]
            for each in base.triples(status=status)  # type: ignore[arg-type]
            for source in base.sources(each)
            if source.extractor.startswith("extract:") and "label" not in each.predicate.iri
        }


def plan(**more: Any) -> dict[str, Any]:
    extractors = [
        "gazetteer",
        {"name": "gazetteer", "called": "names", "file": "names.tsv"},
        {"name": "patterns", "file": "patterns.txt"},
    ]
    return {"extractors": extractors, "assert": 0.8, "review": 0.5} | more


def test_what_is_sure_is_asserted(home: Path) -> None:
    found = read({"a": "IBUPROFEN interacts with warfarin. Anna takes aspirin, and Zoe takes aspirin."})
    assert found["facts"] == {"asserted": 7, "review": 0, "refused": 0}  # two labels of new things
    assert found["things"] == {"new": 2, "known": 3}
    assert facts() == {
        "ibuprofen interacts Warfarin",
        "Anna takes aspirin",
        "Zoe takes aspirin",
        "aspirin type drug",
        "Zoe type Patient",
    }


def test_each_fact_tells_its_passage_and_its_extractor(home: Path) -> None:
    read({"a": "Well. Anna takes aspirin."})
    with kb.open("kb") as base:
        anna, takes = base.resolve("Anna"), base.resolve("takes")
        (fact,) = base.triples(anna, takes)
        (record,) = base.records(fact)
        assert base.passage(record) == "Anna takes aspirin"
        source = record.source
        assert (source.document, source.start, source.end) == ("a", 6, 24)
        assert (source.extractor, len(source.version), source.confidence) == ("extract:patterns", 16, 0.9)


def test_a_class_that_nothing_can_be_is_told_until_it_is_mended(home: Path) -> None:
    lines = ['"{p:Patient} gets {d:Drugg}" -> takes(p, d)', '"{p:Patient} has {g:Gadget}" -> takes(p, g)']
    Path("patterns.txt").write_text("\n".join(lines), encoding="utf-8")
    text = {"a": "Anna gets aspirin. Zoe has Foo."}
    found = read(text)
    assert "Anna takes aspirin" not in facts()
    (told,) = found["unmet"]  # of Gadget, which the schema has not either, names.tsv has a name
    assert (told["extractor"], told["class"]) == ("patterns", "Drugg")
    assert told["reason"].endswith("is called 'Drugg', and no extractor before it found one. Did you mean 'Drug'?")
    assert read(text)["unmet"] == []  # nothing was read
    Path("patterns.txt").write_text("\n".join(lines).replace("Drugg", "Drug"), encoding="utf-8")
    assert read(text)["unmet"] == []
    assert "Anna takes aspirin" in facts()


def test_chinese(home: Path) -> None:
    found = read({"乙": "布洛芬与阿司匹林相互作用。"}, plan(**{"assert": 0.7, "language": "zh"}))
    assert found["facts"]["asserted"] == 3
    assert facts() == {"ibuprofen interacts 阿司匹林", "阿司匹林 type drug"}
    with kb.open("kb") as base:
        assert [each.language for each in base.labels(base.resolve("阿司匹林"))] == ["zh"]


def test_what_is_less_sure_waits(home: Path) -> None:
    found = read({"a": "Anna may take ibuprofen."})
    assert found["facts"] == {"asserted": 0, "review": 1, "refused": 0}
    assert (facts(), facts("hypothesis")) == (set(), {"Anna takes ibuprofen"})
    found = read({"a": "Anna may take ibuprofen."}, plan(review=0.7))
    assert found["refused"] == [{"reason": "its score is below 0.7", "count": 1, "such_as": ["takes(anna, ibuprofen)"]}]
    assert facts("hypothesis") == set()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ibuprofen cures headache", "the relation 'cures' is outside the schema"),
        ("Anna treats headache", "treats: its domain is Drug, not Patient"),
        ("ibuprofen treats warfarin", "treats: its range is Disease, not Drug"),
        ("ibuprofen treats ibuprofen", "both ends of the relation are one thing"),
        ("a Foo", "the class 'Gadget' is outside the schema"),
    ],
)
def test_what_the_ontology_does_not_allow_is_refused(home: Path, text: str, reason: str) -> None:
    found = read({"a": text})
    assert [each["reason"] for each in found["refused"]] == [reason]
    assert not [each for each in facts() if "treats" in each or "cures" in each]


def test_disjoint_classes(home: Path) -> None:
    Path("names.tsv").write_text("Anna\tDrug\n", encoding="utf-8")
    options = plan(link=0.4)  # so that the name is taken to mean the patient, of whatever class
    found = read({"a": "Anna"}, options)
    assert [each["reason"] for each in found["refused"]] == ["no Patient is a Drug (disjoint classes)"] or found[
        "things"
    ]["new"] == 1


def test_a_property_with_one_value_waits_for_a_person(home: Path) -> None:
    found = read({"a": "Anna is 71 years old. Zoe is 30 years old.", "b": "Zoe is 31 years old. Anna is 70 years old."})
    assert [each["fact"] for each in found["conflicts"]] == ["age(anna, 71)", "age(Zoe, 31)"]
    assert facts("hypothesis") == {"Anna age 71", "Zoe age 31"}
    assert {"Zoe age 30", "Anna age 70"} <= facts()


def test_new_things_only_where_they_are_allowed(home: Path) -> None:
    found = read({"a": "Zoe takes aspirin"}, plan(new=["Drug"]))
    assert [each["reason"] for each in found["refused"]] == [
        "not known, and no new thing of Patient is allowed",
        "an end of the relation is no thing that is known or may be new",
    ]
    assert facts() == {"aspirin type drug"}
    assert read({"a": "Zoe takes aspirin"}, plan(new=False))["facts"]["asserted"] == 0
    assert facts() == set()


def test_one_name_of_two_classes_is_two_things(home: Path) -> None:
    Path("names.tsv").write_text("Paris\tPatient\n", encoding="utf-8")
    read({"a": "Paris"})
    Path("names.tsv").write_text("Paris\tDisease\n", encoding="utf-8")
    read({"b": "Paris"})
    with kb.open("kb") as base:
        assert [each.iri.rsplit("/", 1)[1] for each in base.find("Paris")] == ["Paris", "Paris_Disease"]


def test_labels_may_stand_for_other_classes_and_properties(home: Path) -> None:
    more = plan(classes={"Gadget": "Disease"}, properties={"cures": "treats"})
    read({"a": "ibuprofen cures Foo"}, more)
    assert facts() == {"Foo type Disease", "ibuprofen treats Foo"}
    with pytest.raises(RecipeError, match=r"properties: 'heals'.*outside: allow"):
        read({"a": ""}, plan(properties={"cures": "heals"}))


def test_what_is_outside_the_schema_may_be_allowed(home: Path) -> None:
    read({"a": "ibuprofen cures Foo"}, plan(outside="allow"))
    assert facts() == {"Foo type Gadget", "ibuprofen cures Foo"}


def test_several_extractors_of_one_fact(home: Path) -> None:
    Path("second.txt").write_text('"{p:Patient} may take {d:Drug}" -> takes(p, d) @ 0.7\n', encoding="utf-8")
    both = plan(combine="noisy_or")
    both["extractors"] = [*both["extractors"], {"name": "patterns", "called": "second", "file": "second.txt"}]
    assert read({"a": "Anna may take ibuprofen"}, both)["facts"]["asserted"] == 1  # 1 - 0.4 * 0.3 = 0.88
    assert read({"a": "Anna may take ibuprofen"}, both | {"combine": "max"})["facts"]["review"] == 1


# ---- again -----------------------------------------------------------------------------------------------------------


def test_what_did_not_change_is_skipped(home: Path) -> None:
    texts = {"a": "Anna takes aspirin.", "b": "Anna takes ibuprofen."}
    assert read(texts)["documents"] == {"new": 2, "changed": 0, "skipped": 0, "removed": 0}
    found = read(texts)
    assert (found["documents"]["skipped"], found["new"]) == (2, False)
    assert read(texts, plan(**{"assert": 0.85}))["documents"]["changed"] == 2
    with Path("names.tsv").open("a", encoding="utf-8") as file:
        file.write("paracetamol\tDrug\n")
    assert read(texts, plan(**{"assert": 0.85}))["documents"]["changed"] == 2
    found = read(texts, plan(**{"assert": 0.85}), again=True)
    assert (found["documents"]["changed"], found["new"]) == (2, False)  # the same comes of the same


def test_a_changed_document_says_what_is_in_it_now(home: Path) -> None:
    read({"a": "Anna takes aspirin. Anna takes ibuprofen.", "b": "Anna takes ibuprofen."})
    found = read({"a": "Anna takes warfarin."})
    assert found["documents"] == {"new": 0, "changed": 1, "skipped": 0, "removed": 0}
    assert facts() == {"Anna takes ibuprofen", "Anna takes Warfarin"}
    with kb.open("kb") as base:
        of = base.triples(base.resolve("Anna"), base.resolve("takes"), status="retracted")
        (aspirin,) = {each.object for each in of if "aspirin" in str(each.object)}
        fact = next(base.triples(object=aspirin, status="retracted"))
        assert [each.why for each in base.records(fact)] == ["no longer in a"]
        assert not base.find("aspirin"), "a thing that no document names any more has no label"


def test_a_thing_stays_as_long_as_a_document_names_it(home: Path) -> None:
    read({"a": "Zoe takes aspirin."})
    read({"b": "Anna takes aspirin."})  # links to what the first one made
    read({"a": "Nothing."})
    assert facts() == {"Anna takes aspirin", "aspirin type drug"}
    with kb.open("kb") as base:
        assert len(base.find("aspirin")) == 1
        assert not base.find("Zoe")


def test_a_document_that_changes_back(home: Path) -> None:
    read({"a": "Anna takes aspirin."})
    before = facts()
    read({"a": "Anna takes ibuprofen."})
    read({"a": "Anna takes aspirin."})
    assert facts() == before


def test_a_document_is_removed(home: Path) -> None:
    read({"a": "Anna takes aspirin.", "b": "Anna takes ibuprofen."})
    found = kb.extract("kb", remove=["a"])
    assert found["documents"]["removed"] == 1
    assert facts() == {"Anna takes ibuprofen"}
    with pytest.raises(DataError, match="No document 'a' was read here"):
        kb.extract("kb", remove=["a"])
    assert read({"a": "Anna takes aspirin."})["documents"]["new"] == 1


def test_what_a_file_states_stays(home: Path) -> None:
    with KnowledgeBase.open("kb", write=True) as base:
        anna, takes, drug = (base.resolve(each) for each in ("Anna", "takes", "warfarin"))
        from sibu.core.logic import Triple

        base.add([(Triple(anna, takes, drug), Source("a"))])
    read({"a": "Anna takes warfarin."})
    read({"a": "Nothing."})
    with kb.open("kb") as base:
        (fact,) = base.triples(anna, takes)
        assert [each.extractor for each in base.sources(fact)] == [""]


def test_a_run_is_one_version_or_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sibu.curation.extracting import run

    with kb.open("kb") as base:
        before = base.version.number
    monkeypatch.setattr(run, "CHUNK", 1)
    texts = {str(number): "Anna takes aspirin." for number in range(3)}
    calls = iter(range(9))

    def stop(self: Any, *given: Any) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return decide(self, *given)

    decide = run.Deciding.decide
    monkeypatch.setattr(run.Deciding, "decide", stop)
    with pytest.raises(KeyboardInterrupt):
        read(texts)
    assert facts() == set()
    with kb.open("kb") as base:
        assert (base.version.number, base.documents()) == (before, {})
    monkeypatch.setattr(run.Deciding, "decide", decide)
    assert read(texts)["version"]["number"] == before + 1


# ---- what is given ---------------------------------------------------------------------------------------------------


def test_documents_of_every_form(home: Path) -> None:
    Path("notes/sub").mkdir(parents=True)
    Path("notes/one.txt").write_text("\ufeffAnna takes aspirin.", encoding="utf-8")
    Path("notes/sub/two.md").write_text("Anna takes ibuprofen.", encoding="utf-8")
    Path("notes/three.pdf").write_bytes(b"%PDF")
    Path("table.csv").write_text("no,note\n7,Anna takes warfarin.\n", encoding="utf-8")
    assert kb.extract("kb", "notes", "extract.yaml")["documents"]["new"] == 2
    assert kb.extract("kb", "table.csv", "extract.yaml", id_column="no", text_column="note")["documents"]["new"] == 1
    with kb.open("kb") as base:
        assert list(base.documents()) == ["7", "one.txt", "sub/two.md"]


def test_two_documents_of_one_name(home: Path) -> None:
    for folder in ("x", "y"):
        Path(folder).mkdir()
        Path(folder, "a.txt").write_text("text", encoding="utf-8")
    with pytest.raises(DataError, match=r"Two documents are named 'a.txt': x.a.txt and y.a.txt"):
        kb.extract("kb", ["x", "y"], "extract.yaml")
    Path("two.jsonl").write_text('{"id": 1, "text": "x"}\n{"id": "1", "text": "y"}\n')
    with pytest.raises(DataError, match=r"named '1': two.jsonl:1 and two.jsonl:2"):
        kb.extract("kb", "two.jsonl", "extract.yaml")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('{"id": 1}\n', "there is no 'text'; the row has 'id'"),
        ('{"text": "x"}\n', "there is no 'id', which names the document"),
        ('{"id": 1, "text": 3}\n', "'text' is no text, given int"),
        ('{"id": 1, "text": "\\ud800"}\n', "half a character"),
        ("{nonsense}\n", "bad.jsonl:1"),
        ("", "bad.jsonl"),
    ],
)
def test_rows_that_are_no_documents(home: Path, rows: str, said: str) -> None:
    Path("bad.jsonl").write_text(rows, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        kb.extract("kb", "bad.jsonl", "extract.yaml")


def test_what_is_no_document(home: Path) -> None:
    Path("a.txt").write_bytes(b"caf\xe9")
    Path("b.doc").write_bytes(b"x")
    with pytest.raises(DataError) as fault:
        kb.extract("kb", ["a.txt", "b.doc", "c.txt"], "extract.yaml")
    lines = str(fault.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["a.txt", "b.doc", "There"]
    with pytest.raises(SibuError, match="Say how facts are extracted"):
        kb.extract("kb", "a.txt")
    with pytest.raises(SibuError, match="Name documents to read"):
        kb.extract("kb")


def test_a_text_of_every_script(home: Path) -> None:
    text = "😀 Anna takes 阿司匹林 😀 — Анна принимает аспирин, آنا"
    assert read({"😀": text})["facts"]["asserted"] == 3
    with kb.open("kb") as base:
        fact = next(base.triples(base.resolve("Anna"), base.resolve("takes")))
        assert base.passage(base.records(fact)[0]) == "Anna takes 阿司匹林"
