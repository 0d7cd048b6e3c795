"""What makes an answer good, as a recipe says it: several rewards as one, and bundles that judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.errors import Fault, RecipeError, SibuError
from sibu.core.example import Row, as_names
from sibu.core.protocols import Judge, Reward
from sibu.core.result import Prediction
from sibu.rewards import REWARDS

if TYPE_CHECKING:
    from sibu.pipeline.bundle import Opened
    from sibu.recipe.schema import Recipe, TaskBlock

REWARDED = ("generate", "reinforce")
"""The task types whose answers a recipe can reward."""


@dataclass(frozen=True, slots=True)
class Rewards:
    """The weighted sum of several rewards."""

    parts: Mapping[str, tuple[float, Reward]]
    """Weight and reward by name."""

    def __call__(self, rows: Sequence[Row], answers: Sequence[str]) -> tuple[np.ndarray, list[dict[str, float]]]:
        """Score answers.

        Args:
            rows: What was asked; one row for each answer.
            answers: What was written.

        Returns:
            The sum for each answer, shape ``(answers,)``, and for each the parts that it is of.
        """
        found = {name: reward(rows, answers) for name, (_, reward) in self.parts.items()}
        total = np.zeros(len(answers))
        for name, (weight, _) in self.parts.items():
            total += weight * found[name]
        told = [{name: float(own[place]) for name, own in found.items()} for place in range(len(answers))]
        return total, told


def rewards_of(block: TaskBlock) -> Rewards | None:
    """What a task's block says is good; None where it says nothing.

    Raises:
        RecipeError: When a bundle that is to judge is not there, or cannot.
    """
    if not block.reward:
        return None
    parts: dict[str, tuple[float, Reward]] = {}
    for spec in block.reward:
        own: Any = spec
        name = own.name if own.name not in parts else f"{own.name} {len(parts) + 1}"
        parts[name] = (float(getattr(own, "weight", 1.0)), REWARDS.of(spec).build(spec, judge_of))
    return Rewards(parts)


def require_rewards(recipe: Recipe, task: str | None = None, *, chosen_by: bool = False) -> None:
    """Every reward can be had and belongs to a task that takes one, and none is missing where one is needed.

    Args:
        recipe: The recipe.
        task: The task that is asked of; None: all.
        chosen_by: Whether rewards are needed only where they choose among answers, not where they train or measure.

    Raises:
        RecipeError: Naming each that is not so.
    """
    wrong: list[Fault] = []
    for name, block in recipe.tasks.items():
        if task not in (None, name):
            continue
        kind, decoding = block.task.type, block.decoding.name  # type: ignore[attr-defined]
        where = f"tasks.{name}.reward"
        if decoding == "best_of" and kind not in REWARDED:
            what = f"`best_of` chooses by a reward, and answers of `{kind}` take none."
            wrong.append(Fault(f"tasks.{name}.decoding", what, "Choose `greedy`, `beam` or `sample`."))
            continue
        if block.reward and kind not in REWARDED:
            allowed = as_names(REWARDED)
            wrong.append(Fault(where, f"answers of `{kind}` take no reward.", f"Leave it out; allowed for {allowed}."))
        elif not block.reward and (decoding == "best_of" or (kind == "reinforce" and not chosen_by)):
            who = "the decoding `best_of`" if decoding == "best_of" else "`reinforce`"
            mend = f"Say what is good: `reward: {{name: ...}}` with one of {', '.join(REWARDS)}."
            wrong.append(Fault(where, f"is missing, which {who} needs.", mend))
        elif block.reward and (decoding == "best_of" or not chosen_by):
            try:
                rewards_of(block)
            except SibuError as fault:
                wrong.append(Fault(where, str(fault)))
    if wrong:
        raise RecipeError(wrong)


def judge_of(bundle: str) -> Judge:
    """A bundle that judges.

    Raises:
        RecipeError: When it is not there.
        BundleError: When it is damaged.
    """
    from sibu.pipeline.bundle import read_manifest

    folder = Path(bundle)
    if not folder.is_dir():
        raise RecipeError(
            f"There is no bundle at {folder}, which is to judge. Where it lies now can be said by "
            "`reward.bundle=PLACE` (of several rewards `reward.0.bundle=PLACE`)."
        )
    return BundleJudge(opened_bundle(folder, str(read_manifest(folder)["sha256"])))


def judges_of(recipe: Recipe) -> dict[str, str]:
    """The bundles that judge or teach in a recipe, each with its hash.

    Raises:
        BundleError: When one is missing or damaged.
    """
    from sibu.pipeline.bundle import read_manifest

    places = [spec.bundle for block in recipe.tasks.values() for spec in block.reward if hasattr(spec, "bundle")]
    places += [block.teacher.bundle for block in recipe.tasks.values() if block.teacher is not None]
    return {place: str(read_manifest(Path(place))["sha256"]) for place in dict.fromkeys(places)}


@lru_cache(maxsize=4)
def opened_bundle(folder: Path, sha: str) -> Opened:  # noqa: ARG001  (one that was replaced is opened anew)
    """A bundle, opened once for all that ask for it; ``sha``: the hash of its content."""
    from sibu.pipeline.write import open_bundle

    return open_bundle(folder)


@dataclass(frozen=True, slots=True)
class BundleJudge:
    """An opened bundle as a ``Judge``."""

    opened: Opened

    def _name(self, task: str | None) -> str:
        names = list(self.opened.tasks)
        if task is None and len(names) == 1:
            return names[0]
        if task not in names:
            given = "none was named" if task is None else f"given {task!r}"
            raise RecipeError(
                f"Which task of the bundle {self.opened.path} judges, {given}. Allowed: {as_names(names)}."
            )
        return task

    def about(self, task: str | None) -> tuple[str, bool, Sequence[str]]:
        """The type of one of its tasks, whether it judges pairs, and its labels."""
        name = self._name(task)
        own: Any = self.opened.recipe.tasks[name].task
        if own.type == "classify" and self.opened.tasks[name].writes:
            raise RecipeError(
                f"The bundle {self.opened.path} answers {name!r} in words, without probabilities, which a judge must "
                "have. Train it without `written`."
            )
        state = self.opened.tasks[name].state
        return own.type, state.get("pairs", "none") != "none", list(state.get("labels", ()))

    def __call__(self, task: str | None, rows: Sequence[Row]) -> Sequence[Prediction]:
        """Its predictions."""
        from sibu.pipeline.answer import answer_inputs
        from sibu.pipeline.progress import Silent

        found = list(answer_inputs(self.opened, self._name(task), rows, progress=Silent(), total=len(rows)))
        for each in found:
            if isinstance(each, SibuError):
                raise each
        return [each for each in found if isinstance(each, Prediction)]
