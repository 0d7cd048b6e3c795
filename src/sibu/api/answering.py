"""Bundles that answer: one input, files, live streams, partners of another modality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import RecipeError, SibuError, near_miss
from sibu.core.example import Faults
from sibu.core.result import Prediction, Report
from sibu.pipeline.progress import Progress, Silent

if TYPE_CHECKING:
    from sibu.pipeline.bundle import Opened
    from sibu.pipeline.live import Listening


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


def fields_of(predictor: Predictor, task: str) -> list[str]:
    """Sibu's names of the fields that a task reads."""
    columns = predictor._opened.tasks[task].columns
    return [column.name for column in columns if column.role == "input"]


def columns_read(predictor: Predictor, task: str) -> list[str]:
    """Names of an input's columns that are read for a task: Sibu's, and the files' where these differ."""
    from sibu.pipeline.answer import columns_of

    return columns_of(predictor._opened, task)


def read_inputs(
    predictor: Predictor, task: str, file: str, *, progress: Progress | None = None
) -> Iterator[tuple[Any, Any]]:
    """The records of a file of inputs: (id, record), or (line, fault) for a line that cannot be read.

    Args:
        predictor: Whose task is to be answered; options of the reader that it was trained with hold here too.
        task: The task's name.
        file: The file, or folder.
        progress: Where to tell what is no record (a folder's hidden files), and columns that no row has; None: silent.

    Raises:
        RecipeError: When no reader takes the file.
        DataError: When there is no such file.
    """
    from sibu.pipeline.answer import read_records

    return read_records(file, predictor._opened, task, tell=(progress or Silent()).say)


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
