"""Room: raw values to vectors, one part a kind of input."""

from sibu.catalog import Catalog
from sibu.modalities import series, table, text

MODALITIES = Catalog(
    "modality",
    text.ENTRY,
    table.ENTRY,
    series.ENTRY,
    group="sibu.modalities",
)
