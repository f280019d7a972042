"""Every name in the form that lookups compare: a sorted file beside a store, so that none is searched for among all labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyoxigraph import NamedNode, Store

TYPE_CHECKING = False  # typing itself takes a third of the time of a cold query
if TYPE_CHECKING:
    from mmap import mmap

FILE = "names.tsv"
_OBO_IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
SYNONYMS = tuple(_OBO_IN_OWL + f"has{kind}Synonym" for kind in ("Exact", "Broad", "Narrow", "Related"))
# What a name is to its bearer; a lookup takes the first kind that anything bears.
KINDS = {LABEL: "label", SYNONYMS[0]: "exact", **dict.fromkeys(SYNONYMS[1:], "synonym")}
# An engine's store cannot say where it lies: the latest opened ones, each with its file of names.
_BESIDE: dict[Store, Path] = {}
_KEPT = 8


def folded(text: str) -> str:
    """A name as lookups compare it: blanks, hyphens and letter case do not count.

    >>> folded("Intestinal  Hypomagnesemia-1")
    'intestinal hypomagnesemia 1'
    """
    return re.sub(r"[\s_-]+", " ", text).strip().casefold()


def line(predicate: str, iri: str, text: str) -> str:
    """One name of an entity as a line of the file: folded name, kind, IRI."""
    return f"{folded(text)}\t{KINDS[predicate]}\t{iri}\n"


def lines(store: Store) -> list[str]:
    """All names in a store, as lines of the file."""
    return [
        line(predicate, quad.subject.value, quad.object.value)
        for predicate in KINDS
        for quad in store.quads_for_pattern(None, NamedNode(predicate), None, None)
    ]


def packed(found: Iterable[str]) -> bytes:
    """The file that some lines make: sorted, each once."""
    return "".join(sorted(set(found))).encode()


def lay(store: Store, folder: Path) -> Store:
    """Remember where the file of names of an opened store lies; returns the store."""
    if (folder / FILE).is_file():
        for old in list(_BESIDE)[: max(0, len(_BESIDE) - _KEPT + 1)]:
            del _BESIDE[old]
        _BESIDE[store] = folder / FILE
    return store


def read(store: Store) -> bytes | mmap:
    """The names of a store: its file, else what the file would be, made now."""
    if store not in _BESIDE:
        return packed(lines(store))
    import mmap

    with _BESIDE[store].open("rb") as handle:
        return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)


def find(names: bytes | mmap, name: str) -> Iterator[tuple[str, str]]:
    """Kind and IRI of all that bear a name.

    >>> list(find(packed([line(LABEL, "http://a/1", "Seizure"), line(LABEL, "http://a/2", "Tetany")]), "TETANY"))
    [('label', 'http://a/2')]
    """
    wanted = f"{folded(name)}\t".encode()
    start, end = 0, len(names)
    while start < end:  # `start` and `end` stand at beginnings of lines
        middle = names.rfind(b"\n", start, (start + end) // 2) + 1 or start
        after = names.find(b"\n", middle) + 1
        if names[middle:after] < wanted:
            start = after
        else:
            end = middle
    while names[start : start + len(wanted)] == wanted:
        after = names.find(b"\n", start) + 1
        _, kind, iri = names[start:after].decode().rstrip("\n").split("\t")
        yield kind, iri
        start = after
