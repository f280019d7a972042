"""The one prefix table, read from `ontology/prefixes.ttl`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pyoxigraph import NamedNode, RdfFormat, parse

from hypomag.errors import InputError
from hypomag.sources import packaged

SH = "http://www.w3.org/ns/shacl#"


@lru_cache
def read(path: Path | None = None) -> dict[str, str]:
    """Return prefix → namespace IRI, in the order of the prefixes.

    >>> read()["MONDO"]
    'http://purl.obolibrary.org/obo/MONDO_'
    """
    names: dict[str, str] = {}
    spaces: dict[str, str] = {}
    place = path or packaged() / "ontology" / "prefixes.ttl"
    for quad in parse(path=str(place), format=RdfFormat.TURTLE):
        if quad.predicate.value == SH + "prefix":
            names[str(quad.subject)] = quad.object.value
        elif quad.predicate.value == SH + "namespace":
            spaces[str(quad.subject)] = quad.object.value
    return dict(sorted((name, spaces[node]) for node, name in names.items()))


def shorten(iri: str, table: dict[str, str] | None = None) -> str:
    """Write an IRI as prefix:local where the table allows, else as it is.

    >>> shorten("http://purl.obolibrary.org/obo/HP_0001250")
    'HP:0001250'
    """
    return _shortened(iri) if table is None else _shortest(iri, table)


@lru_cache(maxsize=1 << 16)
def _shortened(iri: str) -> str:
    return _shortest(iri, read())


def _shortest(iri: str, table: dict[str, str]) -> str:
    best = ""
    found = iri
    for prefix, space in table.items():
        if len(space) > len(best) and iri.startswith(space) and len(iri) > len(space):
            best, found = space, f"{prefix}:{iri[len(space) :]}"
    return found


def expand(name: str, table: dict[str, str] | None = None) -> str | None:
    """Turn prefix:local into an IRI; None where the prefix is not ours. Case of the prefix is ignored.

    >>> expand("hp:0001250")
    'http://purl.obolibrary.org/obo/HP_0001250'
    >>> expand("nowhere:1") is None
    True
    """
    prefix, colon, local = name.partition(":")
    if not colon:
        return None
    known = table or read()
    space = known.get(prefix) or {p.lower(): s for p, s in known.items()}.get(prefix.lower())
    return space + local if space else None


def node(name: str) -> NamedNode:
    """Turn prefix:local into a node.

    Raises:
        InputError: the prefix is not in the table.
    """
    iri = expand(name)
    if iri is None:
        raise InputError(f"no prefix for {name}", "add it to ontology/prefixes.ttl")
    return NamedNode(iri)
