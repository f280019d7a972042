"""The HPOA lifter: nothing of a row is lost, nothing counts twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Store

from hypomag import lifting, sources
from hypomag.errors import InputError
from hypomag.lifting import Annotation
from tests.conftest import ROOT, hypomag

FHSH = "http://purl.obolibrary.org/obo/MONDO_0011176"
DISEASES = {"OMIM:602014": FHSH}


def annotation(**changes: str) -> Annotation:
    body: dict[str, str] = dict.fromkeys(lifting.COLUMNS, "")
    body |= {"database_id": "OMIM:602014", "disease_name": "Hypomagnesemia 1, intestinal", "hpo_id": "HP:0000708",
             "reference": "PMID:12032570", "evidence": "PCS", "aspect": "P", "biocuration": "HPO:test[2025-01-01]"}  # fmt: skip
    return Annotation(7, "2025-01-16", **(body | changes))


def said(store: Store, *rows: Annotation) -> str:
    return lifting.write(lifting.lift(rows, store, DISEASES, {"HP:0003593"}), "2025-01-16")


def test_the_lifted_file_is_what_the_lifter_writes(tmp_path: Path) -> None:
    out = tmp_path / "hpoa.ttl"
    done = hypomag("lift", "-o", str(out), "--graph-dir", str(ROOT))
    assert done.returncode == 0, done.stderr
    assert out.read_text(encoding="utf-8") == (ROOT / "ontology" / "lifted" / "hpoa.ttl").read_text(encoding="utf-8"), "make lift"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"frequency": "2/5"}, ["hm:affected 2 ;", "hm:examined 5 ;"]),
        ({"frequency": "0/5"}, ["hm:affected 0 ;", "hm:examined 5 ;", "hm:polarity hm:absent ;"]),
        ({"frequency": "17.5%"}, ["hm:statedPercent 17.5 ;"]),
        ({"frequency": "HP:0040282"}, ["hm:frequency HP:0040282 ;"]),
        ({"qualifier": "NOT"}, ["hm:polarity hm:absent ;"]),
        ({"onset": "HP:0003593"}, ["hm:onset HP:0003593 ;"]),
        ({"sex": "FEMALE"}, ['hm:sex "female" ;']),
        ({"modifier": "HP:0012828"}, ["hm:modifier HP:0012828 ;"]),
        ({"evidence": "IEA"}, ['hm:hpoaEvidence "IEA" ;', "hm:evidenceCode ECO:0000323 ;"]),
        ({"aspect": "I", "hpo_id": "HP:0000006"}, ["a hm:InheritanceClaim ;"]),
        ({"aspect": "C", "hpo_id": "HP:0003593"}, ["hm:hasOnset"]),
        ({"aspect": "C", "hpo_id": "HP:0003676"}, ["a hm:PhenotypeClaim ;"]),
        ({"reference": "OMIM:602014"}, ["dcterms:source OMIM:602014 ;"]),
    ],
)
def test_each_column_is_kept(store: Store, change: dict[str, str], expected: list[str]) -> None:
    text = said(store, annotation(**change))
    for part in expected:
        assert part in text or (part == "hm:hasOnset" and "hpoa-omim-602014-hp-0003593" in text)


def test_a_row_on_a_curated_proposition_becomes_a_line_of_that_claim(store: Store) -> None:
    text = said(store, annotation(hpo_id="HP:0002917", frequency="5/5"))
    assert "claim:fhsh-hypomagnesemia\n    hm:evidence evidence:hpoa-omim-602014-hp-0002917-pmid-12032570 ;" in text
    assert "hm:PhenotypeClaim" not in text


def test_a_qualified_row_does_not_join_an_unqualified_claim(store: Store) -> None:
    assert "claim:hpoa-omim-602014-hp-0002917-hp-0003593" in said(store, annotation(hpo_id="HP:0002917", onset="HP:0003593"))


@given(st.lists(st.sampled_from(["1/2", "", "50%"]), min_size=1, max_size=4))
def test_one_row_is_one_line(frequencies: list[str]) -> None:
    text = said(Store(), *(annotation(frequency=f) for f in frequencies))
    assert text.count("a hm:EvidenceLine ;") == len(frequencies)
    assert text.count("a hm:Row ;") == len(frequencies)
    assert text.count("a hm:PhenotypeClaim ;") == 1


@pytest.mark.parametrize("change", [{"frequency": "often"}, {"evidence": "XYZ"}, {"aspect": "Q"}])
def test_what_the_format_does_not_know_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(InputError, match="line 7"):
        said(Store(), annotation(**change))


@pytest.mark.parametrize("text", ["", "nonsense\tfile\n", "database_id\tdisease\n", "\t".join(lifting.COLUMNS) + "\nOMIM:1\tcut\n"])
def test_a_broken_file_is_told(tmp_path: Path, text: str) -> None:
    broken = tmp_path / "phenotype.hpoa"
    broken.write_text(text, encoding="utf-8")
    done = hypomag("lift", "FHSH", "--hpoa", str(broken), "-o", "-", "--graph-dir", str(ROOT))
    if text:
        assert done.returncode == 2
        assert done.stderr.startswith(f"hypomag: {broken}:")
    assert "Traceback" not in done.stderr


def test_orphanet_and_omim_ids_map_to_the_canonical_disease(store: Store) -> None:
    assert lifting.databases(store, ["HSH"]) == {"OMIM:602014": FHSH, "ORPHA:30924": FHSH}
    assert sources.BASE not in FHSH
