"""Dates and times of XML Schema as points on a line, whatever their years and zones."""

from __future__ import annotations

import re
from fractions import Fraction

from sibu.core.names import XSD

_YEAR = r"(?P<year>-?(?:[1-9]\d{3,}|0\d{3}))"
_DAY = _YEAR + r"-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d(?:\.\d+)?)"
_ZONE = r"(?P<zone>Z|[+-]\d\d:\d\d)"
_FORMS = {
    "date": _DAY + _ZONE + "?",
    "dateTime": f"{_DAY}T{_TIME}{_ZONE}?",
    "dateTimeStamp": f"{_DAY}T{_TIME}{_ZONE}",
    "time": _TIME + _ZONE + "?",
    "gYear": _YEAR + _ZONE + "?",
    "gYearMonth": _YEAR + r"-(?P<month>\d\d)" + _ZONE + "?",
}
FORMS = {XSD + name: re.compile(form, re.ASCII) for name, form in _FORMS.items()}
"""How a moment of each type is written."""
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LONGEST_ZONE = 14 * 60


def moment(text: str, datatype: str) -> tuple[bool, Fraction] | None:
    """Whether it has a zone, and the second at which it begins, counted from 1970 (in UTC where it has a zone).

    Two moments of which one has a zone and the other has none cannot be told apart by less than a day and a bit: they
    are not compared. Source: XML Schema 1.1 Part 2, the seven-property model.

    Args:
        text: As it is written, without blanks around it.
        datatype: One of ``FORMS``.

    Returns:
        None where there is no such moment: another form, 30 February, an hour of 25.
    """
    found = FORMS[datatype].fullmatch(text)
    if found is None:
        return None
    part = found.groupdict()
    year, month, day = (int(part.get(name) or 1) for name in ("year", "month", "day"))
    if datatype == XSD + "time":
        year = 1970
    hour, minute, second = (Fraction(part.get(name) or 0) for name in ("hour", "minute", "second"))
    late = hour == 24 and not minute and not second
    if not 1 <= month <= 12 or not 1 <= day <= _length(year, month):
        return None
    if minute >= 60 or second >= 60 or (hour >= 24 and not late):
        return None
    zone = part.get("zone")
    ahead = _minutes(zone)
    if ahead is None:
        return None
    total = 86_400 * _days(year, month, day) + 3600 * hour + 60 * minute + second - 60 * ahead
    return zone is not None, total


def _minutes(zone: str | None) -> int | None:
    """How far a zone is ahead of UTC; None: there is no such zone."""
    if zone is None or zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:])
    found = 60 * hours + minutes
    if minutes >= 60 or found > LONGEST_ZONE:
        return None
    return -found if zone[0] == "-" else found


def _length(year: int, month: int) -> int:
    """Days of a month."""
    return 29 if month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else _DAYS[month - 1]


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the calendar of today, carried on to all years."""
    year -= month <= 2  # years that begin in March: the leap day is their last
    before = 365 * year + year // 4 - year // 100 + year // 400
    return before + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719_468
