"""Two views of the same things: how points of one lie in the other, found from pairs of which many may be wrong.

A matrix of shape (3, 3) takes a point (x, y) of the first picture to (u / w, v / w) of the second, where (u, v, w) is
the matrix times (x, y, 1). An affine map keeps parallels (last row 0, 0, 1); a homography is how a plane, or a turned
camera, sees the same anew. Pixels are counted from the middle of the upper left one, x to the right, y downwards.

Sources: Fischler & Bolles, 1981, Random sample consensus; Hartley, 1997, In defense of the eight-point algorithm;
Torr & Zisserman, 2000, MLESAC (samples are judged by errors cut off at the threshold, not by counting alone).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibu.core.errors import DataError

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Model = Literal["affine", "homography"]

NEEDED: dict[str, int] = {"affine": 3, "homography": 4}
"""Pairs of points that fix a map."""
BATCH = 32
"""Samples that are judged at once."""
FLAT = 1e-4
"""A triangle of less area than this share of its longest side squared counts as a line."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewFit:
    """How the points of one view lie in another."""

    matrix: Floats
    """Shape (3, 3)."""
    inliers: Bools
    """Which pairs agree. Shape (N,)."""
    share: float
    """Share of the pairs that agree, in [0, 1]."""
    residual: float
    """Root mean square distance of these from where the map puts them, in pixels of the second view."""
    rounds: int
    """Samples that were drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class MappedBoxes:
    """Boxes in another view."""

    boxes: Floats
    """Left, upper, right, lower side. Shape (N, 4). NaN of those that are behind."""
    behind: Bools
    """Boxes of which a corner lies on or behind the horizon, so that the other view cannot show them. Shape (N,)."""
    outside: Bools
    """Boxes that are wholly outside the frame, if one was given. Shape (N,)."""


def fit_affine(points_a: ArrayLike, points_b: ArrayLike) -> Floats:
    """The affine map of least squares in the second view. Shape (3, 3).

    Args:
        points_a: Points of the first view, shape (N, 2), at least three that do not lie on a line.
        points_b: The same points in the second view, shape (N, 2).

    Raises:
        DataError: When there are too few, shapes differ, one is not finite, or those of a view lie on a line.
    """
    first, second = _pairs(points_a, points_b, "affine")
    return _affine(first, second)


def fit_homography(points_a: ArrayLike, points_b: ArrayLike) -> Floats:
    """The homography of least squared distance in the second view. Shape (3, 3).

    From the direct linear transform of points that are centred and scaled first, by Levenberg and Marquardt's steps.
    Its sign is such that the third coordinate of the points is positive, and the last number is 1 in size unless it
    is nearly 0.

    Args:
        points_a: Points of the first view, shape (N, 2), at least four in general position.
        points_b: The same points in the second view, shape (N, 2).

    Raises:
        DataError: As of ``fit_affine``; when no homography takes the one to the other.
    """
    first, second = _pairs(points_a, points_b, "homography")
    found = _homography(first, second)
    if found is None:
        raise DataError("No homography takes the points of one view to those of the other: some lie on one line.")
    return found


def ransac(
    points_a: ArrayLike,
    points_b: ArrayLike,
    model: Model = "homography",
    *,
    threshold: float = 3.0,
    seed: int = 0,
    confidence: float = 0.999,
    most_rounds: int = 10_000,
) -> ViewFit:
    """Find a map from pairs of points of which many may be wrong.

    Samples that just fix a map are drawn, those that fix none (three points on a line, a map that turns some corners
    over and others not) are refused, and each map is judged by all pairs. It ends when, by the share that agrees with
    the best, a sample of right pairs alone was drawn with the given confidence. The best is then fitted to all that
    agree with it, until these stay the same.

    Args:
        points_a: Points of the first view, shape (N, 2).
        points_b: What they were matched with in the second, shape (N, 2).
        model: ``affine`` or ``homography``.
        threshold: Pixels of the second view within which a pair agrees.
        seed: Of the samples; the same seed gives the same fit.
        confidence: In (0, 1).
        most_rounds: Samples that are drawn at most.

    Raises:
        DataError: As of ``fit_affine``; when no sample fixes a map.
    """
    if model not in NEEDED or not (threshold > 0 and 0 < confidence < 1 and most_rounds > 0):
        raise DataError(
            "A model is 'affine' or 'homography', a threshold and the rounds are above 0, a confidence is in (0, 1); "
            f"given {model!r}, {threshold}, {most_rounds}, {confidence}."
        )
    first, second = _pairs(points_a, points_b, model)
    best, rounds = _searched(first, second, model, threshold, seed, confidence, most_rounds)
    if best is None:
        raise DataError(
            f"None of {rounds} samples of {NEEDED[model]} pairs fixes a map: the points of a view lie on one line, or "
            "too few pairs are right."
        )
    matrix, inliers = _settled(first, second, model, best, threshold)
    error = _errors(matrix[None], first, second)[0]
    residual = float(np.sqrt(np.mean(error[inliers]))) if inliers.any() else math.nan
    return ViewFit(matrix, inliers, float(inliers.mean()), residual, rounds)


def map_points(points: ArrayLike, matrix: ArrayLike) -> Floats:
    """Points in the other view. Shape (N, 2); NaN of a point that lies on or behind its horizon."""
    given = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    whole = given @ np.asarray(matrix, dtype=np.float64)[:, :2].T + np.asarray(matrix, dtype=np.float64)[:, 2]
    ahead = whole[:, 2:] > 1e-12 * np.abs(whole).max(axis=1, keepdims=True)
    made: Floats = np.divide(whole[:, :2], whole[:, 2:], out=np.full((len(given), 2), np.nan), where=ahead)
    return made


def map_boxes(boxes: ArrayLike, matrix: ArrayLike, *, frame: tuple[float, float] | None = None) -> MappedBoxes:
    """The smallest upright boxes around the corners of boxes in the other view.

    Args:
        boxes: Left, upper, right, lower side, shape (N, 4).
        matrix: Shape (3, 3).
        frame: Width and height of the other view, to which the boxes are cut; None: they are not cut.

    Raises:
        DataError: When a box is not four finite numbers, or its right or lower side lies before the other.
    """
    given = np.asarray(boxes, dtype=np.float64)
    given = given.reshape(0, 4) if not given.size else given
    if given.ndim != 2 or given.shape[1] != 4 or not np.isfinite(given).all():
        raise DataError(f"Boxes must be finite numbers of shape (N, 4), given {given.shape}.")
    wrong = np.flatnonzero((given[:, 2:] < given[:, :2]).any(axis=1))
    if len(wrong):
        raise DataError(
            f"Box {wrong[0]} is {given[wrong[0]].tolist()}: its right and lower sides must not lie before its left and "
            "upper ones."
        )
    corners = map_points(given[:, [[0, 1], [2, 1], [2, 3], [0, 3]]], matrix).reshape(-1, 4, 2)
    made = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    behind = np.isnan(made).any(axis=1)
    made[behind] = np.nan
    outside: Bools = np.zeros(len(made), bool)
    if frame is not None:
        size = np.array([*frame, *frame], dtype=np.float64)
        outside = np.asarray(((made[:, 2:] <= 0) | (made[:, :2] >= size[:2])).any(axis=1))
        made = np.clip(made, 0, size)
    return MappedBoxes(made, behind, outside)


def _pairs(points_a: ArrayLike, points_b: ArrayLike, model: Model) -> tuple[Floats, Floats]:
    first, second = np.asarray(points_a, dtype=np.float64), np.asarray(points_b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 2 or first.shape[1] != 2:
        raise DataError(f"Points of both views must be (N, 2), pair by pair, given {first.shape} and {second.shape}.")
    if len(first) < NEEDED[model]:
        raise DataError(f"A map ({model}) needs at least {NEEDED[model]} pairs of points, given {len(first)}.")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise DataError("A point is not finite; leave out the pairs that were not found.")
    for name, points in (("first", first), ("second", second)):
        spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if spread[1] <= 1e-9 * spread[0] or spread[0] == 0:
            raise DataError(f"All points of the {name} view lie on one line; a map needs some beside it.")
    return first, second


def _scaling(points: Floats) -> Floats:
    """Brings the points' middle to 0 and their distance from it to √2. Shape (..., 3, 3)."""
    middle = points.mean(axis=-2)
    away = np.linalg.norm(points - middle[..., None, :], axis=-1).mean(axis=-1)
    scale = math.sqrt(2) / np.maximum(away, 1e-300)
    made: Floats = np.zeros((*points.shape[:-2], 3, 3))
    made[..., 0, 0] = made[..., 1, 1] = scale
    made[..., :2, 2] = -scale[..., None] * middle
    made[..., 2, 2] = 1.0
    return made


