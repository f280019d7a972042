"""Diseases side by side: what differs first, each cell with its claims and sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from pyoxigraph import NamedNode, Store

from hypomag import names, prefixes
from hypomag.cards import NOTICE
from hypomag.errors import InputError
from hypomag.queries import run
from hypomag.results import table
from hypomag.signatures import Record, Signature, best, signatures
from hypomag.sources import VOCAB

SECTIONS = ("Told apart by", "Cause", "Inheritance", "Onset", "Laboratory", "Findings", "Outlook", "Treatment")
SOME, MANY, VERY_FEW = Decimal("0.5"), Decimal("0.25"), Decimal("0.05")
DIFFERS, ONE_SIDED, ALIKE = "differs", "on record for some only", "alike"
_KINDS = {
    "CausationClaim": "Cause",
    "InheritanceClaim": "Inheritance",
    "OnsetClaim": "Onset",
    "PrognosisClaim": "Outlook",
    "TreatmentClaim": "Treatment",
}
_STATED = """
SELECT DISTINCT ?claim ?kind ?disease ?predicate ?status ?direction ?object ?objectLabel ?agentLabel ?contextLabel ?polarity ?citation WHERE {
  ?claim a ?kind ; hm:subject ?disease ; hm:predicate ?predicate ; hm:object ?object ; hm:polarity ?polarity ; hm:status ?status ; hm:evidence ?line .
  FILTER(?kind IN (hm:CausationClaim, hm:InheritanceClaim, hm:OnsetClaim, hm:PrognosisClaim, hm:TreatmentClaim))
  FILTER(?status != hm:retracted)
  FILTER(?disease IN (%s))
  ?object rdfs:label ?objectLabel .
  ?line dcterms:source/hm:shortCitation ?citation ; hm:direction ?direction .
  OPTIONAL { ?claim hm:agent/rdfs:label ?agentLabel }
  OPTIONAL { ?claim hm:context/rdfs:label ?contextLabel }
} ORDER BY ?claim ?citation ?direction"""
_MODES = {"RO_0004002": "by loss of function", "RO_0004001": "by gain of function"}
_DISCRIMINATED = """
SELECT ?claim ?label ?one ?other ?feature ?featureLabel ?inSubject ?inOther ?comparator ?value ?unit ?direction ?citation WHERE {
  ?claim a hm:DifferentialClaim ; rdfs:label ?label ; hm:subject ?one ; hm:object ?other ; hm:polarity ?polarity ; hm:status ?status ; hm:evidence ?line .
  ?line dcterms:source/hm:shortCitation ?citation ; hm:direction ?direction .
  FILTER(?status != hm:retracted && ?polarity = hm:present)
  FILTER(?one IN (%s) && ?other IN (%s))
  OPTIONAL {
    ?claim hm:discriminator ?discriminator . ?discriminator hm:feature ?feature . ?feature rdfs:label ?featureLabel .
    OPTIONAL { ?discriminator hm:inSubject/rdfs:label ?inSubject ; hm:inOther/rdfs:label ?inOther }
    OPTIONAL { ?discriminator hm:comparator ?comparator ; hm:value ?value ; hm:unit ?unit }
  }
} ORDER BY ?claim ?featureLabel ?citation"""


@dataclass(frozen=True)
class Cell:
    """What is on record of one feature for one disease."""

    value: str
    often: str
    claims: tuple[str, ...]
    citations: tuple[str, ...]
    disputed: bool = False

    @property
    def text(self) -> str:
        more = f" and {len(self.citations) - 1} more" if len(self.citations) > 1 else ""
        told = ", ".join(p for p in (self.often, "disputed" if self.disputed else "") if p)
        return f"{self.value}{f' ({told})' if told else ''}{f' [{self.citations[0]}{more}]' if self.citations else ''}"


@dataclass(frozen=True)
class Row:
    """One feature over all diseases; `verdict` says whether they differ. A missing cell is unknown."""

    section: str
    feature: str
    label: str
    verdict: str
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Comparison:
    """Diseases by IRI with their names, and the rows, differing ones first."""

    diseases: dict[str, str]
    labels: tuple[str, ...]
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, object]:
        return {"diseases": self.diseases, "rows": [asdict(r) for r in self.rows], "notice": NOTICE}

    def _table(self) -> tuple[list[str], list[list[str]]]:
        head = ["", "", *self.diseases.values()]
        return head, [[r.verdict, r.label, *(r.cells[d].text if d in r.cells else "?" for d in self.diseases)] for r in self.rows]

    def as_text(self, width: int = 140) -> str:
        head, body = self._table()
        titles = "".join(f"{short}: {label}\n" for short, label in zip(self.diseases.values(), self.labels, strict=True))
        return titles + "\n" + table(head, body, max(20, (width - 60) // len(self.diseases))) + f"\n? is not on record. {NOTICE}\n"

    def as_markdown(self) -> str:
        head, body = self._table()
        rows = [head, ["---"] * len(head), *body]
        cells = ("| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in row) + " |" for row in rows)
        return "\n".join(cells) + f"\n\n? is not on record. {NOTICE}\n"


def compare(store: Store, given: Sequence[str]) -> Comparison:
    """Put two or more diseases or groups side by side.

    Raises:
        UnknownName, AmbiguousName: as `names.resolve`. InputError: fewer than two different diseases, or something else than a disease.
    """
    nodes = list(dict.fromkeys(names.resolve(store, g).value for g in given))
    if len(nodes) < 2:
        raise InputError("there is nothing to compare with", "name two or more different diseases")
    for iri in nodes:
        if not iri.startswith(prefixes.expand("MONDO:") or "-"):
            raise InputError(
                f"{names.label(store, NamedNode(iri))} is no disease of the graph", "name diseases or groups, such as HOMG3 or Gitelman"
            )
    known = signatures(store, among=nodes)
    rows = [*_told_apart(store, nodes), *_stated(store, nodes), *laboratory(store, known), *_findings(store, known)]
    order = {DIFFERS: 0, ONE_SIDED: 1, ALIKE: 2}
    rows.sort(key=lambda r: (order[r.verdict], SECTIONS.index(r.section), r.label))
    return Comparison({iri: known[iri].short for iri in nodes}, tuple(known[iri].label for iri in nodes), tuple(rows))


def _row(section: str, feature: str, label: str, cells: dict[str, Cell], diseases: int) -> Row:
    values = {c.value for c in cells.values()}
    verdict = DIFFERS if len(values) > 1 else ALIKE if len(cells) == diseases else ONE_SIDED
    return Row(section, feature, f"{section}: {label}" if label != section else section, verdict, cells)


@dataclass(frozen=True)
class Discriminator:
    """What a source says tells two diseases apart: the value in each, and the limit that speaks for the first."""

    one: str
    other: str
    feature: str
    label: str
    in_one: str
    in_other: str
    limit: str
    claim: str
    citations: tuple[str, ...]
    disputed: bool


def discriminators(store: Store, nodes: Sequence[str]) -> list[Discriminator]:
    """The discriminators of the graph between any two of some diseases; a claim that names none comes with its label alone."""
    listed = ", ".join(f"<{n}>" for n in nodes)
    grouped: dict[tuple[str, str], list[Any]] = {}
    for row in run(store, _DISCRIMINATED % (listed, listed)):
        grouped.setdefault((row["claim"].value, row["feature"].value if row["feature"] else ""), []).append(row)
    found = []
    for (claim, feature), rows in grouped.items():
        text = {
            k: rows[0][k].value if rows[0][k] else ""
            for k in ("label", "featureLabel", "inSubject", "inOther", "comparator", "value", "unit")
        }
        found.append(
            Discriminator(
                rows[0]["one"].value, rows[0]["other"].value, feature, text["featureLabel"] or text["label"], text["inSubject"], text["inOther"],
                f"{text['comparator']} {text['value']} {text['unit']}".strip(), prefixes.shorten(claim),
                tuple(dict.fromkeys(r["citation"].value for r in rows)), any(r["direction"].value == VOCAB + "disputes" for r in rows),
            )
        )  # fmt: skip
    return found


def _told_apart(store: Store, nodes: list[str]) -> Iterable[Row]:
    for d in discriminators(store, nodes):
        one = (
            f"{d.in_one} ({d.limit})"
            if d.in_one and d.limit
            else d.in_one or d.limit or ("told apart" if d.feature else "confused with the other")
        )
        cells = {
            iri: Cell(value, "", (d.claim,), d.citations, d.disputed)
            for iri, value in ((d.one, one), (d.other, d.in_other or one)) if value
        }  # fmt: skip
        label, verdict = (f"Told apart by: {d.label}", DIFFERS) if d.feature else (d.label, ALIKE)
        yield Row("Told apart by", d.feature or d.claim, label, verdict, cells)


def _stated(store: Store, nodes: list[str]) -> Iterable[Row]:
    """Rows of the claims that name one thing: gene, inheritance, onset, outcome, treatment."""
    words: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    notes: dict[tuple[str, str], list[str]] = defaultdict(list)
    claims: dict[tuple[str, str], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    objects: dict[tuple[str, str], str] = {}
    supposed: dict[tuple[str, str], list[str]] = defaultdict(list)
    disputed: set[tuple[str, str]] = set()
    for row in run(store, _STATED % ", ".join(f"<{n}>" for n in nodes)):
        section = _KINDS[row["kind"].value.removeprefix(VOCAB)]
        absent = row["polarity"].value == VOCAB + "absent"
        what = row["objectLabel"].value
        note = ""
        if section in ("Treatment", "Outlook"):
            agent = f" with {row['agentLabel'].value}" if row["agentLabel"] else ""
            context = f", {row['contextLabel'].value}" if row["contextLabel"] else ""
            key, value = f"{section}|{what}{agent}{context}", ("fails" if section == "Treatment" else "no") if absent else "yes"
        else:
            mode = _MODES.get(row["predicate"].value.rpartition("/")[2], "") if section == "Cause" else ""
            key, value = section, "" if absent and mode else f"not {what}" if absent else what
            note = f"{what} {'not ' if absent else ''}{mode}" if mode else ""
            if row["status"].value == VOCAB + "provisional":  # what a source only supposes makes no difference
                supposed[key, row["disease"].value].append(value or what)
                value, note = "", f"{note or value} provisionally"
        disease = row["disease"].value
        for where, new in ((words[key][disease], value), (notes[key, disease], note)):
            if new and new not in where:
                where.append(new)
        if row["direction"].value == VOCAB + "disputes":
            disputed.add((key, disease))
        objects[key, disease] = row["object"].value
        curie = prefixes.shorten(row["claim"].value)
        for values, new in zip(claims[key, disease], (curie, row["citation"].value), strict=True):
            if new not in values:
                values.append(new)
    for key, by_disease in words.items():
        section, _, label = key.partition("|")
        cells = {}
        for d, v in by_disease.items():
            value = "; ".join(sorted(v or set(supposed[key, d])))
            note = "; ".join(n.removeprefix(f"{value} ") for n in notes[key, d])
            cells[d] = Cell(value, note, tuple(claims[key, d][0]), tuple(claims[key, d][1]), (key, d) in disputed)
        yield _row(section, next(objects[key, d] for d in by_disease), label or section, cells, len(nodes))


@dataclass(frozen=True)
class Usual:
    """What a laboratory value usually is in a disease, in the words of the sources, how often, and the record that says so."""

    value: str
    often: str
    record: Record


def usual(signature: Signature, variable: str) -> Usual | None:
    """The state of a laboratory value that most patients on record show.

    A state that half of the patients or fewer show is said to occur in some, in very few below one in twenty; states of which
    nobody counted how often each occurs stand together. What only a provisional claim says comes last.
    """
    grouped: dict[str, tuple[Decimal, Record]] = {}
    for share, record in signature.shares(variable).values():
        grouped[record.claim] = (grouped.get(record.claim, (Decimal(0), record))[0] + share, record)
    if not grouped:
        return None
    own = {c: r.share if r.m or r.share != 1 else share for c, (share, r) in grouped.items()}
    contrary = sum(r.share for _, r in grouped.values() if r.m) > 1  # more than all patients: who counted more is told
    order = sorted(
        grouped.values(),
        key=lambda g: (g[1].status != "accepted", -(g[1].n or 0) if contrary else 0, -g[0], -len(g[1].citations), g[1].claim),
    )
    share, record = order[0]
    others = [
        r for _, r in order[1:]
        if own[r.claim] >= (MANY if r.m or r.share != 1 else SOME) and not set(r.states) & set(record.states)
    ]  # fmt: skip
    if own[record.claim] == 0:
        return Usual(f"not {record.stated}", record.counted, record)
    if own[record.claim] <= SOME and not record.m and record.share == 1:
        alike = [r.stated for x, r in order if x == share and not r.m and r.share == 1]
        return Usual(" or ".join(dict.fromkeys(alike)), "sources differ" if len(alike) > 1 else "", record)
    told = record.stated if own[record.claim] > SOME else f"{record.stated} in {'very few' if own[record.claim] < VERY_FEW else 'some'}"
    often = [record.counted, "sources differ" if others and not record.counted.endswith("sources differ") else ""]
    return Usual(told, ", ".join(o for o in often if o), record)


def laboratory(store: Store, known: Mapping[str, Signature]) -> Iterable[Row]:
    """Rows of the laboratory states on record of some diseases."""
    for variable in sorted({v for s in known.values() for v in s.laboratory}):
        cells = {}
        for iri, signature in known.items():
            if told := usual(signature, variable):
                cells[iri] = _cell(told.value, told.often, [told.record, *signature.laboratory[variable]])
        if cells:
            yield _row("Laboratory", variable, names.label(store, NamedNode(variable)), cells, len(known))


def _findings(store: Store, known: dict[str, Signature]) -> Iterable[Row]:
    for term in sorted({f for s in known.values() for f in s.findings}):
        cells = {}
        for iri, signature in known.items():
            record = best(signature.findings.get(term, ()))
            if record is not None:
                value = "absent" if record.share == 0 else "in some" if record.share <= 0.5 else "present"
                cells[iri] = _cell(value, record.counted, [record, *signature.findings[term]])
        yield _row("Findings", term, names.label(store, NamedNode(term)), cells, len(known))


def _cell(value: str, often: str, records: Iterable[Record]) -> Cell:
    records = list(records)
    citations = tuple(dict.fromkeys(c for r in records for c in r.citations))
    return Cell(value, often, tuple(dict.fromkeys(prefixes.shorten(r.claim) for r in records)), citations, any(r.disputed for r in records))
