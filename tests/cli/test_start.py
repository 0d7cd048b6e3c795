"""The commands answer at once, and import only what they need."""

import resource
import subprocess
import sys
from importlib.metadata import distributions

import pytest

HEAVY = ("torch", "transformers", "peft", "accelerate", "datasets", "pandas", "sklearn", "pyarrow", "numpy")


def imported(code: str) -> set[str]:
    line = f"{code}\nimport sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_import_sibu_is_light() -> None:
    assert imported("import sibu") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "methods"], ["run", "--help"]])
def test_help_and_list_import_nothing_heavy(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = ['sibu', *{arguments!r}]\nfrom sibu.cli import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    pass"
    assert imported(code) == set()


def test_rooms_import_nothing_heavy() -> None:
    code = "import sibu.recipe.schema, sibu.tasks, sibu.methods, sibu.readers, sibu.modalities, sibu.trackers"
    assert imported(code) == set()


def test_a_plan_is_made_without_torch() -> None:
    assert "torch" not in imported("import sibu.pipeline.plan")


LEAST = "import pydantic, typer"
"""What any command imports, whatever it is."""
ITS_SECONDS = 0.12
"""Of a core at rest, of the kind on which the half second was set."""


def used(*words: str) -> float:
    """The work that Python does for this, in seconds of a core."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("arguments", [["--help"], ["list"]])
def test_they_answer_in_half_a_second(arguments: list[str]) -> None:
    tried: list[tuple[float, float]] = []
    # Beside other work, or on a slow host, a second of a core does less: told by what Python and the two libraries that
    # every command imports take in the same moment.
    while len(tried) < 12:
        allowed = 0.5 * max(1.0, used("-c", LEAST) / ITS_SECONDS)
        taken = used("-m", "sibu", *arguments)
        if taken < allowed:
            return
        tried.append((taken, allowed))
    pytest.fail(f"seconds of a core, and what was allowed: {tried}")


def test_torchvision_did_not_come_in() -> None:
    names = {(found.metadata["Name"] or "").lower() for found in distributions()}
    assert "torchvision" not in names, "torchvision breaks beside the CPU build of torch; find what pulled it in"
