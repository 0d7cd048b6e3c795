"""Questions over knowledge bases: how many are answered rightly, left open, answered wrongly, and how quickly.

    python bench/asking.py DATA [--split dev] [--show] [--model me5] [--templates 400] [--seed 13] [--limit N]

Knowledge bases are made of ``kg_medical_zh`` (diseases with aliases, symptoms, drugs, ...), of the triples of
``kg_umls``, and of the clinic of the examples with all that follows. They are asked

- questions made of templates that are written below, in Chinese, over diseases drawn by the seed: one step, two steps,
  counts, whether; and such that cannot be answered;
- questions written by hand (``bench/questions/*.jsonl``): those of ``dev`` were looked at while word lists were made,
  those of ``test`` were written before and are for this figure alone.

What is right is found from the tables themselves, by the path that stands beside each question, and not by the code
that is measured. ``right``: exactly these answers. ``open``: not known, or ambiguous. ``wrong``: any other answer; of a
question that cannot be answered, any. ``milliseconds``: of the processor for a question, when the names are indexed.
One JSON: ``asking.json``.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import measure

import sibu
from sibu.core.logic import TYPE, Entity, Source, Triple, Value
from sibu.core.names import RDF, RDFS, SKOS
from sibu.curation.asking.answering import Answerer
from sibu.curation.asking.replies import told
from sibu.graph import KnowledgeBase
from sibu.graph.cells import local_name

QUESTIONS = Path(__file__).parent / "questions"
ROOT = Path(__file__).resolve().parents[1]
BASE = "https://example.org/"
COLUMNS = {
    "part": ("部位", "部位"),
    "department": ("科室", "科室"),
    "checklist": ("检查", "检查"),
    "symptom": ("症状", "症状"),
    "complication": ("并发症", "疾病"),
    "drug": ("药物", "药物"),
    "treatment": ("治疗方法", "治疗方法"),
    "infection": ("传染性", ""),
    "period": ("治疗周期", ""),
    "rate": ("治愈率", ""),
}
"""The relation of a column, and the class of what stands in it; none: it is a text."""
OTHER_NAMES = {
    "科室": ["看", "挂", "就诊"],
    "并发症": ["引起"],
    "症状": ["引起", "出现"],
    "药物": ["用", "用于治疗"],
    "部位": ["发生"],
}
"""Other names of relations, as one who makes a knowledge base gives them."""
NOTHING = ("暂无相关资料", "[详细]", "应该如何用药？用什么药？", ">>")
Facts = dict[str, dict[str, set[str]]]
"""Objects by subject by relation."""
TEMPLATES = {
    "one step": ["{d}有哪些症状？", "{d}的症状是什么？", "{d}看什么科？", "{d}要做哪些检查？", "{d}吃什么药？",
                 "{d}的并发症有哪些？", "{d}怎么治疗，治疗方法有哪些？", "哪些疾病有{s}的症状？", "什么病会引起{s}？",
                 "{p}用于治疗哪些疾病？"],
    "two steps": ["{d}的并发症有哪些症状？", "{d}的并发症看什么科？", "{d}的并发症要做哪些检查？",
                  "{d}的并发症吃什么药？"],
    "count": ["{d}有多少种症状？", "{d}有几种并发症？", "{d}要做多少种检查？", "有多少种疾病有{s}的症状？"],
    "whether": ["{d}有{s}的症状吗？", "{d}会不会引起{c}？", "{d}是否要看{k}？"],
    "unanswerable": ["{d}的发病原因是什么？", "{d}是谁发现的？", "{x}有什么症状？", "{d}可以喝牛奶吗？",
                     "{d}的死亡率是多少？"],
}  # fmt: skip
MEANT = {
    "{d}有哪些症状？": [">症状"], "{d}的症状是什么？": [">症状"], "{d}看什么科？": [">科室"],
    "{d}要做哪些检查？": [">检查"],
    "{d}吃什么药？": [">药物"], "{d}的并发症有哪些？": [">并发症"], "{d}怎么治疗，治疗方法有哪些？": [">治疗方法"],
    "哪些疾病有{s}的症状？": ["<症状"], "什么病会引起{s}？": ["<症状"], "{p}用于治疗哪些疾病？": ["<药物"],
    "{d}的并发症有哪些症状？": [">并发症", ">症状"], "{d}的并发症看什么科？": [">并发症", ">科室"],
    "{d}的并发症要做哪些检查？": [">并发症", ">检查"], "{d}的并发症吃什么药？": [">并发症", ">药物"],
    "{d}有多少种症状？": [">症状"], "{d}有几种并发症？": [">并发症"], "{d}要做多少种检查？": [">检查"],
    "有多少种疾病有{s}的症状？": ["<症状"], "{d}有{s}的症状吗？": [">症状"], "{d}会不会引起{c}？": [">并发症"],
    "{d}是否要看{k}？": [">科室"],
}  # fmt: skip
FIRST = {"d": "", "s": "症状", "p": "药物", "c": "并发症", "k": "科室"}


# ---- knowledge bases -------------------------------------------------------------------------------------------------


def diseases(data: Path, limit: int | None) -> tuple[Facts, dict[str, set[str]]]:
    """The table of diseases as facts, and aliases by disease."""
    content = gzip.decompress((data / "kg_medical_zh" / "disease.csv.gz").read_bytes()).decode("gb18030")
    facts: Facts = defaultdict(lambda: defaultdict(set))
    aliases: dict[str, set[str]] = defaultdict(set)
    for row in list(csv.DictReader(io.StringIO(content)))[:limit]:
        name = row["name"].strip()
        if not name or "..." in name:
            continue
        for alias in row["alias"].replace("，", ",").replace("、", ",").replace("等", "").split(","):
            if alias.strip() and "..." not in alias:
                aliases[name].add(alias.strip())
        for column, (relation, kind) in COLUMNS.items():
            text = row[column]
            for word in NOTHING:
                text = text.replace(word, " ")
            parts = text.replace("、", " ").split() if kind else [" ".join(text.split())]
            own = {part for part in parts if part and "..." not in part}
            if own:
                facts[relation][name] |= own
    return facts, aliases


def medical(folder: Path, facts: Facts, aliases: dict[str, set[str]]) -> Path:
    """The knowledge base of diseases: things are told apart by class, so that one name may be of several."""
    source = Source("disease.csv")

    def schema(name: str, kind: Entity) -> list[Triple]:
        own = Entity(BASE + "schema/" + name)
        return [Triple(own, Entity(RDFS + "label"), Value(name, RDF + "langString", "zh")), Triple(own, TYPE, kind)]

    def thing(kind: str, name: str) -> Entity:
        return Entity(f"{BASE}{kind}/{local_name(name)}")

    def triples() -> Any:
        relation_kind, class_kind = Entity(RDF + "Property"), Entity(RDFS + "Class")
        for relation, others in OTHER_NAMES.items():
            for other in others:
                own = Entity(BASE + "schema/" + relation)
                yield Triple(own, Entity(SKOS + "altLabel"), Value(other, RDF + "langString", "zh"))
        for relation, kind in COLUMNS.values():
            yield from schema(f"{relation}", relation_kind)
            yield Triple(Entity(BASE + "schema/" + relation), Entity(RDFS + "domain"), Entity(BASE + "class/疾病"))
            if kind:
                yield Triple(
                    Entity(BASE + "schema/" + relation), Entity(RDFS + "range"), Entity(BASE + f"class/{kind}")
                )
        for kind in {"疾病", *(kind for _, kind in COLUMNS.values() if kind)}:
            own = Entity(BASE + "class/" + kind)
            yield Triple(own, TYPE, class_kind)
            yield Triple(own, Entity(RDFS + "label"), Value(kind, RDF + "langString", "zh"))
        named: set[tuple[str, str]] = set()
        for relation, kind in COLUMNS.values():
            for name, parts in facts[relation].items():
                named |= {("疾病", name), *((kind, part) for part in parts if kind)}
                for part in parts:
                    there = thing(kind, part) if kind else Value(part, RDF + "langString", "zh")
                    yield Triple(thing("疾病", name), Entity(BASE + "schema/" + relation), there)
        for kind, name in sorted(named):
            own = thing(kind, name)
            yield Triple(own, TYPE, Entity(BASE + "class/" + kind))
            yield Triple(own, Entity(RDFS + "label"), Value(name, RDF + "langString", "zh"))
            for alias in sorted(aliases.get(name, ())) if kind == "疾病" else ():
                yield Triple(own, Entity(SKOS + "altLabel"), Value(alias, RDF + "langString", "zh"))

    with KnowledgeBase.create(folder, base=BASE, languages=["zh"]) as kb:
        kb.add((triple, source) for triple in triples())
    return folder


def umls(folder: Path, data: Path) -> tuple[Path, Facts]:
    """The semantic network: names without labels."""
    facts: Facts = defaultdict(lambda: defaultdict(set))
    rows = []
    for split in ("train", "valid", "test"):
        for line in (data / "kg_umls" / f"{split}.txt").read_text().splitlines():
            head, relation, tail = line.split("\t")
            rows.append(Triple(Entity(BASE + head), Entity(BASE + relation), Entity(BASE + tail)))
            facts[relation.replace("_", " ")][head.replace("_", " ")].add(tail.replace("_", " "))
    with KnowledgeBase.create(folder, base=BASE) as kb:
        kb.add((each, Source("umls.txt")) for each in rows)
    return folder, facts


def clinic(folder: Path) -> Path:
    """The clinic with all that follows."""
    home = ROOT / "examples" / "clinic" / "knowledge"
    sibu.kb.create(folder, base="https://example.org/clinic/", languages=["en", "zh"])
    sibu.kb.add(folder, [home / "ontology.ttl", home / "drugs.ttl", home / "interactions.tsv"])
    sibu.kb.add(folder, home / "patients.csv", mapping=home / "patients.yaml")
    sibu.kb.rules(folder, sorted(home.glob("*.rules")))
    sibu.kb.infer(folder, ["owl", "rules"])
    return folder


# ---- what is right ---------------------------------------------------------------------------------------------------


def followed(facts: Facts, path: list[str]) -> set[str]:
    """What a path leads to: a name, then relations forward (``>``) or back (``<``)."""
    ends = {path[0]}
    for step in path[1:]:
        relation = facts[step[1:]]
        if step[0] == ">":
            ends = set().union(*(relation.get(end, set()) for end in ends))
        else:
            ends = {subject for subject, objects in relation.items() if objects & ends}
    return ends


def gold(row: dict[str, Any], facts: Facts | None) -> Any:
    """The right answer: a set of names, a number, yes or no; None: there is none."""
    if row["kind"] == "none" or "gold" in row:
        return set(row["gold"]) if isinstance(row.get("gold"), list) else row.get("gold")
    assert facts is not None
    paths = row.get("paths") or [row["path"]]
    ends = set.intersection(*(followed(facts, path) for path in paths))
    if row["kind"] == "whether":
        return row["to"] in ends
    return len(ends) if row["kind"] == "count" else ends


def judged(found: dict[str, Any], right: Any, labels: Any) -> str:
    """``right``, ``open`` or ``wrong``."""
    if found["status"] != "answered":
        return "right" if right is None else "open"
    if right is None:
        return "wrong"
    value = found["value"]
    if isinstance(value, list):
        value = {labels(each) for each in value}
    if isinstance(right, set) and not right:
        return "right" if value == set() else "wrong"
    same = type(value) is type(right) and value == right
    return "right" if same else "wrong"


# ---- asking ----------------------------------------------------------------------------------------------------------


def made(facts: Facts, count: int, seed: int) -> list[dict[str, Any]]:
    """Questions of the templates."""
    draw = random.Random(seed)
    names = sorted(name for name, parts in facts["症状"].items() if parts and facts["并发症"].get(name))
    rows = []
    for number in range(count):
        kind = list(TEMPLATES)[number % len(TEMPLATES)]
        template = draw.choice(TEMPLATES[kind])
        name = draw.choice(names)
        fills = {"d": name, "x": "瑟瓦利综合征"}
        for slot, relation in FIRST.items():
            parts = sorted(facts[relation].get(name, ())) if relation else []
            if relation and kind == "whether" and draw.random() < 0.5:  # half of them are not so
                parts = sorted(facts[relation].get(draw.choice(names), ()))
            if parts:
                fills[slot] = draw.choice(parts)
        if any(f"{{{slot}}}" in template and slot not in fills for slot in FIRST):
            continue
        row: dict[str, Any] = {"kb": "medical", "group": kind, "question": template.format(**fills)}
        if kind == "unanswerable":
            rows.append(row | {"kind": "none"})
            continue
        slot = next(slot for slot in "dsp" if f"{{{slot}}}" in template)
        row["path"] = [fills[slot], *MEANT[template]]
        row["kind"] = {"count": "count", "whether": "whether"}.get(kind, "which")
        if kind == "whether":
            row["to"] = next(fills[slot] for slot in "sck" if f"{{{slot}}}" in template)
        if kind == "whether" or followed(facts, row["path"]):  # else nothing is told of it
            rows.append(row)
    return rows


def asked(answerer: Answerer, kb: Any, row: dict[str, Any], facts: Facts | None) -> dict[str, Any]:
    """One question."""
    began = time.process_time()
    found = told(kb, answerer, answerer.ask(row["question"], limit=1))
    took = time.process_time() - began

    def label(term: dict[str, str]) -> str:
        return kb.label(Entity(term["iri"]), found["language"]) if "iri" in term else term["value"]

    right = gold(row, facts)
    verdict = judged(found, right, label)
    proved = all(each["verdict"] == "accepted" for each in found["answers"])
    return row | {"verdict": verdict, "milliseconds": took * 1000, "said": found["said"], "right": right,
                  "proved": proved, "rule": (found["plan"] or {}).get("rule"), "needed": found["needed"]}  # fmt: skip


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares of a group."""
    counts = Counter(row["verdict"] for row in rows)
    possible = [row for row in rows if row["kind"] != "none"]
    not_so = [row for row in rows if row["kind"] == "none"]
    own = {"questions": len(rows)} | {name: round(counts[name] / len(rows), 4) for name in ("right", "open", "wrong")}
    for name, some in (("answerable", possible), ("unanswerable", not_so)):
        if some:
            shares = Counter(row["verdict"] for row in some)
            own[name] = {"questions": len(some), **{each: shares[each] for each in ("right", "open", "wrong")}}
    own["proofs_rejected"] = sum(not row["proved"] for row in rows)
    return own | {"milliseconds": measure.spread([row["milliseconds"] for row in rows], 1)}


