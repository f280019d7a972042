"""SHACL validation: two engines, one list of findings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyoxigraph import RdfFormat, parse

from hypomag.errors import InputError
from hypomag.formatting import syntax_problem
from hypomag.prefixes import read, shorten
from hypomag.sources import Sources, read_text

if TYPE_CHECKING:
    import rdflib

SH = "http://www.w3.org/ns/shacl#"
ENGINES = ("shifty", "pyshacl")
SEVERITIES = ("Violation", "Warning", "Info")


@dataclass(frozen=True, order=True)
class Finding:
    """One result of a validation, with the place in our files where it can be mended.

    `severity` is Violation, Warning or Info; `shape` is the IRI of the property or node shape.
    """

    severity: str
    focus: str
    shape: str
    path: str
    value: str
    component: str
    message: str
    file: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        return shorten(self.shape)

    def told(self) -> str:
        """The finding in one line: place, severity, focus, message."""
        place = f"{self.file}:{self.line}: " if self.file else ""
        value = f" [{shorten(self.value)}]" if self.value else ""
        return f"{place}{self.severity.lower()}: {shorten(self.focus)}{value}: {self.message} ({self.name})"


def shapes_text(sources: Sources) -> bytes:
    """All shapes of a graph folder with the prefix declarations that their queries use, as Turtle."""
    texts = []
    for path in [*sources.shapes(), sources.prefixes]:
        text = read_text(str(path))
        try:
            list(parse(text, format=RdfFormat.TURTLE))
        except SyntaxError as error:
            raise syntax_problem(error, str(path)) from None
        texts.append(text.encode())
    return b"\n".join(texts)


def validate(data: bytes, shapes: bytes, engine: str = "shifty") -> list[Finding]:
    """Validate Turtle (N-Triples are Turtle too) against SHACL shapes; the same findings whichever engine runs.

    `shifty` is the fast one, `pyshacl` the reference. Findings come sorted by severity and focus.

    Raises:
        InputError: the engine is not known, or cannot read the shapes.
    """
    if engine == "shifty":
        report = _shifty(data, shapes)
    elif engine == "pyshacl":
        report = _pyshacl(data, shapes)
    else:
        raise InputError(f"no validation engine {engine!r}", f"take one of {', '.join(ENGINES)}")
    return findings(report)


def failing(data: bytes, shapes: bytes) -> set[str]:
    """Which nodes the fast engine finds something on: a third of the time of a report.

    Raises:
        InputError: the shapes or data do not parse.
    """
    import warnings

    import shifty

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            told = shifty.validate_algebra(data, shapes, infer=False)
        except (ValueError, RuntimeError) as error:
            raise InputError(f"the shapes or data do not parse: {str(error).splitlines()[0]}") from None
    return {violation.focus_node.strip("<>") for violation in told.violations}


def _shifty(data: bytes, shapes: bytes) -> rdflib.Graph:
    import logging
    import warnings

    import shifty

    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)  # it logs a traceback for each ill-typed literal

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _, report, _ = shifty.validate(data, shapes, infer=False, sort_results=False)
        except (ValueError, RuntimeError) as error:
            raise InputError(f"the shapes or data do not parse: {str(error).splitlines()[0]}") from None
    return report


def _pyshacl(data: bytes, shapes: bytes) -> rdflib.Graph:
    import logging

    import pyshacl
    import rdflib

    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)  # it logs a traceback for each ill-typed literal
    graph = rdflib.Graph().parse(data=data, format="turtle")
    try:
        shacl = rdflib.Graph().parse(data=shapes, format="turtle")
        _, report, _ = pyshacl.validate(graph, shacl_graph=shacl, inference="none", advanced=False)
    except (rdflib.exceptions.ParserError, SyntaxError, pyshacl.errors.ReportableRuntimeError) as error:
        raise InputError(f"the shapes do not parse: {str(error).splitlines()[0]}") from None
    except TypeError as error:  # pySHACL compares an ill-typed literal with a number
        raise InputError(
            f"pySHACL cannot compare the values: {error}", "hypomag validate without --engine tells which literal is ill-typed"
        ) from None
    assert isinstance(report, rdflib.Graph)
    return report


def findings(report: Any) -> list[Finding]:
    """Read a sh:ValidationReport (rdflib) into findings, each once, the gravest first."""
    from rdflib import Namespace
    from rdflib.namespace import RDF

    sh = Namespace(SH)
    found = set()
    for result in report.subjects(RDF.type, sh.ValidationResult):
        shape = report.value(result, sh.sourceShape)
        path = report.value(result, sh.resultPath)
        messages = sorted(str(m) for m in report.objects(result, sh.resultMessage))
        component = str(report.value(result, sh.sourceConstraintComponent) or "")
        value = report.value(result, sh.value)
        found.add(
            Finding(
                severity=str(report.value(result, sh.resultSeverity) or "").removeprefix(SH),
                focus=str(report.value(result, sh.focusNode)),
                shape=str(shape or ""),
                path="" if path is None or not str(path).startswith("http") else str(path),
                value="" if value is None else str(value),
                component=component.removeprefix(SH),
                message=messages[0] if messages else "",
            )
        )
    return sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f))


def located(found: Iterable[Finding], files: Iterable[Path], relative_to: Path | None = None) -> list[Finding]:
    """Add file and line of the focus node (of the predicate, where it stands in the block) to each finding.

    Works on Turtle in our layout: a subject at the start of its line.
    """
    wanted, paths = list(found), list(files)
    subjects = {f.focus for f in wanted}
    places: dict[str, tuple[str, int, list[str]]] = {}
    table = read()
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        shown = path.relative_to(relative_to).as_posix() if relative_to and path.is_relative_to(relative_to) else str(path)
        for number, line in enumerate(lines, 1):
            match = re.match(r"(?:<([^>]+)>|([A-Za-z][\w.-]*):([\w.-]*))", line)
            if not match or line.startswith("@"):
                continue
            iri = match[1] or table.get(match[2], "") + match[3]
            if iri in subjects:
                end = next((k for k in range(number, len(lines)) if lines[k] == "."), len(lines))
                places.setdefault(iri, (shown, number, lines[number:end]))
    out = []
    alone = str(paths[0]) if len(paths) == 1 else ""
    for finding in wanted:
        if finding.focus in places:
            file, number, block = places[finding.focus]
            predicate = shorten(finding.path) if finding.path else ""
            inside = next((k for k, text in enumerate(block, 1) if predicate and text.strip().startswith(predicate + " ")), 0)
            finding = replace(finding, file=file, line=number + inside)
        elif alone:  # another layout: the file is known, the line is not
            finding = replace(finding, file=alone, line=1)
        out.append(finding)
    return out
