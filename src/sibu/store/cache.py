"""Things that are made once and found again by content."""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sibu.core.errors import RunStopped
from sibu.store.atomic import make_folder, new_folder

UNUSED_DAYS = 30
"""What was not used for so long is removed when something new of its kind is made."""


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
        _make_home(folder.parent)
        _remove_unused(folder.parent)
        with new_folder(folder) as temporary:
            make(temporary)
    with suppress(OSError):  # a cache that cannot be written to still gives what it has
        os.utime(folder)
    return folder


def _make_home(folder: Path) -> None:
    try:
        make_folder(folder)
    except RunStopped as fault:
        mend = "It is Sibu's cache; the environment variable SIBU_CACHE names another folder for it."
        raise RunStopped(f"{fault} {mend}") from fault


def _remove_unused(home: Path) -> None:
    if home.is_dir():
        for folder in home.iterdir():
            with suppress(FileNotFoundError):  # another process has finished or removed it meanwhile
                if time.time() - folder.stat().st_mtime > UNUSED_DAYS * 86400:
                    shutil.rmtree(folder, ignore_errors=True)


def clear(kind: str) -> None:
    """Remove all that was made of one kind."""
    shutil.rmtree(cache_folder() / kind, ignore_errors=True)
