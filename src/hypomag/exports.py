"""The graph as files: Turtle, N-Triples, N-Quads, TriG, RDF/XML, JSON-LD, and its description."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping

from pyoxigraph import CanonicalizationAlgorithm, Dataset, Literal, NamedNode, Quad, RdfFormat, Store, Triple, serialize

from hypomag import prefixes
from hypomag.errors import InputError
from hypomag.formatting import RDF_TYPE, XSD, turtle
from hypomag.graph import content_graphs
from hypomag.sources import BASE, CC_BY, VOCABULARY

UNION_FORMATS = ("turtle", "nt", "rdfxml")
DATASET_FORMATS = ("nq", "trig", "jsonld")
FORMATS = (*UNION_FORMATS, *DATASET_FORMATS)
SUFFIXES = {"turtle": "ttl", "nt": "nt", "rdfxml": "rdf", "nq": "nq", "trig": "trig", "jsonld": "jsonld"}
LICENCE_CC_BY = CC_BY


def union(store: Store) -> list[Triple]:
    """The triples of all content graphs as one graph, sorted."""
    found = {q.triple for g in content_graphs(store) for q in store.quads_for_pattern(None, None, None, g)}
    return sorted(found, key=str)


def quads(store: Store) -> list[Quad]:
    """The quads of all content graphs, sorted by their N-Quads line."""
    return sorted((q for g in content_graphs(store) for q in store.quads_for_pattern(None, None, None, g)), key=str)


def export(store: Store, form: str) -> bytes:
    """Write the content graphs; the same graph gives the same bytes.

    Turtle, N-Triples and RDF/XML carry the union of the content graphs; N-Quads, TriG and JSON-LD the dataset.

    Raises:
        InputError: the format is not known.
    """
    table = prefixes.read()
    if form == "turtle":
        return turtle(union(store), table).encode()
    if form == "nt":
        return "".join(f"{t} .\n" for t in union(store)).encode()
    if form == "nq":
        return "".join(f"{q} .\n" for q in quads(store)).encode()
    if form == "rdfxml":
        return serialize(union(store), format=RdfFormat.RDF_XML, prefixes=table) or b""
    if form == "trig":
        return trig(store, table).encode()
    if form == "jsonld":
        return (json.dumps(jsonld(store, table), ensure_ascii=False, indent=1) + "\n").encode()
    raise InputError(f"no format {form!r}", f"take one of {', '.join(FORMATS)}")


def streamed(store: Store) -> Iterator[bytes]:
    """The N-Quads of all graphs, the linked ones too, graph by graph in the engine's order: nothing is held, the same store gives the same bytes."""
    for graph in sorted(str(g) for g in store.named_graphs()):
        batch: list[str] = []
        for quad in store.quads_for_pattern(None, None, None, NamedNode(graph[1:-1])):
            batch.append(f"{quad} .\n")
            if len(batch) == 10_000:
                yield "".join(batch).encode()
                batch.clear()
        yield "".join(batch).encode()


def trig(store: Store, table: Mapping[str, str]) -> str:
    """Write each content graph as a block of our Turtle layout."""
    head: set[str] = set()
    blocks = []
    for graph in content_graphs(store):
        text = turtle(store.quads_for_pattern(None, None, None, graph), table)
        lines = text.splitlines()
        declared = [line for line in lines if line.startswith("@prefix ")]
        head.update(declared)
        body = "\n".join(f"    {line}" if line else "" for line in lines[len(declared) :]).strip("\n")
        blocks.append(f"<{graph.value}> {{\n{body}\n}}\n")
    return "".join(f"{line}\n" for line in sorted(head)) + "\n" + "\n".join(blocks)


def jsonld(store: Store, table: Mapping[str, str]) -> dict[str, object]:
    """Return the dataset as compact JSON-LD 1.1 with its context inlined.

    A term of the context is coerced where all its values agree (IRIs, one language, one datatype),
    so that most values are plain strings; the rest are value objects.
    """
    every = quads(store)
    context, terms = _context(every, table)
    graphs = []
    for graph in content_graphs(store):
        nodes = _nodes((quad.triple for quad in every if quad.graph_name == graph), terms)
        graphs.append({"@id": prefixes.shorten(graph.value), "@graph": nodes})
    return {"@context": context, "@graph": graphs}


def jsonld_graph(triples: Iterable[Triple], table: Mapping[str, str]) -> dict[str, object]:
    """Return some triples as one graph of compact JSON-LD 1.1; its context holds only the prefixes that are used."""
    every = sorted(set(triples), key=str)
    context, terms = _context(every, table)
    nodes = _nodes(every, terms)
    words = {key: value for key, value in context.items() if key not in table}
    used = set(re.findall(r'"([A-Za-z][\w.-]*):', json.dumps([words, nodes])))
    return {"@context": {k: v for k, v in context.items() if k not in table or k in used}, "@graph": nodes}


