"""Ways on from a thing that was named: along relations that words name, each with how well it fits the question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from sibu.core.logic import Entity, Term
from sibu.curation.asking.hearing import Heard, Span
from sibu.curation.asking.vocabulary import Vocabulary
from sibu.curation.asking.wording import is_chinese

if TYPE_CHECKING:
    from sibu.curation.linking.linker import KnowledgeLinker
    from sibu.graph.reading import Reading

STEPS = 3
"""Most facts from a thing to what is asked for."""
UNNAMED = 0.75
"""Factor of a step that no word of the question names."""
AGAINST_ORDER, AGAINST_OWNER = 0.9, 0.5
"""Factors of a first step in the direction that the order of words does not suggest, and of one from what a relation is
said to be of (`the age of`, `的年龄`) but that it has not."""
AGAIN = 0.9
"""Factor of a step along a relation that the path went along before."""
OTHER_SEEN, OTHER_DECLARED = 0.8, 0.6
"""Factors of a step without facts from a thing of a class that never stands there, or must not."""
MOST_ENDS = 400
"""Things from which a path goes on while patterns are made; what matches them is then sought without this bound."""


@dataclass(frozen=True, slots=True)
class Step:
    """A relation gone along."""

    relation: Entity
    forward: bool
    """From subject to object."""
    span: Span | None
    """The words that name it."""
    fit: float


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from a thing, or from all things of a class."""

    start: Span
    steps: tuple[Step, ...]
    ends: frozenset[Term]
    fit: float

    @property
    def places(self) -> frozenset[int]:
        """The words that name its steps."""
        return frozenset(place for step in self.steps if step.span is not None for place in step.span.places)


