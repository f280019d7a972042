"""The site in its folder: every page with its data, lists, downloads; only what has changed is written again."""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode, RdfFormat, Store, Triple, parse

from hypomag import __version__, atlases, descriptions, exports, frontends, graph, neighbours, pages, prefixes, queries, renderings
from hypomag.addresses import address, fragment, relative
from hypomag.errors import InputError
from hypomag.formatting import RDF_TYPE, turtle
from hypomag.passages import Link, Page, Reader
from hypomag.sources import BASE, Sources, read_text

MANIFEST = "site-manifest.json"
NAME = "hypomag site"
_FRONT = ("index.html", "search.html", "map.html", "data.html")
_SHACL = "http://www.w3.org/ns/shacl#"
Manifest = dict[str, Any]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Published:
    """What a publication did: pages and files of the site, files written and removed."""

    folder: Path
    pages: int
    files: int
    written: tuple[str, ...]
    removed: tuple[str, ...]
    asks: bool


def publish(sources: Sources, out: Path, base: str = "", progress: Progress = lambda _: None, *, ask: bool = True) -> Published:
    """Write the site of a graph into a folder; what has not changed stays untouched.

    The manifest in the folder names each file with its hash and the hash of what it was made from. A file is made anew
    where that differs, or where the file is missing or was altered; a file that belongs to no page any more is removed.
    `base` is the web address of the site; without it there is no sitemap and no redirect file, and the description of the
    dataset names no file by its address. All else is relative. The page that asks
    is there where its bundle was built, unless `ask` is false.

    Raises:
        InputError: the folder holds something other than a site, or cannot be written; the base is no web address.
    """
    if base and not base.startswith(("http://", "https://")):
        raise InputError(f"{base!r} is no web address", "write it as https://example.org/hypomag/")
    base = base.rstrip("/") + "/" if base else ""
    out = out.resolve()
    earlier = _earlier(out)
    bundle = frontends.find() if ask else None
    made_from = inputs(sources, base, bundle)
    known = _kept(out, earlier)
    if earlier.get("inputs") == made_from and len(known) == len(earlier["files"]):
        return Published(out, earlier["pages"], len(known) + 1, (), (), bundle is not None)
    progress("reading the graph")
    made = Site(sources, base, ask=ask)
    written: list[str] = []
    files: dict[str, dict[str, Any]] = {}
    progress("writing the pages")
    try:
        for path, depends, content in made.files():
            old = known.get(path)
            if old and depends and old.get("depends") == depends:
                files[path] = old
                continue
            data = content()
            sum_ = hashlib.sha256(data).hexdigest()
            files[path] = {"bytes": len(data), "sha256": sum_} | ({"depends": depends} if depends else {})
            if not old or old["sha256"] != sum_:
                _write(out / path, data)
                written.append(path)
        removed = sorted(set(earlier.get("files", ())) - set(files))
        for path in removed:
            (out / path).unlink(missing_ok=True)
        manifest = {"name": NAME, "program": __version__, "inputs": made_from, "pages": made.count, "files": dict(sorted(files.items()))}
        _write(out / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    except OSError as error:
        raise InputError(f"{error.filename or out}: {error.strerror}", "choose another folder; run again to complete this one") from None
    return Published(out, made.count, len(files) + 1, tuple(written), tuple(removed), bundle is not None)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _earlier(out: Path) -> Manifest:
    """The manifest of the site that is there; nothing for a new or empty folder; anything else is refused."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return {}
    try:
        found = json.loads((out / MANIFEST).read_bytes())
        if found["name"] == NAME:
            return dict(found)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise InputError(f"{out}: holds something other than a site", "name a new or empty folder")


def _kept(out: Path, earlier: dict) -> dict[str, dict[str, str]]:  # type: ignore[type-arg]
    """The files of the manifest that are there as they were written."""
    found = {}
    for path, facts in earlier.get("files", {}).items():
        place = out / path
        try:
            if place.stat().st_size == facts["bytes"] and hashlib.sha256(place.read_bytes()).hexdigest() == facts["sha256"]:
                found[path] = facts
        except OSError:
            continue
    return found


def inputs(sources: Sources, base: str, bundle: Path | None) -> str:
    """SHA-256 of all that a site depends on: sources (or a built graph), templates, program, bundle, address."""
    if (sources.root / "ontology").is_dir():
        graph_sum = sources.digest(__version__)
    else:
        graph_sum = hashlib.sha256((sources.root / graph.DATASET).read_bytes()).hexdigest()
    stored = sources.folder("queries") / "pages" / "schema-org.rq"
    parts = [graph_sum, base, renderings.digest(), frontends.digest(bundle), read_text(str(stored))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


File = tuple[str, str, Callable[[], bytes]]
Subject = Callable[[], tuple[Page, list[Triple]]]


class Site:
    """All files of a site by their path, each made when it is asked for; a folder of files or a server are two ways to hand them out."""

    def __init__(self, sources: Sources, base: str = "", *, ask: bool = True) -> None:
        self.sources = sources
        self.base = base
        self.bundle = frontends.find() if ask else None
        self.store = graph.open_graph(sources)
        self.reader = Reader(self.store)
        self.version, self.date = exports.release(self.store)
        self.press = renderings.Press(self.version, self.date, base, asks=self.bundle is not None)

    def read(self, path: str) -> bytes | None:
        """Return the bytes of one file, or None where the site has no such file.

        `path` is relative to the root of the site, with suffix and without a slash before it.
        """
        stem, _, suffix = path.rpartition(".")
        if stem in self.subjects and suffix in ("html", "ttl", "jsonld"):
            return next(content() for name, _, content in self._views(self.subjects[stem]) if name == path)
        found = self.others.get(path)
        return found() if found else None

    def files(self) -> Iterator[File]:
        """Yield every file of the site but its manifest: path, hash of what it depends on where that is quick to tell, content."""
        for subject in self.subjects.values():
            yield from self._views(subject)
        for path, content in self.others.items():
            yield path, "", content

    @property
    def count(self) -> int:
        """How many pages there are for people."""
        return len(self.subjects) + len(self.lists) + len(self._front_pages)

    @cached_property
    def subjects(self) -> dict[str, Subject]:
        """Path without suffix → how the page and the description of its subject are made: entities, questions, shapes."""
        found: dict[str, Subject] = {path: partial(self._entity, iri) for path, iri in self.reader.facts.pages.items()}
        for question in queries.catalogue(self.sources).values():
            found[f"query/{question.name}"] = partial(self._question, question)
        for iri, triples in _shapes(self.sources).items():
            found[address(iri) or ""] = partial(self._shape, iri, triples)
        return found

    @cached_property
    def every(self) -> list[Page]:
        """The pages of all subjects."""
        return [self._told(subject)[0] for subject in self.subjects.values()]

    @cached_property
    def lists(self) -> list[Page]:
        """The list of each kind of page."""
        told: dict[str, list[Page]] = defaultdict(list)
        for page in self.every:
            told[page.path.partition("/")[0]].append(page)
        return [pages.listing(folder, told[folder]) for folder in pages.PLURALS if folder in told]

    @cached_property
    def others(self) -> dict[str, Callable[[], bytes]]:
        """Path → content of what is no page of a subject: claims that lead on, lists, front page, search, map, data, assets, downloads."""
        found: dict[str, Callable[[], bytes]] = {}
        for claim in sorted(self.reader.facts.homes):
            folder = prefixes.shorten(claim).partition(":")[0]
            if folder in ("claim", "step"):
                here = f"{folder}/{fragment(claim)}.html"
                way = relative(self.reader.path(claim), here)
                found[here] = partial(renderings.redirect, way, self.reader.facts.label(claim))
        kinds = {path.partition("/")[0] for path in self.subjects}
        found |= {f"{folder}/index.html": partial(self._list, folder) for folder in pages.PLURALS if folder in kinds}
        found |= {"index.html": self._front, "search.html": self._search, "map.html": self._map, "data.html": self._data}
        found |= {name: partial(renderings.asset, name) for name in renderings.ASSETS}
        found["search-index.js"] = lambda: renderings.index(self.every, {p.path: self._names(p) for p in self.every})
        for form in exports.FORMATS:
            name = f"hypomag.{exports.SUFFIXES[form]}"
            found[f"download/{name}"] = partial(self._download, name)
        found["download/SHA256SUMS"] = lambda: "".join(f"{f['sha256']}  {f['name']}\n" for f in self._sums()).encode()
        found |= {name: lambda: self.void for name in ("void.ttl", ".well-known/void")}
        found |= self._asking()
        found["robots.txt"] = ("User-agent: *\nAllow: /\n" + (f"Sitemap: {self.base}sitemap.xml\n" if self.base else "")).encode
        if self.base:  # what consists of whole addresses is not there where none is known
            every = sorted([*self._front_pages, *(f"{p}.html" for p in self.subjects), *(f"{p.path}.html" for p in self.lists)])
            found["sitemap.xml"] = partial(renderings.sitemap, every, self.base, self.date)
            found["w3id.htaccess"] = partial(renderings.w3id, self.base)
        found[".nojekyll"] = bytes  # some hosts hide .well-known without it
        return found

    @property
    def _front_pages(self) -> tuple[str, ...]:
        return (*_FRONT, "ask.html") if self.bundle else _FRONT

    def _asking(self) -> dict[str, Callable[[], bytes]]:
        """The page that asks, its program, and the graph as it reads it; nothing where no bundle was built."""
        if self.bundle is None:
            return {}
        found: dict[str, Callable[[], bytes]] = {f"{frontends.FOLDER}/{name}": (self.bundle / name).read_bytes for name in frontends.BUNDLE}
        found["ask.html"] = self._ask
        found[f"{frontends.FOLDER}/hypomag.trig.gz"] = lambda: frontends.packed(self.downloads["hypomag.trig"])
        found[f"{frontends.FOLDER}/catalogue.json"] = self._catalogue
        return found

    def _views(self, subject: Subject) -> Iterator[File]:
        """A page and its data, as HTML, Turtle and JSON-LD."""
        page, triples = self._told(subject)
        parts = [self._rendered, repr(page), *sorted(map(str, triples))]
        depends = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        yield f"{page.path}.html", depends, partial(self.press.html, page)
        yield f"{page.path}.ttl", depends, partial(descriptions.as_turtle, triples, page.title)
        yield f"{page.path}.jsonld", depends, partial(descriptions.as_jsonld, triples)

    def _told(self, subject: Subject) -> tuple[Page, list[Triple]]:
        """A page is read from the graph once."""
        if subject not in self._known:
            self._known[subject] = subject()
        return self._known[subject]

    @cached_property
    def _known(self) -> dict[Subject, tuple[Page, list[Triple]]]:
        return {}

    @cached_property
    def _rendered(self) -> str:
        return "\n".join([renderings.digest(), __version__, self.version, self.date, self.base, str(self.bundle is not None)])

    def _entity(self, iri: str) -> tuple[Page, list[Triple]]:
        return replace(pages.entity(self.reader, iri), schema=self.schema.block(iri)), self.reader.facts.description(iri)

    def _question(self, found: queries.Question) -> tuple[Page, list[Triple]]:
        result = queries.run(self.store, found.text, name=found.name)
        columns = [v.value for v in result.variables]
        page = pages.question(self.reader, found, [[row[c] for c in columns] for row in result])
        return page, _executable(page.iri, found)

    def _shape(self, iri: str, triples: list[Triple]) -> tuple[Page, list[Triple]]:
        values: dict[str, list[str]] = defaultdict(list)
        for t in triples:
            values[t.predicate.value].append(t.object.value if not str(t.object).startswith("_:") else "")
        own = [t for t in triples if isinstance(t.subject, NamedNode) and not str(t.object).startswith("_:")]
        text = turtle(own, prefixes.read()).partition("\n\n")[2]
        return pages.shape(self.reader, iri, values, text), [*own, *self.reader.facts.labels(own)]

    def _list(self, folder: str) -> bytes:
        return self.press.html(next(p for p in self.lists if p.path == f"{folder}/index"))

    def _ways(self) -> list[Link]:
        return [Link(p.title, f"{p.path}.html", p.lead.removesuffix(".")) for p in self.lists]

    def _front(self) -> bytes:
        page = Page(path="index", iri="", kind="Front page", title="hypomag", schema=self.schema.block(f"{BASE}dataset"))
        posts = [
            renderings.Signpost("describedby", "void.ttl", "text/turtle"),
            *(renderings.Signpost("item", f"download/{name}", _media(name)) for name in sorted(self.downloads)),
            renderings.Signpost("type", f"{renderings.SCHEMA}Dataset"),
            *self.press.signposts(page),
        ]
        lines = {line.iri for told in self.reader.claims.values() for line in told.lines}
        counts = [
            (f"{len([p for p in self.subjects if p.startswith('disease/')]):,}", "diseases and groups", "disease/index.html"),
            (f"{len([p for p in self.subjects if p.startswith('gene/')]):,}", "genes", "gene/index.html"),
            (f"{len(self.reader.claims):,}", "statements", ""),
            (f"{len(lines):,}", "lines of evidence", ""),
            (f"{len([p for p in self.subjects if p.startswith('publication/')]):,}", "publications", "publication/index.html"),
        ]
        return self.press.html(page, "index.html", signposts=posts, families=self._families(), lists=self._ways(), counts=counts)

    def _search(self) -> bytes:
        return self.press.html(Page(path="search", iri="", kind="Search", title="Search"), "search.html", lists=self._ways())

    def _map(self) -> bytes:
        page = Page(path="map", iri="", kind="Map", title="Map of nephron and gut", lead=atlases.LEAD)
        drawn = atlases.atlas(self.reader)
        return self.press.html(page, "map.html", drawing=drawn.svg, caption=drawn.caption, table=drawn.table)

    def _ask(self) -> bytes:
        lead = "SPARQL over the whole graph. It is answered in your browser; nothing that you ask is sent anywhere."
        return self.press.html(Page(path="ask", iri="", kind="Ask", title="Ask", lead=lead), "ask.html", policy=frontends.POLICY)

    def _catalogue(self) -> bytes:
        terms = {
            prefixes.shorten(page.iri): (page.title, page.path, page.kind, [page.name, *page.synonyms, *self._names(page)])
            for page in self.every
            if page.iri
        }
        return frontends.catalogue(queries.catalogue(self.sources).values(), terms)

    def _data(self) -> bytes:
        graphs = [
            dict(zip(("title", "licence", "note"), exports.GRAPH_NOTES[g.value.removeprefix(f"{BASE}graph/")], strict=True))
            | {"triples": f"{sum(1 for _ in self.store.quads_for_pattern(None, None, None, g)):,}"}
            for g in graph.content_graphs(self.store)
        ]
        page = Page(path="data", iri="", kind="Data", title="Data")
        return self.press.html(page, "data.html", files=self._sums(), graphs=graphs, lists=self._ways())

    def _names(self, page: Page) -> list[str]:
        """What else a page is found by: identifiers here and elsewhere, the name of a question, a citation."""
        found = [prefixes.shorten(page.iri)] if page.iri else []
        heads = dict(page.facts)
        for name in ("identifiers", "cited here as", "the publication itself", "name"):
            found += [link.text for link in heads.get(name, ())]
        return found

    def _families(self) -> list[dict[str, object]]:
        """The diseases as a tree, the family first: groups with their members, single diseases with their genes."""
        facts = self.reader.facts
        every = {iri for path, iri in facts.pages.items() if path.startswith("disease/")}
        below: dict[str, list[str]] = defaultdict(list)
        for iri in every:
            for parent in facts.values(iri, "rdfs:subClassOf"):
                below[parent].append(iri)

        opened: set[str] = set()

        def node(iri: str) -> dict[str, object]:
            # A disease with two parents stands below both, its members only below the first.
            members = [] if iri in opened else sorted(below.get(iri, ()), key=lambda m: facts.label(m).casefold())
            opened.add(iri)
            signature = self.reader.signatures.get(iri)
            genes = ", ".join(sorted(facts.label(g) for g in signature.genes)) if signature and not below.get(iri) else ""
            return {"link": self.reader.link(iri), "name": self.reader.short(iri), "genes": genes, "members": [node(m) for m in members]}

        roots = [i for i in every if not any(p in every for p in facts.values(i, "rdfs:subClassOf"))]
        return [
            node(r)
            for r in [prefixes.expand(neighbours.FAMILY) or "", *sorted(roots, key=lambda i: (not below.get(i), facts.label(i).casefold()))]
        ]

    @cached_property
    def downloads(self) -> dict[str, bytes]:
        """The exports: from the build where it is fresh, else made here."""
        built = self.sources.build if graph.is_fresh(self.sources) else self.sources.root
        found = {}
        for form in exports.FORMATS:
            name = f"hypomag.{exports.SUFFIXES[form]}"
            place = built / name
            found[name] = place.read_bytes() if place.is_file() else exports.export(self.store, form)
        return found

    def _download(self, name: str) -> bytes:
        return self.downloads[name]

    def _sums(self) -> list[dict[str, str]]:
        return [
            {"name": name, "media": _media(name), "bytes": f"{len(content):,}", "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(self.downloads.items())
        ]

    @cached_property
    def void(self) -> bytes:
        """The description of the dataset and its files."""
        return exports.description(self.store, self.downloads, f"{self.base}download/" if self.base else "").encode()

    @cached_property
    def schema(self) -> renderings.Schema:
        """What the stored CONSTRUCT says of the graph and of the description of the dataset."""
        store = Store()
        store.extend(q for g in graph.content_graphs(self.store) for q in self.store.quads_for_pattern(None, None, None, g))
        store.load(self.void, format=RdfFormat.TURTLE, to_graph=NamedNode(f"{BASE}graph/description"))
        text = read_text(str(self.sources.folder("queries") / "pages" / "schema-org.rq"))
        return renderings.Schema(queries.run(store, text, name="schema-org.rq"))


def _media(name: str) -> str:
    return exports.MEDIA_TYPES[name.rpartition(".")[2]]


def _executable(iri: str, found: queries.Question) -> list[Triple]:
    """A question as RDF, in the form that SIB's collections of SPARQL examples have."""
    node = NamedNode(iri)

    def say(predicate: str, value: NamedNode | Literal) -> Triple:
        return Triple(node, prefixes.node(predicate), value)

    keywords = [say("schema:keywords", Literal(tag)) for tag in found.tags]
    return [
        say("rdf:type", NamedNode(f"{_SHACL}SPARQLExecutable")), say("rdf:type", NamedNode(f"{_SHACL}SPARQLSelectExecutable")),
        say("rdfs:label", Literal(found.summary, language="en")), say("rdfs:comment", Literal(found.description, language="en")),
        say("sh:select", Literal(found.text)), *keywords,
    ]  # fmt: skip


def _shapes(sources: Sources) -> dict[str, list[Triple]]:
    """Named shape → its triples; lists and unnamed parts are left to the file."""
    found: dict[str, list[Triple]] = defaultdict(list)
    for path in sources.shapes():
        for quad in parse(path=str(path), format=RdfFormat.TURTLE):
            if isinstance(quad.subject, NamedNode) and (address(quad.subject.value) or "").startswith("shape/"):
                found[quad.subject.value].append(quad.triple)
    typed = {iri: triples for iri, triples in found.items() if any(t.predicate.value == RDF_TYPE for t in triples)}
    return dict(sorted(typed.items()))
