"""What follows is written, stays up to date, and is what a naive evaluator says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sibu
from sibu.core.errors import DataError, RecipeError, RuleError
from sibu.core.logic import TYPE, Atom, Entity, Rule, Source, Triple
from sibu.core.names import OWL
from sibu.curation.closing import EXTRACTOR
from sibu.graph import KnowledgeBase
from sibu.logic.closure import OutOfTime
from sibu.logic.text import parse
from tests.curation.clinic import NAMES, NOTES, atom, derived, e, fact, hypotheses, make, put_rules
from tests.logic.naive import evaluate

RULES = """
link(X, Y) :- to(X, Y).
link(X, Z) :- link(X, Y), to(Y, Z).
end(X) :- to(_, X), not onward(X).
onward(X) :- to(X, _).
degree(X, N) :- onward(X), N = count { Y : to(X, Y) }.
hub(X) :- degree(X, N), N >= 2.
@confidence 0.5
near(X, Y) :- to(Y, X).
@confidence 0.8
near(X, Y) :- near(Y, X), hub(X).
meets(X, Y) :- near(X, Y), near(Y, X).
alone(X) :- end(X), not meets(X, X).
三(X, Y, Z) :- to(X, Y), to(Y, Z).
"""


def program() -> tuple[Rule, ...]:
    return parse(RULES, NAMES).rules


def wanted(asserted: set[Triple]) -> tuple[set[Atom], set[Atom]]:
    """What follows for certain, and what is supposed, by the naive evaluator; of two terms."""
    facts = {atom(each) for each in asserted}
    certain = evaluate([rule for rule in program() if rule.confidence >= 1], facts).facts
    supposed = evaluate(program(), certain).facts - certain
    return {each for each in certain - facts if len(each.terms) == 2}, supposed


POOL = [fact(f"x{one}", "to", f"x{two}") for one in range(5) for two in range(5)]
steps = st.lists(
    st.tuples(st.sampled_from(["add", "retract", "rollback", "infer", "rules"]), st.integers(0, 2**16)),
    min_size=2,
    max_size=7,
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("empty") / "kb", POOL[:2], RULES)


@given(steps=steps)
@settings(max_examples=8)
def test_whatever_came_and_went_it_is_as_if_derived_afresh(steps: list[tuple[str, int]], empty: Path) -> None:
    with TemporaryDirectory() as place:
        folder = shutil.copytree(empty, Path(place) / "kb")
        sibu.kb.infer(folder)
        for what, seed in steps:
            change(folder, what, Random(seed))
        found = sibu.kb.infer(folder)
        with KnowledgeBase.open(folder) as kb:
            asserted = set(kb.triples(status="asserted"))
            holding = {atom(each) for each in kb.triples()}
        certain, supposed = wanted(asserted)
        assert derived(folder) == certain
        assert holding == certain | {atom(each) for each in asserted}
        scores = hypotheses(folder)
        assert set(scores) == supposed
        assert found["derived"] == len(certain)
        assert found["hypotheses"] == len(supposed)
        assert not found["anew"]
        assert not sibu.kb.infer(folder)["new"]
        again = sibu.kb.infer(folder, force=True)
        assert derived(folder) == certain
        assert again["anew"]
        assert set(hypotheses(folder)) == supposed


def change(folder: Path, what: str, draw: Random) -> None:
    if what == "infer":
        sibu.kb.infer(folder)
        return
    if what == "rollback":
        sibu.kb.rollback(folder, draw.randint(1, len(sibu.kb.versions(folder)) - 1))
        return
    if what == "rules":  # another file that says nothing about these relations; or none
        put_rules(folder, f"far(X) :- far{draw.randint(1, 2)}(X).", "other")
        return
    with KnowledgeBase.open(folder, write=True) as kb:
        if what == "add":
            source = Source(draw.choice(["a.txt", "b.txt"]), status=draw.choice(["asserted", "asserted", "hypothesis"]))
            kb.add([(each, source) for each in draw.sample(POOL, draw.randint(1, 6))])
        else:
            stated = sorted(kb.triples(predicate=e("to"), status="asserted"))
            if stated:
                kb.retract(draw.sample(stated, draw.randint(1, min(3, len(stated)))), "wrong")


def test_the_clinic(kb: Path) -> None:
    found = {(each.predicate, each.terms) for each in derived(kb)}
    assert (e("contraindicated"), (e("anna"), e("solvex"))) in found
    assert (e("contraindicated"), (e("chen"), e("lunarin"))) not in found, "a doctor cleared it"
    assert (TYPE, (e("anna"), e("Review"))) in found
    assert (e("优先查房"), (e("chen"), e("north"))) in found
    assert (TYPE, (e("lunarin"), e("Drug"))) in found, "by the ontology"
    scores = hypotheses(kb)
    assert scores[Atom(e("askAbout"), (e("anna"), e("lunarin")))] == 0.6
    assert sibu.kb.query(kb, "ASK { :anna :askAbout ?x }") == {"answer": False}
    assert sibu.kb.query(kb, "ASK { :anna a :Review }") == {"answer": True}


def test_what_is_written_says_by_what(kb: Path) -> None:
    with KnowledgeBase.open(kb) as opened:
        (source,) = opened.sources(fact("anna", "contraindicated", "solvex"))
    assert (source.extractor, source.status, len(source.version)) == (EXTRACTOR, "derived", 16)


def test_again_nothing_is_new(kb: Path) -> None:
    before = len(sibu.kb.versions(kb))
    found = sibu.kb.infer(kb)
    assert (found["new"], found["came"], found["went"], found["anew"]) == (False, 0, 0, "")
    assert found["reasoners"] == ["rules", "owl"], "those it was told last"
    assert len(sibu.kb.versions(kb)) == before


def test_a_retracted_fact_takes_what_rested_on_it_alone(kb: Path) -> None:
    sibu.kb.retract(kb, "anna", "takes", "velorin", why="stopped")
    found = sibu.kb.infer(kb)
    assert found["went"] == 3, "not with Marisol, three drugs, and to be looked at again"
    assert atom(fact("anna", "contraindicated", "marisol")) not in derived(kb)
    assert atom(fact("anna", "contraindicated", "solvex")) in derived(kb)


def test_a_derived_fact_that_is_asserted_is_asserted(kb: Path) -> None:
    own = fact("anna", "contraindicated", "solvex")
    with KnowledgeBase.open(kb, write=True) as opened:
        opened.add([(own, NOTES)])
    sibu.kb.infer(kb)
    with KnowledgeBase.open(kb, write=True) as opened:
        assert [each.status for each in opened.sources(own)] == ["asserted"]
        opened.retract([own], "only derived")
    assert sibu.kb.infer(kb)["came"] == 1
    assert atom(own) in derived(kb)


def test_other_rules_take_the_place_of_those_before(kb: Path) -> None:
    before = derived(kb)
    put_rules(kb, '@id "senior"\nSenior(P) :- Patient(P), age(P, A), A >= 75.\n', "clinic")
    found = sibu.kb.infer(kb)
    after = derived(kb)
    assert found["went"] == len(before - after) > 0
    assert Atom(TYPE, (e("anna"), e("Senior"))) not in after
    assert Atom(TYPE, (e("dora"), e("Senior"))) in after
    assert not hypotheses(kb)
    with KnowledgeBase.open(kb) as opened:
        versions = {source.version for each in opened.triples(status="derived") for source in opened.sources(each)
                    if source.status == "derived"}  # fmt: skip
    assert len(versions) == 1, "all are by the new rules"


def test_what_is_told_of_a_rule_does_not_count(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", POOL[:3], "link(X, Y) :- to(X, Y).")
    sibu.kb.infer(folder)
    put_rules(folder, '# moved down\n@about "By one step."\n@id "r1"\nlink(X, Y) :- to(X, Y).')
    assert not sibu.kb.infer(folder)["new"]


def test_without_rules_what_was_derived_goes(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", POOL[:3], "link(X, Y) :- to(X, Y).")
    sibu.kb.infer(folder)
    sibu.kb.rules(folder, remove=["own"])
    assert sibu.kb.infer(folder)["went"] == 3
    assert not derived(folder)


def test_facts_of_a_rule_file_are_derived(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", POOL[:1], "to(a, b). age(a, 70). 重(X) :- age(X, 70).")
    sibu.kb.infer(folder)
    assert derived(folder) == {atom(fact("a", "to", "b")), atom(fact("a", "age", 70)), Atom(TYPE, (e("a"), e("重")))}


def test_what_others_derived_is_left_alone_and_not_built_on(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", POOL[:1], "link(X, Y) :- to(X, Y).")
    other = fact("a", "to", "b")
    with KnowledgeBase.open(folder, write=True) as kb:
        kb.add([(other, Source("elsewhere", extractor="another", status="derived"))])
        kb.add([(fact("x0", "link", "x0"), Source("elsewhere", extractor="another", status="derived"))])
    sibu.kb.infer(folder)
    with KnowledgeBase.open(folder) as kb:
        assert kb.holds(other)
        assert not kb.holds(fact("a", "link", "b"))
        assert {each.extractor for each in kb.sources(fact("x0", "link", "x0"))} == {"another", EXTRACTOR}
    facts = sibu.kb.versions(folder)[-1]["facts"]
    assert facts == 3, "one asserted, two by another, of which one is derived too"


def test_a_long_history_is_read_from_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sibu.graph.reading import Reading

    folder = make(tmp_path / "kb", POOL[:6], RULES)
    sibu.kb.infer(folder)
    sibu.kb.retract(folder, "x0", "to", "x1", why="wrong")
    monkeypatch.setattr(Reading, "_is_long", lambda self: True)
    assert sibu.kb.infer(folder, force=True)["anew"]
    with KnowledgeBase.open(folder) as kb:
        certain, supposed = wanted(set(kb.triples(status="asserted")))
    assert derived(folder) == certain
    assert set(hypotheses(folder)) == supposed


# What goes wrong.


def test_nothing_to_infer_with(tmp_path: Path) -> None:
    folder = make(tmp_path / "kb", POOL[:2])
    with pytest.raises(DataError, match=r"nothing to infer with: .* has no rules\. Add rules by `sibu kb rules`"):
        sibu.kb.infer(folder)


def test_reasoners_that_there_are_not(kb: Path) -> None:
    with pytest.raises(RecipeError, match=r"No reasoner is named 'owll'\. Did you mean 'owl'\?"):
        sibu.kb.infer(kb, ["owll"])
    with pytest.raises(RecipeError, match=r"'owl': triviall: Extra inputs are not permitted"):
        sibu.kb.infer(kb, [{"name": "owl", "triviall": True}])
    with pytest.raises(RecipeError, match="'owl' is named twice"):
        sibu.kb.infer(kb, ["owl", "owl"])
    with pytest.raises(DataError, match=r"no rules named 'clinik'\. Did you mean 'clinic'\?"):
        sibu.kb.infer(kb, [{"name": "rules", "files": ["clinik"]}])
    assert json.loads((kb / "reasoning.json").read_text())["reasoners"][1]["name"] == "owl", "as before"


def test_a_file_that_was_spoiled_by_hand_is_refused(kb: Path) -> None:
    (kb / "rules" / "clinic.rules").write_text("a(X) :- b(Y).\nc(X :- d(X).\n")
    before = derived(kb)
    with pytest.raises(RuleError, match=r"clinic.rules:2:"):
        sibu.kb.infer(kb)
    (kb / "rules" / "clinic.rules").write_text("a(X) :- b(Y).\n")
    with pytest.raises(RuleError, match=r"clinic.rules:1:1: Nothing binds `X`"):
        sibu.kb.infer(kb)
    assert derived(kb) == before


def test_a_limit_of_time_leaves_all_as_it_was(tmp_path: Path) -> None:
    chain = [fact(f"n{number}", "to", f"n{number + 1}") for number in range(900)]
    folder = make(tmp_path / "kb", chain, "link(X, Y) :- to(X, Y). link(X, Z) :- link(X, Y), link(Y, Z).")
    with pytest.raises(OutOfTime, match="After 0"):
        sibu.kb.infer(folder, seconds=0.05)
    assert not derived(folder)
    assert not (folder / "closure").exists()
    assert len(sibu.kb.versions(folder)) == 2
    with pytest.raises(DataError, match="more than 0 seconds"):
        sibu.kb.infer(folder, seconds=0)


def test_an_ontology_that_contradicts_itself_is_no_end(tmp_path: Path) -> None:
    facts = [Triple(e("Drug"), Entity(OWL + "disjointWith"), e("Patient")), fact("anna", "takes", "x")]
    facts += [Triple(e("anna"), TYPE, e("Drug")), Triple(e("anna"), TYPE, e("Patient"))]
    folder = make(tmp_path / "kb", facts, "drug(X) :- takes(_, X).")
    assert sibu.kb.infer(folder, ["owl", "rules"])["came"] == 1, "of what contradicts itself does not follow everything"
    (met,) = sibu.kb.check(folder)["constraints"]
    assert met["rule"]["id"] == "cax-dw"


KILLS = {
    "before the version": ("sibu.graph.opening.Opened._commit", "before"),
    "after the version": ("sibu.graph.opening.Opened._commit", "after"),
    "while the closure is kept": ("sibu.curation.saved.hash_file", "before"),
    "when the closure is kept": ("sibu.curation.infer.tell", "before"),
}
KILLED = """
import importlib, os, signal, sys
import sibu
name, when, folder = sys.argv[1:]
parts = name.split(".")
for length in range(len(parts) - 1, 0, -1):
    try:
        owner = importlib.import_module(".".join(parts[:length]))
        break
    except ImportError:
        pass
