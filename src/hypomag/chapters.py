"""What only a disease page has: frequencies, what it is in one sentence, the mechanism drawn, conflicts, sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from hypomag import charts, diagrams, paths, prefixes
from hypomag.addresses import address, fragment, relative
from hypomag.cards import Line
from hypomag.charts import Frequency
from hypomag.diagrams import Arrow, Box
from hypomag.passages import NOT_PEOPLE, QUALIFIERS, Group, Link, Reader, Section, Table, often
from hypomag.paths import Path, Step
from hypomag.sources import VOCAB

MOST_BARS, MOST_NARROWED, MOST_GOALS = 30, 10, 14
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

    def way(iri: str) -> str:
        found = reader.path(iri)
        return relative(found, f"{address(disease)}.html") if found else ""

    boxes: dict[str, Box] = {}
    arrows: dict[tuple[str, str], Arrow] = {}
    steps: dict[str, Step] = {}
    begun = {(path.steps[0].origin, path.start_state) for path in chosen}
    roots = {g: (how, starts) for g, (how, starts) in genes.items() if begun & set(starts)}
    names = {g: f"{reader.facts.label(g)} {how}" for g, (how, _) in roots.items()}
    for gene, name in names.items():
        boxes[gene] = Box(gene, name, 0, way(gene))
    for path in chosen:
        states = path.states()
        at = [path.steps[0].origin, *(s.target for s in path.steps)]
        labels = [path.start, *(s.target_label for s in path.steps)]
        for iri, label, state in zip(at, labels, states, strict=True):
            key = f"{iri}{state:+d}"
            findings = reader.facts.values(iri, "hm:lowFinding" if state < 0 else "hm:highFinding")
            boxes.setdefault(key, Box(key, label, state, way(iri), tuple(reader.facts.label(f) for f in findings)))
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
        "↓ low, ↑ high, as the disease has it; a box leads to its page. An arrow raises what it points at, a bar lowers it; a dashed one is disputed. "
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
