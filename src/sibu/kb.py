"""F6, the public verbs of knowledge: plain functions that Python users and ``sibu kb`` call alike.

``sibu.kb.open(folder)`` gives the ``KnowledgeBase`` itself, which can do more; each function here opens one, does one
thing, closes it, and returns what can be written as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sibu.core.errors import DataError, counted
from sibu.core.logic import Entity, Source, Status, Term, Triple, Value, term_json
from sibu.pipeline.progress import Progress, Silent

if TYPE_CHECKING:
    from sibu.core.example import Faults
    from sibu.core.names import Names
    from sibu.curation.proving import Proved
    from sibu.curation.telling import Telling
    from sibu.graph import KnowledgeBase
    from sibu.graph.formats import Format
    from sibu.graph.mapping import TableMapping

Folder = str | Path
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


def open(folder: Folder, *, write: bool = False) -> KnowledgeBase:  # noqa: A001  (what users call it)
    """Open a knowledge base; use it in a ``with`` block. ``write``: to change it, which one process at a time may.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.graph import KnowledgeBase

    return KnowledgeBase.open(folder, write=write)


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
            tables (CSV, TSV, JSON Lines, Parquet).
        format: Their format; None: by each name.
        mapping: YAML file that says how a table's rows are facts.
        document: Name of the document that states them; None: each file's name.
        status: ``hypothesis``: they are kept, but do not hold.
        confidence: How sure they are, from 0 to 1.
        update: A file may take the place of another one of its name; what only that one stated is retracted.
        message: What the change is, in words.
        progress: Where to tell how far it is; None: silent.

    Returns:
        The version, whether it is a new one, and how many facts each file states.

    Raises:
        SibuError: For every fault that the user can mend. Nothing was loaded then.
    """
    listed = [Path(files)] if isinstance(files, str | Path) else [Path(each) for each in files]
    if not listed:
        raise DataError("Name at least one file.")
    named = [document or file.name for file in listed]
    if twice := {each for each in named if named.count(each) > 1}:
        mend = "Add them one by one, each with a name of its own as its document."
        raise DataError(f"Several files are the document {', '.join(map(repr, sorted(twice)))}. {mend}")
    with open(folder, write=True) as kb:
        before, told = kb.version.number, []
        read = _mapping(mapping, kb) if mapping is not None else None
        with kb.loading(message or ", ".join(named)) as load:
            for file, name in zip(listed, named, strict=True):
                source = Source(name, status=status, confidence=confidence)
                with (progress or Silent()).bar(f"facts of {file.name}", None) as tell:
                    facts = _facts(kb, file, format, read, name)
                    found = load(file, format, source=source, update=update, tell=tell, facts=facts)
                told.append({"document": name, "facts": found.facts})
        version = kb.version
        return {"version": version.to_json(), "new": version.number > before, "files": told}


def _facts(
    kb: KnowledgeBase, file: Path, format_: str | None, mapping: TableMapping | None, name: str
) -> Iterator[tuple[Triple, int]] | None:
    """The facts of a table with their rows; None: the file is RDF."""
    from sibu.core.example import Faults
    from sibu.graph import tables
    from sibu.graph.formats import format_of, opened

    form = format_of(file, format_)
    if form.rdf:
        if mapping is not None:
            raise DataError(f"{file} is {form.name}, which needs no mapping.")
        return None
    with opened(file) if form.name != "parquet" else file_there(file):
        pass
    faults = Faults()
    if mapping is not None:
        rows = _reader(form, mapping.reader)(str(file), faults)
        uniform = form.name != "jsonl"
        return _sound(tables.facts(rows, mapping, kb.names, name, faults, uniform=uniform), faults)
    if form.name in ("jsonl", "parquet"):
        raise DataError(f"{file} is a table; say by a mapping how its rows are facts (`--mapping FILE`).")
    columns, rows = _three(file, form, faults)
    return _sound(tables.triples(rows, columns, kb.names, name, faults), faults)


def file_there(file: Path) -> Any:
    """A context that holds nothing.

    Raises:
        DataError: When there is no such file.
    """
    from contextlib import nullcontext

    if not file.is_file():
        raise DataError(f"There is no file {file}.")
    return nullcontext()


def _sound(facts: Iterable[tuple[Triple, int]], faults: Faults) -> Iterator[tuple[Triple, int]]:
    """The facts; at the end what was wrong, which stops the change they are part of."""
    yield from facts
    if number := faults.number("error"):
        listed = faults.first_errors(where="")
        raise DataError(f"{listed}\n{counted(number, 'fault')}; nothing was loaded.")


def _reader(form: Format, given: Any) -> Callable[[str, Faults], Iterator[tuple[int, dict[str, Any]]]]:
    from sibu.readers import READERS

    spec = READERS.spec(given or form.name)
    found: Callable[[str, Faults], Iterator[tuple[int, dict[str, Any]]]] = READERS.of(spec).build(spec)
    return found


def _three(file: Path, form: Format, faults: Faults) -> tuple[list[str], Iterator[tuple[int, dict[str, Any]]]]:
    """The columns of a table of triples, head, relation and tail, and its rows; its first line may name them."""
    from sibu.graph.formats import opened
    from sibu.graph.tables import HEADERS, is_header

    with opened(file) as content:
        first = content.readline().decode("utf-8", "replace").strip("\r\n")
    mark = "\t" if form.name == "tsv" else ","
    cells = [cell.strip().strip('"') for cell in first.split(mark)]
    if first and len(cells) != 3 and not first.startswith('"'):
        said = f"{file}:1: a triple has 3 cells, this line has {len(cells)} ({first[:80]!r})"
        raise DataError(f"{said}. Where it is a table of things, say by a mapping how its rows are facts.")
    quote = {"quote": "none"} if form.name == "tsv" else {}
    if not is_header(cells):
        header = ["head", "relation", "tail"]
        return header, _reader(form, {"name": form.name, "header": header, **quote})(str(file), faults)
    lower = {cell.lower(): cell for cell in cells}
    columns = next([lower[name] for name in own] for own in HEADERS if set(own) == set(lower))
    return columns, _reader(form, {"name": form.name, **quote})(str(file), faults)


def _mapping(file: str | Path, kb: KnowledgeBase) -> TableMapping:
    from sibu.graph.formats import opened
    from sibu.graph.mapping import mapping_of
    from sibu.recipe.yaml import parse

    with opened(Path(file)) as content:
        try:
            text = content.read().decode()
        except UnicodeDecodeError as fault:
            raise DataError(f"{file} is not UTF-8, from byte {fault.start + 1} on. Convert it.") from fault
    value, lines = parse(text, str(file))
    return mapping_of(value, lines, str(file), kb.names)


# ---- facts ----------------------------------------------------------------------------------------------------------


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
        raise DataError(f"No fact is stated as ({terms}, {object_}){by}. `sibu kb show` lists those of a thing.")
    return list(found)


def _is_meant(kb: KnowledgeBase, term: Term, given: str) -> bool:
    from sibu.graph.cells import entity_of, value_of

    if isinstance(term, Value):
        value = value_of(given, kb.names)
        return term == value if value is not None else term.text == given
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

    if not seconds > 0:
        raise DataError(f"A query needs more than 0 seconds, given {seconds:g}.")
    with open(folder) as kb:
        found = kb.query(sparql, seconds=seconds)
        if isinstance(found, bool):
            return {"answer": found}
        if isinstance(found, Rows):
            return found.to_json()
        return {"facts": [_fact_json(each) for each in found]}


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
        _fact_json(fact)
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


def _fact_json(fact: Triple) -> dict[str, Any]:
    terms = (("subject", fact.subject), ("predicate", fact.predicate), ("object", fact.object))
    return {name: term_json(term) for name, term in terms}


# ---- versions and files ---------------------------------------------------------------------------------------------


def versions(folder: Folder) -> list[dict[str, Any]]:
    """Every version from 0, checked against each other.

    Raises:
        SibuError: When one is missing or damaged.
    """
    with open(folder) as kb:
        return [each.to_json() for each in kb.versions()]


def name_version(folder: Folder, version: int | str, name: str) -> dict[str, Any]:
    """Give a version a name, by which it can be asked for too.

    Raises:
        SibuError: When there is no such version, or the name is another's.
    """
    with open(folder, write=True) as kb:
        return kb.name_version(version, name).to_json()


def diff(folder: Folder, before: int | str, after: int | str) -> dict[str, Any]:
    """Which facts hold in one version and not in another.

    Returns:
        ``{"before", "after", "added", "removed"}``.

    Raises:
        SibuError: When there is no such version.
    """
    from sibu.graph.spoken import said_triple

    with open(folder) as kb:
        found = kb.diff(before, after)
        told: dict[str, Any] = {"before": found.before.to_json(), "after": found.after.to_json()}
        for name, facts in (("added", found.added), ("removed", found.removed)):
            told[name] = [_fact_json(each) | {"said": said_triple(each, kb.names)} for each in facts]
        return told


def rollback(folder: Folder, to: int | str, *, message: str = "") -> dict[str, Any]:
    """Have all facts and sources as they were in a version, by a new version that undoes those since.

    Raises:
        SibuError: When there is no such version.
    """
    with open(folder, write=True) as kb:
        return kb.rollback(to, message).to_json()


def export(folder: Folder, file: str | Path, *, format: str | None = None, all: bool = False) -> int:  # noqa: A002
    """Write what holds to a file.

    Args:
        folder: The knowledge base.
        file: The file.
        format: ``turtle``, ``ntriples``, ``jsonld``, ``rdfxml``, ``tsv``, ``csv``; None: by the file's name.
        all: With what does not hold and all records, as ``nquads``, ``trig`` or ``jsonld``; ``add`` reads it back.

    Returns:
        How many statements were written.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    with open(folder) as kb:
        return kb.export(file, format, all=all)


