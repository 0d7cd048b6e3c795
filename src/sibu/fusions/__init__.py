"""Room: how the vectors of several modalities become one sequence, one part a way."""

from sibu.catalog import Catalog
from sibu.fusions import identity

FUSIONS = Catalog("fusion", identity.ENTRY, group="sibu.fusions")
