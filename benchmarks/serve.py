"""How fast `hypomag serve` is on loopback, beside the native `oxigraph` server and rdflib-endpoint, in one run.

Needs `wrk` (Debian has it), the packages of the groups dev and serve-bench, and a machine that does nothing else. Figures are medians over
ROUNDS; in each round every server is asked in turn. Ratios are medians of the ratios of the rounds.

Usage: python benchmarks/serve.py [ROUNDS] [SECONDS]            the table
       python benchmarks/serve.py soak [MINUTES]                memory and errors at bounded load
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SELECT = (
    "SELECT ?s ?l WHERE { ?s <https://w3id.org/hypomag/vocab#subject> <http://purl.obolibrary.org/obo/MONDO_0011176> ; "
    "<http://www.w3.org/2000/01/rdf-schema#label> ?l } LIMIT 60"
)
LOOKUP = "SELECT ?l WHERE { <http://identifiers.org/hgnc/17995> <http://www.w3.org/2000/01/rdf-schema#label> ?l }"
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE {{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . FILTER(?a != <a:{}>) }}"
LUA = """
local n = tonumber(os.getenv("SEED")) * 10000000
request = function()
  n = n + 1
  local mark = os.getenv("FRESH") == "1" and ("%20%23" .. n) or ""
  return wrk.format("GET", os.getenv("TARGET") .. mark, {["Accept"] = "application/sparql-results+json"})
