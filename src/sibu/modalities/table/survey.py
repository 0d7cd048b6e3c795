"""What the training values of a column are: of which kind, how they are spread, which categories there are.

One pass; of numbers a sample of bounded size is kept for the quantiles, of categories a bounded list.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from random import Random
from typing import Any

import numpy as np

from sibu.core.protocols import State
from sibu.modalities.table.cells import PARTS, Kind, category, date, is_missing, number
from sibu.train.seed import derive

SAMPLE = 20_000
"""Numbers kept of a column for its quantiles."""
DISTINCT = 200_000
"""Categories counted of a column; ones first seen beyond them are rare."""
NEARLY, FEWEST = 0.9, 10
"""From this share of the values on, and from so many, a column is told that is of numbers (or dates) but for some."""
ENOUGH = 1000
"""Values that are of no kind but names, after which a column is one of names where they are most of it."""


class Moments:
    """Mean and deviation of numbers, one after another (Welford, 1962)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._squares = 0.0

    def add(self, value: float) -> None:
        """Count one."""
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self._squares += step * (value - self.mean)

    def deviation(self) -> float:
        """Of all of them; 0 where they are equal, up to rounding."""
        found = math.sqrt(max(self._squares, 0.0) / self.count) if self.count else 0.0
        return found if found > 1e-9 * abs(self.mean) else 0.0


class ColumnSurvey:
    """Looks at the training values of one column.

    Args:
        name: The column.
        kind: What the recipe says it is; None: what its values say.
        missing: Texts that stand for a missing number or date.
    """

    def __init__(self, name: str, kind: Kind | None, missing: Collection[str]) -> None:
        self.name = name
        self.missing = missing
        self.kinds: list[Kind] = ["number", "date", "category"] if kind is None else [kind]
        """What it can still be, the first first."""
        self.seen = 0
        """Values that are there."""
        self._moments, self._sample = Moments(), list[float]()
        self._parts = [Moments() for _ in PARTS]
        self._names = Counter[str]()
        self._strays: Counter[Kind] = Counter()
        self._given = kind is not None
        self._draw = Random(derive(0, "table", name))

    def add(self, value: Any) -> None:
        """Look at one value."""
        if is_missing(value):
            return
        if self._looks_for("number"):
            self._number(number(value, self.missing))
        if self._looks_for("date"):
            self._date(date(value, self.missing))
        if "category" in self.kinds:
            name = category(value)
            if name is not None and (name in self._names or len(self._names) < DISTINCT):
                self._names[name] += 1
        self.seen += 1

    def _looks_for(self, kind: Kind) -> bool:
        """Whether values are still read as of a kind: also where some are not, for nearly all of them may be."""
        if self._given:
            return kind in self.kinds
        strays = self._strays[kind]
        return strays < ENOUGH or strays < self._count(kind)

    def _count(self, kind: Kind) -> int:
        return self._moments.count if kind == "number" else self._parts[0].count

    def _drop(self, kind: Kind) -> None:
        self._strays[kind] += 1
        if not self._given and kind in self.kinds:
            self.kinds.remove(kind)

    def _number(self, found: float | None) -> None:
        if found is None:
            self._drop("number")
        elif not math.isnan(found):
            self._moments.add(found)
            if len(self._sample) < SAMPLE:
                self._sample.append(found)
            elif (place := self._draw.randrange(self._moments.count)) < SAMPLE:
                self._sample[place] = found

    def _date(self, found: list[float] | None) -> None:
        if found is None:
            self._drop("date")
        elif not math.isnan(found[0]):
            for moments, part in zip(self._parts, found, strict=True):
                moments.add(part)

    def state(self, *, bins: int, rarest: int, most: int, rows: int) -> State:
        """What is kept of it, as JSON.

        Args:
            bins: Most bins of a column of numbers.
            rarest: Fewest rows of a category of its own.
            most: Most categories.
            rows: How many rows were looked at.
        """
        kind = self.kinds[0] if self._given or self._read() else "category"
        about: State = {"name": self.name, "kind": kind}
        if kind == "number":
            return about | self._spread(bins) | {"missing": rows - self._moments.count}
        if kind == "date":
            spread = {"means": [m.mean for m in self._parts], "deviations": [m.deviation() for m in self._parts]}
            return about | spread | {"missing": rows - self._parts[0].count}
        ordered = sorted(self._names.items(), key=lambda found: (-found[1], found[0]))
        kept = [(name, count) for name, count in ordered if count >= rarest][:most]
        rest = self.seen - sum(count for _, count in kept)
        counts = [rows - self.seen, rest, *(count for _, count in kept)]
        return about | {"names": [name for name, _ in kept], "counts": counts} | self._nearly()

    def _nearly(self) -> State:
        """Of which kind nearly all of its values are; nothing where all are, or fewer."""
        kinds: tuple[Kind, ...] = () if self._given else ("number", "date")
        for kind in kinds:
            read, strays = self._count(kind), self._strays[kind]
            if strays and read >= max(FEWEST, NEARLY * (read + strays)):
                return {"nearly": kind}
        return {}

    def _read(self) -> bool:
        """Whether a value was read as what it may be first: one of nothing but marks is neither numbers nor dates."""
        kind = self.kinds[0]
        return kind == "category" or bool(self._count(kind))

    def _spread(self, bins: int) -> State:
        """Mean, deviation, and the edges of bins that hold about as many training values each, in deviations."""
        mean, deviation = self._moments.mean, self._moments.deviation()
        edges: list[float] = []
        if deviation:
            quantiles = np.quantile(np.asarray(self._sample), np.linspace(0, 1, bins + 1))
            edges = [float(edge) for edge in np.unique((quantiles - mean) / deviation)]
        return {"mean": mean, "deviation": deviation, "edges": edges}
