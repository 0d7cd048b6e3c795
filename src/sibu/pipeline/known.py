"""What a recipe's knowledge is: gathered once, kept by content, opened alike for training and from a bundle."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import Fault, RecipeError, SibuError, counted
from sibu.core.logic import TYPE, Entity
from sibu.core.names import OWL, RDF, RDFS
from sibu.knowledge import KNOWLEDGE
from sibu.phrases import Lexicon, Name
from sibu.pipeline.data import missing_files, named_files
from sibu.pipeline.progress import Progress
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_file, hash_folder, hash_json

if TYPE_CHECKING:
    from sibu.core.knowing import ContextKnowledge, LabelKnowledge, PieceKnowledge
    from sibu.core.protocols import Task
    from sibu.graph import KnowledgeBase
    from sibu.recipe.schema import KnowledgeBlock, Recipe

MOST_CLASSES = 64
"""Classes of names that a model is told apart."""
ABOUT, NAMES, FACTS, VECTORS, TABLE = (
    "about.json",
    "names.jsonl",
    "facts.jsonl",
    "vectors.json",
    "vectors.safetensors",
)
_SCHEMA = (RDF, RDFS, OWL)


@dataclass(slots=True)
class Known:
    """The knowledge of a run, made ready."""

    folder: Path | None
    """What a bundle keeps of it; None: the recipe says all."""
    about: dict[str, Any]
    """What the record and the report say of it."""
    lexicon: Lexicon | None = None
    pieces: dict[str, PieceKnowledge] = field(default_factory=dict)
    """What is known of pieces, by the name of its part."""
    context: ContextKnowledge | None = None
    rules: LabelKnowledge | None = None
    """Set once the tasks know their labels."""
    enforced: bool = True
    """Whether predictions keep to them."""
    key: str = ""
    """Equal for equal knowledge of texts."""


def use_of(block: KnowledgeBlock, name: str) -> Any:
    """The options of one way of using knowledge; None: it is not used."""
    return next((spec for spec in block.use if getattr(spec, "name", "") == name), None)


def reads_texts(block: KnowledgeBlock) -> bool:
    """Whether any way looks for names in texts."""
    return any(getattr(spec, "name", "") != "label_rules" for spec in block.use)


def gathered(recipe: Recipe, progress: Progress) -> Known | None:
    """The knowledge that a recipe names, for training; None: it names none.

    Raises:
        RecipeError: When what it names is not there or cannot be used, all faults at once.
    """
    block = recipe.knowledge
    if block is None:
        return None
    for spec in block.use:
        KNOWLEDGE.of(spec)
    if not reads_texts(block):
        return opened(block, None)
    _require_there(block)
    base = None
    try:
        base = _opened(block)
        key = _key(block, base)
        folder = cached("knowledge", key, lambda place: _write(block, base, place, progress))
    finally:
        if base is not None:
            base.close()
    return opened(block, folder)


def mark(recipe: Recipe) -> str | None:
    """Changes when the knowledge of a recipe does; None: it has none."""
    block = recipe.knowledge
    if block is None or not reads_texts(block):
        return None
    _require_there(block)
    base = _opened(block)
    try:
        return _key(block, base)
    finally:
        if base is not None:
            base.close()


def opened(block: KnowledgeBlock, folder: Path | None) -> Known:
    """Knowledge that was gathered, from its folder: the cache's, or a bundle's."""
    if folder is None or not (folder / ABOUT).is_file():
        return Known(None, {"use": [spec.name for spec in block.use]}, enforced=_enforced(block))  # type: ignore[attr-defined]
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    lexicon = Lexicon.load(folder / NAMES)
    found = Known(folder, about, lexicon, key=about["key"], enforced=_enforced(block))
    for spec in block.use:
        name: str = spec.name  # type: ignore[attr-defined]
        build = KNOWLEDGE.of(spec).build
        if name == "vectors":
            from safetensors.numpy import load_file

            entities = json.loads((folder / VECTORS).read_text(encoding="utf-8"))
            found.pieces[name] = build(spec, lexicon, entities=entities, table=load_file(folder / TABLE)["entities"])
        elif name == "facts":
            found.context = build(spec, lexicon, facts=dict(_lines(folder / FACTS)))
        elif name != "label_rules":
            found.pieces[name] = build(spec, lexicon)
    return found


def _enforced(block: KnowledgeBlock) -> bool:
    spec = use_of(block, "label_rules")
    return spec is not None and bool(spec.enforce)


def ruled(block: KnowledgeBlock, tasks: Mapping[str, Task], heads: Mapping[str, Any]) -> LabelKnowledge | None:
    """The rules over labels, once the tasks know theirs.

    Args:
        block: The recipe's.
        tasks: The tasks, which have learned their labels.
        heads: By task, the options of its head.

    Raises:
        RecipeError: When rules speak of what is not there, or of what no answer can keep.
    """
    spec = use_of(block, "label_rules")
    if spec is None:
        return None
    own: dict[str, Any] = {name: task for name, task in tasks.items() if hasattr(task, "ruled")}
    labels = {name: tuple(task.ruled) for name, task in own.items()}
    exclusive = {name: bool(task.exclusive) for name, task in own.items()}
    where = f"knowledge.use.{block.use.index(spec)}"
    try:
        rules: LabelKnowledge = KNOWLEDGE.of(spec).build(spec, labels, exclusive)
    except RecipeError as fault:
        raise RecipeError([Fault(f"{where}.{each.where}", each.message, each.mend) for each in fault.faults]) from None
    fitted = [name for name in rules.tasks if getattr(heads.get(name), "fits", False)]
    if fitted and spec.weight:
        what = (
            f"is learned by answers' probabilities, and the head of {', '.join(fitted)} is fitted after the training."
        )
        raise RecipeError(Fault(f"{where}.weight", what, "Say `weight: 0`, or choose the head `linear`."))
    return rules


# ---- gathering ------------------------------------------------------------------------------------------------------


def _require_there(block: KnowledgeBlock) -> None:
    faults = list(missing_files(named_files(block.names or ()), "knowledge.names"))
    if block.kb is not None:
        faults += missing_files([block.kb], "knowledge.kb")
    vectors = use_of(block, "vectors")
    if vectors is not None:
        faults += missing_files([vectors.links], f"knowledge.use.{block.use.index(vectors)}.links")
    if faults:
        raise RecipeError(faults)


def _opened(block: KnowledgeBlock) -> KnowledgeBase | None:
    if block.kb is None:
        return None
    from sibu.graph import KnowledgeBase

    try:
        return KnowledgeBase.open(block.kb)
    except SibuError as fault:
        raise RecipeError(Fault("knowledge.kb", str(fault))) from None


def _key(block: KnowledgeBlock, base: KnowledgeBase | None) -> str:
    vectors = use_of(block, "vectors")
    version = None if base is None else [asdict(base.version), asdict(base.about)]
    files = [[Path(file).stem, hash_file(Path(file))] for file in named_files(block.names or ())]
    links = None if vectors is None else hash_folder(Path(vectors.links))
    used = [spec.model_dump(mode="json") for spec in block.use if spec.name == "facts"]  # type: ignore[attr-defined]
    what = [spec.name for spec in block.use]  # type: ignore[attr-defined]
    return hash_json([hash_code(), version, files, links, used, what, block.classes])


def _write(block: KnowledgeBlock, base: KnowledgeBase | None, folder: Path, progress: Progress) -> None:
    names = [*_from_files(block), *([] if base is None else names_of(base, block.classes))]
    names = [name for name in dict.fromkeys(names) if len(name.text) > 1 or not name.text.isascii()]
    if not names:
        where = "knowledge.kb" if block.kb is not None else "knowledge.names"
        raise RecipeError(Fault(where, "has no name of anything.", "Name a knowledge base with labels, or a file."))
    lexicon = Lexicon(names)
    counts = Counter(each for name in names for each in name.classes)
    if use_of(block, "gazetteer") is not None and len(counts) > MOST_CLASSES:
        what = f"the names are of {len(counts)} classes, and a model can be told {MOST_CLASSES} apart."
        raise RecipeError(Fault("knowledge.classes", what, "Say which in `knowledge.classes`."))
    lexicon.save(folder / NAMES)
    about: dict[str, Any] = {"use": [spec.name for spec in block.use], "names": len(names)}  # type: ignore[attr-defined]
    about["classes"] = dict(sorted(counts.items()))
    if base is not None:
        about["kb"] = {"name": base.folder.name, "version": base.version.number, "time": base.version.time}
    if (vectors := use_of(block, "vectors")) is not None:
        about["vectors"] = _write_vectors(vectors, block, lexicon, folder)
    if (facts := use_of(block, "facts")) is not None and base is not None:
        about["facts"] = _write_facts(facts, block, base, lexicon, folder)
    about["key"] = hash_json([hash_file(file) for file in sorted(folder.iterdir())])
    (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    progress.say(
        f"knowledge: {counted(len(names), 'name')} of {counted(len(counts), 'class')}".replace("classs", "classes")
    )


def _from_files(block: KnowledgeBlock) -> Iterator[Name]:
    """Names of plain files: one a line, and behind a tab its class; without one the file's name is its class."""
    for file in named_files(block.names or ()):
        try:
            text = Path(file).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as fault:
            said = f"{file} is not UTF-8 (byte {fault.start})."
            raise RecipeError(Fault("knowledge.names", said, "Save it as UTF-8.")) from None
        for line in text.splitlines():
            name, _, kind = line.partition("\t")
            if name.strip():
                yield Name(" ".join(name.split()), (kind.strip() or Path(file).name.partition(".")[0],))


