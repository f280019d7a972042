"""Our graph joined with upstream files: one store on disk, loaded in bulk, put in place when it is whole."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, Store, parse

from hypomag import __version__, folders, graph, keys, lifting, mappings, names, ontologies, prefixes
from hypomag.bulk import Loader, Progress
from hypomag.closures import closure
from hypomag.errors import InputError
from hypomag.formatting import RDF_TYPE, XSD
from hypomag.ontologies import LABEL, SUBCLASS, SYNONYMS
from hypomag.sources import (
    BASE,
    CLOSURE,
    HPOA,
    LINKED,
    LINKED_MANIFEST,
    MAPPINGS,
    SHORTCUTS,
    SUMMARY,
    TERMS,
    VOCAB,
    Sources,
)  # fmt: skip
from hypomag.spellings import spellings

PHENOTYPE = "http://purl.obolibrary.org/obo/RO_0002200"
ONSETS = "http://purl.obolibrary.org/obo/HP_0003674"
_EDGE = re.compile(
    r"> <(?:http://purl\.obolibrary\.org/obo/RO_000(?:2200|400[123]|4026|2206|2606|330[39])|https://w3id\.org/biolink/vocab/has_mode_of_inheritance)> <"
)
_ENTITY = {  # canonical IRIs of cited terms: who defines them, their Biolink category
    "MONDO": ("http://purl.obolibrary.org/obo/mondo.owl", "Disease"),
    "OMIM": ("https://omim.org/", "Disease"),
    "Orphanet": ("http://www.orpha.net/", "Disease"),
    "DECIPHER": ("https://www.deciphergenomics.org/", "Disease"),
    "HP": ("http://purl.obolibrary.org/obo/hp.owl", "PhenotypicFeature"),
}


_OF_ONE_ENTRY = tuple(f"<{BASE}{kind}/" for kind in ("claim", "evidence", "row"))


@dataclass(frozen=True)
class Source:
    """One upstream file: the graph that it becomes is graph/linked/NAME (annotations: graph/lifted/hpoa)."""

    name: str
    kind: str
    path: str
    bytes: int
    sha256: str
    version: str = ""


@dataclass(frozen=True)
class Linked:
    """A linked graph that was made, or found as it is wanted."""

    folder: Path
    unchanged: bool
    manifest: dict[str, object]


def source(text: str) -> Source:
    """Read FILE or NAME=FILE as a source; the name is made from the file's name where none is given.

    Raises:
        InputError: as `ontologies.kind`.
    """
    name, equals, rest = text.partition("=")
    if not equals or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        name, rest = "", text
    path = Path(rest).expanduser()
    what = ontologies.kind(path)
    total = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            total.update(block)
    stem = re.sub(r"\.(?:gz|obo|owl|ttl|nt|rdf|xml|hpoa|sssom\.tsv|tsv)$", "", path.name.removesuffix(".gz"))
    name = name or re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    return Source(name, what, str(path.resolve()), path.stat().st_size, total.hexdigest())


def read_manifest(folder: Path) -> dict[str, object] | None:
    """What a linked folder says of itself; None where it is none."""
    try:
        found = json.loads((folder / LINKED_MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("name") == "hypomag linked" else None


def sources_of(manifest: Mapping[str, object]) -> list[dict[str, str]]:
    """The upstream files of a linked graph, as its manifest tells them."""
    found = manifest.get("sources")
    return [s for s in found if isinstance(s, dict)] if isinstance(found, list) else []


def link(base: Sources, files: Sequence[Source], out: Path, *, force: bool = False, progress: Progress = lambda _, __: None) -> Linked:
    """Join the graph of `base` with upstream files in a store of its own at `out`; what was there stays until the new one is whole.

    Raises:
        InputError, SyntaxProblem: a file does not parse or breaks off, two have one name, or `out` cannot be written.
    """
    out = out.absolute()
    folders.recover(out)
    twice = sorted({f.name for f in files if [g.name for g in files].count(f.name) > 1})
    if twice:
        raise InputError(f"several files would be graph/linked/{twice[0]}", "name one of them: NAME=FILE")
    if sum(f.kind == "hpoa" for f in files) > 1:
        raise InputError("several files of HPO annotations", "link one phenotype.hpoa")
    if out.exists() and read_manifest(out) is None and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"{out}: holds something other than a linked graph", "name a new or empty folder with --to")
    wanted = {"program": __version__, "base": _digest(base), "files": sorted((f.name, f.kind, f.sha256) for f in files)}
    key = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    earlier = read_manifest(out)
    if not force and earlier and earlier.get("key") == key and graph._opened(out / graph.STORE):
        return Linked(out, True, earlier)
    with folders.replaced(out) as aside:
        with Loader(aside / graph.STORE, progress) as loader:
            told = _fill(loader, base, files, aside)
        manifest = {
            "name": "hypomag linked", "program": __version__, "key": key, "digest": loader.digest(),
            "statements": sum(loader.counts.values()), **told,
            "graphs": {g: {"statements": n, "sha256": loader.hashes[g].hexdigest()} for g, n in sorted(loader.counts.items())},
        }  # fmt: skip
        if base.mappings.is_file():  # how, by whom and on what terms our own matches were made
            shutil.copyfile(base.mappings, aside / base.mappings.name)
        (aside / LINKED_MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return Linked(out, False, manifest)


def _digest(base: Sources) -> str:
    for folder in (base.root, base.build):
        if (folder / graph.DATASET).is_file() and (folder == base.root or not (base.root / "ontology").is_dir()):
            return hashlib.sha256((folder / graph.DATASET).read_bytes()).hexdigest()
    return base.digest(__version__)


@dataclass
class _Seen:
    """What the linked ontologies and mapping sets say of classes, kept while they stream by; IRIs without brackets."""

    labels: dict[str, str] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    canonical: dict[str, str] = field(default_factory=dict)
    spelled: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    versions: dict[str, str] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    ours: set[str] = field(default_factory=set)
    stated: set[str] = field(default_factory=set)

    def watch(self, name: str, statements: Iterable[ontologies.Statement]) -> Iterator[str]:
        kind, owl_class = f"<{RDF_TYPE}>", f"<{ontologies.OWL}Class>"
        label, subclass, info, iri = (f"<{p}>" for p in (LABEL, SUBCLASS, ontologies.OWL + "versionInfo", ontologies.OWL + "versionIRI"))
        synonyms = {f"<{p}>" for p in SYNONYMS}
        for statement in statements:
            subject, predicate, value = statement
            if predicate == subclass:
                if value[0] == "<" and "/.well-known/genid/" not in value and "/.well-known/genid/" not in subject:
                    self.parents[subject[1:-1]].add(value[1:-1])
            elif predicate == label and value[0] == '"':
                text = _text(value)
                self.labels.setdefault(subject[1:-1], text)
                self.keys.append(keys.line(LABEL, subject[1:-1], text))
            elif predicate in synonyms and value[0] == '"':
                self.keys.append(keys.line(predicate[1:-1], subject[1:-1], _text(value)))
            elif predicate in (info, iri) and name not in self.versions:
                self.versions[name] = _text(value) if value[0] == '"' else value[1:-1]
            elif predicate == kind and value == owl_class:
                self.classes.add(subject[1:-1])
            yield self.line(f"{subject} {predicate} {value}")

    def line(self, line: str) -> str:
        """Remember a statement that our graph makes too: the engine's union of graphs would count it twice."""
        if line in self.ours or _EDGE.search(line):
            self.stated.add(line)
        return line


