"""What a laboratory value means: other units, limits met or not, the state that intervals give it, formulas."""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any

from pyoxigraph import NamedNode, Store

from hypomag import measures, names, prefixes
from hypomag.cards import NOTICE
from hypomag.errors import InputError, UnknownName
from hypomag.measures import Amount
from hypomag.queries import run
from hypomag.results import table
from hypomag.signatures import AGES, HIGH, LOW, NORMAL, fits
from hypomag.sources import VOCAB

MET, NOT_MET, BORDERLINE = "met", "not met", "borderline"
_LIMITS = """
SELECT ?claim ?label ?status ?finding ?findingLabel ?limit ?comparator ?value ?low ?high ?unit ?population ?populationLabel ?citation ?direction WHERE {
  ?claim a ?kind ; hm:PLACE %s ; rdfs:label ?label ; hm:status ?status ; hm:polarity ?polarity ; hm:statedAs ?limit ; hm:evidence ?line ; hm:OTHER ?finding .
  ?finding rdfs:label ?findingLabel .
  FILTER(?kind = hm:KIND && ?status != hm:retracted && ?polarity = hm:present)
  ?limit hm:unit ?unit .
  ?line dcterms:source/hm:shortCitation ?citation ; hm:direction ?direction .
  OPTIONAL { ?limit hm:comparator ?comparator } OPTIONAL { ?limit hm:value ?value }
  OPTIONAL { ?limit hm:low ?low } OPTIONAL { ?limit hm:high ?high }
  OPTIONAL { ?claim hm:population ?population . ?population rdfs:label ?populationLabel }
} ORDER BY ?findingLabel ?claim ?limit ?citation"""
_SHOWN = ("mmol/L", "mg/dL", "meq/L")


@dataclass(frozen=True)
class Limit:
    """One stated form of a limit or interval: `comparator value`, or `low` to `high`, in a UCUM unit."""

    unit: str
    comparator: str
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None

    def __str__(self) -> str:
        if self.value is not None:
            return f"{self.comparator} {self.value:f} {self.unit}".strip()
        return f"{self.comparator} {self.low:f} to {self.high:f} {self.unit}".strip()


@dataclass(frozen=True)
class Criterion:
    """A limit of the graph held against a value; `verdict` is met, not met or borderline, `why` says how."""

    claim: str
    finding: str
    forms: tuple[str, ...]
    population: str
    status: str
    authorities: tuple[str, ...]
    disputed_by: tuple[str, ...]
    verdict: str
    why: str


@dataclass(frozen=True)
class Interval:
    """A reference interval of the graph and where the value lies."""

    claim: str
    range: str
    population: str
    status: str
    authorities: tuple[str, ...]
    state: str


@dataclass(frozen=True)
class Reading:
    """A laboratory value as the graph reads it."""

    variable: str
    label: str
    given: str
    units: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    intervals: tuple[Interval, ...]
    derivation: str = ""
    not_compared: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"notice": NOTICE}

    def as_text(self, width: int = 110) -> str:
        out = [f"{self.label}: {self.given}\n"]
        if self.derivation:
            out.append(f"  {self.derivation}\n")
        if self.units:
            out.append(f"  = {' = '.join(self.units)}\n")
        if self.criteria:
            rows = [
                [c.verdict, c.finding, " = ".join(c.forms), c.population or "any age",
                 _who(c) + (f" (disputed by {'; '.join(c.disputed_by)})" if c.disputed_by else "")]
                for c in self.criteria
            ]  # fmt: skip
            out.append("\nLimits\n" + table(["verdict", "of", "limit as stated", "for", "on whose authority"], rows, width))
            out.extend(f"  {c.verdict}: {c.why} ({c.claim})\n" for c in self.criteria if c.verdict == BORDERLINE)
        if self.intervals:
            rows = [[i.state, i.range, i.population or "any age", _who(i)] for i in self.intervals]
            out.append(
                "\nReference intervals (no limits for a diagnosis)\n"
                + table(["here", "interval", "for", "on whose authority"], rows, width)
            )
        if not (self.criteria or self.intervals or self.not_compared):
            out.append("  The graph holds neither a limit nor a reference interval for it.\n")
        if self.not_compared:
            out.append(
                f"\nNot compared, since nothing in the graph turns one into the other: what is stated in {', '.join(self.not_compared)}\n"
            )
        return "".join(out) + f"\n{NOTICE}\n"


