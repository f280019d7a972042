"""The graph as a dictionary of nodes, and what belongs to the description of each: its page as RDF."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from pyoxigraph import Literal, NamedNode, Store, Triple

from hypomag import exports, prefixes
from hypomag.addresses import address
from hypomag.formatting import RDF_TYPE, RDFS, turtle
from hypomag.graph import content_graphs
from hypomag.sources import SHORTCUTS, VOCAB

LABEL = RDFS + "label"
SOURCE = "http://purl.org/dc/terms/source"
# What a page on a node of ours also describes: from the node along these properties, to nodes that have no page.
_PARTS = tuple(
    VOCAB + p
    for p in (
        "evidence",
        "statedAs",
        "measured",
        "interval",
        "duration",
        "maximum",
        "maximumRate",
        "input",
        "object",
        "factor",
        "discriminator",
        "sourceRow",
    )
)
_PARTS_ARE = ("evidence", "quantity", "dose", "formula", "discriminator", "row")
COMMENT = "# {}\n# From hypomag, a knowledge graph of primary hypomagnesemia. It informs; it is no medical advice."


class Facts:
    """All triples of the union, by subject; the labels; which claim belongs to which page.

    A claim belongs to the page of its subject: a variant's claims to the page of the gene.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        nodes: dict[str, dict[str, list[NamedNode | Literal]]] = {}
        for triple in {q.triple for g in content_graphs(store) for q in store.quads_for_pattern(None, None, None, g)}:
            nodes.setdefault(triple.subject.value, {}).setdefault(triple.predicate.value, []).append(triple.object)  # type: ignore[arg-type]
        for node in nodes.values():
            for objects in node.values():
                objects.sort(key=str)
        self.nodes = {iri: nodes[iri] for iri in sorted(nodes)}

    def values(self, iri: str, predicate: str) -> list[str]:
        """The objects of a property (short name) as text, sorted.

        Identifiers, labels and numbers alike come as their plain value.
        """
        return [o.value for o in self.nodes.get(iri, {}).get(_iri(predicate), ())]

    def one(self, iri: str, predicate: str) -> str:
        """The first value of a property, or nothing."""
        return next(iter(self.values(iri, predicate)), "")

    def label(self, iri: str) -> str:
        return self.one(iri, "rdfs:label") or prefixes.shorten(iri)

    def has(self, iri: str) -> bool:
        return LABEL in self.nodes.get(iri, ())

    def bearing(self, predicate: str) -> Iterator[tuple[str, str]]:
        """All (subject, value) of a property."""
        full = _iri(predicate)
        for iri, node in self.nodes.items():
            for value in node.get(full, ()):
                yield iri, value.value

    @cached_property
    def inbound(self) -> dict[str, dict[str, list[str]]]:
        """Object IRI → property → subjects, for the properties that join entities."""
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for iri, node in self.nodes.items():
            for predicate, objects in node.items():
                for thing in objects:
                    if isinstance(thing, NamedNode) and predicate != RDF_TYPE:
                        found[thing.value][predicate].append(iri)
        return found

    def pointing(self, iri: str, predicate: str) -> list[str]:
        """The subjects that have this node as a value of a property."""
        return self.inbound[iri][_iri(predicate)] if iri in self.inbound else []

    @cached_property
    def pages(self) -> dict[str, str]:
        """Path of each page without suffix → the IRI that it is about: every labelled node that has an address."""
        found: dict[str, str] = {}
        for iri in sorted(self.nodes):
            # Entries of OMIM and Orphanet are labelled as mappings too; a page they have where they are cited.
            path = address(iri) if self.has(iri) else None
            if path and (not path.startswith("publication/") or self.one(iri, "hm:shortCitation")):
                found[path] = iri
        return found

    @cached_property
    def homes(self) -> dict[str, str]:
        """Claim, variant or cohort → the IRI whose page holds it as a section."""
        found = {}
        for iri, node in self.nodes.items():
            kind = prefixes.shorten(iri).partition(":")[0]
            if kind == "variant":
                found[iri] = self.one(iri, "hm:gene")
            elif kind == "cohort":
                found[iri] = self.one(iri, "dcterms:source")
            elif kind in ("claim", "step") and VOCAB + "subject" in node:
                subject = self.one(iri, "hm:subject")
                found[iri] = self.one(subject, "hm:gene") if subject.startswith(_iri("variant:")) else subject
        return {iri: home for iri, home in found.items() if address(home) in self.pages}

    @cached_property
    def sections(self) -> dict[str, list[str]]:
        """Page IRI → the claims, variants and cohorts that are sections of its page."""
        found: dict[str, list[str]] = defaultdict(list)
        for iri, home in self.homes.items():
            found[home].append(iri)
        return found

    @cached_property
    def shortcuts(self) -> dict[str, list[Triple]]:
        """Object IRI → the generated edges that end there."""
        found: dict[str, list[Triple]] = defaultdict(list)
        for quad in self.store.quads_for_pattern(None, None, None, NamedNode(SHORTCUTS)):
            if quad.predicate.value != RDF_TYPE:
                found[quad.object.value].append(quad.triple)
        return found

    def description(self, iri: str) -> list[Triple]:
        """The concise bounded description of a page's resource, with labels.

        It holds the triples of the resource, of each claim, variant and cohort that is a section of its page, of their
        evidence lines, quantities, doses, discriminators and source rows; the generated edges that end at the resource; and the label of every
        other node and property that these name. Nothing of it is blank.
        """
        todo = [iri, *self.sections.get(iri, ())]
        seen = set(todo)
        triples: list[Triple] = []
        while todo:
            at = todo.pop()
            for predicate, objects in self.nodes.get(at, {}).items():
                for thing in objects:
                    triples.append(Triple(NamedNode(at), NamedNode(predicate), thing))
                    if predicate in _PARTS and isinstance(thing, NamedNode) and thing.value not in seen and _is_part(thing.value):
                        seen.add(thing.value)
                        todo.append(thing.value)
        triples.extend(self.shortcuts.get(iri, ()))
        return [*triples, *self.labels(triples)]

    def labels(self, triples: Iterable[Triple]) -> list[Triple]:
        """The labels of all nodes and properties that triples name and do not label themselves."""
        triples = list(triples)
        told = {t.subject.value for t in triples if t.predicate.value == LABEL}
        named = {part.value for t in triples for part in (t.subject, t.predicate, t.object) if isinstance(part, NamedNode)}
        return [Triple(NamedNode(n), NamedNode(LABEL), o) for n in sorted(named - told) for o in self.nodes.get(n, {}).get(LABEL, ())]


def _is_part(iri: str) -> bool:
    return prefixes.shorten(iri).partition(":")[0] in _PARTS_ARE and (address(iri) is None or "." in iri.rpartition("/")[2])


def _iri(name: str) -> str:
    return prefixes.expand(name) or name


def as_turtle(triples: Iterable[Triple], title: str) -> bytes:
    return turtle(triples, prefixes.read(), COMMENT.format(" ".join(title.split()))).encode()


def as_jsonld(triples: Iterable[Triple]) -> bytes:
    return (json.dumps(exports.jsonld_graph(triples, prefixes.read()), ensure_ascii=False, indent=1) + "\n").encode()
