"""Rows and labels as Label Studio has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sibu.core.example import as_one
from sibu.core.protocols import Returned, Sent
from sibu.desks._labels import objects

NAMES = {"from_name": "label", "to_name": "text"}


class LabelStudio:
    """Writes and reads Label Studio's JSON."""

    def write(self, path: Path, rows: Sequence[Sent]) -> None:
        """One list of tasks; the guesses are predictions."""
        tasks = [
            {"data": {"text": as_one(one.row), "sibu_id": one.id}, "predictions": [{"result": _guessed(one)}]}
            for one in rows
        ]
        path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def read(self, path: Path, target: str) -> Iterator[Returned]:
        """The last annotation of each task that was not cancelled; none where nobody made one."""
        for place, found in objects(path):
            data = found.get("data") or {}
            own, text = str(data.get("sibu_id", "")), None if data.get("text") is None else str(data["text"])
            made = [each for each in found.get("annotations") or [] if not each.get("was_cancelled")]
            yield Returned(place, own, _labels(made[-1].get("result") or [], target) if made else None, text)


def _guessed(one: Sent) -> list[dict[str, Any]]:
    if one.target == "entities":
        return [
            NAMES
            | {
                "type": "labels",
                "value": {"start": s["start"], "end": s["end"], "text": s["text"], "labels": [s["label"]]},
            }
            for s in one.guess
        ]
    guess = one.guess if isinstance(one.guess, list) else [one.guess]
    return [NAMES | {"type": "choices", "value": {"choices": guess}}] if guess else []


def _labels(results: Sequence[dict[str, Any]], target: str) -> list[Any] | None:
    values = [each.get("value") or {} for each in results]  # a relation has none
    if target == "entities":
        return [
            {"start": value.get("start"), "end": value.get("end"), "label": label}
            for value in values
            for label in value.get("labels") or []
        ]
    return [choice for value in values for choice in value.get("choices", [])] or None
