"""Which disease fits: candidates in order, with what speaks for and against each, and the test that splits them best.

The rule stands in docs/differential.md; it has no weights but the graph's own counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import combinations

from pyoxigraph import NamedNode, Store

from hypomag import laboratory, measures, names, prefixes
from hypomag.cards import NOTICE
from hypomag.comparisons import discriminators
from hypomag.errors import InputError
from hypomag.patients import Patient
from hypomag.queries import run
from hypomag.results import table
from hypomag.signatures import HIGH, LOW, NORMAL, PRESENT, STATES, Record, Signature, above, best, finding_states, onset_bands, signatures

ABSENT = "absent"
USUAL = Decimal("0.5")
_NOT = "not "
SPLIT = 6  # candidates that the next test shall tell apart: what a table still shows
_WORDS = {LOW: LOW, NORMAL: NORMAL, HIGH: HIGH} | {
    f"inappropriately-{word}": name for word, name in (("low", "stateInappropriatelyLow"), ("high", "stateInappropriatelyHigh"))
}


@dataclass(frozen=True)
class Observation:
    """One thing seen in the patient: a laboratory value's state, a finding that is there or not, or the age at onset."""

    kind: str
    feature: str
    value: str
    label: str
    told: str = ""
    bands: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        words = {"laboratory": f"{self.label} {self.value}", "finding": self.label if self.value == PRESENT else f"no {self.label}"}
        return words.get(self.kind, self.label) + (f" ({self.told})" if self.told else "")


