"""Labels written out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sibu.core.errors import DataError
from sibu.core.example import Row, is_cjk
from sibu.core.grammar import Grammar, either
from sibu.core.protocols import WindowOutput
from sibu.core.result import Prediction
from sibu.tasks._written import NOTHING, WrittenTask

if TYPE_CHECKING:
    from sibu.tasks._written import WrittenSpec
    from sibu.tasks.classify.task import Classify


SILENT, SILENT_CHINESE = "N/A", "无"
"""Texts that say nothing."""


class ClassifyScript:
    """One label, or several with a line each."""

    def __init__(self, task: Classify) -> None:
        self.task = task

    def instruction(self) -> str:
        """What is asked, in words."""
        names = ", ".join(map(self._named, self.task.labels))
        if self.task.state["multi_label"]:
            return f"Which of these hold for the text? {names}. Write a line for each, or `{NOTHING}`."
        return f"Which of these is the text? {names}."

    def _named(self, label: str) -> str:
        """The label, with what it means where the recipe says so."""
        own = self.task.descriptions.get(label, ())
        said = own if isinstance(own, str) else "; ".join(own)
        return f"{label} ({said})" if said else label

    def question(self, row: Row) -> str:
        """The text with its pair."""
        return "\n\n".join(row[name] for name in ("text", "text_pair") if row.get(name))

    def behind(self, row: Row) -> str:  # noqa: ARG002
        """Nothing: of a text its end may go."""
        return ""

    def answer(self, row: Row) -> str:
        """The label, or the labels."""
        label = row["label"]
        return label if isinstance(label, str) else "\n".join(sorted(label)) or NOTHING

    def grammar(self, row: Row) -> Grammar:  # noqa: ARG002
        """The labels of the task."""
        if not self.task.state["multi_label"]:
            return f"start: {either(self.task.labels)}\n"
        return f'start: "{NOTHING}" | label ("\\n" label)*\nlabel: {either(self.task.labels)}\n'

    def read(self, row: Row, text: str) -> Any:  # noqa: ARG002
        """The label, or the labels in the order of the task's."""
        if not self.task.state["multi_label"]:
            return text
        written = set(text.split("\n"))
        return [name for name in self.task.labels if name in written]


class WeighedLabels(WrittenTask):
    """Labels whose likelihoods are computed, in place of writing one.

    Args:
        inner: The task.
        script: How its answers are written.
        spec: The options.
        calibrate: Whether how likely a label is without a text is taken off (Zhao et al., 2021, arXiv:2102.09690).
    """

    def __init__(self, inner: Classify, script: ClassifyScript, spec: WrittenSpec, *, calibrate: bool) -> None:
        super().__init__(inner, script, spec)
        self.classify = inner
        self.calibrate = calibrate
        self._require_one()

    def learn(self, rows: Iterable[Row]) -> None:
        """As the task itself does; an input has one label."""
        super().learn(rows)
        self._require_one()

    def _require_one(self) -> None:
        if self.state.get("multi_label"):
            raise DataError("`written.by: likelihood` tells one label, and inputs have several. Say `by: writing`.")

    @property
    def choices(self) -> tuple[str, ...]:  # type: ignore[override]
        """The labels."""
        return tuple(self.classify.labels)

    @property
    def blank(self) -> Row | None:  # type: ignore[override]
        """A text that says nothing, in the labels' script."""
        chinese = any(map(is_cjk, "".join(self.choices)))
        return {"text": SILENT_CHINESE if chinese else SILENT} if self.calibrate else None

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """The likeliest label, of scores by label."""
        return self.classify.decode(row, answers)
