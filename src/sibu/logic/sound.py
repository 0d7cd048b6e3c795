"""Whether a program means something before it runs: what is bound, what is named, what ends.

Errors are what cannot be evaluated, warnings what is probably a slip.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from sibu.core.errors import Fault, RuleError, counted
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
    Variable,
)
from sibu.logic.growth import endless
from sibu.logic.order import Arranged, bound_order, loose, mentioned, needed, unbound, within
from sibu.logic.program import Program
from sibu.logic.standard import TERMS, is_standard
from sibu.logic.strata import Key, key_of, strata
from sibu.logic.written import write

__all__ = ["Findings", "bound_order", "faults"]

MANY: Final = 20_000
"""With more names than this, near misses of an unknown one are looked for among those with its first letter."""
_FRESH = re.compile(r"_[0-9]+")
_BLANK = re.compile(r"(?<=[( ])_[0-9]+(?=[,) ])")


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with a program."""

    errors: tuple[Fault, ...]
    """For these it cannot be run."""
    warnings: tuple[Fault, ...]
    """It can be, but probably something else was meant."""

    def refuse(self) -> None:
        """Raise ``RuleError`` where there are errors."""
        if self.errors:
            raise RuleError(self.errors)


def faults(program: Program, known: Iterable[Entity] | None) -> Findings:
    """What is wrong with a program, all at once.

    Args:
        program: Rules that could be read.
        known: The properties and classes of the knowledge base, beside those of the standard vocabularies; None: they
            are not known, and relations that nothing defines are not looked for.
    """
    check = _Check(program)
    for place in range(len(program.rules)):
        check.rule(place)
    check.ids()
    check.numbers_of_terms()
    if known is not None:
        check.relations(known)
    check.endless()
    check.circles()
    return Findings(tuple(check.errors), tuple(check.warnings))


