"""Reading recipes: every fault at once, each with its place, what was given, what is allowed, what to do."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from sibu.augmenters import AUGMENTERS
from sibu.constraints import CONSTRAINTS
from sibu.core.errors import RecipeError
from sibu.decoders import DECODERS
from sibu.heads import HEADS
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.models.spec import NewModel
from sibu.readers import READERS
from sibu.recipe import yaml
from sibu.recipe.fill import as_written, settle, settle_epochs
from sibu.recipe.load import _frozen, load_recipe, validate
from sibu.recipe.schema import (
    Condition,
    Consistency,
    DataBlock,
    Range,
    Recipe,
    Rule,
    Search,
    SelfTraining,
    TaskBlock,
    Teacher,
)
from sibu.rewards import REWARDS
from sibu.tasks import TASKS
from sibu.tasks.classify import ClozeSpec, EntailedSpec
from sibu.trackers import TRACKERS
from sibu.train.spec import ReptileSpec, TrainSpec

GOOD = """\
name: notes
model: minilm
tasks:
  intent:
    type: classify
    data: {train: a.jsonl, test: b.jsonl}
method: {name: lora, rank: 4}
train: {epochs: 2, learning_rate: 3e-4}
"""


def faults(text: str, tmp_path: Path, *overrides: str) -> list[str]:
    file = tmp_path / "recipe.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(file, overrides)
    return [str(fault).replace(str(file), "recipe.yaml") for fault in caught.value.faults]


def test_a_good_recipe(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(GOOD, encoding="utf-8")
    recipe = load_recipe(file).recipe
    assert recipe.train.learning_rate == 3e-4
    assert recipe.method.rank == 4


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = GOOD.replace("epochs: 2", "epoch: 2").replace("lora", "lorra").replace("type: classify", "type: clasify")
    text += "modle: x\n"
    assert faults(text, tmp_path) == [
        "recipe.yaml:5 tasks.intent.type: no task type is named 'clasify'. Did you mean 'classify'? "
        "Allowed: " + ", ".join(TASKS) + ".",
        "recipe.yaml:7 method.name: no method is named 'lorra'. Did you mean 'lora'? Allowed: "
        + ", ".join(METHODS)
        + ".",
        "recipe.yaml:8 train.epoch: no such key. Did you mean 'epochs'? Allowed: " + ", ".join(_train_keys()) + ".",
        "recipe.yaml:9 modle: no such key. Did you mean 'model'? Allowed: " + ", ".join(Recipe.model_fields) + ".",
    ]


def _train_keys() -> list[str]:
    from sibu.train.spec import TrainSpec

    return list(TrainSpec.model_fields)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("epochs: 2", "epochs: two"), 'recipe.yaml:8 train.epochs: should be a valid integer, given "two".'),
        (("epochs: 2", "epochs: -1"), "recipe.yaml:8 train.epochs: should be greater than or equal to 0, given -1."),
        (("epochs: 2", "epochs: true"), "recipe.yaml:8 train.epochs: should be a valid integer, given true."),
        (("rank: 4", "rank: 1.5"), "recipe.yaml:7 method.rank: should be a valid integer, given 1.5."),
        (("rank: 4", "ranks: 4"), "recipe.yaml:7 method.ranks: no such key. Did you mean 'rank'? Allowed: name, rank"),
        (("model: minilm\n", ""), "recipe.yaml:1 model: is missing. Add it."),
        (("type: classify", "typ: classify"), "recipe.yaml:4 tasks.intent.type: is missing: which task type?"),
        (
            ("train: a.jsonl, ", ""),
            "recipe.yaml:6 tasks.intent.data.train: is missing. Add it; or say `train.epochs: 0`",
        ),
        (
            ("type: classify", "type: classify\n    treshold: 0.4"),
            "tasks.intent.treshold: no such key. Did you mean 'thr",
        ),
        (("name: notes", "name: notes\nname: other"), "recipe.yaml:2 name: this key already stands in line 1."),
        (("name: notes", "name: [notes"), "not valid YAML"),
        (("name: notes", "release: {intent.f: {}}\nname: notes"), "release.intent.f: sets no bound. Give at_least"),
        (
            ("name: notes", "release: {other.f1: {at_least: 1}}\nname: notes"),
            "release.other.f1: names no task's metric",
        ),
        (("epochs: 2", "stop_on: f1"), "train.stop_on: 'f1' names no task's metric. Allowed: mean, intent.<metric>."),
        (("test: b.jsonl", "test: {dev: b.jsonl}"), "data.test.dev: a test file cannot have this name. Rename it."),
        (
            ("type: classify", "type: classify\n    class_weights: balancd"),
            "tasks.intent.class_weights: should be 'none' or 'balanced', or must be a mapping (`key: value`), given",
        ),
        (
            ("type: classify", "type: regress\n    bounds: [3, 0]"),
            "tasks.intent.bounds: the first bound must be less than the second, given [3, 0].",
        ),
        (
            ("type: classify", "type: classify\n    entailed: yes"),
            'tasks.intent.entailed: must be true, false or a mapping (`key: value`), given "yes".',
        ),
        (
            ("rank: 4", "targets: []"),
            "method.targets: must not be empty, given [].",
        ),
        (("name: notes", "name: a/b"), "recipe.yaml:1 name: may have letters, digits, '-', '_' and blanks"),
        (("name: notes", "modalities: []\nname: notes"), "recipe.yaml:1 modalities: must not be empty, given []."),
        (("name: notes", "track: mlflow\nname: notes"), 'recipe.yaml:1 track: must be a list, given "mlflow".'),
        (
            ("name: notes", "release: {intent.f1: 3}\nname: notes"),
            "release.intent.f1: must be a mapping",
        ),
        (
            ("name: notes", "release: {intent.f1: {at_least: .8, at_most: .2}}\nname: notes"),
            "release.intent.f1: at_least lies above at_most: nothing meets both. Mend one of them.",
        ),
        (
            ("name: notes", "release: {intent.f1: {at_least: .nan}}\nname: notes"),
            "be a finite number, given NaN.",
        ),
        (
            ("epochs: 2", "head_learning_rate: .inf"),
            "head_learning_rate: should be a finite number, given Infinity.",
        ),
        (("type: classify", "type: classify\n    labels: [a, b, a]"), "tasks.intent.labels: names 'a' twice"),
        (("type: classify", "type: classify\n    labels: [a, '']"), "tasks.intent.labels: names an empty label"),
        (
            ("type: classify", "type: relate\n    labels: [in, Other]\n    none_label: Other"),
            "`labels` names 'Other' too, which is `none_label`: leave it out of one of the two",
        ),
        (("  intent:", "  in.tent:"), "tasks.in.tent: may have letters, digits"),
        (
            ("test: b.jsonl", "test: []"),
            "data.test: must not be empty, given [].",
        ),
        (("test: b.jsonl", "test: b.jsonl, in_domain: b"), "data.in_domain: needs several test files by name."),
    ],
)
def test_messages(change: tuple[str, str], told: str, tmp_path: Path) -> None:
    (found,) = faults(GOOD.replace(*change), tmp_path)
    assert told in found


BLANK = "a template has one `{}` where the label's words go, and no other braces"
ONCE = [
    ("tasks.intent.entailed={templates: [no hole]}", ["entailed.templates.0: " + BLANK + ', given "no hole".']),
    ("tasks.intent.head={name: labels, templates: [no hole]}", ["head.templates.0: " + BLANK + ', given "no hole".']),
    (
        "tasks.intent.descriptions={a: [''], b: '', c: [], d: 3, e: [fine, 4]}",
        [
            'descriptions.a.0: must not be empty, given "".',
            'descriptions.b: must not be empty, given "".',
            "descriptions.c: must not be empty, given [].",
            "descriptions.d: must be a text, or must be a list, given 3.",
            "descriptions.e.1: must be a text, given 4.",
        ],
    ),
    ("tasks.intent.data.train=[3, a.jsonl]", ["data.train.0: must be a text, given 3."]),
    ("tasks.intent.data.test={one: 3}", ["data.test.one: must be a text, given 3."]),
    ("tasks.intent.data.test={1: a.jsonl}", ['data.test.1: a key must be a text, given 1. Quote it: "1".']),
    (
        "tasks.intent.descriptions={1: 3}",
        [
            'descriptions.1: a key must be a text, given 1. Quote it: "1".',
            "descriptions.1: must be a text, or must be a list, given 3.",
        ],
    ),
    (
        "tasks.intent.data.rules=[{label: a, words: ['', pay]}]",
        ['data.rules.0.words.0: must not be empty, given "".'],
    ),
    (
        "tasks.intent.data.augment=[{name: swap, share: much}]",
        ['data.augment.0.share: should be a valid number, given "much".'],
    ),
    ("tasks.intent.data.augment={name: swap, shares: 1}", ["data.augment.shares: no such key. Did you mean 'share'? "]),
    ("tasks.intent.class_weights={a: much}", ['class_weights.a: should be a valid number, given "much".']),
    (
        "tasks.intent.reader={name: csv, header: [a, a]}",
        ["reader.header: column names are distinct and not empty, given ['a', 'a']."],
    ),
    ("method.targets=[3]", ["method.targets.0: must be a text, given 3."]),
    ("modalities=[{name: text, shapes: x}]", ['modalities.0.shapes: must be true or false, given "x".']),
    ("search={space: {train.epochs: {low: 3}}}", ["search.space.train.epochs.high: is missing. Add it."]),
    (
        "search={space: {train.epochs: {low: 3, high: 2}}}",
        ["search.space.train.epochs: `low` must be less than `high`, given 3 and 2."],
    ),
]


@pytest.mark.parametrize(("override", "told"), ONCE, ids=[each[0] for each in ONCE])
def test_each_fault_is_told_once(override: str, told: list[str], tmp_path: Path) -> None:
    found = faults(GOOD, tmp_path, override)
    assert len(found) == len(told)
    for one, said in zip(found, told, strict=True):
        assert one.removeprefix("recipe.yaml, the override ").removeprefix("tasks.intent.").startswith(said)


def test_faults_within_lists_have_the_line_of_their_item(tmp_path: Path) -> None:
    more = """\
    entailed:
      templates:
        - a text about {}
        - no hole
    descriptions:
      billing: [money, 4]
      1: what else
