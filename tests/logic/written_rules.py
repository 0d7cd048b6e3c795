"""Rules of every form that the language has, for hypothesis."""

from hypothesis import strategies as st

from sibu.core.logic import (
    TYPE,
    Aggregate,
    Arithmetic,
    Atom,
    Comparison,
    Entity,
    Not,
    Rule,
    Value,
    Variable,
)
from sibu.core.names import RDF, XSD, Names, is_iri
from sibu.logic.program import Program
from sibu.logic.scan import is_variable

NAMES = Names("https://example.org/clinic/", {"ex": "https://example.org/", "药": "https://例.org/药#", "": "urn:e:"})
LOCALS = st.sampled_from(
    [
        "x" * 300,
        *"""
    takes 服用 阿卜杜拉·买买提 принимает παίρνει يأخذ לוקח รับประทาน हिन्दी é e\u0301 🍎 👍🏽 👨‍👩‍👧 ❤️ covid-19 5-fu 5fu 5
    a.b a. -x Patient X Ärzte _x _1 _ not true false triple count if is and a/b a#b a%20b a(b) a,b 。 ， ½ ５ Ｘ →
    """.split(),  # noqa: SIM905
    ]
)
"""Names that are easily read as something else."""
SPACES = st.sampled_from([NAMES.base, "https://example.org/", "https://例.org/药#", "urn:e:", RDF, XSD, "urn:other:"])


@st.composite
def iris(draw):
    local = draw(LOCALS | st.text(max_size=6))
    iri = draw(SPACES) + local
    return iri if is_iri(iri) else NAMES.base + "plain"


ENTITIES = iris().map(Entity) | st.sampled_from(["_:b1", "_:x-2", "_:药"]).map(Entity)
VARIABLES = (
    st.sampled_from(["X", "P", "Name_1", "_x", "_1", "_12", "_", "x", "病人", "Ä", "é", "🍎", "1", "हिन्दी"])
    | st.text(min_size=1, max_size=4).filter(lambda name: name[0] != "?" and is_variable(f"?{name}"))
).map(Variable)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=12) | st.sampled_from(
    ['"', "\\", "\n", "\r\n", "\t", "\\n", '\\"', "# no comment", "% no", "a.\nb"]
)
VALUES = (
    TEXTS.map(Value)
    | st.builds(Value, TEXTS, st.just(RDF + "langString"), st.sampled_from(["en", "zh", "zh-hans-cn", "de"]))
    | (st.integers() | FLOATS | st.booleans()).map(Value.of)
    | st.builds(Value, TEXTS | st.sampled_from(["1", "01", "-0", "1.0", "1.50", "INF", "nan", "1e5", "TRUE"]),
                st.sampled_from([XSD + "date", XSD + "integer", XSD + "double", XSD + "boolean", "urn:type"]) | iris())
    .filter(lambda value: value.datatype != RDF + "langString")
)  # fmt: skip
TERMS = VARIABLES | ENTITIES | VALUES
EXPRESSIONS = st.recursive(
    VARIABLES | st.integers(-20, 20).map(Value.of) | TERMS,
    lambda inner: st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner, inner),
    max_leaves=8,
)
ATOMS = (
    st.builds(lambda thing, kind: Atom(TYPE, (thing, kind)), TERMS, ENTITIES | TERMS)
    | st.builds(lambda predicate, one, other: Atom(predicate, (one, other)), VARIABLES | ENTITIES, TERMS, TERMS)
    | st.builds(lambda predicate, terms: Atom(predicate, tuple(terms)), ENTITIES,
                st.lists(TERMS, min_size=3, max_size=5) | st.just([]))
)  # fmt: skip
COMPARISONS = st.builds(Comparison, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), EXPRESSIONS, EXPRESSIONS)
PLAIN = ATOMS | ATOMS.map(Not) | COMPARISONS
AGGREGATES = st.builds(
    Aggregate,
    VARIABLES,
    st.sampled_from(["count", "sum", "min", "max", "mean"]),
    st.lists(EXPRESSIONS, min_size=1, max_size=3).map(tuple),
    st.lists(PLAIN, min_size=1, max_size=3).map(tuple),
)
CONDITIONS = PLAIN | AGGREGATES
RULES = st.builds(
    Rule,
    st.sampled_from(["r1", "r2", "r3", "contra"]) | st.text(min_size=1, max_size=5),
    st.none() | ATOMS,
    st.lists(CONDITIONS, max_size=4).map(tuple),
    st.just(""),
    st.just(1.0) | st.floats(0, 1, exclude_min=True),
    st.just("") | TEXTS,
).filter(lambda rule: rule.head or rule.body)
PROGRAMS = st.lists(RULES, max_size=5).map(lambda rules: Program(tuple(rules), NAMES))
