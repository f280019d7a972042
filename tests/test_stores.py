"""Real stores: loaded, asked, spoiled on the way, cut off in the swap, emptied. Oxigraph always; the others by make test-stores."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, parse

from hypomag import bundles, exports, loads, queries, results, sources, stores, swaps
from hypomag.errors import GraphUnavailable, InputError, StoreError
from tests import servers
from tests.conftest import ROOT, hypomag
from tests.servers import CUT, HALF, HANG, LOSE, PASS, Proxy, Request, Server

CATALOGUE = queries.catalogue(sources.find(ROOT))
FOREIGN = "https://example.org/theirs"
LINKED = "http://purl.obolibrary.org/obo/some.owl"

# Questions that a store answers wrongly, by its own fault (docs/stores.md says which). A test fails when the fault is gone.
UNEQUAL: dict[str, set[str]] = {
    "oxigraph": set(),
    "fuseki": set(),
    "rdf4j": set(),
    "virtuoso": set(),
}
# The same with a column bound.
UNEQUAL_BOUND: dict[str, set[tuple[str, str]]] = {
    "oxigraph": set(),
    "fuseki": set(),
    "rdf4j": {("magnesium-how-often", "state")},
    "virtuoso": {("causes-of-a-finding", "state")},
}


# A store stays with one worker: make test-stores runs two.
KINDS = [pytest.param(k, marks=[pytest.mark.xdist_group(k), *([] if k == "oxigraph" else [pytest.mark.stores])]) for k in servers.SERVERS]


@pytest.fixture(scope="module", params=KINDS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as server:
        yield server


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    for name, value in running.login.items():
        monkeypatch.setenv(name, value)
    return running


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    found = Proxy(server.url)
    yield found
    found.close()


def quad(graph: str, number: int, value: str) -> Quad:
    return Quad(
        NamedNode(f"https://example.org/s{number % 7}"), NamedNode(f"https://example.org/p{number}"), Literal(value), NamedNode(graph)
    )


def release(version: str, **graphs: int) -> swaps.Plan:
    """A small graph: so many triples in each named graph, which differ from release to release."""
    store = Store()
    for name, count in graphs.items():
        graph = LINKED if name == "linked" else sources.GRAPHS + name
        store.extend(quad(graph, number, f'{version} {number} é\n"x"') for number in range(count))
    return swaps.Plan(version, {g.value: swaps.Part(g.value, store) for g in sorted(store.named_graphs(), key=str)})


ONE = release("1", claims=300, mappings=40, linked=9)
TWO = release("2", claims=300, terms=50, linked=9)


def held(server: Server, *, record: bool = False) -> set[tuple[str, ...]]:
    """All that a store holds in our graphs and in the foreign one, but for the record of loads."""
    with stores.reach(server.url) as remote:
        rows = remote.rows("SELECT ?g ?s ?p ?o WHERE { GRAPH ?g { ?s ?p ?o } }")
    ours = (sources.BASE, FOREIGN, LINKED)
    return {tuple(map(str, r)) for r in rows if r[0].value.startswith(ours) and (record or r[0].value != swaps.RECORD)}


def content(plan: swaps.Plan) -> set[tuple[str, ...]]:
    return {(str(q.graph_name), str(q.subject), str(q.predicate), str(q.object)) for p in plan.parts.values() for q in p.quads()}


def load(url: str, plan: swaps.Plan, *, kind: str | None = None, timeout: float = 60) -> loads.Report:
    with stores.reach(url, kind, timeout=timeout) as remote:
        return loads.load(remote, plan)


@pytest.fixture
def foreign(server: Server) -> set[tuple[str, ...]]:
    """A store with a graph of somebody else, release 1, and nothing more."""
    with stores.reach(server.url) as remote:
        loads.removal(remote, TWO)
        loads.removal(remote, ONE)
        swaps.drop(remote, [LINKED])
        remote.put(FOREIGN, b'<urn:a> <urn:b> "theirs" .\n')
    load(server.url, ONE)
    theirs = {(f"<{FOREIGN}>", "<urn:a>", "<urn:b>", '"theirs"')}
    assert held(server) == content(ONE) | theirs
    return theirs


# The whole graph


@pytest.fixture(scope="module")
def filled(running: Server, pytestconfig: pytest.Config) -> Server:
    done = hypomag("load", running.url, "--graph-dir", str(ROOT), **running.login)
    assert done.returncode == 0, done.stderr
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{running.kind} {running.version}: {done.stderr.strip()}")
    return running


@pytest.fixture
def whole(filled: Server, server: Server) -> Server:
    """A store that `hypomag load` has filled."""
    return filled


def test_it_is_loaded_counted_and_repeatable(whole: Server, home: sources.Sources) -> None:
    before = counts(whole)
    plan = loads.plan(home)
    assert {(g, n) for g, n in before.items() if g in plan.parts} == {(p.name, p.count) for p in plan.parts.values()}
    assert not [g for g in before if "/staging/" in g or "/previous/" in g]
    again = hypomag("load", whole.url, "--graph-dir", str(ROOT), **whole.login)
    assert (again.returncode, "nothing to change" in again.stderr) == (0, True), again.stderr
    assert counts(whole) == before
    verified = hypomag("load", whole.url, "--verify-only", "--graph-dir", str(ROOT), **whole.login)
    total = sum(p.count for p in plan.parts.values())
    assert (verified.returncode, f"all {total} triples are equal" in verified.stderr) == (0, True), verified.stderr
    assert whole.login.get("HYPOMAG_STORE_PASSWORD", "no password") not in verified.stdout + verified.stderr + again.stderr


def counts(server: Server) -> dict[str, int]:
    with stores.reach(server.url) as remote:
        return {g.value: int(n.value) for g, n in remote.rows("SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")}


def ask(server: Server, store: Store, text: str, form: str = "json") -> str:
    graphs = [g.value for g in exports.content_graphs(store)]
    return results.write(stores.answer(server.url, queries.with_prefixes(text), graphs, queries.form(text), timeout=120), form)


def test_each_question_has_the_same_rows(whole: Server, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {name for name, q in CATALOGUE.items() if json.loads(ask(whole, store, q.text)) != json.loads(at_home(store, q.text))}
    with capsys.disabled():
        print(f"{whole.kind} {whole.version}: {len(CATALOGUE) - len(wrong)} of {len(CATALOGUE)} questions have equal rows", end=" ")
    assert wrong == UNEQUAL[whole.kind], "mend the question, or keep UNEQUAL and docs/stores.md true"


def at_home(store: Store, text: str, form: str = "json") -> str:
    return results.write(queries.run(store, text), form)


def test_each_question_has_the_same_rows_with_a_column_bound(whole: Server, store: Store) -> None:
    wrong = set()
    for name, question in list(CATALOGUE.items())[:: 1 if servers.INSIST else 4]:
        rows = list(queries.run(store, question.text))
        counted = "GROUP BY" in question.text
        for column in queries.variables(question.text)[: 3 if servers.INSIST and not counted else 1]:
            values = [row[column] for row in rows if isinstance(row[column], NamedNode)]
            if not values:
                continue
            bound = queries.bound(question.text, {column: values[len(values) // 2]})
            try:
                same = json.loads(ask(whole, store, bound)) == json.loads(at_home(store, bound))
            except StoreError as error:
                print(name, column, error)
                same = False
            if not same:
                wrong.add((name, column))
    assert wrong == UNEQUAL_BOUND[whole.kind], "keep UNEQUAL_BOUND and docs/stores.md true"


@pytest.mark.parametrize("form", results.QUERY_FORMATS)
def test_each_format_has_the_same_bytes(whole: Server, store: Store, form: str) -> None:
    rows = form in results.ROW_FORMATS
    text = (
        "SELECT ?step ?label WHERE { ?step a hm:MechanismStep ; rdfs:label ?label } ORDER BY ?step"
        if rows
        else "CONSTRUCT { ?step rdfs:label ?label } WHERE { GRAPH graph:claims { ?step a hm:MechanismStep ; rdfs:label ?label } }"
    )
    assert ask(whole, store, text, form) == at_home(store, text, form)


def test_a_query_at_an_endpoint_is_asked_as_at_home(whole: Server) -> None:
    def both(*arguments: str) -> None:
        ours, theirs = hypomag("query", *arguments), hypomag("query", *arguments, "--endpoint", whole.url, **whole.login)
        assert (theirs.returncode, theirs.stdout, theirs.stderr) == (ours.returncode, ours.stdout, ours.stderr), arguments

    both("which-genes", "--bind", "disease=ORPHA:30924")
    both("-e", "ASK { MONDO:0011176 RO:0004002 HGNC:17995 }")
    both("-e", "ASK { MONDO:0011176 RO:0004002 HGNC:1 }")
    both("-e", "SELECT (COUNT(*) AS ?n) WHERE { GRAPH graph:claims { ?s ?p ?o } }")
    both("-e", "SELECT (COUNT(*) AS ?n) FROM graph:mappings FROM graph:terms WHERE { ?s ?p ?o }")
    both("-e", "SELECT ?s WHERE { ?s a hm:NoSuchThing }")
    both("-e", "SELECT ?s WHERE { ?s ?p }")
    both("-e", "SELECT ?s WHERE { nope:x ?p ?s }")
    both("-e", "DELETE WHERE { ?s ?p ?o }")


def test_an_answer_that_virtuoso_cuts_off_is_no_answer(whole: Server) -> None:
    if whole.kind == "virtuoso":
        done = hypomag("query", "-e", "SELECT ?s ?p ?o WHERE { ?s ?p ?o }", "--endpoint", whole.url, **whole.login)
        assert (done.returncode, done.stdout) == (2, "")
        assert "cut the answer off at 20000 rows" in done.stderr


# Small releases


def test_the_kind_is_detected_at_each_address(server: Server) -> None:
    kind = stores.KINDS[server.kind]
    for ending in ("", "/", *(kind.endings if server.kind != "rdf4j" else ())):
        with stores.reach(server.url + ending) as remote:
            assert (remote.kind.name, remote.address) == (server.kind, server.url), ending
            assert remote.document("ASK { ?s ?p ?o }")["boolean"] in (True, False)  # Oxigraph has answered HEAD with a body before


def test_letters_beyond_ascii_arrive_as_they_are(server: Server) -> None:
    with stores.reach(server.url) as remote:
        remote.update(f'INSERT DATA {{ GRAPH <{FOREIGN}> {{ <urn:x> <urn:y> "Mg²⁺ – é 中 😀" }} }}')
        assert remote.rows(f"SELECT ?o WHERE {{ GRAPH <{FOREIGN}> {{ <urn:x> <urn:y> ?o }} }}") == [(Literal("Mg²⁺ – é 中 😀"),)]
        assert remote.document(f'ASK {{ GRAPH <{FOREIGN}> {{ <urn:x> <urn:y> "Mg²⁺ – é 中 😀" }} }}')["boolean"] is True
        swaps.drop(remote, [FOREIGN])


def test_an_update_is_atomic_where_the_table_says_so(server: Server) -> None:
    with stores.reach(server.url) as remote:
        swaps.drop(remote, [FOREIGN])
        with suppress(StoreError):
            remote.update(f"INSERT DATA {{ GRAPH <{FOREIGN}> {{ <urn:x> <urn:y> 1 }} }} ; LOAD <http://127.0.0.1:1/nothing>")
        assert remote.count(FOREIGN) == (0 if remote.kind.atomic else 1)


def test_a_new_release_takes_the_place_of_the_old(server: Server, foreign: set[tuple[str, ...]]) -> None:
    with stores.reach(server.url) as remote:
        dry = loads.outlook(remote, TWO)
        assert held(server) == content(ONE) | foreign
    assert {line[0].rpartition("/")[2]: line[3] for line in dry.lines} == {
        "claims": "would be replaced", "terms": "would be loaded", "mappings": "would be dropped", "some.owl": "would be replaced",
    }  # fmt: skip
    done = load(server.url, TWO)
    assert held(server) == content(TWO) | foreign
    assert "359 triples of 3 graphs loaded" in done.summary
    assert "nothing to change" in load(server.url, TWO).summary


def test_only_graphs_that_changed_are_sent(server: Server, foreign: set[tuple[str, ...]], proxy: Proxy) -> None:
    store = Store()
    for part in ONE.parts.values():
        store.extend(part.quads())
    store.add(quad(sources.MAPPINGS, 99, "new"))
    plan = swaps.Plan("1.1", {name: swaps.Part(name, store) for name in ONE.parts})
    done = load(proxy.url, plan)
    assert [r.path for r in proxy.seen if r.method == "PUT"] == [
        r.path for r in proxy.seen if "staging/graph/mappings" in r.path.replace("%2F", "/")
    ]
    assert {line[0].rpartition("/")[2]: line[3] for line in done.lines}["claims"] == "as it was"
    assert held(server) == content(plan) | foreign


def test_what_was_altered_in_the_store_is_put_right(server: Server, foreign: set[tuple[str, ...]]) -> None:
    part = ONE.parts[sources.MAPPINGS]
    some = next(iter(part.quads()))
    with stores.reach(server.url) as remote:
        remote.update(f"DELETE DATA {{ GRAPH <{part.name}> {{ {some.subject} {some.predicate} {some.object} }} }}")
        assert loads.verify(remote, ONE).exit_code == 1
        remote.update(f"INSERT DATA {{ GRAPH <{part.name}> {{ {some.subject} {some.predicate} 4711 }} }}")
        report = loads.verify(remote, ONE)  # as many triples as there must be, but one is another
        assert (report.exit_code, [line[3] for line in report.lines if line[0] == part.name]) == (1, ["2 triples differ"])
    load(server.url, ONE)
    assert held(server) == content(ONE) | foreign


def test_remove_takes_out_ours_and_nothing_else(server: Server, foreign: set[tuple[str, ...]]) -> None:
    with stores.reach(server.url) as remote:
        loads.removal(remote, ONE, dry=True)
        assert held(server) == content(ONE) | foreign
        loads.removal(remote, ONE)
        assert held(server, record=True) == foreign
        assert "0 triples of 0 graphs" in loads.removal(remote, ONE).summary


def test_a_graph_of_somebody_else_is_never_replaced(server: Server, foreign: set[tuple[str, ...]]) -> None:
    with stores.reach(server.url) as remote:
        loads.removal(remote, ONE)
        remote.put(LINKED, b'<urn:a> <urn:b> "their copy" .\n')
        before = held(server)
        with pytest.raises(StoreError, match="that hypomag has not loaded"):
            loads.load(remote, ONE)
        assert held(server, record=True) == before
        swaps.drop(remote, [LINKED])


# Faults before the swap

FAULTS: dict[str, tuple[str | int, str]] = {
    "401": (401, "401"), "413": (413, "413"), "415": (415, "415"), "507": (507, "507"), "500": (500, "500"), "302": (302, "has moved"),
    "hangs": (HANG, "no answer within"), "reset half-way": (HALF, "broke off"), "answer lost": (LOSE, "broke off"), "cut": (CUT, "broke off"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_before_the_swap_leaves_the_store_as_it_was(
    server: Server, foreign: set[tuple[str, ...]], proxy: Proxy, fault: str
) -> None:
    action, told = FAULTS[fault]
    before = held(server, record=True)
    proxy.rule = lambda request: action if request.method == "PUT" and "claims" in request.path else PASS
    with pytest.raises(StoreError, match=told) as error:
        load(proxy.url, TWO, timeout=1 if action == HANG else 60)
    assert error.value.remedy
    assert held(server, record=True) == before
    proxy.heal()
    load(proxy.url, TWO)
    assert held(server) == content(TWO) | foreign


def test_triples_that_a_store_loses_are_missed(server: Server, foreign: set[tuple[str, ...]], proxy: Proxy) -> None:
    """As Virtuoso does with a chunked body: 201, and nothing is kept."""
    before = held(server, record=True)
    proxy.rule = lambda request: 201 if request.method == "PUT" and "claims" in request.path else PASS
    with pytest.raises(StoreError, match="300 triples of claims were staged, the store holds 0"):
        load(proxy.url, TWO)
    assert held(server, record=True) == before


def test_a_limit_on_requests_is_met_by_smaller_ones(server: Server, foreign: set[tuple[str, ...]], proxy: Proxy) -> None:
    proxy.rule = lambda request: 413 if len(request.body) > 10_000 else PASS
    load(proxy.url, TWO)
    assert held(server) == content(TWO) | foreign
    assert [r.method for r in proxy.seen if "claims" in r.path].count("POST") > 1


def test_ctrl_c_leaves_the_store_as_it_was(server: Server, foreign: set[tuple[str, ...]], proxy: Proxy, tmp_path: Path) -> None:
    before = held(server, record=True)
    reached = threading.Event()

    def rule(request: Request) -> str:
        if request.method == "PUT" and "claims" in request.path:
            reached.set()
            return HANG
        return PASS

    proxy.rule = rule
    command = [sys.executable, "-m", "hypomag", "load", proxy.url, "--graph-dir", str(folder_of(TWO, tmp_path))]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reached.wait(30), process.communicate(timeout=5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, b"Traceback" in err) == (130, b"", False), err
    assert held(server, record=True) == before


def folder_of(plan: swaps.Plan, folder: Path) -> Path:
    """A build folder with the graphs of a plan, and the statement that dates a release."""
    lines = [f"{q} .\n" for part in plan.parts.values() for q in part.quads()]
    vocab = f'<{sources.BASE}vocab> <http://www.w3.org/2002/07/owl#versionInfo> "{plan.version}" <{sources.VOCABULARY}> .\n'
    dated = f'<{sources.BASE}vocab> <http://purl.org/dc/terms/modified> "2026-11-22" <{sources.VOCABULARY}> .\n'
    (folder / "hypomag.nq").write_text("".join([*lines, vocab, dated]), encoding="utf-8")
    return folder


# Cut off in the swap


@pytest.mark.parametrize("again", ["same", "other"])
@pytest.mark.parametrize("how", [CUT, LOSE])
def test_a_load_that_dies_at_any_request_is_taken_up_by_the_next(
    server: Server, foreign: set[tuple[str, ...]], proxy: Proxy, how: str, again: str
) -> None:
    """The connection dies for good at each writing request in turn; the next load, of the same release or of another, ends right."""
    proxy.heal()
    load(proxy.url, TWO)
    writing = [r.number for r in proxy.seen if r.writes]
    said = set()
    # In make test-stores the four variants take turns: each request dies in two of them; of Virtuoso's many in one.
    first, every = 1 + (how == LOSE) + 2 * (again == "other"), (4 if server.kind == "virtuoso" else 2) if servers.INSIST else 6
    for number in writing[first % every :: every]:
        proxy.heal()
        load(proxy.url, ONE)
        proxy.heal()
        # Requests are the same each time, so the number tells where in the load it dies; all after it fail too.
        proxy.rule = lambda request, at=number: PASS if request.number < at else how if request.number == at else CUT
        with pytest.raises(StoreError):
            load(proxy.url, TWO)
        now = held(server) - foreign
        if server.kind != "virtuoso":  # whole before or whole after, with what is staged beside it; Virtuoso swaps graph by graph
            ours = {row for row in now if "/staging/" not in row[0] and "/previous/" not in row[0]}
            assert ours in (content(ONE), content(TWO)), number
        proxy.heal()
        said.add(load(proxy.url, TWO if again == "same" else ONE).summary.split(";")[0])
        assert held(server) == content(TWO if again == "same" else ONE) | foreign, number
        assert "nothing to change" in load(proxy.url, TWO if again == "same" else ONE).summary
    if servers.INSIST and server.kind != "virtuoso":
        told = " ".join(said)
        assert "dropped what an interrupted load had staged" in told
        assert ("finished an interrupted load" if again == "same" else "took back an interrupted load") in told


def test_a_swap_that_the_store_refuses_is_taken_back(server: Server, foreign: set[tuple[str, ...]], proxy: Proxy) -> None:
    before = held(server, record=True)
    proxy.rule = lambda request: 507 if b"MOVE" in request.body and b"%2Fclaims" in request.body and not gone(proxy) else PASS
    with pytest.raises(StoreError, match="507") as error:
        load(proxy.url, TWO)
    assert "the graphs are as they were" in (error.value.remedy or "")
    assert held(server, record=True) == before


def gone(proxy: Proxy) -> bool:
    return sum(b"MOVE" in r.body and b"%2Fclaims" in r.body for r in proxy.seen) > 1


def test_two_loads_at_once_do_no_harm(server: Server, foreign: set[tuple[str, ...]], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hypomag", "load", server.url, "--graph-dir", str(folder_of(TWO, tmp_path))]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(2)]
    told = [p.communicate(timeout=120)[1] for p in both]
    assert not any("Traceback" in t for t in told)
    assert {p.returncode for p in both} <= {0, 2}, told
    rows = held(server) - foreign
    assert {r for r in rows if "/graph/vocabulary" not in r[0]} in (content(TWO), content(ONE)), told
    assert hypomag(*command[3:], **server.login).returncode == 0
    assert {r for r in held(server) - foreign if "/graph/vocabulary" not in r[0]} == content(TWO)


def test_the_load_of_a_living_process_is_left_alone(server: Server, foreign: set[tuple[str, ...]]) -> None:
    import os

    owner = f"{swaps.socket.gethostname()}/{os.getppid()}"
    with stores.reach(server.url) as remote:
        marker = swaps.Marker("x", "0", owner, swaps.STAGED, {sources.CLAIMS: swaps.Entry(1, 300, "x")})
        swaps.mark(remote, marker)
        with pytest.raises(StoreError, match="another load is at work"):
            loads.load(remote, TWO)
        with pytest.raises(StoreError, match="a load is at work"):
            loads.removal(remote, TWO)
        swaps.tidy(remote, marker, strict=True)


# Logins


def test_a_wrong_password_changes_nothing_and_is_not_shown(server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    if not server.login:
        pytest.skip(f"{server.kind} asks for no login here")
    before = held(server, record=True)
    done = hypomag("load", server.url, HYPOMAG_STORE_USER=servers.USER, HYPOMAG_STORE_PASSWORD="wrong-secret")
    assert done.returncode == 2
    assert "401" in done.stderr
    assert "wrong-secret" not in done.stderr + done.stdout
    monkeypatch.delenv("HYPOMAG_STORE_USER")
    with pytest.raises(StoreError) as error:
        load(server.url, TWO)
    assert "HYPOMAG_STORE_USER" in (error.value.remedy or "")
    for name, value in server.login.items():
        monkeypatch.setenv(name, value)
    assert held(server, record=True) == before


@pytest.mark.stores
@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_fuseki_asks_for_a_login(scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "passwords").write_text(f"{servers.USER}: {servers.PASSWORD}\n", encoding="ascii")
    with servers.fuseki(tmp_path, f"--passwd={tmp_path / 'passwords'}", f"--auth={scheme}") as server:
        with pytest.raises(StoreError, match="401"):
            load(server.url, ONE, kind="fuseki")
        netrc = tmp_path / "netrc"
        netrc.write_text(f"machine 127.0.0.1 login {servers.USER} password {servers.PASSWORD}\n", encoding="ascii")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        load(server.url, ONE)
        assert held(server) == content(ONE)
        monkeypatch.setenv("HYPOMAG_STORE_USER", servers.USER)  # goes before netrc
        monkeypatch.setenv("HYPOMAG_STORE_PASSWORD", "wrong-secret")
        with pytest.raises(StoreError, match="401"):
            load(server.url, TWO)
        assert "wrong-secret" not in hypomag("load", server.url).stderr


# What needs no server of its own kind


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.oxigraph(tmp_path_factory.mktemp("plain")) as server:
        yield server


def test_a_token_is_sent_and_never_shown(plain: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(plain.url)
    try:
        for token, header in (("abc.def-1", "Bearer abc.def-1"), ("GDB xyz.987", "GDB xyz.987")):
            monkeypatch.setenv("HYPOMAG_STORE_TOKEN", token)
            seen = []
            original = proxy.server.RequestHandlerClass.do_any  # type: ignore[attr-defined]
            monkeypatch.setattr(
                proxy.server.RequestHandlerClass,
                "do_PUT",
                lambda self, o=original, s=seen: (s.append(self.headers["Authorization"]), o(self))[1],
            )
            load(proxy.url, ONE if token.startswith("abc") else TWO)
            assert set(seen) == {header}
        proxy.rule = lambda _: 403
        done = hypomag("load", proxy.url, "--store", "oxigraph", HYPOMAG_STORE_TOKEN="said the proxy")
        assert (done.returncode, "said the proxy" in done.stderr, "***" in done.stderr) == (2, False, True)
    finally:
        proxy.close()


def test_a_store_without_graph_store_protocol_is_loaded_by_updates(plain: Server) -> None:
    for plan in (ONE, TWO):
        with stores.reach(plain.url + "/query", "generic", update=plain.url + "/update") as remote:
            assert not remote.takes_graphs
            loads.removal(remote, TWO)
            loads.load(remote, plan)
            assert loads.verify(remote, plan).exit_code == 0
    assert held(plain) == content(TWO)


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://me:secret@127.0.0.1:1/", "carries a login"), ("ftp://127.0.0.1/", "no address of a store"), ("127.0.0.1:7878", "no address"),
        ("http://127.0.0.1:99999/", "no address"), ("http://127.0.0.1:1/", "cannot connect"), ("http:///x", "no address"),
        ("http://127.0.0.1:1/?query=x", "no address"), ("", "no address"), ("http://a b/", "no address"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_told(url: str, part: str) -> None:
    with pytest.raises((InputError, StoreError), match=part) as error:
        stores.answer(url, "ASK { ?s ?p ?o }", [], "ASK")
    assert "secret" not in f"{error.value} {error.value.remedy}"


@pytest.mark.parametrize("command", [["load"], ["query", "which-genes", "--endpoint"], ["query", "-e", "ASK { ?s ?p ?o }", "--endpoint"]])
@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1/"])
def test_a_store_that_is_not_there_is_told(command: list[str], url: str) -> None:
    done = hypomag(*command, url)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    "answer", [b"<html>hello</html>", b"", b"{}", b"[1]", b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"uri"}}]}}']
)
def test_an_endpoint_that_is_none_is_told(plain: Server, answer: bytes) -> None:
    proxy = Proxy(plain.url)
    try:
        handler = proxy.server.RequestHandlerClass
        handler.forward = lambda *_: (200, {"Content-Type": "text/html"}, answer)  # type: ignore[attr-defined]
        for arguments in (["-e", "SELECT ?s { ?s ?p ?o }"], ["-e", "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"]):
            done = hypomag("query", *arguments, "--endpoint", proxy.url)
            assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    finally:
        proxy.close()


def test_an_endpoint_without_our_graph_is_told(tmp_path: Path) -> None:
    with servers.oxigraph(tmp_path) as server:
        done = hypomag("query", "which-genes", "--endpoint", server.url)
        assert (done.returncode, done.stdout) == (2, "")
        assert "holds no graph of hypomag" in done.stderr
        assert f"hypomag load {server.url}" in done.stderr


def test_a_timeout_at_an_endpoint_is_kept(plain: Server) -> None:
    proxy = Proxy(plain.url)
    proxy.rule = lambda request: HANG if request.method == "POST" else PASS
    try:
        start = time.monotonic()
        done = hypomag("query", "which-genes", "--endpoint", proxy.url, "--timeout", "1")
        assert (done.returncode, time.monotonic() - start < 10) == (2, True)
        assert "1 s" in done.stderr
    finally:
        proxy.close()


def test_usage_that_contradicts_itself_is_refused() -> None:
    for more in (["--verify-only", "--remove"], ["--verify-only", "--dry-run"], ["--store", "nonsense"], ["--timeout", "0"]):
        assert hypomag("load", "http://127.0.0.1:1", *more).returncode == 2


def test_a_build_that_is_not_what_its_manifest_says_is_not_loaded(built: Path, tmp_path: Path) -> None:
    (tmp_path / "hypomag.nq").write_bytes(
        (built / "hypomag.nq").read_bytes()[: 0 - len((built / "hypomag.nq").read_bytes().splitlines(True)[-1])]
    )
    (tmp_path / "manifest.json").write_bytes((built / "manifest.json").read_bytes())
    done = hypomag("load", "http://127.0.0.1:1", "--graph-dir", str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert (done.returncode, "the manifest says" in done.stderr) == (2, True), done.stderr


def test_blank_nodes_are_refused() -> None:
    store = Store()
    store.load(b"_:a <urn:b> <urn:c> <urn:g> .", format=RdfFormat.N_QUADS)
    with pytest.raises(GraphUnavailable, match="blank nodes"):
        _ = swaps.Part("urn:g", store).count


def test_a_netrc_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "netrc"
    bad.write_text("machine 127.0.0.1 secret-word\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(bad))
    with pytest.raises(InputError, match=r"netrc:\d+: not a netrc file$"):
        stores.reach("http://127.0.0.1:1")


def test_a_netrc_in_other_letters_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "netrc"
    bad.write_bytes("machine 127.0.0.1 login ü password é\n".encode("latin-1"))
    monkeypatch.setenv("NETRC", str(bad))
    with pytest.raises(InputError, match=r"netrc:1: not a netrc file$"):
        stores.reach("http://127.0.0.1:1")


@pytest.mark.parametrize("token", ["tok-en\nx: y", "tök-en", "ab\tcde"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPOMAG_STORE_TOKEN", token)
    with pytest.raises(InputError, match="HYPOMAG_STORE_TOKEN") as error:
        stores.reach("http://127.0.0.1:1")
    assert token[:5] not in str(error.value)


def test_a_login_that_a_store_repeats_is_not_shown(plain: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(plain.url)
    proxy.rule = lambda _: 403
    try:
        login = {"HYPOMAG_STORE_USER": "dba", "HYPOMAG_STORE_PASSWORD": "said the proxy"}
        done = hypomag("load", proxy.url, "--store", "oxigraph", **login)
        assert (done.returncode, "said the proxy" in done.stderr, "***" in done.stderr) == (2, False, True), done.stderr
    finally:
        proxy.close()
    monkeypatch.setenv("HYPOMAG_STORE_USER", "dba")
    monkeypatch.setenv("HYPOMAG_STORE_PASSWORD", "pw")
    assert stores._Login("localhost").hidden("Basic ZGJhOnB3 and pw") == "Basic *** and ***"


def test_certificates_are_checked_where_either_address_is_https() -> None:
    for url, update, checked in (
        ("http://127.0.0.1:1/q", "https://127.0.0.1:1/u", True), ("https://127.0.0.1:1", None, True), ("http://127.0.0.1:1", None, False),
    ):  # fmt: skip
        with stores.reach(url, "generic", update=update) as remote:
            assert (remote._client._transport._pool._ssl_context.verify_mode != 0) is checked  # type: ignore[attr-defined]


def test_a_stored_login_stays_with_its_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login dba password x\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(InputError, match="another host"):
        stores.reach("http://127.0.0.1:1", "generic", update="https://localhost:1/update")


def test_the_page_has_the_table_of_the_program() -> None:
    page = (ROOT / "docs" / "stores.md").read_text(encoding="utf-8")
    for kind in stores.KINDS.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{kind.name}` |"))
        for said in (kind.title, kind.query, kind.update, kind.graphs or "none", kind.reads, kind.login, kind.union, kind.seen):
            assert said in row, (kind.name, said)
        assert ("whole" if kind.atomic else "graph by graph") in row
    for wrong in UNEQUAL.values():
        assert all(f"`{name}`" in page for name in wrong)
    for bound in UNEQUAL_BOUND.values():
        assert all(f"`{name} --bind {column}=`" in page for name, column in bound)
    faults = page.partition("**Answers that are wrong")[2].partition("\n\n")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z-]+)(?: --bind (\w+)=)?`", faults))
    held = {(name, column) for bound in UNEQUAL_BOUND.values() for name, column in bound} | {(n, "") for w in UNEQUAL.values() for n in w}
    assert named == held
    assert re.search(r"Virtuoso .*201", page)


# Bundles


def run_bundle(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(["sh", "load.sh"], cwd=folder, capture_output=True, text=True, env=os.environ | env, timeout=300, check=False)


def test_the_oxigraph_bundle_loads_and_counts(tmp_path: Path, store: Store) -> None:
    out = tmp_path / "bundle"
    assert hypomag("export", "--bundle", "oxigraph", "-o", str(out)).returncode == 0
    done = run_bundle(out, OXIGRAPH=servers.oxigraph_binary())
    assert (done.returncode, done.stdout) == (0, (out / "counts.tsv").read_text())
    assert set(Store.read_only(str(out / "db"))) == set(exports.quads(store))
    (out / "hypomag.nq").write_bytes((out / "hypomag.nq").read_bytes().split(b"\n", 1)[1])
    worse = run_bundle(out, OXIGRAPH=servers.oxigraph_binary())
    assert (worse.returncode, "the counts differ" in worse.stderr) == (1, True)
    assert (out / "db").is_dir()


@pytest.mark.stores
def test_the_fuseki_bundle_loads_and_counts(tmp_path: Path) -> None:
    jar = servers.needs(servers.PARTS / "jena-fuseki-server.jar", "Apache Jena Fuseki")
    out = tmp_path / "bundle"
    assert hypomag("export", "--bundle", "fuseki", "-o", str(out)).returncode == 0
    done = run_bundle(out, FUSEKI_JAR=jar)
    assert (done.returncode, done.stdout) == (0, (out / "counts.tsv").read_text()), done.stderr
    port = servers.free_port()
    command = ["java", "-jar", jar, "--port", str(port), "--localhost", "--config=fuseki.ttl"]
    with servers.running(command, out, f"http://127.0.0.1:{port}/", FUSEKI_BASE=str(tmp_path / "base")):
        url = f"http://127.0.0.1:{port}/hypomag"
        assert hypomag("load", url, "--verify-only").returncode == 0
        assert hypomag("query", "which-genes", "--endpoint", url).stdout == hypomag("query", "which-genes").stdout


@pytest.mark.stores
def test_the_virtuoso_bundle_loads_and_counts(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    assert hypomag("export", "--bundle", "virtuoso", "-o", str(out)).returncode == 0
    (tmp_path / "server").mkdir()
    with servers.virtuoso(tmp_path / "server", allowed=out / "data") as server:
        login = {"VIRTUOSO": server.login["VIRTUOSO"], "VIRTUOSO_PASSWORD": servers.PASSWORD}
        for _ in range(2):
            done = run_bundle(out, **login)
            assert done.returncode == 0, done.stderr
            assert [line.removesuffix(" triples").split(": ") for line in done.stdout.splitlines()] == [
                line.split("\t") for line in (out / "counts.tsv").read_text().splitlines()
            ]
        assert hypomag("load", server.url, "--verify-only", **server.login).returncode == 0
        assert run_bundle(out, **(login | {"VIRTUOSO_PASSWORD": "wrong"})).returncode == 2
        assert run_bundle(out, **(login | {"VIRTUOSO_DATA": "/not/allowed"})).returncode in (1, 2)
        (out / "data" / "mappings.nt").write_text("<urn:a> nonsense\n", encoding="ascii")
        assert run_bundle(out, **login).returncode == 1


@pytest.mark.parametrize("kind", ["virtuoso", "fuseki", "graphdb", "qlever", "oxigraph"])
def test_a_bundle_is_whole_and_says_what_is_known(kind: str, tmp_path: Path, store: Store) -> None:
    out = tmp_path / "bundle"
    assert "read README.md" in bundles.write(store, kind, str(out))
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=out, check=False).returncode == 0
    assert subprocess.run(["sh", "-n", "load.sh"], cwd=out, check=False).returncode == 0
    assert ("never run by us" in (out / "README.md").read_text(encoding="utf-8")) == (kind in ("graphdb", "qlever"))
    if kind != "virtuoso":
        assert (out / "hypomag.nq").read_bytes() == exports.export(store, "nq")
        return
    found: set[Quad] = set()
    for path in (out / "data").glob("*.nt"):
        graph = NamedNode(path.with_name(path.name + ".graph").read_text(encoding="ascii").strip())
        found |= {Quad(q.subject, q.predicate, q.object, graph) for q in parse(path=str(path), format=RdfFormat.N_TRIPLES)}
    assert found == set(exports.quads(store))


@pytest.mark.parametrize("kind", ["fuseki", "graphdb"])
def test_the_configuration_of_a_bundle_is_turtle(kind: str, store: Store) -> None:
    for name, text in bundles.files(store, kind).items():
        if name.endswith(".ttl"):
            assert list(parse(text, format=RdfFormat.TURTLE, base_iri="http://a.b/"))


def test_a_bundle_never_replaces_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all my work")
    done = hypomag("export", "--bundle", "oxigraph", "-o", str(tmp_path))
    assert (done.returncode, "holds something other than an earlier export" in done.stderr) == (2, True)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    assert hypomag("export", "--bundle", "oxigraph", "--format", "nq").returncode == 2
    assert hypomag("export", "--bundle", "oxigraph", "-o", "/proc/x").returncode == 2


def test_a_bundle_takes_the_place_of_just_that_bundle(tmp_path: Path) -> None:
    def bundle(kind: str, place: str, cwd: Path = tmp_path) -> tuple[int, str]:
        done = hypomag("export", "--bundle", kind, "-o", place, "--graph-dir", str(ROOT), cwd=cwd)
        return done.returncode, done.stderr

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "counts.tsv").write_text("a")
    (tmp_path / "mine" / "thesis.txt").write_text("all my work")
    assert (bundle("oxigraph", "mine")[0], (tmp_path / "mine" / "thesis.txt").read_text()) == (2, "all my work")

    assert bundle("virtuoso", "b") == (0, "wrote b: read README.md, then run load.sh there\n")
    before = {p: p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()}
    assert bundle("virtuoso", ".", tmp_path / "b")[0] == 0
    assert {p: p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()} == before
    (tmp_path / "b" / "data" / "own.nt").write_text("")
    assert "data/own.nt" in bundle("virtuoso", "b")[1]
    assert (tmp_path / "b" / "data" / "own.nt").is_file()

    assert bundle("oxigraph", "o")[0] == 0
    (tmp_path / "o" / "db").mkdir()  # what its load.sh builds
    assert (bundle("oxigraph", "o")[0], (tmp_path / "o" / "db").is_dir()) == (2, True)
    assert (bundle("oxigraph", "-")[0], (tmp_path / "-").exists()) == (2, False)
