"""Facts, rules and proofs: what a knowledge base, its reasoners and the checker of proofs speak.

There are two kinds of terms, as in RDF: an ``Entity`` (a name) and a ``Value`` (a text with a type). A fact is an
``Atom`` without variables; one of two terms is a triple, one that says a thing's class is
``Atom(TYPE, (thing, class))``, and other numbers of terms are for rules alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from sibu.core.moments import FORMS, moment
from sibu.core.names import OWL, RDF, XSD, is_iri

Status = Literal["asserted", "derived", "hypothesis", "retracted"]


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A thing with a name of its own: a patient, a class, a property."""

    iri: str
    """An absolute IRI, or ``_:name`` of a thing without one."""

    def __post_init__(self) -> None:
        if not (self.iri.startswith("_:") and len(self.iri) > 2) and not is_iri(self.iri):
            raise ValueError(f"{self.iri!r} is no absolute IRI, and no `_:name`")


@dataclass(frozen=True, slots=True, order=True)
class Value:
    """A text, a number, a date: what has no name but says something."""

    text: str
    """As it is written."""
    datatype: str = XSD + "string"
    """IRI of its type; ``rdf:langString`` where there is a language."""
    language: str = ""
    """Tag of BCP 47, in lower case; empty: none."""

    def __post_init__(self) -> None:
        if bool(self.language) != (self.datatype == RDF + "langString"):
            raise ValueError("a value has a language where its type is rdf:langString, and only there")

    @classmethod
    def of(cls, value: str | bool | int | float) -> Value:
        """The value of Python's."""
        if isinstance(value, bool):
            return cls(str(value).lower(), XSD + "boolean")
        if isinstance(value, int):
            return cls(str(value), XSD + "integer")
        return cls(repr(value), XSD + "double") if isinstance(value, float) else cls(value)

    @property
    def number(self) -> int | float | None:
        """Its number; None where it is none. An ``xsd:decimal`` becomes a float."""
        try:
            if self.datatype in INTEGERS:
                return int(self.text)
            return float(self.text) if self.datatype in FLOATS else None
        except ValueError:
            return None

    @property
    def order(self) -> tuple[str, str | Fraction] | None:
        """What a value that is no number is compared by: only with those of the same first entry, by the second.

        Texts of one type go by their code points, dates and times by the moment that they say; those with a zone and
        those without are kinds of their own. None: it is no date that there is, and compares with nothing.
        """
        if self.datatype not in FORMS:
            return self.datatype, self.text
        found = moment(self.text, self.datatype)
        return None if found is None else (f"{self.datatype} {'Z' * found[0]}", found[1])


INTEGERS = frozenset(
    XSD + name
    for name in (
        "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger",
        "negativeInteger", "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte",
    )
)  # fmt: skip
FLOATS = frozenset(XSD + name for name in ("decimal", "double", "float"))
TYPE, SAME = Entity(RDF + "type"), Entity(OWL + "sameAs")
Term = Entity | Value


@dataclass(frozen=True, slots=True, order=True)
class Triple:
    """A fact of two terms."""

    subject: Entity
    predicate: Entity
    object: Term


@dataclass(frozen=True, slots=True, order=True)
class Variable:
    """What a rule leaves open."""

    name: str


@dataclass(frozen=True, slots=True)
class Atom:
    """A relation over terms: a fact where none is open."""

    predicate: Entity | Variable
    """A variable only in rules over all properties, such as OWL's, and then with two terms."""
    terms: tuple[Term | Variable, ...]

    def __post_init__(self) -> None:
        if isinstance(self.predicate, Variable) and len(self.terms) != 2:
            raise ValueError("an atom whose predicate is open has two terms")

    @property
    def ground(self) -> bool:
        """Whether it is a fact."""
        return not any(isinstance(each, Variable) for each in (self.predicate, *self.terms))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of what is open, in order, each once."""
        return tuple(dict.fromkeys(each.name for each in (self.predicate, *self.terms) if isinstance(each, Variable)))


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers make one: ``+ - * / // %``. ``/`` gives a float, ``//`` and ``%`` are Python's; by zero: nothing."""

    operator: Literal["+", "-", "*", "/", "//", "%"]
    left: Expression
    right: Expression


Expression = Term | Variable | Arithmetic


@dataclass(frozen=True, slots=True)
class Not:
    """The atom is in no way a fact (negation as failure; of a lower stratum)."""

    atom: Atom


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two expressions compared.

    ``=`` and ``!=`` compare numbers by what they are worth, all else by identity; the others compare numbers, dates and
    times of one type by their moments (both with a zone, or both without), other texts of one type by their code
    points. What cannot be compared does not hold. ``=`` with a variable that nothing else binds gives it the other
    side's value.
    """

    operator: Literal["=", "!=", "<", "<=", ">", ">="]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``result = operator { items : body }``.

    Over the different tuples of the items that the body gives (of a lower stratum), for each binding of the variables
    that stand outside too. ``count`` counts the tuples, the others look at the first item. ``sum`` and ``count`` of
    nothing are 0; ``min``, ``max`` and ``mean`` of nothing do not hold.
    """

    result: Variable
    operator: Literal["count", "sum", "min", "max", "mean"]
    items: tuple[Expression, ...]
    body: tuple[Atom | Not | Comparison, ...]


