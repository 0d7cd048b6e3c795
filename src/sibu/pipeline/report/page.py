"""The report page: what a run left, laid out for one HTML file that needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sibu.core.result import Report, Score
from sibu.metrics import LOWER_IS_BETTER
from sibu.pipeline.report import curves, figures
from sibu.pipeline.report.charts import TONES, Interval, Series, histogram, intervals, lines
from sibu.pipeline.report.facts import (
    Bound,
    Run,
    TaskFacts,
    better,
    bins,
    confused,
    confusion_table,
    drift,
    is_number,
    label_counts,
    metric_meaning,
    metric_name,
)
from sibu.pipeline.report.joined import Joined, joined
from sibu.pipeline.report.marks import Wrong, clean, wrong_answers

LARGEST_CONFUSION = 30
"""Labels up to which the whole confusion matrix is shown."""
MOST_PAIRS = 25
MOST_ERRORS = 200
"""Wrong answers on the whole page; each split gets its part."""
ERRORS_OPEN = 8
"""Wrong answers of a split that are seen before a click."""
MOST_LABEL_ROWS = 1500
"""Rows of all tables by label together; of a split that would have more than its part the worst labels are shown."""
MOST_LABELS = 40
"""Labels whose distribution is listed; of more, the most and least frequent halves."""
FAULTS_SHOWN = 8
LONGEST_MESSAGE = 400
BY_LABEL = ("f1", "precision", "recall", "support", "predicted")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart with its title and legend."""

    title: str
    chart: Markup
    legend: Sequence[Series] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a confusion matrix."""

    number: int
    share: float
    """Of the row."""
    right: bool


@dataclass(frozen=True, slots=True)
class SplitView:
    """What one split of one task shows beside its metrics."""

    name: str
    rows: int | None
    columns: Sequence[str]
    heat: Sequence[tuple[str, Sequence[Cell]]]
    pairs: Sequence[tuple[str, str, int, float]]
    by_label: Sequence[tuple[str, Sequence[float | None]]]
    label_columns: Sequence[str]
    labels: int
    """How many labels there are; ``by_label`` may hold the worst of them only."""
    errors: Sequence[Wrong]
    joined: Joined

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.heat or self.pairs or self.by_label or self.errors) and self.joined.empty


@dataclass(frozen=True, slots=True)
class LabelRow:
    """How often a label stands in each split; a row without a name stands for those left out."""

    name: str
    counts: Sequence[int] = ()
    shares: Sequence[float] = ()
    bars: Sequence[float] = ()
    """Shares of the largest share in the table: how long the bars are."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task's part of the page."""

    place: str
    """Its anchor."""
    facts: TaskFacts
    forest: Markup
    splits: Sequence[SplitView]
    lengths: Drawing
    labels: Sequence[LabelRow]
    label_splits: Sequence[str]
    left_out: int
    drifts: Sequence[tuple[str, float]]

    @property
    def brief(self) -> list[str]:
        """What its data is, in a few words."""
        labels, rows = len(self.facts.labels), self.facts.rows("train")
        return [
            *([figures.several(labels, "label")] if labels else []),
            *([figures.several(rows, "training row")] if rows is not None else []),
            *(["dev split from train"] if self.facts.dev_was_split else []),
        ]

    def table(self) -> list[tuple[str, list[Score | None]]]:
        """Every metric with its scores by split."""
        return [
            (metric, [self.facts.score(split, metric) for split in self.facts.reports]) for metric in self.facts.metrics
        ]


def page(run: Run) -> str:
    """The whole page.

    Args:
        run: What the run left.
    """
    script = resources.files(__package__).joinpath("sort.js").read_text(encoding="utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            run=run,
            tasks=[_task(run, task, number) for number, task in enumerate(run.tasks)],
            status=_status(run),
            learning=_learning(run),
            run_facts=_run_facts(run),
            versions=(run.record.get("versions") or {}),
            data=[(run.files[file], str(mark)) for file, mark in (run.record.get("data") or {}).items()],
            skipped=[(run.files[file], number) for file, number in (run.gate.get("skipped_rows") or {}).items()],
            script=Markup(script),
            script_digest=digest,
        )
    )


@cache  # compiling the templates costs more than filling them in
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = ("fixed", "signed", "count", "percent", "duration", "size", "large", "several", "clip")
    environment.filters |= {name: getattr(figures, name) for name in names}
    environment.filters |= {
        "metric": metric_name,
        "meaning": metric_meaning,
        "clean": clean,
        "soft": _soft,
        "message": _message,
    }
    environment.globals |= {"better": better, "lower_is_better": LOWER_IS_BETTER}
    environment.globals |= {"faults_shown": FAULTS_SHOWN, "errors_open": ERRORS_OPEN}
    return environment


def _soft(text: str) -> Markup:
    """A label that may break into lines after the marks that join its words."""
    found = Markup("{}").format(figures.clip(clean(str(text)), 80))
    for mark in "_./:":
        found = found.replace(mark, Markup(f"{mark}<wbr>"))
    return found


