"""Which bundles new facts are a reason to train again, and the rows to do it with."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sibu.core.logic import TYPE, Entity, Triple
from sibu.core.names import OWL, RDF, RDFS
from sibu.curation.extracting.ontology import Ontology
from sibu.curation.extracting.plan import Planned
from sibu.curation.updating.distant import Distant, Rows, Words
from sibu.extractors.bundle import BundleSpec
from sibu.graph.labels import LABELS
from sibu.pipeline.bundle import open_recipe, read_manifest
from sibu.store.atomic import new_file

_SCHEMA = (RDF, RDFS, OWL)


@dataclass(frozen=True, slots=True)
class Trained:
    """A bundle whose labels are classes and relations of the knowledge base."""

    folder: Path
    tasks: Mapping[str, str]
    """Its task of type ``tag``, and that of type ``relate``, by type."""
    words: Words


@dataclass(frozen=True, slots=True)
class Advice:
    """What the new facts are to a bundle."""

    trained: Trained
    rows: Rows
    files: Mapping[str, Path] = field(default_factory=dict)
    """Where the rows of each task are, where they were written."""

    @property
    def retrain(self) -> bool:
        """Whether there is something to learn."""
        return bool(self.rows.tag or self.rows.relate)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        tasks = {
            name: {
                "rows": len(getattr(self.rows, kind)),
                "labels": dict(self.rows.labels(kind).most_common()),
                **({"file": str(self.files[kind])} if kind in self.files else {}),
            }
            for kind, name in self.trained.tasks.items()
        }
        told: dict[str, Any] = {"bundle": str(self.trained.folder), "retrain": self.retrain, "tasks": tasks}
        return told | ({"command": self.command()} if self.files else {})

    def command(self) -> str:
        """How to train it again, on its own rows and the new ones."""
        recipe = open_recipe(self.trained.folder)
        said = []
        for kind, file in self.files.items():
            name = self.trained.tasks[kind]
            given = recipe.tasks[name].data.train
            files = [given] if isinstance(given, str) else list(given or ())
            listed = json.dumps([*files, str(file.resolve())], ensure_ascii=False)
            said.append(f"tasks.{name}.data.train={listed}")
        out = self.trained.folder.with_name(f"{self.trained.folder.name}-updated")
        words = ["sibu", "run", str(self.trained.folder / "recipe.yaml"), *said, "--out", str(out)]
        return shlex.join(words)


def trained(planned: Planned | None, folders: Sequence[Path], ontology: Ontology) -> list[Trained]:
    """The bundles of a plan's extractors, and others that are named, each once.

    Raises:
        BundleError: When one is none.
    """
    found: dict[Path, Trained] = {}
    for spec in planned.extractors if planned is not None else ():
        if isinstance(spec, BundleSpec) and planned is not None:
            folder = planned.home / spec.bundle
            maps = ({**planned.plan.classes, **spec.classes}, {**planned.plan.properties, **spec.properties})
            found.setdefault(
                folder.resolve(), _trained(folder, {"tag": spec.tag, "relate": spec.relate}, maps, ontology)
            )
    plan = planned.plan if planned is not None else None
    maps = (dict(plan.classes), dict(plan.properties)) if plan is not None else ({}, {})
    for folder in folders:
        found.setdefault(folder.resolve(), _trained(folder, {}, maps, ontology))
    return list(found.values())


def _trained(
    folder: Path,
    chosen: Mapping[str, str | None],
    maps: tuple[Mapping[str, str], Mapping[str, str]],
    ontology: Ontology,
) -> Trained:
    read_manifest(folder)
    recipe = open_recipe(folder)
    states = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    tasks: dict[str, str] = {}
    words: dict[str, dict[Entity, str]] = {}
    for kind, own in zip(("tag", "relate"), maps, strict=True):
        fitting = [name for name, block in recipe.tasks.items() if getattr(block.task, "type", "") == kind]
        name = chosen.get(kind) or (fitting[0] if len(fitting) == 1 else None)
        words[kind] = {}
        if name is not None and name in states:
            tasks[kind] = name
            meant = {
                label: ontology.named(own.get(label, label), is_class=kind == "tag") for label in states[name]["labels"]
            }
            words[kind] = {thing: label for label, thing in reversed(meant.items()) if thing is not None}
    return Trained(folder, tasks, Words(words["tag"], words["relate"]))


def advice(
    bundles: Sequence[Trained], distant: Distant, documents: Iterable[str], rows_to: Path | None
) -> list[Advice]:
    """The rows that new facts yield for each bundle, written where a folder is given.

    Args:
        bundles: The bundles.
        distant: Makes the rows.
        documents: Documents whose texts are kept.
        rows_to: Folder for the rows: a file a bundle and task; None: they are counted alone.
    """
    names = list(documents)
    found = []
    for each in bundles:
        rows = distant.rows(names, each.words)
        files = dict(_written(each, rows, rows_to)) if rows_to is not None else {}
        found.append(Advice(each, rows, files))
    return found


def _written(own: Trained, rows: Rows, folder: Path) -> Iterator[tuple[str, Path]]:
    for kind, name in own.tasks.items():
        lines = getattr(rows, kind)
        if lines:
            place = folder / f"{own.folder.resolve().name}.{name}.jsonl"
            with new_file(place) as draft:
                draft.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in lines), encoding="utf-8")
            yield kind, place


def unseen(new: Iterable[Triple], bundles: Sequence[Trained]) -> Counter[Entity]:
    """Classes and relations of new facts for which no bundle has a label, with how many facts have them."""
    classes = {kind for each in bundles for kind in each.words.classes}
    properties = {prop for each in bundles for prop in each.words.properties}
    found: Counter[Entity] = Counter()
    for fact in new:
        if fact.predicate == TYPE:
            if isinstance(fact.object, Entity) and fact.object not in classes:
                found[fact.object] += 1
        elif isinstance(fact.object, Entity) and fact.predicate not in (*properties, *LABELS):
            found[fact.predicate] += 1
    return Counter({thing: count for thing, count in found.items() if not thing.iri.startswith(_SCHEMA)})
