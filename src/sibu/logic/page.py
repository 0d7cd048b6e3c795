"""A text that is being read, and the faults that were found in it."""

from __future__ import annotations

from typing import NoReturn

from sibu.core.errors import Fault, RuleError
from sibu.logic.scan import FULL_WIDTH, Scanner, Token


class Unread(Exception):
    """A rule cannot be read further; its fault is told already. ``here``: the next one begins with the next token."""

    def __init__(self, here: bool = False) -> None:
        self.here = here


class Page:
    """A text that is being read.

    Args:
        text: All of it.
        file: Its name, for messages; empty: it has none.
    """

    def __init__(self, text: str, file: str) -> None:
        self.scan = Scanner(text)
        self.file = file
        self._faults: dict[int, Fault] = {}

    def where(self, offset: int) -> str:
        """File, line and column of a character."""
        line, column = self.scan.place(offset)
        return f"{self.file}:{line}:{column}" if self.file else f"{line}:{column}"

    def tell(self, at: Token | int, message: str, mend: str = "") -> None:
        """Keep a fault, and read on; of one place the first is kept."""
        offset = at if isinstance(at, int) else at.start
        self._faults.setdefault(offset, Fault(self.where(offset), message, mend))

    def fail(self, at: Token | int, message: str, mend: str = "", *, here: bool = False) -> NoReturn:
        """Keep a fault behind which the rule cannot be read; a token that is bad in itself has its own."""
        if isinstance(at, Token) and at.kind == "bad":
            message, mend = at.why, at.mend
        self.tell(at, message, mend)
        raise Unread(here)

    def refuse(self) -> None:
        """Raise all faults, in order, where there are any."""
        if self._faults:
            raise RuleError([self._faults[offset] for offset in sorted(self._faults)])

    def pass_over(self) -> None:
        """Go on behind the full stop of a rule that cannot be read, or where something is told of the next one."""
        while (token := self.scan.peek()).kind != "end":
            if token.kind == "note" and self.scan.begins_line(token):
                return
            self.scan.take()
            if token.text == "." or (token.kind == "bad" and token.text.endswith((".", "。"))):
                return


def shown(token: Token) -> str:
    """A token as messages show it."""
    if token.kind == "end":
        return "Nothing"
    text = token.text.translate(FULL_WIDTH) if token.kind == "sign" else token.text
    return f"`{text[:40]}{'...' if len(text) > 40 else ''}`"
