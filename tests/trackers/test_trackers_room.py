"""What every tracker owes, without its library."""

import json
import logging
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import sibu.catalog
from sibu.core.errors import MissingExtra
from sibu.trackers import TRACKERS
from sibu.trackers._figures import Finite, Names, as_text, flat, in_one_line

from .conftest import FLAT, RECIPE, told

NAMES = ["tensorboard", "wandb", "mlflow"]
LIBRARIES = [
    "tensorboard",
    "wandb",
    "mlflow",
    "sqlalchemy",
    "alembic",
    "torch",
    "tensorflow",
    "numpy",
    "google.protobuf",
]


def test_table():
    assert list(TRACKERS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_part_says_what_it_is(name):
    entry = TRACKERS[name]
    assert entry.summary.endswith(".")
    assert entry.extra == name
    assert name in entry.needs
    assert entry.build.__doc__
    for option in TRACKERS.options(name):
        assert option.help.endswith("."), option.name
        assert option.default is None
        assert "null:" in option.help, option.name


@pytest.mark.parametrize("name", NAMES)
def test_recipe_names_it(name):
    of_recipe = TypeAdapter(TRACKERS.union())
    assert of_recipe.validate_python(name) == TRACKERS[name].spec()
    with pytest.raises(ValidationError, match="extra_forbidden"):
        of_recipe.validate_python({"name": name, "folders": "x"})


def test_pip_extras_exist():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(NAMES) <= set(project["optional-dependencies"])


def test_importing_the_room_imports_no_library():
    code = f"""
import json, sys
from sibu.trackers import TRACKERS
for name in TRACKERS:
    TRACKERS.options(name), TRACKERS[name].doc, TRACKERS[name].spec()
print(json.dumps([name for name in {LIBRARIES!r} if name in sys.modules]))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == []


@pytest.mark.parametrize("name", NAMES)
def test_missing_library_gives_the_pip_line(name, monkeypatch):
    missing = TRACKERS[name].needs[-1]
    monkeypatch.setattr(sibu.catalog, "find_spec", lambda module: None if module == missing else find_spec("json"))
    with pytest.raises(MissingExtra) as raised:
        TRACKERS.of(TRACKERS[name].spec())
    assert str(raised.value) == (
        f"The tracker {name!r} needs the package {missing!r}, which is not installed. "
        f"Install it with: pip install 'sibu[{name}]'"
    )


def test_figures_that_are_no_numbers_are_held_back_and_told(caplog):
    finite = Finite("some")
    given_ = {"loss": float("nan"), "f1": 1, "rate": float("-inf")}
    assert finite(given_) == {"f1": 1.0}
    assert finite({"loss": float("inf")}) == {}
    with caplog.at_level(logging.WARNING, "sibu.trackers"):
        finite.tell()
    assert told(caplog) == ["some: figures that were no finite numbers were not sent: loss (2), rate (1)."]


def test_nothing_is_told_where_nothing_was_held_back(caplog):
    finite = Finite("some")
    finite({"loss": 0.5})
    finite.tell()
    assert not told(caplog)


@given(st.lists(st.text("ab.:", max_size=3)))
def test_two_names_stay_two(names):
    given_name = Names(lambda name: name.replace(":", "_").replace(".", "_"))
    first = {name: given_name(name) for name in names}
    assert len(set(first.values())) == len(first)
    assert {name: given_name(name) for name in names} == first


def test_flat_recipe():
    assert dict(flat(RECIPE)) == FLAT


@pytest.mark.parametrize(
    ("value", "text"),
    [("lora", "lora"), (None, "null"), (True, "true"), (3e-4, "0.0003"), (["药", 1], '["药", 1]'), ({}, "{}")],
)
def test_values_read_as_in_the_recipe(value, text):
    assert as_text(value) == text


def test_a_fault_is_one_sentence():
    assert in_one_line(OSError("no\n  room.")) == "no room."
    assert in_one_line(ValueError()) == "ValueError."
