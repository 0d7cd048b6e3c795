"""F6, the public verbs: plain functions that Python users and the command line call alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sibu.core.errors import Fault, RecipeError, SibuError, near_miss
from sibu.core.example import Faults
from sibu.core.result import Prediction, Report
from sibu.pipeline.progress import Progress, Silent

if TYPE_CHECKING:
    from sibu.pipeline.bundle import Opened
    from sibu.pipeline.gate import GateReport
    from sibu.pipeline.live import Listening
    from sibu.recipe.load import Loaded
    from sibu.recipe.schema import Recipe

RecipeLike: TypeAlias = "str | Path | Mapping[str, Any] | Recipe"


def load_recipe(recipe: RecipeLike, overrides: Sequence[str] | str = ()) -> Loaded:
    """As ``recipe.load`` has it, which is imported where a recipe is read: listing parts needs none."""
    from sibu.recipe.load import load_recipe as load

    return load(recipe, overrides)


def run(
    recipe: RecipeLike,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Gate the data, adapt the model, evaluate, check release conditions, write a bundle.

    Args:
        recipe: A recipe file, its content as a mapping, or a ``Recipe``.
        overrides: ``KEY=VALUE`` with dotted keys, such as ``train.epochs=1``.
        out: Folder of the bundle; None: ``runs/<name>``.
        resume: Go on with an unfinished run at the same place.
        force: Replace a bundle or an unfinished run that stands there.
        progress: Where to tell how far it is; None: silent.

    Returns:
        The bundle's folder.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pipeline.stages import run_recipe

    loaded = load_recipe(recipe, overrides)
    place = Path(out) if out is not None else Path("runs") / loaded.recipe.name
    return run_recipe(loaded, place, resume=resume, force=force, progress=progress or Silent())


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``check`` found."""

    gate: GateReport
    steps: int
    """Estimated steps of the run."""
    steps_per_epoch: int
    limit: int
    """The model's longest input in pieces."""
    plan: Mapping[str, Any]
    """Model, method, seed, files."""

    @property
    def sound(self) -> bool:
        """Whether there is no error."""
        return not self.gate.faults.number("error")

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON."""
        own = {"steps": self.steps, "steps_per_epoch": self.steps_per_epoch, "model_limit": self.limit}
        return {**self.gate.as_json(), "plan": {**self.plan, **own}}


def check(recipe: RecipeLike, overrides: Sequence[str] = (), *, progress: Progress | None = None) -> Checked:
    """The data gate and the plan alone: rows, lengths, labels, faults by file and row; trains nothing.

    Args:
        recipe: A recipe file, or its content as a mapping.
        overrides: ``KEY=VALUE`` with dotted keys.
        progress: Where to tell how far it is; None: silent.

    Raises:
        SibuError: When the recipe itself cannot be run (faults of rows are in the result instead).
    """
    from sibu.pipeline.plan import expected_batches, make_plan, plan_steps

    loaded = load_recipe(recipe, overrides)
    plan = make_plan(loaded, progress or Silent(), encode=False)
    per_epoch, steps = plan_steps(plan.recipe, expected_batches(plan))
    about = {
        "name": plan.recipe.name,
        "model": {"name": plan.source.name, "kind": plan.source.kind},
        "method": plan.recipe.method.name,  # type: ignore[attr-defined]
        "tasks": {name: block.task.type for name, block in plan.recipe.tasks.items()},  # type: ignore[attr-defined]
        "seed": plan.recipe.train.seed,
        **({} if plan.known is None else {"knowledge": plan.known.about}),
        **({} if not plan.values else {"modalities": _modalities(plan.recipe)}),
    }
    return Checked(plan.gate, steps, per_epoch, plan.text.max_length, about)


def align(
    recipe: RecipeLike, overrides: Sequence[str] = (), *, progress: Progress | None = None
) -> Iterator[dict[str, Any]]:
    """How the values of each row lie to each other, by the recipe's ``align``: one mapping a pair of values.

    Its keys: ``task``, ``split``, ``file``, ``row``, ``of``, ``with``, ``quality`` (0 to 1) and the figures of the kind
    (``offset_seconds``, ``drift_ppm``, ...), or ``error``: why the value is left out of the row.

    Args:
        recipe: A recipe file, or its content as a mapping.
        overrides: ``KEY=VALUE`` with dotted keys.
        progress: Where to tell how far it is; None: silent.

    Raises:
        SibuError: For every fault that the user can mend; where the recipe aligns nothing.
    """
    from sibu.pipeline.aligned import lines_of
    from sibu.pipeline.plan import make_plan

    loaded = load_recipe(recipe, overrides)
    if not loaded.recipe.align:
        raise RecipeError(Fault("align", "is missing: nothing is aligned.", "Add it; the guide has examples."))
    plan = make_plan(loaded, progress or Silent(), encode=False)
    for task, own in plan.tasks.items():
        for split, rows in own.splits.items():
            yield from ({"task": task, "split": split} | line for line in lines_of(rows))


def _modalities(recipe: Recipe) -> dict[str, Any]:
    """What is read of a row, by column, and how it is joined."""
    kinds = {"text": "text"} if recipe.reads_text else {}
    kinds |= {name: spec.name for name, spec in recipe.valued.items()}
    return {"kinds": kinds, "fusion": recipe.fusion.name}  # type: ignore[attr-defined]


class Predictor:
    """A bundle that answers. Made by ``load``."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    @property
    def tasks(self) -> list[str]:
        """Names of the bundle's tasks."""
        return list(self._opened.tasks)

    def task_named(self, name: str | None) -> str:
        """The task to answer; may be left out where the bundle has one.

        Raises:
            RecipeError: When there is no such task, or none was named among several.
        """
        known = self.tasks
        if name is None and len(known) == 1:
            return known[0]
        if name is None:
            raise RecipeError(f"The bundle has {len(known)} tasks ({', '.join(known)}); say which with --task.")
        if name not in known:
            raise RecipeError(f"The bundle has no task {name!r}. {near_miss(name, known)}It has: {', '.join(known)}.")
        return name

    def answering(self, *overrides: str, task: str | None = None) -> Predictor:
        """The same bundle, of which a task answers otherwise; the weights are shared.

        Args:
            overrides: ``KEY=VALUE`` with keys of the task that say how it answers, such as ``decoding=beam``,
                ``decoding.beams=8`` or ``max_new_tokens=40``.
            task: Which task; None: the only one.

        Raises:
            RecipeError: When a key is settled by the training, or a value is not allowed.
        """
        return Predictor(self._opened.answering(self.task_named(task), overrides)) if overrides else self

    def tell(
        self, given: str | Mapping[str, Any], heard: Callable[[str], None], *, task: str | None = None
    ) -> Prediction:
        """Answer one input, and tell the answer bit by bit as it is written.

        Args:
            given: A text, or a mapping with the task's fields.
            heard: Called with each bit of text as soon as it is sure.
            task: Which task, one that writes; None: the only one.

        Returns:
            The whole answer.

        Raises:
            RecipeError: When the task does not write.
            DataError: When the input lacks what the task needs.
        """
        from sibu.pipeline.answer import tell_input

        return tell_input(self._opened, self.task_named(task), given, heard)

    def predict(
        self, inputs: str | Mapping[str, Any] | Iterable[str | Mapping[str, Any]], *, task: str | None = None
    ) -> Any:
        """Answer one input or several.

        Args:
            inputs: A text, or a mapping with the task's fields (``{"text": ..., "text_pair": ...}``), or several. A
                picture or recording is its file's name, its bytes, or arrays as its modality takes them.
            task: Which task; None: the only one.

        Returns:
            A ``Prediction`` for one input, a list of them (in input order) for several.

        Raises:
            DataError: When an input lacks what the task needs; the message names its place.
        """
        one = isinstance(inputs, str | Mapping) or not isinstance(inputs, Iterable)
        given: list[Any] = [inputs] if one else list(inputs)  # what is no input at all is told in its place
        found = []
        for place, each in enumerate(self.stream(given, task=task)):
            if isinstance(each, SibuError):
                raise type(each)(f"input {place}: {each}")
            found.append(each)
        return found[0] if one else found

    def stream(
        self,
        inputs: Iterable[Any],
        *,
        task: str | None = None,
        progress: Progress | None = None,
        total: int | None = None,
    ) -> Iterator[Prediction | SibuError]:
        """Answer any number of inputs in order; one that cannot be read gives its fault in its place."""
        from sibu.pipeline.answer import answer_inputs

        name = self.task_named(task)
        return answer_inputs(self._opened, name, inputs, progress=progress or Silent(), total=total)

    def evaluate(
        self, data: str | Path | Sequence[str], *, task: str | None = None, progress: Progress | None = None
    ) -> Report:
        """Metrics on labelled files, with 95 % bootstrap intervals.

        Args:
            data: A file, or several read as one, with the columns that the task was trained on.
            task: Which task; None: the only one.
            progress: Where to tell how far it is.

        Raises:
            RecipeError: When a file or column is not there.
            DataError: When rows cannot be read.
        """
        from sibu.pipeline.answer import evaluate_files

        name = self.task_named(task)
        files = [str(data)] if isinstance(data, str | Path) else [str(file) for file in data]
        return evaluate_files(self._opened, name, files, faults=Faults(), progress=progress or Silent())