for part in parts[length:-1]:
    owner = getattr(owner, part)
former = getattr(owner, parts[-1])
def killed(*args, **named):
    found = former(*args, **named) if when == "after" else None
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, parts[-1], killed)
sibu.kb.infer(folder)
"""


@pytest.mark.parametrize("at", KILLS)
def test_killed_in_the_middle(at: str, empty: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(empty, tmp_path / "kb")
    sibu.kb.infer(folder)
    with KnowledgeBase.open(folder, write=True) as kb:
        kb.add((each, NOTES) for each in POOL[5:12])
    name, when = KILLS[at]
    source = str(Path(sibu.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, name, when, str(folder)], env={**os.environ, "PYTHONPATH": source}
    )
    assert done.returncode == -signal.SIGKILL
    sibu.kb.infer(folder)
    with KnowledgeBase.open(folder) as kb:
        certain, supposed = wanted(set(kb.triples(status="asserted")))
    assert derived(folder) == certain
    assert set(hypotheses(folder)) == supposed
    assert not [each.name for each in folder.iterdir() if each.name.startswith(".")], "nothing is left over"
    assert not sibu.kb.infer(folder)["new"]


def test_the_parts_that_take_time_are_told(kb: Path) -> None:
    assert sibu.kb.infer(kb, force=True)["seconds"].keys() >= {"read", "close", "suppose", "write", "save"}
