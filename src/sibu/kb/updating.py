"""The loop: new documents, what follows, what is in conflict, what should be trained again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from sibu.core.errors import DataError
from sibu.kb._opened import Folder, open, outside, returned  # noqa: A004
from sibu.pipeline.progress import Progress, Silent


def update(
    folder: Folder,
    files: Sequence[str | Path] | str | Path,
    plan: str | Path | Mapping[str, Any],
    *,
    conflicts: Literal["hold", "tell", "refuse"] = "hold",
    bundles: Sequence[str | Path] = (),
    rows: str | Path | None = None,
    name: str = "",
    id_column: str = "id",
    text_column: str = "text",
    remove: Sequence[str] = (),
    again: bool = False,
    seconds: float | None = None,
    message: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Take new documents in: read them, derive what follows, look for conflicts, and tell what should be retrained.

    Args:
        folder: The knowledge base.
        files: Text files, folders of them, tables with a document a row.
        plan: The YAML file, or a mapping, that names extractors and thresholds.
        conflicts: What becomes of facts of these documents that a new conflict rests on (a constraint of rules or
            ontology that is met, a value that cannot be, a shape that is broken): ``hold``: they wait for a person, as
            hypotheses; ``tell``: they stay asserted; ``refuse``: all of the update is taken back.
        bundles: Bundles to judge beside those that the plan names.
        rows: Folder for training rows that the new facts yield, a file a bundle and task; None: they are counted alone.
        name: Name for the version that comes of it; where nothing is new, none does.
        id_column: Of tables: the column that names the documents.
        text_column: Of tables: the column of texts.
        remove: Documents that are no more.
        again: Whether documents that did not change are read too.
        seconds: How long deriving may take, each time.
        message: What the change is, in words.
        progress: Where to tell how far it is; None: silent.

    Returns:
        ``{"version", "before", "read", "inferred", "conflicts", "returned", "diff", "retrain", "unseen",
        ...}``; ``returned``: facts that had been retracted and hold again.

    Raises:
        SibuError: For every fault that the user can mend. Facts and documents are then as they were.
    """
    from sibu.curation.extracting.documents import documents
    from sibu.curation.extracting.plan import plan_of
    from sibu.curation.updating.update import OnConflict
    from sibu.curation.updating.update import update as run

    if conflicts not in get_args(OnConflict):
        raise DataError(f"What becomes of conflicts is one of {', '.join(get_args(OnConflict))}, given {conflicts!r}.")
    listed = [Path(files)] if isinstance(files, str | Path) else [Path(each) for each in files]
    if not (listed or remove):
        raise DataError("Name documents to read, or documents to remove.")
    if rows is not None:
        outside(Path(folder), rows)
    planned = plan_of(plan)
    named = {"id_column": id_column, "text_column": text_column, "language": planned.plan.language}
    texts = documents(listed, **named) if listed else []
    with open(folder, write=True) as kb:
        if name:
            kb.check_name(name)
        with (progress or Silent()).bar("reading documents", len(texts)) as tell:
            options: dict[str, Any] = {"remove": remove, "again": again, "seconds": seconds, "message": message}
            options |= {"on_conflict": conflicts, "bundles": [Path(each) for each in bundles], "tell": tell}
            found = run(kb, planned, texts, rows_to=None if rows is None else Path(rows), **options)
        told = found.to_json(kb) | {"returned": returned(kb, found.before.number)}
        if name and told["new"] and not found.refused:
            told["version"] = kb.name_version(kb.version.number, name).to_json()
        return told
