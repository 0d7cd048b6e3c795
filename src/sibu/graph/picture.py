"""A neighbourhood as a picture: SVG, or one HTML page that needs nothing else.

The middle stands in the middle, what is one step away on a ring around it, and so on; each thing has the share of its
ring that the things behind it need.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from unicodedata import east_asian_width

from markupsafe import Markup

from sibu.core.logic import Entity, Triple
from sibu.graph.around import Neighbourhood, Thing

SIZE, GAP = 12.0, 34.0
"""Height of a letter, and room between two things on a ring, in pixels."""
RING = 150.0
"""Least distance between two rings."""
WIDE = 1.45
"""How much wider than high a ring is: names lie."""
_LONGEST = 22
_MOST_NAMED = 60
"""Lines that are all named; of more, only those by which a thing was found, and the others are faint."""
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

STYLE = """
.kb{--ink:#1c2430;--soft:#5b6675;--line:#aab4c0;--paper:#fff;--dot:#2f6fb3;--mid:#b3452f;
font:12px/1.4 system-ui,sans-serif}
@media (prefers-color-scheme:dark){.kb{--ink:#e6ebf2;--soft:#a3afbf;--line:#55606e;--paper:#14181e;--dot:#7db3ea;
--mid:#ee8f7a}}
.kb text{fill:var(--ink);unicode-bidi:plaintext;paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.kb .rel{fill:var(--soft);font-size:10px}.kb .class{fill:var(--soft);font-size:10px}.kb .mid{font-weight:600}
.kb path{fill:none;stroke:var(--line)}.kb .dot{fill:var(--dot)}.kb .dot.mid{fill:var(--mid)}.kb .tip{fill:var(--line)}
.kb .faint{opacity:.25}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing is drawn."""

    x: float
    y: float


def places(shown: Neighbourhood) -> dict[Entity, Place]:
    """Where each thing is drawn; the middle at (0, 0)."""
    children: dict[Entity | None, list[Thing]] = {}
    for thing in shown.things:
        children.setdefault(thing.via, []).append(thing)
    leaves: dict[Entity, int] = {}
    for thing in sorted(shown.things, key=lambda each: -each.hops):
        leaves[thing.entity] = max(sum(leaves[child.entity] for child in children.get(thing.entity, ())), 1)
    count: dict[int, int] = {}
    for thing in shown.things:
        count[thing.hops] = count.get(thing.hops, 0) + 1
    radius = {0: 0.0}
    total = leaves[shown.things[0].entity]
    for hop in range(1, max(count) + 1):
        radius[hop] = max(radius[hop - 1] + RING, total * GAP / (2 * pi) if hop == max(count) else 0.0)
    found: dict[Entity, Place] = {}

    def lay(thing: Thing, start: float, end: float) -> None:
        angle, far = (start + end) / 2, radius[thing.hops]
        found[thing.entity] = Place(WIDE * far * cos(angle), far * sin(angle))
        place = start
        for child in children.get(thing.entity, ()):
            share = (end - start) * leaves[child.entity] / leaves[thing.entity]
            lay(child, place, place + share)
            place += share

    lay(shown.things[0], -pi / 2, 3 * pi / 2)
    return found


def svg(shown: Neighbourhood) -> Markup:
    """The picture as an ``<svg>`` with its own style; a text of any script, escaped."""
    at = places(shown)
    left, right = min(p.x for p in at.values()) - 170, max(p.x for p in at.values()) + 170
    top, bottom = min(p.y for p in at.values()) - 50, max(p.y for p in at.values()) + 50
    lines = _together(shown.facts)
    via = shown.via
    named = [_leads(facts[0], via) or len(lines) <= _MOST_NAMED for facts in lines]
    # the faint ones first, so that the others lie above them
    pairs = sorted(zip(lines, named, strict=True), key=lambda pair: pair[1])
    parts = [_fact(facts, at, shown.relations, named=by) for facts, by in pairs]
    parts += [_thing(thing, at[thing.entity]) for thing in shown.things]
    name = clean(f"{shown.things[0].label}: {len(shown.things)} things, {len(shown.facts)} facts")
    whole = Markup(
        '<svg class="kb" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{}" width="{:.0f}" height="{:.0f}" '
        'viewBox="{:.0f} {:.0f} {:.0f} {:.0f}"><style>{}</style>{}</svg>'
    )
    size = (right - left, bottom - top)
    return whole.format(name, *size, left, top, *size, Markup(STYLE), Markup("").join(parts))


def page(shown: Neighbourhood, rows: list[tuple[str, str, str, str]], title: str) -> Markup:
    """The picture on a page, with the facts below.

    Args:
        shown: The neighbourhood.
        rows: Head, relation, tail and sources of each fact that is listed.
        title: What the page is about.
    """
    line = Markup("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>")
    table = Markup("\n").join(line.format(*map(clean, row)) for row in rows)
    more = Markup("<p>There is more around it than is shown.</p>") if shown.cut else Markup("")
    return Markup(_PAGE).format(
        title=clean(title), style=Markup(_PAGE_STYLE), picture=svg(shown), more=more, table=table
    )


def svg_file(shown: Neighbourhood) -> str:
    """The picture as a file of its own."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{svg(shown)}\n'


def _together(facts: tuple[Triple, ...]) -> list[list[Triple]]:
    """Facts between the same two things, which are drawn as one line."""
    found: dict[tuple[object, object], list[Triple]] = {}
    for fact in facts:
        found.setdefault((fact.subject, fact.object), []).append(fact)
    return list(found.values())


def _leads(fact: Triple, via: Mapping[Entity, Entity | None]) -> bool:
    """Whether one of a fact's things was found from the other."""
    head, tail = fact.subject, fact.object
    return isinstance(tail, Entity) and (via[tail] == head or via[head] == tail)


def _fact(facts: list[Triple], at: Mapping[Entity, Place], relations: Mapping[Entity, str], *, named: bool) -> Markup:
    first = facts[0]
    assert isinstance(first.object, Entity)
    one, two = at[first.subject], at[first.object]
    far = hypot(two.x - one.x, two.y - one.y) or 1.0
    across, along = ((two.y - one.y) / far, -(two.x - one.x) / far), 14.0
    middle = Place((one.x + two.x) / 2 + across[0] * along, (one.y + two.y) / 2 + across[1] * along)
    names = ", ".join(dict.fromkeys(relations[fact.predicate] for fact in facts))
    end = 9 / (hypot(two.x - middle.x, two.y - middle.y) or 1.0)
    tip = Place(two.x + (middle.x - two.x) * end, two.y + (middle.y - two.y) * end)
    line = Markup('<path d="M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}"/>').format(
        one.x, one.y, middle.x, middle.y, tip.x, tip.y
    )
    head = _tip(tip, two)
    if not named:
        return Markup('<g class="faint"><title>{}</title>{}{}</g>').format(clean(names), line, head)
    label = Markup('<text class="rel" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>').format(
        *_on_curve(one, middle, two), cut(names, 26)
    )
    return Markup("<g><title>{}</title>{}{}{}</g>").format(clean(names), line, head, label)


def _on_curve(one: Place, middle: Place, two: Place) -> tuple[float, float]:
    """Where a line's name stands: nearer to the end that lies further out, where there is more room."""
    share = 0.62 if hypot(two.x, two.y) > hypot(one.x, one.y) else 0.38
    a, b, c = (1 - share) ** 2, 2 * share * (1 - share), share**2
    return a * one.x + b * middle.x + c * two.x, a * one.y + b * middle.y + c * two.y + 3


def _tip(start: Place, end: Place) -> Markup:
    far = hypot(end.x - start.x, end.y - start.y) or 1.0
    x, y = (end.x - start.x) / far, (end.y - start.y) / far
    corners = ((6 * x, 6 * y), (-3 * y, 3 * x), (3 * y, -3 * x))
    points = " ".join(f"{start.x + a:.1f},{start.y + b:.1f}" for a, b in corners)
    return Markup('<polygon class="tip" points="{}"/>').format(points)


def _thing(thing: Thing, at: Place) -> Markup:
    kind = " mid" if thing.via is None else ""
    said = [thing.label, *(f"{name}: {value}" for name, value in thing.values)]
    anchor, x = ("middle", at.x) if abs(at.x) < 20 else ("start", at.x + 9) if at.x > 0 else ("end", at.x - 9)
    y = at.y + 4 if anchor != "middle" else at.y - 10 if at.y <= 0 else at.y + 20
    parts = [Markup('<text class="name{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, cut(thing.label, _LONGEST)
    )]  # fmt: skip
    if thing.classes:
        lower = y + SIZE if anchor != "middle" or at.y > 0 else y - SIZE
        parts.append(Markup('<text class="class" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
            x, lower, anchor, cut(", ".join(thing.classes), _LONGEST + 6)
        ))  # fmt: skip
    dot = Markup('<circle class="dot{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>').format(kind, at.x, at.y, 6 if kind else 4.5)
    return Markup("<g><title>{}</title>{}{}</g>").format(clean("\n".join(said)), dot, Markup("").join(parts))


def clean(text: str) -> str:
    """A text without what XML does not allow."""
    return _NOT_IN_XML.sub("\ufffd", text)


def cut(text: str, most: int) -> str:
    """As much of a text as is as wide as so many letters; a Chinese character is as wide as two."""
    text, room = " ".join(clean(text).split()), most
    for place, sign in enumerate(text):
        room -= 2 if east_asian_width(sign) in "WF" else 1
        if room < 0:
            return text[: max(place - 1, 1)] + "…"
    return text


_PAGE_STYLE = """
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1100px;padding:0 1rem}
svg{max-width:100%;height:auto}table{border-collapse:collapse;width:100%}
td,th{text-align:start;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top;overflow-wrap:anywhere;
unicode-bidi:plaintext}
"""
_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head>
<body><h1>{title}</h1>
{picture}
{more}
<table><thead><tr><th>head</th><th>relation</th><th>tail</th><th>sources</th></tr></thead><tbody>
{table}
</tbody></table></body></html>
"""
