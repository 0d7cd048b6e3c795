"""Tasks with labels answered in words: by the language head of a model that writes, bound to what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import BeforeValidator, NonNegativeInt, PositiveInt

from sibu.catalog import Spec
from sibu.core.errors import Unsupported
from sibu.core.example import Row
from sibu.core.grammar import Grammar
from sibu.core.protocols import Features, Found, State, Task, WindowOutput
from sibu.core.result import Evidence, Prediction
from sibu.core.text import LEARNED, Feature, Prompt, Window
from sibu.tasks._ask import check_fit
from sibu.tasks._examples import Examples, kept_of
from sibu.tasks._inner import Answered

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sibu.core.tensors import Output

IGNORED = -100
"""The label of a place at which nothing is learned."""
LIMIT = "limit"
"""Kind of the evidence that an answer came to its limit before its end."""
NOTHING = "none"
"""What is written where nothing is to be found."""


class WrittenSpec(Spec):
    """How a task is answered in words."""

    instruction: str | None = None
    """What is asked of the model before each text; null: a sentence that names the labels and the form."""
    system: str | None = None
    """What the model is told about its part first."""
    template: str | None = None
    """A chat template (Jinja); null: the model's own."""
    max_new_tokens: PositiveInt = 96
    """Most pieces of an answer."""
    examples: NonNegativeInt = 0
    """Training rows that are shown with their answers before each text, as turns of a dialogue: those most like it."""


def spelled_out(given: Any) -> Any:
    """`true` as a block of defaults, `false` as null."""
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        raise ValueError("must be true, false or a mapping (`key: value`)")
    return {} if given is True else None if given is False else given


AsWritten = Annotated[WrittenSpec | None, BeforeValidator(spelled_out)]
"""``true``, or a block of options; null or ``false``: by a head of its own."""


class Script(Protocol):
    """How one task type's answers are written and read."""

    def instruction(self) -> str:
        """What is asked, in words."""
        ...

    def question(self, row: Row) -> str:
        """The row as the model reads it."""
        ...

    def behind(self, row: Row) -> str:
        """What of the question stands at its end and must be read, however long what is before it is."""
        ...

    def answer(self, row: Row) -> str:
        """The right answer as it is written."""
        ...

    def grammar(self, row: Row) -> Grammar:
        """Every answer that is allowed for this row."""
        ...

    def read(self, row: Row, text: str) -> Any:
        """What was written as the task's own value."""
        ...


def token_labels(window: Window) -> Features:
    """At each place the piece that is to follow it, where it is one to be learned; or the decoder's own pieces."""
    import numpy as np

    if window.answer:
        return {"answer": np.asarray(window.answer, np.int64)}
    ids, learned = np.asarray(window.input_ids), np.asarray(window.segments) == LEARNED
    labels = np.full(len(ids), IGNORED, np.int64)
    labels[:-1][learned[1:]] = ids[1:][learned[1:]]
    return {"labels": labels}


TOKEN_FEATURES = (Feature("labels", "int64", "token", IGNORED), Feature("answer", "int64", "answer", IGNORED))
"""What ``token_labels`` gives."""


def token_loss(output: Output, targets: Mapping[str, Tensor], *, smoothing: float = 0.0) -> Tensor:
    """Cross entropy of the pieces to be learned, mean over the batch's; ``smoothing``: the share for all pieces."""
    import torch.nn.functional as F

    labels = targets["answer"] if "answer" in targets else targets["labels"]
    return F.cross_entropy(output.logits.float(), labels[labels != IGNORED], label_smoothing=smoothing)


def limits(found: WindowOutput, room: int) -> tuple[Evidence, ...]:
    """The evidence of an answer that came to its limit."""
    return () if found.finished else (Evidence(LIMIT, room),)


class WrittenTask(Answered):
    """A task whose answers are written.

    Where its script has ``choices``, they are weighed by their likelihood instead, if the options say so.

    Args:
        inner: The task as its own head would answer it: its columns, checks and metrics hold.
        script: How its answers are written and read.
        spec: The options.
    """

    writes = True
    group = 1
    compares = False
    candidates = 0
    choices: tuple[str, ...] = ()
    blank: Row | None = None
    unwritten: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    features = TOKEN_FEATURES

    def __init__(self, inner: Task, script: Script, spec: WrittenSpec) -> None:
        super().__init__(inner)
        self.inner: Task = inner
        self.script = script
        self.spec = spec
        self.columns, self.needs = inner.columns, inner.needs
        self.room, self.template = spec.max_new_tokens, spec.template
        self.examples = Examples((inner.state or {}).get("examples", ()) if spec.examples else ())

    @property
    def state(self) -> State:
        """What the task learned from its training rows, and the examples that it shows."""
        own = dict(self.inner.state)
        if self.spec.examples:
            own["examples"] = [list(each) for each in self.examples.kept]
        return own

    def learn(self, rows: Iterable[Row]) -> None:
        """As the task itself does."""
        self.inner.learn(rows)

    def remember(self, rows: Iterable[Row]) -> None:
        """Keep the training rows to show some of them."""
        if self.spec.examples:
            self.examples = Examples(kept_of((self.script.question(row), self.script.answer(row)) for row in rows))

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """As the task itself does, but for places in a window; and what does not fit."""
        yield from self.inner.check(row, ())
        yield from check_fit(windows)

    def inputs(self, row: Row) -> Sequence[Prompt]:
        """The prompt, with the answer where the row has one."""
        targets = [column.name for column in self.columns if column.role == "target"]
        has = any(row.get(name) is not None for name in targets)
        return [self._prompt(row, self.script.answer(row) if has else None)]

    def prompt(self, row: Row) -> Prompt:
        """What the model reads, without an answer."""
        return self._prompt(row, None)

    def _prompt(self, row: Row, answer: str | None) -> Prompt:
        asked = self.script.instruction() if self.spec.instruction is None else self.spec.instruction
        question = self.script.question(row)
        turns = [] if self.spec.system is None else [("system", self.spec.system)]
        for other, known in self.examples.near(question, self.spec.examples):
            turns += [("user", _joined(asked, other)), ("assistant", known)]
        turns.append(("user", _joined(asked, question)))
        kept = len(self.script.behind(row))
        return Prompt(tuple(turns), answer, self.spec.template, self.room, kept=kept)

    def grammar(self, row: Row) -> Grammar:
        """Every answer that is allowed for this row."""
        return self.script.grammar(row)

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """The pieces of the answer."""
        return token_labels(window) if gold else {}

    def head(self, width: int) -> nn.Module:  # noqa: ARG002
        """None of its own: the model's language head answers."""
        raise Unsupported("a task that is written has no head of its own")

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy of the answers' pieces."""
        return token_loss(output, targets)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """What was written as the task's own value."""
        found = answers[0][0]
        return Prediction(self.script.read(row, found.text or ""), evidence=limits(found, self.room))


def _joined(asked: str, question: str) -> str:
    return "\n\n".join(part for part in (asked, question) if part)


def find_parts(text: str, parts: Iterable[str]) -> Iterator[tuple[int, int] | None]:
    """Where parts stand in a text: each behind the last of its kind, else anywhere; None for what stands nowhere."""
    behind: dict[str, int] = {}
    for part in parts:
        place = text.find(part, behind.get(part, 0))
        if place < 0:
            place = text.find(part)
        if place < 0 or not part:
            yield None
            continue
        behind[part] = place + len(part)
        yield place, place + len(part)


__all__ = ["TOKEN_FEATURES", "AsWritten", "Script", "WrittenSpec", "WrittenTask", "find_parts", "spelled_out"]
