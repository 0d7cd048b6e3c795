"""What data is made of: label sets, spans, splits, faults of data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Row = Mapping[str, Any]
"""One row of a file, by Sibu's field names (``text``, ``label``, ...)."""


@dataclass(frozen=True, slots=True)
class Held:
    """A row's value that a modality has made arrays of: a picture, a recording, a table's row, readings."""

    said: str
    """As the file has it."""
    digest: str
    """Equal for values of equal content."""
    arrays: Callable[[], Mapping[str, Any]]
    """The modality's arrays, or vectors that were computed of them."""
    source: Callable[[], Mapping[str, Any]] | None = None
    """The arrays, where vectors stand in their place; None: they do not."""

    def __str__(self) -> str:
        return self.digest


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of a task in a fixed order; a label's place is its class number."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            raise ValueError(f"labels must be distinct, given twice: {', '.join(twice)}")

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def numbers(self) -> dict[str, int]:
        """Class number by label."""
        return {name: number for number, name in enumerate(self.names)}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A labelled stretch of a text: characters ``start`` to ``end`` (exclusive)."""

    start: int
    end: int
    label: str

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a span needs 0 <= start < end, given start={self.start} end={self.end}")


Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class DataFault:
    """One fault of the data: which kind, in which file and row, and how to mend it."""

    kind: str
    severity: Severity
    file: str
    row: int | None
    """Line of the file where the record starts (CoNLL: the line at fault), or for Parquet, SQuAD and `datasets` the
    number of the record; from 1. None: the whole file."""
    message: str
    mend: str

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}:{self.row}"
        return f"{place}: {self.message} {self.mend}".rstrip()


@dataclass(slots=True)
class Faults:
    """Collects data faults: counts every one, keeps the first ``keep`` of each kind and file."""

    keep: int = 20
    counts: Counter[tuple[str, Severity, str]] = field(default_factory=Counter)
    """How often each (kind, severity, file) was seen."""
    examples: list[DataFault] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """Rows that are left out, by file: nothing is dropped uncounted."""
    told: set[str] = field(default_factory=set)
    """What was joined once and is not to be counted again."""

    def add(self, fault: DataFault, *, skips_row: bool = False) -> None:
        """Count a fault, and keep it as an example while there are few of its kind."""
        key = (fault.kind, fault.severity, fault.file)
        self.counts[key] += 1
        if self.counts[key] <= self.keep:
            self.examples.append(fault)
        if skips_row:
            self.skipped[fault.file] += 1

    def join(self, other: Faults) -> None:
        """Take over what another collection has seen."""
        for fault in other.examples:
            key = (fault.kind, fault.severity, fault.file)
            if sum((f.kind, f.severity, f.file) == key for f in self.examples) < self.keep:
                self.examples.append(fault)
        self.counts.update(other.counts)
        self.skipped.update(other.skipped)

    def join_once(self, other: Faults, key: str) -> None:
        """Take over what was seen of a thing that several look at, such as a file that two tasks read."""
        if key not in self.told:
            self.told.add(key)
            self.join(other)

    def as_json(self) -> dict[str, Any]:
        """Everything that was seen, in the form that ``from_json`` reads."""
        counts = [[*key, count] for key, count in self.counts.items()]
        return {"counts": counts, "examples": [asdict(f) for f in self.examples], "skipped": dict(self.skipped)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Faults:
        """The way back from ``as_json``."""
        counts = Counter({(kind, severity, file): count for kind, severity, file, count in value["counts"]})
        examples = [DataFault(**fault) for fault in value["examples"]]
        return cls(counts=counts, examples=examples, skipped=Counter(value["skipped"]))

    def number(self, severity: Severity) -> int:
        """How many faults of this severity were seen."""
        return sum(count for (_, level, _), count in self.counts.items() if level == severity)

    def first_errors(self, most: int = 20, each: int = 3, where: str = "; `sibu check` lists them") -> str:
        """The first errors of each kind and file, a line each, and how many more there are (and where to find them)."""
        seen: Counter[tuple[str, str]] = Counter()
        lines: list[str] = []
        for fault in self.of("error"):
            seen[fault.kind, fault.file] += 1
            if seen[fault.kind, fault.file] <= each and len(lines) < most:
                lines.append(str(fault))
        if more := self.number("error") - len(lines):
            lines.append(f"... and {more} more{where}.")
        return "\n".join(lines)

    def warnings(self, told: Container[str] = ()) -> list[str]:
        """Each kind of warning in a line: how often, in which file, and the first of them.

        Args:
            told: Warnings as ``warning: KIND: FAULT``; what is among them and was seen once is left out.
        """
        first = {(fault.kind, fault.file): fault for fault in reversed(self.of("warning"))}
        return [
            f"warning: {kind}: {count} in {file}, such as {first[kind, file]}"
            for (kind, severity, file), count in sorted(self.counts.items())
            if severity == "warning" and not (count == 1 and f"warning: {kind}: {first[kind, file]}" in told)
        ]

    def of(self, severity: Severity) -> list[DataFault]:
        """The kept examples of this severity, in the order found."""
        return [fault for fault in self.examples if fault.severity == severity]


def span_says_otherwise(text: str, span: Mapping[str, Any]) -> str:
    """What is wrong where a span carries its own text and another stands at its place; an empty text where all is well.

    Case and blanks do not count.
    """
    given = span.get("text")
    stands = text[span["start"] : span["end"]]
    if given is None or "".join(given.split()).casefold() == "".join(stands.split()).casefold():
        return ""
    place = text.find(given) if given else -1
    where = f" It stands at {place}." if place >= 0 else ""
    return f"the span {span['start']}..{span['end']} is {stands!r}, but its own `text` says {given!r}.{where}"


def is_cjk(character: str) -> bool:
    """Whether a character belongs to a script that is written without spaces between words.

    Han ideographs with their extensions, kana and the full-width forms around them count; Hangul does not
    (Korean puts spaces between words).
    """
    code = ord(character)
    return code >= 0x2E80 and (
        code <= 0x2FDF
        or 0x3005 <= code <= 0x3007
        or 0x3040 <= code <= 0x30FF
        or 0x3400 <= code <= 0x4DBF
        or 0x4E00 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFF66 <= code <= 0xFF9D
        or 0x20000 <= code <= 0x323AF
    )


def answers_of(row: Row) -> list[str]:
    """The right answers of a row: its target, or the assistant's last turn; none where it has neither."""
    target = row.get("target")
    if target is not None:
        return [target] if isinstance(target, str) else list(target)
    given = row.get("messages") or ()
    return [given[-1]["content"]] if given and given[-1]["role"] == "assistant" else []


