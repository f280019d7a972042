"""HPO annotations: HPO's rows as they stand, and rows of ours that are true as readers sum them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode, Quad, Store

from hypomag import claims, exports, hpoa, lifting, losses, prefixes, sources
from tests.graphs import any_graph, claim, covered, law, node, propositions, stored
from tests.test_kgx import edges_hold

Cells = dict[str, str]


def read(rows: list[hpoa.Row]) -> list[Cells]:
    return [dict(zip(lifting.COLUMNS, row, strict=True)) for row in rows]


def own(cells: Cells) -> bool:
    return cells["biocuration"].startswith("hypomag:")


def rows_hold(store: Store) -> None:
    found = claims.read(store)
    rows, report = hpoa.annotate(store, found)
    by_line = {line.iri: (claim, line) for claim in found.claims for line in claim.lines}
    lifted = Counter(line.row for claim in found.claims for line in claim.lines if line.row and claim.status != "retracted")
    gone: dict[str, set[str]] = {}
    for each in found.claims:
        for line in each.lines:
            if line.row and each.status != "retracted":
                gone.setdefault(each.iri, set()).add(line.iri)
    assert Counter("\t".join(row) for row in rows if not row[-1].startswith("hypomag:")) == lifted
    severals = {(item.claim, item.part) for item in report.of(losses.DETAIL)}
    summed: dict[tuple[str, str], list[tuple[Cells, claims.Line | None]]] = defaultdict(list)
    for cells in read(rows):
        if cells["aspect"] == "P":
            match = re.fullmatch(r"hypomag:(.+)\[\d{4}-\d\d-\d\d\]", cells["biocuration"])
            line = by_line[f"{sources.BASE}evidence/{match[1]}"][1] if match else None
            summed[cells["database_id"], cells["hpo_id"]].append((cells, line))
        if not own(cells):
            continue
        match = re.fullmatch(r"hypomag:(.+)\[\d{4}-\d\d-\d\d\]", cells["biocuration"])
        assert match
        claim, line = by_line[f"{sources.BASE}evidence/{match[1]}"]
        gone.setdefault(claim.iri, set()).add(line.iri)
        assert claim.status == "accepted", "HPO annotations cannot say provisional"
        assert cells["database_id"].startswith(("OMIM:", "ORPHA:"))
        assert not line.on_animals
        assert cells["evidence"] == ("PCS" if line.study in ("cohort", "case series", "case report") else "TAS")
        says_absent = cells["qualifier"] == "NOT" or cells["frequency"].startswith("0/")
        if line.supports:
            assert says_absent is claim.absent
            assert line.grade != "C"
        else:
            assert says_absent is not claim.absent, "what speaks against a claim says its opposite"
            assert cells["frequency"] == f"{line.affected}/{line.examined}"
        if says_absent:
            assert cells["aspect"] in ("P", "H"), "readers overlook NOT elsewhere"
        assert not (cells["qualifier"] == "NOT" and cells["frequency"]), "libraries read NOT with 0/m as all of m"
        if line.derived:
            stated = f"{line.percent}%" if line.percent and not claim.absent else ""
            assert cells["frequency"] == stated, "a count that was computed is not what the source says"
            assert {(claim.iri, f"hm:{name} of {line.iri}") for name in ("affected", "examined")} <= severals
        elif line.examined is not None:
            assert cells["frequency"] == f"{line.affected}/{line.examined}"
        onsets = claim.values("hm:onset")
        if len(onsets) == 1:
            assert cells["onset"] == prefixes.shorten(onsets[0])
        else:
            assert cells["onset"] == ""
            assert not (onsets and claim.absent), "absent only at some ages"
            assert all((claim.iri, f"hm:onset {prefixes.shorten(o)}") in severals for o in onsets)
        assert {(claim.iri, f"{name} of {line.iri}") for name, _ in line.details} <= severals
        for name in ("hm:severity", "hm:modifier"):
            assert all(prefixes.shorten(v) in cells["modifier"].split(";") for v in claim.values(name))
        assert not any(claim.values(name) for name in ("hm:population", "hm:context", "hm:location")), "narrower than its row"
    for told in summed.values():
        counted = any(cells["frequency"] for cells, line in told if line is None or line.supports)
        cited = {r for cells, line in told if line is None for r in cells["reference"].split(";")}
        alone: Counter[str] = Counter()
        people: list[str] = []
        for cells, line in told:
            if line is None:
                continue
            assert cells["frequency"] or not counted, "readers would add one of one"
            assert cells["reference"] not in cited, "HPO counts this publication already"
            mine = [value for name, value in line.details if name == "hm:cohort"]
            people += mine
            alone[cells["reference"]] += 1 if not mine else 0
            assert not (mine and alone[cells["reference"]]), "one publication with and without its cohort"
            if not line.supports and line.says_nobody:
                assert any(c["frequency"] and not c["frequency"].startswith("0/") for c, _ in told), "an absence that nobody claims"
        assert all(n <= 1 for n in alone.values()), "one publication twice"
        for k, cohort in enumerate(people):
            whole = {q.object.value for q in store.quads_for_pattern(NamedNode(cohort), node("dcterms:isPartOf"), None, None)}
            assert not {cohort, *whole} & set(people[k + 1 :] + people[:k]), "a cohort and a part of it"
    covered(found, report, gone)


@law
@given(any_graph)
def test_hpoa_keeps_the_laws(store: Store) -> None:
    rows_hold(store)


@st.composite
def annotation_rows(draw: st.DrawFn) -> lifting.Annotation:
    qualifier = draw(st.sampled_from(["", "NOT"]))
    frequency = "" if qualifier else draw(st.sampled_from(["", "0/5", "3/7", "17.50%", "50%", "HP:0040282"]))
    return lifting.Annotation(
        line=1, version="2025-01-16", database_id="OMIM:602014", disease_name="Hypomagnesemia 1, intestinal",
        qualifier=qualifier, frequency=frequency, biocuration="HPO:test[2025-01-01]",
        hpo_id=draw(st.sampled_from(["HP:0001250", "HP:0002917", "HP:0000007"])),
        reference=draw(st.sampled_from(["PMID:12032570", "OMIM:602014", "PMID:1;PMID:2"])),
        evidence=draw(st.sampled_from(["PCS", "TAS", "IEA"])), onset=draw(st.sampled_from(["", "HP:0003593"])),
        sex=draw(st.sampled_from(["", "MALE", "FEMALE"])), modifier=draw(st.sampled_from(["", "HP:0012828", "HP:0025153;HP:0012828"])),
        aspect=draw(st.sampled_from("PICMH")),
    )  # fmt: skip


@law
@given(st.lists(annotation_rows(), max_size=6), st.lists(propositions(), max_size=3))
def test_lifted_rows_come_back_as_they_stood(rows: list[lifting.Annotation], specs: list[dict[str, object]]) -> None:
    store = stored(specs)
    for triple in lifting.lift(rows, store, {"OMIM:602014": prefixes.expand("MONDO:0011176") or ""}, {"HP:0003593"}):
        store.add(Quad(triple.subject, triple.predicate, triple.object, NamedNode(sources.HPOA)))
    retracted = {line.row for claim in claims.read(store).claims if claim.status == "retracted" for line in claim.lines}
    text, _ = hpoa.export(store)
    back = Counter(line for line in text.splitlines() if "\tHPO:test[" in line)
    stood = Counter("\t".join(getattr(row, c) for c in lifting.COLUMNS) for row in rows)
    assert dict(back) == {k: n for k, n in stood.items() if k not in retracted}
    rows_hold(store)
    edges_hold(store)


def test_what_rules_derive_is_no_qualifier() -> None:
    spec = claim(kind="PhenotypeClaim", predicate="RO:0002200", object="HP:0002917")
    (read,) = claims.read(stored([spec])).claims
    assert read.details == ()
    assert len(hpoa.annotate(stored([spec]), claims.read(stored([spec])))[0]) == 1


def test_hpo_annotations_come_back_as_they_stood(store: Store) -> None:
    """The rows of phenotype.hpoa 2025-01-16 for our diseases, order aside, and none besides."""
    mapped = lifting.databases(store, lifting.own_diseases(store))
    place = lifting.packaged_folder() / "phenotype.hpoa"
    theirs = Counter("\t".join(getattr(r, c) for c in lifting.COLUMNS) for r in lifting.read_annotations(place) if r.database_id in mapped)
    text, _ = hpoa.export(store)
    ours = [line for line in text.splitlines() if not line.startswith(("#", "database_id"))]
    curated = [line for line in ours if line.rpartition("\t")[2].startswith("hypomag:")]
    assert Counter(line for line in ours if line not in set(curated)) == theirs
    assert len(theirs) > 500
    assert len(curated) > 100


def test_what_it_writes_the_lifter_reads(store: Store, tmp_path: Path) -> None:
    place = tmp_path / "phenotype.hpoa"
    text, report = hpoa.export(store)
    place.write_text(text, encoding="utf-8")
    rows = list(lifting.read_annotations(place))
    assert len(rows) == report.lines
    assert {row.version for row in rows} == {exports.release(store)[1]}


def test_absent_at_some_ages_is_no_row() -> None:
    """One column holds one onset; without it the row would say absent at every age."""
    seizure = claim(
        kind="PhenotypeClaim", predicate="RO:0002200", object="HP:0001250", polarity="hm:absent",
        details=[("hm:onset", "HP:0003593"), ("hm:onset", "HP:0003623")],
    )  # fmt: skip
    store = stored([seizure, seizure | {"polarity": "hm:present"}])
    rows, report = hpoa.annotate(store, claims.read(store))
    assert [row[2] for row in rows] == [""]
    assert [item.reason for item in report.of(losses.CLAIM)] == [hpoa.NARROWED]
    assert [item.reason for item in report.of(losses.DETAIL)] == [hpoa.SEVERAL] * 2


SEIZURE = {"kind": "PhenotypeClaim", "predicate": "RO:0002200", "object": "HP:0001250"}
COUNTED = {"supports": True, "study": "cohort", "source": "PMID:1", "affected": 3, "examined": 5}
BARE = {"supports": True, "study": "review", "source": "PMID:2"}


@pytest.mark.parametrize(
    ("specs", "written", "reasons"),
    [
        ([{"lines": [BARE]}], [""], []),
        ([{"lines": [COUNTED, BARE]}], ["3/5"], [hpoa.UNCOUNTED]),
        ([{"lines": [COUNTED, COUNTED | {"affected": 4}]}], ["3/5"], [hpoa.PATIENTS]),
        ([{"lines": [COUNTED | {"details": [("hm:cohort", "hm:Cohort-1")]}]}, {"lines": [BARE, COUNTED | {"affected": 1, "examined": 2, "source": "PMID:3", "details": [("hm:cohort", "hm:Cohort-1")]}], "details": [("hm:onset", "HP:0003593")]}], ["3/5"], [hpoa.NO_LINE]),
        ([{"lines": [COUNTED | {"details": [("hm:frequencyWords", "=rare")]}]}], ["3/5"], []),
        ([{"lines": [BARE | {"details": [("hm:frequencyWords", "=rare")]}]}], [], [hpoa.WORDS]),
        ([{"lines": [BARE | {"grade": "C"}]}], [], [hpoa.WEAK]),
        ([{"lines": [BARE | {"study": "animal"}]}], [], [losses.ANIMALS]),
        ([{"lines": [COUNTED], "status": "hm:provisional"}], [], [hpoa.PROVISIONAL]),
        ([{"lines": [COUNTED], "subject": "MONDO:0018100"}], [], [hpoa.NO_ENTRY]),
        ([{"lines": [BARE | {"source": "PMID:9"}, COUNTED | {"supports": False, "affected": 0}]}], [""], [hpoa.ALONE]),
        ([{"lines": [COUNTED, COUNTED | {"supports": False, "affected": 0, "source": "PMID:9"}]}], ["0/5", "3/5"], []),
        ([{"lines": [COUNTED]}, {"lines": [BARE | {"source": "PMID:9"}], "polarity": "hm:absent"}], ["3/5"], [hpoa.UNCOUNTED]),
        ([{"lines": [COUNTED | {"details": [("hm:cohort", "hm:Cohort-1")]}, COUNTED | {"affected": 1, "examined": 2, "source": "PMID:3", "details": [("hm:cohort", "hm:Cohort-2")]}]}], ["3/5"], [hpoa.PATIENTS]),
        ([{"lines": [COUNTED | {"details": [("hm:cohort", "hm:Cohort-1")]}, COUNTED | {"affected": 1, "examined": 2}]}], ["3/5"], [hpoa.PATIENTS]),
        ([{"lines": [COUNTED | {"supports": False}, BARE], "polarity": "hm:absent"}], ["", "3/5"], []),
        ([{"lines": [BARE, BARE | {"supports": False, "source": "PMID:3"}]}], [""], [hpoa.DISPUTES]),
        ([{"lines": [BARE], "kind": "InheritanceClaim", "predicate": "biolink:has_mode_of_inheritance", "object": "HP:0000007", "polarity": "hm:absent"}], [], [hpoa.NO_NOT]),
        ([{"lines": [BARE], "kind": "OnsetClaim", "predicate": "hm:hasOnset", "object": "HP:0003593", "polarity": "hm:absent"}], [], [hpoa.NO_NOT]),
    ],
)  # fmt: skip
def test_rows_are_true_as_they_are_summed(specs: list[dict[str, object]], written: list[str], reasons: list[str]) -> None:
    store = stored([claim(**{**SEIZURE, **spec}) for spec in specs])
    rows, report = hpoa.annotate(store, claims.read(store))
    assert sorted(cells["frequency"] for cells in read(rows)) == written
    assert [item.reason for item in (*report.of(losses.CLAIM), *report.of(losses.LINE))] == reasons


ONE = {"supports": True, "study": "review", "source": "PMID:2"}


@pytest.mark.parametrize(
    ("spec", "row"),
    [
        ({"lines": [ONE]}, "OMIM:602014|the MONDO:0011176||HP:0001250|PMID:2|TAS|||||P"),
        ({"lines": [ONE | {"study": "cohort", "source": "doi:10.1000/x"}]}, "OMIM:602014|the MONDO:0011176||HP:0001250|https://doi.org/10.1000/x|PCS|||||P"),
        ({"lines": [ONE | {"source": "OMIM:602014", "percent": "17.5"}]}, "OMIM:602014|the MONDO:0011176||HP:0001250|OMIM:602014|TAS||17.5%|||P"),
        ({"lines": [ONE | {"band": "HP:0040282"}], "details": [("hm:sex", "=female")]}, "OMIM:602014|the MONDO:0011176||HP:0001250|PMID:2|TAS||HP:0040282|FEMALE||P"),
        ({"lines": [ONE], "polarity": "hm:absent"}, "OMIM:602014|the MONDO:0011176|NOT|HP:0001250|PMID:2|TAS|||||P"),
        ({"lines": [ONE], "details": [("hm:onset", "HP:0003593"), ("hm:modifier", "HP:0025153"), ("hm:severity", "HP:0012828")]}, "OMIM:602014|the MONDO:0011176||HP:0001250|PMID:2|TAS|HP:0003593|||HP:0025153;HP:0012828|P"),
        ({"lines": [ONE], "kind": "InheritanceClaim", "predicate": "biolink:has_mode_of_inheritance", "object": "HP:0000007"}, "OMIM:602014|the MONDO:0011176||HP:0000007|PMID:2|TAS|||||I"),
        ({"lines": [ONE], "kind": "OnsetClaim", "predicate": "hm:hasOnset", "object": "HP:0003593"}, "OMIM:602014|the MONDO:0011176||HP:0003593|PMID:2|TAS|||||C"),
    ],
)  # fmt: skip
def test_a_row_to_the_letter(spec: dict[str, object], row: str) -> None:
    store = stored([claim(**{**SEIZURE, **spec})])
    ((*cells, biocuration),) = hpoa.annotate(store, claims.read(store))[0]
    assert "|".join(cells) == row
    assert biocuration == "hypomag:c0.l0[2030-01-01]"


def test_orphanet_s_number_serves_where_omim_has_none() -> None:
    """And HPO's name, where a row of HPO gives one."""
    store = stored([claim(**SEIZURE, subject="MONDO:0018100")])
    store.add(Quad(node("MONDO:0018100"), node("skos:exactMatch"), node("Orphanet:1"), NamedNode(sources.MAPPINGS)))
    for quad in list(store.quads_for_pattern(None, node("rdfs:subClassOf"), node("MONDO:0018100"), None)):
        store.remove(quad)
    (row,) = hpoa.annotate(store, claims.read(store))[0]
    assert row[:2] == ("ORPHA:1", "the MONDO:0018100")


