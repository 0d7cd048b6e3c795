"""A run made ready: model, streams of batches, optimiser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import RecipeError, RunStopped
from sibu.pipeline.adapting import adapt, joint
from sibu.pipeline.backbone import fills, writes
from sibu.pipeline.consistent import pair_streams
from sibu.pipeline.known import use_of
from sibu.pipeline.plan import Plan, TaskPlan, learns, plan_steps
from sibu.pipeline.progress import Progress
from sibu.pipeline.teach import with_taught

if TYPE_CHECKING:
    import numpy as np
    import torch
    from accelerate import Accelerator

    from sibu.core.knowing import LabelKnowledge
    from sibu.core.protocols import Adapted
    from sibu.core.tensors import Batch
    from sibu.pipeline.assemble import Model
    from sibu.pipeline.frozen import Memo
    from sibu.train.batches import Beside, Schedule, Stream
    from sibu.train.interpolate import Start


@dataclass(slots=True)
class Trained:
    """A model in training, and what its training has told."""

    model: Model
    adapted: Adapted
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    per_epoch: int
    steps: int
    make: Callable[[Stream, np.ndarray, int], Batch]
    """Makes a batch of records for a step."""
    step: int = 0
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    """``{step, score, scores: {task: {metric: value}}}`` of each evaluation on dev."""
    best: float | None = None
    best_step: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    """Seconds of these in which the model had no batch yet."""
    tokens: int = 0
    examples: int = 0
    stopped_early: bool = False
    memo: Memo | None = None
    """Kept vectors of dev, where the whole encoder is frozen."""
    fitting: Sequence[Stream] = ()
    """The streams of the tasks whose head is fitted."""
    parts: Mapping[str, Adapted] = field(default_factory=dict)
    """What trains of each encoder, by modality."""
    soup: Sequence[int] = ()
    """The steps whose weights were averaged; none: they were not."""
    start: Start | None = None
    """The text encoder's weights as they came, where the run ends between them and those that were trained."""
    share: float = 1.0
    """Where between them it ends."""
    known: Mapping[str, float] = field(default_factory=dict)
    """What ``share`` was chosen by: how well the encoder told the rows as it came, by task. Empty: nothing was
    measured, as the recipe says it, or the whole way is gone anyway."""


def open_accelerator(plan: Plan) -> Accelerator:
    """What carries the devices and the precision of a run.

    Raises:
        RecipeError: When this machine cannot compute in the precision.
    """
    import torch

    from sibu.train.processes import accelerator

    wanted = plan.recipe.train.precision
    if wanted == "auto":
        wanted = "bfloat16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "float32"
    mixed = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}[wanted]
    if mixed == "fp16" and not torch.cuda.is_available():
        raise RecipeError("train.precision is float16, which needs a GPU. Use float32 or bfloat16 on this machine.")
    return accelerator(mixed)


def prepare(plan: Plan, accelerator: Accelerator, scratch: Path, progress: Progress) -> Trained:
    """The model of a run as it is before its first step."""
    from sibu.train.seed import deterministic, seed_torch

    deterministic()
    seed_torch(plan.recipe.train.seed, "model")
    trained = _assemble(plan, accelerator, scratch, progress)
    if trained.adapted.begin is not None:
        trained.adapted.begin(trained.steps)
    return trained


