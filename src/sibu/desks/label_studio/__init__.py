"""Label Studio: its JSON for text classification (`choices`) and spans (`labels`).

Import the file as it is; what the bundle would say are predictions there. Export as JSON comes back. The labelling
set-up names its text `text` and its control `label`. Source: Label Studio's documentation of its JSON format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Desk


class LabelStudioSpec(Spec):
    """Options of `label_studio`: none."""

    name: Literal["label_studio"] = "label_studio"


def build(spec: LabelStudioSpec) -> Desk:  # noqa: ARG001  (every part is built from its spec)
    """The desk."""
    from sibu.desks.label_studio.form import LabelStudio

    return LabelStudio()


ENTRY = Entry(LabelStudioSpec, build)
