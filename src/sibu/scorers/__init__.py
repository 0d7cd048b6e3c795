"""Room: how vectors of entities and relations say how likely a triple is, one part a way."""

from sibu.catalog import Catalog
from sibu.scorers import complex, distmult, rotate, transe  # noqa: A004  (its name in the literature)

SCORERS = Catalog("scorer", complex.ENTRY, distmult.ENTRY, transe.ENTRY, rotate.ENTRY, group="sibu.scorers")
