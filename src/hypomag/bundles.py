"""Folders for the bulk loaders of stores: the files that each reads best, a script that loads and counts, what is known of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pyoxigraph import Store

from hypomag import exports, folders
from hypomag.errors import InputError
from hypomag.graph import content_graphs
from hypomag.sources import BASE

RUN = "The tests run this bundle: {}."
READ = "**Written from the manual of {}, and never run by us.** Read the script before you run it, and count afterwards."


def write(store: Store, kind: str, output: str) -> str:
    """Write the bundle for one kind of store into a folder; returns what to do with it.

    Raises:
        InputError: the folder holds something else (a database that was built in it, too), or cannot be written.
    """
    if output == "-":
        raise InputError("a bundle is a folder and cannot go to standard output", "name a folder with -o")
    out = Path(output)
    shown = os.path.relpath(out)  # before the folder is exchanged, which may be the one that we stand in
    folders.write(out, files(store, kind))
    return f"wrote {shown if not shown.startswith('..') else out}: read README.md, then run load.sh there"


def files(store: Store, kind: str) -> dict[str, bytes]:
    """The files of a bundle by name; the same graph gives the same bytes."""
    counts = {g.value: sum(1 for _ in store.quads_for_pattern(None, None, None, g)) for g in content_graphs(store)}
    found = {"virtuoso": _virtuoso, "fuseki": _fuseki, "graphdb": _graphdb, "qlever": _qlever, "oxigraph": _oxigraph}[kind](store)
    found["counts.tsv"] = "".join(f"{name}\t{number}\n" for name, number in counts.items()).encode()
    version, date = exports.release(store)
    readme = f"# hypomag {version} ({date}) for {kind}\n\n{found['README.md'].decode()}\n{_COMMON}"
    found["README.md"] = readme.encode()
    found["SHA256SUMS"] = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(found.items())).encode()
    return found


_COMMON = """\
`counts.tsv` says how many triples each named graph must have; `sha256sum --check SHA256SUMS` checks the files.
Our graphs are named graphs. Where a store reads no named graph for a query that names none, ask for their union, as
`hypomag query NAME --endpoint URL` does by itself. Against the running store, `hypomag load URL --verify-only` compares every triple.

It informs; it is no medical advice. Licences: see the graph's own `dcterms:license`, and THIRD-PARTY-NOTICES of hypomag.
"""

# Each script ends with status 0 only when every graph has the triples that it must have.
_SH = """\
#!/bin/sh
# {purpose}
set -eu
cd "$(dirname "$0")"
"""


def _plain(store: Store) -> dict[str, bytes]:
    return {"hypomag.nq": exports.export(store, "nq")}


def _virtuoso(store: Store) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for graph in content_graphs(store):
        name = graph.value.removeprefix(BASE + "graph/").replace("/", "-")
        lines = sorted(f"{q.triple} .\n" for q in store.quads_for_pattern(None, None, None, graph))
        found[f"data/{name}.nt"] = "".join(lines).encode()
        found[f"data/{name}.nt.graph"] = f"{graph.value}\n".encode()
    found["load.sh"] = (_SH.format(purpose="Loads data/*.nt into Virtuoso with its bulk loader, each into the graph that *.nt.graph names.") + """\
