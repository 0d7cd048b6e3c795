"""From text to facts: documents read into a knowledge base, and what waits for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sibu.core.errors import DataError
from sibu.kb._opened import Folder, open, outside, returned  # noqa: A004
from sibu.pipeline.progress import Progress, Silent


def extract(
    folder: Folder,
    files: Sequence[str | Path] | str | Path = (),
    plan: str | Path | Mapping[str, Any] | None = None,
    *,
    id_column: str = "id",
    text_column: str = "text",
    remove: Sequence[str] = (),
    again: bool = False,
    to_review: str | Path | None = None,
    message: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Read documents, and state what is found in them: what is sure is asserted, what is not waits for a person.

    All of a run is one version, or nothing. Documents that are as they were when they were last read in this way are
    skipped; what a document said and says no more is retracted.

    Args:
        folder: The knowledge base.
        files: Text files, folders of them, tables (JSON Lines, CSV, TSV, Parquet) with a document a row.
        plan: The YAML file, or a mapping, that names extractors and thresholds.
        id_column: Of tables: the column that names the documents.
        text_column: Of tables: the column of texts.
        remove: Documents that are no more.
        again: Whether documents that did not change are read too.
        to_review: Where to write all that waits for a person, as ``.tsv`` or ``.jsonl``.
        message: What the change is, in words.
        progress: Where to tell how far it is; None: silent.

    Returns:
        The version, whether it is a new one, what was read, asserted, left for review and refused (by reason), and
        which facts that had been retracted hold again.

    Raises:
        SibuError: For every fault that the user can mend. Nothing was changed then.
    """
    from sibu.curation.extracting import review, run
    from sibu.curation.extracting.documents import documents
    from sibu.curation.extracting.plan import plan_of

    listed = [Path(files)] if isinstance(files, str | Path) else [Path(each) for each in files]
    if listed and plan is None:
        raise DataError("Say how facts are extracted, by a file that names extractors: `--with extract.yaml`.")
    if not (listed or remove or to_review):
        raise DataError("Name documents to read, documents to remove, or a file to write what waits for review.")
    planned = plan_of(plan if plan is not None else {"extractors": ["gazetteer"]})
    named = {"id_column": id_column, "text_column": text_column, "language": planned.plan.language}
    texts = documents(listed, **named) if listed else []
    if to_review is not None:
        outside(Path(folder), to_review)
    with open(folder, write=bool(listed or remove)) as kb:
        before = kb.version.number
        told: dict[str, Any] = {}
        if listed or remove:
            with (progress or Silent()).bar("reading documents", len(texts)) as tell:
                options: dict[str, Any] = {"remove": remove, "again": again, "message": message, "tell": tell}
                told = run.run(kb, planned, texts, **options).to_json() | {"returned": returned(kb, before)}
        told |= {"version": kb.version.to_json(), "new": kb.version.number > before}
        if to_review is not None:
            told["review"] = {"file": str(to_review), "waiting": review.write(kb, Path(to_review))}
        return told


def review(folder: Folder, file: str | Path, *, by: str, message: str = "") -> dict[str, Any]:
    """Take back a file that a person has filled in: what is confirmed is asserted, what is rejected is retracted.

    Args:
        folder: The knowledge base.
        file: What ``extract`` wrote by ``to_review``, with decisions.
        by: Who decided; it is the source of what is confirmed.
        message: What the change is, in words.

    Returns:
        The version, and how many facts were confirmed, rejected, left open, and decided so before.

    Raises:
        SibuError: With every line at fault. Nothing was changed then.
    """
    from sibu.curation.extracting import review as reviewing

    with open(folder, write=True) as kb:
        before = kb.version.number
        told: dict[str, Any] = dict(reviewing.take(kb, Path(file), by, message))
        return told | {"version": kb.version.to_json(), "new": kb.version.number > before}
