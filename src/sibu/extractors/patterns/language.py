"""The language of patterns: a line to what is looked for, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sibu.core.errors import near_miss
from sibu.core.example import is_cjk

VALUES = ("integer", "decimal", "date", "text")
"""Classes of a slot that is a value."""
GAP = 60
"""Most characters of ``...``."""
_LINE = re.compile(
    r"(?P<pattern>\"(?:[^\"\\]|\\.)*\"|/(?:[^/\\]|\\.)*/)\s*->\s*(?P<fact>.*?)\s*(?:@\s*(?P<score>\S+)\s*)?"
)
_FACT = re.compile(r"(?P<relation><[^>]+>|[^\s()<>]+)\s*\(\s*(?P<terms>[^()]*?)\s*\)\.?")
_SLOT = re.compile(r"\{\s*(\w+)\s*(?::\s*([^{}]+?)\s*)?\}")


class PatternFault(ValueError):
    """What is wrong with a pattern; its text says it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a passage."""

    name: str
    label: str = ""
    """Its class, or one of ``VALUES``; empty: any."""

    @property
    def is_value(self) -> bool:
        """Whether it is a value and names nothing."""
        return self.label in VALUES


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line: either a sentence with slots, or a regular expression."""

    slots: tuple[Slot, ...]
    gaps: tuple[re.Pattern[str], ...]
    """What stands before the first slot, between two, and behind the last; of a regular expression there are none."""
    regex: re.Pattern[str] | None
    relation: str
    terms: tuple[str, ...]
    """Names of slots: one where the relation is a class, else head and tail."""
    score: float | None
    line: int

    def slot(self, name: str) -> Slot:
        """The slot of a name."""
        return next(each for each in self.slots if each.name == name)


def pattern_of(line: str, number: int) -> Pattern:
    """The pattern of a line.

    Raises:
        PatternFault: When it is none.
    """
    found = _LINE.fullmatch(line.strip())
    if not found:
        raise PatternFault('a line is `"pattern" -> relation(slot, slot)` or `/expression/ -> relation(group, group)`')
    score = _score(found["score"])
    fact = _FACT.fullmatch(found["fact"])
    if not fact:
        raise PatternFault(
            f"behind the arrow stands a relation with slots, as `treats(drug, what)`, given {found['fact']!r}"
        )
    terms = [_term(each) for each in fact["terms"].split(",")]
    if len(terms) > 2 or not all(name for name, _ in terms):
        raise PatternFault(f"a fact has one slot (a class) or two (head and tail), given {fact['terms']!r}")
    body = found["pattern"][1:-1]
    slots, gaps, regex = _expression(body, terms) if found["pattern"][0] == "/" else _sentence(body)
    names = [each.name for each in slots]
    for name, _ in terms:
        if name not in names:
            there = f"It has: {', '.join(names)}." if names else "It has none."
            raise PatternFault(f"the pattern has no slot {name!r}. {near_miss(name, names)}{there}".rstrip("."))
    own = tuple(name for name, _ in terms)
    pattern = Pattern(slots, gaps, regex, fact["relation"], own, score, number)
    if pattern.slot(own[0]).is_value:
        raise PatternFault(f"{own[0]!r} is a value, of which nothing can be said: the first slot of a fact is a thing")
    return pattern


def _score(given: str | None) -> float | None:
    if given is None:
        return None
    try:
        found = float(given)
    except ValueError:
        found = -1.0
    if not 0 < found <= 1:
        raise PatternFault(f"behind `@` stands a number above 0 and up to 1, given {given!r}")
    return found


def _term(given: str) -> tuple[str, str]:
    name, _, label = given.partition(":")
    return name.strip(), label.strip()


Parts = tuple[tuple[Slot, ...], tuple[re.Pattern[str], ...], re.Pattern[str] | None]


def _expression(body: str, terms: Sequence[tuple[str, str]]) -> Parts:
    try:
        regex = re.compile(body.replace("\\/", "/"))
    except re.error as fault:
        raise PatternFault(f"the regular expression cannot be read: {fault}") from None
    if not regex.groupindex:
        raise PatternFault("the regular expression has no named group, such as `(?P<drug>...)`")
    if regex.match(""):
        raise PatternFault("the regular expression fits nothing at all too, so it would be found everywhere")
    labels = dict(terms)
    return tuple(Slot(name, labels.get(name, "")) for name in regex.groupindex), (), regex


def _sentence(body: str) -> Parts:
    body = body.replace('\\"', '"')
    slots, gaps, end = [], [], 0
    for found in _SLOT.finditer(body):
        gaps.append(body[end : found.start()])
        slots.append(Slot(found[1], found[2] or ""))
        end = found.end()
    gaps.append(body[end:])
    if not slots:
        raise PatternFault("the pattern has no slot, such as `{drug:Drug}`")
    names = [each.name for each in slots]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PatternFault(f"the slot {', '.join(map(repr, twice))} stands twice; give each a name of its own")
    for gap in gaps[1:-1]:
        if not gap:
            raise PatternFault("two slots follow each other with nothing between them")
    compiled = [_gap(gap, number, len(gaps)) for number, gap in enumerate(gaps)]
    return tuple(slots), tuple(compiled), None


_TOKEN = re.compile(r"\.\.\.|[()\[\]|]|\s+|[^()\[\]|\s.]+|\.")


def _gap(text: str, number: int, count: int) -> re.Pattern[str]:
    """What stands before, between or behind slots, as a regular expression."""
    tokens = _TOKEN.findall(text)
    parts, depth = [], []
    for place, token in enumerate(tokens):
        if token == "...":
            parts.append(rf"[^\n。！？]{{0,{GAP}}}?")
        elif token in "([":
            depth.append(token)
            parts.append("(?:")
        elif token in ")]":
            if not depth or (depth.pop() == "(") != (token == ")"):
                raise PatternFault(f"{token!r} closes nothing in {text.strip()!r}")
            parts.append(")" if token == ")" else ")?")
        elif token == "|":
            if not depth:
                raise PatternFault(f"`|` stands outside of round brackets in {text.strip()!r}")
            parts.append("|")
        elif token.isspace():
            optional = "[" in tokens[place + 1 : place + 2] or "]" in tokens[max(place - 1, 0) : place]
            parts.append(r"\s*" if optional else r"\s+")
        else:
            parts.append(re.escape(token))
    if depth:
        raise PatternFault(f"{depth[-1]!r} is not closed in {text.strip()!r}")
    whole = "".join(parts)
    if number == 0:
        whole = _edge(text[:1]) + f"(?:{whole})" + r"\Z" if text else ""
    elif number == count - 1 and text:
        whole = f"(?:{whole})" + _edge(text[-1:], after=True)
    return re.compile(whole, re.IGNORECASE)


def _edge(sign: str, *, after: bool = False) -> str:
    """A word that a pattern begins or ends with is a whole one."""
    if not sign.isalnum() or is_cjk(sign):
        return ""
    return r"(?!\w)" if after else r"(?<!\w)"
