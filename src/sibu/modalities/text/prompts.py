"""Prompts to windows: rendered by a chat template, special pieces only where the template puts them, fitted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from sibu.core.errors import DataError, RecipeError, counted
from sibu.core.text import LEARNED, RAW, Prompt, Window
from sibu.modalities.text.chat import PLAIN, ChatFormat, Special, own_template

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from sibu.modalities.text._hf import Vocabulary

PRIVATE = range(0xE000, 0xF8FF)
"""Characters without a meaning of their own, which stand in for special pieces that a user typed."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of a rendered prompt."""

    text: str
    special: int | None
    """The number of a special piece; None: a text."""
    learned: bool


class PromptPreparer:
    """Makes windows of prompts.

    Args:
        folder: The model folder.
        vocabulary: Its tokenizer.
        max_length: Most pieces of prompt and answer together; of an encoder-decoder, of each.
        apart: Whether the answer goes to a decoder of its own, as in an encoder-decoder.
    """

    def __init__(self, folder: Path, vocabulary: Vocabulary, *, max_length: int, apart: bool) -> None:
        self.vocabulary = vocabulary
        self.max_length = max_length
        self.apart = apart
        self.special = Special.read(folder, vocabulary.tokenizer)
        self._own = own_template(folder)
        self._formats: dict[str | None, ChatFormat] = {}
        self._plain = _as_plain(vocabulary.tokenizer)
        names = sorted(self.special.ids, key=len, reverse=True)
        self._marks = re.compile("|".join(map(re.escape, names))) if names else None

    def format_of(self, template: str | None) -> ChatFormat:
        """The chat format of a template; None: the model's own, or a plain one where it has none."""
        if template not in self._formats:
            self._formats[template] = ChatFormat(template or self._own or PLAIN, self.special)
        return self._formats[template]

    @property
    def has_template(self) -> bool:
        """Whether the model brings a chat template of its own."""
        return self._own is not None

    def ends(self, template: str | None) -> list[int]:
        """The special pieces at which an answer ends."""
        if self.apart:
            behind = self.vocabulary.single[-1]
            return behind[-1:]
        last = self._parts(self.format_of(template).end, ())[-1].special
        own = self.special.ids.get(self.special.eos)
        return list(dict.fromkeys(number for number in (last, own) if number is not None))

    def windows(self, prompts: Sequence[Prompt]) -> list[Window]:
        """One window a prompt; what does not fit is cut, and the window says what."""
        return [self._fitted(prompt) for prompt in prompts]

    def _fitted(self, prompt: Prompt) -> Window:
        room = self.max_length if self.apart else self.max_length - prompt.room
        places = self.vocabulary.max_length
        if self.apart and places is not None and prompt.room > places:
            raise RecipeError(
                f"An answer may have {prompt.room} pieces, but the model's decoder has {places} places. "
                "Lower max_new_tokens."
            )
        if room < 8:
            raise RecipeError(
                f"An answer may have {prompt.room} pieces, but the model reads at most {self.max_length} with its "
                "prompt: nothing is left for the prompt. Lower max_new_tokens, or raise the modality's max_length."
            )
        messages, lost, cut = prompt.messages, [], 0
        ids, segments = self._read(messages, prompt)
        if len(ids) > room:
            full = len(ids)
            messages = self._recent(messages, prompt, room)
            ids, segments = self._read(messages, prompt)
            if (dropped := len(prompt.messages) - len(messages)) > 0:
                lost.append(f"the oldest {counted(dropped, 'turn')} of {len(prompt.messages)}")
            cuts = []
            while len(ids) > room:
                place = _longest(messages, prompt.kept)
                messages = self._shorter(messages, place, len(ids) - room, prompt.kept)
                cuts.append("system message" if messages[place][0] == "system" else "text")
                ids, segments = self._read(messages, prompt)
            lost += [f"the end of the {what}" for what in dict.fromkeys(cuts)]
            cut = full - len(ids)
        answer: list[int] = []
        if prompt.answer is not None:
            answer = self._answer(prompt)
            if len(answer) > prompt.room:
                lost.append(f"{counted(len(answer) - prompt.room, 'piece')} of the answer")
                cut += len(answer) - prompt.room
                answer = answer[: prompt.room]
        if not self.apart:
            ids, segments = ids + answer, segments + [LEARNED] * len(answer)
            answer = []
        blank = [0] * len(ids)
        return Window(ids, segments, blank, blank, [], cut=cut, answer=tuple(answer), lost=" and ".join(lost))

    def _recent(self, messages: tuple[tuple[str, str], ...], prompt: Prompt, room: int) -> tuple[tuple[str, str], ...]:
        """The turns less as many of the oldest as need be; the last question alone where it takes all."""
        steps = [messages]
        while (kept := _without_oldest(steps[-1])) is not None:
            steps.append(kept)
        low, high = 0, len(steps) - 1  # the first that fits: fewer turns are never longer
        while low < high:
            middle = (low + high) // 2
            if len(self._read(steps[middle], prompt, learn=False)[0]) > room:
                low = middle + 1
            else:
                high = middle
        return steps[low]

    def _shorter(
        self, messages: tuple[tuple[str, str], ...], place: int, over: int, kept: int
    ) -> tuple[tuple[str, str], ...]:
        """The turns with one text cut by ``over`` pieces at its end; of the last turn, before what is ``kept``."""
        role, text = messages[place]
        text, behind = _parted(text, kept if place == len(messages) - 1 else 0)
        pieces = self._plain.encode(text, add_special_tokens=False)
        keep = max(len(pieces.ids) - over, 0)
        end = pieces.offsets[keep - 1][1] if keep else 0
        if not text:
            raise RecipeError(
                f"The chat template alone has more pieces than the prompt may ({self.max_length}). "
                "Raise the modality's max_length, or lower max_new_tokens."
            )
        return (*messages[:place], (role, text[: min(end, len(text) - 1)] + behind), *messages[place + 1 :])

    def _read(
        self, messages: Sequence[tuple[str, str]], prompt: Prompt, *, learn: bool = True
    ) -> tuple[list[int], list[int]]:
        """The pieces of what is read before the answer, with their segments; ``learn``: with those to be learned."""
        if self.apart and not self.has_template and prompt.template is None:
            texts = "\n".join(text for _, text in messages)
            before, behind = self.vocabulary.single
            inner = self._pieces(texts)
            return [*before, *inner, *behind], [0] * len(before) + [1] * len(inner) + [0] * len(behind)
        form = self.format_of(prompt.template)
        safe, shown = _hidden([text for _, text in messages], self.special)
        turns = [(role, text) for (role, _), text in zip(messages, safe, strict=True)]
        try:
            text = form.render(turns, opens=True)
        except RecipeError as fault:  # it could be rendered with other turns, or there would be no format
            raise DataError(" ".join(str(fault).split())) from fault
        learn = learn and prompt.turns == "all" and not self.apart
        learned = list(_earlier(form, turns, text)) if learn else []
        ids: list[int] = []
        segments: list[int] = []
        if form.template in (PLAIN, RAW) and not self.apart:
            ids, segments = list(self.vocabulary.single[0]), [0] * len(self.vocabulary.single[0])
        for part in self._parts(text, learned):
            if part.special is not None:
                own = [part.special]
            else:
                own = self._pieces(_restored(part.text, shown))
            ids += own
            segments += [LEARNED if part.learned else 1 if part.special is None else 0] * len(own)
        return ids, segments

    def _answer(self, prompt: Prompt) -> list[int]:
        answer = prompt.answer or ""
        inner = self._pieces(answer)
        if self.apart:
            before, behind = self.vocabulary.single
            return [*before, *inner, *behind]
        for part in self._parts(self.format_of(prompt.template).end, ()):
            inner += self._pieces(part.text) if part.special is None else [part.special]
        return inner

    def _pieces(self, text: str) -> list[int]:
        """The pieces of a text; what looks like a special one is a text like any other."""
        return list(self._plain.encode(text, add_special_tokens=False).ids)

    def _parts(self, text: str, learned: Sequence[tuple[int, int]]) -> list[_Part]:
        """A rendered text, cut at special pieces and where stretches to be learned begin and end."""
        bounds = {0, len(text), *(place for stretch in learned for place in stretch)}
        marks = {match.start(): match for match in self._marks.finditer(text)} if self._marks else {}
        for match in marks.values():
            bounds |= {match.start(), match.end()}
        places = sorted(bounds)
        parts = []
        for start, end in pairwise(places):
            own = any(low <= start < high for low, high in learned)
            number = self.special.ids[marks[start].group()] if start in marks else None
            parts.append(_Part(text[start:end], number, own))
        return parts