def names_of(base: KnowledgeBase, wanted: Sequence[str] | None) -> Iterator[Name]:
    """Labels and aliases of things, with their classes; of some classes alone where these are given."""
    kinds = _kinds(base, wanted)
    for value, entity in sorted(base.labelled.all()):
        own = kinds.get(entity, ())
        if own or wanted is None:
            yield Name(" ".join(value.text.split()), own or ("thing",), entity.iri)


def _kinds(base: KnowledgeBase, wanted: Sequence[str] | None) -> dict[Entity, tuple[str, ...]]:
    """The classes of each thing by their short names; of those that are wanted the subclasses' things too."""
    found: dict[Entity, dict[str, None]] = {}
    if wanted is None:
        for triple in base.triples(predicate=TYPE):
            if isinstance(triple.object, Entity) and not triple.object.iri.startswith(_SCHEMA):
                found.setdefault(triple.subject, {})[base.names.short(triple.object.iri)] = None
        return {entity: tuple(sorted(names)) for entity, names in found.items()}
    faults = []
    for place, given in enumerate(wanted):
        try:
            top = base.resolve(given)
        except SibuError as fault:
            faults.append(Fault(f"knowledge.classes.{place}", str(fault)))
            continue
        for each in _below(base, top):
            for triple in base.triples(predicate=TYPE, object=each):
                found.setdefault(triple.subject, {})[given] = None
    if faults:
        raise RecipeError(faults)
    return {entity: tuple(sorted(names)) for entity, names in found.items()}


