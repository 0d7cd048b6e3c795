"""A recipe with every default written out, as it is saved in the bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sibu.fusions.concat import ConcatSpec
from sibu.fusions.identity import IdentitySpec
from sibu.models.sources import found_from, packaged
from sibu.recipe.schema import KnowledgeBlock, Recipe, spread

STEPS_AN_EPOCH = 64
"""What the default size of a batch aims at, within ``SMALLEST`` and ``LARGEST`` pieces."""
SMALLEST, LARGEST = 256, 1024
PAIRED = 4096
"""The same size where a head learns from the pairs of a batch: few rows are one batch, which holds all their pairs."""
FROM_SCRATCH = 1e-3
"""The rate of a model that begins with random weights."""
EPOCHS = 5
"""Times that the training data is seen, where the recipe does not say."""
STEPS = 200
"""Steps that a head which begins from nothing takes at least: five looks at eight tagged sentences of each label taught
one to find nothing at all. Source: Mosbach et al., 2021, arXiv:2006.04884 (few rows want more steps)."""
LOOKS = 10
"""Evaluations on dev at most, where so many epochs came of few rows: dev may be larger than they are."""
WIDTH = 384
"""The width of a model for which the methods state their default rates."""


def settle(recipe: Recipe, *, width: int, tokens: int, share: float = 1.0) -> Recipe:
    """Settle the defaults that depend on the model and the data; what the recipe says stays.

    A method that moves pretrained weights takes smaller steps in a wider model, by the power 1.5 of the widths: 1.5e-4
    at width 384 becomes 5e-5 at 768 and 3e-5 at 1024, the rates that each is usually fine-tuned with. Where texts alone
    are read on, the weights take a share of that and the heads what they take ever: larger steps undo
    more of what a sentence encoder knows than a few thousand texts teach it. Little data gets small batches, since a
    model learns by steps; but who learns by pairs needs many texts in a batch.

    Args:
        recipe: As it was read.
        width: D, of the pretrained model's vectors.
        tokens: Pieces of the training data.
        share: Of a method's rate, the largest that one of the tasks wants (``rate_share``; 1 where labels are learned).
    """
    train, method = recipe.train, recipe.method
    peak = train.learning_rate
    if peak is None:
        peak = float(getattr(method, "default_rate", 5e-5))
        if not isinstance(recipe.model, str):
            peak = FROM_SCRATCH
        elif getattr(method, "rate_falls_with_width", False):
            peak = float(f"{peak * min(1.0, WIDTH / width) ** 1.5:.2g}")
    head = train.head_learning_rate or max(min(float(f"{5 * peak:.3g}"), 1e-3), peak)
    if train.learning_rate is None and isinstance(recipe.model, str):
        peak = float(f"{peak * share:.2g}")
    least = SMALLEST
    for block in recipe.tasks.values():
        least = max(least, LARGEST if getattr(block.task, "by_pairs", False) else 0)
        least = max(least, PAIRED if getattr(block.head, "by_pairs", False) else 0)
    batch = train.batch_tokens or max(least, min(tokens // STEPS_AN_EPOCH, LARGEST))
    fusion = recipe.fusion
    if len(recipe.modalities) == 1:
        fusion = IdentitySpec()
    elif fusion.name == "identity":  # type: ignore[attr-defined]
        fusion = ConcatSpec()
    update = {"learning_rate": peak, "head_learning_rate": head, "batch_tokens": batch}
    return recipe.model_copy(update={"train": train.model_copy(update=update), "fusion": fusion})


def settle_epochs(recipe: Recipe, *, steps_per_epoch: int, from_nothing: bool) -> Recipe:
    """Settle how often the training data is seen, and dev with it, where the recipe does not say.

    Args:
        recipe: As ``settle`` gave it.
        steps_per_epoch: About how many steps once through the training data is.
        from_nothing: Whether a head begins with random weights, so that few steps leave it near them.
    """
    train = recipe.train
    if train.epochs is not None:
        return recipe
    epochs, every = EPOCHS, train.evaluate_every
    if from_nothing and (more := -(-STEPS // steps_per_epoch)) > EPOCHS:
        epochs, every = more, every or steps_per_epoch * -(-more // LOOKS)
    update = {"epochs": epochs, "evaluate_every": every}
    return recipe.model_copy(update={"train": train.model_copy(update=update)})


def as_written(recipe: Recipe) -> dict[str, Any]:
    """The recipe as a user would write it with every key; ``validate`` reads it back equal."""
    value = recipe.model_dump(mode="json")
    value["tasks"] = {name: spread(block) for name, block in value["tasks"].items()}
    return value


def with_absolute_paths(recipe: Recipe, home: Path) -> Recipe:
    """The same recipe with data files, and models that are folders, found from anywhere."""

    def resolved(path: str) -> str:
        return path if path.startswith("datasets:") else str(found_from(home, path))

    tasks = {}
    for name, block in recipe.tasks.items():
        update: dict[str, Any] = {}
        for split in ("train", "dev", "test", "unlabelled"):
            given = getattr(block.data, split)
            if isinstance(given, str):
                update[split] = resolved(given)
            elif isinstance(given, dict):
                update[split] = {key: resolved(path) for key, path in given.items()}
            elif given is not None:
                update[split] = tuple(resolved(path) for path in given)
        judges = tuple(
            spec.model_copy(update={"bundle": resolved(spec.bundle)}) if hasattr(spec, "bundle") else spec
            for spec in block.reward
        )
        update["augment"] = _with_places(block.data.augment, home)
        own: dict[str, Any] = {"data": block.data.model_copy(update=update), "reward": judges}
        if block.teacher is not None:
            own["teacher"] = block.teacher.model_copy(update={"bundle": resolved(block.teacher.bundle)})
        if block.consistency is not None:
            ways = _with_places(block.consistency.augment, home)
            own["consistency"] = block.consistency.model_copy(update={"augment": ways})
        tasks[name] = block.model_copy(update=own)
    model = _placed(recipe.model, home) if isinstance(recipe.model, str) else recipe.model
    whole: dict[str, Any] = {"tasks": tasks, "model": model}
    if recipe.knowledge is not None:
        whole["knowledge"] = _known_from(recipe.knowledge, resolved)
    return recipe.model_copy(update=whole)


def _known_from(block: KnowledgeBlock, resolved: Callable[[str], str]) -> KnowledgeBlock:
    """A knowledge block whose files and folders are found from anywhere."""
    use = tuple(
        spec.model_copy(update={"links": resolved(spec.links)}) if hasattr(spec, "links") else spec
        for spec in block.use
    )
    names = block.names
    if names is not None:
        names = resolved(names) if isinstance(names, str) else tuple(map(resolved, names))
    return block.model_copy(update={"kb": block.kb and resolved(block.kb), "names": names, "use": use})


def _with_places(ways: Sequence[Any], home: Path) -> tuple[Any, ...]:
    """Ways of making copies, with the models and folders that they name found from anywhere."""
    return tuple(
        spec.model_copy(
            update={key: _placed(getattr(spec, key), home) for key in getattr(spec, "models", ())}
            | {key: str(found_from(home, getattr(spec, key))) for key in getattr(spec, "folders", ())}
        )
        for spec in ways
    )


def _placed(model: str, home: Path) -> str:
    """The name of a model; of one that is a folder the folder, found from anywhere."""
    if model in packaged() or not (folder := found_from(home, model)).is_dir():
        return model
    return str(folder)
