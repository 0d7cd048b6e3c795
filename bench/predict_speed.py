"""Prediction speed of bundles against ``transformers.pipeline`` at its default settings, with the same weights.

    python bench/predict_speed.py DATA BUNDLE [BUNDLE ...] [--task T] [--rounds 3] [--work DIR] [--results DIR]

A bundle is one that ``sibu run`` wrote for a recipe of bench/recipes, of type ``classify`` or ``tag`` without an
adapter; the inputs are its test file's. Two sides in turn, each in a process of its own, loading not counted:

- ``sibu``: ``sibu.load(BUNDLE).predict(inputs)``.
- ``pipeline``: ``pipeline("text-classification" | "token-classification", model, tokenizer)(inputs)``; default settings
  give no ``batch_size``. No class of transformers pools by the mean or adds word shapes, so that its model here is the
  bundle's own encoder, pooling and last layer inside a small ``PreTrainedModel``.

The answers must be the same: the label of every text, with scores within 1e-4; for tags the spans that the pipeline's
pieces make where a word begins (inputs whose tags break BIO there are counted apart: Sibu admits none). Beside them the
wall time of ``sibu predict BUNDLE --input FILE --output FILE``, its start-up (one input) apart. One JSON:
``predict-speed.json``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measure
import plain
import run

BAR, CLOSE, WARM = 2.0, 1e-4, 32


def chosen_task(bundle: Path, task: str | None) -> tuple[str, dict[str, Any]]:
    """The task to answer and its block of the bundle's recipe."""
    import yaml

    tasks = yaml.safe_load((bundle / "recipe.yaml").read_text(encoding="utf-8"))["tasks"]
    name = task or next(iter(tasks))
    if (bundle / "adapter").is_dir() or tasks[name]["type"] not in ("classify", "tag"):
        raise SystemExit(f"{bundle.name}: {name} is not of type classify or tag, or the bundle has an adapter")
    return name, tasks[name]


def inputs_of(block: dict[str, Any], place: Path, limit: int | None) -> tuple[Path, list[Any]]:
    """The test file among the prepared sets, and its inputs in Sibu's form."""
    test = block["data"]["test"]
    test = test[0] if isinstance(test, list) else next(iter(test.values())) if isinstance(test, dict) else test
    file = place.joinpath(*Path(test).parts[-2:])
    wanted = ("tokens",) if block["type"] == "tag" else ("text", "text_pair")
    rows = plain.rows_of(file, limit)
    return file, [{name: row[name] for name in wanted if name in row} for row in rows]


# ---- the two sides ------------------------------------------------------------------------------------------------


def sibu_side(bundle: Path, task: str, inputs: Sequence[Any]) -> tuple[float, list[Any]]:
    """Seconds, and answers as label and score, or spans by word with their scores."""
    import sibu

    predictor = sibu.load(bundle)
    predictor.predict(inputs[:WARM], task=task)
    began = time.perf_counter()
    found = predictor.predict(inputs, task=task)
    seconds = time.perf_counter() - began
    if "tokens" not in inputs[0]:
        return seconds, [[each.value, each.score] for each in found]
    keys = ("label", "token_start", "token_end", "score")
    return seconds, [sorted([span[key] for key in keys] for span in each.value) for each in found]


def pipeline_side(bundle: Path, task: str, inputs: Sequence[Any]) -> tuple[float, list[Any]]:
    """The same from a pipeline."""
    import transformers

    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(bundle / "model")
    words = "tokens" in inputs[0]
    pipe = _tagger(bundle, task, tokenizer) if words else _classifier(bundle, task, tokenizer)
    if words:
        given: list[Any] = [" ".join(each["tokens"]) for each in inputs]
    elif "text_pair" in inputs[0]:
        given = list(inputs)
    else:
        given = [each["text"] for each in inputs]
    pipe(given[:WARM])
    began = time.perf_counter()
    found = pipe(given)
    seconds = time.perf_counter() - began
    if not words:
        return seconds, [[each["label"], float(each["score"])] for each in found]
    return seconds, [_spans(each["tokens"], pieces) for each, pieces in zip(inputs, found, strict=True)]


def _weights(bundle: Path, task: str) -> tuple[Any, dict[str, Any]]:
    """The bundle's encoder, and the weights of the last layer and (where there are any) of the word shapes."""
    import transformers
    from safetensors.torch import load_file

    rest = load_file(bundle / "heads.safetensors")
    head = {name: rest[f"heads.{task}.project.{name}"] for name in ("weight", "bias")}
    encoder = transformers.AutoModel.from_pretrained(bundle / "model", add_pooling_layer=False)
    return encoder, head | {"shapes": rest.get("encoders.text.shapes.weight")}


