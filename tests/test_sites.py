"""The published site, without a browser: links, HTML, data beside pages, weights, drawings."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import html5rdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyld import jsonld
from pyoxigraph import NamedNode, RdfFormat, Store, Triple, parse

from hypomag import (
    addresses,
    chapters,
    charts,
    comparisons,
    diagrams,
    errors,
    exports,
    frontends,
    names,
    neighbours,
    passages,
    paths,
    prefixes,
    queries,
    renderings,
    sites,
    sources,
)
from hypomag import limits as limits_
from hypomag import pages as pages_
from tests.conftest import ROOT

FHSH = "disease/MONDO_0011176"
KINDS = (
    FHSH, "disease/MONDO_0018100", "disease/MONDO_0006510", "gene/HGNC_17995", "phenotype/HP_0002917", "phenotype/HP_0001250", "treatment/MAXO_0001149",
    "substance/CHEBI_18420", "test/LOINC_2601-3", "variable/serum-magnesium", "place/UBERON_0001292", "process/GO_0010960", "formula/femg",
    "publication/PMID_12032570", "publication/ihe-espe-hrp0082", "query/which-genes", "class/PhenotypeClaim", "term/polarity", "shape/Claim-label",
    "relation/RO_0004002", "evidence-code/ECO_0007121", "zygosity/GENO_0000136",
)  # fmt: skip
ASKS = ("ask",) if frontends.find() else ()  # the page that asks is there where make frontend has built it
FRONT = ("index", "search", "map", "data", *ASKS, "disease/index", "phenotype/index")
LINK = re.compile(r'<(?:a|link|script|img|use|form)\b[^>]*?\b(?:href|src|action)="([^"]*)"')
ID = re.compile(r'\bid="([^"]*)"')


def quoted(text: str) -> str:
    """A page with the quotation marks that it leaves out."""
    return re.sub(r"<[a-z][^<>]*>", lambda tag: re.sub(r'(?<=[a-z])=([^"\s>]+)(?=[\s>])', r'="\1"', tag[0]), text)


@cache
def pages(site: Path) -> dict[str, str]:
    """Path → HTML of every page; the small pages that lead a claim to its section are apart."""
    found = {p.relative_to(site).as_posix(): quoted(p.read_text(encoding="utf-8")) for p in sorted(site.rglob("*.html"))}
    return {path: text for path, text in found.items() if not path.startswith(("claim/", "step/"))}


@cache
def statements(site: Path) -> dict[str, set[str]]:
    """Page → what it says: the address of each statement, its own as #slug."""
    return {path: set(ID.findall(text)) for path, text in pages(site).items()}


def target(page: str, link: str) -> tuple[str, str]:
    path, _, section = link.partition("#")
    path = path.partition("?")[0]
    parts: list[str] = list(PurePosixPath(page).parent.parts)
    for part in path.split("/") if path else []:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return ("/".join(parts) if path else page), section


def outside(link: str) -> bool:
    return link.startswith(("http://", "https://"))


def test_there_is_a_page_of_each_kind(site: Path) -> None:
    assert {f"{k}.html" for k in (*KINDS, *FRONT)} <= set(pages(site))
    folders = {path.partition("/")[0] for path in pages(site) if "/" in path}
    assert folders >= {"disease", "gene", "phenotype", "treatment", "test", "publication", "query", "term", "class", "shape"}


def test_every_internal_link_and_section_is_there(site: Path) -> None:
    files = {p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()}
    ids = statements(site)
    broken = []
    for page, text in pages(site).items():
        for link in set(LINK.findall(text)):
            if not outside(link):
                path, section = target(page, link)
                if path == "ask.html" and section.startswith("name="):
                    assert (site / "query" / f"{section.removeprefix('name=')}.html").is_file(), link
                elif path not in files or (section and section not in ids[path]):
                    broken.append((page, link))
    assert not broken, broken[:10]


def test_ids_stand_once_on_a_page(site: Path) -> None:
    for page, text in pages(site).items():
        found = ID.findall(text)
        assert len(found) == len(set(found)), page


def test_every_claim_leads_to_its_section(site: Path, store: Store) -> None:
    claims = {c.value for c in (q.subject for q in store.quads_for_pattern(None, NamedNode(sources.VOCAB + "subject"), None, None))}
    for claim in claims:
        folder, _, slug = claim.removeprefix(sources.BASE).partition("/")
        text = quoted((site / folder / f"{slug}.html").read_text(encoding="utf-8"))
        path, section = target(f"{folder}/x.html", re.findall(r'<a href="([^"]*)"', text)[0])
        assert section == slug
        assert section in statements(site)[path] or "retracted" in str(list(store.quads_for_pattern(NamedNode(claim), None, None, None)))


def test_every_page_names_its_icon_and_is_no_advice(site: Path) -> None:
    """A browser asks for /favicon.ico where a page names no icon: a missing file on the console. Pages that lead on are pages too."""
    for place in sorted(site.rglob("*.html")):
        text = quoted(place.read_text(encoding="utf-8"))
        icon = re.search(r'<link rel="icon" href="([^"]*)"', text)
        assert icon, place
        assert (place.parent / icon[1]).is_file(), place
        assert renderings.NOTICE in text, place


