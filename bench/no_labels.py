"""Zero-shot on AG News: labels by their words alone, with the ensemble of templates and with each template by itself.

    python bench/no_labels.py DATA [--work DIR] [--results DIR]

bench/recipes/no-labels.yaml through the command line; nothing is trained and nothing chosen by these figures. One JSON:
``no-labels.json``.
"""

from __future__ import annotations

import json
import sys

import measure
import run

from sibu.nn.labels import ENGLISH


def main() -> None:
    """Measure the ensemble and each template."""
    given = measure.options(__doc__ or "").parse_args()
    place = run.prepared(given.data, given.work)
    found = {}
    for templates in (None, *([each] for each in ENGLISH)):
        shown = "ensemble" if templates is None else templates[0]
        own = {"name": "labels"} | ({} if templates is None else {"templates": templates})
        told = run.run("no-labels", place, given.work, [f"tasks.topic.head={json.dumps(own)}"])
        found[shown] = told["metrics"]["topic"]["test"]
        print(shown, found[shown]["accuracy"]["value"], file=sys.stderr)
    measure.keep(
        {
            "name": "no-labels",
            "command": "python bench/no_labels.py DATA",
            "what": "accuracy without a labelled row, by the ensemble of templates and by each alone",
            "scores": found,
            **measure.facts([place / "agnews" / "test.jsonl"]),
        },
        given.results,
    )


if __name__ == "__main__":
    main()
