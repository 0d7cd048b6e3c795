"""What changed between the recipe that something was begun with and the one that is to go on with it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sibu.core.errors import RecipeError
from sibu.recipe.fill import as_written
from sibu.recipe.schema import Recipe

FREE = ("release", "track")
"""Keys that may change while something is unfinished: they say what is told of it, not what is learned."""
SHOWN = 5
"""Keys that a message names; of more it tells how many there are."""


def begun_otherwise(what: str, known: Mapping[str, Any] | None, recipe: Recipe) -> RecipeError:
    """The refusal to go on with what another recipe, other data or another model began.

    Args:
        what: What stands there, with its place.
        known: The recipe that it was begun with, as written; None: it was not noted.
        recipe: The recipe that is to go on with it.
    """
    if known is None:
        since = "the recipe, the data or the model"
    else:
        keys = changed_keys(known, as_written(recipe), free=FREE)
        since = f"the recipe ({named(keys)})" if keys else "the data or the model"
    return RecipeError(
        f"{what} was begun with something else: {since} changed since. "
        "Undo the change to resume, or begin anew with --force."
    )


def changed_keys(known: Mapping[str, Any], own: Mapping[str, Any], *, free: Collection[str] = ()) -> list[str]:
    """The dotted keys in which two recipes differ, in order, without those of the blocks that may change."""
    return sorted(path for path in _differences(known, own) if path.split(".")[0] not in free)


def named(keys: Sequence[str]) -> str:
    """Keys as a message tells them."""
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(keys[:SHOWN]) + more


def _differences(one: Any, two: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        for key in one.keys() | two.keys():
            yield from _differences(one.get(key), two.get(key), f"{path}.{key}" if path else key)
    elif one != two:
        yield path