def read(store: Store, name: str, text: str, age: Decimal | None = None, derivation: str = "") -> Reading:
    """Read a laboratory value: convert it and hold it against every limit and interval of the graph.

    A limit is compared in the unit that was reported where its source states that unit, else converted. Where the
    stated forms of one limit give different answers, or the rounding of the reported value spans the limit, the
    verdict is borderline. `age` (days) leaves out what holds for another age group.

    Raises:
        UnknownName, AmbiguousName, InputError: as `measures.variable` and `measures.amount`.
    """
    variable = measures.variable(store, name)
    given = measures.amount(text, signed=bool(derivation))
    label = names.label(store, variable)
    others, known, apart = [], _units_known(store, variable), set[str]()
    for unit in _SHOWN:
        if unit != given.unit and unit in known:
            try:
                others.append(f"{_rounded(measures.converted(store, variable, given, unit))} {unit}")
            except InputError:
                continue
    criteria = []
    for claim, forms, rows in _stated(store, variable, "ThresholdClaim", age):
        try:
            verdict, why = judge(store, variable, given, forms)
        except InputError:
            apart |= {form.unit for form in forms}  # a limit per day says nothing of a concentration
            continue
        criteria.append(
            Criterion(
                prefixes.shorten(claim), _aim(rows[0]), tuple(map(str, forms)), _text(rows[0], "populationLabel"),
                rows[0]["status"].value.removeprefix(VOCAB), _citations(rows, "supports"), _citations(rows, "disputes"), verdict, why,
            )
        )  # fmt: skip
    intervals = []
    for claim, forms, rows in _stated(store, variable, "ReferenceIntervalClaim", age):
        for form in forms:
            try:
                found = [_state(v, form) for v in _ends(store, variable, given, form.unit)]
            except InputError:
                apart.add(form.unit)
                continue
            state = found[0] if len(set(found)) == 1 else f"{found[0]}, by rounding {next(s for s in found if s != found[0])}"
            intervals.append(
                Interval(prefixes.shorten(claim), f"{form.low:f} to {form.high:f} {form.unit}", _text(rows[0], "populationLabel"),
                         rows[0]["status"].value.removeprefix(VOCAB), _citations(rows, "supports"), state)
            )  # fmt: skip
            break
    if known and not (others or criteria or intervals or any(measures.same_kind(given.unit, unit) for unit in known)):
        raise InputError(f"{label} is not measured in {given.unit}", f"give it in one of: {', '.join(known)}")
    return Reading(
        str(variable.value), label, str(given), tuple(others), tuple(criteria), tuple(intervals), derivation, tuple(sorted(apart))
    )


