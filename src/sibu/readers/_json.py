"""JSON read strictly: no key twice, no ``NaN``, no half characters."""

import json
import re
from typing import Any

from sibu.readers._files import shown

_HALF = re.compile(r"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """A text that is not JSON as data needs it: the kind of fault, what was given, and how to mend it."""

    def __init__(self, kind: str, message: str, mend: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.mend = mend


def parse(text: str) -> Any:
    r"""The value that a text without spaces around it holds.

    Raises:
        JsonError: When it is not valid JSON, has a key twice in one object (JSON leaves open which one counts), holds
            ``NaN`` or ``Infinity`` (not JSON, though Python writes them), or half a character (``\ud83d`` alone),
            which no UTF-8 file and no tokenizer can hold.
    """
    try:
        value, end = _DECODER.raw_decode(text)
        if end == len(text):
            if "\\u" in text and _HALF.search(text):
                _refuse_halves(value)
            return value
    except json.JSONDecodeError as error:
        raise JsonError("bad json", _broken(text, error.msg.removesuffix(" at"), error.pos), _mend(error.msg)) from None
    except RecursionError:
        raise JsonError("bad json", "The JSON is nested too deeply to be read.", "Flatten it.") from None
    except JsonError:
        raise
    except ValueError:  # the one that Python's integers raise, against texts that take minutes to read
        message = "A whole number has more than 4,300 digits, which Python does not read."
        raise JsonError("bad json", message, "Write it as a text.") from None
    message = _broken(text, "one value is followed by more", end)
    raise JsonError("bad json", message, "Write one object on each line of a JSON Lines file.")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are distinct."""
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise JsonError("duplicate key", f"An object has the key {shown(twice)} twice.", "Keep one of the two.")
    return row


def _not_a_number(name: str) -> Any:
    raise JsonError("bad json", f"The value {name} is not JSON.", "Write null where a number is missing.")


_DECODER = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_not_a_number)


def _refuse_halves(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        message = f"The escape {half} stands alone, which is half a character."
        mend = "Write the character itself, or both halves; a text cut after a fixed length often ends in one."
        raise JsonError("half a character", message, mend) from None


def _broken(text: str, why: str, place: int) -> str:
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    where = f"line {line}, character {column}" if "\n" in text else f"character {column}"
    given = shown(text[max(0, place - 20) : place + 20])
    return f"The JSON is not valid: {why[:1].lower()}{why[1:]} at {where}, given {given}."


def _mend(why: str) -> str:
    if "double quotes" in why:
        return "Write keys and texts in double quotes, and no comma before a closing bracket."
    if "control character" in why:
        return r"Write a line break inside a text as \n and a tab as \t."
    if "Unterminated" in why:
        return r"Close the text with a double quote; write a double quote inside it as \" and a line break as \n."
    return "Write it as a program's JSON library does (Python: json.dumps)."
