"""Why a fact holds, or does not; and that nothing is shown as proved that the checker rejects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sibu
from sibu.checker import Checker
from sibu.core.errors import DataError, RuleError
from sibu.core.logic import Atom, Proof, Source, Step, Triple, proof_of
from sibu.curation.closing import derived_by
from sibu.curation.plan import plan_of
from sibu.curation.proving import Asserted
from sibu.curation.why import why
from sibu.graph import KnowledgeBase
from sibu.logic.closure import Closure
from tests.curation.clinic import NAMES, NOTES, atom, e, fact, make, put_rules

CONTRA = "contraindicated(anna, solvex)"


def test_a_proof_goes_down_to_the_sources(kb: Path) -> None:
    (found,) = sibu.kb.why(kb, CONTRA)["facts"]
    assert (found["status"], found["verdict"]) == ("derived", "accepted")
    assert found["tree"] == [
        "contraindicated(Anna Berg, Solvex)",
        "  by clinic:interaction (clinic.rules:5): Not with what interacts with a drug that the patient takes, unless a"
        " doctor cleared it.",
        "  takes(Anna Berg, Lunarin)",
        "    stated by patients.csv, row 2",
        "  interacts with(Lunarin, Solvex)",
        "    stated by interactions.tsv, row 1",
        "  not is cleared for(Anna Berg, Solvex): there is no such fact",
    ]
    assert found["rules"][0]["where"] == "clinic.rules:5:1"


def test_the_same_in_chinese(kb: Path) -> None:
    (found,) = sibu.kb.why(kb, ["陈伟", "优先查房", "_"], language="zh")["facts"]
    assert found["tree"][:3] == [
        "优先查房(陈伟, 北病区)",
        "  by 诊所:优先 (诊所.rules:5): 住在北病区的老年病人要优先查房。",
        "  Senior(陈伟)",
    ]
    assert "    住在(陈伟, 三号房)" not in found["tree"], "a premise of the first rule"
    assert "  住在(陈伟, 三号房)" in found["tree"]


def test_another_can_check_what_is_written_as_json(kb: Path) -> None:
    for asked in (CONTRA, "Review(anna)", "partOf(room3, W)", "Drug(D)"):
        for each in sibu.kb.why(kb, asked, limit=20)["facts"]:
            proof = proof_of(each["proof"])
            with KnowledgeBase.open(kb) as opened:
                plan = plan_of(opened)
                Checker(plan.certain, Asserted(opened, plan, ())).check(proof, proof.conclusion)
            assert all(step.rule or step.sources for step in proof), "every leaf has a source"


@pytest.mark.parametrize(
    ("asked", "facts"),
    [
        ("contraindicated(anna, D)", ["contraindicated(Anna Berg, Marisol)", "contraindicated(Anna Berg, Solvex)"]),
        (["Anna Berg", "_", "Solvex"], ["contraindicated(Anna Berg, Solvex)"]),
        (["安娜", "contraindicated", "晴暖"], ["contraindicated(Anna Berg, Solvex)"]),
        ("manyDrugs(anna, 3)", ["manyDrugs(Anna Berg, 3)"]),
        (["anna", "age", "71"], ["age(Anna Berg, 71)"]),
        (["anna", "a", "Senior"], ["Senior(Anna Berg)"]),
        ("interacts(X, X)", []),
        ("triple(room3, P, house)", ["is part of(Room 3, The house)"]),
    ],
)
def test_what_is_asked_for(kb: Path, asked: Any, facts: list[str]) -> None:
    assert [each["said"] for each in sibu.kb.why(kb, asked)["facts"]] == facts


def test_most_facts(kb: Path) -> None:
    found = sibu.kb.why(kb, "takes(P, D)", limit=2)
    assert len(found["facts"]) == 2
    assert found["more"] == 5
    with pytest.raises(DataError, match="at least one fact and one step"):
        sibu.kb.why(kb, "takes(P, D)", limit=0)


def test_a_hypothesis_has_a_proof_and_does_not_hold(kb: Path) -> None:
    (found,) = sibu.kb.why(kb, "askAbout(anna, D)")["facts"]
    assert (found["status"], found["score"], found["verdict"]) == ("hypothesis", 0.6, "accepted")
    assert any("confidence 0.6" in line for line in found["tree"])


# Why not.


def test_a_condition_that_denies(kb: Path) -> None:
    found = sibu.kb.why(kb, "contraindicated(chen, lunarin)")
    assert found["facts"] == []
    assert found["missing"][0]["lines"][-1] == (
        "  ✗ not is cleared for(Chen Wei, Lunarin): but is cleared for(Chen Wei, Lunarin) holds"
    )
    assert [each["holds"] for each in found["missing"][0]["conditions"]] == [True, True, False]


def test_what_is_missing_goes_on_in_depth(kb: Path) -> None:
    plain = sibu.kb.why(kb, "Review(bob)")
    deep = sibu.kb.why(kb, "Review(bob)", depth=2)
    assert plain["missing"][0]["below"] == []
    below = {each["missing"]: each["rules"][0]["lines"] for each in deep["missing"][0]["below"]}
    assert "  ✗ 48 >= 65" in below["Senior(Bob Lind)"]
    assert next(line for line in below["manyDrugs(Bob Lind, _)"] if "count" in line).endswith("it is 1")


def test_added_the_missing_facts_make_it_hold(kb: Path) -> None:
    with KnowledgeBase.open(kb) as opened:
        (lack,) = why(opened, "contraindicated(dora, lunarin)").lacks
    missing = lack.attempt.missing
    assert missing == (atom(fact("dora", "takes", "solvex")),) or len(missing) == 1
    with KnowledgeBase.open(kb, write=True) as opened:
        opened.add([(Triple(each.terms[0], each.predicate, each.terms[1]), NOTES) for each in missing])  # type: ignore[arg-type]
    sibu.kb.infer(kb)
    assert sibu.kb.why(kb, "contraindicated(dora, lunarin)")["facts"]


def test_no_rule_concludes_it(kb: Path) -> None:
    assert sibu.kb.why(kb, "contraindicted(anna, solvex)")["notes"] == [
        "No rule concludes the relation contraindicted. No fact has this relation either. Did you mean "
        "'contraindicated'?"
    ]
    assert sibu.kb.why(kb, "服药(anna, solvex)")["notes"][0].startswith("No rule concludes the relation 服药.")
    (note,) = sibu.kb.why(kb, "mayCause(lunarin, thirst)")["notes"]
    assert note == "No rule concludes the relation mayCause."


def test_things_that_are_not_known(kb: Path) -> None:
    with pytest.raises(DataError, match="There is nothing named 'ana' here"):
        sibu.kb.why(kb, "takes(ana, D)")
    with pytest.raises(DataError, match="nothing named '安那' here"):
        sibu.kb.why(kb, ["安那", "takes", "_"])
    with pytest.raises(RuleError, match="1:11"):
        sibu.kb.why(kb, "takes(anna")
    with pytest.raises(DataError, match="three terms; given: 2"):
        sibu.kb.why(kb, ["anna", "takes"])


def test_who_retracted_it_is_told(kb: Path) -> None:
    sibu.kb.retract(kb, "chen", "cleared", "lunarin", why="该许可已过期")
    sibu.kb.infer(kb)
    found = sibu.kb.why(kb, "cleared(chen, lunarin)")
    assert found["facts"] == []
    assert found["retracted"][0]["source"]["why"] == "该许可已过期"
    assert sibu.kb.why(kb, "contraindicated(chen, lunarin)")["facts"][0]["verdict"] == "accepted"


def test_hypotheses_of_others_are_told(kb: Path) -> None:
    with KnowledgeBase.open(kb, write=True) as opened:
        opened.add([(fact("dora", "takes", "velorin"), Source("guess.txt", status="hypothesis", confidence=0.3))])
    found = sibu.kb.why(kb, "takes(dora, velorin)")
    assert found["facts"] == []
    assert found["hypotheses"][0]["line"] == "guess.txt, confidence 0.3"


# What is not proved is not shown as proved.


def shown_as_proved(folder: Path, asked: Any) -> list[str]:
    return [each["said"] for each in sibu.kb.why(folder, asked, limit=50)["facts"] if each["verdict"] == "accepted"]


def test_before_anything_is_inferred_only_what_is_stated(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", [fact("a", "to", "b")], "link(X, Y) :- to(X, Y).")
    found = sibu.kb.why(folder, "link(a, b)")
    assert found["facts"] == []
    assert found["notes"] == [f"Nothing was inferred yet. Run: sibu kb infer {folder}"]
    assert shown_as_proved(folder, "to(a, b)") == ["to(a, b)"]


def test_what_rested_on_a_retracted_fact_is_rejected(kb: Path) -> None:
    sibu.kb.retract(kb, "anna", "takes", "lunarin", why="stopped")
    found = sibu.kb.why(kb, CONTRA)
    assert [each["verdict"] for each in found["facts"]] == ["rejected"]
    assert "is not asserted" in found["facts"][0]["faults"][0]
    assert "Facts came or went since facts were inferred last" in found["notes"][0]
    sibu.kb.infer(kb)
    assert sibu.kb.why(kb, CONTRA)["facts"] == []


def test_a_fact_that_was_retracted_is_not_there_before_rules_ran_again(kb: Path) -> None:
    sibu.kb.retract(kb, "anna", "takes", "lunarin", why="stopped")
    found = sibu.kb.why(kb, "takes(anna, lunarin)")
    assert found["facts"] == []
    assert found["retracted"][0]["source"]["why"] == "stopped"


def test_what_is_denied_by_a_new_fact_is_rejected(kb: Path) -> None:
    with KnowledgeBase.open(kb, write=True) as opened:
        opened.add([(fact("anna", "cleared", "solvex"), NOTES)])
    assert shown_as_proved(kb, CONTRA) == []
    assert shown_as_proved(kb, "contraindicated(anna, D)") == ["contraindicated(Anna Berg, Marisol)"]


def test_a_rule_file_that_was_changed_proves_nothing_any_more(kb: Path) -> None:
    file = kb / "rules" / "clinic.rules"
    file.write_text(file.read_text("utf-8").replace("not cleared(P, D)", "cleared(P, D)"), "utf-8")
    found = sibu.kb.why(kb, CONTRA)
    assert found["facts"] == []
    assert found["unproved"] == ["contraindicated(Anna Berg, Solvex)"], "an inference wrote it"
    assert "Rules or reasoners changed" in found["notes"][0]


def test_a_rule_file_that_was_removed(kb: Path) -> None:
    (kb / "rules" / "clinic.rules").unlink()
    assert shown_as_proved(kb, "contraindicated(anna, D)") == []
    sibu.kb.infer(kb)
    assert sibu.kb.why(kb, CONTRA)["unproved"] == []


def test_a_derived_fact_that_was_put_into_the_store_is_not_proved(kb: Path) -> None:
    own = fact("bob", "contraindicated", "tendrin")
    with KnowledgeBase.open(kb, write=True) as opened:
        opened.add([(own, derived_by(plan_of(opened).digest))])
    found = sibu.kb.why(kb, "contraindicated(bob, tendrin)")
    assert found["facts"] == []
    assert found["unproved"] == ["contraindicated(Bob Lind, Tendrin)"]


def test_what_was_kept_of_another_knowledge_base_is_not_used(kb: Path, tmp_path: Path) -> None:
    from shutil import copytree, rmtree

    other = make(tmp_path / "other", [fact("x", "takes", "y"), fact("y", "interacts", "z")])
    put_rules(other, (kb / "rules" / "clinic.rules").read_text("utf-8"), "clinic")
    sibu.kb.infer(other)
    rmtree(kb / "closure")
    copytree(other / "closure", kb / "closure")
    found = sibu.kb.why(kb, "contraindicated(P, D)")
    assert found["facts"] == []
    assert "none of this knowledge base" in found["notes"][0] or "Rules or reasoners changed" in found["notes"][0]


def changed(change: Callable[[Proof], Proof], monkeypatch: pytest.MonkeyPatch) -> None:
    former = Closure.proof

    def proof(self: Closure, wanted: Atom) -> Proof | None:
        found = former(self, wanted)
        return None if found is None else change(found)

    monkeypatch.setattr(Closure, "proof", proof)


def last(proof: Proof, **changes: Any) -> Proof:
    return Proof((*proof.steps[:-1], replace(proof.steps[-1], **changes)))


MUTATIONS: dict[str, Callable[[Proof], Proof]] = {
    "another rule": lambda proof: last(proof, rule="clinic:senior"),
    "no such rule": lambda proof: last(proof, rule="clinic:none"),
    "as if asserted": lambda proof: Proof((Step(proof.conclusion),)),
    "premises exchanged": lambda proof: last(proof, premises=proof.steps[-1].premises[::-1]),
    "a premise less": lambda proof: last(proof, premises=proof.steps[-1].premises[:-1]),
    "another binding": lambda proof: last(proof, binding={**proof.steps[-1].binding, "X": e("tendrin")}),
    "another conclusion": lambda proof: last(proof, fact=Atom(proof.conclusion.predicate, (e("bob"), e("solvex")))),
    "a leaf that is not asserted": lambda proof: Proof(
        (Step(Atom(e("takes"), (e("anna"), e("marisol")))), *proof.steps[1:])
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_proof_that_was_spoiled_is_rejected(name: str, kb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(MUTATIONS[name], monkeypatch)
    (found,) = sibu.kb.why(kb, CONTRA)["facts"]
    assert found["verdict"] == "rejected"
    assert found["faults"]
    assert sibu.kb.why(kb, CONTRA)["notes"] == [
        "A proof was rejected. `sibu kb infer --force` derives all from the beginning."
    ]


def test_a_hypothesis_with_a_spoiled_proof_is_rejected(kb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(lambda proof: last(proof, binding={}) if proof.steps[-1].rule else proof, monkeypatch)
    assert shown_as_proved(kb, "askAbout(anna, D)") == []


def test_what_takes_the_checker_too_long_is_not_proved(kb: Path) -> None:
    (found,) = sibu.kb.why(kb, "manyDrugs(anna, N)", looks=1)["facts"]
    assert found["verdict"] == "rejected"
    assert "more than 1 looks" in found["faults"][0]


def test_a_fact_of_three_terms_is_known_to_why_alone(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", [fact("a", "to", "b"), fact("b", "to", "c")], "三(X, Y, Z) :- to(X, Y), to(Y, Z).")
    sibu.kb.infer(folder)
    (found,) = sibu.kb.why(folder, "三(a, Y, c)")["facts"]
    assert (found["said"], found["verdict"]) == ("三(a, b, c)", "accepted")
    assert sibu.kb.why(folder, "三(a, a, c)")["missing"][0]["conditions"][0]["holds"] is False
    assert NAMES.base
