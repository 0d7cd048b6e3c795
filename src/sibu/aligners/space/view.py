"""A picture laid on another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.align import ViewFit, laid, map_boxes, ransac, registered
from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.example import Row
from sibu.core.protocols import Features
from sibu.core.text import Feature
from sibu.media.pictures import resized
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.aligners.space import SpaceSpec

LOOKED_AT = 512
"""Longest side of the pictures in which corners are sought."""


class OneView:
    """See the door plate ``sibu.aligners.space`` for the options."""

    features = (
        Feature("matrix", "float64", "window", width=9),
        Feature("figures", "float64", "window", width=5),
        Feature("boxes", "float64", "token", width=4),
    )

    def __init__(self, spec: SpaceSpec) -> None:
        self.spec = spec
        self.reads, self.moves = (spec.reference, spec.other), (spec.other,)
        told = {spec.landmarks: "pairs of points: x, y, and x, y in the other picture", spec.boxes: "boxes: four sides"}
        self.columns = tuple(Column(name, "points", "input", said) for name, said in told.items() if name is not None)
        self.warn = spec.warn
        self.key = hash_json(["space", 1, spec.model_dump(mode="json", exclude={"warn"})])

    def fit(self, row: Row, raw: Mapping[str, Any]) -> tuple[Features, Mapping[str, str]]:
        """The map from the reference to the other picture, and where boxes of the other lie in the reference."""
        first, second = raw.get(self.spec.reference), raw.get(self.spec.other)
        if first is None or second is None:
            return {}, {}
        try:
            fit = self._fitted(row, first, second)
            boxes = self._boxes(row, fit, first)
        except DataError as fault:
            return {"figures": np.full(5, -np.inf)}, {self.spec.other: str(fault)}
        size = first.shape[1], first.shape[0]
        figures = np.array([fit.share, fit.residual, fit.inliers.sum(), *size], np.float64)
        return {"matrix": fit.matrix.reshape(-1), "figures": figures, "boxes": boxes.reshape(-1)}, {}

    def _fitted(self, row: Row, first: np.ndarray, second: np.ndarray) -> ViewFit:
        options: dict[str, Any] = {"threshold": self.spec.threshold, "seed": self.spec.seed}
        given = None if self.spec.landmarks is None else row.get(self.spec.landmarks)
        if given is not None:
            pairs = _numbers(given, self.spec.landmarks, "a pair of landmarks is x, y, x2, y2")
            return ransac(pairs[:, :2], pairs[:, 2:], self.spec.model, **options)
        (one, down), (two, up) = _smaller(first), _smaller(second)
        fit = registered(one, two, self.spec.model, **options)
        matrix = np.diag([*(1 / up), 1.0]) @ fit.matrix @ np.diag([*down, 1.0])
        return ViewFit(matrix / matrix[2, 2], fit.inliers, fit.share, fit.residual / float(up.mean()), fit.rounds)

    def _boxes(self, row: Row, fit: ViewFit, first: np.ndarray) -> np.ndarray:
        """Boxes of the other picture in the reference; NaN of one that the reference cannot show. Shape ``(N, 4)``."""
        given = None if self.spec.boxes is None else row.get(self.spec.boxes)
        if not given:
            return np.zeros((0, 4))
        boxes = _numbers(given, self.spec.boxes, "a box is left, upper, right, lower")
        mapped = map_boxes(boxes, np.linalg.inv(fit.matrix), frame=(first.shape[1], first.shape[0]))
        return np.where((mapped.behind | mapped.outside)[:, None], np.nan, mapped.boxes)

    def laid(self, name: str, raw: Any, found: Features) -> Any:
        """The other picture as the reference sees it; None where it could not be laid on it."""
        if name != self.spec.other or not len(found.get("figures", ())):
            return raw
        if not len(found.get("matrix", ())):
            return None
        width, height = (int(each) for each in np.asarray(found["figures"])[3:])
        matrix = np.asarray(found["matrix"]).reshape(3, 3)
        return laid(raw, matrix, (width, height)).round().clip(0, 255).astype(np.uint8)

    def doubt(self, told: Mapping[str, Any]) -> tuple[str, str]:  # noqa: ARG002
        """What to do; the figures say the rest."""
        return "", "Look whether both show the same; widen what is sought, or leave the row out."

    def remarks(self, found: Features) -> list[tuple[str, str, str]]:  # noqa: ARG002
        """Nothing: what it finds is in line or is not."""
        return []

    def told(self, found: Features) -> list[dict[str, Any]]:
        """The share of landmarks that agree, how far off they are, and the boxes."""
        if not len(found.get("matrix", ())):
            return []
        share, residual, inliers, *_ = np.asarray(found["figures"]).tolist()
        about: dict[str, Any] = {"of": self.spec.other, "with": self.spec.reference, "quality": round(share, 4)}
        about |= {"landmarks": int(inliers), "residual_pixels": None if math.isnan(residual) else round(residual, 3)}
        boxes = np.asarray(found.get("boxes", ())).reshape(-1, 4)
        shown = [None if np.isnan(box).any() else [round(side, 2) for side in box.tolist()] for box in boxes]
        return [about | ({"boxes": shown} if self.spec.boxes is not None else {})]


def _numbers(given: Any, column: str | None, form: str) -> np.ndarray:
    """Rows of four numbers.

    Raises:
        DataError: When they have another number.
    """
    found = np.asarray(given, np.float64)
    if found.ndim != 2 or found.shape[1] != 4:
        raise DataError(f"`{column}` has rows of {found.shape[-1]} numbers; {form}.")
    return found


def _smaller(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture in which corners are sought, and by how much it is smaller: along x, along y."""
    height, width = pixels.shape[:2]
    share = min(1.0, LOOKED_AT / max(height, width))
    size = max(1, round(height * share)), max(1, round(width * share))
    made = pixels if share == 1.0 else resized(pixels, size)
    return made, np.array([size[1] / width, size[0] / height])
