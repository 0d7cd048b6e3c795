"""Folder: pictures, recordings, videos or readings in folders, named by their label or by a table.

`cat/1.jpg` and `dog/old/2.jpg` have the labels `cat` and `dog`: the first sub-folder's name. A `metadata.jsonl`,
`.csv`, `.tsv` or `.parquet` in the folder itself names files in its column `file_name` instead, with what is known of
each beside it. A record has the file under `image`, `audio`, `video` or `series`, by the endings found, and `id`: its
name in the folder. Files are read in the order of their names. Hidden files, other endings and files that the table
leaves out are counted and told. Source: the folders of torchvision's `ImageFolder`, the tables of Hugging Face's
`imagefolder`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader

ENDINGS: dict[str, tuple[str, ...]] = {
    "image": (
        ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".avif", ".jp2",
        ".ppm", ".pgm", ".pbm", ".ico", ".qoi", ".psd",
    ),
    "audio": (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf"),
    "video": (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".flv"),
    "series": (".csv", ".tsv", ".parquet", ".npy", ".csv.gz", ".tsv.gz"),
}  # fmt: skip
"""Endings, in small letters, by the column that has the file."""
TABLE = "metadata"
"""The name of a table that is found unless told."""
TABLES = (".jsonl", ".csv", ".tsv", ".parquet")


def _inside(given: str) -> str:
    if given.startswith("/") or ".." in given.split("/") or not given.lower().endswith(TABLES):
        raise ValueError(f"a table is a file in the folder ({' '.join(TABLES)}), given {given!r}")
    return given


class FolderSpec(Spec):
    """Options of the reader of folders."""

    name: Literal["folder"] = "folder"
    kind: Literal["image", "audio", "video", "series"] | None = None
    """Which files are read, and their column; null: the only kind there is."""
    table: Annotated[str, AfterValidator(_inside)] | None = None
    """A table in the folder that names its files; null: `metadata.jsonl`, `.csv`, `.tsv` or `.parquet` where there is
    one, else labels are the sub-folders' names."""
    column: Annotated[str, Field(min_length=1)] = "file_name"
    """Of a table, the column that names the file, from the table on."""


def build(spec: FolderSpec) -> Reader:
    """The reader of folders."""
    from sibu.readers.folder.read import read

    return partial(read, kind=spec.kind, table=spec.table, column=spec.column)


ENTRY = Entry(FolderSpec, build)
