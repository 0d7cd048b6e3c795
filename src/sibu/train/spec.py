"""The options of the training loop."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from sibu.catalog import Spec


class ReptileSpec(Spec):
    """A start that learns from few rows, found over many small problems. Source: Nichol et al., 2018, arXiv:1803.02999.

    Each batch is a problem: the model takes some steps on it, and keeps a share of the way. The bundle is the `model`
    of recipes with few rows of other labels. For many tasks, or one of many labels, with a head that learns from pairs
    (`prototypes`, `logistic`), so that a batch holds several rows of each of its labels.
    """

    steps: int = Field(default=5, ge=2)
    """Steps on each problem, at `learning_rate`."""
    share: float = Field(default=0.5, gt=0, le=1)
    """How much of their way is kept; falls by the `schedule`."""


WHOLE = 64
"""Records, up to which a batch's padding is not counted: one long text would cut few rows in two, and half of their
pairs be lost (AG News, eight rows of each label: 1.3 points). Texts are encoded in parts of like length."""


class TrainSpec(Spec):
    """How a model is trained: length, learning rate, batches, stopping, checkpoints."""

    epochs: NonNegativeInt | None = None
    """Times that the training data is seen; null: 5, and as many more as make 200 steps where a head begins from
    nothing and its rows are few. 0: nothing is trained, and the bundle answers as the model came. Only what writes, and
    heads that begin from something, can do that: others would be random."""
    max_steps: PositiveInt | None = None
    """Stop after so many steps at most, within the `epochs`; the schedule ends there too."""
    learning_rate: PositiveFloat | None = None
    """Peak learning rate of the encoder's weights; null: the method's own default, with `full` and `freeze` smaller for
    wider models."""
    head_learning_rate: PositiveFloat | None = None
    """Peak learning rate of the tasks' heads; null: five times `learning_rate` (in recipes that only read on, of the
    whole rate), at most 0.001 but never less than `learning_rate`."""
    batch_tokens: PositiveInt | None = None
    """Pieces a step may hold, padding included; batches are drawn from texts of like length. null: a 64th of the
    training data's pieces, at least 256 and at most 1,024; 1,024 for tasks and 4,096 for heads that learn from the
    pairs of a batch, where the padding of up to 64 rows is not counted."""
    batch_examples: PositiveInt | None = None
    """Most windows in a batch; null: no bound but `batch_tokens`."""
    accumulate: PositiveInt = 1
    """Batches whose gradients are averaged before a step."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """How the learning rate falls after the warm-up."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which the learning rate rises from zero."""
    weight_decay: float = Field(default=0.01, ge=0)
    """AdamW's decay of weights (not of biases and norms). Source: Loshchilov and Hutter, 2019, arXiv:1711.05101."""
    clip: PositiveFloat | None = 1.0
    """Largest norm of the gradient; null: no clipping."""
    modality_dropout: float = Field(default=0.2, ge=0, lt=1)
    """Several modalities: how likely each is left out of a row while training, so that the model does without (never
    the last of a row). Source: Neverova et al., 2015, arXiv:1501.00102."""
    modality_alone: float = Field(default=0.5, ge=0)
    """Several modalities: weight of what the model's answer to each without the others costs, beside its answer to all,
    so that none is learned by halves because another was quicker (labels and numbers only). 0: none. Source: Wang et
    al., 2020, arXiv:1905.12681."""
    modality_noise: float = Field(default=0.0, ge=0, lt=1)
    """Several modalities: how likely each gets noise as strong as what it holds (of texts half the pieces are others),
    so that the model learns not to trust it blindly. 0: never."""
    modality_balance: float = Field(default=0.0, ge=0)
    """Several modalities: how strongly one that alone answers better than the others is slowed, so that it does not
    starve them: its encoder's gradients are multiplied by 1 - tanh(`modality_balance` x (its lead)), the lead being its
    likelihood of the right answers over the others' mean, less 1. 0: not at all; 0.3 is a good first try. Source: Peng
    et al., 2022, arXiv:2203.15332 (OGM)."""
    sampling: Literal["proportional", "square_root", "uniform"] = "proportional"
    """Several tasks: how often each is drawn, by its size."""
    weighting: Literal["fixed", "uncertainty"] = "fixed"
    """Several tasks: weights of the losses. `fixed`: each task's `weight`; `uncertainty`: learned
    (Kendall et al., 2018, arXiv:1705.07115)."""
    evaluate_every: PositiveInt | None = None
    """Steps between evaluations on dev; null: once an epoch, or of few rows (`epochs: null`) ten times at most."""
    patience: PositiveInt | None = None
    """Stop after so many evaluations without a better dev score; null: train to the end."""
    stop_on: str = "mean"
    """What counts as better: `mean` of the tasks' main metrics, or one as `task.metric`. The best weights are kept,
    of equally good ones the later; scores that one row's answer sets apart are equally good."""
    soup: PositiveInt | None = Field(default=None, ge=2)
    """Average the weights of at most so many of the best evaluations, each where dev gets no worse; null: the best
    alone. Costs one more evaluation each, and needs a dev. Source: Wortsman et al., 2022, arXiv:2203.05482 (greedy)."""
    interpolation: float | None = Field(default=None, gt=0, le=1)
    """Where the text encoder's weights end between those that it came with (0) and those that it was trained to (1);
    dev is judged there too. For heads that are fitted behind it (`logistic`, `prototypes`, `neighbours`), and methods
    that train the model's own weights. Null: 0.7 where few rows of a file (64 of each label in the mean) are told well
    by the encoder as it came: 70 % of a label's rows or more by the nearest mean of its others, in the mean over
    labels; from 60 % on in line between, and of several tasks by the one told worst. 1 elsewhere, as also with several
    labels a row, other heads or modalities beside, `learn: episodes`, `reptile` or `knowledge`.
    Source: Wortsman et al., 2022, arXiv:2109.01903 (WiSE-FT)."""
    reptile: ReptileSpec | None = None
    """Train for a start from which few steps suffice, in place of for the tasks themselves; null: no."""
    checkpoint_every: PositiveInt | None = None
    """Steps between checkpoints; null: at an evaluation, where the last is ten seconds ago."""
    keep_checkpoints: PositiveInt = 1
    """Checkpoints kept beside the best weights; older ones are removed."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number type of the forward pass; `auto`: bfloat16 on a GPU that has it, float32 elsewhere."""
    seed: int = Field(default=13, ge=0)
    """Seed of everything random."""

    @property
    def trains(self) -> bool:
        """Whether anything is trained: how often may be left to the data."""
        return self.epochs != 0
