"""Batches made while the model is at work on those before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue
from typing import Any, TypeVar

T = TypeVar("T")

AHEAD = 2
"""Steps whose batches are made before they are asked for."""
_LOOK = 0.1
"""Seconds after which a maker that has no room looks whether anybody still asks."""


def ahead(work: Iterator[T], count: int = AHEAD) -> Iterator[T]:
    """What ``work`` yields, in its order, made in a thread of its own up to ``count`` before it is asked for.

    For work that depends on nothing that its taker changes, such as arrays that are read and put together. Where the
    taker stops, the maker ends too.

    Args:
        work: Gone through in the thread.
        count: Most that is made and not taken, at least 1.

    Raises:
        Exception: What ``work`` raises, in its place in the order.
    """
    shelf: Queue[tuple[str, Any]] = Queue(count)
    over = threading.Event()

    def put(kind: str, what: Any) -> None:
        while not over.is_set():
            try:
                shelf.put((kind, what), timeout=_LOOK)
                return
            except Full:
                continue

    def make() -> None:
        try:
            for each in work:
                put("made", each)
                if over.is_set():
                    return
        except BaseException as fault:  # told where it would have been
            put("fault", fault)
        else:
            put("end", None)

    maker = threading.Thread(target=make, name="sibu-ahead", daemon=True)
    maker.start()
    try:
        while True:
            kind, what = shelf.get()
            if kind == "fault":
                raise what
            if kind == "end":
                return
            yield what
    finally:
        over.set()
        while maker.is_alive():
            try:
                shelf.get_nowait()
            except Empty:
                maker.join(_LOOK)
