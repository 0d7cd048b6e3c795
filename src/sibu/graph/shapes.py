"""Shapes: what facts must look like, and which facts do not (SHACL Core and SHACL-SPARQL).

Judged by pyshacl, over facts in memory; nothing is inferred and nothing is fetched. What is said here beside its
report: whether the shapes can be judged at all, and which facts are to blame, so that their sources can be named.
Source: Shapes Constraint Language (SHACL), W3C Recommendation, 2017.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Entity, Term, Triple, Value
from sibu.core.names import OWL, RDFS, SHACL
from sibu.graph._breach_texts import texts_of
from sibu.graph._paths import Path, members, read, text_of, walk
from sibu.graph._pyshacl import Held, Result, report
from sibu.graph._wellformed import classes_below, faults_of, notes_of, told

__all__ = ["Breach", "Conformance", "validate"]

_TOO_MUCH = frozenset(SHACL + name for name in ("MaxCountConstraintComponent", "UniqueLangConstraintComponent",
                                                "QualifiedMaxCountConstraintComponent"))  # fmt: skip
"""Constraints that blame no single value, and are broken by what is there and not by what is missing."""
_PAIRS = ("equals", "disjoint", "lessThan", "lessThanOrEquals")


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that is not as a shape asks."""

    focus: Term
    """What was looked at."""
    path: str | None
    """Where from there, as SPARQL writes paths, with whole IRIs; None: at the focus itself."""
    value: Term | None
    """What stands there; None: no single value is to blame, as where one is missing."""
    severity: Entity
    """``sh:Violation`` unless the shape says another."""
    message: Mapping[str, str]
    """By language, ``""`` where the shapes name none; where they say nothing, our own in ``en`` and ``zh``."""
    shape: Term
    """Whose constraint it is; ``_:name`` where it has no name."""
    constraint: Entity
    """Kind of the constraint, such as ``sh:MinCountConstraintComponent``."""
    query: Term | None = None
    """The ``sh:sparql`` constraint, where it is one."""
    facts: tuple[Triple, ...] = ()
    """The facts to blame: from focus to value; where something is missing, those that made the shape look there."""


@dataclass(frozen=True, slots=True)
class Conformance:
    """What a validation found."""

    conforms: bool
    """Whether there is no breach, of whatever severity."""
    results: tuple[Breach, ...]
    """In the order of focus, path, value."""
    notes: tuple[str, ...] = field(default=())
    """What was not done or met nothing, such as an import that is not fetched."""


def validate(
    data: Iterable[Triple], shapes: Iterable[Triple], *, ontology: Iterable[Triple] | None = None
) -> Conformance:
    """Whether facts are as shapes ask.

    Args:
        data: The facts. They are held in memory: about 1 kB each.
        shapes: The shapes graph.
        ontology: Facts that are read with the data, such as which class is below which.

    Raises:
        DataError: When the shapes are not well formed; all faults at once.
        MissingExtra: When pyshacl is not installed.
    """
    asked = Held(shapes)
    faults = faults_of(asked)
    if faults:
        head = "The shapes cannot be judged. " + (f"They have {len(faults)} faults:\n" if len(faults) > 1 else "")
        raise DataError(head + "\n".join(faults))
    held = Held(chain(data, ontology or ()))
    conforms, results = report(held, asked)
    breaches = [_breach(result, held, asked) for result in results]
    return Conformance(conforms, tuple(sorted(breaches, key=_order)), tuple(notes_of(asked, held)))


def _order(breach: Breach) -> tuple[str, ...]:
    parts = (breach.focus, breach.value, breach.shape, breach.constraint, breach.query)
    focus, *rest = ("" if part is None else repr(part) for part in parts)
    return (focus, breach.path or "", *rest, repr(sorted(breach.message.items())))


def _breach(result: Result, data: Held, shapes: Held) -> Breach:
    own = _path_of(result.shape, shapes)
    path = own if result.path is None or (own and not _named(result.path)) else read(result.path, shapes.find)
    return Breach(
        result.focus,
        None if path is None else text_of(path),
        result.value,
        result.severity,
        _message(result, path, shapes),
        result.shape,
        result.constraint,
        result.query,
        tuple(dict.fromkeys(_facts(result, path, data, shapes))),
    )


def _named(term: Term) -> bool:
    return isinstance(term, Entity) and not term.iri.startswith("_:")


def _path_of(shape: Term, shapes: Held) -> Path | None:
    found = next(shapes.find(shape, Entity(SHACL + "path"), None), None)
    return None if found is None else read(found.object, shapes.find)


def _facts(result: Result, path: Path | None, data: Held, shapes: Held) -> Iterator[Triple]:
    """Which facts are to blame."""
    if path is None:
        if result.value is not None and result.value != result.focus:
            yield from sorted(data.find(result.focus, None, result.value))
        yield from _other_side(result, data, shapes)
        yield from _aim(result.shape, result.focus, data, shapes)
        return
    ends = walk(path, result.focus, data.find)
    if result.value is not None:
        yield from ends.get(result.value, ())
        yield from _other_side(result, data, shapes)
        return
    for end in sorted(ends, key=repr):
        yield from ends[end]
    if result.constraint.iri not in _TOO_MUCH:
        yield from _aim(result.shape, result.focus, data, shapes)