# isql and its address and login: ISQL (isql-vt on Debian, isql elsewhere), VIRTUOSO (host:port), VIRTUOSO_USER, VIRTUOSO_PASSWORD.
# The server must read this folder: name it in DirsAllowed of virtuoso.ini.
data=$(printf %s "${VIRTUOSO_DATA:-$PWD/data}" | sed "s/'/''/g")
sql() {
    # On standard input, because in EXEC= a + becomes a space; and its exit status says nothing of SQL errors.
    out=$(printf '%s\\n' "$1" | "${ISQL:-isql-vt}" "${VIRTUOSO:-localhost:1111}" "${VIRTUOSO_USER:-dba}" "${VIRTUOSO_PASSWORD:?set it}" \\
        VERBOSE=OFF BANNER=OFF PROMPT=OFF 2>&1) || { printf '%s\\n' "$out" >&2; exit 2; }
    case $out in *'*** Error'*) printf '%s\\n' "$out" >&2; exit 2 ;; esac
    printf '%s\\n' "$out"
}
while IFS="$(printf '\\t')" read -r graph count; do sql "SPARQL CLEAR GRAPH <$graph>;" >/dev/null; done <counts.tsv
sql "DELETE FROM DB.DBA.LOAD_LIST WHERE ll_file LIKE '$data/%';" >/dev/null
sql "ld_dir('$data', '*.nt', NULL);" >/dev/null
sql "rdf_loader_run();" >/dev/null
sql "checkpoint;" >/dev/null
bad=$(sql "SELECT 'FAILED', ll_file, ll_error FROM DB.DBA.LOAD_LIST WHERE ll_file LIKE '$data/%' AND (ll_state <> 2 OR ll_error IS NOT NULL);")
case $bad in *FAILED*) printf '%s\\n' "$bad" >&2; exit 1 ;; esac
status=0
while IFS="$(printf '\\t')" read -r graph count; do
    found=$(sql "SPARQL SELECT (COUNT(*) AS ?n) WHERE { GRAPH <$graph> { ?s ?p ?o } };" | tr -dc '0-9\\n' | grep . | head -n 1)
    if [ "$found" = "$count" ]; then echo "$graph: $found triples"
    else echo "$graph: $found triples, not $count" >&2; status=1; fi
done <counts.tsv
exit $status
""").encode()  # fmt: skip
    found["README.md"] = (
        RUN.format("Virtuoso 7.2.5 of Debian")
        + """

    VIRTUOSO_PASSWORD=... ./load.sh

N-Triples, one file a graph with the graph's name beside it: what Virtuoso's loader reads best. It clears our graphs first and
touches no other. Public readers need no login for `/sparql`; ResultSetMaxRows of virtuoso.ini (10,000 on Debian) cuts larger
answers off, which only a header (X-SPARQL-MaxRows) tells: give it 20,000, or `synonyms-and-identifiers` is not whole.
"""
    ).encode()
    return found


def _fuseki(store: Store) -> dict[str, bytes]:
    found = _plain(store)
    found["fuseki.ttl"] = b"""\
# Start with: fuseki-server --config=fuseki.ttl   The union of all named graphs is what a query without GRAPH reads.
@prefix fuseki: <http://jena.apache.org/fuseki#> .
@prefix tdb2:   <http://jena.apache.org/2016/tdb#> .
<#service> a fuseki:Service ;
    fuseki:name "hypomag" ;
    fuseki:endpoint [ fuseki:operation fuseki:query ] ,
        [ fuseki:operation fuseki:query ; fuseki:name "query" ] ,
        [ fuseki:operation fuseki:gsp-r ; fuseki:name "data" ] ;
    fuseki:dataset <#dataset> .
<#dataset> a tdb2:DatasetTDB2 ;
    tdb2:location "tdb2" ;
    tdb2:unionDefaultGraph true .
"""
    found["load.sh"] = (_SH.format(purpose="Builds a TDB2 database in tdb2/ for Fuseki, and counts it.") + """\
# FUSEKI_JAR is the jar of jena-fuseki-server, which holds the TDB2 commands; no server may run on tdb2/ meanwhile.
jar=${FUSEKI_JAR:?the path of jena-fuseki-server-VERSION.jar}
rm -rf tdb2.new
java -cp "$jar" tdb2.tdbloader --loc tdb2.new hypomag.nq >&2
java -cp "$jar" tdb2.tdbquery --loc tdb2.new --results=TSV \\
    'SELECT (STR(?g) AS ?graph) (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?graph' |
    tail -n +2 | tr -d '"' >counts.found
if ! cmp -s counts.tsv counts.found; then echo "the counts differ:" >&2; diff counts.tsv counts.found >&2; exit 1; fi
rm -rf tdb2 && mv tdb2.new tdb2
cat counts.found
""").encode()  # fmt: skip
    found["README.md"] = (
        RUN.format("Apache Jena Fuseki 5.6.0")
        + """

    FUSEKI_JAR=jena-fuseki-server-5.6.0.jar ./load.sh
    java -jar jena-fuseki-server-5.6.0.jar --config=fuseki.ttl

