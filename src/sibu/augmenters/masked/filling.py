"""Words that a masked language model tells in the place of hidden ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sibu.augmenters._hf import SPACES, Loaded, architectures, load
from sibu.augmenters._words import Part, content, like, marked_words, parts_of, rewritten, some
from sibu.core.errors import RecipeError
from sibu.core.example import Row, is_cjk

if TYPE_CHECKING:
    from sibu.models.sources import Source

HEADS = ("ForMaskedLM", "ForPreTraining")
"""How the names of architectures with a masked-language head end."""
BATCH_TOKENS = 4096
"""Pieces of the windows that are computed together, padding included."""
VARIANTS = 8
"""Likely pieces that may be the hidden word itself, in other letters."""

Told = Sequence[tuple[str, float]]
"""Words that could stand at a place, with their probabilities among each other."""


def require_head(source: Source) -> None:
    """The model has a masked-language head, as far as its folder says.

    Raises:
        RecipeError: When it has none.
    """
    names, _ = architectures(source)
    if not any(name.endswith(HEADS) and name != "ElectraForPreTraining" for name in names):
        raise RecipeError(_headless(source.name, f"it is {', '.join(names) or 'of no architecture'}"))


def _headless(name: str, why: str) -> str:
    return (
        f"The model {name!r} has no masked-language head to tell hidden words with ({why}). Take one that has "
        "(`...ForMaskedLM`, such as bert-base-uncased or bert-base-chinese), or a bundle of the task `mask`."
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A text with the words of it that are hidden."""

    text: str
    places: Sequence[tuple[int, int]]
    """Theirs, in order."""


class Masked:
    """Hides words and puts others there that the model tells.

    Args:
        filler: Reads the model.
        share: Of a text's words; at least one.
        candidates: The likeliest words, of which one is drawn.
    """

    def __init__(self, filler: Callable[[], Filler], *, share: float, candidates: int) -> None:
        self._read = filler
        self._share, self._candidates = share, candidates
        self._filler: Filler | None = None

    def learn(self, rows: Iterable[Row]) -> None:
        """Note the words that are marked in any row: they are never put elsewhere."""
        self._filler = self._read()
        self._filler.leave_out(marked_words(rows))

    def __call__(self, row: Row, draw: Random) -> Row | None:
        """A changed copy of a row; None where nothing could be changed."""
        return self.many([row], [draw])[0]

    def many(self, rows: Sequence[Row], draws: Sequence[Random]) -> list[Row | None]:
        """The same of several rows, whose texts are computed together."""
        if self._filler is None:
            raise ValueError("the augmenter has not looked at the training rows yet")
        parts = [parts_of(row) for row in rows]
        hidden = [[self._hidden(part, draw) for part in own] for own, draw in zip(parts, draws, strict=True)]
        asked = [
            Asked(part.text, [part.places[number] for number in numbers])
            for own, chosen in zip(parts, hidden, strict=True)
            for part, numbers in zip(own, chosen, strict=True)
            if numbers
        ]
        told = iter(self._filler.tell(asked, self._candidates))
        made = []
        for row, own, chosen, draw in zip(rows, parts, hidden, draws, strict=True):
            said = [_drawn(part, n, next(told), draw) if n else {} for part, n in zip(own, chosen, strict=True)]
            made.append(rewritten(row, own, said))
        return made

    def _hidden(self, part: Part, draw: Random) -> list[int]:
        if self._filler is not None and self._filler.mask in part.text:
            return []  # which of the masks were ours could not be told
        may = [n for n, own in enumerate(part.free) if own and content(part.words[n])]
        return some(len(part.words), self._share, may, draw)


def _drawn(part: Part, numbers: Sequence[int], told: Sequence[Told], draw: Random) -> dict[int, str]:
    """For each hidden word another, by the probabilities."""
    found = {}
    for number, each in zip(numbers, told, strict=True):
        if each:
            words, chances = zip(*each, strict=True)
            found[number] = like(draw.choices(words, chances)[0], part.words[number])
    return found


