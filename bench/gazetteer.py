"""Disease names with and without a gazetteer, at 5 %, 20 % and all of the labels of NCBI and BC5CDR.

    python bench/gazetteer.py DATA [--sets ncbi bc5cdr] [--shares 0.05 0.2 1] [--seeds 3] [--sides plain wordnet both]
                                   [--work DIR] [--results DIR] [--limit N] [--epochs N]

For each set, share and seed so many training sentences are drawn, and as large a share of dev; each side learns from
those very rows, in turn, by bench/recipes/diseases.yaml (at all rows 6 epochs and one seed). The sides: `plain`,
without a gazetteer; `wordnet`, with the names of diseases, symptoms and disorders of WordNet 3.0 (the Debian package
wordnet-base); `both`, with these and, as a class of their own, the diseases that stand in the *training* part of the
other set. No name comes from the set that is learned, nor from any test part.

Told: entity F1 on the whole test file by seed, means, and the gain of each side over `plain` with its interval (paired,
Student's t; of one seed none); what the names alone find on test (each match an entity), which says how good they are.
One JSON a set: ``gazetteer-<set>.json``.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import measure
import run

SETS = {"ncbi": "bc5cdr", "bc5cdr": "ncbi"}
"""Each set, and the other."""
ROOTS = ("14052046", "14299637", "14204950", "14501726", "14235200", "14083790")
"""Synsets below which diseases stand: ill health, symptom, pathology, abnormality, neoplasm, mental disorder."""
WHOLE = 6
"""Epochs where all rows are learned from."""


def sentences(file: Path) -> list[list[tuple[str, str]]]:
    """Words with their tags."""
    found = []
    for block in file.read_text(encoding="utf-8").split("\n\n"):
        rows = [tuple(line.split("\t")) for line in block.split("\n") if line.strip()]
        if rows:
            found.append([(word, tag) for word, tag in rows])
    return found


def write(file: Path, rows: Sequence[Sequence[tuple[str, str]]]) -> Path:
    """As columns."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join("".join(f"{word}\t{tag}\n" for word, tag in row) for row in rows)
    file.write_text(text, encoding="utf-8")
    return file


def spans(tags: Sequence[str]) -> Iterator[tuple[int, int]]:
    """First and last word (exclusive) of each entity in BIO."""
    start = None
    for place, tag in enumerate([*tags, "O"]):
        if start is not None and tag[:1] != "I":
            yield start, place
            start = None
        if tag[:1] == "B" or (tag[:1] == "I" and start is None):
            start = place


def wordnet(home: Path = Path("/usr/share/wordnet")) -> list[str]:
    """Names of diseases, disorders and symptoms."""
    words: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for line in (home / "data.noun").read_text(encoding="utf-8").split("\n"):
        parts = line.split(" | ")[0].split()
        if line.startswith("  ") or not parts:
            continue
        count = int(parts[3], 16)
        words[parts[0]] = [each.replace("_", " ") for each in parts[4 : 4 + 2 * count : 2]]
        rest = parts[5 + 2 * count :]
        below[parts[0]] = [rest[n + 1] for n in range(0, 4 * int(parts[4 + 2 * count]), 4) if rest[n] in ("~", "~i")]
    seen = list(ROOTS)
    for each in seen:
        seen += [other for other in below[each] if other not in seen]
    return sorted({word for each in seen for word in words[each]})


def names(side: str, other: Path, place: Path) -> Path:
    """The file of names of a side; of mentions their class is `seen`."""
    lines = [f"{name}\twordnet" for name in wordnet()]
    if side == "both":
        rows = sentences(other / "train.conll")
        seen = {" ".join(word for word, _ in row[a:b]) for row in rows for a, b in spans([tag for _, tag in row])}
        lines += [f"{name}\tseen" for name in sorted(seen)]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def alone(file: Path, test: Path) -> dict[str, float]:
    """What the names find by themselves."""
    from sibu.core.example import join_tokens
    from sibu.phrases import Lexicon, Name, longest

    lexicon = Lexicon([Name(line.split("\t")[0], ("x",)) for line in file.read_text(encoding="utf-8").splitlines()])
    right = found = wanted = 0
    for row in sentences(test):
        text, places = join_tokens([word for word, _ in row])
        own = {(places[a][0], places[b - 1][1]) for a, b in spans([tag for _, tag in row])}
        matches = {(match.start, match.end) for match in longest(lexicon.every(text))}
        right, found, wanted = right + len(own & matches), found + len(matches), wanted + len(own)
    precision, recall = right / max(found, 1), right / max(wanted, 1)
    return {"precision": precision, "recall": recall, "f1": 2 * right / max(found + wanted, 1)}


