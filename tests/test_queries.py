"""The catalogue: every question runs in two engines with equal rows, held against a snapshot."""

from __future__ import annotations

import functools
import json
import os
import random
import re

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Store

from hypomag import exports, graph, prefixes, queries, sources
from hypomag.errors import InputError
from tests.conftest import ROOT

CATALOGUE = queries.catalogue(sources.find(ROOT))
SNAPSHOTS = ROOT / "tests" / "snapshots"


@functools.cache
def reference() -> rdflib.Graph:
    """The union of the content graphs in rdflib."""
    store = graph.assemble(sources.find(ROOT))
    return rdflib.Graph().parse(data=exports.export(store, "nt"), format="nt")


def rows_of(store: Store, text: str) -> list[list[str]]:
    result = queries.run(store, text)
    return [[_plain(row[v]) for v in result.variables] for row in result]


def _plain(term: object) -> str:
    if term is None:
        return ""
    value = getattr(term, "value", None)
    if value is None:  # rdflib
        return _number(str(term)) if isinstance(term, rdflib.Literal) and term.datatype else str(term)
    return _number(str(value)) if isinstance(term, Literal) and not term.language else str(value)


def _number(text: str) -> str:
    return f"{float(text):.10g}" if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text) else text


def _plain_rdflib(term: rdflib.term.Node | None) -> str:
    if term is None:
        return ""
    if isinstance(term, rdflib.Literal) and not term.language:
        return _number(str(term))
    return str(term)


@pytest.mark.parametrize("name", CATALOGUE)
def test_two_engines_give_the_same_rows(name: str, store: Store) -> None:
    text = CATALOGUE[name].text
    ours = rows_of(store, text)
    theirs = [[_plain_rdflib(term) for term in row] for row in reference().query(text)]
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize("name", CATALOGUE)
def test_rows_are_as_in_the_snapshot(name: str, store: Store) -> None:
    """`make snapshots` writes them anew; the diff is for a curator to read."""
    result = queries.run(store, CATALOGUE[name].text)
    columns = [v.value for v in result.variables]
    found = {"columns": columns, "rows": [[_plain(row[c]) for c in columns] for row in result]}
    place = SNAPSHOTS / f"{name}.json"
    text = '{{"columns": {},\n"rows": [\n{}\n]}}\n'.format(
        json.dumps(found["columns"]),
        ",\n".join(json.dumps(r, ensure_ascii=False) for r in found["rows"]),
    )
    if os.environ.get("HYPOMAG_SNAPSHOTS") == "write":
        place.write_text(text, encoding="utf-8")
    assert place.is_file(), "no snapshot: make snapshots"
    assert place.read_text(encoding="utf-8") == text, "the rows have changed: read the diff, then make snapshots"


@functools.cache
def shuffled() -> Store:
    """The same graph, put in in another order."""
    quads = exports.quads(graph.assemble(sources.find(ROOT)))
    random.Random(20261122).shuffle(quads)
    store = Store()
    store.extend(quads)
    return store


@pytest.mark.parametrize("name", CATALOGUE)
def test_rows_come_in_one_order(name: str, store: Store) -> None:
    assert rows_of(store, CATALOGUE[name].text) == rows_of(shuffled(), CATALOGUE[name].text)