def state(store: Store, variable: NamedNode, given: Amount, age: Decimal | None = None) -> tuple[str, str]:
    """Low, normal or high, and by which limits or intervals of the graph.

    Accepted limits and intervals count, those of the age group alone where there are some; the state that most sources
    give is taken, and how many say so is told.

    Raises:
        InputError: the graph holds no limit and no interval for the value in such a unit.
    """
    findings = {q.object.value: s for p, s in (("lowFinding", LOW), ("highFinding", HIGH))
                for q in store.quads_for_pattern(variable, NamedNode(VOCAB + p), None, None)}  # fmt: skip
    votes: list[_Vote] = []
    for kind in ("ThresholdClaim", "ReferenceIntervalClaim"):
        for claim, forms, rows in _stated(store, variable, kind, age):
            subject = next(
                (q.object.value for q in store.quads_for_pattern(NamedNode(claim), NamedNode(VOCAB + "subject"), None, None)), ""
            )
            if rows[0]["status"].value != VOCAB + "accepted" or (kind == "ThresholdClaim" and subject not in findings):
                continue
            own = next((f for f in forms if f.unit == given.unit), forms[0])
            try:
                if kind == "ThresholdClaim":
                    met = judge(store, variable, given, forms)[0] == MET
                    found = findings[subject] if met else ""  # one limit only says what lies beyond it
                else:
                    found = _state(measures.converted(store, variable, given, own.unit), own)
            except InputError:
                continue
            votes.append(_Vote(found, _text(rows[0], "population").removeprefix(VOCAB), _citations(rows, "supports"), str(own)))
    fitting = votes
    for group in AGES if age is not None else ():  # the narrowest age group that says anything speaks alone
        if any(v.state and v.group == group for v in votes):
            fitting = [v for v in votes if v.group == group]
            break
    weight = {s: sum(len(v.citations) for v in fitting if v.state == s) for s in (LOW, NORMAL, HIGH)}
    if not any(weight.values()):
        raise InputError(
            f"the graph holds no interval by which to read {names.label(store, variable)} {given}",
            "give its state instead: low, normal or high",
        )
    found = max(weight, key=lambda s: (weight[s], s == NORMAL))
    first = max((v for v in fitting if v.state == found), key=lambda v: (len(v.citations), v.form))
    every = sum(weight.values())
    agree = f"{weight[found]} of {every} sources" if weight[found] < every else f"{every} source{'' if every == 1 else 's'}"
    return found, f"{agree}, such as {first.form}, {first.citations[0]}"


@dataclass(frozen=True)
class _Vote:
    state: str
    group: str
    citations: tuple[str, ...]
    form: str


def judge(store: Store, variable: NamedNode, given: Amount, forms: list[Limit]) -> tuple[str, str]:
    """Hold an amount against the stated forms of one limit; returns the verdict and the reason.

    Raises:
        InputError: no form is in a unit that the amount can be turned into.
    """
    answers: dict[str, bool | None] = {}
    for form in forms:
        try:
            answers[str(form)] = _beyond(measures.converted(store, variable, given, form.unit), form)
        except InputError:
            continue
    if not answers:
        raise InputError(f"no form of the limit can be compared with {given}")
    if len(set(answers.values())) > 1:
        told = ", ".join(f"{'' if met else 'not '}{text}" for text, met in answers.items())
        return BORDERLINE, f"the stated forms disagree by rounding: {told}"
    if None in answers.values():
        return BORDERLINE, "the value lies within the range that the source gives as its limit"
    own = next((f for f in forms if f.unit == given.unit), None)
    if own is None and len(answers) == 1:
        form = next(f for f in forms if str(f) in answers)
        if len({_beyond(v, form) for v in _ends(store, variable, given, form.unit)}) > 1:
            return BORDERLINE, f"the limit lies within the rounding of {given}, which its source states in {form.unit} only"
    answer = next(iter(answers.values()))
    way = "compared in the unit reported" if own else "compared after conversion"
    return (MET if answer else NOT_MET), way


