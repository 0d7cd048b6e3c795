"""Bring the measuring data into Sibu's forms.

    python bench/prepare.py DATA OUT

DATA is the folder with one sub-folder a set (`cls_banking77_en`, ...); OUT gets one folder a benchmark with its files.
Nothing is left out: what a set's own format cannot say is written down in each function.
"""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import random
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sibu.core.example import join_tokens


def text_of(path: Path) -> str:
    """A file's text, whether it is stored plain or as .gz."""
    packed = path.with_name(path.name + ".gz")
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    return data.decode("utf-8-sig")


def lines_of(path: Path) -> list[str]:
    """Lines ended by a newline alone: some texts hold other line separators."""
    return [line.rstrip("\r") for line in text_of(path).split("\n") if line.strip()]


def write(path: Path, rows: Iterable[dict]) -> None:
    """Rows as JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def conll2003(data: Path, out: Path) -> None:
    """Token and tag columns as they are; document marks are no sentences."""
    out.mkdir(parents=True, exist_ok=True)
    for name, split in (("train.txt", "train"), ("valid.txt", "dev"), ("test.txt", "test")):
        (out / f"{split}.conll").write_text(text_of(data / "ner_conll2003_en" / name), encoding="utf-8")


def _disease(raw: str, data: Path, out: Path) -> None:
    """Token and tag columns; tags of other classes than Disease become O."""
    for split, name in (("train", "train"), ("devel", "dev"), ("test", "test")):
        place = out / f"{name}.conll"
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("w", encoding="utf-8") as file:
            for line in text_of(data / raw / f"{split}.tsv").split("\n"):
                word, _, tag = line.rstrip("\r").partition("\t")
                file.write(f"{word}\t{tag if tag[2:] == 'Disease' else 'O'}\n" if word.strip() else "\n")


def ncbi_diseases(data: Path, out: Path) -> None:
    """Diseases in abstracts of PubMed."""
    _disease("ner_ncbi_disease_en", data, out)


def bc5cdr_diseases(data: Path, out: Path) -> None:
    """The same of BC5CDR, whose chemicals are left out."""
    _disease("ner_bc5cdr_en", data, out)


def banking77(data: Path, out: Path) -> None:
    """Text and category. No dev set: Sibu splits one from train."""
    for split in ("train", "test"):
        rows = csv.DictReader(text_of(data / "cls_banking77_en" / f"{split}.csv").splitlines(keepends=True))
        write(out / f"{split}.jsonl", ({"text": row["text"], "label": row["category"]} for row in rows))


def sst2(data: Path, out: Path) -> None:
    """Sentence level: label, blank, sentence."""
    for split in ("train", "dev", "test"):
        lines = lines_of(data / "cls_sst2_en" / f"stsa.binary.{split}")
        write(
            out / f"{split}.jsonl",
            ({"text": line[2:], "label": ("negative", "positive")[int(line[0])]} for line in lines),
        )


def atis(data: Path, out: Path) -> None:
    """Row-aligned id files without BOS and EOS. The last 500 training rows are dev, as in the 4,478/500/893 split."""
    home = data / "cls_atis_en"
    words, slots, intents = (lines_of(home / f"atis.dict.{name}.csv") for name in ("vocab", "slots", "intent"))

    def rows(split: str) -> Iterator[dict]:
        files = [lines_of(home / f"atis.{split}.{name}.csv") for name in ("query", "slots", "intent")]
        for query, tags, intent in zip(*files, strict=True):
            tokens = [words[int(n)] for n in query.split()]
            names = [slots[int(n)] for n in tags.split()]
            yield {
                "tokens": tokens[1:-1],
                "text": " ".join(tokens[1:-1]),
                "tags": names[1:-1],
                "label": intents[int(intent)],
            }

    whole = list(rows("train"))
    write(out / "train.jsonl", whole[:-500])
    write(out / "dev.jsonl", whole[-500:])
    write(out / "test.jsonl", rows("test"))


def semeval(data: Path, out: Path) -> None:
    """Sentence with <e1> and <e2>; `Cause-Effect(e1,e2)` is a relation with head e1. Other: no relation."""

    def rows(name: str) -> Iterator[dict]:
        found = re.findall(r'^(\d+)\t"(.*)"\s*\n(\S+)', text_of(data / "re_semeval2010_task8_en" / name), re.M)
        for number, marked, relation in found:
            entities, text = [], marked
            for mark in ("e1", "e2"):
                start = text.index(f"<{mark}>")
                text = text.replace(f"<{mark}>", "", 1)
                end = text.index(f"</{mark}>")
                text = text.replace(f"</{mark}>", "", 1)
                entities.append({"start": start, "end": end})
            label, _, order = relation.partition("(")
            head, tail = (1, 0) if order.startswith("e2") else (0, 1)
            relations = [{"head": head, "tail": tail, "label": label}]
            yield {"id": int(number), "text": text, "entities": entities, "relations": relations}

    write(out / "train.jsonl", rows("TRAIN_FILE.TXT"))
    write(out / "test.jsonl", rows("TEST_FILE_FULL.TXT"))


def mrpc(data: Path, out: Path) -> None:
    """Two sentences, 1 for a paraphrase."""
    for name, split in (("train", "train"), ("val", "dev"), ("test", "test")):
        rows = [line.split("\t") for line in lines_of(data / "pair_mrpc_en" / f"msr-para-{name}.tsv")[1:]]
        names = ("different", "paraphrase")
        write(out / f"{split}.jsonl", ({"text": r[3], "text_pair": r[4], "label": names[int(r[0])]} for r in rows))


def rte(data: Path, out: Path) -> None:
    """Premise and hypothesis; the labelled validation set is the test, dev is split from train."""
    for name, split in (("train", "train"), ("val", "test")):
        rows = map(json.loads, lines_of(data / "nli_rte_en" / f"{name}.jsonl"))
        write(
            out / f"{split}.jsonl",
            ({"text": r["premise"], "text_pair": r["hypothesis"], "label": r["label"]} for r in rows),
        )


def cluener(data: Path, out: Path) -> None:
    """Character spans. The labelled dev set is the test (the official test has no labels), dev is split from train."""
    for name, split in (("train", "train"), ("dev", "test")):
        rows = map(json.loads, lines_of(data / "ner_cluener_zh" / f"{name}.txt"))
        write(
            out / f"{split}.jsonl",
            (
                {
                    "text": row["text"],
                    "entities": [
                        {
                            "start": e["entity_index"]["begin"],
                            "end": e["entity_index"]["end"],
                            "label": e["entity_type"],
                        }
                        for e in row["entity_list"]
                    ],
                }
                for row in rows
            ),
        )


def chnsenticorp(data: Path, out: Path) -> None:
    """Text, tab, label."""
    for split in ("train", "dev", "test"):
        rows = [line.rsplit("\t", 1) for line in lines_of(data / "cls_chnsenticorp_split_zh" / f"{split}.txt")]
        write(out / f"{split}.jsonl", ({"text": r[0], "label": ("negative", "positive")[int(r[1])]} for r in rows))


def cmrc(data: Path, out: Path) -> None:
    """SQuAD JSON as it is; the official dev set is trained on, trial is the test."""
    out.mkdir(parents=True, exist_ok=True)
    for name, split in (("cmrc2018_dev", "train"), ("cmrc2018_trial", "test")):
        (out / f"{split}.json").write_text(text_of(data / "qa_cmrc2018_zh" / f"{name}.json"), encoding="utf-8")


SOURCES = ("apparel", "baby", "health_personal_care", "magazines", "software")
TARGETS = ("books", "dvd", "electronics", "kitchen_housewares")


def amazon(data: Path, out: Path) -> None:
    """Five source domains to train on (their own dev and test joined), four target domains to test on."""
    home = data / "xdom_amazon_reviews_en"

    def rows(domain: str, split: str) -> Iterator[dict]:
        for line in lines_of(home / f"{domain}.t4.{split}"):
            text, label = line.rsplit("\t", 1)
            yield {"text": text, "label": "positive" if label.strip() == "1" else "negative", "domain": domain}

    for split in ("train", "dev", "test"):
        write(out / f"sources.{split}.jsonl", [row for domain in SOURCES for row in rows(domain, split)])
    for domain in TARGETS:
        write(out / f"{domain}.test.jsonl", rows(domain, "test"))


def growing(data: Path, out: Path) -> None:
    """1, 3 and 10 times as many rows of like lengths, to see how cost grows: AG News, a number before each text."""
    rows = list(csv.reader(text_of(data / "cls_ag_news_en" / "test.csv").splitlines(keepends=True)))
    draw = random.Random(13)
    for factor in (1, 3, 10):
        picked = (draw.choice(rows) for _ in range(5000 * factor))
        write(out / f"x{factor}.jsonl", ({"text": f"{n} {r[-2]} {r[-1]}", "label": r[0]} for n, r in enumerate(picked)))


def dialogsum(data: Path, out: Path) -> None:
    """Dialogue and summary; the test rows have three summaries each. The training part is the one of June 2021."""
    home = data / "sum_dialogsum_en"
    with zipfile.ZipFile(home / "DialogSum_Data.zip") as packed:
        lines = packed.read("DialogSum_Data/dialogsum.train.jsonl").decode("utf-8").split("\n")
    train = [ast.literal_eval(line) for line in lines if line.strip()]
    write(out / "train.jsonl", ({"dialogue": row["dialogue"], "summary": row["summary"]} for row in train))
    for split in ("dev", "test"):
        rows = [json.loads(line) for line in lines_of(home / f"dialogsum.{split}.jsonl")]
        several = [
            [row[f"summary{number}"] for number in (1, 2, 3)] if split == "test" else row["summary"] for row in rows
        ]
        write(
            out / f"{split}.jsonl",
            ({"dialogue": row["dialogue"], "summary": own} for row, own in zip(rows, several, strict=True)),
        )


def multi30k(data: Path, out: Path) -> None:
    """English and German captions, line by line."""
    home = data / "mt_multi30k_en_de_fr"
    for name, split in (
        ("train", "train"),
        ("val", "dev"),
        ("test_2016_flickr", "test"),
        ("test_2017_flickr", "test2017"),
    ):
        english, german = ([line.strip() for line in lines_of(home / f"{name}.{tongue}")] for tongue in ("en", "de"))
        write(out / f"{split}.jsonl", ({"en": one, "de": other} for one, other in zip(english, german, strict=True)))


def bitext(data: Path, out: Path) -> None:
    """What a customer says and the reply. The set has no split: a seeded tenth each is dev and test."""
    source = text_of(data / "dlg_bitext_customer_support_en" / "Bitext_Sample_Customer_Support_Training_Dataset.csv")
    found = [{"text": row["instruction"], "reply": row["response"]} for row in csv.DictReader(io.StringIO(source))]
    random.Random(13).shuffle(found)
    tenth = len(found) // 10
    for split, rows in (("dev", found[:tenth]), ("test", found[tenth : 2 * tenth]), ("train", found[2 * tenth :])):
        write(out / f"{split}.jsonl", rows)


def agnews(data: Path, out: Path) -> None:
    """Title and description. Of the 7,600 rows that there are the first 5,600 are train, the last 2,000 test."""
    names = ("World", "Sports", "Business", "Science/Tech")
    source = csv.DictReader(io.StringIO(text_of(data / "cls_ag_news_en" / "test.csv")))
    found = [
        {"text": f"{row['Title']} {row['Description']}", "label": names[int(row["Class Index"]) - 1]} for row in source
    ]
    write(out / "train.jsonl", found[:5600])
    write(out / "test.jsonl", found[5600:])


def trec(data: Path, out: Path) -> None:
    """Question and coarse type. No dev set."""
    for split in ("train", "test"):
        lines = [line.split(" ", 1) for line in lines_of(data / "cls_trec_en" / f"{split}.txt")]
        write(out / f"{split}.jsonl", ({"text": text, "label": kind.split(":")[0]} for kind, text in lines))


def meta(data: Path, out: Path) -> None:
    """Texts with fine labels to learn a start from: customers' intents, kinds of questions, intents of travellers."""
    source = text_of(data / "dlg_bitext_customer_support_en" / "Bitext_Sample_Customer_Support_Training_Dataset.csv")
    found = csv.DictReader(io.StringIO(source))
    write(out / "support.jsonl", ({"text": row["instruction"], "label": row["intent"]} for row in found))
    lines = [line.split(" ", 1) for line in lines_of(data / "cls_trec_en" / "train.txt")]
    write(out / "questions.jsonl", ({"text": text, "label": kind} for kind, text in lines))
    atis(data, out)
    rows = [json.loads(line) for line in lines_of(out / "train.jsonl")]
    write(out / "travel.jsonl", ({"text": row["text"], "label": row["label"]} for row in rows))
    for split in ("train", "dev", "test"):
        (out / f"{split}.jsonl").unlink()