@dataclass(frozen=True)
class Weighed:
    """One observation held against one disease: `points` above zero speak for it, below against it."""

    observation: Observation
    points: float
    share: Decimal
    record: Record
    on: str

    def as_json(self) -> dict[str, object]:
        return {
            "observation": self.observation.text, "points": round(self.points, 2), "share": float(round(self.share, 3)),
            "on record": self.on, "claim": prefixes.shorten(self.record.claim), "counted": self.record.counted,
            "citations": list(self.record.citations), "disputed": self.record.disputed, "status": self.record.status,
        }  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A disease with what speaks for and against it and what is unknown."""

    disease: Signature
    weighed: tuple[Weighed, ...]
    unknown: tuple[Observation, ...]
    rank: int = 0
    tied: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        return round(sum(w.points for w in self.weighed), 6)


@dataclass(frozen=True)
class NextTest:
    """A test not yet made, with the result that each candidate has on record."""

    feature: str
    label: str
    expected: Mapping[str, str]
    claims: Mapping[str, str]
    pairs: int
    of: int


@dataclass(frozen=True)
class Differential:
    """The answer: candidates in order, and the tests that split the first ones best."""

    observations: tuple[Observation, ...]
    candidates: tuple[Candidate, ...]
    tests: tuple[NextTest, ...]
    notes: tuple[str, ...] = field(default=())

    def as_json(self, limit: int | None = None) -> dict[str, object]:
        return {
            "observations": [o.text for o in self.observations],
            "candidates": [
                {
                    "rank": c.rank, "disease": c.disease.iri, "curie": prefixes.shorten(c.disease.iri), "label": c.disease.label,
                    "genes": list(c.disease.genes), "points": round(c.points, 2), "tied with": list(c.tied),
                    "for": [w.as_json() for w in c.weighed if w.points > 0], "against": [w.as_json() for w in c.weighed if w.points < 0],
                    "unknown": [o.text for o in c.unknown],
                }
                for c in self.candidates[:limit]
            ],
            "next tests": [
                {"test": t.feature, "label": t.label, "expected": dict(t.expected), "claims": dict(t.claims), "pairs told apart": t.pairs, "of pairs": t.of}
                for t in self.tests
            ],
            "notes": list(self.notes),
            "notice": NOTICE,
        }  # fmt: skip

    def as_text(self, limit: int = 5, width: int = 110) -> str:
        out = ["seen: " + "; ".join(o.text for o in self.observations) + "\n"]
        out.extend(f"note: {n}\n" for n in self.notes)
        for c in self.candidates[:limit]:
            genes = ", ".join(c.disease.genes)
            tie = f"  (tied with {'; '.join(c.tied)})" if c.tied else ""
            out.append(f"\n{c.rank}. {c.disease.label} [{genes}]  {c.points:+.1f}{tie}\n")
            for w in sorted(c.weighed, key=lambda w: -w.points):
                counted = f", {w.record.counted}" if w.record.counted else ""
                dispute = ", disputed" if w.record.disputed else ""
                sources = "; ".join(w.record.citations[:2]) + (
                    f" and {len(w.record.citations) - 2} more" if len(w.record.citations) > 2 else ""
                )
                word = "for" if w.points > 0 else "against" if w.points < 0 else "neither"
                out.append(
                    f"   {w.points:+5.1f} {word}: {w.observation.text}: on record {w.on}{counted}{dispute} [{prefixes.shorten(w.record.claim)}; {sources}]\n"
                )
            if c.unknown:
                out.append(f"         unknown: {', '.join(o.text for o in c.unknown)}\n")
        if self.tests:
            heads = [c.disease.short for c in self.candidates if any(c.disease.short in t.expected for t in self.tests)]
            rows = [[t.label, f"{t.pairs} of {t.of}", *(t.expected.get(h, "?") for h in heads)] for t in self.tests]
            first = sum(c.rank == 1 for c in self.candidates)
            which = f"first {SPLIT} of the {first} tied" if first > SPLIT else "first"
            out.append(f"\nnext test: what splits the {which} candidates best, with the result on record under each (? is unknown)\n")
            out.append(table(["test", "pairs told apart", *heads], rows, width))
            out.extend(f"  {t.label}: {'; '.join(f'{h} {t.claims[h]}' for h in heads if h in t.claims)}\n" for t in self.tests)
        return "".join(out) + f"\n{NOTICE}\n"


def differential(store: Store, patient: Patient, of: int = SPLIT) -> Differential:
    """Rank the single diseases of the graph for a patient; the first `of` are split by the next tests.

    Raises:
        UnknownName, AmbiguousName, InputError: an observation that cannot be read.
    """
    known = signatures(store, patient.age if patient.age is not None else patient.seen_at)
    seen, notes = observations(store, patient)
    if not seen:
        raise InputError(
            "; ".join(["nothing to compare", *(n for n in notes if "left out" in n)]),
            "give --lab, --finding, --absent or --age, or a phenopacket that holds some",
        )
    ranked = rank(known, seen, above(store))
    first = [c for c in ranked if c.rank <= of and c.points > 0][:of] or list(ranked[:of])
    tests = next_tests(store, [c.disease for c in first], {o.feature for o in seen})
    return Differential(tuple(seen), tuple(ranked), tuple(tests[:5]), tuple(notes))


def known_terms(store: Store) -> set[str]:
    """The CURIEs of the HPO terms, and of the tests of laboratory values, that a report can be read by."""
    rows = run(store, """
        SELECT DISTINCT ?term WHERE {
          { ?term a owl:Class ; rdfs:label ?label . FILTER(STRSTARTS(STR(?term), "http://purl.obolibrary.org/obo/HP_")) }
          UNION { ?variable a hm:Variable ; hm:test ?term }
        }""")  # fmt: skip
    return {prefixes.shorten(r["term"].value) for r in rows}


def observations(store: Store, patient: Patient) -> tuple[list[Observation], list[str]]:
    """Turn what was reported into observations; notes tell how values were read and what was left out."""
    states = finding_states(store)
    found: dict[tuple[str, str], Observation] = {}
    notes: list[str] = []
    age = patient.age if patient.age is not None else patient.seen_at

    def add(one: Observation, *, reported: bool = False) -> None:
        key = (one.kind, one.feature)
        earlier = found.setdefault(key, one)
        if one.kind == "laboratory" and (both := [s for s in _plain(earlier.value) if s in _plain(one.value)]):
            if len(both) < len(_plain(earlier.value)):  # low and "not high" is low
                found[key] = replace(one, value=both[0]) if len(both) < len(_plain(one.value)) else one
        elif earlier.value != one.value:
            if not reported:
                raise InputError(f"{one.label} is given as {earlier.value} and as {one.value}", "give it once")
            notes.append(f"{one.text}: left out, it is {earlier.value} by what was read before")

    for name, text in patient.laboratory:
        variable = measures.variable(store, name)
        label = names.label(store, variable)
        word = re.sub(r"[ _]+", "-", text.strip().lower())
        if word in _WORDS:
            value, told = word, ""
        elif patient.ranges.get((name, text)):
            value, told = patient.ranges[name, text], f"{text}, by the report's own range"
        else:
            try:
                value, by = laboratory.state(store, variable, measures.amount(text), age)
            except InputError as error:
                if (name, text) not in patient.reported:
                    raise
                notes.append(f"{label} {text}: left out, {error.message}")
                continue
            told = text
            notes.append(f"{label} {text} is read as {value} ({by})")
        add(Observation("laboratory", variable.value, value, label, told), reported=(name, text) in patient.reported)
    for names_given, value in ((patient.present, PRESENT), (patient.absent, ABSENT)):
        for name in names_given:
            node = names.resolve(store, name)
            label = names.label(store, node)
            if node.value in states:
                variable_iri, state = states[node.value]
                told = state if value == PRESENT else f"{_NOT}{state}"
                one = Observation("laboratory", variable_iri, told, names.label(store, NamedNode(variable_iri)))
                add(one, reported=(name, value) in patient.reported)
                continue
            if not prefixes.shorten(node.value).startswith("HP:"):
                raise InputError(f"{label} is no finding", "give an HPO term, such as HP:0001250 or seizure")
            add(Observation("finding", node.value, value, label))
    if patient.age is not None:
        terms = tuple(sorted(term for term, band in onset_bands(store).items() if _within(patient.age, band)))
        add(Observation("onset", "age", str(patient.age), f"begun at {patient.age_text}", bands=terms))
    elif patient.onset:
        node, bands = names.resolve(store, patient.onset), onset_bands(store)
        if node.value in bands:
            terms = tuple(sorted(term for term, band in bands.items() if _meet(bands[node.value], band)))
            add(Observation("onset", "age", node.value, f"begun with {names.label(store, node)}", bands=terms))
        else:
            notes.append(f"{names.label(store, node)}: left out, the graph holds no ages for it")
    elif patient.seen_at is not None:
        notes.append("the age when last seen chooses the intervals; it is not taken for the age at onset")
    return list(found.values()), notes + [f"{n}, left out" for n in patient.left_out]


def rank(known: Mapping[str, Signature], seen: Sequence[Observation], ancestors: Mapping[str, frozenset[str]]) -> list[Candidate]:
    """Weigh every observation for every disease and put the diseases in order.

    An observation is worth 1 + log2(N / k) points: N diseases, k of which (in sum of shares) show it. A disease gets them
    whole where more than half of its patients show it, in part where fewer do, all of them with a minus where none do, and
    none at all where nothing is on record. A normal value and an absent finding speak for a disease with one point only,
    since sources seldom write them down; against one, with the worth of what is usual there. The same points are a tie.
    """
    fits = {one: _fits(known, one, ancestors) for one in seen}
    result = []
    for iri, signature in known.items():
        weighed, unknown = [], []
        for one in seen:
            if iri not in fits[one]:
                unknown.append(one)
                continue
            share, record, on = fits[one][iri]
            fit = _fit(share)
            if one.value not in (ABSENT, NORMAL) and not one.value.startswith(_NOT):
                worth = _worth(known, fits[one])
            else:
                worth = 1.0 if fit > 0 else _worth(known, _fits(known, _usual(signature, one), ancestors))
            weighed.append(Weighed(one, worth * fit, share, record, on))
        result.append(Candidate(signature, tuple(weighed), tuple(unknown)))
    result.sort(key=lambda c: (-c.points, c.disease.label))
    placed = []
    for c in result:
        place = 1 + sum(other.points > c.points for other in result)
        tied = tuple(o.disease.short for o in result if o is not c and o.points == c.points)
        placed.append(Candidate(c.disease, c.weighed, c.unknown, place, tied))
    return placed


Fits = Mapping[str, tuple[Decimal, Record, str]]


def _fits(known: Mapping[str, Signature], one: Observation, ancestors: Mapping[str, frozenset[str]]) -> Fits:
    return {iri: fit for iri, s in known.items() if (fit := _share(s, one, ancestors))}


def _worth(known: Mapping[str, Signature], fits: Fits) -> float:
    expected = float(sum((share for share, _, _ in fits.values()), Decimal(0)))
    return 1 + math.log2(len(known) / max(expected, 1.0))


def _usual(disease: Signature, one: Observation) -> Observation:
    """What a disease shows where a patient shows nothing: the finding itself, or its most common state of the value."""
    if one.kind == "finding":
        return replace(one, value=PRESENT)
    state = max(disease.shares(one.feature).items(), key=lambda i: (i[1][0], i[0]))[0]
    return replace(one, value=state)


def next_tests(store: Store, diseases: Sequence[Signature], known: Iterable[str] = ()) -> list[NextTest]:
    """The tests and findings by the number of pairs of diseases that they tell apart, the best first.

    Two diseases are told apart where the usual results on record differ, or where a discriminator of the graph says so.
    """
    done = set(known)
    expected: dict[str, dict[str, tuple[str, str]]] = {}
    for disease in diseases:
        for variable in disease.laboratory:
            usual = [(s, r) for s, (share, r) in disease.shares(variable).items() if share > USUAL]
            if usual:
                expected.setdefault(variable, {})[disease.iri] = (usual[0][0], prefixes.shorten(usual[0][1].claim))
        for term, records in disease.findings.items():
            record = best(records)
            if record is not None and (record.share > USUAL or record.share == 0):
                expected.setdefault(term, {})[disease.iri] = (PRESENT if record.share else ABSENT, prefixes.shorten(record.claim))
    apart: dict[str, set[frozenset[str]]] = {
        feature: {frozenset((a, b)) for a, b in combinations(found, 2) if found[a][0] != found[b][0]} for feature, found in expected.items()
    }
    states = finding_states(store)
    for d in discriminators(store, [s.iri for s in diseases]):
        if not (d.feature and d.in_one and d.in_other):
            continue
        feature, state = states.get(d.feature, (d.feature, ""))
        apart.setdefault(feature, set()).add(frozenset((d.one, d.other)))
        for iri, value in ((d.one, d.in_one), (d.other, d.in_other)):
            expected.setdefault(feature, {}).setdefault(iri, (f"{state} {value}".strip(), d.claim))
    total = len(diseases) * (len(diseases) - 1) // 2
    short = {s.iri: s.short for s in diseases}
    found = [
        NextTest(
            feature, names.label(store, NamedNode(feature)), {short[i]: v for i, (v, _) in expected[feature].items()},
            {short[i]: c for i, (_, c) in expected[feature].items()}, len(pairs), total,
        )
        for feature, pairs in apart.items() if pairs and feature not in done
    ]  # fmt: skip
    return sorted(found, key=lambda t: (-t.pairs, -len(t.expected), t.label))


def _fit(share: Decimal) -> float:
    """From 1 (more than half show it) over the share itself down to -1 (nobody shows it)."""
    if share > USUAL:
        return 1.0
    return float(share) if share > 0 else -1.0


def _share(disease: Signature, one: Observation, ancestors: Mapping[str, frozenset[str]]) -> tuple[Decimal, Record, str] | None:
    """The share of a disease's patients that show an observation, the claim that says so and its words; None if unknown."""
    if one.kind == "laboratory":
        return _laboratory(disease, one)
    if one.kind == "onset":
        return _onset(disease, one)
    return _finding(disease, one, ancestors)


