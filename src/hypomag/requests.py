"""What a SPARQL client asks for: the SPARQL 1.1 Protocol and the Graph Store Protocol, read from requests; all here are pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from pyoxigraph import NamedNode

QUERY_METHODS = "GET, HEAD, POST, QUERY, OPTIONS"
READ_METHODS = "GET, HEAD, OPTIONS"
FORM = "application/x-www-form-urlencoded"
DIRECT = "application/sparql-query"
_MOST_FIELDS = 1000


class Refused(Exception):
    """A request that gets no answer: HTTP status, one sentence, headers."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True)
class Asked:
    """A query and its dataset: the graphs that make its default graph, and those that GRAPH reaches; None is left to the query."""

    text: str
    default: tuple[str, ...] | None = None
    named: tuple[str, ...] | None = None


@dataclass
class Fields:
    """Fields of a query string or a form, in order; several may have one name."""

    pairs: list[tuple[str, str]] = field(default_factory=list)

    def of(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)


def fields(encoded: bytes) -> Fields:
    """Read `application/x-www-form-urlencoded`.

    >>> fields(b"query=ASK+%7B%7D&default").pairs
    [('query', 'ASK {}'), ('default', '')]

    Raises:
        Refused: a value is not UTF-8, or there are too many.
    """
    parts = [part for part in encoded.split(b"&") if part]
    if len(parts) > _MOST_FIELDS:
        raise Refused(400, f"more than {_MOST_FIELDS} parameters")
    found = Fields()
    for part in parts:
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        try:
            found.pairs.append((unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()))
        except UnicodeDecodeError:
            raise Refused(400, "the request is not encoded in UTF-8") from None
    return found


def asked(method: str, address: Fields, content_type: str | None, body: bytes) -> Asked | None:
    """Read a query request (SPARQL 1.1 Protocol, section 2.1); None where it asks for no query: that is for the service description.

    Raises:
        Refused: it breaks the protocol, or wants an update.
    """
    media, _, parameters = (content_type or "").lower().partition(";")
    media = media.strip()
    if method in ("GET", "HEAD"):
        if address.has("update"):
            raise Refused(400, "an update is never sent with GET; and here the graph is only read")
        if not address.has("query"):
            if address.has("default-graph-uri") or address.has("named-graph-uri"):
                raise Refused(400, "graphs are named, but there is no query")
            return None
        return _one(address, address)
    if "charset" in parameters and "utf-8" not in parameters and "utf8" not in parameters:
        raise Refused(415, "the body must be encoded in UTF-8")
    if media == FORM and method == "POST":
        form = fields(body)
        if form.has("update") or address.has("update"):
            if form.has("query") or address.has("query") or len(form.of("update")) > 1:
                raise Refused(400, "give one query; an update is not taken here")
            raise Refused(403, "the graph is only read here: no update")
        if address.has("query"):
            raise Refused(400, "a POST request has its query in the body, not in the address")
        if not form.has("query"):
            raise Refused(400, "the form has no field named query")
        return _one(form, Fields(address.pairs + form.pairs))
    if media == DIRECT:
        if address.has("query") or address.has("update"):
            raise Refused(400, "the query is in the body: none in the address")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise Refused(400, "the body is not encoded in UTF-8") from None
        return _one(Fields([("query", text)]), address)
    if media == "application/sparql-update":
        raise Refused(403, "the graph is only read here: no update")
    told = f"{media} is not read here" if media else "the request names no Content-Type"
    raise Refused(415, f"{told}: send {DIRECT}" + (f" or {FORM}" if method == "POST" else ""), Accept_Post=f"{DIRECT}, {FORM}")


def _one(queries: Fields, graphs: Fields) -> Asked:
    texts = queries.of("query")
    if len(texts) != 1:
        raise Refused(400, "give one query")
    default, named = graphs.of("default-graph-uri"), graphs.of("named-graph-uri")
    if not default and not named:
        return Asked(texts[0])
    return Asked(texts[0], tuple(map(_iri, default)), tuple(map(_iri, named)))


def _iri(text: str) -> str:
    try:
        return NamedNode(text).value
    except ValueError:
        raise Refused(400, "a graph is named by something that is no absolute IRI") from None


def graph(address: Fields) -> str | None:
    """Which graph a Graph Store request names (SPARQL 1.1 Graph Store HTTP Protocol, section 4): an IRI, or None for the default graph.

    >>> graph(fields(b"default")) is None, graph(fields(b"graph=http://a.b/c"))
    (True, 'http://a.b/c')

    Raises:
        Refused: it names none, or several.
    """
    named = address.of("graph")
    if len(named) + address.has("default") != 1:
        raise Refused(400, "name one graph: ?default or ?graph=IRI")
    return _iri(named[0]) if named else None
