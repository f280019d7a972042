"""What `validate` checks and how it tells it: text, JSON, SHACL report, JUnit, SARIF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, Store, parse

from hypomag import __version__, exports, graph, ontologies, prefixes, validation
from hypomag.errors import InputError
from hypomag.formatting import syntax_problem, turtle
from hypomag.sources import GRAPHS, Sources
from hypomag.validation import SH, Finding

FORMATS_BY_SUFFIX = {
    ".ttl": RdfFormat.TURTLE, ".nt": RdfFormat.N_TRIPLES, ".nq": RdfFormat.N_QUADS, ".trig": RdfFormat.TRIG,
    ".rdf": RdfFormat.RDF_XML, ".owl": RdfFormat.RDF_XML, ".xml": RdfFormat.RDF_XML, ".jsonld": RdfFormat.JSON_LD, ".json": RdfFormat.JSON_LD,
}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """What was checked (number of subjects) and what was found."""

    what: str
    subjects: int
    findings: list[Finding]

    def summary(self) -> str:
        if not self.subjects:
            return f"{self.what}: holds no statements"
        counts = [sum(f.severity == s for f in self.findings) for s in validation.SEVERITIES]
        found = ", ".join(f"{n} {s.lower()}{'' if n == 1 else 's'}" for n, s in zip(counts, validation.SEVERITIES, strict=True) if n)
        return f"{self.what}: {self.subjects} subject{'' if self.subjects == 1 else 's'} checked, {found or 'nothing found'}"


def check(sources: Sources, files: Iterable[str], *, engine: str = "shifty", stdin: Callable[[], str] | None = None) -> Checked:
    """Validate the graph, or files read together with the graph (findings on the files' own subjects only).

    Raises:
        SyntaxProblem: a file does not parse.
        InputError: a file is missing, unreadable, or of an unknown kind.
    """
    if sources.is_linked:
        from hypomag import batches

        if list(files):
            raise InputError("a file is not checked together with the linked graph", "leave out --linked, or the file")
        count, linked = batches.validate(sources.root, validation.shapes_text(sources), engine=engine)
        return Checked("the lifted claims of the linked graph", count, linked)
    store = graph.assemble(sources) if (sources.root / "ontology").is_dir() else graph.open_graph(sources)
    shapes = validation.shapes_text(sources)
    names = list(files)
    own: set[str] = set()
    if names:
        memory = Store()
        memory.extend(exports.quads(store))
        store = memory
        for name in names:
            own |= _add(store, name, stdin)
        if not own:
            return Checked(", ".join(names), 0, [])
    data = exports.export(store, "nt")
    found = validation.validate(data, shapes, engine)
    if names:
        found = [f for f in found if f.focus in own]
        found = validation.located(found, [Path(n) for n in names if n != "-"])
        return Checked(", ".join(names), len(own), found)
    subjects = len({t.subject.value for t in exports.union(store)})
    return Checked("the graph", subjects, validation.located(found, sources.turtle(), sources.root))


def _add(store: Store, name: str, stdin: Callable[[], str] | None) -> set[str]:
    target = NamedNode(GRAPHS + "checked")
    try:
        if name == "-":
            if stdin is None:
                raise InputError("standard input cannot be read here")
            quads = list(parse(stdin(), format=RdfFormat.TURTLE))
        else:
            form = FORMATS_BY_SUFFIX.get(Path(name).suffix.lower())
            if not Path(name).exists():
                raise InputError(f"{name}: no such file", "check the name")
            if Path(name).is_dir():
                raise InputError(f"{name}: is a folder", "name the files in it")
            if form is None:
                raise InputError(f"{name}: no RDF format is known for this ending", f"use one of {', '.join(FORMATS_BY_SUFFIX)}")
            if form == RdfFormat.RDF_XML:
                ontologies.well_formed(Path(name))
            quads = list(parse(path=name, format=form))
    except SyntaxError as error:
        raise syntax_problem(error, name) from None
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8 text", "save it as UTF-8") from None
    except (OSError, ValueError) as error:
        if "LoadDocumentCallback" in str(error):
            raise InputError(f"{name}: its JSON-LD context lies elsewhere and is not loaded", "write the context into the file") from None
        raise InputError(f"{name}: {getattr(error, 'strerror', None) or error}", "check the file") from None
    # Blank nodes get names of their own here: two files may use the same label.
    names: dict[str, NamedNode] = {}

    def own(term: object) -> object:
        if isinstance(term, BlankNode):
            return names.setdefault(term.value, NamedNode(f"{GRAPHS}checked/.well-known/genid/{_key(name)}-{len(names)}"))
        return term

    mine = [Quad(own(q.subject), q.predicate, own(q.object), target) for q in quads]  # type: ignore[arg-type]
    store.extend(mine)
    return {q.subject.value for q in mine if isinstance(q.subject, NamedNode)}


def _key(name: str) -> str:
    import hashlib

    return hashlib.sha256(name.encode()).hexdigest()[:8]


def report(result: Checked, form: str) -> str:
    """Write the findings in one of the formats of `hypomag validate`."""
    if form == "json":
        told = [asdict(f) | {"focus": prefixes.shorten(f.focus), "shape": prefixes.shorten(f.shape)} for f in result.findings]
        return json.dumps({"checked": result.what, "subjects": result.subjects, "findings": told}, ensure_ascii=False, indent=1) + "\n"
    if form == "turtle":
        return _shacl_report(result.findings)
    if form == "junit":
        return _junit(result)
    if form == "sarif":
        return json.dumps(_sarif(result), indent=1) + "\n"
    return "".join(f.told() + "\n" for f in result.findings)


def _shacl_report(found: list[Finding]) -> str:
    from pyoxigraph import Literal, Triple

    def node(iri: str) -> NamedNode:
        return NamedNode(iri)

    root = node("https://w3id.org/hypomag/report")
    rdf_type = node("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    conforms = "false" if found else "true"
    out = [
        Triple(root, rdf_type, node(SH + "ValidationReport")),
        Triple(root, node(SH + "conforms"), Literal(conforms, datatype=node("http://www.w3.org/2001/XMLSchema#boolean"))),
    ]
    for number, f in enumerate(found, 1):
        result = node(f"{root.value}/{number}")
        out.append(Triple(root, node(SH + "result"), result))
        out.append(Triple(result, rdf_type, node(SH + "ValidationResult")))
        for name, iri in (
            ("focusNode", f.focus), ("resultSeverity", SH + f.severity), ("sourceShape", f.shape),
            ("resultPath", f.path), ("sourceConstraintComponent", SH + f.component if f.component else ""),
        ):  # fmt: skip
            if iri.startswith(("http:", "https:", "urn:")):
                out.append(Triple(result, node(SH + name), node(iri)))
        out.append(Triple(result, node(SH + "resultMessage"), Literal(f.message, language="en")))
        if f.value:
            out.append(Triple(result, node(SH + "value"), node(f.value) if f.value.startswith("http") else Literal(f.value)))
    return turtle(out, prefixes.read())


def _junit(result: Checked) -> str:
    from xml.sax.saxutils import escape, quoteattr

    found = result.findings
    failures = sum(f.severity == "Violation" for f in found)
    cases = []
    for f in found:
        where = f"{f.file}:{f.line}" if f.file else prefixes.shorten(f.focus)
        tag = "failure" if f.severity == "Violation" else "system-out"
        inner = (
            f"<{tag} message={quoteattr(f.message)}>{escape(f.told())}</{tag}>"
            if tag == "failure"
            else f"<{tag}>{escape(f.told())}</{tag}>"
        )
        cases.append(
            f"  <testcase classname={quoteattr(f.name)} name={quoteattr(prefixes.shorten(f.focus))} file={quoteattr(where)}>{inner}</testcase>\n"
        )
    if not found:
        cases.append(f'  <testcase classname="hypomag" name={quoteattr(result.what)}/>\n')
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="hypomag validate" tests="{len(cases)}" failures="{failures}">\n'
    return head + "".join(cases) + "</testsuite>\n"


def _sarif(result: Checked) -> dict[str, object]:
    levels = {"Violation": "error", "Warning": "warning", "Info": "note"}
    rules = sorted({f.name for f in result.findings})
    results = []
    for f in result.findings:
        entry: dict[str, object] = {
            "ruleId": f.name,
            "level": levels[f.severity],
            "message": {"text": f"{prefixes.shorten(f.focus)}: {f.message}"},
        }
        if f.file:
            entry["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": f.file}, "region": {"startLine": f.line}}}]
        results.append(entry)
    driver = {"name": "hypomag", "version": __version__, "rules": [{"id": r} for r in rules]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
