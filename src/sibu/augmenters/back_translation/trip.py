"""Texts to another language and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

import torch
from torch import Tensor

from sibu.augmenters._hf import Loaded, load
from sibu.augmenters.back_translation.way import Way
from sibu.core.errors import RecipeError
from sibu.core.example import Row

TEXTS = ("text", "text_pair")
"""The columns that are translated."""
MARKED = ("tokens", "tags", "entities", "answers")
"""Columns that point into a text: where a row has one, even an empty one, it is left alone. Otherwise copies would be
made of the rows without entities alone."""
BATCH = 16
"""Texts that are translated together."""
LIKELIEST = 50
"""Pieces of which the next one is drawn: what lies behind them is noise."""
SEED = 2**63


class RoundTrip:
    """Translates a row's texts and translates them back.

    Args:
        there: The way into the other language.
        back: The way back.
        temperature: Divides the scores of the pieces that are drawn; 0: nothing is drawn.
        beams: Unfinished translations that are kept.
        limit: Most pieces of a translation.
    """

    def __init__(self, there: Way, back: Way, *, temperature: float, beams: int, limit: int) -> None:
        self._ways = (there, back)
        self._own: dict[str, Any] = {"temperature": temperature, "beams": beams, "limit": limit}
        self._translators: list[Translator] = []
        self._known: dict[str, str] = {}
        """Of texts that are always translated the same, what became of the last ones."""

    def learn(self, rows: Iterable[Row]) -> None:
        """Nothing is learned from the rows."""

    def __call__(self, row: Row, draw: Random) -> Row | None:
        """A changed copy of a row; None where it has spans, or comes back as it was."""
        return self.many([row], [draw])[0]

    def many(self, rows: Sequence[Row], draws: Sequence[Random]) -> list[Row | None]:
        """The same of several rows, whose texts are translated together."""
        columns = [
            [name for name in TEXTS if isinstance(row.get(name), str) and row[name].strip()] if _plain(row) else []
            for row in rows
        ]
        texts = [row[name] for row, own in zip(rows, columns, strict=True) for name in own]
        seeds = [
            (draw.randrange(SEED), draw.randrange(SEED)) for draw, own in zip(draws, columns, strict=True) for _ in own
        ]
        found = iter(self._returned(texts, seeds))
        return [_changed(row, {name: next(found) for name in own}) for row, own in zip(rows, columns, strict=True)]

    def _returned(self, texts: Sequence[str], seeds: Sequence[tuple[int, int]]) -> list[str]:
        """Each text as it came back; an empty text where it did not."""
        drawn = self._own["temperature"] > 0
        new = [n for n, text in enumerate(texts) if drawn or text not in self._known]
        if new and not self._translators:
            self._translators = self._opened()
        said = [texts[n] for n in new]
        for leg, translator in enumerate(self._translators):
            said = translator.translate(said, [seeds[n][leg] for n in new], **self._own)
        made = {texts[n]: text for n, text in zip(new, said, strict=True)}
        if drawn:
            return said
        self._known = {text: self._known.get(text, made.get(text, "")) for text in texts}
        return [self._known[text] for text in texts]

    def _opened(self) -> list[Translator]:
        there, back = self._ways
        loaded = load(there.source, "translator")
        if back.source.folder == there.source.folder:
            return [Translator(loaded, there), Translator(loaded, back)]
        other = load(back.source, "translator")
        return [Translator(loaded, there), Translator(other, back)]


def _plain(row: Row) -> bool:
    return all(row.get(name) is None for name in MARKED)


def _changed(row: Row, texts: dict[str, str]) -> Row | None:
    if not texts or not all(texts.values()):
        return None
    new = dict(row) | texts
    return None if all(new[name].split() == row[name].split() for name in texts) else new


class Translator:
    """A model that translates one way.

    Args:
        loaded: The model.
        way: What it is told.

    Raises:
        RecipeError: When its weights are not all there, or the languages are not told or not known.
    """

    def __init__(self, loaded: Loaded, way: Way) -> None:
        if loaded.lacking:
            listed = ", ".join(loaded.lacking[:3])
            raise RecipeError(f"The model {loaded.name!r} cannot translate: its folder lacks {listed}.")
        self._loaded, self._way = loaded, way
        if way.languages is None and hasattr(loaded.tokenizer, "src_lang"):
            raise RecipeError(
                f"The model {loaded.name!r} knows many languages: say by `languages` which is the rows' and which the "
                "other, as its card names them."
            )
        self._begin = None if way.languages is None else self._language(way.languages[1])
        if way.languages is not None:
            self._language(way.languages[0])
        ends = loaded.model.generation_config.eos_token_id
        own = [ends] if isinstance(ends, int) else list(ends or ())
        self._ends = sorted({*own, loaded.tokenizer.eos_token_id} - {None})

    def _language(self, name: str) -> int:
        """The piece that says a language."""
        tokenizer = self._loaded.tokenizer
        lettered = getattr(tokenizer, "lang_code_to_token", {}).get(name, name)  # M2M100: `en` is `__en__`
        found = tokenizer.convert_tokens_to_ids(lettered)
        if found is None or found == tokenizer.unk_token_id or not hasattr(tokenizer, "src_lang"):
            raise RecipeError(
                f"The model {self._loaded.name!r} knows no language {name!r}. Name it as the model's card does, or "
                "leave `languages` out where it translates one way alone."
            )
        return int(found)

    def translate(
        self, texts: Sequence[str], seeds: Sequence[int], *, temperature: float, beams: int, limit: int
    ) -> list[str]:
        """Translations; an empty text where one does not end within the limit, or the text is longer than the model's.

        Args:
            texts: What to translate; of an empty text nothing comes.
            seeds: Of each text's draws.
            temperature: Divides the scores of the pieces that are drawn; 0: nothing is drawn.
            beams: Unfinished translations that are kept.
            limit: Most pieces of a translation.
        """
        tokenizer = self._loaded.tokenizer
        if self._way.languages is not None:
            tokenizer.src_lang = self._way.languages[0]
        pieces = [tokenizer(self._way.before + text)["input_ids"] if text.strip() else [] for text in texts]
        may = [n for n, ids in enumerate(pieces) if 0 < len(ids) <= self._loaded.longest]
        found = [""] * len(texts)
        order = sorted(may, key=lambda n: len(pieces[n]))
        for begin in range(0, len(order), BATCH):
            batch = order[begin : begin + BATCH]
            draws = Draws([seeds[n] for n in batch], temperature) if temperature > 0 else None
            written = self._written([pieces[n] for n in batch], draws, beams, limit)
            for number, text in zip(batch, written, strict=True):
                found[number] = text
        return found

    @torch.inference_mode()
    def _written(self, pieces: Sequence[Sequence[int]], draws: Draws | None, beams: int, limit: int) -> list[str]:
        model, tokenizer = self._loaded.model, self._loaded.tokenizer
        inputs = tokenizer.pad({"input_ids": list(map(list, pieces))}, padding_side="right", return_tensors="pt")
        places = getattr(model.config, "max_position_embeddings", None)
        config = deepcopy(model.generation_config)
        settings: dict[str, Any] = {"do_sample": False, "num_beams": beams, "num_return_sequences": 1}
        settings |= {"max_length": None, "max_new_tokens": min(limit, places - 1) if places else limit}
        settings |= {"temperature": None, "top_k": None, "top_p": None, "early_stopping": False}
        settings |= {"forced_eos_token_id": None}  # what is cut short is not to look finished
        settings |= {"eos_token_id": self._ends, "pad_token_id": tokenizer.pad_token_id}
        if beams == 1:
            settings["length_penalty"] = 1.0
        if self._begin is not None:
            settings["forced_bos_token_id"] = self._begin
        config.update(**settings)
        sequences = model.generate(
            **{name: inputs[name].to(model.device) for name in ("input_ids", "attention_mask")},
            generation_config=config,
            logits_processor=[] if draws is None else [draws],
        )
        return [self._text(ids[1:]) for ids in sequences.tolist()]  # an answer begins with a piece of its own

    def _text(self, ids: Sequence[int]) -> str:
        if not any(piece in self._ends for piece in ids):
            return ""  # cut short
        text: str = self._loaded.tokenizer.decode(ids, skip_special_tokens=True)
        return text.strip()


class Draws:
    """Makes the likeliest piece a drawn one, as transformers' processors change scores: Gumbel noise is added to them.

    Each text has a generator of its own, so that what is drawn for it does not hang on the texts beside it. Source:
    Gumbel, 1954; Maddison et al., 2014, arXiv:1411.0030.

    Args:
        seeds: Of each text.
        temperature: Divides the scores.
    """

    def __init__(self, seeds: Sequence[int], temperature: float) -> None:
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._temperature = temperature

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002  (the signature is transformers')
        """The scores ``(B, V)`` of the likeliest pieces with noise; none can be any other."""
        best = scores.float().topk(min(LIKELIEST, scores.shape[1]), dim=1)
        width = best.values.shape[1]
        waits = torch.stack([torch.empty(width).exponential_(generator=own) for own in self._generators])
        noisy = best.values / self._temperature - waits.log().to(scores.device)
        return torch.full_like(scores, -torch.inf).scatter(1, best.indices, noisy.to(scores.dtype))
