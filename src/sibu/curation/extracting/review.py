"""Facts that wait for a person: as a file to be edited, and back again.

A line is a fact of a document. A person fills in ``decision`` (yes, no, or nothing) and, if there is something to say,
``comment``; all else is for reading, and must come back as it was.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sibu.core.errors import DataError, counted
from sibu.core.logic import TYPE, Entity, Source, Term, Triple
from sibu.core.names import OWL
from sibu.curation.extracting.things import EXTRACT, LABEL, REVIEW
from sibu.graph.knowledge_base import KnowledgeBase
from sibu.graph.reading import Reading
from sibu.graph.records import Record
from sibu.graph.spoken import said_term, said_triple
from sibu.store.atomic import new_file
from sibu.store.hashes import hash_json

COLUMNS = (
    "id",
    "decision",
    "comment",
    "subject",
    "property",
    "object",
    "fact",
    "passage",
    "note",
    "score",
    "by",
    "document",
)
_FIXED = ("subject", "property", "object", "document")
"""What must come back as it was."""
_YES = frozenset(("yes", "y", "是", "对", "true"))
_NO = frozenset(("no", "n", "否", "错", "不是", "false"))
AROUND = 60
"""Characters of the text on each side of a passage that are shown."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A hypothesis of a document."""

    id: str
    fact: Triple
    document: str
    records: tuple[Record, ...]

    @property
    def surest(self) -> Record:
        """The record of the highest score; of several the first in the text."""
        return max(self.records, key=lambda each: (each.source.confidence, -(each.source.start or 0)))


def id_of(fact: Triple, document: str) -> str:
    """What names a fact of a document in a review file."""
    return hash_json([document, fact.subject.iri, fact.predicate.iri, repr(fact.object)])[:12]


def waiting(kb: Reading) -> list[Waiting]:
    """Every hypothesis of an extractor that nobody has decided, by document and place; labels go with other facts."""
    found: dict[tuple[str, Triple], list[Record]] = defaultdict(list)
    confirmed = set()
    for document in _documents(kb):
        for fact, record in kb.told_by(document):
            source = record.source
            if source.extractor.startswith(REVIEW) and source.status == "asserted":
                confirmed.add((document, fact))
            elif source.extractor.startswith(EXTRACT) and source.status == "hypothesis":
                found[document, fact].append(record)
    shown = [
        Waiting(id_of(fact, document), fact, document, tuple(records))
        for (document, fact), records in found.items()
        if (document, fact) not in confirmed and not _goes_along(document, fact, found)
    ]
    return sorted(shown, key=lambda each: (each.document, each.surest.source.start or 0, each.fact.predicate, each.id))


def _documents(kb: Reading) -> list[str]:
    return sorted({source.document for source in kb.recorded() if source.extractor.startswith((EXTRACT, REVIEW))})


def _goes_along(document: str, fact: Triple, found: Mapping[tuple[str, Triple], Any]) -> bool:
    """Whether a label is of a thing of which something else waits."""
    own = (other for where, other in found if where == document and other.predicate != LABEL)
    return fact.predicate == LABEL and any(fact.subject in (each.subject, each.object) for each in own)


# ---- out -----------------------------------------------------------------------------------------------------------


