"""The card of one entity: what it is, what is claimed, how often, on what evidence, what disputes it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from pyoxigraph import NamedNode, Store

from hypomag import names, prefixes
from hypomag.queries import run
from hypomag.sources import VOCAB

# The order in which a clinician reads, and the heading of each kind of claim.
SECTIONS = {
    "ClassificationClaim": "What it is", "CausationClaim": "Cause", "InheritanceClaim": "Inheritance", "ValidityClaim": "Gene panels and validity",
    "VariantClaim": "Variants", "OnsetClaim": "Onset", "PhenotypeClaim": "Findings", "ComplicationClaim": "Complications",
    "LaboratoryClaim": "Laboratory", "SiteClaim": "Where it acts", "MechanismStep": "Mechanism", "PhysiologyClaim": "In the normal body",
    "DifferentialClaim": "To be told apart from", "DiagnosticClaim": "Diagnosis", "ThresholdClaim": "Limits",
    "ReferenceIntervalClaim": "Reference intervals", "TreatmentClaim": "Treatment", "DoseClaim": "Doses that sources give",
    "ContraindicationClaim": "Contraindications", "AdverseEffectClaim": "Adverse effects", "PrognosisClaim": "Outlook",
    "MonitoringClaim": "Monitoring", "EpidemiologyClaim": "How often", "SecondaryCauseClaim": "Secondary causes", "GapClaim": "Not known",
}  # fmt: skip
NOTICE = "For information; this is no medical advice."
_CLAIMS = """
SELECT DISTINCT ?claim ?kind ?label ?polarity ?status WHERE {
  { SELECT DISTINCT ?claim WHERE {
  { ?claim hm:subject ?entity } UNION { ?claim hm:object ?entity } UNION { ?claim hm:agent ?entity }
  UNION { ?claim hm:route ?entity } UNION { ?claim hm:location ?entity } UNION { ?claim hm:discriminator/hm:feature ?entity }
  UNION { ?claim hm:statedAs/hm:test ?entity } UNION { ?claim hm:evidence/hm:measured/hm:test ?entity }
  UNION { ?claim hm:evidence/dcterms:source ?entity } UNION { ?claim hm:object/hm:agent ?entity } UNION { ?claim hm:subject/hm:gene ?entity } UNION { ?entity hm:evidence ?anyLine . BIND(?entity AS ?claim) }
  } }
  ?claim a ?kind ; rdfs:label ?label ; hm:polarity ?polarity ; hm:status ?status .
  ?kind rdfs:subClassOf hm:Claim .
  FILTER(?status != hm:retracted)
} ORDER BY ?claim
"""
_EVERY = """
SELECT DISTINCT ?claim ?kind ?label ?polarity ?status WHERE {
  ?kind rdfs:subClassOf hm:Claim .
  ?claim a ?kind ; rdfs:label ?label ; hm:polarity ?polarity ; hm:status ?status .
  FILTER(?status != hm:retracted)
} ORDER BY ?claim
"""
_LINES = """
SELECT ?claim ?line ?source ?sourceLabel ?direction ?n ?m ?percent ?band ?note ?study ?grade ?genotyped WHERE {
  %s
  ?claim hm:evidence ?line .
  ?line dcterms:source ?source ; hm:direction ?direction .
  ?source hm:shortCitation ?sourceLabel .
  OPTIONAL { ?line hm:affected ?n }
  OPTIONAL { ?line hm:examined ?m }
  OPTIONAL { ?line hm:statedPercent ?percent }
  OPTIONAL { ?line hm:frequency/rdfs:label ?band }
  OPTIONAL { ?line hm:note ?note }
  OPTIONAL { ?line hm:studyType ?study }
  OPTIONAL { ?line hm:readingGrade ?grade }
  OPTIONAL { ?line hm:cohort/hm:genotyped/rdfs:label ?genotyped }
} ORDER BY ?claim ?line
"""


@dataclass(frozen=True)
class Line:
    """One evidence line as a card tells it; `n` of `m` are counts, `percent` what the source states instead."""

    iri: str
    source: str
    source_iri: str
    direction: str
    n: int | None
    m: int | None
    percent: str
    band: str
    note: str
    study: str
    grade: str
    genotyped: str

    def told(self) -> str:
        """Counts, source and kind of study in one line."""
        often = (
            f"{self.n} of {self.m}, "
            if self.n is not None
            else f"{self.percent} %, "
            if self.percent
            else f"{self.band.lower()}, "
            if self.band
            else ""
        )
        more = ", ".join(part for part in (self.study, self.genotyped) if part)
        return f"{often}{self.source}" + (f" ({more})" if more else "")


@dataclass(frozen=True)
class Statement:
    """One claim as a card tells it."""

    iri: str
    kind: str
    label: str
    polarity: str
    status: str
    lines: tuple[Line, ...] = ()

    @property
    def disputed(self) -> bool:
        return any(line.direction == "disputes" for line in self.lines)


@dataclass(frozen=True)
class Card:
    """All that the graph says of one entity, in the order in which a clinician reads."""

    iri: str
    curie: str
    label: str
    types: tuple[str, ...]
    synonyms: tuple[str, ...]
    matches: tuple[str, ...]
    parents: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    statements: tuple[Statement, ...] = field(default=())

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"notice": NOTICE}

    def sections(self) -> Iterator[tuple[str, list[Statement]]]:
        """Headings with their claims; empty ones are left out."""
        for kind, heading in SECTIONS.items():
            found = [s for s in self.statements if s.kind == kind]
            if found:
                yield heading, found

    def as_text(self, *, full: bool = False, width: int = 100) -> str:
        """The card for a terminal; `full` adds the note of every evidence line."""

        def wrapped(text: str, first: str, rest: str) -> str:
            return textwrap.fill(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) + "\n"

        out = [f"{self.label}  ({self.curie})\n", "=" * min(width, len(self.label) + len(self.curie) + 4) + "\n"]
        for title, values in (("also called", self.synonyms), ("matches", self.matches), ("is a kind of", self.parents)):
            if values:
                out.append(wrapped("; ".join(values), f"{title}: ", "  "))
        out.extend(wrapped(value, f"{name}: ", "  ") for name, value in self.facts)
        for heading, statements in self.sections():
            out.append(f"\n{heading}\n{'-' * len(heading)}\n")
            for s in statements:
                marks = [
                    w
                    for w, on in (("not found", s.polarity == "absent"), (s.status, s.status != "accepted"), ("disputed", s.disputed))
                    if on
                ]
                out.append(wrapped(s.label + (f"  [{', '.join(marks)}]" if marks else ""), "* ", "  "))
                for line in s.lines:
                    sign = "+" if line.direction == "supports" else "-"
                    out.append(wrapped(line.told(), f"    {sign} ", "      "))
                    if full and line.note:
                        out.append(wrapped(line.note, "      ", "      "))
        if not self.statements:
            out.append("\nNo claim speaks of it.\n")
        out.append(f"\n{len(self.statements)} claim{'' if len(self.statements) == 1 else 's'}. + supports, - disputes. {NOTICE}\n")
        return "".join(out)


def card(store: Store, name: str) -> Card:
    """Make the card of the entity that a name, synonym or identifier in any spelling belongs to.

    Raises:
        UnknownName, AmbiguousName: as `names.resolve`.
    """
    entity = names.resolve(store, name)
    statements = _statements(store, entity)

    def values(predicate: str) -> list[str]:
        found = store.quads_for_pattern(entity, prefixes.node(predicate), None, None)
        return sorted({_shown(store, q.object) for q in found})

    synonyms = [v for p in names.SYNONYMS for v in values(prefixes.shorten(p.value))]
    skip = {"rdf:type", "rdfs:label", "rdfs:subClassOf", "rdfs:isDefinedBy", "skos:exactMatch", "hm:alternateIri", "biolink:category",
            "hm:subject", "hm:predicate", "hm:evidence", *(prefixes.shorten(p.value) for p in names.SYNONYMS)}  # fmt: skip
    predicates = sorted({prefixes.shorten(q.predicate.value) for q in store.quads_for_pattern(entity, None, None, None)} - skip)
    facts = []
    for predicate in predicates:
        if predicate.partition(":")[0] in ("RO",):  # shortcuts repeat what the claims say
            continue
        label = names.label(store, prefixes.node(predicate))
        facts.append((label, "; ".join(values(predicate))))
    return Card(
        iri=entity.value,
        curie=prefixes.shorten(entity.value),
        label=names.label(store, entity),
        types=tuple(values("biolink:category") or values("rdf:type")),
        synonyms=tuple(synonyms),
        matches=tuple(values("skos:exactMatch")),
        parents=tuple(values("rdfs:subClassOf")),
        facts=tuple(facts),
        statements=tuple(statements),
    )


def _shown(store: Store, term: object) -> str:
    if isinstance(term, NamedNode):
        short = prefixes.shorten(term.value)
        label = names.label(store, term)
        return short if label == short else f"{label} ({short})"
    return str(getattr(term, "value", term))


def every_statement(store: Store) -> dict[str, Statement]:
    """All claims of the graph that are not retracted, with their lines, by IRI."""
    return {s.iri: s for s in _told(list(run(store, _EVERY)), run(store, _LINES % ""))}


def _statements(store: Store, entity: NamedNode) -> list[Statement]:
    rows = list(run(store, _CLAIMS.replace("?entity", str(entity))))
    if not rows:
        return []
    return _told(rows, run(store, _LINES % f"VALUES ?claim {{ {' '.join(str(r['claim']) for r in rows)} }}"))


def _told(rows: list[Any], evidence: Iterable[Any]) -> list[Statement]:
    lines: dict[str, list[Line]] = {}
    for row in evidence:

        def text(key: str, row=row) -> str:  # type: ignore[no-untyped-def]
            return row[key].value if row[key] is not None else ""

        lines.setdefault(row["claim"].value, []).append(
            Line(
                iri=text("line"), source=text("sourceLabel"), source_iri=text("source"), direction=text("direction").removeprefix(VOCAB),
                n=int(text("n")) if text("n") else None, m=int(text("m")) if text("m") else None, percent=text("percent"),
                band=text("band"), note=text("note"), study=text("study"), grade=text("grade"), genotyped=text("genotyped"),
            )
        )  # fmt: skip
    found = [
        Statement(
            iri=row["claim"].value,
            kind=row["kind"].value.removeprefix(VOCAB),
            label=row["label"].value,
            polarity=row["polarity"].value.removeprefix(VOCAB),
            status=row["status"].value.removeprefix(VOCAB),
            lines=tuple(sorted(lines.get(row["claim"].value, []), key=lambda x: (x.direction != "supports", -(x.m or 0), x.iri))),
        )
        for row in rows
    ]
    return sorted(found, key=lambda s: (s.polarity == "absent", -len(s.lines), s.iri))
