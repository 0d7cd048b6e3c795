"""The questions of a SQuAD document."""

from collections.abc import Iterator
from typing import Any

from sibu.core.example import DataFault, Faults
from sibu.core.protocols import Record
from sibu.readers._files import bad_bytes, no_records, opened, shown
from sibu.readers._json import JsonError, parse

_TYPES: dict[type, str] = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}
_ANSWER = '{"text", "answer_start"}'
_FORM = f'{{"data": [{{"paragraphs": [{{"context", "qas": [{{"id", "question", "answers": [{_ANSWER}]}}]}}]}}]}}'


class FormError(ValueError):
    """What is wrong with the document's form, and where inside it."""


def read(path: str, faults: Faults) -> Iterator[Record]:
    """Yield each question with its running number; what is malformed is counted and skipped.

    Raises:
        DataError: When the file cannot be opened.
    """
    document = _document(path)
    if isinstance(document, DataFault):
        faults.add(document)
        return
    last = 0
    empty = True
    for found, questions in _questions(document):
        empty = False
        if isinstance(found, FormError):
            row = last + 1 if questions else None
            faults.add(DataFault("malformed", "error", path, row, f"{found}.", f"The form is {_FORM}."))
            faults.skipped[path] += max(1, questions)
        else:
            yield last + 1, found
        last += questions
    if empty:
        faults.add(no_records(path, "the document holds no question"))


def _document(path: str) -> Any:
    """The whole document, or the fault for which it cannot be read."""
    with opened(path) as file:
        content = file.read()
    try:
        return parse(str(content, "utf-8").strip(" \t\r\n"))
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        line = content[content.rfind(b"\n", 0, error.start) + 1 :].split(b"\n", 1)[0]
        return bad_bytes(path, number, number, line)
    except JsonError as wrong:
        return DataFault(wrong.kind, "error", path, None, wrong.message, wrong.mend)


def _questions(document: Any) -> Iterator[tuple[dict[str, Any] | FormError, int]]:
    """Each question or fault, and how many questions it stands for: 0 where nobody can tell."""
    for article, article_place in _each(document, "data", ""):
        if isinstance(article, FormError):
            yield article, 0
            continue
        for paragraph, place in _each(article, "paragraphs", article_place):
            if isinstance(paragraph, FormError):
                yield paragraph, 0
            else:
                yield from _of_paragraph(paragraph, place)


def _of_paragraph(paragraph: dict[str, Any], place: str) -> Iterator[tuple[dict[str, Any] | FormError, int]]:
    try:
        context = _get(paragraph, "context", str, place)
        questions = _get(paragraph, "qas", list, place)
    except FormError as wrong:
        given = paragraph.get("qas")
        yield wrong, len(given) if isinstance(given, list) else 0
        return
    for number, question in enumerate(questions):
        try:
            yield _record(question, context, f"{place}.qas[{number}]"), 1
        except FormError as wrong:
            yield wrong, 1


def _each(parent: Any, key: str, place: str) -> Iterator[tuple[Any, str]]:
    """The objects in the list ``parent[key]``, or what is wrong in their stead, each with its place."""
    try:
        items = _get(_of_type(parent, dict, place or "The document"), key, list, place)
    except FormError as wrong:
        yield wrong, place
        return
    for number, item in enumerate(items):
        inside = f"{place}.{key}[{number}]".lstrip(".")
        try:
            yield _of_type(item, dict, inside), inside
        except FormError as wrong:
            yield wrong, inside


def _record(question: Any, context: str, place: str) -> dict[str, Any]:
    """A question as a record."""
    given = _of_type(question, dict, place)
    impossible = given.get("is_impossible", False)
    answers: list[dict[str, Any]] | None = [] if impossible else None
    if given.get("answers") is not None:
        items = _get(given, "answers", list, place)
        answers = [_answer(item, f"{place}.answers[{number}]") for number, item in enumerate(items)]
    text = _get(given, "question", str, place)
    return {
        "id": given.get("id"),
        "question": text,
        "context": context,
        "answers": answers,
        "is_impossible": impossible,
    }


def _answer(item: Any, place: str) -> dict[str, Any]:
    given = _of_type(item, dict, place)
    return {"text": _get(given, "text", str, place), "start": _get(given, "answer_start", int, place)}


def _get(parent: dict[str, Any], key: str, kind: type, place: str) -> Any:
    """The value of a key that must be there."""
    if key not in parent:
        raise FormError(f"{place or 'The document'} lacks {key!r} ({_TYPES[kind]}); it has {shown(list(parent))}")
    return _of_type(parent[key], kind, f"{place}.{key}".lstrip("."))


def _of_type(value: Any, kind: type, place: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise FormError(f"{place} must be {_TYPES[kind]}, given {shown(value)}")
    return value
