"""Named graphs exchanged in a running store: staged, compared, swapped in, taken back; what was cut off is taken up again.

What that leaves in the store, beside the graphs, in graphs below the namespace of hypomag:

    load         the record: which release the store holds, and a marker while a load is at work
    staging/...  what is being loaded, until it is whole and compared
    previous/... what was there before, from the swap until the new graphs are compared once more
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest
from urllib.parse import quote

from pyoxigraph import BlankNode, NamedNode, Quad, Store

from hypomag.errors import GraphUnavailable, StoreError
from hypomag.folders import running
from hypomag.sources import BASE
from hypomag.stores import Remote

RECORD = BASE + "load"
CURRENT = BASE + "load/current"
COMING = BASE + "load/coming"
CHUNK = 4_000_000  # bytes of N-Triples a request; proxies often refuse more than a few megabytes
INSERTS = 1_000  # triples an update, where a store has no Graph Store Protocol
SAMPLE = 60  # subjects of each graph that are compared with all their triples
BATCH = 50  # subjects a request
AS_WERE = "the graphs are as they were; look into the store's log"

_DCT = "http://purl.org/dc/terms/"
_VOID = "http://rdfs.org/ns/void#"
_SCHEMA = "https://schema.org/"
_P = f"PREFIX dcterms: <{_DCT}> PREFIX void: <{_VOID}> PREFIX schema: <{_SCHEMA}> PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>\n"
STAGED, SWAPPING, SWAPPED = (f"{_SCHEMA}{kind}ActionStatus" for kind in ("Potential", "Active", "Completed"))

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """One named graph as it has to be in the store; it may be large, so it is walked, never held."""

    name: str
    store: Store

    def quads(self, subject: str | None = None) -> Iterator[Quad]:
        return self.store.quads_for_pattern(NamedNode(subject) if subject else None, None, None, NamedNode(self.name))

    @cached_property
    def measured(self) -> tuple[int, str]:
        """Number of triples, and a digest that does not depend on their order: the sum of the SHA-256 of each."""
        count = total = 0
        for quad in self.quads():
            if isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode):
                raise GraphUnavailable(f"{self.name}: holds blank nodes, which cannot be compared with a store's", "give them IRIs")
            count += 1
            total += int.from_bytes(hashlib.sha256(str(quad.triple).encode()).digest(), "big")
        return count, f"{total % 2**256:064x}"

    @property
    def count(self) -> int:
        return self.measured[0]

    @property
    def digest(self) -> str:
        return self.measured[1]


@dataclass(frozen=True)
class Plan:
    """What a store has to hold: a release and its graphs, the linked ones too."""

    version: str
    parts: Mapping[str, Part]

    @cached_property
    def identifier(self) -> str:
        """SHA-256 over the graphs' names and contents."""
        return hashlib.sha256("".join(f"{p.name} {p.digest}\n" for p in self.parts.values()).encode()).hexdigest()


@dataclass(frozen=True)
class Difference:
    """One graph, here and in the store; `wrong` counts triples of the compared subjects that only one side has."""

    name: str
    here: int
    there: int
    compared: int = 0
    wrong: int = 0

    @property
    def equal(self) -> bool:
        return self.here == self.there and not self.wrong


@dataclass(frozen=True)
class Entry:
    """One graph of a load: how many triples come (0: it goes), how many were there, the digest of what comes."""

    new: int
    old: int
    digest: str


@dataclass(frozen=True)
class Marker:
    """What a load that is at work, or was cut off, has noted."""

    identifier: str
    version: str
    owner: str
    status: str
    graphs: Mapping[str, Entry]


@dataclass(frozen=True)
class Found:
    """What the record of a store says: the release loaded last, the digest of each of its graphs, and a marker."""

    identifier: str
    version: str
    digests: Mapping[str, str]
    marker: Marker | None


def staging(name: str) -> str:
    """Where a graph waits.

    >>> staging(BASE + "graph/claims"), staging("http://purl.org/x")
    ('https://w3id.org/hypomag/staging/graph/claims', 'https://w3id.org/hypomag/staging/http%3A//purl.org/x')
    """
    return BASE + "staging/" + quote(name.removeprefix(BASE), safe="/")


def previous(name: str) -> str:
    """Where a graph that is being replaced is kept."""
    return BASE + "previous/" + quote(name.removeprefix(BASE), safe="/")


