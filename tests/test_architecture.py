"""Rooms: each module imports only those before it; heavy libraries only where they are used."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT

ROOMS = (
    "errors", "sources", "folders", "formatting", "prefixes", "spellings", "mappings", "ontologies", "closures", "bulk",
    "keys", "graph", "names", "queries", "federation", "results", "validation", "exports", "batches", "checks", "coverage", "cards", "paths",
    "lifting", "linking", "freshness", "claims", "losses", "citations", "biolink", "kgx", "hpoa", "handovers",
    "signatures", "measures", "laboratory", "patients", "comparisons", "differentials", "addresses", "descriptions", "charts", "diagrams", "passages", "chapters", "limits", "neighbours", "pages", "atlases", "frontends", "renderings", "sites",
    "stores", "asking", "library", "builds", "swaps", "loads", "bundles",
    "negotiation", "answers", "requests", "services", "workers", "lanes", "documents", "connections", "endpoint",
    "terminal", "bedside", "shipping", "publishing", "serving", "peers", "cli", "start", "__main__",
)  # fmt: skip
SOURCE = ROOT / "src" / "hypomag"
ONLY_IN = {
    "click": {"terminal", "bedside", "shipping", "publishing", "serving", "peers", "cli"},
    "uvicorn": {"connections", "serving"},
    "jinja2": {"renderings"},
    "ucumvert": {"measures"},
    "pyshacl": {"validation"},
    "shifty": {"validation"},
    "sssom_pydantic": {"mappings"},
    "fastobo": {"ontologies"},
    "rdflib": {"validation", "library"},
    "httpx": {"stores"},
}


def imports(name: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse((SOURCE / f"{name}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_module_has_its_room() -> None:
    assert {p.stem for p in SOURCE.glob("*.py")} == {*ROOMS, "__init__"}


@pytest.mark.parametrize("name", ROOMS)
def test_imports_point_backwards(name: str) -> None:
    used = {i.split(".")[1] for i in imports(name) if i.startswith("hypomag.")} & set(ROOMS)
    later = {u for u in used if ROOMS.index(u) >= ROOMS.index(name)}
    assert not later


@pytest.mark.parametrize("name", ROOMS)
def test_libraries_stay_in_their_rooms(name: str) -> None:
    used = {i.split(".")[0] for i in imports(name)}
    assert not {library for library, homes in ONLY_IN.items() if library in used and name not in homes}


@pytest.mark.parametrize("name", ROOMS)
def test_modules_stay_readable(name: str) -> None:
    lines = (SOURCE / f"{name}.py").read_text(encoding="utf-8").count("\n")
    assert lines <= 450, f"{name}.py has {lines} lines: split it by noun"


def test_help_and_query_load_nothing_heavy() -> None:
    code = "import sys; from hypomag import start, cli, asking; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"rdflib", "pyshacl", "shifty", "sssom_pydantic", "pydantic", "curies", "jinja2", "httpx", "uvicorn", "asyncio"} & set(
        loaded
    )
