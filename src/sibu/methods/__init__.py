"""Room: how a pretrained model is adapted, one part a method."""

from sibu.catalog import Catalog
from sibu.methods import full

METHODS = Catalog("method", full.ENTRY, group="sibu.methods")
