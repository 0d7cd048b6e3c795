"""The rules of a knowledge base's own files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sibu.core.errors import DataError, near_miss
from sibu.core.logic import Atom, Rule, Term, Value
from sibu.core.names import Names
from sibu.logic.files import joined
from sibu.logic.sound import faults


@dataclass(frozen=True, slots=True)
class Kept:
    """A reasoner of rule files.

    Args:
        chosen: Names of files; none: all there are.
    """

    chosen: tuple[str, ...] = ()

    def rules(self, names: Names, texts: Mapping[str, str]) -> Sequence[Rule]:
        """The rules of the chosen files, in the order of their names.

        Raises:
            DataError: When there is no file of a chosen name.
            RuleError: When one cannot be read, or together they cannot be run; it holds every fault.
        """
        for name in self.chosen:
            if name not in texts:
                there = f"There are: {', '.join(texts)}." if texts else "There are none; `sibu kb rules` adds them."
                raise DataError(f"There are no rules named {name!r}. {near_miss(name, texts)}{there}")
        wanted = {name: text for name, text in texts.items() if not self.chosen or name in self.chosen}
        program = joined(wanted, names)
        faults(program, None).refuse()
        return program.rules

    def facts(self, terms: Iterable[Term]) -> Iterator[Atom]:  # noqa: ARG002
        """None: rules say all."""
        return iter(())

    def ill_typed(self, terms: Iterable[Term]) -> list[Value]:  # noqa: ARG002
        """None: rules ask for no datatypes."""
        return []
