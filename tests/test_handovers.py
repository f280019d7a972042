"""The laws of every exporter: no claim lost without being listed, no absent claim turned positive, counts and onset kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, RdfFormat, Store

from hypomag import biolink, claims, exports, folders, handovers, hpoa, kgx, losses, prefixes, sources
from hypomag.errors import InputError
from tests.conftest import ROOT, hypomag
from tests.graphs import any_graph, law, node
from tests.test_hpoa import rows_hold
from tests.test_kgx import edges_hold

PARSERS = {
    "turtle": RdfFormat.TURTLE, "nt": RdfFormat.N_TRIPLES, "rdfxml": RdfFormat.RDF_XML,
    "nq": RdfFormat.N_QUADS, "trig": RdfFormat.TRIG, "jsonld": RdfFormat.JSON_LD,
}  # fmt: skip


@settings(law, max_examples=25)
@given(any_graph, st.sampled_from(sorted(PARSERS)))
def test_rdf_loses_nothing(store: Store, form: str) -> None:
    again = Store()
    again.load(exports.export(store, form), format=PARSERS[form])
    if form in exports.DATASET_FORMATS:
        assert set(again) == set(store)
        assert claims.read(again) == claims.read(store)
    else:
        assert {quad.triple for quad in again} == set(exports.union(store))


# --- the real graph --------------------------------------------------------------------------------------------------


def test_the_real_graph_keeps_the_laws(store: Store) -> None:
    edges_hold(store)
    rows_hold(store)


def test_no_claim_is_left_out_for_nothing(store: Store) -> None:
    """Each claim that is listed as narrowed has a curated qualifier that narrows it; each listed detail is stated in the graph."""
    narrowing = {
        "hpoa": {"hm:context", "hm:population", "hm:location"},
        "kgx": {"hm:agent", "hm:context", "hm:goal", "hm:population", "hm:route", "hm:severity", "hm:statedAs"},
    }
    curated = [NamedNode(sources.CLAIMS), NamedNode(sources.HPOA)]
    for form, reason in (("hpoa", hpoa.NARROWED), ("kgx", biolink.NARROW)):
        report = handovers.hand_over(store, form).losses
        narrowed = [item for item in report.of(losses.CLAIM) if item.reason == reason]
        assert narrowed
        for item in narrowed:
            stated = {
                prefixes.shorten(q.predicate.value) for g in curated for q in store.quads_for_pattern(NamedNode(item.claim), None, None, g)
            }
            assert stated & narrowing[form], item
        for item in report.of(losses.DETAIL):
            name, _, rest = item.part.partition(" ")
            about = rest.removeprefix("of ") if rest.startswith("of ") else item.claim
            told = [about]
            if item.kind == "MechanismStep":  # where its ends are
                told += [
                    q.object.value
                    for end in ("hm:subject", "hm:object")
                    for q in store.quads_for_pattern(NamedNode(about), node(end), None, None)
                ]
            if name != biolink.ACTION:
                assert any(list(store.quads_for_pattern(NamedNode(t), node(name), None, g)) for t in told for g in curated), item


def test_what_of_a_line_never_goes_along_is_named(store: Store) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in claims.BEHIND - {"rdf:type", "rdfs:label"}:
        assert f"`{name}`" in text, name
    said = {
        prefixes.shorten(q.predicate.value)
        for claim in claims.read(store).claims
        for line in claim.lines
        for q in store.quads_for_pattern(NamedNode(line.iri), None, None, None)
    }
    assert said - {"hm:frequencyWords", "hm:ourReading"} <= claims.BEHIND | claims.HELD | {"hm:cohort", "hm:measured"}


def test_files_say_version_date_and_licence(store: Store) -> None:
    version, date = exports.release(store)
    told = json.loads(handovers.hand_over(store, "kgx").files["hypomag_metadata.json"])
    assert (told["version"], told["date"], told["license"]) == (version, date, exports.LICENCE_CC_BY)
    assert "2025-01-16" in next(part["rights"] for part in told["parts"] if "hpo.jax.org" in (part["license"] or ""))
    head = [line for line in hpoa.export(store)[0].splitlines() if line.startswith("#")]
    assert f"#version: {date}" in head
    assert f"#hypomag-version: {version}" in head
    (licence,) = (line for line in head if line.startswith("#license: "))
    assert {exports.LICENCE_CC_BY, "https://hpo.jax.org/app/license"} <= set(licence.replace(";", "").split())


def test_a_folder_is_written_whole_and_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folders.write(out, {"a": b"1", "b": b"2"})
    folders.write(out, {"a": b"3", "b": b"4"})
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {"a": b"3", "b": b"4"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    (out / "thesis.txt").write_text("all my work")
    with pytest.raises(InputError, match=r"holds something other than an earlier export: thesis\.txt"):
        folders.write(out, {"a": b"5", "b": b"6"})
    assert (out / "a").read_bytes() == b"3"


def test_a_write_that_fails_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folders.write(out, {"a": b"1"})
    with pytest.raises(InputError, match="could not be written whole"), folders.replaced(out) as aside:
        (aside / "a").write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert (out / "a").read_bytes() == b"1"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_killed_export_leaves_the_earlier_one(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "kgx"
    arguments = ["export", "--format", "kgx", "-o", str(out), "--graph-dir", str(built)]
    assert hypomag(*arguments).returncode == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    for delay in (0.5, 1.2):
        process = subprocess.Popen([sys.executable, "-m", "hypomag", *arguments], stderr=subprocess.DEVNULL)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert hypomag(*arguments).returncode == 0
    assert [p.name for p in tmp_path.iterdir()] == ["kgx"]


def test_the_report_comes_with_each(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kgx"
    done = hypomag("export", "--format", "kgx", "-o", str(folder), "--graph-dir", str(built))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "claims went along" in done.stderr
    assert sorted(p.name for p in folder.iterdir()) == [
        "hypomag_edges.jsonl", "hypomag_edges.tsv", "hypomag_metadata.json", "hypomag_nodes.jsonl", "hypomag_nodes.tsv", "losses.tsv",
    ]  # fmt: skip
    file = tmp_path / "phenotype.hpoa"
    assert hypomag("export", "--format", "hpoa", "-o", str(file), "--graph-dir", str(built)).returncode == 0
    beside = tmp_path / "phenotype.hpoa.losses.tsv"
    assert beside.read_text(encoding="utf-8").splitlines()[0] == "\t".join(losses.COLUMNS)
    piped = hypomag("export", "--format", "hpoa", "--losses", str(tmp_path / "lost.tsv"), "--graph-dir", str(built))
    assert piped.stdout == file.read_text(encoding="utf-8")
    assert (tmp_path / "lost.tsv").read_bytes() == beside.read_bytes()
    only = hypomag("export", "--format", "sssom", "-o", str(tmp_path / "m.tsv"), "--losses", "-", "--graph-dir", str(built))
    assert only.stdout.startswith("lost\tclaim\t")
    assert "listed on standard output" in only.stderr


def test_the_list_says_all_that_was_lost(store: Store, home: sources.Sources) -> None:
    """Each loss is a row, whole claims first, with its own cells; the summary counts them."""
    for form in handovers.FORMATS:
        report = handovers.hand_over(store, form, home).losses
        head, *rows = report.as_tsv().splitlines()
        assert head.split("\t") == ["lost", "claim", "kind", "part", "reason", "label"]
        order = [losses.CLAIM, losses.LINE, losses.DETAIL]
        told = [tuple(row.split("\t")) for row in rows]
        assert told == sorted(told, key=lambda r: (order.index(r[0]), r[2], r[1], r[3], r[4]))
        assert Counter(told) == Counter((i.lost, i.claim, i.kind, i.part, i.reason, " ".join(i.label.split())) for i in report.items)
        summary = report.summary()
        gone = report.counts(losses.CLAIM)
        assert f"{report.claims - sum(gone.values())} of {report.claims} claims went along, with {report.lines} evidence lines" in summary
        assert all(f"{kind} {n}" in summary for kind, n in gone.items())
        for lost in (losses.LINE, losses.DETAIL):
            assert (f"{len(report.of(lost))} {lost}s" in summary) is bool(report.of(lost))


def test_a_device_has_no_report_beside_it(built: Path, tmp_path: Path) -> None:
    done = hypomag("export", "--format", "hpoa", "-o", "/dev/null", "--graph-dir", str(built))
    assert done.returncode == 0, done.stderr
    assert not Path("/dev/null.losses.tsv").exists()
    assert "--losses FILE lists them" in done.stderr


def test_a_link_to_another_disk_is_followed(built: Path, tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system here")
    target = elsewhere / f"hypomag-test-{os.getpid()}.tsv"
    try:
        (tmp_path / "link").symlink_to(target)
        for _ in range(2):
            done = hypomag("export", "--format", "sssom", "-o", str(tmp_path / "link"), "--graph-dir", str(built))
            assert done.returncode == 0, done.stderr
        assert target.read_text(encoding="utf-8").startswith("#")
        assert (tmp_path / "link").is_symlink()
    finally:
        target.unlink(missing_ok=True)


def test_where_the_report_cannot_be_written_the_data_stay(built: Path, tmp_path: Path) -> None:
    """A full disk for the report, found before the data are replaced."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    kept = tmp_path / "keep.hpoa"
    kept.write_text("mine", encoding="utf-8")
    done = hypomag("export", "--format", "hpoa", "-o", str(kept), "--losses", "/dev/full", "--graph-dir", str(built))
    assert done.returncode == 2
    assert kept.read_text(encoding="utf-8") == "mine"


