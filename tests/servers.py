"""Real stores on ephemeral loopback ports, and a proxy that spoils the way to them. Nothing here stands in for a store."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import ROOT

# What tools/stores.sh puts there; `make test-stores` runs it and then insists on every store.
PARTS = Path(os.environ.get("HYPOMAG_STORES_DIR", ROOT / ".stores"))
INSIST = os.environ.get("HYPOMAG_TEST_STORES") == "1"
USER, PASSWORD = "dba", "tell-nobody-4711"


@dataclass
class Server:
    """A running store: where it is, its kind, and the version that its maker gives it."""

    kind: str
    url: str
    version: str
    login: dict[str, str] = field(default_factory=dict)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def needs(found: Path | str | None, what: str) -> str:
    """The path of a part, which has to be there: what needs the others is not run without `make test-stores`."""
    if not found or not Path(found).exists():
        pytest.fail(f"{what} is not installed: tools/stores.sh, or for Oxigraph pip install oxigraph")
    return str(found)


@contextlib.contextmanager
def running(command: list[str], folder: Path, url: str, *, seconds: float = 60, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers at `url` before the body runs, ended by its own pid after it."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=os.environ | env)
    try:
        end = time.monotonic() + seconds
        while True:
            try:
                httpx.get(url, timeout=5)
                break
            except httpx.HTTPError:
                told = (folder / "server.log").read_text(errors="replace")[-2000:]
                assert process.poll() is None, f"{command[0]} ended: {told}"
                assert time.monotonic() < end, f"{command[0]} does not answer: {told}"
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def oxigraph_binary() -> str:
    return needs(Path(sys.executable).with_name("oxigraph"), "oxigraph")


@contextlib.contextmanager
def oxigraph(folder: Path) -> Iterator[Server]:
    address = f"127.0.0.1:{free_port()}"
    with running([oxigraph_binary(), "serve", "--bind", address], folder, f"http://{address}/"):
        yield Server("oxigraph", f"http://{address}", "0.5.13")


@contextlib.contextmanager
def fuseki(folder: Path, *more: str) -> Iterator[Server]:
    jar = needs(PARTS / "jena-fuseki-server.jar", "Apache Jena Fuseki")
    port = free_port()
    command = ["java", "-Xmx1g", "-jar", jar, "--port", str(port), "--localhost", "--update", "--mem", *more, "/ds"]
    with running(command, folder, f"http://127.0.0.1:{port}/", FUSEKI_BASE=str(folder / "base")):
        yield Server("fuseki", f"http://127.0.0.1:{port}/ds", "5.6.0")


def shelf(folder: Path, quads: str) -> Path:
    """A shelf for `served` that has no page, but a graph: N-Quads."""
    place = folder / "site" / "download" / "hypomag.nq"
    place.parent.mkdir(parents=True)
    place.write_text(quads, encoding="utf-8")
    sum_ = hashlib.sha256(place.read_bytes()).hexdigest()
    told = {"digest": sum_, "files": {"download/hypomag.nq": [place.stat().st_size, sum_]}, "places": {}, "gone": {}}
    (folder / "shelf.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


@contextlib.contextmanager
def served(folder: Path, **limits: float) -> Iterator[str]:
    """Our own server over a shelf, within limits; its address."""
    port = free_port()
    code = (
        "import sys, json; from pathlib import Path; from hypomag import documents, serving; from hypomag.endpoint import Endpoint\n"
        "from hypomag.lanes import Limits; limits = json.loads(sys.argv[3])\n"
        "serving.run(Endpoint(documents.opened(Path(sys.argv[1])), Limits(**limits)), '127.0.0.1', int(sys.argv[2]))"
    )
    url = f"http://127.0.0.1:{port}"
    log = folder / f"run-{port}"
    log.mkdir()
    with running([sys.executable, "-c", code, str(folder), str(port), json.dumps(limits)], log, f"{url}/health"):
        yield url


REPOSITORY = """\
@prefix config: <tag:rdf4j.org,2023:config/> .
[] a config:Repository ; config:rep.id "hypomag" ; <http://www.w3.org/2000/01/rdf-schema#label> "hypomag" ;
  config:rep.impl [ config:rep.type "openrdf:SailRepository" ; config:sail.impl [ config:sail.type "openrdf:MemoryStore" ] ] .