def main() -> None:
    """Make the knowledge bases and ask."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--split", choices=("dev", "test"), action="append", help="of the questions by hand")
    parser.add_argument("--show", action="store_true", help="show those of dev that are not right")
    parser.add_argument("--model", help="encoder for what is said in other words")
    parser.add_argument("--templates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=13)
    given = parser.parse_args()
    splits = given.split or ["dev", "test"]
    files = sorted(QUESTIONS.glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    rows = [row | {"group": f"{row['kb']} {row['split']}"} for row in rows if row["split"] in splits]
    facts, aliases = diseases(given.data, given.limit)
    rows += made(facts, given.templates, given.seed)
    given.work.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"name": "asking" if not given.model else f"asking-{given.model}", "seed": given.seed}
    done: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=given.work) as scratch:
        place = Path(scratch)
        network, network_facts = umls(place / "umls", given.data)
        homes = {"medical": (medical(place / "medical", facts, aliases), facts), "umls": (network, network_facts),
                 "clinic": (clinic(place / "clinic"), None)}  # fmt: skip
        for name, (home, own) in homes.items():
            with sibu.kb.open(home) as kb:
                began = time.process_time()
                encode = None
                if given.model:
                    from sibu.curation.linking.meaning import encoder

                    encode = encoder(given.model)
                answerer = Answerer(kb, encode)
                answerer.ask("?? x", limit=1)
                result[name] = {"facts": kb.version.facts, "names": len(answerer.linker.aliases.keys),
                                "seconds_to_open": round(time.process_time() - began, 2)}  # fmt: skip
                done += [asked(answerer, kb, row, own) for row in rows if row["kb"] == name]
    groups = sorted({row["group"] for row in done})
    result["groups"] = {group: summed([row for row in done if row["group"] == group]) for group in groups}
    for row in done if given.show else ():
        if row["verdict"] != "right" and row.get("split") != "test":
            print(row["group"], row["verdict"], row["question"], "->", row["said"], "|", row["rule"], "|", row["right"],
                  row["needed"][:2], file=sys.stderr)  # fmt: skip
    print(json.dumps(result, ensure_ascii=False, indent=1))
    if not given.limit and set(splits) == {"dev", "test"}:
        sets = [given.data / "kg_medical_zh" / "disease.csv.gz", given.data / "kg_umls" / "train.txt", *files]
        measure.keep(result | measure.facts(sets), given.results)


if __name__ == "__main__":
    main()
