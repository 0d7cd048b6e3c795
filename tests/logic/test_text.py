"""Rule text is read as the guide says, and what cannot be read is told with line, column and a mend that works."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.errors import RuleError, SibuError
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
from sibu.core.names import RDF, RDFS, XSD, Names
from sibu.logic.sound import bound_order, faults
from sibu.logic.strata import strata
from sibu.logic.text import parse, parse_atom, write
from tests.logic.written_rules import NAMES, PROGRAMS

PLAIN = Names("https://example.org/")
GUIDE = """# a comment
@prefix ex: <https://example.org/ex/> .
@about "Not with what interacts."          # optional
@confidence 0.8
@id "contra"
contraindicated(P, D) :- takes(P, X), interacts(X, D), not cleared(P, D).
old(P) :- patient(P), ex:age(P, A), A >= 65.   % also a comment
sum_of(P, N) :- patient(P), N = sum { D, X : takes(P, X), dose(X, D) }.
double(X, M) :- value(X, N), M = N * 2 + 1.
:- alive(P), dead(P).
triple(X, Q, Y) :- triple(X, P, Y), rdfs:subPropertyOf(P, Q).
takes(anna, ibuprofen).  age(anna, 70).
禁忌(?病人, ?药) :- 服用(?病人, ?另一药), 相互作用(?另一药, ?药).
"""


def entity(name):
    return Entity("https://example.org/" + name)


def atom(name, *terms):
    return Atom(entity(name), tuple(Variable(each) if isinstance(each, str) else each for each in terms))


def member(kind, thing):
    return Atom(TYPE, (Variable(thing) if isinstance(thing, str) else thing, entity(kind)))


def only(text):
    (rule,) = parse(text, PLAIN).rules
    return rule


def message(text):
    with pytest.raises(RuleError) as caught:
        parse(text, PLAIN)
    return str(caught.value)


def test_the_language_of_the_guide():
    program = parse(GUIDE, PLAIN, "clinic.rules")
    n, a, p, x = Variable("N"), Variable("A"), Variable("P"), Variable("X")
    anna = entity("anna")
    assert program.rules == (
        Rule(
            "contra",
            atom("contraindicated", "P", "D"),
            (atom("takes", "P", "X"), atom("interacts", "X", "D"), Not(atom("cleared", "P", "D"))),
            "clinic.rules:6:1",
            0.8,
            "Not with what interacts.",
        ),
        Rule(
            "r7",
            member("old", "P"),
            (member("patient", "P"), atom("ex/age", "P", "A"), Comparison(">=", a, Value.of(65))),
            "clinic.rules:7:1",
        ),
        Rule(
            "r8",
            atom("sum_of", "P", "N"),
            (
                member("patient", "P"),
                Aggregate(n, "sum", (Variable("D"), x), (atom("takes", "P", "X"), atom("dose", "X", "D"))),
            ),
            "clinic.rules:8:1",
        ),
        Rule(
            "r9",
            atom("double", "X", "M"),
            (
                atom("value", "X", "N"),
                Comparison("=", Variable("M"), Arithmetic("+", Arithmetic("*", n, Value.of(2)), Value.of(1))),
            ),
            "clinic.rules:9:1",
        ),
        Rule("r10", None, (member("alive", "P"), member("dead", "P")), "clinic.rules:10:1"),
        Rule(
            "r11",
            Atom(Variable("Q"), (x, Variable("Y"))),
            (Atom(p, (x, Variable("Y"))), Atom(Entity(RDFS + "subPropertyOf"), (p, Variable("Q")))),
            "clinic.rules:11:1",
        ),
        Rule("r12", atom("takes", anna, entity("ibuprofen")), (), "clinic.rules:12:1"),
        Rule("r12.2", atom("age", anna, Value.of(70)), (), "clinic.rules:12:26"),
        Rule(
            "r13",
            atom("禁忌", "病人", "药"),
            (atom("服用", "病人", "另一药"), atom("相互作用", "另一药", "药")),
            "clinic.rules:13:1",
        ),
    )
    assert program.names == Names("https://example.org/", {"ex": "https://example.org/ex/"})
    assert program.place(1, 2) == "clinic.rules:7:37"
    assert program.place(1) == "clinic.rules:7:1"


@pytest.mark.parametrize(
    ("given_text", "term"),
    [
        ('"text"', Value("text")),
        ('"a\\n\\t\\"\\\\\\u4e00\\U0001f34e"', Value('a\n\t"\\一🍎')),
        ('"Fieber"@DE', Value("Fieber", RDF + "langString", "de")),
        ('"2020-01-01"^^xsd:date', Value("2020-01-01", XSD + "date")),
        ('"x"^^<urn:t>', Value("x", "urn:t")),
        ("70", Value("70", XSD + "integer")),
        ("-70", Value("-70", XSD + "integer")),
        ("- 70", Value("-70", XSD + "integer")),
        ("-0", Value("0", XSD + "integer")),
        ("1.5", Value("1.5", XSD + "double")),
        ("-1.50", Value("-1.5", XSD + "double")),
        ("2e3", Value("2000.0", XSD + "double")),
        ("9" * 5000, Value("9" * 5000, XSD + "integer")),
        ("true", Value("true", XSD + "boolean")),
        ("ibuprofen", entity("ibuprofen")),
        ("covid-19", entity("covid-19")),
        ("a.b", entity("a.b")),
        ("布洛芬", entity("布洛芬")),
        ("阿卜杜拉·买买提", entity("阿卜杜拉·买买提")),
        ("हिन्दी", entity("हिन्दी")),
        ("👩‍⚕️", entity("👩‍⚕️")),
        ("анна", entity("анна")),
        ("Анна", entity("Анна")),
        ("xsd:date", Entity(XSD + "date")),
        ("<urn:a#b%20c>", Entity("urn:a#b%20c")),
        ("_:b1", Entity("_:b1")),
        ("X", Variable("X")),
        ("Name_1", Variable("Name_1")),
        ("Ärztin", Variable("Ärztin")),
        ("?x", Variable("x")),
        ("?病人", Variable("病人")),
        ("？病人", Variable("病人")),
        ("_x", Variable("_x")),
    ],
)
def test_terms(given_text, term):
    assert only(f"p({given_text}, y).").head == Atom(entity("p"), (term, entity("y")))
    assert parse_atom(f"p({given_text}, y)", PLAIN).terms[0] == term


def test_each_lone_underscore_is_a_variable_of_its_own():
    rule = only("p(X) :- q(X, _), r(_, X), s(_2, X).")
    names = [name for each in rule.atoms for name in each.variables if name != "X"]
    assert names == ["_1", "_3", "_2"]
    first, second = parse("p(X) :- q(X, _).\nr(X) :- q(X, _).", PLAIN).rules
    assert first.body == second.body


def test_other_numbers_of_terms_are_relations_of_rules_alone():
    assert only("rain.").head == only("rain().").head == Atom(entity("rain"), ())
    assert only("wet :- rain, not dry.").body == (Atom(entity("rain"), ()), Not(Atom(entity("dry"), ())))
    assert only("p(a, b, c).").head == Atom(entity("p"), (entity("a"), entity("b"), entity("c")))
    assert only("<https://example.org/triple>(a, b, c).").head.predicate == entity("triple")


def test_a_class_with_a_capital_letter():
    rule = only("Old(P) :- Patient(P), takes (P, _).")
    assert rule.head == member("Old", "P")
    assert rule.body[0] == member("Patient", "P")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("N + M * 2 - 1", "(N + (M * 2)) - 1"),
        ("N - M - 1", "(N - M) - 1"),
        ("N / M // 2 % 3", "((N / M) // 2) % 3"),
        ("-N * 2", "(0 - N) * 2"),
        ("N - -1", "N - (-1)"),
        ("-(N + 1)", "0 - (N + 1)"),
        ("N-1", "N - 1"),
        ("N*-1", "N * (-1)"),
        ("N%2", "N % 2"),
        ("N % (M)", "N % M"),
        ("N ＋ M ＊ 2", "N + M * 2"),
    ],
)
def test_arithmetic(text, same):
    assert only(f":- q(N, M), {text} > 0.").body == only(f":- q(N, M), {same} > 0.").body
    assert only(f":- q(N, M), 0 < {text}.").body == only(f":- q(N, M), 0 < {same}.").body


def test_a_percent_sign_is_a_comment_where_nothing_can_be_divided():
    assert only("p(X) :- q(X, N), N >= 65 % years of age\n.").body == only("p(X) :- q(X, N), N >= 65.").body
    assert only("p(X) :- q(X), % N % 2\n r(X).%").body == only("p(X) :- q(X), r(X).").body
    assert only("p(X) :- q(X, N), N >= 65 % Note: years\n.").body == only("p(X) :- q(X, N), N >= 65.").body
    assert only(":- M = sum { N % K : q(N, K) }.").body[0].items[0].operator == "%"
    assert only("% p(X)\n# q(X)\np(x).").head == member("p", entity("x"))


def test_less_than_is_no_iri_behind_a_variable():
    rule = only("p(X) :- q(X, N), N<ex, N<=3, N<-5, X != <urn:a>.")
    assert [each.operator for each in rule.body[1:]] == ["<", "<=", "<", "!="]


@pytest.mark.parametrize(
    "text",
    [
        "p(X) :- q(X), N = count{X:takes(P,X)}.",
        "p(X) :- q(X), N = count { X : takes(P, X) }.",
        "p(X) :- q(X), N = count｛X：takes（P，X）｝。",
        "p(X) :- q(X), N=count{\nX\n:\ntakes(P,X)\n}\n.",
    ],
)
def test_an_aggregate(text):
    found = only(text).body[1]
    assert found == Aggregate(Variable("N"), "count", (Variable("X"),), (atom("takes", "P", "X"),))


def test_what_a_chinese_keyboard_gives():
    full = parse("禁忌（？病人，？药）：－ 服用（？病人，？药），？药 ！＝ 水。 服用（安娜，水）．", PLAIN)
    half = parse("禁忌(?病人, ?药) :- 服用(?病人, ?药), ?药 != 水. 服用(安娜, 水).", PLAIN)
    assert [(each.head, each.body) for each in full.rules] == [(each.head, each.body) for each in half.rules]


def test_lines_and_columns_with_any_line_end_and_a_byte_order_mark():
    text = "\ufeffa(x).\r\nb(x).\rc(x).\n  d(x).\n"
    assert [rule.where for rule in parse(text, PLAIN, "f").rules] == ["f:1:2", "f:2:1", "f:3:1", "f:4:3"]
    assert [rule.where for rule in parse(text, PLAIN).rules] == ["1:2", "2:1", "3:1", "4:3"]


def test_a_prefix_counts_from_its_line_on_and_covers_a_known_one():
    names = Names("https://example.org/", {"ex": "urn:before:"})
    first, second = parse("p(ex:a).\n@prefix ex: <urn:behind:>\np(ex:a).", names).rules
    assert (first.head.terms[0], second.head.terms[0]) == (Entity("urn:before:a"), Entity("urn:behind:a"))
    empty = parse("@prefix : <urn:e:> .\np(:a).\n@prefix 药: <urn:y:> .\np(药:b).", PLAIN)
    assert [rule.head.terms[0].iri for rule in empty.rules] == ["urn:e:a", "urn:y:b"]


SLIPS = [
    # What is written; the whole message; the same as the message would have it.
    (
        "p(X) :- q(X)\nr(Y) :- s(Y).",
        "1:13: The rule of line 1 lacks its full stop: the next line begins with `r`. Write `.` behind it.",
        "p(X) :- q(X).\nr(Y) :- s(Y).",
    ),
    (
        "p(X) :- q(X)\n  r(X).",
        "1:13: Neither `,` nor a full stop stands between this condition and `r` of the next line. Write `,` where the "
        "rule goes on, `.` where it ends.",
        "p(X) :- q(X),\n  r(X).",
    ),
    (
        "p(x)",
        "1:5: The rule of line 1 lacks its full stop: the text ends. Write `.` behind it.",
        "p(x).",
    ),
    ("p(X) <- q(X).", "1:6: `<-` stands where a body begins. Write `:-`.", "p(X) :- q(X)."),
    ("p(X) <= q(X).", "1:6: `<=` stands where a body begins. Write `:-`.", "p(X) :- q(X)."),
    ("p(X) : q(X).", "1:6: `:` stands where a body begins. Write `:-`.", "p(X) :- q(X)."),
    ("p(X) := q(X).", "1:6: `:=` stands where a body begins. Write `:-`.", "p(X) :- q(X)."),
    ("p(X) if q(X).", "1:6: `if` stands where a body begins. Write `:-`.", "p(X) :- q(X)."),
    (
        "q(X) -> p(X).",
        "1:6: `->` stands behind what should be the head of a rule. Write what is concluded first, then `:-` and the "
        "conditions.",
        "p(X) :- q(X).",
    ),
    (
        "p(X) :- q(X), X \\= a.",
        "1:17: `\\=` is no comparison; there are = != < <= > >=. Write `!=`.",
        "p(X) :- q(X), X != a.",
    ),
    (
        "p(X) :- q(X), X =< 3.",
        "1:17: `=<` is no comparison; there are = != < <= > >=. Write `<=`.",
        "p(X) :- q(X), X <= 3.",
    ),
    (
        "p(X) :- q(X), X == 3.",
        "1:17: `==` is no comparison; there are = != < <= > >=. Write `=`.",
        "p(X) :- q(X), X = 3.",
    ),
    (
        "p(X, M) :- q(X, N), M is N + 1.",
        "1:23: `is` is no comparison; there are = != < <= > >=. Write `=`.",
        "p(X, M) :- q(X, N), M = N + 1.",
    ),
    ("p(X) :- q(X), !r(X).", "1:15: `!` stands before an atom. Write `not`.", "p(X) :- q(X), not r(X)."),
    ("p(X) :- q(X), \\+ r(X).", "1:15: `\\+` stands before an atom. Write `not`.", "p(X) :- q(X), not r(X)."),
    ("p(X) :- q(X), -r(X).", "1:15: `-` stands before an atom. Write `not`.", "p(X) :- q(X), not r(X)."),
    ("p(X) :- q(X), NOT r(X).", "1:15: `NOT` stands before an atom. Write `not`.", "p(X) :- q(X), not r(X)."),
    (
        "p(X) :- q(X), not X = 3.",
        "1:19: Behind `not` stands a comparison, but it denies an atom. Leave `not` out, and write `!=` for `=`.",
        "p(X) :- q(X), X != 3.",
    ),
    (
        "p(X) :- q(X), not (r(X), s(X)).",
        "1:19: Behind `not` stands a parenthesis, but it denies one atom. Write `not p(X)`. To deny several at "
        "once, make "
        "them the body of a rule, and deny its head.",
        "p(X) :- q(X), not both(X). both(X) :- r(X), s(X).",
    ),
    (
        "p(X :- q(X).",
        "1:5: `:-` stands here, but the `(` of line 1, column 2 is not closed. Write `)` where it should be.",
        "p(X) :- q(X).",
    ),
    ("p(X) :- q(X)).", "1:13: A `)` stands here that no `(` opened. Leave it out.", "p(X) :- q(X)."),
    (
        'p("abc).',
        '1:3: A text is not closed: its second `"` is missing. Write `"` behind it; a line break within is `\\n`, a '
        'quote is `\\"`.',
        'p("abc").',
    ),
    ("p('abc').", '1:3: `\'` is no quote of this language. Write a text as `"text"`.', 'p("abc").'),
    ("p(“abc”).", '1:3: `“` is no quote of this language. Write a text as `"text"`.', 'p("abc").'),
    (
        "p(X) :- q(X); r(X).",
        "1:13: `;` stands behind a condition, but a body has no `or`. Write a rule for each case, with the same head.",
        "p(X) :- q(X). p(X) :- r(X).",
    ),
    ("p(X) :- q(X) and r(X).", "1:14: `and` stands between two conditions. Write `,`.", "p(X) :- q(X), r(X)."),
    ("p(X) :- q(X)、r(X).", "1:13: `、` stands between two conditions. Write `,`.", "p(X) :- q(X), r(X)."),
    (
        "p(X), r(X) :- q(X).",
        "1:5: A comma stands behind a head, but a rule has one head. Write a rule for each head, with the same body; "
        "behind a fact, write a full stop.",
        "p(X) :- q(X). r(X) :- q(X).",
    ),
    (
        "not p(X) :- q(X).",
        "1:1: A head is denied, but a rule concludes that something holds. What must never hold is written without a "
        "head, as `:- alive(P), dead(P).`",
        ":- q(X), p(X).",
    ),
    (
        "p(X) :- q(X),.",
        "1:14: A condition should stand before the full stop. Leave the comma out.",
        "p(X) :- q(X).",
    ),
    (
        "p(x) :- .",
        "1:9: A condition should stand before the full stop. Write one, or leave `:-` out.",
        "p(x).",
    ),
    (
        "p(X, N * 2) :- q(X, N).",
        "1:8: `*` stands within an atom, where nothing is reckoned. Give it a variable in a condition of its "
        "own, such as "
        "`M = N * 2`, and write `M` here.",
        "p(X, M) :- q(X, N), M = N * 2.",
    ),
    (
        "p(X) :- q(f(X)).",
        "1:11: `f(` begins an atom within an atom; a term is a name, a variable or a value. Write it as a condition of "
        "its own.",
        "p(X) :- q(X), f(X).",
    ),
    (
        "p(X) :- q(X), count { Y : r(X, Y) } > 5.",
        "1:15: `count {` stands alone, but an aggregate gives its result to a variable. Write `N = count { ... }`, and "
        "what is asked of `N` behind it.",
        "p(X) :- q(X), N = count { Y : r(X, Y) }, N > 5.",
    ),
    (
        "p(X) :- q(X), 5 < count { Y : r(X, Y) }.",
        "1:19: An aggregate is compared, but it gives its result to a variable. Write `N = count { ... }` as a "
        "condition "
        "of its own, and compare `N`.",
        "p(X) :- q(X), N = count { Y : r(X, Y) }, 5 < N.",
    ),
    (
        "p(X, N) :- q(X), N = avg { Y : r(X, Y) }.",
        "1:22: `avg` is no aggregate. Did you mean 'mean'? There are count, sum, min, max, mean.",
        "p(X, N) :- q(X), N = mean { Y : r(X, Y) }.",
    ),
    (
        "p(X, N) :- q(X), N = sum(Y : r(X, Y)).",
        "1:25: Behind `sum` stands `(`, but an aggregate is written with braces. Write `sum { X : takes(P, X) }`.",
        "p(X, N) :- q(X), N = sum { Y : r(X, Y) }.",
    ),
    (
        "p(X, N) :- q(X), N = count { r(X, Y) }.",
        "1:30: What `count` reckons over should stand first, and then `:` and the conditions. Write `count { X "
        ": takes(P, "
        "X) }`.",
        "p(X, N) :- q(X), N = count { Y : r(X, Y) }.",
    ),
    (
        "p(X, N) :- q(X), N = count { Y | r(X, Y) }.",
        "1:32: `|` stands behind what is reckoned over. Write `:`.",
        "p(X, N) :- q(X), N = count { Y : r(X, Y) }.",
    ),
    (
        "p(X) :- q(X), 1 < X < 5.",
        "1:21: Two comparisons stand in one. Write them apart, such as `1 < X, X < 5`.",
        "p(X) :- q(X), 1 < X, X < 5.",
    ),
    (
        "p(X) :- q(X), X.",
        "1:15: `X` alone is no condition: that is an atom such as `takes(P, X)`, `not` and an atom, or a comparison. "
        "Compare it with something, or write it within an atom.",
        "p(X) :- q(X), X > 0.",
    ),
    (
        "old(P) :- age(P) >= 65.",
        "1:18: `>=` stands behind an atom, but variables are compared and reckoned with. Give the atom a "
        "variable, such "
        "as `age(P, A), A >= 65`.",
        "old(P) :- age(P, A), A >= 65.",
    ),
    (
        "takes(anna, Ibu profen).",
        "1:17: `profen` stands here, but the `(` of line 1, column 6 is not closed. Write `)` where it should be.",
        "takes(anna, ibu_profen).",
    ),
    (
        "p(5fu).",
        "1:3: `5fu` begins with a digit, so it is no bare name, and it is no number. Write a name with a "
        "prefix, such as "
        "`ex:5fu`, or in `<>`.",
        "p(<urn:5fu>).",
    ),
    (
        "p(5-fu).",
        "1:4: `-` stands within an atom, where nothing is reckoned. Give it a variable in a condition of its "
        "own, such as "
        "`M = N * 2`, and write `M` here. (A name that begins with a digit has a prefix, or stands in `<>`.)",
        "p(<urn:5-fu>).",
    ),
    (
        "p(007).",
        '1:3: The number 007 begins with 0. Write 7, or "007" where it is a text.',
        'p("007").',
    ),
    ("p(1e999).", "1:3: `1e999` is too large for a number. Write one below 1.8e308.", "p(1e300)."),
    ("p(５).", "1:3: `５` is no digit of this language. Write it as 0 to 9.", "p(5)."),
    (
        "p(<anna>).",
        "1:3: `<anna>` is no absolute IRI. Write such as `<https://example.org/name>`, or a name without `<>`.",
        "p(anna).",
    ),
    (
        'p("a\\qb").',
        '1:5: `\\q` is no escape within a text. There are `\\n \\r \\t \\b \\f \\" \\\\ \\u4e00 \\U0001f34e`; a '
        "backslash itself is `\\\\`.",
        'p("a\\\\qb").',
    ),
    (
        'p("x"^^rdf:langString).',
        '1:8: A text in a language has no type beside it. Write such as `"Fieber"@de`.',
        'p("x"@de).',
    ),
    (
        "p([a, b]).",
        "1:3: `[` has no meaning here. There are no lists: write a fact for each of its items.",
        "p(a). p(b).",
    ),
    (
        "triple(a, b).",
        "1:1: `triple` has 2 terms, but should have three: subject, predicate and object. Write `triple(S, P, O)`; a "
        "relation of your own that is called so is written in `<>`.",
        "triple(a, b, c).",
    ),
    (
        "?p(X, Y) :- q(X, Y).",
        "1:1: `?p` stands here, but an atom begins with the name of a relation. Where any relation will do, write "
        "`triple(S, ?p, O)`.",
        "triple(X, ?p, Y) :- q(X, Y).",
    ),
    (
        "wet :- rain.cold :- winter.",
        "1:18: A second `:-` stands in one rule. Where the rule before it ends, write a full stop and a "
        "blank behind it.",
        "wet :- rain. cold :- winter.",
    ),
    (
        "p(X) :- q(X),\nr(X) :- s(X).",
        "2:6: A second `:-` stands in one rule. Where the rule before it ends, write a full stop and a "
        "blank behind it.",
        "p(X) :- q(X).\nr(X) :- s(X).",
    ),
    (
        "p(X) :- q(X)；r(X)。",
        "1:13: `；` stands behind a condition, but a body has no `or`. Write a rule for each case, with the same head.",
        "p(X) :- q(X)。 p(X) :- r(X)。",
    ),
    (
        "p(X) :- rdfs：label(X, _).",
        "1:13: `：` stands behind a name. If that is its prefix, join them with `:`.",
        "p(X) :- rdfs:label(X, _).",
    ),
    (
        "// a comment\np(x).",
        "1:1: `//` stands where a rule should begin. A comment begins with `#`.",
        "# a comment\np(x).",
    ),
    (
        "p(X) :- , q(X).",
        "1:9: `,` stands where a condition should. Write an atom such as `takes(P, X)`, `not` and an atom, or a "
        "comparison.",
        "p(X) :- q(X).",
    ),
    (
        "p(X) :- q(X) r(X).",
        "1:14: `r` stands behind a condition; there may stand `,` and the next one, or `.`.",
        "p(X) :- q(X), r(X).",
    ),
    (
        "p(X) :- rfds:q(X).",
        "1:9: The prefix `rfds:` of `rfds:q` is unknown. Did you mean 'rdfs'? Declare it before, `@prefix rfds: "
        "<https://example.org/> .`, or write the whole IRI in `<>`.",
        "p(X) :- rdfs:q(X).",
    ),
    (
        "p(X) :- kb:q(X).",
        "1:9: The prefix `kb:` of `kb:q` is unknown. Declare it before, `@prefix kb: <https://example.org/> .`, "
        "or write "
        "the whole IRI in `<>`.",
        "@prefix kb: <https://example.org/> . p(X) :- kb:q(X).",
    ),
    (
        "@prefix ex <urn:e:> .\np(x).",
        "1:9: Behind @prefix a name and `:` should stand. Write it as `@prefix ex: <https://example.org/> .`",
        "@prefix ex: <urn:e:> .\np(x).",
    ),
    (
        "@prefix ex: example .\np(x).",
        "1:13: `example` is no namespace: it should be an absolute IRI in `<>`. Write it as `@prefix ex: "
        "<https://example.org/> .`",
        "@prefix ex: <urn:e:> .\np(x).",
    ),
    (
        "@prefix a: <urn:a:> .\n@prefix a: <urn:b:> .",
        "2:1: The prefix `a:` is declared twice, as <urn:a:> and as <urn:b:>. Keep one, and give the other "
        "another name.",
        "@prefix a: <urn:a:> .\n@prefix b: <urn:b:> .",
    ),
    (
        "@confidence high\np(x).",
        "1:1: Behind @confidence a number should stand that is above 0 and at most 1. Write it as `@confidence 0.8`.",
        "@confidence 0.8\np(x).",
    ),
    (
        "@confidence 80\np(x).",
        "1:1: Behind @confidence a number should stand that is above 0 and at most 1. Write it as `@confidence 0.8`.",
        "@confidence 0.8\np(x).",
    ),
    (
        "@about\np(x).",
        '1:1: Behind @about a text should stand that is not empty. Write it as `@about "..."`.',
        '@about "..."\np(x).',
    ),
    (
        '@abuot "x"\np(x).',
        "1:1: @abuot is unknown. Did you mean 'about'? There are @prefix, @about, @confidence and @id.",
        '@about "x"\np(x).',
    ),
    (
        '@id "a" @id "b" p(x).',
        "1:9: @id stands twice before one rule. Keep one.",
        '@id "a" p(x).',
    ),
    (
        'p(x).\n@about "x"',
        "2:1: @about tells of a rule, but none follows. Write it before its rule.",
        '@about "x"\np(x).',
    ),
    (
        ":- q(X), N = " + "(" * 51 + "X" + ")" * 51 + ".",
        "1:64: An expression is nested more than 50 deep. Give parts of it variables in conditions of their "
        "own, such as "
        "`M = N * 2`.",
        ":- q(X), N = " + "(" * 50 + "X" + ")" * 50 + ".",
    ),
    ("p(a\u200bb).", "1:4: `U+200B` has no meaning here.", "p(ab)."),
]


@pytest.mark.parametrize(("wrong", "told", "right"), SLIPS, ids=[wrong[:30] for wrong, _, _ in SLIPS])
def test_a_slip_is_told_and_its_mend_works(wrong, told, right):
    assert message(wrong) == told
    assert parse(right, PLAIN).rules or right.startswith("@prefix")


def test_the_error_is_one_that_a_user_can_mend():
    with pytest.raises(SibuError) as caught:
        parse("p(X) <- q(X).", PLAIN, "clinic.rules")
    assert [(fault.where, fault.mend) for fault in caught.value.faults] == [("clinic.rules:1:6", "Write `:-`.")]


def test_all_faults_of_a_file_are_told_at_once():
    text = """p(X) <- q(X), X =< 3, !r(X).
