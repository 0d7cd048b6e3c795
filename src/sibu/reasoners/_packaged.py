"""Rules that come with Sibu, and reasoners that are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sibu.core.logic import Atom, Rule, Term, Value
from sibu.core.names import Names


@cache
def packaged(part: str, file: str) -> tuple[Rule, ...]:
    """The rules of a file in the folder of a part."""
    from sibu.logic.text import parse

    text = files("sibu.reasoners").joinpath(part, file).read_text("utf-8")
    return parse(text, Names("urn:sibu:reasoner:"), file).rules


@dataclass(frozen=True, slots=True)
class Packaged:
    """A reasoner whose rules come with Sibu, and that may make facts of values."""

    own: tuple[Rule, ...]
    values: bool
    """Whether it says of which datatypes each value is, and which are one."""

    def rules(self, names: Names, texts: Mapping[str, str]) -> Sequence[Rule]:  # noqa: ARG002
        """The same for every knowledge base."""
        return self.own

    def facts(self, terms: Iterable[Term]) -> Iterator[Atom]:
        """Of which datatypes the values among the terms are, and which of them are one."""
        from sibu.reasoners.owl.datatypes import facts_of

        if self.values:
            yield from facts_of(term for term in terms if isinstance(term, Value))

    def ill_typed(self, terms: Iterable[Term]) -> list[Value]:
        """The values among the terms whose text their datatype does not allow."""
        from sibu.reasoners.owl.datatypes import ill_typed

        return ill_typed(term for term in terms if isinstance(term, Value))
