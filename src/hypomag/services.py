"""What the endpoint says of itself: SPARQL 1.1 Service Description, and OpenAPI for tools that test it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from hypomag import exports, prefixes
from hypomag.formatting import RDF_TYPE, XSD, turtle

SD = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS = "http://www.w3.org/ns/formats/"
_VOID = "http://rdfs.org/ns/void#"
# https://www.w3.org/ns/formats/
FORMATS = (
    "SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV", "Turtle", "N-Triples", "RDF_XML", "JSON-LD",
)  # fmt: skip
_SERIALIZED = {"nt": RdfFormat.N_TRIPLES, "rdfxml": RdfFormat.RDF_XML, "jsonld": RdfFormat.JSON_LD}


def described(endpoint: str, graphs: Mapping[str, int], union: int) -> list[Triple]:
    """Describe an endpoint: its language, formats, what its default graph is, each named graph with the number of its triples.

    No node of it is blank: parts are fragments of the address of the endpoint.
    """
    triples: list[Triple] = []

    def say(subject: str, predicate: str, value: str | int) -> None:
        thing = NamedNode(value) if isinstance(value, str) else Literal(str(value), datatype=NamedNode(f"{XSD}integer"))
        triples.append(Triple(NamedNode(subject), NamedNode(predicate), thing))

    service, dataset, default = f"{endpoint}#service", f"{endpoint}#dataset", f"{endpoint}#default"
    say(service, RDF_TYPE, f"{SD}Service")
    say(service, f"{SD}endpoint", endpoint)
    say(service, f"{SD}supportedLanguage", f"{SD}SPARQL11Query")
    say(service, f"{SD}feature", f"{SD}UnionDefaultGraph")
    for name in FORMATS:
        say(service, f"{SD}resultFormat", f"{_FORMATS}{name}")
    say(service, f"{SD}defaultDataset", dataset)
    say(dataset, RDF_TYPE, f"{SD}Dataset")
    say(dataset, f"{SD}defaultGraph", default)
    say(dataset, "http://purl.org/dc/terms/license", exports.LICENCE_CC_BY)
    say(default, RDF_TYPE, f"{SD}Graph")
    say(default, f"{_VOID}triples", union)
    for number, (iri, count) in enumerate(sorted(graphs.items()), 1):
        named, inner = f"{endpoint}#named-{number}", f"{endpoint}#graph-{number}"
        say(dataset, f"{SD}namedGraph", named)
        say(named, RDF_TYPE, f"{SD}NamedGraph")
        say(named, f"{SD}name", iri)
        say(named, f"{SD}graph", inner)
        say(inner, RDF_TYPE, f"{SD}Graph")
        say(inner, f"{_VOID}triples", count)
    return triples


def written(triples: list[Triple], form: str) -> bytes:
    """Write a description as turtle, nt, rdfxml or jsonld."""
    if form == "turtle":
        return turtle(triples, prefixes.read() | {"sd": SD}).encode()
    return serialize(sorted(triples, key=str), format=_SERIALIZED[form]) or b""


def openapi(version: str, rows: tuple[str, ...], graphs: tuple[str, ...]) -> dict[str, object]:
    """Describe the endpoint in OpenAPI 3.1: parameters, bodies, and every status with its media types."""
    text = {"text/plain": {"schema": {"type": "string"}}}
    answers: dict[str, object] = {media: {"schema": {}} for media in (*rows, *graphs)}
    graph_answers: dict[str, object] = {media: {"schema": {}} for media in graphs}

    def told(words: str) -> dict[str, object]:
        return {"description": words, "content": text}

    def parameter(name: str, *, required: bool = False, several: bool = False, sample: str = "") -> dict[str, object]:
        one: dict[str, object] = {"type": "string", **({"example": sample} if sample else {})}
        schema: dict[str, object] = {"type": "array", "items": one} if several else one
        return {"name": name, "in": "query", "required": required, "schema": schema}

    common: dict[str, Any] = {
        "400": told("No request of the protocol, or no SPARQL: with line and column"),
        "406": told("No format on offer is accepted"),
        "422": told("The answer is larger than the limit"),
        "500": told("The query broke its process, most likely for want of memory"),
        "503": told("The query took too long, or too many wait: see Retry-After"),
    }
    same: dict[str, Any] = {"304": {"description": "As the client has it"}}
    body = {"413": told("The body is larger than the limit"), "415": told("The body is of no type that is read here")}
    named = [parameter("default-graph-uri", several=True), parameter("named-graph-uri", several=True)]
    found: dict[str, Any] = {"200": {"description": "The answer", "content": answers}}
    sample = "SELECT ?gene ?label WHERE { ?gene biolink:category biolink:Gene ; rdfs:label ?label } LIMIT 5"
    query = parameter("query", sample=sample)
    form = {
        "type": "object",
        "required": ["query"],
        "properties": {"query": {"type": "string", "example": sample}},
    }
    sent = {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {"schema": form},
            "application/sparql-query": {"schema": {"type": "string", "example": sample}},
        },
    }
    read = {
        "200": {"description": "The graph", "content": graph_answers},
        "404": told("No such graph"),
        **{k: common[k] for k in ("400", "406", "503")},
        **same,
    }
    which = [parameter("graph"), parameter("default")]
    described_too = {
        "200": {"description": "The answer; without a query the service description", "content": answers | {"text/html": {"schema": {}}}}
    }

    def preflight(name: str) -> dict[str, object]:
        return {"operationId": f"{name}-options", "responses": {"204": {"description": "Methods and headers"}}}

    health = {"200": {"description": "It answers", "content": {"application/json": {"schema": {"type": "object"}}}}}
    no_body = {status: {"description": kind["description"]} for status, kind in (found | same | common).items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "hypomag", "version": version, "description": "SPARQL 1.1 over a knowledge graph of primary hypomagnesemia. It informs; it is no medical advice."},
        "paths": {
            "/sparql": {
                "get": {"operationId": "query", "parameters": [query, *named], "responses": described_too | same | common},
                "head": {"operationId": "head", "parameters": [query, *named], "responses": no_body},
                "post": {
                    "operationId": "post", "parameters": named, "requestBody": sent,
                    "responses": found | common | body | same | {"403": told("An update: the graph is only read")},
                },
                "options": preflight("query"),
            },
            "/graph-store": {
                "get": {"operationId": "graph", "parameters": which, "responses": read},
                "head": {"operationId": "graph-head", "parameters": which, "responses": {k: {"description": v["description"]} for k, v in read.items()}},
                "options": preflight("graph"),
            },
            "/health": {
                "get": {"operationId": "health", "responses": health},
                "head": {"operationId": "health-head", "responses": {"200": {"description": "It answers"}}},
                "options": preflight("health"),
            },
        },
    }  # fmt: skip
