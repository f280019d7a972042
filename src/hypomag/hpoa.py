"""The graph as HPO annotations: rows of phenotype.hpoa, the lifted ones as they stand, and rows of curated claims.

Readers sum the rows of a disease and a term, and take a row without a frequency for one patient of one, as they take NOT beside 0/m for m of m. So a
row goes out only where it is true when it is read like that, and no patients are counted by two rows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode, Store

from hypomag import citations, exports, lifting, names, prefixes
from hypomag.claims import ASIDE, Claim, Claims, Line, read
from hypomag.graph import said
from hypomag.lifting import COLUMNS
from hypomag.losses import ANIMALS, CLAIM, DETAIL, LINE, NO_TERM, RETRACTED, Losses, one_reason
from hypomag.sources import BASE

# Kind of claim and its predicate → the aspect of its rows, where no row of HPO gives the term another one.
ASPECTS = {
    ("PhenotypeClaim", "RO:0002200"): "P",
    ("ComplicationClaim", "RO:0002200"): "P",
    ("InheritanceClaim", "biolink:has_mode_of_inheritance"): "I",
    ("OnsetClaim", "hm:hasOnset"): "C",
}
# Details that have a column; HPO takes a severity as a modifier.
MODIFIERS = ("hm:modifier", "hm:severity")
HELD = frozenset({"hm:onset", "hm:sex", *MODIFIERS})
# PCS stands for a published clinical study, TAS for what a knowledge base or a review says.
STUDIES = frozenset({"cohort", "case series", "case report"})
NO_COLUMN = "HPO annotations have no column for this kind of claim"
NO_SUBJECT = "HPO annotations are of diseases, with HPO terms"
NO_ENTRY = "HPO annotates entries of OMIM, Orphanet and DECIPHER, of which this disease has none"
GROUP = "a group of diseases: HPO annotates its members"
PROVISIONAL = "provisional, and HPO annotations cannot say so"
NO_NOT = "an absence, and readers look at NOT for phenotypes alone"
NARROWED = "narrowed by what has no column: the row would say more than the claim"
SEVERAL = "one of several, and the column holds one"
DISPUTES = "speaks against the claim without a count: HPO annotations have no such row"
COUNTS = "its count says the opposite of the claim"
COMPUTED = "a count computed from what the source states, which alone is written"
COMPUTED_NOT = "stands beside a computed count, and the column holds both or none"
BESIDE = "the column holds one frequency, and the count stands there"
WEAK = "read in a secondary page only (grade C), which is no evidence for diagnosis"
WORDS = "how often is said in a word: readers take a row without a frequency for one of one"
UNCOUNTED = "gives no frequency, while other rows of this disease and term do: readers would add one of one"
ALONE = "counts nobody against a claim for which no row counts anybody: alone it would be an absence"
PATIENTS = "another row counts the same patients, or the same publication, for this term"
NO_CELL = "HPO annotations have no column for it"
NO_LINE = "no line that could be a row"
_WORDS = "hm:frequencyWords"

Row = tuple[str, ...]


def export(store: Store) -> tuple[str, Losses]:
    """Write phenotype.hpoa with the rows of this graph, and the report of what has no place in it."""
    claims = read(store)
    rows, losses = annotate(store, claims)
    version, date = exports.release(store)
    _, licence, note = exports.GRAPH_NOTES["lifted/hpoa"]
    tables = sorted({row.split(" ")[1] for claim in claims.claims for line in claim.lines if line.row for row in _tables(store, line)})
    hpo = "".join(f"#hpo-version: http://purl.obolibrary.org/obo/hp/releases/{release}/hp.json\n" for release in tables[-1:])
    head = (
        f'#description: "HPO annotations of hypomag {version}: rows lifted from phenotype.hpoa {", ".join(tables)} as they stand, '
        'and rows of curated claims (biocuration hypomag:...)"\n'
        f"#version: {date}\n{hpo}"
        f"#hypomag-version: {version}\n"
        f"#license: rows with biocuration hypomag:... {exports.LICENCE_CC_BY}; all others {licence} {note}\n" + "\t".join(COLUMNS) + "\n"
    )
    return head + "".join("\t".join(row) + "\n" for row in rows), losses


def annotate(store: Store, claims: Claims) -> tuple[list[Row], Losses]:
    """Rows in the order of their cells, and what was lost on the way.

    A claim of absence with a count is a row 0/m without NOT, as HPO writes it.
    """
    losses = Losses("hpoa", len(claims.claims))
    known = _Known(store, claims)
    drafts = [_drafted(claim, claims, known) for claim in claims.claims]
    _count_once([draft for draft in drafts if draft.made], known)
    _, date = exports.release(store)
    rows = [row for draft in drafts for row in _written(draft, known, losses, date)]
    losses.lines = len(rows)
    return sorted(rows), losses


@dataclass
class _Draft:
    """One claim on its way: `finding` is what is written of it, `reason` why none of it is, `unfit` why a line is not."""

    claim: Claim
    finding: Claim
    reason: str
    unfit: dict[str, str]

    @property
    def made(self) -> list[Line]:
        """The curated lines that are rows."""
        return [line for line in self.finding.lines if not line.row and not self.reason and not self.unfit[line.iri]]


class _Known:
    """What the lifted rows tell of databases, disease names, aspects and frequencies, which entries a disease has, and what is a group."""

    def __init__(self, store: Store, claims: Claims) -> None:
        self.store = store
        self.aspects: dict[str, str] = {}
        self.disease_names: dict[str, str] = {}
        # (entry, term) → publications, and whether any row gives a frequency
        self.cited: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.counted: set[tuple[str, str]] = set()
        self.entries: dict[str, str] = {}
        above = {q.object.value for q in store.quads_for_pattern(None, prefixes.node("rdfs:subClassOf"), None, None)}
        self.groups = {iri for iri in above if prefixes.shorten(iri).startswith("MONDO:")}
        for claim in claims.claims:
            for line in claim.lines:
                if line.row:
                    cells = dict(zip(COLUMNS, line.row.split("\t"), strict=False))
                    key = (cells["database_id"], cells["hpo_id"])
                    self.aspects.setdefault(cells["hpo_id"], cells["aspect"])
                    self.disease_names.setdefault(cells["database_id"], cells["disease_name"])
                    self.cited[key] |= set(lifting.cited(line.row))
                    if cells["frequency"]:
                        self.counted.add(key)

    def family(self, cohort: str) -> set[str]:
        """A cohort, those that it is part of, and its parts."""
        found, part = {cohort}, prefixes.node("dcterms:isPartOf")
        for upwards in (True, False):
            todo = [cohort]
            while todo:
                at = NamedNode(todo.pop())
                quads = (
                    self.store.quads_for_pattern(at, part, None, None) if upwards else self.store.quads_for_pattern(None, part, at, None)
                )
                new = {(q.object if upwards else q.subject).value for q in quads} - found
                found |= new
                todo += new
        return found

    def entry(self, iri: str) -> str:
        """The id under which HPO would annotate a disease: OMIM's, else Orphanet's; empty where it has none."""
        if iri not in self.entries:
            matches = self.store.quads_for_pattern(NamedNode(iri), names.MATCHES, None, None)
            ids = sorted(prefixes.shorten(q.object.value).replace("Orphanet:", "ORPHA:") for q in matches)
            self.entries[iri] = next((i for base in ("OMIM:", "ORPHA:") for i in ids if i.startswith(base)), "")
        return self.entries[iri]

    def name(self, iri: str) -> str:
        """What HPO calls a disease, else its label here."""
        return self.disease_names.get(self.entry(iri)) or names.label(self.store, NamedNode(iri))


def _drafted(claim: Claim, claims: Claims, known: _Known) -> _Draft:
    finding = claims.finding(claim)
    if finding is None:
        return _Draft(claim, claim, NO_TERM, {})
    reason = RETRACTED if claim.status == RETRACTED else _refused(finding, known)
    return _Draft(claim, finding, reason, {line.iri: _unfit(finding, line) for line in finding.lines})


def _refused(claim: Claim, known: _Known) -> str:
    """Why a claim cannot be rows, or nothing."""
    if (claim.kind, prefixes.shorten(claim.predicate)) not in ASPECTS:
        return NO_SUBJECT if claim.kind in {kind for kind, _ in ASPECTS} else NO_COLUMN
    if not prefixes.shorten(claim.subject).startswith("MONDO:") or not prefixes.shorten(claim.object).startswith("HP:"):
        return NO_SUBJECT
    if {name for name, _ in claim.details} - HELD - ASIDE:
        return NARROWED
    if claim.absent and _several(claim):
        return NARROWED
    if claim.absent and _aspect(claim, known) not in ("P", "H"):
        return NO_NOT
    if not known.entry(claim.subject):
        return NO_ENTRY
    if claim.subject in known.groups and known.entry(claim.subject) not in known.disease_names:
        return GROUP
    return PROVISIONAL if claim.status == "provisional" else ""


def _several(claim: Claim) -> list[tuple[str, str]]:
    """Details of which the one column holds one only: of several onsets none is written, for a row for each would count each."""
    return [(name, value) for name, value in claim.details if name in ("hm:onset", "hm:sex") and len(claim.values(name)) > 1]


def _aspect(claim: Claim, known: _Known) -> str:
    return known.aspects.get(prefixes.shorten(claim.object)) or ASPECTS[claim.kind, prefixes.shorten(claim.predicate)]


def _unfit(claim: Claim, line: Line) -> str:
    """Why a curated line cannot be a row, or nothing. A line that speaks against the claim by a count of its own can."""
    if line.on_animals:
        return ANIMALS
    if not line.supports:
        opposite = line.examined is not None and not line.derived and line.says_nobody is not claim.absent
        plain = claim.kind in ("PhenotypeClaim", "ComplicationClaim") and not {n for n, _ in claim.details} & HELD
        return "" if opposite and plain else DISPUTES
    if line.grade == "C":
        return WEAK
    if any(name == _WORDS for name, _ in line.details) and line.affected is None:
        return WORDS
    return "" if line.says_nobody in (None, claim.absent) else COUNTS


def _count_once(drafts: list[_Draft], known: _Known) -> None:
    """Of rows that count the same patients for one disease and term keep one, and none without a frequency beside one with.

    The same patients are those of one cohort or of a part of it, else of one publication. The row with the count is kept, then the one that
    says more of it. A count of nobody that speaks against a claim stands only beside a count of somebody: alone it would be an absence.
    """
    found: dict[tuple[str, str], list[tuple[_Draft, Line]]] = defaultdict(list)
    for draft in drafts:
        key = (known.entry(draft.finding.subject), prefixes.shorten(draft.finding.object))
        found[key] += [(draft, line) for line in draft.made]
    for key, pairs in found.items():
        phenotype = _aspect(pairs[0][0].finding, known) == "P"
        given = [(draft.finding.absent, line.supports) for draft, line in pairs if _frequency(draft.finding, line)]
        counted = phenotype and (key in known.counted or any(supports for _, supports in given))
        somebody = key in known.counted or (False, True) in given
        publications, cohorts = set(known.cited[key]), set[str]()
        for draft, line in sorted(pairs, key=lambda pair: _rank(*pair)):
            source = reference(known.store, line.source)
            mine = {value for name, value in line.details if name == "hm:cohort"}
            if (source in publications and (not mine or source in known.cited[key])) or any(known.family(c) & cohorts for c in mine):
                draft.unfit[line.iri] = PATIENTS
            elif counted and not _frequency(draft.finding, line):
                draft.unfit[line.iri] = UNCOUNTED
            elif not line.supports and line.says_nobody and not somebody:
                draft.unfit[line.iri] = ALONE
            else:
                publications.add(source)
                cohorts |= mine


def _rank(draft: _Draft, line: Line) -> tuple[bool, bool, int, int, str]:
    return (not line.supports, not _frequency(draft.finding, line), -(line.examined or 0), -len(draft.finding.details), line.iri)


def _written(draft: _Draft, known: _Known, losses: Losses, date: str) -> Iterator[Row]:
    claim, made = draft.claim, draft.made
    lifted = [line for line in claim.lines if line.row]
    if not (made or lifted) or claim.status == RETRACTED:
        losses.add(CLAIM, claim, draft.reason or one_reason(claim, draft.unfit, NO_LINE))
        return
    for name, value in _several(draft.finding) if made else ():
        losses.add(DETAIL, claim, SEVERAL, f"{name} {prefixes.shorten(value)}")
    for line in claim.lines:
        if line.row:
            yield tuple(line.row.split("\t"))
        elif line in made:
            for why, name in _left(line):
                losses.add(DETAIL, claim, why, f"{name} of {line.iri}")
            yield _row(draft.finding, line, known, date)
        else:
            losses.add(LINE, claim, draft.reason or draft.unfit[line.iri], line.iri)


def _left(line: Line) -> list[tuple[str, str]]:
    """What of a line does not go into its row, and why."""
    left = [(NO_CELL, name) for name in sorted({name for name, _ in line.details})]
    if line.derived:
        left += [(COMPUTED, "hm:affected"), (COMPUTED, "hm:derivedCount"), (COMPUTED_NOT, "hm:examined")]
    elif line.affected is not None:
        left += [(BESIDE, name) for name, value in (("hm:statedPercent", line.percent), ("hm:frequency", line.band)) if value]
    return left


def _frequency(claim: Claim, line: Line) -> str:
    """The column frequency: a count, a percentage or a band as the source states it; a count that was computed is not what the source says."""
    if line.affected is not None and line.examined is not None and not line.derived:
        return f"{line.affected}/{line.examined}"
    if claim.absent:
        return ""
    return f"{line.percent}%" if line.percent else prefixes.shorten(line.band) if line.band else ""


def _row(claim: Claim, line: Line, known: _Known, date: str) -> Row:
    frequency = _frequency(claim, line)
    modifiers = [prefixes.shorten(v) for key in MODIFIERS for v in claim.values(key)]
    cells = (
        known.entry(claim.subject), known.name(claim.subject), "NOT" if claim.absent and not frequency else "",
        prefixes.shorten(claim.object), reference(known.store, line.source), "PCS" if line.study in STUDIES else "TAS",
        prefixes.shorten(_only(claim, "hm:onset")), frequency, _only(claim, "hm:sex").upper(), ";".join(modifiers),
        _aspect(claim, known), f"hypomag:{line.iri.removeprefix(BASE + 'evidence/')}[{date}]",
    )  # fmt: skip
    return tuple(re.sub(r"\s+", " ", cell).strip() for cell in cells)


def _only(claim: Claim, name: str) -> str:
    values = claim.values(name)
    return values[0] if len(values) == 1 else ""


def reference(store: Store, source: str) -> str:
    """A reference as HPO writes it: PMID, OMIM or ORPHA, else an address that a browser can open, else our IRI."""
    named = [prefixes.shorten(source), *said(store, source, "dcterms:identifier")]
    known = next((n.replace("Orphanet:", "ORPHA:") for n in named if n.startswith(("PMID:", "OMIM:", "Orphanet:", "ORPHA:"))), "")
    return known or citations.web_address(store, source) or source


def _tables(store: Store, line: Line) -> list[str]:
    return [table for row in said(store, line.iri, "hm:sourceRow") for table in said(store, row, "hm:table")]
