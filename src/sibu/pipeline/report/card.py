"""The model card: YAML front matter as the Hub reads it, then what a reader must know, in Markdown."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sibu.metrics import LOWER_IS_BETTER
from sibu.pipeline.report import figures
from sibu.pipeline.report.facts import Run, TaskFacts, is_number, metric_name
from sibu.pipeline.report.marks import clean, wrong_answers
from sibu.recipe import yaml

PIPELINES = {
    "classify": "text-classification",
    "tag": "token-classification",
    "extract": "question-answering",
    "generate": "text-generation",
    "prefer": "text-generation",
    "reinforce": "text-generation",
}
"""The Hub's name of what a task type does."""
HUB_METRICS = {"pearson": "pearsonr", "spearman": "spearmanr", "mcc": "matthews_correlation"}
"""The Hub's ids of metrics, where they are not Sibu's names."""
ANSWERS = {
    "classify": "a label (or labels)",
    "regress": "a number",
    "tag": "labelled stretches of the text",
    "extract": "an answer cut from the context, or none",
    "relate": "relations between the given entities",
    "generate": "a text",
    "prefer": "a text",
    "reinforce": "a text",
}
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~$&#])")
_LIST = re.compile(r"^(\d*)((?<!\d)[-+=]|(?<=\d)[.)](?=\s|$))")


class Ready(str):
    """Markdown that is not to be escaped again."""

    __slots__ = ()


def escape(text: object) -> Ready:
    """A value as plain words in Markdown: one line, nothing in it a mark, a table's edge or HTML."""
    if isinstance(text, Ready):
        return text
    flat = _MARKDOWN.sub(r"\\\1", " ".join(clean(str(text)).split()))
    return Ready(_LIST.sub(r"\1\\\2", flat))


def code(text: object) -> Ready:
    """A value as code in a line of Markdown, also inside a table."""
    flat = " ".join(clean(str(text)).split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    air = " " if "`" in flat else ""
    return Ready(f"{fence}{air}{flat}{air}{fence}")


def _number(form: Callable[..., str]) -> Callable[..., Ready]:
    """A way to write numbers whose result needs no escape: a plus at the beginning of a cell begins no list."""
    return lambda *given: Ready(form(*given))


@cache  # compiling the template costs more than filling it in
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=False,  # Markdown: `finalize` escapes every value
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"metric": metric_name, "code": code, "several": figures.several}
    environment.filters |= {name: _number(getattr(figures, name)) for name in ("fixed", "signed", "count")}
    return environment


def card(run: Run) -> str:
    """The whole card.

    Args:
        run: What the run left.
    """
    template = _environment().get_template("card.md.jinja")
    return template.render(
        front=Ready(yaml.dump(front_matter(run))),
        run=run,
        answers=ANSWERS,
        commands=Ready(_commands(run.tasks)),
        python=Ready(_python(run.tasks)),
        training=_training(run),
        limits=_limits(run),
        unknown=_unknown(run),
        lower_is_better=LOWER_IS_BETTER,
    )


# ---- front matter ---------------------------------------------------------------------------------------------------


