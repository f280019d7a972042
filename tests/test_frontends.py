"""The page that asks, without a browser: its files, a program without it, and its text functions beside those of Python."""

from __future__ import annotations

import gzip
import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Store, parse

from hypomag import frontends, prefixes, queries, results, sites, sources
from hypomag.errors import HypomagError
from tests.conftest import ROOT

NODE = shutil.which("node")
needs_bundle = pytest.mark.skipif(frontends.find() is None, reason="make frontend builds the page that asks")
needs_node = pytest.mark.skipif(NODE is None, reason="Node.js runs the functions of the page")


def test_without_it_the_site_has_no_trace_of_it() -> None:
    made = sites.Site(sources.Sources(ROOT), "https://example.org/h/", ask=False)
    assert not [path for path in made.others if path.startswith("ask")]
    for path in ("index.html", "query/which-genes.html"):
        assert b"ask.html" not in (made.read(path) or b"")
    listed = made.read("sitemap.xml")
    assert listed and b"ask.html" not in listed


def test_a_program_without_the_bundle_publishes_and_says_so(tmp_path: Path) -> None:
    """A copy of the program as a machine without Node.js has it."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("ontology", "shapes", "queries"):
        (tmp_path / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "hypomag", "publish", str(tmp_path / "site")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, env=os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    )
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if "make frontend" in line]
    assert len(told) == 1
    assert not list((tmp_path / "site").glob("ask*"))
    assert "ask.html" not in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


@needs_bundle
def test_the_page_has_the_graph_and_the_catalogue(site: Path, store: Store) -> None:
    data = gzip.decompress((site / "ask" / "hypomag.trig.gz").read_bytes())
    assert data == (site / "download" / "hypomag.trig").read_bytes()
    assert sum(1 for _ in parse(data, format=RdfFormat.TRIG)) == len(store)
    book = json.loads((site / "ask" / "catalogue.json").read_text(encoding="utf-8"))
    known = queries.catalogue(sources.Sources(ROOT))
    assert {q["name"]: q["text"] for q in book["queries"]} == {name: q.text for name, q in known.items()}
    assert all(q["columns"] == queries.variables(q["text"]) for q in book["queries"])
    assert book["prefixes"] == prefixes.read()
    for curie, label, path, kind, *_ in book["terms"]:
        assert (site / f"{path}.html").is_file(), curie
        assert label
        assert kind
    terms = {row[0]: row for row in book["terms"]}
    assert {"hm:PhenotypeClaim", "hm:leadsTo", "RO:0002200", "MONDO:0011176", "HGNC:17995", "HP:0002917"} <= set(terms)
    assert {"FHSH", "OMIM:602014"} <= set(terms["MONDO:0011176"])


@needs_bundle
def test_only_this_page_may_run_the_engine(site: Path) -> None:
    text = (site / "ask.html").read_text(encoding="utf-8")
    stated = re.findall(r'<meta http-equiv="?Content-Security-Policy"? content="([^"]*)">', text)
    assert [html.unescape(policy) for policy in stated] == [frontends.POLICY]
    assert "unsafe-inline" not in frontends.POLICY
    assert "http" not in frontends.POLICY
    others = [p.name for p in site.glob("*.html") if "wasm" in p.read_text(encoding="utf-8") and p.name != "ask.html"]
    assert not others


@needs_bundle
def test_the_bundle_carries_the_licences_of_what_is_inside(site: Path) -> None:
    told = (site / "ask" / "licences.txt").read_text(encoding="utf-8")
    for name in ("oxigraph", "@codemirror/view", "codemirror-lang-sparql", "d3-force", "@lezer/lr"):
        assert f"\n{name} " in told


def test_nothing_of_others_is_committed() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "frontend"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert {p for p in listed if not p.startswith("frontend/src/")} == {
        "frontend/build.mjs",
        "frontend/package-lock.json",
        "frontend/package.json",
    }
    lock = (ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    packages = {path: about for path, about in json.loads(lock)["packages"].items() if path}
    assert all(about["integrity"].startswith("sha512-") for about in packages.values())


SCRIPT = """
import { readFileSync } from "node:fs";
import * as queries from "FOLDER/queries.js";
import * as results from "FOLDER/results.js";
const { calls, table } = JSON.parse(readFileSync(0, "utf8"));
const known = { ...queries, ...results, withPrefixes: (text) => queries.prologue(text, table) + text };
const answer = ([name, ...given]) => {
  try {
    return { value: known[name](...given) };
  } catch (error) {
    if (!(error instanceof queries.Problem)) throw error;
    return { problem: error.message };
  }
};
console.log(JSON.stringify(calls.map(answer)));
"""


def in_node(calls: list[list[Any]]) -> list[Any]:
    """Call functions of the page as they stand in its sources; a problem is told as {"problem": message}."""
    script = SCRIPT.replace("FOLDER", (ROOT / "frontend" / "src").as_uri())
    said = json.dumps({"calls": calls, "table": prefixes.read()})
    done = subprocess.run(
        [NODE or "", "--input-type=module", "-e", script], input=said, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return [one.get("value", one) for one in json.loads(done.stdout)]


HARD = [
    "SELECT ?x { ?x a hm:Dose }", "SELECT DISTINCT ?a (COUNT(?b) AS ?n) WHERE { ?a ?p ?b } GROUP BY ?a", "SELECT * { ?s ?p ?o }",
    'SELECT ?x { ?x rdfs:label "a } # { hm:x" . # } SELECT ?y hm:\n ?x hm:p <http://a#b> }', "ASK { hm:a hm:b hm:c }", "DESCRIBE hm:Dose",
    "PREFIX ask: <http://a.b/> CONSTRUCT { ?s ask:x ?o } WHERE { ?s ?p ?o }", "SELECT ?s FROM <http://a.b/> { ?s ?p ?o }",
    'SELECT ?from { ?from ?p "FROM <a:b>" }', "SELECT ?x { { SELECT ?x (MAX(?y) AS ?m) { ?x hm:p ?y } GROUP BY ?x } FILTER(?m > 1) } ORDER BY ?x",
    "SELECT ?x ((?a + (?b * (?c))) AS ?sum) { ?x hm:a ?a ; hm:b ?b ; hm:c ?c }", "SELECT ?x { ?x ?p '''it's } {''' } ORDER BY ?x LIMIT 3",
    "SELECT ?x { ?x ?p 'it\\'s }' }", "prefix hm: <http://elsewhere/> select ?x where { ?x a hm:Dose }", "SELECT ?x { VALUES ?x { hm:a } }",
    "SELECT ?x { ?x ?p ?o } VALUES ?x { hm:a }", "# c\rSELECT ?x { ?x ?p ex:a\\'b . ?y ?p ex:a\\'b }", "SELECT ?x { e:a\\'b ?x 'FROM hm:x' }", "SELECT * { e:a\\#b ?p hm:c }",
    "SELECT ?type { ?type ^rdfs:subClassOf?/hm:x ?y }",
]  # fmt: skip


@needs_node
def test_the_page_reads_a_query_as_the_program_does(home: sources.Sources) -> None:
    texts = [*HARD, *(q.text for q in queries.catalogue(home).values())]
    assert in_node([["variables", t] for t in texts]) == [queries.variables(t) for t in texts]
    assert in_node([["form", t] for t in texts]) == [queries.form(t) for t in texts]
    assert in_node([["saysFrom", t] for t in texts]) == [queries.says_from(t) for t in texts]
    assert in_node([["withPrefixes", t] for t in texts]) == [queries.with_prefixes(t) for t in texts]


@needs_node
def test_the_page_fixes_columns_as_the_program_does(home: sources.Sources) -> None:
    terms = (NamedNode("http://purl.obolibrary.org/obo/MONDO_0011176"), Literal('a "b"\n\\c', language="en"), Literal("1", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer")))  # fmt: skip
    cases = []
    for text in [*HARD, *(q.text for q in queries.catalogue(home).values())]:
        columns = queries.variables(text)
        cases += [(text, {name: terms[k % 3]}) for k, name in enumerate(columns)]
        cases += [(text, dict(zip(columns, terms, strict=False))), (text, {"nowhere": terms[0]})]
    theirs = in_node([["bound", text, {name: str(term) for name, term in fixed.items()}] for text, fixed in cases])
    refused = 0
    for (text, fixed), found in zip(cases, theirs, strict=True):
        try:
            assert found == queries.bound(text, fixed)
        except HypomagError:
            assert "problem" in found
            refused += 1
    assert len(cases) > 500
    assert 20 < refused < 100


@needs_node
def test_the_page_refuses_what_the_program_refuses() -> None:
    texts = ["", " \n", "INSERT DATA { <a:b> <a:c> <a:d> }", "PREFIX a: <b:c> DELETE WHERE { ?s ?p ?o }", "CLEAR ALL", "SELECT ?x { SERVICE <http://a.b> { ?x ?y ?z } }",
             "SELECT * { #\rSERVICE <http://a.b/> {} }", "SELECT * { e:a\\#b ?p ?o . SERVICE <http://a.b/> {} }", "SELECT * { ?s ?p ?o.SERVICE <http://a.b/> {} }",
             "SELECT * { ?s ?p ex:a.service, ex:\u00e9service, 'a'@service }", f"ASK {{ FILTER({'1+' * 2500}1) }}",
             'SELECT ?service { ?service ?p "SERVICE" }', f"SELECT ?x {{ {'{' * 150} ?x ?y ?z {'}' * 150} }}", *HARD]  # fmt: skip
    ours = []
    for text in texts:
        try:
            queries.check(text, "query")
            ours.append(False)
        except HypomagError:
            ours.append(True)
    assert ["problem" in found for found in in_node([["check", t] for t in texts])] == ours


@needs_node
def test_the_page_writes_csv_as_the_engine_does(store: Store, home: sources.Sources) -> None:
    for name in ("which-genes", "hallmark-findings", "doses", "article-statements"):
        text = queries.catalogue(home)[name].text
        answer = in_node([["solutions", results.write(queries.run(store, text), "json")]])[0]
        assert in_node([["csv", answer]])[0] == results.write(queries.run(store, text), "csv")


@needs_node
def test_the_page_reads_triples_as_they_are() -> None:
    lines = [
        '<a:s> <a:p> "tab\\t \\"quoted\\" \\\\ \\u00E9 \\n"@en .', '<a:s> <a:p> "5"^^<http://www.w3.org/2001/XMLSchema#integer> .', "<a:s> <a:p> <a:o> .", "_:b <a:p> _:c .",
    ]  # fmt: skip
    found = in_node([["triples", "\n".join([*lines, lines[0], ""])]])[0]
    assert found["lines"] == sorted(lines)
    objects = [row[2] for row in found["rows"]]
    assert {"type": "literal", "value": 'tab\t "quoted" \\ é \n', "xml:lang": "en"} in objects
    assert {"type": "literal", "value": "5", "datatype": "http://www.w3.org/2001/XMLSchema#integer"} in objects
    assert {"type": "bnode", "value": "c"} in objects
    assert in_node([["written", o] for o in objects if o["type"] == "literal"]) == [
        '"5"^^<http://www.w3.org/2001/XMLSchema#integer>',
        '"tab\\t \\"quoted\\" \\\\ é \\n"@en',
    ]
