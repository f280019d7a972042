"""The limits and targets that sources give for laboratory values, in both units; what is converted says so."""

from __future__ import annotations

from decimal import Decimal

from pyoxigraph import NamedNode

from hypomag import measures, prefixes
from hypomag.errors import HypomagError
from hypomag.passages import Link, Reader, Table
from hypomag.sources import VOCAB

BOTH_UNITS = ("mmol/L", "mg/dL")
_SIGNS = {"<=": "≤", ">=": "≥"}


def is_target(reader: Reader, claim: str) -> bool:
    """Whether a limit is what a treatment aims at, and no word on diagnosis."""
    return f"{VOCAB}treated" in reader.facts.values(claim, "hm:population")


def tabulate(reader: Reader, disease: str, *, targets: bool = False) -> Table | None:
    """The limits that sources give for the laboratory values of a disease, in both units; a converted form says so.

    `targets` asks for those that a treatment aims at.
    """
    facts = reader.facts
    own = {
        facts.one(c, "hm:object")
        for c in facts.sections.get(disease, ())
        if c in reader.claims and reader.claims[c].kind == "LaboratoryClaim"
    }
    findings, diseases = prefixes.expand("HP:") or "-", prefixes.expand("MONDO:") or "-"
    rows = []
    for claim, told in reader.claims.items():
        if told.kind != "ThresholdClaim" or told.polarity != "present":
            continue
        subject, contexts = facts.one(claim, "hm:subject"), facts.values(claim, "hm:context")
        general = subject.startswith(findings) and not any(c.startswith(diseases) for c in contexts)
        concerned = disease in (subject, *contexts) or (general and facts.one(claim, "hm:object") in own)
        if concerned and is_target(reader, claim) is targets:
            rows.append((_limit_order(reader, claim), _limit(reader, claim)))
    if not rows:
        return None
    what, sign = ("Target", "aim") if targets else ("Limit", "finding at")
    head = (what, *(f"{sign}, {unit}" for unit in BOTH_UNITS), "other unit", "for", "on whose authority")
    return Table(
        f"{'What treatment aims at, by source' if targets else 'Limits that sources give'}, each as stated and in the other unit; (≈) is converted by us. "
        f"{'' if targets else 'The sign shows on which side of the limit the finding is expected. '}They are no advice.",
        head,
        tuple(row for _, row in sorted(rows, key=lambda r: r[0])),
    )


def _limit_order(reader: Reader, claim: str) -> tuple[str, str, Decimal, str]:
    """Limits of one quantity stand together, by people and value."""
    facts = reader.facts
    people = ", ".join(facts.label(p) for p in facts.values(claim, "hm:population"))
    variable = facts.one(claim, "hm:object")
    least = Decimal(0)
    for quantity in sorted(facts.values(claim, "hm:statedAs"), key=lambda q: facts.one(q, "hm:unit") != BOTH_UNITS[0]):
        stated = facts.one(quantity, "hm:value") or facts.one(quantity, "hm:low")
        if not stated:
            continue
        least = Decimal(stated)
        try:
            amount = measures.Amount(least, facts.one(quantity, "hm:unit"))
            least = measures.converted(reader.store, NamedNode(variable), amount, BOTH_UNITS[0])
        except HypomagError:
            pass  # of no common unit: by the number as it stands
        break
    return facts.label(variable).casefold(), people, least, claim


def _limit(reader: Reader, claim: str) -> tuple[tuple[Link, ...], ...]:
    """One row: the limit in both units and in others, for whom, on whose authority. Conversion is slow, so a row is made once."""
    if claim not in reader.limits:
        facts = reader.facts
        forms = [(facts.one(q, "hm:unit"), form(reader, q)) for q in facts.values(claim, "hm:statedAs")]
        columns = [_in_unit(reader, claim, facts.one(claim, "hm:object"), unit, forms) for unit in BOTH_UNITS]
        other = tuple(Link(f"{form} {unit}") for unit, form in forms if unit not in BOTH_UNITS)
        if len(other) == 1 and (twin := _twin(next(u for u, _ in forms if u not in BOTH_UNITS))):
            found = _in_unit(reader, claim, facts.one(claim, "hm:object"), twin, forms)
            other += tuple(Link(x.text.replace(" (≈)", f" {twin} (≈)")) for x in found if x.text != "–")
        people = ", ".join(facts.label(p) for p in facts.values(claim, "hm:population")) or "any age"
        sources = tuple(Link(c.citation, c.path, "disputes" if c.against else "") for c in reader.statement(claim).cites)
        reader.limits[claim] = ((Link(reader.claims[claim].label, reader.path(claim)),), *columns, other, (Link(people),), sources)
    return reader.limits[claim]


def form(reader: Reader, quantity: str) -> str:
    comparator = _SIGNS.get(reader.facts.one(quantity, "hm:comparator"), reader.facts.one(quantity, "hm:comparator"))
    value, low, high = (reader.facts.one(quantity, f"hm:{k}") for k in ("value", "low", "high"))
    return f"{comparator} {value or f'{low} to {high}'}".strip()


def _in_unit(reader: Reader, claim: str, variable: str, unit: str, forms: list[tuple[str, str]]) -> tuple[Link, ...]:
    stated = [form for u, form in forms if u == unit]
    if stated:
        return (Link(stated[0]),)
    for quantity in reader.facts.values(claim, "hm:statedAs"):
        given = reader.facts.one(quantity, "hm:unit")
        ends = [v for k in ("value", "low", "high") if (v := reader.facts.one(quantity, f"hm:{k}"))]
        try:
            found = [measures.converted(reader.store, NamedNode(variable), measures.Amount(Decimal(v), given), unit) for v in ends]
        except HypomagError:
            continue
        if found:
            sign = reader.facts.one(quantity, "hm:comparator")
            told = " to ".join(f"{float(x):.{_digits(v)}g}" for x, v in zip(found, ends, strict=True))
            return (Link(f"{_SIGNS.get(sign, sign)} {told} (≈)".strip()),)
    return (Link("–"),)


def _twin(unit: str) -> str:
    """The unit of mass beside one of substance, and the other way round, of what is excreted; nothing for other units."""
    kind, stroke, time = unit.partition("/")
    return {"mmol": "mg", "mg": "mmol"}.get(kind, "") + stroke + time if time in ("d", "(24.h)") else ""


def _digits(stated: str) -> int:
    """How many digits a converted number has: no more than the source states, two at least."""
    return max(2, len(Decimal(stated).normalize().as_tuple().digits))
