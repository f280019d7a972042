"""The server as an ASGI application: pages and data by negotiation, SPARQL, the graph store, health; one place for headers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable
from urllib.parse import quote

from hypomag import __version__, answers, frontends, negotiation, requests, services, workers
from hypomag.addresses import relative
from hypomag.answers import CSP, KEPT, RAW, Answer, Headers, Receive, Scope, Send
from hypomag.documents import DATASET, Shelf
from hypomag.exports import MEDIA_TYPES
from hypomag.lanes import BUSY, TIMED_OUT, Busy, Job, Lanes, Limits
from hypomag.negotiation import DOCUMENTS, GRAPHS, HTML, ROWS
from hypomag.requests import Asked, Refused
from hypomag.sources import BASE

ASK = "ask.html"  # the page that asks in the browser
# What gives another answer each time is never kept.
_FRESH = re.compile(r"\b(?:RAND|NOW|UUID|STRUUID|BNODE)\s*\(", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:.]+\](?::\d+)?")
_MEDIA = MEDIA_TYPES | {
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
    "json": "application/json", "jsonld": "application/ld+json", "ttl": "text/turtle; charset=utf-8", "xml": "application/xml",
    "txt": "text/plain; charset=utf-8", "wasm": "application/wasm", "png": "image/png", "tsv": "text/tab-separated-values; charset=utf-8",
}  # fmt: skip
_FORM_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>SPARQL · hypomag</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="style.css"><main><h1>SPARQL</h1>
<form action="sparql"><p><label>Query<br><textarea name="query" rows="12" cols="80" spellcheck="false">SELECT ?disease ?label
WHERE { ?disease biolink:category biolink:Disease ; rdfs:label ?label }
ORDER BY ?label LIMIT 20</textarea></label></p><p><button>Ask</button></p></form>
<p>Our prefixes need no PREFIX line. <a href="query/index.html">Questions with their queries</a>. It informs; it is no medical advice.</p></main></html>
"""


def _refusal(refused: Refused) -> Answer:
    return answers.plain(refused.status, refused.message, **refused.headers)


