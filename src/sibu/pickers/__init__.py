"""Room: which rows of an unlabelled file are worth a label next, one part a way."""

from sibu.catalog import Catalog
from sibu.pickers import bald, combined, core_set, entropy, margin, random, uncertainty

PICKERS = Catalog(
    "picker",
    margin.ENTRY,
    uncertainty.ENTRY,
    entropy.ENTRY,
    bald.ENTRY,
    core_set.ENTRY,
    combined.ENTRY,
    random.ENTRY,
    group="sibu.pickers",
)
