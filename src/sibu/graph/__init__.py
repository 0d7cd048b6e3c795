"""F2, the knowledge base on disk: facts with sources, in versions, asked in SPARQL.

``KnowledgeBase`` is what others use. Facts that hold stand in the default graph of an RDF store (pyoxigraph, RocksDB);
every record of a source is a named graph of what it states (``records``). Every change is a version, and the files of
the versions are the truth that the store is made from (``journal``, ``published``). pyoxigraph is imported where a
knowledge base is opened, and is seen by ``_rdf`` alone as a library; terms go through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sibu.graph.asking import Answer, QueryStopped, Rows
    from sibu.graph.change import Change
    from sibu.graph.folder import InUse, KnowledgeError
    from sibu.graph.journal import Version
    from sibu.graph.knowledge_base import KnowledgeBase
    from sibu.graph.records import Record
    from sibu.graph.searching import Diff

_HOMES = {
    "KnowledgeBase": "knowledge_base",
    "Version": "journal",
    "Change": "change",
    "Record": "records",
    "Diff": "searching",
    "Rows": "asking",
    "Answer": "asking",
    "QueryStopped": "asking",
    "KnowledgeError": "folder",
    "InUse": "folder",
}
__all__ = [
    "Answer",
    "Change",
    "Diff",
    "InUse",
    "KnowledgeBase",
    "KnowledgeError",
    "QueryStopped",
    "Record",
    "Rows",
    "Version",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"sibu.graph.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'sibu.graph' has no attribute {name!r}")