def _laboratory(disease: Signature, one: Observation) -> tuple[Decimal, Record, str] | None:
    shares = disease.shares(one.feature)
    if not shares:
        return None
    on = ", ".join(f"{s} {round(share * 100)} %" for s, (share, _) in sorted(shares.items(), key=lambda i: -i[1][0]))
    wanted = _plain(one.value)
    named = [(share, record) for s, (share, record) in shares.items() if s in wanted]
    others = [(share, record) for s, (share, record) in shares.items() if s not in wanted]
    if named and sum(share for share, _ in named) > 0:
        share = min(Decimal(1), sum((s for s, _ in named), Decimal(0)))
        return share, max(named, key=lambda n: n[0])[1], on
    taken = sum((s for s, _ in others), Decimal(0))
    if others and (named or taken >= USUAL):  # nobody is on record with it: who is not low is taken for normal, not for high
        left = max(Decimal(0), 1 - taken) if NORMAL in wanted and not named else Decimal(0)
        return left if left >= Decimal("0.05") else Decimal(0), max(others, key=lambda n: n[0])[1], on
    if others and not taken and len(wanted) > 1:  # nobody has the state that was ruled out
        return Decimal(1), others[0][1], on
    if named:
        return Decimal(0), named[0][1], on
    return None


def _plain(value: str) -> tuple[str, ...]:
    """The plain states that a reported one leaves open.

    >>> _plain("low"), _plain("not low"), _plain("inappropriately-low")
    (('low',), ('normal', 'high'), ('low', 'normal'))
    """
    if value.startswith(_NOT):
        return tuple(s for s in (LOW, NORMAL, HIGH) if s != value.removeprefix(_NOT))
    return STATES.get(_WORDS[value], (value,))