def write(kb: Reading, file: Path) -> int:
    """Write what waits to a file, as ``.tsv`` or ``.jsonl``.

    Returns:
        How many facts wait.

    Raises:
        DataError: When the file's name tells no form.
    """
    form = _form(file)
    rows = [_row(kb, each) for each in waiting(kb)]
    if form == "jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        out = io.StringIO()
        table = csv.DictWriter(out, COLUMNS, dialect="excel-tab", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        text = out.getvalue()
    with new_file(file) as place:
        place.write_text(text, encoding="utf-8")
    return len(rows)


def _form(file: Path) -> str:
    if file.suffix.lower() not in (".tsv", ".jsonl"):
        raise DataError(f"A review file is .tsv or .jsonl, given {file}.")
    return file.suffix.lower()[1:]


def _row(kb: Reading, each: Waiting) -> dict[str, str]:
    fact, source = each.fact, each.surest.source
    terms: tuple[Term, ...] = (fact.subject, fact.predicate, fact.object)
    said = " - ".join(_label(kb, each.document, term) for term in terms)
    by = ", ".join(sorted({one.source.extractor.removeprefix(EXTRACT) for one in each.records}))
    return {
        "id": each.id,
        "decision": "",
        "comment": "",
        **dict(zip(("subject", "property", "object"), (said_term(term, kb.names) for term in terms), strict=True)),
        "fact": said,
        "passage": _passage(kb, each.surest),
        "note": _note(kb, fact),
        "score": f"{source.confidence:g}",
        "by": by,
        "document": each.document,
    }


def _note(kb: Reading, fact: Triple) -> str:
    """Which other values there are of a property that has but one."""
    if not kb.holds(Triple(fact.predicate, TYPE, Entity(OWL + "FunctionalProperty"))):
        return ""
    others = [each for each in kb.triples(fact.subject, fact.predicate) if each.object != fact.object]
    return "against " + ", ".join(said_triple(each, kb.names) for each in others) if others else ""


def _label(kb: Reading, document: str, term: Term) -> str:
    """A term by its label; that of a new thing is a hypothesis too."""
    if not isinstance(term, Entity):
        return term.text
    if not kb.labels(term):
        for fact in kb.triples(term, LABEL, status="hypothesis"):
            if any(source.document == document for source in kb.sources(fact)) and not isinstance(fact.object, Entity):
                return fact.object.text
    return kb.label(term)


def _passage(kb: Reading, record: Record) -> str:
    """The passage within its text, between ``[[`` and ``]]``, on one line."""
    source, inside = record.source, kb.passage(record)
    if inside is None or source.start is None or source.end is None:
        return ""
    text = kb.text_of(record)
    before, behind = text[max(source.start - AROUND, 0) : source.start], text[source.end : source.end + AROUND]
    return " ".join(f"{before}[[{inside}]]{behind}".split())


# ---- back ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided."""

    line: int
    id: str
    yes: bool
    comment: str


def take(kb: KnowledgeBase, file: Path, by: str, message: str = "") -> dict[str, int]:
    """Take decisions back: what was confirmed is asserted by the reviewer, what was rejected is retracted.

    Args:
        kb: The knowledge base, open for writing.
        file: The file.
        by: Who decided.
        message: What the change is, in words.

    Returns:
        How many were confirmed, rejected, left open, and decided so already.

    Raises:
        DataError: With every line at fault. Nothing was changed then.
    """
    if not by.strip() or any(sign in by for sign in "\n\t"):
        raise DataError(f"Say who decided, by a name, given {by!r}.")
    here = {each.id: each for each in waiting(kb)}
    before = _decided(kb)
    faults: list[str] = []
    decisions: dict[str, Decision] = {}
    counts = {"confirmed": 0, "rejected": 0, "open": 0, "decided_before": 0}
    for line, row in _read(file, faults):
        decision = _decision(kb, file, line, row, here, before, faults)
        if decision is None:
            continue
        if decision.id in decisions and decisions[decision.id].yes != decision.yes:
            faults.append(f"{file}:{line}: line {decisions[decision.id].line} decides the same fact otherwise.")
        decisions[decision.id] = decision
    if faults:
        more = f"\n... and {counted(len(faults) - 20, 'fault')} more." if len(faults) > 20 else ""
        raise DataError("\n".join(faults[:20]) + more + "\nNothing was changed.")
    new = {name: each for name, each in decisions.items() if name in here}
    counts["decided_before"] = len(decisions) - len(new)
    counts["open"] = len(here) - len(new)
    with kb.change(message or f"{file.name}: decided by {by}") as change:
        for name, each in new.items():
            counts["confirmed" if each.yes else "rejected"] += 1
            if each.yes:
                _confirm(kb, change, here[name], by)
            else:
                why = f"{REVIEW}{by}" + (f": {each.comment}" if each.comment else "")
                change.retract([here[name].fact], why, here[name].document)
    return counts


def _confirm(kb: KnowledgeBase, change: Any, each: Waiting, by: str) -> None:
    """Have a reviewer state a fact, and the labels of its things that wait too."""
    place = each.surest.source
    own = Source(each.document, place.start, place.end, extractor=f"{REVIEW}{by}")
    stated = [(each.fact, own)]
    for end in (each.fact.subject, each.fact.object):
        if isinstance(end, Entity) and not kb.labels(end):
            stated += [
                (fact, own)
                for fact in kb.triples(end, LABEL, status="hypothesis")
                if any(source.document == each.document for source in kb.sources(fact, "hypothesis"))
            ]
    change.state(stated)


def _decided(kb: Reading) -> dict[str, bool]:
    """What was decided before, by id."""
    found = {}
    for document in _documents(kb):
        for fact, record in kb.told_by(document):
            if record.source.status == "asserted" and record.source.extractor.startswith(REVIEW):
                found[id_of(fact, document)] = True
            elif record.source.status == "retracted" and record.why.startswith(REVIEW):
                found.setdefault(id_of(fact, document), False)
    return found


def _decision(
    kb: Reading, file: Path, line: int, row: Mapping[str, str], here: Mapping[str, Waiting],
    before: Mapping[str, bool], faults: list[str],
) -> Decision | None:  # fmt: skip
    """The decision of a line; None: it decides nothing, or has a fault."""
    where, name, given = f"{file}:{line}", row["id"].strip(), row["decision"].strip().lower()
    if name in here:
        shown = _row(kb, here[name])
        for column in _FIXED:
            if " ".join(row[column].split()) != " ".join(shown[column].split()):
                said = f"{column} was changed from {shown[column]!r} to {row[column]!r}"
                mend = "Only `decision` and `comment` are read; answer no, and add the right fact by `sibu kb add`."
                faults.append(f"{where}: {said}. {mend}")
                return None
    elif name not in before:
        said = "decided in another way since, or its document was read anew and says it no more"
        faults.append(f"{where}: no fact with the id {name!r} waits for review ({said}). Write a new file.")
        return None
    if given and given not in _YES | _NO:
        faults.append(f"{where}: a decision is yes, no or nothing (是, 否), given {row['decision']!r}.")
        return None
    if not given:
        return None
    yes = given in _YES
    if name in before and name not in here and before[name] != yes:
        faults.append(f"{where}: the fact was {'confirmed' if before[name] else 'rejected'} before; decide it by hand.")
        return None
    return Decision(line, name, yes, " ".join(row["comment"].split()))


def _read(file: Path, faults: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        mend = "A spreadsheet may have saved it in another encoding: choose UTF-8."
        raise DataError(f"{file} is not UTF-8, from byte {fault.start + 1} on. {mend}") from None
    except OSError as fault:
        raise DataError(f"{file} cannot be read: {fault.strerror or fault}.") from None
    return _lines(file, text, faults) if _form(file) == "jsonl" else _table(file, text, faults)


def _lines(file: Path, text: str, faults: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as fault:
            faults.append(f"{file}:{number}: no JSON: {fault}.")
            continue
        if not isinstance(row, dict) or not {"id", "decision", *_FIXED} <= row.keys():
            faults.append(f"{file}:{number}: a line is an object with {', '.join(COLUMNS)}.")
            continue
        yield number, {name: "" if row.get(name) is None else str(row[name]) for name in COLUMNS}


def _table(file: Path, text: str, faults: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text.replace("\r\n", "\n"), newline=""), dialect="excel-tab")
    head: list[str] | None = None
    start = 1
    for cells in reader:
        line, start = start, reader.line_num + 1
        if head is None:
            head = [cell.strip().lower() for cell in cells]
            if missing := [name for name in ("id", "decision", "comment", *_FIXED) if name not in head]:
                mark = " It seems to be separated by something else than tabs." if len(head) == 1 else ""
                raise DataError(f"{file}:1: the columns {', '.join(missing)} are missing.{mark} Keep the first line.")
        elif any(cell.strip() for cell in cells):
            if len(cells) != len(head):
                said = f"has {counted(len(cells), 'cell')}, the first line has {len(head)}"
                faults.append(f"{file}:{line}: {said}. A tab or a line break came in or was lost; write a new file.")
                continue
            row = dict(zip(head, cells, strict=True))
            yield line, {name: row.get(name, "") for name in COLUMNS}
