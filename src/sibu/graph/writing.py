"""Facts to files, of what holds or of all with its records."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from sibu.core.errors import DataError
from sibu.graph._rdf import oxigraph
from sibu.graph.formats import Format
from sibu.store.atomic import new_file

HEADER = ("head", "relation", "tail")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_NAME = re.compile(r"[^\W\d][\w.\-·]*\Z")


def write(path: Path, form: Format, quads: Iterable[Any], prefixes: Mapping[str, str], *, graphs: bool) -> int:
    """Write statements to a file, whole or not at all.

    Args:
        path: The file.
        form: How.
        quads: What.
        prefixes: Namespaces that may be shortened.
        graphs: Whether the statements' graphs are written too.

    Returns:
        How many there were.

    Raises:
        DataError: When the format cannot hold them.
        RunStopped: When the disk does not take them.
    """
    if form.name in ("jsonl", "parquet"):
        raise DataError(f"Facts are not written as {form.name}. Choose turtle, ntriples, jsonld, rdfxml, tsv or csv.")
    if graphs and not form.graphs:
        raise DataError(f"{form.name} has no place for where facts come from. Choose nquads, trig or jsonld.")
    count = _Counted(quads)
    library = oxigraph()
    with new_file(path) as place, place.open("wb") as file:
        if not form.rdf:
            _write_table(file, form, count)
            return count.number
        rows: Any = count if graphs else (library.Triple(*list(quad)[:3]) for quad in count)
        target: Any = file
        if form.rdf == "RDF_XML":
            rows, target = _for_xml(rows), _Escaped(file)
        library.serialize(rows, target, getattr(library.RdfFormat, form.rdf), prefixes=dict(prefixes))
        file.flush()
    return count.number


class _Counted:
    def __init__(self, quads: Iterable[Any]) -> None:
        self._quads = quads
        self.number = 0

    def __iter__(self) -> Iterator[Any]:
        for quad in self._quads:
            self.number += 1
            yield quad


def _write_table(file: IO[bytes], form: Format, quads: Iterable[Any]) -> None:
    """Heads, relations and tails, each as N-Triples writes it."""
    if form.name == "csv":
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(HEADER)
        rows.writerows([str(term) for term in list(quad)[:3]] for quad in quads)
        text.flush()
        text.detach()
        return
    file.write(("\t".join(HEADER) + "\n").encode())
    for quad in quads:  # N-Triples escapes tabs and line ends inside a text
        file.write(("\t".join(_one_line(str(term)) for term in list(quad)[:3]) + "\n").encode())


def _one_line(term: str) -> str:
    return term.replace("\t", "\\t")


def _for_xml(triples: Iterable[Any]) -> Iterator[Any]:
    library = oxigraph()
    for triple in triples:
        if not _XML_NAME.search(triple.predicate.value):
            said = f"The property {triple.predicate.value} has no name that XML allows at its end"
            raise DataError(f"{said}, so rdfxml cannot hold it. Choose turtle, ntriples or jsonld.")
        if isinstance(triple.object, library.Literal) and (found := _NOT_IN_XML.search(triple.object.value)):
            said = f"A text of {triple.subject} has the character {found[0]!r}, which XML does not allow"
            raise DataError(f"{said}. Choose turtle, ntriples or jsonld.")
        yield triple


class _Escaped(io.RawIOBase):
    """A file of XML in which a carriage return stays one; readers of XML take a bare one for a line end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._file.write(content.replace(b"\r", b"&#xD;"))
        return len(content)
