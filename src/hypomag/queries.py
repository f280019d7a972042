"""The catalogue of questions, and the running of any SPARQL query over the graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Store

from hypomag import prefixes
from hypomag.errors import InputError, SyntaxProblem, UnknownName
from hypomag.formatting import syntax_problem
from hypomag.sources import CLOSURE, Sources, read_text

TYPE_CHECKING = False  # typing itself takes a third of the time of a cold query
if TYPE_CHECKING:
    from typing import Any

HEADER = re.compile(r"#\+\s*(\w+):\s*(.*)")
_QUIET = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\'|"(?:[^"\\\n]|\\.)*"'
    # A quote or # behind a backslash is a letter of a name; a comment ends at a carriage return too.
    r"|'(?:[^'\\\n]|\\.)*'|<[^<>\"{}|^`\\\s]*>|\\.|#[^\n\r]*"
)
# Variables, prefixed names and language tags are passed over whole: ?o.SERVICE is a variable and a keyword, ex:a.SERVICE is one name.
_SERVICE = re.compile(r"[?$]\w+|(?:[^\W\d_][\w.-]*)?:[\w:%.-]*|@[\w-]+|\b(SERVICE)(?!\w)", re.IGNORECASE)


class Question:
    """A query of the catalogue: `summary` is the question in plain English."""

    def __init__(self, name: str, summary: str, description: str, tags: tuple[str, ...], text: str, path: Path) -> None:
        self.name = name
        self.summary = summary
        self.description = description
        self.tags = tags
        self.text = text
        self.path = path


def catalogue(sources: Sources) -> dict[str, Question]:
    """Read the catalogue of a graph folder: name → question, by name."""
    return {path.stem: parse(path) for path in sources.queries()}


def parse(path: Path) -> Question:
    """Read one query file with its three-line header."""
    text = read_text(str(path))
    header: dict[str, str] = {}
    for line in text.splitlines():
        match = HEADER.match(line)
        if not match:
            break
        header[match[1]] = match[2].strip()
    tags = tuple(tag.strip() for tag in header.get("tags", "").strip("[]").split(",") if tag.strip())
    return Question(path.stem, header.get("summary", ""), header.get("description", ""), tags, text, path)


def named(sources: Sources, name: str) -> Question:
    """Find a question of the catalogue by name.

    Raises:
        UnknownName: no such question; the remedy lists the nearest names.
    """
    folder = sources.folder("queries")
    if re.fullmatch(r"[a-z0-9-]+", name):
        for path in (folder / f"{name}.rq", folder / "linked" / f"{name}.rq", folder / "federated" / f"{name}.rq"):
            if path.is_file():
                if path.parent.name == "linked" and not sources.is_linked:
                    raise UnknownName(f"{name!r} is a question for the linked graph", "add --linked, after hypomag link")
                return parse(path)
    from difflib import get_close_matches

    known = [p.stem for p in sources.queries()]
    near = get_close_matches(name, known, n=3, cutoff=0.5) or [k for k in known if name.lower() in k][:3]
    hint = f"did you mean {', '.join(near)}? " if near else ""
    raise UnknownName(f"no query named {name!r}", hint + "'hypomag queries' lists them all")


def variables(text: str) -> list[str]:
    """Return the variables that a SELECT query projects, in order.

    >>> variables("SELECT DISTINCT ?a (COUNT(?b) AS ?n) WHERE { ?a ?p ?b }")
    ['a', 'n']
    """
    quiet = _QUIET.sub(" ", text)
    match = re.search(r"\bSELECT\b(.*?)(?:\bWHERE\b|\{)", quiet, re.IGNORECASE | re.DOTALL)
    if not match:
        return []
    clause = re.sub(r"\([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\bAS\s+([?$]\w+)\s*\)", r"\1", match[1], flags=re.I)
    return [name.lstrip("?$") for name in re.findall(r"[?$]\w+", clause)]


def bound(text: str, bindings: Mapping[str, NamedNode | Literal], *, placing: bool = False) -> str:
    """Fix projected variables: a VALUES block at the end, and a filter that keeps rows with just that term.

    Terms are serialised by the RDF library. With `placing` they stand in the pattern too, which the
    embedded engine answers sooner. A variable that the query does not project would make
    the block join with nothing, so it is refused.

    Raises:
        InputError: the query does not project the variable, or has a VALUES block at its end.
    """
    if not bindings:
        return text
    projected = variables(text)
    if not projected and re.search(r"\bSELECT\s+(?:DISTINCT\s+|REDUCED\s+)?\*", blanked(text), re.IGNORECASE):
        raise InputError("a SELECT * query names no result columns", "name the columns that you want to bind")
    for name in bindings:
        if name not in projected:
            raise InputError(
                f"the query has no result column ?{name}",
                f"bind one of: {', '.join('?' + p for p in projected) or 'none; it is no SELECT query'}",
            )
    if re.search(r"\}\s*(?:[^{}]*\bVALUES\b[^{}]*\{[^{}]*\}\s*)$", _QUIET.sub(" ", text), re.IGNORECASE):
        raise InputError("the query ends with a VALUES block of its own", "put the value into that block")
    # A constant in place of the variable lets the engine begin there; VALUES at the end alone would be joined last.
    placed = [n for n, term in bindings.items() if placing and isinstance(term, NamedNode) and n not in _computed(text)]
    for name in list(placed):
        replaced = _placed(text, name, bindings[name])
        if replaced is None:
            placed.remove(name)
        else:
            text = replaced
    names = " ".join(f"?{name}" for name in bindings)
    values = " ".join(str(term) for term in bindings.values())
    # VALUES alone would also join with rows that leave the column unbound; and Virtuoso joins it wrongly with a union.
    kept = " ".join(
        f"FILTER(?{name} = {term})" if isinstance(term, NamedNode) else f"FILTER(sameTerm(?{name}, {term}))"
        for name, term in bindings.items()
        if name not in _computed(text) and name not in placed
    )
    end = _group_end(text)
    return f"{text[:end]}{kept} {text[end:].rstrip()}\nVALUES ({names}) {{ ({values}) }}\n"


def _placed(text: str, name: str, term: NamedNode | Literal) -> str | None:
    """Put a term in place of a variable throughout the query's pattern; None where that could change the answer.

    It cannot where a triple pattern outside of OPTIONAL, UNION and subqueries binds the variable anyway, and no MINUS,
    VALUES, BIND or BOUND speaks of it. The projection keeps the variable: the caller binds it with VALUES.
    """
    end = _group_end(text)
    masked = blanked(text)
    select = re.search(r"\bSELECT\b", masked, re.IGNORECASE)
    start = masked.find("{", select.end() if select else 0)
    if start < 0 or end >= len(text):
        return None
    body = _placed_in(text[start + 1 : end], name, term)
    return None if body is None else text[: start + 1] + body + text[end:]


def _placed_in(body: str, name: str, term: NamedNode | Literal) -> str | None:
    masked = blanked(body)
    variable = re.compile(rf"[?$]{name}(?!\w)")
    if re.search(rf"\b(?:BOUND\s*\(\s*|AS\s+|VALUES\s+(?:\([^)]*)?)[?$]{name}(?!\w)", masked, re.IGNORECASE):
        return None
    top, subqueries = _level(masked)
    if not variable.search(top):
        return None
    if any(variable.search(block) for block in re.findall(r"\bMINUS\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}", masked, re.IGNORECASE)):
        return None
    out, place = [], 0
    for begin, close in subqueries:
        out.append(_with(body[place:begin], masked[place:begin], variable, term))
        out.append(_subquery(body[begin:close], name, term))
        place = close
    out.append(_with(body[place:], masked[place:], variable, term))
    return "".join(out)


def _with(text: str, masked: str, variable: re.Pattern[str], term: NamedNode | Literal) -> str:
    out, place = [], 0
    for match in variable.finditer(masked):
        out += [text[place : match.start()], str(term)]
        place = match.end()
    return "".join([*out, text[place:]])


def _level(masked: str) -> tuple[str, list[tuple[int, int]]]:
    """The triple patterns of a group on its own level, and where the subqueries below it stand (without their braces)."""
    kept, subqueries, depth, round_, begins = [], [], 0, 0, []
    for place, character in enumerate(masked):
        if character == "{":
            depth += 1
            begins.append(place + 1)
        elif character == "}" and begins:
            depth -= 1
            begin = begins.pop()
            if re.match(r"\s*SELECT\b", masked[begin:place], re.IGNORECASE) and not any(
                re.match(r"\s*SELECT\b", masked[b:], re.IGNORECASE) for b in begins
            ):
                subqueries.append((begin, place))
        elif character == "(":
            round_ += 1
        elif character == ")":
            round_ -= 1
        elif depth == 0 and round_ == 0:
            kept.append(character)
    return "".join(kept), sorted(subqueries)


def _subquery(text: str, name: str, term: NamedNode | Literal) -> str:
    """A subquery with the term in place of a variable that it projects and, where it groups, groups by; else as it is."""
    masked = blanked(text)
    start, end = masked.find("{"), _group_end(text)
    clause, rest = masked[:start], masked[end:]
    grouped = re.search(r"\bGROUP\s+BY\b(.*)", rest, re.IGNORECASE | re.DOTALL)
    aggregated = re.search(r"\(\s*(?:COUNT|SUM|MIN|MAX|AVG|SAMPLE|GROUP_CONCAT)\b", clause, re.IGNORECASE)
    projected = name in variables(text) and not re.search(rf"\bAS\s+[?$]{name}\b", clause, re.IGNORECASE)
    by = bool(grouped and re.search(rf"[?$]{name}(?!\w)", grouped[1]))
    if not projected or ((grouped or aggregated) and not by) or re.search(r"\b(?:LIMIT|OFFSET|VALUES|HAVING)\b", rest, re.IGNORECASE):
        return text
    body = _placed_in(text[start + 1 : end], name, term)
    return text if body is None else f"{text[: start + 1]}{body}{text[end:].rstrip()} VALUES ?{name} {{ {term} }} "


def blanked(text: str) -> str:
    """The text with strings, IRIs and comments blanked out, character for character."""
    return _QUIET.sub(lambda match: " " * len(match[0]), text)


def _computed(text: str) -> set[str]:
    clause = re.split(r"\bWHERE\b", blanked(text), maxsplit=1, flags=re.IGNORECASE)[0]
    return set(re.findall(r"\bAS\s+[?$](\w+)\s*\)", clause, re.IGNORECASE))


def _group_end(text: str) -> int:
    """Where the outermost group pattern ends: the place of its closing brace."""
    depth = 0
    masked = blanked(text)
    start = re.search(r"\bSELECT\b", masked, re.IGNORECASE)
    for place in range(start.end() if start else 0, len(masked)):
        if masked[place] == "{":
            depth += 1
        elif masked[place] == "}":
            depth -= 1
            if depth == 0:
                return place
    return len(text)


_SLOW_PATH = re.compile(r"(?:\ba|rdf:type)\s*/\s*[\w:]+\s*[*+]\s+(?![?$])\S", re.IGNORECASE)


def slow_path(text: str) -> str | None:
    """A warning where a query walks types and a class tree in one path to a constant, which takes the engine minutes.

    >>> slow_path("SELECT ?x { ?x a/rdfs:subClassOf* hm:Claim }") is None
    False
    >>> slow_path("SELECT ?x { ?x a ?kind . ?kind rdfs:subClassOf* hm:Claim }") is None
    True
    """
    if not _SLOW_PATH.search(blanked(text)):
        return None
    return "a path like 'a/rdfs:subClassOf* CLASS' is very slow here; write '?x a ?kind . ?kind rdfs:subClassOf* CLASS'"


DEEPEST = 100
MOST_OPERATORS = 2000


_OPERATORS = re.compile(r"[!+*/|^&=<>-]|\bIN\b|\bUNION\b|\bOPTIONAL\b|\bMINUS\b", re.IGNORECASE)
_BRACKETS = re.compile(r"[{(\[\])}]")


def _refuse_deep(text: str, masked: str, name: str) -> None:
    """The engine's parser recurses: some thousand open brackets would end the process without a word."""
    depth = 0
    if len(masked) > MOST_OPERATORS and len(_OPERATORS.findall(masked)) > MOST_OPERATORS:
        raise InputError(f"{name}: more than {MOST_OPERATORS} operators", "split the query")
    for bracket in _BRACKETS.finditer(masked):
        if bracket[0] in "{([":
            depth += 1
            if depth > DEEPEST:
                line = text.count("\n", 0, bracket.start()) + 1
                raise InputError(f"{name}:{line}: brackets nested more than {DEEPEST} deep", "flatten the query")
        else:
            depth -= 1


