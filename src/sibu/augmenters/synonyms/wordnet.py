"""WordNet's files, as `wndb(5WN)` describes them: of each word the other words of its commonest sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from sibu.augmenters._words import FUNCTION, SHORTEST, like, some
from sibu.core.errors import RecipeError

if TYPE_CHECKING:
    from sibu.augmenters._words import Edit

PARTS = ("noun", "verb", "adj", "adv")


def read(folder: str) -> Mapping[str, tuple[str, ...]]:
    """Synonyms by word: those that share the first sense of the part of speech in which it has the most senses.

    Raises:
        RecipeError: When the files are not there.
    """
    home = Path(folder)
    names = [f"{kind}.{part}" for part in PARTS for kind in ("index", "data")]
    missing = [name for name in names if not (home / name).is_file()]
    if missing:
        raise RecipeError(
            f"WordNet is not at {home} ({missing[0]} is missing). Install it (`apt install wordnet-base`), say where "
            "it lies by `folder`, or choose `neighbours`, `swap` or `delete`."
        )
    about = [(home / name).stat() for name in names]
    return _read(home, tuple((each.st_mtime_ns, each.st_size) for each in about))


@lru_cache(maxsize=2)
def _read(home: Path, about: tuple[tuple[int, int], ...]) -> Mapping[str, tuple[str, ...]]:  # noqa: ARG001
    """What ``read`` gives, once for files of these times and sizes."""
    found: dict[str, tuple[int, list[str]]] = {}
    for part in PARTS:
        words = _words(home / f"data.{part}")
        for line in (home / f"index.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith(" "):
                continue  # its licence
            fields = line.split()
            lemma, first, senses = fields[0], int(fields[-int(fields[2])]), int(fields[2])
            if not lemma.isalpha() or len(lemma) < SHORTEST or lemma in FUNCTION:
                continue
            if lemma not in found or senses > found[lemma][0]:  # a word of many senses is at home in that part
                found[lemma] = senses, [word for word in words[first] if word != lemma]
    return {lemma: tuple(dict.fromkeys(words)) for lemma, (_, words) in found.items() if words}


def _words(file: Path) -> dict[int, list[str]]:
    """The plain words of each sense, by its offset."""
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split()
        count = int(fields[3], 16)
        words = [word.partition("(")[0].lower() for word in fields[4 : 4 + 2 * count : 2]]
        found[int(fields[0])] = [word for word in words if word.isalpha()]
    return found


def changing(synonyms: Mapping[str, Sequence[str]], share: float) -> Edit:
    """What changes a share of the words; capitals stay capitals."""

    def edit(words: Sequence[str], free: Sequence[bool], draw: Random) -> Mapping[int, str]:
        may = [number for number, own in enumerate(free) if own and words[number].lower() in synonyms]
        return {
            number: like(draw.choice(synonyms[words[number].lower()]), words[number])
            for number in some(len(words), share, may, draw)
        }

    return edit
