"""Names joined to things: how quickly names are indexed and linked, and how many links are right.

    python bench/linking.py DATA [--names 100000] [--mentions 2000] [--seed 13] [--limit N]

``made``: a knowledge base of so many made-up names, half of letters and half of Chinese characters, and mentions of
them as they are written, in capitals, and with one letter changed, left out or swapped. ``aliases``: the diseases of
``kg_medical_zh`` by their names alone, and their aliases as mentions, none of which is a name there: ``right``,
``wrong`` and ``nil`` at the default threshold, and how often the right disease is among the eight candidates. Times are
the processor's. One JSON: ``linking.json``.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import measure
from asking import diseases

from sibu.core.linking import Mention
from sibu.core.logic import Entity, Source, Triple, Value
from sibu.core.names import RDF, RDFS
from sibu.curation.linking.linker import KnowledgeLinker
from sibu.graph import KnowledgeBase

BASE = "https://example.org/"
SYLLABLES = [a + b for a in "bcdfglmnprstvz" for b in "aeiou"]
SIGNS = [chr(code) for code in range(0x4E00, 0x4E00 + 2_000)]


def made_names(count: int, draw: random.Random) -> list[str]:
    """Names, each once: words of syllables, and runs of Chinese characters."""
    found: dict[str, None] = {}
    while len(found) < count:
        if len(found) % 2:
            found["".join(draw.choices(SIGNS, k=draw.randint(3, 9)))] = None
        else:
            words = ("".join(draw.choices(SYLLABLES, k=draw.randint(2, 4))) for _ in range(draw.randint(1, 3)))
            found[" ".join(words).title()] = None
    return list(found)


def slipped(name: str, draw: random.Random) -> str:
    """A name with one letter changed, left out, or swapped with the next."""
    place = draw.randrange(len(name) - 1)
    how = draw.randrange(3)
    if how == 0:
        return name[:place] + draw.choice("aeiou") + name[place + 1 :]
    if how == 1:
        return name[:place] + name[place + 1 :]
    return name[:place] + name[place + 1] + name[place] + name[place + 2 :]


def opened(folder: Path, names: list[str], language: str) -> Path:
    """A knowledge base of things with these names."""
    label, kind = Entity(RDFS + "label"), RDF + "langString"
    rows = (Triple(Entity(f"{BASE}t{number}"), label, Value(name, kind, language)) for number, name in enumerate(names))
    with KnowledgeBase.create(folder, base=BASE) as kb:
        kb.add((each, Source("names.txt")) for each in rows)
    return folder


def linked(linker: KnowledgeLinker, texts: list[str], right: list[int]) -> dict[str, Any]:
    """The links of some texts, beside those that are right."""
    mentions = [Mention(text, 0, len(text)) for text in texts]
    began = time.process_time()
    found = linker.link(mentions)
    took = time.process_time() - began
    counts: Counter[str] = Counter()
    among = 0
    for link, number in zip(found, right, strict=True):
        own = Entity(f"{BASE}t{number}")
        counts["nil" if link.entity is None else "right" if link.entity == own else "wrong"] += 1
        among += any(entity == own for entity, _ in link.candidates)
    shares = {name: round(counts[name] / len(texts), 4) for name in ("right", "wrong", "nil")}
    told = {"mentions": len(texts), **shares, "among_candidates": round(among / len(texts), 4)}
    return told | {"mentions_a_second": round(len(texts) / took)}


def made(place: Path, given: Any) -> dict[str, Any]:
    """Made-up names."""
    draw = random.Random(given.seed)
    names = made_names(given.limit or given.names, draw)
    with KnowledgeBase.open(opened(place / "made", names, "en")) as kb:
        began = time.process_time()
        linker = KnowledgeLinker(kb)
        index = time.process_time() - began
        near = linker.near  # made on first use
        result: dict[str, Any] = {"names": len(names), "seconds_to_index": round(index, 2)}
        result["seconds_with_near_names"] = round(time.process_time() - began, 2)
        numbers = [draw.randrange(len(names)) for _ in range(given.mentions)]
        assert near is linker.near
        for how, change in (("as_written", str), ("capitals", str.upper), ("slips", lambda name: slipped(name, draw))):
            result[how] = linked(linker, [change(names[number]) for number in numbers], numbers)
    return result


def aliases(place: Path, given: Any) -> dict[str, Any]:
    """Aliases of diseases, which the knowledge base does not have."""
    facts, others = diseases(given.data, given.limit)
    names = sorted({name for by_name in facts.values() for name in by_name})
    number = {name: place for place, name in enumerate(names)}
    pairs = sorted({(alias, name) for name, own in others.items() for alias in own if alias not in number})
    counts = Counter(alias for alias, _ in pairs)
    pairs = [pair for pair in pairs if counts[pair[0]] == 1 and pair[1] in number]
    with KnowledgeBase.open(opened(place / "aliases", names, "zh")) as kb:
        texts, right = [alias for alias, _ in pairs], [number[name] for _, name in pairs]
        return {"names": len(names)} | linked(KnowledgeLinker(kb), texts, right)


def main() -> None:
    """Measure both."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument("--mentions", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        result = {"name": "linking", "seed": given.seed}
        result |= {"made": made(Path(scratch), given), "aliases": aliases(Path(scratch), given)}
    print(json.dumps(result, indent=1))
    if not given.limit:
        measure.keep(result | measure.facts([given.data / "kg_medical_zh" / "disease.csv.gz"]), given.results)


if __name__ == "__main__":
    main()
