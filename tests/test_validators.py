"""The exports in the tools of others: kgx and the Biolink Model, sssom, hpo-toolkit, each in an environment of its own.

They need the network once, to install, so that plain `make test` leaves them out: `make test-exports` runs them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Store

from hypomag import claims, handovers, hpoa, kgx, lifting, sources
from tests.conftest import ROOT

pytestmark = pytest.mark.exports
REPORTS = ROOT / "tests" / "validators"
ALONE = {"infores"}  # read as files: what the package depends on is not needed
# In the registry's catalogue, but not in the table that its package carries.
CATALOGUE = {"infores:orphanet", "infores:medgen"}


def report(form: str, *arguments: str) -> dict[str, Any]:
    """Run a report script with the libraries that it needs; the environment is made where it is not there yet."""
    wanted = REPORTS / f"{form}.txt"
    place = ROOT / ".venv-validators" / form
    stamp = place / "installed.txt"
    if not stamp.is_file() or stamp.read_bytes() != wanted.read_bytes():
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, timeout=120)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(wanted)]
        if form in ALONE:
            pip.append("--no-deps")
        done = subprocess.run(pip, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stderr
        shutil.copyfile(wanted, stamp)
    command = [str(place / "bin" / "python"), str(REPORTS / f"{form}_report.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    print(
        f"{form}: {json.dumps({k: v for k, v in found.items() if k not in ('rows', 'ratios', 'named')}, indent=1)}"
    )  # make test-exports shows it
    return found


@pytest.fixture(scope="module")
def written(store: Store, home: sources.Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All formats of others in one folder."""
    out = tmp_path_factory.mktemp("exports")
    for form in handovers.FORMATS:
        made = handovers.hand_over(store, form, home)
        print(made.losses.summary())
        for name, content in made.files.items():
            (out / name).write_bytes(content)
    return out


@pytest.fixture(scope="module")
def kgx_report(written: Path) -> dict[str, Any]:
    return report("kgx", str(written))


@pytest.mark.parametrize("form", ["tsv", "jsonl"])
def test_kgx_reads_every_record_and_finds_no_fault(store: Store, kgx_report: dict[str, Any], form: str) -> None:
    nodes, edges, _ = kgx.graph(store, claims.read(store))
    read = kgx_report[form]
    assert (read["nodes"], read["edges"]) == (len(nodes), len(edges))
    assert read["negated"] == sum(1 for e in edges if e["negated"]) > 0
    assert read["counted"] == sum(1 for e in edges if "has_total" in e) > 0
    assert read["onset"] == sum(1 for e in edges if "onset_qualifier" in e) > 0
    # Variants that ClinVar does not number, and populations, bear an IRI of ours, whose prefix Biolink's table cannot know.
    ours = {n["id"] for n in nodes if str(n["id"]).startswith("hypomag.")}
    assert all(str(n).startswith(("hypomag.variant:", "hypomag.vocab:")) for n in ours)
    messages = {m for m in read["messages"] if not m.endswith("a prefix of ours")}
    assert messages == set()


def test_prefixes_are_those_of_biolink(kgx_report: dict[str, Any]) -> None:
    """Of cross-references and publications too, which kgx's validator leaves aside."""
    assert kgx_report["prefixes"]
    assert {p for p, known in kgx_report["prefixes"].items() if not known} == set()


def test_sources_are_registered(store: Store) -> None:
    named = set(report("infores")["named"])
    edges = kgx.graph(store, claims.read(store))[1]
    ours = {str(e["primary_knowledge_source"]) for e in edges} | {s for e in edges for s in e.get("aggregator_knowledge_source", [])}
    assert ours - named == {*CATALOGUE, "infores:hypomag"}, "registered meanwhile, or never"
    assert len(ours & named) > 5


def test_every_record_is_an_instance_of_its_biolink_class(kgx_report: dict[str, Any]) -> None:
    """The model's own classes refuse unknown slots, values outside an enumeration and missing required slots."""
    for part in ("nodes", "edges"):
        assert set(kgx_report["strict"][part]) == {"valid"}, kgx_report["strict"][part]