def _onset(disease: Signature, one: Observation) -> tuple[Decimal, Record, str] | None:
    if not disease.onset:
        return None
    records = {term: r for term, records in disease.onset.items() if (r := best(records)) is not None}
    inside = [r for term, r in records.items() if term in one.bands]
    chosen = max(inside or records.values(), key=lambda r: (r.share, r.m or 0, r.claim))
    return (chosen.share if inside else Decimal(0)), chosen, chosen.label


def _within(age: Decimal, band: tuple[Decimal | None, Decimal | None]) -> bool:
    low, high = band
    return (low is None or age >= low) and (high is None or age < high)


def _meet(one: tuple[Decimal | None, Decimal | None], other: tuple[Decimal | None, Decimal | None]) -> bool:
    return all(low is None or high is None or low < high for low, high in ((one[0], other[1]), (other[0], one[1])))


def _finding(disease: Signature, one: Observation, ancestors: Mapping[str, frozenset[str]]) -> tuple[Decimal, Record, str] | None:
    """The record of the finding itself; else that of a more special one; else of the nearest more general one."""
    record = best(disease.findings.get(one.feature, ()))
    if record is None or record.share == 0:
        special = [r for term, r in disease.findings.items() if one.feature in ancestors.get(term, ())]
        record = max([record, *map(best, special)], key=lambda r: (r is not None, r.share if r else 0, r.m or 0 if r else 0))
    if record is None:
        over = ancestors.get(one.feature, frozenset())
        general = [(len(ancestors.get(t, ())), t, best(r)) for t, r in disease.findings.items() if t in over]
        record = max(general, key=lambda g: g[:2], default=(0, "", None))[2]
        if record is None or (one.value == ABSENT and record.share > 0):
            return None  # that a general finding occurs says nothing of the special one's absence
    on = "absent" if record.share == 0 else "present"
    return (1 - record.share if one.value == ABSENT else record.share), record, on
