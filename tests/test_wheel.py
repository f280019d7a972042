"""The wheel: installed where nobody may write, it works from an empty folder with the graph inside."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT, hypomag


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, read-only: nothing of the checkout is on the path."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(stat.S_IRUSR | (stat.S_IXUSR if path.is_dir() else 0))
    return folder


def run(installed: Path, *arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HYPOMAG", "PYTHON"))}
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); sys.dont_write_bytecode = True; from hypomag.start import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=cwd, env=clean | env, timeout=120, check=False
    )


@pytest.mark.parametrize("arguments", [
    ("query", "which-genes"), ("queries",), ("show", "FHSH"), ("explain", "TRPM6", "seizure"), ("coverage",), ("export", "--format", "nq"),
    ("queries", "which-genes"),
])  # fmt: skip
def test_it_answers_as_the_checkout_does(installed: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(installed, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == hypomag(*arguments, "--graph-dir", str(ROOT)).stdout
    assert list(tmp_path.iterdir()) == []


def test_it_validates_and_builds_elsewhere(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "validate", cwd=tmp_path).returncode == 0
    done = run(installed, "build", "-o", str(tmp_path / "out"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ours = hypomag("export", "--format", "nq", "--graph-dir", str(ROOT)).stdout
    assert (tmp_path / "out" / "hypomag.nq").read_text(encoding="utf-8") == ours


def test_it_carries_the_licences_and_no_second_copy(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("LICENSE", "LICENSE-DATA", "THIRD-PARTY-NOTICES"):
        assert any(n.endswith(f"licenses/{name}") for n in names), name
    assert "hypomag/py.typed" in names
    assert not [n for n in names if n.endswith((".ttl", ".nt", ".jsonld", ".trig", ".rdf")) and "/build/hypomag" in n]
    assert {"hypomag/templates/page.html", "hypomag/templates/style.css", "hypomag/data/queries/pages/schema-org.rq"} <= set(names)
    assert wheel.stat().st_size < 20_000_000
