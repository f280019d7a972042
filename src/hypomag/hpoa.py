"""The graph as HPO annotations: rows of phenotype.hpoa, the lifted ones as they stand, and rows of curated claims."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyoxigraph import NamedNode, Store

from hypomag import citations, exports, names, prefixes
from hypomag.claims import ASIDE, Claim, Claims, Line, read
from hypomag.lifting import COLUMNS
from hypomag.losses import CLAIM, DETAIL, LINE, NO_TERM, RETRACTED, TWICE, Losses
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
# PCS stands for a published clinical study with a PubMed id, TAS for what a knowledge base or a review says.
STUDIES = frozenset({"cohort", "case series", "case report"})
NO_HUMANS = frozenset({"animal", "in vitro"})
NO_COLUMN = "HPO annotations have no column for this kind of claim"
NO_SUBJECT = "HPO annotations are of diseases, with HPO terms"
NARROWED = "narrowed by what has no column: the row would say more than the claim"
SEVERAL = "one of several, and the column holds one"
DISPUTES = "speaks against the claim: HPO annotations have no such row"
ANIMALS = "from animals or cells, which HPO annotations leave out"
COUNTS = "its count says the opposite of the claim"
COMPUTED = "a count computed from what the source states, which alone is written"
BESIDE = "the column holds one frequency, and the count stands there"
NO_CELL = "HPO annotations have no column for it"
NO_LINE = "no line that could be a row"

Row = tuple[str, ...]


def export(store: Store) -> tuple[str, Losses]:
    """Write phenotype.hpoa with the rows of this graph, and the report of what has no place in it."""
    rows, losses = annotate(store, read(store))
    version, date = exports.release(store)
    _, licence, note = exports.GRAPH_NOTES["lifted/hpoa"]
    head = (
        f'#description: "HPO annotations of hypomag {version}: rows lifted from phenotype.hpoa as they stand, '
        'and rows of curated claims (biocuration hypomag:...)"\n'
        f"#version: {date}\n"
        f"#hypomag-version: {version}\n"
        f"#license: rows with biocuration hypomag:... {exports.LICENCE_CC_BY}; all others {licence} {note}\n" + "\t".join(COLUMNS) + "\n"
    )
    return head + "".join("\t".join(row) + "\n" for row in rows), losses


def annotate(store: Store, claims: Claims) -> tuple[list[Row], Losses]:
    """Rows in the order of their cells, and what was lost on the way.

    A claim of absence with a count is a row 0/m without NOT, as HPO writes it: libraries read NOT with 0/m as all of m.
    """
    losses = Losses("hpoa", len(claims.claims))
    known = _Known(store, claims)
    _, date = exports.release(store)
    rows: list[Row] = []
    for claim in claims.claims:
        rows.extend(_rows(claim, claims, known, losses, date))
    losses.lines = len(rows)
    return sorted(rows), losses


class _Known:
    """What the lifted rows tell of databases, disease names and aspects, and which ids a disease has."""

    def __init__(self, store: Store, claims: Claims) -> None:
        self.store = store
        self.aspects: dict[str, str] = {}
        self.disease_names: dict[str, str] = {}
        for claim in claims.claims:
            for line in claim.lines:
                cells = dict(zip(COLUMNS, line.row.split("\t"), strict=False))
                if line.row:
                    self.aspects.setdefault(cells["hpo_id"], cells["aspect"])
                    self.disease_names.setdefault(cells["database_id"], cells["disease_name"])

    def disease(self, iri: str) -> tuple[str, str]:
        """The id under which HPO would annotate a disease (OMIM, else Orphanet, else Mondo) and its name there."""
        matches = self.store.quads_for_pattern(NamedNode(iri), names.MATCHES, None, None)
        ids = sorted(prefixes.shorten(q.object.value).replace("Orphanet:", "ORPHA:") for q in matches)
        ranked = [i for base in ("OMIM:", "ORPHA:") for i in ids if i.startswith(base)]
        found = ranked[0] if ranked else prefixes.shorten(iri)
        return found, self.disease_names.get(found) or names.label(self.store, NamedNode(iri))


def _rows(claim: Claim, claims: Claims, known: _Known, losses: Losses, date: str) -> Iterable[Row]:
    if claim.status == RETRACTED:
        losses.add(CLAIM, claim, RETRACTED)
        return
    lifted = [line for line in claim.lines if line.row]
    finding, twice = claim, list[Line]()
    reason = _refused(claim)
    if claim.kind == "LaboratoryClaim":
        found = claims.as_phenotype(claim)
        if found is None:
            reason = NO_TERM
        else:
            finding, twice = found
            reason = _refused(finding)
    made = [] if reason else [line for line in finding.lines if not line.row and not _unfit(finding, line)]
    if not made and not lifted:
        losses.add(CLAIM, claim, reason or (TWICE if twice else NO_LINE))
        return
    for name, value in _several(finding) if made else ():
        losses.add(DETAIL, claim, SEVERAL, f"{name} {prefixes.shorten(value)}")
    for line in claim.lines:
        if line.row:
            yield tuple(line.row.split("\t"))
        elif line in made:
            for why, name in _left(line):
                losses.add(DETAIL, claim, why, f"{name} of {line.iri}")
            yield _row(finding, line, known, date)
        else:
            losses.add(LINE, claim, reason or (TWICE if line in twice else _unfit(finding, line)), line.iri)


def _refused(claim: Claim) -> str:
    """Why a claim cannot be rows, or nothing."""
    if (claim.kind, prefixes.shorten(claim.predicate)) not in ASPECTS:
        return NO_SUBJECT if claim.kind in {kind for kind, _ in ASPECTS} else NO_COLUMN
    if not prefixes.shorten(claim.subject).startswith("MONDO:") or not prefixes.shorten(claim.object).startswith("HP:"):
        return NO_SUBJECT
    if {name for name, _ in claim.details} - HELD - ASIDE:
        return NARROWED
    return NARROWED if claim.absent and _several(claim) else ""


def _several(claim: Claim) -> list[tuple[str, str]]:
    """Details of which the one column holds one only: of several onsets none is written, for a row for each would count each."""
    return [(name, value) for name, value in claim.details if name in ("hm:onset", "hm:sex") and len(claim.values(name)) > 1]


def _unfit(claim: Claim, line: Line) -> str:
    """Why a curated line cannot be a row, or nothing."""
    if not line.supports:
        return DISPUTES
    if line.study in NO_HUMANS:
        return ANIMALS
    if line.affected is not None and claim.absent != line.counts_nobody:
        return COUNTS
    if claim.absent and line.affected is None and (line.percent or line.band):
        return COUNTS
    return ""


def _left(line: Line) -> list[tuple[str, str]]:
    """What of a line does not go into its row, and why."""
    left = [(NO_CELL, name) for name in sorted({name for name, _ in line.details})]
    if line.derived:
        left += [(COMPUTED, name) for name in ("hm:affected", "hm:examined", "hm:derivedCount")]
    elif line.affected is not None:
        left += [(BESIDE, name) for name, value in (("hm:statedPercent", line.percent), ("hm:frequency", line.band)) if value]
    return left


def _row(claim: Claim, line: Line, known: _Known, date: str) -> Row:
    database, name = known.disease(claim.subject)
    term = prefixes.shorten(claim.object)
    reference = _reference(known.store, line.source)
    # A count that was computed is not what the source says.
    counted = line.affected is not None and line.examined is not None and not line.derived
    frequency = (
        f"{line.affected}/{line.examined}" if counted
        else "" if claim.absent
        else f"{line.percent}%" if line.percent
        else prefixes.shorten(line.band) if line.band
        else ""
    )  # fmt: skip
    modifiers = [prefixes.shorten(v) for key in MODIFIERS for v in claim.values(key)]
    cells = (
        database, name, "NOT" if claim.absent and not counted else "", term, reference,
        "PCS" if line.study in STUDIES and reference.startswith("PMID:") else "TAS",
        prefixes.shorten(_only(claim, "hm:onset")), frequency, _only(claim, "hm:sex").upper(), ";".join(modifiers),
        known.aspects.get(term) or ASPECTS[claim.kind, prefixes.shorten(claim.predicate)],
        f"hypomag:{line.iri.removeprefix(BASE + 'evidence/')}[{date}]",
    )  # fmt: skip
    return tuple(re.sub(r"\s+", " ", cell).strip() for cell in cells)


def _only(claim: Claim, name: str) -> str:
    values = claim.values(name)
    return values[0] if len(values) == 1 else ""


def _reference(store: Store, source: str) -> str:
    """A reference as HPO writes it: PMID, OMIM or ORPHA, else an address that a browser can open, else our IRI."""
    known = prefixes.shorten(source).replace("Orphanet:", "ORPHA:")
    return known if known.startswith(("PMID:", "OMIM:", "ORPHA:")) else citations.web_address(store, source) or source
