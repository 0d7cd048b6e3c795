"""What mined rules give beyond the facts: pairs with a score, the rules that say so, and what these stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sibu.core.errors import Fault, RecipeError
from sibu.core.logic import Atom, Entity, Term, Value, Variable
from sibu.logic.mining.bodies import Columns, Join, Table, Wide, joined
from sibu.logic.mining.columns import NONE, Graph, Ints, Relations, changes, found, once
from sibu.logic.mining.search import Mined

Floats = NDArray[np.float64]
Score = Literal["or", "max"]
"""How rules that give the same pair are joined. ``or``: 1 - product of (1 - confidence), as if each were right or wrong
by itself. ``max``: the surest rule's confidence; of equals first what ``or`` puts first."""
ROWS = 1 << 22
"""Rows of a join, and pairs before they are joined, in memory at a time."""
MOST_SURE = 1 - 1e-12
Measure = Literal["standard", "pca"]
DOUBT = 5.0
EVERY = 1 << 62
PART = 1000
"""Hypotheses whose rules are looked up at a time."""
ROW = "#"
"""A column beside the variables: which of the asked pairs a row belongs to."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A fact that rules suggest."""

    subject: int
    predicate: Entity
    object: int
    score: float
    """How sure, above 0 and below 1."""
    mined: tuple[Mined, ...]
    """The rules that give it, the surest first."""
    binding: Mapping[str, int]
    """What the variables of the surest rule stand for, as ids."""


@dataclass(frozen=True, slots=True)
class Conclusions:
    """Pairs that rules with one head give, by place of subject and object in ``Relations.ids``."""

    subjects: Ints
    objects: Ints
    surest: Floats
    """Confidence of the surest rule that gives each."""
    joint: Floats
    """-log of the product of (1 - confidence) over the rules that give it."""

    def ranked(self, score: Score) -> tuple[Floats, Floats]:
        """What they are sorted by, the second where the first is equal; more is better."""
        return (self.joint, self.surest) if score == "or" else (self.surest, self.joint)

    def take(self, places: Ints) -> Conclusions:
        """Some of them."""
        return Conclusions(self.subjects[places], self.objects[places], self.surest[places], self.joint[places])


class Applied:
    """Rules over a graph.

    Args:
        mined: The rules; their bodies are atoms of two terms.
        relations: The graph.
        terms: What its ids stand for; needed where a rule has a constant.
        measure: The confidence that a rule weighs.
        doubt: Cases that are counted against each rule beside those that were seen, so that a rule with few cases is
            not held for sure (Meilicke et al., Anytime bottom-up rule learning for knowledge graph completion, IJCAI
            2019).
    """

    def __init__(
        self,
        mined: Sequence[Mined],
        relations: Relations,
        terms: Sequence[Term] | None = None,
        *,
        measure: Measure = "standard",
        doubt: float = DOUBT,
    ) -> None:
        self.relations = relations
        places = _places(mined, relations, terms)
        self._by_head: dict[Entity, list[_Applied]] = {}
        weights = [_weight(each, measure, doubt) for each in mined]
        for number in np.argsort(-np.array(weights), kind="stable").tolist():
            rule = _Applied.of(mined[number], weights[number], relations, places)
            if rule is not None:
                self._by_head.setdefault(rule.predicate, []).append(rule)
        self.predicates = sorted(self._by_head)
        """Heads of the rules."""

    def conclusions(
        self, predicate: Entity, side: Literal["subject", "object"] = "subject", things: Ints | None = None
    ) -> Iterator[Conclusions]:
        """What the rules with a head give, known or not, in parts.

        A pair of a thing with itself is given only where the property joins some thing with itself in the graph.

        Args:
            predicate: The head's property.
            side: On which side of the pair ``things`` stand.
            things: Places in ``relations.ids``, each once, sorted; None: all.

        Yields:
            The pairs of some of the things, sorted by thing and other end; a thing stands in one part alone.
        """
        rules = self._by_head.get(predicate, [])
        given = np.arange(self.relations.size) if things is None else things
        at = 0 if side == "subject" else 1
        loops = self._loops(predicate)
        for keys, surest, joint in _halved(given, partial(self._joined, rules, at)):
            if not loops:
                kept = keys // self.relations.size != keys % self.relations.size
                keys, surest, joint = keys[kept], surest[kept], joint[kept]
            ends = keys // self.relations.size, keys % self.relations.size
            yield Conclusions(ends[at], ends[1 - at], surest, joint)

    def _loops(self, predicate: Entity) -> bool:
        """Whether a property joins some thing with itself."""
        number = self.relations.number.get(predicate)
        return number is not None and bool(np.equal(*self.relations.pairs[2 * number]).any())

    def _joined(self, rules: Sequence[_Applied], at: int, things: Ints, most: int) -> tuple[Ints, Floats, Floats]:
        """Pairs as one number each, with the surest rule's confidence and the joint one."""
        keys, owners, left = [NONE], [NONE], most
        for number, rule in enumerate(rules):
            own = rule.pairs(self.relations, at, things, most)
            left -= len(own)
            if left < 0:
                raise Wide
            keys.append(own)
            owners.append(np.full(len(own), number))
        every, owner = np.concatenate(keys), np.concatenate(owners)
        order = np.argsort(every, kind="stable")  # of one pair's rules the surest stays first
        every, owner = every[order], owner[order]
        starts = changes(every)
        sure = np.minimum([rule.weight for rule in rules], MOST_SURE)[owner]
        joint = np.add.reduceat(-np.log1p(-sure), starts) if len(starts) else sure
        return every[starts], sure[starts], joint

    def explained(
        self, predicate: Entity, subjects: Ints, objects: Ints
    ) -> Iterator[tuple[tuple[Mined, ...], Mapping[str, int]]]:
        """For each pair the rules that give it, surest first, and one binding of the surest, as ids."""
        mined: list[list[Mined]] = [[] for _ in subjects]
        bindings: list[Mapping[str, int]] = [{} for _ in subjects]
        rows = np.arange(len(subjects))
        for rule in self._by_head.get(predicate, []):
            given = once(rule.table(self.relations, rows, subjects, objects, {ROW}).columns[ROW])
            new = np.array([row for row in given.tolist() if not mined[row]], np.int64)
            for row in given.tolist():
                mined[row].append(rule.mined)
            for row, binding in rule.bindings(self.relations, new, subjects, objects):
                bindings[row] = binding
        yield from zip(map(tuple, mined), bindings, strict=True)


