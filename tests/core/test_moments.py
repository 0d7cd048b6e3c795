"""Moments lie on a line as Python's dates do, and what is no date is none."""

from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.core.logic import Value
from sibu.core.moments import moment
from sibu.core.names import XSD

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=ZONES, min_value=datetime(1000, 1, 2), max_value=datetime(9998, 12, 30)))
def test_a_moment_with_a_zone_is_its_second(when: datetime) -> None:
    zoned, second = moment(when.isoformat(), XSD + "dateTime") or (None, None)
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    whole = Fraction(since.days * 86_400 + since.seconds) + Fraction(since.microseconds, 1_000_000)
    assert zoned is True and second == whole


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_day_is_its_number(day: date) -> None:
    assert moment(day.isoformat(), XSD + "date") == (False, 86_400 * (day - date(1970, 1, 1)).days)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2024-02-30", "date"), ("2023-02-29", "date"), ("1960-13-01", "date"), ("2024-1-1", "date"), ("今天", "date"),
        ("2024-01-01T25:00:00", "dateTime"), ("2024-01-01T24:00:01", "dateTime"), ("2024-01-01T10:60:00", "dateTime"),
        ("2024-01-01T10:00:60", "dateTime"), ("2024-01-01", "dateTime"), ("2024-01-01T10:00:00+15:00", "dateTime"),
        ("2024-01-01T10:00:00", "dateTimeStamp"), ("25:00:00", "time"), ("24", "gYear"), ("2024-00", "gYearMonth"),
    ],
)  # fmt: skip
def test_what_is_no_moment(text: str, kind: str) -> None:
    assert moment(text, XSD + kind) is None
    assert Value(text, XSD + kind).order is None


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("2024-01-01T23:00:00-05:00", "2024-01-02T01:00:00+01:00", "dateTime"),  # the later one by far
        ("-0044-03-15", "0001-01-01", "date"),
        ("9999-12-31", "10000-01-01", "date"),
        ("2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00.49Z", "dateTime"),
        ("2024-01-01+14:00", "2024-01-01-14:00", "date"),
        ("2024-01-02T00:00:00", "2024-01-01T24:00:00", "dateTime"),
        ("1999", "10000", "gYear"),
        ("2023-12", "2024-01", "gYearMonth"),
        ("23:00:00+05:00", "19:00:00Z", "time"),
    ],
)
def test_which_is_earlier(first: str, second: str, kind: str) -> None:
    one, two = Value(first, XSD + kind).order, Value(second, XSD + kind).order
    assert one is not None and two is not None and one[0] == two[0]
    later = {("2024-01-01T23:00:00-05:00"), "2024-01-01T00:00:00.5Z"}
    same = {"2024-01-02T00:00:00"}
    if first in later:
        assert one[1] > two[1]  # type: ignore[operator]
    elif first in same:
        assert one[1] == two[1]
    else:
        assert one[1] < two[1]  # type: ignore[operator]


def test_with_and_without_a_zone_are_kinds_of_their_own() -> None:
    kinds = [Value(text, XSD + "dateTime").order for text in ("2024-01-01T00:00:00", "2024-01-01T00:00:00Z")]
    assert kinds[0] is not None and kinds[1] is not None and kinds[0][0] != kinds[1][0]
    assert Value("b").order == (XSD + "string", "b")