end
"""
RDFLIB = """
import sys, uvicorn
from rdflib import Dataset
from rdflib_endpoint import SparqlEndpoint
graph = Dataset(default_union=True)
graph.parse(sys.argv[1], format="nquads")
uvicorn.run(SparqlEndpoint(graph=graph, path="/"), port=int(sys.argv[2]), log_level="warning")
"""


@contextlib.contextmanager
def running(command: list[str], url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{len(list(folder.iterdir()))}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
    try:
        for _ in range(1200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=60).read()
                break
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def servers(folder: Path, *, peers: bool = True) -> Iterator[dict[str, str]]:
    """Name → address of the endpoint, all of them running."""
    dataset = ROOT / "build" / "hypomag.nq"
    oxigraph = str(BIN / "oxigraph")
    with contextlib.ExitStack() as stack:
        found = {}

        def start(name: str, port: int, path: str, command: list[str]) -> None:
            found[name] = f"http://127.0.0.1:{port}{path}"
            stack.enter_context(running(command, f"{found[name]}?query=ASK%20%7B%7D", folder))

        start("hypomag", 7980, "/sparql", [str(BIN / "hypomag"), "serve", "--port", "7980", "--graph-dir", str(ROOT)])
        if peers:
            subprocess.run([oxigraph, "load", "--location", folder / "db", "--file", dataset], check=True, capture_output=True)
            subprocess.run([oxigraph, "optimize", "--location", folder / "db"], check=True, capture_output=True)
            union = "--union-default-graph"
            disk = [oxigraph, "serve-read-only", "--location", str(folder / "db"), union, "--bind", "127.0.0.1:7981"]
            start("oxigraph, on disk", 7981, "/query", disk)
            start("oxigraph, in memory", 7982, "/query", [oxigraph, "serve", union, "--bind", "127.0.0.1:7982"])
            sent = urllib.request.Request("http://127.0.0.1:7982/store", dataset.read_bytes(), {"Content-Type": "application/n-quads"})
            urllib.request.urlopen(sent, timeout=60).read()
            start("rdflib-endpoint", 7983, "/", [sys.executable, "-c", RDFLIB, str(dataset), "7983"])
        yield found


_SEED = iter(range(1, 1_000_000))


def wrk(url: str, query: str, seconds: float, *, fresh: bool, connections: int = 16, folder: Path) -> tuple[float, float, int]:
    """Requests a second, 99th percentile in milliseconds, answers that were none."""
    (folder / "ask.lua").write_text(LUA)
    host, path = re.fullmatch(r"(http://[^/]+)(/.*)", url).groups()  # type: ignore[union-attr]
    target = f"{path}?query={quote(query)}" if query else path
    env = os.environ | {"TARGET": target, "FRESH": "1" if fresh else "0", "SEED": str(next(_SEED))}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s", "--latency", "-s", str(folder / "ask.lua"), host]
    told = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s*([\d.]+)", told)[1])  # type: ignore[index]
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", told).groups()  # type: ignore[union-attr]
    wrong = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", told))
    return rate, float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit], wrong


def table(rounds: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as place, servers(Path(place)) as found:
        folder = Path(place)
        kinds = {"SELECT of 60 rows, fresh": (SELECT, True), "SELECT of 60 rows, repeated": (SELECT, False), "lookup, fresh": (LOOKUP, True), "lookup, repeated": (LOOKUP, False)}  # fmt: skip
        results: dict[tuple[str, str], list[tuple[float, float, int]]] = defaultdict(list)
        for _ in range(rounds):
            for kind, (query, fresh) in kinds.items():
                for name, url in found.items():
                    results[kind, name].append(wrk(url, query, seconds, fresh=fresh, folder=folder))
        print(f"{rounds} rounds of {seconds:g} s, 16 connections, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        print("| | server | requests/s | p99, ms | hypomag is |\n|---|---|---|---|---|")
        for kind in kinds:
            ours = results[kind, "hypomag"]
            for name in found:
                rows = results[kind, name]
                ratio = statistics.median(a[0] / b[0] for a, b in zip(ours, rows, strict=True))
                wrong = sum(r[2] for r in rows)
                rate, slow = statistics.median(r[0] for r in rows), statistics.median(r[1] for r in rows)
                print(f"| {kind} | {name} | {rate:,.0f} | {slow:.1f} | {ratio:.2f} × |" + (f" {wrong} errors" if wrong else ""))
        beside(found["hypomag"], rounds, seconds, folder)


def beside(url: str, rounds: int, seconds: float, folder: Path) -> None:
    """Lookups and pages alone, then beside ten clients that ask endless queries without a pause."""
    stop = threading.Event()

    def endless(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}?query={quote(ENDLESS.format(f'{number}-{count}'))}", timeout=60).read()
            time.sleep(0.05)

    page = url.replace("/sparql", "/disease/MONDO_0011176.html")
    kinds = {"lookup, fresh": (url, LOOKUP, True), "lookup, repeated": (url, LOOKUP, False), "disease page": (page, "", False)}
    results: dict[tuple[str, bool], list[float]] = defaultdict(list)
    errors = 0
    for loud in (False, True):
        if loud:
            for number in range(10):
                threading.Thread(target=endless, args=(number,), daemon=True).start()
            time.sleep(1)
        for _ in range(rounds):
            for kind, (where, query, fresh) in kinds.items():
                _, slow, wrong = wrk(where, query, seconds, fresh=fresh, connections=4, folder=folder)
                results[kind, loud].append(slow)
                errors += wrong
    stop.set()
    print("\n| p99, 4 connections | quiet, ms | beside ten endless queries, ms | ratio |\n|---|---|---|---|")
    for kind in kinds:
        quiet, busy = (statistics.median(results[kind, loud]) for loud in (False, True))
        print(f"| {kind} | {quiet:.2f} | {busy:.2f} | {busy / quiet:.1f} |")
    print(f"\nerrors: {errors}")


def _memory(pid: int) -> tuple[int, int]:
    """Resident kilobytes of a process, and proportional ones of it with all that it has started."""

    def read(p: int, name: str, key: str) -> int:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{p}/{name}").read_text().splitlines():
                if line.startswith(key):
                    return int(line.split()[1])
        return 0

    every, todo = [], [pid]
    while todo:
        at = todo.pop()
        every.append(at)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{at}/task").iterdir():
                todo += [int(c) for c in (task / "children").read_text().split()]
    return read(pid, "status", "VmRSS:"), sum(read(p, "smaps_rollup", "Pss:") for p in every)


def soak(minutes: float) -> None:
    """A bounded load of everything for so long: fresh and repeated queries, pages, mistakes, and now and then an endless query."""
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        folder = Path(place)
        url = "http://127.0.0.1:7980"
        command = [str(BIN / "hypomag"), "serve", "--port", "7980", "--timeout", "5", "--graph-dir", str(ROOT)]
        server = stack.enter_context(running(command, f"{url}/health", folder))
        end, count, wrong, next_told = time.monotonic() + minutes * 60, 0, 0, 0.0
        start = time.monotonic()
        pages = sorted(p for p in json.loads((next(Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")).glob("hypomag/site-*/shelf.json"))).read_bytes())["files"] if p.startswith("disease/"))  # fmt: skip
        lock = threading.Lock()

        def ask(path: str, wanted: tuple[int, ...]) -> None:
            nonlocal count, wrong
            try:
                status = urllib.request.urlopen(url + path, timeout=60).status
            except urllib.error.HTTPError as error:
                status = error.code
            except OSError:
                status = 0
            with lock:
                count += 1
                wrong += status not in wanted

        def client(number: int) -> None:
            turn = 0
            while time.monotonic() < end:
                turn += 1
                ask(f"/sparql?query={quote(f'{SELECT} # {number} {turn}')}", (200,))
                ask(f"/sparql?query={quote(LOOKUP)}", (200,))
                ask("/" + pages[(turn * 7 + number) % len(pages)], (200,))
                if turn % 10 == 0:
                    ask("/sparql?query=SELEC", (400,))
                    ask("/graph-store?default", (200,))
                if turn % 100 == 0 and number == 0:
                    ask(f"/sparql?query={quote(ENDLESS.format(turn))}", (503,))
                time.sleep(0.02)

        clients = [threading.Thread(target=client, args=(n,), daemon=True) for n in range(4)]
        for thread in clients:
            thread.start()
        print("| minute | server, MB | all processes (PSS), MB | requests | not as they should be |\n|---|---|---|---|---|")
        while time.monotonic() < end:
            if time.monotonic() - start >= next_told:
                own, every = _memory(server.pid)
                print(f"| {next_told / 60:g} | {own / 1024:.0f} | {every / 1024:.0f} | {count} | {wrong} |", flush=True)
                next_told += 60
            time.sleep(0.5)
        for thread in clients:
            thread.join(60)
        own, every = _memory(server.pid)
        print(f"| {minutes:g} | {own / 1024:.0f} | {every / 1024:.0f} | {count} | {wrong} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["soak"]:
        soak(float(sys.argv[2]) if len(sys.argv) > 2 else 10)
    else:
        table(int(sys.argv[1]) if len(sys.argv) > 1 else 5, float(sys.argv[2]) if len(sys.argv) > 2 else 3)
