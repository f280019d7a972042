"""What all tests share: one assembled graph, no network but loopback."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pyoxigraph import Store

from hypomag import graph, sources

# In CI the examples are the same each time, so that a run is red or green for a reason in the change.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches beyond this machine fails."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test opened a connection to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket, "getaddrinfo", _refuse)
    monkeypatch.delenv("HYPOMAG_HOME", raising=False)


def _refuse(host: Any, *rest: Any, **more: Any) -> Any:
    raise AssertionError(f"a test asked for the address of {host}")


@pytest.fixture(scope="session")
def home() -> sources.Sources:
    return sources.find(ROOT)


@pytest.fixture(scope="session")
def store(home: sources.Sources) -> Store:
    return graph.assemble(home)


@pytest.fixture(scope="session")
def built(home: sources.Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the real sources."""
    out = tmp_path_factory.mktemp("built") / "build"
    done = hypomag("build", "-o", str(out), "--graph-dir", str(ROOT))
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published site of the real sources, two folders below what serves it: no page may know where it lies."""
    out = tmp_path_factory.mktemp("web") / "some" / "base"
    done = hypomag("publish", str(out), "--graph-dir", str(ROOT))
    assert done.returncode == 0, done.stderr
    return out


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
        timeout=120,
        check=False,
    )
