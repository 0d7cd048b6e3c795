"""Room: what sees names and relations in a text, one part a way."""

from sibu.catalog import Catalog
from sibu.extractors import bundle, gazetteer, patterns, writer

EXTRACTORS = Catalog("extractor", gazetteer.ENTRY, patterns.ENTRY, bundle.ENTRY, writer.ENTRY, group="sibu.extractors")
