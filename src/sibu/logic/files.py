"""Several files of rules as one program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sibu.core.errors import Fault, RuleError
from sibu.core.logic import Rule
from sibu.core.names import Names
from sibu.logic.program import Program
from sibu.logic.text import parse


def joined(texts: Mapping[str, str], names: Names, files: Mapping[str, str] | None = None) -> Program:
    """Several files as one program, in which each rule's id begins with the name of its file.

    Args:
        texts: Text by name.
        names: The knowledge base's namespace and prefixes; each file may declare more, for itself.
        files: What messages call a file, by name; None: its name with ``.rules``.

    Raises:
        RuleError: When one cannot be read. It holds every fault of every file.
    """
    rules: list[Rule] = []
    places: list[tuple[str, ...]] = []
    faults: list[Fault] = []
    prefixes: dict[str, str] = {}
    for name, text in texts.items():
        try:
            program = parse(text, names, (files or {}).get(name, f"{name}.rules"))
        except RuleError as found:
            faults += found.faults
            continue
        rules += [replace(rule, id=f"{name}:{rule.id}") for rule in program.rules]
        places += program.places
        prefixes = {**program.names.prefixes, **prefixes}
    if faults:
        raise RuleError(faults)
    return Program(tuple(rules), Names(names.base, prefixes | dict(names.prefixes)), tuple(places))
