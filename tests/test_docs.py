"""The documents: every command that they show runs, every file that they name is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, Store, parse

from hypomag import prefixes
from tests import servers
from tests.conftest import ROOT, hypomag

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [
    (page.name, line[2:])
    for page in PAGES
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]


STORE = "http://127.0.0.1:7878"


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Oxigraph server that holds the graph."""
    with servers.oxigraph(tmp_path_factory.mktemp("store")) as server:
        assert hypomag("load", server.url).returncode == 0
        yield server.url


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=[f"{p}: {c}" for p, c in COMMANDS])
def test_commands_run(page: str, command: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    words = shlex.split(command)
    if STORE in words:  # a real store stands in for the reader's own
        words = [request.getfixturevalue("store_url") if word == STORE else word for word in words]
    assert words[0] == "hypomag"
    if words[1] == "publish":  # again, into the site that all tests share
        words[2] = str(request.getfixturevalue("site"))
    if words[1] == "build":
        words += ["-o", str(tmp_path / "build")]
    done = hypomag(*words[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_python_runs() -> None:
    blocks = [b for page in PAGES for b in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)]
    assert blocks
    for block in blocks:
        done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_turtle_is_in_the_graph(store: Store) -> None:
    head = "".join(f"@prefix {p}: <{s}> .\n" for p, s in prefixes.read().items())
    shown = [
        quad.triple
        for page in PAGES
        for block in re.findall(r"```turtle\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        for quad in parse(head + block, format=RdfFormat.TURTLE)
    ]
    assert shown
    for triple in shown:
        assert list(store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)), triple


def test_files_that_are_named_exist() -> None:
    for page in PAGES:
        for name in re.findall(r"`((?:ontology|shapes|queries|src|tests|tools|docs)/[\w./-]*)`", page.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_commands_of_the_program_are_documented() -> None:
    from hypomag.cli import cli

    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in cli.commands:
        assert f"hypomag {name}" in text, name


def test_every_command_has_an_example() -> None:
    from hypomag.cli import cli

    for name in cli.commands:
        shown = hypomag(name, "--help").stdout
        assert re.search(r"Examples?:\n", shown), name
        assert f"hypomag {name}" in shown.split("Example")[1], name


def test_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8"))) <= targets
    assert set(re.findall(r"^    make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)) == {"run", "test"}
