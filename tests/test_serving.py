"""The server: addresses, negotiation, SPARQL, limits that hold, faults; real processes, real HTTP."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import httpx
import pytest
import SPARQLWrapper
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, QueryResultsFormat, RdfFormat, Store, parse, parse_query_results
from rdflib import Graph
from rdflib.plugins.stores.sparqlstore import SPARQLStore

from hypomag import answers, documents, exports, frontends, lanes, negotiation, prefixes, queries, requests, sites, sources, workers
from tests import servers
from tests.conftest import ROOT, hypomag

ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE {{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . FILTER(?a != <a:{}>) }}"
FHSH = "disease/MONDO_0011176"
JSON = "application/sparql-results+json"


@pytest.fixture(scope="module")
def url(shelf: Path) -> Iterator[str]:
    """A server of the real graph."""
    with servers.served(shelf) as address:
        yield address


@pytest.fixture(scope="module")
def strict(shelf: Path) -> Iterator[str]:
    """A server of the real graph with narrow limits."""
    with servers.served(shelf, seconds=1.5, rows=50, body=2000, memory=512, quick=2, slow=2, waiting=4) as address:
        yield address


def ask(url: str, query: str, accept: str = JSON, **more: str) -> httpx.Response:
    return httpx.get(f"{url}/sparql", params={"query": query, **more}, headers={"Accept": accept}, timeout=60)


def get(url: str, path: str, accept: str | None = None, **headers: str) -> httpx.Response:
    given_ = {"Accept": accept} if accept is not None else {}
    return httpx.get(f"{url}/{path}", headers=given_ | {k.replace("_", "-"): v for k, v in headers.items()}, timeout=60)


# ── Addresses ──


@pytest.mark.parametrize(
    ("path", "accept", "way"),
    [
        (FHSH, "text/html", f"{FHSH}.html"),
        (FHSH, "text/turtle", f"{FHSH}.ttl"),
        (FHSH, "application/ld+json", f"{FHSH}.jsonld"),
        (FHSH, "text/html;q=0.3, text/turtle;q=0.4", f"{FHSH}.ttl"),
        (FHSH, None, f"{FHSH}.html"),
        ("claim/fhsh-seizure", "text/html", f"{FHSH}.html#fhsh-seizure"),
        ("claim/fhsh-seizure", "text/turtle", f"{FHSH}.ttl"),
        ("evidence/fhsh-seizure.f-t-095", "text/turtle", f"{FHSH}.ttl"),
        ("reference/ihe-espe-hrp0082", "text/html", "publication/ihe-espe-hrp0082.html"),
        ("query/which-genes", "application/ld+json", "query/which-genes.jsonld"),
        (FHSH.replace("/", "%2F"), "text/turtle", f"{FHSH}.ttl"),
        ("claim/fhsh-seizure.ttl", "text/html", f"{FHSH}.ttl"),
        ("evidence/fhsh-seizure.f-t-095.jsonld", None, f"{FHSH}.jsonld"),
        ("vocab", "text/html", "class/index.html"),
        ("graph/claims", "text/turtle", f"graph-store?graph={quote('https://w3id.org/hypomag/graph/claims', safe='')}"),
        ("", "text/turtle", "void.ttl"),
    ],
)  # fmt: skip
def test_a_thing_leads_to_the_document_that_is_wanted(url: str, path: str, accept: str | None, way: str) -> None:
    response = get(url, path, accept)
    assert response.status_code == 303
    assert str(httpx.URL(f"{url}/{path}").join(response.headers["location"])) == f"{url}/{way}"
    if path != "graph/claims" and not path.endswith((".ttl", ".jsonld")):
        assert "Accept" in response.headers["vary"]
    assert httpx.get(f"{url}/{way}").status_code == 200


def test_an_address_is_the_one_of_its_iri(url: str, store: Store) -> None:
    """Every IRI of ours in the graph leads to a document that speaks of it; withdrawn claims are gone, rows that nothing is made from have none."""
    rows = store.query("SELECT DISTINCT ?s { ?s a ?kind }", use_default_graph_as_union=True)
    gone = {sources.BASE + path for path in documents.places(store)[1]}
    unused = {q.subject.value for q in store.quads_for_pattern(None, prefixes.node("hm:reason"), None, None)}
    ours = sorted({r["s"].value for r in rows if r["s"].value.startswith(sources.BASE) and "#" not in r["s"].value} - gone - unused)
    lost = []
    with httpx.Client() as client:
        for iri in ours[:: max(1, len(ours) // 150)]:
            response = client.get(iri.replace(sources.BASE, f"{url}/"), headers={"Accept": "text/turtle"}, follow_redirects=True)
            if response.status_code != 200 or iri not in {t.subject.value for t in parse(response.content, format=RdfFormat.TURTLE)}:
                lost.append(iri)
    assert not [iri for iri in lost if "/release/" not in iri]


def test_the_extension_goes_before_the_header(url: str) -> None:
    response = get(url, f"{FHSH}.ttl", "text/html")
    assert response.status_code == 200 and response.headers["content-type"] == "text/turtle; charset=utf-8"
    assert "accept" not in response.headers.get("vary", "").lower()
    assert f'<{FHSH.partition("/")[2]}.html>; rel="alternate"' in response.headers["link"]


def test_what_is_not_there_and_what_cannot_be_had(url: str) -> None:
    assert get(url, FHSH, "image/png").status_code == 406
    assert "text/turtle" in get(url, FHSH, "image/png").text
    for path in ("nowhere", "disease/nothing", "claim/nothing", f"{FHSH}.exe", "vocab/x"):
        assert get(url, path).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["../shelf.json", "..%2fshelf.json", "%2e%2e/shelf.json", "download/../../shelf.json", "//etc/passwd", "disease/%00", "a%0d%0ab:%20c"],
)
def test_no_way_out_of_the_site(url: str, path: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(f"GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404"), answer[:200]
    assert b"\r\nb: c" not in answer


def test_every_file_of_the_site_is_the_same_here(url: str, site: Path) -> None:
    manifest = json.loads((site / sites.MANIFEST).read_bytes())["files"]
    paths = sorted(manifest)
    with httpx.Client() as client:
        for path in [*paths[::100], "index.html", "search-index.js", "style.css", ".well-known/void", "download/hypomag.nq"]:
            response = client.get(f"{url}/{path}")
            assert response.status_code == 200 and response.content == (site / path).read_bytes(), path
            again = client.get(f"{url}/{path}", headers={"If-None-Match": response.headers["etag"]})
            assert again.status_code == 304 and not again.content and again.headers["etag"] == response.headers["etag"]
            head = client.head(f"{url}/{path}")
            assert head.headers["content-length"] == str(len(response.content)) and not head.content
    assert get(url, "disease/").content == (site / "disease/index.html").read_bytes()


def test_headers_that_keep_a_browser_safe(url: str) -> None:
    page = get(url, f"{FHSH}.html")
    meta = re.search(r'http-equiv="?Content-Security-Policy"? content="([^"]*)"', page.text)
    assert meta and page.headers["content-security-policy"].startswith(meta[1])
    for response in (page, ask(url, "ASK {}"), ask(url, "no"), get(url, "nowhere"), get(url, "health")):
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["access-control-allow-origin"] == "*"
        assert "server" not in response.headers
    shown = ask(url, "<script>alert(1)</script>", "text/html, */*")
    assert shown.status_code == 400 and shown.headers["content-type"].startswith("text/plain")


def test_the_page_that_asks_finds_the_endpoint_and_may_run_its_engine(tmp_path: Path) -> None:
    folder = servers.shelf(tmp_path / "ask", "")
    told = json.loads((folder / documents.SHELF).read_text())
    for path in ("ask.html", "ask/worker.js", "other.html"):
        place = folder / documents.SITE / path
        place.parent.mkdir(exist_ok=True)
        place.write_text("x")
        told["files"][path] = [1, path]
    (folder / documents.SHELF).write_text(json.dumps(told))
    with servers.served(folder) as url:
        page = httpx.head(f"{url}/ask.html")
        assert page.headers["link"] == '<sparql>; rel="http://www.w3.org/ns/sparql-service-description#endpoint"'
        for path in ("ask.html", "ask/worker.js"):  # a worker has the policy of its own response
            assert get(url, path).headers["content-security-policy"] == f"{frontends.POLICY}; frame-ancestors 'none'"
        assert "wasm" not in get(url, "other.html").headers["content-security-policy"]


def test_a_host_header_is_not_repeated(url: str) -> None:
    for host in ("evil.example/x", 'a"b', "a b", "<x>"):
        response = get(url, "sparql", "application/n-triples", Host=host)
        assert response.status_code in (200, 400) and host not in response.text


def test_preflight_and_methods(url: str) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    response = httpx.options(f"{url}/sparql", headers=asked)
    assert response.status_code == 204 and "POST" in response.headers["access-control-allow-methods"]
    assert "Content-Type" in response.headers["access-control-allow-headers"]
    for method in ("PUT", "DELETE", "PATCH"):
        for path in ("sparql", "graph-store?default", FHSH):
            refused = httpx.request(method, f"{url}/{path}")
            assert refused.status_code == 405 and "GET" in refused.headers["allow"]
    assert httpx.post(f"{url}/graph-store?default").status_code == 405


def test_withdrawn_claims_are_gone(tmp_path: Path, store: Store) -> None:
    graph = NamedNode(sources.CLAIMS)
    claim, heir, old = (NamedNode(f"{sources.BASE}claim/{n}") for n in ("withdrawn", "better", "old"))
    own = Store()
    own.extend(
        [
            Quad(claim, prefixes.node("hm:status"), prefixes.node("hm:retracted"), graph),
            Quad(claim, prefixes.node("dcterms:isReplacedBy"), heir, graph),
            Quad(old, prefixes.node("owl:deprecated"), Literal(True), graph),
            Quad(heir, prefixes.node("hm:status"), prefixes.node("hm:accepted"), graph),
        ]
    )
    _, gone = documents.places(own)
    assert gone == {"claim/withdrawn": heir.value, "claim/old": ""}
    retracted = {q.subject.value for q in store.quads_for_pattern(None, prefixes.node("hm:status"), prefixes.node("hm:retracted"), None)}
    assert set(documents.places(store)[1]) == {iri.removeprefix(sources.BASE) for iri in retracted}
    folder = servers.shelf(tmp_path / "gone", exports.export(own, "nq").decode())
    told = json.loads((folder / documents.SHELF).read_text())
    (folder / documents.SHELF).write_text(json.dumps(told | {"gone": gone}))
    with servers.served(folder) as url:
        for path in ("claim/withdrawn", "claim/withdrawn.html"):
            response = get(url, path)
            assert response.status_code == 410 and heir.value in response.text and heir.value in response.headers["link"]
        assert get(url, "claim/old").status_code == 410 and "link" not in get(url, "claim/old").headers


# ── SPARQL ──

SELECT = "SELECT ?label WHERE { HGNC:17995 rdfs:label ?label }"
CONSTRUCT = "CONSTRUCT { ?s rdfs:label ?o } WHERE { ?s rdfs:label ?o FILTER(?s = HGNC:17995) }"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", JSON), ("application/sparql-results+xml", "application/sparql-results+xml"), ("text/csv", "text/csv; charset=utf-8"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8"), ("application/json", "application/json"),
        ("text/csv;q=0.1, application/sparql-results+json;q=0.9", JSON), ("text/*", "text/csv; charset=utf-8"), ("*/*;q=0.5, application/sparql-results+json;q=0", "application/sparql-results+xml"),
    ],
)  # fmt: skip
def test_rows_in_every_format(url: str, accept: str, media: str) -> None:
    response = ask(url, SELECT, accept)
    assert response.status_code == 200 and response.headers["content-type"] == media and "TRPM6" in response.text
    assert "Accept" in response.headers["vary"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", RdfFormat.TURTLE), ("text/turtle;q=0.2,application/n-triples;q=0.3", RdfFormat.N_TRIPLES), ("application/rdf+xml", RdfFormat.RDF_XML), ("application/ld+json", RdfFormat.JSON_LD)],
)  # fmt: skip
def test_graphs_in_every_format(url: str, accept: str, kind: RdfFormat) -> None:
    response = ask(url, CONSTRUCT, accept)
    assert response.headers["content-type"].startswith(kind.media_type)
    ((triple),) = parse(response.content, format=kind)
    assert triple.object.value == "TRPM6"


def test_a_format_that_does_not_fit_the_query(url: str) -> None:
    for query, accept in ((SELECT, "text/turtle"), (CONSTRUCT, "text/csv"), (SELECT, "image/png"), ("ASK {}", "application/rdf+xml")):
        response = ask(url, query, accept)
        assert response.status_code == 406 and "on offer" in response.text


def test_the_dataset_of_the_protocol_goes_before_from(url: str) -> None:
    count = "SELECT (COUNT(*) AS ?n) {} WHERE {{ {} }}"

    def number(query: str, **graphs: str) -> int:
        return int(ask(url, query, **graphs).json()["results"]["bindings"][0]["n"]["value"])

    claims, terms = sources.CLAIMS, sources.TERMS
    alone = {"default-graph-uri": claims}
    everything, inside = number(count.format("", "?s ?p ?o")), number(count.format("", "?s ?p ?o"), **alone)
    assert 0 < inside < everything
    assert number(count.format(f"FROM <{terms}>", "?s ?p ?o"), **alone) == inside
    assert number(count.format("", "GRAPH ?g { ?s ?p ?o }"), **alone) == 0
    assert number(count.format("", "?s ?p ?o"), **{"named-graph-uri": claims}) == 0
    assert number(count.format("", "GRAPH ?g { ?s ?p ?o }"), **{"named-graph-uri": claims}) == inside
    assert number(count.format("", "?s ?p ?o"), **{"default-graph-uri": "http://nowhere.example/"}) == 0
    assert ask(url, "ASK {}", **{"default-graph-uri": "no iri"}).status_code == 400


@pytest.mark.parametrize(
    ("send", "status"),
    [
        ({"params": [("query", "ASK {}"), ("query", "ASK {}")]}, 400),
        ({"params": {"query": ""}}, 400),
        ({"params": {"default-graph-uri": "a:b"}}, 400),
        ({"params": {"update": "CLEAR ALL"}}, 400),
        ({"params": {"query": "ASK {}", "nobody": "knows"}}, 200),
        ({"params": {"query": "INSERT DATA { <a:b> <a:c> 1 }"}}, 400),
        ({"method": "POST", "data": {"query": "ASK {}"}}, 200),
        ({"method": "POST", "data": {"query": "ASK {}"}, "params": {"query": "ASK {}"}}, 400),
        ({"method": "POST", "data": {"query": "ASK {}", "update": "CLEAR ALL"}}, 400),
        ({"method": "POST", "data": {"update": "CLEAR ALL"}}, 403),
        ({"method": "POST", "data": {"other": "x"}}, 400),
        ({"method": "POST", "content": b"ASK {}", "headers": {"Content-Type": "application/sparql-query"}}, 200),
        ({"method": "QUERY", "content": b"ASK {}", "headers": {"Content-Type": "application/sparql-query"}}, 200),
        ({"method": "POST", "content": b"ASK { <\xff> ?p ?o }", "headers": {"Content-Type": "application/sparql-query"}}, 400),
        ({"method": "POST", "content": b"query=ASK+%7B%7D%FF", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"method": "POST", "content": b"ASK {}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"method": "POST", "content": b"ASK {}"}, 415),
        ({"method": "POST", "content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 415),
        ({"method": "POST", "content": b"CLEAR ALL", "headers": {"Content-Type": "application/sparql-update"}}, 403),
    ],
)  # fmt: skip
def test_requests_in_and_against_the_protocol(url: str, send: dict, status: int) -> None:  # type: ignore[type-arg]
    response = httpx.request(send.pop("method", "GET"), f"{url}/sparql", **send)
    assert response.status_code == status, response.text
    if status == 200:
        assert response.json()["boolean"] is True


def test_a_mistake_is_told_with_line_and_column(url: str) -> None:
    response = ask(url, "SELECT ?x\nWHERE { ?x ?y }")
    assert response.status_code == 400 and "query:2:16:" in response.text
    assert "the prefix nowhere:" in ask(url, "SELECT ?x { ?x nowhere:a 1 }").text
    assert ask(url, "ASK { <claim/fhsh-seizure> ?p ?o }").json()["boolean"]  # relative to our own addresses


def test_the_catalogue_gives_the_same_rows(url: str, store: Store, home: sources.Sources) -> None:
    for question in list(queries.catalogue(home).values())[::6]:
        response = httpx.post(f"{url}/sparql", data={"query": question.text}, headers={"Accept": "text/csv"}, timeout=60)
        expected = queries.run(store, question.text).serialize(format=QueryResultsFormat.CSV)
        assert sorted(response.content.splitlines()) == sorted(expected.splitlines()), question.name


def test_again_without_asking_again(url: str) -> None:
    assert get(url, f"{FHSH}.ttl", If_None_Match="*").status_code == 304
    first = ask(url, SELECT)
    assert ask(url, SELECT).content == first.content and ask(url, SELECT).headers["etag"] == first.headers["etag"]
    tag = {"If-None-Match": first.headers["etag"]}
    again = httpx.get(f"{url}/sparql", params={"query": SELECT}, headers={"Accept": JSON} | tag)
    assert again.status_code == 304 and not again.content
    other = httpx.get(f"{url}/sparql", params={"query": SELECT}, headers={"Accept": "text/csv"} | tag)
    assert other.status_code == 200 and other.headers["etag"] != first.headers["etag"]
    head = httpx.head(f"{url}/sparql", params={"query": SELECT}, headers={"Accept": JSON})
    assert head.status_code == 200 and head.headers["content-length"] == str(len(first.content)) and not head.content
    for text in ("SELECT (UUID() AS ?x) {}", "SELECT (RAND () AS ?x) {}"):
        found = [ask(url, text) for _ in range(2)]
        assert found[0].text != found[1].text and "etag" not in found[0].headers and found[0].headers["cache-control"] == "no-store"


def test_service_description_by_negotiation(url: str) -> None:
    for accept, kind in (("text/turtle;q=0.9", RdfFormat.TURTLE), ("application/rdf+xml", RdfFormat.RDF_XML), ("application/ld+json", RdfFormat.JSON_LD), ("application/n-triples", RdfFormat.N_TRIPLES)):  # fmt: skip
        response = get(url, "sparql", accept)
        assert response.headers["content-type"] == kind.media_type
        assert len(list(parse(response.content, format=kind))) > 30
    assert get(url, "sparql", "text/html,*/*;q=0.8").headers["content-type"].startswith("text/html")
    assert get(url, "sparql", "image/png").status_code == 406


def test_graph_store(url: str, store: Store) -> None:
    terms = {q.triple for q in store.quads_for_pattern(None, None, None, NamedNode(sources.TERMS))}
    for media, kind in (("text/turtle", RdfFormat.TURTLE), ("application/n-triples", RdfFormat.N_TRIPLES)):
        response = httpx.get(f"{url}/graph-store", params={"graph": sources.TERMS}, headers={"Accept": media})
        assert {q.triple for q in parse(response.content, format=kind)} == terms
    default = httpx.get(f"{url}/graph-store?default", headers={"Accept": "application/n-triples"}, timeout=60)
    assert len(set(default.text.splitlines())) == len(exports.union(store))
    head = httpx.head(f"{url}/graph-store?default", headers={"Accept": "application/n-triples"}, timeout=60)
    assert head.status_code == 200 and head.headers["content-length"] == str(len(default.content))
    assert httpx.get(f"{url}/graph-store?graph=http://nowhere.example/").status_code == 404
    assert httpx.head(f"{url}/graph-store?graph=http://nowhere.example/").status_code == 404
    for bad in ("", "?graph=no iri", "?default&graph=a:b", "?graph=a:b&graph=a:c"):
        assert httpx.get(f"{url}/graph-store{bad}").status_code == 400


def test_health(url: str) -> None:
    told = get(url, "health").json()
    assert told["status"] == "ok" and told["triples"] > 50_000 and told["workers"]["idle"] >= 1


# ── Clients ──


def test_sparqlwrapper(url: str) -> None:
    client = SPARQLWrapper.SPARQLWrapper(f"{url}/sparql")
    for method in (SPARQLWrapper.GET, SPARQLWrapper.POST):
        for way in (SPARQLWrapper.URLENCODED, SPARQLWrapper.POSTDIRECTLY)[: 1 + (method == SPARQLWrapper.POST)]:
            client.setMethod(method)
            client.setRequestMethod(way)
            client.setQuery(
                SELECT.replace("HGNC:17995", "<http://identifiers.org/hgnc/17995>").replace(
                    "rdfs:label", "<http://www.w3.org/2000/01/rdf-schema#label>"
                )
            )
            client.setReturnFormat(SPARQLWrapper.JSON)
            assert client.query().convert()["results"]["bindings"][0]["label"]["value"] == "TRPM6"
    client.setQuery("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o FILTER(?s = <http://identifiers.org/hgnc/17995>) }")
    client.setReturnFormat(SPARQLWrapper.TURTLE)
    assert b"TRPM6" in client.query().convert()


def test_rdflib_store(url: str) -> None:
    graph = Graph(SPARQLStore(f"{url}/sparql"))
    rows = graph.query("SELECT ?l WHERE { <http://identifiers.org/hgnc/17995> <http://www.w3.org/2000/01/rdf-schema#label> ?l }")
    assert [str(r[0]) for r in rows] == ["TRPM6"]  # type: ignore[index]
    assert len(Graph(SPARQLStore(f"{url}/sparql", method="POST")).query("ASK {}").askAnswer and [1]) == 1


def test_our_own_client(url: str) -> None:
    here, there = (hypomag("query", "which-genes", "--format", "csv", *more) for more in ((), ("--endpoint", f"{url}/sparql")))
    assert there.returncode == 0, there.stderr
    assert sorted(here.stdout.splitlines()) == sorted(there.stdout.splitlines())


# ── Limits ──


def test_a_query_is_stopped_in_time(strict: str) -> None:
    start = time.monotonic()
    response = ask(strict, ENDLESS.format("time"))
    assert response.status_code == 503 and int(response.headers["retry-after"]) >= 1 and "1.5 s" in response.text
    assert 1 < time.monotonic() - start < 6


def test_ten_endless_queries_never_stop_a_lookup(strict: str) -> None:
    def lookup(number: int) -> float:
        start = time.perf_counter()
        response = ask(strict, f"SELECT ?label WHERE {{ HGNC:17995 rdfs:label ?label }} # {number}")
        assert response.status_code == 200
        return time.perf_counter() - start

    quiet = [lookup(n) for n in range(60)]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        endless = [pool.submit(ask, strict, ENDLESS.format(n)) for n in range(10)]
        time.sleep(0.5)
        beside = [lookup(1000 + n) for n in range(40)]
        page = get(strict, f"{FHSH}.html")
        statuses = [f.result().status_code for f in endless]
    assert page.status_code == 200 and set(statuses) == {503}
    # Medians: the tail is for benchmarks/serve.py, on a machine that does nothing else.
    assert statistics.median(beside) < 20 * statistics.median(quiet) + 0.05, (quiet, beside)


def test_rows_and_triples_are_bounded(strict: str) -> None:
    for accept in (JSON, "application/sparql-results+xml", "text/csv", "text/tab-separated-values"):
        query = "SELECT ?s (CONCAT('},{', '<result>', '\\n') AS ?trap) { ?s a owl:Class } LIMIT %d"
        assert ask(strict, query % 50, accept).status_code == 200
        refused = ask(strict, query % 51, accept)
        assert refused.status_code == 422 and "LIMIT 50" in refused.text
    construct = "CONSTRUCT { ?s a owl:Class } WHERE { ?s a owl:Class } LIMIT %d"
    assert ask(strict, construct % 50, "text/turtle").status_code == 200 and ask(strict, construct % 51, "text/turtle").status_code == 422


def test_bodies_and_heads_are_bounded(strict: str) -> None:
    long = "ASK {} #" + "x" * 2000
    assert httpx.post(f"{strict}/sparql", data={"query": long}).status_code == 413

    def chunks() -> Iterator[bytes]:
        yield from (b"x" * 500 for _ in range(100))

    response = httpx.post(f"{strict}/sparql", content=chunks(), headers={"Content-Type": "application/sparql-query"})
    assert response.status_code == 413
    host, port = strict.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line, contextlib.suppress(ConnectionError):
        line.sendall(b"GET / HTTP/1.1\r\n")
        sent = 0
        while sent < 4 << 20:
            sent += line.send(b"x-a: " + b"y" * 8000 + b"\r\n")
        pytest.fail("a head of four megabytes was read")


def _line(url: str, size: int = 0) -> socket.socket:
    line = socket.socket()
    if size:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    line.settimeout(20)
    line.connect(("127.0.0.1", int(str(httpx.URL(url).port))))
    return line


@pytest.mark.parametrize("begin", [b"Content-Length: 1000000000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n0\r\n"])
def test_what_comes_after_the_answer_is_bounded(strict: str, begin: bytes) -> None:
    """A body that nobody asked for, and the fields that may follow a body: the parser would gather them in memory for ever."""
    with _line(strict) as line:
        line.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n" + begin)
        assert b" 200 " in line.recv(1000)
        with contextlib.suppress(ConnectionError):
            for _ in range(8 << 10):
                line.sendall(b"x-a: " + b"y" * 8000 + b"\r\n")
            pytest.fail("64 megabytes were taken")


def test_who_reads_nothing_is_let_go(shelf: Path) -> None:
    file = "download/hypomag.nq"
    size = (shelf / "site" / file).stat().st_size
    with servers.served(shelf, unread=8, outgoing=size) as url, contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(_line(url, 4096)) for _ in range(3)]
        for line in stalled:
            line.sendall(f"GET /{file} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            line.recv(100)
        # The same file is held once; another has to wait, and what is small goes on.
        refused = get(url, "download/hypomag.nt")
        assert refused.status_code == 503 and int(refused.headers["retry-after"]) >= 1
        assert len(get(url, file).content) == size
        assert get(url, "index.html").status_code == 200
        for _ in range(60):
            time.sleep(0.5)
            if get(url, "download/hypomag.nt").status_code == 200:
                break
        else:
            pytest.fail("who reads nothing still holds the place")
        for line in stalled:
            got = 0
            with contextlib.suppress(ConnectionError):
                while more := line.recv(1 << 20):
                    got += len(more)
            assert got < size


def test_who_leaves_before_the_answer_is_no_error(shelf: Path) -> None:
    with servers.served(shelf) as url:
        for number in range(8):
            with _line(url) as line:
                target = quote(f"SELECT * {{ ?s ?p ?o }} LIMIT {20_000 + number}")
                # With a second request the server reads no further: that the client has gone it sees when it writes.
                line.sendall(f"GET /sparql?query={target} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 2)
                time.sleep(0.05)
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset instead of a farewell
        assert ask(url, "ASK {}").status_code == 200
        assert "Traceback" not in (shelf / f"run-{httpx.URL(url).port}" / "server.log").read_text()


def test_a_large_answer_is_gathered_once() -> None:
    """What has come of an answer is not copied again for each part that comes."""

    class Gathered:
        replies: ClassVar[list[lanes.Reply]] = []

        def replied(self, worker: lanes.Worker, reply: lanes.Reply) -> None:
            self.replies.append(reply)

    worker = lanes.Worker(0, Gathered())  # type: ignore[arg-type]
    body = bytes(60 << 20)
    sent = workers.REPLY.pack(workers.ROWS, len(body)) + body + workers.REPLY.pack(workers.GRAPH, 2) + b"no"
    start = time.process_time()
    for place in range(0, len(sent), 16 << 10):
        worker.data_received(sent[place : place + (16 << 10)])
    assert time.process_time() - start < 4, "a copy of all for each part takes a minute"
    assert Gathered.replies == [(workers.ROWS, body), (workers.GRAPH, b"no")]


def _answers(line: socket.socket, many: int) -> list[tuple[str, str]]:
    """Heads and bodies of so many answers, in the order in which they come."""
    found, data = [], b""
    while len(found) < many:
        more = line.recv(1 << 16)
        assert more, data
        data += more
        while b"\r\n\r\n" in data:
            head, _, rest = data.partition(b"\r\n\r\n")
            told = re.search(rb"content-length: (\d+)", head)
            size = int(told[1]) if told else 0
            if len(rest) < size:
                break
            found.append((head.decode(), rest[:size].decode()))
            data = rest[size:]
    return found


def _request(query: str, *more: str) -> bytes:
    return "\r\n".join((f"GET /sparql?query={quote(query)} HTTP/1.1", "Host: x", *more, "", "")).encode()


def test_the_same_request_again_is_answered_in_its_turn(url: str) -> None:
    """What is kept is found by the bytes of the request; yet nothing overtakes, and the connection is used as asked."""
    known = "SELECT ?l { HGNC:17995 rdfs:label ?l }"
    with _line(url) as line:
        same = []
        for _ in range(3):
            line.sendall(_request(known))
            same += _answers(line, 1)
            time.sleep(0.01)
        assert len({body for _, body in same}) == 1 and "TRPM6" in same[0][1]
        assert all("\ndate: " in head for head, _ in same)
        fixed = [sorted(part for part in head.split("\r\n") if not part.startswith("date")) for head, _ in same]
        assert fixed[0] == fixed[1] == fixed[2]
        # A long query first: the kept answer waits for it, sent apart or in one piece.
        for apart in (True, False):
            slow = f"SELECT (COUNT(*) AS ?n) {{ {{ SELECT * {{ ?s ?p ?o . ?a ?b ?c }} LIMIT {3_000_000 + apart} }} }}"
            if apart:
                line.sendall(_request(slow))
                time.sleep(0.05)
                line.sendall(_request(known))
            else:
                line.sendall(_request(slow) + _request(known))
            first, second = _answers(line, 2)
            assert str(3_000_000 + apart) in first[1] and "TRPM6" in second[1]
        # A body after it is no new request.
        for _ in range(2):
            line.sendall(_request(known, "Content-Length: 25"))
            time.sleep(0.05)
            line.sendall(b"GET /nothing HTTP/1.1\r\n\r\n")
            assert "TRPM6" in _answers(line, 1)[0][1]
        line.sendall(_request(known, 'If-None-Match: "x"'))
        assert _answers(line, 1)[0][0].startswith("HTTP/1.1 200")
    for more in ("Connection: close", "connection: Close"):
        for _ in range(2):
            with _line(url) as line:
                line.settimeout(5)  # a connection that goes on is ended after fifteen
                line.sendall(_request(known, more))
                got = b""
                while part := line.recv(1 << 16):  # to the end
                    got += part
                assert b"TRPM6" in got


def test_the_same_request_again_needs_no_worker(shelf: Path) -> None:
    with servers.served(shelf, seconds=5) as url, _line(url) as line:
        line.sendall(_request(SELECT))
        (first,) = _answers(line, 1)
        (server,) = [
            p for p in _children(os.getpid()) if str(httpx.URL(url).port) in Path(f"/proc/{p}/cmdline").read_text().replace("\0", " ")
        ]
        for nursery in _children(server):
            os.kill(nursery, signal.SIGSTOP)
            for worker in _children(nursery):
                os.kill(worker, signal.SIGSTOP)
        try:
            line.sendall(_request(SELECT))
            assert _answers(line, 1)[0][1] == first[1]
        finally:
            for nursery in _children(server):
                for process in (nursery, *_children(nursery)):
                    os.kill(process, signal.SIGCONT)


def test_what_is_kept_is_counted_with_what_was_asked() -> None:
    kept = answers.Kept(1 << 20)
    for number in range(1000):
        kept.put(b"%d" % number * 8000, answers.Answer(200, [], b"{}", kept=True))
    assert sum(1 for number in range(1000) if kept.get(b"%d" % number * 8000)) < 150
    assert kept.size <= 1 << 20


def test_memory_is_bounded_and_the_server_lives(shelf: Path) -> None:
    query = "SELECT (SUM(?n) AS ?all) { { SELECT (COUNT(*) AS ?n) ?a ?b { ?a ?p ?x . ?b ?q ?y } GROUP BY ?a ?b } }"
    with servers.served(shelf, seconds=20, memory=80) as url:
        response = ask(url, query)
        assert response.status_code == 500 and "memory" in response.text
        assert ask(url, "ASK {}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "ASK { SERVICE <http://127.0.0.1:{}/> { ?s ?p ?o } }", "ASK { #\rSERVICE <http://127.0.0.1:{}/> { ?s ?p ?o } }",
        "ASK { ?s ?p ?o.SERVICE SILENT <http://127.0.0.1:{}/>{ ?s ?p ?o } }", "PREFIX e: <a:> ASK { OPTIONAL { e:a\\#b ?p ?o } SERVICE SILENT <http://127.0.0.1:{}/> { ?s ?p ?o } }",
        "PREFIX e: <a:> ASK { OPTIONAL { e:a\\'b ?p ?o } SERVICE SILENT <http://127.0.0.1:{}/> { ?s ?p ?o } OPTIONAL { e:a\\'b ?p ?o } }",
        "SELECT * FROM <http://127.0.0.1:{}/> { ?s ?p ?o }",
    ],
)  # fmt: skip
def test_a_query_never_reaches_out(url: str, query: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.3)
        response = ask(url, query.replace("{}", str(trap.getsockname()[1])))
        assert response.status_code == 200 if "FROM" in query else response.status_code == 400, response.text
        with pytest.raises(TimeoutError):
            trap.accept()


def test_a_worker_can_open_nothing(shelf: Path) -> None:
    """Behind the check stands the system: what the check overlooked would still not get out."""
    code = (
        "import resource, select, socket; from hypomag import workers; from pyoxigraph import Store; store = Store(); trap = socket.create_server(('127.0.0.1', 0))\n"
        "text = 'SELECT * { SERVICE <http://127.0.0.1:%d/> { ?s ?p ?o } }' % trap.getsockname()[1]\n"
        "trap.settimeout(0.2)\nworkers._confine(0)\n"
        "try: print(list(store.query(text)))\n"
        "except OSError as error: print('refused', error)\n"
        "try: open('/etc/passwd')\n"
        "except OSError as error: print('refused', error)\n"
        "print('somebody came' if select.select([trap], [], [], 0.2)[0] else 'nobody came')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.count("refused") == 2 and "nobody came" in done.stdout, done.stdout + done.stderr


# ── Faults ──


def _children(pid: int) -> list[int]:
    return [int(p) for task in Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the processes in /proc")
def test_killed_processes_come_back(shelf: Path, tmp_path: Path) -> None:
    with servers.served(shelf, seconds=10) as url:
        (server,) = [
            p for p in _children(os.getpid()) if str(httpx.URL(url).port) in Path(f"/proc/{p}/cmdline").read_text().replace("\0", " ")
        ]
        (nursery,) = _children(server)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(ask, url, ENDLESS.format("killed"))
            time.sleep(1)
            half = (len(os.sched_getaffinity(0)) + 1) // 2
            found = sorted((os.sched_getscheduler(p) == os.SCHED_IDLE, len(os.sched_getaffinity(p)) == half) for p in _children(nursery))
            assert found[-1] == (True, True) and not found[0][0], "the long query gives way, quick ones do not"
            for worker in _children(nursery):
                os.kill(worker, signal.SIGKILL)
            assert running.result().status_code == 500
        assert ask(url, "ASK {} # after the workers").status_code == 200
        workers_ = _children(nursery)
        nursery = _another(server, [nursery])
        assert ask(url, SELECT + " # after the nursery").json()["results"]["bindings"]
        nursery = _another(server, [nursery, *workers_, *_children(nursery)])
        assert ask(url, SELECT + " # after all of them").json()["results"]["bindings"]
        workers_ = _children(nursery)
        os.kill(server, signal.SIGKILL)
        for _ in range(100):
            time.sleep(0.1)
            if not any(_alive(p) for p in (nursery, *workers_)):
                break
        assert not any(_alive(p) for p in (nursery, *workers_)), "the server has gone, its workers have not"


def _another(server: int, killed: list[int]) -> int:
    """Kill a nursery, the first of these, and perhaps workers; returns the nursery that takes its place."""
    for pid in killed:
        with contextlib.suppress(ProcessLookupError):  # a worker may have ended by itself
            os.kill(pid, signal.SIGKILL)
    for _ in range(100):
        time.sleep(0.1)
        if found := [n for n in _children(server) if n != killed[0]]:
            return found[0]
    raise AssertionError("no nursery has come")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_client_that_leaves_ends_its_query(shelf: Path) -> None:
    with servers.served(shelf, seconds=60) as url:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/sparql", params={"query": ENDLESS.format("left")}, timeout=1)
        for _ in range(50):
            state = get(url, "health").json()["workers"]
            if not state["long"] and not state["running"]:
                break
            time.sleep(0.1)
        assert not state["long"] and not state["running"] and state["killed"] >= 1


def test_the_command(shelf: Path, tmp_path: Path, home: sources.Sources) -> None:
    """It finds the site in the cache, clears away one of another release, says where it listens, and ends when told to."""
    cache = tmp_path / "hypomag"
    cache.mkdir()
    (cache / f"site-{sites.inputs(home, '', frontends.find())[:16]}").symlink_to(shelf)
    (cache / "site-0123456789abcdef.lock").touch()
    (cache / "site-0123456789abcdef").mkdir()
    command = [sys.executable, "-m", "hypomag", "serve", "--port", "0", "--graph-dir", str(ROOT)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)})
    try:
        assert process.stderr
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        assert ask(found[0], SELECT).status_code == 200 and get(found[0], "").status_code == 200
        assert not (cache / "site-0123456789abcdef").exists()
        taken = hypomag("serve", "--port", found[0].rpartition(":")[2], "--graph-dir", str(ROOT), XDG_CACHE_HOME=str(tmp_path))
        assert taken.returncode == 2 and "cannot listen" in taken.stderr and "Traceback" not in taken.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 0 and not rest, rest


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--port", "70000"), "70000"),
        (("--timeout", "0"), "--timeout"),
        (("--base-url", "nowhere"), "no web address"),
        (("--graph-dir", "/nowhere"), "no such folder"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = hypomag("serve", *arguments, XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


# ── Laws ──

MEDIA = st.sampled_from(["text/html", "text/turtle", "text/*", "*/*", "application/ld+json", "image/png", "application/*", "text/csv"])


@given(st.lists(st.tuples(MEDIA, st.floats(0, 1)), max_size=6))
def test_negotiation_never_chooses_what_is_refused(ranges: list[tuple[str, float]]) -> None:
    accept = ", ".join(f"{media};q={quality:.3f}" for media, quality in ranges)
    found = negotiation.best(accept or None, negotiation.DOCUMENTS)
    exact: dict[str, float] = {}
    for media, quality in ranges:
        exact[media] = max(exact.get(media, 0), float(f"{quality:.3f}"))
    if found and found[0] in exact:
        assert exact[found[0]] > 0
    if not accept:
        assert found == negotiation.DOCUMENTS[0]
    if found is None:
        assert exact.get("*/*", 0) == 0 or all(
            exact.get(m, exact.get(f"{m.partition('/')[0]}/*", 1)) == 0 for m, _ in negotiation.DOCUMENTS
        )


@given(st.text())
def test_any_text_as_accept_header_or_parameters(text: str) -> None:
    negotiation.best(text, negotiation.ROWS)
    negotiation.tags(text)
    with contextlib.suppress(requests.Refused):
        requests.asked("GET", requests.fields(text.encode()), text, b"")


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b"]), st.text(alphabet='{}",<result>\n\t\\\r ')), max_size=20))
def test_rows_are_counted_right(rows: list[dict[str, str]]) -> None:
    document = {
        "head": {"vars": ["a", "b"]},
        "results": {"bindings": [{k: {"type": "literal", "value": v} for k, v in row.items()} for row in rows]},
    }
    for form in ("json", "xml", "tsv"):
        found = parse_query_results(json.dumps(document), QueryResultsFormat.JSON)
        written = found.serialize(format=workers._ROWS[form])  # type: ignore[union-attr]
        assert workers._rows(written or b"", form) == len(rows), (form, written)
