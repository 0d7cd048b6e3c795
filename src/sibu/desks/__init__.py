"""Room: where people label, one part a form of file that goes out and comes back."""

from sibu.catalog import Catalog
from sibu.desks import doccano, jsonl, label_studio

DESKS = Catalog("desk", jsonl.ENTRY, doccano.ENTRY, label_studio.ENTRY, group="sibu.desks")
