"""How formats of others name a node, a publication and the resource that a statement comes from."""

from __future__ import annotations

from pyoxigraph import NamedNode, Store

from hypomag import prefixes
from hypomag.claims import Line
from hypomag.sources import BASE, VOCAB

# Ids of the Information Resource Registry, read in its infores_catalog.yaml (status released); ours is not registered yet.
HPO_SOURCE, OUR_SOURCE = "infores:hpo-annotations", "infores:hypomag"
# Publisher of a reference, or one reference → the resource whose statement it is, and the one that it was read in, if another.
# What the catalogue does not hold (PanelApp, GARD, encyclopedias, papers) stays a statement of ours about a publication.
RESOURCES = {
    "ClinVar": ("infores:clinvar",),
    "GenCC": ("infores:gencc",),
    "OMIM": ("infores:omim",),
    "Orphanet": ("infores:orphanet",),
    "UniProt": ("infores:uniprot",),
    BASE + "reference/mondo-2026-08-04": ("infores:mondo",),
    BASE + "reference/omim-602014-medgen": ("infores:omim", "infores:medgen"),
}
# Prefixes that Biolink spells in another way than our table.
SPELLINGS = {"SCTID:": "SNOMEDCT:", "MEDGEN:": "medgen:", "Orphanet:": "ORDO:Orphanet_"}


def curie(iri: str) -> str:
    """Write an IRI as KGX wants it: Biolink's spelling of the prefix, no slash in the local part; other text as it is.

    >>> curie("http://purl.obolibrary.org/obo/HP_0001250"), curie(BASE + "evidence/fhsh-seizure.f-t-095"), curie(VOCAB + "newborns")
    ('HP:0001250', 'hypomag.evidence:fhsh-seizure.f-t-095', 'hypomag.vocab:newborns')
    >>> curie("http://www.orpha.net/ORDO/Orphanet_30924")
    'ORDO:Orphanet_30924'
    """
    if iri.startswith(VOCAB):
        return f"hypomag.vocab:{iri.removeprefix(VOCAB)}"
    if iri.startswith(BASE):
        folder, _, slug = iri.removeprefix(BASE).partition("/")
        return f"hypomag.{folder}:{slug}" if slug else iri
    short = prefixes.shorten(iri)
    return next((spelled + short.removeprefix(ours) for ours, spelled in SPELLINGS.items() if short.startswith(ours)), short)


def cite(store: Store, source: str) -> str:
    """A reference by the identifier that others know (PMID, DOI, PMC, OMIM, Orphanet), else by its IRI."""
    known = curie(source)
    if known.startswith(("PMID:", "doi:", "OMIM:", "ORDO:")):
        return known
    found = _said(store, source, "dcterms:identifier")
    return next((f.replace("DOI:", "doi:") for f in found), source)


def resources(store: Store, line: Line) -> list[str]:
    """The resource that a line comes from, then those that passed it on, ours last."""
    if line.hpoa:
        return [HPO_SOURCE, OUR_SOURCE]
    for key in (line.source, *_said(store, line.source, "dcterms:publisher")):
        if key in RESOURCES:
            return [*RESOURCES[key], OUR_SOURCE]
    return [OUR_SOURCE]


def _said(store: Store, iri: str, name: str) -> list[str]:
    return sorted(q.object.value for q in store.quads_for_pattern(NamedNode(iri), prefixes.node(name), None, None))
