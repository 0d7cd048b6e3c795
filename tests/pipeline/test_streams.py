"""Streams whose clock or channels are wrong: told by file and row before a run, and at prediction with what helps."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sibu
from sibu.core.errors import DataError
from sibu.core.example import DataFault
from tests.conftest import write_jsonl

SERIES = {"name": "series", "width": 8, "heads": 2, "layers": 1}
TABLE = {"name": "table", "columns": ["age"], "width": 8, "heads": 2}
TRAIN = {"epochs": 1, "batch_tokens": 512}


def rows_of(count: int = 24) -> list[dict[str, Any]]:
    draw = np.random.default_rng(4)
    rows = []
    for number in range(count):
        values = draw.normal(number % 2, 1, (20, 2)).round(3).tolist()
        stream = {"values": values, "time": [n / 10 for n in range(20)], "names": ["x", "y"]}
        rows.append({"series": stream, "age": number + 0.5, "label": "ab"[number % 2]})
    return rows


def recipe_of(home: Path, rows: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    write_jsonl(home / "train.jsonl", rows)
    task = {"type": "classify", "data": {"train": str(home / "train.jsonl")}}
    return {"name": "streams", "modalities": [SERIES | options, TABLE], "tasks": {"kind": task}, "train": TRAIN}


def told(home: Path, rows: list[dict[str, Any]], **options: Any) -> list[str]:
    """What a check says of the streams, from the row on."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        checked = sibu.check(recipe_of(home, rows, **options)).as_json()
    found = [DataFault(**fault) for fault in checked["faults"]]
    assert all(fault.mend.strip() and fault.file for fault in found)
    return [str(fault).partition("train.jsonl:")[2] for fault in found if "series" in str(fault)]


CLOCKS = [
    ([0] * 20, "the clock 'time' stands still: all 20 readings are at 0 s. Give each reading its own time."),
    ([1e300 * n for n in range(20)], "the clock 'time' leaps from 0 s to 1e+300 s at reading 2; a stream lasts at most "
     "1e+11 s. Mend the clock, or say what it counts (`unit`)."),
]  # fmt: skip


@pytest.mark.parametrize("rate", [None, 20])
@pytest.mark.parametrize(("times", "said"), CLOCKS)
def test_clocks_that_stand_still_or_leap(tmp_path: Path, times: list[float], said: str, rate: float | None) -> None:
    rows = rows_of()
    rows[3]["series"]["time"] = times
    (fault,) = told(tmp_path, rows, time="time", rate=rate)
    assert fault == f"4: 'series': The row's stream: {said} The row goes without 'series'."
    rows[3]["series"]["time"] = [n / 10 for n in range(20)]
    assert told(tmp_path, rows, time="time", rate=rate) == []


@pytest.mark.parametrize("time", ["time", "zeit"])
def test_a_row_without_a_clock_is_told(tmp_path: Path, time: str) -> None:
    rows = rows_of()
    del rows[5]["series"]["time"]
    assert told(tmp_path, rows, time=time) == [
        f"6: 'series': The row's stream has no clock, and streams have a clock (`time: {time}`). Give the second or "
        "date of each reading as its `time`. The row goes without 'series'."
    ]
    rows[5]["series"]["time"] = [f"2024-01-01T00:00:{n:02}" for n in range(20)]
    assert told(tmp_path, rows, time=time) == []
    assert told(tmp_path, [row | {"series": {**row["series"], "time": None}} for row in rows]) == []


def test_what_was_given_is_what_is_told(tmp_path: Path) -> None:
    rows = rows_of()
    rows[1]["series"]["values"][0][0] = 1e308
    rows[2]["series"]["time"] = ["2024-01-01"] * 19 + ["noon"]
    assert told(tmp_path, rows) == [
        "2: 'series': The row's stream: reading 1 has 1e+308 in 'x', which does not fit into 32 bits (at most 3.4e+38 "
        "either way). Check its unit, or leave the place empty. The row goes without 'series'.",
        "3: 'series': The row's stream: reading 20 has 'noon' in the clock 'time'; allowed are numbers, and dates such "
        "as 2026-05-01T13:00:00. The row goes without 'series'.",
    ]


def test_a_channel_that_no_stream_has_is_told_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(DataError) as fault:
        sibu.check(recipe_of(tmp_path, rows_of(), channels=["x", "q"]))
    assert str(fault.value) == (
        f"{tmp_path / 'train.jsonl'}:1: 'series': The row's stream has no column 'q'. It has 'x', 'y'. No other "
        "training row has a stream that can be read."
    )
    assert told(tmp_path, rows_of(), channels=["x"]) == []


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("streams")
    return sibu.run(recipe_of(home, rows_of()), out=home / "run")


def test_a_stream_without_names_is_answered_once_it_has_them(bundle: Path) -> None:
    model, stream = sibu.load(bundle), rows_of()[0]["series"]
    bare = {key: value for key, value in stream.items() if key != "names"}
    with pytest.raises(DataError) as fault:
        model.predict({"series": bare})
    said = str(fault.value)
    assert said == (
        "input 0: `series` has 2 channels without names where the training streams have 2 channels ('x', 'y'). Name "
        'them, in their order: in the row by `"names": ["x", "y"]` beside `values`, in a file by its first line.'
    )
    named = json.loads("{" + said.split("by `")[1].split("`")[0] + "}")
    assert model.predict({"series": bare | named}) == model.predict({"series": stream})


def test_a_file_without_names_is_answered_once_it_has_them(bundle: Path, tmp_path: Path) -> None:
    model, values = sibu.load(bundle), rows_of()[0]["series"]["values"]
    lines = "".join(f"{one},{two}\n" for one, two in values)
    (tmp_path / "bare.csv").write_text(lines)
    with pytest.raises(DataError, match=r"has 2 channels without names .* in a file by its first line"):
        model.predict({"series": str(tmp_path / "bare.csv")})
    (tmp_path / "named.csv").write_text(f"x,y\n{lines}")
    assert model.predict({"series": str(tmp_path / "named.csv")}).value in "ab"


def test_other_channels_are_refused_with_what_can_be_done(bundle: Path) -> None:
    model, stream = sibu.load(bundle), rows_of()[0]["series"]
    with pytest.raises(DataError, match=r"2 channels \('x', 'z'\) where .* \('x', 'y'\)\. Give the same\.$"):
        model.predict({"series": stream | {"names": ["x", "z"]}})
    with pytest.raises(DataError, match="the clock 'time' stands still: all 20 readings are at 0 s"):
        model.predict({"series": stream | {"time": [0] * 20}})
