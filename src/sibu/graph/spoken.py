"""Facts as people read them."""

from __future__ import annotations

import re
import unicodedata

from sibu.core.logic import Entity, Term, Triple
from sibu.core.names import XSD, Names

_BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"})
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)|true|false", re.ASCII)
_BARE = frozenset(XSD + name for name in ("integer", "decimal", "boolean"))


def one_line(text: str) -> str:
    """A text as part of a line: without what begins a line or steers a terminal, and so would pass for ours."""
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(sign) in _BREAKS else sign for sign in text).strip()


def said_term(term: Term, names: Names) -> str:
    """A term by its short name, or a value as rules have it: ``"text"@en``, ``70``, ``"2020-01-01"^^xsd:date``."""
    if isinstance(term, Entity):
        return names.short(term.iri)
    if term.datatype in _BARE and _NUMBER.fullmatch(term.text):
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
    return f'"{one_line(text)}"'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
