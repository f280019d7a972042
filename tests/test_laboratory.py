"""Laboratory values: units, limits, rounding, formulas."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode, Store

from hypomag import laboratory, measures
from hypomag.errors import AmbiguousName, InputError, UnknownName
from hypomag.sources import VOCAB
from tests.conftest import hypomag

THRESHOLD = "claim:hypomagnesemia-threshold-0.7-mmol-l"


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("1.69 mg/dL", "met"), ("1.70 mg/dL", "borderline"), ("1.71 mg/dL", "not met"),
        ("0.69 mmol/L", "met"), ("0.70 mmol/L", "not met"), ("0.71 mmol/L", "not met"),
        ("1.39 meq/L", "met"), ("1.4 mEq/L", "not met"),
    ],
)  # fmt: skip
def test_the_limit_of_the_article(store: Store, value: str, verdict: str) -> None:
    reading = laboratory.read(store, "magnesium", value)
    assert {c.verdict for c in reading.criteria if c.claim == THRESHOLD} == {verdict}


def test_borderline_says_why(store: Store) -> None:
    reading = laboratory.read(store, "magnesium", "1.70 mg/dL")
    assert "borderline: the stated forms disagree by rounding: not < 1.7 mg/dL, < 0.7 mmol/L" in reading.as_text()
    assert reading.units == ("0.6994 mmol/L", "1.399 meq/L")


def test_a_limit_in_another_unit_is_borderline_within_the_rounding(store: Store) -> None:
    variable = measures.variable(store, "magnesium")
    limit = [laboratory.Limit("mmol/L", "<", Decimal("0.7"), None, None)]
    verdicts = [
        laboratory.judge(store, variable, measures.amount(v), limit)[0] for v in ("1.69 mg/dL", "1.70 mg/dL", "1.7 mg/dL", "1.71 mg/dL")
    ]
    assert verdicts == ["met", "borderline", "borderline", "not met"]


def test_a_range_as_limit(store: Store) -> None:
    variable = measures.variable(store, "urine magnesium")
    limit = [laboratory.Limit("mg/d", ">", None, Decimal(10), Decimal(30))]
    assert [laboratory.judge(store, variable, measures.amount(f"{v} mg/d"), limit)[0] for v in (9, 20, 31)] == [
        "not met",
        "borderline",
        "met",
    ]


def test_age_chooses_limits(store: Store) -> None:
    newborn = {c.population for c in laboratory.read(store, "magnesium", "0.62mmol/L", Decimal(3)).criteria}
    adult = {c.population for c in laboratory.read(store, "magnesium", "0.62mmol/L", Decimal(9000)).criteria}
    assert "newborns" in newborn and "adults" not in newborn
    assert "adults" in adult and "newborns" not in adult


@pytest.mark.parametrize(
    ("name", "slug"),
    [("magnesium", "serum-magnesium"), ("Mg", "serum-magnesium"), ("LOINC:2601-3", "serum-magnesium"), ("2601-3", "serum-magnesium"), ("nonsense", None), ("PTH", "parathyroid-hormone"),
     ("urine calcium", "urine-calcium"), ("urinary calcium excretion", "urine-calcium"), ("serum-potassium", "serum-potassium")],
)  # fmt: skip
def test_names_of_values(store: Store, name: str, slug: str | None) -> None:
    if slug is None:
        with pytest.raises(UnknownName):
            measures.variable(store, name)
    else:
        assert measures.variable(store, name).value.endswith("/" + slug)


@pytest.mark.parametrize(
    ("text", "says"),
    [("1.2", "no unit"), ("low", "cannot read"), ("<0.2 mmol/L", "a limit"), ("1.2 bananas", "UCUM"), ("1.2 кг", "UCUM"), ("-0.3 mmol/L", "below zero"),
     ("0.35-0.4 mmol/L", "a range"), ("0.35–0.4 mmol/L", "a range"), ("1e400 mmol/L", "no number that a laboratory reports"), ("1" * 5 + "e99 foo", "UCUM"), ("", "cannot read")],
)  # fmt: skip
def test_what_is_no_amount(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        measures.amount(text)


@given(
    st.decimals(min_value=Decimal("0.01"), max_value=Decimal(20), places=3),
    st.sampled_from(["mmol/L", "mg/dL", "meq/L", "mg/L", "umol/L"]),
    st.sampled_from(["mmol/L", "mg/dL", "meq/L", "mg/L", "umol/L"]),
)
def test_conversion_and_back(store: Store, value: Decimal, one: str, other: str) -> None:
    variable = measures.variable(store, "magnesium")
    there = measures.converted(store, variable, measures.Amount(value, one), other)
    back = measures.converted(store, variable, measures.Amount(there, other), one)
    assert abs(back - value) < Decimal("1e-9")


def test_molar_mass_and_charges_come_from_the_graph(store: Store) -> None:
    variable = measures.variable(store, "magnesium")
    assert measures.converted(store, variable, measures.amount("1 mmol/L"), "mg/dL") == Decimal("2.4305")
    assert measures.converted(store, variable, measures.amount("1 mmol/L"), "meq/L") == 2
    assert not measures.same_kind("mmol/L", "meq/L")


def test_what_is_lost_in_a_day_is_converted_too(store: Store) -> None:
    urine = measures.variable(store, "urine magnesium")
    assert measures.converted(store, urine, measures.amount("24 mmol/(24.h)"), "mg/d") == Decimal("24") * Decimal("24.305")
    assert abs(measures.converted(store, urine, measures.amount("10 mg/d"), "mmol/d") - 10 / Decimal("24.305")) < Decimal("1e-9")


def test_an_ion_of_one_charge_is_alike_in_both_units(store: Store) -> None:
    """Claims give intervals of potassium in mmol/L and the same numbers in meq/L; calcium is stated in both by none, and stays."""
    potassium = measures.variable(store, "potassium")
    assert measures.converted(store, potassium, measures.amount("3 meq/L"), "mmol/L") == 3
    assert measures.converted(store, measures.variable(store, "urine potassium"), measures.amount("40 meq/d"), "mmol/(24.h)") == 40
    with pytest.raises(InputError):
        measures.converted(store, measures.variable(store, "calcium"), measures.amount("5 meq/L"), "mmol/L")


def test_charges_are_concluded_only_from_whole_multiples(store: Store) -> None:
    def stated(low: str, high: str) -> list[tuple[str, Decimal, str]]:
        mine = Store()
        say = f"INSERT DATA {{ GRAPH <urn:g> {{ <urn:v> <{VOCAB}analyte> <urn:ion> . <urn:c> <{VOCAB}statedAs> <urn:a> , <urn:b> ."
        for node, unit, ends in (("a", "mmol/L", ("1.0", "1.5")), ("b", "meq/L", (low, high))):
            say += f' <urn:{node}> <{VOCAB}variable> <urn:v> ; <{VOCAB}unit> "{unit}" ; <{VOCAB}low> {ends[0]} ; <{VOCAB}high> {ends[1]} .'
        mine.update(say + " } }")
        return measures._stated_twice(mine, NamedNode("urn:v"))

    assert stated("2.0", "3.0") == [("mmol/L", Decimal(2), "meq/L")]
    assert stated("2.0", "3.1") == []
    assert stated("1.1", "1.65") == []


def test_what_cannot_be_converted_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="cannot be turned into"):
        measures.converted(store, measures.variable(store, "PTH"), measures.amount("50 pg/mL"), "mmol/L")
    with pytest.raises(InputError, match="is not measured in kg"):
        laboratory.read(store, "magnesium", "1.2 kg")
    with pytest.raises(InputError, match="is not measured in %"):
        laboratory.read(store, "urine calcium", "30 %")


@pytest.mark.parametrize(
    ("one", "other"), [("mg/mg", "mmol/mmol"), ("mg/mg", "%"), ("mg/kg", "mmol/mmol"), ("mg/(kg.d)", "/d"), ("mmol/L", "meq/L")]
)
def test_what_cancels_out_in_a_ratio_still_counts(one: str, other: str) -> None:
    assert not measures.same_kind(one, other) and not measures.same_kind(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("mg/mg", "g/kg"), ("mg/(kg.d)", "mg/kg/d"), ("mg/(24.h)", "mg/d"), ("mL/min/{1.73_m2}", "mL/min")]
)
def test_one_ratio_in_two_spellings(one: str, other: str) -> None:
    assert measures.same_kind(one, other)


def test_what_is_not_compared_is_named(store: Store) -> None:
    reading = laboratory.read(store, "calcium", "3 meq/L")
    assert not reading.intervals and set(reading.not_compared) == {"mg/dL", "mmol/L"}
    assert "neither a limit nor" not in reading.as_text() and "Not compared" in reading.as_text()
    ratio = laboratory.read(store, "urine calcium", "0.3 mg/mg")
    assert {i.range.split()[-1] for i in ratio.intervals} == {"mg/mg"} and "mmol/mmol" in ratio.not_compared


def test_femg(store: Store) -> None:
    given_ = {"urine-mg": "2.1 mmol/L", "serum-mg": "0.5 mmol/L", "urine-creatinine": "5 mmol/L", "serum-creatinine": "50 umol/L"}
    variable, result, how = laboratory.compute(store, "femg", given_)
    assert variable.value.endswith("/fractional-excretion-of-magnesium")
    assert (result.value, result.unit) == (Decimal(6), "%")  # 2.1 * 50 / (0.7 * 0.5 * 5000) * 100
    assert "UCr = 5000 umol/L" in how
    mixed = given_ | {"serum-mg": "1.21525 mg/dL"}  # the same magnesium in another unit
    assert laboratory.compute(store, "femg", mixed)[1] == result
    by_symbol = dict(zip(("UMg", "PMg", "UCr", "PCr"), given_.values(), strict=True))
    assert laboratory.compute(store, "FEMg", by_symbol)[1] == result


@pytest.mark.parametrize(
    ("change", "says"),
    [({"serum-mg": None}, "needs --serum-mg"), ({"sodium": "1 mmol/L"}, "no input"), ({"serum-mg": "0 mmol/L"}, "divides by zero"),
     ({"serum-mg": "-1 mmol/L"}, "below zero"), ({"serum-creatinine": "0.6 mg/dL"}, "cannot be turned"), ({"serum-mg": "0.5"}, "no unit")],
)  # fmt: skip
def test_femg_with_bad_inputs(store: Store, change: dict[str, str | None], says: str) -> None:
    given_ = {"urine-mg": "2.1 mmol/L", "serum-mg": "0.5 mmol/L", "urine-creatinine": "5 mmol/L", "serum-creatinine": "50 umol/L"} | change
    with pytest.raises(InputError, match=says):
        laboratory.compute(store, "femg", {k: v for k, v in given_.items() if v is not None})


@pytest.mark.parametrize("text", ["__import__('os')", "1 ** 9", "UMg.real", "f(UMg)", "(", "[1]", "'a' * 9"])
def test_expressions_are_arithmetic_only(text: str) -> None:
    with pytest.raises(InputError):
        laboratory.evaluate(text, {"UMg": Decimal(1)})


def test_every_formula_of_the_graph_computes(store: Store) -> None:
    from hypomag.queries import run

    formulas = [r["f"].value.rpartition("/")[2] for r in run(store, "SELECT ?f { ?f a hm:Formula } ORDER BY ?f")]
    assert "femg" in formulas
    for name in formulas:
        _, facts = laboratory._formula(store, name)
        inputs = laboratory._inputs(store, laboratory._formula(store, name)[0])
        assert laboratory.evaluate(facts["expression"], dict.fromkeys(inputs, Decimal(2))).is_finite()


def test_unknown_and_ambiguous_names(store: Store) -> None:
    with pytest.raises(UnknownName) as error:
        measures.variable(store, "magnesim")
    assert "magnesium" in (error.value.remedy or "")
    with pytest.raises(UnknownName):
        laboratory.compute(store, "nonsense", {})
    assert issubclass(AmbiguousName, InputError)


def test_on_the_command_line() -> None:
    done = hypomag("lab", "magnesium", "0.70", "mmol/L")
    assert done.returncode == 0 and "no medical advice" in done.stdout
    assert hypomag("lab", "magnesium", "0.70", "mmol/L", "--format", "json").stdout.startswith("{")
    for words in (("lab", "magnesium"), ("lab", "magnesium", "1.2", "mg/dL", "extra"), ("lab", "femg", "2"), ("lab", "femg", "--urine-mg"),
                  ("lab", "magnesium", "0.6", "mmol/L", "--ages", "P5Y")):  # fmt: skip
        refused = hypomag(*words)
        assert refused.returncode == 2 and refused.stderr.startswith("hypomag: ") and not refused.stdout, words