def test_no_snapshot_without_a_question() -> None:
    assert {p.stem for p in SNAPSHOTS.glob("*.json")} == set(CATALOGUE)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_question_is_a_question(name: str) -> None:
    question = CATALOGUE[name]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert question.summary.endswith("?")
    assert question.description.endswith(".")
    assert question.tags
    quiet = queries._QUIET.sub(" ", question.text)
    assert re.search(r"\bORDER\s+BY\b", quiet)
    keys = quiet[quiet.rindex("ORDER BY") :].count("?")
    assert keys <= 20, "Virtuoso takes at most 20 sort keys"
    assert not re.search(r"SELECT\s+(DISTINCT\s+)?\*", quiet)
    assert not re.search(r"\bGRAPH\b|\bSERVICE\b|\bGROUP_CONCAT\b", quiet)
    declared = set(re.findall(r"^PREFIX (\S+):", question.text, re.MULTILINE))
    used = set(re.findall(r"(?<![\w?<:/])([A-Za-z]\w*):[\w-]", re.sub(r"^PREFIX.*$", "", quiet, flags=re.MULTILINE)))
    assert used == declared
    for prefix, space in re.findall(r"^PREFIX (\S+): <([^>]+)>", question.text, re.MULTILINE):
        assert prefixes.read()[prefix] == space


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_question_has_an_answer(name: str, store: Store) -> None:
    assert rows_of(store, CATALOGUE[name].text)


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_column_can_be_bound(name: str, store: Store) -> None:
    """Binding a column to a value that it has gives just the rows with that value."""
    question = CATALOGUE[name]
    result = queries.run(store, question.text)
    columns = [v.value for v in result.variables]
    rows = [tuple(row[c] for c in columns) for row in result]
    counted = re.search(r"\bGROUP BY\b|\(", queries._QUIET.sub(" ", question.text.split("WHERE")[0]))
    if counted:
        columns = columns[:1]  # an aggregate is computed after the join, so only the group can be bound
    for place, column in enumerate(columns):
        values = [row[place] for row in rows if isinstance(row[place], NamedNode)]
        if not values:
            continue
        value = values[len(values) // 2]
        answer = queries.run(store, queries.bound(question.text, {column: value}))
        order = [v.value for v in answer.variables]
        found = [tuple(r[c] for c in order) for r in answer]
        assert sorted(map(str, found)) == sorted(str(r) for r in rows if r[place] == value), column


@pytest.mark.parametrize("name", [p.stem for p in sources.find(ROOT).rules()])
def test_rules_read_only_accepted_present_claims(name: str) -> None:
    text = (ROOT / "queries" / "rules" / f"{name}.rq").read_text(encoding="utf-8")
    if name != "claim-type":  # which types claims whatever they say
        assert "hm:polarity hm:present" in text
        assert "hm:status hm:accepted" in text or "?status != hm:retracted" in text


def test_a_claim_of_absence_feeds_no_shortcut(home: sources.Sources) -> None:
    """Turning every claim absent, or every count to zero, leaves no edge."""
    for change in ("absent", "zero"):
        memory = Store()
        for quad in graph.assemble(home):
            if quad.graph_name.value == sources.SHORTCUTS:
                continue
            if change == "absent" and quad.predicate.value.endswith("#polarity"):
                quad = type(quad)(quad.subject, quad.predicate, NamedNode(sources.VOCAB + "absent"), quad.graph_name)
            memory.add(quad)
            if change == "zero" and quad.predicate.value.endswith("#evidenceCode"):
                zero = Literal("0", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer"))
                memory.add(type(quad)(quad.subject, NamedNode(sources.VOCAB + "affected"), zero, quad.graph_name))
        graph.derive(memory, home.rules())
        edges = {prefixes.shorten(q.predicate.value) for q in memory.quads_for_pattern(None, None, None, NamedNode(sources.SHORTCUTS))}
        assert not {e for e in edges if e.startswith(("RO:", "biolink:"))}, change


def test_binding_an_unprojected_variable_is_refused() -> None:
    with pytest.raises(InputError, match=r"no result column \?y"):
        queries.bound("SELECT ?x WHERE { ?x ?y ?z }", {"y": NamedNode("a:b")})


@given(st.text(max_size=40))
def test_a_bound_literal_cannot_break_out(value: str) -> None:
    """Terms are serialised by the RDF library: whatever the value, the query finds just that value."""
    store = Store()
    text = queries.bound("SELECT ?x WHERE { VALUES ?x { 'a' 'b' } }", {"x": Literal(value.replace("\x00", ""))})
    assert len(list(queries.run(store, text))) == (1 if value in ("a", "b") else 0)


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("SELECT ?x { SERVICE <http://a.b> { ?x ?y ?z } }", True),
        ("SELECT ?x { service silent ?s { ?x ?y ?z } }", True),
        ("SELECT ?x { ?x ?y 'SERVICE <http://a.b>' }", False),
        ("# SERVICE\nSELECT ?service { ?service ?y ?z }", False),
        ("SELECT ?x { ?x <http://a.b/SERVICE> ?z }", False),
        ("SELECT ?x { ?x ?y '''a ' SERVICE ''' }", False),
    ],
)
def test_service_is_seen_where_it_is(text: str, out: bool) -> None:
    assert queries.calls_out(text) is out