def _moved(points: Floats, matrix: Floats) -> Floats:
    """Points by an affine matrix; any leading shape."""
    made: Floats = points @ np.swapaxes(matrix[..., :2, :2], -1, -2) + matrix[..., None, :2, 2]
    return made


def _affine(first: Floats, second: Floats) -> Floats:
    ends = _scaling(first)
    whole = np.concatenate([_moved(first, ends), np.ones((len(first), 1))], axis=1)
    solved = np.linalg.lstsq(whole, second, rcond=None)[0].T
    made: Floats = np.vstack([solved @ ends, [0.0, 0.0, 1.0]])
    return made


def _linear(first: Floats, second: Floats) -> Floats:
    """The direct linear transform of points (..., N, 2). Shape (..., 3, 3)."""
    ends_a, ends_b = _scaling(first), _scaling(second)
    one, two = _moved(first, ends_a), _moved(second, ends_b)
    whole = np.concatenate([one, np.ones((*one.shape[:-1], 1))], axis=-1)
    nothing = np.zeros_like(whole)
    rows = np.concatenate(
        [
            np.concatenate([whole, nothing, -two[..., :1] * whole], axis=-1),
            np.concatenate([nothing, whole, -two[..., 1:] * whole], axis=-1),
        ],
        axis=-2,
    )
    last = np.linalg.svd(rows, full_matrices=True)[2] if first.shape[-2] == 4 else _right_vectors(rows)
    made: Floats = np.linalg.inv(ends_b) @ last[..., -1, :].reshape(*first.shape[:-2], 3, 3) @ ends_a
    return made


