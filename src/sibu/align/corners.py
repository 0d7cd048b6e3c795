"""Landmarks of pictures that come without: corners, what they look like, and which of two pictures are the same.

A patch around each corner is compared as it stands, so ``matched`` finds pairs in pictures that are shifted at will,
turned by some 10 degrees against each other and of sizes that differ by a tenth, in another light too. ``registered``
tries turns and sizes, lays the second picture on the first by the best, and matches again, which does up to some 40
degrees and 0.7 to 1.4 times the size. Neither is for pictures that are turned over, of scenes with depth, or seen by
another sort of camera; and where the same thing stands several times it may be taken for another. A detector with
learned landmarks does more.

Sources: Shi & Tomasi, 1994, Good features to track; Brown, Szeliski & Winder, 2005, Multi-image matching using
multi-scale oriented patches (of which the patches are taken, not the scales and turns).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibu.align.views import NEEDED, Model, ViewFit, map_points, ransac
from sibu.core.errors import DataError

Floats = NDArray[np.floating[Any]]

MOST, APART = 400, 3
"""Landmarks of a picture, and pixels within which there is one only, unless asked otherwise."""
SHARE = 0.003
"""Of the strongest corner's strength, below which a corner is none."""
SIDE, STEP = 8, 2.5
"""A patch: so many values a side, so many pixels apart."""
LEAST = 0.8
"""Correlation of patches below which landmarks are not alike."""
LEAST_PAIRS, ENOUGH = 6, 12
"""Pairs below which a start is none, and agreeing pairs with which it is gone on with at once."""
NEAR = 8.0
"""Pixels within which a landmark is sought once a map is there."""
BORDER = 4
"""Pixels along the picture's sides in which no corner is sought."""


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Places of a picture that can be found again, the strongest first."""

    points: Floats
    """x and y of each; the middle of the first pixel is (0.5, 0.5). Shape (K, 2)."""
    patches: Floats
    """What each looks like, of mean 0 and length 1. Shape (K, P)."""
    strength: Floats
    """How much of a corner each is: the lesser eigenvalue of its slopes' products. Shape (K,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Landmarks of two pictures that look alike."""

    points_a: Floats
    """In the first. Shape (K, 2)."""
    points_b: Floats
    """In the second. Shape (K, 2)."""
    likeness: Floats
    """Correlation of their patches, in [-1, 1]. Shape (K,)."""


def landmarks(picture: ArrayLike, *, most: int = MOST, apart: int = APART) -> Landmarks:
    """The corners of a picture.

    Args:
        picture: Shape (H, W) or (H, W, C) of 1 to 4 channels: grey, grey and alpha, RGB, RGB and alpha (which
            is passed over). Any scale.
        most: How many are kept, the strongest.
        apart: Pixels within which there is one only.

    Raises:
        DataError: When the picture is of another shape, not finite, or less than 16 pixels wide or high.
    """
    return _found(_channels(picture), most, apart)


def _found(channels: Sequence[Floats], most: int = MOST, apart: int = APART) -> Landmarks:
    strength = _strength([_blurred(each, 1.0) for each in channels])
    peak = strength >= _highest(strength, apart)
    peak &= strength > SHARE * float(strength.max())
    peak[:BORDER] = peak[-BORDER:] = False
    peak[:, :BORDER] = peak[:, -BORDER:] = False
    rows, columns = np.nonzero(peak)
    order = np.argsort(-strength[rows, columns], kind="stable")[:most]
    rows, columns = rows[order], columns[order]
    points = np.stack([columns + _part(strength, rows, columns, 1), rows + _part(strength, rows, columns, 0)], axis=1)
    patches, kept = _patches([_blurred(each, 1.5) for each in channels], points)
    return Landmarks(points[kept] + 0.5, patches[kept], strength[rows, columns][kept])


def matched(picture_a: ArrayLike, picture_b: ArrayLike, *, most: int = MOST, least: float = LEAST) -> Matches:
    """Landmarks of two pictures, each the other's nearest; by colours where both have them.

    Args:
        picture_a: As of ``landmarks``.
        picture_b: As of ``landmarks``.
        most: Landmarks that are sought in each.
        least: Correlation of patches below which landmarks are not alike.

    Returns:
        The pairs, in the order of the first picture's landmarks; none where nothing is alike.

    Raises:
        DataError: As of ``landmarks``.
    """
    first, second = _together(picture_a, picture_b)
    return _alike(_found(first, most), _found(second, most), least)


