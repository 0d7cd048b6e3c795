"""Labelled stretches written out: a line each, its label and its words as they stand in the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sibu.core.example import Row, join_tokens
from sibu.core.grammar import Grammar, either, part_of
from sibu.tasks._written import NOTHING, find_parts

if TYPE_CHECKING:
    from sibu.tasks.tag.task import Tag


class TagScript:
    """``label: words``, a line each."""

    def __init__(self, task: Tag, descriptions: Mapping[str, str | Sequence[str]]) -> None:
        self.task = task
        self.descriptions = descriptions

    def instruction(self) -> str:
        """What is asked, in words."""
        names = ", ".join(map(self._named, self.task.labels))
        return f"Find in the text: {names}. Write a line for each, `label: words of the text`, or `{NOTHING}`."

    def _named(self, label: str) -> str:
        """The label, with what it means where the recipe says so."""
        own = self.descriptions.get(label, ())
        said = own if isinstance(own, str) else "; ".join(own)
        return f"{label} ({said})" if said else label

    def question(self, row: Row) -> str:
        """The text."""
        return row["text"] if row.get("tokens") is None else join_tokens(row["tokens"])[0]

    def behind(self, row: Row) -> str:  # noqa: ARG002
        """Nothing: of a text its end may go."""
        return ""

    def answer(self, row: Row) -> str:
        """The stretches in the order of the text."""
        text = self.question(row)
        places = None if row.get("tags") is None else join_tokens(row["tokens"])[1]
        found = []
        for label, first, last in sorted(self.task.gold(row), key=lambda span: (span[1], -span[2], span[0])):
            start, end = (first, last) if places is None else (places[first][0], places[last - 1][1])
            found.append(f"{label}: {text[start:end].splitlines()[0]}")
        return "\n".join(found) or NOTHING

    def grammar(self, row: Row) -> Grammar:
        """The labels of the task with stretches of the text."""
        lines = f'start: "{NOTHING}" | line ("\\n" line)*\nline: {either(self.task.labels)} ": " PART\n'
        return lines + part_of(self.question(row))

    def read(self, row: Row, text: str) -> Any:
        """The stretches with their places; in data that comes in tokens, with the tokens that they touch."""
        source = self.question(row)
        parts = [parted for line in text.split("\n") if (parted := self._parted(line))]
        tokens = None if row.get("tokens") is None else join_tokens(row["tokens"])[1]
        found: list[dict[str, Any]] = []
        for (label, _), place in zip(parts, find_parts(source, [words for _, words in parts]), strict=True):
            if place is None:
                continue
            item: dict[str, Any] = {"start": place[0], "end": place[1], "label": label}
            if tokens is not None:
                touched = [n for n, (start, end) in enumerate(tokens) if start < place[1] and end > place[0]]
                if not touched:
                    continue
                item |= {"start": tokens[touched[0]][0], "end": tokens[touched[-1]][1]}
                item |= {"token_start": touched[0], "token_end": touched[-1] + 1}
            item["text"] = source[item["start"] : item["end"]]
            if item not in found:
                found.append(item)
        return found

    def _parted(self, line: str) -> tuple[str, str] | None:
        """Label and words of a line; the longest label that fits, since one may begin with another."""
        fitting = [label for label in self.task.labels if line.startswith(f"{label}: ")]
        label = max(fitting, key=len, default=None)
        return None if label is None else (label, line[len(label) + 2 :])
