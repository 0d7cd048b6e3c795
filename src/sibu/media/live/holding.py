"""Few records in memory between the world, which does not wait, and a reader that may be slower."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Literal

from sibu.core.example import DataFault, Faults
from sibu.core.protocols import Record

MOST = 8
"""Records that are held unless told."""
DROPPED = "dropped"
"""The kind of fault that a dropped record is, whose number is its row; told before any later record is handed out."""


def held(
    records: Iterable[Record],
    faults: Faults,
    *,
    name: str,
    most: int = MOST,
    full: Literal["wait", "drop"] = "drop",
) -> Iterator[Record]:
    """Records, read by a thread of its own as they come.

    Args:
        records: Where they come from; only that thread touches it.
        faults: Counts each record that is dropped, as one left out.
        name: Of the stream, as faults name it.
        most: Records that are held at once.
        full: What happens to a record when so many are held: ``drop`` gives up the oldest, for what must be up to date;
            ``wait`` stops reading, which makes a pipe or socket wait too.

    Yields:
        The records in order. Where nobody takes them any more, the thread ends with the next that comes.

    Raises:
        Exception: What reading raised, when all that came before was taken.
    """
    if most < 1:
        raise ValueError(f"at least one record is held, given {most}")

    def tell(dropped: int) -> None:
        message = f"Record {dropped:,} was dropped: {most:,} were held, and the reader did not take them."
        mend = "Read faster, hold more, or let the sender wait (`full: wait`)."
        faults.add(DataFault(DROPPED, "warning", name, dropped, message, mend), skips_row=True)

    shelf = _Shelf(most, tell if full == "drop" else None)

    def fill() -> None:
        try:
            for record in records:
                shelf.put(record)
                if shelf.closed:
                    break
            if isinstance(records, Generator):  # so that what it opened is closed now
                records.close()
        except BaseException as fault:
            shelf.end(fault)
        else:
            shelf.end(None)

    threading.Thread(target=fill, name="sibu-live", daemon=True).start()
    try:
        while (record := shelf.take()) is not None:
            yield record
    finally:
        shelf.close()


class _Shelf:
    """A queue of few places."""

    def __init__(self, most: int, dropped: Callable[[int], None] | None) -> None:
        self._most, self._dropped = most, dropped
        self._records: deque[Record] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._fault: BaseException | None = None
        self.closed = False

    def put(self, record: Record) -> None:
        """Add one; where there is no room, the oldest is given up for it, or it waits."""
        with self._changed:
            if len(self._records) >= self._most:
                if self._dropped is not None:
                    self._dropped(self._records.popleft()[0])
                else:
                    self._changed.wait_for(lambda: self.closed or len(self._records) < self._most)
            self._records.append(record)
            self._changed.notify_all()

    def take(self) -> Record | None:
        """The oldest, as soon as there is one; None when no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._records or self._ended)
            if self._records:
                record = self._records.popleft()
                self._changed.notify_all()
                return record
        if self._fault is not None:
            raise self._fault
        return None

    def end(self, fault: BaseException | None) -> None:
        """No more will come."""
        with self._changed:
            self._ended, self._fault = True, fault
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody takes any more."""
        with self._changed:
            self.closed = True
            self._records.clear()
            self._changed.notify_all()