def calls_out(text: str) -> bool:
    """Whether the query holds a SERVICE clause, which would send it over the network.

    >>> calls_out('SELECT ?x { SERVICE <http://a.b> { ?x ?y "SERVICE" } }'), calls_out('SELECT ?service { ?service ?p "x" }')
    (True, False)
    >>> calls_out("SELECT * { #\\rSERVICE <http://a.b> {} }"), calls_out("SELECT * { a:b\\\\#c ?p ?o . SERVICE <http://a.b> {} }")
    (True, True)
    >>> calls_out("SELECT * { ?s ?p ?o.SERVICE<http://a.b>{} }"), calls_out("SELECT * { ?s ?p ex:a.service, service:x }")
    (True, False)
    """
    return _calls_out(blanked(text))


def _calls_out(masked: str) -> bool:
    return "service" in masked.lower() and any(match[1] for match in _SERVICE.finditer(masked))


_UPDATE = re.compile(r"\s*(?:(?:PREFIX\s+\S*|BASE)\s*)*(?:INSERT|DELETE|LOAD|CLEAR|CREATE|DROP|COPY|MOVE|ADD|WITH)\b", re.IGNORECASE)


def check(text: str, name: str, service: bool = False) -> None:
    """Refuse what is not run in any store: an update, nothing, too deep a text, SERVICE where it is not allowed.

    Raises:
        InputError: as said.
    """
    masked = blanked(text)
    _refuse_deep(text, masked, name)
    if _UPDATE.match(masked):
        raise InputError(f"{name}: an update; the graph is only read here", "ask with SELECT, ASK, CONSTRUCT or DESCRIBE")
    if not text.strip():
        raise InputError(f"{name}: the query is empty", "hypomag queries lists questions to ask")
    if not service and _calls_out(masked):
        raise InputError(f"{name}: SERVICE would send the query to another server", "add --allow-service if you want that")


