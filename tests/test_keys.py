"""Names in a sorted file: found as by reading every label, in a build, in memory and in a linked graph alike."""

from __future__ import annotations

import shutil
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Store

from hypomag import graph, keys, names

TEXTS = st.text(alphabet="aAbßé -_\t\n", max_size=5)
NAMED = st.lists(st.tuples(st.sampled_from(sorted(keys.KINDS)), st.sampled_from(["http://a/1", "http://a/2", "http://a/3"]), TEXTS))


@given(NAMED, TEXTS)
def test_a_name_is_found_as_by_reading_all(named: list[tuple[str, str, str]], wanted: str) -> None:
    content = keys.packed(keys.line(*each) for each in named)
    read = {(keys.KINDS[predicate], iri) for predicate, iri, text in named if keys.folded(text) == keys.folded(wanted)}
    found = list(keys.find(content, wanted))
    assert set(found) == read
    assert len(found) == len(read)


def test_a_build_has_the_names_of_its_graph(built: Path, store: Store) -> None:
    assert (built / keys.FILE).read_bytes() == keys.packed(keys.lines(graph.open_built(built))) == keys.packed(keys.lines(store))


def test_a_lookup_in_a_build_reads_the_file(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "copy")
    file = tmp_path / "copy" / keys.FILE
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(line for line in lines if not line.startswith(b"fhsh\t")))
    assert not names.bearers(graph.open_built(tmp_path / "copy"), "FHSH")
    file.unlink()  # a build of an earlier version has none
    assert names.bearers(graph.open_built(tmp_path / "copy"), "FHSH")


def test_many_stores_are_opened_and_let_go(built: Path) -> None:
    opened = [graph.open_built(built) for _ in range(20)]
    assert len(keys._BESIDE) <= 8
    assert [n.value for n in names.bearers(opened[0], "FHSH")] == [n.value for n in names.bearers(opened[-1], "FHSH")]
