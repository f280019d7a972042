"""Measured amounts: a number with a UCUM unit, turned into other units by the constants of the graph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from pyoxigraph import NamedNode, Store

from hypomag import names, prefixes
from hypomag.errors import AmbiguousName, InputError, UnknownName
from hypomag.queries import run
from hypomag.sources import BASE

_AMOUNT = re.compile(r"\s*([<>]=?)?\s*([-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*")
# Spellings that reports use and UCUM does not know.
_SPELLINGS = {"meq": "meq", "ueq": "ueq", "eq": "eq", "mcg": "ug", "µg": "ug", "μg": "ug", "µmol": "umol", "μmol": "umol"}
# Ways to write a collection over a day and a rate that UCUM does not know.
_RATES = ((re.compile(r"\s*/\s*"), "/"), (re.compile(r"/24\s*h(rs?)?$"), "/(24.h)"), (re.compile(r"/day$"), "/d"))
_DIGITS = 12  # of the largest and smallest amounts read: pmol in a litre is twelve digits below mol
_EQUIVALENTS = re.compile(r"(?<![A-Za-z])[munk]?eq(?![A-Za-z])")


@dataclass(frozen=True)
class Amount:
    """A number as reported, with its UCUM code; `half` is half a unit of its last digit."""

    value: Decimal
    unit: str

    @property
    def half(self) -> Decimal:
        return Decimal(5).scaleb(int(self.value.as_tuple().exponent) - 1)

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}".strip()


def amount(text: str, *, signed: bool = False) -> Amount:
    """Read a reported amount, such as `0.35mmol/L` or `1.2 mg/dL`; only a computed one (`signed`) may lie below zero.

    Raises:
        InputError: no number, no unit, a unit that is not UCUM, or a number that no laboratory reports.

    >>> str(amount("0.70mmol/L")), str(amount("1,4 mEq/L")), amount("0.70 mmol/L").half
    ('0.70 mmol/L', '1.4 meq/L', Decimal('0.005'))
    """
    match = _AMOUNT.fullmatch(text)
    if not match:
        raise InputError(f"cannot read the amount {text!r}", "write a number and a unit, such as 0.35mmol/L")
    if match[1]:
        raise InputError(f"{text!r} is a limit, not a value", "give the number that was reported, or a state such as =low")
    if re.match(r"[-\u2013]\s*\d", match[3] or ""):
        raise InputError(f"{text!r} is a range, not a value", "give one number that was reported, or a state such as =low")
    if not match[3]:
        raise InputError(f"{text!r} has no unit", "add the unit that was reported, such as mmol/L or mg/dL")
    try:
        value = Decimal(match[2].replace(",", "."))
    except InvalidOperation:
        raise InputError(f"cannot read the number {match[2]!r}") from None
    code = unit(match[3])
    if value < 0 and not signed:
        raise InputError(f"{text!r} is below zero", "check the number")
    if value and abs(value.adjusted()) > _DIGITS:
        raise InputError(f"{text!r} is no number that a laboratory reports", "check the exponent")
    return Amount(value, code)


def unit(text: str) -> str:
    """Return the UCUM code of a unit as reported.

    Raises:
        InputError: it is no UCUM unit.

    >>> unit("mEq/l"), unit("µmol / L"), unit("mmol/24h")
    ('meq/L', 'umol/L', 'mmol/(24.h)')
    """
    for pattern, spelled in _RATES:
        text = pattern.sub(spelled, text.strip())
    parts = [_SPELLINGS.get(part.lower() if part.lower().endswith("eq") else part, part) for part in re.split(r"([/.])", text)]
    code = "".join("L" if p == "l" else "dL" if p == "dl" else "mL" if p == "ml" else "h" if p == "hr" else p for p in parts)
    _parsed(code)
    return code


def converted(store: Store, variable: NamedNode, given: Amount, target: str) -> Decimal:
    """Turn an amount of a variable into another unit.

    Between mass, substance and equivalents the way leads over a formula of the graph for the same substance
    (its molar mass, its charges), or over an interval that claims state both in mmol/L and in meq/L; all else is UCUM.

    Raises:
        InputError: no way leads from the one unit to the other.
    """
    constants = [
        step for origin, factor, result in _constants(store, variable) for step in ((origin, factor, result), (result, 1 / factor, origin))
    ]
    ways = [(given.unit, Decimal(1))]
    for _ in range(3):  # mass to equivalents takes two constants: molar mass, then charges
        for at, product in ways:
            if (factor := _factor(at, target)) is not None:
                return given.value * product * factor
        ways = [
            (result, product * into * factor)
            for at, product in ways
            for origin, factor, result in constants
            if (into := _factor(at, origin)) is not None
        ]
    raise InputError(
        f"{names.label(store, variable)}: {given.unit} cannot be turned into {target}",
        "the units measure different things, and the graph holds no constant that joins them",
    )


def same_kind(one: str, other: str) -> bool:
    """Whether two UCUM units measure the same kind of quantity; equivalents are not moles."""
    return _factor(one, other) is not None


def variable(store: Store, name: str) -> NamedNode:
    """The variable that a user means: `magnesium` is the one in serum, `urine calcium` the one in urine; LOINC codes too.

    Raises:
        UnknownName, AmbiguousName: no variable, or several, bear the name.
    """
    iri = names.canonical(f"LOINC:{name.strip()}" if re.fullmatch(r"\s*\d+-\d\s*", name) else name)
    if iri and iri.startswith(prefixes.expand("LOINC:") or "-"):
        found = {r["v"].value for r in run(store, f"SELECT ?v {{ ?v a hm:Variable ; hm:test <{iri}> }}")}
        if len(found) == 1:
            return NamedNode(found.pop())
    if iri and iri.startswith(BASE + "variable/") and iri in _variables(store):
        return NamedNode(iri)
    plain = name.strip().lower().replace("_", " ").replace("-", " ")
    every = _variables(store)
    for spelled in (
        plain,
        f"serum {plain}",
        f"circulating {plain}",
        f"{plain} excretion",
        plain.replace("urine ", "urinary ") + " excretion",
    ):
        found = {v for v, words in every.items() if spelled in words}
        if len(found) == 1:
            return NamedNode(found.pop())
        if found:
            raise AmbiguousName(
                f"{name!r} names {len(found)} laboratory values",
                f"say which: {', '.join(sorted(names.label(store, NamedNode(v)) for v in found))}",
            )
    from difflib import get_close_matches

    known = sorted({w for words in every.values() for w in words})
    near = [w for w in known if plain in w][:5] or get_close_matches(plain, known, n=3)
    raise UnknownName(
        f"no laboratory value is called {name!r}",
        f"did you mean {', '.join(near)}?" if near else "hypomag query which-test-measures lists them",
    )


def _variables(store: Store) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in run(store, """
        SELECT ?v ?word WHERE {
          ?v a hm:Variable . { ?v rdfs:label ?word } UNION { ?v oboInOwl:hasExactSynonym ?word }
        }"""):  # fmt: skip
        words = found.setdefault(row["v"].value, {row["v"].value.rpartition("/")[2].replace("-", " ")})
        words.add(row["word"].value.lower().replace("-", " "))
    return found


def _constants(store: Store, variable: NamedNode) -> list[tuple[str, Decimal, str]]:
    """(unit, factor, unit) of the graph's conversions for the substance of a variable, the exactest first."""
    rows = run(store, f"""
        SELECT DISTINCT ?origin ?factor ?result WHERE {{
          {variable} hm:analyte ?substance .
          ?other hm:analyte ?substance .
          ?formula a hm:Formula ; hm:variable ?other ; hm:factor ?factor ; hm:resultUnit ?result ; hm:input ?input .
          ?input hm:unit ?origin ; hm:variable ?other .
        }} ORDER BY ?origin ?result""")  # fmt: skip
    found = [(r["origin"].value, Decimal(r["factor"].value), r["result"].value) for r in rows]
    found += _stated_twice(store, variable)
    found += [(f"{a}/d", factor, f"{b}/d") for a, factor, b in (_of_a_litre(*constant) for constant in found)]
    return sorted(found, key=lambda f: (-len(f[1].as_tuple().digits), f))


