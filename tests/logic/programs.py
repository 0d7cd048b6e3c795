"""Random stratified programs with facts.

A program has predicates in levels: those of level 0 have asserted facts, those above have rules over their own level
and the ones below, and deny and count what is below. Each place of a predicate takes names or whole numbers; where the
program is not ``plain``, other values stray in (floats, ``01``, texts, dates).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import strategies as st

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
from sibu.core.names import XSD

BASE = "https://example.org/"
NAMES = tuple(Entity(BASE + name) for name in ("anna", "ben", "安娜", "dan", "_x", "p0"))
ODD = (
    Value("01", XSD + "integer"), Value("1.0", XSD + "double"), Value("1", XSD + "decimal"),
    Value("2.5", XSD + "float"), Value("one"), Value("一"), Value("2020-01-01", XSD + "date"),
    Value("2020-01-01+14:00", XSD + "date"), Value("2019-12-31Z", XSD + "date"), Value("2020-02-30", XSD + "date"),
    Value("12020-01-01", XSD + "date"),
    Value("true", XSD + "boolean"),
)  # fmt: skip
SUB, SYMMETRIC, SUBCLASS = (Entity(BASE + name) for name in ("sub", "Symmetric", "subclass"))


@dataclass(frozen=True)
class Program:
    """Rules, and what is asserted."""

    rules: tuple[Rule, ...]
    facts: tuple[Atom, ...]
    generic: bool = False
    """Whether it has rules over open predicates or classes."""
    made: str = "Program(...)"
    """How it is made again; all its rules would be too long to show."""

    def __repr__(self) -> str:
        return self.made

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.made)  # hypothesis would print every field


@dataclass(frozen=True)
class Relation:
    """A predicate, or a class; ``kinds`` has an ``n`` for a place of names, an ``i`` for one of numbers."""

    predicate: Entity
    kinds: str
    level: int

    @property
    def of_class(self) -> bool:
        """What has one term is a class."""
        return len(self.kinds) == 1

    def atom(self, *terms: Term | Variable) -> Atom:
        return Atom(TYPE, (*terms, self.predicate)) if self.of_class else Atom(self.predicate, terms)


def programs(*, plain: bool = False, depth: int = 12) -> st.SearchStrategy[Program]:
    """Random programs; ``plain``: whole numbers and names alone."""

    def made(seed: int, levels: int) -> Program:
        how = f"program(Random({seed}), {levels}, plain={plain})"
        return replace(program(Random(seed), levels, plain=plain), made=how)

    return st.builds(made, st.integers(0, 2**32 - 1), st.integers(0, depth))


def program(draw: Random, levels: int = 12, *, plain: bool = False) -> Program:
    """One program of up to ``levels`` levels above the facts."""
    return _Maker(draw, plain).program(levels)


@dataclass
class _Maker:
    draw: Random
    plain: bool
    relations: list[Relation] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    facts: list[Atom] = field(default_factory=list)

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def program(self, levels: int) -> Program:
        for number in range(self.draw.randint(2, 4)):
            relation = self.relation(f"b{number}", 0)
            self.facts += (self.fact(relation) for _ in range(self.draw.randint(3, 14)))
        for level in range(1, levels + 1):
            self.level(level)
        if self.chance(0.4):
            self.chain()
        if levels and self.chance(0.5):
            self.ladder(levels)
        generic = self.chance(0.25) and self.generic()
        if self.chance(0.2):
            self.rules.append(Rule("never", None, tuple(self.body(levels)[0])))
        self.draw.shuffle(self.rules)
        return Program(tuple(self.rules), tuple(dict.fromkeys(self.facts)), generic)

    def relation(self, name: str, level: int) -> Relation:
        size = self.draw.choices((0, 1, 2, 3, 4), (1, 5, 8, 3, 1))[0]
        kinds = "".join(self.draw.choices("ni", (3, 2), k=size))
        relation = Relation(Entity(BASE + self.draw.choice(("", "关系")) + name), kinds, level)
        self.relations.append(relation)
        return relation

    def fact(self, relation: Relation) -> Atom:
        return relation.atom(*map(self.constant, relation.kinds))

    def constant(self, kind: str) -> Term:
        if not self.plain and self.chance(0.08):
            return self.draw.choice(ODD)
        return self.draw.choice(NAMES) if kind == "n" else Value.of(self.draw.randint(-1, 6))

    def add(self, head: Atom, body: list[Condition]) -> None:
        self.rules.append(Rule(f"r{len(self.rules)}", head, tuple(body)))

    # What stands in a level.

    def level(self, level: int) -> None:
        own = [self.relation(f"p{level}{'ab'[number]}", level) for number in range(self.draw.choice((1, 1, 2)))]
        for relation in own:
            for number in range(self.draw.choice((1, 2, 2, 3))):
                self.rule(relation, itself=number > 0)
            if self.chance(0.15):
                self.add(self.fact(relation), [])
            if self.chance(0.2):
                self.facts.append(self.fact(relation))

    def rule(self, relation: Relation, *, itself: bool) -> None:
        way = self.draw.random()
        if way < 0.15 and relation.kinds and relation.level > 0:
            self.counting(relation)
            return
        body, open_ = self.body(relation.level, itself)
        if "i" in relation.kinds and open_["i"] and self.chance(0.3):
            self.reckon(body, open_)
        self.add(relation.atom(*(self.term(kind, open_) for kind in relation.kinds)), body)

    def term(self, kind: str, open_: dict[str, list[Variable]], constants: float = 0.1) -> Term | Variable:
        return self.constant(kind) if not open_[kind] or self.chance(constants) else self.draw.choice(open_[kind])

    def body(self, level: int, itself: bool = True) -> tuple[list[Condition], dict[str, list[Variable]]]:
        """Atoms over a level and those below, what it denies and compares; the variables that are bound, by kind."""
        mine = [each for each in self.relations if each.level <= level and (itself or each.level < level)]
        mine = mine or self.relations
        newest = [each for each in mine if each.level == level - 1] or mine
        body: list[Condition] = []
        open_: dict[str, list[Variable]] = {"n": [], "i": []}
        for number in range(self.draw.choice((1, 1, 2, 2, 3))):
            relation = self.draw.choice(newest if number == 0 and not itself else mine)
            body.append(relation.atom(*(self.place(kind, open_, fresh=number == 0) for kind in relation.kinds)))
        if level > 0 and self.chance(0.5):
            self.deny(body, open_, level)
        if self.chance(0.35):
            self.compare(body, open_)
        if self.chance(0.3):
            self.draw.shuffle(body)
        return body, open_

    def place(self, kind: str, open_: dict[str, list[Variable]], fresh: bool) -> Term | Variable:
        """A variable, rather one that is there already, now and then twice in an atom, or a constant."""
        if self.chance(0.1):
            return self.constant(kind)
        old = open_[kind]
        if old and self.chance(0.15 if fresh else 0.65):
            return self.draw.choice(old)
        variable = Variable(f"{'X' if kind == 'n' else 'N'}{len(old)}")
        old.append(variable)
        return variable

    def deny(self, body: list[Condition], open_: dict[str, list[Variable]], level: int) -> None:
        below = [each for each in self.relations if each.level < level]
        relation = self.draw.choice([each for each in below if each.level == level - 1] if self.chance(0.6) else below)
        terms = [self.term(kind, open_, 0.15) for kind in relation.kinds]
        if terms and self.chance(0.15):
            terms[self.draw.randrange(len(terms))] = Variable("Any")
        body.append(Not(relation.atom(*terms)))

    def compare(self, body: list[Condition], open_: dict[str, list[Variable]]) -> None:
        kind = self.draw.choice("ni")
        if not open_[kind]:
            return
        left, right = self.draw.choice(open_[kind]), self.term(kind, open_, 0.4)
        if kind == "n":
            body.append(Comparison(self.draw.choice(("!=", "!=", "=")), left, right))
            return
        sides: list[Expression] = [left, right]
        if self.chance(0.3):
            sides[self.draw.randrange(2)] = self.arithmetic(left, open_)
        body.append(Comparison(self.draw.choice(("=", "!=", "<", "<=", ">", ">=")), *sides))

    def arithmetic(self, left: Expression, open_: dict[str, list[Variable]]) -> Arithmetic:
        operator = self.draw.choice(("+", "-", "*", "//", "%") if self.plain else ("+", "-", "*", "/", "//", "%"))
        right = (
            Value.of(self.draw.randint(1, 3)) if operator in ("//", "%") and self.plain else self.term("i", open_, 0.5)
        )
        made = Arithmetic(operator, left, right)
        return self.arithmetic(made, open_) if self.chance(0.15) else made

    def reckon(self, body: list[Condition], open_: dict[str, list[Variable]]) -> None:
        """A number made of others, within bounds so that a recursion ends."""
        made = Variable("Made")
        sides: list[Expression] = [made, self.arithmetic(self.draw.choice(open_["i"]), open_)]
        if self.chance(0.2):
            sides.reverse()
        body.append(Comparison("=", *sides))
        body += [Comparison("<=", made, Value.of(9)), Comparison(">=", made, Value.of(-3))]
        if not self.plain:  # halves of halves have no end
            body.append(Comparison("=", Arithmetic("%", made, Value.of(1)), Value.of(0)))
        open_["i"] = [made]

    def counting(self, relation: Relation) -> None:
        """A rule with an aggregate, for each binding of what stands outside too."""
        below = [each for each in self.relations if each.level < relation.level and each.kinds]
        if not below:
            return
        counted = self.draw.choice(below)
        open_: dict[str, list[Variable]] = {"n": [], "i": []}
        group = self.draw.randrange(len(counted.kinds)) if self.chance(0.7) and len(counted.kinds) > 1 else None
        inner = [Variable(f"Y{place}") for place in range(len(counted.kinds))]
        body: list[Condition] = []
        if group is not None:
            variable = inner[group] = Variable("Group")
            open_[counted.kinds[group]].append(variable)
            outside = self.draw.choice([each for each in below if counted.kinds[group] in each.kinds])
            places = [place for place, kind in enumerate(outside.kinds) if kind == counted.kinds[group]]
            chosen = self.draw.choice(places)
            body.append(outside.atom(*(variable if place == chosen else Variable(f"Z{place}")
                                       for place in range(len(outside.kinds)))))  # fmt: skip
        own = [place for place in range(len(inner)) if place != group]
        numbers = [place for place in own if counted.kinds[place] == "i"]
        whole = ("count", "sum", "min", "max", *(() if self.plain else ("mean",)))
        operator = self.draw.choice(whole) if numbers else "count"
        first = self.draw.choice(numbers) if numbers else self.draw.choice(own or [0])
        items: list[Expression] = [
            inner[first],
            *(inner[place] for place in own if place != first and self.chance(0.5)),
        ]
        if numbers and self.chance(0.2):
            items[0] = Arithmetic("+", items[0], Value.of(1))
        within: list[Atom | Not | Comparison] = [counted.atom(*inner)]
        if numbers and self.chance(0.3):
            within.append(
                Comparison(self.draw.choice(("<", ">=", "!=")), inner[numbers[0]], Value.of(self.draw.randint(0, 4)))
            )
        if self.chance(0.2):
            denied = self.draw.choice(below)
            fitting = [
                [each for each, own in zip(inner, counted.kinds, strict=True) if own == kind] for kind in denied.kinds
            ]
            if all(fitting):
                within.append(Not(denied.atom(*map(self.draw.choice, fitting))))
        result = Variable("Result")
        body.append(Aggregate(result, operator, tuple(items), tuple(within)))
        if self.chance(0.5):
            body.append(Comparison(self.draw.choice((">", "<=", "!=")), result, Value.of(self.draw.randint(0, 3))))
        body.append(Comparison("<=", result, Value.of(60)))
        open_["i"].append(result)
        if self.chance(0.3):
            self.draw.shuffle(body)
        self.add(relation.atom(*(self.term(kind, open_, 0.0) for kind in relation.kinds)), body)

    # What makes proofs deep, and what ties predicates to each other.

    def chain(self) -> None:
        """A way of up to twenty steps, walked or counted."""
        x, y, z, n, m = (Variable(name) for name in "XYZNM")
        step, way, far = (Relation(Entity(BASE + name), kinds, 1) for name, kinds in
                          (("step", "nn"), ("way", "nn"), ("far", "ni")))  # fmt: skip
        length = self.draw.randint(3, 20)
        places = [Entity(f"{BASE}place{number}") for number in range(length + 1)]
        self.facts += (step.atom(*pair) for pair in pairwise(places))
        if self.chance(0.5) and length < 10:
            self.add(way.atom(x, y), [step.atom(x, y)])
            self.add(way.atom(x, z), [step.atom(x, y), way.atom(y, z)])
        self.add(far.atom(places[0], Value.of(0)), [])
        reckoned = Comparison("=", m, Arithmetic("+", n, Value.of(1)))
        self.add(far.atom(y, m), [far.atom(x, n), step.atom(x, y), reckoned])
        last = Relation(Entity(BASE + "last"), "n", 2)
        self.add(last.atom(x), [far.atom(x, n), Not(step.atom(x, Variable("Next")))])

    def ladder(self, levels: int) -> None:
        """Each rung denies the one below, so that it takes as many strata as there are rungs."""
        x, y, n = (Variable(name) for name in "XYN")
        ground, next_ = Relation(Entity(BASE + "ground"), "ni", 0), Relation(Entity(BASE + "next"), "nn", 0)
        self.facts += (self.fact(each) for each in (ground, next_) for _ in range(self.draw.randint(3, 8)))
        rungs = [Relation(Entity(f"{BASE}rung{level}"), "n", level) for level in range(levels + 1)]
        self.add(rungs[0].atom(x), [ground.atom(x, n), Comparison(">", n, Value.of(self.draw.randint(0, 4)))])
        for below, rung in pairwise(rungs):
            self.add(rung.atom(x), [ground.atom(x, n), Not(below.atom(x))])
            if self.chance(0.4):
                low = self.draw.choice(rungs[: rung.level])
                self.add(rung.atom(y), [next_.atom(x, y), rung.atom(x), Not(low.atom(y))])

    def generic(self) -> bool:
        """Rules over open predicates and classes; what they carry on is asserted, or follows without a negation."""
        x, y, p, q, c, d = (Variable(name) for name in "XYPQCD")
        pairs = [each for each in self.relations if each.kinds == "nn"]
        classes = [each for each in self.relations if each.of_class]
        asserted = [each for each in pairs if each.level == 0]
        made = len(self.rules)
        if asserted:
            for _ in range(self.draw.randint(1, 3)):
                self.facts.append(Atom(SUB, (self.draw.choice(asserted).predicate, self.draw.choice(pairs).predicate)))
            self.add(Atom(q, (x, y)), [Atom(p, (x, y)), Atom(SUB, (p, q))])
            if self.chance(0.5):
                self.add(Atom(SUB, (x, y)), [Atom(SUB, (x, c)), Atom(SUB, (c, y))])
        if pairs and self.chance(0.5):
            self.facts.append(Atom(TYPE, (self.draw.choice(pairs).predicate, SYMMETRIC)))
            self.add(Atom(p, (y, x)), [Atom(TYPE, (p, SYMMETRIC)), Atom(p, (x, y))])
        if low := [each for each in classes if each.level == 0]:
            narrow = self.draw.choice(low)
            wide = self.draw.choice([each for each in classes if each.kinds == narrow.kinds])
            self.facts.append(Atom(SUBCLASS, (narrow.predicate, wide.predicate)))
            self.add(Atom(TYPE, (x, d)), [Atom(TYPE, (x, c)), Atom(SUBCLASS, (c, d))])
        return len(self.rules) > made
