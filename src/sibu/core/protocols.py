"""What each room owes: one protocol a room, of few methods.

Rooms never import each other; ``run/`` introduces them to one another through these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sibu.core.columns import Column
from sibu.core.example import DataFault, Faults, Row
from sibu.core.grammar import Grammar
from sibu.core.logic import Atom, Rule, Term, Value
from sibu.core.names import Names
from sibu.core.result import Prediction
from sibu.core.text import AnyInput, Feature, Pieces, Prompt, Window

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    import numpy as np
    from torch import Tensor, nn

    from sibu.core.tensors import Batch, Encoded, Output

Record = tuple[int, dict[str, Any]]
"""Where a record starts in its file (line, from 1) and its raw values by the file's own column names."""

Features = Mapping[str, "np.ndarray"]
"""The arrays of one window, by feature name."""

Found = tuple[str, str, str, str]
"""A fault that a task finds in a row: kind, severity, message, mend."""

State = dict[str, Any]
"""What a task learned from its training data (its labels, ...); JSON only, saved in the bundle."""


class Reader(Protocol):
    """Files to records."""

    def __call__(self, path: str, faults: Faults) -> Iterator[Record]:
        """Yield each record; a record that cannot be read is counted in ``faults`` and skipped, never lost silently."""
        ...


class Modality(Protocol):
    """Raw values to model inputs. The encoder behind it is made by ``encoder``."""

    features: tuple[Feature, ...]
    """The arrays that ``arrays`` gives for each window."""
    max_length: int
    """Most pieces that a window may have."""
    key: str
    """Equal for two that give the same windows and arrays."""
    unknown: int | None
    """The piece that stands for what the vocabulary lacks; None where it lacks nothing."""

    @property
    def pieces(self) -> Pieces | None:
        """What tasks that hide words need to know of it; None where nothing can be hidden."""
        ...

    def prepare(self, inputs: Sequence[AnyInput]) -> list[list[Window]]:
        """The windows of each input, in order; at least one each."""
        ...

    def arrays(self, window: Window, source: AnyInput) -> Features:
        """The model's own arrays of one window."""
        ...


@dataclass(frozen=True, slots=True)
class WindowOutput:
    """One window's answer on its way to ``Task.decode``: what the head said, in numpy, or what was written."""

    window: Window
    logits: np.ndarray
    """Of a task that writes: the sum of the negative log probabilities of the right answer and its number of pieces,
    where it is known."""
    text: str | None = None
    """What was written; None where nothing was to be."""
    finished: bool = True
    """Whether what was written came to an end of its own, not to the limit."""


class Measure(Protocol):
    """Metrics over any choice of examples, so that they can be bootstrapped."""

    n: int

    def __call__(self, rows: np.ndarray) -> Mapping[str, float]:
        """Every metric over the examples ``rows`` (numbers from 0, repeats allowed)."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """What a task says of its predictions on labelled data."""

    measure: Measure
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON for the report: confusion, scores by label."""
    wrong: Sequence[bool] = ()
    """For each example whether it counts as an error."""


class Task(Protocol):
    """Head, loss, decoding and metrics of one kind of answer."""

    @property
    def writes(self) -> bool:
        """Whether it is answered in words, by the model's language head: then it is a ``WritingTask``."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """What it reads of a file."""
        ...

    @property
    def needs(self) -> tuple[tuple[str, ...], ...]:
        """What a file must have: of each group of columns at least one.

        Groups of targets count for labelled data only.
        """
        ...

    @property
    def features(self) -> tuple[Feature, ...]:
        """The arrays that ``targets`` may give."""
        ...

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that ``judge`` may report."""
        ...

    @property
    def main_metric(self) -> str:
        """The metric that early stopping and the mean over tasks look at."""
        ...

    @property
    def state(self) -> State:
        """What the task learned from its training data."""
        ...

    def learn(self, rows: Iterable[Row]) -> None:
        """Read labels and counts from the training rows into ``state``."""
        ...

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Faults of one row, given the windows of its inputs."""
        ...

    def inputs(self, row: Row) -> Sequence[AnyInput]:
        """What is to be encoded for this row; several where one row holds several questions."""
        ...

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:
        """The arrays that head and loss ask for, for one window of the row's input ``number``."""
        ...

    def head(self, width: int) -> nn.Module | HeadPlace:
        """The module that answers: ``head(Encoded, features) -> Output``.

        Or what it answers for, where the recipe says which it is.
        """
        ...

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Mean loss of a batch, a scalar."""
        ...

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """The prediction for a row from its windows' answers, grouped by input."""
        ...

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """Metrics and details against the gold targets."""
        ...