"""
    text = GOOD.replace("method:", more + "method:") + "search:\n  space:\n    train.epochs:\n      low: 3\n"
    assert faults(text, tmp_path) == [
        "recipe.yaml:12 tasks.intent.descriptions.billing.1: must be a text, given 4.",
        'recipe.yaml:13 tasks.intent.descriptions.1: a key must be a text, given 1. Quote it: "1".',
        f'recipe.yaml:10 tasks.intent.entailed.templates.1: {BLANK}, given "no hole".',
        "recipe.yaml:18 search.space.train.epochs.high: is missing. Add it.",
    ]


def test_an_override_within_a_list_is_told_as_one(tmp_path: Path) -> None:
    text = GOOD + "modalities: [{name: text, shapes: true}]\n"
    (found,) = faults(text, tmp_path, "modalities.0.shapes=x")
    assert found == 'recipe.yaml, the override modalities.0.shapes: must be true or false, given "x".'


# ---- any value at any key -------------------------------------------------------------------------------------------

IT = ("tasks", "it")
PLACES: list[tuple[yaml.Path, dict, type[BaseModel]]] = [
    ((), {}, Recipe),
    (("model",), {"new": "causal"}, NewModel),
    (IT, {}, TaskBlock),
    ((*IT, "data"), {"train": "a.jsonl"}, DataBlock),
    ((*IT, "data", "rules", 0), {"label": "a", "words": ["x"]}, Rule),
    ((*IT, "teacher"), {"bundle": "b"}, Teacher),
    ((*IT, "consistency"), {}, Consistency),
    ((*IT, "entailed"), {}, EntailedSpec),
    ((*IT, "cloze"), {"pattern": "{text} {mask}"}, ClozeSpec),
    (("train",), {}, TrainSpec),
    (("train", "reptile"), {}, ReptileSpec),
    (("self_training",), {}, SelfTraining),
    (("search",), {"space": {"train.epochs": [1]}}, Search),
    (("search", "space", "train.epochs"), {"low": 1, "high": 2}, Range),
    (("release", "it.accuracy"), {"at_least": 1}, Condition),
    *((IT, {"type": name}, TASKS[name].spec) for name in TASKS),
    *((("method",), {"name": name}, METHODS[name].spec) for name in METHODS),
    *(((*IT, "head"), {"name": name}, HEADS[name].spec) for name in HEADS),
    *(((*IT, "reader"), {"name": name}, READERS[name].spec) for name in READERS),
    *(((*IT, "decoding"), {"name": name}, DECODERS[name].spec) for name in DECODERS),
    *(((*IT, "constrain"), {"name": name}, CONSTRAINTS[name].spec) for name in CONSTRAINTS),
    *(((*IT, "reward", 0), {"name": name}, REWARDS[name].spec) for name in REWARDS),
    *(((*IT, "data", "augment", 0), {"name": name}, AUGMENTERS[name].spec) for name in AUGMENTERS),
    *((("track", 0), {"name": name}, TRACKERS[name].spec) for name in TRACKERS),
    *((("modalities", 0), {"name": name}, MODALITIES[name].spec) for name in MODALITIES),
]
KEYS = [(path, block, key) for path, block, model in PLACES for key in model.model_fields if key != "task"]
PLAIN = (
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats(-2, 2) | st.sampled_from(["", "x", "a b", "no {", "{}"])
)
JUNK = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "low", "x y", "", "?"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FOREIGN = re.compile(r"constrained|function-|[Tt]uple|literal\[|dict\[|String|Dictionary|type=")
"""What pydantic says of types in its own words."""


def put(value: Any, path: yaml.Path, what: Any) -> Any:
    """The value with something else at a path; mappings and lists of one item are made on the way."""
    if not path:
        return what
    part, *rest = path
    if part == 0:
        before = value[0] if isinstance(value, list) and value else None
        return [put(before, tuple(rest), what)]
    before = value if isinstance(value, dict) else {}
    return before | {part: put(before.get(part), tuple(rest), what)}


def places(value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The dotted path of all that stands in a recipe."""
    yield ".".join(path)
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in within:
        yield from places(part, (*path, str(key)))


