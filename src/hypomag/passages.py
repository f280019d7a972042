"""What a page says, sentence by sentence: statements with their evidence, tables, links; plain values for a template."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from pyoxigraph import Store

from hypomag import cards, lifting, paths, prefixes, signatures
from hypomag.addresses import address, fragment
from hypomag.cards import SECTIONS, Line
from hypomag.citations import opens
from hypomag.descriptions import Facts
from hypomag.paths import Step
from hypomag.signatures import Signature

# Not said of the usual patient: such claims are statements, never a bar of the chart.
QUALIFIERS = ("hm:context", "hm:severity", "hm:modifier", "hm:location", "hm:population")
# Said of some patients only: no word at a glance.
NARROWED = ("hm:context", "hm:severity", "hm:modifier", "hm:population")
LISTED = ("VariantClaim",)
MOST_TOLD = 5
NEAR = 4  # the lines of a list whose notes are kept longest
NEGATIVE = "negative finding"
# What the marks behind a statement mean, told once on a page that has any.
MARKS = {
    NEGATIVE: "sources say that it is not so",
    "provisional": "one case or a supposition",
    "disputed": "a source speaks against it",
}
# A count of these is of the disease in which it was made: elsewhere it would be read as one of the disease of the page.
ONE_DISEASE = frozenset({"MechanismStep", "SiteClaim", "PhysiologyClaim"})
NOT_PEOPLE = frozenset({"animal", "in vitro"})
_ANNOTATED = "HPO annotation: "
_NAMED_BY_CLAIM = tuple(
    f"hm:{p}" for p in ("subject", "object", "agent", "route", "routeDetail", "location", "context", "goal",
                        "onset", "severity", "modifier", "zygosity", "causeClass")
)  # fmt: skip
_NAMED_BY_PART = ("hm:test", "hm:variable", "hm:agent", "hm:route", "hm:routeDetail", "hm:feature")


@dataclass(frozen=True)
class Link:
    """A word that leads somewhere: `path` is a page of the site (with #section) or an address outside; empty is plain text."""

    text: str
    path: str = ""
    note: str = ""


@dataclass(frozen=True)
class Cite:
    """One evidence line: how often, who says so, of what study, in one sentence of ours, for or against."""

    often: str
    citation: str
    path: str
    study: str
    note: str
    against: bool
    out: str = ""
    pooled: int = 0

    @property
    def outside(self) -> str:
        """What the way out leads to, in a word."""
        hosts = {
            "https://pubmed.ncbi.nlm.nih.gov/": "PubMed",
            "https://doi.org/": "DOI",
            "https://omim.org/": "OMIM",
            "http://www.orpha.net/": "Orphanet",
        }
        return next((name for host, name in hosts.items() if self.out.startswith(host)), "source")


@dataclass(frozen=True)
class Statement:
    """One claim; at home (`here`) it carries all its lines, elsewhere it names the first source of each side and leads home.

    On the page of a source (`own_lines`) it carries what that source says of it.
    """

    slug: str
    label: str
    path: str
    here: bool
    marks: tuple[str, ...]
    often: str
    cites: tuple[Cite, ...]
    more: int = 0
    own_lines: bool = False

    @property
    def sources(self) -> int:
        return len({c.citation for c in self.cites}) + self.more


@dataclass(frozen=True)
class Group:
    """Statements of one kind under a heading, or only links to them where they are many and alike."""

    heading: str
    statements: tuple[Statement, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows of cells; a cell is a list of links. The first cell of a row names the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[tuple[Link, ...], ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of a page with its own address: a lead, a drawing (HTML of ours), tables, statements, a list, preformatted text."""

    id: str
    title: str
    lead: str = ""
    figure: str = ""
    caption: str = ""
    tables: tuple[Table, ...] = ()
    groups: tuple[Group, ...] = ()
    links: tuple[Link, ...] = ()
    code: str = ""

    @property
    def empty(self) -> bool:
        return not (self.figure or self.tables or self.groups or self.links or self.code)

    @property
    def count(self) -> int:
        return sum(len(g.statements) + len(g.links) for g in self.groups)


@dataclass(frozen=True)
class Page:
    """All that stands on one page; `path` is without suffix, `facts` are name → links in the head of the page."""

    path: str
    iri: str
    kind: str
    title: str
    name: str = ""
    lead: str = ""
    synonyms: tuple[str, ...] = ()
    facts: tuple[tuple[str, tuple[Link, ...]], ...] = ()
    sections: tuple[Section, ...] = field(default=())
    schema: str = ""

    @property
    def marks(self) -> tuple[tuple[str, str], ...]:
        """The marks that statements of the page bear, each with its meaning."""
        used = {m for s in self.sections for g in s.groups for t in g.statements for m in t.marks}
        return tuple((m, meaning) for m, meaning in MARKS.items() if m in used)


def thinned(page: Page, over: int) -> Page:
    """The page without what there is no room for, worth at least so many bytes.

    First go notes far down in long lists of evidence; then lines lead straight to a source that a browser can open, and the
    page of the source stands among the sources alone; then other notes go. Of each, those furthest down. Notes of lines
    against a statement stay; the page of a source has all of its notes.
    """
    told = [t for section in page.sections for group in section.groups for t in group.statements if t.here]
    lines = [(k, s.slug, cite) for s in told for k, cite in enumerate(s.cites)]
    noted = sorted(((k, slug, cite) for k, slug, cite in lines if cite.note and not cite.against), key=lambda line: (-line[0], line[1]))
    notes = [(True, slug, k, len(cite.note.encode())) for k, slug, cite in noted]
    far = sum(k >= NEAR for k, _, _ in noted)
    links = [
        (False, slug, k, len(cite.path) + len(cite.outside) + len(" ../<a href=></a>")) for k, slug, cite in reversed(lines) if cite.out
    ]
    left_out: set[tuple[str, int]] = set()
    straight: set[tuple[str, int]] = set()
    for is_note, slug, k, size in [*notes[:far], *links, *notes[far:]]:
        if over <= 0:
            break
        over -= size
        (left_out if is_note else straight).add((slug, k))

    def less(s: Statement) -> Statement:
        def cut(k: int, c: Cite) -> Cite:
            shorter = replace(c, note="" if (s.slug, k) in left_out else c.note)
            return replace(shorter, path=c.out, out="") if (s.slug, k) in straight else shorter

        return replace(s, cites=once(cut(k, c) for k, c in enumerate(s.cites))) if s.here else s

    remarks = [
        "On this long page lines of evidence lead straight to a source that a browser can open; the page of each source stands here."
        if straight
        else "",
        "Notes that have no room in lists of evidence stand on the pages of the sources." if left_out else "",
    ]
    sections = []
    for section in page.sections:
        groups = tuple(replace(g, statements=tuple(map(less, g.statements))) for g in section.groups)
        lead = " ".join([section.lead, *filter(None, remarks)]) if section.id == "sources" else section.lead
        sections.append(replace(section, groups=groups, lead=lead))
    return replace(page, sections=tuple(sections))


def once(cites: Iterable[Cite]) -> tuple[Cite, ...]:
    """Lines of evidence that read alike as one that says how many they are; printed twice they would look like an error."""
    found = Counter(cites)
    return tuple(c if n == 1 else replace(c, study=f"{c.study}, {n} such lines".removeprefix(", ")) for c, n in found.items())


class Reader:
    """The graph as pages read it: statements by claim, who names what, signatures, steps; each read once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.facts = Facts(store)
        self.claims = cards.every_statement(store)
        self.limits: dict[str, tuple[tuple[Link, ...], ...]] = {}

    @cached_property
    def steps(self) -> list[Step]:
        return paths.steps(self.store)

    @cached_property
    def signatures(self) -> dict[str, Signature]:
        space = prefixes.expand("MONDO:") or "-"
        among = sorted({s for _, s in self.facts.bearing("hm:subject") if s.startswith(space)})
        return signatures.signatures(self.store, among=among)

    @cached_property
    def bands(self) -> dict[str, tuple[float, float]]:
        """Label of an HPO band → its ends in percent."""
        found = {}
        for band, term in self.facts.bearing("hm:bandOf"):
            low, high = self.facts.one(band, "hm:low"), self.facts.one(band, "hm:high")
            if self.facts.one(band, "hm:unit") == "%" and low and high:
                found[self.facts.label(term)] = (float(low), float(high))
        return found

    @cached_property
    def mentions(self) -> dict[str, list[str]]:
        """Entity → the claims that name it, themselves or in a quantity, a dose or an evidence line."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for iri, statement in self.claims.items():
            named = {v for p in _NAMED_BY_CLAIM for v in self.facts.values(iri, p)}
            parts = [v for p in ("hm:statedAs", "hm:discriminator", "hm:object") for v in self.facts.values(iri, p)]
            parts += [q for line in statement.lines for q in self.facts.values(line.iri, "hm:measured")]
            named |= {v for part in parts for p in _NAMED_BY_PART for v in self.facts.values(part, p)}
            named |= {line.source_iri for line in statement.lines}
            named |= {gene for v in list(named) for gene in self.facts.values(v, "hm:gene")}
            for entity in named:
                found[entity][iri] = None
        return {entity: list(claims) for entity, claims in found.items()}

    def path(self, iri: str, suffix: str = ".html") -> str:
        """The path of the page on a node, or the section of a page; empty where it has none."""
        if home := self.facts.homes.get(iri):
            return f"{address(home)}{suffix}#{fragment(iri)}"
        found = address(iri)
        return f"{found}{suffix}" if found in self.facts.pages else ""

    def link(self, iri: str, note: str = "") -> Link:
        return Link(self.facts.label(iri), self.path(iri), note)

    def links(self, iris: Iterable[str]) -> tuple[Link, ...]:
        return tuple(sorted((self.link(i) for i in iris), key=lambda x: (x.text.casefold(), x.path)))

    def claim_link(self, claim: str, text: str, note: str = "") -> Link:
        return Link(text, self.path(claim), note)

    def cite(self, line: Line) -> Cite:
        study = ", ".join(p for p in (line.study, "genotyped" if line.genotyped == "genotype confirmed" else "") if p)
        pooled = self.pooled(line.iri)
        cited = f"HPO, pooled from {len(pooled)} publications" if pooled else self.citation(line.source_iri, line.source)
        note = f"The first of {', '.join(pooled)}" if pooled else line.note
        out = "" if pooled else self.way_out(line.source_iri)
        return Cite(often(line), cited, self.path(line.source_iri), study, note, line.direction == "disputes", out, len(pooled))

    def pooled(self, line: str) -> tuple[str, ...]:
        """The publications that one HPO annotation cites for one count; nothing where it cites one.

        The line has the first of them as its source; its row of phenotype.hpoa has all, in the column `reference`.
        """
        for row in self.facts.values(line, "hm:sourceRow"):
            cited = lifting.cited(self.facts.one(row, "hm:raw"))
            if len(cited) > 1:
                return tuple(cited)
        return ()

    def way_out(self, source: str) -> str:
        """Where a source is read, if a browser can open it: PubMed, else the DOI, else its own address; nothing for entries of databases' pages that have none."""
        if not source.startswith("https://w3id.org/hypomag/"):
            return source
        ways = {i.partition(":")[0]: i.partition(":")[2] for i in self.facts.values(source, "dcterms:identifier")}
        for prefix, name in (("PMID", "PMID"), ("DOI", "doi")):
            if found := ways.get(prefix):
                return prefixes.expand(f"{name}:{found}") or ""
        return next((f"https://{a}" for a in self.facts.values(source, "hm:address") if opens(a)), "")

    def citation(self, source: str, short: str = "") -> str:
        """How a page names a source: entries of OMIM and Orphanet by their number, because their short citation is a disease's name."""
        prefix, _, number = prefixes.shorten(source).partition(":")
        return f"{prefix} {number}" if prefix in ("OMIM", "Orphanet") else short or self.facts.one(source, "hm:shortCitation")

    def statement(self, claim: str, page: str = "") -> Statement:
        """A claim as the page on an IRI tells it: with all lines at home, with a source of each side elsewhere."""
        told = self.claims[claim]
        here = self.facts.homes.get(claim) == page
        cites = [self.cite(line) for line in told.lines]
        shown = list(once(cites))
        if not here:
            shown = list({c.citation: c for c in reversed(cites)}.values())[::-1]
            shown = [*[c for c in shown if not c.against][:1], *[c for c in shown if c.against][:1]]
        speaking = [line for line in told.lines if line.direction == "supports"]
        counted = [line for line in speaking if (line.m or 0) > 1]  # one patient is no frequency
        best = max(counted, key=lambda x: x.m or 0, default=None) or next((x for x in speaking if not x.m and often(x)), None)
        marks = ((NEGATIVE, told.polarity == "absent"), (told.status, told.status != "accepted"), ("disputed", told.disputed))
        return Statement(
            slug=fragment(claim) or "", label=self.sentence(claim, page), path=self.path(claim), here=here, marks=tuple(w for w, on in marks if on),
            often=often(best) + (", pooled" if self.pooled(best.iri) else "") if best and (here or told.kind not in ONE_DISEASE) else "", cites=tuple(shown), more=len({c.citation for c in cites}) - len({c.citation for c in shown}),
        )  # fmt: skip

    def narrowed(self, claim: str) -> bool:
        """Whether a claim is of some patients only: an age group, a severe form, those who are treated."""
        return any(self.facts.values(claim, q) for q in NARROWED)

    def sentence(self, claim: str, page: str = "") -> str:
        """What a claim says; an HPO annotation is named by what the page is not about, finding or disease."""
        told = self.claims[claim]
        if not told.label.startswith(_ANNOTATED):
            return told.label
        ends = [self.facts.one(claim, f"hm:{k}") for k in ("object", "subject")]
        other = ends[1] if page == ends[0] else ends[0]
        narrowed = [self.facts.label(v) for q in ("hm:onset", "hm:severity", "hm:modifier") for v in self.facts.values(claim, q)]
        told_of = ", ".join([self.facts.label(other), *narrowed, *self.facts.values(claim, "hm:sex")])
        return f"{told_of} (HPO annotation)" if page in ends else told.label

    def short(self, disease: str) -> str:
        """The name by which the claims on a disease call it most often, else its shortest handy one.

        Nothing where that is its label.
        """
        facts = self.facts
        labels = [self.claims[c].label for c in facts.sections.get(disease, ()) if c in self.claims]
        names = sorted({*facts.values(disease, "oboInOwl:hasExactSynonym"), facts.label(disease)})
        counts = {n: sum(bool(re.search(rf"(?<!\w){re.escape(n)}(?!\w)", label, re.IGNORECASE)) for label in labels) for n in names}
        best = max(names, key=lambda n: (counts[n], -len(n), n))
        if not counts[best]:
            best = self.signatures[disease].short if disease in self.signatures else facts.label(disease)
        return "" if best.casefold() == facts.label(disease).casefold() else best

    def _variant(self, claim: str) -> Link:
        variant = self.facts.one(claim, "hm:subject")
        significance = self.facts.one(variant, "hm:clinicalSignificance").lower()
        return Link(self.facts.label(variant), self.path(claim), significance)

    def groups(self, claims: Iterable[str], kinds: Iterable[str], page: str, elsewhere: str = "") -> tuple[Group, ...]:
        """Statements by kind, the page's own first; `elsewhere` is the heading of those that live on another page."""
        claims = list(claims)
        found = []
        for kind in kinds:
            told = sorted(
                (self.claims[c] for c in claims if self.claims[c].kind == kind),
                key=lambda s: (
                    s.polarity == "absent",
                    s.status != "accepted",
                    kind == "OnsetClaim" and self.narrowed(s.iri),
                    -weight(s),
                    s.iri,
                ),
            )
            own = tuple(self.statement(s.iri, page) for s in told if self.facts.homes.get(s.iri) == page)
            other = tuple(self.statement(s.iri, page) for s in told if self.facts.homes.get(s.iri) != page)
            if own:
                found.append(Group(SECTIONS[kind], own))
            heading = (elsewhere if kind == "PhenotypeClaim" else "") or SECTIONS[kind]
            heading = f"{heading}, on other pages" if own else heading
            if kind in LISTED and len(other) > MOST_TOLD:
                found.append(Group(heading, links=tuple(sorted((self._variant(s.iri) for s in told), key=lambda x: x.text))))
            elif other:
                found.append(Group(heading, other))
        return tuple(found)


def weight(told: cards.Statement) -> int:
    """How much speaks for a statement: the patients of the largest cohort that shows it, and sources for it less those against it."""
    sides = [{x.source_iri for x in told.lines if (x.direction == "disputes") is against} for against in (False, True)]
    patients = max(
        (x.n if told.polarity == "present" else x.m or 0 for x in told.lines if x.direction == "supports" and x.n is not None), default=0
    )
    return patients + len(sides[0]) - len(sides[1])


def often(line: Line | None) -> str:
    """How often, in the words of the source: counts, a percentage, else HPO's band."""
    if line is None:
        return ""
    if line.n is not None and line.m is not None:
        return f"{line.n} of {line.m}"
    return f"{line.percent} %" if line.percent else line.band