class Endpoint:
    """The application. `base` is the public address where it is known, else the Host header of each request says it."""

    def __init__(self, shelf: Shelf, limits: Limits, *, base: str = "", kept: int = KEPT) -> None:
        self.shelf = shelf
        self.limits = limits
        self.base = base.rstrip("/")
        self.lanes = Lanes(shelf.folder / DATASET, limits)
        self.kept = answers.Kept(kept)  # by the digest of what was asked; and by the bytes of the request, which a connection looks up
        self._outgoing = answers.Outgoing(limits.outgoing)
        self._running: dict[bytes, Job] = {}
        self._graphs: dict[str, int] = {}
        self._union = 0
        self._salt = hashlib.sha256(f"{shelf.digest} {shelf.files[DATASET][1]} {__version__}".encode()).digest()

    async def start(self) -> None:
        """Start the workers and count the graphs.

        Raises:
            GraphUnavailable: the graph cannot be loaded.
        """
        await self.lanes.start()
        for text in (
            "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g",
            "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }",
        ):
            kind, data = await self.lanes.submit(text.encode(), json.dumps([text, None, None, "json", None, 0]).encode(), 120).future
            assert kind == workers.ROWS, data
            for row in json.loads(data)["results"]["bindings"]:
                if "g" in row:
                    self._graphs[row["g"]["value"]] = int(row["n"]["value"])
                else:
                    self._union = int(row["n"]["value"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the life of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            return
        method = scope["method"]
        answer = await self._answered(scope, receive)
        if answer.kept and len(answer.body) <= answers.CHUNK and (raw := scope["state"].get(RAW)):
            self.kept.put(raw, answer)
        if method == "HEAD":
            await answers.send(send, answer, bodiless=True)
        else:
            await self._deliver(send, answer)

    async def _deliver(self, send: Send, answer: Answer) -> None:
        if len(answer.body) <= answers.CHUNK:
            await answers.send(send, answer)
            return
        with self._outgoing.held(answer.body) as fits:
            await answers.send(send, answer if fits else answers.plain(503, "too much is being sent: try again later", Retry_After="5"))

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.lanes.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answered(self, scope: Scope, receive: Receive) -> Answer:
        path = str(scope["path"]).removeprefix("/")
        known = {"sparql": self._sparql, "sparql/": self._sparql, "graph-store": self._graph_store}
        allowed = requests.QUERY_METHODS if path in ("sparql", "sparql/") else requests.READ_METHODS
        method = scope["method"]
        if method == "OPTIONS":
            return answers.preflight(allowed)
        if method not in allowed.split(", "):
            return answers.plain(405, f"{path or 'this page'} takes {allowed}; nothing can be written here", Allow=allowed)
        try:
            if path in known:
                return await known[path](scope, receive)
            return self._document(scope, path)
        except Refused as refused:
            return _refusal(refused)

    # ── SPARQL ──

    async def _sparql(self, scope: Scope, receive: Receive) -> Answer:
        body = await self._body(scope, receive) if scope["method"] in ("POST", "QUERY") else b""
        content_type = answers.header(scope, b"content-type")
        address = requests.fields(scope["query_string"])
        wanted = requests.asked(scope["method"], address, content_type, body)
        accept = answers.header(scope, b"accept")
        if wanted is None:
            return self._about(scope, accept)
        return await self._run(scope, receive, wanted, accept, ROWS, self.limits.rows)

    def _about(self, scope: Scope, accept: str | None) -> Answer:
        """No query: a form for people, the service description for machines."""
        offers = (*GRAPHS[:4], *HTML)
        chosen = negotiation.best(accept, offers)
        if chosen is None:
            return answers.plain(406, f"on offer: {negotiation.listed(offers)}", Vary="Accept")
        media, form = chosen
        if form == "html":
            return answers.tagged(200, f"{media}; charset=utf-8", _FORM_PAGE.encode(), scope, vary=True)
        triples = services.described(f"{self._own(scope)}/sparql", self._graphs, self._union)
        return answers.tagged(200, media, services.written(triples, form), scope, vary=True)

    async def _run(
        self, scope: Scope, receive: Receive, wanted: Asked, accept: str | None, offers: tuple[tuple[str, str], ...], most: int
    ) -> Answer:
        rows, graph = negotiation.best(accept, offers) if offers else None, negotiation.best(accept, GRAPHS)
        if rows is None and graph is None:
            return answers.plain(406, f"on offer: {negotiation.listed((*offers, *GRAPHS))}", Vary="Accept")
        order = json.dumps([wanted.text, wanted.default, wanted.named, rows and rows[1], graph and graph[1], most]).encode()
        key = hashlib.blake2b(order + str((rows, graph)).encode(), digest_size=16, key=self._salt).digest()
        tag = f'W/"{key.hex()}"'
        kept = not _FRESH.search(wanted.text)
        if kept and tag.removeprefix("W/") in negotiation.tags(answers.header(scope, b"if-none-match")):
            return Answer(304, [(b"etag", tag.encode()), (b"vary", b"Accept"), (b"cache-control", b"public, max-age=300")], b"")
        if kept and (found := self.kept.get(key)):
            return found
        kind, data = await self._asked(receive, key, order, shared=kept)
        if kind in (workers.ROWS, workers.GRAPH):
            chosen = rows if kind == workers.ROWS else graph
            assert chosen
            answer = answers.typed(chosen[0], data, tag if kept else "")
            if kept:
                self.kept.put(key, answer)
            return answer
        return self._failure(kind, data.decode())

    def _failure(self, kind: int, message: str) -> Answer:
        if kind == workers.REFUSED:
            return answers.plain(400, message)
        if kind == workers.UNACCEPTABLE:
            return answers.plain(406, f"{message}; on offer: {negotiation.listed(ROWS if 'rows' in message else GRAPHS)}", Vary="Accept")
        if kind == workers.TOO_MANY:
            return answers.plain(422, message)
        if kind == TIMED_OUT:
            told = f"the query took longer than {self.limits.seconds:g} s and was stopped\nnarrow it, or ask the downloaded graph"
            return answers.plain(503, told, Retry_After=str(max(1, round(self.limits.seconds))))
        if kind == BUSY:
            return answers.plain(503, "too many queries wait: try again later", Retry_After="5")
        return answers.plain(500, message)

    async def _asked(self, receive: Receive, key: bytes, order: bytes, *, shared: bool) -> tuple[int, bytes]:
        """Run a query, or wait with those who have asked the same; whoever goes away waits no more."""
        job = self._running.get(key) if shared else None
        if job and not job.future.done():
            job.watchers += 1
        else:
            try:
                job = self.lanes.submit(key, order)
            except Busy:
                return BUSY, b""
            if shared:
                self._running[key] = job
                job.future.add_done_callback(lambda _: self._running.pop(key, None))
        left: list[asyncio.Task[None]] = []
        mine = job
        watch = self.lanes.on_long(mine, lambda: left.append(asyncio.ensure_future(_leaving(receive, lambda: self.lanes.abandon(mine)))))
        try:
            return await asyncio.shield(job.future)
        finally:
            watch.cancel()
            for task in left:
                task.cancel()

    # ── Graph store ──

    async def _graph_store(self, scope: Scope, receive: Receive) -> Answer:
        iri = requests.graph(requests.fields(scope["query_string"]))
        accept = answers.header(scope, b"accept")
        if iri is not None and iri not in self._graphs:
            return answers.plain(404, "no such graph in this dataset")
        text = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"
        return await self._run(scope, receive, Asked(text, None if iri is None else (iri,)), accept, (), 0)

    # ── Pages ──

    def _document(self, scope: Scope, path: str) -> Answer:
        if path == "health":
            return self._health()
        if path == "openapi.json":
            told = services.openapi(__version__, tuple(dict(ROWS)), tuple(dict(GRAPHS)))
            return answers.tagged(200, "application/json", (json.dumps(told, indent=1) + "\n").encode(), scope)
        if path in self.shelf.gone or path.rpartition(".")[0] in self.shelf.gone:
            return self._gone(path)
        if path in self.shelf.files:
            return self._file(scope, path)
        if (not path or path.endswith("/")) and f"{path}index.html" in self.shelf.files:
            if not path and (chosen := negotiation.best(answers.header(scope, b"accept"), DOCUMENTS)) and chosen[1] == "ttl":
                return answers.led("void.ttl")
            return self._file(scope, f"{path}index.html", vary=not path)
        if BASE + path in self._graphs:
            return answers.led(f"{relative('graph-store', path)}?graph={quote(BASE + path, safe='')}", vary=False)
        return self._thing(scope, path)

    def _thing(self, scope: Scope, path: str) -> Answer:
        """A thing is no document: lead to the one that is wanted."""
        place = self.shelf.place(path)
        asked = scope["raw_path"].decode("ascii").removeprefix("/")  # an escaped slash is none where a client follows
        address, _, suffix = path.rpartition(".")
        if place is None and (inner := self.shelf.place(address)) and f"{(stem := inner.partition('#')[0])}.{suffix}" in self.shelf.files:
            return answers.led(relative(f"{stem}.{suffix}", asked), vary=False)  # a claim as Turtle: what holds it
        if place is None:
            return answers.plain(404, "no such page; search.html finds names, /sparql takes questions")
        if place in self.shelf.files:
            return answers.led(relative(place, asked), vary=False)
        stem, hash_, section = place.partition("#")
        offers = tuple(o for o in DOCUMENTS if f"{stem}.{o[1]}" in self.shelf.files)
        chosen = negotiation.best(answers.header(scope, b"accept"), offers)
        if chosen is None:
            return answers.plain(406, f"on offer: {negotiation.listed(offers)}", Vary="Accept")
        way = relative(f"{stem}.{chosen[1]}", asked)
        return answers.led(f"{way}{hash_}{section}" if chosen[1] == "html" else way)

    def _gone(self, path: str) -> Answer:
        address = path if path in self.shelf.gone else path.rpartition(".")[0]
        heir = self.shelf.gone[address]
        link = {"Link": f'<{heir}>; rel="successor-version"'} if heir else {}
        told = f"{BASE}{address} was withdrawn; the graph keeps the record"
        return answers.plain(410, f"{told}. In its place: {heir}" if heir else told, **link)

    def _file(self, scope: Scope, path: str, *, vary: bool = False) -> Answer:
        _, sum_ = self.shelf.files[path]
        media = _MEDIA.get(
            path.rpartition(".")[2], "text/turtle; charset=utf-8" if path == ".well-known/void" else "application/octet-stream"
        )
        tag = f'"{sum_[:32]}"'
        if negotiation.known(answers.header(scope, b"if-none-match"), tag):
            return Answer(304, answers.caching(tag, vary), b"")
        key = ("file", path)
        found = self.kept.get(key)
        if found is None:
            try:
                content = self.shelf.read(path)
            except OSError:
                return answers.plain(500, "a file of the site is not as it was written: start the server anew")
            asks = path == ASK or path.startswith(f"{frontends.FOLDER}/")
            policy = f"{frontends.POLICY}; frame-ancestors 'none'" if asks else CSP
            headers = [(b"content-type", media.encode()), *_links(path, self.shelf), *answers.caching(tag, vary)]
            found = Answer(200, headers, content, policy=policy)
            self.kept.put(key, found)
        return found

    def _health(self) -> Answer:
        told = {"status": "ok", "dataset": self.shelf.digest, "triples": self._union, "workers": self.lanes.state()}
        return Answer(200, [(b"content-type", b"application/json"), (b"cache-control", b"no-store")], (json.dumps(told) + "\n").encode())

    def _own(self, scope: Scope) -> str:
        """The public address of this server; a Host header that is none is not repeated."""
        if self.base:
            return self.base
        host = answers.header(scope, b"host") or ""
        if not _HOST.fullmatch(host):
            name, port = scope.get("server") or ("127.0.0.1", 80)
            host = f"{name}:{port}"
        return f"{scope.get('scheme', 'http')}://{host}"

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """Read the body, no further than the limit, no longer than a query may take."""
        told = answers.header(scope, b"content-length")
        if told and told.isdigit() and int(told) > self.limits.body:
            raise self._too_long()
        data = bytearray()
        try:
            async with asyncio.timeout(self.limits.seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(400, "the request broke off")
                    data += message.get("body", b"")
                    if len(data) > self.limits.body:
                        raise self._too_long()
                    if not message.get("more_body"):
                        return bytes(data)
        except TimeoutError:
            raise Refused(408, "the body did not come in time", Connection="close") from None

    def _too_long(self) -> Refused:
        return Refused(413, f"the body is larger than {self.limits.body} bytes", Connection="close")


async def _leaving(receive: Receive, call: Callable[[], None]) -> None:
    """Call when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    call()


def _links(path: str, shelf: Shelf) -> Headers:
    """The same thing in other formats, for machines that read headers."""
    if path == ASK:  # so that the page knows whom it may ask
        return [(b"link", f'<sparql>; rel="{services.SD}endpoint"'.encode())]
    stem, _, suffix = path.rpartition(".")
    if suffix not in ("html", "ttl", "jsonld"):
        return []
    name = stem.rpartition("/")[2]
    others = [(s, m) for s, m in (("html", "text/html"), ("ttl", "text/turtle"), ("jsonld", "application/ld+json")) if s != suffix]
    links = [f'<{name}.{s}>; rel="alternate"; type="{m}"' for s, m in others if f"{stem}.{s}" in shelf.files]
    return [(b"link", ", ".join(links).encode())] if links else []