def _alike(first: Landmarks, second: Landmarks, least: float, near: float = math.inf) -> Matches:
    """Each the other's nearest in what they look like, among those within some pixels of each other."""
    if not len(first.points) or not len(second.points):
        return Matches(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))
    alike = first.patches @ second.patches.T
    if near < math.inf:
        away = np.linalg.norm(first.points[:, None] - second.points[None], axis=2)
        alike = np.where(away <= near, alike, -1.0)
    there, back = alike.argmax(axis=1), alike.argmax(axis=0)
    own = np.arange(len(there))
    kept = np.flatnonzero((back[there] == own) & (alike[own, there] >= least))
    return Matches(first.points[kept], second.points[there[kept]], np.minimum(alike[kept, there[kept]], 1.0))


def registered(
    picture_a: ArrayLike,
    picture_b: ArrayLike,
    model: Model = "homography",
    *,
    threshold: float = 3.0,
    seed: int = 0,
) -> ViewFit:
    """Find how a picture lies in another that has no landmarks given.

    The second is matched as it is, and where that does not do, turned and scaled: the start by which most pairs agree
    is gone on with. From there the second picture is laid on the first by what was found and matched anew, twice.

    Args:
        picture_a: As of ``landmarks``.
        picture_b: As of ``landmarks``.
        model: ``affine`` or ``homography``; by few landmarks the former is the surer one.
        threshold: Pixels within which a pair agrees.
        seed: Of the samples that are drawn.

    Returns:
        The map and, of the last matching, which pairs agree.

    Raises:
        DataError: As of ``landmarks``; when fewer pairs agree than three times as many as fix a map.
    """
    first, second = _together(picture_a, picture_b)
    marks, shape = _found(first), first[0].shape
    best: ViewFit | None = None
    for start in _starts(shape, second[0].shape):
        tried = _step(marks, shape, second, start, "affine", threshold, seed)
        if tried is not None and (best is None or tried.inliers.sum() > best.inliers.sum()):
            best = tried
        if best is not None and best.inliers.sum() >= ENOUGH and best.share >= 0.5:
            break
    kinds: tuple[Model, ...] = ("affine", model)
    for kind in kinds:
        again = None if best is None else _step(marks, shape, second, best.matrix, kind, threshold, seed, NEAR)
        best = best if again is None else again
    found = 0 if best is None else int(best.inliers.sum())
    if best is None or found < 3 * NEEDED[model]:
        raise DataError(
            f"The pictures cannot be registered: {found} of {len(marks.points)} landmarks of the first are found in "
            f"the second, and a map ({model}) asks for {3 * NEEDED[model]}. Give landmarks, pictures that show more of "
            "the same, or ask for a simpler map (affine)."
        )
    return best


def _starts(shape_a: tuple[int, ...], shape_b: tuple[int, ...]) -> Iterator[Floats]:
    """Maps to begin with, about the pictures' middles: as they stand, then turned and scaled by ever more."""
    tries = [(turn, scale) for scale in (1.0, 0.8, 1.25) for turn in (0, -20, 20, -40, 40)]
    for turn, scale in sorted(tries, key=lambda each: abs(each[0]) + 100 * abs(math.log(each[1]))):
        angle = math.radians(turn)
        linear = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        matrix = np.eye(3)
        matrix[:2, :2] = linear
        middle_a, middle_b = (np.array([shape[1], shape[0]]) / 2 for shape in (shape_a, shape_b))
        matrix[:2, 2] = middle_b - linear @ middle_a
        yield matrix


def _step(
    marks: Landmarks,
    shape: tuple[int, ...],
    second: Sequence[Floats],
    start: Floats,
    model: Model,
    threshold: float,
    seed: int,
    near: float = math.inf,
) -> ViewFit | None:
    """The second picture laid on the first by a map, matched there, and the map that this tells."""
    others = _found([laid(each, start, (shape[1], shape[0])) for each in second])
    pairs = _alike(marks, others, LEAST, near)
    there = map_points(pairs.points_b, start)
    good = np.isfinite(there).all(axis=1)
    if good.sum() < LEAST_PAIRS:
        return None
    try:
        return ransac(pairs.points_a[good], there[good], model, threshold=threshold, seed=seed)
    except DataError:  # all on one line, say
        return None


def laid(picture: ArrayLike, matrix: ArrayLike, size: tuple[int, int]) -> Floats:
    """A picture of the second view as the first shows it, between pixels linearly, its sides held on beyond the edge.

    Args:
        picture: Shape (H, W) or (H, W, C).
        matrix: Takes points of the first view to the second, shape (3, 3).
        size: Width and height of what is made.

    Returns:
        Shape (height, width) or (height, width, C).
    """
    held = np.asarray(picture, dtype=np.float64)
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    places = np.nan_to_num(map_points(np.stack([x.ravel(), y.ravel()], axis=1), matrix), nan=0.0) - 0.5
    made: Floats = _at(held, places[:, 0], places[:, 1])
    return made.reshape(size[1], size[0], *held.shape[2:])