def _assemble(plan: Plan, accelerator: Accelerator, scratch: Path, progress: Progress) -> Trained:
    """Encoder, method, heads, optimiser and the schedule of batches."""
    from sibu.fusions import FUSIONS
    from sibu.pipeline.assemble import Model, build_heads, by_place, infusion, text_encoder, voting, widths_of
    from sibu.pipeline.corrupt import Corrupter, corrupts
    from sibu.pipeline.frozen import Memo, precompute_values
    from sibu.pipeline.heads import fitted, kinds_of, start_heads
    from sibu.pipeline.lent import borrow_heads
    from sibu.pipeline.noise import Noiser
    from sibu.pipeline.rollout import Explorer, explores
    from sibu.train.batches import Budget, Schedule
    from sibu.train.optim import Rated, adamw

    recipe, options = plan.recipe, plan.recipe.train
    encoders: dict[str, Any] = {}
    if recipe.reads_text:
        encoders["text"] = text_encoder(
            plan.source.folder,
            shapes=plan.shapes,
            dropout=recipe.text.dropout,
            writes=writes(recipe),
            fills=fills(recipe),
        )
    encoders |= {name: modality.encoder() for name, modality in plan.values.items()}
    encoder = encoders.get("text")
    peak, head = options.learning_rate or 0.0, options.head_learning_rate or 0.0
    parts = adapt(recipe, encoders, raised=head / peak if peak else 1.0)
    adapted = joint(parts)
    precompute_values(plan, encoders, parts, accelerator.device, progress)
    tasks = {name: each.task for name, each in plan.tasks.items()}
    fixed = {name: block.weight for name, block in recipe.tasks.items()} if options.weighting == "fixed" else None
    fusion = FUSIONS.of(recipe.fusion).build(recipe.fusion, widths=widths_of(encoders))
    heads = build_heads(tasks, recipe, encoder, int(fusion.width), widths_of(encoders))
    heads = voting(tasks, recipe, heads, fusion, list(encoders))
    pieces = {} if plan.known is None else plan.known.pieces
    ruled = rules_learned(plan)
    inner = 0 if recipe.knowledge is None else recipe.knowledge.width
    known = None if encoder is None else infusion(pieces, width=int(encoder.width), inner=inner)
    spoken = () if ruled is None else ruled[0].tasks
    named: dict[str, Any] = {"knowledge": known, "ruled": spoken, "drop": options.modality_dropout}
    if any(hasattr(task, "of") for task in tasks.values()):
        named["drop"] = 0.0  # a pair needs both
    named |= {"balance": options.modality_balance, "alone": options.modality_alone}
    encoded = {name: each.encoder for name, each in parts.items()}
    model = Model(encoded, fusion, heads, weights=fixed, by_place=by_place(tasks), **named)
    rated = [Rated(group.parameters, peak * group.scale) for group in adapted.groups]
    rated.append(Rated([*model.heads.parameters(), *model.fusion.parameters()], head))
    if known is not None:
        rated.append(Rated(list(known.parameters()), head))
    if fixed is None:
        rated.append(Rated(list(model.log_variances.parameters()), head, decay=False))
    model.to(accelerator.device)
    start_heads(model, plan)
    borrow_heads(model, plan)
    packed = encoder is not None and encoder.packs and not encoder.prompted
    streams = [replace(stream, packed=packed) for stream in _streams(plan)]
    streams += pair_streams(plan)
    streams = [with_taught(plan, _with_reference(plan, model, stream, progress)) for stream in streams]
    anew = any(explores(task) or corrupts(task) for task in tasks.values())  # texts that no layer has seen before
    anew = anew or known is not None or ruled is not None  # what is known, and all heads, need every piece
    anew = anew or bool(plan.values)
    if adapted.frozen_layers and not anew:
        from sibu.pipeline.frozen import precompute

        streams = precompute(model, streams, adapted.frozen_layers, scratch, progress)
    budget = Budget(options.batch_tokens or 1, options.batch_examples)
    pairing = fitted(model, streams)
    fitting = [stream for _, stream in pairing]
    for name, stream in pairing:
        streams = [replace(each, kinds=kinds_of(stream, name)) if each is stream else each for each in streams]
    streams = [each for each in streams if any(learns(recipe, name) for name in each.targets)]
    schedule = Schedule(streams, budget=budget, sampling=options.sampling, seed=options.seed)
    per_epoch, steps = plan_steps(recipe, schedule.steps_per_epoch, processes=accelerator.num_processes)
    optimizer = accelerator.prepare_optimizer(adamw(rated, weight_decay=options.weight_decay))
    alone = known is None and encoder is not None and not plan.values
    memo = Memo() if alone and adapted.frozen_layers == len(encoders["text"].layers()) else None
    make: Any = Corrupter(tasks, options.seed, Explorer(plan, model))
    if plan.values and options.modality_noise:
        words = plan.text.pieces if recipe.reads_text else None
        make = Noiser(plan.values, words, chance=options.modality_noise, seed=options.seed, make=make)
    named = {"memo": memo, "fitting": fitting, "parts": parts}
    return Trained(model, adapted, optimizer, schedule, per_epoch, steps, make, **named)


