"""What a person asks about, as an atom."""

from __future__ import annotations

from pathlib import Path

import pytest

from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Atom, Entity, Triple, Value, Variable
from sibu.core.names import RDF, RDFS
from sibu.curation.asked import asked, names_of, nearest, relations_of
from sibu.curation.plan import plan_of
from sibu.graph import KnowledgeBase
from tests.curation.clinic import e, fact, make

LANGUAGE = RDF + "langString"
S, P, OBJECT, X = (Variable(name) for name in "SPOX")


@pytest.mark.parametrize(
    ("given", "atom"),
    [
        ("takes(anna, X)", Atom(e("takes"), (e("anna"), X))),
        ("服用(安娜, X)", Atom(e("takes"), (e("anna"), X))),
        ("patient(anna)", Atom(TYPE, (e("anna"), e("Patient")))),
        ('age(anna, "071"^^xsd:int)', Atom(e("age"), (e("anna"), Value.of(71)))),
        (["Anna Berg", "takes", "_"], Atom(e("takes"), (e("anna"), OBJECT))),
        (["_", "服用", "月宁"], Atom(e("takes"), (S, e("lunarin")))),
        (["陈伟", "_", "_"], Atom(P, (e("chen"), OBJECT))),
        (["anna", "a", "病人"], Atom(TYPE, (e("anna"), e("Patient")))),
        (["anna", "age", "71"], Atom(e("age"), (e("anna"), Value.of(71)))),
        (["anna", "age", "71.5"], Atom(e("age"), (e("anna"), Value.of(71.5)))),
        (["anna", "rdfs:label", '"安娜"@zh'], Atom(Entity(RDFS + "label"), (e("anna"), Value("安娜", LANGUAGE, "zh")))),
        (["X", "takes", "?药"], Atom(e("takes"), (S, OBJECT))),
        (["ANNA BERG", "takes", "lunarin"], Atom(e("takes"), (e("anna"), e("lunarin")))),
        (["anna", "nowhere", "lunarin"], Atom(e("nowhere"), (e("anna"), e("lunarin")))),
    ],
)
def test_what_is_given(inferred: Path, given: str | list[str], atom: Atom) -> None:
    with KnowledgeBase.open(inferred) as kb:
        assert asked(kb, given, plan_of(kb).rules) == atom


def test_a_label_of_several_things(tmp_path: Path) -> None:
    label = Entity(RDFS + "label")
    facts = [Triple(e(name), label, Value("Anna")) for name in ("a1", "a2")]
    folder = make(tmp_path / "kb", [*facts, fact("a1", "to", "x")])
    with KnowledgeBase.open(folder) as kb, pytest.raises(DataError, match="'Anna' names 2 things: a1, a2"):
        asked(kb, ["Anna", "to", "_"], ())


def test_names_of_rules(inferred: Path) -> None:
    with KnowledgeBase.open(inferred) as kb:
        rules = [rule for rule in plan_of(kb).rules if ":" in rule.id]
        assert {e("takes"), e("contraindicated"), e("Senior"), e("north"), e("服安神药")} <= names_of(rules)
        assert {e("contraindicated"), e("Senior"), e("优先查房")} <= relations_of(rules)
        assert e("takes") not in relations_of(rules)
        assert nearest(kb, e("contraindicatd"), rules, ()) == "Did you mean 'contraindicated'?"
        assert nearest(kb, e("zzz"), rules, ()) == ""
