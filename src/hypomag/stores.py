"""Running stores: what each kind needs, which kind answers at an address, and asking it over HTTP."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpx
from pyoxigraph import Literal, NamedNode, QueryResultsFormat, RdfFormat, Triple, parse, parse_query_results

from hypomag.errors import InputError, StoreError
from hypomag.formatting import XSD, canonical_decimal

LOGIN = "set HYPOMAG_STORE_USER and HYPOMAG_STORE_PASSWORD, or HYPOMAG_STORE_TOKEN, or write the host into ~/.netrc"
TRIPLES = "application/n-triples"
ROWS = "application/sparql-results+json"
# Tomcat, under RDF4J and GraphDB, takes a form for Latin-1 where nothing is said.
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
PATIENCE = 300.0  # seconds without a byte from the store
CONNECT = 10.0


@dataclass(frozen=True)
class Kind:
    """What one kind of store needs; the paths stand below the address that a user gives."""

    name: str
    title: str
    query: str
    update: str
    graphs: str | None  # Graph Store Protocol; None: it has none, SPARQL Update does all
    endings: tuple[str, ...]  # what a user may write after the address as well
    reads: str  # what it reads well, over HTTP / by its bulk loader
    login: str  # how it asks for a login where it asks
    union: str  # what a query that names no graph reads
    moves: bool = True  # it knows MOVE and DROP; else DELETE and INSERT say the same
    atomic: bool = True  # an update of several operations happens whole or not at all
    seen: str = "from its manual"  # the version that the tests ran
    private: str | None = None  # where queries go with a login, if elsewhere


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "oxigraph", "Oxigraph", "/query", "/update", "/store", ("/query", "/update", "/store"),
            "N-Triples / N-Quads", "none (a proxy before it asks)", "the default graph, empty here (`serve --union-default-graph`: all graphs)",
            seen="0.5.13",
        ),
        Kind(
            "fuseki", "Apache Jena Fuseki", "/query", "/update", "/data", ("/query", "/sparql", "/update", "/data", "/get"),
            "N-Triples / N-Quads", "none, basic, digest or bearer", "the default graph, empty here (`tdb2:unionDefaultGraph true`: all graphs)",
            seen="5.6.0",
        ),
        Kind(
            "rdf4j", "Eclipse RDF4J", "", "/statements", "/rdf-graphs/service", ("/statements", "/rdf-graphs/service", "/rdf-graphs"),
            "N-Triples / N-Quads", "none, basic", "all graphs, a triple once for each graph that holds it",
            seen="5.0.3",
        ),
        Kind(
            "graphdb", "Ontotext GraphDB", "", "/statements", "/rdf-graphs/service", ("/statements", "/rdf-graphs/service", "/rdf-graphs"),
            "N-Triples / N-Quads, TriG", "none, basic, token (`GDB ...`)", "all graphs",
        ),
        Kind(
            "virtuoso", "OpenLink Virtuoso", "/sparql", "/sparql-auth", "/sparql-graph-crud-auth",
            ("/sparql", "/sparql-auth", "/sparql-graph-crud", "/sparql-graph-crud-auth"),
            "N-Triples / N-Triples, a file a graph", "digest", "all graphs",
            atomic=False, seen="7.2.5", private="/sparql-auth",
        ),
        Kind(
            "generic", "a SPARQL 1.1 store", "", "", None, (), "SPARQL Update (INSERT DATA)", "none, basic, digest or bearer", "its own affair",
            moves=False, atomic=False, seen="Oxigraph 0.5.13 by its update address",
        ),
    )
}  # fmt: skip


class _Login(httpx.Auth):
    """Sends a token always, a password only after the store has asked, in the way in which it asks."""

    def __init__(self, host: str) -> None:
        self.token = os.environ.get("HYPOMAG_STORE_TOKEN", "").strip()
        self.user = os.environ.get("HYPOMAG_STORE_USER", "").strip()
        self.password = os.environ.get("HYPOMAG_STORE_PASSWORD", "")
        self.stored = False  # the login is that of the host in netrc
        if not self.token and not self.user:
            self.user, self.password = _netrc(host)
            self.stored = bool(self.user)
        if re.search(r"[^ -~]", self.token):
            raise InputError(
                "HYPOMAG_STORE_TOKEN holds a line break or a letter that no header can carry", "give the token alone, on one line"
            )
        self._chosen: httpx.Auth | None = None

    @property
    def given(self) -> bool:
        return bool(self.token or self.user)

    def hidden(self, text: str) -> str:
        """A text without the secrets, should a store repeat them."""
        basic = base64.b64encode(f"{self.user}:{self.password}".encode()).decode() if self.password else ""
        for secret in (basic, self.token, self.token.partition(" ")[2], self.password):
            text = text.replace(secret, "***") if secret else text
        return text

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self.token:
            # GraphDB's tokens bring the name of their scheme: "GDB eyJ...".
            request.headers["Authorization"] = self.token if " " in self.token else f"Bearer {self.token}"
            yield request
        elif self._chosen:
            yield from self._chosen.auth_flow(request)
        else:
            response = yield request
            asked = response.headers.get("www-authenticate", "").lower()
            if response.status_code == 401 and self.user:
                self._chosen = (
                    httpx.DigestAuth(self.user, self.password) if "digest" in asked else httpx.BasicAuth(self.user, self.password)
                )
                request.headers.pop("Authorization", None)
                yield from self._chosen.auth_flow(request)


def _netrc(host: str) -> tuple[str, str]:
    import netrc

    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        found = netrc.netrc(str(path)).authenticators(host)
    except FileNotFoundError:
        return "", ""
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "mend it, or set NETRC to another file") from None
    except (netrc.NetrcParseError, UnicodeDecodeError) as error:
        # Its message would repeat a word of the file, which may be the password.
        line = getattr(error, "lineno", None) or 1
        raise InputError(f"{path}:{line}: not a netrc file", "mend it, or set NETRC to another file") from None
    return (found[0], found[2] or "") if found else ("", "")


class Remote:
    """A running store: `reach` gives one. Use it as a context manager."""

    def __init__(self, kind: Kind, address: str, client: httpx.Client, login: _Login, told: str = "", update: str | None = None) -> None:
        self.kind = kind
        self.address = address
        self.title = f"{kind.title} {told}".strip()
        self._client = client
        self._login = login
        self._query = address + ((login.given and kind.private) or kind.query)
        self._update = update or address + kind.update
        self._graphs = None if kind.graphs is None else address + kind.graphs

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    @property
    def takes_graphs(self) -> bool:
        """Whether it speaks the Graph Store Protocol."""
        return self._graphs is not None

    def put(self, graph: str, triples: bytes, *, add: bool = False) -> None:
        """Replace a named graph by N-Triples, or add them to it.

        Raises:
            StoreError: as `reach`; `status` is the HTTP status where the store gave one.
        """
        assert self._graphs is not None
        # Bytes, never an iterator: Virtuoso answers 201 to a chunked body and keeps nothing of it.
        self._send("POST" if add else "PUT", self._graphs, params={"graph": graph}, content=triples, headers={"Content-Type": TRIPLES})

    def update(self, text: str) -> None:
        """Run a SPARQL update."""
        self._send("POST", self._update, data={"update": text}, headers=FORM)

    def rows(self, text: str, graphs: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT query, each a tuple of terms in the order of its columns."""
        found = solutions(self.document(text, graphs))
        names = [v.value for v in found.variables]
        return [tuple(row[n] for n in names) for row in found]

    def document(self, text: str, graphs: Sequence[str] = ()) -> dict[str, Any]:
        """What a SELECT or ASK query gives, as SPARQL 1.1 JSON with values as the embedded engine writes them.

        Raises:
            StoreError: as `put`, or the answer is cut off or no SPARQL result.
        """
        response = self._ask(text, graphs, ROWS)
        if limit := response.headers.get("x-sparql-maxrows"):
            raise StoreError(
                f"{self.address}: the store cut the answer off at {limit} rows",
                "raise ResultSetMaxRows in its virtuoso.ini, or narrow the query",
            )
        try:
            document: dict[str, Any] = json.loads(response.content)
            for row in document.get("results", {}).get("bindings", []):
                for name, term in row.items():
                    row[name] = _plain(term)
            if document["head"].get("vars") == ["__ASK_RETVAL"]:  # Virtuoso answers ASK with a row
                held = [row["__ASK_RETVAL"]["value"] for row in document["results"]["bindings"]]
                document = {"head": {}, "boolean": held not in ([], ["0"])}
            for _ in solutions(document) if "results" in document else [solutions(document)]:
                pass  # it is read as it is walked, so walk it here, where a mistake is the store's
        except (ValueError, AttributeError, TypeError, KeyError, SyntaxError):
            raise self._no_sparql(response) from None
        return document

    def triples(self, text: str, graphs: Sequence[str] = ()) -> list[Triple]:
        """The triples that a CONSTRUCT or DESCRIBE query gives."""
        response = self._ask(text, graphs, TRIPLES)
        try:
            found = [q.triple for q in parse(response.content, format=RdfFormat.N_TRIPLES)]
        except (SyntaxError, ValueError):
            raise self._no_sparql(response) from None
        return [Triple(t.subject, t.predicate, _same(t.object)) for t in found]

    def count(self, graph: str) -> int:
        """How many triples a named graph holds."""
        ((number,),) = self.rows(f"SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")
        return int(number.value)

    def _ask(self, text: str, graphs: Sequence[str], accept: str) -> httpx.Response:
        # A form, never the body application/sparql-query, over which Virtuoso hangs. The graphs by name,
        # because stores do not agree on what a query that names none reads.
        form = {"query": text, "default-graph-uri": list(graphs), "named-graph-uri": list(graphs)}
        return self._send("POST", self._query, data=form, headers=FORM | {"Accept": accept})

    def _send(self, method: str, url: str, **rest: Any) -> httpx.Response:
        response = _exchange(self._client, method, url, **rest)
        if response.is_success:
            if response.status_code == 206 or "x-sql-state" in response.headers:
                raise StoreError(f"{url}: the store gave up half-way and sent a part of the answer", "raise MaxQueryExecutionTime there")
            return response
        raise _refused(response, url, self._login)

    def _no_sparql(self, response: httpx.Response) -> StoreError:
        kind = response.headers.get("content-type", "no type").split(";")[0]
        return StoreError(
            f"{response.url.copy_with(query=None)}: answers with {kind}, not with SPARQL results", "is this a SPARQL endpoint?"
        )


