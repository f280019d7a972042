"""Causal paths: from a gene, a disease or a variable to a finding, step by step with sign."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from pyoxigraph import NamedNode, Store

from hypomag import names, prefixes
from hypomag.errors import InputError
from hypomag.queries import run
from hypomag.sources import VOCAB

LONGEST = 9
_STEPS = """
SELECT ?step ?label ?from ?fromLabel ?sign ?to ?toLabel ?status ?loop ?place ?placeLabel WHERE {
  ?step a hm:MechanismStep ; rdfs:label ?label ; hm:subject ?from ; hm:predicate ?sign ; hm:object ?to ;
    hm:polarity hm:present ; hm:status ?status .
  ?from rdfs:label ?fromLabel . ?to rdfs:label ?toLabel .
  OPTIONAL { ?step hm:loop ?loop }
  OPTIONAL { ?step hm:location ?place . ?place rdfs:label ?placeLabel }
  FILTER(?status != hm:retracted)
} ORDER BY ?step ?placeLabel
"""
_EVIDENCE = """
SELECT ?step ?line ?sourceLabel ?direction WHERE {
  ?step a hm:MechanismStep ; hm:evidence ?line .
  ?line dcterms:source/hm:shortCitation ?sourceLabel ; hm:direction ?direction .
} ORDER BY ?step ?line
"""


@dataclass(frozen=True)
class Step:
    """One signed step: more of `origin` makes more (sign +1) or less (-1) of `target`."""

    iri: str
    label: str
    origin: str
    origin_label: str
    sign: int
    target: str
    target_label: str
    status: str
    loop: str
    places: tuple[str, ...]
    supports: tuple[str, ...]
    disputes: tuple[str, ...]


@dataclass(frozen=True)
class Path:
    """A chain of steps from a start in a state (-1 low, +1 high) to a variable in the state of the finding."""

    start: str
    start_state: int
    steps: tuple[Step, ...]

    def states(self) -> list[int]:
        """The state of each variable along the path, the start first."""
        found = [self.start_state]
        for step in self.steps:
            found.append(found[-1] * step.sign)
        return found

    @property
    def weight(self) -> tuple[int, int, int, tuple[str, ...]]:
        """Accepted, undisputed and short paths first."""
        return (
            sum(s.status != "accepted" for s in self.steps),
            len(self.steps),
            sum(bool(s.disputes) for s in self.steps),
            tuple(s.iri for s in self.steps),
        )


@dataclass(frozen=True)
class Explanation:
    """The paths from a subject to a finding, the best first, and the loops that were cut on the way."""

    subject: str
    finding: str
    reason: str
    paths: tuple[Path, ...]
    loops: tuple[str, ...]

    def as_text(self, limit: int = 3) -> str:
        out = [f"{self.subject} → {self.finding}\n{self.reason}\n"]
        for number, path in enumerate(self.paths[:limit], 1):
            states = path.states()
            out.append(f"\nPath {number} of {len(self.paths)}\n  {path.start} {_arrow(states[0])}\n")
            for step, state in zip(path.steps, states[1:], strict=True):
                verb = "raises" if step.sign > 0 else "lowers"
                place = f"  in {', '.join(step.places)}" if step.places else ""
                mark = "" if step.status == "accepted" else f"  [{step.status}]"
                out.append(f"  → {step.target_label} {_arrow(state)}   ({step.origin_label} {verb} it){place}{mark}\n")
                out.append(f"      + {'; '.join(step.supports)}\n")
                if step.disputes:
                    out.append(f"      - disputed by {'; '.join(step.disputes)}\n")
        if len(self.paths) > limit:
            out.append(f"\n{len(self.paths) - limit} more (--limit shows them)\n")
        for loop in self.loops:
            out.append(f"\ncut: feedback loop {loop!r}\n")
        out.append("\n+ supports, - disputes. For information; this is no medical advice.\n")
        return "".join(out)

    def as_json(self, limit: int | None = None) -> str:
        body = {
            "subject": self.subject,
            "finding": self.finding,
            "reason": self.reason,
            "paths": [{"start": p.start, "states": p.states(), "steps": [asdict(s) for s in p.steps]} for p in self.paths[:limit]],
            "paths_found": len(self.paths),
            "loops": list(self.loops),
            "notice": "For information; this is no medical advice.",
        }
        return json.dumps(body, ensure_ascii=False, indent=1) + "\n"

    def as_mermaid(self, limit: int = 3) -> str:
        """A Mermaid flow chart of the best paths: sign, place and first source on each arrow; dashed ones are disputed."""
        nodes: dict[str, str] = {}
        edges: list[str] = []

        def node(label: str) -> str:
            nodes.setdefault(label, f"n{len(nodes)}")
            return nodes[label]

        def edge(text: str) -> None:
            if text not in edges:
                edges.append(text)

        for path in self.paths[:limit]:
            states = path.states()
            labels = [
                f"{label} {_arrow(state)}" for label, state in zip([path.start, *(s.target_label for s in path.steps)], states, strict=True)
            ]
            if self.subject != path.start:
                edge(f"  {node(self.subject)} --> {node(labels[0])}")
            for step, origin, target in zip(path.steps, labels, labels[1:], strict=False):
                arrow = "-.->" if step.disputes else "-->"
                more = f" and {len(step.supports) - 1} more" if len(step.supports) > 1 else ""
                told = "<br/>".join(
                    part
                    for part in (
                        "+" if step.sign > 0 else "−",
                        ", ".join(step.places),
                        f"{step.supports[0]}{more}" if step.supports else "",
                    )
                    if part
                )
                edge(f'  {node(origin)} {arrow}|"{_plain(told)}"| {node(target)}')
            edge(f"  {node(labels[-1])} --> {node(self.finding)}")
        shown = [f'  {name}["{_plain(label)}"]' for label, name in nodes.items()]
        return "\n".join(["flowchart TD", *shown, *edges]) + "\n"


def _plain(text: str) -> str:
    """Text that Mermaid takes inside quotation marks."""
    return text.replace('"', "#quot;")


def _arrow(state: int) -> str:
    return "↑" if state > 0 else "↓"


def steps(store: Store) -> list[Step]:
    """All present steps of the graph that are not retracted."""
    evidence: dict[tuple[str, str], list[str]] = {}
    for row in run(store, _EVIDENCE):
        key = (row["step"].value, row["direction"].value.removeprefix(VOCAB))
        if row["sourceLabel"].value not in evidence.setdefault(key, []):
            evidence[key].append(row["sourceLabel"].value)
    found: dict[str, dict[str, object]] = {}
    places: dict[str, list[str]] = {}
    for row in run(store, _STEPS):
        iri = row["step"].value
        found[iri] = {
            "label": row["label"].value,
            "origin": row["from"].value,
            "origin_label": row["fromLabel"].value,
            "sign": 1 if row["sign"].value == VOCAB + "increases" else -1,
            "target": row["to"].value,
            "target_label": row["toLabel"].value,
            "status": row["status"].value.removeprefix(VOCAB),
            "loop": row["loop"].value if row["loop"] else "",
        }
        if row["placeLabel"] and row["placeLabel"].value not in places.setdefault(iri, []):
            places[iri].append(row["placeLabel"].value)
    return [
        Step(
            iri=iri, places=tuple(places.get(iri, ())), supports=tuple(evidence.get((iri, "supports"), ())),
            disputes=tuple(evidence.get((iri, "disputes"), ())), **body,  # type: ignore[arg-type]
        )
        for iri, body in found.items()
    ]  # fmt: skip


def explain(store: Store, subject: str, finding: str, state: str | None = None) -> Explanation:
    """Find the causal paths from a gene (lost), a disease (its lost gene) or a variable to a finding.

    `state` is "low" or "high" for a variable as subject (default low). Paths visit no variable twice and have at
    most `LONGEST` steps; where a step would close a named feedback loop, the loop is cut and named.

    Raises:
        UnknownName, AmbiguousName: as `names.resolve`.
        InputError: the subject acts through no variable, or the finding is the state of none.
    """
    start_node = names.resolve(store, subject)
    starts, reason = _starts(store, start_node, state)
    goal = names.resolve(store, finding)
    goals = _goals(store, goal)
    if not goals:
        raise InputError(
            f"{names.label(store, goal)} is not the state of any variable of the mechanism",
            "hypomag query variables lists what can be explained",
        )
    every = steps(store)
    outgoing: dict[str, list[Step]] = {}
    for step in every:
        outgoing.setdefault(step.origin, []).append(step)
    useful = _reaching({iri for iri, _ in goals}, every)
    loops: set[str] = set()
    found: list[Path] = []

    def walk(path: tuple[Step, ...], at: str, now: int, visited: frozenset[str], start: str, first: int) -> Iterator[Path]:
        if (at, now) in goals and path:
            yield Path(start, first, path)
            return
        if len(path) == LONGEST:
            return
        for step in outgoing.get(at, []):
            if step.target in visited:
                if step.loop:
                    loops.add(step.loop)
                continue
            if step.target in useful:
                yield from walk((*path, step), step.target, now * step.sign, visited | {step.target}, start, first)

    for iri, first in starts:
        label = names.label(store, NamedNode(iri))
        found.extend(walk((), iri, first, frozenset({iri}), label, first))
    return Explanation(
        names.label(store, start_node), names.label(store, goal), reason, tuple(sorted(found, key=lambda p: p.weight)), tuple(sorted(loops))
    )


def nearest(store: Store, subject: str, every: Sequence[Step], starts: Sequence[tuple[str, int]] = ()) -> dict[tuple[str, int], Path]:
    """The best path from a subject to each variable in each state that it can bring about: (variable, state) → path.

    It is the path that `explain` would tell first, found without walking all others. `starts` are variables with
    their states, where the subject shall act through these alone.

    Raises:
        UnknownName, AmbiguousName, InputError: as `explain`.
    """
    starts = starts or _starts(store, names.resolve(store, subject), None)[0]
    outgoing: dict[str, list[Step]] = {}
    for step in every:
        outgoing.setdefault(step.origin, []).append(step)
    todo = [((0, 0, 0, ()), iri, state, Path(names.label(store, NamedNode(iri)), state, ())) for iri, state in starts]
    found: dict[tuple[str, int], Path] = {}
    while todo:
        _, at, state, path = heapq.heappop(todo)
        if (at, state) in found:
            continue
        found[at, state] = path
        seen = {s.origin for s in path.steps} | {at}
        for step in outgoing.get(at, []):
            if step.target not in seen and (step.target, state * step.sign) not in found:
                longer = Path(path.start, path.start_state, (*path.steps, step))
                heapq.heappush(todo, (longer.weight, step.target, state * step.sign, longer))  # type: ignore[misc]
    return {goal: path for goal, path in found.items() if path.steps}


def _reaching(goals: set[str], every: Sequence[Step]) -> set[str]:
    incoming: dict[str, list[str]] = {}
    for step in every:
        incoming.setdefault(step.target, []).append(step.origin)
    found, todo = set(goals), list(goals)
    while todo:
        for origin in incoming.get(todo.pop(), []):
            if origin not in found:
                found.add(origin)
                todo.append(origin)
    return found


def _starts(store: Store, subject: NamedNode, state: str | None) -> tuple[list[tuple[str, int]], str]:
    text = {"low": -1, "high": 1}
    label = names.label(store, subject)
    if _is(store, subject, "Variable"):
        now = state or "low"
        return [(subject.value, text[now])], f"Start: {label} {now}."
    rows = sorted(_acting(store, subject))
    if not rows:
        states = [(q.subject.value, sign) for name, sign in (("lowFinding", -1), ("highFinding", 1))
                  for q in store.quads_for_pattern(None, NamedNode(VOCAB + name), subject, None)]  # fmt: skip
        if states:
            return sorted(states), f"Start: {label}."
        raise InputError(
            f"{label} acts through no variable of the mechanism", "name a gene, a disease with a known gene, a finding or a variable"
        )
    gain = prefixes.expand("RO:0004001")
    start = []
    for _, variable, predicate in rows:
        start.append((variable, text[state] if state else 1 if predicate == gain else -1))
    genes = ", ".join(dict.fromkeys(gene for gene, _, _ in rows))
    how = {-1: "lost", 1: "gained"}[start[0][1]]
    return list(dict.fromkeys(start)), f"Start: the activity of {genes} is {how}."


def _acting(store: Store, subject: NamedNode) -> Iterator[tuple[str, str, str]]:
    """The variables through which a gene acts, or the genes that are claimed to cause a disease: gene label, variable, predicate."""

    def pairs(one: NamedNode | None, predicate: str, other: NamedNode | None) -> list[tuple[NamedNode, NamedNode]]:
        return [
            (NamedNode(q.subject.value), NamedNode(q.object.value))
            for q in store.quads_for_pattern(one, NamedNode(VOCAB + predicate), other, None)
        ]

    for variable, _ in pairs(None, "activityOf", subject):
        yield names.label(store, subject), variable.value, ""
    for claim, _ in pairs(None, "subject", subject):
        if _is(store, claim, "CausationClaim") and pairs(claim, "polarity", NamedNode(VOCAB + "present")):
            for _, gene in pairs(claim, "object", None):
                for variable, _ in pairs(None, "activityOf", gene):
                    yield names.label(store, gene), variable.value, pairs(claim, "predicate", None)[0][1].value


def _goals(store: Store, finding: NamedNode) -> set[tuple[str, int]]:
    if _is(store, finding, "Variable"):
        return {(finding.value, -1), (finding.value, 1)}
    return {
        (q.subject.value, sign)
        for name, sign in (("lowFinding", -1), ("highFinding", 1))
        for q in store.quads_for_pattern(None, NamedNode(VOCAB + name), finding, None)
    }


def _is(store: Store, node: NamedNode, kind: str) -> bool:
    rdf_type = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    return next(store.quads_for_pattern(node, rdf_type, NamedNode(VOCAB + kind), None), None) is not None
