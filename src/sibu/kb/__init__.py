"""F6, the public verbs of knowledge: plain functions that Python users and ``sibu kb`` call alike.

``sibu.kb.open(folder)`` gives the ``KnowledgeBase`` itself, which can do more; each function here opens one, does one
thing, closes it, and returns what can be written as JSON.
"""

from sibu.kb._opened import open  # noqa: A004  (what users call it)
from sibu.kb.asking import ask, link
from sibu.kb.extraction import extract, review
from sibu.kb.facts import add, create, names, query, retract, show
from sibu.kb.links import embed, mine
from sibu.kb.reasoning import check, infer, rules, shapes, why
from sibu.kb.updating import update
from sibu.kb.versions import diff, export, name_version, rebuild, rollback, stats, versions

__all__ = [
    "add",
    "ask",
    "check",
    "create",
    "diff",
    "embed",
    "export",
    "extract",
    "infer",
    "link",
    "mine",
    "name_version",
    "names",
    "open",
    "query",
    "rebuild",
    "retract",
    "review",
    "rollback",
    "rules",
    "shapes",
    "show",
    "stats",
    "update",
    "versions",
    "why",
]
