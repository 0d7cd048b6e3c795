"""Objects with `messages` to records."""

from collections.abc import Iterator
from typing import Any

from sibu.core.example import Faults
from sibu.core.protocols import Record
from sibu.readers._files import shown
from sibu.readers._objects import read_objects

FORM = '{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}'


def read(path: str, faults: Faults) -> Iterator[Record]:
    """Yield each dialogue with its line, or its number in a list; what is malformed is counted and skipped.

    Raises:
        DataError: When the file cannot be opened.
    """
    return read_objects(path, faults, _record, FORM)


def _record(item: dict[str, Any]) -> dict[str, Any] | str:
    turns = item.get("messages")
    if not isinstance(turns, list):
        return f"'messages' must be a list, given {shown(turns)}" if "messages" in item else _lacks("messages", item)
    found = []
    for place, turn in enumerate(turns):
        if not isinstance(turn, dict):
            return f"messages[{place}] must be an object, given {shown(turn)}"
        if turn.get("tool_calls") or turn.get("role") in ("tool", "function"):
            return f"messages[{place}] calls a tool or tells what it gave, which is not read"
        role = "system" if turn.get("role") == "developer" else turn.get("role")
        own = {"role": role, "content": turn.get("content")}
        found.append(own | ({"weight": turn["weight"]} if "weight" in turn else {}))
    return item | {"messages": found}


def _lacks(key: str, item: dict[str, Any]) -> str:
    return f"the object lacks {key!r}; it has {shown(list(item))}"
