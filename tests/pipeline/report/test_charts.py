"""Charts draw what they are given, and nothing where there is nothing."""

import re
from math import inf, nan

import pytest

from sibu.pipeline.report.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MOST_POINTS,
    RIGHT,
    TOP,
    WIDTH,
    Interval,
    Scale,
    Series,
    bounds,
    envelope,
    finite,
    fit,
    histogram,
    intervals,
    lines,
    smooth,
    thin,
    tick_names,
    ticks,
)


def polylines(svg, kind="line"):
    found = re.findall(rf'<polyline class="{kind} tone\d" points="([^"]*)"/>', svg)
    return [[tuple(map(float, pair.split(","))) for pair in points.split()] for points in found]


# ---- numbers --------------------------------------------------------------------------------------------------------


def test_points_that_are_no_numbers_are_left_out():
    assert finite([(1, 2), (None, 1), (2, None), (3, nan), (inf, 1), (4, 0.5)]) == [(1, 2), (4, 0.5)]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 3e-4, [0.0, 1e-4, 2e-4, 3e-4]),
        (12, 4031, [1000.0, 2000.0, 3000.0, 4000.0]),
        (-0.3, 0.2, [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2]),
        (5, 5, [5]),
        (5, 4, [5]),
    ],
)
def test_ticks_are_round_numbers_inside(low, high, expected):
    assert ticks(low, high) == expected


def test_ticks_never_leave_their_range():
    for low, high in ((0.1, 0.73), (-7.0, 1234.5), (1e-9, 2e-9), (99.5, 100.5)):
        found = ticks(low, high)
        assert 1 <= len(found) <= 6
        assert all(low - 1e-9 <= value <= high + 1e-9 for value in found)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]),
        ([0.88, 0.9], ["0.88", "0.90"]),
        ([1000.0, 2000.0], ["1,000", "2,000"]),
        ([-0.1, 0.0], ["−0.1", "0.0"]),
        ([0.0, 1e-4], ["0", "1e−4"]),
        ([5.0], ["5"]),
        ([0.0], ["0"]),
        ([], []),
    ],
)
def test_ticks_are_named_with_as_many_decimals_as_they_need(values, expected):
    assert tick_names(values) == expected


def test_thinning_keeps_ends_and_peaks():
    points = [(float(x), 0.0) for x in range(10_000)]
    points[4321] = (4321.0, 9.0)
    points[1234] = (1234.0, -9.0)
    kept = thin(points)
    assert len(kept) <= MOST_POINTS
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert {points[4321], points[1234]} <= set(kept)
    assert kept == sorted(kept)


def test_few_points_are_not_thinned():
    points = [(float(x), float(x % 3)) for x in range(MOST_POINTS)]
    assert thin(points) == points
    assert thin([]) == []


def test_smoothing_starts_at_the_first_value_and_forgets():
    assert smooth([4.0, 4.0, 4.0], 10) == pytest.approx([4.0, 4.0, 4.0])
    assert smooth([1.0, 3.0], 2) == pytest.approx([1.0, (0.25 * 1 + 0.5 * 3) / 0.75])
    assert smooth([1.0, 2.0, 5.0], 1) == [1.0, 2.0, 5.0]
    assert smooth([], 5) == []


def test_an_envelope_holds_every_point():
    points = [(float(x), float((x * 37) % 11)) for x in range(100)]
    outline = envelope(points, 10)
    assert len(outline) == 20
    assert max(y for _, y in outline[:10]) == 10
    assert min(y for _, y in outline[10:]) == 0
    assert [x for x, _ in outline[:10]] == [x for x, _ in reversed(outline[10:])]


def test_bounds_make_room_around_equal_values():
    assert bounds([2.0, 2.0]) == pytest.approx((1.9, 2.1))
    assert bounds([0.0]) == (-0.5, 0.5)
    low, high = bounds([0.9, 0.9], at_least=0.06)
    assert (low, high) == pytest.approx((0.87, 0.93))


def test_a_scale_keeps_to_its_ends_and_puts_equal_values_in_the_middle():
    scale = Scale(0.0, 10.0, 100.0, 200.0)
    assert [scale(value) for value in (-5, 0, 5, 10, 50)] == [100, 100, 150, 200, 200]
    assert Scale(3.0, 3.0, 100.0, 200.0)(3.0) == 150


def test_text_is_cut_to_its_width():
    assert fit("dev", 88) == "dev"
    assert fit("a very long name of a split", 60).endswith("…")
    assert fit("影碟影碟影碟", 33) == "影碟…"
    assert fit("影", 1) == "影…"


# ---- lines ----------------------------------------------------------------------------------------------------------


def test_a_line_runs_from_corner_to_corner():
    svg = lines([Series("loss", [(0, 0.0), (10, 1.0)])], name="loss", low=0.0)
    ((x1, y1), (x2, y2)) = polylines(svg)[0]
    assert (x1, y1) == (LEFT, HEIGHT - BOTTOM)
    assert x2 == WIDTH - RIGHT
    assert TOP < y2 < TOP + 12  # a little air above