def _text(literal: str) -> str:
    """The text of a literal in N-Triples."""
    inside = literal[1 : literal.rindex('"')]
    return inside if "\\" not in inside else str(next(parse(f"<a:a> <a:b> {literal} .", format=RdfFormat.N_TRIPLES)).object.value)


def _fill(loader: Loader, base: Sources, files: Sequence[Source], folder: Path) -> dict[str, object]:
    own = Store()
    own.extend(q for q in graph.open_graph(base) if q.graph_name.value not in (SHORTCUTS,))
    denied = {
        (q.subject.value, q.object.value) for q in own.quads_for_pattern(None, NamedNode(mappings.NOT_MATCH[mappings.EXACT]), None, None)
    }
    seen = _Seen(
        ours={
            f"{q.subject} {q.predicate} {q.object}"
            for g in (TERMS, MAPPINGS)
            for q in own.quads_for_pattern(None, None, None, NamedNode(g))
        }
    )
    for file in sorted((f for f in files if f.kind in ("obo", "rdf", "kgx")), key=lambda f: f.name):
        name = LINKED + file.name
        loader.stream(name, seen.watch(file.name, ontologies.read(Path(file.path), file.kind, name)))
    for file in sorted((f for f in files if f.kind == "sssom"), key=lambda f: f.name):
        seen.versions[file.name] = mappings.version(Path(file.path))
        loader.stream(LINKED + file.name, _matches(file, seen, denied))
    annotations = next((f for f in files if f.kind == "hpoa"), None)
    lifted: dict[str, object] = {}
    edges: dict[str, set[str]] = defaultdict(set)
    cited: dict[str, str] = {}
    ancestors = {name: above for name, above in closure(seen.parents) if ONSETS in above} if annotations else {}
    if annotations:
        for quad in list(own.quads_for_pattern(None, None, None, NamedNode(HPOA))):
            own.remove(quad)
        lifted = _lift(
            loader, Path(annotations.path), own, seen, {prefixes.shorten(i) for i in ancestors} - {prefixes.shorten(ONSETS)}, edges, cited
        )
        seen.versions[annotations.name] = str(lifted.pop("version"))
    _own(loader, own, base, seen, edges, cited)
    (folder / keys.FILE).write_bytes(keys.packed(seen.keys))
    seen.keys.clear()
    for quad in own.quads_for_pattern(None, NamedNode(SUBCLASS), None, None):
        if not quad.subject.value.startswith(VOCAB):
            seen.parents[quad.subject.value].add(quad.object.value)
    for iri in cited:
        seen.parents.setdefault(iri, set())
    kinds = _close(loader, seen.parents, edges)
    _summarise(loader, edges, kinds)
    told = [asdict(f) | {"version": seen.versions.get(f.name, "")} for f in sorted(files, key=lambda f: f.name)]
    return {"sources": told, "lifted": lifted}


