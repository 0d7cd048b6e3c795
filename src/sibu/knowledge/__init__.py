"""Ways in which knowledge makes a model better."""

from sibu.catalog import Catalog
from sibu.knowledge import facts, gazetteer, label_rules, vectors

KNOWLEDGE = Catalog(
    "way of using knowledge", gazetteer.ENTRY, vectors.ENTRY, facts.ENTRY, label_rules.ENTRY, group="sibu.knowledge"
)
