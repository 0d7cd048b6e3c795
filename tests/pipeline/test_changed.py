"""What changed since something was begun, in the recipe's own keys."""

from sibu.pipeline.changed import FREE, begun_otherwise, changed_keys, named
from sibu.recipe.fill import as_written
from sibu.recipe.load import validate

RECIPE = {"name": "x", "model": "minilm", "tasks": {"任务": {"type": "classify", "data": {"train": "a.jsonl"}}}}


def test_keys_are_those_that_a_user_writes() -> None:
    one = as_written(validate(RECIPE, "x", {}))
    assert changed_keys(one, one) == []
    task = {"type": "classify", "dropout": 0.3, "data": {"train": ["a.jsonl", "b.jsonl"]}}
    more = {"train": {"epochs": 9}, "track": ["tensorboard"], "release": {"任务.accuracy": {"at_least": 0.5}}}
    two = as_written(validate(RECIPE | more | {"tasks": {"任务": task}}, "x", {}))
    found = changed_keys(one, two, free=FREE)
    assert found == ["tasks.任务.data.train", "tasks.任务.dropout", "train.epochs"]
    assert changed_keys(one, two) == sorted([*found, "release.任务.accuracy", "track"])


def test_few_keys_are_named_and_the_others_counted() -> None:
    assert named(["a", "b"]) == "a, b"
    assert named(list("abcde")) == "a, b, c, d, e"
    assert named(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_what_an_earlier_version_began_is_refused_without_keys() -> None:
    said = str(begun_otherwise("The study at x", None, validate(RECIPE, "x", {})))
    assert said.startswith("The study at x was begun with something else: the recipe, the data or the model changed ")
