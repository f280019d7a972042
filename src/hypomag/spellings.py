"""All spellings of one identifier: what other data sets and people write for the IRI that we use."""

from __future__ import annotations

from hypomag import prefixes

# Prefix of ours: what identifiers.org and bioregistry call it (None where identifiers.org has no such prefix).
# From bioregistry 0.15; identifiers.org writes some local names with their prefix.
_REGISTERED: dict[str, tuple[str | None, str]] = {
    "CHEBI": ("CHEBI", "chebi"), "CL": ("CL", "cl"), "DOID": ("DOID", "doid"), "HGNC": ("hgnc", "hgnc"), "HP": ("HP", "hp"),
    "LOINC": (None, "loinc"), "MAXO": ("maxo", "maxo"), "MEDGEN": ("medgen", "medgen"), "MESH": ("mesh", "mesh"),
    "MONDO": ("mondo", "mondo"), "NCBIGene": ("ncbigene", "ncbigene"), "NCIT": ("ncit", "ncit"), "OMIM": ("mim", "omim"),
    "Orphanet": ("orphanet", "orphanet"), "SCTID": ("snomedct", "snomedct"), "UMLS": ("umls", "umls"), "DECIPHER": (None, "decipher"),
}  # fmt: skip
# Other prefixes that people write in a CURIE.
_CURIES = {
    "Orphanet": ("ORPHA", "ORDO"),
    "OMIM": ("MIM",),
    "MESH": ("MeSH", "mesh"),
    "SCTID": ("SNOMEDCT", "SNOMEDCT_US"),
    "NCBIGene": ("GeneID",),
}
_OBO = "http://purl.obolibrary.org/obo/"


def spellings(iri: str) -> list[str]:
    """Return the spellings of an identifier other than `iri`, in one order; none where its data set is not known here.

    CURIEs, the underscore form, OBO's PURL with https, identifiers.org with http and https, bioregistry.

    >>> spellings("https://omim.org/entry/602014")[:3]
    ['OMIM:602014', 'MIM:602014', 'http://identifiers.org/mim/602014']
    >>> "https://bioregistry.io/hp:0001250" in spellings("http://purl.obolibrary.org/obo/HP_0001250")
    True
    >>> spellings("https://example.org/x")
    []
    """
    prefix, _, local = prefixes.shorten(iri).partition(":")
    if prefix not in _REGISTERED:
        return []
    registered, bioregistry = _REGISTERED[prefix]
    found = [f"{prefix}:{local}", *(f"{other}:{local}" for other in _CURIES.get(prefix, ()))]
    if prefix == "Orphanet":
        found.append(f"Orphanet_{local}")
    if registered:
        found += [
            f"http://identifiers.org/{registered.lower()}/{local}",
            f"https://identifiers.org/{registered.lower()}/{local}",
            f"http://identifiers.org/{registered}:{local}",
            f"https://identifiers.org/{registered}:{local}",
        ]
    found.append(f"https://bioregistry.io/{bioregistry}:{local}")
    if iri.startswith(_OBO):
        found.append(iri.replace("http:", "https:"))
    elif prefix == "Orphanet":
        found.append(iri.replace("http://www.", "https://www."))
    return [spelling for spelling in dict.fromkeys(found) if spelling != iri]
