"""Rows to prompts, the model's own answers to a loss, what was written to predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sibu.core.columns import Column
from sibu.core.example import Row, answers_of
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, Prompt, Window
from sibu.metrics.writing import Written
from sibu.tasks._ask import Asking, check_asked, check_fit, rewards
from sibu.tasks._written import TOKEN_FEATURES, limits, token_labels

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sibu.core.tensors import Output

SAMPLES = 20
"""Answers that the report shows."""
BESIDE = ("bleu", "chrf", "rouge1", "rouge2", "rougeL", "exact_match", "length_ratio")
"""Metrics that need right answers."""


class Reinforce:
    """See the door plate ``sibu.tasks.reinforce`` for the options."""

    writes = True
    group = 1
    compares = False
    columns = (
        Column("text", "text", "input", help="the text"),
        Column("messages", "messages", "input", help="the dialogue so far"),
        Column("target", "texts", "target", help="a right answer, for a reward that compares with it, and for metrics"),
    )
    needs = (("text", "messages"),)
    features = (*TOKEN_FEATURES, Feature("reward", "float32", "window"), Feature("reference", "float32", "window"))
    main_metric = "reward"
    unwritten: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    blank: Row | None = None

    def __init__(
        self,
        *,
        candidates: int,
        temperature: float,
        kl: float,
        asking: Asking,
        stops: tuple[str, ...],
        state: State | None,
    ) -> None:
        self.candidates = candidates
        self.temperature = temperature
        self.kl = kl
        self.asking = asking
        self.template, self.room = asking.template, asking.room
        self.stops = stops
        self.state: State = state or {}

    @property
    def metrics(self) -> tuple[str, ...]:
        """The reward; where every row has a right answer, what answers are beside these."""
        answered = self.state.get("answered", 0) == self.state.get("rows", -1)
        return ("reward", *(BESIDE if answered else ()), "repetition")

    def learn(self, rows: Iterable[Row]) -> None:
        """Count the rows, and those with a right answer."""
        count = answered = 0
        for row in rows:
            count += 1
            answered += bool(answers_of(row))
        self.state = {"rows": count, "answered": answered}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Empty texts, turns out of order, what does not fit."""
        yield from check_asked(row)
        yield from check_fit(windows)

    def inputs(self, row: Row) -> Sequence[Prompt]:
        """The prompt alone: answers are the model's own."""
        return [self.prompt(row)]

    def prompt(self, row: Row) -> Prompt:
        """What the model reads."""
        return self.asking.prompt(row, None)

    def answers(self, row: Row) -> list[str]:
        """The right answers of a row; none where nobody knows one."""
        return answers_of(row)

    def grammar(self, row: Row) -> None:  # noqa: ARG002
        """None of its own; the recipe's `constrain` may bound every answer."""
        return

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """Nothing: what is learned from is written at each step."""
        return {}

    def written(self, window: Window) -> Features:
        """The pieces of an answer that the model wrote, as the loss asks for them."""
        return token_labels(window)

    def head(self, width: int) -> nn.Module:  # noqa: ARG002
        """None of its own: the model's language head answers."""
        raise TypeError("a task that writes has no head of its own")

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """The policy gradient over the batch's answers."""
        from sibu.tasks.reinforce.loss import policy_loss

        return policy_loss(output.logits, targets, candidates=self.candidates, kl=self.kl)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:  # noqa: ARG002
        """What was written."""
        found = answers[0][0]
        return Prediction(found.text, evidence=() if found.text is None else limits(found, self.room))

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """Mean reward of what was written; what it is beside right answers, where every row has one."""
        golds = [answers_of(row) for row in rows]
        texts = [each.value for each in predictions]
        given = rewards(predictions)
        measure = Written(golds if all(golds) else None, texts, None, given)
        lowest = set() if given is None else set(given.argsort(kind="stable")[:SAMPLES].tolist())
        return Judged(measure, wrong=[place in lowest for place in range(len(texts))])
