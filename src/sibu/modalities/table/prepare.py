"""Rows of a table to arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError, RecipeError, counted, near_miss
from sibu.core.example import as_names
from sibu.core.protocols import Features, Found, State
from sibu.core.text import Feature
from sibu.modalities.table.cells import PARTS, Kind, category, date, is_missing, number, shown
from sibu.modalities.table.survey import ColumnSurvey
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.modalities.table.encoder import TableEncoder

FARTHEST = 10.0
"""Deviations from the mean that a number counts at most."""
LAYERS, ENOUGH = 2, 1000
"""Layers of an encoder for as many training rows or more; with fewer it has none."""
MISSING, OTHER, KNOWN = 0, 1, 2
"""Numbers of categories: a missing one, one that is rare or was never seen, and the first that has a number."""
SHOWN = 3
"""Cells that are shown of those that keep a column from being one of numbers or dates."""
FORMS: dict[Kind, str] = {"number": "a finite number", "date": "a date such as 2024-05-01 or 2024-05-01T08:30"}
"""What cells of a kind hold."""


class TablePreparer:
    """The table modality: a row's columns as numbers, in deviations from the training mean, and as categories.

    Args:
        field: Its name among the encoders.
        columns: Columns of the file that it is gathered from; None: each row holds an object.
        kinds: What columns are, where the recipe says it.
        missing: Texts that stand for a missing number or date.
        bins: Most bins of a column of numbers.
        rarest: Fewest training rows of a category that is not `other`.
        most: Most categories of a column.
        layout: How the encoder is made.
        state: What was learned before.
    """

    def __init__(
        self,
        *,
        field: str,
        columns: tuple[str, ...] | None,
        kinds: Mapping[str, Kind],
        missing: tuple[str, ...],
        bins: int,
        rarest: int,
        most: int,
        layout: Mapping[str, Any],
        state: State | None = None,
    ) -> None:
        self.field = field
        self.columns = columns
        self.kinds = kinds
        self.missing = frozenset(missing)
        self.layout = layout
        self._limits = {"bins": bins, "rarest": rarest, "most": most}
        self.column = Column(field, "record", "input", "an object of plain values", parts=columns or ())
        self._know(state or {"rows": 0, "columns": []})

    def learn(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Find each column's kind, the spread of its numbers and its categories.

        Raises:
            DataError: When there is no row, or no column.
            RecipeError: When a column that has a kind is in no row.
        """
        surveys = {name: ColumnSurvey(name, self.kinds.get(name), self.missing) for name in self.columns or ()}
        rows = 0
        for value in values:
            rows += 1
            for name, cell in value.items():
                if name not in surveys:
                    if self.columns is not None:
                        continue
                    surveys[name] = ColumnSurvey(name, self.kinds.get(name), self.missing)
                surveys[name].add(cell)
        if not surveys or not rows:
            raise DataError(f"`{self.field}`: no training row has a column. Name the file's in `columns`.")
        if unknown := [name for name in self.kinds if name not in surveys]:
            close = near_miss(unknown[0], surveys)
            raise RecipeError(
                f"`{self.field}` gives {unknown[0]!r} a kind, but no training row has such a column. {close}"
                f"The rows have {as_names(surveys)}."
            )
        self._know({"rows": rows, "columns": [each.state(rows=rows, **self._limits) for each in surveys.values()]})

    def _know(self, state: State) -> None:
        self.state: State = state
        self._of: dict[Kind, list[State]] = {
            kind: [each for each in state["columns"] if each["kind"] == kind] for kind in ("number", "date", "category")
        }
        self._codes = [{name: KNOWN + n for n, name in enumerate(each["names"])} for each in self._of["category"]]
        numbers, dates = self._of["number"], self._of["date"]
        means = [each["mean"] for each in numbers] + [mean for each in dates for mean in each["means"]]
        spread = [each["deviation"] for each in numbers] + [part for each in dates for part in each["deviations"]]
        self._mean, self._deviation = np.asarray(means, float), np.asarray(spread, float)
        self._scale = np.where(self._deviation > 0, self._deviation, np.inf)  # a constant one tells nothing

    @property
    def features(self) -> tuple[Feature, ...]:
        """`numbers`: the columns of numbers, then ``PARTS`` of each date, NaN where missing; `categories`."""
        every = {
            "numbers": Feature("numbers", "float32", "window"),
            "categories": Feature("categories", "int64", "window"),
        }
        has = {"numbers": self._of["number"] or self._of["date"], "categories": self._of["category"]}
        return tuple(feature for name, feature in every.items() if has[name])

    @property
    def places(self) -> int:
        """How many places the encoder makes of a row: one of its own, and, where they read each other, one a column."""
        return 1 + (len(self.state["columns"]) if self.layers else 0)

    @property
    def layers(self) -> int:
        """Layers of the encoder: as the recipe says, or by how many rows there were to learn from."""
        given: int | None = self.layout["layers"]
        if given is not None:
            return given
        return LAYERS if self.state["rows"] >= ENOUGH or self.layout["encoding"] == "periodic" else 0

    @property
    def key(self) -> str:
        """Equal for two that give the same arrays."""
        return hash_json(["table", self.field, self.columns, sorted(self.missing), self.state])

    def arrays(self, value: Mapping[str, Any]) -> Features:
        """The numbers and categories of a row.

        Raises:
            DataError: When a column of numbers or dates holds something else.
        """
        raw = [self._number(each["name"], value) for each in self._of["number"]]
        for each in self._of["date"]:
            raw += self._date(each["name"], value)
        found: dict[str, np.ndarray] = {}
        if raw:
            scaled = (np.asarray(raw, float) - self._mean) / self._scale
            found["numbers"] = np.clip(scaled, -FARTHEST, FARTHEST).astype(np.float32)
        if self._of["category"]:
            found["categories"] = np.asarray(
                [
                    self._code(codes, category(value.get(each["name"])))
                    for each, codes in zip(self._of["category"], self._codes, strict=True)
                ],
                dtype=np.int64,
            )
        return found

    def _number(self, name: str, value: Mapping[str, Any]) -> float:
        found = number(value.get(name), self.missing)
        if found is None:
            raise DataError(f"{self._unread(name, value, 'number')}. Correct it, or leave it empty.")
        return found

    def _date(self, name: str, value: Mapping[str, Any]) -> list[float]:
        found = date(value.get(name), self.missing)
        if found is None:
            raise DataError(f"{self._unread(name, value, 'date')}. Correct it, or leave it empty.")
        return found

    @staticmethod
    def _unread(name: str, value: Mapping[str, Any], kind: Kind) -> str:
        return f"{name!r} is a column of {kind}s and must hold {FORMS[kind]}, given {shown(value[name])}"

    def _is_stray(self, cell: Any, kind: Kind) -> bool:
        """Whether a cell is neither missing nor of the kind."""
        return (number if kind == "number" else date)(cell, self.missing) is None

    def _strays_of(self, value: Mapping[str, Any]) -> list[tuple[str, Kind]]:
        """A row's cells that are not of their column's kind."""
        kinds: tuple[Kind, ...] = ("number", "date")
        named = [(each["name"], kind) for kind in kinds for each in self._of[kind]]
        return [(name, kind) for name, kind in named if self._is_stray(value.get(name), kind)]

    def readable(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row without the cells that are not of their column's kind; as it is where no other is left."""
        strays = [name for name, _ in self._strays_of(value)]
        left = {name: cell for name, cell in value.items() if name not in strays}
        known = (each["name"] for each in self.state["columns"])
        return left if strays and any(not is_missing(left.get(name)) for name in known) else value

    @staticmethod
    def _code(codes: Mapping[str, int], name: str | None) -> int:
        return MISSING if name is None else codes.get(name, OTHER)

    def check(self, value: Mapping[str, Any], arrays: Features) -> Iterator[Found]:
        """Columns that are not known, numbers far from all that training held, categories that are rare or new."""
        known = [each["name"] for each in self.state["columns"]]
        for name in value:
            if name not in known:
                said = f"the column {name!r} was in no training row; it is not read."
                yield "unknown column", "warning", said, f"{near_miss(name, known)}Leave it out, or train with it."
        if not any(each["name"] in value for each in self.state["columns"]):
            mend = f"The table has {as_names(known)}."
            yield "no column", "error", f"`{self.field}` has none of the columns that training knew.", mend
        holes = "numbers" in arrays and np.isnan(arrays["numbers"]).any()
        for name, kind in self._strays_of(value) if holes else ():
            mend = f"Correct it, leave it empty, or name the column in `categories` of `{self.field}`."
            yield "unread cell", "warning", f"{self._unread(name, value, kind)}; it is read as missing.", mend
        for place, each in enumerate(self._of["number"]):
            if abs(arrays["numbers"][place]) >= FARTHEST:
                low, high = (each["mean"] + sign * FARTHEST * self._scale[place] for sign in (-1, 1))
                said = f"{each['name']!r} is {shown(value[each['name']])}, far from every training value; it counts as"
                end = high if arrays["numbers"][place] > 0 else low
                yield "far number", "warning", f"{said} {end:.6g}.", "Check its unit."
        for place, each in enumerate(self._of["category"]):
            if arrays["categories"][place] == OTHER and not self._mostly_rare(each):
                said = f"{each['name']!r} is {shown(value[each['name']])}, which is rare or absent in the training rows"
                mend = "Check how it is written; or train with more rows of it, or a lower `rarest`."
                yield "rare category", "warning", f"{said}; it is read as `other`.", mend

    @staticmethod
    def _mostly_rare(about: State) -> bool:
        """Whether rare categories are the rule in a column, which is told once and not row by row."""
        seen = sum(about["counts"][OTHER:])
        return "nearly" in about or not about["names"] or 2 * about["counts"][OTHER] > seen

    def remarks(self) -> Iterator[Found]:
        """What the training rows as a whole have: columns that tell nothing."""
        for each in self.state["columns"]:
            kind, name = each["kind"], each["name"]
            absent = each["counts"][MISSING] if kind == "category" else each["missing"]
            spread = sum(count > 0 for count in each["counts"][OTHER:]) if kind == "category" else (
                1 + any(each["deviations"]) if kind == "date" else 1 + (each["deviation"] > 0)
            )  # fmt: skip
            mend = "Leave it out."
            if absent == self.state["rows"]:
                yield "empty column", "warning", f"{name!r} has no value in any training row.", mend
            elif "nearly" in each:
                continue  # told with its rows, see ``strays``
            elif kind == "category" and not each["names"]:
                said = f"{name!r} holds {counted(each['counts'][OTHER], 'value')}, each too rare to be learned"
                yield "column of names", "warning", f"{said}; it may be an identifier.", mend
            elif kind == "category" and self._mostly_rare(each):
                rare, seen = each["counts"][OTHER], sum(each["counts"][OTHER:])
                said = f"{name!r} holds {counted(seen, 'value')}, {rare:,} of them too rare to be learned"
                mend = "Leave the column out, join categories, or lower `rarest`."
                yield "rare category", "warning", f"{said}: they are read as `other`.", mend
            elif spread < 2 and not absent:
                yield "constant column", "warning", f"{name!r} has one value in all training rows.", mend

    def strays(self, values: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[int, Found]]:
        """Columns that a few cells keep from being numbers or dates.

        Args:
            values: Training rows of the table, each with what messages call it, such as ``line 3``.

        Yields:
            The number of the first row with such a cell, and what is to be told.
        """
        columns = [each for each in self._of["category"] if "nearly" in each]
        there, strays = Counter[str](), Counter[str]()
        first: dict[str, list[tuple[int, str]]] = {each["name"]: [] for each in columns}
        for row, (place, value) in enumerate(values if columns else ()):
            for each in columns:
                name = each["name"]
                cell = value.get(name)
                there[name] += not is_missing(cell)
                if self._is_stray(cell, each["nearly"]):
                    strays[name] += 1
                    if len(first[name]) < SHOWN:
                        first[name].append((row, f"{shown(cell)} in {place}"))
        for each in columns:
            if cells := first[each["name"]]:
                said = [cell for _, cell in cells]
                yield cells[0][0], self._nearly(each, there[each["name"]], strays[each["name"]], said)

    def _nearly(self, about: State, there: int, strays: int, cells: Sequence[str]) -> Found:
        """What is told of a column that nearly is of another kind."""
        kind, rare = about["nearly"], about["counts"][OTHER]
        more = f" and {counted(strays - len(cells), 'other')}" if strays > len(cells) else ""
        said = (
            f"{about['name']!r} holds {kind}s but for {strays:,} of {counted(there, 'value')}: "
            f"{', '.join(cells)}{more}. So it is read as a column of categories"
            f"{f', of which {rare:,} are too rare to be learned' if rare else ''}."
        )
        mend = (
            f"Correct these cells, or leave them empty. Or name the column in `{kind}s` of `{self.field}`, by which "
            f"what is no {kind} is missing and told row by row; or in `categories`, if it is meant so."
        )
        return "mixed column", "warning", said, mend

    def suspects(self, values: Sequence[Mapping[str, Any]], targets: Sequence[str | float]) -> list[tuple[str, float]]:
        """Columns that alone tell the targets nearly perfectly, with how well."""
        from sibu.modalities.table.suspects import suspects

        return suspects(values, targets, missing=self.missing)

    def noised(self, arrays: Features, draw: np.random.Generator) -> Features:
        """Numbers with noise of their training deviation; half of the categories drawn anew, as often as they occur."""
        found = dict(arrays)
        if "numbers" in arrays:
            noise = draw.standard_normal(len(self._mean)) * (self._deviation > 0)
            found["numbers"] = (arrays["numbers"] + noise).astype(np.float32)
        if "categories" in arrays:
            codes = arrays["categories"].copy()
            for place, each in enumerate(self._of["category"]):
                shares = np.asarray(each["counts"], float)
                drawn = draw.choice(len(shares), p=shares / shares.sum())
                if draw.random() < 0.5:
                    codes[place] = drawn
            found["categories"] = codes
        return found

    def encoder(self) -> TableEncoder:
        """The encoder for the columns that were learned."""
        from sibu.modalities.table.encoder import Table, TableEncoder

        table = Table(
            edges=[each["edges"] for each in self._of["number"]],
            dates=len(self._of["date"]),
            parts=len(PARTS),
            categories=[KNOWN + len(each["names"]) for each in self._of["category"]],
        )
        return TableEncoder(table, **{**self.layout, "layers": self.layers})