def stats(folder: Folder) -> dict[str, Any]:
    """How much there is of what: facts, statements by status, classes, properties, documents, bytes.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    with open(folder) as kb:
        return kb.stats()


def rebuild(folder: Folder, *, progress: Progress | None = None) -> dict[str, Any]:
    """Make the store anew from the versions, where its files are damaged or lost.

    Raises:
        SibuError: When a version itself is.
    """
    from sibu.graph.opening import rebuild as made

    with (progress or Silent()).bar("versions", None) as tell:
        return made(Path(folder), lambda _: tell(1)).to_json()


# ---- reasoning ------------------------------------------------------------------------------------------------------


def rules(
    folder: Folder, files: Sequence[str | Path] | str | Path = (), *, remove: Sequence[str] = ()
) -> dict[str, Any]:
    """Take up rule files, and remove others; without either, list those there are.

    Args:
        folder: The knowledge base.
        files: Files in the language of rules, in place of those of the same name.
        remove: Names of those to remove.

    Returns:
        ``{"files", "added", "replaced", "removed", "warnings"}``.

    Raises:
        RuleError: When a file has faults; all of them, with line and column. Nothing was changed then.
        SibuError: For every other fault that the user can mend.
    """
    from sibu.curation import rule_files
    from sibu.curation.answers import as_dict

    listed = [Path(files)] if isinstance(files, str | Path) else [Path(each) for each in files]
    if not listed and not remove:
        with open(folder) as kb:
            return as_dict(rule_files.listed(kb))
    with open(folder, write=True) as kb:
        return as_dict(rule_files.take(kb, listed, list(remove)))


def shapes(
    folder: Folder, files: Sequence[str | Path] | str | Path = (), *, remove: Sequence[str] = ()
) -> dict[str, Any]:
    """Take up files of shapes (SHACL) by which ``check`` judges, and remove others; without either, list them.

    Args:
        folder: The knowledge base.
        files: Files of RDF, in place of those of the same name.
        remove: Names of those to remove.

    Returns:
        ``{"files", "added", "replaced", "removed"}``.

    Raises:
        SibuError: For every fault that the user can mend. Nothing was changed then.
    """
    from sibu.curation import shape_files
    from sibu.curation.answers import as_dict

    listed = [Path(files)] if isinstance(files, str | Path) else [Path(each) for each in files]
    if not listed and not remove:
        with open(folder) as kb:
            return as_dict(shape_files.TakenShapes(shape_files.listed(kb)))
    with open(folder, write=True) as kb:
        return as_dict(shape_files.take(kb, listed, list(remove)))


def infer(
    folder: Folder,
    reasoners: Sequence[str | Mapping[str, Any]] | None = None,
    *,
    seconds: float | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Derive what follows from the facts, and write it into the knowledge base as one version.

    What was inferred before is brought up to date from what has changed since. What an uncertain rule concludes is a
    hypothesis: kept, but it does not hold, and no fact is derived from it.

    Args:
        folder: The knowledge base.
        reasoners: Names of reasoners (``sibu list reasoners``), or mappings with ``name`` and options; they are kept
            for the next time. None: those it was told last, at first its rule files.
        seconds: How long deriving may take, about; None: as long as it takes.
        force: Derive all from the beginning.

    Returns:
        The version, whether it is a new one, how many facts are asserted, derived, came and went, ...

    Raises:
        SibuError: For every fault that the user can mend. Nothing was changed then.
    """
    from sibu.curation.answers import as_dict
    from sibu.curation.infer import infer as run

    if seconds is not None and not seconds > 0:
        raise DataError(f"Inferring needs more than 0 seconds, given {seconds:g}.")
    given = None if reasoners is None else [{"name": each} if isinstance(each, str) else dict(each)
                                            for each in reasoners]  # fmt: skip
    with open(folder, write=True) as kb:
        found = run(kb, given, seconds=seconds, force=force)
        return as_dict(found) | {"version": kb.version.to_json()}


