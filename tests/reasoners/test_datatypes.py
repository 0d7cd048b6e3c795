"""Values: which datatypes they are of, which are one, which are written in a way that is not allowed."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.core.logic import SAME, TYPE, Atom, Entity, Value
from sibu.core.names import RDF, RDFS, XSD
from sibu.reasoners.owl.datatypes import facts_of, ill_typed, is_of, meaning, types_of


def value(text: str, name: str) -> Value:
    return Value(text, XSD + name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (value("1", "integer"), value("01", "integer")),
        (value("1", "integer"), value("+1.0", "decimal")),
        (value("5", "byte"), value("5", "unsignedLong")),
        (value("1e2", "double"), value("100", "double")),
        (value("true", "boolean"), value("1", "boolean")),
        (value("2020-01-01T00:00:00Z", "dateTime"), value("2020-01-01T01:30:00+01:30", "dateTimeStamp")),
        (value("2019-12-31T24:00:00Z", "dateTime"), value("2020-01-01T00:00:00.0Z", "dateTime")),
        (value("0a", "hexBinary"), value("0A", "hexBinary")),
        (value("a", "string"), value("a", "token")),
        (value("0.1", "float"), value("0.10000000149", "float")),
        (value("NaN", "double"), value("NaN", "double")),
    ],
)
def test_one_value_written_in_two_ways(one: Value, other: Value) -> None:
    assert meaning(one) is not None
    assert meaning(one) == meaning(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (value("1", "integer"), value("1", "double")),
        (value("1", "float"), value("1", "double")),
        (value("0.1", "double"), value("0.10000000149", "double")),
        (value("0", "double"), value("-0", "double")),
        (value("2020-01-01T00:00:00", "dateTime"), value("2020-01-01T00:00:00Z", "dateTime")),
        (value("true", "boolean"), value("0", "boolean")),
        (value("a", "string"), value("a", "anyURI")),
        (Value("药", RDF + "langString", "zh"), Value("药")),
        (Value("x", "https://example.org/own"), Value("y", "https://example.org/own")),
    ],
)
def test_two_values(one: Value, other: Value) -> None:
    assert meaning(one) is not None
    assert meaning(one) != meaning(other)


WRONG = [
    value("abc", "integer"), value("1.0", "integer"), value("", "decimal"), value("300", "byte"),
    value("-1", "unsignedInt"), value("0", "positiveInteger"), value("٣", "integer"), value("yes", "boolean"),
    value("2020-02-30T00:00:00", "dateTime"), value("2020-01-01T25:00:00", "dateTime"),
    value("2020-01-01T00:00:00+15:00", "dateTime"), value("2020-01-01T00:00:00", "dateTimeStamp"),
    value("abc", "hexBinary"), value("a b", "NCName"), value("a:b", "NCName"), value("a  b", "token"),
    value("en_GB", "language"), value("a", "double"), value("a=", "base64Binary"),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_allowed(wrong: Value) -> None:
    assert ill_typed([wrong, value("1", "integer"), Value("a")]) == [wrong]
    assert types_of(wrong) == []


def test_a_value_is_of_its_datatype_and_those_above() -> None:
    names = ["byte", "short", "int", "long", "integer", "decimal"]
    assert types_of(value("7", "byte")) == [*(Entity(XSD + name) for name in names), Entity(RDFS + "Literal")]
    assert types_of(Value("药", RDF + "langString", "zh")) == [Entity(RDF + "langString"), Entity(RDFS + "Literal")]
    assert types_of(Value("x", "https://example.org/own"))[0] == Entity("https://example.org/own")


@pytest.mark.parametrize(
    ("own", "name", "is_so"),
    [
        (value("1.0", "decimal"), "integer", True), (value("1.5", "decimal"), "integer", False),
        (value("300", "integer"), "byte", False), (value("127", "integer"), "byte", True),
        (value("1", "integer"), "string", False), (Value("a"), "integer", False), (Value("a b"), "token", True),
        (Value("a b"), "NCName", False), (value("1", "integer"), "double", False),
        (value("1", "integer"), "duration", None), (value("abc", "integer"), "integer", False),
        (value("1000", "integer"), "integer", True), (value("0.000", "decimal"), "nonNegativeInteger", True),
    ],
)  # fmt: skip
def test_is_of_a_datatype(own: Value, name: str, is_so: bool | None) -> None:
    assert is_of(own, Entity(XSD + name)) is is_so


def test_texts_with_a_language_are_of_their_own() -> None:
    text = Value("药", RDF + "langString", "zh")
    assert is_of(text, Entity(RDF + "langString"))
    assert is_of(text, Entity(RDFS + "Literal"))
    assert is_of(text, Entity(XSD + "string")) is False
    assert is_of(Value("药"), Entity(RDF + "langString")) is False


def test_pieces_of_xml() -> None:
    one, other, wrong = (
        Value(text, RDF + "XMLLiteral") for text in ('<b c="1" a="2"/>药', "<b a='2' c='1'></b>药", "<b>")
    )
    assert meaning(one) == meaning(other) is not None
    assert ill_typed([one, other, wrong]) == [wrong]
    assert is_of(one, Entity(XSD + "string")) is False
    assert is_of(one, Entity(RDF + "XMLLiteral"))
    assert ill_typed([Value('<!DOCTYPE x [<!ENTITY e "ee">]>&e;', RDF + "XMLLiteral")])


def test_facts_of_values_that_occur() -> None:
    one, other = value("1", "integer"), value("1.0", "decimal")
    found = set(facts_of([one, other, one]))
    assert Atom(TYPE, (one, Entity(XSD + "integer"))) in found
    assert Atom(SAME, tuple(sorted([one, other]))) in found
    assert Atom(TYPE, (other, Entity(XSD + "integer"))) not in found
    assert len([atom for atom in found if atom.predicate == SAME]) == 1


def test_very_long_numbers() -> None:
    assert meaning(value("9" * 6000, "integer")) == meaning(value("0" + "9" * 6000, "integer"))
    assert meaning(value("9" * 6000, "long")) is None


@given(st.integers(), st.integers())
def test_whole_numbers_are_worth_what_they_are(one: int, other: int) -> None:
    assert (meaning(Value.of(one)) == meaning(value(f"{other:+05d}", "integer"))) == (one == other)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_floats_of_python_are_doubles(one: float, other: float) -> None:
    written = [value(repr(number).replace("inf", "INF"), "double") for number in (one, other)]
    same = one == other and math.copysign(1, one) == math.copysign(1, other)
    assert (meaning(written[0]) == meaning(written[1])) == same


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_one_in_every_zone(moment: datetime, minutes: int) -> None:
    there = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    sign, rest = ("-" if minutes < 0 else "+"), divmod(abs(minutes), 60)
    text = f"{there.replace(tzinfo=None).isoformat()}{sign}{rest[0]:02d}:{rest[1]:02d}"
    assert meaning(value(text, "dateTime")) == meaning(value(f"{moment.isoformat()}Z", "dateTime"))
