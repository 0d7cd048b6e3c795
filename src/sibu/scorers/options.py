"""Options that every scorer has: how wide its vectors are and how they are learned. Each names its own defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from sibu.catalog import Spec

Width = Annotated[PositiveInt, Field(description="Numbers in an entity's vector.")]
EvenWidth = Annotated[
    PositiveInt,
    Field(multiple_of=2, description="Numbers in an entity's vector: half of them real parts, half imaginary ones."),
]
Loss = Annotated[
    Literal["softmax", "sampled"],
    Field(
        description="`softmax`: the right object against all entities. `sampled`: against some that are drawn, for "
        "very many entities, and where a distance to all of them is no product of matrices."
    ),
]
Margin = Annotated[
    NonNegativeFloat, Field(description="With `sampled`: added to every score before it becomes a probability.")
]
Penalty = Annotated[
    NonNegativeFloat,
    Field(
        description="Weight of the cubed sizes of the numbers in a triple's vectors (N3). More for large graphs of few "
        "triples an entity (0.05 to 0.1), less for small and dense ones."
    ),
]
Optimizer = Annotated[Literal["adagrad", "adamw"], Field(description="What makes the steps.")]
LearningRate = Annotated[PositiveFloat, Field(description="Of every step.")]
Batch = Annotated[
    PositiveInt, Field(description="Questions a step; each is a subject and a relation with all their objects.")
]


class ScorerSpec(Spec):
    """Options of a scorer."""

    width: Width = 512
    loss: Loss = "softmax"
    smoothing: float = Field(default=0.0, ge=0, lt=1)
    """With `softmax`: share of the probability that is to be spread over all entities."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """With `softmax`: of the products with all entities while learning. `bfloat16` is for large graphs, on processors
    (or GPUs) that multiply such numbers faster; only `complex` and `distmult` have such products."""
    negatives: PositiveInt = 256
    """With `sampled`: entities that are drawn for a step; no more than there are."""
    margin: Margin = 0.0
    temperature: NonNegativeFloat = 1.0
    """With `sampled`: how much more the likelier wrong ones count; 0: all alike."""
    penalty: Penalty = 0.01
    optimizer: Optimizer = "adagrad"
    learning_rate: LearningRate = 0.3
    batch: Batch = 512
    epochs: PositiveInt = 200
    """Most rounds over all triples."""
    every: PositiveInt = 5
    """Epochs from one look at the held-out triples to the next."""
    patience: PositiveInt = 8
    """So many looks without a better MRR end the training; the best vectors are kept."""
