"""Answers as JSON: what was inferred, why, what is wrong; each with the lines that a person reads."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sibu.core.logic import Atom, Entity, Rule, Triple, Variable, term_json
from sibu.core.names import SHACL
from sibu.curation.check import Checked, IllTyped, Met
from sibu.curation.proving import Proved
from sibu.curation.telling import Telling
from sibu.curation.why import Lack, Reasons
from sibu.logic.missing import Told

if TYPE_CHECKING:
    from sibu.graph.reading import Reading
    from sibu.graph.records import Record
    from sibu.graph.shapes import Breach


def reasons(kb: Reading, found: Reasons, telling: Telling) -> dict[str, Any]:
    """Why facts hold, or do not."""
    return {
        "asked": telling.atom(found.asked),
        "version": kb.version.number,
        "facts": [proved(each, telling) for each in found.facts],
        "more": found.more,
        "unproved": [telling.atom(_atom(each)) for each in found.unproved],
        "missing": [_lack(each, telling) for each in found.lacks],
        "retracted": [_record(*each, telling) for each in found.retracted],
        "hypotheses": [_record(*each, telling) for each in found.supposed],
        "notes": found.notes,
    }


def proved(found: Proved, telling: Telling) -> dict[str, Any]:
    """A fact with its proof and the checker's verdict."""
    told: dict[str, Any] = {"said": telling.atom(found.fact), "status": found.status}
    told |= {"score": found.score} if found.status == "hypothesis" else {}
    told["verdict"] = "rejected" if found.faults else "accepted"
    told |= {"faults": list(found.faults)} if found.faults else {}
    used = dict.fromkeys(step.rule for step in found.proof if step.rule)
    told["rules"] = [rule_json(rule) for rule in telling.rules(used)]
    return told | {"proof": found.proof.to_json(), "tree": _tree(found, telling)}


def _tree(found: Proved, telling: Telling) -> list[str]:
    """The proof as a person reads it; of a rejected one the fact alone."""
    return [telling.atom(found.fact)] if found.faults else telling.tree(found.proof)


def rule_json(rule: Rule) -> dict[str, Any]:
    """What is told of a rule."""
    found: dict[str, Any] = {"id": rule.id, "where": rule.where}
    found |= {"about": rule.about} if rule.about else {}
    return found | ({"confidence": rule.confidence} if rule.confidence < 1 else {})


def _lack(lack: Lack, telling: Telling) -> dict[str, Any]:
    attempt = lack.attempt
    return {
        "rule": rule_json(attempt.rule),
        "conclusion": telling.atom(attempt.conclusion),
        "binding": {name: term_json(term) for name, term in attempt.binding.items()},
        "conditions": [_told(each, telling) for each in attempt.conditions],
        "ways": attempt.ways,
        "lines": telling.attempt(attempt),
        "below": [{"missing": telling.atom(atom), "rules": [_lack(each, telling) for each in lacks]}
                  for atom, lacks in lack.below],
    }  # fmt: skip


def _told(told: Told, telling: Telling) -> dict[str, Any]:
    found: dict[str, Any] = {"said": telling.condition(told.condition), "holds": told.holds}
    if told.facts:
        found["facts"] = [atom_json(fact) for fact in told.facts]
    if any(side is not None for side in told.sides):
        found["sides"] = [None if side is None else term_json(side) for side in told.sides]
    return found


def _record(triple: Triple, record: Record, telling: Telling) -> dict[str, Any]:
    return {"said": telling.atom(_atom(triple)), "source": record.to_json(), "line": telling.record(record)}


def _atom(triple: Triple) -> Atom:
    return Atom(triple.predicate, (triple.subject, triple.object))


def atom_json(atom: Atom) -> dict[str, Any]:
    """A fact as JSON, as the steps of a proof have it."""
    assert isinstance(atom.predicate, Entity)
    terms = [term_json(term) for term in atom.terms if not isinstance(term, Variable)]
    return {"predicate": atom.predicate.iri, "terms": terms}


# What is wrong.


def checked(kb: Reading, found: Checked, telling: Telling, language: str) -> dict[str, Any]:
    """What must not be."""
    return {
        "faulty": found.faulty,
        "version": kb.version.number,
        "looked_at": {"constraints": found.constraints, "shapes": list(found.shapes)},
        "constraints": [_met(each, telling) for each in found.met],
        "more": found.more,
        "values": [_ill_typed(each, telling) for each in found.ill_typed],
        "shapes": [_breach(kb, each, telling, language) for each in found.breaches],
        "notes": found.notes,
    }


def _met(met: Met, telling: Telling) -> dict[str, Any]:
    violation = met.violation
    told: dict[str, Any] = {"rule": rule_json(violation.rule), "said": telling.by(violation.rule.id)}
    told["binding"] = {name: term_json(term) for name, term in violation.binding.items()}
    told["premises"] = [telling.atom(fact) for fact in violation.premises]
    told["verdict"] = "rejected" if met.proved.faults else "accepted"
    told |= {"faults": list(met.proved.faults)} if met.proved.faults else {}
    return told | {"proof": met.proved.proof.to_json(), "tree": _tree(met.proved, telling)[1:]}


def _ill_typed(found: IllTyped, telling: Telling) -> dict[str, Any]:
    facts = [{"said": telling.atom(_atom(each)), "sources": telling.holding(each)} for each in found.facts]
    own = {"said": telling.term(found.value), "type": telling.term(Entity(found.value.datatype))}
    return {"value": term_json(found.value), **own, "facts": facts}


def _breach(kb: Reading, breach: Breach, telling: Telling, language: str) -> dict[str, Any]:
    message = breach.message
    wanted = [language, *kb.about.languages, "", "en"]
    text = next((message[each] for each in wanted if each in message), next(iter(message.values()), ""))
    return {
        "focus": term_json(breach.focus),
        "said": telling.term(breach.focus),
        "path": breach.path,
        "value": None if breach.value is None else term_json(breach.value),
        "value_said": None if breach.value is None else telling.term(breach.value),
        "severity": breach.severity.iri.removeprefix(SHACL),
        "message": text,
        "messages": dict(message),
        "constraint": breach.constraint.iri.removeprefix(SHACL),
        "shape": telling.term(breach.shape),
        "facts": [{"said": telling.atom(_atom(each)), "sources": telling.holding(each)} for each in breach.facts],
    }


# Files, and what was inferred.


def as_dict(found: Any) -> dict[str, Any]:
    """A small record as JSON."""
    return _plain(asdict(found))  # type: ignore[no-any-return]


def _plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _plain(each) for key, each in found.items()}
    return [_plain(each) for each in found] if isinstance(found, list | tuple) else found
