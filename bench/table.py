"""Rewrite the tables of bench/README.md from bench/results.

    python bench/table.py [--check] [--results DIR] [--page FILE]

The tables stand between ``<!-- table:begin -->`` and ``<!-- table:end -->``; where the page has no such marks they are
put at its end. ``--check`` writes nothing and ends with 1 where the page is not current. What has no result is said to
be not measured; a result of a try with ``--limit`` is passed over. Bars and published figures are literal here; what is
published is as the sources of each set's repository state it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aligned_lines import aligned
from few_lines import few
from fused_lines import fused
from knowledge_lines import knowledge
from known_lines import known
from lines import NONE, Line, Results, judged, shown, spread
from link_lines import links
from reading_lines import reading

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- table:begin -->", "<!-- table:end -->"


@dataclass(frozen=True)
class Quality:
    """A score of one run: where it stands, and what it is held against."""

    measure: str
    run: str
    task: str
    metric: str
    bar: float | None = None
    """In hundredths; None: the figure alone is asked for."""
    published: str = "none verified"
    split: str = "test"
    plain: str | None = None
    """Whose plain fine-tuning stands beside it; None: of ``run``."""
    no_worse: bool = False
    """The bar is plain fine-tuning."""


_CONLL = "BERT-base-cased 89.7 (BERT-NER), 92.4 (Google)"
_CMRC = "trained on train (not to be had), judged on dev: BERT 84.5, RoBERTa-wwm-large 88.4"
_MRPC = "Ji & Eisenstein 2013 {}, He et al. 2015 {} (full train)"
QUALITY = (
    Quality(
        "CoNLL-2003, test span F1",
        "conll2003",
        "entities",
        "f1",
        88.5,
        "BERT-base-cased 89.7 (BERT-NER), 92.4 (Google)",
    ),
    Quality("Banking77, test accuracy", "banking77", "intent", "accuracy", 92.5),
    Quality("SST-2 (sentences only), test accuracy", "sst2", "sentiment", "accuracy", 88.0),
    Quality("ATIS, intent accuracy", "atis", "intent", "accuracy", 97.0, "joint BERT-base 97.9 (JointBERT)"),
    Quality("ATIS, slots F1", "atis", "slots", "f1", 95.0, "joint BERT-base 95.6 (JointBERT)"),
    Quality("SemEval-2010 task 8, official macro-F1", "semeval", "relation", "macro_f1", 82.0),
    Quality("MRPC, test accuracy", "mrpc", "paraphrase", "accuracy", None, _MRPC.format("80.4", "78.6")),
    Quality("MRPC, test F1", "mrpc", "paraphrase", "f1", None, _MRPC.format("85.9", "84.7")),
    Quality("RTE, validation accuracy", "rte", "entailment", "accuracy"),
    Quality("CLUENER, dev F1", "cluener", "entities", "f1", None, "BERT-base 64.7 (early README)", no_worse=True),
    Quality("ChnSentiCorp, test accuracy", "chnsenticorp", "sentiment", "accuracy", no_worse=True),
    Quality("CMRC 2018 (train on dev, test on trial), F1", "cmrc", "answer", "f1", None, _CMRC, no_worse=True),
)
LORA = (("banking77", "intent", "accuracy", "Banking77"), ("conll2003", "entities", "f1", "CoNLL-2003"))
TOGETHER = (("conll2003", "entities", "f1"), ("banking77", "intent", "accuracy"), ("sst2", "sentiment", "accuracy"))
DOMAINS = ("sources", "books", "dvd", "electronics", "kitchen")


def read(folder: Path) -> Results:
    """The results by name, without those of tries."""
    found = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}
    return {name: each for name, each in found.items() if "limit" not in each}


def score(results: Results, run: str, task: str, split: str, metric: str) -> dict[str, float] | None:
    """One score of a result, or None where it is not there."""
    place: Any = results.get(run, {}).get("metrics", {})
    for key in (task, split, metric):
        place = place.get(key, {})
    return place or None


def best_plain(results: Results, name: str, task: str, split: str, metric: str) -> tuple[dict[str, float] | None, str]:
    """The best of plain fine-tuning's settings on this very score, and how it is shown."""
    found = []
    for run, result in results.items():
        if run == f"plain-{name}" or run.startswith(f"plain-{name}-e"):
            own = score(results, run, task, split, metric)
            if own is not None:
                setting = result["setting"]
                found.append((own["value"], f"{setting['epochs']:g} epochs, {setting['learning_rate']:g}", own))
    if not found:
        return None, NONE
    _, setting, own = max(found, key=lambda each: each[0])
    return own, f"{shown(own)}; {setting}"


