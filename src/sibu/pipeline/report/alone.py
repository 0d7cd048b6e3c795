"""A chart as a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from markupsafe import Markup

from sibu.pipeline.report.charts import Series, lines

_PAGE = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{css}</style></head>'
    "<body><main><h1>{title}</h1><figure>{chart}<figcaption>{names}</figcaption></figure></main></body></html>\n"
)
_NAME = Markup('<span class="{}" style="color: var(--c)">&#9679;</span> {} ')


def chart_page(series: Sequence[Series], *, title: str, x_name: str, mark: tuple[float, str] | None = None) -> str:
    """Lines with their names, in one HTML file that needs nothing else.

    Args:
        series: The lines.
        title: Of the page.
        x_name: What the x axis is.
        mark: A vertical line at x with its name.
    """
    css = (resources.files("sibu.pipeline.report") / "page.css").read_text(encoding="utf-8")
    names = Markup("").join(_NAME.format(each.colour, each.name) for each in series)
    chart = lines(series, name=title, x_name=x_name, mark=mark)
    return str(_PAGE.format(title=title, css=Markup(css), chart=chart, names=names))
