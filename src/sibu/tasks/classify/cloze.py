"""Labels by a blank: which label's word a masked language model puts into a pattern around the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.errors import DataError, Fault, RecipeError
from sibu.core.example import Row, as_names
from sibu.core.protocols import Features, Found, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, Pieces, TextInput, Window
from sibu.tasks._inner import Answered
from sibu.tasks.classify.task import no_labels

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sibu.core.tensors import Output
    from sibu.tasks.classify import ClozeSpec
    from sibu.tasks.classify.task import Classify

BLANK = "{mask}"
PLACES = re.compile(r"(\{text\}|\{text_pair\})")


class Cloze(Answered):
    """Each label has a word, and the text a sentence with a blank for it.

    Args:
        inner: The task as a head of its own would answer it: its labels, loss, checks and metrics hold.
        spec: The options.
    """

    writes = False
    fills = True
    needs = (("text",), ("label",))

    def __init__(self, inner: Classify, spec: ClozeSpec) -> None:
        super().__init__(inner)
        self.inner: Classify = inner
        self.spec = spec
        self.columns = inner.columns
        self.pieces: Pieces | None = None
        """What the model's vocabulary has; told before anything is encoded."""
        self._table: np.ndarray | None = None
        self._before, behind = spec.pattern.split(BLANK)
        self._parts = [PLACES.split(part) for part in (self._before, behind)]
        if inner.state:
            self._require_one()

    @property
    def state(self) -> State:
        """The labels."""
        return self.inner.state

    @property
    def features(self) -> tuple[Feature, ...]:
        """The class number, and which blank each piece is: 0 is none."""
        return (*self.inner.features, Feature("blank", "int64", "token"))

    def learn(self, rows: Iterable[Row]) -> None:
        """The labels, as the task itself does; an input has one.

        Raises:
            RecipeError: When the pattern or the words do not suit them.
            DataError: When inputs have several.
        """
        self.inner.learn(rows)
        self._require_one()
        self._table = None
        if wrong := [*self._pattern_faults(), *self._word_faults()]:
            raise RecipeError(wrong)

    def _pattern_faults(self) -> Iterator[Fault]:
        """A pattern for pairs where there are none, or one for single texts where there are."""
        has, shows = self.state["pairs"] in ("all", "some"), "{text_pair}" in self.spec.pattern
        if self.state["pairs"] is not None and has != shows:
            what = "rows are pairs, and the pattern shows no `{text_pair}`." if has else "rows are no pairs."
            mend = "Put it into the pattern." if has else "Take `{text_pair}` out of the pattern."
            yield Fault("cloze.pattern", what, mend)

    def _word_faults(self) -> Iterator[Fault]:
        """Words of what is no label, that the vocabulary cannot spell, or by which labels cannot be told apart."""
        where = "cloze.words"
        yield from no_labels(where, self.spec.words, self.state["labels"])
        if self.pieces is None:
            return
        said = self._said()
        known = set(self.pieces.plain.tolist())
        strange = [word for word, own in said if not own or not known.issuperset(own)]
        if strange:
            what = f"the model has no pieces for the words of the blank {as_names(strange)}."
            yield Fault(where, what, "Give others.")
        elif len({own for _, own in said}) < len(said):
            what = f"two labels have the same word for the blank: {as_names([word for word, _ in said])}."
            yield Fault(where, what, "Give each its own.")

    def _said(self) -> list[tuple[str, tuple[int, ...]]]:
        """Each label's word, and its pieces."""
        if self.pieces is None:
            raise ValueError("the task does not know the model's pieces")
        described = zip(self.inner.labels, self.inner.words, strict=True)
        words = [self.spec.words.get(name, own[0]) for name, own in described]
        space = " " if self._before.endswith(" ") else ""
        return [(word, tuple(self.pieces.encode(space + word))) for word in words]

    def _require_one(self) -> None:
        if self.state.get("multi_label"):
            raise DataError("`cloze` tells one label, and inputs have several. Leave it out, or give each one label.")

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """As the task itself does; a pattern that shows a second text where there is none, or leaves one out."""
        yield from self.inner.check(row, windows)
        shows, has = "{text_pair}" in self.spec.pattern, bool((row.get("text_pair") or "").strip())
        if shows and not has and self.state.get("pairs") is None:
            yield "missing pair", "error", "the pattern shows a `text_pair`, and there is none.", "Give it."
        elif has and not shows:
            message = "there is a `text_pair`, and the pattern leaves it out."
            yield "pair not learned", "warning", message, "Put `{text_pair}` into `cloze.pattern`."

    def blanks(self) -> np.ndarray:
        """The pieces of each label's word, -1 behind them. Shape ``(C, K)``."""
        if self._table is not None:
            return self._table
        found = [own for _, own in self._said()]
        table = np.full((len(found), max(map(len, found))), -1, np.int64)
        for number, own in enumerate(found):
            table[number, : len(own)] = own
        self._table = table
        return table

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The pattern around the text, its blanks to be found again and never cut off."""
        said: dict[str, str] = {"{text}": row["text"], "{text_pair}": row.get("text_pair") or ""}
        filled = ["".join(said.get(str(each), str(each)) for each in part) for part in self._parts]
        mark = self.pieces.mask_text if self.pieces is not None else ""
        blanks = self.blanks().shape[1] if self.pieces is not None else 1
        begin = len(filled[0])
        places = tuple((begin + number * len(mark), begin + (number + 1) * len(mark)) for number in range(blanks))
        return [TextInput(filled[0] + mark * blanks + filled[1], places=places, fit="around")]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:
        """The class number, and the number of the blank (from 1) at its piece."""
        blank = np.zeros(len(window.input_ids), np.int64)
        for place, _, _, piece in window.places:
            blank[piece] = place + 1
        return dict(self.inner.targets(row, number, window, gold=gold)) | {"blank": blank}

    def head(self, width: int) -> nn.Module:  # noqa: ARG002
        """None of its own: the model's masked-language head answers."""
        raise TypeError("a task that fills in has no head of its own")

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy over the labels."""
        return self.inner.loss(output, targets)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """The label whose word is the likeliest."""
        return self.inner.decode(row, answers)

    def chances(self, answers: Sequence[Sequence[WindowOutput]]) -> np.ndarray:
        """As of the task itself."""
        return self.inner.chances(answers)