@settings(max_examples=400, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(KEYS), JUNK), min_size=1, max_size=3))
def test_whatever_a_recipe_says_its_faults_are_told_once_by_the_keys_that_it_has(changes: list) -> None:
    value = put({"name": "x", "model": "minilm"}, IT, {"type": "classify", "data": {"train": "a.jsonl"}})
    for (path, block, key), junk in changes:
        for name, part in (block | {key: junk}).items():
            value = put(value, (*path, name), part)
    with contextlib.suppress(ValidationError):
        Recipe.model_validate(_frozen(value), strict=True)
        return  # what its keys say of one another may be several things of one
    with pytest.raises(RecipeError) as caught:
        validate(value, "x", {})
    known = set(places(value))
    told = [(str(fault.where).partition(" ")[2], fault.message) for fault in caught.value.faults]
    assert len(set(told)) == len(told)
    for where, message in told:
        assert where in known or ("is missing" in message and where.rpartition(".")[0] in known)
        assert not FOREIGN.search(message.partition(", given ")[0])
        assert message.count(", given ") < 2
    of_values = [where for where, message in told if "may have letters" not in message]  # those are of keys themselves
    for where in of_values:
        if where != "tasks.it":  # where two options of a task's type do not go together
            assert [other for other in of_values if f"{other}.".startswith(f"{where}.")] == [where]


