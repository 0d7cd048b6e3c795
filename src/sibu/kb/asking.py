"""Questions in plain words, and names in texts joined to things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import DataError
from sibu.kb._opened import Folder, open  # noqa: A004

if TYPE_CHECKING:
    from sibu.core.linking import Link, Mention
    from sibu.graph import KnowledgeBase

MENTION = ("text", "start", "end", "kinds", "context", "language")
"""Keys of a mention as JSON; beside them ``id``."""


def ask(
    folder: Folder, question: str, *, model: str | None = None, limit: int = 5, language: str = "", names: bool = False
) -> dict[str, Any]:
    """Answer a question from the facts that hold, with a proof that the checker accepts; or say that it is not known.

    Args:
        folder: The knowledge base.
        question: In English or Chinese.
        model: An encoder that says which words mean nearly what a relation's name does, such as ``minilm`` (English)
            or ``me5`` (many languages); None: words are compared by their letters, and lists of words that say the
            same.
        limit: Most answers that are proved.
        language: In which things are shown; empty: as the question is written.
        names: Show short names, not labels.

    Returns:
        ``{"status", "kind", "value", "said", "score", "plan", "answers", "over", "readings", "needed", "notes", ...}``;
        ``status`` is ``answered``, ``ambiguous`` or ``not known``. Each of ``answers`` has ``proof``, ``tree`` and the
        checker's ``verdict``; only what it ``accepted`` is proved.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.curation.asking.answering import Answerer
    from sibu.curation.asking.replies import told

    if limit < 1:
        raise DataError(f"At least one answer is proved, given {limit}.")
    with open(folder) as kb:
        answerer = Answerer(kb, _encoder(model))
        return told(kb, answerer, answerer.ask(question, limit=limit), language, names=names)


def link(
    folder: Folder,
    text: str | None = None,
    mentions: Iterable[Mapping[str, Any]] = (),
    *,
    model: str | None = None,
    threshold: float = 0.6,
    most: int = 8,
    language: str = "",
) -> list[dict[str, Any]]:
    """Join names to the things of a knowledge base.

    Args:
        folder: The knowledge base.
        text: A text in which the knowledge base's own names are looked for.
        mentions: Names that were found already: ``text``, and ``start``, ``end``, ``kinds`` (names of classes),
            ``context``, ``language``, ``id``, as far as they are known.
        model: An encoder by which names that mean nearly the same are candidates too; None: by letters alone.
        threshold: Score from 0 to 1 below which a name is linked to nothing.
        most: Candidates that are told.
        language: In which labels are told.

    Returns:
        A line for each mention, in order: ``{"text", "start", "end", "value", "label", "score", "candidates"}``.

    Raises:
        SibuError: For every fault that the user can mend; of mentions all of them.
    """
    from sibu.curation.linking.linker import KnowledgeLinker

    if not 0 <= threshold <= 1 or most < 1:
        raise DataError(f"A threshold is from 0 to 1 and candidates are at least 1, given {threshold:g} and {most}.")
    with open(folder) as kb:
        listed = list(mentions)
        given = _mentions(kb, listed)
        linker = KnowledgeLinker(kb, encode=_encoder(model), threshold=threshold, most=most)
        if text is not None:
            found = linker.find(text)
            listed, given = [{} for _ in found] + listed, found + given
        links = linker.link(given)
        return [_line(kb, *each, language) for each in zip(listed, given, links, strict=True)]


def _encoder(model: str | None) -> Any:
    if model is None:
        return None
    from sibu.curation.linking.meaning import encoder

    return encoder(model)


def _mentions(kb: KnowledgeBase, rows: list[Mapping[str, Any]]) -> list[Mention]:
    """Mentions of rows.

    Raises:
        DataError: With every fault, by row.
    """
    found, faults = [], []
    for number, row in enumerate(rows, 1):
        try:
            found.append(_mention(kb, row))
        except (DataError, ValueError) as fault:
            faults.append(f"mention {number}: {fault}")
    if faults:
        more = f"\n... and {len(faults) - 20} more" if len(faults) > 20 else ""
        raise DataError("\n".join(faults[:20]) + more)
    return found


def _mention(kb: KnowledgeBase, row: Mapping[str, Any]) -> Mention:
    from sibu.core.linking import Mention

    if not isinstance(row, Mapping) or not isinstance(row.get("text"), str):
        raise DataError('it needs a "text", such as {"text": "Lunarin"}')
    if strange := sorted(set(row) - {*MENTION, "id"}):
        raise DataError(f"it has {', '.join(map(repr, strange))}; known are id, {', '.join(MENTION)}")
    start, end = row.get("start", 0), row.get("end", row.get("start", 0) + len(row["text"]))
    if not isinstance(start, int) or not isinstance(end, int):
        raise DataError('"start" and "end" are numbers of characters')
    kinds = row.get("kinds", ())
    if not isinstance(kinds, list | tuple) or not all(isinstance(each, str) for each in kinds):
        raise DataError('"kinds" is a list of names of classes')
    texts = [row.get(name, "") for name in ("context", "language")]
    if not all(isinstance(each, str) for each in texts):
        raise DataError('"context" and "language" are texts')
    return Mention(row["text"], start, end, tuple(map(kb.resolve, kinds)), texts[0], texts[1].lower())


def _line(kb: KnowledgeBase, row: Mapping[str, Any], mention: Mention, link: Link, language: str) -> dict[str, Any]:
    own = {"id": row["id"]} if "id" in row else {}
    own |= {"text": mention.text, "start": mention.start, "end": mention.end}
    own["value"] = None if link.entity is None else link.entity.iri
    own["label"] = None if link.entity is None else kb.label(link.entity, language or mention.language)
    own["score"] = round(link.score, 4)
    own["candidates"] = [
        {"value": entity.iri, "label": kb.label(entity, language or mention.language), "score": round(score, 4)}
        for entity, score in link.candidates
    ]
    return own


def mention_rows(file: Path) -> list[dict[str, Any]]:
    """The mentions of a file of JSON Lines.

    Raises:
        DataError: When it cannot be read; with every fault, by line.
    """
    from sibu.core.example import Faults
    from sibu.readers import READERS

    if not file.is_file():
        raise DataError(f"There is no file {file}.")
    faults = Faults()
    spec = READERS.spec("jsonl")
    rows = [row for _, row in READERS.of(spec).build(spec)(str(file), faults)]
    if faults.number("error"):
        raise DataError(faults.first_errors(where=""))
    return rows
