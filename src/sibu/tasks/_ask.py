"""Texts and dialogues to prompts, and what is wrong with a dialogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sibu.core.example import Row
from sibu.core.protocols import Found
from sibu.core.result import REWARD, Prediction
from sibu.core.text import Message, Prompt, Window

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Asking:
    """How a row becomes what a model reads."""

    instruction: str
    """What is asked, before each text."""
    system: str | None
    """What the model is told about its part; a row's own system message goes before it."""
    template: str | None
    """A chat template in place of the model's own."""
    turns: Literal["last", "all"]
    """Which of the assistant's turns are learned."""
    room: int
    """Most pieces of an answer."""

    def prompt(self, row: Row, answer: str | None, shown: Sequence[tuple[str, str]] = ()) -> Prompt:
        """The prompt of a row with ``text`` or ``messages``; the assistant's last turn is no part of it.

        Before a text come the examples ``shown``, which are not learned; before a dialogue none do.
        """
        turns: list[Message] = [] if self.system is None else [("system", self.system)]
        given = row.get("messages")
        if given is None:
            for text, known in shown:
                turns += [("user", self._asked(text)), ("assistant", known)]
            turns.append(("user", self._asked(row["text"])))
            return Prompt(tuple(turns), answer, self.template, self.room, "last" if shown else self.turns)
        own = [(turn["role"], turn["content"]) for turn in given]
        if own and own[-1][0] == "assistant":
            own.pop()
        if own and own[0][0] == "system":
            told = [text for _, text in (own.pop(0), *turns)]
            turns = [("system", "\n\n".join(told))]
        turns += _with_instruction(own, self.instruction)
        return Prompt(tuple(turns), answer, self.template, self.room, self.turns)

    def _asked(self, text: str) -> str:
        return "\n\n".join(part for part in (self.instruction, text) if part)


def _with_instruction(turns: list[Message], instruction: str) -> list[Message]:
    """The turns with the instruction before the user's first."""
    place = next((n for n, (role, _) in enumerate(turns) if role == "user"), None)
    if not instruction or place is None:
        return turns
    return [*turns[:place], ("user", f"{instruction}\n\n{turns[place][1]}"), *turns[place + 1 :]]


def rewards(predictions: Sequence[Prediction]) -> np.ndarray | None:
    """What each answer was given, shape ``(n,)``; None where the recipe gives nothing."""
    import numpy as np

    found = [each.content["total"] for one in predictions for each in one.evidence if each.kind == REWARD]
    return np.array(found, np.float64) if found and len(found) == len(predictions) else None


def check_asked(row: Row, *, answered: Sequence[str] = ("target",)) -> Iterator[Found]:
    """Empty texts, turns out of order, and what of a row is not read.

    Args:
        row: The row.
        answered: Its columns that hold an answer.
    """
    given, text = row.get("messages"), row.get("text")
    if given is not None and text is not None:
        mend = "Remove one of the two."
        yield "not read", "warning", "the row has a text and messages: the messages alone are read.", mend
    if given and given[-1]["role"] == "assistant" and (there := [n for n in answered if row.get(n) is not None]):
        what = f"the last turn is the assistant's and the row has a {there[0]!r}: the turn is not read."
        yield "not read", "warning", what, "Remove one of the two."
    if given is not None:
        yield from _check_turns(given)
    elif row.get("text") is not None and not row["text"].strip():
        yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."


def check_fit(windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
    """What does not fit into the model's context."""
    for window in (each for group in windows for each in group):
        if window.lost:
            *prompt, last = window.lost.split(" and ")
            raised = ["max_new_tokens"] if last.endswith("of the answer") else []
            raised += ["the modality's max_length"] if prompt or not raised else []
            mend = f"Shorten it, raise {' and '.join(raised)}, or leave it so."
            yield "longer than the context", "warning", f"what does not fit was left out: {window.lost}.", mend


def _check_turns(turns: Sequence[Mapping[str, str]]) -> Iterator[Found]:
    """Roles out of order, empty turns."""
    mend = "A dialogue is an optional system message, then user and assistant in turn."
    roles = [turn["role"] for turn in turns]
    spoken = roles[1:] if roles[0] == "system" else roles
    if not spoken or "system" in spoken:
        where = roles.index("system", 1) if "system" in spoken else 0
        yield "roles out of order", "error", f"turn {where} is a system message, which only begins a dialogue.", mend
        return
    for place, role in enumerate(spoken):
        wanted = "assistant" if place % 2 else "user"
        if role != wanted:
            turn = place + len(roles) - len(spoken)
            yield "roles out of order", "error", f"turn {turn} is the {role}'s where the {wanted}'s is due.", mend
            return
    for place, (role, said) in enumerate((turn["role"], turn["content"]) for turn in turns):
        if not said.strip():
            kind = "empty target" if place == len(turns) - 1 and role == "assistant" else "empty turn"
            yield kind, "error", f"turn {place} ({role}) is empty.", "Fill it in, or remove the row."
            return
