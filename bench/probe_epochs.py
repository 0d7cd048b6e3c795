"""What the first epoch of a linear probe costs against the later ones, whose vectors were kept: Banking77.

    python bench/probe_epochs.py DATA [--work DIR] [--results DIR]

Runs the recipe banking77-probe by ``sibu.run``, the function behind ``sibu run``, with a clock as its voice: it is told
when the frozen layers begin and end to be computed and when each epoch's dev score stands; the steps' own seconds are
in the run's log. Two counts of an epoch:

- ``training``: the epoch's steps; the first with the computation of the frozen layers.
- ``with_dev``: from one dev score to the next, saving included; the first from the begin of the frozen layers.

The ratio is the first epoch's over the median of the later ones. One JSON: ``probe-epochs.json``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import measure
import run

BAR, NAME = 20.0, "banking77-probe"


class Clock:
    """A ``Progress`` that notes when things happened."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.frozen: tuple[float, float] = (0.0, 0.0)
        self.epochs: list[tuple[int, float]] = []
        """Last step of each epoch, and when its dev score was told."""
        self.steps: dict[int, float] = {}
        """Seconds by step; read while the log is there."""

    def say(self, text: str) -> None:
        """Note the end of an epoch."""
        if found := re.match(r"step (\d+)/\d+: dev ", text):
            self.epochs.append((int(found[1]), time.perf_counter()))
            lines = self.log.read_text(encoding="utf-8").splitlines()
            self.steps = {step["step"]: step["seconds"] for step in map(json.loads, lines)}

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:  # noqa: ARG002
        """Note begin and end of the frozen layers."""
        began = time.perf_counter()
        yield lambda _: None
        if what == "computing frozen layers":
            self.frozen = (began, time.perf_counter())


def epochs_of(clock: Clock) -> dict[str, Any]:
    """Seconds by epoch, both ways, with the ratios."""
    frozen = clock.frozen[1] - clock.frozen[0]
    ends = [step for step, _ in clock.epochs]
    starts = [0, *ends[:-1]]
    training = [sum(s for n, s in clock.steps.items() if a < n <= b) for a, b in zip(starts, ends, strict=True)]
    training[0] += frozen
    times = [clock.frozen[0], *(when for _, when in clock.epochs)]
    with_dev = [after - before for before, after in pairwise(times)]
    found: dict[str, Any] = {"frozen_seconds": round(frozen, 3)}
    for name, seconds in (("training", training), ("with_dev", with_dev)):
        later = measure.spread(seconds[1:])
        found[name] = {
            "epochs": [round(each, 3) for each in seconds],
            "later": later,
            "ratio": round(seconds[0] / later["median"], 1),
            "ratio_to_slowest": round(seconds[0] / later["max"], 1),
        }
    return found


def main() -> None:
    """Run the probe and tell its epochs apart."""
    given = measure.options(__doc__ or "").parse_args()
    place = run.prepared(given.data, given.work)
    recipe = place / f"{NAME}.yaml"
    recipe.write_text((run.HERE / "recipes" / f"{NAME}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    overrides = []
    if given.limit is not None:
        lines = (place / "banking77" / "train.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        small = given.work / "probe-train.jsonl"
        small.write_text("".join(lines[:: max(len(lines) // given.limit, 1)]), encoding="utf-8")
        overrides = [f"tasks.intent.data.train={small.resolve()}", "train.epochs=3"]
    out = given.work / "probe" / NAME
    out.parent.mkdir(parents=True, exist_ok=True)
    import sibu

    clock = Clock(out.with_name(out.name + ".working") / "steps.jsonl")
    began = time.perf_counter()
    bundle = sibu.run(recipe, overrides, out=out, force=True, progress=clock)
    wall = time.perf_counter() - began
    record = json.loads((bundle / "record.json").read_text(encoding="utf-8"))
    metrics = json.loads((bundle / "metrics.json").read_text(encoding="utf-8"))
    found = {
        "name": "probe-epochs",
        "command": "python bench/probe_epochs.py DATA",
        "what": "seconds of the first epoch with the frozen layers, over the median of later epochs",
        "bar": BAR,
        **epochs_of(clock),
        "wall_seconds": round(wall, 1),
        "accuracy": metrics["intent"]["test"]["accuracy"],
        "peak_memory_bytes": record["peak_memory_bytes"],
        **({} if given.limit is None else {"limit": given.limit}),
        **measure.facts(sorted((place / "banking77").glob("t*.jsonl"))),
    }
    measure.keep(found, given.results)
    for name in ("training", "with_dev"):
        print(f"{name}: first {found[name]['epochs'][0]} s, later {found[name]['later']}, ratio {found[name]['ratio']}")


if __name__ == "__main__":
    main()
