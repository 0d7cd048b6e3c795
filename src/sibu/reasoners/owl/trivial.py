"""Which facts say nothing: what ``trivial.rules`` and ``axioms.rules`` conclude of everything."""

from __future__ import annotations

from sibu.core.logic import SAME, TYPE, Atom, Entity
from sibu.core.names import OWL, RDF, RDFS, XSD

THING, NOTHING = Entity(OWL + "Thing"), Entity(OWL + "Nothing")
REFLEXIVE = frozenset(
    {SAME.iri, RDFS + "subClassOf", RDFS + "subPropertyOf", OWL + "equivalentClass", OWL + "equivalentProperty"}
)
WORDS = (OWL, RDF, RDFS, XSD)
"""Namespaces whose own words are axioms."""


def is_trivial(fact: Atom) -> bool:
    """Whether a fact holds whatever else does, in OWL 2 RL.

    That is: a thing is itself, a class or property is below itself and equivalent to itself, a class is below owl:Thing
    or above owl:Nothing, something is of owl:Thing, or a property's domain or range is owl:Thing; and what the words of
    OWL, RDF and XML Schema are (a class, a datatype, an annotation property).
    """
    if len(fact.terms) != 2 or not isinstance(fact.predicate, Entity):
        return False
    subject, thing = fact.terms
    name = fact.predicate.iri
    if name in REFLEXIVE and subject == thing:
        return True
    if name == RDFS + "subClassOf" and (thing == THING or subject == NOTHING):
        return True
    if name in (RDFS + "domain", RDFS + "range") and thing == THING:
        return True
    if fact.predicate != TYPE:
        return False
    return thing == THING or (isinstance(subject, Entity) and subject.iri.startswith(WORDS) and _says_kind(thing))


def _says_kind(thing: object) -> bool:
    kinds = (OWL + "Class", RDFS + "Datatype", OWL + "AnnotationProperty")
    return isinstance(thing, Entity) and thing.iri in kinds
