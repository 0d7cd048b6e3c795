"""A stream at the pace of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.align import warp
from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.example import Row, as_names
from sibu.core.protocols import Features
from sibu.core.text import Feature
from sibu.media.series import Series
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.aligners.warp import WarpSpec


class OneWay:
    """See the door plate ``sibu.aligners.warp`` for the options."""

    columns: tuple[Column, ...] = ()
    features = (
        Feature("places", "float64", "token"),
        Feature("times", "float64", "token"),
        Feature("quality", "float64", "window"),
    )

    def __init__(self, spec: WarpSpec) -> None:
        self.spec = spec
        self.reads, self.moves = (spec.reference, spec.other), (spec.other,)
        self.warn = spec.warn
        self.key = hash_json(["warp", 1, spec.model_dump(mode="json", exclude={"warn"})])

    def fit(self, row: Row, raw: Mapping[str, Any]) -> tuple[Features, Mapping[str, str]]:  # noqa: ARG002
        """Which places of the other stream belong to each reading of the reference."""
        first, second = raw.get(self.spec.reference), raw.get(self.spec.other)
        if first is None or second is None:
            return {}, {}
        try:
            return self._warped(first, second), {}
        except DataError as fault:
            return {"quality": np.array([-np.inf])}, {self.spec.other: str(fault)}

    def _warped(self, first: Series, second: Series) -> Features:
        if set(first.names) != set(second.names):
            has = f"`{self.spec.other}` has the channels {as_names(second.names)}, `{self.spec.reference}` has "
            raise DataError(f"{has}{as_names(first.names)}. To be warped they need the same.")
        longest = max(len(first.times), len(second.times))
        if longest > self.spec.longest:
            said = f"a stream has {longest:,} readings, and at most {self.spec.longest:,} (`longest`) are warped."
            raise DataError(f"{said} Give the modality a `rate` below its own in the files, or raise `longest`.")
        order = [second.names.index(name) for name in first.names]
        one, two = _even(first.values), _even(second.values[:, order])
        shorter = min(len(one), len(two))
        band = None if self.spec.band is None else max(1, round(self.spec.band * shorter))
        places = warp(one, two, band=band).places()
        laid = _read(two, places)
        moves = (one.std(0) > 0) & (laid.std(0) > 0)
        agree = [np.corrcoef(one[:, n], laid[:, n])[0, 1] for n in np.flatnonzero(moves)]
        quality = max(0.0, float(np.mean(agree))) if agree else 0.0
        return {"places": places, "times": first.times, "quality": np.array([quality])}

    def laid(self, name: str, raw: Any, found: Features) -> Any:
        """The other stream at the reference's times; None where it could not be warped."""
        if name != self.spec.other or not len(found.get("quality", ())):
            return raw
        if not len(found.get("places", ())):
            return None
        return Series(np.asarray(found["times"]), _read(raw.values, found["places"]).astype(np.float32), raw.names)

    def doubt(self, told: Mapping[str, Any]) -> tuple[str, str]:  # noqa: ARG002
        """What to do; the figures say the rest."""
        return "", "Look whether both show the same; widen what is sought, or leave the row out."

    def remarks(self, found: Features) -> list[tuple[str, str, str]]:  # noqa: ARG002
        """Nothing: what it finds is in line or is not."""
        return []

    def told(self, found: Features) -> list[dict[str, Any]]:
        """How well the two agree after it, and how far places were moved at most, in readings."""
        if not len(found.get("places", ())):
            return []
        places = np.asarray(found["places"])
        straight = np.linspace(0, places[-1], len(places))
        about = {"of": self.spec.other, "with": self.spec.reference, "quality": round(float(found["quality"][0]), 4)}
        return [about | {"most_moved": round(float(np.abs(places - straight).max()), 2)}]


def _even(values: np.ndarray) -> np.ndarray:
    """Channels in deviations from their means, missing readings on the line between their neighbours.

    Raises:
        DataError: When a channel has no reading.
    """
    found = values.astype(np.float64)
    places = np.arange(len(found))
    for channel in found.T:
        there = np.isfinite(channel)
        if not there.any():
            raise DataError("A channel has no reading: nothing can be warped by it.")
        channel[:] = np.interp(places, places[there], channel[there])
    deviation = found.std(0)
    whole: np.ndarray = (found - found.mean(0)) / np.where(deviation > 0, deviation, 1.0)
    return whole


def _read(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Readings at places between whole ones. Shape ``(N, C)``."""
    low = np.floor(places).astype(np.intp).clip(0, len(values) - 1)
    high = np.minimum(low + 1, len(values) - 1)
    share = (np.asarray(places) - low)[:, None]
    near = np.where(share < 0.5, values[low], values[high])  # where the other of the two is missing
    between = values[low] * (1 - share) + values[high] * share
    found: np.ndarray = np.where(np.isnan(between), near, between)
    return found
