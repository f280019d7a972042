"""One question from the command line: bind, run under a time limit, print."""

from __future__ import annotations

import os
import signal
import sys

from pyoxigraph import Literal, NamedNode, QueryBoolean, QuerySolutions, Store

from hypomag import graph, names, queries, results, sources
from hypomag.errors import InputError, UnknownName


class Asked:
    """What a user asked: a NAME, FILE or "-", or an expression, and how to answer."""

    def __init__(
        self,
        name: str | None,
        expression: str | None = None,
        bind: tuple[str, ...] = (),
        form: str | None = None,
        timeout: float | None = None,
        service: bool = False,
        graph_dir: str | None = None,
        endpoint: str | None = None,
        service_url: str | None = None,
    ) -> None:
        self.name = name
        self.expression = expression
        self.bind = bind
        self.form = form
        self.timeout = timeout
        self.service = service
        self.graph_dir = graph_dir
        self.endpoint = endpoint
        self.service_url = service_url


def plainly(arguments: list[str]) -> Asked | None:
    """Read the arguments of `hypomag query` where they are plain; None leaves them to the command line proper.

    >>> asked = plainly(["which-genes", "--bind", "disease=FHSH", "--format=csv"])
    >>> asked.name, asked.bind, asked.form
    ('which-genes', ('disease=FHSH',), 'csv')
    >>> plainly(["--help"]) is None, plainly(["a", "b"]) is None, plainly(["a", "--format", "nonsense"]) is None
    (True, True, True)
    """
    names: list[str] = []
    found: dict[str, list[str]] = {}
    linked = False
    rest = iter(arguments)
    for word in rest:
        option, equals, value = word.partition("=")
        if word == "-" or not word.startswith("-"):
            names.append(word)
        elif word == "--linked":
            linked = True
        elif option in _PLAIN:
            given = value if equals else next(rest, None)
            if given is None:
                return None
            found.setdefault(_PLAIN[option], []).append(given)
        else:
            return None
    form = found.get("form", [None])[-1]
    expression = found.get("expression", [None])[-1]
    if len(names) + (expression is not None) != 1 or (form and form not in results.QUERY_FORMATS):
        return None
    try:
        timeout = float(found["timeout"][-1]) if "timeout" in found else None
    except ValueError:
        return None
    if timeout is not None and not 0 < timeout <= LONGEST:
        return None
    graph_dir = found.get("graph_dir", [None])[-1]
    if linked:
        if graph_dir:
            return None
        graph_dir = str(sources.linked_folder())
    return Asked(
        names[0] if names else None, expression, tuple(found.get("bind", [])), form, timeout, False, graph_dir,
        found.get("endpoint", [None])[-1],
    )  # fmt: skip


LONGEST = 1_000_000.0

_PLAIN = {
    "--bind": "bind",
    "-b": "bind",
    "--format": "form",
    "-f": "form",
    "--expression": "expression",
    "-e": "expression",
    "--timeout": "timeout",
    "--graph-dir": "graph_dir",
    "--endpoint": "endpoint",
}


def ask(asked: Asked, *, terminal: bool) -> None:
    """Run a query and print its result to standard output.

    Without a format: a table on a terminal; piped, CSV for rows and Turtle for graphs.
    A query that takes longer than the timeout ends the process with exit status 2: the engine
    cannot be interrupted from within.

    Raises:
        InputError, SyntaxProblem, UnknownName, AmbiguousName: as `queries.bound`, `queries.run` and `names.resolve`.
        StoreError: the endpoint cannot be reached, refuses, or holds no graph of ours.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the engine does not look for Ctrl-C while it works
    stop = _limit(asked.timeout) if asked.timeout else None
    if asked.service and stop is None:
        from hypomag.federation import SECONDS

        stop = _limit(SECONDS)  # a server that does not answer must not hold the terminal
    places = sources.find(asked.graph_dir)
    text, told = _text(asked, places)
    store = graph.open_graph(places)
    if warning := queries.slow_path(text):
        print(f"hypomag: {warning}", file=sys.stderr)
    text = queries.bound(text, dict(_binding(store, b) for b in asked.bind), placing=asked.endpoint is None)
    if asked.service:
        from hypomag import federation

        text = federation.prepared(store, text, asked.service_url)
    try:
        if asked.endpoint is not None:
            result = _elsewhere(asked, asked.endpoint, store, text, told)
        else:
            result = queries.run(store, text, name=told, service=asked.service)
        rows = isinstance(result, QuerySolutions | QueryBoolean)
        shown = results.write(result, asked.form or ("table" if terminal else "csv" if rows else "turtle"))
    except (OSError, RuntimeError) as error:
        if not asked.service:
            raise
        raise InputError(f"the other server did not answer: {error}", "try again later, or name a mirror with --service-url") from None
    if stop:
        stop()
    sys.stdout.flush()
    sys.stdout.buffer.write(shown.encode())
    sys.stdout.buffer.flush()


def _elsewhere(asked: Asked, url: str, store: Store, text: str, told: str) -> object:
    """Ask a remote store what the embedded engine would be asked: the same text over the same graphs."""
    from hypomag import stores

    queries.check(text, told, asked.service)
    if not queries.calls_out(text):
        queries.run(Store(), text, name=told)  # tells of a mistake in our words, before anything is sent
    graphs = [] if queries.says_from(text) else [g.value for g in graph.content_graphs(store)]
    return stores.answer(url, queries.with_prefixes(text), graphs, queries.form(text), timeout=asked.timeout)


def _text(asked: Asked, places: sources.Sources) -> tuple[str, str]:
    if asked.expression is not None:
        return asked.expression, "-e"
    name = asked.name or ""
    if name == "-":
        return sources.read_text("-"), "standard input"
    if os.sep in name or name.endswith((".rq", ".sparql")) or os.path.isfile(name):  # noqa: PTH113 - no Path for one look
        return sources.read_text(name), name
    question = queries.named(places, name)
    return question.text, question.path.name


def _binding(store: Store, text: str) -> tuple[str, NamedNode | Literal]:
    name, equals, value = text.partition("=")
    name = name.lstrip("?$")
    if not equals or not name.isidentifier() or not value:
        raise InputError(f"cannot read --bind {text!r}", "write it as VAR=TERM, such as disease=FHSH")
    return name, term(store, value)


def term(store: Store, text: str) -> NamedNode | Literal:
    """Read a term as a user writes it: a quoted literal, a number, or any name of an entity."""
    from hypomag import prefixes

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
        raise UnknownName(error.message, error.remedy or "a literal is written in quotes") from None


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
