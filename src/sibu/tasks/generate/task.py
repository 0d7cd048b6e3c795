"""Rows to prompts and answers, what was written to predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.example import Row, answers_of
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Evidence, Prediction
from sibu.core.text import Prompt, Window
from sibu.metrics.writing import Written
from sibu.tasks._ask import Asking, check_asked, check_fit, rewards
from sibu.tasks._examples import Examples, kept_of
from sibu.tasks._written import TOKEN_FEATURES, limits, token_labels, token_loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sibu.core.tensors import Output

LIKELIHOOD = "likelihood"
"""Kind of the evidence that holds how likely the right answer was: ``{"loss", "pieces"}``."""


class Generate:
    """See the door plate ``sibu.tasks.generate`` for the options."""

    writes = True
    group = 1
    compares = False
    candidates = 0
    choices: tuple[str, ...] = ()
    blank: Row | None = None
    columns = (
        Column("text", "text", "input", help="the text"),
        Column("messages", "messages", "input", help="the dialogue so far, or with its answer"),
        Column("target", "texts", "target", help="what is to be written, or several that are equally right"),
    )
    needs = (("text", "messages"),)
    features = TOKEN_FEATURES
    metrics = (
        "perplexity", "bleu", "chrf", "rouge1", "rouge2", "rougeL", "exact_match", "length_ratio", "repetition",
        "reward",
    )  # fmt: skip
    main_metric = "perplexity"
    unwritten = ("perplexity",)

    def __init__(
        self,
        *,
        asking: Asking,
        stops: tuple[str, ...],
        label_smoothing: float = 0.0,
        examples: int = 0,
        state: State | None,
    ) -> None:
        self.asking = asking
        self.shows = examples
        self.examples = Examples((state or {}).get("examples", ()) if examples else ())
        self.label_smoothing = label_smoothing
        self.template, self.room = asking.template, asking.room
        self.stops = stops
        self.state: State = state or {}

    def learn(self, rows: Iterable[Row]) -> None:
        """Nothing is learned from the rows at large; at least one must have an answer."""
        count = answered = 0
        for row in rows:
            count += 1
            answered += bool(answers_of(row))
        if count and not answered:
            raise DataError(
                f"None of the {count} training rows has an answer. Name its column under `fields` as `target`, "
                "or end `messages` with a turn of the assistant."
            )
        self.state = {"answered": answered}

    def remember(self, rows: Iterable[Row]) -> None:
        """Keep the training rows that have a text and an answer, to show some of them."""
        if self.shows:
            known = ((row["text"], answers) for row in rows if row.get("text") and (answers := answers_of(row)))
            self.examples = Examples(kept_of((text, answers[0]) for text, answers in known))
            self.state = self.state | {"examples": [list(each) for each in self.examples.kept]}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Empty texts and answers, turns out of order, what does not fit."""
        given = row.get("messages")
        yield from check_asked(row)
        for turn in self._unweighed(given or ()):
            what = f"turn {turn} has the weight 0, which is not read: it is learned like any other."
            yield "not read", "warning", what, "Remove the row, or say `turns: last` where the turn is not the last."
        answers = answers_of(row)
        if "target" in row and row["target"] is not None and any(not text.strip() for text in answers):
            yield "empty target", "error", "what is to be written is empty.", "Fill it in, or remove the row."
        if windows and not answers and (given is None or not any(turn["role"] == "assistant" for turn in given)):
            mend = "Fill in `target`, or remove the row."
            yield "no target", "error", "there is nothing to be written.", mend
        yield from check_fit(windows)

    def _unweighed(self, turns: Sequence[Mapping[str, Any]]) -> Iterator[int]:
        """The assistant's turns that are learned although the file says that they are not to be."""
        for place, turn in enumerate(turns):
            learned = self.asking.turns == "all" or place == len(turns) - 1
            if learned and turn["role"] == "assistant" and turn.get("weight") == 0:
                yield place

    def inputs(self, row: Row) -> Sequence[Prompt]:
        """The prompt, with the answer where the row has one."""
        answers = answers_of(row)
        return [self.asking.prompt(row, answers[0] if answers else None, self._shown(row))]

    def prompt(self, row: Row) -> Prompt:
        """What the model reads, without an answer."""
        return self.asking.prompt(row, None, self._shown(row))

    def _shown(self, row: Row) -> Sequence[tuple[str, str]]:
        return self.examples.near(row["text"], self.shows) if self.shows and row.get("messages") is None else ()

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """At each place the piece that is to follow it, where it is one to be learned."""
        return token_labels(window) if gold else {}

    def head(self, width: int) -> nn.Module:  # noqa: ARG002
        """None of its own: the model's language head answers."""
        raise TypeError("a task that writes has no head of its own")

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy of the pieces to be learned, mean over the batch's."""
        return token_loss(output, targets, smoothing=self.label_smoothing)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:  # noqa: ARG002
        """What was written; how likely the right answer was goes with it where that is known."""
        found = answers[0][0]
        evidence = () if found.text is None else limits(found, self.room)
        if found.logits.size:
            loss, pieces = found.logits.tolist()
            evidence = (Evidence(LIKELIHOOD, {"loss": loss, "pieces": int(pieces)}), *evidence)
        return Prediction(found.text, evidence=evidence)

    def answers(self, row: Row) -> list[str]:
        """The right answers of a row; none where nobody knows one."""
        return answers_of(row)

    def grammar(self, row: Row) -> None:  # noqa: ARG002
        """None of its own; the recipe's `constrain` may bound every answer."""
        return

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """Perplexity of the right answers; where texts were written also BLEU, chrF, ROUGE and the others."""
        golds = [answers_of(row) for row in rows]
        losses = np.array(
            [(e.content["loss"], e.content["pieces"]) for p in predictions for e in p.evidence if e.kind == LIKELIHOOD],
            np.float64,
        ).reshape(-1, 2)
        texts = [each.value for each in predictions]
        written = all(text is not None for text in texts)
        measure = Written(golds, texts if written else None, losses if len(losses) else None, rewards(predictions))
        if not written:
            return Judged(measure)
        return Judged(measure, wrong=[not exact for exact in measure.exact])