@pytest.mark.parametrize("name", [*KINDS, *FRONT, "claim/fhsh-seizure", "disease/MONDO_0009904"])
def test_the_html_is_valid(site: Path, name: str) -> None:
    parser = html5rdf.HTMLParser(strict=False)
    parser.parse((site / f"{name}.html").read_bytes(), transport_encoding="utf-8")
    assert not parser.errors, [(place, html5rdf.constants.E[code] % more) for place, code, more in parser.errors[:5]]


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loads = re.compile(
        r'<(?:script|img|iframe|source|video|audio|object|embed)\b[^>]*\b(?:src|data)="([^"]*)"|<link rel="(?:stylesheet|icon)" href="([^"]*)"'
    )
    for page, text in pages(site).items():
        assert not [x for found in loads.findall(text) for x in found if outside(x) or x.startswith("//")], page
    for name in ("style.css", "site.js"):
        text = (site / name).read_text(encoding="utf-8")
        assert not re.search(r"https?:|@import|url\(|fetch|XMLHttpRequest|import\(", text)


def test_turtle_and_json_ld_hold_the_same_triples(site: Path) -> None:
    count = 0
    for place in sorted(site.rglob("*.ttl")):
        if place.parent.name in ("download", site.name):
            continue
        turtle = {q.triple for q in parse(path=str(place), format=RdfFormat.TURTLE)}
        twin = {q.triple for q in parse(path=str(place.with_suffix(".jsonld")), format=RdfFormat.JSON_LD)}
        assert turtle == twin, place
        assert turtle, place
        count += 1
    assert count == sum('rel="alternate describedby"' in text for text in pages(site).values())


@pytest.mark.parametrize("name", [FHSH, "gene/HGNC_17995", "query/which-genes", "publication/PMID_12032570", "shape/Claim-label"])
def test_the_json_ld_reads_alike_in_pyld(site: Path, name: str) -> None:
    document = json.loads((site / f"{name}.jsonld").read_text(encoding="utf-8"))
    document["@graph"] = document["@graph"][:60]  # PyLD is quadratic
    text = jsonld.to_rdf(document, {"format": "application/n-quads"})
    theirs = {q.triple for q in parse(text, format=RdfFormat.N_QUADS)}
    ours = {q.triple for q in parse(json.dumps(document), format=RdfFormat.JSON_LD)}
    assert theirs == ours
    assert theirs <= {q.triple for q in parse(path=str(site / f"{name}.ttl"), format=RdfFormat.TURTLE)}


def test_every_claim_and_line_of_the_graph_is_described_once(site: Path, store: Store) -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for place in sorted(site.rglob("*.ttl")):
        if place.parent.name not in ("download", site.name):
            subjects = {
                q.subject.value
                for q in parse(path=str(place), format=RdfFormat.TURTLE)
                if q.predicate.value.endswith(("#direction", "#polarity"))
            }
            for subject in subjects:
                homes[subject].append(place.stem)
    for predicate in ("polarity", "direction"):
        ours = {q.subject.value for q in store.quads_for_pattern(None, NamedNode(sources.VOCAB + predicate), None, None)}
        assert ours <= set(homes)
        assert not [h for h in ours if len(homes[h]) != 1]


def test_nothing_of_the_graph_is_left_out_of_the_descriptions(site: Path, store: Store) -> None:
    told = {
        t.triple
        for place in site.rglob("*.ttl")
        if place.parent.name not in ("download", site.name)
        for t in parse(path=str(place), format=RdfFormat.TURTLE)
    }
    lost = {t.subject.value for t in set(exports.union(store)) - told}
    # Not on any page: entries of other databases that nothing but a mapping names, the vocabulary as a whole, rows that became no evidence.
    left = {q.subject.value for q in store.quads_for_pattern(None, NamedNode(f"{sources.VOCAB}reason"), None, None)}
    left |= {i for i in lost if {q.graph_name.value for q in store.quads_for_pattern(NamedNode(i), None, None, None)} == {sources.MAPPINGS}}
    assert not [i for i in lost - left if not i.startswith(("https://omim.org/", "http://www.orpha.net/")) and i != f"{sources.BASE}vocab"]


def test_a_description_is_what_the_graph_says(site: Path, store: Store) -> None:
    union = set(exports.union(store))
    for name in (FHSH, "gene/HGNC_17995", "phenotype/HP_0001250", "publication/PMID_12032570"):
        found = {q.triple for q in parse(path=str(site / f"{name}.ttl"), format=RdfFormat.TURTLE)}
        assert found <= union
        about = next(i for i in {t.subject.value for t in found} if addresses.address(i) == name)
        assert {t for t in union if t.subject.value == about} <= found
        labelled = {t.subject.value for t in found if t.predicate.value.endswith("#label")}
        named = {t.object.value for t in found if isinstance(t.object, NamedNode)} | {t.predicate.value for t in found}
        lost = {n for n in named - labelled if list(store.quads_for_pattern(NamedNode(n), names.RDFS_LABEL, None, None))}
        assert not lost


def schema_triples(site: Path) -> set[Triple]:
    everything = Store()
    everything.load(path=str(site / "download" / "hypomag.nq"), format=RdfFormat.N_QUADS)
    everything.load(path=str(site / "void.ttl"), format=RdfFormat.TURTLE, to_graph=NamedNode(f"{sources.BASE}graph/description"))
    text = (ROOT / "queries" / "pages" / "schema-org.rq").read_text(encoding="utf-8")
    return set(queries.run(everything, text))


