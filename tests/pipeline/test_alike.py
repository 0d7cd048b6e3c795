"""What the gate tells of columns of a table that some cells keep from what the others are, and of single cells."""

from pathlib import Path
from typing import Any

import pytest

import sibu
from sibu.core.example import DataFault
from tests.conftest import write_jsonl

TABLE = {"name": "table", "columns": ["age", "seen"], "width": 8, "heads": 2}


def rows_of(count: int = 43) -> list[dict[str, Any]]:
    rows = [
        {"age": 20 + number * 1.37, "seen": f"2024-05-{1 + number % 28:02}", "label": "ab"[number % 2]}
        for number in range(count)
    ]
    rows[9]["age"] = "abc"
    return rows


def told(
    home: Path,
    rows: list[dict[str, Any]],
    *,
    test: list[dict[str, Any]] | None = None,
    tasks: tuple[str, ...] = ("one",),
    **options: Any,
) -> list[DataFault]:
    write_jsonl(home / "train.jsonl", rows)
    write_jsonl(home / "test.jsonl", test or [row | {"age": 90.5 + n / 7} for n, row in enumerate(rows[10:20])])
    data = {"train": str(home / "train.jsonl"), "test": str(home / "test.jsonl")}
    block = {name: {"type": "classify", "data": data} for name in tasks}
    checked = sibu.check({"name": "cells", "modalities": TABLE | options, "tasks": block}).as_json()
    found = [DataFault(**fault) for fault in checked["faults"]]
    assert all(fault.mend.strip() for fault in found)
    return [fault for fault in found if fault.kind not in ("telling column", "leak", "duplicate")]


def of(faults: list[DataFault], kind: str) -> list[str]:
    return [str(fault).partition("l:")[2] for fault in faults if fault.kind == kind]


def test_a_column_that_one_cell_keeps_from_being_numbers_is_told_once(tmp_path: Path) -> None:
    assert len(told(tmp_path, rows_of(), tasks=("one", "two"))) == 1
    (fault,) = told(tmp_path, rows_of())
    assert (fault.kind, fault.severity, fault.row) == ("mixed column", "warning", 10)
    assert fault.file == str(tmp_path / "train.jsonl")
    assert fault.message == (
        "'age' holds numbers but for 1 of 43 values: 'abc' in line 10. So it is read as a column of categories, of "
        "which 43 are too rare to be learned."
    )
    assert fault.mend == (
        "Correct these cells, or leave them empty. Or name the column in `numbers` of `table`, by which what is no "
        "number is missing and told row by row; or in `categories`, if it is meant so."
    )


@pytest.mark.parametrize("cell", [31.5, "", None])
def test_its_mends_are_right(tmp_path: Path, cell: Any) -> None:
    rows = rows_of()
    assert told(tmp_path, [*rows[:9], rows[9] | {"age": cell}, *rows[10:]]) == []


def test_a_named_column_of_numbers_tells_its_cells(tmp_path: Path) -> None:
    found = told(tmp_path, rows_of(), numbers=["age"])
    assert {fault.kind for fault in found} == {"unread cell"}
    assert set(of(found, "unread cell")) == {
        "10: 'age' is a column of numbers and must hold a finite number, given 'abc'; it is read as missing. Correct "
        "it, leave it empty, or name the column in `categories` of `table`."
    }


def test_a_named_column_of_categories_is_one(tmp_path: Path) -> None:
    found = told(tmp_path, rows_of(), categories=["age"])
    assert [fault.kind for fault in found] == ["column of names"]  # no word of numbers, and nothing row by row
    pairs = [row | {"age": row["age"] if number < 25 else "30 to 40"} for number, row in enumerate(rows_of())]
    (rare,) = told(tmp_path, pairs, categories=["age"])
    assert (rare.kind, rare.row) == ("rare category", None)
    assert rare.message == ("'age' holds 43 values, 25 of them too rare to be learned: they are read as `other`.")
    assert told(tmp_path, pairs, test=pairs, categories=["age"], rarest=1) == []
    joined = [row | {"age": "30 to 40" if number > 24 else "20 to 30"} for number, row in enumerate(pairs)]
    assert told(tmp_path, joined, test=joined, categories=["age"]) == []


def test_dates_and_what_is_no_column_of_numbers(tmp_path: Path) -> None:
    rows = rows_of()
    rows[9]["age"] = 31.0
    rows[3]["seen"], rows[4]["seen"], rows[5]["seen"], rows[6]["seen"] = "soon", "昨天", "2024-13-45", "x" * 300
    (fault,) = told(tmp_path, rows)
    assert fault.message.startswith(
        "'seen' holds dates but for 4 of 43 values: 'soon' in line 4, '昨天' in line 5, '2024-13-45' in line 6 and 1 "
        "other. So it is read as a column of categories"
    )
    assert of(told(tmp_path, rows_of(10), test=rows_of()), "mixed column") == []  # too few to say
    mixed = [row | {"age": "old" if number % 5 == 0 else row["age"]} for number, row in enumerate(rows_of())]
    assert of(told(tmp_path, mixed, categories=["seen"]), "mixed column") == []


def test_one_cell_is_missing_and_the_others_are_read(tmp_path: Path) -> None:
    rows = rows_of()
    rows[9]["age"] = 30.0
    test = [row | {"age": "old" if number == 2 else row["age"]} for number, row in enumerate(rows[:12])]
    found = told(tmp_path, rows, test=test)
    assert set(of(found, "unread cell")) == {
        "3: 'age' is a column of numbers and must hold a finite number, given 'old'; it is read as missing. Correct "
        "it, leave it empty, or name the column in `categories` of `table`."
    }
    assert not of(found, "unreadable")
    alone = told(tmp_path, rows, test=[{"age": "old", "label": "a"}, *rows])
    assert set(of(alone, "unreadable")) == {
        "1: 'table': 'age' is a column of numbers and must hold a finite number, given 'old'. Correct it, or leave it "
        "empty. The row goes without 'table'."
    }
