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


@pytest.mark.parametrize("arguments", [["--help"], ["list"]])
def test_they_answer_in_half_a_second(arguments: list[str]) -> None:
    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    times: list[float] = []
    # The work that it is, in seconds of a core. Beside other work a core does less in one: so the least of several.
    while len(times) < 12 and min(times, default=1.0) >= 0.5:
        before = used()
        subprocess.run([sys.executable, "-m", "sibu", *arguments], capture_output=True, check=True)
        times.append(used() - before)
    assert min(times) < 0.5, times


def test_torchvision_did_not_come_in() -> None:
    names = {(found.metadata["Name"] or "").lower() for found in distributions()}
    assert "torchvision" not in names, "torchvision breaks beside the CPU build of torch; find what pulled it in"