def test_schema_org_is_what_the_stored_construct_says(site: Path) -> None:
    derived = {(t.subject.value, t.predicate.value, t.object.value) for t in schema_triples(site)}
    kinds = set()
    for page, text in pages(site).items():
        blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text)
        if not blocks:
            assert not page.startswith(("disease/MONDO", "gene/HGNC")) and page != "index.html", page
            continue
        (block,) = blocks
        document = json.loads(block)
        assert document["@context"] == "https://schema.org/"
        document["@context"] = {"@vocab": "https://schema.org/"}
        found = {(t.subject.value, t.predicate.value, t.object.value) for t in parse(json.dumps(document), format=RdfFormat.JSON_LD)}
        assert found <= derived, page
        about = document["@graph"][0]["@id"]
        assert {t for t in derived if t[0] == about} <= found, page
        kinds.add(document["@graph"][0]["@type"])
    assert kinds == {"MedicalCondition", "MedicalSignOrSymptom", "Gene", "Dataset"}


def said(text: str) -> list[str]:
    """The statements of a page, each as its own piece of HTML."""
    return [
        s
        for block in re.findall(r'<div class="said">\n(.*?)</div>', text, re.DOTALL)
        for s in re.findall(r"<details>.*?</details>|<p>.*", block)
    ]


def test_every_statement_carries_its_evidence(site: Path) -> None:
    """Open it and follow: two clicks to the publication, whose page leads out or says where it was read."""
    count = 0
    for page, text in pages(site).items():
        for statement in said(text):
            count += 1
            links = [target(page, link) for link in re.findall(r'href="([^"]*)"', statement) if not outside(link)]
            if page.startswith("publication/"):
                assert any(section in statements(site)[path] for path, section in links), (page, statement)
            else:
                out = any(outside(link) for link in re.findall(r'href="([^"]*)"', statement))
                assert out or any(path.startswith("publication/") for path, _ in links), (page, statement)
    assert count > 5000
    for page, text in pages(site).items():
        if page.startswith("publication/") and page != "publication/index.html":
            way = re.search(r"<dt>the publication itself<dd>(.*?)</div>", text, re.DOTALL)
            assert way, page
            assert way[1].strip(), page


def test_cells_and_bars_lead_to_a_statement_with_evidence(site: Path) -> None:
    """Neighbours, conflicts, facts at a glance, bars: one click to the statement, open, a second to the publication."""
    seen = 0
    for page, text in pages(site).items():
        if not page.startswith("disease/MONDO"):
            continue
        for link in re.findall(r'<li><a href="(#[^"]*)">|<td><a href="([^"]*#[^"]*)">', text):
            path, section = target(page, link[0] or link[1])
            home = pages(site)[path]
            if section in set(re.findall(r'<ul id="([^"]*)">', home)):
                seen += 1
                block = home.partition(f'<ul id="{section}">')[2].partition("</ul>")[0]
                assert "publication/" in block or '<a href="http' in block, (page, section)
    assert seen > 300


def test_the_disease_page_has_the_clinicians_order(site: Path) -> None:
    text = pages(site)[f"{FHSH}.html"]
    assert re.findall(r'<section id="(\w+)">', text) == [
        "what", "cause", "shows", "works", "neighbours", "diagnosis", "treatment", "outlook", "gaps", "conflicts", "sources"]  # fmt: skip
    assert 'class="bars"' in text
    assert 'class="mechanism"' in text
    assert re.search(r"What sources say tells it apart.*?urinary calcium excretion</a><td>normal<td>high<td>", text, re.DOTALL)
    for limit in ("&lt; 1.7", "&lt; 0.7", "mmol/L", "mg/dL"):
        assert limit in text
    for page in pages(site).values():
        assert "No medical advice" in page
        assert """Security-Policy" content="default-src 'none'; script-src 'self'""" in html.unescape(page)
    loose = [path for path, text in pages(site).items() if "script-src 'self';" not in text]
    assert loose == [f"{name}.html" for name in ASKS]


def test_disease_pages_are_light(site: Path) -> None:
    weights = {p: (site / p).stat().st_size for p in pages(site) if p.startswith("disease/") or p == "phenotype/HP_0002917.html"}
    assert max(weights.values()) < 150_000, max(weights.items(), key=lambda item: item[1])
    assert (site / "style.css").stat().st_size + (site / "site.js").stat().st_size < 30_000


def test_a_heavy_page_leaves_notes_to_its_sources(reader: passages.Reader) -> None:
    """As many as there is no room for, from the ends of the lists; what stands against a statement stays."""
    page = pages_.entity(reader, prefixes.expand("MONDO:0011176") or "")

    def notes(of: passages.Page) -> list[tuple[int, passages.Cite]]:
        return [(k, c) for s in of.sections for g in s.groups for t in g.statements if t.here for k, c in enumerate(t.cites) if c.note]

    def cites(of: passages.Page) -> list[passages.Cite]:
        return [c for s in of.sections for g in s.groups for t in g.statements if t.here for c in t.cites]

    def straight(of: passages.Page) -> int:
        return sum(c.path.startswith("http") for c in cites(of))

    def far(of: passages.Page) -> int:
        return sum(len(c.note.encode()) for k, c in notes(of) if k >= passages.NEAR and not c.against)

    some = passages.thinned(page, 3000)
    assert 3000 <= far(page) - far(some) < 4500, "notes far down in long lists go first"
    assert straight(some) == straight(page) == 0
    assert [x for x in notes(some) if x[0] < passages.NEAR] == [x for x in notes(page) if x[0] < passages.NEAR]
    more = passages.thinned(page, far(page) + 3000)
    assert 0 < straight(more) < sum(bool(c.out) for c in cites(page)), "then lines lead straight to what a browser can open"
    assert far(more) == 0 and len(notes(more)) == sum(k < passages.NEAR or c.against for k, c in notes(page))
    last = passages.thinned(page, 10**6)
    assert {c.path for c in cites(last) if c.path.startswith("http")} == {c.out for c in cites(page) if c.out}
    assert not any(c.out for c in cites(last))
    assert {c.path for c in cites(page)} <= {link.path for link in last.sections[-1].links}, "the page of each source is one click away"
    assert notes(last) and all(c.against for _, c in notes(last)), "what speaks against a statement stays"
    assert passages.thinned(page, 0).sections[:-1] == page.sections[:-1]


