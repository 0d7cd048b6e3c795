"""What must not be: constraints, an ontology that contradicts itself, values, shapes; each with facts and sources."""

from __future__ import annotations

from pathlib import Path

import pytest

import sibu
from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Entity, Triple, Value
from sibu.core.names import OWL, RDFS, XSD
from sibu.graph import KnowledgeBase
from tests.curation.clinic import NOTES, e, fact, make


def test_all_is_well(kb: Path) -> None:
    found = sibu.kb.check(kb)
    assert not found["faulty"]
    assert found["constraints"] == found["values"] == found["shapes"] == found["notes"] == []
    assert found["looked_at"]["shapes"] == ["shapes.ttl"]


def test_a_constraint_of_a_rule_file_names_facts_and_sources(kb: Path) -> None:
    add(kb, fact("anna", "takes", "solvex"))
    found = sibu.kb.check(kb)
    assert found["faulty"]
    one, other = found["constraints"]
    assert one["said"].startswith("by clinic:both (clinic.rules:30): Nobody takes two drugs that interact.")
    assert {each["verdict"] for each in (one, other)} == {"accepted"}
    premises = {one["premises"][2], other["premises"][2]}
    assert premises == {"interacts with(Lunarin, Solvex)", "interacts with(Solvex, Lunarin)"}
    assert set(one["premises"][:2]) == {"takes(Anna Berg, Lunarin)", "takes(Anna Berg, Solvex)"}
    assert "    stated by notes.txt, row 1" in one["tree"]
    assert "Facts or rules changed" in found["notes"][0]


def test_nothing_is_written(kb: Path) -> None:
    add(kb, fact("anna", "takes", "solvex"))
    before = len(sibu.kb.versions(kb)), sorted(file.name for file in (kb / "closure").rglob("*"))
    sibu.kb.check(kb)
    assert (len(sibu.kb.versions(kb)), sorted(file.name for file in (kb / "closure").rglob("*"))) == before


def test_classes_that_exclude_each_other(kb: Path) -> None:
    with KnowledgeBase.open(kb, write=True) as opened:
        opened.add([(Triple(e("anna"), TYPE, e("Calmer")), NOTES)])
    (met,) = sibu.kb.check(kb, language="zh")["constraints"]
    assert met["rule"]["id"] == "cax-dw"
    assert "药(安娜)" in met["premises"]
    assert "病人(安娜)" in met["premises"]
    tree = "\n".join(met["tree"])
    assert "stated by notes.txt, row 1" in tree
    assert "stated by patients.csv, row 2" in tree
    assert "stated by ontology.ttl" in tree


def test_an_ontology_that_contradicts_itself(tmp_path: Path) -> None:
    facts = [
        Triple(e("药"), Entity(OWL + "disjointWith"), e("病人")),
        Triple(e("安神药"), Entity(RDFS + "subClassOf"), e("药")),
        Triple(e("安神药"), Entity(RDFS + "subClassOf"), e("病人")),
        Triple(e("月宁"), TYPE, e("安神药")),
        Triple(e("x"), Entity(OWL + "sameAs"), e("y")),
        Triple(e("x"), Entity(OWL + "differentFrom"), e("y")),
    ]
    folder = make(tmp_path / "kb", facts)
    sibu.kb.infer(folder, ["owl"])
    found = sibu.kb.check(folder)
    assert found["faulty"]
    ids = {each["rule"]["id"] for each in found["constraints"]}
    assert ids == {"cax-dw", "eq-diff1", "eq-diff1.self"}
    for each in found["constraints"]:
        assert each["verdict"] == "accepted"
        assert "stated by notes.txt, row 1" in "\n".join(each["tree"])


def test_a_functional_property_of_two_values(kb: Path) -> None:
    add(kb, fact("anna", "liesIn", "north"))
    assert not sibu.kb.check(kb)["constraints"], "two names may be one thing"
    with KnowledgeBase.open(kb, write=True) as opened:
        opened.add([(Triple(e("north"), Entity(OWL + "differentFrom"), e("room3")), NOTES)])
    ids = {each["rule"]["id"] for each in sibu.kb.check(kb)["constraints"]}
    assert "eq-diff1" in ids


