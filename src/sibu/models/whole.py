"""Models that transformers reads: none begins at random unseen, and nothing is said of what is not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sibu.core.errors import RecipeError

SHOWN = 3
"""Weights that are named where some are wrong."""


def require_whole(folder: Path, about: Mapping[str, Any], read: Callable[[str], bool]) -> None:
    """No weight that is read begins at random because the folder lacks it.

    Args:
        folder: Where the model was loaded from.
        about: What ``from_pretrained`` told of it, asked with ``output_loading_info`` and ``ignore_mismatched_sizes``:
            of shapes it would raise in words of its own.
        read: Whether a weight is read here, by its name.

    Raises:
        RecipeError: When one is not there, or has another shape.
    """
    wrong = [f"{name} is not there" for name in sorted(about["missing_keys"]) if read(name)]
    for name, there, wanted in sorted(about["mismatched_keys"]):
        wrong.append(f"{name} has the shape {list(there)} and not {list(wanted)}")
    if wrong:
        more = "" if len(wrong) <= SHOWN else f" (and {len(wrong) - SHOWN} more)"
        what = f"The weights in {folder} are not those of its config.json: {', '.join(wrong[:SHOWN])}{more}."
        raise RecipeError(f"{what} Copy the whole model anew.")


@contextmanager
def quiet() -> Iterator[None]:
    """Within it transformers does not tell of weights that are left out, such as a head's."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
