"""A picture is laid on another by landmarks of the row, or by corners of both."""

from typing import Any

import numpy as np
import pytest

from sibu.align import laid, map_boxes
from sibu.aligners import ALIGNERS
from sibu.core.errors import RecipeError

SHIFT = np.array([[1.0, 0.03, 9.0], [-0.02, 1.0, -6.0], [0.0, 0.0, 1.0]])
"""Where a point of the reference lies in the other picture."""


def aligner(**options: Any) -> Any:
    spec = ALIGNERS.spec({"name": "space", "reference": "近", "other": "far", "model": "affine"} | options)
    return ALIGNERS.of(spec).build(spec)


def scene(size: tuple[int, int] = (160, 200)) -> np.ndarray:
    """Rectangles of all colours."""
    draw = np.random.default_rng(2)
    picture = np.full((*size, 3), 120, np.uint8)
    for _ in range(60):
        top, left = draw.integers(0, size[0] - 8), draw.integers(0, size[1] - 8)
        height, width = draw.integers(6, 40, 2)
        picture[top : top + height, left : left + width] = draw.integers(0, 255, 3)
    return picture


def seen(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The picture as another camera has it: its pixel at ``matrix @ p`` shows what the first shows at p."""
    back = np.linalg.inv(matrix)
    return laid(picture, back, (picture.shape[1], picture.shape[0])).round().astype(np.uint8)


@pytest.fixture(scope="module")
def pair() -> dict[str, np.ndarray]:
    first = scene()
    return {"近": first, "far": seen(first, SHIFT)}


def test_corners_of_both_pictures_do(pair: dict[str, np.ndarray]) -> None:
    part = aligner()
    found, gone = part.fit({}, pair)
    (told,) = part.told(found)
    assert not gone and told["quality"] > 0.6 and told["residual_pixels"] < 1.5
    same = part.laid("far", pair["far"], found)
    assert same.shape == pair["近"].shape
    inner = np.s_[20:-20, 20:-20]
    assert np.abs(same[inner].astype(int) - pair["近"][inner]).mean() < 12
    assert np.abs(pair["far"][inner].astype(int) - pair["近"][inner]).mean() > 30
    assert part.laid("近", pair["近"], found) is pair["近"]


def test_landmarks_of_the_row_of_which_a_third_is_wrong(pair: dict[str, np.ndarray]) -> None:
    draw = np.random.default_rng(0)
    points = draw.uniform([0, 0], [200, 160], (24, 2))
    there = points @ SHIFT[:2, :2].T + SHIFT[:2, 2]
    there[::3] += draw.uniform(20, 60, (8, 2))
    part = aligner(landmarks="marks", boxes="boxes")
    row = {
        "marks": np.hstack([points, there]).tolist(),
        "boxes": [[50.0, 40.0, 90.0, 80.0], [-90.0, -90.0, -60.0, -60.0]],
    }
    found, gone = part.fit(row, pair)
    (told,) = part.told(found)
    assert not gone
    assert told["quality"] == pytest.approx(16 / 24, abs=1e-4)
    assert np.asarray(found["matrix"]).reshape(3, 3) == pytest.approx(SHIFT, abs=1e-6)
    wanted = map_boxes(row["boxes"][:1], np.linalg.inv(SHIFT), frame=(200, 160)).boxes[0]
    assert told["boxes"][0] == pytest.approx(wanted.tolist(), abs=0.01)
    assert told["boxes"][1] is None  # outside of what the reference shows


def test_large_pictures_are_compared_small_and_laid_whole() -> None:
    first = np.kron(scene(), np.ones((5, 5, 1), np.uint8))
    far = np.diag([5.0, 5.0, 1.0]) @ SHIFT @ np.diag([0.2, 0.2, 1.0])
    part = aligner(threshold=2.0)
    found, gone = part.fit({}, {"近": first, "far": seen(first, far)})
    assert not gone
    corners = np.array([[100, 100, 1], [900, 100, 1], [900, 700, 1], [100, 700, 1.0]]).T
    off = np.asarray(found["matrix"]).reshape(3, 3) @ corners - far @ corners
    assert np.abs(off[:2]).max() < 8
    assert part.laid("far", first, found).shape == first.shape


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"marks": [[1.0, 2.0, 3.0]]}, "`marks` has rows of 3 numbers; a pair of landmarks is x, y, x2, y2"),
        ({"marks": [[1.0, 1.0, 2.0, 2.0]]}, "pairs"),
        ({}, "cannot be registered"),
    ],
)
def test_what_cannot_be_laid_is_told(row: dict, told: str, pair: dict[str, np.ndarray]) -> None:
    part = aligner(landmarks="marks")
    other = np.random.default_rng(5).integers(0, 255, (160, 200, 3)).astype(np.uint8)
    found, gone = part.fit(row, {"近": pair["近"], "far": other})
    assert told in gone["far"]
    assert part.laid("far", other, found) is None
    assert part.told(found) == []


def test_a_picture_alone_stays_as_it_is(pair: dict[str, np.ndarray]) -> None:
    part = aligner()
    found, gone = part.fit({}, {"far": pair["far"]})
    assert not gone and part.laid("far", pair["far"], found) is pair["far"]
    with pytest.raises(RecipeError, match="names a picture twice"):
        aligner(other="近")