class Walker:
    """Goes along relations.

    Args:
        kb: The knowledge base.
        vocabulary: Its relations and classes.
        linker: Knows the classes of things.
    """

    def __init__(self, kb: Reading, vocabulary: Vocabulary, linker: KnowledgeLinker) -> None:
        self._kb, self._vocabulary, self._linker = kb, vocabulary, linker
        self._followed: dict[tuple[frozenset[Term], Entity, bool], frozenset[Term]] = {}

    def forget(self) -> None:
        """Forget where steps led: before another question."""
        self._followed.clear()

    def paths(self, heard: Heard, start: Span, relations: list[Span], classes: list[Span]) -> Iterator[Path]:
        """Ways on from a thing: along relations that words name, and one at most that none does."""
        waiting = [Path(start, (), frozenset([start.entity]), 1.0)]
        while waiting:
            path = waiting.pop(0)
            if path.steps:
                yield path
            if len(path.steps) == STEPS or (path.steps and not path.ends):
                continue
            for span in relations:
                if span.places & path.places:
                    continue
                for forward in (True,) if self._vocabulary.symmetric(span.entity) else (True, False):
                    if _is_back(path, span, forward):
                        continue
                    yield from self._longer(heard, path, Step(span.entity, forward, span, span.fit), waiting)
            if classes and all(step.span is not None for step in path.steps):
                waiting += self._unnamed(path, classes)

    def _longer(self, heard: Heard, path: Path, step: Step, waiting: list[Path]) -> Iterator[Path]:
        """A path with one more step; one without facts only where it is the first, as what is missing."""
        ends = self.follow(path.ends, step)
        fit = step.fit
        if not path.steps:
            fit *= self.order(heard, path.start, step)
        if ends:
            again = any(each.relation == step.relation for each in path.steps)
            fit *= AGAIN if again else 1.0
            waiting.append(Path(path.start, (*path.steps, step), ends, path.fit * fit))
        elif not path.steps:
            yield Path(path.start, (step,), frozenset(), fit * self._stands(path.start.entity, step))

    def _unnamed(self, path: Path, classes: list[Span]) -> Iterator[Path]:
        """One more step by a relation that no word names, to things of a class that one does."""
        for relation, forward in self._leaving(path.ends):
            if any(step.relation == relation and step.forward != forward for step in path.steps):
                continue  # there and back again
            step = Step(relation, forward, None, UNNAMED)
            ends = self.follow(path.ends, step)
            named = {each.entity for each in classes}
            some = list(islice((end for end in ends if isinstance(end, Entity)), 50))
            if any(named & self._linker.classes(end) for end in some):
                yield Path(path.start, (*path.steps, step), ends, path.fit * UNNAMED)

    def _leaving(self, ends: frozenset[Term]) -> list[tuple[Entity, bool]]:
        """The relations of some things, with their direction."""
        found: dict[tuple[Entity, bool], None] = {}
        known = set(self._vocabulary.relations)
        for end in islice(sorted(each for each in ends if isinstance(each, Entity)), 20):
            for triple in islice(self._kb.triples(end), 200):
                if triple.predicate in known and isinstance(triple.object, Entity):
                    found[triple.predicate, True] = None
            for triple in islice(self._kb.triples(None, None, end), 200):
                if triple.predicate in known:
                    found[triple.predicate, False] = None
        return list(found)

    def follow(self, ends: frozenset[Term], step: Step) -> frozenset[Term]:
        """Where a step leads from some things, of which the first ``MOST_ENDS`` are looked at."""
        key = ends, step.relation, step.forward
        if key not in self._followed:
            self._followed[key] = self._following(ends, step)
        return self._followed[key]

    def _following(self, ends: frozenset[Term], step: Step) -> frozenset[Term]:
        found: set[Term] = set()
        for end in islice(ends, MOST_ENDS):
            if step.forward and isinstance(end, Entity):
                found.update(each.object for each in self._kb.triples(end, step.relation))
            elif not step.forward:
                found.update(each.subject for each in self._kb.triples(None, step.relation, end))
        return frozenset(found)

    def order(self, heard: Heard, start: Span, step: Step) -> float:
        """Whether the order of words suggests the direction: who does it stands before it, save in the passive."""
        if step.span is None or step.span.places & start.places:
            return 1.0
        before = start.first < step.span.first
        forward = before
        between = range(min(start.last, step.span.last), max(start.first, step.span.first))
        marked = {each.mark.kind for each in heard.marked if set(range(each.first, each.last)) & set(between)}
        around = {each.mark.kind for each in heard.marked if each.last == start.first or each.first == start.last}
        owned = "owning" in marked and before == is_chinese(heard.text)
        if owned and self._is_one_of_its(start.entity, step.relation):
            return 1.0  # the symptom of coughing
        if owned:
            forward = True  # the age of Anna, 安娜的年龄
        if "passive" in marked | around or _turned(heard, step.span):
            forward = not before
        if forward == step.forward:
            return 1.0
        return AGAINST_OWNER if owned else AGAINST_ORDER

    def _is_one_of_its(self, thing: Entity, relation: Entity) -> bool:
        """Whether a thing is what a relation leads to, and not what it is of, by its classes."""
        own = self._linker.classes(thing)
        return bool(own & self._vocabulary.end(relation, False).declared) and not (
            own & self._vocabulary.end(relation, True).declared
        )

    def _stands(self, thing: Entity, step: Step) -> float:
        """Whether a thing can stand where a step without facts begins, by its classes."""
        own, end = self._linker.classes(thing), self._vocabulary.end(step.relation, step.forward)
        if own and end.declared and not own & end.declared:
            return OTHER_DECLARED
        return OTHER_SEEN if own and end.seen and not own & end.seen else 1.0

    def follow_path(self, path: Path, count: int) -> frozenset[Term]:
        """Where the first steps of a path lead."""
        ends: frozenset[Term] = frozenset([path.start.entity])
        for step in path.steps[:count]:
            ends = self.follow(ends, step)
        return ends


def _turned(heard: Heard, span: Span) -> bool:
    """Whether a relation `location of` is said the other way round: `located in`."""
    return (
        span.text.lower().endswith(" of")
        and span.last < len(heard.words)
        and heard.words[span.last].key in ("in", "at", "on", "from")
    )


def _is_back(path: Path, span: Span, forward: bool) -> bool:
    """Whether a step goes back where the last came from, by other words for one relation: these say it once."""
    if not path.steps:
        return False
    last = path.steps[-1]
    same = last.relation == span.entity and last.forward != forward
    return same and (last.span is None or last.span.text != span.text)
