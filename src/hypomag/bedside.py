"""The commands for somebody with a patient's values: lab, compare, ddx."""

from __future__ import annotations

import sys

import click

from hypomag.errors import InputError
from hypomag.terminal import READS, emit, emit_json, find, width

FORMATS = ("text", "json")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[VALUE UNIT | --INPUT AMOUNT ...]")
@click.option("--age", metavar="DURATION", help="Age of the patient (P10D, P2M, P1Y6M): leaves out what holds for other ages.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@READS
def lab(name: str, rest: tuple[str, ...], age: str | None, form: str, graph_dir: str | None) -> None:
    """Read one laboratory value: other units, every limit met or not, reference intervals; or run a formula.

    NAME is a laboratory value by any of its names or its LOINC code, or a formula (hypomag query formulas).
    Units are UCUM; mEq is read as meq. A limit is compared in the unit reported where its source states that unit.

    \b
    Examples:
      hypomag lab magnesium 1.70 mg/dL
      hypomag lab magnesium 0.62mmol/L --age P3D
      hypomag lab femg --urine-mg 2.1mmol/L --serum-mg 0.5mmol/L --urine-creatinine 5mmol/L --serum-creatinine 50umol/L
    """
    from hypomag import graph, laboratory
    from hypomag.patients import days

    store = graph.open_graph(find(graph_dir))
    days_old = days(age) if age else None
    options = [word for word in rest if word.startswith("--")]
    if options and not laboratory.is_formula(store, name):
        raise InputError(
            f"{name!r} is no formula, and hypomag lab has no option {options[0].partition('=')[0]}",
            "a value is read as: hypomag lab magnesium 0.62 mmol/L --age P2M; hypomag query formulas lists the formulas",
        )
    if options or (not rest and laboratory.is_formula(store, name)):
        variable, result, how = laboratory.compute(store, name, _inputs(rest))
        reading = laboratory.read(store, variable.value, str(result), days_old, how)
    elif not rest:
        raise InputError(f"{name!r} has no value", "write it as: hypomag lab magnesium 0.62 mmol/L")
    else:
        reading = laboratory.read(store, name, " ".join(rest), days_old)
    if form == "json":
        emit_json(reading.as_json())
    else:
        emit(reading.as_text(width()))


def _inputs(words: tuple[str, ...]) -> dict[str, str]:
    """`--urine-mg 2.1 mmol/L --serum-mg=0.5mmol/L` as name → amount."""
    found: dict[str, str] = {}
    key = ""
    for word in words:
        if word.startswith("--"):
            key, _, value = word[2:].partition("=")
            if key in found:
                raise InputError(f"--{key} is given twice", "give each input once")
            found[key] = value
        elif not key:
            raise InputError(f"cannot read {word!r}", "write inputs as --urine-mg 2.1mmol/L")
        else:
            found[key] = f"{found[key]} {word}".strip()
    return found


@click.command()
@click.argument("diseases", nargs=-1, required=True, metavar="DISEASE DISEASE...")
@click.option("--format", "-f", "form", type=click.Choice(("text", "md", "json")), default="text", show_default=True)
@click.option("--differing", is_flag=True, help="Only the rows that differ.")
@READS
def compare(diseases: tuple[str, ...], form: str, differing: bool, graph_dir: str | None) -> None:
    """Put diseases side by side: cause, onset, laboratory values, findings, outlook, treatment; what differs first.

    \b
    Examples:
      hypomag compare HOMG3 HOMG5
      hypomag compare Gitelman HOMG1 "Bartter 3" --differing
      hypomag compare HOMG3 HOMG5 --format md
    """
    from dataclasses import replace

    from hypomag import comparisons, graph

    found = comparisons.compare(graph.open_graph(find(graph_dir)), diseases)
    if differing:
        found = replace(found, rows=tuple(r for r in found.rows if r.verdict == comparisons.DIFFERS))
    if form == "json":
        emit_json(found.as_json())
    elif form == "md":
        emit(found.as_markdown())
    else:
        emit(found.as_text(width(200) if sys.stdout.isatty() else 160))


@click.command()
@click.argument("phenopacket", required=False, metavar="[PHENOPACKET]")
@click.option(
    "--lab", "laboratory", multiple=True, metavar="NAME=VALUE", help="A laboratory value: magnesium=0.35mmol/L, or its state: calcium=low."
)
@click.option("--finding", multiple=True, metavar="TERM", help="A finding that the patient has: HPO term, label or synonym.")
@click.option("--absent", multiple=True, metavar="TERM", help="A finding that was looked for and is not there.")
@click.option("--age", metavar="DURATION", help="Age at which it began, as an ISO 8601 duration (P10D, P2M, P1Y6M).")
@click.option("--limit", type=click.IntRange(min=1), default=5, show_default=True, help="How many candidates to tell.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@READS
def ddx(
    phenopacket: str | None, laboratory: tuple[str, ...], finding: tuple[str, ...], absent: tuple[str, ...],
    age: str | None, limit: int, form: str, graph_dir: str | None,
) -> None:  # fmt: skip
    """Rank the diseases of the graph for a patient, with what speaks for and against each, and the next test.

    The rule is simple and told in docs/differential.md: an observation counts the more, the fewer diseases show it;
    what is not on record of a disease counts neither for nor against it. PHENOPACKET is a GA4GH phenopacket in JSON
    (- is standard input); options add to it. This is no medical advice.

    \b
    Examples:
      hypomag ddx --lab magnesium=0.35mmol/L --lab calcium=low --finding HP:0001250 --absent HP:0000121 --age P2M
      hypomag ddx --lab magnesium=low --lab potassium=low --lab "urine calcium=low" --format json
      hypomag ddx patient.json --limit 3
    """
    from hypomag import differentials, graph, patients
    from hypomag.sources import read_text

    store = graph.open_graph(find(graph_dir))
    patient = patients.patient(laboratory, finding, absent, age)
    if phenopacket:
        packet = patients.phenopacket(read_text(phenopacket), phenopacket, differentials.known_terms(store))
        patient = patients.joined(packet, patient)
    found = differentials.differential(store, patient)
    if form == "json":
        emit_json(found.as_json(limit))
    else:
        emit(found.as_text(limit, width()))
