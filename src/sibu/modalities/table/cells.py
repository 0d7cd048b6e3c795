"""What a cell of a table says: a number, a date, a category, or nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

Kind = Literal["number", "category", "date"]

_DATE = re.compile(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?(?:[T\s]*(\d{1,2}):(\d\d.*))?")
LONGEST = 60
"""Characters of a cell that messages show."""
PARTS = ("year", "month sine", "month cosine", "weekday sine", "weekday cosine", "hour sine", "hour cosine")
"""The numbers that are read of a date."""


def is_missing(value: Any) -> bool:
    """Whether a cell is empty."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or (
        isinstance(value, str) and not value.strip()
    )  # fmt: skip


def number(value: Any, missing: Collection[str] = ()) -> float | None:
    """The number that a cell says, NaN where it is missing.

    Args:
        value: The cell.
        missing: Texts that stand for a missing value.

    Returns:
        None where it is no number.
    """
    if is_missing(value) or (isinstance(value, str) and value.strip() in missing):
        return math.nan
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):  # a whole number may be too large for one
        return None
    return found if math.isfinite(found) else None


def date(value: Any, missing: Collection[str] = ()) -> list[float] | None:
    """The numbers of ``PARTS``, NaN where the cell is missing; None where it is no date."""
    if is_missing(value) or (isinstance(value, str) and value.strip() in missing):
        return [math.nan] * len(PARTS)
    given = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if given is None:
        return None
    year, month, day, hour, rest = given.groups()
    clock = "" if hour is None else f"T{int(hour):02}:{rest}"
    try:
        when = datetime.fromisoformat(f"{year}-{int(month):02}-{int(day):02}{clock}")
    except ValueError:
        return None
    return _parts(when.replace(tzinfo=None))


def _parts(when: datetime) -> list[float]:
    """Year with its fraction, and the places in the circles of months, weekdays and hours."""
    begun = datetime(when.year, 1, 1)
    days = 366 if when.year % 4 == 0 and (when.year % 100 or when.year % 400 == 0) else 365
    hours = when.hour + when.minute / 60 + when.second / 3600
    past = (when - begun).total_seconds() / 86400
    circles = (past / days, when.weekday() / 7, hours / 24)
    return [when.year + past / days, *(f(2 * math.pi * share) for share in circles for f in (math.sin, math.cos))]


def category(value: Any) -> str | None:
    """The name that a cell says; None where it is missing. A whole number is one name, however it is written."""
    if is_missing(value):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def shown(value: Any) -> str:
    """A cell as messages show it: on one line, and short."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**LONGEST else "a whole number of many digits"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