FEWCLUE = ("tnews", "eprstmt", "csldcp", "ocnli", "bustm", "cluewsc", "csl")


def fewclue(data: Path, out: Path) -> None:
    """Seven Chinese sets of few rows: train and dev (`_0`) and the public test, as text, text_pair and label.

    tnews takes the Chinese names of its labels, csl joins its keywords, cluewsc puts the two spans behind its text.
    """
    home = data / "fewclue_zh"
    names = {row["label"]: row["label_zh"] for row in map(json.loads, lines_of(home / "tnews/label_index2en2zh.json"))}
    for name in FEWCLUE:
        for file, split in (("train_0", "train"), ("dev_0", "dev"), ("test_public", "test")):
            rows = map(json.loads, lines_of(home / name / f"{file}.json"))
            write(out / f"{name}.{split}.jsonl", (_fewclue(name, row, names) for row in rows))


def _fewclue(name: str, row: dict, names: dict) -> dict:
    label = str(row["label"])
    if name == "tnews":
        return {"text": row["sentence"], "label": names[label]}
    if name == "csl":
        return {"text": row["abst"], "text_pair": "、".join(row["keyword"]), "label": label}
    if name == "cluewsc":
        target = row["target"]
        return {"text": row["text"], "text_pair": f"{target['span2_text']}：{target['span1_text']}", "label": label}
    if "sentence1" in row:
        return {"text": row["sentence1"], "text_pair": row["sentence2"], "label": label}
    return {"text": row.get("sentence") or row["content"], "label": label}


