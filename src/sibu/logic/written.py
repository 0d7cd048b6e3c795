"""Rules to rule text, such that the parser makes the same of it again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sibu.core.logic import (
    TYPE,
    Arithmetic,
    Atom,
    Comparison,
    Condition,
    Entity,
    Expression,
    Not,
    Rule,
    Value,
    Variable,
)
from sibu.core.names import STANDARD, XSD, Names
from sibu.logic.program import Program
from sibu.logic.scan import Scanner, is_bare, is_prefix, is_prefixed, is_variable

_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_FLOAT = re.compile(r"-?[0-9]+(?:\.[0-9]+(?:e[+-][0-9]+)?|e[+-][0-9]+)")
_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]')
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2}


def write(what: Program | Rule | Condition | Expression, names: Names) -> str:
    """The text of a program, a rule, a condition or a term; the parser makes the same of it with the same names.

    Where a rule stood is not written. A program declares the prefixes that ``names`` lacks.

    Raises:
        ValueError: When the language has no words for it, such as a variable with a blank in its name; the parser
            never makes such.
    """
    if isinstance(what, Program):
        return _program(what, names)
    writer = _Writer(names)
    if isinstance(what, Rule):
        return "\n".join(_rule_lines(what, writer, 1))
    return writer.condition(what) if isinstance(what, Condition) else writer.expression(what)


def _program(program: Program, names: Names) -> str:
    own = {prefix: iri for prefix, iri in program.names.prefixes.items() if names.prefixes.get(prefix) != iri}
    writer = _Writer(Names(names.base, {**names.prefixes, **own}))
    lines = [f"@prefix {prefix}: <{iri}> ." for prefix, iri in own.items()]
    for rule in program.rules:
        lines += _rule_lines(rule, writer, len(lines) + 1)
    return "".join(f"{line}\n" for line in lines)


def _rule_lines(rule: Rule, writer: _Writer, line: int) -> Iterator[str]:
    """What is told of a rule, and the rule; its id only where the parser would give it another."""
    if rule.about:
        yield f"@about {_quoted(rule.about)}"
    if rule.confidence != 1:
        yield f"@confidence {float(rule.confidence)!r}"
    if rule.id != f"r{line + bool(rule.about) + (rule.confidence != 1)}":
        yield f"@id {_quoted(rule.id)}"
    yield writer.rule(rule)


def _quoted(text: str) -> str:
    def escape(found: re.Match[str]) -> str:
        return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"

    return f'"{_ESCAPED.sub(escape, text)}"'


class _Writer:
    """Writes with one set of names, and keeps the short form of each IRI."""

    def __init__(self, names: Names) -> None:
        self.names = names
        known = {**STANDARD, **names.prefixes}
        self.spaces = [("", names.base), *((f"{prefix}:", iri) for prefix, iri in known.items() if is_prefix(prefix))]
        self.short: dict[tuple[str, bool], str] = {}

    def rule(self, rule: Rule) -> str:
        if rule.head is None and not rule.body:
            raise ValueError("a rule with neither head nor body says nothing")
        head = self.condition(rule.head) if rule.head else ""
        body = f":- {', '.join(map(self.condition, rule.body))}" if rule.body else ""
        return f"{head}{' ' if head and body else ''}{body}."

    def condition(self, what: Condition) -> str:
        if isinstance(what, Atom):
            return self.atom(what)
        if isinstance(what, Not):
            return f"not {self.atom(what.atom)}"
        if isinstance(what, Comparison):
            return f"{self.expression(what.left)} {what.operator} {self.expression(what.right)}"
        if not what.items or not what.body:
            raise ValueError("an aggregate without items or without a body cannot be written")
        items = ", ".join(map(self.expression, what.items))
        body = ", ".join(map(self.condition, what.body))
        return f"{self.expression(what.result)} = {what.operator} {{ {items} : {body} }}"

    def atom(self, atom: Atom) -> str:
        terms = [self.expression(term) for term in atom.terms]
        if isinstance(atom.predicate, Variable):
            return f"triple({terms[0]}, {self.expression(atom.predicate)}, {terms[1]})"
        if atom.predicate == TYPE and len(terms) == 2 and isinstance(atom.terms[1], Entity):
            return f"{self.entity(atom.terms[1].iri, predicate=True)}({terms[0]})"
        if len(terms) == 1:
            raise ValueError(f"an atom of one term is written as membership of a class: Atom(TYPE, ...), not {atom}")
        return f"{self.entity(atom.predicate.iri, predicate=True)}({', '.join(terms)})"

    def expression(self, what: Expression) -> str:
        if isinstance(what, Arithmetic):
            return self.arithmetic(what)
        if isinstance(what, Variable):
            for form in (what.name, f"?{what.name}"):
                if is_variable(form) and not form.startswith("??"):
                    return form
            raise ValueError(f"the variable {what.name!r} cannot be written: its name should be letters, digits and _")
        return self.entity(what.iri) if isinstance(what, Entity) else self.value(what)

    def arithmetic(self, what: Arithmetic) -> str:
        """With parentheses only where they change what is meant."""
        left, right = self.expression(what.left), self.expression(what.right)
        own = _BINDS[what.operator]
        if isinstance(what.left, Arithmetic) and _BINDS[what.left.operator] < own:
            left = f"({left})"
        if isinstance(what.right, Arithmetic) and _BINDS[what.right.operator] <= own:
            right = f"({right})"
        if what.operator == "%" and Scanner(f" % {right},").modulo() is None:  # else it would begin a comment
            right = f"({right})"
        return f"{left} {what.operator} {right}"

    def value(self, value: Value) -> str:
        if value.language:
            return f"{_quoted(value.text)}@{value.language}"
        if value.datatype == XSD + "string":
            return _quoted(value.text)
        if value.datatype == XSD + "boolean" and value.text in {"true", "false"}:
            return value.text
        if value.datatype == XSD + "integer" and _WHOLE.fullmatch(value.text):
            return value.text
        if value.datatype == XSD + "double" and _FLOAT.fullmatch(value.text) and repr(float(value.text)) == value.text:
            return value.text
        return f"{_quoted(value.text)}^^{self.entity(value.datatype)}"

    def entity(self, iri: str, *, predicate: bool = False) -> str:
        """The shortest form that is read as this IRI."""
        found = self.short.get((iri, predicate))
        if found is None:
            found = self.short[iri, predicate] = min(self._forms(iri, predicate), key=lambda form: (len(form), form))
        return found

    def _forms(self, iri: str, predicate: bool) -> Iterator[str]:
        if iri.startswith("_:"):
            if not is_prefixed(iri):
                raise ValueError(f"{iri!r} cannot be written: behind `_:` should stand letters, digits, - and _")
            yield iri
            return
        for prefix, space in self.spaces:
            if iri.startswith(space):
                form = prefix + iri[len(space) :]
                if is_prefixed(form) if prefix else is_bare(form, predicate=predicate):
                    yield form
        yield f"<{Entity(iri).iri}>"
