"""Room: files to records, one part a file format. Every file is streamed, and no record is lost silently."""

import re
from contextlib import suppress
from itertools import islice
from pathlib import Path

from sibu.catalog import Catalog
from sibu.core.errors import DataError, Fault, RecipeError
from sibu.readers import alpaca, conll, csv, datasets, folder, jsonl, lines, messages, parquet, sharegpt, squad, tsv
from sibu.readers._files import opened
from sibu.readers.datasets import HUB, MARKS
from sibu.readers.folder import ENDINGS

READERS = Catalog(
    "reader",
    jsonl.ENTRY,
    csv.ENTRY,
    tsv.ENTRY,
    parquet.ENTRY,
    conll.ENTRY,
    squad.ENTRY,
    alpaca.ENTRY,
    sharegpt.ENTRY,
    messages.ENTRY,
    lines.ENTRY,
    folder.ENTRY,
    datasets.ENTRY,
    group="sibu.readers",
)

_BY_SUFFIX = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
    ".txt": "conll",
}
_PEEK = 65_536
_FEW, _MOST = 10, 1000
_LISTED = {"sharegpt": b"conversations", "messages": b"messages", "alpaca": b"instruction"}
"""What the objects of a list have, by reader."""


def reader_for(path: str) -> str:
    """The name of the reader that suits a file, by its name; a trailing ``.gz`` does not count.

    A folder that holds pictures, recordings or videos, itself or in its sub-folders, belongs to the reader ``folder``.
    A ``.json`` file is JSON Lines unless its first 64 KiB look like a SQuAD document, or like a list of Alpaca's,
    ShareGPT's or OpenAI's objects. A folder that ``datasets`` saved
    and a name such as ``datasets:owner/name:train`` belong to the reader ``datasets``.

    Raises:
        RecipeError: When the name says nothing; the message lists what is allowed.
    """
    place = Path(path)
    if path.startswith(HUB) or any((place / mark).is_file() for mark in MARKS):
        return "datasets"
    endings = [ending.lower() for ending in place.suffixes]
    zipped = endings[-1:] == [".gz"]
    ending = (endings[:-1] if zipped else endings)[-1:]
    name = _BY_SUFFIX.get(ending[0]) if ending else None
    if place.is_dir() and _holds_media(place):
        return "folder"
    if name is None or (zipped and name == "parquet") or place.is_dir():
        raise RecipeError(_no_reader(path, place.is_dir()))
    return _document(place) or name if ending == [".json"] else name


def _holds_media(place: Path) -> bool:
    """Whether one of the first files of a folder or its sub-folders is a picture, a recording or a video."""
    media = tuple(ending for kind, endings in ENDINGS.items() if kind != "series" for ending in endings)
    with suppress(OSError):
        for folder in (place, *islice((each for each in sorted(place.iterdir()) if each.is_dir()), _FEW)):
            if any(file.name.lower().endswith(media) for file in islice(folder.iterdir(), _MOST)):
                return True
    return False


def _document(place: Path) -> str | None:
    """The reader of a file that begins like one JSON document; a file that is not there does not."""
    if not place.is_file():
        return None
    try:
        with opened(str(place)) as file:
            head = file.read(_PEEK)
    except DataError:  # for the reader to say
        return None
    if re.match(rb'\s*\{\s*"', head) and re.search(rb'"data"\s*:\s*\[', head) and b'"paragraphs"' in head:
        return "squad"
    if re.match(rb"\s*\[\s*\{", head):
        return next((name for name, key in _LISTED.items() if re.search(rb'"%s"\s*:' % key, head)), None)
    return None


def _no_reader(path: str, folder: bool) -> Fault:
    if folder:
        given = f"the folder {path!r} holds none of {', '.join(MARKS)}, so `datasets` did not save it."
    else:
        given = f"the name {path!r} does not tell its format."
    allowed = (
        f"Allowed: {' '.join(_BY_SUFFIX)}, text also with .gz; a folder of `datasets` or of media; {HUB}NAME:SPLIT."
    )
    mend = f"Rename it, or name its format with `reader:` ({', '.join(READERS)})."
    return Fault("", f"No reader: {given} {allowed}", mend)
