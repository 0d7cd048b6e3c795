"""Names by content."""

import hashlib
import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def hash_file(path: Path) -> str:
    """Sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_json(value: Any) -> str:
    """Sha256 of a value's JSON with sorted keys, in hex."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_folder(path: Path) -> str:
    """Sha256 over the names and contents of a folder's files, in hex."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return hash_json([[file.relative_to(path).as_posix(), hash_file(file)] for file in files])


@lru_cache
def hash_code(module: str = "sibu") -> str:
    """Sha256 over the source of a module, or of a package with all that is in it.

    What is kept by content depends on the code that made it too: with this in its key, no change of the code finds
    what another code made.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no source of {module!r}")
    if not spec.submodule_search_locations:
        return hash_file(Path(spec.origin))
    home = Path(spec.origin).parent
    return hash_json([[file.relative_to(home).as_posix(), hash_file(file)] for file in sorted(home.rglob("*.py"))])
