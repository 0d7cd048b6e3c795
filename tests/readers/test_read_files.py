"""Bytes: gzip, byte order marks, line ends, encodings, over all text formats."""

import gzip
import re
import shutil
import subprocess

import pytest

from sibu.core.errors import DataError

GOOD = {
    "jsonl": '{"text": "天气 café"}\n{"text": "b"}\n',
    "csv": "text\n天气 café\nb\n",
    "tsv": "text\n天气 café\nb\n",
    "conll": "天气 O\ncafé O\n\nb O\n",
    "squad": '{"data": [{"paragraphs": [{"context": "天气 café", "qas": [{"id": "1", "question": "b"}]}]}]}\n',
}


@pytest.mark.parametrize("name", GOOD)
def test_gzip_mark_and_line_ends_change_nothing(name, reading, write):
    plain = GOOD[name].encode()
    expected = reading(name, write("plain", plain)).records
    assert expected
    marked = b"\xef\xbb\xbf" + plain
    dos = plain.replace(b"\n", b"\r\n")
    unended = plain.rstrip(b"\n")
    for number, content in enumerate((marked, dos, unended, gzip.compress(plain), gzip.compress(marked))):
        result = reading(name, write(f"{number}.gz", content))
        assert result.records == expected
        assert result.faults.examples == []
    # The name neither makes nor hinders gzip.
    assert reading(name, write("named.txt", gzip.compress(plain))).records == expected


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_wide_encodings_are_named(name, encoding, reading, write):
    content = ("\ufeff" if encoding == "utf-16-be" else "") + GOOD[name]
    wide = encoding.upper()[:6]
    path = write("wide.txt", content.encode(encoding))
    with pytest.raises(
        DataError, match=f"written in {wide}, .* only UTF-8 is read. Convert it: iconv -f {wide}"
    ) as raised:
        reading(name, path)
    subprocess.run(["bash", "-c", str(raised.value).split("Convert it: ")[1]], check=True)
    assert reading(name, path.with_name("wide.utf8.txt")).records == reading(name, write("plain", GOOD[name])).records


@pytest.mark.parametrize("name", GOOD)
def test_damaged_gzip(name, reading, write):
    whole = gzip.compress(GOOD[name].encode() * 2000)
    for content in (whole[: len(whole) // 2], whole[:-8] + bytes(8), whole[:20] + b"\xff" * 9 + whole[29:]):
        with pytest.raises(DataError, match=r"is a damaged gzip file \(.*gzip -t"):
            reading(name, write("damaged.gz", content))


BAD = [
    ("jsonl", '{{"t": "{}"}}\n', ""),
    ("csv", "{},x\n", "t,u\n"),
    ("tsv", "{}\tx\n", "t\tu\n"),
    ("conll", "{} O\n\n", ""),
]


@pytest.mark.parametrize(("name", "form", "head"), BAD)
@pytest.mark.parametrize(
    ("text", "encoding", "mend"),
    [
        (
            "今天天气很好",
            "gb18030",
            "As GB18030 it reads '.*今天天气很好.*'; if that is right: iconv -f GB18030 -t UTF-8",
        ),
        (
            "un café à Orléans",
            "latin-1",
            "As Latin-1 it reads '.*un café à Orl.*'; if that is right: iconv -f ISO-8859-1",
        ),
    ],
)
def test_wrong_encoding(name, form, head, text, encoding, mend, reading, write):
    lines = [head, form.format("a"), form.format(text), form.format("b")]
    path = write("mixed.txt", "".join(lines[:2]).encode() + lines[2].encode(encoding) + lines[3].encode())
    result = reading(name, path)
    line = "".join(lines[:2]).count("\n") + 1
    offset = next(place for place, byte in enumerate(lines[2].encode(encoding), 1) if byte > 127)
    value = lines[2].encode(encoding)[offset - 1]
    assert len(result.rows) == 2
    assert result.skipped == 1
    assert result.found == [("bad encoding", line)]
    assert f"Line {line} is not UTF-8: byte {offset} of it is 0x{value:02X}" in result.fault.message
    assert re.search(mend, result.fault.mend)


@pytest.mark.parametrize(("name", "form", "head"), BAD)
@pytest.mark.parametrize("zipped", [False, True])
def test_proposed_conversion_works(name, form, head, zipped, reading, write):
    if shutil.which("iconv") is None:
        pytest.skip("no iconv here")
    content = (head + form.format("很好") * 3).encode("gb18030")
    path = write("a b.txt.gz" if zipped else "a b.txt", gzip.compress(content) if zipped else content)
    result = reading(name, path)
    assert result.rows == []
    assert result.skipped == 3
    command = result.faults.examples[0].mend.split("if that is right: ")[1]
    subprocess.run(["bash", "-c", command], check=True)
    mended = reading(name, path.with_name("a b.utf8.txt"))
    assert "很好" in str(mended.rows)
    assert mended.faults.examples == []


def test_one_damaged_place_is_not_taken_for_another_encoding(reading, write):
    line = '{"t": "今天天气很好，我们出去'.encode()[:-1] + b'"}\n'
    result = reading("jsonl", write("cut.jsonl", line))
    assert "The rest of the line is UTF-8" in result.fault.mend


def test_wrong_bytes_in_a_document(reading, write):
    content = '{"data":\n [{"paragraphs": "天气很好"}]}'.encode("gb18030")
    result = reading("squad", write("a.json", content))
    assert result.found == [("bad encoding", 2)]
    assert "Line 2 is not UTF-8: byte 19 of it is 0xCC" in result.fault.message


def test_json_lines_read_as_plain_lines(reading, write):
    found = reading("lines", write("a.txt", GOOD["jsonl"]))
    assert found.found == [("JSON as text", 1)]
    assert found.rows[0] == {"text": '{"text": "天气 café"}'}
    assert reading("lines", write("b.txt", "{ein Satz}\n{}x\n[1]\n")).found == []
