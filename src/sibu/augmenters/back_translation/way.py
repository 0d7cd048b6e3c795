"""What a translation model must be told, from its folder or its bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sibu.augmenters._hf import architectures
from sibu.core.errors import RecipeError
from sibu.core.example import as_names
from sibu.models.sources import Source

UNREAD = ("system", "template", "stop", "examples")
"""Options of the task `generate` that a translation here does not follow."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way of a translation."""

    source: Source
    before: str
    """What stands before each text."""
    languages: tuple[str, str] | None
    """From which to which, for a model of many."""


def way_of(source: Source, *, prefix: str, languages: tuple[str, str] | None) -> Way:
    """The way that a model translates.

    Args:
        source: The model.
        prefix: What the recipe puts before each text.
        languages: As the recipe names them.

    Raises:
        RecipeError: When it is no encoder-decoder, or a bundle that asks in a way that cannot be followed.
    """
    names, both = architectures(source)
    if not both:
        given = ", ".join(names) or "no architecture"
        raise RecipeError(
            f"The model {source.name!r} does not translate: it is no encoder-decoder ({given}). Give one (Marian, T5, "
            "M2M100, NLLB, mBART), or a bundle of the task `generate` that was trained from one."
        )
    before = prefix
    if source.bundle is not None and (asked := _instruction(source.bundle)):
        before = f"{asked}\n\n{prefix}"
    return Way(source, before, languages)


def _instruction(bundle: Path) -> str:
    """What the only task of a bundle puts before each text."""
    import yaml

    tasks: dict[str, Any] = yaml.safe_load((bundle / "recipe.yaml").read_text(encoding="utf-8"))["tasks"]
    found = [task for task in tasks.values() if task["type"] == "generate"]
    if len(found) != 1:
        raise RecipeError(
            f"The bundle {str(bundle)!r} must have one task `generate` to translate, and has {len(found)} "
            f"(its tasks: {as_names(tasks)})."
        )
    if said := [key for key in UNREAD if found[0].get(key)]:
        raise RecipeError(
            f"The bundle {str(bundle)!r} translates by {as_names(said)}, which back_translation cannot follow. Give "
            "one that was trained without."
        )
    return str(found[0].get("instruction") or "")