def _exchange(client: httpx.Client, method: str, url: str, **rest: Any) -> httpx.Response:
    """Send one request; no message of a failure repeats what was sent."""
    try:
        return client.request(method, url, **rest)
    except httpx.ConnectTimeout:
        raise StoreError(f"{url}: nothing answered within {CONNECT:g} s", "is the address right, is a firewall between?") from None
    except httpx.TimeoutException:
        seconds = client.timeout.read
        raise StoreError(f"{url}: no answer within {seconds:g} s", "--timeout SECONDS waits longer") from None
    except httpx.ConnectError as error:
        raise StoreError(f"{url}: cannot connect: {error}", "is the store running, and is this its address?") from None
    except httpx.HTTPError as error:
        raise StoreError(f"{url}: the connection broke off: {error}", "look into the store's log, then run the command again") from None


_REMEDIES = {
    403: "this login may not do that; with Virtuoso the user needs SPARQL_UPDATE",
    404: "Fuseki: http://host:3030/DATASET; RDF4J and GraphDB: http://host:port/.../repositories/NAME; Oxigraph and Virtuoso: http://host:port; behind a proxy say --store",
    405: "the store takes no writing here: is it started read-only?",
    413: "let the store, or the proxy before it, take larger requests",
    415: "say what kind of store it is with --store",
    507: "the store has no room: free some, then load again",
    503: "the store is busy: try again later",
}