def test_a_folder_has_the_rights_that_the_user_gives_new_ones(tmp_path: Path) -> None:
    earlier = os.umask(0o077)
    try:
        folders.write(tmp_path / "out", {"a": b"1", "b": b"2"})
    finally:
        os.umask(earlier)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700


def test_handovers_do_not_depend_on_the_hash_seed(built: Path, tmp_path: Path) -> None:
    for form in ("sssom", "hpoa"):
        assert len({hypomag("export", "--format", form, "--graph-dir", str(built), PYTHONHASHSEED=s).stdout for s in ("1", "2")}) == 1
    for seed in ("1", "2"):
        hypomag("export", "--format", "kgx", "-o", str(tmp_path / seed), "--graph-dir", str(built), PYTHONHASHSEED=seed)
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--format", "kgx"], "kgx is a folder of files"),
        (["--format", "kgx", "-o", ""], "not an empty one"),
        (["--format", "hpoa", "-o", "FILE", "--losses", ""], "not an empty one"),
        (["--format", "kgx", "-o", "-"], "kgx is a folder of files"),
        (["--format", "kgx", "-o", "/proc/kgx"], "cannot be written"),
        (["--format", "kgx", "-o", "FILE"], "is no folder that could be replaced"),
        (["--format", "kgx", "-o", "/"], "is no folder that could be replaced"),
        (["--format", "kgx", "-o", "FOREIGN"], "holds something other than an earlier export: thesis.txt"),
        (["--format", "hpoa", "-o", "/no/such/folder/x"], "No such file"),
        (["--format", "sssom", "--losses", "-"], "cannot both go to standard output"),
        (["--format", "nt", "--losses", "x"], "loses nothing"),
        (["--format", "hpoa", "-o", "FILE", "--losses", "FILE"], "is where the data go"),
        (["--format", "sssom", "-o", "FILE", "--losses", "LINK"], "is where the data go"),
        (["--format", "sssom", "-o", "LINK", "--losses", "FILE"], "is where the data go"),
        (["--format", "hpoa", "-o", "FILE", "--losses", "/no/such/folder/x"], "No such file"),
        (["--format", "hpoa", "-o", "FILE", "--losses", "FOREIGN"], "is a folder"),
        (["--format", "hpoa", "-o", "BLOCKED"], "is a folder"),
        (["--format", "hpoa", "--losses", "/no/such/folder/x"], "No such file"),
        (["--format", "kgx", "-o", "NEW", "--losses", "NEW"], "is where the data go"),
        (["--format", "kgx", "-o", "NEW", "--losses", "INSIDE"], "lies in the folder of the data"),
        (["--format", "kgx", "-o", "EMPTY", "--losses", "WITHIN"], "lies in the folder of the data"),
    ],
)
def test_bad_arguments_are_told(built: Path, tmp_path: Path, arguments: list[str], part: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("all my work")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    (tmp_path / "blocked.losses.tsv").mkdir()
    names = {"FILE": "file", "FOREIGN": "foreign", "LINK": "link", "NEW": "new", "INSIDE": "new/other.tsv", "EMPTY": "empty",
             "WITHIN": "empty/other.tsv", "BLOCKED": "blocked"}  # fmt: skip
    places = {word: str(tmp_path / name) for word, name in names.items()}
    before = sorted(p.name for p in tmp_path.iterdir())
    done = hypomag("export", *(places.get(a, a) for a in arguments), "--graph-dir", str(built))
    assert done.returncode == 2
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert (tmp_path / "file").read_text() == "mine"
    assert [p.name for p in (tmp_path / "foreign").iterdir()] == ["thesis.txt"]
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert not list((tmp_path / "empty").iterdir())


DOCUMENT = ROOT / "docs" / "exports.md"


def table(name: str, rows: list[list[object]]) -> None:
    """Hold a table of the document against what is measured, or write it (HYPOMAG_SNAPSHOTS=write)."""
    text = DOCUMENT.read_text(encoding="utf-8")
    start, end = text.index(f"<!-- measured: {name} -->"), text.index(f"<!-- end of {name} -->")
    head = text[start:end].splitlines()[:3]
    measured = "\n".join([*head, *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"
    if os.environ.get("HYPOMAG_SNAPSHOTS") == "write":
        DOCUMENT.write_text(text[:start] + measured + text[end:], encoding="utf-8")
    else:
        assert text[start:end] == measured, "make snapshots, then read the diff"


def test_the_counts_of_the_document_are_measured(store: Store, home: sources.Sources) -> None:
    reports = {form: handovers.hand_over(store, form, home).losses for form in handovers.FORMATS}
    gone = {form: report.counts(losses.CLAIM) for form, report in reports.items()}
    table("formats", [
        [form, r.claims, r.claims - sum(gone[form].values()), r.lines, sum(gone[form].values()), len(r.of(losses.LINE)), len(r.of(losses.DETAIL))]
        for form, r in reports.items()
    ])  # fmt: skip
    edges = kgx.graph(store, claims.read(store))[1]
    passed = Counter(
        (str(e["primary_knowledge_source"]), ", ".join(e.get("aggregator_knowledge_source", [])) or "nobody")  # type: ignore[arg-type]
        for e in edges
    )
    table("sources", [[f"`{first}`", between, n] for (first, between), n in sorted(passed.items())])
    every = Counter(c.kind for c in claims.read(store).claims)
    table("kinds", [[kind, n, n - gone["kgx"].get(kind, 0), n - gone["hpoa"].get(kind, 0)] for kind, n in sorted(every.items())])
