"""The closures of small ontologies are those of owlrl and of reasonable, but for what says nothing and what is listed.

Left out of both sides, everywhere: what ``is_trivial`` says (that a thing is itself, that a class is below owl:Thing,
axioms, ...), and facts of which a value is the subject, which the others do not give.
"""

import logging

import owlrl
import pyoxigraph
import pytest
import rdflib
import reasonable

from sibu.core.logic import Atom, Entity, Value, Variable
from sibu.logic.closure import Closure
from sibu.reasoners.owl.trivial import is_trivial
from tests.reasoners.closing import close
from tests.reasoners.ontologies import ONTOLOGIES, PREFIXES
from tests.reasoners.test_owl_rl import rules, term

ERRORS = "http://www.daml.org/2002/03/agents/agent-ont#"
OWLRL_DIFFERS = {
    "keys of two": "owlrl 7.6 leaves the last property of a key out of account, so that all with one name are the same",
    "key of one": "owlrl 7.6 leaves the last property of a key out of account, so that all books are the same",
    "thing within": "owlrl does not take owl:Thing in an intersection as met by a thing of a nameless class alone",
}
REASONABLE_LACKS = {
    "scm-spo", "scm-eqp1", "scm-eqp2", "scm-eqc2", "scm-dom1", "scm-dom2", "scm-rng1", "scm-rng2", "scm-hv", "scm-svf1",
    "scm-svf2", "scm-avf1", "scm-avf2", "scm-int", "scm-uni", "cls-oo", "cls-maxc2", "cls-maxqc3", "cls-maxqc4",
    "prp-spo2", "prp-key",
}  # fmt: skip
"""Rules that reasonable 0.4.4 does not have."""
REASONABLE_FORMS = {"scm-sco.thing", "scm-sco.nothing"}
"""It says that everything is of owl:Thing in a way of its own, see below."""
REASONABLE_DIFFERS = {
    "functional both ways": "reasonable 0.4.4 takes a and b for one where an inverse functional property leads from "
    "a to b and back",
    "everything is": "reasonable 0.4.4 counts classes and properties among the members of owl:Thing",
}


def graph(turtle: str) -> tuple[rdflib.Graph, list[Atom]]:
    """The facts for the others, and for us; nodes without a name are the same on both sides."""
    quads = list(pyoxigraph.parse((PREFIXES + turtle).encode(), format=pyoxigraph.RdfFormat.TURTLE))
    found = rdflib.Graph()
    for quad in quads:
        found.add((node(quad.subject), node(quad.predicate), node(quad.object)))
    return found, [Atom(Entity(quad.predicate.value), (term(quad.subject), term(quad.object))) for quad in quads]


def node(found: object) -> rdflib.term.Node:
    if isinstance(found, pyoxigraph.NamedNode):
        return rdflib.URIRef(found.value)
    if isinstance(found, pyoxigraph.BlankNode):
        return rdflib.BNode(found.value)
    assert isinstance(found, pyoxigraph.Literal)
    plain = found.language or found.datatype.value.endswith("#string")
    datatype = None if plain else rdflib.URIRef(found.datatype.value)
    return rdflib.Literal(found.value, lang=found.language, datatype=datatype, normalize=False)


def told(found: object) -> Entity | Value:
    if isinstance(found, rdflib.Literal):
        assert found.datatype is not None or found.language or isinstance(found, str)
        if found.language:
            return Value(str(found), str(rdflib.RDF.langString), found.language)
        return Value(str(found), str(found.datatype or rdflib.XSD.string))
    return Entity(f"_:{found}" if isinstance(found, rdflib.BNode) else str(found))


def what_counts(facts: set[Atom]) -> set[Atom]:
    """Without what says nothing, values as subjects, and owlrl's messages."""
    messages = {fact.terms[0] for fact in facts if fact.terms[1] == Entity(f"{ERRORS}ErrorMessage")}
    return {fact for fact in facts if isinstance(fact.terms[0], Entity) and fact.terms[0] not in messages
            and not is_trivial(fact)}  # fmt: skip


