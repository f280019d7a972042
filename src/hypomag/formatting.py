"""Our one Turtle layout: sorted subjects, one predicate a line, no blank nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, parse

from hypomag.errors import InputError, SyntaxProblem

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
OBO_IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
RDF_TYPE = RDF + "type"
FIRST = (
    RDF_TYPE,
    RDFS + "label",
    OBO_IN_OWL + "hasExactSynonym",
    OBO_IN_OWL + "hasBroadSynonym",
    OBO_IN_OWL + "hasNarrowSynonym",
    OBO_IN_OWL + "hasRelatedSynonym",
    "http://purl.obolibrary.org/obo/IAO_0000115",
)
RANK = {iri: place for place, iri in enumerate(FIRST)}
LOCAL = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)?\Z")
BARE = {
    XSD + "integer": re.compile(r"[+-]?[0-9]+\Z"),
    XSD + "decimal": re.compile(r"[+-]?[0-9]*\.[0-9]+\Z"),
    XSD + "boolean": re.compile(r"(?:true|false)\Z"),
}
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def turtle(triples: Iterable[Triple | Quad], prefixes: Mapping[str, str], comment: str = "") -> str:
    """Write triples in our layout, with only the prefixes that are used.

    `prefixes` maps prefix to namespace IRI. `comment` is put on top as it is.
    Literals keep the form in which they came, so a text that is formatted once stays as it is.

    Raises:
        InputError: a blank node or a triple term, which the layout has no place for.

    >>> from pyoxigraph import Literal, NamedNode, Triple
    >>> ex = "https://example.org/"
    >>> spot = NamedNode(ex + "spot")
    >>> print(turtle([
    ...     Triple(spot, NamedNode(RDFS + "label"), Literal("Spot", language="en")),
    ...     Triple(spot, NamedNode(RDF_TYPE), NamedNode(ex + "Dog")),
    ... ], {"ex": ex, "rdfs": RDFS}), end="")
    @prefix ex: <https://example.org/> .
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    <BLANKLINE>
    ex:spot
        a ex:Dog ;
        rdfs:label "Spot"@en ;
    .
    """
    spaces = sorted(prefixes.items(), key=lambda pair: -len(pair[1]))
    used: set[str] = set()

    def iri(value: str) -> str:
        for prefix, space in spaces:
            if value.startswith(space) and LOCAL.match(value[len(space) :]):
                used.add(prefix)
                return f"{prefix}:{value[len(space) :]}"
        return f"<{value}>"

    def text(term: object) -> str:
        if isinstance(term, NamedNode):
            return iri(term.value)
        if not isinstance(term, Literal):
            raise InputError(
                f"a blank node cannot be cited or compared: {term}",
                "give it an IRI of its own, then format again",
            )
        if term.language:
            return f"{quoted(term.value)}@{term.language}"
        datatype = term.datatype.value
        value = canonical_decimal(term.value) if datatype == XSD + "decimal" else term.value
        if datatype == XSD + "string":
            return quoted(term.value)
        if datatype in BARE and BARE[datatype].match(value):
            return value
        return f"{quoted(value)}^^{iri(datatype)}"

    subjects: dict[str, dict[str, list[tuple[tuple[object, ...], str]]]] = {}
    for triple in triples:
        if not isinstance(triple.subject, NamedNode):
            text(triple.subject)
        by_predicate = subjects.setdefault(triple.subject.value, {})
        objects = by_predicate.setdefault(triple.predicate.value, [])
        entry = (_order(triple.object), text(triple.object))
        if entry not in objects:
            objects.append(entry)

    blocks = []
    for subject in sorted(subjects):
        lines = [iri(subject)]
        by_predicate = subjects[subject]
        for predicate in sorted(by_predicate, key=lambda p: (RANK.get(p, len(RANK)), p)):
            verb = "a" if predicate == RDF_TYPE else iri(predicate)
            written = [form for _, form in sorted(by_predicate[predicate])]
            if len(written) == 1:
                lines.append(f"    {verb} {written[0]} ;")
            else:
                lines.append(f"    {verb}")
                lines.extend(f"        {form} ," for form in written[:-1])
                lines.append(f"        {written[-1]} ;")
        blocks.append("\n".join([*lines, ".\n"]))

    head = "".join(f"@prefix {p}: <{prefixes[p]}> .\n" for p in sorted(used))
    parts = [comment.rstrip("\n") + "\n" if comment.strip() else "", head, *blocks]
    return "\n".join(part for part in parts if part)


def canonical_decimal(value: str) -> str:
    """Write a decimal as the stores keep it, so that a round trip changes nothing.

    >>> canonical_decimal("0.70"), canonical_decimal("1.0"), canonical_decimal("-0.0")
    ('0.7', '1', '0')
    """
    if not re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", value):
        return value
    sign = "-" if value.startswith("-") else ""
    whole, _, part = value.lstrip("+-").partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    if whole == "0" and not part:
        return "0"
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def quoted(value: str) -> str:
    """Quote a string for Turtle on one line.

    >>> print(quoted('say "Mg"'))
    "say \\"Mg\\""
    """
    out = []
    for character in value:
        if character in ESCAPES:
            out.append(ESCAPES[character])
        elif ord(character) < 0x20 or ord(character) == 0x7F:
            out.append(f"\\u{ord(character):04X}")
        else:
            out.append(character)
    return '"' + "".join(out) + '"'


def _order(term: object) -> tuple[object, ...]:
    if isinstance(term, NamedNode):
        return (0, term.value, "", "")
    if isinstance(term, Literal):
        return (1, term.value, term.language or "", term.datatype.value)
    return (2, str(term), "", "")


def leading_comment(text: str) -> str:
    """Return the block of comment lines at the top of a Turtle text.

    >>> leading_comment("# one\\n# two\\n\\n<a:a> <a:b> <a:c> . # three")
    '# one\\n# two'
    """
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line)
    return "\n".join(lines)


def formatted(text: str, name: str, prefixes: Mapping[str, str]) -> str:
    """Return a Turtle text in our layout; applied twice it changes nothing more.

    `name` is what an error calls the text.

    Raises:
        SyntaxProblem: the text is not Turtle.
        InputError: it holds a blank node.
    """
    try:
        triples = list(parse(text, format=RdfFormat.TURTLE, base_iri=None))
    except (SyntaxError, ValueError) as error:
        raise syntax_problem(error, name) from None
    try:
        return turtle(triples, prefixes, leading_comment(text))
    except InputError as error:
        raise InputError(f"{name}: {error.message}", error.remedy) from None


def syntax_problem(error: Exception, name: str) -> SyntaxProblem:
    """Turn the parser's error into one line that begins with name, line and column."""
    message = str(error.args[0] if error.args else error).split("\n", 1)[0]
    line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
    sparql = re.match(r"error at (\d+):(\d+): (.*)", message)
    if sparql:
        line, column, message = int(sparql[1]), int(sparql[2]), sparql[3]
    if len(message) > 160:
        message = message[:150] + " ..."
    message = re.sub(r"^Parser error (?:at|between) .*?(?:columns? [\d and]+): ", "", message)
    place = f"{name}:{line}:{column}" if line else name
    return SyntaxProblem(f"{place}: {message}", "mend the text at this place, then run the command again")