def test_labels_may_be_numbers_as_in_the_data(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(GOOD.replace("type: classify", "type: classify\n    labels: [0, 1, true]"))
    assert load_recipe(file).recipe.tasks["intent"].task.labels == ("0", "1", "true")  # type: ignore[attr-defined]


def test_overrides_are_part_of_the_recipe(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(GOOD.replace("{name: lora, rank: 4}", "full"), encoding="utf-8")
    overrides = ["train.epochs=7", "method.layer_decay=0.9", "tasks.intent.label_smoothing=0.1", "model=me5"]
    recipe = load_recipe(file, overrides).recipe
    assert (recipe.train.epochs, recipe.method.layer_decay, recipe.model) == (7, 0.9, "me5")
    assert recipe.tasks["intent"].task.label_smoothing == 0.1


@pytest.mark.parametrize(
    ("override", "condition"),
    [
        ("release.intent.accuracy.at_least=0.5", {"intent.accuracy": (0.5, None)}),
        ("release.intent.accuracy={at_most: 1}", {"intent.accuracy": (None, 1.0)}),
        ("release.intent.test.macro_f1.at_least=0.2", {"intent.test.macro_f1": (0.2, None)}),
    ],
)
def test_a_release_condition_is_set_by_an_override(override: str, condition: dict, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(GOOD)
    release = load_recipe(file, [override]).recipe.release
    assert {name: (bound.at_least, bound.at_most) for name, bound in release.items()} == condition


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("train.epochs", "'train.epochs' is no override; give KEY=VALUE"),
        ("train.epoch=3", "recipe.yaml, the override train.epoch: no such key. Did you mean 'epochs'?"),
        ("train={epochs: two}", "recipe.yaml, the override train.epochs: should be a valid integer, given"),
        ("epochs=3", "the override epochs: no such key. Did you mean 'train.epochs'? Allowed: "),
        ("fields={text: x}", "the override fields: no such key. Did you mean 'tasks.intent.fields'? "),
        ("tasks.intent.data.fields={text: x}", "data.fields: no such key. Did you mean 'tasks.intent.fields'? "),
        ("tasks.intent.shots=8", "tasks.intent.shots: no such key. Did you mean 'tasks.intent.data.shots'? "),
        ("train.model=minilm", "train.model: no such key. Did you mean 'model', at the top of the recipe? "),
        ("name.x=3", "'name.x=3': name holds 'notes', which has no keys."),
    ],
)
def test_faulty_overrides(override: str, told: str, tmp_path: Path) -> None:
    (found,) = faults(GOOD, tmp_path, override)
    assert told in found


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(GOOD)
    with pytest.raises(RecipeError, match=r"No recipe at .*recip.yaml\. Did you mean 'recipe.yaml'\?"):
        load_recipe(tmp_path / "recip.yaml")
    with pytest.raises(RecipeError, match="is a folder; give the recipe's file"):
        load_recipe(tmp_path)
    (tmp_path / "gb.yaml").write_bytes("name: 诊所".encode("gb18030"))
    with pytest.raises(RecipeError, match=r"is not UTF-8 \(byte 6\)\. Save it as UTF-8"):
        load_recipe(tmp_path / "gb.yaml")


def test_yaml_words_mean_what_they_say() -> None:
    value, lines = yaml.parse("a: no\nb: 3e-4\nc: 2024-01-01\nd: true\ne: [1, .5, ~]\n", "x")
    assert value == {"a": "no", "b": 3e-4, "c": "2024-01-01", "d": True, "e": [1, 0.5, None]}
    assert lines["e", 1] == 5


NAMES = st.text("abcxyz临床é-_", min_size=1, max_size=8).filter(lambda name: name[0] not in "-")


TRICKY = [
    "3e-4",
    "1.",
    "0o7",
    "no",
    "true",
    "null",
    "~",
    "",
    "2024-01-01",
    "a: b",
    "# x",
    "\x85",
    "\u2028x",
    "\ufeff",
    " y ",
]


def test_labels_that_look_like_something_else_stay_texts() -> None:
    assert yaml.parse(yaml.dump({"labels": TRICKY}), "x")[0] == {"labels": TRICKY}


@settings(max_examples=200, deadline=None)
@example(name="x", labels=["\x85", "3e-4"], method={"name": "full"}, epochs=1, rate=1.0, test=None)
@given(
    name=NAMES,
    labels=st.none() | st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=4, unique=True),
    method=st.sampled_from([{"name": name} for name in METHODS]),
    epochs=st.integers(1, 50),
    rate=st.floats(1e-7, 1.0),
    test=st.none() | st.dictionaries(NAMES.filter(lambda n: n not in {"train", "dev"}), NAMES, min_size=1, max_size=3),
)
def test_what_is_written_is_read_back_equal(
    name: str, labels: list | None, method: dict, epochs: int, rate: float, test: dict | None
) -> None:
    value = {
        "name": name,
        "model": "minilm",
        "tasks": {"任务": {"type": "classify", "labels": labels, "data": {"train": "a.jsonl", "test": test}}},
        "method": method,
        "train": {"epochs": epochs, "learning_rate": rate},
    }
    recipe = settle(validate(value, "x", {}), width=384, tokens=10_000)
    text = yaml.dump(as_written(recipe))
    again, lines = yaml.parse(text, "y")
    assert validate(again, "y", lines) == recipe
    assert settle(validate(again, "y", lines), width=1024, tokens=10**9) == recipe