def _model(bundle: Path, task: str, labels: Sequence[str], *, pooled: bool) -> Any:
    """The bundle's weights as a model that a pipeline takes."""
    import torch
    from torch import nn
    from transformers import PreTrainedModel
    from transformers.modeling_outputs import SequenceClassifierOutput, TokenClassifierOutput

    encoder, weights = _weights(bundle, task)

    class Same(PreTrainedModel):
        """Encoder, mean pooling where one label is asked for, last layer."""

        config_class = type(encoder.config)
        _supports_sdpa = True  # so that the encoder attends as it does in a model of the library

        def __init__(self) -> None:
            super().__init__(encoder.config)
            self.encoder = encoder
            self.project = nn.Linear(*reversed(weights["weight"].shape))
            self.project.load_state_dict({name: weights[name] for name in ("weight", "bias")})
            shapes = weights["shapes"]
            self.shapes = None if shapes is None else nn.Embedding.from_pretrained(shapes)

        def forward(
            self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None, shapes: Any = None
        ) -> Any:  # the names are the tokenizer's
            vectors = self.encoder.get_input_embeddings()(input_ids)
            if shapes is not None:
                vectors = vectors + self.shapes(shapes)
            answered = self.encoder(
                inputs_embeds=vectors, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).last_hidden_state
            if not pooled:
                return TokenClassifierOutput(logits=self.project(answered))
            mask = attention_mask.unsqueeze(-1).to(answered.dtype)
            return SequenceClassifierOutput(logits=self.project((answered * mask).sum(1) / mask.sum(1)))

    encoder.config.id2label = dict(enumerate(labels))
    encoder.config.label2id = {name: number for number, name in enumerate(labels)}
    encoder.config.problem_type = "single_label_classification"
    with torch.no_grad():
        return Same().eval()


