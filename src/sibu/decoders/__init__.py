"""How an answer is chosen from a model's scores."""

from sibu.catalog import Catalog
from sibu.decoders import beam, best_of, contrastive, greedy, sample

DECODERS = Catalog(
    "decoder", greedy.ENTRY, beam.ENTRY, sample.ENTRY, contrastive.ENTRY, best_of.ENTRY, group="sibu.decoders"
)
