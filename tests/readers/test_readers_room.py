"""What every reader owes, and how a file's name chooses one."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import sibu.readers
from sibu.core.errors import DataError, RecipeError
from sibu.core.example import Faults
from sibu.readers import READERS, reader_for

NAMES = list(READERS)


def build(name, **options):
    entry = READERS[name]
    return entry.build(entry.spec(**options))


def test_table_and_folders_hold_the_same_parts():
    folders = {place.parent.name for place in Path(sibu.readers.__file__).parent.glob("*/__init__.py")}
    assert set(NAMES) == folders


@pytest.mark.parametrize("name", NAMES)
def test_part_says_what_it_is(name):
    entry = READERS[name]
    assert entry.summary.endswith(".")
    assert entry.doc.count("\n") >= 2
    assert entry.build.__doc__
    for option in READERS.options(name):
        assert option.help.endswith((".", '"')), option.name
    assert READERS.of(entry.spec()) is entry


@pytest.mark.parametrize("name", NAMES)
def test_missing_file(name, tmp_path):
    path = str(tmp_path / "train.data")
    with pytest.raises(DataError, match=r"No (file|folder) at .*train\.data; given '.*', looked in /") as raised:
        list(build(name)(path, Faults()))
    assert str(tmp_path) in str(raised.value)


def test_missing_file_has_a_near_miss(tmp_path):
    (tmp_path / "intent.train.jsonl").write_text("{}")
    with pytest.raises(DataError, match=r"Did you mean 'intent\.train\.jsonl'\?"):
        list(build("jsonl")(str(tmp_path / "intents.train.jsonl"), Faults()))


def test_missing_folder(tmp_path):
    with pytest.raises(DataError, match=r"given 'nowhere/a\.csv', there is no folder .*nowhere\. A relative path"):
        list(build("csv")("nowhere/a.csv", Faults()))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "folder"])
def test_folder_where_a_file_is_expected(name, tmp_path):
    expected = "no folder that `datasets` saved" if name == "datasets" else "is a folder where a file is expected"
    with pytest.raises(DataError, match=expected):
        list(build(name)(str(tmp_path), Faults()))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("parquet", "datasets", "squad", "folder")])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_file_without_records(name, content, reading, write):
    result = reading(name, write("empty", content))
    assert result.records == []
    assert result.found == [("no records", None)]
    assert "No records: the file" in str(result.fault)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jsonl", "jsonl"),
        ("a.b.ndjson.gz", "jsonl"),
        ("a.json", "jsonl"),
        ("A.CSV", "csv"),
        ("a.csv.GZ", "csv"),
        ("a.tsv.gz", "tsv"),
        ("a.parquet", "parquet"),
        ("a.conll", "conll"),
        ("a.bio", "conll"),
        ("a.iob.gz", "conll"),
        ("a.txt", "conll"),
        ("datasets:owner/name:train", "datasets"),
        ("datasets:squad", "datasets"),
    ],
)
def test_reader_by_name(name, expected):
    assert reader_for(name) == expected


def test_json_is_looked_into(write):
    squad = {"version": "1.1", "data": [{"title": "t", "paragraphs": []}]}
    assert reader_for(str(write("a.json", json.dumps(squad)))) == "squad"
    assert reader_for(str(write("b.json", "\ufeff" + json.dumps(squad, indent=2)))) == "squad"
    assert reader_for(str(write("c.json", '{"text": "the \\"paragraphs\\" of \\"data\\": [1]"}\n'))) == "jsonl"
    assert reader_for(str(write("d.json", '{"data": [1, 2], "label": "x"}\n'))) == "jsonl"
    assert reader_for(str(write("e.json", "a".encode("utf-16")))) == "jsonl"


def test_folders_of_datasets_are_known_by_their_files(tmp_path):
    for mark in ("state.json", "dataset_dict.json", "dataset_info.json"):
        folder = tmp_path / mark.removesuffix(".json")
        folder.mkdir()
        (folder / mark).write_text("{}")
        assert reader_for(str(folder)) == "datasets"


@pytest.mark.parametrize("name", ["猫/1.JPG", "a.flac", "b/c.mp4"])
def test_folders_of_media_are_known_by_their_files(name, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert reader_for(str(tmp_path)) == "folder"


@pytest.mark.parametrize("name", ["train", "a.xlsx", "a.gz", "a.parquet.gz", ".csvx"])
def test_name_that_says_nothing(name):
    with pytest.raises(RecipeError, match=r"does not tell its format\. Allowed: \.jsonl .*`reader:` \(jsonl, csv, "):
        reader_for(name)


def test_folder_that_says_nothing(tmp_path):
    with pytest.raises(RecipeError, match=r"holds none of dataset_dict\.json, .*name its format with `reader:`"):
        reader_for(str(tmp_path))


def test_import_is_light():
    heavy = "[m for m in ('torch', 'pyarrow', 'datasets', 'numpy', 'pandas') if m in sys.modules]"
    code = f"import sys, sibu.readers as r; r.reader_for('a.csv'); assert not {heavy}, {heavy}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_recipe_names_a_reader():
    recipe = TypeAdapter(READERS.union())
    assert recipe.validate_python("conll") == READERS["conll"].spec()
    assert recipe.validate_python({"name": "csv", "delimiter": ";", "header": ["a", "b"]}).header == ("a", "b")


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("csv", {"delimiter": "||"}, "at most 1 character"),
        ("csv", {"delimiter": '"'}, "other than a quote or a line end"),
        ("csv", {"header": ["a", "a"]}, "distinct and not empty, given"),
        ("tsv", {"header": [""]}, "distinct and not empty, given"),
        ("tsv", {"quote": "single"}, "'double' or 'none'"),
        ("conll", {"token_column": 2, "tag_column": 2}, "two columns, given 2 for both"),
        ("jsonl", {"delimiter": ","}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_options(name, options, text):
    with pytest.raises(ValidationError, match=text):
        READERS[name].spec(**options)


LINES = {
    "jsonl": (b"", b'{"text": "the quick brown fox jumps over the lazy dog", "label": "animal"}\n'),
    "csv": (b"text,label\n", b'"the quick brown fox, jumps ""over"" the lazy dog",animal\n'),
    "tsv": (b"text\tlabel\n", b"the quick brown fox jumps over the lazy dog\tanimal\n"),
    "conll": (b"", b"fox B-ANIMAL\njumps O\n\n"),
}


@pytest.mark.parametrize("name", LINES)
def test_memory_stays_constant(name, tmp_path):
    path = tmp_path / "large"
    head, line = LINES[name]
    number = 200_000 if name != "conll" else 40_000  # each is three lines, and tracing memory is slow
    path.write_bytes(head + line * number)
    read = build(name)
    tracemalloc.start()
    try:
        count = sum(1 for _ in read(str(path), Faults()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == number
    assert peak < 5_000_000


@pytest.mark.parametrize("name", LINES)
def test_a_reader_left_half_way_closes_its_file(name, tmp_path):
    path = tmp_path / "file"
    head, line = LINES[name]
    path.write_bytes(head + line * 10)
    records = build(name)(str(path), Faults())
    next(records)
    records.close()  # an open file would be a ResourceWarning, and warnings are errors


WORDS = [
    '{"a": 1}\n',
    '{"data": [',
    '{"paragraphs": [',
    "-DOCSTART-",
    "# ",
    "NaN",
    "\\u",
    "\\ud8",
    "\n\n",
    "天",
    "PAR1",
]
MARKS = [b"\xff", b"\xe5", b"\xcc\xec\xc6\xf8", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b"]
BITS = st.sampled_from([*"a1\"',;\t \n\r{}[]:\x00\x0b", *WORDS]).map(str.encode) | st.sampled_from(MARKS)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "datasets"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(content=b"a,")
@given(content=st.lists(BITS | st.binary(max_size=2), max_size=12).map(b"".join))
def test_no_bytes_break_a_reader(name, content, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    faults = Faults()
    try:
        records = list(build(name)(str(path), faults))
    except DataError:
        return
    numbers = [number for number, _ in records]
    assert numbers == sorted(set(numbers))
    assert all(isinstance(row, dict) for _, row in records)
    assert records or faults.examples
    for fault in faults.examples:
        assert fault.severity == ("warning" if fault.kind == "unnamed column" else "error")
        assert fault.message.endswith(".")
        assert fault.mend
    json.dumps(records, ensure_ascii=False).encode()
