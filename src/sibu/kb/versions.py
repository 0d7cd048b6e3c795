"""A knowledge base through time, and written to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.kb._opened import Folder, fact_json, open, outside  # noqa: A004
from sibu.pipeline.progress import Progress, Silent

if TYPE_CHECKING:
    from sibu.graph import KnowledgeBase


def versions(folder: Folder) -> list[dict[str, Any]]:
    """Every version from 0, checked against each other.

    Raises:
        SibuError: When one is missing or damaged.
    """
    with open(folder) as kb:
        return [each.to_json() for each in kb.versions()]


def name_version(folder: Folder, version: int | str, name: str) -> dict[str, Any]:
    """Give a version a name, by which it can be asked for too.

    Raises:
        SibuError: When there is no such version, or the name is another's.
    """
    with open(folder, write=True) as kb:
        return kb.name_version(version, name).to_json()


def diff(folder: Folder, before: int | str, after: int | str) -> dict[str, Any]:
    """Which facts hold in one version and not in another.

    Returns:
        ``{"before", "after", "added", "removed"}``.

    Raises:
        SibuError: When there is no such version.
    """
    from sibu.graph.spoken import said_triple

    with open(folder) as kb:
        found = kb.diff(before, after)
        told: dict[str, Any] = {"before": found.before.to_json(), "after": found.after.to_json()}
        for name, facts in (("added", found.added), ("removed", found.removed)):
            told[name] = [fact_json(each) | {"said": said_triple(each, kb.names)} for each in facts]
        return told


def rollback(folder: Folder, to: int | str, *, message: str = "") -> dict[str, Any]:
    """Have all facts and sources as they were in a version, by a new version that undoes those since.

    Rule files, shapes, reasoners and prefixes have no versions: they stay as they are, and ``notes`` says so.

    Returns:
        The version, whether it is a new one (``new``), and ``notes``.

    Raises:
        SibuError: When there is no such version.
    """
    with open(folder, write=True) as kb:
        before = kb.version.number
        version = kb.rollback(to, message)
        return version.to_json() | {"new": version.number > before, "notes": _notes(kb)}


def _notes(kb: KnowledgeBase) -> list[str]:
    """What a user is to know who went back."""
    from sibu.curation import shape_files

    rules = list(kb.rules.all())
    files = [*rules, *shape_files.listed(kb)]
    notes = [f"Rules and shapes have no versions: {', '.join(files)} stay as they are."] if files else []
    return [*notes, f"What follows by the rules of today: sibu kb infer {kb.folder}"] if rules else notes


def export(folder: Folder, file: str | Path, *, format: str | None = None, all: bool = False) -> int:  # noqa: A002
    """Write what holds to a file.

    Args:
        folder: The knowledge base.
        file: The file.
        format: ``turtle``, ``ntriples``, ``jsonld``, ``rdfxml``, ``tsv``, ``csv``; None: by the file's name.
        all: With what does not hold and all records, as ``nquads``, ``trig`` or ``jsonld``; ``add`` reads it back.

    Returns:
        How many statements were written.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    outside(Path(folder), file)
    with open(folder) as kb:
        return kb.export(file, format, all=all)


def stats(folder: Folder) -> dict[str, Any]:
    """How much there is of what: facts, statements by status, classes, properties, documents, bytes.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    with open(folder) as kb:
        return kb.stats()


def rebuild(folder: Folder, *, progress: Progress | None = None) -> dict[str, Any]:
    """Make the store anew from the versions, where its files are damaged or lost.

    Raises:
        SibuError: When a version itself is.
    """
    from sibu.graph.opening import rebuild as made

    with (progress or Silent()).bar("versions", None) as tell:
        return made(Path(folder), lambda _: tell(1)).to_json()