def conll04(data: Path, out: Path) -> None:
    """Sentences with entities and relations; a row a sentence. Split of Gupta et al. 2016.

    A relation stands at the last token of its first argument, with the number of the last token of its second.
    """
    for split in ("train", "dev", "test"):
        blocks = re.split(r"^#doc (.*)\n", text_of(data / "re_conll04_en" / f"{split}.txt"), flags=re.M)[1:]
        pairs = zip(blocks[::2], blocks[1::2], strict=True)
        write(out / f"{split}.jsonl", (_conll04(f"{split}-{name.strip()}", block) for name, block in pairs))


def _conll04(name: str, block: str) -> dict:
    rows = [line.split("\t") for line in block.splitlines() if line.strip()]
    text, places = join_tokens([row[1] for row in rows])
    entities: list[dict] = []
    of_token: dict[int, int] = {}
    for number, row in enumerate(rows):
        mark, _, label = row[2].partition("-")
        if mark == "I" and number - 1 in of_token and entities[-1]["label"] == label:
            entities[-1]["end"] = places[number][1]
        elif mark != "O":
            entities.append({"start": places[number][0], "end": places[number][1], "label": label})
        if mark != "O":
            of_token[number] = len(entities) - 1
    relations = []
    for number, row in enumerate(rows):
        for label, other in zip(ast.literal_eval(row[3]), ast.literal_eval(row[4]), strict=True):
            if label != "N":
                relations.append({"head": of_token[number], "tail": of_token[other], "label": label})
    return {"id": name, "text": text, "entities": entities, "relations": relations}


