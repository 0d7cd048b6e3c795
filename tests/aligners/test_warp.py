"""A stream is brought to the pace of another."""

from typing import Any

import numpy as np
import pytest

from sibu.aligners import ALIGNERS
from sibu.media.series import Series

SHAPE = np.sin(np.linspace(0, 4 * np.pi, 400)) * np.linspace(0.3, 1, 400)


def aligner(**options: Any) -> Any:
    spec = ALIGNERS.spec({"name": "warp", "reference": "标准", "other": "done", "band": 0.3} | options)
    return ALIGNERS.of(spec).build(spec)


def stream(places: np.ndarray, *, names: tuple[str, ...] = ("x", "y")) -> Series:
    """Readings of the shape at places of 0 to 1, in two channels of unlike scale."""
    at = places * (len(SHAPE) - 1)
    x = np.interp(at, np.arange(len(SHAPE)), SHAPE)
    values = np.stack([x, 50 - 20 * np.roll(x, 3)], 1).astype(np.float32)
    return Series(np.arange(len(places)) / 10, values, names)


def test_another_pace_is_taken_out() -> None:
    even, uneven = np.linspace(0, 1, 80), np.linspace(0, 1, 120) ** 1.6
    raw = {"标准": stream(even), "done": stream(uneven)}
    part = aligner()
    found, gone = part.fit({}, raw)
    (told,) = part.told(found)
    assert not gone and told["quality"] > 0.98 and told["most_moved"] > 10
    laid = part.laid("done", raw["done"], found)
    assert laid.times == pytest.approx(raw["标准"].times)
    assert laid.values[:, 0] == pytest.approx(raw["标准"].values[:, 0], abs=0.2)
    assert part.laid("标准", raw["标准"], found) is raw["标准"]


def test_channels_are_matched_by_name_and_gaps_are_bridged() -> None:
    one = stream(np.linspace(0, 1, 60))
    two = Series(one.times, one.values[:, ::-1].copy(), ("y", "x"))
    two.values[20:23, 1] = np.nan
    part = aligner()
    found, gone = part.fit({}, {"标准": one, "done": two})
    assert not gone and part.told(found)[0]["quality"] > 0.98
    laid = part.laid("done", two, found)
    assert laid.names == ("y", "x")
    assert np.isnan(laid.values[21, 1])


@pytest.mark.parametrize(
    ("other", "options", "told"),
    [
        (Series(np.arange(5.0), np.ones((5, 1), np.float32), ("z",)), {}, "has the channels 'z', `标准` has 'x', 'y'"),
        (stream(np.linspace(0, 1, 50)), {"longest": 40}, "a stream has 60 readings, and at most 40 (`longest`)"),
        (Series(np.arange(5.0), np.full((5, 2), np.nan, np.float32), ("x", "y")), {}, "A channel has no reading"),
    ],
)
def test_what_cannot_be_warped_is_told(other: Series, options: dict, told: str) -> None:
    part = aligner(**options)
    found, gone = part.fit({}, {"标准": stream(np.linspace(0, 1, 60)), "done": other})
    assert told in gone["done"]
    assert part.laid("done", other, found) is None and part.told(found) == []


def test_a_stream_that_stands_still_agrees_with_nothing() -> None:
    still = Series(np.arange(40.0), np.ones((40, 2), np.float32), ("x", "y"))
    found, gone = aligner().fit({}, {"标准": stream(np.linspace(0, 1, 40)), "done": still})
    assert not gone and found["quality"][0] == 0
    assert aligner().fit({}, {"done": still}) == ({}, {})
