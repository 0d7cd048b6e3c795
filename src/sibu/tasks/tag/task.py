"""Rows to tag numbers, tag scores to spans, spans to metrics."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError, counted
from sibu.core.example import LabelSet, Row, Span, as_names, join_tokens, span_says_otherwise
from sibu.core.knowing import Options
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, TextInput, Window
from sibu.metrics.spans import Scheme, SpanMatch, as_bioes, decode_tags, encode_tags, illegal
from sibu.tasks._mean import mean_chances
from sibu.tasks.tag.decode import best_legal, legal_moves, tag_names

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.tensors import Output
    from sibu.nn.heads import TokenHead

IGNORED = -100
"""The target of pieces that carry no tag of their own; cross entropy leaves them out."""


class Tag:
    """See the door plate ``sibu.tasks.tag`` for the options."""

    writes = False
    columns = (
        Column("tokens", "tokens", "input", help="the words, where the data comes in words"),
        Column("text", "text", "input", help="the text, where it comes whole"),
        Column("tags", "tags", "target", help="a tag a token: IO, BIO or BIOES"),
        Column("entities", "spans", "target", help="[{start, end, label}], characters of the text"),
    )
    needs = (("tokens", "text"), ("tags", "entities"))
    metrics = ("precision", "recall", "f1", "macro_f1")
    main_metric = "f1"
    features = (Feature("tags", "int64", "token", IGNORED),)

    def __init__(
        self,
        *,
        labels: Sequence[str] | None,
        scheme: Scheme,
        overlaps: str,
        dropout: float,
        label_smoothing: float,
        state: State | None,
    ) -> None:
        self.fixed_labels = labels
        self.scheme = scheme
        self.overlaps = overlaps
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.state: State = state or {}
        self._learned: tuple[Row, list[tuple[str, int, int]], list[str] | None] | None = None
        if state:
            self._restore()

    def learn(self, rows: Iterable[Row]) -> None:
        """Collect the labels and how the data writes its tags."""
        counts: Counter[str] = Counter()
        prefixes: Counter[str] = Counter()
        for row in rows:
            if row.get("tags") is None:
                counts.update(span["label"] for span in row["entities"])
                continue
            prefixes.update(tag[:2] for tag in row["tags"])
            counts.update(label for label, _, _ in _spans_of(row["tags"]))
        self.state = {"reads": _scheme_of(prefixes)}
        names = list(self.fixed_labels) if self.fixed_labels is not None else sorted(counts)
        if not names:
            raise DataError("The training data has no entity in any row. Add rows with tags, or name another column.")
        self.state |= {"labels": names, "counts": {name: counts[name] for name in names}}
        self._restore()

    def _restore(self) -> None:
        self.labels = LabelSet(tuple(self.state["labels"]))
        self.tags = tag_names(self.labels.names, self.scheme)
        self._numbers = {tag: number for number, tag in enumerate(self.tags)}
        self._moves = legal_moves(self.tags, self.scheme)

    # ---- rows -------------------------------------------------------------------------------------------------

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The text, its words to be found again; Chinese characters each on their own."""
        if row.get("tokens") is not None:
            text, places = join_tokens(row["tokens"])
            return [TextInput(text, places=tuple(places), fit="slide", split_characters=True)]
        return [TextInput(row["text"], places="units", fit="slide", split_characters=True)]

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Tags that do not line up with tokens, spans that do not line up with the text, unknown labels."""
        if row.get("tokens") is not None:
            yield from self._check_tokens(row)
        else:
            if not row["text"].strip():
                yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."
            yield from self._check_spans(row, windows)
        for name in sorted({label for label, _, _ in self.gold(row)} - set(self.labels)):
            listed = self.fixed_labels is not None
            yield (
                "unknown label",
                "error" if listed else "warning",
                f"the label {name!r} is not among the {'recipe' if listed else 'training'}'s: {as_names(self.labels)}.",
                "Mend the label, or add rows of it to the training data; as it is it counts as an error.",
            )

    def _check_tokens(self, row: Row) -> Iterator[Found]:
        tokens, tags = row["tokens"], row.get("tags")
        if not tokens or not all(token.strip() for token in tokens):
            what = "there is no token" if not tokens else "a token is empty or blank"
            yield "empty input", "error", f"{what}.", "Remove the row or the blank token with its tag."
        if row.get("entities") is not None:
            yield "both forms", "error", "tokens come with `entities`.", "Give tokens with tags, or text with entities."
        if tags is None:
            return
        if len(tags) != len(tokens):
            verb = "has" if len(tokens) == 1 else "have"
            message = f"{counted(len(tokens), 'token')} {verb} {counted(len(tags), 'tag')}."
            yield "tags and tokens", "error", message, "Give each token one tag."
            return
        strange = sorted({tag for tag in tags if tag != "O" and tag[:2] not in {"B-", "I-", "E-", "S-", "L-", "U-"}})
        if strange:
            message = f"{as_names(strange)} is not a tag: O, or a prefix (B-, I-, E-, S-) and a label."
            yield "bad tag", "error", message, "Mend the tag."
            return
        scheme = self.state["reads"] or _scheme_of(Counter(tag[:2] for tag in tags)) or "BIO"
        if scheme == "IO" and any(tag.startswith("B-") for tag in tags):
            scheme = "BIO"  # the training data has no two entities side by side; this row tells them apart
        broken = illegal(as_bioes(tags), scheme)
        if broken:
            place = broken[0]
            before = tags[place - 1] if place else "the beginning"
            message = f"{tags[place]!r} at token {place} ({tokens[place]!r}) cannot follow {before!r}."
            yield (
                f"broken {scheme} sequence",
                "warning",
                message,
                "Mend the tags; as they are, they are read as conlleval reads them (a new entity begins).",
            )

    def _check_spans(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        text, spans = row["text"], row.get("entities") or []
        edges_start, edges_end = _edges(windows)
        for span in spans:
            start, end = span["start"], span["end"]
            if not start < end <= len(text):
                message = f"the span {start}..{end} ({span['label']}) is not inside the text of {len(text)} characters."
                yield "span outside the text", "error", message, "Offsets count characters from 0, end exclusive."
            elif said := span_says_otherwise(text, span):
                yield "span and its text", "error", said, "Mend `start` and `end` (characters from 0), or the text."
            elif text[start].isspace() or text[end - 1].isspace():
                message = f"the span {start}..{end} ({span['label']}, {text[start:end]!r}) begins or ends with a blank."
                yield "span with blanks", "error", message, "Move its ends to the first and last visible character."
            elif windows and (start not in edges_start or end not in edges_end):
                message = (
                    f"the span {start}..{end} ({span['label']}, {text[start:end]!r}) begins or ends inside a word."
                )
                yield (
                    "span inside a word",
                    "warning",
                    message,
                    "Training widens it to the whole word; it cannot be found exactly.",
                )
        ordered = sorted(spans, key=lambda span: (span["start"], span["end"]))
        for one, two in pairwise(ordered):
            if two["start"] < one["end"]:
                message = (
                    f"the spans {one['start']}..{one['end']} ({one['label']}) and "
                    f"{two['start']}..{two['end']} ({two['label']}) overlap."
                )
                severity = "error" if self.overlaps == "error" else "warning"
                yield "overlapping spans", severity, message, "Keep one, or say `overlaps: longest` in the task."

    def gold(self, row: Row) -> list[tuple[str, int, int]]:
        """Gold spans as (label, start, end): of tokens where the row has tokens, else of characters."""
        if row.get("tags") is not None:
            return _spans_of(row["tags"])
        return [(span["label"], span["start"], span["end"]) for span in row.get("entities") or []]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """A tag number on the first piece of each word, ``IGNORED`` elsewhere."""
        if not gold:
            return {}
        if self._learned is None or self._learned[0] is not row:  # a long text asks once for each of its windows
            spans = self.gold(row)
            tokens = None if row.get("tags") is None else encode_tags(spans, len(row["tokens"]), self.scheme)
            self._learned = row, _without_overlaps(spans), tokens
        _, spans, whole = self._learned
        tags = self._by_place(spans, window) if whole is None else [whole[place] for place, _, _, _ in window.places]
        target = np.full(len(window.input_ids), IGNORED, dtype=np.int64)
        for (_, _, _, piece), tag in zip(window.places, tags, strict=True):
            if target[piece] == IGNORED:  # two tokens in one piece: the first speaks for it
                target[piece] = self._numbers[tag]
        return {"tags": target}

    def _by_place(self, spans: list[tuple[str, int, int]], window: Window) -> list[str]:
        """Character spans, in order, to tags over a window's words; one that ends inside a word takes the whole word.

        What stands before and after the window counts as a word each: a span that crosses an edge goes on there.
        """
        if not window.places:
            return []
        places: list[tuple[int, float]] = [(start, end) for _, start, end, _ in window.places]
        before = window.places[0][0] > 0
        places = [(0, places[0][0])] * before + places + [(window.places[-1][2], np.inf)]
        begins, ends = [begin for begin, _ in places], [end for _, end in places]
        covered = []
        low = bisect_right(spans, window.places[0][1], key=lambda span: span[2])
        high = bisect_left(spans, window.places[-1][2], key=lambda span: span[1])
        for label, start, end in spans[low:high]:
            first, last = bisect_right(ends, start), bisect_left(begins, end)
            if first < last:
                covered.append((label, first, last))
        return encode_tags(_without_overlaps(covered), len(places), self.scheme)[before:-1]

    # ---- model ------------------------------------------------------------------------------------------------

    def head(self, width: int) -> TokenHead:
        """A linear layer on every piece."""
        from sibu.nn.heads import TokenHead

        return TokenHead(width=width, outputs=len(self.tags), dropout=self.dropout)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Mean cross entropy over the words of the batch."""
        from sibu.tasks.tag.loss import tag_loss

        return tag_loss(output.logits, targets["tags"], label_smoothing=self.label_smoothing)

    # ---- answers ----------------------------------------------------------------------------------------------

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """The spans of the best legal tag sequence."""
        places, chances = _likely(answers)
        return self._told(row, places, chances, best_legal(chances, *self._moves)) if places else Prediction([])

    def _told(
        self, row: Row, places: Sequence[tuple[int, int, int]], chances: np.ndarray, best: np.ndarray
    ) -> Prediction:
        """The spans of a tag sequence."""
        source = self.inputs(row)[0]
        spans = decode_tags([self.tags[number] for number in best], self.scheme)
        found = []
        for label, first, last in spans:
            start, end = places[first][1], places[last - 1][2]
            chance = float(np.exp(chances[range(first, last), best[first:last]]).mean())
            item: dict[str, Any] = {"start": start, "end": end, "label": label, "text": source.text[start:end]}
            if row.get("tokens") is not None:
                item |= {"token_start": places[first][0], "token_end": places[last - 1][0] + 1}
            found.append(item | {"score": round(chance, 6)})
        return Prediction(found, min((item["score"] for item in found), default=None))

    # ---- rules over labels ------------------------------------------------------------------------------------

    exclusive = False

    @property
    def ruled(self) -> Sequence[str]:
        """The kinds of stretches: one holds where such a stretch is there."""
        return self.labels.names

    def held(self, row: Row) -> frozenset[str]:
        """The kinds of the row's own stretches."""
        return frozenset(label for label, _, _ in self.gold(row))

    def log_chances(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor | None:
        """Log probabilities of each kind's being nowhere and somewhere; words count, which the targets tell."""
        from sibu.tasks.tag.loss import log_presence

        if "tags" not in targets:
            return None
        kinds = [[number for number, tag in enumerate(self.tags) if tag[2:] == label] for label in self.labels]
        return log_presence(output.logits, targets["tags"].ne(IGNORED), kinds)

    def options(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Options:
        """Tag sequences."""
        from sibu.tasks.tag.options import Stretches

        places, chances = _likely(answers)
        if not places:
            chances = np.zeros((0, len(self.tags)))

        def told(path: np.ndarray) -> Prediction:
            return self._told(row, places, chances, path) if places else Prediction([])

        return Stretches(self.tags, chances, self._moves, told)

    def combine(self, said: Sequence[WindowOutput]) -> WindowOutput:
        """The mean of the probabilities of each piece's tags; the best legal sequence is sought in it."""
        return mean_chances(said)

    def chances(self, answers: Sequence[Sequence[WindowOutput]]) -> np.ndarray:
        """Probabilities of the tags of each word, ``(words, C)``."""
        _, scores = _joined(answers[0])
        if not len(scores):
            return np.zeros((0, len(self.tags)))
        found = np.exp(scores - scores.max(1, keepdims=True))
        return np.asarray(found / found.sum(1, keepdims=True))

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """Span precision, recall and F1 as conlleval and seqeval count them, by label too."""
        golds: list[set[tuple[str, int, int]]] = []
        guesses: list[set[tuple[str, int, int]]] = []
        for row, prediction in zip(rows, predictions, strict=True):
            keys = ("token_start", "token_end") if row.get("tags") is not None else ("start", "end")
            golds.append(set(self.gold(row)))
            guesses.append({(item["label"], item[keys[0]], item[keys[1]]) for item in prediction.value})
        measure = SpanMatch(golds, guesses)
        wrong = [gold != guess for gold, guess in zip(golds, guesses, strict=True)]
        return Judged(measure, {"by_label": measure.by_label()}, wrong)


def _likely(answers: Sequence[Sequence[WindowOutput]]) -> tuple[list[tuple[int, int, int]], np.ndarray]:
    """Places of words, and the log probabilities of their tags, ``(places, C)``."""
    places, scores = _joined(answers[0])
    if not places:
        return [], scores
    chances = scores - scores.max(1, keepdims=True)
    return places, chances - np.log(np.exp(chances).sum(1, keepdims=True))


def _scheme_of(prefixes: Counter[str]) -> Scheme | None:
    """How tags are written, from the prefixes that occur; None where there is none to tell."""
    if any(prefixes[prefix] for prefix in ("E-", "S-", "L-", "U-")):
        return "BIOES"
    if prefixes["B-"]:
        return "BIO"
    return "IO" if prefixes["I-"] else None


def _spans_of(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """The spans that tags mean: BIO, BIOES and IO are read alike, since IO is BIO in which no two entities touch."""
    return decode_tags(as_bioes(tags), "BIO")


def _edges(windows: Sequence[Sequence[Window]]) -> tuple[set[int], set[int]]:
    places = [place for group in windows for window in group for place in window.places]
    return {start for _, start, _, _ in places}, {end for _, _, end, _ in places}


def _without_overlaps(spans: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """The longest spans, in order; what overlaps a longer one (or an earlier one as long) is left out."""
    ordered = sorted(spans, key=lambda span: span[1:])
    if all(one[2] <= two[1] for one, two in pairwise(ordered)):
        return ordered
    kept: list[Span] = []
    for label, start, end in sorted(spans, key=lambda span: (span[1] - span[2], span[1])):
        if all(end <= other.start or start >= other.end for other in kept):
            kept.append(Span(start, end, label))
    return [(span.label, span.start, span.end) for span in sorted(kept)]


def _joined(windows: Sequence[WindowOutput]) -> tuple[list[tuple[int, int, int]], np.ndarray]:
    """Each word's scores once: from the window in which it stands farthest from an edge.

    Of two tokens in one piece (the tokenizer dropped or merged one) the first speaks for it, the second has no scores.

    Returns:
        Places (number, start, end) in order, and their scores, shape ``(places, C)``.
    """
    best: dict[int, tuple[int, int, int, np.ndarray]] = {}
    for output in windows:
        length = len(output.window.input_ids)
        spoken: set[int] = set()
        for number, start, end, piece in output.window.places:
            if piece in spoken:
                continue
            spoken.add(piece)
            margin = min(piece, length - 1 - piece)
            if number not in best or margin > best[number][0]:
                best[number] = (margin, start, end, output.logits[piece])
    numbers = sorted(best)
    places = [(number, best[number][1], best[number][2]) for number in numbers]
    return places, np.stack([best[n][3] for n in numbers]).astype(np.float64) if numbers else np.zeros((0, 0))
