"""What a task asks the text modality to encode, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Fit = Literal["cut", "slide", "around"]

RAW = "{% for message in messages %}{{ message.content }}{% endfor %}"
"""The chat template of a text that is to be gone on with as it stands."""


@dataclass(frozen=True, slots=True)
class TextInput:
    """One text, or a pair, to be encoded together."""

    text: str
    pair: str | None = None
    places: tuple[tuple[int, int], ...] | Literal["units", "none"] = "none"
    """Stretches of ``text`` (or of ``pair`` where there is one) whose pieces the task must find again: characters
    ``(start, end)`` each, or ``units`` for the text's own words and characters, or ``none``."""
    fit: Fit = "cut"
    """What happens to a text longer than the model: ``cut`` its end, ``slide`` an overlapping window over it, or keep
    the window ``around`` the places."""
    split_characters: bool = False
    """Whether each Chinese or Japanese character gets a piece of its own, so that a span can end at any of them."""

    def texts(self) -> list[str]:
        """The text, and its pair."""
        return [self.text] if self.pair is None else [self.text, self.pair]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of an encoded text that fits the model."""

    input_ids: list[int]
    """Vocabulary numbers, special pieces included. Length T."""
    segments: list[int]
    """0 special, 1 the text, 2 its pair, 3 what is to be written. Length T."""
    starts: list[int]
    """First character of each piece in its own text. Length T."""
    ends: list[int]
    """Last character (exclusive) of each piece in its own text. Length T."""
    places: list[tuple[int, int, int, int]]
    """For each place that begins in this window: its number in the input, its first and last character (exclusive),
    and the number of its first piece."""
    cut: int = 0
    """How many pieces of the input are in none of its windows."""
    answer: tuple[int, ...] = ()
    """What the decoder of an encoder-decoder is to write."""
    lost: str = ""
    """What of a prompt or an answer was left out, in words."""
    first: int = 0
    """Of a text over which a window slides: the number of its piece that this window begins with."""


@dataclass(frozen=True, slots=True)
class Match:
    """A place where names stand."""

    start: int
    """First character."""
    end: int
    """The character behind its last."""
    names: tuple[int, ...]
    """Numbers of the names that stand there."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a vocabulary has for tasks that hide words and fill them in."""

    mask: int
    """The piece that stands for what is hidden."""
    mask_text: str
    """How it is written."""
    plain: np.ndarray
    """The pieces that are not special."""
    decode: Callable[[Sequence[int]], str]
    """Pieces to text."""
    encode: Callable[[str], list[int]]
    """A text to pieces, none of them special."""


@dataclass(frozen=True, slots=True)
class Feature:
    """An array that a task adds to each window, as its head and its loss ask for it."""

    name: str
    dtype: Literal["int64", "float64", "float32", "float16", "int16", "uint8"]
    per: Literal["window", "token", "answer"]
    """``window``: the same length in every window, stacked; ``token``: one number a piece, padded to T; ``answer``:
    one number a piece of the answer, padded to the longest answer of the batch."""
    pad: float = 0
    """What fills the places beyond a window's own pieces."""
    width: int = 1
    """Numbers a piece, for features by token."""


Message = tuple[str, str]
"""Who speaks (`system`, `user`, `assistant`) and what is said."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is to read before it writes; with an ``answer``, what it should write."""

    messages: tuple[Message, ...]
    """The turns so far; the last is not the assistant's."""
    answer: str | None = None
    """What is to be learned; None: the model is to write."""
    template: str | None = None
    """A chat template (Jinja) in place of the model's own."""
    room: int = 128
    """Most pieces of an answer, its end included. A prompt is cut to what the model's context leaves beside them, in
    training as in prediction."""
    turns: Literal["last", "all"] = "last"
    """Whether the assistant's earlier turns are learned too."""
    kept: int = 0
    """Characters at the end of the last turn that stay where what is before them must be cut."""

    def texts(self) -> list[str]:
        """What was said in each turn, and the answer."""
        return [*(said for _, said in self.messages), *([] if self.answer is None else [self.answer])]


AnyInput = TextInput | Prompt
"""What a task asks to be encoded."""

LEARNED = 3
"""The segment of the pieces that a model learns to write."""
