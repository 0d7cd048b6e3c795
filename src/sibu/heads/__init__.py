"""How a text's vector becomes an answer."""

from sibu.catalog import Catalog
from sibu.heads import labels, linear, logistic, neighbours, prototypes

HEADS = Catalog(
    "head", linear.ENTRY, logistic.ENTRY, prototypes.ENTRY, neighbours.ENTRY, labels.ENTRY, group="sibu.heads"
)
