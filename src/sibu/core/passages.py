"""The parts of a text that are read by themselves: sentences, paragraphs."""

from __future__ import annotations

import re
from typing import Literal

Within = Literal["sentence", "paragraph", "document"]
Place = tuple[int, int]

_END = re.compile(r"[。！？；…]+[”’」』）)\"']*|[.!?]+[”’)\"'\]]*(?=\s)|\n+")
_SHORT = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|No|Fig|Figs|Eq|vs|cf|al|e\.g|i\.e|Inc|Ltd|Co|Jr|Sr|approx|ca|Gen|Sen|Rep|Gov|U\.S))\Z"
)
"""What a full stop may stand behind without being an end."""


def passages(text: str, within: Within) -> list[Place]:
    """The parts of a text, without the blanks around them; what has nothing but blanks is left out."""
    if within == "document":
        cuts = [len(text)]
    elif within == "paragraph":
        cuts = [match.end() for match in re.finditer(r"\n+", text)] + [len(text)]
    else:
        cuts = [match.end() for match in _END.finditer(text) if _ends(text, match)] + [len(text)]
    found, begin = [], 0
    for cut in cuts:
        part = text[begin:cut]
        if part.strip():
            start = begin + len(part) - len(part.lstrip())
            found.append((start, begin + len(part.rstrip())))
        begin = cut
    return found


def _ends(text: str, match: re.Match[str]) -> bool:
    """Whether a mark ends a sentence: a full stop does so unless it belongs to a short form, or small letters go on."""
    if not match[0].startswith("."):
        return True
    if _SHORT.search(text, max(match.start() - 8, 0), match.start()):
        return False
    rest = text[match.end() : match.end() + 8].lstrip()
    return not (rest and rest[0].islower())
