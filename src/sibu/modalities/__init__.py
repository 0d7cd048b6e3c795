"""Room: raw values to vectors, one part a kind of input."""

from sibu.catalog import Catalog
from sibu.modalities import audio, image, series, table, text

MODALITIES = Catalog(
    "modality",
    text.ENTRY,
    image.ENTRY,
    audio.ENTRY,
    table.ENTRY,
    series.ENTRY,
    group="sibu.modalities",
)
