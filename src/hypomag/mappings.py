"""Mappings to other vocabularies: an SSSOM table read and checked, in the graph as SKOS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pyoxigraph import NamedNode, Quad, Store

from hypomag import prefixes
from hypomag.errors import InputError
from hypomag.sources import BASE, CC_BY, LINKED, MAPPINGS, VOCAB

if TYPE_CHECKING:
    from curies import Converter
    from sssom_pydantic import MappingSet, SemanticMapping, SemanticMappingPack

SKOS = "http://www.w3.org/2004/02/skos/core#"
EXACT, CLOSE, RELATED = SKOS + "exactMatch", SKOS + "closeMatch", SKOS + "relatedMatch"
NOT_MATCH = {EXACT: VOCAB + "notExactMatch", RELATED: VOCAB + "notRelatedMatch"}
PREDICATES = tuple(SKOS + name for name in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch"))
POSSIBLE = VOCAB + "possibleDuplicateOf"
BIOLINK = "https://w3id.org/biolink/vocab/"
# Where nothing says how a match was found: a built graph has the matches alone, without the table's other columns.
CURATED, UNKNOWN = "semapv:ManualMappingCuration", "semapv:UnspecifiedMatching"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
# Who gives no licence has none invented: so SSSOM says it.
UNLICENSED = "https://w3id.org/sssom/license/unspecified"
# Prefixes of sources and graphs, beside those of ontology/prefixes.ttl.
MORE_PREFIXES = {"infores": "https://w3id.org/information-resource-registry/"}
# Columns that every table of ours has, filled or not; a table that knows more keeps more.
COLUMNS = {
    "subject_id", "subject_label", "predicate_id", "predicate_modifier", "object_id", "object_label", "mapping_justification", "license",
    "subject_source_version", "object_source_version", "mapping_provider", "mapping_source", "comment",
}  # fmt: skip
TITLE, CREATOR = "Mappings of hypomag", "the hypomag authors"
DESCRIPTION = (
    "Mondo's exact matches of the diseases that hypomag speaks of; numbers of their genes at NCBI and OMIM; cross-references of findings "
    "(hp.obo) and actions (MAxO) to other databases; what low and high results of tests are called (loinc2hpo); what must not be matched; "
    "diseases that may be one; close matches of the hypomag vocabulary."
)
COMMENT = (
    "Rows with predicate_modifier Not say that two terms do NOT match. Take them out before you use a tool that does not look at that "
    "column: sssom-py 0.4.21 makes matches of them in owl, fhir_json and ontoportal_json, but keeps them apart in json and rdf. "
    "The licence of the set (CC BY 4.0) covers the rows of hypomag alone; every row bears its own in the column license: Mondo's mapping "
    "sets are CC0; cross-references of hp.obo are used under the licence of the Human Phenotype Ontology (hpo.jax.org), with version "
    "(subject_source_version) and attribution, those of MAxO under CC BY 4.0; that these are read as skos:closeMatch is hypomag's doing, not theirs; "
    f"loinc2hpo has its own licence, which includes LOINC's notice; where none came with the copy, the row says {UNLICENSED}. "
    "This set contains codes and names of LOINC (https://loinc.org). LOINC is copyright Regenstrief Institute, Inc. and the Logical "
    "Observation Identifiers Names and Codes (LOINC) Committee, and is available at no cost under the licence at "
    "https://loinc.org/license/. LOINC is a registered United States trademark of Regenstrief Institute, Inc. "
    "See THIRD-PARTY-NOTICES of hypomag."
)
NO_IRI, NO_PREFIX = "what it is matched with is no IRI", "an IRI of it has no prefix, and SSSOM writes CURIEs"
UNTOLD = "written without who made it, how, and its licence: no table beside the graph tells"

Key = tuple[str, str, str]


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
    sssom_pydantic = _library()

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
    sssom_pydantic = _library()

    with _checked(path), sssom_pydantic.read_iterable(path) as table:
        return str(getattr(table.mapping_set, "version", None) or "")


def read(path: Path) -> list[Quad]:
    """Read an SSSOM table into quads of graph/mappings; see `matches`."""
    graph = NamedNode(MAPPINGS)
    return [Quad(NamedNode(m.subject), NamedNode(m.predicate), NamedNode(m.object), graph) for m in matches(path)]


@dataclass(frozen=True)
class Written:
    """An SSSOM table, how many mappings it holds, and what could not go along: subject, predicate, object and why."""

    text: str
    rows: int
    lost: tuple[tuple[str, str, str, str], ...]


def write(
    store: Store, version: str, date: str, table: Path | None = None, graphs: Sequence[str] = (MAPPINGS,), biolink: str | None = None
) -> Written:
    """Write every match of a graph as SSSOM: all that `graphs` state, and the matches that stand in other graphs.

    `hm:notExactMatch` goes back to a negated exact match. How, by whom, of which version and on what terms a match was made comes from the
    table that the graph was made from, a row for each of its rows; where it says nothing, the row says that no licence is known.
    `biolink` is the version of the model that our vocabulary is matched with. Rows are made one by one as they are written.

    Raises:
        InputError: the table is not valid SSSOM.
    """
    from io import StringIO

    sssom_pydantic = _library()
    import curies

    ours = curies.Converter.from_prefix_map(prefixes.read() | MORE_PREFIXES)
    pack = _pack(table) if table is not None and table.is_file() else None
    converter = curies.chain([ours, pack.converter]) if pack else ours
    known = _records(pack, converter) if pack else {}
    stated, lost = _stated(store, graphs)
    told = [record for records in known.values() for record in records]
    used = {prefixes.shorten(iri).partition(":")[0] for key in stated for iri in key} | {"semapv", "skos"}
    used |= {"graph" for graph in stated.values() if graph.startswith(LINKED)}.union(*(record.get_prefixes() for record in told))
    rows = 0

    def made() -> Iterator[SemanticMapping]:
        nonlocal rows
        for key in sorted(stated):
            found = known.get(_positive(key))
            if not found and not key[0].startswith(VOCAB):
                lost.append((*key, UNTOLD))
            for record in found or [_bare(store, key, stated[key], version, biolink)]:
                rows += 1
                yield _row(store, key, record)

    out = StringIO()
    sssom_pydantic.write(
        made(), out, metadata=_about(pack, version, date), converter=converter.get_subconverter(used),
        columns=_columns(told, pack), condense=False, reduce_prefix_map=False,
    )  # fmt: skip
    return Written(out.getvalue().replace("\r\n", "\n"), rows, tuple(sorted(lost)))  # one line end for all exports


def _about(pack: SemanticMappingPack | None, version: str, date: str) -> MappingSet:
    from sssom_pydantic import MappingSet

    ours = {"title": TITLE, "description": DESCRIPTION, "comment": COMMENT, "license": CC_BY, "creator_label": [CREATOR]}
    said = pack.mapping_set.model_dump(exclude_none=True) if pack else ours
    here = {"id": BASE + "mappings.sssom.tsv", "version": version, "publication_date": date}
    return MappingSet.model_validate({"license": UNLICENSED, "sssom_version": "1.1"} | said | here)


def _columns(told: Iterable[SemanticMapping], pack: SemanticMappingPack | None) -> list[str]:
    from sssom_pydantic.models import Record

    filled = {name for m in told for name, value in m.to_record() if value is not None}
    more = (pack.mapping_set.extension_definitions or []) if pack else []
    return [name for name in Record.model_fields if name in COLUMNS | filled - {"extensions"}] + [e.name for e in more]


def _records(pack: SemanticMappingPack, converter: Converter) -> dict[tuple[str, str, str, bool], list[SemanticMapping]]:
    """The rows of a table by what they state, several where it tells of one mapping more than once."""
    found = defaultdict(list)
    for mapping in pack.mappings:
        ends = (pack.converter.expand_reference(part, strict=True) for part in (mapping.subject, mapping.predicate, mapping.object))
        subject, predicate, target = (NamedNode(end).value for end in ends)
        found[subject, predicate, target, bool(mapping.predicate_modifier)].append(mapping.standardize(converter))
    return found


def _bare(store: Store, key: Key, graph: str, version: str, biolink: str | None) -> SemanticMapping:
    """The record of a mapping that no table tells of: where it stands is all that is known; of our vocabulary its version too."""
    from curies import NamableReference, Reference
    from pydantic import AnyUrl
    from sssom_pydantic import SemanticMapping

    ours = key[0].startswith(VOCAB)
    subject, predicate, target = (prefixes.shorten(iri) for iri in key)
    return SemanticMapping(
        subject=NamableReference.from_curie(subject, name=_label(store, key[0])),
        predicate=NamableReference.from_curie(predicate), object=NamableReference.from_curie(target),
        justification=Reference.from_curie(CURATED if ours else UNKNOWN), license=CC_BY if ours else UNLICENSED,
        subject_source_version=version if ours else None, provider=AnyUrl(BASE) if ours else None,
        object_source_version=biolink if ours and key[2].startswith(BIOLINK) else None,
        source=Reference.from_curie(prefixes.shorten(graph)) if graph.startswith(LINKED) else None,
    )  # fmt: skip


def _row(store: Store, key: Key, record: SemanticMapping) -> SemanticMapping:
    """A record with the ends as we spell them. An object that it has no label for takes the graph's; a subject does not: a test may have none."""
    from curies import NamableReference

    subject, predicate, target, negative = _positive(key)
    return record.model_copy(update={
        "subject": NamableReference.from_curie(prefixes.shorten(subject), name=record.subject.name),
        "predicate": NamableReference.from_curie(prefixes.shorten(predicate)),
        "predicate_modifier": "Not" if negative else None,
        "object": NamableReference.from_curie(prefixes.shorten(target), name=record.object.name or _label(store, target)),
    })  # fmt: skip


