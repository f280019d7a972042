"""The graph in memory or on disk: assembled from the sources, or opened as it was built."""

from __future__ import annotations

import sys
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from hypomag import keys, prefixes
from hypomag.errors import GraphUnavailable, InputError
from hypomag.formatting import syntax_problem
from hypomag.sources import GRAPHS, LINKED, LINKED_MANIFEST, SHORTCUTS, TERMS, VOCAB, Sources, read_text

MANIFEST = "manifest.json"
DATASET = "hypomag.nq"
STORE = "store"


def assemble(sources: Sources) -> Store:
    """Load the curated files into a store in memory and derive the shortcuts graph from them.

    The default graph stays empty; each file goes to its named graph under graph/.

    Raises:
        SyntaxProblem: a file does not parse (file, line and column in the message).
        InputError: a file is missing, unreadable or holds a blank node.
    """
    from hypomag import mappings

    store = Store()
    for path, graph in sources.graph_files():
        name = NamedNode(graph)
        store.extend(Quad(t.subject, t.predicate, t.object, name) for t in triples(path))
    if sources.mappings.is_file():
        store.extend(mappings.read(sources.mappings))
    spell(store)
    derive(store, sources.rules())
    return store


def spell(store: Store) -> None:
    """Put every spelling of the identifiers of outside terms into graph/terms, as `hm:alternateIri`.

    An entry of another database that is an exact match of a term is a spelling of that term, not of itself: each finds one entity.
    """
    from hypomag.mappings import EXACT
    from hypomag.spellings import spellings

    graph, alternate, exact = NamedNode(TERMS), NamedNode(VOCAB + "alternateIri"), NamedNode(EXACT)
    defined = NamedNode("http://www.w3.org/2000/01/rdf-schema#isDefinedBy")
    matched = {q.object.value for q in store.quads_for_pattern(None, exact, None, None)}
    found: list[Quad] = []
    for term in {q.subject.value for q in store.quads_for_pattern(None, defined, None, graph)} - matched:
        others = [q.object.value for q in store.quads_for_pattern(NamedNode(term), exact, None, None)]
        texts = {*spellings(term), *others, *(s for other in others for s in spellings(other))}
        found.extend(Quad(NamedNode(term), alternate, Literal(text), graph) for text in texts)
    store.extend(found)


def triples(path: Path) -> list[Triple]:
    """Parse one Turtle file; blank nodes are refused.

    Raises:
        SyntaxProblem, InputError: as `assemble`.
    """
    try:
        found = [q.triple for q in parse(path=str(path), format=RdfFormat.TURTLE)]
    except SyntaxError as error:
        raise syntax_problem(error, str(path)) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None
    for triple in found:
        if not isinstance(triple.subject, NamedNode) or type(triple.object).__name__ == "BlankNode":
            raise InputError(f"{path}: a blank node cannot be cited or compared", "give it an IRI of its own")
    return found


def derive(store: Store, rules: list[Path]) -> int:
    """Run the CONSTRUCT rules over all named graphs and put what they say into graph/shortcuts.

    Every rule reads the graph as it was before the first one ran, so their order means nothing.
    Returns the number of derived triples.
    """
    shortcuts = NamedNode(SHORTCUTS)
    derived: list[Quad] = []
    for rule in rules:
        try:
            found = store.query(read_text(str(rule)), use_default_graph_as_union=True)
        except SyntaxError as error:
            raise syntax_problem(error, str(rule)) from None
        derived.extend(Quad(t.subject, t.predicate, t.object, shortcuts) for t in found)
    store.extend(derived)
    return len(set(derived))