def front_matter(run: Run) -> dict[str, Any]:
    """What the Hub reads; a key whose value is not known is left out."""
    kinds = list(dict.fromkeys(task.kind for task in run.tasks))
    pipelines = list(dict.fromkeys(PIPELINES[kind] for kind in kinds if kind in PIPELINES))
    # the Hub shows one; of several tasks the first one's
    pipeline = pipelines[0] if pipelines else None
    found = {
        "language": _languages(run) or None,
        "license": run.recipe.get("license"),
        "library_name": "sibu",
        "base_model": run.hub_id,
        "pipeline_tag": pipeline,
        "tags": list(dict.fromkeys(["sibu", *kinds, run.method, *pipelines])),
        "model-index": _model_index(run) or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _languages(run: Run) -> list[str]:
    texts = [
        text
        for task in run.tasks
        for report in task.reports.values()
        for wrong in wrong_answers(task.kind, report.details.get("errors") or ())
        for text in wrong.texts
    ]
    return figures.languages(texts)


def _model_index(run: Run) -> list[dict[str, Any]]:
    results = []
    for task in run.tasks:
        for split, report in task.reports.items():
            metrics = [
                {"type": HUB_METRICS.get(metric, metric), "name": metric_name(metric), "value": score.value}
                for metric, score in report.scores.items()
                if is_number(score.value)
            ]
            if metrics:
                kind = PIPELINES.get(task.kind, task.kind)
                results.append(
                    {
                        "task": {"type": kind, "name": task.name},
                        "dataset": _dataset(run, task, split),
                        "metrics": metrics,
                    }
                )
    return [{"name": run.name, "results": results}] if results else []


def _dataset(run: Run, task: TaskFacts, split: str) -> dict[str, str]:
    """The data of a split: a Hub data set by its id, local files by a name of the form that the Hub asks for."""
    data = task.recipe.get("data") or {}
    given: Any = data.get("test") if split != "dev" else data.get("dev") or data.get("train")
    if isinstance(given, Mapping):
        given = given.get(split)
    first = str(
        given[0] if isinstance(given, Sequence) and not isinstance(given, str) and given else given or task.name
    )
    if first.startswith("datasets:"):
        name = "/".join(first.removeprefix("datasets:").split(":")[0].split("/")[:2])  # without its config and split
        return {"name": name, "type": _slug(name), "split": split}
    name = run.files.get(first, PurePath(first).name)
    return {"name": name, "type": _slug(PurePath(name).with_suffix("").as_posix()), "split": split}


def _slug(name: str) -> str:
    """Only what an id on the Hub may have: an owner at most, and a name."""
    return "/".join(re.sub(r"[^A-Za-z0-9_./-]+", "-", name).strip("-./").split("/")[-2:]) or "local"


# ---- the text -------------------------------------------------------------------------------------------------------

_SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "extract": {"question": "...", "context": "..."},
    "relate": {"text": "...", "entities": [{"start": 0, "end": 4}]},
}


def _asks_for_more(task: TaskFacts) -> Mapping[str, Any] | None:
    """An input as a mapping, for tasks that need more than one text."""
    if task.kind in _SAMPLES:
        return _SAMPLES[task.kind]
    return {"text": "...", "text_pair": "..."} if "text_pair" in (task.recipe.get("fields") or {}) else None


def _commands(tasks: Sequence[TaskFacts]) -> str:
    lines = []
    for task in tasks:
        name = shlex.quote(task.name)
        fields = _asks_for_more(task)
        if fields is None:
            lines.append(f'sibu predict BUNDLE --task {name} --text "..."')
        elif "text_pair" in fields:
            lines.append(f'sibu predict BUNDLE --task {name} --text "..." --text-pair "..."')
        else:
            lines.append(f"sibu predict BUNDLE --task {name} --input inputs.jsonl  # a line: {json.dumps(fields)}")
        lines.append(f"sibu evaluate BUNDLE --task {name} --data labelled.jsonl")
    return "\n".join(dict.fromkeys(lines))


def _python(tasks: Sequence[TaskFacts]) -> str:
    lines = ["import sibu", "", 'bundle = sibu.load("BUNDLE")']
    for task in tasks:
        fields = _asks_for_more(task)
        given = '"..."' if fields is None else json.dumps(fields)
        name = json.dumps(task.name, ensure_ascii=False)
        lines.append(f"print(bundle.predict({given}, task={name}).value)")
    return "\n".join(lines)


