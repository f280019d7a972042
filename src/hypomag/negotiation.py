"""Which of several representations a client gets: the Accept header of RFC 9110, section 12.5.1."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

# Media type → name of the format, in the order in which we would choose ourselves.
ROWS = (
    ("application/sparql-results+json", "json"),
    ("application/sparql-results+xml", "xml"),
    ("text/csv", "csv"),
    ("text/tab-separated-values", "tsv"),
    ("application/json", "json"),
    ("application/xml", "xml"),
    ("text/xml", "xml"),
)
GRAPHS = (
    ("text/turtle", "turtle"),
    ("application/n-triples", "nt"),
    ("application/rdf+xml", "rdfxml"),
    ("application/ld+json", "jsonld"),
    ("application/x-turtle", "turtle"),
    ("application/json", "jsonld"),
    ("application/xml", "rdfxml"),
    ("text/plain", "nt"),
)
HTML = (("text/html", "html"), ("application/xhtml+xml", "html"))
DOCUMENTS = (*HTML, ("text/turtle", "ttl"), ("application/ld+json", "jsonld"))


@lru_cache(maxsize=4096)
def best(accept: str | None, offers: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    """Choose among (media type, name) by the Accept header; None where nothing that is offered is accepted.

    The most specific range decides on an offer; of equal quality the earlier offer is taken. No header accepts all.

    >>> best("text/turtle;q=0.5, application/sparql-results+xml", ROWS), best("image/png", ROWS)
    (('application/sparql-results+xml', 'xml'), None)
    >>> best("*/*;q=0.1, text/*, text/csv;q=0", ROWS), best("application/*", GRAPHS), best(None, GRAPHS)
    (('text/tab-separated-values', 'tsv'), ('application/n-triples', 'nt'), ('text/turtle', 'turtle'))
    """
    if accept is None or not accept.strip():
        return offers[0]
    ranges = _ranges(accept)
    found, most = None, 0.0
    for offer in offers:
        kind = offer[0].partition("/")[0]
        quality = ranges.get(offer[0], ranges.get(f"{kind}/*", ranges.get("*/*", 0.0)))
        if quality > most:
            found, most = offer, quality
    return found


def _ranges(accept: str) -> dict[str, float]:
    """Media range → quality; what is no media range is passed over, as is a quality that is no number."""
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (p.strip() for p in part.lower().split(";"))
        if "/" not in media:
            if media != "*":
                continue
            media = "*/*"
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    quality = min(max(float(value), 0.0), 1.0)
                except ValueError:
                    quality = 0.0
        ranges[media] = max(quality, ranges.get(media, 0.0))
    return ranges


def listed(offers: Sequence[tuple[str, str]]) -> str:
    """The media types on offer, for a person whose header asks for none of them.

    >>> listed(HTML)
    'text/html, application/xhtml+xml'
    """
    return ", ".join(media for media, _ in offers)


def tags(header: str | None) -> frozenset[str]:
    """The entity tags of If-None-Match, weak or not: both are compared alike (RFC 9110, section 13.1.2).

    >>> sorted(tags('W/"a", "b"')), tags(None)
    (['"a"', '"b"'], frozenset())
    """
    return frozenset(t.strip().removeprefix("W/") for t in header.split(",")) if header else frozenset()


def known(header: str | None, tag: str) -> bool:
    """Whether a client has what there is: this tag, or anything at all (`*`).

    >>> known('W/"a", "b"', '"a"'), known("*", '"a"'), known(None, '"a"')
    (True, True, False)
    """
    return header is not None and (header.strip() == "*" or tag in tags(header))