def is_fresh(sources: Sources, folder: Path | None = None) -> bool:
    """Whether the built graph in a folder (`build/` beside the sources) was made from the sources as they are now."""
    import json

    from hypomag import __version__

    manifest = (folder or sources.build) / MANIFEST
    try:
        return bool(json.loads(manifest.read_bytes())["inputs"] == sources.digest(__version__))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def open_graph(sources: Sources) -> Store:
    """Open the graph of a folder, the quickest way that is right.

    A folder with `hypomag.nq` is a built graph; one with `ontology/` is read from its `build/`
    where that is fresh (always, in the installed package), else assembled in memory.

    Raises:
        GraphUnavailable: a built graph does not open and cannot be rebuilt.
    """
    root = sources.root
    if (root / LINKED_MANIFEST).is_file():
        return open_linked(root)
    if (root / DATASET).is_file():
        return open_built(root)
    if (sources.build / DATASET).is_file() and (_installed(sources) or is_fresh(sources)):
        return open_built(sources.build)
    return assemble(sources)


def open_linked(folder: Path) -> Store:
    """Open a linked graph read-only.

    Raises:
        GraphUnavailable: its store does not open.
    """
    if found := _opened(folder / STORE):
        return keys.lay(found, folder)
    raise GraphUnavailable(f"{folder}: the store of the linked graph does not open here", "link the files again: hypomag link --force")


def _installed(sources: Sources) -> bool:
    return sources.root.name == "data" and sources.root.parent == Path(__file__).resolve().parent


def open_built(folder: Path) -> Store:
    """Open a built graph read-only: its store, else a copy of the store in the user's cache, else the N-Quads.

    Raises:
        GraphUnavailable: none of them can be read.
    """
    return keys.lay(_opened(folder / STORE) or _cached(folder), folder)


def _opened(place: Path) -> Store | None:
    if not place.is_dir():
        return None
    try:
        return Store.read_only(str(place))
    except (OSError, ValueError, RuntimeError):  # another version's store, a damaged one
        return None


def _cached(folder: Path) -> Store:
    import hashlib
    import os
    import tempfile

    import pyoxigraph

    dataset = folder / DATASET
    try:
        content = dataset.read_bytes()
    except OSError as error:
        raise GraphUnavailable(f"{dataset}: {error.strerror}", "build the graph again: hypomag build") from None
    key = hashlib.sha256(content + pyoxigraph.__version__.encode()).hexdigest()[:16]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hypomag"
    place = base / key
    if found := _opened(place):
        return found
    try:
        memory = Store()
        memory.load(content, format=RdfFormat.N_QUADS)
    except (SyntaxError, ValueError) as error:
        raise GraphUnavailable(f"{dataset}: {str(error).splitlines()[0]}", "it is damaged; build the graph again: hypomag build") from None
    try:
        base.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=base, prefix=".new-"))
        fresh = Store(str(aside / "store"))
        fresh.bulk_extend(memory)
        fresh.optimize()
        fresh.flush()
        del fresh
        if place.exists():  # a damaged one: put aside, never taken from under another process
            place.rename(aside / "damaged")
        (aside / "store").rename(place)
        print(f"hypomag: the store of {folder} did not open; made one in {place}", file=sys.stderr)
    except OSError:  # no place to write, or another process was quicker
        pass
    else:
        import shutil

        shutil.rmtree(aside, ignore_errors=True)
    return _opened(place) or memory


def said(store: Store, iri: str, name: str) -> list[str]:
    """The values of a property of a node in all graphs, sorted; `name` is prefix:local."""
    return sorted({q.object.value for q in store.quads_for_pattern(NamedNode(iri), prefixes.node(name), None, None)})


def content_graphs(store: Store) -> list[NamedNode]:
    """The named graphs of ours in a store, in order; linked outside graphs are not among them."""
    ours = (g for g in store.named_graphs() if isinstance(g, NamedNode) and g.value.startswith(GRAPHS))
    return sorted((g for g in ours if not g.value.startswith(LINKED)), key=lambda g: g.value)


def stated(sources: Sources) -> dict[str, int] | None:
    """How many triples each named graph has by the manifest of the build that `open_graph` opens; None where it opens none."""
    import json

    root = sources.root
    if (root / DATASET).is_file():
        folder = root
    elif (sources.build / DATASET).is_file() and (_installed(sources) or is_fresh(sources)):
        folder = sources.build
    else:
        return None
    try:
        return {str(name): int(number) for name, number in json.loads((folder / MANIFEST).read_bytes())["graphs"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
