"""Lines of the tables: knowledge, its rules, its proofs, its store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lines import Line, Results, judged


def knowledge(results: Results) -> list[Line]:
    """The standards' own suites, the engine, proofs, the store."""
    lines = [*_entailed(results.get("entailment")), _shapes(results.get("shacl")), *_closure(results.get("lubm"))]
    lines += [_proofs(results.get("proofs")), _retracted(results.get("retraction"))]
    return [*lines, *_store(results.get("store"))]


def _entailed(found: Mapping[str, Any] | None) -> list[Line]:
    titles = ("W3C RDF 1.1 semantics (rdf-mt)", "W3C SPARQL 1.1 entailment regimes")
    bar = "stated; each failure explained"
    if found is None:
        return [Line(title, bar, plain="—", published="—") for title in titles]
    lines = []
    for title, key, passed in zip(titles, ("rdf_mt", "sparql"), ("passed", "passed_in_every_regime"), strict=True):
        own = found[key]
        by = ", ".join(f"{regime} {count}" for regime, count in own["by_regime"].items())
        explained = all(each.get("why") for each in own["failures"].values())
        said = f"{own[passed]} of {own['tests']} ({by})"
        lines.append(Line(title, bar, said, "—", "—", "stated" if explained else judged(None)))
    return lines


def _shapes(found: Mapping[str, Any] | None) -> Line:
    title, bar = "W3C SHACL suite (core and SPARQL)", "stated; each failure explained"
    if found is None:
        return Line(title, bar, plain="—", published="—")
    explained = all(each.get("why") for each in found["failures"].values())
    said = f"{found['passed']} of {found['tests']}; reports equal to those expected, node for node"
    return Line(title, bar, said, "—", "—", "stated" if explained else judged(None))


def _closure(found: Mapping[str, Any] | None) -> list[Line]:
    """Equality and speed against both references, and how cost grows with what follows."""
    quick, equal = (
        "Closure of university data: time against owlrl",
        "Closure of university data: equal to the reference",
    )
    grows = "Closure of university data: cost with size"
    bars = ("≥ 20 x", "equal", "stated; linear in the output")
    if found is None:
        return [
            Line(title, bar, plain="—", published="—") for title, bar in zip((quick, equal, grows), bars, strict=True)
        ]
    lines, same = [], []
    for size, each in found["by_size"].items():
        sides = each["sides"]
        same += [value for own in sides.values() for key, value in own.items() if "_equal_to_" in key]
        for side in ("owlrl", "reasonable"):
            if side not in sides:
                continue
            own, other = sides["closure"], sides[side]
            ratio = other["times_as_long_as_ours"]
            said = f"{ratio:.1f} x ({own['close_seconds']['median']:.2f} s, {own['peak_memory_bytes'] / 2**20:.0f} MiB)"
            said += f"; with proofs {sides['proofs']['close_seconds']['median']:.2f} s"
            plain = f"{side} {other['close_seconds']['median']:.1f} s, {other['peak_memory_bytes'] / 2**20:.0f} MiB"
            title = f"Closure of university data, {size}, against {side}: time"
            bar = "≥ 20 x" if side == "owlrl" else "stated"
            lines.append(Line(title, bar, said, plain, "—", judged(ratio >= 20) if side == "owlrl" else "stated"))
    lines.append(Line(equal, "equal", f"{sum(same)} of {len(same)} comparisons of sets", "—", "—", judged(all(same))))
    costs = found["linear"]["closure, microseconds a fact"]
    proofs = found["linear"]["proofs, microseconds a fact"]
    said = "; ".join(f"{size}: {costs[size]:.2f} µs a fact, with proofs {proofs[size]:.2f}" for size in costs)
    return [*lines, Line(grows, "stated; linear in the output", said, "—", "—", "stated")]


def _proofs(found: Mapping[str, Any] | None) -> Line:
    title = "Random rule programs: same facts, proofs accepted, mutated proofs rejected"
    bar = "as a naive evaluator and clingo; 100 %; 100 %"
    if found is None:
        return Line(title, bar, plain="—", published="—")
    parts, wrong = [], []
    for kind in ("plain", "mixed"):
        own = found[kind]
        wrong += own["wrong"]
        mutated = own["mutated"]
        parts.append(
            f"{own['programs']} {kind} programs: {own['proofs_accepted']:,} of {own['proofs']:,} proofs accepted, "
            f"{mutated['rejected']:,} of {mutated['no_proof']:,} mutations rejected, depth up to {own['deepest']}"
        )
    return Line(title, bar, "; ".join(parts), "—", "—", judged(not wrong))


def _retracted(found: Mapping[str, Any] | None) -> Line:
    title, bar = "Facts come and go: the closure against one computed afresh", "equal after any sequence"
    if found is None:
        return Line(title, bar, plain="—", published="—")
    drawn, real = found["random"], found["university"]
    said = f"{drawn['equal']:,} of {drawn['changes']:,} changes to {drawn['programs']} random programs equal; "
    rounds = real["rounds"]
    same = all(each["equal"] and each["equal_when_back"] for each in rounds)
    costs = ", ".join(f"{each['facts']:,} facts {each['retract_seconds']:.2f} s" for each in rounds)
    said += f"of {real['asserted']:,} facts of university data withdrawn: {costs}, afresh "
    said += f"{rounds[0]['afresh_seconds']:.2f} s, {'all' if same else 'not all'} equal"
    return Line(title, bar, said, "—", "—", judged(same and drawn["equal"] == drawn["changes"]))


def _store(found: Mapping[str, Any] | None) -> list[Line]:
    titles = ("Store: a million triples loaded", "Store: a query of two hops", "Store: killed in the middle of a load")
    bars = ("stated", "stated", "nothing lost that was committed, nothing half-written")
    if found is None:
        return [Line(title, bar, plain="—", published="—") for title, bar in zip(titles, bars, strict=True)]
    load, ask, kills = found["load"], found["ask"], found["kills"]
    said = f"{load['facts_a_processor_second']:,} facts a processor second, {load['facts_a_wall_second']:,} a second; "
    said += f"{load['peak_memory_bytes'] / 2**20:.0f} MiB"
    hops = ask["two_hops_here_milliseconds"]
    asked = f"{hops['median']:.1f} ms (95 % within {hops['p95']:.1f}); with a time limit "
    asked += f"{ask['two_hops_in_a_process_milliseconds']['median']:.1f} ms"
    lost = sum(each["lost"] for each in kills), sum(each["half_written"] for each in kills)
    told = f"{len(kills)} kills: {lost[0]} facts lost, {lost[1]} half-written"
    verdicts = ("stated", "stated", judged(not any(lost)))
    both = zip(titles, bars, (said, asked, told), verdicts, strict=True)
    return [Line(title, bar, each, "—", "—", verdict) for title, bar, each, verdict in both]
