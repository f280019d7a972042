"""Upstream files as statements: OBO, OWL and other RDF, KGX edges; streamed, in one order for one file."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeAlias

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, parse

from hypomag import prefixes
from hypomag.errors import InputError, SyntaxProblem
from hypomag.formatting import OBO_IN_OWL, RDF_TYPE, RDFS, XSD, syntax_problem

# Subject, predicate and object as N-Triples writes them.
Statement: TypeAlias = tuple[str, str, str]

OWL = "http://www.w3.org/2002/07/owl#"
OBO = "http://purl.obolibrary.org/obo/"
LABEL = RDFS + "label"
SUBCLASS = RDFS + "subClassOf"
DEPRECATED = OWL + "deprecated"
REPLACED_BY = OBO + "IAO_0100001"
CONSIDER = OBO_IN_OWL + "consider"
SYNONYMS = tuple(f"{OBO_IN_OWL}has{kind}Synonym" for kind in ("Exact", "Broad", "Narrow", "Related"))
_HUMAN = frozenset((LABEL, *SYNONYMS))
_RDF = {
    ".owl": RdfFormat.RDF_XML, ".rdf": RdfFormat.RDF_XML, ".xml": RdfFormat.RDF_XML,
    ".ttl": RdfFormat.TURTLE, ".nt": RdfFormat.N_TRIPLES,
}  # fmt: skip
KINDS = ("obo", "rdf", "sssom", "hpoa", "kgx")


def kind(path: Path) -> str:
    """Tell what a file is, by its ending and its first lines: obo, rdf, sssom, hpoa or kgx.

    Raises:
        InputError: it is missing, unreadable, a folder, or nothing that can be linked.
    """
    if str(path).startswith(("http:/", "https:/")):
        raise InputError(f"{path}: an address, not a file", "download it first, then link the file")
    if path.is_dir():
        raise InputError(f"{path}: is a folder", "name the files in it")
    ending = _ending(path)
    with _opened(path) as handle:
        head = handle.read(65_536).decode("utf-8", "replace")
    if ending in (".owl", ".xml", ".rdf") and re.search(r"^\s*(?:Prefix|Ontology)\s*[(:]", head):
        raise InputError(f"{path}: OWL in functional or Manchester syntax", "save it as RDF/XML or Turtle, for example with ROBOT")
    if ending in _RDF:
        return "rdf"
    if ending == ".obo" or head.startswith("format-version:"):
        return "obo"
    first = next((line for line in head.splitlines() if line and not line.startswith("#")), "").split("\t")
    for name, columns in (
        ("hpoa", {"database_id", "hpo_id"}),
        ("sssom", {"subject_id", "predicate_id", "object_id"}),
        ("kgx", {"subject", "predicate", "object"}),
    ):
        if columns <= set(first):
            return name
    raise InputError(
        f"{path}: neither OBO, OWL (RDF/XML, Turtle), an SSSOM table, KGX edges nor phenotype.hpoa",
        "link the file as its maker publishes it",
    )


def _ending(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _opened(path: Path) -> IO[bytes]:
    try:
        return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "check the name and its permissions") from None


def read(path: Path, kind: str, graph: str) -> Iterator[Statement]:
    """Stream the statements of an OBO, RDF or KGX file; blank nodes become IRIs below `graph`, numbered as they come.

    A label or synonym without a language gets @en, as our own have, so that a join finds one label; all else is as published.

    Raises:
        SyntaxProblem: the file does not parse, or breaks off (with the place).
        InputError: it cannot be read.
    """
    try:
        if kind == "obo":
            yield from _obo(path)
        elif kind == "kgx":
            yield from _edges(path)
        else:
            yield from _triples(path, graph)
    except SyntaxError as error:
        raise syntax_problem(error, str(path)) from None
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}", "check the file; it may be cut off") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text", "save it as UTF-8") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}", "check the file") from None


def well_formed(path: Path) -> None:
    """Refuse XML that breaks off: the RDF parser takes its end for the end of the document."""
    from xml.parsers import expat

    parser = expat.ParserCreate()
    try:
        with _opened(path) as handle:
            parser.ParseFile(handle)
    except expat.ExpatError as error:
        raise SyntaxProblem(
            f"{path}:{error.lineno}:{error.offset + 1}: {expat.ErrorString(error.code)}", "mend the text at this place; it may be cut off"
        ) from None


def _triples(path: Path, graph: str) -> Iterator[Statement]:
    form = _RDF[_ending(path)]
    if form == RdfFormat.RDF_XML:
        well_formed(path)
    names: dict[str, str] = {}

    def named(term: object) -> str:
        if isinstance(term, BlankNode):
            if term.value not in names:
                names[term.value] = f"<{graph}/.well-known/genid/{len(names) + 1}>"
            return names[term.value]
        return str(term)

    with _opened(path) as handle:
        for quad in parse(handle, format=form):
            target = quad.object
            if quad.predicate.value in _HUMAN and isinstance(target, Literal) and target.datatype.value == XSD + "string":
                target = Literal(target.value, language="en")
            yield named(quad.subject), str(quad.predicate), named(target)


def _edges(path: Path) -> Iterator[Statement]:
    """KGX edges: subject, relation (else predicate), object as IRIs or CURIEs of our prefix table."""
    with _opened(path) as raw:
        rows = csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8", newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
        for row in rows:
            if None in row or None in row.values():
                raise InputError(f"{path}:{rows.line_num}: not as many columns as the header", "the file may be cut off")
            relation = row.get("relation") or row["predicate"]
            try:
                node, verb, target = (_iri(n if "://" in n else prefixes.node(n).value) for n in (row["subject"], relation, row["object"]))
            except InputError as error:
                raise InputError(f"{path}:{rows.line_num}: {error.message}", "only prefixes of ontology/prefixes.ttl can be read") from None
            yield node, verb, target


def _obo(path: Path) -> Iterator[Statement]:
    """OBO 1.4 as OWL, clause by clause; frames come in the order of the file."""
    import fastobo

    source: object = str(path) if path.suffix != ".gz" else _opened(path)
    frames = fastobo.iter(source, ordered=True)
    header = frames.header()
    spaces = dict(prefixes.read())
    ontology = ""
    for clause in header:
        if clause.raw_tag() == "idspace":
            spaces[clause.prefix] = str(clause.url)
        elif clause.raw_tag() == "ontology":
            ontology = str(clause.ontology).removesuffix(".obo").removesuffix(".owl")
    ontology = ontology or path.name.split(".")[0]
    root = _iri(f"{OBO}{ontology}.owl")
    yield root, _iri(RDF_TYPE), _iri(OWL + "Ontology")

    def node(ident: object) -> str:
        if isinstance(ident, fastobo.id.PrefixedIdent):
            space = spaces.get(ident.prefix)
            return _iri(f"{space}{ident.local}" if space else f"{OBO}{ident.prefix}_{ident.local}")
        if isinstance(ident, fastobo.id.Url):
            return _iri(str(ident))
        return _iri(f"{OBO}{ontology}#{ident}")

    def value(subject: str, clause: object) -> Statement:
        said = clause.property_value  # type: ignore[attr-defined]
        if isinstance(said, fastobo.pv.LiteralPropertyValue):
            kind = node(said.datatype)[1:-1].replace(OBO + "xsd_", XSD)
            return subject, node(said.relation), str(Literal(said.value, datatype=NamedNode(kind)))
        return subject, node(said.relation), node(said.value)

    for clause in header:
        tag = clause.raw_tag()
        if tag == "data-version":
            yield root, _iri(OWL + "versionInfo"), str(Literal(clause.version.rpartition("/")[2]))
        elif tag == "property_value" and "versionInfo" not in clause.raw_value():
            yield value(root, clause)
        elif tag == "remark":
            yield root, _iri(RDFS + "comment"), _text(clause.remark)
    restrictions = 0
    for frame in frames:
        what = "Class" if isinstance(frame, fastobo.term.TermFrame) else "ObjectProperty"
        if isinstance(frame, fastobo.instance.InstanceFrame):
            what = "NamedIndividual"
        subject = node(frame.id)
        yield subject, _iri(RDF_TYPE), _iri(OWL + what)
        for clause in frame:
            tag = clause.raw_tag()
            if tag in _TEXTS:
                yield subject, _iri(_TEXTS[tag]), _text(getattr(clause, {"def": "definition"}.get(tag, tag)))
            elif tag == "synonym":
                yield subject, _iri(f"{OBO_IN_OWL}has{clause.synonym.scope.title()}Synonym"), _text(clause.synonym.desc)
            elif tag == "xref":
                yield subject, _iri(OBO_IN_OWL + "hasDbXref"), str(Literal(str(clause.xref.id)))
            elif tag == "alt_id":
                yield subject, _iri(OBO_IN_OWL + "hasAlternativeId"), str(Literal(str(clause.alt_id)))
            elif tag == "is_a":
                above = clause.term if what == "Class" else clause.typedef
                yield subject, _iri(SUBCLASS if what == "Class" else RDFS + "subPropertyOf"), node(above)
            elif tag == "is_obsolete" and clause.obsolete:
                yield subject, _iri(DEPRECATED), str(Literal("true", datatype=NamedNode(XSD + "boolean")))
            elif tag in ("replaced_by", "consider"):
                yield (
                    subject,
                    _iri(REPLACED_BY if tag == "replaced_by" else CONSIDER),
                    node(getattr(clause, "term", None) or clause.typedef),
                )
            elif tag == "subset":
                yield subject, _iri(OBO_IN_OWL + "inSubset"), node(clause.subset)
            elif tag == "namespace":
                yield subject, _iri(OBO_IN_OWL + "hasOBONamespace"), str(Literal(str(clause.namespace)))
            elif tag == "property_value":
                yield value(subject, clause)
            elif tag == "relationship" and what == "Class":
                restrictions += 1
                part = f"<{OBO}{ontology}.owl/.well-known/genid/{restrictions}>"
                yield subject, _iri(SUBCLASS), part
                yield part, _iri(RDF_TYPE), _iri(OWL + "Restriction")
                yield part, _iri(OWL + "onProperty"), node(clause.typedef)
                yield part, _iri(OWL + "someValuesFrom"), node(clause.term)
            elif tag in ("created_by", "creation_date"):
                yield subject, _iri(OBO_IN_OWL + tag), str(Literal(clause.raw_value()))


_TEXTS = {"name": LABEL, "def": OBO + "IAO_0000115", "comment": RDFS + "comment"}


def _iri(iri: str) -> str:
    return str(NamedNode(iri))


def _text(text: str) -> str:
    return str(Literal(text, language="en"))