def _nodes(triples: Iterable[Triple], terms: Mapping[str, tuple[str, str]]) -> list[dict[str, object]]:
    found: dict[str, dict[str, list[object]]] = {}
    for triple in triples:
        node = found.setdefault(triple.subject.value, {})
        if triple.predicate.value == RDF_TYPE:
            node.setdefault("@type", []).append(prefixes.shorten(triple.object.value))
        else:
            key, coercion = terms[triple.predicate.value]
            node.setdefault(key, []).append(_value(triple.object, coercion))
    return [{"@id": prefixes.shorten(s)} | {k: v[0] if len(v) == 1 else v for k, v in sorted(found[s].items())} for s in sorted(found)]


def _context(every: Iterable[Quad | Triple], table: Mapping[str, str]) -> tuple[dict[str, object], dict[str, tuple[str, str]]]:
    kinds: dict[str, set[str]] = {}
    for quad in every:
        if quad.predicate.value != RDF_TYPE:
            kinds.setdefault(quad.predicate.value, set()).add(_kind(quad.object))
    context: dict[str, object] = {"@version": 1.1}
    for prefix, space in table.items():
        # A namespace that ends in "_" is a prefix only where it is said to be one.
        context[prefix] = space if space[-1] in ":/?#[]@" else {"@id": space, "@prefix": True}
    terms: dict[str, tuple[str, str]] = {}
    for predicate, found in sorted(kinds.items()):
        curie = prefixes.shorten(predicate)
        local = curie.removeprefix("hm:")
        key = local if local != curie and local not in table else curie  # "evidence" is a prefix too
        coercion = found.pop() if len(found) == 1 else ""
        terms[predicate] = (key, coercion)
        definition: dict[str, object] = {"@id": curie}
        if coercion == "@id":
            definition["@type"] = "@id"
        elif coercion.startswith("@"):
            definition["@language"] = coercion[1:]
        elif coercion and coercion != XSD + "string":
            definition["@type"] = prefixes.shorten(coercion)
        if len(definition) > 1 or key != curie:
            context[key] = definition
    return context, terms


def _kind(term: object) -> str:
    if not isinstance(term, Literal):
        return "@id"
    return f"@{term.language}" if term.language else str(term.datatype.value)


def _value(term: object, coercion: str) -> object:
    kind = _kind(term)
    if isinstance(term, NamedNode):
        short = prefixes.shorten(term.value)
        return short if coercion == "@id" else {"@id": short}
    assert isinstance(term, Literal)
    if kind == XSD + "integer" and kind == coercion:
        return int(term.value)
    if kind == coercion or (not coercion and kind == XSD + "string"):
        return term.value
    if term.language:
        return {"@value": term.value, "@language": term.language}
    return {"@value": term.value, "@type": prefixes.shorten(kind)}


def rdfc10(statements: Iterable[Quad]) -> str:
    """SHA-256 of the RDFC-1.0 canonical N-Quads of some statements."""
    dataset = Dataset(statements)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    lines = sorted(f"{quad} .\n" for quad in dataset)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def release(store: Store) -> tuple[str, str]:
    """Version and release date of the graph, from the vocabulary: nothing else dates an export."""
    vocabulary = NamedNode(BASE + "vocab")
    graph = NamedNode(VOCABULARY)

    def one(predicate: str) -> str:
        found = [q.object.value for q in store.quads_for_pattern(vocabulary, NamedNode(predicate), None, graph)]
        if len(found) != 1:
            raise InputError(f"ontology/schema.ttl must give exactly one <{predicate}>")
        return str(found[0])

    return one("http://www.w3.org/2002/07/owl#versionInfo"), one("http://purl.org/dc/terms/modified")


