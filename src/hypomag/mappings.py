"""The mapping set (SSSOM) as SKOS statements of the graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pyoxigraph import NamedNode, Quad, Store

from hypomag import prefixes
from hypomag.errors import InputError
from hypomag.sources import BASE, MAPPINGS, VOCAB

if TYPE_CHECKING:
    from sssom_pydantic import SemanticMappingPack

NOT_MATCH = {
    "http://www.w3.org/2004/02/skos/core#exactMatch": VOCAB + "notExactMatch",
}


SKOS = "http://www.w3.org/2004/02/skos/core#"
PREDICATES = tuple(SKOS + name for name in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch"))
POSSIBLE = VOCAB + "possibleDuplicateOf"
# Where nothing says how a match was found: a built graph has the matches alone, without the table's other columns.
CURATED, UNKNOWN = "semapv:ManualMappingCuration", "semapv:UnspecifiedMatching"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


def read(path: Path) -> list[Quad]:
    """Read an SSSOM table into quads of graph/mappings.

    A mapping becomes `subject predicate object`; one with the modifier "Not" becomes
    `subject hm:notExactMatch object`, so that no export can turn it positive.

    Raises:
        InputError: the table is not valid SSSOM, or negates a predicate that has no negative here.
    """
    pack = _pack(path)
    stated = sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")) - 1
    if stated != len(pack.mappings):  # the library passes over rows with an unknown prefix
        raise InputError(f"{path}: {stated - len(pack.mappings)} of {stated} rows cannot be read", "is every prefix in its curie_map?")
    converter = pack.converter
    graph = NamedNode(MAPPINGS)
    quads = []
    for mapping in pack.mappings:
        subject, predicate, target = (
            converter.expand_reference(part, strict=True) for part in (mapping.subject, mapping.predicate, mapping.object)
        )
        if mapping.predicate_modifier:
            if predicate not in NOT_MATCH:
                raise InputError(f"{path}: no negative of {mapping.predicate.curie} in this vocabulary")
            predicate = NOT_MATCH[predicate]
        quads.append(Quad(NamedNode(subject), NamedNode(predicate), NamedNode(target), graph))
    return quads


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
            "description": "Exact matches of diseases and genes, what must not be matched, and close matches of the hypomag vocabulary.",
        }),
    )  # fmt: skip
    return out.getvalue().replace("\r\n", "\n")  # one line end for all exports


def _pack(path: Path) -> SemanticMappingPack:
    import sssom_pydantic  # 270 ms: only where a table is read

    try:
        return sssom_pydantic.read(path)
    except Exception as error:
        first = str(error).strip().split("\n")[0]
        raise InputError(f"{path}: not a valid SSSOM table: {first}", "see https://mapping-commons.github.io/sssom/") from None


def _matches(store: Store) -> set[tuple[str, str, str]]:
    return {
        (quad.subject.value, predicate, quad.object.value)
        for predicate in (*PREDICATES, *NOT_MATCH.values(), POSSIBLE)
        for quad in store.quads_for_pattern(None, NamedNode(predicate), None, None)
    }