def found(remote: Remote) -> Found:
    """Read the record that earlier loads left in a store."""
    facts: dict[str, dict[str, list[str]]] = {}
    for s, p, o in remote.rows(f"SELECT ?s ?p ?o WHERE {{ GRAPH <{RECORD}> {{ ?s ?p ?o }} }}"):
        facts.setdefault(s.value, {}).setdefault(p.value, []).append(o.value)

    def one(subject: str, predicate: str) -> str:
        return min(facts.get(subject, {}).get(predicate, [""]))

    marker = None
    if COMING in facts:
        graphs = {
            one(node, _DCT + "isVersionOf"): Entry(
                int(one(node, _VOID + "triples") or 0), int(one(node, _VOID + "entities") or 0), one(node, _DCT + "identifier")
            )
            for node in facts[COMING].get(_VOID + "subset", [])
            if node in facts  # else its staged triples are dropped already, and with them what was noted of it
        }
        statuses = facts[COMING].get(_SCHEMA + "actionStatus", [])
        status = next((s for s in (SWAPPED, SWAPPING, STAGED) if s in statuses), STAGED)
        marker = Marker(one(COMING, _DCT + "identifier"), one(COMING, _DCT + "hasVersion"), one(COMING, _DCT + "creator"), status, graphs)
    digests = {name: one(name, _DCT + "identifier") for name in facts.get(CURRENT, {}).get(_VOID + "subset", [])}
    return Found(one(CURRENT, _DCT + "identifier"), one(CURRENT, _DCT + "hasVersion"), digests, marker)


def compare(
    remote: Remote, parts: Iterable[Part], where: Callable[[str], str] = str, *, whole: bool = False, progress: Progress = lambda _: None
) -> tuple[Difference, ...]:
    """Hold graphs in a store against those here: count all triples, compare those of a sample of subjects, or of all."""
    return tuple(_compared(remote, part, where(part.name), whole, progress) for part in parts)


def _compared(remote: Remote, part: Part, name: str, whole: bool, progress: Progress) -> Difference:
    there = remote.count(name)
    if there != part.count:
        return Difference(part.name, part.count, there)
    every = {quad.subject.value for quad in part.quads()}
    # Chosen by their hash: the same ones each time, in no order that a fault could follow.
    chosen = sorted(every) if whole else nsmallest(SAMPLE, every, key=lambda s: hashlib.sha256(s.encode()).digest())
    compared = wrong = 0
    for start in range(0, len(chosen), BATCH):
        batch = chosen[start : start + BATCH]
        values = " ".join(f"<{subject}>" for subject in batch)
        got = set(remote.rows(f"SELECT ?s ?p ?o WHERE {{ GRAPH <{name}> {{ ?s ?p ?o }} VALUES ?s {{ {values} }} }}"))
        want = {(q.subject, q.predicate, q.object) for subject in batch for q in part.quads(subject)}
        compared += len(want)
        wrong += len(got ^ want)
        if whole and start % (BATCH * 50) == 0:
            progress(f"{short(part.name)}: {start:,} of {len(chosen):,} subjects compared")
    return Difference(part.name, part.count, there, compared, wrong)


def short(name: str) -> str:
    return name.removeprefix(BASE + "graph/")


def replace(remote: Remote, marker: Marker, wanted: Plan, progress: Progress) -> None:
    """Stage the graphs of a marker, compare them, and exchange them for what is there.

    Raises:
        StoreError: before the exchange, after which the store is as it was; or in it, see `exchange`.
    """
    changed = [wanted.parts[name] for name, entry in marker.graphs.items() if entry.new]
    try:
        mark(remote, marker)
        for part in changed:
            stage(remote, part, progress)
        if problem := problem_of(remote, compare(remote, changed, staging), "staged"):
            raise problem
        ours = begin(remote, marker)
    except BaseException:
        tidy(remote, marker)
        raise
    if not ours:
        raise StoreError(f"{remote.address}: another load has begun meanwhile", "let it end, then run the command again")
    exchange(remote, marker, wanted, progress)


def exchange(remote: Remote, marker: Marker, wanted: Plan, progress: Progress) -> None:
    """Put the staged graphs in place, compare them once more, write the record; or put everything back."""
    try:
        problem = _exchanged(remote, marker, wanted, progress)
        if problem:
            _backward(remote, marker)
        else:
            # From here on only forward: should the rest be cut off, the next load finds that the swap is done.
            remote.update(f"{_P}INSERT DATA {{ GRAPH <{RECORD}> {{ <{COMING}> schema:actionStatus <{SWAPPED}> }} }}")
            _record(remote, marker)
            tidy(remote, marker, strict=True)
    except StoreError as error:
        raise StoreError(
            error.message, "the swap was cut off: run the same command again, it finishes or takes back", error.status
        ) from None
    if problem:
        raise problem


