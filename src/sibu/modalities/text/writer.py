"""The language head of a pretrained model: what it would write, and writing it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sibu.core.protocols import Terms
from sibu.core.tensors import Encoded, Output
from sibu.nn.likelihood import IGNORED, answer_losses

if TYPE_CHECKING:
    from sibu.core.grammar import Grammar
    from sibu.core.protocols import Decoder
    from sibu.modalities.text._hf import Vocabulary
    from sibu.modalities.text.bounds import Bounds
    from sibu.modalities.text.encoder import TextEncoder


class LanguageHead(nn.Module):
    """Scores of the next piece, by the language head of the encoder's own model.

    It has no weights of its own: they are the encoder's, which trains and saves them.

    Args:
        encoder: An encoder that writes.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        self._of = [encoder]  # in a list: its weights are not this module's

    @property
    def encoder(self) -> TextEncoder:
        """Whose head it is."""
        return self._of[0]

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:
        """Scores at the places where something is to be written, in the order of rows and places.

        Args:
            encoded: Vectors of the prompts, with their answers where these stand in one row.
            features: ``labels`` (B, T) or, for an encoder-decoder, ``answer`` (B, A): piece numbers, -100 elsewhere.

        Returns:
            Logits of shape ``(N, V)``: N places of all rows together.
        """
        if "answer" in features:
            return Output(self._decoded(encoded, features["answer"]))
        wanted = encoded.vectors[features["labels"] != IGNORED]
        model = self.encoder.language_model()
        with _given(model, wanted.unsqueeze(0)):
            return Output(model(input_ids=None).logits[0])

    def _decoded(self, encoded: Encoded, answer: Tensor) -> Tensor:
        model = self.encoder.language_model()
        vectors, mask = encoded.vectors, encoded.mask
        if encoded.leading is not None:
            vectors = torch.cat([encoded.leading, vectors], 1)
            mask = torch.cat([mask.new_ones(encoded.leading.shape[:2]), mask], 1)
        named: dict[str, Any] = {"encoder_outputs": (vectors,), "attention_mask": mask.to(torch.long)}
        begun = _begun(model, answer)
        if (places := self.encoder.decoder_places(len(answer))) is not None:
            ones = mask.new_ones(len(answer), places.get_seq_length() + answer.shape[1])
            named |= {"past_key_values": places, "decoder_attention_mask": ones.to(torch.long)}
        else:
            named["use_cache"] = False
        logits: Tensor = model(decoder_input_ids=begun, **named).logits
        return logits[answer != IGNORED]


def _begun(model: Any, answer: Tensor) -> Tensor:
    """What the decoder is given: the answer, one place later, behind the piece that begins it. Shape ``(B, A)``."""
    if hasattr(model, "prepare_decoder_input_ids_from_labels"):
        given: Tensor = model.prepare_decoder_input_ids_from_labels(labels=answer)
        return given
    config = model.config  # M2M100, Blenderbot and others begin as generation does
    first = config.bos_token_id if config.decoder_start_token_id is None else config.decoder_start_token_id
    shifted = torch.cat([answer.new_full((len(answer), 1), first), answer[:, :-1]], 1)
    return shifted.masked_fill(shifted == IGNORED, config.pad_token_id)


class FillingHead(LanguageHead):
    """Scores of hidden pieces, by the masked-language head of the encoder's own model."""

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:
        """What is told of hidden pieces.

        Args:
            encoded: Vectors of the texts.
            features: ``labels`` (B, T): the hidden pieces, -100 elsewhere; none where masks are to be filled in.

        Returns:
            In training the scores ``(N, V)`` of all hidden pieces. Otherwise for each row the sum of their negative log
            probabilities, their number, and how many are the likeliest ``(B, 3)``; without labels the likeliest piece
            at every place with its probability ``(B, T, 2)``.
        """
        if self.training:
            return super().forward(encoded, features)
        if "labels" in features:
            labels = features["labels"]
            logits = super().forward(encoded, features).logits
            right = (logits.argmax(-1) == labels[labels != IGNORED]).to(logits.dtype)
            rows = (labels != IGNORED).nonzero()[:, 0]
            counted = right.new_zeros(len(labels)).index_add(0, rows, right)
            return Output(torch.cat([answer_losses(logits, labels), counted.unsqueeze(1)], 1))
        everywhere = torch.where(encoded.mask, 0, IGNORED)
        logits = super().forward(encoded, {"labels": everywhere}).logits
        chance, piece = logits.float().softmax(-1).max(-1)
        found = chance.new_zeros(*encoded.mask.shape, 2)
        found[encoded.mask] = torch.stack([piece.to(chance.dtype), chance], -1)
        return Output(found)


