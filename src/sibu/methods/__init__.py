"""Room: how a pretrained model is adapted, one part a method."""

from sibu.catalog import Catalog
from sibu.methods import adalora, adapter, bitfit, freeze, full, ia3, lora, prefix, probe, prompt

METHODS = Catalog(
    "method",
    full.ENTRY,
    probe.ENTRY,
    freeze.ENTRY,
    bitfit.ENTRY,
    lora.ENTRY,
    adalora.ENTRY,
    ia3.ENTRY,
    prefix.ENTRY,
    prompt.ENTRY,
    adapter.ENTRY,
    group="sibu.methods",
)
