"""Rules of whole numbers and names as an answer-set program, and what clingo makes of it.

A stratified program has one stable model, which is what follows. Where a condition has no meaning for Sibu (a name
compared by ``<``, a sum of names) the text says so to clingo, which has an order of all terms.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import product

from sibu.core.logic import (
    TYPE,
    Aggregate,
    Arithmetic,
    Atom,
    Comparison,
    Condition,
    Entity,
    Expression,
    Not,
    Rule,
    Term,
    Value,
    Variable,
)


class Untranslatable(Exception):
    """The program has what an answer-set program has not: floats, texts, a mean."""


def follows(rules: Iterable[Rule], facts: Iterable[Atom]) -> list[frozenset[Atom]]:
    """The facts of each stable model, as clingo finds them, two at most; one by the theory.

    Raises:
        Untranslatable: Where there is no such program.
    """
    import clingo

    program = _Program(list(rules), list(facts))
    told: list[str] = []
    control = clingo.Control(["--models=2"], logger=lambda code, message: _heard(told, code, message))
    control.add("base", [], program.text())
    control.ground([("base", [])])
    models: list[frozenset[Atom]] = []
    control.solve(on_model=lambda model: models.append(frozenset(map(program.fact, model.symbols(atoms=True)))))
    if told:
        raise RuntimeError("\n".join(told))
    return models


def _heard(told: list[str], code: object, message: str) -> None:
    # That a name has no sum is what the text counts on.
    if "OperationUndefined" not in str(code) and "AtomUndefined" not in str(code):
        told.append(message)


class _Program:
    def __init__(self, rules: list[Rule], facts: list[Atom]) -> None:
        self._rules, self._facts = rules, facts
        self._names: dict[Entity, int] = {}
        self._variables: dict[str, str] = {}
        self._alone: set[str] = set()
        atoms = [atom for rule in rules for atom in _atoms(rule)] + facts
        parts = [part for atom in atoms for part in (atom.predicate, *atom.terms) if isinstance(part, Entity)]
        for entity in parts:
            self._number(entity)

    def text(self) -> str:
        return "\n".join([f"{self._atom(fact)}." for fact in self._facts]
                         + [line for rule in self._rules for line in self._rule(rule)])  # fmt: skip

    def fact(self, symbol: object) -> Atom:
        """The fact that a symbol of clingo's stands for."""
        name, arguments = symbol.name, [self._term_of(each) for each in symbol.arguments]  # type: ignore[attr-defined]
        number = list(self._names)[int(name.split("_")[1])]
        return Atom(TYPE, (*arguments, number)) if name[0] == "c" else Atom(number, tuple(arguments))

    def _number(self, entity: Entity) -> int:
        return self._names.setdefault(entity, len(self._names))

    def _term_of(self, symbol: object) -> Term:
        if "Number" in str(symbol.type):  # type: ignore[attr-defined]
            return Value.of(symbol.number)  # type: ignore[attr-defined]
        return list(self._names)[int(symbol.name[1:])]  # type: ignore[attr-defined]

    def _rule(self, rule: Rule) -> list[str]:
        """A line, or one for each way to put predicates and classes for the variables that stand for them."""
        if rule.head is None:
            return []  # a constraint would take the model away; it concludes nothing
        self._alone = _alone(rule)
        opened = list(dict.fromkeys(name for atom in _atoms(rule) for name in _opened(atom)))
        if opened and any(isinstance(each, Aggregate) for each in rule.body):
            raise Untranslatable("an aggregate beside an open predicate")
        lines = []
        usual = [entity for entity in self._names if entity != TYPE]  # no rule of the tests opens rdf:type itself
        for chosen in product(usual, repeat=len(opened)):
            put = partial(_put, dict(zip(opened, chosen, strict=True)))
            body = [text for each in rule.body for text in self._condition(each, put)]
            lines.append(f"{self._atom(put(rule.head))}{' :- ' if body else ''}{', '.join(body)}.")
        return lines

    def _condition(self, each: Condition, put: partial[Atom]) -> list[str]:
        match each:
            case Atom():
                return [self._atom(put(each))]
            case Not(atom):
                return [f"not {self._atom(put(atom))}"]
            case Comparison(sign, left, right):
                ends = "" if sign in ("=", "!=") else "+0"  # names have an order in clingo, but no sum
                return [f"{self._value(left)}{ends} {sign} {self._value(right)}{ends}"]
            case Aggregate(result, how, items, body):
                if how == "mean":
                    raise Untranslatable(how)
                inner = ", ".join(text for part in body for text in self._condition(part, put))
                name = self._value(result)
                told = ", ".join(map(self._value, items))
                limits = [f"{name} != {limit}" for limit in ("#sup", "#inf")] if how in ("min", "max") else []
                return [f"{name} = #{how} {{ {told} : {inner} }}", *limits]

    def _atom(self, atom: Atom) -> str:
        """``p_<number>(...)``, or ``c_<number>(...)`` for a class."""
        assert isinstance(atom.predicate, Entity)
        kind, number, terms = "p", self._names.get(atom.predicate), atom.terms
        if atom.predicate == TYPE:
            assert isinstance(terms[1], Entity)
            kind, number, terms = "c", self._names[terms[1]], terms[:1]
        told = ", ".join(map(self._value, terms))
        return f"{kind}_{number}({told})" if told else f"{kind}_{number}"

    def _value(self, part: Expression) -> str:
        match part:
            case Entity():
                return f"e{self._number(part)}"
            case Variable(name) if name in self._alone:
                return "_"
            case Variable(name):
                return self._variables.setdefault(name, f"V{len(self._variables)}")
            case Arithmetic(operator, left, right):
                one, other = self._value(left), self._value(right)
                if operator not in ("//", "%"):
                    return f"({one} {operator} {other})" if operator != "/" else self._refuse(operator)
                if not isinstance(right, Value) or not (right.number or 0) > 0:
                    return self._refuse("division by what may be negative")
                rest = f"((({one} \\ {other}) + {other}) \\ {other})"  # clingo's own goes towards 0, Python's down
                return rest if operator == "%" else f"(({one} - {rest}) / {other})"
            case _:
                number = part.number if isinstance(part, Value) else None
                if not isinstance(number, int) or part != Value.of(number):
                    return self._refuse(str(part))
                return f"({number})"

    def _refuse(self, what: str) -> str:
        raise Untranslatable(what)


