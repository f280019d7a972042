"""Linking: upstream files beside our graph, at 1 % of their size; nothing is lost, changed twice or left half-way."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import os
import pty
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode, Quad, Store

from hypomag import batches, claims, federation, graph, hpoa, lifting, mappings, names, prefixes, queries, sources, validation
from hypomag.closures import closure
from hypomag.errors import InputError
from hypomag.ontologies import SUBCLASS, kind, read
from hypomag.spellings import spellings
from tests import servers
from tests.conftest import ROOT, SHARED, hypomag
from tests.test_hpoa import rows_hold
from tests.test_kgx import edges_hold

FHSH = "http://purl.obolibrary.org/obo/MONDO_0011176"
SEIZURE = "http://purl.obolibrary.org/obo/HP_0001250"
SHARE = 100


def frames(text: str) -> dict[str, str]:
    """The term frames of an OBO text by id; the header under the empty id."""
    parts = re.split(r"(?m)^(?=\[)", text)
    found = {"": parts[0]}
    for part in parts[1:]:
        if match := re.match(r"\[Term\]\nid: (\S+)", part):
            found[match[1]] = part
    return found


@pytest.fixture(scope="session")
def slices(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1 % of the diseases of phenotype.hpoa and ours, the terms that they and we cite with all above, our matches as Mondo's sets have them."""
    out = tmp_path_factory.mktemp("slices")
    folder = lifting.packaged_folder()
    ours = set(lifting.databases(store, lifting.own_diseases(store)))
    lines, kept, number = [], set(), {}
    for line in (folder / "phenotype.hpoa").read_text(encoding="utf-8").splitlines(keepends=True):
        entry = line.partition("\t")[0]
        if line.startswith(("#", "database_id")):
            lines.append(line)
        elif entry in ours or number.setdefault(entry, len(number)) % SHARE == 0:
            lines.append(line)
            kept |= set(re.findall(r"HP:\d{7}", line))
    (out / "phenotype.hpoa").write_text("".join(lines), encoding="utf-8")
    terms = frames((folder / "hp.obo").read_text(encoding="utf-8"))
    kept |= {prefixes.shorten(q.subject.value) for q in store.quads_for_pattern(None, None, None, NamedNode(sources.TERMS))} & set(terms)
    kept |= {t for t, text in terms.items() if "is_a: HP:0003674 " in text or "is_a: HP:0410280 " in text or "is_a: HP:0003581 " in text}
    todo = list(kept)
    while todo:
        for above in re.findall(r"^is_a: (\S+)", terms[todo.pop()], re.MULTILINE):
            if above not in kept:
                kept.add(above)
                todo.append(above)
    (out / "hp.obo").write_text(terms[""] + "".join(terms[t] for t in sorted(kept)), encoding="utf-8")
    rows = (ROOT / "ontology" / "mappings.sssom.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    chosen = [r for r in rows if r.startswith("MONDO:") and re.search(r"\tskos:exactMatch\t\t(?:OMIM|Orphanet|UMLS):", r)]
    head = [r for r in rows if r.startswith(("#", "subject_id"))]
    (out / "mondo.sssom.tsv").write_text("".join(head + chosen), encoding="utf-8")
    return out


@pytest.fixture(scope="session")
def linked(slices: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("linked") / "linked"
    done = link(slices, out)
    assert done.returncode == 0, done.stderr
    return out


def link(slices: Path, out: Path, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
    files = [str(slices / name) for name in ("hp.obo", "phenotype.hpoa", "mondo.sssom.tsv")]
    return hypomag("link", *files, "--to", str(out), *more, "--graph-dir", str(ROOT), **env)


@pytest.fixture(scope="session")
def joined(linked: Path) -> Store:
    return graph.open_linked(linked)


def manifest(folder: Path) -> dict[str, object]:
    found = json.loads((folder / "linked.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def has(store: Store, *pattern: object) -> int:
    return sum(1 for _ in store.quads_for_pattern(*pattern))  # type: ignore[arg-type]


def test_nothing_of_an_ontology_is_lost(slices: Path, joined: Store) -> None:
    text = (slices / "hp.obo").read_text(encoding="utf-8")
    there = NamedNode(sources.LINKED + "hp")
    for clause, predicate in (("name: ", "rdfs:label"), ("is_a: ", "rdfs:subClassOf"), ("xref: ", "oboInOwl:hasDbXref"),
                              ("def: ", "IAO:0000115"), ("alt_id: ", "oboInOwl:hasAlternativeId")):  # fmt: skip
        stated = {(t, line) for t, frame in frames(text).items() if t for line in frame.splitlines() if line.startswith(clause)}
        assert has(joined, None, prefixes.node(predicate), None, there) == len({(t, re.split(r" [{!] ?", x)[0]) for t, x in stated}), clause


def test_every_annotation_is_one_line_of_evidence(slices: Path, joined: Store) -> None:
    rows = Counter(r.database_id for r in lifting.read_annotations(slices / "phenotype.hpoa"))
    lifted = NamedNode(sources.HPOA)
    found = Counter(q.object.value for q in joined.quads_for_pattern(None, prefixes.node("hm:diseaseKey"), None, lifted))
    assert found == rows
    assert has(joined, None, prefixes.node("hm:evidence"), None, lifted) == rows.total()


def test_our_diseases_are_lifted_as_in_our_graph(store: Store, joined: Store) -> None:
    lifted = NamedNode(sources.HPOA)

    def about(graph_: Store) -> set[str]:
        rows = {q.subject for q in graph_.quads_for_pattern(None, prefixes.node("hm:sourceRow"), None, lifted)}
        lines = {q for line in rows for q in map(str, graph_.quads_for_pattern(line, None, None, lifted))}
        return {q for q in lines if "hpoa-omim-602014" in q}

    assert about(store) == about(joined) != set()


def test_an_entry_that_mondo_does_not_know_keeps_its_own_address(joined: Store) -> None:
    subjects = {q.object.value for q in joined.quads_for_pattern(None, prefixes.node("hm:subject"), None, NamedNode(sources.HPOA))}
    assert any(s.startswith("https://omim.org/entry/") for s in subjects)
    assert all(names.label(joined, NamedNode(s)) != prefixes.shorten(s) for s in subjects)


def test_no_blank_node_and_no_statement_twice_in_the_union_of_what_questions_read(joined: Store) -> None:
    content = {g.value for g in graph.content_graphs(joined)}
    seen: Counter[str] = Counter()
    for quad in joined:
        assert isinstance(quad.subject, NamedNode)
        assert type(quad.object).__name__ != "BlankNode"
        if quad.graph_name.value in content or quad.predicate.value.endswith(("#label", "#exactMatch", "#subClassOf", "#type")):
            seen[str(quad.triple)] += 1
    assert [t for t, n in seen.items() if n > 1] == []


CATALOGUE = queries.catalogue(sources.find(ROOT))
# Questions that put a disease beside every other one.
OF_EVERY_OTHER = {"what-separates"}


@pytest.mark.parametrize("name", [n for n, q in CATALOGUE.items() if "disease" in queries.variables(q.text)])
def test_a_question_about_our_disease_has_the_same_answer(name: str, store: Store, joined: Store) -> None:

    def rows(graph_: Store) -> list[tuple[str, ...]]:
        text = queries.bound(CATALOGUE[name].text, {"disease": NamedNode(FHSH)}, placing=graph_ is joined)
        result = queries.run(graph_, text)
        return [tuple(str(row[v]) for v in result.variables) for row in result]

    if name in OF_EVERY_OTHER:  # there are more others now
        assert set(rows(joined)) > set(rows(store))
    else:
        assert rows(joined) == rows(store)


def test_a_question_covers_all_diseases(store: Store, joined: Store) -> None:
    def diseases(graph_: Store) -> set[str]:
        return {row["disease"].value for row in queries.run(graph_, CATALOGUE["hallmark-findings"].text)}

    lifted = {q.object.value for q in joined.quads_for_pattern(None, prefixes.node("hm:subject"), None, NamedNode(sources.HPOA))}
    assert diseases(joined) > diseases(store)
    assert len(lifted - diseases(joined)) < len(lifted) / 20  # a few have modes of inheritance or absent findings only


def test_the_shortcuts_are_those_that_the_rules_derive(home: sources.Sources, joined: Store) -> None:
    memory = Store()
    for name in graph.content_graphs(joined):
        if name.value not in (sources.SHORTCUTS, sources.CLOSURE, sources.SUMMARY):
            memory.extend(joined.quads_for_pattern(None, None, None, name))
    graph.derive(memory, home.rules())
    shortcuts = NamedNode(sources.SHORTCUTS)
    stated = {str(q.triple) for q in joined.quads_for_pattern(None, None, None, shortcuts)}
    assert {str(q.triple) for q in memory.quads_for_pattern(None, None, None, shortcuts)} == stated


def test_linking_again_changes_nothing(slices: Path, linked: Path) -> None:
    before = (linked / "linked.json").stat().st_mtime_ns
    again = link(slices, linked)
    assert again.returncode == 0
    assert "nothing has changed" in again.stderr
    assert (linked / "linked.json").stat().st_mtime_ns == before


def test_the_same_files_give_the_same_digest(slices: Path, linked: Path, tmp_path: Path) -> None:
    assert link(slices, tmp_path / "again", "--force", PYTHONHASHSEED="7").returncode == 0
    assert manifest(tmp_path / "again") == manifest(linked)


def test_without_a_source_the_linked_ones_are_read_again_and_add_keeps_them(slices: Path, linked: Path) -> None:
    again = hypomag("link", "--to", str(linked), "--graph-dir", str(ROOT))
    assert "nothing has changed" in again.stderr
    again = hypomag("link", "--add", str(slices / "mondo.sssom.tsv"), "--to", str(linked), "--graph-dir", str(ROOT))
    assert "nothing has changed" in again.stderr


TINY = "format-version: 1.2\nontology: tiny\n\n[Term]\nid: HP:0001250\nname: Seizure\nis_a: HP:0000707 ! x\n\n[Term]\nid: HP:0000707\nname: Nervous\n"
OWL = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:owl="http://www.w3.org/2002/07/owl#">
<owl:Class rdf:about="http://example.org/a"><rdfs:label>a</rdfs:label>
<rdfs:subClassOf><owl:Restriction><owl:onProperty rdf:resource="http://example.org/p"/><owl:someValuesFrom rdf:resource="http://example.org/b"/></owl:Restriction></rdfs:subClassOf>
<owl:equivalentClass><owl:Class><owl:unionOf rdf:parseType="Collection"><owl:Class rdf:about="http://example.org/b"/></owl:unionOf></owl:Class></owl:equivalentClass></owl:Class>
</rdf:RDF>
"""
KGX = "id\tsubject\tpredicate\tobject\trelation\nx\tMONDO:0011176\tbiolink:subclass_of\tMONDO:0018100\trdfs:subClassOf\n"
BROKEN = {
    "cut.obo": TINY[:-30] + 'synonym: "abc',
    "cut.owl": OWL[: len(OWL) // 2],
    "cut.ttl": "<http://a> <http://b> <http://c> .\n<http://a> <http://b> ",
    "cut.hpoa": "#version: 2025-01-16\n" + "\t".join(lifting.COLUMNS) + "\nOMIM:602014\tx\t\tHP:00",
    "cut.tsv": KGX + "y\tMONDO:0011176\tbiolink:subc",
    "cut.sssom.tsv": "# curie_map:\n#   MONDO: http://purl.obolibrary.org/obo/MONDO_\nsubject_id\tpredicate_id\tobject_id\tmapping_justification\nMONDO:1\tskos:ex",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_breaks_off_leaves_what_was_there(name: str, linked: Path, built: Path, tmp_path: Path) -> None:
    broken = tmp_path / name
    broken.write_text(BROKEN[name], encoding="utf-8")
    before = manifest(linked)
    done = hypomag("link", str(broken), "--to", str(linked), "--graph-dir", str(built))
    assert done.returncode == 2
    assert str(broken) in done.stderr
    assert "Traceback" not in done.stderr
    assert manifest(linked) == before
    assert [p.name for p in linked.parent.iterdir()] == ["linked"]
    assert hypomag("query", "which-genes", "--graph-dir", str(linked)).returncode == 0


def test_kill_leaves_what_was_there(slices: Path, linked: Path) -> None:
    before = manifest(linked)
    arguments = ["link", str(slices / "hp.obo"), str(slices / "phenotype.hpoa"), "--to", str(linked), "--graph-dir", str(ROOT), "--force"]
    left = False
    for delay in (0.5, 1.5, 2.5):
        process = subprocess.Popen([sys.executable, "-m", "hypomag", *arguments], stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        left = left or len(list(linked.parent.iterdir())) > 1
        assert manifest(linked) == before
        assert hypomag("query", "which-genes", "--graph-dir", str(linked)).returncode == 0
    assert left, "no run was killed while it wrote: make the delays longer"
    assert "nothing has changed" in link(slices, linked).stderr
    assert [p.name for p in linked.parent.iterdir()] == ["linked"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["https://example.org/hp.obo"], "an address, not a file"),
        (["/no/such/hp.obo"], "No such file"),
        (["/usr"], "is a folder"),
        (["{tiny}", "x={tiny}", "x={owl}"], "the same name"),
        (["{text}"], "neither OBO"),
        (["{functional}"], "functional"),
        (["--check"], "nothing is linked yet"),
    ],
)  # fmt: skip
def test_what_cannot_be_linked_is_told(arguments: list[str], part: str, tmp_path: Path) -> None:
    files = {
        "tiny": ("tiny.obo", TINY),
        "owl": ("x.owl", OWL),
        "text": ("x.txt", "hello"),
        "functional": ("f.owl", "Prefix(:=<http://a>)\n"),
    }
    for name, text in files.values():
        (tmp_path / name).write_text(text, encoding="utf-8")
    words = [a.format(**{k: tmp_path / name for k, (name, _) in files.items()}) for a in arguments]
    done = hypomag("link", *words, "--to", str(tmp_path / "out"), "--graph-dir", str(ROOT))
    assert done.returncode == 2
    assert part in done.stderr
    assert len(done.stderr.splitlines()) <= 4
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all my work")
    (tmp_path / "tiny.obo").write_text(TINY)
    done = hypomag("link", str(tmp_path / "tiny.obo"), "--to", str(tmp_path), "--graph-dir", str(ROOT))
    assert done.returncode == 2
    assert "something other than a linked graph" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "all my work"


def test_before_anything_is_linked_that_is_told(tmp_path: Path) -> None:
    for arguments in (["query", "which-genes", "--linked"], ["show", "FHSH", "--linked"], ["query", "findings-of-a-kind"]):
        done = hypomag(*arguments, XDG_DATA_HOME=str(tmp_path))
        assert done.returncode == 2
        assert "link" in done.stderr
        assert len(done.stderr.splitlines()) == 2


def test_the_linked_graph_has_a_place_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "tiny.obo").write_text(TINY)
    done = hypomag("link", str(tmp_path / "tiny.obo"), "--graph-dir", str(ROOT), XDG_DATA_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    for command in (
        ["query", "which-genes", "--linked", "--format", "csv"],
        ["query", "--linked", "which-genes", "--format", "csv", "--timeout", "60"],
    ):
        assert hypomag(*command, XDG_DATA_HOME=str(tmp_path)).stdout == hypomag("query", "which-genes", "--format", "csv").stdout
    assert "SEIZURE" not in hypomag("show", "Seizure", "--linked", XDG_DATA_HOME=str(tmp_path)).stderr
    # What was lifted before stays where no annotations are linked.
    ask = ["query", "-e", "SELECT (COUNT(?x) AS ?n) { ?x a hm:EvidenceLine }", "--format", "csv"]
    assert hypomag(*ask, "--linked", XDG_DATA_HOME=str(tmp_path)).stdout == hypomag(*ask, "--graph-dir", str(ROOT)).stdout


@pytest.mark.parametrize(
    ("name", "text"), [("x.owl", OWL), ("x.obo", TINY), ("x.tsv", KGX), ("x.ttl", "<http://a/> <http://a/b> [ <http://a/c> [] ] .")]
)
def test_a_file_reads_alike_twice_also_compressed(name: str, text: str, tmp_path: Path) -> None:
    plain, packed = tmp_path / name, tmp_path / f"{name}.gz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    once = list(read(plain, kind(plain), "https://example.org/g"))
    assert once == list(read(plain, kind(plain), "https://example.org/g")) == list(read(packed, kind(packed), "https://example.org/g"))
    assert not any(part.startswith("_:") for statement in once for part in statement)
    assert len(set(once)) == len(once) > 0


def test_the_medical_action_ontology_is_read_whole(tmp_path: Path) -> None:
    path = SHARED / "upstream" / "maxo" / "maxo-base.owl"
    if not path.is_file():
        pytest.skip("needs maxo-base.owl")
    found = list(read(path, kind(path), "https://example.org/g"))
    assert len(found) == len(set(found))
    classes = sum(
        1 for s, p, o in found if s.startswith("<http://purl.obolibrary.org/obo/MAXO_") and p.endswith("#subClassOf>") and "genid" not in o
    )
    assert classes > 1000


@given(st.dictionaries(st.sampled_from("abcdefg"), st.lists(st.sampled_from("abcdefg"), max_size=3)))
def test_the_closure_is_all_that_can_be_reached(parents: dict[str, list[str]]) -> None:
    """Reflexive, transitive, and nothing else: the smallest such relation, circles included."""
    found = {child: set(above) for child, above in closure(parents)}
    pairs = {(c, p) for c, above in parents.items() for p in above}
    pairs |= {(n, n) for n in {*parents, *(p for above in parents.values() for p in above)}}
    while more := {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs:
        pairs |= more
    assert {(c, p) for c, above in found.items() for p in above} == pairs


def test_the_closure_of_the_linked_graph_is_that_of_its_subclass_edges(joined: Store) -> None:
    for term in ("HP:0001250", "HP:0002917", "HP:0002133", "MONDO:0011176", "HP:0003593"):
        node = prefixes.node(term)
        walked = {row["x"].value for row in queries.run(joined, f"SELECT ?x {{ {term} rdfs:subClassOf* ?x }}")}
        assert {q.object.value for q in joined.quads_for_pattern(node, prefixes.node("hm:kindOf"), None, None)} == walked
        assert has(joined, node, NamedNode(SUBCLASS), None, None) > 0


def test_all_neurological_findings(linked: Path, joined: Store) -> None:
    done = hypomag(
        "query", "findings-of-a-kind", "-b", "disease=FHSH", "-b", "kind=HP:0000707", "--format", "json", "--graph-dir", str(linked)
    )
    found = {row["finding"]["value"] for row in json.loads(done.stdout)["results"]["bindings"]}
    direct = {q.object.value for q in joined.quads_for_pattern(NamedNode(FHSH), prefixes.node("RO:0002200"), None, None)}
    above = {f for f in direct if has(joined, NamedNode(f), prefixes.node("hm:kindOf"), prefixes.node("HP:0000707"), None)}
    assert SEIZURE in found == above < direct


LINKED_QUESTIONS = sorted(p.stem for p in (ROOT / "queries" / "linked").glob("*.rq"))


@pytest.mark.parametrize("name", LINKED_QUESTIONS)
def test_a_linked_question_answers(name: str, joined: Store, linked: Path) -> None:
    question = queries.named(sources.find(linked), name)
    assert question.summary.endswith("?")
    assert question.description.endswith(".")
    columns = queries.variables(question.text)
    bound = queries.bound(question.text, {"disease": NamedNode(FHSH)}, placing=True)
    result = queries.run(joined, bound)
    rows = [tuple(str(row[c]) for c in columns) for row in result]
    assert rows
    assert len(set(rows)) == len(rows)
    # The same rows without the term put in place of the variable.
    slow = f"SELECT ({') ('.join(f'?{c} AS ?{c}_' for c in columns)}) WHERE {{ {{ {re.sub(r'(?m)^PREFIX.*$|^#.*$', '', question.text)} }} FILTER(?disease = <{FHSH}>) }}"
    slowly = [tuple(str(row[f"{c}_"]) for c in columns) for row in queries.run(joined, slow)]
    assert sorted(slowly) == sorted(rows)


def test_the_summary_counts_what_is_there(joined: Store) -> None:
    rows = list(queries.run(joined, "SELECT ?d (COUNT(DISTINCT ?f) AS ?n) { ?d RO:0002200 ?f } GROUP BY ?d"))
    counted = {row["d"].value: row["n"].value for row in rows}
    assert counted == {q.subject.value: q.object.value for q in joined.quads_for_pattern(None, prefixes.node("hm:findings"), None, None)}
    text = "SELECT (COUNT(DISTINCT ?d) AS ?n) { ?f hm:kindOf HP:0000707 . ?d RO:0002200 ?f }"
    (row,) = queries.run(joined, text)
    (stated,) = joined.quads_for_pattern(prefixes.node("HP:0000707"), prefixes.node("hm:diseasesShowingKind"), None, None)
    assert row["n"].value == stated.object.value


SPELLINGS = [
    "OMIM:602014", "MIM 602014", "omim:602014", "https://omim.org/entry/602014", "ORPHA:30924", "Orphanet_30924", "Orphanet:30924",
    "http://www.orpha.net/ORDO/Orphanet_30924", "UMLS:C1865974", "http://identifiers.org/mim/602014", "https://identifiers.org/mim:602014",
    "https://bioregistry.io/omim:602014", "https://purl.obolibrary.org/obo/MONDO_0011176", "http://identifiers.org/mondo/0011176",
    "https://identifiers.org/orphanet:30924",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_any_spelling_finds_it(spelling: str, store: Store, joined: Store) -> None:
    for graph_ in (store, joined):
        assert [n.value for n in names.bearers(graph_, spelling)] == [FHSH]
        if not spelling.startswith(("omim:", "MIM ")):
            text = f'SELECT ?x {{ ?x hm:alternateIri "{spelling}" }}'
            assert [row["x"].value for row in queries.run(graph_, text)] == [FHSH]


@pytest.mark.parametrize("spelling", ["UMLS:C0036572", "SNOMEDCT_US:91175000", "HP:0001250", "https://bioregistry.io/hp:0001250"])
def test_a_cross_reference_finds_the_finding(spelling: str, store: Store) -> None:
    assert [n.value for n in names.bearers(store, spelling)] == [SEIZURE]


def test_a_spelling_means_one_thing(store: Store, joined: Store) -> None:
    for graph_ in (store, joined):
        spelled = Counter(q.object.value for q in graph_.quads_for_pattern(None, names.ALTERNATE, None, None))
        assert spelled
        assert [s for s, n in spelled.items() if n > 1] == []


def test_every_spelling_leads_back(store: Store) -> None:
    terms = {q.subject.value for q in store.quads_for_pattern(None, names.RDFS_LABEL, None, NamedNode(sources.TERMS))}
    spelled = {iri: spellings(iri) for iri in terms}
    assert sum(map(len, spelled.values())) > 4000
    for iri, found in spelled.items():
        assert {names.canonical(s) for s in found} <= {iri}


def test_names_are_found_by_key_as_by_search(store: Store, joined: Store) -> None:
    for name in ("FHSH", "seizure", "Intestinal Hypomagnesemia-1", "TRPM6", "magnesium supplementation", "no such thing"):
        assert names.bearers(joined, name) == names.bearers(store, name), name
    assert names.similar(joined, "hypomagnesaemi")


def test_what_was_lifted_is_valid_in_both_engines(linked: Path, slices: Path, home: sources.Sources, tmp_path: Path) -> None:
    """All lifted claims in the fast engine; a share of the diseases, with a broken claim among them, alike in pySHACL."""
    import shutil

    shapes = validation.shapes_text(home)
    done = hypomag("validate", "--graph-dir", str(linked), "--format", "json")
    report = json.loads(done.stdout)
    assert report["checked"] == "the lifted claims of the linked graph"
    assert report["subjects"] > 5000
    told = report["findings"]
    # Nothing but references that upstream itself writes wrongly.
    assert {f["shape"] for f in told} <= {"shapes:Reference-identifier"}
    assert done.returncode == (1 if told else 0)
    rows = (slices / "phenotype.hpoa").read_text(encoding="utf-8")
    assert all(f"\t{f['value']}\t" in rows or f"{f['value']};" in rows for f in told)
    copy = tmp_path / "linked"
    shutil.copytree(linked, copy)
    broken = Store(str(copy / "store"))
    every = batches.claims_of(broken)
    share = 1 / 100
    taken = [claims for n, claims in enumerate(every.values()) if n % 100 == 0]
    for quad in list(broken.quads_for_pattern(NamedNode(taken[0][0]), prefixes.node("hm:polarity"), None, None)):
        broken.remove(quad)
    broken.add(Quad(NamedNode(taken[1][0]), prefixes.node("hm:polarity"), prefixes.node("hm:absent"), NamedNode(sources.HPOA)))
    broken.flush()
    del broken
    fast, reference = (batches.validate(copy, shapes, engine=e, share=share, workers=1)[1] for e in validation.ENGINES)
    assert fast == reference
    assert {f.focus for f in fast} >= {taken[0][0], taken[1][0]}


def test_a_file_is_not_checked_against_the_linked_graph(linked: Path) -> None:
    assert hypomag("validate", "x.ttl", "--graph-dir", str(linked)).returncode == 2


def test_a_linked_graph_is_written_as_quads_in_no_other_rdf(linked: Path, tmp_path: Path) -> None:
    done = hypomag("export", "--format", "nq", "--graph-dir", str(linked))
    lines = done.stdout.splitlines()
    assert len(lines) == len(set(lines)) == manifest(linked)["statements"]
    assert hypomag("export", "-f", "nq", "-o", str(tmp_path / "all.nq"), "--graph-dir", str(linked)).returncode == 0
    assert (tmp_path / "all.nq").read_text(encoding="utf-8") == done.stdout
    for way in (("-f", "turtle"), ("-f", "jsonld"), ("--bundle", "fuseki")):
        done = hypomag("export", *way, "-o", str(tmp_path / "x"), "--graph-dir", str(linked))
        assert done.returncode == 2
        assert "too large" in done.stderr
        assert len(done.stderr.splitlines()) == 2
        assert not (tmp_path / "x").exists()


def test_hpo_s_file_comes_back_whole_with_ours_in_it(slices: Path, linked: Path, joined: Store, store: Store, tmp_path: Path) -> None:
    """Every row of every disease as it stood, and the same rows of ours as without linking."""
    out = tmp_path / "phenotype.hpoa"
    done = hypomag("export", "-f", "hpoa", "-o", str(out), "--graph-dir", str(linked))
    assert done.returncode == 0, done.stderr
    rows = [line for line in out.read_text(encoding="utf-8").splitlines() if not line.startswith(("#", "database_id"))]
    ours = [row for row in rows if row.rpartition("\t")[2].startswith("hypomag:")]
    theirs = [
        line for line in (slices / "phenotype.hpoa").read_text(encoding="utf-8").splitlines() if not line.startswith(("#", "database_id"))
    ]
    assert Counter(rows) - Counter(ours) == Counter(theirs)
    alone = {"\t".join(row) for row in hpoa.annotate(store, claims.read(store))[0]}
    assert set(ours) == {row for row in alone if row.rpartition("\t")[2].startswith("hypomag:")}
    rows_hold(joined)


def test_sssom_of_a_linked_graph_has_ours_with_all_that_is_told_of_them(linked: Path, built: Path, tmp_path: Path) -> None:
    out = tmp_path / "mappings.sssom.tsv"
    done = hypomag("export", "-f", "sssom", "-o", str(out), "--graph-dir", str(linked))
    assert done.returncode == 0, done.stderr

    def rows(path: Path) -> list[dict[str, str]]:
        text = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        return list(csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE))

    key = ("subject_id", "predicate_id", "predicate_modifier", "object_id", "mapping_justification", "license")
    every, ours = ({tuple(row[k] for k in key) for row in rows(path)} for path in (out, built / "mappings.sssom.tsv"))
    assert ours <= every


def test_kgx_of_a_linked_graph_keeps_the_laws(joined: Store) -> None:
    edges_hold(joined)


def test_a_linked_graph_is_loaded_and_counted(linked: Path, tmp_path: Path) -> None:
    with servers.oxigraph(tmp_path) as store:
        done = hypomag("load", store.url, "--graph-dir", str(linked))
        assert done.returncode == 0, done.stderr
        assert f"{manifest(linked)['statements']} triples" in done.stderr
        told = {row.split()[0]: row.split()[1:3] for row in done.stdout.splitlines()[2:-1]}
        stated = manifest(linked)["graphs"]
        assert isinstance(stated, dict)
        assert told == {n.removeprefix(sources.GRAPHS): [str(g["statements"])] * 2 for n, g in stated.items()}
        again = hypomag("load", store.url, "--graph-dir", str(linked))
        assert "nothing to change" in again.stderr


def test_rows_of_an_entry_stand_together(store: Store) -> None:
    from tests.test_lifting import annotation

    rows = [annotation(), annotation(database_id="OMIM:1"), annotation()]
    with pytest.raises(InputError, match="do not stand together"):
        lifting.lift(rows, store, {"OMIM:602014": FHSH, "OMIM:1": FHSH}, set())


def later(slices: Path, out: Path) -> tuple[Path, Path]:
    """Files as upstream might publish them next: one change of each kind that --check tells."""
    text = (slices / "hp.obo").read_text(encoding="utf-8")
    terms = frames(text)
    terms["HP:0001250"] = terms["HP:0001250"].replace("name: Seizure\n", "name: Epileptic fit\n")
    terms["HP:0002901"] = "[Term]\nid: HP:0002901\nname: obsolete Hypocalcemia\nis_obsolete: true\nreplaced_by: HP:0002900\n\n"
    del terms["HP:0001281"]
    terms["HP:0001250"] = terms["HP:0001250"].replace("id: HP:0001250\n", "id: HP:0001250\nalt_id: HP:0001281\n", 1)
    (out / "hp.obo").write_text("".join(terms.values()), encoding="utf-8")
    rows = (slices / "mondo.sssom.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    changed = []
    for row in rows:
        if row.startswith("MONDO:0011176\t") and "\tOMIM:602014\t" in row:
            changed.append(row.replace("MONDO:0011176\t", "MONDO:0018100\t"))
            changed.append(row.replace("OMIM:602014", "OMIM:999999"))
            changed.append(row.replace("OMIM:602014", "Orphanet:34527"))
        elif not (row.startswith("MONDO:0009548\t") and "\tOrphanet:" in row):
            changed.append(row)
    (out / "mondo.sssom.tsv").write_text("".join(changed), encoding="utf-8")
    return out / "hp.obo", out / "mondo.sssom.tsv"


def test_check_tells_what_upstream_has_changed(slices: Path, tmp_path: Path) -> None:
    obo, sets = later(slices, tmp_path)
    done = hypomag("link", str(obo), str(sets), "--to", str(tmp_path / "linked"), "--graph-dir", str(ROOT))
    assert done.returncode == 0, done.stderr
    told = hypomag("link", "--check", "--format", "json", "--to", str(tmp_path / "linked"), "--graph-dir", str(ROOT))
    assert told.returncode == 1, told.stderr
    report = json.loads(told.stdout)
    assert report["stale"] is True
    found = {(c["kind"], c["term"]): c["theirs"] for c in report["changes"]}
    assert found["label", "HP:0001250"] == "Epileptic fit"
    assert found["obsolete", "HP:0002901"].startswith("HP:0002900")
    assert found["gone", "HP:0001281"].startswith("HP:0001250")
    assert {k for k, t in found if t == "MONDO:0011176"} == {"moved", "new", "denied"}
    assert found["moved", "MONDO:0011176"].startswith("MONDO:0018100")
    assert found["new", "MONDO:0011176"] == "OMIM:999999"
    assert found["denied", "MONDO:0011176"] == "Orphanet:34527"
    assert ("dropped", "MONDO:0009548") in found
    text = hypomag("link", "--check", "--to", str(tmp_path / "linked"), "--graph-dir", str(ROOT))
    assert text.returncode == 1
    assert "HP:0001250 (Seizure): now 'Epileptic fit'" in text.stdout
    assert text.stdout.endswith("stale: mend these\n")
    # The new label is the one that the linked graph shows.
    assert names.label(graph.open_linked(tmp_path / "linked"), NamedNode(SEIZURE)) == "Epileptic fit"


def test_check_is_fresh_where_upstream_is_as_we_took_it(linked: Path) -> None:
    done = hypomag("link", "--check", "--format", "json", "--to", str(linked), "--graph-dir", str(ROOT))
    assert done.returncode == 0, done.stdout
    report = json.loads(done.stdout)
    assert report["changes"] == []
    assert report["terms_compared"] > 500
    assert report["mappings_compared"] > 50


def test_a_denied_match_is_not_used(slices: Path, tmp_path: Path) -> None:
    """What upstream matches and we deny stays two diseases: annotations of ORPHA:34527 are not FHSH's."""
    _, sets = later(slices, tmp_path)
    row = next(t for t in (slices / "phenotype.hpoa").read_text(encoding="utf-8").splitlines() if t.startswith("ORPHA:"))
    head = [t for t in (slices / "phenotype.hpoa").read_text(encoding="utf-8").splitlines() if t.startswith(("#", "database_id"))]
    (tmp_path / "one.hpoa").write_text("\n".join([*head, "ORPHA:34527\t" + row.split("\t", 1)[1]]) + "\n", encoding="utf-8")
    done = hypomag("link", str(sets), str(tmp_path / "one.hpoa"), "--to", str(tmp_path / "linked"), "--graph-dir", str(ROOT))
    assert done.returncode == 0, done.stderr
    joined = graph.open_linked(tmp_path / "linked")
    lifted = NamedNode(sources.HPOA)
    assert {q.object.value for q in joined.quads_for_pattern(None, prefixes.node("hm:subject"), None, lifted)} == {
        "http://www.orpha.net/ORDO/Orphanet_34527"
    }


def test_our_mappings_speak_of_all_kinds_and_deny_some(home: sources.Sources, store: Store) -> None:
    found = Counter((m.subject.rsplit("/", 1)[-1].split("_")[0], m.predicate.rsplit("#")[-1]) for m in mappings.matches(home.mappings))
    kinds = {prefixes.shorten(m.subject).partition(":")[0] for m in mappings.matches(home.mappings)}
    assert kinds == {"MONDO", "HGNC", "HP", "MAXO", "LOINC"}, found
    denied = set(mappings.NOT_MATCH.values())
    pairs = {(m.subject, m.object) for m in mappings.matches(home.mappings) if m.predicate in denied}
    assert (FHSH, "http://www.orpha.net/ORDO/Orphanet_34527") in pairs
    stated = {(m.subject, m.object) for m in mappings.matches(home.mappings) if m.predicate not in denied}
    assert not pairs & stated
    assert has(store, None, NamedNode(mappings.NOT_MATCH[mappings.EXACT]), None, NamedNode(sources.MAPPINGS)) >= 8


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("semapv:ManualMappingCuration\t", "\t"), "justification"),
        (("skos:exactMatch\t\t", "\t\t"), "predicate"),
        (("\tskos:exactMatch\t\t", "\tskos:broadMatch\tNot\t"), "no negative"),
        (("MONDO:0011176\t", "NOWHERE:1\t"), "cannot be read"),
    ],
)
def test_a_mapping_set_that_is_not_valid_is_refused(change: tuple[str, str], part: str, slices: Path, tmp_path: Path) -> None:
    text = (slices / "mondo.sssom.tsv").read_text(encoding="utf-8")
    (tmp_path / "x.sssom.tsv").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(InputError, match=part):
        list(mappings.matches(tmp_path / "x.sssom.tsv"))


UNIPROT = """
@prefix up: <http://purl.uniprot.org/core/> .
@prefix p: <http://purl.uniprot.org/uniprot/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
p:ONE a up:Protein ; up:reviewed true ; up:organism <http://purl.uniprot.org/taxonomy/9606> ;
  rdfs:seeAlso <http://purl.uniprot.org/hgnc/17995> ; up:annotation p:NOTE .
p:NOTE a up:Function_Annotation ; rdfs:comment "a remark" .
p:TWO a up:Protein ; up:reviewed false ; up:organism <http://purl.uniprot.org/taxonomy/9606> ; rdfs:seeAlso <http://purl.uniprot.org/hgnc/17995> .
p:THREE a up:Protein ; up:reviewed true ; up:organism <http://purl.uniprot.org/taxonomy/9606> ; rdfs:seeAlso <http://purl.uniprot.org/hgnc/1> .
"""
PEER = ("query", "proteins-at-uniprot", "--graph-dir", str(ROOT), "--format", "json")


def test_a_peer_answers_its_part(tmp_path: Path) -> None:
    with servers.oxigraph(tmp_path) as peer:
        httpx.post(f"{peer.url}/store?default", content=UNIPROT, headers={"Content-Type": "text/turtle"}).raise_for_status()
        done = hypomag(*PEER, "--allow-service", "--service-url", f"{peer.url}/query")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["results"]["bindings"]
    assert {(r["geneLabel"]["value"], r["protein"]["value"], r["function"]["value"]) for r in rows} == {
        ("TRPM6", "http://purl.uniprot.org/uniprot/ONE", "a remark")
    }
    assert FHSH in {r["disease"]["value"] for r in rows}


def test_a_peer_is_sent_the_genes_that_are_found_here(home: sources.Sources, store: Store) -> None:
    text = federation.prepared(store, queries.named(home, "proteins-at-uniprot").text, "http://127.0.0.1:9/sparql")
    assert "SERVICE <http://127.0.0.1:9/sparql> { VALUES ?entry { <http://purl.uniprot.org/hgnc/" in text
    assert "sparql.uniprot.org" not in text


def test_a_peer_that_does_not_answer_is_given_up() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/sparql"
        done = hypomag(*PEER, "--allow-service", "--service-url", address, "--timeout", "3")
        assert done.returncode == 2
        assert "took longer than 3 s" in done.stderr
    done = hypomag(*PEER, "--allow-service", "--service-url", address)
    assert done.returncode == 2
    assert "the other server did not answer" in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("more", "part"),
    [((), "--allow-service"), (("--service-url", "http://127.0.0.1/"), "needs --allow-service"), (("--allow-service", "--service-url", "x y"), "no address")],
)  # fmt: skip
def test_a_peer_is_asked_only_when_told_so(more: tuple[str, ...], part: str) -> None:
    done = hypomag(*PEER, *more)
    assert done.returncode == 2
    assert part in done.stderr


def test_progress_is_told_on_a_terminal_alone(slices: Path, linked: Path, built: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hypomag", "link", str(slices / "hp.obo"), "--to", str(tmp_path / "linked"), "--graph-dir", str(built)]
    here, there = pty.openpty()
    process = subprocess.Popen(command, stderr=there)
    os.close(there)
    told = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(here, 4096):
            told += part
    os.close(here)
    assert process.wait() == 0
    assert b"statements" in told and b"\r" in told
    assert "\r" not in link(slices, linked).stderr
