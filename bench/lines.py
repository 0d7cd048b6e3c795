"""What the tables of bench/README.md are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NONE = "not measured"
Results = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Line:
    """One line of the table of bars."""

    measure: str
    bar: str
    sibu: str = NONE
    plain: str = ""
    published: str = ""
    verdict: str = NONE


def shown(found: dict[str, float]) -> str:
    """A score with its interval, in hundredths."""
    return f"{100 * found['value']:.1f} ({100 * found['low']:.1f} to {100 * found['high']:.1f})"


def judged(good: bool | None) -> str:
    """A verdict in a word."""
    return NONE if good is None else "met" if good else "**missed**"


def spread(ratio: Mapping[str, float], digits: int = 2) -> str:
    """The middle of some rounds, and the ends."""
    middle, low, high = (f"{ratio[key]:.{digits}f}" for key in ("median", "min", "max"))
    return f"{middle} x ({low} to {high})"


def points(share: float) -> str:
    """A difference in hundredths."""
    return f"{100 * share:+.1f}"


def gap(each: Mapping[str, float]) -> str:
    """A difference with its interval, in hundredths."""
    if "low" not in each:
        return f"{points(each['value'])} (one draw)"
    return f"{points(each['value'])} ({points(each['low'])} to {points(each['high'])})"
