"""OWL 2 RL: classes, properties, equality and restrictions, by the rules of the W3C's tables.

Sub-classes and sub-properties, domains and ranges, inverse, symmetric, transitive and functional properties, property
chains, keys, equivalence, `owl:sameAs`, restrictions and lists; what an ontology forbids (disjoint classes,
irreflexive properties, ...) is a constraint that `sibu kb check` looks at. What holds of everything (each thing is the
same as itself) is left out unless it is asked for. It concludes all that `rdfs` does, but for containers. Source: OWL
2 Web Ontology Language Profiles (Second Edition), W3C Recommendation, 2012, section 4.3.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Reasoner


class OwlSpec(Spec):
    """Options of `owl`."""

    name: Literal["owl"] = "owl"
    trivial: bool = False
    """Also conclude what holds of everything, such as that each class is below itself and below owl:Thing. It is
    several facts for each thing and says nothing new."""
    values: bool = False
    """Also conclude of which datatypes each value is, and that values that are written in two ways (the integer 1 and
    the decimal 1.0) are one (rules dt-type2 and dt-eq): for each value some facts, and each fact of a value for each
    way to write it."""


def build(spec: OwlSpec) -> Reasoner:
    """The reasoner."""
    from sibu.reasoners._packaged import Packaged, packaged

    own = packaged("owl", "rl.rules") + (packaged("owl", "trivial.rules") if spec.trivial else ())
    return Packaged(own, spec.values)


ENTRY = Entry(OwlSpec, build)
