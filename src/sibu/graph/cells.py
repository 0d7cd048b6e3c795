"""What people write in a cell, or on a command line, as a term: a name, a short name, an IRI, a text."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Term, Value
from sibu.core.names import RDF, STANDARD, XSD, Names, is_iri, joins
from sibu.graph._rdf import kept, to_rdf

_FULL = re.compile(r"(https?://|urn:|mailto:|tag:)", re.I)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?:@([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)|\^\^(\S+))?', re.S)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.S)
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_KEPT = "-._~/+=@:!$&'()*,;·"
_SAFE = re.compile(rf"[\w{re.escape(_KEPT)}]*")
"""A name of which every sign stays; marks that are no letters are looked at one by one."""
"""Signs that stay as they are in a name, beside letters and digits of every script."""


def local_name(text: str) -> str:
    """The end of an IRI for a thing named by a text.

    Letters with their marks, digits, emoji and ``-._~/+=@:!$&'()*,;·`` stay, as in rule text; blanks become ``_``, all
    else is written as ``%`` and its bytes. So two texts have one name only where they differ in nothing but blanks and
    ``_``, and how accents are composed.
    """
    whole = unicodedata.normalize("NFC", text.strip())
    return whole if _SAFE.fullmatch(whole) else "".join(_sign(sign) for sign in whole)


def _sign(sign: str) -> str:
    stays = (sign.isalnum() or joins(sign)) and ord(sign) < 0xE0000 and not "\ufff0" <= sign <= "\uffff"
    if sign in _KEPT or sign == "_" or stays:  # beyond are marks that no IRI may have
        return sign
    return "_" if sign in (" ", "\u3000", "\xa0") else quote(sign, safe="")


def entity_of(text: str, names: Names, within: str = "") -> tuple[Entity, str]:
    """The thing that a text names, and a label for it where its name does not say the text.

    Args:
        text: ``<iri>``, a whole IRI, ``prefix:name`` of a known prefix, ``_:name``, or any other text, which becomes a
            name in the base namespace.
        names: Namespace and prefixes.
        within: What stands before such a text in its name, such as ``drug/``.

    Raises:
        DataError: When it is empty, or RDF allows no such name.
    """
    given = text.strip()
    if not given:
        raise DataError("is empty where a name is expected")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise DataError("has half a character (a lone surrogate), which is no text") from None
    if given.startswith("<") and given.endswith(">"):
        return _sure(given[1:-1]), ""
    if given.startswith("_:") or (_FULL.match(given) and is_iri(given)):
        return _sure(given), ""
    prefix, colon, local = given.partition(":")
    if colon and local and prefix in {**STANDARD, **names.prefixes}:
        return _sure(names.long(f"{prefix}:{local_name(local)}")), ""
    local = local_name(given)
    return _sure(names.base + within + local), "" if local == given else given


def value_of(text: str, names: Names) -> Value | None:
    """The value that a text in N-Triples' form says: ``"..."``, with ``@language`` or ``^^type``; None: it is none.

    Raises:
        DataError: When its type has no known prefix, or RDF allows no such value.
    """
    found = _QUOTED.fullmatch(text.strip())
    if not found:
        return None
    content = _ESCAPE.sub(_unescaped, found[1])
    if found[2]:
        return _value(content, RDF + "langString", found[2].lower())
    if found[3]:
        try:
            datatype = names.long(found[3])
        except KeyError as fault:
            raise DataError(f"has a type with the prefix {fault.args[0]!r}, which is not known") from None
        return _value(content, datatype, "")
    return _value(content, XSD + "string", "")


def _value(text: str, datatype: str, language: str) -> Value:
    found = kept(Value(text, datatype, language))
    assert isinstance(found, Value)
    return found


def term_of(text: str, names: Names) -> tuple[Term, str]:
    """A value in N-Triples' form, or else a thing, with the label that it needs."""
    found = value_of(text, names)
    return (found, "") if found is not None else entity_of(text, names)


def local_part(iri: str) -> str:
    """What a name says by itself: behind the last ``#``, ``/`` or ``:``, blanks in place of ``_``."""
    from urllib.parse import unquote

    ends = [part for part in re.split(r"[#/:]", iri) if part]
    return unquote(ends[-1]).replace("_", " ") if ends else iri


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else _SIGNS.get(found[3], found[3])


def _sure(iri: str) -> Entity:
    try:
        entity = Entity(iri)
    except ValueError as fault:
        raise DataError(str(fault)) from None
    to_rdf(entity)
    return entity