def description(store: Store, files: Mapping[str, bytes], folder: str = "") -> str:
    """VoID and DCAT description of the dataset, its graphs and its files, as Turtle in our layout.

    `folder` is the web address, with a slash at its end, below which the files are published.
    """
    version, date = release(store)
    table = prefixes.read()
    dataset, void, dcat, dct = BASE + "dataset", table["void"], table["dcat"], table["dcterms"]
    out: list[Triple] = []

    def say(subject: str, predicate: str, value: NamedNode | Literal) -> None:
        out.append(Triple(NamedNode(subject), NamedNode(predicate), value))

    def number(value: int) -> Literal:
        return Literal(str(value), datatype=NamedNode(XSD + "integer"))

    def english(value: str) -> Literal:
        return Literal(value, language="en")

    every = union(store)
    predicates = {t.predicate.value for t in every}
    for kind in (void + "Dataset", dcat + "Dataset"):
        say(dataset, RDF_TYPE, NamedNode(kind))
    say(dataset, dct + "title", english("hypomag: a knowledge graph of primary hypomagnesemia"))
    say(dataset, dct + "description", english(
        "Claims about primary (genetic) hypomagnesemia, each with its evidence. It informs; it is no medical advice."))  # fmt: skip
    say(dataset, dct + "license", NamedNode(LICENCE_CC_BY))
    say(dataset, dct + "rights", english("The licence covers our claims; labels and annotations of others keep theirs, see each graph."))
    for predicate in ("issued", "modified"):
        say(dataset, dct + predicate, Literal(date, datatype=NamedNode(XSD + "date")))
    say(dataset, dcat + "version", Literal(version))
    say(dataset, void + "uriSpace", Literal(BASE))
    say(dataset, void + "triples", number(len(every)))
    say(dataset, void + "distinctSubjects", number(len({t.subject.value for t in every})))
    say(dataset, void + "properties", number(len(predicates)))
    say(dataset, void + "classes", number(len({t.object.value for t in every if t.predicate.value == RDF_TYPE})))
    say(dataset, void + "exampleResource", NamedNode(table["MONDO"] + "0011176"))
    for space in sorted({s for s in table.values() if any(p.startswith(s) for p in predicates)}):
        say(dataset, void + "vocabulary", NamedNode(space))
    for graph in content_graphs(store):
        count = sum(1 for _ in store.quads_for_pattern(None, None, None, graph))
        say(dataset, void + "subset", graph)
        say(graph.value, RDF_TYPE, NamedNode(void + "Dataset"))
        title, licence, note = GRAPH_NOTES[graph.value.removeprefix(BASE + "graph/")]
        say(graph.value, dct + "title", english(title))
        if licence:
            say(graph.value, dct + "license", NamedNode(licence))
        say(graph.value, dct + "rights", english(note))
        say(graph.value, void + "triples", number(count))
    if folder:
        say(dataset, dcat + "landingPage", NamedNode(folder.removesuffix("download/")))
    for name, content in sorted(files.items()):
        media = MEDIA_TYPES[name.rpartition(".")[2]]
        node = f"{BASE}release/{version}/{name}"
        checksum = node + "#sha256"
        say(dataset, dcat + "distribution", NamedNode(node))
        say(node, RDF_TYPE, NamedNode(dcat + "Distribution"))
        if folder:
            say(node, dcat + "downloadURL", NamedNode(folder + name))
            say(dataset, void + "dataDump", NamedNode(folder + name))
        say(node, dct + "title", Literal(name))
        say(node, dcat + "mediaType", NamedNode(f"https://www.iana.org/assignments/media-types/{media}"))
        say(node, dcat + "byteSize", number(len(content)))
        say(node, table["spdx"] + "checksum", NamedNode(checksum))
        say(checksum, RDF_TYPE, NamedNode(table["spdx"] + "Checksum"))
        say(checksum, table["spdx"] + "algorithm", NamedNode(table["spdx"] + "checksumAlgorithm_sha256"))
        say(checksum, table["spdx"] + "checksumValue",
            Literal(hashlib.sha256(content).hexdigest(), datatype=NamedNode(XSD + "hexBinary")))  # fmt: skip
    return turtle(out, table, "# What the hypomag dataset is, holds and weighs (VoID, DCAT). Written by the build.")


MEDIA_TYPES = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "nq": "application/n-quads",
    "trig": "application/trig",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
    "tsv": "text/tab-separated-values",
}
_OURS = "Claims of the hypomag project."
# Title, licence and rights of each graph; None where no one licence covers it.
GRAPH_NOTES: dict[str, tuple[str, str | None, str]] = {
    "claims": ("Curated claims", LICENCE_CC_BY, _OURS),
    "shortcuts": ("Edges generated from accepted claims", LICENCE_CC_BY, _OURS),
    "vocabulary": ("The hypomag vocabulary", LICENCE_CC_BY, _OURS),
    "provenance": ("Source rows and how they were used", LICENCE_CC_BY, _OURS),
    "lifted/hpoa": (
        "HPO annotations as claims",
        "https://hpo.jax.org/app/license",
        "From phenotype.hpoa of the Human Phenotype Ontology, version 2025-01-16, unaltered in content; used under the HPO licence with attribution.",
    ),
    "mappings": (
        "Mappings to other vocabularies",
        None,
        "No one licence: Mondo's mapping sets of release 2026-08-04 (CC0); cross-references of hp.obo 2025-01-16 (HPO's licence, with attribution "
        "and version) and of MAxO 2024-07-29 (CC BY 4.0), given here as close matches; loinc2hpo (its own licence, with LOINC's notice); gene "
        "numbers of HGNC and mondo-ingest (no licence came with the copies); ours (CC BY 4.0). Each row of mappings.sssom.tsv bears its own; see "
        "THIRD-PARTY-NOTICES.",
    ),
    "terms": (
        "Labels of outside terms",
        None,
        "No one licence: labels belong to their makers, see THIRD-PARTY-NOTICES: Mondo, MAxO, CL, GO (CC BY 4.0), HPO (its licence), LOINC (its notice), RO, ECO (CC0).",
    ),
}
