"""Query results as text: table, csv, tsv, json, xml, md for rows; Turtle and kin for graphs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyoxigraph import BlankNode, Literal, NamedNode, QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat, serialize

from hypomag import prefixes
from hypomag.errors import InputError

TYPE_CHECKING = False  # typing itself takes a third of the time of a cold query
if TYPE_CHECKING:
    from typing import Any

ROW_FORMATS = ("table", "csv", "tsv", "json", "xml", "md")
GRAPH_FORMATS = ("turtle", "nt", "rdfxml", "jsonld")
QUERY_FORMATS = (*ROW_FORMATS, *GRAPH_FORMATS)
_STANDARD = {
    "csv": QueryResultsFormat.CSV,
    "tsv": QueryResultsFormat.TSV,
    "json": QueryResultsFormat.JSON,
    "xml": QueryResultsFormat.XML,
}


def write(result: Any, form: str) -> str:
    """Write what a query gave in the format asked for.

    Raises:
        InputError: a format for graphs was asked for rows, or the other way round.
    """
    if isinstance(result, QuerySolutions | QueryBoolean):
        if form in _STANDARD:
            text = (result.serialize(format=_STANDARD[form]) or b"").decode()
            return text if text.endswith("\n") else text + "\n"
        if form not in ROW_FORMATS:
            raise InputError(f"{form} is a format for graphs; this query gives rows", f"take one of {', '.join(ROW_FORMATS)}")
        if isinstance(result, QueryBoolean):
            return "yes\n" if result else "no\n"
        names = [v.value for v in result.variables]
        solutions = [[solution[n] for n in names] for solution in result]
        names, rows = readable(names, solutions)
        if form == "md":
            return markdown(names, rows)
        above, names, rows = constants(names, rows)
        return above + table(names, rows, 48)
    triples = list(result)
    if form in ("table", "turtle"):
        if any(isinstance(part, BlankNode) for t in triples for part in (t.subject, t.object)):
            return serialize(triples, format=RdfFormat.TURTLE, prefixes=prefixes.read()).decode()
        from hypomag.formatting import turtle

        return turtle(triples, prefixes.read())
    if form == "nt":
        return "".join(sorted(f"{t} .\n" for t in set(triples)))
    if form == "rdfxml":
        return serialize(sorted(set(triples), key=str), format=RdfFormat.RDF_XML).decode()
    if form in ("json", "jsonld"):
        return serialize(sorted(set(triples), key=str), format=RdfFormat.JSON_LD).decode() + "\n"
    raise InputError(f"{form} is a format for rows; this query gives a graph", f"take one of {', '.join(GRAPH_FORMATS)}")


def readable(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> tuple[list[str], list[list[str]]]:
    """Put each entity and its label into one column, for people: `?x` with `?xLabel` becomes "label (CURIE)".

    Claims and other nodes of ours keep their short address, which is readable; values of the vocabulary their label.
    """
    partner = {n: names.index(f"{n}Label") for n in names if f"{n}Label" in names}
    dropped = set(partner.values())

    def shown(row: Sequence[Any], place: int) -> str:
        text = cell(row[place])
        if names[place] not in partner or not text:
            return text
        label = cell(row[partner[names[place]]])
        prefix = text.partition(":")[0]
        if prefix in ("claim", "step", "evidence", "reference") and names[place] in ("claim", "step", "line"):
            return text
        return (
            label if prefix in ("hm", "reference", "cohort", "variable", "PMID") or "/" in text else f"{label} ({text})" if label else text
        )

    kept = [place for place in range(len(names)) if place not in dropped]
    return [names[place] for place in kept], [[shown(row, place) for place in kept] for row in rows]


def constants(names: list[str], rows: list[list[str]]) -> tuple[str, list[str], list[list[str]]]:
    """Take the columns that say the same in every row out of a table and tell them once, above it.

    >>> constants(["disease", "gene"], [["FHSH", "TRPM6"], ["FHSH", "TRPM7"]])
    ('disease: FHSH\\n\\n', ['gene'], [['TRPM6'], ['TRPM7']])
    """
    same = [place for place in range(len(names)) if len(rows) > 1 and len({row[place] for row in rows}) == 1]
    if not same or len(same) == len(names):
        return "", names, rows
    told = "".join(f"{names[place]}: {rows[0][place]}\n" for place in same if rows[0][place])
    kept = [place for place in range(len(names)) if place not in same]
    return told + "\n" if told else "", [names[place] for place in kept], [[row[place] for place in kept] for row in rows]


def cell(term: Any) -> str:
    """Show a term to a person: CURIE for an IRI, plain text for a literal, nothing for an unbound one.

    >>> cell(NamedNode("http://purl.obolibrary.org/obo/HP_0001250")), cell(Literal("Seizure", language="en")), cell(None)
    ('HP:0001250', 'Seizure', '')
    """
    if term is None:
        return ""
    if isinstance(term, NamedNode):
        return prefixes.shorten(term.value)
    return term.value if isinstance(term, Literal) else str(term)


def table(names: Sequence[str], rows: Iterable[Sequence[str]], width: int = 60) -> str:
    """Lay rows out for a terminal; long cells are wrapped at `width` columns.

    >>> print(table(["gene", "n"], [["TRPM6", "1"]]), end="")
    gene   n
    -----  -
    TRPM6  1
    1 row
    """
    import textwrap

    cells = [[textwrap.wrap(c, width) or [""] for c in row] for row in rows]
    widths = [max([len(n), *(len(line) for row in cells for line in row[i])]) for i, n in enumerate(names)]

    def line(parts: Sequence[str]) -> str:
        return "  ".join(p.ljust(w) for p, w in zip(parts, widths, strict=True)).rstrip() + "\n"

    out = [line(names), line(["-" * w for w in widths])]
    for row in cells:
        for k in range(max((len(c) for c in row), default=0)):
            out.append(line([c[k] if k < len(c) else "" for c in row]))
    out.append(f"{len(cells)} row{'' if len(cells) == 1 else 's'}\n")
    return "".join(out)


def markdown(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay rows out as a Markdown table.

    >>> print(markdown(["a"], [["x|y"]]), end="")
    | a |
    | --- |
    | x\\|y |
    """

    def line(parts: Iterable[str]) -> str:
        return "| " + " | ".join(p.replace("|", "\\|").replace("\n", " ") for p in parts) + " |\n"

    return "".join([line(names), line("---" for _ in names), *map(line, rows)])
