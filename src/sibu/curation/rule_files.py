"""The rule files of a knowledge base: taken up when they have passed all checks, together with those there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sibu.core.errors import DataError, Fault, RuleError
from sibu.core.logic import Entity
from sibu.curation.plan import as_kept
from sibu.logic.files import joined
from sibu.logic.program import Program
from sibu.logic.sound import faults

if TYPE_CHECKING:
    from sibu.graph import KnowledgeBase
    from sibu.graph.reading import Reading

ENDING = ".rules"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One file of rules."""

    name: str
    rules: int
    """Rules that conclude something, facts of the file among them."""
    uncertain: int
    """Of those: whose conclusions are hypotheses."""
    constraints: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rule files."""

    files: tuple[RuleFile, ...]
    """All there are now."""
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    warnings: tuple[Fault, ...] = ()
    """Of the files that were taken up: what is probably a slip."""


def take(kb: KnowledgeBase, files: Sequence[Path] = (), remove: Sequence[str] = ()) -> Taken:
    """Remove rule files, and take up others: all, or none where one has a fault.

    Args:
        kb: The knowledge base, open for writing.
        files: Files to take up, in place of those of the same name; a name is what stands before ``.rules``.
        remove: Names of those to remove.

    Raises:
        RuleError: When they cannot be read, or together with the others they cannot be run; all faults with line and
            column.
        DataError: When a file is missing, is not UTF-8, or two have one name.
    """
    remove = list(dict.fromkeys(remove))
    for name in remove:
        kb.rules.read(name)  # says which there are
    places = {file.name.removesuffix(ENDING): str(file) for file in files}
    return take_texts(kb, _read(kb, files), remove, places)


def take_texts(
    kb: KnowledgeBase, new: Mapping[str, str], remove: Sequence[str] = (), places: Mapping[str, str] | None = None
) -> Taken:
    """The same, of rules that stand in no file.

    Args:
        kb: The knowledge base, open for writing.
        new: Text by name.
        remove: Names of those to remove.
        places: What messages call a text, by its name; None: its name with ``.rules``.

    Raises:
        RuleError: When together with the others they cannot be run; all faults.
    """
    before = kb.rules.all()
    texts = {name: text for name, text in {**before, **new}.items() if name not in remove or name in new}
    places = places or {name: f"{name}{ENDING}" for name in new}
    program = joined(texts, kb.names, places)
    found = faults(program, _known(kb))
    errors = [*found.errors, *_no_terms(program)]
    if errors:
        raise RuleError(errors)
    for name in remove:
        kb.rules.remove(name)
    for name, text in new.items():
        kb.rules.write(name, text)
    own = tuple(places.values())
    counted = _counted(program, texts)
    empty = [places[each.name] for each in counted if each.name in new and not each.rules and not each.constraints]
    return Taken(
        counted,
        tuple(name for name in new if name not in before),
        tuple(name for name in new if name in before),
        tuple(remove),
        (
            *(Fault(place, "holds no rule.", "Write some, or remove it.") for place in empty),
            *(each for each in found.warnings if each.where.startswith(own)),
        ),
    )


def listed(kb: Reading) -> Taken:
    """The rule files there are.

    Raises:
        RuleError: When one cannot be read.
    """
    texts = kb.rules.all()
    return Taken(_counted(joined(texts, kb.names), texts))


def _read(kb: Reading, files: Sequence[Path]) -> dict[str, str]:
    """Text by name."""
    from sibu.graph.formats import opened

    found: dict[str, str] = {}
    for file in files:
        name = file.name.removesuffix(ENDING)
        kb.rules.place(name)  # says what a name may be
        if name in found:
            raise DataError(f"Two files are the rules {name!r}. Give one of them another name.")
        with opened(file) as content:
            try:
                found[name] = content.read().decode()
            except UnicodeDecodeError as fault:
                raise DataError(f"{file} is not UTF-8, from byte {fault.start + 1} on. Convert it.") from fault
    return found


def _known(kb: Reading) -> frozenset[Entity]:
    properties, classes = kb.relations()
    return properties | classes


def _no_terms(program: Program) -> Iterable[Fault]:
    """Names and values that RDF does not allow."""
    for rule in program.rules:
        try:
            as_kept(rule)
        except DataError as fault:
            yield Fault(rule.where, str(fault))


def _counted(program: Program, texts: Mapping[str, str]) -> tuple[RuleFile, ...]:
    found = []
    for name in texts:
        own = [rule for rule in program.rules if rule.id.partition(":")[0] == name]
        heads = [rule for rule in own if rule.head is not None]
        uncertain = sum(rule.confidence < 1 for rule in heads)
        found.append(RuleFile(name, len(heads), uncertain, len(own) - len(heads)))
    return tuple(found)
