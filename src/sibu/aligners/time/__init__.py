"""Time: streams by clocks of their own, brought to one clock and cut to what all of them cover.

Of each other stream the offset and the drift against the reference are found by what happens in both (cross-correlation
of windows, which agree on a line), and taken out; whether the streams have anything to do with each other is told by
their correlation against what chance gives (Bartlett, 1946). Then all are cut to the stretch that they share, or to a
window of it. For recordings and sensors that were started by hand; `clock: shared` only cuts. Where speeds differ from
place to place choose `warp`. Source: Knapp and Carter, 1976, doi:10.1109/TASSP.1976.1162830.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, model_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.aligners.time.clock import OneClock

Compared = Literal["samples", "change", "envelope"]


def _several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


class TimeSpec(Spec):
    """Options of `time`."""

    of: ClassVar[tuple[str, ...]] = ("audio", "series")

    name: Literal["time"] = "time"
    reference: str
    """The modality whose clock counts, by its column."""
    others: Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]
    """Those that are brought to it: one, or a list."""
    clock: Literal["own", "shared"] = "own"
    """`own`: each stream has its own, and offset and drift are sought; `shared`: one clock is told by all, and they are
    only cut."""
    compare: dict[str, Compared] = Field(default_factory=dict)
    """What of a stream is compared, by its column: `samples`: its values as they are (one channel); `envelope`: how
    loud they are; `change`: how fast they move, over all channels. Left out: of two recordings the samples, else that
    by which a row's streams agree best."""
    reach: PositiveFloat = 5.0
    """Offsets are sought up to so many seconds."""
    most_drift: NonNegativeFloat = Field(default=1000.0, lt=100_000)
    """Drifts are sought up to so many parts in a million; 0: none is. Where the streams are too short for one to be
    told (its standard error is above half of this), 0 is taken, and the gate says so."""
    window: PositiveFloat | None = None
    """Seconds of the window that is cut out of what all share; null: all of it."""
    start: str | None = None
    """Column of the file with the second, on the reference's clock, at which a row's `window` begins: many rows may be
    windows of one recording. null: where what they share begins."""
    warn: float = Field(default=0.25, ge=0, le=1)
    """The gate warns of a row whose quality is below it: how far the rank correlation of the streams, once aligned, is
    beyond what unrelated ones of this length and pace reach by chance. 0.25 is what 1 in 20 unrelated pairs comes to,
    so at most so many pass; a higher one lets fewer pass, 0 warns of none."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.start is not None and self.window is None:
            raise ValueError("`start` says where a window begins; give its seconds as `window`")
        if unknown := sorted(set(self.compare) - {self.reference, *self.others}):
            raise ValueError(f"`compare` names {', '.join(map(repr, unknown))}, which is not aligned here")
        if self.reference in self.others or len(set(self.others)) < len(self.others):
            raise ValueError("names a stream twice")
        return self


def build(spec: TimeSpec) -> OneClock:
    """What brings streams to one clock."""
    from sibu.aligners.time.clock import OneClock

    return OneClock(spec)


ENTRY = Entry(TimeSpec, build)
