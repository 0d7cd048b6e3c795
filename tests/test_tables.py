"""A room's table, its folders and the names of its specs are one and the same."""

from importlib import import_module
from pathlib import Path

import pytest

from sibu.catalog import Catalog, Entry, Spec
from sibu.core.errors import MissingExtra, RecipeError

SOURCE = Path(__file__).parents[1] / "src" / "sibu"
ROOMS = {
    "readers": "READERS",
    "modalities": "MODALITIES",
    "fusions": "FUSIONS",
    "aligners": "ALIGNERS",
    "tasks": "TASKS",
    "methods": "METHODS",
    "heads": "HEADS",
    "decoders": "DECODERS",
    "constraints": "CONSTRAINTS",
    "rewards": "REWARDS",
    "augmenters": "AUGMENTERS",
    "pickers": "PICKERS",
    "desks": "DESKS",
    "scorers": "SCORERS",
    "knowledge": "KNOWLEDGE",
    "trackers": "TRACKERS",
    "reasoners": "REASONERS",
    "extractors": "EXTRACTORS",
}


def catalog(room: str) -> Catalog:
    found: Catalog = getattr(import_module(f"sibu.{room}"), ROOMS[room])
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_folders_and_table_agree(room: str) -> None:
    folders = {path.name for path in (SOURCE / room).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(catalog(room))


@pytest.mark.parametrize("room", ROOMS)
def test_every_part_says_what_it_is(room: str) -> None:
    for name in catalog(room):
        entry = catalog(room)[name]
        assert entry.summary.endswith(".") or ":" in entry.summary or entry.summary, name
        assert entry.spec.__doc__, name
        for option in catalog(room).options(name):
            assert option.help, f"{room}/{name}: the option {option.name} has no docstring"


class _OneSpec(Spec):
    name: str = "one"


def test_a_clash_is_an_error() -> None:
    entry = Entry(_OneSpec, lambda spec: spec)
    with pytest.raises(ValueError, match="two parts are a thing named 'one'"):
        Catalog("thing", entry, entry)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"No method is named 'fulll'. Did you mean 'full'\? Allowed: full"):
        catalog("methods")["fulll"]


def test_a_missing_library_gives_the_pip_line() -> None:
    things = Catalog("thing", Entry(_OneSpec, lambda spec: spec, needs=("no_such_module",), extra="one"))
    with pytest.raises(MissingExtra, match=r"pip install 'sibu\[one\]'"):
        things.of(_OneSpec())
