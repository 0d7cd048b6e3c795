"""Files of RDF: read statement by statement, with what is wrong by line and column; and written."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from sibu.core.errors import DataError, near_miss
from sibu.graph._rdf import oxigraph


@dataclass(frozen=True, slots=True)
class Format:
    """A way of writing facts down."""

    name: str
    endings: tuple[str, ...]
    rdf: str = ""
    """Its name in pyoxigraph; empty: a table."""
    graphs: bool = False
    """Whether it tells of records too."""


FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format("turtle", (".ttl", ".turtle"), "TURTLE"),
        Format("ntriples", (".nt", ".ntriples"), "N_TRIPLES"),
        Format("nquads", (".nq", ".nquads"), "N_QUADS", graphs=True),
        Format("trig", (".trig",), "TRIG", graphs=True),
        Format("jsonld", (".jsonld",), "JSON_LD", graphs=True),
        Format("rdfxml", (".rdf", ".owl", ".xml"), "RDF_XML"),
        Format("tsv", (".tsv", ".tab", ".txt")),
        Format("csv", (".csv",)),
        Format("jsonl", (".jsonl", ".ndjson")),
        Format("parquet", (".parquet",)),
    )
}
"""Every format that can be read; all but `jsonl` and `parquet` can be written."""
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_MOST_ENTITIES = 1 << 16
"""Characters that an XML entity may stand for; some files are written to fill the memory."""


def format_of(path: Path, given: str | None = None) -> Format:
    """The format of a file: as it is told, or by the end of its name.

    Raises:
        DataError: When there is no such format, or the name does not tell.
    """
    if given is not None:
        if given not in FORMATS:
            allowed = ", ".join(FORMATS)
            raise DataError(f"There is no format {given!r}. {near_miss(given, FORMATS)}Allowed: {allowed}.")
        return FORMATS[given]
    name = path.name.lower().removesuffix(".gz")
    for each in FORMATS.values():
        if name.endswith(each.endings):
            return each
    known = ", ".join(f"{each.name} ({' '.join(each.endings)})" for each in FORMATS.values())
    raise DataError(f"The name of {path} does not tell its format. Name the format; allowed: {known}.")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unzipped where they are gzip, behind the byte order mark where there is one.

    Raises:
        DataError: When the file is missing, a folder, damaged gzip, or UTF-16.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder where a file is expected. Name the files in it.")
    if not path.is_file():
        others = [each.name for each in islice(path.parent.iterdir(), 1000)] if path.parent.is_dir() else []
        raise DataError(f"There is no file {path}. {near_miss(path.name, others)}".rstrip())
    try:
        with ExitStack() as stack:
            file: Any = stack.enter_context(path.open("rb"))
            if file.peek(2).startswith(b"\x1f\x8b"):
                file = stack.enter_context(BufferedReader(cast(Any, gzip.GzipFile(fileobj=file))))
            head = file.peek(4)[:4]
            for mark, encoding in _MARKS.items():
                if head.startswith(mark):
                    mend = f"Convert it: iconv -f {encoding} -t UTF-8 {path} > {path.stem}.utf8{path.suffix}"
                    raise DataError(f"{path} is written in {encoding}, by its first bytes; only UTF-8 is read. {mend}")
            if head.startswith(b"\xef\xbb\xbf"):
                file.read(3)
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise DataError(f"{path} is a damaged gzip file ({fault}). Copy or download it again.") from fault
    except PermissionError as fault:
        raise DataError(f"{path} cannot be read: {fault.strerror}.") from fault


class Parsed:
    """The quads of a file, and the prefixes that it declares once they are read."""

    def __init__(self, path: Path, form: Format, base: str) -> None:
        self.path, self._form, self._base = path, form, base
        self.prefixes: dict[str, str] = {}

    def __iter__(self) -> Iterator[Any]:
        """Each quad, in the order of the file.

        Raises:
            DataError: When the file is not of its format: with line and column, and what is wrong.
        """
        library = oxigraph()
        member = getattr(library.RdfFormat, self._form.rdf)
        last = None
        with opened(self.path) as file:
            if self._form.rdf == "RDF_XML":
                _check_entities(self.path)
            try:
                parser = library.parse(file, member, base_iri=self._base)
                for quad in parser:
                    if last is None:  # those of XML are forgotten where they end
                        self.prefixes = dict(parser.prefixes)
                    last = quad
                    yield quad
            except SyntaxError as fault:
                raise DataError(_said(self.path, self._form, fault, last)) from fault
            except UnicodeDecodeError as fault:
                raise DataError(f"{self.path} is not UTF-8: {fault}. Convert it. Nothing was loaded.") from fault
            self.prefixes |= dict(parser.prefixes)


def _said(path: Path, form: Format, fault: SyntaxError, last: Any) -> str:
    """What is wrong with a file, and where."""
    said = re.sub(r"^Parser error at .*?: ", "", str(fault.msg))
    line, column = fault.lineno, fault.offset
    if line is None and form.rdf == "RDF_XML":
        line, column, said = _place_in_xml(path, said)
    where = f"{path}:{line}:{column}" if line is not None else str(path)
    shown = f" The line is: {_line(path, line)}." if line is not None else ""
    if line is None and last is not None:
        shown = f" It stands behind what is said of {last.subject}."
    return f"{where}: {said.rstrip('.')}. It is read as {form.name}.{shown}{_mend(said)} Nothing was loaded."


def _mend(said: str) -> str:
    if found := re.search(r"The prefix (\S*): has not been declared", said):
        return f" Declare it first: @prefix {found[1]}: <...> ."
    if "LoadDocumentCallback" in said:
        return " Its @context is elsewhere, and nothing is fetched: write the context into the file."
    return ""


def _line(path: Path, number: int) -> str:
    with opened(path) as file:
        found = next(islice(file, number - 1, number), b"").decode("utf-8", "replace").strip()
    return repr(found if len(found) <= 100 else found[:99] + "…")


def _place_in_xml(path: Path, said: str) -> tuple[int | None, int | None, str]:
    """Where an XML file is not well-formed; None where it is, so that something else is wrong."""
    from xml.parsers.expat import ExpatError, ParserCreate

    with opened(path) as file:
        try:
            ParserCreate().ParseFile(file)
        except ExpatError as fault:
            return fault.lineno, fault.offset + 1, said
    return None, None, said


_ENTITY = re.compile(rb"<!ENTITY\s+(\S+)\s+(?:\"([^\"]*)\"|'([^']*)')")


def _check_entities(path: Path) -> None:
    """Refuse a file whose entities stand for each other many times over."""
    with opened(path) as file:
        head = file.read(1 << 20)
    sizes: dict[bytes, int] = {}
    for name, one, two in _ENTITY.findall(head):
        value = one or two
        sizes[name] = len(value) + sum(sizes.get(used, 0) for used in re.findall(rb"&([^;#]+);", value))
        if sizes[name] > _MOST_ENTITIES:
            said = f"{path}: the XML entity {name.decode('utf-8', 'replace')!r} stands for {sizes[name]:,} characters"
            raise DataError(f"{said}; allowed are {_MOST_ENTITIES:,}. Write the text itself. Nothing was loaded.")
