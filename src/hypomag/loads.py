"""The graph into a running store, verified there, or taken out of it; each ends in a report."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from pyoxigraph import NamedNode

from hypomag import exports, graph, swaps
from hypomag.errors import GraphUnavailable, StoreError
from hypomag.sources import BASE, Sources
from hypomag.stores import Remote
from hypomag.swaps import Difference, Entry, Found, Marker, Part, Plan, Progress, short


@dataclass(frozen=True)
class Report:
    """What was found or done: a line for each graph (name, triples here, triples in the store, state), and a sentence."""

    lines: tuple[tuple[str, int, int, str], ...]
    summary: str
    exit_code: int = 0

    def rows(self) -> list[list[str]]:
        return [[short(name), str(here), str(there), state] for name, here, there, state in self.lines]


def plan(sources: Sources) -> Plan:
    """Read the graph of a folder, held against the manifest of its build where there is one.

    Raises:
        GraphUnavailable: the graph is not what its manifest says.
    """
    store = graph.open_graph(sources)
    names = sorted(g.value for g in store.named_graphs() if isinstance(g, NamedNode))
    parts = {name: part for name in names if (part := Part(name, store)).count}
    for name, number in (graph.stated(sources) or {}).items():
        counted = parts[name].count if name in parts else 0
        if counted != number:
            raise GraphUnavailable(f"{name}: {counted} triples, but the manifest says {number}", "build the graph again: hypomag build")
    return Plan(exports.release(store)[0], parts)


def done(remote: Remote, wanted: Plan, *, dry: bool, verifying: bool, removing: bool, progress: Progress) -> Report:
    """Do what the command line asks for."""
    if removing:
        return removal(remote, wanted, dry=dry)
    if verifying:
        return verify(remote, wanted, progress=progress)
    return outlook(remote, wanted) if dry else load(remote, wanted, progress=progress)


@dataclass(frozen=True)
class Work:
    """What there is to do in a store: graphs to load, graphs of an earlier release to drop."""

    now: tuple[Difference, ...]
    changed: tuple[Part, ...]
    gone: tuple[str, ...]


def _work(remote: Remote, wanted: Plan, record: Found) -> Work:
    digests = record.digests
    now = swaps.compare(remote, wanted.parts.values())
    for d in now:
        if d.there and d.name not in digests and not d.name.startswith(BASE):
            raise StoreError(f"{remote.address}: holds a graph <{d.name}> that hypomag has not loaded", "rename or drop that graph first")
    changed = tuple(wanted.parts[d.name] for d in now if not d.equal or digests.get(d.name) != wanted.parts[d.name].digest)
    return Work(now, changed, tuple(sorted(set(digests) - set(wanted.parts))))


def load(remote: Remote, wanted: Plan, *, progress: Progress = lambda _: None) -> Report:
    """Put the graphs into the store; what is there already and equal is left alone.

    Until the swap a failure leaves the store as it was; one during the swap leaves a marker, after which the
    next load finishes what is whole and takes back what is not.

    Raises:
        StoreError: the store cannot be reached, refuses, loses triples, holds a foreign graph of one of the
            names, or another load is at work in it.
    """
    start = time.monotonic()
    record = swaps.found(remote)
    recovered = ""
    if record.marker:
        recovered = swaps.recover(remote, record.marker, wanted, progress) + "; "
        record = swaps.found(remote)
    work = _work(remote, wanted, record)
    if not work.changed and not work.gone and record.identifier == wanted.identifier:
        return Report(_lines(work.now, {}, "as it was"), f"{recovered}nothing to change, release {wanted.version} is there")
    old = {d.name: d.there for d in work.now} | {name: remote.count(name) for name in work.gone}
    graphs = {part.name: Entry(part.count, old[part.name], part.digest) for part in work.changed} | {
        n: Entry(0, old[n], "") for n in work.gone
    }
    marker = Marker(wanted.identifier, wanted.version, swaps.owner(), swaps.STAGED, graphs)
    swaps.replace(remote, marker, wanted, progress)
    states = {part.name: "replaced" if old[part.name] else "loaded" for part in work.changed}
    after = [Difference(d.name, d.here, d.here) if d.name in states else d for d in work.now]
    number = sum(part.count for part in work.changed)
    return Report(
        (*_lines(after, states, "as it was"), *((name, 0, 0, "dropped") for name in work.gone)),
        f"{recovered}{number} triples of {len(work.changed)} graphs loaded and compared in {time.monotonic() - start:.1f} s, release {wanted.version}",
    )


def _lines(now: Iterable[Difference], states: dict[str, str], rest: str) -> tuple[tuple[str, int, int, str], ...]:
    return tuple((d.name, d.here, d.there, states.get(d.name, rest)) for d in now)


def outlook(remote: Remote, wanted: Plan) -> Report:
    """Tell what `load` would do; nothing is written."""
    record = swaps.found(remote)
    work = _work(remote, wanted, record)
    old = {d.name: d.there for d in work.now}
    states = {part.name: "would be replaced" if old[part.name] else "would be loaded" for part in work.changed}
    lines = (*_lines(work.now, states, "stays"), *((name, 0, remote.count(name), "would be dropped") for name in work.gone))
    cut = "; an interrupted load would be finished or taken back first" if record.marker else ""
    return Report(lines, f"nothing was written; {_held(record)}{cut}")


def _held(record: Found) -> str:
    return f"it holds release {record.version}" if record.version else "no load is on record there"


def verify(remote: Remote, wanted: Plan, *, progress: Progress = lambda _: None) -> Report:
    """Compare every triple of every graph with the store; nothing is written."""
    record = swaps.found(remote)
    now = swaps.compare(remote, wanted.parts.values(), whole=True, progress=progress)
    states = {d.name: "equal" if d.equal else f"{d.wrong} triples differ" if d.wrong else "differs" for d in now}
    bad = sum(not d.equal for d in now)
    told = f"{bad} of {len(now)} graphs differ" if bad else f"all {sum(d.compared for d in now)} triples are equal"
    cut = "; a load is at work there, or was cut off: hypomag load finishes it" if record.marker else ""
    return Report(_lines(now, states, ""), f"{told}; {_held(record)}{cut}", 1 if bad or record.marker else 0)


def removal(remote: Remote, wanted: Plan, *, dry: bool = False) -> Report:
    """Take out of a store what hypomag has loaded, and nothing else."""
    record = swaps.found(remote)
    if record.marker and swaps.alive(record.marker.owner):
        raise StoreError(f"{remote.address}: a load is at work there", "let it end first")
    ours = {*record.digests, *(record.marker.graphs if record.marker else ()), *(n for n in wanted.parts if n.startswith(BASE))}
    counts = {name: number for name in sorted(ours) if (number := remote.count(name))}
    here = {name: part.count for name, part in wanted.parts.items()}
    if not dry:
        swaps.drop(remote, [place for name in sorted(ours) for place in (name, swaps.staging(name), swaps.previous(name))])
        swaps.drop(remote, [swaps.RECORD])
        for name in sorted(ours):
            if left := remote.count(name):
                raise StoreError(f"{remote.address}: {left} triples of {short(name)} are still there", "may this login delete?")
    lines = tuple((name, here.get(name, 0), n if dry else 0, "would be removed" if dry else "removed") for name, n in counts.items())
    return Report(lines, f"{sum(counts.values())} triples of {len(counts)} graphs {'would be' if dry else 'were'} removed")
