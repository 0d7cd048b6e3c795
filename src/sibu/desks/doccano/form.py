"""Rows and labels as doccano has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sibu.core.example import as_one
from sibu.core.protocols import Returned, Sent
from sibu.desks._labels import objects, write_lines


class Doccano:
    """Writes and reads doccano's JSON Lines."""

    def write(self, path: Path, rows: Sequence[Sent]) -> None:
        """One line a row; the guess stands as its label."""
        write_lines(path, [{"text": as_one(one.row), "label": _guessed(one), "sibu_id": one.id} for one in rows])

    def read(self, path: Path, target: str) -> Iterator[Returned]:
        """The labels of each line; none where nobody gave one."""
        for line, found in objects(path):
            own = str(found.get("sibu_id") or (found.get("meta") or {}).get("sibu_id", ""))
            text = None if found.get("text") is None else str(found["text"])
            if target == "entities":
                yield Returned(line, own, _spans(found), text)
                continue
            labels = found.get("label", found.get("labels")) or []
            labels = labels if isinstance(labels, list) else [labels]
            yield Returned(line, own, labels or None, text)


def _guessed(one: Sent) -> list[Any]:
    if one.target == "entities":
        return [[span["start"], span["end"], span["label"]] for span in one.guess]
    return one.guess if isinstance(one.guess, list) else [one.guess]


def _spans(found: dict[str, Any]) -> Any:
    """Spans as doccano wrote them in its versions: `[start, end, label]`, or objects with offsets; others as given."""
    given = found.get("label", found.get("labels", found.get("entities")))
    if not isinstance(given, list) or any(isinstance(span, list) and len(span) != 3 for span in given):
        return given
    spans: list[Any] = []
    for span in given:
        if isinstance(span, dict):
            start, end = span.get("start_offset", span.get("start")), span.get("end_offset", span.get("end"))
            spans.append({"start": start, "end": end, "label": span.get("label")})
        elif isinstance(span, list):
            spans.append(dict(zip(("start", "end", "label"), span, strict=True)))
        else:
            spans.append(span)
    return spans