"""


@contextlib.contextmanager
def rdf4j(folder: Path) -> Iterator[Server]:
    runner = needs(PARTS / "webapp-runner.jar", "Eclipse RDF4J")
    war = needs(PARTS / "rdf4j-http-server.war", "Eclipse RDF4J")
    port = free_port()
    command = [
        "java", "-Xmx1g", f"-Dorg.eclipse.rdf4j.appdata.basedir={folder / 'data'}", "-jar", runner, "--port", str(port), "-Aaddress=127.0.0.1",
        "--path", "/rdf4j-server", "--temp-directory", str(folder / "tomcat"), war,
    ]  # fmt: skip
    base = f"http://127.0.0.1:{port}/rdf4j-server"
    with running(command, folder, f"{base}/protocol"):
        url = f"{base}/repositories/hypomag"
        httpx.put(url, content=REPOSITORY, headers={"Content-Type": "text/turtle"}, timeout=30).raise_for_status()
        yield Server("rdf4j", url, "5.0.3")


# Everything but the addresses and the limit of rows as Debian ships it.
VIRTUOSO_INI = """\
[Database]
DatabaseFile = v.db
ErrorLogFile = v.log
LockFile = v.lck
TransactionFile = v.trx
xa_persistent_file = v.pxa
[TempDatabase]
DatabaseFile = t.db
TransactionFile = t.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DirsAllowed = {allowed}
NumberOfBuffers = 10000
MaxDirtyBuffers = 6000
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerRoot = .
[SPARQL]
ResultSetMaxRows = 20000
MaxQueryExecutionTime = 60
"""


@contextlib.contextmanager
def virtuoso(folder: Path, allowed: Path | None = None) -> Iterator[Server]:
    binary = needs(shutil.which("virtuoso-t"), "OpenLink Virtuoso")
    sql, port = free_port(), free_port()
    (folder / "virtuoso.ini").write_text(VIRTUOSO_INI.format(sql=sql, http=port, allowed=allowed or folder), encoding="ascii")
    command = [binary, "-c", "virtuoso.ini", "-f", "+wait"]
    # Setting the password is a run of its own, which then ends.
    subprocess.run(
        [*command, "+pwdold", "dba", "+pwddba", PASSWORD, "+pwddav", PASSWORD], cwd=folder, check=True, timeout=60, capture_output=True
    )
    with running(command, folder, f"http://127.0.0.1:{port}/"):
        login = {"HYPOMAG_STORE_USER": USER, "HYPOMAG_STORE_PASSWORD": PASSWORD, "VIRTUOSO": f"127.0.0.1:{sql}"}
        yield Server("virtuoso", f"http://127.0.0.1:{port}", "7.2.5", login)


SERVERS = {"oxigraph": oxigraph, "fuseki": fuseki, "rdf4j": rdf4j, "virtuoso": virtuoso}


@dataclass
class Request:
    """What the proxy saw: the number of the request (from 1), what it was, and whether it writes."""

    number: int
    method: str
    path: str
    body: bytes

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "DELETE") or b"update=" in self.body[:7] or (self.method == "POST" and b" .\n" in self.body)


# What a rule may say: let it pass, answer with a status, never answer, cut half-way through the request,
# cut after the store has done it (the answer is lost), cut before the store hears of it.
PASS, HANG, HALF, LOSE, CUT = "pass", "hang", "half", "lose", "cut"
Rule = Callable[[Request], "str | int"]


class Proxy:
    """A proxy before a real store; `rule` decides on each request, `seen` keeps them."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.rule: Rule = lambda _: PASS
        self.seen: list[Request] = []
        self.closing = threading.Event()
        proxy = self
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                pass

            def do_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    request = Request(len(proxy.seen) + 1, self.command, self.path, body)
                    proxy.seen.append(request)
                action = proxy.rule(request)
                if isinstance(action, int):
                    self.answer(action, {"Content-Type": "text/plain"}, b"said the proxy")
                elif action == HANG:
                    proxy.closing.wait(60)
                    self.close_connection = True
                elif action == CUT:
                    self.reset()
                elif action == HALF:
                    with contextlib.suppress(OSError):
                        raw = socket.create_connection((proxy.target.hostname, proxy.target.port), timeout=5)
                        head = "".join(f"{k}: {v}\r\n" for k, v in self.headers.items() if k.lower() != "host")
                        raw.sendall(
                            f"{self.command} {self.path} HTTP/1.1\r\nHost: {proxy.target.netloc}\r\n{head}\r\n".encode()
                            + body[: len(body) // 2]
                        )
                        time.sleep(0.05)
                        linger_off(raw)
                    self.reset()
                else:
                    status, headers, content = self.forward(body)
                    if action == LOSE:
                        self.reset()
                    else:
                        self.answer(status, headers, content)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_any

            def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
                connection = http.client.HTTPConnection(proxy.target.hostname or "", proxy.target.port, timeout=120)
                try:
                    headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                    connection.request(self.command, self.path, body or None, headers | {"Connection": "close"})
                    response = connection.getresponse()
                    kept = {
                        k: v for k, v in response.getheaders() if k.lower() not in ("transfer-encoding", "connection", "content-length")
                    }
                    return response.status, kept, response.read()
                finally:
                    connection.close()

            def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response_only(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def reset(self) -> None:
                linger_off(self.connection)
                self.close_connection = True

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}{self.target.path}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def heal(self) -> None:
        self.rule = lambda _: PASS
        self.seen.clear()

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


def linger_off(connection: socket.socket) -> None:
    """Close a connection with a reset, as a crash or a firewall does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
    connection.close()
