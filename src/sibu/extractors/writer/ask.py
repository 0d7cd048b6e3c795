"""What a model writes of a text, as names and relations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sibu.core.errors import RecipeError, SibuError, near_miss
from sibu.core.extraction import Answering, Seen, Spot, Text, Tie, Vocabulary
from sibu.core.passages import Within, passages
from sibu.store.hashes import hash_json

MOST = 16
"""Most names, and most relations, of an answer."""


def schema_of(vocabulary: Vocabulary) -> dict[str, Any]:
    """The JSON schema of what may be written: names with classes, relations between them."""
    text = {"type": "string", "minLength": 1, "maxLength": 80}
    name = {"text": text}
    if vocabulary.classes:
        name["class"] = {"enum": list(vocabulary.classes)}
    found: dict[str, Any] = {"names": _listed(name)}
    if vocabulary.properties:
        found["relations"] = _listed({"head": text, "relation": {"enum": list(vocabulary.properties)}, "tail": text})
    return {"type": "object", "properties": found, "required": list(found), "additionalProperties": False}


def _listed(properties: Mapping[str, Any]) -> dict[str, Any]:
    item = {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "array", "items": item, "maxItems": MOST}


class Written:
    """Names and relations that a model writes.

    Args:
        bundle: What writes, bound to the schema.
        task: Its task.
        version: Of bundle and schema.
        within: What is shown to it.
        score: Of all that it writes.
    """

    def __init__(self, bundle: Answering, task: str, version: str, *, within: Within, score: float) -> None:
        self.version = version
        self.follows = False
        self._bundle, self._task, self._within, self._score = bundle, task, within, score

    def extract(self, texts: Sequence[Text], so_far: Sequence[Seen]) -> list[Seen]:  # noqa: ARG002
        """What the model writes of each text."""
        asked = [(number, place) for number, each in enumerate(texts) for place in passages(each.text, self._within)]
        rows = [{"text": texts[number].text[begin:end]} for number, (begin, end) in asked]
        spots: list[dict[Spot, None]] = [{} for _ in texts]
        ties: list[dict[Tie, None]] = [{} for _ in texts]
        answers = self._bundle.answer(self._task, rows) if rows else ()
        for (number, (begin, end)), row, answer in zip(asked, rows, answers, strict=True):
            if isinstance(answer, SibuError):  # an answer that did not end
                continue
            seen = seen_in(row["text"], begin, str(answer.value), self._score, (begin, end))
            spots[number].update(dict.fromkeys(seen.spots))
            ties[number].update(dict.fromkeys(seen.ties))
        return [Seen(tuple(own), tuple(mine)) for own, mine in zip(spots, ties, strict=True)]


def seen_in(text: str, begin: int, written: str, score: float, place: tuple[int, int]) -> Seen:
    """What was written of a passage, where it stands in it.

    Args:
        text: The passage.
        begin: Its first character in the document.
        written: The JSON.
        score: Of each name and relation.
        place: Of the passage in the document.
    """
    try:
        found = json.loads(written)
    except ValueError:
        return Seen()
    spots: dict[str, Spot] = {}
    for each in found.get("names") or ():
        spot = _placed(text, each["text"], each.get("class", ""), begin, score)
        if spot is not None:
            spots.setdefault(each["text"], spot)
    ties = []
    for each in found.get("relations") or ():
        ends = [spots.get(each[side]) or _placed(text, each[side], "", begin, score) for side in ("head", "tail")]
        if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            ties.append(Tie(ends[0], ends[1], each["relation"], *place, score))
    return Seen(tuple(spots.values()), tuple(ties))


def _placed(text: str, name: str, label: str, begin: int, score: float) -> Spot | None:
    """Where a name stands first; None where it does not."""
    name = name.strip()
    start = text.find(name)
    if not name or start < 0:
        return None
    return Spot(begin + start, begin + start + len(name), label, score=score)


def writing(
    bundle: Answering,
    folder: str,
    task: str | None,
    vocabulary: Vocabulary,
    *,
    instruction: str | None,
    within: Within,
    max_new_tokens: int,
    score: float,
) -> Written:
    """The extractor of a bundle that writes.

    Raises:
        RecipeError: When it has no such task, or there is nothing that could be written.
    """
    fitting = [name for name, kind in bundle.tasks.items() if kind == "generate"]
    if task is None and len(fitting) != 1:
        there = f"It has: {', '.join(fitting)}." if fitting else "Train one by `sibu run`."
        raise RecipeError(
            f"The bundle {folder} has {len(fitting)} tasks `generate`; one is to be named as `task`. {there}"
        )
    if task is not None and task not in fitting:
        raise RecipeError(
            f"The bundle {folder} has no task `generate` named {task!r}. {near_miss(task, fitting)}".rstrip()
        )
    if not vocabulary.classes and not vocabulary.properties:
        raise RecipeError(
            "The knowledge base has no class and no property, so a writer could write nothing. Add an ontology."
        )
    schema = schema_of(vocabulary)
    name = task or fitting[0]
    overrides = [f"constrain={json.dumps({'name': 'json', 'json_schema': schema}, ensure_ascii=False)}"]
    overrides.append(f"max_new_tokens={max_new_tokens}")
    if instruction is not None:
        overrides.append(f"instruction={json.dumps(instruction, ensure_ascii=False)}")
    version = f"{bundle.version[:16]}-{hash_json([schema, instruction])[:8]}"
    return Written(bundle.bound(name, overrides), name, version, within=within, score=score)
