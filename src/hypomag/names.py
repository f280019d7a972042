"""From any name that people use to the entity that bears it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyoxigraph import Literal, NamedNode, Store

from hypomag import keys, prefixes
from hypomag.errors import AmbiguousName, UnknownName
from hypomag.keys import folded
from hypomag.sources import BASE, VOCAB

RDFS_LABEL = NamedNode(keys.LABEL)
SYNONYMS = tuple(map(NamedNode, keys.SYNONYMS))
ALTERNATE = NamedNode(VOCAB + "alternateIri")
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
    called = list(keys.find(keys.read(store), name))
    for kind in dict.fromkeys(keys.KINDS.values()):
        spelled = {iri for k, iri in called if k == kind}
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
    lines = keys.read(store)[:].decode().splitlines()
    if len(lines) > _MANY:
        lines = [line for line in lines if line.startswith(wanted[:3]) or wanted in line.partition("\t")[0]]
    known: dict[str, str] = {}
    for line in lines:
        text, _, iri = line.split("\t")
        if _rank(iri)[0] < 2:
            known.setdefault(text, iri)
    inside = sorted((k for k in known if wanted in k), key=lambda k: (len(k), k))[:5]
    return [_spelled(store, known[k], k) for k in inside or get_close_matches(wanted, sorted(known), n=5, cutoff=0.6)]


# More names than this are not all held against one that nothing bears: that would take seconds.
_MANY = 50_000


def _spelled(store: Store, iri: str, text: str) -> str:
    """A folded name as the entity has it."""
    named = (q.object.value for p in keys.KINDS for q in store.quads_for_pattern(NamedNode(iri), NamedNode(p), None, None))
    return next((name for name in named if folded(name) == text), text)


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


def _rank(iri: str) -> tuple[int, str]:
    """Entities of the world before our variables, those before our claims and notes on them."""
    if not iri.startswith(BASE):
        return (0, iri)
    kind = iri.removeprefix(BASE).split("/")[0].split("#")[0]
    return ({"variable": 1, "dose": 2, "variant": 1, "formula": 1}.get(kind, 3), iri)