def hypotheses(
    mined: Sequence[Mined],
    graph: Graph,
    known: Graph | None = None,
    *,
    terms: Sequence[Term] | None = None,
    score: Score = "max",
    measure: Measure = "standard",
    doubt: float = DOUBT,
    most: int | None = 1000,
) -> Iterator[Hypothesis]:
    """The new pairs that rules give, best first.

    A pair of a thing with itself is told only where the property joins some thing with itself in the graph.

    Args:
        mined: Rules with bodies of atoms of two terms.
        graph: Ids of subjects and objects by property: what the bodies are looked up in.
        known: Pairs that are not told, beside those of the graph.
        terms: What the ids stand for; needed where a rule has a constant. With them no value becomes a subject.
        score: How rules that give the same pair are joined.
        measure: The confidence that a rule weighs: ``pca`` is kinder to rules on what is known in part, ``standard``
            ranks better what is asked of every thing alike.
        doubt: Cases that are counted against each rule beside those that were seen, at least 0.
        most: Most pairs; None: all.

    Returns:
        Pairs by falling score; equal ones by property and ids. Their rules are looked up as they are asked for.

    Raises:
        RecipeError: When an option is out of its range, or a rule is none that can be applied here.
        DataError: When a graph is none.
    """
    _check(score, measure, doubt, most)
    relations = Relations(graph, terms)
    applied = Applied(mined, relations, terms, measure=measure, doubt=doubt)
    best = _Best(score, most)
    for number, predicate in enumerate(applied.predicates):
        told = _told(relations, predicate, Relations(known, terms) if known else None)
        for part in applied.conclusions(predicate):
            best.add(number, part.take(_new(part, relations, told, terms)))
    return best.told(applied)


def _check(score: str, measure: str, doubt: float, most: int | None) -> None:
    wrong = {
        "score": (score, score not in ("or", "max"), "or, max"),
        "measure": (measure, measure not in ("standard", "pca"), "standard, pca"),
        "doubt": (doubt, not doubt >= 0, "at least 0"),
        "most": (most, most is not None and most < 1, "at least 1"),
    }
    faults = [Fault(name, f"given {given}; allowed: {range_}.") for name, (given, bad, range_) in wrong.items() if bad]
    if faults:
        raise RecipeError(faults)


def _weight(mined: Mined, measure: str, doubt: float) -> float:
    confidence = mined.confidence if measure == "standard" else mined.pca_confidence
    return mined.support / (mined.support / confidence + doubt)


