"""Validate the lifted claims of a linked graph in parts: each part stands alone, several run at once."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from pyoxigraph import NamedNode, RdfFormat, Store

from hypomag import graph, validation
from hypomag.formatting import RDF_TYPE, RDFS
from hypomag.sources import CLAIMS, CLOSURE, HPOA, NAMES, SHORTCUTS, SUMMARY, TERMS, VOCAB, VOCABULARY
from hypomag.validation import Finding

# Claims in one part: some 80,000 triples, a few hundred MB in the engine.
PART = 4000
SUBJECT, EVIDENCE = NamedNode(VOCAB + "subject"), NamedNode(VOCAB + "evidence")
# What the shapes ask of a node that a claim points at.
_DESCRIBED = tuple(NamedNode(p) for p in (RDF_TYPE, RDFS + "label", "https://w3id.org/biolink/vocab/category", RDFS + "isDefinedBy"))
_DERIVED = (CLOSURE, NAMES, SHORTCUTS, SUMMARY)


def claims_of(store: Store) -> dict[str, list[str]]:
    """Disease → its lifted claims, both sorted."""
    found: dict[str, list[str]] = defaultdict(list)
    for quad in store.quads_for_pattern(None, SUBJECT, None, NamedNode(HPOA)):
        found[quad.object.value].append(quad.subject.value)
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
    """The N-Triples of some claims, their lines, rows and references, with the terms and vocabulary they use; and the own subjects.

    `described` keeps what is said of outside terms from part to part.
    """
    known = {} if described is None else described
    if "" not in known:
        known[""] = [f"{q.triple} .\n" for q in store.quads_for_pattern(None, None, None, NamedNode(VOCABULARY))]
    own: set[str] = set()
    out: list[str] = []
    cited: set[str] = set()
    todo = list(claims)
    while todo:  # claims, then their lines and rows; what else they point at is only described
        iri = todo.pop()
        own.add(iri)
        for quad in store.quads_for_pattern(NamedNode(iri), None, None, None):
            out.append(f"{quad.triple} .\n")
            target = quad.object
            if isinstance(target, NamedNode):
                cited.add(quad.predicate.value)
                if not target.value.startswith(_OURS):
                    cited.add(target.value)
                elif target.value not in own:
                    todo.append(target.value)
    for iri in cited - own:
        if iri not in known:
            known[iri] = _description(store, iri)
        out += known[iri]
    return "".join([*out, *known[""]]).encode(), own


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
    curated = {q.subject.value for q in store.quads_for_pattern(None, NamedNode(RDF_TYPE), None, NamedNode(CLAIMS))}
    lines = {q.object.value for q in store.quads_for_pattern(None, EVIDENCE, None, lifted) if q.subject.value in curated}
    memory = Store()
    for name in graph.content_graphs(store):
        if name.value not in (HPOA, *_DERIVED):
            memory.extend(store.quads_for_pattern(None, None, None, name))
    data, own = part_data(store, sorted(curated & {q.subject.value for q in store.quads_for_pattern(None, EVIDENCE, None, lifted)}))
    memory.load(data, format=RdfFormat.N_TRIPLES, to_graph=lifted)
    text = {f"{q.triple} .\n" for q in memory}
    found = validation.validate("".join(sorted(text)).encode(), worker.shapes, worker.engine)
    return len(lines), [f for f in found if f.focus in lines or f.focus in own]


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
