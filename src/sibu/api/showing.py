"""What a bundle holds, and which parts a recipe can name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import RecipeError, near_miss

if TYPE_CHECKING:
    pass


def show(bundle: str | Path) -> dict[str, Any]:
    """What is inside a bundle: tasks, labels, metrics, sizes, lineage. Every file is checked against its hash.

    ``made_of`` says of which runs an ensemble or a soup is made; None: of one.

    Raises:
        BundleError: When it is missing, damaged, or of a newer format.
    """
    from sibu.pipeline.bundle import verify
    from sibu.pipeline.record import made_of

    path = Path(bundle)
    content = verify(path)
    read = {
        name: json.loads((path / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("labels", "metrics", "record")
    }
    size = sum(file["bytes"] for file in content["files"].values())
    return {**content, **read, "made_of": made_of(read["record"]), "bytes": size}


def parts(room: str | None = None, *, options: bool = True) -> dict[str, dict[str, Any]]:
    """Every part that a recipe can name, by room: summary, options, what it needs. No torch is imported.

    Args:
        room: One room, such as ``methods``; None: all.
        options: Whether they are wanted with their help, which is read from the sources.

    Raises:
        RecipeError: When there is no such room.
    """
    from sibu.aligners import ALIGNERS
    from sibu.augmenters import AUGMENTERS
    from sibu.constraints import CONSTRAINTS
    from sibu.decoders import DECODERS
    from sibu.desks import DESKS
    from sibu.extractors import EXTRACTORS
    from sibu.fusions import FUSIONS
    from sibu.heads import HEADS
    from sibu.knowledge import KNOWLEDGE
    from sibu.methods import METHODS
    from sibu.modalities import MODALITIES
    from sibu.models.sources import packaged
    from sibu.pickers import PICKERS
    from sibu.readers import READERS
    from sibu.reasoners import REASONERS
    from sibu.rewards import REWARDS
    from sibu.scorers import SCORERS
    from sibu.tasks import TASKS
    from sibu.trackers import TRACKERS

    catalogs = {
        "tasks": TASKS,
        "methods": METHODS,
        "heads": HEADS,
        "decoders": DECODERS,
        "constraints": CONSTRAINTS,
        "rewards": REWARDS,
        "augmenters": AUGMENTERS,
        "pickers": PICKERS,
        "desks": DESKS,
        "scorers": SCORERS,
        "knowledge": KNOWLEDGE,
        "modalities": MODALITIES,
        "aligners": ALIGNERS,
        "fusions": FUSIONS,
        "readers": READERS,
        "trackers": TRACKERS,
        "reasoners": REASONERS,
        "extractors": EXTRACTORS,
    }
    rooms = [*catalogs, "models"]
    if room is not None and room not in rooms:
        raise RecipeError(f"There is no room {room!r}. {near_miss(room, rooms)}Allowed: {', '.join(rooms)}.")
    found: dict[str, dict[str, Any]] = {}
    for name, catalog in catalogs.items():
        if room in (None, name):
            found[name] = {
                part: {
                    "summary": catalog[part].summary,
                    "needs": list(catalog[part].needs),
                    "options": [
                        {"name": o.name, "type": o.type, "default": o.default, "help": o.help}
                        for o in (catalog.options(part) if options else ())
                    ],
                }
                for part in catalog
            }
    if room in (None, "models"):
        found["models"] = {
            model.alias: {"summary": model.summary, "needs": [model.package], "options": []}
            for model in packaged().values()
        }
    return found