def quality(results: Results, each: Quality) -> Line:
    """A line of a score."""
    place = (each.task, each.split, each.metric)
    own = score(results, each.run, *place)
    other, said = best_plain(results, each.plain or each.run, *place)
    bar = "stated" if each.bar is None else f"≥ {each.bar:.1f}"
    if each.no_worse:
        bar = "no worse than plain"
        good = None if own is None or other is None else own["value"] >= other["value"]
    else:
        good = None if own is None else each.bar is None or 100 * own["value"] >= each.bar
    verdict = "stated" if good and bar == "stated" else judged(good)
    return Line(each.measure, bar, NONE if own is None else shown(own), said, each.published, verdict)


def lora(results: Results, run: str, task: str, metric: str, title: str) -> Line:
    """LoRA against full fine-tuning of the same recipe."""
    bar = "rank ≤ 8: ≥ 99 % of full's score with ≤ 2 % of the encoder's weights"
    small, full = (score(results, name, task, "test", metric) for name in (f"{run}-lora", run))
    if small is None or full is None:
        return Line(f"LoRA against full, {title}", bar, plain="—", published="—")
    weights = results[f"{run}-lora"]["weights"]
    kept, share = small["value"] / full["value"], weights["encoder_trained"] / weights["encoder"]
    said = f"{shown(small)}: {100 * kept:.1f} % of {100 * full['value']:.1f} with {100 * share:.2f} %"
    return Line(f"LoRA against full, {title}", bar, said, "—", "—", judged(kept >= 0.99 and share <= 0.02))


def together(results: Results) -> Line:
    """Three tasks in one run against three runs."""
    title, bar = "Three tasks together against three runs, mean", "≥ −0.5 points"
    pairs = [
        (score(results, "together", task, "test", metric), score(results, run, task, "test", metric))
        for run, task, metric in TOGETHER
    ]
    found = [(one["value"], three["value"]) for one, three in pairs if one is not None and three is not None]
    if len(found) < len(TOGETHER):
        return Line(title, bar, plain="—", published="—")
    one, three = (100 * sum(values) / len(found) for values in zip(*found, strict=True))
    said = f"{one:.1f} against {three:.1f} ({one - three:+.1f})"
    return Line(title, bar, said, "—", "—", judged(one - three >= -0.5))


def amazon(results: Results) -> list[Line]:
    """Each domain, and how far it is below the domains trained on."""
    lines = []
    at_home = {metric: score(results, "amazon", "sentiment", "sources", metric) for metric in ("accuracy", "macro_f1")}
    for domain in DOMAINS:
        for metric, home in at_home.items():
            own = score(results, "amazon", "sentiment", domain, metric)
            said = NONE if own is None else shown(own)
            if own is not None and home is not None and domain != "sources":
                said += f", gap {100 * (home['value'] - own['value']):.1f}"
            title = "trained domains" if domain == "sources" else domain
            plain = best_plain(results, "amazon", "sentiment", domain, metric)[1]
            verdict = NONE if own is None else "stated"
            lines.append(
                Line(f"Amazon, {title}, {metric.replace('_', ' ')}", "stated", said, plain, "none verified", verdict)
            )
    return lines


def speed(results: Results) -> list[Line]:
    """Training and prediction against the others, and the probe's epochs."""
    lines = []
    found = results.get("speed-conll2003")
    plain = score(results, "plain-conll2003", "entities", "test", "f1")
    for side, bar, title in (("tutorial", 5.0, "the tutorial loop"), ("trainer", 1.5, "`Trainer`")):
        measure, allowed = (
            f"Training CoNLL-2003 against {title}, sentences a second",
            f"≥ {bar} x at the same F1 (± 0.5)",
        )
        if found is None:
            lines.append(Line(measure, allowed, plain="1 x", published="—"))
            continue
        own = found["f1"]["sibu"]
        said = f"{spread(found['ratios'][side])}; F1 {100 * own:.1f}"
        fast = found["ratios"][side]["median"] >= bar
        other = "1 x; F1 not measured" if plain is None else f"1 x; F1 {100 * plain['value']:.1f}"
        good = None if plain is None else fast and own >= plain["value"] - 0.005
        lines.append(Line(measure, allowed, said, other, "—", judged(good)))
    title, bar = "Probe on Banking77: first epoch over later ones", "≥ 20 x"
    probe = results.get("probe-epochs")
    if probe is None:
        lines.append(Line(title, bar, plain="—", published="—"))
    else:
        ratio = probe["with_dev"]["ratio"], probe["training"]["ratio"]
        said = f"{ratio[0]:.0f} x with its dev score, {ratio[1]:.0f} x the steps alone"
        lines.append(Line(title, bar, said, "—", "—", judged(min(ratio) >= 20)))
    predicted = results.get("predict-speed", {}).get("bundles", [])
    title, bar = "Prediction against a `pipeline` at default settings", "≥ 2 x, same answers"
    if not predicted:
        lines.append(Line(title, bar, plain="1 x", published="—"))
    for each in predicted:
        same = each["answers"]
        compared = same["inputs"] - same.get("not_comparable", 0)
        said = f"{spread(each['ratio'])}; {same['same_answers']} of {compared} answers the same"
        said += f", scores within {same['largest_score_difference']:.0e}"
        good = each["ratio"]["median"] >= 2 and same["same"]
        lines.append(Line(f"{title}, {each['bundle']} ({each['type']})", bar, said, "1 x", "—", judged(good)))
    return lines