def compute(store: Store, name: str, given: Mapping[str, str]) -> tuple[NamedNode, Amount, str]:
    """Run a formula of the graph on typed inputs: the variable that it gives, its value, and how it came about.

    `given` holds amounts by the name of the input (urine-mg), its symbol (UMg) or its variable (urine-magnesium-concentration).
    Inputs of one substance are brought into one unit.

    Raises:
        UnknownName: no such formula. InputError: an input is missing, unknown or in a unit that does not fit.
    """
    formula, facts = _formula(store, name)
    inputs = _inputs(store, formula)
    amounts: dict[str, Amount] = {}
    for key, text in given.items():
        symbol = next((s for s, i in inputs.items() if key.lower() in i.spellings), None)
        if symbol is None:
            raise InputError(f"{facts['label']} has no input {key!r}", f"its inputs: {', '.join('--' + i.option for i in inputs.values())}")
        amounts[symbol] = measures.amount(text)
    if missing := [i for s, i in inputs.items() if s not in amounts]:
        raise InputError(
            f"{facts['label']} needs {', '.join('--' + i.option for i in missing)}", "; ".join(f"--{i.option}: {i.label}" for i in missing)
        )
    units: dict[str, str] = {}
    values: dict[str, Decimal] = {}
    for symbol, one in inputs.items():
        target = one.unit or units.setdefault(one.substance, amounts[symbol].unit)
        values[symbol] = measures.converted(store, NamedNode(one.variable), amounts[symbol], target)
    try:
        result = evaluate(facts["expression"], values)
    except (DivisionByZero, InvalidOperation, ZeroDivisionError):
        raise InputError(f"{facts['label']} divides by zero with these numbers", "check the numbers") from None
    shown = ", ".join(f"{s} = {_rounded(v)} {inputs[s].unit or units[inputs[s].substance]}" for s, v in values.items())
    return NamedNode(facts["variable"]), Amount(Decimal(_rounded(result)), facts["unit"]), f"{facts['expression']} with {shown}"


def is_formula(store: Store, name: str) -> bool:
    """Whether a formula bears the name."""
    try:
        _formula(store, name)
    except UnknownName:
        return False
    return True


_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def evaluate(expression: str, values: Mapping[str, Decimal]) -> Decimal:
    """Evaluate an arithmetic expression of numbers, names, + - * / and brackets.

    >>> evaluate("(UMg * PCr) / (0.7 * PMg * UCr) * 100", dict.fromkeys(("UMg", "PCr", "PMg", "UCr"), Decimal(1)))
    Decimal('142.8571428571428571428571429')
    """

    def of(node: ast.AST) -> Decimal:
        if isinstance(node, ast.Expression):
            return of(node.body)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            found: Decimal = _OPERATORS[type(node.op)](of(node.left), of(node.right))
            return found
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return Decimal(str(node.value))
        if isinstance(node, ast.Name) and node.id in values:
            return values[node.id]
        raise InputError(
            f"the formula {expression!r} cannot be read", "it may hold numbers, the symbols of its inputs, + - * / and brackets"
        )

    try:
        return of(ast.parse(expression, mode="eval"))
    except SyntaxError:
        raise InputError(f"the formula {expression!r} cannot be read") from None


@dataclass(frozen=True)
class _Input:
    option: str
    spellings: frozenset[str]
    label: str
    variable: str
    substance: str
    unit: str


def _formula(store: Store, name: str) -> tuple[str, dict[str, str]]:
    plain = name.strip().lower()
    rows = list(run(store, """
        SELECT ?formula ?label ?expression ?unit ?variable ?word WHERE {
          ?formula a hm:Formula ; rdfs:label ?label ; hm:expression ?expression ; hm:resultUnit ?unit ; hm:variable ?variable .
          OPTIONAL { ?formula oboInOwl:hasExactSynonym ?word }
        } ORDER BY ?formula ?word"""))  # fmt: skip
    for row in rows:
        slug = row["formula"].value.rpartition("/")[2]
        if plain in (slug, row["label"].value.lower(), _text(row, "word").lower()):
            return row["formula"].value, {k: row[k].value for k in ("label", "expression", "unit", "variable")}
    known = sorted({row["formula"].value.rpartition("/")[2] for row in rows})
    raise UnknownName(f"no formula is called {name!r}", f"known: {', '.join(known)}")