@pytest.mark.parametrize(
    ("method", "width", "tokens", "given", "peak", "head", "batch"),
    [
        ("full", 384, 300_000, {}, 1.5e-4, 7.5e-4, 1024),
        ("full", 768, 300_000, {}, 5.3e-5, 2.65e-4, 1024),
        ("full", 64, 4_000, {}, 1.5e-4, 7.5e-4, 256),
        ("lora", 1024, 32_000, {}, 1e-3, 1e-3, 500),
        ("prompt", 384, 32_000, {}, 1e-2, 1e-2, 500),
        ("full", 768, 32_000, {"learning_rate": 1e-4, "batch_tokens": 64}, 1e-4, 5e-4, 64),
        ("full", 768, 32_000, {"head_learning_rate": 3e-3}, 5.3e-5, 3e-3, 500),
    ],
)
def test_defaults_that_depend_on_model_and_data(
    method: str, width: int, tokens: int, given: dict, peak: float, head: float, batch: int
) -> None:
    tasks = {"it": {"type": "classify", "data": {"train": "a.jsonl"}}}
    value = {"name": "x", "model": "minilm", "tasks": tasks, "method": method, "train": given}
    train = settle(validate(value, "x", {}), width=width, tokens=tokens).train
    assert (train.learning_rate, train.head_learning_rate, train.batch_tokens) == (peak, pytest.approx(head), batch)


