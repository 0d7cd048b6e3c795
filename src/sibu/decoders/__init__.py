"""How an answer is chosen from a model's scores."""

from sibu.catalog import Catalog
from sibu.decoders import beam, contrastive, greedy, sample

DECODERS = Catalog("decoder", greedy.ENTRY, beam.ENTRY, sample.ENTRY, contrastive.ENTRY, group="sibu.decoders")
