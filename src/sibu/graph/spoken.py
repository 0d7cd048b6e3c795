"""Facts as people read them."""

from __future__ import annotations

from sibu.core.logic import Entity, Term, Triple
from sibu.core.names import XSD, Names

_BARE = frozenset(XSD + name for name in ("integer", "decimal", "boolean"))


def said_term(term: Term, names: Names) -> str:
    """A term by its short name, or a value as rules have it: ``"text"@en``, ``70``, ``"2020-01-01"^^xsd:date``."""
    if isinstance(term, Entity):
        return names.short(term.iri)
    if term.datatype in _BARE and term.text:
        return term.text
    quoted = _quoted(term.text)
    if term.language:
        return f"{quoted}@{term.language}"
    return quoted if term.datatype == XSD + "string" else f"{quoted}^^{names.short(term.datatype)}"


def said_triple(triple: Triple, names: Names, most: int = 200) -> str:
    """A fact as rules have it: ``takes(anna, ibuprofen)``."""
    said = f"{said_term(triple.predicate, names)}({_cut(said_term(triple.subject, names), most)}, "
    return f"{said}{_cut(said_term(triple.object, names), most)})"


def _quoted(text: str) -> str:
    for sign, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(sign, written)
    return f'"{text}"'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
