"""Table: columns of numbers, categories and dates that describe a row; each becomes a vector, and they read each other.

Trained from nothing. A line over the columns is added to what they read, and stands alone where there are few rows. A
missing value has a vector of its own, and a category that training did not hold is read as one that is rare. Source:
Gorishniy et al., 2021, arXiv:2106.11959 (a transformer over columns); Gorishniy et al., 2022, arXiv:2203.05556 (vectors
of numbers); Cheng et al., 2016, arXiv:1606.07792 (a line beside layers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.modalities.table.cells import Kind
    from sibu.modalities.table.prepare import TablePreparer

Columns = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class TableSpec(Spec):
    """Options of the table modality."""

    name: Literal["table"] = "table"
    field: str = "table"
    """Its name among the modalities; where `columns` is null also the column of the file that holds an object a row."""
    columns: Columns | None = None
    """The columns of the file that belong to it; null: each row holds an object with all of them."""
    numbers: Columns | None = None
    """Columns of numbers. Of a column that is named in none of the three lists the kind is found from the training
    rows: numbers where every value reads as one, dates where every value does, else categories."""
    categories: Columns | None = None
    """Columns of categories; name those here whose categories are written as numbers, such as a postal code."""
    dates: Columns | None = None
    """Columns of dates or times (`2024-05-01`, `2024-05-01T08:30`, `2024/5/1`, `2024年5月1日`). Year, month, day of
    the week and hour are read of each."""
    missing: tuple[str, ...] = ("NA", "N/A", "nan", "NaN", "null", "NULL", "None", "?", "-")
    """What stands for a missing value in columns of numbers and dates; in any column an empty cell does."""
    encoding: Literal["piecewise", "periodic", "plain"] = "piecewise"
    """How a number becomes a vector: by how far it fills each of the `bins` between quantiles of the training values;
    by sines and cosines of learned frequencies; or as it is."""
    bins: PositiveInt = 8
    """With `piecewise`: at most so many bins a column."""
    frequencies: PositiveInt = 16
    """With `periodic`: so many frequencies a column."""
    rarest: PositiveInt = 2
    """A category that fewer training rows have is read as `other`, as is one that none has."""
    most: PositiveInt = 1000
    """At most so many categories a column; the rarer ones are read as `other`."""
    hide: float = Field(default=0.1, ge=0, lt=1)
    """In training, this share of the values is hidden, so that the model learns to do without each."""
    width: PositiveInt = 64
    """Width of the vectors."""
    layers: NonNegativeInt | None = None
    """Layers in which columns read each other; 0: the line over the columns alone, which knows of no column what it
    means beside another. null: 2, but 0 for fewer than 1,000 training rows, of which layers learn more than holds."""
    heads: PositiveInt = 4
    """Heads of attention; `width` is a multiple of it."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout of what each layer adds."""
    learning_rate: PositiveFloat | None = None
    """Rate of its encoder relative to the run's; null: 1."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        named = [column for kind in (self.numbers, self.categories, self.dates) for column in kind or ()]
        if twice := sorted({column for column in named if named.count(column) > 1}):
            raise ValueError(f"{', '.join(map(repr, twice))} stands twice; a column has one kind")
        if self.columns is not None and (unknown := [column for column in named if column not in self.columns]):
            raise ValueError(f"{', '.join(map(repr, unknown))} is given a kind but is not among `columns`")
        if self.columns is not None and len(set(self.columns)) < len(self.columns):
            raise ValueError("`columns` names a column twice")
        if self.layers == 0 and self.encoding == "periodic":
            raise ValueError("`periodic` is for columns that read each other: give `layers` above 0, or `piecewise`")
        if self.width % self.heads:
            raise ValueError(f"`width` is {self.width}, which is no multiple of `heads` ({self.heads})")
        return self


def build(spec: TableSpec, *, state: dict[str, Any] | None = None, folder: Path | None = None) -> TablePreparer:  # noqa: ARG001
    """What prepares the table; ``state``: what a bundle knows of its columns. It has no pretrained form."""
    from sibu.modalities.table.prepare import TablePreparer

    kinds: dict[Kind, Columns | None] = {"number": spec.numbers, "category": spec.categories, "date": spec.dates}
    return TablePreparer(
        field=spec.field,
        columns=spec.columns,
        kinds={column: kind for kind, columns in kinds.items() for column in columns or ()},
        missing=spec.missing,
        bins=spec.bins,
        rarest=spec.rarest,
        most=spec.most,
        state=state,
        layout={
            "encoding": spec.encoding,
            "frequencies": spec.frequencies,
            "hide": spec.hide,
            "width": spec.width,
            "layers": spec.layers,
            "heads": spec.heads,
            "dropout": spec.dropout,
        },
    )


ENTRY = Entry(TableSpec, build)
"""The table modality."""