@dataclass(frozen=True, slots=True)
class _Applied:
    """A rule whose names are numbers."""

    mined: Mined
    weight: float
    predicate: Entity
    head: Join
    body: tuple[Join, ...]

    @classmethod
    def of(cls, mined: Mined, weight: float, relations: Relations, places: Mapping[Term, int]) -> _Applied | None:
        """None where the graph has no fact of a property of the body, or does not know a constant."""
        head = mined.rule.head
        assert head is not None and isinstance(head.predicate, Entity)
        sides = [_side(term, places) for term in head.terms]
        body = [_join(atom, relations, places) for atom in mined.rule.atoms]
        known = [each for each in body if each is not None]
        if None in sides or len(known) < len(body):
            return None
        return cls(mined, weight, head.predicate, Join(-1, *sides), tuple(known))  # type: ignore[arg-type]

    def pairs(self, relations: Relations, at: int, things: Ints, most: int) -> Ints:
        """What it gives of some things at one side of the head: pairs as one number each, sorted."""
        sides = (self.head.subject, self.head.object)
        own, other = sides[at], sides[1 - at]
        if not isinstance(own, str):
            things = things[things == own]
        table = Table({own: things}, len(things)) if isinstance(own, str) else Table({}, len(things))
        table = joined(relations, self.body, table, self.head.variables, most)
        first, second = (_values(side, table) for side in (own, other))
        return once(first * relations.size + second)

    def table(self, relations: Relations, rows: Ints, subjects: Ints, objects: Ints, keep: set[str]) -> Table:
        """How it gives some pairs: those of ``rows``, each row's number in the column ``ROW``."""
        columns: Columns = {ROW: rows}
        for side, ends in ((self.head.subject, subjects), (self.head.object, objects)):
            value = columns.setdefault(side, ends[columns[ROW]]) if isinstance(side, str) else side
            kept = np.flatnonzero(value == ends[columns[ROW]])
            columns = {name: column[kept] for name, column in columns.items()}
        return joined(relations, self.body, Table(columns, len(columns[ROW])), keep, EVERY)

    def bindings(
        self, relations: Relations, rows: Ints, subjects: Ints, objects: Ints
    ) -> Iterator[tuple[int, Mapping[str, int]]]:
        """One way, the first in order, in which it gives each pair."""
        if not len(rows):
            return
        names = sorted(self.head.variables.union(*(atom.variables for atom in self.body)))
        columns = self.table(relations, rows, subjects, objects, {ROW, *names}).columns
        order = np.lexsort([columns[name] for name in reversed([ROW, *names])])
        for place in order[changes(columns[ROW][order])].tolist():
            yield int(columns[ROW][place]), {name: int(relations.ids[columns[name][place]]) for name in names}


def _values(side: str | int, table: Table) -> Ints:
    return table.columns[side] if isinstance(side, str) else np.full(table.count, side, np.int64)


def _side(term: Term | Variable, places: Mapping[Term, int]) -> str | int | None:
    return term.name if isinstance(term, Variable) else places.get(term)


def _join(atom: Atom, relations: Relations, places: Mapping[Term, int]) -> Join | None:
    subject, thing = (_side(term, places) for term in atom.terms)
    if subject is None or thing is None or not isinstance(atom.predicate, Entity):
        return None
    number = relations.number.get(atom.predicate)
    return None if number is None else Join(number, subject, thing)


def _places(mined: Sequence[Mined], relations: Relations, terms: Sequence[Term] | None) -> Mapping[Term, int]:
    """The place of each constant of the rules.

    Raises:
        RecipeError: When a rule is no Horn rule of atoms of two terms, or has a constant that is not told.
    """
    faults: list[Fault] = []
    constants: set[Term] = set()
    for each in mined:
        rule = each.rule
        atoms = (*rule.body, rule.head)
        if not rule.body or not all(_plain(atom) for atom in atoms):
            what = "only rules with a head and a body of atoms of two terms are applied here."
            faults.append(Fault(rule.where or f"rule {rule.id}", what))
            continue
        open_ = {name for atom in rule.atoms for name in atom.variables}
        assert rule.head is not None
        lost = [name for name in rule.head.variables if name not in open_]
        if lost:
            faults.append(Fault(rule.where or f"rule {rule.id}", f"{', '.join(lost)} is not in the body."))
        constants |= {
            term for atom in (*rule.atoms, rule.head) for term in atom.terms if not isinstance(term, Variable)
        }
    if constants and terms is None:
        faults.append(Fault("terms", "rules with constants are applied by their names.", "Give `terms`."))
    if faults:
        raise RecipeError(faults)
    every = terms if terms and constants else ()
    numbers = {term: number for number, term in enumerate(every) if term in constants}
    places, at = found(relations.ids, np.array(list(numbers.values()), np.int64))
    names = list(numbers)
    return {names[place]: where for place, where in zip(places.tolist(), at.tolist(), strict=True)}


