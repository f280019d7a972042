"""One question from the command line: bind, run under a time limit, print."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable

from pyoxigraph import Literal, NamedNode, QueryBoolean, QuerySolutions, Store

from hypomag import graph, queries, results
from hypomag.errors import InputError, UnknownName
from hypomag.sources import Sources


def ask(
    sources: Sources, text: str, *, told: str, bind: Iterable[str], form: str | None,
    terminal: bool, timeout: float | None, service: bool,
) -> None:  # fmt: skip
    """Run a query and print its result to standard output.

    Without a format: a table on a terminal; piped, CSV for rows and Turtle for graphs.
    A query that takes longer than `timeout` seconds ends the process with exit status 2: the engine
    cannot be interrupted from within.

    Raises:
        InputError, SyntaxProblem, UnknownName, AmbiguousName: as `queries.bound`, `queries.run` and `names.resolve`.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the engine does not look for Ctrl-C while it works
    stop = _limit(timeout) if timeout else None
    store = graph.open_graph(sources)
    text = queries.bound(text, dict(_binding(store, b) for b in bind))
    result = queries.run(store, text, name=told, service=service)
    rows = isinstance(result, QuerySolutions | QueryBoolean)
    shown = results.write(result, form or ("table" if terminal else "csv" if rows else "turtle"))
    if stop:
        stop()
    sys.stdout.flush()
    sys.stdout.buffer.write(shown.encode())
    sys.stdout.buffer.flush()


def _binding(store: Store, text: str) -> tuple[str, NamedNode | Literal]:
    name, equals, value = text.partition("=")
    name = name.lstrip("?$")
    if not equals or not name.isidentifier() or not value:
        raise InputError(f"cannot read --bind {text!r}", "write it as VAR=TERM, such as disease=FHSH")
    return name, term(store, value)


def term(store: Store, text: str) -> NamedNode | Literal:
    """Read a term as a user writes it: a quoted literal, a number, or any name of an entity."""
    from hypomag import names, prefixes

    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return Literal(text[1:-1])
    if text.lstrip("+-").isdigit():
        return Literal(text, datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer"))
    if found := names.bearers(store, text):
        return found[0] if len(found) == 1 else names.resolve(store, text)
    iri = names.canonical(text) or prefixes.expand(text)
    if iri:
        return NamedNode(iri)
    try:
        return names.resolve(store, text)
    except UnknownName as error:
        raise UnknownName(error.message, error.remedy or "put a literal into quotes") from None


def _limit(seconds: float):  # type: ignore[no-untyped-def]
    """End the process when the time is over; returns what calls that off."""
    import threading

    def over() -> None:
        os.write(2, f"hypomag: the query took longer than {seconds:g} s and was stopped\n  narrow it, or give --timeout more\n".encode())
        os._exit(2)

    timer = threading.Timer(seconds, over)
    timer.daemon = True
    timer.start()
    return timer.cancel
