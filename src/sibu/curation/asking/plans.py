"""From what was heard to patterns of facts, each with how well it fits the question.

A pattern leads from the things that were named to what is asked for, over at most three facts for each thing. Its
score, from 0 to 1, is the product of how well each name fits, and of a factor for everything that speaks against it: a
step that no word names, a direction against the order of words, words that it leaves out, a pattern that no fact
matches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise, product
from math import prod
from typing import TYPE_CHECKING

from sibu.core.logic import TYPE, Atom, Comparison, Entity, Term, Triple, Value, Variable
from sibu.curation.asking.hearing import IMPLIED, Bound, Ear, Heard, Span
from sibu.curation.asking.paths import MOST_ENDS, UNNAMED, Path, Step, Walker
from sibu.curation.asking.vocabulary import Vocabulary
from sibu.curation.asking.wording import is_chinese

if TYPE_CHECKING:
    from sibu.curation.linking.linker import KnowledgeLinker
    from sibu.graph.reading import Reading

OTHER_TARGET, JOINED = 0.5, 0.4
"""Factors of a pattern that leads to other things than those asked for, by class or by relation, and of one that takes
two relations one behind the other which the question joins by `and`."""
EMPTY = 0.85
"""Factor of a pattern that no fact matches."""
LEFT_OUT, LEFT_OUT_SIGN, LEFT_OUT_ADVERB, LEFT_OUT_MARK = 0.5, 0.8, 0.9, 0.4
"""Factors of words that a pattern leaves out: of a word or a run of Chinese characters, of a single one, of an adverb,
and of one that asks for more than the pattern gives, such as `not`."""
_MARKS = ("negative", "compare", "extreme", "choosing", "whole", "sole")
"""Kinds of marks that ask for more."""
MOST_CHOICES = 16
"""Ways to read the names of a question."""
MOST_PATHS = 400
KIN = ("isa", "is a", "kind of", "type of", "subclass of", "broader", "是一种", "上位")
"""Words of relations that say what kind of thing a thing is."""
X = Variable("X")


@dataclass(frozen=True, slots=True)
class Plan:
    """A pattern of facts."""

    shape: str
    """``which``, ``count`` or ``whether``."""
    atoms: tuple[Atom, ...] = ()
    kinds: tuple[tuple[Term | Variable, Entity], ...] = ()
    """What is to be of a class."""
    denied: tuple[Atom, ...] = ()
    tests: tuple[Comparison, ...] = ()
    extreme: tuple[str, Variable] | None = None
    """``max`` or ``min``, and of which variable."""
    answer: Variable = X
    """What is asked for."""
    uses: tuple[Span, ...] = ()
    """The names it makes use of."""
    places: frozenset[int] = frozenset()
    """The words it accounts for."""
    left_out: tuple[str, ...] = ()
    """Those that it does not."""
    score: float = 0.0
    empty: bool = False
    """Whether no fact leads from the named things on."""

    @property
    def things(self) -> tuple[Entity, ...]:
        """The things that it names."""
        listed = [term for atom in (*self.atoms, *self.denied) for term in atom.terms if isinstance(term, Entity)]
        listed += [term for term, _ in self.kinds if isinstance(term, Entity)]
        return tuple(dict.fromkeys(listed))

    @property
    def pattern(self) -> tuple[object, ...]:
        """What tells it from others."""
        return self.shape, frozenset(self.atoms), frozenset(self.kinds), self.denied, self.tests, self.extreme


@dataclass(slots=True)
class _Draft:
    """A pattern in the making."""

    things: Sequence[Span]
    atoms: list[Atom] = field(default_factory=list)
    kinds: list[tuple[Term | Variable, Entity]] = field(default_factory=list)
    uses: list[Span] = field(default_factory=list)
    nodes: dict[Variable, frozenset[Term]] = field(default_factory=dict)
    """What each variable may stand for."""
    ends: dict[Variable, list[tuple[Entity, bool]]] = field(default_factory=dict)
    """At which ends of relations each variable stands."""
    fit: float = 1.0
    empty: bool = False
    explained: set[int] = field(default_factory=set)


class Planner:
    """Makes patterns.

    Args:
        kb: The knowledge base.
        vocabulary: Its relations and classes.
        linker: Knows the classes of things.
        ear: Knows relations by words.
    """

    def __init__(self, kb: Reading, vocabulary: Vocabulary, linker: KnowledgeLinker, ear: Ear) -> None:
        self._kb, self._vocabulary, self._linker, self._ear = kb, vocabulary, linker, ear
        self._walker = Walker(kb, vocabulary, linker)

    def plans(self, heard: Heard) -> list[Plan]:
        """All patterns that may be meant, the best first, each once."""
        found: dict[tuple[object, ...], Plan] = {}
        self._walker.forget()
        for things in islice(_choices(heard), MOST_CHOICES):
            for each in self._of(heard, things):
                known = found.get(each.pattern)
                if known is None or known.score < each.score:
                    found[each.pattern] = each
        return sorted(found.values(), key=lambda each: (-each.score, len(each.atoms), str(each.pattern)))

    def _of(self, heard: Heard, things: tuple[Span, ...]) -> Iterator[Plan]:
        taken = frozenset(place for each in things for place in each.places)
        closed = frozenset(place for each in heard.marked if each.mark.kind in ("which", "count", "whether", "negative")
                           for place in range(each.first, each.last))  # fmt: skip
        relations = [each for each in heard.relations if not each.places & (taken | closed)]
        classes = [each for each in heard.classes if not each.places & (taken | closed)]
        drafts = self._drafts(heard, things, relations, classes)
        for draft in islice(drafts, MOST_PATHS):
            for classed in self._classed(heard, draft, classes):
                for whole in self._measured(heard, classed, relations):
                    yield self._scored(heard, whole)

    # ---- from things to what is asked for ----------------------------------------------------------------------------

    def _drafts(
        self, heard: Heard, things: tuple[Span, ...], relations: list[Span], classes: list[Span]
    ) -> Iterator[tuple[_Draft, Plan]]:
        plan = Plan(heard.shape)
        if not things:
            yield from self._of_classes(plan, relations, classes)
            return
        if heard.shape == "whether" and len(things) > 1:
            yield from self._between(heard, plan, things, relations, classes)
            return
        if heard.shape == "whether" and len(things) == 1:
            yield from self._about(heard, plan, things[0], classes)
        if heard.kinds("negative") and len(things) == 1:
            yield from self._denying(heard, plan, things[0], relations, classes)
        together = _coordinated(heard, things)
        options = [list(self._walker.paths(heard, each, relations, classes)) for each in things]
        for chosen in islice(product(*options), MOST_PATHS * 4):
            if _fits_together(chosen, together):
                draft = self._joined(things, chosen)
                texts = bool(draft.nodes[X]) and all(isinstance(each, Value) for each in draft.nodes[X])
                # Whether there is a text is not what is asked: how it is, such as `infectious`.
                yield draft, replace(plan, shape="which") if texts and not heard.bounds else plan

    def _joined(self, things: Sequence[Span], paths: Sequence[Path], end: Term | Variable = X) -> _Draft:
        """Paths that end in one."""
        draft = _Draft(things, uses=list(things))
        count = 0
        ends: frozenset[Term] | None = None
        for path in paths:
            here: Term | Variable = path.start.entity
            for place, step in enumerate(path.steps):
                last = place == len(path.steps) - 1
                count += not last
                there: Term | Variable = end if last else Variable(f"Y{count}")
                pair = (here, there) if step.forward else (there, here)
                draft.atoms.append(Atom(step.relation, pair))
                if isinstance(there, Variable):
                    draft.ends.setdefault(there, []).append((step.relation, not step.forward))
                    if not last:
                        draft.nodes[there] = self._walker.follow_path(path, place + 1)
                if step.span is not None and step.span not in draft.uses:
                    draft.uses.append(step.span)
                here = there
            draft.fit *= path.fit
            ends = path.ends if ends is None else ends & path.ends
        if isinstance(end, Variable):
            draft.nodes[end] = ends or frozenset()
        draft.empty = not ends
        draft.atoms = list(dict.fromkeys(draft.atoms))
        return draft

    # ---- other ways to begin -----------------------------------------------------------------------------------------

    def _between(
        self, heard: Heard, plan: Plan, things: tuple[Span, ...], relations: list[Span], classes: list[Span]
    ) -> Iterator[tuple[_Draft, Plan]]:
        """Whether something leads from one thing to the others."""
        if heard.kinds("having") and len(things) == 2:
            known = set(self._vocabulary.relations)
            one, two = things
            for triple in self._kb.triples(one.entity, None, two.entity):
                if triple.predicate in known:
                    draft = _Draft(things, uses=list(things), fit=UNNAMED)
                    draft.atoms.append(Atom(triple.predicate, (one.entity, two.entity)))
                    yield draft, plan
        if len(things) == 2 and not relations:
            yield from self._kin(heard, plan, things)
        for start in (things[0], things[-1]):
            others = [each for each in things if each is not start]
            for path in self._walker.paths(heard, start, relations, classes):
                if any(step.span is None for step in path.steps):
                    continue
                drafts = [self._joined(things, [path], each.entity) for each in others]
                whole = drafts[0]
                for each in drafts[1:]:
                    whole.atoms += [atom for atom in each.atoms if atom not in whole.atoms]
                whole.empty = not {each.entity for each in others} <= path.ends
                yield whole, plan

    def _kin(self, heard: Heard, plan: Plan, things: tuple[Span, ...]) -> Iterator[tuple[_Draft, Plan]]:
        """Whether one thing is a kind of another: `is a bird an animal`, where a relation says so of things."""
        one, two = things
        if heard.content & set(range(one.last, two.first)):
            return
        for relation in self._ear.relations_named(KIN):
            draft = _Draft(things, [Atom(relation, (one.entity, two.entity))], uses=list(things), fit=IMPLIED)
            draft.empty = not self._kb.holds(Triple(one.entity, relation, two.entity))
            yield draft, plan

    def _about(self, heard: Heard, plan: Plan, thing: Span, classes: list[Span]) -> Iterator[tuple[_Draft, Plan]]:
        """Whether a thing is of a class; or has a number that is as told."""
        for each in classes:
            draft = _Draft([thing], kinds=[(thing.entity, each.entity)], uses=[thing, each])
            draft.fit = each.fit
            draft.empty = each.entity not in self._linker.classes(thing.entity)
            yield draft, plan
        if heard.bounds:
            yield _Draft([thing], uses=[thing]), replace(plan, answer=Variable("V"))

    def _denying(
        self, heard: Heard, plan: Plan, thing: Span, relations: list[Span], classes: list[Span]
    ) -> Iterator[tuple[_Draft, Plan]]:
        """All of a class but those of which something is said."""
        if heard.shape == "whether":
            return
        negative = {place for each in heard.kinds("negative") for place in range(each.first, each.last)}
        for kind in classes:
            for span in relations:
                if span.places & kind.places:
                    continue
                for forward in (True, False):
                    step = Step(span.entity, not forward, span, span.fit)
                    atom = Atom(span.entity, (X, thing.entity) if forward else (thing.entity, X))
                    members = self._members(kind.entity)
                    if not any(self._linker.classes(each) & self._vocabulary.end(span.entity, forward).seen
                               for each in islice(members, 20) if isinstance(each, Entity)):  # fmt: skip
                        continue
                    draft = _Draft([thing], kinds=[(X, kind.entity)], uses=[thing, kind, span])
                    draft.nodes[X], draft.fit = members, span.fit * kind.fit * self._walker.order(heard, thing, step)
                    draft.explained |= negative
                    yield draft, replace(plan, denied=(atom,))

    def _of_classes(self, plan: Plan, relations: list[Span], classes: list[Span]) -> Iterator[tuple[_Draft, Plan]]:
        """No thing is named: all of a class, those that have a relation, and what leads from a class to another."""
        for kind in classes:
            members = self._members(kind.entity)

            def begun(kind: Span = kind, members: frozenset[Term] = members) -> _Draft:
                draft = _Draft([], kinds=[(X, kind.entity)], uses=[kind], nodes={X: members}, fit=kind.fit)
                draft.empty = not members
                return draft

            yield begun(), plan
            for span in relations:
                if span.places & kind.places:
                    continue
                for forward in (True, False):
                    if not (self._linker.above(kind.entity) & self._vocabulary.end(span.entity, forward).seen
                            or any(kind.entity in self._linker.above(each)
                                   for each in self._vocabulary.end(span.entity, forward).seen)):  # fmt: skip
                        continue
                    other = Variable("Y1")
                    atom = Atom(span.entity, (X, other) if forward else (other, X))
                    step = Step(span.entity, forward, span, span.fit)
                    own = replace_draft(begun(), atom, span, self._walker.follow(members, step), other, forward)
                    own.fit *= span.fit
                    yield own, plan

    def _members(self, kind: Entity) -> frozenset[Term]:
        """Things of a class, and of those below it."""
        below = {each for each in self._vocabulary.classes if kind in self._linker.above(each)} | {kind}
        found = (triple.subject for each in below for triple in self._kb.triples(None, TYPE, each))
        return frozenset(islice(found, MOST_ENDS))

    # ---- classes, numbers --------------------------------------------------------------------------------------------

    def _classed(
        self, heard: Heard, drafted: tuple[_Draft, Plan], classes: list[Span]
    ) -> Iterator[tuple[_Draft, Plan]]:
        """The pattern with the classes that words name, each where it fits."""
        draft, plan = drafted
        used = frozenset(place for each in draft.uses for place in each.places)
        relations = frozenset(place for each in draft.uses if each.entity in self._vocabulary.relation_sayings
                              for place in each.places)  # fmt: skip
        wanted = _targets(heard, classes)
        met = any(each in draft.uses for each in wanted)
        for each in classes:
            if each in draft.uses or (each.places & used and not each.places <= relations):
                continue
            met |= self._put_class(draft, each, each in wanted) and each in wanted
        if wanted and not met and X in draft.nodes and not draft.empty:
            draft.fit *= OTHER_TARGET
        yield draft, plan

    def _put_class(self, draft: _Draft, kind: Span, target: bool) -> bool:
        """Put a class where it fits: to what is asked for, to what is on the way, or to a named thing beside it."""
        order = [X] if target else [*(each for each in draft.nodes if each != X), X]
        beside = [each for each in draft.things if kind.entity in self._linker.classes(each.entity)
                  and (abs(each.first - kind.last) <= 2 or abs(kind.first - each.last) <= 2)]  # fmt: skip
        if beside and not target:
            draft.uses.append(kind)
            return True
        for node in order:
            if node not in draft.nodes or any(own == node and other == kind.entity for own, other in draft.kinds):
                continue
            implied = any(self._vocabulary.implied(relation, subject, kind.entity)
                          for relation, subject in draft.ends.get(node, ()))  # fmt: skip
            ends = [each for each in draft.nodes[node] if isinstance(each, Entity)]
            fitting = frozenset[Term](each for each in ends if kind.entity in self._linker.classes(each))
            # Of what is not there, it is enough that it could be of the class.
            missing = not draft.nodes[node] and any(
                kind.entity in self._vocabulary.end(relation, subject).seen
                or not self._vocabulary.end(relation, subject).seen
                for relation, subject in draft.ends.get(node, ())
            )
            if implied or fitting or missing:
                if not implied and fitting:
                    draft.kinds.append((node, kind.entity))
                    draft.nodes[node] = fitting
                draft.uses.append(kind)
                draft.fit *= kind.fit
                return True
        return False

    def _measured(
        self, heard: Heard, drafted: tuple[_Draft, Plan], relations: list[Span]
    ) -> Iterator[tuple[_Draft, Plan]]:
        """The pattern with comparisons and extremes, on numbers of what is asked for or of the one named thing."""
        draft, plan = drafted
        extreme = heard.kinds("extreme")
        if not heard.bounds and not extreme:
            yield drafted
            return
        node: Term | Variable = X if X in draft.nodes else draft.things[0].entity if draft.things else X
        for number, bound in enumerate(heard.bounds[:2]):
            counted = _is_count(heard, draft, min(bound.places), max(bound.places) + 1)
            options = self._numbers_of(draft, node, bound.meant, relations, counted)
            if not options:
                yield drafted
                return
            relation, span, fit = options[0]
            variable = Variable(f"V{number or ''}")
            draft.atoms.append(Atom(relation, (node, variable)))
            plan = replace(plan, tests=(*plan.tests, _comparison(bound, variable)))
            draft.fit *= fit
            draft.explained |= bound.places | (span.places if span is not None else frozenset())
        if extreme and isinstance(node, Variable):
            counted = _is_count(heard, draft, extreme[0].first, extreme[0].last)
            options = self._numbers_of(draft, node, extreme[0].mark.meant, relations, counted)
            if options:
                relation, span, fit = options[0]
                draft.atoms.append(Atom(relation, (node, Variable("M"))))
                plan = replace(plan, extreme=(extreme[0].mark.sign, Variable("M")))
                draft.fit *= fit
                draft.explained |= set(range(extreme[0].first, extreme[0].last))
                draft.explained |= span.places if span is not None else set()
        yield draft, plan

    def _numbers_of(
        self, draft: _Draft, node: Term | Variable, meant: tuple[str, ...], relations: list[Span], counted: bool
    ) -> list[tuple[Entity, Span | None, float]]:
        """The relations whose numbers may be compared, the likeliest first, with the words that name them.

        Where no word names one, the only one there is may be meant, unless it is said what is counted.
        """
        some = list(islice(draft.nodes.get(node, ()), 30)) if isinstance(node, Variable) else [node]
        things = [each for each in some if isinstance(each, Entity)]
        having = {
            triple.predicate
            for each in things
            for triple in self._kb.triples(each)
            if isinstance(triple.object, Value) and self._vocabulary.numeric(triple.predicate)
        } & set(self._vocabulary.relations)
        named = [span for span in relations if span.entity in having]
        told = [each for each in self._ear.relations_named(meant) if each in having]
        if told:
            span = next((each for each in named if each.entity == told[0]), None)
            return [(told[0], span, 1.0 if len(told) == 1 else UNNAMED)]
        if named:
            return [(span.entity, span, span.fit) for span in sorted(named, key=lambda each: -each.fit)]
        return [(next(iter(having)), None, UNNAMED)] if len(having) == 1 and not meant and not counted else []

    # ---- how well it fits --------------------------------------------------------------------------------------------

    def _scored(self, heard: Heard, drafted: tuple[_Draft, Plan]) -> Plan:
        draft, plan = drafted
        places = frozenset(place for each in draft.uses for place in each.places) | draft.explained
        draft.fit *= _aimed(heard, draft, plan)
        relations = {atom.predicate for atom in (*draft.atoms, *plan.denied)}
        for each in heard.relations:  # how old, age: one relation by several words
            if each.entity in relations and not any(each.places & thing.places for thing in draft.things):
                places |= each.places
        if plan.extreme is None:  # `oldest` is more than a word for the age
            places -= {place for each in heard.kinds("extreme") for place in range(each.first, each.last)}
        rest = heard.content - places
        factor = _left_out(heard, rest, len(draft.things))
        score = draft.fit * prod(each.fit for each in draft.things) * factor * (EMPTY if draft.empty else 1.0)
        return replace(
            plan,
            atoms=tuple(draft.atoms),
            kinds=tuple(draft.kinds),
            uses=tuple(draft.uses),
            places=places,
            left_out=tuple(heard.said(rest)),
            score=min(score, 1.0),
            empty=draft.empty,
        )


def replace_draft(
    draft: _Draft, atom: Atom, span: Span, ends: frozenset[Term], other: Variable, forward: bool
) -> _Draft:
    """A draft of a class with a relation that its things have to others."""
    relation = span.entity
    return _Draft(
        draft.things,
        [*draft.atoms, atom],
        list(draft.kinds),
        [*draft.uses, span],
        {**draft.nodes, other: ends},
        {X: [(relation, forward)], other: [(relation, not forward)]},
        draft.fit,
        not ends,
        set(draft.explained),
    )


def _is_count(heard: Heard, draft: _Draft, first: int, last: int) -> bool:
    """Whether a comparison or an extreme is of how many things there are, as they stand beside it: `over 2 drugs`."""
    silent = frozenset(range(len(heard.words))) - heard.content
    owning = {place for each in heard.kinds("owning") for place in range(each.first, each.last)}
    between = {place for place in silent if place in owning or is_chinese(heard.words[place].key)}
    asked = {kind for node, kind in draft.kinds if node == X} | {each.entity for each in _targets(heard, heard.classes)}
    return any(each.last == first or (each.first >= last and between >= set(range(last, each.first)))
               for each in heard.classes if each.entity not in asked)  # fmt: skip


def _left_out(heard: Heard, rest: frozenset[int], named: int) -> float:
    """The factor of the words that a pattern leaves out; `named`: how many things it names, which may be said too."""
    factor = 1.0
    for figure in heard.figures:
        if figure.number != named and rest.intersection(range(figure.first, figure.last)):
            factor *= LEFT_OUT_MARK
            rest -= frozenset(range(figure.first, figure.last))
    for each in heard.marked:
        if each.mark.kind in _MARKS and rest.intersection(range(each.first, each.last)):
            factor *= LEFT_OUT_MARK
            rest -= frozenset(range(each.first, each.last))
    for run in heard.said(rest):
        if is_chinese(run):
            factor *= LEFT_OUT if len(run) > 1 else LEFT_OUT_SIGN
        else:
            factor *= prod(LEFT_OUT_ADVERB if word.endswith("ly") else LEFT_OUT for word in run.split())
    return factor


def _choices(heard: Heard) -> Iterator[tuple[Span, ...]]:
    """Ways to read names: the longest, each of its things; and without those that are a relation's or a class's too."""
    named: list[Span] = []
    for each in sorted(heard.things, key=lambda span: (span.fit < 0.94, span.first - span.last, -span.fit)):
        if not any(each.places & other.places for other in named):
            named.append(each)
    named.sort(key=lambda span: span.first)
    groups = [[each for each in heard.things if (each.first, each.last) == (span.first, span.last)] for span in named]
    schema = [*heard.relations, *heard.classes]
    kept = [group for group in groups if not any(group[0].places <= each.places for each in schema)]
    seen = set()
    for chosen in (groups, kept):
        for things in product(*chosen):
            if things not in seen:
                seen.add(things)
                yield things


def _targets(heard: Heard, classes: list[Span]) -> list[Span]:
    """The classes of what is asked for: behind the word that asks, or before it with nothing between."""
    silent = frozenset(range(len(heard.words))) - heard.content
    asking = [each for each in heard.marked if each.mark.kind in ("which", "count")]
    behind = [kind for each in asking for kind in classes
              if kind.first >= each.last and silent >= set(range(each.last, kind.first))]  # fmt: skip
    if behind:
        return behind
    return [kind for each in asking for kind in classes
            if kind.last <= each.first and silent >= set(range(kind.last, each.first))]  # fmt: skip


def _aimed(heard: Heard, draft: _Draft, plan: Plan) -> float:
    """Whether the relation that is asked for (`what interacts`, `什么并发症`) leads to what is asked for."""
    factor = 1.0
    silent = frozenset(range(len(heard.words))) - heard.content
    asked = [each for mark in heard.marked if mark.mark.kind == "which" for each in heard.relations
             if each.first >= mark.last and silent >= set(range(mark.last, each.first))]  # fmt: skip
    asked = [each for each in asked if not any(each.places & kind.places for kind in heard.classes)]
    if asked and plan.shape == "which" and X in draft.nodes:
        last = {atom.predicate for atom in (*draft.atoms, *plan.denied) if X in atom.terms}
        factor *= 1.0 if last.intersection(each.entity for each in asked) else OTHER_TARGET
    joining = {place for each in heard.kinds("joining") for place in range(each.first, each.last)}
    used = sorted((each for each in draft.uses if each in heard.relations), key=lambda each: each.first)
    for one, two in pairwise(used):
        between = set(range(one.last, two.first))
        if between & joining and between <= silent and one.entity != two.entity:
            factor *= JOINED
    return factor


def _coordinated(heard: Heard, things: Sequence[Span]) -> bool:
    """Whether all things stand beside each other, with nothing but `and` between."""
    joining = {place for each in heard.marked if each.mark.kind in ("joining", "idle", "opening", "passive", "owning")
               for place in range(each.first, each.last)}  # fmt: skip
    return len(things) > 1 and all(joining >= set(range(one.last, two.first)) for one, two in pairwise(things))


def _fits_together(paths: Sequence[Path], together: bool) -> bool:
    """Whether paths of several things may be of one question: those joined by `and` take the same steps, others not."""
    if len(paths) < 2:
        return True
    if together:
        return all(_steps(each) == _steps(paths[0]) for each in paths)
    count = sum(len(each.places) for each in paths)
    unnamed = sum(step.span is None for each in paths for step in each.steps)
    return unnamed <= 1 and len(frozenset().union(*(each.places for each in paths))) == count


def _steps(path: Path) -> list[tuple[Entity, bool]]:
    return [(step.relation, step.forward) for step in path.steps]


def _comparison(bound: Bound, variable: Variable) -> Comparison:
    return Comparison(bound.sign, variable, Value.of(bound.number))  # type: ignore[arg-type]
