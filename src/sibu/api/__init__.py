"""F6, the public verbs: plain functions that Python users and the command line call alike."""

from sibu.api.answering import (
    Predictor,
    columns_read,
    evaluate,
    fields_of,
    find_partners,
    listen,
    live,
    load,
    predict_records,
    read_inputs,
)
from sibu.api.labelling import ask_labels, label, simulate_labels, take_labels
from sibu.api.running import Checked, RecipeLike, align, check, find_rate, load_recipe, run, search, search_worker
from sibu.api.showing import parts, show

__all__ = [
    "Checked",
    "Predictor",
    "RecipeLike",
    "align",
    "ask_labels",
    "check",
    "columns_read",
    "evaluate",
    "fields_of",
    "find_partners",
    "find_rate",
    "label",
    "listen",
    "live",
    "load",
    "load_recipe",
    "parts",
    "predict_records",
    "read_inputs",
    "run",
    "search",
    "search_worker",
    "show",
    "simulate_labels",
    "take_labels",
]
