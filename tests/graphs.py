"""Any graph: claims of every kind with whatever details, for the laws that exporters keep."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store

from hypomag import biolink, losses, prefixes, sources
from hypomag.claims import Claims

node = prefixes.node

CATEGORIES = {
    "MONDO:0011176": "Disease", "MONDO:0018100": "Disease", "HP:0001250": "PhenotypicFeature", "HP:0002917": "PhenotypicFeature",
    "HP:0000007": "PhenotypicFeature", "HGNC:17995": "Gene", "CHEBI:18420": "ChemicalEntity", "MAXO:0001149": "Procedure",
    "UBERON:0001291": "AnatomicalEntity", "CL:0000057": "Cell", "GO:0006816": "BiologicalProcess",
    "GO:0015095": "MolecularActivity",
}  # fmt: skip
VARIANT, CONFLICTING, VALUE = "variant:v", "variant:conflicting", "hm:rareDisease"
VARIABLE, ACTIVITY, EXPOSURE, PROCESS = "variable:serum-magnesium", "variable:trpm6-activity", "variable:x-exposure", "variable:uptake"
VARIABLES = [VARIABLE, ACTIVITY, EXPOSURE, PROCESS]
THINGS = [*CATEGORIES, VARIANT, CONFLICTING, VALUE, *VARIABLES]
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
    *[("MechanismStep", verb, one, other) for verb in ("hm:increases", "hm:decreases") for one in VARIABLES for other in VARIABLES],
]  # fmt: skip
KINDS = sorted({kind for kind, *_ in (*USUAL, *biolink.PLACES)} | set(biolink.REASONS))
PREDICATES = sorted(
    {predicate for _, predicate, *_ in biolink.PLACES}
    | {"hm:hasOnset", "hm:treatedBy", "hm:hasLaboratoryFinding", "hm:dosedAs", "hm:carriedOutAs"}
)
DETAILS = {
    "hm:onset": ["HP:0003593", "HP:0003623"], "hm:severity": ["HP:0012828"], "hm:modifier": ["HP:0025153"],
    "hm:population": ["hm:newborns", "hm:adults"], "hm:context": ["MONDO:0018100", "hm:treated", "hm:asSupport"], "hm:location": ["UBERON:0001291"],
    "hm:agent": ["CHEBI:18420"], "hm:goal": ["HP:0001250", VARIABLE], "hm:state": ["hm:stateLow", "hm:stateHigh", "hm:stateNormal"],
    "hm:sex": ["=female", "=male"], "hm:answers": ["=S1"], "skos:editorialNote": ["=A remark."], "hm:variantEffect": ["hm:dominantNegative"],
}  # fmt: skip


LINE_DETAILS = [
    ("hm:cohort", "hm:Cohort-1"),
    ("hm:cohort", "hm:Cohort-2"),
    ("hm:frequencyWords", "=rare"),
    ("hm:measured", "hm:Quantity-1"),
    ("hm:measured", "hm:Quantity-2"),
]


@st.composite
def lines(draw: st.DrawFn) -> dict[str, object]:
    found: dict[str, object] = {
        "supports": draw(st.booleans()),
        "study": draw(st.sampled_from(["cohort", "review", "guideline", "animal", ""])),
        "grade": draw(st.sampled_from(["A", "A", "B", "C"])),
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
    say(sources.CLAIMS, "hm:Cohort-2", "dcterms:isPartOf", "hm:Cohort-1")
    say(sources.TERMS, "MONDO:0011176", "rdfs:subClassOf", "MONDO:0018100")
    say(sources.TERMS, "HP:0001250", "rdfs:subClassOf", "HP:0012638")  # which is no node of any edge
    for variant in (VARIANT, CONFLICTING):
        say(sources.CLAIMS, variant, "rdf:type", "hm:Variant")
        say(sources.CLAIMS, variant, "hm:gene", "HGNC:17995")
    say(sources.CLAIMS, CONFLICTING, "hm:clinicalSignificance", "=Conflicting interpretations")
    say(sources.CLAIMS, VARIABLE, "hm:lowFinding", "HP:0002917")
    say(sources.CLAIMS, VARIABLE, "hm:analyte", "CHEBI:18420")
    say(sources.CLAIMS, VARIABLE, "hm:test", "LOINC:2601-3")
    say(sources.CLAIMS, VARIABLE, "hm:location", "UBERON:0001969")
    say(sources.CLAIMS, ACTIVITY, "hm:activityOf", "HGNC:17995")
    say(sources.CLAIMS, EXPOSURE, "rdf:type", "hm:Exposure")
    say(sources.CLAIMS, EXPOSURE, "hm:analyte", "CHEBI:18420")
    say(sources.CLAIMS, PROCESS, "hm:process", "GO:0006816")
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
            say(sources.CLAIMS, evidence, "hm:readingGrade", f"={line.get('grade', 'A')}")
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
            assert claim.status != "retracted"
    assert report.lines == sum(map(len, gone_along.values()))
    assert report.claims == len(found.claims)


def claim(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "iri": "claim:x", "kind": "TreatmentClaim", "label": "X", "subject": "MONDO:0011176", "predicate": "hm:treatedBy",
        "object": "MAXO:0001149", "polarity": "hm:present", "status": "hm:accepted", "details": [],
        "lines": [{"supports": True, "study": "guideline", "source": "PMID:12032570"}],
    }  # fmt: skip
    return base | changes
