"""Lines of the table about alignment: clocks by one another, views of the same things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lines import Line, Results, judged


def aligned(results: Results) -> list[Line]:
    """Time and space."""
    return [*_time(results.get("time-alignment")), *_points(results.get("space-alignment"))]


def _time(found: Mapping[str, Any] | None) -> list[Line]:
    bar = "offset within 10 ms and drift within 20 ppm on ≥ 95 %"
    title = "Time alignment, two recordings of the same speech shifted by −2 … +2 s, drift to 500 ppm, noise in both"
    if found is None:
        return [Line(title, bar, plain="—", published="—")]
    lines = []
    for name in found["bar"]:
        own = found["settings"][name]
        lines.append(Line(f"{title}: {name}", bar, _clock(own), "—", "—", judged(own["right"] >= 0.95)))
    beside = [name for name in found["settings"] if name not in found["bar"] and "nothing" not in name]
    said = "; ".join(f"{name}: {100 * found['settings'][name]['right']:.0f} %" for name in beside)
    lines.append(Line("Time alignment, the same bar elsewhere", "stated", said, "—", "—", "stated"))
    nothing = [each for name, each in found["settings"].items() if "nothing" in name]
    right = [found["settings"][name]["quality"] for name in found["bar"]]
    passed = sum(each["passed"] * each["cases"] for each in nothing)
    said = f"{100 * passed / sum(each['cases'] for each in nothing):.0f} % of streams with nothing in common pass, "
    said += f"at least {min(each['0'] for each in right):.2f} under the bar's noise"
    return [*lines, Line("Time alignment, what the quality says", "stated", said, "—", "—", "stated")]


def _clock(own: Mapping[str, Any]) -> str:
    said = f"{100 * own['right']:.0f} % of {own['cases']}; off by {own['offset_milliseconds']['95']:.2f} ms and "
    return said + f"{own['drift_ppm']['95']:.1f} ppm (95th in a hundred)"


def _points(found: Mapping[str, Any] | None) -> list[Line]:
    bar = "wrong pairs 40 %: right ones found, error < 2 pixels"
    title = "Space alignment, known homographies from 100 pairs of points"
    if found is None:
        return [Line(title, bar, plain="—", published="—")]
    lines = []
    for outliers, own in found["points"].items():
        good = own["below_2_pixels"] >= 0.99 and own["found"] >= 0.99
        said = (
            f"{100 * own['found']:.1f} % of right pairs found, {100 * own['below_2_pixels']:.1f} % of {own['cases']} "
        )
        said += f"maps below 2 pixels; error {own['error']['50']:.2f} pixels ({own['error']['95']:.2f} the 95th in a "
        said += f"hundred), {own['rounds']['50']:.0f} samples"
        measure = f"{title}, {100 * float(outliers):.0f} % wrong, noise {found['noise']} pixels"
        asked = bar if outliers == "0.4" else "stated"
        lines.append(Line(measure, asked, said, "—", "—", judged(good) if outliers == "0.4" else "stated"))
    for name, own in found["pictures"].items():
        said = f"{100 * own['below_2_pixels']:.0f} % of {own['cases']} below 2 pixels, "
        said += f"{100 * own['refused']:.0f} % refused, {100 * own['wrong']:.0f} % wrong"
        lines.append(Line(f"NLVR pictures without landmarks, {name}", "stated", said, "—", "—", "stated"))
    own = found["strangers"]
    said = f"{100 * own['registered']:.0f} % of {own['cases']} registered all the same"
    return [*lines, Line("NLVR pictures that have nothing in common", "stated", said, "—", "—", "stated")]
