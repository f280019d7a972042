"""A patient as reported: laboratory values, findings that are there or not, age; from arguments or a GA4GH phenopacket."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from hypomag.errors import InputError, SyntaxProblem

_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T[\dHMS.]*)?")
_DAYS = (Decimal("365.25"), Decimal("30.4375"), Decimal(7), Decimal(1))


@dataclass(frozen=True)
class Patient:
    """What is known of one patient; `age` (days) is the age at which it began, `onset` an HPO term that says so in words,
    `seen_at` (days) the age at which values were taken where `age` is not known; `ranges` gives the state by the report's
    own range. A `reported` value that cannot be read, or that an earlier one contradicts, is left out and named.
    """

    laboratory: tuple[tuple[str, str], ...] = ()
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    age: Decimal | None = None
    age_text: str = ""
    ranges: Mapping[tuple[str, str], str] = field(default_factory=dict)
    reported: frozenset[tuple[str, str]] = frozenset()
    left_out: tuple[str, ...] = ()
    onset: str = ""
    seen_at: Decimal | None = None


def patient(laboratory: Iterable[str] = (), present: Iterable[str] = (), absent: Iterable[str] = (), age: str | None = None) -> Patient:
    """Read a patient from arguments: `magnesium=0.35mmol/L` or `magnesium=low`, names of findings, an ISO 8601 age.

    Raises:
        InputError: a value without a name, or an age that is no ISO 8601 duration.
    """
    values = []
    for text in laboratory:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InputError(f"cannot read --lab {text!r}", "write it as magnesium=0.35mmol/L or magnesium=low")
        values.append((name.strip(), value.strip()))
    return Patient(tuple(values), tuple(present), tuple(absent), days(age) if age else None, age or "")


def joined(one: Patient, other: Patient) -> Patient:
    """Two reports of one patient; the age of the second counts where it has one."""
    later = other if other.age is not None else one
    return Patient(
        one.laboratory + other.laboratory, one.present + other.present, one.absent + other.absent,
        later.age, later.age_text, {**one.ranges, **other.ranges}, one.reported | other.reported, one.left_out + other.left_out,
        "" if later.age is not None else one.onset or other.onset, one.seen_at if one.seen_at is not None else other.seen_at,
    )  # fmt: skip


def days(age: str) -> Decimal:
    """The days of an ISO 8601 duration.

    Raises:
        InputError: it is none.

    >>> days("P2M"), days("P1Y6M"), days("P10D")
    (Decimal('60.8750'), Decimal('547.8750'), Decimal('10'))
    """
    match = _DURATION.fullmatch(age.strip().upper())
    if not match or (not any(match.groups()) and "T" not in age.upper()):
        raise InputError(f"cannot read the age {age!r}", "write it as an ISO 8601 duration: P10D, P2M, P1Y6M")
    return sum((Decimal(part) * unit for part, unit in zip(match.groups(), _DAYS, strict=True) if part), Decimal(0))


def phenopacket(text: str, name: str, known: Container[str]) -> Patient:
    """Read a GA4GH phenopacket (schema 2, JSON): phenotypic features, measurements, onset of the disease, age when last seen.

    `known` holds the HPO and LOINC CURIEs that the graph knows; what it does not know, or what cannot be read, is left out
    and named.

    Raises:
        SyntaxProblem: no JSON. InputError: no phenopacket.
    """
    try:
        packet = json.loads(text, parse_float=str)  # 0.70 keeps its last digit
    except (json.JSONDecodeError, RecursionError) as error:
        place = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SyntaxProblem(f"{name}{place}: not JSON", "give a phenopacket of schema version 2 in JSON") from None
    if not isinstance(packet, dict) or not {"phenotypicFeatures", "measurements", "subject", "diseases"} & set(packet):
        raise InputError(f"{name}: not a phenopacket", "a phenopacket has phenotypicFeatures, measurements, subject or diseases")
    left: list[str] = []
    present, absent = _features(_list(packet, "phenotypicFeatures", name), known, left)
    values, ranges = _measurements(_list(packet, "measurements", name), known, left)
    age, onset = "", ""
    for disease in _list(packet, "diseases", name):
        told = _inside(disease, "onset")
        if not told or disease.get("excluded") or age or onset:
            continue
        age = _duration(_inside(told, "age", "iso8601duration"), left)
        term = str(_inside(told, "ontologyClass", "id") or "")
        if term in known:
            onset = "" if age else term
        elif not age:
            left.append(f"an onset of the disease ({term or 'no age and no term'}) that cannot be read")
    seen = _duration(_inside(packet, "subject", "timeAtLastEncounter", "age", "iso8601duration"), left)
    reported = {*values, *((t, "present") for t in present), *((t, "absent") for t in absent)}
    return Patient(
        values, present, absent, days(age) if age else None, age, ranges, frozenset(reported), tuple(left), onset, days(seen) if seen else None
    )  # fmt: skip


def _features(features: list[dict[str, Any]], known: Container[str], left: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Findings that are there, and that are not; one that is told as both was there."""
    present: list[str] = []
    absent: list[str] = []
    for feature in features:
        term = str(_inside(feature, "type", "id") or "")
        excluded = feature.get("excluded") or False
        if term not in known or not term.startswith("HP:"):
            left.append(f"{term or 'a feature without a term'} ({_inside(feature, 'type', 'label') or 'no label'}): not in the graph")
        elif not isinstance(excluded, bool):
            left.append(f"{term}: its 'excluded' is neither true nor false")
        else:
            (absent if excluded else present).append(term)
    for term in sorted(set(present) & set(absent)):
        left.append(f"{term} as absent: it is told as present, too")
    return tuple(dict.fromkeys(present)), tuple(t for t in dict.fromkeys(absent) if t not in present)