def _refused(response: httpx.Response, url: str, login: _Login) -> StoreError:
    status = response.status_code
    if response.is_redirect:
        return StoreError(f"{url}: has moved to {response.headers.get('location', 'nowhere')}", "give that address", status)
    text = re.sub(r"(?is)<(style|script|head)\b.*?</\1>|<[^>]*>", " ", response.text)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    told = login.hidden(f": {first[:200]}" if first else "")
    remedy = _REMEDIES.get(status, "look into the store's log")
    if status == 401:
        remedy = "user, password or token are wrong" if login.given else LOGIN
    return StoreError(f"{url}: {status} {response.reason_phrase}".rstrip() + told, remedy, status)


def reach(url: str, kind: str | None = None, *, timeout: float | None = None, update: str | None = None) -> Remote:
    """Find the store at an address: of the kind given, else of the kind that answers there.

    `update` is where a generic store takes updates, if not at the address itself.

    Raises:
        InputError: the address is none, or carries a password, or the two are on different hosts and `~/.netrc` knows one.
        StoreError: nothing answers there, or it refuses.
    """
    address = checked(url)
    updates = checked(update) if update else None
    host = urlsplit(address).hostname or ""
    login = _Login(host)
    if updates and login.stored and urlsplit(updates).hostname != host:
        raise InputError(
            f"the login that is stored for {host} would go to another host", "set HYPOMAG_STORE_USER and HYPOMAG_STORE_PASSWORD"
        )
    patience = httpx.Timeout(timeout or PATIENCE, connect=min(CONNECT, timeout or CONNECT))
    # Reading the certificates takes longer than a small query, and nothing but https needs them: no redirect is followed.
    client = httpx.Client(auth=login, timeout=patience, verify="https:" in (address[:6], (updates or "")[:6]))
    told = ""
    try:
        if kind is None:
            kind, told = _detected(client, address)
    except BaseException:
        client.close()
        raise
    found = KINDS[kind]
    for ending in sorted(found.endings, key=len, reverse=True):
        if address.endswith(ending):
            address = address.removesuffix(ending)
            break
    return Remote(found, address, client, login, told, updates)