def _inputs(store: Store, formula: str) -> dict[str, _Input]:
    found: dict[str, _Input] = {}
    for row in run(store, f"""
        SELECT ?symbol ?label ?variable ?substance ?unit ?word WHERE {{
          <{formula}> hm:input ?input . ?input hm:symbol ?symbol ; rdfs:label ?label ; hm:variable ?variable .
          OPTIONAL {{ ?input hm:unit ?unit }} OPTIONAL {{ ?variable hm:analyte ?substance }}
          OPTIONAL {{ ?input oboInOwl:hasExactSynonym ?word }}
        }} ORDER BY ?symbol ?word"""):  # fmt: skip
        slug = row["variable"].value.rpartition("/")[2]
        symbol = row["symbol"].value
        earlier = found[symbol].spellings if symbol in found else frozenset({symbol.lower(), slug})
        word = _text(row, "word")
        option = found[symbol].option if symbol in found else word or slug
        found[symbol] = _Input(option, earlier | {word.lower()} - {""}, row["label"].value, row["variable"].value,
                               _text(row, "substance") or row["variable"].value, _text(row, "unit"))  # fmt: skip
    return found


def _stated(store: Store, variable: NamedNode, kind: str, age: Decimal | None) -> Iterator[tuple[str, list[Limit], list[Any]]]:
    """Claims of a kind on a variable: (claim, stated forms, rows), those of the age group where an age is given."""
    place, other = ("object", "subject") if kind == "ThresholdClaim" else ("subject", "object")
    text = (_LIMITS % variable).replace("KIND", kind).replace("PLACE", place).replace("OTHER", other)
    grouped: dict[str, list[Any]] = {}
    for row in run(store, text):
        if not fits(_text(row, "population").removeprefix(VOCAB), age):
            continue
        grouped.setdefault(row["claim"].value, []).append(row)
    for claim, rows in grouped.items():
        forms: dict[str, Limit] = {}
        for row in rows:
            number = {k: Decimal(row[k].value) if row[k] else None for k in ("value", "low", "high")}
            forms[row["limit"].value] = Limit(row["unit"].value, _text(row, "comparator"), number["value"], number["low"], number["high"])
        yield claim, list(forms.values()), rows


def _units_known(store: Store, variable: NamedNode) -> list[str]:
    rows = run(store, f"SELECT DISTINCT ?unit {{ ?quantity hm:variable {variable} ; hm:unit ?unit }} ORDER BY ?unit")
    return [r["unit"].value for r in rows if not r["unit"].value.startswith("{")]


def _beyond(value: Decimal, limit: Limit) -> bool | None:
    """Whether a value in the limit's unit lies beyond it; None within a limit that is a range."""
    tests = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}
    test = tests.get(limit.comparator, operator.lt)
    if limit.value is not None:
        return bool(test(value, limit.value))
    answers = {bool(test(value, end)) for end in (limit.low, limit.high) if end is not None}
    return answers.pop() if len(answers) == 1 else None


def _ends(store: Store, variable: NamedNode, given: Amount, unit: str) -> list[Decimal]:
    """The amount in a unit, and where that is not the reported one, the ends of what was rounded to it."""
    shifts = (Decimal(0),) if unit == given.unit else (Decimal(0), -given.half, given.half)
    return [measures.converted(store, variable, Amount(given.value + s, given.unit), unit) for s in shifts]


def _state(value: Decimal, interval: Limit) -> str:
    if interval.low is not None and value < interval.low:
        return LOW
    return HIGH if interval.high is not None and value > interval.high else NORMAL


def _who(one: Criterion | Interval) -> str:
    return "; ".join(one.authorities) + ("" if one.status == "accepted" else f" ({one.status})")


def _citations(rows: list[Any], direction: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r["citation"].value for r in rows if r["direction"].value == VOCAB + direction))


def _text(row: Any, key: str) -> str:
    return row[key].value if row[key] is not None else ""


def _aim(row: Any) -> str:
    """What the limit decides: a finding, any sign at all (HPO's term above all findings), or the target of a treatment."""
    label: str = row["findingLabel"].value
    if row["finding"].value.endswith("/HP_0000118"):
        return "signs or symptoms"
    return f"target of {label}" if "/MAXO_" in row["finding"].value else label


def _rounded(value: Decimal) -> str:
    """A number to four significant digits, without an exponent."""
    text = f"{Decimal(f'{value:.4g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