class Filler:
    """A masked language model that tells whole words.

    Args:
        source: The model.

    Raises:
        RecipeError: When its head's weights are not in its folder, or its tokenizer has no mask.
    """

    def __init__(self, source: Source) -> None:
        self._loaded: Loaded = load(source, "masked")
        if self._loaded.lacking:
            raise RecipeError(_headless(source.name, f"its folder lacks {', '.join(self._loaded.lacking[:3])}"))
        if self._loaded.tokenizer.mask_token is None or not self._loaded.tokenizer.is_fast:
            raise RecipeError(f"The tokenizer of the model {source.name!r} has no mask, or no fast form.")
        self.mask: str = self._loaded.tokenizer.mask_token
        """How the piece that hides a word is written."""
        self._words = _whole_words(self._loaded.tokenizer)
        self._allowed: dict[bool, Tensor] = {}
        self.leave_out(())

    def leave_out(self, words: Iterable[str]) -> None:
        """Words, case-folded, that are never told."""
        left = set(words)
        kept = {number: word for number, word in self._words.items() if word.casefold() not in left}
        for chinese in (False, True):
            own = [number for number, word in kept.items() if is_cjk(word[0]) == chinese]
            self._allowed[chinese] = torch.tensor(own, dtype=torch.long, device=self._loaded.model.device)

    def tell(self, asked: Sequence[Asked], candidates: int) -> list[list[Told]]:
        """What could stand in the place of hidden words, other than they.

        Args:
            asked: Texts with their hidden words.
            candidates: Most words of a place.

        Returns:
            For each text, for each hidden word, the likeliest others, likeliest first; none where the model knows none.
        """
        shown = [_shown(each, self.mask) for each in asked]
        hidden = [[each.text[start:end] for start, end in each.places] for each in asked]
        words = [word for own in hidden for word in own]
        told: list[Told] = [()] * len(words)
        for number, scores in self._scores(shown):
            told[number] = self._told(words[number], scores, candidates)
        each = iter(told)
        return [[next(each) for _ in own] for own in hidden]

    def _scores(self, texts: Sequence[str]) -> Iterator[tuple[int, Tensor]]:
        """The scores ``(V,)`` at each mask, with its number over all texts; long texts are read window by window."""
        if not texts:
            return
        tokenizer = self._loaded.tokenizer
        encoded = tokenizer(
            list(texts), truncation=True, max_length=self._loaded.longest, stride=0, return_overflowing_tokens=True
        )
        windows: list[list[int]] = encoded["input_ids"]
        counts = [ids.count(tokenizer.mask_token_id) for ids in windows]
        first = [sum(counts[:place]) for place in range(len(counts))]
        order = sorted((n for n in range(len(windows)) if counts[n]), key=lambda n: len(windows[n]))
        for batch in _batches(order, [len(ids) for ids in windows]):
            inputs = tokenizer.pad({"input_ids": [windows[n] for n in batch]}, return_tensors="pt")
            at = [first[n] + place for n in batch for place in range(counts[n])]
            yield from zip(at, self._at_masks(inputs), strict=True)

    @torch.inference_mode()
    def _at_masks(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The scores ``(N, V)`` at the masks of a batch, in order: the head is put on those places alone."""
        model = self._loaded.model
        ids, mask = (inputs[name].to(model.device) for name in ("input_ids", "attention_mask"))
        wanted = ids == self._loaded.tokenizer.mask_token_id

        def chosen(module: Any, given: Any, output: Any) -> Any:  # noqa: ARG001
            output["last_hidden_state"] = output["last_hidden_state"][wanted].unsqueeze(0)
            return output

        handle = model.base_model.register_forward_hook(chosen)
        try:
            scores: Tensor = model(input_ids=ids, attention_mask=mask).logits[0].float()
        finally:
            handle.remove()
        return scores

    def _told(self, word: str, scores: Tensor, candidates: int) -> Told:
        allowed = self._allowed[is_cjk(word[0])]
        best = scores[allowed].topk(min(candidates + VARIANTS, len(allowed)))
        found = [
            (self._words[int(allowed[place])], score)
            for place, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]
        found = [(other, score) for other, score in found if other.casefold() != word.casefold()][:candidates]
        chances = torch.tensor([score for _, score in found]).softmax(0).tolist()
        return [(other, chance) for (other, _), chance in zip(found, chances, strict=True)]


def _shown(asked: Asked, mask: str) -> str:
    """The text with masks where its hidden words stood."""
    parts, behind = [], 0
    for start, end in asked.places:
        parts += [asked.text[behind:start], mask]
        behind = end
    return "".join([*parts, asked.text[behind:]])


def _batches(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Windows, short ones first, in batches of bounded size."""
    batch: list[int] = []
    for number in order:
        if batch and (len(batch) + 1) * lengths[number] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _whole_words(tokenizer: Any) -> dict[int, str]:
    """The pieces that are a whole word which stands for something, or a Chinese character, with their text."""
    special = set(tokenizer.all_special_ids)
    numbers = [number for number in range(len(tokenizer)) if number not in special]
    texts = tokenizer.batch_decode([[number] for number in numbers])
    words = {number: text.strip() for number, text in zip(numbers, texts, strict=True)}
    kept = {n: word for n, word in words.items() if content(word) and (len(word) == 1 or not is_cjk(word[0]))}
    said = [word if is_cjk(word[0]) else f" {word}" for word in kept.values()]
    if not said:
        return {}
    empty = {tokenizer.convert_tokens_to_ids(piece) for piece in SPACES} - {tokenizer.unk_token_id}
    cut = tokenizer(said, add_special_tokens=False)["input_ids"]
    found = {}
    for (number, word), pieces in zip(kept.items(), cut, strict=True):
        own = [piece for piece in pieces if piece not in empty] if is_cjk(word[0]) else pieces
        if own == [number]:  # what goes on a word begun before is cut otherwise where it stands alone
            found[number] = word
    return found
