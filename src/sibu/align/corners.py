"""Landmarks of pictures that come without: corners, what they look like, and which of two pictures are the same.

A patch around each corner is compared as it stands, so two pictures can be matched that are shifted at will, turned by
up to some 15 degrees against each other and of sizes that differ by up to a fifth, in another light too. It cannot match
pictures that are turned or scaled by more, blurred or seen from another side, and where the same thing stands several
times it may take one for another, which ``ransac`` has to sort out. A detector with learned landmarks does more.

Sources: Shi & Tomasi, 1994, Good features to track; Brown, Szeliski & Winder, 2005, Multi-image matching using
multi-scale oriented patches (of which the patches are taken, not the scales and turns).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibu.core.errors import DataError

Floats = NDArray[np.floating[Any]]

SHARE = 0.01
"""Of the strongest corner's strength, below which a corner is none."""
SIDE, STEP = 8, 2.5
"""A patch: so many values a side, so many pixels apart."""
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


def landmarks(picture: ArrayLike, *, most: int = 400, apart: int = 3) -> Landmarks:
    """The corners of a picture.

    Args:
        picture: Shape (H, W) or (H, W, C) of 1 to 4 channels: grey, grey and alpha, RGB, RGB and alpha. Any scale.
        most: How many are kept, the strongest.
        apart: Pixels within which there is one only.

    Raises:
        DataError: When the picture is of another shape, not finite, or less than 16 pixels wide or high.
    """
    grey = _grey(picture)
    smooth = _blurred(grey, 1.0)
    strength = _strength(smooth)
    peak = strength >= _highest(strength, apart)
    peak &= strength > SHARE * float(strength.max())
    peak[:BORDER] = peak[-BORDER:] = False
    peak[:, :BORDER] = peak[:, -BORDER:] = False
    rows, columns = np.nonzero(peak)
    order = np.argsort(-strength[rows, columns], kind="stable")[:most]
    rows, columns = rows[order], columns[order]
    points = np.stack([columns + _part(strength, rows, columns, 1), rows + _part(strength, rows, columns, 0)], axis=1)
    patches, kept = _patches(_blurred(grey, 1.5), points)
    return Landmarks(points[kept] + 0.5, patches[kept], strength[rows, columns][kept])


def matched(picture_a: ArrayLike, picture_b: ArrayLike, *, most: int = 400, least: float = 0.8) -> Matches:
    """Landmarks of two pictures, each the other's nearest.

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
    first, second = landmarks(picture_a, most=most), landmarks(picture_b, most=most)
    if not len(first.points) or not len(second.points):
        return Matches(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))
    alike = first.patches @ second.patches.T
    there, back = alike.argmax(axis=1), alike.argmax(axis=0)
    own = np.arange(len(there))
    kept = np.flatnonzero((back[there] == own) & (alike[own, there] >= least))
    return Matches(first.points[kept], second.points[there[kept]], np.minimum(alike[kept, there[kept]], 1.0))


def _grey(picture: ArrayLike) -> Floats:
    held = np.asarray(picture, dtype=np.float64)
    if held.ndim == 2:
        held = held[..., None]
    if held.ndim != 3 or not 1 <= held.shape[2] <= 4:
        raise DataError(f"A picture must be (H, W) or (H, W, C) of 1 to 4 channels, given {np.shape(picture)}.")
    if min(held.shape[:2]) < 16:
        raise DataError(f"A picture for landmarks needs 16 pixels a side or more, given {held.shape[:2]}.")
    if not np.isfinite(held).all():
        raise DataError("The picture holds a number that is not finite.")
    made: Floats = held[..., 0] if held.shape[2] < 3 else held[..., :3] @ np.array([0.299, 0.587, 0.114])
    return made


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


def _strength(smooth: Floats) -> Floats:
    """The lesser eigenvalue of the slopes' products around each pixel."""
    down, right = np.gradient(smooth)
    xx, yy, xy = (_blurred(each, 1.5) for each in (right * right, down * down, right * down))
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


def _patches(smooth: Floats, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Patches around points, of mean 0 and length 1, and which of them show anything at all."""
    grid = (np.arange(SIDE) - (SIDE - 1) / 2) * STEP
    x = np.clip(points[:, :1] + np.tile(grid, SIDE), 0, smooth.shape[1] - 1.001)
    y = np.clip(points[:, 1:] + np.repeat(grid, SIDE), 0, smooth.shape[0] - 1.001)
    left, top = x.astype(int), y.astype(int)
    over, under = x - left, y - top
    upper = smooth[top, left] * (1 - over) + smooth[top, left + 1] * over
    lower = smooth[top + 1, left] * (1 - over) + smooth[top + 1, left + 1] * over
    made = upper * (1 - under) + lower * under
    made -= made.mean(axis=1, keepdims=True)
    length = np.linalg.norm(made, axis=1, keepdims=True)
    kept = length[:, 0] > 1e-9 * max(float(np.abs(smooth).max()), 1e-300)
    return made / np.maximum(length, 1e-300), kept
