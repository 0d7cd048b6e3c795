"""Entities: what is marked in a text becomes another of the same label, from the training rows.

For `tag`: the same sentences about other people, places and drugs. Spans and tags follow. Source: Dai and Adel, 2020,
arXiv:2010.11683 (mention replacement).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Augmenter


class EntitiesSpec(Spec):
    """Options of `entities`."""

    name: Literal["entities"] = "entities"
    share: float = Field(default=0.5, gt=0, le=1)
    """Share of the entities that become another; at least one."""


def build(spec: EntitiesSpec) -> Augmenter:
    """The augmenter."""
    from sibu.augmenters.entities.mentions import Mentions

    return Mentions(spec.share)


ENTRY = Entry(EntitiesSpec, build)
