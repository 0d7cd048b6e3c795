"""Names of things: IRIs, and the short forms in which people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from unicodedata import category

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
"""What may stand behind a prefix, or alone, in any script; a dot within, not at the end. What joins is put aside."""
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
        known = {**STANDARD, **self.prefixes}
        spaces = [("", self.base), *((f"{prefix}:", namespace) for prefix, namespace in known.items())]
        forms = [before + iri[len(namespace) :] for before, namespace in spaces
                 if iri.startswith(namespace) and _is_local(iri[len(namespace) :])]  # fmt: skip
        return min(forms, key=lambda form: (len(form), form), default=f"<{iri}>")


def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI."""
    scheme, colon, rest = text.partition(":")
    return (
        bool(colon and rest)
        and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.\-]*", scheme) is not None
        and not (_NOT_IN_IRI.search(text))
    )


@lru_cache(maxsize=4096)
def joins(sign: str) -> bool:
    """Whether a sign beyond letters and digits goes on a name: marks of a script, emoji and what joins them."""
    if sign < "\x80" or "\u2190" <= sign <= "\u21ff":  # arrows are no part of names
        return False
    return (
        category(sign) in {"Mn", "Mc", "Me", "So", "Sk"}
        or sign in "\u200c\u200d"
        or "\U000e0020" <= sign <= "\U000e007f"
    )


def _is_local(text: str) -> bool:
    if text.isascii():
        return _LOCAL.fullmatch(text) is not None
    if category(text[0]) == "So":  # an emoji opens a name, a mark does not
        text = f"_{text[1:]}"
    return not joins(text[0]) and _LOCAL.fullmatch("".join(sign for sign in text if not joins(sign))) is not None


def iri_of(base: str, label: str) -> str:
    """An IRI for a thing known by its label alone: words of any script stay with their marks, else there is a ``_``."""
    local = ""
    for sign in label.strip():
        mark = category(sign).startswith("M") or sign in "\u200c\u200d"  # goes on a word, and stands by itself nowhere
        stays = sign.isalnum() or sign in "_·" or (mark and local[-1:] not in ("", "_"))
        local += sign if stays else "" if local.endswith("_") else "_"
    local = local.strip("_")
    return base + (local or "_".join(f"u{ord(sign):x}" for sign in label) or "_")
