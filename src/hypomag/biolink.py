"""Where a claim goes in the Biolink Model: association class, predicate, ends and slots, or why it has no place there.

An edge is read alone. So a claim has a place only where subject, predicate, object, polarity and the model's own qualifiers say nothing
that the claim does not say. Names are those of the PyPI package biolink-model 4.4.6; a test holds them against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pyoxigraph import Store

from hypomag import prefixes
from hypomag.citations import curie
from hypomag.claims import ASIDE, Claim, Claims
from hypomag.graph import said
from hypomag.sources import VOCAB

VERSION = "4.4.6"
# What Translator's ingest of HPO annotations writes for the column sex.
SEXES = {"female": "PATO:0000383", "male": "PATO:0000384"}
FORMS = {"RO:0004002": "loss_of_function_variant_form", "RO:0004001": "gain_of_function_variant_form", "RO:0004003": "genetic_variant_form"}
DOMINANT_NEGATIVE = "dominant_negative_variant_form"  # of loss and gain the model makes it neither
_CONTEXT = frozenset({"disease_context_qualifier", "anatomical_context_qualifier", "population_context_qualifier", "frequency_qualifier"})
_COUNTED = _CONTEXT | {"has_count", "has_total", "has_percentage", "sex_qualifier"}

Details = list[tuple[str, str]]
Slots = dict[str, object]


@dataclass(frozen=True)
class Place:
    """Association class, predicate, and the slots that the class has for details.

    `turned` edges run from the object of the claim to its subject. `of_people` edges are read as being about people.
    """

    category: str
    predicate: str
    slots: frozenset[str] = frozenset()
    turned: bool = False
    of_people: bool = True


@dataclass(frozen=True)
class Statement:
    """A claim in the terms of the model: one edge for each object; `rest` are details that leave it true, but that the class has no slot for."""

    place: Place
    subject: str
    objects: tuple[str, ...]
    slots: Slots = field(default_factory=dict)
    rest: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Refused:
    """Why a claim has no place; `part` are the details that it would lose."""

    reason: str
    part: str = ""


_PHENOTYPE = Place("DiseaseToPhenotypicFeatureAssociation", "has_phenotype", _COUNTED | {"onset_qualifier"})
_TOGETHER = Place("PhenotypicFeatureToPhenotypicFeatureAssociation", "correlated_with", _COUNTED)
_CHEMICAL = "ChemicalEntityToDiseaseOrPhenotypicFeatureAssociation"
_UNTOWARD = Place("ChemicalOrDrugOrTreatmentAdverseEventAssociation", "has_adverse_event", _CONTEXT)
TREATS = Place("ChemicalOrDrugOrTreatmentToDiseaseOrPhenotypicFeatureAssociation", "treats", _CONTEXT)
TREATS_SOMEHOW = replace(TREATS, predicate="treats_or_applied_or_studied_to_treat")
_SIDES = frozenset({"subject_aspect_qualifier", "subject_context_qualifier", "object_aspect_qualifier", "object_context_qualifier",
                    "object_direction_qualifier", "qualified_predicate"})  # fmt: skip
_GENE_GENE = Place("GeneToGeneAssociation", "affects", _SIDES, of_people=False)
_CHEMICAL_GENE = Place("ChemicalAffectsGeneAssociation", "affects", _SIDES | {"anatomical_context_qualifier"}, of_people=False)
_TO_CHEMICAL = replace(_CHEMICAL_GENE, category="GeneAffectsChemicalAssociation")
_CHEMICAL_PROCESS = Place(
    "ChemicalEntityToBiologicalProcessAssociation", "affects",
    frozenset({"object_direction_qualifier", "qualified_predicate", "anatomical_context_qualifier"}), of_people=False,
)  # fmt: skip
_MACHINE = "MacromolecularMachineToBiologicalProcessAssociation"
UPSTREAM = {
    "increased": Place(_MACHINE, "acts_upstream_of_or_within_positive_effect", of_people=False),
    "decreased": Place(_MACHINE, "acts_upstream_of_or_within_negative_effect", of_people=False),
}
# Which effect goes where: (what its subject is, what its object is) → place.
EFFECTS = {
    ("gene", "gene"): _GENE_GENE,
    ("substance", "gene"): _CHEMICAL_GENE, ("amount", "gene"): _CHEMICAL_GENE,
    ("gene", "amount"): _TO_CHEMICAL, ("substance", "amount"): _TO_CHEMICAL, ("amount", "amount"): _TO_CHEMICAL,
    ("substance", "process"): _CHEMICAL_PROCESS,
}  # fmt: skip
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
            "GeneToExpressionSiteAssociation", "expressed_in", frozenset({"object_specialization_qualifier"}), of_people=False
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
    ("SecondaryCauseClaim", "RO:0003303", "PhenotypicFeature", "PhenotypicFeature"): Place(
        "EntityToPhenotypicFeatureAssociation", "causes", _COUNTED
    ),
    ("AdverseEffectClaim", "hm:hasAdverseEffect", "ChemicalEntity", "PhenotypicFeature"): _UNTOWARD,
    ("AdverseEffectClaim", "hm:hasAdverseEffect", "Procedure", "PhenotypicFeature"): _UNTOWARD,
    ("ContraindicationClaim", "hm:invalidIn", "ChemicalEntity", "PhenotypicFeature"): Place(_CHEMICAL, "contraindicated_in", _CONTEXT),
    ("PhysiologyClaim", "BFO:0000051", "ChemicalEntity", "ChemicalEntity"): Place(
        "ChemicalEntityToChemicalEntityAssociation", "has_part", of_people=False
    ),
    ("PhysiologyClaim", "hm:interactsWith", "Gene", "Gene"): Place("PairwiseGeneToGeneInteraction", "interacts_with", of_people=False),
    ("PhysiologyClaim", "hm:interactsWith", "ChemicalEntity", "Gene"): Place(
        "ChemicalGeneInteractionAssociation", "interacts_with", frozenset({"anatomical_context_qualifier"}), of_people=False
    ),
    ("PhysiologyClaim", "hm:servesIn", "ChemicalEntity", "BiologicalProcess"): Place(
        "ChemicalEntityToBiologicalProcessAssociation", "actively_involved_in", frozenset({"anatomical_context_qualifier"}), of_people=False
    ),
    ("PhysiologyClaim", "hm:servesIn", "Gene", "BiologicalProcess"): Place(_MACHINE, "actively_involved_in", of_people=False),
    ("PhysiologyClaim", "hm:servesIn", "Gene", "MolecularActivity"): Place(
        "MacromolecularMachineToMolecularActivityAssociation", "actively_involved_in", of_people=False
    ),
}
# Why a kind of claim, or its other forms, has no place.
REASONS = {
    "ClassificationClaim": "Biolink has no predicate for a general character of a disease",
    "ContraindicationClaim": "Biolink's contraindicated in takes a substance or treatment and a condition, not a test or a group of drugs",
    "DiagnosticClaim": "Biolink's diagnoses takes a device or substance, and its biomarker for cannot say what of a substance is measured, where, and which way it points",
    "DifferentialClaim": "Biolink's disease to disease association has no predicate for diseases to be told apart: associated with would read as found together",
    "DoseClaim": "Biolink has no dose",
    "EpidemiologyClaim": "Biolink has no measure of how often a disease occurs",
    "GapClaim": "Biolink cannot say that nothing is known",
    "LaboratoryClaim": "Biolink has no association for a measured variable beside a condition that is no disease",
    "MechanismStep": "an end of the step is no gene's activity, no substance, no amount of one that a laboratory measures, and no process that a substance or gene acts on",
    "MonitoringClaim": "Biolink has no predicate for follow-up",
    "OnsetClaim": "Biolink's onset is a qualifier of a phenotype; of a disease it would be an attribute of the node, without evidence",
    "PhysiologyClaim": "Biolink has no predicate for where a substance is absorbed, kept or lost, or for a conversion of units",
    "PrognosisClaim": "Biolink has no predicate for how a disease ends or goes on",
    "ReferenceIntervalClaim": "Biolink has no reference interval",
    "ThresholdClaim": "Biolink has no decision threshold",
    "ValidityClaim": "Biolink has no slot for the rating of a gene panel, and without it a red gene reads like a green one",
}
NO_PLACE = "Biolink has no association of this relation between these categories"
NARROW = "holds only under a condition that the association class has no slot for: the edge would say more"
MANNER = "how a treatment is carried out: Biolink has no predicate for it, and treats would say something else"
NO_AGENT = "names no substance: that some drug treats says nothing"
NO_AIM = "aims at a quantity, and no HPO term says which of its states the disease shows"
HOW_FAR = "denies an effect on a quantity, or on several findings: Biolink cannot say whether any effect is denied or a normal value"
CONFLICTING = "databases disagree on the class of the variant: an edge would take a side"
ONE_OF_SEVERAL = "denies one activity of the gene, and Biolink's activity means any"

ACTION = "hm:action"  # what was done with the agent: the object of a treatment claim whose subject in the edge is the agent
PHARMACOTHERAPY = "MAXO:0000058"
# Details that narrow any claim, and those that narrow what is treated; others leave a claim of presence true without them.
_CONDITIONS = frozenset({"hm:context", "hm:population"})
_OF_TREATMENT = frozenset({"hm:goal", "hm:severity"})
_SUPPORT = ("hm:context", VOCAB + "asSupport")
_TAKES_UP = frozenset({"GO:0050892", "GO:0070293"})  # intestinal, renal absorption
_EXPOSURE, _VARIANT, _POPULATION = VOCAB + "Exposure", VOCAB + "Variant", VOCAB + "Population"


def state(store: Store, claims: Claims, claim: Claim, kind: str) -> Statement | Refused:
    """Put a claim in the terms of the model; `kind` is what it is in the graph, for a laboratory claim comes as the phenotype claim that it amounts to."""
    details = [d for d in claim.details if d[0] not in ASIDE]
    if claim.kind == "TreatmentClaim":
        return _treatment(store, claims, claim, details)
    if claim.kind == "MechanismStep":
        return _effect(store, claim, details)
    key = (claim.kind, prefixes.shorten(claim.predicate), category(store, claim.subject), category(store, claim.object))
    place = PLACES.get(key)
    if place is None:
        return Refused(REASONS.get(kind, NO_PLACE))
    if claim.kind == "VariantClaim" and any(v.startswith(("Conflicting", "conflicting")) for v in significance(store, claim.subject)):
        return Refused(CONFLICTING)
    slots, rest = _slotted(claim, place, details)
    subject, target = (claim.object, claim.subject) if place.turned else (claim.subject, claim.object)
    return _unless_narrowed(claim, Statement(place, subject, (target,), slots, tuple(rest)), _CONDITIONS)


def _unless_narrowed(claim: Claim, made: Statement, conditions: frozenset[str]) -> Statement | Refused:
    """Refuse what is true only with a detail that the edge would not show; an absence is narrowed by any."""
    lost = [d for d in made.rest if d[0] != ACTION and (claim.absent or d[0] in conditions)]
    return Refused(NARROW, " ".join(f"{name} {prefixes.shorten(value)}" for name, value in lost)) if lost else made


def _treatment(store: Store, claims: Claims, claim: Claim, details: Details) -> Statement | Refused:
    """An edge from the agent, else the action, to what is treated: the disease, or the findings of it that the claim aims at.

    `treats` is for established treatment (accepted, undisputed, not merely as support) and for what failed; the model's wide predicate is
    for the rest. Negated, the wide one would say that nobody ever tried.
    """
    if prefixes.shorten(claim.predicate) == "hm:carriedOutAs":
        return Refused(MANNER)
    subject = claim.object
    agents = claim.values("hm:agent")
    if len(agents) == 1:
        subject = agents[0]
        details = [(ACTION, claim.object) if d[0] == "hm:agent" else d for d in details]
    elif not agents and prefixes.shorten(claim.object) == PHARMACOTHERAPY:
        return Refused(NO_AGENT)
    if category(store, subject) not in ("ChemicalEntity", "Procedure"):
        return Refused(NO_PLACE)
    supportive = _SUPPORT in details
    if supportive and claim.absent:
        return Refused(NARROW, "hm:context hm:asSupport")
    objects: tuple[str, ...] = (claim.subject,)
    if goals := claim.values("hm:goal"):
        if claim.absent and (len(goals) > 1 or not prefixes.shorten(goals[0]).startswith("HP:")):
            return Refused(HOW_FAR)
        aims = [_aim(store, claims, claim, goal) for goal in goals]
        if not all(aims):
            return Refused(NO_AIM)
        details = [d for d in details if d[0] != "hm:goal"]
        objects = tuple(dict.fromkeys(aims))
        if claim.subject not in objects:
            details.append(("hm:context", claim.subject))
    if not all(category(store, o) in ("Disease", "PhenotypicFeature") for o in objects):
        return Refused(NO_PLACE)
    slots, rest = _slotted(claim, TREATS, [d for d in details if d != _SUPPORT])
    limits = [(name, value) for name, value in rest if name == "hm:statedAs" and said(store, value, "hm:variable")]
    if limits:  # a quantity of a variable is a condition; one without is a dose
        return Refused(NARROW, " ".join(f"{name} {prefixes.shorten(value)}" for name, value in limits))
    established = claim.status == "accepted" and not claim.disputing and not supportive and _established(claim)
    place = TREATS if claim.absent or established else TREATS_SOMEHOW
    made = _unless_narrowed(claim, Statement(place, subject, objects, slots, tuple(rest)), _CONDITIONS | _OF_TREATMENT)
    return replace(made, rest=(*made.rest, _SUPPORT)) if supportive and isinstance(made, Statement) else made


def _established(claim: Claim) -> bool:
    """Whether a guideline supports a treatment, else a review and one more publication, or a cohort and two; none read in a secondary page only."""
    lines = [line for line in claim.lines if line.supports and line.grade != "C" and not line.on_animals]
    studies, sources = {line.study for line in lines}, len({line.source for line in lines})
    return "guideline" in studies or ("review" in studies and sources > 1) or ("cohort" in studies and sources > 2)


def _aim(store: Store, claims: Claims, claim: Claim, goal: str) -> str:
    """What a treatment works against: the finding that is its goal, or the state of a variable that its disease shows; empty where not known."""
    if prefixes.shorten(goal).startswith("HP:"):
        return goal
    states = sorted({finding for (variable, _), finding in claims.findings.items() if variable == goal})
    if claim.subject in states:
        return claim.subject
    shown = [finding for finding in states if (claim.subject, finding) in claims.shown]
    return shown[0] if len(shown) == 1 else ""


def _effect(store: Store, claim: Claim, details: Details) -> Statement | Refused:
    """A step of the mechanism as an effect of one entity on another, where both of its ends are such in the terms of the model."""
    (what, subject, aspect, where), (whereon, target, changed, there) = _end(store, claim.subject), _end(store, claim.object)
    direction = "increased" if prefixes.shorten(claim.predicate) == "hm:increases" else "decreased"
    place = UPSTREAM[direction] if (what, whereon) == ("gene", "process") else EFFECTS.get((what, whereon))
    if place is None:
        return Refused(REASONS["MechanismStep"])
    if claim.absent:
        return Refused(ONE_OF_SEVERAL)
    filled: Slots = {
        "subject_aspect_qualifier": aspect, "subject_context_qualifier": where, "object_aspect_qualifier": changed,
        "object_context_qualifier": there, "object_direction_qualifier": direction, "qualified_predicate": "biolink:causes",
    }  # fmt: skip
    slots, rest = _slotted(claim, place, details)
    slots |= {name: value for name, value in filled.items() if value and name in place.slots}
    shown = {v for value in slots.values() for v in (value if isinstance(value, list) else [value])}
    for variable in (claim.subject, claim.object):
        rest += [
            ("hm:location", v) for v in said(store, variable, "hm:location") if curie(v) not in shown and ("hm:location", v) not in rest
        ]
    return _unless_narrowed(claim, Statement(place, subject, (target,), slots, tuple(rest)), _CONDITIONS)


def _end(store: Store, variable: str) -> tuple[str, str, str, str]:
    """What an end of a step is, the entity, its aspect and its place: a gene's activity, the presence or the measured amount of a substance, a process."""
    genes, substances, processes = (said(store, variable, f"hm:{name}") for name in ("activityOf", "analyte", "process"))
    places = said(store, variable, "hm:location")
    where = curie(places[0]) if len(places) == 1 else ""
    if len(genes) == 1:
        return "gene", genes[0], "activity", where
    if _EXPOSURE in said(store, variable, "rdf:type"):
        return ("substance", substances[0], "", "") if len(substances) == 1 else ("", "", "", "")
    if len(substances) == 1 and len(places) == 1:
        taken_up = [prefixes.shorten(p) in _TAKES_UP for p in processes]
        aspect = "abundance" if said(store, variable, "hm:test") else "absorption" if taken_up == [True] else ""
        return ("amount", substances[0], aspect, where) if aspect else ("", "", "", "")
    if len(processes) == 1 and not substances:
        return "process", processes[0], "", ""
    return "", "", "", ""