def _matches(file: Source, seen: _Seen, denied: set[tuple[str, str]]) -> Iterator[str]:
    for match in mappings.matches(Path(file.path)):
        if match.name and match.subject not in seen.labels:
            seen.labels[match.subject] = match.name
            seen.keys.append(keys.line(LABEL, match.subject, match.name))
            yield seen.line(f"<{match.subject}> <{LABEL}> {Literal(match.name, language='en')}")
        yield seen.line(f"<{match.subject}> <{match.predicate}> <{match.object}>")
        if match.predicate == mappings.EXACT:
            ours = names.canonical(match.curie) or match.object
            seen.spelled[match.subject] += [s for s in (ours, match.object) if s not in seen.spelled[match.subject]]
            if (match.subject, ours) not in denied:
                seen.canonical.setdefault(ours, match.subject)


def _lift(
    loader: Loader, path: Path, own: Store, seen: _Seen, onsets: set[str], edges: dict[str, set[str]], cited: dict[str, str]
) -> dict[str, object]:
    """Lift all annotations; what touches a disease of ours goes to `own` too, for the rules to read."""
    curated = lifting.databases(own, lifting.own_diseases(own))
    before = lifting.known(own)
    diseases = _Diseases(curated, seen.canonical)
    label = lru_cache(maxsize=None)(lambda iri: seen.labels.get(iri) or before.label(iri))
    entries = {iri: iri for iri in map(names.canonical, lifting.entries(path)) if iri and iri not in seen.canonical}
    known = lifting.Known(before.claims, before.references, lambda iri: iri in entries or before.labelled(iri), label, before.shown)
    if not onsets:
        onsets = lifting.onset_terms(lifting.packaged_folder() / "hp.obo")
    rows = found = 0
    version = ""
    subjects = set(curated.values())
    phenotype = f" <{PHENOTYPE}> "

    def watched() -> Iterator[lifting.Annotation]:
        nonlocal version
        for row in lifting.read_annotations(path):
            version = row.version
            yield row

    statements: list[str] = []
    shortcuts: list[str] = []
    shared: set[str] = set()  # what several entries say: the references, and the edges of a disease that two databases have

    def once(lines: Iterable[str]) -> Iterator[str]:
        for line in dict.fromkeys(lines):  # rows of one entry may share a claim
            if line.startswith(_OF_ONE_ENTRY):
                yield line
            elif line not in shared:
                shared.add(line)
                yield line

    for part in lifting.lift_each(watched(), known, diseases, onsets):
        found += 1
        rows += part.rows
        statements += once(part.statements)
        cited.setdefault(part.disease, label(part.disease) if part.disease in seen.labels else part.name)
        for term in part.terms:
            cited.setdefault(term, "")
        for edge in part.edges:
            if phenotype in edge:
                disease, _, term = edge.partition(phenotype)
                edges[disease[1:-1]].add(term[1:-1])
        if part.disease in subjects:
            mine = "".join(f"{line} <{HPOA}> .\n" for line in part.statements)
            own.load(mine.encode(), format=RdfFormat.N_QUADS)
        else:
            shortcuts += once(part.edges)
        if len(statements) > 50_000:
            loader.add(HPOA, statements)
            loader.add(SHORTCUTS, shortcuts)
            statements, shortcuts = [], []
    loader.add(HPOA, statements)
    loader.add(SHORTCUTS, shortcuts)
    return {
        "entries": found,
        "rows": rows,
        "diseases": len({d for d in cited if not d.startswith(prefixes.read()["HP"])}),
        "version": version,
    }


