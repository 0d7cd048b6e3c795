"""What is written is read again as the same."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.errors import RuleError
from sibu.core.logic import TYPE, Aggregate, Arithmetic, Atom, Entity, Rule, Value, Variable
from sibu.core.names import XSD, Names
from sibu.logic.program import Program
from sibu.logic.text import parse, parse_atom, write
from tests.logic.written_rules import ATOMS, CONDITIONS, ENTITIES, EXPRESSIONS, NAMES, PROGRAMS, RULES

PLAIN = Names("https://example.org/")


def anywhere(rules):
    return [replace(rule, where="") for rule in rules]


@given(PROGRAMS)
def test_a_program_is_read_as_it_was_written(program):
    text = write(program, NAMES)
    found = parse(text, NAMES)
    assert anywhere(found.rules) == anywhere(program.rules)
    assert found.names == program.names
    assert write(found, NAMES) == text


@given(RULES)
def test_a_rule_is_read_as_it_was_written(rule):
    text = write(rule, NAMES)
    assert anywhere(parse(text, NAMES).rules) == [rule]
    assert "\n" not in text.splitlines()[-1]


@given(ATOMS)
def test_an_atom_is_read_as_it_was_written(atom):
    assert parse_atom(write(atom, NAMES), NAMES) == atom


@given(CONDITIONS)
def test_a_condition_is_read_as_it_was_written(condition):
    assert parse(f":- {write(condition, NAMES)}.", NAMES).rules[0].body == (condition,)


@given(ENTITIES | EXPRESSIONS)
def test_a_term_is_read_as_it_was_written(term):
    body = parse(f":- {write(term, NAMES)} = 1 .", NAMES).rules[0].body
    assert body[0].left == term


@settings(max_examples=300)
@given(EXPRESSIONS.filter(lambda each: isinstance(each, Arithmetic)))
def test_no_parenthesis_can_be_left_out(expression):
    def read(text):
        try:
            return parse(f":- {text} = 1 .", PLAIN).rules[0].body[0].left
        except RuleError:
            return None

    plain = _plain(expression)
    text = write(plain, PLAIN)
    assert read(text) == plain
    for start, sign in enumerate(text):
        if sign == "(":
            depth, end = 1, start
            while depth:
                end += 1
                depth += {"(": 1, ")": -1}.get(text[end], 0)
            assert read(text[:start] + text[start + 1 : end] + text[end + 1 :]) != plain


def _plain(expression):
    """The same with variables for what texts and names may hold parentheses."""
    if isinstance(expression, Arithmetic):
        return Arithmetic(expression.operator, _plain(expression.left), _plain(expression.right))
    return expression if isinstance(expression, Value) and expression.number is not None else Variable("N")


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Entity("https://example.org/takes"), "takes"),
        (Entity("https://example.org/服用"), "服用"),
        (Entity("https://example.org/Anna"), "<https://example.org/Anna>"),
        (Entity("https://example.org/not"), "<https://example.org/not>"),
        (Entity("https://example.org/5-fu"), "<https://example.org/5-fu>"),
        (Entity("https://example.org/🍎"), "🍎"),
        (Entity("http://www.w3.org/2002/07/owl#Class"), "owl:Class"),
        (Entity("urn:x:a"), "<urn:x:a>"),
        (Entity("_:b1"), "_:b1"),
        (Variable("X"), "X"),
        (Variable("病人"), "?病人"),
        (Variable("x"), "?x"),
        (Variable("_"), "?_"),
        (Value('say "hi"\n'), '"say \\"hi\\"\\n"'),
        (Value("Fieber", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "de"), '"Fieber"@de'),
        (Value("2020-01-01", XSD + "date"), '"2020-01-01"^^xsd:date'),
        (Value.of(-5), "-5"),
        (Value.of(1.5), "1.5"),
        (Value.of(1e300), "1e+300"),
        (Value.of(True), "true"),
        (Value("007", XSD + "integer"), '"007"^^xsd:integer'),
        (Value("1.50", XSD + "double"), '"1.50"^^xsd:double'),
        (Value("inf", XSD + "double"), '"inf"^^xsd:double'),
        (Value("\u2028\x07"), '"\\u2028\\u0007"'),
        (Value("9" * 5000, XSD + "integer"), "9" * 5000),
        (Arithmetic("*", Arithmetic("+", Variable("N"), Value.of(1)), Value.of(-2)), "(N + 1) * -2"),
        (Arithmetic("-", Variable("N"), Arithmetic("-", Variable("M"), Value.of(1))), "N - (M - 1)"),
        (Arithmetic("%", Variable("N"), Value("no comment")), 'N % ("no comment")'),
    ],
)
def test_the_canonical_form(term, text):
    assert write(term, PLAIN) == text


def test_a_class_may_begin_with_a_capital_letter():
    atom = Atom(TYPE, (Entity("https://example.org/anna"), Entity("https://example.org/Patient")))
    assert write(atom, PLAIN) == "Patient(anna)"
    assert parse_atom("Patient(anna)", PLAIN) == atom


def test_a_program_declares_only_what_is_not_known():
    program = parse("@prefix ex: <urn:e:> .\n@prefix 药: <urn:y:> .\nex:a(药:b).", Names("https://example.org/"))
    assert write(program, Names("https://example.org/", {"ex": "urn:e:"})) == (
        '@prefix 药: <urn:y:> .\n@id "r3"\nex:a(药:b).\n'
    )


def test_an_id_is_written_only_where_the_line_does_not_give_it():
    rules = parse('a(x).\n@about "b"\n@confidence 0.5\n@id "own"\nb(x).\nc(x).', PLAIN)
    assert write(rules, PLAIN) == (
        "a(x).\n@about \"b\"\n@confidence 0.5\n@id \"own\"\nb(x).\nc(x).\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (Variable("a b"), "the variable 'a b' cannot be written"),
        (Entity("_:a b"), "'_:a b' cannot be written"),
        (Atom(Entity("urn:p"), (Value("x"),)), "an atom of one term is written as membership of a class"),
        (Rule("r", None, ()), "a rule with neither head nor body says nothing"),
        (Aggregate(Variable("N"), "count", (), ()), "an aggregate without items or without a body"),
    ],
)
def test_what_has_no_words_is_refused(what, message):
    with pytest.raises(ValueError, match=message):
        write(what, PLAIN)


@given(st.sampled_from(["my prefix", "_", "a.", ""]))
def test_a_prefix_that_cannot_be_written_is_not_used(prefix):
    names = Names("https://example.org/", {prefix: "urn:e:"})
    text = write(Entity("urn:e:x"), names)
    assert text == (":x" if prefix == "" else "<urn:e:x>")
    assert parse_atom(f"p({text}, {text})", names).terms == (Entity("urn:e:x"),) * 2


def test_an_empty_program():
    assert write(Program((), PLAIN), PLAIN) == ""
    assert parse("", PLAIN) == Program((), PLAIN)