def test_file_names_differ_on_every_system(site: Path) -> None:
    found = [p.relative_to(site).as_posix() for p in site.rglob("*")]
    assert len({f.lower() for f in found}) == len(found)
    assert all(re.fullmatch(r"[A-Za-z0-9._/-]+", f) for f in found)
    assert max(map(len, found)) < 150


HOST = "https://example.org/h/"


@pytest.fixture(scope="module")
def hosted() -> sites.Site:
    """The site of which the web address is known."""
    return sites.Site(sources.Sources(ROOT), HOST)


def redirects(hosted: sites.Site) -> list[str]:
    return (hosted.read("w3id.htaccess") or b"").decode().splitlines()


def test_the_sitemap_has_every_page(site: Path, hosted: sites.Site) -> None:
    tree = ElementTree.fromstring((hosted.read("sitemap.xml") or b"").decode().partition("\n")[2])
    listed = {e.text or "" for e in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert listed == {f"{HOST}{path}" for path in pages(site)}
    assert (hosted.read("robots.txt") or b"").decode().splitlines()[-1] == f"Sitemap: {HOST}sitemap.xml"


def test_without_an_address_none_is_invented(site: Path) -> None:
    assert not (site / "sitemap.xml").exists() and not (site / "w3id.htaccess").exists()
    assert "Sitemap" not in (site / "robots.txt").read_text(encoding="utf-8")
    assert "htaccess" not in (site / "data.html").read_text(encoding="utf-8")
    assert "dataDump" not in (site / "void.ttl").read_text(encoding="utf-8")
    assert not [path for path, text in pages(site).items() if 'rel="canonical"' in text or ".example/" in text]


def test_downloads(site: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=site / "download", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    for name, form in (("ttl", RdfFormat.TURTLE), ("nq", RdfFormat.N_QUADS)):
        assert sum(1 for _ in parse(path=str(site / "download" / f"hypomag.{name}"), format=form)) > 50_000
    assert (site / ".well-known" / "void").read_bytes() == (site / "void.ttl").read_bytes()
    data = (site / "data.html").read_text(encoding="utf-8")
    for line in (site / "download" / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        assert line.split()[0] in data


@pytest.mark.parametrize(
    ("way", "accept", "file"),
    [
        ("", "text/html", "index.html"), ("vocab", "text/html", "class/index.html"), ("claim/fhsh-seizure", "text/html", "claim/fhsh-seizure.html"),
        ("query/which-genes", "text/html", "query/which-genes.html"), ("query/which-genes", "text/turtle", "query/which-genes.ttl"),
        ("variable/serum-magnesium", "application/ld+json", "variable/serum-magnesium.jsonld"), ("claim/fhsh-seizure", "text/turtle", "download/hypomag.ttl"),
        ("reference/ihe-espe-hrp0082", "text/turtle", "publication/ihe-espe-hrp0082.ttl"), ("dataset", "text/html", "data.html"),
        ("release/0.1.0/hypomag.nq", "*/*", "download/hypomag.nq"), ("evidence/fhsh-seizure.f-t-095", "text/html", "data.html"),
    ],
)  # fmt: skip
def test_the_redirect_file_leads_to_files_that_are_there(site: Path, hosted: sites.Site, way: str, accept: str, file: str) -> None:
    wanted = None
    for line in redirects(hosted):
        if line.startswith("RewriteCond"):
            wanted = line.split()[2]
        elif line.startswith("RewriteRule"):
            _, pattern, goal, flags = line.split()
            match = re.search(pattern, way)
            if match and (wanted is None or re.search(wanted, accept)):
                found = re.sub(r"\$(\d)", lambda n, m=match: m[int(n[1])] or "", goal).removeprefix(HOST)
                assert (found, flags) == (file, "[R=303,L]")
                assert (site / found).is_file()
                return
            wanted = None
    raise AssertionError("no rule")


def test_the_redirect_file_knows_every_address_of_ours(site: Path, hosted: sites.Site, store: Store) -> None:
    """Each IRI of ours in the graph leads to a file, without its fragment, for people and for programs."""
    rules = [line.split() for line in redirects(hosted) if line.startswith("RewriteRule")]
    named = {part.value for t in exports.union(store) for part in (t.subject, t.predicate, t.object) if isinstance(part, NamedNode)}
    ways = {i.removeprefix(sources.BASE).partition("#")[0] for i in named if i.startswith(sources.BASE)}
    assert len(ways) > 5000
    assert {w.partition("/")[0] for w in ways} > {"vocab", "claim", "evidence", "discriminator", "formula", "reference", "release", "row"}
    for way in ways:
        suffixes = set()
        for _, pattern, goal, _ in rules:
            if match := re.search(pattern, way):
                file = re.sub(r"\$(\d)", lambda n, m=match: m[int(n[1])] or "", goal).removeprefix(HOST)
                assert (site / file).is_file(), (way, file)
                suffixes.add(file.rpartition(".")[2])
                if file.endswith(".html"):
                    break
        assert "html" in suffixes, way


def test_search_knows_names_synonyms_identifiers_and_everyday_words(site: Path) -> None:
    text = (site / "search-index.js").read_text(encoding="utf-8")
    rows = json.loads(text.removeprefix("window.HYPOMAG_INDEX=").rstrip().rstrip(";"))
    by_path = {row[1]: {row[0], *row[3:]} for row in rows}
    assert {"FHSH", "HOMG1", "HSH", "MONDO:0011176", "OMIM:602014", "ORPHA:30924"} <= by_path[f"{FHSH}.html"]
    assert {"TRPM6", "CHAK2", "HGNC:17995"} <= by_path["gene/HGNC_17995.html"]
    assert any("low blood magnesium" in name.lower() for name in by_path["phenotype/HP_0002917.html"])
    assert "LOINC:2601-3" in by_path["test/LOINC_2601-3.html"]
    assert set(by_path) == {
        p for p in pages(site) if not p.endswith("index.html") and p not in ("search.html", "map.html", "data.html", "ask.html")
    }


@given(st.integers(0, 300), st.integers(1, 300))
def test_the_interval_holds_the_share(n: int, m: int) -> None:
    n = min(n, m)
    low, high = charts.wilson(n, m)
    assert 0 <= low <= n / m <= high <= 1
    assert charts.wilson(m - n, m) == pytest.approx((1 - high, 1 - low))


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=30))
def test_layers_lead_downwards_until_a_circle_closes(edges: list[tuple[int, int]]) -> None:
    named = [(str(a), str(b)) for a, b in edges]
    found = diagrams.layers({k for pair in named for k in pair}, named)
    downwards = [(a, b) for a, b in named if found[a] < found[b]]
    upward = [(a, b) for a, b in named if (a, b) not in downwards]
    for a, b in upward:  # each of these closes a circle with the others
        reached, todo = {b}, [b]
        while todo:
            at = todo.pop()
            fresh = {y for x, y in downwards if x == at} - reached
            reached |= fresh
            todo.extend(fresh)
        assert a in reached


@pytest.fixture(scope="module")
def reader(store: Store) -> passages.Reader:
    return passages.Reader(store)


def test_boxes_of_the_mechanism_do_not_overlap_and_steps_have_evidence(reader: passages.Reader, site: Path) -> None:
    drawn = 0
    for path, iri in reader.facts.pages.items():
        if not path.startswith("disease/"):
            continue
        svg, caption, steps = chapters.mechanism(reader, iri)
        if not svg:
            assert not steps
            continue
        drawn += 1
        assert caption
        boxes = [tuple(map(float, b)) for b in re.findall(r'<rect x="([\d.-]+)" y="(\d+)" width="(\d+)" height="(\d+)"', svg)]
        width, height = (float(x) for x in re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0])
        for k, (x, y, w, h) in enumerate(boxes):
            assert 0 <= x <= x + w <= width
            assert 0 <= y <= y + h <= height
            assert not [o for o in boxes[k + 1 :] if x < o[0] + o[2] and o[0] < x + w and y < o[1] + o[3] and o[1] < y + h], path
        assert all(reader.claims[s].lines for s in steps)
        leads = [target(f"{path}.html", way)[0] for way in re.findall(r'<g class="\w+"><a href="([^"]*)"><rect', svg)]
        assert len(leads) == len(boxes), "every box leads to its page"
        assert set(leads) <= set(pages(site))
    assert drawn > 20


