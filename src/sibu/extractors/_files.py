"""Files that extractors read."""

from __future__ import annotations

from pathlib import Path

from sibu.core.errors import DataError, counted


def lines_of(file: Path) -> list[tuple[int, str]]:
    """The lines of a file that say something, with their numbers from 1.

    Raises:
        DataError: When it is not there, or is not UTF-8.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise DataError(f"{file} is not UTF-8, from byte {fault.start + 1} on. Convert it.") from fault
    except OSError as fault:
        raise DataError(f"{file} cannot be read: {fault.strerror or fault}.") from fault
    lines = enumerate(text.split("\n"), 1)
    return [(number, line.rstrip("\r")) for number, line in lines if line.strip() and not line.startswith("#")]


def refuse(faults: list[str]) -> None:
    """Raise what is wrong with a file, where something is.

    Raises:
        DataError: With the first twenty faults.
    """
    if faults:
        more = "" if len(faults) <= 20 else f"\n... and {counted(len(faults) - 20, 'fault')} more."
        raise DataError("\n".join(faults[:20]) + more)