def checked(url: str) -> str:
    """An address without the slash at its end.

    >>> checked("http://127.0.0.1:3030/ds/")
    'http://127.0.0.1:3030/ds'
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) and not re.search(r"[\s<>\"]", url)
    except ValueError:
        usable = False
    if usable and (parts.username or parts.password):
        raise InputError("the address carries a login, which others can read from the process list", LOGIN)
    if not usable or parts.query or parts.fragment:
        raise InputError(f"{url!r} is no address of a store", "write it as http://host:port/path")
    return url.rstrip("/")


def _detected(client: httpx.Client, address: str) -> tuple[str, str]:
    """The kind of store at an address, and its version where it tells."""
    if "/repositories/" in address:
        root = address.split("/repositories/")[0]
        version = _exchange(client, "GET", root + "/rest/info/version", params={"local": "1"})
        if version.is_success and "productVersion" in version.text:
            return "graphdb", ""
        if _exchange(client, "GET", root + "/protocol").text.strip().isdigit():
            return "rdf4j", ""
    # HEAD: Fuseki would answer GET with the whole dataset. Oxigraph answers it at its endpoints with a body, which must not be
    # taken for the answer of the next request: so the connection ends here.
    headers = _exchange(client, "HEAD", address, headers={"Connection": "close"}).headers
    server = headers.get("server", "")
    name, _, version_told = server.partition("/")
    if name.lower() in ("oxigraph", "virtuoso"):
        return name.lower(), version_told.split(" ")[0]
    if "fuseki-request-id" in headers or "fuseki" in server.lower():
        return "fuseki", ""
    return "generic", ""


def _plain(term: dict[str, Any]) -> dict[str, Any]:
    """A term of a JSON result with its value as the embedded engine writes it."""
    if term.get("type") in ("literal", "typed-literal"):
        literal = canonical(str(term["value"]), term.get("xml:lang"), term.get("datatype"))
        plain: dict[str, Any] = {"type": "literal", "value": literal.value}
        if literal.language:
            plain["xml:lang"] = literal.language
        elif literal.datatype.value != XSD + "string":
            plain["datatype"] = literal.datatype.value
        return plain
    return term


def _same(term: Any) -> Any:
    return canonical(term.value, term.language, term.datatype.value) if isinstance(term, Literal) else term


def canonical(value: str, language: str | None, datatype: str | None) -> Literal:
    """A literal as the embedded engine keeps it, from what a store made of it.

    Virtuoso writes a boolean as 1, a duration of years and months as a number of months, one of days and hours as seconds.

    >>> str(canonical("0.50", None, XSD + "decimal")), str(canonical("1", None, XSD + "boolean")), str(canonical("x", "en-GB", None))
    ('"0.5"^^<http://www.w3.org/2001/XMLSchema#decimal>', '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>', '"x"@en-gb')
    >>> [canonical(v, None, XSD + "duration").value for v in ("18", "-3", "93600.0", "1.4688e+06", "P7M")]
    ['P1Y6M', '-P3M', 'P1DT2H', 'P17D', 'P7M']
    """
    if language:
        return Literal(value, language=language.lower())
    if not datatype:
        return Literal(value)
    if datatype == XSD + "boolean":
        value = {"1": "true", "0": "false"}.get(value, value)
    elif datatype == XSD + "decimal":
        value = canonical_decimal(value)
    elif datatype == XSD + "integer" and re.fullmatch(r"[+-]?\d+", value):
        value = str(int(value))
    elif datatype == XSD + "duration" and re.fullmatch(r"-?\d+(\.\d+)?(e\+?\d+)?", value):
        value = _duration(value)
    return Literal(value, datatype=NamedNode(datatype))


def _duration(number: str) -> str:
    sign, number = ("-", number[1:]) if number.startswith("-") else ("", number)
    if number.isdigit():
        years, months = divmod(int(number), 12)
        return f"{sign}P{f'{years}Y' if years else ''}{f'{months}M' if months or not years else ''}"
    days, rest = divmod(Decimal(number), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    clock = "".join(f"{canonical_decimal(str(n))}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    if not days and not clock:
        return "PT0S"
    return f"{sign}P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"


def answer(url: str, text: str, graphs: Sequence[str], form: str, *, timeout: float | None = None) -> Any:
    """Ask a query of a remote store; `form` is SELECT, ASK, CONSTRUCT or DESCRIBE.

    It reads just the given graphs, as the embedded engine does; none are given where the query says FROM.

    Raises:
        InputError, StoreError: as `reach`; StoreError too where the store holds none of the graphs.
    """
    with reach(url, timeout=timeout) as remote:
        rows = form in ("SELECT", "ASK")
        found: Any = remote.document(text, graphs) if rows else remote.triples(text, graphs)
        empty = not found["results"]["bindings"] if rows and "results" in found else not rows and not found
        if empty and graphs and not remote.rows("SELECT ?s WHERE { ?s ?p ?o } LIMIT 1", graphs):
            raise StoreError(f"{remote.address}: holds no graph of hypomag", f"put it there: hypomag load {url}")
        return solutions(found) if rows else found


def solutions(document: dict[str, Any]) -> Any:
    """SPARQL results as the embedded engine gives them: QuerySolutions or QueryBoolean."""
    return parse_query_results(json.dumps(document), QueryResultsFormat.JSON)
