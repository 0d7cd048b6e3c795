"""Lines of the tables: learning from few labels and none."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from lines import NONE, Line, Results, gap, judged, points, shown, spread

FEW = (("agnews", "AG News"), ("sst2", "SST-2"), ("trec", "TREC"), ("banking77", "Banking77, `probe`"))
FEWCLUE = {
    "tnews": (49.3, 53.7),
    "eprstmt": (63.2, 87.2),
    "csldcp": (35.7, 56.9),
    "ocnli": (33.5, 43.9),
    "bustm": (55.5, 64.0),
    "cluewsc": (49.6, 59.2),
    "csl": (50.0, 55.0),
}
"""Fine-tuned RoBERTa-wwm-ext (102 million weights), and PET with it, as the set's repository tables them."""


def few(results: Results) -> list[Line]:
    """A few rows a label, no row at all, texts without labels, and what goes round them."""
    lines = []
    for name, title in FEW:
        known = "SetFit with MiniLM-L6: 83.1 (as the issue has it)" if name == "agnews" else "none verified"
        lines += _beside(results.get(f"few-{name}"), f"8 rows a label, {title}", known, paired=False)
    for name, (tuned, cloze) in FEWCLUE.items():
        known = f"RoBERTa-base fine-tuned {tuned}, PET {cloze} (FewCLUE's repository)"
        paired = name in ("ocnli", "bustm", "cluewsc", "csl")
        lines += _beside(results.get(f"few-{name}"), f"FewCLUE {name}", known, paired=paired)
    lines += [_no_labels(results), _no_tags(results), *_pretrained(results)]
    return [*lines, *_chosen(results), *_taught(results), *_augmented(results), *_searched(results), *_meta(results)]


def _beside(each: Mapping[str, Any] | None, title: str, known: str, *, paired: bool) -> list[Line]:
    """Accuracy and time against SetFit, which has no pairs of texts."""
    if paired:
        measure = f"{title}, accuracy"
        if each is None:
            return [Line(measure, "stated", published=known)]
        return [Line(f"{measure}, {_seeds(each)}", "stated", _mean(each["accuracy"]["sibu"]), "—", known, "stated")]
    bars = ("≥ SetFit", "≥ 2 x at no lower accuracy")
    took = f"{title}, training time against SetFit"
    if each is None:
        return [Line(f"{title}, accuracy", bars[0], published=known), Line(took, bars[1], plain="1 x", published="—")]
    both = each["accuracy"]
    if "setfit" not in both:  # hours, and not run
        said = f"{_mean(both['sibu'])} ({_seeds(each)})"
        return [Line(f"{title}, accuracy", bars[0], said, "not run", known), Line(took, bars[1], plain="not run")]
    good = both["sibu"]["mean"] >= both["setfit"]["mean"]
    said = f"{_mean(both['sibu'])}; difference {gap(each['difference'])}"
    first = Line(
        f"{title}, accuracy, {_seeds(each)}", bars[0], said, f"SetFit {_mean(both['setfit'])}", known, judged(good)
    )
    # Without a step nothing counts as training but the fit: the whole process is compared, both sides' start in it.
    whole = not each["rounds"][0]["sibu"]["steps"]
    key = "seconds" if whole else "training_seconds"
    ratio = each["ratios"][key]
    sibu, setfit = (median(one[side][key] for one in each["rounds"]) for side in ("sibu", "setfit"))
    said = f"{spread(ratio, 1)}; {sibu:.1f} s" + " from start to test" * whole
    quick = judged(good and ratio["median"] >= 2)
    return [first, Line(took, bars[1], said, f"1 x; {setfit:.1f} s", "—", quick)]


def _seeds(each: Mapping[str, Any]) -> str:
    return f"mean of {len(each['rounds'])} seeds" if len(each["rounds"]) > 1 else "one seed"


def _mean(own: Mapping[str, float]) -> str:
    return f"{100 * own['mean']:.1f}" + (f" ± {100 * own['sd']:.1f}" if own["sd"] else "")


def _hundredths(numbers: list[float]) -> str:
    return f"{100 * sum(numbers) / len(numbers):.1f}"


def _no_labels(results: Results) -> Line:
    measure, bar = "No labelled row, AG News, accuracy", "> 60; the ensemble's gain shown"
    each = results.get("no-labels")
    if each is None:
        return Line(measure, bar, plain="—")
    own = dict(each["scores"])
    ensemble = own.pop("ensemble")["accuracy"]
    alone = [100 * scores["accuracy"]["value"] for scores in own.values()]
    gain = 100 * ensemble["value"] - sum(alone) / len(alone)
    said = f"{shown(ensemble)}; {gain:+.1f} on the mean of its templates alone ({min(alone):.1f} to {max(alone):.1f})"
    return Line(measure, bar, said, "—", "none verified", judged(ensemble["value"] > 0.6))


def _no_tags(results: Results) -> Line:
    measure = "No labelled row, CoNLL-2003, test span F1"
    each = results.get("no-labels-conll2003")
    if each is None:
        return Line(measure, "stated", plain="—")
    return Line(measure, "stated", shown(each["metrics"]["entities"]["test"]["f1"]), "—", "none verified", "stated")


