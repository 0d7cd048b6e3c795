"""YAML as recipes use it: values by the 1.2 core rules, and the line of every key."""

from __future__ import annotations

import re
from typing import Any

import yaml

from sibu.core.errors import Fault, RecipeError

Path = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Safe YAML whose plain words follow YAML 1.2.

    Only ``true`` and ``false`` are truth values (``no`` may be a label), ``3e-4`` is a number, a date stays text.
    """


_PLAIN = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
}
"""What a plain word is read as, by YAML 1.2's core rules, and the letters that it may begin with."""

_Loader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def parse(text: str, file: str) -> tuple[Any, dict[Path, int]]:
    """A document's value, and the line (from 1) of each key and list item by its path.

    Raises:
        RecipeError: When it is not YAML, or a key stands twice.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Path, int] = {}
        faults: list[Fault] = []
        if node is not None:
            _walk(node, (), lines, faults, file)
        if faults:
            raise RecipeError(faults)
        return (None if node is None else loader.construct_document(node)), lines
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line = mark.line + 1 if mark else 1
        raise RecipeError(Fault(f"{file}:{line}", f"not valid YAML: {fault.problem or fault.context}.")) from None
    finally:
        loader.dispose()


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int], faults: list[Fault], file: str) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                where = f"{file}:{line} {'.'.join(map(str, (*path, name)))}"
                faults.append(Fault(where, f"this key already stands in line {seen[name]}.", "Keep one of the two."))
            seen[name] = line
            lines[*path, name] = line
            _walk(value, (*path, name), lines, faults, file)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            _walk(value, (*path, place), lines, faults, file)


def parse_value(text: str) -> Any:
    """The value of a ``KEY=VALUE`` override."""
    return parse(text, "the command line")[0]


class _Dumper(yaml.SafeDumper):
    """Indents lists, and quotes each text that would be read back as something else."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


_NOT_TEXT = re.compile("|".join(f"(?:{pattern})" for pattern, _ in _PLAIN.values()))
_BREAKS = re.compile("[\x85\u2028\u2029]")
"""Line separators that YAML folds unless they are escaped."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    quoted = _NOT_TEXT.fullmatch(value) or _BREAKS.search(value)
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if quoted else None)


_Dumper.add_representer(str, _text)


def dump(value: Any) -> str:
    """YAML text that ``parse`` reads back equal."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text
