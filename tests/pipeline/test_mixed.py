"""Runs of several modalities: pictures, tables and texts, alone and together, with any of them missing."""

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import sibu
from sibu.cli import app
from sibu.core.columns import Column
from sibu.core.errors import DataError, RecipeError, SibuError
from sibu.core.tensors import Batch, Encoded
from sibu.fusions import FUSIONS
from sibu.heads import HEADS
from sibu.heads.linear import LinearSpec
from sibu.pipeline.assemble import Model, objective
from sibu.pipeline.backbone import build_task
from sibu.pipeline.data import placed
from sibu.pipeline.mixed import _digest
from sibu.pipeline.subsets import shapley, subsets
from sibu.tasks import TASKS
from tests.conftest import write_jsonl
from tests.pipeline.test_resume import same_bits

COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200)}
SAID = {"red": "the red pill for the head", "blue": "蓝色的药，胸痛 my chest"}
IMAGE = {"name": "image", "size": 8, "width": 16}
TABLE = {"name": "table", "columns": ["dose", "route"], "width": 16, "heads": 2, "layers": 1}
TRAIN = {"epochs": 4, "learning_rate": 3e-3, "batch_tokens": 256, "seed": 5}


def rows_of(home: Path, count: int, *, seed: int = 0, missing: bool = True) -> list[dict[str, Any]]:
    """Rows whose label stands in picture, text and table alike; of a third one of them is missing."""
    from PIL import Image

    (home / "pictures").mkdir(parents=True, exist_ok=True)
    draw, rows = Random(seed), []
    for number in range(count):
        label = draw.choice(list(COLOURS))
        noise = np.random.default_rng([seed, number]).integers(-25, 25, (10, 12, 3))
        file = home / "pictures" / f"{seed}-{number}.png"
        Image.fromarray((np.array(COLOURS[label]) + noise).clip(0, 255).astype(np.uint8)).save(file)
        dose = draw.uniform(0, 1) + (label == "red")
        row = {"image": f"pictures/{file.name}", "text": f"{SAID[label]} {number}", "dose": round(dose, 3)}
        row |= {"route": "oral" if label == "red" else "iv", "label": label, "number": dose * 2}
        if missing and number % 3 == 0:
            for key in draw.choice([("image",), ("text",), ("dose", "route")]):
                row[key] = None
        rows.append(row)
    return rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mixed")
    write_jsonl(place / "train.jsonl", rows_of(place, 60))
    write_jsonl(place / "test.jsonl", rows_of(place, 30, seed=1))
    whole = rows_of(place, 60, seed=2, missing=False)
    write_jsonl(place / "whole.jsonl", whole)
    write_jsonl(place / "whole-test.jsonl", rows_of(place, 30, seed=3, missing=False))
    return place


def recipe_of(home: Path, model: Path | None, modalities: Any, *, train: str = "train", **more: Any) -> dict[str, Any]:
    test = "test" if train == "train" else "whole-test"
    data = {"train": str(home / f"{train}.jsonl"), "test": str(home / f"{test}.jsonl")}
    found = {"name": "mixed", "modalities": modalities, "tasks": {"pill": {"type": "classify", "data": data}}}
    return found | ({} if model is None else {"model": str(model)}) | {"train": TRAIN} | more


