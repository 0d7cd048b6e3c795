"""ShareGPT dialogues: `{"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]}`.

A list of such objects, or one on each line. A record has `messages` (`human` is the user, `gpt` the assistant; a
`system` text beside them comes first), and every other key of its object. Source: https://sharegpt.com, in the form of
FastChat's training data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


class SharegptSpec(Spec):
    """Options of the ShareGPT reader: none."""

    name: Literal["sharegpt"] = "sharegpt"


def build(spec: SharegptSpec) -> Reader:  # noqa: ARG001  (every part is built from its spec)
    """The reader of ShareGPT dialogues."""
    from sibu.readers.sharegpt.read import read

    return read


ENTRY = Entry(SharegptSpec, build)