def _of_a_litre(origin: str, factor: Decimal, result: str) -> tuple[str, Decimal, str]:
    """The same constant between amounts: what holds of each litre holds of what is lost in a day.

    >>> _of_a_litre("mmol/L", Decimal("2.4305"), "mg/dL")
    ('mmol', Decimal('24.3050'), 'mg')
    """
    (a, _, _), (b, _, _) = origin.partition("/"), result.partition("/")
    return a, factor * (_factor(f"{a}/L", origin) or 1) * (_factor(result, f"{b}/L") or 1), b


def _stated_twice(store: Store, variable: NamedNode) -> list[tuple[str, Decimal, str]]:
    """(mmol/L, charges, meq/L) of an ion of which claims state one interval in both units, as a whole multiple at both its ends.

    Where claims differ or leave a fraction, rounding is in them, and nothing is concluded.
    """
    rows = run(store, f"""
        SELECT DISTINCT ?low ?high ?lowMeq ?highMeq WHERE {{
          {variable} hm:analyte ?substance .
          ?other hm:analyte ?substance .
          ?quantity hm:variable ?other ; hm:unit "mmol/L" ; hm:low ?low ; hm:high ?high .
          ?claim hm:statedAs ?quantity , ?twin .
          ?twin hm:variable ?other ; hm:unit "meq/L" ; hm:low ?lowMeq ; hm:high ?highMeq .
        }} ORDER BY ?low ?high""")  # fmt: skip
    ends = [[Decimal(r[name].value) for name in ("low", "high", "lowMeq", "highMeq")] for r in rows]
    ratios = {meq / mmol for low, high, *twin in ends for mmol, meq in zip((low, high), twin, strict=True) if mmol}
    charges = ratios.pop() if len(ratios) == 1 else Decimal(0)
    return [("mmol/L", charges, "meq/L")] if charges and charges == charges.to_integral_value() else []


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


