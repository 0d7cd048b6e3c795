"""Sibu (四步): from a pretrained model, a team's data and its knowledge to a system that the team can trust.

The floors, from the top; imports only fall:

- F8 ``cli``      one file a command
- F6 ``api kb``   the public verbs, plain functions: of models, and of knowledge
- F5 ``pipeline`` recipe to bundle: data gate, assembly, stages, record, report
     ``curation`` what documents say, what follows from a knowledge base, what must not be in it, and what it lacks
- F4 ``recipe``   the schema of a recipe, reading it, filling it
- F3 rooms        ``readers modalities aligners fusions tasks methods heads decoders constraints rewards augmenters
                  pickers desks scorers knowledge reasoners extractors trackers``: blind
- F2              ``nn train metrics store models media align logic graph phrases checker catalog``
- F1 ``core``     the vocabulary

``import sibu`` imports no torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sibu import kb
    from sibu.api import (
        Predictor,
        ask_labels,
        check,
        evaluate,
        find_rate,
        label,
        listen,
        live,
        load,
        run,
        search,
        show,
        simulate_labels,
        take_labels,
    )
    from sibu.kb.asking import ask
    from sibu.recipe.schema import Recipe

__version__ = "0.1.0"
__all__ = [
    "Predictor",
    "Recipe",
    "ask",
    "ask_labels",
    "check",
    "evaluate",
    "find_rate",
    "kb",
    "label",
    "listen",
    "live",
    "load",
    "run",
    "search",
    "show",
    "simulate_labels",
    "take_labels",
]

_HOMES = {"Recipe": "sibu.recipe.schema", "ask": "sibu.kb.asking"}


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that ``import sibu`` stays instant."""
    if name in __all__:
        from importlib import import_module

        if name == "kb":
            return import_module("sibu.kb")
        return getattr(import_module(_HOMES.get(name, "sibu.api")), name)
    raise AttributeError(f"module 'sibu' has no attribute {name!r}")