@pytest.mark.parametrize(("subject", "finding"), [("TRPM6", "HP:0002917"), ("Gitelman", "HP:0002900"), ("HOMG3", "variable:urine-calcium")])
def test_the_nearest_path_is_the_one_that_explain_tells_first(store: Store, subject: str, finding: str) -> None:
    first = paths.explain(store, subject, finding).paths[0]
    goal = (first.steps[-1].target, first.states()[-1])
    assert paths.nearest(store, subject, paths.steps(store))[goal].weight == first.weight


def test_bars_count_as_the_lines_do(reader: passages.Reader) -> None:
    found, _, _ = chapters.frequencies(reader, prefixes.expand("MONDO:0011176") or "")
    seizure = next(f for f in found if f.label == "Seizure")
    assert (seizure.n, seizure.m) == (27, 28)
    assert all(f.m is None or f.m > 1 for f in found)
    arrhythmia = next(f for f in found if f.label == "Arrhythmia")
    assert (arrhythmia.n, arrhythmia.m) == (0, 15)
    assert "0 of 15 (" in arrhythmia.told
    assert "), 0 %, 95 % interval 0 % to 20 %" in arrhythmia.told


def test_any_file_is_made_alone_as_it_lies_in_the_folder(site: Path) -> None:
    """What a server of the same addresses hands out is the file."""
    made = sites.Site(sources.Sources(ROOT))
    for name in KINDS:
        for suffix in ("html", "ttl", "jsonld"):
            assert made.read(f"{name}.{suffix}") == (site / f"{name}.{suffix}").read_bytes()
    others = ("index.html", "map.html", "data.html", "gene/index.html", "claim/fhsh-seizure.html", "style.css", "search-index.js", ".well-known/void",
              "download/hypomag.nq", "download/SHA256SUMS", "robots.txt", "void.ttl")  # fmt: skip
    for name in others:
        assert made.read(name) == (site / name).read_bytes(), name
    for name in ("", "index", "/index.html", "../index.html", f"{FHSH}.txt", "disease/MONDO_0000000.html", "disease"):
        assert made.read(name) is None
    files = {p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()}
    assert files == {*made.others, *(f"{s}.{x}" for s in made.subjects for x in ("html", "ttl", "jsonld")), sites.MANIFEST}


