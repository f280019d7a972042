"""What stands on each page: entities in the order in which a clinician reads, publications, vocabulary, shapes, questions, lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from hypomag import chapters, comparisons, limits, neighbours, prefixes
from hypomag.addresses import address, fragment
from hypomag.citations import opens
from hypomag.passages import Group, Link, Page, Reader, Section, Table
from hypomag.queries import Question, variables
from hypomag.results import readable
from hypomag.sources import VOCAB

# The order in which a clinician reads: address of the section, heading, kinds of claims in it.
CHAPTERS = (
    ("what", "What it is", ("ClassificationClaim", "EpidemiologyClaim")),
    ("cause", "Cause", ("CausationClaim", "InheritanceClaim", "SecondaryCauseClaim", "ValidityClaim", "VariantClaim")),
    ("shows", "How it shows", ("OnsetClaim", "PhenotypeClaim", "ComplicationClaim", "LaboratoryClaim")),
    ("works", "How it works", ("SiteClaim", "MechanismStep", "PhysiologyClaim")),
    ("neighbours", "How to tell it from its neighbours", ("DifferentialClaim",)),
    ("diagnosis", "Diagnosis", ("DiagnosticClaim", "ThresholdClaim", "ReferenceIntervalClaim")),
    ("treatment", "Treatment", ("TreatmentClaim", "DoseClaim", "ContraindicationClaim", "AdverseEffectClaim", "MonitoringClaim")),
    ("outlook", "Outlook", ("PrognosisClaim",)),
    ("gaps", "What is not known", ("GapClaim",)),
)  # fmt: skip
KINDS = {
    "disease": "Disease", "gene": "Gene", "phenotype": "Finding", "treatment": "Treatment", "substance": "Substance", "test": "Laboratory test",
    "variable": "Quantity or activity of the body", "place": "Place in the body", "process": "Process or part of a cell", "publication": "Publication",
    "formula": "Formula", "query": "Question", "class": "Class of the vocabulary", "term": "Term of the vocabulary", "shape": "Shape",
    "relation": "Relation", "evidence-code": "Kind of evidence", "zygosity": "Zygosity",
}  # fmt: skip
PLURALS = {
    "disease": "Diseases", "gene": "Genes", "phenotype": "Findings", "treatment": "Treatments", "substance": "Substances", "test": "Laboratory tests",
    "variable": "Quantities and activities", "place": "Places in the body", "process": "Processes", "publication": "Publications", "formula": "Formulas",
    "query": "Questions", "class": "Classes of the vocabulary", "term": "Terms of the vocabulary", "shape": "Shapes", "relation": "Relations",
    "evidence-code": "Kinds of evidence", "zygosity": "Zygosity",
}  # fmt: skip
# Properties of an entity that its page shows in its head, in this order.
_RELATIONS = (
    ("is a kind of", "rdfs:subClassOf"), ("state, when low", "hm:lowFinding"), ("state, when high", "hm:highFinding"), ("activity of", "hm:activityOf"),
    ("where", "hm:location"), ("process", "hm:process"), ("substance", "hm:analyte"), ("measured by", "hm:test"), ("kind of quantity", "hm:dimension"),
    ("must not be taken for", "hm:notExactMatch"), ("perhaps the same as", "hm:possibleDuplicateOf"), ("kind", "rdf:type"),
    ("narrows", "rdfs:subPropertyOf"), ("result", "hm:variable"),
)  # fmt: skip
_INVERSE = (
    ("its kinds", "rdfs:subClassOf"), ("low state of", "hm:lowFinding"), ("high state of", "hm:highFinding"), ("activity", "hm:activityOf"),
    ("measures", "hm:test"), ("measured as", "hm:analyte"), ("here", "hm:location"), ("seen in", "hm:process"), ("formula", "hm:variable"),
)  # fmt: skip
_ROWS_SHOWN, _MOST_MEASURED, _MOST_IN_SHORT = 12, 6, 2
_CARDINAL = "variable:serum-magnesium"


def entity(reader: Reader, iri: str) -> Page:
    """The page of one entity of the graph.

    Chapters stand in the clinician's order; claims of which the page is home carry their evidence, claims that live
    elsewhere name their sources and lead there.
    """
    path = address(iri) or ""
    kind = path.partition("/")[0]
    if kind == "publication":
        return publication(reader, iri)
    claims = list(dict.fromkeys([*(c for c in reader.facts.sections.get(iri, ()) if c in reader.claims), *reader.mentions.get(iri, ())]))
    if kind in ("class", "term", "relation", "evidence-code", "zygosity"):
        claims = [c for c in claims if reader.facts.homes.get(c) == iri]
    clinical = kind == "disease" or any(reader.claims[c].kind == "TreatmentClaim" and reader.facts.homes.get(c) == iri for c in claims)
    found = [_chapter(reader, iri, kind, claims, chapter, clinical) for chapter in CHAPTERS]
    sections = [s for s in [*found[:2], *_own_parts(reader, iri, kind), *found[2:]] if not s.empty]
    tables, groups = chapters.conflicts(reader, iri) if clinical else ((), ())
    if tables or groups:
        lead = "Sources that contradict each other stay side by side; each statement leads to both sides."
        sections.append(Section("conflicts", "Conflicts", lead, tables=tables, groups=groups))
    if sections and (links := chapters.cited(reader, sections)):
        sections.append(
            Section("sources", "Sources", f"{len(links)} publications and pages; each leads to all that it says here.", links=links)
        )
    return Page(
        path=path, iri=iri, kind=KINDS[kind], title=reader.facts.label(iri), name=reader.short(iri) if kind == "disease" else "", lead=reader.facts.one(iri, "IAO:0000115"),
        synonyms=_synonyms(reader, iri), facts=tuple(_facts(reader, iri, kind, claims)), sections=tuple(sections),
    )  # fmt: skip


def _chapter(reader: Reader, iri: str, kind: str, claims: list[str], chapter: tuple[str, str, tuple[str, ...]], clinical: bool) -> Section:
    name, title, kinds = chapter
    figure = caption = lead = ""
    tables: list[Table] = []
    steps: list[str] = []
    further: list[Group] = []
    if name == "shows" and clinical:
        figure, caption = chapters.chart(reader, iri)
    elif name == "works" and kind == "disease":
        figure, caption, steps = chapters.mechanism(reader, iri)
    elif name == "neighbours" and kind == "disease":
        side, further = neighbours.beside(reader, iri)
        tables = [*neighbours.told_apart(reader, iri), *side]
    elif name == "diagnosis" and clinical:
        tables = [t for t in [limits.tabulate(reader, iri)] if t]
        claims = [c for c in claims if not limits.is_target(reader, c)]
    elif name == "treatment" and clinical:
        tables = [t for t in [limits.tabulate(reader, iri, targets=True)] if t]
        kinds = (*kinds, "ThresholdClaim")
        claims = [c for c in claims if reader.claims[c].kind != "ThresholdClaim" or limits.is_target(reader, c)]
    elsewhere = "Diseases that show it" if kind == "phenotype" and name == "shows" else ""
    groups = reader.groups([*claims, *(s for s in steps if s not in claims)], kinds, iri, elsewhere)
    if groups and groups[0].heading == title:
        groups = (replace(groups[0], heading=""), *groups[1:])
    if kind == "phenotype" and not clinical and name == "shows":
        title = "Where it is seen"
    if name == "what" and kind == "disease":
        cardinal = reader.facts.label(prefixes.expand(_CARDINAL) or "")
        measured = sorted((link.text for link in _measured(reader, iri)), key=lambda m: not m.startswith(cardinal))
        lead = chapters.in_short(
            reader, iri, [m for m in measured if not m.endswith((" in some", " in very few")) and " or " not in m][:_MOST_IN_SHORT]
        )
    if name == "gaps":
        lead = "Searched for and not found: an open question, not a statement that there is nothing." if groups else ""
    return Section(name, title, lead, figure, caption, tuple(tables), (*further, *groups))


def _own_parts(reader: Reader, iri: str, kind: str) -> Iterator[Section]:
    """Parts of an entity that are no claims: variants of a gene, a formula."""
    facts = reader.facts
    variants = [v for v in facts.sections.get(iri, ()) if prefixes.shorten(v).startswith("variant:")]
    if variants:
        rows = []
        for v in sorted(variants, key=lambda v: facts.label(v).casefold()):
            told = [c for c in reader.mentions.get(v, ()) if reader.facts.one(c, "hm:subject") == v]
            names = ", ".join(dict.fromkeys([*facts.values(v, "hm:hgvsCoding"), *facts.values(v, "hm:hgvsProtein")])) or "not given"
            where = ", ".join(f"ClinVar {n}" for n in facts.values(v, "hm:clinvarVariation")) or ", ".join(facts.values(v, "hm:dbsnp"))
            said = tuple(Link(", ".join(facts.label(o) for o in facts.values(c, "hm:object")), reader.path(c)) for c in told)
            rows.append(((Link(facts.label(v), f"#{fragment(v)}"),), (Link(names),), (Link(where),), said))
        table = Table(
            "Variants on record; a disease leads to what is said of the variant there",
            ("Variant", "HGVS", "Record", "said of"),
            tuple(rows),
        )
        yield Section("variants", "Variants", tables=(table,))
    if kind == "formula":
        inputs = [
            (Link(facts.one(i, "hm:symbol")), reader.link(facts.one(i, "hm:variable"))) for i in facts.values(iri, "hm:input")
        ]  # fmt: skip
        table = Table("What goes in", ("Symbol", "Quantity"), tuple(((a,), (b,)) for a, b in inputs))
        yield Section(
            "formula",
            "Formula",
            tables=(table,) if inputs else (),
            code=f"{facts.one(iri, 'hm:expression')}   [{facts.one(iri, 'hm:resultUnit')}]",
        )


def _facts(reader: Reader, iri: str, kind: str, claims: list[str]) -> Iterator[tuple[str, tuple[Link, ...]]]:
    """Name → links for the head of a page: what the entity is, at a glance, its identifiers elsewhere."""
    facts = reader.facts
    yield from _glance(reader, iri, kind, claims)
    for name, predicate in _RELATIONS:
        if predicate == "rdf:type" and kind not in ("class", "term"):
            continue
        values = [v for v in facts.values(iri, predicate) if v != VOCAB + "Claim" or kind == "class"]
        if links := reader.links(v for v in values if not v.startswith("http://www.w3.org/")):
            yield name, tuple(_in_use(link) for link in links)
    for name, predicate in _INVERSE:
        found = facts.pointing(iri, predicate)
        if predicate == "hm:variable":
            found = [f for f in found if (address(f) or "").startswith("formula/") and f in facts.pages.values()]
        if links := reader.links(f for f in found if reader.path(f) and f"{VOCAB}retracted" not in facts.values(f, "hm:status")):
            yield name, links
    same = [prefixes.shorten(m) for m in facts.values(iri, "skos:exactMatch")]
    outside = (Link(prefixes.shorten(iri), iri),) if not iri.startswith("https://w3id.org/hypomag/") else ()
    matches = tuple(
        Link(s.replace("Orphanet:", "ORPHA:"), m if _opens(m) else "")
        for s, m in zip(same, facts.values(iri, "skos:exactMatch"), strict=True)
    )
    if outside or matches:
        yield "identifiers", (*outside, *sorted(matches, key=lambda x: x.text))


def _in_use(link: Link) -> Link:
    """A term whose label says that it is out of use upstream, in words of ours."""
    head, colon, rest = link.text.partition(": ")
    return replace(link, text=rest, note="no longer in use there") if head == "OBSOLETE" and colon else link


def _opens(iri: str) -> bool:
    """Whether an address of another database is a page that a browser can open."""
    return iri.startswith(
        ("http://purl.obolibrary.org/", "https://omim.org/", "http://www.orpha.net/", "https://loinc.org/", "https://www.ncbi.nlm.nih.gov/")
    )


def _glance(reader: Reader, iri: str, kind: str, claims: list[str]) -> Iterator[tuple[str, tuple[Link, ...]]]:
    """At a glance: gene, inheritance, onset, place, laboratory of a disease; the diseases of a gene. Each leads to its evidence."""
    own = [c for c in claims if reader.claims[c].polarity == "present" and reader.claims[c].status == "accepted"]
    heads = {"CausationClaim": "gene", "InheritanceClaim": "inherited as", "OnsetClaim": "begins", "SiteClaim": "where"}
    for claim_kind, name in heads.items():
        end = "hm:object"
        if kind == "gene" and claim_kind == "CausationClaim":
            name, end = "causes", "hm:subject"
        elif kind == "gene" and claim_kind == "SiteClaim":
            name = "expressed in"
        elif kind != "disease":
            continue
        links: dict[str, Link] = {}
        for claim in own:
            about = reader.facts.one(claim, "hm:object" if end == "hm:subject" else "hm:subject")
            if reader.claims[claim].kind == claim_kind and about == iri and not reader.narrowed(claim):
                link = reader.claim_link(claim, reader.facts.label(reader.facts.one(claim, end)), reader.statement(claim).often)
                links.setdefault(link.text, link)
        if links:
            yield name, tuple(sorted(links.values(), key=lambda x: x.text.casefold()))
    if kind == "disease" and (measured := _measured(reader, iri)):
        yield "laboratory", measured


def _measured(reader: Reader, iri: str) -> tuple[Link, ...]:
    """The usual state of the laboratory values of a disease of which the most patients, then the most sources, are on record."""
    signature = reader.signatures.get(iri)
    found = []
    if signature is None:
        return ()
    for variable, records in signature.laboratory.items():
        told = comparisons.usual(signature, variable)
        if told and told.record.status == "accepted" and told.record.share:
            text = f"{reader.facts.label(variable)} {told.value}"
            pooled = reader.statement(told.record.claim).often == f"{told.record.counted}, pooled"
            note = ", ".join(w for w in (told.often, "pooled" if pooled else "", "disputed" if told.record.disputed else "") if w)
            sources = {c for r in records for c in r.citations}
            found.append((-max(r.m or 0 for r in records), -len(sources), text, reader.claim_link(told.record.claim, text, note)))
    return tuple(x[-1] for x in sorted(found, key=lambda x: x[:3])[:_MOST_MEASURED])


def _synonyms(reader: Reader, iri: str) -> tuple[str, ...]:
    found = {v for kind in ("Exact", "Broad", "Narrow", "Related") for v in reader.facts.values(iri, f"oboInOwl:has{kind}Synonym")}
    return tuple(sorted(found - {reader.facts.label(iri)}, key=lambda s: (s.casefold(), s)))


def publication(reader: Reader, iri: str) -> Page:
    """The page of a source: how it is named and found, what it says of which entity, whom it studied."""
    facts = reader.facts
    by_home: dict[str, list[str]] = defaultdict(list)
    for claim in reader.mentions.get(iri, ()):
        by_home[facts.homes.get(claim, "")].append(claim)
    groups, among = [], []
    for home in sorted(by_home, key=lambda h: facts.label(h).casefold()):
        told, shared = [], []
        for claim in sorted(by_home[home]):
            statement = reader.statement(claim)
            own = tuple(reader.cite(line) for line in reader.claims[claim].lines if line.source_iri == iri)
            alone = tuple(c for c in own if not c.pooled)
            if own and not alone:  # a count over several publications is not what this one says
                shared.append(replace(statement, here=False, often=own[0].often, cites=own[:1], more=0, own_lines=True))
                continue
            often = next((c.often for c in alone if c.often), "")
            told.append(replace(statement, here=False, often=often, cites=alone, more=0, own_lines=True))
        groups += [Group(facts.label(home), tuple(told))] if told else []
        among += [Group(facts.label(home), tuple(shared))] if shared else []
    sections = [
        Section("says", "What it says", groups=tuple(groups)),
        Section(
            "among", "Cited by HPO among others", "Counts that HPO made over several publications, this one the first.", groups=tuple(among)
        ),
    ]
    cohorts = [c for c in facts.sections.get(iri, ()) if prefixes.shorten(c).startswith("cohort:")]
    rows = []
    for c in sorted(cohorts, key=facts.label):
        told_of = [facts.one(c, f"hm:{k}") for k in ("outcomeNote", "treatmentNote")] + facts.values(c, "skos:editorialNote")
        genotyped = ", ".join(facts.label(g) for g in facts.values(c, "hm:genotyped"))
        age = ", ".join(
            f"{w} {facts.one(c, p)}" for w, p in (("onset", "hm:ageAtOnset"), ("last report", "hm:ageAtLastReport")) if facts.one(c, p)
        )
        cells = [facts.label(c), facts.one(c, "hm:size"), genotyped, age, " ".join(t for t in told_of if t)]
        rows.append(((Link(cells[0], f"#{fragment(c)}"),), *((Link(x),) for x in cells[1:])))
    if rows:
        table = Table("People, animals or cells that it studied", ("Cohort", "size", "genotype", "ages (ISO 8601)", "note"), tuple(rows))
        sections.append(Section("cohorts", "Whom it studied", tables=(table,)))
    title = facts.one(iri, "dcterms:title") or facts.label(iri)
    heads = [
        ("cited here as", (Link(reader.citation(iri)),)),
        ("published in", tuple(Link(v) for v in facts.values(iri, "dcterms:bibliographicCitation"))),
        ("publisher", tuple(Link(v) for v in facts.values(iri, "dcterms:publisher"))),
        ("year", tuple(Link(v) for v in facts.values(iri, "dcterms:issued"))),
        ("the publication itself", _ways_out(reader, iri)),
        ("read as", tuple(Link(v) for v in facts.values(iri, "hm:readAs"))),
        ("note", tuple(Link(v) for v in facts.values(iri, "skos:editorialNote"))),
    ]
    return Page(
        path=address(iri) or "", iri=iri, kind=KINDS["publication"], title=title, facts=tuple((n, v) for n, v in heads if v),
        sections=tuple(s for s in sections if not s.empty),
    )  # fmt: skip


def _ways_out(reader: Reader, iri: str) -> tuple[Link, ...]:
    """Where a source is read: PubMed, the DOI, the page of the database, else its address in words."""
    ways = [Link(prefixes.shorten(iri), iri)] if not iri.startswith("https://w3id.org/hypomag/") else []
    for identifier in reader.facts.values(iri, "dcterms:identifier"):
        prefix, _, number = identifier.partition(":")
        target = prefixes.expand(f"{'doi' if prefix == 'DOI' else prefix}:{number}")
        if prefix in ("PMID", "DOI") and target and target not in {w.path for w in ways}:
            ways.append(Link(identifier, target))
    ways.extend(Link(a, f"https://{a}" if opens(a) else "") for a in reader.facts.values(iri, "hm:address"))
    if not any(w.path for w in ways):
        ways.append(Link("no address that a browser can open is on record"))
    return tuple({w.path or w.text: w for w in ways}.values())


def question(reader: Reader, found: Question, rows: list[list[object]]) -> Page:
    """The page of a question of the catalogue: how to ask it, its text, its first answers."""
    columns = variables(found.text)
    names, shown = readable(columns, rows[:_ROWS_SHOWN])
    raw = [[_cell_link(reader, row, columns, n) for n in names] for row in rows[:_ROWS_SHOWN]]
    body = tuple(tuple((Link(text, way),) for text, way in zip(line, ways, strict=True)) for line, ways in zip(shown, raw, strict=True))
    caption = f"The first {len(body)} of {len(rows)} rows" if len(rows) > len(body) else f"All {len(rows)} rows"
    told = "On a terminal; a column can be fixed with --bind column=name."
    sections = [
        Section("answer", "Answer", "" if body else "No row.", tables=(Table(caption, tuple(names), body),) if body else ()),
        Section("ask", "Ask it", told, code=f"hypomag query {found.name} --format csv"),
        Section("sparql", "SPARQL", "It runs as it stands on the union of the named graphs.", code=found.text),
    ]
    return Page(
        path=f"query/{found.name}", iri=prefixes.expand(f"query:{found.name}") or "", kind=KINDS["query"], title=found.summary, lead=found.description,
        facts=(("name", (Link(found.name),)), ("tags", tuple(Link(t) for t in found.tags))), sections=tuple(sections),
    )  # fmt: skip


def _cell_link(reader: Reader, row: list[object], columns: list[str], name: str) -> str:
    value = getattr(row[columns.index(name)], "value", "")
    return reader.path(value) if isinstance(value, str) and value.startswith("http") else ""


def shape(reader: Reader, iri: str, values: dict[str, list[str]], text: str) -> Page:
    """The page of a shape: what it asks for, how gravely, of which path; its Turtle."""
    sh = "http://www.w3.org/ns/shacl#"

    def links(name: str) -> tuple[Link, ...]:
        return tuple(
            Link(prefixes.shorten(v), f"{address(v)}.html" if v.startswith(iri.partition("#")[0]) else reader.path(v))
            for v in values.get(sh + name, ())
        )

    heads = [("checks", links("targetClass")), ("property", links("path")), ("severity", tuple(Link(x.text.partition(":")[2]) for x in links("severity"))),
             ("properties", links("property"))]  # fmt: skip
    title = prefixes.shorten(iri).removeprefix("shapes:")
    lead = " ".join(values.get(sh + "message", []))
    return Page(
        path=address(iri) or "", iri=iri, kind=KINDS["shape"], title=title, lead=lead, facts=tuple((n, v) for n, v in heads if v),
        sections=(Section("turtle", "As Turtle", code=text),),
    )  # fmt: skip


def listing(folder: str, pages: Iterable[Page]) -> Page:
    """The list of all pages of one kind, with other names."""
    told = sorted(pages, key=lambda p: (p.title.casefold(), p.path))
    links = tuple(Link(p.title, f"{p.path}.html", ", ".join(p.synonyms[:6])) for p in told)
    return Page(
        path=f"{folder}/index", iri="", kind="List", title=PLURALS[folder], lead=f"{len(links)} pages.", sections=(Section("all", PLURALS[folder], links=links),),
    )  # fmt: skip
