"""What rules cannot say of values: of which datatypes a value is, and which values are one (``rl.rules``, table 8).

The rules of the standard speak of endless value spaces; here facts are made of the values that occur. Sources: OWL 2
Profiles, section 4.3, table 8; XML Schema 1.1, part 2; RDF 1.1 Concepts, section 5 (blanks around a text are a fault).
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from struct import pack, unpack
from xml.etree.ElementTree import ParseError, canonicalize

from sibu.core.logic import SAME, TYPE, Atom, Entity, Value
from sibu.core.moments import FORMS, moment
from sibu.core.names import RDF, RDFS, XSD

ABOVE: Mapping[str, str] = {
    "integer": "decimal", "nonPositiveInteger": "integer", "negativeInteger": "nonPositiveInteger", "long": "integer",
    "int": "long", "short": "int", "byte": "short", "nonNegativeInteger": "integer",
    "positiveInteger": "nonNegativeInteger", "unsignedLong": "nonNegativeInteger", "unsignedInt": "unsignedLong",
    "unsignedShort": "unsignedInt", "unsignedByte": "unsignedShort", "normalizedString": "string",
    "token": "normalizedString", "language": "token", "NMTOKEN": "token", "Name": "token", "NCName": "Name",
    "dateTimeStamp": "dateTime",
}  # fmt: skip
"""XML Schema's datatypes by the one whose values they are some of."""
_BOUNDS: Mapping[str, tuple[int | None, int | None]] = {
    "nonPositiveInteger": (None, 0), "negativeInteger": (None, -1), "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    **{name: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
       for name, bits in (("long", 64), ("int", 32), ("short", 16), ("byte", 8))},
    **{name: (0, 2**bits - 1)
       for name, bits in (("unsignedLong", 64), ("unsignedInt", 32), ("unsignedShort", 16), ("unsignedByte", 8))},
}  # fmt: skip
_ROOTS = frozenset(
    {"decimal", "double", "float", "boolean", "dateTime", "hexBinary", "base64Binary", "string", "anyURI"}
)
"""Datatypes that have no value in common."""
_NAME = r"[^\W\d][\w.\-·:]*"
_PATTERNS: Mapping[str, str] = {
    "decimal": r"[+-]?(\d+(\.\d*)?|\.\d+)",
    "integer": r"[+-]?\d+",
    "double": r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?INF|NaN",
    "boolean": r"true|false|1|0",
    "normalizedString": r"[^\t\n\r]*",
    "token": r"|[^\t\n\r ]+( [^\t\n\r ]+)*",
    "language": r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*",
    "NMTOKEN": r"[\w.\-·:]+",
    "Name": _NAME,
    "NCName": _NAME.replace(":", ""),
    "hexBinary": r"([0-9a-fA-F]{2})*",
    "base64Binary": r"(([A-Za-z0-9+/] ?){4})*(([A-Za-z0-9+/] ?){3}=|([A-Za-z0-9+/] ?){2}= ?=)?",
    "anyURI": r".*",
    "string": r".*",
}
_SCRIPTS = frozenset({"NMTOKEN", "Name", "NCName"})
"""Where letters and digits of any script may stand."""
_COMPILED = {
    name: re.compile(pattern, re.DOTALL | (0 if name in _SCRIPTS else re.ASCII)) for name, pattern in _PATTERNS.items()
}


def meaning(value: Value) -> tuple[object, ...] | None:
    """What a value is worth, as a key that equal values share; None: its text is none of its datatype's.

    A value of an unknown datatype is worth itself alone.
    """
    if value.datatype == RDF + "XMLLiteral":
        return _fragment(value.text)
    if not value.datatype.startswith(XSD):
        return (value.datatype, value.text, value.language)
    name = value.datatype[len(XSD) :]
    if not _allowed(name, value.text):
        return None
    return _worth(_root(name), value.text) or (value.datatype, value.text)


