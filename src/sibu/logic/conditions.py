"""Atoms, comparisons and aggregates, from rule text."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from sibu.core.errors import near_miss
from sibu.core.logic import TYPE, Aggregate, Atom, Comparison, Condition, Entity, Expression, Not, Term, Value, Variable
from sibu.logic.page import Unread, shown
from sibu.logic.scan import RESERVED, Token, opens_variable
from sibu.logic.terms import CLOSE, OPEN, PLUS, TIMES, Terms

AGGREGATES: Final = ("count", "sum", "min", "max", "mean")
COMMA = re.compile("[,，]")
NOT_SLIP = re.compile(r"\\\+|[!！~¬]\s*(?=[^\W\d]|<)|-(?=\s*[^\W\d]\w*\s*\()|(?:NOT|Not)(?=\s+[^\W\d])")
_OPEN_SET, _CLOSE_SET = re.compile(r"[{｛]"), re.compile(r"[}｝]")
_COLON, _COLON_SLIP = re.compile(r"[:：](?![-－])"), re.compile(r"\||;|；|where\b|[:：][-－]")
_AND_SLIP = re.compile(r"&&?|∧|、|and\b|AND\b")
_COMPARE = re.compile(r"[!！][=＝]|[<＜][=＝]|[>＞][=＝]|[=＝<＜>＞]")
_COMPARE_SLIP = re.compile(r"===?|=:=|=\\=|!==|\\==?|/=|<>|=<|=>|≠|≤|≥|is\b")
_MEANT = {"=<": "<=", "=>": ">=", "≤": "<=", "≥": ">="} | dict.fromkeys(
    ("=\\=", "!==", "\\=", "\\==", "/=", "<>", "≠"), "!="
)
_INVERSE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Conditions:
    """Reads conditions.

    Args:
        terms: Reads what stands in them.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms, self.page, self.scan = terms, terms.page, terms.scan

    def comma(self) -> bool:
        """Read what joins two conditions, or what people write for it; whether it stands there."""
        if self.scan.sign(COMMA):
            return True
        slip = self.scan.sign(_AND_SLIP)
        if slip:
            self.page.tell(slip, f"`{slip.text}` stands between two conditions.", "Write `,`.")
        return slip is not None

    def condition(self, *, inner: bool = False) -> Condition:
        """A condition; ``inner``: of an aggregate, within which there is no other."""
        token = self.scan.peek()
        if slip := self.scan.sign(NOT_SLIP):
            self.page.tell(slip, f"`{slip.text.strip()}` stands before an atom.", "Write `not`.")
            return self._denied()
        if token.kind == "name" and token.text == "not":
            self.scan.take()
            return self._denied()
        if self.terms.is_atom(token):
            return self.atom()
        if token.kind == "name" and self.scan.follows(token, "{｛"):
            self.page.fail(
                token,
                f"`{token.text} {{` stands alone, but an aggregate gives its result to a variable.",
                f"Write `N = {token.text} {{ ... }}`, and what is asked of `N` behind it.",
            )
        return self._compared(inner)

    # Atoms.

    def atom(self) -> Atom:
        """An atom."""
        name = self.scan.peek()
        self._check_relation(name)
        self.scan.take()
        predicate = self.terms.entity(name)
        opening = self.scan.sign(OPEN)
        if opening is None:
            return Atom(predicate, ())
        terms: list[Term | Variable] = []
        if self.scan.sign(CLOSE) is None:
            terms.append(self.terms.term())
            while self.scan.sign(COMMA):
                terms.append(self.terms.term())
            self._check_unreckoned()
            self.terms.closed(opening, CLOSE, ")")
        if name.text == "triple":
            return self._triple(name, terms)
        return Atom(TYPE, (terms[0], predicate)) if len(terms) == 1 else Atom(predicate, tuple(terms))

    def _check_relation(self, name: Token) -> None:
        """Fail where it is no name of a relation; that may begin with a capital letter where terms follow."""
        told = self.terms.is_atom(name) or (name.kind == "name" and name.text not in RESERVED)
        if told and (name.text[0] not in "?_" or name.text.startswith("_:")):
            return
        what = f"{shown(name)} stands here, but an atom begins with the name of a relation."
        if name.kind == "variable":
            self.page.fail(name, what, f"Where any relation will do, write `triple(S, {name.text}, O)`.")
        self.page.fail(name, what, "Write such as `takes(P, X)`.")

    def _triple(self, name: Token, terms: list[Term | Variable]) -> Atom:
        if len(terms) != 3:
            self.page.fail(
                name,
                f"`triple` has {len(terms)} terms, but should have three: subject, predicate and object.",
                "Write `triple(S, P, O)`; a relation of your own that is called so is written in `<>`.",
            )
        subject, predicate, target = terms
        if isinstance(predicate, Value):
            self.page.fail(name, "The predicate of `triple` is a value, but should be a name or a variable.")
        return Atom(predicate, (subject, target))

    def _check_unreckoned(self) -> None:
        """Fail where someone reckons within an atom."""
        if found := self.scan.sign(PLUS) or self.scan.sign(TIMES) or self.scan.modulo():
            mend = "Give it a variable in a condition of its own, such as `M = N * 2`, and write `M` here."
            if self.scan.text[found.start - 1].isdigit():
                mend += " (A name that begins with a digit has a prefix, or stands in `<>`.)"
            self.page.fail(found, f"`{found.text}` stands within an atom, where nothing is reckoned.", mend)

    # What denies and what compares.

    def _denied(self) -> Not:
        token = self.scan.peek()
        if token.kind == "sign" and token.text == "(":
            self.page.fail(
                token,
                "Behind `not` stands a parenthesis, but it denies one atom.",
                "Write `not p(X)`. To deny several at once, make them the body of a rule, and deny its head.",
            )
        if token.kind == "name" and token.text == "not":
            self.page.fail(token, "`not` stands twice.", "Leave both out, or one.")
        if self.terms.is_atom(token):
            return Not(self.atom())
        found = self._compared(inner=True)
        if isinstance(found, Comparison):
            self.page.fail(
                token,
                "Behind `not` stands a comparison, but it denies an atom.",
                f"Leave `not` out, and write `{_INVERSE[found.operator]}` for `{found.operator}`.",
            )
        assert isinstance(found, Atom)
        return Not(found)

    def _compared(self, inner: bool) -> Comparison | Aggregate | Atom:
        """A comparison, an aggregate, or an atom without terms."""
        token = self.scan.peek()
        if token.kind in {"sign", "end"} and token.text not in {"(", "-"}:
            mend = "Write an atom such as `takes(P, X)`, `not` and an atom, or a comparison."
            self.page.fail(token, f"{shown(token)} stands where a condition should.", mend)
        left = self.terms.expression()
        operator = self._operator()
        if not operator:
            if isinstance(left, Entity):
                return Atom(left, ())
            self._no_condition(token)
        right = self.scan.peek()
        if right.kind == "name" and (
            self.scan.follows(right, "{｛") or (right.text in AGGREGATES and self.scan.follows(right, "(（"))
        ):
            return self._aggregate(self._result(left, operator, right, inner))
        found = Comparison(operator, left, self.terms.expression())  # type: ignore[arg-type]  # one of the six
        if again := self.scan.sign(_COMPARE):
            self.page.fail(again, "Two comparisons stand in one.", "Write them apart, such as `1 < X, X < 5`.")
        return found

    def _operator(self) -> str:
        """Read what compares, or what people write for it; empty: nothing does."""
        if slip := self.scan.sign(_COMPARE_SLIP):
            meant = _MEANT.get(slip.text, "=")
            self.page.tell(slip, f"`{slip.text}` is no comparison; there are = != < <= > >=.", f"Write `{meant}`.")
            return meant
        found = self.scan.sign(_COMPARE)
        return found.text if found else ""

    def _no_condition(self, token: Token) -> NoReturn:
        behind = self.scan.peek()
        if token.kind == "variable" and behind.kind in {"name", "variable"} and not self.scan.begins_line(behind):
            mend = 'A name has no blanks: write it with `_`, or as a text in `"`.'
            self.page.fail(behind, f"{shown(behind)} stands behind {shown(token)}.", mend)
        self.page.fail(
            behind if behind.kind == "bad" else token,
            f"{shown(token)} alone is no condition: that is an atom such as `takes(P, X)`, `not` and an atom, or a "
            "comparison.",
            "Compare it with something, or write it within an atom.",
        )

    # Aggregates.

    def _result(self, left: Expression, operator: str, name: Token, inner: bool) -> Variable:
        """The variable to which an aggregate gives its result."""
        if inner:
            what, mend = "An aggregate stands within another, or behind `not`.", " in a rule of its own."
        else:
            what, mend = "An aggregate is compared, but it gives its result to a variable.", ", and compare `N`."
        if inner or not isinstance(left, Variable) or operator != "=":
            self.page.fail(name, what, f"Write `N = {name.text} {{ ... }}` as a condition of its own{mend}")
        return left

    def _aggregate(self, result: Variable) -> Aggregate:
        name, opening = self.scan.take(), self.scan.peek()
        operator = name.text
        if operator not in AGGREGATES:
            meant = {"avg": "mean", "average": "mean"}.get(operator, operator)
            known = f"There are {', '.join(AGGREGATES)}."
            self.page.tell(name, f"`{operator}` is no aggregate.", near_miss(meant, AGGREGATES) + known)
        if self.scan.sign(_OPEN_SET) is None:
            what = f"Behind `{operator}` stands `(`, but an aggregate is written with braces."
            self.page.fail(opening, what, f"Write `{operator} {{ X : takes(P, X) }}`.")
        items = [self._item(operator)]
        while self.scan.sign(COMMA):
            items.append(self._item(operator))
        self._colon()
        body = [self._inner()]
        while self.comma():
            body.append(self._inner())
        self.terms.closed(opening, _CLOSE_SET, "}")
        return Aggregate(result, operator, tuple(items), tuple(body))  # type: ignore[arg-type]  # one of the five

    def _item(self, operator: str) -> Expression:
        token = self.scan.peek()
        prefix, colon, _ = token.text.partition(":")
        is_glued = token.kind == "name" and colon and prefix not in ("", "_") and opens_variable(prefix[0])
        if is_glued and not self.terms.knows(prefix):
            self.scan.shorten(token, len(prefix))  # `{X:takes(P, X)}`
        elif self.terms.is_atom(token) or token.text == ":":
            what = f"What `{operator}` reckons over should stand first, and then `:` and the conditions."
            self.page.fail(token, what, f"Write `{operator} {{ X : takes(P, X) }}`.")
        return self.terms.expression()

    def _colon(self) -> None:
        if self.scan.sign(_COLON):
            return
        slip = self.scan.sign(_COLON_SLIP)
        at = slip or self.scan.peek()
        what = f"{shown(at)} stands behind what is reckoned over."
        if slip is None:
            self.page.fail(at, what, "Write `:` and the conditions.")
        self.page.tell(at, what, "Write `:`.")

    def _inner(self) -> Atom | Not | Comparison:
        found = self.condition(inner=True)
        if isinstance(found, Aggregate):  # refused already
            raise Unread
        return found
