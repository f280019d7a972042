"""KGX: an edge says what its claim says, by itself; what does not go along is listed."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace

import networkx
import pytest
from hypothesis import given, settings
from pyoxigraph import Literal, NamedNode, Quad, Store

from hypomag import biolink, citations, claims, graph, handovers, hpoa, kgx, losses, prefixes, sources
from tests.conftest import ROOT
from tests.graphs import ACTIVITY, CONFLICTING, EXPOSURE, PROCESS, VARIABLE, any_graph, claim, covered, law, node, stored

DOCUMENT = ROOT / "docs" / "exports.md"


def claimed(edges: list[kgx.Record]) -> list[kgx.Record]:
    """The edges of claims; the others are structure."""
    return [edge for edge in edges if "hypomag_claim" in edge]


def edges_hold(store: Store) -> None:
    found = claims.read(store)
    nodes, edges, report = kgx.graph(store, found)
    listed = {(item.claim, item.part) for item in report.of(losses.DETAIL)}
    by_line = {line.iri: (claim, line) for claim in found.claims for line in claim.lines}
    gone: dict[str, set[str]] = {}
    known = {str(n["id"]) for n in nodes}
    details: dict[str, set[str]] = {}
    assert len({e["id"] for e in edges}) == len(edges)
    assert len({(e.get("iri"), e["subject"], e["predicate"], e["object"]) for e in edges}) == len(edges)
    for edge in edges:
        assert {edge["subject"], edge["object"]} <= known
        assert str(edge["predicate"]).startswith("biolink:")
        assert edge["negated"] is False or "hypomag_claim" in edge, "structure denies nothing"
    objects: dict[str, set[str]] = {}
    for edge in claimed(edges):
        objects.setdefault(str(edge["iri"]), set()).add(str(edge["object"]))
    for edge in claimed(edges):
        claim, line = by_line[str(edge["iri"])]
        assert edge["hypomag_claim"] == claim.iri
        assert line.supports, "a dispute went out as support"
        gone.setdefault(claim.iri, set()).add(line.iri)
        assert edge["negated"] is claim.absent
        assert bool(edge.get("hypomag_disputed_by")) is bool(claim.disputing)
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
        if not line.derived and line.affected is not None:
            assert (line.affected == 0) is claim.absent
        said = {str(v) for value in edge.values() for v in (value if isinstance(value, list) else [value])}
        said |= {text.partition("=")[2].split(" (")[0] for text in kept}
        for name, value in claim.details:
            if name in claims.ASIDE or (claim.kind == "LaboratoryClaim" and name == "hm:state"):
                continue
            states = {citations.curie(finding) for (variable, _), finding in found.findings.items() if variable == value}
            aimed = name == "hm:goal" and bool(objects[str(edge["iri"])] & {*states, citations.curie(value)})
            effect = name == "hm:variantEffect" and edge.get("subject_form_or_variant_qualifier") == biolink.DOMINANT_NEGATIVE
            assert aimed or effect or citations.curie(value) in said or biolink.SEXES.get(value) in said, (name, value, edge)
        if "has_percentage" in edge:
            assert edge["has_percentage"] == float(line.percent)
        assert not line.percent or "has_percentage" in edge or f"statedPercent={line.percent}" in kept
        assert not line.band or citations.curie(line.band) in (
            edge.get("frequency_qualifier"),
            *(k.removeprefix("frequency=") for k in kept),
        )
        assert edge.get("has_evidence_of_type") == ([prefixes.shorten(line.code)] if line.code else None)
        assert edge["original_predicate"] == citations.curie(claim.predicate)
        assert edge["name"] == claim.label
        assert [edge.get(f"hypomag_{k}", "") for k in ("study", "grade", "note")] == [line.study, line.grade, line.note]
        assert edge.get("hypomag_disputed_by", []) == [other.iri for other in claim.lines if not other.supports]
        onsets = claim.values("hm:onset")
        if len(onsets) == 1 and "onset_qualifier" in edge:
            assert edge["onset_qualifier"] == citations.curie(onsets[0])
        assert edge["hypomag_status"] == claim.status
        names = Counter(text.partition("=")[0] for text in kept)
        # A condition that a reader of Biolink does not see would make the edge wider than the claim.
        assert "population" not in names
        assert all(text.startswith("context=hypomag.vocab:asSupport") for text in kept if text.startswith("context="))
        if claim.kind == "TreatmentClaim":
            assert not names.keys() & {"goal", "severity"}
        if claim.absent:
            assert names.keys() <= {
                "action", "affected", "examined", "statedPercent", "frequency", "derivedCount", "cohort", "measured", "frequencyWords",
                "clinicalSignificance", "editorialNote",
            }  # fmt: skip
        if line.on_animals:
            assert str(edge["category"][0]).removeprefix("biolink:") in OF_ANIMALS  # type: ignore[index]
        for name, value in line.details:
            assert f"{name.removeprefix('hm:')}={citations.curie(value)}" in {text.split(" (")[0] for text in kept}
            assert (claim.iri, f"{name} of {line.iri}") in listed
        details.setdefault(claim.iri, set()).update(kept)
    covered(found, report, gone)
    for iri, kept in details.items():
        told = {text for text in kept if not text.startswith("clinicalSignificance=")}
        assert len([1 for claim, _ in listed if claim == iri]) >= bool(told), "kept outside of the model and not listed"


# What may rest on animals or cells: it speaks of genes, substances and processes.
OF_ANIMALS = {
    place.category for place in {*biolink.PLACES.values(), *biolink.EFFECTS.values(), *biolink.UPSTREAM.values()} if not place.of_people
}


@law
@given(any_graph)
def test_kgx_keeps_the_laws(store: Store) -> None:
    edges_hold(store)


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


def test_evidence_tells_who_says_it(store: Store) -> None:
    """Curated lines are assertions of ours; lifted ones of HPO, and those made by a program say so."""
    edges = {str(e["iri"]): e for e in claimed(kgx.graph(store, claims.read(store))[1])}
    seen = Counter()
    for each in claims.read(store).claims:
        for line in each.lines:
            if line.iri not in edges:
                continue
            edge = edges[line.iri]
            passed = [edge["primary_knowledge_source"], *edge.get("aggregator_knowledge_source", [])]  # type: ignore[misc]
            assert passed[-1] == "infores:hypomag"
            assert ("infores:hpo-annotations" in passed) is bool(line.hpoa)
            if line.hpoa:
                upstream = {"OMIM": "infores:omim", "ORPHA": "infores:orphanet"}.get(line.row.split("\t")[4].split(":")[0])
                assert passed[0] == (upstream or "infores:hpo-annotations")
            expected = {"IEA": ("not_provided", "automated_agent"), "": ("knowledge_assertion", "not_provided")}
            assert (edge["knowledge_level"], edge["agent_type"]) == expected.get(line.hpoa, ("knowledge_assertion", "manual_agent"))
            seen[line.hpoa] += 1
    assert set(seen) == {"", "IEA", "PCS", "TAS"}


def test_a_database_is_named_as_the_source_of_what_it_says(store: Store) -> None:
    edges = claimed(kgx.graph(store, claims.read(store))[1])
    sources_of: dict[str, set[tuple[str, ...]]] = {}
    for edge in edges:
        slug = str(edge["publications"][0]).rpartition("/reference/")[2]  # type: ignore[index]
        passed = (str(edge["primary_knowledge_source"]), *edge.get("aggregator_knowledge_source", []))  # type: ignore[misc]
        sources_of.setdefault(slug, set()).add(passed)
    read_out = ("infores:hypomag",)  # a line that says more than ClinVar does
    assert sources_of["clinvar-2021-01-24"] == {("infores:clinvar", "infores:hypomag"), read_out}
    assert sources_of["mondo-2026-08-04"] == {("infores:mondo", "infores:hypomag"), read_out}
    assert sources_of["https://ncbi.nlm.nih.gov/medgen/C1865974"] == {("infores:omim", "infores:medgen", "infores:hypomag"), read_out}
    assert sources_of["panelapp-292-v5-11"] == {("infores:hypomag",)}
    publishers = {q.object.value for q in store.quads_for_pattern(None, node("dcterms:publisher"), None, None)}
    references = {q.subject.value for q in store.quads_for_pattern(None, node("rdf:type"), node("hm:Reference"), None)}
    assert set(citations.RESOURCES) <= publishers | references


def test_every_publication_of_a_row_goes_along(store: Store) -> None:
    """An HPO annotation may cite several publications for one count; its line has the first as its source."""
    found = claims.read(store)
    rows = {line.iri: line.row for claim in found.claims for line in claim.lines if line.row}
    several = 0
    for edge in claimed(kgx.graph(store, found)[1]):
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


def test_a_disputed_claim_says_by_what(store: Store) -> None:
    edges = claimed(kgx.graph(store, claims.read(store))[1])
    disputed = [e for e in edges if e.get("hypomag_disputed_by")]
    assert disputed
    ids = {e["iri"] for e in edges}
    assert not {iri for e in disputed for iri in e["hypomag_disputed_by"]} & ids  # type: ignore[attr-defined]


def test_a_laboratory_finding_counts_once(store: Store) -> None:
    """No reference counts twice for one finding of one disease, as a laboratory value and as a phenotype, unless the one is of other people."""
    found = claims.read(store)
    of_claim = {c.iri: c for c in found.claims}
    told: dict[tuple[str, ...], set[str]] = {}
    for edge in claimed(kgx.graph(store, found)[1]):
        claim = of_claim[str(edge["hypomag_claim"])]
        if edge["predicate"] == "biolink:has_phenotype" and not {name for name, _ in claim.details} & {"hm:population", "hm:context"}:
            key = (str(edge["subject"]), str(edge["object"]), str(edge["negated"]), str(edge["publications"]))
            told.setdefault(key, set()).add("laboratory" if claim.kind == "LaboratoryClaim" else "phenotype")
    assert any("laboratory" in kinds for kinds in told.values())
    assert not [key for key, kinds in told.items() if len(kinds) > 1]


GUIDELINE = {"supports": True, "study": "guideline", "source": "PMID:12032570"}
COHORT = {"supports": True, "study": "cohort", "source": "PMID:1"}


@pytest.mark.parametrize(
    ("change", "predicate", "negated"),
    [
        ({"lines": [GUIDELINE | {"study": "review"}]}, "biolink:treats_or_applied_or_studied_to_treat", False),
        ({"lines": [GUIDELINE | {"study": "review"}, COHORT]}, "biolink:treats", False),
        ({}, "biolink:treats", False),
        ({"status": "hm:provisional"}, "biolink:treats_or_applied_or_studied_to_treat", False),
        ({"lines": [{"supports": True, "study": "cohort", "source": "PMID:1"}]}, "biolink:treats_or_applied_or_studied_to_treat", False),
        ({"polarity": "hm:absent", "status": "hm:provisional"}, "biolink:treats", True),
        ({"details": [("hm:agent", "CHEBI:18420"), ("hm:route", "MAXO:0001394")]}, "biolink:treats", False),
        ({"details": [("hm:context", "hm:asSupport")]}, "biolink:treats_or_applied_or_studied_to_treat", False),
        (
            {"lines": [GUIDELINE, {"supports": False, "study": "cohort", "source": "PMID:1"}]},
            "biolink:treats_or_applied_or_studied_to_treat",
            False,
        ),
        ({"lines": [GUIDELINE | {"grade": "C"}]}, "biolink:treats_or_applied_or_studied_to_treat", False),
        ({"lines": [COHORT, COHORT | {"source": "PMID:2"}]}, "biolink:treats_or_applied_or_studied_to_treat", False),
        ({"lines": [COHORT, COHORT | {"source": "PMID:2"}, COHORT | {"source": "PMID:3"}]}, "biolink:treats", False),
    ],
)
def test_treats_is_for_established_treatment_and_for_what_failed(change: dict[str, object], predicate: str, negated: bool) -> None:
    store = stored([claim(**change)])
    edges = claimed(kgx.graph(store, claims.read(store))[1])
    assert {(edge["predicate"], edge["negated"]) for edge in edges} == {(predicate, negated)}


def test_what_helps_against_a_finding_does_not_treat_the_disease() -> None:
    store = stored([claim(details=[("hm:goal", "HP:0001250")])])
    (edge,) = claimed(kgx.graph(store, claims.read(store))[1])
    assert (edge["object"], edge["disease_context_qualifier"], edge["predicate"]) == ("HP:0001250", "MONDO:0011176", "biolink:treats")


def test_the_manner_of_a_treatment_is_not_that_it_treats() -> None:
    store = stored([claim(predicate="hm:carriedOutAs", details=[("hm:agent", "CHEBI:18420")])])
    _, edges, report = kgx.graph(store, claims.read(store))
    assert not edges
    assert [item.reason for item in report.of(losses.CLAIM)] == [biolink.MANNER]
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
    assert lost.reason in (biolink.NARROW, biolink.HOW_FAR, losses.RETRACTED)


PEOPLE = "ChemicalEntityToDiseaseOrPhenotypicFeatureAssociation"
# What each form of claim becomes, written out: claim → association class, predicate, subject and object of the edge.
FORMS = [
    (("CausationClaim", "RO:0004002", "MONDO:0011176", "HGNC:17995"), ("CausalGeneToDiseaseAssociation", "causes", "HGNC:17995", "MONDO:0011176")),
    (("PhenotypeClaim", "RO:0002200", "MONDO:0011176", "HP:0001250"), ("DiseaseToPhenotypicFeatureAssociation", "has_phenotype", "MONDO:0011176", "HP:0001250")),
    (("ComplicationClaim", "RO:0002200", "MONDO:0011176", "HP:0001250"), ("DiseaseToPhenotypicFeatureAssociation", "has_phenotype", "MONDO:0011176", "HP:0001250")),
    (("PhenotypeClaim", "hm:correlatedWith", "HP:0002917", "HP:0001250"), ("PhenotypicFeatureToPhenotypicFeatureAssociation", "correlated_with", "HP:0002917", "HP:0001250")),
    (("ComplicationClaim", "hm:correlatedWith", "HP:0002917", "HP:0001250"), ("PhenotypicFeatureToPhenotypicFeatureAssociation", "correlated_with", "HP:0002917", "HP:0001250")),
    (("InheritanceClaim", "biolink:has_mode_of_inheritance", "MONDO:0011176", "HP:0000007"), ("DiseaseOrPhenotypicFeatureToGeneticInheritanceAssociation", "has_mode_of_inheritance", "MONDO:0011176", "HP:0000007")),
    (("SiteClaim", "RO:0004026", "MONDO:0011176", "UBERON:0001291"), ("DiseaseOrPhenotypicFeatureToLocationAssociation", "disease_has_location", "MONDO:0011176", "UBERON:0001291")),
    (("SiteClaim", "RO:0002206", "HGNC:17995", "CL:0000057"), ("GeneToExpressionSiteAssociation", "expressed_in", "HGNC:17995", "CL:0000057")),
    (("SiteClaim", "RO:0002206", "HGNC:17995", "UBERON:0001291"), ("GeneToExpressionSiteAssociation", "expressed_in", "HGNC:17995", "UBERON:0001291")),
    (("VariantClaim", "hm:hasSignificance", "variant:v", "MONDO:0011176"), ("VariantToDiseaseAssociation", "related_condition", "hypomag.variant:v", "MONDO:0011176")),
    (("VariantClaim", "hm:hasSignificance", "variant:v", "HP:0001250"), ("VariantToPhenotypicFeatureAssociation", "related_condition", "hypomag.variant:v", "HP:0001250")),
    (("SecondaryCauseClaim", "RO:0003303", "CHEBI:18420", "MONDO:0011176"), (PEOPLE, "causes", "CHEBI:18420", "MONDO:0011176")),
    (("SecondaryCauseClaim", "RO:0003303", "CHEBI:18420", "HP:0002917"), (PEOPLE, "causes", "CHEBI:18420", "HP:0002917")),
    (("SecondaryCauseClaim", "RO:0003309", "CHEBI:18420", "MONDO:0011176"), (PEOPLE, "exacerbates_condition", "CHEBI:18420", "MONDO:0011176")),
    (("SecondaryCauseClaim", "RO:0003309", "CHEBI:18420", "HP:0002917"), (PEOPLE, "exacerbates_condition", "CHEBI:18420", "HP:0002917")),
    (("SecondaryCauseClaim", "RO:0003303", "HP:0001250", "MONDO:0011176"), ("EntityToDiseaseAssociation", "causes", "HP:0001250", "MONDO:0011176")),
    (("SecondaryCauseClaim", "RO:0003303", "HP:0001250", "HP:0002917"), ("EntityToPhenotypicFeatureAssociation", "causes", "HP:0001250", "HP:0002917")),
    (("AdverseEffectClaim", "hm:hasAdverseEffect", "CHEBI:18420", "HP:0001250"), ("ChemicalOrDrugOrTreatmentAdverseEventAssociation", "has_adverse_event", "CHEBI:18420", "HP:0001250")),
    (("AdverseEffectClaim", "hm:hasAdverseEffect", "MAXO:0001149", "HP:0001250"), ("ChemicalOrDrugOrTreatmentAdverseEventAssociation", "has_adverse_event", "MAXO:0001149", "HP:0001250")),
    (("ContraindicationClaim", "hm:invalidIn", "CHEBI:18420", "HP:0001250"), (PEOPLE, "contraindicated_in", "CHEBI:18420", "HP:0001250")),
    (("PhysiologyClaim", "BFO:0000051", "CHEBI:18420", "CHEBI:18420"), ("ChemicalEntityToChemicalEntityAssociation", "has_part", "CHEBI:18420", "CHEBI:18420")),
    (("PhysiologyClaim", "hm:interactsWith", "HGNC:17995", "HGNC:17995"), ("PairwiseGeneToGeneInteraction", "interacts_with", "HGNC:17995", "HGNC:17995")),
    (("PhysiologyClaim", "hm:interactsWith", "CHEBI:18420", "HGNC:17995"), ("ChemicalGeneInteractionAssociation", "interacts_with", "CHEBI:18420", "HGNC:17995")),
    (("PhysiologyClaim", "hm:servesIn", "CHEBI:18420", "GO:0006816"), ("ChemicalEntityToBiologicalProcessAssociation", "actively_involved_in", "CHEBI:18420", "GO:0006816")),
    (("PhysiologyClaim", "hm:servesIn", "HGNC:17995", "GO:0006816"), ("MacromolecularMachineToBiologicalProcessAssociation", "actively_involved_in", "HGNC:17995", "GO:0006816")),
    (("PhysiologyClaim", "hm:servesIn", "HGNC:17995", "GO:0015095"), ("MacromolecularMachineToMolecularActivityAssociation", "actively_involved_in", "HGNC:17995", "GO:0015095")),
    (("TreatmentClaim", "hm:treatedBy", "MONDO:0011176", "MAXO:0001149"), ("ChemicalOrDrugOrTreatmentToDiseaseOrPhenotypicFeatureAssociation", "treats", "MAXO:0001149", "MONDO:0011176")),
]  # fmt: skip


@pytest.mark.parametrize(("form", "expected"), FORMS)
def test_each_form_has_its_place(form: tuple[str, ...], expected: tuple[str, ...]) -> None:
    kind, predicate, subject, target = form
    store = stored([claim(kind=kind, predicate=predicate, subject=subject, object=target)])
    (edge,) = claimed(kgx.graph(store, claims.read(store))[1])
    assert edge["category"] == [f"biolink:{expected[0]}"]
    assert (edge["predicate"], edge["subject"], edge["object"]) == (f"biolink:{expected[1]}", *expected[2:])


def test_every_place_is_written_out_here() -> None:
    claimed_here = {(kind, predicate) for (kind, predicate, *_), _ in FORMS}
    assert {(kind, predicate) for kind, predicate, *_ in biolink.PLACES} == claimed_here - {("TreatmentClaim", "hm:treatedBy")} | {
        ("CausationClaim", "RO:0004001"),
        ("CausationClaim", "RO:0004003"),
    }


@pytest.mark.parametrize(
    ("predicate", "form"),
    [
        ("RO:0004002", "loss_of_function_variant_form"),
        ("RO:0004001", "gain_of_function_variant_form"),
        ("RO:0004003", "genetic_variant_form"),
    ],
)
def test_loss_and_gain_of_function_are_told_apart(predicate: str, form: str) -> None:
    store = stored([claim(kind="CausationClaim", predicate=predicate, object="HGNC:17995")])
    (edge,) = claimed(kgx.graph(store, claims.read(store))[1])
    assert edge["subject_form_or_variant_qualifier"] == form


@pytest.mark.parametrize(("sex", "term"), [("=female", "PATO:0000383"), ("=male", "PATO:0000384")])
def test_sexes(sex: str, term: str) -> None:
    store = stored([claim(kind="PhenotypeClaim", predicate="RO:0002200", object="HP:0001250", details=[("hm:sex", sex)])])
    (edge,) = claimed(kgx.graph(store, claims.read(store))[1])
    assert edge["sex_qualifier"] == term


def test_nodes_say_what_they_are(store: Store) -> None:
    nodes = {str(n["id"]): n for n in kgx.graph(store, claims.read(store))[0]}
    disease, gene, action, mode = (nodes[i] for i in ("MONDO:0011176", "HGNC:17995", "MAXO:0001149", "HP:0000007"))
    assert (disease["category"], disease["name"]) == (["biolink:Disease"], "intestinal hypomagnesemia 1")
    assert {"OMIM:602014", "ORDO:Orphanet_30924"} <= set(disease["xref"])  # type: ignore[call-overload]
    assert "HSH" in disease["synonym"]  # type: ignore[operator]
    assert (gene["category"], gene["name"]) == (["biolink:Gene"], "TRPM6")
    assert "NCBIGene:140803" in gene["xref"]  # type: ignore[operator]
    assert action["category"] == ["biolink:Treatment", "biolink:Procedure"]
    assert mode["category"] == ["biolink:GeneticInheritance"]
    variants = [n for i, n in nodes.items() if i.startswith("CLINVAR:")]
    assert len(variants) > 20
    assert all(n["category"] == ["biolink:SequenceVariant"] for n in variants)
    assert any(x.startswith("DBSNP:rs") for n in variants for x in n.get("xref", []))  # type: ignore[attr-defined]
    assert all(n["name"] and n["name"] != n["id"] for n in nodes.values())


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ([("hm:context", "hm:treated")], biolink.NARROW),
        ([("hm:severity", "HP:0012828")], biolink.NARROW),
        ([("hm:population", "hm:newborns"), ("hm:population", "hm:adults")], biolink.NARROW),
        ([("hm:goal", "variable:unknown")], biolink.NO_AIM),
        ([("hm:goal", VARIABLE)], biolink.NO_AIM),  # that the disease shows a low value is claimed nowhere
    ],
)
def test_a_treatment_under_a_condition_is_no_edge(details: list[tuple[str, str]], reason: str) -> None:
    store = stored([claim(details=details)])
    _, edges, report = kgx.graph(store, claims.read(store))
    assert not claimed(edges)
    assert [item.reason for item in report.of(losses.CLAIM)] == [reason]


def test_a_treatment_that_raises_a_value_treats_the_finding_of_its_being_low() -> None:
    low = claim(kind="LaboratoryClaim", predicate="hm:hasLaboratoryFinding", object=VARIABLE, details=[("hm:state", "hm:stateLow")])
    store = stored([claim(details=[("hm:goal", VARIABLE)]), low])
    edges = claimed(kgx.graph(store, claims.read(store))[1])
    (edge,) = (e for e in edges if e["subject"] == "MAXO:0001149")
    assert (edge["object"], edge["disease_context_qualifier"]) == ("HP:0002917", "MONDO:0011176")


def test_two_goals_are_two_edges_of_one_line() -> None:
    store = stored([claim(details=[("hm:goal", "HP:0001250"), ("hm:goal", "HP:0002917")])])
    _, edges, report = kgx.graph(store, claims.read(store))
    assert {e["object"] for e in claimed(edges)} == {"HP:0001250", "HP:0002917"}
    assert len({e["iri"] for e in claimed(edges)}) == report.lines == 1


def test_that_some_drug_treats_says_nothing() -> None:
    bare = stored([claim(object="MAXO:0000058")])
    assert [i.reason for i in kgx.graph(bare, claims.read(bare))[2].of(losses.CLAIM)] == [biolink.NO_AGENT]
    named = stored([claim(object="MAXO:0000058", details=[("hm:agent", "CHEBI:18420")])])
    assert [e["subject"] for e in claimed(kgx.graph(named, claims.read(named))[1])] == ["CHEBI:18420"]


def test_what_failed_against_a_finding_did_not_fail_against_the_disease() -> None:
    store = stored([claim(polarity="hm:absent", details=[("hm:goal", "HP:0001250"), ("hm:agent", "CHEBI:18420")])])
    (edge,) = claimed(kgx.graph(store, claims.read(store))[1])
    assert (edge["subject"], edge["object"], edge["disease_context_qualifier"]) == ("CHEBI:18420", "HP:0001250", "MONDO:0011176")
    for goals in ([("hm:goal", VARIABLE)], [("hm:goal", "HP:0001250"), ("hm:goal", "HP:0002917")]):
        vague = stored([claim(polarity="hm:absent", details=goals)])
        _, edges, report = kgx.graph(vague, claims.read(vague))
        assert not claimed(edges)
        assert [item.reason for item in report.of(losses.CLAIM)] == [biolink.HOW_FAR]


@pytest.mark.parametrize(
    ("subject", "verb", "target", "category", "slots"),
    [
        (ACTIVITY, "increases", VARIABLE, "GeneAffectsChemicalAssociation",
         {"subject_aspect_qualifier": "activity", "object_aspect_qualifier": "abundance", "object_direction_qualifier": "increased",
          "object_context_qualifier": "UBERON:0001969", "qualified_predicate": "biolink:causes"}),
        (EXPOSURE, "decreases", ACTIVITY, "ChemicalAffectsGeneAssociation",
         {"object_aspect_qualifier": "activity", "object_direction_qualifier": "decreased", "qualified_predicate": "biolink:causes"}),
        (EXPOSURE, "decreases", PROCESS, "ChemicalEntityToBiologicalProcessAssociation",
         {"object_direction_qualifier": "decreased", "qualified_predicate": "biolink:causes"}),
        (ACTIVITY, "decreases", PROCESS, "MacromolecularMachineToBiologicalProcessAssociation", {}),
    ],
)  # fmt: skip
def test_a_step_between_entities_is_an_effect(subject: str, verb: str, target: str, category: str, slots: dict[str, str]) -> None:
    step = claim(kind="MechanismStep", predicate=f"hm:{verb}", subject=subject, object=target)
    store = stored([step])
    (edge,) = claimed(kgx.graph(store, claims.read(store))[1])
    assert edge["category"] == [f"biolink:{category}"]
    assert {k: v for k, v in edge.items() if k.startswith(("subject_", "object_", "qualified_"))} == slots
    if not slots:
        assert edge["predicate"] == "biolink:acts_upstream_of_or_within_negative_effect"
    denied = stored([step | {"polarity": "hm:absent"}])
    assert [i.reason for i in kgx.graph(denied, claims.read(denied))[2].of(losses.CLAIM)] == [biolink.ONE_OF_SEVERAL]


def test_a_process_acts_on_nothing_here() -> None:
    store = stored([claim(kind="MechanismStep", predicate="hm:increases", subject=PROCESS, object=VARIABLE)])
    _, edges, report = kgx.graph(store, claims.read(store))
    assert not edges
    assert [item.reason for item in report.of(losses.CLAIM)] == [biolink.REASONS["MechanismStep"]]


def test_a_variant_that_databases_disagree_on_is_no_edge() -> None:
    store = stored([claim(kind="VariantClaim", predicate="hm:hasSignificance", subject=CONFLICTING, object="MONDO:0011176")])
    assert [i.reason for i in kgx.graph(store, claims.read(store))[2].of(losses.CLAIM)] == [biolink.CONFLICTING]


def test_dominant_negative_is_no_loss_of_function() -> None:
    cause = claim(kind="CausationClaim", predicate="RO:0004002", object="HGNC:17995")
    for details, form in (
        ([], "loss_of_function_variant_form"),
        ([("hm:variantEffect", "hm:dominantNegative")], biolink.DOMINANT_NEGATIVE),
    ):
        store = stored([cause | {"details": details}])
        (edge,) = claimed(kgx.graph(store, claims.read(store))[1])
        assert edge["subject_form_or_variant_qualifier"] == form


def test_mice_have_no_human_disease() -> None:
    mice = {"supports": True, "study": "animal", "source": "PMID:1"}
    sign = stored([claim(kind="PhenotypeClaim", predicate="RO:0002200", object="HP:0001250", lines=[mice])])
    assert [i.reason for i in kgx.graph(sign, claims.read(sign))[2].of(losses.CLAIM)] == [losses.ANIMALS]
    site = stored([claim(kind="SiteClaim", predicate="RO:0002206", subject="HGNC:17995", object="CL:0000057", lines=[mice])])
    (edge,) = claimed(kgx.graph(site, claims.read(site))[1])
    assert edge["hypomag_study"] == "animal"


def test_a_hierarchy_that_goes_round_is_walked_once() -> None:
    store = stored([claim()])
    for one, other in (
        ("MONDO:0011176", "MONDO:1"),
        ("MONDO:1", "MONDO:1"),
        ("MONDO:1", "MONDO:2"),
        ("MONDO:2", "MONDO:1"),
        ("MONDO:2", "MONDO:0018100"),
    ):
        store.add(Quad(node(one), node("rdfs:subClassOf"), node(other), NamedNode(sources.TERMS)))
    _, edges, _ = kgx.graph(store, claims.read(store))
    assert not [e for e in edges if e["object"] == "MONDO:1"], "nothing is claimed of the group above"
    store = stored([claim(), claim(kind="PhenotypeClaim", predicate="RO:0002200", subject="MONDO:0018100", object="HP:0001250")])
    for one, other in (("MONDO:0011176", "MONDO:1"), ("MONDO:1", "MONDO:1"), ("MONDO:1", "MONDO:0018100")):
        store.add(Quad(node(one), node("rdfs:subClassOf"), node(other), NamedNode(sources.TERMS)))
    joined = {(e["subject"], e["object"]) for e in kgx.graph(store, claims.read(store))[1] if e["predicate"] == "biolink:subclass_of"}
    assert {("MONDO:0011176", "MONDO:1"), ("MONDO:1", "MONDO:0018100")} <= joined


def test_what_we_read_out_of_a_database_is_ours() -> None:
    line = claims.Line("x", "https://example.org/r", supports=True)
    store = stored([])
    store.add(Quad(NamedNode(line.source), node("dcterms:publisher"), Literal("Orphanet"), NamedNode(sources.CLAIMS)))
    assert citations.resources(store, line) == ["infores:orphanet", "infores:hypomag"]
    assert citations.resources(store, replace(line, ours=True)) == ["infores:hypomag"]


def test_structure_joins_the_nodes(store: Store) -> None:
    """Kinds of diseases and findings among the nodes as Mondo and HPO have them; every variant leads to its gene."""
    nodes, edges, report = kgx.graph(store, claims.read(store))
    joined = {(e["subject"], e["predicate"], e["object"]) for e in edges if "hypomag_claim" not in e}
    above = networkx.DiGraph([(one, other) for one, predicate, other in joined if predicate == "biolink:subclass_of"])
    assert networkx.is_directed_acyclic_graph(above)
    assert networkx.has_path(above, "MONDO:0011176", "MONDO:0018100")
    ids = {n["iri"]: n["id"] for n in nodes}
    stated = {
        (ids[q.subject.value], "biolink:subclass_of", ids[q.object.value])
        for q in store.quads_for_pattern(None, node("rdfs:subClassOf"), None, None)
        if q.subject.value in ids and q.object.value in ids
    }
    variants = {n["id"] for n in nodes if n["category"] == ["biolink:SequenceVariant"]}
    led = {s for s, predicate, _ in joined if predicate == "biolink:is_sequence_variant_of"}
    assert {j for j in joined if j[1] == "biolink:subclass_of"} == stated
    assert led == variants
    assert not {e["id"] for e in edges if "hypomag_claim" not in e} & {e["id"] for e in claimed(edges)}
    assert report.lines == len({e["iri"] for e in claimed(edges)})


def test_a_publication_counts_its_patients_once(store: Store) -> None:
    """Where an HPO annotation and a line of ours read one count for one finding in one publication, HPO's is the edge."""
    found = claims.read(store)
    by_line = {line.iri: (c, line) for c in found.claims for line in c.lines}
    told: dict[tuple[str, ...], set[bool]] = {}
    for edge in claimed(kgx.graph(store, found)[1]):
        if edge["predicate"] == "biolink:has_phenotype":
            line = by_line[str(edge["iri"])][1]
            counts = "" if line.examined is None else f"{line.affected}/{line.examined}"
            for publication in edge["publications"]:  # type: ignore[attr-defined]
                told.setdefault((str(edge["subject"]), str(edge["object"]), str(edge["negated"]), publication, counts), set()).add(
                    bool(line.row)
                )
    assert not [key for key, whose in told.items() if len(whose) > 1 and key[-1]]
    assert any(item.reason == losses.TWICE and item.lost == losses.LINE for item in kgx.graph(store, found)[2].items)


def test_the_document_names_every_place() -> None:
    for place in {*biolink.PLACES.values(), *biolink.EFFECTS.values(), *biolink.UPSTREAM.values(), biolink.TREATS, biolink.TREATS_SOMEHOW}:
        assert f"`{place.predicate}`" in DOCUMENT.read_text(encoding="utf-8"), place
        assert f"`{place.category}`" in DOCUMENT.read_text(encoding="utf-8"), place
