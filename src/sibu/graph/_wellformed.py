"""Whether shapes can be judged: every fault at once, before anything is validated. Source: SHACL, appendix A."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from sibu.core.errors import near_miss
from sibu.core.logic import TYPE, Entity, Term, Triple, Value
from sibu.core.names import OWL, RDF, RDFS, SHACL, XSD
from sibu.graph import _shacl_names as names
from sibu.graph._paths import Find, members, read, text_of
from sibu.graph._pyshacl import Held, imported, query_fault

_QUALIFIED = frozenset({"qualifiedMinCount", "qualifiedMaxCount"})


def faults_of(shapes: Held) -> list[str]:
    """What is wrong with the shapes, each with the shape that has it; empty: nothing."""
    find = shapes.find
    own = [triple for triple in find(None, None, None) if _sh(triple.predicate) is not None]
    found = [f"{told(triple.subject, find)}: {fault}" for triple in own for fault in _of_triple(triple, find)]
    found += [f"{told(subject, find)}: {fault}" for subject, fault in _of_shapes(own, find)]
    for triple in find(None, TYPE, None):
        name = _sh(triple.object)
        if name is not None and name not in names.CLASSES:
            fault = f"SHACL has no class sh:{name}. {_near(name, names.CLASSES)}".rstrip()
            found.append(f"{told(triple.subject, find)}: {fault}")
    found += [f"{told(owner, find)}: {fault}" for owner, fault in _of_queries(shapes)]
    return sorted(dict.fromkeys(found or _circles(find)))


def notes_of(shapes: Held, data: Held) -> list[str]:
    """What was not done, or looks as if it were not meant so; nothing that stands in the way."""
    find = shapes.find
    notes = [
        f"{told(triple.subject, find)} imports <{_iri(triple.object)}>: nothing is fetched here; give its shapes too."
        for triple in find(None, Entity(OWL + "imports"), None)
        if isinstance(triple.object, Entity) and next(find(triple.object, None, None), None) is None
    ]
    for name in sorted(names.UNRUN):
        notes += [f"{told(triple.subject, find)}: sh:{name} is not run." for triple in find(None, _of(name), None)]
    for triple in find(None, _of("uniqueLang"), None):
        if triple.object not in (Value.of(True), Value.of(False)):
            notes.append(f"{told(triple.subject, find)}: sh:uniqueLang has no effect but as true.")
    for name in sorted(_QUALIFIED):
        for triple in find(None, _of(name), None):
            if next(find(triple.subject, _of("qualifiedValueShape"), None), None) is None:
                notes.append(f"{told(triple.subject, find)}: sh:{name} has no effect without sh:qualifiedValueShape.")
    notes += [f"{told(shape, find)} has no target, and no shape refers to it: nothing is judged by it."
              for shape in _idle(find)]  # fmt: skip
    return sorted(dict.fromkeys([*notes, *_missed(shapes, data)]))


def told(term: Term, find: Find) -> str:
    """A node of a shapes graph, in words; what has no name by what leads to it."""
    if isinstance(term, Value):
        return f'"{term.text}"'
    if not term.iri.startswith("_:"):
        return f"<{term.iri}>"
    path = next((triple.object for triple in find(term, _of("path"), None)), None)
    above = next(iter(sorted(find(None, None, term))), None)
    what = "the shape" if path is None else f"the shape of the path {_path_text(path, find)}"
    if above is None or above.subject == term:
        return what
    if above.predicate.iri.startswith(RDF):
        return f"{what} in a list"
    return f"{what} at sh:{_sh(above.predicate) or above.predicate.iri} of {told(above.subject, find)}"


def _of_triple(triple: Triple, find: Find) -> Iterator[str]:
    name = _sh(triple.predicate) or ""
    if name in names.ELSEWHERE:
        yield f"sh:{name} is not judged here. SHACL Core and sh:sparql are: say it with them, or take it out."
    elif name not in names.NAMES and _is_shape(triple.subject, find):
        yield f"SHACL has no sh:{name}. {_near(name, names.NAMES)}".rstrip()
    elif name == "entailment":
        yield "sh:entailment: nothing is inferred here. Validate the inferred facts, and take it out."
    elif name == "path":
        try:
            read(triple.object, find)
        except ValueError as error:
            yield f"the path {error}"
    elif name in names.PARAMETERS:
        fault = _value_fault(name, triple.object, find)
        if fault:
            yield fault


def _is_shape(node: Entity, find: Find) -> bool:
    """Whether a node has to do with shapes; one of the data may have any property, even of SHACL's namespace."""
    if any(names.CLASSES & {_sh(triple.object) or ""} for triple in find(node, TYPE, None)):
        return True
    if any(_sh(triple.predicate) in names.NAMES for triple in find(node, None, None)):
        return True
    return any(names.PARAMETERS.get(_sh(triple.predicate) or "") == names.SHAPE for triple in find(None, None, node))


