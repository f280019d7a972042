"""Our terms and mappings against the linked versions: what upstream has changed since we took them over."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass

from pyoxigraph import Literal, NamedNode, Store

from hypomag import mappings, names, ontologies, prefixes
from hypomag.sources import LINKED, MAPPINGS, TERMS

# Each kind of finding, what it says, and whether something of ours has to be mended for it.
KINDS = {
    "label": ("labels changed upstream", True),
    "obsolete": ("terms obsolete upstream", True),
    "gone": ("terms that upstream does not have any more", True),
    "moved": ("mappings that upstream gives to another term", True),
    "dropped": ("mappings that upstream does not have any more", True),
    "denied": ("mappings that upstream states and we deny", False),
    "new": ("mappings of our terms that upstream has and we do not", False),
}


@dataclass(frozen=True, order=True)
class Change:
    """One difference: `ours` is what our graph says, `theirs` what the linked version does, `source` the linked graph."""

    kind: str
    term: str
    label: str
    ours: str
    theirs: str
    source: str


@dataclass(frozen=True)
class Report:
    """What was compared with which version, and what differs."""

    sources: tuple[tuple[str, str], ...]
    terms: int
    mapped: int
    uncovered: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def stale(self) -> bool:
        """Whether something of ours has to be mended; news and denials alone make nothing stale."""
        return any(KINDS[c.kind][1] for c in self.changes)

    def as_json(self) -> dict[str, object]:
        return {
            "stale": self.stale,
            "sources": [{"name": n, "version": v} for n, v in self.sources],
            "terms_compared": self.terms,
            "mappings_compared": self.mapped,
            "not_compared": list(self.uncovered),
            "changes": [asdict(c) for c in self.changes],
        }

    def as_text(self) -> str:
        out = [f"{n} {v or '(no version given)'}\n" for n, v in self.sources]
        out.append(f"\n{self.terms} of our terms and {self.mapped} of our mappings compared\n")
        for kind, (told, _) in KINDS.items():
            found = [c for c in self.changes if c.kind == kind]
            if found:
                out.append(f"\n{len(found)} {told}:\n")
                out.extend(f"  {_told(c)}\n" for c in found)
        if self.uncovered:
            out.append(f"\nnot compared, no linked file has them: {', '.join(self.uncovered)}\n")
        out.append("\nstale: mend these\n" if self.stale else "\nfresh: nothing to mend\n")
        return "".join(out)


def _told(change: Change) -> str:
    head = f"{change.term} ({change.label})"
    if change.kind == "label":
        return f"{head}: now {change.theirs!r}"
    if change.kind == "obsolete":
        return f"{head}: " + (f"replaced by {change.theirs}" if change.theirs else "no replacement given")
    if change.kind == "gone":
        return f"{head}: " + (f"now an alternative identifier of {change.theirs}" if change.theirs else f"not in {change.source}")
    if change.kind == "moved":
        return f"{head}: {change.ours} is now matched to {change.theirs}"
    if change.kind == "dropped":
        return f"{head}: {change.ours} has no match in {change.source}"
    return f"{head}: {change.ours or change.theirs}"


def check(ours: Store, linked: Store, sources: list[dict[str, str]]) -> Report:
    """Compare the terms and mappings of our graph with the linked upstream files.

    A term is compared where a linked ontology (or, for labels, a mapping set) holds terms of its prefix; a mapping where
    a linked set has matches of the same two prefixes.
    """
    graphs = {s["name"]: NamedNode(LINKED + s["name"]) for s in sources if s["kind"] != "hpoa"}
    ontology = [g for s in sources if s["kind"] in ("obo", "rdf") for g in [graphs[s["name"]]]]
    sets = [graphs[s["name"]] for s in sources if s["kind"] == "sssom"]
    changes, terms, uncovered = _terms(ours, linked, ontology, sets)
    mapped, more, unmatched = _mappings(ours, linked, sets)
    told = tuple((s["name"], s["version"]) for s in sources if s["kind"] != "hpoa")
    return Report(told, terms, mapped, tuple(uncovered + unmatched), tuple(sorted(changes + more)))


def _terms(ours: Store, linked: Store, ontology: list[NamedNode], sets: list[NamedNode]) -> tuple[list[Change], int, list[str]]:
    changes: list[Change] = []
    compared = 0
    uncovered: dict[str, int] = defaultdict(int)
    label, deprecated = NamedNode(ontologies.LABEL), NamedNode(ontologies.DEPRECATED)
    homes = _prefixes(linked, ontology)
    for quad in ours.quads_for_pattern(None, label, None, NamedNode(TERMS)):
        term, text = quad.subject, quad.object.value
        curie = prefixes.shorten(term.value)
        prefix = curie.partition(":")[0]
        found = [q for g in (*ontology, *sets) for q in linked.quads_for_pattern(term, label, None, g)]
        if not found:
            if prefix in homes:
                compared += 1
                changes.append(Change("gone", curie, text, text, _heir(linked, curie, ontology), _name(homes[prefix])))
            else:
                uncovered[prefix] += 1
            continue
        compared += 1
        source = _name(found[0].graph_name)
        if any(next(linked.quads_for_pattern(term, deprecated, None, g), None) for g in ontology):
            changes.append(Change("obsolete", curie, text, text, _heir(linked, curie, ontology), source))
        elif text not in {q.object.value for q in found}:
            changes.append(Change("label", curie, text, text, found[0].object.value, source))
    return changes, compared, [f"{n} term{'' if n == 1 else 's'} of {p}" for p, n in sorted(uncovered.items())]


def _prefixes(linked: Store, ontology: list[NamedNode]) -> dict[str, NamedNode]:
    """Prefix → the ontology that is the home of its terms: the one with more classes of it than of any other prefix."""
    home: dict[str, NamedNode] = {}
    kind, owl_class = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"), NamedNode(ontologies.OWL + "Class")
    for graph in ontology:
        count: dict[str, int] = defaultdict(int)
        for quad in linked.quads_for_pattern(None, kind, owl_class, graph):
            count[prefixes.shorten(quad.subject.value).partition(":")[0]] += 1
        if count:
            home[max(count, key=lambda p: count[p])] = graph
    return home


def _heir(linked: Store, curie: str, ontology: list[NamedNode]) -> str:
    """What upstream names as replacement, else to consider, else the term that took the identifier over."""
    term = prefixes.node(curie)
    found: list[str] = []
    for graph in ontology:
        for predicate in (ontologies.REPLACED_BY, ontologies.CONSIDER):
            here = sorted({q.object.value for q in linked.quads_for_pattern(term, NamedNode(predicate), None, graph)})
            if here and not found:
                found = here
        if not found:
            taken = NamedNode("http://www.geneontology.org/formats/oboInOwl#hasAlternativeId")
            found = [q.subject.value for q in linked.quads_for_pattern(None, taken, Literal(curie), graph)]
    return ", ".join(f"{prefixes.shorten(f)} ({names.label(linked, NamedNode(f))})" if "://" in f else f for f in found)


def _mappings(ours: Store, linked: Store, sets: list[NamedNode]) -> tuple[int, list[Change], list[str]]:
    exact, graph = NamedNode(mappings.EXACT), NamedNode(MAPPINGS)
    stated: dict[str, set[str]] = defaultdict(set)  # object → subjects
    source: dict[tuple[str, str], str] = {}
    for name in sets:
        for quad in linked.quads_for_pattern(None, exact, None, name):
            target = _canonical(quad.object.value)
            stated[target].add(quad.subject.value)
            source.setdefault((_prefix(quad.subject.value), _prefix(target)), _name(name))
    mine = {(q.subject.value, q.object.value) for q in ours.quads_for_pattern(None, exact, None, graph)}
    denied = {
        (q.subject.value, q.object.value) for q in ours.quads_for_pattern(None, NamedNode(mappings.NOT_MATCH[mappings.EXACT]), None, graph)
    }
    subjects = {s for s, _ in mine}
    changes: list[Change] = []
    compared = 0
    unmatched: dict[str, int] = defaultdict(int)

    def change(kind: str, subject: str, ours_: str, theirs: str, where: str) -> Change:
        return Change(kind, prefixes.shorten(subject), names.label(ours, NamedNode(subject)), ours_, theirs, where)

    for subject, target in sorted(mine):
        kinds = (_prefix(subject), _prefix(target))
        if kinds not in source:
            unmatched[" to ".join(kinds)] += 1
            continue
        compared += 1
        theirs = stated.get(target, set())
        if subject not in theirs:
            shown = ", ".join(f"{prefixes.shorten(t)} ({names.label(linked, NamedNode(t))})" for t in sorted(theirs))
            changes.append(change("moved" if theirs else "dropped", subject, prefixes.shorten(target), shown, source[kinds]))
    for target, theirs in sorted(stated.items()):
        for subject in sorted(theirs & subjects):
            kinds = (_prefix(subject), _prefix(target))
            if (subject, target) in denied:
                changes.append(change("denied", subject, prefixes.shorten(target), prefixes.shorten(target), source[kinds]))
            elif (subject, target) not in mine:
                changes.append(change("new", subject, "", prefixes.shorten(target), source[kinds]))
    return compared, changes, [f"{n} mapping{'' if n == 1 else 's'} of {k}" for k, n in sorted(unmatched.items())]


def _canonical(iri: str) -> str:
    """The IRI that we use for what another data set writes another way."""
    for space, prefix in _SPACES.items():
        if iri.startswith(space):
            return prefixes.expand(f"{prefix}:{iri[len(space) :]}") or iri
    return names.canonical(iri) or iri


# Namespaces of Mondo's mapping sets that are not ours.
_SPACES = {
    "http://linkedlifedata.com/resource/umls/id/": "UMLS",
}


def _prefix(iri: str) -> str:
    short = prefixes.shorten(iri)
    return short.partition(":")[0] if short != iri else iri.rpartition("/")[0]


def _name(graph: object) -> str:
    return str(getattr(graph, "value", graph)).removeprefix(LINKED)