def home(given: Any, name: str) -> Path:
    """The prepared files of a set: diseases alone, as columns."""
    place: Path = given.place / f"{name}_diseases"
    return place


def one(name: str, side: str, share: float, seed: int, given: Any) -> dict[str, Any]:
    """A run."""
    work = given.work / "gazetteer"
    draw = random.Random(f"{name} {share} {seed}")
    files = {}
    for split in ("train", "dev"):
        rows = sentences(home(given, name) / f"{split}.conll")
        chosen = (
            rows if share >= 1 else [rows[n] for n in sorted(draw.sample(range(len(rows)), round(share * len(rows))))]
        )
        files[split] = write(work / f"{name}-{share:g}-{seed}.{split}.conll", chosen[: given.limit])
    files["test"] = write(work / f"{name}.test.conll", sentences(home(given, name) / "test.conll")[: given.limit])
    overrides = [f"tasks.entities.data.{split}={file}" for split, file in files.items()]
    overrides += [f"train.seed={seed}", *([f"train.epochs={WHOLE}"] if share >= 1 else [])]
    overrides += [f"train.epochs={given.epochs}"] if given.epochs else []
    if side != "plain":
        file = names(side, home(given, SETS[name]), work / f"names-{name}-{side}.txt")
        overrides += [f"knowledge.names={file}", "knowledge.use=gazetteer"]
    found = run.run_once("diseases", given.place, given.work / "gazetteer-runs", overrides)
    told = found["metrics"]["entities"]["test"]
    return {
        "f1": told["f1"]["value"],
        "precision": told["precision"]["value"],
        "recall": told["recall"]["value"],
        "steps": found["steps"]["done"],
        "training_seconds": found["seconds"]["training"],
    }


def main() -> None:
    """Measure what is asked for."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--shares", nargs="+", type=float, default=[0.05, 0.2, 1.0])
    parser.add_argument("--epochs", type=int, help="in place of those that the program says, to try it out")
    parser.add_argument("--seeds", type=int, default=3, help="seeds where not all rows are learned from")
    parser.add_argument("--sides", nargs="+", default=["plain", "wordnet", "both"])
    given = parser.parse_args()
    given.sides = list(dict.fromkeys(["plain", *given.sides]))  # what all others are held against
    given.place = run.prepared(given.data, given.work)
    for name in given.sets:
        test = home(given, name) / "test.conll"
        found: dict[str, Any] = {
            "name": f"gazetteer-{name}",
            "command": "python bench/gazetteer.py DATA",
            "shares": {},
            "names_alone": {},
        }
        for side in given.sides[1:]:
            file = names(side, home(given, SETS[name]), given.work / "gazetteer" / f"names-{name}-{side}.txt")
            own = {"names": len(file.read_text(encoding="utf-8").splitlines())}
            found["names_alone"][side] = own | alone(file, test)
        for share in given.shares:
            rounds: dict[str, list[dict[str, Any]]] = {side: [] for side in given.sides}
            for seed in range(1, 1 + (given.seeds if share < 1 else 1)):
                for side in given.sides:
                    rounds[side].append(one(name, side, share, seed, given))
                    print(name, share, seed, side, f"{rounds[side][-1]['f1']:.4f}", file=sys.stderr)
            scores = {side: [each["f1"] for each in own] for side, own in rounds.items()}
            found["shares"][f"{share:g}"] = {
                "f1": {side: fmean(own) for side, own in scores.items()},
                "gain": {side: measure.paired(own, scores["plain"]) for side, own in scores.items() if side != "plain"},
                "rounds": rounds,
            }
            measure.keep(found | measure.facts([test, home(given, name) / "train.conll"]), given.results)


if __name__ == "__main__":
    main()
