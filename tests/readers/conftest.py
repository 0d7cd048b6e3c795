from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sibu.core.example import DataFault, Faults
from sibu.readers import READERS


class Reading:
    """What a reader made of a file."""

    def __init__(self, name: str, path: Path | str, options: dict[str, Any]) -> None:
        entry = READERS[name]
        self.faults = Faults()
        self.records = list(entry.build(entry.spec(**options))(str(path), self.faults))
        self.skipped = self.faults.skipped[str(path)]

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.records]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for _, row in self.records]

    @property
    def found(self) -> list[tuple[str, int | None]]:
        return [(fault.kind, fault.row) for fault in self.faults.examples]

    @property
    def fault(self) -> DataFault:
        """The only fault."""
        (fault,) = self.faults.examples
        assert fault.severity == "error"
        assert fault.message.endswith(".")
        assert fault.mend
        return fault


@pytest.fixture
def reading() -> Callable[..., Reading]:
    def read(name: str, path: Path | str, **options: Any) -> Reading:
        return Reading(name, path, options)

    return read


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return file