ok(X) :- q(X).
p("open) :- q(X).
p(X) :- q(X)
r(X) :- kb:q(X), kb:r(X), s([X]).
@confidence high
t(X) :- q(X;
@about "next"
u(X) :- q(X) r(X). v(X) : q(X).
w(X) :- q(X"""
    assert message(text) == (
        "The rules have 12 faults:\n"
        "1:6: `<-` stands where a body begins. Write `:-`.\n"
        "1:17: `=<` is no comparison; there are = != < <= > >=. Write `<=`.\n"
        "1:23: `!` stands before an atom. Write `not`.\n"
        '3:3: A text is not closed: its second `"` is missing. Write `"` behind it; a line break within is `\\n`, a '
        'quote is `\\"`.\n'
        "4:13: The rule of line 4 lacks its full stop: the next line begins with `r`. Write `.` behind it.\n"
        "5:9: The prefix `kb:` of `kb:q` is unknown. Declare it before, `@prefix kb: <https://example.org/> .`, "
        "or write "
        "the whole IRI in `<>`.\n"
        "5:29: `[` has no meaning here. There are no lists: write a fact for each of its items.\n"
        "6:1: Behind @confidence a number should stand that is above 0 and at most 1. Write it as `@confidence 0.8`.\n"
        "7:12: `;` has no meaning here.\n"
        "9:14: `r` stands behind a condition; there may stand `,` and the next one, or `.`.\n"
        "9:25: `:` stands where a body begins. Write `:-`.\n"
        "10:12: Nothing stands here, but the `(` of line 10, column 10 is not closed. Write `)` where it "
        "should be."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: Nothing stands here, but an atom begins with the name of a relation. Write such as `takes(P, X)`."),
        (
            "X",
            "1:1: `X` stands here, but an atom begins with the name of a relation. Where any relation will do, write "
            "`triple(S, X, O)`.",
        ),
        ("p(X), q(X)", "1:5: `,` stands behind the atom. Give one atom, such as `takes(anna, X)`."),
        (
            "takes(anna X)",
            "1:12: `X` stands here, but the `(` of line 1, column 6 is not closed. Write `)` where it should be.",
        ),
        (
            "not p(X)",
            "1:1: `not` stands here, but an atom begins with the name of a relation. Write such as `takes(P, X)`.",
        ),
    ],
)
def test_what_is_no_atom(text, told):
    with pytest.raises(RuleError) as caught:
        parse_atom(text, PLAIN)
    assert str(caught.value) == told


def test_an_atom_may_be_asked_as_a_sentence():
    assert parse_atom("takes(anna, X)?", PLAIN) == parse_atom(" takes(anna, X). ", PLAIN)
    assert parse_atom("禁忌（安娜，？药）？", PLAIN) == atom("禁忌", entity("安娜"), "药")


SIGNS = st.text(
    st.sampled_from("abXY_?@\"\\<>=!:-+*/%#.,;(){}[]^ \n\r\t01。，（）：？“”'é药🍎\u0301\u200d&|~"), max_size=60
)


def only_rule_errors(text):
    """Anything is read, or refused in words; what is read can be checked and written."""
    try:
        program = parse(text, NAMES, "f")
    except RuleError as error:
        assert all(fault.message and fault.where.startswith("f:") for fault in error.faults)
        return
    if not faults(program, []).errors:
        assert all(len(bound_order(rule)) == len(rule.body) for rule in program.rules)
        assert strata(program.rules).layers
    assert parse(write(program, NAMES), NAMES).names == program.names


@settings(max_examples=500)
@given(st.text(max_size=60) | SIGNS)
def test_arbitrary_text_gives_no_other_error(text):
    only_rule_errors(text)
    try:
        parse_atom(text, NAMES)
    except RuleError as error:
        assert error.faults


@given(PROGRAMS, st.data())
def test_a_damaged_program_gives_no_other_error(program, data):
    text = write(program, NAMES) or GUIDE
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 4)))
        text = text[:start] + data.draw(SIGNS.map(lambda signs: signs[:3]) | st.just(text[:end][-3:])) + text[end:]
    only_rule_errors(text)


@pytest.mark.parametrize("sign", ["(", "{", "-", "not ", "N = count { X : ", "p(", '"', "<", "@id ", "1 + ", "?", "% "])
def test_what_is_nested_for_ever_is_refused(sign):
    only_rule_errors("p(X) :- " + sign * 20_000)
    only_rule_errors("p(X) :- N = " + sign * 20_000 + "1.")
