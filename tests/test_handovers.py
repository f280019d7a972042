"""The laws of every exporter: no claim lost without being listed, no absent claim turned positive, counts and onset kept."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store

from hypomag import citations, claims, exports, folders, graph, handovers, hpoa, kgx, lifting, losses, prefixes, sources
from hypomag.claims import Claims
from hypomag.errors import InputError
from tests.conftest import ROOT, hypomag

node = prefixes.node
PARSERS = {
    "turtle": RdfFormat.TURTLE, "nt": RdfFormat.N_TRIPLES, "rdfxml": RdfFormat.RDF_XML,
    "nq": RdfFormat.N_QUADS, "trig": RdfFormat.TRIG, "jsonld": RdfFormat.JSON_LD,
}  # fmt: skip


# --- any graph -------------------------------------------------------------------------------------------------------

CATEGORIES = {
    "MONDO:0011176": "Disease", "MONDO:0018100": "Disease", "HP:0001250": "PhenotypicFeature", "HP:0002917": "PhenotypicFeature",
    "HP:0000007": "PhenotypicFeature", "HGNC:17995": "Gene", "CHEBI:18420": "ChemicalEntity", "MAXO:0001149": "Procedure",
    "UBERON:0001291": "AnatomicalEntity", "CL:0000057": "Cell", "GO:0006816": "BiologicalProcess",
}  # fmt: skip
VARIANT, VARIABLE, VALUE = "variant:v", "variable:serum-magnesium", "hm:rareDisease"
THINGS = [*CATEGORIES, VARIANT, VARIABLE, VALUE]
# Mostly forms that a format has a place for; the rest is drawn from everything.
USUAL = [
    *[(kind, predicate, "MONDO:0011176", "HP:0001250") for kind in ("PhenotypeClaim", "ComplicationClaim") for predicate in ("RO:0002200",)],
    ("InheritanceClaim", "biolink:has_mode_of_inheritance", "MONDO:0011176", "HP:0000007"),
    ("OnsetClaim", "hm:hasOnset", "MONDO:0011176", "HP:0003593"),
    ("CausationClaim", "RO:0004002", "MONDO:0011176", "HGNC:17995"),
    ("TreatmentClaim", "hm:treatedBy", "MONDO:0011176", "MAXO:0001149"),
    ("LaboratoryClaim", "hm:hasLaboratoryFinding", "MONDO:0011176", VARIABLE),
    ("SiteClaim", "RO:0002206", "HGNC:17995", "CL:0000057"),
    ("VariantClaim", "hm:hasSignificance", VARIANT, "MONDO:0011176"),
    ("SecondaryCauseClaim", "RO:0003303", "CHEBI:18420", "MONDO:0018100"),
]  # fmt: skip
KINDS = sorted({kind for kind, *_ in USUAL} | set(kgx.REASONS))
PREDICATES = sorted(
    {predicate for _, predicate, *_ in kgx.PLACES}
    | {"hm:hasOnset", "hm:treatedBy", "hm:hasLaboratoryFinding", "hm:dosedAs", "hm:carriedOutAs"}
)
DETAILS = {
    "hm:onset": ["HP:0003593", "HP:0003623"], "hm:severity": ["HP:0012828"], "hm:modifier": ["HP:0025153"],
    "hm:population": ["hm:newborns", "hm:adults"], "hm:context": ["MONDO:0018100", "hm:treated"], "hm:location": ["UBERON:0001291"],
    "hm:agent": ["CHEBI:18420"], "hm:goal": ["HP:0001250", VARIABLE], "hm:state": ["hm:stateLow", "hm:stateHigh", "hm:stateNormal"],
    "hm:sex": ["=female", "=male"], "hm:answers": ["=S1"],
}  # fmt: skip


LINE_DETAILS = [("hm:cohort", "hm:Cohort-1"), ("hm:measured", "hm:Quantity-1"), ("hm:measured", "hm:Quantity-2")]


@st.composite
def lines(draw: st.DrawFn) -> dict[str, object]:
    found: dict[str, object] = {
        "supports": draw(st.booleans()),
        "study": draw(st.sampled_from(["cohort", "review", "guideline", "animal", ""])),
    }
    found["source"] = draw(st.sampled_from(["PMID:12032570", "doi:10.1000/x", "reference:page", "OMIM:602014"]))
    if draw(st.booleans()):
        found["examined"] = draw(st.integers(1, 30))
        found["affected"] = draw(st.integers(0, int(str(found["examined"]))))
        if draw(st.booleans()):
            found["derived"] = True
        if draw(st.booleans()):
            found["percent"] = "67"
    elif draw(st.booleans()):
        found["percent"] = draw(st.sampled_from(["0", "17.5", "100"]))
    elif draw(st.booleans()):
        found["band"] = "HP:0040282"
    if draw(st.booleans()):
        found["details"] = draw(st.lists(st.sampled_from(LINE_DETAILS), max_size=3, unique=True))
    return found


@st.composite
def propositions(draw: st.DrawFn) -> dict[str, object]:
    anything = st.tuples(st.sampled_from(KINDS), st.sampled_from(PREDICATES), st.sampled_from(THINGS), st.sampled_from(THINGS))
    kind, predicate, subject, target = draw(st.one_of(st.sampled_from(USUAL), st.sampled_from(USUAL), anything))
    details = draw(st.lists(st.sampled_from([(k, v) for k, values in DETAILS.items() for v in values]), max_size=3, unique=True))
    return {
        "kind": kind, "predicate": predicate, "subject": subject, "object": target, "details": details,
        "polarity": draw(st.sampled_from(["hm:present", "hm:absent"])),
        "status": draw(st.sampled_from(["hm:accepted", "hm:accepted", "hm:provisional", "hm:retracted"])),
        "lines": draw(st.lists(lines(), max_size=3)),
    }  # fmt: skip


def stored(specs: list[dict[str, object]]) -> Store:
    """A graph with these claims and what exports need to know beside them."""
    store = Store()

    def say(graph: str, subject: str, predicate: str, value: str | int) -> None:
        thing: NamedNode | Literal
        if isinstance(value, int):
            thing = Literal(str(value), datatype=node("xsd:integer"))
        elif value.startswith("="):
            thing = Literal(value[1:])
        else:
            thing = node(value)
        store.add(Quad(node(subject), node(predicate), thing, NamedNode(graph)))

    store.add(Quad(NamedNode(sources.BASE + "vocab"), node("owl:versionInfo"), Literal("9.9.9"), NamedNode(sources.VOCABULARY)))
    store.add(Quad(NamedNode(sources.BASE + "vocab"), node("dcterms:modified"), Literal("2030-01-01"), NamedNode(sources.VOCABULARY)))
    for thing, category in CATEGORIES.items():
        say(sources.TERMS, thing, "biolink:category", f"biolink:{category}")
        say(sources.TERMS, thing, "rdfs:label", f"=the {thing}")
    say(sources.MAPPINGS, "MONDO:0011176", "skos:exactMatch", "OMIM:602014")
    say(sources.MAPPINGS, "MONDO:0011176", "hm:notExactMatch", "Orphanet:34527")
    say(sources.CLAIMS, VARIANT, "rdf:type", "hm:Variant")
    say(sources.CLAIMS, VARIABLE, "hm:lowFinding", "HP:0002917")
    for kind in KINDS:
        say(sources.VOCABULARY, f"hm:{kind}", "rdfs:subClassOf", "hm:Claim")
    for number, spec in enumerate(specs):
        claim = f"claim:c{number}"
        say(sources.CLAIMS, claim, "rdf:type", f"hm:{spec['kind']}")
        say(sources.CLAIMS, claim, "rdfs:label", f"=Claim {number}\twith a tab | and a bar")
        for name in ("subject", "predicate", "object", "polarity", "status"):
            say(sources.CLAIMS, claim, f"hm:{name}", str(spec[name]))
        for name, value in spec["details"]:  # type: ignore[attr-defined]
            say(sources.CLAIMS, claim, name, value)
        for k, line in enumerate(spec["lines"]):  # type: ignore[arg-type, var-annotated]
            evidence = f"evidence:c{number}.l{k}"
            say(sources.CLAIMS, claim, "hm:evidence", evidence)
            say(sources.CLAIMS, evidence, "rdf:type", "hm:EvidenceLine")
            say(sources.CLAIMS, evidence, "dcterms:source", line["source"])
            say(sources.CLAIMS, evidence, "hm:direction", "hm:supports" if line["supports"] else "hm:disputes")
            say(sources.CLAIMS, evidence, "hm:evidenceCode", "ECO:0000304")
            for name, key in (("hm:affected", "affected"), ("hm:examined", "examined")):
                if key in line:
                    say(sources.CLAIMS, evidence, name, line[key])
            if line["study"]:
                say(sources.CLAIMS, evidence, "hm:studyType", f"={line['study']}")
            if "percent" in line:
                say(sources.CLAIMS, evidence, "hm:statedPercent", f"={line['percent']}")
            if "derived" in line:
                say(sources.CLAIMS, evidence, "hm:derivedCount", "=true")
            if "band" in line:
                say(sources.CLAIMS, evidence, "hm:frequency", line["band"])
            for name, value in line.get("details", ()):
                say(sources.CLAIMS, evidence, name, value)
            say(sources.CLAIMS, evidence, "hm:note", "=In our words.")
            say(sources.SHORTCUTS, evidence, "rdf:type", "hm:Derived")
        # What rules derive about a claim is no qualifier of it.
        say(sources.SHORTCUTS, claim, "rdf:type", "hm:Claim")
        say(sources.SHORTCUTS, claim, "hm:variableShown", VARIABLE)
        say(sources.SHORTCUTS, claim, "hm:stateShown", "hm:stateLow")
    return store


any_graph = st.lists(propositions(), max_size=6).map(stored)
law = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


# --- the laws --------------------------------------------------------------------------------------------------------


def covered(found: Claims, report: losses.Losses, gone_along: dict[str, set[str]]) -> None:
    """Every claim is exported or listed, never both; every line of an exported claim too. `gone_along`: claim → its lines."""
    assert len(set(report.items)) == len(report.items), "listed twice"
    lost = Counter(item.claim for item in report.of(losses.CLAIM))
    assert set(lost) | set(gone_along) == {c.iri for c in found.claims}
    assert not set(lost) & set(gone_along)
    assert set(lost.values()) <= {1}
    left = Counter((item.claim, item.part) for item in report.of(losses.LINE))
    assert set(left.values()) <= {1}
    for claim in found.claims:
        if claim.iri in gone_along:
            listed = {part for iri, part in left if iri == claim.iri}
            assert listed | gone_along[claim.iri] == {line.iri for line in claim.lines}, claim.iri
            assert not listed & gone_along[claim.iri]
            assert gone_along[claim.iri] <= {line.iri for line in claim.lines if line.supports}, "a dispute went out as support"
            assert claim.status != "retracted"
    assert report.lines == sum(map(len, gone_along.values()))
    assert report.claims == len(found.claims)


def edges_hold(store: Store) -> None:
    found = claims.read(store)
    nodes, edges, report = kgx.graph(store, found)
    listed = {(item.claim, item.part) for item in report.of(losses.DETAIL)}
    by_line = {line.iri: (claim, line) for claim in found.claims for line in claim.lines}
    gone: dict[str, set[str]] = {}
    known = {str(n["id"]) for n in nodes}
    details: dict[str, set[str]] = {}
    for edge in edges:
        claim, line = by_line[str(edge["iri"])]
        assert edge["hypomag_claim"] == claim.iri
        gone.setdefault(claim.iri, set()).add(line.iri)
        assert edge["negated"] is claim.absent
        assert {edge["subject"], edge["object"]} <= known
        kept = list(edge.get("hypomag_qualifiers", []))  # type: ignore[call-overload]
        counts = (edge.get("has_count"), edge.get("has_total"))
        if line.examined is not None and (line.derived or counts == (None, None)):
            assert counts == (None, None), "a computed count is not what the source says"
            assert {f"affected={line.affected}", f"examined={line.examined}"} <= set(kept)
            assert {(claim.iri, f"hm:{name} of {line.iri}") for name in ("affected", "examined")} <= listed
        elif line.examined is not None:
            assert counts == (line.affected, line.examined)
        else:
            assert counts == (None, None)
        said = {str(v) for value in edge.values() for v in (value if isinstance(value, list) else [value])}
        said |= {text.partition("=")[2] for text in kept}
        for name, value in claim.details:
            if name not in claims.ASIDE and not (claim.kind == "LaboratoryClaim" and name == "hm:state"):
                assert kgx.curie(value) in said or kgx.SEXES.get(value) in said, (name, value, edge)
        onsets = claim.values("hm:onset")
        if len(onsets) == 1 and "onset_qualifier" in edge:
            assert edge["onset_qualifier"] == kgx.curie(onsets[0])
        assert edge["hypomag_status"] == claim.status
        if claim.absent:  # a condition that a reader of Biolink does not see would make the absence wider than claimed
            assert {text.partition("=")[0] for text in kept} <= {
                "action",
                "affected",
                "examined",
                "statedPercent",
                "frequency",
                "derivedCount",
                "cohort",
                "measured",
            }
        for name, value in line.details:
            assert f"{name.removeprefix('hm:')}={kgx.curie(value)}" in kept
            assert (claim.iri, f"{name} of {line.iri}") in listed
        details.setdefault(claim.iri, set()).update(kept)
    covered(found, report, gone)
    for iri, kept in details.items():
        assert len([1 for claim, _ in listed if claim == iri]) >= bool(kept), "kept outside of the model and not listed"
    negatives = {(str(e["subject"]), str(e["predicate"]), str(e["object"])) for e in edges if e["negated"]}
    assert len({e["id"] for e in edges}) == len(edges)
    assert all(p.startswith("biolink:") for _, p, _ in negatives)


def rows_hold(store: Store) -> None:
    found = claims.read(store)
    rows, report = hpoa.annotate(store, found)
    by_line = {line.iri: (claim, line) for claim in found.claims for line in claim.lines}
    lifted = Counter(line.row for claim in found.claims for line in claim.lines if line.row and claim.status != "retracted")
    gone: dict[str, set[str]] = {}
    for claim in found.claims:
        for line in claim.lines:
            if line.row and claim.status != "retracted":
                gone.setdefault(claim.iri, set()).add(line.iri)
    assert Counter("\t".join(row) for row in rows if not row[-1].startswith("hypomag:")) == lifted
    severals = {(item.claim, item.part) for item in report.of(losses.DETAIL)}
    for row in rows:
        cells = dict(zip(lifting.COLUMNS, row, strict=True))
        if not cells["biocuration"].startswith("hypomag:"):
            continue
        match = re.fullmatch(r"hypomag:(.+)\[\d{4}-\d\d-\d\d\]", cells["biocuration"])
        assert match
        claim, line = by_line[f"{sources.BASE}evidence/{match[1]}"]
        gone.setdefault(claim.iri, set()).add(line.iri)
        says_absent = cells["qualifier"] == "NOT" or cells["frequency"].startswith("0/")
        assert says_absent is claim.absent
        assert not (cells["qualifier"] == "NOT" and cells["frequency"]), "libraries read NOT with 0/m as all of m"
        if line.derived:
            stated = f"{line.percent}%" if line.percent and not claim.absent else ""
            assert cells["frequency"] == stated, "a count that was computed is not what the source says"
            assert {(claim.iri, f"hm:{name} of {line.iri}") for name in ("affected", "examined")} <= severals
        elif line.examined is not None:
            assert cells["frequency"] == f"{line.affected}/{line.examined}"
        onsets = claim.values("hm:onset")
        if len(onsets) == 1:
            assert cells["onset"] == prefixes.shorten(onsets[0])
        else:
            assert cells["onset"] == ""
            assert not (onsets and claim.absent), "absent only at some ages"
            assert all((claim.iri, f"hm:onset {prefixes.shorten(o)}") in severals for o in onsets)
        assert {(claim.iri, f"{name} of {line.iri}") for name, _ in line.details} <= severals
        for name in ("hm:severity", "hm:modifier"):
            assert all(prefixes.shorten(v) in cells["modifier"].split(";") for v in claim.values(name))
        assert not any(claim.values(name) for name in ("hm:population", "hm:context", "hm:location")), "narrower than its row"
    covered(found, report, gone)


@law
@given(any_graph)
def test_kgx_keeps_the_laws(store: Store) -> None:
    edges_hold(store)


@law
@given(any_graph)
def test_hpoa_keeps_the_laws(store: Store) -> None:
    rows_hold(store)


@settings(law, max_examples=25)
@given(any_graph, st.sampled_from(sorted(PARSERS)))
def test_rdf_loses_nothing(store: Store, form: str) -> None:
    again = Store()
    again.load(exports.export(store, form), format=PARSERS[form])
    if form in exports.DATASET_FORMATS:
        assert set(again) == set(store)
        assert claims.read(again) == claims.read(store)
    else:
        assert {quad.triple for quad in again} == set(exports.union(store))


@settings(law, max_examples=30)
@given(any_graph)
def test_both_spellings_of_kgx_say_the_same(store: Store) -> None:
    files = handovers.hand_over(store, "kgx").files
    for part, columns in (("nodes", kgx.NODE_COLUMNS), ("edges", kgx.EDGE_COLUMNS)):
        table = list(csv.DictReader(io.StringIO(files[f"hypomag_{part}.tsv"].decode()), delimiter="\t", quoting=csv.QUOTE_NONE))
        records = [json.loads(line) for line in files[f"hypomag_{part}.jsonl"].decode().splitlines()]
        assert len(table) == len(records)
        for row, record in zip(table, records, strict=True):
            assert list(row) == list(columns)
            for column in columns:
                value = record.get(column, "")
                if isinstance(value, bool):
                    assert row[column] == ("true" if value else ""), "kgx reads the text false as true"
                elif isinstance(value, list):
                    assert row[column] == "|".join(" ".join(v.replace("|", "/").split()) for v in value)
                else:
                    assert row[column] == " ".join(str(value).split())


@st.composite
def annotation_rows(draw: st.DrawFn) -> lifting.Annotation:
    qualifier = draw(st.sampled_from(["", "NOT"]))
    frequency = "" if qualifier else draw(st.sampled_from(["", "0/5", "3/7", "17.50%", "50%", "HP:0040282"]))
    return lifting.Annotation(
        line=1, version="2025-01-16", database_id="OMIM:602014", disease_name="Hypomagnesemia 1, intestinal",
        qualifier=qualifier, frequency=frequency, biocuration="HPO:test[2025-01-01]",
        hpo_id=draw(st.sampled_from(["HP:0001250", "HP:0002917", "HP:0000007"])),
        reference=draw(st.sampled_from(["PMID:12032570", "OMIM:602014", "PMID:1;PMID:2"])),
        evidence=draw(st.sampled_from(["PCS", "TAS", "IEA"])), onset=draw(st.sampled_from(["", "HP:0003593"])),
        sex=draw(st.sampled_from(["", "MALE", "FEMALE"])), modifier=draw(st.sampled_from(["", "HP:0012828", "HP:0025153;HP:0012828"])),
        aspect=draw(st.sampled_from("PICMH")),
    )  # fmt: skip


@law
@given(st.lists(annotation_rows(), max_size=6), st.lists(propositions(), max_size=3))
def test_lifted_rows_come_back_as_they_stood(rows: list[lifting.Annotation], specs: list[dict[str, object]]) -> None:
    store = stored(specs)
    for triple in lifting.lift(rows, store, {"OMIM:602014": prefixes.expand("MONDO:0011176") or ""}, {"HP:0003593"}):
        store.add(Quad(triple.subject, triple.predicate, triple.object, NamedNode(sources.HPOA)))
    retracted = {line.row for claim in claims.read(store).claims if claim.status == "retracted" for line in claim.lines}
    text, _ = hpoa.export(store)
    back = Counter(line for line in text.splitlines() if "\tHPO:test[" in line)
    stood = Counter("\t".join(getattr(row, c) for c in lifting.COLUMNS) for row in rows)
    assert dict(back) == {k: n for k, n in stood.items() if k not in retracted}
    rows_hold(store)
    edges_hold(store)


def test_what_rules_derive_is_no_qualifier() -> None:
    spec = claim(kind="PhenotypeClaim", predicate="RO:0002200", object="HP:0002917")
    (read,) = claims.read(stored([spec])).claims
    assert read.details == ()
    assert len(hpoa.annotate(stored([spec]), claims.read(stored([spec])))[0]) == 1


# --- the real graph --------------------------------------------------------------------------------------------------


def test_the_real_graph_keeps_the_laws(store: Store) -> None:
    edges_hold(store)
    rows_hold(store)


def test_no_claim_is_left_out_for_nothing(store: Store) -> None:
    """Each claim that is listed as narrowed has a curated qualifier that narrows it; each listed detail is stated in the graph."""
    narrowing = {
        "hpoa": {"hm:context", "hm:population", "hm:location"},
        "kgx": {"hm:agent", "hm:context", "hm:goal", "hm:route", "hm:severity", "hm:statedAs"},
    }
    curated = [NamedNode(sources.CLAIMS), NamedNode(sources.HPOA)]
    for form, reason in (("hpoa", hpoa.NARROWED), ("kgx", kgx.NARROW)):
        report = handovers.hand_over(store, form).losses
        narrowed = [item for item in report.of(losses.CLAIM) if item.reason == reason]
        assert narrowed
        for item in narrowed:
            stated = {
                prefixes.shorten(q.predicate.value) for g in curated for q in store.quads_for_pattern(NamedNode(item.claim), None, None, g)
            }
            assert stated & narrowing[form], item
        for item in report.of(losses.DETAIL):
            name, _, rest = item.part.partition(" ")
            about = rest.removeprefix("of ") if rest.startswith("of ") else item.claim
            if name != kgx.ACTION:
                assert any(list(store.quads_for_pattern(NamedNode(about), node(name), None, g)) for g in curated), item


def test_hpo_annotations_come_back_as_they_stood(store: Store) -> None:
    """The rows of phenotype.hpoa 2025-01-16 for our diseases, order aside, and none besides."""
    mapped = lifting.databases(store, lifting.own_diseases(store))
    place = lifting.packaged_folder() / "phenotype.hpoa"
    theirs = Counter("\t".join(getattr(r, c) for c in lifting.COLUMNS) for r in lifting.read_annotations(place) if r.database_id in mapped)
    text, _ = hpoa.export(store)
    ours = [line for line in text.splitlines() if not line.startswith(("#", "database_id"))]
    curated = [line for line in ours if line.rpartition("\t")[2].startswith("hypomag:")]
    assert Counter(line for line in ours if line not in set(curated)) == theirs
    assert len(theirs) > 500
    assert len(curated) > 100


def test_what_it_writes_the_lifter_reads(store: Store, tmp_path: Path) -> None:
    place = tmp_path / "phenotype.hpoa"
    text, report = hpoa.export(store)
    place.write_text(text, encoding="utf-8")
    rows = list(lifting.read_annotations(place))
    assert len(rows) == report.lines
    assert {row.version for row in rows} == {exports.release(store)[1]}


def test_evidence_tells_who_says_it(store: Store) -> None:
    """Curated lines are assertions of ours; lifted ones of HPO, and those made by a program say so."""
    edges = {str(e["iri"]): e for e in kgx.graph(store, claims.read(store))[1]}
    seen = Counter()
    for claim in claims.read(store).claims:
        for line in claim.lines:
            if line.iri not in edges:
                continue
            edge = edges[line.iri]
            passed = [edge["primary_knowledge_source"], *edge.get("aggregator_knowledge_source", [])]  # type: ignore[misc]
            assert passed[-1] == "infores:hypomag"
            assert (passed[0] == "infores:hpo-annotations") is bool(line.hpoa)
            expected = {"IEA": ("not_provided", "automated_agent"), "": ("knowledge_assertion", "not_provided")}
            assert (edge["knowledge_level"], edge["agent_type"]) == expected.get(line.hpoa, ("knowledge_assertion", "manual_agent"))
            seen[line.hpoa] += 1
    assert set(seen) == {"", "IEA", "PCS", "TAS"}


def test_a_database_is_named_as_the_source_of_what_it_says(store: Store) -> None:
    edges = kgx.graph(store, claims.read(store))[1]
    sources_of: dict[str, set[tuple[str, ...]]] = {}
    for edge in edges:
        slug = str(edge["publications"][0]).rpartition("/reference/")[2]  # type: ignore[index]
        passed = (str(edge["primary_knowledge_source"]), *edge.get("aggregator_knowledge_source", []))  # type: ignore[misc]
        sources_of.setdefault(slug, set()).add(passed)
    assert sources_of["clinvar-2021-01-24"] == {("infores:clinvar", "infores:hypomag")}
    assert sources_of["mondo-2026-08-04"] == {("infores:mondo", "infores:hypomag")}
    assert sources_of["omim-602014-medgen"] == {("infores:omim", "infores:medgen", "infores:hypomag")}
    assert sources_of["panelapp-292-v5-11"] == {("infores:hypomag",)}
    publishers = {q.object.value for q in store.quads_for_pattern(None, node("dcterms:publisher"), None, None)}
    references = {q.subject.value for q in store.quads_for_pattern(None, node("rdf:type"), node("hm:Reference"), None)}
    assert set(citations.RESOURCES) <= publishers | references


def test_every_publication_of_a_row_goes_along(store: Store) -> None:
    """An HPO annotation may cite several publications for one count; its line has the first as its source."""
    found = claims.read(store)
    rows = {line.iri: line.row for claim in found.claims for line in claim.lines if line.row}
    several = 0
    for edge in kgx.graph(store, found)[1]:
        if cited := rows.get(str(edge["iri"]), "").split("\t")[4:5]:
            stated = [r.replace("ORPHA:", "ORDO:Orphanet_") for r in cited[0].split(";")]
            assert edge["publications"] == stated
            several += len(stated) > 1
    assert several > 20


def test_a_source_is_named_where_a_reader_finds_it(store: Store) -> None:
    """PMID, DOI or database number, else the address of the page where it has one; our IRI, which does not resolve, comes last."""
    references = {q.subject.value for q in store.quads_for_pattern(None, node("rdf:type"), node("hm:Reference"), None)}
    cited = {iri: citations.cite(store, iri) for iri in references}
    assert cited[f"{sources.BASE}reference/hnf1b-14-children-pmc7408390"] == "https://pmc.ncbi.nlm.nih.gov/articles/PMC7408390"
    assert cited[prefixes.expand("PMID:12032570") or ""] == "PMID:12032570"
    for iri, text in cited.items():
        addresses = [q.object.value for q in store.quads_for_pattern(NamedNode(iri), node("hm:address"), None, None)]
        assert text != iri or not any(map(citations.opens, addresses)), iri
    rows, _ = hpoa.annotate(store, claims.read(store))
    assert {row[4] for row in rows if "w3id.org" in row[4]} < {text for text in cited.values() if "w3id.org" in text}


def test_orphanet_has_one_spelling(store: Store) -> None:
    files = handovers.hand_over(store, "kgx").files
    for name in ("hypomag_nodes.jsonl", "hypomag_edges.jsonl"):
        for line in files[name].decode().splitlines():
            ids = [v for key, value in json.loads(line).items() if key in ("xref", "publications") for v in value]
            assert all(v.startswith("ORDO:Orphanet_") for v in ids if "orpha" in v.lower() and not v.startswith(sources.BASE)), ids


def test_what_of_a_line_never_goes_along_is_named(store: Store) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in claims.BEHIND - {"rdf:type", "rdfs:label"}:
        assert f"`{name}`" in text, name
    said = {
        prefixes.shorten(q.predicate.value)
        for claim in claims.read(store).claims
        for line in claim.lines
        for q in store.quads_for_pattern(NamedNode(line.iri), None, None, None)
    }
    assert said == claims.BEHIND | claims.HELD | {"hm:cohort", "hm:measured"}


def test_files_say_version_date_and_licence(store: Store) -> None:
    version, date = exports.release(store)
    told = json.loads(handovers.hand_over(store, "kgx").files["hypomag_metadata.json"])
    assert (told["version"], told["date"], told["license"]) == (version, date, exports.LICENCE_CC_BY)
    assert "2025-01-16" in next(part["rights"] for part in told["parts"] if "hpo.jax.org" in (part["license"] or ""))
    head = [line for line in hpoa.export(store)[0].splitlines() if line.startswith("#")]
    assert f"#version: {date}" in head
    assert f"#hypomag-version: {version}" in head
    (licence,) = (line for line in head if line.startswith("#license: "))
    assert {exports.LICENCE_CC_BY, "https://hpo.jax.org/app/license"} <= set(licence.replace(";", "").split())


def test_a_disputed_claim_says_by_what(store: Store) -> None:
    edges = kgx.graph(store, claims.read(store))[1]
    disputed = [e for e in edges if e.get("hypomag_disputed_by")]
    assert disputed
    ids = {e["iri"] for e in edges}
    assert not {iri for e in disputed for iri in e["hypomag_disputed_by"]} & ids  # type: ignore[attr-defined]


def test_a_laboratory_finding_counts_once(store: Store) -> None:
    """No reference counts twice for one finding of one disease, as a laboratory value and as a phenotype."""
    found = claims.read(store)
    of_claim = {c.iri: c for c in found.claims}
    told: dict[tuple[str, ...], set[str]] = {}
    for edge in kgx.graph(store, found)[1]:
        claim = of_claim[str(edge["hypomag_claim"])]
        if edge["predicate"] == "biolink:has_phenotype":
            key = (str(edge["subject"]), str(edge["object"]), str(edge["negated"]), str(edge["publications"]))
            told.setdefault(key, set()).add("laboratory" if claim.kind == "LaboratoryClaim" else "phenotype")
    assert any("laboratory" in kinds for kinds in told.values())
    assert not [key for key, kinds in told.items() if len(kinds) > 1]


def claim(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "iri": "claim:x", "kind": "TreatmentClaim", "label": "X", "subject": "MONDO:0011176", "predicate": "hm:treatedBy",
        "object": "MAXO:0001149", "polarity": "hm:present", "status": "hm:accepted", "details": [],
        "lines": [{"supports": True, "study": "guideline", "source": "PMID:12032570"}],
    }  # fmt: skip
    return base | changes


@pytest.mark.parametrize(
    ("change", "predicate", "negated"),
    [
        ({}, "biolink:treats", False),
        ({"status": "hm:provisional"}, "biolink:treats_or_applied_or_studied_to_treat", False),
        ({"lines": [{"supports": True, "study": "cohort", "source": "PMID:1"}]}, "biolink:treats_or_applied_or_studied_to_treat", False),
        ({"polarity": "hm:absent", "status": "hm:provisional"}, "biolink:treats", True),
        ({"details": [("hm:agent", "CHEBI:18420"), ("hm:route", "MAXO:0001394")]}, "biolink:treats", False),
        ({"details": [("hm:goal", VARIABLE)]}, "biolink:treats_or_applied_or_studied_to_treat", False),
        ({"details": [("hm:severity", "HP:0012828")]}, "biolink:treats_or_applied_or_studied_to_treat", False),
        ({"details": [("hm:context", "hm:withoutMagnesium")]}, "biolink:treats_or_applied_or_studied_to_treat", False),
    ],
)
def test_treats_is_for_established_treatment_and_for_what_failed(change: dict[str, object], predicate: str, negated: bool) -> None:
    store = stored([claim(**change)])
    (edge,) = kgx.graph(store, claims.read(store))[1]
    assert (edge["predicate"], edge["negated"]) == (predicate, negated)


def test_what_helps_against_a_finding_does_not_treat_the_disease() -> None:
    store = stored([claim(details=[("hm:goal", "HP:0001250")])])
    (edge,) = kgx.graph(store, claims.read(store))[1]
    assert (edge["object"], edge["disease_context_qualifier"], edge["predicate"]) == ("HP:0001250", "MONDO:0011176", "biolink:treats")


def test_the_manner_of_a_treatment_is_not_that_it_treats() -> None:
    store = stored([claim(predicate="hm:carriedOutAs", details=[("hm:agent", "CHEBI:18420")])])
    _, edges, report = kgx.graph(store, claims.read(store))
    assert not edges
    assert [item.reason for item in report.of(losses.CLAIM)] == [kgx.MANNER]
    assert graph.derive(store, [ROOT / "queries" / "rules" / "treatment.rq"]) == 0
    plain = stored([claim(details=[("hm:agent", "CHEBI:18420")])])
    assert graph.derive(plain, [ROOT / "queries" / "rules" / "treatment.rq"]) == 1


@pytest.mark.parametrize(
    "name",
    [
        "fhsh-treatment-vitamin-d-alone-fails", "fhsh-treatment-calcium-without-magnesium-fails", "fph-treatment-diet-alone-insufficient",
        "hypomagnesemia-no-prolonged-qrs", "hypomagnesemia-no-prolonged-pr", "hypomagnesemia-no-abnormal-st",
        "trpm6-val1393ile-not-type-2-diabetes", "trpm6-lys1584glu-not-type-2-diabetes",
    ],
)  # fmt: skip
def test_what_is_absent_under_a_condition_does_not_go_out_without_it(store: Store, name: str) -> None:
    found = claims.read(store)
    (stated,) = [c for c in found.claims if c.iri == f"{sources.BASE}claim/{name}"]
    assert stated.absent
    assert stated.values("hm:context")
    (lost,) = [item for item in kgx.graph(store, found)[2].of(losses.CLAIM) if item.claim == stated.iri]
    assert lost.reason == kgx.NARROW


def test_what_failed_against_a_finding_did_not_fail_against_the_disease() -> None:
    store = stored([claim(polarity="hm:absent", details=[("hm:goal", "HP:0001250"), ("hm:agent", "CHEBI:18420")])])
    (edge,) = kgx.graph(store, claims.read(store))[1]
    assert (edge["subject"], edge["object"], edge["disease_context_qualifier"]) == ("CHEBI:18420", "HP:0001250", "MONDO:0011176")
    vague = stored([claim(polarity="hm:absent", details=[("hm:goal", VARIABLE)])])
    _, edges, report = kgx.graph(vague, claims.read(vague))
    assert not edges
    assert [item.reason for item in report.of(losses.CLAIM)] == [kgx.NARROW]


def test_absent_at_some_ages_is_no_row() -> None:
    """One column holds one onset; without it the row would say absent at every age."""
    seizure = claim(
        kind="PhenotypeClaim", predicate="RO:0002200", object="HP:0001250", polarity="hm:absent",
        details=[("hm:onset", "HP:0003593"), ("hm:onset", "HP:0003623")],
    )  # fmt: skip
    store = stored([seizure, seizure | {"polarity": "hm:present"}])
    rows, report = hpoa.annotate(store, claims.read(store))
    assert [row[2] for row in rows] == [""]
    assert [item.reason for item in report.of(losses.CLAIM)] == [hpoa.NARROWED]
    assert [item.reason for item in report.of(losses.DETAIL)] == [hpoa.SEVERAL] * 2


# --- files and the command line --------------------------------------------------------------------------------------


def test_a_folder_is_written_whole_and_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folders.write(out, {"a": b"1", "b": b"2"})
    folders.write(out, {"a": b"3", "b": b"4"})
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {"a": b"3", "b": b"4"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    (out / "thesis.txt").write_text("all my work")
    with pytest.raises(InputError, match=r"holds something other than an earlier export: thesis\.txt"):
        folders.write(out, {"a": b"5", "b": b"6"})
    assert (out / "a").read_bytes() == b"3"


def test_a_write_that_fails_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folders.write(out, {"a": b"1"})
    with pytest.raises(InputError, match="could not be written whole"), folders.replaced(out) as aside:
        (aside / "a").write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert (out / "a").read_bytes() == b"1"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_killed_export_leaves_the_earlier_one(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "kgx"
    arguments = ["export", "--format", "kgx", "-o", str(out), "--graph-dir", str(built)]
    assert hypomag(*arguments).returncode == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    for delay in (0.5, 1.2):
        process = subprocess.Popen([sys.executable, "-m", "hypomag", *arguments], stderr=subprocess.DEVNULL)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert hypomag(*arguments).returncode == 0
    assert [p.name for p in tmp_path.iterdir()] == ["kgx"]


def test_the_report_comes_with_each(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kgx"
    done = hypomag("export", "--format", "kgx", "-o", str(folder), "--graph-dir", str(built))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "claims went along" in done.stderr
    assert sorted(p.name for p in folder.iterdir()) == [
        "hypomag_edges.jsonl", "hypomag_edges.tsv", "hypomag_metadata.json", "hypomag_nodes.jsonl", "hypomag_nodes.tsv", "losses.tsv",
    ]  # fmt: skip
    file = tmp_path / "phenotype.hpoa"
    assert hypomag("export", "--format", "hpoa", "-o", str(file), "--graph-dir", str(built)).returncode == 0
    beside = tmp_path / "phenotype.hpoa.losses.tsv"
    assert beside.read_text(encoding="utf-8").splitlines()[0] == "\t".join(losses.COLUMNS)
    piped = hypomag("export", "--format", "hpoa", "--losses", str(tmp_path / "lost.tsv"), "--graph-dir", str(built))
    assert piped.stdout == file.read_text(encoding="utf-8")
    assert (tmp_path / "lost.tsv").read_bytes() == beside.read_bytes()
    only = hypomag("export", "--format", "sssom", "-o", str(tmp_path / "m.tsv"), "--losses", "-", "--graph-dir", str(built))
    assert only.stdout.startswith("lost\tclaim\t")
    assert "listed on standard output" in only.stderr


def test_handovers_do_not_depend_on_the_hash_seed(built: Path, tmp_path: Path) -> None:
    for form in ("sssom", "hpoa"):
        assert len({hypomag("export", "--format", form, "--graph-dir", str(built), PYTHONHASHSEED=s).stdout for s in ("1", "2")}) == 1
    for seed in ("1", "2"):
        hypomag("export", "--format", "kgx", "-o", str(tmp_path / seed), "--graph-dir", str(built), PYTHONHASHSEED=seed)
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--format", "kgx"], "kgx is a folder of files"),
        (["--format", "kgx", "-o", "-"], "kgx is a folder of files"),
        (["--format", "kgx", "-o", "/proc/kgx"], "cannot be written"),
        (["--format", "kgx", "-o", "FILE"], "holds something other than an earlier export"),
        (["--format", "kgx", "-o", "FOREIGN"], "holds something other than an earlier export: thesis.txt"),
        (["--format", "hpoa", "-o", "/no/such/folder/x"], "No such file"),
        (["--format", "sssom", "--losses", "-"], "cannot both go to standard output"),
        (["--format", "nt", "--losses", "x"], "loses nothing"),
        (["--format", "hpoa", "-o", "FILE", "--losses", "FILE"], "is where the data go"),
        (["--format", "sssom", "-o", "FILE", "--losses", "LINK"], "is where the data go"),
        (["--format", "sssom", "-o", "LINK", "--losses", "FILE"], "is where the data go"),
        (["--format", "hpoa", "-o", "FILE", "--losses", "/no/such/folder/x"], "No such file"),
        (["--format", "hpoa", "-o", "FILE", "--losses", "FOREIGN"], "is a folder"),
        (["--format", "hpoa", "-o", "BLOCKED"], "is a folder"),
        (["--format", "hpoa", "--losses", "/no/such/folder/x"], "No such file"),
        (["--format", "kgx", "-o", "NEW", "--losses", "NEW"], "is where the data go"),
        (["--format", "kgx", "-o", "NEW", "--losses", "INSIDE"], "lies in the folder of the data"),
        (["--format", "kgx", "-o", "EMPTY", "--losses", "WITHIN"], "lies in the folder of the data"),
    ],
)
def test_bad_arguments_are_told(built: Path, tmp_path: Path, arguments: list[str], part: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("all my work")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    (tmp_path / "blocked.losses.tsv").mkdir()
    names = {"FILE": "file", "FOREIGN": "foreign", "LINK": "link", "NEW": "new", "INSIDE": "new/other.tsv", "EMPTY": "empty",
             "WITHIN": "empty/other.tsv", "BLOCKED": "blocked"}  # fmt: skip
    places = {word: str(tmp_path / name) for word, name in names.items()}
    before = sorted(p.name for p in tmp_path.iterdir())
    done = hypomag("export", *(places.get(a, a) for a in arguments), "--graph-dir", str(built))
    assert done.returncode == 2
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert (tmp_path / "file").read_text() == "mine"
    assert [p.name for p in (tmp_path / "foreign").iterdir()] == ["thesis.txt"]
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert not list((tmp_path / "empty").iterdir())


DOCUMENT = ROOT / "docs" / "exports.md"


def table(name: str, rows: list[list[object]]) -> None:
    """Hold a table of the document against what is measured, or write it (HYPOMAG_SNAPSHOTS=write)."""
    text = DOCUMENT.read_text(encoding="utf-8")
    start, end = text.index(f"<!-- measured: {name} -->"), text.index(f"<!-- end of {name} -->")
    head = text[start:end].splitlines()[:3]
    measured = "\n".join([*head, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"
    if os.environ.get("HYPOMAG_SNAPSHOTS") == "write":
        DOCUMENT.write_text(text[:start] + measured + text[end:], encoding="utf-8")
    else:
        assert text[start:end] == measured, "make snapshots, then read the diff"


def test_the_counts_of_the_document_are_measured(store: Store, home: sources.Sources) -> None:
    reports = {form: handovers.hand_over(store, form, home).losses for form in handovers.FORMATS}
    gone = {form: report.counts(losses.CLAIM) for form, report in reports.items()}
    table("formats", [
        [form, r.claims, r.claims - sum(gone[form].values()), r.lines, sum(gone[form].values()), len(r.of(losses.LINE)), len(r.of(losses.DETAIL))]
        for form, r in reports.items()
    ])  # fmt: skip
    edges = kgx.graph(store, claims.read(store))[1]
    passed = Counter(
        (str(e["primary_knowledge_source"]), ", ".join(e.get("aggregator_knowledge_source", [])) or "nobody")  # type: ignore[arg-type]
        for e in edges
    )
    table("sources", [[f"`{first}`", between, n] for (first, between), n in sorted(passed.items())])
    every = Counter(c.kind for c in claims.read(store).claims)
    table("kinds", [[kind, n, n - gone["kgx"].get(kind, 0), n - gone["hpoa"].get(kind, 0)] for kind, n in sorted(every.items())])


def test_the_document_names_every_place() -> None:
    for place in {*kgx.PLACES.values(), kgx._TREATS, kgx._TREATS_SOMEHOW}:
        assert f"`{place.predicate}`" in DOCUMENT.read_text(encoding="utf-8"), place
        assert f"`{place.category}`" in DOCUMENT.read_text(encoding="utf-8"), place
