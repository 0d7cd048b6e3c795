"""Room: how new training rows are made of those that are there, one part a way."""

from sibu.augmenters import (
    back_translation,
    delete,
    entities,
    keyboard,
    masked,
    neighbours,
    spelling,
    swap,
    synonyms,
)
from sibu.catalog import Catalog

AUGMENTERS = Catalog(
    "augmenter",
    synonyms.ENTRY,
    neighbours.ENTRY,
    masked.ENTRY,
    back_translation.ENTRY,
    swap.ENTRY,
    delete.ENTRY,
    spelling.ENTRY,
    keyboard.ENTRY,
    entities.ENTRY,
    group="sibu.augmenters",
)