def test_most_cases_of_one_constraint(tmp_path: Path) -> None:
    facts = [fact(f"x{number}", "to", f"x{number}") for number in range(5)]
    folder = make(tmp_path / "kb", facts, '@about "Nothing goes to itself. 不可指向自己。"\n@id "自" :- to(X, X).')
    found = sibu.kb.check(folder, limit=2)
    assert len(found["constraints"]) == 2
    assert found["more"] == {"own:自": 3}


def test_values_that_cannot_be(tmp_path: Path) -> None:
    bad = Value("seventy", XSD + "integer")
    folder = make(tmp_path / "kb", [fact("anna", "age", bad), fact("bob", "age", 48)])
    sibu.kb.infer(folder, [{"name": "owl", "values": True}])
    found = sibu.kb.check(folder)
    assert found["faulty"]
    (value,) = found["values"]
    assert (value["value"]["value"], value["type"]) == ("seventy", "integer")
    assert value["facts"] == [{"said": 'age(anna, "seventy"^^xsd:integer)', "sources": ["notes.txt, row 1"]}]


def test_shapes_name_the_facts_to_blame(kb: Path) -> None:
    add(kb, fact("bob", "age", 130))
    found = sibu.kb.check(kb, language="zh")
    assert found["faulty"]
    messages = {each["message"] for each in found["shapes"]}
    assert messages == {"病人须有一个年龄，在 0 到 120 之间。"}
    blamed = [fact_["sources"] for each in found["shapes"] for fact_ in each["facts"] if "130" in fact_["said"]]
    assert ["notes.txt, row 1"] in blamed
    assert {each["message"] for each in sibu.kb.check(kb)["shapes"]} == {"A patient has one age, from 0 to 120."}


def test_a_warning_alone_is_no_fault(kb: Path, tmp_path: Path) -> None:
    light = tmp_path / "light.ttl"
    text = (kb / "shapes" / "shapes.ttl").read_text("utf-8").replace(":PatientShape", ":LightShape")
    text = text.replace(":Patient ", ":Drug ").replace("sh:property [", "sh:property [ sh:severity sh:Warning ;")
    light.write_text(text, "utf-8")
    found = sibu.kb.check(kb, light)
    assert found["shapes"]
    assert {each["severity"] for each in found["shapes"]} == {"Warning"}
    assert not found["faulty"]


def test_without_rules_and_shapes_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", [fact("a", "to", "b")])
    found = sibu.kb.check(folder)
    assert (found["faulty"], found["looked_at"]) == (False, {"constraints": 0, "shapes": []})


def test_a_file_of_shapes_that_is_missing_or_none(kb: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file .*none.ttl"):
        sibu.kb.check(kb, tmp_path / "none.ttl")
    bad = tmp_path / "bad.ttl"
    bad.write_text(":a :b")
    with pytest.raises(DataError, match=r"bad.ttl:1"):
        sibu.kb.check(kb, bad)


def test_a_case_that_the_checker_rejects_is_not_shown_as_proved(kb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sibu.logic.closure import Closure

    add(kb, fact("anna", "takes", "solvex"))
    former = Closure.violations

    def violations(self: Closure):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        for each in former(self):
            yield replace(each, premises=each.premises[::-1])

    monkeypatch.setattr(Closure, "violations", violations)
    found = sibu.kb.check(kb)
    assert {each["verdict"] for each in found["constraints"]} == {"rejected"}
    assert all(each["faults"] for each in found["constraints"])
    assert found["faulty"], "it is looked at by a person"


def add(folder: Path, *facts: Triple) -> None:
    with KnowledgeBase.open(folder, write=True) as opened:
        opened.add((each, NOTES) for each in facts)
