"""A proof as a picture: what is concluded above, what it rests on below, each fact a box that stands once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from markupsafe import Markup

from sibu.core.logic import Proof
from sibu.curation.telling import Telling
from sibu.graph.picture import clean, cut

LINE, PAD, GAP, RISE = 16.0, 8.0, 26.0, 54.0
"""Height of a line, room within a box, between two boxes, between two layers, in pixels."""
LETTER = 6.7
"""Width of a Latin letter; a Chinese one is twice as wide."""
LONGEST = 44
"""Letters of a line in a box."""
MOST = 150
"""Facts on a picture; of a longer proof those nearest to what is proved."""
STYLE = """
.proof{--ink:#1c2430;--soft:#5b6675;--line:#9aa6b4;--paper:#fff;--box:#eef3f9;--leaf:#eef7ee;--top:#fbeee8;
--wrong:#b3261e;font:12px/1.3 system-ui,sans-serif}
@media (prefers-color-scheme:dark){.proof{--ink:#e6ebf2;--soft:#a3afbf;--line:#5f6b79;--paper:#14181e;--box:#1f2833;
--leaf:#1d2a20;--top:#33241f;--wrong:#ff8a80}}
.proof text{fill:var(--ink);unicode-bidi:plaintext}.proof .by{fill:var(--soft);font-size:11px}
.proof rect{fill:var(--box);stroke:var(--line)}.proof .leaf rect{fill:var(--leaf)}.proof .top rect{fill:var(--top)}
.proof path{fill:none;stroke:var(--line)}.proof .wrong{fill:var(--wrong)}
"""


@dataclass(frozen=True, slots=True)
class Box:
    """A fact on the picture."""

    lines: tuple[str, ...]
    """What it says; the first is the fact."""
    whole: str
    """All of it, not cut."""
    kind: str
    """``top``, ``leaf`` or empty."""

    @property
    def width(self) -> float:
        """In pixels."""
        return max(map(_letters, self.lines)) * LETTER + 2 * PAD

    @property
    def height(self) -> float:
        """In pixels."""
        return len(self.lines) * LINE + 2 * PAD


def svg(proof: Proof, telling: Telling, faults: Sequence[str] = ()) -> Markup:
    """The picture as an ``<svg>`` with its own style; a text of any script, escaped.

    Args:
        proof: The proof.
        telling: Tells of facts.
        faults: Why the checker does not accept it; then the picture says so.
    """
    shown = _nearest(proof)
    boxes = {place: _box(proof, place, telling, shown) for place in shown}
    at = _places(_layers(proof, shown), boxes, proof)
    pairs = [(place, premise) for place in shown for premise in dict.fromkeys(proof.steps[place].premises)]
    parts = [_line(at[one], boxes[one], at[two]) for one, two in pairs if two in boxes]
    parts += [_drawn(boxes[place], *at[place]) for place in shown]
    left = min(x - boxes[place].width / 2 for place, (x, _) in at.items()) - GAP
    right = max(x + boxes[place].width / 2 for place, (x, _) in at.items()) + GAP
    bottom = max(y + boxes[place].height for place, (_, y) in at.items()) + GAP
    top = -GAP - (2 * LINE if faults else 0)
    if faults:
        said = cut(f"Not accepted by the checker: {faults[0]}", 120)
        wrong = Markup('<text class="wrong" x="{:.1f}" y="{:.1f}">{}</text>')
        parts.append(wrong.format(left + PAD, top + LINE, said))
    name = clean(f"{telling.atom(proof.conclusion)}: {len(proof.steps)} steps")
    size = (right - left, bottom - top)
    return Markup(_SVG).format(name, *size, left, top, *size, Markup(STYLE), Markup("").join(parts))


def svg_file(picture: Markup) -> str:
    """A picture as a file of its own."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{picture}\n'


def page(pictures: Sequence[tuple[str, Markup, Sequence[str]]], title: str) -> Markup:
    """Pictures on a page, each with its title and the proof as a tree."""
    one = Markup("<h2>{}</h2>\n{}\n<details><summary>as text</summary><pre>{}</pre></details>")
    body = Markup("\n").join(one.format(clean(said), drawn, clean("\n".join(tree))) for said, drawn, tree in pictures)
    return Markup(_PAGE).format(title=clean(title), body=body)


def _nearest(proof: Proof) -> list[int]:
    """The steps to show, the conclusion first: those that are reached from it by the fewest steps."""
    found = {len(proof.steps) - 1: None}
    ring = list(found)
    while ring and len(found) < MOST:
        coming = [premise for place in ring for premise in proof.steps[place].premises]
        ring = [place for place in dict.fromkeys(coming) if place not in found]
        found.update(dict.fromkeys(ring[: MOST - len(found)]))
    return list(found)


def _box(proof: Proof, place: int, telling: Telling, shown: Sequence[int]) -> Box:
    step = proof.steps[place]
    lines = [telling.atom(step.fact)]
    lines += [part for each in telling.below(step) if isinstance(each, str) for part in _parts(each)]
    lines += [] if set(step.premises).issubset(shown) else ["..."]
    kind = "top" if place == len(proof.steps) - 1 else "" if step.rule else "leaf"
    return Box(tuple(cut(line, LONGEST) for line in lines), "\n".join(lines), kind)


def _parts(line: str) -> list[str]:
    """What is told of a rule on two lines: its name, and what it says."""
    name, colon, about = line.partition("): ")
    return [f"{name})", about] if line.startswith("by ") and colon else [line]


def _letters(line: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in line)


def _layers(proof: Proof, shown: Sequence[int]) -> list[list[int]]:
    """The steps by how far they are from the conclusion, by the longest way; so that all lines lead down."""
    level = dict.fromkeys(shown, 0)
    for place in sorted(shown, reverse=True):  # a step stands behind its premises
        for premise in proof.steps[place].premises:
            if premise in level:
                level[premise] = max(level[premise], level[place] + 1)
    layers: list[list[int]] = [[] for _ in range(max(level.values()) + 1)]
    for place in shown:
        layers[level[place]].append(place)
    return layers


def _places(layers: Sequence[Sequence[int]], boxes: Mapping[int, Box], proof: Proof) -> dict[int, tuple[float, float]]:
    """Middle and upper edge of each box: below the middle of the boxes that rest on it, as far as there is room."""
    at: dict[int, tuple[float, float]] = {}
    rests: dict[int, list[int]] = {}
    for place in boxes:
        for premise in proof.steps[place].premises:
            rests.setdefault(premise, []).append(place)
    top = 0.0
    for layer in layers:
        wanted = {place: _middle([at[each][0] for each in rests.get(place, ()) if each in at]) for place in layer}
        order = sorted(layer, key=lambda place: wanted[place])
        total = sum(boxes[place].width for place in order) + GAP * (len(order) - 1)
        left = _middle(list(wanted.values())) - total / 2
        for place in order:
            at[place] = (left + boxes[place].width / 2, top)
            left += boxes[place].width + GAP
        top += max(boxes[place].height for place in layer) + RISE
    return at


def _middle(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _line(one: tuple[float, float], box: Box, two: tuple[float, float]) -> Markup:
    start, end = one[1] + box.height, two[1]
    bend = (start + end) / 2
    return Markup('<path d="M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}"/>').format(
        one[0], start, one[0], bend, two[0], bend, two[0], end
    )


def _drawn(box: Box, x: float, y: float) -> Markup:
    left = x - box.width / 2
    rect = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="6"/>').format(
        left, y, box.width, box.height
    )
    texts = [
        Markup('<text{} x="{:.1f}" y="{:.1f}">{}</text>').format(
            Markup(' class="by"') if number else "", left + PAD, y + PAD + LINE * (number + 0.75), line
        )
        for number, line in enumerate(box.lines)
    ]
    return Markup('<g class="{}"><title>{}</title>{}{}</g>').format(
        box.kind, clean(box.whole), rect, Markup("").join(texts)
    )


_SVG = (
    '<svg class="proof" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{}" width="{:.0f}" height="{:.0f}" '
    'viewBox="{:.0f} {:.0f} {:.0f} {:.0f}"><style>{}</style>{}</svg>'
)
_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>:root{{color-scheme:light dark}}body{{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1200px;
padding:0 1rem}}svg{{max-width:100%;height:auto}}pre{{white-space:pre-wrap;unicode-bidi:plaintext}}</style></head>
<body><h1>{title}</h1>
{body}
</body></html>
"""
