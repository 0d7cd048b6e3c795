"""Relations written out: a line each, the label and the numbers of the two entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sibu.core.example import Row
from sibu.core.grammar import Grammar, either
from sibu.tasks._written import NOTHING

if TYPE_CHECKING:
    from sibu.tasks.relate.task import Relate


class RelateScript:
    """``label: 1 -> 2``, a line each."""

    def __init__(self, task: Relate) -> None:
        self.task = task

    def _labels(self) -> list[str]:
        return sorted({name[:-1] for name in self.task.state["classes"] if name[-1:] in "<>"})

    def instruction(self) -> str:
        """What is asked, in words."""
        return (
            f"How are the numbered parts of the text related? {', '.join(self._labels())}. "
            f"Write a line for each relation, `label: 1 -> 2`, or `{NOTHING}`."
        )

    def question(self, row: Row) -> str:
        """The text, and below it its entities by number."""
        return f"{row['text']}{self.behind(row)}"

    def behind(self, row: Row) -> str:
        """The entities by number."""
        named = [f"{n}: {row['text'][e['start'] : e['end']]}" for n, e in enumerate(row["entities"], 1)]
        return "\n".join(["", "", *named])

    def answer(self, row: Row) -> str:
        """The relations in their order."""
        listed = [r for r in row.get("relations") or [] if r["label"] != self.task.none_label]
        return "\n".join(f"{r['label']}: {r['head'] + 1} -> {r['tail'] + 1}" for r in listed) or NOTHING

    def grammar(self, row: Row) -> Grammar:
        """The labels of the task between the entities of the text."""
        numbers = range(1, len(row["entities"]) + 1)
        pairs = [f"{one} -> {other}" for one in numbers for other in numbers if one != other]
        if not pairs:
            return f'start: "{NOTHING}"\n'
        lines = f'start: "{NOTHING}" | line ("\\n" line)*\nline: {either(self._labels())} ": " pair\n'
        return f"{lines}pair: {either(pairs)}\n"

    def read(self, row: Row, text: str) -> Any:  # noqa: ARG002
        """The relations with their entities' places in the list."""
        found: list[dict[str, Any]] = []
        for line in text.split("\n"):
            label, _, pair = line.rpartition(": ")
            head, _, tail = pair.partition(" -> ")
            if label and head.isdigit() and tail.isdigit():
                item = {"head": int(head) - 1, "tail": int(tail) - 1, "label": label}
                if item not in found:
                    found.append(item)
        return found
