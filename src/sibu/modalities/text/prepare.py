"""Texts to windows of vocabulary numbers, with every piece's place in the text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.errors import RecipeError
from sibu.core.protocols import Features
from sibu.core.text import AnyInput, Feature, Pieces, Prompt, TextInput, Window
from sibu.core.units import Place, units
from sibu.modalities.text._hf import Vocabulary, hash_tokenizer, read_vocabulary, writing_kind
from sibu.modalities.text.prompts import PromptPreparer
from sibu.modalities.text.units import shape
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from tokenizers import Encoding

    from sibu.modalities.text.bounds import Bounds

LONGEST = 512
"""Most pieces a window gets where the recipe sets no limit."""
LONGEST_WRITTEN = 1024
"""The same where a model writes: prompt and answer together."""


class TextPreparer:
    """Encodes texts with the tokenizer of a model folder.

    Args:
        folder: A model folder in Hugging Face layout.
        max_length: Most pieces a window may have; None: the model's limit, at most 512.
        overlap: Pieces that neighbouring windows share.
        shapes: Whether each piece also gets the number of its word's shape.
        reserved: Positions of the model that are not the text's (an adaptation method's own).
        writes: Whether the model is to write: `prepare` takes prompts too then.

    Raises:
        RecipeError: When ``max_length`` is more than the model takes, or too little for a pair.
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_length: int | None,
        overlap: int,
        shapes: bool,
        reserved: int = 0,
        writes: bool = False,
    ) -> None:
        self.vocabulary: Vocabulary = read_vocabulary(folder)
        longest = LONGEST_WRITTEN if writes else LONGEST
        limit = (self.vocabulary.max_length or longest) - reserved
        if max_length is not None and max_length > limit:
            given = f"The text modality's max_length is {max_length}, but the model takes at most {limit} pieces."
            raise RecipeError(f"{given} Give {limit} or less, or null for the model's own limit.")
        fewest = self.vocabulary.specials(pair=True) + 2
        if max_length is not None and max_length < fewest:
            given = (
                f"The text modality's max_length is {max_length}, too few for a pair of texts with its special pieces."
            )
            raise RecipeError(f"{given} Give {fewest} or more, or null for the model's own limit.")
        self.max_length = max_length or min(limit, longest)
        self.overlap = min(overlap, self.max_length // 2)
        self.unknown = self.vocabulary.unknown_id
        self.shapes = shapes
        self.prompts: PromptPreparer | None = None
        self._bounds: dict[str | None, Bounds] = {}
        if writes:
            apart = writing_kind(folder) == "encoder-decoder"
            self.prompts = PromptPreparer(folder, self.vocabulary, max_length=self.max_length, apart=apart)
        self.key = hash_json([hash_tokenizer(folder), self.max_length, self.overlap, shapes])
        features = [
            Feature("input_ids", "int64", "token", self.vocabulary.pad_id),
            Feature("type_ids", "int64", "token"),
        ]
        self.features = tuple(features + ([Feature("shapes", "int64", "token")] if shapes else []))

    def prepare(self, inputs: Sequence[AnyInput]) -> list[list[Window]]:
        """The windows of each input, in order; at least one each."""
        texts = iter(self._read([each for each in inputs if isinstance(each, TextInput)]))
        prompts = iter(self._prompted([each for each in inputs if isinstance(each, Prompt)]))
        return [next(texts) if isinstance(each, TextInput) else [next(prompts)] for each in inputs]

    def _prompted(self, prompts: Sequence[Prompt]) -> list[Window]:
        if not prompts:
            return []
        if self.prompts is None:
            raise ValueError("prompts need a preparer that writes")
        return self.prompts.windows(prompts)

    @property
    def pieces(self) -> Pieces | None:
        """What tasks that hide words need to know of the vocabulary; None where it has no piece for what is hidden."""
        own = self.vocabulary
        mask = None if own.mask is None else own.tokenizer.token_to_id(own.mask)
        if mask is None or own.mask is None:
            return None
        special = {number for number, token in own.tokenizer.get_added_tokens_decoder().items() if token.special}
        special |= {mask, own.pad_id, *(piece for part in own.pair for piece in part)}
        special |= set() if own.unknown_id is None else {own.unknown_id}
        plain = np.setdiff1d(np.arange(min(own.size, own.tokenizer.get_vocab_size())), list(special))

        def encode(text: str) -> list[int]:
            return list(own.tokenizer.encode(text, add_special_tokens=False).ids)

        return Pieces(mask, own.mask, plain, lambda ids: str(own.tokenizer.decode(list(ids))), encode)

    def bounds(self, template: str | None) -> Bounds:
        """What keeps answers within a grammar, for a chat template (None: the model's own)."""
        if self.prompts is None:
            raise ValueError("bounds need a preparer that writes")
        if template not in self._bounds:
            from sibu.modalities.text.bounds import Bounds

            ends, size = self.prompts.ends(template), self.vocabulary.size
            self._bounds[template] = Bounds(self.vocabulary.tokenizer, size=size, ends=ends)
        return self._bounds[template]

    def _read(self, inputs: Sequence[TextInput]) -> list[list[Window]]:
        if not inputs:
            return []
        split = any(each.split_characters for each in inputs)
        tokenizer = self.vocabulary.split_tokenizer if split else self.vocabulary.tokenizer
        texts = [each.text for each in inputs] + [each.pair for each in inputs if each.pair is not None]
        encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
        pieces = [_Pieces.of(one, text, self.vocabulary.space_id) for one, text in zip(encoded, texts, strict=True)]
        seconds = iter(pieces[len(inputs) :])
        return [
            self._windows(each, first, next(seconds) if each.pair is not None else None)
            for each, first in zip(inputs, pieces, strict=False)
        ]

    def arrays(self, window: Window, source: AnyInput) -> Features:
        """``input_ids``, for pairs ``type_ids``, and where asked ``shapes``, each of length T."""
        arrays: dict[str, np.ndarray] = {"input_ids": np.asarray(window.input_ids, dtype=np.int64)}
        if isinstance(source, Prompt):
            return arrays
        if source.pair is not None:
            second = np.asarray(window.segments) == 2
            arrays["type_ids"] = self._types(second)
        if self.shapes:
            arrays["shapes"] = self._shapes(window, source)
        return arrays

    def _types(self, second: np.ndarray) -> np.ndarray:
        """Segment numbers of a pair: 1 from the first piece of the second text to the end, where the model has two."""
        types = np.zeros(len(second), dtype=np.int64)
        if self.vocabulary.pair_types and second.any():
            types[int(np.argmax(second)) :] = 1
        return types

    def _shapes(self, window: Window, source: TextInput) -> np.ndarray:
        shapes = np.zeros(len(window.input_ids), dtype=np.int64)
        for segment, text in ((1, source.text), (2, source.pair or "")):
            begins, numbers = _word_shapes(text)
            for piece, (own, start) in enumerate(zip(window.segments, window.starts, strict=True)):
                if own == segment and begins:
                    shapes[piece] = numbers[max(bisect_right(begins, start) - 1, 0)]
        return shapes

    def _windows(self, source: TextInput, first: _Pieces, second: _Pieces | None) -> list[Window]:
        room = self.max_length - self.vocabulary.specials(pair=second is not None)
        if second is None:
            found = _find(source, source.text, first)
            stretches = self._stretches(len(first.ids), room, source, found)
            return [self._window(source, first, stretch, None, (0, 0), found) for stretch in stretches]
        found = _find(source, source.pair or "", second)
        if source.fit == "slide":
            head = min(len(first.ids), max(room // 2, room - len(second.ids)))
            stretches = self._stretches(len(second.ids), room - head, source, found)
            return [self._window(source, first, (0, head), second, stretch, found) for stretch in stretches]
        long, short = max(len(first.ids), len(second.ids)), min(len(first.ids), len(second.ids))
        keep = long if long + short <= room else max(room - short, (room + 1) // 2)
        ends = [min(len(part.ids), keep) for part in (first, second)]
        if sum(ends) > room:
            ends[1] = room - ends[0]
        return [self._window(source, first, (0, ends[0]), second, (0, ends[1]), found)]

    def _stretches(self, length: int, room: int, source: TextInput, found: list[_Found]) -> list[tuple[int, int]]:
        """Which pieces each window takes."""
        if length <= room:
            return [(0, length)]
        if source.fit == "around" and found:
            low, high = min(piece for *_, piece in found), max(piece for *_, piece in found) + 1
            start = max(0, min(low - max(room - (high - low), 0) // 2, length - room))
            return [(start, start + room)]
        if source.fit != "slide":
            return [(0, room)]
        firsts = sorted({piece for *_, piece in found})
        stretches, start = [], 0
        while start + room < length:
            stretches.append((start, start + room))
            target = start + room - min(self.overlap, room - 1)
            # A window begins where a word begins, if one does within the overlap; always further on than the last one.
            begin = firsts[bisect_right(firsts, target) - 1] if firsts and firsts[0] <= target else target
            start = begin if begin > start else target
        return [*stretches, (start, length)]

    def _window(
        self,
        source: TextInput,
        first: _Pieces,
        own: tuple[int, int],
        second: _Pieces | None,
        other: tuple[int, int],
        found: list[_Found],
    ) -> Window:
        frame = self.vocabulary.pair if second is not None else self.vocabulary.single
        ids: list[int] = []
        segments: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        shift = 0
        for segment, special in enumerate(frame):
            ids += special
            segments += [0] * len(special)
            starts += [0] * len(special)
            ends += [0] * len(special)
            part: Any = (first, second)[segment] if segment < len(frame) - 1 else None
            if part is None:
                continue
            low, high = own if segment == 0 else other
            if segment == (1 if second is not None else 0):
                shift = len(ids) - low
            ids += part.ids[low:high]
            offsets = part.offsets[low:high]
            segments += [segment + 1] * len(offsets)
            starts += [start for start, _ in offsets]
            ends += [end for _, end in offsets]
        low, high = own if second is None else other
        places = [(n, start, end, piece + shift) for n, start, end, piece in found if low <= piece < high]
        # Of a pair the window slides over the second text: what it leaves out of the first is lost all the same.
        lost = 0 if source.fit == "slide" and second is None else len(first.ids) - (own[1] - own[0])
        if second is not None and source.fit != "slide":
            lost += len(second.ids) - (other[1] - other[0])
        return Window(input_ids=ids, segments=segments, starts=starts, ends=ends, places=places, cut=lost, first=low)


_Found = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Pieces:
    """One text's pieces with their characters."""

    ids: list[int]
    offsets: list[Place]
    space_id: int | None
    """The piece that stands for a space alone, which no place begins with."""

    @classmethod
    def of(cls, encoded: Encoding, text: str, space_id: int | None) -> _Pieces:
        """Offsets without the space that some tokenizers count into the word behind it."""
        offsets = [
            (start + 1, end) if end - start > 1 and text[start].isspace() else (start, end)
            for start, end in encoded.offsets
        ]
        return cls(encoded.ids, offsets, space_id)

    def first_of(self, start: int, piece: int) -> int:
        """The first piece from ``piece`` on that reaches beyond character ``start``."""
        offsets, ids = self.offsets, self.ids
        while piece < len(ids) and (offsets[piece][1] <= start or ids[piece] == self.space_id):
            piece += 1
        return piece


@lru_cache(maxsize=4)  # the windows of one text ask one after the other
def _word_shapes(text: str) -> tuple[list[int], list[int]]:
    """First character and number of the shape of each word."""
    words = units(text)
    return [start for start, _ in words], [shape(text[start:end]) for start, end in words]


def _find(source: TextInput, text: str, pieces: _Pieces) -> list[_Found]:
    """The first piece of each place that the task asks for: number, start, end, piece."""
    if source.places == "none":
        return []
    if source.places == "units":
        return _merged_units(units(text), pieces)
    found, piece = [], 0
    offsets = pieces.offsets
    for number, (start, end) in enumerate(source.places):
        if number and start < source.places[number - 1][0]:
            piece = 0  # places need not be in order
        piece = pieces.first_of(start, piece)
        covered = piece < len(offsets) and offsets[piece][0] < max(end, start + 1)
        if covered or piece:  # a place that no piece covers (the tokenizer dropped it) takes the piece before, if any
            found.append((number, start, end, piece if covered else piece - 1))
    return found


def _merged_units(places: list[Place], pieces: _Pieces) -> list[_Found]:
    """Units with their first pieces; units that begin inside another unit's piece are joined to it."""
    found: list[_Found] = []
    piece = 0
    for start, end in places:
        piece = pieces.first_of(start, piece)
        if piece == len(pieces.offsets) or pieces.offsets[piece][0] >= end:
            continue  # the tokenizer drops this character (a control character, say): no piece can carry a tag
        if found and found[-1][3] == piece:
            number, begin, _, _ = found[-1]
            found[-1] = (number, begin, end, piece)
        else:
            found.append((len(found), start, end, piece))
    return found
