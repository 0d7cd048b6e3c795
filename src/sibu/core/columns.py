"""What a task asks of a file's columns, and the checks that turn raw values into clean ones.

A reader hands over raw values (a CSV has only strings); ``Column.clean`` turns each into the column's own form or says
what is wrong with it.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "text", "texts", "messages", "label", "number", "tokens", "tags", "spans", "answers", "entities", "relations",
    "file", "series", "record", "points",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a task: its name in Sibu and its form.

    A row may lack it; the task's ``needs`` say what it must have.
    """

    name: str
    kind: Kind
    role: Literal["input", "target"]
    help: str = ""
    parts: tuple[str, ...] = ()
    """Of a ``record``: the columns of the file that it is gathered from; none: an object of its own."""

    def clean(self, value: Any, *, cell: bool = False) -> Any:
        """The value in the column's own form.

        Args:
            value: What was given.
            cell: Whether it stood in a cell of a table of texts (CSV, TSV), where a list is written as JSON.

        Raises:
            ValueError: What was given and what is allowed, in words for the user.
        """
        return _CLEANERS[self.kind](_listed(value) if cell and self.kind == "texts" else value)


def _decoded(value: Any) -> Any:
    """A list or object that a CSV cell holds as JSON."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except json.JSONDecodeError as fault:
            raise ValueError(f"is not valid JSON ({fault.msg} at character {fault.pos + 1})") from None
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, given {_said(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as fault:
        raise ValueError(f"has half a character (a lone surrogate) at {fault.start}, which is no text") from None
    return value


def _name(value: Any) -> str:
    """A label: a text, or a number or truth value that stands for one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"must be a label (a text or a whole number), given {_said(value)}")


def _label(value: Any) -> str | list[str]:
    value = _decoded(value) if isinstance(value, str) and value[:1] == "[" else value
    if isinstance(value, list):
        names = [_name(part) for part in value]
        if len(set(names)) < len(names):
            raise ValueError(f"names a label twice: {_said(value)}")
        return names
    return _name(value)


def _number(value: Any) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise ValueError(f"must be a number, given {_said(value)}") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise ValueError(f"must be a finite number, given {_said(value)}")
    return float(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that is too large for one of floating point
        return False


def _strings(value: Any) -> list[str]:
    value = _decoded(value)
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ValueError(f"must be a list of texts, given {_said(value)}")
    return value


def _objects(value: Any, what: str, keys: Mapping[str, Callable[[Any], Any]], optional: frozenset[str]) -> list[Any]:
    """A list of objects with the given keys, each cleaned; other keys are left out."""
    value = _decoded(value)
    if not isinstance(value, list) or not all(isinstance(part, Mapping) for part in value):
        raise ValueError(f"must be a list of {what}, given {_said(value)}")
    cleaned = []
    for place, part in enumerate(value):
        item: dict[str, Any] = {}
        for key, clean in keys.items():
            if part.get(key) is None:
                if key in optional:
                    item[key] = None
                    continue
                raise ValueError(f"item {place} lacks {key!r}; each needs {what}")
            try:
                item[key] = clean(part[key])
            except ValueError as fault:
                raise ValueError(f"item {place}, {key!r} {fault}") from None
        cleaned.append(item)
    return cleaned


def _place(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"must be a whole number from 0, given {_said(value)}")
    return value


def _answer_place(value: Any) -> int:
    return -1 if value == -1 and isinstance(value, int) else _place(value)


_SPAN = {"start": _place, "end": _place, "label": _name, "text": _text}


def _spans(value: Any) -> list[Any]:
    found = _objects(value, "{start, end, label}", _SPAN, frozenset({"text"}))
    return [_without_text(item) for item in found]


def _entities(value: Any) -> list[Any]:
    found = _objects(value, "{start, end, label?}", _SPAN, frozenset({"label", "text"}))
    return [_without_text(item) for item in found]


def _without_text(item: dict[str, Any]) -> dict[str, Any]:
    """A span's own text is kept where it was given, to be held against its place."""
    return {key: value for key, value in item.items() if key != "text" or value is not None}


def _relations(value: Any) -> list[Any]:
    keys = {"head": _place, "tail": _place, "label": _name}
    return _objects(value, "{head, tail, label}: places in the list of entities", keys, frozenset())


def _answers(value: Any) -> list[Any]:
    value = _decoded(value)
    if isinstance(value, Mapping) and isinstance(value.get("text"), list):  # the column form that `datasets` uses
        starts = value.get("answer_start") or value.get("start") or []
        if len(starts) != len(value["text"]):
            raise ValueError(f"has {len(value['text'])} texts and {len(starts)} starts; each answer needs both")
        value = [{"text": text, "start": start} for text, start in zip(value["text"], starts, strict=True)]
    return _objects(value, "{text, start}", {"text": _text, "start": _answer_place}, frozenset())


def _listed(value: Any) -> Any:
    """The list of texts that a cell holds; a text that only begins like one stays a text."""
    try:
        return _decoded(value) if isinstance(value, str) and value[:2] == '["' else value
    except ValueError:
        return value


def _texts(value: Any) -> str | list[str]:
    """A text, or several that are equally right."""
    if isinstance(value, list):
        if not value:
            raise ValueError("is an empty list; give at least one text")
        return [_text(part) for part in value]
    return _text(value)


_ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "chatgpt": "assistant"}
"""Names of speakers that other formats use (ShareGPT and its kin)."""


