"""Names of a file or of a knowledge base, found in texts."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sibu.core.errors import DataError
from sibu.core.extraction import Seen, Spot, Surroundings, Text
from sibu.core.logic import Entity
from sibu.extractors._files import lines_of, refuse
from sibu.extractors.gazetteer.names import NameTable
from sibu.store.hashes import hash_json


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for."""

    name: str
    """As it is known."""
    label: str = ""
    entity: Entity | None = None
    kinds: tuple[Entity, ...] = ()


class Gazetteer:
    """Finds names.

    Args:
        meanings: The names with what they stand for.
        version: Of these names.
        least: Fewest characters of a name.
        case_up_to: Names of up to so many characters must have their case.
        score: Of each name found.
        follows: Whether they are the knowledge base's.
    """

    def __init__(
        self,
        meanings: Iterable[Meaning],
        version: str,
        *,
        least: int,
        case_up_to: int,
        score: float,
        follows: bool = False,
    ) -> None:
        self.version = version
        self.follows = follows
        self._score, self._case_up_to = score, case_up_to
        self._names = NameTable()
        self._meanings: defaultdict[int, dict[Meaning, None]] = defaultdict(dict)
        for meaning in meanings:
            if len(meaning.name.strip()) >= least:
                number = self._names.add(meaning.name)
                if number is not None:
                    self._meanings[number][meaning] = None

    def __len__(self) -> int:
        return len(self._names)

    def extract(self, texts: Sequence[Text], so_far: Sequence[Seen]) -> list[Seen]:  # noqa: ARG002
        """The names in each text."""
        return [Seen(tuple(self._spots(each.text))) for each in texts]

    def _spots(self, text: str) -> Iterable[Spot]:
        for start, end, number in self._names.find(text):
            own = [each for each in self._meanings[number] if self._has_case(each.name, text[start:end])]
            if not own:
                continue
            labels = {each.label for each in own}
            entities = {each.entity for each in own}
            kinds = tuple(sorted({kind for each in own for kind in each.kinds}))
            label = labels.pop() if len(labels) == 1 else ""
            yield Spot(start, end, label, kinds, self._score, entities.pop() if len(entities) == 1 else None)

    def _has_case(self, name: str, found: str) -> bool:
        if len(name.strip()) > self._case_up_to:
            return True
        return unicodedata.normalize("NFKC", name.strip()) == unicodedata.normalize("NFKC", found)


def from_knowledge(surroundings: Surroundings, *, least: int, case_up_to: int, score: float) -> Gazetteer:
    """The names of the knowledge base; which of its things is meant is for the linker to say."""
    known = sorted(set(surroundings.named()))
    kinds: dict[Entity, tuple[Entity, ...]] = {}
    meanings = []
    for name, entity in known:
        if entity not in kinds:
            kinds[entity] = surroundings.kinds(entity)
        meanings.append(Meaning(name, kinds=kinds[entity]))
    version = hash_json([[name, entity.iri] for name, entity in known])[:16]
    return Gazetteer(meanings, version, least=least, case_up_to=case_up_to, score=score, follows=True)


def from_file(
    file: Path, surroundings: Surroundings, *, label: str, least: int, case_up_to: int, score: float
) -> Gazetteer:
    """The names of a file: ``name``, ``name TAB class``, ``name TAB class TAB thing``; ``#`` begins a remark.

    Raises:
        DataError: When it cannot be read, with every line at fault.
    """
    meanings, faults = [], []
    lines = lines_of(file)
    for number, line in lines:
        cells = [cell.strip() for cell in line.split("\t")]
        try:
            if len(cells) > 3:
                raise DataError(f"has {len(cells)} cells; a line has a name, then perhaps a class and a thing")
            if not cells[0]:
                raise DataError("has no name")
            own = cells[1] if len(cells) > 1 and cells[1] else label
            thing = surroundings.entity(cells[2]) if len(cells) > 2 and cells[2] else None
            meanings.append(Meaning(cells[0], own, thing))
        except DataError as fault:
            faults.append(f"{file}:{number} {fault}.")
    refuse(faults)
    if not meanings:
        raise DataError(f"{file} has no name. Write a name a line.")
    version = hash_json([lines, label])[:16]
    return Gazetteer(meanings, version, least=least, case_up_to=case_up_to, score=score)