def _below(base: KnowledgeBase, top: Entity) -> list[Entity]:
    """A class and all below it."""
    found, below = [top], Entity(RDFS + "subClassOf")
    for each in found:
        for triple in base.triples(predicate=below, object=each):
            if triple.subject not in found:
                found.append(triple.subject)
    return found


def _write_vectors(spec: Any, block: KnowledgeBlock, lexicon: Lexicon, folder: Path) -> dict[str, Any]:
    import numpy as np
    from safetensors.numpy import save_file

    from sibu.curation.links import LinkModel

    where = f"knowledge.use.{block.use.index(spec)}.links"
    try:
        model = LinkModel.load(spec.links)
    except SibuError as fault:
        raise RecipeError(Fault(where, str(fault))) from None
    numbers = {iri: number for number, iri in enumerate(model.graph.entities)}
    known = sorted({name.entity for name in lexicon.names if name.entity in numbers})
    if not known:
        what = "has no vector of anything that the knowledge base has a name of."
        raise RecipeError(Fault(where, what, "Give vectors of this knowledge base (`sibu kb embed`)."))
    table = np.ascontiguousarray(model.vectors[[numbers[iri] for iri in known]], dtype=np.float32)
    save_file({"entities": table}, folder / TABLE)
    (folder / VECTORS).write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
    return {"entities": len(known), "width": int(table.shape[1])}


def _write_facts(
    spec: Any, block: KnowledgeBlock, base: KnowledgeBase, lexicon: Lexicon, folder: Path
) -> dict[str, Any]:
    from sibu.knowledge.facts.gather import Wording

    where, faults, predicates = f"knowledge.use.{block.use.index(spec)}.predicates", [], []
    for place, given in enumerate(spec.predicates or ()):
        try:
            predicates.append(base.resolve(given))
        except SibuError as fault:
            faults.append(Fault(f"{where}.{place}", str(fault)))
    if faults:
        raise RecipeError(faults)
    wording = Wording(base, predicates if spec.predicates is not None else None, spec.each)
    count = things = 0
    with (folder / FACTS).open("w", encoding="utf-8") as out:
        for iri in sorted({name.entity for name in lexicon.names if name.entity}):
            if own := wording.of(Entity(iri)):
                out.write(json.dumps([iri, own], ensure_ascii=False) + "\n")
                count, things = count + len(own), things + 1
    if not count:
        raise RecipeError(
            Fault(where, "there is no such fact about anything that has a name.", "Name other properties.")
        )
    return {"facts": count, "things": things}


def _lines(file: Path) -> Iterator[Any]:
    return (json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line)
