"""Chat messages as OpenAI's fine-tuning files have them: `{"messages": [{"role", "content"}, ...]}`.

One object on each line, or a list of them. A record has `messages`, and every other key of its object. Roles are
`system` (or `developer`), `user` and `assistant`; calls of tools are not read, nor is `weight` (the data gate says
where a turn would be learned whose weight is 0). Source:
https://platform.openai.com/docs/guides/supervised-fine-tuning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


class MessagesSpec(Spec):
    """Options of the reader of chat messages: none."""

    name: Literal["messages"] = "messages"


def build(spec: MessagesSpec) -> Reader:  # noqa: ARG001  (every part is built from its spec)
    """The reader of chat messages."""
    from sibu.readers.messages.read import read

    return read


ENTRY = Entry(MessagesSpec, build)
