"""New documents and all that comes of them: what follows, conflicts, what is held back, rows to train again with."""

import json
import shlex
from pathlib import Path

import pytest

import sibu
from sibu.core.errors import BundleError, DataError
from sibu.core.logic import TYPE, Entity, Triple
from sibu.graph import KnowledgeBase
from sibu.graph.asking import QueryStopped
from tests.conftest import write_jsonl
from tests.curation.clinic import e, fact

PATTERNS = """
"{p:Patient} takes {d:Drug}" -> takes(p, d)
"{p:Patient}服用{d:Drug}" -> takes(p, d)
"{d:Drug} may cause {s:Symptom}" -> mayCause(d, s)
"{p:Patient} is {n:integer} years old" -> age(p, n)
"""
CONFLICT = fact("anna", "takes", "solvex")
"""With Lunarin, which she takes, it interacts."""
FINE = fact("bob", "takes", "tendrin")


@pytest.fixture
def plan(tmp_path: Path) -> dict:
    (tmp_path / "patterns.txt").write_text(PATTERNS, encoding="utf-8")
    return {"extractors": ["gazetteer", {"name": "patterns", "file": str(tmp_path / "patterns.txt")}]}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("Anna Berg takes Solvex. Bob Lind takes Tendrin. Tendrin may cause thirst.\n")
    (folder / "b.txt").write_text("陈伟服用藤定。", encoding="utf-8")
    return folder


def holds(kb: Path, *facts: Triple) -> list[bool]:
    with KnowledgeBase.open(kb) as opened:
        return [opened.holds(each) for each in facts]


def test_what_conflicts_is_held_back_and_the_rest_stays(kb: Path, notes: Path, plan: dict) -> None:
    found = sibu.kb.update(kb, notes, plan, name="monday")
    assert found["read"]["documents"]["new"] == 2
    assert found["conflicts"]["left"] == 0
    (conflict,) = found["conflicts"]["new"]
    assert (conflict["kind"], conflict["why"]) == ("constraint", "Nobody takes two drugs that interact.")
    blamed = {each["said"]: {source["document"] for source in each["sources"]} for each in conflict["facts"]}
    assert blamed["takes(anna, solvex)"] == {"a.txt"}
    assert blamed["takes(anna, lunarin)"] == {"patients.csv"}
    assert found["conflicts"]["held"] == ["takes(anna, solvex)"]
    assert found["version"]["name"] == "monday"
    assert holds(kb, CONFLICT, FINE, fact("chen", "takes", "tendrin")) == [False, True, True]
    with KnowledgeBase.open(kb) as opened:
        (source,) = opened.sources(CONFLICT, "hypothesis")
        assert opened.document("a.txt")[source.start : source.end] == "Anna Berg takes Solvex"
        assert opened.diff(found["before"]["number"], "monday").added
    assert not sibu.kb.check(kb)["faulty"]
    assert found["diff"]["by"]["takes"] == {"added": 2, "removed": 0}
    again = sibu.kb.update(kb, notes, plan)
    assert (again["new"], again["read"]["documents"]["skipped"], again["conflicts"]["new"]) == (False, 2, [])


def test_what_was_held_back_can_be_confirmed(kb: Path, notes: Path, plan: dict, tmp_path: Path) -> None:
    sibu.kb.update(kb, notes, plan)
    review = tmp_path / "review.jsonl"
    assert sibu.kb.extract(kb, to_review=review)["review"]["waiting"] == 1
    (row,) = [json.loads(line) for line in review.read_text(encoding="utf-8").splitlines() if "takes" in line]
    review.write_text(json.dumps(row | {"decision": "yes"}) + "\n", encoding="utf-8")
    assert sibu.kb.review(kb, review, by="Dr. Holm")["confirmed"] == 1
    assert holds(kb, CONFLICT) == [True]