def nearest(context: str, text: str, start: int) -> int | None:
    """Where an answer stands in its text: at ``start``, else the place nearest to it, else nowhere."""
    if context[start : start + len(text)] == text:
        return start
    places = []
    place = context.find(text)
    while place >= 0:
        places.append(place)
        place = context.find(text, place + 1)
    return min(places, key=lambda found: abs(found - start)) if places else None


def join_tokens(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Join tokens to a text: one space between two, none where either side is Chinese or Japanese.

    Returns:
        The text, and the characters ``(start, end)`` of each token in it.
    """
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    length = 0
    before = ""
    for token in tokens:
        if before and token and not is_cjk(before[-1]) and not is_cjk(token[0]):
            parts.append(" ")
            length += 1
        parts.append(token)
        places.append((length, length + len(token)))
        length += len(token)
        before = token or before
    return "".join(parts), places


def as_one(row: Row) -> str:
    """The text of a row, with its pair, as desks that have one text show it: a blank line stands between the two."""
    return "\n\n".join(str(row[name]) for name in ("text", "text_pair") if row.get(name))


def as_names(values: Iterable[Any]) -> str:
    """Values as users read them in a message: ``'a', 'b' and 3 more``."""
    listed = list(values)
    shown = ", ".join(repr(value) for value in listed[:8])
    return shown if len(listed) <= 8 else f"{shown} and {len(listed) - 8} more"
