"""What extractors are told: files, bundles, and what the knowledge base knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import BundleError, SibuError
from sibu.core.extraction import Spot, Vocabulary
from sibu.core.logic import TYPE, Entity
from sibu.core.names import OWL, RDFS
from sibu.core.result import Prediction
from sibu.curation.extracting.ontology import Ontology
from sibu.graph.cells import entity_of
from sibu.graph.reading import Reading
from sibu.pipeline.progress import Silent

if TYPE_CHECKING:
    from sibu.pipeline.bundle import Opened


@dataclass(frozen=True, slots=True)
class Asked:
    """A bundle that answers extractors."""

    opened: Opened

    @property
    def version(self) -> str:
        """The hash of all its files."""
        return str(self.opened.manifest["sha256"])[:16]

    @property
    def tasks(self) -> Mapping[str, str]:
        """Type by name."""
        return {name: block.task.type for name, block in self.opened.recipe.tasks.items()}  # type: ignore[attr-defined]

    def answer(self, task: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Prediction | SibuError]:
        """One answer a row."""
        from sibu.pipeline.answer import answer_inputs

        return list(answer_inputs(self.opened, task, rows, progress=Silent(), total=None))

    def bound(self, task: str, overrides: Sequence[str]) -> Asked:
        """The same, of which a task answers otherwise."""
        return Asked(self.opened.answering(task, overrides))


class Bundles:
    """Bundles, each opened once."""

    def __init__(self) -> None:
        self._opened: dict[Path, Asked] = {}

    def open(self, folder: Path) -> Asked:
        """The bundle of a folder.

        Raises:
            BundleError: When there is none.
        """
        from sibu.pipeline.write import open_bundle

        place = folder.resolve()
        if place not in self._opened:
            self._opened[place] = Asked(open_bundle(folder))
        return self._opened[place]


class Known:
    """What one extractor may ask.

    Args:
        kb: The knowledge base.
        ontology: What it says of classes.
        home: Folder of relative paths.
        classes: Class by label, as the extractor's options have it.
        bundles: Where bundles are opened.
    """

    def __init__(
        self, kb: Reading, ontology: Ontology, home: Path, classes: Mapping[str, str], bundles: Bundles
    ) -> None:
        self._kb, self._ontology, self._home, self._classes, self._bundles = kb, ontology, home, classes, bundles
        self._of_class = lru_cache(1 << 14)(self._are_of)
        self._no_class: set[str] = set()
        self._spoken: set[str] = set()

    def file(self, given: str) -> Path:
        """A file, from the folder of the plan."""
        return self._home / given

    def bundle(self, given: str) -> Asked:
        """A bundle, from the folder of the plan."""
        folder = self._home / given
        if not folder.is_dir():
            raise BundleError(f"No bundle at {given}: there is no folder {folder}. `sibu run RECIPE` writes one.")
        return self._bundles.open(folder)

    def named(self) -> Iterator[tuple[str, Entity]]:
        """Labels and aliases of things; those of classes and properties name nothing that facts are about."""
        schema = self._ontology.classes | self._ontology.properties
        for value, entity in self._kb.labelled.all():
            if entity not in schema:
                yield value.text, entity

    def kinds(self, entity: Entity) -> tuple[Entity, ...]:
        """Its classes, but those that are of everything or of what an ontology is made of."""
        found = (each.object for each in self._kb.triples(entity, TYPE))
        return tuple(
            sorted(each for each in found if isinstance(each, Entity) and not each.iri.startswith((OWL, RDFS)))
        )

    def entity(self, name: str) -> Entity:
        """The thing of a name."""
        return entity_of(name, self._kb.names)[0]

    def class_of(self, label: str) -> Entity | None:
        """The class that a label stands for; None where the schema has none."""
        return self._ontology.named(self._classes.get(label, label), is_class=True)

    def fits(self, spot: Spot, label: str) -> bool:
        """Whether what a passage names is of a class, as far as is known."""
        if spot.label == label:
            self._spoken.add(label)
            return True
        return self._of_class(spot.kinds, label)

    def _are_of(self, kinds: tuple[Entity, ...], label: str) -> bool:
        wanted = self.class_of(label)
        if wanted is None:
            self._no_class.add(label)
            return False
        return any(self._ontology.is_a(kind, wanted) for kind in kinds)

    def unmet(self) -> list[str]:
        """What was looked for and nothing can be: the schema has no such class, and no extractor found one so far."""
        return sorted(self._no_class - self._spoken)

    def vocabulary(self) -> Vocabulary:
        """Classes and properties of the ontology, by short names."""
        short = self._kb.names.short
        classes = tuple(sorted(short(each.iri) for each in self._ontology.classes))
        return Vocabulary(classes, tuple(sorted(short(each.iri) for each in self._ontology.properties)))
