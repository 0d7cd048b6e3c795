"""The bundle: a folder that holds all that predicts, with the hash of each file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sibu.core.errors import BundleError
from sibu.core.protocols import Task
from sibu.recipe import yaml
from sibu.recipe.load import validate, with_answering
from sibu.recipe.schema import Recipe
from sibu.store.hashes import hash_file, hash_json

if TYPE_CHECKING:
    from sibu.core.protocols import Modality, WritingTask
    from sibu.pipeline.assemble import Ensemble, Model
    from sibu.pipeline.written import Writer

FORMAT = 1
"""Version of the bundle's layout that this Sibu writes, and the newest that it reads."""
UNHASHED = frozenset({"bundle.json"})


def manifest(folder: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``bundle.json``: format, what it is about, and each file's size and sha256."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in UNHASHED)
    table = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": hash_file(path)} for path in files
    }
    content = {"format": FORMAT, **about, "files": table}
    return content | {"sha256": _own_hash(content)}


def _own_hash(content: Mapping[str, Any]) -> str:
    """The hash of all that ``bundle.json`` says but this hash."""
    return hash_json({key: value for key, value in content.items() if key != "sha256"})


def read_manifest(path: Path) -> dict[str, Any]:
    """The content of a bundle's ``bundle.json``.

    Raises:
        BundleError: When there is none, it cannot be read, or its format is newer than this Sibu.
    """
    file = path / "bundle.json"
    if not path.is_dir():
        raise BundleError(f"No bundle at {path}: there is no such folder. `sibu run RECIPE --out {path}` writes one.")
    if not file.is_file():
        raise BundleError(f"{path} is no bundle: it has no bundle.json. Give the folder that `sibu run` wrote.")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version = int(content["format"])
    except (ValueError, KeyError, TypeError) as fault:
        raise BundleError(f"{file} is damaged ({fault}). Restore it from a copy, or run the recipe again.") from None
    if version > FORMAT:
        raise BundleError(
            f"{path} is a bundle of format {version}; this Sibu reads up to {FORMAT}. "
            f"Update Sibu (it was written by {content.get('sibu', 'a newer version')})."
        )
    if content.get("sha256") != _own_hash(content):
        mend = "Restore it from a copy, or run the recipe again."
        raise BundleError(f"{file} was changed: it is not what its own sha256 says. {mend}")
    return dict(content)


def about_of(path: Path) -> dict[str, Any]:
    """What a bundle's ``bundle.json`` says but of its files, to write it anew.

    Raises:
        BundleError: As ``read_manifest`` does.
    """
    return {key: part for key, part in read_manifest(path).items() if key not in ("format", "files", "sha256")}


def verify(path: Path) -> dict[str, Any]:
    """Check every file of a bundle against its hash.

    Raises:
        BundleError: Naming each file that is missing or changed.
    """
    content = read_manifest(path)
    faults = []
    for name, known in content["files"].items():
        file = path / name
        if not file.is_file():
            faults.append(f"{name} is missing")
        elif file.stat().st_size != known["bytes"]:
            faults.append(f"{name} has {file.stat().st_size} bytes, {known['bytes']} are expected")
        elif hash_file(file) != known["sha256"]:
            faults.append(f"{name} was changed (its sha256 differs)")
    if faults:
        listed = "; ".join(faults)
        raise BundleError(f"The bundle {path} is damaged: {listed}. Restore it from a copy, or run its recipe again.")
    return content


@dataclass(slots=True)
class Opened:
    """A bundle made ready to answer."""

    path: Path
    manifest: Mapping[str, Any]
    recipe: Recipe
    tasks: dict[str, Task]
    model: Model | Ensemble
    """Of an ensemble all its members: each is in memory with all its weights."""
    text: Modality

    def answering(self, name: str, overrides: Sequence[str]) -> Opened:
        """The same of which a task answers otherwise; weights are shared.

        Raises:
            RecipeError: When a key is settled by the training, a value is not allowed, or no answer could keep to it.
        """
        from sibu.pipeline.backbone import build_task, introduce
        from sibu.pipeline.require import require_bounds
        from sibu.pipeline.reward import require_rewards

        recipe = with_answering(self.recipe, name, overrides)
        require_bounds(recipe, self.text)
        require_rewards(recipe, name, chosen_by=True)
        task = build_task(recipe.tasks[name].task, self.tasks[name].state)
        introduce(task, self.text)
        return replace(self, recipe=recipe, tasks=self.tasks | {name: task})

    def writer(self, name: str) -> Writer:
        """What writes the answers of a task that writes."""
        from sibu.pipeline.plan import decoder_of, rows_of
        from sibu.pipeline.require import constraint_of
        from sibu.pipeline.reward import rewards_of
        from sibu.pipeline.written import Writer

        block, task = self.recipe.tasks[name], cast("WritingTask", self.tasks[name])
        best = block.decoding.name == "best_of"  # type: ignore[attr-defined]
        rewards = rewards_of(block) if best else None  # of one answer nothing is to be chosen
        named: dict[str, Any] = {"constraint": constraint_of(block), "rewards": rewards, "each": rows_of(block)}
        return Writer(cast("Model", self.model), name, task, self.text, decoder_of(block), **named)


def open_recipe(path: Path) -> Recipe:
    """The filled recipe that a bundle was made by."""
    file = path / "recipe.yaml"
    value, lines = yaml.parse(file.read_text(encoding="utf-8"), str(file))
    return validate(value, str(file), lines)
