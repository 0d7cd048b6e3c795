"""A run from folders of pictures, with no file of rows: labels, the record, answers with their files' names."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import sibu
from sibu.cli import app
from sibu.core.errors import RecipeError
from sibu.pipeline.plan import mark_of
from sibu.pipeline.record import data_hashes
from sibu.recipe.load import load_recipe

COLOURS = {"红": (200, 30, 30), "blue": (30, 30, 200)}
TRAIN = {"epochs": 30, "learning_rate": 1e-2, "batch_tokens": 256, "seed": 5}


def paint(home: Path, count: int, seed: int = 0) -> Path:
    for label, colour in COLOURS.items():
        (home / label).mkdir(parents=True)
        for number in range(count):
            noise = np.random.default_rng([seed, number]).integers(-20, 20, (8, 8, 3))
            pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(home / label / f"{number}.PNG")
    return home


def test_a_run_of_folders(tmp_path: Path) -> None:
    train, test = paint(tmp_path / "训练", 12), paint(tmp_path / "test", 4, seed=1)
    (train / "blue" / "cut.png").write_bytes((train / "blue" / "0.PNG").read_bytes()[:60])
    (train / "notes.txt").write_text("x")
    recipe = tmp_path / "recipe.yaml"
    task = {"type": "classify", "data": {"train": "训练", "test": "test"}, "reader": "folder"}
    model = {"name": "image", "size": 8, "width": 16}
    text = {"name": "colours", "modalities": model, "tasks": {"it": task}, "train": TRAIN}
    recipe.write_text(json.dumps(text), encoding="utf-8")

    found = sibu.check(recipe)
    assert found.sound
    kinds = {kind for kind, _, _ in found.gate.faults.counts}
    assert {"unknown ending", "unreadable"} <= kinds
    mark = mark_of(load_recipe(recipe))

    bundle = sibu.run(recipe, out=tmp_path / "run")
    assert '"红"' in (bundle / "labels.json").read_text(encoding="utf-8")
    assert json.loads((bundle / "metrics.json").read_text())["it"]["test"]["accuracy"]["value"] == 1.0
    hashes = json.loads((bundle / "record.json").read_text(encoding="utf-8"))["data"]
    assert data_hashes([str(train)])[str(train)] in json.dumps(hashes)
    assert sibu.evaluate(bundle, test).scores["accuracy"].value == 1.0

    done = CliRunner().invoke(app, ["predict", str(bundle), "--input", str(test), "--quiet"])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert [line["id"] for line in lines] == [
        f"{label}/{number}.PNG" for label in ("blue", "红") for number in range(4)
    ]
    assert [line["value"] for line in lines] == ["blue"] * 4 + ["红"] * 4

    (train / "blue" / "cut.png").unlink()  # another content is another run
    assert mark_of(load_recipe(recipe)) != mark
    assert sibu.check(recipe).gate.faults.counts.keys() == {("unknown ending", "warning", str(train))}

    (test / ".DS_Store").write_text("x")
    (test / "note.wav").write_bytes(b"RIFF")
    done = CliRunner().invoke(app, ["predict", str(bundle), "--input", str(test)])
    assert done.exit_code == 0
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [line["id"] for line in lines]
    assert "warning: hidden file: 1 in " in done.stderr
    assert "'note.wav' is a recording; `kind` is image. It is left out." in done.stderr


def test_folders_without_labels_are_told_by_their_columns(tmp_path: Path) -> None:
    home = paint(tmp_path / "a", 3)
    for file in home.glob("*/*.PNG"):
        file.rename(home / f"{file.parent.name}{file.name}")
    task = {"type": "classify", "data": {"train": str(home)}, "reader": "folder"}
    recipe = {"name": "a", "modalities": {"name": "image", "size": 8}, "tasks": {"it": task}}
    with pytest.raises(RecipeError, match=r"there is no column 'label'\..*The files have: id, image"):
        sibu.check(recipe)


def test_a_folder_answers_for_a_column_of_another_name(tmp_path: Path) -> None:
    for split in ("train", "test"):
        home = paint(tmp_path / split, 4)
        rows = [
            {"影像": f"{split}/{each.relative_to(home)}", "label": each.parent.name} for each in home.rglob("*.PNG")
        ]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    data = {split: str(tmp_path / f"{split}.jsonl") for split in ("train", "test")}
    model = {"name": "image", "field": "影像", "size": 8, "width": 16}
    task = {"type": "classify", "data": data}
    recipe = {"name": "x", "modalities": model, "tasks": {"it": task}, "train": TRAIN | {"epochs": 1}}
    bundle = sibu.run(recipe, out=tmp_path / "run")
    done = CliRunner().invoke(app, ["predict", str(bundle), "--input", str(tmp_path / "test")])
    assert done.exit_code == 0 and len(done.stdout.splitlines()) == 8
    assert "warning" not in done.stderr
