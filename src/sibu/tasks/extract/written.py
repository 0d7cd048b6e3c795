"""An answer written out in the words of the context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sibu.core.example import Row
from sibu.core.grammar import Grammar, part_of, quoted

if TYPE_CHECKING:
    from sibu.tasks.extract.task import Extract

UNANSWERED = "no answer"
"""What is written where the context does not answer."""


class ExtractScript:
    """The words of the context alone."""

    def __init__(self, task: Extract) -> None:
        self.task = task

    def instruction(self) -> str:
        """What is asked, in words."""
        without = f", or `{UNANSWERED}`" if self.task.state["no_answer"] else ""
        return f"Answer the question with words of the text alone{without}."

    def question(self, row: Row) -> str:
        """Context and question."""
        return f"{row['context']}{self.behind(row)}"

    def behind(self, row: Row) -> str:
        """The question."""
        return f"\n\n{row['question']}"

    def answer(self, row: Row) -> str:
        """The first right answer."""
        answers = row.get("answers") or []
        return answers[0]["text"].strip().splitlines()[0] if answers else UNANSWERED

    def grammar(self, row: Row) -> Grammar:
        """Stretches of the context."""
        without = f" | {quoted(UNANSWERED)}" if self.task.state["no_answer"] else ""
        return f"start: PART{without}\n{part_of(row['context'])}"

    def read(self, row: Row, text: str) -> Any:
        """The answer with its place; null for none."""
        if self.task.state["no_answer"] and text == UNANSWERED:
            return None
        start = row["context"].find(text)
        return {"text": text, "start": start, "end": start + len(text)} if start >= 0 and text else None
