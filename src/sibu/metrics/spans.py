"""Labelled spans: from and to tags, and how many were found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sibu.metrics.tally import table, tally_sets

Scheme = Literal["IO", "BIO", "BIOES"]
Span = tuple[str, int, int]
"""Label, start, end (exclusive), in tokens or in characters."""

_PREFIXES: Mapping[Scheme, str] = {"IO": "I", "BIO": "BI", "BIOES": "BIES"}


class SpanMatch:
    """Metrics of spans, where a prediction is right if label, start and end all are, as conlleval and seqeval count.

    ``precision``, ``recall``, ``f1`` over all spans together (micro), ``macro_f1`` the mean over the labels that occur
    in gold or predicted among the rows asked for. All in [0, 1]; NaN where there is no span in either.
    Source: conlleval (Tjong Kim Sang & De Meulder 2003); seqeval (Nakayama 2018), default mode.

    Args:
        gold: For each example its true spans ``(label, start, end)``; duplicates count once.
        predicted: For each example its predicted spans.

    Raises:
        ValueError: When ``gold`` and ``predicted`` differ in length.
    """

    def __init__(self, gold: Sequence[Collection[Span]], predicted: Sequence[Collection[Span]]) -> None:
        self.n = len(gold)
        self.labels, self._tally = tally_sets(gold, predicted, lambda span: span[0])

    def __call__(self, rows: NDArray[np.intp]) -> Mapping[str, float]:
        """Every metric over the examples ``rows``."""
        counts = self._tally(rows)
        return {**counts.micro(), "macro_f1": counts.macro(counts.f1())}

    def by_label(self) -> dict[str, dict[str, float]]:
        """Figures by label over all examples: ``precision``, ``recall``, ``f1``, ``support``, ``predicted``."""
        return table(self.labels, self._tally.all())


def decode_tags(tags: Sequence[str], scheme: Scheme) -> list[Span]:
    """The spans that tags mean, read leniently: every tag but ``O`` belongs to a span, whatever stands before it.

    ``BIO`` and ``BIOES`` are read alike, as conlleval and seqeval's default mode read them: a span begins at ``B`` and
    ``S``, after ``O``, ``E`` and ``S``, and wherever the label changes. ``IO`` knows labels only: equal neighbours are
    one span, and tags may come without ``I-``. A bare ``B`` has the label ``_``. What has no known prefix
    (``PER``) is read as ``I-PER``; an empty tag as ``O``.

    Args:
        tags: One tag a token, length T.
        scheme: How the tags are written.

    Returns:
        The spans ``(label, start, end)`` in order, ``0 <= start < end <= T``, never overlapping.
    """
    spans: list[Span] = []
    start, before, open_label = 0, "O", ""
    for place, tag in enumerate([*tags, "O"]):
        prefix, label = _parts(tag)
        if scheme == "IO" and prefix != "O":
            prefix = "I"
        begins = prefix != "O" and (prefix in "BS" or before in "OES" or label != open_label)
        if before != "O" and (begins or prefix == "O"):
            spans.append((open_label, start, place))
        if begins:
            start = place
        before, open_label = prefix, label
    return spans


def as_bioes(tags: Sequence[str]) -> list[str]:
    """Tags with BILOU's letters for the last and the only word of a span (L, U) as BIOES writes them (E, S)."""
    return [{"L-": "E-", "U-": "S-"}.get(tag[:2], tag[:2]) + tag[2:] for tag in tags]


def encode_tags(spans: Collection[Span], length: int, scheme: Scheme) -> list[str]:
    """The tags that mean these spans; ``decode_tags`` gives them back (in ``IO``, touching equal ones become one).

    Args:
        spans: ``(label, start, end)`` in any order.
        length: Number of tokens, T.
        scheme: How the tags are to be written.

    Returns:
        One tag a token, length T.

    Raises:
        ValueError: When a span is empty, reaches beyond ``0 .. length``, overlaps another, or has no label.
    """
    tags = ["O"] * length
    for label, start, end in sorted(spans, key=lambda span: span[1:]):
        if not label or not 0 <= start < end <= length:
            raise ValueError(f"a span needs a label and 0 <= start < end <= {length}, given {label!r} {start}-{end}")
        if any(tag != "O" for tag in tags[start:end]):
            raise ValueError(f"spans must not overlap where tags are written, given {label!r} {start}-{end} on another")
        prefixes = ["I"] * (end - start)
        if scheme != "IO":
            prefixes[0] = "B"
        if scheme == "BIOES":
            prefixes[-1] = "E" if end - start > 1 else "S"
        tags[start:end] = [f"{prefix}-{label}" for prefix in prefixes]
    return tags


def illegal(tags: Sequence[str], scheme: Scheme) -> list[int]:
    """Where a sequence breaks its scheme.

    Wrong in every scheme: an empty tag, a tag without a label, a prefix that the scheme does not have. ``IO`` allows
    labels without a prefix, the others do not. ``BIO`` and ``BIOES``: ``I`` (and ``E``) without ``B`` or ``I`` of the
    same label before. ``BIOES`` also: ``B`` or ``I`` without ``I`` or ``E`` of the same label after; the place is that
    of the tag left open.

    Args:
        tags: One tag a token, length T.
        scheme: How the tags should be written.

    Returns:
        Places in ``0 .. T - 1``, rising, each once.
    """
    broken = {place for place, tag in enumerate(tags) if not _well_formed(tag, scheme)}
    if scheme == "IO":
        return sorted(broken)
    padded = ["O", *tags, "O"]
    for place, (before, after) in enumerate(pairwise(padded)):
        left, left_label = _parts(before)
        right, right_label = _parts(after)
        same = left_label == right_label
        if right in "IE" and not (left in "BI" and same):
            broken.add(place)
        if scheme == "BIOES" and left in "BI" and not (right in "IE" and same):
            broken.add(place - 1)
    return sorted(broken)


def _parts(tag: str) -> tuple[str, str]:
    """Prefix (one of B I E S O) and label of a tag."""
    if tag in ("", "O"):
        return "O", ""
    prefix, _, label = tag.partition("-")
    if prefix in ("B", "I", "E", "S", "O"):
        return prefix, label or "_"
    return "I", tag


def _well_formed(tag: str, scheme: Scheme) -> bool:
    prefix, dash, label = tag.partition("-")
    if prefix in ("B", "I", "E", "S", "O") and dash:
        return bool(label) and prefix in _PREFIXES[scheme]
    return tag == "O" or (scheme == "IO" and tag not in ("", "B", "I", "E", "S"))