HOMG3, GITELMAN, BARTTER, BARTTER3 = "MONDO:0009550", "MONDO:0009904", "Bartter syndrome", "Bartter disease type 3"


def iri_of(reader: passages.Reader, name: str) -> str:
    return prefixes.expand(name) if name.startswith("MONDO:") else names.resolve(reader.store, name).value  # type: ignore[return-value]


def glance(reader: passages.Reader, name: str) -> dict[str, dict[str, str]]:
    return {head: {x.text: x.note for x in links} for head, links in pages_.entity(reader, iri_of(reader, name)).facts}


def test_at_a_glance_stands_what_most_patients_show(reader: passages.Reader) -> None:
    """Not what most lines of evidence speak of."""
    assert glance(reader, HOMG3)["laboratory"]["serum magnesium low"] == "33 of 34, pooled"
    assert "serum magnesium low" not in glance(reader, BARTTER3)["laboratory"]
    assert "serum magnesium normal" in glance(reader, BARTTER3)["laboratory"]
    assert "Pediatric onset" not in glance(reader, GITELMAN)["begins"], "two patients with a severe form"
    assert "Adult onset" in glance(reader, GITELMAN)["begins"]


def usual(reader: passages.Reader, name: str, variable: str) -> comparisons.Usual:
    found = comparisons.usual(reader.signatures[iri_of(reader, name)], names.resolve(reader.store, variable).value)
    assert found is not None
    return found


def test_a_state_is_told_in_the_words_of_its_claim(reader: passages.Reader) -> None:
    pth = usual(reader, "FHSH", "variable:parathyroid-hormone")
    assert (pth.value, pth.often, pth.record.claim.rpartition("/")[2]) == (
        "inappropriately low", "4 of 4", "fhsh-parathyroid-hormone-inappropriately-low")  # fmt: skip
    cells = {r.label: r.cells for r in comparisons.compare(reader.store, ["FHSH", "HOMG3"]).rows if r.section == "Laboratory"}
    cell = cells["Laboratory: circulating parathyroid hormone"][iri_of(reader, "FHSH")]
    assert (cell.value, cell.claims[0]) == ("inappropriately low", prefixes.shorten(pth.record.claim))


def test_half_or_fewer_are_some(reader: passages.Reader) -> None:
    potassium = usual(reader, GITELMAN, "variable:urine-potassium")
    assert (potassium.value, potassium.often) == ("low in very few", "very rare")
    assert usual(reader, BARTTER, "serum magnesium").value == "low or normal"
    assert usual(reader, BARTTER, "serum magnesium").often == "sources differ"


def test_no_frequency_is_printed_that_no_source_states(reader: passages.Reader, site: Path) -> None:
    stated = {f"{line.percent} %" for c in reader.claims.values() for line in c.lines if line.percent}
    for signature in reader.signatures.values():
        for variable in signature.laboratory:
            told = comparisons.usual(signature, variable)
            assert told is not None
            assert set(re.findall(r"[\d.]+ %", told.often)) <= stated
    assert not [p for p, text in pages(site).items() if p.startswith("disease/") and re.search(r"about \d+ %|\b(\w+) \1 \d+ %", text)]


def test_counts_that_hpo_pooled_are_no_cohort(reader: passages.Reader, site: Path) -> None:
    drawn, _, _ = chapters.frequencies(reader, iri_of(reader, HOMG3))
    wasting = next(f for f in drawn if f.label == "Renal magnesium wasting")
    assert (wasting.counted, wasting.source) == ("41 of 41, pooled", "HPO, pooled from 7 publications")
    assert "interval" not in wasting.told
    assert 'class="i"' not in charts.bars([wasting])
    line = next(x for c in reader.claims.values() for x in c.lines if len(reader.pooled(x.iri)) > 1)
    text = pages(site)[reader.path(line.source_iri)]
    assert "Cited by HPO among others" in text
    own = text.partition('<section id="says">')[2].partition("</section>")[0]
    assert "pooled" not in own


def test_every_band_is_drawn_where_sources_differ(reader: passages.Reader) -> None:
    drawn, narrowed, _ = chapters.frequencies(reader, iri_of(reader, GITELMAN))
    thrive = next(f for f in drawn if f.label == "Failure to thrive")
    assert thrive.counted == "very rare to frequent, sources differ"
    assert charts.bars([thrive]).count('class="s"') == 2
    assert thrive.told.index("very rare (Blanchard et al. 2017)") < thrive.told.index("frequent (Orphanet 358)")
    assert [f.counted for f in narrowed if f.label == "Chondrocalcinosis (adults)"] == ["15 %"]
    seizure = next(f for f in chapters.frequencies(reader, iri_of(reader, "FHSH"))[0] if f.label == "Seizure")
    assert seizure.others
    assert seizure.told.index(seizure.source) < seizure.told.index("other cohorts"), "the source stands behind its own count"


