"""The clinic of the examples as a knowledge base, and small ones that tests make for themselves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import sibu
from sibu.core.logic import Atom, Entity, Source, Term, Triple, Value
from sibu.core.names import Names
from sibu.curation.closing import EXTRACTOR
from sibu.graph import KnowledgeBase

BASE = "https://example.org/clinic/"
NAMES = Names(BASE)
FILES = Path(__file__).parents[2] / "examples" / "clinic" / "knowledge"
NOTES = Source("notes.txt", row=1)


def e(name: str) -> Entity:
    """A thing of the clinic."""
    return Entity(BASE + name)


def fact(subject: str, predicate: str, what: str | int | Term) -> Triple:
    """A fact of the clinic."""
    thing = Value.of(what) if isinstance(what, int) else e(what) if isinstance(what, str) else what
    return Triple(e(subject), e(predicate), thing)


def atom(triple: Triple) -> Atom:
    """The same as an atom."""
    return Atom(triple.predicate, (triple.subject, triple.object))


def make_clinic(folder: Path) -> Path:
    """The clinic of the examples: all its facts, rules and shapes, nothing inferred."""
    sibu.kb.create(folder, base=BASE, languages=["en", "zh"])
    sibu.kb.add(folder, [FILES / "ontology.ttl", FILES / "drugs.ttl", FILES / "interactions.tsv"])
    sibu.kb.add(folder, FILES / "patients.csv", mapping=FILES / "patients.yaml")
    sibu.kb.rules(folder, sorted(FILES.glob("*.rules")))
    sibu.kb.shapes(folder, FILES / "shapes.ttl")
    return folder


def make(folder: Path, facts: Iterable[Triple], rules: str = "", name: str = "own") -> Path:
    """A knowledge base of some facts, and one rule file."""
    with KnowledgeBase.create(folder, base=BASE) as kb:
        kb.add((each, NOTES) for each in facts)
    put_rules(folder, rules, name)
    return folder


def put_rules(folder: Path, rules: str, name: str = "own") -> None:
    """Take up a rule file."""
    if rules:
        file = folder.parent / f"{name}.rules"
        file.write_text(rules, encoding="utf-8")
        sibu.kb.rules(folder, file)


def derived(folder: Path) -> set[Atom]:
    """The facts that inference wrote."""
    with KnowledgeBase.open(folder) as kb:
        return {atom(each) for each in kb.triples(status="derived")}


def hypotheses(folder: Path) -> dict[Atom, float]:
    """The hypotheses that inference wrote, with their scores."""
    with KnowledgeBase.open(folder) as kb:
        found = {}
        for each in kb.triples(status="hypothesis"):
            for source in kb.sources(each, "hypothesis"):
                if source.extractor == EXTRACTOR:
                    assert atom(each) not in found, "once"
                    found[atom(each)] = source.confidence
        return found
