"""The text of rules: ``parse`` reads it, ``write`` writes it. The package's docstring shows the language.

A file's faults are told all at once: behind one the parser goes on where the next rule begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sibu.core.errors import near_miss
from sibu.core.logic import Atom, Condition, Rule
from sibu.core.names import XSD, Names, is_iri
from sibu.logic.conditions import COMMA, NOT_SLIP, Conditions
from sibu.logic.page import Page, Unread, shown
from sibu.logic.program import Program
from sibu.logic.scan import Token, is_prefix
from sibu.logic.terms import CLOSE, Terms
from sibu.logic.written import write

__all__ = ["Program", "parse", "parse_atom", "write"]

NOTES: Final = ("about", "confidence", "id", "prefix")

_ARROW = re.compile("[:：][-－]")
_ARROW_SLIP = re.compile(r"<-+|<=|:=|←|⇐|⟵|[:：][–—―]+|if\b|[:：](?![-－])")
_BACKWARD = re.compile(r"-+>|=>|→|⇒|⟶|then\b")
_STOP, _ASK = re.compile("[.。．｡]"), re.compile(r"[?？]")
_OR_SLIP = re.compile(r"\|\|?|∨|[;；]|or\b|OR\b")
_PREFIX = re.compile(r"[^\s:<：]*[:：]")


def parse(text: str, names: Names, file: str = "") -> Program:
    """The rules of a text.

    Args:
        text: A whole file of rules.
        names: The knowledge base's namespace, and its prefixes; the text may declare more.
        file: Its name, for messages and for ``Rule.where``.

    Raises:
        RuleError: When something cannot be read. It holds every such fault with line and column.
    """
    return _Statements(text, names, file).program()


def parse_atom(text: str, names: Names) -> Atom:
    """The one atom of a text, such as ``contraindicated(anna, X)``; a full stop or ``?`` behind it does no harm.

    Raises:
        RuleError: When it is something else. Its faults say line and column.
    """
    page = Page(text, "")
    found = None
    try:
        found = Conditions(Terms(page, names)).atom()
        if page.scan.sign(_STOP) is None:
            page.scan.sign(_ASK)
        if (token := page.scan.peek()).kind != "end":
            page.fail(token, f"{shown(token)} stands behind the atom.", "Give one atom, such as `takes(anna, X)`.")
    except Unread:
        pass
    page.refuse()
    assert found is not None
    return found


class _Statements:
    """Reads a file: declarations, what is told of rules, rules."""

    def __init__(self, text: str, names: Names, file: str) -> None:
        self.page = Page(text, file)
        self.scan = self.page.scan
        self.terms = Terms(self.page, names)
        self.conditions = Conditions(self.terms)
        self.rules: list[Rule] = []
        self.places: list[tuple[str, ...]] = []
        self.declared: dict[str, str] = {}
        self.unnamed: dict[int, int] = {}
        """By line: how many rules without an id of their own begin there."""

    def program(self) -> Program:
        """All rules, or all faults."""
        while self.scan.peek().kind != "end":
            try:
                self._statement()
            except Unread as fault:
                if not fault.here:
                    self.page.pass_over()
        self.page.refuse()
        return Program(tuple(self.rules), self.terms.names, tuple(self.places))

    def _statement(self) -> None:
        notes: dict[str, str | float] = {}
        last = self.scan.peek()
        while (note := self.scan.peek()).kind == "note":
            self.scan.take()
            if note.text == "@prefix":
                if notes:
                    self.page.tell(note, "@prefix stands between a rule and what is told of it.", "Move it up.")
                self._prefix(note)
            else:
                self._told(note, notes)
                last = note
        if self.scan.peek().kind != "end":
            self._rule(notes)
        elif notes:
            self.page.tell(last, f"{last.text} tells of a rule, but none follows.", "Write it before its rule.")

    def _prefix(self, note: Token) -> None:
        mend = "Write it as `@prefix ex: <https://example.org/> .`"
        found = self.scan.sign(_PREFIX)
        if found is None or not is_prefix(found.text[:-1]):
            self.page.fail(found or self.scan.peek(), "Behind @prefix a name and `:` should stand.", mend)
        prefix, token = found.text[:-1], self.scan.peek()
        namespace = token.text[1:-1]
        if token.kind != "name" or token.text[0] != "<" or not is_iri(namespace):
            self.page.fail(token, f"{shown(token)} is no namespace: it should be an absolute IRI in `<>`.", mend)
        self.scan.take()
        self.scan.sign(_STOP)
        before = self.declared.setdefault(prefix, namespace)
        if before != namespace:
            what = f"The prefix `{prefix}:` is declared twice, as <{before}> and as <{namespace}>."
            self.page.tell(note, what, "Keep one, and give the other another name.")
        self.terms.declare(prefix, namespace)

    def _told(self, note: Token, notes: dict[str, str | float]) -> None:
        """Read what is told of the rule that follows."""
        what, token = note.text[1:], self.scan.peek()
        if what not in NOTES:
            known = "There are @prefix, @about, @confidence and @id."
            self.page.tell(note, f"{note.text} is unknown.", near_miss(what, NOTES) + known)
        if what in notes:
            self.page.tell(note, f"{note.text} stands twice before one rule.", "Keep one.")
        if token.kind in {"text", "number"}:
            value = self.terms.value()
            self.scan.sign(_STOP)
            number = value.number
        elif token.kind == "note" or self.scan.place(token.start)[0] > self.scan.place(note.start)[0]:
            value, number = None, None
        else:
            value, number = None, None
            self.scan.take()
        if what == "confidence":
            if number is None or not 0 < number <= 1:
                wanted = "Behind @confidence a number should stand that is above 0 and at most 1."
                self.page.tell(note, wanted, "Write it as `@confidence 0.8`.")
            notes[what] = number or 1.0
        else:
            if value is None or value.datatype != XSD + "string" or not value.text:
                wanted = f"Behind {note.text} a text should stand that is not empty."
                self.page.tell(note, wanted, f'Write it as `{note.text} "..."`.')
            notes[what] = value.text if value else ""

    def _rule(self, notes: Mapping[str, str | float]) -> None:
        start = self.scan.peek()
        self.terms.fresh = 0
        is_constraint = start.kind not in {"name", "variable"} and self._arrow()
        head = None if is_constraint else self._head()
        body: list[Condition] = []
        places: list[str] = []
        if head is None or self._arrow():
            self._body(body, places)
        if self.scan.sign(_STOP) is None:
            self._unended(start, bool(body))
        line = self.scan.place(start.start)[0]
        if "id" not in notes:
            self.unnamed[line] = self.unnamed.get(line, 0) + 1
        own = f"r{line}" if self.unnamed.get(line, 0) < 2 else f"r{line}.{self.unnamed[line]}"
        where, confidence = self.page.where(start.start), float(notes.get("confidence", 1.0))
        self.rules.append(
            Rule(str(notes.get("id", own)), head, tuple(body), where, confidence, str(notes.get("about", "")))
        )
        self.places.append(tuple(places))

    def _arrow(self) -> bool:
        """Read `:-`, or what people write for it; whether it stands there."""
        if self.scan.sign(_ARROW):
            return True
        if slip := self.scan.sign(_ARROW_SLIP):
            self.page.tell(slip, f"`{slip.text}` stands where a body begins.", "Write `:-`.")
        return slip is not None

    def _head(self) -> Atom:
        token = self.scan.peek()
        if token.text == "not" or self.scan.sign(NOT_SLIP):
            self.page.fail(
                token,
                "A head is denied, but a rule concludes that something holds.",
                "What must never hold is written without a head, as `:- alive(P), dead(P).`",
            )
        if token.kind == "sign" and token.text[0] == "/":
            self.page.fail(token, f"{shown(token)} stands where a rule should begin.", "A comment begins with `#`.")
        head = self.conditions.atom()
        if slip := self.scan.sign(_BACKWARD):
            self.page.fail(
                slip,
                f"`{slip.text}` stands behind what should be the head of a rule.",
                "Write what is concluded first, then `:-` and the conditions.",
            )
        if comma := self.scan.sign(COMMA):
            self.page.fail(
                comma,
                "A comma stands behind a head, but a rule has one head.",
                "Write a rule for each head, with the same body; behind a fact, write a full stop.",
            )
        return head

    def _body(self, body: list[Condition], places: list[str]) -> None:
        while True:
            token = self.scan.peek()
            if token.kind == "sign" and token.text == ".":
                mend = "Leave the comma out." if body else "Write one, or leave `:-` out."
                self.page.tell(token, "A condition should stand before the full stop.", mend)
                return
            places.append(self.page.where(token.start))
            body.append(self.conditions.condition())
            if not self.conditions.comma():
                return

    def _unended(self, start: Token, has_body: bool) -> None:
        """Say what may be meant by what stands where a full stop should."""
        token, end = self.scan.peek(), self.scan.at
        lacking = f"The rule of line {self.scan.place(start.start)[0]} lacks its full stop"
        if token.kind == "end":
            self.page.fail(end, f"{lacking}: the text ends.", "Write `.` behind it.", here=True)
        if slip := self.scan.sign(_OR_SLIP):
            what = f"`{slip.text}` stands behind a condition, but a body has no `or`."
            self.page.fail(slip, what, "Write a rule for each case, with the same head.")
        if token.kind in {"name", "variable", "note"} and self.scan.begins_line(token):
            if has_body and token.kind != "note" and self.scan.place(token.start)[1] > 1:
                what = f"Neither `,` nor a full stop stands between this condition and {shown(token)} of the next line."
                self.page.fail(end, what, "Write `,` where the rule goes on, `.` where it ends.", here=True)
            what = f"{lacking}: the next line begins with {shown(token)}."
            self.page.fail(end, what, "Write `.` behind it.", here=True)
        self._unmeant(token, has_body)

    def _unmeant(self, token: Token, has_body: bool) -> None:
        if self.scan.sign(_ARROW):
            mend = "Where the rule before it ends, write a full stop and a blank behind it."
            self.page.fail(token, "A second `:-` stands in one rule.", mend)
        if token.text == ":" and self.scan.text[token.start] == "：":
            self.page.fail(token, "`：` stands behind a name.", "If that is its prefix, join them with `:`.")
        if token.kind == "sign" and token.text[0] in "+-*/%<>=!":
            what = f"{shown(token)} stands behind an atom, but variables are compared and reckoned with."
            self.page.fail(token, what, "Give the atom a variable, such as `age(P, A), A >= 65`.")
        if self.scan.sign(CLOSE):
            self.page.fail(token, "A `)` stands here that no `(` opened.", "Leave it out.")
        what = "a condition" if has_body else "a head"
        then = "`,` and the next one, or `.`" if has_body else "`:-` and the conditions, or `.`"
        self.page.fail(token, f"{shown(token)} stands behind {what}; there may stand {then}.")
