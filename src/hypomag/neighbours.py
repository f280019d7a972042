"""How a disease is told from its neighbours: what sources say, and the laboratory values of both side by side."""

from __future__ import annotations

from hypomag import comparisons, limits, prefixes, signatures
from hypomag.comparisons import Cell
from hypomag.passages import Group, Link, Reader, Table

FAMILY = "MONDO:0018100"  # the condition itself
MOST_NEIGHBOURS, MOST_ROWS = 6, 14


def told_apart(reader: Reader, disease: str) -> list[Table]:
    """What sources say tells a disease from others: finding, value or test, with what is seen on each side and the stated limit."""
    facts = reader.facts
    rows, alike = [], []
    for claim in reader.mentions.get(disease, ()):
        ends = (facts.one(claim, "hm:subject"), facts.one(claim, "hm:object"))
        told = reader.claims[claim]
        if told.kind != "DifferentialClaim" or disease not in ends:
            continue
        first = disease == ends[0]
        other = ends[1] if first else ends[0]
        for node in facts.values(claim, "hm:discriminator"):
            seen = [facts.label(v) if v else "" for v in (facts.one(node, "hm:inSubject"), facts.one(node, "hm:inOther"))]
            limit = f"{limits.form(reader, node)} {facts.one(node, 'hm:unit')}" if facts.one(node, "hm:value") else ""
            seen[0] = f"{seen[0]} ({limit})" if seen[0] and limit else seen[0] or limit
            mine, theirs = seen if first else seen[::-1]
            feature, source = facts.one(node, "hm:feature"), reader.statement(claim).cites
            cited = Link(source[0].citation if source else "", reader.path(claim), "disputed" if told.disputed else "")
            name = Link(reader.short(other) or facts.label(other), reader.path(other))
            if told.polarity == "absent":
                alike.append(((name,), (reader.link(feature),), (cited,)))
            elif mine or theirs:
                rows.append(((name,), (reader.link(feature),), (Link(mine or "?"),), (Link(theirs or "?"),), (cited,)))
    for found in (rows, alike):
        found.sort(key=lambda r: [(c[0].text.casefold(), c[0].path) for c in r])
    head = ("Told from", "by", "here", "there", "evidence")
    tables = [Table("What sources say tells it apart; ? is not stated.", head, tuple(rows))] if rows else []
    if alike:
        tables.append(Table("What sources say does not tell it apart.", ("Not told from", "by", "evidence"), tuple(alike)))
    return tables


def beside(reader: Reader, disease: str) -> tuple[list[Table], list[Group]]:
    """The laboratory states of a disease beside those of its nearest neighbours, what is alike in all of them, and links to the further ones.

    Neighbours are single diseases with a value on record of both; see `_near` for their order.
    """
    facts = reader.facts
    near = _near(reader, disease)
    if not near:
        return [], []
    known = {d: reader.signatures[d] for d in [disease, *list(near)[:MOST_NEIGHBOURS]]}
    rows = [r for r in comparisons.laboratory(reader.store, known) if disease in r.cells and len(r.cells) > 1]
    rows.sort(key=lambda r: (-len(r.cells), r.label))
    differing = [r for r in rows if r.verdict == comparisons.DIFFERS]

    def named(iri: str) -> str:
        return reader.short(iri) or facts.label(iri)

    def told(cell: Cell | None) -> tuple[Link, ...]:
        if cell is None:
            return (Link("?"),)
        often = "" if cell.often.startswith("0 of") else cell.often
        note = ", ".join(w for w in (often, "disputed" if cell.disputed else "") if w)
        return (Link(cell.value, reader.path(prefixes.expand(cell.claims[0]) or ""), note),)

    tables = []
    if differing:
        caption = (
            "What the laboratory shows in most patients, here and in those neighbours that differ in most values and of which most claims say what "
            "tells them apart; counts of cohorts are added up; ? is not on record. A cell leads to its evidence."
        )
        body = [((reader.link(r.feature),), *(told(r.cells.get(d)) for d in known)) for r in differing[:MOST_ROWS]]
        tables.append(Table(caption, ("Laboratory value", *map(named, known)), tuple(body)))
    if alike := [r for r in rows if r.verdict != comparisons.DIFFERS]:
        body = [
            (
                (reader.link(r.feature),),
                told(r.cells[disease]),
                tuple(Link(c.value and named(d), told(c)[0].path) for d, c in r.cells.items() if d != disease),
            )
            for r in alike
        ]
        tables.append(
            Table("Does not tell it from those neighbours that have it on record.", ("Laboratory value", "all", "as well in"), tuple(body))
        )
    further = [
        Link(named(d), reader.path(d), f"{n} of {of} differ" if n else f"{of} alike") for d, (n, of) in list(near.items())[MOST_NEIGHBOURS:]
    ]
    return tables, [Group(f"{len(further)} more with laboratory values on record of both", links=tuple(further))] if further else []


def _near(reader: Reader, disease: str) -> dict[str, tuple[int, int]]:
    """Neighbour → how many laboratory values differ, of how many on record of both; the nearest first.

    Each value that differs counts, each claim that tells the two apart, and that both belong to the family of the condition
    itself; then claims, then values on record of both decide. Groups of diseases stay out.
    """
    facts, mine = reader.facts, reader.signatures.get(disease)
    if mine is None:
        return {}
    ends = [
        (facts.one(c, "hm:subject"), facts.one(c, "hm:object"))
        for c in reader.mentions.get(disease, ())
        if reader.claims[c].kind == "DifferentialClaim"
    ]
    partners = [b if a == disease else a for a, b in ends if disease in (a, b)]
    family = prefixes.expand(FAMILY) or ""
    of_family = family in _above(reader, disease)
    found, order = {}, {}
    for other in {*partners, *(d for d, *_ in signatures.candidates(reader.store))} - {disease}:
        theirs = reader.signatures.get(other)
        if theirs is None or not theirs.genes or facts.pointing(other, "rdfs:subClassOf"):
            continue
        values = [
            [told.value if (told := comparisons.usual(s, v)) else "" for s in (mine, theirs)]
            for v in mine.laboratory
            if v in theirs.laboratory
        ]
        both = [pair for pair in values if all(pair)]
        if both:
            apart = sum(a != b for a, b in both)
            kin = of_family and family in _above(reader, other)
            found[other] = (apart, len(both))
            order[other] = (-apart - partners.count(other) - kin, -partners.count(other), -len(both), facts.label(other))
    return {d: found[d] for d in sorted(found, key=lambda d: order[d])}


def _above(reader: Reader, disease: str) -> set[str]:
    """All groups that a disease belongs to."""
    found: set[str] = set()
    todo = [disease]
    while todo:
        new = [g for g in reader.facts.values(todo.pop(), "rdfs:subClassOf") if g not in found]
        found.update(new)
        todo.extend(new)
    return found
