"""Folders of pictures and the like: labels are sub-folders, or a table names the files; what is left out is told."""

import json
import os
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError

from sibu.core.errors import DataError
from sibu.core.example import Faults
from sibu.readers import READERS
from sibu.readers.folder import ENDINGS
from sibu.store.hashes import hash_folder


def fill(home: Path, *names: str) -> Path:
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(os.fsencode(name))
    return home


def test_sub_folders_are_labels(tmp_path, reading):
    fill(tmp_path, "猫/2.JPG", "猫/老 猫/1.png", "dog/b.jpeg", "dog/a.PNG", "loose.webp")
    found = reading("folder", tmp_path)
    names = ["dog/a.PNG", "dog/b.jpeg", "loose.webp", "猫/2.JPG", "猫/老 猫/1.png"]
    labels = ["dog", "dog", None, "猫", "猫"]
    assert [row["id"] for row in found.rows] == names
    assert [row.get("label") for row in found.rows] == labels
    assert [row["image"] for row in found.rows] == [str(tmp_path / name) for name in names]
    assert found.numbers == [1, 2, 3, 4, 5]
    assert not found.faults.examples


@pytest.mark.parametrize("kind", ENDINGS)
def test_kinds_are_known_by_their_endings(kind, tmp_path, reading):
    names = [f"标签/{number:02}{ending.upper()}" for number, ending in enumerate(ENDINGS[kind])]
    fill(tmp_path, *names)
    found = reading("folder", tmp_path)
    assert [row[kind] for row in found.rows] == [str(tmp_path / name) for name in names]


def test_names_from_elsewhere_than_the_folders_own(tmp_path, reading, monkeypatch):
    fill(tmp_path / "data", "猫/1.png")
    monkeypatch.chdir(tmp_path)
    assert reading("folder", "data").rows[0]["image"] == str(tmp_path / "data/猫/1.png")


def test_no_sub_folders(tmp_path, reading):
    fill(tmp_path, "b.wav", "a.wav")
    assert reading("folder", tmp_path).rows == [
        {"id": name, "audio": str(tmp_path / name)} for name in ("a.wav", "b.wav")
    ]


def test_one_name_in_two_ways_is_one_label(tmp_path, reading):
    for number, form in enumerate(("NFC", "NFD")):
        fill(tmp_path, unicodedata.normalize(form, f"café/{number}.png"))
    assert {row["label"] for row in reading("folder", tmp_path).rows} == {"café"}


def test_what_is_left_out_is_told(tmp_path, reading):
    fill(tmp_path, "cat/1.png", "cat/.DS_Store", ".git/1.png", "cat/note.docx", "笔记", "cat/._1.png")
    (tmp_path / "cat/gone.png").symlink_to(tmp_path / "nowhere")
    fill(tmp_path, os.fsdecode(b"\xff/1.png"))
    found = reading("folder", tmp_path)
    assert [row["id"] for row in found.rows] == ["cat/1.png"]
    counts = {kind: count for (kind, severity, _), count in found.faults.counts.items() if severity == "warning"}
    assert counts == {"hidden file": 3, "unknown ending": 2, "link": 1, "bad name": 1}
    assert found.faults.number("error") == 0
    said = "\n".join(map(str, found.faults.examples))
    assert "'cat/note.docx' has the ending of no picture. It is left out." in said
    assert "'笔记' has the ending of no picture." in said
    assert r"The name '\udcff/1.png' is no text in UTF-8." in said
    json.dumps(found.records, ensure_ascii=False).encode()
    assert len(hash_folder(tmp_path)) == 64


def test_links_are_followed_and_loops_are_not(tmp_path, reading):
    fill(tmp_path / "elsewhere", "1.png", "deep/2.png")
    home = fill(tmp_path / "home", "猫/3.png")
    (home / "狗").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "deep" / "up").symlink_to(tmp_path / "elsewhere")
    (home / "猫" / "top").symlink_to(home)
    (home / "self").symlink_to(home / "self")
    found = reading("folder", home)
    assert [(row["id"], row["label"]) for row in found.rows] == [
        ("狗/1.png", "狗"), ("狗/deep/2.png", "狗"), ("猫/3.png", "猫"),
    ]  # fmt: skip
    assert [kind for kind, _ in found.found] == ["link"] * 3
    assert [fault.message.split("'")[1] for fault in found.faults.examples] == ["self", "狗/deep/up", "猫/top"]
    before = hash_folder(home)
    (tmp_path / "elsewhere" / "1.png").write_bytes(b"changed")
    assert hash_folder(home) != before  # also behind a link


def test_the_hash_is_of_names_and_contents(tmp_path):
    one, two = fill(tmp_path / "a", "x/1.png", "x.y/2.png"), fill(tmp_path / "b", "x/1.png", "x.y/2.png")
    assert hash_folder(one) == hash_folder(two)
    (two / "x" / "1.png").rename(two / "x" / "3.png")
    assert hash_folder(one) != hash_folder(two)


def test_an_empty_folder_has_no_records(tmp_path, reading):
    found = reading("folder", tmp_path)
    assert (found.records, found.found) == ([], [("no records", None)])
    assert "No records: the folder holds no file that is read." in str(found.fault)
    found = reading("folder", fill(tmp_path, "a/notes.txt"), kind="audio")
    assert [(fault.kind, fault.severity) for fault in found.faults.examples] == [
        ("unknown ending", "warning"), ("no records", "error"),
    ]  # fmt: skip


