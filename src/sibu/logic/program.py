"""What a file of rules holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from sibu.core.logic import Rule
from sibu.core.names import Names


@dataclass(frozen=True, slots=True)
class Program:
    """Rules, and the names in which they are written."""

    rules: tuple[Rule, ...]
    """In the file's order; a fact of the program is a rule with an empty body."""
    names: Names
    """With the prefixes that the file declares."""
    places: tuple[tuple[str, ...], ...] = field(default=(), compare=False, repr=False)
    """File, line and column of each condition of each rule; empty where the program comes from no file."""

    def place(self, rule: int, condition: int | None = None) -> str:
        """Where a rule stands, or one of its conditions, both counted from 0."""
        if condition is not None and rule < len(self.places) and condition < len(self.places[rule]):
            return self.places[rule][condition]
        return self.rules[rule].where
