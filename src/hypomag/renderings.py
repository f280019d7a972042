"""Pages as HTML: the templates, what search engines read in a page, the links that machines follow."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyoxigraph import NamedNode, Triple

from hypomag import exports
from hypomag.addresses import relative
from hypomag.errors import InputError
from hypomag.formatting import RDF_TYPE
from hypomag.passages import Page, thinned

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent / "templates"
ASSETS = ("style.css", "site.js", "icon.svg")
HEAVIEST, TELLING = 141_800, 200  # bytes, room for a graph that grows; what the remark on what was left out may take
SCHEMA = "https://schema.org/"
_TAG, _PLAIN = re.compile(r"<[a-z][^<>]*>"), re.compile(r'="([A-Za-z0-9._#:%/-]*[A-Za-z0-9_%])"(?=[ >])')
NOTICE = "No medical advice."


def digest() -> str:
    """SHA-256 over the templates and the program: a page depends on them too."""
    total = hashlib.sha256()
    for path in [*sorted(TEMPLATES.iterdir()), *sorted(TEMPLATES.parent.glob("*.py"))]:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def asset(name: str) -> bytes:
    return (TEMPLATES / name).read_bytes()


def environment() -> Environment:
    """The template engine: all text is escaped, a name that nobody gave is an error.

    Raises:
        InputError: jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError:
        raise InputError("pages are made with jinja2, which is not installed", "pip install jinja2") from None
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@dataclass(frozen=True)
class Signpost:
    """A typed link for machines; `href` is a path of the site or a whole address."""

    rel: str
    href: str
    type: str = ""


class Press:
    """Turns pages into HTML for one release: version, date, the address of the site where it is known, whether it has the page that asks."""

    def __init__(self, version: str, date: str, base: str = "", *, asks: bool = False) -> None:
        self._environment = environment()
        self._base = base
        self._common = {"version": version, "date": date, "asks": asks, "notice": NOTICE, "hosted": bool(base)}

    def html(self, page: Page, template: str = "page.html", **more: object) -> bytes:
        """Render a page; every way that it names is written relative to it.

        A page that would weigh more than `HEAVIEST` bytes leaves notes of its longer lists of evidence to the pages of the sources.
        """
        made = self._html(page, template, more)
        over = len(made) - HEAVIEST
        if over > 0:
            made = self._html(thinned(page, over + TELLING), template, more)
        return made

    def _html(self, page: Page, template: str, more: dict[str, object]) -> bytes:
        here = f"{page.path}.html"

        def rel(target: str) -> str:
            if target.startswith(("http:", "https:", "#")):
                return target
            path, hash_, section = target.partition("#")
            return f"#{section}" if hash_ and path == here else relative(target, here)

        text = self._environment.get_template(template).render(
            page=page, rel=rel, **({"signposts": self.signposts(page)} | self._common | more)
        )
        return (unquoted(text).rstrip("\n") + "\n").encode()

    def signposts(self, page: Page) -> list[Signpost]:
        """The same page as data, what it is about, its licence, and its address where that is known."""
        found = []
        if page.iri:
            for suffix, media in (("ttl", "text/turtle"), ("jsonld", "application/ld+json")):
                found.append(Signpost("alternate describedby", f"{page.path}.{suffix}", media))
            found += [Signpost("describes", page.iri), Signpost("type", f"{SCHEMA}AboutPage")]
        found.append(Signpost("license", exports.LICENCE_CC_BY))
        if self._base:
            found.append(Signpost("canonical", f"{self._base}{page.path}.html"))
        return found


class Schema:
    """What one stored CONSTRUCT says in the words of schema.org, page by page."""

    def __init__(self, triples: Iterable[Triple]) -> None:
        self.nodes: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        self.genes: dict[str, list[str]] = defaultdict(list)
        for triple in sorted(set(triples), key=str):
            self.nodes[triple.subject.value][triple.predicate.value].append(triple.object)
            if triple.predicate.value == f"{SCHEMA}associatedDisease":
                self.genes[triple.object.value].append(triple.subject.value)

    def block(self, iri: str) -> str:
        """The JSON-LD of a page on an IRI: its node, what that names, and the genes of a disease; nothing where there is no node."""
        if iri not in self.nodes:
            return ""
        nodes = [self._node(n) for n in [iri, *self.genes.get(iri, ())]]
        text = json.dumps({"@context": SCHEMA, "@graph": nodes}, ensure_ascii=False, separators=(",", ":"))
        return text.replace("</", "<\\/")

    def _kind(self, iri: str) -> str:
        return next((o.value.removeprefix(SCHEMA) for o in self.nodes.get(iri, {}).get(RDF_TYPE, ())), "")

    def _node(self, iri: str) -> dict[str, object]:
        node: dict[str, object] = {"@id": iri, "@type": self._kind(iri)}
        for predicate, objects in sorted(self.nodes[iri].items()):
            if predicate != RDF_TYPE:
                values = [self._value(o) for o in objects]
                node[predicate.removeprefix(SCHEMA)] = values[0] if len(values) == 1 else values
        return node

    def _value(self, term: Any) -> object:
        """A literal as it is, a node by its address, and a sign or a file with what is said of it."""
        if not isinstance(term, NamedNode):
            return term.value
        return self._node(term.value) if self._kind(term.value) in ("MedicalSignOrSymptom", "DataDownload") else {"@id": term.value}