def _value_fault(name: str, value: Term, find: Find) -> str:
    kind = names.PARAMETERS[name]
    if not _IS[kind](value, find):
        return f"sh:{name} is {kind}, not {told(value, find)}"
    if name == "nodeKind" and _sh(value) not in names.KINDS:
        kinds = ", ".join(f"sh:{each}" for each in sorted(names.KINDS))
        return f"sh:nodeKind is one of {kinds}, not <{_iri(value)}>. {_near(_sh(value) or '', names.KINDS)}".rstrip()
    if name == "pattern" and isinstance(value, Value):
        try:
            re.compile(value.text)
        except re.error as error:
            return f"sh:pattern {value.text!r} is no regular expression of Python's: {error}"
    if kind is names.SHAPE and not _iri(value).startswith("_:") and next(find(value, None, None), None) is None:
        others = {_iri(each.subject) for each in find(None, TYPE, _of("NodeShape"))}
        return (
            f"sh:{name} names <{_iri(value)}>, of which the shapes say nothing. {_near(_iri(value), others)}".rstrip()
        )
    return ""


def _is_list(value: Term, find: Find) -> bool:
    try:
        members(value, find)
    except ValueError:
        return False
    return True


def _is_whole(value: Term, _: Find) -> bool:
    number = value.number if isinstance(value, Value) and value.datatype == XSD + "integer" else None
    return number is not None and number >= 0


def _is_text(value: Term, _: Find) -> bool:
    return isinstance(value, Value) and (value.datatype == XSD + "string" or bool(value.language))


def _are_shapes(value: Term, find: Find) -> bool:
    if not _is_list(value, find):
        return False
    found = members(value, find)
    return bool(found) and all(isinstance(member, Entity) for member in found)


_TRUTHS = frozenset(Value(text, XSD + "boolean") for text in ("true", "false", "1", "0"))
_IS: Mapping[str, Callable[[Term, Find], bool]] = {
    names.WHOLE: _is_whole,
    names.TRUTH: lambda value, _: value in _TRUTHS,
    names.VALUE: lambda value, _: isinstance(value, Value),
    names.IRI: lambda value, _: isinstance(value, Entity) and not value.iri.startswith("_:"),
    names.TEXT: _is_text,
    names.LIST: _is_list,
    names.SHAPE: lambda value, _: isinstance(value, Entity),
    names.SHAPES: _are_shapes,
}


def _of_shapes(own: Iterable[Triple], find: Find) -> Iterator[tuple[Term, str]]:
    """Faults that one triple alone does not show."""
    said: dict[Term, dict[str, int]] = {}
    for triple in own:
        counts = said.setdefault(triple.subject, {})
        counts[_sh(triple.predicate) or ""] = counts.get(_sh(triple.predicate) or "", 0) + 1
    for subject, counts in said.items():
        for name in names.ONCE & counts.keys():
            if counts[name] > 1:
                yield subject, f"sh:{name} is there {counts[name]} times; a shape has one"
        if "path" not in counts:
            for name in sorted(names.ALONG_PATHS & counts.keys()):
                yield subject, f"sh:{name} needs sh:path beside it; the shape has none"
        if "flags" in counts and "pattern" not in counts:
            yield subject, "sh:flags needs sh:pattern beside it"
        if "qualifiedValueShape" in counts and not _QUALIFIED & counts.keys():
            yield subject, "sh:qualifiedValueShape needs sh:qualifiedMinCount or sh:qualifiedMaxCount beside it"
    properties = {triple.object for triple in find(None, _of("property"), None)}
    properties |= {triple.subject for triple in find(None, TYPE, _of("PropertyShape"))}
    for shape in properties:
        if "path" not in said.get(shape, {}) and isinstance(shape, Entity):
            yield shape, "a property shape needs sh:path; there is none"


def _of_queries(shapes: Held) -> Iterator[tuple[Term, str]]:
    for name in ("select", "ask"):
        for triple in shapes.find(None, _of(name), None):
            if not isinstance(triple.object, Value):
                continue
            text = triple.object.text
            fault = query_fault(text, _prefixes(triple.subject, shapes))
            if fault:
                yield triple.subject, f"sh:{name}: {fault}"
            elif re.search(r"[$?]shapesGraph\b", text):
                yield triple.subject, f"sh:{name}: $shapesGraph is not bound here, as SHACL leaves free"