def _pretrained(results: Results) -> list[Line]:
    lines = []
    for name, title in (("sst2", "SST-2"), ("trec", "TREC")):
        each = results.get(f"pretraining-{name}")
        measure = f"Going on with pretraining, then 100 labels, {title}, accuracy, mean of 10 seeds"
        if each is None:
            lines.append(Line(measure, "gain over none, whatever the sign", plain="—"))
            continue
        found = ", ".join(f"{start} {gap(own)}" for start, own in each["difference"].items())
        plain = f"none {100 * each['accuracy']['none']['mean']:.1f}"
        lines.append(Line(measure, "gain over none, whatever the sign", found, plain, "none verified", "stated"))
    return lines


def _chosen(results: Results) -> list[Line]:
    lines = []
    for name, title in (("banking77", "Banking77"), ("conll2003", "CoNLL-2003")):
        each = results.get(f"choose-{name}")
        measure = f"Labels saved by choosing what to label, {title}"
        if each is None:
            lines.append(Line(measure, "stated, with the curve", plain="random"))
            continue
        curve = each["curves"]["random"]
        for picker, own in each["saved"].items():
            if own["saved"] is None:
                said = f"`{picker}` is never as good"
            else:
                said = f"`{picker}` is as good with {own['used']:.0f}: {100 * own['saved'] / own['random']:.0f} % saved"
            said += f"; with as many {gap(own['at_the_end'])}"
            plain = f"random {_hundredths(curve[-1]['by_seed'])} with {own['random']}"
            lines.append(Line(measure, "stated, with the curve", said, plain, "none verified", "stated"))
    return lines


def _taught(results: Results) -> list[Line]:
    lines = []
    for name, title in (("banking77", "Banking77"), ("conll2003", "CoNLL-2003")):
        each = results.get(f"teach-{name}")
        measure = f"Labels saved by self-training, {title}"
        if each is None:
            lines.append(Line(measure, "stated, with the curve", plain="labels alone"))
            continue
        for own in each["taught"]:
            worth = "more than any measured" if own["worth"] is None else f"as good as {own['worth']:.0f} labels"
            beside = next(one for one in each["alone"] if one["shots"] == own["shots"])
            said = f"{_hundredths(own['by_seed'])}, {gap(own['difference'])}; {worth}"
            plain = f"{_hundredths(beside['by_seed'])} alone"
            title_ = f"{measure}: {own['rows']} labels and {each['texts']} texts"
            lines.append(Line(title_, "stated, with the curve", said, plain, "none verified", "stated"))
    return lines


def _augmented(results: Results) -> list[Line]:
    lines = []
    for name, title in (("sst2", "SST-2"), ("trec", "TREC"), ("conll2003", "CoNLL-2003")):
        each = results.get(f"augmentation-{name}")
        measure = f"Changed copies, {title}"
        if each is None:
            lines.append(Line(measure, "effect of each operator", plain="—"))
            continue
        for shots in sorted({row["shots"] for row in each["rows"]}):
            own = [row for row in each["rows"] if row["shots"] == shots]
            said = ", ".join(f"`{row['operator']}` {gap(row['difference'])}" for row in own)
            plain = f"none {100 * own[0]['without']:.1f}"
            drawn = f"{measure}: {shots} rows a label, {len(own[0]['by_seed'])} draws"
            line = Line(drawn, "effect of each operator", said, plain, "—", "stated")
            lines.append(line)
    return lines


def _searched(results: Results) -> list[Line]:
    lines = []
    for name, title in (("trec", "TREC"), ("conll2003", "CoNLL-2003, some 300 sentences"), ("tnews", "FewCLUE tnews")):
        each = results.get(f"searching-{name}")
        measure = f"Search, 12 trials, {title}: gain on test"
        if each is None:
            lines.append(Line(measure, "gain over the defaults; a stopped study goes on", plain="—"))
            continue
        said = f"{gap(each['gain'])}; on dev {points(each['dev']['best'] - each['dev']['as it is'])}"
        if "broken" in each:
            said += f"; killed and gone on with: {'the same trials' if each['broken']['same'] else 'OTHER trials'}"
        plain = f"as it is {_hundredths(each['test']['as it is'])}"
        verdict = "stated" if each.get("broken", {"same": True})["same"] else NONE
        lines.append(Line(measure, "gain over the defaults; a stopped study goes on", said, plain, "—", verdict))
    return lines


def _meta(results: Results) -> list[Line]:
    each = results.get("meta")
    measure = "A start learned over other intents, Banking77"
    if each is None:
        return [Line(measure, "against the pretrained start", plain="—")]
    lines = []
    for row in each["rows"]:
        title = f"{measure}: {row['shots']} rows a label, {row['epochs']} epochs"
        found = ", ".join(f"{start} {gap(own)}" for start, own in row["difference"].items())
        plain = f"none {_hundredths(row['accuracy']['none'])}"
        lines.append(Line(title, "against the pretrained start", found, plain, "none verified", "stated"))
    return lines
