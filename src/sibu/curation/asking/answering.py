"""Answers: the reading that fits best, what matches it, the proof of that; or what is missing.

Nothing is answered where no reading fits well enough, and silence is not a "no": that nothing matches is an answer only
where something is said of what was looked for (such as other drugs that she takes), which the answer tells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Aggregate, Atom, Condition, Entity, Not, Rule, Term, Value, Variable
from sibu.curation.asking.hearing import Ear, Heard, Span
from sibu.curation.asking.plans import Plan, Planner
from sibu.curation.asking.solving import Binding, Solver, filled_in
from sibu.curation.asking.vocabulary import Vocabulary
from sibu.curation.asking.wording import is_chinese, phrase_of
from sibu.curation.linking.linker import KnowledgeLinker
from sibu.curation.plan import plan_of
from sibu.curation.proving import Proved, Prover
from sibu.curation.why import Reasons, concluded, why

if TYPE_CHECKING:
    from sibu.curation.linking.meaning import Encode
    from sibu.graph.reading import Reading

LONGEST = 500
"""Characters of a question."""
SURE = 0.55
"""Score below which a reading is not answered."""
APART = 0.03
"""Readings whose scores are nearer than this fit alike."""
TRIED = 24
"""Readings of which it is looked at what matches."""
SHOWN = 3
"""Nearest readings that are told."""
_ENDS = re.compile("[?？]+")
"""What stands behind a question: there is one at a time."""
ANSWER = Entity("urn:question:answer")
QUESTION = "question"
"""What an answer's rule concludes, and its id."""
Status = Literal["answered", "ambiguous", "not known"]


@dataclass(frozen=True, slots=True)
class Read:
    """A plan with what matches it."""

    plan: Plan
    matches: tuple[Binding, ...]

    @property
    def terms(self) -> frozenset[Term | None]:
        """What it answers."""
        return frozenset(each.get(self.plan.answer.name) for each in self.matches)


@dataclass(frozen=True, slots=True)
class One:
    """One answer with its proof."""

    term: Term | None
    """None: of a question whether."""
    proved: Proved
    rule: Rule


@dataclass(slots=True)
class Reply:
    """The answer to a question."""

    heard: Heard
    status: Status
    plan: Plan | None = None
    value: list[Term] | int | bool | None = None
    ones: list[One] = field(default_factory=list)
    """Answers with their proofs, as many as were wanted; of a count the proof of the number."""
    over: list[Atom] = field(default_factory=list)
    """The facts that were counted, or among which what was asked for is not."""
    over_count: int = 0
    readings: list[Read] = field(default_factory=list)
    """Those that fit alike, or the nearest where none fits."""
    unknown: list[tuple[str, list[str]]] = field(default_factory=list)
    """Words that mean nothing here, with names that are near."""
    unused: list[str] = field(default_factory=list)
    """Words that ask for more than could be made of the question, such as `not`."""
    has: list[tuple[Entity, list[Entity]]] = field(default_factory=list)
    """Things that were named, with the relations that they have."""
    reasons: Reasons | None = None
    """Why there is no such fact."""
    notes: list[str] = field(default_factory=list)

    @property
    def rejected(self) -> bool:
        """Whether the checker rejected a proof."""
        return any(each.proved.faults for each in self.ones)


