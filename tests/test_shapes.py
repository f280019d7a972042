"""Each named shape fires, alone and in both engines, on its broken graphs; the valid graphs fire none.

A broken graph has the name of its shape, and after a dot what is broken where a shape has several.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat, Store

from hypomag import exports, graph, sources, validation

SOURCES = sources.find(Path(__file__).parents[1])
FIXTURES = {path.stem: path for path in sorted((Path(__file__).parent / "shapes").glob("*.ttl"))}
VALID = [name for name in FIXTURES if name.partition(".")[0] == "valid"]
BROKEN = [name for name in FIXTURES if name not in VALID]
WORDS = {"Violation": "must", "Warning": "should", "Info": "may"}
SHAPES = "https://w3id.org/hypomag/shapes#"
PREFIXES = {"sh": validation.SH, "hm": sources.VOCAB, "rdfs": "http://www.w3.org/2000/01/rdf-schema#"}

# A shape that can be the source of a result: each property shape, and each node shape with a constraint of its own.
NAMED = """
SELECT DISTINCT ?shape ?severity ?message WHERE {
  { ?shape a sh:PropertyShape }
  UNION
  { ?shape a sh:NodeShape ; ?constraint ?value .
    FILTER(STRSTARTS(STR(?constraint), STR(sh:)))
    FILTER(?constraint NOT IN (sh:property, sh:message, sh:severity, sh:targetClass, sh:targetNode, sh:targetSubjectsOf)) }
  FILTER(isIRI(?shape))
  OPTIONAL { ?shape sh:severity ?severity }
  OPTIONAL { ?shape sh:message|(sh:sparql/sh:message) ?message }
}
"""
TARGETS = """
SELECT ?shape ?class ?node ?predicate WHERE {
  { ?shape sh:targetClass ?class } UNION { ?shape sh:targetNode ?node } UNION { ?shape sh:targetSubjectsOf ?predicate }
}
"""
KINDS = """
SELECT ?kind (COUNT(?claim) AS ?claims) WHERE { ?kind rdfs:subClassOf hm:Claim . OPTIONAL { ?claim a ?kind } } GROUP BY ?kind
"""


@cache
def shapes() -> bytes:
    return validation.shapes_text(SOURCES)


@cache
def named() -> list[tuple[str, str, str]]:
    """Name, severity and message of each shape, one row for each message."""
    store = Store()
    store.load(shapes(), format=RdfFormat.TURTLE)
    rows = store.query(NAMED, prefixes=PREFIXES)
    texts = [["" if term is None else term.value for term in row] for row in rows]
    return sorted((name.removeprefix(SHAPES), severity.removeprefix(validation.SH), message) for name, severity, message in texts)


@cache
def built(name: str) -> Store:
    """A fixture as a build has it: beside the vocabulary and the units, with what the rules derive."""
    store = Store()
    for path in (FIXTURES[name], SOURCES.root / "ontology" / "schema.ttl", SOURCES.root / "ontology" / "units.ttl"):
        store.extend(Quad(t.subject, t.predicate, t.object, NamedNode(sources.CLAIMS)) for t in graph.triples(path))
    graph.derive(store, SOURCES.rules())
    return store


def fired(name: str, engine: str) -> set[str]:
    found = validation.validate(exports.export(built(name), "nt"), shapes(), engine)
    return {finding.shape.removeprefix(SHAPES) for finding in found}


@pytest.mark.parametrize("engine", validation.ENGINES)
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_graph_fires_its_shape_and_no_other(name: str, engine: str) -> None:
    also = re.findall(r"^# also: (\S+)$", FIXTURES[name].read_text(encoding="utf-8"), re.M)
    assert fired(name, engine) == {name.partition(".")[0], *also}


@pytest.mark.parametrize("engine", validation.ENGINES)
@pytest.mark.parametrize("name", VALID)
def test_a_valid_graph_fires_nothing(name: str, engine: str) -> None:
    assert fired(name, engine) == set()


def test_the_valid_graph_has_each_kind_of_claim_once() -> None:
    rows = built("valid").query(KINDS, prefixes=PREFIXES, use_default_graph_as_union=True)
    counts = {row["kind"].value.removeprefix(sources.VOCAB): int(row["claims"].value) for row in rows}
    assert counts == dict.fromkeys(counts, 1)


def test_the_valid_graph_gives_every_shape_a_node_to_look_at() -> None:
    store = Store()
    store.load(shapes(), format=RdfFormat.TURTLE)
    valid, rdf_type = built("valid"), NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    looks: dict[str, bool] = {}
    for row in store.query(TARGETS, prefixes=PREFIXES):
        pattern = (row["node"], rdf_type if row["class"] else row["predicate"], row["class"])
        looks[row["shape"].value] = looks.get(row["shape"].value) or any(valid.quads_for_pattern(*pattern))
    assert looks == dict.fromkeys(looks, True)


def test_every_shape_has_a_broken_graph_and_every_broken_graph_a_shape() -> None:
    assert {name for name, _, _ in named()} == {name.partition(".")[0] for name in BROKEN}


@pytest.mark.parametrize(("name", "severity", "message"), named())
def test_a_message_has_the_word_of_its_severity_and_no_other(name: str, severity: str, message: str) -> None:
    assert set(re.findall(r"\b(?:must|should|may)\b", message)) == {WORDS[severity]}


def test_every_shape_has_one_message_and_no_two_the_same() -> None:
    names, _, messages = zip(*named(), strict=True)
    assert len(set(messages)) == len(messages) == len(set(names))
