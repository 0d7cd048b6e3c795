"""Weights & Biases: a run of a project there; offline unless told otherwise.

The run lies in `wandb/offline-run-...` beside the bundle until `wandb sync` sends it. Sent are the figures, the recipe
as the run's config, how the run ended, the versions of Python and wandb, the platform's name, and which well-known
libraries were loaded; no console output, code, git state, package list, host name or machine figures, and no error
reports. A dot in a figure's name becomes a slash, because W&B takes it for a nested value.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Tracker


_ENVIRONMENT = {
    "WANDB_ERROR_REPORTING": "false",  # on, even an offline run looks for W&B's server
    "WANDB_FINISH_TIMEOUT": "600",  # seconds at the end of a run; otherwise a server that is gone is waited for forever
}
"""What wandb reads when it is imported or used first; what the user has set stands."""


class WandbSpec(Spec):
    """Options of the `wandb` tracker."""

    name: Literal["wandb"] = "wandb"
    project: str | None = None
    """Project of the run; null: `WANDB_PROJECT`, else `sibu`."""
    entity: str | None = None
    """User or team that owns the project; null: `WANDB_ENTITY`, else the account's own."""
    mode: Literal["offline", "online", "disabled"] | None = None
    """`offline`: on this machine alone; `online`: sent at once, which needs `WANDB_API_KEY` or `wandb login`;
    `disabled`: nothing is written. null: `WANDB_MODE`, else `offline`."""


def build(spec: WandbSpec) -> Tracker:
    """What opens a run of the project."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from sibu.trackers.wandb.writer import opened

    return partial(opened, project=spec.project, entity=spec.entity, mode=spec.mode)


ENTRY = Entry(WandbSpec, build, needs=("wandb",), extra="wandb")
