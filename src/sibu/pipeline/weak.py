"""Labels from rules: what each rule says of a row, and what all of them together mean."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError, Fault, RecipeError, counted
from sibu.core.example import Faults, Row, as_names, is_cjk
from sibu.pipeline.augment import stored_row, write_rows
from sibu.pipeline.data import Origin, Rows, named_files, read_rows
from sibu.pipeline.progress import Progress
from sibu.recipe.schema import DataBlock, Rule, TaskBlock
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_json

STEPS, CLOSE = 200, 1e-7
GUESS, WORTH = 0.75, 4.0
"""How often a rule is right before anything is known of it, and how many votes that guess is worth."""
SILENT = -1
CALM = 0.5
"""A threshold that turns away only rows for which two labels are as likely."""


@dataclass(frozen=True, slots=True)
class LabelModel:
    """What votes say of labels.

    Each row has one label; a rule that votes is right with a probability of its own, else it votes for any other label
    alike, and rules err independently. Source: Dawid and Skene, 1979, with one accuracy a rule as in Ratner et al.,
    2016, arXiv:1605.07723.
    """

    accuracies: np.ndarray
    """How often each rule is right. Shape ``(J,)``."""
    shares: np.ndarray
    """How frequent each label is. Shape ``(C,)``."""

    def chances(self, votes: np.ndarray) -> np.ndarray:
        """Probability of each label, ``(N, C)``, by votes ``(N, J)``: label numbers, -1 where a rule says nothing."""
        labels = len(self.shares)
        right, wrong = np.log(self.accuracies), np.log((1 - self.accuracies) / max(labels - 1, 1))
        scores = np.tile(np.log(self.shares), (len(votes), 1))
        for rule, own in enumerate(votes.T):
            voted = own != SILENT
            scores[voted] += wrong[rule]
            scores[voted, own[voted]] += right[rule] - wrong[rule]
        scores = np.exp(scores - scores.max(1, keepdims=True))
        return np.asarray(scores / scores.sum(1, keepdims=True))

    @classmethod
    def fitted(cls, votes: np.ndarray, labels: int) -> LabelModel:
        """How often each rule is right, from how it agrees with the others.

        By expectation and maximisation, where a rule is judged by what the others say alone: judged by its own vote
        too, rules that hardly overlap could be thought always right or always wrong, as the labels' shares have it. A
        guess worth a few votes stands behind each accuracy; labels are as frequent as each other until voted for.
        """
        found = cls(np.full(votes.shape[1], GUESS), np.full(labels, 1 / labels))
        for _ in range(STEPS):
            accuracies = found.accuracies.copy()
            for rule, own in enumerate(votes.T):
                others = votes.copy()
                others[:, rule] = SILENT
                places = np.flatnonzero((own != SILENT) & (others != SILENT).any(1))
                chances = found.chances(others[places])[np.arange(len(places)), own[places]]
                right = found.accuracies[rule] * chances
                wrong = (1 - found.accuracies[rule]) * (1 - chances) / max(labels - 1, 1)
                agreed = (right / np.maximum(right + wrong, 1e-300)).sum()
                accuracies[rule] = (agreed + GUESS * WORTH) / (len(places) + WORTH)
            moved = float(np.abs(accuracies - found.accuracies).max(initial=0.0))
            found = cls(accuracies, found.shares)
            if moved < CLOSE:
                break
        return found


def majority(votes: np.ndarray, labels: int) -> np.ndarray:
    """The share of the votes that each label has, ``(N, C)``."""
    counts = np.stack([(votes == label).sum(1) for label in range(labels)], 1).astype(float)
    return np.asarray(counts / np.maximum(counts.sum(1, keepdims=True), 1))


def fires(rule: Rule, row: Row) -> bool:
    """Whether a rule says anything of a row."""
    text = str(row.get(rule.field) or "")
    if rule.pattern is not None:
        return re.search(rule.pattern, text) is not None
    folded = text.casefold()
    return any(_stands(word.casefold(), folded) for word in rule.words or ())


def _stands(word: str, text: str) -> bool:
    """Whether a word stands whole somewhere in a text; a Chinese character beside it is no part of it."""
    at = text.find(word)
    while at >= 0:
        if not _goes_on(text, at) and not _goes_on(text, at + len(word)):
            return True
        at = text.find(word, at + 1)
    return False


def _goes_on(text: str, place: int) -> bool:
    """Whether the characters before and behind a place are of one word: letters or digits of one that needs spaces."""
    return 0 < place < len(text) and all(each.isalnum() and not is_cjk(each) for each in text[place - 1 : place + 1])


def require_rules(name: str, data: DataBlock, columns: Sequence[Column], labels: Sequence[str] | None) -> None:
    """Every rule can be asked.

    Raises:
        RecipeError: Naming each that names a field or a label that is not there, or is no expression.
    """
    wrong: list[Fault] = []
    texts = [column.name for column in columns if column.role == "input" and column.kind == "text"]
    for number, rule in enumerate(data.rules):
        where = f"tasks.{name}.data.rules.{number}"
        if rule.field not in texts:
            wrong.append(Fault(where, f"there is no field {rule.field!r}.", f"Allowed: {', '.join(texts)}."))
        if labels is not None and rule.label not in labels:
            wrong.append(Fault(where, f"{rule.label!r} is no label.", f"Allowed: {as_names(labels)}."))
        if rule.pattern is not None:
            try:
                re.compile(rule.pattern)
            except re.error as fault:
                wrong.append(Fault(where, f"{rule.pattern!r} is no regular expression: {fault}.", "Mend it."))
    if wrong:
        raise RecipeError(wrong)


def training_rows(
    name: str, block: TaskBlock, origin: Origin, faults: Faults, progress: Progress
) -> tuple[Rows, dict[str, Any] | None]:
    """The training rows; with rules those that have a label or get one, and what came of the rules.

    Args:
        name: The task's name.
        block: Its part of the recipe, with files to train on.
        origin: How its files are read.
        faults: Takes what is wrong with the rows.
        progress: Where to tell what came of the rules.

    Raises:
        RecipeError: When the rules do not suit the task, or a column is not there.
        DataError: When a file is missing, or no row can be used.
    """
    files = named_files(block.data.train or ())
    if not block.data.rules:
        return read_rows(files, origin, faults), None
    require_rules(name, block.data, origin.columns, getattr(block.task, "labels", None))
    roles = {column.name: column.role for column in origin.columns}
    inputs = tuple(group for group in origin.needs if roles[group[0]] == "input")
    bare = read_rows(files, replace(origin, needs=inputs), Faults(), targets=False)
    there = set(json.loads((bare.folder / "about.json").read_text(encoding="utf-8"))["in_files"])
    fields = {key: column for key, column in origin.fields.items() if roles.get(key) == "input" or column in there}
    rows = read_rows(files, replace(origin, needs=inputs, fields=fields), faults)
    _require_fields(name, block.data, origin, there)
    labelled, told = weakly_labelled(rows, origin.columns, block.data, name=name, progress=progress)
    if told["lists"] and told["labelled"]:
        place = next(f"{file}:{line}" for file, line, row in _each(rows) if isinstance(row.get("label"), list))
        what = f"{place}: the label is a list ({counted(told['lists'], 'row')}), and `rules` give other rows one label."
        raise DataError(f"{what} Give each row one label, or leave the rules of {name} out.")
    sound = not faults.number("error") and not told["lists"]  # else the gate is to tell what is wrong with the rows
    if sound and len(told["labels"]) < 2 and getattr(block.task, "labels", None) is None:
        what = f"the rows that have a label or get one are all {as_names(told['labels'])}; a classifier needs two."
        mend = "Write a rule for another label, or widen those that say nothing."
        raise RecipeError(Fault(f"tasks.{name}.data.rules", what, mend))
    return labelled, told


def _require_fields(name: str, data: DataBlock, origin: Origin, there: Container[str]) -> None:
    """Every rule looks where the files have something.

    Raises:
        RecipeError: Naming each that looks into a column that is in none of them.
    """
    wrong = []
    for number, rule in enumerate(data.rules):
        column = origin.fields.get(rule.field, rule.field)
        if column not in there:
            mend = "Look into `text`, or name the column under the task's `fields`."
            wrong.append(Fault(f"tasks.{name}.data.rules.{number}.field", f"no file has the column {column!r}.", mend))
    if wrong:
        raise RecipeError(wrong)


def weakly_labelled(
    rows: Rows, columns: Sequence[Column], data: DataBlock, *, name: str, progress: Progress
) -> tuple[Rows, dict[str, Any]]:
    """The rows that have a label of their own or get one by rules.

    Args:
        rows: Rows, with labels or without.
        columns: The task's columns.
        data: Its rules.
        name: The task's name.
        progress: Where to tell what came of it.

    Returns:
        The labelled rows, each at its own place in its file; and how many there are of each kind, with what is known of
        each rule.

    Raises:
        DataError: When no row gets a label.
    """
    rules = [rule.model_dump(mode="json") for rule in data.rules]
    options = [rules, data.label_model, data.rule_threshold]
    folder = cached(
        "weak", hash_json([hash_code(), rows.key(), options]), lambda folder: _write(folder, rows, columns, data)
    )
    told: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))["made"]
    for line in _lines(name, told):
        progress.say(line)
    if not told["labelled"] + told["have one"]:
        what = f"No rule gives any of {name}'s {counted(told['rows'], 'row')} a label."
        if not told["in doubt"]:
            raise DataError(f"{what} No word or pattern of theirs is in the texts: widen them.")
        least = f" Or lower `rule_threshold` ({data.rule_threshold:g})." * (data.rule_threshold > CALM)
        why = f"Where they say something ({counted(told['in doubt'], 'row')}), they speak for several labels"
        why += " or are not sure enough" * bool(least)
        raise DataError(f"{what} {why}. Narrow those that fire where another should.{least}")
    return Rows(folder, rows.files), told


def _each(rows: Rows) -> Iterator[tuple[str, int, Row]]:
    for chunk in rows.chunks():
        yield from chunk


def _write(folder: Path, rows: Rows, columns: Sequence[Column], data: DataBlock) -> None:
    names = sorted({rule.label for rule in data.rules})
    numbers = {label: number for number, label in enumerate(names)}
    whole = list(rows)
    votes = np.array(
        [[numbers[rule.label] if fires(rule, row) else SILENT for rule in data.rules] for row in whole], np.int64
    ).reshape(len(whole), len(data.rules))
    own = np.array([row.get("label") is not None for row in whole], bool)
    model = LabelModel.fitted(votes, len(names))
    chances = model.chances(votes) if data.label_model == "accuracy" else majority(votes, len(names))
    best = chances.argmax(1)
    spoken = (votes != SILENT).any(1)
    ordered = np.sort(chances, 1)
    tied = len(names) > 1 and (ordered[:, -1] - ordered[:, -2] < 1e-9)
    sure = spoken & (chances.max(1) >= data.rule_threshold) & ~tied
    given = {names[number] for number in best[sure & ~own]}
    told = {
        "rows": len(whole),
        "have one": int(own.sum()),
        "labelled": int((sure & ~own).sum()),
        "in doubt": int((spoken & ~sure & ~own).sum()),
        "without a rule": int((~spoken & ~own).sum()),
        "labels": sorted({str(row["label"]) for row in whole if row.get("label") is not None} | given),
        "lists": sum(isinstance(row.get("label"), list) for row in whole),
        "rules": [_about(rule, number, votes, model) for number, rule in enumerate(data.rules)],
    }

    def kept() -> Iterator[dict[str, Any]]:
        places = {file: number for number, file in enumerate(rows.files)}
        for number, (file, line, row) in enumerate(_each(rows)):
            if own[number]:
                yield stored_row(row, columns, places[file], line, None)
            elif sure[number]:
                label = names[int(best[number])]
                yield stored_row({**row, "label": label}, columns, places[file], line, "rules")

    write_rows(folder, None, rows, columns, kept(), lambda _: told)


def _about(rule: Rule, number: int, votes: np.ndarray, model: LabelModel) -> dict[str, Any]:
    voted = votes[:, number] != SILENT
    others = np.delete(votes, number, 1)
    against = voted & ((others != SILENT) & (others != votes[:, [number]])).any(1)
    return {
        "rule": rule.name or f"{number}: {rule.pattern or ', '.join(rule.words or ())}",
        "label": rule.label,
        "rows": int(voted.sum()),
        "against others": int(against.sum()),
        "right": round(float(model.accuracies[number]), 4),
    }


def _lines(name: str, told: Mapping[str, Any]) -> Iterator[str]:
    """What came of the rules, in words."""
    yield (
        f"{name}: of {counted(told['rows'], 'row')} {told['have one']} have a label, {told['labelled']} get one; "
        f"{told['in doubt']} in doubt and {told['without a rule']} without a rule are not learned from"
    )
    for rule in told["rules"]:
        if not rule["rows"]:
            yield f"{name}: the rule {rule['rule']!r} ({rule['label']}) never says anything"
        elif rule["against others"] == rule["rows"]:
            yield f"{name}: the rule {rule['rule']!r} ({rule['label']}) is against another wherever it says anything"
