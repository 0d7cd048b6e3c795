"""Room: what a model can be asked to answer, one part a task type."""

from sibu.catalog import Catalog
from sibu.tasks import (
    classify,
    contrast,
    denoise,
    extract,
    generate,
    language,
    mask,
    match,
    prefer,
    regress,
    reinforce,
    relate,
    tag,
)

TASKS = Catalog(
    "task type",
    classify.ENTRY,
    regress.ENTRY,
    tag.ENTRY,
    extract.ENTRY,
    relate.ENTRY,
    generate.ENTRY,
    prefer.ENTRY,
    reinforce.ENTRY,
    mask.ENTRY,
    language.ENTRY,
    contrast.ENTRY,
    denoise.ENTRY,
    match.ENTRY,
    key="type",
    group="sibu.tasks",
)
