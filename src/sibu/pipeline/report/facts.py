"""What both pages say of a run, taken from what the run left: which figure leads, gaps, faults, labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

from sibu.core.result import Report, Score
from sibu.metrics import LOWER_IS_BETTER
from sibu.pipeline.record import made_of
from sibu.pipeline.report.figures import percent, several, short_names

MAIN = {
    "classify": ("accuracy", "micro_f1"),
    "regress": ("pearson", "spearman"),
    "tag": ("f1",),
    "extract": ("f1",),
    "relate": ("f1",),
}
"""The figure that leads, by task type: the first of these that was measured."""

METRICS = {
    "accuracy": ("accuracy", "share of inputs that got the right label"),
    "macro_f1": ("macro F1", "mean of the labels' F1, each label counting alike"),
    "weighted_f1": ("weighted F1", "mean of the labels' F1, each counting by its rows"),
    "micro_f1": ("micro F1", "F1 over all decisions for a label together"),
    "mcc": ("MCC", "Matthews correlation: 0 is no better than chance, 1 is all right"),
    "f1": ("F1", "harmonic mean of precision and recall"),
    "precision": ("precision", "share of what was found that is right"),
    "recall": ("recall", "share of what is there that was found"),
    "macro_precision": ("macro precision", "mean of the labels' precision"),
    "macro_recall": ("macro recall", "mean of the labels' recall"),
    "exact_match": ("exact match", "share of inputs answered wholly right"),
    "has_answer_f1": ("F1 where there is an answer", "over the questions that have one"),
    "no_answer_accuracy": ("accuracy where there is none", "share of those questions left unanswered"),
    "pearson": ("Pearson", "linear correlation with the true numbers"),
    "spearman": ("Spearman", "correlation of the order with the true order"),
    "mse": ("MSE", "mean squared error; less is better"),
    "mae": ("MAE", "mean absolute error; less is better"),
    "perplexity": (
        "perplexity",
        "how many pieces the model hesitates between at each of the right answer; less is better",
    ),
    "bleu": ("BLEU", "runs of words shared with the right answers (sacreBLEU, of 1)"),
    "chrf": ("chrF", "runs of characters shared with the right answers (sacreBLEU, of 1)"),
    "rouge1": ("ROUGE-1", "F1 of words with the right answers"),
    "rouge2": ("ROUGE-2", "F1 of pairs of words with the right answers"),
    "rougeL": ("ROUGE-L", "F1 of the longest common subsequence with the right answers"),
    "length_ratio": ("length ratio", "words written to words of the right answers"),
    "repetition": ("repetition", "share of four-word runs that came before; less is better"),
    "reward": ("reward", "mean of what the recipe's reward gave"),
    "recall_at_1": ("recall@1", "share of texts whose own pair is the nearest of all pairs of the file"),
    "uniformity": (
        "uniformity",
        "how evenly vectors lie on the sphere: 0 where all are one, about -4 at best; less is better",
    ),
    "margin": ("margin", "by how much the chosen answer is likelier, in log probabilities of a piece"),
}
"""Name and meaning of each metric."""

PACKAGED = {
    "minilm": ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"),
    "me5": ("multilingual-e5-small", "intfloat/multilingual-e5-small"),
    "smollm2": ("SmolLM2-135M-Instruct", "HuggingFaceTB/SmolLM2-135M-Instruct"),
}
"""The packaged models: what their makers call them, and their Hub ids."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A release condition on one split."""

    key: str
    split: str
    bound: str
    score: Score | None
    """None: there is no such figure."""
    met: bool
    close: bool = False
    """Whether the bound lies inside the value's interval: another sample could have said otherwise."""