def unquoted(html: str) -> str:
    """Leave out the quotation marks that HTML lets go: on the longest pages they are two thousand bytes that say nothing.

    >>> unquoted('<a href="../gene/x.html#y" title="a b">=" ="</a><br class="n"/><script>{"a":"b"}</script>')
    '<a href=../gene/x.html#y title="a b">=" ="</a><br class="n"/><script>{"a":"b"}</script>'
    """
    return _TAG.sub(lambda tag: _PLAIN.sub(r"=\1", tag[0]), html)


def sitemap(paths: Sequence[str], base: str, date: str) -> bytes:
    """The sitemap protocol's list of pages; each is as old as the release."""
    rows = "".join(f"<url><loc>{base}{path}</loc><lastmod>{date}</lastmod></url>\n" for path in paths)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{rows}</urlset>\n".encode()


def redirect(target: str, label: str) -> bytes:
    """A small page that leads on, for hosts that cannot redirect.

    It names its icon, because a browser asks for /favicon.ico where a page names none.
    """
    from html import escape

    way, text = escape(target), escape(label)
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{text}</title><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><link rel="icon" href="../icon.svg" type="image/svg+xml">'
        f'<meta http-equiv="refresh" content="0; url={way}"><p><a href="{way}">{text}</a></p><p><small>{NOTICE}</small></p></html>\n'
    ).encode()


def w3id(base: str) -> bytes:
    """The redirect file for w3id.org: every address of ours to its page, or to data where data are asked for.

    Read against addresses.address: the vocabulary and the shapes are hash names and lead to their lists.
    """
    rules = [
        "# Redirects of https://w3id.org/hypomag/ to the published site. Not registered yet.",
        "Options +FollowSymLinks",
        "RewriteEngine on",
        "",
        "# Data for those who ask for data",
    ]
    for accept, suffix in (("text/turtle", "ttl"), (r"application/ld\+json", "jsonld")):
        for pattern, target in (
            (r"^formula/([A-Za-z0-9_-]+)\.[A-Za-z0-9._-]+$", f"formula/$1.{suffix}"),
            (r"^(query|variable|formula)/([A-Za-z0-9._-]+)$", f"$1/$2.{suffix}"),
            (r"^reference/([A-Za-z0-9._-]+)$", f"publication/$1.{suffix}"),
            (
                r"^(claim|step|evidence|quantity|dose|discriminator|cohort|variant|vocab|graph|dataset|row)(/.*)?$",
                f"download/hypomag.{suffix}",
            ),
        ):
            rules += [f"RewriteCond %{{HTTP_ACCEPT}} {accept}", f"RewriteRule {pattern} {base}{target} [R=303,L]"]
    rules += ["", "# Pages for people"]
    for pattern, target in (
        (r"^$", "index.html"),
        (r"^dataset$", "data.html"),
        (r"^vocab$", "class/index.html"),
        (r"^shapes$", "shape/index.html"),
        (r"^(claim|step)/([A-Za-z0-9._-]+)$", "$1/$2.html"),
        (r"^formula/([A-Za-z0-9_-]+)\.[A-Za-z0-9._-]+$", "formula/$1.html"),
        (r"^(query|variable|formula)/([A-Za-z0-9._-]+)$", "$1/$2.html"),
        (r"^reference/([A-Za-z0-9._-]+)$", "publication/$1.html"),
        (r"^release/[0-9.]+/vocab$", "class/index.html"),
        (r"^release/[0-9.]+/([A-Za-z0-9._-]+)$", "download/$1"),
        (r"^(evidence|quantity|dose|discriminator|cohort|variant|graph|row)/.*$", "data.html"),
    ):
        rules.append(f"RewriteRule {pattern} {base}{target} [R=303,L]")
    return ("\n".join(rules) + "\n").encode()


def index(pages: Iterable[Page], names: Mapping[str, Sequence[str]]) -> bytes:
    """The search index as a script, so that it also loads from a folder: label, path, kind, other names."""
    rows = []
    for page in sorted(pages, key=lambda p: p.path):
        other = dict.fromkeys([page.name, *page.synonyms, *names.get(page.path, ())])
        rows.append([page.title, f"{page.path}.html", page.kind, *(o for o in other if o and o != page.title)])
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return f"window.HYPOMAG_INDEX=[\n{lines}\n];\n".encode()
