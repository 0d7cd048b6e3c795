"""The facts of what a text names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sibu.core.example import is_cjk
from sibu.core.knowing import Told
from sibu.core.text import Match
from sibu.core.units import units
from sibu.phrases import Lexicon, longest, normal_unit

CHINESE = 0.3
"""From this share of Chinese or Japanese signs on a text is told facts in Chinese."""


class Facts:
    """See the door plate ``sibu.knowledge.facts``.

    Args:
        lexicon: The names.
        facts: Those about each thing, as ``Wording`` has them.
        budget: Most pieces that those of a text may take.
    """

    def __init__(self, lexicon: Lexicon, facts: Mapping[str, Sequence[Mapping[str, Any]]], *, budget: int) -> None:
        self.lexicon, self.facts, self.budget = lexicon, facts, budget

    def about(self, found: Sequence[Match], text: str) -> Sequence[Told]:
        """The facts of what is named, those about two named things first, then by the words shared with the text."""
        things = list(
            dict.fromkeys(self.lexicon.names[number].entity for match in longest(found) for number in match.names)
        )
        named, words, language = set(things), _words(text), language_of(text)
        ranked: list[tuple[int, int, int, int, Mapping[str, Any]]] = []
        for place, thing in enumerate(things):
            for fact in self.facts.get(thing, ()):
                both = sum(end in named for end in fact["ends"]) > 1
                shared = len(_words(fact["words"][language]) & words)
                ranked.append((-int(both), -shared, place, len(ranked), fact))
        unique = {each[-1]["fact"]: each[-1] for each in sorted(ranked, key=lambda each: each[:4])}
        return [
            Told(
                each["words"][language],
                {"fact": each["fact"], "words": each["words"][language], "sources": each["sources"]},
            )
            for each in unique.values()
        ]


def language_of(text: str) -> str:
    """``zh`` or ``en``: the language in which a text is told facts."""
    signs = [sign for sign in text if not sign.isspace()]
    return "zh" if sum(map(is_cjk, signs)) >= CHINESE * max(len(signs), 1) else "en"


def _words(text: str) -> frozenset[str]:
    return frozenset(normal_unit(text[start:end]) for start, end in units(text))