def _prefixes(query: Entity, shapes: Held) -> dict[str, str]:
    """Namespaces by prefix that a query may use."""
    sources: set[Term] = {triple.subject for triple in shapes.find(None, TYPE, Entity(OWL + "Ontology"))}
    for triple in shapes.find(query, _of("prefixes"), None):
        sources |= imported(triple.object, shapes)
    found = {}
    for source in sources:
        for declared in shapes.find(source, _of("declare"), None):
            prefix = [triple.object for triple in shapes.find(declared.object, _of("prefix"), None)]
            namespace = [triple.object for triple in shapes.find(declared.object, _of("namespace"), None)]
            if prefix and namespace and isinstance(prefix[0], Value) and isinstance(namespace[0], Value):
                found[prefix[0].text] = namespace[0].text
    return found


def _refers(find: Find) -> dict[Term, set[Term]]:
    """Shapes by the shape that refers to them."""
    found: dict[Term, set[Term]] = {}
    for name, kind in names.PARAMETERS.items():
        if kind in (names.SHAPE, names.SHAPES):
            for triple in find(None, _of(name), None):
                inner = members(triple.object, find) if kind is names.SHAPES else [triple.object]
                found.setdefault(triple.subject, set()).update(inner)
    return found


def _circles(find: Find) -> list[str]:
    """Shapes that refer to themselves over others: what they mean is left open by the standard."""
    refers = _refers(find)
    found, done = [], set[Term]()
    for start in sorted(refers):
        way: list[Term] = []
        waiting: list[tuple[Term, int]] = [(start, 0)]
        while waiting:
            shape, depth = waiting.pop()
            del way[depth:]
            if shape in way:
                circle = " to ".join(told(each, find) for each in (*way[way.index(shape) :], shape))
                found.append(
                    f"{told(shape, find)} refers to itself ({circle}), which SHACL leaves without a meaning. Give the "
                    f"inner shape a target of its own, and say sh:class where it is referred to."
                )
            elif shape not in done:
                way.append(shape)
                done.add(shape)
                waiting += [(each, depth + 1) for each in sorted(refers.get(shape, ()))]
    return found


def _idle(find: Find) -> list[Term]:
    shapes = {triple.subject for name in ("NodeShape", "PropertyShape") for triple in find(None, TYPE, _of(name))}
    used = set().union(*_refers(find).values()) if shapes else set()
    aimed = {triple.subject for name in names.TARGETS for triple in find(None, _of(name), None)}
    classes = {triple.subject for name in (RDFS, OWL) for triple in find(None, TYPE, Entity(f"{name}Class"))}
    off = {triple.subject for triple in find(None, _of("deactivated"), Value.of(True))}
    return sorted(shapes - used - aimed - classes - off)


def _missed(shapes: Held, data: Held) -> Iterator[str]:
    """Targets that no fact meets: often a name that is spelled otherwise in the data."""
    for name, what in (("targetClass", "nothing is of that class"), ("targetSubjectsOf", "no fact has that property"),
                       ("targetObjectsOf", "no fact has that property")):  # fmt: skip
        for triple in shapes.find(None, _of(name), None):
            if isinstance(triple.object, Entity) and not _met(name, triple.object, data):
                yield f"{told(triple.subject, shapes.find)}: sh:{name} <{triple.object.iri}> meets nothing: {what}."


def _met(name: str, aim: Entity, data: Held) -> bool:
    if name != "targetClass":
        return next(data.find(None, aim, None), None) is not None
    return any(next(data.find(None, TYPE, each), None) is not None for each in classes_below(aim, data.find))


def classes_below(top: Term, find: Find) -> set[Term]:
    """The class and its subclasses, as far as the facts say so."""
    found, waiting = {top}, [top]
    while waiting:
        for triple in find(None, Entity(RDFS + "subClassOf"), waiting.pop()):
            if triple.subject not in found:
                found.add(triple.subject)
                waiting.append(triple.subject)
    return found


def _of(name: str) -> Entity:
    return Entity(SHACL + name)


def _iri(term: Term) -> str:
    return term.iri if isinstance(term, Entity) else ""


def _sh(term: Term) -> str | None:
    """The name within SHACL's namespace; None: of another."""
    iri = _iri(term)
    return iri[len(SHACL) :] if iri.startswith(SHACL) else None


def _near(given: str, allowed: Iterable[str]) -> str:
    return near_miss(given, allowed).strip()


def _path_text(node: Term, find: Find) -> str:
    try:
        return text_of(read(node, find))
    except ValueError:
        return "that cannot be read"
