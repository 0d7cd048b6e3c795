"""SQuAD JSON, version 1 or 2: questions about paragraphs, with their answers' places.

A record is a question: `id`, `question`, `context`, `answers` (a list of `text` and `start`; null where the file has
none), `is_impossible`. Its row number is the running number of the question, from 1, as one line holds many.
`plausible_answers` are left out. Whether an answer stands at its place is for the data gate to judge. The document is
read whole, so it takes memory in proportion to its size. Source: Rajpurkar et al., 2018, arXiv:1806.03822.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


class SquadSpec(Spec):
    """Options of the SQuAD reader: none."""

    name: Literal["squad"] = "squad"


def build(spec: SquadSpec) -> Reader:  # noqa: ARG001  (every part is built from its spec)
    """The reader of SQuAD documents."""
    from sibu.readers.squad.read import read

    return read


ENTRY = Entry(SquadSpec, build)
