"""The graph as KGX: nodes and edges in the terms of the Biolink Model, as TSV and JSON Lines.

One edge is one supporting evidence line, so that counts, source and kind of evidence stay together. Names of categories,
association classes, predicates and slots are those of the PyPI package biolink-model 4.4.6; a test holds them against it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pyoxigraph import NamedNode, Store

from hypomag import citations, exports, names, prefixes
from hypomag.citations import curie
from hypomag.claims import ASIDE, Claim, Claims, Line, read
from hypomag.losses import CLAIM, DETAIL, LINE, NO_TERM, RETRACTED, TWICE, Losses

# What Translator's ingest of HPO annotations writes for the column sex.
SEXES = {"female": "PATO:0000383", "male": "PATO:0000384"}
FORMS = {"RO:0004002": "loss_of_function_variant_form", "RO:0004001": "gain_of_function_variant_form", "RO:0004003": "genetic_variant_form"}
_CONTEXT = frozenset({"disease_context_qualifier", "anatomical_context_qualifier", "population_context_qualifier", "frequency_qualifier"})
_COUNTED = _CONTEXT | {"has_count", "has_total", "has_percentage", "sex_qualifier"}
BIOLINK = "4.4.6"
EDGE_COLUMNS = (
    "id", "subject", "predicate", "object", "category", "negated", "subject_form_or_variant_qualifier", "frequency_qualifier",
    "onset_qualifier", "sex_qualifier", "disease_context_qualifier", "anatomical_context_qualifier", "population_context_qualifier",
    "object_specialization_qualifier", "has_count", "has_total", "has_percentage", "publications", "has_evidence",
    "primary_knowledge_source", "aggregator_knowledge_source", "knowledge_level", "agent_type", "original_predicate", "name", "iri",
    "hypomag_claim", "hypomag_status", "hypomag_disputed_by", "hypomag_qualifiers",
)  # fmt: skip
NODE_COLUMNS = ("id", "category", "name", "synonym", "xref", "has_gene", "iri")


@dataclass(frozen=True)
class Place:
    """Where a claim goes: association class, predicate, and the slots that the class has for details.

    `turned` edges run from the object of the claim to its subject.
    """

    category: str
    predicate: str
    slots: frozenset[str] = frozenset()
    turned: bool = False


_PHENOTYPE = Place("DiseaseToPhenotypicFeatureAssociation", "has_phenotype", _COUNTED | {"onset_qualifier"})
_TOGETHER = Place("PhenotypicFeatureToPhenotypicFeatureAssociation", "correlated_with", _COUNTED)
_CHEMICAL = "ChemicalEntityToDiseaseOrPhenotypicFeatureAssociation"
_UNTOWARD = Place("ChemicalOrDrugOrTreatmentAdverseEventAssociation", "has_adverse_event", _CONTEXT)
_TREATS = Place("ChemicalOrDrugOrTreatmentToDiseaseOrPhenotypicFeatureAssociation", "treats", _CONTEXT)
_TREATS_SOMEHOW = Place(_TREATS.category, "treats_or_applied_or_studied_to_treat", _CONTEXT)
# (kind, predicate, category of subject, category of object) → place
PLACES = {
    **{
        ("CausationClaim", predicate, "Disease", "Gene"): Place(
            "CausalGeneToDiseaseAssociation", "causes", frozenset({"subject_form_or_variant_qualifier"}), turned=True
        )
        for predicate in FORMS
    },
    ("PhenotypeClaim", "RO:0002200", "Disease", "PhenotypicFeature"): _PHENOTYPE,
    ("ComplicationClaim", "RO:0002200", "Disease", "PhenotypicFeature"): _PHENOTYPE,
    ("PhenotypeClaim", "hm:correlatedWith", "PhenotypicFeature", "PhenotypicFeature"): _TOGETHER,
    ("ComplicationClaim", "hm:correlatedWith", "PhenotypicFeature", "PhenotypicFeature"): _TOGETHER,
    ("InheritanceClaim", "biolink:has_mode_of_inheritance", "Disease", "PhenotypicFeature"): Place(
        "DiseaseOrPhenotypicFeatureToGeneticInheritanceAssociation", "has_mode_of_inheritance"
    ),
    ("SiteClaim", "RO:0004026", "Disease", "AnatomicalEntity"): Place(
        "DiseaseOrPhenotypicFeatureToLocationAssociation", "disease_has_location"
    ),
    **{
        ("SiteClaim", "RO:0002206", "Gene", category): Place(
            "GeneToExpressionSiteAssociation", "expressed_in", frozenset({"object_specialization_qualifier"})
        )
        for category in ("AnatomicalEntity", "Cell")
    },
    ("VariantClaim", "hm:hasSignificance", "SequenceVariant", "Disease"): Place(
        "VariantToDiseaseAssociation", "related_condition", _CONTEXT
    ),
    ("VariantClaim", "hm:hasSignificance", "SequenceVariant", "PhenotypicFeature"): Place(
        "VariantToPhenotypicFeatureAssociation", "related_condition", _COUNTED
    ),
    ("SecondaryCauseClaim", "RO:0003303", "ChemicalEntity", "Disease"): Place(_CHEMICAL, "causes", _CONTEXT),
    ("SecondaryCauseClaim", "RO:0003303", "ChemicalEntity", "PhenotypicFeature"): Place(_CHEMICAL, "causes", _CONTEXT),
    ("SecondaryCauseClaim", "RO:0003309", "ChemicalEntity", "Disease"): Place(_CHEMICAL, "exacerbates_condition", _CONTEXT),
    ("SecondaryCauseClaim", "RO:0003309", "ChemicalEntity", "PhenotypicFeature"): Place(_CHEMICAL, "exacerbates_condition", _CONTEXT),
    ("SecondaryCauseClaim", "RO:0003303", "PhenotypicFeature", "Disease"): Place("EntityToDiseaseAssociation", "causes", _CONTEXT),
    ("AdverseEffectClaim", "hm:hasAdverseEffect", "ChemicalEntity", "PhenotypicFeature"): _UNTOWARD,
    ("AdverseEffectClaim", "hm:hasAdverseEffect", "Procedure", "PhenotypicFeature"): _UNTOWARD,
    ("ContraindicationClaim", "hm:invalidIn", "ChemicalEntity", "PhenotypicFeature"): Place(_CHEMICAL, "contraindicated_in", _CONTEXT),
    ("PhysiologyClaim", "BFO:0000051", "ChemicalEntity", "ChemicalEntity"): Place("ChemicalEntityToChemicalEntityAssociation", "has_part"),
    ("PhysiologyClaim", "hm:interactsWith", "Gene", "Gene"): Place("PairwiseGeneToGeneInteraction", "interacts_with"),
    ("PhysiologyClaim", "hm:interactsWith", "ChemicalEntity", "Gene"): Place(
        "ChemicalGeneInteractionAssociation", "interacts_with", frozenset({"anatomical_context_qualifier"})
    ),
    ("PhysiologyClaim", "hm:servesIn", "ChemicalEntity", "BiologicalProcess"): Place(
        "ChemicalEntityToBiologicalProcessAssociation", "actively_involved_in", frozenset({"anatomical_context_qualifier"})
    ),
    ("PhysiologyClaim", "hm:servesIn", "Gene", "BiologicalProcess"): Place(
        "MacromolecularMachineToBiologicalProcessAssociation", "actively_involved_in"
    ),
}
# Why a kind of claim, or its other forms, has no place.
REASONS = {
    "ClassificationClaim": "Biolink has no predicate for a general character of a disease",
    "ContraindicationClaim": "Biolink's contraindicated in takes a substance or treatment and a condition",
    "DiagnosticClaim": "Biolink's diagnoses takes a device or substance, not a measured variable or a procedure",
    "DifferentialClaim": "Biolink has no predicate for diseases to be told apart; associated with would read as found together",
    "DoseClaim": "Biolink has no dose",
    "EpidemiologyClaim": "Biolink has no measure of how often a disease occurs",
    "GapClaim": "Biolink cannot say that nothing is known",
    "LaboratoryClaim": "Biolink has no state of a measured variable without a term for the finding",
    "MechanismStep": "variables of the body are no Biolink entities",
    "MonitoringClaim": "Biolink has no predicate for follow-up",
    "OnsetClaim": "Biolink has the onset of a phenotype, not of a disease",
    "PhysiologyClaim": "Biolink has no predicate for this relation",
    "PrognosisClaim": "Biolink has no predicate for how a disease ends or goes on",
    "ReferenceIntervalClaim": "Biolink has no reference interval",
    "ThresholdClaim": "Biolink has no decision threshold",
    "ValidityClaim": "Biolink has no slot for the rating of a gene panel, and without it a red gene reads like a green one",
}
NO_PLACE = "Biolink has no association of this relation between these categories"
KEPT = "kept in hypomag_qualifiers: the association class has no slot for it"
COMPUTED = "kept in hypomag_qualifiers: computed, while the slot is for what the source counted"
DISPUTES = "speaks against the claim: Biolink has no edge for that; named in hypomag_disputed_by"
NOBODY = "supports a claim of presence but counted nobody"
SOMEBODY = "supports a claim of absence but counted somebody"
NO_LINE = "no supporting line that counts as this claim does"
NARROW = "absent only under a condition that the association class has no slot for: the edge would say more"

MANNER = "how a treatment is carried out: Biolink has no predicate for it, and treats would say something else"

ACTION = "hm:action"  # what was done with the agent: the object of a treatment claim whose subject in the edge is the agent
# Details of a treatment that leave it true without them; a quantity of a variable is a condition, one without is a dose.
HOW = frozenset({ACTION, "hm:agent", "hm:route", "hm:routeDetail", "hm:saltForm"})

Record = dict[str, object]


def export(store: Store) -> tuple[dict[str, bytes], Losses]:
    """Write the KGX files and the report of what has no place in them; the same graph gives the same bytes."""
    claims = read(store)
    nodes, edges, losses = graph(store, claims)
    files = {
        "hypomag_nodes.tsv": _tsv(nodes, NODE_COLUMNS),
        "hypomag_edges.tsv": _tsv(edges, EDGE_COLUMNS),
        "hypomag_nodes.jsonl": _jsonl(nodes),
        "hypomag_edges.jsonl": _jsonl(edges),
        "hypomag_metadata.json": json.dumps(_metadata(store), ensure_ascii=False, indent=1) + "\n",
    }
    return {name: text.encode() for name, text in files.items()}, losses


def _metadata(store: Store) -> Record:
    version, date = exports.release(store)
    return {
        "name": "hypomag", "version": version, "date": date, "biolink_version": BIOLINK, "license": exports.LICENCE_CC_BY,
        "rights": "The licence covers our claims; what is of others keeps theirs.",
        "parts": [
            dict(zip(("title", "license", "rights"), exports.GRAPH_NOTES[part], strict=True))
            for part in ("claims", "lifted/hpoa", "mappings", "terms")
        ],
    }  # fmt: skip


def graph(store: Store, claims: Claims) -> tuple[list[Record], list[Record], Losses]:
    """Nodes and edges by id, and what was lost on the way."""
    losses = Losses("kgx", len(claims.claims))
    writer = _Writer(store, losses)
    for claim in claims.claims:
        if claim.status == RETRACTED:
            losses.add(CLAIM, claim, RETRACTED)
        elif claim.kind == "LaboratoryClaim":
            found = claims.as_phenotype(claim)
            if found is None:
                losses.add(CLAIM, claim, NO_TERM)
            else:
                writer.put(found[0], claim, found[1])
        else:
            writer.put(claim, claim)
    edges = sorted(writer.edges, key=lambda e: str(e["id"]))
    losses.lines = len(edges)
    return [writer.nodes[key] for key in sorted(writer.nodes)], edges, losses


class _Writer:
    """Nodes and edges as they are made; `put` takes one claim, in the form that goes out and as it stands in the graph."""

    def __init__(self, store: Store, losses: Losses) -> None:
        self.store = store
        self.losses = losses
        self.nodes: dict[str, Record] = {}
        self.edges: list[Record] = []

    def put(self, claim: Claim, stated: Claim, twice: Iterable[Line] = ()) -> None:
        subject, target, details = claim.subject, claim.object, [d for d in claim.details if d[0] not in ASIDE]
        if prefixes.shorten(claim.predicate) == "hm:carriedOutAs":
            self.losses.add(CLAIM, stated, MANNER)
            return
        if claim.kind == "TreatmentClaim":
            subject, target, details = _intervention(claim, details)
            place: Place | None = self._treatment(claim, details)
            if self.category(target) not in ("Disease", "PhenotypicFeature") or self.category(subject) not in (
                "ChemicalEntity",
                "Procedure",
            ):
                place = None
        else:
            key = (claim.kind, prefixes.shorten(claim.predicate), self.category(subject), self.category(target))
            place = PLACES.get(key)
            if place and place.turned:
                subject, target = target, subject
        if place is None:
            self.losses.add(CLAIM, stated, REASONS.get(stated.kind, NO_PLACE))
            return
        slots, rest = _slotted(claim, place, details)
        narrowing = [d for d in rest if d[0] != ACTION]
        if claim.absent and narrowing:
            self.losses.add(CLAIM, stated, NARROW, " ".join(f"{k} {prefixes.shorten(v)}" for k, v in narrowing))
            return
        lines = [line for line in claim.lines if line.supports and (bool(line.affected) if claim.absent else line.counts_nobody) is False]
        if not lines:
            self.losses.add(CLAIM, stated, TWICE if twice else NO_LINE)
            return
        for line in twice:
            self.losses.add(LINE, stated, TWICE, line.iri)
        for name, value in rest:
            self.losses.add(DETAIL, stated, KEPT, f"{name} {prefixes.shorten(value)}")
        ends = {"subject": self.node(subject, claim), "object": self.node(target, claim)}
        for line in claim.lines:
            if line in lines:
                self.edges.append(self._edge(claim, stated, place, line, ends, slots, rest))
            else:
                self.losses.add(LINE, stated, DISPUTES if not line.supports else SOMEBODY if claim.absent else NOBODY, line.iri)

    def _treatment(self, claim: Claim, details: list[tuple[str, str]]) -> Place:
        """`treats` is for established treatment and for what failed; the model's wide predicate is for the rest.

        Established is what a guideline or a review supports without a condition that the edge does not show. Negated, the wide
        predicate would say that nobody ever tried.
        """
        established = claim.status == "accepted" and any(line.supports and line.study in ("guideline", "review") for line in claim.lines)
        _, rest = _slotted(claim, _TREATS, details)
        bare = all(name in HOW or (name == "hm:statedAs" and not self._values(value, "hm:variable")) for name, value in rest)
        return _TREATS if claim.absent or (established and bare) else _TREATS_SOMEHOW

    def _edge(
        self, claim: Claim, stated: Claim, place: Place, line: Line, ends: dict[str, str], slots: Record, rest: list[tuple[str, str]]
    ) -> Record:
        automated = line.hpoa == "IEA"
        primary, *between = citations.resources(self.store, line)
        edge: Record = {
            "id": curie(line.iri), **ends, "predicate": f"biolink:{place.predicate}", "category": [f"biolink:{place.category}"],
            "negated": claim.absent, **slots,
            "publications": citations.publications(self.store, line), "has_evidence": [prefixes.shorten(line.code)] if line.code else [],
            "primary_knowledge_source": primary, "aggregator_knowledge_source": between,
            "knowledge_level": "not_provided" if automated else "knowledge_assertion",
            "agent_type": "automated_agent" if automated else "manual_agent" if line.hpoa else "not_provided",
            "original_predicate": curie(stated.predicate), "name": stated.label, "iri": line.iri,
            "hypomag_claim": stated.iri, "hypomag_status": stated.status,
            "hypomag_disputed_by": [other.iri for other in stated.disputing],
        }  # fmt: skip
        kept = [f"{name.rpartition(':')[2]}={curie(value)}" for name, value in rest]
        for name, value, slot in (
            ("hm:affected", line.affected, "has_count"), ("hm:examined", line.examined, "has_total"),
            ("hm:statedPercent", float(line.percent) if line.percent else None, "has_percentage"),
            ("hm:frequency", curie(line.band) if line.band else None, "frequency_qualifier"),
        ):  # fmt: skip
            if value is None:
                continue
            if slot in place.slots and not (line.derived and slot in ("has_count", "has_total")):
                edge[slot] = value
            else:
                kept.append(f"{name.removeprefix('hm:')}={line.percent if slot == 'has_percentage' else value}")
                self.losses.add(DETAIL, stated, COMPUTED if slot in place.slots else KEPT, f"{name} of {line.iri}")
        told = [*([("hm:derivedCount", "true")] if line.derived else []), *line.details]
        kept.extend(f"{name.removeprefix('hm:')}={curie(text)}" for name, text in told)
        for name in sorted({name for name, _ in told}):
            self.losses.add(DETAIL, stated, KEPT, f"{name} of {line.iri}")
        edge["hypomag_qualifiers"] = kept
        return {key: edge[key] for key in EDGE_COLUMNS if edge.get(key) not in (None, [], "")}

    def category(self, iri: str) -> str:
        """The Biolink category of a node of the graph, by what the graph says of it; empty where it says none."""
        if next(self.store.quads_for_pattern(NamedNode(iri), prefixes.node("rdf:type"), prefixes.node("hm:Variant"), None), None):
            return "SequenceVariant"
        found = sorted(prefixes.shorten(v) for v in self._values(iri, "biolink:category"))
        return found[0].removeprefix("biolink:") if found else ""

    def node(self, iri: str, claim: Claim) -> str:
        """Put a node in and return its id; what a claim makes of it may add a category."""
        categories = [self.category(iri)]
        if claim.kind == "InheritanceClaim" and iri == claim.object:
            categories = ["GeneticInheritance"]
        elif categories == ["Procedure"]:
            categories = ["Treatment", "Procedure"]  # MAxO actions that treat, or have an unwanted effect
        key = self._identifier(iri)
        if key not in self.nodes:
            synonyms = {v for p in names.SYNONYMS for v in self._values(iri, prefixes.shorten(p.value))}
            node: Record = {
                "id": key, "category": [f"biolink:{c}" for c in categories], "name": names.label(self.store, NamedNode(iri)),
                "synonym": sorted(synonyms), "xref": sorted(self._cross_references(iri)),
                "has_gene": sorted(curie(v) for v in self._values(iri, "hm:gene")), "iri": iri,
            }  # fmt: skip
            self.nodes[key] = {name: node[name] for name in NODE_COLUMNS if node[name]}
        return key

    def _identifier(self, iri: str) -> str:
        numbers = self._values(iri, "hm:clinvarVariation")
        return f"CLINVAR:{numbers[0]}" if len(numbers) == 1 else curie(iri)

    def _cross_references(self, iri: str) -> set[str]:
        dbsnp = {f"DBSNP:{number}" for number in self._values(iri, "hm:dbsnp")}
        return dbsnp | {curie(v) for v in self._values(iri, "skos:exactMatch")}

    def _values(self, iri: str, name: str) -> list[str]:
        return sorted({q.object.value for q in self.store.quads_for_pattern(NamedNode(iri), prefixes.node(name), None, None)})


def _intervention(claim: Claim, details: list[tuple[str, str]]) -> tuple[str, str, list[tuple[str, str]]]:
    """Subject, object and details of a treatment edge: the agent where there is one, else the action, and what it treats.

    What helps or fails against one finding of a disease does not therefore do so against the disease: the edge runs to the finding,
    in the context of the disease.
    """
    subject, target = claim.object, claim.subject
    agents, goals = claim.values("hm:agent"), claim.values("hm:goal")
    if len(agents) == 1:
        subject = agents[0]
        details = [(ACTION, claim.object) if d[0] == "hm:agent" else d for d in details]
    of_disease = prefixes.shorten(target).startswith("MONDO:") and not claim.values("hm:context")
    if of_disease and len(goals) == 1 and prefixes.shorten(goals[0]).startswith("HP:"):
        target = goals[0]
        details = [("hm:context", claim.subject) if d[0] == "hm:goal" else d for d in details]
    return subject, target, details


def _slotted(claim: Claim, place: Place, details: list[tuple[str, str]]) -> tuple[Record, list[tuple[str, str]]]:
    """Details that the association class has a slot for, and the rest."""
    slots: Record = {}
    if "subject_form_or_variant_qualifier" in place.slots:
        slots["subject_form_or_variant_qualifier"] = FORMS[prefixes.shorten(claim.predicate)]
    rest = []
    for name, value in details:
        slot: str | None = None
        filled: object = curie(value)
        alone = sum(1 for other, _ in details if other == name) == 1
        if name == "hm:onset" and alone:
            slot = "onset_qualifier"
        elif name == "hm:sex" and alone and value in SEXES:
            slot, filled = "sex_qualifier", SEXES[value]
        elif name == "hm:population" and alone:
            slot = "population_context_qualifier"
        elif name == "hm:context" and alone and prefixes.shorten(value).startswith("MONDO:"):
            slot = "disease_context_qualifier"
        elif name == "hm:location" and "object_specialization_qualifier" in place.slots and alone:
            slot = "object_specialization_qualifier"
        elif name == "hm:location":
            slot, filled = "anatomical_context_qualifier", [curie(v) for v in claim.values(name)]
        if slot in place.slots and slot is not None:
            slots[slot] = filled
        else:
            rest.append((name, value))
    return slots, rest


def _tsv(records: Iterable[Record], columns: tuple[str, ...]) -> str:
    """Tab-separated, lists joined by |; `negated` is empty where it is false, for kgx reads any text as true."""

    def cell(value: object) -> str:
        if isinstance(value, list):
            return "|".join(cell(v).replace("|", "/") for v in value)
        if isinstance(value, bool):
            return "true" if value else ""
        return " ".join(str(value).split())

    rows = ["\t".join(columns), *("\t".join(cell(record.get(c, "")) for c in columns) for record in records)]
    return "\n".join(rows) + "\n"


def _jsonl(records: Iterable[Record]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
