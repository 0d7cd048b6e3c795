"""Proofs made wrong, each in one way.

Some mutations hit upon another valid proof. Whether one did is not asked of the checker: ``Model.stands`` looks each
step up among all applications of the rules that the naive evaluator finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from sibu.core.logic import (
    Aggregate,
    Atom,
    Comparison,
    Condition,
    Entity,
    Not,
    Proof,
    Rule,
    Source,
    Step,
    Term,
    Value,
    Variable,
)
from sibu.core.names import XSD
from tests.logic import naive
from tests.logic.programs import BASE, Program


@dataclass(frozen=True)
class Mutation:
    """A mutated proof."""

    kind: str
    proof: Proof
    asked: Atom
    """What it is said to prove."""

    def stands(self, model: naive.Model) -> bool:
        """Whether it happens to be a proof of what was asked."""
        return self.proof.conclusion == self.asked and model.stands(self.proof)


def of_proof(model: naive.Model, proof: Proof, draw: Random) -> Iterator[Mutation]:
    """One mutation of each kind that the proof allows."""
    maker = _Maker(model, proof, draw)
    for kind, change in KINDS.items():
        found = change(maker)
        if found is not None and found != proof:
            yield Mutation(kind, found, found.conclusion)
    others = [fact for fact in model.why if fact != proof.conclusion]
    if others:
        yield Mutation("another conclusion", proof, draw.choice(others))
    if len(proof.steps) > 1:
        yield Mutation("its end left off", Proof(proof.steps[:-1]), proof.conclusion)


def of_program(program: Program, model: naive.Model, draw: Random, most: int = 10) -> Iterator[Mutation]:
    """Proofs that are in order but for one thing: they were made with other facts, or with a condition left out."""
    for kind, rules, facts in _others(program, model, draw):
        try:
            other = naive.evaluate(rules, facts, len(model.why) + 200, rounds=40)
        except (naive.Unstratified, naive.Unsafe, naive.TooMuch):
            continue
        new = [fact for fact in other.why if fact not in model.asserted]
        draw.shuffle(new)
        new.sort(key=lambda fact: fact in model.why)  # first what does not follow at all
        for fact in new[:most]:
            yield Mutation(kind, other.proof(fact), fact)
    for rule in model.rules:
        for condition in rule.body:
            if isinstance(condition, Comparison | Not):
                yield from _one_broken(model, rule, condition, draw)


def _others(program: Program, model: naive.Model, draw: Random) -> Iterator[tuple[str, tuple[Rule, ...], list[Atom]]]:
    facts = list(program.facts)
    if facts:
        base = draw.choice(facts)
        yield "a fact not asserted", program.rules, [*facts, _changed(base, draw, model)]
        yield "a fact kept back", program.rules, [fact for fact in facts if fact != base]
    choices = [(rule, each) for rule in program.rules for each in rule.body if not isinstance(each, Atom)]
    if choices:
        rule, condition = draw.choice(choices)
        weak = replace(rule, body=tuple(each for each in rule.body if each is not condition))
        yield "a condition left out", tuple(weak if each is rule else each for each in program.rules), facts


def _one_broken(model: naive.Model, rule: Rule, condition: Condition, draw: Random) -> Iterator[Mutation]:
    """A last step in which all but one condition holds."""
    kind = "a comparison that is false" if isinstance(condition, Comparison) else "a negated atom that holds"
    found = model.almost(rule, condition)
    if not found:
        return
    _, binding, fact, premises = draw.choice(sorted(found, key=lambda each: repr((sorted(each[1]), each[2:]))))
    steps: list[Step] = []
    places = []
    for premise in premises:
        steps += (
            replace(step, premises=tuple(place + start for place in step.premises))
            for start in [len(steps)]
            for step in model.proof(premise)
        )
        places.append(len(steps) - 1)
    steps.append(Step(fact, rule.id, dict(sorted(binding)), tuple(places)))
    yield Mutation(kind, Proof(tuple(steps)), fact)


def _changed(fact: Atom, draw: Random, model: naive.Model) -> Atom:
    """Another fact of the same predicate."""
    if not fact.terms:
        return Atom(Entity(BASE + "elsewhere"), ())
    terms: list[Term | Variable] = list(fact.terms)
    place = draw.randrange(len(terms))
    old = terms[place]
    known = sorted({term for each in model.facts for term in each.terms if term != old}, key=repr)
    alike = [term for term in known if type(term) is type(old)]
    terms[place] = draw.choice(alike) if alike and draw.random() < 0.8 else Entity(BASE + "nobody")
    return Atom(fact.predicate, tuple(terms))


@dataclass
class _Maker:
    model: naive.Model
    proof: Proof
    draw: Random

    def with_step(self, place: int, **changes: object) -> Proof:
        steps = list(self.proof.steps)
        steps[place] = replace(steps[place], **changes)  # type: ignore[arg-type]
        return Proof(tuple(steps))

    def place(self, wanted: Callable[[Step], object]) -> int | None:
        """The place of a step, rather a late one."""
        places = [place for place, step in enumerate(self.proof) if wanted(step)]
        return None if not places else places[-1] if self.draw.random() < 0.5 else self.draw.choice(places)

    def rule(self, step: Step) -> Rule:
        return next(rule for rule in self.model.rules if rule.id == step.rule)

    def with_premises(self, change: Callable[[list[int], int], object], least: int = 1) -> Proof | None:
        place = self.place(lambda step: len(step.premises) >= least)
        if place is None:
            return None
        premises = list(self.proof.steps[place].premises)
        change(premises, place)
        return self.with_step(place, premises=tuple(premises))

    def with_binding(self, change: Callable[[dict[str, Term]], object]) -> Proof | None:
        place = self.place(lambda step: step.rule and step.binding)
        if place is None:
            return None
        binding = dict(self.proof.steps[place].binding)
        change(binding)
        return self.with_step(place, binding=binding)

    # The ways.

    def other_fact(self) -> Proof | None:
        place = self.draw.randrange(len(self.proof.steps))
        fact = self.proof.steps[place].fact
        others = sorted((each for each in self.model.facts if each != fact), key=repr)
        changed = (
            self.draw.choice(others) if others and self.draw.random() < 0.4 else _changed(fact, self.draw, self.model)
        )
        return self.with_step(place, fact=changed)

    def other_predicate(self) -> Proof | None:
        place = self.draw.randrange(len(self.proof.steps))
        fact = self.proof.steps[place].fact
        return self.with_step(place, fact=Atom(Entity(BASE + "elsewhere"), fact.terms))

    def open_fact(self) -> Proof | None:
        place = self.place(lambda step: step.fact.terms)
        if place is None:
            return None
        fact = self.proof.steps[place].fact
        return self.with_step(place, fact=Atom(fact.predicate, (Variable("X"), *fact.terms[1:])))

    def dropped(self) -> Proof | None:
        return self.with_premises(lambda premises, _: premises.pop(self.draw.randrange(len(premises))))

    def doubled(self) -> Proof | None:
        return self.with_premises(lambda premises, _: premises.append(self.draw.choice(premises)))

    def reordered(self) -> Proof | None:
        return self.with_premises(lambda premises, _: premises.reverse(), least=2)

    def forward(self) -> Proof | None:
        def change(premises: list[int], place: int) -> None:
            premises[self.draw.randrange(len(premises))] = self.draw.randrange(place, len(self.proof.steps) + 1)

        return self.with_premises(change)

    def itself(self) -> Proof | None:
        def change(premises: list[int], place: int) -> None:
            premises[self.draw.randrange(len(premises))] = place

        return self.with_premises(change)

    def from_the_end(self) -> Proof | None:
        def change(premises: list[int], _: int) -> None:
            premises[0] -= len(self.proof.steps)  # Python counts so, a proof does not

        return self.with_premises(change)

    def other_premise(self) -> Proof | None:
        def change(premises: list[int], place: int) -> None:
            premises[self.draw.randrange(len(premises))] = self.draw.randrange(place)

        return self.with_premises(change)

    def other_rule(self) -> Proof | None:
        place = self.place(lambda step: step.rule)
        others = [rule.id for rule in self.model.rules if place is not None and rule.id != self.proof.steps[place].rule]
        return self.with_step(place, rule=self.draw.choice(others)) if place is not None and others else None

    def unknown_rule(self) -> Proof | None:
        place = self.place(lambda step: step.rule)
        return None if place is None else self.with_step(place, rule="r-unknown")

    def other_binding(self) -> Proof | None:
        known = sorted({term for fact in self.model.facts for term in fact.terms}, key=repr)

        def change(binding: dict[str, Term]) -> None:
            name = self.draw.choice(sorted(binding))
            binding[name] = self.draw.choice([each for each in known if each != binding[name]] or [Value("other")])

        return self.with_binding(change)

    def same_worth(self) -> Proof | None:
        """A number written another way, in the binding and wherever the fact has it."""
        place = self.place(lambda step: step.rule and any(map(_number, step.binding.values())))
        if place is None:
            return None
        step = self.proof.steps[place]
        old = self.draw.choice(sorted((term for term in step.binding.values() if _number(term)), key=repr))
        return self._instead(place, old, Value(f"0{old.text}" if old.datatype != XSD + "double" else old.text + "0",
                                               old.datatype))  # type: ignore[union-attr]  # fmt: skip

    def _instead(self, place: int, old: Term, new: Term) -> Proof:
        step = self.proof.steps[place]
        binding = {name: new if term == old else term for name, term in step.binding.items()}
        terms = tuple(new if term == old else term for term in step.fact.terms)
        return self.with_step(place, binding=binding, fact=Atom(step.fact.predicate, terms))

    def variable_missing(self) -> Proof | None:
        return self.with_binding(lambda binding: binding.pop(self.draw.choice(sorted(binding))))

    def variable_extra(self) -> Proof | None:
        place = self.place(lambda step: step.rule)
        if place is None:
            return None
        return self.with_step(place, binding={**self.proof.steps[place].binding, "Extra": Value.of(1)})

    def not_asserted(self) -> Proof | None:
        place = self.place(lambda step: not step.rule)
        if place is None:
            return None
        return self.with_step(place, fact=_changed(self.proof.steps[place].fact, self.draw, self.model))

    def asserted_instead(self) -> Proof | None:
        place = self.place(lambda step: step.rule)
        return None if place is None else self.with_step(place, rule="", binding={}, premises=())

    def rule_taken_away(self) -> Proof | None:
        place = self.place(lambda step: step.rule)
        return None if place is None else self.with_step(place, rule="")

    def derived_source(self) -> Proof | None:
        place = self.place(lambda step: step.rule)
        return None if place is None else self.with_step(place, sources=(Source("letter.txt", 0, 9),))

    def off_by_one(self, wanted: Callable[[Rule], set[str]]) -> Proof | None:
        """A number that the rule reckons, one more or less, in binding and fact."""
        place = self.place(lambda step: step.rule and wanted(self.rule(step)) & set(step.binding))
        if place is None:
            return None
        step = self.proof.steps[place]
        rule = self.rule(step)
        name = self.draw.choice(sorted(wanted(rule) & set(step.binding)))
        old = _number(step.binding[name])
        if old is None:
            return None
        binding = {**step.binding, name: Value.of(old + self.draw.choice((-1, 1)))}
        assert rule.head is not None and isinstance(rule.head.predicate, Entity)
        terms = (binding[term.name] if isinstance(term, Variable) else term for term in rule.head.terms)
        return self.with_step(place, binding=binding, fact=Atom(rule.head.predicate, tuple(terms)))

    def aggregate_off(self) -> Proof | None:
        return self.off_by_one(lambda rule: {each.result.name for each in rule.body if isinstance(each, Aggregate)})

    def arithmetic_off(self) -> Proof | None:
        return self.off_by_one(lambda rule: {
            side.name for each in rule.body if isinstance(each, Comparison) and each.operator == "="
            for side in (each.left, each.right) if isinstance(side, Variable)
        })  # fmt: skip

    def steps_exchanged(self) -> Proof | None:
        steps = list(self.proof.steps)
        if len(steps) < 2:
            return None
        one, other = self.draw.sample(range(len(steps)), 2)
        steps[one], steps[other] = steps[other], steps[one]
        return Proof(tuple(steps))

    def step_dropped(self) -> Proof | None:
        steps = list(self.proof.steps)
        if len(steps) < 2:
            return None
        steps.pop(self.draw.randrange(len(steps) - 1))
        return Proof(tuple(steps))


def _number(term: Term) -> int | float | None:
    return term.number if isinstance(term, Value) else None


KINDS: dict[str, Callable[[_Maker], Proof | None]] = {
    "another fact": _Maker.other_fact,
    "another predicate": _Maker.other_predicate,
    "an open fact": _Maker.open_fact,
    "a premise dropped": _Maker.dropped,
    "a premise doubled": _Maker.doubled,
    "premises reordered": _Maker.reordered,
    "a later premise": _Maker.forward,
    "itself as premise": _Maker.itself,
    "a premise counted from the end": _Maker.from_the_end,
    "another premise": _Maker.other_premise,
    "another rule": _Maker.other_rule,
    "a rule that is not there": _Maker.unknown_rule,
    "another binding": _Maker.other_binding,
    "a number written another way": _Maker.same_worth,
    "a variable missing": _Maker.variable_missing,
    "a variable extra": _Maker.variable_extra,
    "an asserted step of another fact": _Maker.not_asserted,
    "an asserted step for a derived fact": _Maker.asserted_instead,
    "a rule's name taken away": _Maker.rule_taken_away,
    "a source for a derived fact": _Maker.derived_source,
    "an aggregate off by one": _Maker.aggregate_off,
    "arithmetic off by one": _Maker.arithmetic_off,
    "steps exchanged": _Maker.steps_exchanged,
    "a step dropped": _Maker.step_dropped,
}
ALL = (
    *KINDS, "another conclusion", "its end left off", "a fact not asserted", "a fact kept back", "a condition left out",
    "a comparison that is false", "a negated atom that holds",
)  # fmt: skip
