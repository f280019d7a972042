"""Mappings to other vocabularies: an SSSOM table read and checked, in the graph as SKOS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import NamedNode, Quad

from hypomag.errors import InputError
from hypomag.sources import MAPPINGS, VOCAB

SKOS = "http://www.w3.org/2004/02/skos/core#"
EXACT, CLOSE, RELATED = SKOS + "exactMatch", SKOS + "closeMatch", SKOS + "relatedMatch"
NOT_MATCH = {EXACT: VOCAB + "notExactMatch", RELATED: VOCAB + "notRelatedMatch"}


@dataclass(frozen=True)
class Match:
    """One row of an SSSOM table, its parts as IRIs; `curie` is the object as the table writes it, `name` the subject's label."""

    subject: str
    predicate: str
    object: str
    curie: str
    name: str


def matches(path: Path) -> Iterator[Match]:
    """Stream the mappings of an SSSOM table; every row has to be valid, with predicate and justification.

    One with the modifier "Not" has the predicate `hm:notExactMatch`, so that no export can turn it positive.

    Raises:
        InputError: the table is not valid SSSOM (with the line), or negates a predicate that has no negative here.
    """
    import sssom_pydantic  # 270 ms: only where a table is read

    stated = 0
    try:
        with path.open(encoding="utf-8") as handle:
            stated = sum(1 for line in handle if line.strip() and not line.startswith("#")) - 1
        with sssom_pydantic.read_iterable(path) as table:
            read = 0
            for row in table.mappings:
                if isinstance(row, sssom_pydantic.io.ParseError):
                    raise InputError(
                        f"{path}: row {row.line_number}: {_first(row.exception)}", "see https://mapping-commons.github.io/sssom/"
                    )
                read += 1
                parts = [table.converter.expand_reference(part, strict=True) for part in (row.subject, row.predicate, row.object)]
                if row.predicate_modifier:
                    if parts[1] not in NOT_MATCH:
                        raise InputError(f"{path}: no negative of {row.predicate.curie} in this vocabulary")
                    parts[1] = NOT_MATCH[parts[1]]
                subject, predicate, target = (NamedNode(p).value for p in parts)
                yield Match(subject, predicate, target, row.object.curie, getattr(row.subject, "name", None) or "")
    except InputError:
        raise
    except Exception as error:  # the library raises errors of its own, of pydantic, of yaml
        raise InputError(f"{path}: not a valid SSSOM table: {_first(error)}", "see https://mapping-commons.github.io/sssom/") from None
    if stated != read:  # the library passes over rows with an unknown prefix
        raise InputError(f"{path}: {stated - read} of {stated} rows cannot be read", "is every prefix in its curie_map?")


def version(path: Path) -> str:
    """The version that an SSSOM table gives of itself; empty where it gives none."""
    import sssom_pydantic

    try:
        with sssom_pydantic.read_iterable(path) as table:
            return str(getattr(table.mapping_set, "version", None) or "")
    except Exception as error:
        raise InputError(f"{path}: not a valid SSSOM table: {_first(error)}", "see https://mapping-commons.github.io/sssom/") from None


def read(path: Path) -> list[Quad]:
    """Read an SSSOM table into quads of graph/mappings; see `matches`."""
    graph = NamedNode(MAPPINGS)
    return [Quad(NamedNode(m.subject), NamedNode(m.predicate), NamedNode(m.object), graph) for m in matches(path)]


def _first(error: Exception) -> str:
    told = getattr(error, "errors", None)  # pydantic's: which column, and what is wrong with it
    if callable(told) and (found := told()):
        return f"{'.'.join(map(str, found[0]['loc']))}: {found[0]['msg']}"
    return str(error).strip().split("\n")[0]
