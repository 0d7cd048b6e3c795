"""Room: how the vectors of several modalities become one sequence, one part a way."""

from sibu.catalog import Catalog
from sibu.fusions import bottleneck, concat, cross_attention, gated, identity, late, low_rank, weighted

FUSIONS = Catalog(
    "fusion",
    identity.ENTRY,
    concat.ENTRY,
    weighted.ENTRY,
    gated.ENTRY,
    low_rank.ENTRY,
    cross_attention.ENTRY,
    bottleneck.ENTRY,
    late.ENTRY,
    group="sibu.fusions",
)
