"""TensorBoard: event files in a folder; nothing leaves the machine.

Each run is a folder of its own, `<folder>/<name>/1`, `2`, ...; the recipe's values and how the run ended are in the
tab HParams. Every figure is on disk at once and is rounded to 32 bits by the format. Look with
`tensorboard --logdir <folder>`. Source: Abadi et al., 2016, arXiv:1603.04467.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Tracker


class TensorboardSpec(Spec):
    """Options of the `tensorboard` tracker."""

    name: Literal["tensorboard"] = "tensorboard"
    folder: str | None = None
    """Where the runs' folders go; a relative one starts beside the bundle. null: `tensorboard` beside the bundle."""


def build(spec: TensorboardSpec) -> Tracker:
    """What opens a run's event file."""
    from sibu.trackers.tensorboard.writer import opened

    return partial(opened, place=spec.folder or "tensorboard")


ENTRY = Entry(TensorboardSpec, build, needs=("tensorboard",), extra="tensorboard")
