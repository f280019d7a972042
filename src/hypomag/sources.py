"""Where the files of a graph are: the sources, the built graph beside them, the packaged copy."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from hypomag.errors import GraphUnavailable, InputError

BASE = "https://w3id.org/hypomag/"
GRAPHS = BASE + "graph/"
VOCAB = BASE + "vocab#"
CC_BY = "https://creativecommons.org/licenses/by/4.0/"

CLAIMS = GRAPHS + "claims"
HPOA = GRAPHS + "lifted/hpoa"
SHORTCUTS = GRAPHS + "shortcuts"
MAPPINGS = GRAPHS + "mappings"
TERMS = GRAPHS + "terms"
VOCABULARY = GRAPHS + "vocabulary"
PROVENANCE = GRAPHS + "provenance"
LINKED = GRAPHS + "linked/"
CLOSURE = GRAPHS + "closure"
SUMMARY = GRAPHS + "summary"
LINKED_MANIFEST = "linked.json"
CONTENT_GRAPHS = (CLAIMS, HPOA, MAPPINGS, PROVENANCE, SHORTCUTS, TERMS, VOCABULARY)

_PLACES = {
    "bands.ttl": VOCABULARY,
    "schema.ttl": VOCABULARY,
    "units.ttl": VOCABULARY,
    "harvest.ttl": PROVENANCE,
}


class Sources:
    """A folder that holds `ontology/`, `shapes/` and `queries/`, and perhaps `build/`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def prefixes(self) -> Path:
        return self.folder("ontology") / "prefixes.ttl"

    @property
    def mappings(self) -> Path:
        """The mapping table: of the sources, or as a build wrote it."""
        own = self.root / "ontology"
        return (own if own.is_dir() else self.root) / "mappings.sssom.tsv"

    def mapping_graphs(self) -> list[str]:
        """The named graphs that hold mappings and nothing else: ours, and one for each linked mapping set."""
        import json

        linked = json.loads((self.root / LINKED_MANIFEST).read_bytes())["sources"] if self.is_linked else []
        return [MAPPINGS, *(LINKED + str(file["name"]) for file in linked if file["kind"] == "sssom")]

    @property
    def build(self) -> Path:
        return self.root / "build"

    def turtle(self) -> list[Path]:
        """All curated Turtle files, in one order everywhere."""
        return sorted((self.root / "ontology").rglob("*.ttl"))

    def folder(self, name: str) -> Path:
        """A folder of the sources; a built graph has none, so the packaged one serves it."""
        own = self.root / name
        return own if own.is_dir() else packaged() / name

    def shapes(self) -> list[Path]:
        return sorted(self.folder("shapes").glob("*.ttl"))

    def rules(self) -> list[Path]:
        return sorted((self.folder("queries") / "rules").glob("*.rq"))

    @property
    def is_linked(self) -> bool:
        return (self.root / LINKED_MANIFEST).is_file()

    def queries(self) -> list[Path]:
        """The questions that the graph can answer: a linked one answers more."""
        more = self.folder("queries").glob("linked/*.rq") if self.is_linked else ()
        return sorted((*self.folder("queries").glob("*.rq"), *more), key=lambda path: path.name)

    def federated(self) -> list[Path]:
        """Questions that ask another server too."""
        return sorted(self.folder("queries").glob("federated/*.rq"))

    def graph_files(self) -> Iterator[tuple[Path, str]]:
        """Each Turtle file of the graph with the named graph that it belongs to."""
        ontology = self.root / "ontology"
        for path in self.turtle():
            place = path.relative_to(ontology)
            if path == self.prefixes:
                continue
            if place.parts[0] == "terms":
                yield path, TERMS
            elif place.parts[0] == "lifted":
                yield path, GRAPHS + "lifted/" + path.stem
            else:
                yield path, _PLACES.get(place.name, CLAIMS)

    def inputs(self) -> list[Path]:
        """Every file that a build depends on."""
        mappings = [self.mappings] if self.mappings.is_file() else []
        return [*self.turtle(), *mappings, *self.shapes(), *self.rules(), *self.queries()]

    def digest(self, version: str) -> str:
        """SHA-256 over the names and bytes of all inputs and the version of the program."""
        import hashlib

        total = hashlib.sha256(version.encode())
        for path in self.inputs():
            total.update(path.relative_to(self.root).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()


def packaged() -> Path:
    """The folder of the graph that comes with the program (in a checkout: the checkout)."""
    here = Path(__file__).resolve().parent
    inside = here / "data"
    return inside if inside.is_dir() else here.parent.parent


def linked_folder() -> Path:
    """Where the linked graph of a user lies: `hypomag/linked` in the folder for data of programs."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")  # noqa: PTH111 - the same without a home
    return Path(base) / "hypomag" / "linked"


def find(graph_dir: str | os.PathLike[str] | None = None) -> Sources:
    """Find the folder to read: `graph_dir`, else `$HYPOMAG_HOME`, else the packaged one.

    The current folder is never taken silently.

    Raises:
        GraphUnavailable: the folder is not there or holds neither sources nor a built graph.
    """
    chosen = graph_dir or os.environ.get("HYPOMAG_HOME") or packaged()
    told_by = "--graph-dir" if graph_dir else "$HYPOMAG_HOME" if os.environ.get("HYPOMAG_HOME") else "the package"
    root = Path(chosen).expanduser()
    if not root.is_dir():
        if root == linked_folder():
            raise GraphUnavailable("nothing is linked yet", "link upstream files first: hypomag link hp.obo phenotype.hpoa")
        raise GraphUnavailable(f"{root}: no such folder ({told_by})", "name a folder that holds ontology/, or a build folder")
    root = root.resolve()
    if not (root / "ontology").is_dir() and not (root / "hypomag.nq").is_file() and not (root / LINKED_MANIFEST).is_file():
        raise GraphUnavailable(
            f"{root}: holds neither ontology/ nor hypomag.nq ({told_by})",
            "name a folder that holds ontology/, or a build folder",
        )
    return Sources(root)


def read_text(path: str) -> str:
    """Read a UTF-8 file, or standard input for "-".

    Raises:
        InputError: it is missing, a folder, unreadable or not UTF-8 (with the line).
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder", "name a file in it") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "check the name and its permissions") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}: not UTF-8 text", "save it as UTF-8") from None


def check_writable(path: str) -> None:
    """Refuse a place that `write_file` could not write, before anything else is written.

    Raises:
        InputError: it cannot be written.
    """
    target = Path(path).resolve()
    aside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        if target.is_dir():
            raise InputError(f"{path}: is a folder", "name a file")
        if target.exists() and not target.is_file():
            return
        try:
            aside.touch()
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "choose another file; nothing was written") from None


def write_file(path: str, data: bytes | Iterable[bytes]) -> None:
    """Write a file, or parts of it as they come, whole or not at all: what was there stays until the new one is complete.

    Raises:
        InputError: it cannot be written.
    """
    parts = [data] if isinstance(data, bytes) else data
    try:
        target = Path(path).resolve()  # what a link leads to may lie on another disk
        if target.exists() and not target.is_file():  # a device, a named pipe
            with target.open("wb") as handle:
                handle.writelines(parts)
            return
        aside = target.with_name(f".{target.name}.{os.getpid()}.new")
        try:
            with aside.open("wb") as handle:
                handle.writelines(parts)
            if target.exists():
                aside.chmod(target.stat().st_mode & 0o7777)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "choose another file; what was there is as it was") from None