@dataclass(frozen=True, slots=True)
class Gap:
    """How far a task's figure on another domain is from the one at home, with its interval."""

    split: str
    score: Score
    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """All faults of one kind."""

    kind: str
    severity: str
    number: int
    files: Mapping[str, int]
    examples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """One task with what is known of it."""

    name: str
    kind: str
    recipe: Mapping[str, Any]
    reports: Mapping[str, Report]
    """By split: the test files in their order, ``dev`` last."""
    surveys: Mapping[str, Mapping[str, Any]]
    """What the data gate saw, by split: ``train``, ``dev``, the test files."""
    dev_was_split: bool

    @property
    def main(self) -> str | None:
        """The metric that leads."""
        for report in self.reports.values():
            for metric in (*MAIN.get(self.kind, ()), *report.scores):
                if metric in report.scores:
                    return metric
        return None

    @property
    def home(self) -> str | None:
        """The split that stands for the training domain, where there are several test files; else None."""
        tests = self.recipe.get("data", {}).get("test")
        named = [split for split in self.reports if split != "dev"]
        if not isinstance(tests, Mapping) or len(named) < 2:
            return None
        wanted = self.recipe.get("data", {}).get("in_domain") or "dev"
        return wanted if wanted in self.reports else None

    @property
    def leading_split(self) -> str | None:
        """The split whose figure leads: the test file of the training domain, else the first, else dev."""
        if self.home and self.home != "dev":
            return self.home
        return next(iter(self.reports), None)

    @property
    def leading(self) -> Score | None:
        """The main metric on the leading split."""
        return self.score(self.leading_split, self.main)

    def score(self, split: str | None, metric: str | None) -> Score | None:
        """A figure, where it was measured."""
        report = self.reports.get(split) if split else None
        return report.scores.get(metric) if report and metric else None

    @property
    def metrics(self) -> list[str]:
        """Every metric of every split, the main one first."""
        found = dict.fromkeys(metric for report in self.reports.values() for metric in report.scores)
        return sorted(found, key=lambda metric: metric != self.main)

    @property
    def labels(self) -> list[str]:
        """Its labels, as the evaluation or the training data names them."""
        for report in self.reports.values():
            given = report.details.get("labels") or list(report.details.get("by_label") or {})
            if given:
                return [str(label) for label in given]
        return list(label_counts(self.kind, self.surveys.get("train", {})))

    def rows(self, split: str) -> int | None:
        """How many rows a split has."""
        found = self.surveys.get(split, {}).get("rows")
        return int(found) if found is not None else None

    def gaps(self) -> list[Gap]:
        """The main metric on every other test file against the home split; differences are other minus home."""
        base = self.score(self.home, self.main)
        if base is None:
            return []
        others = [split for split in self.reports if split not in (self.home, "dev")]
        scores = [(split, score) for split in others if (score := self.score(split, self.main)) is not None]
        return [Gap(split, score, *_difference(score, base)) for split, score in scores]


def _difference(one: Score, two: Score) -> tuple[float, float, float]:
    """``one - two`` of two independent samples, with its interval.

    Source: Zou and Donner, 2008, Statistics in Medicine 27(10): the interval of a difference from two intervals.
    """
    gap = one.value - two.value
    down = sqrt((one.value - one.low) ** 2 + (two.high - two.value) ** 2)
    up = sqrt((one.high - one.value) ** 2 + (two.value - two.low) ** 2)
    return gap, gap - down, gap + up