class _Check:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.errors: list[Fault] = []
        self.warnings: list[Fault] = []

    def say(self, what: Condition | Expression) -> str:
        """As the file would have it; a variable without a name is `_`."""
        return f"`{_BLANK.sub('_', write(what, self.program.names))}`"

    def variable(self, name: str, names: Counter[str]) -> str:
        """A variable as it was written: one that had no name was `_`."""
        return "`_`" if _FRESH.fullmatch(name) and names[name] == 1 else self.say(Variable(name))

    def relation(self, entity: Entity) -> str:
        """A name where it is followed by terms, and may begin with a capital letter."""
        return f"`{write(Atom(entity, ()), self.program.names)[:-2]}`"

    def _like(self, name: str, names: Iterable[str]) -> str:
        close = get_close_matches(name, [each for each in names if each != name and each[:1] != "_"], n=1)
        return f"Did you mean {self.say(Variable(close[0]))}? " if close else ""

    # A rule by itself.

    def rule(self, place: int) -> None:
        """What is bound, what stands only once, what looks like a variable."""
        rule = self.program.rules[place]
        if not rule.body and (rule.head is None or rule.head.ground):
            return
        names = Counter(name for part in (rule.head, *rule.body) if part for name in mentioned(part))
        missing, found = unbound(rule)
        own = {
            each.result.name for each in rule.body if isinstance(each, Aggregate) and each.result.name in within(each)
        }
        told = [name for name in missing if not name.startswith("_")] or missing  # what `_` lacks follows from those
        for name in told:
            if name not in own:
                self._not_bound(place, name, names)
        for number, each in enumerate(rule.body):
            if isinstance(each, Aggregate):
                self._aggregate(place, number, each, found, names)
                missing += loose(each, found.bound)
        for name, times in names.items():
            if times == 1 and not name.startswith("_") and name not in missing:
                self._lonely(place, name, names)
        self._written_small(place, names)

    def _not_bound(self, place: int, name: str, names: Counter[str]) -> None:
        rule = self.program.rules[place]
        shown = self.variable(name, names)
        if not rule.body:
            mend = "Write a name or a value for it, or a body that binds it."
            self._error(place, None, f"A fact has no variables, but here is {shown}.", mend)
            return
        needs = [number for number, each in enumerate(rule.body)
                 if not isinstance(each, Atom) and name in needed(each)]  # fmt: skip
        where = ["the head"] if rule.head and name in rule.head.variables else []
        where += [self.say(rule.body[number]) for number in needs]
        mend = self._like(name, names) + "Add a condition that binds it, such as an atom in which it stands."
        if any(_is_inside_out(rule, rule.body[number], name) for number in needs):
            turned = self.say(Variable(name))[1:-1]
            mend += f" (`=` gives a value to a variable that stands alone on one side: turn it to `{turned} = ...`.)"
        elif len(where) == 1 and len(needs) == 1:
            mend = self._mend_alone(rule.body[needs[0]], name, mend)
        elif any(isinstance(rule.body[number], Aggregate) for number in needs):
            mend = self._mend_outer(rule, needs, name, mend)
        at = None if where[0] == "the head" else needs[0]
        self._error(place, at, f"Nothing binds {shown}, which stands in {' and in '.join(where)}.", mend)

    def _mend_alone(self, condition: Condition, name: str, mend: str) -> str:
        """What to do where a variable stands in one condition only."""
        if isinstance(condition, Not):
            return f"{mend} Where any will do, write `not {self._with_blanks(condition.atom, {name})}`."
        return mend

    def _mend_outer(self, rule: Rule, needs: list[int], name: str, mend: str) -> str:
        """What to do where an aggregate is asked for by a variable that stands outside too."""
        for number in needs:
            each = rule.body[number]
            for atom in each.body if isinstance(each, Aggregate) else ():
                if isinstance(atom, Atom) and name in mentioned(atom):
                    inner = self._with_blanks(atom, within(each) - {name})  # type: ignore[arg-type]
                    return f"Bind it outside of the aggregate too: add the condition `{inner}`."
        return mend

    def _with_blanks(self, atom: Atom, names: Iterable[str]) -> str:
        text = write(atom, self.program.names)
        for name in names:
            shown = write(Variable(name), self.program.names)
            text = re.sub(rf"(?<=[(\s]){re.escape(shown)}(?=[,)])", "_", text)
        return text

    def _aggregate(self, place: int, number: int, aggregate: Aggregate, found: Arranged, names: Counter[str]) -> None:
        for name in loose(aggregate, found.bound):
            self._error(
                place,
                number,
                f"Nothing between the braces of {self.say(aggregate)} binds {self.variable(name, names)}.",
                "Add a condition there that does, such as an atom in which it stands.",
            )
        rule, result = self.program.rules[place], aggregate.result.name
        others = [each for spot, each in enumerate(rule.body) if spot != number and _binds(each, result)]
        other = self.say(Variable(_other(result, names)))
        if result in within(aggregate):
            mend = f"Give the result another variable, such as {other}."
            self._error(place, number, f"The result of {self.say(aggregate)} stands between its braces too.", mend)
        elif others:
            equal = self.say(Comparison("=", Variable(_other(result, names)), aggregate.result))
            mend = f"Call the result {other}, and add the condition {equal}."
            message = f"The result of {self.say(aggregate)} is bound by {self.say(others[0])} too."
            self._error(place, number, message, mend)

    def _lonely(self, place: int, name: str, names: Counter[str]) -> None:
        number = next(
            (spot for spot, each in enumerate(self.program.rules[place].body) if name in mentioned(each)), None
        )
        mend = self._like(name, names) + "If it may be anything, write `_`."
        self._warn(place, number, f"{self.variable(name, names)} stands only once in its rule.", mend)

    def _written_small(self, place: int, names: Counter[str]) -> None:
        """Constants that are spelled as a variable of the rule."""
        alike = {name.casefold(): name for name in names}
        base = self.program.names.base
        rule = self.program.rules[place]
        told = set()
        for number, part in enumerate([*rule.body, *([rule.head] if rule.head else [])]):
            for constant in _constants(part):
                local = constant.iri.removeprefix(base)
                if constant.iri.startswith(base) and local.casefold() in alike and local not in told:
                    told.add(local)
                    variable = self.say(Variable(alike[local.casefold()]))
                    self._warn(
                        place,
                        number if number < len(rule.body) else None,
                        f"{self.say(constant)} is the name of a thing, but {variable} is a variable of this rule.",
                        f"Write {variable} if the variable was meant.",
                    )

    def _error(self, place: int, condition: int | None, message: str, mend: str) -> None:
        self.errors.append(Fault(self.program.place(place, condition), message, mend))

    def _warn(self, place: int, condition: int | None, message: str, mend: str) -> None:
        self.warnings.append(Fault(self.program.place(place, condition), message, mend))

    # The program as a whole.

    def ids(self) -> None:
        """Two rules with one id."""
        first: dict[str, int] = {}
        for place, rule in enumerate(self.program.rules):
            before = first.setdefault(rule.id, place)
            if before != place:
                other = self.program.place(before)
                self._error(place, None, f'The rule has the id "{rule.id}", as has the one at {other}.',
                            'Give it another, such as `@id "' + rule.id + '-2"`.')  # fmt: skip

    def numbers_of_terms(self) -> None:
        """One relation with different numbers of terms."""
        first: dict[Entity, dict[int, tuple[int, int | None]]] = {}
        for place, condition, atom in self._atoms():
            key = key_of(atom)
            if isinstance(key, tuple) and isinstance(key[1], Entity):
                first.setdefault(key[1], {}).setdefault(1, (place, condition))
            elif isinstance(key, Entity) and key != TYPE:
                first.setdefault(key, {}).setdefault(len(atom.terms), (place, condition))
        for entity, places in first.items():
            self._number_of_terms(entity, places)

    def _number_of_terms(self, entity: Entity, places: dict[int, tuple[int, int | None]]) -> None:
        said = self.relation(entity)
        relations = [number for number in places if number != 1]
        if len(relations) > 1:
            one, other = relations[:2]
            self._error(
                *places[other],
                f"{said} has {counted(other, 'term')} here, but {one} at {self.program.place(*places[one])}.",
                "Write it with the same number, or give one of the two another name.",
            )
        if relations and 1 in places:
            self._warn(
                *places[1],
                f"{said} is a class here, with one term, but has {relations[0]} at "
                f"{self.program.place(*places[relations[0]])}: the two have nothing to do with each other.",
                "If that is not meant, write it with the same number of terms.",
            )

    def relations(self, known: Iterable[Entity]) -> None:
        """Relations and classes that nothing defines."""
        defined = {each.iri for each in known}
        heads = {_named(rule.head) for rule in self.program.rules if rule.head}
        defined |= {each.iri for each in heads if each}
        missing: dict[Entity, list[tuple[int, int | None]]] = {}
        for place, condition, atom in self._atoms():
            entity = _named(atom)
            if entity and condition is not None and entity.iri not in defined and not is_standard(entity.iri):
                missing.setdefault(entity, []).append((place, condition))
        if not missing:
            return
        by_local: dict[str, dict[str, None]] = {}
        for iri in [*sorted(defined), *sorted(TERMS)]:
            by_local.setdefault(_local(iri), {})[iri] = None
        is_open = None in heads
        for entity, places in missing.items():
            self._undefined(entity, places, by_local, is_open)

    def _undefined(
        self, entity: Entity, places: list[tuple[int, int | None]], by_local: dict[str, dict[str, None]], is_open: bool
    ) -> None:
        local = _local(entity.iri)
        names: Iterable[str] = by_local
        if len(by_local) > MANY:  # each is compared letter by letter
            names = [name for name in by_local if name[:1] == local[:1]]
        close = get_close_matches(local, list(names), n=2, cutoff=0.6 if len(local) > 3 else 0.5)
        close = [local] if local in close else close
        forms = [self.relation(Entity(iri)) for name in close for iri in by_local[name]][:3]
        if is_open and not forms:  # a rule with an open head may conclude it
            return
        more = f" ({counted(len(places), 'time')} in the program)" if len(places) > 1 else ""
        hint = f"Did you mean {' or '.join(forms)}? " if forms else ""
        said = self.relation(entity)
        if re.fullmatch(r"`[A-Z][0-9]?`", said):
            hint += f"To leave the relation open, write `triple(S, {said[1:-1]}, O)`. "
        what = (
            f"Nothing defines {said}{more}: no rule concludes it, and the knowledge base has no such relation or class."
        )
        self._warn(*places[0], what, hint + "Define it by a rule or a fact, or add it to the knowledge base.")

    def endless(self) -> None:
        """Recursion that makes numbers for ever."""
        for each in endless(self.program.rules):
            rule = self.program.rules[each.rule]
            sources = " and ".join(self.say(Variable(name)) for name in each.sources)
            made = self.say(Variable(each.variable))
            bound = {"up": "<= 1000", "down": ">= 0", "any": "<= 1000"}[each.way]
            self._error(
                each.rule,
                next(number for number, one in enumerate(rule.body) if one is each.made),
                f"The rule makes {made} of {sources} by {self.say(each.made)}, again and again: it would never end.",
                f"Bound it, such as by the condition `{made[1:-1]} {bound}`.",
            )

    def circles(self) -> None:
        """Rules that deny what rests on them."""
        try:
            strata(self.program.rules, names=self.program.names)
        except RuleError as found:
            self.errors += found.faults

    def _atoms(self) -> Iterator[tuple[int, int | None, Atom]]:
        """Every atom, its rule's place and its condition's; None: it is a head."""
        for place, rule in enumerate(self.program.rules):
            if rule.head:
                yield place, None, rule.head
            for number, each in enumerate(rule.body):
                inner = each.body if isinstance(each, Aggregate) else (each,)
                for part in inner:
                    if isinstance(part, Atom | Not):
                        yield place, number, part if isinstance(part, Atom) else part.atom


