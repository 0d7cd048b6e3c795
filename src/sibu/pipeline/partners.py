"""Candidates of one modality ranked for queries of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sibu.core.errors import DataError, RecipeError, SibuError, counted
from sibu.core.result import Prediction
from sibu.pipeline.answer import answer_inputs
from sibu.pipeline.bundle import Opened
from sibu.pipeline.progress import Progress

Given = tuple[Any, Any]
"""An id and a record."""


def partners(
    opened: Opened, name: str, queries: Sequence[Given], among: Sequence[Given], *, most: int, progress: Progress
) -> Iterator[dict[str, Any]]:
    """A line a query: its nearest candidates, the nearest first, each with the cosine.

    Candidates that cannot be read are told, and counted in each line as ``left_out``.

    Args:
        opened: The bundle.
        name: A task `match`.
        queries: Each with a value of one of its two modalities.
        among: The candidates, with values of the other.
        most: So many candidates a query.
        progress: Where to tell how far it is.

    Raises:
        RecipeError: When the task is another.
        DataError: When no candidate can be read.
    """
    task: Any = opened.tasks[name]
    if not hasattr(task, "of"):
        raise RecipeError(f"The task {name!r} finds no partners; a task `match` does.")
    known = _vectors(opened, name, among, progress)
    wrong = [(each, fault) for (each, _), fault in zip(among, known, strict=True) if isinstance(fault, SibuError)]
    if wrong:
        said = f"{counted(len(wrong), 'candidate')} cannot be read, such as {wrong[0][0]!r}: {wrong[0][1]}"
        if len(wrong) == len(among):
            raise DataError(f"None can be found: {said}")
        progress.say(f"{said} The rest are compared.")
    sound = [place for place, each in enumerate(known) if not isinstance(each, SibuError)]
    among, known = [among[place] for place in sound], [known[place] for place in sound]
    for (label, _), found in zip(queries, _vectors(opened, name, queries, progress), strict=True):
        line: dict[str, Any] = {"id": label, "task": name}
        if isinstance(found, SibuError):
            yield line | {"error": str(found)}
            continue
        ranked = _ranked(task.of, found, among, known, most)
        line |= {"error": str(ranked)} if isinstance(ranked, DataError) else {"value": ranked}
        yield line | ({"left_out": len(wrong)} if wrong else {})


def _vectors(
    opened: Opened, name: str, given: Sequence[Given], progress: Progress
) -> list[Mapping[str, Any] | SibuError]:
    found = answer_inputs(opened, name, [record for _, record in given], progress=progress, total=len(given))
    return [each.value if isinstance(each, Prediction) else each for each in found]


def _ranked(
    of: Sequence[str], query: Mapping[str, Any], among: Sequence[Given], known: Sequence[Any], most: int
) -> list[dict[str, Any]] | DataError:
    asked = [name for name in of if name in query]
    if len(asked) != 1:
        return DataError(f"a query has one of {of[0]!r} and {of[1]!r}, this one has both.")
    other = of[1] if asked[0] == of[0] else of[0]
    there = [place for place, each in enumerate(known) if other in each]
    if not there:
        return DataError(f"a query by {asked[0]!r} is compared with {other!r}, which no candidate has.")
    scores = np.array([known[place][other] for place in there]) @ np.array(query[asked[0]])
    best = np.argsort(-scores, kind="stable")[:most]
    return [{"id": among[there[place]][0], "score": round(float(scores[place]), 6)} for place in best]
