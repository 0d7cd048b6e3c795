"""An empty knowledge base for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sibu.graph import KnowledgeBase
from tests.graph.shared import BASE


@pytest.fixture(scope="session")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that was just made."""
    place = tmp_path_factory.mktemp("new") / "kb"
    KnowledgeBase.create(place, base=BASE, prefixes={"ex": "https://example.org/"}, languages=("en", "zh")).close()
    return place


@pytest.fixture
def kb(tmp_path: Path, new: Path) -> Iterator[KnowledgeBase]:
    """A copy of it, open for writing."""
    with KnowledgeBase.open(shutil.copytree(new, tmp_path / "kb"), write=True) as opened:
        yield opened
