"""Processes that run one query each, so that a query can be killed: the engine cannot be interrupted from within.

A nursery holds the graph in memory and forks a worker when it is asked to, in a few milliseconds and with the memory of the
graph shared. It has no threads, so a fork is safe. A worker opens no file and no socket: neither SERVICE nor anything else
in a query reaches out.

On the control socket, to the nursery: one byte and a number of four, `+` for a new worker, `-` to kill the worker of that
process number. From it: the process number of a new worker, with the other end of its socket. On that socket, to the worker: a
length of four bytes, then JSON (text, graphs of the default graph or null, named graphs or null, format of rows, format of
graphs, most rows). From it: what it is (one byte), a length, the bytes.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import resource
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat, Store, serialize

from hypomag import prefixes, queries
from hypomag.errors import HypomagError
from hypomag.sources import BASE

ROWS, GRAPH, REFUSED, UNACCEPTABLE, TOO_MANY, FAILED = range(6)
ORDER = struct.Struct(">cI")
LENGTH = struct.Struct(">I")
REPLY = struct.Struct(">BI")
LARGEST = 256 << 20  # bytes of one answer
_ROWS = {
    "json": QueryResultsFormat.JSON,
    "xml": QueryResultsFormat.XML,
    "csv": QueryResultsFormat.CSV,
    "tsv": QueryResultsFormat.TSV,
}
_GRAPHS = {"turtle": RdfFormat.TURTLE, "nt": RdfFormat.N_TRIPLES, "rdfxml": RdfFormat.RDF_XML, "jsonld": RdfFormat.JSON_LD}
# What comes at least once for each row in the text of a result. Where it comes more often than rows are allowed, they are counted.
_PER_ROW = {"json": b"},{", "xml": b"<result>", "csv": b"\n", "tsv": b"\n"}


class _TooLarge(Exception):
    pass


class _Bounded(io.BytesIO):
    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > LARGEST:
            raise _TooLarge
        return super().write(data)


def answer(store: Store, order: bytes, table: dict[str, str]) -> tuple[int, bytes]:
    """Run one query and write its result; says what the bytes are: an answer, or a sentence on why there is none."""
    text, default, named, rows, graphs, most = json.loads(order)
    try:
        queries.check(text, "query")
        result = _run(store, text, default, named, table)
        if isinstance(result, QuerySolutions | QueryBoolean):
            if rows is None:
                return UNACCEPTABLE, b"this query gives rows"
            return _as_rows(result, rows, most)
        if graphs is None:
            return UNACCEPTABLE, b"this query gives a graph"
        return _as_graph(result, graphs, most, table)
    except HypomagError as error:
        return REFUSED, error.message.encode()  # its remedy is for the command line
    except (_TooLarge, MemoryError):
        return TOO_MANY, b"the answer is too large\nadd LIMIT, or ask for fewer columns"
    except (ValueError, RuntimeError, OSError) as error:
        return FAILED, f"the engine could not run the query: {error}".encode()


def _run(store: Store, text: str, default: list[str] | None, named: list[str] | None, table: dict[str, str]) -> Any:
    # What the protocol says of the dataset goes before what the query says with FROM.
    dataset: dict[str, Any] = {"base_iri": BASE, "use_default_graph_as_union": not queries.says_from(text)}
    if default is not None or named is not None:
        dataset = {
            "base_iri": BASE,
            "default_graph": [NamedNode(g) for g in default or ()],
            "named_graphs": [NamedNode(g) for g in named or ()],
        }
    try:
        # To hand over all prefixes takes the engine as long as a small query.
        return store.query(text, prefixes=queries.prefixes_used(text, table), **dataset)
    except SyntaxError:
        try:
            return store.query(text, prefixes=table, **dataset)
        except SyntaxError as error:
            raise queries.explained(text, error, table) from None


def _as_rows(result: Any, form: str, most: int) -> tuple[int, bytes]:
    out = _Bounded()
    result.serialize(out, format=_ROWS[form])
    data = out.getvalue()
    if most and isinstance(result, QuerySolutions) and data.count(_PER_ROW[form]) >= most and _rows(data, form) > most:
        return TOO_MANY, f"the answer has more than {most} rows\nadd LIMIT {most} and OFFSET, or narrow the query".encode()
    return ROWS, data


def _rows(data: bytes, form: str) -> int:
    """How many rows a result has.

    >>> _rows(b'{"results":{"bindings":[{},{}]}}', "json"), _rows(b'x\\r\\n"a\\nb"\\r\\n', "csv"), _rows(b"?x\\n1\\n2\\n", "tsv")
    (2, 1, 2)
    """
    if form == "json":
        return len(json.loads(data)["results"]["bindings"])
    if form == "csv":
        import csv

        return sum(1 for _ in csv.reader(io.StringIO(data.decode(), newline=""))) - 1
    return data.count(_PER_ROW[form]) - (form == "tsv")


def _as_graph(result: Any, form: str, most: int, table: dict[str, str]) -> tuple[int, bytes]:
    triples = []
    for triple in result:
        triples.append(triple)
        if most and len(triples) > most:
            return TOO_MANY, f"the answer has more than {most} triples\nadd LIMIT {most} and OFFSET, or narrow the query".encode()
    out = _Bounded()
    used = table if form in ("turtle", "rdfxml") else None
    serialize(triples, out, format=_GRAPHS[form], prefixes=used)
    return GRAPH, out.getvalue()


def work(line: socket.socket, store: Store, table: dict[str, str]) -> None:
    """Answer one query after the other until the other end closes."""
    while head := _exactly(line, LENGTH.size):
        kind, data = answer(store, _exactly(line, LENGTH.unpack(head)[0]), table)
        line.sendall(REPLY.pack(kind, len(data)) + data)


def _exactly(line: socket.socket, size: int) -> bytes:
    """Read so many bytes; fewer only where the other end has closed."""
    data = line.recv(size)
    while data and len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data


def _confine(memory: int) -> None:
    """Nothing more may be opened, no memory beyond the limit taken (megabytes; where the system can hold a process to it), no core dumped."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pages = Path("/proc/self/statm")
        if memory and pages.exists():
            size = int(pages.read_text().split()[0]) * resource.getpagesize() + (memory << 20)
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def nursery(dataset: str, control: socket.socket, memory: int) -> None:
    """Load the graph, then fork and kill workers as the control socket says, until it closes; then kill them all."""
    store = Store()
    store.load(path=dataset, format=RdfFormat.N_QUADS)
    table = prefixes.read()
    _rehearse(store, table)
    gc.collect()
    gc.freeze()  # so that collecting rubbish in a worker touches no shared page
    children: set[int] = set()
    while order := _exactly(control, ORDER.size):
        what, number = ORDER.unpack(order)
        while children:
            gone, _ = os.waitpid(-1, os.WNOHANG)
            if not gone:
                break
            children.discard(gone)
        if what == b"-":
            if number in children:
                os.kill(number, signal.SIGKILL)
            continue
        near, far = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            control.close()
            near.close()
            _confine(memory)
            try:
                work(far, store, table)
            finally:
                os._exit(0)
        children.add(pid)
        socket.send_fds(control, [LENGTH.pack(pid)], [near.fileno()])
        near.close()
        far.close()
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _rehearse(store: Store, table: dict[str, str]) -> None:
    """Walk every way once, so that a worker, which can open no file, has to import nothing."""
    for text in ("ASK {}", "SELECT * { ?s ?p ?o } LIMIT 3", "CONSTRUCT WHERE { ?s ?p ?o } LIMIT 3", "SELECT ?x { ?x nowhere:a ?x }", "no"):
        for rows, graph in zip(_ROWS, _GRAPHS, strict=True):
            for default in (None, [BASE]):
                for most in (0, 1):
                    answer(store, json.dumps([text, default, default, rows, graph, most]).encode(), table)


if __name__ == "__main__":
    nursery(sys.argv[1], socket.socket(fileno=int(sys.argv[2])), int(sys.argv[3]))