def test_ends_and_predicates_fit_their_association_class(kgx_report: dict[str, Any]) -> None:
    assert set(kgx_report["fitting"]) == {"fits"}, kgx_report["fitting"]


def test_the_kgx_report_can_fail(written: Path, tmp_path: Path) -> None:
    """One wrong end, predicate, class, slot and prefix each is found."""
    for path in written.glob("hypomag_*"):
        shutil.copy(path, tmp_path)
    place = tmp_path / "hypomag_edges.jsonl"
    edges = [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()]
    phenotype = next(e for e in edges if e["predicate"] == "biolink:has_phenotype")
    broken = [
        phenotype | {"id": "x1", "object": phenotype["subject"]},
        phenotype | {"id": "x2", "predicate": "biolink:has_nothing"},
        phenotype | {"id": "x3", "category": ["biolink:CausalGeneToDiseaseAssociation"]},
        phenotype | {"id": "x4", "severity": "HP:0012828"},
        phenotype | {"id": "x5", "knowledge_level": "rumour"},
    ]
    place.write_text("".join(json.dumps(e) + "\n" for e in broken), encoding="utf-8")
    found = report("kgx", str(tmp_path))
    assert "fits" in found["fitting"]
    assert sum(n for text, n in found["fitting"].items() if text != "fits") >= 3
    assert sum(n for text, n in found["strict"]["edges"].items() if text != "valid") >= 3
    assert any("has_nothing" in message for message in found["jsonl"]["messages"])


@pytest.fixture(scope="module")
def sssom_report(written: Path) -> dict[str, Any]:
    return report("sssom", str(written / "mappings.sssom.tsv"), "--convert")


