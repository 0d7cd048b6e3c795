"""What must not be in a knowledge base, case by case, with the asserted facts to blame."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sibu.core.logic import Triple
from sibu.curation.check import LIGHT, Checked, check
from sibu.curation.closing import as_triple
from sibu.curation.telling import Telling

if TYPE_CHECKING:
    from sibu.graph.reading import Reading

MOST = 10_000
"""Most cases of one constraint that are looked at."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One case of what must not be."""

    kind: Literal["constraint", "value", "shape"]
    key: Hashable
    """Equal for the same case in another version."""
    said: str
    why: str
    """The rule or the shape that says so."""
    facts: tuple[Triple, ...]
    """Asserted facts that it rests on."""
    rule: str = ""
    """Id of the rule, where it is a constraint."""


def conflicts(kb: Reading, *, seconds: float | None = None) -> dict[Hashable, Conflict]:
    """All cases of what must not be, by key, in the facts as they are now.

    Raises:
        SibuError: When what follows cannot be derived.
    """
    checked = check(kb, limit=MOST, seconds=seconds)
    telling = Telling(kb, checked.plan, names=True)
    found = [*_least(list(_constraints(checked, telling))), *_values(checked, telling), *_shapes(checked, telling)]
    return {each.key: each for each in found}


def _constraints(checked: Checked, telling: Telling) -> Iterator[Conflict]:
    for met in checked.met:
        if met.proved.faults:
            continue
        rule, premises = met.violation.rule, met.violation.premises
        leaves = (as_triple(step.fact) for step in met.proved.proof.steps if not step.rule)
        facts = tuple(dict.fromkeys(each for each in leaves if each is not None))
        said = " and ".join(map(telling.atom, premises)) or "what must not be"
        yield Conflict(
            "constraint", (rule.id, frozenset(premises)), said, rule.about or telling.by(rule.id), facts, rule.id
        )


def _least(found: list[Conflict]) -> Iterator[Conflict]:
    """Those alone of which no other case of the same rule rests on fewer facts: the others are its mirror images."""
    rests: dict[str, set[frozenset[Triple]]] = {}
    for each in sorted(found, key=lambda one: (len(one.facts), one.said)):
        others = rests.setdefault(each.rule, set())
        own = frozenset(each.facts)
        if not any(other <= own for other in others):
            others.add(own)
            yield each


def _values(checked: Checked, telling: Telling) -> Iterator[Conflict]:
    for each in checked.ill_typed:
        yield Conflict("value", each.value, telling.term(each.value), "no value of its type", each.facts)


def _shapes(checked: Checked, telling: Telling) -> Iterator[Conflict]:
    for each in checked.breaches:
        if each.severity not in LIGHT:
            key = (each.focus, each.path, each.value, each.shape, each.constraint)
            message = each.message.get("en") or next(iter(each.message.values()), "")
            said = telling.term(each.focus) + (f", {telling.term(each.value)}" if each.value is not None else "")
            yield Conflict("shape", key, said, message, each.facts)
