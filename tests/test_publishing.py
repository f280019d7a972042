"""Publishing: same bytes anywhere, only what changed, a built graph, what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from hypomag import sites, sources
from tests.conftest import ROOT, copied, hypomag
from tests.test_cli import told
from tests.test_sites import FHSH


@pytest.fixture(scope="module")
def elsewhere(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources in another folder."""
    copy = tmp_path_factory.mktemp("elsewhere") / "sources"
    copied(built, copy)
    return copy


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_same_bytes_and_only_what_changed(site: Path, elsewhere: Path) -> None:
    """Another folder, hash seed and clock give the same site; one edited file then touches only what depends on it."""
    out = elsewhere.parent / "site"
    done = hypomag("publish", str(out), "--graph-dir", str(elsewhere), PYTHONHASHSEED="4711", TZ="Asia/Tokyo", SOURCE_DATE_EPOCH="1")
    assert done.returncode == 0, done.stderr
    ours, theirs = contents(site), contents(out)
    assert set(ours) == set(theirs)
    assert not [name for name in ours if ours[name] != theirs[name]]

    again = hypomag("publish", str(out), "--graph-dir", str(elsewhere), "--list")
    assert "nothing has changed" in again.stderr
    assert again.stdout == ""

    (out / "mine.txt").write_text("not of the site", encoding="utf-8")
    (out / f"{FHSH}.html").write_text("altered", encoding="utf-8")
    file = elsewhere / "ontology" / "diseases" / "homg4.ttl"
    before, after = "Renal hypomagnesemia 4", "Renal hypomagnesemia four"
    text = file.read_text(encoding="utf-8")
    claim = re.search(r'^claim:(\S+)\n    a hm:\w+ ;\n    rdfs:label "([^"]*)"@en', text, re.MULTILINE)
    assert claim, (before, after)
    file.write_text(text.replace(f'"{claim[2]}"@en', f'"{claim[2]}, as edited"@en'), encoding="utf-8")
    done = hypomag("publish", str(out), "--graph-dir", str(elsewhere), "--list")
    written = {line.removeprefix("written ") for line in done.stdout.splitlines()}
    edited = contents(out)
    changed = {name for name in theirs if theirs[name] != edited[name]}
    assert written == {n for n in changed if n != sites.MANIFEST} | {f"{FHSH}.html"}  # what was altered is mended
    assert theirs[f"{FHSH}.html"] == edited[f"{FHSH}.html"]
    assert f"claim/{claim[1]}.html" in written
    assert "disease/MONDO_0012717.html" in written
    entities = {w for w in written if w.startswith(("disease/", "gene/", "phenotype/", "publication/")) and w.endswith(".html")}
    assert len(entities) < 20
    assert all(b"as edited" in edited[e] for e in entities - {f"{FHSH}.html"})
    assert edited["mine.txt"] == b"not of the site"


def test_publishing_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    told(hypomag("publish", str(tmp_path)), 2, "holds something other than a site", "name a new or empty folder")
    told(hypomag("publish", str(tmp_path / "letter.txt")), 2, "holds something other than a site")
    told(hypomag("publish", str(tmp_path / "new"), "--base-url", "example.org"), 2, "is no web address", "https://")
    told(hypomag("publish", str(tmp_path / "new"), "--graph-dir", str(tmp_path / "none")), 2, "no such folder")
    assert not (tmp_path / "new").exists()


def test_a_built_graph_is_published_too(site: Path, tmp_path: Path) -> None:
    """Without sources: the pages are the same; only the downloads come from the build."""
    for name in ("shapes", "queries"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for place in (site / "download").glob("hypomag.*"):
        shutil.copy(place, tmp_path)
    found = sites.Site(sources.Sources(tmp_path))
    for name in (f"{FHSH}.html", "gene/HGNC_17995.ttl", "download/hypomag.ttl"):
        assert found.read(name) == (site / name).read_bytes()
