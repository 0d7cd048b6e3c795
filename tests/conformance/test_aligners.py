"""Every alignment, with all of what it reads, with less, and with what cannot be aligned."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sibu.aligners import ALIGNERS
from sibu.media.series import Series
from sibu.store.ragged import RaggedArrays, RaggedWriter

FIELDS = ("first", "第二")
SPECS: dict[str, dict[str, Any]] = {
    "time": {"reference": "first", "others": "第二", "reach": 2.0},
    "space": {"reference": "first", "other": "第二", "landmarks": "marks"},
    "warp": {"reference": "first", "other": "第二"},
}
"""Each room's part with what it cannot do without."""
MARKS = [[x, y, x + 3, y + 1] for x in (2.0, 20.0, 40.0, 55.0) for y in (3.0, 21.0, 30.0)]


def stream(seed: int, *, shift: float = 0.0) -> Series:
    """Ten seconds of something that happens, 50 readings a second."""
    times = np.arange(500) / 50
    waves = np.random.default_rng(seed).uniform(0.3, 6, 12)
    values = np.sin(2 * np.pi * (times[:, None] + shift) * waves).sum(1)
    return Series(times, values.reshape(-1, 1), ("x",), None)


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (40, 60, 3)).astype(np.uint8)


GOOD: dict[str, Callable[[], dict[str, Any]]] = {
    "time": lambda: {"first": stream(1), "第二": stream(1, shift=0.5)},
    "space": lambda: {"first": picture(1), "第二": picture(2)},
    "warp": lambda: {"first": stream(1), "第二": stream(1, shift=0.1)},
}
BAD: dict[str, Callable[[], tuple[dict[str, Any], dict[str, Any]]]] = {
    "time": lambda: ({}, {"first": stream(1), "第二": Series(np.zeros(1), np.zeros((1, 1)), ("x",), None)}),
    "space": lambda: ({"marks": [[0, 0, 0, 0]]}, GOOD["space"]()),
    "warp": lambda: ({}, {"first": stream(1), "第二": Series(np.arange(5.0), np.zeros((5, 2)), ("x", "y"), None)}),
}


def made(name: str, **options: Any) -> Any:
    spec = ALIGNERS.spec({"name": name} | SPECS[name] | options)
    return ALIGNERS.of(spec).build(spec)


def row_of(name: str) -> dict[str, Any]:
    return {"marks": MARKS} if name == "space" else {}


def test_each_is_here() -> None:
    assert set(SPECS) == set(ALIGNERS)


@pytest.mark.parametrize("name", list(SPECS))
def test_what_it_says_of_itself(name: str) -> None:
    part = made(name)
    assert set(part.reads) == set(FIELDS)
    assert set(part.moves) <= set(part.reads)
    assert part.key == made(name).key
    assert part.key == made(name, warn=0.9).key  # what the gate says changes nothing that is found
    assert part.key != made(name, reference="x").key
    assert made(name, warn=0.9).warn == 0.9


@pytest.mark.parametrize("name", list(SPECS))
def test_what_is_found_is_numbers_that_can_be_kept(name: str, tmp_path: Any) -> None:
    part, raw = made(name), GOOD[name]()
    found, gone = part.fit(row_of(name), raw)
    assert not gone
    with RaggedWriter(tmp_path, part.features) as writer:
        writer.append(found)
        writer.append(part.fit({}, {})[0])
    kept = RaggedArrays(tmp_path)
    again = kept.record(0)
    for field in FIELDS:
        before, after = part.laid(field, raw[field], found), part.laid(field, raw[field], again)
        for one, two in zip(*(_arrays(each) for each in (before, after)), strict=True):
            np.testing.assert_array_equal(one, two)
    told = part.told(again)
    assert json.loads(json.dumps(told)) == told == part.told(found)
    assert told
    for each in told:
        assert {"of", "with"} <= set(each)
        assert 0 <= each["quality"] <= 1
    assert part.remarks(again) == []


@pytest.mark.parametrize("name", list(SPECS))
def test_what_it_moves_alone_it_leaves_as_it_is(name: str) -> None:
    part, raw = made(name), GOOD[name]()
    for field in FIELDS:
        if field == part.reads[0] and field in part.moves:
            continue  # a reference alone may be cut to a window
        found, gone = part.fit(row_of(name), {field: raw[field]})
        assert not gone
        assert part.told(found) == []
        for one, two in zip(_arrays(part.laid(field, raw[field], found)), _arrays(raw[field]), strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", list(SPECS))
def test_what_cannot_be_aligned_is_left_out_with_a_reason(name: str) -> None:
    part = made(name)
    row, raw = BAD[name]()
    found, gone = part.fit(row, raw)
    assert list(gone) == ["第二"]
    assert gone["第二"].endswith(".")
    assert part.laid("第二", raw["第二"], found) is None
    assert part.laid("first", raw["first"], found) is not None
    assert part.told(found) == []


def _arrays(value: Any) -> list[np.ndarray]:
    return [value.times, value.values] if isinstance(value, Series) else [value]