class Answerer:
    """Answers questions over a knowledge base.

    Args:
        kb: The knowledge base, open; it must not change while this is used.
        encode: Makes vectors of texts; None: words are compared by their letters alone.
    """

    def __init__(self, kb: Reading, encode: Encode | None = None) -> None:
        self._kb = kb
        self.reasoning = plan_of(kb)
        properties, classes = kb.relations()
        rules = self.reasoning.rules
        heads = {rule.head.predicate for rule in rules if rule.head is not None}
        leave_out = frozenset(each for each in properties | classes | heads if isinstance(each, Entity))
        self.linker = KnowledgeLinker(kb, leave_out=leave_out)
        self.vocabulary = Vocabulary(kb, rules, self.linker)
        self._ear = Ear(self.linker, self.vocabulary, encode)
        self._planner = Planner(kb, self.vocabulary, self.linker, self._ear)
        self._solver = Solver(kb, self.linker, self.vocabulary)
        self._prover: Prover | None = None
        self._notes: list[str] = []

    def ask(self, question: str, *, limit: int = 5) -> Reply:
        """Answer a question.

        Args:
            question: In plain words, English or Chinese; at most ``LONGEST`` characters.
            limit: Most answers that are proved.

        Raises:
            DataError: When it is empty or too long.
        """
        text = question.strip()
        if not text:
            raise DataError("The question is empty. Ask something, such as: sibu ask KB 'Which drugs does Anna take?'")
        if len(text) > LONGEST:
            raise DataError(f"The question has {len(text):,} characters; ask one of at most {LONGEST}.")
        heard = self._ear.hear(text)
        if several := [part.strip() for part in _ENDS.split(text) if phrase_of(part)][1:]:
            return Reply(heard, "not known", unused=several)
        plans = self._planner.plans(heard)
        read = self._tried(plans)
        if not read:
            return self._not_understood(heard, plans)
        alike = self._alike(read)
        if len(alike) > 1:
            return Reply(heard, "ambiguous", readings=alike)
        return self._replied(heard, read[0], limit)

    def _tried(self, plans: Sequence[Plan]) -> list[Read]:
        """What matches the plans that may be the best, or as good as it; the best first."""
        found: list[Read] = []
        best = SURE
        for plan in plans[:TRIED]:
            if plan.score < max(best - APART, SURE):
                break
            found.append(Read(plan, tuple(self._solver.solve(plan))))
            best = max(best, self._worth(found[-1]))
        return sorted(found, key=lambda each: (-self._worth(each), -len(each.plan.places)))

    def _worth(self, read: Read) -> float:
        """The score, less where nothing matches though facts lead there."""
        return read.plan.score * (1.0 if read.matches or read.plan.empty or read.plan.shape == "whether" else 0.9)

    def _alike(self, read: Sequence[Read]) -> list[Read]:
        """The readings that fit as well as the best and answer differently, each answer once."""
        best = read[0]
        found = {best.terms: best}
        for each in read[1:]:
            near = self._worth(best) - self._worth(each) < APART
            if near and bool(each.matches) == bool(best.matches):
                found.setdefault(each.terms, each)
        return list(found.values())

    # ---- what it comes to --------------------------------------------------------------------------------------------

    def _replied(self, heard: Heard, read: Read, limit: int) -> Reply:
        plan, matches = read.plan, read.matches
        if not matches:
            return self._nothing(heard, plan)
        reply = Reply(heard, "answered", plan)
        if plan.shape == "whether":
            reply.value = True
            reply.ones = [self._proved(plan, matches[0], whether=True)]
        elif plan.shape == "count":
            reply.value = len(matches)
            reply.over_count = len(matches)
            for each in matches[:limit]:
                reply.over += self._premises(plan, each)
            reply.ones = self._counted(plan, matches[0], len(matches))
        else:
            reply.value = [each[plan.answer.name] for each in matches]
            reply.ones = [self._proved(plan, each) for each in matches[:limit]]
        reply.notes += self._noted()
        return reply

    def _nothing(self, heard: Heard, plan: Plan) -> Reply:
        """Nothing matches: an answer where something is said of what was looked for."""
        over = self._looked_among(plan)
        if over:
            reply = Reply(heard, "answered", plan, over=over[:SHOWN], over_count=len(over))
            reply.value = False if plan.shape == "whether" else 0 if plan.shape == "count" else []
            if plan.shape == "whether":
                reply.ones = self._denied(plan)
            reply.notes += self._noted()
            return reply
        reply = Reply(heard, "not known", plan, has=self._what_they_have(plan.uses))
        asked = next((atom for atom in plan.atoms if any(isinstance(term, Entity) for term in atom.terms)), None)
        if asked is None and plan.kinds and isinstance(plan.kinds[0][0], Entity):
            asked = Atom(TYPE, plan.kinds[0])
        if asked is not None:
            reply.reasons = why(self._kb, self._written(asked), limit=SHOWN)
        return reply

    def _looked_among(self, plan: Plan) -> list[Atom]:
        """The facts among which what was asked for is not: of the first thing, by the first relation."""
        if plan.atoms:
            atom = plan.atoms[0]
            ends = [place for place, term in enumerate(atom.terms) if isinstance(term, Entity)]
            if not ends and plan.kinds:
                kind = plan.kinds[0][1]
                return [Atom(TYPE, (each, kind)) for each in sorted(self._solver.members(kind))]
            if not ends:
                return []
            subject = atom.terms[0] if ends[0] == 0 else None
            thing = atom.terms[1] if ends[0] == 1 else None
            assert isinstance(atom.predicate, Entity)
            found = self._kb.triples(subject, atom.predicate, thing)  # type: ignore[arg-type]
            return [Atom(each.predicate, (each.subject, each.object)) for each in sorted(found, key=str)]
        for thing, kind in plan.kinds[:1]:
            if isinstance(thing, Entity):
                return self._told_of_class(thing, kind)
        return [Atom(TYPE, (each, kind)) for _, kind in plan.kinds[:1] for each in sorted(self._solver.members(kind))]

    def _told_of_class(self, thing: Entity, kind: Entity) -> list[Atom]:
        """The classes that a thing is told to have, other than the one asked for."""
        own = [triple.object for triple in self._kb.triples(thing, TYPE) if isinstance(triple.object, Entity)]
        return [Atom(TYPE, (thing, each)) for each in own if each in self.vocabulary.classes and kind != each]

    # ---- proofs ------------------------------------------------------------------------------------------------------

    @property
    def prover(self) -> Prover:
        """Proves from what was inferred last."""
        if self._prover is None:
            self._prover = Prover(self._kb, concluded(self._kb, self.reasoning, self._notes))
        return self._prover

    def _noted(self) -> list[str]:
        """What is to be known of what was inferred."""
        assert self.prover is not None
        return self._notes

    def _premises(self, plan: Plan, match: Binding) -> list[Atom]:
        return [filled_in(atom, match) for atom in plan.atoms] + [
            fact for term, kind in plan.kinds for fact in self._kind_facts(term, kind, match)
        ]

    def _kind_facts(self, term: Term | Variable, kind: Entity, match: Binding) -> list[Atom]:
        thing = match[term.name] if isinstance(term, Variable) else term
        assert isinstance(thing, Entity)
        return self._solver.kind_atoms(thing, kind)

    def _body(self, plan: Plan, match: Binding) -> tuple[list[Condition], dict[str, Term]]:
        """The conditions of a plan as those of a rule, and what its variables stand for."""
        body: list[Condition] = list(plan.atoms)
        binding = dict(match)
        for term, kind in plan.kinds:
            facts = self._kind_facts(term, kind, match)
            here: Term | Variable = term
            for number, fact in enumerate(facts):
                last = number == len(facts) - 1
                there: Term | Variable = kind if last else Variable(f"C{len(body)}")
                body.append(Atom(fact.predicate, (here, there)))
                if isinstance(there, Variable):
                    binding[there.name] = fact.terms[1]  # type: ignore[assignment]
                here = there
        body += [Not(atom) for atom in plan.denied]
        return [*body, *plan.tests], binding

    def _proved(self, plan: Plan, match: Binding, *, whether: bool = False) -> One:
        body, binding = self._body(plan, match)
        if plan.extreme is not None:
            body.append(self._extreme(plan, body))
        head = Atom(ANSWER, () if whether else (plan.answer,))
        rule = Rule(QUESTION, head, tuple(body), about="the question")
        premises = [filled_in(each, binding) for each in body if isinstance(each, Atom)]
        term = None if whether else match[plan.answer.name]
        return One(term, self.prover.conclusion(rule, premises, binding), rule)

    def _extreme(self, plan: Plan, body: Sequence[Condition]) -> Aggregate:
        """That a number is the greatest, or the least, of all there are."""
        assert plan.extreme is not None
        sign, variable = plan.extreme
        inner = [_renamed(each) for each in body if isinstance(each, Atom)]
        return Aggregate(variable, sign, (Variable(f"{variable.name}2"),), tuple(inner))  # type: ignore[arg-type]

    def _counted(self, plan: Plan, match: Binding, count: int) -> list[One]:
        """The proof of a number, by counting."""
        body, _ = self._body(plan, match)
        number = Variable("N")
        inner = tuple(each for each in body if not isinstance(each, Aggregate))
        if plan.extreme is not None:
            return []
        total = Aggregate(number, "count", (plan.answer,), inner)
        rule = Rule(QUESTION, Atom(ANSWER, (number,)), (total,), about="the question")
        return [One(Value.of(count), self.prover.conclusion(rule, [], {"N": Value.of(count)}), rule)]

    def _denied(self, plan: Plan) -> list[One]:
        """The proof that there is no such fact, of a question about a single one."""
        facts = [*plan.atoms, *(Atom(TYPE, pair) for pair in plan.kinds)]
        if len(facts) != 1 or plan.tests:
            return []
        rule = Rule(QUESTION, Atom(ANSWER, (Value.of(False),)), (Not(facts[0]),), about="the question")
        return [One(None, self.prover.conclusion(rule, [], {}), rule)]

    # ---- what is missing ---------------------------------------------------------------------------------------------

    def _not_understood(self, heard: Heard, plans: Sequence[Plan]) -> Reply:
        reply = Reply(heard, "not known")
        reply.readings = [Read(each, ()) for each in plans[:SHOWN]]
        best = plans[0] if plans else None
        known = best.places if best is not None else frozenset(
            place for each in (*heard.things, *heard.relations, *heard.classes) for place in each.places)  # fmt: skip
        for each in heard.marked:
            places = frozenset(range(each.first, each.last))
            if places <= heard.content - known:
                known |= places
                reply.unused += heard.said(places)
        for words in heard.said(heard.content - known):
            near = self.linker.near.find(_key(words), most=3, least=0.5)
            texts = [each.text for key, _ in near for each in self.linker.aliases.of(key)[:1]]
            reply.unknown.append((words, texts))
        reply.has = self._what_they_have(best.uses if best is not None else heard.things)
        return reply

    def _what_they_have(self, spans: Sequence[Span]) -> list[tuple[Entity, list[Entity]]]:
        """The things among some spans, with the relations that they have."""
        found = []
        relations, classes = set(self.vocabulary.relations), set(self.vocabulary.classes)
        for entity in dict.fromkeys(each.entity for each in spans):
            if entity in relations or entity in classes:
                continue
            own = {each.predicate for each in self._kb.triples(entity)}
            own |= {each.predicate for each in self._kb.triples(None, None, entity)}
            found.append((entity, sorted(own & relations)))
        return found[:SHOWN]

    def _written(self, atom: Atom) -> str:
        """An atom as rules have it, what is open as a variable."""
        from sibu.graph.spoken import said_term

        names = self._kb.names
        terms = ["_" if isinstance(each, Variable) else said_term(each, names) for each in atom.terms]
        if atom.predicate == TYPE:
            return f"{terms[1]}({terms[0]})"
        assert isinstance(atom.predicate, Entity)
        return f"{names.short(atom.predicate.iri)}({', '.join(terms)})"


def _renamed(atom: Atom) -> Atom:
    """An atom with variables of its own."""
    return Atom(atom.predicate, tuple(Variable(f"{each.name}2") if isinstance(each, Variable) else each
                                      for each in atom.terms))  # fmt: skip


def _key(text: str) -> str:
    from sibu.curation.linking.spelling import name_key

    return name_key(text)


def language_of(question: str) -> str:
    """In which language a question's answer is shown: ``zh`` where it has Chinese characters, else ``en``."""
    return "zh" if is_chinese(question) else "en"
