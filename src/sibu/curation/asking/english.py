"""What the words of English questions do."""

from __future__ import annotations

import re

from sibu.curation.asking.wording import Wording

WORDING = Wording(
    language="en",
    which=("which", "what", "who", "whom", "whose", "list", "name all", "name the", "find", "show me", "give me"),
    count=("how many", "the number of", "number of", "count"),
    opening=("is", "are", "was", "were", "does", "do", "did", "can", "could", "may", "might", "will"),
    whether=("is it true that", "whether"),
    negative=("not", "doesn't", "don't", "isn't", "aren't", "never", "without", "no", "didn't"),
    joining=("and", "both", "as well as"),
    choosing=("or", "either"),
    whole=("all", "every", "each", "always", "everyone", "everybody"),
    sole=("only", "solely", "exclusively", "merely", "just", "nothing but", "alone"),
    passive=("by",),
    having=("have", "has", "had", "having", "show", "shows"),
    owning=("of",),
    compare={
        "older than": (">", "age"),
        "younger than": ("<", "age"),
        "or older": (">=", "age"),
        "or younger": ("<=", "age"),
        "more than": (">", ""),
        "greater than": (">", ""),
        "greater than or equal to": (">=", ""),
        "higher than": (">", ""),
        "larger than": (">", ""),
        "longer than": (">", ""),
        "above": (">", ""),
        "over": (">", ""),
        "exceeding": (">", ""),
        "less than": ("<", ""),
        "less than or equal to": ("<=", ""),
        "fewer than": ("<", ""),
        "lower than": ("<", ""),
        "smaller than": ("<", ""),
        "shorter than": ("<", ""),
        "below": ("<", ""),
        "under": ("<", ""),
        "at least": (">=", ""),
        "no less than": (">=", ""),
        "or more": (">=", ""),
        "at most": ("<=", ""),
        "no more than": ("<=", ""),
        "or less": ("<=", ""),
        "exactly": ("=", ""),
        "equal to": ("=", ""),
    },
    extreme={
        "oldest": ("max", "age"),
        "youngest": ("min", "age"),
        "highest": ("max", ""),
        "largest": ("max", ""),
        "greatest": ("max", ""),
        "longest": ("max", ""),
        "lowest": ("min", ""),
        "smallest": ("min", ""),
        "shortest": ("min", ""),
    },
    implied={
        "how old": ("age",),
        "years old": ("age",),
        "years of age": ("age",),
        "where": ("lies", "located", "location", "place", "lives", "in"),
        "when": ("date", "when", "born"),
        "how long": ("duration", "period", "length"),
        "how much": ("price", "cost", "amount", "fee"),
    },
    alike=(
        ("takes", "uses", "is on", "receives", "swallows"),
        ("causes", "leads to", "brings about", "produces", "results in", "triggers"),
        ("treats", "cures", "heals", "helps against"),
        ("symptom", "sign", "complaint"),
        ("drug", "medicine", "medication"),
        ("patient", "person"),
        ("disease", "illness", "disorder"),
        ("lies in", "stays in", "is in", "lives in"),
        ("part of", "belongs to", "within"),
        ("affects", "influences", "acts on"),
        ("prevents", "protects against", "stops"),
        ("contains", "includes", "consists of"),
        ("diagnoses", "detects", "identifies"),
        ("ward", "unit"),
        ("interacts with", "reacts with"),
    ),
    idle=(
        "a", "an", "the", "of", "to", "in", "on", "at", "for", "with", "from", "as", "that", "this", "these", "those",
        "there", "it", "its", "he", "she", "they", "them", "their", "his", "her", "be", "been", "being", "am", "in all",
        "any", "some", "also", "too", "then", "please", "tell", "me", "i", "you", "we", "us",
        "kindly", "would", "would like", "want to know", "know", "s", "currently", "now", "usually", "often",
        "really", "exactly", "ever", "anything", "something", "anyone", "someone", "thing", "kind", "kinds", "type",
        "types", "sort", "such", "so", "about", "into", "which", "what", "who", "according", "can", "may", "might",
        "will", "could", "should", "must", "shall", "get", "gets", "got", "let", "actually", "known", "out", "here",
    ),
    numbers={
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
        "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
        "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
        "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100,
    },
)  # fmt: skip

IRREGULAR = {
    "took": "take", "taken": "take", "given": "give", "gave": "give", "lay": "lie", "lain": "lie", "lying": "lie",
    "led": "lead", "brought": "bring", "made": "make", "born": "born", "held": "hold", "known": "know",
    "wrote": "write", "written": "write", "people": "person", "children": "child",
    "men": "man", "women": "woman", "feet": "foot", "teeth": "tooth", "found": "found", "stood": "stand",
}  # fmt: skip
"""Forms that no ending tells."""

_ENDINGS = re.compile(r"(?:ing|ion|ment|ed|e|is|ence|ance)\Z")


def stemmed(word: str) -> str:
    """A word without its ending: ``interaction``, ``interacts``, ``interacting`` are one."""
    found = _ENDINGS.search(word)
    while found is not None and found.start() < 3:
        found = _ENDINGS.search(word, found.start() + 1)
    short = word[: found.start()] if found is not None else word
    if len(short) > 3 and short[-1] == short[-2] and short[-1] not in "aeiousl":
        short = short[:-1]
    return short[:-1] + "i" if len(short) > 3 and short[-1] == "y" else short
