"""Words and progress bars on stderr; none where it is no terminal or with --quiet."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sibu.pipeline.progress import Progress, Silent


class Console:
    """Progress by Rich."""

    def __init__(self) -> None:
        from rich.console import Console as Rich

        self._rich = Rich(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """A line on stderr."""
        self._rich.print(text, markup=False)

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """A bar with an estimate of the time that is left; it vanishes when the work is done."""
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns: tuple[Any, ...] = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._rich, transient=True) as bars:
            one = bars.add_task(what, total=total)
            yield lambda count: bars.advance(one, count)


class Plain:
    """Lines without bars, for a stderr that is no terminal."""

    def say(self, text: str) -> None:
        """A line on stderr."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:  # noqa: ARG002
        """No bar."""
        yield lambda _: None


class Heeding:
    """A progress that stops the work after a Ctrl-C, also after one that Python lost.

    An interrupt that lands in a finalizer or in a callback of the import lock is printed as ignored, and the work would
    go on; it is noted here as it comes, and the next piece of work that is told raises it again.
    """

    def __init__(self, inner: Progress) -> None:
        self._inner = inner
        self._interrupted = False
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        signal.default_int_handler(number, frame)

    def _heed(self) -> None:
        if self._interrupted:
            raise KeyboardInterrupt

    def say(self, text: str) -> None:
        """A line of the inner progress."""
        self._heed()
        self._inner.say(text)

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """A bar of the inner progress."""
        with self._inner.bar(what, total) as inner:

            def advance(count: int) -> None:
                self._heed()
                inner(count)

            yield advance


def progress(*, quiet: bool) -> Progress:
    """Where a command tells how far it is, and where it heeds a Ctrl-C."""
    if quiet:
        return Heeding(Silent())
    return Heeding(Console() if sys.stderr.isatty() else Plain())


def write_json(value: Any) -> None:
    """A value as JSON on stdout."""
    import json

    print(json.dumps(value, ensure_ascii=False, indent=2))  # noqa: T201


LONGEST_CELL = 2_000
"""Characters of a cell that are shown: to lay out a book takes minutes."""


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """A table on stdout; columns of numbers are aligned right."""
    from rich.console import Console as Rich
    from rich.table import Table

    out = Rich(highlight=False, width=None if sys.stdout.isatty() else 160)
    shown = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(head):
        numeric = bool(rows) and all(_is_number(row[place]) for row in rows)
        shown.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(_plain(cell) for cell in row))
    out.print(shown)


def _plain(cell: str) -> str:
    from rich.markup import escape

    cut = cell if len(cell) <= LONGEST_CELL else f"{cell[:LONGEST_CELL]}… ({len(cell):,} characters)"
    return escape(cut)


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).replace(",", "").replace("-", "", 1).isdigit() or not cell


def score_rows(metrics: dict[str, dict[str, dict[str, Any]]]) -> list[list[str]]:
    """Rows of a metrics table: task, split, metric, value, interval, n."""
    return [
        [task, split, metric, f"{s['value']:.4f}", f"{s['low']:.4f} to {s['high']:.4f}", str(s["n"])]
        for task, splits in metrics.items()
        for split, scores in splits.items()
        for metric, s in scores.items()
    ]


SCORES = ["task", "split", "metric", "value", "95 % interval", "n"]


def said_modality(name: str, kind: str, model: str | None) -> str:
    """A modality by its column, with its kind where that is another name, and the model that it begins from."""
    about = [*([kind] if kind != name else []), *([f"from {model}"] if model else [])]
    return f"{name} ({', '.join(about)})" if about else name