class ClozeHead(LanguageHead):
    """Scores of words in blanks, by the masked-language head of the encoder's own model.

    Args:
        encoder: An encoder with that head.
        words: The pieces of each label's word, -1 behind them. Shape ``(C, K)``.
    """

    def __init__(self, encoder: TextEncoder, words: Tensor) -> None:
        super().__init__(encoder)
        self.words: Tensor
        self.register_buffer("words", words, persistent=False)

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:
        """The mean log probability of each word's pieces in its blanks ``(B, C)``; ``features["blank"]``: (B, T)."""
        blank, words = features["blank"], self.words
        rows, places = (blank > 0).nonzero(as_tuple=True)
        labels = torch.full_like(blank, IGNORED)
        labels[rows, places] = 0
        logits = super().forward(encoded, {"labels": labels}).logits.float().log_softmax(-1)
        found = logits.new_zeros(len(blank), words.shape[1], logits.shape[-1])
        found = found.index_put((rows, blank[rows, places] - 1), logits)
        own = (words >= 0).to(logits.dtype)
        chances = found.gather(2, words.clamp_min(0).T.unsqueeze(0).expand(len(blank), -1, -1)).transpose(1, 2)
        return Output((chances * own).sum(2) / own.sum(1))


@contextmanager
def _given(model: Any, vectors: Tensor) -> Iterator[None]:
    """Within it a causal model's own forward pass puts its head, with its scales and caps, on ``vectors``."""
    name = model.base_model_prefix
    inner = getattr(model, name)
    setattr(model, name, _Given(vectors))
    try:
        yield
    finally:
        setattr(model, name, inner)


class _Given(nn.Module):
    """Stands in for a model whose vectors are there already."""

    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.vectors = vectors

    def forward(self, *_: Any, **__: Any) -> Any:
        return _Answer(self.vectors)


