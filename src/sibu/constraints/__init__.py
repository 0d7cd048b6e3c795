"""Room: what a written answer must look like, one part a form."""

from sibu.catalog import Catalog
from sibu.constraints import choice, json, regex

CONSTRAINTS = Catalog("constraint", choice.ENTRY, regex.ENTRY, json.ENTRY, group="sibu.constraints")
