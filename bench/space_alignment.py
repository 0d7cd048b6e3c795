"""Two views of the same points and pictures: the map between them found, whatever share of the pairs is wrong.

    python bench/space_alignment.py DATA [--cases 150] [--pictures 100] [--results DIR]

Points: 100 pairs by a random homography of a frame of 640 x 480 (turned by up to 45 degrees, 0.6 to 1.4 times the size,
with a perspective that changes depth by up to 40 % from the middle to a corner), right ones with noise of 0.75 pixels
(standard deviation of each coordinate), wrong ones anywhere in the picture: 0, 20, 40 and 60 %. Told are: the share of
right pairs found among those that lie within the threshold of the true map, the share of wrong ones among those found,
and the error of the found map against the true one over the right points (their mean, and the frame's greatest).

Pictures: NLVR (CC-BY 4.0; ``DATA/mm_nlvr_en``), each turned, scaled and tilted by a known homography into a larger
frame, made lighter or darker and given noise; landmarks are found and matched in both, once (``matched`` and
``ransac``) or again and again (``registered``), and the map's error is told over the picture. How corners are found and
matched was chosen on pictures of ``dev``; ``test`` is reported. One JSON:
``space-alignment.json``.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import measure
import numpy as np
from PIL import Image
from scipy.ndimage import map_coordinates

from sibu.align import ViewFit, map_points, matched, ransac, registered
from sibu.core.errors import DataError

FRAME = (640, 480)
OUTLIERS = (0.0, 0.2, 0.4, 0.6)
NOISE, THRESHOLD = 0.75, 3.0
FRAME_OF_PICTURES = (480, 200)
TURNS = {"turned by up to 5 degrees, 0.95 to 1.05 the size": (5.0, 0.05),
         "turned by up to 15 degrees, 0.85 to 1.15 the size": (15.0, 0.15),
         "turned by up to 30 degrees, 0.7 to 1.3 the size": (30.0, 0.3)}  # fmt: skip


def drawn(draw: np.random.Generator, size: tuple[int, int], turn: float, scale: float, tilt: float) -> np.ndarray:
    """A homography that turns about the frame's middle; ``tilt`` is how much depth changes to its corners."""
    width, height = size
    angle, factor = np.deg2rad(draw.uniform(-turn, turn)), draw.uniform(1 - scale, 1 + scale)
    lean = draw.uniform(-tilt / 2, tilt / 2, 2) / np.array([width / 2, height / 2])
    shift = draw.uniform(-0.05, 0.05, 2) * size
    first = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
    turned = factor * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.vstack([np.hstack([turned, np.zeros((2, 1))]), [*lean, 1.0]])
    last = np.array([[1, 0, width / 2 + shift[0]], [0, 1, height / 2 + shift[1]], [0, 0, 1.0]])
    found: np.ndarray = last @ middle @ first
    return found


def of_frame(size: tuple[int, int]) -> np.ndarray:
    """Points all over a frame. Shape (N, 2)."""
    x, y = np.meshgrid(np.linspace(0, size[0], 9), np.linspace(0, size[1], 7))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def points(seed: list[int], outliers: float, pairs: int = 100) -> dict[str, float]:
    """One case of points."""
    draw = np.random.default_rng(seed)
    true = drawn(draw, FRAME, 45, 0.4, 0.4)
    first = draw.uniform(0, FRAME, (pairs, 2))
    exact = map_points(first, true)
    second = exact + draw.normal(0, NOISE, exact.shape)
    wrong = np.zeros(pairs, bool)
    wrong[draw.permutation(pairs)[: round(outliers * pairs)]] = True
    low, high = exact.min(axis=0), exact.max(axis=0)
    second[wrong] = draw.uniform(low, high, (int(wrong.sum()), 2))
    agree = np.linalg.norm(second - exact, axis=1) <= THRESHOLD
    began = time.perf_counter()
    fit = ransac(first, second, "homography", threshold=THRESHOLD, seed=seed[-1])
    seconds = time.perf_counter() - began
    over = np.linalg.norm(map_points(of_frame(FRAME), fit.matrix) - map_points(of_frame(FRAME), true), axis=1)
    found_right = fit.inliers & ~wrong
    return {
        "found": float(found_right.sum() / (agree & ~wrong).sum()),
        "wrong": float((fit.inliers & ~agree & wrong).sum() / max(int(fit.inliers.sum()), 1)),
        "error": float(np.mean(np.linalg.norm(map_points(first, fit.matrix) - exact, axis=1)[~wrong])),
        "frame_error": float(over.max()),
        "residual": fit.residual,
        "share": fit.share,
        "rounds": float(fit.rounds),
        "seconds": seconds,
    }


