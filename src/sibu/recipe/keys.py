"""The keys of a recipe as help and reference show them."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sibu.catalog import Option, docs_of, type_name
from sibu.models.spec import NewModel
from sibu.recipe.schema import (
    Condition,
    Consistency,
    DataBlock,
    KnowledgeBlock,
    Range,
    Recipe,
    Rule,
    Search,
    SelfTraining,
    TaskBlock,
    Teacher,
)
from sibu.train.spec import ReptileSpec, TrainSpec

BLOCKS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("the whole", Recipe),
    ("model", NewModel),
    ("tasks.<name>", TaskBlock),
    ("tasks.<name>.data", DataBlock),
    ("tasks.<name>.data.rules.<n>", Rule),
    ("tasks.<name>.teacher", Teacher),
    ("tasks.<name>.consistency", Consistency),
    ("train", TrainSpec),
    ("train.reptile", ReptileSpec),
    ("self_training", SelfTraining),
    ("knowledge", KnowledgeBlock),
    ("search", Search),
    ("search.space.<key>", Range),
    ("release.<task.metric>", Condition),
)
_PARTS = {
    "task": ("type", "a task type, with its options beside it: see the page of tasks"),
    "model": ("model", "a name or a folder; or a block with the keys of a new one"),
    "method": ("method", "`name`, or `{name: ..., options}`"),
    "fusion": ("fusion", "`name`, or `{name: ..., options}`"),
    "modalities": ("modalities", "a list of `{name: ..., options}`"),
    "align": ("align", "`{name: ..., options}`, or a list of them"),
    "head": ("head", "`name`, or `{name: ..., options}`"),
    "decoding": ("decoding", "`name`, or `{name: ..., options}`"),
    "constrain": ("constrain", "`name`, or `{name: ..., options}`"),
    "augment": ("augment", "`name`, `{name: ..., options}`, or a list of them"),
    "reward": ("reward", "`{name: ..., options}`, or a list of them"),
    "reader": ("reader", "`name`, or `{name: ..., options}`"),
    "track": ("track", "a list of `name` or `{name: ..., options}`"),
    "tasks": ("tasks", "a mapping of names to tasks"),
    "train": ("train", "a mapping"),
    "data": ("data", "a mapping"),
    "self_training": ("self_training", "a mapping"),
    "search": ("search", "a mapping"),
    "knowledge": ("knowledge", "a mapping"),
    "use": ("use", "`name`, `{name: ..., options}`, or a list of them"),
    "teacher": ("teacher", "a mapping"),
    "consistency": ("consistency", "a mapping"),
    "reptile": ("reptile", "a mapping"),
}


def recipe_keys() -> Iterator[tuple[str, str, list[Option]]]:
    """Each block of a recipe: its place, what it is, its keys."""
    for block, model in BLOCKS:
        keys, docs = [], docs_of(model)
        for name, field in model.model_fields.items():
            own = (name, type_name(field.annotation))
            shown, kind = own if model is DataBlock else _PARTS.get(name, own)
            keys.append(
                Option(
                    shown,
                    kind,
                    _default(field.get_default(call_default_factory=True)),
                    docs.get(name) or field.description or "",
                )
            )
        yield block, cleandoc(model.__doc__ or ""), keys


def _default(value: Any) -> Any:
    if value is PydanticUndefined:
        return "must be given"
    if isinstance(value, BaseModel):
        return getattr(value, "name", "{}")
    if isinstance(value, tuple):
        return ", ".join(str(getattr(part, "name", part)) for part in value) or "none"
    return "none" if value == {} else value
