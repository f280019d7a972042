"""The command line as a user meets it: exit codes, streams, bad input, interrupted work."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import RdfFormat, parse

from tests.conftest import ROOT, hypomag


def told(done: subprocess.CompletedProcess[str], status: int, *parts: str) -> None:
    """One clear line and a remedy, no traceback, the right exit status."""
    assert done.returncode == status, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) <= 4, done.stderr


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "xml", "md", "table"])
def test_row_formats_carry_the_same_rows(form: str) -> None:
    ask = "SELECT ?gene ?label WHERE { MONDO:0011176 RO:0004002 ?gene . ?gene rdfs:label ?label }"
    out = hypomag("query", "-e", ask, "--format", form).stdout
    assert "TRPM6" in out
    if form == "csv":
        assert list(csv.reader(io.StringIO(out))) == [["gene", "label"], ["http://identifiers.org/hgnc/17995", "TRPM6"]]
    if form == "json":
        assert json.loads(out)["results"]["bindings"][0]["label"] == {"type": "literal", "value": "TRPM6", "xml:lang": "en"}


def test_graph_formats_carry_the_same_graph() -> None:
    ask = "CONSTRUCT { ?s rdfs:label ?o } WHERE { ?s a hm:MechanismStep ; rdfs:label ?o }"
    found = {}
    for form, reader in (
        ("turtle", RdfFormat.TURTLE),
        ("nt", RdfFormat.N_TRIPLES),
        ("rdfxml", RdfFormat.RDF_XML),
        ("jsonld", RdfFormat.JSON_LD),
    ):
        found[form] = {q.triple for q in parse(hypomag("query", "-e", ask, "--format", form).stdout, format=reader)}
    assert len(found["nt"]) > 20
    assert all(graph == found["nt"] for graph in found.values())


def test_ask_says_yes_or_no() -> None:
    assert hypomag("query", "-e", "ASK { MONDO:0011176 RO:0004002 HGNC:17995 }", "--format", "table").stdout == "yes\n"
    assert hypomag("query", "-e", "ASK { MONDO:0011176 RO:0004002 HGNC:1 }", "--format", "table").stdout == "no\n"


def test_a_query_comes_from_a_name_a_file_or_standard_input(tmp_path: Path) -> None:
    text = "SELECT ?x WHERE { ?x a hm:CausationClaim } ORDER BY ?x"
    file = tmp_path / "mine.rq"
    file.write_text(text, encoding="utf-8")
    outputs = {hypomag("query", str(file)).stdout, hypomag("query", "-", stdin=text).stdout, hypomag("query", "-e", text).stdout}
    assert len(outputs) == 1
    assert hypomag("query", "which-genes").returncode == 0


@pytest.mark.parametrize(
    "spelling", ["FHSH", "ORPHA:30924", "https://omim.org/entry/602014", "intestinal hypomagnesemia 1", "MONDO:0011176"]
)
def test_a_binding_takes_any_name(spelling: str) -> None:
    assert (
        hypomag("query", "which-genes", "--bind", f"disease={spelling}").stdout
        == hypomag("query", "which-genes", "-b", "disease=HSH").stdout
    )


def test_a_query_that_says_from_reads_those_graphs_alone() -> None:
    ask = "SELECT (COUNT(*) AS ?n) {} WHERE {{ ?s ?p ?o }}"
    whole, one, two = (
        int(hypomag("query", "-e", ask.format(given)).stdout.split()[1])
        for given in ("", "FROM graph:terms", "FROM graph:terms FROM graph:mappings")
    )
    assert 0 < one < two < whole


def test_an_empty_folder_and_any_folder_give_the_same(tmp_path: Path) -> None:
    assert hypomag("query", "which-genes", cwd=tmp_path).stdout == hypomag("query", "which-genes", cwd=ROOT).stdout


def test_the_current_folder_is_never_read_silently(tmp_path: Path) -> None:
    (tmp_path / "ontology").mkdir()
    assert hypomag("query", "which-genes", cwd=tmp_path).returncode == 0
    told(hypomag("query", "which-genes", "--graph-dir", str(tmp_path / "nowhere")), 2, "no such folder (--graph-dir)")
    told(hypomag("query", "which-genes", HYPOMAG_HOME=str(tmp_path / "nowhere")), 2, "$HYPOMAG_HOME")


def test_a_built_folder_is_a_graph(built: Path, tmp_path: Path) -> None:
    ours = hypomag("query", "which-genes").stdout
    assert hypomag("query", "which-genes", "--graph-dir", str(built)).stdout == ours
    assert hypomag("query", "which-genes", HYPOMAG_HOME=str(built)).stdout == ours


def test_a_store_that_does_not_open_is_made_once_in_the_cache(built: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "build"
    shutil.copytree(built, copy)
    shutil.rmtree(copy / "store")
    (copy / "store").mkdir()
    first = hypomag("query", "which-genes", "--graph-dir", str(copy), XDG_CACHE_HOME=str(tmp_path / "cache"))
    second = hypomag("query", "which-genes", "--graph-dir", str(copy), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert f"the store of {copy} did not open" in first.stderr
    assert second.stderr == ""
    assert first.stdout == second.stdout == hypomag("query", "which-genes").stdout
    nowhere = hypomag("query", "which-genes", "--graph-dir", str(copy), XDG_CACHE_HOME="/proc/nowhere")
    assert nowhere.stdout == first.stdout


BAD_QUERIES = [
    ("SELECT ?x WHERE { ?x ?p }", "-e:1:26: "),
    ("SELECT ?x WHERE { nope:a ?p ?x }", "neither declared nor ours"),
    ("SELECT ?x\nWHERE { ?x ?p 'open }", "-e:2:"),
    ("", "the query is empty"),
    ("INSERT DATA { <a:a> <a:b> <a:c> }", "an update"),
    ("SELECT ?x { SERVICE <http://127.0.0.1:1/> { ?x ?y ?z } }", "SERVICE"),
    ("SELECT ?x { FILTER(" + "!" * 50_000 + "true) }", "operators"),
    ("SELECT ?x { BIND(" + "1+" * 50_000 + "1 AS ?x) }", "operators"),
    ("SELECT " + "?x" * 3 + " {" + "{" * 5000 + "}" * 5000 + "}", "-e"),
]


@pytest.mark.parametrize(("text", "part"), BAD_QUERIES, ids=range(len(BAD_QUERIES)))
def test_a_bad_query_is_told(text: str, part: str) -> None:
    told(hypomag("query", "-e", text), 2, part)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["query", "which-gene"], ["no query named", "which-genes"]),
        (["query", "zzz"], ["no query named", "hypomag queries"]),
        (["query", "which-genes", "--bind", "disease=NoSuchThing"], ["nothing in the graph is called"]),
        (["query", "which-genes", "--bind", "nonsense=FHSH"], ["no result column ?nonsense", "?disease"]),
        (["query", "which-genes", "--bind", "disease"], ["VAR=TERM"]),
        (["query", "which-genes", "--format", "turtle"], ["this query gives rows"]),
        (["query", "/no/such/file.rq"], ["/no/such/file.rq: No such file"]),
        (["query", "./"], ["is a folder"]),
        (["show", "hypomagnesemi"], ["nothing in the graph is called", "did you mean"]),
        (["explain", "MAXO:0001149", "seizure"], ["acts through no variable"]),
        (["export", "--format", "turtle", "-o", "/no/such/folder/x.ttl"], ["No such file"]),
        (["build", "-o", "/proc/build"], ["cannot be written"]),
        (["validate", "/no/such.ttl"], ["no such file"]),
        (["validate", "/usr"], ["is a folder"]),
        (["fmt", "/no/such.ttl"], ["No such file"]),
        (["queries", "--tag", "zzz"], ["no question has the tag", "tags: "]),
    ],
)  # fmt: skip
def test_bad_arguments_are_told(arguments: list[str], parts: list[str]) -> None:
    told(hypomag(*arguments), 2, *parts)


def test_usage_errors_exit_2() -> None:
    for arguments in (["query"], ["query", "a", "-e", "b"], ["export"], ["nonsense"], ["export", "--format", "doc"]):
        done = hypomag(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


BAD_FILES = {
    "syntax.ttl": (b"<a:a> <a:b>\n  'open .", ":2:"),
    "prefix.ttl": (b"nope:a nope:b nope:c .", ":1:"),
    "binary.ttl": (bytes(range(256)) * 50, ""),
    "latin.ttl": ('<a:a> <a:b> "é" .'.encode("latin-1"), ":1"),
    "utf16.ttl": ("<a:a> <a:b> <a:c> .".encode("utf-16"), ""),
    "nothing.xyz": (b"hello", "no RDF format"),
    "cut.rdf": (b"<?xml version='1.0'?><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>", ""),
    "cut.jsonld": (b'{"@context": {"a": "http://a/"}, "@id": ', ""),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_told(name: str, tmp_path: Path) -> None:
    content, place = BAD_FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    told(hypomag("validate", str(path)), 2, f"{path}{place}" if place.startswith(":") else place, str(path))
    if name.endswith(".ttl"):
        told(hypomag("fmt", str(path)), 2, str(path))
        assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b'{"a":' * 3000 + b"1" + b"}" * 3000, b"[" * 100_000])
def test_deep_nesting_does_not_break_it(content: bytes, tmp_path: Path) -> None:
    for name in ("deep.jsonld", "deep.ttl"):
        path = tmp_path / name
        path.write_bytes(content)
        done = hypomag("validate", str(path))
        assert done.returncode in (0, 2), done.stderr
        assert "Traceback" not in done.stderr


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        # root reads everything: a broken link is what nobody can read
        path = tmp_path / "x.ttl"
        path.symlink_to(tmp_path / "gone")
    else:
        path = tmp_path / "x.ttl"
        path.write_text("<a:a> <a:b> <a:c> .")
        path.chmod(0)
    told(hypomag("fmt", str(path)), 2, str(path))


def test_a_huge_literal_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "huge.ttl"
    path.write_text(f'<a:a> <a:b> "{"x" * 3_000_000}" .', encoding="utf-8")
    done = hypomag("fmt", str(path))
    assert done.returncode == 0
    assert path.stat().st_size > 3_000_000


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200),
    st.sampled_from(["validate", "fmt", "query", "lift", "export"]),
    st.sampled_from(["x.ttl", "x.rq", "x.jsonld", "x.rdf"]),
)
def test_no_bytes_make_a_traceback(tmp_path: Path, content: bytes, command: str, name: str) -> None:
    """Every command that reads a file, on anything."""
    path = tmp_path / name
    path.write_bytes(content)
    arguments = {
        "lift": ["lift", "FHSH", "--hpoa", str(path), "--obo", str(path), "-o", "-", "--graph-dir", str(ROOT)],
        "export": ["export", "--format", "nt", "--graph-dir", str(tmp_path)],  # a build folder with anything in it
    }.get(command, [command, str(path)])
    (tmp_path / "hypomag.nq").write_bytes(content)
    done = hypomag(*arguments, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    assert "panicked" not in done.stderr


ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


def test_a_timeout_is_kept() -> None:
    start = time.monotonic()
    done = hypomag("query", "-e", ENDLESS, "--timeout", "1")
    assert time.monotonic() - start < 20
    told(done, 2, "took longer than 1 s")
    assert done.stdout == ""


def test_ctrl_c_stops_an_endless_query_at_once() -> None:
    process = subprocess.Popen([sys.executable, "-m", "hypomag", "query", "-e", ENDLESS], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode in (130, -signal.SIGINT)
    assert out == b""
    assert b"Traceback" not in err


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m hypomag export --format nt | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


def test_output_does_not_depend_on_the_hash_seed() -> None:
    for arguments in (
        ["query", "which-genes"],
        ["show", "FHSH"],
        ["coverage"],
        ["explain", "TRPM6", "seizure"],
        ["export", "--format", "trig"],
    ):
        outputs = {hypomag(*arguments, PYTHONHASHSEED=seed).stdout for seed in ("1", "2")}
        assert len(outputs) == 1, arguments


def test_a_killed_build_leaves_the_earlier_one(checkout: Path) -> None:
    before = {p.name: p.read_bytes() for p in (checkout / "build").iterdir() if p.is_file()}
    for delay in (0.3, 0.8, 1.5):
        process = subprocess.Popen(
            [sys.executable, "-m", "hypomag", "build", "--force", "--graph-dir", str(checkout)], stderr=subprocess.DEVNULL
        )
        time.sleep(delay)
        process.kill()
        process.wait()
        assert {p.name: p.read_bytes() for p in (checkout / "build").iterdir() if p.is_file()} == before
        assert hypomag("query", "which-genes", "--graph-dir", str(checkout)).returncode == 0
    assert hypomag("build", "--force", "--graph-dir", str(checkout)).returncode == 0
    assert sorted(p.name for p in checkout.iterdir()) == ["build", "ontology", "queries", "shapes"]


def test_a_build_with_nothing_changed_changes_nothing(checkout: Path) -> None:
    stamp = (checkout / "build" / "manifest.json").stat().st_mtime_ns
    again = hypomag("build", "--graph-dir", str(checkout))
    assert "nothing has changed" in again.stderr
    assert (checkout / "build" / "manifest.json").stat().st_mtime_ns == stamp
    with (checkout / "ontology" / "diseases" / "fhsh.ttl").open("a", encoding="utf-8") as handle:
        handle.write("\n")
    assert "built" in hypomag("build", "--graph-dir", str(checkout)).stderr


def test_the_shell_completes_commands_and_questions() -> None:
    script = hypomag(_HYPOMAG_COMPLETE="bash_source")
    assert "_HYPOMAG_COMPLETE=bash_complete" in script.stdout
    for words, expected in (("hypomag que", "query"), ("hypomag query which-g", "which-genes"), ("hypomag export --format tu", "turtle")):
        done = hypomag(_HYPOMAG_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split()) - 1))
        assert f"plain,{expected}" in done.stdout


def test_a_slow_path_is_warned_of() -> None:
    done = hypomag("query", "-e", "SELECT ?x { ?x a/rdfs:subClassOf* hm:Dose } ORDER BY ?x", "--timeout", "60")
    assert done.returncode == 0
    assert "very slow here" in done.stderr


def test_a_build_never_replaces_what_is_no_build(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("all my work")
    told(hypomag("build", "-o", str(precious), "--graph-dir", str(ROOT)), 2, "holds something other than a build")
    assert (precious / "thesis.txt").read_text() == "all my work"
    file = tmp_path / "file"
    file.write_text("mine")
    told(hypomag("build", "-o", str(file), "--graph-dir", str(ROOT)), 2, "holds something other than a build")
    assert file.read_text() == "mine"


def damaged(built: Path, tmp_path: Path) -> Path:
    import shutil

    copy = tmp_path / "damaged"
    shutil.copytree(built, copy)
    return copy


def test_damaged_builds_are_told_or_mended(built: Path, tmp_path: Path) -> None:
    ours = hypomag("query", "which-genes", "--graph-dir", str(built)).stdout
    cache = str(tmp_path / "cache")
    copy = damaged(built, tmp_path)
    (copy / "store" / "CURRENT").write_text("junk")
    assert hypomag("query", "which-genes", "--graph-dir", str(copy), XDG_CACHE_HOME=cache).stdout == ours
    nq = copy / "hypomag.nq"
    nq.write_bytes(nq.read_bytes()[:100_003])
    told(hypomag("query", "which-genes", "--graph-dir", str(copy), XDG_CACHE_HOME=cache), 2, "hypomag.nq", "damaged")
    nq.unlink()
    told(hypomag("query", "which-genes", "--graph-dir", str(copy)), 2, "holds neither")


def test_two_at_once_make_one_cache(built: Path, tmp_path: Path) -> None:
    import shutil

    copy = damaged(built, tmp_path)
    shutil.rmtree(copy / "store")
    env = {k: v for k, v in os.environ.items() if k != "HYPOMAG_HOME"} | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "hypomag", "query", "which-genes", "--graph-dir", str(copy)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) for _ in range(3)]
    answers = [p.communicate(timeout=60) for p in both]
    assert len({out for out, _ in answers}) == 1
    assert not any("Traceback" in err for _, err in answers)
    assert len([p for p in (tmp_path / "cache" / "hypomag").iterdir() if not p.name.startswith(".")]) == 1


def test_a_full_disk_is_told() -> None:
    for arguments in ("query which-genes", "show FHSH", "export --format nt", "--help"):
        done = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m hypomag {arguments} > /dev/full"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, arguments
        assert "No space left" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_catalogue_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    import shutil

    for name in ("ontology", "shapes", "queries"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "queries" / "bad.rq").write_bytes("#+ summary: é?\n".encode("latin-1"))
    told(hypomag("queries", "--graph-dir", str(tmp_path)), 2, "bad.rq:1: not UTF-8")
    (tmp_path / "queries" / "bad.rq").unlink()
    (tmp_path / "shapes" / "broken.ttl").write_text("shapes:x a")
    told(hypomag("validate", "--graph-dir", str(tmp_path)), 2, "broken.ttl:1")
    (tmp_path / "shapes" / "broken.ttl").unlink()
    (tmp_path / "ontology" / "mappings.sssom.tsv").write_text("not\tsssom\n1\t2\n")
    told(hypomag("validate", "--graph-dir", str(tmp_path)), 2, "mappings.sssom.tsv")


@pytest.mark.parametrize("value", ["http://x y>", "", "<a b>", "http://a/{}"])
def test_a_binding_that_is_no_term_is_told(value: str) -> None:
    done = hypomag("query", "which-genes", "--bind", f"disease={value}")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("seconds", ["inf", "nan", "1e300", "0", "-1", "soon"])
def test_a_timeout_that_is_none_is_refused(seconds: str) -> None:
    done = hypomag("query", "which-genes", "--timeout", seconds)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_two_at_once_both_answer(built: Path) -> None:
    command = [sys.executable, "-m", "hypomag", "query", "which-genes", "--graph-dir", str(built)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [p.communicate(timeout=60)[0] for p in both]
    assert outputs[0] == outputs[1] != ""
    assert [p.returncode for p in both] == [0, 0]
