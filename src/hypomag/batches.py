"""Validate the lifted claims of a linked graph in parts: each part stands alone, several run at once."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from pyoxigraph import NamedNode, QueryResultsFormat, QuerySolutions, Store

from hypomag import graph, validation
from hypomag.formatting import RDF_TYPE, RDFS
from hypomag.sources import CLAIMS, CLOSURE, HPOA, SHORTCUTS, SUMMARY, TERMS, VOCAB, VOCABULARY
from hypomag.validation import Finding

# Claims in one part: some 80,000 triples, a few hundred MB in the engine.
PART = 4000
SUBJECT, EVIDENCE = NamedNode(VOCAB + "subject"), NamedNode(VOCAB + "evidence")
# What the shapes ask of a node that a claim points at.
_DESCRIBED = tuple(NamedNode(p) for p in (RDF_TYPE, RDFS + "label", "https://w3id.org/biolink/vocab/category", RDFS + "isDefinedBy"))
_DERIVED = (CLOSURE, SHORTCUTS, SUMMARY)


def claims_of(store: Store) -> dict[str, list[str]]:
    """Disease → its lifted claims, both sorted."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in _rows(store, f"SELECT ?disease ?claim {{ GRAPH <{HPOA}> {{ ?claim {SUBJECT} ?disease }} }}"):
        disease, claim = row.split("\t")
        found[disease[1:-1]].append(claim[1:-1])
    return {disease: sorted(found[disease]) for disease in sorted(found)}


def parts(store: Store, share: float = 1.0) -> Iterator[list[str]]:
    """The lifted claims in parts of whole diseases; `share` takes every so many-th disease only."""
    step = max(1, round(1 / share))
    part: list[str] = []
    for number, claims in enumerate(claims_of(store).values()):
        if number % step:
            continue
        part += claims
        if len(part) >= PART:
            yield part
            part = []
    if part:
        yield part


def described(store: Store, share: float = 1.0) -> Iterator[list[str]]:
    """The lifted references and the outside terms, in parts: what is said of each stands alone."""
    step = max(1, round(1 / share))
    kind, reference = NamedNode(RDF_TYPE), NamedNode(VOCAB + "Reference")
    found = {q.subject.value for q in store.quads_for_pattern(None, kind, reference, NamedNode(HPOA))}
    found |= {q.subject.value for q in store.quads_for_pattern(None, NamedNode(RDFS + "isDefinedBy"), None, NamedNode(TERMS))}
    taken = sorted(found)[::step]
    yield from (taken[k : k + 4 * PART] for k in range(0, len(taken), 4 * PART))


def part_data(store: Store, claims: Sequence[str], described: dict[str, list[str]] | None = None) -> tuple[bytes, set[str]]:
    """The Turtle of some claims, their lines, rows and references, with the terms and vocabulary they use; and the own subjects.

    `described` keeps what is said of outside terms from part to part.
    """
    known = {} if described is None else described
    if "" not in known:
        known[""] = [f"{q.triple} .\n" for q in store.quads_for_pattern(None, None, None, NamedNode(VOCABULARY))]
    own: set[str] = set()
    out: list[str] = []
    cited: set[str] = set()
    todo = set(claims)
    while todo:  # claims, then their lines, then their rows; what else they point at is only described
        own |= todo
        statements = _statements(store, todo)
        out.append("".join(f"{s} .\n" for s in statements))
        named = {part for s in statements for part in s.split("\t", 2)[1:] if part[0] == "<"}
        found = {part[1:-1] for part in named}
        todo = {iri for iri in found if iri.startswith(_OURS)} - own
        cited |= {iri for iri in found if not iri.startswith(_OURS)}
    for iri in cited - own:
        if iri not in known:
            known[iri] = _description(store, iri)
        out += known[iri]
    return "".join([*out, *known[""]]).encode(), own


def _statements(store: Store, iris: Iterable[str]) -> list[str]:
    """All that is said of some nodes: subject, predicate and object in Turtle with a tab between.

    The engine writes them, with a number for the subject: looking its name up again for each statement takes as long as all the rest.
    """
    named = sorted(iris)
    values = " ".join(f"(<{iri}> {number})" for number, iri in enumerate(named))
    rows = _rows(store, f"SELECT ?n ?p ?o {{ VALUES (?s ?n) {{ {values} }} LATERAL {{ ?s ?p ?o }} }}")
    return [f"<{named[int(number)]}>\t{rest}" for number, _, rest in (row.partition("\t") for row in rows)]