def _at(picture: Floats, x: Floats, y: Floats) -> Floats:
    """Values between pixels. Shape of the places, then (C,)."""
    x = np.clip(x, 0, picture.shape[1] - 1.001)
    y = np.clip(y, 0, picture.shape[0] - 1.001)
    left, top = x.astype(int), y.astype(int)
    more = (1,) * (picture.ndim - 2)
    over, under = (x - left).reshape(*x.shape, *more), (y - top).reshape(*y.shape, *more)
    upper = picture[top, left] * (1 - over) + picture[top, left + 1] * over
    lower = picture[top + 1, left] * (1 - over) + picture[top + 1, left + 1] * over
    made: Floats = upper * (1 - under) + lower * under
    return made


def _channels(picture: ArrayLike, *, grey: bool = False) -> list[Floats]:
    """One channel of a grey picture, three of one in colours, without alpha."""
    held = np.asarray(picture, dtype=np.float64)
    if held.ndim == 2:
        held = held[..., None]
    if held.ndim != 3 or not 1 <= held.shape[2] <= 4:
        raise DataError(f"A picture must be (H, W) or (H, W, C) of 1 to 4 channels, given {np.shape(picture)}.")
    if min(held.shape[:2]) < 16:
        raise DataError(f"A picture for landmarks needs 16 pixels a side or more, given {held.shape[:2]}.")
    if not np.isfinite(held).all():
        raise DataError("The picture holds a number that is not finite.")
    if held.shape[2] < 3:
        return [held[..., 0]]
    return [held[..., :3] @ np.array([0.299, 0.587, 0.114])] if grey else list(np.moveaxis(held[..., :3], 2, 0))


def _together(picture_a: ArrayLike, picture_b: ArrayLike) -> tuple[list[Floats], list[Floats]]:
    """Both by their colours, or both in grey where one has none."""
    first, second = _channels(picture_a), _channels(picture_b)
    if len(first) == len(second):
        return first, second
    return _channels(picture_a, grey=True), _channels(picture_b, grey=True)


def _blurred(values: Floats, sigma: float) -> Floats:
    """Smoothed by a Gaussian, its sides held on beyond the edge."""
    half = round(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        wide = [(0, 0), (0, 0)]
        wide[axis] = (half, half)
        padded, size = np.pad(values, wide, mode="edge"), values.shape[axis]
        parts = (weight * padded.take(range(at, at + size), axis) for at, weight in enumerate(weights))
        values = np.sum(list(parts), axis=0)
    return values


def _strength(smooth: Sequence[Floats]) -> Floats:
    """The lesser eigenvalue of the slopes' products around each pixel, summed over channels."""
    slopes = [np.gradient(each) for each in smooth]
    xx, yy, xy = (
        _blurred(np.sum([each[a] * each[b] for each in slopes], axis=0), 1.5) for a, b in ((1, 1), (0, 0), (1, 0))
    )
    made: Floats = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return made


def _highest(values: Floats, reach: int) -> Floats:
    """The highest value within some pixels."""
    for axis in (0, 1):
        wide = [(0, 0), (0, 0)]
        wide[axis] = (reach, reach)
        padded, size = np.pad(values, wide, mode="edge"), values.shape[axis]
        values = np.max([padded.take(range(at, at + size), axis) for at in range(2 * reach + 1)], axis=0)
    return values


def _part(values: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp], axis: int) -> Floats:
    """Where between pixels a peak is, by a parabola along an axis."""
    down, right = (1, 0) if axis == 0 else (0, 1)
    before, after = values[rows - down, columns - right], values[rows + down, columns + right]
    bend = before - 2 * values[rows, columns] + after
    made: Floats = np.divide(0.5 * (before - after), bend, out=np.zeros_like(bend), where=bend < 0)
    return np.clip(made, -0.5, 0.5)


def _patches(smooth: Sequence[Floats], points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Patches around points, of mean 0 in each channel and length 1, and which of them show anything at all."""
    grid = (np.arange(SIDE) - (SIDE - 1) / 2) * STEP
    x, y = points[:, :1] + np.tile(grid, SIDE), points[:, 1:] + np.repeat(grid, SIDE)
    parts = [_at(each, x, y) for each in smooth]
    made = np.concatenate([each - each.mean(axis=1, keepdims=True) for each in parts], axis=1)
    length = np.linalg.norm(made, axis=1, keepdims=True)
    kept = length[:, 0] > 1e-9 * max(*(float(np.abs(each).max()) for each in smooth), 1e-300)
    return made / np.maximum(length, 1e-300), kept
