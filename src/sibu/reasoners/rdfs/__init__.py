"""RDF Schema: sub-classes, sub-properties, domains and ranges, where no more of an ontology is needed.

Eight rules, so that it is quicker than `owl`, and says less: nothing of inverse or transitive properties, of equality
and of what is forbidden. Source: RDF 1.1 Semantics, W3C Recommendation, 2014, sections 8 and 9.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Reasoner


class RdfsSpec(Spec):
    """Options of `rdfs`."""

    name: Literal["rdfs"] = "rdfs"
    axioms: bool = False
    """Also conclude what holds of everything, such as that everything is a resource and each class is below itself,
    and what the standard says of its own words."""
    values: bool = False
    """Also conclude of which datatypes each value is, and that values that are written in two ways (the integer 1 and
    the decimal 1.0) are one."""


def build(spec: RdfsSpec) -> Reasoner:
    """The reasoner."""
    from sibu.reasoners._packaged import Packaged, packaged

    own = packaged("rdfs", "rdfs.rules") + (packaged("rdfs", "axioms.rules") if spec.axioms else ())
    return Packaged(own, spec.values)


ENTRY = Entry(RdfsSpec, build)