class AveragedTask(Task, Protocol):
    """A task whose answers by several models have a mean: it can be answered by an ensemble."""

    def combine(self, said: Sequence[WindowOutput]) -> WindowOutput:
        """What several models say of one window as one answer, in the form that ``decode`` reads.

        Of one model alone it answers as that one does.
        """
        ...


class ScaledTask(AveragedTask, Protocol):
    """One whose scores are in units that each run takes from its own training rows."""

    def adopt(self, said: WindowOutput, state: State) -> WindowOutput:
        """What a model with another ``state`` says, in this task's own units."""
        ...


@dataclass(frozen=True, slots=True)
class HeadPlace:
    """What a head of the room answers for."""

    width: int
    """D, of the encoder's vectors."""
    outputs: int
    """C, the number of labels."""
    pooling: str
    """How token vectors become one: ``mean``, ``first`` or ``max``."""
    dropout: float
    """Dropout before the last layer, in [0, 1)."""
    multi_label: bool
    """Whether several labels may hold."""


class FittedHead(Protocol):
    """A head that is fitted to the training rows' vectors; while the encoder trains it has a loss of its own."""

    fits: bool

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """What the encoder learns by, a scalar."""
        ...

    def fit(self, vectors: Tensor, targets: Tensor) -> None:
        """Fit to vectors ``(N, D)`` and the task's ``label`` targets of the same rows."""
        ...


class StartedHead(Protocol):
    """A head that begins from the words of its labels."""

    def wordings(self, words: Sequence[str]) -> list[str]:
        """The texts that say one label, given its name or its descriptions."""
        ...

    def start(self, vectors: Sequence[Tensor]) -> None:
        """Begin from the encoder's pooled vectors of each label's wordings, ``(W, D)`` each."""
        ...


class TiedHead(Protocol):
    """A head that reads and writes pieces by the encoder's own input vectors."""

    def tie(self, embeddings: nn.Embedding) -> None:
        """Told the table, whose weights stay the encoder's, before the head has any weight trained or loaded."""
        ...


class WritingTask(Task, Protocol):
    """A task that is answered in words, by the language head of the model."""

    @property
    def room(self) -> int:
        """Most pieces of an answer."""
        ...

    @property
    def template(self) -> str | None:
        """A chat template in place of the model's own."""
        ...

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts at which an answer ends."""
        ...

    def prompt(self, row: Row) -> Prompt:
        """What the model reads, without an answer."""
        ...

    @property
    def unwritten(self) -> tuple[str, ...]:
        """Metrics for which nothing need be written: the likelihood of the right answers tells them."""
        ...

    @property
    def group(self) -> int:
        """Inputs of a row that are learned together, and so share a batch."""
        ...

    @property
    def compares(self) -> bool:
        """Whether the loss asks for ``reference``: the log probability of each answer before training."""
        ...

    @property
    def choices(self) -> Sequence[str]:
        """Every answer there is, where the likeliest of them is to be told and nothing be written; else none."""
        ...

    @property
    def blank(self) -> Row | None:
        """A row that says nothing, whose answers' likelihoods the others' are held against; None: nothing is."""
        ...

    @property
    def candidates(self) -> int:
        """Answers that the model writes to each prompt in training, to learn from their rewards; 0: none."""
        ...

    def grammar(self, row: Row) -> Grammar | None:
        """Every answer that is allowed for this row; None: any."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms answers are written."""

    limit: int
    """Most pieces of an answer."""
    ends: Sequence[int]
    """Pieces at which an answer ends."""
    pad: int
    """What fills the places behind it."""
    processors: Sequence[Any] = ()
    """Change the scores before a piece is chosen: ``(ids, scores) -> scores``, as transformers' do."""
    criteria: Sequence[Any] = ()
    """Say which answers have come to an end: ``(ids, scores) -> bool (B,)``, as transformers' do."""
    streamer: Any = None
    """Has ``put(ids)`` and ``end()``; told what was chosen. None: nobody."""