def growth(results: Results) -> list[Line]:
    """Memory and time from the smallest to the largest size."""
    title, bar = "Cost from 1 x to 10 x the data", "stated; memory flat, time linear"
    ratios = results.get("growth", {}).get("ratios", {})
    lines = []
    for what, own in ratios.items():
        said = f"rows {own['rows']:.0f} x: time {own['time']:.1f} x, memory {own['memory']:.2f} x"
        if "bend" in own:
            said += f"; a row costs {own['bend']:.2f} x as much in the upper part, {own['milliseconds_a_row']:.2f} ms"
        lines.append(Line(f"{title}, `{what}`", bar, said, "—", "—", "stated"))
    return lines or [Line(title, bar, plain="—", published="—")]


WRITING = (
    ("dialogsum", "summary", "test", ("rouge1", "rougeL"), "SmolLM2 LoRA on DialogSum, test"),
    ("multi30k", "german", "test", ("bleu", "chrf"), "SmolLM2 LoRA on Multi30k en→de, test 2016"),
    ("bitext", "reply", "test", ("rougeL", "chrf"), "SmolLM2 LoRA on Bitext, test"),
)
_TINY = "Transformer-Tiny of Wu et al. 2021 (arXiv:2105.14462), as its paper is known, not verified here: 41.0, 33.4"


def writing(results: Results) -> list[Line]:
    """What models write: fine-tuning, bounds, preferences, speeds, a model from nothing."""
    lines = []
    for name, task, split, metrics, title in WRITING:
        found = results.get(f"writing-{name}")
        bar = "before and after stated; same after saving and loading"
        if found is None:
            lines.append(Line(title, bar, plain="—", published="none verified"))
            continue
        before, after = (found[side][task][split] for side in ("before", "after"))
        said = ", ".join(f"{metric} {100 * before[metric]['value']:.1f} → {shown(after[metric])}" for metric in metrics)
        said += f", perplexity {before['perplexity']['value']:.1f} → {after['perplexity']['value']:.1f}"
        lines.append(Line(title, bar, said, "—", "none verified", judged(found["same_after_loading"])))
    lines += [_constrained(results), _preferred(results), *_writing_speeds(results)]
    title, bar = "Multi30k en→de from nothing, own tokenizer: BLEU on test 2016, 2017", "stated"
    own = [score(results, "multi30k-new", "german", f"flickr{year}", "bleu") for year in (2016, 2017)]
    if own[0] is None or own[1] is None:
        return [*lines, Line(title, bar, plain="—", published=_TINY)]
    return [*lines, Line(title, bar, ", ".join(map(shown, own)), "—", _TINY, "stated")]  # type: ignore[arg-type]


def _constrained(results: Results) -> Line:
    title, bar = "Constrained decoding, 1,000 prompts", "100 % valid; cost stated"
    found = results.get("constrained")
    if found is None:
        return Line(title, bar, plain="—", published="—")
    parts = [
        f"{kind}: {each['bound']['valid']} of {each['bound']['answers']} valid (free: {each['free']['valid']}), "
        f"a piece costs {each['cost']:.2f} x"
        for kind, each in found["kinds"].items()
    ]
    whole = all(each["bound"]["valid"] == each["bound"]["answers"] >= 1000 for each in found["kinds"].values())
    return Line(title, bar, "; ".join(parts), "—", "—", judged(whole))


def _preferred(results: Results) -> Line:
    title, bar = "DPO on DialogSum pairs, held-out accuracy", "before and after stated; summaries no worse"
    found = results.get("preferences")
    if found is None:
        return Line(title, bar, plain="—", published="—")
    parts = [
        f"{kind} {100 * found['before'][kind]['accuracy']['value']:.1f} → {shown(found['after'][kind]['accuracy'])}"
        for kind in found["before"]
        if kind != "dev"
    ]
    rouge = [found["written"][side]["rougeL"] for side in ("before", "after")]
    parts.append(f"ROUGE-L of summaries {100 * rouge[0]['value']:.1f} → {shown(rouge[1])}")
    return Line(title, bar, "; ".join(parts), "—", "—", judged(rouge[1]["high"] >= rouge[0]["value"]))


