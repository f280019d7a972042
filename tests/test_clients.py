"""The server in the hands of others: Comunica, which reads links and SPARQL, and Schemathesis, which tries what the description allows."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.conftest import ROOT

PARTS = Path(os.environ.get("HYPOMAG_CLIENTS_DIR", ROOT / ".clients"))
LABEL = "SELECT ?l WHERE {{ <{}> <http://www.w3.org/2000/01/rdf-schema#label> ?l }}"
pytestmark = pytest.mark.serve


@pytest.fixture(scope="module")
def url(shelf: Path) -> Iterator[str]:
    with servers.served(shelf, seconds=5) as address:
        yield address


def run(*command: str | Path, **env: str) -> str:
    done = subprocess.run(list(command), capture_output=True, text=True, timeout=300, env=os.environ | env, cwd=PARTS, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    ("source", "iri", "label"),
    [
        ("sparql@{}/sparql", "http://identifiers.org/hgnc/17995", "TRPM6"),
        ("{}/sparql", "http://identifiers.org/hgnc/17995", "TRPM6"),  # found out from the service description
        ("{}/disease/MONDO_0011176", "http://purl.obolibrary.org/obo/MONDO_0011176", "intestinal hypomagnesemia 1"),  # 303 to Turtle
        ("{}/graph/terms", "http://purl.obolibrary.org/obo/MONDO_0011176", "intestinal hypomagnesemia 1"),
    ],
)
def test_comunica(url: str, source: str, iri: str, label: str) -> None:
    told = run(PARTS / "node_modules" / ".bin" / "comunica-sparql", source.format(url), LABEL.format(iri))
    rows = json.loads(told)
    assert len(rows) == 1 and rows[0]["l"].startswith(f'"{label}"')


def test_schemathesis(url: str) -> None:
    # Left out: a string that fits the description may be no SPARQL; QUERY is taken, but OpenAPI has no word for it.
    told = run(
        PARTS / "schemathesis" / "bin" / "schemathesis", "run", f"{url}/openapi.json", "--checks", "all",
        "--exclude-checks", "positive_data_acceptance,unsupported_method,allow_header_conformance", "--max-examples", "50", "--seed", "1", "--no-color",
        SCHEMATHESIS_HOOKS=str(ROOT / "tests" / "validators" / "hooks.py"),
    )  # fmt: skip
    assert "Tested: " in told and "❌" not in told