Condition = Atom | Not | Comparison | Aggregate


@dataclass(frozen=True, slots=True)
class Rule:
    """Where the body holds, the head does."""

    id: str
    """Name of its own within a program."""
    head: Atom | None
    """None: the body must never hold (a constraint)."""
    body: tuple[Condition, ...]
    """Empty: a fact of the program."""
    where: str = ""
    """File, line and column."""
    confidence: float = 1.0
    """Below 1 what it concludes is a hypothesis."""
    about: str = ""
    """What it says in words, where the file tells."""

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """The positive atoms of the body, in order: each is a premise of what is concluded."""
        return tuple(each for each in self.body if isinstance(each, Atom))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact comes from."""

    document: str
    """Name of the document or the file."""
    start: int | None = None
    """First character of the passage; None: no passage."""
    end: int | None = None
    """The character behind its last."""
    table: str = ""
    """Sheet or table; empty: none."""
    row: int | None = None
    """Line of the file, from 1, or row of the table; None: neither."""
    extractor: str = ""
    """What found it, such as a bundle; empty: a person, or the file itself says it."""
    version: str = ""
    """The extractor's version, such as a bundle's hash; of a table that of the mapping by which it is read."""
    confidence: float = 1.0
    """How sure the extractor is, from 0 to 1."""
    time: str = ""
    """When, ISO 8601 in UTC."""
    status: Status = "asserted"

    def to_json(self) -> dict[str, Any]:
        """What is not as the default."""
        blank = Source("")
        names = [name for name in self.__dataclass_fields__ if name != "document"]
        own = {name: getattr(self, name) for name in names if getattr(self, name) != getattr(blank, name)}
        return {"document": self.document, **own}


@dataclass(frozen=True, slots=True)
class Step:
    """One application of a rule, or one asserted fact."""

    fact: Atom
    rule: str = ""
    """Id of the rule; empty: the fact is asserted."""
    binding: Mapping[str, Term] = field(default_factory=dict)
    """What the rule's variables stand for; those inside an aggregate alone are not told."""
    premises: tuple[int, ...] = ()
    """Places of earlier steps: one for each positive atom of the rule's body, in order."""
    sources: tuple[Source, ...] = ()
    """Of an asserted fact."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Steps from asserted facts to a conclusion; each leans on earlier ones alone."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("a proof has at least one step")

    @property
    def conclusion(self) -> Atom:
        """What is proved: the last step's fact."""
        return self.steps[-1].fact

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def to_json(self) -> dict[str, Any]:
        """As `sibu kb why --json` writes it; ``proof_of`` reads it again."""
        return {"steps": [_step_json(step) for step in self.steps]}


def term_json(term: Term) -> dict[str, str]:
    """As JSON: ``{"iri"}``, or ``{"value"}`` with ``type`` or ``language`` where it is not a plain text."""
    if isinstance(term, Entity):
        return {"iri": term.iri}
    if term.language:
        return {"value": term.text, "language": term.language}
    return {"value": term.text, **({"type": term.datatype} if term.datatype != XSD + "string" else {})}


def term_of(found: Mapping[str, str]) -> Term:
    """The term of ``term_json``."""
    if "iri" in found:
        return Entity(found["iri"])
    if "language" in found:
        return Value(found["value"], RDF + "langString", found["language"])
    return Value(found["value"], found.get("type", XSD + "string"))


def _step_json(step: Step) -> dict[str, Any]:
    if not isinstance(step.fact.predicate, Entity) or not step.fact.ground:
        raise ValueError("a step's fact has no variables")
    terms = [term_json(term) for term in step.fact.terms if not isinstance(term, Variable)]
    told: dict[str, Any] = {"fact": {"predicate": step.fact.predicate.iri, "terms": terms}}
    if step.rule:
        binding = {name: term_json(term) for name, term in step.binding.items()}
        told |= {"rule": step.rule, "binding": binding, "premises": list(step.premises)}
    if step.sources:
        told["sources"] = [source.to_json() for source in step.sources]
    return told


def fact_of(found: Mapping[str, Any]) -> Atom:
    """The fact of a step's JSON."""
    return Atom(Entity(found["predicate"]), tuple(term_of(term) for term in found["terms"]))


def proof_of(found: Mapping[str, Any]) -> Proof:
    """The proof of ``Proof.to_json``."""
    steps: Sequence[Mapping[str, Any]] = found["steps"]
    return Proof(
        tuple(
            Step(
                fact_of(step["fact"]),
                step.get("rule", ""),
                {name: term_of(term) for name, term in step.get("binding", {}).items()},
                tuple(step.get("premises", ())),
                tuple(Source(**source) for source in step.get("sources", ())),
            )
            for step in steps
        )
    )
