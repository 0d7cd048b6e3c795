"""How good a run is: on dev while it trains, on every split at its end."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from sibu.core.result import Report
from sibu.pipeline.plan import Plan
from sibu.pipeline.progress import Progress

if TYPE_CHECKING:
    from sibu.pipeline.assemble import Ensemble, Model
    from sibu.pipeline.frozen import Memo


def dev_scores(plan: Plan, model: Model, *, memo: Memo | None = None) -> dict[str, dict[str, float]]:
    """Every metric of every task on its dev, of a model whose heads are fitted; ``memo`` keeps vectors of dev."""
    from sibu.pipeline.predict import evaluate_rows

    counts = counting(plan)
    found = {}
    for name, each in plan.tasks.items():
        if each.dev_is_train:
            continue
        rows = each.splits["dev"]
        block = plan.recipe.tasks[name]
        wanted = {each.task.main_metric, *(metric for task, metric in counts if task == name)}
        unwritten = set(getattr(each.task, "unwritten", ()))
        report = evaluate_rows(
            model,
            name,
            each.task,
            plan.text,
            rows,
            split="dev",
            total=len(rows),
            intervals=False,
            memo=memo,
            block=block if wanted - unwritten else None,
        )
        found[name] = {metric: score.value for metric, score in report.scores.items()}
    return found


def counting(plan: Plan) -> list[tuple[str, str]]:
    """The tasks and metrics by which one evaluation on dev is better than another."""
    stop = plan.recipe.train.stop_on
    if stop == "mean":
        return [(name, each.task.main_metric) for name, each in plan.tasks.items() if not each.dev_is_train]
    task, metric = stop.split(".")
    return [(task, metric)]


def dev_score(plan: Plan, scores: Mapping[str, Mapping[str, float]]) -> float:
    """What counts as better on dev, of all its scores."""
    from sibu.metrics import goodness

    values = [goodness(metric, scores[task][metric]) for task, metric in counting(plan)]
    return sum(values) / len(values)


def one_answer(plan: Plan) -> float:
    """How much of a dev score hangs on one row's answer; 0 where the metrics that count do not count answers."""
    from sibu.metrics import OF_ANSWERS

    counts = counting(plan)
    if not all(metric in OF_ANSWERS for _, metric in counts):
        return 0.0
    return 1 / (len(counts) * max(len(plan.tasks[name].splits["dev"]) for name, _ in counts))


def evaluate_all(
    plan: Plan, model: Model | Ensemble, progress: Progress, *, leave_dev: Container[str] = ()
) -> list[Report]:
    """Every task on dev and on each test file, with intervals; the dev of tasks in ``leave_dev`` is left out."""
    from sibu.pipeline.predict import evaluate_rows

    reports = []
    for name, each in plan.tasks.items():
        for split, rows in each.splits.items():
            if split == "train" or (split == "dev" and (each.dev_is_train or name in leave_dev)):
                continue
            named: dict[str, Any] = {"split": split, "total": len(rows), "block": plan.recipe.tasks[name]}
            reports.append(evaluate_rows(model, name, each.task, plan.text, rows, progress=progress, **named))
    return reports
