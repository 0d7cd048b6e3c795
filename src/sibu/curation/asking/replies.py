"""Answers as JSON, each with the words that a person reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sibu.core.logic import Atom, Entity, Rule, Variable, term_json
from sibu.curation import answers
from sibu.curation.asking.answering import ANSWER, QUESTION, Answerer, One, Read, Reply, language_of
from sibu.curation.asking.hearing import Heard
from sibu.curation.asking.plans import Plan
from sibu.curation.telling import Telling

if TYPE_CHECKING:
    from sibu.graph.reading import Reading

MOST_SAID = 50
"""Answers that a line holds; JSON has all."""


def told(kb: Reading, answerer: Answerer, reply: Reply, language: str = "", *, names: bool = False) -> dict[str, Any]:
    """A reply as JSON.

    Args:
        kb: The knowledge base.
        answerer: Whose reply it is.
        reply: The reply.
        language: In which things are shown; empty: as the question is written.
        names: Show short names, not labels.
    """
    shown = language or language_of(reply.heard.text)
    telling = Telling(kb, answerer.reasoning, shown, names=names)
    telling.call(ANSWER, "answer")
    found: dict[str, Any] = {"question": reply.heard.text, "language": shown, "status": reply.status}
    found |= {"kind": reply.plan.shape if reply.plan is not None else reply.heard.shape}
    found |= {"value": _value(reply), "said": _said(reply, telling)}
    found["score"] = round(reply.plan.score, 4) if reply.plan is not None else 0.0
    found["plan"] = None if reply.plan is None else _plan(reply.plan, reply.heard, telling)
    found["answers"] = [_one(kb, answerer, each, shown, names=names) for each in reply.ones]
    if reply.over:
        found["over"] = {"facts": reply.over_count, "some": [telling.atom(each) for each in reply.over]}
    found["readings"] = [_reading(each, telling) for each in reply.readings]
    found["needed"] = _needed(kb, reply, telling)
    found["notes"] = list(dict.fromkeys([*reply.notes, *(reply.reasons.notes if reply.reasons is not None else [])]))
    if reply.reasons is not None:
        found["why_not"] = answers.reasons(kb, reply.reasons, telling)
    return found | {"version": kb.version.number}


def _value(reply: Reply) -> Any:
    return [term_json(each) for each in reply.value] if isinstance(reply.value, list) else reply.value


def _said(reply: Reply, telling: Telling) -> str:
    """The answer in a line."""
    if reply.status != "answered":
        return reply.status
    if isinstance(reply.value, bool):
        return "yes" if reply.value else "no"
    if isinstance(reply.value, list):
        some = [_plain(each, telling) for each in reply.value[:MOST_SAID]]
        more = len(reply.value) - len(some)
        return ("; ".join(some) + (f"; and {more:,} more" if more else "")) or "none"
    return f"{reply.value:,}"


def _plain(term: Any, telling: Telling) -> str:
    """A term; a text without quotes."""
    return telling.term(term) if isinstance(term, Entity) or term.number is not None else str(term.text)


def rule_of(plan: Plan) -> Rule:
    """What is looked for, as a rule."""
    from sibu.core.logic import TYPE, Aggregate, Not

    body: tuple[Any, ...] = (*plan.atoms, *(Atom(TYPE, pair) for pair in plan.kinds))
    body = (*body, *map(Not, plan.denied), *plan.tests)
    if plan.extreme is not None:
        sign, variable = plan.extreme
        body = (*body, Aggregate(variable, sign, (variable,), ()))  # type: ignore[arg-type]
    if plan.shape == "whether":
        return Rule(QUESTION, Atom(ANSWER, ()), body)
    if plan.shape == "count":
        number = Variable("N")
        return Rule(QUESTION, Atom(ANSWER, (number,)), (Aggregate(number, "count", (plan.answer,), body),))
    return Rule(QUESTION, Atom(ANSWER, (plan.answer,)), body)


def _line(plan: Plan, telling: Telling) -> str:
    """What is looked for, as a line of the language of rules, by labels."""
    rule = rule_of(plan)
    assert rule.head is not None
    parts = []
    for each in rule.body:
        said = telling.condition(each)
        parts.append(said.replace("{ M :  }", "{ all of them }"))
    head = telling.atom(rule.head).removesuffix("()")
    return f"{head} :- {', '.join(parts)}."


def _plan(plan: Plan, heard: Heard, telling: Telling) -> dict[str, Any]:
    read = []
    for each in sorted(plan.uses, key=lambda span: span.first):
        text = heard.text[heard.words[each.first].start : heard.words[each.last - 1].end]
        read.append({"text": text, "as": telling.term(each.entity), "iri": each.entity.iri, "fit": round(each.fit, 3)})
    return {"rule": _line(plan, telling), "read": read, "left_out": list(plan.left_out)}


def _one(kb: Reading, answerer: Answerer, one: One, language: str, *, names: bool) -> dict[str, Any]:
    own = replace(answerer.reasoning, rules=(*answerer.reasoning.rules, one.rule))
    telling = Telling(kb, own, language, names=names)
    telling.call(ANSWER, "answer")
    found = answers.proved(one.proved, telling)
    found |= {"term": None if one.term is None else term_json(one.term)}
    found["sources"] = sorted({said for step in one.proved.proof if not step.rule for said in telling.sources(step)})
    return found


def _reading(read: Read, telling: Telling) -> dict[str, Any]:
    found: dict[str, Any] = {"rule": _line(read.plan, telling), "score": round(read.plan.score, 4)}
    found["things"] = [telling.term(each) for each in read.plan.things]
    if read.plan.left_out:
        found["left_out"] = list(read.plan.left_out)
    if read.matches and read.plan.shape == "which":
        found["said"] = "; ".join(_plain(each[read.plan.answer.name], telling) for each in read.matches[:10])
    return found


def _needed(kb: Reading, reply: Reply, telling: Telling) -> list[str]:
    """What would be needed to answer, in words."""
    if reply.status == "ambiguous":
        things = sorted({each for read in reply.readings for each in read.plan.things})
        return ["It can be read in several ways that answer differently: say which is meant, by a name that is one "
                f"thing's alone ({', '.join(kb.names.short(each.iri) for each in things[:8])})."]  # fmt: skip
    lines = []
    for text, near in reply.unknown:
        hint = f" Near: {', '.join(near)}." if near else ""
        lines.append(f"Nothing here is called {text!r}, and it is no word that was understood.{hint}")
    lines += [f"What {each!r} asks for could not be made of the rest of the question." for each in reply.unused]
    if reply.status == "not known" and reply.plan is not None:
        lines.append(f"There is no fact as {_line(reply.plan, telling)}")
    for entity, relations in reply.has:
        known = ", ".join(telling.term(each) for each in relations) or "nothing"
        lines.append(f"Of {telling.term(entity)} is known: {known}.")
    if reply.status == "not known" and not lines:
        lines.append("No name of a thing, a class or a relation was recognised in it.")
    return lines
