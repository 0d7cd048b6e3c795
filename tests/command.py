"""The `sibu` command in this process: as quick as the function that it calls, with no start of Python and torch."""

import contextlib
import io
import subprocess
import sys

from sibu.cli import main


def sibu_here(*words: object, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command line here, with a text on standard input; what a process of its own would have said."""
    line = ["sibu", *map(str, words)]
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    before = sys.argv, sys.stdin
    sys.argv, sys.stdin = line, io.TextIOWrapper(io.BytesIO(given.encode()), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv, sys.stdin = before
    return subprocess.CompletedProcess(line, int(str(code)), out.getvalue(), err.getvalue())
