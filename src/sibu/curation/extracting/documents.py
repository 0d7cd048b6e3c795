"""Documents that a user gives: text files, folders of them, tables with a document a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sibu.core.errors import DataError, RecipeError, counted
from sibu.core.example import Faults
from sibu.core.extraction import Text
from sibu.readers import READERS, reader_for

TEXTS = (".txt", ".md", ".text")
"""Endings of files that are one document."""
TABLES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


def documents(
    files: Sequence[Path], *, id_column: str = "id", text_column: str = "text", language: str = ""
) -> list[Text]:
    """The documents of files and folders, in order.

    A text file is a document named as the file is, from the folder that was given; a row of a table is one, named by
    its id.

    Args:
        files: Files and folders.
        id_column: Of tables: the column of names.
        text_column: Of tables: the column of texts.
        language: Of all of them; empty: not told.

    Raises:
        DataError: When one cannot be read, or two have one name; with every fault.
    """
    reading = _Reading(id_column, text_column, language)
    for file in files:
        reading.take(file)
    if reading.faults:
        more = len(reading.faults) - 20
        raise DataError(
            "\n".join(reading.faults[:20]) + (f"\n... and {counted(more, 'fault')} more." if more > 0 else "")
        )
    if not reading.found:
        raise DataError(f"There is no document in {', '.join(map(str, files))}. Give {', '.join(TEXTS + TABLES)}.")
    return reading.found


class _Reading:
    def __init__(self, id_column: str, text_column: str, language: str) -> None:
        self._id, self._text, self._language = id_column, text_column, language
        self.found: list[Text] = []
        self.faults: list[str] = []
        self._places: dict[str, str] = {}

    def take(self, file: Path) -> None:
        if file.is_dir():
            inside = [each for each in sorted(file.rglob("*")) if each.is_file() and each.suffix.lower() in TEXTS]
            for each in (each for each in inside if not each.name.startswith(".")):
                self._whole(each, each.relative_to(file).as_posix())
        elif not file.is_file():
            self.faults.append(f"There is no file {file}.")
        elif _ending(file) in TABLES:
            self._rows(file)
        elif file.suffix.lower() in TEXTS:
            self._whole(file, file.name)
        else:
            self.faults.append(
                f"{file} is no document: give {', '.join(TEXTS)}, a folder, or a table ({', '.join(TABLES)})."
            )

    def _whole(self, file: Path, name: str) -> None:
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as fault:
            self.faults.append(f"{file} is not UTF-8, from byte {fault.start + 1} on. Convert it.")
            return
        except OSError as fault:
            self.faults.append(f"{file} cannot be read: {fault.strerror or fault}.")
            return
        self._add(name, text, str(file))

    def _rows(self, file: Path) -> None:
        for line, row in self._read(file):
            where = f"{file}:{line}"
            text, name = row.get(self._text), row.get(self._id)
            if text is None:
                there = ", ".join(map(repr, row)) or "nothing"
                said = f"there is no {self._text!r}; the row has {there}. Name the column of texts (--text)."
                self.faults.append(f"{where}: {said}")
            elif name in (None, ""):
                said = f"there is no {self._id!r}, which names the document. Name its column (--id), or add one."
                self.faults.append(f"{where}: {said}")
            elif not isinstance(text, str):
                self.faults.append(f"{where}: {self._text!r} is no text, given {type(text).__name__}.")
            else:
                self._add(str(name), text, where)

    def _read(self, file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        try:
            spec = READERS[reader_for(str(file))].spec()
            faults = Faults()
            yield from READERS.of(spec).build(spec)(str(file), faults)
        except (RecipeError, DataError) as fault:
            self.faults.append(str(fault))
            return
        self.faults += [str(fault) for fault in faults.of("error")]

    def _add(self, name: str, text: str, where: str) -> None:
        if name in self._places:
            self.faults.append(f"Two documents are named {name!r}: {self._places[name]} and {where}. Rename one.")
            return
        self._places[name] = where
        try:
            (name + text).encode()
        except UnicodeEncodeError:
            self.faults.append(f"{where}: the document has half a character (a lone surrogate), which is no text.")
            return
        self.found.append(Text(name, text, self._language))


def _ending(file: Path) -> str:
    endings = [each.lower() for each in file.suffixes]
    return (endings[:-1] if endings[-1:] == [".gz"] else endings)[-1:][0] if endings and endings != [".gz"] else ""