def rules_learned(plan: Plan) -> tuple[LabelKnowledge, float] | None:
    """Rules over labels that the training looks at, with their weight; None: there are none."""
    block, rules = plan.recipe.knowledge, None if plan.known is None else plan.known.rules
    if block is None or rules is None:
        return None
    weight = float(use_of(block, "label_rules").weight)
    return (rules, weight) if weight else None


def _streams(plan: Plan) -> list[Stream]:
    """The tasks' windows as streams; tasks that read the same windows share one and are encoded once."""
    from sibu.pipeline.corrupt import corrupts
    from sibu.pipeline.rollout import explores
    from sibu.train.batches import Stream

    groups: dict[str, list[str]] = {}
    for name, each in plan.tasks.items():
        if each.learned is None:
            continue
        own = explores(each.task) or corrupts(each.task) or getattr(each.task, "group", 1) > 1
        alone = f"{each.key} {name}" if own else each.key
        groups.setdefault(alone, []).append(name)
    streams = []
    for names in groups.values():
        first = plan.tasks[names[0]]
        if first.inputs is None:
            raise RunStopped("The training data was not encoded.")
        targets = {name: arrays for name in names if (arrays := plan.tasks[name].targets) is not None}
        lengths = _lengths(first, plan)
        written = [each.lengths("answer") for each in targets.values() if "answer" in {f.name for f in each.present}]
        group = int(getattr(first.task, "group", 1))
        lengths = sum(written, lengths)
        if explores(first.task):  # what it may write is planned for
            task: Any = first.task
            lengths = (lengths + task.room) * task.candidates
        beside = _beside(first, plan)
        streams.append(Stream("+".join(names), first.inputs, targets, lengths, beside=beside, group=group))
    return streams


def _beside(plan: TaskPlan, whole: Plan) -> dict[str, Beside]:
    """The arrays of the other modalities that go along with a task's windows."""
    from sibu.train.batches import Beside

    if plan.learned is None or plan.rows is None:
        return {}
    numbers = plan.learned.numbers[plan.rows]
    return {name: Beside(kept.arrays, numbers, whole.values[name].features) for name, kept in plan.learned.kept.items()}


def _lengths(plan: TaskPlan, whole: Plan) -> np.ndarray:
    """What each window costs: its pieces, and the places of the values beside it."""
    import numpy as np

    if plan.inputs is None:
        raise RunStopped("The training data was not encoded.")
    there = "input_ids" in {feature.name for feature in plan.inputs.present}
    lengths = plan.inputs.lengths("input_ids") if there else np.zeros(len(plan.inputs), np.int64)
    if plan.learned is not None and plan.rows is not None and whole.values:
        costs = np.array([whole.text.cost(row) for row in plan.learned], np.int64)  # type: ignore[attr-defined]
        lengths = lengths + costs[plan.rows]
    return lengths


def _with_reference(plan: Plan, model: Model, stream: Stream, progress: Progress) -> Stream:
    """The stream with how likely the model finds each answer before it is trained, where a task's loss asks for it."""
    from sibu.pipeline.written import log_probabilities

    targets = dict(stream.targets)
    for name in stream.targets:
        task = plan.tasks[name].task
        if getattr(task, "compares", False) and plan.recipe.train.trains:
            feature = next(each for each in task.features if each.name == "reference")
            found = log_probabilities(model, name, stream, progress)
            targets[name] = targets[name].with_numbers(feature, found)
    return replace(stream, targets=targets)