def _exchanged(remote: Remote, marker: Marker, wanted: Plan, progress: Progress) -> StoreError | None:
    """Swap and compare; returns what is wrong where the store is alive to take it back."""
    changed = [wanted.parts[name] for name, entry in marker.graphs.items() if entry.new]
    try:
        _forward(remote, marker, progress)
        return problem_of(remote, compare(remote, changed), "swapped in")
    except StoreError as error:
        if error.status is None:  # no answer: what the store makes of the swap is not known
            raise
        return StoreError(error.message, f"{error.remedy}; the graphs are as they were" if error.remedy else AS_WERE, error.status)


def problem_of(remote: Remote, differences: Iterable[Difference], what: str) -> StoreError | None:
    for d in differences:
        if d.here != d.there:
            return StoreError(
                f"{remote.address}: {d.here:,} triples of {short(d.name)} were {what}, the store holds {d.there:,}",
                f"{AS_WERE}, or say what kind of store it is with --store",
            )
        if d.wrong:
            return StoreError(f"{remote.address}: {d.wrong:,} triples of {short(d.name)} came back with other values", AS_WERE)
    return None


def owner() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def alive(owner: str) -> bool:
    """Whether the load of a marker still runs on this machine; of another machine nothing is known."""
    host, _, pid = owner.rpartition("/")
    return host == socket.gethostname() and pid.isdigit() and int(pid) != os.getpid() and running(int(pid))


def mark(remote: Remote, marker: Marker) -> None:
    """Note in the store what a load is about to do, before it does it."""
    nodes = "".join(
        f"<{COMING}> void:subset <{staging(name)}> . <{staging(name)}> dcterms:isVersionOf <{name}> ; void:triples {entry.new} ;"
        f' void:entities {entry.old} ; dcterms:identifier "{entry.digest}" . '
        for name, entry in marker.graphs.items()
    )
    remote.update(
        f'{_P}INSERT DATA {{ GRAPH <{RECORD}> {{ <{COMING}> a schema:ReplaceAction ; dcterms:identifier "{marker.identifier}" ;'
        f' dcterms:hasVersion "{marker.version}" ; dcterms:creator "{marker.owner}" ; schema:actionStatus <{STAGED}> . {nodes} }} }}'
    )


def stage(remote: Remote, part: Part, progress: Progress) -> None:
    place = staging(part.name)
    if not remote.takes_graphs:
        drop(remote, [place])
    chunk: list[bytes] = []
    sent = size = 0
    for quad in part.quads():
        chunk.append(f"{quad.triple} .\n".encode())
        size += len(chunk[-1])
        full = size >= CHUNK if remote.takes_graphs else len(chunk) >= INSERTS
        if full or sent + len(chunk) == part.count:
            _send(remote, place, chunk, add=sent > 0)
            sent += len(chunk)
            progress(f"{short(part.name)}: {sent:,} of {part.count:,} triples staged")
            chunk, size = [], 0


def _send(remote: Remote, place: str, lines: list[bytes], *, add: bool) -> None:
    """Send some triples; in halves, where the store or a proxy finds them too many at once."""
    try:
        if remote.takes_graphs:
            remote.put(place, b"".join(lines), add=add)
        else:
            remote.update(f"INSERT DATA {{ GRAPH <{place}> {{\n{b''.join(lines).decode()}}} }}")
    except StoreError as error:
        if error.status != 413 or len(lines) < 100:
            raise
        middle = len(lines) // 2
        _send(remote, place, lines[:middle], add=add)
        _send(remote, place, lines[middle:], add=True)


def begin(remote: Remote, marker: Marker) -> bool:
    """Say in the marker that the swap begins, if the marker is still ours."""
    remote.update(
        f"{_P}INSERT {{ GRAPH <{RECORD}> {{ <{COMING}> schema:actionStatus <{SWAPPING}> }} }} WHERE {{ GRAPH <{RECORD}> {{"
        f' <{COMING}> dcterms:creator "{marker.owner}" ; dcterms:identifier "{marker.identifier}" }} }}'
    )
    there = found(remote).marker
    return there is not None and there.owner == marker.owner and there.status == SWAPPING


def _move(remote: Remote, source: str, target: str) -> str:
    if remote.kind.moves:
        return f"MOVE GRAPH <{source}> TO GRAPH <{target}>"
    return (
        f"DELETE WHERE {{ GRAPH <{target}> {{ ?s ?p ?o }} }} ;\nINSERT {{ GRAPH <{target}> {{ ?s ?p ?o }} }} WHERE {{ GRAPH <{source}> {{ ?s ?p ?o }} }} ;\n"
        f"DELETE WHERE {{ GRAPH <{source}> {{ ?s ?p ?o }} }}"
    )


