"""Facts, proofs and what is missing as people read them: by labels, with sources, as a tree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

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
    Proof,
    Rule,
    Step,
    Triple,
    Variable,
)
from sibu.curation.closing import as_triple
from sibu.curation.plan import Plan
from sibu.graph.spoken import one_line
from sibu.logic.missing import Attempt, Told, put_in
from sibu.logic.standard import is_standard

if TYPE_CHECKING:
    from sibu.graph.reading import Reading
    from sibu.graph.records import Record

MOST_LINES = 400
"""Of a tree."""
DEEPEST = 40
"""Steps to the right that a tree goes."""
MARKS = {True: "✓", False: "✗", None: "?"}


class Telling:
    """Tells of facts in the words of a knowledge base.

    Args:
        kb: The knowledge base.
        plan: Its rules.
        language: In which things are shown, where they have a label in it.
        names: Whether to show short names in place of labels, as rules have them.
    """

    def __init__(self, kb: Reading, plan: Plan, language: str = "", *, names: bool = False) -> None:
        self._kb, self._language, self._names = kb, language, names
        self._rules = {rule.id: rule for rule in plan.rules}
        self._said: dict[Entity, str] = {}
        self._taken: dict[str, Entity] = {}

    def call(self, entity: Entity, said: str) -> None:
        """Have something that is no thing of the knowledge base told by a name."""
        self._said[entity] = said

    # Facts.

    def term(self, term: Expression) -> str:
        """A term or an expression."""
        if isinstance(term, Entity):
            return self._entity(term)
        if isinstance(term, Variable):
            if re.fullmatch("_[0-9]*", term.name):  # it was written as `_`
                return "_"
            return term.name if re.match("[A-Z_]", term.name) else f"?{term.name}"
        if isinstance(term, Arithmetic):
            sides = [f"({self.term(side)})" if isinstance(side, Arithmetic) else self.term(side)
                     for side in (term.left, term.right)]  # fmt: skip
            return f"{sides[0]} {term.operator} {sides[1]}"
        from sibu.graph.spoken import said_term

        return str(term.number) if term.number is not None else said_term(term, self._kb.names)

    def _entity(self, entity: Entity) -> str:
        """Its label; where another thing has that too, with its name behind it."""
        if entity not in self._said:
            short = self._kb.names.short(entity.iri)
            plain = self._names or is_standard(entity.iri)
            label = short if plain else self._kb.label(entity, self._language)
            said = label if self._taken.setdefault(label, entity) == entity else f"{label} ({short})"
            self._said[entity] = said
        return self._said[entity]

    def atom(self, atom: Atom) -> str:
        """A fact, or an atom with variables."""
        terms = [self.term(term) for term in atom.terms]
        if atom.predicate == TYPE and len(terms) == 2 and isinstance(atom.terms[1], Entity):
            return f"{terms[1]}({terms[0]})"
        if isinstance(atom.predicate, Variable):
            return f"triple({terms[0]}, {self.term(atom.predicate)}, {terms[1]})"
        return f"{self._entity(atom.predicate)}({', '.join(terms)})"

    def condition(self, each: Condition) -> str:
        """A condition of a rule."""
        if isinstance(each, Atom):
            return self.atom(each)
        if isinstance(each, Not):
            return f"not {self.atom(each.atom)}"
        if isinstance(each, Comparison):
            return f"{self.term(each.left)} {each.operator} {self.term(each.right)}"
        items = ", ".join(map(self.term, each.items))
        return f"{each.result.name} = {each.operator} {{ {items} : {', '.join(map(self.condition, each.body))} }}"

    def by(self, rule: str) -> str:
        """A rule: its name, where it stands, what it says."""
        found = self._rules.get(rule)
        if found is None:
            return f"by {rule}"
        where = f" ({found.where.rsplit(':', 1)[0]})" if found.where else ""
        sure = f", confidence {found.confidence:g}" if found.confidence < 1 else ""
        return f"by {rule}{where}{sure}{': ' if found.about else ''}{one_line(found.about)}"

    # Where facts come from.

    def sources(self, step: Step) -> list[str]:
        """Who states an asserted fact, a line for each."""
        triple = as_triple(step.fact)
        records = [] if triple is None else self._kb.records(triple)
        found = [self.record(each) for each in records if each.source.status == "asserted"]
        return found or [f"by {each.extractor or each.document}" for each in step.sources]

    def record(self, record: Record) -> str:
        """One who states a fact: document, row or passage, extractor, confidence."""
        source = record.source
        parts = [one_line(source.document)]
        passage = self._kb.passage(record)
        parts += [f"table {one_line(source.table)}"] if source.table else []
        parts += [f"row {source.row}"] if source.row is not None else []
        if passage is not None:
            parts.append(f"“{one_line(passage)}”")
        elif source.start is not None:
            parts.append(f"characters {source.start} to {source.end}")
        parts += [f"by {one_line(source.extractor)}"] if source.extractor else []
        parts += [f"confidence {source.confidence:g}"] if source.confidence < 1 else []
        return ", ".join(parts)

    def holding(self, triple: Triple) -> list[str]:
        """Who has a fact hold, a line for each: those who assert it, or that it was derived."""
        found = [each for each in self._kb.records(triple) if each.source.status in ("asserted", "derived")]
        stated = [self.record(each) for each in found if each.source.status == "asserted"]
        return stated or (["derived"] if found else [])

    def rules(self, ids: Iterable[str]) -> list[Rule]:
        """The rules of these ids."""
        return [self._rules[each] for each in ids if each in self._rules]

    # A proof as a tree.

    def tree(self, proof: Proof) -> list[str]:
        """A proof, each fact once; where it is used again its number refers to it."""
        lines = list(self._lines(proof))
        if len(lines) <= MOST_LINES:
            return lines
        return [*lines[:MOST_LINES], f"... and {len(lines) - MOST_LINES:,} more lines; --json has all"]

    def _lines(self, proof: Proof) -> Iterator[str]:
        used = Counter(place for step in proof for place in step.premises)
        numbers: dict[int, int] = {}
        shown: set[int] = set()
        waiting: list[tuple[int, int | str]] = [(0, len(proof.steps) - 1)]
        while waiting:
            depth, what = waiting.pop()
            blank = "  " * min(depth, DEEPEST)
            if isinstance(what, str):
                yield blank + what
                continue
            if used[what] > 1:
                numbers.setdefault(what, len(numbers) + 1)
            number = f"  [{numbers[what]}]" if what in numbers else ""
            said = self.atom(proof.steps[what].fact)
            if what in shown:
                yield f"{blank}{said}  (see [{numbers[what]}])"
                continue
            shown.add(what)
            yield f"{blank}{said}{number}"
            waiting += reversed([(depth + 1, each) for each in self.below(proof.steps[what])])

    def below(self, step: Step) -> Iterator[int | str]:
        """What stands below a step: its sources; or its rule, and the premises and other conditions in order."""
        if not step.rule:
            yield from (f"stated by {said}" for said in self.sources(step))
            return
        yield self.by(step.rule)
        rule = self._rules.get(step.rule)
        premises = iter(step.premises)
        for each in rule.body if rule is not None else ():
            if isinstance(each, Atom):
                yield next(premises)
            else:
                yield self._held(put_in(each, step.binding), step)
        yield from premises

    def _held(self, each: Condition, step: Step) -> str:
        """A condition that held."""
        if isinstance(each, Not):
            return f"{self.condition(each)}: there is no such fact"
        if isinstance(each, Aggregate):
            result = step.binding.get(each.result.name)
            return f"{self.condition(each)}: {each.result.name} is {self.term(result) if result else '?'}"
        return self.condition(each)

    # What is missing.

    def attempt(self, attempt: Attempt) -> list[str]:
        """How close a rule comes."""
        lines = [self.by(attempt.rule.id)]
        lines += [f"  {MARKS[each.holds]} {self._told(each)}" for each in attempt.conditions]
        if attempt.ways > 1:
            lines.append(
                f"  ({attempt.ways - 1:,} more {'choice comes' if attempt.ways == 2 else 'choices come'} as close)"
            )
        return lines

    def _told(self, told: Told) -> str:
        said = self.condition(told.condition)
        if isinstance(told.condition, Atom):
            return said if told.holds or told.holds is None else f"{said}: there is no such fact"
        if isinstance(told.condition, Not):
            return f"{said}: but {' and '.join(map(self.atom, told.facts))} holds" if told.facts else said
        left, right = told.sides
        if isinstance(told.condition, Aggregate):
            comes = "comes to nothing" if right is None else f"it is {self.term(right)}"
            return said if told.holds is None else f"{said}: {comes}"
        reckoned = isinstance(told.condition.left, Arithmetic) or isinstance(told.condition.right, Arithmetic)
        if reckoned and told.holds is not None:
            sides = ["nothing" if side is None else self.term(side) for side in (left, right)]
            return f"{said}: that is {sides[0]} {told.condition.operator} {sides[1]}"
        return said
