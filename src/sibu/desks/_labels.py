"""What the desks share: rows that go out, labels that come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sibu.core.errors import DataError


def objects(path: Path) -> Iterator[tuple[int, Any]]:
    """The objects of a JSON Lines file, or of a list in a JSON file, with their line or place from 1.

    Raises:
        DataError: When there is no such file, or it is neither.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise DataError(f"{path} cannot be read: {fault}.") from None
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except ValueError as fault:
            raise DataError(f"{path} is no JSON: {fault}.") from None
        for number, found in enumerate(listed, 1):
            yield number, _object(found, f"{path}:{number}")
        return
    for number, line in enumerate(text.split("\n"), 1):  # `splitlines` would also cut a text at U+2028
        if line.strip():
            try:
                found = json.loads(line)
            except ValueError as fault:
                raise DataError(f"{path}:{number} is no JSON: {fault}.") from None
            yield number, _object(found, f"{path}:{number}")


def _object(found: Any, where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise DataError(f"{where} must be an object, given {json.dumps(found, ensure_ascii=False)[:40]}.")
    return found


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    """JSON Lines."""
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