def bc5cdr(data: Path, out: Path) -> None:
    """Tokens and tags, as text with spans; a row a sentence. Chemicals and diseases."""
    _tagged(data / "ner_bc5cdr_en", out)


def ncbi(data: Path, out: Path) -> None:
    """Tokens and tags, as text with spans; a row a sentence. Diseases."""
    _tagged(data / "ner_ncbi_disease_en", out)


def _tagged(home: Path, out: Path) -> None:
    for name, split in (("train", "train"), ("devel", "dev"), ("test", "test")):
        blocks = [block for block in re.split(r"\n\s*\n", text_of(home / f"{name}.tsv")) if block.strip()]
        write(out / f"{split}.jsonl", (_spans(f"{split}-{place}", block) for place, block in enumerate(blocks)))


def _spans(name: str, block: str) -> dict:
    rows = [line.split("\t") for line in block.splitlines() if line.strip()]
    text, places = join_tokens([row[0] for row in rows])
    entities: list[dict] = []
    for place, row in zip(places, rows, strict=True):
        mark, _, label = row[1].strip().partition("-")
        if mark == "I" and entities and entities[-1]["label"] == label:
            entities[-1]["end"] = place[1]
        elif mark != "O":
            entities.append({"start": place[0], "end": place[1], "label": label})
    return {"id": name, "text": text, "entities": entities}


BENCHMARKS = {
    function.__name__: function
    for function in (
        conll2003,
        banking77,
        sst2,
        atis,
        semeval,
        mrpc,
        rte,
        cluener,
        chnsenticorp,
        cmrc,
        amazon,
        dialogsum,
        multi30k,
        bitext,
        agnews,
        trec,
        fewclue,
        meta,
        ncbi_diseases,
        bc5cdr_diseases,
        conll04,
        bc5cdr,
        ncbi,
    )
}


def main() -> None:
    """Prepare every set."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    for name, function in BENCHMARKS.items():
        function(data, out / name)
        print(name, {path.name: sum(1 for _ in path.open(encoding="utf-8")) for path in sorted((out / name).iterdir())})


if __name__ == "__main__":
    main()
