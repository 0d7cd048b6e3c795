"""Names for people, in several languages and scripts."""

import re
from collections.abc import Iterator

import pytest

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Source, Triple, Value
from sibu.core.names import RDF, RDFS, SKOS
from sibu.graph import KnowledgeBase
from sibu.graph.labels import normal
from tests.graph.shared import BASE, e, t

LABEL, BEST, ALIAS = Entity(RDFS + "label"), Entity(SKOS + "prefLabel"), Entity(SKOS + "altLabel")


def tagged(text: str, tag: str) -> Value:
    return Value(text, RDF + "langString", tag)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    facts = [
        Triple(e("ibuprofen"), LABEL, tagged("ibuprofen", "en")),
        Triple(e("ibuprofen"), LABEL, tagged("布洛芬", "zh-hans")),
        Triple(e("ibuprofen"), BEST, tagged("Ibuprofen (drug)", "en")),
        Triple(e("ibuprofen"), ALIAS, tagged("Advil", "en")),
        Triple(e("ibuprofen"), ALIAS, Value("ＩＢＵ")),
        Triple(e("advil"), LABEL, Value("ADVIL")),
        Triple(e("m"), LABEL, Value("Straße  der\tÄrzte")),
        Triple(e("only_alias"), ALIAS, tagged("🩺 'x\"", "de")),
        t("anna", "takes", "ibuprofen"),
    ]
    folder = tmp_path_factory.mktemp("labels") / "kb"
    with KnowledgeBase.create(folder, base=BASE, languages=("zh", "en")) as kb:
        kb.add((fact, Source("labels")) for fact in facts)
        kb.add([(Triple(e("guess"), LABEL, Value("guessed")), Source("g", status="hypothesis"))])
        yield kb


def test_labels_come_in_the_preferred_order(named: KnowledgeBase) -> None:
    texts = [value.text for value in named.labels(e("ibuprofen"))]
    assert texts == ["布洛芬", "Ibuprofen (drug)", "ibuprofen", "Advil", "ＩＢＵ"]


@pytest.mark.parametrize(
    ("name", "language", "label"),
    [
        ("ibuprofen", "", "布洛芬"),
        ("ibuprofen", "EN", "Ibuprofen (drug)"),
        ("ibuprofen", "fr", "布洛芬"),
        ("only_alias", "", "🩺 'x\""),
        ("Heart_attack", "", "Heart attack"),
        ("guess", "", "guess"),
    ],
)
def test_the_label_to_show(name: str, language: str, label: str, named: KnowledgeBase) -> None:
    assert named.label(e(name), language) == label
    assert named.label(Entity("_:b1")) == "_:b1"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("布洛芬", ["ibuprofen"]),
        ("Advil", ["ibuprofen"]),
        ("advil", ["advil", "ibuprofen"]),
        ("ibu", ["ibuprofen"]),
        ("STRASSE der Ärzte", ["m"]),
        ("strasse der a\u0308rzte", ["m"]),
        ("🩺 'x\"", ["only_alias"]),
        ("guessed", []),
        ("", []),
        ("\ud800", []),
    ],
)
def test_things_by_their_label(text: str, names: list[str], named: KnowledgeBase) -> None:
    assert named.find(text) == [e(name) for name in names]


def test_a_label_that_came_later_is_found(kb: KnowledgeBase) -> None:
    assert kb.find("anna") == []
    kb.add([(Triple(e("p1"), LABEL, Value("Anna")), Source("a"))])
    assert kb.find("anna") == [e("p1")]
    kb.rollback(0)
    assert kb.find("anna") == []


def test_normal_forms() -> None:
    assert normal("ＡＢ　c\n") == normal("ab C") == "ab c"
    assert normal("ﬁ") == "fi"


@pytest.mark.parametrize(
    ("given", "iri"),
    [
        ("anna", BASE + "anna"),
        ("takes", BASE + "takes"),
        (f"<{BASE}anna>", BASE + "anna"),
        ("布洛芬", BASE + "ibuprofen"),
        ("strasse der ärzte", BASE + "m"),
        ("guess", BASE + "guess"),
        ("rdfs:label", RDFS + "label"),
    ],
)
def test_what_a_user_means(given: str, iri: str, named: KnowledgeBase) -> None:
    assert named.resolve(given) == Entity(iri)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Annna", "There is nothing named 'Annna' here (as a name it stands for <https://example.org/clinic/Annna>). "),
        ("Annna", "Did you mean 'anna'?"),
        ("AdviL", "'AdviL' names 2 things: advil, ibuprofen. Give the name of one."),
        ("foo:anna", "(the prefix 'foo' is not known; known: owl, prov, rdf"),
        ("", "'' is empty where a name is expected."),
        ("<a b>", "'<a b>' 'a b' is no absolute IRI"),
    ],
)
def test_what_a_user_cannot_mean(given: str, said: str, named: KnowledgeBase) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        named.resolve(given)
