"""The folder of a knowledge base: what is where, what it says of itself, and who may write.

``kb.json``    format, namespace, prefixes, languages
``versions/``  every change that was ever made, in order (``journal``): this is the truth
``store/``     the facts as they stand after some version, ready to be asked (``published``): made from ``versions/``
``documents/`` texts of documents by their sha256
``rules/``     rule files by their name
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sibu.core.errors import Fault, SibuError
from sibu.core.names import STANDARD, Names, joins
from sibu.graph._rdf import oxigraph
from sibu.store.atomic import disk_faults, make_folder, new_folder, write_json

FORMAT = 1
"""The newest form of the folder that this version reads."""
_PREFIX = re.compile(r"[^\W\d_][\w\-]*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")  # no language has a longer first part: `english` is none


class KnowledgeError(SibuError):
    """A knowledge base that is missing, damaged, in use, or of a format that this version does not read."""


class InUse(KnowledgeError):
    """A knowledge base that another has open for writing."""


@dataclass(frozen=True, slots=True)
class About:
    """What a knowledge base says of itself."""

    base: str
    """Namespace of names without a prefix."""
    prefixes: Mapping[str, str] = field(default_factory=dict)
    """Namespace by prefix, beside the standard ones."""
    languages: tuple[str, ...] = ()
    """Languages in which things are shown, the first first."""
    created: str = ""
    """When, ISO 8601 in UTC."""
    format: int = FORMAT

    @property
    def names(self) -> Names:
        """The short forms of its names."""
        return Names(self.base, dict(self.prefixes))

    def write(self, home: Path) -> None:
        """Write ``kb.json``."""
        write_json(home / "kb.json", asdict(self) | {"kind": "sibu knowledge base"})


def default_base(home: Path) -> str:
    """A namespace for a knowledge base that is given none: by its folder's name."""
    return f"https://example.org/{quote(home.resolve().name, safe='') or 'kb'}/"


def checked(base: str, prefixes: Mapping[str, str], languages: Sequence[str]) -> list[Fault]:
    """What is wrong with a namespace, prefixes and languages, each with its mend."""
    faults = []
    if said := _no_namespace(base):
        faults.append(Fault("base", f"{base!r} {said}", "Give one such as https://example.org/clinic/."))
    for prefix, namespace in prefixes.items():
        if joins(prefix[:1] or "_") or not _PREFIX.fullmatch("".join(sign for sign in prefix if not joins(sign))):
            message = f"{prefix!r} is no prefix; it begins with a letter, and has letters, digits, `_` and `-` only."
            faults.append(Fault("prefix", message))
        elif STANDARD.get(prefix, namespace) != namespace:
            faults.append(Fault("prefix", f"{prefix!r} always stands for <{STANDARD[prefix]}>.", "Choose another one."))
        if said := _no_namespace(namespace, open_end=True):
            faults.append(Fault(f"prefix {prefix}", f"{namespace!r} {said}", "Give one such as https://example.org/."))
    for language in languages:
        if not is_language(language):
            faults.append(Fault("language", f"{language!r} is no language tag.", "Give one such as en or zh-hans."))
    return faults


def is_language(tag: str) -> bool:
    """Whether a text is a language tag, such as ``zh-hans``."""
    return _LANGUAGE.fullmatch(tag.lower()) is not None


def _no_namespace(iri: str, *, open_end: bool = False) -> str:
    library = oxigraph()
    try:
        library.NamedNode(iri + "x")
    except (ValueError, UnicodeEncodeError) as fault:
        return f"is no absolute IRI ({fault})."
    if not open_end and iri[-1:] not in ("/", "#", ":"):
        return "must end in / or # (or :), as names are put right behind it."
    return ""


def make(home: Path, about: About) -> None:
    """Make the folder of an empty knowledge base.

    Raises:
        KnowledgeError: When there is something already.
        RunStopped: When the disk does not take it.
    """
    if home.is_dir() and not any(home.iterdir()):
        try:
            home.rmdir()
        except OSError as fault:
            said = f"{home} is in use ({os.strerror(fault.errno or 0)}): its place cannot be taken."
            raise KnowledgeError(f"{said} Name a folder that is not there yet, such as {home / 'kb'}.") from fault
    if home.exists() or home.is_symlink():
        what = "a knowledge base" if (home / "kb.json").is_file() else "something else"
        raise KnowledgeError(f"{home} is there already, and is {what}. Choose another place, or remove it.")
    with new_folder(home) as place:
        for name in ("store", "versions", "documents", "rules"):
            make_folder(place / name)
        about.write(place)


def read_about(home: Path) -> About:
    """What the knowledge base in a folder says of itself.

    Raises:
        KnowledgeError: When there is none, it is of a newer format, or ``kb.json`` is damaged.
    """
    if not home.exists():
        raise KnowledgeError(f"There is no knowledge base at {home}. Make one: sibu kb create {home}")
    if not home.is_dir():
        raise KnowledgeError(f"{home} is a file; a knowledge base is a folder that `sibu kb create` made.")
    file = home / "kb.json"
    if not file.is_file():
        bundle = (home / "bundle.json").is_file()
        what = "is a bundle, no knowledge base" if bundle else "is a folder without kb.json, so no knowledge base"
        raise KnowledgeError(f"{home} {what}. `sibu kb create` makes one.")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        number = int(found["format"])
        if number > FORMAT:
            said = f"{home} is a knowledge base of format {number}; this Sibu reads up to {FORMAT}. Update Sibu."
            raise KnowledgeError(said)
        return About(found["base"], found["prefixes"], tuple(found["languages"]), found["created"], number)
    except (ValueError, KeyError, TypeError) as fault:
        mend = "Copy it from a backup, or write it anew: it holds format, base, prefixes, languages and created."
        raise KnowledgeError(f"{file} is damaged ({type(fault).__name__}: {fault}). {mend}") from fault


class Lock:
    """The right to write into a knowledge base, held by one at a time; it ends with the process that holds it."""

    def __init__(self, home: Path) -> None:
        """Take it.

        Raises:
            KnowledgeError: When another has it; says who.
            RunStopped: When the folder cannot be written to.
        """
        file = home / "write.lock"
        with disk_faults(file):
            self._number = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            said = os.pread(self._number, 200, 0).decode("utf-8", "replace").strip()
            self.release()
            if fault.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            who = f" by process {said}" if said.isdigit() else ""
            mend = "It has one writer at a time: wait until that one ends, or open it for reading."
            raise InUse(f"{home} is open for writing{who}. {mend}") from fault
        os.ftruncate(self._number, 0)
        os.pwrite(self._number, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give it up; twice does no harm."""
        if self._number >= 0:
            os.close(self._number)
            self._number = -1

    def __del__(self) -> None:
        with suppress(OSError, AttributeError):
            self.release()


def sync_folder(path: Path) -> None:
    """Bring a folder's names to the disk, so that a power cut after a move finds them there."""
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    except OSError as fault:  # some file systems cannot
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(number)


def said_value(value: Any, most: int = 60) -> str:
    """A value as messages quote it."""
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."
