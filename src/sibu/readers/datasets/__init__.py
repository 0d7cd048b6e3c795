"""Hugging Face `datasets`: a folder that `save_to_disk` wrote, or a name on the Hub.

A folder is named by its path; one of several splits by the path of the split's own folder inside it, or by the option
`split`. A Hub name is written `datasets:owner/name:split` or `datasets:owner/name/config:split` and looked for in the
local cache where the Hub cannot be reached or `HF_HUB_OFFLINE=1` is set. Classes become their names; images and sound
stay undecoded (`bytes` and `path`). Rows are counted from 1. Source: Lhoest et al., 2021, arXiv:2109.02846.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader

HUB = "datasets:"
"""What a path begins with that names a data set on the Hub; it is relative to no folder."""

MARKS = ("dataset_dict.json", "state.json", "dataset_info.json")
"""Files by which a folder is known that ``datasets`` saved."""


class DatasetsSpec(Spec):
    """Options of the `datasets` reader."""

    name: Literal["datasets"] = "datasets"
    split: str | None = None
    """Which split to read where the path names none, such as `train` or `train[:10%]`; null: the only one."""
    config: str | None = None
    """The Hub data set's configuration where the path names none, such as `mrpc` of `nyu-mll/glue`."""


def build(spec: DatasetsSpec) -> Reader:
    """The reader of `datasets` folders and Hub names."""
    from sibu.readers.datasets.read import read

    return partial(read, split=spec.split, config=spec.config)


ENTRY = Entry(DatasetsSpec, build, needs=("datasets",), extra="datasets")
