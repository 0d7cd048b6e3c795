"""The knowledge base: facts with sources, in versions, on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from sibu.core.logic import Source, Triple
from sibu.core.names import STANDARD
from sibu.graph import opening
from sibu.graph.change import Change
from sibu.graph.folder import About, KnowledgeError, checked, default_base, make, read_about
from sibu.graph.journal import Version
from sibu.graph.loading import Loader, Tell
from sibu.graph.reading import Reading


class KnowledgeBase(Reading):
    """An open knowledge base; close it, or use it in a ``with`` block.

    One process may have it open for writing. What it writes is safe on disk when the call returns; those who open it
    for reading see it once the writer publishes, asks a query with a limit of time, or closes.
    """

    # ---- opening and closing -----------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: str | Path,
        *,
        base: str | None = None,
        prefixes: Mapping[str, str] | None = None,
        languages: Sequence[str] = (),
    ) -> Self:
        """Make an empty knowledge base, and open it for writing.

        Args:
            folder: Where; nothing may be there yet.
            base: Namespace of names without a prefix, ending in ``/`` or ``#``; None: one by the folder's name.
            prefixes: Namespace by prefix, beside the standard ones.
            languages: Languages in which things are shown, the first first, such as ``("zh", "en")``.

        Raises:
            KnowledgeError: When something is there, or one of these is wrong; says all that is.
            MissingExtra: When pyoxigraph is not installed.
        """
        home = Path(folder)
        base, prefixes = default_base(home) if base is None else base, dict(prefixes or {})
        if faults := checked(base, prefixes, languages):
            raise KnowledgeError("\n".join(map(str, faults)))
        tags = tuple(dict.fromkeys(each.lower() for each in languages))
        make(home, About(base, prefixes, tags, opening.now()))
        return cls.open(home, write=True)

    @classmethod
    def open(cls, folder: str | Path, *, write: bool = False) -> Self:
        """Open a knowledge base.

        Args:
            folder: Where it is.
            write: Whether it is to be changed; one at a time may.

        Raises:
            KnowledgeError: When there is none, it is damaged, of a newer format, or open for writing already.
            MissingExtra: When pyoxigraph is not installed.
        """
        home = Path(folder)
        opened = opening.for_writing(home) if write else opening.for_reading(home)
        return cls(opened, read_about(home))

    def close(self) -> None:
        """Publish what was written and let go of it; twice does no harm."""
        self._asker.close()
        self._labels = None
        self._opened.close()

    def publish(self) -> None:
        """Let those who open it for reading from now on see what was written."""
        self._opened.publish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # ---- changing ----------------------------------------------------------------------------------------------------

    @contextmanager
    def change(self, message: str) -> Iterator[Change]:
        """Several changes as one version: all of it when the block ends, nothing where it fails.

        What is read within the block may show a part of them already.

        Args:
            message: What the change is, in words.
        """
        with self._opened.draft(message) as draft:
            yield Change(draft, self._opened.documents, self.names)
        self._labels = None

    def add(self, facts: Iterable[tuple[Triple, Source]], message: str = "facts added") -> Version:
        """Have sources state facts; ``Change.state`` tells more.

        Returns:
            The version that has them; where all was stated before, the version that was.
        """
        with self.change(message) as change:
            change.state(facts)
        return self.version

    def retract(self, facts: Iterable[Triple], why: str, source: Source | str | None = None) -> Version:
        """Say that facts are not so, and why; ``Change.retract`` tells more."""
        with self.change(why) as change:
            change.retract(facts, why, source)
        return self.version

    def load(
        self,
        path: str | Path,
        format: str | None = None,  # noqa: A002  (as all else calls it)
        *,
        source: Source | None = None,
        message: str = "",
        update: bool = False,
        tell: Tell = lambda _: None,
    ) -> Version:
        """Have a file of RDF state its facts, of whatever size.

        Args:
            path: Turtle, N-Triples, N-Quads, TriG, JSON-LD or RDF/XML; may be gzip.
            format: Its format; None: by its name.
            source: What is told of it; None: its name is the document's.
            message: What the change is, in words.
            update: It may take the place of another file of this document; what only that one stated is retracted.
            tell: Told how many facts more were read.

        Raises:
            DataError: When it cannot be read: with line, column, and what is wrong. Nothing was loaded then.
        """
        file = Path(path)
        with self.loading(message or f"{file.name} loaded") as load:
            load(file, format, source=source, update=update, tell=tell)
        return self.version

    @contextmanager
    def loading(self, message: str) -> Iterator[Loader]:
        """Several files as one version: all of it when the block ends, nothing where it fails."""
        with self._opened.draft(message) as draft:
            loader = Loader(draft, self.names.base)
            yield loader
        self._labels = None
        self._take_up(loader.prefixes)

    def _take_up(self, prefixes: Mapping[str, str]) -> None:
        """Know the prefixes of a file too, where they are not known for something else."""
        known = {**STANDARD, **self._about.prefixes}
        base = self.names.base
        wanted = {each: namespace for each, namespace in prefixes.items() if each and each not in known}
        new = {each: namespace for each, namespace in wanted.items() if not checked(base, {each: namespace}, ())}
        if new:
            self._about = replace(self._about, prefixes={**self._about.prefixes, **new})
            self._about.write(self.folder)

    def rollback(self, to: int | str, message: str = "") -> Version:
        """Have all facts, sources and documents as they were in a version: a new version that undoes those since.

        Args:
            to: Number or name of the version.
            message: What the change is, in words.
        """
        journal = self._opened.journal
        target = journal.get(to)
        with self._opened.draft(message or f"back to version {target.number}") as draft:
            for number in range(self.version.number, target.number, -1):
                for added, quads in reversed(list(journal.changes(journal.get(number)))):
                    draft.remake(reversed(quads), added=not added)
        self._labels = None
        return self.version

    def check_name(self, name: str) -> None:
        """Check that the version that comes next may have a name.

        Raises:
            DataError: When it is no name, or that of a version.
        """
        self._opened.journal.check_name(name, self.version.number + 1)

    def name_version(self, which: int | str, name: str) -> Version:
        """Give a version a name, by which it can be asked for too."""
        return self._opened.journal.name(which, name)
