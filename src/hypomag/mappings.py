"""Mappings to other vocabularies: an SSSOM table read and checked, in the graph as SKOS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pyoxigraph import NamedNode, Quad, Store

from hypomag import prefixes
from hypomag.errors import InputError
from hypomag.sources import BASE, MAPPINGS, VOCAB

if TYPE_CHECKING:
    from sssom_pydantic import SemanticMappingPack

SKOS = "http://www.w3.org/2004/02/skos/core#"
EXACT, CLOSE, RELATED = SKOS + "exactMatch", SKOS + "closeMatch", SKOS + "relatedMatch"
NOT_MATCH = {EXACT: VOCAB + "notExactMatch", RELATED: VOCAB + "notRelatedMatch"}
PREDICATES = tuple(SKOS + name for name in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch"))
POSSIBLE = VOCAB + "possibleDuplicateOf"
# Where nothing says how a match was found: a built graph has the matches alone, without the table's other columns.
CURATED, UNKNOWN = "semapv:ManualMappingCuration", "semapv:UnspecifiedMatching"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


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
    with _checked(path):
        with path.open(encoding="utf-8") as handle:
            stated = sum(1 for line in handle if line.strip() and not line.startswith("#")) - 1
        with sssom_pydantic.read_iterable(path) as table:
            read = 0
            for row in table.mappings:
                if isinstance(row, sssom_pydantic.io.ParseError):
                    raise InputError(
                        f"{path}: row {row.line_number} cannot be read: {_first(row.exception)}",
                        "is every prefix in its curie_map? see https://mapping-commons.github.io/sssom/",
                    )
                read += 1
                parts = [table.converter.expand_reference(part, strict=True) for part in (row.subject, row.predicate, row.object)]
                if row.predicate_modifier:
                    if parts[1] not in NOT_MATCH:
                        raise InputError(f"{path}: no negative of {row.predicate.curie} in this vocabulary")
                    parts[1] = NOT_MATCH[parts[1]]
                subject, predicate, target = (NamedNode(p).value for p in parts)
                yield Match(subject, predicate, target, row.object.curie, getattr(row.subject, "name", None) or "")
    if stated != read:  # the library passes over rows with an unknown prefix
        raise InputError(f"{path}: {stated - read} of {stated} rows cannot be read", "is every prefix in its curie_map?")


def version(path: Path) -> str:
    """The version that an SSSOM table gives of itself; empty where it gives none."""
    import sssom_pydantic

    with _checked(path), sssom_pydantic.read_iterable(path) as table:
        return str(getattr(table.mapping_set, "version", None) or "")


def read(path: Path) -> list[Quad]:
    """Read an SSSOM table into quads of graph/mappings; see `matches`."""
    graph = NamedNode(MAPPINGS)
    return [Quad(NamedNode(m.subject), NamedNode(m.predicate), NamedNode(m.object), graph) for m in matches(path)]


def write(store: Store, version: str, date: str, table: Path | None = None) -> str:
    """Write every match of a graph as SSSOM: those of graph/mappings, and those of our vocabulary with others.

    `hm:notExactMatch` goes back to a negated exact match. Justification, source version, comment and the labels of others come
    from the table that the graph was made from, where there is one.

    Raises:
        InputError: a matched IRI has no prefix, or the table is not valid SSSOM.
    """
    from io import StringIO

    import sssom_pydantic
    from curies import Converter, NamableReference
    from sssom_pydantic import MappingSet, SemanticMapping

    known = {}
    if table is not None and table.is_file():
        pack = _pack(table)
        for mapping in pack.mappings:
            ends = (pack.converter.expand_reference(part, strict=True) for part in (mapping.subject, mapping.predicate, mapping.object))
            known[(*ends, mapping.predicate_modifier)] = mapping

    def named(iri: str, label: str | None = None) -> NamableReference:
        short = prefixes.shorten(iri)
        if short == iri:
            raise InputError(f"no prefix for {iri}, which is matched", "add it to ontology/prefixes.ttl")
        labels = sorted(q.object.value for q in store.quads_for_pattern(NamedNode(iri), NamedNode(LABEL), None, None))
        return NamableReference.from_curie(short, name=labels[0] if labels else label)

    found = []
    for subject, predicate, target in sorted(_matches(store)):
        positive = next((p for p, n in NOT_MATCH.items() if n == predicate), None)
        modifier: Literal["Not"] | None = "Not" if positive else None
        told = known.get((subject, positive or predicate, target, modifier))
        ours = subject.startswith(VOCAB)
        found.append(SemanticMapping(
            subject=named(subject, told.subject.name if told else None), object=named(target, told.object.name if told else None),
            predicate=NamableReference.from_curie(prefixes.shorten(positive or predicate)), predicate_modifier=modifier,
            justification=told.justification if told else NamableReference.from_curie(CURATED if ours else UNKNOWN),
            subject_source_version=told.subject_source_version if told else version if ours else None,
            comment=told.comment if told else None,
        ))  # fmt: skip
    out = StringIO()
    sssom_pydantic.write(
        found, out, condense=False, converter=Converter.from_prefix_map(prefixes.read()),
        metadata=MappingSet.model_validate({
            "id": BASE + "mappings.sssom.tsv", "version": version, "license": "https://creativecommons.org/publicdomain/zero/1.0/",
            "title": "Mappings of hypomag", "publication_date": date,
            "description": "Matches of diseases, genes, findings, actions and tests, what must not be matched, and close matches of the hypomag vocabulary.",
        }),
    )  # fmt: skip
    return out.getvalue().replace("\r\n", "\n")  # one line end for all exports


def _pack(path: Path) -> SemanticMappingPack:
    import sssom_pydantic  # 270 ms: only where a table is read

    with _checked(path):
        return sssom_pydantic.read(path)


@contextmanager
def _checked(path: Path) -> Iterator[None]:
    """Tell what the library finds wrong with a table as one of our errors."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # the library raises errors of its own, of pydantic, of yaml
        raise InputError(f"{path}: not a valid SSSOM table: {_first(error)}", "see https://mapping-commons.github.io/sssom/") from None


def _matches(store: Store) -> set[tuple[str, str, str]]:
    return {
        (quad.subject.value, predicate, quad.object.value)
        for predicate in (*PREDICATES, *NOT_MATCH.values(), POSSIBLE)
        for quad in store.quads_for_pattern(None, NamedNode(predicate), None, None)
    }


def _first(error: Exception) -> str:
    told = getattr(error, "errors", None)  # pydantic's: which column, and what is wrong with it
    if callable(told) and (found := told()):
        return f"{'.'.join(map(str, found[0]['loc']))}: {found[0]['msg']}"
    return str(error).strip().split("\n")[0]