class Decoder(Protocol):
    """Scores of pieces to pieces: how an answer is chosen."""

    def __call__(self, model: Any, inputs: Mapping[str, Tensor], terms: Terms) -> Tensor:
        """Write answers to a batch of prompts.

        Args:
            model: A model of transformers that writes.
            inputs: ``input_ids`` and ``attention_mask`` (B, T); a causal model's are padded on the left.
            terms: When an answer ends, and what else holds.

        Returns:
            ``(B, L)``, or ``(B x n, L)`` where several answers are given to each: with a causal model the prompt and
            what was written, with an encoder-decoder the piece that begins and what was written.
        """
        ...


class Augmenter(Protocol):
    """New training rows of old ones."""

    def learn(self, rows: Iterable[Row]) -> None:
        """Look at all training rows before the first is changed."""
        ...

    def __call__(self, row: Row, draw: Random) -> Row | None:
        """A changed copy of a row, its targets still right; None where nothing could be changed."""
        ...


class ManyAugmenter(Augmenter, Protocol):
    """An augmenter that changes several rows at once for less than one by one."""

    def many(self, rows: Sequence[Row], draws: Sequence[Random]) -> Sequence[Row | None]:
        """The same for each row with its draws, whatever other rows there are."""
        ...


@dataclass(frozen=True, slots=True)
class Pool:
    """What a bundle makes of rows without labels; of the parts those that a picker asks for."""

    size: int
    """N, how many rows there are."""
    chances: Sequence[np.ndarray] = ()
    """Of each row the probabilities of its answers, ``(n, C)``: n is 1 for a label, the number of words for tags."""
    draws: Sequence[np.ndarray] = ()
    """The same by several variants of the model, ``(passes, n, C)``."""
    vectors: Any = None
    """A unit vector a row. Shape ``(N, D)``."""
    known: Any = None
    """The same of the rows that have a label. Shape ``(M, D)``."""


@dataclass(frozen=True, slots=True)
class Picker:
    """A picker: what it asks for, and how it chooses."""

    needs: tuple[str, ...]
    """Parts of the pool: ``chances``, ``draws``, ``vectors``."""
    choose: Callable[[Pool, int, np.random.Generator], list[int]]
    """So many rows of a pool by their numbers, the most wanted first."""
    passes: int = 0
    """Variants of the model that ``draws`` asks for."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A row on its way to a desk."""

    id: str
    row: Row
    """Its inputs by Sibu's names."""
    target: str
    """What is asked for: ``label`` or ``entities``."""
    guess: Any
    """What the bundle would say."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A row on its way back."""

    line: int
    id: str
    """As it was sent; empty where the file has none."""
    value: Any
    """The label, a list of labels or the spans; None: nobody gave any."""
    text: str | None = None
    """The text as it came back, with its pair (``as_one``); None: the file has none."""


class Desk(Protocol):
    """A form of file that people label in."""

    def write(self, path: Path, rows: Sequence[Sent]) -> None:
        """Write rows to be labelled."""
        ...

    def read(self, path: Path, target: str) -> Iterator[Returned]:
        """Read them back.

        Raises:
            DataError: When the file cannot be read.
        """
        ...


class Scorer(Protocol):
    """Entities and relations as vectors: how likely two entities stand in a relation; more is likelier.

    A module of torch. Relations have numbers from 0 to 2R: that of an inverse is R higher, so that a question for the
    subject is one for the object too.
    """

    entities: nn.Parameter
    """The vectors of the entities. Shape ``(E, D)``."""

    def against(self, subjects: Tensor, relations: Tensor, objects: Tensor | None = None) -> Tensor:
        """Scores of each subject and relation, ``(B,)``, with each of the objects, ``(K,)``: ``(B, K)``.

        None: all entities, in their order.
        """
        ...

    def score(self, subjects: Tensor, relations: Tensor, objects: Tensor) -> Tensor:
        """Scores of triples, ``(B,)`` each. Shape ``(B,)``."""
        ...

    def penalty(self, subjects: Tensor, relations: Tensor, objects: Tensor) -> Tensor:
        """What keeps the vectors of triples small, summed over them; a scalar."""


