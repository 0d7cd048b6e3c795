"""Room: what concludes new facts from those of a knowledge base, each with a proof; one part a way."""

from sibu.catalog import Catalog
from sibu.reasoners import owl, rdfs, rules

REASONERS = Catalog("reasoner", rules.ENTRY, rdfs.ENTRY, owl.ENTRY, group="sibu.reasoners")