def test_disputes_push_no_statement_up(reader: passages.Reader) -> None:
    cause = next(s for s in pages_.entity(reader, iri_of(reader, GITELMAN)).sections if s.id == "cause")
    slugs = [s.slug for s in cause.groups[0].statements]
    assert slugs[-1] == "gitelman-causation-clcnkb"
    assert sorted(slugs[:-1]) == ["gitelman-causation-slc12a3", "gitelman-causation-slc12a3-germline"]


def test_the_mechanism_begins_at_accepted_genes(reader: passages.Reader) -> None:
    svg, _, _ = chapters.mechanism(reader, iri_of(reader, GITELMAN))
    assert "How loss of SLC12A3 leads to the findings" in svg
    assert "CLCNKB" not in re.sub(r"<g class=.(?!plain).*?</g>", "", svg)
    svg, caption, _ = chapters.mechanism(reader, iri_of(reader, BARTTER))
    genes = {reader.facts.label(g) for g in chapters._genes(reader, iri_of(reader, BARTTER))}
    roots = set(re.findall(r'<g class="plain">.*?<tspan[^>]*>(\S+) (?:lost|changed|gained)<', svg))
    assert len(roots) > 3
    assert roots | set(re.findall(r"from ([A-Z0-9, ]+) to a finding", caption)) == genes
    assert " or " in re.findall(r'<title id="m-t">(.*?)</title>', svg)[0]


def test_conflicts_are_of_the_same_patients(reader: passages.Reader) -> None:
    def pairs(name: str) -> list[set[str]]:
        tables, _ = chapters.conflicts(reader, iri_of(reader, name))
        return [{link.text for cell in row for link in cell} for t in tables for row in t.rows]

    assert any("HOMG2 shows no hypokalemia" in p for p in pairs("HOMG2"))
    # Of the 15 treated patients on the one hand, of any on the other.
    assert not any("15 treated" in text or "Untreated FHSH" in text for p in pairs("FHSH") for text in p)


def test_neighbours_are_those_that_differ_most(reader: passages.Reader) -> None:
    """By values that differ and claims that tell apart; the rest is named; what does not differ stands apart."""
    tables, further = neighbours.beside(reader, iri_of(reader, "FHSH"))
    beside, same = tables
    assert beside.head[:2] == ("Laboratory value", "FHSH")
    assert {"HOMG3", "HOMG5", "Gitelman", "HOMG2"} <= set(beside.head)
    for row in beside.rows:
        assert len({cell[0].text for cell in row[1:]} - {"?"}) > 1, row
    assert "serum magnesium" in {row[0][0].text for row in same.rows}
    (links,) = further
    assert links.heading.startswith(f"{len(links.links)} more")
    assert "ADH1" in {link.text for link in links.links}
    assert not {link.text for link in links.links} & set(beside.head)
    groups = {reader.short(d) or reader.facts.label(d) for d in reader.signatures if reader.facts.pointing(d, "rdfs:subClassOf")}
    assert not groups & {*beside.head, *(link.text for link in links.links)}
    (apart,) = neighbours.told_apart(reader, iri_of(reader, "FHSH"))
    assert not [row for row in apart.rows if row[2][0].text == row[3][0].text == "?"]
    assert not any("no difference" in link.text for row in apart.rows for cell in row for link in cell)
    *_, alike = neighbours.told_apart(reader, iri_of(reader, "HOMG6"))
    assert alike.head[0] == "Not told from"
    assert any(row[0][0].text == "HOMGSMR1" for row in alike.rows)


def test_limits_stand_by_quantity_and_targets_with_treatment(reader: passages.Reader) -> None:
    page = pages_.entity(reader, iri_of(reader, GITELMAN))
    texts = {s.id: [row[0][0].text for t in s.tables if t.head[0] in ("Limit", "Target") for row in t.rows] for s in page.sections}
    assert not [x for x in texts["diagnosis"] if "aims at" in x]
    assert len([x for x in texts["treatment"] if "aims at" in x]) == 2
    limits = limits_.tabulate(reader, iri_of(reader, GITELMAN))
    assert limits is not None
    anyone = [float(row[1][0].text.split()[1]) for row in limits.rows if row[4][0].text == "any age" and row[1][0].text != "–"]
    assert anyone == sorted(anyone)
    targets = limits_.tabulate(reader, iri_of(reader, GITELMAN), targets=True)
    assert targets is not None
    assert [row[1][0].text for row in targets.rows if "potassium" in row[0][0].text] == ["> 3 (≈)"], "equal to 3 meq/L"


def test_ranges_of_limits_are_converted_too(reader: passages.Reader) -> None:
    """Both ends, with no more digits than the source states."""
    limits = limits_.tabulate(reader, iri_of(reader, "FHSH"))
    assert limits is not None
    (row,) = [row for row in limits.rows if "10 to 30 mg a day" in row[0][0].text]
    assert [link.text for link in row[3]] == ["> 10 to 30 mg/d", "> 0.41 to 1.2 mmol/d (≈)"]


