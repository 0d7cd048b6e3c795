"""Rules over labels made ready: checked, and kept to by the likeliest answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from sibu.core.errors import Fault, RecipeError, near_miss
from sibu.core.knowing import Obeyed, Ways
from sibu.knowledge.label_rules.text import Formula, Says, atoms, holds, parse
from sibu.knowledge.label_rules.worlds import Worlds, joined, variables_of, worlds_of

if TYPE_CHECKING:
    from torch import Tensor

SHOWN = 12
"""Labels that a message lists."""
Decided = Mapping[str, Mapping[str, bool]]
_Open = tuple[float, int, dict[str, dict[str, bool]], dict[str, frozenset[str]]]
"""Minus the score of the likeliest answers under some decisions, a number, the decisions, the answers."""


@dataclass(frozen=True)
class LabelRules:
    """See the door plate ``sibu.knowledge.label_rules``."""

    texts: Sequence[str]
    formulas: Sequence[Formula]
    labels: Mapping[str, Sequence[str]]
    """Of the tasks that the rules speak of, all labels."""
    exclusive: Mapping[str, bool]
    _worlds: dict[tuple[str, ...], list[Worlds]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def made(
        cls, texts: Sequence[str], labels: Mapping[str, Sequence[str]], exclusive: Mapping[str, bool]
    ) -> LabelRules:
        """Rules of texts, checked; args and raises as the door plate's ``build`` has them."""
        formulas = [parse(text) for text in texts]
        faults = [fault for number, each in enumerate(formulas) for fault in _unknown(number, each, labels)]
        if faults:
            raise RecipeError(faults)
        used = list(dict.fromkeys(atom.task for each in formulas for atom in atoms(each)))
        rules = cls(texts, formulas, {name: labels[name] for name in used}, {name: exclusive[name] for name in used})
        if faults := rules._senseless():
            raise RecipeError(faults)
        return rules

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that they speak of."""
        return tuple(self.labels)

    def with_task(self, name: str) -> Collection[str]:
        """The tasks that stand in a rule with this one, or with one that does."""
        known = {name} if name in self.labels else set()
        grown = True
        while grown:
            own = [{atom.task for atom in atoms(each)} for each in self.formulas]
            more = set().union(*(tasks for tasks in own if tasks & known)) - known
            known |= more
            grown = bool(more)
        return [each for each in self.labels if each in known]

    def broken(self, held: Mapping[str, Collection[str]]) -> Sequence[str]:
        """The rules that speak of these tasks alone and that labels break."""
        return [self.texts[place] for place in _wrong(self._between(held), held)]

    # ---- learning --------------------------------------------------------------------------------------------------

    def worlds(self, tasks: Collection[str]) -> Sequence[Worlds]:
        """What of the labels of some tasks may stand together: exactly where there are few ways, else rule by rule."""
        key = tuple(sorted(tasks))
        if key not in self._worlds:
            self._worlds[key] = self._written_out(tasks)
        return self._worlds[key]

    def _written_out(self, tasks: Collection[str]) -> list[Worlds]:
        formulas = [each for each in self.formulas if all(atom.task in tasks for atom in atoms(each))]
        exact = []
        for group in joined(formulas, self.exclusive):
            known = [formulas[number] for number in group]
            whole = worlds_of(known, variables_of(known, self.labels, self.exclusive))
            found = [whole] if whole is not None else [self._alone(each) for each in known]
            exact += [each for each in found if each is not None]
        return exact

    def _alone(self, formula: Formula) -> Worlds | None:
        return worlds_of([formula], variables_of([formula], self.labels, self.exclusive))

    def penalty(self, chances: Mapping[str, Tensor]) -> Tensor | None:
        """The mean over a batch of minus the log probability that the rules hold.

        Exactly so (semantic loss) for rules with few ways in which they can hold; else the sum over the rules, as if
        they had nothing to do with one another (product t-norm).
        """
        from sibu.knowledge.label_rules.penalty import broken

        told = self.worlds(chances)
        return sum(broken(each, chances, self.labels) for each in told) if told else None  # type: ignore[return-value]

    # ---- answering -------------------------------------------------------------------------------------------------

    def obeyed(self, options: Mapping[str, Ways]) -> Obeyed | None:
        """The likeliest answers together that break no rule, by branch and bound: exact.

        Where the likeliest answers break a rule, one of its labels is decided either way, and the likeliest answers
        under each decision are looked at, those of the highest probability first. Since a decision never makes answers
        likelier, the first that break no rule are the likeliest of all that do not.
        """
        rules, number = self._between(options), count()
        broken: list[str] | None = None
        open_: list[_Open] = []
        _push(open_, number, options, {name: {} for name in options})
        while open_:
            _, _, decided, said = heappop(open_)
            wrong = _wrong(rules, said)
            if not wrong:
                return None if broken is None else Obeyed(decided, broken)
            if broken is None:
                broken = [self.texts[place] for place in wrong]
            atom = _undecided(self.formulas[wrong[0]], decided)
            if atom is not None:
                for value in (True, False):
                    own = {**decided, atom.task: {**decided[atom.task], atom.label: value}}
                    _push(open_, number, options, own)
        return None  # nothing that can be answered keeps the rules: answered as if there were none

    def _between(self, options: Collection[str]) -> list[tuple[int, Formula]]:
        """The rules that speak of these tasks alone."""
        return [
            (place, each)
            for place, each in enumerate(self.formulas)
            if all(atom.task in options for atom in atoms(each))
        ]

    # ---- checking --------------------------------------------------------------------------------------------------

    def _senseless(self) -> list[Fault]:
        """Rules that no answer keeps, that say nothing, that are too wide; labels that can never be given."""
        faults = []
        for place, (text, formula) in enumerate(zip(self.texts, self.formulas, strict=True)):
            own = self._alone(formula)
            where, quoted = f"rules.{place}", f"`{text}`"
            if own is None:
                faults.append(Fault(where, f"{quoted} speaks of too many labels at once.", "Make several rules of it."))
            elif not len(own.chosen):
                faults.append(Fault(where, f"{quoted} holds of no answer: it contradicts itself.", "Mend it."))
            elif len(own.chosen) == own.all:
                faults.append(Fault(where, f"{quoted} holds whatever the answer is.", "Leave it out, or mend it."))
        if faults:
            return faults
        if not self._possible({}):
            return [Fault("rules", "no answer keeps all of them: they contradict one another.", "Mend them.")]
        for atom in dict.fromkeys(atom for each in self.formulas for atom in atoms(each)):
            if not self._possible({atom.task: {atom.label: True}}):
                what = f"by these no input can ever have {atom.task} = {atom.label}."
                mend = "Mend the rules; or, where that is meant, leave the label's rows out of the data."
                faults.append(Fault("rules", what, mend))
        return faults

    def _possible(self, decided: Decided) -> bool:
        options = {name: _Blank(self.labels[name], self.exclusive[name], decided.get(name, {})) for name in self.labels}
        found = self.obeyed(options)
        if found is not None:
            return True
        found_alone = {name: each.best({}) for name, each in options.items()}
        said = {name: each[1] for name, each in found_alone.items() if each is not None}
        return len(said) == len(options) and not _wrong(self._between(options), said)


class _Blank:
    """Ways all alike, by which it is seen what is possible at all."""

    def __init__(self, labels: Sequence[str], exclusive: bool, must: Mapping[str, bool]) -> None:
        self.labels, self.exclusive, self.must = labels, exclusive, must

    def best(self, decided: Mapping[str, bool]) -> tuple[float, frozenset[str]] | None:
        if any(self.must.get(label, value) != value for label, value in decided.items()):
            return None
        whole = {**decided, **self.must}
        wanted = frozenset(label for label, value in whole.items() if value)
        if self.exclusive and not wanted:
            wanted = frozenset([label for label in self.labels if whole.get(label, True)][:1])
        if self.exclusive and len(wanted) != 1:
            return None
        return float(len(decided)), wanted


def _push(
    open_: list[_Open], number: count[int], options: Mapping[str, Ways], decided: dict[str, dict[str, bool]]
) -> None:
    """Add the likeliest answers under some decisions to those that are to be looked at, if there are any."""
    found = {name: each.best(decided[name]) for name, each in options.items()}
    if all(each is not None for each in found.values()):
        score = sum(each[0] for each in found.values() if each is not None)
        said = {name: each[1] for name, each in found.items() if each is not None}
        heappush(open_, (-score, next(number), decided, said))


def _wrong(rules: Sequence[tuple[int, Formula]], said: Mapping[str, Collection[str]]) -> list[int]:
    """The rules that answers break, by number."""
    return [place for place, each in rules if not holds(each, lambda atom: atom.label in said[atom.task])]


def _undecided(formula: Formula, decided: Decided) -> Says | None:
    return next((atom for atom in atoms(formula) if atom.label not in decided[atom.task]), None)


def _unknown(number: int, formula: Formula, labels: Mapping[str, Sequence[str]]) -> list[Fault]:
    """Tasks and labels that are not there."""
    faults = []
    for atom in dict.fromkeys(atoms(formula)):
        where = f"rules.{number}"
        if atom.task not in labels:
            allowed = ", ".join(labels) or "none: rules speak of tasks `classify` and `tag` with heads of their own"
            what = f"names the task {atom.task!r}, of which rules cannot speak, or which is not there."
            faults.append(Fault(where, what, f"{near_miss(atom.task, labels)}Allowed: {allowed}."))
        elif atom.label not in labels[atom.task]:
            others = [name for name, own in labels.items() if atom.label in own]
            close = near_miss(atom.label, labels[atom.task])
            if others and not close:
                close = f"It is a label of {', '.join(others)}. "
            own = list(labels[atom.task])
            shown = ", ".join(own[:SHOWN]) + (f" and {len(own) - SHOWN} more" if len(own) > SHOWN else "")
            what = f"names {atom.label!r}, no label of {atom.task}."
            faults.append(Fault(where, what, f"{close}Allowed: {shown}."))
    return faults