def category(store: Store, iri: str) -> str:
    """The Biolink category of a node of the graph, by what the graph says of it; empty where it says none."""
    kinds = said(store, iri, "rdf:type")
    if _VARIANT in kinds:
        return "SequenceVariant"
    if _POPULATION in kinds:
        return "PopulationOfIndividualOrganisms"
    found = [prefixes.shorten(v) for v in said(store, iri, "biolink:category")]
    return found[0].removeprefix("biolink:") if found else ""


def significance(store: Store, variant: str) -> list[str]:
    """How databases class a variant, in their words."""
    return said(store, variant, "hm:clinicalSignificance")


def _slotted(claim: Claim, place: Place, details: Details) -> tuple[Slots, Details]:
    """Details that the association class has a slot for, and the rest."""
    slots: Slots = {}
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
        elif name == "hm:variantEffect" and prefixes.shorten(value) == "hm:dominantNegative":
            slot, filled = "subject_form_or_variant_qualifier", DOMINANT_NEGATIVE
        elif name == "hm:location" and "object_specialization_qualifier" in place.slots and alone:
            slot = "object_specialization_qualifier"
        elif name == "hm:location":
            slot, filled = "anatomical_context_qualifier", [curie(v) for v in claim.values(name)]
        if slot is not None and slot in place.slots:
            slots[slot] = filled
        else:
            rest.append((name, value))
    return slots, rest
