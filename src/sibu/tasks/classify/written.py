"""Labels written out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sibu.core.example import Row
from sibu.core.grammar import Grammar, either
from sibu.tasks._written import NOTHING

if TYPE_CHECKING:
    from sibu.tasks.classify.task import Classify


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
