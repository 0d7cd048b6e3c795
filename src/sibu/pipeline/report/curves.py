"""From the log of a run to the lines of its learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sibu.metrics import LOWER_IS_BETTER
from sibu.pipeline.report.charts import Point, Series, finite, smooth

WINDOW = 0.02
"""Share of the steps that a smoothed loss looks back over."""


def losses(steps: Sequence[Mapping[str, Any]], tasks: Sequence[str]) -> list[Series]:
    """The training loss of each task, smoothed, with what it was smoothed from.

    A task has a loss only in the steps whose batch held it; where the log has no losses by task, the total is drawn.
    """
    found = []
    for number, task in enumerate(tasks):
        line, raw = _smoothed(steps, [(step.get("losses") or {}).get(task) for step in steps])
        if line:
            found.append(Series(task, line, number, raw))
    if found:
        return found
    line, raw = _smoothed(steps, [step.get("loss") for step in steps])
    return [Series("loss", line, 0, raw)] if line else []


def _smoothed(steps: Sequence[Mapping[str, Any]], values: Sequence[float | None]) -> tuple[list[Point], list[Point]]:
    raw = finite((step.get("step"), value) for step, value in zip(steps, values, strict=True))
    window = max(len(raw) * WINDOW, 1.0)
    line = smooth([y for _, y in raw], window)
    return [(x, y) for (x, _), y in zip(raw, line, strict=True)], raw


def learning_rate(steps: Sequence[Mapping[str, Any]]) -> list[Series]:
    """The learning rate of the encoder by step."""
    points = finite((step.get("step"), step.get("learning_rate")) for step in steps)
    return [Series("learning rate", points)] if points else []


def on_dev(evaluations: Sequence[Mapping[str, Any]], task: str, *, errors: bool) -> list[Series]:
    """The metrics of a task over the evaluations on dev.

    Args:
        evaluations: As ``Trained.evaluations`` holds them.
        task: The task.
        errors: Whether those of which less is better are asked for, or the others; their scales differ.
    """
    by_metric: dict[str, list[tuple[float | None, float | None]]] = {}
    for evaluation in evaluations:
        for metric, value in ((evaluation.get("scores") or {}).get(task) or {}).items():
            if (metric in LOWER_IS_BETTER) == errors:
                by_metric.setdefault(metric, []).append((evaluation.get("step"), value))
    listed = [(metric, points) for metric, raw in by_metric.items() if (points := finite(raw))]
    return [Series(metric, points, number) for number, (metric, points) in enumerate(listed)]
