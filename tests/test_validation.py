"""Validation: both engines find the same; findings say where and what to do."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import rdflib
from pyoxigraph import Store

from hypomag import checks, exports, sources, validation
from hypomag.errors import InputError
from tests.conftest import ROOT, hypomag

HOME = sources.find(ROOT)
BROKEN = """@prefix claim: <https://w3id.org/hypomag/claim/> .
@prefix hm: <https://w3id.org/hypomag/vocab#> .

claim:fhsh-made-up
    a hm:PhenotypeClaim ;
    hm:polarity hm:perhaps ;
.
"""


def test_both_engines_find_the_same_in_the_real_graph_with_faults(store: Store) -> None:
    """In the whole real graph every fiftieth statement about a claim, line or quantity is taken away.

    pySHACL would need an hour for all nodes, so it looks at every fortieth node that lost a statement and every four-hundredth other one;
    the findings on these are equal, one by one.
    """
    import pyshacl

    lines = exports.export(store, "nt").decode().splitlines()
    ours = [
        n
        for n, line in enumerate(lines)
        if any(f"hypomag/{kind}/" in line.split(" ")[0] for kind in ("claim", "evidence", "quantity", "step"))
    ]
    lost = set(ours[::50])
    subjects = sorted({line.split(" ")[0].strip("<>") for line in lines})
    focus = {lines[n].split(" ")[0].strip("<>") for n in sorted(lost)[::40]} | set(subjects[::400])
    data = "\n".join(line for n, line in enumerate(lines) if n not in lost).encode() + b"\n"
    shapes = validation.shapes_text(HOME)
    fast = [f for f in validation.validate(data, shapes, "shifty") if f.focus in focus]
    assert len(fast) > 10
    report = pyshacl.validate(
        rdflib.Graph().parse(data=data, format="nt"), shacl_graph=rdflib.Graph().parse(data=shapes, format="turtle"),
        inference="none", advanced=False, focus_nodes=[rdflib.URIRef(f) for f in sorted(focus)],
    )[1]  # fmt: skip
    assert fast == [f for f in validation.findings(report) if f.focus in focus]


def test_findings_come_once_and_the_gravest_first(store: Store) -> None:
    found = validation.validate(exports.export(store, "nt"), validation.shapes_text(HOME))
    ranks = [validation.SEVERITIES.index(f.severity) for f in found]
    assert ranks == sorted(ranks)
    assert len(found) == len(set(found))


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(InputError, match="no validation engine"):
        validation.validate(b"", b"", "magic")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.ttl"
    path.write_text(BROKEN, encoding="utf-8")
    return path


def test_a_file_is_read_with_the_graph_and_its_faults_are_placed(broken: Path) -> None:
    done = hypomag("validate", str(broken))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert all(line.startswith(f"{broken}:") for line in lines)
    assert any(line.startswith(f"{broken}:6: violation: claim:fhsh-made-up") and "hm:polarity" in line for line in lines)
    assert "violations" in done.stderr


def test_a_good_file_passes() -> None:
    done = hypomag("validate", str(ROOT / "ontology" / "diseases" / "magnesium-deficiency.ttl"), "--graph-dir", str(ROOT))
    assert (done.returncode, done.stdout) == (0, "")


def test_reports_in_every_format(broken: Path) -> None:
    checked = checks.check(HOME, [str(broken)])
    findings = json.loads(checks.report(checked, "json"))["findings"]
    assert {f["focus"] for f in findings} == {"claim:fhsh-made-up"}

    done = hypomag("validate", str(broken), "--format", "sarif")
    assert (done.returncode, done.stdout) == (1, checks.report(checked, "sarif"))
    results = json.loads(done.stdout)["runs"][0]["results"]
    assert len(results) == len(findings)
    assert all(r["locations"][0]["physicalLocation"]["region"]["startLine"] >= 4 for r in results)

    junit = ET.fromstring(checks.report(checked, "junit"))
    assert junit.get("failures") == str(len(findings)) == str(len(junit.findall("testcase/failure")))

    report = rdflib.Graph().parse(data=checks.report(checked, "turtle"), format="turtle")
    sh = rdflib.Namespace(validation.SH)
    assert len(set(report.subjects(sh.resultSeverity, sh.Violation))) == len(findings)
    assert (None, sh.conforms, rdflib.Literal(False)) in report


def test_any_rdf_can_be_checked_in_any_syntax(tmp_path: Path) -> None:
    paths = []
    for suffix, form in ((".nt", "nt"), (".rdf", "xml"), (".jsonld", "json-ld")):
        paths.append(tmp_path / f"same{suffix}")
        text = rdflib.Graph().parse(data=BROKEN.replace("made-up", f"in-{form}"), format="turtle").serialize(format=form)
        paths[-1].write_text(text, encoding="utf-8")
    done = hypomag("validate", *map(str, paths), "-", stdin=BROKEN)
    assert done.returncode == 1, done.stderr
    assert set(re.findall(r"claim:fhsh-[a-z-]+", done.stdout)) == {f"claim:fhsh-{n}" for n in ("in-nt", "in-xml", "in-json-ld", "made-up")}


def test_a_violation_stops_the_build_and_keeps_the_earlier_one(checkout: Path) -> None:
    before = (checkout / "build" / "manifest.json").read_bytes()
    (checkout / "ontology" / "diseases" / "broken.ttl").write_text(BROKEN, encoding="utf-8")
    done = hypomag("build", "--graph-dir", str(checkout))
    assert done.returncode == 1
    assert "ontology/diseases/broken.ttl:" in done.stderr
    assert (checkout / "build" / "manifest.json").read_bytes() == before
    assert sorted(p.name for p in checkout.iterdir()) == ["build", "ontology", "queries", "shapes"]
