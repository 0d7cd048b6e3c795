"""Objects with `instruction` to records."""

from collections.abc import Iterator
from typing import Any

from sibu.core.example import Faults
from sibu.core.protocols import Record
from sibu.readers._files import shown
from sibu.readers._objects import read_objects

FORM = '{"instruction": "...", "input": "...", "output": "..."}'
OWN = ("instruction", "input", "output", "system", "history")


def read(path: str, faults: Faults) -> Iterator[Record]:
    """Yield each instruction with its line, or its number in a list; what is malformed is counted and skipped.

    Raises:
        DataError: When the file cannot be opened.
    """
    return read_objects(path, faults, _record, FORM)


def _record(item: dict[str, Any]) -> dict[str, Any] | str:
    if "instruction" not in item:
        return f"the object lacks 'instruction'; it has {shown(list(item))}"
    for key in ("instruction", "input", "output", "system"):
        if not isinstance(item.get(key) or "", str):
            return f"{key!r} must be a text, given {shown(item[key])}"
    history = item.get("history") or []
    if not isinstance(history, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in history):
        return f"'history' must be a list of [question, answer], given {shown(history)}"
    text = "\n\n".join(part for part in (item["instruction"], item.get("input")) if part)
    found = {key: value for key, value in item.items() if key not in OWN} | {"target": item.get("output")}
    if not history and not item.get("system"):
        return found | {"text": text}
    turns = [{"role": "system", "content": item["system"]}] if item.get("system") else []
    for asked, answered in history:
        turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return found | {"messages": [*turns, {"role": "user", "content": text}]}
