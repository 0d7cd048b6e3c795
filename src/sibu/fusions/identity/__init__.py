"""Identity: one modality, passed on as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.fusions.identity.layer import Identity


class IdentitySpec(Spec):
    """Options of `identity`: none."""

    name: Literal["identity"] = "identity"


def build(spec: IdentitySpec, *, widths: Mapping[str, int]) -> Identity:  # noqa: ARG001
    """The layer, for modalities whose vectors have these widths."""
    from sibu.fusions.identity.layer import Identity

    return Identity(width=max(widths.values()))


ENTRY = Entry(IdentitySpec, build)