def _training(run: Run) -> list[tuple[str, str]]:
    """Names and values of how it was trained, those that are known."""
    train, record = run.recipe.get("train") or {}, run.record
    weights, steps, seconds = (record.get(key) or {} for key in ("weights", "steps", "seconds"))
    trained = (weights.get("encoder_trained") or 0) + (weights.get("heads") or 0)
    machine = record.get("machine") or {}
    options = {key: value for key, value in (run.recipe.get("method") or {}).items() if key != "name"}
    found = [
        ("Made of", run.joined),
        ("Method", ", ".join([run.method, *(f"{key} {value}" for key, value in options.items())])),
        ("Knowledge", run.knowledge),
        ("Weights trained", "none" if run.untrained else figures.large(trained) if trained else None),
        *((key.replace("_", " ").capitalize(), _said(train.get(key))) for key in _TRAIN_KEYS),
        ("Steps", figures.count(steps.get("done"))),
        ("Best step on dev", figures.count(steps.get("best"))),
        ("Stopped early", "yes" if record.get("stopped_early") else None),
        ("Training time", figures.duration(seconds.get("training"))),
        ("Machine", ", ".join(str(machine[key]) for key in ("processor", "system") if machine.get(key))),
        ("Versions", ", ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items())),
    ]
    return [(name, value) for name, value in found if value not in (None, "", figures.NOTHING)]


_TRAIN_KEYS = (
    "epochs",
    "max_steps",
    "learning_rate",
    "head_learning_rate",
    "schedule",
    "warmup",
    "weight_decay",
    "batch_tokens",
    "accumulate",
    "precision",
    "seed",
)


def _said(value: object) -> str | None:
    """A setting as text; None where it is not set."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return figures.plain(value)
    return None if value is None else str(value)


def _limits(run: Run) -> list[str]:
    """What the data gate found that bears on the figures, and what the figures themselves say."""
    found = [f"{group.kind}: {figures.several(group.number, group.severity)}" for group in run.faults]
    skipped = sum((run.gate.get("skipped_rows") or {}).values())
    if skipped:
        found.append(f"{figures.several(skipped, 'row')} could not be read and were left out")
    for task in run.tasks:
        for split, survey in task.surveys.items():
            longer, inputs = survey.get("longer_than_model") or 0, survey.get("inputs") or 0
            if longer:
                fate = "cut" if survey.get("tokens_cut") else "read in overlapping windows"
                share = figures.percent(longer / inputs) if inputs else figures.count(longer)
                found.append(f"{task.name}, {split}: {share} of the inputs are longer than the model and were {fate}")
        few = [label for label, row in _by_label(task).items() if is_number(row.get("support")) and row["support"] < 10]
        if few:
            found.append(
                f"{task.name}: {figures.several(len(few), 'label')} with fewer than 10 rows on {task.leading_split}, "
                f"so that their own figures say little ({figures.clip(', '.join(few), 200)})"
            )
    return found


def _by_label(task: TaskFacts) -> Mapping[str, Mapping[str, Any]]:
    report = task.reports.get(task.leading_split or "")
    return (report.details.get("by_label") or {}) if report else {}


def _unknown(run: Run) -> list[str]:
    """What nobody measured or said."""
    found = []
    for task in run.tasks:
        if task.leading is None:
            found.append(f"{task.name} was not evaluated.")
        elif task.leading_split == "dev":
            found.append(f"{task.name} has no test file: its figures are on dev, which also chose the best weights.")
    for task in run.tasks:
        if run.together and task.dev_was_split:
            found.append(
                f"{task.name} has no figures on dev: what one member held out of the training rows, others learned."
            )
    alone = [task.name for task in run.tasks if task.leading is not None and not task.gaps()]
    if alone:
        found.append(
            f"How the model does on texts from elsewhere than its own data was not measured: {', '.join(alone)}."
        )
    found.append("Gaps between groups of people, calibration and robustness to changed inputs were not measured.")
    if not run.recipe.get("license"):
        found.append(
            "The licence of these weights was not stated; that of the pretrained model and of the data bear on it."
        )
    if run.hub_id is None:
        found.append(
            f"The pretrained model was given as a local folder ({run.model}); where it came from is not recorded."
        )
    return found
