"""The smallest stretches of a text that a span may begin or end at."""

import re
from functools import lru_cache

from sibu.core.example import is_cjk

# A word is a run of letters (with the combining marks that follow them) or of digits; every other visible character
# stands alone. Chinese and Japanese characters stand alone too: they are split out of the runs below.
_RUN = re.compile(
    r"[^\W\d_]+(?:[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e]+[^\W\d_]*)*|\d+|[^\s]"
)

Place = tuple[int, int]


def units(text: str) -> list[Place]:
    """Characters ``(start, end)`` of each unit of a text, in order; white space belongs to none."""
    found: list[Place] = []
    for match in _RUN.finditer(text):
        start, end = match.span()
        if end - start == 1:
            found.append((start, end))
            continue
        begin = start
        for place in range(start, end):
            if is_cjk(text[place]):
                if begin < place:
                    found.append((begin, place))
                found.append((place, place + 1))
                begin = place + 1
        if begin < end:
            found.append((begin, end))
    return found


@lru_cache(maxsize=4)
def chinese_words(text: str) -> list[Place]:
    """The words of a text, those of Chinese as jieba finds them; in order."""
    import jieba

    jieba.setLogLevel(60)  # it tells where its dictionary lies
    found: list[Place] = []
    run: list[Place] = []
    for start, end in [*units(text), (len(text) + 1, len(text) + 1)]:
        if run and (run[-1][1] != start or not is_cjk(text[start])):
            first = run[0][0]
            found += [(first + begin, first + stop) for _, begin, stop in jieba.tokenize(text[first : run[-1][1]])]
            run = []
        if start > len(text):
            break
        if is_cjk(text[start]):
            run.append((start, end))
        else:
            found.append((start, end))
    return found
