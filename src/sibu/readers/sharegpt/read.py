"""Objects with `conversations` to records."""

from collections.abc import Iterator
from typing import Any

from sibu.core.example import Faults
from sibu.core.protocols import Record
from sibu.readers._files import shown
from sibu.readers._objects import read_objects

FORM = '{"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]}'
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant",
         "assistant": "assistant", "system": "system"}  # fmt: skip


def read(path: str, faults: Faults) -> Iterator[Record]:
    """Yield each dialogue with its line, or its number in a list; what is malformed is counted and skipped.

    Raises:
        DataError: When the file cannot be opened.
    """
    return read_objects(path, faults, _record, FORM)


def _record(item: dict[str, Any]) -> dict[str, Any] | str:
    key = "conversations" if "conversations" in item else "conversation"
    turns = item.get(key)
    if not isinstance(turns, list):
        given = f"given {shown(turns)}" if key in item else f"the object has {shown(list(item))}"
        return f"'conversations' must be a list, {given}"
    system = item.get("system")
    found: list[dict[str, Any]] = []
    if isinstance(system, str) and system.strip():
        found.append({"role": "system", "content": system})
    for place, turn in enumerate(turns):
        if not isinstance(turn, dict):
            return f"conversations[{place}] must be an object, given {shown(turn)}"
        speaker = turn.get("from", turn.get("role"))
        if speaker not in ROLES:
            return f"conversations[{place}] is from {shown(speaker)}; allowed: {', '.join(ROLES)}"
        found.append({"role": ROLES[speaker], "content": turn.get("value", turn.get("content"))})
    return {name: value for name, value in item.items() if name not in (key, "system")} | {"messages": found}
