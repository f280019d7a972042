"""The map of nephron and gut, drawn from the graph: which gene acts where."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from dataclasses import dataclass, field
from html import escape

from hypomag import prefixes
from hypomag.passages import Link, Reader, Table

LEAD = "Which gene acts in which part of the kidney's tubule and of the gut, as the claims of the graph have it. Point at a gene to see its places; it leads to its page."
CAPTION = (
    "Kidney, left, from the glomerulus to the collecting duct; gut, right. Not to scale. A gene stands where a claim says that it is "
    "expressed, or where a step of the mechanism has its product act; grey parts have nothing on record. A name in italics stands "
    "where only a provisional or disputed claim puts it."
)
WIDE, HIGH = 1080, 640
# Part of the drawing → the run of the tube, where its words stand, how many genes fit on a line, and the line from the words to the part.
_TUBES = {
    "UBERON:0000074": ("M126 150a26 26 0 1 0 52 0a26 26 0 1 0 -52 0", 8, 92, 3, "M90 97L132 128"),
    "UBERON:0004134": ("M178 150C200 62 246 66 238 122S192 176 224 196 256 215 250 255", 8, 230, 3, "M112 226L214 196"),
    "UBERON:0001288": ("M250 255V520A35 35 0 0 0 320 520V425", 8, 450, 3, "M104 446L238 446"),
    "UBERON:0001291": ("M320 425V205", 352, 290, 2, "M350 300L332 300"),
    "UBERON:0001292": ("M320 205C318 122 372 112 386 156S432 206 450 158 498 122 522 152", 300, 22, 5, "M372 64L372 122"),
    "UBERON:0005097": ("M522 152C548 168 560 184 560 214", 606, 130, 2, "M604 144L562 168"),
    "UBERON:0004203": ("M560 214V370", 606, 260, 2, "M604 272L572 272"),
    "UBERON:0001232": ("M560 370V600", 606, 450, 2, "M604 462L572 462"),
    "UBERON:0002108": ("M852 232C962 207 967 267 885 269S838 317 930 319 952 367 878 369", 850, 500, 3, "M892 486L892 380"),
    "UBERON:0001155": ("M795 392V157H1020V450", 868, 110, 3, "M885 118L885 145"),
    "UBERON:0001153": ("M795 398V432", 780, 470, 3, "M795 456L795 444"),
}
_TITLE_COLUMNS = 24
# A kind of cell is drawn in the part that its name says.
_CELLS = {"CL:1000849": "UBERON:0001292", "CL:1001106": "UBERON:0001291"}
_LINE, _CHARACTER, _BETWEEN = 16, 8.6, 10


@dataclass
class Place:
    """A part of the body with what acts there: gene → (where in the cell, claim), disease → claim.

    Where several claims put a gene there, an accepted and undisputed one speaks for it.
    """

    genes: dict[str, tuple[set[str], str]] = field(default_factory=dict)
    diseases: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Atlas:
    svg: str
    caption: str
    table: Table


def places(reader: Reader) -> dict[str, Place]:
    """Part of the body (short name) → what the site claims and the mechanism steps put there."""
    facts = reader.facts
    genes = {iri for path, iri in facts.pages.items() if path.startswith("gene/")}
    found: dict[str, Place] = defaultdict(Place)

    def put(gene: str, where: str, details: set[str], claim: str) -> None:
        known, first = found[where].genes.get(gene, (set(), claim))
        found[where].genes[gene] = (known | details, claim if doubt(reader, first) and not doubt(reader, claim) else first)

    for claim, told in reader.claims.items():
        if told.kind != "SiteClaim" or told.polarity != "present":
            continue
        subject = facts.one(claim, "hm:subject")
        sites = [prefixes.shorten(v) for v in (*facts.values(claim, "hm:object"), *facts.values(claim, "hm:location"))]
        details = {facts.label(v) for v in facts.values(claim, "hm:location") if prefixes.shorten(v).startswith("GO:")}
        for site in sites:
            where = _CELLS.get(site, site)
            if where.startswith("UBERON:"):
                if subject in genes:
                    put(subject, where, details, claim)
                else:
                    found[where].diseases.setdefault(subject, claim)
    for claim, told in reader.claims.items():
        if told.kind != "MechanismStep" or told.polarity != "present":
            continue
        for variable in (facts.one(claim, "hm:subject"), facts.one(claim, "hm:object")):
            here = {prefixes.shorten(v) for v in facts.values(variable, "hm:location")} & {
                prefixes.shorten(v) for v in facts.values(claim, "hm:location")
            }
            for gene in facts.values(variable, "hm:activityOf"):
                for where in here:
                    if where.startswith("UBERON:"):
                        put(gene, where, set(), claim)
    return {where: found[where] for where in sorted(found)}


def doubt(reader: Reader, claim: str) -> str:
    """What stands against taking a claim for settled: provisional, disputed or nothing."""
    told = reader.claims[claim]
    return told.status if told.status != "accepted" else "disputed" if told.disputed else ""


def atlas(reader: Reader) -> Atlas:
    """Draw the map, and tell it as a table."""
    found = places(reader)
    drawn = {where: found.get(where, Place()) for where in _TUBES}
    parts = [
        f'<svg class="atlas" role="group" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}" aria-labelledby="a-t a-d">'
        f'<title id="a-t">Map of nephron and gut</title><desc id="a-d">{escape(CAPTION)} The table below says the same.</desc>'
    ]
    parts.extend(f'<path class="tube" d="{_TUBES[w][0]}"/>' for w in drawn)
    parts.extend(_segment(reader, where, place) for where, place in drawn.items())
    return Atlas("".join(parts) + "</svg>", CAPTION, _table(reader, found))


def _segment(reader: Reader, where: str, place: Place) -> str:
    run, x, y, most, lead = _TUBES[where]
    iri = prefixes.expand(where) or ""
    genes = sorted(place.genes, key=reader.facts.label)
    labels = [reader.facts.label(g) for g in genes]
    shade = " none" if not (genes or place.diseases) else " even" if list(_TUBES).index(where) % 2 else ""
    out = [
        f'<g class="seg{shade}" data-genes="{escape(" ".join(labels))}"><title>{escape(_told(reader, where, place))}</title>'
        f'<path class="part" d="{run}"/><path class="lead" d="{lead}"/>'
    ]
    name = textwrap.wrap(reader.facts.label(iri), _TITLE_COLUMNS)
    spans = "".join(f'<tspan x="{x}" y="{y + k * _LINE}">{escape(line)}</tspan>' for k, line in enumerate(name))
    out.append(f'<a href="{reader.path(iri)}"><text class="place">{spans}</text></a>')
    y += (len(name) - 1) * _LINE
    column = max(map(len, labels), default=0) * _CHARACTER + _BETWEEN
    for number, (gene, label) in enumerate(zip(genes, labels, strict=True)):
        row, place_in_row = divmod(number, most)
        causes = ", ".join(sorted({reader.facts.label(d) for d in _caused(reader, gene)}))
        unsure = doubt(reader, place.genes[gene][1])
        title = f"{label}{f': {causes}' if causes else ''}{f' ({unsure} here)' if unsure else ''}"
        out.append(
            f'<a href="{reader.path(gene)}" data-gene="{escape(label)}"><title>{escape(title)}</title>'
            f'<text{" class=unsure" if unsure else ""} x="{x + place_in_row * column:g}" y="{y + (row + 1) * _LINE}">{escape(label)}</text></a>'
        )
    return "".join(out) + "</g>"


def _caused(reader: Reader, gene: str) -> list[str]:
    return [
        reader.facts.one(c, "hm:subject")
        for c in reader.mentions.get(gene, ())
        if reader.claims[c].kind == "CausationClaim" and reader.claims[c].polarity == "present" and reader.facts.one(c, "hm:object") == gene
    ]


def _told(reader: Reader, where: str, place: Place) -> str:
    genes = ", ".join(sorted(reader.facts.label(g) for g in place.genes)) or "no gene on record"
    return f"{reader.facts.label(prefixes.expand(where) or where)}: {genes}"


def _table(reader: Reader, found: dict[str, Place]) -> Table:
    rows = []
    order = [*(_ for _ in _TUBES if _ in found), *(w for w in found if w not in _TUBES)]
    for where in order:
        place = found[where]
        genes = sorted(
            (
                Link(reader.facts.label(g), reader.path(claim), ", ".join(filter(None, [*sorted(details), doubt(reader, claim)])))
                for g, (details, claim) in place.genes.items()
            ),
            key=lambda link: link.text,
        )
        diseases = sorted(
            (Link(reader.facts.label(d), reader.path(claim), doubt(reader, claim)) for d, claim in place.diseases.items()),
            key=lambda link: link.text.casefold(),
        )
        rows.append(((reader.link(prefixes.expand(where) or where),), tuple(genes), tuple(diseases)))
    return Table(
        "Each name leads to the evidence that puts it there",
        ("Place", "Genes, and where in the cell", "Diseases with their seat there"),
        tuple(rows),
    )
