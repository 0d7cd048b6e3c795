"""Several runs as one bundle: their answers averaged, or their weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile, copytree
from typing import TYPE_CHECKING, Any

from sibu.core.errors import Fault, RecipeError
from sibu.core.example import as_names
from sibu.core.result import Report
from sibu.pipeline.backbone import build_task
from sibu.pipeline.bundle import about_of, manifest, read_manifest
from sibu.pipeline.plan import Plan, make_plan
from sibu.pipeline.progress import Progress, Silent
from sibu.pipeline.record import metrics_json, release_misses
from sibu.recipe import yaml
from sibu.recipe.fill import as_written
from sibu.recipe.load import Loaded
from sibu.store.atomic import new_folder, write_json

if TYPE_CHECKING:
    from torch import Tensor

COUNTED = frozenset({"counts", "pairs", "questions", "without_answer"})
"""What a task learned that has no part in its answers: it may differ from member to member."""
SCALED = frozenset({"mean", "deviation"})
"""Units of a task's scores: those of several members can be told in those of one, but weights cannot be averaged."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of several runs."""

    key: str
    """``seed`` or ``fold``."""
    number: int
    loaded: Loaded
    place: Path
    """Its bundle."""
    log: Path
    """The log of its steps, where there is one."""

    @property
    def name(self) -> str:
        """Its name in words."""
        return f"{self.key} {self.number}"


def require_members(members: Sequence[Member], *, soup: bool) -> None:
    """Every task's answers have a mean, and the members will know the same labels; looked at before any is trained.

    Labels are those of all training rows, before dev is split off, so that seeds and folds share them; only with few
    rows drawn (``shots``) may one lack what another has.

    Raises:
        RecipeError: When it is not so.
    """
    recipe = members[0].loaded.recipe
    for name, block in recipe.tasks.items():
        if not soup and not hasattr(build_task(block.task), "combine"):
            kind = block.task.type  # type: ignore[attr-defined]
            raise RecipeError(Fault("ensemble", f"answers of {name} ({kind}) have no mean.", "Leave it out."))
    if any(block.data.shots is not None for block in recipe.tasks.values()):
        plans = [make_plan(each.loaded, Silent(), encode=False) for each in members]
        states = [{name: each.task.state for name, each in plan.tasks.items()} for plan in plans]
        _require_alike(members, states, soup=soup)


def _require_alike(members: Sequence[Member], states: Sequence[Mapping[str, Any]], *, soup: bool) -> None:
    free = COUNTED if soup else COUNTED | SCALED
    for member, state in zip(members[1:], states[1:], strict=True):
        for name, first in states[0].items():
            own = state[name]
            for key in sorted((first.keys() | own.keys()) - free):
                if first.get(key) != own.get(key):
                    one, two = (_said(each.get(key)) for each in (first, own))
                    raise RecipeError(
                        Fault(
                            "ensemble",
                            f"the members of {name} differ in `{key}`: with {members[0].name} {one}, with "
                            f"{member.name} {two}.",
                            f"Raise `tasks.{name}.data.shots`, or settle it in the task (`labels`, `no_answer`, ...).",
                        )
                    )


def _said(value: Any) -> str:
    return as_names(map(str, value)) if isinstance(value, list) and value else repr(value)


def join(members: Sequence[Member], whole: Loaded, out: Path, told: Mapping[str, Any], progress: Progress) -> None:
    """Write the bundle of an ensemble.

    The files of the first member stand where a bundle has its own; ``members/<n>/`` has what the others have for
    themselves. Figures are those of all together. A dev that was split off the training rows is left out: what one
    member holds out, another was trained on.

    Args:
        members: The runs, done.
        whole: The recipe of all.
        out: Where the bundle goes.
        told: What the record says of the runs.
        progress: Where to tell how far it is.

    Raises:
        RecipeError: When the members do not know the same labels.
    """
    from sibu.pipeline.judged import evaluate_all
    from sibu.pipeline.write import member_folder, open_bundle

    _require_alike(members, [_json(each.place / "labels.json") for each in members], soup=False)
    first = members[0]
    about = {**about_of(first.place), "ensemble": len(members)}
    with new_folder(out) as folder:
        copytree(first.place, folder, dirs_exist_ok=True)
        for number, member in enumerate(members[1:], 2):
            _add(member.place, first.place, member_folder(folder, number))
        write_json(folder / "bundle.json", manifest(folder, about))
        plan = make_plan(first.loaded, Silent(), encode=False)
        split = {name for name, each in plan.tasks.items() if each.dev_was_split}
        progress.say(f"evaluating the {len(members)} members together")
        reports = evaluate_all(plan, open_bundle(folder).model, progress, leave_dev=split)
        own = {"by": "probabilities", "members": [_of_member(each) for each in members]}
        _finish(folder, first, whole, plan, reports, {**told, "ensemble": own}, about)


