"""Which of a run's evaluations is kept, and when it stops."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.pipeline import loop
from sibu.pipeline.judged import one_answer
from sibu.pipeline.prepare import Trained
from sibu.pipeline.progress import Silent


def plan_of(rows: dict[str, int], *, stop_on: str = "mean", metric: str = "accuracy") -> Any:
    """As much of a run as choosing looks at: its tasks' dev rows and metric."""
    tasks = {
        name: SimpleNamespace(
            splits={"dev": range(count)}, dev_is_train=False, task=SimpleNamespace(main_metric=metric)
        )
        for name, count in rows.items()
    }
    train = SimpleNamespace(stop_on=stop_on)
    return SimpleNamespace(tasks=tasks, recipe=SimpleNamespace(train=train), watch=None)


def kept(plan: Any, scores: list[float], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Evaluate once a step, with these scores."""
    trained: Any = SimpleNamespace(evaluations=[], best=None, best_step=0, step=0, steps=len(scores))
    name = next(iter(plan.tasks))
    with monkeypatch.context() as patch:
        left = iter(scores)
        patch.setattr(loop, "_judged", lambda *_: (score := next(left), {name: {"accuracy": score}}))
        patch.setattr(loop, "counting", lambda _: [(name, "accuracy")])
        for _ in scores:
            trained.step += 1
            loop._evaluate_dev(plan, trained, SimpleNamespace(num_processes=1), Silent(), [])
    return trained


def test_one_answer_is_a_row_of_dev() -> None:
    assert one_answer(plan_of({"a": 20})) == 1 / 20
    assert one_answer(plan_of({"a": 20, "b": 50})) == 1 / 100  # of the mean of two tasks
    assert one_answer(plan_of({"a": 20, "b": 50}, stop_on="a.accuracy")) == 1 / 20
    assert one_answer(plan_of({"a": 20}, metric="pearson")) == 0
    assert one_answer(plan_of({"a": 20}, stop_on="a.perplexity")) == 0


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_the_last_that_is_not_worse_by_more_than_an_answer_is_kept(right: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        trained = kept(plan_of({"a": 20}), [count / 20 for count in right], patch)
    wanted = max(n for n, count in enumerate(right) if count >= max(right[: n + 1]) - 1)
    assert trained.best_step == 1 + wanted
    assert trained.best == right[wanted] / 20
    assert loop._first_best(trained) == right.index(max(right))


def test_of_other_metrics_the_highest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of({"a": 20}, metric="pearson")
    assert kept(plan, [0.5, 0.7, 0.69, 0.7, 0.69], monkeypatch).best_step == 4
    assert kept(plan, [math.nan, 0.2, math.nan, 0.1], monkeypatch).best_step == 2


def test_patience_counts_from_the_first_of_the_highest(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: Trained = kept(plan_of({"a": 20}), [0.5, 1.0, 0.95, 1.0, 0.9], monkeypatch)
    assert trained.best_step == 4
    assert loop._out_of_patience(trained, 3)
    assert not loop._out_of_patience(trained, 4)
    assert not loop._out_of_patience(trained, None)
