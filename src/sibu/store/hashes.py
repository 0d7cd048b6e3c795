"""Names by content."""

import hashlib
import json
import os
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
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def walked(path: Path) -> tuple[list[str], list[str]]:
    """The files below a folder, also behind links.

    Returns:
        Names from the folder on, with ``/`` between, in the order of their parts: of files; and of links that lead
        nowhere, or back to a folder that they lie in.
    """
    files: list[tuple[str, ...]] = []
    loose: list[tuple[str, ...]] = []
    waiting: list[tuple[tuple[str, ...], frozenset[tuple[int, int]]]] = [((), frozenset())]
    while waiting:
        parts, above = waiting.pop()
        kind = (folder := path.joinpath(*parts)).stat()
        if (own := (kind.st_dev, kind.st_ino)) in above:
            loose.append(parts)
            continue
        with os.scandir(folder) as entries:
            for entry in entries:
                name, there = (*parts, entry.name), Path(entry.path)
                if there.is_dir():
                    waiting.append((name, above | {own}))
                elif there.is_file():
                    files.append(name)
                elif entry.is_symlink():
                    loose.append(name)
    return ["/".join(parts) for parts in sorted(files)], ["/".join(parts) for parts in sorted(loose)]


def hash_folder(path: Path) -> str:
    """Sha256 over the names and contents of a folder's files, in hex; looked at again only where one was changed."""
    names, _ = walked(path)
    kinds = [(path / name).stat() for name in names]
    stamps = [[name, kind.st_size, kind.st_mtime_ns, kind.st_ino] for name, kind in zip(names, kinds, strict=True)]
    return _hash_stamped(path.absolute(), hash_json(stamps))


@lru_cache(maxsize=64)
def _hash_stamped(path: Path, stamp: str) -> str:  # noqa: ARG001  (what is kept depends on it)
    return hash_json([[name, hash_file(path / name)] for name in walked(path)[0]])


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
