"""Values as tables have them, checked before they become facts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sibu.core.errors import DataError

_WHOLE = re.compile(r"[+-]?\d+", re.A)
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.A)
_TRUTH = {"true": "true", "1": "true", "false": "false", "0": "false"}


def _integer(text: str) -> str:
    if not _WHOLE.fullmatch(text):
        raise ValueError("a whole number such as 70")
    return text


def _decimal(text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        raise ValueError("a number such as 1.5")
    return text


def _double(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("a number such as 1.5 or 2e-3") from None
    if not math.isfinite(number) or "_" in text:
        raise ValueError("a finite number such as 1.5 or 2e-3")
    return repr(number)


def _boolean(text: str) -> str:
    if text.lower() not in _TRUTH:
        raise ValueError("true or false")
    return _TRUTH[text.lower()]


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("a day such as 2026-01-31") from None


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat().replace("+00:00", "Z")
    except ValueError:
        raise ValueError("a moment such as 2026-01-31T12:00:00Z") from None


def _time(text: str) -> str:
    try:
        return time.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("a time such as 12:30:00") from None


def _year(text: str) -> str:
    if not re.fullmatch(r"-?\d{4,}", text, re.A):
        raise ValueError("a year such as 1998")
    return text


CHECKS: Mapping[str, Callable[[str], str]] = {
    "integer": _integer,
    "decimal": _decimal,
    "double": _double,
    "boolean": _boolean,
    "date": _date,
    "dateTime": _moment,
    "time": _time,
    "gYear": _year,
    "anyURI": str,
}
"""By the name of a type of XML Schema: a text in its form. Each raises ValueError with what is allowed."""


def text_of(value: Any) -> str:
    """A cell as a text: empty where it says nothing.

    Raises:
        DataError: When it is an object or a number that is none.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if math.isinf(value):
            raise DataError("is an infinite number")
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise DataError(f"is {type(value).__name__}, which no value is made of; give a text, a number or a list of them")


def texts_of(value: Any, split: str) -> list[str]:
    """The texts in a cell: of a list each, of a text those between the signs that part them; empty ones say nothing."""
    cells = value if isinstance(value, list | tuple) else [value]
    found = []
    for cell in cells:
        text = text_of(cell)
        found += [part.strip() for part in text.split(split)] if split else [text]
    return [text for text in found if text.strip()]
