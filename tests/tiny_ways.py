"""Ways of learning from few labels or none, each as a recipe on tiny data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sibu
from tests.conftest import intent_rows, write_jsonl
from tests.tiny_tasks import tiny_recipe


@dataclass
class Home:
    """Where the ways' data, models and bundles lie."""

    folder: Path
    encoder: Path
    writer: Path

    @cached_property
    def texts(self) -> Path:
        """Texts without labels."""
        rows = [{"text": f"{row['text']} {n}"} for n, row in enumerate(intent_rows(16, seed=7))]
        return write_jsonl(self.folder / "texts.jsonl", rows)

    @cached_property
    def dev(self) -> Path:
        """Labelled rows to choose by."""
        return write_jsonl(self.folder / "dev.jsonl", intent_rows(12, seed=8))

    @cached_property
    def judge(self) -> Path:
        """A bundle that tells whether one text follows from another."""
        rows = [
            {"text": f"{n} pain", "text_pair": f"good {n}", "label": ("entailment", "contradiction")[n % 2]}
            for n in range(16)
        ]
        data = {"train": str(write_jsonl(self.folder / "claims.jsonl", rows))}
        recipe = {"name": "judge", "model": str(self.encoder), "tasks": {"nli": {"type": "classify", "data": data}}}
        return sibu.run(recipe | {"train": {"epochs": 1}}, out=self.folder / "judge")

    @cached_property
    def filler(self) -> Path:
        """A bundle that fills in words."""
        return sibu.run(tiny_recipe("mask", "full", self.encoder, self.folder), out=self.folder / "filler")

    @cached_property
    def teacher(self) -> Path:
        """A bundle that knows the labels."""
        return sibu.run(tiny_recipe("classify", "full", self.encoder, self.folder), out=self.folder / "teacher")


Way = Callable[[dict, Home], None]


def _task(**more: object) -> Way:
    def way(recipe: dict, _: Home) -> None:
        recipe["tasks"]["it"] |= more

    return way


def _data(**more: object) -> Way:
    def way(recipe: dict, _: Home) -> None:
        recipe["tasks"]["it"]["data"] |= more

    return way


def _few(head: object) -> Way:
    def way(recipe: dict, _: Home) -> None:
        recipe["tasks"]["it"] |= {"head": head}
        recipe["tasks"]["it"]["data"]["shots"] = 4

    return way


def _between(recipe: dict, home: Home) -> None:
    _few("logistic")(recipe, home)
    recipe["train"]["interpolation"] = 0.7


def _untaught(recipe: dict, **more: object) -> None:
    del recipe["tasks"]["it"]["data"]["train"]
    labels = sorted({row["label"] for row in intent_rows(60)})
    recipe["tasks"]["it"] |= {"labels": labels} | more
    recipe["train"] = {"epochs": 0}


def _by_words(recipe: dict, _: Home) -> None:
    _untaught(recipe, head="labels")


def _entailed(recipe: dict, home: Home) -> None:
    recipe["model"] = str(home.judge)
    _untaught(recipe, entailed=True)


def _cloze(recipe: dict, home: Home) -> None:
    recipe["model"] = str(home.filler)
    words = dict(
        zip(sorted({row["label"] for row in intent_rows(60)}), ("book", "pain", "fever", "bill"), strict=False)
    )
    recipe["tasks"]["it"] |= {"cloze": {"pattern": "{text} {mask}", "words": words}}


def _likelihood(recipe: dict, home: Home) -> None:
    recipe["model"] = str(home.writer)
    _untaught(recipe, written={"by": "likelihood"})


def _examples(recipe: dict, home: Home) -> None:
    recipe["model"] = str(home.writer)
    recipe["tasks"]["it"] |= {"written": {"by": "likelihood", "examples": 1}}
    recipe["train"] = {"epochs": 0}


def _teacher(recipe: dict, home: Home) -> None:
    recipe["tasks"]["it"]["teacher"] = {"bundle": str(home.teacher)}
    recipe["tasks"]["it"]["data"]["unlabelled"] = str(home.texts)


def _consistency(recipe: dict, home: Home) -> None:
    recipe["tasks"]["it"]["consistency"] = {"augment": ["swap", "delete"], "threshold": 0.0}
    recipe["tasks"]["it"]["data"]["unlabelled"] = str(home.texts)


def _self_training(recipe: dict, home: Home) -> None:
    recipe["self_training"] = {"threshold": 0.3}
    recipe["tasks"]["it"]["data"]["unlabelled"] = str(home.texts)


def _rules(recipe: dict, home: Home) -> None:
    first, second = sorted({row["label"] for row in intent_rows(60)})[:2]
    rules = [{"label": first, "pattern": "[02468]$"}, {"label": second, "pattern": "[13579]$"}]
    recipe["tasks"]["it"]["data"] |= {"train": str(home.texts), "dev": str(home.dev), "rules": rules}


def _masked(recipe: dict, home: Home) -> None:
    recipe["tasks"]["it"]["data"]["augment"] = {"name": "masked", "model": str(home.filler)}


def _near(recipe: dict, home: Home) -> None:
    recipe["tasks"]["it"]["data"]["augment"] = {"name": "neighbours", "model": str(home.encoder), "least": -1.0}


def _reptile(recipe: dict, _: Home) -> None:
    recipe["tasks"]["it"]["head"] = "prototypes"
    recipe["train"]["reptile"] = {"steps": 2}


def _new_words(recipe: dict, _: Home) -> None:
    recipe["modalities"] = [{"name": "text", "new_words": 2}]


def _of_dev(**more: object) -> Way:
    def way(recipe: dict, home: Home) -> None:
        recipe["tasks"]["it"]["data"]["dev"] = str(home.dev)
        recipe |= {key: value for key, value in more.items() if key != "train"}
        recipe["train"] |= more.get("train", {})  # type: ignore[operator]

    return way


WAYS: dict[str, Way] = {
    "no label: `head: labels`": _by_words,
    "no label: `entailed`": _entailed,
    "no label, `written: {by: likelihood}`": _likelihood,
    "few labels: `cloze`": _cloze,
    "few labels: `head: logistic`": _few("logistic"),
    "few labels: `head: prototypes`": _few("prototypes"),
    "few labels: `prototypes`, `learn: episodes`": _few({"name": "prototypes", "learn": "episodes"}),
    "few labels: `head: neighbours`": _few("neighbours"),
    "few labels, `train.interpolation`": _between,
    "few labels, `written: {examples: 1}`": _examples,
    "`teacher`": _teacher,
    "`consistency`": _consistency,
    "`self_training`": _self_training,
    "`data.rules`": _rules,
    **{f"`augment: {way}`": _data(augment=way) for way in ("swap", "delete", "spelling", "keyboard")},
    "`augment: neighbours`": _near,
    "`augment: masked`": _masked,
    "`mixup`": _task(mixup=0.4),
    "`train.reptile`": _reptile,
    "`new_words`": _new_words,
    "`repeats`": _of_dev(repeats=2),
    "`ensemble: true`": _of_dev(repeats=2, ensemble=True),
    "`ensemble: soup`": _of_dev(repeats=2, ensemble="soup"),
    "`train.soup`": _of_dev(train={"soup": 2, "epochs": 2}),
}
"""Each is a task `classify`; ``tag`` without a label is `compared`, which has tests of its own."""


def tiny_way(way: str, method: str, home: Home) -> dict:
    """The recipe of a way by a method."""
    recipe = tiny_recipe("classify", {"name": method}, home.encoder, home.folder)
    WAYS[way](recipe, home)
    return recipe