def _messages(value: Any) -> list[Any]:
    """Turns as OpenAI writes them (`role`, `content`) or ShareGPT does (`from`, `value`)."""
    value = _decoded(value)
    form = "a list of {role, content}"
    if not isinstance(value, list) or not all(isinstance(part, Mapping) for part in value):
        raise ValueError(f"must be {form}, given {_said(value)}")
    if not value:
        raise ValueError(f"is an empty list; it must be {form}")
    found = []
    for place, part in enumerate(value):
        role, content = part.get("role", part.get("from")), part.get("content", part.get("value"))
        if not isinstance(role, str) or not role:
            raise ValueError(f"item {place} lacks 'role'; each needs {{role, content}}")
        if isinstance(content, list) and all(isinstance(p, Mapping) and p.get("type") == "text" for p in content):
            content = "".join(str(p.get("text", "")) for p in content)
        if not isinstance(content, str):
            raise ValueError(f"item {place}, 'content' must be a text, given {_said(content)}")
        role = _ROLES.get(role, role)
        if role not in ("system", "user", "assistant"):
            allowed = "system, user, assistant (or human, gpt)"
            raise ValueError(f"item {place} has the role {_said(role)}; allowed: {allowed}")
        turn = {"role": role, "content": _text(content)}
        found.append(turn | ({"weight": 0} if part.get("weight") == 0 else {}))
    return found


def _said(value: Any) -> str:
    """A value as a message shows it: short, with its type where that is the point."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return "nothing (null)" if value is None else shown


def _file(value: Any) -> str:
    """A file's name; where it lies is settled by who reads it."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError(f"must be the name of a file, given {_said(value)}")
    return value


def _series(value: Any) -> Any:
    """The name of a file, or readings: rows of one number a channel, or ``values`` with ``time`` and ``names``."""
    if isinstance(value, str) and value[:1] not in "[{":
        return _file(value)
    value = _decoded(value)
    given = value if isinstance(value, Mapping) else {"values": value}
    if unknown := set(given) - {"values", "time", "names"}:
        allowed = "`values` and perhaps `time` (its clock, whatever a file calls it) and `names`"
        raise ValueError(f"has {_said(sorted(unknown))}; an object of readings has {allowed}")
    rows = given.get("values")
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"must be a file, or a list of readings, given {_said(value)}")
    rows = [row if isinstance(row, list) else [row] for row in rows]
    if len({len(row) for row in rows}) > 1:
        raise ValueError("has readings of unequal length; each needs one number a channel (null where it is missing)")
    values = [[None if each is None else _reading(each, place) for each in row] for place, row in enumerate(rows, 1)]
    found: dict[str, Any] = {"values": values}
    if (times := given.get("time")) is not None:
        if not isinstance(times, list) or len(times) != len(rows):
            raise ValueError(f"has {len(rows)} readings and as `time` {_said(times)}; each reading needs its second")
        found["time"] = _times(times)
    if (names := given.get("names")) is not None:
        texts = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
        if not texts or len(names) != len(rows[0]) or len(set(names)) < len(names):
            each = f"each of the {len(rows[0])} channels needs a name of its own"
            raise ValueError(f"has as `names` {_said(names)}; {each}")
        found["names"] = names
    return found


def _times(values: Sequence[Any]) -> list[Any]:
    """Seconds; or texts where one is no number, which are read as the dates of a file are."""
    for place, value in enumerate(values, 1):
        if isinstance(value, bool) or not isinstance(value, str | int | float) or (
            not isinstance(value, str) and not _is_finite(value)
        ):  # fmt: skip
            allowed = "allowed are numbers, and dates such as 2026-05-01T13:00:00"
            raise ValueError(f"has {_said(value)} as the `time` of reading {place:,}; {allowed}")
    try:
        return [_number(value) for value in values]
    except ValueError:
        return [str(value) for value in values]


def _reading(value: Any, place: int) -> float:
    if isinstance(value, float) and math.isnan(value):
        return value
    try:
        return _number(value)
    except ValueError:
        form = "a finite number is expected (null where it is missing)"
        raise ValueError(f"has {_said(value)} in reading {place:,}, where {form}") from None


def _record(value: Any) -> dict[str, Any]:
    """An object of plain values."""
    value = _decoded(value)
    if not isinstance(value, Mapping):
        raise ValueError(f"must be an object, given {_said(value)}")
    wrong = [key for key, part in value.items() if not isinstance(part, str | int | float | bool | None)]
    if wrong:
        raise ValueError(f"holds more than plain values under {_said(wrong)}")
    return dict(value)


def _points(value: Any) -> list[list[float]]:
    """Rows of equally many numbers."""
    value = _decoded(value)
    if not isinstance(value, list) or not all(isinstance(row, list) and row for row in value):
        raise ValueError(f"must be a list of lists of numbers, given {_said(value)}")
    if len({len(row) for row in value}) > 1:
        raise ValueError(f"has lists of unequal length, given {_said(value)}")
    return [[_number(each) for each in row] for row in value]


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "label": _label,
    "number": _number,
    "tokens": _strings,
    "tags": _strings,
    "spans": _spans,
    "answers": _answers,
    "entities": _entities,
    "relations": _relations,
    "texts": _texts,
    "messages": _messages,
    "file": _file,
    "series": _series,
    "record": _record,
    "points": _points,
}
