"""Where each IRI has its page: one pure function, for the static site and for any server of the same addresses."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from hypomag import prefixes

# Prefix of the IRI → folder of the page. The list is closed: an IRI under another prefix has no page of its own.
FOLDERS = {
    "MONDO": "disease", "HGNC": "gene", "HP": "phenotype", "MAXO": "treatment", "CHEBI": "substance", "MESH": "substance",
    "LOINC": "test", "UBERON": "place", "CL": "place", "GO": "process", "PMID": "publication", "doi": "publication",
    "OMIM": "publication", "Orphanet": "publication", "reference": "publication", "variable": "variable", "formula": "formula",
    "query": "query", "shapes": "shape", "RO": "relation", "BFO": "relation", "biolink": "relation", "ECO": "evidence-code",
    "SEPIO": "evidence-code", "GENO": "zygosity",
}  # fmt: skip
# Nodes of ours that are sections of another page: which one, only the graph knows.
SECTIONS = ("claim", "step", "evidence", "quantity", "dose", "variant", "cohort")
_OURS = {"reference", "variable", "formula", "query", "shapes"}
_AWAY = re.compile(r"[^A-Za-z0-9._-]+")


def address(iri: str) -> str | None:
    """Return the path of the page on an IRI, below the root of the site and without suffix; None where it has none.

    An outside entity lies under its CURIE, a node of ours under its own slug; what file systems do not take becomes `-`.
    Add `.html`, `.ttl` or `.jsonld`. Classes and other terms of the vocabulary lie apart, because `Status` and
    `status` are one file on some systems.

    >>> address("http://purl.obolibrary.org/obo/MONDO_0011176")
    'disease/MONDO_0011176'
    >>> address("http://identifiers.org/hgnc/17995"), address("https://loinc.org/2601-3")
    ('gene/HGNC_17995', 'test/LOINC_2601-3')
    >>> address("https://pubmed.ncbi.nlm.nih.gov/12032570"), address("https://doi.org/10.1016/S0368-2315(04)96385-5")
    ('publication/PMID_12032570', 'publication/doi_10.1016-S0368-2315-04-96385-5')
    >>> address("https://w3id.org/hypomag/reference/ihe-espe-hrp0082")
    'publication/ihe-espe-hrp0082'
    >>> address("https://w3id.org/hypomag/vocab#Status"), address("https://w3id.org/hypomag/vocab#status")
    ('class/Status', 'term/status')
    >>> address("https://w3id.org/hypomag/query/which-genes"), address("https://w3id.org/hypomag/shapes#Claim-label")
    ('query/which-genes', 'shape/Claim-label')
    >>> address("https://w3id.org/hypomag/claim/fhsh-seizure") is None, address("https://example.org/") is None
    (True, True)
    """
    prefix, colon, local = prefixes.shorten(iri).partition(":")
    if not colon or not local:
        return None
    slug = _AWAY.sub("-", local).strip("-")
    if prefix == "hm":
        return f"class/{slug}" if local[0].isupper() else f"term/{slug}"
    folder = FOLDERS.get(prefix)
    if folder is None:
        return None
    return f"{folder}/{slug}" if prefix in _OURS else f"{folder}/{prefix}_{slug}"


def fragment(iri: str) -> str | None:
    """Return the name under which a node of ours is a section of a page; None for anything else.

    >>> fragment("https://w3id.org/hypomag/claim/fhsh-seizure"), fragment("https://w3id.org/hypomag/variant/trpm6-leu708pro")
    ('fhsh-seizure', 'variant-trpm6-leu708pro')
    >>> fragment("http://purl.obolibrary.org/obo/HP_0001250") is None
    True
    """
    prefix, _, local = prefixes.shorten(iri).partition(":")
    if prefix not in SECTIONS:
        return None
    return local if prefix in ("claim", "step") else f"{prefix}-{local}"


def relative(target: str, page: str) -> str:
    """Write the way from one page to another, so that the site works below any address.

    >>> relative("gene/HGNC_17995.html", "disease/MONDO_0011176.html"), relative("disease/a.html#x", "disease/b.html")
    ('../gene/HGNC_17995.html', 'a.html#x')
    >>> relative("style.css", "index.html"), relative("index.html", "disease/index.html")
    ('style.css', '../index.html')
    """
    here = PurePosixPath(page).parent.parts
    there = target.split("/")
    shared = 0
    while shared < len(here) and shared < len(there) - 1 and here[shared] == there[shared]:
        shared += 1
    return "../" * (len(here) - shared) + "/".join(there[shared:])