def _alone(rule: Rule) -> set[str]:
    """Variables that stand in one negated atom and nowhere else."""
    parts = [part for each in rule.body for part in (each.body if isinstance(each, Aggregate) else (each,))]
    denied = [name for each in parts if isinstance(each, Not) for name in each.atom.variables]
    counted = [(each.result, *each.items) for each in rule.body if isinstance(each, Aggregate)]
    others = [rule.head, *(each for each in parts if not isinstance(each, Not)), *counted]
    return {name for name in denied if denied.count(name) == 1 and f"Variable(name={name!r})" not in repr(others)}


def _atoms(rule: Rule) -> list[Atom]:
    found = [] if rule.head is None else [rule.head]
    for each in rule.body:
        parts = each.body if isinstance(each, Aggregate) else (each,)
        found += [part.atom if isinstance(part, Not) else part for part in parts if isinstance(part, Not | Atom)]
    return found


def _opened(atom: Atom) -> list[str]:
    places = (atom.predicate, *(atom.terms[1:] if atom.predicate == TYPE else ()))
    return [place.name for place in places if isinstance(place, Variable)]


def _put(chosen: dict[str, Entity], atom: Atom) -> Atom:
    """The atom with entities for its variables; where one becomes a class's membership, its class too."""
    parts = [
        chosen.get(part.name, part) if isinstance(part, Variable) else part for part in (atom.predicate, *atom.terms)
    ]
    return Atom(parts[0], tuple(parts[1:]))  # type: ignore[arg-type]