def test_sssom_finds_no_fault(written: Path, sssom_report: dict[str, Any]) -> None:
    found = sssom_report
    assert found["checks"]
    assert not any(found["checks"].values()), found["checks"]
    lines = [line for line in (written / "mappings.sssom.tsv").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert found["rows"] == len(lines) - 1
    ours = [
        line.split("\t")
        for line in (ROOT / "ontology" / "mappings.sssom.tsv").read_text(encoding="utf-8").splitlines()
        if "\tNot\t" in line
    ]
    for predicate in ("skos:exactMatch", "skos:relatedMatch"):
        assert found["predicates"][f"Not {predicate}"] == sum(row[2] == predicate for row in ours) > 0


def test_sssom_keeps_who_made_a_mapping_and_on_what_terms(written: Path, sssom_report: dict[str, Any]) -> None:
    """Every cell of every column that we fill."""
    lines = [line for line in (written / "mappings.sssom.tsv").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    head, *rows = (line.split("\t") for line in lines)
    filled = {name: sum(1 for row in rows if row[i]) for i, name in enumerate(head)}
    assert {name: n for name, n in sssom_report["columns"].items() if n} == filled
    assert filled["license"] == filled["mapping_provider"] == len(rows)


def test_sssom_turns_negative_mappings_positive_in_some_formats(written: Path, sssom_report: dict[str, Any], tmp_path: Path) -> None:
    """A fault of sssom-py that docs/exports.md and the set warn of: where this fails, it has changed, and so must they."""
    assert sssom_report["version"] == "0.4.21"
    denied = sum(n for name, n in sssom_report["predicates"].items() if name.startswith("Not "))
    assert sssom_report["turned"] == {"owl": denied, "fhir_json": denied, "ontoportal_json": denied, "rdf": 0, "json": 0}
    # The way that is safe: without the rows that deny.
    lines = (written / "mappings.sssom.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "matches.sssom.tsv").write_text("".join(line for line in lines if "\tNot\t" not in line), encoding="utf-8")
    rest = report("sssom", str(tmp_path / "matches.sssom.tsv"))
    assert (rest["rows"], [n for n in rest["predicates"] if n.startswith("Not ")]) == (sssom_report["rows"] - denied, [])


def test_the_sssom_report_can_fail(written: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.sssom.tsv"
    text = (written / "mappings.sssom.tsv").read_text(encoding="utf-8")
    broken.write_text(text.replace("MONDO:0011176\t", "nowhere:0011176\t"), encoding="utf-8")
    assert any(report("sssom", str(broken))["checks"].values())


@pytest.fixture(scope="module")
def hpoa_report(written: Path) -> dict[str, Any]:
    return report("hpoa", str(written / "phenotype.hpoa"), str(lifting.packaged_folder() / "hp.obo"))


def test_hpo_toolkit_reads_row_for_row(written: Path, hpoa_report: dict[str, Any]) -> None:
    ours = list(lifting.read_annotations(written / "phenotype.hpoa"))
    assert hpoa_report["warnings"] == []
    assert hpoa_report["release"] == ours[0].version
    aspects = {"P": "PHENOTYPE", "I": "INHERITANCE", "C": "ONSET_AND_CLINICAL_COURSE", "M": "MODIFIER", "H": "PAST_MEDICAL_HISTORY"}

    def of(row: lifting.Annotation) -> tuple[object, ...]:
        references = [r.strip() for r in row.reference.split(";")]
        return (
            row.database_id, row.disease_name, row.qualifier == "NOT", row.hpo_id, tuple(references), (row.evidence,) * len(references),
            row.onset, row.frequency, tuple(m for m in row.modifier.split(";") if m), aspects[row.aspect],
            tuple(c.strip() for c in row.biocuration.split(";")),
        )  # fmt: skip

    def read(row: dict[str, Any]) -> tuple[object, ...]:
        return (
            row["disease"], row["name"], row["negated"], row["term"], tuple(row["references"]), tuple(row["evidence"]), row["onset"],
            row["frequency"], tuple(row["modifiers"]), row["aspect"], tuple(row["curators"]),
        )  # fmt: skip

    assert Counter(read(r) for r in hpoa_report["rows"]) == Counter(of(r) for r in ours)


def test_hpo_toolkit_counts_whom_the_rows_count(written: Path, hpoa_report: dict[str, Any]) -> None:
    """Where every row of a disease and term gives a count, the library sums them to the patients that were counted, nobody twice."""
    summed: defaultdict[str, list[str]] = defaultdict(list)
    for row in lifting.read_annotations(written / "phenotype.hpoa"):
        if row.aspect == "P":
            summed[f"{row.database_id} {row.hpo_id}"].append(row.frequency)
    compared = 0
    for key, frequencies in summed.items():
        if all(re.fullmatch(r"\d+/\d+", f) for f in frequencies):
            counts = [tuple(map(int, f.split("/"))) for f in frequencies]
            assert hpoa_report["ratios"][key] == [sum(n for n, _ in counts), sum(m for _, m in counts)], key
            compared += len(frequencies) > 1
    assert compared >= 10


def test_hpo_toolkit_makes_no_absent_claim_positive(store: Store, hpoa_report: dict[str, Any]) -> None:
    """Where every row of a disease and term comes from a claim of absence the library counts nobody, else somebody."""
    found = claims.read(store)
    absent = {line.iri.removeprefix(sources.BASE + "evidence/"): c.absent for c in found.claims for line in c.lines if not line.row}
    lifted: defaultdict[str, set[bool]] = defaultdict(set)
    for claim in found.claims:
        for line in claim.lines:
            if line.row:
                lifted[line.row].add(claim.absent)
            elif not line.supports:  # a count that speaks against the claim
                absent[line.iri.removeprefix(sources.BASE + "evidence/")] = not claim.absent
    says: defaultdict[str, set[bool]] = defaultdict(set)
    rows, _ = hpoa.annotate(store, found)
    for row in rows:
        cells = dict(zip(lifting.COLUMNS, row, strict=True))
        if cells["aspect"] == "P":
            own = cells["biocuration"].startswith("hypomag:")
            key = f"{cells['database_id']} {cells['hpo_id']}"
            says[key] |= {absent[cells["biocuration"].removeprefix("hypomag:").split("[")[0]]} if own else lifted["\t".join(row)]
    assert {True} in says.values()
    for key, polarities in says.items():
        n, m = hpoa_report["ratios"][key]
        assert m > 0
        assert (n > 0) is (False in polarities), key
