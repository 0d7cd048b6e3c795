"""Names of things: IRIs, and the short forms in which people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SHACL = "http://www.w3.org/ns/shacl#"
PROV = "http://www.w3.org/ns/prov#"
SIBU = "urn:sibu:"
"""What a knowledge base says of itself: its records of sources, not its facts."""
STANDARD: Mapping[str, str] = {
    "rdf": RDF, "rdfs": RDFS, "owl": OWL, "xsd": XSD, "skos": SKOS, "sh": SHACL, "prov": PROV, "sibu": SIBU,
}  # fmt: skip
"""Prefixes that are always known."""

_LOCAL = re.compile(r"[\w·]([\w\-·]|\.(?=[\w\-·]))*")
"""What may stand behind a prefix, or alone, in any script; a dot within, not at the end."""
_NOT_IN_IRI = re.compile(r"[\x00-\x20<>\"{}|^`\\]")


@dataclass(frozen=True, slots=True)
class Names:
    """A namespace for names without a prefix, and prefixes for others."""

    base: str
    """What stands before a bare name."""
    prefixes: Mapping[str, str] = field(default_factory=dict)
    """Namespace by prefix, beside the standard ones."""

    def __post_init__(self) -> None:
        for what in (self.base, *self.prefixes.values()):
            if not is_iri(what):
                raise ValueError(f"{what!r} is no namespace: give an absolute IRI such as https://example.org/clinic/")

    def long(self, name: str) -> str:
        """The IRI of ``name``, ``prefix:name`` or ``<iri>``.

        Raises:
            KeyError: When the prefix is not known; its text is the prefix.
        """
        if name.startswith("<") and name.endswith(">"):
            return name[1:-1]
        prefix, colon, local = name.partition(":")
        if not colon:
            return self.base + name
        if prefix == "_":
            return name
        known = {**STANDARD, **self.prefixes}
        return known[prefix] + local

    def short(self, iri: str) -> str:
        """The shortest form of an IRI that ``long`` reads again."""
        if iri.startswith("_:"):
            return iri
        found = []
        for prefix, namespace in (("", self.base), *{**STANDARD, **self.prefixes}.items()):
            if iri.startswith(namespace) and _LOCAL.fullmatch(iri[len(namespace) :]):
                found.append(f"{prefix}:{iri[len(namespace) :]}" if prefix else iri[len(namespace) :])
        return min(found, key=lambda form: (len(form), form), default=f"<{iri}>")


def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI."""
    scheme, colon, rest = text.partition(":")
    return (
        bool(colon and rest)
        and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.\-]*", scheme) is not None
        and not (_NOT_IN_IRI.search(text))
    )


def iri_of(base: str, label: str) -> str:
    """An IRI for a thing known by its label alone: letters and digits of any script stay, all else becomes ``_``."""
    local = re.sub(r"[^\w·]+", "_", label.strip()).strip("_")
    return base + (local or "_".join(f"u{ord(sign):x}" for sign in label) or "_")
