"""What all verbs of knowledge begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import DataError
from sibu.core.logic import Triple, term_json

if TYPE_CHECKING:
    from sibu.graph import KnowledgeBase

Folder = str | Path


def open(folder: Folder, *, write: bool = False) -> KnowledgeBase:  # noqa: A001  (what users call it)
    """Open a knowledge base; use it in a ``with`` block. ``write``: to change it, which one process at a time may.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.graph import KnowledgeBase

    return KnowledgeBase.open(folder, write=write)


def outside(home: Path, file: str | Path) -> None:
    """Check that a file to be written is none of the knowledge base's own.

    Raises:
        DataError: When it stands in its folder.
    """
    place = Path(file).resolve()
    if home.resolve() in (place, *place.parents):
        said = f"{file} stands in the knowledge base {home}, where it might take the place of a file of its own."
        raise DataError(f"{said} Choose another place.")


def returned(kb: KnowledgeBase, before: int) -> list[dict[str, Any]]:
    """The facts that hold since a version though one had retracted them, as JSON: with the last reason for that."""
    from sibu.graph.spoken import said_triple

    return [
        fact_json(fact) | {"said": said_triple(fact, kb.names), "why": record.why, "ended": record.ended}
        for fact, record in kb.returned(before)
    ]


def fact_json(fact: Triple) -> dict[str, Any]:
    """A fact as JSON."""
    terms = (("subject", fact.subject), ("predicate", fact.predicate), ("object", fact.object))
    return {name: term_json(term) for name, term in terms}