_FORM = re.compile(r"(?<![\w?$:.-])(SELECT|ASK|CONSTRUCT|DESCRIBE)(?![\w:.-])", re.IGNORECASE)
_FROM = re.compile(r"(?<![\w?$:.-])FROM(?![\w:.-])", re.IGNORECASE)
_PREFIX = re.compile(r"\bPREFIX\s+([\w.-]*):", re.IGNORECASE)
_USED = re.compile(r"(?<![\w?$:.@-])([A-Za-z][\w.-]*):")


def form(text: str) -> str:
    """The form of a query.

    >>> form("PREFIX ask: <http://a.b/> CONSTRUCT { ?s ask:x ?o } WHERE { ?s ?p ?o }")
    'CONSTRUCT'
    """
    match = _FORM.search(blanked(text))
    return match[1].upper() if match else "SELECT"


def says_from(text: str) -> bool:
    """Whether a query names the graphs that it reads.

    >>> says_from("SELECT ?s FROM <http://a.b/> { ?s ?p ?o }"), says_from('SELECT ?from { ?from ?p "FROM <a:b>" }')
    (True, False)
    """
    return bool(_FROM.search(blanked(text)))


def with_prefixes(text: str, table: Mapping[str, str] | None = None) -> str:
    """A query with a PREFIX line for each prefix of ours that it uses, on the line on which it begins.

    >>> with_prefixes("SELECT ?x { ?x a hm:Dose }")
    'PREFIX hm: <https://w3id.org/hypomag/vocab#> SELECT ?x { ?x a hm:Dose }'
    """
    masked = blanked(text)
    wanted = {match[1] for match in _USED.finditer(masked)} - set(_PREFIX.findall(masked))
    return "".join(f"PREFIX {p}: <{space}> " for p, space in (table or prefixes.read()).items() if p in wanted) + text


