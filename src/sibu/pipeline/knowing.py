"""The text modality of a run with knowledge: what is known of a text goes along with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from sibu.core.example import Row
from sibu.core.knowing import Told
from sibu.core.protocols import Features, Modality
from sibu.core.result import Evidence, Prediction
from sibu.core.text import AnyInput, Feature, Match, Pieces, Prompt, TextInput, Window
from sibu.pipeline.known import Known
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.core.knowing import LabelKnowledge
    from sibu.core.protocols import Task

OPENINGS = {"en": ("Known: ", "; ", "."), "zh": ("已知：", "；", "。")}
"""What stands before facts, between two and behind the last."""
KEPT = 50_000
"""Texts whose names are remembered."""


class KnowingText:
    """A preparer of texts with knowledge: numbers of pieces and facts in words beside what it gives by itself.

    Args:
        inner: The preparer of the model.
        known: The knowledge.
    """

    def __init__(self, inner: Modality, known: Known) -> None:
        self._inner: Any = inner
        self.known = known
        own = [part.feature for part in known.pieces.values()]
        self.features: tuple[Feature, ...] = (*inner.features, *own)
        self.max_length, self.unknown = inner.max_length, inner.unknown
        self.key = hash_json([inner.key, known.key, sorted(known.pieces)]) if known.key else inner.key
        self.tasks: Mapping[str, Task] = {}
        """The tasks, once they know their labels: for rules over several of them."""
        self._found = lru_cache(maxsize=KEPT)(self._seek)
        self._facts = lru_cache(maxsize=KEPT)(self._choose)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def pieces(self) -> Pieces | None:
        """As the model's own preparer has them."""
        found: Pieces | None = self._inner.pieces
        return found

    @property
    def enforced(self) -> LabelKnowledge | None:
        """The rules that predictions keep to; None: there are none."""
        return self.known.rules if self.known.enforced else None

    def prepare(self, inputs: Sequence[AnyInput]) -> list[list[Window]]:
        """The windows of each input, with the facts that are read beside it."""
        found: list[list[Window]] = self._inner.prepare([self._beside(each) for each in inputs])
        return found

    def arrays(self, window: Window, source: AnyInput) -> Features:
        """The model's arrays, and what is known of the window's pieces."""
        source = self._beside(source)
        own: dict[str, Any] = dict(self._inner.arrays(window, source))
        if self.known.pieces and isinstance(source, TextInput):
            found = [self._found(text) for text in source.texts()]
            for part in self.known.pieces.values():
                own[part.feature.name] = part.numbers(window, found)
        return own

    def _seek(self, text: str) -> tuple[Match, ...]:
        return () if self.known.lexicon is None else tuple(self.known.lexicon.every(text))

    def names_in(self, text: str) -> tuple[Match, ...]:
        """Where known names stand in a text."""
        found: tuple[Match, ...] = self._found(text)
        return found

    # ---- facts -----------------------------------------------------------------------------------------------------

    def _beside(self, source: AnyInput) -> AnyInput:
        """The input with its facts: where they stand no place of the task's moves."""
        facts = self.facts_of(source)
        if not facts:
            return source
        said = _said(facts, _asked(source))
        if isinstance(source, Prompt):
            *before, (who, last) = source.messages
            return replace(source, messages=(*before, (who, f"{said}\n\n{last}")))
        if source.pair is None:
            return replace(source, pair=said)
        if source.places == "none":
            return replace(source, pair=f"{source.pair}\n{said}")
        return replace(source, text=f"{source.text}\n{said}")

    def facts_of(self, source: AnyInput) -> tuple[Told, ...]:
        """The facts that are read beside an input, within the budget."""
        if self.known.context is None:
            return ()
        if isinstance(source, Prompt):
            return self._facts(_asked(source), ()) if source.messages else ()
        if source.pair is None and source.places != "none":
            return ()  # where stretches of a text alone are sought, facts have no place
        return self._facts(source.text, () if source.pair is None else (source.pair,))

    def _choose(self, text: str, more: tuple[str, ...]) -> tuple[Told, ...]:
        context = self.known.context
        if context is None:
            return ()
        found, start = [], 0  # as if the texts stood one behind the other
        for each in (text, *more):
            found += [replace(match, start=match.start + start, end=match.end + start) for match in self._found(each)]
            start += len(each) + 1
        kept: list[Told] = []
        for told in context.about(found, text):
            if self._pieces([*kept, told], text) > context.budget:
                break
            kept.append(told)
        return tuple(kept)

    def _pieces(self, facts: Sequence[Told], text: str) -> int:
        encoded = self._inner.vocabulary.tokenizer.encode(_said(facts, text), add_special_tokens=False)
        return len(encoded.ids)

    def with_facts(self, answer: Prediction, inputs: Sequence[AnyInput]) -> Prediction:
        """A prediction with the facts that were read, as evidence."""
        told = dict.fromkeys(each.words for source in inputs for each in self.facts_of(source))
        facts = {each.words: each.fact for source in inputs for each in self.facts_of(source)}
        own = tuple(Evidence("fact", facts[words]) for words in told)
        return replace(answer, evidence=(*answer.evidence, *own)) if own else answer


LOOKED_AT = 1000
"""Training rows of a task in which names are counted."""


def share_named(text: KnowingText, task: Task, rows: Iterable[Row]) -> float | None:
    """The share of some rows' texts in which a known name stands; None where there is no text."""
    inputs = [each for row in islice(rows, LOOKED_AT) for each in task.inputs(row)]
    return (
        sum(any(text.names_in(each) for each in source.texts()) for source in inputs) / len(inputs) if inputs else None
    )


def knowing(text: Modality, known: Known | None) -> Any:
    """The preparer with knowledge; without any as it is."""
    return text if known is None else KnowingText(text, known)


def _asked(source: AnyInput) -> str:
    """What is read or asked: of turns the last."""
    return source.messages[-1][1] if isinstance(source, Prompt) else source.text


def _said(facts: Sequence[Told], text: str) -> str:
    from sibu.knowledge.facts.context import language_of

    opening, between, end = OPENINGS[language_of(text)]
    return opening + between.join(each.words for each in facts) + end
