"""F2: metrics that can be bootstrapped, and nothing but numpy behind them.

Each module holds one ``sibu.core.protocols.Measure`` (``classes``: two): what it needs of every example is counted once
when it is built, so that asking for a resample costs a few sums. ``bootstrap`` turns a measure into scores with
intervals. A metric that is undefined on the rows asked for is NaN in a measure, and never in a ``Score``.
"""

LOWER_IS_BETTER = frozenset({"mse", "mae", "perplexity", "repetition", "uniformity"})
"""The metrics of this package of which less is better; of every other one more is."""
ABOVE_ONE = LOWER_IS_BETTER | {"length_ratio", "reward"}
"""The metrics of this package that may exceed 1."""

OF_ANSWERS = frozenset({"accuracy", "micro_f1", "macro_f1", "f1", "exact_match"})
"""The metrics of this package that one row's answer moves by about one part in as many as there are rows."""


def goodness(metric: str, value: float) -> float:
    """A metric's value as a number of which more is better.

    A perplexity is the probability of a piece, in [0, 1]; a uniformity, from 0 down to about -4, becomes 0 to about 1.
    """
    if metric == "perplexity":
        return 1 / max(value, 1.0)
    if metric == "uniformity":
        return -value / 4
    return -value if metric in LOWER_IS_BETTER else value