def _message(text: str, run: Run) -> str:
    """A fault's message as the page shows it."""
    return figures.clip(clean(run.shorten(str(text))), LONGEST_MESSAGE)


def _status(run: Run) -> tuple[str, str]:
    """Whether the release conditions are met: a class and a sentence."""
    bounds: list[Bound] = run.release
    if run.missed:
        return "bad", f"{figures.several(len(run.missed), 'release condition')} missed"
    if not bounds:
        return "none", "No release condition was set"
    met = "The release condition is met" if len(bounds) == 1 else f"All {len(bounds)} release conditions are met"
    return "good", met


def _task(run: Run, task: TaskFacts, number: int) -> TaskView:
    bounds = [
        bound for bound in run.release if bound.key.split(".")[0] == task.name and bound.key.endswith(f".{task.main}")
    ]
    conditions = [(run.recipe.get("release") or {})[bound.key] for bound in bounds]
    limits = {value for each in conditions for value in (each.get("at_least"), each.get("at_most")) if is_number(value)}
    counts = {split: label_counts(task.kind, survey) for split, survey in task.surveys.items()}
    counts = {split: own for split, own in counts.items() if own}
    rows, left_out = _label_rows(counts)
    train = counts.get("train", {})
    return TaskView(
        place=f"task-{number + 1}",
        facts=task,
        forest=_forest(task, sorted(limits)),
        splits=[view for view in _splits(run, task) if not view.empty],
        lengths=_lengths(task, run.limit),
        labels=rows,
        label_splits=list(counts),
        left_out=left_out,
        drifts=[(split, drift(train, own)) for split, own in counts.items() if train and split != "train"],
    )


def _forest(task: TaskFacts, limits: Sequence[float]) -> Markup:
    """The main metric on each split."""
    if task.main is None:
        return Markup("")
    rows = [
        Interval(split, score.value, score.low, score.high, strong=split == task.leading_split)
        for split in task.reports
        if (score := task.score(split, task.main)) is not None
    ]
    low = 0.0 if all(row.low >= 0 for row in rows) else -1.0
    inside = None if task.main in LOWER_IS_BETTER or any(row.high > 1 for row in rows) else (low, 1.0)
    return intervals(rows, name=f"{task.name}: {metric_name(task.main)} by split", limits=limits, inside=inside)