def run(store: Store, text: str, *, name: str = "query", service: bool = False, table: Mapping[str, str] | None = None) -> Any:
    """Run SPARQL over the union of the named graphs; our prefixes need no PREFIX line.

    Returns pyoxigraph's QuerySolutions, QueryTriples or QueryBoolean.

    Raises:
        SyntaxProblem: the text is not SPARQL (line and column in the message).
        InputError: it calls SERVICE and `service` is false, or is an update.
    """
    check(text, name, service)
    known = dict(table or prefixes.read())
    if is_large(store):
        text = _lateral(text)
    try:
        # The union would go before what the query says itself with FROM.
        return store.query(text, use_default_graph_as_union=not says_from(text), prefixes=known)
    except SyntaxError as error:
        raise explained(text, error, known, name) from None


def is_large(store: Store) -> bool:
    """Whether the graph is a linked one, with a closure and millions of triples, which asks for other plans."""
    return store.contains_named_graph(NamedNode(CLOSURE))


def prefixes_used(text: str, table: Mapping[str, str]) -> dict[str, str]:
    """The prefixes of a table that a query seems to use; one that follows a full stop without a space is missed.

    >>> prefixes_used("SELECT ?x { ?x a hm:Dose }", {"hm": "http://a.b/", "HP": "http://c.d/"})
    {'hm': 'http://a.b/'}
    """
    return {p: table[p] for p in {match[1] for match in _USED.finditer(blanked(text))} if p in table}