def _run(remote: Remote, operations: list[str]) -> None:
    """Run updates: in one request where the store then does all or none."""
    for text in [" ;\n".join(operations)] if remote.kind.atomic and operations else operations:
        remote.update(text)


def drop(remote: Remote, names: Iterable[str]) -> None:
    """Drop named graphs; one that is not there is no fault."""
    _run(remote, [f"DROP SILENT GRAPH <{n}>" if remote.kind.moves else f"DELETE WHERE {{ GRAPH <{n}> {{ ?s ?p ?o }} }}" for n in names])


def _forward(remote: Remote, marker: Marker, progress: Progress) -> None:
    """Swap every graph that is not swapped yet; done twice it changes nothing more."""
    progress("swapping the graphs in")
    operations = []
    for name, entry in marker.graphs.items():
        waiting, there, kept = (remote.count(place) for place in (staging(name), name, previous(name)))
        if entry.new and waiting < entry.new:  # moved before; what is left of the source is a rest
            continue
        if entry.old and there == entry.old and kept != entry.old:
            operations.append(_move(remote, name, previous(name)))
        if entry.new:
            operations.append(_move(remote, staging(name), name))
    _run(remote, operations)
    for name, entry in marker.graphs.items():
        if (there := remote.count(name)) != entry.new:
            raise StoreError(
                f"{remote.address}: {entry.new:,} triples of {short(name)} were swapped in, the store holds {there:,}", status=200
            )


def _backward(remote: Remote, marker: Marker) -> None:
    """Put back what was there before the swap, then forget the load."""
    operations = []
    for name, entry in marker.graphs.items():
        kept, there = remote.count(previous(name)), remote.count(name)
        if entry.old and kept == entry.old:
            operations.append(_move(remote, previous(name), name))
        elif not entry.old and there:
            operations.append(f"DELETE WHERE {{ GRAPH <{name}> {{ ?s ?p ?o }} }}")
    _run(remote, operations)
    tidy(remote, marker, strict=True)


def tidy(remote: Remote, marker: Marker, *, strict: bool = False) -> None:
    """Drop what a load has staged and its marker; quietly, where a failure is being told already."""
    try:
        drop(remote, [place for name in marker.graphs for place in (staging(name), previous(name))])
        nodes = [*map(staging, marker.graphs), COMING]
        _run(remote, [f"DELETE WHERE {{ GRAPH <{RECORD}> {{ <{node}> ?p ?o }} }}" for node in nodes])
    except StoreError:
        if strict:
            raise


def _record(remote: Remote, marker: Marker) -> None:
    """Write into the record what the store holds after the load of a marker."""
    nodes = "".join(
        f'<{CURRENT}> void:subset <{name}> . <{name}> dcterms:identifier "{entry.digest}" . '
        for name, entry in marker.graphs.items()
        if entry.new
    )
    stale = [f"<{CURRENT}> <{_DCT}identifier> ?o", f"<{CURRENT}> <{_DCT}hasVersion> ?o"]
    stale += [f"<{name}> ?p ?o" for name in marker.graphs]
    stale += [f"<{CURRENT}> ?p <{name}>" for name, entry in marker.graphs.items() if not entry.new]
    _run(remote, [f"DELETE WHERE {{ GRAPH <{RECORD}> {{ {pattern} }} }}" for pattern in stale])
    remote.update(
        f'{_P}INSERT DATA {{ GRAPH <{RECORD}> {{ <{CURRENT}> a void:Dataset ; dcterms:hasVersion "{marker.version}" ;'
        f' dcterms:identifier "{marker.identifier}" . {nodes} }} }}'
    )


def recover(remote: Remote, marker: Marker, wanted: Plan, progress: Progress) -> str:
    """Bring the store out of what a load that was cut off has left; returns what was done, in words."""
    if alive(marker.owner):
        raise StoreError(f"{remote.address}: another load is at work there (process {marker.owner.rpartition('/')[2]})", "let it end first")
    if marker.status == STAGED:
        tidy(remote, marker, strict=True)
        return "dropped what an interrupted load had staged"
    if marker.status == SWAPPED:
        _record(remote, marker)
        tidy(remote, marker, strict=True)
        return "tidied up after an interrupted load"
    if marker.identifier == wanted.identifier and _whole(remote, marker):
        exchange(remote, marker, wanted, progress)
        return "finished an interrupted load"
    _backward(remote, marker)
    return "took back an interrupted load"


def _whole(remote: Remote, marker: Marker) -> bool:
    """Whether each graph of a cut-off swap is either still staged whole or in its place already."""
    return all(not e.new or e.new in (remote.count(staging(name)), remote.count(name)) for name, e in marker.graphs.items())
