"""A knowledge base that is open: its store, its version, and how a change becomes one or leaves nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sibu.core.errors import DataError, RunStopped
from sibu.graph._rdf import Store, is_text, oxigraph
from sibu.graph.documents import Documents
from sibu.graph.draft import Draft, replay
from sibu.graph.folder import InUse, KnowledgeError, Lock, read_about
from sibu.graph.journal import Changes, Journal, Version
from sibu.graph.published import Hold, Work, place_of, published, sweep
from sibu.graph.records import Records


def now() -> str:
    """This second, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass
class Opened:
    """What reading and writing need of an open knowledge base."""

    home: Path
    journal: Journal
    store: Store
    version: Version
    """That of the store."""
    hold: Hold | None = None
    """Of a reader: the published store that it reads."""
    work: Work | None = None
    """Of a writer: the store that it works on."""
    lock: Lock | None = None
    published: int = -1
    """Number of the newest published version."""
    changing: bool = False
    """Whether a change is being made, so that the store is of no version."""

    def __post_init__(self) -> None:
        self.look_again()

    def look_again(self) -> None:
        """Forget what was read of the store before it changed."""
        self.records = Records(self.store)
        self.documents = Documents(self.home, self.store)

    def place(self) -> Path:
        """A published store of this very version, for another process to read."""
        self._refuse_within("Ask without a limit of time (seconds=None), or when it is done.")
        if self.hold is None or self.work is not None:
            self.publish()
            self._hold_anew()
        assert self.hold is not None
        return self.hold.path

    def publish(self) -> None:
        """Let readers who open it now see what was written."""
        self._refuse_within("Publish when it is done.")
        if self.work is not None and self.published != self.version.number:
            self.work.publish(self.version.number)
            self.published = self.version.number

    def _refuse_within(self, mend: str) -> None:
        if self.changing:
            raise KnowledgeError(f"A change of {self.home} is being made. {mend}")

    def _hold_anew(self) -> None:
        if self.hold is None or self.hold.version != self.version.number:
            if self.hold is not None:
                self.hold.release()
            self.hold = Hold(self.home / "store")
            sweep(self.home / "store")

    def close(self) -> None:
        """Publish, and let go of everything; twice does no harm."""
        self._refuse_within("Close it when it is done.")
        try:
            self.publish()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        with suppress(AttributeError):
            del self.store, self.records, self.documents
        if self.work is not None:
            self.work.discard()
        if self.hold is not None:
            self.hold.release()
        if self.lock is not None:
            sweep(self.home / "store")
            self.lock.release()
        self.work = self.hold = self.lock = None

    # ---- a change --------------------------------------------------------------------------------------------------

    @contextmanager
    def draft(self, message: str) -> Iterator[Draft]:
        """A version in the making; when the block ends without a fault it is one, else nothing was changed."""
        if self.work is None:
            raise KnowledgeError(f"{self.home} is open for reading. Open it for writing to change it.")
        self._refuse_within("Finish it first: a version holds one change.")
        if not is_text(message):
            raise DataError("What the change is has half a character (a lone surrogate), which is no text.")
        changes = Changes(self.home / "versions")
        draft = Draft(self.home, self.store, self.records, changes, now())
        self.changing = True
        try:
            yield draft
            draft.finish()
            if draft.changed:
                self._commit(draft, changes, message)
        except BaseException:
            changes.discard()
            if draft.changed:
                self._undo()
            raise
        finally:
            self.changing = False
            self.look_again()
        changes.discard()

    def _commit(self, draft: Draft, changes: Changes, message: str) -> None:
        before = self.version
        self.version = self.journal.commit(
            changes,
            Version(
                before.number + 1,
                draft.time,
                message,
                draft.added,
                draft.removed,
                before.facts + draft.added - draft.removed,
                before.statements + draft.statements,
            ),
        )

    def _undo(self) -> None:
        """Throw the store away in which half a change stands, and make that of the last version anew."""
        assert self.work is not None
        del self.store, self.records, self.documents
        self.work.discard()
        self.work, self.version, self.published = _worked(self.home, self.journal)
        self.store = self.work.store


def _worked(home: Path, journal: Journal) -> tuple[Work, Version, int]:
    """A writer's store with every version in it."""
    stores, last = home / "store", journal.last()
    numbers = [number for number in published(stores) if number <= last.number]
    start = numbers[-1] if numbers else None
    work = Work(stores, start)
    try:
        for number in range((start or 0) + 1, last.number + 1):
            replay(home, work.store, journal.changes(journal.get(number)))
    except BaseException:
        work.discard()
        raise
    return work, last, -1 if start is None else start


def for_writing(home: Path) -> Opened:
    """Open a knowledge base for the one writer.

    What a writer that was killed had committed is brought into the store, what it had not is removed.

    Raises:
        KnowledgeError: When there is none, it is damaged, or another has it open for writing.
    """
    oxigraph()
    about = read_about(home)
    lock = Lock(home)
    try:
        journal = Journal(home / "versions", about.created)
        sweep(home / "store", leftovers=True)
        journal.sweep()
        work, version, newest = _worked(home, journal)
    except BaseException:
        lock.release()
        raise
    opened = Opened(home, journal, work.store, version, work=work, lock=lock, published=newest)
    if newest < 0:  # readers need something to read
        opened.publish()
    return opened


def for_reading(home: Path) -> Opened:
    """Open a knowledge base as its last writer published it.

    Where a writer was killed before it could publish, this is done first.

    Raises:
        KnowledgeError: When there is none, or it is damaged.
    """
    oxigraph()
    about = read_about(home)
    journal = Journal(home / "versions", about.created)
    last = journal.last().number
    if last not in published(home / "store"):
        with suppress(InUse, RunStopped):  # a writer is at work, or nothing may be written: take what is there
            for_writing(home).close()
    try:
        hold = Hold(home / "store")
    except LookupError:
        for_writing(home).close()  # says why there is none
        hold = Hold(home / "store")
    return Opened(home, journal, hold.open(), journal.get(hold.version), hold=hold, published=hold.version)


def rebuild(home: Path, tell: Callable[[Version], None]) -> Version:
    """Make the store anew from the versions alone.

    Args:
        home: The knowledge base.
        tell: Told each version that is in.

    Raises:
        KnowledgeError: When a version is missing or damaged, or another has it open for writing.
    """
    oxigraph()
    about = read_about(home)
    lock = Lock(home)
    try:
        stores, journal = home / "store", Journal(home / "versions", about.created)
        stores.mkdir(exist_ok=True)
        sweep(stores, leftovers=True)
        versions = journal.all()
        work = Work(stores, None)
        try:
            for version in versions:
                replay(home, work.store, journal.changes(version))
                tell(version)
            for number in published(stores):
                shutil.rmtree(place_of(stores, number), ignore_errors=True)
            work.publish(versions[-1].number)
        finally:
            work.discard()
    finally:
        lock.release()
    return versions[-1]
