"""The standard vocabularies are known by their terms."""

import pytest

from sibu.core.names import OWL, PROV, RDF, RDFS, SKOS
from sibu.logic.standard import is_standard


@pytest.mark.parametrize(
    "iri",
    [
        RDF + "type", RDF + "_1", RDFS + "subClassOf", RDFS + "label", OWL + "sameAs", OWL + "TransitiveProperty",
        OWL + "propertyChainAxiom", SKOS + "broader", SKOS + "prefLabel", PROV + "wasDerivedFrom",
    ],
)  # fmt: skip
def test_a_term(iri):
    assert is_standard(iri)


@pytest.mark.parametrize("iri", [RDF + "Type", RDF + "_0", RDFS + "subclassOf", OWL + "same", SKOS, "urn:x"])
def test_no_term(iri):
    assert not is_standard(iri)
