"""Claims as plain values, with their evidence lines: what every format of others is made from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from pyoxigraph import NamedNode, Quad, Store

from hypomag import lifting, prefixes
from hypomag.sources import CLAIMS, GRAPHS, VOCAB

# Claims and their lines are read from these alone: what the rules derive about a claim is no qualifier of it.
STATED = (CLAIMS, GRAPHS + "lifted/")

_TRIPLE = ("rdf:type", "rdfs:label", "hm:subject", "hm:predicate", "hm:object", "hm:polarity", "hm:status", "hm:evidence")
# Of the curator's work, not of the proposition.
ASIDE = frozenset({"hm:answers", "skos:editorialNote"})
# What a finding itself is like; anything else narrows a claim of it.
_OWN = frozenset({"hm:onset", "hm:sex", "hm:modifier", "hm:severity"})
# Of an evidence line, and in no format of others: by which row, and what a second reader mended.
BEHIND = frozenset({"rdf:type", "rdfs:label", "hm:correctedBy", "hm:sourceRow"})
# Of an evidence line, with a place in `Line` of their own.
HELD = frozenset({
    "dcterms:source", "hm:direction", "hm:evidenceCode", "hm:affected", "hm:examined", "hm:statedPercent", "hm:frequency",
    "hm:hpoaEvidence", "hm:derivedCount", "hm:studyType", "hm:readingGrade", "hm:note", "hm:ourReading",
})  # fmt: skip
_FINDINGS = {"hm:lowFinding": "stateLow", "hm:highFinding": "stateHigh"}


@dataclass(frozen=True)
class Line:
    """One evidence line; `affected` of `examined` are counts, `percent` and `band` what the source states instead.

    `derived` counts are computed from what the source states, `ours` is a line that is our reading of the source. `study` is the kind of study, `grade` how closely the source was read (A, B, C),
    `note` our sentence. `hpoa` is the evidence code of a lifted HPO annotation and `row` that
    annotation as it stands; both are empty on curated lines. `details` is all the rest (cohort, measured quantities), as on a claim.
    """

    iri: str
    source: str
    supports: bool
    code: str = ""
    study: str = ""
    grade: str = ""
    note: str = ""
    affected: int | None = None
    examined: int | None = None
    percent: str = ""
    band: str = ""
    hpoa: str = ""
    row: str = ""
    derived: bool = False
    ours: bool = False
    details: tuple[tuple[str, str], ...] = ()

    @property
    def says_nobody(self) -> bool | None:
        """Whether the number that the line gives is nobody, or somebody; None where it gives none."""
        if self.affected is not None:
            return self.affected == 0
        return Decimal(self.percent) == 0 if self.percent else False if self.band else None

    @property
    def on_animals(self) -> bool:
        """Whether animals or cells were studied, not people."""
        return self.study in ("animal", "in vitro")


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
    def _counted(self) -> dict[tuple[str, str, bool, str], set[tuple[str, int | None, int | None]]]:
        """Who counts a finding: (subject, finding, absent, reference) → (kind of claim, affected, examined), HPO for an HPO annotation.

        Of phenotype and complication claims that nothing narrows but what the finding itself is like, and of HPO annotations.
        """
        found: dict[tuple[str, str, bool, str], set[tuple[str, int | None, int | None]]] = defaultdict(set)
        for claim in self.claims:
            own = set() if claim.absent else _OWN  # an absence with any detail may have no place
            plain = claim.kind in ("PhenotypeClaim", "ComplicationClaim") and not {name for name, _ in claim.details} - ASIDE - own
            for line in claim.lines if claim.status != "retracted" else ():
                if line.supports and not line.on_animals and line.says_nobody in (None, claim.absent) and (plain or line.row):
                    for reference in (lifting.source(r) or "" for r in lifting.cited(line.row)) if line.row else (line.source,):
                        kind = "HPO" if line.row else claim.kind
                        found[claim.subject, claim.object, claim.absent, reference].add((kind, line.affected, line.examined))
        return found

    @cached_property
    def shown(self) -> set[tuple[str, str]]:
        """The findings that are claimed to be present, as (subject, finding), by whatever kind of claim."""
        found = set()
        for claim in self.claims:
            finding = self.finding(claim)
            if finding and finding.kind in ("PhenotypeClaim", "ComplicationClaim") and not claim.absent and claim.status != "retracted":
                found.add((finding.subject, finding.object))
        return found

    def finding(self, claim: Claim) -> Claim | None:
        """A claim in the form in which findings are counted: a laboratory claim as the phenotype claim that it amounts to, others as they are.

        None for a laboratory claim where no HPO term names the state.
        """
        if claim.kind != "LaboratoryClaim":
            return claim
        states = claim.values("hm:state")
        state = states[0].removeprefix(VOCAB) if len(states) == 1 else ""
        term = self.findings.get((claim.object, state))
        if term is None:
            return None
        # A finding goes with a finding; it is no sign of it.
        predicate = "hm:correlatedWith" if prefixes.shorten(claim.subject).startswith("HP:") else "RO:0002200"
        details = tuple((k, v) for k, v in claim.details if k != "hm:state")
        return replace(claim, kind="PhenotypeClaim", predicate=prefixes.expand(predicate) or "", object=term, details=details)

    def twice(self, stated: Claim, finding: Claim) -> list[Line]:
        """Curated lines of a claim that would count their patients once more, because another line does.

        Of a claim that nothing narrows but what the finding itself is like: where it is a laboratory claim, a phenotype claim has their reference for the same
        finding; or an HPO annotation has it, with the same count, or they give no number. Two readings of one publication that count
        differently both stand.
        """
        if {name for name, _ in finding.details} - ASIDE - _OWN:
            return []
        found = []
        for line in stated.lines:
            others = self._counted.get((finding.subject, finding.object, finding.absent, line.source), set())
            mine = (line.affected, line.examined)
            same = line.says_nobody is None or line.examined is not None
            again = any(
                same and mine in ((None, None), (n, m)) if kind == "HPO" else stated.kind == "LaboratoryClaim" for kind, n, m in others
            )
            if line.supports and not line.row and again:
                found.append(line)
        return found


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
        iri, one("dcterms:source"), one("hm:direction") != VOCAB + "disputes", one("hm:evidenceCode"),
        one("hm:studyType"), one("hm:readingGrade"), one("hm:note"),
        affected=int(one("hm:affected")) if one("hm:affected") else None,
        examined=int(one("hm:examined")) if one("hm:examined") else None,
        percent=one("hm:statedPercent"), band=one("hm:frequency"), hpoa=one("hm:hpoaEvidence"), row=row,
        derived=one("hm:derivedCount") == "true", ours=one("hm:ourReading") == "true",
        details=tuple((key, value) for key in sorted(set(facts) - HELD - BEHIND) for value in facts[key]),
    )  # fmt: skip


def _findings(store: Store) -> dict[tuple[str, str], str]:
    """(variable, state) → the HPO term that this state is."""
    return {
        (quad.subject.value, state): quad.object.value
        for name, state in _FINDINGS.items()
        for quad in store.quads_for_pattern(None, prefixes.node(name), None, None)
    }