@cache
def _parsed(code: str) -> Any:
    if not code.isascii() or len(code) > 40:
        raise InputError(f"{code!r} is no UCUM unit", "write it as in mmol/L, mg/dL, meq/L, pg/mL, mmol/(24.h)")
    try:
        return _registry().from_ucum(code)
    except Exception as error:
        raise InputError(f"{code!r} is no UCUM unit", "write it as in mmol/L, mg/dL, meq/L, pg/mL, mmol/(24.h)") from error


@cache
def _factor(one: str, other: str) -> Decimal | None:
    """What an amount in `one` is multiplied with to be in `other`; None where they measure different things."""
    if bool(_EQUIVALENTS.search(one)) != bool(_EQUIVALENTS.search(other)) or _quotient(one) != _quotient(other):
        return None
    ratio = _parsed(one) / _parsed(other)
    if not ratio.dimensionless:
        return None
    return Decimal(f"{float(ratio.to('').magnitude):.12g}")


def _quotient(code: str) -> tuple[str, str]:
    """What cancels out in a unit, above and below its first stroke: grams by grams are not moles by moles, nor plain percent.

    >>> _quotient("mg/mg") == _quotient("g/kg"), _quotient("mg/mg") == _quotient("mmol/mmol"), _quotient("mg/dL") == _quotient("mmol/L")
    (True, False, True)
    """
    above, stroke, below = code.partition("/")
    if not stroke:
        return "", ""
    parts = [re.sub(r"\{[^}]*\}|[()]", "", part).replace("/", ".").strip(".") for part in (above, below)]
    found = [{str(d) for d in _parsed(part).dimensionality} if part else set() for part in parts]
    shared = found[0] & found[1] & {"[mass]", "[substance]"}
    return "".join(sorted(shared)), "/" if shared else ""