class _Answer(SimpleNamespace):
    """A model's output with vectors alone."""

    def __init__(self, vectors: Tensor) -> None:
        super().__init__(last_hidden_state=vectors, past_key_values=None, hidden_states=None, attentions=None)

    def __getitem__(self, place: int) -> Tensor:
        return (self.last_hidden_state,)[place]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote to one prompt."""

    ids: list[int]
    """Its pieces, without the one that ends it."""
    text: str
    finished: bool
    """Whether it came to an end of its own, not to the limit, and keeps to its grammar where there is one."""
    end: int | None = None
    """The piece that ended it; None: a stop text or the limit did."""


@torch.inference_mode()
def write(
    encoder: TextEncoder,
    vocabulary: Vocabulary,
    prompts: Sequence[Sequence[int]],
    *,
    decoder: Decoder,
    limit: int,
    ends: Sequence[int],
    stops: Sequence[str] = (),
    processors: Sequence[Any] = (),
    bounds: Bounds | None = None,
    grammars: Sequence[Grammar] = (),
    heard: Callable[[str], None] | None = None,
) -> list[list[Written]]:
    """Answers to prompts of any length, computed together.

    Args:
        encoder: A model that writes.
        vocabulary: Its tokenizer.
        prompts: The pieces of each prompt.
        decoder: Chooses the pieces.
        limit: Most pieces of an answer.
        ends: Pieces at which an answer ends.
        stops: Texts at which it ends; they are left out.
        processors: Change the scores before a piece is chosen, as transformers' do.
        bounds: Keeps answers within grammars; None: there are none.
        grammars: What the answer to each prompt must look like, where there are bounds.
        heard: Told each bit of text as soon as it is sure; for one prompt.

    Returns:
        For each prompt its answers: one, or several where the decoder gives several.
    """
    if encoder.writes == "causal" and encoder.prompted and len(set(map(len, prompts))) > 1:
        # Trained places stand before the padding, where no text was while they were trained: so there is none.
        named: dict[str, Any] = {"limit": limit, "ends": ends, "stops": stops, "processors": processors}
        own = [grammars[place : place + 1] for place in range(len(prompts))]
        return [
            write(encoder, vocabulary, [each], decoder=decoder, bounds=bounds, grammars=grammar, **named)[0]
            for each, grammar in zip(prompts, own, strict=True)
        ]
    device = next(encoder.parameters()).device
    width = max(map(len, prompts))
    left = encoder.writes == "causal"
    ids = torch.full((len(prompts), width), vocabulary.pad_id)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        place = slice(width - len(prompt), width) if left else slice(0, len(prompt))
        ids[row, place] = torch.tensor(prompt)
        mask[row, place] = 1
    begun = width if left else 1  # an encoder-decoder's answers begin with a piece of its own
    if bounds is not None:
        processors = [*processors, bounds.of(grammars, begun=begun, limit=limit)]
    terms = Terms(
        limit,
        list(ends),
        vocabulary.pad_id,
        processors=list(processors),
        criteria=[_Stops(vocabulary, stops)] if stops else [],
        streamer=_Streamer(vocabulary, heard, ends, stops, skip=left) if heard is not None else None,
    )
    with warnings.catch_warnings():  # PEFT says that it leaves out position numbers, which it must
        warnings.filterwarnings("ignore", "Position ids are not supported")
        sequences = decoder(
            encoder.model if encoder.prompted else encoder.language_model(),
            {"input_ids": ids.to(device), "attention_mask": mask.to(device)},
            terms,
        )
    found = [_trimmed(each, set(ends), vocabulary, stops) for each in sequences[:, begun:].tolist()]
    each = len(found) // len(prompts)
    if bounds is not None:
        found = [_within(own, grammars[place // each], bounds, vocabulary) for place, own in enumerate(found)]
    return [found[place : place + each] for place in range(0, len(found), each)]


def _trimmed(ids: list[int], ends: set[int], vocabulary: Vocabulary, stops: Sequence[str]) -> Written:
    """An answer up to its end."""
    end = next((place for place, piece in enumerate(ids) if piece in ends), None)
    own = ids if end is None else ids[:end]
    text = vocabulary.tokenizer.decode(own, skip_special_tokens=True)
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    while places and own and own[-1] == vocabulary.pad_id:  # it waited for the others
        own = own[:-1]
    closed = None if end is None else ids[end]
    return Written(own, text[: min(places)] if places else text, end is not None or bool(places), closed)


def _within(own: Written, grammar: Grammar, bounds: Bounds, vocabulary: Vocabulary) -> Written:
    """An answer that came to its limit without what was begun behind its last whole form."""
    if own.finished:
        return replace(own, finished=bounds.keeps(grammar, own.ids))
    ids = own.ids[: bounds.whole(grammar, own.ids)]
    return Written(ids, vocabulary.tokenizer.decode(ids, skip_special_tokens=True), finished=True) if ids else own


class _Stops:
    """Ends an answer at one of several texts, as transformers' criteria do."""

    def __init__(self, vocabulary: Vocabulary, stops: Sequence[str]) -> None:
        self._tokenizer = vocabulary.tokenizer
        self._stops = stops
        self._tail = max(len(stop.encode()) for stop in stops) + 4
        """Pieces that hold the longest stop for certain: each has a byte at least."""
        self._begun: int | None = None

    def __call__(self, ids: Tensor, scores: Any, **_: Any) -> Tensor:  # noqa: ARG002  (the signature is transformers')
        if self._begun is None or ids.shape[1] <= self._begun:
            self._begun = ids.shape[1] - 1
        tails = ids[:, max(self._begun, ids.shape[1] - self._tail) :].tolist()
        texts = self._tokenizer.decode_batch(tails, skip_special_tokens=True)
        return torch.tensor([any(stop in text for stop in self._stops) for text in texts], device=ids.device)


class _Streamer:
    """Tells text as it is written, as transformers' streamers do; never half a character, nor what ends the answer."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        heard: Callable[[str], None],
        ends: Sequence[int],
        stops: Sequence[str],
        *,
        skip: bool,
    ) -> None:
        from tokenizers.decoders import DecodeStream

        self._stream = DecodeStream(skip_special_tokens=True)
        self._tokenizer = vocabulary.tokenizer
        self._heard = heard
        self._ends, self._stops = set(ends), stops
        self._skip = skip
        self._ids: list[int] = []
        self._told = self._held = ""
        self._ended = self._stopped = False

    def put(self, ids: Tensor) -> None:
        """Take the next pieces; the first time these are the prompt."""
        if self._skip:
            self._skip = False
            return
        for piece in ids.flatten().tolist():
            if self._ended or piece in self._ends:
                self._ended = True
                return
            self._ids.append(piece)
            if text := self._stream.step(self._tokenizer, piece):
                self._take(text)

    def _take(self, text: str) -> None:
        self._held += text
        places = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if places:
            self._ended = self._stopped = True
            self._tell(min(places))
            self._held = ""
            return
        begun = [n for stop in self._stops for n in range(1, len(stop)) if self._held.endswith(stop[:n])]
        self._tell(len(self._held) - max(begun, default=0))

    def _tell(self, length: int) -> None:
        if length:
            self._heard(self._held[:length])
            self._told += self._held[:length]
            self._held = self._held[length:]

    def end(self) -> None:
        """Nothing more comes: what was held back is told."""
        whole = self._tokenizer.decode(self._ids, skip_special_tokens=True)
        if not self._stopped and whole.startswith(self._told):
            self._held = whole[len(self._told) :]
            self._tell(len(self._held))
