"""Rows with two answers to pairs, what was written to predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.columns import Column
from sibu.core.example import Row
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Evidence, Prediction
from sibu.core.text import Feature, Prompt, Window
from sibu.metrics.preference import Preferred
from sibu.tasks._ask import Asking, check_asked, check_fit
from sibu.tasks._written import TOKEN_FEATURES, limits, token_labels

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sibu.core.tensors import Output

LIKELIHOOD = "likelihood"
"""Kind of the evidence that holds how likely both answers were: ``{"loss", "pieces"}`` of each."""


class Prefer:
    """See the door plate ``sibu.tasks.prefer`` for the options."""

    writes = True
    columns = (
        Column("text", "text", "input", help="the text"),
        Column("messages", "messages", "input", help="the dialogue so far"),
        Column("chosen", "text", "target", help="the better answer"),
        Column("rejected", "text", "target", help="the worse answer"),
    )
    needs = (("text", "messages"), ("chosen",), ("rejected",))
    features = (*TOKEN_FEATURES, Feature("reference", "float32", "window"))
    metrics = ("accuracy", "margin", "perplexity")
    main_metric = "accuracy"
    unwritten = metrics
    candidates = 0
    choices: tuple[str, ...] = ()
    blank: Row | None = None
    group = 2
    """Records that belong together: a chosen answer and its rejected one."""

    def __init__(
        self,
        *,
        loss: str,
        beta: float,
        gamma: float,
        write_weight: float,
        label_smoothing: float,
        asking: Asking,
        stops: tuple[str, ...],
        state: State | None,
    ) -> None:
        self.kind = loss
        self._weights = {"beta": beta, "gamma": gamma, "write_weight": write_weight, "label_smoothing": label_smoothing}
        self.asking = asking
        self.template, self.room = asking.template, asking.room
        self.stops = stops
        self.state: State = state or {}

    @property
    def compares(self) -> bool:
        """Whether the loss asks for the log probabilities of the model as it was."""
        return self.kind in ("dpo", "ipo")

    def learn(self, rows: Iterable[Row]) -> None:
        """Count the pairs."""
        self.state = {"pairs": sum(1 for _ in rows)}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Empty texts and answers, equal pairs, turns out of order, what does not fit."""
        yield from check_asked(row, answered=("chosen",))
        for name in ("chosen", "rejected"):
            if row.get(name) is not None and not row[name].strip():
                yield "empty target", "error", f"the {name} answer is empty.", "Fill it in, or remove the row."
        if row.get("chosen") is not None and row.get("rejected") is not None:
            one, other = (" ".join(row[name].split()) for name in ("chosen", "rejected"))
            if one == other:
                yield "equal pair", "error", "the chosen and the rejected answer are the same.", "Remove the row."
        yield from check_fit(windows)

    def inputs(self, row: Row) -> Sequence[Prompt]:
        """The prompt with the chosen answer, and with the rejected one; the prompt alone where there is none."""
        if row.get("chosen") is None or row.get("rejected") is None:
            return [self.prompt(row)]
        return [self.asking.prompt(row, row[name]) for name in ("chosen", "rejected")]

    def prompt(self, row: Row) -> Prompt:
        """What the model reads, without an answer."""
        return self.asking.prompt(row, None)

    def grammar(self, row: Row) -> None:  # noqa: ARG002
        """None of its own; the recipe's `constrain` may bound every answer."""
        return

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """The pieces of the answer."""
        return token_labels(window) if gold else {}

    def head(self, width: int) -> nn.Module:  # noqa: ARG002
        """None of its own: the model's language head answers."""
        raise TypeError("a task that writes has no head of its own")

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """The preference loss over the batch's pairs."""
        from sibu.tasks.prefer.loss import preference_loss

        return preference_loss(output.logits, targets, kind=self.kind, **self._weights)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:  # noqa: ARG002
        """What was written; how likely both answers were goes with it where that is known."""
        first = answers[0][0]
        evidence = () if first.text is None else limits(first, self.room)
        if first.logits.size:
            known = [{"loss": float(o[0].logits[0]), "pieces": int(o[0].logits[1])} for o in answers]
            evidence = (Evidence(LIKELIHOOD, known), *evidence)
        return Prediction(first.text, evidence=evidence)

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:  # noqa: ARG002
        """How often the chosen answer is likelier by piece than the rejected one, by how much, and its perplexity."""
        known = [e.content for p in predictions for e in p.evidence if e.kind == LIKELIHOOD]
        losses = np.array([[(c["loss"], c["pieces"]) for c in both] for both in known], np.float64)
        measure = Preferred(losses)
        return Judged(measure, {}, [bool(each) for each in measure.margins <= 0])