def test_several_kinds_are_refused_unless_one_is_chosen(tmp_path, reading):
    fill(tmp_path, "cat/1.png", "cat/2.png", "cat/声.wav")
    with pytest.raises(
        DataError, match=r"of several kinds: 2 pictures, 1 recording\. Say which .*`kind` \(image, audio"
    ):
        reading("folder", tmp_path)
    found = reading("folder", tmp_path, kind="audio")
    assert [row["id"] for row in found.rows] == ["cat/声.wav"]
    assert found.faults.counts == {("other kind", "warning", str(tmp_path)): 2}
    fill(tmp_path / "b", "cat/1.png", "labels.csv")
    with pytest.raises(DataError, match=r"If 'labels\.csv' names the others, say `table: labels\.csv`\. Or: say which"):
        reading("folder", tmp_path / "b")


ROWS = [{"file_name": "b.png", "text": "一只猫"}, {"file_name": "sub/a.png", "text": "a dog"}]


def write_table(place: Path, rows: list[dict[str, str]]) -> None:
    if place.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), place)
    elif place.suffix == ".jsonl":
        place.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        mark = "," if place.suffix == ".csv" else "\t"
        place.write_text("\n".join([mark.join(rows[0]), *(mark.join(row.values()) for row in rows)]) + "\n")


@pytest.mark.parametrize(("ending", "first"), [("jsonl", 1), ("csv", 2), ("tsv", 2), ("parquet", 1)])
def test_a_table_names_the_files(ending, first, tmp_path, reading):
    fill(tmp_path, "b.png", "sub/a.png")
    write_table(tmp_path / f"metadata.{ending}", ROWS)
    found = reading("folder", tmp_path)
    assert found.records == [
        (first, {"id": "b.png", "image": str(tmp_path / "b.png"), "text": "一只猫"}),
        (first + 1, {"id": "sub/a.png", "image": str(tmp_path / "sub/a.png"), "text": "a dog"}),
    ]
    assert not found.faults.examples


def test_a_row_without_its_file_is_left_out_and_the_rest_goes_on(tmp_path, reading):
    fill(tmp_path, "猫.png", "b.png", "unnamed.png")
    names = ["猫.png", "狗.png", "b.pmg", None, "../outside.png", "/etc/passwd", 7, "./x/../b.png", ""]
    lines = [json.dumps({"file_name": name, "id": number}) for number, name in enumerate(names)]
    (tmp_path / "metadata.jsonl").write_text("\n".join([*lines, '{"id": 9}', "{"]), encoding="utf-8")
    found = reading("folder", tmp_path)
    assert [(number, row["id"], Path(row["image"]).name) for number, row in found.records] == [
        (1, 0, "猫.png"), (8, 7, "b.png"),
    ]  # fmt: skip
    table = str(tmp_path / "metadata.jsonl")
    told = [(fault.kind, fault.file, fault.row) for fault in found.faults.examples]
    missing = [("missing file", table, 2), ("missing file", table, 3)]
    no_file = [("no file", table, row) for row in (4, 5, 6, 7, 9, 10)]
    assert [each for each in told if each[0] in ("missing file", "no file")] == missing + no_file
    assert ("not in the table", str(tmp_path), None) in told
    assert found.faults.skipped[table] == 9  # with the line that is no JSON
    said = "\n".join(map(str, found.faults.examples))
    assert f"{table}:2: There is no picture '狗.png' in the folder. " in said
    assert f"{table}:3: There is no picture 'b.pmg' in the folder. Did you mean 'b.png'? The row is left out." in said
    assert f"{table}:5: '../outside.png' is no name of a file in the folder." in said
    assert "'unnamed.png' is named by no row of metadata.jsonl. It is left out." in said


def test_a_table_of_another_name_and_column(tmp_path, reading):
    fill(tmp_path, "声/1.wav", "声/2.wav")
    (tmp_path / "声/标签.csv").write_text("文件,label\n1.wav,高\n2.wav,low\n", encoding="utf-8")
    found = reading("folder", tmp_path, table="声/标签.csv", column="文件")
    assert [(row["id"], row["label"]) for row in found.rows] == [("声/1.wav", "高"), ("声/2.wav", "low")]
    with pytest.raises(
        DataError, match=r"has no column 'file_name'; it has '文件', 'label'\. Say which names the files"
    ):
        reading("folder", tmp_path, table="声/标签.csv")
    with pytest.raises(DataError, match=r"has no table '声/标签\.tsv'\. It has none\."):
        reading("folder", tmp_path, table="声/标签.tsv")


def test_two_tables_are_refused(tmp_path, reading):
    fill(tmp_path, "1.png", "metadata.csv", "metadata.jsonl")
    with pytest.raises(DataError, match=r"has the tables 'metadata\.csv', 'metadata\.jsonl'\. Say which with"):
        reading("folder", tmp_path)


@pytest.mark.parametrize("table", ["../labels.csv", "/labels.csv", "a/../../b.csv", "labels.xlsx"])
def test_a_table_lies_in_the_folder(table):
    with pytest.raises(ValidationError, match=r"a table is a file in the folder \(\.jsonl \.csv \.tsv \.parquet\)"):
        READERS["folder"].spec(table=table)


def test_a_file_is_no_folder(tmp_path):
    fill(tmp_path, "a.csv")
    with pytest.raises(DataError, match=r"a\.csv is a file where a folder is expected; .*leave `reader: folder` out"):
        list(READERS["folder"].build(READERS["folder"].spec())(str(tmp_path / "a.csv"), Faults()))
