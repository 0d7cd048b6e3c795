"""The clinic, for each test a copy of its own."""

import shutil
from pathlib import Path

import pytest

import sibu
from tests.curation.clinic import make_clinic


@pytest.fixture(scope="session")
def inferred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clinic with what follows."""
    folder = make_clinic(tmp_path_factory.mktemp("inferred") / "kb")
    sibu.kb.infer(folder, ["owl", "rules"])
    return folder


@pytest.fixture
def kb(inferred: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(inferred, tmp_path / "kb")
