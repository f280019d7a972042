"""Claims as plain values, with their evidence lines: what every format of others is made from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property

from pyoxigraph import NamedNode, Quad, Store

from hypomag import prefixes
from hypomag.sources import CLAIMS, GRAPHS, VOCAB

# Claims and their lines are read from these alone: what the rules derive about a claim is no qualifier of it.
STATED = (CLAIMS, GRAPHS + "lifted/")

_TRIPLE = ("rdf:type", "rdfs:label", "hm:subject", "hm:predicate", "hm:object", "hm:polarity", "hm:status", "hm:evidence")
# Of the curator's work, not of the proposition.
ASIDE = frozenset({"hm:answers", "skos:editorialNote"})
# Of an evidence line, and in no format of others: what was read, how closely, by which row, and in our words.
BEHIND = frozenset({"rdf:type", "rdfs:label", "hm:note", "hm:studyType", "hm:readingGrade", "hm:correctedBy", "hm:sourceRow"})
# Of an evidence line, with a place in `Line` of their own.
HELD = frozenset({
    "dcterms:source", "hm:direction", "hm:evidenceCode", "hm:affected", "hm:examined", "hm:statedPercent", "hm:frequency",
    "hm:hpoaEvidence", "hm:derivedCount",
})  # fmt: skip
_FINDINGS = {"hm:lowFinding": "stateLow", "hm:highFinding": "stateHigh"}


@dataclass(frozen=True)
class Line:
    """One evidence line; `affected` of `examined` are counts, `percent` and `band` what the source states instead.

    `derived` counts are computed from what the source states. `hpoa` is the evidence code of a lifted HPO annotation and `row` that
    annotation as it stands; both are empty on curated lines. `details` is all the rest (cohort, measured quantities), as on a claim.
    """

    iri: str
    source: str
    supports: bool
    code: str = ""
    study: str = ""
    affected: int | None = None
    examined: int | None = None
    percent: str = ""
    band: str = ""
    hpoa: str = ""
    row: str = ""
    derived: bool = False
    details: tuple[tuple[str, str], ...] = ()

    @property
    def counts_nobody(self) -> bool:
        return self.affected == 0


@dataclass(frozen=True)
class Claim:
    """One claim; `details` are its qualifiers as (property CURIE, value IRI or text), sorted."""

    iri: str
    kind: str
    label: str
    subject: str
    predicate: str
    object: str
    absent: bool
    status: str
    details: tuple[tuple[str, str], ...] = ()
    lines: tuple[Line, ...] = ()

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.details if key == name]

    @property
    def disputing(self) -> list[Line]:
        return [line for line in self.lines if not line.supports]


@dataclass(frozen=True)
class Claims:
    """All claims of a graph, and what exports need to know beside them: what a low or high state of a variable is called."""

    claims: tuple[Claim, ...]
    findings: dict[tuple[str, str], str]

    @cached_property
    def _told(self) -> dict[tuple[str, str, bool], set[str]]:
        """What phenotype and complication claims say, and who says so: (subject, finding, absent) → references."""
        found: dict[tuple[str, str, bool], set[str]] = defaultdict(set)
        for claim in self.claims:
            if claim.kind in ("PhenotypeClaim", "ComplicationClaim") and claim.status != "retracted":
                found[claim.subject, claim.object, claim.absent] |= {line.source for line in claim.lines}
        return found

    def as_phenotype(self, claim: Claim) -> tuple[Claim, list[Line]] | None:
        """A laboratory claim as the phenotype claim that it amounts to, where an HPO term names the state.

        Lines of a reference that speaks of the same finding in a phenotype claim would count it twice: they are given apart.
        """
        states = claim.values("hm:state")
        state = states[0].removeprefix(VOCAB) if len(states) == 1 else ""
        finding = self.findings.get((claim.object, state))
        if finding is None:
            return None
        told = self._told.get((claim.subject, finding, claim.absent), set())
        twice = [line for line in claim.lines if line.source in told and line.supports]
        return replace(
            claim, kind="PhenotypeClaim", predicate=prefixes.expand("RO:0002200") or "", object=finding,
            details=tuple((k, v) for k, v in claim.details if k != "hm:state"),
            lines=tuple(line for line in claim.lines if line not in twice),
        ), twice  # fmt: skip


def read(store: Store) -> Claims:
    """Read every claim of a graph as it is stated in graph/claims and graph/lifted, by IRI.

    A claim of several kinds is read once, by the first of them.
    """
    known: dict[str, str] = {}
    for kind in sorted(
        q.subject.value for q in store.quads_for_pattern(None, prefixes.node("rdfs:subClassOf"), prefixes.node("hm:Claim"), None)
    ):
        for quad in store.quads_for_pattern(None, prefixes.node("rdf:type"), NamedNode(kind), None):
            if _is_stated(quad):
                known.setdefault(quad.subject.value, kind.removeprefix(VOCAB))
    return Claims(tuple(_claim(store, iri, known[iri]) for iri in sorted(known)), _findings(store))


def _is_stated(quad: Quad) -> bool:
    return isinstance(quad.graph_name, NamedNode) and quad.graph_name.value.startswith(STATED)


def _properties(store: Store, iri: str) -> dict[str, list[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for quad in store.quads_for_pattern(NamedNode(iri), None, None, None):
        if _is_stated(quad):
            found[prefixes.shorten(quad.predicate.value)].add(quad.object.value)
    return {key: sorted(values) for key, values in found.items()}


def _claim(store: Store, iri: str, kind: str) -> Claim:
    facts = _properties(store, iri)

    def one(name: str) -> str:
        return facts.get(name, [""])[0]

    return Claim(
        iri, kind, one("rdfs:label"), one("hm:subject"), one("hm:predicate"), one("hm:object"),
        absent=one("hm:polarity") == VOCAB + "absent",
        status=one("hm:status").removeprefix(VOCAB),
        details=tuple((key, value) for key in sorted(facts) if key not in _TRIPLE for value in facts[key]),
        lines=tuple(_line(store, line) for line in facts.get("hm:evidence", [])),
    )  # fmt: skip


def _line(store: Store, iri: str) -> Line:
    facts = _properties(store, iri)

    def one(name: str) -> str:
        return facts.get(name, [""])[0]

    row = ""
    if one("hm:hpoaEvidence"):
        rows = [_properties(store, origin).get("hm:raw", [""])[0] for origin in facts.get("hm:sourceRow", [])]
        row = next((raw for raw in rows if raw), "")
    return Line(
        iri, one("dcterms:source"), one("hm:direction") != VOCAB + "disputes", one("hm:evidenceCode"), one("hm:studyType"),
        affected=int(one("hm:affected")) if one("hm:affected") else None,
        examined=int(one("hm:examined")) if one("hm:examined") else None,
        percent=one("hm:statedPercent"), band=one("hm:frequency"), hpoa=one("hm:hpoaEvidence"), row=row,
        derived=one("hm:derivedCount") == "true",
        details=tuple((key, value) for key in sorted(set(facts) - HELD - BEHIND) for value in facts[key]),
    )  # fmt: skip


def _findings(store: Store) -> dict[tuple[str, str], str]:
    """(variable, state) → the HPO term that this state is."""
    return {
        (quad.subject.value, state): quad.object.value
        for name, state in _FINDINGS.items()
        for quad in store.quads_for_pattern(None, prefixes.node(name), None, None)
    }
