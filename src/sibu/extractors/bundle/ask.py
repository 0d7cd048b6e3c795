"""A bundle's tasks, asked about texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sibu.core.errors import DataError, RecipeError, SibuError, near_miss
from sibu.core.extraction import Answering, Seen, Spot, Text, Tie
from sibu.core.passages import Place, Within, passages


class Tagged:
    """Names by a task `tag`, relations by a task `relate`.

    Args:
        bundle: What answers.
        tag: The task that finds names; None: none does.
        relate: The task that finds relations; None: none does.
        within: What is shown to it.
        over_all: Whether names of earlier extractors are related too.
        most: Most names of a passage that are related.
        labels: The bundle's label by class name, for names that others found.
    """

    def __init__(
        self,
        bundle: Answering,
        *,
        tag: str | None,
        relate: str | None,
        within: Within,
        over_all: bool,
        most: int,
        labels: Mapping[str, str],
    ) -> None:
        self.version = bundle.version
        self.follows = False
        self._bundle, self._tag, self._relate = bundle, tag, relate
        self._within, self._over_all, self._most, self._labels = within, over_all or tag is None, most, labels

    def extract(self, texts: Sequence[Text], so_far: Sequence[Seen]) -> list[Seen]:
        """What the model sees in each text."""
        places = [passages(each.text, self._within) for each in texts]
        own = self._named(texts, places) if self._tag is not None else [()] * len(texts)
        if self._relate is None:
            return [Seen(spots) for spots in own]
        over = [self._over(mine, seen.spots) for mine, seen in zip(own, so_far, strict=True)]
        ties = self._related(texts, places, over)
        return [Seen(spots, tuple(mine)) for spots, mine in zip(own, ties, strict=True)]

    def _named(self, texts: Sequence[Text], places: Sequence[list[Place]]) -> list[tuple[Spot, ...]]:
        found: list[list[Spot]] = [[] for _ in texts]
        asked = [(number, place) for number, own in enumerate(places) for place in own]
        rows = [{"text": texts[number].text[start:end]} for number, (start, end) in asked]
        for (number, (begin, _)), value in zip(asked, self._answers(self._tag, rows, texts, asked), strict=True):
            for each in value:
                score = min(max(float(each.get("score") or 1.0), 0.0), 1.0)
                found[number].append(Spot(begin + each["start"], begin + each["end"], each["label"], score=score))
        return [tuple(own) for own in found]

    def _over(self, own: Sequence[Spot], others: Sequence[Spot]) -> list[Spot]:
        """The names that are related: of several at one place its own, else the surest."""
        taken: dict[Place, Spot] = {(each.start, each.end): each for each in own}
        for each in sorted(others, key=lambda spot: -spot.score) if self._over_all else ():
            if each.value is None:
                taken.setdefault((each.start, each.end), each)
        return sorted(taken.values(), key=lambda spot: (spot.start, spot.end))

    def _related(
        self, texts: Sequence[Text], places: Sequence[list[Place]], over: Sequence[list[Spot]]
    ) -> list[list[Tie]]:
        asked: list[tuple[int, Place]] = []
        chosen: list[list[Spot]] = []
        rows = []
        for number, own in enumerate(places):
            for begin, end in own:
                here = self._surest([each for each in over[number] if begin <= each.start and each.end <= end])
                if len(here) < 2:
                    continue
                asked.append((number, (begin, end)))
                chosen.append(here)
                entities = [self._entity(each, begin) for each in here]
                rows.append({"text": texts[number].text[begin:end], "entities": entities})
        found: list[list[Tie]] = [[] for _ in texts]
        answers = self._answers(self._relate, rows, texts, asked)
        for (number, _), here, value in zip(asked, chosen, answers, strict=True):
            for each in value:
                head, tail = here[each["head"]], here[each["tail"]]
                start, end = min(head.start, tail.start), max(head.end, tail.end)
                score = min(max(float(each.get("score") or 1.0), 0.0), 1.0)
                found[number].append(Tie(head, tail, each["label"], start, end, score))
        return found

    def _surest(self, spots: list[Spot]) -> list[Spot]:
        kept = sorted(spots, key=lambda spot: -spot.score)[: self._most]
        return sorted(kept, key=lambda spot: (spot.start, spot.end))

    def _entity(self, spot: Spot, begin: int) -> dict[str, Any]:
        label = {"label": self._labels.get(spot.label, spot.label)} if spot.label else {}
        return {"start": spot.start - begin, "end": spot.end - begin, **label}

    def _answers(
        self,
        task: str | None,
        rows: Sequence[Mapping[str, Any]],
        texts: Sequence[Text],
        asked: Sequence[tuple[int, Place]],
    ) -> Iterator[list[dict[str, Any]]]:
        assert task is not None
        for (number, (begin, _)), answer in zip(asked, self._bundle.answer(task, rows) if rows else (), strict=True):
            if isinstance(answer, SibuError):
                raise DataError(f"{texts[number].document}, from character {begin} on: {answer}")
            yield list(answer.value)


def asking(
    bundle: Answering,
    folder: str,
    chosen: Mapping[str, str | None],
    *,
    within: Within,
    over_all: bool,
    most: int,
    classes: Mapping[str, str],
) -> Tagged:
    """The extractor of a bundle's tasks.

    Args:
        bundle: The bundle.
        folder: Its folder, for messages.
        chosen: Name of the task by its type, ``tag`` and ``relate``; None: the only one.
        within: What is shown to it.
        over_all: Whether names of earlier extractors are related too.
        most: Most names of a passage that are related.
        classes: Class by the bundle's label.

    Raises:
        RecipeError: When it has no such task, or several and none was chosen.
    """
    tasks = {kind: _task(bundle, folder, kind, name) for kind, name in chosen.items()}
    if not any(tasks.values()):
        there = ", ".join(f"{name} ({kind})" for name, kind in bundle.tasks.items())
        raise RecipeError(f"The bundle {folder} has no task of type `tag` or `relate`. It has: {there}.")
    labels = {name: label for label, name in classes.items()}
    named: dict[str, Any] = {"within": within, "over_all": over_all, "most": most, "labels": labels}
    return Tagged(bundle, tag=tasks["tag"], relate=tasks["relate"], **named)


def _task(bundle: Answering, folder: str, kind: str, name: str | None) -> str | None:
    fitting = [each for each, own in bundle.tasks.items() if own == kind]
    if name is None:
        if len(fitting) > 1:
            raise RecipeError(
                f"The bundle {folder} has several tasks `{kind}`. Name one as `{kind}`: {', '.join(fitting)}."
            )
        return fitting[0] if fitting else None
    if name not in fitting:
        there = f"It has: {', '.join(fitting)}." if fitting else "It has none."
        raise RecipeError(f"The bundle {folder} has no task `{kind}` named {name!r}. {near_miss(name, fitting)}{there}")
    return name
