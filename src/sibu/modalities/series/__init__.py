"""Series: readings of one or several sensors over time, cut into patches that read each other.

Trained from nothing. Readings may be missing, and lie at uneven distances. A value is a file (CSV, TSV, Parquet, NPY)
or stands in the row: rows of one number a channel, or an object with `values` and perhaps `time` and `names`.
Source: Nie et al., 2023, arXiv:2211.14730; here the channels of a patch are read together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.modalities.series.prepare import SeriesPreparer


class SeriesSpec(Spec):
    """Options of the series modality."""

    name: Literal["series"] = "series"
    field: str = "series"
    """Column of the file; of two streams a row, each has a block of its own with another column."""
    channels: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)] | None = None
    """Columns of a stream's file that are read; null: all but `time`."""
    time: str | None = None
    """Column of a stream's file with the clock: numbers, or ISO dates; null: readings at even distances. Of readings in
    the row the clock is their `time`, whatever a file's is called, and must be there where this is given."""
    unit: Literal["s", "ms", "us", "ns"] = "s"
    """What numbers of the clock count."""
    rate: PositiveFloat | None = None
    """Readings a second that each stream is brought to; one without a clock is taken to have it. null: as they are."""
    gap: PositiveFloat | None = None
    """With `rate`: seconds between two readings beyond which what lies between is missing; null: it is bridged by a
    line."""
    seconds: PositiveFloat | None = None
    """What is beyond so many seconds from the first reading is cut, and told; null: only `longest` cuts."""
    longest: PositiveInt = 8192
    """Most readings; the rest is cut, and told."""
    patch: PositiveInt = 8
    """Readings a patch. Cost grows as patches become more; of a stream of fewer than some hundred readings 4 to 8 is
    good, of thousands 16 to 64."""
    normalise: Literal["training", "example"] = "training"
    """By which mean and deviation a channel is scaled: of the training data, or of each stream itself, for sensors
    whose level tells nothing."""
    hide: float = Field(default=0.1, ge=0, lt=1)
    """In training, this share of the patches is hidden, so that the model learns to do without each."""
    width: PositiveInt = 64
    """Width of the vectors."""
    layers: PositiveInt = 2
    """Layers in which patches read each other."""
    heads: PositiveInt = 4
    """Heads of attention; `width` is a multiple of it."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout of what each layer adds."""
    learning_rate: PositiveFloat | None = 3.0
    """Rate of its encoder relative to the run's; null: 1. Few streams are few steps, which must be large: on seven sets
    of 28 to 67 streams 3 was better on the mean than 1, and on one of 200 no worse."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.width % self.heads or self.width % 2:
            raise ValueError(f"`width` is {self.width}; it must be even, and a multiple of `heads` ({self.heads})")
        if self.channels is not None and len(set(self.channels)) < len(self.channels):
            raise ValueError("`channels` names a column twice")
        if self.channels is not None and self.time in self.channels:
            raise ValueError(f"{self.time!r} is `time` and cannot be among `channels`")
        if self.gap is not None and self.rate is None:
            raise ValueError("`gap` goes with `rate`; without it readings stay as they are")
        return self


def build(spec: SeriesSpec, *, state: dict[str, Any] | None = None, folder: Path | None = None) -> SeriesPreparer:  # noqa: ARG001
    """What prepares streams; ``state``: what a bundle knows of their channels. It has no pretrained form."""
    from sibu.modalities.series.prepare import SeriesPreparer

    return SeriesPreparer(
        field=spec.field,
        reading={"channels": spec.channels, "time": spec.time, "unit": spec.unit},
        rate=spec.rate,
        gap=spec.gap,
        seconds=spec.seconds,
        longest=spec.longest,
        patch=spec.patch,
        by_example=spec.normalise == "example",
        state=state,
        layout={
            "hide": spec.hide,
            "width": spec.width,
            "layers": spec.layers,
            "heads": spec.heads,
            "dropout": spec.dropout,
        },
    )


ENTRY = Entry(SeriesSpec, build)
"""The series modality."""
