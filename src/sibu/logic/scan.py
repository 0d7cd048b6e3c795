"""The signs of rule text: what is a name, a variable, a number, in any script, and where each ends.

The parser asks for one token at a time, because what a sign means depends on where it stands: ``%`` begins a comment,
but behind a number it divides; ``<`` opens an IRI, but behind a variable it compares.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import Literal, NamedTuple
from unicodedata import category, name

from sibu.core.names import joins

Kind = Literal["name", "variable", "text", "number", "sign", "note", "bad", "end"]
RESERVED = frozenset({"not", "true", "false"})
"""Bare words that are no names."""
FULL_WIDTH = str.maketrans("（），。．｡：－？｛｝＝＜＞！＋＊／", "(),...:-?{}=<>!+*/")
"""What a Chinese keyboard gives, and what it stands for."""

_BLANK = re.compile(r"(?:\s+|[#%][^\r\n]*)*")
_BREAK = re.compile(r"\r\n|\r|\n")
_RUN = re.compile(r"(?:[\w\-·]|\.(?=[\w\-·]))*")
_SHORT_RUN = re.compile(r"[\w·]*")
_IRI = re.compile(r"<[^\x00-\x20<>\"{}|^`\\]*>")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TEXT = re.compile(r'"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"')
_NOTE = re.compile(r"@[^\W\d]\w*")
_SIGN = re.compile(r"[:：][-－]|[<>!＜＞！][=＝]|//|[(),.{}:=<>+\-*/%（），。．｡：－｛｝＝＜＞＋＊／]")
_MODULO = re.compile(
    r"[ \t]*%(?=[ \t]*(?:-?[ \t]*[(（]|(?:-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|-?[A-Z_]\w*|-?[?？]\w+)"
    r"(?:[ \t]*(?:[,.)}+\-*/%<>=!，。）｝\r\n]|$)|[ \t]+:)))"
)
"""A ``%`` behind an expression that divides, and begins no comment."""


class Token(NamedTuple):
    """A piece of rule text."""

    kind: Kind
    text: str
    """As it would be typed in ASCII; a variable of any script with its ``?``, a text with its quotes."""
    start: int
    end: int
    """The character behind its last."""
    why: str = ""
    """Of a bad one: what is wrong with it."""
    mend: str = ""
    """Of a bad one: what to do."""


@lru_cache(maxsize=4096)
def opens_name(sign: str) -> bool:
    """Whether a bare name, or what stands behind a prefix and is no digit, may begin so."""
    return (sign.isalnum() and not sign.isdecimal()) or sign in "_·" or (joins(sign) and category(sign) == "So")


@lru_cache(maxsize=4096)
def opens_variable(sign: str) -> bool:
    """Whether a bare word that begins so is a variable: ``_`` and the capital letters of Latin script."""
    return sign == "_" or ((sign.isupper() or sign.istitle()) and "LATIN" in name(sign, ""))


def _ends(text: str, at: int, run: re.Pattern[str]) -> int:
    while True:
        found = run.match(text, at)
        at = found.end() if found else at
        if at == len(text) or not joins(text[at]):
            return at
        at += 1


def name_end(text: str, at: int) -> int:
    """Where the name that begins at ``at`` ends: letters, digits, ``-``, and dots within."""
    return _ends(text, at, _RUN)


def variable_end(text: str, at: int) -> int:
    """Where the variable that begins at ``at`` ends: as a name without ``-`` and dots."""
    return _ends(text, at, _SHORT_RUN)


def opens_local(text: str, at: int) -> bool:
    """Whether a name may go on at ``at``, behind the colon of its prefix."""
    return at < len(text) and (text[at].isdecimal() or opens_name(text[at]))


def is_variable(text: str) -> bool:
    """Whether a text is read as a variable."""
    if text[:1] == "?":
        return len(text) > 1 and variable_end(text, 1) == len(text)
    return len(text) > 0 and text != "_" and opens_variable(text[0]) and variable_end(text, 0) == len(text)


def is_bare(text: str, *, predicate: bool = False) -> bool:
    """Whether a text is read as a name without a prefix; that of a predicate may begin with a capital letter."""
    if not text or text in RESERVED or not opens_name(text[0]) or name_end(text, 0) != len(text):
        return False
    if opens_variable(text[0]):
        return predicate and text[0] != "_" and variable_end(text, 0) == len(text)
    return not (predicate and text == "triple")


def is_prefixed(text: str) -> bool:
    """Whether a text is read as ``prefix:name`` or ``_:name``."""
    prefix, colon, local = text.partition(":")
    return bool(colon) and is_prefix(prefix, blank=True) and opens_local(local, 0) and name_end(local, 0) == len(local)


def is_prefix(text: str, *, blank: bool = False) -> bool:
    """Whether a text may stand before the colon of a name; the one of things without a name, ``_``, where told."""
    return not text or (text == "_" and blank) or (
        text != "_" and opens_name(text[0]) and name_end(text, 0) == len(text)
    )  # fmt: skip


class Scanner:
    """Reads rule text, a token at a time.

    Args:
        text: All of it; a byte order mark before it is passed over.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 1 if text.startswith("\ufeff") else 0
        """Behind the last character that was read."""
        self._next: Token | None = None
        self._begun = (-1, 0)
        """A place, and where what comes behind its blanks begins."""
        self._breaks = [found.end() for found in _BREAK.finditer(text)]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both from 1."""
        line = bisect_right(self._breaks, offset)
        return line + 1, offset - (self._breaks[line - 1] if line else 0) + 1

    def begins_line(self, token: Token) -> bool:
        """Whether nothing but blanks stands before a token on its line."""
        line = bisect_right(self._breaks, token.start)
        return not self.text[self._breaks[line - 1] if line else 0 : token.start].strip()

    def peek(self) -> Token:
        """The token that comes next."""
        if self._next is None:
            self._next = self._read(self._begins())
        return self._next

    def take(self) -> Token:
        """Read on, behind the token that came next."""
        token = self.peek()
        self.at, self._next = token.end, None
        return token

    def sign(self, pattern: re.Pattern[str]) -> Token | None:
        """Read on, behind what matches, if that comes next; a token of what it is in ASCII."""
        return self._take(pattern.match(self.text, self._begins()))

    def glued(self, pattern: re.Pattern[str]) -> Token | None:
        """The same where no blank stands before it."""
        return self._take(pattern.match(self.text, self.at))

    def modulo(self) -> Token | None:
        """Read on, behind a ``%`` that divides, if that comes next."""
        found = self._take(_MODULO.match(self.text, self.at))
        return found._replace(text="%") if found else None

    def follows(self, token: Token, signs: str) -> bool:
        """Whether one of some signs comes next behind a token."""
        at = self._behind_blanks(token.end)
        return at < len(self.text) and self.text[at] in signs

    def shorten(self, token: Token, length: int) -> None:
        """What comes next is a variable that ends earlier than the token that was seen."""
        self._next = Token("variable", token.text[:length], token.start, token.start + length)

    def _take(self, found: re.Match[str] | None) -> Token | None:
        if found is None:
            return None
        self.at, self._next = found.end(), None
        return Token("sign", found[0].translate(FULL_WIDTH), found.start(), found.end())

    def _begins(self) -> int:
        if self._begun[0] != self.at:
            self._begun = self.at, self._behind_blanks(self.at)
        return self._begun[1]

    def _behind_blanks(self, at: int) -> int:
        found = _BLANK.match(self.text, at)
        return found.end() if found else at

    def _read(self, at: int) -> Token:
        text = self.text
        if at == len(text):
            return Token("end", "", at, at)
        sign = text[at]
        if opens_name(sign) or (sign == ":" and opens_local(text, at + 1)):
            return self._word(at)
        if sign in "0123456789":
            return self._number(at)
        if sign in "?？" and variable_end(text, at + 1) > at + 1:
            end = variable_end(text, at + 1)
            return Token("variable", "?" + text[at + 1 : end], at, end)
        for kind, pattern in _PATTERNS:
            found = pattern.match(text, at)
            if found:
                shown = found[0].translate(FULL_WIDTH) if kind == "sign" else found[0]
                return Token(kind, shown, at, found.end())
        return self._bad(at)

    def _word(self, at: int) -> Token:
        text, end = self.text, at if self.text[at] == ":" else name_end(self.text, at)
        if text[end : end + 1] == ":" and opens_local(text, end + 1):
            end = name_end(text, end + 1)
            return Token("name", text[at:end], at, end)
        if opens_variable(text[at]):
            end = variable_end(text, at)
            return Token("variable", text[at:end], at, end)
        return Token("name", text[at:end], at, end)

    def _number(self, at: int) -> Token:
        found = _NUMBER.match(self.text, at)
        end = found.end() if found else at
        if end < len(self.text) and (opens_name(self.text[end]) or joins(self.text[end])):
            end = name_end(self.text, at)
            shown = self.text[at:end]
            why = f"`{shown}` begins with a digit, so it is no bare name, and it is no number."
            return Token("bad", shown, at, end, why, f"Write a name with a prefix, such as `ex:{shown}`, or in `<>`.")
        return Token("number", self.text[at:end], at, end)

    def _bad(self, at: int) -> Token:
        sign = self.text[at]
        if sign in "\"'“”‘’「『«":
            end = next((found - 1 for found in self._breaks if found > at), len(self.text))
            line = self.text[at:end].rstrip("\r\n")
            if sign == '"':
                return Token("bad", line, at, at + len(line), "A text is not closed: its second `\"` is missing.",
                             'Write `"` behind it; a line break within is `\\n`, a quote is `\\"`.')  # fmt: skip
            why = f"`{sign}` is no quote of this language."
            return Token("bad", line, at, at + len(line), why, 'Write a text as `"text"`.')
        if sign.isdecimal():
            return Token("bad", sign, at, at + 1, f"`{sign}` is no digit of this language.", "Write it as 0 to 9.")
        hints = {"?": "A variable is `?` and a name, such as `?x`.", "<": "An IRI is written `<https://...>`.",
                 "？": "A variable is `?` and a name, such as `?x`.",
                 "[": "There are no lists: write a fact for each of its items.",
                 "@": "Known are @prefix, @about, @confidence and @id."}  # fmt: skip
        shown = sign if sign.isprintable() else f"U+{ord(sign):04X}"
        return Token("bad", sign, at, at + 1, f"`{shown}` has no meaning here.", hints.get(sign, ""))


_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("text", _TEXT), ("name", _IRI), ("note", _NOTE), ("sign", _SIGN),
)  # fmt: skip