def types_of(value: Value) -> list[Entity]:
    """The datatypes that a value is of: its own and those above; none where its text is not allowed."""
    if value.language:
        return [Entity(RDF + "langString"), Entity(RDFS + "Literal")]
    if meaning(value) is None:
        return []
    found, name = [Entity(value.datatype)], value.datatype.removeprefix(XSD)
    while value.datatype.startswith(XSD) and name in ABOVE:
        name = ABOVE[name]
        found.append(Entity(XSD + name))
    return [*found, Entity(RDFS + "Literal")]


def is_of(value: Value, datatype: Entity) -> bool | None:
    """Whether a value is of a datatype, however it is written; None: that is not known, of a datatype or of both."""
    if datatype == Entity(RDFS + "Literal"):
        return True
    if value.language or datatype == Entity(RDF + "langString"):
        return datatype == Entity(value.datatype)
    name, own = (iri.removeprefix(XSD) for iri in (datatype.iri, value.datatype))
    worth = meaning(value)
    if worth is None or datatype.iri == value.datatype:
        return worth is not None
    if RDF + "XMLLiteral" in (datatype.iri, value.datatype):
        return False if _root(name) in _ROOTS or _root(own) in _ROOTS else None
    if not {_root(name), _root(own)} <= _ROOTS or not datatype.iri.startswith(XSD):
        return None
    text = f"{worth[1]:f}" if isinstance(worth[1], Decimal) else value.text
    whole = re.sub(r"\.0*$", "", text) if _root(name) == "decimal" else text
    return _root(name) == _root(own) and _allowed(name, whole)


def facts_of(values: Iterable[Value]) -> Iterator[Atom]:
    """The facts of dt-type2 and dt-eq for the values that occur: they stand beside the asserted ones."""
    by_worth: dict[tuple[object, ...], list[Value]] = {}
    for value in sorted(set(values)):
        for datatype in types_of(value):
            yield Atom(TYPE, (value, datatype))
        worth = meaning(value)
        if worth is not None:
            by_worth.setdefault(worth, []).append(value)
    for same in by_worth.values():
        for other in same[1:]:
            yield Atom(SAME, (same[0], other))


def ill_typed(values: Iterable[Value]) -> list[Value]:
    """Values whose text their datatype does not allow: what dt-not-type says of one value alone."""
    return sorted(value for value in set(values) if meaning(value) is None)


def _root(name: str) -> str:
    while name in ABOVE:
        name = ABOVE[name]
    return name


def _allowed(name: str, text: str) -> bool:
    """Whether the text is one of the datatype, and of those above it."""
    pattern = _COMPILED.get("double" if name == "float" else "integer" if name in _BOUNDS else name)
    if pattern is not None and not pattern.fullmatch(text):
        return False
    if name in _BOUNDS:
        least, most = _BOUNDS[name]
        number = Decimal(text)
        return (least is None or number >= least) and (most is None or number <= most)
    if XSD + name in FORMS and moment(text, XSD + name) is None:
        return False
    return name not in ABOVE or _allowed(ABOVE[name], text)


def _worth(root: str, text: str) -> tuple[object, ...] | None:
    """The worth of an allowed text; None: of a datatype that is not known here."""
    if root == "decimal":
        return (root, Decimal(text))
    if root in {"double", "float"}:
        number = float(text.replace("INF", "inf"))
        if root == "float" and number == number and abs(number) != float("inf"):
            number = _single(number)
        return (root, repr(number))  # so that -0.0 is not 0.0, and NaN is NaN
    if root == "boolean":
        return (root, text in {"true", "1"})
    if root == "dateTime":
        return (root, moment(text, XSD + root))
    if root == "hexBinary":
        return (root, text.lower())
    if root == "base64Binary":
        return (root, b64decode(text.replace(" ", "")))
    return (root, text) if root in {"string", "anyURI"} else None


def _fragment(text: str) -> tuple[object, ...] | None:
    """A piece of XML in its canonical form; None: it is not well formed. Within an element no entities can be made."""
    try:
        return (RDF + "XMLLiteral", canonicalize(f"<x>{text}</x>"))
    except ParseError:
        return None


def _single(number: float) -> float:
    try:
        return float(unpack("f", pack("f", number))[0])
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
