"""A patient as reported: laboratory values, findings that are there or not, age; from arguments or a GA4GH phenopacket."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypomag.errors import InputError, SyntaxProblem

_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T[\dHMS.]*)?")
_DAYS = (Decimal("365.25"), Decimal("30.4375"), Decimal(7), Decimal(1))


@dataclass(frozen=True)
class Patient:
    """What is known of one patient; `age` (days) is the age at which it began, `ranges` the state by the report's own
    range; of the `reported` values those that the graph has no interval for are left out, the others must be readable.
    """

    laboratory: tuple[tuple[str, str], ...] = ()
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    age: Decimal | None = None
    age_text: str = ""
    ranges: Mapping[tuple[str, str], str] = field(default_factory=dict)
    reported: frozenset[tuple[str, str]] = frozenset()
    left_out: tuple[str, ...] = ()


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
    """Read a GA4GH phenopacket (schema 2, JSON): phenotypic features, measurements, age at onset of the disease.

    `known` holds the HPO and LOINC CURIEs that the graph knows; what it does not know is left out and named.

    Raises:
        SyntaxProblem: no JSON. InputError: no phenopacket.
    """
    try:
        packet = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        place = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SyntaxProblem(f"{name}{place}: not JSON", "give a phenopacket of schema version 2 in JSON") from None
    if not isinstance(packet, dict) or not {"phenotypicFeatures", "measurements", "subject", "diseases"} & set(packet):
        raise InputError(f"{name}: not a phenopacket", "a phenopacket has phenotypicFeatures, measurements, subject or diseases")
    present: list[str] = []
    absent: list[str] = []
    left: list[str] = []
    for feature in _list(packet, "phenotypicFeatures", name):
        term = str(_inside(feature, "type", "id") or "")
        if not term.startswith("HP:"):
            left.append(term or "a feature without a term")
        elif term not in known:
            left.append(f"{term} ({_inside(feature, 'type', 'label') or 'no label'})")
        else:
            (absent if feature.get("excluded") else present).append(term)
    values, ranges = [], {}
    for measurement in _list(packet, "measurements", name):
        test = str(_inside(measurement, "assay", "id") or "")
        value = _inside(measurement, "value", "quantity")
        if not test.startswith("LOINC:") or test not in known:
            left.append(f"{test or 'a measurement'} ({_inside(measurement, 'assay', 'label') or 'no label'})")
            continue
        if not isinstance(value, dict) or "value" not in value:
            left.append(f"{test} without a quantity")
            continue
        unit = str(_inside(value, "unit", "id") or "").removeprefix("UCUM:") or str(_inside(value, "unit", "label") or "")
        told = f"{value['value']} {unit}"
        values.append((test, told))
        low, high = (_inside(value, "referenceRange", k) for k in ("low", "high"))
        if low is not None and high is not None:
            number = Decimal(str(value["value"]))
            ranges[test, told] = "low" if number < Decimal(str(low)) else "high" if number > Decimal(str(high)) else "normal"
    age = None
    for disease in _list(packet, "diseases", name):
        age = age or _inside(disease, "onset", "age", "iso8601duration")
    age = age or _inside(packet, "subject", "timeAtLastEncounter", "age", "iso8601duration")
    return Patient(
        tuple(values),
        tuple(present),
        tuple(absent),
        days(str(age)) if age else None,
        str(age or ""),
        ranges,
        frozenset(values),
        tuple(left),
    )


def _list(packet: Mapping[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    found = packet.get(key) or []
    if not isinstance(found, list) or not all(isinstance(x, dict) for x in found):
        raise InputError(f"{name}: {key} is no list of objects", "a phenopacket of schema version 2 has lists there")
    return found


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