class Reasoner(Protocol):
    """What concludes new facts from those of a knowledge base: rules, and facts that no rule can make."""

    def rules(self, names: Names, texts: Mapping[str, str]) -> Sequence[Rule]:
        """The rules that it adds.

        Args:
            names: The knowledge base's namespace and prefixes.
            texts: Its rule files, text by name.

        Raises:
            SibuError: When they cannot be read.
        """
        ...

    def facts(self, terms: Iterable[Term]) -> Iterable[Atom]:
        """Facts that hold of the terms that occur, whatever else does, such as of which datatype a value is."""
        ...

    def ill_typed(self, terms: Iterable[Term]) -> Sequence[Value]:
        """The values among the terms that cannot be, as their text is none of their datatype."""
        ...


class Reward(Protocol):
    """How good answers are."""

    def __call__(self, rows: Sequence[Row], answers: Sequence[str]) -> np.ndarray:
        """Score answers.

        Args:
            rows: What was asked; one row for each answer.
            answers: What was written.

        Returns:
            A number an answer, more is better. Shape ``(answers,)``.
        """
        ...


class Judge(Protocol):
    """A bundle of another run that judges texts."""

    def about(self, task: str | None) -> tuple[str, bool, Sequence[str]]:
        """The type of one of its tasks (None: its only one), whether it judges pairs of texts, and its labels.

        Raises:
            RecipeError: When there is no such task.
        """
        ...

    def __call__(self, task: str | None, rows: Sequence[Row]) -> Sequence[Prediction]:
        """Its predictions.

        Raises:
            DataError: When a row cannot be read.
        """
        ...


class Fusion(Protocol):
    """Many encoded modalities to one: a module of torch."""

    width: int
    """D, of what it gives."""

    def __call__(self, parts: Mapping[str, Encoded], *, keep: str | None = None) -> Encoded:
        """Join the modalities' vectors.

        Args:
            parts: Every modality that the fusion was built for. Where a row lacks one, its mask is all False there and
                its vectors are zeros.
            keep: A modality whose places are kept, one vector for each, as tasks by token ask for: ``(B, T, D)`` with
                that part's own mask; None: the fusion's own form.
        """
        ...


@dataclass(frozen=True, slots=True)
class Group:
    """Weights that train alike."""

    parameters: Sequence[Any]
    scale: float = 1.0
    """Learning rate relative to the run's."""


@dataclass(slots=True)
class Adapted:
    """A model made ready by a method: what trains, and what stays as it was."""

    encoder: nn.Module
    groups: list[Group]
    """Weights of the encoder that train."""
    frozen_layers: int = 0
    """How many layers, from the bottom, compute the same in every epoch and may be computed once."""
    adapter: Any = None
    """What writes the bundle's ``adapter/`` folder (``save(folder)``); None where the weights themselves changed."""
    merge: Callable[[], None] | None = None
    """Adds what was trained to the weights beside it, so that answering costs no more than before; None: cannot be."""
    begin: Callable[[int], None] | None = None
    """Told the number of steps before the first."""
    after_step: Callable[[int], None] | None = None
    """Called after each step while its gradients are still there."""
    penalty: Callable[[], Tensor] | None = None
    """A term that is added to the loss."""
    state: Callable[[], dict[str, Tensor]] | None = None
    """Tensors that a checkpoint needs beyond the trained weights."""
    restore: Callable[[dict[str, Tensor]], None] | None = None
    """Takes them back."""


class Method(Protocol):
    """Model to adapted model."""

    def __call__(self, encoder: nn.Module, spec: Any, saved: Path | None = None) -> Adapted:
        """Choose what trains; add what is to be added, with the weights of a bundle's ``adapter/`` where given."""
        ...


class Tracker(Protocol):
    """Figures of a run to a tracking service."""

    def __call__(self, folder: Path, name: str, recipe: Mapping[str, Any]) -> AbstractContextManager[Any]:
        """Open a run; the context has ``log(step, figures)``."""
        ...


def as_fault(found: Found, file: str, row: int | None) -> DataFault:
    """A task's finding with its place."""
    kind, severity, message, mend = found
    return DataFault(kind, "error" if severity == "error" else "warning", file, row, message, mend)


Batches = Iterable["Batch"]