def _right_vectors(rows: Floats) -> Floats:
    found: Floats = np.linalg.svd(rows, full_matrices=False)[2]
    return found


def _signed(matrix: Floats, first: Floats) -> Floats | None:
    """Of the right sign and scale; None where the points lie on both sides of the horizon."""
    depths = first @ matrix[2, :2] + matrix[2, 2]
    if not (np.isfinite(matrix).all() and ((depths > 0).all() or (depths < 0).all())):
        return None
    size = float(np.linalg.norm(matrix))
    last = abs(float(matrix[2, 2]))
    scale = last if last > 1e-8 * size else size
    made: Floats = matrix * (np.sign(depths[0]) / scale)
    return made


def _homography(first: Floats, second: Floats) -> Floats | None:
    linear = _linear(first, second)
    if _singular(linear, first, second):
        return None
    start = _signed(linear, first)
    if start is None:
        # linear errors may put points behind the horizon that are not; an affine map never does
        start = _affine(first, second)
    made = _refined(first, second, start)
    return None if _singular(made, first, second) else _signed(made, first)


def _singular(matrix: Floats, first: Floats, second: Floats) -> bool:
    """Whether a map takes the whole view to a line."""
    sizes = np.linalg.svd(_scaling(second) @ matrix @ np.linalg.inv(_scaling(first)), compute_uv=False)
    return bool(sizes[2] <= 1e-7 * sizes[0])


def _refined(first: Floats, second: Floats, matrix: Floats) -> Floats:
    """Levenberg and Marquardt's steps on the distance in the second view, over points that are centred and scaled."""
    ends_a, ends_b = _scaling(first), _scaling(second)
    one, two = _moved(first, ends_a), _moved(second, ends_b)
    held = ends_b @ matrix @ np.linalg.inv(ends_a)
    held = held / np.linalg.norm(held)
    damping, (error, slopes) = 1e-3, _slopes(held, one, two)
    for _ in range(50):
        square, pull = slopes.T @ slopes, slopes.T @ error
        # the scale of the matrix does not matter: the ninth direction is held
        step = np.linalg.solve(square + damping * np.diag(np.diag(square) + 1e-12) + np.outer(held, held), -pull)
        tried = held + step.reshape(3, 3)
        tried = tried / np.linalg.norm(tried)
        new_error, new_slopes = _slopes(tried, one, two)
        if new_error @ new_error < error @ error:
            gained = 1 - (new_error @ new_error) / max(float(error @ error), 1e-300)
            held, error, slopes, damping = tried, new_error, new_slopes, max(damping / 10, 1e-12)
            if gained < 1e-12:
                break
        else:
            damping *= 10
            if damping > 1e8:
                break
    made: Floats = np.linalg.inv(ends_b) @ held @ ends_a
    return made


