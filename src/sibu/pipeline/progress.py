"""How a long piece of work tells what it does; silent unless the caller gives a voice."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Progress(Protocol):
    """Somewhere to tell."""

    def say(self, text: str) -> None:
        """A line for people."""
        ...

    def bar(self, what: str, total: int | None) -> AbstractContextManager[Advance]:
        """A bar over ``total`` pieces of work; the context's function advances it."""
        ...


class Silent:
    """Says nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    @contextmanager
    def bar(self, what: str, total: int | None) -> Iterator[Advance]:  # noqa: ARG002
        """No bar."""
        yield lambda _: None
