"""F2, what belongs together: streams of the same events by clocks of their own, and views of the same things.

Time (``clocks``, ``streams``, ``warping``): ``align_streams`` and ``align_readings`` find a clock's offset and drift by
another, ``apply`` takes times from the one to the other; ``rate_converted`` and ``windows`` bring streams of one clock
to one rate and to stretches of one length; ``warp`` matches streams whose speeds differ from place to place.

Space (``views``, ``corners``): ``ransac`` finds how points of one picture lie in another, whatever share of the pairs
is wrong, ``map_points`` and ``map_boxes`` take points and boxes along; ``matched`` finds pairs in pictures that come
without, and ``registered`` does both. Numpy alone is behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sibu.align.clocks import TimeFit, align_readings, align_streams, apply, inverse
    from sibu.align.corners import Landmarks, Matches, laid, landmarks, matched, registered
    from sibu.align.streams import Window, rate_converted, windows
    from sibu.align.views import MappedBoxes, ViewFit, fit_affine, fit_homography, map_boxes, map_points, ransac
    from sibu.align.warping import WarpPath, warp

_HOMES = {
    "TimeFit": "clocks",
    "align_readings": "clocks",
    "align_streams": "clocks",
    "apply": "clocks",
    "inverse": "clocks",
    "Landmarks": "corners",
    "Matches": "corners",
    "laid": "corners",
    "landmarks": "corners",
    "matched": "corners",
    "registered": "corners",
    "Window": "streams",
    "rate_converted": "streams",
    "windows": "streams",
    "MappedBoxes": "views",
    "ViewFit": "views",
    "fit_affine": "views",
    "fit_homography": "views",
    "map_boxes": "views",
    "map_points": "views",
    "ransac": "views",
    "WarpPath": "warping",
    "warp": "warping",
}
__all__ = [
    "Landmarks",
    "MappedBoxes",
    "Matches",
    "TimeFit",
    "ViewFit",
    "WarpPath",
    "Window",
    "align_readings",
    "align_streams",
    "apply",
    "fit_affine",
    "fit_homography",
    "inverse",
    "laid",
    "landmarks",
    "map_boxes",
    "map_points",
    "matched",
    "ransac",
    "rate_converted",
    "registered",
    "warp",
    "windows",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"sibu.align.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'sibu.align' has no attribute {name!r}")
