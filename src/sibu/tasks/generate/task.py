"""Rows to prompts and answers, what was written to predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.example import Row
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Evidence, Prediction
from sibu.core.text import Message, Prompt, Window
from sibu.metrics.writing import Written
from sibu.tasks._written import TOKEN_FEATURES, limits, token_labels, token_loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sibu.core.tensors import Output

LIKELIHOOD = "likelihood"
"""Kind of the evidence that holds how likely the right answer was: ``{"loss", "pieces"}``."""
SAMPLES = 20
"""Answers that the report shows."""


class Generate:
    """See the door plate ``sibu.tasks.generate`` for the options."""

    writes = True
    columns = (
        Column("text", "text", "input", help="the text"),
        Column("messages", "messages", "input", help="the dialogue so far, or with its answer"),
        Column("target", "texts", "target", help="what is to be written, or several that are equally right"),
    )
    needs = (("text", "messages"),)
    features = TOKEN_FEATURES
    metrics = (
        "perplexity", "bleu", "chrf", "rouge1", "rouge2", "rougeL", "exact_match", "length_ratio", "repetition",
    )  # fmt: skip
    main_metric = "perplexity"

    def __init__(
        self,
        *,
        instruction: str,
        system: str | None,
        template: str | None,
        turns: Literal["last", "all"],
        room: int,
        stops: tuple[str, ...],
        state: State | None,
    ) -> None:
        self.instruction = instruction
        self.system = system
        self.template = template
        self.turns: Literal["last", "all"] = turns
        self.room = room
        self.stops = stops
        self.state: State = state or {}

    def learn(self, rows: Iterable[Row]) -> None:
        """Nothing is learned from the rows at large; at least one must have an answer."""
        count = answered = 0
        for row in rows:
            count += 1
            answered += bool(_answers(row))
        if count and not answered:
            raise DataError(
                f"None of the {count} training rows has an answer. Name its column under `fields` as `target`, "
                "or end `messages` with a turn of the assistant."
            )
        self.state = {"answered": answered}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Empty texts and answers, turns out of order, what does not fit."""
        given = row.get("messages")
        if row.get("text") is None and given is None:
            return
        if given is None and not row["text"].strip():
            yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."
        if given is not None:
            yield from _check_turns(given)
        answers = _answers(row)
        if "target" in row and row["target"] is not None and any(not text.strip() for text in answers):
            yield "empty target", "error", "what is to be written is empty.", "Fill it in, or remove the row."
        if windows and not answers and (given is None or not any(turn["role"] == "assistant" for turn in given)):
            mend = "Fill in `target`, or remove the row."
            yield "no target", "error", "there is nothing to be written.", mend
        for group in windows:
            for window in group:
                if window.lost:
                    mend = "Shorten it, raise max_new_tokens or the modality's max_length, or leave it so."
                    yield "longer than the context", "warning", f"{window.lost} does not fit and was left out.", mend

    def inputs(self, row: Row) -> Sequence[Prompt]:
        """The prompt, with the answer where the row has one."""
        answers = _answers(row)
        return [self._prompt(row, answers[0] if answers else None)]

    def prompt(self, row: Row) -> Prompt:
        """What the model reads, without an answer."""
        return self._prompt(row, None)

    def _prompt(self, row: Row, answer: str | None) -> Prompt:
        turns: list[Message] = [] if self.system is None else [("system", self.system)]
        given = row.get("messages")
        if given is None:
            parts = (self.instruction, row["text"])
            turns.append(("user", "\n\n".join(part for part in parts if part)))
        else:
            own = [(turn["role"], turn["content"]) for turn in given]
            if own and own[-1][0] == "assistant":
                own.pop()  # the answer
            if own and own[0][0] == "system":
                told = [text for _, text in (own.pop(0), *turns)]
                turns = [("system", "\n\n".join(told))]
            turns += _with_instruction(own, self.instruction)
        return Prompt(tuple(turns), answer, self.template, self.room, self.turns)

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """At each place the piece that is to follow it, where it is one to be learned."""
        return token_labels(window) if gold else {}

    def head(self, width: int) -> nn.Module:  # noqa: ARG002
        """None of its own: the model's language head answers."""
        raise TypeError("a task that writes has no head of its own")

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy of the pieces to be learned, mean over the batch's."""
        return token_loss(output, targets)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:  # noqa: ARG002
        """What was written; how likely the right answer was goes with it where that is known."""
        found = answers[0][0]
        evidence = () if found.text is None else limits(found, self.room)
        if found.logits.size:
            loss, pieces = found.logits.tolist()
            evidence = (Evidence(LIKELIHOOD, {"loss": loss, "pieces": int(pieces)}), *evidence)
        return Prediction(found.text, evidence=evidence)

    def grammar(self, row: Row) -> None:  # noqa: ARG002
        """None of its own; the recipe's `constrain` may bound every answer."""
        return

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """Perplexity of the right answers; where texts were written also BLEU, chrF, ROUGE and the others."""
        golds = [_answers(row) for row in rows]
        losses = np.array(
            [(e.content["loss"], e.content["pieces"]) for p in predictions for e in p.evidence if e.kind == LIKELIHOOD],
            np.float64,
        ).reshape(-1, 2)
        texts = [each.value for each in predictions]
        written = all(text is not None for text in texts)
        measure = Written(golds, texts if written else None, losses if len(losses) else None)
        if not written:
            return Judged(measure)
        samples = [{"gold": gold[0], "written": text} for gold, text in zip(golds[:SAMPLES], texts, strict=False)]
        return Judged(measure, {"samples": samples}, [not exact for exact in measure.exact])


def _answers(row: Row) -> list[str]:
    """The right answers of a row: its target, or the assistant's last turn."""
    target = row.get("target")
    if target is not None:
        return [target] if isinstance(target, str) else list(target)
    given: Sequence[Mapping[str, Any]] = row.get("messages") or ()
    return [given[-1]["content"]] if given and given[-1]["role"] == "assistant" else []


def _with_instruction(turns: list[Message], instruction: str) -> list[Message]:
    """The turns with the instruction before the user's first."""
    if not instruction:
        return turns
    place = next((n for n, (role, _) in enumerate(turns) if role == "user"), None)
    if place is None:
        return turns
    return [*turns[:place], ("user", f"{instruction}\n\n{turns[place][1]}"), *turns[place + 1 :]]


def _check_turns(turns: Sequence[Mapping[str, str]]) -> Iterator[Found]:
    """Roles out of order, empty turns."""
    mend = "A dialogue is an optional system message, then user and assistant in turn."
    roles = [turn["role"] for turn in turns]
    spoken = roles[1:] if roles[0] == "system" else roles
    if not spoken or "system" in spoken:
        where = roles.index("system", 1) if "system" in spoken else 0
        yield "roles out of order", "error", f"turn {where} is a system message, which only begins a dialogue.", mend
        return
    for place, role in enumerate(spoken):
        wanted = "assistant" if place % 2 else "user"
        if role != wanted:
            turn = place + len(roles) - len(spoken)
            yield "roles out of order", "error", f"turn {turn} is the {role}'s where the {wanted}'s is due.", mend
            return
    for place, (role, said) in enumerate((turn["role"], turn["content"]) for turn in turns):
        if not said.strip():
            kind = "empty target" if place == len(turns) - 1 and role == "assistant" else "empty turn"
            yield kind, "error", f"turn {place} ({role}) is empty.", "Fill it in, or remove the row."
            return
