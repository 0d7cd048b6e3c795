"""Room: raw values to vectors, one part a kind of input."""

from sibu.catalog import Catalog
from sibu.modalities import image, table, text

MODALITIES = Catalog(
    "modality",
    text.ENTRY,
    image.ENTRY,
    table.ENTRY,
    group="sibu.modalities",
)
