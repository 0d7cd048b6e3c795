"""Room: what makes an answer good, one part a measure."""

from sibu.catalog import Catalog
from sibu.rewards import classifier, length, overlap, regex, repetition

REWARDS = Catalog(
    "reward", classifier.ENTRY, overlap.ENTRY, length.ENTRY, regex.ENTRY, repetition.ENTRY, group="sibu.rewards"
)