def _splits(run: Run, task: TaskFacts) -> Iterable[SplitView]:
    reports = max(len(run.reports), 1)
    each, part = max(MOST_ERRORS // reports, 3), max(MOST_LABEL_ROWS // reports, 20)
    for name, report in task.reports.items():
        table = confusion_table(report.details)
        small = table is not None and max(len(table[0]), len(table[1])) <= LARGEST_CONFUSION
        columns, by_label = _by_label(task, report)
        yield SplitView(
            name=name,
            rows=task.rows(name),
            columns=table[1] if table and small else (),
            heat=_heat(table) if table and small else (),
            pairs=() if small else confused(report.details, MOST_PAIRS),
            by_label=by_label if name == task.leading_split else by_label[:part],
            label_columns=columns,
            labels=len(by_label),
            errors=wrong_answers(task.kind, list(report.details.get("errors") or ())[:each]),
            joined=joined(report),
        )


def _heat(table: tuple[list[str], list[str], list[list[int]]]) -> list[tuple[str, list[Cell]]]:
    names, _, counts = table
    found = []
    for number, (name, row) in enumerate(zip(names, counts, strict=True)):
        whole = sum(row) or 1
        found.append((name, [Cell(cell, cell / whole, place == number) for place, cell in enumerate(row)]))
    return found


def _by_label(task: TaskFacts, report: Report) -> tuple[list[str], list[tuple[str, list[float | None]]]]:
    """Figures by label, the worst first, with how many training rows each has."""
    given: Mapping[str, Mapping[str, Any]] = report.details.get("by_label") or {}
    columns = [name for name in BY_LABEL if any(name in row for row in given.values())]
    train = label_counts(task.kind, task.surveys.get("train", {}))
    rows = [(str(label), [_number(row.get(name)) for name in columns]) for label, row in given.items()]
    if train:
        rows = [(label, [*values, train.get(label, 0)]) for label, values in rows]
    rows.sort(key=lambda row: (row[1][0] if row[1] and row[1][0] is not None else 2.0, row[0]))
    return [*columns, *(["in training"] if train else [])], rows


def _number(value: object) -> float | None:
    return value if is_number(value) else None  # type: ignore[return-value]


def _label_rows(counts: Mapping[str, Mapping[str, int]]) -> tuple[list[LabelRow], int]:
    """Labels with their number and share in each split; of many, the most and the least frequent."""
    order = list(dict.fromkeys(label for own in counts.values() for label in own))
    totals = {split: sum(own.values()) or 1 for split, own in counts.items()}
    order.sort(key=lambda label: [-own.get(label, 0) / totals[split] for split, own in counts.items()])
    by_label = {label: [own.get(label, 0) / totals[split] for split, own in counts.items()] for label in order}
    largest = max((share for shares in by_label.values() for share in shares), default=0.0) or 1.0
    rows = [
        LabelRow(label, [own.get(label, 0) for own in counts.values()], shares, [share / largest for share in shares])
        for label, shares in by_label.items()
    ]
    left_out = len(rows) - MOST_LABELS
    if left_out <= 0:
        return rows, 0
    half = MOST_LABELS // 2
    return [*rows[:half], LabelRow(""), *rows[-half:]], left_out


def _lengths(task: TaskFacts, limit: int | None) -> Drawing:
    """How long the inputs of each split are."""
    found = bins({split: survey.get("lengths") or {} for split, survey in task.surveys.items()}, limit)
    series = [Series(split, points, _tone(task, split)) for split, points in found.items()]
    chart = histogram(series, name=f"{task.name}: lengths of the inputs", x_name="pieces in an input", limit=limit)
    return Drawing("", chart, series)


def _tone(task: TaskFacts, split: str) -> int:
    """The colour of a split: the same wherever the task's splits are drawn."""
    return list(task.surveys).index(split) % TONES


def _learning(run: Run) -> list[Drawing]:
    """Loss, learning rate, and the metrics on dev over the steps; what was not logged is left out."""
    best = (run.record.get("steps") or {}).get("best")
    mark = (float(best), "best") if is_number(best) and best else None
    losses = curves.losses(run.steps, [task.name for task in run.tasks])
    drawn = [
        Drawing(
            "Training loss",
            lines(losses, name="training loss by step", low=0.0, mark=mark),
            losses,
            "Smoothed; faint: each step.",
        ),
        Drawing(
            "Learning rate", lines(curves.learning_rate(run.steps), name="learning rate by step", low=0.0, mark=mark)
        ),
    ]
    for task in run.tasks:
        for errors in (False, True):
            series = curves.on_dev(run.evaluations, task.name, errors=errors)
            named = [Series(metric_name(each.name), each.points, each.tone) for each in series]
            title = f"{task.name} on dev" + (" (less is better)" if errors else "")
            drawn.append(Drawing(title, lines(named, name=f"{title} by step", mark=mark), named))
    return [each for each in drawn if each.chart]


def _run_facts(run: Run) -> list[tuple[str, str]]:
    """What ran: names and values, those that are known."""
    record, train = run.record, run.recipe.get("train") or {}
    seconds, steps, weights = (record.get(name) or {} for name in ("seconds", "steps", "weights"))
    machine = record.get("machine") or {}
    trained = (weights.get("encoder_trained") or 0) + (weights.get("heads") or 0)
    whole = (weights.get("encoder") or 0) + (weights.get("heads") or 0)
    found = [
        ("Pretrained model", run.model),
        ("Made of", run.joined),
        ("Method", run.method),
        ("Knowledge", run.knowledge),
        ("Seed", record.get("seed")),
        ("Started", record.get("started")),
        ("Whole run", figures.duration(seconds.get("total"))),
        ("Training", figures.duration(seconds.get("training"))),
        ("Steps", _steps(steps)),
        ("Best step", figures.count(steps["best"]) if steps.get("best") else None),
        ("Stopped early", "yes" if record.get("stopped_early") else None),
        ("Speed", _speed(record)),
        (
            "Weights trained",
            "none" if run.untrained else f"{figures.large(trained)} of {figures.large(whole)}" if whole else None,
        ),
        ("Peak memory", figures.size(record.get("peak_memory_bytes"))),
        ("Machine", ", ".join(str(machine[part]) for part in ("system", "processor") if machine.get(part))),
        ("Cores, threads", _pair(machine.get("cores"), machine.get("threads"))),
        ("GPUs", (", ".join(map(str, machine["gpus"])) or "none") if "gpus" in machine else None),
        ("Learning rates", _rates(train)),
        ("Batch", f"{train['batch_tokens']:,} pieces" if is_number(train.get("batch_tokens")) else None),
        ("Precision", train.get("precision")),
    ]
    return [(name, str(value)) for name, value in found if value not in (None, "", figures.NOTHING)]


def _steps(steps: Mapping[str, Any]) -> str | None:
    if not is_number(steps.get("done")):
        return None
    return f"{figures.count(steps['done'])} of {figures.count(steps.get('planned'))}"


def _speed(record: Mapping[str, Any]) -> str | None:
    if not is_number(record.get("examples_per_second")):
        return None
    inputs, pieces = (record.get(name) for name in ("examples_per_second", "tokens_per_second"))
    return f"{figures.fixed(inputs, 1)} inputs/s, {figures.count(pieces)} pieces/s"


def _pair(one: object, two: object) -> str | None:
    return f"{one}, {two}" if one is not None and two is not None else None


def _rates(train: Mapping[str, Any]) -> str | None:
    rates = [train.get("learning_rate"), train.get("head_learning_rate")]
    named = [f"{rate:g} {what}" for rate, what in zip(rates, ("encoder", "heads"), strict=True) if rate is not None]
    return ", ".join(named) or None
