"""Facts, conditions and proofs as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import sibu
from sibu.core.logic import Entity, Proof, Source, Step, Triple, Value
from sibu.core.names import RDFS
from sibu.curation.plan import plan_of
from sibu.curation.telling import DEEPEST, MOST_LINES, Telling
from sibu.graph import KnowledgeBase
from sibu.logic.text import parse, parse_atom
from tests.curation.clinic import NAMES, atom, e, fact, make


@pytest.fixture
def telling(inferred: Path) -> Iterator[Telling]:
    with KnowledgeBase.open(inferred) as kb:
        yield Telling(kb, plan_of(kb))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("takes(anna, X)", "takes(Anna Berg, X)"),
        ("takes(?谁, _)", "takes(?谁, _)"),
        ("Patient(anna)", "patient(Anna Berg)"),
        ("triple(anna, P, Y)", "triple(Anna Berg, P, Y)"),
        ("age(anna, 71)", "age(Anna Berg, 71)"),
        ("三(anna, bob, chen)", "三(Anna Berg, Bob Lind, Chen Wei)"),
        ("rdfs:subClassOf(Calmer_, X)", "rdfs:subClassOf(Calmer , X)"),
    ],
)
def test_atoms(telling: Telling, text: str, told: str) -> None:
    assert telling.atom(parse_atom(text.replace("Calmer_", "calmer_x"), NAMES)).replace("calmer x", "Calmer ") == told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("not takes(P, _)", "not takes(P, _)"),
        ("N = (A + 1) * 2", "N = (A + 1) * 2"),
        ("A != 3", "A != 3"),
        ("N = count { X, P : takes(P, X), X != lunarin }", "N = count { X, P : takes(P, X), X != Lunarin }"),
    ],
)
def test_conditions(telling: Telling, body: str, told: str) -> None:
    (rule,) = parse(f":- age(P, A), {body}.", NAMES).rules
    assert telling.condition(rule.body[1]) == told


def test_a_rule_that_is_not_there(telling: Telling) -> None:
    assert telling.by("none") == "by none"
    assert telling.by("clinic:side-effect").startswith("by clinic:side-effect (clinic.rules:22), confidence 0.6: ")
    assert telling.rules(["none", "clinic:many"])[0].id == "clinic:many"


def test_two_things_of_one_label(tmp_path: Path) -> None:
    label = Entity(RDFS + "label")
    folder = make(tmp_path / "kb", [Triple(e(name), label, Value("安娜", NAMES_LANG, "zh")) for name in ("a1", "a2")])
    with KnowledgeBase.open(folder) as kb:
        told = Telling(kb, plan_of(kb))
        assert told.atom(atom(fact("a1", "knows", "a2"))) == "knows(安娜, 安娜 (a2))"
        assert Telling(kb, plan_of(kb), names=True).atom(atom(fact("a1", "knows", "a2"))) == "knows(a1, a2)"


NAMES_LANG = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"


def test_who_states_it(tmp_path: Path) -> None:
    own = fact("anna", "takes", "ibuprofen")
    folder = make(tmp_path / "kb", [])
    with KnowledgeBase.open(folder, write=True) as kb:
        with kb.change("letter") as change:
            change.document("信.txt", "安娜服用布洛芬。")
            sources = (Source("信.txt", start=0, end=7, extractor="ner", confidence=0.9),
                       Source("b.xlsx", table="May", row=3), Source("c.txt", start=2, end=4))  # fmt: skip
            change.state((own, each) for each in sources)
        told = Telling(kb, plan_of(kb)).sources(Step(atom(own)))
        assert sorted(told) == [
            "b.xlsx, table May, row 3", "c.txt, characters 2 to 4", "信.txt, “安娜服用布洛芬”, by ner, confidence 0.9",
        ]  # fmt: skip


def test_a_step_that_is_used_twice_is_told_once(kb: Path) -> None:
    tree = sibu.kb.why(kb, "askAbout(anna, lunarin)")["facts"][0]["tree"]
    assert sum("takes(Anna Berg, Lunarin)" in line for line in tree) == 2
    assert any(line.endswith("(see [1])") for line in tree)


def test_a_long_proof_is_cut(telling: Telling) -> None:
    steps = [Step(atom(fact("x0", "to", "x0")))]
    steps += [Step(atom(fact("x0", "to", f"x{number}")), "none", {}, (number - 1,)) for number in range(1, 300)]
    tree = telling.tree(Proof(tuple(steps)))
    assert len(tree) == MOST_LINES + 1
    assert tree[-1].startswith("... and ")
    assert max(len(line) - len(line.lstrip()) for line in tree) <= 2 * DEEPEST


def test_an_aggregate_is_told_with_what_it_came_to(kb: Path) -> None:
    tree = sibu.kb.why(kb, "manyDrugs(anna, N)")["facts"][0]["tree"]
    assert "  N = count { D : takes(Anna Berg, D) }: N is 3" in tree