def stir(members: Sequence[Member], whole: Loaded, out: Path, told: Mapping[str, Any], progress: Progress) -> None:
    """Write the bundle of one model whose weights are the mean of several runs' that began from the same.

    The greedy soup of Wortsman et al., 2022, arXiv:2203.05482: from the run that is best on dev on, each where dev gets
    no worse. Heads, which begin from other random weights with each seed, are averaged as all else is.

    Args as in ``join``.

    Raises:
        RecipeError: When the members do not know the same labels.
    """
    from sibu.pipeline.judged import dev_score, dev_scores, evaluate_all
    from sibu.pipeline.soup import greedy
    from sibu.pipeline.write import open_bundle, rewrite_weights

    _require_alike(members, [_json(each.place / "labels.json") for each in members], soup=True)
    plan = make_plan(members[0].loaded, Silent(), encode=False)
    alone = [dev_score(plan, _values(_json(each.place / "metrics.json"), "dev")) for each in members]
    order = sorted(range(len(members)), key=lambda number: (-alone[number], number))
    first = members[order[0]]
    model: Any = open_bundle(first.place).model

    def load(number: int) -> dict[str, Tensor]:
        weights = open_bundle(members[number].place, device="cpu").model.state_dict()
        return {name: weight for name, weight in weights.items() if weight.is_floating_point()}

    def put(weights: Mapping[str, Tensor]) -> None:
        model.load_state_dict(weights, strict=False)

    used, best = greedy(order, load, put, lambda: dev_score(plan, dev_scores(plan, model)), alone[order[0]])
    progress.say(f"soup: the mean of the weights with {_names(members, used)}: dev {best:.4f}")
    about = about_of(first.place)
    with new_folder(out) as folder:
        copytree(first.place, folder, dirs_exist_ok=True)
        rewrite_weights(model, folder)
        reports = evaluate_all(plan, model, progress)
        own = {"by": "weights", "members": [_of_member(members[number]) for number in used], "dev": best}
        _finish(folder, first, whole, plan, reports, {**told, "ensemble": own}, about)


def _names(members: Sequence[Member], numbers: Sequence[int]) -> str:
    return ", ".join(members[number].name for number in numbers)


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _values(metrics: Mapping[str, Any], split: str) -> dict[str, dict[str, float]]:
    """Value by task and metric on a split."""
    return {
        task: {metric: score["value"] for metric, score in splits[split].items()}
        for task, splits in metrics.items()
        if split in splits
    }


def _of_member(member: Member) -> dict[str, Any]:
    record = _json(member.place / "record.json")
    return {member.key: member.number, "seconds": record["seconds"], "steps": record["steps"]}


def _add(place: Path, first: Path, home: Path) -> None:
    """Put what a member has for itself into its folder: weights, heads, and what its tasks counted."""
    from sibu.modalities.text._hf import TOKENIZER_FILES

    own, known = (read_manifest(each)["files"] for each in (place, first))
    differs = [name for name, about in own.items() if known.get(name, {}).get("sha256") != about["sha256"]]
    for part in ("model", "adapter"):
        if any(name.startswith(f"{part}/") for name in differs):  # whole: weights are found by what lies beside them
            names = [name for name in own if name.startswith(f"{part}/")]
            _copy(place, home, [name for name in names if name.removeprefix("model/") not in TOKENIZER_FILES])
    _copy(place, home, [name for name in ("heads.safetensors", "labels.json") if name in differs])


def _copy(place: Path, home: Path, names: Sequence[str]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        copyfile(place / name, home / name)


def _finish(
    folder: Path,
    first: Member,
    whole: Loaded,
    plan: Plan,
    reports: Sequence[Report],
    told: Mapping[str, Any],
    about: Mapping[str, Any],
) -> None:
    """Write all that a bundle says of itself: recipe, figures, record, pages, manifest."""
    from sibu.pipeline.report import write_pages

    recipe = whole_recipe(folder, whole)
    (folder / "recipe.yaml").write_text(yaml.dump(recipe), encoding="utf-8")
    metrics = metrics_json(reports)
    missed = release_misses(whole.recipe.release, metrics)
    write_json(folder / "metrics.json", metrics)
    record = _json(folder / "record.json") | told
    write_json(folder / "record.json", record)
    log = first.log.read_text(encoding="utf-8").splitlines() if first.log.is_file() else []
    write_pages(
        folder,
        recipe=recipe,
        reports=reports,
        record=record,
        gate=plan.gate.as_json(),
        steps=[json.loads(line) for line in log],
        evaluations=record["evaluations"],
        missed=missed,
    )
    release = {"conditions": len(whole.recipe.release), "missed": missed}
    write_json(folder / "bundle.json", manifest(folder, {**about, "release": release}))


def whole_recipe(bundle: Path, whole: Loaded) -> dict[str, Any]:
    """The recipe of one of several runs, as a bundle holds it, as that of all of them."""
    value, _ = yaml.parse((bundle / "recipe.yaml").read_text(encoding="utf-8"), "recipe.yaml")
    own = as_written(whole.recipe)
    value |= {key: own[key] for key in ("repeats", "ensemble", "release")}
    value["train"]["seed"] = own["train"]["seed"]
    return dict(value)