def _label(store: Store, iri: str) -> str | None:
    return min((q.object.value for q in store.quads_for_pattern(NamedNode(iri), NamedNode(LABEL), None, None)), default=None)


def _positive(key: Key) -> tuple[str, str, str, bool]:
    """What a statement of the graph is in SSSOM: its predicate, and whether it is negated."""
    positive = next((p for p, n in NOT_MATCH.items() if n == key[1]), None)
    return key[0], positive or key[1], key[2], positive is not None


def _library() -> ModuleType:
    """sssom_pydantic, imported where a table is read or written (270 ms).

    PyStow, which it depends on, makes a folder in the home of the user when it is imported, or fails where it cannot: here in one that goes again.
    """
    import os
    import sys
    import tempfile

    if "sssom_pydantic" not in sys.modules and "PYSTOW_HOME" not in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PYSTOW_HOME"] = folder
            try:
                import sssom_pydantic
            finally:
                del os.environ["PYSTOW_HOME"]
    import sssom_pydantic

    return sssom_pydantic


def _pack(path: Path) -> SemanticMappingPack:
    sssom_pydantic = _library()

    with _checked(path):
        pack: SemanticMappingPack = sssom_pydantic.read(path)
    return pack


@contextmanager
def _checked(path: Path) -> Iterator[None]:
    """Tell what the library finds wrong with a table as one of our errors."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # the library raises errors of its own, of pydantic, of yaml
        raise InputError(f"{path}: not a valid SSSOM table: {_first(error)}", "see https://mapping-commons.github.io/sssom/") from None


def _stated(store: Store, graphs: Sequence[str]) -> tuple[dict[Key, str], list[tuple[str, str, str, str]]]:
    """Every mapping with the graph that it stands in, of several the first; and those that SSSOM cannot write."""
    found: dict[Key, str] = {}
    lost = set()
    everywhere = (*PREDICATES, *NOT_MATCH.values(), POSSIBLE)
    patterns = [(None, NamedNode(graph)) for graph in graphs] + [(NamedNode(predicate), None) for predicate in everywhere]
    for predicate, graph in patterns:
        for quad in store.quads_for_pattern(None, predicate, None, graph):
            if quad.predicate.value == LABEL:  # linking keeps the names that a table gives
                continue
            key = (str(getattr(quad.subject, "value", quad.subject)), quad.predicate.value, str(getattr(quad.object, "value", quad.object)))
            if not isinstance(quad.subject, NamedNode) or not isinstance(quad.object, NamedNode):
                lost.add((*key, NO_IRI))
            elif any(prefixes.shorten(iri) == iri for iri in key):
                lost.add((*key, NO_PREFIX))
            else:
                found[key] = min(quad.graph_name.value, found.get(key, quad.graph_name.value))
    return found, sorted(lost)


def _first(error: Exception) -> str:
    told = getattr(error, "errors", None)  # pydantic's: which column, and what is wrong with it
    if callable(told) and (found := told()):
        return f"{'.'.join(map(str, found[0]['loc']))}: {found[0]['msg']}"
    return str(error).strip().split("\n")[0]
