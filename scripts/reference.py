"""Write the generated reference pages below docs/reference; with --check, only tell whether they are current."""
