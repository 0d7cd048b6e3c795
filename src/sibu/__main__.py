"""``python -m sibu``."""

from sibu.cli import main

main()
