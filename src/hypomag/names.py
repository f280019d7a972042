"""From any name that people use to the entity that bears it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pyoxigraph import Literal, NamedNode, Store

from hypomag import prefixes
from hypomag.errors import AmbiguousName, UnknownName
from hypomag.sources import BASE, VOCAB

RDFS_LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
_OBO_IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
SYNONYMS = tuple(NamedNode(_OBO_IN_OWL + f"has{kind}Synonym") for kind in ("Exact", "Broad", "Narrow", "Related"))
ALTERNATE = NamedNode(VOCAB + "alternateIri")
# In a linked graph every name stands once more, folded, so that none has to be searched for among a million labels.
KEYS = {RDFS_LABEL.value: VOCAB + "labelKey", SYNONYMS[0].value: VOCAB + "exactKey"} | {s.value: VOCAB + "synonymKey" for s in SYNONYMS[1:]}
MATCHES = NamedNode("http://www.w3.org/2004/02/skos/core#exactMatch")
CLOSE = NamedNode("http://www.w3.org/2004/02/skos/core#closeMatch")
# Spellings of a prefix that databases and people use, beside those of the prefix table.
PREFIX_SPELLINGS = {
    "orpha": "Orphanet", "ordo": "Orphanet", "orphanet": "Orphanet", "mim": "OMIM", "omim": "OMIM", "pubmed": "PMID",
    "pmid": "PMID", "uniprotkb": "UniProt", "uniprot": "UniProt", "hpo": "HP", "mesh": "MESH", "hgnc": "HGNC", "loinc": "LOINC",
    "geneid": "NCBIGene", "sctid": "SCTID", "snomedct": "SCTID", "snomedct_us": "SCTID",
}  # fmt: skip
_RESOLVERS = re.compile(
    r"https?://(?:(?:www\.)?identifiers\.org|(?:www\.)?bioregistry\.io|n2t\.net)/(?:[\w.-]+/)?([A-Za-z]\w*)[:/](?:[A-Za-z]+:)?([\w.-]+)$"
)
_OBO = re.compile(r"https?://(?:purl\.obolibrary\.org/obo|purl\.org/obo/owl)/([A-Za-z]+)[_:#]([\w-]+)$")
_PAGES = (
    (re.compile(r"https?://(?:www\.)?omim\.org/(?:entry/|MIM:)(\d+)$"), "OMIM"),
    (re.compile(r"https?://(?:www\.)?orpha\.net/(?:ORDO/Orphanet_|.*Expert=|\w+/disease/detail/)(\d+)$", re.I), "Orphanet"),
    (re.compile(r"https?://(?:www\.)?genenames\.org/.*(?:HGNC:|hgnc_id/)(\d+)$"), "HGNC"),
    (re.compile(r"https?://(?:www\.ncbi\.nlm\.nih\.gov/pubmed|pubmed\.ncbi\.nlm\.nih\.gov)/(\d+)/?$"), "PMID"),
    (re.compile(r"https?://(?:www\.|rest\.)?uniprot\.org/uniprot(?:kb)?/(\w+)$"), "UniProt"),
    (re.compile(r"https?://loinc\.org/(?:rdf/)?(\d+-\d)$"), "LOINC"),
)


def canonical(name: str) -> str | None:
    """Turn any known spelling of an identifier into the canonical IRI; None where it is no identifier.

    >>> canonical("ORPHA:30924") == canonical("Orphanet_30924") == canonical("http://www.orpha.net/ORDO/Orphanet_30924")
    True
    >>> canonical("https://bioregistry.io/hgnc:17995")
    'http://identifiers.org/hgnc/17995'
    >>> canonical("MIM 602014")
    'https://omim.org/entry/602014'
    >>> canonical("TRPM6") is None
    True
    """
    text = name.strip().strip("<>")
    if re.search(r"[\s<>\"{}|^`\\]", text) and "://" in text:
        return None  # no IRI
    if match := _OBO.match(text):
        return _from_parts(match[1], match[2])
    for pattern, prefix in _PAGES:
        if match := pattern.match(text):
            return _from_parts(prefix, match[1])
    if match := _RESOLVERS.match(text):
        return _from_parts(match[1], match[2])
    if re.match(r"https?://", text):
        return text
    if match := re.fullmatch(r"([A-Za-z]\w*)[:_ #]\s*#?([\w./-]+)", text):
        return _from_parts(match[1], match[2])
    return None


def _from_parts(prefix: str, local: str) -> str | None:
    spelled = PREFIX_SPELLINGS.get(prefix.lower(), prefix)
    return prefixes.expand(f"{spelled}:{local}")


def bearers(store: Store, name: str) -> list[NamedNode]:
    """Return all entities that bear a name, the canonical ones first; none where nobody bears it.

    Tried in turn: identifier in any spelling, alternate IRI, mapped identifier of another database,
    label, exact synonym, other synonyms; letter case is ignored for words.
    """
    if not name.strip():
        return []
    iri = canonical(name)
    if iri:
        node = NamedNode(iri)
        if described := [node] if _has_label(store, node) else []:
            mapped = _subjects(store, [MATCHES], node)
            return mapped or described
        if mapped := _subjects(store, [MATCHES], node) or _subjects(store, [CLOSE], node):
            return mapped
    for spelling in {name.strip(), iri or name.strip()}:
        if found := _subjects(store, [ALTERNATE], Literal(spelling)):
            return found
    wanted = folded(name)
    for properties in ([RDFS_LABEL], SYNONYMS[:1], SYNONYMS[1:]):
        spelled = {iri for predicate in properties for iri in _called(store, predicate, wanted)}
        if spelled:
            nearest = min(_rank(iri)[0] for iri in spelled)
            found = [NamedNode(iri) for iri in sorted(spelled) if _rank(iri)[0] == nearest]
            # A disease and the entries of other databases that are mapped to it are one thing.
            meant = {m.value for f in found for m in (_subjects(store, [MATCHES], f) or [f])}
            return [NamedNode(iri) for iri in sorted(meant)]
    return []


def resolve(store: Store, name: str) -> NamedNode:
    """Return the one entity that bears a name.

    Raises:
        UnknownName: nothing bears it; the remedy names what sounds alike.
        AmbiguousName: several do; the remedy lists them.
    """
    found = bearers(store, name)
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(f"{prefixes.shorten(f.value)} ({label(store, f)})" for f in found)
        raise AmbiguousName(f"{name!r} names {len(found)} things", f"say which: {shown}")
    near = similar(store, name) if name.strip() else []
    raise UnknownName(f"nothing in the graph is called {name!r}", f"did you mean {'; '.join(near)}?" if near else None)


def similar(store: Store, name: str) -> list[str]:
    """Return up to five labels and synonyms of the graph that look like a name."""
    from difflib import get_close_matches

    wanted = folded(name)
    known: dict[str, str] = {}
    if is_keyed(store):
        for predicate in KEYS.values():
            for quad in store.quads_for_pattern(None, NamedNode(predicate), None, None):
                if wanted in quad.object.value or quad.object.value[:3] == wanted[:3]:
                    known.setdefault(quad.object.value, quad.object.value)
    else:
        for predicate in KEYS:
            for quad in store.quads_for_pattern(None, NamedNode(predicate), None, None):
                if _rank(quad.subject.value)[0] < 2:
                    known.setdefault(folded(quad.object.value), quad.object.value)
    inside = sorted((k for k in known if wanted in k), key=lambda k: (len(k), k))[:5]
    return [known[k] for k in inside or get_close_matches(wanted, sorted(known), n=5, cutoff=0.6)]


def is_keyed(store: Store) -> bool:
    """Whether the graph is a linked one, with keys of all names."""
    return next(store.quads_for_pattern(None, NamedNode(KEYS[RDFS_LABEL.value]), None, None), None) is not None


def _called(store: Store, predicate: NamedNode, wanted: str) -> Iterator[str]:
    """Who bears a folded name as label or synonym: looked up where the graph has keys, else searched for."""
    if is_keyed(store):
        for quad in store.quads_for_pattern(None, NamedNode(KEYS[predicate.value]), Literal(wanted), None):
            yield quad.subject.value
        return
    for quad in store.quads_for_pattern(None, predicate, None, None):
        if _same(quad.object.value.casefold(), wanted):
            yield quad.subject.value


def label(store: Store, node: NamedNode) -> str:
    """Return the label of a node, else its short form."""
    for quad in store.quads_for_pattern(node, RDFS_LABEL, None, None):
        return str(quad.object.value)
    return prefixes.shorten(node.value)


def _has_label(store: Store, node: NamedNode) -> bool:
    return next(store.quads_for_pattern(node, RDFS_LABEL, None, None), None) is not None


def _subjects(store: Store, properties: Iterable[NamedNode], value: NamedNode | Literal) -> list[NamedNode]:
    found = {q.subject.value for p in properties for q in store.quads_for_pattern(None, p, value, None)}
    return [NamedNode(f) for f in sorted(found, key=_rank)]


def is_entity(iri: str) -> bool:
    """Whether an IRI is something of the world or a variable, not a claim or a note on one."""
    return _rank(iri)[0] < 3


def folded(text: str) -> str:
    """A name as lookups compare it: blanks, hyphens and letter case do not count."""
    return re.sub(r"[\s_-]+", " ", text).strip().casefold()


def _same(text: str, wanted: str) -> bool:
    if text == wanted:
        return True
    return ("-" in text or "_" in text or "  " in text) and folded(text) == wanted


def _rank(iri: str) -> tuple[int, str]:
    """Entities of the world before our variables, those before our claims and notes on them."""
    if not iri.startswith(BASE):
        return (0, iri)
    kind = iri.removeprefix(BASE).split("/")[0].split("#")[0]
    return ({"variable": 1, "dose": 2, "variant": 1, "formula": 1}.get(kind, 3), iri)
