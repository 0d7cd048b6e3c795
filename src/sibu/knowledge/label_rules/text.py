"""Rules over labels as people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn


class NoRule(ValueError):
    """A text that is no rule; says at which character, and what was expected."""


@dataclass(frozen=True, slots=True)
class Says:
    """A label holds in the answer of a task."""

    task: str
    label: str


@dataclass(frozen=True, slots=True)
class No:
    """The other way round."""

    part: Formula


@dataclass(frozen=True, slots=True)
class All:
    """Each of them."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of them."""

    parts: tuple[Formula, ...]


Formula = Says | No | All | Any

_TOKEN = re.compile(r""""[^"]*"|'[^']*'|<->|->|!=|[=(),→↔]|(?:(?!<->|->|!=)[^\s"'=(),→↔])+""")
_SAME = {"→": "->", "↔": "<->", "且": "and", "或": "or", "非": "not", "有": "has", "无": "lacks", "属于": "in"}
_SIGNS = frozenset({"and", "or", "not", "in", "has", "lacks", "->", "<->", "=", "!=", "(", ")", ","})


def parse(text: str) -> Formula:
    """A rule.

    Raises:
        NoRule: When it is none.
    """
    return _Parser(text).whole()


def atoms(formula: Formula) -> Iterator[Says]:
    """What it speaks of, in order, as often as it does."""
    if isinstance(formula, Says):
        yield formula
    elif isinstance(formula, No):
        yield from atoms(formula.part)
    else:
        for part in formula.parts:
            yield from atoms(part)


def holds(formula: Formula, said: Callable[[Says], bool]) -> bool:
    """Whether it is so, told what of its atoms is."""
    if isinstance(formula, Says):
        return said(formula)
    if isinstance(formula, No):
        return not holds(formula.part, said)
    some = (holds(part, said) for part in formula.parts)
    return all(some) if isinstance(formula, All) else any(some)


class _Parser:
    """Reads by recursive descent: ``<->`` binds least, then ``->``, ``or``, ``and``, ``not``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [(match.start(), _SAME.get(match[0], match[0])) for match in _TOKEN.finditer(text)]
        covered = re.sub(_TOKEN, "", text)
        if rest := covered.strip():
            raise NoRule(f"has an open quote or a sign that is not understood ({rest[0]!r})")
        self.place = 0

    def whole(self) -> Formula:
        if not self.tokens:
            raise NoRule("is empty; a rule is such as `intent = cancel -> not topic = billing`")
        found = self._same()
        if self.place < len(self.tokens):
            self._expected("`and`, `or`, `->` or the end")
        return found

    def _same(self) -> Formula:
        left = self._follows()
        while self._take("<->"):
            right = self._follows()
            left = All((Any((No(left), right)), Any((No(right), left))))
        return left

    def _follows(self) -> Formula:
        left = self._several("or", Any, lambda: self._several("and", All, self._one))
        return Any((No(left), self._follows())) if self._take("->") else left

    def _several(
        self, sign: str, kind: Callable[[tuple[Formula, ...]], Formula], part: Callable[[], Formula]
    ) -> Formula:
        found = [part()]
        while self._take(sign):
            found.append(part())
        return found[0] if len(found) == 1 else kind(tuple(found))

    def _one(self) -> Formula:
        if self._take("not"):
            return No(self._one())
        if self._take("("):
            found = self._same()
            self._need(")")
            return found
        return self._atom()

    def _atom(self) -> Formula:
        task = self._name("a task")
        for sign in ("=", "has"):
            if self._take(sign):
                return Says(task, self._name("a label"))
        for sign in ("!=", "lacks"):
            if self._take(sign):
                return No(Says(task, self._name("a label")))
        if self._take("in"):
            self._need("(")
            labels = [self._name("a label")]
            while self._take(","):
                labels.append(self._name("a label"))
            self._need(")")
            return Any(tuple(Says(task, label) for label in labels))
        return self._expected(f"`=`, `!=`, `in`, `has` or `lacks` behind the task {task!r}")

    def _name(self, what: str) -> str:
        if self.place == len(self.tokens) or self.tokens[self.place][1] in _SIGNS:
            self._expected(f"{what} (a name that is one of the words or signs of rules stands in quotes)")
        self.place += 1
        found = self.tokens[self.place - 1][1]
        return found[1:-1] if found[0] in "\"'" else found

    def _take(self, sign: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place][1] == sign:
            self.place += 1
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            self._expected(f"`{sign}`")

    def _expected(self, what: str) -> NoReturn:
        if self.place < len(self.tokens):
            start, found = self.tokens[self.place]
            raise NoRule(f"has {found!r} at character {start + 1} where {what} is expected")
        raise NoRule(f"ends where {what} is expected")


def listed(tasks: Sequence[str]) -> str:
    """Names as a message lists them."""
    return ", ".join(tasks) or "none"
