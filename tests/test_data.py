"""The curated data itself; a message names the command or file that mends it."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Store, parse

from hypomag import exports as exports_module
from hypomag import graph, lifting, names, prefixes, queries, sources, validation
from hypomag.formatting import XSD, canonical_decimal, formatted
from tests.conftest import ROOT, SHARED

FILES = sources.find(ROOT).turtle()
OURS = re.compile(
    r"https://w3id\.org/hypomag/(claim|evidence|discriminator|cohort|reference|variant|dose|quantity|variable|formula|step|row)/([A-Za-z0-9.-]+)\Z"
)


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_files_are_in_the_layout(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text, str(path), prefixes.read()) == text, f"hypomag fmt {ids(path)}"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_literals_survive_every_store(path: Path) -> None:
    """Stores rewrite decimals, integers and language tags; the sources hold the form that they keep."""
    for quad in parse(path=str(path), format=RdfFormat.TURTLE):
        term = quad.object
        if isinstance(term, Literal):
            assert term.datatype.value != XSD + "double", f"{ids(path)}: {quad.subject}"
            if term.datatype.value == XSD + "decimal":
                assert term.value == canonical_decimal(term.value), f"{ids(path)}: {quad.subject}"
            if term.datatype.value == XSD + "integer":
                assert re.fullmatch(r"0|-?[1-9]\d*", term.value), f"{ids(path)}: {quad.subject}"
            if term.language:
                assert term.language == term.language.lower(), f"{ids(path)}: {quad.subject}"


def test_no_node_is_described_in_two_files() -> None:
    """One subject, one file; only a lifted line may be added to a curated claim."""
    homes: dict[str, set[str]] = {}
    for path in FILES:
        for quad in parse(path=str(path), format=RdfFormat.TURTLE):
            homes.setdefault(quad.subject.value, set()).add(ids(path))
    twice = {s: h for s, h in homes.items() if len(h - {"ontology/lifted/hpoa.ttl"}) > 1}
    assert not twice


def test_slugs_are_readable(store: Store) -> None:
    for quad in store.quads_for_pattern(None, None, None, NamedNode(sources.CLAIMS)):
        iri = quad.subject.value
        if iri.startswith(sources.BASE) and "#" not in iri:
            assert OURS.match(iri), iri


def test_outside_entities_keep_the_iri_of_the_largest_peer(store: Store) -> None:
    """No gene, disease or publication stands under another spelling."""
    wrong = re.compile(
        r"https?://(identifiers\.org/(mondo|omim|pubmed)|bioregistry|www\.genenames\.org/.|www\.ncbi\.nlm\.nih\.gov/pubmed|www\.omim)"
    )
    for quad in store:
        for term in (quad.subject, quad.object):
            assert not (isinstance(term, NamedNode) and wrong.match(term.value)), quad


def test_the_whole_graph_keeps_to_the_shapes(store: Store) -> None:
    found = validation.validate(exports_module.export(store, "nt"), validation.shapes_text(sources.find(ROOT)))
    assert [f.told() for f in found if f.severity == "Violation"] == []


def test_every_property_and_class_of_ours_is_defined_and_used(store: Store) -> None:
    declared = {q.subject.value for q in store.quads_for_pattern(None, None, None, NamedNode(sources.VOCABULARY))}
    spoken = set()
    for quad in store:
        spoken |= {t.value for t in (quad.predicate, quad.object) if isinstance(t, NamedNode) and t.value.startswith(sources.VOCAB)}
    assert spoken <= declared, sorted(spoken - declared)


def test_fhsh_is_below_the_group_and_not_34527(store: Store) -> None:
    above = NamedNode(prefixes.expand("MONDO:0018100"))
    closure = {NamedNode(prefixes.expand("MONDO:0011176"))}
    subclass = NamedNode(prefixes.expand("rdfs:subClassOf"))
    for _ in range(6):
        closure |= {q.object for c in closure for q in store.quads_for_pattern(c, subclass, None, None)}
    assert above in closure
    ask = "ASK { MONDO:0011176 skos:exactMatch Orphanet:30924 ; hm:notExactMatch Orphanet:34527 }"
    assert queries.run(store, ask)
    assert not queries.run(store, "ASK { MONDO:0011176 skos:exactMatch Orphanet:34527 }")


def test_possible_duplicates_of_mondo_are_named(store: Store) -> None:
    for one, other in (("MONDO:0850088", "MONDO:0012717"), ("MONDO:0019130", "MONDO:0859328")):
        assert queries.run(store, f"ASK {{ {one} hm:possibleDuplicateOf {other} }}")


def test_a_disputed_upstream_annotation_is_shown_as_such(store: Store) -> None:
    """ORPHA:358 is annotated with hypermagnesemia, most likely in error: the claim stands, with a line against it and its counterpart."""
    claim = "claim:hpoa-orpha-358-hp-0002918"
    assert queries.run(store, f"ASK {{ {claim} hm:evidence ?line . ?line hm:direction hm:disputes }}")
    assert queries.run(store, "ASK { claim:gitelman-hypermagnesemia-absent hm:polarity hm:absent ; hm:object HP:0002918 }")


def test_lifted_rows_count_once(store: Store) -> None:
    rows = Counter(
        q.object.value for q in store.quads_for_pattern(None, NamedNode(sources.VOCAB + "sourceRow"), None, NamedNode(sources.HPOA))
    )
    assert rows
    assert max(rows.values()) == 1


def test_every_claim_in_a_disease_file_speaks_in_its_slug() -> None:
    for path in (ROOT / "ontology" / "diseases").glob("*.ttl"):
        assert re.fullmatch(r"[a-z0-9-]+", path.stem)
        assert path.read_text(encoding="utf-8").startswith("# "), f"{path.name}: begins with a comment that says what it holds"


shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the checked reference tables in ../shared, which are not here")


@shared
def test_identifiers_and_labels_are_upstream_s(store: Store) -> None:
    """Terms that are right but stand in no table: in hp.obo under the same label, a cross-reference of hp.obo or MAxO, cited by phenotype.hpoa, or listed with where they were seen."""
    seen_elsewhere = {
        "MAXO:0000001": "maxo-base.owl: medical action",
        "MAXO:0000487": "maxo-base.owl: clinical assessment",
        "MAXO:0000780": "maxo-base.owl: human growth hormone replacement therapy",
        "MAXO:0001594": "maxo-base.owl: family medical history assessment",
        "MAXO:0010032": "maxo-base.owl: cardiac transplantation",
        "MAXO:0010217": "maxo-base.owl: renal ultrasonography",
    }
    upstream = lifting.packaged_folder()
    obo = (upstream / "hp.obo").read_text(encoding="utf-8")
    hp = dict(re.findall(r"^id: (HP:\d+)\nname: (.+)$", obo, re.MULTILINE))
    crossed = {x.replace("SNOMEDCT_US:", "SCTID:") for x in re.findall(r"^xref: (\w+:\w+)", obo, re.MULTILINE)}
    crossed |= set(re.findall(r"hasDbXref[^<]*>(NCIT:C\d+)<", (SHARED / "upstream" / "maxo" / "maxo-base.owl").read_text(encoding="utf-8")))
    cited = set(re.findall(r"PMID:\d+", (upstream / "phenotype.hpoa").read_text(encoding="utf-8")))
    done = subprocess.run(
        [sys.executable, str(SHARED / "tools" / "check_identifiers.py"), *(str(ROOT / d) for d in ("ontology", "queries", "shapes"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    unexplained = []
    for line in (line for line in done.stdout.splitlines() if ": " in line):
        found = re.search(r" ([A-Z]+:C?\d+) stands in no upstream table", line)
        term = found[1] if found else ""
        same = term in hp and names.label(store, prefixes.node(term)) == hp[term]
        if not (same or term in crossed or term in cited or term in seen_elsewhere):
            unexplained.append(line)
    assert unexplained == []


@shared
def test_every_row_of_the_tables_is_accounted_for(store: Store) -> None:
    known = {q.subject.value.rpartition("/")[2] for q in store.quads_for_pattern(None, NamedNode(sources.VOCAB + "table"), None, None)}
    for table in ("facts_trpm6_clinic", "facts_gaps", "facts_other_genes"):
        with (SHARED / "reference" / f"{table}.tsv").open(encoding="utf-8", newline="") as handle:
            rows = {row["fact_id"] for row in csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)}
        assert rows <= known, sorted(rows - known)


@shared
def test_every_annotation_of_hpo_is_lifted_or_listed(store: Store) -> None:
    listed = {q.subject.value.rpartition("/")[2] for q in store.quads_for_pattern(None, NamedNode(sources.VOCAB + "reason"), None, None)}
    lifted = Counter(
        "-".join(q.object.value.rpartition("/")[2].split("-")[1:3]).upper()
        for q in store.quads_for_pattern(None, NamedNode(sources.VOCAB + "sourceRow"), None, NamedNode(sources.HPOA))
    )
    with (SHARED / "reference" / "hpoa.tsv").open(encoding="utf-8", newline="") as handle:
        wanted = Counter(r["database_id"].replace(":", "-") for r in csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert sum(wanted.values()) == 1038
    assert {entry: n for entry, n in wanted.items() if lifted[entry] != n and f"HPOA-{entry}" not in listed} == {}


TOPICS = {
    "Cause": "CausationClaim", "Inheritance": "InheritanceClaim", "Phenotype": "PhenotypeClaim LaboratoryClaim",
    "Diagnosis": "DiagnosticClaim ThresholdClaim", "Treatment": "TreatmentClaim DoseClaim", "Prognosis": "PrognosisClaim",
}  # fmt: skip


def diseases(store: Store) -> list[str]:
    rows = queries.run(store, """
        SELECT DISTINCT ?disease WHERE {
          GRAPH graph:claims { ?claim hm:subject ?disease }
          ?disease biolink:category biolink:Disease .
          FILTER(STRSTARTS(STR(?disease), "http://purl.obolibrary.org/obo/MONDO_"))
        } ORDER BY ?disease""")  # fmt: skip
    return [prefixes.shorten(r["disease"].value) for r in rows]


def test_there_are_enough_disease_files() -> None:
    assert len(list((ROOT / "ontology" / "diseases").glob("*.ttl"))) >= 32


def test_every_disease_says_or_lacks_in_so_many_words(store: Store) -> None:
    """Cause, inheritance, signs, diagnosis, treatment and outlook: a claim with its source, or an explicit gap."""
    silent = []
    for disease in diseases(store):
        for topic, kinds in TOPICS.items():
            if (disease, topic) == ("MONDO:0006844", "Inheritance"):  # acquired
                continue
            listed = ", ".join(f"hm:{k}" for k in kinds.split())
            said = queries.run(store, f"""
                ASK {{ ?claim a ?kind ; hm:subject {disease} ; hm:evidence/dcterms:source ?source ; hm:object ?object .
                FILTER(?kind IN ({listed}) || (?kind = hm:GapClaim && ?object = hm:topic{topic})) }}""")  # fmt: skip
            if not said:
                silent.append(f"{disease} {names.label(store, prefixes.node(disease))}: {topic}")
    assert silent == []


def test_assembling_is_the_same_whatever_the_order(home: sources.Sources) -> None:
    assert set(graph.assemble(home)) == set(graph.assemble(home))
