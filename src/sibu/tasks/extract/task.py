"""Questions and texts to begin and end places, scores to answers, answers to metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.example import Row, nearest
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, TextInput, Window
from sibu.metrics.squad import Answers
from sibu.tasks._mean import mean_of_logs, stacked

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.tensors import Output
    from sibu.nn.heads import TokenHead


UNTOLD = (-100, -100)
"""Places of a window that teaches nothing."""


class Extract:
    """See the door plate ``sibu.tasks.extract`` for the options."""

    writes = False
    columns = (
        Column("question", "text", "input", help="the question"),
        Column("context", "text", "input", help="the text that may hold its answer"),
        Column("answers", "answers", "target", help="[{text, start}], characters of the context; none: no answer"),
    )
    needs = (("question",), ("context",), ("answers",))
    features = (Feature("places", "int64", "window"), Feature("context", "int64", "token"))
    metrics = ("exact_match", "f1", "has_answer_f1", "no_answer_accuracy")
    main_metric = "f1"

    def __init__(
        self,
        *,
        no_answer: bool | None,
        no_answer_margin: float,
        longest_answer: int,
        language: Literal["auto", "en", "zh"],
        dropout: float,
        state: State | None,
    ) -> None:
        self.no_answer = no_answer
        self.no_answer_margin = no_answer_margin
        self.longest_answer = longest_answer
        self.language = language
        self.dropout = dropout
        self.state: State = state or {}

    def learn(self, rows: Iterable[Row]) -> None:
        """Settle whether questions may have no answer."""
        total = without = 0
        for row in rows:
            total += 1
            without += not row["answers"]
        if total == without:
            raise DataError("No training question has an answer. Add some, or look at the column of `answers`.")
        may = without > 0 if self.no_answer is None else self.no_answer
        if without and not may:
            raise DataError(f"{without} training questions have no answer but the task says no_answer: false.")
        self.state = {"no_answer": may, "questions": total, "without_answer": without}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Empty questions and texts; answers that do not stand where they are said to, or in no window as a whole."""
        if not row["context"].strip():
            yield "empty input", "error", "the context is empty.", "Remove the row or fill it in."
        if not row["question"].strip():
            mend = "Fill it in. The answer is sought all the same: the row counts."
            yield "empty question", "warning", "the question is empty.", mend
        context = row["context"]
        for answer in row.get("answers") or []:
            text, start = answer["text"], answer["start"]
            if not text.strip():
                yield "empty answer", "error", "an answer is empty.", "Give no answer (an empty list) or its text."
            elif context[start : start + len(text)] != text:
                place = nearest(context, text, start)
                message = f"the answer {text!r} has no place (`start` is -1)"
                if start >= 0:
                    stands = context[start : start + len(text)]
                    message = f"the answer {text!r} is not at character {start}, where {stands!r} stands"
                if place is None:
                    mend = "The text does not hold it anywhere: mend it or remove the answer."
                    yield "answer not in text", "warning", f"{message}.", f"{mend} It is not learned from."
                else:
                    mend = f"It stands at {place}; that place is learned. Mend `start`."
                    yield "answer misplaced", "warning", f"{message}.", mend
        held = [a["text"] for a in row.get("answers") or [] if a["text"].strip() and a["text"] in context]
        if held and windows and all(self._places(row, window) in ((0, 0), UNTOLD) for window in windows[0]):
            message = f"the answer {held[0]!r} is whole in none of the text's windows ({len(windows[0])})."
            mend = "Shorten it, or raise the text modality's `overlap` above its pieces. It is not learned from."
            yield "answer in no window", "warning", message, mend

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The question with the text, over which windows slide."""
        return [TextInput(row["question"], pair=row["context"], places="units", fit="slide", split_characters=True)]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """Which pieces are the text's; the first and last piece of the answer, 0 and 0 where the window has none.

        A window that holds a part of the answer alone, or whose text does not hold what was given as its answer, says
        nothing of where it is nor that there is none: its places are -100, which the loss leaves out.
        """
        features: dict[str, np.ndarray] = {
            "context": np.asarray([int(s == 2) for s in window.segments], dtype=np.int64)
        }
        if gold:
            features["places"] = np.asarray(self._places(row, window), dtype=np.int64)
        return features

    def _places(self, row: Row, window: Window) -> tuple[int, int]:
        answers = row.get("answers") or []
        found = [nearest(row["context"], answer["text"], answer["start"]) for answer in answers]
        nothing = (0, 0) if not answers or any(place is not None for place in found) else UNTOLD
        for answer, start in zip(answers, found, strict=True):
            if start is None:
                continue
            end = start + len(answer["text"].rstrip())
            start = end - len(answer["text"].strip())  # no piece begins with a blank
            inside = [place for place, (_, begin, stop, _) in enumerate(window.places) if begin < end and stop > start]
            if inside and _whole(window, inside[0], inside[-1], start, end):
                return window.places[inside[0]][3], _last_piece(window, inside[-1])
            if inside:
                nothing = UNTOLD
        return nothing

    def head(self, width: int) -> TokenHead:
        """Two scores a piece."""
        from sibu.nn.heads import TokenHead

        return TokenHead(width=width, outputs=2, dropout=self.dropout)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Mean cross entropy of begin and end over the pieces of the text and the first piece (no answer)."""
        import torch
        import torch.nn.functional as F

        allowed = targets["context"].bool()
        allowed[:, 0] = True
        logits = output.logits.masked_fill(~allowed.unsqueeze(-1), torch.finfo(output.logits.dtype).min)
        begin, end = logits.unbind(-1)
        places = targets["places"]
        told = (places[:, 0] >= 0).sum().clamp(min=1)  # none in the whole batch: a loss of zero, not of 0 / 0
        return sum(
            F.cross_entropy(each, places[:, side], reduction="sum") for side, each in enumerate((begin, end))
        ) / (2 * told)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """The best stretch over all windows; none where 'no answer' scores better and questions may have none.

        'No answer' is the lowest over the windows: one window that holds the answer is enough.
        """
        best: tuple[float, int, int] | None = None
        nothing = np.inf
        for output in answers[0]:
            logits = output.logits.astype(np.float64)
            nothing = min(nothing, float(logits[0].sum()))
            found = _best_stretch(output.window, logits, self.longest_answer)
            if found is not None and (best is None or found[0] > best[0]):
                best = found
        if best is None:
            return Prediction(None)
        score, start, end = best
        chance = 1 / (1 + np.exp(np.clip(nothing - score, -60, 60)))
        if self.state["no_answer"] and nothing - score > self.no_answer_margin:
            return Prediction(None, round(float(1 - chance), 6))
        value: dict[str, Any] = {"text": row["context"][start:end], "start": start, "end": end}
        return Prediction(value, round(float(chance), 6))

    def combine(self, said: Sequence[WindowOutput]) -> WindowOutput:
        """The mean of the probabilities of a window's begins, and of its ends, over what may be one.

        The scale of a window's scores, by which windows are held against each other, is the mean of the models' scales.
        """
        logits = stacked(said)
        allowed = np.array([segment == 2 for segment in said[0].window.segments])
        allowed[0] = True
        scale = np.logaddexp.reduce(logits[:, allowed], axis=1, keepdims=True)
        return replace(said[0], logits=mean_of_logs(logits - scale) + scale.mean(0))

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """Exact match and F1 as SQuAD (English) or CMRC (Chinese) count them."""
        golds = [[answer["text"] for answer in row.get("answers") or []] for row in rows]
        guesses = [None if prediction.value is None else prediction.value["text"] for prediction in predictions]
        measure = Answers(golds, guesses, self.language)
        return Judged(measure, {}, [bool(each < 1) for each in measure.exact_match])