def seen(draw: np.random.Generator, picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A picture as the other view shows it: in another light, with noise."""
    width, height = FRAME_OF_PICTURES
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    places = map_points(np.stack([x.ravel(), y.ravel()], axis=1), np.linalg.inv(matrix)) - 0.5
    places = np.nan_to_num(places, nan=-1e6)
    layers = [
        map_coordinates(layer, places.T[::-1], order=1, mode="constant", cval=255.0)
        for layer in np.moveaxis(picture, 2, 0)
    ]
    shown = np.stack(layers, axis=1).reshape(height, width, -1)
    shown = draw.uniform(0.7, 1.1) * shown + draw.uniform(-20, 20) + draw.normal(0, 5, shown.shape)
    return np.clip(np.rint(shown), 0, 255).astype(np.uint8)


def picture(file: Path, seed: list[int], turn: float, scale: float, again: bool) -> dict[str, float]:
    """One case of pictures, matched once or ``again``; the error is infinite where there is no map."""
    draw = np.random.default_rng(seed)
    with Image.open(file) as held:
        own = np.asarray(held.convert("RGB"), dtype=np.float64)
    size = (own.shape[1], own.shape[0])
    room = [(wide - narrow) / 2 for wide, narrow in zip(FRAME_OF_PICTURES, size, strict=True)]
    true = np.array([[1, 0, room[0]], [0, 1, room[1]], [0, 0, 1.0]]) @ drawn(draw, size, turn, scale, 0.1)
    other = seen(draw, own, true)
    began = time.perf_counter()
    fit: ViewFit | None = None
    with suppress(DataError):
        if again:
            fit = registered(own, other, threshold=THRESHOLD, seed=seed[-1])
        else:
            pairs = matched(own, other)
            fit = ransac(pairs.points_a, pairs.points_b, threshold=THRESHOLD, seed=seed[-1])
    seconds = time.perf_counter() - began
    error = np.inf
    if fit is not None:
        apart = map_points(of_frame(size), fit.matrix) - map_points(of_frame(size), true)
        error = float(np.mean(np.nan_to_num(np.linalg.norm(apart, axis=1), nan=np.inf)))
    return {
        "pairs": 0.0 if fit is None else float(len(fit.inliers)),
        "error": error,
        "share": 0.0 if fit is None else fit.share,
        "seconds": seconds,
    }


def middle(found: list[dict[str, float]], key: str) -> dict[str, float]:
    """Quantiles of a figure over cases; None where it is infinite."""
    values = np.array([each[key] for each in found])
    told = {str(at): float(np.percentile(values, at, method="higher")) for at in (5, 50, 95, 100)}
    return {at: value if np.isfinite(value) else 1e9 for at, value in told.items()}


def of_points(cases: int, seed: int) -> dict[str, Any]:
    """All shares of wrong pairs."""
    told = {}
    for number, outliers in enumerate(OUTLIERS):
        found = [points([seed, number, at], outliers) for at in range(cases)]
        told[str(outliers)] = {
            "cases": cases,
            "below_2_pixels": float(np.mean([each["error"] < 2 for each in found])),
            "found": float(np.mean([each["found"] for each in found])),
            "wrong": float(np.mean([each["wrong"] for each in found])),
            **{key: middle(found, key) for key in ("error", "frame_error", "residual", "rounds", "seconds")},
        }
        print(outliers, told[str(outliers)]["below_2_pixels"], file=sys.stderr, flush=True)
    return told


def of_pictures(files: list[Path], seed: int) -> dict[str, Any]:
    """All turns, by both ways."""
    told = {}
    ways = [(*each, again) for each in enumerate(TURNS.items()) for again in (False, True)]
    for number, (turned, (turn, scale)), again in ways:
        found = [picture(file, [seed, number, at], turn, scale, again) for at, file in enumerate(files)]
        name = f"{turned}, {'registered' if again else 'matched'}"
        error = np.array([each["error"] for each in found])
        there = np.array([each["pairs"] > 0 for each in found])
        told[name] = {
            "cases": len(found),
            "below_2_pixels": float(np.mean(error < 2)),
            "refused": float(np.mean(~there)),
            "wrong": float(np.mean(there & (error >= 2))),
            **{key: middle(found, key) for key in ("error", "pairs", "share", "seconds")},
        }
        print(name, {key: told[name][key] for key in ("below_2_pixels", "refused", "wrong")}, file=sys.stderr)
    return told


def of_strangers(files: list[Path]) -> dict[str, float]:
    """Pictures that have nothing in common: how many are registered all the same."""
    pictures = []
    for file in files:
        with Image.open(file) as held:
            pictures.append(np.asarray(held.convert("RGB"), dtype=np.float64))
    given = 0
    for first, second in zip(pictures[::2], pictures[1::2], strict=False):
        with suppress(DataError):
            registered(first, second)
            given += 1
    return {"cases": len(files) // 2, "registered": given / max(len(files) // 2, 1)}


def main() -> None:
    """Measure."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--cases", type=int, default=150, help="of each share of wrong pairs")
    parser.add_argument("--pictures", type=int, default=100, help="of each turn")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--seed", type=int, default=6)
    given = parser.parse_args()
    most = given.limit or 10**9
    files = sorted((given.data / "mm_nlvr_en" / given.split).glob("*.png"))
    files = [files[at] for at in np.random.default_rng(given.seed).permutation(len(files))]
    measure.keep(
        {
            "name": "space-alignment",
            "command": f"python bench/space_alignment.py DATA --cases {given.cases} --pictures {given.pictures}",
            "what": "homographies found from pairs of points with wrong ones among them, and between pictures",
            "threshold": THRESHOLD,
            "noise": NOISE,
            "split": given.split,
            "points": of_points(min(given.cases, most), given.seed),
            "pictures": of_pictures(files[: min(given.pictures, most)], given.seed),
            "strangers": of_strangers(files[: min(given.pictures, most)]),
            **({} if given.limit is None else {"limit": given.limit}),
            **measure.facts([given.data / "mm_nlvr_en" / f"{given.split}.json"]),
        },
        given.results,
    )


if __name__ == "__main__":
    main()
