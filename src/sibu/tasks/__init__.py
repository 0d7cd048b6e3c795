"""Room: what a model can be asked to answer, one part a task type."""

from sibu.catalog import Catalog
from sibu.tasks import classify, tag

TASKS = Catalog("task type", classify.ENTRY, tag.ENTRY, key="type", group="sibu.tasks")
