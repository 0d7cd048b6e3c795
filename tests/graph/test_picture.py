"""What stands around a thing, and how it is drawn."""

from collections.abc import Iterator
from math import hypot
from xml.etree import ElementTree

import pytest

from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Entity, Source, Triple, Value
from sibu.core.names import RDFS
from sibu.graph import KnowledgeBase
from sibu.graph.picture import page, places, svg, svg_file
from tests.graph.shared import BASE, ODD, e, t

LABEL = Entity(RDFS + "label")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    facts = [t("anna", "takes", f"drug{n}") for n in range(5)]
    facts += [t("drug0", "interacts", "drug1"), t("drug1", "made_by", "firm"), t("bob", "knows", "anna")]
    facts += [t("anna", "age", Value.of(70)), Triple(e("anna"), TYPE, e("Patient")), t("firm", "in", "town")]
    facts += [t("hub", "has", f"x{n}") for n in range(400)]
    facts += [Triple(e(f"o{n}"), LABEL, Value(text)) for n, text in enumerate(ODD) if text.strip()]
    facts += [t("odd", "p", f"o{n}") for n in range(len(ODD))]
    with KnowledgeBase.create(tmp_path_factory.mktemp("picture") / "kb", base=BASE) as kb:
        kb.add((fact, Source("a")) for fact in facts)
        yield kb


def test_one_step_around(drawn: KnowledgeBase) -> None:
    shown = drawn.neighbourhood(e("anna"))
    assert {thing.label for thing in shown.things} == {"anna", "bob", *(f"drug{n}" for n in range(5))}
    assert (shown.things[0].hops, shown.things[0].classes, shown.things[0].values) == (
        0,
        ("Patient",),
        (("age", "70"),),
    )
    assert t("drug0", "interacts", "drug1") in shown.facts
    assert t("bob", "knows", "anna") in shown.facts
    assert not shown.cut


def test_more_steps_and_a_limit(drawn: KnowledgeBase) -> None:
    hops = {thing.label: thing.hops for thing in drawn.neighbourhood(e("anna"), 3).things}
    assert (hops["firm"], hops["town"]) == (2, 3)
    shown = drawn.neighbourhood(e("hub"), 1, 10)
    assert (len(shown.things), len(shown.facts), shown.cut) == (10, 9, True)
    with pytest.raises(DataError, match="at least 1 hop and 2 things, given 0 and 40"):
        drawn.neighbourhood(e("anna"), 0)


def test_no_two_things_stand_in_one_place(drawn: KnowledgeBase) -> None:
    for shown in (drawn.neighbourhood(e("anna"), 3), drawn.neighbourhood(e("hub"), 1, 150)):
        at = list(places(shown).values())
        assert (at[0].x, at[0].y) == (0, 0)
        near = min(hypot(a.x - b.x, a.y - b.y) for n, a in enumerate(at) for b in at[:n])
        assert near > 25


def test_a_picture_is_sound_xml_whatever_the_names(drawn: KnowledgeBase) -> None:
    for middle in ("odd", "anna", "town"):
        shown = drawn.neighbourhood(e(middle), 2)
        root = ElementTree.fromstring(svg_file(shown).encode())
        titles = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
        for thing in shown.things:
            assert any(thing.label.split("\n")[0][:20] in (title or "") for title in titles)


def test_names_are_escaped(drawn: KnowledgeBase) -> None:
    shown = drawn.neighbourhood(e("odd"))
    for text in (str(svg(shown)), str(page(shown, [("<script>", "b", "c", "d")], "<b>"))):
        assert "&lt;/svg&gt;&amp;" in text
        assert text.count("</svg>") == 1
    assert "&lt;script&gt;" in text
    assert "<script" not in text


def test_a_page_stands_alone(drawn: KnowledgeBase) -> None:
    text = str(page(drawn.neighbourhood(e("hub"), 1, 10), [("a", "b", "c", "notes.txt")], "hub"))
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace(BASE, "")
    assert "There is more around it than is shown." in text
    assert "<td>notes.txt</td>" in text
