"""The terms of the standard vocabularies, so that a slip in one of them is seen.

Sources: RDF 1.1 Schema, OWL 2 (Mapping to RDF Graphs), SKOS Reference; all of the W3C.
"""

from __future__ import annotations

import re
from typing import Final

from sibu.core.names import OWL, PROV, RDF, RDFS, SHACL, SIBU, SKOS

_RDF = """
Alt Bag CompoundLiteral HTML JSON List PlainLiteral Property Seq Statement XMLLiteral direction first langString
language nil object predicate rest subject type value
"""
_RDFS = """
Class Container ContainerMembershipProperty Datatype Literal Resource comment domain isDefinedBy label member range
seeAlso subClassOf subPropertyOf
"""
_OWL = """
AllDifferent AllDisjointClasses AllDisjointProperties Annotation AnnotationProperty AsymmetricProperty Axiom Class
DataRange DatatypeProperty DeprecatedClass DeprecatedProperty FunctionalProperty InverseFunctionalProperty
IrreflexiveProperty NamedIndividual NegativePropertyAssertion Nothing ObjectProperty Ontology OntologyProperty
ReflexiveProperty Restriction SymmetricProperty Thing TransitiveProperty allValuesFrom annotatedProperty
annotatedSource annotatedTarget assertionProperty backwardCompatibleWith bottomDataProperty bottomObjectProperty
cardinality complementOf datatypeComplementOf deprecated differentFrom disjointUnionOf disjointWith distinctMembers
equivalentClass equivalentProperty hasKey hasSelf hasValue imports incompatibleWith intersectionOf inverseOf
maxCardinality maxQualifiedCardinality members minCardinality minQualifiedCardinality onClass onDataRange onDatatype
onProperties onProperty oneOf priorVersion propertyChainAxiom propertyDisjointWith qualifiedCardinality rational real
sameAs someValuesFrom sourceIndividual targetIndividual targetValue topDataProperty topObjectProperty unionOf
versionIRI versionInfo withRestrictions
"""
_SKOS = """
Collection Concept ConceptScheme OrderedCollection altLabel broadMatch broader broaderTransitive changeNote closeMatch
definition editorialNote exactMatch example hasTopConcept hiddenLabel historyNote inScheme mappingRelation member
memberList narrowMatch narrower narrowerTransitive notation note prefLabel related relatedMatch scopeNote
semanticRelation topConceptOf
"""
TERMS: Final = frozenset(
    namespace + term
    for namespace, terms in ((RDF, _RDF), (RDFS, _RDFS), (OWL, _OWL), (SKOS, _SKOS))
    for term in terms.split()
)
"""IRIs of all properties and classes of RDF, RDFS, OWL 2 and SKOS."""
_UNLISTED = (SHACL, PROV, SIBU)
_MEMBER = re.compile(re.escape(RDF) + "_[1-9][0-9]*")


def is_standard(iri: str) -> bool:
    """Whether a property or a class is one of the standard vocabularies; SHACL's and PROV's are taken as they come."""
    return iri in TERMS or iri.startswith(_UNLISTED) or _MEMBER.fullmatch(iri) is not None
