"""Closed Horn rules that a graph of facts supports.

Source: Galárraga et al., AMIE: association rule mining under incomplete evidence in ontological knowledge bases, WWW
2013 (the measures); Lajus, Galárraga and Suchanek, Fast and exact rule mining with AMIE 3, ESWC 2020 (pruning).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sibu.core.errors import Fault, RecipeError
from sibu.core.logic import Rule, Term
from sibu.logic.mining.columns import Graph, Relations
from sibu.logic.mining.counting import Bounds, Index, Late
from sibu.logic.mining.kinds import Found, Kinds, Task


@dataclass(frozen=True, slots=True)
class Mined:
    """A rule with how the graph speaks for it."""

    rule: Rule
    """Its confidence is the PCA confidence; n / (n + 1) where all n cases speak for it, so that it stays a guess."""
    support: int
    """Different pairs that the head holds of and the body gives."""
    head_coverage: float
    """Support by all that the head holds of, above 0 to 1."""
    confidence: float
    """Support by all that the body gives: what is not known counts as false. Above 0 to 1."""
    pca_confidence: float
    """The same, but a pair counts as false only where the head is known of its key with another. Above 0 to 1."""
    loops: int = 0
    """How often the body joins a thing with itself, where the head joins no thing with itself: that is not counted."""


class Findings(list[Mined]):
    """Rules that were found, and why the search ended before it was through."""

    stopped: str = ""
    """Empty: it was through."""


def mine(
    graph: Graph,
    *,
    terms: Sequence[Term] | None = None,
    support: int = 100,
    head_coverage: float = 0.01,
    confidence: float = 0.1,
    longest: int = 3,
    constants: bool = False,
    most: int | None = None,
    seconds: float | None = None,
    workers: int = 1,
) -> Findings:
    """Find the closed, connected Horn rules with enough support and PCA confidence.

    The language, by atoms in all (``longest``); ``s`` and ``t`` read in either direction:

    - 2: ``r(X, Y) <- s(X, Y)``; with units ``u(X) <- v(X)``
    - 3: ``r(X, Y) <- s(X, Z), t(Z, Y)``; ``r(X, Y) <- s(X, Y), t(X, Y)``; with units ``r(X, Y) <- s(X, Y), v(X)`` or
      ``v(Y)``; with classes ``u(X) <- s(X, Z), v(Z)``
    - 4: ``r(X, Y) <- s(X, Z), t(Z, W), q(W, Y)``: for graphs of few properties, or with a time limit

    A unit says that a thing is of a class or, with ``constants``, that a property joins it with a constant (from either
    side); one that holds of fewer than ``support`` things is none. ``rdf:type`` stands in units alone. A rule whose
    head is in its body is none, nor is a chain that gives its head back where two of its variables are one
    (``r(X, Y) <- r(X, Z), t(Z, W), t(Y, W)``). Where the head's property joins no thing with itself, what the body
    gives of one thing alone is not counted: nobody is a sibling of their own. Of two rules one of which says more than
    the other (fewer conditions, or variables for constants) the narrower one is told only where its PCA confidence is
    higher.

    Args:
        graph: Ids of subjects and objects by property; a pair that stands twice counts once.
        terms: What the ids stand for; needed for classes and constants.
        support: Least number of different pairs that head and body share, at least 1.
        head_coverage: Least share of the head's pairs, from 0 to 1.
        confidence: Least PCA confidence, from 0 to 1.
        longest: Most atoms of a rule with its head, 2 to 4.
        constants: Whether any constant may stand in a unit, or a class alone.
        most: Most rules to give back, the best; None: all.
        seconds: When to end with what was found; None: when through. Shorter rules come first.
        workers: Threads.

    Returns:
        Rules by falling PCA confidence, then support: the same whatever the order of the facts. ``stopped`` says
        what was not looked at.

    Raises:
        RecipeError: When an option is out of its range; tells all of them.
        DataError: When the graph is none.
    """
    _check(support, head_coverage, confidence, longest, most, seconds, workers, constants and terms is None)
    watch = _Watch(seconds)
    relations = Relations(graph, terms)
    if terms is None and len(relations.properties) > relations.binary:
        raise RecipeError(Fault("terms", "classes are mined by their names.", "Give `terms`, or leave rdf:type out."))
    bounds = Bounds(support, head_coverage, confidence)
    kinds = Kinds(Index(relations, bounds, constants=constants), terms or ())
    found: list[Found] = []
    findings = Findings()
    for what, tasks in kinds.stages(longest):
        done = 0
        for rules in watch.run(tasks, workers):
            found += rules
            done += 1
        if done < len(tasks):
            findings.stopped = f"stopped after {seconds:g} seconds: {done:,} of {len(tasks):,} {what} were looked at"
            break
    found.sort()
    for number, each in enumerate(found[:most], start=1):
        rule = kinds.rule(each, f"m{number}")
        shares = (-each.against / each.whole, -each.against / each.size, -each.doubt)
        findings.append(Mined(rule, -each.against, *shares, each.loops))
    return findings


def _check(
    support: int, head_coverage: float, confidence: float, longest: int, most: int | None, seconds: float | None,
    workers: int, nameless: bool,
) -> None:  # fmt: skip
    wrong = {
        "support": (support, support < 1, "at least 1"),
        "head_coverage": (head_coverage, not 0 <= head_coverage <= 1, "from 0 to 1"),
        "confidence": (confidence, not 0 <= confidence <= 1, "from 0 to 1"),
        "longest": (longest, longest not in (2, 3, 4), "2, 3 or 4 atoms, the head among them"),
        "most": (most, most is not None and most < 1, "at least 1"),
        "seconds": (seconds, seconds is not None and not seconds > 0, "above 0"),
        "workers": (workers, workers < 1, "at least 1"),
    }
    faults = [Fault(name, f"given {given}; allowed: {range_}.") for name, (given, bad, range_) in wrong.items() if bad]
    if nameless:
        faults.append(Fault("constants", "rules with constants need names.", "Give `terms`."))
    if faults:
        raise RecipeError(faults)


@dataclass(slots=True)
class _Watch:
    """Runs tasks until the time is over."""

    seconds: float | None
    began: float = field(default_factory=lambda: time.monotonic())

    def check(self) -> None:
        if self.seconds is not None and time.monotonic() - self.began > self.seconds:
            raise Late

    def run(self, tasks: Sequence[Task], workers: int) -> Iterator[list[Found]]:
        """What each task finds, in order, up to the first that was late."""
        if workers == 1:
            yield from _while_in_time(map(self._one, tasks))
            return
        with ThreadPoolExecutor(workers) as pool:
            yield from _while_in_time(pool.map(self._one, tasks))

    def _one(self, task: Task) -> list[Found] | None:
        try:
            self.check()
            return task(self.check)
        except Late:
            return None


def _while_in_time(results: Iterable[list[Found] | None]) -> Iterator[list[Found]]:
    for result in results:
        if result is None:
            return
        yield result