def _writing_speeds(results: Results) -> list[Line]:
    lines = []
    found = results.get("training-speed")
    for side, bar, name in (
        ("trl", 1.5, "`SFTTrainer` at its defaults"),
        ("trl_plain", None, "the same without gradient checkpointing"),
    ):
        title = f"Training SmolLM2 by LoRA, real pieces a second, against TRL's {name}"
        asked = "stated" if bar is None else f"≥ {bar} x; padding and memory stated"
        if found is None:
            lines.append(Line(title, asked, plain="1 x", published="—"))
            continue
        last, ratio = found["rounds"][-1], found["ratios"][side]
        said = f"{spread(ratio)}; {last['sibu']['pieces_per_second']:.0f} a second, no padding, "
        said += f"{last['sibu']['peak_memory_bytes'] / 2**30:.1f} GiB"
        other = (
            f"1 x; {last[side]['pieces_per_second']:.0f} a second, {100 * last[side]['padding_share']:.0f} % padding, "
        )
        other += f"{last[side]['peak_memory_bytes'] / 2**30:.1f} GiB"
        verdict = "stated" if bar is None else judged(ratio["median"] >= bar)
        lines.append(Line(title, asked, said, other, "—", verdict))
    title = "Writing with SmolLM2, pieces a second, against `generate` one by one"
    found = results.get("writing-speed")
    if found is None:
        return [*lines, Line(title, "stated", plain="1 x", published="—")]
    last = found["rounds"][-1]
    said = f"{spread(found['ratio'])}; {last['sibu']['pieces_per_second']:.0f} a second; "
    said += f"{found['same_answers']} of {found['answers']} answers the same"
    return [*lines, Line(title, "stated", said, f"1 x; {last['one_by_one']['pieces_per_second']:.0f}", "—", "stated")]


def costs(results: Results) -> list[list[str]]:
    """What each run of Sibu and of plain fine-tuning cost."""
    rows = []
    for name, each in results.items():
        if "metrics" not in each or "seconds" not in each:
            continue
        speeds = [each["examples_per_second"]] if "examples_per_second" in each else []
        speeds += [task["examples_per_second"] for task in each.get("tasks", {}).values()]
        rows.append(
            [
                name,
                f"{each['seconds']['training'] / 60:.1f}",
                f"{each['seconds']['total'] / 60:.1f}",
                ", ".join(f"{speed:.1f}" for speed in speeds),
                f"{each['peak_memory_bytes'] / 2**20:.0f}",
                f"{each['bundle_bytes'] / 2**20:.0f}" if "bundle_bytes" in each else "—",
                str(each["machine"]["threads"]),
                each["date"],
            ]
        )
    return rows


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return [lines[0], f"|{'|'.join('---' for _ in head)}|", *lines[1:]]


def page(results: Results) -> str:
    """Everything between the marks."""
    lines = [quality(results, each) for each in QUALITY]
    lines += [lora(results, *each) for each in LORA]
    lines += [together(results), *amazon(results), *speed(results), *growth(results), *writing(results), *few(results)]
    lines += [*knowledge(results), *reading(results), *known(results)]
    lines += [*links(results), *aligned(results), *fused(results)]
    rows = [[each.measure, each.bar, each.sibu, each.plain, each.published, each.verdict] for each in lines]
    head = ("measure", "bar", "Sibu (95 % interval)", "plain transformers", "published", "verdict")
    count: Callable[[str], int] = [each.verdict for each in lines].count
    told = f"{count('met')} bars met, {count('**missed**')} missed, {count(NONE)} lines not measured."
    machines = sorted({each["machine"]["processor"] for each in results.values() if "machine" in each})
    below = [
        "Scores are in hundredths. Plain transformers: `Trainer` at its defaults; where several settings were run, the "
        "one that is best on this very score. Speeds are ratios of both sides run in turn on one machine: median "
        "(least to greatest).",
        *([f"Measured on: {', '.join(machines)}."] if machines else []),
    ]
    cost_head = ("result", "training, min", "all, min", "examples/s", "peak MiB", "bundle MiB", "threads", "date")
    cost = ["", *table(cost_head, costs(results))] if costs(results) else []
    return "\n".join([BEGIN, "", told, "", *table(head, rows), "", *below, *cost, "", END])


def rewritten(text: str, tables: str) -> str:
    """The page with the tables in their place."""
    if BEGIN in text and END in text:
        before, _, rest = text.partition(BEGIN)
        return before + tables + rest.partition(END)[2]
    return text.rstrip("\n") + "\n\n" + tables + "\n"


def main() -> None:
    """Rewrite the page, or tell whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--page", type=Path, default=HERE / "README.md")
    given = parser.parse_args()
    present = given.page.read_text(encoding="utf-8")
    wanted = rewritten(present, page(read(given.results)))
    if given.check and wanted != present:
        sys.exit(f"{given.page.name} is not current: run `python bench/table.py`")
    if not given.check:
        given.page.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
