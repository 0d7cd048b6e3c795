"""Terms, facts and knowledge bases that the tests of this package share."""

from pathlib import Path

from hypothesis import strategies as st

from sibu.core.logic import Entity, Source, Term, Triple, Value
from sibu.core.names import RDF, XSD, Names
from sibu.graph.cells import local_name

BASE = "https://example.org/clinic/"
NAMES = Names(BASE, {"ex": "https://example.org/"})
ODD = [
    "😀 👩‍⚕️",
    'say "hi"\n\tthere\r\n\\n',
    "安娜 的 药",
    "علاج",
    "ปวดหัว",
    "x" * 70_000,
    "e\u0301",
    "",
    " ",
    "\u2028",
    "</svg>&",
]
"""Texts that have broken other programs."""

texts = st.text(st.characters(exclude_categories=["Cs"]))
entities = st.builds(lambda text: Entity(BASE + (local_name(text) or "x")), texts)
values = st.one_of(
    st.builds(Value, texts),
    st.builds(lambda text, tag: Value(text, RDF + "langString", tag), texts, st.sampled_from(["en", "zh", "zh-hans"])),
    st.integers(-(2**63), 2**63 - 1).map(Value.of),
    st.booleans().map(Value.of),
    st.floats(allow_nan=False, allow_infinity=False).map(Value.of),
    st.dates().map(lambda day: Value(day.isoformat(), XSD + "date")),
    st.builds(lambda text: Value(text, "https://example.org/own-type"), texts),
)
triples = st.builds(Triple, entities, entities, st.one_of(entities, values))


def e(name: str) -> Entity:
    return Entity(BASE + name)


def t(subject: str, predicate: str, what: str | Term) -> Triple:
    return Triple(e(subject), e(predicate), e(what) if isinstance(what, str) else what)


TAKES = t("anna", "takes", "ibuprofen")
AGE = t("anna", "age", Value.of(70))
NOTES, CHART = Source("notes.txt", 4, 19), Source("chart.csv", row=2)


def state(folder: Path) -> set[tuple[str, ...]]:
    """Everything in the store of a knowledge base, as text."""
    from sibu.graph import KnowledgeBase

    with KnowledgeBase.open(folder) as kb:
        return {tuple(map(str, quad)) for quad in kb.store}
