"""What all tests share: one assembled graph, no network but loopback."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pyoxigraph import Store

from hypomag import graph, sources
from tests import browsers
from tests.browsers import Browser

# In CI the examples are the same each time, so that a run is red or green for a reason in the change.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

collect_ignore_glob = ["validators/*"]  # scripts that run in environments of their own

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("stores") and os.environ.get("HYPOMAG_TEST_STORES") != "1":
        pytest.skip("Virtuoso, Fuseki and RDF4J: make test-stores installs them and runs this")
    if item.get_closest_marker("serve") and os.environ.get("HYPOMAG_TEST_SERVE") != "1":
        pytest.skip("Comunica and Schemathesis: make test-serve installs them and runs this")
    if item.get_closest_marker("browser") and os.environ.get("HYPOMAG_TEST_BROWSER") != "1":
        pytest.skip("the site in Chromium: make test-browser installs it and runs this")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches beyond this machine fails."""
    connect, lookup = socket.socket.connect, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test opened a connection to {address}")
        connect(self, address)

    def known(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in ("127.0.0.1", b"127.0.0.1"):
            raise AssertionError(f"a test asked for the address of {host}")
        return lookup(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", known)
    for name in ("HYPOMAG_HOME", "HYPOMAG_STORE_USER", "HYPOMAG_STORE_PASSWORD", "HYPOMAG_STORE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", os.devnull)


@pytest.fixture(scope="session")
def home() -> sources.Sources:
    return sources.find(ROOT)


@pytest.fixture(scope="session")
def store(home: sources.Sources) -> Store:
    return graph.assemble(home)


@contextlib.contextmanager
def _shared(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder that all workers share; whoever comes second finds what the first has made."""
    import fcntl

    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield base / name


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the real sources; nobody writes into it."""
    with _shared(tmp_path_factory, "built") as out:
        done = hypomag("build", "-o", str(out / "build"), "--graph-dir", str(ROOT))
    assert done.returncode == 0, done.stderr
    return out / "build"


@pytest.fixture
def checkout(built: Path, tmp_path: Path) -> Path:
    """The real sources with their build, copied to where a test may change them."""
    copied(built, tmp_path)
    return tmp_path


def copied(built: Path, folder: Path) -> None:
    for name in ("ontology", "shapes", "queries"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(built, folder / "build")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published site of the real sources, two folders below what serves it: no page may know where it lies."""
    with _shared(tmp_path_factory, "web") as web:
        done = hypomag("publish", str(web / "some" / "base"), "--graph-dir", str(ROOT))
    assert done.returncode == 0, done.stderr
    return web / "some" / "base"


@pytest.fixture(scope="session")
def shelf(site: Path, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `hypomag serve` keeps in the user's cache, around the site that all tests share."""
    from hypomag import documents

    folder = tmp_path_factory.mktemp("shelf")
    (folder / documents.SITE).symlink_to(site)
    documents.record(folder, store)
    return folder


@pytest.fixture(scope="module")
def browser(site: Path) -> Iterator[Browser]:
    """Chromium on the served site."""
    with browsers.opened(site) as found:
        yield found


@pytest.fixture
def clean(browser: Browser) -> Iterator[Browser]:
    """The browser, which must not have complained when the test ends; its windows are closed."""
    browser.complaints.clear()
    yield browser
    for context in browser.chromium.contexts:
        context.close()
    assert browser.complaints == []


def hypomag(*arguments: str, stdin: str | bytes | None = None, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does: another process, no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "hypomag", *arguments],
        input=stdin.decode("latin-1") if isinstance(stdin, bytes) else stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env={k: v for k, v in os.environ.items() if k != "HYPOMAG_HOME"} | env,
        timeout=600,
        check=False,
    )
