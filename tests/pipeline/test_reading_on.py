"""Recipes that read on in texts take smaller steps than those that learn labels or pairs."""

from pathlib import Path

import pytest

from sibu.pipeline.plan import make_plan
from sibu.pipeline.progress import Silent
from sibu.recipe.load import load_recipe
from tests.tiny_tasks import tiny_recipe


@pytest.mark.parametrize(
    ("tasks", "rate"),
    [
        (["contrast"], 2e-5),
        (["contrast, pairs"], 1.5e-4),
        (["denoise"], 2e-5),
        (["mask"], 5e-5),
        (["contrast", "mask"], 5e-5),
        (["contrast", "classify"], 1.5e-4),  # labels are learned beside it
    ],
)
def test_the_rate(tasks: list[str], rate: float, tiny_model: Path, tmp_path: Path) -> None:
    recipes = [tiny_recipe(task, "full", tiny_model, tmp_path) for task in tasks]
    blocks = {f"it{number}": each["tasks"]["it"] for number, each in enumerate(recipes)}
    train = {key: value for key, value in recipes[0]["train"].items() if not key.endswith("learning_rate")}
    plan = make_plan(load_recipe(recipes[0] | {"tasks": blocks, "train": train}), Silent(), encode=False)
    assert plan.recipe.train.learning_rate == rate
    assert plan.recipe.train.head_learning_rate == pytest.approx(7.5e-4)
