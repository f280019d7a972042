"""The graph as KGX: nodes and edges in the terms of the Biolink Model, as TSV and JSON Lines.

One edge is one supporting evidence line and one object, so that counts, source and kind of evidence stay together. Edges of structure,
which are no claims (what is a kind of what, which gene a variant is of), join the nodes.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator

from pyoxigraph import NamedNode, Store

from hypomag import biolink, citations, exports, lifting, names, prefixes
from hypomag.biolink import Refused, Statement
from hypomag.citations import curie
from hypomag.claims import Claim, Claims, Line, read
from hypomag.graph import said
from hypomag.losses import ANIMALS, CLAIM, DETAIL, LINE, NO_TERM, RETRACTED, TWICE, Losses, one_reason

EDGE_COLUMNS = (
    "id", "subject", "predicate", "object", "category", "negated", "qualified_predicate", "subject_form_or_variant_qualifier",
    "subject_aspect_qualifier", "subject_context_qualifier", "object_aspect_qualifier", "object_direction_qualifier", "object_context_qualifier",
    "frequency_qualifier", "onset_qualifier", "sex_qualifier", "disease_context_qualifier", "anatomical_context_qualifier",
    "population_context_qualifier", "object_specialization_qualifier", "has_count", "has_total", "has_percentage", "publications",
    "has_evidence_of_type", "primary_knowledge_source", "aggregator_knowledge_source", "knowledge_level", "agent_type",
    "original_subject", "original_predicate", "name", "iri", "hypomag_claim", "hypomag_status", "hypomag_disputed_by", "hypomag_qualifiers",
    "hypomag_study", "hypomag_grade", "hypomag_note",
)  # fmt: skip
FILES = ("hypomag_nodes.tsv", "hypomag_edges.tsv", "hypomag_nodes.jsonl", "hypomag_edges.jsonl", "hypomag_metadata.json")
NODE_COLUMNS = ("id", "category", "name", "synonym", "xref", "iri")
KEPT = "kept in hypomag_qualifiers: the association class has no slot for it"
COMPUTED = "kept in hypomag_qualifiers: computed, while the slot is for what the source counted"
COMPUTED_NOT = "kept in hypomag_qualifiers: stands beside a computed count, and the slots hold both or none"
DISPUTES = "speaks against the claim: Biolink has no edge for that; named in hypomag_disputed_by"
NOBODY = "supports a claim of presence but counted nobody"
SOMEBODY = "supports a claim of absence but counted somebody"
NO_LINE = "no supporting line that counts as this claim does"
EDITORIAL = "skos:editorialNote"  # of the curator's work, but it may qualify what is claimed
# Whose statement it is that one class is a kind of another, by the prefix of the class.
HIERARCHIES = {"MONDO": "infores:mondo", "HP": "infores:hpo"}

Record = dict[str, object]


def export(store: Store) -> tuple[dict[str, bytes], Losses]:
    """Write the KGX files and the report of what has no place in them; the same graph gives the same bytes."""
    nodes, edges, losses = graph(store, read(store))
    texts = (
        _tsv(nodes, NODE_COLUMNS), _tsv(edges, EDGE_COLUMNS), _jsonl(nodes), _jsonl(edges),
        json.dumps(_metadata(store), ensure_ascii=False, indent=1) + "\n",
    )  # fmt: skip
    return {name: text.encode() for name, text in zip(FILES, texts, strict=True)}, losses


def _metadata(store: Store) -> Record:
    version, date = exports.release(store)
    return {
        "name": "hypomag", "version": version, "date": date, "biolink_version": biolink.VERSION, "license": exports.LICENCE_CC_BY,
        "rights": "The licence covers our claims; what is of others keeps theirs.",
        "parts": [
            dict(zip(("title", "license", "rights"), exports.GRAPH_NOTES[part], strict=True))
            for part in ("claims", "lifted/hpoa", "mappings", "terms")
        ],
    }  # fmt: skip


def graph(store: Store, claims: Claims) -> tuple[list[Record], list[Record], Losses]:
    """Nodes and edges by id, and what was lost on the way."""
    losses = Losses("kgx", len(claims.claims))
    writer = _Writer(store, claims, losses)
    for claim in claims.claims:
        writer.put(claim)
    losses.lines = len({edge["iri"] for edge in writer.edges})
    edges = sorted([*writer.edges, *writer.structure()], key=lambda e: str(e["id"]))
    return [writer.nodes[key] for key in sorted(writer.nodes)], edges, losses


class _Writer:
    """Nodes and edges as they are made, claim by claim."""

    def __init__(self, store: Store, claims: Claims, losses: Losses) -> None:
        self.store = store
        self.claims = claims
        self.losses = losses
        self.nodes: dict[str, Record] = {}
        self.iris: dict[str, str] = {}
        self.led: dict[str, bool] = {}
        self.edges: list[Record] = []

    def put(self, stated: Claim) -> None:
        """The edges of one claim, or why it has none."""
        claim = self.claims.finding(stated)
        if stated.status == RETRACTED or claim is None:
            self.losses.add(CLAIM, stated, RETRACTED if stated.status == RETRACTED else NO_TERM)
            return
        made = biolink.state(self.store, self.claims, claim, stated.kind)
        if isinstance(made, Refused):
            self.losses.add(CLAIM, stated, made.reason, made.part)
            return
        twice = self.claims.twice(stated, claim)
        unfit = {line.iri: self._unfit(claim, made, line, line in twice) for line in claim.lines}
        lines = [line for line in claim.lines if not unfit[line.iri]]
        if not lines:
            self.losses.add(CLAIM, stated, one_reason(stated, unfit, NO_LINE))
            return
        remarks = [(EDITORIAL, text) for text in stated.values(EDITORIAL)]
        for name, value in (*made.rest, *remarks):
            self.losses.add(DETAIL, stated, KEPT, f"{name} {prefixes.shorten(value)}")
        subject = self.node(made.subject, claim)
        objects = [self.node(iri, claim) for iri in made.objects]
        if "population_context_qualifier" in made.slots:
            self.node(claim.values("hm:population")[0])
        for line in claim.lines:
            if line not in lines:
                self.losses.add(LINE, stated, unfit[line.iri], line.iri)
                continue
            told = self._told(stated, made, line)
            for target in objects:
                own = f"-{target.lower().replace(':', '-')}" if len(objects) > 1 else ""
                edge = {"id": curie(line.iri) + own, "subject": subject, "object": target, **told}
                self.edges.append({key: edge[key] for key in EDGE_COLUMNS if edge.get(key) not in (None, [], "")})

    def _unfit(self, claim: Claim, made: Statement, line: Line, twice: bool) -> str:
        """Why a line of a claim that has a place is no edge, or nothing."""
        if not line.supports:
            return DISPUTES
        if twice:
            return TWICE
        if made.place.of_people and line.on_animals:
            return ANIMALS
        if line.says_nobody in (None, claim.absent):
            return ""
        return SOMEBODY if claim.absent else NOBODY

    def _told(self, stated: Claim, made: Statement, line: Line) -> Record:
        """All of an edge but its id and its ends."""
        automated = line.hpoa == "IEA"
        primary, *between = citations.resources(self.store, line)
        edge: Record = {
            "predicate": f"biolink:{made.place.predicate}", "category": [f"biolink:{made.place.category}"],
            "negated": stated.absent, **made.slots,
            "publications": citations.publications(self.store, line),
            "has_evidence_of_type": [prefixes.shorten(line.code)] if line.code else [],
            "primary_knowledge_source": primary, "aggregator_knowledge_source": between,
            "knowledge_level": "not_provided" if automated else "knowledge_assertion",
            "agent_type": "automated_agent" if automated else "manual_agent" if line.hpoa else "not_provided",
            "original_subject": curie(lifting.source(line.row.split("\t")[0]) or "") if line.row else "",
            "original_predicate": curie(stated.predicate), "name": stated.label, "iri": line.iri,
            "hypomag_claim": stated.iri, "hypomag_status": stated.status,
            "hypomag_disputed_by": [other.iri for other in stated.disputing],
            "hypomag_study": line.study, "hypomag_grade": line.grade, "hypomag_note": line.note,
        }  # fmt: skip
        kept = [f"{name.rpartition(':')[2]}={self._shown(value)}" for name, value in made.rest]
        kept += [f"editorialNote={text}" for text in stated.values(EDITORIAL)]
        if stated.kind == "VariantClaim":
            kept += [f"clinicalSignificance={text}" for text in biolink.significance(self.store, stated.subject)]
        for name, value, slot in (
            ("hm:affected", line.affected, "has_count"), ("hm:examined", line.examined, "has_total"),
            ("hm:statedPercent", float(line.percent) if line.percent else None, "has_percentage"),
            ("hm:frequency", curie(line.band) if line.band else None, "frequency_qualifier"),
        ):  # fmt: skip
            if value is None:
                continue
            counts = slot in ("has_count", "has_total")
            if slot in made.place.slots and not (line.derived and counts):
                edge[slot] = value
            else:
                kept.append(f"{name.removeprefix('hm:')}={line.percent if slot == 'has_percentage' else value}")
                why = (COMPUTED if slot == "has_count" else COMPUTED_NOT) if slot in made.place.slots else KEPT
                self.losses.add(DETAIL, stated, why, f"{name} of {line.iri}")
        more = [*([("hm:derivedCount", "true")] if line.derived else []), *line.details]
        kept.extend(f"{name.removeprefix('hm:')}={self._shown(text)}" for name, text in more)
        for name in sorted({name for name, _ in more}):
            self.losses.add(DETAIL, stated, KEPT, f"{name} of {line.iri}")
        edge["hypomag_qualifiers"] = kept
        return edge

    def _shown(self, value: str) -> str:
        """A detail in a form that can be read without the RDF: the identifier, and what it is called; a quantity with value and unit."""
        label = names.label(self.store, NamedNode(value)) if value.startswith("http") else ""
        known = curie(value)
        return f"{known} ({label})" if label and label != value and known.startswith("hypomag.") else known

    def structure(self) -> Iterator[Record]:
        """Which nodes are kinds of which, as Mondo and HPO have it, by the classes between them; and of which gene a variant is."""
        claimed, done = dict(self.iris), set[str]()
        todo = sorted(claimed)
        while todo:
            iri = todo.pop()
            if iri in done:
                continue
            done.add(iri)
            if biolink.category(self.store, iri) == "SequenceVariant":
                for gene in said(self.store, iri, "hm:gene"):
                    yield _joined(self.iris[iri], "is_sequence_variant_of", self.node(gene), citations.OUR_SOURCE)
            for above in said(self.store, iri, "rdfs:subClassOf"):
                if self._leads(above, claimed):
                    source = HIERARCHIES.get(self.iris[iri].partition(":")[0], citations.OUR_SOURCE)
                    yield _joined(self.iris[iri], "subclass_of", self.node(above), source)
                    todo.append(above)

    def _leads(self, iri: str, claimed: Container[str]) -> bool:
        """Whether a class is one that claims speak of, or is below one."""
        if iri not in self.led:
            todo, seen = [iri], {iri}
            while todo and todo[-1] not in claimed:
                above = set(said(self.store, todo.pop(), "rdfs:subClassOf")) - seen
                seen |= above
                todo += sorted(above)
            self.led[iri] = bool(todo)
        return self.led[iri]

    def node(self, iri: str, claim: Claim | None = None) -> str:
        """Put a node in and return its id; what a claim makes of it may add a category."""
        if iri in self.iris:
            return self.iris[iri]
        categories = [biolink.category(self.store, iri)]
        if claim and claim.kind == "InheritanceClaim" and iri == claim.object:
            categories = ["GeneticInheritance"]
        elif categories == ["Procedure"]:
            categories = ["Treatment", "Procedure"]  # MAxO actions that treat, or have an unwanted effect
        numbers = said(self.store, iri, "hm:clinvarVariation")
        key = f"CLINVAR:{numbers[0]}" if len(numbers) == 1 else curie(iri)
        synonyms = {v for p in names.SYNONYMS for v in said(self.store, iri, prefixes.shorten(p.value))}
        others = {f"DBSNP:{number}" for number in said(self.store, iri, "hm:dbsnp")} | set(
            map(curie, said(self.store, iri, "skos:exactMatch"))
        )
        node: Record = {
            "id": key, "category": [f"biolink:{c}" for c in categories], "name": names.label(self.store, NamedNode(iri)),
            "synonym": sorted(synonyms), "xref": sorted(others), "iri": iri,
        }  # fmt: skip
        self.iris[iri] = key
        self.nodes[key] = {name: node[name] for name in NODE_COLUMNS if node[name]}
        return key


def _joined(subject: str, predicate: str, target: str, source: str) -> Record:
    """An edge of structure; others than ours state it by hand, we pass it on."""
    ours = source == citations.OUR_SOURCE
    slug = f"{subject}-{predicate}-{target}".lower().replace(":", "-")
    edge: Record = {
        "id": f"hypomag.structure:{slug}", "subject": subject, "predicate": f"biolink:{predicate}", "object": target,
        "category": ["biolink:Association"], "negated": False, "primary_knowledge_source": source,
        "aggregator_knowledge_source": [] if ours else [citations.OUR_SOURCE],
        "knowledge_level": "knowledge_assertion", "agent_type": "not_provided" if ours else "manual_agent",
    }  # fmt: skip
    return {key: value for key, value in edge.items() if value != []}


def _tsv(records: Iterable[Record], columns: tuple[str, ...]) -> str:
    """Tab-separated, lists joined by |; `negated` is empty where it is false, for kgx reads any text as true."""

    def cell(value: object) -> str:
        if isinstance(value, list):
            return "|".join(cell(v).replace("|", "/") for v in value)
        if isinstance(value, bool):
            return "true" if value else ""
        return " ".join(str(value).split())

    rows = ["\t".join(columns), *("\t".join(cell(record.get(c, "")) for c in columns) for record in records)]
    return "\n".join(rows) + "\n"


def _jsonl(records: Iterable[Record]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