def why(
    folder: Folder,
    fact: str | Sequence[str],
    *,
    limit: int = 5,
    depth: int = 1,
    language: str = "",
    names: bool = False,
    picture: str | Path | None = None,
    looks: int | None = None,
) -> dict[str, Any]:
    """Why a fact holds: its proof down to the sources, accepted by the checker; or why it does not.

    Args:
        folder: The knowledge base.
        fact: ``takes(anna, X)`` as rules have it; or subject, property and object, by name or label, ``_`` for any.
        limit: Most facts that are proved, where several are as what is asked for.
        depth: Where there is none: how many steps to go on with what is missing.
        language: In which things are shown, where they have a label in it.
        names: Show short names, not labels.
        picture: Where to draw the proofs, as ``.svg`` (the first) or ``.html``.
        looks: How many facts the checker may look at for the negations and aggregates of one rule.

    Returns:
        ``{"asked", "facts", "more", "missing", "retracted", "notes", ...}``. Each fact has ``proof``, ``tree`` and the
        checker's ``verdict``; only what it ``accepted`` is proved.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.curation import answers
    from sibu.curation.telling import Telling
    from sibu.curation.why import why as run

    if limit < 1 or depth < 1:
        raise DataError(f"Ask for at least one fact and one step, given {limit} and {depth}.")
    with open(folder) as kb:
        found = run(kb, fact, limit=limit, depth=depth, looks=looks)
        telling = Telling(kb, found.plan, language, names=names)
        told = answers.reasons(kb, found, telling)
        if picture is not None:
            told["picture"] = _draw_proofs(found.facts, telling, Path(picture))
        return told


def _draw_proofs(facts: Sequence[Proved], telling: Telling, file: Path) -> str | None:
    from sibu.curation import proof_picture
    from sibu.store.atomic import new_file

    if file.suffix.lower() not in (".svg", ".html"):
        raise DataError(f"A picture is a file .svg or .html, given {file}.")
    if not facts:
        return None
    drawn = [proof_picture.svg(each.proof, telling, each.faults) for each in facts]
    text = proof_picture.svg_file(drawn[0])
    if file.suffix.lower() == ".html":
        said = [telling.atom(each.fact) for each in facts]
        trees = [telling.tree(each.proof) for each in facts]
        text = str(proof_picture.page(list(zip(said, drawn, trees, strict=True)), said[0]))
    with new_file(file) as place:
        place.write_text(text, encoding="utf-8")
    return str(file)


def check(
    folder: Folder,
    shapes: Sequence[str | Path] | str | Path = (),
    *,
    limit: int = 20,
    language: str = "",
    names: bool = False,
    seconds: float | None = None,
) -> dict[str, Any]:
    """What must not be: constraints of rules and ontology that are met, values that cannot be, shapes that are broken.

    Nothing is written. Where facts came since the last inference, what follows is brought up to date for this alone.

    Args:
        folder: The knowledge base.
        shapes: Files of shapes (SHACL), beside those that it keeps.
        limit: Most cases of one constraint that are told.
        language: In which things and messages are shown.
        names: Show short names, not labels.
        seconds: How long deriving may take, about.

    Returns:
        ``{"faulty", "constraints", "values", "shapes", "notes", ...}``, each case with the facts to blame and their
        sources.

    Raises:
        SibuError: For every fault that the user can mend, other than those that are looked for.
    """
    from sibu.curation import answers
    from sibu.curation.check import check as run
    from sibu.curation.telling import Telling

    files = [Path(shapes)] if isinstance(shapes, str | Path) else [Path(each) for each in shapes]
    with open(folder) as kb:
        found = run(kb, files, limit=limit, seconds=seconds)
        telling = Telling(kb, found.plan, language, names=names)
        return answers.checked(kb, found, telling, language)