@pytest.fixture(scope="module")
def bundle(home: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = recipe_of(home, tiny_model, ["text", IMAGE, TABLE])
    return sibu.run(recipe, out=tmp_path_factory.mktemp("runs") / "joined")


def test_three_modalities_are_learned_together(bundle: Path) -> None:
    metrics = json.loads((bundle / "metrics.json").read_text())
    assert metrics["pill"]["test"]["accuracy"]["value"] > 0.8
    record = json.loads((bundle / "record.json").read_text())
    found = record["modalities"]["pill"]["test"]
    assert [each["of"] for each in found["subsets"]] == [
        ["text"], ["image"], ["table"], ["text", "image"], ["text", "table"], ["image", "table"],
        ["text", "image", "table"],
    ]  # fmt: skip
    assert [each["noise"] for each in found["noise"]] == ["text", "image", "table"]
    whole = found["subsets"][-1]["scores"]["accuracy"]
    assert whole == pytest.approx(metrics["pill"]["test"]["accuracy"]["value"], abs=1e-6)
    assert set(found["shares"]) == {"text", "image", "table"}
    assert "fusion:\n  name: concat" in (bundle / "recipe.yaml").read_text()  # the default of several, written out


def test_the_report_shows_what_each_did(bundle: Path) -> None:
    page = (bundle / "report.html").read_text(encoding="utf-8")
    found = json.loads((bundle / "record.json").read_text())["modalities"]["pill"]["test"]
    assert "What each modality does" in page
    for each in found["subsets"]:
        row = page.split(f'<th scope="row">{" + ".join(each["of"])}</th>')[1].split("</tr>")[0]
        assert f">{each['scores']['accuracy']:.3f}<" in row or f">{each['scores']['accuracy']:.4f}<" in row
    assert all(f'<th scope="row">all, with noise on {each["noise"]}</th>' in page for each in found["noise"])
    adds = page.split("adds to an answer")[1]
    assert all(f"{value:.3f}" in adds or f"{value:.4f}" in adds for value in found["shares"].values())


def test_a_bundle_answers_as_the_run_did(bundle: Path, home: Path) -> None:
    known = json.loads((bundle / "metrics.json").read_text())["pill"]["test"]
    again = sibu.evaluate(bundle, home / "test.jsonl")
    assert again.scores["accuracy"].value == known["accuracy"]["value"]


def test_any_subset_is_answered_and_says_what_each_did(bundle: Path, home: Path) -> None:
    row = rows_of(home, 3, seed=1, missing=False)[1]
    row["image"] = str(home / row["image"])
    model = sibu.load(bundle)
    parts = {"text": ("text",), "image": ("image",), "table": ("dose", "route")}
    asked = [kept for kept in subsets(list(parts)) if kept]
    inputs = [{key: row[key] for name in kept for key in parts[name]} for kept in asked]
    for kept, answer in zip(asked, model.predict(inputs), strict=True):
        weights = {each.content: each.weight for each in answer.evidence if each.kind == "modality"}
        assert set(weights) == set(parts)
        assert all(weights[name] == 0 for name in set(parts) - kept)
    whole = model.predict(inputs)[-1]
    assert whole.value == row["label"]


def test_answers_do_not_depend_on_their_neighbours(bundle: Path, home: Path) -> None:
    rows = [{**row, "image": row["image"] and str(home / row["image"])} for row in rows_of(home, 9, seed=1)]
    model = sibu.load(bundle)
    for row, together in zip(rows, model.predict(rows), strict=True):
        alone = model.predict(row)
        assert alone.value == together.value
        assert alone.score == pytest.approx(together.score, abs=1e-5)


def test_nothing_at_all_is_refused(bundle: Path) -> None:
    model = sibu.load(bundle)
    with pytest.raises(
        DataError, match=r"there is no 'text' or 'image' or 'table' \(dose, route\); the input has 'note'"
    ):
        model.predict({"note": "x"})


@pytest.mark.parametrize("fusion", ["late", "bottleneck"])
def test_other_fusions(fusion: str, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(home, tiny_model, ["text", IMAGE, TABLE], fusion=fusion)
    bundle = sibu.run(recipe, out=tmp_path / "run")
    known = json.loads((bundle / "metrics.json").read_text())["pill"]["test"]["accuracy"]["value"]
    assert known > 0.75
    assert sibu.evaluate(bundle, home / "test.jsonl").scores["accuracy"].value == known
    weights = json.loads((bundle / "record.json").read_text())["modalities"]["pill"]["test"].get("weights")
    assert (weights is not None) == (fusion == "late")


def test_one_modality_without_texts(home: Path, tmp_path: Path) -> None:
    bundle = sibu.run(
        recipe_of(home, None, IMAGE, train="whole") | {"train": TRAIN | {"epochs": 12}}, out=tmp_path / "run"
    )
    assert json.loads((bundle / "metrics.json").read_text())["pill"]["test"]["accuracy"]["value"] > 0.9
    assert not (bundle / "model").exists()
    assert sibu.load(bundle).predict({"image": str(home / "pictures" / "1-1.png")}).value in COLOURS


def test_a_number_from_a_table(home: Path, tmp_path: Path) -> None:
    data = {"train": str(home / "whole.jsonl"), "test": str(home / "whole-test.jsonl")}
    task = {"type": "regress", "data": data, "fields": {"number": "number"}}
    recipe = {"name": "t", "modalities": TABLE, "tasks": {"dose": task}, "train": TRAIN | {"epochs": 12}}
    bundle = sibu.run(recipe, out=tmp_path / "run")
    assert json.loads((bundle / "metrics.json").read_text())["dose"]["test"]["pearson"]["value"] > 0.8


def test_the_same_again(home: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(home, tiny_model, ["text", IMAGE, TABLE], fusion="gated")
    recipe["train"] = TRAIN | {"epochs": 1, "modality_balance": 0.5, "modality_noise": 0.3}
    weights = [(sibu.run(recipe, out=tmp_path / n) / "heads.safetensors").read_bytes() for n in ("one", "two")]
    assert weights[0] == weights[1]


def test_noise_is_anew_at_each_step_and_the_same_again(home: Path, tiny_model: Path, tmp_path: Path) -> None:
    from sibu.cli.console import progress
    from sibu.pipeline.plan import make_plan
    from sibu.pipeline.prepare import open_accelerator, prepare
    from sibu.recipe.load import load_recipe

    recipe = recipe_of(home, tiny_model, ["text", IMAGE, TABLE])
    recipe["train"] = TRAIN | {"modality_noise": 0.5}
    plan = make_plan(load_recipe(recipe), progress(quiet=True), encode=True)
    trained = prepare(plan, open_accelerator(plan), tmp_path, progress(quiet=True))
    (stream,), records = trained.schedule.streams, np.arange(12)
    one, again, later = (trained.make(stream, records, step) for step in (1, 1, 2))
    for name, key in (("text", "input_ids"), ("image", "pixels"), ("table", "numbers")):
        first, second, third = (batch.inputs[name][key].double().nan_to_num() for batch in (one, again, later))
        assert bool((first == second).all())
        changed = (first != third).flatten(1).any(1)
        assert bool(changed.any())
        assert not bool(changed.all())


def test_balance_changes_what_is_learned(home: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(home, tiny_model, ["text", TABLE])
    found = []
    for balance in (0.0, 2.0):
        recipe["train"] = TRAIN | {"epochs": 1, "modality_balance": balance}
        found.append((sibu.run(recipe, out=tmp_path / str(balance)) / "heads.safetensors").read_bytes())
    assert found[0] != found[1]


def test_places_of_a_text_are_told_with_a_table_beside(tiny_model: Path, tmp_path: Path) -> None:
    draw, rows = Random(3), []
    for number in range(80):
        kind = draw.choice(["a", "b"])  # which of the two words is meant stands in the table alone
        text = f"take aspirin or ibuprofen {number % 7}"
        span = (5, 12) if kind == "a" else (16, 25)
        entity = {"start": span[0], "end": span[1], "label": "drug"}
        rows.append({"text": text, "ward": kind, "entities": [entity]})
    write_jsonl(tmp_path / "train.jsonl", rows)
    data = {"train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "train.jsonl")}
    recipe = {
        "name": "t",
        "model": str(tiny_model),
        "modalities": ["text", TABLE | {"columns": ["ward"], "hide": 0.0}],
        "fusion": "cross_attention",
        "tasks": {"drugs": {"type": "tag", "data": data}},
        "train": TRAIN | {"epochs": 12, "modality_dropout": 0.0},
    }
    bundle = sibu.run(recipe, out=tmp_path / "run")
    model = sibu.load(bundle)
    found = [model.predict({"text": "take aspirin or ibuprofen 3", "ward": ward}).value for ward in ("a", "b")]
    assert [[each["text"] for each in own] for own in found] == [["aspirin"], ["ibuprofen"]]


def test_unreadable_files_are_named_and_the_rest_goes_on(home: Path, tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 20, missing=False)
    whole = (tmp_path / rows[4]["image"]).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture")
    for number, name in enumerate(("cut.png", "empty.png", "text.png", "gone.png", "长" * 200 + ".png"), 3):
        rows[number] = {"image": name, "label": rows[number]["label"]}
    write_jsonl(tmp_path / "train.jsonl", rows)
    data = {"train": str(tmp_path / "train.jsonl")}
    recipe = {"name": "t", "modalities": IMAGE, "tasks": {"pill": {"type": "classify", "data": data}}}
    found = sibu.check(recipe)
    assert found.sound
    faults = {fault.row: str(fault) for fault in found.gate.faults.examples if fault.kind == "unreadable"}
    assert sorted(faults) == [4, 5, 6, 7, 8]
    assert "cut off or damaged" in faults[4]
    assert "has 0 bytes" in faults[5]
    assert "no picture that can be read" in faults[6]
    assert "No file" in faults[7]
    assert "cannot be read: File name too long" in faults[8]
    assert found.gate.faults.skipped == {str(tmp_path / "train.jsonl"): 5}
    bundle = sibu.run(recipe | {"train": {"epochs": 1}}, out=tmp_path / "run")
    assert "unreadable" in (bundle / "report.html").read_text()


def test_of_a_file_of_which_nothing_can_be_read_its_own_faults_are_told(home: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", [{"image": "gone.png", "label": "red"}, *rows_of(tmp_path, 8, missing=False)])
    write_jsonl(tmp_path / "test.jsonl", [{"image": "away.png", "label": "red"}])
    data = {each: str(tmp_path / f"{each}.jsonl") for each in ("train", "test")}
    with pytest.raises(DataError, match="no row has a value that can be read") as error:
        sibu.check({"name": "t", "modalities": IMAGE, "tasks": {"pill": {"type": "classify", "data": data}}})
    assert "away.png" in str(error.value) and "gone.png" not in str(error.value)


def test_a_folder_whose_pictures_changed_is_read_anew(tmp_path: Path) -> None:
    place = tmp_path / "video"
    place.mkdir()
    (place / "1.png").write_bytes(b"one")
    first = _digest(str(place))
    assert _digest(str(place)) == first
    (place / "1.png").write_bytes(b"two")
    assert _digest(str(place)) != first
    (place / "1.png").write_bytes(b"one")
    assert _digest(str(place)) == first


def test_the_home_of_nobody_is_told() -> None:
    with pytest.raises(ValueError, match="begins with '~nobody-of-that-name', and there is no such user"):
        placed("~nobody-of-that-name/a.png", Column("image", "file", "input"), Path("/data"))


def test_a_modality_that_no_row_has_is_told(home: Path, tiny_model: Path, tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 20, missing=False)
    write_jsonl(tmp_path / "train.jsonl", [{**row, "image": None} for row in rows])
    recipe = recipe_of(home, tiny_model, ["text", IMAGE])
    recipe["tasks"]["pill"]["data"]["train"] = str(tmp_path / "train.jsonl")
    (told,) = [fault for fault in sibu.check(recipe).gate.faults.examples if fault.kind == "empty modality"]
    assert "no row has a value of 'image' that can be read" in str(told)


def test_columns_that_no_row_of_a_file_has_are_told(bundle: Path, home: Path, tmp_path: Path) -> None:
    rows = [{"text": row["text"], "Image": str(home / row["image"]), "label": row["label"]} for row in rows_of(home, 3)]
    file = write_jsonl(tmp_path / "in.jsonl", [{k: v for k, v in row.items() if v is not None} for row in rows])
    done = CliRunner().invoke(app, ["predict", str(bundle), "--input", str(file)])
    told = "has 'image', 'dose', 'route'; not read: 'Image'. Did you mean 'Image'?"
    assert f"warning: no row of {file} {told}" in done.stderr
    file = write_jsonl(tmp_path / "in.jsonl", [{"text": row["text"] or "red", "id": "a"} for row in rows])
    done = CliRunner().invoke(app, ["predict", str(bundle), "--input", str(file)])
    assert (done.exit_code, done.stderr) == (0, "")  # a modality left out on purpose
    file.write_text("image,text\n,red pill\n", encoding="utf-8")
    file = file.rename(tmp_path / "in.csv")
    (answer,) = CliRunner().invoke(app, ["predict", str(bundle), "--input", str(file)]).stdout.splitlines()
    assert json.loads(answer)["value"] in COLOURS


def test_a_task_whose_rows_have_no_texts(home: Path, tiny_model: Path, tmp_path: Path) -> None:
    """One task of sentences and pictures, another of pictures alone."""
    rows = [{"image": str(home / row["image"]), "label": row["label"]} for row in rows_of(home, 24, missing=False)]
    recipe = recipe_of(home, tiny_model, ["text", IMAGE], train="whole")
    file = str(write_jsonl(tmp_path / "seen.jsonl", rows))
    recipe["tasks"]["seen"] = {"type": "classify", "data": {"train": file, "test": file}}
    figures = json.loads((sibu.run(recipe, out=tmp_path / "run") / "metrics.json").read_text())
    assert figures["seen"]["test"]["accuracy"]["value"] > 0.7
    assert figures["pill"]["test"]["accuracy"]["value"] > 0.7


@pytest.mark.parametrize("fusion", ["late", "concat"])
def test_a_fusion_of_one_is_left_out(fusion: str, home: Path, tmp_path: Path) -> None:
    recipe = recipe_of(home, None, TABLE, train="whole", fusion=fusion)
    (told,) = [fault for fault in sibu.check(recipe).gate.faults.examples if fault.kind == "nothing to join"]
    assert told.message == f"`fusion: {fusion}` joins several modalities, and there is one (`table`): it is left out."
    bundle = sibu.run(recipe, out=tmp_path / "run")
    plain = sibu.run({key: value for key, value in recipe.items() if key != "fusion"}, out=tmp_path / "plain")
    assert (bundle / "heads.safetensors").read_bytes() == (plain / "heads.safetensors").read_bytes()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_empty_cells_are_missing_modalities(form: str, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    rows = [
        {"image": str(home / row["image"]), "text": row["text"], "label": row["label"]}
        for row in rows_of(home, 30, missing=False)
    ]
    for number, row in enumerate(rows):
        row |= {0: {"image": ""}, 1: {"text": " "}}.get(number % 5, {})
    rows.append({"image": "", "text": "", "label": "red"})
    file = tmp_path / f"train.{form}"
    if form == "csv":
        lines = [",".join(row.values()) for row in [dict(zip(rows[0], rows[0], strict=True)), *rows]]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        write_jsonl(file, rows)
    recipe = recipe_of(home, tiny_model, ["text", IMAGE], train="whole")
    recipe["tasks"]["pill"]["data"]["train"] = str(file)
    found = sibu.check(recipe)
    (told,) = [fault for fault in found.gate.faults.examples if fault.severity == "error"]
    assert told.message == "'text', 'image': none has a value."
    with pytest.raises(SibuError, match=r"'text', 'image': none has a value. Fill one in, or remove the row."):
        sibu.run(recipe, out=tmp_path / "run")
    if form == "csv":
        file.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    else:
        write_jsonl(file, rows[:-1])
    bundle = sibu.run(recipe, out=tmp_path / "run")
    assert json.loads((bundle / "record.json").read_text())["rows"]["pill"]["train"] > 20


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--value", "dose=1", "--value", "dose=2"], "--value dose= is given twice"),
        (["--value", "dose=1", "--value", "rute=oral"], "reads no rute; it reads text, "),
        (["--text", "the red pill", "--value", "note=x"], "reads no note"),
    ],
)
def test_a_value_that_would_be_lost_is_refused(args: list[str], told: str, bundle: Path) -> None:
    done = CliRunner().invoke(app, ["predict", str(bundle), *args])
    assert done.exit_code == 2
    assert told in " ".join(done.output.replace("│", " ").split())


def test_show_names_the_modalities(bundle: Path) -> None:
    assert "modalities: text, image, table\n" in CliRunner().invoke(app, ["show", str(bundle)]).stdout


def test_frozen_pictures_are_encoded_once(home: Path, tmp_path: Path) -> None:
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=16, patch_size=8
    )
    ViTModel(config, add_pooling_layer=False).save_pretrained(tmp_path / "vit")
    said = {"image_processor_type": "ViTImageProcessor", "do_resize": True, "size": {"height": 16, "width": 16}}
    said |= {"do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (tmp_path / "vit" / "preprocessor_config.json").write_text(json.dumps(said))
    recipe = recipe_of(home, tmp_path / "vit", "image", train="whole", method="probe")
    bundle = sibu.run(recipe, out=tmp_path / "run")
    known = json.loads((bundle / "metrics.json").read_text())["pill"]["test"]
    again = sibu.evaluate(bundle, home / "whole-test.jsonl")
    assert {name: score.value for name, score in again.scores.items()} == {n: s["value"] for n, s in known.items()}
    assert (bundle / "model" / "config.json").is_file()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"modalities": ["text", IMAGE, IMAGE]}, "modalities: names one twice"),
        ({"modalities": ["text", "text"]}, "Keep one `text`: a second text of a row is `text_pair`"),
        ({"modalities": ["text", TABLE | {"field": "values"}]}, "'values' cannot be the name of a modality"),
        (
            {"modalities": ["text", TABLE | {"columns": ["dose", "rout"]}]},
            "there is no column 'rout', which `columns` of `table` names. Did you mean 'route'?",
        ),
        ({"modalities": {**TABLE, "columns": ["x"]}, "model": None}, "no column 'x', which `columns` of `table` names"),
        ({"fusion": "identity"}, "`identity` hands on one modality, and there are several"),
        ({"model": None}, "model: is missing. Add it."),
        ({"modalities": [IMAGE, TABLE], "model": None, "type": "tag"}, "`tag` reads texts, and there are none"),
        (
            {"fusion": "late", "head": "logistic"},
            "by heads that train with the encoder. Choose another `fusion`: `concat`, ",
        ),
        ({"knowledge": {"names": "n.txt", "use": "gazetteer"}}, "knowledge: is for texts alone"),
        ({"head": "labels"}, "`labels` is for texts alone, and there are the modalities 'table'"),
        ({"data": {"augment": "swap"}}, "data.augment: is for texts alone"),
        ({"data": {"unlabelled": "u.jsonl"}, "consistency": {}}, "consistency: is for texts alone"),
    ],
)
def test_what_does_not_go_together(change: dict, told: str, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    change = dict(change)
    recipe = recipe_of(home, tiny_model, ["text", TABLE])
    for key in ("type", "head", "consistency", "teacher"):
        if key in change:
            recipe["tasks"]["pill"][key] = change.pop(key)
    recipe["tasks"]["pill"]["data"] = recipe["tasks"]["pill"]["data"] | change.pop("data", {})
    recipe |= change
    recipe = {key: value for key, value in recipe.items() if value is not None}
    (home / "n.txt").write_text("aspirin\tdrug\n")
    with pytest.raises(RecipeError) as error:
        sibu.run(recipe, out=tmp_path / "run")
    assert told in str(error.value)


def pool_of(home: Path, folder: Path) -> Path:
    """Rows without labels, in a folder of their own: some new, one twice, one of the training file, one unreadable."""
    rows = [{k: v for k, v in row.items() if k not in ("label", "number")} for row in rows_of(folder, 12, seed=7)]
    same = {k: v for k, v in json.loads((home / "whole.jsonl").read_text().splitlines()[0]).items() if k != "label"}
    (folder / "pictures" / "empty.png").write_bytes(b"")
    hollow = {"image": "pictures/empty.png", "text": None, "dose": None, "route": None}
    return write_jsonl(folder / "pool.jsonl", [*rows, rows[1], same | {"image": str(home / same["image"])}, hollow])


@pytest.mark.parametrize("modalities", [[IMAGE, TABLE], ["text", IMAGE, TABLE]])
def test_rows_without_labels_teach_with_all_their_values(
    modalities: Any, home: Path, tiny_model: Path, tmp_path: Path
) -> None:
    """What a model is sure of comes behind the training rows, less what a split has: values count by their content."""
    pool = pool_of(home, tmp_path / "elsewhere")
    own = {"train": "whole", "self_training": {"threshold": 0.5, "balance": False}}
    recipe = recipe_of(home, tiny_model if "text" in modalities else None, modalities, **own)
    recipe["tasks"]["pill"]["data"]["unlabelled"] = str(pool)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    (first, second) = record["self_training"]["rounds"]
    rows = [json.loads(line) for line in pool.read_text().splitlines()]
    seen = [row for row in rows[:12] if any(row[key] for key in ("image", "dose", *["text"][: len(modalities) - 2]))]
    assert first["labelled"] == {}
    assert sum(second["labelled"]["pill"].values()) == len(seen)  # less the training file's, each once
    if record["self_training"]["best"] == 1:
        assert record["augmented"]["pill"]["self_training"] == len(seen)
    assert second["scores"]["pill"]["test"]["accuracy"] > 0.8


def test_rows_to_label_are_chosen_among_texts_alone(bundle: Path, home: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app,
        [
            "label",
            str(bundle),
            "--input",
            str(home / "test.jsonl"),
            "--count",
            "2",
            "--output",
            str(tmp_path / "out.jsonl"),
        ],
    )
    assert done.exit_code == 1
    assert "The bundle reads 'image', 'table' beside texts; rows to label are chosen among texts alone." in str(
        done.exception
    )


def test_a_simulation_chooses_among_texts_alone(home: Path, tmp_path: Path) -> None:
    recipe = recipe_of(home, None, [IMAGE, TABLE])
    with pytest.raises(RecipeError, match="chooses among texts alone, and the recipe reads 'image', 'table'"):
        sibu.simulate_labels(recipe, start=10, count=5, rounds=1, output=tmp_path / "curve.json")


def test_a_teacher_reads_values_in_its_own_way(bundle: Path, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    """It has pictures of another size and a table of its own, and answers for labelled and unlabelled rows."""
    pool = pool_of(home, tmp_path / "elsewhere")
    recipe = recipe_of(home, None, [IMAGE | {"size": 12}, TABLE | {"layers": 0}], train="whole")
    block = recipe["tasks"]["pill"]
    block["data"]["unlabelled"] = str(pool)
    block["teacher"] = {"bundle": str(bundle), "weight": 1}
    found = sibu.run(recipe, out=tmp_path / "out")
    made = json.loads((found / "record.json").read_text())["augmented"]["pill"]
    assert made["teacher, there already"] >= 2
    assert made["teacher"] >= 8
    assert json.loads((found / "metrics.json").read_text())["pill"]["test"]["accuracy"]["value"] > 0.8
    deaf = recipe_of(home, tiny_model, ["text"], train="whole")
    deaf = sibu.run(deaf, out=tmp_path / "deaf")
    recipe = recipe_of(home, tiny_model, ["text", TABLE])
    recipe["tasks"]["pill"]["teacher"] = {"bundle": str(deaf)}
    with pytest.raises(DataError, match=r"can read nothing of \d+ of \d+ training rows: they have not what it reads"):
        sibu.run(recipe, out=tmp_path / "none")
    recipe["tasks"]["pill"]["data"]["train"] = str(home / "whole.jsonl")  # all have a text
    sibu.run(recipe, out=tmp_path / "heard")


def test_a_broken_run_of_several_modalities_goes_on_to_the_same_bits(
    home: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values left out, noised, hidden and shifted are drawn by the step, and batches are made ahead of it."""
    train = TRAIN | {"epochs": 3, "max_steps": 12, "checkpoint_every": 4, "modality_dropout": 0.3}
    train |= {"modality_noise": 0.3, "modality_balance": 0.5}
    recipe = recipe_of(home, tiny_model, ["text", IMAGE | {"shift": 0.1}, TABLE | {"hide": 0.3}], fusion="gated")
    recipe["train"] = train
    same_bits(recipe, tmp_path, 8, monkeypatch)


@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_shares_sum_up(values: list[float]) -> None:
    names = ["a", "b", "c"]
    found = shapley(names, dict(zip(subsets(names), values, strict=True)))
    assert sum(found.values()) == pytest.approx(values[-1] - values[0], abs=1e-9)


def test_shares_of_alike_players_are_alike() -> None:
    values = {kept: float(len(kept & {"a", "b"}) == 2) for kept in subsets(["a", "b", "idle"])}
    assert shapley(["a", "b", "idle"], values) == pytest.approx({"a": 0.5, "b": 0.5, "idle": 0.0})


def test_what_the_gate_sees_in_all_values(tmp_path: Path) -> None:
    from PIL import Image

    rows = []
    for number in range(60):
        draw = np.random.default_rng(number)
        small = draw.integers(0, 255, (6, 6, 3)).astype(np.uint8)
        picture = Image.fromarray(small).resize((48, 48), Image.Resampling.BICUBIC)
        picture.save(tmp_path / f"{number}.png")
        label = "ab"[number % 2]
        row = {
            "image": f"{number}.png",
            "label": label,
            "outcome": label * 2,
            "ward": "one",
            "age": int(draw.integers(9)),
        }
        rows.append(row)
    with Image.open(tmp_path / "3.png") as picture:
        picture.resize((64, 64)).save(tmp_path / "again.png")  # the same picture, with another label
        picture.resize((40, 40)).save(tmp_path / "test.png")
    write_jsonl(tmp_path / "train.jsonl", [*rows, rows[3] | {"image": "again.png", "label": "a", "outcome": "aa"}])
    (tmp_path / "copy.png").write_bytes((tmp_path / "5.png").read_bytes())
    copies = [rows[5] | {"image": "copy.png", "age": 77}, rows[7]]
    write_jsonl(tmp_path / "test.jsonl", [rows[3] | {"image": "test.png"}, *copies])
    data = {"train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "test.jsonl")}
    data["dev"] = data["test"]
    columns = {"columns": ["outcome", "ward", "age"]}
    recipe = {"name": "t", "modalities": [{"name": "image", "size": 48}, {"name": "table"} | columns]}
    found = sibu.check(recipe | {"tasks": {"kind": {"type": "classify", "data": data}}})
    told = {(fault.kind, fault.row) for fault in found.gate.faults.examples}
    leaks = {fault.row: fault.message for fault in found.gate.faults.examples if fault.kind in ("near leak", "leak")}
    assert leaks[2].startswith("the same image is in the training data (")
    assert "the same image" not in leaks[3]  # the row as a whole was told
    assert {("near leak", 1), ("telling column", None), ("constant column", None)} <= told
    kinds = {fault.row: fault.message for fault in found.gate.faults.examples if fault.kind == "conflicting labels"}
    assert any("nearly the same image as line" in message for message in kinds.values())


@pytest.mark.parametrize("fields", [{}, {"label": "group"}])
def test_what_is_to_be_told_is_no_column_of_the_table(
    fields: dict[str, str], home: Path, tiny_model: Path, tmp_path: Path
) -> None:
    told = fields.get("label", "label")
    recipe = recipe_of(home, tiny_model, ["text", TABLE | {"columns": ["route", told]}])
    recipe["tasks"]["pill"]["fields"] = fields
    files = recipe["tasks"]["pill"]["data"]
    for split, file in files.items():
        rows = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]
        files[split] = str(home / f"told.{split}.jsonl")
        write_jsonl(Path(files[split]), [row | {told: row["label"]} for row in rows])
    with pytest.raises(RecipeError) as error:
        sibu.check(recipe)
    said = f"modalities.table: '{told}' is what pill is to tell, and stands among the table's columns. Leave it out"
    assert said in str(error.value)
    recipe["modalities"][-1]["columns"].remove(told)
    sibu.check(recipe)


class Named(torch.nn.Module):
    """An encoder whose vectors are its input's."""

    width = 4

    def forward(self, inputs: dict[str, torch.Tensor]) -> Encoded:
        return Encoded(inputs["vectors"], inputs["mask"])


def test_each_modality_answers_alone_while_it_trains() -> None:
    """The loss has what the answer to each modality without the others costs, of the rows that have it."""
    torch.manual_seed(0)
    spec = FUSIONS.spec("weighted")
    fusion = FUSIONS.of(spec).build(spec, widths={"a": 4, "b": 4})
    task = build_task(TASKS.spec({"type": "classify"}))
    task.learn([{"label": "x"}, {"label": "y"}])
    heads = {"t": HEADS.of(LinearSpec()).build(LinearSpec(), task.head(int(fusion.width)))}
    model = Model({"a": Named(), "b": Named()}, fusion, heads, weights={"t": 1.0}, alone=0.5)
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    vectors = torch.randn(2, 3, 1, 4)
    there = torch.tensor([[[True], [True], [True]], [[True], [False], [True]]])
    inputs = {name: {"vectors": vectors[n], "mask": there[n]} for n, name in enumerate("ab")}
    batch = Batch(inputs, {"t": {"label": torch.tensor([0, 1, 1])}}, size=3)
    loss = objective(model, {"t": task})
    model.train()
    whole = float(loss(model(batch), batch)[0].detach())

    def alone(name: str, rows: list[int]) -> float:
        own = {n: {"vectors": each["vectors"][rows], "mask": each["mask"][rows]} for n, each in inputs.items()}
        for other in set(own) - {name}:
            own[other] = own[other] | {"mask": torch.zeros_like(own[other]["mask"])}
        part = Batch(own, {"t": {"label": batch.targets["t"]["label"][rows]}}, size=len(rows))
        model.alone = 0.0
        return float(loss(model(part), part)[0].detach())

    model.alone = 0.0
    joint = float(loss(model(batch), batch)[0].detach())
    costs = [alone("a", [0, 1, 2]), alone("b", [0, 2])]
    assert whole == pytest.approx(joint + 0.5 * sum(costs) / 2, rel=1e-5)
    model.alone = 0.5
    model.eval()
    assert model(batch)["t"].votes is None


def test_rules_label_rows_of_several_modalities(home: Path, tiny_model: Path, tmp_path: Path) -> None:
    rows = [{key: row[key] for key in row if key != "label"} for row in rows_of(home, 60)]
    write_jsonl(home / "unlabelled.jsonl", rows)
    rules = [{"label": "red", "words": ["red"]}, {"label": "blue", "words": ["蓝色"]}]
    recipe = recipe_of(home, tiny_model, ["text", IMAGE, TABLE], train="unlabelled")
    recipe["tasks"]["pill"]["data"] |= {"rules": rules, "test": str(home / "test.jsonl")}
    bundle = sibu.run(recipe, out=tmp_path / "ruled")
    record = json.loads((bundle / "record.json").read_text())
    spoken = [row for row in rows if row["text"]]
    assert record["rules"]["pill"]["labelled"] == len(spoken) < len(rows)
    assert json.loads((bundle / "metrics.json").read_text())["pill"]["test"]["accuracy"]["value"] > 0.8
    answers = sibu.load(bundle)
    for label, table in (("red", {"dose": 1.5, "route": "oral"}), ("blue", {"dose": 0.5, "route": "iv"})):
        assert answers.predict({"text": SAID[label], **table}).value == label

    recipe["modalities"] = [IMAGE, TABLE]
    recipe.pop("model")
    with pytest.raises(
        RecipeError, match=r"data\.rules: reads texts, and the modalities are 'image', 'table'\. Add `text` to"
    ):
        sibu.check(recipe)