@dataclass(frozen=True)
class Run:
    """What a run left, and what follows from it."""

    recipe: Mapping[str, Any]
    reports: Sequence[Report]
    record: Mapping[str, Any]
    gate: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    evaluations: Sequence[Mapping[str, Any]]
    missed: Sequence[str]

    @property
    def name(self) -> str:
        """The run's name."""
        return str(self.recipe.get("name") or "unnamed")

    @cached_property
    def tasks(self) -> list[TaskFacts]:
        """The tasks in the recipe's order."""
        blocks = self.recipe.get("tasks") or {}
        names = dict.fromkeys([*blocks, *(report.task for report in self.reports)])
        return [self._task(name, blocks.get(name) or {}) for name in names]

    def _task(self, name: str, block: Mapping[str, Any]) -> TaskFacts:
        own = {report.split: report for report in self.reports if report.task == name}
        order = sorted(own, key=lambda split: split == "dev")
        surveys = (self.gate.get("tasks") or {}).get(name) or {}
        was_split = bool((self.record.get("dev_split_from_train") or {}).get(name))
        reports = {split: own[split] for split in order}
        return TaskFacts(name, str(block.get("type") or "unknown"), block, reports, surveys, was_split)

    @property
    def method(self) -> str:
        """The method's name."""
        return str((self.recipe.get("method") or {}).get("name") or "unknown")

    @property
    def knowledge(self) -> str | None:
        """What it knew beside the data, and how it used it; None: nothing."""
        known = self.record.get("knowledge")
        return None if not known else said_knowledge(known)

    @property
    def untrained(self) -> bool:
        """Whether the recipe trains nothing: the bundle answers as the model came."""
        return (self.recipe.get("train") or {}).get("epochs") == 0

    @property
    def together(self) -> bool:
        """Whether it is an ensemble: several models that answer together."""
        return bool((self.record.get("ensemble") or {}).get("by") == "probabilities")

    @property
    def joined(self) -> str | None:
        """Of which runs it is made, and how; None where it is one run's."""
        return made_of(self.record)

    @property
    def model(self) -> str:
        """The pretrained model, as people call it; of a folder the last part only."""
        given = self.recipe.get("model") or "unknown"
        if isinstance(given, Mapping):
            return f"a new model ({given.get('new')})"
        if given in PACKAGED:
            return PACKAGED[given][0]
        return given if self.hub_id else Path(given).name or given

    @property
    def hub_id(self) -> str | None:
        """The pretrained model's Hub id, where it has one."""
        given = self.recipe.get("model") or ""
        if isinstance(given, Mapping):
            return None
        if given in PACKAGED:
            return PACKAGED[given][1]
        kind = (self.record.get("model") or {}).get("kind")
        owner, _, rest = given.partition("/")
        looks = bool(owner and rest) and "/" not in rest and owner[0] not in ".~" and not Path(given).exists()
        return given if kind == "hub" or (kind is None and looks) else None

    @property
    def limit(self) -> int | None:
        """Most pieces of a text that the model reads at once, where it is known."""
        own = (self.record.get("model") or {}).get("limit")
        asked = [part.get("max_length") for part in self.recipe.get("modalities") or () if isinstance(part, Mapping)]
        found = next((value for value in (own, *asked) if value), None)
        return int(found) if found is not None else None

    @cached_property
    def files(self) -> dict[str, str]:
        """Every file that data or faults name, by a short name."""
        of_faults = [each.get("file") for part in ("faults", "counts") for each in self.gate.get(part) or ()]
        skipped = self.gate.get("skipped_rows") or {}
        return short_names(file for file in [*(self.record.get("data") or {}), *of_faults, *skipped] if file)

    def shorten(self, message: str) -> str:
        """A message with short file names."""
        for file in sorted(self.files, key=len, reverse=True):
            message = message.replace(file, self.files[file])
        return message

    @cached_property
    def release(self) -> list[Bound]:
        """Each release condition on each split that it counts for. Which are missed, the run itself has said."""
        metrics = {task.name: task.reports for task in self.tasks}
        found = []
        for key, condition in (self.recipe.get("release") or {}).items():
            task, *split, metric = key.split(".")
            splits = metrics.get(task, {})
            for name in split or [each for each in splits if each != "dev"] or ["dev"]:
                report = splits.get(name)
                score = report.scores.get(metric) if report else None
                found.append(_bound(key, name, condition, score, self.missed))
        return found

    @property
    def other_misses(self) -> list[str]:
        """The misses that say more than a value and its bound: the figure that was asked for is not there."""
        valued = tuple(f"{bound.key} on {bound.split}:" for bound in self.release if bound.score is not None)
        return [line for line in self.missed if not valued or not line.startswith(valued)]

    @property
    def faults(self) -> list[FaultGroup]:
        """The data gate's findings by kind: errors first, then by number."""
        groups: dict[tuple[str, str], Counter[str]] = {}
        for each in self.gate.get("counts") or ():
            own = groups.setdefault((each["severity"], each["kind"]), Counter())
            own[self.files.get(each["file"], each["file"])] += each["count"]
        found = []
        for (severity, kind), files in groups.items():
            examples = [
                fault
                for fault in self.gate.get("faults") or ()
                if (fault["severity"], fault["kind"]) == (severity, kind)
            ]
            found.append(FaultGroup(kind, severity, files.total(), dict(files), examples))
        return sorted(found, key=lambda group: (group.severity != "error", -group.number, group.kind))


def _bound(key: str, split: str, condition: Mapping[str, Any], score: Score | None, missed: Sequence[str]) -> Bound:
    limits = [("≥", condition.get("at_least")), ("≤", condition.get("at_most"))]
    said = " and ".join(f"{sign} {limit:g}" for sign, limit in limits if limit is not None) or "no bound"
    met = score is not None and not any(line.startswith((f"{key} on {split}:", f"{key}: ")) for line in missed)
    close = score is not None and any(limit is not None and score.low <= limit <= score.high for _, limit in limits)
    return Bound(key, split, said, score, met, close)


def said_knowledge(known: Mapping[str, Any]) -> str:
    """What a run knew beside its data, in a line."""
    parts = [", ".join(str(way).replace("_", " ") for way in known["use"])]
    if "names" in known:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in list(known["classes"].items())[:8])
        parts.append(f"{several(known['names'], 'name')} ({kinds})")
    if shares := known.get("texts_with_names"):
        parts.append("in training texts of " + ", ".join(f"{name} {percent(share)}" for name, share in shares.items()))
    if "kb" in known:
        parts.append(f"knowledge base {known['kb']['name']}, version {known['kb']['version']}")
    if "vectors" in known:
        parts.append(f"vectors of {several(known['vectors']['entities'], 'thing')}")
    if "facts" in known:
        parts.append(several(known["facts"]["facts"], "fact"))
    if "rules" in known:
        parts.append(several(len(known["rules"]), "rule"))
    return "; ".join(parts)


