"""A closure on disk: arrays as safetensors, the rest as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Rule, Term, Value
from sibu.core.names import Names
from sibu.logic.closure.changes import former
from sibu.logic.closure.derivations import Derivations
from sibu.logic.closure.relation import Relation
from sibu.logic.closure.terms import Terms
from sibu.logic.closure.upkeep import Upkeep
from sibu.store.atomic import new_folder

FORMAT = 1
"""Of the folder; a version of Sibu reads its own alone."""
_PAGE, _TERMS, _FACTS = "closure.json", "terms.safetensors", "facts.safetensors"
Arrays = dict[str, npt.NDArray[Any]]


def digest(rules: Sequence[Rule]) -> str:
    """A hash of what rules say; where they stand and what is said about them does not count."""
    told = [(rule.id, rule.head, rule.body) for rule in rules]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def save(upkeep: Upkeep, rules: Sequence[Rule], folder: Path) -> None:
    """Write a closure that is up to date; a folder that stands there is replaced.

    Raises:
        RunStopped: When it cannot be written.
    """
    from safetensors.numpy import save_file

    upkeep.compact()
    for relation in upkeep.store.relations:
        relation.closed = relation.first = relation.count
    datatypes: dict[str, int] = {}
    languages: dict[str, int] = {}
    page = {
        "format": FORMAT,
        "rules": digest(rules),
        "proofs": upkeep.proofs,
        "relations": [[each.predicate, each.arity, each.count] for each in upkeep.store.relations],
    }
    with new_folder(folder) as place:
        save_file(_term_arrays(upkeep.terms, datatypes, languages), place / _TERMS)
        save_file(_fact_arrays(upkeep), place / _FACTS)
        page |= {"datatypes": list(datatypes), "languages": list(languages)}
        (place / _PAGE).write_text(json.dumps(page, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _term_arrays(terms: Terms, datatypes: dict[str, int], languages: dict[str, int]) -> Arrays:
    texts, types, tongues = [], [], []
    for term in terms:
        texts.append((term.iri if isinstance(term, Entity) else term.text).encode("utf-8", "surrogatepass"))
        value = term if isinstance(term, Value) else None
        types.append(datatypes.setdefault(value.datatype, len(datatypes)) if value else -1)
        tongues.append(languages.setdefault(value.language, len(languages)) if value else -1)
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    letters = np.frombuffer(b"".join(texts), np.uint8)
    return {
        "letters": letters,
        "ends": ends,
        "datatypes": np.array(types, np.int32),
        "languages": np.array(tongues, np.int32),
    }


def _fact_arrays(upkeep: Upkeep) -> Arrays:
    found: Arrays = {}
    for number, relation in enumerate(upkeep.store.relations):
        for place, column in enumerate(relation.columns):
            found[f"relation.{number}.{place}"] = column.view
        found[f"relation.{number}.asserted"] = relation.asserted.view
        if upkeep.proofs:
            found[f"relation.{number}.rule"] = relation.rule.view
            found[f"relation.{number}.place"] = relation.place.view
    for number, derivations in enumerate(upkeep.derivations):
        for name, column in derivations.columns().items() if derivations is not None else ():
            found[f"rule.{number}.{name}"] = column.view
    return found


def load(folder: Path, rules: Sequence[Rule], names: Names | None) -> Upkeep:
    """Read a closure.

    Args:
        folder: Where ``save`` wrote it.
        rules: The program. Where it says something else than the one that was saved, what was derived is let go: the
            closure is as one to which the asserted facts were just added.
        names: How messages write names.

    Raises:
        DataError: When there is none, it is damaged, or another version of Sibu wrote it.
    """
    try:
        page = json.loads((folder / _PAGE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise DataError(f"{folder} holds no closure that can be read ({fault}). Make it anew.") from None
    if not isinstance(page, dict) or page.get("format") != FORMAT:
        given = page.get("format") if isinstance(page, dict) else None
        raise DataError(f"{folder} holds a closure of format {given!r}; this version reads {FORMAT}. Make it anew.")
    try:
        return _read(folder, page, rules, names)
    except (KeyError, IndexError, TypeError, ValueError, OSError, UnicodeDecodeError) as fault:
        raise DataError(
            f"The closure in {folder} is damaged ({type(fault).__name__}: {fault}). Make it anew."
        ) from None


def _read(folder: Path, page: dict[str, Any], rules: Sequence[Rule], names: Names | None) -> Upkeep:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        letters, arrays = load_file(folder / _TERMS), load_file(folder / _FACTS)
    except SafetensorError as fault:
        raise ValueError(str(fault)) from None
    terms = Terms()
    for term in _terms(letters, page["datatypes"], page["languages"]):
        terms.id(term)
    if len(terms) != len(letters["ends"]):
        raise ValueError("a term stands there twice")
    relations = [(predicate, arity) for predicate, arity, _ in page["relations"]]
    upkeep = Upkeep(rules, terms, bool(page["proofs"]), names, relations)
    same = page["rules"] == digest(rules)
    for number, (_, _, count) in enumerate(page["relations"]):
        _fill(arrays, number, upkeep.store.relations[number], count, len(letters["ends"]))
    if same and upkeep.proofs:
        for derivations in upkeep.derivations:
            if derivations is not None:
                _derive(arrays, derivations, upkeep)
        _link(arrays, upkeep)
    upkeep.whole = same
    upkeep.before = {} if same else former(upkeep.store)
    return upkeep


def _terms(arrays: Arrays, datatypes: list[str], languages: list[str]) -> list[Term]:
    letters, ends = arrays["letters"].tobytes(), arrays["ends"].tolist()
    if [*ends, len(letters)] != sorted([*ends, len(letters)]) or (ends[-1:] or [0]) != [len(letters)]:
        raise ValueError("the texts of the terms do not fit their lengths")
    found: list[Term] = []
    begin = 0
    for end, datatype, language in zip(ends, arrays["datatypes"].tolist(), arrays["languages"].tolist(), strict=True):
        text = letters[begin:end].decode("utf-8", "surrogatepass")
        found.append(Entity(text) if datatype < 0 else Value(text, datatypes[datatype], languages[language]))
        begin = end
    return found


def _fill(arrays: Arrays, number: int, relation: Relation, count: int, terms: int) -> None:
    columns = [arrays[f"relation.{number}.{place}"] for place in range(relation.arity)]
    for column in columns:
        _check(column, count, terms, f"relation {number}")
    asserted = arrays[f"relation.{number}.asserted"]
    _check(asserted, count, 2, f"relation {number}")
    relation.append(columns, count, asserted=True)
    relation.asserted.replace(asserted)
    relation.first = relation.closed = count


def _derive(arrays: Arrays, derivations: Derivations, upkeep: Upkeep) -> None:
    """The derivations by one rule."""
    relations, number = upkeep.store.relations, derivations.rule.number
    size = len(arrays[f"rule.{number}.rows"])
    for name, column in derivations.columns().items():
        column.replace(arrays[f"rule.{number}.{name}"])
        _check(column.view, size, len(relations) if name.startswith("among") else 2**31, f"rule {number}")
    places = np.arange(size)
    for part, column in enumerate((derivations.rows, *derivations.premises)):
        for other, own in derivations.by_relation(part, places):
            _check(column.view[own], len(own), relations[other].count, f"rule {number}")


def _link(arrays: Arrays, upkeep: Upkeep) -> None:
    """By what each row is derived."""
    sizes = np.array([0 if each is None else len(each) for each in upkeep.derivations] or [0])
    for number, relation in enumerate(upkeep.store.relations):
        rule, place = arrays[f"relation.{number}.rule"], arrays[f"relation.{number}.place"]
        derived = np.flatnonzero(~relation.asserted.view | (rule >= 0))
        _check(rule[derived], len(derived), len(sizes), f"relation {number}")
        if np.any(place[derived] >= sizes[rule[derived]]) or np.any(place[derived] < 0):
            raise ValueError(f"relation {number} does not fit its derivations")
        relation.rule.replace(rule)
        relation.place.replace(place)
        if len(rule) != relation.count or len(place) != relation.count:
            raise ValueError(f"relation {number} does not fit its derivations")


def _check(column: npt.NDArray[Any], size: int, below: int, what: str) -> None:
    """Whether a column has its length, and numbers from 0 to below a bound."""
    if column.shape != (size,) or (size and not 0 <= int(column.min()) <= int(column.max()) < below):
        raise ValueError(f"the columns of {what} do not fit each other")
