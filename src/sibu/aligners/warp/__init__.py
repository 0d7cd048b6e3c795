"""Warp: two streams of the same channels whose speeds differ from place to place, by dynamic time warping.

Each reading of the reference is given the other stream's readings that belong to it, on the cheapest way through both.
For two performances of one thing, such as a movement and how it should go. Where only a clock is off choose `time`,
which bends nothing. Source: Sakoe and Chiba, 1978, doi:10.1109/TASSP.1978.1163055.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.aligners.warp.way import OneWay


class WarpSpec(Spec):
    """Options of `warp`."""

    of: ClassVar[tuple[str, ...]] = ("series",)

    name: Literal["warp"] = "warp"
    reference: str
    """The stream whose pace counts, by its column."""
    other: str
    """The stream that is warped; it has the same channels."""
    band: float | None = Field(default=0.1, gt=0, le=1)
    """How far a place may lie from the straight way, as a share of the shorter stream (the Sakoe-Chiba band); null:
    any. Time and memory grow with it."""
    longest: PositiveInt = 4096
    """Most readings of a stream; of one with more the alignment fails, and says so."""
    warn: float = Field(default=0.25, ge=0, le=1)
    """The gate warns of a row whose quality is below it: the correlation of the two streams after warping, the mean
    over the channels."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.reference == self.other:
            raise ValueError("names a stream twice")
        return self


def build(spec: WarpSpec) -> OneWay:
    """What warps a stream."""
    from sibu.aligners.warp.way import OneWay

    return OneWay(spec)


ENTRY = Entry(WarpSpec, build)
