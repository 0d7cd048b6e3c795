"""A knowledge base made and filled, and asked for what is stated."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Source, Status, Term, Triple, Value, term_json
from sibu.kb._opened import Folder, fact_json, open, outside, returned  # noqa: A004
from sibu.pipeline.progress import Progress, Silent

if TYPE_CHECKING:
    from sibu.core.names import Names
    from sibu.graph import KnowledgeBase

STDIN = Path("-")
ANY = "_"
"""Stands for anything where a fact is given by its terms."""


def create(
    folder: Folder,
    *,
    base: str | None = None,
    prefixes: Mapping[str, str] | None = None,
    languages: Sequence[str] = (),
) -> Path:
    """Make an empty knowledge base.

    Args:
        folder: Where; nothing may be there yet.
        base: Namespace of names without a prefix, ending in ``/`` or ``#``; None: one by the folder's name.
        prefixes: Namespace by prefix, beside the standard ones.
        languages: Languages in which things are shown, the first first.

    Returns:
        The folder.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.graph import KnowledgeBase

    with KnowledgeBase.create(folder, base=base, prefixes=prefixes, languages=languages) as kb:
        return kb.folder


def names(folder: Folder) -> Names:
    """The short forms of a knowledge base's names.

    Raises:
        SibuError: When there is none.
    """
    from sibu.graph.folder import read_about

    return read_about(Path(folder)).names


