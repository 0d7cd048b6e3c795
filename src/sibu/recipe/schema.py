"""The recipe, key for key: this file is the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PositiveFloat,
    PositiveInt,
    Tag,
    field_validator,
    model_validator,
)

from sibu.aligners import ALIGNERS
from sibu.augmenters import AUGMENTERS
from sibu.catalog import Spec
from sibu.constraints import CONSTRAINTS
from sibu.decoders import DECODERS
from sibu.decoders.greedy import GreedySpec
from sibu.fusions import FUSIONS
from sibu.fusions.identity import IdentitySpec
from sibu.heads import HEADS
from sibu.heads.linear import LinearSpec
from sibu.knowledge import KNOWLEDGE
from sibu.methods import METHODS
from sibu.methods.full import FullSpec
from sibu.modalities import MODALITIES
from sibu.modalities.text import TextSpec
from sibu.models.spec import NewModel
from sibu.readers import READERS
from sibu.rewards import REWARDS
from sibu.tasks import TASKS
from sibu.trackers import TRACKERS
from sibu.train.spec import TrainSpec

if TYPE_CHECKING:
    AnyTask: TypeAlias = Spec
    AnyMethod: TypeAlias = Spec
    AnyFusion: TypeAlias = Spec
    AnyModality: TypeAlias = Spec
    AnyReader: TypeAlias = Spec
    AnyTracker: TypeAlias = Spec
    AnyDecoder: TypeAlias = Spec
    AnyConstraint: TypeAlias = Spec
    AnyReward: TypeAlias = Spec
    AnyAugmenter: TypeAlias = Spec
    AnyHead: TypeAlias = Spec
    AnyKnowledge: TypeAlias = Spec
    AnyAlignment: TypeAlias = Spec
else:
    AnyTask = TASKS.union()
    AnyMethod = METHODS.union()
    AnyFusion = FUSIONS.union()
    AnyModality = MODALITIES.union()
    AnyReader = READERS.union()
    AnyTracker = TRACKERS.union()
    AnyDecoder = DECODERS.union()
    AnyConstraint = CONSTRAINTS.union()
    AnyReward = REWARDS.union()
    AnyAugmenter = AUGMENTERS.union()
    AnyHead = HEADS.union()
    AnyKnowledge = KNOWLEDGE.union()
    AnyAlignment = ALIGNERS.union()


def _form(given: Any) -> str:
    return "dict" if isinstance(given, Mapping | NewModel) else "str"


AnyModel = Annotated[Annotated[str, Tag("str")] | Annotated[NewModel, Tag("dict")], Discriminator(_form)]

Name = Annotated[str, Field(pattern=r"^[\w][\w.\- ]*$", max_length=80)]
Word = Annotated[str, Field(pattern=r"^[\w][\w\- ]*$", max_length=80)]
"""A name that stands before a dot: of a task, of a test file."""
Files = Annotated[tuple[str, ...], Field(min_length=1)]


def _several(given: Any) -> Any:
    """One part in place of a list of them."""
    return (given,) if isinstance(given, str | Mapping) else given


class Rule(Spec):
    """A rule that gives a row a label where it says anything (a labelling function)."""

    label: str
    """What it gives."""
    words: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)] | None = None
    """It speaks where any of these words or phrases stands in the text, in large or small letters."""
    pattern: str | None = None
    """It speaks where this regular expression (Python's) is found."""
    field: str = "text"
    """Where it looks: `text` or `text_pair`."""
    name: str | None = None
    """What the record calls it; null: what it looks for."""

    @model_validator(mode="after")
    def _one(self) -> Rule:
        if (self.words is None) == (self.pattern is None):
            raise ValueError("a rule has either `words` or a `pattern`")
        return self


class DataBlock(Spec):
    """Where a task's data lies."""

    train: str | Files | None = None
    """File to learn from; several are read as one. null: nothing is learned (`train.epochs: 0`), and the labels are
    given in the recipe."""
    dev: str | Files | None = None
    """File for early stopping and every other choice; null: split from `train`, seeded and stratified."""
    test: str | Files | dict[Word, str] | None = None
    """File for the final figures, never used for a choice; or several by name, `{books: a.jsonl, dvd: b.jsonl}`."""
    rules: tuple[Rule, ...] = ()
    """Rules that label the rows of `train` which have no label (task `classify`, one label)."""
    label_model: Literal["accuracy", "majority"] = "accuracy"
    """What counts where rules disagree: how often each is right, as their agreement tells, or their number."""
    rule_threshold: float = Field(default=0.5, gt=0, le=1)
    """A row gets its likeliest label from this probability on; others are not learned from."""
    unlabelled: str | Files | None = None
    """Files of rows without labels, for `self_training`, a `teacher` or `consistency`."""
    dev_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of `train` that becomes dev where there is none. 0: none is split off; all rows are trained on, to the last
    step, and there are no figures on dev. For some hundred rows, where a tenth is missed more than it tells."""
    shots: PositiveInt | None = None
    """So many rows of each label are drawn from `train` by the seed, and the others left alone; of tasks without labels
    so many in all. Without `dev` none is split off: the rows trained on stand for it, and it is not reported."""
    augment: Annotated[tuple[AnyAugmenter, ...], BeforeValidator(_several)] = ()
    """Ways in which changed copies of the training rows are made; each copy is made by one of them, drawn. Dev and test
    are never changed, and no copy is equal to a row of them."""
    copies: PositiveInt = 1
    """Copies of each training row, where `augment` names a way."""
    in_domain: str | None = None
    """Several test files: the name of the one from the training domain; the report shows the others' gap to it. null:
    dev stands for it."""

    @property
    def undivided(self) -> bool:
        """Whether the rows that are trained on stand for dev."""
        return self.dev is None and (self.shots is not None or not self.dev_share)


class Teacher(Spec):
    """A bundle of another run whose answers are learned too. Source: Hinton et al., 2015, arXiv:1503.02531."""

    bundle: str
    """Folder of the bundle."""
    task: str | None = None
    """Which of its tasks; null: its only one. It has the same labels."""
    weight: float = Field(default=0.5, gt=0, le=1)
    """Share of the teacher's answers in the loss; the rest is the labels'. 1: labels are not looked at."""
    temperature: PositiveFloat = 2.0
    """Softens the probabilities of both: the higher, the more counts how the teacher ranks what it thinks wrong."""


class Consistency(Spec):
    """Texts without labels that teach: a changed copy is to be answered as its text, where that answer is sure.

    Source: Xie et al., 2020, arXiv:1904.12848; without changes Laine and Aila, 2017, arXiv:1610.02242.
    """

    augment: Annotated[tuple[AnyAugmenter, ...], BeforeValidator(_several)] = ()
    """Ways in which the copies are made, each by one of them, drawn; none: dropout alone tells text and copy apart."""
    weight: PositiveFloat = 1.0
    """Weight of a batch of pairs against one of labelled rows."""
    threshold: float = Field(default=0.8, ge=0, lt=1)
    """Only texts whose likeliest label has this probability teach."""
    temperature: PositiveFloat = Field(default=0.4, le=1)
    """Sharpens the answer to the text: the lower, the nearer to its likeliest label alone."""


class TaskBlock(Spec):
    """One task: its type, data, fields, and the options of its type."""

    task: AnyTask
    """What is asked: `classify`, `regress`, `tag`, `extract`, `relate`, `generate`, `prefer`, `reinforce`."""
    data: DataBlock
    """Its files."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Sibu's name of a field to the file's column; a field that is not named has its own name."""
    reader: AnyReader | None = None
    """How files are read; null: by their ending."""
    weight: PositiveFloat = 1.0
    """Weight of the task's loss among several."""
    teacher: Teacher | None = None
    """A task `classify` or `regress`: a bundle whose answers are learned too (knowledge distillation), also for the
    rows of `data.unlabelled`, whose labels are then the teacher's; null: none."""
    consistency: Consistency | None = None
    """A task `classify` of one label: learn from `data.unlabelled` that changed copies of a text have its label; null:
    no."""
    head: AnyHead = LinearSpec()
    """A task `classify`: how a text's vector becomes a label."""
    decoding: AnyDecoder = GreedySpec()
    """A task that writes: how an answer is chosen."""
    constrain: AnyConstraint | None = None
    """A task `generate`, `prefer` or `reinforce`: what every answer must look like; null: anything."""
    reward: Annotated[tuple[AnyReward, ...], BeforeValidator(_several)] = ()
    """What makes an answer good, for `reinforce` and for the decoding `best_of`; of several the weighted sum counts."""


class KnowledgeBlock(Spec):
    """What is known beside the data, and how the model uses it."""

    kb: str | None = None
    """Folder of a knowledge base: labels and aliases of its things, their classes, facts. It is read at training; what
    prediction needs is copied into the bundle."""
    names: str | Files | None = None
    """File of names, one a line, with its class behind a tab (else the file's name is the class); several are read as
    one."""
    classes: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Classes of the knowledge base whose things count, those below them too; null: all things that have a label."""
    width: PositiveInt = 64
    """Numbers of the vectors that say what is known of a piece (`gazetteer`, `vectors`)."""
    use: Annotated[tuple[AnyKnowledge, ...], BeforeValidator(_several), Field(min_length=1)]
    """How it is used: one way or several."""


class Condition(Spec):
    """A bound that a metric must keep."""

    at_least: float | None = None
    """The metric must reach this."""
    at_most: float | None = None
    """The metric must not exceed this."""


class SelfTraining(Spec):
    """A model labels texts for the next one, where it is sure. Source: Yarowsky, 1995; Scudder, 1965."""

    rounds: PositiveInt = 1
    """Trainings after the first; each begins from the pretrained model, with the labels that the one before gave."""
    threshold: float = Field(default=0.9, gt=0, le=1)
    """From this probability on a label is taken; of tags the least sure word counts."""
    balance: bool = True
    """Take the surest of each label, so that the labels keep the shares that they have in the labelled rows."""
    most: PositiveInt | None = None
    """Most texts that a round takes, the surest first (with `balance` of each label); null: all that are sure."""


class Range(Spec):
    """Numbers from `low` to `high`."""

    low: int | float
    """The least that is tried."""
    high: int | float
    """The most that is tried."""
    log: bool = False
    """Whether a factor counts rather than a difference: for rates and sizes."""
    step: int | float | None = None
    """Only so far apart; null: any."""

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if not self.low < self.high:
            raise ValueError(f"`low` must be less than `high`, given {self.low:g} and {self.high:g}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("with `log` the `low` is above 0 and there is no `step`")
        return self


class Search(Spec):
    """What `sibu search` tries; `sibu run` does not read it. Source of the choice: Bergstra et al., 2011 (TPE)."""

    space: Annotated[dict[str, Range | Annotated[tuple[Any, ...], Field(min_length=1)]], Field(min_length=1)]
    """Dotted keys of the recipe, such as `train.learning_rate`, each with a range or a list of values."""
    trials: PositiveInt = 20
    """How many runs are tried, beside the recipe as it is."""
    first: PositiveInt = 5
    """Trials drawn at random before others follow what was found."""
    prune: bool = True
    """Stop a trial whose dev score lies below the median of the others' at the same step."""


class Recipe(Spec):
    """One run: a pretrained model, its tasks with their data, and how it learns them."""

    name: Name
    """Name of the run; the bundle goes to `runs/<name>` unless told otherwise."""
    model: AnyModel | None = None
    """Pretrained model: the alias of a packaged one, a local folder, a bundle that another run wrote, or a Hub id. Or a
    block `{new: ...}`: one with random weights and a tokenizer of its own. It is the text's where there are texts, else
    that of the first modality; other modalities name their own. null: nothing pretrained (without texts)."""
    allow_pickle: bool = False
    """Accept weights in a pickle, which can run code when read. Say so only for a source that you trust."""
    modalities: Annotated[tuple[AnyModality, ...], BeforeValidator(_several), Field(min_length=1)] = (TextSpec(),)
    """Kinds of input with their options."""
    align: Annotated[tuple[AnyAlignment, ...], BeforeValidator(_several)] = ()
    """How values of one row are brought into line before the model reads them: streams to one clock, pictures to one
    view. One, or a list; each modality is moved by one at most."""
    fusion: AnyFusion = IdentitySpec()
    """How several modalities become one; of several `concat`, where none is named."""
    tasks: Annotated[dict[Word, TaskBlock], Field(min_length=1)]
    """Tasks by name; several share one encoder."""
    method: AnyMethod = FullSpec()
    """How the encoder is adapted."""
    train: TrainSpec = TrainSpec()
    """The training loop."""
    repeats: PositiveInt = 1
    """Runs with seeds `train.seed`, `train.seed` + 1, ...: the record tells mean and deviation over them, the bundle is
    the first run's or, with `ensemble`, of all."""
    folds: PositiveInt | None = Field(default=None, ge=2)
    """So many runs, each with another part of the training rows as dev (k-fold cross-validation): the record tells mean
    and deviation over them, the bundle is the first run's or, with `ensemble`, of all. For tasks without `data.dev`;
    null: no."""
    ensemble: bool | Literal["soup"] = False
    """Keep all runs of `repeats` or `folds` in the bundle, which answers by the mean of their probabilities (deep
    ensembles: Lakshminarayanan et al., 2017, arXiv:1612.01474; committees of folds: Krogh and Vedelsby, 1995); it takes
    as long as its members together, and all are in memory. With `soup` (of `repeats`, with `data.dev`) it is one model
    whose weights, heads too, are the mean of the runs', the best first and each where dev gets no worse (Wortsman et
    al., 2022, arXiv:2203.05482). Without it the bundle is the first run's."""
    self_training: SelfTraining | None = None
    """Learn from texts without labels too (`data.unlabelled`), labelled by the model itself; null: no."""
    knowledge: KnowledgeBlock | None = None
    """What is known beside the data, and how the model uses it; null: nothing."""
    search: Search | None = None
    """Values that `sibu search` tries; null: none."""
    release: dict[str, Condition] = Field(default_factory=dict)
    """Bounds as `task.metric` or `task.split.metric`; a bundle that misses one is written but marked (exit code 3)."""
    track: tuple[AnyTracker, ...] = ()
    """Where figures go besides the bundle."""

    @field_validator("tasks", mode="before")
    @classmethod
    def _gather(cls, tasks: Any) -> Any:
        return {name: gathered(block) for name, block in tasks.items()} if isinstance(tasks, dict) else tasks

    @property
    def text(self) -> TextSpec:
        """The text modality's options; where there are no texts, those that it would have."""
        return next((spec for spec in self.modalities if isinstance(spec, TextSpec)), TextSpec())

    @property
    def reads_text(self) -> bool:
        """Whether texts are among the modalities."""
        return any(isinstance(spec, TextSpec) for spec in self.modalities)

    @property
    def valued(self) -> dict[str, Any]:
        """The options of all other modalities, by the column that each reads."""
        return {spec.field: spec for spec in self.modalities if not isinstance(spec, TextSpec)}  # type: ignore[attr-defined]


OWN = frozenset(TaskBlock.model_fields) - {"task"}


def gathered(block: Any) -> Any:
    """A task block as written (options of its type beside ``data``) to the schema's form (options under ``task``)."""
    if not isinstance(block, Mapping) or "task" in block:
        return block
    own = {key: value for key, value in block.items() if key in OWN}
    return own | {"task": {key: value for key, value in block.items() if key not in OWN}}


def spread(block: Mapping[str, Any]) -> dict[str, Any]:
    """The way back from ``gathered``."""
    rest = {key: value for key, value in block.items() if key != "task"}
    return dict(block["task"]) | rest