def _whole(window: Window, first: int, last: int, start: int, end: int) -> bool:
    """Whether a window has all words of a stretch, of which it has those from ``first`` to ``last``.

    Characters that the tokenizer drops belong to no word: what stands beside another word of the window is whole.
    """
    places = window.places
    begins = first > 0 or places[0][0] == 0 or places[0][1] <= start
    return begins and (last + 1 < len(places) or places[last][2] >= end)


def _last_piece(window: Window, place: int) -> int:
    """The last piece of a word; behind it may stand the piece of a space alone."""
    _, _, end, first = window.places[place]
    stop = window.places[place + 1][3] if place + 1 < len(window.places) else len(window.segments)
    return max(p for p in range(first, stop) if window.segments[p] == 2 and window.starts[p] < end)


def _best_stretch(window: Window, logits: np.ndarray, longest: int) -> tuple[float, int, int] | None:
    """The begin and end of the highest sum, at the edges of words: score, first and last character (exclusive)."""
    if not window.places:
        return None
    firsts = np.array([piece for *_, piece in window.places])
    lasts = np.array([_last_piece(window, place) for place in range(len(firsts))])
    sums = logits[firsts, 0][:, None] + logits[lasts, 1][None, :]
    distance = lasts[None, :] - firsts[:, None]
    sums[(distance < 0) | (distance >= longest)] = -np.inf
    begin, end = (int(place) for place in np.unravel_index(int(sums.argmax()), sums.shape))
    if not np.isfinite(sums[begin, end]):
        return None
    return float(sums[begin, end]), window.places[begin][1], window.places[end][2]
