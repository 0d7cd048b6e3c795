"""Room: how values of one row are brought into line before arrays are made of them, one part a way."""

from sibu.aligners import space, time, warp
from sibu.catalog import Catalog

ALIGNERS = Catalog("alignment", time.ENTRY, space.ENTRY, warp.ENTRY, group="sibu.aligners")
