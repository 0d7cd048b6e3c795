"""Every shipped recipe runs on data as its first lines say, with a tiny model; those of the benches are sound."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import yaml

import sibu
from sibu.recipe.load import validate
from tests.conftest import entity_rows, intent_rows, write_jsonl
from tests.tiny_tasks import (
    number_rows,
    pair_rows,
    plain_rows,
    question_rows,
    relation_rows,
    reply_rows,
    topic_rows,
    twin_rows,
)

ROOT = Path(__file__).parents[1]
SHIPPED = sorted((ROOT / "recipes").glob("*.yaml"))
MEASURED = sorted((ROOT / "bench/recipes").glob("*.yaml"))


def write_table(path: Path, rows: Iterable[dict]) -> None:
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)


def write_conll(path: Path, rows: Iterable[dict]) -> None:
    lines = []
    for row in rows:
        starts = {span["start"]: span for span in row["entities"]}
        for word in re.finditer(r"\S+", row["text"]):
            span = starts.get(word.start())
            lines.append(f"{word[0]} {'B-' + span['label'] if span else 'O'}")
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


def write_squad(path: Path, rows: Iterable[dict]) -> None:
    asked = [
        {"context": row["context"], "qas": [{"id": row["id"], "question": row["question"], "answers": answers}]}
        for row in rows
        for answers in [[{"text": a["text"], "answer_start": a["start"]} for a in row["answers"]]]
    ]
    path.write_text(json.dumps({"data": [{"paragraphs": asked}]}, ensure_ascii=False), encoding="utf-8")


def noted(count: int, *, seed: int = 0) -> list[dict]:
    """Entities and an intent of the same texts."""
    labels = [row["label"] for row in intent_rows(count, seed=seed)]
    return [row | {"intent": label} for row, label in zip(entity_rows(count, seed=seed), labels, strict=True)]


def premises(count: int, *, seed: int = 0) -> list[dict]:
    return [
        {"premise": row["text"], "hypothesis": "we need it", "label": row["label"]}
        for row in intent_rows(count, seed=seed)
    ]


def opinions(count: int, *, seed: int = 0) -> list[dict]:
    names = {"billing": "negative", "appointment": "positive"}
    return [row | {"label": names[row["label"]]} for row in intent_rows(count, seed=seed)]


def talks(count: int, *, seed: int = 0) -> list[dict]:
    return [row for row in reply_rows(4 * count, seed=seed) if "messages" in row]


ROWS: dict[str, Callable[..., list[dict]]] = {
    "intents": intent_rows,
    "topics": topic_rows,
    "pairs": premises,
    "similarity": number_rows,
    "entities": entity_rows,
    "entities-conll": entity_rows,
    "questions": question_rows,
    "relations": relation_rows,
    "domains": opinions,
    "lora": intent_rows,
    "probe": intent_rows,
    "few-labels": intent_rows,
    "no-labels": intent_rows,
    "domain": plain_rows,
    "vectors": twin_rows,
    "chinese": noted,
    "instructions": reply_rows,
    "dialogues": talks,
    "written-labels": intent_rows,
    "preferences": pair_rows,
    "rewards": reply_rows,
    "translation": reply_rows,
}
"""Rows of the files that a recipe names; those of ``several-tasks`` differ by task."""
BY_TASK = {"intent": intent_rows, "urgency": number_rows, "entities": entity_rows}


def files_of(data: dict) -> dict[str, str]:
    """Every file of a task, and the split it is for."""
    found: dict[str, str] = {}
    for split in ("train", "dev", "test"):
        value = data.get(split, [])
        names = [value] if isinstance(value, str) else value.values() if isinstance(value, dict) else value
        found |= dict.fromkeys(names, split)
    return found


def write_data(recipe: dict, folder: Path) -> None:
    for task, block in recipe["tasks"].items():
        rows = ROWS.get(recipe["name"]) or BY_TASK[task]
        for number, (name, split) in enumerate(files_of(block["data"]).items()):
            made = rows(40 if split == "train" else 16, seed=number)
            write = {".conll": write_conll, ".json": write_squad, ".jsonl": write_jsonl}.get(
                Path(name).suffix, write_table
            )
            write(folder / name, made)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_runs(path: Path, tmp_path: Path, tiny_model: Path, tiny_writer: Path) -> None:
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert recipe["name"] == path.stem
    write_data(recipe, tmp_path)
    (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    tiny = [f"train.epochs={min(recipe.get('train', {}).get('epochs', 1), 1)}", "train.learning_rate=1e-3"]
    if isinstance(recipe["model"], str):
        writes = recipe["model"] == "smollm2" or recipe["model"].startswith("runs/")
        tiny.append(f"model={tiny_writer if writes else tiny_model}")
    else:
        tiny += ["model.width=32", "model.vocabulary=400"]
    if "release" in recipe:
        tiny += [f"release.{name}={{at_least: 0}}" for name in recipe["release"]]
    bundle = sibu.run(tmp_path / path.name, tiny, out=tmp_path / "out")
    metrics = sibu.show(bundle)["metrics"]
    assert metrics.keys() == recipe["tasks"].keys()
    for task, block in recipe["tasks"].items():
        tests = block["data"]["test"]
        held_out = "train" in block["data"] and "shots" not in block["data"]
        assert metrics[task].keys() == {
            *(["dev"] if held_out else []),
            *(tests if isinstance(tests, dict) else ["test"]),
        }


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.stem)
def test_a_recipe_of_the_benches_is_sound(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert validate(yaml.safe_load(text), str(path), {}).name


def test_the_page_lists_every_recipe() -> None:
    page = (ROOT / "recipes" / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `([\w-]+\.yaml)`", page, re.M)) == [path.name for path in SHIPPED]