The database is built aside, counted, then put in place.
"""
    ).encode()
    return found


def _oxigraph(store: Store) -> dict[str, bytes]:
    found = _plain(store)
    found["load.sh"] = (_SH.format(purpose="Builds an Oxigraph database in db/, and counts it.") + """\
rm -rf db.new
"${OXIGRAPH:-oxigraph}" load --location db.new --file hypomag.nq
"${OXIGRAPH:-oxigraph}" query --location db.new --results-format tsv \\
    --query 'SELECT (STR(?g) AS ?graph) (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?graph' |
    tail -n +2 | tr -d '"' >counts.found
if ! cmp -s counts.tsv counts.found; then echo "the counts differ:" >&2; diff counts.tsv counts.found >&2; exit 1; fi
rm -rf db && mv db.new db
cat counts.found
""").encode()  # fmt: skip
    found["README.md"] = (
        RUN.format("Oxigraph 0.5.13")
        + """

    ./load.sh && oxigraph serve-read-only --location db --union-default-graph

A database opens in the version of Oxigraph that made it; make it anew after an update.
"""
    ).encode()
    return found


def _graphdb(store: Store) -> dict[str, bytes]:
    found = _plain(store)
    found["repository.ttl"] = b"""\
@prefix rep: <http://www.openrdf.org/config/repository#> .
@prefix sr: <http://www.openrdf.org/config/repository/sail#> .
@prefix sail: <http://www.openrdf.org/config/sail#> .
@prefix graphdb: <http://www.ontotext.com/config/graphdb#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
[] a rep:Repository ;
    rep:repositoryID "hypomag" ;
    rdfs:label "hypomag" ;
    rep:repositoryImpl [
        rep:repositoryType "graphdb:SailRepository" ;
        sr:sailImpl [
            sail:sailType "graphdb:Sail" ;
            # No inference: the shortcuts are in the graph, and inferred triples would change the counts.
            graphdb:ruleset "empty" ;
            graphdb:enable-context-index "true"
        ]
    ] .
"""
    found["load.sh"] = (_SH.format(purpose="Makes the repository hypomag of GraphDB offline; no server may run on the same home meanwhile.") + """\
"${IMPORTRDF:-importrdf}" preload --force --config-file repository.ttl hypomag.nq
echo "start GraphDB, then: hypomag load http://localhost:7200/repositories/hypomag --verify-only"
""").encode()  # fmt: skip
    found["README.md"] = (
        READ.format("GraphDB 10")
        + """

    ./load.sh

`importrdf preload` replaces the repository of that name. With an older release, `importrdf` is called `preload`.
"""
    ).encode()
    return found


def _qlever(store: Store) -> dict[str, bytes]:
    found = _plain(store)
    found["Qleverfile"] = b"""\
[data]
NAME        = hypomag
DESCRIPTION = hypomag: a knowledge graph of primary hypomagnesemia

[index]
INPUT_FILES     = hypomag.nq
CAT_INPUT_FILES = cat ${INPUT_FILES}
FORMAT          = nq
SETTINGS_JSON   = { "num-triples-per-batch": 100000 }

[server]
PORT               = 7001
ACCESS_TOKEN       = ${data:NAME}
MEMORY_FOR_QUERIES = 2G

[runtime]
SYSTEM = docker
IMAGE  = docker.io/adfreiburg/qlever:latest
"""
    found["load.sh"] = (_SH.format(purpose="Indexes and starts QLever; qlever is its control script.") + """\
qlever index --overwrite-existing
qlever start
echo "then: hypomag load http://localhost:7001 --store generic --verify-only"
""").encode()  # fmt: skip
    found["README.md"] = (
        READ.format("QLever")
        + """

    ./load.sh

A query that names no graph reads all graphs. Change ACCESS_TOKEN before others can reach the port: it allows updates.
"""
    ).encode()
    return found
