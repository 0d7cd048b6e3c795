"""One W&B run, with everything off that W&B gathers by itself."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import wandb

from sibu.core.errors import Fault, RecipeError
from sibu.trackers._figures import Finite, Names, in_one_line

_QUIET = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "disable_job_creation": True,
    "host": "",
    "save_code": False,
    "symlink": False,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}


class Run:
    """An open run; ``log`` sends figures."""

    def __init__(self, run: Any) -> None:
        self._run = run
        self._finite = Finite("wandb")
        self._names = Names(mended)

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Send figures of a step."""
        sent = {self._names(name): value for name, value in self._finite(figures).items()}
        if sent:
            self._run.log(sent, step=step)

    def end(self, *, failed: bool) -> None:
        """Wait until all is written, or sent, and say how it went."""
        self._run.finish(exit_code=1 if failed else 0)
        self._finite.tell()


@contextmanager
def opened(
    folder: Path, name: str, recipe: Mapping[str, Any], *, project: str | None, entity: str | None, mode: str | None
) -> Iterator[Run]:
    """Open a run whose config is the recipe.

    Raises:
        RecipeError: When W&B cannot be reached or does not take the run.
    """
    chosen: Any = mode or os.environ.get("WANDB_MODE") or "offline"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        begun = wandb.init(
            project=project or os.environ.get("WANDB_PROJECT") or "sibu",
            entity=entity,
            name=name,
            config=dict(recipe),
            dir=str(folder),
            mode=chosen,
            reinit="create_new",  # a run that the user has open elsewhere stays open
            settings=wandb.Settings(silent=chosen != "online", **_QUIET),
        )
    except (wandb.errors.Error, ValueError) as fault:
        mend = "Log in with `wandb login`, or keep the run on this machine with `mode: offline`."
        raise RecipeError(Fault("track: wandb", f"the run could not be opened: {in_one_line(fault)}", mend)) from fault
    run = Run(begun)
    failed = True
    try:
        yield run
        failed = False
    finally:
        run.end(failed=failed)


def mended(name: str) -> str:
    """A figure's name without what W&B cannot sort or plot by; the slash stands, its pages group by it."""
    name = re.sub(r"[^\w/]", "_", name.replace(".", "/"))
    return name if re.match(r"[^\W\d_]", name) else f"m{name}"  # `_step` and its like are W&B's own
