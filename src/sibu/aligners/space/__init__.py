"""Space: two pictures of the same thing, the second laid on the first.

How points of the reference lie in the other picture is found from landmarks (of the row, or found in both pictures),
whatever share of them is wrong up to a half and more (RANSAC); then the other is drawn as the reference sees it. For
two cameras, two dates, two channels of one scene. Boxes of the row are taken along. Sources: Fischler and Bolles, 1981,
doi:10.1145/358669.358692; Hartley, 1997, doi:10.1109/34.601246.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, model_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.aligners.space.view import OneView


class SpaceSpec(Spec):
    """Options of `space`."""

    of: ClassVar[tuple[str, ...]] = ("image",)

    name: Literal["space"] = "space"
    reference: str
    """The picture that stays as it is, by its column."""
    other: str
    """The picture that is laid on it."""
    model: Literal["affine", "homography"] = "homography"
    """How one may lie in the other: `affine` keeps parallels; `homography`: a plane, or a turned camera."""
    landmarks: str | None = None
    """Column of the file with pairs of points, `[[x, y, x2, y2], ...]`: a point of the reference in pixels, and where
    the other shows it. null: corners are found in both pictures, and matched."""
    boxes: str | None = None
    """Column of the file with boxes in the other picture, `[[left, upper, right, lower], ...]`: where they lie in the
    reference is told with the prediction, and by `sibu align`. null: none."""
    threshold: PositiveFloat = 3.0
    """Pixels within which a pair of landmarks agrees."""
    seed: NonNegativeInt = 0
    """Of the samples that are drawn."""
    warn: float = Field(default=0.5, ge=0, le=1)
    """The gate warns of a row whose quality is below it: the share of the landmarks that agree."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.reference == self.other:
            raise ValueError("names a picture twice")
        return self


def build(spec: SpaceSpec) -> OneView:
    """What lays a picture on another."""
    from sibu.aligners.space.view import OneView

    return OneView(spec)


ENTRY = Entry(SpaceSpec, build)
