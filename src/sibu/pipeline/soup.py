"""The mean of the weights of several evaluations or runs, where dev likes it better than the best alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.train.checkpoint import load_weights, save_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sibu.pipeline.progress import Progress


def keep(folder: Path, model: nn.Module, evaluations: list[dict[str, Any]], most: int) -> None:
    """Keep the weights of the last evaluation, if it is one of the best so many; others go."""
    last = evaluations[-1]["step"]
    best = ingredients(evaluations, most)
    if last in best:
        folder.mkdir(parents=True, exist_ok=True)
        save_weights(model, folder / f"step-{last:08d}.safetensors")
    for file in folder.glob("step-*.safetensors"):
        if int(file.stem.removeprefix("step-")) not in best:
            file.unlink()


def ingredients(evaluations: list[dict[str, Any]], most: int) -> list[int]:
    """The steps of the best evaluations, the best first; of equal ones the earlier."""
    ordered = sorted(evaluations, key=lambda each: (-each["score"], each["step"]))
    return [int(each["step"]) for each in ordered[:most]]


def cook(
    folder: Path,
    model: nn.Module,
    evaluations: list[dict[str, Any]],
    most: int,
    score: Callable[[], float],
    progress: Progress,
) -> tuple[list[int], float]:
    """Average the kept weights, from the best on, each where dev gets no worse; the model has the mean at the end.

    The greedy soup of Wortsman et al., 2022, arXiv:2203.05482, over evaluations of one run.

    Args:
        folder: Where ``keep`` put the weights.
        model: The model.
        evaluations: All of the run.
        most: As many were kept.
        score: Tells the dev score of the model as it is.
        progress: Where to tell what came of it.

    Returns:
        The steps whose weights are in the mean, and its dev score.
    """
    from safetensors.torch import load_file

    steps = [step for step in ingredients(evaluations, most) if (folder / f"step-{step:08d}.safetensors").is_file()]
    best = max(each["score"] for each in evaluations)

    def load(step: int) -> dict[str, Tensor]:
        return load_file(folder / f"step-{step:08d}.safetensors")

    used, best = greedy(steps, load, lambda tried: load_weights(model, tried), score, best)
    said = ", ".join(map(str, used))
    progress.say(f"soup: the mean of the weights at {said}: dev {best:.4f}")
    return used, best


def greedy(
    names: Sequence[int],
    load: Callable[[int], Mapping[str, Tensor]],
    put: Callable[[Mapping[str, Tensor]], None],
    score: Callable[[], float],
    best: float,
) -> tuple[list[int], float]:
    """Average weights in their order, each where dev gets no worse; the mean is put in its place at the end.

    Args:
        names: What there is, the best first.
        load: Gives the weights of one.
        put: Takes weights for the model that is judged.
        score: Tells the dev score of that model.
        best: The dev score of the first alone.

    Returns:
        What is in the mean, and its dev score.
    """
    used: list[int] = []
    mean: dict[str, Tensor] = {}
    for name in names:
        tried = _mixed(mean, load(name), len(used))
        put(tried)
        if not used or (found := score()) >= best:
            best = best if not used else found
            used.append(name)
            mean = tried
    put(mean)
    return used, best


def _mixed(mean: Mapping[str, Tensor], own: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """The mean of ``count`` weights and one more."""
    if not count:
        return dict(own)
    return {name: mean[name] + (tensor - mean[name]) / (count + 1) for name, tensor in own.items()}