def add(
    folder: Folder,
    files: Sequence[str | Path] | str | Path,
    *,
    format: str | None = None,  # noqa: A002
    mapping: str | Path | None = None,
    document: str | None = None,
    status: Literal["asserted", "hypothesis"] = "asserted",
    confidence: float = 1.0,
    update: bool = False,
    message: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Have files state their facts: all of them as one version, or none where one cannot be read.

    Args:
        folder: The knowledge base.
        files: RDF (Turtle, N-Triples, N-Quads, TriG, JSON-LD, RDF/XML), triples as TSV or CSV, or, with a mapping,
            tables (CSV, TSV, JSON Lines, Parquet). ``-``: standard input, whose document and format are to be told.
        format: Their format; None: by each name.
        mapping: YAML file that says how a table's rows are facts.
        document: Name of the document that states them; None: each file's name.
        status: ``hypothesis``: they are kept, but do not hold.
        confidence: How sure they are, from 0 to 1.
        update: A file may take the place of another one of its name; what only that one stated is retracted.
        message: What the change is, in words.
        progress: Where to tell how far it is; None: silent.

    Returns:
        The version, whether it is a new one, how many facts each file states, and which facts that had been retracted
        hold again, with the reason why they were.

    Raises:
        SibuError: For every fault that the user can mend. Nothing was loaded then.
    """
    from sibu.curation import given

    listed = [Path(files)] if isinstance(files, str | Path) else [Path(each) for each in files]
    if not listed:
        raise DataError("Name at least one file.")
    named = [document or file.name for file in listed]
    if twice := {each for each in named if named.count(each) > 1}:
        mend = "Add them one by one, each with a name of its own as its document."
        raise DataError(f"Several files are the document {', '.join(map(repr, sorted(twice)))}. {mend}")
    with _standing(listed, document, format) as standing, open(folder, write=True) as kb:
        before, told = kb.version.number, []
        read = given.mapping_file(mapping, kb.names) if mapping is not None else None
        with kb.loading(message or ", ".join(named)) as load:
            for file, name in zip(standing, named, strict=True):
                how = "" if read is None else read.version
                source = Source(name, version=how, status=status, confidence=confidence)
                with (progress or Silent()).bar(f"facts of {name}", None) as tell:
                    facts = given.table_facts(file, kb.names, format, read, name)
                    found = load(file, format, source=source, update=update, tell=tell, facts=facts)
                told.append({"document": name, "facts": found.facts})
        version, back = kb.version, returned(kb, before)
        return {"version": version.to_json(), "new": version.number > before, "files": told, "returned": back}


@contextmanager
def _standing(files: Sequence[Path], document: str | None, form: str | None) -> Iterator[Sequence[Path]]:
    """Files that can be read more than once: standard input as one of its own."""
    if STDIN not in files:
        yield files
        return
    if document is None or form is None:
        raise DataError("Standard input has no name: say which document it is and its format.")
    with TemporaryDirectory() as home:
        spooled = Path(home, "input")
        with spooled.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        try:
            yield [spooled]
        except DataError as fault:
            raise DataError(str(fault).replace(str(spooled), "standard input")) from fault


def retract(
    folder: Folder,
    subject: str = ANY,
    predicate: str = ANY,
    object: str = ANY,  # noqa: A002
    *,
    why: str,
    document: str | None = None,
) -> dict[str, Any]:
    """Say that facts are not so: they hold no more, and it is kept who stated them and why that was wrong.

    Args:
        folder: The knowledge base.
        subject: Of what; ``_``: anything.
        predicate: By which property; ``_``: any.
        object: To what, or which text or number; ``_``: anything.
        why: The reason.
        document: Only what this document states; with ``_`` for all three, everything it states.

    Returns:
        The version, and how many statements were retracted.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    with open(folder, write=True) as kb:
        if (subject, predicate, object) == (ANY, ANY, ANY):
            if document is None:
                raise DataError("Name at least one of subject, predicate, object and document.")
            with kb.change(why) as change:
                done = change.retract_document(document, why)
        else:
            facts = _stated(kb, subject, predicate, object, document)
            with kb.change(why) as change:
                done = change.retract(facts, why, document)
        return {"version": kb.version.to_json(), "retracted": done}


def _stated(kb: KnowledgeBase, subject: str, predicate: str, object_: str, document: str | None) -> list[Triple]:
    """Facts that are asserted, or are hypotheses, by their terms."""
    head, relation = (None if given == ANY else kb.resolve(given) for given in (subject, predicate))
    found: dict[Triple, None] = {}
    statuses: tuple[Status, ...] = ("asserted", "hypothesis")
    for status in statuses:
        for triple in kb.triples(head, relation, status=status):
            own = document is None or any(each.document == document for each in kb.sources(triple))
            if own and (object_ == ANY or _is_meant(kb, triple.object, object_)):
                found[triple] = None
    if not found:
        from sibu.graph.spoken import said_term

        terms = ", ".join(ANY if each is None else said_term(each, kb.names) for each in (head, relation))
        by = f" in {document!r}" if document else ""
        last = object_ if object_.strip() else repr(object_)
        raise DataError(f"No fact is stated as ({terms}, {last}){by}. `sibu kb show` lists those of a thing.")
    return list(found) if object_ == ANY else _of_one_object(kb, list(found), object_)


def _of_one_object(kb: KnowledgeBase, facts: list[Triple], given: str) -> list[Triple]:
    """The facts to the one object that is meant, of those to all that is named so: a name goes before a label."""
    from sibu.graph.cells import entity_of
    from sibu.graph.spoken import said_term

    objects = dict.fromkeys(each.object for each in facts)
    if len(objects) == 1:
        return facts
    named = entity_of(given, kb.names)[0] if given.strip() else None
    if named not in objects:
        shown = ", ".join(said_term(each, kb.names) for each in list(objects)[:8])
        said = f"{given!r} may mean {len(objects)} things and values: {shown}."
        raise DataError(f"{said} Give one of them as it is written here. Nothing was retracted.")
    return [each for each in facts if each.object == named]


def _is_meant(kb: KnowledgeBase, term: Term, given: str) -> bool:
    from sibu.graph.cells import entity_of, value_of

    if isinstance(term, Value):
        value = value_of(given, kb.names)
        return term == value if value is not None else term.text == given
    if not given.strip():  # a text may be empty, a name may not
        return False
    entity, _ = entity_of(given, kb.names)
    return term == entity or term in kb.find(given)


def query(folder: Folder, sparql: str, *, seconds: float = 30.0) -> dict[str, Any]:
    """Ask in SPARQL 1.1 over the facts that hold.

    Args:
        folder: The knowledge base.
        sparql: SELECT, ASK, CONSTRUCT or DESCRIBE. Known prefixes need no declaration, ``:name`` is in the base
            namespace, and ``GRAPH <urn:sibu:sources>`` tells of records.
        seconds: When to stop it.

    Returns:
        ``{"variables", "rows"}``, ``{"answer": true or false}``, or ``{"facts": [[subject, predicate, object]]}``.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.graph import Rows

    if not 0 < seconds < math.inf:
        raise DataError(f"A query needs more than 0 seconds, and an end, given {seconds:g}.")
    with open(folder) as kb:
        found = kb.query(sparql, seconds=seconds)
        if isinstance(found, bool):
            return {"answer": found}
        if isinstance(found, Rows):
            return found.to_json()
        return {"facts": [fact_json(each) for each in found]}


def show(
    folder: Folder,
    entity: str,
    *,
    language: str = "",
    limit: int = 50,
    picture: str | Path | None = None,
    hops: int = 1,
) -> dict[str, Any]:
    """What is known of a thing: labels, and facts with their sources.

    Args:
        folder: The knowledge base.
        entity: Its name, short name, IRI or label.
        language: In which labels are shown, where there are some.
        limit: Most facts in each direction; with a picture also most things on it.
        picture: Where to draw what stands around it, as ``.svg`` or ``.html``.
        hops: Steps that the picture goes.

    Returns:
        ``{"entity", "label", "labels", "facts", "to", "retracted"}``, each fact with its sources.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    with open(folder) as kb:
        thing = kb.resolve(entity)
        labels = [term_json(each) for each in kb.labels(thing)]
        told: dict[str, Any] = {"entity": thing.iri, "short": kb.names.short(thing.iri), "labels": labels}
        told["label"] = kb.label(thing, language)
        told["facts"] = _told(kb, kb.triples(thing), limit, language)
        told["hypotheses"] = _told(kb, kb.triples(thing, status="hypothesis"), limit, language)
        told["retracted"] = _told(kb, kb.triples(thing, status="retracted"), limit, language)
        told["to"] = _told(kb, kb.triples(object=thing), limit, language)
        if picture is not None:
            told["picture"] = _draw(kb, thing, Path(picture), hops, max(limit, 2), language)
        return told


def _told(kb: KnowledgeBase, facts: Iterator[Triple], limit: int, language: str) -> list[dict[str, Any]]:
    return [
        fact_json(fact)
        | {"said": [_said(kb, each, language) for each in (fact.subject, fact.predicate, fact.object)]}
        | {"sources": [record.to_json() | _passage(kb, record) for record in kb.records(fact)]}
        for fact in islice(facts, limit)
    ]


def _passage(kb: KnowledgeBase, record: Any) -> dict[str, str]:
    found = kb.passage(record)
    return {} if found is None else {"passage": found}


def _said(kb: KnowledgeBase, term: Term, language: str) -> str:
    from sibu.graph.spoken import said_term

    return kb.label(term, language) if isinstance(term, Entity) else said_term(term, kb.names)


def _draw(kb: KnowledgeBase, thing: Entity, file: Path, hops: int, limit: int, language: str) -> dict[str, Any]:
    from sibu.graph.picture import page, svg_file
    from sibu.store.atomic import new_file

    if file.suffix.lower() not in (".svg", ".html"):
        raise DataError(f"A picture is a file .svg or .html, given {file}.")
    outside(kb.folder, file)
    shown = kb.neighbourhood(thing, hops, limit, language)
    if file.suffix.lower() == ".svg":
        text = svg_file(shown)
    else:
        rows = []
        for fact in shown.facts:
            by = ", ".join(dict.fromkeys(source.document for source in kb.sources(fact)))
            head, relation, tail = (_said(kb, each, language) for each in (fact.subject, fact.predicate, fact.object))
            rows.append((head, relation, tail, by))
        rows += [(each.label, name, value, "") for each in shown.things for name, value in each.values]
        text = str(page(shown, rows, kb.label(thing, language)))
    with new_file(file) as place:
        place.write_text(text, encoding="utf-8")
    return {"file": str(file), "things": len(shown.things), "facts": len(shown.facts), "cut": shown.cut}
