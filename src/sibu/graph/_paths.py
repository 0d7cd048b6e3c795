"""Property paths: from one thing over several facts to others. Source: SHACL, section 2.3.1; SPARQL 1.1, section 9."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sibu.core.logic import Entity, Term, Triple
from sibu.core.names import RDF, SHACL

Find = Callable[[Term | None, Entity | None, Term | None], Iterator[Triple]]
"""The triples with these parts; None: any."""
Ends = Mapping[Term, tuple[Triple, ...]]
"""Where a path leads, and over which facts: one way each."""

FIRST, REST, NIL = Entity(RDF + "first"), Entity(RDF + "rest"), Entity(RDF + "nil")


@dataclass(frozen=True, slots=True)
class Inverse:
    """The path backwards."""

    path: Path


@dataclass(frozen=True, slots=True)
class Sequence:
    """One path after the other."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Any of the paths."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The path any number of times (``*``), at least once (``+``), at most once (``?``)."""

    path: Path
    times: Literal["*", "+", "?"]


Path = Entity | Inverse | Sequence | Alternative | Repeat
_REPEATS: Mapping[str, Literal["*", "+", "?"]] = {"zeroOrMorePath": "*", "oneOrMorePath": "+", "zeroOrOnePath": "?"}


def members(head: Term, find: Find) -> list[Term]:
    """The members of an RDF list.

    Raises:
        ValueError: When it is no list: a part is missing or there twice, or it runs in a circle.
    """
    found: list[Term] = []
    seen = set()
    while head != NIL:
        firsts = [triple.object for triple in find(head, FIRST, None)]
        rests = [triple.object for triple in find(head, REST, None)]
        if head in seen or len(firsts) != 1 or len(rests) != 1:
            raise ValueError("is no list")
        seen.add(head)
        found += firsts
        head = rests[0]
    return found


def read(node: Term, find: Find, above: frozenset[Term] = frozenset()) -> Path:
    """The path that a node of a shapes graph stands for. A list wins over other readings of the same node.

    Raises:
        ValueError: When it is none; the text says why and reads on after "the path".
    """
    if isinstance(node, Entity) and not node.iri.startswith("_:") and node != NIL:
        return node
    if not isinstance(node, Entity) or node in above:
        raise ValueError("leads back into itself" if node in above else "is a value, and no property")
    inner = above | {node}
    if next(find(node, FIRST, None), None) is not None:
        return Sequence(_several(node, find, inner))
    for name in ("inversePath", "alternativePath", *_REPEATS):
        for triple in find(node, Entity(SHACL + name), None):
            if name == "inversePath":
                return Inverse(read(triple.object, find, inner))
            if name == "alternativePath":
                return Alternative(_several(triple.object, find, inner))
            return Repeat(read(triple.object, find, inner), _REPEATS[name])
    raise ValueError("is neither a property, nor a list of paths, nor one of sh:inversePath, sh:alternativePath, ...")


def _several(head: Term, find: Find, above: frozenset[Term]) -> tuple[Path, ...]:
    try:
        found = members(head, find)
    except ValueError:
        raise ValueError("has a list that is broken off or runs in a circle") from None
    if len(found) < 2:
        raise ValueError("has a list of fewer than two members")
    return tuple(read(member, find, above) for member in found)


def text_of(path: Path, strength: int = 0) -> str:
    """As SPARQL writes it, with whole IRIs; in parentheses where it binds less than ``strength``."""
    match path:
        case Entity():
            return path.iri if path.iri.startswith("_:") else f"<{path.iri}>"
        case Repeat():
            own, text = 3, f"{text_of(path.path, 4)}{path.times}"
        case Inverse():
            own, text = 2, f"^{text_of(path.path, 3)}"
        case Sequence():
            own, text = 1, "/".join(text_of(each, 2) for each in path.paths)
        case Alternative():
            own, text = 0, "|".join(text_of(each, 1) for each in path.paths)
    return f"({text})" if own < strength else text


def outward(path: Path, back: bool = False) -> Path:
    """The same path with ``^`` before single properties alone: ``^(a/b)`` is ``^b/^a``."""
    match path:
        case Entity():
            return Inverse(path) if back else path
        case Inverse():
            return outward(path.path, not back)
        case Repeat():
            return Repeat(outward(path.path, back), path.times)
        case Alternative():
            return Alternative(tuple(outward(each, back) for each in path.paths))
    return Sequence(tuple(outward(each, back) for each in (reversed(path.paths) if back else path.paths)))


def written(path: Path, fresh: Callable[[], Entity]) -> tuple[Entity, list[Triple]]:
    """A node for the path, and the triples that say what it is; ``fresh`` gives nodes without a name."""
    if isinstance(path, Entity):
        return path, []
    if isinstance(path, Sequence):
        return _listed(path.paths, fresh)
    node = fresh()
    if isinstance(path, Alternative):
        inner, triples = _listed(path.paths, fresh)
        return node, [Triple(node, Entity(SHACL + "alternativePath"), inner), *triples]
    inner, triples = written(path.path, fresh)
    names = {times: name for name, times in _REPEATS.items()}
    name = "inversePath" if isinstance(path, Inverse) else names[path.times]
    return node, [Triple(node, Entity(SHACL + name), inner), *triples]


def _listed(paths: tuple[Path, ...], fresh: Callable[[], Entity]) -> tuple[Entity, list[Triple]]:
    nodes = [fresh() for _ in paths]
    triples: list[Triple] = []
    for node, rest, path in zip(nodes, [*nodes[1:], NIL], paths, strict=True):
        member, inner = written(path, fresh)
        triples += [Triple(node, FIRST, member), Triple(node, REST, rest), *inner]
    return nodes[0], triples


def walk(path: Path, start: Term, find: Find) -> Ends:
    """Where the path leads from ``start``, each end with the facts of one shortest way there."""
    match path:
        case Entity():
            return {triple.object: (triple,) for triple in find(start, path, None)}
        case Inverse(Entity() as single):
            return {triple.subject: (triple,) for triple in find(None, single, start)}
        case Inverse():
            return walk(outward(path), start, find)
        case Alternative():
            return _shortest(way for each in path.paths for way in walk(each, start, find).items())
        case Sequence():
            ends: Ends = {start: ()}
            for each in path.paths:
                ends = _further(each, ends, find)
            return ends
    return _repeated(path, start, find)


def _further(path: Path, ends: Ends, find: Find) -> Ends:
    return _shortest(
        (end, (*way, *rest)) for middle, way in ends.items() for end, rest in walk(path, middle, find).items()
    )


def _repeated(path: Repeat, start: Term, find: Find) -> Ends:
    once = walk(path.path, start, find)
    ends: dict[Term, tuple[Triple, ...]] = dict(once) if path.times == "+" else {start: (), **_without(once, {start})}
    new: Ends = once
    while new and path.times != "?":
        new = _without(_further(path.path, new, find), ends)
        ends |= new
    return ends


def _without(ends: Ends, known: Mapping[Term, object] | set[Term]) -> Ends:
    return {end: way for end, way in ends.items() if end not in known}


def _shortest(ways: Iterator[tuple[Term, tuple[Triple, ...]]]) -> Ends:
    best: dict[Term, tuple[Triple, ...]] = {}
    for end, way in ways:
        if end not in best or len(way) < len(best[end]):
            best[end] = way
    return best
