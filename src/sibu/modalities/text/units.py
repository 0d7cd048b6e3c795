"""The shape of a word: what a vocabulary without capitals loses."""

from sibu.core.example import is_cjk

SHAPES = ("none", "lower", "title", "upper", "mixed", "initial", "digits", "digits+", "letters+", "mark", "cjk")


def shape(word: str) -> int:
    """Number in ``SHAPES`` of a word's shape."""
    if not word:
        return 0
    if is_cjk(word[0]):
        return 10
    if word.isalpha():
        if word.islower():
            return 1
        if len(word) == 1:
            return 5
        if word.isupper():
            return 3
        return 2 if word[0].isupper() and word[1:].islower() else 4
    if word.isdigit():
        return 6
    if any(c.isalpha() for c in word):
        return 8
    return 7 if any(c.isdigit() for c in word) else 9
