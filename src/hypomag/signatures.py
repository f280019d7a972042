"""What is on record of each disease, as data that can be compared: laboratory states, findings, onset, with counts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pyoxigraph import NamedNode, Store

from hypomag import prefixes
from hypomag.queries import run
from hypomag.sources import VOCAB

LOW, NORMAL, HIGH, PRESENT = "low", "normal", "high", "present"
# Which plain states a stated one stands for: "inappropriately low" is within or below the interval.
STATES = {
    "stateLow": (LOW,), "stateUndetectable": (LOW,), "stateInappropriatelyLow": (LOW, NORMAL), "stateNormal": (NORMAL,),
    "stateInappropriatelyHigh": (HIGH, NORMAL), "stateHigh": (HIGH,),
}  # fmt: skip
# A claim that holds for these people only says nothing of the usual patient.
ASIDE = frozenset({"treated", "pregnantWomen", "intensiveCarePatients"})
# Ages in days at which a claim limited to an age group holds, the narrowest group first; newborn and infant as HPO bounds
# their onsets, adult from 16 years as HPO does, adolescents from 12 years (our reading of the intervals on record).
AGES = {
    "newborns": (0, 28), "pretermNewborns": (0, 28), "infants": (0, 365), "adolescents": (4383, 6575), "children": (0, 5844),
    "adults": (5844, None), "men": (5844, None), "women": (5844, None), "pregnantWomen": (5844, None),
}  # fmt: skip
YEAR = Decimal("365.25")

_CLAIMS = """
SELECT ?claim ?kind ?disease ?feature ?polarity ?status ?label ?state ?population ?severity WHERE {
  ?claim a ?kind ; hm:subject ?disease ; hm:object ?feature ; hm:polarity ?polarity ; hm:status ?status ; rdfs:label ?label .
  FILTER(?kind IN (hm:PhenotypeClaim, hm:ComplicationClaim, hm:LaboratoryClaim, hm:OnsetClaim))
  FILTER(?status != hm:retracted)
  OPTIONAL { ?claim hm:context ?context }
  FILTER(!BOUND(?context))
  OPTIONAL { ?claim hm:state ?state }
  OPTIONAL { ?claim hm:population ?population }
} ORDER BY ?claim ?population"""
_LINES = """
SELECT ?claim ?line ?direction ?n ?m ?percent ?band ?bandLabel ?cohort ?citation WHERE {
  ?claim a ?kind ; hm:evidence ?line .
  FILTER(?kind IN (hm:PhenotypeClaim, hm:ComplicationClaim, hm:LaboratoryClaim, hm:OnsetClaim))
  ?line hm:direction ?direction ; dcterms:source ?source .
  ?source hm:shortCitation ?citation .
  OPTIONAL { ?line hm:affected ?n ; hm:examined ?m }
  OPTIONAL { ?line hm:statedPercent ?percent }
  OPTIONAL { ?line hm:frequency ?band . ?band rdfs:label ?bandLabel }
  OPTIONAL { ?line hm:cohort ?cohort }
  OPTIONAL { ?line hm:studyType ?study }
  FILTER(!BOUND(?study) || ?study NOT IN ("animal", "in vitro"))
} ORDER BY ?claim ?line"""


@dataclass(frozen=True)
class Record:
    """One claim on one feature of one disease.

    `share` is the part of the patients that show it: n of m summed over cohorts, with each line that gives no count
    as one more patient, worth the stated percentage, the middle of HPO's band, or 1 (says present) or 0 (says absent).
    It is for weighing, never for print: `counted` is what sources said, and `stated` the state in their words.
    """

    claim: str
    label: str
    states: tuple[str, ...]
    share: Decimal
    n: int | None
    m: int | None
    status: str
    population: str
    citations: tuple[str, ...]
    disputed: bool
    uncounted: int = 0
    stated: str = ""
    words: str = ""

    @property
    def counted(self) -> str:
        """How often, in words of the sources: `27 of 28`, `1 of 1 and 5 not counted` where those tell otherwise, `91 %`, `very rare`, or nothing."""
        if self.m and self.n is not None:
            return f"{self.n} of {self.m}" + (f" and {self.uncounted} not counted" if self.share * self.m != self.n else "")
        return self.words

    def as_json(self) -> dict[str, object]:
        return {
            "claim": self.claim, "label": self.label, "share": float(round(self.share, 3)), "n": self.n, "m": self.m,
            "status": self.status, "population": self.population or None, "citations": list(self.citations), "disputed": self.disputed,
        }  # fmt: skip


@dataclass(frozen=True)
class Signature:
    """The records of one disease by feature: a variable, an HPO term, or an HPO term of onset."""

    iri: str
    label: str
    short: str
    genes: tuple[str, ...]
    laboratory: Mapping[str, tuple[Record, ...]]
    findings: Mapping[str, tuple[Record, ...]]
    onset: Mapping[str, tuple[Record, ...]]

    def shares(self, variable: str) -> dict[str, tuple[Decimal, Record]]:
        """The share of patients in each state of a laboratory value that is on record.

        The claim with the most patients speaks for a state. States that are only said to occur share what the
        counted ones leave; where counts add up to more than all patients, they are scaled down.
        """
        best: dict[str, Record] = {}
        for record in self.laboratory.get(variable, ()):
            for state in record.states:
                if state not in best or (record.m or 0) > (best[state].m or 0):
                    best[state] = record
        counted = {s: r for s, r in best.items() if r.m or r.share != 1}
        stated = [s for s in best if s not in counted]
        total = sum((r.share for r in counted.values()), Decimal(0))
        scale = max(total, Decimal(1))
        each = max(Decimal(0), 1 - total) / len(stated) if stated else Decimal(0)
        return {s: (r.share / scale if s in counted else each, r) for s, r in best.items()}


def signatures(store: Store, age: Decimal | None = None, among: Iterable[str] | None = None) -> dict[str, Signature]:
    """Read the signatures of the candidates, or of the diseases and groups whose IRIs are given.

    `age` (days) leaves aside the claims that hold for another age group only.
    An HPO term that names a state of a variable (Hypocalcemia) is read as that state.
    """
    wanted = candidates(store) if among is None else [described(store, iri) for iri in among]
    states = finding_states(store)
    lines = _lines(store)
    bands = {b: middle for b, (low, high, middle) in _bands(store).items() if middle is not None}
    kinds: dict[str, dict[str, dict[str, list[Record]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in run(store, _CLAIMS):
        population = row["population"].value.removeprefix(VOCAB) if row["population"] else ""
        if population in ASIDE or not fits(population, age):
            continue
        kind = row["kind"].value.removeprefix(VOCAB)
        feature = row["feature"].value
        absent = row["polarity"].value == VOCAB + "absent"
        named: tuple[str, ...] = (PRESENT,)
        if kind == "LaboratoryClaim":
            named = STATES.get(row["state"].value.removeprefix(VOCAB), ()) if row["state"] else ()
        elif feature in states and kind != "OnsetClaim":
            feature, state = states[feature]
            named, kind = (state,), "LaboratoryClaim"
        if not named:
            continue
        record = _record(row, named, population, lines.get(row["claim"].value, []), bands, absent=absent)
        place = {"LaboratoryClaim": "laboratory", "OnsetClaim": "onset"}.get(kind, "findings")
        kinds[row["disease"].value][place][feature].append(record)
    return {
        iri: Signature(
            iri, label, short, genes,
            *({f: tuple(r) for f, r in sorted(kinds[iri][place].items())} for place in ("laboratory", "findings", "onset")),
        )
        for iri, label, short, genes in wanted if iri in kinds or among is not None
    }  # fmt: skip


def candidates(store: Store) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """The single diseases that the graph claims a cause of: (IRI, label, short name, genes); no groups."""
    groups = {r["group"].value for r in run(store, "SELECT DISTINCT ?group { ?member rdfs:subClassOf ?group . ?claim hm:subject ?member }")}
    rows = run(store, """
        SELECT DISTINCT ?disease WHERE {
          ?claim a hm:CausationClaim ; hm:subject ?disease ; hm:polarity ?polarity ; hm:status ?status .
          FILTER(?polarity = hm:present && ?status != hm:retracted)
        } ORDER BY ?disease""")  # fmt: skip
    space = prefixes.expand("MONDO:") or "-"
    return [described(store, r["disease"].value) for r in rows if r["disease"].value not in groups and r["disease"].value.startswith(space)]


def described(store: Store, iri: str) -> tuple[str, str, str, tuple[str, ...]]:
    """IRI, label, short name and genes of a disease."""
    from hypomag import names

    node = NamedNode(iri)
    genes = run(store, f"""
        SELECT DISTINCT ?gene WHERE {{
          ?claim a hm:CausationClaim ; hm:subject {node} ; hm:object/rdfs:label ?gene ; hm:polarity ?polarity ; hm:status ?status .
          FILTER(?polarity = hm:present && ?status != hm:retracted)
        }} ORDER BY ?gene""")  # fmt: skip
    label = names.label(store, node)
    spoken = [q.object.value for q in store.quads_for_pattern(node, names.SYNONYMS[0], None, None)]
    return iri, label, min([*spoken, label], key=_handiness), tuple(r["gene"].value for r in genes)


def _handiness(name: str) -> tuple[bool, bool, int, str]:
    """Short names first, those with a number (HOMG1) before others (HSH)."""
    return (len(name) > 15, not name[-1].isdigit(), len(name), name)


def finding_states(store: Store) -> dict[str, tuple[str, str]]:
    """HPO terms that name the state of a laboratory value: term → (variable, state)."""
    rows = run(
        store,
        """
        SELECT DISTINCT ?variable ?low ?high WHERE {
          ?claim a hm:LaboratoryClaim ; hm:object ?variable .
          { ?variable hm:lowFinding ?low } UNION { ?variable hm:highFinding ?high }
        } ORDER BY ?variable ?low ?high""",
    )
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        term, state = (row["low"], LOW) if row["low"] else (row["high"], HIGH)
        found.setdefault(term.value, (row["variable"].value, state))
    return found


def above(store: Store) -> dict[str, frozenset[str]]:
    """HPO term → all cited HPO terms above it."""
    parents: dict[str, set[str]] = defaultdict(set)
    space = prefixes.expand("HP:") or ""
    for row in run(store, f'SELECT ?term ?parent {{ ?term rdfs:subClassOf ?parent . FILTER(STRSTARTS(STR(?term), "{space}")) }}'):
        parents[row["term"].value].add(row["parent"].value)

    def closure(term: str) -> frozenset[str]:
        found: set[str] = set()
        todo = [term]
        while todo:
            for parent in parents.get(todo.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    todo.append(parent)
        return frozenset(found)

    return {term: closure(term) for term in parents}


def onset_bands(store: Store) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    """HPO terms of onset with their ages in days, from (included) to (not included)."""
    return {term: (low, high) for term, (low, high, middle) in _bands(store).items() if middle is None}


def _bands(store: Store) -> dict[str, tuple[Decimal | None, Decimal | None, Decimal | None]]:
    """Term → (low, high, middle as a share); ages come in days, without a middle."""
    found: dict[str, tuple[Decimal | None, Decimal | None, Decimal | None]] = {}
    for row in run(store, """
        SELECT ?term ?low ?high ?unit WHERE {
          ?band hm:bandOf ?term ; hm:unit ?unit .
          OPTIONAL { ?band hm:low ?low } OPTIONAL { ?band hm:high ?high }
        }"""):  # fmt: skip
        low, high = (Decimal(row[k].value) if row[k] else None for k in ("low", "high"))
        if row["unit"].value == "%":
            found[row["term"].value] = (low, high, ((low or 0) + (high or 0)) / Decimal(200))
        else:
            factor = YEAR if row["unit"].value == "a" else 1
            found[row["term"].value] = (None if low is None else low * factor, None if high is None else high * factor, None)
    return found


def fits(population: str, age: Decimal | None) -> bool:
    """Whether a claim limited to a population can hold at an age (days); without an age it can."""
    if population not in AGES or age is None:
        return True
    low, high = AGES[population]
    return age >= low and (high is None or age < high)


def _lines(store: Store) -> dict[str, list[object]]:
    found: dict[str, list[object]] = defaultdict(list)
    for row in run(store, _LINES):
        found[row["claim"].value].append(row)
    return found


def _record(row, states, population, lines, bands, *, absent) -> Record:  # type: ignore[no-untyped-def]
    cohorts: dict[str, tuple[int, int]] = {}
    loose: list[Decimal] = []
    for line in lines:
        if line["m"] and line["n"]:
            key = line["cohort"].value if line["cohort"] else line["line"].value
            pair = (int(line["n"].value), int(line["m"].value))
            cohorts[key] = max(cohorts.get(key, (0, 0)), pair, key=lambda p: p[1])  # a cohort counts once
        elif line["percent"]:
            loose.append(Decimal(line["percent"].value) / 100)
        elif line["band"] and line["band"].value in bands:
            loose.append(bands[line["band"].value])
        elif (line["direction"].value == VOCAB + "supports") != absent:
            loose.append(Decimal(1))
        else:
            loose.append(Decimal(0))
    n, m = (sum(p[i] for p in cohorts.values()) for i in (0, 1))
    words = {f"{x['percent'].value} %" if x["percent"] else x["bandLabel"].value.lower() for x in lines if x["percent"] or x["band"]}
    if told := [x for x in loose if 0 < x < 1]:
        loose = told  # who gives a percentage says more than who says that it occurs
    patients = m + len(loose)
    share = (n + sum(loose, Decimal(0))) / patients if patients else Decimal(0 if absent else 1)
    return Record(
        claim=row["claim"].value, label=row["label"].value, states=states, share=share, n=n if m else None, m=m or None,
        status=row["status"].value.removeprefix(VOCAB), population=population,
        citations=tuple(dict.fromkeys(line["citation"].value for line in lines)),
        disputed=any(line["direction"].value == VOCAB + "disputes" for line in lines), uncounted=len(loose),
        stated=_words(row["state"].value) if row["state"] else states[0], words=next(iter(words)) if len(words) == 1 else "sources differ" if words else "",
    )  # fmt: skip


def _words(state: str) -> str:
    """A state as a source words it.

    >>> _words("https://w3id.org/hypomag/vocab#stateInappropriatelyLow")
    'inappropriately low'
    """
    return re.sub(r"(?<!^)([A-Z])", r" \1", state.rpartition("#")[2].removeprefix("state")).lower()


def best(records: Iterable[Record]) -> Record | None:
    """The record that speaks for a feature: the one with the most patients, then the larger share."""
    return max(records, key=lambda r: (r.m or 0, r.share, r.claim), default=None)
