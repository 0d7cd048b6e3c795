"""What a person asks about, as an atom: in the language of rules, or by subject, property and object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sibu.core.errors import DataError, near_miss
from sibu.core.logic import TYPE, Aggregate, Atom, Comparison, Entity, Not, Rule, Term, Value, Variable
from sibu.graph.terms import kept
from sibu.logic.standard import is_standard
from sibu.logic.strata import key_of
from sibu.logic.text import parse_atom

if TYPE_CHECKING:
    from sibu.graph.reading import Reading

ANY = "_"
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_CLASS = frozenset({"a", "type", "rdf:type"})


def asked(kb: Reading, given: str | Sequence[str], rules: Sequence[Rule]) -> Atom:
    """The atom that is asked about.

    A name that is none here may be a label. A relation that neither facts nor rules have stays as it is.

    Args:
        kb: The knowledge base.
        given: ``takes(anna, X)``; or subject, property and object, each a name, an IRI or a label, ``_`` for anything.
        rules: Its rules, whose names are known too.

    Raises:
        RuleError: When it is no atom; says line and column.
        DataError: When a thing is not known, or a label names several.
    """
    known = names_of(rules)
    if isinstance(given, str):
        atom = parse_atom(given, kb.names)
    else:
        if len(given) != 3:
            raise DataError(f"Give one fact such as 'takes(anna, X)', or three terms; given: {len(given)}.")
        atom = _of_three(kb, given, known)
    predicate = atom.predicate if isinstance(atom.predicate, Variable) else _relation(kb, atom.predicate, known)
    terms = list(map(kept_or_open, atom.terms))
    if atom.predicate == TYPE and len(terms) == 2 and isinstance(terms[1], Entity):
        terms[1] = _relation(kb, terms[1], known)
    return Atom(predicate, tuple(_thing(kb, each, known) if isinstance(each, Entity) else each for each in terms))


def kept_or_open(term: Term | Variable) -> Term | Variable:
    """A value as the store writes it; a name and what is open as it is."""
    return kept(term) if isinstance(term, Value) else term


def names_of(rules: Iterable[Rule]) -> frozenset[Entity]:
    """Every name that rules have."""
    found: set[Entity] = set()
    for rule in rules:
        for atom in atoms_of(rule):
            found.update(part for part in (atom.predicate, *atom.terms) if isinstance(part, Entity))
        for each in rule.body:
            for part in each.body if isinstance(each, Aggregate) else (each,):
                sides = (part.left, part.right) if isinstance(part, Comparison) else ()
                found.update(side for side in sides if isinstance(side, Entity))
    return frozenset(found)


def atoms_of(rule: Rule) -> Iterable[Atom]:
    """The atoms of a rule, those that it denies or counts among them."""
    if rule.head is not None:
        yield rule.head
    for each in rule.body:
        for part in each.body if isinstance(each, Aggregate) else (each,):
            if isinstance(part, Atom | Not):
                yield part if isinstance(part, Atom) else part.atom


def relations_of(rules: Iterable[Rule]) -> frozenset[Entity]:
    """The properties and classes that rules conclude, of more terms than two among them."""
    keys = {key_of(rule.head) for rule in rules if rule.head is not None}
    named = {key[1] if isinstance(key, tuple) else key for key in keys}
    return frozenset(each for each in named if isinstance(each, Entity))


def _of_three(kb: Reading, given: Sequence[str], known: frozenset[Entity]) -> Atom:
    subject, relation, thing = given
    head = Variable("S") if _is_open(kb, subject) else _entity(kb, subject, known)
    if relation in _CLASS:
        return Atom(TYPE, (head, Variable("O") if _is_open(kb, thing) else _entity(kb, thing, known)))
    predicate = Variable("P") if _is_open(kb, relation) else _entity(kb, relation, known)
    return Atom(predicate, (head, Variable("O") if _is_open(kb, thing) else _term(kb, thing, known)))


def _is_open(kb: Reading, given: str) -> bool:
    """Whether it stands for anything: `_`, `?what`, or a capital letter that names nothing."""
    if given == ANY or (given.startswith("?") and given[1:].isidentifier()):
        return True
    single = re.fullmatch("[A-Z][0-9]?", given) is not None
    return single and not kb.find(given) and not kb.labelled.knows(Entity(kb.names.base + given))


def _term(kb: Reading, given: str, known: frozenset[Entity]) -> Term:
    """A value as rules and N-Triples write it, a number, or else a thing."""
    from sibu.graph.cells import value_of

    value = value_of(given, kb.names)
    if value is None and _NUMBER.fullmatch(given):
        number = float(given) if set(given) & set(".eE") else int(given)
        value = Value.of(number)
    return _entity(kb, given, known) if value is None else value


def _entity(kb: Reading, given: str, known: frozenset[Entity]) -> Entity:
    from sibu.graph.cells import entity_of

    try:
        entity = entity_of(given, kb.names)[0]
    except DataError:
        return kb.resolve(given)  # says what is wrong with it
    return entity if entity in known or is_standard(entity.iri) else _labelled(kb, given, entity)


def _labelled(kb: Reading, given: str, entity: Entity) -> Entity:
    """A thing that is known, or the one with this label; where there is neither, what was given stays."""
    if kb.labelled.knows(entity):
        return entity
    found = kb.find(given) or kb.find(given.replace("_", " "))
    if len(found) > 1:
        return kb.resolve(given)  # says which there are
    return found[0] if found else entity


def _relation(kb: Reading, entity: Entity, known: frozenset[Entity]) -> Entity:
    if entity in known or is_standard(entity.iri):
        return entity
    return _labelled(kb, _local(kb, entity), entity)


def _thing(kb: Reading, entity: Entity, known: frozenset[Entity]) -> Entity:
    """A thing that is known by name or label.

    Raises:
        DataError: When it is not.
    """
    if entity in known or is_standard(entity.iri):
        return entity
    found = _labelled(kb, _local(kb, entity), entity)
    return found if found != entity or kb.labelled.knows(entity) else kb.resolve(_local(kb, entity))


def _local(kb: Reading, entity: Entity) -> str:
    """What a user wrote for a name in the base namespace; else the whole IRI."""
    own = entity.iri.startswith(kb.names.base) and len(entity.iri) > len(kb.names.base)
    return entity.iri[len(kb.names.base) :] if own else entity.iri


def nearest(kb: Reading, relation: Entity, rules: Iterable[Rule], used: Iterable[Entity]) -> str:
    """The relation that may be meant, as ``Did you mean ...?``; empty where none is near."""
    short = kb.names.short
    names = {short(each.iri) for each in (*relations_of(rules), *used)}
    return near_miss(short(relation.iri), sorted(names)).strip()
