"""Lines: a plain text file, each line a `text`.

For texts without labels (the tasks `mask`, `contrast` and `denoise`, `sibu predict --input`). Blank lines are skipped.
Must be named, since a name such as `notes.txt` does not tell it from CoNLL columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


class LinesSpec(Spec):
    """Options of the reader of lines: none."""

    name: Literal["lines"] = "lines"


def build(spec: LinesSpec) -> Reader:  # noqa: ARG001  (every part is built from its spec)
    """The reader of lines."""
    from sibu.readers.lines.read import read

    return read


ENTRY = Entry(LinesSpec, build)
