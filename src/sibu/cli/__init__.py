"""F8, the command line: one file a command; each parses and then calls a plain function of ``sibu.api``.

Data goes to stdout, words and progress to stderr. Exit code 0 done, 1 a fault that the user can mend, 2 wrong usage,
3 a release condition was missed.
"""

import errno
import io
import os
import sys

import typer

from sibu.cli import (
    aligning,
    asking,
    check,
    evaluate,
    extraction,
    find,
    kb,
    label,
    links,
    list_,
    once,
    predict,
    reasoning,
    run,
    search,
    show,
    updating,
    versions,
)
from sibu.core.errors import ReleaseMissed, SibuError

app = typer.Typer(
    name="sibu",
    help="From a pretrained model, a team's data and its knowledge to a system that the team can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("check")(check.check)
app.command("list")(list_.list_)
app.command("predict")(predict.predict)
app.command("find")(find.find)
app.command("align")(aligning.align)
app.command("evaluate")(evaluate.evaluate)
app.command("show")(show.show)
app.command("label")(label.label)
app.command("search")(search.search)
app.command("ask")(asking.ask)
for act in (versions.versions, versions.diff, versions.rollback, versions.export, versions.stats, versions.rebuild):
    kb.app.command()(act)
for verb in (reasoning.rules, reasoning.shapes, reasoning.infer, reasoning.why, reasoning.check, asking.link):
    kb.app.command()(verb)
kb.app.command()(extraction.extract)
kb.app.command()(updating.update)
kb.app.command()(links.embed)
kb.app.command()(links.mine)
for command in (*app.registered_commands, *kb.app.registered_commands):
    command.cls = once.Once
app.add_typer(kb.app, name="kb")


@app.callback(invoke_without_command=True)
def _main(version: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    if version:
        from sibu import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """The ``sibu`` command."""
    # The tokenizers library warns when a process that used its threads forks; nothing here forks.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    for stream in (sys.stdout, sys.stderr):  # JSON is UTF-8, whatever the terminal's language
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except ReleaseMissed as fault:
        print(f"sibu: {fault}", file=sys.stderr)  # noqa: T201
        sys.exit(3)
    except SibuError as fault:
        print(f"sibu: {fault}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EIO) or fault.filename is not None:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"sibu: the output could not be written ({os.strerror(fault.errno)}).", file=sys.stderr)  # noqa: T201
        sys.exit(1)
