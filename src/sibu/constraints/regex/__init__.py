"""Regular expression: the answer matches it from its beginning to its end.

Rust's syntax: no look-around, no back references. Source: Willard and Louf, 2023, arXiv:2307.09702; by llguidance.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Spec


class RegexSpec(Spec):
    """Options of `regex`."""

    name: Literal["regex"] = "regex"
    pattern: str
    r"""The expression, such as `[A-Z]{2}-\d{4}`."""


def build(spec: RegexSpec) -> str:
    """The grammar."""
    from llguidance import LLMatcher

    found: str = LLMatcher.grammar_from_regex(spec.pattern)
    return found


ENTRY = Entry(RegexSpec, build, needs=("llguidance",))