def _measurements(
    measurements: list[dict[str, Any]], known: Container[str], left: list[str]
) -> tuple[tuple[tuple[str, str], ...], dict[tuple[str, str], str]]:
    """(test, amount) in the order of the report, and the state by the report's own range."""
    values, ranges = [], {}
    for measurement in measurements:
        test = str(_inside(measurement, "assay", "id") or "")
        label = _inside(measurement, "assay", "label") or "no label"
        if not test.startswith("LOINC:") or test not in known:
            left.append(f"{test or 'a measurement without a test'} ({label}): not in the graph")
            continue
        number = _number(_inside(measurement, "value", "quantity", "value"))
        if number is None:
            left.append(f"{test} ({label}): it has no quantity with a number")
            continue
        code, word = (str(_inside(measurement, "value", "quantity", "unit", k) or "") for k in ("id", "label"))
        told = f"{number} {code.removeprefix('UCUM:') if code.startswith('UCUM:') else word or code}".strip()
        values.append((test, told))
        low, high = (_number(_inside(measurement, "value", "quantity", "referenceRange", k)) for k in ("low", "high"))
        if low is not None and high is not None:
            ranges[test, told] = "low" if number < low else "high" if number > high else "normal"
    return tuple(values), ranges


def _number(value: Any) -> Decimal | None:
    """A JSON number, or text that holds one as protobuf may write it; None for anything else, infinite numbers included."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _duration(text: Any, left: list[str]) -> str:
    """An ISO 8601 duration, or nothing; what is none is named."""
    if not text:
        return ""
    try:
        days(str(text))
    except InputError:
        left.append(f"the age {text!r}: no ISO 8601 duration")
        return ""
    return str(text)


def _list(packet: Mapping[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    found = packet.get(key) or []
    if not isinstance(found, list) or not all(isinstance(x, dict) for x in found):
        raise InputError(f"{name}: {key} is no list of objects", "a phenopacket of schema version 2 has lists there")
    return found


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