def _is_inside_out(rule: Rule, condition: Condition, name: str) -> bool:
    """Whether one side of `=` is known, and the other reckons with a variable."""
    if not isinstance(condition, Comparison) or condition.operator != "=":
        return False
    known = {each for atom in rule.atoms for each in mentioned(atom)}
    sides = (condition.left, condition.right), (condition.right, condition.left)
    return any(isinstance(one, Arithmetic) and name in mentioned(one) and known.issuperset(mentioned(other))
               for one, other in sides)  # fmt: skip


def _binds(condition: Condition, name: str) -> bool:
    if isinstance(condition, Aggregate):
        return condition.result.name == name
    return isinstance(condition, Atom) and name in mentioned(condition)


def _constants(what: Condition | Expression) -> Iterator[Entity]:
    """The things that it names, other than relations and classes."""
    if isinstance(what, Entity):
        yield what
    elif isinstance(what, Atom):
        terms = what.terms[:1] if what.predicate == TYPE else what.terms
        yield from (term for term in terms if isinstance(term, Entity))
    elif isinstance(what, Not):
        yield from _constants(what.atom)
    elif isinstance(what, Arithmetic | Comparison):
        yield from _constants(what.left)
        yield from _constants(what.right)
    elif isinstance(what, Aggregate):
        for part in (*what.items, *what.body):
            yield from _constants(part)


def _named(atom: Atom) -> Entity | None:
    """The relation or class of an atom; None: it is open."""
    key: Key | None = key_of(atom)
    named = key[1] if isinstance(key, tuple) else key
    return named if isinstance(named, Entity) else None


def _local(iri: str) -> str:
    return re.split(r"[/#:]", iri)[-1].casefold()


def _other(name: str, names: Counter[str]) -> str:
    """A variable that the rule does not have yet."""
    return next(form for number in range(2, len(names) + 3) if (form := f"{name}{number}") not in names)
