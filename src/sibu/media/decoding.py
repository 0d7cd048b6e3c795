"""Many values decoded at once, in their order: while a model is at work, workers read ahead.

Threads do, since Pillow, soundfile, soxr, PyAV and numpy let others run while they decode.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sibu.core.errors import SibuError

Value = TypeVar("Value")
Result = TypeVar("Result")

AHEAD = 4
"""Values a worker that are read ahead unless told."""


def decoded(
    values: Iterable[Value],
    decode: Callable[[Value], Result],
    *,
    workers: int | None = None,
    ahead: int | None = None,
) -> Iterator[Result | SibuError]:
    """Decode values in workers; results come in the order of the values.

    At most ``ahead`` results exist that nobody has taken yet, so memory does not grow with the number of values. Where
    the reader stops early, what was begun is finished and dropped; nothing more is begun.

    Args:
        values: What is to be decoded; taken only as results are.
        decode: Makes one result of one value; called from several threads.
        workers: Threads; 0: none, each value is decoded when it is asked for. None: one a processor, at most 8.
        ahead: Values begun and not taken; None: four a worker.

    Yields:
        Each result, or in its place the fault that the user can mend.

    Raises:
        Exception: What ``decode`` raises beside ``SibuError``, in its place in the order.
    """
    workers = min(8, _processors()) if workers is None else workers
    ahead = AHEAD * max(1, workers) if ahead is None else ahead
    if workers < 0 or ahead < 1:
        raise ValueError(f"workers are 0 or more and at least one value is read ahead, given {workers} and {ahead}")
    if not workers:
        for value in values:
            yield _tried(decode, value)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sibu-decode")
    begun: deque[Future[Result | SibuError]] = deque()
    try:
        for value in values:
            begun.append(pool.submit(_tried, decode, value))
            if len(begun) >= ahead:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _tried(decode: Callable[[Value], Result], value: Value) -> Result | SibuError:
    try:
        return decode(value)
    except SibuError as fault:
        return fault


def _processors() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
