"""W3C's tests of the SPARQL 1.1 Protocol and Service Description, run over HTTP as far as they apply where nothing is written.

`HYPOMAG_SNAPSHOTS=write` writes the report into docs/serving.md anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyoxigraph import NamedNode, QueryResultsFormat, RdfFormat, parse, parse_query_results
from rdflib import RDF, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection

from tests import servers
from tests.conftest import ROOT

SUITE = ROOT / "tests" / "protocol"
DOC = ROOT / "docs" / "serving.md"
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
HT = Namespace("http://www.w3.org/2011/http#")
CNT = Namespace("http://www.w3.org/2011/content#")
UT = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
ROWS = {"application/sparql-results+json": QueryResultsFormat.JSON, "application/sparql-results+xml": QueryResultsFormat.XML}
# An endpoint that takes updates is asked to do them; ours has to refuse, which is tested instead.
WRITES = "update_"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    statuses: frozenset[str]
    boolean: bool | None
    form: str


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    requests: tuple[Request, ...]


def _manifest() -> tuple[list[Case], dict[str, str]]:
    graph = Graph().parse(SUITE / "manifest.ttl", publicID=SUITE.as_uri() + "/")

    def one(node: Any, predicate: URIRef) -> Any:
        return graph.value(node, predicate)

    def items(node: Any, predicate: URIRef) -> list[Any]:
        head = one(node, predicate)
        return list(Collection(graph, head)) if head is not None else []

    def request(node: Any) -> Request:
        content, response = one(node, HT.body), one(node, HT.resp)
        boolean = one(response, MF.expectedBoolean)
        return Request(
            str(one(node, HT.methodName)),
            str(one(node, HT.absolutePath)),
            tuple((str(one(h, HT.fieldName)), str(one(h, HT.fieldValue))) for h in items(node, HT.headers)),
            None if content is None else str(one(content, CNT.chars)).encode(str(one(content, CNT.characterEncoding))),
            frozenset(str(s).rpartition("StatusCode")[2] for s in graph.objects(response, MF.expectedStatus)),
            None if boolean is None else bool(boolean.toPython()),
            str(one(response, MF.expectedFormat) or ""),
        )

    cases, data = [], {}
    for entry in items(next(graph.subjects(RDF.type, MF.Manifest)), MF.entries):
        for held in graph.objects(entry, UT.graphData):
            label = next(o for o in graph.objects(held) if isinstance(o, Literal))
            data[str(label)] = Path(str(one(held, UT.graph)).removeprefix("file://")).name
        action = one(entry, MF.action)
        name = str(entry).rpartition("#")[2]
        cases.append(Case(name, str(one(entry, MF.name)), tuple(map(request, items(action, HT.requests)))))
    return cases, data


CASES, DATA = _manifest()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over the graphs that the manifest names."""
    quads = "".join(
        f"{q.subject} {q.predicate} {q.object} {NamedNode(name)} .\n"
        for name, path in sorted(DATA.items())
        for q in parse(path=str(SUITE / path), format=RdfFormat.N_TRIPLES)
    )
    # DESCRIBE and CONSTRUCT of the manifest name a graph that its data lack.
    with servers.served(servers.shelf(tmp_path_factory.mktemp("w3c"), quads)) as url:
        yield url


def _send(endpoint: str, request: Request) -> httpx.Response:
    # The manifest says that /sparql/ stands for the path of the endpoint.
    url = endpoint + request.path.replace("/sparql/", "/sparql", 1)
    with httpx.Client() as client:
        message = client.build_request(request.method, url, headers=list(request.headers), content=request.body)
        return client.send(message)


def _passes(request: Request, response: httpx.Response) -> bool:
    if f"{response.status_code // 100}xx" not in request.statuses:
        return False
    media = response.headers["content-type"].partition(";")[0]
    if request.form == "boolean":
        found = parse_query_results(response.content, ROWS[media])
        return request.boolean is None or bool(found) is request.boolean
    if request.form == "tabular":
        return media in ROWS or media in ("text/csv", "text/tab-separated-values")
    if request.form == "RDF":
        kind = RdfFormat.from_media_type(media)
        return kind is not None and list(parse(response.content, format=kind)) is not None
    return True


def test_the_manifest_is_read_whole() -> None:
    assert len(CASES) == 34 and all(case.requests for case in CASES)


@pytest.mark.parametrize("case", [c for c in CASES if not c.name.startswith(WRITES)], ids=lambda c: c.name)
def test_w3c_protocol(case: Case, endpoint: str) -> None:
    for request in case.requests:
        response = _send(endpoint, request)
        assert _passes(request, response), (response.status_code, response.headers, response.text)


@pytest.mark.parametrize("case", [c for c in CASES if c.name.startswith(WRITES)], ids=lambda c: c.name)
def test_updates_are_refused_and_change_nothing(case: Case, endpoint: str) -> None:
    count = {"query": "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }"}
    before = httpx.get(f"{endpoint}/sparql", params=count).json()
    assert _send(endpoint, case.requests[0]).status_code == 403
    assert httpx.get(f"{endpoint}/sparql", params=count, headers={"Cache-Control": "no-cache"}).json() == before


SD = "http://www.w3.org/ns/sparql-service-description#"


def test_w3c_service_description(endpoint: str) -> None:
    """returns-rdf, has-endpoint-triple, conforms-to-schema: the classes and the ranges that the vocabulary gives."""
    url = f"{endpoint}/sparql"
    response = httpx.get(url)
    assert response.headers["content-type"] == "text/turtle"
    graph = Graph().parse(data=response.text, format="turtle", publicID=url)
    sd = Namespace(SD)
    service = graph.value(None, sd.endpoint, URIRef(url))
    assert (service, RDF.type, sd.Service) in graph
    ranges = {sd.defaultDataset: sd.Dataset, sd.defaultGraph: sd.Graph, sd.namedGraph: sd.NamedGraph, sd.graph: sd.Graph}
    for predicate, kind in ranges.items():
        found = list(graph.objects(None, predicate))
        assert found
        for thing in found:
            assert (thing, RDF.type, kind) in graph
    assert set(graph.objects(service, sd.supportedLanguage)) == {sd.SPARQL11Query}
    # It says what is true: the graphs are just those that a query sees, with as many triples.
    void = Namespace("http://rdfs.org/ns/void#")
    said = {
        str(graph.value(n, sd.name)): int(str(graph.value(graph.value(n, sd.graph), void.triples)))
        for n in graph.objects(None, sd.namedGraph)
    }
    query = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    rows = httpx.get(url, params={"query": query}).json()["results"]["bindings"]
    assert said == {r["g"]["value"]: int(r["n"]["value"]) for r in rows} and len(said) == len(DATA)


def test_the_report_in_the_documents_is_what_ran() -> None:
    """The report lists each test; every one that it says has passed is run above."""
    lines = [
        f"| `{c.name}` | {c.title} | {'refused with 403, nothing changed' if c.name.startswith(WRITES) else 'passed'} |" for c in CASES
    ]
    table = "\n".join(["| test | what | here |", "|---|---|---|", *lines])
    text = DOC.read_text(encoding="utf-8")
    begin, end = "<!-- protocol report -->\n", "\n<!-- end of report -->"
    new = re.sub(f"(?s)(?<={re.escape(begin)}).*?(?={re.escape(end)})", lambda _: table, text)
    if os.environ.get("HYPOMAG_SNAPSHOTS") == "write":
        DOC.write_text(new, encoding="utf-8")
    assert new == DOC.read_text(encoding="utf-8")
