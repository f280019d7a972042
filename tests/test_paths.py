"""Explanations: sign, place and evidence of each step; loops cut and named."""

from __future__ import annotations

import itertools
import json

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store

from hypomag import paths, prefixes
from hypomag.errors import InputError, UnknownName
from hypomag.sources import BASE, CLAIMS
from tests.conftest import hypomag


def node(curie: str) -> NamedNode:
    return NamedNode(prefixes.expand(curie) or curie)


def made(*edges: tuple[str, str, str] | tuple[str, str, str, str]) -> Store:
    """A mechanism of our own: (from, sign, to[, loop])."""
    store = Store()
    graph = NamedNode(CLAIMS)

    def say(s: NamedNode, p: str, o: NamedNode | Literal) -> None:
        store.add(Quad(s, node(p), o, graph))

    for number, (origin, sign, target, *loop) in enumerate(edges):
        step = node(f"step:{number}")
        say(step, "rdf:type", node("hm:MechanismStep"))
        say(step, "rdfs:label", Literal(f"{origin} {sign} {target}", language="en"))
        for name, predicate in ((origin, "hm:subject"), (target, "hm:object")):
            variable = node(f"variable:{name}")
            say(variable, "rdf:type", node("hm:Variable"))
            say(variable, "rdfs:label", Literal(name, language="en"))
            say(step, predicate, variable)
        say(step, "hm:predicate", node("hm:increases" if sign == "+" else "hm:decreases"))
        say(step, "hm:polarity", node("hm:present"))
        say(step, "hm:status", node("hm:accepted"))
        for name in loop:
            say(step, "hm:loop", Literal(name))
    return store


def test_signs_multiply_along_the_path() -> None:
    store = made(("a", "+", "b"), ("b", "-", "c"), ("c", "-", "d"))
    (path,) = paths.explain(store, "a", "d").paths
    assert path.states() == [-1, -1, 1, -1]


def test_only_the_state_of_the_finding_is_reached() -> None:
    store = made(("a", "+", "b"))
    finding = node("HP:0002917")
    store.add(Quad(finding, node("rdfs:label"), Literal("low b", language="en"), NamedNode(CLAIMS)))
    store.add(Quad(node("variable:b"), node("hm:lowFinding"), finding, NamedNode(CLAIMS)))
    assert len(paths.explain(store, "a", "low b").paths) == 1
    assert paths.explain(store, "a", "low b", "high").paths == ()


def test_loops_are_cut_and_named() -> None:
    store = made(("a", "+", "b"), ("b", "-", "a", "feedback of b on a"), ("b", "+", "c"))
    found = paths.explain(store, "a", "c")
    assert len(found.paths) == 1
    assert found.loops == ("feedback of b on a",) or "feedback of b on a" in found.loops


def test_a_long_chain_ends_at_the_limit() -> None:
    names = [f"v{n}" for n in range(paths.LONGEST + 2)]
    store = made(*((a, "+", b) for a, b in itertools.pairwise(names)))
    assert paths.explain(store, "v0", names[paths.LONGEST]).paths
    assert not paths.explain(store, "v0", names[paths.LONGEST + 1]).paths


@pytest.mark.parametrize("finding", ["seizure", "tetany", "hypocalcemia", "hypokalemia", "HP:0002917"])
def test_a_lost_trpm6_explains_the_main_findings(store: Store, finding: str) -> None:
    found = paths.explain(store, "TRPM6", finding)
    assert found.reason == "Start: the activity of TRPM6 is lost."
    assert found.paths
    for step in found.paths[0].steps:
        assert step.supports, f"{step.iri} has no supporting evidence"


def test_a_disease_stands_for_its_gene(store: Store) -> None:
    assert paths.explain(store, "FHSH", "seizure").paths == paths.explain(store, "TRPM6", "seizure").paths


def test_disputes_stay(store: Store) -> None:
    found = paths.explain(store, "TRPM6", "HP:0002917")
    assert any(step.disputes for path in found.paths for step in path.steps)


def test_a_subject_without_activity_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="acts through no variable"):
        paths.explain(store, "MAXO:0001149", "seizure")
    with pytest.raises(UnknownName):
        paths.explain(store, "TRPM99", "seizure")


def test_from_the_command_line() -> None:
    text = hypomag("explain", "TRPM6", "seizure")
    assert text.returncode == 0
    assert "→ seizure activity ↑" in text.stdout
    body = json.loads(hypomag("explain", "TRPM6", "seizure", "--format", "json", "--limit", "1").stdout)
    assert len(body["paths"]) == 1
    assert body["paths"][0]["steps"][0]["iri"].startswith(BASE + "step/")
    mermaid = hypomag("explain", "TRPM6", "seizure", "--format", "mermaid").stdout
    assert mermaid.startswith("flowchart TD\n")
    nowhere = hypomag("explain", "serum phosphate", "seizure")
    assert nowhere.returncode == 1
    assert "no path" in nowhere.stderr
