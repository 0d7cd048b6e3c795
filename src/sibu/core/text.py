"""What a task asks the text modality to encode, and what it gets back."""

from dataclasses import dataclass
from typing import Literal

Fit = Literal["cut", "slide", "around"]


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


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of an encoded text that fits the model."""

    input_ids: list[int]
    """Vocabulary numbers, special pieces included. Length T."""
    segments: list[int]
    """0 special, 1 the text, 2 its pair. Length T."""
    starts: list[int]
    """First character of each piece in its own text. Length T."""
    ends: list[int]
    """Last character (exclusive) of each piece in its own text. Length T."""
    places: list[tuple[int, int, int, int]]
    """For each place that begins in this window: its number in the input, its first and last character (exclusive),
    and the number of its first piece."""
    cut: int = 0
    """How many pieces of the input are in none of its windows."""


@dataclass(frozen=True, slots=True)
class Feature:
    """An array that a task adds to each window, as its head and its loss ask for it."""

    name: str
    dtype: Literal["int64", "float32"]
    per: Literal["window", "token"]
    """``window``: the same length in every window, stacked; ``token``: one number a piece, padded to T."""
    pad: float = 0
    """What fills the places beyond a window's own pieces."""
    width: int = 1
    """Numbers a piece, for features by token."""