def test_a_group_of_diseases_is_no_entry() -> None:
    """Below the group stands a disease; a group that HPO itself annotates stays."""
    store = stored([claim(**SEIZURE, subject="MONDO:0018100")])
    store.add(Quad(node("MONDO:0018100"), node("skos:exactMatch"), node("Orphanet:34526"), NamedNode(sources.MAPPINGS)))
    rows, report = hpoa.annotate(store, claims.read(store))
    assert not rows
    assert [item.reason for item in report.of(losses.CLAIM)] == [hpoa.GROUP]


def test_the_file_says_of_which_hpo_its_terms_are(store: Store) -> None:
    """Tools look for the version of the ontology in the head; all terms are of the release that the rows were lifted from."""
    text, _ = hpoa.export(store)
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert "#hpo-version: http://purl.obolibrary.org/obo/hp/releases/2025-01-16/hp.json" in head
    original = (lifting.packaged_folder() / "phenotype.hpoa").open(encoding="utf-8")
    with original:
        assert any(line.rstrip("\n") in head for line, _ in zip(original, range(6), strict=False) if line.startswith("#hpo-version"))


def test_no_row_of_ours_turns_what_hpo_counts_around(store: Store) -> None:
    """Where HPO's rows alone say that nobody or somebody has a finding, only rows with a count of ours may say otherwise."""
    found = claims.read(store)
    rows = read(hpoa.annotate(store, found)[0])
    theirs: dict[tuple[str, str], set[bool]] = defaultdict(set)
    ours: dict[tuple[str, str], list[Cells]] = defaultdict(list)
    for cells in rows:
        key = (cells["database_id"], cells["hpo_id"])
        absent = cells["qualifier"] == "NOT" or cells["frequency"].startswith("0/")
        if own(cells):
            ours[key].append(cells)
        else:
            theirs[key].add(absent)
    turned = [c for key, says in theirs.items() if says == {True} for c in ours[key] if c["qualifier"] != "NOT"]
    assert all(re.fullmatch(r"\d+/\d+|[\d.]+%|HP:\d{7}", cells["frequency"]) for cells in turned), turned
