"""Texts of documents, by their sha256, so that a passage can be shown as it was read; and rule files, by their name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sibu.core.errors import DataError, near_miss
from sibu.core.names import SIBU, joins
from sibu.graph._rdf import Node, Quad, Store, oxigraph
from sibu.graph.folder import KnowledgeError
from sibu.graph.records import SOURCES
from sibu.store.atomic import new_file

_RULES = re.compile(r"[\w][\w.\-]*")
"""Name of a rule file, without the marks of a script."""


def hash_text(text: str) -> str:
    """Sha256 of a text in UTF-8, in hex.

    Raises:
        DataError: When it has half a character.
    """
    try:
        return hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError as fault:
        raise DataError(f"The text has half a character (a lone surrogate) at {fault.start}.") from fault


class Documents:
    """The documents of a store: their names in it, their texts in the folder beside it."""

    def __init__(self, home: Path, store: Store) -> None:
        self._folder = home / "documents"
        self._store = store
        library = oxigraph()
        self._named, self._text = library.NamedNode(SIBU + "name"), library.NamedNode(SIBU + "text")
        self._read = library.NamedNode(SIBU + "read")
        self._sources = library.NamedNode(SOURCES)

    def all(self) -> dict[str, str]:
        """Sha256 of the text, by the document's name."""
        found = {}
        for quad in self._store.quads_for_pattern(None, self._named, None, self._sources):
            for told in self._store.quads_for_pattern(quad.subject, self._text, None, self._sources):
                found[quad.object.value] = told.object.value
        return dict(sorted(found.items()))

    def told(self, name: str) -> list[Quad]:
        """What is told of a document."""
        return list(self._store.quads_for_pattern(self._node(name), None, None, self._sources))

    def telling(self, name: str, digest: str) -> list[Quad]:
        """What is to be told of a document with this text."""
        library, node = oxigraph(), self._node(name)
        said = ((self._named, name), (self._text, digest))
        return [library.Quad(node, what, library.Literal(text), self._sources) for what, text in said]

    def marks(self, name: str) -> list[Quad]:
        """What is told of by what a document was read."""
        return list(self._store.quads_for_pattern(self._node(name), self._read, None, self._sources))

    def marking(self, name: str, mark: str) -> list[Quad]:
        """What is to be told of a document that was read."""
        library = oxigraph()
        return [library.Quad(self._node(name), self._read, library.Literal(mark), self._sources)]

    def mark(self, name: str) -> str:
        """By what a document was read; empty where it was not."""
        return next((quad.object.value for quad in self.marks(name)), "")

    def digest(self, name: str) -> str:
        """Sha256 of a document's text; empty where there is no such document."""
        found = self._store.quads_for_pattern(self._node(name), self._text, None, self._sources)
        return next((quad.object.value for quad in found), "")

    def keep(self, text: str) -> str:
        """Keep a text; returns its sha256."""
        digest = hash_text(text)
        place = self._place(digest)
        if not place.is_file():
            with new_file(place) as file:
                file.write_bytes(text.encode())
        return digest

    def keep_all(self, texts: Iterable[str]) -> None:
        """Keep several texts; the disk brings them in together, which takes a fraction of the time."""
        new = {hash_text(text): text for text in texts}
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(self.keep, new.values()))  # a fault in one is a fault here

    def read(self, digest: str) -> str:
        """The text of a sha256.

        Raises:
            KnowledgeError: When it is missing or damaged.
        """
        place = self._place(digest)
        if not place.is_file():
            raise KnowledgeError(f"{place} is missing: the text of a document. Copy it from a backup.")
        content = place.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise KnowledgeError(f"{place} is damaged: it was changed (its sha256 differs). Copy it from a backup.")
        return content.decode()

    def has(self, digest: str) -> bool:
        """Whether a text is kept."""
        return bool(digest) and self._place(digest).is_file()

    def _node(self, name: str) -> Node:
        found: Node = oxigraph().NamedNode(f"{SIBU}document:{hash_text(name)[:20]}")
        return found

    def _place(self, digest: str) -> Path:
        return self._folder / f"{digest}.txt"


class RuleFiles:
    """The rule files of a knowledge base; what they say is for others to read."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "rules"

    def all(self) -> dict[str, str]:
        """Text by name, in the order of names."""
        found = sorted(file for file in self._folder.glob("*.rules") if not file.name.startswith("."))
        return {file.name.removesuffix(".rules"): self.read(file.name.removesuffix(".rules")) for file in found}

    def read(self, name: str) -> str:
        """The text of one.

        Raises:
            DataError: When there is none of this name, or it is not UTF-8.
        """
        place = self.place(name)
        try:
            return place.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            names = [file.name.removesuffix(".rules") for file in self._folder.glob("*.rules")]
            said = f"There are: {', '.join(sorted(names))}." if names else "There are none."
            raise DataError(f"There are no rules named {name!r}. {near_miss(name, names)}{said}") from None
        except UnicodeDecodeError as fault:
            raise DataError(f"{place} is not UTF-8, from byte {fault.start + 1} on. Convert it.") from fault

    def write(self, name: str, text: str) -> Path:
        """Keep rules under a name, in place of those that had it."""
        place = self.place(name)
        hash_text(text)
        with new_file(place) as file:
            file.write_bytes(text.encode())
        return place

    def remove(self, name: str) -> None:
        """Remove those of a name."""
        self.read(name)
        self.place(name).unlink()

    def place(self, name: str) -> Path:
        """Where the rules of a name are.

        Raises:
            DataError: When it cannot be the name of rules.
        """
        if joins(name[:1] or "_") or not _RULES.fullmatch("".join(sign for sign in name if not joins(sign))):
            raise DataError(f"{name!r} names no rules: give letters, digits, `_`, `-` and dots, no folder.")
        return self._folder / f"{name}.rules"