def test_marks_are_explained_and_say_no_twice_no(site: Path) -> None:
    seen = 0
    for page, text in pages(site).items():
        used = {m for s in said(text) for m in re.findall(r"<em[^>]*>([^<]*)</em>", s)}
        assert "absent" not in used
        legend = re.findall(r'<p class="also marks">(.*?)</p>', text)
        assert set(re.findall(r"<em[^>]*>([^<]*)</em>", "".join(legend))) == used, page
        seen += bool(used)
    assert seen > 50


def test_lines_lead_out_where_the_source_has_an_address(site: Path, reader: passages.Reader) -> None:
    text = pages(site)["disease/MONDO_0009550.html"]
    for line in re.findall(
        r"<li[^>]*>(?:<i>Against:</i> )?(?:<b>[^<]*</b> )?<a href=\"\.\./(publication/[^\"]*)\">([^<]*)</a>(.{9})", text
    ):
        source = next(i for p, i in reader.facts.pages.items() if f"{p}.html" == line[0])
        assert line[2].startswith(" <a href=") is bool(reader.way_out(source) and "pooled" not in line[1]), line
    heavy = pages(site)[f"{FHSH}.html"]
    lines = re.findall(r'<li[^>]*>(?:<i>Against:</i> )?(?:<b>[^<]*</b> )?<a href="([^"]*)">[^<]*</a>( <a href=")?', "".join(said(heavy)))
    out = {f"../{reader.path(i)}" for i in reader.facts.pages.values() if reader.path(i).startswith("publication/") and reader.way_out(i)}
    assert len(lines) > 400
    assert not [way for way, more in lines if not more and way in out], "each line leads out, if its source has an address"
    assert sum(outside(way) or bool(more) for way, more in lines) > 200
    without = [p for p, t in pages(site).items() if p.startswith("publication/") and "no address that a browser can open" in t]
    assert len(without) > 50


def test_a_shared_step_carries_no_count_of_another_disease(reader: passages.Reader) -> None:
    works = next(s for s in pages_.entity(reader, iri_of(reader, GITELMAN)).sections if s.id == "works")
    elsewhere = [s for g in works.groups for s in g.statements if not s.here]
    assert elsewhere
    assert not [s for s in elsewhere if s.often]


def test_lines_that_read_alike_stand_once(site: Path) -> None:
    repeated = 0
    for page, text in pages(site).items():
        if page.startswith("disease/MONDO"):
            for block in re.findall(r'<ul id="[^"]*">(.*?)</ul>', text, re.DOTALL):
                lines = re.findall(r"<li.*?(?=<li|$)", block, re.DOTALL)
                assert len(lines) == len(set(lines)), (page, block[:200])
            repeated += text.count("2 such lines")
    assert repeated


def test_a_term_out_of_use_is_called_so(site: Path) -> None:
    head = pages(site)[f"{FHSH}.html"].partition('<div class="body">')[0]
    assert "OBSOLETE" not in head
    assert "Familial primary hypomagnesemia with normocalciuria and normocalcemia <small>no longer in use there</small>" in head


def test_what_it_is_says_what_it_is(reader: passages.Reader) -> None:
    what = pages_.entity(reader, iri_of(reader, GITELMAN)).sections[0]
    assert what.lead.startswith(
        "An autosomal recessive disease by loss of SLC12A3, seated in the distal convoluted tubule, with serum magnesium low"
    )
    assert pages_.entity(reader, iri_of(reader, "FHSH")).sections[0].lead.startswith("An autosomal recessive disease by loss of TRPM6")


def test_an_annotation_is_named_by_what_the_page_is_not_about(site: Path) -> None:
    text = pages(site)["disease/MONDO_0009550.html"]
    assert "Renal magnesium wasting (HPO annotation)" in text
    assert "is annotated to" not in "".join(said(text))


def test_a_known_address_stands_in_the_data(hosted: sites.Site) -> None:
    front = quoted((hosted.read("index.html") or b"").decode())
    block = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', front)[0])["@graph"][0]
    assert block["url"] == HOST
    assert {d["contentUrl"] for d in block["distribution"]} >= {f"{HOST}download/hypomag.nq"}
    assert b"void:dataDump" in (hosted.read("void.ttl") or b"")


def test_a_disputed_sign_is_no_sign_for_search_engines(site: Path, reader: passages.Reader) -> None:
    fhsh = iri_of(reader, "FHSH")
    told = [(reader.facts.one(c, "hm:object"), s) for c, s in reader.claims.items() if s.kind == "PhenotypeClaim" and s.polarity == "present"
            and reader.facts.one(c, "hm:subject") == fhsh]  # fmt: skip
    disputed = {sign for sign, s in told if s.disputed}
    clear = {sign for sign, s in told if not s.disputed and s.status == "accepted"}
    block = re.findall(r'<script type="application/ld\+json">(.*?)</script>', pages(site)[f"{FHSH}.html"])[0]
    signs = {s["@id"] for s in json.loads(block)["@graph"][0]["signOrSymptom"]}
    assert disputed - clear
    assert not signs & (disputed - clear)


def test_the_map_marks_what_is_not_settled(site: Path) -> None:
    text = pages(site)["map.html"]
    assert 'class="unsure"' in text.replace("class=unsure", 'class="unsure"')
    assert re.search(r"<small>[^<]*(provisional|disputed)</small>", text.partition("<table>")[2])


def test_without_the_template_engine_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(errors.InputError, match="jinja2") as found:
        renderings.environment()
    assert found.value.remedy == "pip install jinja2"
