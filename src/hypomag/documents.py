"""The published site as a server hands it out: its files, where each IRI of ours leads, what is gone.

The site is made once for each release of the graph, in the user's cache, by a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import NamedNode, Store

from hypomag import folders, sources
from hypomag.addresses import address, fragment
from hypomag.errors import GraphUnavailable, HypomagError
from hypomag.sources import BASE, VOCAB

SHELF, SITE = "shelf.json", "site"
DATASET = "download/hypomag.nq"
LISTS = {"vocab": "class/index", "shapes": "shape/index", "dataset": "data"}
_PARTS_ARE = ("evidence", "quantity", "dose", "discriminator", "row", "formula")
_RELEASE = re.compile(r"release/[0-9][\w.-]*/(.+)")


@dataclass(frozen=True)
class Shelf:
    """A site in its folder. Paths are relative to the root of the site; an address of ours is an IRI without its base.

    `files`: path → size in bytes, SHA-256. `places`: address → path without suffix, and section after `#`. `gone`: address → the
    IRI that took its place, or nothing.
    """

    folder: Path
    digest: str
    files: dict[str, tuple[int, str]]
    places: dict[str, str]
    gone: dict[str, str]

    def place(self, path: str) -> str | None:
        """Where an address of ours leads: a path of the site without suffix, perhaps with #section; or with suffix, a file."""
        stem = self.places.get(path) or LISTS.get(path)
        if stem:
            return stem
        if f"{path}.ttl" in self.files or f"{path}.html" in self.files:
            return path
        if match := _RELEASE.fullmatch(path):
            inner = match[1]
            return LISTS.get(inner) or (f"download/{inner}" if f"download/{inner}" in self.files else None)
        return None

    def read(self, path: str) -> bytes:
        """The bytes of a file of the site.

        Raises:
            OSError: it is not there any more, or not as it was written.
        """
        content = (self.folder / path).read_bytes()
        if len(content) != self.files[path][0]:
            raise OSError(f"{path} was changed")
        return content


def places(store: Store) -> tuple[dict[str, str], dict[str, str]]:
    """Where the IRIs of ours lead, and which are gone: withdrawn claims, and whatever is deprecated.

    A claim leads to its section, a part of it (evidence, quantity, row, ...) to the section of the claim.
    """
    from hypomag.descriptions import Facts

    facts = Facts(store)
    found: dict[str, str] = {iri: path for path, iri in facts.pages.items()}
    for iri, home in facts.homes.items():
        found[iri] = f"{address(home)}#{fragment(iri)}"
    for start in sorted(found):
        todo = [start]
        while todo:
            for objects in facts.nodes.get(todo.pop(), {}).values():
                for thing in objects:
                    if isinstance(thing, NamedNode) and thing.value not in found and _is_part(thing.value):
                        found[thing.value] = found[start]
                        todo.append(thing.value)
    gone: dict[str, str] = {}
    for iri in facts.nodes:
        if iri.startswith(BASE) and (
            f"{VOCAB}retracted" in facts.values(iri, "hm:status") or facts.one(iri, "owl:deprecated") in ("true", "1")
        ):
            gone[iri.removeprefix(BASE)] = facts.one(iri, "dcterms:isReplacedBy")
    ours = {iri.removeprefix(BASE): way for iri, way in found.items() if iri.startswith(BASE) and "#" not in iri}
    return dict(sorted(ours.items())), dict(sorted(gone.items()))


def _is_part(iri: str) -> bool:
    return iri.startswith(BASE) and iri.removeprefix(BASE).partition("/")[0] in _PARTS_ARE


def opened(folder: Path) -> Shelf:
    """Open a shelf that `stock` has written.

    Raises:
        GraphUnavailable: there is none, or a file of it is missing.
    """
    try:
        told = json.loads((folder / SHELF).read_bytes())
        files = {path: (int(size), str(sum_)) for path, (size, sum_) in told["files"].items()}
        if (folder / SITE / DATASET).stat().st_size != files[DATASET][0]:
            raise ValueError
        return Shelf(folder / SITE, told["digest"], files, told["places"], told["gone"])
    except (OSError, ValueError, KeyError, TypeError):
        raise GraphUnavailable(f"{folder}: holds no site to serve", "remove this folder, then try again") from None


def stock(found: sources.Sources, folder: Path, base: str) -> None:
    """Write the site, and beside it what a server has to know of it.

    Raises:
        InputError, SyntaxProblem, GraphUnavailable: as `sites.publish` and `graph.open_graph`.
    """
    from hypomag import graph, sites

    with folders.replaced(folder) as aside:
        sites.publish(found, aside / SITE, base)
        record(aside, graph.open_graph(found))


def record(folder: Path, store: Store) -> None:
    """Write down what a server has to know of the site in a folder, so that it starts without reading the graph."""
    from hypomag.sites import MANIFEST

    manifest = json.loads((folder / SITE / MANIFEST).read_bytes())
    ways, gone = places(store)
    files = {path: [facts["bytes"], facts["sha256"]] for path, facts in manifest["files"].items()}
    told = {"digest": manifest["inputs"], "files": files, "places": ways, "gone": gone}
    (folder / SHELF).write_text(json.dumps(told), encoding="utf-8")


@contextlib.contextmanager
def shelf(found: sources.Sources, base: str, say: Callable[[str], None]) -> Iterator[Shelf]:
    """Give the site of a graph, made where it is not yet there; sites of other releases that no server uses any more go.

    Raises:
        GraphUnavailable: the site cannot be made; with what was told of it.
    """
    import fcntl

    from hypomag import frontends, sites

    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hypomag"
    folder = home / f"site-{sites.inputs(found, base, frontends.find())[:16]}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        handle = folder.with_suffix(".lock").open("w")
    except OSError as error:
        raise GraphUnavailable(f"{home}: {error.strerror}", "set XDG_CACHE_HOME to a folder that can be written") from None
    with handle as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not (folder / SHELF).is_file():
            fcntl.flock(lock, fcntl.LOCK_EX)  # of two that start at once, one writes
            if not (folder / SHELF).is_file():
                say("writing the pages of this graph, once; half a minute")
                _made(found, folder, base)
            fcntl.flock(lock, fcntl.LOCK_SH)
        for other in home.glob("site-*.lock"):
            if other != folder.with_suffix(".lock"):
                _cleared(other)
        yield opened(folder)


def _made(found: sources.Sources, folder: Path, base: str) -> None:
    # Another process: the pages of the whole graph take memory that a server would never give back.
    command = [sys.executable, "-m", "hypomag.documents", str(found.root), str(folder), base]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["the site could not be made"]
        raise GraphUnavailable(lines[0] if done.returncode == 2 else lines[-1], "\n  ".join(lines[1:]) if done.returncode == 2 else None)


def _cleared(lock: Path) -> None:
    """Remove a site that nobody serves."""
    import fcntl

    with contextlib.suppress(OSError), lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
        lock.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        stock(sources.find(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    except HypomagError as problem:
        print(problem.message, *filter(None, [problem.remedy]), sep="\n", file=sys.stderr)
        sys.exit(2)
