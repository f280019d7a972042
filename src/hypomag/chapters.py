"""What only a disease page has: frequencies, the mechanism drawn, neighbours, limits in both units, conflicts, sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from pyoxigraph import NamedNode

from hypomag import charts, comparisons, diagrams, measures, paths, prefixes, signatures
from hypomag.addresses import fragment
from hypomag.cards import Line
from hypomag.charts import Frequency
from hypomag.diagrams import Arrow, Box
from hypomag.errors import HypomagError
from hypomag.passages import NOT_PEOPLE, QUALIFIERS, Group, Link, Reader, Section, Table, often
from hypomag.paths import Path, Step
from hypomag.sources import VOCAB

MOST_BARS, MOST_NARROWED, MOST_GOALS, MOST_NEIGHBOURS, MOST_ROWS = 30, 10, 14, 5, 14
_SAME = (
    "hm:predicate",
    "hm:object",
    "hm:agent",
    "hm:goal",
    "hm:state",
    "hm:onset",
    "hm:sex",
    "hm:zygosity",
    "hm:discriminator",
    *QUALIFIERS,
)
_NOUNS = {"lost": "loss", "gained": "gain of function", "changed": "change"}
_SIGNS = {"<=": "≤", ">=": "≥"}
BOTH_UNITS = ("mmol/L", "mg/dL")


def frequencies(reader: Reader, disease: str) -> tuple[list[Frequency], list[Frequency], int]:
    """How often each finding of a disease was seen, in whom it was counted or stated of some patients only, and how many findings more than are drawn.

    Studies of animals or cells are left out. Nothing is summed: the bar is the largest cohort, others stand beside it; a
    cohort of one is no bar, and counts that HPO pooled are one only where no cohort has any.
    """
    counted: dict[tuple[str, str], dict[tuple[int, int, str], tuple[Line, str]]] = defaultdict(dict)
    stated: dict[tuple[str, str], list[tuple[Line, str]]] = defaultdict(list)
    sides: dict[tuple[str, str], set[str]] = defaultdict(set)
    for claim in reader.facts.sections.get(disease, ()):
        told = reader.claims.get(claim)
        if told is None or told.kind not in ("PhenotypeClaim", "ComplicationClaim"):
            continue
        whom = ", ".join(dict.fromkeys(reader.facts.label(v) for q in QUALIFIERS for v in reader.facts.values(claim, q)))
        key = (reader.facts.one(claim, "hm:object"), whom)
        sides[key] |= {told.polarity, *(("disputed",) if told.disputed else ())}
        for line in told.lines:
            if line.study in NOT_PEOPLE:
                continue
            if line.m and line.n is not None:
                counted[key].setdefault((line.n, line.m, line.source_iri), (line, claim))
            elif often(line) and line.direction == "supports" and told.polarity == "present":
                stated[key].append((line, claim))
    found: dict[bool, list[Frequency]] = {False: [], True: []}
    for key in sorted({*counted, *stated}):
        label, doubt = reader.facts.label(key[0]) + (f" ({key[1]})" if key[1] else ""), len(sides[key]) > 1
        cohorts = sorted(
            (x for x in counted[key].values() if (x[0].m or 0) > 1),
            key=lambda x: (bool(reader.pooled(x[0].iri)), -(x[0].m or 0), -(x[0].n or 0), x[0].iri),
        )
        if cohorts:
            line, claim = cohorts[0]
            others = tuple((x.n or 0, x.m or 0) for x, _ in cohorts[1:] if not reader.pooled(x.iri))
            cite = reader.cite(line)
            bar = Frequency(label, f"#{fragment(claim)}", line.n, line.m, others, (), cite.citation, doubt, cite.pooled)
            found[bool(key[1])].append(bar)
        elif bands := [(b, claim) for line, claim in sorted(stated[key], key=lambda x: x[0].iri) if (b := _band(reader, line))]:
            told_in = tuple(dict.fromkeys(b for b, _ in bands))
            found[bool(key[1])].append(Frequency(label, f"#{fragment(bands[0][1])}", bands=told_in, disputed=doubt))
    usual, narrowed = (charts.ordered(found[n]) for n in (False, True))
    return usual[:MOST_BARS], narrowed[:MOST_NARROWED], max(0, len(usual) - MOST_BARS) + max(0, len(narrowed) - MOST_NARROWED)


def _band(reader: Reader, line: Line) -> tuple[float, float, str, str] | None:
    ends = (float(line.percent), float(line.percent)) if line.percent else reader.bands.get(line.band)
    return (*ends, often(line).lower(), reader.cite(line).citation) if ends else None


def chart(reader: Reader, disease: str) -> tuple[str, str]:
    """The chart of frequencies with its caption; nothing where no source counts or states any."""
    found, narrowed, more = frequencies(reader, disease)
    if not found and not narrowed:
        return "", ""
    caption = (
        "How often each finding was seen. Line: n of m in the largest cohort on record; pale bar: its 95 % Wilson interval; thin marks: "
        "other cohorts of two or more. Outlined: a band or percentage that a source states without counting, each where sources differ. "
        "Nothing is added up by us; pooled is a count that HPO made over several publications. Patients "
        "who are written about are not a fair sample of all. A finding leads to its evidence."
    )
    drawn = charts.bars(found) if found else ""
    if narrowed:
        drawn += f'<p class="lead">In some patients only</p>{charts.bars(narrowed, scale=not found)}'
    return drawn, caption + (f" {more} more findings follow below." if more > 0 else "")


def in_short(reader: Reader, disease: str, measured: Sequence[str]) -> str:
    """One sentence on what a disease is, put together from accepted claims: inheritance, gene, place, laboratory; nothing without a gene.

    `measured` are the laboratory states that define it, in words.
    """
    facts = reader.facts
    said: dict[str, dict[str, None]] = defaultdict(dict)
    for claim in facts.sections.get(disease, ()):
        told = reader.claims.get(claim)
        if told and told.polarity == "present" and told.status == "accepted" and not reader.narrowed(claim):
            said[told.kind][facts.label(facts.one(claim, "hm:object"))] = None
    ways = " or ".join(
        w.removesuffix(" inheritance").replace("Auto", "auto").replace("Semi", "semi").replace("Mito", "mito")
        for w in said["InheritanceClaim"]
        if w.endswith(" inheritance")
    )
    causes = " or ".join(f"{_NOUNS[how]} of {facts.label(gene)}" for gene, (how, _) in _genes(reader, disease).items())
    if not causes:
        return ""
    kind = "group of diseases" if facts.pointing(disease, "rdfs:subClassOf") else "disease"
    article = "An" if ways[:1] in tuple("aeiouX") else "A"
    sites = " and the ".join(said["SiteClaim"])
    parts = [
        f"{article} {ways + ' ' if ways else ''}{kind} by {causes}",
        f"seated in the {sites}" if sites else "",
        f"with {' and '.join(measured)}" if measured else "",
    ]
    return ", ".join(p for p in parts if p) + "."


def mechanism(reader: Reader, disease: str) -> tuple[str, str, list[str]]:
    """The mechanism of a disease as a signed graph: SVG, caption, and the steps in it; nothing where no path leads on.

    For each finding and laboratory state that the disease has on record and that is the state of a variable, the best
    path from its genes is taken (paths.nearest), and for each gene its shortest; the paths are laid together. Each gene
    of an accepted claim of causation has a box of its own.
    """
    genes = _genes(reader, disease)
    chosen = _best_paths(reader, disease, genes)
    if not chosen:
        return "", "", []
    boxes: dict[str, Box] = {}
    arrows: dict[tuple[str, str], Arrow] = {}
    steps: dict[str, Step] = {}
    begun = {(path.steps[0].origin, path.start_state) for path in chosen}
    roots = {g: (how, starts) for g, (how, starts) in genes.items() if begun & set(starts)}
    names = {g: f"{reader.facts.label(g)} {how}" for g, (how, _) in roots.items()}
    for gene, name in names.items():
        boxes[gene] = Box(gene, name, 0)
    for path in chosen:
        states = path.states()
        at = [path.steps[0].origin, *(s.target for s in path.steps)]
        labels = [path.start, *(s.target_label for s in path.steps)]
        for iri, label, state in zip(at, labels, states, strict=True):
            key = f"{iri}{state:+d}"
            findings = reader.facts.values(iri, "hm:lowFinding" if state < 0 else "hm:highFinding")
            boxes.setdefault(key, Box(key, label, state, notes=tuple(reader.facts.label(f) for f in findings)))
        for gene, (_, starts) in roots.items():
            if (at[0], states[0]) in starts:
                arrows.setdefault((gene, f"{at[0]}{states[0]:+d}"), Arrow(gene, f"{at[0]}{states[0]:+d}", 0, names[gene]))
        for step, one, other in zip(path.steps, zip(at, states, strict=True), list(zip(at, states, strict=True))[1:], strict=False):
            pair = (f"{one[0]}{one[1]:+d}", f"{other[0]}{other[1]:+d}")
            places = f" in {', '.join(step.places)}" if step.places else ""
            arrows.setdefault(pair, Arrow(*pair, step.sign, f"{step.label}{places}", bool(step.disputes)))
            steps[step.iri] = step
    causes = " or ".join(f"{_NOUNS[how]} of {reader.facts.label(g)}" for g, (how, _) in roots.items())
    title = f"How {causes} leads to the findings of {reader.facts.label(disease)}"
    told = f"A graph of {len(boxes)} boxes and {len(arrows)} arrows; the same steps stand below as sentences with their evidence."
    svg = diagrams.draw(list(boxes.values()), list(arrows.values()), title, told)
    caption = (
        "↓ low, ↑ high, as the disease has it. An arrow raises what it points at, a bar lowers it; a dashed one is disputed. "
        "Drawn from the steps below: for each finding on record, the shortest path that is accepted."
    ) + (" Each gene at the top is a cause by itself." if len(roots) > 1 else "")
    if left := [reader.facts.label(g) for g in genes if g not in roots]:
        caption += f" No step on record leads from {', '.join(left)} to a finding."
    return svg, caption, list(steps)


def _genes(reader: Reader, disease: str) -> dict[str, tuple[str, list[tuple[str, int]]]]:
    """The genes of the accepted claims of causation, by name: gene → (lost, gained or changed, the variables it acts through with their states)."""
    found: dict[str, set[str]] = defaultdict(set)
    for claim in reader.facts.sections.get(disease, ()):
        told = reader.claims.get(claim)
        if told and told.kind == "CausationClaim" and told.polarity == "present" and told.status == "accepted":
            predicate = prefixes.shorten(reader.facts.one(claim, "hm:predicate"))
            found[reader.facts.one(claim, "hm:object")].add({"RO:0004002": "lost", "RO:0004001": "gained"}.get(predicate, "changed"))
    told_of = {}
    for gene in sorted(found, key=reader.facts.label):
        how = next(w for w in _NOUNS if w in found[gene])
        told_of[gene] = (how, [(v, 1 if how == "gained" else -1) for v in reader.facts.pointing(gene, "hm:activityOf")])
    return told_of


def _best_paths(reader: Reader, disease: str, genes: Mapping[str, tuple[str, list[tuple[str, int]]]]) -> list[Path]:
    goals: dict[tuple[str, int], None] = {}
    states = {"stateLow": -1, "stateUndetectable": -1, "stateInappropriatelyLow": -1, "stateHigh": 1, "stateInappropriatelyHigh": 1}
    for claim in reader.facts.sections.get(disease, ()):
        told = reader.claims.get(claim)
        if told is None or told.polarity != "present":
            continue
        thing = reader.facts.one(claim, "hm:object")
        if told.kind in ("PhenotypeClaim", "ComplicationClaim"):
            goals.update({(v, -1): None for v in reader.facts.pointing(thing, "hm:lowFinding")})
            goals.update({(v, 1): None for v in reader.facts.pointing(thing, "hm:highFinding")})
        elif told.kind == "LaboratoryClaim":
            state = states.get(reader.facts.one(claim, "hm:state").removeprefix(VOCAB))
            if state:
                goals[thing, state] = None
    every = [paths.nearest(reader.store, disease, reader.steps, starts) for _, starts in genes.values() if starts]
    of_gene = [sorted((found[goal] for goal in goals if goal in found), key=lambda p: p.weight) for found in every]
    best = {
        goal: min((found[goal] for found in every if goal in found), key=lambda p: p.weight)
        for goal in goals
        if any(goal in f for f in every)
    }
    chosen = sorted(best.values(), key=lambda p: p.weight)[:MOST_GOALS]
    for mine in of_gene:  # each gene leads somewhere, also where another one's way is shorter
        if mine and not any(p.steps[0].origin == q.steps[0].origin for p in chosen for q in mine):
            chosen.append(mine[0])
    return chosen


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
            limit = f"{_form(reader, node)} {facts.one(node, 'hm:unit')}" if facts.one(node, "hm:value") else ""
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


def neighbours(reader: Reader, disease: str) -> Table | None:
    """The laboratory states of a disease beside those of the single diseases with the most values on record of both.

    Each claim that tells the two apart counts as one value more.
    """
    facts = reader.facts
    pairs = [
        (facts.one(c, "hm:subject"), facts.one(c, "hm:object"))
        for c in reader.mentions.get(disease, ())
        if reader.claims[c].kind == "DifferentialClaim"
    ]
    partners = [b if a == disease else a for a, b in pairs if disease in (a, b)]
    mine = reader.signatures.get(disease)
    if mine is None or not mine.laboratory:
        return None
    others = {*partners, *(d for d, *_ in signatures.candidates(reader.store))} - {disease}
    filled = {d: len(set(mine.laboratory) & set(s.laboratory)) for d in others if (s := reader.signatures.get(d)) and s.genes}
    wanted = sorted((d for d, n in filled.items() if n), key=lambda d: (-filled[d] - partners.count(d), facts.label(d)))
    if not wanted:
        return None
    known = {d: reader.signatures[d] for d in [disease, *wanted[:MOST_NEIGHBOURS]]}
    rows = [r for r in comparisons.laboratory(reader.store, known) if disease in r.cells and len(r.cells) > 1]
    rows.sort(key=lambda r: (r.verdict != comparisons.DIFFERS, -len(r.cells), r.label))
    body = []
    for row in rows[:MOST_ROWS]:
        cells = [(Link(facts.label(row.feature), reader.path(row.feature)),)]
        for d in known:
            cell = row.cells.get(d)
            claim = prefixes.expand(cell.claims[0]) if cell else None
            note = (
                ", ".join(w for w in (cell.often if not cell.often.startswith("0 of") else "", "disputed" if cell.disputed else "") if w)
                if cell
                else ""
            )
            cells.append((Link(cell.value, reader.path(claim or ""), note),) if cell else (Link("?"),))
        body.append(tuple(cells))
    if not body:
        return None
    head = ("Laboratory value", *(reader.short(d) or facts.label(d) for d in known))
    return Table(
        "What the laboratory shows in most patients here and in its neighbours, those with the most values on record of both; counts of "
        f"cohorts are added up; ? is not on record. A cell leads to its evidence.{f' {len(wanted) - MOST_NEIGHBOURS} more diseases can be compared.' if len(wanted) > MOST_NEIGHBOURS else ''}",
        head,
        tuple(body),
    )


def is_target(reader: Reader, claim: str) -> bool:
    """Whether a limit is what a treatment aims at, and no word on diagnosis."""
    return f"{VOCAB}treated" in reader.facts.values(claim, "hm:population")


def limits(reader: Reader, disease: str, *, targets: bool = False) -> Table | None:
    """The limits that sources give for the laboratory values of a disease, in both units; a converted form says so.

    `targets` asks for those that a treatment aims at.
    """
    facts = reader.facts
    own = {
        facts.one(c, "hm:object")
        for c in facts.sections.get(disease, ())
        if c in reader.claims and reader.claims[c].kind == "LaboratoryClaim"
    }
    findings, diseases = prefixes.expand("HP:") or "-", prefixes.expand("MONDO:") or "-"
    rows = []
    for claim, told in reader.claims.items():
        if told.kind != "ThresholdClaim" or told.polarity != "present":
            continue
        subject, contexts = facts.one(claim, "hm:subject"), facts.values(claim, "hm:context")
        general = subject.startswith(findings) and not any(c.startswith(diseases) for c in contexts)
        concerned = disease in (subject, *contexts) or (general and facts.one(claim, "hm:object") in own)
        if concerned and is_target(reader, claim) is targets:
            rows.append((_limit_order(reader, claim), _limit(reader, claim)))
    if not rows:
        return None
    head = ("Limit", *BOTH_UNITS, "other unit", "for", "on whose authority")
    if targets:
        head = ("Target", *head[1:])
    return Table(
        f"{'What treatment aims at, by source' if targets else 'Limits that sources give'}, each as stated and in the other unit; (≈) is converted by us. "
        f"{'' if targets else 'The sign shows on which side of the limit the finding is expected. '}They are no advice.",
        head,
        tuple(row for _, row in sorted(rows, key=lambda r: r[0])),
    )


def _limit_order(reader: Reader, claim: str) -> tuple[str, str, Decimal, str]:
    """Limits of one quantity stand together, by people and value."""
    facts = reader.facts
    people = ", ".join(facts.label(p) for p in facts.values(claim, "hm:population"))
    value = next((v for q in sorted(facts.values(claim, "hm:statedAs"), key=lambda q: facts.one(q, "hm:unit") != "mmol/L")
                  for v in (facts.one(q, "hm:value") or facts.one(q, "hm:low"),) if v), "0")  # fmt: skip
    return facts.label(facts.one(claim, "hm:object")).casefold(), people, Decimal(value), claim


def _limit(reader: Reader, claim: str) -> tuple[tuple[Link, ...], ...]:
    """One row: the limit in both units and in others, for whom, on whose authority. Conversion is slow, so a row is made once."""
    if claim not in reader.limits:
        facts = reader.facts
        forms = [(facts.one(q, "hm:unit"), _form(reader, q)) for q in facts.values(claim, "hm:statedAs")]
        columns = [_in_unit(reader, claim, facts.one(claim, "hm:object"), unit, forms) for unit in BOTH_UNITS]
        other = tuple(Link(f"{form} {unit}") for unit, form in forms if unit not in BOTH_UNITS)
        people = ", ".join(facts.label(p) for p in facts.values(claim, "hm:population")) or "any age"
        sources = tuple(Link(c.citation, c.path, "disputes" if c.against else "") for c in reader.statement(claim).cites)
        reader.limits[claim] = ((Link(reader.claims[claim].label, reader.path(claim)),), *columns, other, (Link(people),), sources)
    return reader.limits[claim]


def _form(reader: Reader, quantity: str) -> str:
    comparator = _SIGNS.get(reader.facts.one(quantity, "hm:comparator"), reader.facts.one(quantity, "hm:comparator"))
    value, low, high = (reader.facts.one(quantity, f"hm:{k}") for k in ("value", "low", "high"))
    return f"{comparator} {value or f'{low} to {high}'}".strip()


def _in_unit(reader: Reader, claim: str, variable: str, unit: str, forms: list[tuple[str, str]]) -> tuple[Link, ...]:
    stated = [form for u, form in forms if u == unit]
    if stated:
        return (Link(stated[0]),)
    for quantity in reader.facts.values(claim, "hm:statedAs"):
        value = reader.facts.one(quantity, "hm:value")
        given = reader.facts.one(quantity, "hm:unit")
        if not value:
            continue
        try:
            found = measures.converted(reader.store, NamedNode(variable), measures.Amount(Decimal(value), given), unit)
        except HypomagError:
            continue
        comparator = reader.facts.one(quantity, "hm:comparator")
        digits = max(2, len(Decimal(value).normalize().as_tuple().digits))  # no more than the source states
        return (Link(f"{_SIGNS.get(comparator, comparator)} {float(found):.{digits}g} (≈)".strip()),)
    return (Link("–"),)


def conflicts(reader: Reader, disease: str) -> tuple[tuple[Table, ...], tuple[Group, ...]]:
    """Claims on which sources stand on both sides, and claims of absence beside claims of presence; each leads to both sides."""
    facts = reader.facts
    own = [c for c in facts.sections.get(disease, ()) if c in reader.claims]
    both = []
    present: dict[tuple[str, ...], list[str]] = defaultdict(list)

    def key(claim: str) -> tuple[str, ...]:
        """What a claim says but for its polarity, and of whom: the same treatment is that with the same agent for the same end."""
        return tuple(",".join(sorted(facts.values(claim, p))) for p in _SAME)

    for claim in own:
        told = reader.claims[claim]
        sides = [len({x.source_iri for x in told.lines if (x.direction == "disputes") is against}) for against in (False, True)]
        if all(sides):
            both.append(Link(told.label, reader.path(claim), f"{sides[0]} for, {sides[1]} against"))
        if told.polarity == "present":
            present[key(claim)].append(claim)
    rows = []
    for claim in own:
        found = present.get(key(claim), [])
        if reader.claims[claim].polarity == "absent" and found:
            sides_told = [tuple(reader.claim_link(c, reader.claims[c].label) for c in side) for side in ([claim], sorted(found))]
            rows.append(tuple(sides_told))
    rows.sort(key=lambda r: r[0][0].text.casefold())
    tables = (
        (Table("Said not to be so, and said to be so, of the same patients", ("negative finding", "beside it"), tuple(rows)),)
        if rows
        else ()
    )
    groups = (Group("Sources disagree on these", links=tuple(sorted(both, key=lambda x: x.text.casefold()))),) if both else ()
    return tables, groups


def cited(reader: Reader, section_groups: list[Section]) -> tuple[Link, ...]:
    """All publications that the statements of a page rest on, each once."""
    found = {}
    for section in section_groups:
        for group in section.groups:
            for statement in group.statements:
                for cite in statement.cites:
                    found[cite.path] = Link(cite.citation, cite.path)
    return tuple(sorted(found.values(), key=lambda x: (x.text.casefold(), x.path)))
