"""The pages of a bundle: a model card that the Hub reads, and one self-contained HTML report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sibu.core.result import Report


def write_pages(
    folder: Path,
    *,
    recipe: Mapping[str, Any],
    reports: Sequence[Report],
    record: Mapping[str, Any],
    gate: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]],
    evaluations: Sequence[Mapping[str, Any]],
    missed: Sequence[str],
) -> None:
    """Write ``README.md`` and ``report.html`` of a bundle.

    Args:
        folder: Where the pages go; it exists.
        recipe: The filled recipe, as in ``recipe.yaml``.
        reports: What the evaluation found, one a task and split.
        record: As in ``record.json``.
        gate: ``GateReport.as_json()``.
        steps: The lines of ``steps.jsonl``.
        evaluations: ``{step, score, scores: {task: {metric: value}}}`` of each evaluation on dev.
        missed: The release conditions that are missed, in words.
    """
    from sibu.pipeline.report.card import card
    from sibu.pipeline.report.facts import Run
    from sibu.pipeline.report.page import page

    run = Run(recipe, reports, record, gate, steps, evaluations, missed)
    for name, text in (("README.md", card(run)), ("report.html", page(run))):
        # data may hold half of a surrogate pair, which UTF-8 cannot say: "?" stands for it
        (folder / name).write_text(text, encoding="utf-8", errors="replace", newline="\n")
