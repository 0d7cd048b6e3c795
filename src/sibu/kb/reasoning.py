"""What follows from a knowledge base's facts, why, and what must not be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import DataError
from sibu.core.logic import Proof, Step
from sibu.kb._opened import Folder, open, outside  # noqa: A004

if TYPE_CHECKING:
    from sibu.curation.proving import Proved
    from sibu.curation.telling import Telling


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
            outside(kb.folder, picture)
            told["picture"] = _draw_proofs(found.facts, telling, Path(picture))
        return told


def _draw_proofs(facts: Sequence[Proved], telling: Telling, file: Path) -> str | None:
    from sibu.curation import proof_picture
    from sibu.store.atomic import new_file

    if file.suffix.lower() not in (".svg", ".html"):
        raise DataError(f"A picture is a file .svg or .html, given {file}.")
    if not facts:
        return None
    proofs = [Proof((Step(each.fact),)) if each.faults else each.proof for each in facts]  # a rejected one is none
    drawn = [proof_picture.svg(proof, telling, each.faults) for proof, each in zip(proofs, facts, strict=True)]
    text = proof_picture.svg_file(drawn[0])
    if file.suffix.lower() == ".html":
        said = [telling.atom(each.fact) for each in facts]
        trees = [telling.tree(proof) if not each.faults else each.faults
                 for proof, each in zip(proofs, facts, strict=True)]  # fmt: skip
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