def explained(text: str, error: SyntaxError, known: Mapping[str, str], name: str = "query") -> SyntaxProblem:
    """What is wrong with a query that the engine could not read, with line and column."""
    return _unknown_prefix(text, known, name) or syntax_problem(error, name)


_OPTIONAL = re.compile(r"\bOPTIONAL\s*\{([^{}()]*)\}", re.IGNORECASE)
_LEADS = re.compile(r"(?:\bUNION|[{}.])\s*$", re.IGNORECASE)
_TRIPLES = re.compile(r"(?!\s*UNION\b)(?:(?!\b(?:FILTER|OPTIONAL|LATERAL|BIND|MINUS|VALUES|GRAPH|SERVICE)\b)[^{}()])*", re.IGNORECASE)


def _lateral(text: str) -> str:
    """Let the engine look triples up row by row: those of an OPTIONAL, and those that follow a UNION or a subquery.

    By itself it joins them over the whole graph first, which takes seconds where there are millions of triples. For
    triple patterns alone the answer is the same.

    >>> _lateral("{ ?a ?b ?c OPTIONAL { ?c ?d ?e ; ?f ?g } }")
    '{ ?a ?b ?c  LATERAL {OPTIONAL { ?c ?d ?e ; ?f ?g }} }'
    >>> _lateral("{ { ?a ?b ?c } UNION { ?a ?d ?c } ?c ?e ?f }")
    '{ { ?a ?b ?c } UNION { ?a ?d ?c } LATERAL { ?c ?e ?f }}'
    """
    masked = blanked(text)
    found = [m.span() for m in _OPTIONAL.finditer(masked)]
    begins: list[int] = []
    for place, character in enumerate(masked):
        if character == "{":
            begins.append(place)
        elif character == "}" and begins:
            begin = begins.pop()
            match = _TRIPLES.match(masked, place + 1)
            if begins and match and "?" in match[0] and _LEADS.search(masked, 0, begin):
                found.append(match.span())
    out, place = [], 0
    for start, end in sorted(found):
        # A comment at the end would take the brace with it.
        out += [text[place:start], " LATERAL {", text[start:end], "\n}" if "#" in text[start:end] else "}"]
        place = end
    return "".join([*out, text[place:]])


def _unknown_prefix(text: str, known: Mapping[str, str], name: str) -> SyntaxProblem | None:
    masked = blanked(text)
    declared = {*known, *_PREFIX.findall(masked)}
    for match in re.finditer(r"(?<![\w?$:.@-])([A-Za-z][\w.-]*):(?=[\w.-])", masked):
        if match[1] not in declared:
            line = masked.count("\n", 0, match.start()) + 1
            column = match.start() - masked.rfind("\n", 0, match.start())
            return SyntaxProblem(
                f"{name}:{line}:{column}: the prefix {match[1]}: is neither declared nor ours",
                "declare it with a PREFIX line, or write the IRI in <>",
            )
    return None