def _state(bundle: Path, task: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((bundle / "labels.json").read_text(encoding="utf-8"))[task]
    return state


def _classifier(bundle: Path, task: str, tokenizer: Any) -> Any:
    from transformers import TextClassificationPipeline

    model = _model(bundle, task, _state(bundle, task)["labels"], pooled=True)
    return TextClassificationPipeline(model=model, tokenizer=tokenizer)


def _tagger(bundle: Path, task: str, tokenizer: Any) -> Any:
    import torch
    from transformers import TokenClassificationPipeline

    from sibu.core.units import units
    from sibu.modalities.text.units import shape
    from sibu.tasks.tag.decode import tag_names

    model = _model(bundle, task, tag_names(_state(bundle, task)["labels"], "BIO"), pooled=False)
    if model.shapes is None:
        return TokenClassificationPipeline(model=model, tokenizer=tokenizer)

    class Shaped(TokenClassificationPipeline):
        """The pipeline with each piece's word shape, which the bundle's encoder was trained with."""

        def preprocess(self, sentence: str, *arguments: Any, **named: Any) -> Any:
            words = units(sentence)
            by_start = {place: shape(sentence[start:end]) for start, end in words for place in range(start, end)}
            for inputs in super().preprocess(sentence, *arguments, **named):
                numbers = [
                    0 if special else by_start.get(start, 0)
                    for special, (start, _) in zip(
                        inputs["special_tokens_mask"][0].tolist(), inputs["offset_mapping"][0].tolist(), strict=True
                    )
                ]
                yield inputs | {"shapes": torch.tensor([numbers])}

    return Shaped(model=model, tokenizer=tokenizer)


def _spans(tokens: Sequence[str], pieces: Sequence[dict[str, Any]]) -> list[Any] | None:
    """Spans by word from what the pipeline says of the piece that a word begins with; None: no legal tag sequence."""
    from sibu.metrics.spans import decode_tags, illegal

    at = {piece["start"]: piece for piece in pieces}
    begin, said = 0, []
    for token in tokens:
        said.append(at.get(begin))
        begin += len(token) + 1
    tags = ["O" if piece is None else piece["entity"] for piece in said]
    if illegal(tags, "BIO"):
        return None
    spans = decode_tags(tags, "BIO")
    return sorted(
        [label, start, end, sum(float(said[n]["score"]) for n in range(start, end)) / (end - start)]  # type: ignore[index]
        for label, start, end in spans
    )


SIDES = {"sibu": sibu_side, "pipeline": pipeline_side}


# ---- both together ------------------------------------------------------------------------------------------------


def differences(one: Sequence[Any], two: Sequence[Any], *, spans: bool) -> dict[str, Any]:
    """How far the answers of the two sides agree."""
    pairs = [pair for pair in zip(one, two, strict=True) if None not in pair]
    if spans:
        same = [[each[:3] for each in a] == [each[:3] for each in b] for a, b in pairs]
        alike = [pair for pair, equal in zip(pairs, same, strict=True) if equal]
        apart = [abs(x[3] - y[3]) for a, b in alike for x, y in zip(a, b, strict=True)]
    else:
        same = [a[0] == b[0] for a, b in pairs]
        apart = [abs(a[1] - b[1]) for a, b in pairs]
    largest = max(apart, default=0.0)
    return {
        "inputs": len(one),
        "not_comparable": len(one) - len(pairs),
        "same_answers": sum(same),
        "largest_score_difference": largest,
        "same": all(same) and largest <= CLOSE,
    }


def cli(bundle: Path, task: str, inputs: Sequence[Any], scratch: Path) -> dict[str, float]:
    """Wall seconds of the command line for all inputs and for one."""
    seconds = {}
    for name, rows in (("all", inputs), ("one", inputs[:1])):
        file = scratch / f"{name}.jsonl"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        words = ("predict", str(bundle), "--task", task, "--input", str(file), "--output", str(scratch / "out.jsonl"))
        seconds[name] = measure.child(measure.sibu(*words, "--quiet"))[0]
    behind = max(seconds["all"] - seconds["one"], 1e-9)
    return {
        "wall_seconds": round(seconds["all"], 2),
        "wall_seconds_of_one_input": round(seconds["one"], 2),
        "inputs_per_second": round(len(inputs) / seconds["all"], 1),
        "inputs_per_second_after_start_up": round(max(len(inputs) - 1, 1) / behind, 1),
    }


def compared(bundle: Path, given: Any, place: Path) -> dict[str, Any]:
    """Everything about one bundle."""
    task, block = chosen_task(bundle, given.task)
    file, inputs = inputs_of(block, place, given.limit)
    rounds: list[dict[str, float]] = []
    answers: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for number in range(given.rounds):
            rounds.append({})
            for name in sorted(SIDES, reverse=number % 2 == 0):
                words = [str(given.data), str(bundle), "--work", str(given.work), "--task", task, "--side", name]
                words += [] if given.limit is None else ["--limit", str(given.limit)]
                told = json.loads(measure.child(measure.again(__file__, *words))[2].splitlines()[-1])
                answers[name] = told["answers"]
                rounds[-1][name] = round(len(inputs) / told["seconds"], 2)
        line = cli(bundle, task, inputs, scratch)
    return {
        "bundle": json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))["name"],
        "task": task,
        "type": block["type"],
        "inputs_per_second": rounds,
        "ratio": measure.spread([each["sibu"] / each["pipeline"] for each in rounds]),
        "answers": differences(answers["sibu"], answers["pipeline"], spans=block["type"] == "tag"),
        "cli": line,
        "file": f"{file.parent.name}/{file.name}",
    }


def main() -> None:
    """Measure the bundles, or be one side for one of them."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    parser.add_argument("--task", help="which task; the bundle's first if not said")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=sorted(SIDES), help="be this side (the program calls itself)")
    given = parser.parse_args()
    place = run.prepared(given.data, given.work)
    if given.side:
        task, block = chosen_task(given.bundles[0], given.task)
        _, inputs = inputs_of(block, place, given.limit)
        seconds, answers = SIDES[given.side](given.bundles[0], task, inputs)
        print(json.dumps({"seconds": seconds, "answers": answers}))
        return
    found = []
    for bundle in given.bundles:
        found.append(compared(bundle, given, place))
        print(found[-1]["bundle"], found[-1]["ratio"], found[-1]["answers"], found[-1]["cli"], file=sys.stderr)
    files = dict.fromkeys(place.joinpath(*Path(each["file"]).parts) for each in found)
    measure.keep(
        {
            "name": "predict-speed",
            "command": f"python bench/predict_speed.py DATA {' '.join(each['bundle'] for each in found)}",
            "what": "inputs per second, loading apart; ratio: Sibu over transformers.pipeline at default settings",
            "bar": BAR,
            "bundles": found,
            **({} if given.limit is None else {"limit": given.limit}),
            **measure.facts(files),
        },
        given.results,
    )


if __name__ == "__main__":
    main()