@pytest.mark.parametrize("fault", [QueryStopped("out of time"), KeyboardInterrupt()], ids=["time", "stopped"])
def test_an_update_that_does_not_come_to_its_end_leaves_nothing(
    fault: BaseException, kb: Path, notes: Path, plan: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("sibu.curation.updating.update.infer", fails)
    with pytest.raises(type(fault)):
        sibu.kb.update(kb, notes, plan, name="monday")
    monkeypatch.undo()
    assert holds(kb, CONFLICT, FINE) == [False, False]
    assert sibu.kb.update(kb, notes, plan, name="monday")["read"]["documents"]["new"] == 2
    assert holds(kb, FINE) == [True]


def test_training_rows_stay_out_of_the_knowledge_base(kb: Path, notes: Path, plan: dict) -> None:
    with pytest.raises(DataError, match="Choose another place"):
        sibu.kb.update(kb, notes, plan, rows=kb / "rows")
    assert not (kb / "rows").exists()


def test_conflicts_may_be_told_alone(kb: Path, notes: Path, plan: dict) -> None:
    found = sibu.kb.update(kb, notes, plan, conflicts="tell")
    assert (found["conflicts"]["new_count"], found["conflicts"]["left"], found["conflicts"]["held"]) == (1, 1, [])
    assert holds(kb, CONFLICT, FINE) == [True, True]
    later = sibu.kb.update(kb, notes, plan)
    assert (later["conflicts"]["known"], later["conflicts"]["new"]) == (1, [])


def test_all_is_taken_back_where_it_is_refused(kb: Path, notes: Path, plan: dict) -> None:
    with KnowledgeBase.open(kb) as opened:
        before = set(opened.triples())
    for _ in range(2):  # what was taken back is not passed over the next time
        found = sibu.kb.update(kb, notes, plan, conflicts="refuse")
        assert found["refused"]
        assert found["conflicts"]["new_count"] == 1
        assert (found["diff"]["added"], found["diff"]["removed"], found["retrain"]) == (0, 0, [])
        with KnowledgeBase.open(kb) as opened:
            assert set(opened.triples()) == before
            assert "a.txt" not in opened.documents()
    (notes / "a.txt").write_text("Bob Lind takes Tendrin.\n")
    assert not sibu.kb.update(kb, notes, plan, conflicts="refuse")["refused"]
    assert holds(kb, FINE) == [True]


def test_a_broken_shape_is_a_conflict(kb: Path, tmp_path: Path, plan: dict) -> None:
    (tmp_path / "c.txt").write_text("Anna Berg is 130 years old.")
    found = sibu.kb.update(kb, tmp_path / "c.txt", plan)
    assert {each["kind"] for each in found["conflicts"]["new"]} == {"shape"}
    assert "A patient has one age" in found["conflicts"]["new"][0]["why"]
    assert found["conflicts"]["held"] == ["age(anna, 130)"]
    assert holds(kb, fact("anna", "age", 130), fact("anna", "age", 71)) == [False, True]


def test_a_document_that_changed_takes_its_conflict_along(kb: Path, notes: Path, plan: dict) -> None:
    sibu.kb.update(kb, notes, plan, conflicts="tell")
    (notes / "a.txt").write_text("Anna Berg takes Tendrin.")
    found = sibu.kb.update(kb, notes, plan)
    assert (found["read"]["documents"]["changed"], found["conflicts"]["left"]) == (1, 0)
    assert holds(kb, CONFLICT, FINE) == [False, False]
    assert not sibu.kb.check(kb)["faulty"]
    gone = sibu.kb.update(kb, [], plan, remove=["b.txt"])
    assert gone["read"]["documents"]["removed"] == 1
    assert holds(kb, fact("chen", "takes", "tendrin")) == [False]


def test_what_cannot_be_asked(kb: Path, notes: Path, plan: dict, tmp_path: Path) -> None:
    before = sibu.kb.versions(kb)
    with pytest.raises(DataError, match="one of hold, tell, refuse, given 'ask'"):
        sibu.kb.update(kb, notes, plan, conflicts="ask")
    with pytest.raises(DataError, match="Name documents to read, or documents to remove"):
        sibu.kb.update(kb, [], plan)
    with pytest.raises(BundleError, match="there is no such folder"):
        sibu.kb.update(kb, notes, plan, bundles=[tmp_path / "nothing"])
    assert sibu.kb.versions(kb) == before


# Rows to train again with.


@pytest.fixture
def bundle(tiny_model: Path, tmp_path: Path) -> Path:
    """A bundle that was taught a clinic's words, badly."""
    texts = [f"{number} Anna takes Lunarin and Bob likes {drug}." for number in range(12) for drug in ("Solvex", "tea")]
    rows = []
    for text in texts:
        names = [("Anna", "Patient"), ("Lunarin", "Drug"), ("Bob", "Patient")]
        entities = [{"start": text.index(name), "end": text.index(name) + len(name), "label": label}
                    for name, label in names]  # fmt: skip
        relations = [{"head": 0, "tail": 1, "label": "takes"}]
        rows.append({"text": text, "entities": entities, "relations": relations})
    write_jsonl(tmp_path / "words.jsonl", rows)
    data = {"train": str(tmp_path / "words.jsonl")}
    tasks = {"names": {"type": "tag", "data": data}, "links": {"type": "relate", "data": data}}
    train = {"epochs": 1, "batch_tokens": 512}
    return sibu.run({"name": "words", "model": str(tiny_model), "tasks": tasks, "train": train}, out=tmp_path / "words")


def test_new_facts_yield_rows_and_the_bundle_can_be_trained_again(
    kb: Path, notes: Path, plan: dict, bundle: Path, tmp_path: Path
) -> None:
    (notes / "old.txt").write_text("Anna Berg and Lunarin. Dora Holm has dizziness. Bob Lind met Tendrin, not Solvex.")
    found = sibu.kb.update(kb, notes, plan, bundles=[bundle], rows=tmp_path / "rows")
    (advice,) = found["retrain"]
    assert advice["retrain"]
    assert found["unseen"] == {"mayCause": 1}
    assert advice["tasks"]["names"]["rows"] == 0, "no name is new"
    rows = [json.loads(line) for line in Path(advice["tasks"]["links"]["file"]).read_text("utf-8").splitlines()]
    assert {row["text"] for row in rows} == {
        "Bob Lind takes Tendrin.",
        "陈伟服用藤定。",
        "Bob Lind met Tendrin, not Solvex.",
    }
    said = []
    for row in rows:
        spans = [row["text"][each["start"] : each["end"]] for each in row["entities"]]
        said += [(spans[each["head"]], each["label"], spans[each["tail"]]) for each in row["relations"]]
    assert said.count(("Bob Lind", "takes", "Tendrin")) == 2
    assert ("Bob Lind", "takes", "Solvex") in said, "it was known before, but stands beside what is new"
    assert ("陈伟", "takes", "藤定") in said
    words = shlex.split(advice["command"])
    assert words[:2] == ["sibu", "run"]
    place = words.index("--out")
    again = sibu.run(words[2], words[3:place], out=words[place + 1])
    assert json.loads((again / "record.json").read_text())["rows"]["links"]["train"] > 0


def test_a_new_name_is_a_row_for_who_finds_names(
    kb: Path, notes: Path, plan: dict, bundle: Path, tmp_path: Path
) -> None:
    with KnowledgeBase.open(kb, write=True) as opened, opened.change("a name") as change:
        change.document("old.txt", "Yesterday Nimbrol was given to Dora Holm.")
    (tmp_path / "new.ttl").write_text(
        "@prefix : <https://example.org/clinic/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        ':nimbrol a :Calmer ; rdfs:label "Nimbrol" .'
    )
    sibu.kb.add(kb, tmp_path / "new.ttl")
    assert holds(kb, Triple(e("nimbrol"), TYPE, e("Calmer"))) == [True]
    (notes / "a.txt").write_text("Nimbrol may cause thirst.")
    found = sibu.kb.update(kb, notes / "a.txt", plan, bundles=[bundle])
    (advice,) = found["retrain"]
    assert not advice["retrain"], "the name came before this update"
    (notes / "a.txt").write_text("Nimbrol was given to Dora Holm. She takes Solvex.")
    both = {**plan, "new": ["Drug"]}
    (notes / "names.txt").write_text("Velumin\tDrug\n")
    both["extractors"] = [
        *plan["extractors"],
        {"name": "gazetteer", "called": "list", "file": str(notes / "names.txt")},
    ]
    (notes / "c.txt").write_text("Velumin helps Dora Holm.")
    found = sibu.kb.update(kb, notes / "c.txt", both, bundles=[bundle], rows=tmp_path / "rows")
    file = Path(found["retrain"][0]["tasks"]["names"]["file"])
    (row,) = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(row["text"][each["start"] : each["end"]], each["label"]) for each in row["entities"]] == [
        ("Velumin", "Drug"), ("Dora Holm", "Patient"),
    ]  # fmt: skip


def test_classes_are_told_by_the_nearest_label(kb: Path) -> None:
    from sibu.curation.extracting.ontology import Ontology
    from sibu.curation.updating.distant import Distant, Words

    with KnowledgeBase.open(kb, write=True) as opened:
        with opened.change("a text") as change:
            change.document("note", "Anna Berg takes Lunarin.")
        new = [Triple(e("lunarin"), TYPE, e("Calmer"))]
        distant = Distant(opened, Ontology(opened, open_=False), new)
        words = Words({e("Drug"): "DRUG", e("Calmer"): "CALM", e("Patient"): "PERSON"}, {})
        (row,) = distant.rows(["note"], words).tag
        assert [each["label"] for each in row["entities"]] == ["PERSON", "CALM"]
        wide: dict[Entity, str] = {e("Drug"): "DRUG"}
        (row,) = distant.rows(["note"], Words(wide, {})).tag
        assert [each["label"] for each in row["entities"]] == ["DRUG"]