def _rows(store: Store, query: str) -> list[str]:
    """The rows of a query over the union of the graphs, terms in Turtle with tabs between."""
    found = store.query(query, use_default_graph_as_union=True)
    assert isinstance(found, QuerySolutions)
    return (found.serialize(format=QueryResultsFormat.TSV) or b"").decode().split("\n")[1:-1]


_OURS = tuple(VOCAB.replace("vocab#", kind) for kind in ("evidence/hpoa-", "row/hpoa-"))


def _description(store: Store, iri: str) -> list[str]:
    """A reference whole; of anything else its kind, label, category and source."""
    node = NamedNode(iri)
    kinds = {q.object.value for q in store.quads_for_pattern(node, NamedNode(RDF_TYPE), None, None)}
    wanted = [None] if VOCAB + "Reference" in kinds else _DESCRIBED
    found = (q for predicate in wanted for q in store.quads_for_pattern(node, predicate, None, None))
    return [f"{q.triple} .\n" for q in found if q.graph_name.value not in _DERIVED]


class _Worker:
    """What a process keeps from part to part."""

    def __init__(self, folder: Path, shapes: bytes, engine: str) -> None:
        self.store = graph.open_linked(folder)
        self.shapes = shapes
        self.engine = engine
        self.described: dict[str, list[str]] = {}


_WORKERS: list[_Worker] = []


def _begin(folder: Path, shapes: bytes, engine: str) -> None:
    _WORKERS[:] = [_Worker(folder, shapes, engine)]


def _check(claims: list[str]) -> tuple[int, list[Finding]]:
    (worker,) = _WORKERS
    data, own = part_data(worker.store, claims, worker.described)
    return len(own), _findings(worker, data, own)


def _check_described(iris: list[str]) -> tuple[int, list[Finding]]:
    (worker,) = _WORKERS
    return len(iris), _findings(worker, "".join(line for iri in iris for line in _description(worker.store, iri)).encode(), set(iris))


def _findings(worker: _Worker, data: bytes, own: set[str]) -> list[Finding]:
    """The findings on the own subjects; the fast engine is asked for a report only where it says that one of them fails."""
    if worker.engine == "shifty" and not own & validation.failing(data, worker.shapes):
        return []
    return [f for f in validation.validate(data, worker.shapes, worker.engine) if f.focus in own]


def _check_curated() -> tuple[int, list[Finding]]:
    """Our own graph, with the lines that were lifted onto curated claims."""
    (worker,) = _WORKERS
    store = worker.store
    lifted = NamedNode(HPOA)
    text: set[str] = set()
    curated: set[str] = set()
    named: set[str] = set()
    for name in graph.content_graphs(store):
        if name.value in (HPOA, TERMS, *_DERIVED):
            continue
        for quad in store.quads_for_pattern(None, None, None, name):
            text.add(f"{quad.triple} .\n")
            named |= {part.value for part in quad.triple if isinstance(part, NamedNode)}
            if name.value == CLAIMS and quad.predicate.value == RDF_TYPE:
                curated.add(quad.subject.value)
    for iri in named:  # of the outside terms those that are spoken of
        text.update(_description(store, iri))
    lines = {iri: [q.object.value for q in store.quads_for_pattern(NamedNode(iri), EVIDENCE, None, lifted)] for iri in curated}
    data, own = part_data(store, sorted(iri for iri in curated if lines[iri]))
    text.add(data.decode())
    return len({line for each in lines.values() for line in each}), _findings(worker, "".join(sorted(text)).encode(), own)


def validate(
    folder: Path, shapes: bytes, *, engine: str = "shifty", share: float = 1.0, workers: int | None = None
) -> tuple[int, list[Finding]]:
    """Validate all lifted claims of a linked graph, with their references and terms, or a share; returns how many subjects and the findings.

    Raises:
        GraphUnavailable: the store does not open.
        InputError: as `validation.validate`.
    """
    store = graph.open_linked(folder)
    todo, others = list(parts(store, share)), list(described(store, share))
    subjects, found = 0, []
    count = workers or min(len(todo) + len(others) + 1, os.cpu_count() or 1)
    # A fresh process each: a store that is open must not be forked.
    with ProcessPoolExecutor(count, get_context("spawn"), _begin, (folder, shapes, engine)) as pool:
        work = [pool.submit(_check, part) for part in todo] + [pool.submit(_check_described, part) for part in others]
        if share == 1.0:
            work.insert(0, pool.submit(_check_curated))
        for done in work:
            checked, findings = done.result()
            subjects += checked
            found += findings
    return subjects, sorted(set(found), key=lambda f: (validation.SEVERITIES.index(f.severity), f))