def _as_plain(tokenizer: Tokenizer) -> Tokenizer:
    """A copy to which a special piece in a text is a text like any other."""
    from tokenizers import Tokenizer

    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.encode_special_tokens = True
    return copy


def _hidden(texts: Sequence[str], special: Special) -> tuple[list[str], dict[str, str]]:
    """Texts in which what looks like a special piece is a private character, and what each stands for."""
    found = sorted({name for name in special.ids for text in texts if name in text}, key=len, reverse=True)
    if not found:
        return list(texts), {}
    used = set().union(*texts)
    free = (chr(code) for code in PRIVATE if chr(code) not in used)
    shown = {}
    hidden = list(texts)
    for name in found:
        sign = next(free)
        shown[sign] = name
        hidden = [text.replace(name, sign) for text in hidden]
    return hidden, shown


def _restored(text: str, shown: dict[str, str]) -> str:
    for sign, name in shown.items():
        text = text.replace(sign, name)
    return text


def _earlier(form: ChatFormat, turns: Sequence[tuple[str, str]], text: str) -> Iterator[tuple[int, int]]:
    """The stretches of a rendered prompt that are the assistant's earlier answers, ends included.

    A template that changes earlier turns (some leave out what was thought) shows them nowhere: they are not learned.
    """
    for place, (role, said) in enumerate(turns):
        if role == "assistant":
            before = form.render(turns[:place], opens=True)
            own = before + said + form.end
            if text.startswith(own):
                yield len(before), len(own)


def _parted(text: str, kept: int) -> tuple[str, str]:
    """A text in two, the second of ``kept`` characters; where the first would be empty, all is the first."""
    return (text[:-kept], text[-kept:]) if 0 < kept < len(text) else (text, "")


def _longest(messages: Sequence[tuple[str, str]], kept: int) -> int:
    """The turn of which most may be cut."""
    own = [len(text) for _, text in messages[:-1]]
    own.append(len(_parted(messages[-1][1], kept)[0]))
    return own.index(max(own))


def _without_oldest(messages: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...] | None:
    """The turns without the oldest question and its answer; None where only the last is left."""
    first = 1 if messages and messages[0][0] == "system" else 0
    after = first + 1
    while after < len(messages) and messages[after][0] == "assistant":
        after += 1
    return (*messages[:first], *messages[after:]) if after < len(messages) else None
