"""The sets for link prediction, and how a ranking of what is left out is judged."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sibu.core.logic import Entity
from sibu.core.names import iri_of

Triples = NDArray[np.int64]
"""Subject, number of the relation, object. Shape ``(n, 3)``."""
SETS = ("nations", "umls", "kinships", "wn18rr", "fb15k237")
SPLITS = ("train", "valid", "test")
BASE = "https://example.org/"


@dataclass(frozen=True)
class Set:
    """A set: names of things and relations, and its triples by split."""

    name: str
    things: list[Entity]
    relations: list[Entity]
    triples: Mapping[str, Triples]
    files: list[Path]
    known: dict[tuple[int, int, int], NDArray[np.int64]] = field(default_factory=dict)
    """By side (0: subject), relation and thing on that side: all it is joined with in any split, sorted."""

    def graph(self, *splits: str) -> dict[Entity, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Subjects and objects by relation."""
        chosen = np.concatenate([self.triples[split] for split in splits])
        parts = ((name, chosen[chosen[:, 1] == number]) for number, name in enumerate(self.relations))
        return {name: (part[:, 0], part[:, 2]) for name, part in parts}

    def pairs(self, *splits: str) -> set[tuple[int, int, int]]:
        """Triples as tuples."""
        return {tuple(row) for split in splits for row in self.triples[split].tolist()}

    def others(self, side: int, relation: int, thing: int) -> NDArray[np.int64]:
        """All that a thing on a side is joined with by a relation, in any split."""
        if not self.known:
            every = np.concatenate(list(self.triples.values()))
            for own in (0, 1):
                sorted_ = every[np.lexsort([every[:, 2 - 2 * own], every[:, 2 * own], every[:, 1]])]
                heads = sorted_[:, [1, 2 * own]]
                starts = np.flatnonzero(np.r_[True, (heads[1:] != heads[:-1]).any(axis=1)])
                for part in np.split(sorted_, starts[1:]):
                    self.known[own, int(part[0, 1]), int(part[0, 2 * own])] = part[:, 2 - 2 * own]
        return self.known[side, relation, thing]


def read(data: Path, name: str) -> Set:
    """A set of ``SETS``: ``kg_<name>`` below the raw sets."""
    folder = data / f"kg_{name}"
    files = [_file(folder, split) for split in SPLITS]
    rows = dict(zip(SPLITS, ((_numbered if "2id" in file.name else _named)(file) for file in files), strict=True))
    things: dict[str, int] = {}
    relations: dict[str, int] = {}
    triples = {
        split: np.array(
            [
                (
                    things.setdefault(s, len(things)),
                    relations.setdefault(r, len(relations)),
                    things.setdefault(o, len(things)),
                )
                for s, r, o in rows[split]
            ],
            np.int64,
        )
        for split in SPLITS
    }
    return Set(
        name,
        [Entity(iri_of(BASE, each)) for each in things],
        [Entity(iri_of(BASE, each)) for each in relations],
        triples,
        files,
    )


def _file(folder: Path, split: str) -> Path:
    wanted = (f"{split}{stem}{end}" for stem in ("", "2id") for end in (".txt", ".txt.gz"))
    return next(folder / name for name in wanted if (folder / name).is_file())


def _lines(file: Path) -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as opened:
        return [line.rstrip("\n") for line in opened if line.strip()]


def _named(file: Path) -> Iterable[tuple[str, str, str]]:
    for line in _lines(file):
        subject, relation, thing = line.split("\t")
        yield subject, relation, thing


def _numbered(file: Path) -> Iterable[tuple[str, str, str]]:
    """OpenKE's: the number of lines, then subject, object, relation as numbers."""
    for line in _lines(file)[1:]:
        subject, thing, relation = line.split()
        yield f"e{subject}", f"r{relation}", f"e{thing}"


AHEAD = 20_000
"""Hypotheses that are looked through for a hundred."""


def linked(triples: Triples) -> set[tuple[int, int]]:
    """Pairs of things that some triple joins, both ways round."""
    pairs = set(map(tuple, triples[:, [0, 2]].tolist()))
    return pairs | {(other, one) for one, other in pairs}


def first(
    told: Iterable[tuple[int, int, int]], joined: set[tuple[int, int]], most: int = 100
) -> list[tuple[int, int, int]]:
    """The first of some triples whose things are not joined."""
    return list(islice((triple for triple in told if (triple[0], triple[2]) not in joined), most))


class Ranks:
    """Filtered, realistic ranks: the mean of the best and the worst place among equals.

    Args:
        ranks: Rank of each thing that was asked for, from 1. Shape ``(n,)``.
    """

    def __init__(self, ranks: NDArray[np.float64]) -> None:
        self.ranks, self.n = ranks, len(ranks)

    def __call__(self, rows: NDArray[np.int64]) -> dict[str, float]:
        """MRR and hits over some of them."""
        own = self.ranks[rows]
        hits = {f"hits_at_{most}": float((own <= most).mean()) for most in (1, 3, 10)}
        return {"mrr": float((1 / own).mean()), **hits}


def precision(told: Iterable[tuple[int, int, int]], true: set[tuple[int, int, int]]) -> float:
    """Share of some triples that are true."""
    hits = [triple in true for triple in told]
    return sum(hits) / len(hits) if hits else 0.0