def _plain(atom: object) -> bool:
    return isinstance(atom, Atom) and len(atom.terms) == 2 and isinstance(atom.predicate, Entity)


def _halved(
    things: Ints, look: Callable[[Ints, int], tuple[Ints, Floats, Floats]]
) -> Iterator[tuple[Ints, Floats, Floats]]:
    """What is found of some things: in halves, and halves of these, where it is too much at a time."""
    try:
        yield look(things, ROWS if len(things) > 1 else EVERY)
    except Wide:
        middle = len(things) // 2
        yield from _halved(things[:middle], look)
        yield from _halved(things[middle:], look)


def _told(relations: Relations, predicate: Entity, known: Relations | None) -> Ints:
    """Pairs of a property that are not new, as one number each, sorted."""
    keys = [NONE]
    if predicate in relations.number:
        first, second = relations.pairs[2 * relations.number[predicate]]
        keys.append(first * relations.size + second)
    if known and predicate in known.number:
        ends = [known.ids[each] for each in known.pairs[2 * known.number[predicate]]]
        here, at = zip(*(found(relations.ids, each) for each in ends), strict=True)
        places = [np.full(len(ends[0]), -1) for _ in ends]
        for column, where, value in zip(places, here, at, strict=True):
            column[where] = value
        both = (places[0] >= 0) & (places[1] >= 0)
        keys.append(places[0][both] * relations.size + places[1][both])
    return once(np.concatenate(keys))


def _new(part: Conclusions, relations: Relations, told: Ints, terms: Sequence[Term] | None) -> Ints:
    """Places of the conclusions that may be told."""
    new = np.ones(len(part.subjects), np.bool_)
    new[found(told, part.subjects * relations.size + part.objects)[0]] = False
    if terms is not None:
        values = [each for each in once(part.subjects).tolist() if isinstance(terms[relations.ids[each]], Value)]
        new[found(np.array(values, np.int64), part.subjects)[0]] = False
    return np.flatnonzero(new)


class _Best:
    """The best of what is added, and no more of it in memory than some times as much."""

    def __init__(self, score: Score, most: int | None) -> None:
        self.score, self.most = score, most
        self._parts: list[tuple[Ints, Conclusions]] = []
        self._count = 0

    def add(self, number: int, part: Conclusions) -> None:
        """Add conclusions of a predicate."""
        self._parts.append((np.full(len(part.subjects), number), part))
        self._count += len(part.subjects)
        if self.most is not None and self._count > 4 * self.most + ROWS:
            self._parts = [self._sorted()]
            self._count = len(self._parts[0][0])

    def _sorted(self) -> tuple[Ints, Conclusions]:
        numbers = np.concatenate([NONE, *(numbers for numbers, _ in self._parts)])
        names = ("subjects", "objects", "surest", "joint")
        columns = [np.concatenate([NONE, *(getattr(part, name) for _, part in self._parts)]) for name in names]
        every = Conclusions(*columns)
        first, second = every.ranked(self.score)
        order = np.lexsort([every.objects, every.subjects, numbers, -second, -first])[: self.most]
        return numbers[order], every.take(order)

    def told(self, applied: Applied) -> Iterator[Hypothesis]:
        """The best with their rules, best first."""
        numbers, every = self._sorted()
        for start in range(0, len(numbers), PART):
            yield from self._part(
                applied, numbers[start : start + PART], every.take(np.arange(len(numbers))[start : start + PART])
            )

    def _part(self, applied: Applied, numbers: Ints, part: Conclusions) -> Iterator[Hypothesis]:
        ids = applied.relations.ids
        made: dict[int, Hypothesis] = {}
        for number in once(numbers).tolist():
            predicate = applied.predicates[number]
            rows = np.flatnonzero(numbers == number)
            explained = applied.explained(predicate, part.subjects[rows], part.objects[rows])
            for row, (mined, binding) in zip(rows.tolist(), explained, strict=True):
                ends = int(ids[part.subjects[row]]), int(ids[part.objects[row]])
                sure = float(part.surest[row] if self.score == "max" else -np.expm1(-part.joint[row]))
                made[row] = Hypothesis(ends[0], predicate, ends[1], min(sure, MOST_SURE), mined, binding)
        yield from (made[row] for row in range(len(numbers)))
