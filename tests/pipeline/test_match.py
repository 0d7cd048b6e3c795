"""Pictures and words in one space: learned from pairs, found by one another, labels as words."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from typer.testing import CliRunner

import sibu
from sibu.cli import app
from sibu.core.errors import DataError, RecipeError
from tests.conftest import write_jsonl

KINDS = {
    "pain in the head": (220, 40, 40),
    "fever and cough": (40, 220, 40),
    "book the appointment": (40, 40, 220),
    "pay the bill": (220, 220, 40),
    "chest 胸痛": (220, 40, 220),
    "refill 药": (40, 220, 220),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from PIL import Image

    place, draw = tmp_path_factory.mktemp("match"), Random(0)
    for split, count in (("train", 96), ("test", 24)):
        rows = []
        for number in range(count):
            words = draw.choice(list(KINDS))
            noise = np.random.default_rng([count, number]).integers(-25, 25, (8, 8, 3))
            pixels = (np.array(KINDS[words]) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(place / f"{split}-{number}.png")
            rows.append({"id": f"{split}-{number}", "text": words, "image": f"{split}-{number}.png"})
        write_jsonl(place / f"{split}.jsonl", rows)
    write_jsonl(place / "labels.jsonl", [{"id": words, "text": words} for words in KINDS])
    return place


def recipe_of(home: Path, model: Path, **task: object) -> dict:
    data = {split: str(home / f"{split}.jsonl") for split in ("train", "test")}
    return {
        "name": "match",
        "model": str(model),
        "modalities": ["text", {"name": "image", "size": 8, "width": 16}],
        "tasks": {"pairs": {"type": "match", "of": ["text", "image"], "width": 16, "data": data} | task},
        "train": {"epochs": 12, "learning_rate": 3e-3, "batch_tokens": 512, "seed": 5},
    }


@pytest.fixture(scope="module")
def bundle(home: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sibu.run(recipe_of(home, tiny_model), out=tmp_path_factory.mktemp("runs") / "match")


def test_partners_find_each_other(bundle: Path) -> None:
    found = json.loads((bundle / "metrics.json").read_text())["pairs"]["test"]
    assert found["recall_at_1"]["value"] > 0.8
    assert found["mrr"]["value"] >= found["recall_at_1"]["value"]


@pytest.mark.parametrize("options", [{"loss": "siglip"}, {"hard": 0.5}], ids=["siglip", "hard"])
def test_other_losses(options: dict, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    bundle = sibu.run(recipe_of(home, tiny_model, **options), out=tmp_path / "run")
    assert json.loads((bundle / "metrics.json").read_text())["pairs"]["test"]["recall_at_1"]["value"] > 0.6


def test_the_gate_warns_of_pairs_that_hardly_agree(home: Path, tiny_model: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (home / "test.jsonl").read_text().splitlines()]
    write_jsonl(home / "many.jsonl", [{**row, "text": f"{row['text']} {n}"} for n, row in enumerate(rows)])
    recipe = recipe_of(home, tiny_model, warn=0.95)
    recipe["tasks"]["pairs"]["data"]["test"] = str(home / "many.jsonl")
    recipe["train"] |= {"epochs": 1, "max_steps": 1}
    bundle = sibu.run(recipe, out=tmp_path / "run")
    value = json.loads((bundle / "metrics.json").read_text())["pairs"]["test"]["recall_at_10"]["value"]
    said = f"pairs: recall at 10 is {value:.3f} on test (below `warn`, 0.95): what belongs together is hardly nearer"
    assert said in (bundle / "report.html").read_text()


def test_pictures_are_found_for_words_and_words_for_pictures(
    bundle: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = {row["id"]: row for row in map(json.loads, (home / "test.jsonl").read_text().splitlines())}
    app(["find", str(bundle), "--text", "pay the bill", "--among", str(home / "test.jsonl"), "--most", "2", "--quiet"],
        standalone_mode=False)  # fmt: skip
    line = json.loads(capsys.readouterr().out)
    assert line["task"] == "pairs"
    assert [shown[each["id"]]["text"] for each in line["value"]] == ["pay the bill"] * 2
    assert line["value"][0]["score"] >= line["value"][1]["score"]
    queries = home / "queries.jsonl"  # labels as words: no classifier was trained
    write_jsonl(queries, [{"id": each["id"], "image": each["image"]} for each in shown.values()])
    app(["find", str(bundle), "--input", str(queries), "--among", str(home / "labels.jsonl"), "--quiet"],
        standalone_mode=False)  # fmt: skip
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    right = sum(line["value"][0]["id"] == shown[line["id"]]["text"] for line in lines)
    assert right > 0.8 * len(lines)


def test_predictions_are_vectors_and_their_cosine(bundle: Path, home: Path) -> None:
    row = json.loads((home / "test.jsonl").read_text().splitlines()[0])
    model = sibu.load(bundle)
    both = model.predict({"text": row["text"], "image": str(home / row["image"])}).value
    alone = model.predict({"text": row["text"]}).value
    assert set(alone) == {"text"}
    assert np.allclose(alone["text"], both["text"], atol=1e-5)
    assert both["cosine"] == pytest.approx(np.dot(both["text"], both["image"]), abs=1e-4)
    assert np.linalg.norm(both["image"]) == pytest.approx(1, abs=1e-4)


def test_what_cannot_be_matched(bundle: Path, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    wrong = recipe_of(home, tiny_model) | {"modalities": ["text"]}
    with pytest.raises(RecipeError, match="`match` joins two modalities, and there are texts alone"):
        sibu.run(wrong, out=tmp_path / "one")
    with pytest.raises(RecipeError, match="'sound' is none of the modalities"):
        sibu.run(recipe_of(home, tiny_model, of=["text", "sound"]), out=tmp_path / "two")
    model = sibu.load(bundle)
    both = {"text": "pay the bill", "image": str(home / "test-0.png")}
    queries = [(0, both), (1, {"text": "pay the bill"})]
    first, second = sibu.api.find_partners(model, "pairs", queries, [(0, {"text": "pay"})])
    assert first["error"] == "a query has one of 'text' and 'image', this one has both."
    assert second["error"] == "a query by 'text' is compared with 'image', which no candidate has."


def test_candidates_that_cannot_be_read_are_counted_and_the_rest_compared(bundle: Path, home: Path) -> None:
    model = sibu.load(bundle)
    among = [("gone", {"image": str(home / "gone.png")}), ("there", {"image": str(home / "test-0.png")})]
    (line,) = sibu.api.find_partners(model, "pairs", [(0, {"text": "pay the bill"})], among)
    assert [each["id"] for each in line["value"]] == ["there"] and line["left_out"] == 1
    with pytest.raises(DataError, match="None can be found: 1 candidate cannot be read, such as 'gone': No file"):
        list(sibu.api.find_partners(model, "pairs", [(0, {"text": "pay"})], among[:1]))


def test_a_folder_of_pictures_is_read_whatever_their_column_is_called(
    home: Path, tiny_model: Path, tmp_path: Path
) -> None:
    for split in ("train", "test"):
        rows = [json.loads(line) for line in (home / f"{split}.jsonl").read_text().splitlines()]
        write_jsonl(tmp_path / f"{split}.jsonl", [row | {"影像": str(home / row.pop("image"))} for row in rows])
    recipe = recipe_of(tmp_path, tiny_model, of=["text", "影像"])
    recipe["modalities"][1]["field"] = "影像"
    recipe["train"]["epochs"] = 1
    made = sibu.run(recipe, out=tmp_path / "made")
    pictures = tmp_path / "图"
    pictures.mkdir()
    for number in range(3):
        (pictures / f"{number}.png").write_bytes((home / f"test-{number}.png").read_bytes())
    (pictures / "sound.wav").write_bytes(b"RIFF")
    ask = [str(made), "--text", "pain in the head", "--among", str(pictures)]
    done = CliRunner().invoke(app, ["find", *ask])
    assert done.exit_code == 0
    assert {each["id"] for each in json.loads(done.stdout)["value"]} == {"0.png", "1.png", "2.png"}
    done = CliRunner().invoke(app, ["predict", str(made), "--input", str(pictures), "--quiet"])
    assert all("影像" in json.loads(line)["value"] for line in done.stdout.splitlines())