def _other_side(result: Result, data: Held, shapes: Held) -> Iterator[Triple]:
    """The facts of the second property, where a constraint compares two."""
    for name in _PAIRS:
        if result.constraint.iri == f"{SHACL}{name[0].upper()}{name[1:]}ConstraintComponent":
            for triple in shapes.find(result.shape, Entity(SHACL + name), None):
                value = result.value if name in ("equals", "disjoint") else None
                if isinstance(triple.object, Entity):
                    yield from sorted(data.find(result.focus, triple.object, value), key=repr)


def _aim(shape: Term, focus: Term, data: Held, shapes: Held, above: frozenset[Term] = frozenset()) -> Iterator[Triple]:
    """The facts for which a shape looks at the focus: those of its targets, or what led there from another shape."""
    yield from _targeted(shape, focus, data, shapes)
    for triple in shapes.find(None, Entity(SHACL + "property"), shape):
        outer = triple.subject
        path = _path_of(outer, shapes)
        if path is None and outer not in above:
            yield from _aim(outer, focus, data, shapes, above | {shape})
        elif isinstance(path, Entity):
            yield from sorted(data.find(None, path, focus), key=repr)


def _targeted(shape: Term, focus: Term, data: Held, shapes: Held) -> Iterator[Triple]:
    classes = [triple.object for triple in shapes.find(shape, Entity(SHACL + "targetClass"), None)]
    kinds = (Entity(RDFS + "Class"), Entity(OWL + "Class"))
    if any(next(shapes.find(shape, TYPE, kind), None) is not None for kind in kinds if isinstance(shape, Entity)):
        classes.append(shape)
    below = set[Term]().union(*(classes_below(each, data.find) for each in classes))
    if below:
        yield from sorted(triple for triple in data.find(focus, TYPE, None) if triple.object in below)
    for name in ("targetSubjectsOf", "targetObjectsOf"):
        for triple in shapes.find(shape, Entity(SHACL + name), None):
            if isinstance(triple.object, Entity):
                ends = (focus, None) if name == "targetSubjectsOf" else (None, focus)
                yield from sorted(data.find(ends[0], triple.object, ends[1]), key=repr)


def _message(result: Result, path: Path | None, shapes: Held) -> dict[str, str]:
    """What a breach says, by language.

    Pyshacl 0.40 drops the language of a text with ``{?value}`` in it, and gives a result the texts of others of the
    same constraint: so the text of the shapes is filled in here, and theirs is asked for the rest alone.
    """
    texts = _texts(result, shapes)
    if not texts:
        return dict(
            zip(("en", "zh"), (_own(text, result, shapes) for text in texts_of(result.constraint.iri)), strict=True)
        )
    known = {name: _plain(term) for name, term in (("this", result.focus), ("value", result.value)) if term is not None}
    known |= {"path": text_of(path)} if path is not None else {}
    known |= {name: _plain(value) for name, value in _arguments(result, shapes)}
    found: dict[str, list[str]] = {}
    for text in texts:
        found.setdefault(text.language, []).append(_filled(text.text, known, result.messages))
    return {language: "\n".join(sorted(lines)) for language, lines in sorted(found.items())}


def _own(text: str, result: Result, shapes: Held) -> str:
    """A text of ours with the shape's parameters in it."""
    parts = re.split(r"\{(\w+)\}", text)
    for place in range(1, len(parts), 2):
        given = [triple.object for triple in shapes.find(result.shape, Entity(SHACL + parts[place]), None)]
        parts[place] = ", ".join(sorted(_listed(value, shapes) for value in given))
    return "".join(parts)


def _listed(term: Term, shapes: Held) -> str:
    try:
        return ", ".join(told(member, shapes.find) for member in members(term, shapes.find))
    except ValueError:
        return told(term, shapes.find)


def _texts(result: Result, shapes: Held) -> list[Value]:
    """What the shapes say where this constraint is broken. A query's own text goes before its shape's."""
    names = (Entity(SHACL + name) for name in ("validator", "nodeValidator", "propertyValidator"))
    validators = [triple.object for name in names for triple in shapes.find(result.constraint, name, None)]
    for owners in ([result.query], [result.shape], [result.constraint, *validators]):
        said = [shapes.find(owner, Entity(SHACL + "message"), None) for owner in owners if owner is not None]
        texts = {triple.object for each in said for triple in each}
        if texts:
            return sorted(text for text in texts if isinstance(text, Value))
    return []


def _arguments(result: Result, shapes: Held) -> Iterator[tuple[str, Term]]:
    """The parameters of a constraint that the shapes define themselves, as its shape gives them."""
    for triple in shapes.find(result.constraint, Entity(SHACL + "parameter"), None):
        for path in shapes.find(triple.object, Entity(SHACL + "path"), None):
            if isinstance(path.object, Entity):
                for given in shapes.find(result.shape, path.object, None):
                    yield re.split(r"[#/:]", path.object.iri)[-1], given.object


def _filled(text: str, known: Mapping[str, str], messages: Iterable[Value]) -> str:
    """The text with ``{?name}`` and ``{$name}`` replaced; what only the query knows as pyshacl has it."""
    parts = re.split(r"\{[?$]([^{}]+)\}", text)
    filled = "".join(known.get(part, f"{{?{part}}}") if place % 2 else part for place, part in enumerate(parts))
    if all(name in known for name in parts[1::2]):
        return filled
    pattern = "".join(
        re.escape(known[part]) if place % 2 and part in known else ".*" if place % 2 else re.escape(part)
        for place, part in enumerate(parts)
    )
    return next((message.text for message in messages if re.fullmatch(pattern, message.text, re.DOTALL)), filled)


def _plain(term: Term) -> str:
    return term.iri if isinstance(term, Entity) else term.text