def _slopes(matrix: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Errors by coordinate, (2 N,), and their slopes, (2 N, 9); infinite where a point goes behind the horizon."""
    whole = np.concatenate([first, np.ones((len(first), 1))], axis=1)
    u, v, w = (whole @ matrix.T).T
    if not ((w > 0).all() or (w < 0).all()):
        return np.full(2 * len(first), np.inf), np.zeros((2 * len(first), 9))
    x, y = u / w, v / w
    over, nothing = whole / w[:, None], np.zeros_like(whole)
    slopes = np.concatenate(
        [
            np.concatenate([over, nothing, -x[:, None] * over], axis=1),
            np.concatenate([nothing, over, -y[:, None] * over], axis=1),
        ]
    )
    return np.concatenate([x - second[:, 0], y - second[:, 1]]), slopes


def _searched(
    first: Floats, second: Floats, model: Model, threshold: float, seed: int, confidence: float, most: int
) -> tuple[Floats | None, int]:
    """The best map of the samples, and how many were drawn."""
    draw = np.random.default_rng(seed)
    best: Floats | None = None
    best_cost, wanted, rounds = math.inf, float(most), 0
    while rounds < min(wanted, most):
        samples = _drawn(draw, len(first), NEEDED[model], min(BATCH, most - rounds))
        rounds += len(samples)
        samples = samples[_fixing(first[samples], second[samples])]
        if not len(samples):
            continue
        maps = _of_samples(first[samples], second[samples], model)
        errors = np.minimum(_errors(maps, first, second), threshold**2)
        costs = errors.sum(axis=1)
        at = int(costs.argmin())
        if costs[at] < best_cost:
            best, best_cost = maps[at], float(costs[at])
            agree = float(np.mean(errors[at] < threshold**2))
            wanted = _wanted(agree, NEEDED[model], confidence)
    return best, rounds


def _drawn(draw: np.random.Generator, count: int, needed: int, samples: int) -> NDArray[np.intp]:
    """Places without repetition. Shape (samples, needed)."""
    found = draw.integers(0, count - np.arange(needed), size=(samples, needed))
    for place in range(1, needed):
        # the k-th number counts the places that are not taken yet
        for taken in np.sort(found[:, :place], axis=1).T:
            found[:, place] += found[:, place] >= taken
    made: NDArray[np.intp] = found.astype(np.intp)
    return made


def _wanted(agree: float, needed: int, confidence: float) -> float:
    """Samples until one of right pairs alone is drawn."""
    chance = agree**needed
    if chance <= 0:
        return math.inf
    return 1.0 if chance >= 1 else math.ceil(math.log(1 - confidence) / math.log1p(-chance))


_TRIPLES = ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3))


def _fixing(first: Floats, second: Floats) -> Bools:
    """Samples in which no three points lie on a line, and all triangles are turned over or none. Shape (S,)."""
    good = np.ones(len(first), bool)
    turns = []
    for triple in _TRIPLES[: 1 if first.shape[1] == 3 else 4]:
        areas = []
        for points in (first, second):
            a, b, c = (points[:, place] for place in triple)
            sides = np.stack([b - a, c - a, c - b])
            area = sides[0, :, 0] * sides[1, :, 1] - sides[0, :, 1] * sides[1, :, 0]
            longest = (sides**2).sum(axis=2).max(axis=0)
            good &= np.abs(area) > FLAT * longest
            areas.append(area > 0)
        turns.append(areas[0] == areas[1])
    alike = np.stack(turns)
    return good & (alike.all(axis=0) | ~alike.any(axis=0))


def _of_samples(first: Floats, second: Floats, model: Model) -> Floats:
    """The maps that samples fix. Shape (S, 3, 3)."""
    if model == "homography":
        made = _linear(first, second)
        depth = (first @ made[:, 2, :2, None])[:, 0, 0] + made[:, 2, 2]
        return made * np.where(depth < 0, -1.0, 1.0)[:, None, None]
    whole = np.concatenate([first, np.ones((*first.shape[:2], 1))], axis=2)
    made = np.zeros((len(first), 3, 3))
    made[:, :2] = np.swapaxes(np.linalg.solve(whole, second), 1, 2)
    made[:, 2, 2] = 1.0
    return made


def _errors(maps: Floats, first: Floats, second: Floats) -> Floats:
    """Squared distance of each pair by each map, infinite behind the horizon. Shape (S, N)."""
    whole = np.concatenate([first, np.ones((len(first), 1))], axis=1)
    placed = maps @ whole.T
    depth = placed[:, 2]
    ahead = depth > 0
    safe = np.where(ahead, depth, 1.0)
    away = (placed[:, 0] / safe - second[:, 0]) ** 2 + (placed[:, 1] / safe - second[:, 1]) ** 2
    return np.where(ahead, away, np.inf)


def _settled(first: Floats, second: Floats, model: Model, matrix: Floats, threshold: float) -> tuple[Floats, Bools]:
    """Fitted to what agrees, again and again, until that stays the same."""
    fit: Callable[[Floats, Floats], Floats | None] = _affine if model == "affine" else _homography
    start = _signed(matrix, first[_errors(matrix[None], first, second)[0] <= threshold**2])
    matrix = matrix if start is None else start
    inliers = _errors(matrix[None], first, second)[0] <= threshold**2
    for _ in range(20):
        if inliers.sum() < NEEDED[model]:
            break
        tried = fit(first[inliers], second[inliers])
        if tried is None:
            break
        agree = _errors(tried[None], first, second)[0] <= threshold**2
        if agree.sum() < inliers.sum():
            break
        same, matrix, inliers = bool((agree == inliers).all()), tried, agree
        if same:
            break
    return matrix, inliers