def metric_name(metric: str) -> str:
    """A metric as people write it."""
    return METRICS[metric][0] if metric in METRICS else metric.replace("_", " ")


def metric_meaning(metric: str, kind: str = "") -> str:
    """What a metric of a task type says, in a few words; empty where it is not known."""
    if (kind, metric) == ("prefer", "accuracy"):
        return "share of the pairs whose chosen answer is likelier by piece"
    return METRICS[metric][1] if metric in METRICS else ""


def better(metric: str | None, gap: float) -> bool:
    """Whether a difference of this sign is an improvement."""
    return (gap < 0) if metric in LOWER_IS_BETTER else (gap > 0)


def label_counts(kind: str, survey: Mapping[str, Any]) -> dict[str, int]:
    """How often each label stands in a split; tags of words are counted as the entities that they begin."""
    given = {str(label): int(number) for label, number in (survey.get("labels") or {}).items()}
    if kind != "tag" or not any(label == "O" or label[:2] in ("B-", "I-", "S-", "U-") for label in given):
        return given
    begins = ("B-", "S-", "U-") if any(label[:2] in ("B-", "S-", "U-") for label in given) else ("I-",)
    found: Counter[str] = Counter()
    for label, number in given.items():
        if label[:2] in begins:
            found[label[2:]] += number
    return dict(found.most_common())


def drift(one: Mapping[str, int], two: Mapping[str, int]) -> float:
    """How differently labels are spread in two splits: total variation distance, 0 alike, 1 nothing in common."""
    first, second = sum(one.values()), sum(two.values())
    if not first or not second:
        return 0.0
    return sum(abs(one.get(name, 0) / first - two.get(name, 0) / second) for name in {*one, *two}) / 2


def confusion_table(details: Mapping[str, Any]) -> tuple[list[str], list[str], list[list[int]]] | None:
    """Names of the rows (true) and of the columns (predicted), and the counts; None where there are none."""
    table = details.get("confusion")
    if not table or not table[0]:
        return None
    width = max(len(row) for row in table)
    names = [str(label) for label in details.get("labels") or details.get("by_label") or ()]
    names = [names[number] if number < len(names) else f"class {number}" for number in range(width)]
    extra = len(table) - width
    rows = names[: len(table)] if extra <= 0 else [*names, *["(unseen)"] * extra]
    return rows, names, [[int(cell) for cell in row] for row in table]


def confused(details: Mapping[str, Any], most: int) -> list[tuple[str, str, int, float]]:
    """The most frequent mistakes: true label, predicted label, how often, and as a share of the true label's rows."""
    found = confusion_table(details)
    if found is None:
        return []
    rows, columns, table = found
    pairs = [
        (rows[true], columns[said], cell, cell / sum(row))
        for true, row in enumerate(table)
        for said, cell in enumerate(row)
        if cell and true != said
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[3], pair[0], pair[1]))[:most]


def bins(
    lengths: Mapping[str, Mapping[str, int]], limit: int | None, most: int = 36
) -> dict[str, list[tuple[float, float]]]:
    """Lengths by split to shares by bin, all splits on the same edges.

    Longer than 99.5 % of the inputs (and than the model's limit) falls into the last bin.

    Args:
        lengths: By split, how many inputs have how many pieces.
        limit: The model's limit, to be inside the axis where some inputs reach it.
        most: How many bins at most.

    Returns:
        By split ``(lower edge, share)`` and a last point at the upper edge; splits without inputs are left out.
    """
    counts = {
        split: Counter({int(length): int(number) for length, number in given.items()})
        for split, given in lengths.items()
        if given
    }
    counts = {split: own for split, own in counts.items() if own.total()}
    if not counts:
        return {}
    top = max(_quantile(own, 0.995) for own in counts.values())
    longest = max(max(own) for own in counts.values())
    if limit is not None and longest >= 0.6 * limit:
        top = max(top, round(limit * 1.1))
    width = max(1, -(-(top + 1) // most))
    number = -(-(top + 1) // width)
    found = {}
    for split, own in counts.items():
        shares = [0.0] * number
        for length, seen in own.items():
            shares[min(length // width, number - 1)] += seen / own.total()
        found[split] = [
            *((float(place * width), share) for place, share in enumerate(shares)),
            (float(number * width), 0.0),
        ]
    return found


def _quantile(counts: Counter[int], share: float) -> int:
    seen, total = 0, counts.total()
    for length in sorted(counts):
        seen += counts[length]
        if seen >= share * total:
            return length
    return 0


def is_number(value: object) -> bool:
    """Whether a value is a finite number, so that YAML and the Hub can hold it."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