def atoms_of(triples: object) -> set[Atom]:
    found = set()
    for subject, predicate, thing in triples:  # type: ignore[attr-defined]
        if not isinstance(predicate, rdflib.BNode):
            found.add(Atom(Entity(str(predicate)), (told(subject), told(thing))))
    return found


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("rdflib.term"), "disabled", True)


@pytest.mark.parametrize("name", ONTOLOGIES)
def test_as_owlrl(name: str) -> None:
    theirs, facts = graph(ONTOLOGIES[name])
    closed = close(rules("rl.rules"), facts)
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics, axiomatic_triples=False, datatype_axioms=False).expand(theirs)
    messages = set(theirs.subjects(rdflib.RDF.type, rdflib.URIRef(f"{ERRORS}ErrorMessage")))
    ours, other = what_counts(set(closed.facts)), what_counts(atoms_of(theirs))
    assert bool(messages) == bool(closed.violated) == name.startswith("in conflict")
    if name in OWLRL_DIFFERS:
        assert ours != other
    else:
        assert ours == other


@pytest.mark.parametrize("name", ONTOLOGIES)
def test_as_reasonable(name: str) -> None:
    theirs, facts = graph(ONTOLOGIES[name])
    shared = [rule for rule in rules("rl.rules")
              if rule.id.split(".")[0] not in REASONABLE_LACKS and rule.id not in REASONABLE_FORMS]  # fmt: skip
    ours = what_counts(set(close(shared, facts).facts))
    reasoner = reasonable.PyReasoner()
    reasoner.from_graph(theirs)
    other = what_counts(atoms_of(reasoner.reason()) | set(facts))
    if name in REASONABLE_DIFFERS:
        assert ours < other
    else:
        assert ours == other


def test_keys_are_those_of_the_standard() -> None:
    """Where owlrl differs: the same name and year of birth are one person; the same name alone is not."""
    _, facts = graph(ONTOLOGIES["keys of two"])
    same = {fact for fact in close(rules("rl.rules"), facts).facts if fact.predicate.iri.endswith("#sameAs")}
    names = {tuple(part.iri.rsplit("/", 1)[1] for part in fact.terms) for fact in same if not is_trivial(fact)}
    assert names == {("a", "b"), ("b", "a")}


@pytest.mark.parametrize("name", ONTOLOGIES)
def test_nothing_else_is_lost_with_what_says_nothing(name: str) -> None:
    """With trivial.rules follows what follows without, and what says nothing."""
    _, facts = graph(ONTOLOGIES[name])
    alone, both = close(rules("rl.rules"), facts), close(rules("rl.rules", "trivial.rules"), facts)
    assert what_counts(set(both.facts)) == what_counts(set(alone.facts))
    assert {each.split(".")[0] for each in both.violated} == {each.split(".")[0] for each in alone.violated}
    assert not facts or len(both.facts) > len(alone.facts)


def test_there_are_thirty_or_more() -> None:
    assert len(ONTOLOGIES) >= 30


@pytest.mark.parametrize("name", ["pizza", "病人", "family by chains", "keys of two", "equal names"])
def test_whatever_follows_has_a_proof_from_what_is_asserted(name: str) -> None:
    _, facts = graph(ONTOLOGIES[name])
    program = {rule.id: rule for rule in rules("rl.rules")}
    closure = Closure(rules("rl.rules"))
    closure.add(facts)
    closure.close()
    derived = set(closure.match(Atom(Variable("P"), (Variable("S"), Variable("O"))))) - set(facts)
    assert derived
    for fact in derived:
        proof = closure.proof(fact)
        assert proof is not None
        assert proof.conclusion == fact
        for step in proof:
            if step.rule:
                wanted = program[step.rule].atoms
                assert [proof.steps[place].fact.predicate for place in step.premises] == [
                    step.binding[atom.predicate.name] if isinstance(atom.predicate, Variable) else atom.predicate
                    for atom in wanted
                ]
            else:
                assert step.fact in facts