def load(bundle: str | Path, *, device: str | None = None) -> Predictor:
    """Open a bundle: every file is checked against its hash, then the model is built.

    Args:
        bundle: Its folder.
        device: Where it computes, as torch names it (``cpu``, ``cuda:1``); None: the first accelerator, else the CPU.

    Raises:
        BundleError: When it is missing, damaged, or of a newer format.
        Unsupported: When there is no such device.
    """
    from sibu.pipeline.write import open_bundle

    return Predictor(open_bundle(Path(bundle), device=device))


def evaluate(bundle: str | Path, data: str | Path, *, task: str | None = None) -> Report:
    """``load(bundle).evaluate(data, task=task)``."""
    return load(bundle).evaluate(data, task=task)


def show(bundle: str | Path) -> dict[str, Any]:
    """What is inside a bundle: tasks, labels, metrics, sizes, lineage. Every file is checked against its hash.

    ``made_of`` says of which runs an ensemble or a soup is made; None: of one.

    Raises:
        BundleError: When it is missing, damaged, or of a newer format.
    """
    from sibu.pipeline.bundle import verify
    from sibu.pipeline.record import made_of

    path = Path(bundle)
    content = verify(path)
    read = {
        name: json.loads((path / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("labels", "metrics", "record")
    }
    size = sum(file["bytes"] for file in content["files"].values())
    return {**content, **read, "made_of": made_of(read["record"]), "bytes": size}


def search(
    recipe: RecipeLike,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Try values of a recipe's keys, as its `search` says; write the recipe that is best on dev.

    Args:
        recipe: A recipe file, or its content as a mapping.
        overrides: ``KEY=VALUE`` with dotted keys.
        out: Folder of the study (``study.db``, ``search.json``, ``best.yaml``); None: ``searches/<name>``.
        resume: Go on with the study that stands there.
        force: Replace it.
        workers: Processes that try at the same time.
        progress: Where to tell how far it is; None: silent.

    Returns:
        The dev score of the recipe as it is, every trial, the best one, the file of the best recipe.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pipeline.search import search as through

    place = Path(out) if out is not None else Path("searches") / load_recipe(recipe, overrides).recipe.name
    named: dict[str, Any] = {"resume": resume, "force": force, "workers": workers}
    return through(recipe, overrides, place, progress=progress or Silent(), **named)


def find_rate(
    recipe: RecipeLike,
    overrides: Sequence[str] = (),
    *,
    low: float = 1e-7,
    high: float = 1.0,
    steps: int = 100,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train a few steps while the learning rate grows, and tell from the loss which rate suits (the range test).

    The rate is the encoder's peak, ``train.learning_rate`` (``train.head_learning_rate`` where the encoder is frozen);
    those of all other weights grow with it, in the recipe's ratios. Dev is not looked at, and no bundle is written.
    Source: Smith, 2017, arXiv:1506.01186.

    Args:
        recipe: A recipe file, or its content as a mapping.
        overrides: ``KEY=VALUE`` with dotted keys.
        low: The first rate.
        high: The last rate, where the loss does not end the sweep by rising to four times its lowest.
        steps: How many rates, at least 20; each is the same multiple of the one before.
        out: Folder for ``rates.json`` and ``rates.html``; None: ``searches/<name>-rates``.
        force: Replace the sweep that stands there.
        progress: Where to tell how far it is; None: silent.

    Returns:
        What ``rates.json`` holds: ``key``, ``table`` (step, rate, loss, ``smoothed``: its running mean, which ends the
        sweep, ``centred``: the mean of the steps around it, by which rates are chosen; None at the ends), ``stopped``
        (``end``, ``rise`` or ``not finite``), ``suggestions`` by name (``valley`` is the one to try; none where the
        loss tells none), each with values for the recipe's keys, ``lowest`` and ``reading``, a line for people; and
        ``file``, its place.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pipeline.rates import FOUND, sweep

    loaded = load_recipe(recipe, overrides)
    place = Path(out) if out is not None else Path("searches") / f"{loaded.recipe.name}-rates"
    named: dict[str, Any] = {"low": low, "high": high, "steps": steps, "force": force}
    return sweep(loaded, place, progress=progress or Silent(), **named) | {"file": str(place / FOUND)}


def search_worker(recipe: str, out: str, *overrides: str) -> None:
    """One of several processes of ``search``: tries until the study has its trials."""
    from sibu.pipeline.search import work

    work(recipe, overrides, Path(out), Silent())


def label(
    bundle: str | Path,
    file: str | Path,
    output: str | Path,
    *,
    count: int = 20,
    by: str | Mapping[str, Any] = "margin",
    desk: str = "jsonl",
    task: str | None = None,
    known: Sequence[str] | None = None,
    seed: int = 13,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Choose rows of an unlabelled file that are worth a label, and write them as a desk has them.

    Args:
        bundle: Folder of a bundle that knows something of the task.
        file: The unlabelled rows.
        output: File to be labelled; the list of what went out is put beside it.
        count: How many rows.
        by: A picker's name, or ``{"name": ..., options}``.
        desk: The form of the file.
        task: Which task; None: the only one.
        known: Files of rows that have a label; None: what the bundle was trained on.
        seed: Of what is drawn.
        progress: Where to tell how far it is; None: silent.

    Returns:
        How many rows the file has, how many were left out and why, how many were chosen.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.desks import DESKS
    from sibu.pickers import PICKERS
    from sibu.pipeline.labelling import choose, send

    predictor = load(bundle)
    name = predictor.task_named(task)
    opened, picker = predictor._opened, PICKERS.spec(by)
    named: dict[str, Any] = {"known": known, "seed": seed, "progress": progress or Silent()}
    chosen = choose(opened, name, str(file), picker, count, **named)
    send(chosen, opened, name, DESKS.spec(desk), Path(output))
    return chosen.told | {"chosen": len(chosen.rows)}


def ask_labels(
    bundle: str | Path,
    file: str | Path,
    output: str | Path,
    asked: Callable[[str, str, list[str]], str | None],
    *,
    count: int = 20,
    by: str | Mapping[str, Any] = "margin",
    task: str | None = None,
    known: Sequence[str] | None = None,
    seed: int = 13,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """As ``label``, where each label is asked for at once and the rows to train on are written.

    Args:
        bundle: As in ``label``, of a task that gives a text one label.
        file: The unlabelled rows.
        output: JSON Lines that a recipe names beside its other training files.
        asked: Given a text, what the bundle would say, and the labels: the label; None: none for this row. Raises
            EOFError when no more is to be asked.
        count: How many rows.
        by: A picker's name, or ``{"name": ..., options}``.
        task: Which task; None: the only one.
        known: Files of rows that have a label; None: what the bundle was trained on.
        seed: Of what is drawn.
        progress: Where to tell how far it is; None: silent.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pickers import PICKERS
    from sibu.pipeline.labelling import ask

    predictor = load(bundle)
    name = predictor.task_named(task)
    named: dict[str, Any] = {"known": known, "seed": seed, "progress": progress or Silent()}
    return ask(predictor._opened, name, str(file), PICKERS.spec(by), count, Path(output), asked, **named)


def take_labels(
    file: str | Path, output: str | Path, *, sent: str | Path | None = None, desk: str | None = None
) -> dict[str, Any]:
    """Labels that came back from a desk as rows to train on (JSON Lines).

    Args:
        file: What the desk exported.
        output: Where the rows go; a recipe names it beside its other training files.
        sent: The list that ``label`` wrote beside what it sent; None: beside ``file``.
        desk: The file's form; None: that in which the rows were sent.

    Returns:
        How many rows have a label, how many have none, and labels that the bundle did not know.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.desks import DESKS
    from sibu.pipeline.labelling import LEDGER, take_back

    ledger = Path(sent) if sent is not None else Path(f"{file}{LEDGER}")
    return take_back(Path(file), ledger, Path(output), desk=None if desk is None else DESKS.spec(desk))


def simulate_labels(
    recipe: RecipeLike,
    output: str | Path,
    overrides: Sequence[str] = (),
    *,
    by: Sequence[str | Mapping[str, Any]] = ("margin", "random"),
    start: int = 20,
    count: int = 20,
    rounds: int = 5,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What choosing rows would have gained where all labels are known: a learning curve for each picker.

    Args:
        recipe: A recipe of one task with ``train`` and one ``test`` file.
        output: JSON with the curves; a picture (``.html``) goes beside it. A stopped simulation goes on.
        overrides: ``KEY=VALUE`` with dotted keys.
        by: Pickers to compare.
        start: Rows to begin with.
        count: Rows that each round adds.
        rounds: Rounds after the first.
        progress: Where to tell how far it is; None: silent.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pickers import PICKERS
    from sibu.pipeline.simulate import simulate

    ways = [PICKERS.spec(each) for each in by]
    named: dict[str, Any] = {"output": Path(output), "progress": progress or Silent()}
    return simulate(load_recipe(recipe, overrides), ways, start=start, count=count, rounds=rounds, **named)


def parts(room: str | None = None) -> dict[str, dict[str, Any]]:
    """Every part that a recipe can name, by room: summary, options, what it needs. No torch is imported.

    Args:
        room: One room, such as ``methods``; None: all.

    Raises:
        RecipeError: When there is no such room.
    """
    from sibu.aligners import ALIGNERS
    from sibu.augmenters import AUGMENTERS
    from sibu.constraints import CONSTRAINTS
    from sibu.decoders import DECODERS
    from sibu.desks import DESKS
    from sibu.extractors import EXTRACTORS
    from sibu.fusions import FUSIONS
    from sibu.heads import HEADS
    from sibu.knowledge import KNOWLEDGE
    from sibu.methods import METHODS
    from sibu.modalities import MODALITIES
    from sibu.models.sources import packaged
    from sibu.pickers import PICKERS
    from sibu.readers import READERS
    from sibu.reasoners import REASONERS
    from sibu.rewards import REWARDS
    from sibu.scorers import SCORERS
    from sibu.tasks import TASKS
    from sibu.trackers import TRACKERS

    catalogs = {
        "tasks": TASKS,
        "methods": METHODS,
        "heads": HEADS,
        "decoders": DECODERS,
        "constraints": CONSTRAINTS,
        "rewards": REWARDS,
        "augmenters": AUGMENTERS,
        "pickers": PICKERS,
        "desks": DESKS,
        "scorers": SCORERS,
        "knowledge": KNOWLEDGE,
        "modalities": MODALITIES,
        "aligners": ALIGNERS,
        "fusions": FUSIONS,
        "readers": READERS,
        "trackers": TRACKERS,
        "reasoners": REASONERS,
        "extractors": EXTRACTORS,
    }
    rooms = [*catalogs, "models"]
    if room is not None and room not in rooms:
        raise RecipeError(f"There is no room {room!r}. {near_miss(room, rooms)}Allowed: {', '.join(rooms)}.")
    found: dict[str, dict[str, Any]] = {}
    for name, catalog in catalogs.items():
        if room in (None, name):
            found[name] = {
                part: {
                    "summary": catalog[part].summary,
                    "needs": list(catalog[part].needs),
                    "options": [
                        {"name": o.name, "type": o.type, "default": o.default, "help": o.help}
                        for o in catalog.options(part)
                    ],
                }
                for part in catalog
            }
    if room in (None, "models"):
        found["models"] = {
            model.alias: {"summary": model.summary, "needs": [model.package], "options": []}
            for model in packaged().values()
        }
    return found


def fields_of(predictor: Predictor, task: str) -> list[str]:
    """Sibu's names of the fields that a task reads."""
    columns = predictor._opened.tasks[task].columns
    return [column.name for column in columns if column.role == "input"]


def read_inputs(predictor: Predictor, task: str, file: str) -> Iterator[tuple[Any, Any]]:
    """The records of a file of inputs: (id, record), or (line, fault) for a line that cannot be read.

    Args:
        predictor: Whose task is to be answered; options of the reader that it was trained with hold here too.
        task: The task's name.
        file: The file.

    Raises:
        RecipeError: When no reader takes the file.
        DataError: When there is no such file.
    """
    from sibu.pipeline.answer import read_records

    return read_records(file, predictor._opened, task)


def predict_records(
    predictor: Predictor, task: str, records: Iterable[tuple[Any, Any]], *, progress: Progress | None = None
) -> Iterator[dict[str, Any]]:
    """Prediction lines in the contract's form for (id, record) pairs, in order."""
    from itertools import tee

    ids, inputs = tee(records)
    answers = predictor.stream((record for _, record in inputs), task=task, progress=progress)
    for (name, _), answer in zip(ids, answers, strict=True):
        line: dict[str, Any] = {"id": name, "task": task}
        yield line | ({"error": str(answer)} if isinstance(answer, SibuError) else answer.as_json())


def listen(predictor: Predictor, kind: str, source: str = "-", *, task: str | None = None, **options: Any) -> Listening:
    """Listen to a live stream, whose records ``live`` answers.

    Args:
        predictor: A bundle that was loaded.
        kind: ``sound``, ``pictures`` or ``readings``.
        source: As ``pipeline.live.Source`` has its name: ``-``, a pipe, ``tcp://HOST:PORT``, ``microphone``, ...
        task: Which task is to be answered; None: the only one.
        options: Of ``pipeline.live.Source``: ``rate``, ``seconds``, ``every``, ``form``, ``channels``, ``clock``,
            ``wait``, ``most``, ``patience``.

    Returns:
        The records, (number, ``{field: value, "time": second}``), and ``faults``: what is wrong with the stream.

    Raises:
        RecipeError: When the bundle reads no such thing, or an option is missing or not allowed.
    """
    from sibu.pipeline.live import Source
    from sibu.pipeline.live import listen as begun

    return begun(predictor._opened, predictor.task_named(task), Source(kind, source, **options))


def live(
    predictor: Predictor,
    records: Iterable[tuple[int, Mapping[str, Any]]],
    *,
    task: str | None = None,
    tell: Callable[[str], None] | None = None,
) -> Iterator[dict[str, Any]]:
    """Prediction lines in the contract's form, each as soon as its record comes.

    Args:
        predictor: A bundle that was loaded.
        records: What ``listen`` gives; or numbers with records of the task's fields, from anywhere.
        task: Which task; None: the only one.
        tell: Told at once what is wrong with the stream for the first time; None: only ``listen``'s faults have it.

    Yields:
        ``{"id": number, "task": ..., "time": second, "value": ..., ...}``; of a record that cannot be read, or was
        dropped since the model is slower than the stream, ``error``.

    Raises:
        DataError: When the stream cannot be opened, or breaks off.
    """
    from sibu.pipeline.live import answer_live

    return answer_live(predictor._opened, predictor.task_named(task), records, tell=tell or (lambda _: None))


def find_partners(
    predictor: Predictor,
    task: str,
    queries: Sequence[tuple[Any, Any]],
    among: Sequence[tuple[Any, Any]],
    *,
    most: int = 10,
    progress: Progress | None = None,
) -> Iterator[dict[str, Any]]:
    """The nearest candidates to each query by a task `match`: ``{"id", "task", "value": [{"id", "score"}, ...]}``.

    Args:
        predictor: A bundle that was loaded.
        task: The name of its task `match`.
        queries: (id, record) pairs, each with one of the task's two modalities.
        among: (id, record) pairs with the other.
        most: So many candidates a query.
        progress: Where to tell how far it is; None: silent.

    Raises:
        SibuError: When the task is another, or a candidate cannot be read.
    """
    from sibu.pipeline.partners import partners

    return partners(predictor._opened, task, queries, among, most=most, progress=progress or Silent())
