"""By which reasoners a knowledge base is reasoned over, and the rules that they give together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.catalog import Spec
from sibu.core.errors import DataError, Fault, RecipeError, RuleError
from sibu.core.logic import Aggregate, Arithmetic, Atom, Comparison, Entity, Not, Rule, Term, Value
from sibu.graph.folder import KnowledgeError
from sibu.graph.terms import kept
from sibu.reasoners import REASONERS
from sibu.store.atomic import write_json

if TYPE_CHECKING:
    from sibu.core.protocols import Reasoner
    from sibu.graph.reading import Reading

FILE = "reasoning.json"
"""In the knowledge base's folder: its reasoners with their options."""
DEFAULT = ("rules",)
"""The reasoners of a knowledge base that was told none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Reasoners, and the rules that they give."""

    specs: tuple[Spec, ...]
    reasoners: tuple[Reasoner, ...]
    rules: tuple[Rule, ...]
    """All of them, with values as a store keeps them."""

    @property
    def certain(self) -> tuple[Rule, ...]:
        """Rules whose conclusions are facts, and constraints."""
        return tuple(rule for rule in self.rules if rule.head is None or rule.confidence >= 1)

    @property
    def supposed(self) -> tuple[Rule, ...]:
        """All rules that conclude something, where there are some whose conclusions are hypotheses; else none."""
        heads = tuple(rule for rule in self.rules if rule.head is not None)
        return heads if any(rule.confidence < 1 for rule in heads) else ()

    @property
    def options(self) -> list[dict[str, Any]]:
        """The reasoners with their options, as ``reasoning.json`` has them."""
        return [spec.model_dump(mode="json") for spec in self.specs]

    @property
    def digest(self) -> str:
        """A hash of what the rules say, and of the options; where rules stand and what is told of them is left out."""
        told = [(rule.id, rule.head, rule.body, rule.confidence) for rule in self.rules]
        text = json.dumps(self.options, sort_keys=True) + repr(told)
        return hashlib.sha256(text.encode()).hexdigest()

    def facts(self, terms: Iterable[Term]) -> list[Atom]:
        """What reasoners say of the terms that occur, without a rule."""
        listed = list(terms)
        return list(dict.fromkeys(fact for each in self.reasoners for fact in each.facts(listed)))

    def ill_typed(self, terms: Iterable[Term]) -> list[Value]:
        """Values that cannot be, by some reasoner."""
        listed = list(terms)
        return sorted({value for each in self.reasoners for value in each.ill_typed(listed)})


def plan_of(kb: Reading, given: Sequence[Mapping[str, Any]] | None = None) -> Plan:
    """The plan of a knowledge base.

    Args:
        kb: The knowledge base.
        given: Reasoners with their options, each with its ``name``; None: those it was told last.

    Raises:
        RecipeError: When there is no such reasoner or option.
        RuleError: When its rules cannot be read or run.
        DataError: When ``reasoning.json`` is damaged.
    """
    specs = _specs(told(kb.folder) if given is None else given)
    reasoners = tuple(REASONERS.of(spec).build(spec) for spec in specs)
    texts = kb.rules.all()
    rules: list[Rule] = []
    faults: list[Fault] = []
    for reasoner in reasoners:
        for rule in reasoner.rules(kb.names, texts):
            try:
                rules.append(as_kept(rule))
            except DataError as fault:
                faults.append(Fault(rule.where, str(fault)))
    faults += _twice(rules)
    if faults:
        raise RuleError(faults)
    return Plan(specs, reasoners, tuple(rules))


def _specs(given: Sequence[Mapping[str, Any]]) -> tuple[Spec, ...]:
    names = [each.get("name") for each in given]
    if twice := sorted({str(name) for name in names if names.count(name) > 1}):
        raise RecipeError(f"The reasoner {', '.join(map(repr, twice))} is named twice. Name it once.")
    order = list(REASONERS)
    specs = [REASONERS.spec(each) for each in given]
    return tuple(sorted(specs, key=lambda spec: order.index(spec.model_dump()["name"])))


def _twice(rules: Iterable[Rule]) -> list[Fault]:
    first: dict[str, Rule] = {}
    return [
        Fault(
            rule.where, f"The rule has the id {rule.id!r}, as has the one at {first[rule.id].where}.", "Give another."
        )
        for rule in rules
        if first.setdefault(rule.id, rule) is not rule
    ]


def told(home: Path) -> list[dict[str, Any]]:
    """The reasoners that a knowledge base was told last, with their options.

    Raises:
        KnowledgeError: When the file is damaged.
    """
    file = home / FILE
    if not file.is_file():
        return [{"name": name} for name in DEFAULT]
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["reasoners"]
        return [dict(each) for each in found]
    except (ValueError, KeyError, TypeError) as fault:
        mend = "Remove it, and name the reasoners again: sibu kb infer --with owl ..."
        raise KnowledgeError(f"{file} is damaged ({type(fault).__name__}: {fault}). {mend}") from fault


def tell(home: Path, plan: Plan) -> None:
    """Keep the reasoners for the next time."""
    if not (home / FILE).is_file() or told(home) != plan.options:
        write_json(home / FILE, {"reasoners": plan.options})


def as_kept(rule: Rule) -> Rule:
    """A rule whose values are written as a store keeps them, so that they are those of its facts.

    Raises:
        DataError: When RDF has no such name or value.
    """
    head = None if rule.head is None else _atom(rule.head)
    return replace(rule, head=head, body=tuple(map(_condition, rule.body)))


def _condition(each: Any) -> Any:
    if isinstance(each, Atom):
        return _atom(each)
    if isinstance(each, Not):
        return Not(_atom(each.atom))
    if isinstance(each, Comparison):
        return Comparison(each.operator, _expression(each.left), _expression(each.right))
    assert isinstance(each, Aggregate)
    items = tuple(map(_expression, each.items))
    return Aggregate(each.result, each.operator, items, tuple(map(_condition, each.body)))


def _atom(atom: Atom) -> Atom:
    return Atom(_expression(atom.predicate), tuple(map(_expression, atom.terms)))


def _expression(each: Any) -> Any:
    if isinstance(each, Arithmetic):
        return Arithmetic(each.operator, _expression(each.left), _expression(each.right))
    return kept(each) if isinstance(each, Entity | Value) else each
