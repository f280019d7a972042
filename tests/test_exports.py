"""Exports: every format carries the same graph, reads back in other processors, and two builds give the same bytes."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import rdflib
from pyld import jsonld
from pyoxigraph import CanonicalizationAlgorithm, Dataset, DefaultGraph, Quad, RdfFormat, Store, parse

from hypomag import exports
from tests.conftest import ROOT, hypomag

FORMATS = {
    "ttl": RdfFormat.TURTLE, "nt": RdfFormat.N_TRIPLES, "rdf": RdfFormat.RDF_XML,
    "nq": RdfFormat.N_QUADS, "trig": RdfFormat.TRIG, "jsonld": RdfFormat.JSON_LD,
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["nt", "ttl", "rdf"])
def test_union_formats_carry_the_union(store: Store, built: Path, suffix: str) -> None:
    found = {q.triple for q in parse(path=str(built / f"hypomag.{suffix}"), format=FORMATS[suffix])}
    assert found == set(exports.union(store))


@pytest.mark.parametrize("suffix", ["nq", "trig", "jsonld"])
def test_dataset_formats_carry_the_dataset(store: Store, built: Path, suffix: str) -> None:
    assert set(parse(path=str(built / f"hypomag.{suffix}"), format=FORMATS[suffix])) == set(exports.quads(store))


def test_the_default_graph_is_empty_and_nothing_is_blank(built: Path) -> None:
    quads = list(parse(path=str(built / "hypomag.nq"), format=RdfFormat.N_QUADS))
    assert all(q.graph_name != DefaultGraph() for q in quads)
    assert not [q for q in quads if "_:" in f"{q.subject} {q.object}" and str(q.object).startswith("_:")]


def _lines(dataset: rdflib.Dataset) -> set[str]:
    text = dataset.serialize(format="nquads")
    return {str(q) for q in parse(text, format=RdfFormat.N_QUADS)}


# rdflib 7.6 uses its own deprecated names and leaves the file to the garbage collector.
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:rdflib", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_json_ld_reads_back_in_rdflib(built: Path) -> None:
    ours = {str(q) for q in parse(path=str(built / "hypomag.nq"), format=RdfFormat.N_QUADS)}
    dataset = rdflib.Dataset()
    dataset.parse(data=(built / "hypomag.jsonld").read_text(encoding="utf-8"), format="json-ld")
    assert _lines(dataset) == ours


def test_json_ld_reads_back_in_pyld(built: Path) -> None:
    """PyLD is quadratic over a whole dataset, so it reads subject by subject, each with the file's own context."""
    document = json.loads((built / "hypomag.jsonld").read_text(encoding="utf-8"))
    ours = {str(q) for q in parse(path=str(built / "hypomag.nq"), format=RdfFormat.N_QUADS)}
    found = set()
    for graph in document["@graph"]:
        nodes = graph["@graph"]
        for start in range(0, len(nodes), 50):
            part = {"@context": document["@context"], "@id": graph["@id"], "@graph": nodes[start : start + 50]}
            text = jsonld.to_rdf(part, {"format": "application/n-quads"})
            found |= {str(q) for q in parse(text, format=RdfFormat.N_QUADS)}
    assert found == ours


def test_json_ld_is_compact_and_needs_no_network(built: Path) -> None:
    document = json.loads((built / "hypomag.jsonld").read_text(encoding="utf-8"))
    assert isinstance(document["@context"], dict)
    claims = next(g for g in document["@graph"] if g["@id"] == "graph:claims")
    seizure = next(n for n in claims["@graph"] if n["@id"] == "claim:fhsh-seizure")
    assert seizure["subject"] == "MONDO:0011176"
    assert isinstance(seizure["rdfs:label"], str)


def test_the_manifest_tells_the_truth(built: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_bytes())
    for name, facts in manifest["files"].items():
        content = (built / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (facts["bytes"], facts["sha256"]), name
    quads = list(parse(path=str(built / "hypomag.nq"), format=RdfFormat.N_QUADS))
    assert manifest["dataset"]["quads"] == len(quads) == sum(manifest["graphs"].values())
    for key, dataset in (("dataset", Dataset(quads)), ("union", Dataset(Quad(*q.triple, DefaultGraph()) for q in quads))):
        dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
        text = "".join(sorted(f"{q} .\n" for q in dataset))
        assert manifest[key]["rdfc10_sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_two_builds_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """Another folder, another hash seed, another clock and time zone."""
    copy = tmp_path / "elsewhere"
    for name in ("ontology", "shapes", "queries"):
        shutil.copytree(ROOT / name, copy / name)
    done = hypomag("build", "--graph-dir", str(copy), PYTHONHASHSEED="4711", TZ="Asia/Tokyo", SOURCE_DATE_EPOCH="1")
    assert done.returncode == 0, done.stderr
    ours = sorted(p.name for p in built.iterdir() if p.is_file())
    assert ours == sorted(p.name for p in (copy / "build").iterdir() if p.is_file())
    for name in ours:
        assert (built / name).read_bytes() == (copy / "build" / name).read_bytes(), name


def test_void_counts_what_is_there(store: Store, built: Path) -> None:
    described = Store()
    described.load(path=str(built / "void.ttl"), format=RdfFormat.TURTLE)
    rows = described.query(
        "SELECT ?graph ?n WHERE { <https://w3id.org/hypomag/dataset> <http://rdfs.org/ns/void#subset> ?graph ."
        " ?graph <http://rdfs.org/ns/void#triples> ?n }"
    )
    counts = {row["graph"].value: int(row["n"].value) for row in rows}
    assert counts == {g.value: len(list(store.quads_for_pattern(None, None, None, g))) for g in store.named_graphs()}
