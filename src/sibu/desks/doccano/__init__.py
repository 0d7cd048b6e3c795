"""doccano: its JSON Lines for text classification and sequence labelling.

Import as "JSONL" with the columns `text` and `label`; what the bundle would say stands there to be mended. Export as
JSONL comes back as it is. A pair of texts is one text there, its halves a blank line apart. Source: doccano's
documentation of its import formats, version 1.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Desk


class DoccanoSpec(Spec):
    """Options of `doccano`: none."""

    name: Literal["doccano"] = "doccano"


def build(spec: DoccanoSpec) -> Desk:  # noqa: ARG001  (every part is built from its spec)
    """The desk."""
    from sibu.desks.doccano.form import Doccano

    return Doccano()


ENTRY = Entry(DoccanoSpec, build)
