"""Proofs with the sources of what they rest on, and none that the checker has not accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Literal

from sibu.checker import LIMIT, Checker, Known
from sibu.core.errors import ProofRejected
from sibu.core.logic import Atom, Entity, Proof, Rule, Source, Step, Term, Value, Variable
from sibu.curation.closing import as_triple
from sibu.curation.plan import Plan
from sibu.curation.saved import Conclusions
from sibu.curation.supposing import score_of

if TYPE_CHECKING:
    from sibu.graph.reading import Reading

CLAIM = Entity("urn:sibu:violated")
"""What is concluded where a constraint is met, so that this has a proof too."""


@dataclass(frozen=True, slots=True)
class Proved:
    """A fact with its proof."""

    fact: Atom
    status: Literal["asserted", "derived", "hypothesis"]
    proof: Proof
    faults: tuple[str, ...] = ()
    """Why the checker does not accept it; where there are some nothing is proved."""
    score: float = 1.0
    """Of a hypothesis, in (0, 1)."""


class Asserted:
    """The asserted facts of a knowledge base for the checker, straight from its store.

    Args:
        kb: The knowledge base.
        plan: Its reasoners, some of which say of values what they are.
        terms: The terms that occur.
    """

    def __init__(self, kb: Reading, plan: Plan, terms: Iterable[Term]) -> None:
        self._kb, self._plan, self._terms = kb, plan, terms

    @cached_property
    def _made(self) -> Known:
        return Known(self._plan.facts(self._terms))

    def __contains__(self, fact: object) -> bool:
        if not isinstance(fact, Atom):
            return False
        triple = as_triple(fact)
        if triple is not None and next(self._kb.stated_as("asserted", triple), None) is not None:
            return True
        return self.is_made(fact)

    def is_made(self, fact: Atom) -> bool:
        """Whether it holds by what reasoners say of its own terms, without a rule."""
        return fact in self._plan.facts(term for term in fact.terms if not isinstance(term, Variable))

    def matching(self, pattern: Atom) -> Iterator[Atom]:
        """As the checker asks for them."""
        yield from self._stated(pattern)
        yield from self._made.matching(pattern)

    def _stated(self, pattern: Atom) -> Iterator[Atom]:
        if len(pattern.terms) != 2:
            return
        predicate = None if isinstance(pattern.predicate, Variable) else pattern.predicate
        subject, thing = (None if isinstance(term, Variable) else term for term in pattern.terms)
        if not isinstance(subject, Value):
            for triple in self._kb.stated_as("asserted", (subject, predicate, thing)):
                yield Atom(triple.predicate, (triple.subject, triple.object))


class _Certain:
    """What is certain, for the checker of hypotheses: what has a proof, and what the other checker derives itself."""

    def __init__(self, asserted: Asserted, checker: Checker) -> None:
        self._asserted, self._checker = asserted, checker
        self.proved: set[Atom] = set()

    def __contains__(self, fact: object) -> bool:
        return fact in self.proved or fact in self._asserted

    def matching(self, pattern: Atom) -> Iterator[Atom]:
        """As the checker asks for them."""
        yield from chain(self._asserted.matching(pattern), self._checker.following(pattern))


class _All(_Certain):
    """What is certain, for the checker of one more rule: that a fact is not among it counts too."""

    def __contains__(self, fact: object) -> bool:
        if super().__contains__(fact):
            return True
        return isinstance(fact, Atom) and any(each == fact for each in self._checker.following(fact))


class Prover:
    """Gives proofs of what follows.

    Args:
        kb: The knowledge base.
        found: What follows from it.
        limit: How many facts the checker may look at for the negations and aggregates of one rule.
    """

    def __init__(self, kb: Reading, found: Conclusions, limit: int = LIMIT) -> None:
        self._kb, self._found, self._limit = kb, found, limit
        self.asserted = Asserted(kb, found.plan, found.certain.terms)
        self._checker = Checker(found.plan.certain, self.asserted, limit)
        self._certain = _Certain(self.asserted, self._checker)
        self._all = _All(self.asserted, self._checker)
        self._supposing = Checker(found.plan.supposed, self._certain, limit)
        self._claims: dict[str, Checker] = {}

    def proof(self, fact: Atom) -> Proved | None:
        """The proof of a fact, or of a hypothesis; None: it is neither asserted nor does it follow."""
        if fact in self.asserted:
            return Proved(fact, "asserted", Proof((self._sourced(Step(fact)),)))
        proof = self._found.certain.proof(fact)
        if proof is not None:
            return Proved(fact, "derived", self._with_sources(proof), _faults(self._checker, proof, fact))
        proof = None if self._found.supposed is None else self._found.supposed.proof(fact)
        return None if proof is None else self._hypothesis(fact, proof)

    def _hypothesis(self, fact: Atom, proof: Proof) -> Proved:
        """A proof from certain facts, with theirs put before it."""
        faults: list[str] = []
        steps: dict[Atom, Step] = {}
        for leaf in proof:
            if not leaf.rule:
                own = self._found.certain.proof(leaf.fact) or Proof((Step(leaf.fact),))
                wrong = _faults(self._checker, own, leaf.fact)
                faults += wrong
                self._certain.proved |= set() if wrong else {leaf.fact}
                _splice(own, steps)
        faults += _faults(self._supposing, proof, fact)
        _splice(proof, steps)
        whole = self._with_sources(Proof(tuple(steps.values())))
        return Proved(fact, "hypothesis", whole, tuple(faults), score_of(proof, self._found.plan.rules))

    def violation(self, rule: Rule, premises: Sequence[Atom], binding: Mapping[str, Term]) -> Proved:
        """The proof that a constraint is met, which concludes ``CLAIM`` of what the rule's variables stand for."""
        steps: dict[Atom, Step] = {}
        for fact in premises:
            _splice(self._found.certain.proof(fact) or Proof((Step(fact),)), steps)
        places = {fact: place for place, fact in enumerate(steps)}
        conclusion = Atom(CLAIM, tuple(binding.values()))
        last = Step(conclusion, rule.id, binding, tuple(places[fact] for fact in premises))
        proof = Proof((*steps.values(), last))
        faults = _faults(self._claiming(rule, tuple(binding)), proof, conclusion)
        return Proved(conclusion, "derived", self._with_sources(proof), faults)

    def _claiming(self, rule: Rule, variables: tuple[str, ...]) -> Checker:
        """The checker by which a constraint concludes that it is met; one for each, as it keeps what it derives."""
        if rule.id not in self._claims:
            claim = replace(rule, head=Atom(CLAIM, tuple(map(Variable, variables))))
            others = [each for each in self._found.plan.certain if each.id != rule.id]
            self._claims[rule.id] = Checker([*others, claim], self.asserted, self._limit)
        return self._claims[rule.id]

    def conclusion(self, rule: Rule, premises: Sequence[Atom], binding: Mapping[str, Term]) -> Proved:
        """The proof of what one more rule concludes of facts, such as the answer to a question.

        Args:
            rule: The rule; the knowledge base has none of its id.
            premises: A fact for each positive atom of its body, in order.
            binding: What its variables stand for.
        """
        faults: list[str] = []
        steps: dict[Atom, Step] = {}
        for fact in premises:
            own = self._found.certain.proof(fact) or Proof((Step(fact),))
            wrong = _faults(self._checker, own, fact)
            faults += wrong
            self._all.proved |= set() if wrong else {fact}
            _splice(own, steps)
        assert rule.head is not None
        terms = (binding[term.name] if isinstance(term, Variable) else term for term in rule.head.terms)
        conclusion = Atom(rule.head.predicate, tuple(terms))
        leaves = tuple(dict.fromkeys(premises))
        last = Step(conclusion, rule.id, binding, tuple(leaves.index(fact) for fact in premises))
        alone = Proof((*map(Step, leaves), last))
        # What it denies or counts the checker of the others derives, once for all questions.
        faults += _faults(Checker([rule], self._all, self._limit), alone, conclusion)
        _splice(alone, steps)
        return Proved(conclusion, "derived", self._with_sources(Proof(tuple(steps.values()))), tuple(faults))

    # Where asserted facts come from.

    def _with_sources(self, proof: Proof) -> Proof:
        return Proof(tuple(step if step.rule else self._sourced(step) for step in proof))

    def _sourced(self, step: Step) -> Step:
        return replace(step, sources=tuple(self._sources(step.fact)))

    def _sources(self, fact: Atom) -> list[Source]:
        triple = as_triple(fact)
        found = [] if triple is None else self._kb.sources(triple, "asserted")
        if not found and self.asserted.is_made(fact):
            by = ", ".join(str(each["name"]) for each in self._found.plan.options if each.get("values"))
            found = [Source("XML Schema", extractor=by)]
        return found


def _faults(checker: Checker, proof: Proof, fact: Atom) -> tuple[str, ...]:
    try:
        checker.check(proof, fact)
    except ProofRejected as rejected:
        return rejected.faults
    return ()


def _splice(proof: Proof, steps: dict[Atom, Step]) -> None:
    """Put the steps of a proof behind others, each fact once."""
    places = {fact: place for place, fact in enumerate(steps)}
    for step in proof:
        if step.fact not in places:
            places[step.fact] = len(places)
            premises = tuple(places[proof.steps[each].fact] for each in step.premises)
            steps[step.fact] = replace(step, premises=premises)
