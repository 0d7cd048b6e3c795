"""CoNLL columns: one token a line with its tag, a blank line after each sentence.

A record is a sentence: `tokens` and `tags`, or `tokens` alone where every line of the file has one column. A sentence
begins at the line of its first token. `-DOCSTART-` lines are skipped. Columns stand between tabs or spaces and nothing
else: a no-break space or U+3000 belongs to its token. Tags are read as they are, be they IO, BIO or BIOES.
Source: Tjong Kim Sang & De Meulder, 2003, aclanthology.org/W03-0419.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


class ConllSpec(Spec):
    """Options of the CoNLL reader."""

    name: Literal["conll"] = "conll"
    token_column: int = 0
    """The column of the token, from 0; negative numbers count from the last."""
    tag_column: int | None = -1
    """The column of the tag, from 0; negative numbers count from the last; null: read tokens only."""
    separator: Literal["auto", "tab", "space"] = "auto"
    """What stands between two columns: `tab` one tab, `space` any number of spaces and tabs, `auto` a tab in a line
    that has one, else spaces."""
    comments: bool = False
    """Skip lines that begin with `# `, as in CoNLL-U; else `#` is a token."""

    @model_validator(mode="after")
    def _two_columns(self) -> Self:
        if self.token_column == self.tag_column:
            raise ValueError(f"token_column and tag_column are two columns, given {self.token_column} for both")
        return self


def build(spec: ConllSpec) -> Reader:
    """The reader of CoNLL columns."""
    from sibu.readers.conll.read import read

    return partial(
        read,
        token_column=spec.token_column,
        tag_column=spec.tag_column,
        separator=spec.separator,
        comments=spec.comments,
    )


ENTRY = Entry(ConllSpec, build)
