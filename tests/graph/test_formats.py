"""Files of RDF: what is read, and what is wrong with one, by line and column."""

import gzip
import re
from pathlib import Path

import pytest

from sibu.core.errors import DataError
from sibu.graph.formats import FORMATS, Parsed, format_of
from tests.graph.shared import BASE

ONE = f'<{BASE}a> <{BASE}b> "x" .\n'


def read(path: Path, form: str | None = None) -> list[str]:
    return [str(quad) for quad in Parsed(path, format_of(path, form), BASE)]


@pytest.mark.parametrize(
    "content",
    [
        ONE.encode(),
        b"\xef\xbb\xbf" + ONE.encode(),
        ONE.replace("\n", "\r\n").encode(),
        gzip.compress(ONE.encode()),
        b'<a> <b> "x" .',
        b'@base <https://example.org/clinic/> .\n<a> <b> "x" .',
    ],
    ids=["plain", "mark", "crlf", "gzip", "relative", "own base"],
)
def test_one_fact_however_it_is_written(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_bytes(content)
    assert read(tmp_path / "a.ttl") == [ONE.strip(" .\n")]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "a.ttl",
            f"{ONE}<a> <b <c> .\n",
            ":2:5: Invalid IRI code point ' '. It is read as turtle. The line is: '<a> <b <c> .'.",
        ),
        ("a.ttl", "安娜", ":1:1: 安娜 is not a valid"),
        ("a.ttl", "ex:a ex:b ex:c .", ":1:1: The prefix ex: has not been declared. It is read as turtle."),
        ("a.ttl", "ex:a ex:b ex:c .", " Declare it first: @prefix ex: <...> . Nothing was loaded."),
        ("a.ttl", '<a> <b> """x\n\n', ":1:9: "),
        ("a.nt", f"{ONE}<a> <b> <c> .\n", ":2:1: No scheme found in an absolute IRI"),
        ("a.nt", "<html>\n", ":1:"),
        ("a.jsonld", '{"@id":', ":1:8: Unexpected end of file"),
        ("a.jsonld", '{"@context": "https://schema.org/"}', "Its @context is elsewhere, and nothing is fetched"),
        ("a.rdf", '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n<x></y></r:RDF>', ":2:6: "),
        ("a.rdf", "<html></html>", "a.rdf: XML namespaces are required in RDF/XML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(said)):
        read(tmp_path / name)


def test_an_rdf_fault_in_sound_xml_tells_what_stands_before_it(tmp_path: Path) -> None:
    head = '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e:">'
    text = f'{head}<r:Description r:about="urn:a:b"><e:p>1</e:p></r:Description><r:li/></r:RDF>'
    (tmp_path / "a.rdf").write_text(text)
    with pytest.raises(DataError, match=re.escape("It stands behind what is said of <urn:a:b>.")):
        read(tmp_path / "a.rdf")


def test_bytes_that_are_no_utf_8(tmp_path: Path) -> None:
    (tmp_path / "a.nt").write_bytes(ONE.encode() + b'<urn:a:a> <urn:b:b> "\xff" .\n')
    with pytest.raises(DataError, match=r"a\.nt:2:22: Invalid UTF-8"):
        read(tmp_path / "a.nt")
    (tmp_path / "b.nt").write_bytes(ONE.encode("utf-16"))
    with pytest.raises(
        DataError, match=r"is written in UTF-16, by its first bytes; only UTF-8 is read. Convert it: iconv"
    ):
        read(tmp_path / "b.nt")


def test_a_damaged_gzip_file(tmp_path: Path) -> None:
    (tmp_path / "a.nt.gz").write_bytes(gzip.compress(ONE.encode() * 99)[:-9])
    with pytest.raises(DataError, match=r"is a damaged gzip file \(.*\)\. Copy or download it again"):
        read(tmp_path / "a.nt.gz")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "facts.ttl").write_text(ONE)
    with pytest.raises(
        DataError, match=re.escape(f"There is no file {tmp_path / 'fact.ttl'}. Did you mean 'facts.ttl'?")
    ):
        read(tmp_path / "fact.ttl")
    with pytest.raises(DataError, match="is a folder where a file is expected"):
        read(tmp_path, "turtle")


@pytest.mark.parametrize(
    ("name", "form"), [("A.TTL", "turtle"), ("a.owl", "rdfxml"), ("a.nq.gz", "nquads"), ("a.tsv", "tsv")]
)
def test_a_format_by_its_name(name: str, form: str) -> None:
    assert format_of(Path(name)) is FORMATS[form]


def test_a_format_that_is_none() -> None:
    with pytest.raises(
        DataError, match=r"There is no format 'turtel'\. Did you mean 'turtle'\? Allowed: turtle, ntriples"
    ):
        format_of(Path("a"), "turtel")
    with pytest.raises(
        DataError, match=r"The name of a\.json does not tell its format\. Name the format; allowed: turtle"
    ):
        format_of(Path("a.json"))


def test_entities_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    lines = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    text = f'<!DOCTYPE l [<!ENTITY e0 "aaaaaaaaaa">{lines}]><x>&e12;</x>'
    (tmp_path / "a.rdf").write_text(text)
    with pytest.raises(DataError, match=r"the XML entity 'e[34]' stands for [0-9,]+ characters; allowed are 65,536"):
        read(tmp_path / "a.rdf")
