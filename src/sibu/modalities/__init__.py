"""Room: raw values to vectors, one part a kind of input."""

from sibu.catalog import Catalog
from sibu.modalities import text

MODALITIES = Catalog("modality", text.ENTRY, group="sibu.modalities")
