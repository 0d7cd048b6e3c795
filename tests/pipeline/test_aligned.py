"""Runs whose recipe aligns: streams by clocks of their own, two views of one thing, windows of long recordings."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import sibu
from sibu import api
from sibu.cli import app
from sibu.core.errors import RecipeError
from sibu.media.sound import Sound
from tests.conftest import write_jsonl

RATE, SENSOR = 1000, 40
MODALITIES = [
    {"name": "audio", "field": "声音", "width": 16, "depth": 1, "mels": 8},
    {"name": "series", "field": "sensor", "time": "clock", "rate": SENSOR, "width": 16, "heads": 2, "layers": 1},
]
ALIGN = {"name": "time", "reference": "声音", "others": "sensor", "reach": 2.0, "most_drift": 200.0}
TRAIN = {"epochs": 1, "batch_tokens": 512, "seed": 3}


def streams(home: Path, name: str, *, offset: float, seed: int, label: str) -> dict[str, Any]:
    """A recording, and what a sensor beside it read by a clock that was started later."""
    import soundfile

    draw = np.random.default_rng(seed)
    loud = np.repeat(draw.random(20) ** 2, RATE // 4)
    hum = np.sin(2 * np.pi * (60 if label == "slow" else 180) * np.arange(len(loud)) / RATE)
    soundfile.write(home / f"{name}.wav", (loud * hum * 0.8).astype(np.float32), RATE)
    own = np.arange(5 * SENSOR) / SENSOR
    values = np.interp(own + offset, np.arange(len(loud)) / RATE, loud, left=0, right=0)
    lines = ["clock,shake", *(f"{t:.4f},{v + draw.normal(0, 0.01):.5f}" for t, v in zip(own, values, strict=True))]
    (home / f"{name}.csv").write_text("\n".join(lines))
    return {"声音": f"{name}.wav", "sensor": f"{name}.csv", "label": label}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("aligned")
    draw = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 6)):
        rows = []
        for n in range(count):
            offset, label = float(draw.uniform(-1, 1)), ("slow", "fast")[n % 2]
            rows.append(streams(place, f"{split}{n}", offset=offset, seed=n + 50 * (split == "test"), label=label))
            rows[-1]["true"] = offset
        rows[1]["sensor"] = None
        write_jsonl(place / f"{split}.jsonl", rows)
    return place


def recipe_of(home: Path, **more: Any) -> dict[str, Any]:
    data = {"train": str(home / "train.jsonl"), "test": str(home / "test.jsonl")}
    tasks = {"pace": {"type": "classify", "data": data}}
    return {"name": "a", "modalities": MODALITIES, "align": ALIGN, "tasks": tasks, "train": TRAIN} | more


@pytest.fixture(scope="module")
def bundle(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sibu.run(recipe_of(home), out=tmp_path_factory.mktemp("runs") / "joined")


def test_offsets_are_found_row_by_row(home: Path) -> None:
    lines = [each for each in api.align(recipe_of(home)) if each["split"] == "test"]
    rows = [json.loads(line) for line in (home / "test.jsonl").read_text().splitlines()]
    assert [each["row"] for each in lines] == [1, 3, 4, 5, 6]  # the second has no sensor
    for each in lines:
        assert each["of"] == "sensor" and each["with"] == "声音"
        assert each["offset_seconds"] == pytest.approx(rows[each["row"] - 1]["true"], abs=0.05)


def test_the_record_tells_how_well(bundle: Path) -> None:
    (told,) = sibu.show(bundle)["record"]["alignments"]["pace"]["test"]
    assert (told["of"], told["with"], told["rows"], told["left_out"]) == ("sensor", "声音", 5, 0)
    assert told["quality"]["min"] > 0.25 and told["below_warn"] == 0
    page = (bundle / "report.html").read_text(encoding="utf-8").split("How values were brought into line")[1]
    figures = (f"{told[key]['median']:.4g} ({told[key]['min']:.4g} to" for key in ("quality", "drift_ppm"))
    assert all(figure in page for figure in figures)
    assert told["offset_seconds"]["min"] < told["offset_seconds"]["median"] < told["offset_seconds"]["max"]


def test_a_bundle_aligns_what_it_is_given(bundle: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    rows = [json.loads(line) for line in Path("test.jsonl").read_text().splitlines()]
    given = [{name: row[name] for name in ("声音", "sensor")} for row in rows]
    answers = sibu.load(bundle).predict(given)
    told = [[each.content for each in answer.evidence if each.kind == "alignment"] for answer in answers]
    assert [len(each) for each in told] == [1, 0, 1, 1, 1, 1]
    assert told[0][0]["offset_seconds"] == pytest.approx(rows[0]["true"], abs=0.05)
    predicted = sibu.evaluate(bundle, "test.jsonl").scores["accuracy"].value
    right = [answer.value == row["label"] for answer, row in zip(answers, rows, strict=True)]
    assert predicted == pytest.approx(sum(right) / len(right))


def test_what_cannot_be_aligned_is_left_out_and_counted(home: Path, tmp_path: Path) -> None:
    lines = ["clock,shake", *(f"{n / SENSOR},1.0" for n in range(80))]
    (home / "still.csv").write_text("\n".join(lines))
    rows = [json.loads(line) for line in (home / "train.jsonl").read_text().splitlines()]
    rows[3]["sensor"] = "still.csv"
    rows[4]["sensor"] = rows[5]["sensor"]  # of another recording
    write_jsonl(home / "odd.jsonl", rows)
    recipe = recipe_of(home, align=ALIGN | {"warn": 0.9})
    recipe["tasks"]["pace"]["data"]["train"] = str(home / "odd.jsonl")
    found = sibu.check(recipe).as_json()
    faults = {(each["kind"], each["row"]): each["message"] for each in found["faults"]}
    assert "'sensor' cannot be aligned: " in faults["not aligned", 4] and "constant" in faults["not aligned", 4]
    assert faults["poor alignment", 5].startswith("'sensor' lies on '声音' with a quality of 0.")
    assert "(below `warn`, 0.9): they correlate by 0.99, and 1 in 20 unrelated" in faults["poor alignment", 5]
    assert "offset seconds" in faults["poor alignment", 5]
    assert re.search(r"cannot be told from so little: it could be off by \d+ parts", faults["no drift", 1])
    (home / "odd.yaml").write_text(json.dumps(recipe))
    out = CliRunner().invoke(app, ["align", str(home / "odd.yaml"), "--quiet"])
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    (wrong,) = [each for each in lines if "error" in each]
    assert out.exit_code == 1 and wrong["row"] == 4 and wrong["of"] == "sensor" and "constant" in wrong["error"]
    bundle = sibu.run(recipe, out=tmp_path / "run")
    with pytest.raises(sibu.core.errors.DataError, match=r"'sensor' cannot be aligned: .*constant"):
        sibu.load(bundle).predict([{"声音": str(home / "train3.wav"), "sensor": str(home / "still.csv")}])


def test_windows_of_one_recording_are_rows_of_their_own(home: Path, tmp_path: Path) -> None:
    rows = []
    for n, line in enumerate((home / "train.jsonl").read_text().splitlines()):
        row = json.loads(line)
        rows += [{**row, "at": second} for second in (1.0, 2.5)] if n != 1 else [{**row, "at": 1.0}]
    rows.append({**rows[0], "at": 77.0})
    write_jsonl(home / "windows.jsonl", rows)
    recipe = recipe_of(home, align=ALIGN | {"clock": "shared", "window": 1.5, "start": "at"})
    recipe["tasks"]["pace"]["data"] = {"train": str(home / "windows.jsonl")}
    found = sibu.check(recipe).as_json()
    kinds = {each["kind"] for each in found["counts"]}
    assert not kinds & {"duplicate", "leak"}, kinds  # windows of one file are not the same row
    (lost,) = [each for each in found["faults"] if each["message"].startswith("'声音' cannot")]
    assert "its `at` is 77" in lost["message"] and lost["row"] == len(rows)
    bundle = sibu.run(recipe, out=tmp_path / "run")
    samples = np.sin(np.arange(6000) / 3).astype(np.float32)
    whole = Sound(samples, RATE, RATE, 1, 0.0, 6.0)
    assert whole.seconds == 6
    predictor = sibu.load(bundle)
    (one, two) = predictor.predict([{"声音": str(home / "train0.wav"), "at": at} for at in (0.5, 3.0)])
    assert one.scores != two.scores


def test_two_views_of_one_thing(tmp_path: Path) -> None:
    from PIL import Image

    from sibu.align import laid

    draw = np.random.default_rng(1)
    rows = []
    for n in range(12):
        near = np.kron(draw.integers(0, 255, (8, 8, 3)), np.ones((12, 12, 1))).astype(np.uint8)
        move = np.array([[1, 0, draw.uniform(-6, 6)], [0, 1, draw.uniform(-6, 6)], [0, 0, 1.0]])
        far = laid(near, np.linalg.inv(move), (96, 96)).round().astype(np.uint8)
        points = draw.uniform(10, 80, (8, 2))
        marks = np.hstack([points, points + move[:2, 2]]).round(3).tolist()
        for name, pixels in (("near", near), ("远", far)):
            Image.fromarray(pixels).save(tmp_path / f"{name}{n}.png")
        row = {"near": f"near{n}.png", "远": f"远{n}.png", "marks": marks, "label": "ab"[n % 2]}
        rows.append(row | {"boxes": [[20.0, 20.0, 40.0, 40.0]], "move": move[:2, 2].tolist()})
    write_jsonl(tmp_path / "rows.jsonl", rows)
    small = {"name": "image", "size": 16, "width": 16, "depth": 1}
    recipe = {
        "name": "views",
        "modalities": [small | {"field": "near"}, small | {"field": "远"}],
        "align": {"name": "space", "reference": "near", "other": "远", "model": "affine"}
        | {"landmarks": "marks", "boxes": "boxes"},
        "tasks": {"kind": {"type": "classify", "data": {"train": str(tmp_path / "rows.jsonl")}}},
        "train": TRAIN,
    }
    lines = list(api.align(recipe))
    assert len(lines) == 12 and all(each["quality"] == 1.0 for each in lines)
    for each in lines:
        x, y = rows[each["row"] - 1]["move"]
        assert each["boxes"][0] == pytest.approx([20 - x, 20 - y, 40 - x, 40 - y], abs=0.05)
    plain = {"name": "space", "reference": "near", "other": "远", "model": "affine", "landmarks": "marcs"}
    lines = list(api.align(recipe | {"align": plain | {"landmarks": "marks"}}))
    assert len(lines) == 12 and not any("boxes" in each for each in lines)
    told = [
        fault for fault in sibu.check(recipe | {"align": plain}).gate.faults.examples if fault.kind == "missing column"
    ]
    assert "there is no column 'marcs', which `align` reads" in str(told[0])
    bundle = sibu.run(recipe, out=tmp_path / "run")
    row = {key: str(tmp_path / rows[0][key]) for key in ("near", "远")} | {"marks": rows[0]["marks"]}
    (answer,) = sibu.load(bundle).predict([row])
    assert [each.content["landmarks"] for each in answer.evidence if each.kind == "alignment"] == [8]


@pytest.mark.parametrize(
    ("align", "told"),
    [
        (
            {**ALIGN, "others": "sensr"},
            "'sensr' is no modality that `time` aligns (audio or series). Allowed: 声音, sensor.",
        ),
        ({"name": "space", "reference": "声音", "other": "sensor"}, "is no modality that `space` aligns (image)."),
        ([ALIGN, ALIGN], "'声音', 'sensor' is moved by two alignments. Name all streams of one clock in one `time`"),
        ({**ALIGN, "window": 2, "start": "sensor"}, "'sensor' cannot be the name of a column that it reads"),
        ({**ALIGN, "name": "tiem"}, "Did you mean 'time'? Allowed: time, space, warp."),
        ({**ALIGN, "start": "at"}, "give its seconds as `window`"),
        ([], "align: is missing: nothing is aligned. Add it; the guide has examples."),
    ],
)
def test_alignments_that_do_not_go(align: Any, told: str, home: Path) -> None:
    with pytest.raises(RecipeError) as error:
        list(api.align(recipe_of(home, align=align)))
    assert told in str(error.value)
