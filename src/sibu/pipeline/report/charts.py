"""Charts as SVG strings: small pure functions from numbers to markup.

Sizes are those of a phone's width, so that a label is as large there as on a desk; colours come from the page's style
sheet by class (``tone0`` .. ``tone7``). Points that are no finite numbers are left out; where nothing is left, the
chart is empty markup and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10
from unicodedata import east_asian_width

from markupsafe import Markup

Point = tuple[float, float]
RawPoint = tuple[float | None, float | None]

WIDTH, HEIGHT = 360, 208
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 12, 36
MOST_POINTS = 600
"""Points that a line keeps; a screen shows no more."""
TONES = 8


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    name: str
    points: Sequence[RawPoint]
    tone: int = 0
    """Number of its colour; from ``TONES`` on they come again."""
    raw: Sequence[RawPoint] = ()
    """What ``points`` were smoothed from, drawn faintly behind."""

    @property
    def colour(self) -> str:
        """The class of its colour."""
        return f"tone{self.tone % TONES}"


@dataclass(frozen=True, slots=True)
class Interval:
    """One row of a chart of intervals."""

    name: str
    value: float
    low: float
    high: float
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places on the page."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value, kept inside; the middle where all values are equal."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        share = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return self.start + share * (self.end - self.start)


def finite(points: Iterable[RawPoint]) -> list[Point]:
    """The points whose both parts are finite numbers."""
    return [(x, y) for x, y in points if x is not None and y is not None and isfinite(x) and isfinite(y)]


def thin(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most so many points, in order: the ends, and the lowest and highest of each stretch between.

    Peaks stay, which a mean or every n-th point would lose.
    """
    if len(points) <= most:
        return list(points)
    inner = points[1:-1]
    stretches = max((most - 2) // 2, 1)
    kept = [points[0]]
    for number in range(stretches):
        part = inner[number * len(inner) // stretches : (number + 1) * len(inner) // stretches]
        ends = {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
        kept.extend(sorted(ends))
    return [*kept, points[-1]]


def envelope(points: Sequence[Point], stretches: int) -> list[Point]:
    """The outline of many points: the highest of each stretch from left to right, then the lowest back again."""
    parts = [points[n * len(points) // stretches : (n + 1) * len(points) // stretches] for n in range(stretches)]
    sides = [(part[len(part) // 2][0], [y for _, y in part]) for part in parts if part]
    return [(x, max(heights)) for x, heights in sides] + [(x, min(heights)) for x, heights in reversed(sides)]


def smooth(values: Sequence[float], window: float) -> list[float]:
    """Exponential moving average over about ``window`` values, without the pull to zero at the beginning."""
    keep = 1 - 1 / max(window, 1.0)
    total, weight, found = 0.0, 0.0, []
    for value in values:
        total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
        found.append(total / weight)
    return found


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers in ``[low, high]``: multiples of 1, 2 or 5 times a power of ten, at most ``most + 1`` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / max(most, 1)
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    digits = max(0, -floor(log10(step)))
    return [round(number * step, digits) for number in range(first, last + 1)]


def tick_names(values: Sequence[float]) -> list[str]:
    """Ticks as short texts, with as many decimals as tell them apart."""
    top = max((abs(value) for value in values), default=0.0)
    if 0 < top < 0.001:
        return [f"{value:.0e}".replace("e-0", "e-").replace("-", "−") if value else "0" for value in values]
    gap = min((abs(b - a) for a, b in pairwise(values) if a != b), default=top or 1.0)
    digits = min(max(0, -floor(log10(gap) + 1e-9)), 6)
    return [f"{value:,.{digits}f}".replace("-", "−") for value in values]


def fit(text: str, width: float, size: float = 11) -> str:
    """As much of a text as fits into so many pixels; a Chinese character is as wide as the letters are high."""
    space = width
    for place, character in enumerate(text):
        space -= size if east_asian_width(character) in "WF" else size * 0.56
        if space < 0:
            return text[: max(place - 1, 1)] + "…"
    return text


def bounds(values: Sequence[float], *, at_least: float = 0.0) -> tuple[float, float]:
    """Lowest and highest value with some air; where all are equal, a stretch around them."""
    low, high = min(values), max(values)
    span = high - low
    if span < at_least:
        air = (at_least - span) / 2
    else:
        air = span * 0.06 or abs(high) * 0.05 or 0.5
    return low - air, high + air


def lines(
    series: Sequence[Series],
    *,
    name: str,
    x_name: str = "step",
    low: float | None = None,
    mark: tuple[float, str] | None = None,
) -> Markup:
    """Lines over a common x axis.

    Args:
        series: The lines; each is thinned to ``MOST_POINTS``.
        name: What the chart shows, for screen readers.
        x_name: What the x axis is.
        low: The y axis begins here; None: a little below the lowest value.
        mark: A vertical line at x with its name.

    Returns:
        An ``<svg>``; empty where there is no point.
    """
    drawn = [(each, finite(each.points), finite(each.raw)) for each in series]
    everything = [point for _, points, _ in drawn for point in points]
    if not everything:
        return Markup("")
    # a few spikes of the raw values must not squash the lines
    raw = sorted(y for _, _, points in drawn for _, y in points)
    heights = [y for _, y in everything] + raw[: len(raw) * 98 // 100]
    bottom, top = bounds(heights)
    bottom = bottom if low is None else min(low, min(heights))
    across = [x for x, _ in everything] + [x for _, _, points in drawn for x, _ in points]
    left, right = min(across), max(across)
    x, y = Scale(left, right, LEFT, WIDTH - RIGHT), Scale(bottom, top, HEIGHT - BOTTOM, TOP)
    parts = [_axes(x, y, x_name)]
    if mark is not None and left <= mark[0] <= right:
        parts.append(_mark(x(mark[0]), mark[1]))
    parts += [_raw(raw_points, x, y, each) for each, _, raw_points in drawn]
    for each, points, _ in drawn:
        parts.append(_path(thin(points), x, y, f"line {each.colour}"))
        if len(points) <= 40:
            parts.append(_dots(points, x, y, each))
    return _svg(parts, name)


def intervals(
    rows: Sequence[Interval], *, name: str, limits: Sequence[float] = (), inside: tuple[float, float] | None = None
) -> Markup:
    """Values with their intervals, one a row, on a common axis that shows their neighbourhood only.

    Args:
        rows: What to draw, from above.
        name: What the chart shows, for screen readers.
        limits: Values that get a dashed vertical line (release conditions).
        inside: The axis does not reach beyond these; None: as far as it likes.
    """
    shown = [row for row in rows if all(map(isfinite, (row.value, row.low, row.high)))]
    if not shown:
        return Markup("")
    first, last = 96, WIDTH - 52
    edges = [end for row in shown for end in (row.low, row.high, row.value)] + [one for one in limits if isfinite(one)]
    low, high = bounds(edges, at_least=0.06)
    if inside is not None:
        low, high = max(low, inside[0]), min(high, inside[1])
    x = Scale(low, high, first, last)
    height = 22 * len(shown) + 26
    parts = []
    values = ticks(low, high, 4)
    for value, label in zip(values, tick_names(values), strict=True):
        place = x(value)
        parts.append(_line(place, 4, place, height - 22, "grid"))
        parts.append(_text(place, height - 8, label, "middle"))
    parts += [_line(x(limit), 2, x(limit), height - 22, "limit") for limit in limits if isfinite(limit)]
    for number, row in enumerate(shown):
        parts += _interval(row, x, 15 + 22 * number)
    return _svg(parts, name, height)


def _interval(row: Interval, x: Scale, y: float) -> list[Markup]:
    said = Markup("<title>{}: {:.4f}, 95 % interval {:.4f} to {:.4f}</title>").format(
        row.name, row.value, row.low, row.high
    )
    kind = "strong" if row.strong else "weak"
    whisker = Markup('<line class="whisker {}" x1="{:.1f}" x2="{:.1f}" y1="{:.0f}" y2="{:.0f}"/>').format(
        kind, x(row.low), x(row.high), y, y
    )
    dot = Markup('<circle class="value {}" cx="{:.1f}" cy="{:.0f}" r="4"/>').format(kind, x(row.value), y)
    return [
        _text(0, y + 4, fit(row.name, 88), "start", f"name {kind}"),
        Markup("<g>{}{}{}</g>").format(said, whisker, dot),
        _text(WIDTH, y + 4, f"{row.value:.3f}".replace("-", "−"), "end", f"figure {kind}"),
    ]


def histogram(series: Sequence[Series], *, name: str, x_name: str, limit: float | None = None) -> Markup:
    """Shares by bin as steps, the first series filled.

    Args:
        series: Points ``(lower edge of the bin, share)`` with one more at the end, the upper edge of the last bin.
        name: What the chart shows, for screen readers.
        x_name: What the x axis is.
        limit: A value that gets a vertical line.
    """
    drawn = [(each, finite(each.points)) for each in series]
    everything = [point for _, points in drawn for point in points]
    if len(everything) < 2:
        return Markup("")
    left, right = min(x for x, _ in everything), max(x for x, _ in everything)
    x = Scale(left, right, LEFT, WIDTH - RIGHT)
    y = Scale(0.0, max(share for _, share in everything) * 1.06 or 1.0, HEIGHT - BOTTOM, TOP)
    parts = [_axes(x, y, x_name, percent=True)]
    for number, (each, points) in enumerate(drawn):
        steps = [corner for one, two in pairwise(points) for corner in ((one[0], one[1]), (two[0], one[1]))]
        if number == 0 and steps:
            area = [(steps[0][0], 0.0), *steps, (steps[-1][0], 0.0)]
            parts.append(_path(area, x, y, f"area {each.colour}"))
        parts.append(_path(steps, x, y, f"line {each.colour}"))
    if limit is not None and left <= limit <= right:
        parts.append(_mark(x(limit), f"limit {limit:,.0f}"))
    return _svg(parts, name)


def _axes(x: Scale, y: Scale, x_name: str, *, percent: bool = False) -> Markup:
    """Grid lines with their values, and the name of the x axis."""
    parts = []
    heights = ticks(y.low, y.high, 4)
    names = [f"{value * 100:g} %" for value in heights] if percent else tick_names(heights)
    for value, label in zip(heights, names, strict=True):
        parts.append(_line(x.start, y(value), x.end, y(value), "grid"))
        parts.append(_text(x.start - 6, y(value) + 4, label, "end"))
    places = ticks(x.low, x.high, 4)
    if all(value == int(value) for value in (x.low, x.high)):
        places = sorted({value for value in places if value == int(value)}) or [x.low]
    for value, label in zip(places, tick_names(places), strict=True):
        anchor = "end" if x(value) > x.end - 12 and len(places) > 1 else "middle"
        parts.append(_text(x(value) if anchor == "middle" else x.end, y.start + 15, label, anchor))
    parts.append(_line(x.start, y.start, x.end, y.start, "axis"))
    parts.append(_text((x.start + x.end) / 2, y.start + 31, x_name, "middle", "axis-name"))
    return Markup("").join(parts)


def _mark(place: float, label: str) -> Markup:
    """A dashed vertical line; its name stands on the side where there is room."""
    right = place > WIDTH / 2
    text = _text(place - 4 if right else place + 4, TOP + 8, label, "end" if right else "start", "mark-name")
    return _line(place, TOP, place, HEIGHT - BOTTOM, "mark") + text


def _path(points: Sequence[Point], x: Scale, y: Scale, kind: str) -> Markup:
    if len(points) < 2:
        return Markup("")
    places = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)
    return Markup('<polyline class="{}" points="{}"/>').format(kind, places)


def _raw(points: Sequence[Point], x: Scale, y: Scale, series: Series) -> Markup:
    """The values behind a smoothed line: themselves where they are few, else the band that holds them."""
    if len(points) <= MOST_POINTS // 2:
        return _path(points, x, y, f"raw {series.colour}")
    places = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in envelope(points, MOST_POINTS // 4))
    return Markup('<polygon class="band {}" points="{}"/>').format(series.colour, places)


def _dots(points: Sequence[Point], x: Scale, y: Scale, series: Series) -> Markup:
    dot = Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="2.5"><title>{} at {:,g}: {:.4g}</title></circle>')
    return Markup("").join(dot.format(series.colour, x(a), y(b), series.name, a, b) for a, b in points)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(kind, x1, y1, x2, y2)


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(kind, x, y, anchor, text)


def _svg(parts: Iterable[Markup], name: str, height: int = HEIGHT) -> Markup:
    whole = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return whole.format(WIDTH, height, name, Markup("").join(parts))
