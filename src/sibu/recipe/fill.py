"""A recipe with every default written out, as it is saved in the bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sibu.recipe.schema import Recipe, spread


def fill(recipe: Recipe) -> Recipe:
    """Settle the defaults that depend on other keys."""
    train = recipe.train
    peak = train.learning_rate or float(getattr(recipe.method, "default_rate", 5e-5))
    head = train.head_learning_rate or max(min(5 * peak, 1e-3), peak)
    settled = train.model_copy(update={"learning_rate": peak, "head_learning_rate": head})
    return recipe.model_copy(update={"train": settled})


def as_written(recipe: Recipe) -> dict[str, Any]:
    """The recipe as a user would write it with every key; ``validate`` reads it back equal."""
    value = recipe.model_dump(mode="json")
    value["tasks"] = {name: spread(block) for name, block in value["tasks"].items()}
    return value


def with_absolute_paths(recipe: Recipe, home: Path) -> Recipe:
    """The same recipe with data files found from anywhere."""

    def resolved(path: str) -> str:
        return path if path.startswith("datasets:") else str((home / path).expanduser())

    tasks = {}
    for name, block in recipe.tasks.items():
        update: dict[str, Any] = {}
        for split in ("train", "dev", "test"):
            given = getattr(block.data, split)
            if isinstance(given, str):
                update[split] = resolved(given)
            elif isinstance(given, dict):
                update[split] = {key: resolved(path) for key, path in given.items()}
            elif given is not None:
                update[split] = tuple(resolved(path) for path in given)
        tasks[name] = block.model_copy(update={"data": block.data.model_copy(update=update)})
    return recipe.model_copy(update={"tasks": tasks})