class _Diseases(Mapping[str, str]):
    """Database id → disease: as our graph maps it, else as the linked sets do, else the entry itself."""

    def __init__(self, ours: Mapping[str, str], linked: Mapping[str, str]) -> None:
        self._ours = ours
        self._linked = linked

    def __getitem__(self, entry: str) -> str:
        if entry in self._ours:
            return self._ours[entry]
        iri = names.canonical(entry)
        if iri is None:
            raise InputError(f"{entry!r} is no identifier of a disease", "see https://hpo-annotation-qc.readthedocs.io/")
        return self._linked.get(iri, iri)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ours)

    def __len__(self) -> int:
        return len(self._ours)


def _own(loader: Loader, own: Store, base: Sources, seen: _Seen, edges: dict[str, set[str]], cited: dict[str, str]) -> None:
    """Our own graphs, with the label of a linked ontology where ours differs; the shortcuts; labels of what was lifted; all their names."""
    graph.derive(own, base.rules() or Sources(base.folder("queries").parent).rules())
    lines: dict[str, list[str]] = defaultdict(list)
    described = set()
    for quad in own:
        name, subject = quad.graph_name.value, quad.subject.value
        if name == HPOA and cited:
            continue  # lifted, and loaded already
        if name == TERMS:
            described.add(subject)
        # A label that upstream has changed is the new one here: it stands in the linked graph.
        changed = name == TERMS and quad.predicate.value == LABEL and subject in seen.labels
        line = f"{quad.subject} {quad.predicate} {quad.object}"
        if line not in seen.stated and not changed:
            lines[name].append(line)
        if quad.predicate.value in keys.KINDS:
            seen.keys.append(keys.line(quad.predicate.value, subject, quad.object.value))
        if name == SHORTCUTS and quad.predicate.value == PHENOTYPE:
            edges[subject].add(quad.object.value)
        if name == MAPPINGS and quad.predicate.value == mappings.EXACT:
            seen.spelled[subject].append(quad.object.value)
    terms = lines[TERMS]
    for iri, text in cited.items():
        node, prefix = f"<{iri}>", prefixes.shorten(iri).partition(":")[0]
        if iri not in described:
            source, category = _ENTITY[prefix]
            if iri not in seen.classes:
                terms.append(f"{node} <{RDF_TYPE}> <{ontologies.OWL}Class>")
            if iri not in seen.labels:
                label = text or prefixes.shorten(iri)
                terms.append(f"{node} <{LABEL}> {Literal(label, language='en')}")
                seen.keys.append(keys.line(LABEL, iri, label))
            terms += [
                f"{node} <http://www.w3.org/2000/01/rdf-schema#isDefinedBy> <{source}>",
                f"{node} {prefixes.node('biolink:category')} {prefixes.node('biolink:' + category)}",
            ]
    alternate = f"<{names.ALTERNATE.value}>"
    for iri in sorted({*cited, *(described & set(seen.spelled))}):
        others = [s for other in seen.spelled.get(iri, ()) for s in (other, *spellings(other))]
        terms += [f"<{iri}> {alternate} {Literal(s)}" for s in dict.fromkeys((*spellings(iri), *others))]
    for name in sorted(lines):
        loader.add(name, sorted(set(lines[name])))


def _close(loader: Loader, parents: Mapping[str, set[str]], edges: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Load the closure; returns class → all above it, for the findings that a disease has."""
    wanted = set().union(*edges.values()) if edges else set()
    kinds: dict[str, list[str]] = {}
    verb = f"> <{VOCAB}kindOf> <"
    batch: list[str] = []
    for iri, above in closure(parents):
        batch += [f"<{iri}{verb}{a}>" for a in above]
        if iri in wanted:
            kinds[iri] = above
        if len(batch) > 50_000:
            loader.add(CLOSURE, batch)
            batch = []
    loader.add(CLOSURE, batch)
    return kinds


def _summarise(loader: Loader, edges: Mapping[str, set[str]], kinds: Mapping[str, list[str]]) -> None:
    """Counts that a query would otherwise take over all diseases: findings of a disease, diseases with a finding or a kind of it."""
    direct: dict[str, int] = defaultdict(int)
    below: dict[str, int] = defaultdict(int)
    lines = []
    for disease in sorted(edges):
        found = edges[disease]
        lines.append(f"<{disease}> <{VOCAB}findings> {_count(len(found))}")
        for term in found:
            direct[term] += 1
        for term in set().union(*(kinds.get(t, (t,)) for t in found)):
            below[term] += 1
    lines += [f"<{term}> <{VOCAB}diseasesShowing> {_count(n)}" for term, n in sorted(direct.items())]
    lines += [f"<{term}> <{VOCAB}diseasesShowingKind> {_count(n)}" for term, n in sorted(below.items())]
    loader.add(SUMMARY, lines)


@cache
def _count(number: int) -> str:
    return str(Literal(str(number), datatype=NamedNode(XSD + "integer")))