@pytest.mark.parametrize(
    ("share", "given", "peak", "head"),
    [
        (2 / 15, {}, 2e-5, 7.5e-4),
        (1 / 3, {}, 5e-5, 7.5e-4),
        (1.0, {}, 1.5e-4, 7.5e-4),
        (1 / 3, {"learning_rate": 1e-4}, 1e-4, 5e-4),
    ],
)
def test_a_share_of_the_rate_is_the_weights_and_not_the_heads(
    share: float, given: dict, peak: float, head: float
) -> None:
    tasks = {"it": {"type": "denoise", "data": {"train": "a.jsonl"}}}
    value = {"name": "x", "model": "minilm", "tasks": tasks, "train": given}
    train = settle(validate(value, "x", {}), width=384, tokens=99, share=share).train
    assert (train.learning_rate, train.head_learning_rate) == (peak, pytest.approx(head))


@pytest.mark.parametrize(
    ("given", "steps_per_epoch", "from_nothing", "epochs", "every"),
    [
        ({}, 3, True, 67, 21),  # 201 steps, dev looked at after every seventh time
        ({}, 39, True, 6, 39),
        ({}, 40, True, 5, None),
        ({}, 3, False, 5, None),
        ({"evaluate_every": 4}, 3, True, 67, 4),
        ({"epochs": 2}, 3, True, 2, None),
        ({"epochs": 0}, 3, False, 0, None),
    ],
)
def test_few_rows_are_seen_more_often(
    given: dict, steps_per_epoch: int, from_nothing: bool, epochs: int, every: int | None
) -> None:
    tasks = {"it": {"type": "generate", "data": {"train": "a.jsonl"}}}
    recipe = validate({"name": "x", "model": "minilm", "tasks": tasks, "train": given}, "x", {})
    assert recipe.train.trains == (given.get("epochs") != 0)
    settled = settle_epochs(recipe, steps_per_epoch=steps_per_epoch, from_nothing=from_nothing)
    assert (settled.train.epochs, settled.train.evaluate_every) == (epochs, every)
    assert settle_epochs(settled, steps_per_epoch=1, from_nothing=from_nothing) == settled