@pytest.mark.parametrize("points", [[], [(1, nan)], [(None, 1.0)], [(1, None), (2, inf)]])
def test_nothing_to_draw_is_no_chart(points):
    assert lines([Series("loss", points)], name="loss") == ""
    assert histogram([Series("train", points)], name="n", x_name="x") == ""
    assert lines([], name="loss") == ""


def test_one_point_is_a_dot_in_the_middle():
    svg = lines([Series("accuracy", [(5, 0.5)])], name="dev")
    assert polylines(svg) == []
    assert 'cx="198.0"' in svg
    assert "accuracy at 5: 0.5" in svg


def test_equal_values_are_a_level_line():
    svg = lines([Series("accuracy", [(1, 0.5), (2, 0.5), (3, 0.5)])], name="dev")
    assert len({y for _, y in polylines(svg)[0]}) == 1


def test_holes_in_a_series_are_bridged():
    svg = lines([Series("loss", [(1, 1.0), (2, nan), (3, None), (4, 0.5)])], name="loss")
    assert len(polylines(svg)[0]) == 2


def test_long_series_are_thinned_and_their_raw_values_become_a_band():
    points = [(float(x), 1.0 + x % 7) for x in range(50_000)]
    svg = lines([Series("loss", points, 0, points)], name="loss")
    assert len(polylines(svg)[0]) <= MOST_POINTS
    assert '<polygon class="band tone0"' in svg
    assert len(svg) < 25_000


def test_short_raw_values_are_drawn_themselves_and_spikes_do_not_squash_the_line():
    raw = [(float(x), 1.0) for x in range(100)]
    raw[50] = (50.0, 1000.0)
    svg = lines([Series("loss", [(0, 1.0), (99, 2.0)], 0, raw)], name="loss")
    assert len(polylines(svg, "raw")[0]) == 100
    (_, low), (_, high) = polylines(svg)[0]
    assert low - high > 100


def test_a_mark_outside_the_axis_is_left_out():
    series = [Series("loss", [(0, 0.0), (10, 1.0)])]
    assert "best" in lines(series, name="loss", mark=(5, "best"))
    assert "best" not in lines(series, name="loss", mark=(50, "best"))


def test_steps_are_whole_numbers_on_the_axis():
    svg = lines([Series("accuracy", [(1, 0.1), (2, 0.2)])], name="dev")
    assert re.findall(r'y="187\.0" text-anchor="[a-z]+">([^<]*)<', svg) == ["1", "2"]


def test_names_are_escaped():
    svg = lines([Series("</title><script>", [(1, 0.1)])], name='"><img src=x>')
    assert "<script" not in svg
    assert "<img" not in svg


# ---- intervals ------------------------------------------------------------------------------------------------------


def test_an_interval_spans_its_ends():
    svg = intervals([Interval("test", 0.5, 0.0, 1.0, strong=True)], name="f1", inside=(0.0, 1.0))
    assert 'class="whisker strong" x1="96.0" x2="308.0"' in svg
    assert 'cx="202.0"' in svg
    assert "test: 0.5000, 95 % interval 0.0000 to 1.0000" in svg


def test_intervals_leave_out_what_is_no_number():
    assert intervals([Interval("test", nan, 0.0, 1.0)], name="f1") == ""
    assert intervals([], name="f1") == ""
    svg = intervals([Interval("a", 0.5, 0.5, 0.5), Interval("b", nan, nan, nan)], name="f1", limits=[nan])
    assert svg.count("<circle") == 1
    assert 'class="limit"' not in svg


def test_a_limit_widens_the_axis():
    svg = intervals([Interval("test", 0.5, 0.48, 0.52)], name="f1", limits=[0.9])
    place = float(re.search(r'class="limit" x1="([\d.]+)"', svg).group(1))
    assert 250 < place < 308


def test_a_chart_of_intervals_grows_with_its_rows():
    svg = intervals([Interval(str(n), 0.5, 0.4, 0.6) for n in range(5)], name="f1")
    assert f'viewBox="0 0 {WIDTH} 136"' in svg


# ---- histogram ------------------------------------------------------------------------------------------------------


def test_a_histogram_steps_from_bin_to_bin():
    svg = histogram([Series("train", [(0, 0.25), (10, 0.75), (20, 0.0)])], name="n", x_name="x")
    places = polylines(svg)[0]
    middle = (LEFT + WIDTH - RIGHT) / 2
    assert [x for x, _ in places] == [LEFT, middle, middle, WIDTH - RIGHT]
    heights = [HEIGHT - BOTTOM - y for _, y in places]
    assert heights[0] == heights[1]
    assert heights[2] == pytest.approx(3 * heights[0], abs=0.3)


def test_only_the_first_split_is_filled_and_the_limit_is_named():
    series = [Series(name, [(0, 0.5), (10, 0.5), (20, 0)], tone) for tone, name in enumerate(("train", "test"))]
    svg = histogram(series, name="n", x_name="x", limit=16)
    assert svg.count('class="area') == 1
    assert "limit 16" in svg
    assert "limit" not in histogram(series, name="n", x_name="x", limit=256)
