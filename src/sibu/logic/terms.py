"""Names, variables, values and what is reckoned with them, from rule text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Final, NoReturn

from sibu.core.errors import near_miss
from sibu.core.logic import Arithmetic, Entity, Expression, Term, Value, Variable
from sibu.core.names import RDF, STANDARD, XSD, Names, is_iri
from sibu.logic.page import Page, shown
from sibu.logic.scan import RESERVED, Token

DEEPEST: Final = 50
"""How deep an expression may be nested."""
OPEN, CLOSE = re.compile(r"[(（]"), re.compile(r"[)）]")
PLUS, TIMES = re.compile(r"[+＋]|[-－](?!>)"), re.compile(r"//(?!=)|/(?![/=])|[*＊]|／")
_MINUS = re.compile(r"[-－]")
_LANGUAGE, _CARETS = re.compile(r"@[A-Za-z]+(?:-[A-Za-z0-9]+)*"), re.compile(r"\^\^")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_FRESH = re.compile(r"_[0-9]+")

Measured = tuple[Expression, int]
"""An expression, and how deep it is nested."""


class Terms:
    """Reads terms and expressions.

    Args:
        page: The text.
        names: What its names stand for; changes where the text declares a prefix.
    """

    def __init__(self, page: Page, names: Names) -> None:
        self.page, self.scan = page, page.scan
        self.names = names
        self.fresh = 0
        """How many variables of the rule were written `_`."""
        self._taken = set(_FRESH.findall(page.scan.text))
        self._unknown: set[str] = set()
        self._entities: dict[str, Entity] = {}
        self._depth = 0

    def declare(self, prefix: str, namespace: str) -> None:
        """Know one more prefix from here on."""
        self.names = Names(self.names.base, {**self.names.prefixes, prefix: namespace})
        self._entities = {}

    def knows(self, prefix: str) -> bool:
        """Whether a prefix is known here."""
        return prefix in STANDARD or prefix in self.names.prefixes

    def is_atom(self, token: Token) -> bool:
        """Whether the token that comes next begins an atom with terms."""
        return token.kind in {"name", "variable"} and token.text not in RESERVED and self.scan.follows(token, "(（")

    def closed(self, opening: Token, pattern: re.Pattern[str], sign: str) -> None:
        """Read what closes a parenthesis or a brace."""
        if self.scan.sign(pattern) is None:
            line, column = self.scan.place(opening.start)
            token = self.scan.peek()
            self.page.fail(
                token,
                f"{shown(token)} stands here, but the `{opening.text}` of line {line}, column {column} is not closed.",
                f"Write `{sign}` where it should be.",
            )

    # Terms.

    def term(self) -> Term | Variable:
        """What may stand within an atom."""
        token = self.scan.peek()
        if self.is_atom(token):
            what = f"`{token.text}(` begins an atom within an atom; a term is a name, a variable or a value."
            self.page.fail(token, what, "Write it as a condition of its own.")
        minus = self.scan.sign(_MINUS)
        if minus is None:
            return self._simple("a term is a name, a variable or a value")
        if self.scan.peek().kind != "number":
            self.page.fail(
                minus,
                "`-` stands before what is no number, and within an atom nothing is reckoned.",
                "Give it a variable in a condition of its own, such as `M = 0 - N`, and write `M` here.",
            )
        return self.value(minus=True)

    def _simple(self, allowed: str) -> Term | Variable:
        token = self.scan.peek()
        if token.kind in {"text", "number"} or token.text in {"true", "false"}:
            return self.value()
        if token.kind not in {"name", "variable"} or token.text in RESERVED:
            self.page.fail(token, f"{shown(token)} stands here; {allowed}.")
        self.scan.take()
        return self.entity(token) if token.kind == "name" else self._variable(token)

    def _variable(self, token: Token) -> Variable:
        if token.text != "_":
            return Variable(token.text.removeprefix("?"))
        while True:
            self.fresh += 1
            if f"_{self.fresh}" not in self._taken:
                return Variable(f"_{self.fresh}")

    def entity(self, token: Token) -> Entity:
        """What a name stands for."""
        found = self._entities.get(token.text)
        if found is None:
            found = self._entities[token.text] = Entity(self._iri(token))
        return found

    def _iri(self, token: Token) -> str:
        """The IRI of a name; where it has none, that is told, and another will do."""
        text = token.text
        if text.startswith("<"):
            if is_iri(text[1:-1]):
                return text[1:-1]
            mend = "Write such as `<https://example.org/name>`, or a name without `<>`."
            self.page.tell(token, f"`{text}` is no absolute IRI.", mend)
            return self.names.base
        prefix, colon, _ = text.partition(":")
        if not colon or prefix == "_" or self.knows(prefix):
            return self.names.long(text)
        if prefix not in self._unknown:
            self._unknown.add(prefix)
            hint = near_miss(prefix, [*STANDARD, *self.names.prefixes])
            mend = f"Declare it before, `@prefix {prefix}: <https://example.org/> .`, or write the whole IRI in `<>`."
            self.page.tell(token, f"The prefix `{prefix}:` of `{text}` is unknown.", hint + mend)
        return self.names.base

    # Values.

    def value(self, *, minus: bool = False) -> Value:
        """The text, number or truth value that comes next; ``minus``: behind a `-` that was read."""
        token = self.scan.take()
        if token.kind == "text":
            return self._text(token)
        if token.kind == "name":
            return Value(token.text, XSD + "boolean")
        if not re.fullmatch(r"0|[1-9][0-9]*", token.text):
            return self._float(token, minus)
        return Value(f"-{token.text}" if minus and token.text != "0" else token.text, XSD + "integer")

    def _float(self, token: Token, minus: bool) -> Value:
        if token.text.isdigit():
            bare = token.text.lstrip("0") or "0"
            mend = f'Write {bare}, or "{token.text}" where it is a text.'
            self.page.tell(token, f"The number {token.text} begins with 0.", mend)
        number = float(token.text)
        if math.isinf(number):
            self.page.tell(token, f"{shown(token)} is too large for a number.", "Write one below 1.8e308.")
        return Value.of(-number if minus else number)

    def _text(self, token: Token) -> Value:
        text = _ESCAPE.sub(self._unescaping(token), token.text[1:-1])
        if language := self.scan.glued(_LANGUAGE):
            return Value(text, RDF + "langString", language.text[1:].lower())
        if self.scan.glued(_CARETS) is None:
            return Value(text)
        name = self.scan.peek()
        if name.kind != "name" or name.text in RESERVED:
            what = f"{shown(name)} stands behind `^^`, but there the name of a type should stand."
            self.page.fail(name, what, 'Write such as `"2020-01-01"^^xsd:date`.')
        self.scan.take()
        datatype = self._iri(name)
        if datatype == RDF + "langString":
            self.page.tell(name, "A text in a language has no type beside it.", 'Write such as `"Fieber"@de`.')
            datatype = XSD + "string"
        return Value(text, datatype)

    def _unescaping(self, token: Token) -> Callable[[re.Match[str]], str]:
        def unescape(found: re.Match[str]) -> str:
            code = found[1] or found[2]
            if code and int(code, 16) <= 0x10FFFF:
                return chr(int(code, 16))
            if not code and found[3] in _ESCAPES:
                return _ESCAPES[found[3]]
            self.page.tell(
                token.start + 1 + found.start(),
                f"`{found[0]}` is no escape within a text.",
                'There are `\\n \\r \\t \\b \\f \\" \\\\ \\u4e00 \\U0001f34e`; a backslash itself is `\\\\`.',
            )
            return ""

        return unescape

    # Arithmetic.

    def expression(self) -> Expression:
        """What may stand beside a comparison, or be reckoned over."""
        return self._sum()[0]

    def _sum(self) -> Measured:
        left = self._product()
        while sign := self.scan.sign(PLUS):
            left = self._made(sign, left, self._product())
        return left

    def _product(self) -> Measured:
        left = self._unary()
        while sign := self.scan.modulo() or self.scan.sign(TIMES):
            left = self._made(sign, left, self._unary())
        return left

    def _unary(self) -> Measured:
        minus = self.scan.sign(_MINUS)
        if minus is None:
            return self._primary()
        if self.scan.peek().kind == "number":
            return self.value(minus=True), 0
        return self._made(minus, (Value.of(0), 0), self._deeper(minus, self._unary))

    def _primary(self) -> Measured:
        token = self.scan.peek()
        if opening := self.scan.sign(OPEN):
            found = self._deeper(opening, self._sum)
            self.closed(opening, CLOSE, ")")
            return found
        if self.is_atom(token):
            self.page.fail(
                token,
                f"`{token.text}(` begins an atom, but names, variables and values are compared and reckoned with.",
                "Write the atom as a condition of its own, and use its variables.",
            )
        return self._simple("there may stand a name, a variable or a value"), 0

    def _made(self, sign: Token, left: Measured, right: Measured) -> Measured:
        depth = max(left[1], right[1]) + 1
        if depth > DEEPEST:
            self._too_deep(sign)
        return Arithmetic(sign.text, left[0], right[0]), depth  # type: ignore[arg-type]  # one of the six

    def _deeper(self, at: Token, read: Callable[[], Measured]) -> Measured:
        """Read what is nested, as long as it is not too deep for the parser itself."""
        self._depth += 1
        try:
            if self._depth > DEEPEST:
                self._too_deep(at)
            return read()
        finally:
            self._depth -= 1

    def _too_deep(self, at: Token) -> NoReturn:
        mend = "Give parts of it variables in conditions of their own, such as `M = N * 2`."
        self.page.fail(at, f"An expression is nested more than {DEEPEST} deep.", mend)
