"""Grammars of what may be written, in llguidance's form of Lark."""

import json
from collections.abc import Iterable

Grammar = str
"""A grammar with the rule ``start``."""


def quoted(text: str) -> str:
    """A text as a grammar's literal."""
    return json.dumps(text, ensure_ascii=False)


def either(texts: Iterable[str]) -> str:
    """One of several texts."""
    return "(" + " | ".join(map(quoted, texts)) + ")"


def part_of(text: str) -> str:
    """The terminal ``PART``: any stretch of a text that is not empty and has no line break."""
    return f'PART: STRETCH & /[^\\n]+/\nSTRETCH: %regex {{ "substring_chars": {quoted(text)} }}\n'
