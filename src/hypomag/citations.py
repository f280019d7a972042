"""How formats of others name a node, a publication and the resource that a statement comes from."""

from __future__ import annotations

from pyoxigraph import Store

from hypomag import lifting, prefixes
from hypomag.claims import Line
from hypomag.graph import said
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
# An HPO annotation that cites an entry of a database hands on what that database says.
_ENTRIES = {"OMIM": "infores:omim", "Orphanet": "infores:orphanet"}
# Prefixes that Biolink spells in another way than our table.
SPELLINGS = {"SCTID:": "SNOMEDCT:", "MEDGEN:": "medgen:", "Orphanet:": "ORDO:Orphanet_", "urn:isbn:": "isbn:"}


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
    """A reference by the identifier that others know (PMID, DOI, OMIM, Orphanet, ISBN), else by the address where it is read, else by its IRI."""
    known = curie(source)
    if known.startswith(("PMID:", "doi:", "OMIM:", "ORDO:", "isbn:")):
        return known
    named = (f.replace("DOI:", "doi:") for f in said(store, source, "dcterms:identifier"))
    return next(named, "") or web_address(store, source) or source


def publications(store: Store, line: Line) -> list[str]:
    """All that a line cites: its source, and of an HPO annotation with several references each of them."""
    cited = [lifting.source(reference) or reference for reference in lifting.cited(line.row)]
    return list(dict.fromkeys(cite(store, iri) for iri in cited or [line.source]))


def web_address(store: Store, source: str) -> str:
    """Where a reference of ours is read in a browser, by its `hm:address`; empty where that is no such address."""
    return next((f"https://{a}" for a in said(store, source, "hm:address") if opens(a)), "")


def opens(address: str) -> bool:
    """Whether the address of a source is one that a browser can open.

    >>> opens("www.orpha.net/en/disease"), opens("Nephron 12, page 3")
    (True, False)
    """
    return " " not in address and "/" in address and "." in address.split("/", maxsplit=1)[0]


def resources(store: Store, line: Line) -> list[str]:
    """The resource that a line comes from, then those that passed it on, ours last."""
    if line.hpoa:
        upstream = _ENTRIES.get(prefixes.shorten(line.source).partition(":")[0])
        return [upstream, HPO_SOURCE, OUR_SOURCE] if upstream else [HPO_SOURCE, OUR_SOURCE]
    for key in () if line.ours else (line.source, *said(store, line.source, "dcterms:publisher")):
        if key in RESOURCES:
            return [*RESOURCES[key], OUR_SOURCE]
    return [OUR_SOURCE]
