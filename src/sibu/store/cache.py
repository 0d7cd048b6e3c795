"""Things that are made once and found again by content."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from sibu.store.atomic import new_folder


def cache_folder() -> Path:
    """Where made things are kept: ``SIBU_CACHE``, else ``sibu`` in the user's cache folder."""
    if place := os.environ.get("SIBU_CACHE"):
        return Path(place).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "sibu"


def cached(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder made for ``key``; ``make`` fills it the first time.

    Two processes that make the same at once both succeed: the later move wins, with equal content.
    """
    folder = cache_folder() / kind / key[:40]
    if not folder.is_dir():
        with new_folder(folder) as temporary:
            make(temporary)
    os.utime(folder)
    return folder


def clear(kind: str) -> None:
    """Remove all that was made of one kind."""
    shutil.rmtree(cache_folder() / kind, ignore_errors=True)
